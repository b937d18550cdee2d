"""The main job on the sample: the figures that the issue names, from the workbooks alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import jsonschema
import openpyxl
import pytest

from gbi.pipeline import run
from gbi.report import ReportBundle
from gbi.resources import contract

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gbi.pipeline import demo

    out = tmp_path_factory.mktemp("demo")
    demo(out, lang="fr")
    return out


def tables(folder: Path) -> dict[str, Any]:
    bundle = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    return {t["id"]: t for t in bundle["tables"]}


def test_everything_is_written(demo_folder: Path) -> None:
    names = {p.relative_to(demo_folder).as_posix() for p in demo_folder.rglob("*") if p.is_file()}
    assert {
        "bundle.json",
        "report.html",
        "validation.json",
        "findings.xlsx",
        "status.json",
    } <= names
    assert sum(n.endswith(".svg") for n in names) == 4
    assert sum(n.endswith(".png") for n in names) == 4
    assert not [n for n in names if n.startswith(".") or n.endswith(".tmp")]


def test_the_bundle_follows_its_published_schema(demo_folder: Path) -> None:
    bundle = json.loads((demo_folder / "bundle.json").read_text(encoding="utf-8"))
    jsonschema.validate(bundle, contract("bundle"))
    report = json.loads((demo_folder / "validation.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, contract("validation-report"))
    status = json.loads((demo_folder / "status.json").read_text(encoding="utf-8"))
    jsonschema.validate(status, contract("status"))
    assert all(len(f["alt"][lang]) >= 20 for f in bundle["figures"] for lang in ("fr", "ar", "en"))


@pytest.mark.slow
def test_a_second_run_writes_the_same_bytes(demo_folder: Path, tmp_path: Path) -> None:
    from gbi.pipeline import demo

    demo(tmp_path / "again", lang="fr")
    for name in ("bundle.json", "validation.json", "report.html"):
        assert (tmp_path / "again" / name).read_bytes() == (demo_folder / name).read_bytes(), name


def test_the_bundle_verifies_and_a_changed_file_is_seen(
    demo_folder: Path, tmp_path: Path, sample_dir: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo_folder, copy)
    assert ReportBundle.open(copy).verify(sources=sample_dir) == []
    page = copy / "report.html"
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    problems = ReportBundle.open(copy).verify()
    assert any("report.html" in str(p) for p in problems)


@pytest.mark.slow
def test_the_folder_with_transcriptions_gives_the_same_figures(
    demo_folder: Path, shared_dir: Path, tmp_path: Path
) -> None:
    bundle = run(shared_dir / "data" / "morocco", tmp_path / "out", lang="fr")
    one, other = tables(demo_folder), tables(tmp_path / "out")
    assert {k: t["rows"] for k, t in one.items()} == {k: t["rows"] for k, t in other.items()}
    files = json.loads((tmp_path / "out" / "bundle.json").read_text(encoding="utf-8"))["submission"]
    unknown = {f["name"] for f in files["files"] if f["status"] == "unknown"}
    assert {
        "chaines_resultats_plf2025_transcription.csv",
        "repartition_ministeres_plf2025_transcription.csv",
        "sensibilite_genre_2022_2024_tableau22.csv",
    } <= unknown
    assert bundle.exit_code == 1


@pytest.mark.slow
def test_one_changed_cell_changes_the_fingerprint(sample_dir: Path, tmp_path: Path) -> None:
    changed = tmp_path / "in"
    shutil.copytree(sample_dir, changed)
    book = openpyxl.load_workbook(changed / "repartition_ministeres_plf2025.xlsx")
    book.active["B6"] = "621\u202f186\u202f001"
    book.save(changed / "repartition_ministeres_plf2025.xlsx")
    before = run(sample_dir, tmp_path / "a", lang="fr")
    after = run(changed, tmp_path / "b", lang="fr")
    assert before.fingerprint != after.fingerprint
    report = json.loads((tmp_path / "b" / "validation.json").read_text(encoding="utf-8"))
    places = [c["a1"] for f in report["findings"] if f["code"] == "GBI-A021" for c in f["cells"]]
    assert "B6" in places


@pytest.mark.slow
def test_foreign_files_in_the_output_folder_are_left_alone(
    sample_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    run(sample_dir, out, lang="ar")
    assert (out / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert 'dir="rtl"' in (out / "report.html").read_text(encoding="utf-8")
