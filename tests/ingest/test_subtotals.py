"""Totals that a file prints: kept apart from its rows, and tested where they are sums."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset
from gbi.findings import Finding
from gbi.ingest.profile import load_profile
from gbi.language import LANGUAGES

AREA = {"header": "Région", "column": "REF_AREA"}
SEX = {"header": "Sexe", "column": "SEX"}
VALUE = {"header": "Valeur"}
OF_AREAS = {"column": "REF_AREA", "label": "Total", "code": "MA", "sums": True}
OF_SEXES = {"column": "SEX", "label": "Ensemble", "code": "_T", "sums": True}
AREAS = ("L'Oriental", "Fès-Meknès", "Souss-Massa", "Drâa-Tafilalet")
Rows = Sequence[Sequence[Any]]


def own(folder: Path, *sheets: dict[str, Any], **keys: Any) -> Path:
    document = {
        "name": "essai",
        "version": "1.0",
        "labels": dict.fromkeys(LANGUAGES, "Essai"),
        "format": "table",
        "table": "statistics",
        "numbers": {"decimal": ","},
        "decimals": "printed",
        "missing": {"..": "O", "*": "Q"},
        "constants": {"INDICATOR": "Effectif", "TIME_PERIOD": "2024", "UNIT_MEASURE": "NUMBER"},
        "sheets": sheets,
    }
    path = folder / "essai.yaml"
    chosen = {key: value for key, value in {**document, **keys}.items() if value is not None}
    path.write_text(json.dumps(chosen), encoding="utf-8")
    load_profile(path)
    return path


def reading(
    folder: Path, rows: Rows, *columns: Any, values: Any = (VALUE,), **keys: Any
) -> Dataset:
    path = folder / "donnees.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, delimiter=";").writerows(rows)
    return gbi.read(path, profile=own(folder, {"columns": columns, "values": values}, **keys))


def rows_of(data: Dataset | None, *columns: str) -> list[tuple[Any, ...]]:
    assert data is not None
    frame = data.frame[list(columns)].astype(object)
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def differences(data: Dataset) -> list[Finding]:
    found = [f for f in data.findings if f.code == "GBI-A030"]
    for finding in found:
        for lang in LANGUAGES:
            parts = finding.message[lang].values()
            assert all(parts)
            assert not any("{" in p or "None" in p for p in parts)
    return found


def summed(folder: Path, printed: str, *parts: str, **keys: Any) -> list[Finding]:
    """Read a column of parts and their total; say which differences are found."""
    rows = [["Région", "Valeur"], *zip(AREAS, parts, strict=False), ["Total", printed]]
    return differences(reading(folder, rows, AREA, totals=[OF_AREAS], **keys))


# --- kept apart ---


def test_a_total_is_kept_apart_with_its_cells(tmp_path: Path) -> None:
    rows = [["Région", "Valeur"], ["L'Oriental", 1], ["TOTAL", 1], ["Fès-Meknès", 2]]
    data = reading(tmp_path, rows, AREA, totals=[{k: OF_AREAS[k] for k in OF_AREAS if k != "sums"}])
    assert rows_of(data, "REF_AREA", "OBS_VALUE") == [("MA-02", 1), ("MA-03", 2)]
    assert rows_of(data.totals, "REF_AREA", "OBS_VALUE") == [("MA", 1)]
    assert data.totals is not None
    assert (data.totals.origin(0).a1, data.totals.raw(0)) == ("B3", "1")
    assert data.findings == ()  # nothing says that it is a sum: 1 ≠ 1 + 2


def test_a_total_by_its_pattern(tmp_path: Path) -> None:
    rows = [["Région", "Valeur"], ["L'Oriental", 1], ["Total (12 régions)", 1], ["Totalité", 1]]
    pattern = {"column": "REF_AREA", "pattern": r"total( \(.*\))?", "code": "MA"}
    data = reading(tmp_path, rows, {**AREA, "as": "text"}, totals=[pattern])
    assert rows_of(data.totals, "REF_AREA") == [("MA",)]
    assert rows_of(data, "REF_AREA") == [("L'Oriental",), ("Totalité",)]


def test_a_label_of_another_column_is_no_total(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "Total", 1]]
    data = reading(tmp_path, rows, AREA, SEX, totals=[OF_AREAS])
    assert (rows_of(data, "SEX"), data.totals) == ([("_T",)], None)


def test_a_row_may_be_two_totals(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "Valeur"], ["L'Oriental", "F", 1], ["L'Oriental", "M", 2],
            ["L'Oriental", "Ensemble", 3], ["Total", "F", 1], ["Total", "M", 2],
            ["Total", "Ensemble", 3]]  # fmt: skip
    data = reading(tmp_path, rows, AREA, SEX, totals=[OF_AREAS, OF_SEXES])
    assert rows_of(data, "REF_AREA", "SEX") == [("MA-02", "F"), ("MA-02", "M")]
    assert rows_of(data.totals, "REF_AREA", "SEX", "OBS_VALUE") == [
        ("MA-02", "_T", 3), ("MA", "F", 1), ("MA", "M", 2), ("MA", "_T", 3)
    ]  # fmt: skip
    assert data.findings == ()


def test_what_is_filled_down_from_a_total_is_a_total(tmp_path: Path) -> None:
    milieu = {"header": "Milieu", "column": "URBANISATION"}
    rows = [["Région", "Milieu", "Valeur"], ["L'Oriental", "Urbain", 1], ["", "Rural", 2],
            ["Total", "Urbain", 1], ["", "Rural", 3]]  # fmt: skip
    data = reading(tmp_path, rows, {**AREA, "fill": "down"}, milieu, totals=[OF_AREAS])
    assert rows_of(data, "REF_AREA", "URBANISATION") == [("MA-02", "U"), ("MA-02", "R")]
    assert rows_of(data.totals, "REF_AREA", "URBANISATION") == [("MA", "U"), ("MA", "R")]
    assert [f.a1 for f in differences(data)] == ["C5"]


NESTED = [
    ["Région", "Sexe", "Valeur"],
    ["L'Oriental", "F", 1],
    ["", "M", 2],
    ["", "Ensemble", 3],
    ["Fès-Meknès", "F", 4],
    ["", "Ensemble", 4],
    ["Total", "", 7],
]


def test_a_subtotal_under_a_text_that_is_filled_down(tmp_path: Path) -> None:
    columns = ({**AREA, "fill": "down"}, SEX)
    data = reading(tmp_path, NESTED, *columns, totals=[OF_AREAS, OF_SEXES])
    assert rows_of(data, "REF_AREA", "SEX") == [("MA-02", "F"), ("MA-02", "M"), ("MA-03", "F")]
    assert rows_of(data.totals, "REF_AREA", "SEX") == [
        ("MA-02", "_T"), ("MA-03", "_T"), ("MA", None)
    ]  # fmt: skip
    assert data.findings == ()  # a subtotal is no part of the grand total


@pytest.mark.parametrize(
    ("row", "cells"),
    [(3, ["C4", "C2", "C3"]), (5, ["C6", "C5"]), (6, ["C7", "C2", "C3", "C5"])],
)
def test_each_total_is_tested_against_its_own_parts(
    tmp_path: Path, row: int, cells: list[str]
) -> None:
    rows = [list(r) for r in NESTED]
    rows[row][2] += 10
    columns = ({**AREA, "fill": "down"}, SEX)
    (finding,) = differences(reading(tmp_path, rows, *columns, totals=[OF_AREAS, OF_SEXES]))
    assert [c.a1 for c in finding.cells] == cells
    assert (finding.difference, finding.tolerance) == (10, 0)


# --- sums or not ---


@pytest.mark.parametrize(
    "totals",
    [
        [{**OF_SEXES, "label": "Moyenne", "sums": False}, {**OF_SEXES, "label": "Total"}],
        [{**OF_SEXES, "label": "Total"}, {**OF_SEXES, "label": "Moyenne", "sums": False}],
    ],
)
def test_only_what_is_called_a_sum_is_tested(tmp_path: Path, totals: Any) -> None:
    rows = [["Sexe", "Valeur"], ["M", 1], ["F", 3], ["Moyenne", 2], ["Total", 5]]
    (finding,) = differences(reading(tmp_path, rows, SEX, totals=totals))
    assert (finding.a1, finding.found, finding.expected, finding.difference) == ("B5", 5, 4, 1)
    assert [c.a1 for c in finding.cells] == ["B5", "B2", "B3"]


def test_two_sums_of_one_column(tmp_path: Path) -> None:
    rows = [["Sexe", "Valeur"], ["M", 1], ["F", 3], ["Total", 5], ["Ensemble", 6]]
    totals = [{**OF_SEXES, "label": "Total", "code": "_U"}, OF_SEXES]
    assert [f.a1 for f in differences(reading(tmp_path, rows, SEX, totals=totals))] == ["B4", "B5"]


def test_a_total_without_parts_is_not_tested(tmp_path: Path) -> None:
    data = reading(tmp_path, [["Sexe", "Valeur"], ["Ensemble", 6]], SEX, totals=[OF_SEXES])
    assert [f.code for f in data.findings] == ["GBI-F002"]


def test_parts_agree_in_what_the_total_names(tmp_path: Path) -> None:
    columns = (AREA, {"header": "Année", "column": "TIME_PERIOD"})
    rows = [["Région", "Année", "Valeur"], ["L'Oriental", 2014, 1], ["Fès-Meknès", 2014, 2],
            ["L'Oriental", 2015, 5], ["Total", 2014, 3], ["Total", 2015, 6]]  # fmt: skip
    (finding,) = differences(reading(tmp_path, rows, *columns, totals=[OF_AREAS]))
    assert finding.a1 == "C6"
    assert finding.key["TIME_PERIOD"] == "2015"
    assert "REF_AREA" not in finding.key


def test_each_measure_has_its_own_total(tmp_path: Path) -> None:
    rows = [["Région", "Nombre", "%"], ["L'Oriental", 3, 60], ["Fès-Meknès", 2, 40],
            ["Total", 5, 99]]  # fmt: skip
    values = ({"header": "Nombre"}, {"header": "%", "set": {"UNIT_MEASURE": "PT"}})
    (finding,) = differences(reading(tmp_path, rows, AREA, values=values, totals=[OF_AREAS]))
    assert (finding.a1, finding.expected) == ("C4", 100)


def test_each_power_of_ten_has_its_own_total(tmp_path: Path) -> None:
    rows = [["Région", "DH", "MDH"], ["L'Oriental", 300, 3], ["Fès-Meknès", 2, 2],
            ["Total", 302, 6]]  # fmt: skip
    values = tuple(
        {"header": h, "set": {"UNIT_MEASURE": "MAD", "UNIT_MULT": m}}
        for h, m in (("DH", 0), ("MDH", 6))
    )
    found = differences(reading(tmp_path, rows, AREA, values=values, totals=[OF_AREAS]))
    assert found == []  # 6 for 3 + 2 is within the rounding of three figures in millions
    rows[3][2] = 7
    (finding,) = differences(reading(tmp_path, rows, AREA, values=values, totals=[OF_AREAS]))
    assert (finding.a1, finding.difference, finding.tolerance) == ("C4", 2, 1.5)


def test_parts_in_several_units_have_no_sum(tmp_path: Path) -> None:
    columns = (AREA, {"header": "Unité", "column": "UNIT_MEASURE"})
    rows = [["Région", "Unité", "Valeur"], ["L'Oriental", "MDH", 1], ["Fès-Meknès", "KDH", 1],
            ["Total", "", "1,5"]]  # fmt: skip
    assert differences(reading(tmp_path, rows, *columns, totals=[OF_AREAS], constants=None)) == []
    rows[2][1] = "MDH"
    found = differences(reading(tmp_path, rows, *columns, totals=[OF_AREAS], constants=None))
    assert [f.a1 for f in found] == ["C4"]


def test_pages_of_one_layout_share_their_total(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name, rows in (("p1", [["L'Oriental", 1]]), ("p2", [["Fès-Meknès", 2], ["Total", 4]])):
        sheet = book.active if name == "p1" else book.create_sheet()
        sheet.title = name
        for row in (["Région", "Valeur"], *rows):
            sheet.append(row)
    book.save(tmp_path / "donnees.xlsx")
    profile = own(
        tmp_path, {"columns": [AREA], "values": [VALUE]}, format="workbook", totals=[OF_AREAS]
    )
    (finding,) = differences(gbi.read(tmp_path / "donnees.xlsx", profile=profile))
    assert (finding.found, finding.expected) == (4, 3)
    assert [(c.sheet, c.a1) for c in finding.cells] == [("p2", "B3"), ("p1", "B2"), ("p2", "B2")]


def test_parts_stand_on_the_sheet_of_their_total(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sexes, areas = book.active, book.create_sheet("B")
    sexes.title = "A"
    for row in (["Sexe", "Valeur"], ["M", 1], ["F", 2], ["Ensemble", 3]):
        sexes.append(row)
    for row in (["Région", "Hommes", "Femmes", "Deux"], [AREAS[0], 1, 2, 3], [AREAS[1], 1, 1, 2],
                ["Total", 2, 3, 6]):  # fmt: skip
        areas.append(row)
    book.save(tmp_path / "donnees.xlsx")
    by_sex = [
        {"header": h, "set": {"SEX": c}}
        for h, c in (("Hommes", "M"), ("Femmes", "F"), ("Deux", "_T"))
    ]
    profile = own(
        tmp_path,
        {"name": "A", "called": "A", "columns": [SEX], "values": [VALUE]},
        {"name": "B", "called": "B", "columns": [AREA], "values": by_sex},
        format="workbook",
        totals=[OF_AREAS, OF_SEXES],
    )
    (finding,) = differences(gbi.read(tmp_path / "donnees.xlsx", profile=profile))
    assert (finding.sheet, finding.a1, finding.expected) == ("B", "D4", 5)


def test_the_label_of_a_line_does_not_part_a_total_from_its_lines(tmp_path: Path) -> None:
    columns = ({"header": "Ordonnateur", "column": "MINISTRY", "as": "text"},
               {"header": "Ligne", "column": "BUDGET_LINE"})  # fmt: skip
    rows = [["Ordonnateur", "Ligne", "Valeur"], ["A", "1", 1], ["B", "2", 2],
            ["Total", "toutes lignes", 4]]  # fmt: skip
    total = {"column": "MINISTRY", "label": "Total", "code": "_T", "sums": True}
    constants = {"TIME_PERIOD": "2024", "UNIT_MEASURE": "MAD", "UNIT_MULT": 0}
    data = reading(tmp_path, rows, *columns, table="budget", totals=[total], constants=constants)
    assert [(f.a1, f.expected) for f in differences(data)] == [("C4", 3)]


# --- tolerance ---


@pytest.mark.parametrize(
    ("printed", "parts", "difference"),
    [
        ("3", ("1", "2"), None),
        ("4", ("1", "2"), 1),  # counts have no tolerance
        ("2", ("1", "2"), -1),
        ("10,3", ("5,1", "5,1"), None),  # 0.1 ≤ 0.1 · 3/2
        ("10,4", ("5,1", "5,1"), 0.2),
        ("10,0", ("5,1", "5,1"), -0.2),
        ("1,1", ("0,3", "0,3", "0,3"), None),  # 0.2 = 0.1 · 4/2, to the last digit
        ("0,7", ("0,3", "0,3", "0,3"), None),
        ("1,2", ("0,3", "0,3", "0,3"), 0.3),
        ("10", ("5,1", "5,1"), -0.2),  # the finest figure tells the unit of the last digit
        ("10", ("5,12", "5"), -0.12),
        ("0,30", ("0,1", "0,2"), None),
    ],
)
def test_tolerance_is_what_rounding_can_make(
    tmp_path: Path, printed: str, parts: tuple[str, ...], difference: float | None
) -> None:
    found = summed(tmp_path, printed, *parts)
    assert [f.difference for f in found] == ([] if difference is None else [difference])


def test_a_finding_says_its_tolerance(tmp_path: Path) -> None:
    (finding,) = summed(tmp_path, "11,00", "5,10", "5,10")
    assert (finding.found, finding.expected) == (11.0, 10.2)
    assert (finding.difference, finding.tolerance) == (0.8, 0.015)


@pytest.mark.parametrize("suppressed", ["..", "*"])
def test_a_part_that_is_missing_leaves_nothing_to_compare(tmp_path: Path, suppressed: str) -> None:
    assert summed(tmp_path, "9", "1", suppressed) == []
    assert summed(tmp_path, suppressed, "1", "2") == []
    assert len(summed(tmp_path, "9", "1", "2")) == 1


def test_a_finding_names_at_most_twenty_parts(tmp_path: Path) -> None:
    years = [[2000 + i, 1] for i in range(25)]
    rows = [["Année", "Valeur"], *years, ["Total", 26]]
    total = {"column": "TIME_PERIOD", "label": "Total", "code": "_T", "sums": True}
    columns = {"header": "Année", "column": "TIME_PERIOD"}
    constants = {"INDICATOR": "Effectif", "UNIT_MEASURE": "NUMBER"}
    (finding,) = differences(reading(tmp_path, rows, columns, totals=[total], constants=constants))
    assert (finding.found, finding.expected, len(finding.cells)) == (26, 25, 21)
