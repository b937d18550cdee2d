"""Operators on units and forms: a figure in another unit, one unit per series, periods' form."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from gbi.schemas import schema
from gbi.validation.context import (
    Checked,
    Violation,
    coded,
    codes,
    floats,
    group_ids,
    selected,
)
from gbi.validation.sums import partition_sums, rescaled, sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from gbi.validation.context import Context
    from gbi.validation.sums import Sum

_SERIES = ("TIME_PERIOD", "VALUE_KIND")


def thousandfold(ctx: Context) -> Checked:
    """Find a figure that is in thousands or millions beside figures that are not.

    Params: ``sums``: parameter sets of :func:`gbi.validation.sums.group_sum`, whose rules leave
    such sums to this one; ``factors``: a sum that closes once one figure is multiplied or divided
    by a factor has it in another unit; ``neighbours``: in these tables a value is also compared
    with the other years of its own series, and off where about a factor (half to twice) away.
    """
    factors = [float(f) for f in ctx.params["factors"]]
    sums: list[Sum] = []
    for params in ctx.params["sums"]:
        if params["dimension"] in ctx.frame.columns:
            part = replace(ctx, params=MappingProxyType(dict(params)))
            sums += partition_sums(part) if params.get("partition") else sums_of(part)
    found = rescaled(sums, factors)
    if ctx.table not in ctx.params.get("neighbours", []):
        return Checked(len(sums), found)
    told = {row for one in found for row in one.rows}
    looked, jumps = _jumps(ctx, factors, told)
    return Checked(len(sums) + looked, [*found, *jumps])


def _jumps(ctx: Context, factors: list[float], told: set[int]) -> tuple[int, list[Violation]]:
    """Return the series, one breach each, in which a value is a factor away from the others."""
    values = ctx.values()
    keep = selected(ctx) & np.isfinite(values) & (values > 0)
    found: list[Violation] = []
    size = np.log10(np.where(keep, values, 1.0))
    ids = group_ids(ctx.frame, ctx.peers_key(*_SERIES))
    series = np.bincount(ids[keep], minlength=int(ids.max(initial=0)) + 1)
    looked = int((series > 1).sum())
    low, high = np.full(len(series), np.inf), np.full(len(series), -np.inf)
    np.minimum.at(low, ids[keep], size[keep])
    np.maximum.at(high, ids[keep], size[keep])
    wide = high - low >= np.log10(min(factors) / 2.0)
    for rows in groups_of(ids, keep & wide[ids], fewest=2):
        middle = np.median(size[rows])
        off = rows[np.argmax(np.abs(size[rows] - middle))]
        others = rows[rows != off]
        away = float(size[off] - np.median(size[others]))
        near = [s * np.log10(f) for f in factors for s in (1, -1)
                if abs(away - s * np.log10(f)) <= np.log10(2.0)]  # fmt: skip
        if not near or told & set(rows.tolist()):
            continue
        ratio = 10.0 ** -near[0]
        value = float(values[off])
        found.append(
            Violation(
                (int(off), *others.tolist()),
                found=value,
                expected=value * ratio,
                difference=value - value * ratio,
                details={"factor": max(ratio, 1.0 / ratio)},
            )
        )
    return looked, found


def multipliers(ctx: Context) -> NDArray[np.float64]:
    """Return the power of ten of every row's unit, 0 where the table says none."""
    if "UNIT_MULT" not in ctx.frame.columns:
        return np.zeros(len(ctx.frame))
    return np.nan_to_num(floats(ctx.frame, "UNIT_MULT"), nan=0.0)


def per_value(frame: pd.DataFrame, column: str, answer: Callable[[Any], Any], other: Any) -> Any:
    """Return what a function says of every row's value, asking once for each different one.

    A missing cell, and every cell of a missing column, is answered by ``other``.
    """
    if column not in frame.columns:
        return np.full(len(frame), other)
    numbers, values = coded(frame, column)
    return np.array([*(answer(v) for v in values), other])[numbers]


def groups_of(
    ids: NDArray[np.int64], keep: NDArray[np.bool_], *, fewest: int
) -> Iterator[NDArray[np.intp]]:
    """Yield the kept rows of every group that has enough of them."""
    rows = np.flatnonzero(keep)
    order = rows[np.argsort(ids[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(ids[order])) + 1
    for part in np.split(order, cuts):
        if len(part) >= fewest:
            yield part


def uniform(ctx: Context) -> Checked:
    """Require that the rows of one group agree in what describes their figures.

    Params: ``columns`` that must not differ; ``within``: the columns that make a group;
    ``fewer_by`` with ``chance``: of decimals, only what lies so far below the usual number counts,
    and only where zeros at the end, left out, explain it with that probability at most; ``where``,
    ``exempt``. The parties are the rows that differ from most of the group, then one that does not.
    """
    within = [c for c in ctx.params["within"] if c in ctx.frame.columns]
    ids = group_ids(ctx.frame, within)
    found: list[Violation] = []
    checked = 0
    for column in (c for c in ctx.params["columns"] if c in ctx.frame.columns):
        code, values = coded(ctx.frame, column)
        names = [str(v) for v in values]
        keep = selected(ctx) & (code >= 0)
        if column in ctx.unread:
            keep &= ~ctx.unread[column]
        if "OBS_VALUE" in ctx.frame.columns:
            keep &= np.isfinite(ctx.values())
        checked += int(keep.sum())
        pair = np.unique(np.column_stack([ids[keep], code[keep]]), axis=0)
        mixed = np.isin(ids, pair[1:, 0][pair[1:, 0] == pair[:-1, 0]])
        for rows in groups_of(ids, keep & mixed, fewest=2):
            kinds, counts = np.unique(code[rows], return_counts=True)
            usual = kinds[np.argmax(counts)]
            strange = [k for k in kinds.tolist() if k != usual]
            if "fewer_by" in ctx.params:
                strange = _shorter(ctx, [float(n) for n in names], strange, int(usual))
            if not strange:
                continue
            odd = rows[np.isin(code[rows], strange)]
            if "chance" in ctx.params and _by_chance(ctx, len(odd), len(rows)):
                continue
            found.append(
                Violation(
                    (*odd.tolist(), int(rows[code[rows] == usual][0])),
                    column,
                    found=", ".join(names[k] for k in strange),
                    expected=names[usual],
                    shared=True,
                )
            )
    return Checked(checked, found)


def _shorter(ctx: Context, decimals: list[float], kinds: list[int], usual: int) -> list[int]:
    most = decimals[usual] - float(ctx.params["fewer_by"])
    return [k for k in kinds if decimals[k] <= most]


def _by_chance(ctx: Context, short: int, rows: int) -> bool:
    """Say whether so many figures can end in zeros that were left out."""
    from scipy.stats import binom

    zeros = 10.0 ** -float(ctx.params["fewer_by"])
    return bool(binom.sf(short - 1, rows, zeros) > ctx.params["chance"])


def matches_pattern(ctx: Context) -> Checked:
    """Require texts of the form that the table's schema gives the column; a breach per text.

    Params: ``columns``.
    """
    patterns = {
        f.name: str(f.constraints["pattern"])
        for f in schema(ctx.table).fields
        if "pattern" in f.constraints
    }
    found: list[Violation] = []
    checked = 0
    for column in ctx.params["columns"]:
        if column not in ctx.frame.columns or column not in patterns:
            continue
        numbers, texts = coded(ctx.frame, column)
        keep = numbers >= 0
        if column in ctx.unread:
            keep &= ~ctx.unread[column]
        checked += int(keep.sum())
        for number, text in enumerate(map(str, texts)):
            if re.fullmatch(patterns[column], text) is None:
                rows = np.flatnonzero(keep & (numbers == number))
                if len(rows):
                    near = _period(text)
                    found.append(
                        Violation(
                            tuple(rows.tolist()), column, found=text, suggestion=near, shared=True
                        )
                    )
    return Checked(checked, found)


def _period(text: str) -> str | None:
    """Return the year, quarter or month that a text seems to mean, in SDMX form."""
    digits = text.strip()
    if match := re.fullmatch(r"(20[0-9]{2}|19[0-9]{2})(?:\.0|[-/ ]?(?:AN|LF|A))?", digits):
        return match[1]
    if match := re.fullmatch(r"(?:T|Q)([1-4])[-/ ]?((?:19|20)[0-9]{2})", digits, re.IGNORECASE):
        return f"{match[2]}-Q{match[1]}"
    if match := re.fullmatch(r"((?:19|20)[0-9]{2})[-/ ]?(?:T|Q)([1-4])", digits, re.IGNORECASE):
        return f"{match[1]}-Q{match[2]}"
    if match := re.fullmatch(r"(0[1-9]|1[0-2])[-/]((?:19|20)[0-9]{2})", digits):
        return f"{match[2]}-M{match[1]}"
    if match := re.fullmatch(r"((?:19|20)[0-9]{2})[-/](0[1-9]|1[0-2])", digits):
        return f"{match[1]}-M{match[2]}"
    return None


def plausible_size(ctx: Context) -> Checked:
    """Find a number of persons that no country holds.

    Params: ``persons``: {country: the largest number}, with ``other``; ``within``: one breach per
    group of these columns.
    """
    kind, unit = codes(ctx.frame, "MEASURE_KIND", ""), codes(ctx.frame, "UNIT_MEASURE", "")
    persons = (codes(ctx.frame, "COUNTED", "") == "PERSONS") & (kind == "COUNT") | (unit == "PS")
    values, limits = ctx.values(), ctx.params["persons"]
    keep = persons & np.isfinite(values)
    other = float(limits["other"])
    most = per_value(ctx.frame, "REF_AREA", lambda a: float(limits.get(str(a)[:2], other)), other)
    scale = 10.0 ** multipliers(ctx)
    size = np.where(keep, values, 0.0) * scale
    within = [c for c in ctx.params["within"] if c in ctx.frame.columns]
    found = []
    for rows in groups_of(group_ids(ctx.frame, within), keep & (size > most), fewest=1):
        first = int(rows[np.argmax(size[rows])])
        value, limit = float(values[first]), float(most[first] / scale[first])
        found.append(
            Violation(
                (first, *rows[rows != first].tolist()),
                found=value,
                expected=limit,
                difference=value - limit,
                shared=True,
            )
        )
    return Checked(int(keep.sum()), found)
