"""Error localisation after Fellegi and Holt: the fewest figures whose change mends all sums.

Figures are tied by linear identities that hold within a tolerance. Where some are broken, the
smallest sets of figures are sought that could take other values so that every identity holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MOST_CHANGES = 4  # a group that needs more is to be read again as a whole, not patched
MOST_SOLUTIONS = 6
_MOST_ROUNDS = 400  # the bound that decides; the clock below is only a safety net
_SECONDS = 2.0
_PREFERENCE = 1e-3  # of a weight against one more change: it only orders sets of one size
_ZERO = 1e-9


@dataclass(frozen=True, slots=True)
class Identity:
    """A sum that should hold: coefficients times values, and the constant, give 0.

    Attributes
    ----------
    terms
        Figure (its number) and coefficient: 1 for a total, -1 for each of its addends.
    tolerance
        How far from 0 rounding explains.
    constant
        What the figures that are taken as right contribute.
    """

    terms: tuple[tuple[int, float], ...]
    tolerance: float = 0.0
    constant: float = 0.0

    def residual(self, values: NDArray[np.float64]) -> float:
        """Return how far the identity is from closing."""
        return math.fsum([self.constant, *(c * float(values[j]) for j, c in self.terms)])

    def closes(self, values: NDArray[np.float64]) -> bool:
        """Whether the identity holds within its tolerance."""
        return abs(self.residual(values)) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Solution:
    """A smallest set of figures to change, and per figure the least and greatest value needed."""

    figures: tuple[int, ...]
    intervals: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Localisation:
    """All smallest sets, the likeliest in front, and whether none can have been overlooked."""

    solutions: tuple[Solution, ...]
    complete: bool

    @property
    def unique(self) -> bool:
        """Whether there is one answer and no other."""
        return self.complete and len(self.solutions) == 1


@dataclass(frozen=True, eq=False)
class Problem:
    """Figures and the identities that tie them.

    Attributes
    ----------
    values
        The figures as read.
    identities
        What should hold.
    lower
        The least value that each may take (minus infinity: any); a figure below it is at fault.
    weights
        Of two sets of the same size, the one whose figures weigh less comes first.
    """

    values: NDArray[np.float64]
    identities: tuple[Identity, ...]
    lower: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        values: Sequence[float] | NDArray[np.float64],
        identities: Sequence[Identity],
        *,
        lower: Sequence[float] | NDArray[np.float64] | float = -math.inf,
        weights: Sequence[float] | NDArray[np.float64] | float = 0.0,
    ) -> Problem:
        """Return a problem from plain sequences; one number stands for every figure."""
        read = np.asarray(values, dtype=np.float64)
        low = np.broadcast_to(np.asarray(lower, dtype=np.float64), read.shape)
        return cls(read, tuple(identities), low, np.broadcast_to(np.asarray(weights), read.shape))

    @property
    def broken(self) -> tuple[Identity, ...]:
        """The identities that do not hold."""
        return tuple(i for i in self.identities if not i.closes(self.values))

    @property
    def forbidden(self) -> tuple[int, ...]:
        """The figures that are below what they may be."""
        return tuple(int(j) for j in np.flatnonzero(self.values < self.lower))


def localise(problem: Problem) -> Localisation:
    """Find the smallest sets of figures whose change makes every identity hold.

    Parameters
    ----------
    problem
        The figures and identities of one group.

    Returns
    -------
    Localisation
        Without solutions if nothing is broken or if more than ``MOST_CHANGES`` would be needed.
    """
    if not problem.broken and not problem.forbidden:
        return Localisation((), True)
    alone = single(problem)
    return Localisation(alone, True) if alone else _several(problem)


def _order(problem: Problem, solution: Solution) -> tuple[float, tuple[int, ...]]:
    return float(problem.weights[list(solution.figures)].sum()), solution.figures


def single(problem: Problem) -> tuple[Solution, ...]:
    """Return the figures that mend everything alone: some value suits all their identities."""
    broken = problem.broken
    candidates = set(problem.forbidden) if problem.forbidden else None
    for identity in broken:
        own = {j for j, c in identity.terms if c}
        candidates = own if candidates is None else candidates & own
    if len(problem.forbidden) > 1 or not candidates:
        return ()
    out = []
    for j in sorted(candidates):
        low, high = float(problem.lower[j]), math.inf
        for identity in problem.identities:
            weight = math.fsum(c for i, c in identity.terms if i == j)
            if not weight:
                continue
            middle = float(problem.values[j]) - identity.residual(problem.values) / weight
            room = identity.tolerance / abs(weight)
            low, high = max(low, middle - room), min(high, middle + room)
        if low <= high + _slip(problem):
            out.append(Solution((j,), ((min(low, high), max(low, high)),)))
    return tuple(sorted(out, key=lambda s: _order(problem, s)))


def _slip(problem: Problem) -> float:
    """Return the error of floating-point sums of such figures."""
    return 1e-10 * max(1.0, float(np.abs(problem.values).max(initial=0.0)))


# scipy is imported where it is used: most validations end without a sum to reconcile.
def _linprog(*args: Any, **options: Any) -> Any:
    """Solve a linear program; scipy's own annotations do not know sparse matrices."""
    from scipy.optimize import linprog

    solve: Any = linprog
    return solve(*args, method="highs", **options)


class _Matrix:
    """The identities as a matrix, with what is read for each."""

    def __init__(self, problem: Problem) -> None:
        from scipy import sparse

        rows, columns, data = [], [], []
        for i, identity in enumerate(problem.identities):
            for j, c in identity.terms:
                rows.append(i)
                columns.append(j)
                data.append(c)
        shape = (len(problem.identities), len(problem.values))
        self.a = sparse.csc_array((data, (rows, columns)), shape=shape)
        self.a.sum_duplicates()
        residuals = [i.residual(problem.values) for i in problem.identities]
        self.residual = np.array(residuals, dtype=np.float64)
        self.tolerance = np.array([i.tolerance for i in problem.identities], dtype=np.float64)
        self.problem = problem

    def fits(self, figures: tuple[int, ...]) -> tuple[bool, frozenset[int]]:
        """Say whether these figures can mend everything, or else which others one must come from.

        The dual prices of a set that does not fit add the identities up to one that no values of
        the set can satisfy; some other figure in it has to change. That is an implied edit.
        """
        from scipy import sparse

        n = len(figures)
        touched = np.flatnonzero((abs(self.residual) > self.tolerance) | self._touches(figures))
        part = self.a[touched]
        m = len(touched)
        own = part[:, list(figures)]
        slack = -sparse.eye_array(m, format="csc")
        ub = sparse.vstack([sparse.hstack([own, slack]), sparse.hstack([-own, slack])])
        gap, room = self.residual[touched], self.tolerance[touched]
        found = _linprog(
            np.concatenate([np.zeros(n), np.ones(m)]),
            A_ub=ub,
            b_ub=np.concatenate([room - gap, room + gap]),
            bounds=[*self._bounds(figures), *[(0.0, None)] * m],
            options={"time_limit": _SECONDS},
        )
        if found.x is None:
            return False, frozenset()
        if float(found.fun) <= max(1e-7, _slip(self.problem)):
            return True, frozenset()
        prices = found.ineqlin.marginals
        together = np.asarray((prices[:m] - prices[m:]) @ part).ravel()
        implied = np.flatnonzero(np.abs(together) > _ZERO)
        return False, frozenset(int(j) for j in implied) - set(figures)

    def intervals(self, figures: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
        """Return, per figure, the least and the greatest value that lets everything hold."""
        from scipy import sparse

        touched = np.flatnonzero(self._touches(figures))
        own = self.a[touched][:, list(figures)]
        gap = self.residual[touched]
        # What rounding of the sums themselves hides must not make the set infeasible again.
        room = self.tolerance[touched] + _slip(self.problem)
        ub, b = sparse.vstack([own, -own]), np.concatenate([room - gap, room + gap])
        out = []
        for at, figure in enumerate(figures):
            ends = []
            for sign in (1.0, -1.0):
                c = np.zeros(len(figures))
                c[at] = sign
                found = _linprog(c, A_ub=ub, b_ub=b, bounds=self._bounds(figures))
                move = float(found.x[at]) if found.x is not None else -sign * math.inf
                ends.append(float(self.problem.values[figure]) + move)
            out.append((ends[0], ends[1]))
        return tuple(out)

    def _touches(self, figures: tuple[int, ...]) -> NDArray[np.bool_]:
        if not figures:
            return np.zeros(self.a.shape[0], dtype=bool)
        counted = abs(self.a[:, list(figures)]).sum(axis=1)
        return np.asarray(counted).ravel() > 0

    def _bounds(self, figures: tuple[int, ...]) -> list[tuple[float | None, float | None]]:
        """Return how far each figure may move: not below its least value."""
        lowest = self.problem.lower[list(figures)] - self.problem.values[list(figures)]
        return [(None if math.isinf(m) else float(m), None) for m in lowest]


def _several(problem: Problem) -> Localisation:
    """Search sets of two and more: a master problem proposes, linear programs refuse with a cut."""
    matrix = _Matrix(problem)
    cuts = {frozenset({j}) for j in problem.forbidden}
    cuts |= {frozenset(j for j, c in i.terms if c) for i in problem.broken}
    solutions: list[Solution] = []
    size = MOST_CHANGES
    for figures in _proposed(problem, cuts, solutions):
        if figures is None or len(figures) > size:
            return Localisation(tuple(solutions), True)
        fits, implied = matrix.fits(figures)
        if fits:
            size = len(figures)
            solutions.append(Solution(figures, matrix.intervals(figures)))
            if len(solutions) == MOST_SOLUTIONS:
                return Localisation(tuple(solutions), False)
        elif not implied:
            return Localisation(tuple(solutions), False)  # no values whatever would do
        else:
            cuts.add(implied)
    return Localisation(tuple(solutions), False)


def _proposed(
    problem: Problem, cuts: set[frozenset[int]], solutions: list[Solution]
) -> Iterator[tuple[int, ...] | None]:
    """Yield the cheapest set that hits every cut and repeats no solution, as both lists grow."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    for _ in range(_MOST_ROUNDS):
        names = sorted(set().union(*cuts))
        at = {j: n for n, j in enumerate(names)}
        rows = [[(at[j], 1.0) for j in cut] for cut in sorted(cuts, key=sorted)]
        least = [1.0] * len(rows)
        for one in solutions:
            if all(j in at for j in one.figures):
                rows.append([(at[j], -1.0) for j in one.figures])
                least.append(1.0 - len(one.figures))
        a = np.zeros((len(rows), len(names)))
        for i, row in enumerate(rows):
            for n, c in row:
                a[i, n] = c
        found = milp(
            1.0 + _PREFERENCE * problem.weights[names],
            integrality=np.ones(len(names), dtype=np.int64),
            bounds=Bounds(0.0, 1.0),
            constraints=LinearConstraint(a, lb=np.array(least), ub=np.inf),
            options={"time_limit": _SECONDS},
        )
        if found.x is None:
            yield None
            return
        yield tuple(j for j, z in zip(names, found.x, strict=True) if z > 0.5)
