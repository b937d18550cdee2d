"""Rules between years: what changed without a word is found, rounding, reasons and trends pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gbi.validation import ValidationReport, validate

ROW = {
    "DEPARTMENT": "SANTE", "PROGRAMME": "P", "OBJECTIVE": "O", "INDICATOR": "I", "REF_AREA": "MA",
    "SEX": "_T", "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 0, "DECIMALS": 0, "OBS_STATUS": "A",
    "DIRECTION": "UP", "VALUE_KIND": "REALISED", "TIME_PERIOD": "2024",
}  # fmt: skip
LINE = {
    "REF_AREA": "MA", "BUDGET_COMPONENT": "BG", "MINISTRY": "SANTE", "CHAPTER_KIND": "ORDINARY",
    "BUDGET_STAGE": "BILL", "ECON_NATURE": "_T", "CREDIT_TYPE": "CP", "UNIT_MEASURE": "MAD",
    "UNIT_MULT": 0, "DECIMALS": 0, "OBS_STATUS": "A", "TIME_PERIOD": "2025",
}  # fmt: skip


def frame(*rows: dict[str, Any], base: dict[str, Any] = ROW) -> pd.DataFrame:
    out = pd.DataFrame([{**base, **row} for row in rows])
    if "OBS_VALUE" in out.columns:
        out["OBS_VALUE"] = out["OBS_VALUE"].astype("float64")
    return out


def value(number: float | None, period: str = "2024", **more: Any) -> dict[str, Any]:
    return {"OBS_VALUE": number, "TIME_PERIOD": period, **more}


def run(
    code: str, now: pd.DataFrame, then: pd.DataFrame | None, table: str = "performance"
) -> ValidationReport:
    previous = None if then is None else {table: then}
    report = validate({table: now}, only=[code], previous=previous)
    assert not report.engine_errors
    return report


def count(code: str, now: pd.DataFrame, then: pd.DataFrame | None, **more: Any) -> int:
    return len(run(code, now, then, **more).findings)


PREVIOUS_ONLY = ("Y001", "Y003", "Y004", "Y005", "Y006", "Y007", "Y009", "Y010")


@pytest.mark.parametrize("code", PREVIOUS_ONLY)
def test_without_last_year_there_is_nothing_to_compare(code: str) -> None:
    table = "budget" if code == "Y010" else "performance"
    report = run(code, frame(value(1.0)), None, table)
    assert (report.rules[0].status, report.rules[0].reason) == ("not_applicable", "no_previous")


@pytest.mark.parametrize("code", [*PREVIOUS_ONLY, "Y002", "P011"])
def test_the_same_files_again_give_nothing(code: str) -> None:
    table = "budget" if code == "Y010" else "performance"
    now = frame(*(value(40.0 + i, str(2018 + i)) for i in range(7)))
    assert count(code, now, now.copy(), table=table) == 0


@pytest.mark.parametrize(
    ("now", "then", "found"),
    [
        (value(82.0), value(80.0), 1),
        (value(80.0), value(80.0), 0),
        (value(80.4, DECIMALS=1), value(80.0), 0),  # 80 is 80.4, rounded
        (value(80.6, DECIMALS=1), value(80.0), 1),
        (value(0.1, UNIT_MULT=3, DECIMALS=1), value(80.0), 0),  # 0.1 thousand is 80, rounded
        (value(82.0, OBS_STATUS="B"), value(80.0), 0),
        (value(82.0, COMMENT="Recensement"), value(80.0), 0),
        (value(82.0), value(80.0, OBS_STATUS="P"), 0),  # last year's was provisional
        (value(82.0, INDICATOR="i "), value(80.0), 1),  # the label is the same, folded
        (value(82.0, "2023"), value(80.0), 0),
        (value(80_000.0), value(80.0), 0),  # the unit's matter
        (value(82.0, UNIT_MEASURE="PS"), value(80.0), 0),
        (value(None), value(80.0), 0),
        (value(82.0, VALUE_KIND="TARGET"), value(80.0, VALUE_KIND="TARGET"), 0),
    ],
)
def test_restated_values(now: dict[str, Any], then: dict[str, Any], found: int) -> None:
    assert count("Y003", frame(now), frame(then)) == found


def test_targets_that_moved_show_what_was_announced() -> None:
    kind = {"VALUE_KIND": "TARGET"}
    then = frame(value(88.0, "2025", **kind))
    (found,) = run("Y001", frame(value(90.0, "2025", **kind)), then).findings
    assert (found.found, found.expected, found.difference) == (90.0, 88.0, 2.0)
    assert "88" in found.message["en"]["seen"]
    assert count("Y001", frame(value(90.0, "2026", **kind)), then) == 0


def test_severity_of_a_moved_target_has_a_date() -> None:
    kind = {"VALUE_KIND": "TARGET"}
    now, then = frame(value(90.0, "2025", **kind)), frame(value(88.0, "2025", **kind))
    for day, level in (("2024-06-01", "info"), ("2025-06-01", "warning")):
        report = validate(
            {"performance": now}, previous={"performance": then}, only=["Y001"], as_of=day
        )
        assert [f.severity for f in report.findings] == [level]


def line(number: float, label: str = "Soins", **more: Any) -> dict[str, Any]:
    return {"PROGRAMME": "101", "PROGRAMME_LABEL": label, "OBS_VALUE": number, **more}


def test_a_label_drifts_against_last_year_or_inside_the_file() -> None:
    then = frame(line(1.0, "Soins de base"), base=LINE)

    def drift(*rows: dict[str, Any], before: pd.DataFrame | None = None) -> list[Any]:
        return list(run("Y002", frame(*rows, base=LINE), before, "budget").findings)

    (found,) = drift(line(1.0, "Hôpitaux"), before=then)
    assert (found.found, found.expected) == ("Hôpitaux", "Soins de base")
    assert drift(line(1.0, "SOINS DE BASÉ"), before=then) == []
    (inside,) = drift(line(1.0), line(1.0, "Hôpitaux", TIME_PERIOD="2024"))
    assert (inside.found, inside.expected) == ("Hôpitaux", "Soins")
    # Codes hold inside their ministry.
    assert drift(line(1.0), line(1.0, "Collèges", MINISTRY="EDUCATION")) == []


def test_dropped_series_are_told_once_per_programme_with_a_near_new_label() -> None:
    then = frame(*(value(1.0, "2023", INDICATOR=n) for n in ("A", "B", "Taux de suivi")))
    now = frame(value(1.0, INDICATOR="A"), value(1.0, INDICATOR="Taux du suivi"))
    (found,) = run("Y004", now, then).findings
    assert found.found == "B; Taux de suivi"
    assert "2" in found.message["en"]["seen"]
    gone = frame(value(1.0, "2023", DEPARTMENT="EMPLOI"), value(1.0, "2023", INDICATOR="A"))
    assert count("Y004", now, gone) == 1


@pytest.mark.parametrize(
    ("now", "then", "factor"),
    [
        ([value(0.412, "2023", DECIMALS=3)], [value(412.0, "2023")], 0.001),
        ([value(412e6, "2023")], [value(412.0, "2023")], 1e6),
        ([value(431_000.0)], [value(412.0, "2023")], 1000.0),
        ([value(431.0, UNIT_MULT=3)], [value(412.0, "2023")], 1000.0),
        ([value(412.0, "2023", UNIT_MEASURE="M2")], [value(412.0, "2023")], None),
    ],
)
def test_unit_changes(
    now: list[dict[str, Any]], then: list[dict[str, Any]], factor: float | None
) -> None:
    (found,) = run("Y005", frame(*now), frame(*then)).findings
    assert found.params["factor"] == factor
    # One cause, one finding: no other rule across years speaks of the same cells.
    report = validate(
        {"performance": frame(*now)}, previous={"performance": frame(*then)}, only=["Y", "P011"]
    )
    assert {f.code for f in report.findings} == {"GBI-Y005"}


@pytest.mark.parametrize(
    "now",
    [
        value(0.4, "2023", UNIT_MULT=3, DECIMALS=1),  # converted
        value(4100.0),  # ten-fold is no unit
        value(41_000.0),  # nor is a hundred-fold
        value(431_000.0, OBS_STATUS="B"),
        value(412.0, "2023", UNIT_MEASURE="M2", COMMENT="Nouvelle unité"),
    ],
)
def test_what_is_no_unit_change(now: dict[str, Any]) -> None:
    assert count("Y005", frame(now), frame(value(412.0, "2023"))) == 0


def test_a_thousandfold_in_a_long_series_is_the_unit_alone() -> None:
    then = frame(*(value(400.0 + 3 * i, str(2016 + i)) for i in range(8)))
    now = pd.concat([then, frame(value(425_000.0))], ignore_index=True)
    report = validate({"performance": now}, previous={"performance": then}, only=["Y", "P011"])
    assert [f.code for f in report.findings] == ["GBI-Y005"]


@pytest.mark.parametrize(
    ("history", "now", "found"),
    [
        ([40, 41], value(130.0), 1),
        ([40, 41], value(120.0), 0),  # not above 3 × 41
        ([40, 41], value(13.0), 1),
        ([41], value(150.0), 0),  # one value is no level
        ([20, 41], value(150.0), 0),  # nor are two far apart
        ([40, 41], value(150.0, OBS_STATUS="B"), 0),
    ],
)
def test_level_shifts(history: list[int], now: dict[str, Any], found: int) -> None:
    then = frame(*(value(v, str(2024 - len(history) + i)) for i, v in enumerate(history)))
    assert count("Y006", frame(now), then) == found


def test_a_level_whose_history_was_rewritten_is_another_matter() -> None:
    then = frame(value(40.0, "2022"), value(41.0, "2023"))
    rewritten = frame(value(42.0, "2022"), value(44.0, "2023"), value(150.0))
    assert count("Y006", rewritten, then) == 0
    assert count("Y003", rewritten, then) == 2


def test_a_formula_rewritten_without_a_break_in_the_values() -> None:
    sheet = {k: ROW[k] for k in ("DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR")}
    now, then = frame({"FORMULA": "a / b"}, base=sheet), frame({"FORMULA": "a / c"}, base=sheet)
    assert count("Y006", now, then, table="catalogue") == 1
    told = {"catalogue": now, "performance": frame(value(1.0, OBS_STATUS="B"))}
    assert not validate(told, previous={"catalogue": then}, only=["Y006"]).findings


def test_direction_is_looked_at_in_the_catalogue_where_there_is_one() -> None:
    now, then = frame(value(1.0)), frame(value(1.0, DIRECTION="DOWN"))
    assert count("Y007", now, then) == 1
    tables = {"performance": now, "catalogue": now[["DEPARTMENT", "INDICATOR", "DIRECTION"]]}
    assert not validate(tables, previous={"performance": then}, only=["Y007"]).findings


def test_a_copied_year() -> None:
    numbers = [41.0, 52.0, 63.0, 48.0, 35.0]
    then = frame(*(value(v, "2023", INDICATOR=str(v)) for v in numbers))
    now = then.assign(TIME_PERIOD="2024")
    (found,) = run("Y009", now, then).findings
    assert found.params["n"] == 5
    assert count("Y009", now.assign(OBS_VALUE=[*numbers[:4], 36.0]), then) == 0
    assert count("Y009", now.iloc[:4], then) == 0
    same = then.assign(OBS_VALUE=41.0)
    assert count("Y009", same.assign(TIME_PERIOD="2024"), same) == 0  # one number says little
    assert count("Y009", now.assign(OBS_VALUE=0.0), then.assign(OBS_VALUE=0.0)) == 0


def test_lines_that_shift_go_by_their_total() -> None:
    then = frame(line(100.0, TIME_PERIOD="2024"),
                 line(10.0, TIME_PERIOD="2024", ECON_NATURE="GOODS"), base=LINE)  # fmt: skip
    for total, found in ((400.0, 1), (300.0, 0), (30.0, 1), (100_000.0, 0)):
        now = frame(line(total), line(90.0, ECON_NATURE="GOODS"), base=LINE)
        assert count("Y010", now, then, table="budget") == found
    other = frame(line(400.0, BUDGET_STAGE="VOTED"), base=LINE)
    assert count("Y010", other, then, table="budget") == 0
    assert (
        count("Y010", frame(line(400.0, TIME_PERIOD="2026"), base=LINE), then, table="budget") == 0
    )


def series(values: list[float], **more: Any) -> pd.DataFrame:
    first = 2025 - len(values)
    return frame(*(value(v, str(first + i), DECIMALS=1, **more) for i, v in enumerate(values)))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([50.1, 50.6, 50.4, 51.0, 50.7, 58.9], 1),
        ([50.1, 50.6, 50.4, 51.0, 50.7, 43.0], 1),
        ([50.6, 50.4, 51.0, 50.7, 58.9], 0),  # too few before it
        ([10.0, 20.0, 30.0, 40.0, 50.0, 60.0], 0),  # a straight line
        ([10.0, 20.0, 40.0, 80.0, 160.0, 320.0], 0),  # doubling
        ([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0], 0),  # four-fold
        ([1.0, 3.0, 6.0, 10.0, 15.0, 21.0, 28.0], 0),  # faster and faster
        ([50.0, 50.0, 50.0, 50.0, 50.0, 50.2], 0),  # within the last digits
        ([50.0, 58.0, 50.5, 50.1, 50.4, 57.9], 0),  # it has leapt so before
        ([-1.0, 0.5, -0.5, 0.0, 0.5, 30.0], 1),  # no logarithm
    ],
)
def test_outliers_against_the_own_history(values: list[float], found: int) -> None:
    assert count("P011", series(values), None) == found


def test_history_of_last_years_file_counts() -> None:
    whole = series([50.1, 50.6, 50.4, 51.0, 50.7, 58.9])
    assert count("P011", whole.iloc[3:], None) == 0
    assert count("P011", whole.iloc[3:], whole.iloc[:5]) == 1
    # What ended with last year's file is last year's matter.
    calm = series([50.1, 50.6, 50.4, 51.0, 50.7, 51.1], INDICATOR="J")
    assert count("P011", calm, whole) == 0


def test_no_trend_is_ever_an_outlier() -> None:
    rng = np.random.default_rng(4)
    for i in range(60):
        slope, bend = rng.uniform(-3, 3), rng.uniform(0.9, 1.15)
        line_ = [200 + slope * t + rng.normal(0, 0.3) for t in range(9)]
        growth = [100 * bend**t for t in range(9)]
        for values in (line_, growth):
            assert count("P011", series([round(v, 1) for v in values]), None) == 0, (i, values)


def test_outliers_are_found_series_by_series_in_any_order() -> None:
    calm, odd = [50.1, 50.6, 50.4, 51.0, 50.7, 51.1], [30.2, 30.1, 30.5, 30.3, 30.0, 41.0]
    both = pd.concat(
        [series(calm, INDICATOR="A"), series(odd, INDICATOR="B")], ignore_index=True
    ).sample(frac=1, random_state=1).reset_index(drop=True)  # fmt: skip
    (found,) = run("P011", both, None).findings
    assert (found.key["INDICATOR"], found.found) == ("B", 41.0)
