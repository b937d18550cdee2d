"""SARIF: valid, complete, and its references point to what they name."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jsonschema
import pytest

from gbi.findings import Cell
from gbi.report import sarif

if TYPE_CHECKING:
    from gbi.validation import ValidationReport

# Narrower than the schema of OASIS: written from the standard, of the parts that gbi writes.
SCHEMA = json.loads((Path(__file__).parent / "sarif-parts.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.fixture(scope="module")
def log(report: ValidationReport) -> dict[str, Any]:
    """The log in French."""
    return json.loads(sarif.sarif_json(report, lang="fr"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_the_log_follows_the_schema(report: ValidationReport, lang: str) -> None:
    VALIDATOR.check_schema(SCHEMA)
    VALIDATOR.validate(sarif.sarif_log(report, lang=lang))


def test_the_schema_refuses_what_sarif_does_not_know(log: dict[str, Any]) -> None:
    for path, key, value in (
        (("runs", 0), "verdict", "rejected"),
        (("runs", 0, "results", 0), "level", "blocking"),
        (("runs", 0, "results", 0, "message"), "fr", "…"),
        (("runs", 0, "invocations", 0), "executionSuccessful", "no"),
    ):
        broken = copy.deepcopy(log)
        node: Any = broken
        for step in path:
            node = node[step]
        node[key] = value
        assert not VALIDATOR.is_valid(broken)


def test_results_are_the_findings(report: ValidationReport, log: dict[str, Any]) -> None:
    run = log["runs"][0]
    level = {"blocking": "error", "warning": "warning", "info": "note"}
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == [r.code for r in report.rules]
    for result, finding in zip(run["results"], report.findings, strict=True):
        assert result["ruleId"] == finding.code
        assert rules[result["ruleIndex"]]["id"] == finding.code
        assert result["level"] == level[finding.severity]
        assert result["partialFingerprints"] == {"gbiFinding/v1": finding.id}
        where = result["locations"][0]
        uri = where["physicalLocation"]["artifactLocation"]["uri"]
        assert unquote(uri) == finding.file
        name = where["logicalLocations"][0]["fullyQualifiedName"]
        assert name == (f"{finding.sheet}!{finding.a1}" if finding.sheet else finding.a1)
        parties = {c["logicalLocations"][0]["name"] for c in result.get("relatedLocations", ())}
        assert parties == {c.a1 for c in finding.cells} - {finding.a1}
    assert run["properties"]["truncation"] == report.truncation


def test_addresses_are_relative_and_encoded() -> None:
    location = sarif._location(Cell("dossier\\budget: été 2024.xlsx", "Feuille 1", "C7"))
    assert location["physicalLocation"]["artifactLocation"]["uri"] == (
        "dossier/budget%3A%20%C3%A9t%C3%A9%202024.xlsx"
    )
    line = sarif._location(Cell("a.csv", "", "C7"))["physicalLocation"]["region"]
    assert line == {"startLine": 7}


def test_waivers_are_suppressions_on_every_result_or_on_none(
    report: ValidationReport, log: dict[str, Any], justified: str
) -> None:
    results = log["runs"][0]["results"]
    waived = {f.id for f in report.findings if f.status == "waived"}
    assert len(waived) == 2
    for result in results:
        accepted = [s for s in result["suppressions"] if s["status"] == "accepted"]
        assert bool(accepted) == (result["partialFingerprints"]["gbiFinding/v1"] in waived)
        assert all(s["justification"] == justified for s in accepted)
    bare = sarif.sarif_log(dataclasses.replace(report, waivers=()))
    assert not [r for r in bare["runs"][0]["results"] if "suppressions" in r]


def test_what_was_not_looked_at_is_a_notification(
    report: ValidationReport, log: dict[str, Any]
) -> None:
    invocation = log["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    notes = invocation["toolExecutionNotifications"]
    by_kind = {k: [n for n in notes if n["descriptor"]["id"] == k] for k in sarif._NOTICES}
    assert [n["associatedRule"]["id"] for n in by_kind["GBI-ENGINE-ERROR"]] == ["GBI-A007"]
    assert len(by_kind["GBI-NOT-RUN"]) == len(report.not_run)
    assert any("SEX" in n["message"]["text"] for n in by_kind["GBI-NOT-RUN"])
    described = [n["id"] for n in log["runs"][0]["tool"]["driver"]["notifications"]]
    assert all(described[n["descriptor"]["index"]] == n["descriptor"]["id"] for n in notes)


def test_what_is_left_out_is_told(report: ValidationReport, truncated: ValidationReport) -> None:
    def told(of: ValidationReport) -> list[str]:
        (invocation,) = sarif.sarif_log(of)["runs"][0]["invocations"]
        notes = invocation["toolExecutionNotifications"]
        return [n["message"]["text"] for n in notes if n["descriptor"]["id"] == "GBI-TRUNCATED"]

    assert told(report) == []
    (text,) = told(truncated)
    assert all(str(n) in text for n in truncated.truncation.values())


def test_a_comparison_is_the_baseline(report: ValidationReport, log: dict[str, Any]) -> None:
    assert report.comparison is not None
    states = {r["baselineState"] for r in log["runs"][0]["results"]}
    assert states == {"unchanged"}


def test_help_is_in_french_and_english_without_placeholders(log: dict[str, Any]) -> None:
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        assert rule["help"]["text"].startswith("[fr] ")
        assert "[en] " in rule["help"]["text"]
        assert "{" not in rule["help"]["text"] + rule["fullDescription"]["text"]
