"""The files of the tables: all of them load, and a fault in one is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gbi.errors import GbiError
from gbi.resources import resource_path
from gbi.schemas import schema, tables
from gbi.schemas.reading import read_schema
from gbi.vocabulary import codelists, codes, concepts

NINE = (
    "beneficiaries", "budget", "catalogue", "marking", "performance", "population", "staff",
    "statistics", "survey",
)  # fmt: skip
LANGUAGES = ("fr", "ar", "en")


def copy_of(tmp_path: Path, table: str, old: str = "", new: str = "") -> Path:
    """Return a copy of a table's file in which one text is replaced by another, once."""
    text = resource_path("schemas", "tables", f"{table}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{table}.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def refused(path: Path) -> GbiError:
    with pytest.raises(GbiError) as caught:
        read_schema(path)
    return caught.value


def test_there_are_nine_tables() -> None:
    assert tables() == NINE


@pytest.mark.parametrize("name", NINE)
def test_a_table_is_whole(name: str) -> None:
    mine = schema(name)
    assert mine.name == name
    assert re.fullmatch(r"\d+\.\d+", mine.version)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", mine.valid_from)
    assert mine.kind in {"aggregate", "record", "microdata"}
    assert all(mine.title[lang] and mine.description[lang] for lang in LANGUAGES)
    assert all(mine.label(lang) == mine.title[lang] for lang in LANGUAGES)
    assert len(mine.columns) == len(set(mine.columns)) > 0
    assert set(mine.key) | set(mine.required) | set(mine.dimensions) <= set(mine.columns)
    assert (mine.key == ()) == (name == "survey")


@pytest.mark.parametrize("name", NINE)
def test_every_column_has_a_label_in_three_languages(name: str) -> None:
    for lang in LANGUAGES:
        labels = schema(name).labels(lang)
        assert list(labels) == schema(name).columns
        assert all(text.strip() for text in labels.values())
        assert len(set(labels.values())) == len(labels)


@pytest.mark.parametrize("name", NINE)
def test_a_column_in_capitals_is_a_concept(name: str) -> None:
    capitals = {column for column in schema(name).columns if column.isupper()}
    assert capitals - set(concepts()) == set()


@pytest.mark.parametrize("name", NINE)
def test_a_column_holds_no_code_that_its_concept_does_not_have(name: str) -> None:
    for field in schema(name).fields:
        mine = concepts().get(field.name)
        if mine is not None and mine.codelist is not None:
            allowed = {str(code) for code in field.codes}
            assert allowed
            assert allowed <= set(codes(mine.codelist))


@pytest.mark.parametrize("name", NINE)
def test_every_list_of_a_column_exists_and_a_default_is_one_of_its_codes(name: str) -> None:
    for field in schema(name).fields:
        assert field.codelist is None or field.codelist in codelists()
        if field.default is not None and field.codelist is not None:
            assert field.default in field.codes


@pytest.mark.parametrize("name", NINE)
def test_every_dimension_of_a_table_is_in_its_key(name: str) -> None:
    mine = schema(name)
    if mine.kind == "aggregate":
        assert set(mine.dimensions) <= set(mine.key)
        assert [f.name for f in mine.fields if f.missing_reason] == ["OBS_VALUE"]


@pytest.mark.parametrize("name", NINE)
def test_the_loader_reads_a_copy_as_it_reads_the_file(name: str, tmp_path: Path) -> None:
    assert read_schema(copy_of(tmp_path, name)) == schema(name)


def test_an_unknown_table_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(GbiError) as caught:
        schema("budjet")
    error = caught.value
    assert (error.code, error.got) == ("GBI-E050", "budjet")
    assert error.expected == "budget"
    for lang in LANGUAGES:
        assert "budjet" in error.message(lang)


def test_an_unknown_key_of_a_column_is_refused_with_its_line(tmp_path: Path) -> None:
    path = copy_of(
        tmp_path,
        "population",
        "{name: SOURCE, type: string, gbi: {role: attribute}}",
        "{name: SOURCE, type: string, gbi: {role: attribute, codelst: CL_SEX}}",
    )
    error = refused(path)
    assert error.code == "GBI-E003"
    assert str(error.where).startswith(f"population.yaml:{line_of(path, 'codelst')} ")
    assert error.got == "unknown key 'codelst'"
    assert error.hint == "did you mean 'codelist'?"
    assert "codelist" in error.message("fr")


def test_an_unknown_key_of_the_document_is_refused_with_its_line(tmp_path: Path) -> None:
    path = copy_of(tmp_path, "population", "primaryKey:", "primaryKeys:")
    error = refused(path)
    assert error.code == "GBI-E003"
    assert str(error.where).startswith(f"population.yaml:{line_of(path, 'primaryKeys')} ")
    assert error.hint == "did you mean 'primaryKey'?"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("- AGE\n", "- AEG\n", "primaryKey"),
        ("missing_reason: OBS_STATUS", "missing_reason: OBS_STATE", "OBS_VALUE"),
        ("name: COMMENT", "name: SOURCE", "SOURCE"),
        ("codelist: CL_SEX, default: _T", "codelist: CL_SEX, default: X", "SEX default"),
    ],
)
def test_a_name_that_points_to_nothing_is_refused(
    old: str, new: str, where: str, tmp_path: Path
) -> None:
    error = refused(copy_of(tmp_path, "population", old, new))
    assert error.code == "GBI-E003"
    assert error.where == f"population.yaml {where}"


def test_a_list_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    error = refused(copy_of(tmp_path, "survey", "codelist: CL_SEX", "codelist: CL_SEXE"))
    assert error.code == "GBI-E003"


def test_a_list_that_does_not_exist_is_refused_with_its_file(tmp_path: Path) -> None:
    error = refused(copy_of(tmp_path, "population", "codelist: CL_SEX", "codelist: CL_SEXE"))
    assert error.code == "GBI-E003"


def test_a_column_that_is_no_concept_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    error = refused(copy_of(tmp_path, "population", "name: COMMENT", "name: COMMENTS"))
    assert (error.got, error.expected) == ("COMMENTS", "COMMENT")


def test_a_file_that_is_no_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = copy_of(tmp_path, "population", "missingValues: ['']", "missingValues: [''")
    error = refused(path)
    assert error.code == "GBI-E002"
    assert re.match(r"population\.yaml:\d+", str(error.where))


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = copy_of(
        tmp_path, "population", "missingValues: ['']", "missingValues: ['']\nmissingValues: ['-']"
    )
    error = refused(path)
    assert error.code == "GBI-E002"
    assert "missingValues" in str(error.got)
