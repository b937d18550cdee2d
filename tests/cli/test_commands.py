"""The commands, each on real files: what they say, what they write, how they end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gbi.cli import doctor
from gbi.findings import rule_document
from gbi.resources import resource_path
from gbi.validation import rules

Command = Callable[..., Any]
BUDGET = "repartition_ministeres_plf2025.xlsx"


@pytest.fixture
def budget(tmp_path: Path, sample_dir: Path) -> Path:
    """A folder that holds the budget workbook alone."""
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(sample_dir / BUDGET, folder / BUDGET)
    return folder


@pytest.fixture
def broken(budget: Path) -> Path:
    """The same folder with a text in an amount."""
    book = openpyxl.load_workbook(budget / BUDGET)
    book.active["B6"] = "abc"
    book.save(budget / BUDGET)
    return budget


def test_demo_says_where_the_report_lies_and_ends_well(
    gbi_command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    ended = gbi_command("demo", "--out", out, "--lang", "fr")
    assert ended.code == 0
    assert str(out / "report.html") in ended.out
    assert "Verdict" in ended.out
    assert "449,5" in ended.out
    assert ended.err == ""
    status = json.loads((out / "status.json").read_text(encoding="utf-8"))
    assert status["verdict"]


@pytest.mark.slow
def test_demo_writes_beside_by_default(
    gbi_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gbi_command("demo").code == 0
    assert (tmp_path / "gbi-demo" / "bundle.json").is_file()


@pytest.mark.slow
def test_run_ends_by_the_verdict(gbi_command: Command, broken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = gbi_command("run", broken, "--out", out)
    assert ended.code == 1
    assert "GBI-T001" in ended.out
    status = json.loads((out / "status.json").read_text(encoding="utf-8"))
    assert status["exit_code"] == 1
    assert (out / "report.html").is_file()
    assert gbi_command("run", broken, "--out", out, "--fail-on", "never").code == 0


def test_a_folder_that_is_not_there_ends_with_2_and_writes_nothing(
    gbi_command: Command, tmp_path: Path
) -> None:
    ended = gbi_command("run", tmp_path / "absent", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "absent" in ended.err
    assert not (tmp_path / "out").exists()


def test_validate_names_the_cell(gbi_command: Command, broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "findings.json"
    ended = gbi_command("validate", broken, "--json", target)
    assert ended.code == 1
    assert "GBI-T001" in ended.out
    assert "B6" in ended.out
    report = json.loads(target.read_text(encoding="utf-8"))
    assert any(f["code"] == "GBI-T001" and f["a1"] == "B6" for f in report["findings"])


def test_validate_reads_a_file_by_itself(gbi_command: Command, broken: Path) -> None:
    ended = gbi_command("validate", broken / BUDGET)
    assert ended.code == 1
    assert "B6" in ended.out


def test_validate_joins_several_paths(
    gbi_command: Command, broken: Path, sample_dir: Path, tmp_path: Path
) -> None:
    target = tmp_path / "f.json"
    marking = sample_dir / "marquage_jeunesse_lf2024.xlsx"
    gbi_command("validate", broken / BUDGET, marking, "--json", target)
    report = json.loads(target.read_text(encoding="utf-8"))
    assert {f["name"] for f in report["files"]} == {BUDGET, marking.name}
    assert set(report["submission"]["tables"]) == {"budget", "marking"}


def test_validate_a_missing_path_ends_with_2(gbi_command: Command, tmp_path: Path) -> None:
    ended = gbi_command("validate", tmp_path / "absent.xlsx")
    assert ended.code == 2
    assert "absent.xlsx" in ended.err


def test_validate_an_unreadable_file_ends_with_3(gbi_command: Command, tmp_path: Path) -> None:
    path = tmp_path / BUDGET
    path.write_bytes(b"PK\x03\x04 this is no workbook")
    ended = gbi_command("validate", path)
    assert ended.code == 3
    assert BUDGET in ended.err


def test_rules_are_lines_in_a_pipe(gbi_command: Command) -> None:
    lines = gbi_command("rules", "--lang", "en").out.splitlines()
    assert len(lines) == len(rules())
    assert all(len(line.split("\t")) == 4 for line in lines)


@pytest.mark.parametrize("code", rules()["CODE"].tolist())
@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_every_rule_can_be_explained(gbi_command: Command, code: str, lang: str) -> None:
    ended = gbi_command("explain", code, "--lang", lang)
    rule = rule_document(code)
    assert ended.code == 0
    assert rule["messages"][lang]["title"] in ended.out
    assert rule["why"][lang] in ended.out
    assert "{" not in ended.out


def test_a_code_may_be_short(gbi_command: Command) -> None:
    assert gbi_command("explain", "a021").out == gbi_command("explain", "GBI-A021").out


def test_an_unknown_code_is_answered_with_a_near_one(gbi_command: Command) -> None:
    ended = gbi_command("explain", "GBI-A0211")
    assert ended.code == 2
    assert "GBI-E004" in ended.err
    assert "GBI-A021" in ended.err


def test_verify_sees_a_changed_page_and_a_changed_source(
    gbi_command: Command, budget: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    gbi_command("run", budget, "--out", out)
    same = gbi_command("verify", out, "--sources", budget)
    assert same.code == 0
    page = out / "report.html"
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    changed = gbi_command("verify", out)
    assert changed.code == 1
    assert "report.html" in changed.out
    (budget / BUDGET).write_bytes(b"other")
    assert BUDGET in gbi_command("verify", out, "--sources", budget).out


def test_verify_what_is_no_bundle_ends_with_2(gbi_command: Command, tmp_path: Path) -> None:
    assert gbi_command("verify", tmp_path).code == 2


def test_doctor_finds_this_environment_well(gbi_command: Command) -> None:
    ended = gbi_command("doctor", "--lang", "en")
    assert ended.code == 0, ended.out
    assert "pandas" in ended.out
    assert "The installation is complete." in ended.out


def test_doctor_sees_missing_data(
    gbi_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def empty(*parts: str) -> Path:
        return tmp_path if "rules" in parts else resource_path(*parts)

    monkeypatch.setattr(doctor, "resource_path", empty)
    ended = gbi_command("doctor", "--lang", "en")
    assert ended.code == 1
    assert "missing" in ended.out
