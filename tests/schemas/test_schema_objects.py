"""A schema as an object: what it says of a table, what it holds, and what its exports refuse."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

import jsonschema
import pandas as pd
import pandera.errors
import pytest

from gbi.dataset import Submission
from gbi.errors import GbiError
from gbi.ingest import read_submission
from gbi.resources import resource_path
from gbi.schemas import Schema, schema, tables
from gbi.vocabulary import concepts

BUDGET_ROW = {
    "TIME_PERIOD": "2025", "REF_AREA": "MA", "BUDGET_COMPONENT": "BG", "MINISTRY": "ROI",
    "CHAPTER_KIND": "ORDINARY", "BUDGET_STAGE": "BILL", "ECON_NATURE": "PERSONNEL",
    "CREDIT_TYPE": "CP", "OBS_VALUE": 26_292_000, "UNIT_MEASURE": "MAD", "UNIT_MULT": 0,
    "OBS_STATUS": "A",
}  # fmt: skip


@lru_cache(maxsize=1)
def sample() -> Submission:
    return read_submission(resource_path("samples", "maroc-plf2025"))


@pytest.fixture
def budget() -> pd.DataFrame:
    return sample()["budget"].frame.copy()


def faults(table: str, frame: pd.DataFrame) -> set[tuple[str | None, str]]:
    """Return (column, check) of what the pandera form refuses."""
    try:
        schema(table).to_pandera().validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        return set(zip(cases["column"], cases["check"].astype(str), strict=True))
    return set()


def checks(table: str, frame: pd.DataFrame) -> set[str]:
    return {check for _, check in faults(table, frame)}


def refuses(row: dict[str, Any], table: str = "budget") -> bool:
    return not jsonschema.Draft202012Validator(schema(table).to_json_schema()).is_valid(row)


# What a schema says


def test_a_budget_s_key_is_among_its_columns_and_its_labels_are_the_concepts() -> None:
    budget = schema("budget")
    assert budget.columns[:4] == ["TIME_PERIOD", "REF_AREA", "BUDGET_COMPONENT", "MINISTRY"]
    assert "MINISTRY" in budget.key
    assert "OBS_VALUE" not in budget.key
    assert "PROGRAMME" in budget.dimensions
    assert "OBS_VALUE" not in budget.dimensions
    assert "OBS_VALUE" not in budget.required
    assert "OBS_STATUS" in budget.required
    for lang in ("fr", "ar", "en"):
        labels = budget.labels(lang)
        assert list(labels) == budget.columns
        assert labels["MINISTRY"] == concepts()["MINISTRY"].label(lang)
        assert budget.label(lang) == budget.title[lang]


def test_a_column_says_what_it_may_hold() -> None:
    sex = schema("performance").field("SEX")
    assert (sex.type, sex.role, sex.codelist, sex.default) == (
        "string",
        "dimension",
        "CL_SEX",
        "_T",
    )
    assert sex.required
    assert not sex.nullable
    assert {"F", "M", "_T"} <= set(sex.codes)
    assert sex.label("en") == concepts()["SEX"].label("en")
    mult = schema("performance").field("UNIT_MULT")
    assert {0, 3, 6, 9} <= set(mult.codes)
    value = schema("performance").field("OBS_VALUE")
    assert value.nullable
    assert (value.codes, value.missing_reason) == ((), "OBS_STATUS")


def test_an_unknown_column_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(GbiError) as caught:
        schema("budget").field("MINISTERY")
    error = caught.value
    assert (error.code, error.where, error.got) == ("GBI-E051", "budget", "MINISTERY")
    assert error.expected == "MINISTRY"


def test_an_unknown_column_that_is_near_to_none_is_refused_with_all_of_them() -> None:
    with pytest.raises(GbiError) as caught:
        schema("budget").field("zzzz")
    assert str(caught.value.expected).split(", ") == schema("budget").columns


@pytest.mark.parametrize("name", tables())
def test_a_table_describes_its_columns(name: str) -> None:
    told = schema(name).describe("fr")
    assert list(told.columns) == [
        "NAME", "LABEL", "TYPE", "ROLE", "CODELIST", "REQUIRED", "DEFAULT",
    ]  # fmt: skip
    assert told["NAME"].tolist() == schema(name).columns
    assert told.loc[told["REQUIRED"], "NAME"].tolist() == schema(name).required
    assert told["LABEL"].tolist() == list(schema(name).labels("fr").values())


# Survey roles


def test_roles_become_the_survey_s_own_variables() -> None:
    bound = schema("survey").bind({"weight": "POIDS", "sex": "Q1", "age": "Q2"})
    assert sorted(bound.columns) == ["POIDS", "Q1", "Q2"]
    assert bound.required == ["POIDS"]
    assert bound.field("Q1").codelist == "CL_SEX"
    assert bound.key == ()
    assert schema("survey").columns[0] == "person_id"


def test_where_a_variable_has_two_roles_the_later_column_holds() -> None:
    bound = schema("survey").bind({"strata": "REGION", "ref_area": "REGION"})
    assert bound.columns == ["REGION"]
    assert bound.field("REGION").codelist == "CL_AREA"


def test_a_role_that_the_survey_does_not_have_is_refused() -> None:
    with pytest.raises(GbiError) as caught:
        schema("survey").bind({"wieght": "POIDS"})
    assert (caught.value.code, caught.value.expected) == ("GBI-E051", "weight")


def test_a_bound_survey_checks_the_survey_s_own_variables() -> None:
    bound = schema("survey").bind({"weight": "POIDS", "sex": "Q1"}).to_pandera()
    bound.validate(pd.DataFrame({"POIDS": [1.5, 2.0], "Q1": ["F", "M"]}))
    with pytest.raises(pandera.errors.SchemaError):
        bound.validate(pd.DataFrame({"POIDS": [1.5, -2.0], "Q1": ["F", "M"]}))
    with pytest.raises(pandera.errors.SchemaError):
        bound.validate(pd.DataFrame({"POIDS": [1.5, 2.0], "Q1": ["F", "2"]}))


# Conform


def test_columns_come_in_the_table_s_order_and_the_sender_s_own_last() -> None:
    frame = pd.DataFrame({"mine": [1], "OBS_VALUE": [3], "MINISTRY": ["ROI"]})
    got = schema("budget").conform(frame)
    assert list(got.columns) == [
        "REF_AREA", "BUDGET_COMPONENT", "MINISTRY", "OBS_VALUE", "OBS_STATUS", "mine",
    ]  # fmt: skip
    assert list(frame.columns) == ["mine", "OBS_VALUE", "MINISTRY"]


def test_an_absent_column_gets_its_default_and_a_missing_cell_does_not() -> None:
    got = schema("performance").conform(pd.DataFrame({"AGE": ["Y15T24", None], "x": [1, 2]}))
    assert got["SEX"].tolist() == ["_T", "_T"]
    assert got["UNIT_MULT"].tolist() == [0, 0]
    assert got["AGE"].isna().tolist() == [False, True]
    assert "DEPARTMENT" not in got.columns


def test_types_are_those_of_the_table_and_rows_are_counted_from_nil() -> None:
    frame = pd.DataFrame(
        {"OBS_VALUE": [1, None], "UNIT_MULT": [3.0, 6.0], "DECIMALS": [0, None]}, index=[7, 9]
    )
    got = schema("population").conform(frame.assign(SEX="F"))
    assert got.index.tolist() == [0, 1]
    assert {c: str(got[c].dtype) for c in ("OBS_VALUE", "UNIT_MULT", "DECIMALS", "SEX")} == {
        "OBS_VALUE": "float64", "UNIT_MULT": "Int64", "DECIMALS": "Int64", "SEX": "str",
    }  # fmt: skip
    assert got["DECIMALS"].isna().tolist() == [False, True]


def test_a_decimal_that_a_float_holds_exactly_is_a_number() -> None:
    got = schema("population").conform(pd.DataFrame({"OBS_VALUE": [Decimal("0.5")]}))
    assert got["OBS_VALUE"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("OBS_VALUE", "12", "number"),
        ("OBS_VALUE", True, "number"),
        ("OBS_VALUE", Decimal("0.1"), "number"),
        ("OBS_VALUE", 2**53 + 1, "number"),
        ("UNIT_MULT", 1.5, "integer"),
        ("UNIT_MULT", "0", "integer"),
        ("UNIT_MULT", 2**63, "integer"),
        ("TIME_PERIOD", 2025, "string"),
    ],
)
def test_a_value_that_the_type_cannot_hold_is_refused(
    column: str, value: object, expected: str
) -> None:
    frame = pd.DataFrame({column: pd.Series([None, value], dtype=object)})
    with pytest.raises(GbiError) as caught:
        schema("budget").conform(frame)
    error = caught.value
    assert (error.code, error.expected, error.got) == ("GBI-E052", expected, repr(value))
    assert error.where == f"budget, {column} [1]"


def test_a_value_of_microdata_is_not_shown() -> None:
    with pytest.raises(GbiError) as caught:
        schema("survey").conform(pd.DataFrame({"weight": ["secret"]}))
    assert (caught.value.code, caught.value.got) == ("GBI-E052", "str")
    assert "secret" not in caught.value.message("fr")


def test_a_column_that_is_there_twice_is_refused() -> None:
    frame = pd.DataFrame([["F", "M", 1]], columns=["SEX", "SEX", "OBS_VALUE"])
    with pytest.raises(GbiError) as caught:
        schema("population").conform(frame)
    assert (caught.value.code, caught.value.where) == ("GBI-E053", "population")
    assert caught.value.got == "SEX"


@pytest.mark.parametrize("name", ["budget", "catalogue", "marking", "performance", "statistics"])
def test_a_dataset_of_the_sample_is_in_its_table_s_form_already(name: str) -> None:
    frame = sample()[name].frame
    pd.testing.assert_frame_equal(schema(name).conform(frame), frame)


# Pandera


@pytest.mark.parametrize("name", ["budget", "catalogue", "marking", "performance", "statistics"])
def test_the_sample_is_accepted(name: str) -> None:
    frame = sample()[name].frame
    assert len(schema(name).to_pandera().validate(frame)) == len(frame)


@pytest.mark.parametrize("name", tables())
def test_the_pandera_form_has_the_table_s_columns(name: str) -> None:
    form = schema(name).to_pandera()
    assert list(form.columns) == schema(name).columns
    assert [c for c, column in form.columns.items() if column.required] == schema(name).required


def test_a_code_that_is_not_on_the_list_is_refused(budget: pd.DataFrame) -> None:
    budget.loc[3, "MINISTRY"] = "NOBODY"
    assert faults("budget", budget) == {("MINISTRY", "CL_MINISTRY")}


def test_a_power_of_ten_that_is_not_on_the_list_is_refused(budget: pd.DataFrame) -> None:
    budget.loc[3, "UNIT_MULT"] = 5
    assert faults("budget", budget) == {("UNIT_MULT", "CL_UNIT_MULT")}


def test_a_required_column_that_is_absent_is_refused(budget: pd.DataFrame) -> None:
    assert checks("budget", budget.drop(columns="BUDGET_STAGE")) == {"column_in_dataframe"}


def test_a_required_cell_that_is_empty_is_refused(budget: pd.DataFrame) -> None:
    budget.loc[3, "BUDGET_STAGE"] = None
    assert ("BUDGET_STAGE", "not_nullable") in faults("budget", budget)


def test_two_rows_with_one_key_are_refused(budget: pd.DataFrame) -> None:
    assert checks("budget", pd.concat([budget, budget.iloc[[5]]], ignore_index=True)) == {"key"}


def test_rows_that_differ_in_one_column_of_the_key_are_not(budget: pd.DataFrame) -> None:
    later = budget.assign(TIME_PERIOD="2026")
    assert faults("budget", pd.concat([budget, later], ignore_index=True)) == set()


def test_a_column_of_another_type_is_refused_and_not_coerced(budget: pd.DataFrame) -> None:
    budget["OBS_VALUE"] = budget["OBS_VALUE"].astype(str)
    assert "dtype('float64')" in checks("budget", budget)


def test_a_period_is_a_year_or_a_part_of_one(budget: pd.DataFrame) -> None:
    for good in ("2025", "2025-Q1", "2025-M12"):
        assert faults("budget", budget.assign(TIME_PERIOD=good)) == set()
    for bad in ("25", "2025-13", "2025\n", "x2025", "2025-Q5"):
        assert faults("budget", budget.assign(TIME_PERIOD=bad)) == {("TIME_PERIOD", "pattern")}


def test_a_number_out_of_its_range_is_refused(budget: pd.DataFrame) -> None:
    budget.loc[0, "DECIMALS"] = -1
    budget.loc[1, "DECIMALS"] = 16
    assert faults("budget", budget) == {("DECIMALS", "minimum"), ("DECIMALS", "maximum")}


@pytest.mark.parametrize("status", ["A", "E", "P"])
def test_a_missing_value_whose_status_does_not_say_so_is_refused(
    budget: pd.DataFrame, status: str
) -> None:
    budget.loc[0, "OBS_VALUE"] = None
    budget.loc[0, "OBS_STATUS"] = status
    assert checks("budget", budget) == {"OBS_VALUE missing_reason"}


@pytest.mark.parametrize("status", ["O", "M", "L", "H", "Q", "K"])
def test_a_status_of_missing_stands_beside_no_value(budget: pd.DataFrame, status: str) -> None:
    budget.loc[0, "OBS_STATUS"] = status
    assert checks("budget", budget) == {"OBS_VALUE missing_reason"}
    budget.loc[0, "OBS_VALUE"] = None
    assert faults("budget", budget) == set()


def test_a_nearest_target_needs_the_value_that_it_is_near_to() -> None:
    frame = sample()["performance"].frame.copy()
    frame.loc[0, "DIRECTION"] = "NEAREST"
    frame.loc[0, "DIRECTION_REF"] = None
    assert checks("performance", frame) == {"DIRECTION_REF required_when"}
    frame.loc[0, "DIRECTION_REF"] = 1.0
    assert faults("performance", frame) == set()


def test_a_sender_s_own_column_is_no_fault(budget: pd.DataFrame) -> None:
    assert faults("budget", budget.assign(mine="x")) == set()


# Table Schema and JSON Schema


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
@pytest.mark.parametrize("name", tables())
def test_the_table_schema_has_fields_key_and_missing_values(name: str, lang: str) -> None:
    mine = schema(name)
    told = mine.to_table_schema(lang)
    assert [f["name"] for f in told["fields"]] == mine.columns
    assert [f["title"] for f in told["fields"]] == [f.title or f.label(lang) for f in mine.fields]
    assert told.get("primaryKey", []) == list(mine.key)
    assert told["missingValues"] == [""]
    assert (told["gbi"]["name"], told["gbi"]["kind"]) == (name, mine.kind)
    assert [
        f["name"] for f in told["fields"] if f.get("constraints", {}).get("required")
    ] == mine.required


def test_the_table_schema_lists_the_codes_that_are_allowed() -> None:
    fields = {f["name"]: f for f in schema("budget").to_table_schema()["fields"]}
    assert fields["BUDGET_COMPONENT"]["constraints"]["enum"] == list(
        schema("budget").field("BUDGET_COMPONENT").codes
    )
    assert "enum" not in fields["OBS_VALUE"].get("constraints", {})


@pytest.mark.parametrize("name", tables())
def test_the_json_schema_is_one(name: str) -> None:
    told = schema(name).to_json_schema("en")
    jsonschema.Draft202012Validator.check_schema(told)
    assert list(told["properties"]) == schema(name).columns
    assert told["required"] == schema(name).required


@pytest.mark.parametrize("name", ["budget", "catalogue", "marking", "performance", "statistics"])
def test_the_json_schema_accepts_the_rows_of_the_sample(name: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(name).to_json_schema())
    frame = sample()[name].frame.head(40).astype(object)
    for row in frame.where(frame.notna(), None).to_dict("records"):
        assert [error.message for error in validator.iter_errors(row)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"MINISTRY": "NOBODY"},
        {"MINISTRY": None},
        {"UNIT_MULT": 5},
        {"UNIT_MULT": "0"},
        {"OBS_VALUE": "12"},
        {"OBS_VALUE": None},
        {"OBS_STATUS": "O"},
        {"TIME_PERIOD": "2025\n"},
        {"TIME_PERIOD": "x2025"},
        {"DECIMALS": -1},
    ],
)
def test_the_json_schema_refuses_what_pandera_refuses(change: dict[str, Any]) -> None:
    assert not refuses(BUDGET_ROW)
    assert refuses({**BUDGET_ROW, **change})
    frame = pd.DataFrame([{**BUDGET_ROW, **change}])
    for column in frame.columns:
        if isinstance(change.get(column), int):
            frame[column] = frame[column].astype("Int64")
    mine = schema("budget")
    try:
        mine.to_pandera().validate(mine.conform(frame), lazy=True)
    except (GbiError, pandera.errors.SchemaErrors):
        return
    pytest.fail("pandera accepts it")


def test_the_json_schema_accepts_a_missing_value_with_its_reason() -> None:
    assert not refuses({**BUDGET_ROW, "OBS_VALUE": None, "OBS_STATUS": "O"})


@pytest.mark.parametrize("column", schema("budget").required)
def test_the_json_schema_refuses_a_row_without_a_required_column(column: str) -> None:
    assert refuses({key: value for key, value in BUDGET_ROW.items() if key != column})


def test_a_schema_cannot_be_changed() -> None:
    mine: Schema = schema("budget")
    with pytest.raises(AttributeError):
        mine.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        mine.title["fr"] = "autre"  # type: ignore[index]
    assert schema("budget") is mine
