"""What published sums tell about hidden cells, and which others to hide so that it is little.

Each question is a linear programme: between which values can a hidden cell lie, given everything
that is shown and that nothing is negative?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts are loaded when they are asked for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.compute.additive import Additive

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

EPSILON = 1e-6
_SLACK_COST = 1_000.0
_MARGIN = 1e-5  # what solvers leave open, on top of every width
_EFFORT = 20_000  # programmes × size that may be spent on showing cells of one table again


@dataclass(frozen=True, eq=False)
class System:
    """Sums over non-negative variables, with the values that the cells have.

    Attributes
    ----------
    sums, equal
        Cells × variables; equations × variables that are 0.
    values
        Of the cells; NaN where not known.
    tolerance
        How far a value may lie from its sum: rounding, and errors of the data.
    """

    sums: scipy.sparse.csr_matrix
    equal: scipy.sparse.csr_matrix
    values: Floats
    tolerance: Floats

    @property
    def ceiling(self) -> float:
        """A value above everything: what it bounds is unbounded."""
        known = self.values[np.isfinite(self.values)]
        return float(10.0 * known.max(initial=0.0) + 10_000.0)


@dataclass(frozen=True, eq=False)
class Sensitive:
    """A sum that must stay uncertain: its width, and how far above its value it must reach."""

    vector: Floats
    width: float
    least: float | None = None
    personal: bool = True


def _solve(
    cost: Floats, blocks: Sequence[tuple[Any, Floats, Floats]], upper: Floats
) -> scipy.optimize.OptimizeResult:
    constraints = [scipy.optimize.LinearConstraint(a, lb, ub) for a, lb, ub in blocks if a.shape[0]]
    return scipy.optimize.milp(
        cost, constraints=constraints, bounds=scipy.optimize.Bounds(np.zeros(len(cost)), upper)
    )


def system(table: Additive, values: Floats, tolerance: Floats, *, seen: bool = False) -> System:
    """Return the system that holds for known values.

    Parameters
    ----------
    table
        Which cells are sums of what.
    values, tolerance
        Of the cells.
    seen
        Whether the values are what a reader sees, rather than the true ones: a reader can't know
        that a group without a cell is empty.

    Notes
    -----
    Variables for what no cell names are kept only where the values force them: whoever reads the
    table takes for granted that its parts are all there is. Values that no sum fits get a
    tolerance of their error.
    """
    known = np.isfinite(values)
    a = table.sums[known]
    n, m = a.shape
    doubtful = table.rests & ~table.missing if seen else table.rests
    cost = np.concatenate([np.where(doubtful, 1.0, 0.0), np.full(2 * n, _SLACK_COST)])
    eye = scipy.sparse.identity(n, format="csr")
    rows = scipy.sparse.hstack([a, eye, -eye], format="csr")
    none = scipy.sparse.hstack(
        [table.equal, scipy.sparse.csr_matrix((table.equal.shape[0], 2 * n))], format="csr"
    )
    zero = np.zeros(none.shape[0])
    v, t = values[known], tolerance[known]
    top = np.full(len(cost), np.inf)
    found = _solve(cost, [(rows, v - t, v + t), (none, zero, zero)], top)
    if found.x is None:  # cannot be: slacks make it feasible
        return System(table.sums, table.equal, values, np.full(len(values), np.inf))
    keep = ~doubtful | (found.x[:m] > EPSILON)
    out = tolerance.copy()
    out[known] += np.maximum(found.x[m : m + n], found.x[m + n :])
    out = np.where(out < EPSILON, 0.0, out)
    return System(table.sums[:, keep], table.equal[:, keep], values, out)


def _facts(s: System, shown: Mask) -> list[tuple[Any, Floats, Floats]]:
    v, t = s.values[shown], s.tolerance[shown]
    zero = np.zeros(s.equal.shape[0])
    return [(s.sums[shown], v - t, v + t), (s.equal, zero, zero)]


def interval(s: System, shown: Mask, vector: Floats) -> tuple[float, float]:
    """Return the least and the greatest value that a sum can have, given the cells shown.

    Parameters
    ----------
    s
        The table.
    shown
        Which cells are published.
    vector
        The sum, by variable.

    Returns
    -------
    tuple of float
        NaN twice if nothing fits what is shown.
    """
    facts, top = _facts(s, shown), np.full(s.sums.shape[1], s.ceiling)
    ends = []
    for sign in (1.0, -1.0):
        found = _solve(sign * vector, facts, top)
        if found.x is None:
            return np.nan, np.nan
        ends.append(float(vector @ found.x))
    low, high = ends
    return max(low, 0.0), np.inf if high >= s.ceiling * 0.999 else high


def _pair(s: System, hidden: Mask, goal: Sensitive, weights: Floats, fixed: Mask) -> Floats | None:
    """Return how far the cells must move, at least cost, for a goal to be uncertain.

    The two ends of the uncertainty are found together; cells that stay where they are can stay
    published. Returns cells × (up, down) values of the two ends and the moves, or None.
    """
    shown = ~hidden & np.isfinite(s.values)
    a, n, m = s.sums[shown], int(shown.sum()), s.sums.shape[1]
    v, t = s.values[shown], s.tolerance[shown]
    free = ~fixed[shown]
    move = scipy.sparse.diags(free.astype(float), format="csr")
    none = scipy.sparse.csr_matrix((n, m))
    up = scipy.sparse.hstack([a, none], format="csr")
    down = scipy.sparse.hstack([none, a], format="csr")
    infinite = np.full(n, np.inf)
    blocks: list[tuple[Any, Floats, Floats]] = []
    for end in (up, down):
        blocks.append((scipy.sparse.hstack([end, -move]), -infinite, v + t))
        blocks.append((scipy.sparse.hstack([end, move]), v - t, infinite))
    e, k = s.equal, s.equal.shape[0]
    both = scipy.sparse.block_diag([e, e]) if k else scipy.sparse.csr_matrix((0, 2 * m))
    zero = np.zeros(2 * k)
    wide = scipy.sparse.hstack([both, scipy.sparse.csr_matrix((2 * k, n))])
    blocks.append((wide, zero, zero))
    apart = np.concatenate([goal.vector, -goal.vector, np.zeros(n)])
    blocks.append((scipy.sparse.csr_matrix(apart), np.array([goal.width + _MARGIN]),
                   np.array([np.inf])))  # fmt: skip
    if goal.least is not None:
        above = np.concatenate([goal.vector, np.zeros(m + n)])
        blocks.append((scipy.sparse.csr_matrix(above), np.array([goal.least]), np.array([np.inf])))
    blocks += _singles(s, hidden, goal, m, n)
    cost = np.concatenate([np.zeros(2 * m), weights[shown]])
    top = np.concatenate([np.full(2 * m, s.ceiling), np.full(n, s.ceiling)])
    found = _solve(cost, blocks, top)
    if found.x is None:
        return None
    ends = np.stack([s.sums @ found.x[:m], s.sums @ found.x[m : 2 * m]], axis=1)
    moves = np.zeros(len(s.values))
    moves[shown] = found.x[2 * m :]
    return np.column_stack([ends, moves])


def _singles(s: System, hidden: Mask, goal: Sensitive, m: int, n: int
             ) -> list[tuple[Any, Floats, Floats]]:  # fmt: skip
    """Return that a cell of one person is known to that person, and can't protect another's."""
    if not goal.personal:
        return []
    alone = np.flatnonzero(hidden & (s.values == 1.0))
    mine = goal.vector > 0
    rows = [int(i) for i in alone if not mine[s.sums[int(i)].indices].any()]
    if not rows:
        return []
    a, none = s.sums[rows], scipy.sparse.csr_matrix((len(rows), m))
    pad, one = scipy.sparse.csr_matrix((len(rows), n)), np.ones(len(rows))
    return [
        (scipy.sparse.hstack([a, none, pad]), one, one),
        (scipy.sparse.hstack([none, a, pad]), one, one),
    ]


@dataclass(frozen=True, eq=False)
class _Witness:
    """Two tables that agree with everything shown: why a goal can't be narrowed down."""

    goal: Sensitive
    moved: Mask
    span: Floats


def _witness(s: System, hidden: Mask, goal: Sensitive, weights: Floats, fixed: Mask
             ) -> _Witness | None:  # fmt: skip
    found = _pair(s, hidden, goal, weights, fixed)
    if found is None:
        return None
    off = np.abs(found[:, :2] - s.values[:, None]).max(axis=1) > s.tolerance + EPSILON
    moved = np.where(hidden, off | ~np.isfinite(s.values), found[:, 2] > EPSILON)
    return _Witness(goal, moved.astype(bool), np.abs(found[:, 0] - found[:, 1]))


def protect(
    s: System, hidden: Mask, goals: Sequence[Sensitive], weights: Floats, width: float
) -> Mask:
    """Return which cells to hide so that no goal, and no hidden cell, can be narrowed down.

    Parameters
    ----------
    s
        The table with its true values.
    hidden
        The cells that are hidden in any case.
    goals
        What must stay uncertain.
    weights
        The cost of hiding a cell.
    width
        The least width of every hidden cell's interval.

    Notes
    -----
    Goal by goal, one linear programme finds two tables that agree with everything shown and lie
    far enough apart, moving the cheapest published cells; what moves is hidden. Hiding more never
    narrows what was wide, so the result is safe whatever the order. Then every cell that was
    hidden for others' sake is shown again, the dearest first, if all stays protected without it.
    (An integer programme would find the cheapest set, but HiGHS through SciPy prints to the
    standard output and stops at a time that depends on the machine.)
    """
    start = hidden.copy()
    zeros = s.values == 0.0  # often known to be empty: they hide nothing
    none = np.zeros_like(zeros)
    hidden = hidden.copy()
    witnesses: list[_Witness] = []
    queue = list(goals)
    while queue:
        goal = queue.pop(0)
        found = _witness(s, hidden, goal, weights, zeros) or _witness(
            s, hidden, goal, weights, none
        )
        if found is None or len(witnesses) > len(goals) + 2 * len(hidden):
            return np.ones_like(hidden)  # no table fits: nothing of it is published
        witnesses.append(found)
        hidden |= found.moved
        if not queue and (narrow := _narrow(hidden, witnesses, width)) is not None:
            vector = s.sums[[narrow]].toarray().ravel()
            queue.append(Sensitive(vector, width, personal=False))
    return _released(s, start, hidden, witnesses, weights, width)


def _narrow(hidden: Mask, witnesses: Sequence[_Witness], width: float) -> int | None:
    """Return a hidden cell that no witness shows to be wide, or None."""
    span = np.max([w.span for w in witnesses], axis=0, initial=0.0)
    span = np.broadcast_to(span, hidden.shape)
    narrow = np.flatnonzero(hidden & (span < width - EPSILON))
    return int(narrow[0]) if len(narrow) else None


def _released(
    s: System,
    start: Mask,
    hidden: Mask,
    witnesses: list[_Witness],
    weights: Floats,
    width: float,
) -> Mask:
    """Return the hidden cells without those that protect nothing."""
    extra = np.flatnonzero(hidden & ~start & np.isfinite(s.values))
    left = _EFFORT // sum(s.sums.shape)
    for i in sorted(extra, key=lambda i: (-weights[i], i)):
        fixed = hidden.copy()
        fixed[i] = False
        kept: list[_Witness] = []
        for witness in witnesses:
            own = not witness.goal.personal and _is_cell(s, witness.goal, int(i))
            again: _Witness | None = witness
            if own:
                again = None  # shown, it needs no protection
            elif witness.moved[i]:
                left -= 1
                again = None if left < 0 else _witness(
                    s, fixed, witness.goal, weights, np.ones_like(hidden)
                )  # fmt: skip
                if again is None:
                    break
            if again is not None:
                kept.append(again)
        else:
            while left > 0 and (narrow := _narrow(fixed, kept, width)) is not None:
                left -= 1
                goal = Sensitive(s.sums[[narrow]].toarray().ravel(), width, personal=False)
                again = _witness(s, fixed, goal, weights, np.ones_like(hidden))
                if again is None:
                    break
                kept.append(again)
            if _narrow(fixed, kept, width) is None:
                hidden, witnesses = fixed, kept
        if left <= 0:
            break
    return hidden


def _is_cell(s: System, goal: Sensitive, i: int) -> bool:
    return bool((s.sums[[i]].toarray().ravel() == goal.vector).all())
