"""What is made from a schema says the same as the schema, in three languages."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pandera.errors
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import gbi
from gbi.errors import GbiError
from gbi.language import LANGUAGES, language
from gbi.resources import contract, resource_path
from gbi.schemas import schema, tables
from gbi.schemas.reading import read_schema
from gbi.vocabulary import codes

FRICTIONLESS = {"fields", "primaryKey", "foreignKeys", "missingValues", "gbi"}
TYPES = {"string", "number", "integer", "any"}
STAFF = {
    "DEPARTMENT": "HCP", "INDICATOR": "Effectif", "SUB_INDICATOR": None, "GRADE": None,
    "TIME_PERIOD": "2024", "REF_AREA": "MA", "SEX": "F", "AGE": "_T", "URBANISATION": "_T",
    "DISABILITY_STATUS": "_T", "INCOME_WEALTH_QUANTILE": "_T", "POPULATION_GROUP": "_T",
    "EDUCATION_LEV": "_T", "ACTIVITY": "_T", "ADMIN_LEVEL": "_T", "OBS_VALUE": 12.0,
    "UNIT_MEASURE": "PS", "UNIT_MULT": 0, "OBS_STATUS": "A", "DECIMALS": 0,
}  # fmt: skip

each_table = pytest.mark.parametrize("name", tables())
staff_rows = jsonschema.Draft202012Validator(schema("staff").to_json_schema("en"))


def pandera_accepts(row: dict[str, Any]) -> bool:
    mine = schema("staff")
    try:
        mine.to_pandera().validate(mine.conform(pd.DataFrame([row])), lazy=True)
    except (GbiError, pandera.errors.SchemaErrors):
        return False
    return True


# Table Schema


@pytest.mark.parametrize(("name", "lang"), list(product(tables(), LANGUAGES)))
def test_a_table_schema_follows_the_contract_of_the_files(name: str, lang: str) -> None:
    told = schema(name).to_table_schema(lang)
    faults = jsonschema.Draft202012Validator(contract("table")).iter_errors(told)
    assert [fault.message for fault in faults] == []


@each_table
def test_a_table_schema_has_the_shape_of_a_frictionless_descriptor(name: str) -> None:
    told = schema(name).to_table_schema()
    assert set(told) <= FRICTIONLESS
    assert {"fields", "missingValues", "gbi"} <= set(told)
    names = [field["name"] for field in told["fields"]]
    assert len(names) == len(set(names))
    assert {field["type"] for field in told["fields"]} <= TYPES
    assert set(told.get("primaryKey", ())) <= set(names)
    assert all(isinstance(text, str) for text in told["missingValues"])
    for key in told.get("foreignKeys", ()):
        assert set(key["fields"]) <= set(names)
        other = schema(key["reference"]["resource"])
        assert set(key["reference"]["fields"]) <= set(other.columns)
        assert len(key["fields"]) == len(key["reference"]["fields"])


@each_table
def test_the_extension_says_what_frictionless_cannot(name: str) -> None:
    mine = schema(name)
    told = mine.to_table_schema("ar")
    assert told["gbi"]["version"] == mine.version
    assert told["gbi"]["valid_from"] == mine.valid_from
    assert set(told["gbi"]["labels"]) == set(told["gbi"]["description"]) == set(LANGUAGES)
    for field in told["fields"]:
        about = field["gbi"]
        assert about["role"] == mine.field(field["name"]).role
        assert set(about["labels"]) == set(LANGUAGES)
        if "codelist" in about:
            listed = [str(code) for code in field["constraints"]["enum"]]
            assert listed == list(codes(about["codelist"]))


@each_table
def test_a_table_schema_written_to_a_file_is_read_as_the_same_table(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.yaml"
    mine = schema(name)
    path.write_text(yaml.safe_dump(mine.to_table_schema("fr"), allow_unicode=True), "utf-8")
    again = read_schema(path)
    assert (again.columns, again.key, again.required, again.dimensions) == (
        mine.columns, mine.key, mine.required, mine.dimensions,
    )  # fmt: skip
    assert [f.codes for f in again.fields] == [f.codes for f in mine.fields]
    assert [f.default for f in again.fields] == [f.default for f in mine.fields]


def test_an_export_is_the_caller_s_own() -> None:
    first = schema("performance").to_table_schema()
    first["foreignKeys"][0]["fields"].clear()
    first["fields"][0]["constraints"]["enum"].clear()
    first["primaryKey"].clear()
    second = schema("performance").to_table_schema()
    assert second["foreignKeys"][0]["fields"]
    assert second["fields"][0]["constraints"]["enum"]
    assert second["primaryKey"] == list(schema("performance").key)


# Languages


@each_table
def test_a_language_is_the_argument_s_or_the_context_s(name: str) -> None:
    mine = schema(name)
    for lang in LANGUAGES:
        with language(lang):
            assert mine.to_json_schema() == mine.to_json_schema(lang)
            assert mine.to_table_schema() == mine.to_table_schema(lang)
            assert mine.label() == mine.title[lang]
    assert len({mine.to_json_schema(lang)["title"] for lang in LANGUAGES}) == 3


def test_a_language_that_gbi_does_not_speak_is_refused() -> None:
    for export in (schema("staff").to_json_schema, schema("staff").to_table_schema):
        with pytest.raises(GbiError) as caught:
            export("de")
        assert caught.value.code == "GBI-E010"


@pytest.mark.parametrize(
    ("code", "call", "said"),
    [
        ("GBI-E050", lambda: gbi.schema("staf"), "staff"),
        ("GBI-E051", lambda: gbi.schema("staff").field("SEXE"), "SEX"),
        ("GBI-E051", lambda: gbi.schema("survey").bind({"sexe": "Q1"}), "sex"),
        ("GBI-E052", lambda: gbi.schema("staff").conform(pd.DataFrame({"OBS_VALUE": ["12"]})),
         "OBS_VALUE [0]"),
        ("GBI-E053", lambda: gbi.schema("staff").conform(
            pd.DataFrame([["F", "M"]], columns=["SEX", "SEX"])), "SEX"),
        ("GBI-E003", lambda: read_schema(resource_path("schemas", "codelists", "CL_SEX.yaml")),
         "CL_SEX.yaml:1"),
    ],
)  # fmt: skip
def test_an_error_is_told_in_three_languages(
    code: str, call: Callable[[], object], said: str
) -> None:
    with pytest.raises(GbiError) as caught:
        call()
    assert caught.value.code == code
    told = [caught.value.message(lang) for lang in LANGUAGES]
    assert len(set(told)) == 3
    assert all(said in text and text.startswith(code) for text in told)


# Rows: the JSON Schema and pandera are two readings of one file


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"DEPARTMENT": "SANTE", "mine": "the sender's own"}, True),
        ({"OBS_VALUE": None, "OBS_STATUS": "O"}, True),
        ({"OBS_VALUE": None, "OBS_STATUS": "J"}, True),
        ({"OBS_VALUE": 1.0, "OBS_STATUS": "J"}, True),
        ({"OBS_VALUE": None}, False),
        ({"OBS_STATUS": "O"}, False),
        ({"SEX": "W"}, False),
        ({"SEX": None}, False),
        ({"TIME_PERIOD": "2024-13"}, False),
        ({"TIME_PERIOD": "2024-M12"}, True),
        ({"STD_ERR": -0.1}, False),
        ({"N_OBS": 0}, True),
        ({"N_OBS": -1}, False),
        ({"DECIMALS": 15}, True),
        ({"DECIMALS": 1.5}, False),
        ({"UNIT_MULT": True}, False),
        ({"GRADE": 3}, False),
    ],
)
def test_both_forms_decide_alike(change: dict[str, Any], good: bool) -> None:
    row = STAFF | change
    assert staff_rows.is_valid(row) == good
    assert pandera_accepts(row) == good


@given(
    st.sampled_from(schema("staff").field("OBS_STATUS").codes),
    st.none() | st.floats(-1e12, 1e12),
    st.sampled_from([None, *codes("SEX"), "X", ""]),
)
def test_both_forms_decide_alike_for_any_status_value_and_sex(
    status: str, value: float | None, sex: str | None
) -> None:
    row = STAFF | {"OBS_STATUS": status, "OBS_VALUE": value, "SEX": sex}
    assert staff_rows.is_valid(row) == pandera_accepts(row)


@pytest.mark.parametrize("missing", schema("staff").required)
def test_a_row_needs_each_required_column(missing: str) -> None:
    row = {column: value for column, value in STAFF.items() if column != missing}
    assert not staff_rows.is_valid(row)
    frame = schema("staff").conform(pd.DataFrame([STAFF])).drop(columns=missing)
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        schema("staff").to_pandera().validate(frame, lazy=True)
    assert missing in set(caught.value.failure_cases["failure_case"])


def test_a_key_with_a_blank_in_it_is_a_key() -> None:
    mine = schema("staff")
    once = mine.conform(pd.DataFrame([STAFF, STAFF | {"GRADE": "Chef"}]))
    mine.to_pandera().validate(once, lazy=True)
    twice = mine.conform(pd.DataFrame([STAFF, STAFF | {"OBS_VALUE": 13.0}]))
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        mine.to_pandera().validate(twice, lazy=True)
    assert set(caught.value.failure_cases["check"]) == {"key"}
    assert set(caught.value.failure_cases["index"]) == {0, 1}


def test_validating_changes_no_value() -> None:
    mine = schema("staff")
    frame = mine.conform(pd.DataFrame([STAFF, STAFF | {"SEX": "M", "OBS_VALUE": None,
                                                       "OBS_STATUS": "L"}]))  # fmt: skip
    pd.testing.assert_frame_equal(mine.to_pandera().validate(frame.copy()), frame)


@pytest.mark.parametrize(
    ("column", "values"),
    [("OBS_VALUE", ["12"]), ("UNIT_MULT", [0.0]), ("N_OBS", ["3"]), ("TIME_PERIOD", [2024])],
)
def test_a_value_that_could_be_turned_into_the_type_is_refused_all_the_same(
    column: str, values: list[object]
) -> None:
    mine = schema("staff")
    frame = mine.conform(pd.DataFrame([STAFF])).assign(**{column: values})
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        mine.to_pandera().validate(frame, lazy=True)
    cases = caught.value.failure_cases
    assert any(check.startswith("dtype") for check in cases.loc[cases["column"] == column, "check"])
