"""Operators along a series: repeated values, jumps that reverse, a definition that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.validation.context import (
    NOISE,
    NOWHERE,
    Checked,
    Violation,
    codes,
    exact,
    floats,
    group_ids,
    positions,
    printed_units,
    selected,
    tolerance_of,
)
from gbi.validation.relations import REALISED, TARGET, quotient_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbi.validation.context import Context

# What 100 % is in a unit of proportion; also the upper bound of a share.
_WHOLE = {"PT": 100.0, "PM": 1000.0, "RATIO": 1.0}


def _in_time(ctx: Context) -> tuple[NDArray[np.int_], NDArray[np.int64]]:
    """Return the rows that hold a value, by series and period, and their series."""
    keep = np.isfinite(ctx.values())
    if "VALUE_KIND" in ctx.frame.columns:
        keep &= codes(ctx.frame, "VALUE_KIND") == REALISED
    rows = np.flatnonzero(keep)
    extra = [c for c in ("UNIT_MEASURE", "UNIT_MULT") if c in ctx.frame.columns]
    series = group_ids(ctx.frame, [*ctx.series_key("SOURCE"), *extra])
    time = codes(ctx.frame, "TIME_PERIOD", "").astype(str)
    order = np.lexsort((time[rows], series[rows]))
    return rows[order], series[rows[order]]


def _bounds(ctx: Context) -> NDArray[np.bool_]:
    """Say which values sit on a bound or on their own reference, where repetition is natural."""
    values = ctx.values()
    unit = codes(ctx.frame, "UNIT_MEASURE", "")
    top = np.array([_WHOLE.get(str(u), np.nan) for u in unit])
    at = (values == 0) | (values == top)
    if "DIRECTION_REF" in ctx.frame.columns:
        at |= values == floats(ctx.frame, "DIRECTION_REF")
    return np.asarray(at, dtype=bool)


def repeated_value(ctx: Context) -> Checked:
    """Find a value that looks copied: along a series, or across the targets of a department.

    Params: ``periods``: so many consecutive equal values that are not a bound; ``targets``: so
    many distinct indicators of one department, sex and unit with the same target from different
    realised values, the target not being the reference.
    """
    checked, found = _runs(ctx, int(ctx.params["periods"]))
    if "VALUE_KIND" in ctx.frame.columns and "DEPARTMENT" in ctx.frame.columns:
        more, others = _same_targets(ctx, int(ctx.params["targets"]))
        return Checked(checked + more, [*found, *others])
    return Checked(checked, found)


def _runs(ctx: Context, least: int) -> tuple[int, list[Violation]]:
    rows, series = _in_time(ctx)
    values, bound = ctx.values()[rows], _bounds(ctx)[rows]
    if not len(rows):
        return 0, []
    new = np.r_[True, (series[1:] != series[:-1]) | (values[1:] != values[:-1])]
    starts = np.flatnonzero(new)
    lengths = np.diff(np.r_[starts, len(rows)])
    found = [
        Violation(
            tuple(rows[s : s + n].tolist()),
            found=float(values[s]),
            shared=True,
            details={"n": int(n)},
        )
        for s, n in zip(starts.tolist(), lengths.tolist(), strict=True)
        if n >= least and not bound[s]
    ]
    return len(rows), found


def _same_targets(ctx: Context, least: int) -> tuple[int, list[Violation]]:
    frame, values = ctx.frame, ctx.values()
    kind, known = codes(frame, "VALUE_KIND", ""), np.isfinite(values)
    series = group_ids(frame, ctx.series_key())
    realised = {
        int(series[r]): float(values[r])
        for r in np.flatnonzero(known & (kind == REALISED)).tolist()
    }
    rows = np.flatnonzero(known & (kind == TARGET) & ~_bounds(ctx)).tolist()
    rows = [r for r in rows if realised.get(int(series[r]), values[r]) != values[r]]
    same = group_ids(frame, ["DEPARTMENT", "SEX", "UNIT_MEASURE", "UNIT_MULT", "TIME_PERIOD"])
    names = codes(frame, "INDICATOR", "")
    groups: dict[tuple[int, float], list[int]] = {}
    for row in rows:
        groups.setdefault((int(same[row]), float(values[row])), []).append(row)
    found = []
    for (_, value), members in groups.items():
        before = {realised[int(series[r])] for r in members}
        if len({str(names[r]) for r in members}) >= least and len(before) > 1:
            found.append(
                Violation(tuple(members), found=value, shared=True, details={"n": len(members)})
            )
    return len(rows), found


def isolated_jump(ctx: Context) -> Checked:
    """Find a short jump that reverses, and a rate that its own printed parts contradict.

    Params: ``factor``: the jump's values are so many times above or below both neighbours, which
    lie within ``return_within`` of each other; ``longest``: periods that a jump may last;
    ``contradiction``: compare rows with ``RATIO_OF`` with the quotient of the two named
    indicators, beyond rounding. A trend, however steep, doesn't come back and isn't found.
    """
    rows, series = _in_time(ctx)
    values, half = ctx.values()[rows], printed_units(ctx.frame)[rows] / 2.0
    factor, close = float(ctx.params["factor"]), float(ctx.params["return_within"])
    found: list[Violation] = []
    for length in range(1, int(ctx.params["longest"]) + 1):
        n = len(rows) - length - 1
        if n <= 0:
            break
        before, after = slice(0, n), slice(length + 1, None)
        one = series[before] == series[after]
        low = np.minimum(values[before], values[after])
        high = np.maximum(values[before], values[after])
        run = np.stack([values[k : n + k] for k in range(1, length + 1)])
        loose = np.stack([half[k : n + k] for k in range(1, length + 1)])
        under = (run + loose).max(axis=0) * factor < low - half[before]
        over = (run - loose).min(axis=0) > (high + half[before]) * factor
        hit = one & (low > 0) & (run > 0).all(axis=0) & (high <= close * low) & (under | over)
        for i in np.flatnonzero(hit).tolist():
            around = (float(values[i]) + float(values[i + length + 1])) / 2.0
            jump = rows[i + 1 : i + length + 1].tolist()
            parties = (*jump, int(rows[i]), int(rows[i + length + 1]))
            value = float(values[i + 1])
            found.append(
                Violation(
                    parties, found=value, expected=around, difference=value - around,
                    details={"about": _about(around, 2.0 * float(half[i + 1]))},
                )
            )  # fmt: skip
    if ctx.params.get("contradiction") and "RATIO_OF" in ctx.frame.columns:
        found += _contradictions(ctx)
    return Checked(len(rows), found)


def _about(value: float, unit: float) -> float:
    """Round what a message shows to one digit more than the printed figure has."""
    return round(value, 1 - round(float(np.log10(unit))))


def _contradictions(ctx: Context) -> list[Violation]:
    frame, values, units = ctx.frame, ctx.values(), printed_units(ctx.frame)
    names = codes(frame, "INDICATOR", "")
    key = [c for c in ctx.key if c not in ("INDICATOR", "SOURCE")]
    groups = group_ids(frame, key)
    at = {(str(names[r]), int(groups[r])): r for r in np.flatnonzero(np.isfinite(values)).tolist()}
    multiplier = (
        10.0 ** np.nan_to_num(floats(frame, "UNIT_MULT"), nan=0.0)
        if "UNIT_MULT" in frame.columns
        else np.ones(len(frame))
    )
    unit = codes(frame, "UNIT_MEASURE", "")
    ratio_of = codes(frame, "RATIO_OF", "")
    found = []
    for row in np.flatnonzero((ratio_of != "") & np.isfinite(values)).tolist():
        top_name, _, bottom_name = str(ratio_of[row]).partition(" / ")
        top = at.get((top_name.strip(), int(groups[row])))
        bottom = at.get((bottom_name.strip(), int(groups[row])))
        if top is None or bottom is None or values[bottom] <= 0 or values[top] < 0:
            continue
        whole = _WHOLE.get(str(unit[row]), 1.0)
        scale = (float(multiplier[top]) * whole, float(multiplier[bottom]))
        low, high = quotient_bounds(values, units, top, bottom, scale)
        half = float(units[row]) / 2.0
        if low - half - NOISE * whole <= values[row] <= high + half + NOISE * whole:
            continue
        expected = float(values[top] * scale[0] / (values[bottom] * scale[1]))
        value = float(values[row])
        found.append(
            Violation(
                (row, top, bottom), found=value, expected=expected, difference=value - expected,
                tolerance=half,
                details={
                    "numerator": float(values[top]), "denominator": float(values[bottom]),
                    "about": _about(expected, 2.0 * half),
                },
            )
        )  # fmt: skip
    return found


def closes_once(ctx: Context) -> Checked:
    """Find a rate whose groups add to 100 in one period only: there it is another quantity.

    Params: ``dimension``, ``least_groups``, ``least_periods``; ``where``. Tolerance as in the
    sums.
    """
    dimension = ctx.params["dimension"]
    values, units, is_exact = ctx.values(), printed_units(ctx.frame), exact(ctx.frame)
    closes = codes(ctx.frame, "CLOSES_OVER", "") == dimension
    keep = selected(ctx) & np.isfinite(values) & ~closes & (codes(ctx.frame, dimension) != "_T")
    wide = positions(ctx, dimension, keep, ctx.frame)
    least = int(ctx.params["least_groups"])
    sums = []
    for cells in wide.to_numpy().tolist():
        rows = np.array([c for c in cells if c != NOWHERE], dtype=int)
        if len(rows) < least:
            continue
        added = float(values[rows].sum())
        slack = tolerance_of(
            ctx.tolerance, units[rows].max(keepdims=True), is_exact[rows].all(keepdims=True),
            float(len(rows)), np.array([added]),
        )  # fmt: skip
        sums.append((rows, added, float(slack[0]), abs(added - 100.0) <= float(slack[0])))
    return Checked(len(sums), _lone_periods(ctx, dimension, sums))


def _lone_periods(
    ctx: Context, dimension: str, sums: list[tuple[NDArray[np.int_], float, float, bool]]
) -> list[Violation]:
    series = group_ids(ctx.frame, ctx.series_key(dimension, "SOURCE"))
    time = codes(ctx.frame, "TIME_PERIOD", "")
    by_series = pd.Series([int(series[rows[0]]) for rows, *_ in sums], dtype="int64")
    found = []
    for positions_ in by_series.groupby(by_series).groups.values():
        members = [sums[int(i)] for i in positions_]
        lone = [m for m in members if m[3]]
        if len(members) >= int(ctx.params["least_periods"]) and len(lone) == 1:
            rows, added, slack, _ = lone[0]
            usual = float(np.median([m[1] for m in members if not m[3]]))
            found.append(
                Violation(
                    tuple(rows.tolist()), found=added, expected=usual, difference=added - usual,
                    tolerance=slack, shared=True,
                    details={"usual": usual, "period": str(time[rows[0]])},
                )
            )  # fmt: skip
    return found
