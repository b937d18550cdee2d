"""Sums that hang together: which figures of a table can explain that some do not close."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gbi.validation.context import codes, floats, printed_units
from gbi.validation.localisation import Identity, Problem, Solution, localise, single

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gbi.validation.context import Context
    from gbi.validation.sums import Sum

_MOST_FIGURES = 150  # of a group; what lies further away is taken as right
_COUNTED = ("NUMBER", "PS")
_AMOUNTS = ("MAD",)

Parties = tuple[str, tuple[int, ...], tuple[int, ...]]  # a rule, rows, totals rows


@dataclass(frozen=True, eq=False, slots=True)
class Tie:
    """A sum of a rule with its figures numbered: rows first, then totals rows."""

    code: str
    one: Sum
    identity: Identity

    @property
    def figures(self) -> tuple[int, ...]:
        """The numbers of its figures."""
        return tuple(j for j, _ in self.identity.terms)

    @property
    def parties(self) -> Parties:
        """The rule with the positions that its violation names."""
        seen = self.one.violation()
        return self.code, tuple(sorted(seen.rows)), tuple(sorted(seen.totals))


class Figures:
    """All figures of a table: its rows, then the totals rows."""

    def __init__(self, ctx: Context) -> None:
        frames = [ctx.frame] if ctx.totals is None else [ctx.frame, ctx.totals]
        self.rows = len(ctx.frame)
        self.values = np.concatenate([floats(f, "OBS_VALUE") for f in frames])
        self.units = np.concatenate([printed_units(f) for f in frames])
        measured = np.concatenate([codes(f, "UNIT_MEASURE", "") for f in frames])
        floor = np.isin(measured, _COUNTED) | (np.isin(measured, _AMOUNTS) & (self.values >= 0))
        self.lower = np.where(floor, 0.0, -np.inf)

    def tie(self, code: str, one: Sum) -> Tie:
        """Return a sum with its figures numbered."""
        at = self.rows if one.of_totals else 0
        top = one.total + (self.rows if one.total_of_totals else 0)
        addends = (*(a + at for a in one.addends), *one.deducted)
        terms = ((top, 1.0), *((a, -1.0) for a in addends))
        return Tie(code, one, Identity(terms, one.allowed))


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Broken sums that hang together, and the sums around them that still close."""

    ties: tuple[Tie, ...]
    free: frozenset[int]

    @property
    def broken(self) -> tuple[Tie, ...]:
        """The sums that do not close."""
        return tuple(t for t in self.ties if not t.one.closes)


def groups(ties: Sequence[Tie]) -> Iterator[Group]:
    """Yield the broken sums that share a figure, or whose figures meet in a sum that closes."""
    candidates = {j for t in ties if not t.one.closes for j in t.figures}
    near = [t for t in ties if not candidates.isdisjoint(t.figures)]
    parent = {j: j for j in candidates}

    def root(j: int) -> int:
        while parent[j] != j:
            parent[j] = parent[parent[j]]
            j = parent[j]
        return j

    for tie in near:
        own = [root(j) for j in tie.figures if j in candidates]
        for j in own:
            parent[root(j)] = root(own[0])
    members: defaultdict[int, list[Tie]] = defaultdict(list)
    for tie in near:
        members[root(next(j for j in tie.figures if j in candidates))].append(tie)
    for own_ties in members.values():
        own_figures = frozenset(j for t in own_ties for j in t.figures if j in candidates)
        yield Group(tuple(own_ties), own_figures)


def solve(group: Group, figures: Figures, ties: Sequence[Tie]) -> tuple[tuple[Solution, ...], bool]:
    """Return the smallest changes that mend a group, and whether there is just one."""
    problem, numbers = _problem(group, figures)
    near = single(problem)
    if near:
        return _renumbered(near, numbers), len(near) == 1
    # Several figures: one of them may stand only in sums that close, so look further out.
    wide, whole = _grown(group, ties)
    problem, numbers = _problem(wide, figures)
    far = localise(problem)
    return _renumbered(far.solutions, numbers), far.unique and whole


def _renumbered(solutions: Iterable[Solution], numbers: Sequence[int]) -> tuple[Solution, ...]:
    return tuple(Solution(tuple(numbers[j] for j in s.figures), s.intervals) for s in solutions)


def _problem(group: Group, figures: Figures) -> tuple[Problem, list[int]]:
    """Return the group as a problem of its free figures; the others are taken as right."""
    numbers = sorted(group.free)
    at = {j: n for n, j in enumerate(numbers)}
    identities = []
    for tie in group.ties:
        held = [c * figures.values[j] for j, c in tie.identity.terms if j not in at]
        identities.append(
            Identity(
                tuple((at[j], c) for j, c in tie.identity.terms if j in at),
                tie.identity.tolerance,
                float(np.sum(held)),
            )
        )
    totals = {t.identity.terms[0][0] for t in group.ties}
    weights = [float(j in totals) + float(j >= figures.rows) for j in numbers]
    problem = Problem.of(
        figures.values[numbers], identities, lower=figures.lower[numbers], weights=weights
    )
    return problem, numbers


def _grown(group: Group, ties: Sequence[Tie]) -> tuple[Group, bool]:
    """Return the group with the sums around it, and whether all of them found room."""
    of_others = {j for t in ties if not t.one.closes for j in t.figures} - group.free
    around: defaultdict[int, list[Tie]] = defaultdict(list)
    for tie in ties:
        if tie.one.closes:
            for j in tie.figures:
                around[j].append(tie)
    free, edge = set(group.free), sorted(group.free)
    taken = {id(t): t for t in group.ties}
    whole = True
    while edge:
        further: set[int] = set()
        for tie in (t for j in edge for t in around[j]):
            taken[id(tie)] = tie
            further |= set(tie.figures) - free - of_others
        if len(free) + len(further) > _MOST_FIGURES:
            whole = False
            break
        free |= further
        edge = sorted(further)
    return Group(tuple(taken.values()), frozenset(free)), whole
