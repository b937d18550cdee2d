"""Operators on the substance of gender budgeting: splits, gaps, methods and evidence.

They look at what a chain says with its words and its rows together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.validation.context import (
    NOWHERE,
    Checked,
    Violation,
    codes,
    exact,
    group_ids,
    printed_units,
    rows_where,
    selected,
    tolerance_of,
)
from gbi.validation.labels import (
    by_group,
    concerned,
    pair_ids,
    says,
    spread,
    texts,
    years,
)
from gbi.validation.relations import REALISED, TARGET

if TYPE_CHECKING:
    from gbi.validation.context import Context

_INDICATOR = ("DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR")


def group_lacks(ctx: Context) -> Checked:
    """Require in a group of rows one that carries what the group promises.

    Params: ``by`` (the group's columns), what makes a group concerned: ``where``, ``exempt``,
    ``text``, ``label``, ``label_not``; what it then needs in any row: ``met`` {column: codes}, or
    ``met_label`` (a pattern of the row's own title), or the same ``pair`` as such a row.
    """
    p, frame = ctx.params, ctx.frame
    ids = group_ids(frame, p["by"])
    mine = concerned(ctx)
    has = rows_where(frame, p["met"])
    if "met_label" in p:
        has |= says(texts(frame, "own"), str(p["met_label"]))
    met = np.isin(ids, ids[has])
    pair = p.get("pair", "")
    if pair in frame.columns:
        given = frame[pair].notna().to_numpy(dtype=bool)
        pairs = group_ids(frame, [c for c in ("DEPARTMENT", pair) if c in frame.columns])
        met |= given & np.isin(pairs, pairs[has & given])
    column = str(p.get("column", p.get("text", "SEX")))
    words = texts(frame, str(p.get("text", "own")))
    found = [
        Violation(rows, column, found=str(words[rows[0]]) or None, shared=len(rows) > 1)
        for rows in by_group(ids, np.flatnonzero(mine & ~met))
    ]
    return Checked(len(np.unique(ids[mine])), found)


def only_member(ctx: Context) -> Checked:
    """Report a group all of whose rows have one and the same code.

    Params: ``by`` (the group), ``where`` (the rows that count), ``column``, ``only`` (the code),
    ``least`` (series that a group has at least).
    """
    p, frame = ctx.params, ctx.frame
    if p["column"] not in frame.columns:
        return Checked(0)
    keep = selected(ctx)
    ids, series = group_ids(frame, p["by"]), group_ids(frame, ctx.series_key())
    other = keep & (codes(frame, p["column"], "") != p["only"])
    rows = np.flatnonzero(keep & ~np.isin(ids, ids[other]))
    found = []
    for members in by_group(ids, rows):
        n = len(np.unique(series[list(members)]))
        if n >= int(p["least"]):
            found.append(
                Violation(members, str(p["column"]), found=p["only"], shared=True, details={"n": n})
            )
    return Checked(len(np.unique(ids[keep])), found)


def text_says(ctx: Context) -> Checked:
    """Require that some text of a row says something, or report where it does.

    Params: ``where``, ``exempt``, ``label``, ``label_not``; ``columns`` (where the words may
    stand; ``own`` is the row's title), ``pattern``; ``wanted`` (true: report rows without it,
    false: rows with it), ``or_where`` {column: codes} (says the same); ``column`` (to look at),
    ``by`` (one finding per group of these columns; by default per series).
    """
    p, frame = ctx.params, ctx.frame
    mine = concerned(ctx)
    said = np.zeros(len(frame), dtype=bool)
    for column in p["columns"]:
        said |= says(texts(frame, str(column)), str(p["pattern"]))
    if "or_where" in p:
        said |= rows_where(frame, p["or_where"])
    off = mine & (~said if p["wanted"] else said)
    by = group_ids(frame, p["by"]) if "by" in p else group_ids(frame, ctx.series_key("SOURCE"))
    words = texts(frame, "own")
    found = []
    for rows in by_group(by, np.flatnonzero(off)):
        shown, n = str(words[rows[0]]) or None, len(rows)
        found.append(Violation(rows, str(p["column"]), found=shown, shared=n > 1, details={"n": n}))
    return Checked(int(mine.sum()), found)


def parent_unit(ctx: Context) -> Checked:
    """Require that a sub-indicator has the unit that its indicator has, or names in its title.

    Params: ``says`` {unit: pattern at the start of a title}. The indicator's own row comes first;
    where it has none, its title does, if it names one unit and not another. A sub-indicator whose
    own title names its unit openly is what differs.
    """
    frame = ctx.frame
    if "SUB_INDICATOR" not in frame.columns:
        return Checked(0)
    unit, sub = codes(frame, "UNIT_MEASURE", ""), codes(frame, "SUB_INDICATOR", "")
    ids = group_ids(frame, _INDICATOR)
    is_sub = (sub != "") & (unit != "")
    named = codes(frame, "INDICATOR", "")
    wanted = np.full(len(frame), "", dtype=object)
    for name, pattern in ctx.params["says"].items():
        wanted[says(named, str(pattern))] = str(name)
    parents = np.flatnonzero(~is_sub & (unit != "") & (named != ""))
    of = dict(zip(ids[parents].tolist(), parents.tolist(), strict=True))
    # Only units that the titles can name are compared: a mean or an index has its own words.
    known = list(ctx.params["says"])
    off = is_sub & np.isin(unit, known)
    has = np.isin(ids, ids[parents])
    parent = np.array([of.get(i, NOWHERE) for i in ids.tolist()], dtype=np.int64)
    expected = np.where(has, unit[parent] if len(parents) else "", wanted)
    off &= np.isin(expected.astype(str), known) & (expected != unit)
    # One finding per indicator and unit: what is said once is not said for every row.
    same = group_ids(frame, [*_INDICATOR, "UNIT_MEASURE"])
    found = []
    for rows in by_group(same, np.flatnonzero(off)):
        first = rows[0]
        parties = (*rows, int(parent[first])) if has[first] else rows
        found.append(
            Violation(
                parties, "UNIT_MEASURE", found=str(unit[first]), expected=str(expected[first]),
                shared=len(parties) > 1, details={"title": str(named[first])},
            )
        )  # fmt: skip
    return Checked(int(is_sub.sum()), found)


def gap_widens(ctx: Context) -> Checked:
    """Find targets of women and men that lie farther apart than the last realised values do.

    Params: ``where``. Both gaps are of printed figures: they may differ by the rounding of four.
    """
    frame, values = ctx.frame, ctx.values()
    kind, time = codes(frame, "VALUE_KIND", ""), codes(frame, "TIME_PERIOD", "")
    sex = codes(frame, "SEX")
    keep = selected(ctx) & np.isfinite(values)
    at = spread(pair_ids(ctx), sex, ("F", "M"), keep & np.isin(kind, (REALISED, TARGET)))
    at = at[(at != NOWHERE).all(axis=1)]
    series = group_ids(frame, ctx.series_key())
    last: dict[tuple[int, str], int] = {}
    for i in np.argsort(time[at[:, 0]].astype(str), kind="stable").tolist():
        last[int(series[at[i, 0]]), str(kind[at[i, 0]])] = i
    units, whole = printed_units(frame), exact(frame)
    found = []
    checked = 0
    for (which, what), i in last.items():
        j = last.get((which, REALISED))
        if what != TARGET or j is None:
            continue
        checked += 1
        rows = np.array([*at[i], *at[j]])
        new, old = (abs(float(values[f] - values[m])) for f, m in (at[i], at[j]))
        slack = tolerance_of(
            ctx.tolerance, units[rows].max(keepdims=True), whole[rows].all(keepdims=True),
            3.0, np.array([new]),
        )[0]  # fmt: skip
        if new > old + slack:
            found.append(
                Violation(
                    tuple(rows.tolist()), found=new, expected=old, difference=new - old,
                    tolerance=float(slack), shared=True,
                    details={
                        "women": float(values[at[i, 0]]), "men": float(values[at[i, 1]]),
                        "women_before": float(values[at[j, 0]]),
                        "men_before": float(values[at[j, 1]]), "period": str(time[at[i, 0]]),
                    },
                )
            )  # fmt: skip
    return Checked(checked, found)


def stale_series(ctx: Context) -> Checked:
    """Find a series whose last realised value is older than the table's own years allow.

    Params: ``years``: how far it may not lie behind the table's latest realised year.
    """
    year = years(ctx.frame)
    done = ctx.given() & np.isfinite(year)
    if "VALUE_KIND" in ctx.frame.columns:
        done &= codes(ctx.frame, "VALUE_KIND", "") == REALISED
    rows = np.flatnonzero(done)
    if not len(rows):
        return Checked(0)
    latest = float(year[rows].max())
    series = group_ids(ctx.frame, ctx.series_key("SOURCE"))
    by = pd.Series(year[rows], index=rows).groupby(series[rows], sort=False)
    last = np.sort(by.idxmax().to_numpy(dtype=np.int64))
    found = [
        Violation(
            (row,), "TIME_PERIOD", found=str(int(year[row])), expected=str(int(latest)),
            difference=float(year[row]) - latest,
        )
        for row in last[year[last] <= latest - float(ctx.params["years"])].tolist()
    ]  # fmt: skip
    return Checked(len(last), found)


def stale_evidence(ctx: Context) -> Checked:
    """Find evidence that names only years too old for what it is to prove.

    Params: ``where``, ``columns`` (where the evidence is named), ``years`` (its greatest age),
    ``column`` (to look at). Text that names no year up to the row's own says nothing of its age.
    """
    own = years(ctx.frame)
    newest = np.full(len(ctx.frame), -np.inf)
    for column in ctx.params["columns"]:
        text = pd.Series(texts(ctx.frame, str(column))).astype("str")
        named = text.str.extractall(r"(?<!\d)((?:19|20)\d{2})(?!\d)")[0].astype("float64")
        at = named.index.get_level_values(0).to_numpy(dtype=np.int64)
        past = named.to_numpy() <= own[at]
        np.maximum.at(newest, at[past], named.to_numpy()[past])
    keep = selected(ctx) & np.isfinite(newest) & np.isfinite(own)
    limit = own - float(ctx.params["years"])
    found = [
        Violation(
            (row,), str(ctx.params["column"]), found=str(int(newest[row])),
            expected=str(int(limit[row])), difference=float(newest[row] - limit[row]),
        )
        for row in np.flatnonzero(keep & (newest < limit)).tolist()
    ]  # fmt: skip
    return Checked(int(keep.sum()), found)
