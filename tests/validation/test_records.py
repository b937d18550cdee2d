"""Rules within a row or between two figures, at their edges: what is found and what is left."""

from __future__ import annotations

import pandas as pd
import pytest

import gbi
from gbi.validation import validate
from gbi.validation.report import ValidationReport

STAT: dict[str, object] = {
    "INDICATOR": "Indicateur",
    "TIME_PERIOD": "2020",
    "REF_AREA": "MA",
    "OBS_STATUS": "A",
    "MEASURE_KIND": "RATE",
    "COUNTED": "PERSONS",
    "UNIT_MEASURE": "PT",
    "UNIT_MULT": 0,
    "DECIMALS": 1,
    "SEX": "_T",
    "OBS_VALUE": 40.0,
}
LINE: dict[str, object] = {
    "TIME_PERIOD": "2025",
    "REF_AREA": "MA",
    "BUDGET_COMPONENT": "BG",
    "MINISTRY": "CHEF_GOUVERNEMENT",
    "CHAPTER_KIND": "ORDINARY",
    "ECON_NATURE": "INVESTMENT",
    "CREDIT_TYPE": "CP",
    "UNIT_MEASURE": "MAD",
    "UNIT_MULT": 0,
    "OBS_STATUS": "A",
    "DECIMALS": 0,
}


def frame(base: dict[str, object], rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame([{**base, **row} for row in rows])


def only(code: str, table: str, data: pd.DataFrame) -> ValidationReport:
    report = validate({table: data}, only=[code])
    assert not report.engine_errors
    assert not report.not_run
    return report


def stat(code: str, *rows: dict[str, object], **base: object) -> int:
    return len(only(code, "statistics", frame({**STAT, **base}, list(rows))).findings)


def stages(code: str, amounts: dict[str, float], **base: object) -> ValidationReport:
    rows: list[dict[str, object]] = [
        {"BUDGET_STAGE": stage, "OBS_VALUE": amount} for stage, amount in amounts.items()
    ]
    return only(code, "budget", frame({**LINE, **base}, rows))


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"CI_LOWER": 38.0, "CI_UPPER": 42.0}, 0),
        ({"CI_LOWER": 40.04, "CI_UPPER": 42.0}, 0),  # what printing one decimal explains
        ({"CI_LOWER": 40.2, "CI_UPPER": 42.0}, 1),
        ({"CI_LOWER": 38.0, "CI_UPPER": 39.0}, 1),
        ({"CI_LOWER": 38.0, "CI_UPPER": None}, 0),
        ({"CI_LOWER": 42.0, "CI_UPPER": 38.0}, 1),
    ],
)
def test_a_value_lies_in_its_interval(bounds: dict[str, object], found: int) -> None:
    assert stat("R001", bounds) == found


def test_crossed_bounds_are_a_fault_without_a_value_too() -> None:
    assert stat("R001", {"OBS_VALUE": None, "OBS_STATUS": "O", "CI_LOWER": 5.0, "CI_UPPER": 4.0})


@pytest.mark.parametrize("code", ["R001", "R002", "R009"])
def test_a_table_without_the_optional_columns_is_checked_and_has_nothing(code: str) -> None:
    assert stat(code, {}) == 0


@pytest.mark.parametrize(("status", "found"), [("O", 1), ("Q", 1), ("K", 1), ("E", 0), ("A", 0)])
def test_a_status_of_missing_value_stands_beside_no_number(status: str, found: int) -> None:
    assert stat("R003", {"OBS_STATUS": status}) == found
    assert stat("R003", {"OBS_STATUS": status, "OBS_VALUE": None}) == 0


@pytest.mark.parametrize(
    ("kind", "unit", "found"),
    [("COUNT", "PT", 1), ("COUNT", "PS", 0), ("RATE", "NUMBER", 1), ("RATE", "P100K_LB", 0),
     ("SHARE", "PM", 0), ("MEAN", "NUMBER", 0)],
)  # fmt: skip
def test_unit_and_kind_of_measure(kind: str, unit: str, found: int) -> None:
    assert stat("R005", {"MEASURE_KIND": kind, "UNIT_MEASURE": unit}) == found


def test_one_finding_per_series_and_not_per_year() -> None:
    years = [{"TIME_PERIOD": str(y)} for y in range(2015, 2024)]
    assert stat("R005", *years, MEASURE_KIND="COUNT") == 1


@pytest.mark.parametrize(("n", "found"), [(29, 1), (30, 0)])
def test_thirty_observations_are_enough(n: int, found: int) -> None:
    assert stat("R009", {"N_OBS": n}) == found
    assert stat("R009", {"N_OBS": n, "OBS_STATUS": "U"}) == 0


@pytest.mark.parametrize(
    ("women", "men", "found"),
    [(45.0, 55.0, 0), (45.0, 55.5, 0), (45.0, 54.5, 0), (45.0, 55.6, 1), (45.0, 54.4, 1)],
)
def test_shares_make_a_hundred_within_half_a_point(women: float, men: float, found: int) -> None:
    rows = ({"SEX": "F", "OBS_VALUE": women}, {"SEX": "M", "OBS_VALUE": men})
    assert stat("A004", *rows, MEASURE_KIND="SHARE", CLOSES_OVER="SEX") == found
    assert stat("A004", *rows, MEASURE_KIND="RATE") == 0
    assert stat("A004", *rows, MEASURE_KIND="SHARE", CLOSES_OVER="AGE") == 0


def test_a_share_of_women_alone_and_one_of_unknown_sex() -> None:
    assert stat("A004", {"SEX": "F", "OBS_VALUE": 45.0}, MEASURE_KIND="SHARE") == 0
    rows = [{"SEX": s, "OBS_VALUE": v} for s, v in (("F", 45.0), ("M", 50.0), ("_U", 5.0))]
    assert stat("A004", *rows, MEASURE_KIND="SHARE") == 0


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((0.45, 46.1, 47.2), 1),
        ((0.45, 0.46, 47.2), 2),
        ((0.5, 0.7, 1.2), 0),  # truly small
        ((0.05, 4.0, 5.0), 0),  # a small median says nothing
        ((0.05, 46.1, 47.2), 0),  # times 100 it is not like its neighbours
        ((0.0, 46.1, 47.2), 0),
    ],
)
def test_a_fraction_among_percentages(values: tuple[float, ...], found: int) -> None:
    rows = [{"TIME_PERIOD": str(2020 + i), "OBS_VALUE": v} for i, v in enumerate(values)]
    assert stat("P006", *rows) == found
    assert stat("P006", *rows, UNIT_MEASURE="RATIO") == 0


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Nombre de régions équipées", 1),
        ("Nombre des régions ayant un plan", 1),
        ("عدد الجهات المجهزة", 1),
        ("Nombre de centres par région", 0),
    ],
)
def test_there_are_twelve_regions(title: str, found: int) -> None:
    row = {"INDICATOR": title, "UNIT_MEASURE": "NUMBER", "MEASURE_KIND": "COUNT", "DECIMALS": 0}
    assert stat("P010", {**row, "OBS_VALUE": 13.0}) == found
    assert stat("P010", {**row, "OBS_VALUE": 12.0}) == 0


def test_stages_follow_one_another_and_absent_ones_are_passed_over() -> None:
    clean = {"AVAILABLE": 1000.0, "COMMITTED": 900.0, "VERIFIED": 800.0, "PAID": 800.0}
    assert not stages("A024", clean).findings
    (finding,) = stages("A024", {**clean, "PAID": 801.0}).findings
    assert (finding.found, finding.expected, finding.difference) == (801.0, 800.0, 1.0)
    (finding,) = stages("A024", {"AVAILABLE": 1000.0, "PAID": 1001.0}).findings
    assert finding.expected == 1000.0


def test_stages_in_other_multipliers_are_compared_in_one() -> None:
    rows: list[dict[str, object]] = [
        {"BUDGET_STAGE": "COMMITTED", "OBS_VALUE": 900.0, "UNIT_MULT": 3},
        {"BUDGET_STAGE": "PAID", "OBS_VALUE": 850000.0},
    ]
    assert not only("A024", "budget", frame(LINE, rows)).findings
    rows[1]["OBS_VALUE"] = 950000.0
    (finding,) = only("A024", "budget", frame(LINE, rows)).findings
    assert finding.expected == 900000.0


def test_execution_beyond_the_vote_asks_for_the_available_credits() -> None:
    spent = {"VOTED": 1000.0, "COMMITTED": 1100.0, "PAID": 1050.0}
    (finding,) = stages("A025", spent).findings
    assert finding.found == 1100.0
    assert not stages("A025", {**spent, "AVAILABLE": 1200.0}).findings
    assert not stages("A025", {**spent, "RECTIFIED": 1200.0}).findings


@pytest.mark.parametrize(("carried", "found"), [(300.0, 0), (302.0, 1)])
def test_the_cap_on_carry_over(carried: float, found: int) -> None:
    amounts = {"VOTED": 1000.0, "CARRIED_OVER": carried}
    assert len(stages("A026", amounts).findings) == found
    assert not stages("A026", {**amounts, "SUPPORT_FUNDS": 10.0}).findings
    assert not stages("A026", amounts, ECON_NATURE="GOODS").findings


def test_survey_rows() -> None:
    rows = pd.DataFrame(
        {
            "person_id": ["1", "1", "1", None, None],
            "household_id": ["a", "a", "b", "c", "c"],
            "weight": [1.5, 0.0, -2.0, None, 0.1],
            "age": [0.0, 120.0, 121.0, -1.0, None],
        }
    )
    count = {c: len(only(c, "survey", rows).findings) for c in ("R011", "R012", "R013")}
    assert count == {"R011": 3, "R012": 2, "R013": 1}
    assert len(only("R013", "survey", rows.drop(columns="person_id")).findings) == 0


def test_a_target_looks_ahead_of_the_last_value() -> None:
    base = {**STAT, "DEPARTMENT": "SANTE", "PROGRAMME": "P", "OBJECTIVE": "O"}

    def found(*rows: tuple[str, str | None]) -> int:
        table = [{"VALUE_KIND": k, "TIME_PERIOD": t} for k, t in rows]
        return len(only("R010", "performance", frame(base, table)).findings)

    assert found(("REALISED", "2024"), ("TARGET", "2022"))
    assert not found(("REALISED", "2024"), ("TARGET", "2022"), ("FORECAST", "2026"))
    assert not found(("REALISED", "2024"), ("TARGET", "2024"))
    assert not found(("REALISED", "2024"), ("TARGET", None))
    assert gbi.schema("performance").key
