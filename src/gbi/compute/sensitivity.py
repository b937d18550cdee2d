"""What is sensitive by itself: small counts, dominant contributions, ratios that tell a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.compute.additive import DIMENSIONS, ROOTS, TOTAL
from gbi.compute.disclosure_audit import EPSILON
from gbi.compute.person_tables import CONTRIBUTION, VALUE, column, count_persons, counts_of, floats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

DEFAULT_MIN_N = 5
RATIO_KEY = ("DEPARTMENT", "INDICATOR", "TIME_PERIOD", "VALUE_KIND")
_WHOLES = {"PT": 100.0, "PM": 1000.0}


def is_small(
    frame: pd.DataFrame, min_n: int = DEFAULT_MIN_N, table: str | None = None
) -> NDArray[np.bool_]:
    """Say which rows count fewer persons than the threshold, but not none.

    Parameters
    ----------
    frame
        Rows of a long table.
    min_n
        The least number of persons that may be shown.
    table
        The table's name, where known.
    """
    n = counts_of(frame)
    out: Mask = count_persons(frame, table) & (n > 0) & (n < min_n)
    return out


def excess(
    frame: pd.DataFrame, dominance: tuple[int, float] | None, p_percent: float | None
) -> NDArray[np.float64]:
    """Return by how much an estimate may come too close to the largest contributions.

    Parameters
    ----------
    frame
        Rows of a long table.
    dominance, p_percent
        As for :class:`gbi.SmallCells`.
    """
    names = [c for c in frame.columns if str(c).startswith(CONTRIBUTION)]
    names.sort(key=lambda c: int(str(c).removeprefix(CONTRIBUTION)))
    out = np.zeros(len(frame))
    total = floats(frame, VALUE)
    if not names:
        return out
    parts = np.nan_to_num(np.stack([floats(frame, n) for n in names], axis=1))
    given = np.isfinite(total) & (parts[:, 0] > 0)
    if dominance is not None:
        n, k = dominance
        over = parts[:, :n].sum(axis=1) * 100.0 / k - total
        out = np.maximum(out, np.where(given, over, 0.0))
    if p_percent is not None:
        rest = total - parts[:, :2].sum(axis=1)
        over = p_percent / 100.0 * parts[:, 0] - rest
        out = np.maximum(out, np.where(given, over, 0.0))
    return np.where(out > EPSILON, out, 0.0)


def small_ratio(frame: pd.DataFrame, min_n: int) -> Mask:
    """Say which shares and rates give a small count away by the number beside them.

    Parameters
    ----------
    frame
        Rows of a long table.
    min_n
        The least number of persons that may be shown.
    """
    n, value = floats(frame, "N_OBS"), floats(frame, VALUE)
    share = np.isin(column(frame, "MEASURE_KIND"), ("SHARE", "RATE"))
    unit = column(frame, "UNIT_MEASURE")
    whole = np.array([_WHOLES.get(u, 1.0) for u in unit])
    share &= np.isin(unit, ("PT", "PM", "", "RATIO")) & np.isin(
        column(frame, "COUNTED", "PERSONS"), ("PERSONS",)
    )
    inside = np.nan_to_num(n * value / whole)
    outside = np.nan_to_num(n * (1.0 - value / whole))

    def small(x: NDArray[np.float64]) -> Mask:
        # The share is printed with rounding: a count a little beside the threshold is near it.
        out: Mask = (np.round(x) > 0) & (np.round(x) < min_n)
        return out

    out: Mask = share & (small(inside) | small(outside))
    return out


def derived(
    lines: list[tuple[int, tuple[int, ...], bool]],
    values: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    min_n: int,
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the totals and parts between which a small count is left that no row names.

    Parameters
    ----------
    lines
        Totals and their parts, by position.
    values, tolerance
        Of the cells.
    min_n
        The least number of persons that may be shown.
    """
    out = []
    for total, inside, whole in lines:
        parts = list(inside)
        rest = values[total] - values[parts].sum()
        room = tolerance[total] + tolerance[parts].sum()
        if not whole and np.isfinite(rest) and max(room, EPSILON) < rest < min_n:
            out.append((total, inside))
    return out


def told_by_ratio(facts: pd.DataFrame, hidden: Mask, ratios: Mapping[str, Sequence[str]]) -> Mask:
    """Say which ratios are made of a hidden count.

    Parameters
    ----------
    facts
        From :func:`gbi.compute.person_tables.gathered`.
    hidden
        The hidden rows.
    ratios
        As for :class:`gbi.SmallCells`.
    """
    ratio = np.flatnonzero(facts["RATIO"].to_numpy(dtype=bool))
    out = np.zeros(len(facts), dtype=bool)
    if not len(ratio) or not hidden.any():
        return out
    key = facts[list(RATIO_KEY)].to_numpy(dtype=object)
    codes = facts[list(DIMENSIONS)].to_numpy(dtype=object)
    gone = {(*key[i], *codes[i]) for i in np.flatnonzero(hidden & facts["COUNT"].to_numpy())}
    named = {
        " ".join(k.split()).casefold(): [" ".join(x.split()).casefold() for x in v]
        for k, v in ratios.items()
    }
    roots = [ROOTS.get(d, TOTAL) for d in DIMENSIONS]
    for i in ratio:
        cells = {tuple(codes[i])}
        for k, root in enumerate(roots):
            others = ("F", "M", root) if k == 0 else (root,)
            cells |= {(*c[:k], other, *c[k + 1 :]) for c in tuple(cells) for other in others}
            if len(cells) > 256:
                break
        department, indicator, *rest = key[i]
        counted = [indicator, *named.get(str(indicator), [])]
        out[i] = any((department, c, *rest, *cell) in gone for c in counted for cell in cells)
    return out
