"""Where the columns of a profile stand: headers under titles, in two rows, repeated, or absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset
from gbi.ingest.grid import Grid
from gbi.ingest.layout import locate, tables
from gbi.ingest.profile import Section, load_profile
from gbi.language import LANGUAGES

SEX = {"header": "Sexe", "column": "SEX"}
VALUE = {"header": "Valeur"}
PEOPLE: dict[str, Any] = {"columns": [SEX], "values": [VALUE]}
YEARS = {"pattern": r"(?P<TIME_PERIOD>\d{4})", "example": "2014"}
Rows = Sequence[Sequence[Any]]


def own(folder: Path, *sheets: dict[str, Any], **keys: Any) -> Path:
    document = {
        "name": "essai",
        "version": "1.0",
        "labels": dict.fromkeys(LANGUAGES, "Essai"),
        "format": "workbook",
        "table": "statistics",
        "numbers": {"decimal": ","},
        "decimals": "printed",
        "constants": {"INDICATOR": "Effectif", "TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"},
        "sheets": sheets,
    }
    path = folder / "essai.yaml"
    path.write_text(json.dumps({**document, **keys}), encoding="utf-8")
    load_profile(path)
    return path


def book(folder: Path, *merged: str, **sheets: Rows) -> Path:
    """Write a workbook; areas are merged on its first sheet."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        workbook.worksheets[0].merge_cells(area)
    path = folder / "donnees.xlsx"
    workbook.save(path)
    return path


def reading(folder: Path, rows: Rows, *merged: str, section: Any, **keys: Any) -> Dataset:
    data = gbi.read(book(folder, *merged, Feuille=rows), profile=own(folder, section, **keys))
    for finding in data.findings:
        for lang in LANGUAGES:
            parts = finding.message[lang].values()
            assert all(parts)
            assert not any("{" in p or "None" in p for p in parts), (finding.code, lang)
    return data


def rows_of(data: Dataset, *columns: str) -> list[tuple[Any, ...]]:
    frame = data.frame[list(columns)].astype(object)
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def told(data: Dataset) -> list[tuple[str, str, object]]:
    return [(f.code, f.a1, f.found) for f in data.findings]


def grid(*rows: Sequence[Any]) -> Grid:
    return Grid("f", "", rows)


# --- one header ---


@pytest.mark.parametrize("above", [0, 1, 5, 38])
def test_a_header_under_titles(tmp_path: Path, above: int) -> None:
    rows = [*([f"Titre {i}"] for i in range(above)), [], ["Sexe", "Valeur"], ["F", 1]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1)]
    assert data.origin(0).a1 == f"B{above + 3}"
    assert data.findings == ()


def test_a_header_too_far_down_is_not_found(tmp_path: Path) -> None:
    rows = [*([f"Titre {i}"] for i in range(40)), ["Sexe", "Valeur"], ["F", 1]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert len(data) == 0
    assert {f.code for f in data.findings} == {"GBI-S011"}


def test_headers_are_compared_without_accents_case_and_breaks(tmp_path: Path) -> None:
    section = {"columns": [{"header": "Région d’origine", "column": "REF_AREA"}], "values": [VALUE]}
    rows = [["REGION\nd'origine ", "  valeur"], ["L'Oriental", 1]]
    assert rows_of(reading(tmp_path, rows, section=section), "REF_AREA") == [("MA-02",)]


def test_columns_may_stand_in_any_order_with_others_between(tmp_path: Path) -> None:
    rows = [["Note", "Valeur", None, "Sexe"], ["x", 1, None, "F"]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1)]
    assert told(data) == [("GBI-S015", "A1", "Note")]


def test_the_most_complete_header_is_the_header(tmp_path: Path) -> None:
    rows = [["Sexe", "Note"], ["Sexe", "Valeur"], ["F", 1]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1)]


def test_a_missing_column_is_said_at_the_header_in_its_place(tmp_path: Path) -> None:
    data = reading(tmp_path, [["Sexe", "Valeurs"], ["F", 1]], section=PEOPLE)
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.found) == ("GBI-S011", "B1", "Valeurs")
    assert finding.expected == finding.suggestion == "Valeur"
    data = reading(tmp_path, [["Genre", "Valeur"], ["F", 1]], section=PEOPLE)
    assert told(data) == [("GBI-S011", "A1", "Genre")]
    assert len(data) == 0  # without what identifies a value none is read


def test_an_optional_column_may_be_absent(tmp_path: Path) -> None:
    milieu = {"header": "Milieu", "column": "URBANISATION", "optional": True}
    total = {"header": "Total", "optional": True, "set": {"SEX": "_T"}}
    section = {"columns": [SEX, milieu], "values": [VALUE, total]}
    data = reading(tmp_path, [["Sexe", "Valeur"], ["F", 1]], section=section)
    assert (rows_of(data, "SEX", "URBANISATION"), data.findings) == ([("F", "_T")], ())
    data = reading(
        tmp_path, [["Sexe", "Valeur", "Milieu", "Total"], ["F", 1, "R", 2]], section=section
    )
    assert rows_of(data, "SEX", "URBANISATION", "OBS_VALUE") == [("F", "R", 1), ("_T", "R", 2)]


def test_optional_columns_that_are_absent_do_not_count_against_a_file() -> None:
    optional = [{"header": f"C{i}", "optional": True} for i in range(30)]
    section = Section({"columns": [SEX, *optional], "values": [VALUE]})
    for rows, score in (
        ([["Sexe", "Valeur"]], 1.0),
        ([["Sexe", "Valeur", "C1"]], 1.0),
        ([["Sexe", "Valeur", "X"]], 2 / 3),
        ([["Sexe", "C1"]], 2 / 3),
        ([["Sexe"]], 0.5),
    ):
        layout = locate(grid(*rows), section)
        assert layout is not None
        assert layout.score == pytest.approx(score)
    assert locate(grid(["x", "y"]), section) is None
    assert locate(grid(), section) is None


# --- headers that nobody asks for, and headers that stand twice ---


def test_a_header_that_nobody_asks_for(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur", "Rang"], ["F", 1, 3]]
    assert told(reading(tmp_path, rows, section=PEOPLE)) == [("GBI-S015", "C1", "Rang")]
    for known in ({"header": "Rang"}, {"pattern": "R.*", "example": "Rang"}, {"at": "C"}):
        section = {**PEOPLE, "columns": [SEX, known]}
        assert reading(tmp_path, rows, section=section).findings == ()


def test_a_pattern_without_a_column_swallows_all_that_follow_it(tmp_path: Path) -> None:
    rows = [["Sexe", "Note 1", "Note 2", "Valeur", "Autre"], ["F", "a", "b", 1, "c"]]
    section = {**PEOPLE, "columns": [SEX, {"pattern": r"Note \d", "example": "Note 1"}]}
    assert told(reading(tmp_path, rows, section=section)) == [("GBI-S015", "E1", "Autre")]


def test_a_header_that_stands_twice(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur", "VALEUR", "Valeur"], ["F", 1, 2, 3]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert rows_of(data, "OBS_VALUE") == [(1,)]
    assert told(data) == [("GBI-S016", "C1", "VALEUR"), ("GBI-S016", "D1", "Valeur")]


def test_two_entries_with_one_header_take_two_columns(tmp_path: Path) -> None:
    values = [{"header": "Total", "set": {"SEX": sex}} for sex in ("M", "F")]
    section = {"columns": [{"header": "Milieu", "column": "URBANISATION"}], "values": values}
    data = reading(tmp_path, [["Milieu", "Total", "Total"], ["U", 1, 2]], section=section)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("M", 1), ("F", 2)]
    assert data.findings == ()


# --- wide columns ---


def test_years_as_columns(tmp_path: Path) -> None:
    rows = [["Sexe", 2014, "2015", "Note", 2016], ["F", 1, 2, "x", 3]]
    data = reading(tmp_path, rows, section={"columns": [SEX], "values": [YEARS]})
    assert rows_of(data, "TIME_PERIOD", "OBS_VALUE") == [("2014", 1), ("2015", 2), ("2016", 3)]
    assert [data.origin(i, "TIME_PERIOD").a1 for i in range(3)] == ["B1", "C1", "E1"]
    assert told(data) == [("GBI-S015", "D1", "Note")]


def test_an_entry_before_a_pattern_takes_its_column_first(tmp_path: Path) -> None:
    values = [{"header": "2015", "set": {"OBS_STATUS": "P"}}, YEARS]
    data = reading(
        tmp_path, [["Sexe", 2014, 2015], ["F", 1, 2]], section={"columns": [SEX], "values": values}
    )
    assert rows_of(data, "TIME_PERIOD", "OBS_STATUS") == [("2024", "P"), ("2014", "A")]


def test_patterns_are_compared_without_case(tmp_path: Path) -> None:
    section = {
        "columns": [SEX],
        "values": [{"pattern": "(?:nombre|valeur)s?", "example": "Nombre"}],
    }
    data = reading(tmp_path, [["Sexe", "NOMBRES"], ["F", 1]], section=section)
    assert (rows_of(data, "OBS_VALUE"), data.findings) == ([(1,)], ())


def test_no_year_at_all_is_a_missing_column(tmp_path: Path) -> None:
    data = reading(
        tmp_path, [["Sexe", "x"], ["F", 1]], section={"columns": [SEX], "values": [YEARS]}
    )
    assert [(f.code, f.expected) for f in data.findings] == [("GBI-S011", "2014")]


TWO_ROWS = {"pattern": r"(?P<TIME_PERIOD>\d{4}) (?P<SEX>\w+)", "example": "2014 Hommes"}
WIDE = [
    ["Milieu", 2014, None, 2015, None],
    [None, "Hommes", "Femmes", "Hommes", "Femmes"],
    ["Rural", 1, 2, 3, 4],
]
OF_WIDE = [("2014", "M", 1), ("2014", "F", 2), ("2015", "M", 3), ("2015", "F", 4)]
MILIEU = {"header": "Milieu", "column": "URBANISATION"}


@pytest.mark.parametrize(
    ("merged", "spread"),
    [(("B1:C1", "D1:E1", "A1:A2"), False), ((), True), (("B1:C1", "D1:E1"), True)],
)
def test_a_header_of_two_rows(tmp_path: Path, merged: tuple[str, ...], spread: bool) -> None:
    section = {"header_rows": 2, "spread": spread, "columns": [MILIEU], "values": [TWO_ROWS]}
    data = reading(tmp_path, WIDE, *merged, section=section)
    assert rows_of(data, "TIME_PERIOD", "SEX", "OBS_VALUE") == OF_WIDE
    assert [data.origin(i, "TIME_PERIOD").a1 for i in range(4)] == ["B1", "B1", "D1", "D1"]
    assert [data.origin(i, "SEX").a1 for i in range(4)] == ["B2", "C2", "D2", "E2"]
    assert data.findings == ()


def test_what_is_neither_merged_nor_spread_counts_for_its_column_alone(tmp_path: Path) -> None:
    section = {"header_rows": 2, "columns": [MILIEU], "values": [TWO_ROWS]}
    data = reading(tmp_path, WIDE, section=section)
    assert rows_of(data, "TIME_PERIOD", "SEX", "OBS_VALUE") == [OF_WIDE[0], OF_WIDE[2]]
    assert told(data) == [("GBI-S015", "C2", "Femmes"), ("GBI-S015", "E2", "Femmes")]


def test_the_last_row_of_a_header_is_not_spread(tmp_path: Path) -> None:
    rows = [["Milieu", 2014, None], [None, "Hommes", None], ["Rural", 1, 2]]
    section = {"header_rows": 2, "spread": True, "columns": [MILIEU], "values": [TWO_ROWS]}
    data = reading(tmp_path, rows, section=section)
    assert rows_of(data, "OBS_VALUE") == [(1,)]
    assert [f.code for f in data.findings] == ["GBI-S015"]


def test_a_header_merged_downwards_counts_once(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], [None, None], ["F", 1]]
    data = reading(tmp_path, rows, "A1:A2", "B1:B2", section={**PEOPLE, "header_rows": 2})
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1)]


# --- columns by their letters ---


def test_no_header_at_all(tmp_path: Path) -> None:
    section = {
        "header_rows": 0,
        "first_row": 3,
        "columns": [{"at": "B", "column": "SEX"}],
        "values": [{"at": "D"}, {"at": "AA", "optional": True}],
    }
    rows = [["Titre"], ["x", "F", "y", 9], ["x", "F", "y", 1], ["x", "M", "y", 2]]
    data = reading(tmp_path, rows, section=section)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1), ("M", 2)]
    assert [data.origin(i).a1 for i in range(2)] == ["D3", "D4"]
    assert data.findings == ()  # without headers none is over
    del section["first_row"]
    data = reading(tmp_path, rows[2:], section=section)
    assert [data.origin(i).a1 for i in range(2)] == ["D1", "D2"]


def test_without_headers_none_comes_again(tmp_path: Path) -> None:
    section = {
        "header_rows": 0,
        "repeats": True,
        "columns": [{"at": "A", "column": "SEX"}],
        "values": [{"at": "B"}],
    }
    data = reading(tmp_path, [["F", 1], ["M", 2]], section=section)
    assert rows_of(data, "SEX", "OBS_VALUE") == [("F", 1), ("M", 2)]


def test_a_letter_beyond_the_sheet_is_a_missing_column(tmp_path: Path) -> None:
    section = {
        "header_rows": 0,
        "columns": [{"at": "A", "column": "SEX"}],
        "values": [{"at": "B"}, {"at": "C", "set": {"AGE": "_T"}}],
    }
    data = reading(tmp_path, [["F", 1]], section=section)
    assert [(f.code, f.expected) for f in data.findings] == [("GBI-S011", "C")]
    assert rows_of(data, "OBS_VALUE") == [(1,)]


def test_a_letter_beside_headers(tmp_path: Path) -> None:
    section = {"columns": [{"at": "A", "column": "SEX"}], "values": [VALUE]}
    data = reading(tmp_path, [[None, "Valeur"], ["F", 1]], section=section)
    assert (rows_of(data, "SEX", "OBS_VALUE"), data.findings) == ([("F", 1)], ())


def test_a_sheet_without_any_header_is_not_read_by_its_letters(tmp_path: Path) -> None:
    section = Section({"columns": [{"at": "A", "column": "SEX"}], "values": [VALUE]})
    assert locate(grid(["F", 1], ["M", 2]), section) is None


# --- tables that come again ---

AREA_TITLE = {"title": "Région : (?P<REF_AREA>.+)", "title_example": "Région : L'Oriental"}
THREE = [
    ["Région : L'Oriental"],
    ["Sexe", "Valeur"],
    ["F", 1],
    ["M", 2],
    [],
    ["Région : Fès-Meknès"],
    ["Sexe", "Valeur"],
    ["F", 3],
    ["Région : Souss-Massa"],
    ["Sexe", "Valeur"],
    ["F", 4],
]


def test_three_tables_each_under_its_title(tmp_path: Path) -> None:
    data = reading(tmp_path, THREE, section={**PEOPLE, "repeats": True, **AREA_TITLE})
    assert rows_of(data, "REF_AREA", "SEX", "OBS_VALUE") == [
        ("MA-02", "F", 1), ("MA-02", "M", 2), ("MA-03", "F", 3), ("MA-09", "F", 4)
    ]  # fmt: skip
    assert [data.origin(i, "REF_AREA").a1 for i in range(4)] == ["A1", "A1", "A6", "A9"]
    assert [data.origin(i).a1 for i in range(4)] == ["B3", "B4", "B8", "B11"]
    assert data.findings == ()


def test_the_same_row_in_two_tables_is_no_repetition(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", 1], ["Sexe", "Valeur"], ["F", 1]]
    assert reading(tmp_path, rows, section={**PEOPLE, "repeats": True}).findings == ()


def test_each_table_says_its_own_numbers_stored_as_texts(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", "1"], ["Sexe", "Valeur"], ["F", "2"], ["M", "3"]]
    data = reading(tmp_path, rows, section={**PEOPLE, "repeats": True})
    assert told(data) == [("GBI-F013", "B2", 1), ("GBI-F013", "B4:B5", 2)]


def test_without_repeats_a_second_header_is_a_row(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["F", 1], ["Sexe", "Valeur"], ["M", 2]]
    data = reading(tmp_path, rows, section=PEOPLE)
    assert len(data) == 3
    assert [f.code for f in data.findings] == ["GBI-C001", "GBI-T001"]


@pytest.mark.parametrize("rich", [0, 1, 2])
def test_a_table_with_a_column_of_its_own_is_read_too(tmp_path: Path, rich: int) -> None:
    rows: list[list[Any]] = []
    for i in range(3):
        note = [["Note"], ["x"]] if i == rich else [[], []]
        rows += [["Sexe", "Valeur", *note[0]], ["F", i + 1, *note[1]], []]
    data = reading(tmp_path, rows, section={**PEOPLE, "repeats": True})
    assert rows_of(data, "OBS_VALUE") == [(1,), (2,), (3,)]
    assert told(data) == [("GBI-S015", f"C{rich * 3 + 1}", "Note")]


def test_the_unit_of_each_table_stands_above_it(tmp_path: Path) -> None:
    rows = [["Crédits (en MDH)"], ["Sexe", "Valeur"], ["F", 1], [], ["Part (en %)"],
            ["Sexe", "Valeur"], ["F", 2]]  # fmt: skip
    section = {**PEOPLE, "repeats": True, "headings": True, "unit": "title"}
    data = reading(tmp_path, rows, section=section)
    assert rows_of(data, "UNIT_MEASURE", "UNIT_MULT") == [("MAD", 6), ("PT", 0)]


def test_where_each_table_ends() -> None:
    section = Section({**PEOPLE, "repeats": True})
    rows = [["t"], ["Sexe", "Valeur"], ["F", 1], ["Sexe", "Valeur"], ["M", 2], ["M", 3]]
    assert [(t.first, t.last, t.end) for t in tables(grid(*rows), section)] == [
        (1, 1, 3), (3, 3, 6)
    ]  # fmt: skip
    assert [(t.first, t.end) for t in tables(grid(*rows), Section(PEOPLE))] == [(1, 6)]


# --- titles and sheets ---


def test_a_title_says_columns_and_the_unit(tmp_path: Path) -> None:
    section = {
        **PEOPLE,
        "title": r"Population .* (?P<TIME_PERIOD>\d{4}) \(.*\)",
        "title_example": "Population 2014 (milliers)",
        "unit": "title",
    }
    rows = [["Annexe"], ["Population légale 2014 (milliers)"], ["Sexe", "Valeur"], ["F", 1]]
    data = reading(tmp_path, rows, section=section)
    assert rows_of(data, "TIME_PERIOD", "UNIT_MEASURE", "UNIT_MULT") == [("2014", "NUMBER", 3)]
    assert data.origin(0, "TIME_PERIOD").a1 == "A2"
    data = reading(tmp_path, [["Autre"], *rows[2:]], section=section)
    (finding,) = data.findings
    assert (finding.code, finding.a1, finding.found) == ("GBI-S011", "A1", "Autre")
    assert finding.expected == "Population 2014 (milliers)"
    assert rows_of(data, "TIME_PERIOD", "UNIT_MULT") == [("2024", 0)]


def test_a_title_may_stand_on_another_sheet(tmp_path: Path) -> None:
    section = {**PEOPLE, "title": r"Recensement (?P<TIME_PERIOD>\d{4})", "title_example": "x"}
    cover = {"name": "Garde", "called": "Garde", "columns": [{"at": "A"}], "header_rows": 0}
    sheet = {**section, "name": "Tab", "called": "Tab", "title_of": "workbook"}
    path = book(tmp_path, Garde=[["Recensement 2014"]], Tab=[["Sexe", "Valeur"], ["F", 1]])
    data = gbi.read(path, profile=own(tmp_path, cover, sheet))
    assert ("2014",) in rows_of(data, "TIME_PERIOD")
    del sheet["title_of"]
    data = gbi.read(path, profile=own(tmp_path, cover, sheet))
    assert ("2014",) not in rows_of(data, "TIME_PERIOD")
    assert "GBI-S011" in {f.code for f in data.findings}


def test_sheets_by_their_names_whose_groups_are_columns(tmp_path: Path) -> None:
    section = {**PEOPLE, "name": r"Année (?P<TIME_PERIOD>\d{4})( .*)?", "called": "Année 2014"}
    rows = [["Sexe", "Valeur"], ["F", 1]]
    path = book(tmp_path, **{"Année 2014": rows, "ANNÉE 2015 bis": rows, "Sommaire": [["x"]]})
    data = gbi.read(path, profile=own(tmp_path, section, ignore_sheets=["sommaire"]))
    assert rows_of(data, "TIME_PERIOD", "OBS_VALUE") == [("2014", 1), ("2015", 1)]
    assert [data.origin(i).sheet for i in range(2)] == ["Année 2014", "ANNÉE 2015 bis"]
    assert data.findings == ()
    data = gbi.read(path, profile=own(tmp_path, section))
    assert [(f.code, f.sheet, f.expected) for f in data.findings] == [
        ("GBI-S010", "Sommaire", "Année 2014")
    ]


def test_a_sheet_that_is_missing_or_renamed(tmp_path: Path) -> None:
    hommes = {**PEOPLE, "name": "Hommes", "called": "Hommes", "constants": {"SEX": "M"}}
    femmes = {**PEOPLE, "name": "Femmes", "called": "Femmes"}
    rows = [["Sexe", "Valeur"], ["F", 1]]
    path = book(tmp_path, Hommes=rows, Femme=rows)
    data = gbi.read(path, profile=own(tmp_path, hommes, femmes))
    assert [(f.code, f.expected, f.found) for f in data.findings] == [
        ("GBI-S010", "Femmes", "Femme")
    ]
    path = book(tmp_path, Hommes=rows)
    data = gbi.read(path, profile=own(tmp_path, hommes, femmes))
    assert [(f.code, f.expected, f.found) for f in data.findings] == [("GBI-S010", "Femmes", None)]


def test_of_two_sections_the_one_whose_headers_agree(tmp_path: Path) -> None:
    by_area = {
        "columns": [{"header": "Région", "column": "REF_AREA"}],
        "values": [{"header": "Nombre"}],
    }
    path = book(
        tmp_path, A=[["Sexe", "Valeur"], ["F", 1]], B=[["Région", "Nombre"], ["L'Oriental", 2]]
    )
    data = gbi.read(path, profile=own(tmp_path, by_area, PEOPLE))
    assert rows_of(data, "SEX", "REF_AREA", "OBS_VALUE") == [("F", "MA", 1), ("_T", "MA-02", 2)]
    assert data.findings == ()


def test_an_unnamed_section_passes_over_sheets_without_its_headers(tmp_path: Path) -> None:
    path = book(tmp_path, Lisez=[["Bonjour"]], A=[["Sexe", "Valeur"], ["F", 1]])
    data = gbi.read(path, profile=own(tmp_path, PEOPLE))
    assert (rows_of(data, "OBS_VALUE"), data.findings) == ([(1,)], ())
