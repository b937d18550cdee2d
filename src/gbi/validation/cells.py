"""Operators on cells, rows and keys: what must be there, once, and within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.resources import suggest
from gbi.validation.context import (
    NOISE,
    Checked,
    Violation,
    codes,
    floats,
    group_ids,
    plain,
    selected,
)

if TYPE_CHECKING:
    import pandas as pd

    from gbi.validation.context import Context


def _sources(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    return [c for c in columns if c in frame.columns]


def required(ctx: Context) -> Checked:
    """Require a value in the listed columns, or in those that the schema requires.

    Params: ``columns`` (default: the schema's required ones), ``unless`` {column: other} (a gap
    beside a filled other column is another rule's matter), ``reason_column`` (a missing
    ``OBS_VALUE`` is fine where this column says why), ``once_per_series``.
    """
    wanted = tuple(ctx.params.get("columns", ctx.required))
    unless = ctx.params.get("unless", {})
    keep = selected(ctx)
    once = bool(ctx.params.get("once_per_series"))
    series = group_ids(ctx.frame, ctx.series_key()) if once else None
    found: list[Violation] = []
    for column in _sources(ctx.frame, wanted):
        gap = keep & ~ctx.given(column)
        if column in unless and unless[column] in ctx.frame.columns:
            gap &= ~ctx.given(unless[column])
        reason = ctx.params.get("reason_column")
        if column == "OBS_VALUE" and reason in ctx.frame.columns:
            gap &= np.isin(codes(ctx.frame, str(reason), "A"), ["A"])
        rows = np.flatnonzero(gap)
        if series is not None and len(rows):
            for members in _by(series[rows], rows):
                found.append(Violation(tuple(members), column))
        else:
            found += [Violation((int(r),), column) for r in rows]
    absent = tuple(c for c in wanted if c not in ctx.frame.columns)
    checked = int(keep.sum()) if series is None else len(np.unique(series[keep]))
    return Checked(checked, found, absent)


def _by(ids: np.ndarray, rows: np.ndarray) -> list[list[int]]:
    """Return the rows of every id, ids in the order in which they first appear."""
    groups: dict[int, list[int]] = {}
    for i, row in zip(ids.tolist(), rows.tolist(), strict=True):
        groups.setdefault(i, []).append(row)
    return list(groups.values())


def unique_key(ctx: Context) -> Checked:
    """Require that no two rows share their whole key; all members of a group are parties.

    Params: ``key`` (default: the schema's).
    """
    key = [c for c in ctx.params.get("key", ctx.key) if c in ctx.frame.columns]
    ids = group_ids(ctx.frame, key)
    repeated = np.flatnonzero(np.bincount(ids)[ids] > 1) if len(ids) else np.array([], dtype=int)
    first = next((c for c in ("OBS_VALUE", *key) if c in ctx.frame.columns), "OBS_VALUE")
    found = [
        Violation(tuple(rows), first, found=len(rows), expected=1, difference=float(len(rows) - 1))
        for rows in _by(ids[repeated], repeated)
    ]
    return Checked(len(ctx.frame), found)


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

    Params: ``column``, ``min``, ``max``, or ``by_unit`` {unit: {min, max}}; ``where``, ``exempt``.
    """
    column = ctx.params["column"]
    values = ctx.values(column)
    low = np.full(len(values), -np.inf)
    high = np.full(len(values), np.inf)
    keep = selected(ctx) & np.isfinite(values)
    by_unit = ctx.params.get("by_unit")
    if by_unit is None:
        low[:], high[:] = ctx.params.get("min", -np.inf), ctx.params.get("max", np.inf)
    else:
        unit = codes(ctx.frame, "UNIT_MEASURE", "")
        keep &= np.isin(unit, list(by_unit))
        for name, bounds in by_unit.items():
            low[unit == name] = bounds.get("min", -np.inf)
            high[unit == name] = bounds.get("max", np.inf)
    slack = NOISE * np.abs(np.nan_to_num(values))
    below, above = keep & (values < low - slack), keep & (values > high + slack)
    found = []
    for row in np.flatnonzero(below | above).tolist():
        bound = float(low[row] if below[row] else high[row])
        value = float(values[row])
        found.append(
            Violation((row,), column, found=value, expected=bound, difference=value - bound)
        )
    return Checked(int(keep.sum()), found)


def integer(ctx: Context) -> Checked:
    """Require whole numbers once the multiplier of the unit is applied.

    Params: ``column``, ``where``.
    """
    column = ctx.params["column"]
    values = ctx.values(column)
    multiplier = (
        np.nan_to_num(floats(ctx.frame, "UNIT_MULT"), nan=0.0)
        if "UNIT_MULT" in ctx.frame.columns
        else np.zeros(len(values))
    )
    keep = selected(ctx) & np.isfinite(values)
    whole = np.where(keep, values, 0.0) * 10.0**multiplier
    off = np.abs(whole - np.round(whole)) > NOISE * np.maximum(1.0, np.abs(whole))
    found = [
        Violation(
            (row,),
            column,
            found=float(values[row]),
            expected=float(np.round(values[row])),
            difference=float(values[row] - np.round(values[row])),
        )
        for row in np.flatnonzero(keep & off).tolist()
    ]
    return Checked(int(keep.sum()), found)


def one_of(ctx: Context) -> Checked:
    """Require codes of a list, which may depend on another column.

    Params: ``columns``, and ``values`` or ``by`` (a column) with ``values_by`` {its code: list}.
    """
    found: list[Violation] = []
    checked = 0
    for column in _sources(ctx.frame, tuple(ctx.params["columns"])):
        cell = codes(ctx.frame, column, "")
        given = ctx.given(column)
        lists = ctx.params.get("values_by")
        by = codes(ctx.frame, ctx.params["by"], "") if lists else np.full(len(cell), "")
        for group, allowed in (lists or {"": ctx.params.get("values", [])}).items():
            mine = given & (by == group)
            checked += int(mine.sum())
            for row in np.flatnonzero(mine & ~np.isin(cell, list(allowed))).tolist():
                word = str(cell[row])
                found.append(
                    Violation(
                        (row,),
                        column,
                        found=word,
                        expected=", ".join(allowed),
                        suggestion=suggest(word, list(allowed)),
                    )
                )
    return Checked(checked, found)
