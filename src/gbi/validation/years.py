"""Operators between this year's table and last year's: what was announced, said and named before.

A row of last year has no address in this submission; what it held goes into the details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.resources import suggest
from gbi.schemas import schema
from gbi.validation.context import (
    NOWHERE,
    Checked,
    Violation,
    codes,
    floats,
    plain,
    rows_where,
    selected,
)
from gbi.validation.matching import (
    folded,
    half_units,
    joined,
    key_words,
    members,
    multiplier,
    noise,
    positions_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbi.validation.context import Context

EXPLAINED = ("B", "D")  # break in the series, definition differs
_POWERS = (3.0, -3.0, 6.0, -6.0)
_SHOWN = 5


def explained(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which rows give a reason for a change: a status, or a comment."""
    out = np.isin(codes(frame, "OBS_STATUS", "").astype(str), EXPLAINED)
    return np.asarray(out | (folded(frame, "COMMENT") != ""))


def thousandfold(
    now: NDArray[np.float64], then: NDArray[np.float64], within: float
) -> NDArray[np.bool_]:
    """Say where two figures differ by 10³ or 10⁶, their logarithms being so near to it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log10(now / then)
    near = [np.abs(ratio - power) <= within for power in _POWERS]
    return np.asarray(np.any(near, axis=0) & (now > 0) & (then > 0), dtype=bool)


def last_year(ctx: Context) -> pd.DataFrame | None:
    """Return last year's rows of the same table, if there are any."""
    then = ctx.previous.get(ctx.table)
    return None if then is None or then.empty or ctx.frame.empty else then


def series_columns(table: str, *aside: str) -> list[str]:
    """Return the columns that make a series of a table."""
    return [c for c in schema(table).key if c not in ("TIME_PERIOD", "VALUE_KIND", *aside)]


def restated(ctx: Context) -> Checked:
    """Find figures that differ from what last year's file gave for the same period.

    Beyond the rounding of either print, without a status or comment that says so. A figure that
    was provisional may change; one that is a thousand times the other is the unit's matter.
    Params: ``where``; ``provisional``: codes of ``OBS_STATUS`` of figures that may change.
    """
    then = last_year(ctx)
    if then is None or "OBS_VALUE" not in then.columns:
        return Checked(0)
    key = schema(ctx.table).key
    values, before = ctx.values() * multiplier(ctx.frame), floats(then, "OBS_VALUE")
    before = before * multiplier(then)
    firm = ~np.isin(codes(then, "OBS_STATUS", "A").astype(str), ctx.params["provisional"])
    at = positions_of(key_words(ctx.frame, key), key_words(then, key), np.isfinite(before) & firm)
    rows = np.flatnonzero(selected(ctx) & np.isfinite(values) & (at != NOWHERE))
    was = at[rows]
    same_unit = folded(ctx.frame, "UNIT_MEASURE")[rows] == folded(then, "UNIT_MEASURE")[was]
    slack = np.maximum(half_units(ctx.frame)[rows], half_units(then)[was])
    slack = slack + noise(values[rows], before[was])
    difference = values[rows] - before[was]
    off = (np.abs(difference) > slack) & same_unit & ~explained(ctx.frame)[rows]
    off &= ~thousandfold(values[rows], before[was], 0.005)
    unit = multiplier(ctx.frame)[rows]
    period = codes(ctx.frame, "TIME_PERIOD", "")
    found = [
        Violation(
            (int(rows[i]),), found=float(values[rows[i]] / unit[i]),
            expected=float(before[was[i]] / unit[i]), difference=float(difference[i] / unit[i]),
            tolerance=float(slack[i] / unit[i]),
            details={"before": float(before[was[i]] / unit[i]), "period": str(period[rows[i]])},
        )
        for i in np.flatnonzero(off).tolist()
    ]  # fmt: skip
    return Checked(len(rows), found)


def label_drift(ctx: Context) -> Checked:
    """Find codes that bear another label than before: last year, or in another row of the file.

    Params: ``levels``: columns with a code whose label stands in ``<column>_LABEL``, each with
    the columns inside which the code holds.
    """
    found, checked = [], 0
    then = ctx.previous.get(ctx.table)
    for level, within in ctx.params["levels"].items():
        label = f"{level}_LABEL"
        if not {level, label} <= set(ctx.frame.columns):
            continue
        code, name = key_words(ctx.frame, [*within, level]), folded(ctx.frame, label)
        both = (folded(ctx.frame, level) != "") & (name != "")
        rows = np.flatnonzero(both)
        checked += len(rows)
        parts = [pd.DataFrame({"code": code[rows], "name": name[rows], "row": rows, "then": 0})]
        if then is not None and {level, label} <= set(then.columns):
            old = pd.DataFrame(
                {"code": key_words(then, [*within, level]), "name": folded(then, label),
                 "row": np.arange(len(then)), "then": 1}
            )  # fmt: skip
            parts.append(old[(folded(then, level) != "") & (old["name"] != "").to_numpy()])
        names = pd.concat(parts, ignore_index=True).drop_duplicates(["code", "name", "then"])
        several = names.groupby("code", sort=False)["name"].transform("nunique") > 1
        for _, group in names[several].groupby("code", sort=False):
            here = group[group["then"] == 0]
            if len(here):
                found.append(_drift(ctx, then, label, here, group[group["then"] == 1]))
    return Checked(checked, found)


def _drift(
    ctx: Context, then: pd.DataFrame | None, label: str, here: pd.DataFrame, old: pd.DataFrame
) -> Violation:
    if len(old) and then is not None:
        before = str(then[label].iloc[int(old["row"].iloc[0])])
        # Last year's name may still stand in some rows: the others are the ones to look at.
        here = pd.concat([here[here["name"] != old["name"].iloc[0]], here]).drop_duplicates("row")
    else:
        before = str(ctx.frame[label].iloc[int(here["row"].iloc[0])])
        here = here.iloc[::-1]
    rows = tuple(int(r) for r in here["row"])
    return Violation(
        rows, label, found=str(ctx.frame[label].iloc[rows[0]]), expected=before, shared=True,
        details={"own_code": str(plain(ctx.frame[label.removesuffix("_LABEL")].iloc[rows[0]]))},
    )  # fmt: skip


def series_dropped(ctx: Context) -> Checked:
    """Find series of last year's file that this year's no longer has, per group of rows.

    Params: ``within``: columns of a group; a finding stands at its first row here. ``name``: the
    column that names a series. A group of which nothing is left is found too, at the table's
    first row.
    """
    then = last_year(ctx)
    if then is None:
        return Checked(0)
    columns = series_columns(ctx.table, "SOURCE")
    mine, before = key_words(ctx.frame, columns), key_words(then, columns)
    gone = ~pd.Series(before).isin(set(mine)).to_numpy()
    new = ~pd.Series(mine).isin(set(before)).to_numpy()
    group, groups = (key_words(f, ctx.params["within"]) for f in (ctx.frame, then))
    first = {name: i for i, name in reversed(list(enumerate(group.tolist())))}
    name = ctx.params["name"]
    found = []
    for rows in members(groups, gone):
        label = groups[rows[0]]
        names = list(dict.fromkeys(_name(then, r, name) for r in rows))
        fresh = np.flatnonzero(new & (group == label)).tolist()
        near = suggest(names[0], list(dict.fromkeys(_name(ctx.frame, r, name) for r in fresh)))
        found.append(
            Violation(
                (first.get(label, 0),), name, found="; ".join(names[:_SHOWN]), suggestion=near,
                details={"n": len(set(before[rows]))},
            )
        )  # fmt: skip
    return Checked(len(set(before)), found)


def _name(frame: pd.DataFrame, row: int, column: str) -> str:
    """Return how a series is named in a message: its own label, and the part of it."""
    parts = [plain(frame[c].iloc[row]) for c in (column, f"SUB_{column}") if c in frame.columns]
    return " – ".join(str(p) for p in parts if p is not None)


def attribute_changed(ctx: Context) -> Checked:
    """Find series of which an attribute is another than in last year's file.

    Params: ``column``; ``unless_table``: where this table is there, it is the one to look at.
    """
    p, then = ctx.params, last_year(ctx)
    column = p["column"]
    if then is None or column not in ctx.frame.columns or column not in then.columns:
        return Checked(0)
    if p.get("unless_table") not in (None, ctx.table) and p["unless_table"] in ctx.others:
        return Checked(0)
    columns = series_columns(ctx.table, "SOURCE")
    mine, before = key_words(ctx.frame, columns), key_words(then, columns)
    here, there = folded(ctx.frame, column), folded(then, column)
    one = there != ""
    one &= ~pd.Series(before).where(one).duplicated().to_numpy()
    at = positions_of(mine, before, one)
    both = (at != NOWHERE) & (here != "")
    off = both & (here != there[at]) & ~explained(ctx.frame)
    found = [
        Violation(
            tuple(rows), column, found=str(plain(ctx.frame[column].iloc[rows[0]])),
            expected=str(plain(then[column].iloc[int(at[rows[0]])])), shared=True,
        )
        for rows in members(mine, off)
    ]  # fmt: skip
    return Checked(int(both.sum()), found)


def line_shift(ctx: Context) -> Checked:
    """Find budget lines whose credits are many times what they were a year before.

    Same stage and type of credit; of a line split by nature, the total. Params: ``factor``.
    """
    then = last_year(ctx)
    if then is None or "OBS_VALUE" not in then.columns:
        return Checked(0)
    line = [c for c in schema(ctx.table).key if c not in ("TIME_PERIOD", "ECON_NATURE")]
    mine = joined(
        [key_words(ctx.frame, line), folded(ctx.frame, "ECON_NATURE"), folded(ctx.frame, "YEAR")],
        len(ctx.frame),
    )
    year = folded(then, "YEAR")
    following = np.array([str(int(y) + 1) if y.isdigit() else "" for y in year], dtype=object)
    before = joined([key_words(then, line), folded(then, "ECON_NATURE"), following], len(then))
    whole = rows_where(ctx.frame, {"ECON_NATURE": ["_T"]})
    lines = key_words(ctx.frame, [*line, "TIME_PERIOD"])
    upper = whole | ~pd.Series(lines).isin(set(lines[whole])).to_numpy()
    values = ctx.values() * multiplier(ctx.frame)
    was = floats(then, "OBS_VALUE") * multiplier(then)
    at = positions_of(mine, before, np.isfinite(was) & (was > 0))
    rows = np.flatnonzero(upper & (values > 0) & (at != NOWHERE))
    old = was[at[rows]]
    factor = float(ctx.params["factor"])
    ratio = values[rows] / old
    off = (np.maximum(ratio, 1.0 / ratio) > factor) & ~explained(ctx.frame)[rows]
    off &= ~thousandfold(values[rows], old, 0.25)
    unit = multiplier(ctx.frame)[rows]
    found = [
        Violation(
            (int(rows[i]),), found=float(values[rows[i]] / unit[i]),
            expected=float(old[i] / unit[i]),
            difference=float((values[rows[i]] - old[i]) / unit[i]),
            details={"factor": round(float(ratio[i]), 2)},
        )
        for i in np.flatnonzero(off).tolist()
    ]  # fmt: skip
    return Checked(len(rows), found)
