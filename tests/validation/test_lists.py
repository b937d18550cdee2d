"""Codes: known in their list, in force in their year, and no two that count people twice."""

from __future__ import annotations

import pandas as pd
import pytest

from gbi.validation import lists, validate
from gbi.vocabulary import codes
from gbi.vocabulary.lists import accepted

ROW = {
    "INDICATOR": "Série",
    "TIME_PERIOD": "2020",
    "REF_AREA": "MA",
    "SEX": "F",
    "UNIT_MEASURE": "NUMBER",
    "OBS_STATUS": "A",
    "MEASURE_KIND": "COUNT",
    "COUNTED": "STRUCTURES",
    "OBS_VALUE": 40.0,
}


def found(code: str, rows: list[dict[str, object]], table: str = "statistics") -> list:
    report = validate({table: pd.DataFrame([{**ROW, **r} for r in rows])}, only=[code])
    assert not report.engine_errors
    return list(report.findings)


@pytest.mark.parametrize("column", ["SEX", "AGE", "REF_AREA", "URBANISATION", "UNIT_MEASURE"])
def test_every_accepted_code_passes_and_any_other_does_not(column: str) -> None:
    rows = [{column: code} for code in codes(column)]
    assert found("C010", rows) == []
    (one,) = found("C010", [*rows, {column: "ZZZ9"}])
    assert (one.field, one.found) == (column, "ZZZ9")


def test_one_finding_per_unknown_code_however_often_it_stands() -> None:
    rows = [{"SEX": "X1"}] * 30 + [{"SEX": "X2"}] * 20 + [{"SEX": "F"}] * 5
    assert [(f.found) for f in found("C010", rows)] == ["X1", "X2"]


@pytest.mark.parametrize(
    ("column", "written", "near"),
    [
        ("SEX", "Femmes", "F"),  # a label where the code was due
        ("DEPARTMENT", "SANTEE", "SANTE"),
        ("DEPARTMENT", "4012", None),
        ("DEPARTMENT", "12-07", None),
    ],
)
def test_a_suggestion_is_a_code_and_never_made_for_numbers(
    column: str, written: str, near: str | None
) -> None:
    rule = "C013" if column == "DEPARTMENT" else "C010"
    base = {"DEPARTMENT": "SANTE", "DEPARTMENT_LABEL": "Santé publique"}
    (one,) = found(rule, [{**base, column: written}], "staff")
    assert one.suggestion == near
    if column == "DEPARTMENT":
        assert "Santé publique" in one.message["fr"]["seen"]


def test_a_number_is_never_suggested_for_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{"code": c, "ministry": "SANTE"} for c in ("4011", "4013", "SANTE")]
    monkeypatch.setattr(lists, "accepted", lambda name: entries)
    (one,) = found("C013", [{"DEPARTMENT": "4012"}], "staff")
    assert one.suggestion is None


def test_a_countrys_own_lists_bind_its_rows_alone() -> None:
    row = {"DEPARTMENT": "Défense"}
    assert len(found("C013", [{**row, "REF_AREA": "MA"}], "staff")) == 1
    assert len(found("C013", [{**row, "REF_AREA": "MA-01"}], "staff")) == 1
    assert found("C013", [{**row, "REF_AREA": "FR"}], "staff") == []


def test_a_department_without_a_ministry_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{k: v for k, v in e.items() if k != "ministry"} for e in accepted("CL_DEPARTMENT")]
    monkeypatch.setattr(lists, "accepted", lambda name: entries)
    assert len(found("C013", [{"DEPARTMENT": "SANTE"}], "staff")) == 1


@pytest.mark.parametrize(("year", "hit"), [("2012", 1), ("2013-Q4", 1), ("2014", 0), ("2015", 0)])
def test_a_region_of_2015_is_not_one_of_before(year: str, hit: int) -> None:
    assert len(found("C011", [{"REF_AREA": "MA-03", "TIME_PERIOD": year}])) == hit
    assert found("C011", [{"REF_AREA": "MA", "TIME_PERIOD": year}]) == []


def test_a_code_that_has_ended_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = [{"code": "F", "valid_to": "2018-06-30"}]
    monkeypatch.setattr(lists, "accepted", lambda name: ended if name == "CL_SEX" else [])
    assert found("C011", [{"TIME_PERIOD": "2018"}]) == []
    (one,) = found("C011", [{"TIME_PERIOD": "2019"}, {"TIME_PERIOD": "2020"}])
    assert (one.found, one.expected) == ("F", "… – 2018-06-30")


@pytest.mark.parametrize(
    ("left", "right", "hit"),
    [
        ("Y15T24", "Y20T29", 1),
        ("Y15T24", "Y25T34", 0),  # neighbours
        ("Y15T24", "Y15T64", 0),  # one holds the other
        ("Y_LT6", "Y4T5", 0),
        ("Y15T24", "Y_GE18", 1),
    ],
)
def test_ages_that_cross_and_only_they_overlap(left: str, right: str, hit: int) -> None:
    assert len(found("C014", [{"AGE": left}, {"AGE": right}])) == hit
    rates = {"MEASURE_KIND": "RATE", "UNIT_MEASURE": "PT"}
    assert found("C014", [{"AGE": left, **rates}, {"AGE": right, **rates}]) == []


def test_overlapping_groups_are_one_finding_per_indicator() -> None:
    levels = [{"EDUCATION_LEV": c} for c in ("GE_SEC", "TERTIARY")]
    years = [{**e, "TIME_PERIOD": str(y)} for y in range(2010, 2020) for e in levels]
    assert len(found("C014", years)) == 1
    assert found("C014", [years[0], {**years[1], "INDICATOR": "Autre"}]) == []


def test_two_levels_of_territory_are_one_finding_per_table() -> None:
    areas = [{"REF_AREA": a} for a in ("MA-01", "MA-TNG", "MA-TET", "MA-02", "MA-03")]
    rows = [{**a, "INDICATOR": f"Série {i}"} for i in range(5) for a in areas]
    (one,) = found("C015", rows)
    assert one.found == "MA-01 | MA-TNG"
    assert found("C015", [{"REF_AREA": a} for a in ("MA", "MA-01", "MA-02")]) == []
    apart = [{"REF_AREA": "MA-01"}, {"REF_AREA": "MA-TNG", "INDICATOR": "Autre"}]
    assert found("C015", apart) == []
