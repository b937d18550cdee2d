"""The sample: every planted-by-nobody defect is found at its cell, the clean tables stay clean."""

from __future__ import annotations

import csv
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from gbi.findings import Finding
from gbi.ingest import read_submission
from gbi.resources import resource_path
from gbi.validation import ValidationReport, validate

# How many findings each rule has; every one stands with its cell in sample_findings.csv.
EXPECTED = {
    "GBI-A003": 2,
    "GBI-A005": 2,
    "GBI-A007": 1,
    "GBI-A009": 1,
    "GBI-G001": 3,
    "GBI-G002": 42,
    "GBI-G008": 1,
    "GBI-G010": 1,
    "GBI-G011": 2,
    "GBI-G014": 1,
    "GBI-G021": 5,
    "GBI-G022": 34,
    "GBI-G023": 37,
    "GBI-G024": 22,
    "GBI-G025": 8,
    "GBI-G027": 16,
    "GBI-G028": 2,
    "GBI-G029": 6,
    "GBI-G030": 1,
    "GBI-G031": 3,
    "GBI-G061": 25,
    "GBI-P003": 1,
    "GBI-P005": 10,
    "GBI-P009": 3,
    "GBI-S007": 23,
}
CLEAN = ("GBI-A021", "GBI-A022", "GBI-A023", "GBI-G041", "GBI-G043", "GBI-G044", "GBI-G046",
         "GBI-S001", "GBI-S004", "GBI-S006", "GBI-P004", "GBI-P007", "GBI-P008")  # fmt: skip


@lru_cache(maxsize=1)
def report() -> ValidationReport:
    return validate(read_submission(resource_path("samples", "maroc-plf2025")))


def found(code: str) -> list[Finding]:
    return [f for f in report().findings if f.code == code]


@pytest.mark.parametrize(("code", "count"), EXPECTED.items())
def test_counts(code: str, count: int) -> None:
    assert len(found(code)) == count


def test_no_other_rule_has_a_finding() -> None:
    assert Counter(f.code for f in report().unmasked()) == EXPECTED
    assert sum(report().counts.values()) == sum(EXPECTED.values())


def test_every_finding_stands_in_its_cell() -> None:
    path = Path(__file__).with_name("sample_findings.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        listed = Counter(tuple(row.values()) for row in csv.DictReader(handle))
    found = Counter((f.code, f.file, f.sheet, f.a1) for f in report().unmasked())
    assert found - listed == Counter()
    assert listed - found == Counter()


@pytest.mark.parametrize("code", CLEAN)
def test_clean_tables_stay_clean(code: str) -> None:
    outcome = next(r for r in report().rules if r.code == code)
    assert outcome.status == "passed", found(code)[:3]
    assert outcome.checked > 0


def test_nothing_breaks_off_and_nothing_is_left_out() -> None:
    assert report().engine_errors == ()
    assert report().not_run == ()
    assert report().verdict == "rejected"  # 16 series have no declared direction


def test_blocking_findings_are_the_directions_alone() -> None:
    blocking = Counter(f.code for f in report().findings if f.severity == "blocking")
    assert blocking == {"GBI-G027": 16}


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("GBI-A003", {(876.0, 852.0), (922.0, 886.0)}),
        ("GBI-A005", {(438.0, 86.0), (483.0, 88.0)}),
        ("GBI-G008", {(16.0, 21.0)}),
    ],
)
def test_what_was_seen_and_what_was_expected(code: str, values: set[tuple[float, float]]) -> None:
    assert {(f.found, f.expected) for f in found(code)} == values
    assert {f.severity for f in found(code)} == {"warning"}


def test_the_age_structure_of_2016_adds_to_93_2() -> None:
    (finding,) = found("GBI-A007")
    assert finding.found == pytest.approx(93.2)
    assert finding.key["TIME_PERIOD"] == "2016"
    assert len(finding.cells) == 4


def test_the_parity_index_of_the_college() -> None:
    (finding,) = found("GBI-A009")
    assert finding.found == 0.95
    assert finding.expected == pytest.approx(80.7 / 74.7)
    assert len(finding.cells) == 3


def test_repeated_values() -> None:
    assert {f.found for f in found("GBI-G028")} == {81.0, 420.0}
    assert all(len(f.cells) == 3 for f in found("GBI-G028"))


def test_isolated_jumps_and_contradicted_rates() -> None:
    jumps = {f.found for f in found("GBI-G029") if f.tolerance is None}
    assert jumps == {3.8, 44.0}
    contradicted = {
        (f.key["TIME_PERIOD"], f.key.get("URBANISATION"))
        for f in found("GBI-G029")
        if f.tolerance is not None
    }
    assert {("2020", "U"), ("2021", "U")} <= contradicted
    assert all(period in ("2018", "2020", "2021") for period, _ in contradicted)


def test_the_definition_of_feminisation_breaks_in_2023() -> None:
    (finding,) = found("GBI-G030")
    assert finding.found == pytest.approx(99.9)
    assert len(finding.cells) == 4


def test_targets_that_fall_short() -> None:
    up = [f for f in found("GBI-G023") if (f.difference or 0) < 0]
    assert (len(up), len(found("GBI-G023")) - len(up)) == (36, 1)


def test_every_finding_has_a_place_and_words() -> None:
    for finding in report().findings:
        assert finding.file
        assert finding.a1 or finding.scope in ("file", "submission", "table")
        assert all(finding.message[x]["seen"] for x in ("fr", "ar", "en"))
    assert len({f.id for f in report().findings}) == len(report().findings)
