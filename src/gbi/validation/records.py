"""Operators within a row or between few rows: a value, its status, its bounds and its neighbours.

They hold what must be true of one record or of two figures that belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gbi.schemas import schema
from gbi.validation.context import (
    NOISE,
    NOWHERE,
    Breaches,
    Checked,
    Violation,
    among,
    coded,
    codes,
    exact,
    floats,
    group_ids,
    printed_units,
    rows_where,
    selected,
    tolerance_of,
)
from gbi.validation.labels import by_group, concerned, pair_ids, spread, years

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gbi.validation.context import Context

_OVER = "CLOSES_OVER"


def _filled(ctx: Context, column: str) -> NDArray[np.bool_]:
    if column not in ctx.frame.columns:
        return np.zeros(len(ctx.frame), dtype=bool)
    return ctx.given(column)


def _asked(ctx: Context) -> NDArray[np.bool_]:
    """Say which rows meet a rule's condition: codes, filled columns, a number."""
    keep = concerned(ctx)
    some = ctx.params.get("where_any", {})
    if some:
        keep &= np.any([rows_where(ctx.frame, {c: v}) for c, v in some.items()], axis=0)
    for column in ctx.params.get("given", []):
        keep &= _filled(ctx, column)
    for column, number in ctx.params.get("equals", {}).items():
        keep &= ctx.values(column) == float(number)
    return keep


def _broken(ctx: Context, then: Mapping[str, Any]) -> tuple[NDArray[np.bool_], str]:
    """Return the rows that break what must follow, and the column to look at."""
    if "forbid" in then:
        ((column, values),) = then["forbid"].items()
        return rows_where(ctx.frame, {column: values}), str(column)
    if "empty" in then:
        return _filled(ctx, then["empty"]), str(then["empty"])
    filled = [_filled(ctx, c) for c in then.get("filled", then.get("filled_all", []))]
    first = str(then.get("filled", then.get("filled_all"))[0])
    return ~(np.any(filled, axis=0) if "filled" in then else np.all(filled, axis=0)), first


def _held(ctx: Context, column: str, rows: NDArray[np.int_]) -> NDArray[np.object_] | None:
    """Return what the cells of some rows hold, None where the column is missing."""
    if column not in ctx.frame.columns:
        return None
    numbers, values = coded(ctx.frame, column)
    return np.append(values, np.array([None], dtype=object))[numbers[rows]]


def consistent_with(ctx: Context) -> Checked:
    """Require of the rows that meet a condition what must then hold.

    Params: the condition ``where``, ``where_any`` (one of these is enough), ``exempt``, ``label``,
    ``given`` (filled columns), ``equals`` {column: number}; then one of ``filled`` (one of these
    columns), ``filled_all``, ``empty`` (a column) and ``forbid`` {column: codes}; or ``cases``, a
    list of {where, forbid}. ``column``: what to look at; ``by``: one finding per group of these
    columns, or per ``series``; ``only_with``: the table must have one of these columns.
    """
    p = ctx.params
    if "only_with" in p and not any(c in ctx.frame.columns for c in p["only_with"]):
        return Checked(0)
    asked = _asked(ctx)
    found: list[Violation] = []
    single: list[Breaches] = []
    checked = 0
    for case in p.get("cases", [p]):
        mine = asked & rows_where(ctx.frame, case["where"]) if "cases" in p else asked
        checked += int(mine.sum())
        off, column = _broken(ctx, case)
        column = str(p.get("column", column))
        rows = np.flatnonzero(mine & off)
        if "by" in p:
            by = ctx.series_key() if p["by"] == "series" else list(p["by"])
            for members in by_group(group_ids(ctx.frame, by), rows):
                shared = len(members) > 1
                found.append(Violation(members, column, shared=shared, details={"n": len(members)}))
            continue
        single.append(Breaches(rows, column, found=_held(ctx, column, rows)))
    return Checked(checked, found if "by" in p else Breaches.joined(single))


def within_columns(ctx: Context) -> Checked:
    """Require that a value lies between two others of its row, and that these are in order.

    Params: ``column``, ``low``, ``high``; a bound whose column or cell is missing is open.
    """
    column, low, high = (str(ctx.params[k]) for k in ("column", "low", "high"))
    if low not in ctx.frame.columns and high not in ctx.frame.columns:
        return Checked(0)
    value = ctx.values(column)
    lower, upper = (
        floats(ctx.frame, c) if c in ctx.frame.columns else np.full(len(value), np.nan)
        for c in (low, high)
    )
    rows = np.flatnonzero((lower > upper) | (value < lower) | (value > upper))
    slack = NOISE * np.abs(value[rows])
    if column == "OBS_VALUE":
        slack = tolerance_of(
            ctx.tolerance, printed_units(ctx.frame), exact(ctx.frame), 0.0, np.abs(value)
        )[rows]
    crossed, under = lower[rows] > upper[rows], value[rows] < lower[rows] - slack
    off = crossed | under | (value[rows] > upper[rows] + slack)
    rows, under = rows[off], under[off]
    breaches = Breaches(
        rows,
        column,
        found=value[rows],
        expected=np.where(under, lower[rows], upper[rows]),
        details={"lower": lower[rows], "upper": upper[rows]},
    )
    return Checked(int((np.isfinite(lower) | np.isfinite(upper)).sum()), breaches)


def member_order(ctx: Context) -> Checked:
    """Require that the members of a dimension do not exceed the next one of a given order.

    Params: ``dimension``, ``order`` (from the least to the greatest; absent members are passed
    over), ``last_only`` (compare the greatest of the earlier ones with the last one alone),
    ``factor`` (of the greater one that may be reached), ``unless`` (members whose presence makes
    the comparison another rule's matter), ``where``.
    """
    p = ctx.params
    dimension, order = str(p["dimension"]), [str(m) for m in p["order"]]
    frame, values = ctx.frame, ctx.values()
    member = codes(frame, dimension, "")
    multiplier = (
        np.nan_to_num(floats(frame, "UNIT_MULT"), nan=0.0)
        if "UNIT_MULT" in frame.columns
        else np.zeros(len(frame))
    )
    ids = group_ids(frame, ctx.peers_key(dimension, "SOURCE", "UNIT_MULT"))
    known = selected(ctx) & np.isfinite(values)
    others = np.isin(member, [str(m) for m in p.get("unless", [])]) & known
    at = spread(ids, member, order, known & ~np.isin(ids, ids[others]))
    pairs = _last_pairs(at, values * 10.0**multiplier) if p.get("last_only") else _next_pairs(at)
    low, high = pairs[:, 0], pairs[:, 1]
    # Both figures in the unit of the first one.
    to_low = 10.0 ** (multiplier[high] - multiplier[low])
    limit = values[high] * to_low * float(p.get("factor", 1.0))
    units = printed_units(frame)
    slack = tolerance_of(
        ctx.tolerance, np.maximum(units[low], units[high] * to_low),
        exact(frame)[low] & exact(frame)[high], 1.0, limit,
    )  # fmt: skip
    found = [
        Violation(
            (int(low[i]), int(high[i])), found=float(values[low[i]]), expected=float(limit[i]),
            difference=float(values[low[i]] - limit[i]), tolerance=float(slack[i]),
            details={"stage": str(member[low[i]]), "ceiling": str(member[high[i]])},
        )
        for i in np.flatnonzero(values[low] > limit + slack).tolist()
    ]  # fmt: skip
    return Checked(len(pairs), found)


def _next_pairs(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of neighbours in the order, absent members passed over."""
    before = np.full(len(at), NOWHERE, dtype=np.int64)
    pairs = []
    for column in at.T:
        both = (before != NOWHERE) & (column != NOWHERE)
        pairs.append(np.column_stack([before[both], column[both]]))
        before = np.where(column == NOWHERE, before, column)
    return np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)


def _last_pairs(at: NDArray[np.int64], amounts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return, per group, the greatest of the earlier members with the last one."""
    earlier, last = at[:, :-1], at[:, -1]
    of = np.where(earlier == NOWHERE, -np.inf, amounts[earlier] if len(amounts) else -np.inf)
    both = (last != NOWHERE) & (earlier != NOWHERE).any(axis=1)
    first = earlier[np.arange(len(at)), of.argmax(axis=1)] if len(at) else last
    return np.column_stack([first[both], last[both]])


def pair_closes(ctx: Context) -> Checked:
    """Require that the shares of women and of men add to a whole; one alone is no matter.

    Params: ``total``, ``optional`` (further members that count where printed), ``where``,
    ``exempt``. In a table that has ``CLOSES_OVER`` a share must say that it closes over the sexes:
    the share of women who … and that of men who … are two wholes.
    """
    members = ["F", "M", *ctx.params.get("optional", [])]
    values = ctx.values()
    keep = selected(ctx) & np.isfinite(values)
    if any(f.name == _OVER for f in schema(ctx.table).fields):
        keep &= among(ctx.frame, _OVER, ["SEX"])
    at = spread(pair_ids(ctx), codes(ctx.frame, "SEX"), members, keep)
    at = at[(at[:, :2] != NOWHERE).all(axis=1)]
    added = np.where(at == NOWHERE, 0.0, values[at] if len(values) else 0.0).sum(axis=1)
    total = float(ctx.params["total"])
    allowed = float(ctx.tolerance or 0.0)
    off = np.flatnonzero(np.abs(added - total) > allowed + NOISE * total)
    found = [
        Violation(
            tuple(r for r in at[i].tolist() if r != NOWHERE), found=float(added[i]),
            expected=total, difference=float(added[i] - total), tolerance=allowed, shared=True,
        )
        for i in off.tolist()
    ]  # fmt: skip
    return Checked(len(at), found)


def period_order(ctx: Context) -> Checked:
    """Require that a series' last target is not of an earlier year than its last realised value.

    Params: ``ahead`` (codes of ``VALUE_KIND`` that look forward).
    """
    kind, year = codes(ctx.frame, "VALUE_KIND", ""), years(ctx.frame)
    series = group_ids(ctx.frame, ctx.series_key())
    given = ctx.given() & np.isfinite(year)
    last: dict[str, dict[int, int]] = {}
    for side, members in (("ahead", list(ctx.params["ahead"])), ("done", ["REALISED"])):
        rows = np.flatnonzero(given & np.isin(kind, members))
        # The last one of equal years stays: rows are walked in the order of their years.
        rows = rows[np.argsort(year[rows], kind="stable")]
        last[side] = dict(zip(series[rows].tolist(), rows.tolist(), strict=True))
    found = []
    both = [s for s in last["ahead"] if s in last["done"]]
    for which in both:
        target, done = last["ahead"][which], last["done"][which]
        if year[target] < year[done]:
            found.append(
                Violation(
                    (target, done), "TIME_PERIOD", found=str(int(year[target])),
                    expected=str(int(year[done])), difference=float(year[target] - year[done]),
                )
            )  # fmt: skip
    return Checked(len(both), found)


def percent_mixed(ctx: Context) -> Checked:
    """Find a fraction of 1 among percentages: times 100 it is what its neighbours are.

    Params: ``where``; ``least`` (what the neighbours' median is at least, so that true small
    percentages stay), ``factor`` (how far from it the value times 100 may lie).
    """
    values = ctx.values()
    keep = selected(ctx) & np.isfinite(values)
    ids = group_ids(ctx.frame, [*ctx.series_key("SOURCE"), "UNIT_MEASURE"])
    least, factor = float(ctx.params["least"]), float(ctx.params["factor"])
    small = keep & (values > 0) & (values <= 1)
    found = []
    large = np.flatnonzero(keep & (values > 1) & np.isin(ids, ids[small]))
    around = {
        int(ids[rows[0]]): (float(np.median(values[list(rows)])), rows)
        for rows in by_group(ids, large)
    }
    for row in np.flatnonzero(small).tolist():
        median, rows = around.get(int(ids[row]), (0.0, ()))
        percent = float(values[row]) * 100.0
        if median >= least and median / factor <= percent <= median * factor:
            found.append(
                Violation(
                    (row, *rows), found=float(values[row]), expected=percent,
                    difference=float(values[row]) - percent, suggestion=f"{percent:g}",
                )
            )  # fmt: skip
    return Checked(int(keep.sum()), found)
