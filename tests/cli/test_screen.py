"""The screen that ends a run, from a bundle made by hand."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gbi.cli.job import screen
from gbi.language import language, texts


def finding(code: str, severity: str, status: str = "open") -> Any:
    title = {"title": f"Titre {code}"}
    return SimpleNamespace(
        code=code,
        severity=severity,
        status=status,
        message=dict.fromkeys(("fr", "ar", "en"), title),
    )


@pytest.fixture
def bundle() -> Any:
    shown = dict.fromkeys(("fr", "ar", "en"), "449,5")
    return SimpleNamespace(
        counts={"blocking": 1, "warning": 2, "info": 0, "waived": 1},
        validation=SimpleNamespace(
            findings=(
                finding("GBI-A003", "warning"),
                finding("GBI-A003", "warning"),
                finding("GBI-T001", "blocking"),
                finding("GBI-P005", "warning", "waived"),
            )
        ),
        document={
            "title": texts("report.title"),
            "verdict": {"label": texts("report.verdict.rejected")},
            "key_figures": [{"label": texts("report.key_figures.credits"), "display": shown}],
            "submission": {
                "files": [
                    {"name": "a.xlsx", "status": "read", "table": "budget", "rows": 234},
                    {"name": "b.csv", "status": "unknown", "table": None, "rows": 0},
                ]
            },
        },
    )


def test_the_gravest_rules_stand_first_and_waived_findings_are_not_listed(
    bundle: Any, tmp_path: Path
) -> None:
    with language("fr"):
        lines = screen(bundle, tmp_path).splitlines()
    codes = [m[0] for line in lines if (m := re.search(r"GBI-[A-Z]\d{3}", line))]
    assert codes == ["GBI-T001", "GBI-A003"]
    assert any(line.split() == ["a.xlsx", "crédits", "budgétaires", "lignes", ":", "234"]
               for line in lines)  # fmt: skip
    assert any("b.csv" in line and "non reconnu" in line for line in lines)
    assert "Verdict\u00a0: À corriger avant acceptation" in lines


def test_only_files_that_are_there_are_named(bundle: Any, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("x", encoding="utf-8")
    with language("en"):
        shown = screen(bundle, tmp_path)
    assert str(tmp_path / "report.html") in shown
    assert "findings.xlsx" not in shown


def test_a_run_without_findings_says_so(bundle: Any, tmp_path: Path) -> None:
    bundle.counts = dict.fromkeys(bundle.counts, 0)
    bundle.validation.findings = ()
    with language("en"):
        assert "No findings" in screen(bundle, tmp_path)


def test_many_rules_are_cut_and_counted(bundle: Any, tmp_path: Path) -> None:
    bundle.validation.findings = tuple(finding(f"GBI-G{n:03}", "info") for n in range(20))
    with language("en"):
        assert "… other rules with findings: 8" in screen(bundle, tmp_path)
