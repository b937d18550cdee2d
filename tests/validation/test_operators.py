"""Operators at their edges: rounding, totals rows, units, trends, order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbi.dataset import Dataset
from gbi.validation import validate
from gbi.validation.context import printed_units
from gbi.validation.sums import _age_faults, age_bounds

STAT = {
    "INDICATOR": "Série",
    "TIME_PERIOD": "2020",
    "REF_AREA": "MA",
    "OBS_STATUS": "A",
    "SOURCE": "HCP",
    "MEASURE_KIND": "COUNT",
    "COUNTED": "STRUCTURES",
    "UNIT_MEASURE": "NUMBER",
    "UNIT_MULT": 3,
    "DECIMALS": 0,
}
LINE = {
    "TIME_PERIOD": "2025",
    "REF_AREA": "MA",
    "BUDGET_COMPONENT": "BG",
    "CHAPTER_KIND": "ORDINARY",
    "BUDGET_STAGE": "BILL",
    "CREDIT_TYPE": "CP",
    "UNIT_MEASURE": "MAD",
    "UNIT_MULT": 0,
    "OBS_STATUS": "A",
    "DECIMALS": 0,
}
NATURES = ("PERSONNEL", "GOODS", "OPERATING", "INVESTMENT", "_T")


def codes(frame: pd.DataFrame, table: str = "statistics", **options: object) -> list[str]:
    report = validate({table: frame}, **options)  # type: ignore[arg-type]
    assert not report.engine_errors
    return sorted(f.code for f in report.findings)


def stat(rows: list[dict[str, object]], **base: object) -> pd.DataFrame:
    frame = pd.DataFrame([{**STAT, **base, **r} for r in rows])
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    return frame


def by_sex(f: float, m: float, total: float, **base: object) -> pd.DataFrame:
    return stat(
        [{"SEX": s, "OBS_VALUE": v} for s, v in (("F", f), ("M", m), ("_T", total))], **base
    )


def budget(lines: dict[str, tuple[float | None, ...]], printed: tuple[float, ...]) -> Dataset:
    def rows(name: str, values: tuple[float | None, ...]) -> list[dict[str, object]]:
        return [
            {**LINE, "MINISTRY": name, "MINISTRY_LABEL": name, "ECON_NATURE": n, "OBS_VALUE": v,
             "OBS_STATUS": "K" if v is None else "A"}
            for n, v in zip(NATURES, values, strict=True)
        ]  # fmt: skip

    frame = pd.DataFrame([r for name, values in lines.items() for r in rows(name, values)])
    totals = pd.DataFrame(rows("_T", printed))
    for table in (frame, totals):
        table["OBS_VALUE"] = table["OBS_VALUE"].astype("float64")
    return Dataset(frame, "budget", totals=Dataset(totals, "budget"))


@pytest.mark.parametrize(
    ("total", "base", "expected"),
    [
        (853.0, {}, []),  # thousands: two rounded addends and a rounded total, 1.5 apart at most
        (854.0, {}, ["GBI-A003"]),
        (853.0, {"UNIT_MULT": 0}, ["GBI-A003"]),  # persons counted one by one
        (853.0, {"MEASURE_KIND": "RATE", "UNIT_MEASURE": "PER_1000"}, []),  # rates don't add
        (852.0 + 1e-10, {"UNIT_MULT": 0}, []),  # noise of floating point
    ],
)
def test_a_sum_may_differ_by_rounding_alone(
    total: float, base: dict[str, object], expected: list[str]
) -> None:
    frame = by_sex(432, 420, total, **base)
    assert codes(frame, only=["A003"]) == expected


def test_one_dirham_counts_in_hundreds_of_milliards() -> None:
    exact: dict[str, object] = {"UNIT_MULT": 0, "UNIT_MEASURE": "MAD"}
    assert codes(by_sex(2.5e11, 2.5e11, 5e11, **exact), only=["A003"]) == []
    assert codes(by_sex(2.5e11, 2.5e11, 5e11 + 1, **exact), only=["A003"]) == ["GBI-A003"]


def test_one_decimal_narrows_the_tolerance() -> None:
    assert codes(by_sex(4.3, 4.2, 8.6, DECIMALS=1), only=["A003"]) == []
    assert codes(by_sex(4.3, 4.2, 8.7, DECIMALS=1), only=["A003"]) == ["GBI-A003"]


def test_persons_of_unknown_sex_are_addends_and_never_a_comparator() -> None:
    rows = [("F", 40), ("M", 50), ("_U", 10), ("_T", 100)]
    frame = stat([{"SEX": s, "OBS_VALUE": v} for s, v in rows], UNIT_MULT=0)
    assert codes(frame, only=["A003"]) == []
    assert codes(frame.iloc[[0, 2, 3]], only=["A003"]) == []  # men are missing: nothing to test


def test_decimals_are_read_from_the_values_where_nothing_says_them() -> None:
    frame = pd.DataFrame({"OBS_VALUE": [1.0, 1.5, 0.25, np.nan]})
    assert printed_units(frame).tolist() == pytest.approx([1.0, 0.1, 0.01, 1.0])


@pytest.mark.parametrize(
    ("code", "bounds"),
    [
        ("Y15T24", (15, 25)),
        ("Y_GE60", (60, np.inf)),
        ("Y_LT15", (0, 15)),
        ("Y_LE14", (0, 15)),
        ("Y7", (7, 8)),
        ("_T", None),
        ("jeunes", None),
    ],
)
def test_age_codes_are_bounds(code: str, bounds: tuple[float, float] | None) -> None:
    assert age_bounds(code) == bounds


def test_age_groups_overlap_or_leave_a_hole() -> None:
    assert _age_faults(["Y_GE60", "Y0T14", "Y15T59"]) is None
    assert _age_faults(["Y0T14", "Y14T59", "Y_GE60"]) == ("Y0T14", "Y14T59")
    assert _age_faults(["Y0T14", "Y16T59", "Y_GE60"]) == ("Y0T14", "Y16T59")


GOOD = {
    "SANTE": (300e6, 200e6, 500e6, 100e6, 600e6),
    "EDUCATION": (10e6, 5e6, 15e6, 0.0, 15e6),
    "CHARGES_COMMUNES": (None, None, 50e6, 20e6, 70e6),
}
PRINTED = (310e6, 205e6, 565e6, 120e6, 685e6)


def test_the_totals_row_is_tested_without_the_lines_that_are_not_split() -> None:
    report = validate(budget(GOOD, PRINTED))
    assert not report.findings
    assert not report.engine_errors


@pytest.mark.parametrize(("nature", "rules"), [(0, {"A021", "A022"}), (3, {"A021", "A022"})])
def test_a_wrong_printed_total_is_found(nature: int, rules: set[str]) -> None:
    printed = list(PRINTED)
    printed[nature] += 1
    found = validate(budget(GOOD, tuple(printed))).findings
    assert {f.code for f in found} == {f"GBI-{r}" for r in rules}
    assert {f.difference for f in found} <= {1.0, -1.0}


def test_a_dirham_more_in_one_line_is_found_in_the_line_and_in_the_total() -> None:
    lines = {**GOOD, "EDUCATION": (10e6 + 1, 5e6, 15e6, 0.0, 15e6)}
    found = validate(budget(lines, PRINTED)).findings
    assert sorted(f.code for f in found) == ["GBI-A021", "GBI-A022"]


def test_commitments_on_later_years_are_in_no_sum() -> None:
    data = budget(GOOD, PRINTED)
    ce = {**LINE, "MINISTRY": "SANTE", "MINISTRY_LABEL": "SANTE", "ECON_NATURE": "INVESTMENT",
          "CREDIT_TYPE": "CE", "OBS_VALUE": 7e9}  # fmt: skip
    frame = pd.concat([data.frame, pd.DataFrame([ce])], ignore_index=True)
    assert not validate(Dataset(frame, "budget", totals=data.totals)).findings


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_figure_in_thousands_is_a_unit_and_not_a_sum(place: int) -> None:
    line = list(GOOD["SANTE"])
    line[place] = float(line[place] or 0) / 1000
    report = validate(budget({**GOOD, "SANTE": tuple(line)}, PRINTED))
    assert {f.code for f in report.findings} == {"GBI-A023"}
    finding = report.findings[0]
    assert finding.found == line[place]
    assert finding.expected == pytest.approx(GOOD["SANTE"][place])


def test_a_whole_line_in_thousands_is_seen_against_the_total() -> None:
    line = tuple(float(v or 0) / 1000 for v in GOOD["SANTE"])
    found = validate(budget({**GOOD, "SANTE": line}, PRINTED)).findings
    assert {f.code for f in found} == {"GBI-A023"}
    assert {f.key["MINISTRY"] for f in found} == {"SANTE"}


def test_a_line_above_the_economy_has_the_wrong_unit() -> None:
    frame = pd.DataFrame(
        [{**LINE, "MINISTRY": "SANTE", "MINISTRY_LABEL": "SANTE", "ECON_NATURE": "_T",
          "OBS_VALUE": 9e7, "UNIT_MULT": 6}]
    )  # fmt: skip
    assert codes(frame, "budget") == ["GBI-A023"]


@given(
    start=st.floats(1, 90),
    steps=st.lists(st.floats(1.0, 1.9), min_size=3, max_size=12),
    up=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_trend_however_steep_is_no_isolated_jump(
    start: float, steps: list[float], up: bool
) -> None:
    values = start * np.cumprod(steps)
    rows = [
        {"TIME_PERIOD": str(2000 + i), "OBS_VALUE": float(v)}
        for i, v in enumerate(values if up else values[::-1])
    ]
    assert "GBI-G029" not in codes(stat(rows, DECIMALS=1), only=["G029"])


@given(where=st.integers(1, 8), length=st.integers(1, 2), factor=st.sampled_from([0.1, 10.0]))
@settings(max_examples=40, deadline=None)
def test_a_jump_that_reverses_is_found_wherever_it_is(
    where: int, length: int, factor: float
) -> None:
    values = np.array([20.0, 21, 22, 23, 22, 24, 25, 26, 27, 27, 28])
    values[where : where + length] *= factor
    rows = [{"TIME_PERIOD": str(2000 + i), "OBS_VALUE": float(v)} for i, v in enumerate(values)]
    report = validate({"statistics": stat(rows, DECIMALS=1)}, only=["G029"])
    assert len(report.findings) == 1
    assert report.findings[0].found == pytest.approx(values[where])


@given(order=st.permutations(range(6)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_changes_no_finding(order: list[int]) -> None:
    frame = pd.concat([by_sex(432, 420, 876), by_sex(1, 2, 900, TIME_PERIOD="2021")])
    shuffled = frame.iloc[list(order)].reset_index(drop=True)
    first, second = (validate({"statistics": f.reset_index(drop=True)}) for f in (frame, shuffled))
    assert [f.id for f in first.findings] == [f.id for f in second.findings]
    assert len(first.findings) == 2


def test_a_swap_of_the_sexes_moves_the_missing_pair() -> None:
    rate = {"MEASURE_KIND": "RATE", "COUNTED": "PERSONS", "UNIT_MEASURE": "PT", "UNIT_MULT": 0}
    women = stat([{"SEX": "F", "OBS_VALUE": 40.0}], **rate)
    assert codes(women, only=["G002"]) == ["GBI-G002"]
    assert codes(women.assign(SEX="M"), only=["G002"]) == []
    both = stat([{"SEX": s, "OBS_VALUE": 40.0} for s in ("F", "_T")], **rate)
    assert codes(both, only=["G002"]) == []


def test_a_share_of_women_needs_no_share_of_men() -> None:
    share = {"MEASURE_KIND": "SHARE", "COUNTED": "PERSONS", "UNIT_MEASURE": "PT", "UNIT_MULT": 0}
    rows = [{"SEX": "F", "OBS_VALUE": 48.0}, {"SEX": "_T", "OBS_VALUE": 100.0}]
    assert codes(stat(rows, **share)) == []
