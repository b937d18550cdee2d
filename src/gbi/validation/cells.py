"""Operators on cells, rows and keys: what must be there, once, and within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.resources import suggest
from gbi.validation.context import (
    NOISE,
    Breaches,
    Checked,
    Violation,
    among,
    floats,
    group_ids,
    plain,
    rows_where,
)
from gbi.validation.labels import concerned as selected

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from gbi.validation.context import Context


def _sources(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    return [c for c in columns if c in frame.columns]


def required(ctx: Context) -> Checked:
    """Require a value in the listed columns, or in those that the schema requires.

    Params: ``columns`` (default: the schema's required ones), ``unless`` {column: other} (a gap
    beside a filled other column is another rule's matter), ``left_out`` {column: {other: codes}}
    (so is a gap in such a row), ``reason_column`` (a missing ``OBS_VALUE`` is fine where this
    column says why), ``once_per_series``.
    """
    wanted = tuple(ctx.params.get("columns", ctx.required))
    unless = ctx.params.get("unless", {})
    keep = selected(ctx)
    once = bool(ctx.params.get("once_per_series"))
    series = group_ids(ctx.frame, ctx.series_key()) if once else None
    found: list[Violation] = []
    single: list[Breaches] = []
    for column in _sources(ctx.frame, wanted):
        gap = keep & ~ctx.given(column)
        if column in unless and unless[column] in ctx.frame.columns:
            gap &= ~ctx.given(unless[column])
        if column in ctx.params.get("left_out", {}):
            gap &= ~rows_where(ctx.frame, ctx.params["left_out"][column])
        reason = ctx.params.get("reason_column")
        if column == "OBS_VALUE" and reason in ctx.frame.columns:
            gap &= among(ctx.frame, str(reason), ["A"], "A")
        rows = np.flatnonzero(gap)
        if series is None:
            single.append(Breaches(rows, column))
        else:
            found += [Violation(tuple(members), column) for members in _by(series[rows], rows)]
    absent = tuple(c for c in wanted if c not in ctx.frame.columns)
    if series is None:
        return Checked(int(keep.sum()), Breaches.joined(single), absent)
    return Checked(len(np.unique(series[keep])), found, absent)


def _by(ids: np.ndarray, rows: np.ndarray) -> list[list[int]]:
    """Return the rows of every id, ids in the order in which they first appear."""
    groups: dict[int, list[int]] = {}
    for i, row in zip(ids.tolist(), rows.tolist(), strict=True):
        groups.setdefault(i, []).append(row)
    return list(groups.values())


def unique_key(ctx: Context) -> Checked:
    """Require that no two rows share their whole key; all members of a group are parties.

    Params: ``key`` (default: the schema's), ``given`` (a column that names the row: without it,
    or where it is empty, there is nothing to compare).
    """
    named = ctx.params.get("given")
    if named is not None and named not in ctx.frame.columns:
        return Checked(0)
    there = np.ones(len(ctx.frame), dtype=bool) if named is None else ctx.given(named)
    key = [c for c in ctx.params.get("key", ctx.key) if c in ctx.frame.columns]
    keys = ctx.frame[key]
    # Nearly all keys are there once: only the others are grouped.
    several = keys[there].duplicated(keep=False).to_numpy() if key else np.ones(there.sum(), bool)
    repeated = np.flatnonzero(there)[several]
    ids = group_ids(keys.iloc[repeated], key)
    first = next((c for c in ("OBS_VALUE", *key) if c in ctx.frame.columns), "OBS_VALUE")
    found = [
        Violation(tuple(rows), first, found=len(rows), expected=1, difference=float(len(rows) - 1))
        for rows in _by(ids, repeated)
        if len(rows) > 1
    ]
    return Checked(int(there.sum()), found)


def parent_exists(ctx: Context) -> Checked:
    """Require that a child label stands under a parent label of the same group.

    Params: ``child``, ``parent``, ``within`` (columns of the group). A parent that is missing, or
    that the group does not know although another group of the table has it with this child, is
    an orphan; the suggestion is the parent that the child has there.
    """
    child, parent = ctx.params["child"], ctx.params["parent"]
    if child not in ctx.frame.columns:
        return Checked(0)
    has_child = ctx.given(child)
    orphans = np.flatnonzero(has_child & ~ctx.given(parent))
    known = ctx.frame.loc[has_child & ctx.given(parent)]
    within = [c for c in ctx.params["within"] if c in ctx.frame.columns]
    found = []
    for row in orphans.tolist():
        label = plain(ctx.frame[child].iloc[row])
        same = known
        for column in within:
            same = same[same[column] == ctx.frame[column].iloc[row]]
        near = suggest(str(label), [str(v) for v in same[parent].unique()])
        found.append(Violation((row,), child, found=label, expected=None, suggestion=near))
    return Checked(int(has_child.sum()), found)


def within_bounds(ctx: Context) -> Checked:
    """Require values within bounds, which may differ by unit (operator ``range``).

    Params: ``column``, ``min``, ``max``, or ``by_unit`` {unit: {min, max}}; ``above`` (a bound that
    itself is out), ``gaps`` (a missing value is out too); ``where``, ``exempt``, ``label``. A
    column that the table lacks holds no value.
    """
    column = ctx.params["column"]
    if column not in ctx.frame.columns:
        return Checked(0)
    values = ctx.values(column)
    about = selected(ctx)
    keep = about & np.isfinite(values)
    low, high = _limits(ctx, len(values))
    by_unit = ctx.params.get("by_unit")
    if by_unit is not None:
        keep &= among(ctx.frame, "UNIT_MEASURE", by_unit)
    rows = np.flatnonzero(keep & ((values < low) | (values > high)))
    slack = NOISE * np.abs(values[rows])
    rows = rows[(values[rows] < low[rows] - slack) | (values[rows] > high[rows] + slack)]
    if "above" in ctx.params:
        low = np.broadcast_to(float(ctx.params["above"]), values.shape)
        rows = np.union1d(rows, np.flatnonzero(keep & (values <= low)))
    if ctx.params.get("gaps"):
        rows = np.union1d(rows, np.flatnonzero(about & ~ctx.given(column)))
    below = ~(values[rows] > low[rows])
    bound = np.where(below, low[rows], high[rows])
    return Checked(int(keep.sum()), Breaches(rows, column, found=values[rows], expected=bound))


def _limits(ctx: Context, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of every row; one pair for all takes no memory."""
    by_unit = ctx.params.get("by_unit")
    least, most = ctx.params.get("min", -np.inf), ctx.params.get("max", np.inf)
    if by_unit is None:
        return np.broadcast_to(np.float64(least), n), np.broadcast_to(np.float64(most), n)
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    for name, bounds in by_unit.items():
        mine = among(ctx.frame, "UNIT_MEASURE", [name])
        low[mine], high[mine] = bounds.get("min", -np.inf), bounds.get("max", np.inf)
    return low, high


def integer(ctx: Context) -> Checked:
    """Require whole numbers once the multiplier of the unit is applied.

    Params: ``column``, ``where``.
    """
    column = ctx.params["column"]
    values = ctx.values(column)
    keep = selected(ctx) & np.isfinite(values)
    whole = values
    if "UNIT_MULT" in ctx.frame.columns:
        whole = values * 10.0 ** np.nan_to_num(floats(ctx.frame, "UNIT_MULT"), nan=0.0)
    rows = np.flatnonzero(keep & (whole != np.rint(whole)))
    apart = np.abs(whole[rows] - np.rint(whole[rows]))
    rows = rows[apart > NOISE * np.maximum(1.0, np.abs(whole[rows]))]
    breaches = Breaches(rows, column, found=values[rows], expected=np.rint(values[rows]))
    return Checked(int(keep.sum()), breaches)


def one_of(ctx: Context) -> Checked:
    """Require codes of a list, which may depend on another column.

    Params: ``columns``, and ``values`` or ``by`` (a column) with ``values_by`` {its code: list}.
    """
    found: list[Breaches] = []
    checked = 0
    for column in _sources(ctx.frame, tuple(ctx.params["columns"])):
        given = ctx.given(column)
        lists = ctx.params.get("values_by")
        for group, allowed in (lists or {"": ctx.params.get("values", [])}).items():
            mine = given & among(ctx.frame, ctx.params["by"], [group], "") if lists else given
            checked += int(mine.sum())
            rows = np.flatnonzero(mine & ~among(ctx.frame, column, allowed))
            if not len(rows):
                continue
            words = ctx.frame[column].iloc[rows].to_numpy(dtype=object)
            near = {w: suggest(str(w), list(allowed)) for w in dict.fromkeys(words.tolist())}
            found.append(
                Breaches(
                    rows,
                    column,
                    found=words,
                    expected=", ".join(map(str, allowed)),
                    suggestion=np.array([near[w] for w in words.tolist()], dtype=object),
                )
            )
    return Checked(checked, Breaches.joined(found))


def column_type(ctx: Context) -> Checked:
    """Report the columns that hold something else than their type (a fault of the whole table)."""
    found = [
        Violation((), column, found=got, expected=expected)
        for column, (expected, got) in ctx.mistyped.items()
    ]
    return Checked(len(ctx.frame.columns) + len(found), found)
