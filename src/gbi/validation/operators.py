"""The closed set of operators that rule files may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gbi.validation import cells, marks, relations, series, sums
from gbi.validation.context import Checked, Context

Operator = Callable[[Context], Checked]

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "required": cells.required,
        "unique_key": cells.unique_key,
        "parent_exists": cells.parent_exists,
        "range": cells.within_bounds,
        "integer": cells.integer,
        "one_of": cells.one_of,
        "group_sum": sums.group_sum,
        "rollup": sums.rollup,
        "unit_scale": sums.unit_scale,
        "pair_required": relations.pair_required,
        "between_groups": relations.between_groups,
        "ratio_matches": relations.ratio_matches,
        "counterpart_required": relations.counterpart_required,
        "target_against_value": relations.target_against_value,
        "repeated_value": series.repeated_value,
        "isolated_jump": series.isolated_jump,
        "closes_once": series.closes_once,
        "weighted_amount": marks.weighted_amount,
        "lowest_mark": marks.lowest_mark,
        "band_gap": marks.band_gap,
    }
)
