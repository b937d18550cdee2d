"""Operators between the tables of one submission: what one names or counts, another does too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.resources import suggest
from gbi.validation.context import NOWHERE, Checked, Violation, codes, floats, plain, rows_where
from gbi.validation.matching import (
    Trails,
    folded,
    half_units,
    is_code,
    key_words,
    members,
    multiplier,
    name_of,
    noise,
    positions_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.validation.context import Context

_SHOWN = 5  # names that a message lists


def listed_elsewhere(ctx: Context) -> Checked:
    """Require that what a column names stands in another table of the submission.

    Params: ``table``; ``path``: the levels that lead to the name, the last one being looked up;
    ``within``: what both tables must share besides (``YEAR``, ``MINISTRY``); ``at``: the column
    at fault. A place of which the other table knows nothing at all (another year, a budget
    without programmes, codes here and labels there) is left alone. With ``both_ways``, names that
    stand in the other table alone are found too, where at least one of their neighbours matches.
    """
    p = ctx.params
    other = _where(ctx.others[p["table"]], p.get("other_where", {}))
    frame, keep = ctx.frame, rows_where(ctx.frame, p.get("where", {}))
    trails = Trails(frame, other.frame, _within(frame, other.frame, p["within"]), p["path"])
    mine, theirs = trails.items
    looked = trails.comparable & keep & (folded(frame, "YEAR") != "")
    met = pd.Series(mine).isin(set(theirs[trails.given[1]])).to_numpy()
    level = p["path"][-1]
    found = []
    for rows in members(mine, looked & ~met):
        near = _near(frame, rows[0], level, other.frame, trails.scopes, trails.given[1])
        found.append(
            Violation(
                tuple(rows), p.get("at", level), found=name_of(frame, rows[0], level),
                expected=", ".join(near[0]) or None, suggestion=near[1], shared=True,
                details={"period": str(folded(frame.iloc[rows[:1]], "YEAR")[0])},
            )
        )  # fmt: skip
    if p.get("both_ways"):
        found += _missing_here(ctx, trails, other, looked & met)
    return Checked(int(looked.sum()), found)


def _within(frame: pd.DataFrame, other: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return what both must share; a chain handed in with a budget is held to it as a whole.

    A chain of results is written for one year's budget, whatever years its values are of: those
    of the bill of year n end with targets of n or n − 1.
    """
    years, budget = ({int(y) for y in folded(f, "YEAR") if y.isdigit()} for f in (frame, other))
    if "VALUE_KIND" in frame.columns and years and budget & {max(years), max(years) + 1}:
        return [name for name in names if name != "YEAR"]
    return list(names)


class _Part:
    """The rows of a table that a rule is about, and where they stand in it."""

    def __init__(self, frame: pd.DataFrame, keep: NDArray[np.bool_]) -> None:
        self.rows = np.flatnonzero(keep)
        self.frame = frame.iloc[self.rows]


def _where(frame: pd.DataFrame, where: dict[str, list[str]]) -> _Part:
    return _Part(frame, rows_where(frame, where))


def _near(
    frame: pd.DataFrame,
    row: int,
    level: str,
    other: pd.DataFrame,
    scopes: Sequence[NDArray[np.object_]],
    given: NDArray[np.bool_],
) -> tuple[list[str], str | None]:
    """Return what the other table names at that place, and what of it is nearest to the word."""
    there = np.flatnonzero((scopes[1] == scopes[0][row]) & given)
    known = list(dict.fromkeys(name_of(other, int(r), level) for r in there))
    word = name_of(frame, row, level)
    # A budget code one digit off is another line: only words are corrected.
    return known[:_SHOWN], None if is_code(word) else suggest(word, known)


def _missing_here(
    ctx: Context, trails: Trails, other: _Part, met: NDArray[np.bool_]
) -> list[Violation]:
    level = ctx.params["path"][-1]
    begun = {
        scope: row
        for row, scope in reversed(list(enumerate(trails.scopes[0].tolist())))
        if met[row]
    }
    absent = trails.given[1] & ~pd.Series(trails.items[1]).isin(set(trails.items[0])).to_numpy()
    absent &= pd.Series(trails.scopes[1]).isin(begun).to_numpy()
    found = []
    for rows in members(trails.items[1], absent):
        name = name_of(other.frame, rows[0], level)
        found.append(
            Violation(
                (begun[trails.scopes[1][rows[0]]],), ctx.params.get("at", level), found=name,
                elsewhere=tuple((ctx.params["table"], int(other.rows[r])) for r in rows),
                details={"period": str(folded(other.frame.iloc[rows[:1]], "YEAR")[0])},
            )
        )  # fmt: skip
    return found


def totals_elsewhere(ctx: Context) -> Checked:
    """Require that the credits of a programme are the same as in another table.

    Compared within year, stage, type of credit, ministry and programme. A programme's own row is
    its figure; else its projects are added, if none of them lacks its figure. Params: ``table``.
    """
    table = ctx.params["table"]
    budget = ctx.others[table]
    there = rows_where(budget, {"BUDGET_COMPONENT": ["BG"]}) | ~np.array(
        ["BUDGET_COMPONENT" in budget.columns]
    )
    part = _Part(budget, there)
    if "BUDGET_STAGE" not in ctx.frame.columns:
        return Checked(0)  # without its stage a credit can't be told from another
    within = ["YEAR", "REF_AREA", "BUDGET_STAGE", "CREDIT_TYPE", "MINISTRY"]
    trails = Trails(ctx.frame, part.frame, within, ["PROGRAMME"])
    staged = ctx.frame["BUDGET_STAGE"].notna().to_numpy(dtype=bool)
    mine = _sums(ctx.frame, trails.items[0], trails.given[0] & staged)
    theirs = _sums(part.frame, trails.items[1], trails.given[1])
    found, checked = [], 0
    for item, (rows, value, slack) in mine.items():
        if item not in theirs:
            continue
        others, expected, other_slack = theirs[item]
        checked += 1
        allowed = slack + other_slack
        allowed += float(noise(np.array([value]), np.array([expected]))[0])
        if abs(value - expected) <= allowed:
            continue
        unit = float(multiplier(ctx.frame)[rows[0]])
        found.append(
            Violation(
                tuple(rows), found=value / unit, expected=expected / unit,
                difference=(value - expected) / unit, tolerance=allowed / unit, shared=True,
                elsewhere=tuple((table, int(part.rows[r])) for r in others),
                details={"programme": name_of(ctx.frame, rows[0], "PROGRAMME")},
            )
        )  # fmt: skip
    return Checked(checked, found)


_ADDENDS = {"OPERATING": ("PERSONNEL", "GOODS")}


def _sums(
    frame: pd.DataFrame, items: NDArray[np.object_], keep: NDArray[np.bool_]
) -> dict[str, tuple[list[int], float, float]]:
    """Return per item the rows that make up its figure, the figure, and how far rounding goes.

    Of a hierarchy printed at several levels the uppermost counts, so that nothing counts twice.
    """
    values = floats(frame, "OBS_VALUE") * multiplier(frame)
    half = half_units(frame)
    depth = np.zeros(len(frame))
    for column in ("PROJECT", "BUDGET_LINE"):
        for name in (column, f"{column}_LABEL"):
            if name in frame.columns:
                depth = np.maximum(depth, (folded(frame, name) != "") * (1 + (column != "PROJECT")))
    chapter = codes(frame, "CHAPTER_KIND")
    nature = codes(frame, "ECON_NATURE")
    out = {}
    for rows in members(items, keep):
        picked = np.array(rows)
        # A level whose figures are all missing says nothing: the next one below counts.
        stated = picked[np.isfinite(values[picked])]
        if not len(stated):
            continue
        picked = picked[depth[picked] == depth[stated].min()]
        chapters = [picked[chapter[picked] == name] for name in dict.fromkeys(chapter[picked])]
        picked = np.concatenate([_uppermost(part, nature) for part in chapters])
        total = float(values[picked].sum())
        if np.isfinite(total):
            out[str(items[rows[0]])] = (picked.tolist(), total, float(half[picked].sum()))
    return out


def _uppermost(rows: NDArray[np.int_], member: NDArray[np.object_]) -> NDArray[np.int_]:
    """Return the rows of the total, where it is printed; else those that are no part of another."""
    names = set(member[rows])
    if "_T" in names:
        return np.asarray(rows[member[rows] == "_T"])
    inner = [part for whole, parts in _ADDENDS.items() if whole in names for part in parts]
    return np.asarray(rows[~np.isin(member[rows].astype(str), inner)])


def attributes_elsewhere(ctx: Context) -> Checked:
    """Require that an attribute of a row is that of the row with the same key in another table.

    Params: ``table``, ``key``, ``columns``. Where either says nothing there is nothing to compare.
    """
    p = ctx.params
    other = ctx.others[p["table"]]
    mine, theirs = key_words(ctx.frame, p["key"]), key_words(other, p["key"])
    at = positions_of(mine, theirs, np.ones(len(other), dtype=bool))
    checked, found = 0, []
    for column in p["columns"]:
        if column not in ctx.frame.columns or column not in other.columns:
            continue
        here, there = folded(ctx.frame, column), folded(other, column)[at]
        both = (at != NOWHERE) & (here != "") & (there != "")
        checked += int(both.sum())
        for rows in members(mine, both & (here != there)):
            first, match = rows[0], int(at[rows[0]])
            found.append(
                Violation(
                    tuple(rows), column, found=str(plain(ctx.frame[column].iloc[first])),
                    expected=str(plain(other[column].iloc[match])), shared=True,
                    elsewhere=((p["table"], match),),
                )
            )  # fmt: skip
    return Checked(checked, found)


def key_elsewhere(ctx: Context) -> Checked:
    """Require that another table has a row with the same key.

    Params: ``table``, ``key``, ``at`` (the column at fault), ``given`` (a column that a row must
    fill to be looked at: what reading has looked up itself is reported by reading).
    """
    p = ctx.params
    other = ctx.others[p["table"]]
    mine, theirs = key_words(ctx.frame, p["key"]), key_words(other, p["key"])
    looked = folded(ctx.frame, p["given"]) != ""
    met = pd.Series(mine).isin(set(theirs)).to_numpy()
    known = list(dict.fromkeys(str(v) for v in codes(other, p["at"], "") if v))
    found = []
    for rows in members(mine, looked & ~met):
        name = name_of(ctx.frame, rows[0], p["at"])
        found.append(
            Violation(
                tuple(rows), p["at"], found=name, suggestion=suggest(name, known), shared=True
            )
        )
    return Checked(int(looked.sum()), found)


def values_elsewhere(ctx: Context) -> Checked:
    """Compare a figure with that of the same group, place and period in another table.

    Params: ``table``, ``key``, ``relation`` (``equal`` or ``at_most``), ``where`` and
    ``other_where``. With ``at_most`` the largest of several figures there is the bound.
    """
    p = ctx.params
    other = ctx.others[p["table"]]
    mine, theirs = key_words(ctx.frame, p["key"]), key_words(other, p["key"])
    values = ctx.values() * multiplier(ctx.frame)
    bounds = floats(other, "OBS_VALUE") * multiplier(other)
    here = rows_where(ctx.frame, p.get("where", {})) & np.isfinite(values)
    usable = rows_where(other, p.get("other_where", {})) & np.isfinite(bounds)
    if p["relation"] == "at_most":
        largest = pd.Series(bounds[usable], index=np.flatnonzero(usable)).groupby(theirs[usable])
        usable = np.zeros(len(other), dtype=bool)
        usable[largest.idxmax().to_numpy(dtype=int)] = True
    else:
        twice = pd.Series(mine).where(here).duplicated(keep=False).to_numpy()
        here &= ~twice
    at = positions_of(mine, theirs, usable)
    rows = np.flatnonzero(here & (at != NOWHERE))
    match = at[rows]
    halves = half_units(ctx.frame)[rows], half_units(other)[match]
    # Two prints of one figure: only the coarser one's rounding can part them.
    slack = np.maximum(*halves) + noise(values[rows], bounds[match])
    difference = values[rows] - bounds[match]
    off = difference > slack if p["relation"] == "at_most" else np.abs(difference) > slack
    unit = multiplier(ctx.frame)[rows]
    found = [
        Violation(
            (int(rows[i]),), found=float(values[rows[i]] / unit[i]),
            expected=float(bounds[match[i]] / unit[i]), difference=float(difference[i] / unit[i]),
            tolerance=float(slack[i] / unit[i]), elsewhere=((p["table"], int(match[i])),),
        )
        for i in np.flatnonzero(off).tolist()
    ]  # fmt: skip
    return Checked(len(rows), found)
