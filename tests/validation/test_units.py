"""Units: thousands among units, one unit per series, periods that can be put in order."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gbi.validation import validate

ROW = {
    "INDICATOR": "Série",
    "TIME_PERIOD": "2020",
    "REF_AREA": "MA",
    "OBS_STATUS": "A",
    "MEASURE_KIND": "COUNT",
    "COUNTED": "PERSONS",
    "UNIT_MEASURE": "PS",
    "UNIT_MULT": 0,
    "DECIMALS": 0,
}
SUMS = ["A003", "A005", "A007", "T010"]


def run(rows: list[dict[str, object]], only: list[str], table: str = "statistics") -> list:
    frame = pd.DataFrame([{**ROW, **r} for r in rows])
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    report = validate({table: frame}, only=only)
    assert not report.engine_errors
    return list(report.findings)


def split(dimension: str, **values: float) -> list[dict[str, object]]:
    return [{dimension: code, "OBS_VALUE": v} for code, v in values.items()]


@given(
    women=st.integers(20_000, 5_000_000),
    men=st.integers(20_000, 5_000_000),
    wrong=st.sampled_from(["F", "M", "_T"]),
    factor=st.sampled_from([1000, 1_000_000]),
    up=st.booleans(),
)
@example(women=1_997_980, men=20_000, wrong="F", factor=1000, up=True)  # two readings are near
@settings(max_examples=60, deadline=None)
def test_a_thousandfold_figure_is_a_unit_and_never_a_sum(
    women: int, men: int, wrong: str, factor: int, up: bool
) -> None:
    right = {"F": women, "M": men, "_T": women + men}
    ratio = float(factor) if up else 1.0 / factor
    rows = split("SEX", **{**right, wrong: right[wrong] * ratio})
    (one,) = run(rows, SUMS)
    assert one.code == "GBI-T010"
    assert one.found == pytest.approx(right[wrong] * ratio)
    assert one.expected == pytest.approx(right[wrong])


@given(women=st.integers(100, 5000), men=st.integers(100, 5000), off=st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_an_ordinary_difference_is_a_sum_and_never_a_unit(women: int, men: int, off: int) -> None:
    rows = split("SEX", F=women, M=men, _T=women + men + off)
    assert [f.code for f in run(rows, SUMS)] == ["GBI-A003"]


@pytest.mark.parametrize(
    "rows",
    [
        split("URBANISATION", U=432, R=420456, _T=852579),
        split("AGE", Y0T14=100, Y15T59=400123, Y_GE60=50321, _T=550444),
        split("SEX", F=432123, M=420456, _T=853),  # rounded to thousands: closes within 1 %
    ],
)
def test_every_kind_of_sum_hands_over(rows: list[dict[str, object]]) -> None:
    assert [f.code for f in run(rows, SUMS)] == ["GBI-T010"]


@pytest.mark.parametrize(
    "rows",
    [
        split("SEX", F=432123, M=420456, _T=880),  # a thousandth, but 3 % beside it
        [{**r, "UNIT_MULT": 3} for r in split("SEX", F=1, M=2, _T=90)],  # coarse rounding
    ],
)
def test_what_is_only_roughly_a_factor_away_stays_a_sum(rows: list[dict[str, object]]) -> None:
    assert [f.code for f in run(rows, SUMS)] == ["GBI-A003"]


def test_a_wrong_age_sum_stays_a_sum() -> None:
    rows = split("AGE", Y0T14=100, Y15T59=400, Y_GE60=50, _T=560)
    assert [f.code for f in run(rows, SUMS)] == ["GBI-A007"]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e6, 1e-6])
def test_a_year_in_another_unit_is_found_in_its_series(at: int, factor: float) -> None:
    values = [1810.0e3, 1825.0e3, 1839.0e3, 1861.0e3]
    values[at] *= factor
    rows = [{"TIME_PERIOD": str(2020 + i), "OBS_VALUE": v} for i, v in enumerate(values)]
    (one,) = run(rows, ["T010"], "population")
    assert one.found == pytest.approx(values[at])


def test_a_series_may_grow_and_a_multiplier_explains_a_size() -> None:
    rows = [{"TIME_PERIOD": str(2020 + i), "OBS_VALUE": 10.0 * 7**i} for i in range(4)]
    assert run(rows, ["T010"], "population") == []
    rows = [
        {"TIME_PERIOD": "2020", "OBS_VALUE": 1810.0, "UNIT_MULT": 3},
        {"TIME_PERIOD": "2021", "OBS_VALUE": 1825000.0},
    ]
    assert run(rows, ["T010"], "population") == []


def test_one_finding_per_series_in_two_units() -> None:
    rows = [{"TIME_PERIOD": str(2000 + i), "OBS_VALUE": 40.0} for i in range(9)]
    rows[7] = {**rows[7], "UNIT_MEASURE": "NUMBER"}
    (one,) = run(rows, ["T011"])
    assert (one.field, one.found, one.expected) == ("UNIT_MEASURE", "NUMBER", "PS")
    share = {"OBS_VALUE": 41.0, "MEASURE_KIND": "SHARE", "UNIT_MEASURE": "PT"}
    assert run([*rows[:7], share], ["T011"]) == []


@pytest.mark.parametrize(("usual", "odd", "hit"), [(2, 0, 1), (2, 1, 0), (0, 2, 0), (3, 1, 1)])
def test_fewer_decimals_are_told_and_more_are_not(usual: int, odd: int, hit: int) -> None:
    rows = [
        {"TIME_PERIOD": str(y), "OBS_VALUE": 40.0, "DECIMALS": usual} for y in range(2015, 2019)
    ]
    rows.append({"TIME_PERIOD": "2019", "OBS_VALUE": 40.0, "DECIMALS": odd})
    assert len(run(rows, ["T013"])) == hit


def test_zeros_left_out_explain_some_short_figures_in_a_long_series() -> None:
    rows = [{"TIME_PERIOD": str(1000 + i), "OBS_VALUE": 4.0, "DECIMALS": 2} for i in range(300)]
    for i in (3, 50, 270):
        rows[i]["DECIMALS"] = 0
    assert run(rows, ["T013"]) == []


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("T1 2024", "2024-Q1"),
        ("2024-T3", "2024-Q3"),
        ("03/2024", "2024-M03"),
        ("2024/2025", None),
        ("24", None),
        ("2024.0", "2024"),
    ],
)
def test_a_period_of_another_form_is_found(text: str, near: str | None) -> None:
    rows = [{"TIME_PERIOD": text, "OBS_VALUE": 1.0}] * 3
    (one,) = run(rows, ["T014"])
    assert (one.found, one.suggestion) == (text, near)


@pytest.mark.parametrize("text", ["2025", "2025-A1", "2025-S2", "2025-Q4", "2025-M12"])
def test_periods_of_the_form_pass(text: str) -> None:
    assert run([{"TIME_PERIOD": text, "OBS_VALUE": 1.0}], ["T014"]) == []


@pytest.mark.parametrize(
    ("area", "value", "multiplier", "hit"),
    [
        ("MA", 36_800_000, 0, 0),
        ("MA", 46_000_000, 0, 1),
        ("MA-06", 46_000, 3, 1),
        ("IN", 1_428, 6, 0),
        ("IN", 1_428, 9, 1),
    ],
)
def test_no_count_is_larger_than_the_country(
    area: str, value: float, multiplier: int, hit: int
) -> None:
    row = {"REF_AREA": area, "OBS_VALUE": value, "UNIT_MULT": multiplier}
    assert len(run([row], ["T015"])) == hit
    actions = {**row, "COUNTED": "ACTIONS", "UNIT_MEASURE": "NUMBER"}
    assert run([actions], ["T015"]) == []
