"""Operators on sums: groups and their total, levels of a budget, a thousand-fold unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.validation.context import (
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
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gbi.validation.context import Context

_ELSEWHERE = "K"
_NEAR, _AT_MOST = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Sum:
    """A printed total and its addends, by position; ``deducted`` rows are taken off the total."""

    total: int
    addends: tuple[int, ...]
    printed: float
    parts: tuple[float, ...]
    tolerance: float
    of_totals: bool = False
    total_of_totals: bool = False
    deducted: tuple[int, ...] = ()
    off: float = 0.0
    noise: float = 0.0

    @property
    def expected(self) -> float:
        """The sum of the addends and of what the total counts without a split."""
        return float(np.sum(self.parts)) + self.off

    @property
    def difference(self) -> float:
        """Printed total minus the sum."""
        return self.printed - self.expected

    @property
    def allowed(self) -> float:
        """What rounding explains, and the noise of binary fractions, which no message names."""
        return self.tolerance + self.noise

    @property
    def closes(self) -> bool:
        """Whether the difference is what rounding explains."""
        return abs(self.difference) <= self.allowed

    def scaled(self, factors: Sequence[float]) -> tuple[int, float] | None:
        """Return the addend (or -1, the total) that closes the sum once multiplied by a factor."""
        best: tuple[float, int, float] | None = None
        for ratio in (r for f in factors for r in (float(f), 1.0 / f)):
            tries = [(NOWHERE, self.printed, self.printed * ratio - self.expected, self.expected)]
            tries += [
                (i, part, self.difference - part * (ratio - 1.0), part * ratio)
                for i, part in enumerate(self.parts)
            ]
            for index, value, gap, figure in tries:
                if value and figure and self._near(gap, figure, ratio):
                    miss = abs(gap / figure)
                    # where one addend is tiny, two readings are near: the closest one is told
                    if best is None or miss < best[0]:
                        best = miss, index, ratio
        return None if best is None else best[1:]

    def _near(self, gap: float, figure: float, ratio: float) -> bool:
        """Say whether a rescaled figure closes the sum: within 1 % of itself or within rounding.

        Rounding to thousands moves a small figure by more than its unit explains: never over 5 %.
        """
        rounding = self.allowed * max(ratio, 1.0)
        wide = min(max(rounding, _NEAR * abs(figure)), _AT_MOST * abs(figure))
        return abs(gap) <= wide

    def violation(self) -> Violation:
        """Return the breach with all parties, the total in front."""
        rows = (*self.addends, *self.deducted) if not self.of_totals else self.deducted
        totals: tuple[int, ...] = self.addends if self.of_totals else ()
        if self.total_of_totals:
            totals = (self.total, *totals)
        else:
            rows = (self.total, *rows)
        return Violation(
            rows,
            found=self.printed,
            expected=self.expected,
            difference=self.difference,
            tolerance=self.tolerance,
            totals=totals,
            totals_first=self.total_of_totals,
        )


class _Figures:
    """The printed figures of a frame, taken out once: values, last digits, exactness."""

    def __init__(self, frame: pd.DataFrame, rule: str | float | None, *, totals: bool = False):
        self.values = floats(frame, "OBS_VALUE")
        self.units, self.exact = printed_units(frame), exact(frame)
        self.rule, self.totals = rule, totals

    def sum(self, total: int, addends: Sequence[int]) -> Sum:
        """Return the sum of rows with the tolerance that its coarsest figure allows."""
        rows = np.array([total, *addends])
        values = self.values[rows]
        size = np.abs(values).max(keepdims=True)
        unit, is_exact = self.units[rows].max(keepdims=True), self.exact[rows].all(keepdims=True)
        terms = float(len(addends))
        told, allowed = (
            float(tolerance_of(self.rule, unit, is_exact, terms, s)[0])
            for s in (np.zeros_like(size), size)
        )
        return Sum(
            total,
            tuple(int(a) for a in addends),
            float(values[0]),
            tuple(values[1:].tolist()),
            told,
            self.totals,
            self.totals,
            noise=allowed - told,
        )


def _specs(ctx: Context) -> list[tuple[list[str] | None, str]]:
    sums = ctx.params.get("sums")
    if sums:
        return [(list(s["members"]), str(s["total"])) for s in sums]
    members = ctx.params.get("members")
    return [(list(members) if members else None, str(ctx.params.get("total", "_T")))]


def _group_sums(ctx: Context) -> Iterator[Sum]:
    dimension = ctx.params["dimension"]
    keep = selected(ctx) & np.isfinite(ctx.values())
    wide = positions(ctx, dimension, keep, ctx.frame)
    optional = list(ctx.params.get("optional", []))
    figures = _Figures(ctx.frame, ctx.tolerance)
    for members, total in _specs(ctx):
        needed = members or [str(c) for c in wide.columns if c != total]
        if total not in wide.columns or any(m not in wide.columns for m in needed):
            continue
        if members is not None:
            full = wide[(wide[[total, *needed]] != NOWHERE).all(axis=1)]
        else:
            full = wide[wide[total] != NOWHERE]
        wanted = needed + [o for o in optional if o in wide.columns and o not in needed]
        for at, addends in zip(full[total], full[wanted].to_numpy(), strict=True):
            present = [int(a) for a in addends if a != NOWHERE]
            if present:
                yield figures.sum(int(at), present)


def _unsplit(ctx: Context, members: list[str], total: str) -> list[int]:
    """Return the lines that are in a total but not in its split: an addend is counted elsewhere."""
    dimension = ctx.params["dimension"]
    keep = selected(ctx)
    wide = positions(ctx, dimension, keep, ctx.frame)
    if any(c not in wide.columns for c in (*members, total)):
        return []
    status = codes(ctx.frame, "OBS_STATUS", "A")
    values = ctx.values()
    rows = []
    for at, *parts in wide[[total, *members]].to_numpy().tolist():
        elsewhere = [p for p in parts if p != NOWHERE and status[p] == _ELSEWHERE]
        if at != NOWHERE and elsewhere and np.isfinite(values[at]):
            rows.append(int(at))
    return rows


def _totals_row_sums(ctx: Context) -> Iterator[Sum]:
    """Yield the identities of the printed totals row, less the lines that are not split."""
    totals = ctx.totals
    if totals is None or not len(totals) or not ctx.params.get("totals_row"):
        return
    keep = selected(ctx, totals) & np.isfinite(floats(totals, "OBS_VALUE"))
    wide = positions(ctx, ctx.params["dimension"], keep, totals)
    values = ctx.values()
    figures = _Figures(totals, ctx.tolerance, totals=True)
    for members, total in _specs(ctx):
        needed = members or []
        if any(c not in wide.columns for c in (*needed, total)):
            continue
        unsplit = _unsplit(ctx, needed, total)
        off = float(np.sum(values[unsplit])) if unsplit else 0.0
        for at, *addends in wide[[total, *needed]].to_numpy().tolist():
            if NOWHERE in (at, *addends):
                continue
            yield replace(figures.sum(at, addends), deducted=tuple(unsplit), off=off)


def age_bounds(code: str) -> tuple[float, float] | None:
    """Return the ages of a code as [from, to), or None where it is not an age group."""
    if match := re.fullmatch(r"Y([0-9]+)T([0-9]+)", code):
        return float(match[1]), float(match[2]) + 1.0
    if match := re.fullmatch(r"Y_(GE|GT|LT|LE)([0-9]+)", code):
        age = float(match[2])
        return {
            "GE": (age, np.inf), "GT": (age + 1.0, np.inf), "LT": (0.0, age), "LE": (0.0, age + 1.0)
        }[match[1]]  # fmt: skip
    return (float(code[1:]), float(code[1:]) + 1.0) if re.fullmatch(r"Y[0-9]+", code) else None


def _age_faults(groups: Sequence[str]) -> tuple[str, str] | None:
    """Return two neighbouring age groups that overlap or leave a hole, or None."""
    bounds = sorted((b, g) for g in groups if (b := age_bounds(g)) is not None)
    for ((_, end), left), ((start, _), right) in pairwise(bounds):
        if start != end:
            return left, right
    return None


def _claims(wide: pd.DataFrame, total: str, closes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which sets of age groups may claim to be whole: an open end, and a total or shares."""
    there = wide.to_numpy() != NOWHERE
    bounds = [age_bounds(str(c)) for c in wide.columns]
    open_end = np.array([b is not None and b[1] == np.inf for b in bounds], dtype=bool)
    aged = np.array([b is not None for b in bounds], dtype=bool)
    whole = np.array([str(c) == total for c in wide.columns], dtype=bool)
    claims = (there[:, aged].sum(axis=1) > 1) & there[:, open_end].any(axis=1)
    return np.asarray(claims if closes.any() else claims & there[:, whole].any(axis=1))


def _partition(ctx: Context, sums: list[Sum] | None = None) -> Checked:
    """Check groups that share out a whole: they neither overlap nor leave a hole.

    Their counts add to the total; where ``CLOSES_OVER`` names the dimension, shares add to 100.
    Only a set that reaches the open-ended last group claims to be whole. ``sums`` collects the
    sums of counts that are tested.
    """
    sums = [] if sums is None else sums
    dimension, total = ctx.params["dimension"], str(ctx.params.get("total", "_T"))
    values = ctx.values()
    closes = codes(ctx.frame, "CLOSES_OVER", "") == dimension
    keep = (selected(ctx) | closes) & np.isfinite(values)
    wide = positions(ctx, dimension, keep, ctx.frame)
    figures = _Figures(ctx.frame, ctx.tolerance)
    found: list[Violation] = []
    checked = 0
    names = [str(c) for c in wide.columns]
    for cells in wide[_claims(wide, total, closes)].to_numpy().tolist():
        rows = {n: int(c) for n, c in zip(names, cells, strict=True) if c != NOWHERE}
        groups = [g for g in rows if age_bounds(g) is not None]
        whole = any((age_bounds(g) or (0, 0))[1] == np.inf for g in groups)
        shares = bool(groups) and all(closes[rows[g]] for g in groups)
        if len(groups) < 2 or not whole or not (shares or total in rows):
            continue
        checked += 1
        parties = tuple(rows[g] for g in sorted(groups, key=lambda g: age_bounds(g) or (0, 0)))
        if fault := _age_faults(groups):
            found.append(
                Violation(tuple(rows[g] for g in fault), dimension, " | ".join(fault), shared=True)
            )
            continue
        if shares:
            one = figures.sum(parties[0], parties)
            added = float(np.sum(one.parts))
            if abs(added - 100.0) > one.allowed:
                found.append(
                    Violation(parties, found=added, expected=100.0, difference=added - 100.0,
                              tolerance=one.tolerance, shared=True)
                )  # fmt: skip
        else:
            sums.append(figures.sum(rows[total], parties))
    found += _open(ctx, sums).violations
    return Checked(checked, found)


def partition_sums(ctx: Context) -> list[Sum]:
    """Return the sums of counts that a ``partition`` tests."""
    sums: list[Sum] = []
    _partition(ctx, sums)
    return sums


def group_sum(ctx: Context) -> Checked:
    """Require that the members of a dimension add to its total within rounding.

    Params: ``dimension``; ``members`` (all must be there) and ``total``, or several ``sums``;
    ``optional`` members, added where they are there; ``where``, ``exempt``; ``partition``
    (the members are bounds that must neither overlap nor leave a hole, and shares that
    ``CLOSES_OVER`` the dimension add to 100); ``totals_row`` (test the printed totals too, after
    deducting lines whose split is not printed); ``factors``: sums that close once a figure is
    multiplied by one of these are left to :func:`unit_scale`.
    """
    if ctx.params.get("partition"):
        return _partition(ctx)
    sums = [*_group_sums(ctx), *_totals_row_sums(ctx)]
    return _open(ctx, sums)


def sums_of(ctx: Context) -> list[Sum]:
    """Return all sums that a rule of :func:`group_sum` or :func:`rollup` tests."""
    if "levels" in ctx.params:
        return list(_rollups(ctx))
    if ctx.params.get("partition"):
        return partition_sums(ctx)
    return [*_group_sums(ctx), *_totals_row_sums(ctx)]


def _open(ctx: Context, sums: list[Sum]) -> Checked:
    factors = ctx.params.get("factors", [])
    broken = [s for s in sums if not s.closes and not (factors and s.scaled(factors))]
    return Checked(len(sums), [s.violation() for s in broken])


def _rollups(ctx: Context) -> Iterator[Sum]:
    levels = [c for c in ctx.params["levels"] if c in ctx.frame.columns]
    aside = [*levels, *ctx.params.get("ignore", [])]
    rest = [c for c in ctx.peers_key(*aside) if not c.endswith("_LABEL")]
    keep = selected(ctx)
    filled = {c: ctx.given(c) & (codes(ctx.frame, c, "") != "_T") for c in levels}
    for depth, child in enumerate(levels[:-1]):
        parents = levels[depth + 1 :]
        deeper = levels[:depth]
        free = keep & ~np.any([filled[c] for c in deeper], axis=0) if deeper else keep
        of_child = free & filled[child] & filled[parents[0]]
        of_parent = free & ~filled[child] & filled[parents[0]]
        yield from _level(ctx, [*rest, *parents], of_child, of_parent)
    if ctx.params.get("totals_row"):
        yield from _top(ctx, rest, keep & filled[levels[-1]], levels[:-1], filled)


def _level(
    ctx: Context, columns: list[str], child: NDArray[np.bool_], parent: NDArray[np.bool_]
) -> Iterator[Sum]:
    ids = group_ids(ctx.frame, columns)
    values = ctx.values()
    figures = _Figures(ctx.frame, ctx.tolerance)
    children: dict[int, list[int]] = {}
    for row in np.flatnonzero(child).tolist():
        children.setdefault(int(ids[row]), []).append(row)
    for row in np.flatnonzero(parent & np.isfinite(values)).tolist():
        addends = _known(ctx, children.get(int(ids[row]), []))
        if addends:
            yield figures.sum(row, addends)


def _known(ctx: Context, rows: list[int]) -> list[int]:
    """Return the rows to add; none at all if one is missing for another reason than "elsewhere"."""
    values, status = ctx.values(), codes(ctx.frame, "OBS_STATUS", "A")
    missing = [r for r in rows if not np.isfinite(values[r])]
    if any(status[r] != _ELSEWHERE for r in missing):
        return []
    return [r for r in rows if np.isfinite(values[r])]


def _top(
    ctx: Context,
    rest: list[str],
    keep: NDArray[np.bool_],
    deeper: list[str],
    filled: dict[str, NDArray[np.bool_]],
) -> Iterator[Sum]:
    """Yield the sums of the top level's lines against the printed totals row."""
    totals = ctx.totals
    if totals is None:
        return
    own = keep & ~np.any([filled[c] for c in deeper], axis=0) if deeper else keep
    columns = [c for c in rest if c in totals.columns]
    joined = pd.concat([ctx.frame[columns], totals[columns]], ignore_index=True)
    ids = group_ids(joined, columns)
    printed = floats(totals, "OBS_VALUE")
    figures = _Figures(ctx.frame, ctx.tolerance)
    lines: dict[int, list[int]] = {}
    for row in np.flatnonzero(own).tolist():
        lines.setdefault(int(ids[row]), []).append(row)
    wanted = rows_where(totals, ctx.params.get("where", {}))
    for at in np.flatnonzero(np.isfinite(printed) & wanted).tolist():
        addends = _known(ctx, lines.get(int(ids[len(ctx.frame) + at]), []))
        if not addends:
            continue
        one = figures.sum(addends[0], addends)
        yield replace(one, total=at, printed=float(printed[at]), total_of_totals=True)


def rollup(ctx: Context) -> Checked:
    """Require that every level of a hierarchy adds to the level above, and the top to the totals.

    Params: ``levels``, deepest first; ``ignore`` (key columns that a totals row does not have);
    ``totals_row``; ``where``; ``factors`` as in :func:`group_sum`. A row belongs to the deepest
    level that it names. An addend that is counted elsewhere (``OBS_STATUS`` K) adds nothing; one
    that is missing for another reason leaves the sum untested.
    """
    return _open(ctx, list(_rollups(ctx)))


def unit_scale(ctx: Context) -> Checked:
    """Find a thousand-fold unit inside a table of amounts.

    Params: those of :func:`group_sum` and :func:`rollup`; ``factors``: a sum that closes once one
    of its figures is multiplied or divided by a factor has that figure in another unit;
    ``largest``: no line, in units of the measure, can be larger than this if the declared unit is
    right.
    """
    factors = [float(f) for f in ctx.params["factors"]]
    sums = [*_group_sums(ctx), *_totals_row_sums(ctx), *_rollups(ctx)]
    return Checked(len(sums), [*rescaled(sums, factors), *_too_large(ctx)])


def rescaled(sums: Sequence[Sum], factors: Sequence[float]) -> list[Violation]:
    """Return, per figure once, the sums that close as soon as it is read in another unit."""
    found: dict[tuple[bool, int], Violation] = {}
    for one in sums:
        hit = None if one.closes else one.scaled(factors)
        if hit is None:
            continue
        index, ratio = hit
        in_totals = one.total_of_totals if index == NOWHERE else one.of_totals
        at = one.total if index == NOWHERE else one.addends[index]
        value = one.printed if index == NOWHERE else one.parts[index]
        seen = one.violation()
        found.setdefault(
            (in_totals, at),
            Violation(
                tuple(dict.fromkeys((at, *seen.rows) if not in_totals else seen.rows)),
                found=value,
                expected=value * ratio,
                difference=value - value * ratio,
                tolerance=one.tolerance,
                totals=tuple(dict.fromkeys((at, *seen.totals) if in_totals else seen.totals)),
                totals_first=in_totals,
                details={"factor": ratio if ratio >= 1 else 1.0 / ratio},
            ),
        )
    return list(found.values())


def _too_large(ctx: Context) -> list[Violation]:
    largest = ctx.params.get("largest")
    if largest is None:
        return []
    values = ctx.values()
    multiplier = (
        np.nan_to_num(floats(ctx.frame, "UNIT_MULT"), nan=0.0)
        if "UNIT_MULT" in ctx.frame.columns
        else np.zeros(len(values))
    )
    size = np.abs(values) * 10.0**multiplier
    rows = np.flatnonzero(size > float(largest)).tolist()
    if not rows:
        return []
    top = max(rows, key=lambda r: (size[r], -r))
    limit = float(largest) / 10.0 ** float(multiplier[top])
    return [
        Violation(
            (top, *[r for r in rows if r != top]),
            found=float(values[top]),
            expected=limit,
            difference=float(values[top]) - limit,
            details={"factor": 1000.0},
        )
    ]
