"""``gbi compare`` and ``gbi verify`` of a receipt, as they are typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import gbi
from gbi.resources import resource_path
from gbi.validation.receipt import receipt

from .conftest import Ended

pytestmark = pytest.mark.slow

Command = Callable[..., Ended]
STATISTICS = "statistiques_nationales_rbg2025.csv"
SCHOOLS = "ecoles_regions_2024.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small folder: the two text files of the sample that read fastest."""
    target = tmp_path / "envoi"
    target.mkdir()
    for name in (STATISTICS, SCHOOLS):
        shutil.copy(resource_path("samples", "maroc-plf2025", name), target / name)
    return target


def alter(folder: Path) -> None:
    path = folder / STATISTICS
    content = path.read_text(encoding="utf-8")
    assert "2016,34487.0" in content
    path.write_text(content.replace("2016,34487.0", "2016,34999.0", 1), encoding="utf-8")


def test_compare_two_folders(gbi_command: Command, folder: Path, tmp_path: Path) -> None:
    new = tmp_path / "nouveau"
    shutil.copytree(folder, new)
    alter(new)
    target = tmp_path / "c.json"
    ended = gbi_command("compare", folder, new, "--lang", "en", "--json", target)
    assert (ended.code, ended.err) == (0, "")
    assert f"{STATISTICS} › E3: 34487 → 34999" in ended.out
    assert "New findings: 1" in ended.out
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["schema"] == "gbi-comparison/1"
    assert [c["a1"] for c in written["cells_changed"]] == ["E3"]


def test_compare_a_report_with_a_folder(gbi_command: Command, folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "v.json"
    gbi_command("validate", folder, "--json", report)
    same = gbi_command("compare", report, folder, "--lang", "fr")
    assert same.code == 0
    assert "Constats nouveaux\u00a0: 0" in same.out
    assert "un des côtés est un rapport" in same.out


def test_compare_what_is_missing_or_damaged(
    gbi_command: Command, folder: Path, tmp_path: Path
) -> None:
    assert gbi_command("compare", folder).code == 2
    assert gbi_command("compare", folder, tmp_path / "none").code == 2
    damaged = tmp_path / "d.json"
    damaged.write_text('{"report": {"schema": "gbi-validation/1"}}', encoding="utf-8")
    ended = gbi_command("compare", damaged, folder)
    assert ended.code == 3
    assert "GBI-E131" in ended.err


@pytest.fixture
def filed(folder: Path, tmp_path: Path) -> Path:
    """Return the receipt of a filing with a waiver, beside its report."""
    submission = gbi.read_submission(folder)
    warned = [f for f in gbi.validate(submission).findings if f.code == "GBI-A003"]
    waiver = {"justification": "Une explication assez longue", "by": "X"}
    waivers = [  # held too long; expired on the day of the validation, not on the rules' first day
        {**waiver, "id": warned[0].id, "expires": "2099-01-01"},
        {**waiver, "id": warned[1].id, "expires": "2025-06-30"},
    ]
    report = gbi.validate(submission, waivers=waivers, as_of="2026-03-01", exclude=["G"])
    assert [w.status for w in report.waivers] == ["applied", "refused"]
    out = tmp_path / "sortie"
    out.mkdir()
    report.to_json(out / "validation.json")
    made = receipt(report, outputs={"validation.json": out / "validation.json"})
    return made.write(out / "envoi.recu.json", lang="fr")[0]


def test_verify_a_receipt(gbi_command: Command, filed: Path, folder: Path) -> None:
    assert json.loads(filed.read_text(encoding="utf-8"))["counts"]["waived"] >= 1
    for words in ((), ("--sources", folder), ("--sources", folder, "--rerun")):
        ended = gbi_command("verify", filed, *words)
        assert (ended.code, ended.err) == (0, ""), ended.out
        assert "2026-12-31" in ended.out
    assert (
        "nouveau contrôle"
        in gbi_command("verify", filed, "--sources", folder, "--rerun", "--lang", "fr").out
    )


def test_other_files_beside_those_that_were_filed_change_nothing(
    gbi_command: Command, filed: Path, folder: Path
) -> None:
    (folder / "note.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    ended = gbi_command("verify", filed, "--sources", folder, "--rerun")
    assert ended.code == 0, ended.out + ended.err


def test_verify_sees_changed_and_missing_sources(
    gbi_command: Command, filed: Path, folder: Path
) -> None:
    alter(folder)
    (folder / SCHOOLS).rename(folder / "autre.csv")
    assert gbi_command("verify", filed).code == 0
    ended = gbi_command("verify", filed, "--sources", folder)
    assert ended.code == 1
    assert STATISTICS in ended.out
    assert SCHOOLS in ended.out


def test_verify_by_validating_again_sees_another_outcome(
    gbi_command: Command, filed: Path, folder: Path
) -> None:
    alter(folder)
    (folder / "note.csv").write_text("a,b\n1,2\n", encoding="utf-8")  # not part of the filing
    ended = gbi_command("verify", filed, "--sources", folder, "--rerun", "--lang", "en")
    assert ended.code == 1
    assert "the findings are not the same" in ended.out


def test_validating_again_needs_the_sources(gbi_command: Command, filed: Path) -> None:
    ended = gbi_command("verify", filed, "--rerun")
    assert ended.code == 2
    assert "GBI-E133" in ended.err


def test_verify_what_is_no_receipt(gbi_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "x.recu.json"
    path.write_text("{}", encoding="utf-8")
    assert gbi_command("verify", path).code == 3
    assert gbi_command("verify", tmp_path / "none.recu.json").code == 2


@pytest.mark.slow
def test_verify_a_bundle_by_validating_again(
    gbi_command: Command, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "rapport"
    gbi_command("run", folder, "--out", out, "--fail-on", "never")
    ended = gbi_command("verify", out, "--sources", folder, "--rerun")
    assert ended.code == 0, ended.out + ended.err
    alter(folder)
    ended = gbi_command("verify", out, "--sources", folder, "--rerun", "--lang", "en")
    assert ended.code == 1
    assert "the findings are not the same" in ended.out
    assert gbi_command("compare", out, folder, "--lang", "en").out.count("New findings: 1") == 1
