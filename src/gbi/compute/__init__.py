"""Formulas, keys and marks: pure functions over arrays, without tables, texts or files.

What a measure needs more than once and must get right once: parity and achievement, coded keys
with exact sums, the marking grids.
"""

from gbi.compute.formulas import (
    absolute_gap,
    adjusted_parity,
    closure,
    difference,
    member_share,
    parity,
    parity_band,
    quotient,
    relative_gap,
    share_of_ratio,
)
from gbi.compute.keys import Keys, exact_sum, grouped_sum, keys_of
from gbi.compute.marking import (
    Band,
    Bounds,
    PrintedGap,
    Scale,
    scale,
    share_bounds,
    weighted_amount,
    weighted_share,
)
from gbi.compute.targets import achieved, against, distance, equal, progress, within_range

__all__ = [
    "Band",
    "Bounds",
    "Keys",
    "PrintedGap",
    "Scale",
    "absolute_gap",
    "achieved",
    "adjusted_parity",
    "against",
    "closure",
    "difference",
    "distance",
    "equal",
    "exact_sum",
    "grouped_sum",
    "keys_of",
    "member_share",
    "parity",
    "parity_band",
    "progress",
    "quotient",
    "relative_gap",
    "scale",
    "share_bounds",
    "share_of_ratio",
    "weighted_amount",
    "weighted_share",
    "within_range",
]
