"""Which function answers which measure of the golden cases (``golden/measures.json``).

The cases are signed men − women, as their sources print them; the library is signed women − men,
so a gap's sign is turned here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from gbi.compute import (
    absolute_gap,
    achieved,
    adjusted_parity,
    closure,
    member_share,
    parity,
    parity_band,
    progress,
    quotient,
    relative_gap,
    share_of_ratio,
    within_range,
)
from gbi.indicators import share

_BANDS = {
    "PARITY": "parity",
    "AGAINST_F": "disparity_against_females",
    "AGAINST_M": "disparity_against_males",
}


def _parity_band(gpi: float) -> str:
    return _BANDS[parity_band(gpi).item()]


def _achievement(
    actual: float,
    target: float | list[float],
    kind: str = "increase",
    baseline: float | None = None,
    tolerance: float = 0.0,
) -> float:
    if isinstance(target, list):
        return float(within_range(actual, target[0], target[1], tolerance=tolerance))
    if baseline is not None:
        return float(progress(actual, target, baseline))
    return float(achieved(actual, target, "DOWN" if kind == "decrease" else "UP"))


def _shares(parts: Mapping[str, float]) -> dict[str, float]:
    frame = pd.DataFrame({"PART": list(parts), "OBS_VALUE": list(parts.values()), "DECIMALS": 2})
    results = {p: share(frame, by=[], member=p, over="PART").frame.iloc[0] for p in parts}
    out = {p: 100 * float(row["SHARE"]) for p, row in results.items()}
    return {**out, "_total": float(next(iter(results.values()))["DENOMINATOR"])}


MEASURES: dict[str, Callable[..., object]] = {
    "abs_gap": lambda f, m: -float(absolute_gap(f, m)),
    "achievement": _achievement,
    "female_share": lambda f, m: float(member_share(f, m)),
    "femininity_ratio": lambda f, m: 100 * float(parity(f, m)),
    "feminisation_rate": lambda f, m: 100 * float(member_share(f, m)),
    "gap_closure": lambda gap0, gap1: float(closure(gap0, gap1)),
    "gpi": lambda f, m: float(parity(f, m)),
    "gpia": lambda f, m: float(adjusted_parity(f, m)),
    "parity_band": _parity_band,
    "pct_of": lambda part, whole: 100 * float(quotient(part, whole)),
    "ratio": lambda num, den: float(quotient(num, den)),
    "rel_gap": lambda f, m: -float(relative_gap(f, m)),
    "share_from_ratio": lambda ratio_fm: float(share_of_ratio(ratio_fm)),
    "shares": _shares,
}
