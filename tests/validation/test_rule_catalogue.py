"""The rule files: complete, allocated once, in three languages, their examples executed."""

from __future__ import annotations

import csv
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gbi.errors import GbiError
from gbi.findings import Finding, make_finding
from gbi.resources import read_document, resource_path
from gbi.validation import rules
from gbi.validation.catalogue import INTAKE, OUTSIDE, Rule, catalogue
from gbi.validation.examples import HEADING_ROWS, execute
from gbi.validation.lint import operator_parameters
from gbi.validation.operators import OPERATORS

RULES = {rule.code: rule for rule in catalogue()}
OWN = [c for c, r in RULES.items() if r.operator not in OUTSIDE]
LANGUAGES = ("fr", "ar", "en")
PARTS = ("title", "seen", "expected", "fix")
LETTERS, FIRST = string.ascii_uppercase, HEADING_ROWS + 1  # of the cells of an example
# What every finding can show, and what single operators or intake findings add.
COMMON = {"found", "expected", "difference", "tolerance", "unit", "suggestion", "field", "cell",
          "sheet", "file", "cells", "key"}  # fmt: skip
ADDED = {
    "unit_scale": {"factor"},
    "between_groups": {"lower", "upper"},
    "ratio_matches": {"numerator", "denominator"},
    "counterpart_required": {"other"},
    "target_against_value": {"realised", "target", "period", "base_period"},
    "repeated_value": {"n"},
    "isolated_jump": {"about"},
    "closes_once": {"usual", "period"},
    "weighted_amount": {"weight"},
    "lowest_mark": {"grid", "share"},
    "band_gap": {"share", "low", "high"},
    "consistent_with": {"n"},
    "within_columns": {"lower", "upper"},
    "member_order": {"stage", "ceiling"},
    "only_member": {"n"},
    "text_says": {"n"},
    "parent_unit": {"title"},
    "gap_widens": {"women", "men", "women_before", "men_before", "period"},
    "listed_elsewhere": {"period"},
    "totals_elsewhere": {"programme"},
    "restated": {"before", "period"},
    "label_drift": {"own_code"},
    "series_dropped": {"n"},
    "line_shift": {"factor"},
    "unit_changed": {"factor"},
    "level_shift": {"period"},
    "copied_block": {"n", "period", "before"},
    "history_outlier": {"n"},
    "known_codes": {"label", "list"},
    "codes_in_force": {"period"},
    "thousandfold": {"factor"},
    "round_numbers": {"n"},
    "sex_pairs": {"n"},
    "peers_outlier": {"n"},
    "growth": {"factor", "period", "base_period"},
    "extreme_share": {"n"},
    INTAKE: {"limit", "value"},
}


def rows_of(finding: Finding, example: Mapping[str, Any]) -> list[int]:
    """Return the positions of a finding's parties in the example's table, without its totals."""
    cells = (c.a1 for c in finding.cells if c.file == example["table"])
    rows = {int(a1.lstrip(LETTERS)) - FIRST for a1 in cells}
    return sorted(r for r in rows if r < len(example["rows"]))


@pytest.mark.parametrize("code", OWN)
def test_examples_that_must_fail_find_this_rule_and_no_other(code: str) -> None:
    for example in RULES[code].document["examples"]["fail"]:
        report = execute(example)
        assert not report.engine_errors
        assert {f.code for f in report.findings} == {code}
        if "at" in example:
            found = sorted(rows_of(f, example) for f in report.findings)
            assert found == sorted(sorted(group) for group in example["at"])


@pytest.mark.parametrize("code", OWN)
def test_examples_that_must_pass_find_nothing_and_are_looked_at(code: str) -> None:
    """A pass is only worth something if some example was really examined."""
    looked = 0
    for example in RULES[code].document["examples"]["pass"]:
        report = execute(example)
        assert not report.engine_errors
        assert [f.code for f in report.findings] == []
        mine = next(r for r in report.rules if r.code == code)
        assert mine.status == "passed"
        looked += mine.checked
    assert looked > 0


def test_every_code_is_allocated_once_and_every_file_is_allocated() -> None:
    path = resource_path("schemas", "rules", "ALLOCATED.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    codes = [r["code"] for r in rows]
    slugs = [r["slug"] for r in rows]
    assert len(codes) == len(set(codes))
    assert len(slugs) == len(set(slugs))
    assert codes == sorted(codes)
    allocated = {r["code"]: (r["slug"], r["since"]) for r in rows}
    for code, rule in RULES.items():
        assert allocated[code] == (rule.slug, rule.document["since"])
    retired = {c: r for c, r in RULES.items() if "until" in r.document}
    assert set(codes) - set(RULES) <= set(retired)


def test_a_file_stands_under_its_family_and_its_own_code() -> None:
    root = resource_path("schemas", "rules")
    for path in root.rglob("*.yaml"):
        code = read_document(path, "rule")["code"]
        assert path.relative_to(root).as_posix() == f"{code[4]}/{code}.yaml"


@pytest.mark.parametrize("code", list(RULES))
def test_words_are_complete_and_show_the_same_in_three_languages(code: str) -> None:
    messages = RULES[code].document["messages"]
    allowed = COMMON | ADDED.get(RULES[code].operator, set())
    for part in PARTS:
        names = {
            lang: {n for _, n, _, _ in string.Formatter().parse(messages[lang][part]) if n}
            for lang in LANGUAGES
        }
        assert names["fr"] == names["ar"] == names["en"], (code, part)
        assert names["fr"] <= allowed, (code, part, names["fr"] - allowed)
    assert all(len(messages[lang]["title"]) <= 70 for lang in LANGUAGES)
    assert len({messages[lang]["title"] for lang in LANGUAGES}) == 3


@pytest.mark.parametrize("code", [c for c in RULES if RULES[c].operator in OUTSIDE])
def test_intake_words_can_be_filled(code: str) -> None:
    extra = dict.fromkeys(ADDED[INTAKE], 1)
    finding = make_finding(code, severity="info", cells=(), found="x", expected="y", **extra)
    assert all(finding.message[lang][part] for lang in LANGUAGES for part in PARTS)


def test_operators_are_a_closed_set_that_the_rule_schema_knows() -> None:
    from gbi.resources import contract

    known = set(contract("rule")["properties"]["operator"]["enum"])
    assert known == {*OPERATORS, *OUTSIDE}
    used = {r.operator for r in RULES.values()}
    assert used == known
    assert [name for name in (*OPERATORS, *OUTSIDE) if operator_parameters(name) is None] == []


def test_an_unknown_parameter_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    document = yaml.safe_load(
        resource_path("schemas", "rules", "G", "GBI-G025.yaml").read_text(encoding="utf-8")
    )
    for name, params in (
        ("misspelt", {"relation": "jump", "factr": 3}),
        ("incomplete", {"relation": "jump"}),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_text(
            yaml.safe_dump({**document, "params": params}, allow_unicode=True), encoding="utf-8"
        )
        with pytest.raises(GbiError) as refused:
            read_document(path, "rule")
        assert refused.value.code == "GBI-E003"


def test_severity_is_dated_and_milder_for_figures_quoted_from_others() -> None:
    from datetime import date

    day = date(2025, 6, 1)
    for code in ("GBI-A003", "GBI-A005", "GBI-A007"):
        assert RULES[code].severity("population", day) == "blocking"
        assert RULES[code].severity("statistics", day) == "warning"
        assert RULES[code].waivable
    assert RULES["GBI-A021"].severity("budget", day) == "blocking"


def test_the_catalogue_is_a_table() -> None:
    table = rules()
    assert len(table) == len(RULES) == table["CODE"].nunique()
    assert list(table.columns[:5]) == ["CODE", "SLUG", "SEVERITY", "TABLES", "TITLE_FR"]
    row = table.set_index("CODE").loc["GBI-A003"]
    assert row["SEVERITY"] == "blocking; statistics: warning"
    assert row["REFERENCES"] == "D-03"
    assert not table["REVIEWED"].any()
    assert isinstance(catalogue()[0], Rule)
