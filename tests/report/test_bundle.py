"""The bundle: its published schemas, what opening and verifying see, and files all or nothing."""

from __future__ import annotations

import copy
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from gbi.errors import GbiError
from gbi.provenance import canonical_json
from gbi.report import ReportBundle, write_status
from gbi.resources import contract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gbi.results import Result


def faults(name: str, document: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(contract(name))
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in
            validator.iter_errors(document)]  # fmt: skip


@pytest.fixture
def document(written: dict[str, ReportBundle]) -> dict[str, Any]:
    """A bundle's content, to be spoilt."""
    return copy.deepcopy(written["fr"].document)


@pytest.fixture
def folder(written: dict[str, ReportBundle], tmp_path: Path) -> Path:
    """A copy of a written bundle, to be spoilt."""
    assert written["fr"].folder is not None
    return shutil.copytree(written["fr"].folder, tmp_path / "bundle")


@pytest.mark.parametrize("name", ["bundle", "status", "result"])
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(contract(name))


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_a_bundle_follows_its_schema(written: dict[str, ReportBundle], lang: str) -> None:
    assert faults("bundle", written[lang].document) == []


def test_a_bundle_without_validation_follows_it_too(
    results: dict[str, Result], tmp_path: Path
) -> None:
    bundle = ReportBundle(lang="fr").add("gaps", results["gaps"])
    bundle.write(tmp_path / "out")
    assert faults("bundle", bundle.document) == []
    assert bundle.document["verdict"]["status"] is None
    names = sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert names == ["bundle.json", "report.html"]


def test_every_result_follows_its_schema(results: dict[str, Result]) -> None:
    for result in results.values():
        assert faults("result", result.to_dict()) == []
        assert faults("result", {**result.to_dict(), "extra": 1})
        assert faults("result", {**result.to_dict(), "schema": "gbi-result/2"})


def test_the_status_follows_its_schema(written: dict[str, ReportBundle], tmp_path: Path) -> None:
    bundle = written["fr"]
    ended = datetime.now(UTC) + timedelta(seconds=3)
    path = write_status(bundle, tmp_path, finished=ended)
    status = json.loads(path.read_text(encoding="utf-8"))
    assert faults("status", status) == []
    assert status["verdict"] == "rejected"
    assert status["exit_code"] == 1
    assert status["seal"] == bundle.document["seal"]
    assert status["counts"] == bundle.counts
    assert "figures/gaps.svg" in status["outputs"]
    assert faults("status", {**status, "exit_code": 9})
    assert faults("status", {**status, "started": "yesterday"})


def _extra(d: dict[str, Any]) -> None:
    d["extra"] = 1


def _bare_number(d: dict[str, Any]) -> None:
    d["tables"][0]["rows"][0]["OBS_VALUE"] = 5


def _one_language(d: dict[str, Any]) -> None:
    del d["tables"][0]["rows"][0]["OBS_VALUE"]["display"]["ar"]


def _short_alt(d: dict[str, Any]) -> None:
    d["figures"][0]["alt"]["en"] = "Bars"


def _no_seal(d: dict[str, Any]) -> None:
    del d["seal"]


def _other_verdict(d: dict[str, Any]) -> None:
    d["verdict"]["status"] = "fine"


def _upwards(d: dict[str, Any]) -> None:
    d["artefacts"][0]["path"] = "../other.json"


@pytest.mark.parametrize(
    "spoil",
    [_extra, _bare_number, _one_language, _short_alt, _no_seal, _other_verdict, _upwards],
    ids=lambda f: f.__name__,
)
def test_the_schema_refuses(
    document: dict[str, Any], folder: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    spoil(document)
    assert faults("bundle", document)
    (folder / "bundle.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(GbiError) as raised:
        ReportBundle.open(folder)
    assert (raised.value.code, raised.value.exit_code) == ("GBI-E083", 3)


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"<html></html>"])
def test_what_is_no_json_ends_with_three(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    with pytest.raises(GbiError) as raised:
        ReportBundle.open(folder)
    assert (raised.value.code, raised.value.exit_code) == ("GBI-E082", 3)


@pytest.mark.parametrize("content", ["[]", "null", "{}", '"text"'])
def test_json_of_another_kind_ends_with_three(folder: Path, content: str) -> None:
    (folder / "bundle.json").write_text(content, encoding="utf-8")
    with pytest.raises(GbiError) as raised:
        ReportBundle.open(folder)
    assert (raised.value.code, raised.value.exit_code) == ("GBI-E083", 3)


def test_a_folder_without_a_bundle_is_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as raised:
        ReportBundle.open(tmp_path)
    assert (raised.value.code, raised.value.exit_code) == ("GBI-E082", 2)


def test_an_opened_bundle_says_what_the_written_one_said(
    written: dict[str, ReportBundle], folder: Path
) -> None:
    opened = ReportBundle.open(folder)
    one = written["fr"]
    assert (opened.verdict, opened.counts, opened.exit_code, opened.fingerprint) == (
        one.verdict, one.counts, one.exit_code, one.fingerprint,
    )  # fmt: skip
    assert opened.verify() == []


def test_a_changed_figure_breaks_the_seal(folder: Path) -> None:
    path = folder / "bundle.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    cell = document["tables"][0]["rows"][0]["OBS_VALUE"]
    cell["raw"] += 1
    path.write_text(canonical_json(document, indent=1), encoding="utf-8")
    (problem,) = ReportBundle.open(folder).verify()
    assert (problem.kind, problem.name) == ("seal", "bundle.json")
    assert problem.message("en") == "bundle.json: the content was changed after it was written"


def test_a_changed_and_a_missing_file_are_named(folder: Path) -> None:
    (folder / "findings.xlsx").unlink()
    (folder / "figures" / "gaps.svg").write_bytes(b"<svg/>")
    problems = {(p.kind, p.name) for p in ReportBundle.open(folder).verify()}
    assert problems == {
        ("artefact_missing", "findings.xlsx"),
        ("artefact_changed", "figures/gaps.svg"),
    }


def test_sources_are_compared(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "budget.xlsx").write_bytes(b"other")
    problems = {(p.kind, p.name) for p in ReportBundle.open(folder).verify(tmp_path / "sources")}
    assert ("source_changed", "budget.xlsx") in problems
    assert ("source_missing", "chaines.xlsx") in problems


def test_numbers_are_held_raw_and_shown_in_three_languages(document: dict[str, Any]) -> None:
    tables = {t["id"]: t for t in document["tables"]}
    gaps = {(r["INDICATOR"], r["TIME_PERIOD"]["raw"]): r for r in tables["gaps"]["rows"]}
    row = gaps["Taux d'accès à la formation", "2023"]
    assert row["GAP_ABS"]["raw"] == -8
    assert row["GAP_ABS"]["display"]["fr"] == "\u22128\u00a0pts"
    assert row["GAP_ABS"]["display"]["en"] == "\u22128\u00a0pts"
    assert "نقطة" in row["GAP_ABS"]["display"]["ar"]
    assert row["DEPARTMENT"]["display"]["ar"] == "وزارة العدل"
    assert row["ORIGIN_F"] == "chaines.xlsx › T16 Justice!E4"
    missing = gaps["Taux d'abandon", "2023"]
    assert missing["GAP_ABS"] is None
    assert missing["REASON"]["raw"] == "GBI-N011"
    assert missing["REASON"]["display"]["fr"] == "La valeur des hommes manque."
    marked = [r for r in tables["marking"]["rows"] if r["LEVEL"]["raw"] == "PROGRAMME"]
    assert {r["GRID_MARK_STATED"]["display"]["en"] for r in marked} == {
        "G1 (Weakly sensitive)", "G2 (Gender-sensitive)",
    }  # fmt: skip
    unlabelled = [
        column["name"]
        for table in document["tables"]
        for column in table["columns"]
        if column["label"]["fr"] == column["name"]
    ]
    assert unlabelled == []


def test_key_figures(document: dict[str, Any]) -> None:
    figures = {f["id"]: f["raw"] for f in document["key_figures"]}
    assert figures == {
        "credits": 6_499_846_000, "lines": 2, "series": 6, "pairs": 3, "pairs_computed": 2,
    }  # fmt: skip


def test_a_second_run_writes_the_same_bytes(
    new_bundle: Callable[[str], ReportBundle], folder: Path, tmp_path: Path
) -> None:
    new_bundle("fr").write(tmp_path / "again")
    names = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert len(names) == 12
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_refusals(results: dict[str, Result], tmp_path: Path) -> None:
    bundle = ReportBundle(lang="fr").add("gaps", results["gaps"])
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    refused: list[tuple[str, Callable[[], object]]] = [
        ("GBI-E080", lambda: bundle.add("gaps", results["gaps"])),
        ("GBI-E081", lambda: bundle.add("other", results["gaps"], figure="pie")),
        ("GBI-E084", lambda: bundle.write(tmp_path / "file")),
        ("GBI-E085", lambda: bundle.write(tmp_path / "file" / "below")),
        ("GBI-E086", lambda: bundle.document),
    ]
    for code, act in refused:
        with pytest.raises(GbiError) as raised:
            act()
        assert raised.value.code == code
        assert all(raised.value.message(lang) for lang in ("fr", "ar", "en"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_files_of_others_stay_and_old_charts_go(
    new_bundle: Callable[[str], ReportBundle], results: dict[str, Result], tmp_path: Path
) -> None:
    new_bundle("fr").write(tmp_path)
    (tmp_path / "figures" / "mine.txt").write_text("mine", encoding="utf-8")
    ReportBundle(lang="fr").add("gaps", results["gaps"], figure="gaps").write(tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {
        "bundle.json", "report.html", "figures/gaps.svg", "figures/gaps.png", "figures/mine.txt",
    }  # fmt: skip


def test_a_write_that_fails_leaves_everything_as_it_was(
    new_bundle: Callable[[str], ReportBundle],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    pathlib_path = type(folder)
    replace = pathlib_path.replace

    def held(self: Path, target: Path) -> Path:
        if self.name == "report.html" and "new" in self.parts:
            raise PermissionError(13, "held open", str(target))
        return replace(self, target)

    monkeypatch.setattr(pathlib_path, "replace", held)
    with pytest.raises(GbiError, match="GBI-E085"):
        new_bundle("ar").write(folder)
    monkeypatch.undo()
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
