"""Parity, gaps and achievement at their edges, and the symmetries that they must have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.compute import (
    absolute_gap,
    achieved,
    adjusted_parity,
    against,
    closure,
    distance,
    equal,
    member_share,
    parity,
    parity_band,
    progress,
    quotient,
    relative_gap,
    share_of_ratio,
    within_range,
)

NAN = float("nan")
positive = st.floats(1e-6, 1e9)


@pytest.mark.parametrize(("f", "m"), [(None, 3), (3, None), (5, 0), (0, 0), (np.inf, 1)])
def test_parity_is_not_defined_without_both_sides_or_with_no_men(f: object, m: object) -> None:
    assert np.isnan(parity(f, m))  # type: ignore[arg-type]
    assert np.isnan(relative_gap(f, m))  # type: ignore[arg-type]


def test_an_absolute_gap_needs_no_denominator() -> None:
    assert absolute_gap(5, 0) == 5
    assert np.isnan(absolute_gap(NAN, 3))
    assert np.isnan(absolute_gap(3, NAN))


def test_the_adjusted_index_is_defined_where_no_man_is() -> None:
    assert adjusted_parity(5, 0) == 2
    assert adjusted_parity(0, 5) == 0
    assert np.isnan(adjusted_parity(0, 0))
    assert np.isnan(adjusted_parity(-1, 2))


@given(positive, positive)
def test_a_swap_negates_the_gap_and_inverts_parity(f: float, m: float) -> None:
    assert absolute_gap(f, m) == -absolute_gap(m, f)
    assert parity(f, m) * parity(m, f) == pytest.approx(1)
    assert adjusted_parity(f, m) == pytest.approx(2 - adjusted_parity(m, f))
    assert relative_gap(f, m) == pytest.approx(parity(f, m) - 1, rel=1e-9, abs=1e-9)


@given(positive, positive, st.sampled_from([10.0, 1000.0]))
def test_parity_has_no_unit_and_the_gap_has(f: float, m: float, k: float) -> None:
    assert parity(f * k, m * k) == pytest.approx(parity(f, m))
    assert absolute_gap(f * k, m * k) == pytest.approx(k * absolute_gap(f, m), rel=1e-9, abs=1e-6)


@given(positive, positive)
def test_the_shares_of_women_and_men_make_one(f: float, m: float) -> None:
    assert member_share(f, m) + member_share(m, f) == pytest.approx(1)
    assert share_of_ratio(parity(f, m)) == pytest.approx(member_share(f, m))


def test_the_band_holds_its_bounds_and_takes_unrounded_values() -> None:
    found = parity_band([0.97, 1.03, 1.0, 0.9699999, 1.0300001, NAN])
    assert found.tolist() == ["PARITY", "PARITY", "PARITY", "AGAINST_F", "AGAINST_M", None]
    assert parity_band(0.95, low=0.9, high=1.1).item() == "PARITY"
    edges = parity([2.134, 4.738, 5.044, 16.49, 261.9], [2.2, 4.6, 5.2, 17, 270])
    assert parity_band(edges).tolist() == ["PARITY"] * 5


def test_nothing_is_infinite() -> None:
    assert np.isnan(quotient([1, 1e308], [0, 1e-300])).all()


def test_closure_of_a_gap() -> None:
    assert closure(10, 5) == 0.5
    assert closure(10, -5) == 1.5
    assert closure(10, 12) == -0.2
    assert np.isnan(closure(0, 5))


def test_achievement_by_direction() -> None:
    found = achieved(
        [80, 50, 80, 5, 0], [100, 40, 0, 3, 3], ["UP", "DOWN", "UP", "NEAREST", "DOWN"]
    )
    assert found[:2].tolist() == [0.8, 0.8]
    assert np.isnan(found[2:]).all()


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_progress_is_the_same_in_both_directions(a: float, t: float, b: float) -> None:
    up, down = progress(a, t, b), progress(-a, -t, -b)
    assert np.array_equal(up, down, equal_nan=True)
    if t == b:
        assert np.isnan(up)


def test_a_range_is_reached_inside_and_fades_outside() -> None:
    found = within_range([50, 58, 80, 40, NAN], 45, 55, tolerance=10)
    assert found[:4].tolist() == pytest.approx([1, 0.7, 0, 0.5])
    assert np.isnan(found[4])


def test_a_target_on_the_wrong_side() -> None:
    way = ["UP", "UP", "UP", "DOWN", "DOWN", "NEAREST", "NEAREST", ""]
    found = against([10, 10, 10, 10, 10, 0.9, 0.9, 10], [9, 10, NAN, 11, 9, 0.8, 0.95, 1], way, 1)
    assert found.tolist() == [True, False, False, True, False, True, False, False]


def test_floating_point_noise_is_no_difference() -> None:
    assert equal(0.1 + 0.2, 0.3)
    assert not against(0.1 + 0.2, 0.3, "UP", NAN)
    assert not equal(NAN, NAN)
    assert distance(3, 5) == 2
