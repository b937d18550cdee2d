"""A frame is put in a table's form, and no value of it changes on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.schemas import schema, tables

finite = st.floats(allow_nan=False)
whole = st.integers(-(2**63), 2**63 - 1)


def column(name: str, values: list[object]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=object)})


def refused(name: str, value: object) -> GbiError:
    with pytest.raises(GbiError) as caught:
        schema("statistics").conform(column(name, [value]))
    assert caught.value.code == "GBI-E052"
    return caught.value


@given(st.lists(st.none() | finite))
def test_numbers_stay_what_they_are(values: list[float | None]) -> None:
    out = schema("statistics").conform(column("OBS_VALUE", list(values)))["OBS_VALUE"]
    assert str(out.dtype) == "float64"
    assert [None if np.isnan(v) else v for v in out] == values


@given(st.lists(st.none() | whole))
def test_whole_numbers_stay_what_they_are_up_to_the_last_digit(values: list[int | None]) -> None:
    out = schema("statistics").conform(column("N_OBS", list(values)))["N_OBS"]
    assert str(out.dtype) == "Int64"
    assert [None if v is pd.NA else v for v in out] == values


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_stay_what_they_are(values: list[str | None]) -> None:
    out = schema("statistics").conform(column("COMMENT", list(values)))["COMMENT"]
    assert str(out.dtype) == "str"
    assert [None if pd.isna(v) else v for v in out] == values


@given(st.one_of(st.text(), st.booleans(), st.dates(), st.lists(st.integers(), min_size=1)))
def test_what_is_no_number_is_refused_and_not_made_one(value: object) -> None:
    for name, kind in (("OBS_VALUE", "number"), ("N_OBS", "integer")):
        error = refused(name, value)
        assert error.where == f"statistics, {name} [0]"
        assert (error.expected, error.got) == (kind, repr(value))


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_what_is_no_text_is_refused_and_not_written_out(value: object) -> None:
    assert refused("COMMENT", value).expected == "string"


@given(finite.filter(lambda x: not x.is_integer()))
def test_a_fraction_is_no_whole_number(value: float) -> None:
    assert refused("N_OBS", value).expected == "integer"


@given(st.permutations(schema("population").columns[:12]), st.integers(0, 3))
def test_the_order_is_the_table_s_whatever_the_sender_s(names: list[str], rows: int) -> None:
    frame = pd.DataFrame({name: ["x"] * rows for name in names}, dtype="str")
    out = schema("population").conform(frame)
    known = schema("population").columns
    assert list(out.columns) == [c for c in known if c in set(out.columns)]
    assert set(names) <= set(out.columns)
    assert len(out) == rows


@pytest.mark.parametrize("name", tables())
def test_an_empty_frame_gets_the_defaults_and_their_types(name: str) -> None:
    mine = schema(name)
    out = mine.conform(pd.DataFrame())
    assert list(out.columns) == [f.name for f in mine.fields if f.default is not None]
    dtypes = {"string": "str", "integer": "Int64"}
    for each in out.columns:
        assert str(out[each].dtype) == dtypes[mine.field(each).type]
    assert out.empty


@pytest.mark.parametrize("name", tables())
def test_conforming_twice_is_conforming_once(name: str) -> None:
    mine = schema(name)
    once = mine.conform(pd.DataFrame({"theirs": [1, 2], "another": ["a", None]}))
    pd.testing.assert_frame_equal(mine.conform(once), once)
    defaults = {f.name: f.default for f in mine.fields if f.default is not None}
    assert {c: once[c].unique().tolist() for c in defaults} == {
        c: [value] for c, value in defaults.items()
    }
    assert list(once.columns)[-2:] == ["theirs", "another"]


def test_the_sender_s_frame_is_not_touched() -> None:
    frame = pd.DataFrame({"OBS_VALUE": [1, 2], "SEX": ["F", "M"]}, index=[5, 5])
    before = frame.copy(deep=True)
    out = schema("statistics").conform(frame)
    out["OBS_VALUE"] = 0.0
    pd.testing.assert_frame_equal(frame, before)
    assert out.index.tolist() == [0, 1]


def test_numbers_of_other_widths_are_numbers() -> None:
    frame = pd.DataFrame({
        "OBS_VALUE": np.array([1, 2], dtype="int16"), "N_OBS": np.array([3.0, 4.0]),
        "STD_ERR": pd.array([1, None], dtype="Int32"),
    })  # fmt: skip
    out = schema("statistics").conform(frame)
    assert out["OBS_VALUE"].tolist() == [1.0, 2.0]
    assert out["N_OBS"].tolist() == [3, 4]
    assert out["STD_ERR"].isna().tolist() == [False, True]


def test_a_category_is_text() -> None:
    out = schema("statistics").conform(pd.DataFrame({"SEX": pd.Categorical(["F", None, "M"])}))
    assert str(out["SEX"].dtype) == "str"
    assert out["SEX"].isna().tolist() == [False, True, False]


def test_the_first_value_that_does_not_fit_is_named() -> None:
    frame = column("OBS_VALUE", [1.0, None, "n.d.", "-"])
    with pytest.raises(GbiError) as caught:
        schema("statistics").conform(frame)
    assert caught.value.where == "statistics, OBS_VALUE [2]"
    assert caught.value.got == "'n.d.'"


def test_columns_that_are_there_twice_are_all_named_even_the_sender_s_own() -> None:
    names = ["SEX", "x", "SEX", "x", "x", "AGE"]
    with pytest.raises(GbiError) as caught:
        schema("statistics").conform(pd.DataFrame([[1] * 6], columns=names))
    assert (caught.value.code, caught.value.got) == ("GBI-E053", "SEX, x")


def test_a_bound_survey_conforms_in_its_own_names_and_keeps_its_secrets() -> None:
    bound = schema("survey").bind({"weight": "poids", "sex": "q1", "age": "q2", "psu": "grappe"})
    frame = pd.DataFrame({"q2": [31, 40], "grappe": [7, "7b"], "poids": [1, 2.5], "q1": ["F", "M"]})
    out = bound.conform(frame)
    assert list(out.columns) == ["grappe", "poids", "q1", "q2"]
    assert out["grappe"].tolist() == [7, "7b"]
    assert str(out["poids"].dtype) == str(out["q2"].dtype) == "float64"
    with pytest.raises(GbiError) as caught:
        bound.conform(frame.assign(q2=["31", "quarante"]))
    assert caught.value.where == "survey, q2 [0]"
    assert all("31" not in caught.value.message(lang) for lang in ("fr", "ar", "en"))


def test_a_survey_bound_to_nothing_has_no_columns_and_the_roles_are_as_before() -> None:
    mine = schema("survey")
    before = list(mine.columns)
    assert mine.bind({}).columns == []
    mine.bind({"weight": "poids"})
    assert mine.columns == before
    assert schema("survey") is mine


def test_an_unknown_table_s_message_singles_out_the_nearest() -> None:
    with pytest.raises(GbiError) as caught:
        schema("budjet")
    lines = caught.value.message("en").splitlines()
    assert any("budget" in line and "staff" not in line for line in lines)
