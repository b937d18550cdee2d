"""Operators on codes: each is known and in force, and none counts the same people as another."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.resources import suggest
from gbi.schemas import schema
from gbi.validation.context import (
    NOWHERE,
    Checked,
    Violation,
    among,
    coded,
    group_ids,
    positions,
    selected,
)
from gbi.validation.sums import age_bounds
from gbi.validation.units import per_value
from gbi.vocabulary import match_label
from gbi.vocabulary.lists import accepted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gbi.validation.context import Context

LABELS = (
    "DEPARTMENT", "PROGRAMME", "PROJECT", "OBJECTIVE", "SERVICE", "INDICATOR", "SUB_INDICATOR",
    "GRADE",
)  # fmt: skip
_AREA = "REF_AREA"
_MOST_SHOWN = 12


def _coded(ctx: Context) -> dict[str, str]:
    """Return the columns that a rule is about with the code list of each."""
    wanted = ctx.params.get("columns")
    without = ctx.params.get("without", [])
    return {
        field.name: field.codelist
        for field in schema(ctx.table).fields
        if field.codelist
        and field.name in ctx.frame.columns
        and field.name not in without
        and (wanted is None or field.name in wanted)
    }


def _readable(ctx: Context, column: str) -> NDArray[np.bool_]:
    """Say which cells hold a value that reading did not already refuse."""
    there = coded(ctx.frame, column)[0] >= 0
    unread = ctx.unread.get(column)
    return there if unread is None else there & ~unread


def _of_country(ctx: Context, country: str) -> NDArray[np.bool_]:
    """Say which rows are about a country or a part of it; rows that do not say are."""

    def inside(area: object) -> bool:
        return str(area) == country or str(area).startswith(f"{country}-")

    return np.asarray(per_value(ctx.frame, _AREA, inside, True), dtype=bool)


def known_codes(ctx: Context) -> Checked:
    """Require that every code stands in the list of its column; one breach per unknown code.

    Params: ``columns`` (default: all that have a list) or ``without``; ``national`` {country,
    columns}: lists that are one country's own bind its rows only; ``link``: a property that the
    code's entry must have too. The suggestion is a code whose label is written in the cell, or the
    nearest code; a code without letters gets none, for the nearest number is not likelier: its
    label in the table is shown.
    """
    national: Mapping[str, Any] = ctx.params.get("national", {})
    link = ctx.params.get("link")
    found: list[Violation] = []
    checked = 0
    for column, name in _coded(ctx).items():
        keep = _readable(ctx, column)
        if column in national.get("columns", ()):
            keep = keep & _of_country(ctx, str(national["country"]))
        known = dict.fromkeys(str(e["code"]) for e in accepted(name) if not link or e.get(link))
        numbers, cells = coded(ctx.frame, column)
        checked += int(keep.sum())
        for number, code in enumerate(map(str, cells)):
            if code in known:
                continue
            rows = np.flatnonzero(keep & (numbers == number))
            if not len(rows):
                continue
            found.append(
                Violation(
                    tuple(rows.tolist()),
                    column,
                    found=code,
                    expected=", ".join(known) if len(known) <= _MOST_SHOWN else None,
                    suggestion=_nearest(name, code, list(known)),
                    shared=True,
                    details={"label": _label_beside(ctx, column, int(rows[0])), "list": name},
                )
            )
    return Checked(checked, found)


def _nearest(name: str, code: str, known: list[str]) -> str | None:
    if not re.search(r"[^\W\d_]", code):
        return None
    match = match_label(name, code)
    return match.code if match.code in known else suggest(code, known)


def _label_beside(ctx: Context, column: str, row: int) -> str | None:
    beside = f"{column}_LABEL"
    if beside not in ctx.frame.columns or pd.isna(ctx.frame[beside].iloc[row]):
        return None
    return str(ctx.frame[beside].iloc[row])


def codes_in_force(ctx: Context) -> Checked:
    """Require that a code was in force in the year of its row; one breach per column and term.

    Params: ``columns`` (default: all that have a list); ``years_before``: how many years before it
    takes effect a code may be used. The year alone counts: a code that took effect or was retired
    within it may be used.
    """
    early = int(ctx.params.get("years_before", 0))
    year = np.asarray(per_value(ctx.frame, "TIME_PERIOD", _year, np.nan), dtype=np.float64)
    found: list[Violation] = []
    checked = 0
    for column, name in _coded(ctx).items():
        terms = {
            str(e["code"]): (e.get("valid_from"), e.get("valid_to"))
            for e in accepted(name)
            if "valid_from" in e or "valid_to" in e
        }
        if not terms:
            continue
        keep = _readable(ctx, column) & among(ctx.frame, column, terms) & np.isfinite(year)
        checked += int(keep.sum())
        for term in dict.fromkeys(terms.values()):
            begins, ends = _year(term[0] or "0000") - early, _year(term[1] or "9999")
            mine = [code for code, other in terms.items() if other == term]
            outside = among(ctx.frame, column, mine) & ((year < begins) | (year > ends))
            rows = np.flatnonzero(keep & outside)
            if len(rows):
                found.append(_out_of_force(ctx, column, rows, term))
    return Checked(checked, found)


def _out_of_force(
    ctx: Context, column: str, rows: NDArray[np.intp], term: tuple[str | None, str | None]
) -> Violation:
    used = ctx.frame[column].iloc[rows].unique()
    when = ctx.frame["TIME_PERIOD"].iloc[rows].unique()
    return Violation(
        tuple(rows.tolist()),
        column,
        found=", ".join(sorted(map(str, used))),
        expected=f"{term[0] or '…'} – {term[1] or '…'}",
        shared=True,
        details={"period": ", ".join(sorted(map(str, when)))},
    )


def _year(period: object) -> float:
    match = re.match(r"[0-9]{4}", str(period))
    return float(match[0]) if match else np.nan


def disjoint_codes(ctx: Context) -> Checked:
    """Find codes of one dimension that stand side by side and count the same people twice.

    Params: ``pairs`` {dimension: [[code, code], …]}; ``ages``: dimensions whose bounds are
    compared (groups that overlap without one holding the other; a set that claims to be whole is
    :func:`gbi.validation.sums.group_sum`'s); ``levels``: dimensions whose codes must be of one
    level of their list (the breach is one per table); ``where``, ``exempt``.
    """
    keep = selected(ctx)
    found: list[Violation] = []
    checked = 0
    wanted = [*ctx.params.get("pairs", {}), *ctx.params.get("ages", [])]
    for dimension in (d for d in wanted if d in ctx.frame.columns):
        wide = positions(ctx, dimension, keep, ctx.frame)
        checked += int((wide != NOWHERE).to_numpy().sum())
        series = group_ids(ctx.frame, LABELS)
        for pair, beside in _overlaps(ctx, dimension, wide):
            for rows in _per_series(wide.loc[beside, list(pair)].to_numpy(), series):
                text = " | ".join(pair)
                found.append(Violation(rows, dimension, found=text, shared=True))
    for dimension in (d for d in ctx.params.get("levels", []) if d in ctx.frame.columns):
        checked += int(keep.sum())
        found += _mixed_levels(ctx, dimension, keep)
    return Checked(checked, found)


def _overlaps(
    ctx: Context, dimension: str, wide: pd.DataFrame
) -> Iterator[tuple[tuple[str, str], NDArray[np.bool_]]]:
    """Yield pairs of overlapping codes and the groups in which both stand."""
    there = {str(c): (wide[c] != NOWHERE).to_numpy(dtype=bool) for c in wide.columns}
    free = np.ones(len(wide), dtype=bool)
    if dimension in ctx.params.get("ages", []):
        pairs = _crossing(list(there))
        open_ended = [c for c in there if (age_bounds(c) or (0, 0))[1] == np.inf]
        if "_T" in there and open_ended:
            free = ~(there["_T"] & np.any([there[c] for c in open_ended], axis=0))
    else:
        pairs = [(str(a), str(b)) for a, b in ctx.params["pairs"][dimension]]
    for a, b in pairs:
        if a in there and b in there and (both := there[a] & there[b] & free).any():
            yield (a, b), both


def _crossing(groups: Sequence[str]) -> list[tuple[str, str]]:
    """Return the age groups that share ages although neither holds the other."""
    bounds = sorted((b, g) for g in groups if (b := age_bounds(g)) is not None)
    return [
        (left, right)
        for ((low, high), left), ((start, end), right) in combinations(bounds, 2)
        if low < start < high < end
    ]


def _per_series(pairs: NDArray[np.int64], series: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
    """Yield the rows of all pairs of one indicator."""
    of = series[pairs[:, 0]]
    for one in dict.fromkeys(of.tolist()):
        yield tuple(pairs[of == one].ravel().tolist())


def _mixed_levels(ctx: Context, dimension: str, keep: NDArray[np.bool_]) -> list[Violation]:
    """Return the rows of the rarer level where a series holds codes of two levels of its list."""
    field = next(f for f in schema(ctx.table).fields if f.name == dimension)
    entries = {str(e["code"]): e.get("parent") for e in accepted(str(field.codelist))}
    level = per_value(ctx.frame, dimension, lambda code: _depth(str(code), entries), 0)
    series = group_ids(ctx.frame, [*LABELS, "TIME_PERIOD", "BUDGET_STAGE"])
    upper, lower = keep & (level == 1), keep & (level > 1)
    both = np.intersect1d(series[upper], series[lower])
    upper, lower = upper & np.isin(series, both), lower & np.isin(series, both)
    if not upper.any():
        return []
    rows = np.flatnonzero(upper if upper.sum() <= lower.sum() else lower)
    names = ctx.frame[dimension]
    text = f"{names[upper].iloc[0]} | {names[lower].iloc[0]}"
    return [Violation(tuple(rows.tolist()), dimension, found=text, shared=True)]


def _depth(code: str, parents: Mapping[str, str | None]) -> int:
    parent = parents.get(code)
    return 0 if not parent else 1 + _depth(parent, parents)
