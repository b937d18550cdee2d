"""Waivers: what a justification lifts, what it never lifts, and what is said about a poor one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Cell, Finding, make_finding
from gbi.validation import read_waivers, validate
from gbi.validation.catalogue import Rule, catalogue
from gbi.validation.waivers import RULE_OF, apply_waivers, exercise_of

RULES = {rule.code: rule for rule in catalogue()}
DAY = date(2026, 3, 1)
WHY = "Double inscription, note 4 de l'annexe"


def finding(code: str = "GBI-A003", severity: str = "warning", **key: str) -> Finding:
    return make_finding(
        code,
        severity=severity,  # type: ignore[arg-type]
        cells=[Cell("f.xlsx", "A", "B2")],
        key=key or {"INDICATOR": "Effectif", "TIME_PERIOD": "2026"},
        field="OBS_VALUE",
    )


def judge(
    waivers: list[dict[str, Any]], findings: list[Finding] | None = None, **options: Any
) -> tuple[list[str], list[tuple[str, str | None]], list[str]]:
    """Return the status of the findings, status and reason of the waivers, and codes of W."""
    found = [finding()] if findings is None else findings
    marked, outcomes, said = apply_waivers(found, waivers, RULES, **{"as_of": DAY, **options})
    return (
        [f.status for f in marked],
        [(w.status, w.reason) for w in outcomes],
        [f.code for f in said],
    )


def good(**change: Any) -> dict[str, Any]:
    return {"id": finding().id, "justification": WHY, "by": "N. Alami", **change}


def test_a_good_waiver_lifts_its_finding_and_nothing_is_said() -> None:
    assert judge([good()]) == (["waived"], [("applied", None)], [])


@pytest.mark.parametrize(
    ("change", "reason", "codes"),
    [
        ({"justification": "trop court"}, "justification_too_short", ["GBI-W001"]),
        ({"justification": "court" + " " * 30}, "justification_too_short", ["GBI-W001"]),
        ({"justification": "court" + "\u200b" * 30}, "justification_too_short", ["GBI-W001"]),
        ({"justification": None}, "justification_too_short", ["GBI-W001"]),
        ({"justification": "x" * 19}, "justification_too_short", ["GBI-W001"]),
        ({"by": "  "}, "author_missing", ["GBI-W002"]),
        ({"by": None, "justification": ""}, "justification_too_short", ["GBI-W001", "GBI-W002"]),
        ({"expires": "2026-02-28"}, "waiver_expired", ["GBI-W003"]),
    ],
)
def test_a_poor_waiver_is_refused_and_every_fault_is_said(
    change: dict[str, Any], reason: str, codes: list[str]
) -> None:
    assert judge([good(**change)]) == (["open"], [("refused", reason)], codes)


def test_twenty_characters_are_enough_and_the_last_day_still_counts() -> None:
    assert judge([good(justification="x" * 20, expires=DAY)])[0] == ["waived"]


@pytest.mark.parametrize(
    ("code", "severity"),
    [("GBI-A003", "blocking"), ("GBI-F010", "warning"), ("GBI-S001", "warning")],
)
def test_what_blocks_and_file_families_are_not_lifted(code: str, severity: str) -> None:
    one = finding(code, severity)
    status, outcome, said = judge([good(id=one.id)], [one])
    assert (status, outcome[0][0], said) == (["open"], "refused", ["GBI-W005"])


@pytest.mark.parametrize("code", ["GBI-F010", "GBI-S001"])
def test_a_file_family_is_not_lifted_even_where_its_rule_says_so(code: str) -> None:
    one = finding(code, "info")
    lenient = {code: Rule({**RULES[code].document, "waivable": True})}
    _, outcomes, _ = apply_waivers([one], [good(id=one.id)], lenient, as_of=DAY)
    assert outcomes[0].reason == "not_waivable"


def test_a_rule_that_is_not_waivable_or_not_known_stays_open() -> None:
    firm = next(r.code for r in RULES.values() if not r.waivable and r.code[4] not in "FS")
    one = finding(firm, "info")
    assert judge([good(id=one.id)], [one])[2] == ["GBI-W005"]
    known = finding()
    _, outcomes, _ = apply_waivers([known], [good()], {}, as_of=DAY)
    assert outcomes[0].reason == "not_waivable"


def test_a_key_names_one_row_or_several_but_never_a_whole_rule() -> None:
    both = [finding(SEX="F", AGE="Y15"), finding(SEX="F", AGE="Y20"), finding(SEX="M", AGE="Y15")]
    waiver = {"code": "GBI-A003", "justification": WHY, "by": "X"}
    assert judge([{**waiver, "key": {"SEX": "F"}}], both)[0] == ["waived", "waived", "open"]
    assert judge([{**waiver, "key": {"SEX": "F", "AGE": "Y20"}}], both)[0][1] == "waived"
    assert judge([{**waiver, "key": {}}], both) == (
        ["open"] * 3,
        [("unmatched", None)],
        ["GBI-W004"],
    )
    assert judge([{**waiver, "code": "GBI-A005", "key": {"SEX": "F"}}], both)[2] == ["GBI-W004"]


def test_an_id_with_another_code_matches_nothing() -> None:
    assert judge([good(code="GBI-A005")])[1] == [("unmatched", None)]
    assert judge([good(code="GBI-A003")])[1] == [("applied", None)]


def test_the_same_finding_justified_twice_is_said_once() -> None:
    status, outcomes, said = judge([good(), good(by="Y")])
    assert (status, said) == (["waived"], ["GBI-W006"])
    assert outcomes == [("applied", None), ("refused", "waiver_twice")]
    by_key = {"code": "GBI-A003", "key": {"TIME_PERIOD": "2026"}, "justification": WHY, "by": "X"}
    assert judge([good(), by_key])[2] == ["GBI-W006"]


def test_a_better_waiver_after_a_refused_one_counts() -> None:
    status, outcomes, said = judge([good(by=""), good()])
    assert (status, said) == (["waived"], ["GBI-W002"])
    assert [o[0] for o in outcomes] == ["refused", "applied"]


def test_a_waiver_ends_with_the_exercise() -> None:
    _, outcomes, said = apply_waivers(
        [finding()], [good(expires="2027-06-30")], RULES, as_of=DAY, exercise=2026
    )
    assert (outcomes[0].status, outcomes[0].reason) == ("applied", "expires_after_exercise")
    assert outcomes[0].until == "2026-12-31"
    (w,) = said
    assert (w.code, w.found, w.expected) == ("GBI-W007", "2027-06-30", "2026-12-31")
    assert judge([good(expires="2027-06-30")], exercise=2027)[2] == []
    assert judge([good(expires="2026-12-31")], exercise=2026)[2] == []
    # A past year that is validated later: the year of the validation counts.
    assert judge([good()], exercise=2024)[0] == ["waived"]


def test_a_day_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(GbiError) as refused:
        judge([good(expires="31/12/2026", file="w.xlsx", sheet="GBI", a1="K4")])
    assert refused.value.code == "GBI-E130"
    assert "w.xlsx › GBI!K4" in str(refused.value.where)


def test_a_waiver_of_a_rule_that_was_not_run_is_not_said_to_match_nothing() -> None:
    other = good(id="0" * 12)
    named = {"code": "GBI-A005", "key": {"SEX": "F"}, "justification": WHY, "by": "X"}
    assert judge([other, named], ran={"GBI-A003"})[2] == []
    assert judge([other, named], ran={"GBI-A005"})[2] == ["GBI-W004"]
    assert judge([other, named])[2] == ["GBI-W004", "GBI-W004"]


def test_findings_about_waivers_point_to_the_cell_and_keep_their_ids() -> None:
    waivers = [good(id="0" * 12, file="retour.xlsx", sheet="GBI", a1="K4")]
    runs = [apply_waivers([finding()], waivers, RULES, as_of=DAY)[2] for _ in range(2)]
    assert str(runs[0][0].cells[0]) == "retour.xlsx › GBI!K4"
    assert runs[0][0].id == runs[1][0].id
    same = [good(id="0" * 12), good(id="1" * 12), good(by="", id="2" * 12)]
    said = apply_waivers([finding()], same, RULES, as_of=DAY)[2]
    assert len({f.id for f in said}) == 3
    again = apply_waivers([finding()], [good(), good(), good()], RULES, as_of=DAY)[2]
    assert [f.code for f in again] == ["GBI-W006", "GBI-W006"]
    assert len({f.id for f in again}) == 2


def test_every_reason_has_its_rule() -> None:
    assert set(RULE_OF.values()) == {c for c in RULES if c[4] == "W" and c[5:] <= "007"}
    assert not any(RULES[c].waivable for c in RULE_OF.values())


@pytest.mark.parametrize(
    ("tables", "year"),
    [
        ({"budget": {"TIME_PERIOD": ["2025", "2026"]}}, 2026),
        (
            {"budget": {"TIME_PERIOD": ["2026", "2028"], "BUDGET_STAGE": ["VOTED", "PROGRAMMED"]}},
            2026,
        ),
        (
            {
                "performance": {
                    "TIME_PERIOD": ["2025", "2026", "2028"],
                    "VALUE_KIND": ["REALISED", "TARGET", "FORECAST"],
                }
            },
            2026,
        ),
        ({"performance": {"TIME_PERIOD": ["2030"]}, "budget": {"TIME_PERIOD": ["2026-Q1"]}}, 2026),
        ({"statistics": {"TIME_PERIOD": ["2030"]}}, None),
        ({"budget": {"OBS_VALUE": [1.0]}}, None),
        ({"budget": {"TIME_PERIOD": [None]}}, None),
        ({}, None),
    ],
)
def test_the_exercise_is_the_last_year_that_is_no_forecast(
    tables: dict[str, dict[str, list[Any]]], year: int | None
) -> None:
    assert exercise_of({name: pd.DataFrame(data) for name, data in tables.items()}) == year


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_a_file_of_waivers_is_read_with_its_name(tmp_path: Path) -> None:
    path = written(
        tmp_path / "w.yaml",
        "waivers:\n- {id: 3f0c9d2a71be, justification: x, by: N, expires: 2026-06-30}\n"
        "- {id: 123456789012, by: N}\n"
        "- code: MEF-A001\n  key: {PROGRAMME: 010, TIME_PERIOD: 2024}\n",
    )
    first, second, third = read_waivers(path)
    assert first == {
        "id": "3f0c9d2a71be", "justification": "x", "by": "N", "expires": "2026-06-30",
        "file": "w.yaml",
    }  # fmt: skip
    assert second["id"] == "123456789012"
    assert third["key"] == {"PROGRAMME": "010", "TIME_PERIOD": 2024}


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("waivers:\n- {id: 3f0c9d2a71be, justifcation: x}\n", "GBI-E003", "w.yaml:2"),
        ("waivers:\n- {justification: x}\n", "GBI-E003", "w.yaml:2"),
        ("waivers:\n- {code: GBI-A003, by: x}\n", "GBI-E003", "w.yaml:2"),
        ("waivers:\n- {id: nothing}\n", "GBI-E003", "w.yaml:2"),
        ("waivers: 3\n", "GBI-E003", "w.yaml:1"),
        ("", "GBI-E003", "w.yaml:1"),
        ("waivers: [\n", "GBI-E002", "w.yaml"),
        ("waivers:\n- {id: 3f0c9d2a71be, expires: 2026-02-30}\n", "GBI-E130", "waivers 1"),
    ],
)
def test_a_faulty_file_of_waivers_is_refused_with_its_line(
    tmp_path: Path, content: str, code: str, said: str
) -> None:
    with pytest.raises(GbiError) as refused:
        read_waivers(written(tmp_path / "w.yaml", content))
    assert refused.value.code == code
    assert said in str(refused.value.where)


def test_a_missing_or_foreign_file_of_waivers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as refused:
        read_waivers(tmp_path / "none.yaml")
    assert refused.value.code == "GBI-E060"
    (tmp_path / "w.yaml").write_bytes(b"waivers: [\xff\xfe]")
    with pytest.raises(GbiError) as refused:
        read_waivers(tmp_path / "w.yaml")
    assert (refused.value.code, refused.value.exit_code) == ("GBI-E064", 3)


def test_the_report_carries_what_was_said_about_waivers() -> None:
    rows = [("F", 432.0), ("M", 420.0), ("_T", 876.0)]
    frame = pd.DataFrame(
        {
            "INDICATOR": "Effectif", "TIME_PERIOD": "2020", "REF_AREA": "MA", "OBS_STATUS": "A",
            "SOURCE": "HCP", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
            "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 3, "DECIMALS": 0,
            "SEX": [r[0] for r in rows], "OBS_VALUE": [r[1] for r in rows],
        }
    )  # fmt: skip
    data = Dataset(frame, "statistics")
    (found,) = validate(data).findings
    stale = {"id": "0" * 12, "justification": WHY, "by": "X"}
    report = validate(data, waivers=[{**stale, "id": found.id}, stale])
    assert {f.code: f.status for f in report.findings} == {
        "GBI-A003": "waived",
        "GBI-W004": "open",
    }
    by_code = {r.code: r.status for r in report.rules}
    assert (by_code["GBI-W004"], by_code["GBI-W001"]) == ("failed", "passed")
    assert {r.code: r.status for r in validate(data).rules}["GBI-W004"] == "not_applicable"
