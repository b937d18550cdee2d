"""Operators between rows: pairs, groups and their mean, a ratio and its parts, target and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    rows_where,
    selected,
    tolerance_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbi.validation.context import Context

REALISED, TARGET = "REALISED", "TARGET"


def pair_required(ctx: Context) -> Checked:
    """Require a counterpart of a given member of a dimension, once per series.

    Params: ``dimension``, ``given``, ``wanted`` (one of these is enough), ``pair`` (the column
    that ties rows with labels of their own), ``where``.
    """
    dimension, pair = ctx.params["dimension"], ctx.params.get("pair", "")
    member = codes(ctx.frame, dimension)
    about = selected(ctx)
    mine = about & ctx.given() & (member == ctx.params["given"])
    others = ctx.given() & np.isin(member, ctx.params["wanted"])
    groups = group_ids(ctx.frame, ctx.series_key(dimension, "SOURCE"))
    met = np.isin(groups, groups[others])
    if pair in ctx.frame.columns:
        has_pair = ctx.frame[pair].notna().to_numpy(dtype=bool)
        # an index of the same pair is no rate of the other sex
        tie = ("DEPARTMENT", pair, "UNIT_MEASURE")
        pairs = group_ids(ctx.frame, [c for c in tie if c in ctx.frame.columns])
        met |= has_pair & np.isin(pairs, pairs[others & has_pair])
    series = group_ids(ctx.frame, ctx.series_key("SOURCE"))
    alone = np.flatnonzero(mine & ~met)
    members: dict[int, list[int]] = {}
    for row in alone.tolist():
        members.setdefault(int(series[row]), []).append(row)
    wanted = ", ".join(ctx.params["wanted"])
    found = [
        Violation(tuple(rows), dimension, found=ctx.params["given"], expected=wanted)
        for rows in members.values()
    ]
    return Checked(len(np.unique(series[mine])), found)


def between_groups(ctx: Context) -> Checked:
    """Require that the value of the whole lies between the values of its groups.

    A rate of the whole is a weighted mean of the groups' rates, whatever the weights.
    Params: ``groups`` {dimension: members}, ``total``, ``where``, ``exempt``, ``exempt_in``
    {dimension: {column: codes}} (a share *over* the dimension is no mean of its members).
    """
    found: list[Violation] = []
    checked = 0
    values = ctx.values()
    units, is_exact = printed_units(ctx.frame), exact(ctx.frame)
    total = str(ctx.params.get("total", "_T"))
    for dimension, members in ctx.params["groups"].items():
        if dimension not in ctx.frame.columns:
            continue
        keep = selected(ctx) & np.isfinite(values)
        for column, out in ctx.params.get("exempt_in", {}).get(dimension, {}).items():
            keep &= ~rows_where(ctx.frame, {column: out})
        keep &= codes(ctx.frame, "CLOSES_OVER", "") != dimension
        wide = positions(ctx, dimension, keep, ctx.frame)
        if any(c not in wide.columns for c in (total, *members)):
            continue
        full = wide[(wide[[total, *members]] != NOWHERE).all(axis=1)].to_numpy()
        names = [str(c) for c in wide.columns]
        whole = full[:, names.index(total)]
        parts = full[:, [names.index(m) for m in members]]
        low, high = values[parts].min(axis=1), values[parts].max(axis=1)
        # Two printed figures are compared: the whole and the nearest group (k = 1).
        unit = np.maximum(units[whole], units[parts].max(axis=1))
        slack = tolerance_of(
            ctx.tolerance, unit, is_exact[whole] & is_exact[parts].all(axis=1), 1.0, high
        )
        checked += len(whole)
        off = np.flatnonzero((values[whole] < low - slack) | (values[whole] > high + slack))
        for i in off.tolist():
            value = float(values[whole[i]])
            bound = float(low[i] if value < low[i] else high[i])
            found.append(
                Violation(
                    (int(whole[i]), *parts[i].tolist()), found=value, expected=bound,
                    difference=value - bound, tolerance=float(slack[i]),
                    details={"lower": float(low[i]), "upper": float(high[i])},
                )
            )  # fmt: skip
    return Checked(checked, found)


def ratio_matches(ctx: Context) -> Checked:
    """Require that a stated parity index is the ratio of the two rates printed beside it.

    The index is the row that the ``where`` picks; the rates are the rows of the same group
    (``within``), period and kind of value with the measures ``of`` and the codes ``numerator`` and
    ``denominator`` of ``dimension``. The bounds are those of the rounded rates, widened by the
    tolerance and by the rounding of the index itself.
    """
    p = ctx.params
    values, units = ctx.values(), printed_units(ctx.frame)
    stated = selected(ctx) & np.isfinite(values)
    member = codes(ctx.frame, p["dimension"])
    rate = rows_where(ctx.frame, p["of"]) & np.isfinite(values)
    groups = group_ids(ctx.frame, [*p["within"], "TIME_PERIOD", "VALUE_KIND", "REF_AREA"])
    sides: dict[str, dict[int, list[int]]] = {}
    for side in (p["numerator"], p["denominator"]):
        sides[side] = {}
        for row in np.flatnonzero(rate & (member == side)).tolist():
            sides[side].setdefault(int(groups[row]), []).append(row)
    age = codes(ctx.frame, "AGE")
    found: list[Violation] = []
    checked = 0
    for row in np.flatnonzero(stated).tolist():
        tops, bottoms = (
            [r for r in sides[s].get(int(groups[row]), []) if age[r] == age[row]]
            for s in (p["numerator"], p["denominator"])
        )
        if len(tops) != 1 or len(bottoms) != 1 or values[bottoms[0]] <= 0:
            continue
        checked += 1
        top, bottom = tops[0], bottoms[0]
        low, high = quotient_bounds(values, units, top, bottom)
        expected = float(values[top] / values[bottom])
        slack = float(p.get("within_points", 0.0)) + float(units[row]) / 2.0
        if not low - slack - NOISE <= values[row] <= high + slack + NOISE:
            value = float(values[row])
            found.append(
                Violation(
                    (row, top, bottom), found=value, expected=expected,
                    difference=value - expected, tolerance=slack,
                    details={"numerator": float(values[top]), "denominator": float(values[bottom])},
                )
            )  # fmt: skip
    return Checked(checked, found)


def quotient_bounds(
    values: NDArray[np.float64],
    units: NDArray[np.float64],
    top: int,
    bottom: int,
    scale: tuple[float, float] = (1.0, 1.0),
) -> tuple[float, float]:
    """Return the least and greatest quotient that two rounded, positive figures can stand for."""
    low = max(values[top] - units[top] / 2.0, 0.0) * scale[0]
    high = (values[top] + units[top] / 2.0) * scale[0]
    least = max(values[bottom] - units[bottom] / 2.0, 0.0) * scale[1]
    most = (values[bottom] + units[bottom] / 2.0) * scale[1]
    return float(low / most), float(high / least) if least > 0 else float("inf")


def counterpart_required(ctx: Context) -> Checked:
    """Require, per series, a value of one kind where there is one of another kind.

    Params: ``given`` and ``wanted``, codes of ``VALUE_KIND``. The gap's own cell comes first.
    """
    kind = codes(ctx.frame, "VALUE_KIND", "")
    has = ctx.given()
    series = group_ids(ctx.frame, ctx.series_key())
    given, wanted = kind == ctx.params["given"], kind == ctx.params["wanted"]
    met = np.isin(series, series[has & wanted])
    rows = np.flatnonzero(has & given & ~met)
    empty: dict[int, list[int]] = {}
    for row in np.flatnonzero(wanted & ~has).tolist():
        empty.setdefault(int(series[row]), []).append(row)
    values = ctx.values()
    found: dict[int, Violation] = {}
    for row in rows.tolist():
        which = int(series[row])
        parties = (*empty.get(which, []), row)
        value = float(values[row]) if np.isfinite(values[row]) else None
        found.setdefault(which, Violation(parties, details={"other": value}))
    return Checked(len(np.unique(series[has & given])), list(found.values()))


def target_against_value(ctx: Context) -> Checked:
    """Compare a target with the last realised value of its series.

    Params: ``relation``: ``worse`` (given ``DIRECTION``: below for ``UP``, above for ``DOWN``,
    farther from ``DIRECTION_REF`` for ``NEAREST``), ``equal``, or ``jump`` (the larger is more
    than ``factor`` times the smaller); ``unless`` (a filled cell of this column, on the target's
    row, explains it).
    """
    values = ctx.values()
    kind = codes(ctx.frame, "VALUE_KIND", "")
    time = codes(ctx.frame, "TIME_PERIOD", "")
    series = group_ids(ctx.frame, ctx.series_key())
    known = np.isfinite(values)
    last: dict[int, int] = {}
    for row in np.flatnonzero(known & (kind == REALISED)).tolist():
        other = last.get(int(series[row]))
        if other is None or time[row] > time[other]:
            last[int(series[row])] = row
    targets = [
        r for r in np.flatnonzero(known & (kind == TARGET)).tolist() if int(series[r]) in last
    ]
    target = np.array(targets, dtype=int)
    base = np.array([last[int(series[r])] for r in targets], dtype=int)
    hit = _relation(ctx, values, target, base)
    unless = ctx.params.get("unless")
    if unless in ctx.frame.columns and len(target):
        hit &= ~ctx.frame[unless].notna().to_numpy(dtype=bool)[target]
    found = [
        Violation(
            (int(t), int(b)), found=float(values[t]), expected=float(values[b]),
            difference=float(values[t] - values[b]),
            details={
                "realised": float(values[b]), "target": float(values[t]),
                "base_period": str(time[b]), "period": str(time[t]),
            },
        )
        for t, b in zip(target[hit], base[hit], strict=True)
    ]  # fmt: skip
    return Checked(len(target), found)


def _relation(
    ctx: Context, values: NDArray[np.float64], target: NDArray[np.int_], base: NDArray[np.int_]
) -> NDArray[np.bool_]:
    new, old = values[target], values[base]
    noise = NOISE * np.maximum(np.abs(new), np.abs(old))
    relation = ctx.params["relation"]
    if relation == "equal":
        return np.asarray(np.abs(new - old) <= noise)
    if relation == "jump":
        factor = float(ctx.params["factor"])
        positive = (new > 0) & (old > 0)
        large, small = np.maximum(new, old), np.minimum(new, old)
        return np.asarray(positive & (large > factor * small * (1 + NOISE)))
    direction = codes(ctx.frame, "DIRECTION", "")[target]
    if "DIRECTION_REF" in ctx.frame.columns:
        reference = floats(ctx.frame, "DIRECTION_REF")[target]
    else:
        reference = np.full(len(target), np.nan)
    farther = np.abs(new - reference) > np.abs(old - reference) + noise
    return np.asarray(
        ((direction == "UP") & (new < old - noise))
        | ((direction == "DOWN") & (new > old + noise))
        | ((direction == "NEAREST") & np.isfinite(reference) & farther)
    )
