"""Keys and sums: missing is a key of its own, and the order of the rows changes no bit."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.compute import exact_sum, grouped_sum, keys_of

cells = st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from(["1", "2", None]))


def test_missing_is_equal_to_missing_and_to_nothing_else() -> None:
    frame = pd.DataFrame({"a": ["x", None, "x", None, ""], "b": [1.0, np.nan, 1.0, np.nan, np.nan]})
    keys = keys_of(frame, ["a", "b"])
    assert keys.ids[0] == keys.ids[2]
    assert keys.ids[1] == keys.ids[3] != keys.ids[4]
    assert sorted(keys.sizes().tolist()) == [1, 2, 2]


def test_without_columns_all_rows_are_one_group() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert keys_of(frame, []).ids.tolist() == [0, 0, 0]
    assert len(keys_of(frame.iloc[:0], ["a"])) == 0
    assert keys_of(frame.iloc[:0], ["a"]).members() == []


def test_text_and_numbers_in_one_column_have_an_order() -> None:
    keys = keys_of(pd.DataFrame({"a": pd.Series(["b", 1, "a", 1], dtype=object)}), ["a"])
    assert len(keys) == 3
    assert keys.ids[1] == keys.ids[3]


@given(st.lists(cells, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_groups_have_the_same_numbers_in_any_order(rows: list[tuple], random: Random) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype="str")
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = frame.iloc[order].reset_index(drop=True)
    first, second = keys_of(frame, ["a", "b"]), keys_of(shuffled, ["a", "b"])
    assert second.ids.tolist() == first.ids[order].tolist()
    assert first.ids[first.first].tolist() == list(range(len(first)))


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
    st.sampled_from([None, 0, 2]),
)
def test_a_sum_has_the_same_bits_in_any_order(
    values: list[float], random: Random, decimals: int | None
) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    keys = keys_of(pd.DataFrame({"a": [0] * len(values)}), ["a"])
    first = grouped_sum(values, keys, decimals=decimals)[0]
    second = grouped_sum(shuffled, keys, decimals=decimals)[0]
    assert first == second
    assert exact_sum(values) == exact_sum(shuffled)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
def test_cents_are_summed_as_integers(cents: list[int]) -> None:
    keys = keys_of(pd.DataFrame({"a": [0] * len(cents)}), [])
    assert grouped_sum([c / 100 for c in cents], keys, decimals=2)[0] == sum(cents) / 100


def test_missing_amounts_are_left_out_and_a_group_of_them_is_missing() -> None:
    keys = keys_of(pd.DataFrame({"a": ["x", "x", "y"]}), ["a"])
    found = grouped_sum([1.5, np.nan, np.nan], keys)
    assert found[0] == 1.5
    assert math.isnan(found[1])
    assert exact_sum([0.1] * 10) == pytest.approx(1)
    assert exact_sum([1e16, 1.0, -1e16]) == 1.0
