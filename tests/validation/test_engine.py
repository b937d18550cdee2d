"""The engine: what runs, what is skipped, what is said about it."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import jsonschema
import numpy as np
import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Cell, make_finding
from gbi.resources import contract
from gbi.validation import ValidationReport, validate
from gbi.validation.operators import OPERATORS

BASE = {
    "REF_AREA": "MA",
    "SEX": "_T",
    "OBS_STATUS": "A",
    "SOURCE": "HCP",
    "MEASURE_KIND": "COUNT",
    "COUNTED": "PERSONS",
    "UNIT_MEASURE": "NUMBER",
    "UNIT_MULT": 3,
    "DECIMALS": 0,
}


def statistics(*rows: dict[str, object]) -> Dataset:
    frame = pd.DataFrame(
        [{"INDICATOR": "Effectif", "TIME_PERIOD": "2020", **BASE, **r} for r in rows]
    )
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    origins = pd.DataFrame(
        {
            "_FILE": "f.csv",
            "_SHEET": "",
            "_RAW": frame["OBS_VALUE"].astype(str),
            "OBS_VALUE": [f"E{i + 2}" for i in range(len(frame))],
        }
    )
    return Dataset(frame, "statistics", origins=origins)


def broken_sum() -> Dataset:
    return statistics(
        {"SEX": "F", "OBS_VALUE": 432},
        {"SEX": "M", "OBS_VALUE": 420},
        {"SEX": "_T", "OBS_VALUE": 876},
    )


def status(report: ValidationReport, code: str) -> str:
    return next(r.status for r in report.rules if r.code == code)


def test_a_finding_names_every_party_and_the_key() -> None:
    report = validate(broken_sum())
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.a1) == ("GBI-A003", "warning", "E4")
    assert [c.a1 for c in finding.cells] == ["E4", "E2", "E3"]
    assert (finding.found, finding.expected, finding.difference) == (876.0, 852.0, 24.0)
    assert finding.tolerance == pytest.approx(1.5)
    assert finding.key["INDICATOR"] == "Effectif"
    assert "SEX" not in finding.key
    assert report.verdict == "accepted_with_warnings"
    assert report.ok


def test_an_unread_cell_silences_the_rules_that_need_it_and_is_counted() -> None:
    data = broken_sum()
    frame = data.frame.copy()
    frame.loc[0, "OBS_VALUE"] = np.nan
    unread = make_finding(
        "GBI-T001", severity="blocking", cells=[Cell("f.csv", "", "E2")], found="43 2?"
    )
    report = validate(dataclasses.replace(data, frame=frame, findings=(unread,)))
    assert [f.code for f in report.findings] == ["GBI-T001"]
    rule = next(r for r in report.rules if r.code == "GBI-A003")
    assert rule.skipped == 1
    missing = validate(dataclasses.replace(data, frame=frame))
    assert "GBI-S001" in {f.code for f in missing.findings}


def test_a_missing_column_is_not_run_and_the_report_incomplete() -> None:
    frame = broken_sum().frame.drop(columns="MEASURE_KIND")
    report = validate({"statistics": frame}, only=["P004"])
    assert status(report, "GBI-P004") == "not_run"
    assert report.not_run[0].columns == ("MEASURE_KIND",)
    assert report.verdict == "incomplete"
    assert (report.exit_code(), report.exit_code("never"), report.ok) == (5, 5, False)


def test_a_dimension_without_a_column_is_not_disaggregated() -> None:
    assert "AGE" not in broken_sum().frame
    assert status(validate(broken_sum()), "GBI-A007") == "passed"


def test_a_rule_without_its_table_is_not_applicable() -> None:
    report = validate(broken_sum())
    assert status(report, "GBI-A021") == "not_applicable"
    assert status(report, "GBI-A003") == "failed"
    assert status(report, "GBI-A005") == "passed"


def test_a_rule_that_breaks_off_is_our_fault_and_never_an_acceptance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(ctx: object) -> None:
        raise ZeroDivisionError("4321 is in the data")

    monkeypatch.setattr("gbi.validation.running.OPERATORS", {**OPERATORS, "group_sum": broken})
    report = validate(broken_sum())
    assert {e.code for e in report.engine_errors} >= {"GBI-A003"}
    assert status(report, "GBI-A003") == "error"
    assert report.verdict == "incomplete"
    assert report.exit_code() == 4
    assert "4321" not in str(report.to_json())


def test_only_and_exclude_take_codes_slugs_and_families() -> None:
    assert [r.code for r in validate(broken_sum(), only=["A003"]).rules] == ["GBI-A003"]
    assert [r.code for r in validate(broken_sum(), only=["sex_sum"]).rules] == ["GBI-A003"]
    assert {r.code[4] for r in validate(broken_sum(), only=["A", "P"]).rules} == {"A", "P"}
    assert not validate(broken_sum(), exclude=["A"]).findings
    with pytest.raises(GbiError) as unknown:
        validate(broken_sum(), only=["sex_summ"])
    assert (unknown.value.code, unknown.value.expected) == ("GBI-E004", "sex_sum")


def test_exit_code_follows_the_threshold() -> None:
    report = validate(broken_sum(), only=["A003"])
    assert [report.exit_code(level) for level in ("blocking", "warning", "info", "never")] == [
        0,
        1,
        1,
        0,
    ]
    with pytest.raises(GbiError):
        report.exit_code("fatal")


def test_a_waiver_lifts_a_warning_and_says_what_became_of_it() -> None:
    finding = validate(broken_sum()).findings[0]
    good = {"id": finding.id, "justification": "Double inscription, note 4 de l'annexe", "by": "X"}
    report = validate(broken_sum(), waivers=[good])
    assert report.findings[0].status == "waived"
    assert report.counts == {"blocking": 0, "warning": 0, "info": 0, "waived": 1}
    assert report.waivers[0].status == "applied"
    by_key = {**good, "code": "GBI-A003", "key": {"TIME_PERIOD": "2020"}}
    del by_key["id"]
    assert validate(broken_sum(), waivers=[by_key]).counts["waived"] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"justification": "trop court"}, ("refused", "justification_too_short")),
        ({"by": ""}, ("refused", "author_missing")),
        ({"id": "000000000000"}, ("unmatched", None)),
    ],
)
def test_a_poor_waiver_changes_nothing(
    change: dict[str, str], expected: tuple[str, str | None]
) -> None:
    finding = validate(broken_sum()).findings[0]
    good = {"id": finding.id, "justification": "Double inscription, note 4 de l'annexe", "by": "X"}
    report = validate(broken_sum(), waivers=[{**good, **change}])
    assert (report.waivers[0].status, report.waivers[0].reason) == expected
    assert report.counts["waived"] == 0


def test_a_blocking_finding_is_not_waived() -> None:
    data = statistics({"OBS_VALUE": -4, "TIME_PERIOD": "2021"})
    (finding,) = validate(data).findings
    waiver = {"id": finding.id, "justification": "Une explication assez longue", "by": "X"}
    report = validate(data, waivers=[waiver])
    assert report.waivers[0].status == "refused"
    assert (report.verdict, report.exit_code()) == ("rejected", 1)


def test_two_runs_compare_as_fixed_new_and_persisting() -> None:
    before = validate(broken_sum())
    frame = broken_sum().frame
    frame.loc[3] = {**frame.loc[2].to_dict(), "TIME_PERIOD": "2021", "OBS_VALUE": -1.0}
    moved = {"statistics": frame.iloc[[3, 2, 1, 0]]}
    after = validate(moved, previous=before)
    assert after.comparison is not None
    assert after.comparison["persisting"] == (before.findings[0].id,)
    assert len(after.comparison["new"]) == 1
    repaired = validate({"statistics": frame.iloc[[0, 1]]}, previous=before.to_dict())
    assert repaired.comparison is not None
    assert repaired.comparison["fixed"] == (before.findings[0].id,)


def test_the_payload_follows_the_published_schema_and_is_the_same_twice() -> None:
    finding = validate(broken_sum()).findings[0]
    waiver = {
        "id": finding.id,
        "justification": "Double inscription, note 4 de l'annexe",
        "by": "X",
    }
    for report in (
        validate(broken_sum()),
        validate(broken_sum(), previous=validate(broken_sum()), waivers=[waiver], only=["A"]),
        validate({"statistics": broken_sum().frame[["OBS_VALUE"]]}),
    ):
        payload = json.loads(str(report.to_json()))
        jsonschema.Draft202012Validator(
            contract("validation-report"), format_checker=jsonschema.FormatChecker()
        ).validate(payload)
    assert validate(broken_sum()).to_json() == validate(broken_sum()).to_json()
    assert list(payload) == sorted(payload)


def test_findings_stand_in_order_of_severity_then_place() -> None:
    data = statistics(
        {"SEX": "F", "OBS_VALUE": 432},
        {"SEX": "M", "OBS_VALUE": 420},
        {"SEX": "_T", "OBS_VALUE": 876},
        *({"OBS_VALUE": -1, "TIME_PERIOD": str(y)} for y in range(2030, 2040)),
    )
    report = validate(data, exclude=["G"])
    assert [f.a1 for f in report.findings] == [*(f"E{i}" for i in range(5, 15)), "E4"]
    frame = report.to_frame()
    assert list(frame["SEVERITY"]) == ["blocking"] * 10 + ["warning"]
    assert len({f.id for f in report.findings}) == 11


def test_the_date_decides_the_severity_and_not_the_clock() -> None:
    report = validate(broken_sum())
    assert report.options["as_of"] == "2025-01-01"
    assert validate(broken_sum(), as_of=date(2026, 1, 1)).findings[0].severity == "warning"
    assert validate(broken_sum(), as_of="2020-01-01").findings[0].severity == "info"


def test_plain_frames_are_accepted_and_say_they_are_unverified() -> None:
    report = validate({"statistics": broken_sum().frame})
    assert report.findings[0].a1 == ""
    assert not report.provenance.verified
    with pytest.raises(GbiError) as refused:
        validate(broken_sum().frame)  # type: ignore[arg-type]
    assert refused.value.code == "GBI-E031"


def test_data_are_never_changed() -> None:
    data = broken_sum()
    before = data.frame.copy(deep=True)
    validate(data)
    pd.testing.assert_frame_equal(data.frame, before)


def test_an_empty_table_breaks_no_rule() -> None:
    for table in ("statistics",):
        frame = broken_sum().frame.iloc[:0]
        report = validate({table: frame})
        assert not report.engine_errors
        assert not report.findings
