"""How far an operator looks: at a row, at rows that share some columns, or at the whole table.

A register of tens of millions of rows is validated in pieces. A rule on rows takes any piece; one
on groups takes pieces that hold its groups whole; one that needs the whole table can't be run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gbi.validation.catalogue import Rule

    Apart = Callable[[Mapping[str, Any]], Iterable[str]]

# Operators that look at one row at a time.
ROWWISE = frozenset({
    "required", "range", "integer", "one_of", "column_type", "consistent_with", "within_columns",
    "known_codes", "codes_in_force", "matches_pattern", "small_count", "contributions",
})  # fmt: skip
_SERIES = ("TIME_PERIOD", "VALUE_KIND", "SOURCE")
# Operator → the columns of the key by which the parties of a breach may differ.
_APART: Mapping[str, Apart] = {
    "unique_key": lambda p: (),
    "group_sum": lambda p: (p["dimension"],),
    "between_groups": lambda p: p["groups"],
    "counterpart_required": lambda p: _SERIES,
    "target_against_value": lambda p: _SERIES,
    "period_order": lambda p: _SERIES,
    "stale_series": lambda p: _SERIES,
    "percent_mixed": lambda p: _SERIES,
    "history_outlier": lambda p: _SERIES,
}
# Operators whose parties have their department in common, and not always more.
_OF_A_DEPARTMENT = frozenset({
    "pair_required", "pair_closes", "member_order", "group_lacks", "text_says", "sex_pairs",
    "round_numbers", "uniform", "disjoint_codes", "thousandfold", "recoverable", "extreme_share",
    "plausible_size", "only_member", "parent_unit", "gap_widens",
})  # fmt: skip
# Params that make a rule on rows one on groups.
_GROUPING = ("once_per_series", "by")


def is_rowwise(rule: Rule) -> bool:
    """Say whether a rule looks at one row at a time."""
    params = rule.document["params"]
    grouped = any(params.get(name) for name in _GROUPING) and rule.operator != "one_of"
    return rule.operator in ROWWISE and not grouped


def together(rule: Rule, key: Iterable[str], columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that all parties of a breach share; none where any row may be a party.

    Parameters
    ----------
    rule
        A rule whose operator compares rows.
    key
        The columns of the table's key.
    columns
        Those that the data have.
    """
    params = rule.document["params"]
    own = params.get("key", key) if rule.operator == "unique_key" else key
    own = [c for c in own if c in columns]
    if rule.operator in _OF_A_DEPARTMENT or "pair" in params:
        return ("DEPARTMENT",) if "DEPARTMENT" in own else ()
    if rule.operator in ROWWISE:  # one of rows, grouped by a parameter
        by = params.get("by")
        named = [c for c in by if c in columns] if isinstance(by, list) else own
        out = set() if isinstance(by, list) else set(_SERIES)
        return tuple(c for c in named if c not in out)
    if rule.operator not in _APART:
        return ()
    out = set(_APART[rule.operator](params))
    return tuple(c for c in own if c not in out)
