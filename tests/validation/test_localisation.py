"""Error localisation: the figures named are the ones that were spoilt, and no smaller set would do.

The reference is an exhaustive search over subsets, each tested by a linear program of its own.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gbi.validation.localisation import MOST_CHANGES, Identity, Problem, localise
from gbi.validation.slips import explain, printed

pytestmark = pytest.mark.slow

# Eleven figures, four equalities: schools by sex and place, two levels, and their grand total.
RECORD = (
    Identity(((2, 1.0), (0, -1.0), (1, -1.0))),
    Identity(((5, 1.0), (3, -1.0), (4, -1.0))),
    Identity(((8, 1.0), (2, -1.0), (5, -1.0), (6, -1.0), (7, -1.0))),
    Identity(((8, 1.0), (9, -1.0), (10, -1.0))),
)
# Women, men, total × urban, rural, total: nine figures, six equalities.
CROSSED = (
    *(Identity(((3 * r + 2, 1.0), (3 * r, -1.0), (3 * r + 1, -1.0))) for r in range(3)),
    *(Identity(((6 + c, 1.0), (c, -1.0), (3 + c, -1.0))) for c in range(3)),
)


def record(rng: np.random.Generator) -> np.ndarray:
    x = np.zeros(11)
    x[[0, 1, 3, 4, 6, 7]] = rng.integers(500, 9_000, 6)
    x[2], x[5] = x[0] + x[1], x[3] + x[4]
    x[8] = x[2] + x[5] + x[6] + x[7]
    x[9] = rng.integers(1, int(x[8]))
    x[10] = x[8] - x[9]
    return x


def crossed(rng: np.random.Generator) -> np.ndarray:
    t = np.zeros((3, 3))
    t[:2, :2] = rng.integers(50, 5_000, (2, 2))
    t[2, :2] = t[:2, :2].sum(axis=0)
    t[:, 2] = t[:, :2].sum(axis=1)
    return t.ravel()


def names(problem: Problem) -> list[set[int]]:
    return [set(s.figures) for s in localise(problem).solutions]


def test_one_spoilt_figure_of_300_crossed_records_is_named_alone() -> None:
    rng = np.random.default_rng(20260101)
    alone = 0
    for _ in range(300):
        x = crossed(rng)
        at = int(rng.integers(9))
        x[at] += float(rng.integers(3, 400))
        found = localise(Problem.of(x, CROSSED, lower=0.0))
        alone += found.unique and found.solutions[0].figures == (at,)
    assert alone >= 299


def test_one_spoilt_figure_of_300_records_of_eleven_is_always_among_the_answers() -> None:
    """Four equalities can't tell two leaves of one sum apart: both are named, neither is picked."""
    rng = np.random.default_rng(7)
    named = alone = 0
    for _ in range(300):
        x = record(rng)
        at = int(rng.integers(11))
        x[at] += float(rng.integers(3, 400))
        found = localise(Problem.of(x, RECORD, lower=0.0))
        named += any(s.figures == (at,) for s in found.solutions)
        shared = {(0,), (1,)}, {(3,), (4,)}, {(6,), (7,)}, {(9,), (10,)}
        answers = {s.figures for s in found.solutions}
        alone += len(answers) == 1
        assert answers == {(at,)} or answers in shared
        assert found.unique == (len(answers) == 1)
    assert named >= 299
    assert 40 <= alone <= 120  # 2, 5 and 8 of eleven


def test_the_interval_holds_the_true_value_and_nothing_that_breaks_a_sum() -> None:
    rng = np.random.default_rng(3)
    rounded = tuple(Identity(i.terms, 1.5) for i in CROSSED)
    for _ in range(50):
        true = crossed(rng)
        at = int(rng.integers(9))
        x = true.copy()
        x[at] += 40.0
        (solution,) = localise(Problem.of(x, rounded)).solutions
        ((low, high),) = solution.intervals
        assert low <= true[at] <= high
        for end in (low, high):
            mended = true.copy()
            mended[at] = end
            assert all(abs(i.residual(mended)) <= i.tolerance + 1e-9 for i in rounded)
        mended[at] = high + 0.01
        assert not all(i.closes(mended) for i in rounded)


def test_two_spoilt_figures_are_named() -> None:
    rng = np.random.default_rng(11)
    hit = 0
    for _ in range(40):
        x = crossed(rng)
        pair = rng.choice(9, 2, replace=False)
        x[pair] += rng.integers(5, 400, 2)
        found = names(Problem.of(x, CROSSED, lower=0.0))
        hit += set(pair.tolist()) in found
    assert hit == 40


def test_two_figures_in_one_anothers_place_are_named_though_their_sum_closes() -> None:
    x = np.array([300.0, 200.0, 500.0, 120.0, 90.0, 210.0, 420.0, 290.0, 710.0])
    x[[0, 3]] = x[[3, 0]]
    found = localise(Problem.of(x, CROSSED, lower=0.0))
    assert {0, 3} in [set(s.figures) for s in found.solutions]
    assert all(len(s.figures) == 2 for s in found.solutions)


def test_a_count_below_zero_is_at_fault_itself() -> None:
    x = np.array([-432.0, 420.0, 852.0])
    sums = (Identity(((2, 1.0), (0, -1.0), (1, -1.0))),)
    assert names(Problem.of(x, sums, lower=0.0)) == [{0}]
    assert len(names(Problem.of(x, sums))) == 3


def test_a_value_below_zero_is_no_answer() -> None:
    """Only taking the other addend below zero could mend it by that figure alone."""
    x = np.array([900.0, 100.0, 500.0])
    sums = (Identity(((2, 1.0), (0, -1.0), (1, -1.0))),)
    assert sorted(map(sorted, names(Problem.of(x, sums, lower=0.0)))) == [[0], [2]]


def test_totals_come_last_of_equals() -> None:
    sums = (Identity(((2, 1.0), (0, -1.0), (1, -1.0))),)
    found = localise(Problem.of([1.0, 2.0, 9.0], sums, weights=[0.0, 0.0, 1.0]))
    assert [s.figures for s in found.solutions] == [(0,), (1,), (2,)]
    assert not found.unique


def test_nothing_broken_and_nothing_possible_give_no_answer() -> None:
    sums = (Identity(((2, 1.0), (0, -1.0), (1, -1.0))),)
    assert localise(Problem.of([1.0, 2.0, 3.0], sums)).solutions == ()
    never = (Identity(((0, 1.0),), 0.0, 5.0),)  # the figure would have to be -5
    found = localise(Problem.of([1.0], never, lower=0.0))
    assert found.solutions == ()


def fits(problem: Problem, figures: tuple[int, ...]) -> bool:
    """Say by a linear program of its own whether these figures can mend everything."""
    a, b = [], []
    for identity in problem.identities:
        row = np.zeros(len(problem.values))
        for j, c in identity.terms:
            row[j] += c
        held = [j for j in range(len(row)) if j not in figures]
        fixed = identity.constant + float(row[held] @ problem.values[held])
        a += [row[list(figures)], -row[list(figures)]]
        b += [identity.tolerance - fixed + 1e-7, identity.tolerance + fixed + 1e-7]
    if any(problem.values[j] < problem.lower[j] for j in range(len(problem.values))
           if j not in figures):  # fmt: skip
        return False
    if not figures:
        return all(value >= 0 for value in b)
    bounds = [(None if np.isinf(problem.lower[j]) else problem.lower[j], None) for j in figures]
    return linprog(np.zeros(len(figures)), A_ub=np.array(a), b_ub=b, bounds=bounds).status == 0


def smallest(problem: Problem) -> set[tuple[int, ...]]:
    """Return all smallest sets by trying every one."""
    for size in range(MOST_CHANGES + 1):
        every = itertools.combinations(range(len(problem.values)), size)
        found = {figures for figures in every if fits(problem, figures)}
        if found:
            return found
    return set()


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    n = draw(st.integers(3, 7))
    identities = []
    for _ in range(draw(st.integers(1, 4))):
        terms = draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=4, unique=True))
        signs = [1.0, *[-1.0] * (len(terms) - 1)]
        tolerance = draw(st.sampled_from([0.0, 0.5, 2.0]))
        identities.append(Identity(tuple(zip(terms, signs, strict=True)), tolerance))
    values = draw(st.lists(st.integers(-3, 60), min_size=n, max_size=n))
    lower = draw(st.sampled_from([0.0, -np.inf]))
    return Problem.of([float(v) for v in values], identities, lower=lower)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(problems())
def test_the_sets_are_the_smallest_by_trying_every_subset(problem: Problem) -> None:
    expected = smallest(problem) - {()}
    found = localise(problem)
    assume(bool(expected) or not found.solutions)
    sets = {s.figures for s in found.solutions}
    assert sets <= expected
    assert bool(sets) == bool(expected)
    if found.complete:
        assert sets == expected


@pytest.mark.parametrize(
    ("found", "needed", "kind"),
    [
        (432, 423, "transposition"),
        (4321, 432, "extra_digit"),
        (432, 4532, "missing_digit"),
        (432, 472, "digit"),
        (-432, 432, "sign"),
        (432, 432_000, "thousandfold"),
        (432_000_000, 432, "thousandfold"),
        (432, 4320, "decimal"),
        (4.32, 43.2, "decimal"),
        (432, 999, ""),
        (0, 432, ""),
    ],
)
def test_a_simple_slip_is_named(found: float, needed: float, kind: str) -> None:
    unit = 0.01 if isinstance(found, float) else 1.0
    assert explain(float(found), needed, needed, unit) == (needed, kind)


def test_where_many_values_would_do_no_slip_is_claimed() -> None:
    assert explain(432.0, 400.0, 500.0, 1.0) == (None, "")
    assert explain(432.0, 453.5, 456.5, 1.0) == (None, "")
    assert explain(432.0, 470.5, 473.5, 1.0) == (472.0, "digit")
    assert printed(453.5, 456.5, 1.0) == (454.0, 456.0)


def test_a_thousandfold_figure_is_told_within_its_rounding() -> None:
    """432 thousand stands for anything that rounds to it: the kind is sure, the value is not."""
    assert explain(432.0, 431_870.0, 431_870.0, 1.0) == (431_870.0, "thousandfold")
    assert explain(1.0, 700.0, 700.0, 1.0) == (700.0, "")
