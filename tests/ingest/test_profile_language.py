"""The profile language, key by key: what a cell, a row and a filter mean, and where each stands."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

import gbi
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Cell, Finding
from gbi.ingest import Limits, Profile, load_profile, read_submission
from gbi.language import LANGUAGES

SEX = {"header": "Sexe", "column": "SEX"}
AREA = {"header": "Région", "column": "REF_AREA"}
MILIEU = {"header": "Milieu", "column": "URBANISATION"}
YEAR = {"header": "Année", "column": "TIME_PERIOD"}
VALUE = {"header": "Valeur"}
CONSTANTS = {"INDICATOR": "Effectif", "TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"}
Rows = Sequence[Sequence[Any]]


def own(folder: Path, *sheets: dict[str, Any], **keys: Any) -> Path:
    """Write a profile, checked as a reader's own would be."""
    document = {
        "name": "essai",
        "version": "1.0",
        "labels": dict.fromkeys(LANGUAGES, "Essai"),
        "format": "table",
        "table": "statistics",
        "numbers": {"decimal": ","},
        "decimals": "printed",
        "constants": CONSTANTS,
        "sheets": sheets,
    }
    path = folder / "essai.yaml"
    chosen = {key: value for key, value in {**document, **keys}.items() if value is not None}
    path.write_text(json.dumps(chosen), encoding="utf-8")
    load_profile(path)
    return path


def text_file(folder: Path, rows: Rows, name: str = "donnees.csv") -> Path:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, delimiter=";").writerows(rows)
    return path


def book(folder: Path, rows: Rows, *merged: str, name: str = "donnees.xlsx") -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Feuille"
    for row in rows:
        sheet.append(list(row))
    for area in merged:
        sheet.merge_cells(area)
    path = folder / name
    workbook.save(path)
    return path


def of_text(folder: Path, rows: Rows, *columns: dict[str, Any], **keys: Any) -> Dataset:
    """Read a text file with describing columns and one value column."""
    data = gbi.read(
        text_file(folder, rows),
        profile=own(folder, {"columns": columns, "values": [VALUE]}, **keys),
    )
    said_in_full(data.findings)
    return data


def of_book(folder: Path, rows: Rows, *merged: str, sheet: Any, **keys: Any) -> Dataset:
    keys.setdefault("format", "workbook")
    data = gbi.read(book(folder, rows, *merged), profile=own(folder, sheet, **keys))
    said_in_full(data.findings)
    return data


def said_in_full(findings: Sequence[Finding]) -> None:
    for finding in findings:
        for lang in LANGUAGES:
            parts = finding.message[lang]
            assert all(parts.values()), (finding.code, lang)
            assert not any("{" in p or "None" in p for p in parts.values()), (finding.code, lang)


def rows_of(data: Dataset, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of the frame; a missing value is None."""
    frame = data.frame[list(columns)].astype(object)
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def told(data: Dataset) -> list[tuple[str, str]]:
    return [(f.code, f.a1) for f in data.findings]


# --- texts: maps, missing, flags, periods ---


def test_maps_to_a_code_to_several_columns_and_to_nothing(tmp_path: Path) -> None:
    maps = {
        "SEX": {"Garçons": "M", "x": None, "": "_T"},
        "URBANISATION": {"Femmes rurales": {"SEX": "F", "URBANISATION": "R"}},
    }
    data = of_text(
        tmp_path,
        [["Sexe", "Milieu", "Valeur"], ["GARCONS", "Urbain", 1], ["x", "Rural", 2],
         ["", "femmes  rurales", 3], ["Féminin", "Total", 4]],
        SEX, MILIEU, maps=maps,
    )  # fmt: skip
    assert rows_of(data, "SEX", "URBANISATION") == [
        ("M", "U"), (None, "R"), ("F", "R"), ("F", "_T")
    ]  # fmt: skip
    assert data.findings == ()


def test_an_unmapped_text_is_a_finding_with_the_nearest(tmp_path: Path) -> None:
    data = of_text(
        tmp_path, [["Sexe", "Valeur"], ["Masculn", 1]], SEX, maps={"SEX": {"Garçons": "M"}}
    )
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.found) == ("GBI-C001", "A2", "Masculn")
    assert finding.suggestion == "Masculin"
    assert rows_of(data, "SEX") == [("Masculn",)]


def test_a_numeric_code_is_mapped_as_it_is_shown(tmp_path: Path) -> None:
    data = of_book(
        tmp_path, [["Sexe", "Valeur"], [1, 5], [2.0, 6]],
        sheet={"columns": [SEX], "values": [VALUE]}, maps={"SEX": {"1": "M", "2": "F"}},
    )  # fmt: skip
    assert rows_of(data, "SEX", "OBS_VALUE") == [("M", 5), ("F", 6)]


def test_missing_says_why_no_value_is_there(tmp_path: Path) -> None:
    written = ["..", "n.d.", "", "*", "-99", "7"]
    data = of_text(
        tmp_path,
        [["Année", "Valeur"], *([2000 + i, v] for i, v in enumerate(written))],
        YEAR,
        missing={"..": "O", "N.D.": "L", "": "M", "*": "Q", "-99": "K"},
    )
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [
        (None, "O"), (None, "L"), (None, "M"), (None, "Q"), (None, "K"), (7, "A")
    ]  # fmt: skip
    assert data.findings == ()


def test_what_is_not_declared_missing_is_a_finding(tmp_path: Path) -> None:
    data = of_text(tmp_path, [["Année", "Valeur"], [2000, ".."], [2001, ""], [2002, "–"]], YEAR)
    assert told(data) == [("GBI-T001", "B2"), ("GBI-T001", "B3"), ("GBI-T002", "B4")]
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [(None, "O")] * 3


@pytest.mark.parametrize(
    ("written", "value", "status", "code"),
    [
        ("12", 12, "A", None),
        ("12 e", 12, "E", None),
        ("12e", 12, "E", None),
        ("12,5 ep", 12.5, "E", None),  # several marks: the first says the status
        ("12,5 pe", 12.5, "P", None),
        ("12,5 p e", 12.5, "P", None),
        (": u", None, "U", None),
        (":u", None, "U", None),
        ("u", None, "O", "GBI-T001"),
        ("12 x", None, "O", "GBI-T001"),
        ("12 xe", None, "O", "GBI-T001"),
        ("1,234 e", None, "O", "GBI-T004"),
        ("12 E", None, "O", "GBI-T001"),  # marks are taken as they are written
    ],
)
def test_flags_behind_a_number(
    tmp_path: Path, written: str, value: float | None, status: str, code: str | None
) -> None:
    data = of_text(
        tmp_path,
        [["Année", "Valeur"], [2000, written]],
        YEAR,
        flags={"e": "E", "p": "P", "u": "U"},
        missing={":": "O"},
    )
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [(value, status)]
    assert [f.code for f in data.findings] == ([code] if code else [])


@pytest.mark.parametrize("flags", [{"e": "E", "be": "B"}, {"be": "B", "e": "E"}])
def test_the_longest_flag_is_taken_first(tmp_path: Path, flags: dict[str, str]) -> None:
    data = of_text(
        tmp_path, [["Année", "Valeur"], [2000, "1 be"], [2001, "2 e"]], YEAR, flags=flags
    )
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [(1, "B"), (2, "E")]


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2004/05", "2004-A1"),
        ("2014/2015", "2014-A1"),
        ("2014-15", "2014-A1"),
        ("2014 – 2015", "2014-A1"),
        ("1999/00", "1999-A1"),
        ("1999/2000", "1999-A1"),
        ("2014", "2014"),
        ("2014T3", "2014-Q3"),
        ("2014-M01", "2014-M01"),
    ],
)
def test_years_that_start_in_autumn(tmp_path: Path, written: str, period: str) -> None:
    data = of_text(tmp_path, [["Année", "Valeur"], [written, 1]], YEAR, year_start="--09-01")
    assert rows_of(data, "TIME_PERIOD") == [(period,)]
    start = "--09-01" if period.endswith("A1") else None
    given_start = data.frame.get("REPORTING_YEAR_START_DAY", pd.Series([None]))[0]
    assert (None if pd.isna(given_start) else given_start) == start
    assert data.findings == ()


@pytest.mark.parametrize("written", ["2014/2016", "2014/14", "2015/14", "2014/1915", "2014/5"])
def test_two_years_that_do_not_follow_one_another(tmp_path: Path, written: str) -> None:
    data = of_text(tmp_path, [["Année", "Valeur"], [written, 1]], YEAR, year_start="--09-01")
    assert told(data) == [("GBI-C001", "A2")]
    assert rows_of(data, "TIME_PERIOD") == [(written,)]


def test_without_year_start_two_years_are_no_period(tmp_path: Path) -> None:
    data = of_text(tmp_path, [["Année", "Valeur"], ["2004/05", 1]], YEAR)
    assert told(data) == [("GBI-C001", "A2")]


def test_an_indicator_given_twice_is_joined(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [
            ["Thème", "Indicateur", "Valeur"],
            ["Emploi", "Taux", 1],
            ["", "Part", 2],
            ["École", "", 3],
        ],
        {"header": "Thème", "column": "INDICATOR"},
        {"header": "Indicateur", "column": "INDICATOR"},
        constants={"TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"},
    )
    assert rows_of(data, "INDICATOR") == [("Emploi – Taux",), ("Part",), ("École",)]


def test_blank_is_what_an_empty_cell_stands_for(tmp_path: Path) -> None:
    data = of_text(
        tmp_path, [["Sexe", "Valeur"], ["", 1], [" ", 2], ["F", 3]], {**SEX, "blank": "_T"}
    )
    assert rows_of(data, "SEX") == [("_T",), ("_T",), ("F",)]
    data = of_text(tmp_path, [["Sexe", "Valeur"], ["", 1], ["F", 3]], SEX)
    assert rows_of(data, "SEX") == [(None,), ("F",)]


def test_a_dash_by_what_its_row_is(tmp_path: Path) -> None:
    data = of_text(
        tmp_path, [["Sexe", "Valeur"], ["F", "-"], ["M", "—"], ["_T", "–"]], SEX,
        dash={"status": "A", "value": 0}, dash_except=[{"when": {"SEX": ["M"]}, "status": "K"}],
    )  # fmt: skip
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [(0, "A"), (None, "K"), (0, "A")]


def test_derive_sets_what_follows(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [["Sexe", "Milieu", "Valeur"], ["F", "Rural", 1], ["F", "Urbain", 2]],
        SEX, MILIEU,
        derive=[{"when": {"SEX": ["F"], "URBANISATION": ["R"]}, "set": {"COMMENT": "note"}}],
    )  # fmt: skip
    assert rows_of(data, "COMMENT") == [("note",), (None,)]


def test_a_column_as_text_fraction_tokens_and_series(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [["Région", "Erreur", "Groupe", "Série", "Valeur"],
         ["Anywhere", "2,5 %", "sexe=F; milieu=rural", "Taux A", 1],
         ["Elsewhere", "1", "sexe=X", "Taux B", 2],
         ["Nowhere", "", "total", "Taux A", 3]],
        {**AREA, "as": "text"},
        {"header": "Erreur", "column": "STD_ERR", "as": "fraction"},
        {"header": "Groupe", "column": "SEX", "as": "tokens"},
        {"header": "Série", "column": "INDICATOR", "as": "series"},
        tokens={"Sexe": "SEX", "milieu": "URBANISATION"},
        series={"Taux A": {"UNIT_MEASURE": "PT"}},
        missing={"": "O"},
        constants={"TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"},
    )  # fmt: skip
    assert rows_of(data, "REF_AREA", "STD_ERR", "SEX", "URBANISATION", "UNIT_MEASURE") == [
        ("Anywhere", 0.025, "F", "R", "PT"),
        ("Elsewhere", 0.01, "X", "_T", "NUMBER"),
        ("Nowhere", None, "_T", "_T", "PT"),
    ]
    assert told(data) == [("GBI-T003", "B3"), ("GBI-C003", "C3"), ("GBI-C001", "D3")]
    assert data.findings[2].suggestion == "Taux A"


def test_numbers_of_text_columns_may_be_written_as_numbers(tmp_path: Path) -> None:
    sheet = {
        "columns": [{**SEX, "as": "text"}, YEAR],
        "values": [VALUE, {"header": "Prévu", "set": {"TIME_PERIOD": 2030, "UNIT_MULT": 3}}],
    }
    rows = [["Sexe", "Année", "Valeur", "Prévu"], ["F", "un", 1, 2], ["M", "deux", 3, 4]]
    data = gbi.read(
        text_file(tmp_path, rows),
        profile=own(
            tmp_path,
            sheet,
            constants={**CONSTANTS, "SOURCE": 12, "TIME_PERIOD": 2000},
            maps={"TIME_PERIOD": {"un": 2024, "deux": {"TIME_PERIOD": 2025, "UNIT_MULT": 6}}},
            derive=[{"when": {"TIME_PERIOD": [2024]}, "set": {"COMMENT": 7}}],
        ),
    )
    assert rows_of(data, "TIME_PERIOD", "UNIT_MULT", "SOURCE", "COMMENT") == [
        ("2024", 0, "12", "7"), ("2030", 3, "12", None), ("2025", 6, "12", None),
        ("2030", 3, "12", None),
    ]  # fmt: skip


def test_a_cell_that_is_no_whole_number_costs_no_more_than_itself(tmp_path: Path) -> None:
    rows = [["N", "Puissance", "Valeur"], ["1,5", "3", 1], ["12", "abc", 2], ["", "", 3]]
    data = of_text(
        tmp_path,
        rows,
        {"header": "N", "column": "N_OBS"},
        {"header": "Puissance", "column": "UNIT_MULT"},
    )
    assert rows_of(data, "N_OBS", "UNIT_MULT", "OBS_VALUE") == [
        (None, 3, 1), (12, None, 2), (None, None, 3)
    ]  # fmt: skip
    assert told(data) == [("GBI-T001", "A2"), ("GBI-C001", "B3")]


# --- rows: fill, headings, filters ---


def test_fill_down_within_the_columns_before(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [["Région", "Milieu", "Sexe", "Valeur"], ["L'Oriental", "Urbain", "M", 1], ["", "", "F", 2],
         ["", "Rural", "M", 3], ["Fès-Meknès", "", "F", 4]],
        {**AREA, "fill": "down"}, {**MILIEU, "fill": "down"}, SEX,
    )  # fmt: skip
    assert rows_of(data, "REF_AREA", "URBANISATION", "SEX") == [
        ("MA-02", "U", "M"), ("MA-02", "U", "F"), ("MA-02", "R", "M"), ("MA-03", None, "F")
    ]  # fmt: skip
    assert [data.origin(i, "REF_AREA").a1 for i in range(4)] == ["A2", "A2", "A2", "A5"]
    assert [data.origin(i, "URBANISATION").a1 for i in range(4)] == ["B2", "B2", "B4", "B5"]
    assert [data.origin(i).a1 for i in range(4)] == ["D2", "D3", "D4", "D5"]


def test_nothing_is_filled_down_before_the_first_text(tmp_path: Path) -> None:
    data = of_text(
        tmp_path, [["Sexe", "Valeur"], ["", 1], ["F", 2], ["", 3]], {**SEX, "fill": "down"}
    )
    assert rows_of(data, "SEX") == [(None,), ("F",), ("F",)]


def test_fill_heading_takes_the_text_of_a_row_without_values(tmp_path: Path) -> None:
    label = {"header": "Nom", "column": "SOURCE", "fill": "heading"}
    rows = [["Région", "Nom", "Valeur"], ["L'Oriental", "", ""], ["", "Programme 1", ""],
            ["", "Voté", 1], ["", "Payé", 2], ["Fès-Meknès", "", ""], ["", "Voté", 3],
            ["", "Programme 2", ""], ["", "Payé", 4]]  # fmt: skip
    sheet = {"headings": True, "columns": [{**AREA, "fill": "down"}, label], "values": [VALUE]}
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet))
    assert rows_of(data, "REF_AREA", "SOURCE", "OBS_VALUE") == [
        ("MA-02", "Programme 1", 1), ("MA-02", "Programme 1", 2), ("MA-03", None, 3),
        ("MA-03", "Programme 2", 4),
    ]  # fmt: skip
    assert data.origin(1, "SOURCE").a1 == "B3"


def test_headings_are_rows_without_values(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "", ""], ["", "F", 1], ["", "M", ".."]]
    sheet = {"headings": True, "columns": [{**AREA, "fill": "down"}, SEX], "values": [VALUE]}
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet, missing={"..": "O"}))
    assert rows_of(data, "REF_AREA", "SEX", "OBS_VALUE") == [
        ("MA-02", "F", 1), ("MA-02", "M", None)
    ]  # fmt: skip
    sheet["headings"] = False
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet, missing={"..": "O"}))
    assert len(data) == 3
    assert told(data) == [("GBI-T001", "C2")]


def test_headings_where_a_row_is_a_record(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "", ""], ["", "F", 1]]
    columns = [{**AREA, "fill": "down"}, SEX, {"header": "Valeur", "column": "OBS_VALUE"}]
    sheet = {"headings": True, "columns": columns}
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet))
    assert rows_of(data, "REF_AREA", "SEX", "OBS_VALUE") == [("MA-02", "F", 1)]


def test_nested_headings_hold_until_the_next_of_their_kind(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["REGION : L'Oriental"], ["Milieu : Urbain"], ["F", 1],
            ["Milieu : Rural"], ["F", 2], ["REGION : Fès-Meknès"], ["F", 3]]  # fmt: skip
    columns = [
        {"heading": "Région : .*|REGION : .*", "split": "REGION : (?P<REF_AREA>.+)"},
        {"heading": "Milieu : .*", "split": "Milieu : (?P<URBANISATION>.+)"},
        SEX,
    ]
    data = gbi.read(
        text_file(tmp_path, rows), profile=own(tmp_path, {"columns": columns, "values": [VALUE]})
    )
    # the deeper heading ends with the one above it
    assert rows_of(data, "REF_AREA", "URBANISATION") == [
        ("MA-02", "U"), ("MA-02", "R"), ("MA-03", "_T")
    ]  # fmt: skip
    assert [data.origin(i, "REF_AREA").a1 for i in range(3)] == ["A2", "A2", "A7"]
    assert data.origin(1, "URBANISATION").a1 == "A5"


def test_a_heading_stops_what_was_filled_down(tmp_path: Path) -> None:
    rows = [["Milieu", "Sexe", "Valeur"], ["L'Oriental"], ["Urbain", "F", 1], ["Fès-Meknès"],
            ["", "M", 2]]  # fmt: skip
    columns = [{"heading": "L'.*|Fès.*", "column": "REF_AREA"}, {**MILIEU, "fill": "down"}, SEX]
    data = gbi.read(
        text_file(tmp_path, rows), profile=own(tmp_path, {"columns": columns, "values": [VALUE]})
    )
    assert rows_of(data, "REF_AREA", "URBANISATION", "SEX") == [
        ("MA-02", "U", "F"), ("MA-03", None, "M")
    ]  # fmt: skip


def test_a_row_with_two_texts_is_no_heading(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["Fès", 1], ["Fès"]]
    columns = [{"heading": "Fès", "column": "SOURCE"}, {**SEX, "as": "text"}]
    data = gbi.read(
        text_file(tmp_path, rows), profile=own(tmp_path, {"columns": columns, "values": [VALUE]})
    )
    assert rows_of(data, "SEX", "OBS_VALUE") == [("Fès", 1)]


def filtered_out(data: Dataset) -> str | None:
    (step,) = (s.to_dict() for s in data.provenance.steps if s.function == "read")
    count: str | None = step["parameters"].get("rows_filtered_out")
    return count


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"keep": ["Décembre", "annuel"]}, ["décembre", "Annuel"]),
        ({"drop": ["Décembre", "annuel"]}, ["Mars 1", "Mars 2", ""]),
        ({"keep_like": r"Mars \d"}, ["Mars 1", "Mars 2"]),
        ({"drop_like": r"Mars \d"}, ["décembre", "Annuel", ""]),
        ({"keep": ["Mars 1", "Annuel"], "drop_like": "Mars.*"}, ["Annuel"]),
        ({"keep": [""]}, [""]),
        ({"keep_like": "Mars"}, []),  # the whole text
    ],
)
def test_filters(tmp_path: Path, rule: dict[str, Any], kept: list[str]) -> None:
    written = ["Mars 1", "Mars 2", "décembre", "Annuel", ""]
    path = text_file(tmp_path, [["Mois", "Valeur"], *([w, i] for i, w in enumerate(written))])
    sheet = {"columns": [{"header": "Mois", "column": "COMMENT", **rule}], "values": [VALUE]}
    data = gbi.read(path, profile=own(tmp_path, sheet))
    assert [written[int(v)] for (v,) in rows_of(data, "OBS_VALUE")] == kept
    assert filtered_out(data) == str(5 - len(kept))
    assert [f.code for f in data.findings] == ([] if kept else ["GBI-F002"])


def test_a_filter_sees_the_text_that_is_filled_down(tmp_path: Path) -> None:
    rows = [["Région", "Valeur"], ["A", 1], ["", 2], ["B", 3], ["", 4]]
    sheet = {
        "columns": [{"header": "Région", "fill": "down", "keep": ["B"]}], "values": [VALUE],
    }  # fmt: skip
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet))
    assert rows_of(data, "OBS_VALUE") == [(3,), (4,)]
    assert filtered_out(data) == "2"


def test_no_filter_leaves_no_trace(tmp_path: Path) -> None:
    assert filtered_out(of_text(tmp_path, [["Sexe", "Valeur"], ["F", 1]], SEX)) is None


def test_notes_end_a_table(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", 1], ["Source : HCP"], ["suite de la note"]]
    sheet = {"columns": [SEX], "values": [VALUE], "notes": "Source|Note"}
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet))
    assert (len(data), data.findings) == (1, ())
    del sheet["notes"]
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet))
    assert (len(data), len(data.findings)) == (3, 4)


def test_a_text_wraps_into_the_row_below(tmp_path: Path) -> None:
    rows = [["Indicateur", "Valeur"], ["Taux de", 1], ["chômage des", ""], ["femmes", ""],
            ["Part", 2], ["", ""], ["Autre", 3], ["Source : HCP"], ["suite"]]  # fmt: skip
    entry = {"header": "Indicateur", "column": "INDICATOR", "wraps": True}
    sheet = {"columns": [entry], "values": [VALUE], "notes": "Source"}
    constants = {"TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"}
    data = gbi.read(text_file(tmp_path, rows), profile=own(tmp_path, sheet, constants=constants))
    assert rows_of(data, "INDICATOR", "OBS_VALUE") == [
        ("Taux de chômage des femmes", 1), ("Part", 2), ("Autre", 3)
    ]  # fmt: skip
    assert data.origin(0, "INDICATOR").a1 == "A2"
    assert data.findings == ()


# --- texts that say several things: split, parts, lookup ---


def test_split(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [["Groupe", "Valeur"], ["Sexe : Féminin, milieu Urbain", 1], ["SEXE : M", 2], ["F", 3]],
        {"header": "Groupe", "split": r"Sexe : (?P<SEX>\w+)(, milieu (?P<URBANISATION>\w+))?"},
    )
    assert rows_of(data, "SEX", "URBANISATION") == [("F", "U"), ("M", "_T"), ("_T", "_T")]
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.field, finding.found) == (
        "GBI-C001", "A4", "SEX", "F"
    )  # fmt: skip
    assert [data.origin(i, "SEX").a1 for i in range(2)] == ["A2", "A3"]


def test_split_as_text_asks_no_code_list(tmp_path: Path) -> None:
    data = of_text(
        tmp_path,
        [["Lieu", "Valeur"], ["Ottawa Total", 1]],
        {"header": "Lieu", "split": "(?P<REF_AREA>.+?)(?: Total)?", "as": "text"},
    )
    assert (rows_of(data, "REF_AREA"), data.findings) == ([("Ottawa",)], ())


@pytest.mark.parametrize("order", [("freq", "unit", "sex", "geo"), ("geo", "freq", "sex", "unit")])
def test_parts_in_any_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    cell = {"freq": "A", "unit": "PC", "sex": "F", "geo": "MA"}
    head = ",".join(order) + "\\TIME_PERIOD"
    entry = {
        "pattern": r"(?:\w+,)*\w+\\TIME_PERIOD",
        "example": "x",
        "parts": {"freq": None, "sex": "SEX", "geo": "REF_AREA", "*": "INDICATOR"},
    }
    value = {"pattern": r"(?P<TIME_PERIOD>\d{4}) ?", "example": "2014"}
    rows = [[head, "2014 "], [",".join(cell[n] for n in order), 1], ["A,F", 2]]
    profile = own(
        tmp_path, {"columns": [entry], "values": [value]}, constants={"UNIT_MEASURE": "NUMBER"}
    )
    data = gbi.read(text_file(tmp_path, rows), profile=profile)
    assert rows_of(data, "INDICATOR", "SEX", "REF_AREA", "TIME_PERIOD")[0] == (
        "PC", "F", "MA", "2014"
    )  # fmt: skip
    assert [(f.code, f.a1, f.found) for f in data.findings] == [("GBI-C001", "A3", "A,F")]
    assert data.origin(0, "SEX").a1 == "A2"
    said_in_full(data.findings)


LOOKUP = {"file": r"codes.*\.csv", "key": "Code", "take": {"Nom": "REF_AREA", "Sexe": "SEX"}}
CODES = [["Code", "Sexe", "Nom"], ["A", "F", "L'Oriental"], ["12", "M", "Fès-Meknès"]]


def looked_up(folder: Path, *keys: str, **entry: Any) -> Dataset:
    rows = [["Lieu", "Valeur"], *([key, i] for i, key in enumerate(keys))]
    return of_text(folder, rows, {"header": "Lieu", "lookup": LOOKUP, **entry})


def test_lookup(tmp_path: Path) -> None:
    text_file(tmp_path, CODES, "codes_2024.csv")
    data = looked_up(tmp_path, "a", "12")
    assert rows_of(data, "REF_AREA", "SEX") == [("MA-02", "F"), ("MA-03", "M")]
    assert data.origin(1, "SEX").a1 == "A3"
    assert [s.name for s in data.provenance.sources] == ["codes_2024.csv", "donnees.csv"]
    assert data.findings == ()


def test_lookup_in_the_first_file_that_has_the_headers(tmp_path: Path) -> None:
    text_file(tmp_path, [["Code", "Autre"], ["A", "x"]], "codes_1.csv")
    text_file(tmp_path, [["Titre"], *CODES], "codes_2.csv")
    text_file(tmp_path, [CODES[0], ["A", "M", "Souss-Massa"]], "codes_3.csv")
    data = looked_up(tmp_path, "A")
    assert rows_of(data, "REF_AREA") == [("MA-02",)]
    assert [s.name for s in data.provenance.sources] == ["codes_2.csv", "donnees.csv"]


def test_lookup_without_its_file_is_said_once(tmp_path: Path) -> None:
    data = looked_up(tmp_path, "A", "B", "C")
    assert [(f.code, f.file, f.expected) for f in data.findings] == [
        ("GBI-F025", "donnees.csv", LOOKUP["file"])
    ]
    assert len(data) == 3


@pytest.mark.parametrize(
    ("key", "suggestion"), [("AA", "A"), ("13", None), ("1.2", None), ("zzz", None)]
)
def test_lookup_of_an_unknown_key(tmp_path: Path, key: str, suggestion: str | None) -> None:
    text_file(tmp_path, CODES, "codes.csv")
    data = looked_up(tmp_path, "A", key)
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.field) == ("GBI-C001", "A3", "Code")
    assert (finding.found, finding.suggestion) == (key, suggestion)
    assert rows_of(data, "SEX") == [("F",), ("_T",)]


def test_lookup_of_an_empty_key(tmp_path: Path) -> None:
    text_file(tmp_path, [*CODES, ["", "M", "Souss-Massa"]], "codes.csv")
    data = looked_up(tmp_path, "A", "")
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.field, finding.found) == (
        "GBI-C001", "A3", "Code", None
    )  # fmt: skip
    data = looked_up(tmp_path, "A", "", column="COMMENT", blank="sans")
    assert (rows_of(data, "COMMENT"), data.findings) == ([("A",), ("sans",)], ())


def test_a_number_that_is_looked_up_is_not_stored_as_text(tmp_path: Path) -> None:
    """The text is the code table's; the workbook's own text number is said all the same."""
    text_file(tmp_path, [["Code", "N"], ["1", "1200"]], "codes.csv")
    lookup = {"file": r"codes.*\.csv", "key": "Code", "take": {"N": "N_OBS"}}
    columns = [{"header": "Code", "lookup": lookup}, {"header": "N", "column": "CI_LOWER"}]
    data = of_book(tmp_path, [["Code", "N", "Valeur"], [1, "3", 5]],
                   sheet={"name": "Feuille", "called": "Feuille", "columns": columns,
                          "values": [VALUE]})  # fmt: skip
    assert rows_of(data, "N_OBS", "CI_LOWER", "OBS_VALUE") == [(1200, 3.0, 5.0)]
    assert told(data) == [("GBI-F013", "B2")]


def test_lookup_as_text(tmp_path: Path) -> None:
    text_file(tmp_path, [["Code", "Nom", "Sexe"], ["A", "Ottawa", "W"]], "codes.csv")
    data = looked_up(tmp_path, "A", **{"as": "text"})
    assert (rows_of(data, "REF_AREA", "SEX"), data.findings) == ([("Ottawa", "W")], ())


def test_the_first_of_two_rows_with_one_key_counts(tmp_path: Path) -> None:
    text_file(tmp_path, [*CODES, ["A", "M", "Souss-Massa"]], "codes.csv")
    assert rows_of(looked_up(tmp_path, "A"), "SEX") == [("F",)]


def test_a_looked_up_file_is_no_longer_unknown(tmp_path: Path) -> None:
    folder = tmp_path / "envoi"
    folder.mkdir()
    text_file(folder, [["Lieu", "Valeur"], ["A", 1]])
    text_file(folder, CODES, "codes.csv")
    text_file(folder, CODES, "autre.csv")
    profile = own(tmp_path, {"columns": [{"header": "Lieu", "lookup": LOOKUP}], "values": [VALUE]})
    submission = read_submission(folder, profile=[profile])
    assert {(f.name, f.status) for f in submission.files} == {
        ("donnees.csv", "read"), ("codes.csv", "ignored"), ("autre.csv", "unknown")
    }  # fmt: skip
    assert [f.file for f in submission.findings if f.code == "GBI-F006"] == ["autre.csv"]
    assert {s.name for s in submission.provenance.sources} == {"donnees.csv", "codes.csv"}


def test_a_code_table_is_held_to_the_same_limits(tmp_path: Path) -> None:
    text_file(tmp_path, [*CODES, *(["x", "y", "z"] for _ in range(20))], "codes.csv")
    path = text_file(tmp_path, [["Lieu", "Valeur"], ["A", 1]])
    columns = [{"header": "Lieu", "lookup": LOOKUP}]
    profile = own(tmp_path, {"columns": columns, "values": [VALUE]})
    assert gbi.read(path, profile=profile).findings == ()
    data = gbi.read(path, profile=profile, limits=Limits(cells=20))
    assert [f.code for f in data.findings] == ["GBI-F025"]


def test_a_damaged_code_table_does_not_stop_the_submission(tmp_path: Path) -> None:
    folder = tmp_path / "envoi"
    folder.mkdir()
    text_file(folder, [["Lieu", "Valeur"], ["A", 1]])
    (folder / "codes.xlsx").write_bytes(b"PK\x03\x04abc")
    columns = [{"header": "Lieu", "lookup": {**LOOKUP, "file": "codes.*"}}]
    profile = own(tmp_path, {"columns": columns, "values": [VALUE]})
    submission = read_submission(folder, profile=[profile])
    assert {f.status for f in submission.files} == {"read", "unreadable"}
    assert "GBI-F025" in {f.code for f in submission["statistics"].findings}


# --- values: status, set, file names, constants ---


def test_status_next_is_a_mark_or_a_comment(tmp_path: Path) -> None:
    rows = [
        ["Sexe", 2014, None, 2015, None],
        ["F", 1, "p", 2, None],
        ["M", 3, "rupture", "..", "p"],
    ]
    sheet = {
        "columns": [SEX],
        "values": [{"pattern": r"(?P<TIME_PERIOD>\d{4})", "example": "2014", "status": "next"}],
    }
    data = of_book(
        tmp_path, rows, sheet=sheet, maps={"OBS_STATUS": {"p": "P"}}, missing={"..": "O"}
    )
    assert rows_of(data, "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "COMMENT") == [
        ("2014", 1, "P", None), ("2015", 2, "A", None), ("2014", 3, "A", "rupture"),
        ("2015", None, "P", None),
    ]  # fmt: skip
    assert [data.origin(0, "OBS_STATUS").a1, data.origin(2, "COMMENT").a1] == ["C2", "C3"]


def test_set_comes_over_what_the_row_says(tmp_path: Path) -> None:
    sheet = {
        "constants": {"SEX": "_T", "COMMENT": "feuille"},
        "columns": [MILIEU],
        "values": [
            {"header": "Hommes", "set": {"SEX": "M"}},
            {"header": "Femmes", "set": {"SEX": "F", "UNIT_MULT": 3}},
            {"header": "Ensemble"},
        ],
    }
    rows = [["Milieu", "Femmes", "Hommes", "Ensemble"], ["Rural", 1, 2, 3]]
    data = of_book(tmp_path, rows, sheet=sheet, constants={**CONSTANTS, "COMMENT": "profil"})
    assert rows_of(data, "SEX", "OBS_VALUE", "UNIT_MULT", "COMMENT") == [
        ("M", 2, 0, "feuille"), ("F", 1, 3, "feuille"), ("_T", 3, 0, "feuille")
    ]  # fmt: skip


def test_the_status_of_a_column_that_stands_after_the_value(tmp_path: Path) -> None:
    columns = [
        SEX,
        {"header": "Valeur", "column": "OBS_VALUE"},
        {"header": "Statut", "column": "OBS_STATUS"},
    ]
    rows = [["Sexe", "Valeur", "Statut"], ["F", 1, ""], ["M", "..", ""], ["_T", 2, "E"]]
    data = gbi.read(
        text_file(tmp_path, rows),
        profile=own(tmp_path, {"columns": columns}, missing={"..": "O"}),
    )
    assert rows_of(data, "OBS_VALUE", "OBS_STATUS") == [(1, "A"), (None, "O"), (2, "E")]


PEOPLE = {"columns": [SEX], "values": [VALUE]}
NAMED = {
    "file": r"pop_(?P<REF_AREA>[^_]+)(?:_(?P<TIME_PERIOD>\d{4}))?",
    "file_example": "pop_L'Oriental_2014",
}


def test_a_file_name_says_columns(tmp_path: Path) -> None:
    path = text_file(tmp_path, [["Sexe", "Valeur"], ["F", 1]], "POP_L'Oriental_2014.csv")
    data = gbi.read(path, profile=own(tmp_path, PEOPLE, **NAMED))
    assert rows_of(data, "REF_AREA", "TIME_PERIOD") == [("MA-02", "2014")]
    assert data.findings == ()


def test_what_a_file_name_does_not_say_stays(tmp_path: Path) -> None:
    path = text_file(tmp_path, [["Sexe", "Valeur"], ["F", 1]], "pop_L'Oriental.csv")
    data = gbi.read(path, profile=own(tmp_path, PEOPLE, **NAMED))
    assert rows_of(data, "REF_AREA", "TIME_PERIOD") == [("MA-02", "2024")]


def test_a_file_name_of_another_form(tmp_path: Path) -> None:
    path = text_file(tmp_path, [["Sexe", "Valeur"], ["F", 1]], "autre.csv")
    data = gbi.read(path, profile=own(tmp_path, PEOPLE, **NAMED))
    (finding,) = data.findings
    assert (finding.code, finding.file, finding.found) == ("GBI-S011", "autre.csv", "autre")
    assert finding.expected == finding.suggestion == NAMED["file_example"]
    said_in_full(data.findings)


def test_a_file_name_of_another_form_is_not_detected(tmp_path: Path) -> None:
    folder = tmp_path / "envoi"
    folder.mkdir()
    text_file(folder, [["Sexe", "Valeur"], ["F", 1]], "pop_L'Oriental_2014.csv")
    text_file(folder, [["Sexe", "Valeur"], ["F", 1]], "autre.csv")
    submission = read_submission(folder, profile=[own(tmp_path, PEOPLE, **NAMED)])
    assert {f.name: f.profile for f in submission.files} == {
        "pop_L'Oriental_2014.csv": "essai", "autre.csv": None
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"sheets": [{"columns": [{**SEX, "column": "SEXE"}], "values": [VALUE]}]},
        {"sheets": [{"columns": [SEX], "values": [{**VALUE, "set": {"SEXE": "F"}}]}]},
        {"sheets": [{"columns": [{"header": "Sexe", "split": "(?P<SEXE>.*)"}], "values": [VALUE]}]},
        {"sheets": [{"columns": [{**SEX, "lookup": {**LOOKUP, "take": {"Nom": "SEXE"}}}]}]},
        {"constants": {"SEXE": "F"}},
        {"maps": {"SEX": {"x": {"SEXE": "F"}}}},
        {"derive": [{"when": {"SEX": ["F"]}, "set": {"SEXE": "F"}}]},
        {"totals": [{"column": "SEXE", "label": "Total", "code": "_T"}]},
    ],
    ids=json.dumps,
)
def test_a_column_that_the_table_has_not_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    sheets = change.pop("sheets", [PEOPLE])
    with pytest.raises(GbiError) as caught:
        own(tmp_path, *sheets, **change)
    assert caught.value.code == "GBI-E003"
    assert "SEXE" in caught.value.message()


def test_a_reference_file_gives_no_figures(tmp_path: Path) -> None:
    folder = tmp_path / "envoi"
    folder.mkdir()
    text_file(folder, [["Code", "Nom"], ["1", "Santé"]])
    columns = [{"header": "Code"}, {"header": "Nom", "column": "MINISTRY", "as": "text"}]
    path = own(tmp_path, {"columns": columns}, table=None, constants=None, reference=["budget"])
    submission = read_submission(folder, profile=[path])
    assert [(f.status, f.profile, f.table, f.rows) for f in submission.files] == [
        ("read", "essai", None, 1)
    ]
    assert submission.datasets == {}


@pytest.mark.parametrize(("how", "decimals"), [("printed", [1, 0, 2]), ("series", [1, 1, 2])])
def test_decimals_of_the_value_or_of_its_series(
    tmp_path: Path, how: str, decimals: list[int]
) -> None:
    rows = [["Indicateur", "Valeur"], ["A", "1,5"], ["A", "2"], ["B", "3,25"]]
    constants = {"TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"}
    data = of_text(tmp_path, rows, {"header": "Indicateur", "column": "INDICATOR"},
                   decimals=how, constants=constants)  # fmt: skip
    assert data.frame["DECIMALS"].tolist() == decimals


def test_decimals_of_a_series_that_has_no_name(tmp_path: Path) -> None:
    constants = {"TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"}
    rows = [["Sexe", "Valeur"], ["F", "1,5"], ["M", "2"]]
    data = of_text(tmp_path, rows, SEX, decimals="series", constants=constants)
    assert data.frame["DECIMALS"].tolist() == [1, 1]


# --- findings of reading ---


def test_numbers_stored_as_texts(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", "1 000"], ["M", "2,5"], ["_T", 3], ["U", "4 %"]]
    data = of_book(tmp_path, rows, sheet=PEOPLE, numbers={"decimal": ",", "thousands": [" "]},
                   constants={**CONSTANTS, "UNIT_MEASURE": "PT"})  # fmt: skip
    (finding,) = (f for f in data.findings if f.code == "GBI-F013")
    assert (finding.a1, finding.found) == ("B2:B3", 2)  # a mark can be stored as text only
    stored = {"decimal": ",", "thousands": [" "], "stored": "text"}
    data = of_book(tmp_path, rows, sheet=PEOPLE, numbers=stored)
    assert "GBI-F013" not in {f.code for f in data.findings}


def test_texts_that_are_no_numbers_are_not_numbers_stored_as_texts(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", ".."], ["M", "-"], ["_T", "abc"], ["U", "1,234"]]
    data = of_book(tmp_path, rows, sheet=PEOPLE, missing={"..": "O"}, dash={"status": "O"})
    assert "GBI-F013" not in {f.code for f in data.findings}
    data = of_text(tmp_path, [["Sexe", "Valeur"], ["F", "1"]], SEX)
    assert data.findings == ()  # a text file has nothing but texts


def test_a_merged_value(tmp_path: Path) -> None:
    rows = [["Titre"], ["Région", "Sexe", "Valeur"], ["L'Oriental", "F", 5], [None, "M"]]
    sheet = {"columns": [AREA, SEX], "values": [VALUE]}
    data = of_book(tmp_path, rows, "A1:C1", "A3:A4", "C3:C4", sheet=sheet)
    assert [(f.code, f.a1, f.found) for f in data.findings] == [("GBI-F016", "C3:C4", "C3:C4")]
    assert rows_of(data, "REF_AREA", "OBS_VALUE") == [("MA-02", 5), ("MA-02", 5)]
    assert [data.origin(i).a1 for i in range(2)] == ["C3", "C3"]
    assert [data.origin(i, "REF_AREA").a1 for i in range(2)] == ["A3", "A3"]


def test_a_merged_heading_is_the_text_of_its_first_column_alone(tmp_path: Path) -> None:
    rows = [["Région", "Objet", "Valeur"], ["L'Oriental"], [None, "A", 1], [None, None, 2],
            ["Fès-Meknès"], [None, None, 3]]  # fmt: skip
    columns = [{**AREA, "fill": "down"}, {"header": "Objet", "column": "COMMENT", "fill": "down"}]
    sheet = {"headings": True, "columns": columns, "values": [VALUE]}
    data = of_book(tmp_path, rows, "A2:C2", "A5:C5", sheet=sheet)
    assert rows_of(data, "REF_AREA", "COMMENT", "OBS_VALUE") == [
        ("MA-02", "A", 1), ("MA-02", "A", 2), ("MA-03", None, 3)
    ]  # fmt: skip
    assert data.findings == ()


def test_what_is_merged_beside_the_values_is_no_fault(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "F", 5], [None, "M", 6],
            ["Note sur toute la largeur"]]  # fmt: skip
    sheet = {"columns": [AREA, SEX], "values": [VALUE], "notes": "Note"}
    data = of_book(tmp_path, rows, "A2:A3", "A4:C4", sheet=sheet)
    assert data.findings == ()


def test_a_merged_value_where_a_row_is_a_record(tmp_path: Path) -> None:
    columns = [SEX, {"header": "Valeur", "column": "OBS_VALUE"}]
    data = of_book(tmp_path, [["Sexe", "Valeur"], ["F", 5], ["M"]], "B2:B3",
                   sheet={"columns": columns})  # fmt: skip
    assert [(f.code, f.a1) for f in data.findings] == [("GBI-F016", "B2:B3")]


def test_a_repeated_row(tmp_path: Path) -> None:
    rows = [["Sexe", "Milieu", "Valeur"], ["F", "Rural", 1], ["F", "Rural", 2], ["F", "Rural", 1],
            ["F", "Rural", 1]]  # fmt: skip
    data = of_text(tmp_path, rows, SEX, MILIEU)
    assert [(f.code, f.a1, f.found) for f in data.findings] == [
        ("GBI-F026", "A4", "A2"), ("GBI-F026", "A5", "A2")
    ]  # fmt: skip
    assert [c.a1 for c in data.findings[0].cells] == ["A4", "A2"]
    assert len(data) == 4


def test_rows_that_differ_in_a_column_that_is_not_kept_are_not_repeated(tmp_path: Path) -> None:
    rows = [["N°", "Sexe", "Valeur"], ["1", "F", 1], ["2", "F", 1], ["3", "M", 2], ["3", "M", 2]]
    data = of_text(tmp_path, rows, {"header": "N°", "drop": ["3"]}, SEX)
    assert data.findings == ()  # nor are rows that are not read


def test_rows_that_differ_by_what_is_filled_down_are_not_repeated(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "M", 1], ["", "F", 2],
            ["Fès-Meknès", "M", 5], ["", "F", 2], ["", "F", 2]]  # fmt: skip
    data = of_text(tmp_path, rows, {**AREA, "fill": "down"}, SEX)
    assert [(f.code, f.a1, f.found) for f in data.findings] == [("GBI-F026", "A6", "A5")]


def test_rows_under_different_headings_are_not_repeated(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["L'Oriental"], ["F", 2], ["Fès-Meknès"], ["F", 2]]
    data = of_text(tmp_path, rows, {"heading": "L'.*|Fès.*", "column": "REF_AREA"}, SEX)
    assert data.findings == ()


def test_a_folder_is_told_which_tables_it_lacks(tmp_path: Path, sample_dir: Path) -> None:
    folder = tmp_path / "envoi"
    folder.mkdir()
    path = text_file(folder, [["Sexe", "Valeur"], ["F", 1]])
    profile = own(tmp_path, PEOPLE)
    lacking = [f for f in read_submission(folder, profile=profile).findings if f.code == "GBI-F024"]
    assert [f.field for f in lacking] == ["budget", "performance", "marking"]
    said_in_full(lacking)
    for one in (path, [path]):  # who names a file has asked for no more
        findings = read_submission(one, profile=profile).findings
        assert "GBI-F024" not in {f.code for f in findings}
    assert "GBI-F024" not in {f.code for f in read_submission(sample_dir).findings}


# --- microdata ---


def test_microdata_are_read_as_they_are(tmp_path: Path) -> None:
    rows = [["id", "poids", "sexe", "vide"], ["a", "1.5", "F", ""], ["b", "2", "M", ""], ["c", ""]]
    path = text_file(tmp_path, rows)
    data = gbi.read(path, table="survey")
    assert (data.table, dict(data.roles)) == ("survey", {})
    assert list(data.frame) == ["id", "poids", "sexe", "vide"]
    assert data.frame["poids"].tolist()[:2] == [1.5, 2.0]
    assert data.frame["poids"].isna().tolist() == [False, False, True]
    assert data.frame["sexe"].tolist()[:2] == ["F", "M"]
    assert data.origin(1) == Cell("donnees.csv", "", "A3")


def test_microdata_with_two_variables_of_one_name(tmp_path: Path) -> None:
    data = gbi.read(text_file(tmp_path, [["x", "x", "y"], [1, 2, 3]]), table="survey")
    assert data.frame.to_dict("list") == {"x": [1.0], "y": [3.0]}
    assert [(f.code, f.a1, f.found) for f in data.findings] == [("GBI-S016", "B1", "x")]
    said_in_full(data.findings)


def test_missing_marks_of_microdata(tmp_path: Path) -> None:
    path = text_file(tmp_path, [["a", "b"], ["1", "NA"], ["NA", "x"]])
    document = {
        "name": "enquete",
        "version": "1.0",
        "labels": dict.fromkeys(LANGUAGES, "Enquête"),
        "format": "table",
        "table": "survey",
        "missing": {"NA": "O"},
    }
    data = gbi.read(path, profile=Profile("enquete", document))
    assert data.frame["a"].dtype == "float64"
    assert data.frame.isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert gbi.read(path, table="survey").frame["a"].tolist() == ["1", "NA"]


def test_microdata_with_a_profile_have_roles(tmp_path: Path) -> None:
    path = text_file(tmp_path, [["poids", "sexe"], ["1", "F"]])
    document = {
        "name": "enquete",
        "version": "1.0",
        "labels": dict.fromkeys(LANGUAGES, "Enquête"),
        "format": "table",
        "table": "survey",
        "roles": {"weight": "poids", "sex": "sexe"},
    }
    (tmp_path / "enquete.yaml").write_text(json.dumps(document), encoding="utf-8")
    for profile in (tmp_path / "enquete.yaml", Profile("enquete", document)):
        data = gbi.read(path, profile=profile)
        assert dict(data.roles) == {"weight": "poids", "sex": "sexe"}
        assert data.frame.to_dict("list") == {"poids": [1.0], "sexe": ["F"]}


# --- every describing text is where its origin says ---

WORDS = {
    "REF_AREA": {"L'Oriental": "MA-02", "Fès-Meknès": "MA-03", "Souss-Massa": "MA-09"},
    "URBANISATION": {"Urbain": "U", "Rural": "R"},
    "SEX": {"Hommes": "M", "Femmes": "F", "Ensemble": "_T"},
}


@st.composite
def sheets(draw: st.DrawFn) -> tuple[list[list[Any]], list[str], dict[tuple[str, ...], str]]:
    """Give a sheet, its merged areas, and the cell of each value by what describes it."""
    titles = draw(st.integers(0, 3))
    years = draw(st.lists(st.integers(1990, 2030), min_size=1, max_size=3, unique=True))
    sexes = draw(st.lists(st.sampled_from(list(WORDS["SEX"])), min_size=1, unique=True))
    merge = draw(st.booleans())
    rows: list[list[Any]] = [[f"Tableau {i}"] for i in range(titles)]
    upper: list[Any] = ["Région", "Milieu"]
    lower: list[Any] = [None, None]
    for year in years:
        upper += [year, *[None] * (len(sexes) - 1)]
        lower += sexes
    rows += [upper, lower]
    merged = []
    if merge and len(sexes) > 1:
        for i in range(len(years)):
            left = 3 + i * len(sexes)
            merged.append(
                f"{get_column_letter(left)}{titles + 1}:"
                f"{get_column_letter(left + len(sexes) - 1)}{titles + 1}"
            )
    values: dict[tuple[str, ...], str] = {}
    number = 0
    for area in draw(st.lists(st.sampled_from(list(WORDS["REF_AREA"])), min_size=1, unique=True)):
        shown: str | None = area
        areas = draw(st.lists(st.sampled_from(["Urbain", "Rural"]), min_size=1, unique=True))
        for milieu in areas:
            line: list[Any] = [shown, milieu]
            shown = None
            for year in years:
                for sex in sexes:
                    number += 1
                    line.append(number)
                    at = f"{get_column_letter(len(line))}{len(rows) + 1}"
                    values[area, milieu, str(year), sex] = at
            rows.append(line)
            if draw(st.booleans()):
                rows.append([])
    return rows, merged, values


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=sheets())
def test_every_text_stands_at_its_origin(tmp_path: Path, drawn: Any) -> None:
    rows, merged, values = drawn
    section = {
        "header_rows": 2,
        "spread": True,
        "columns": [{**AREA, "fill": "down"}, MILIEU],
        "values": [{"pattern": r"(?P<TIME_PERIOD>\d{4}) (?P<SEX>\w+)", "example": "2014 Hommes"}],
    }
    data = of_book(tmp_path, rows, *merged, sheet=section,
                   constants={"INDICATOR": "Effectif", "UNIT_MEASURE": "NUMBER"})  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "donnees.xlsx").active
    found = {}
    for i in range(len(data)):
        row = data.frame.iloc[i]
        words = []
        for column in ("REF_AREA", "URBANISATION", "TIME_PERIOD", "SEX"):
            written = str(sheet[data.origin(i, column).a1].value)
            assert WORDS.get(column, {}).get(written, written) == row[column]
            words.append(written)
        assert sheet[data.origin(i).a1].value == row["OBS_VALUE"]
        assert data.raw(i) == str(sheet[data.origin(i).a1].value)
        found[tuple(words)] = data.origin(i).a1
    assert found == values
    assert data.findings == ()
