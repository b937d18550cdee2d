"""``gbi validate``: its options, its outputs, one submission and many."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest

from gbi.cli.parsing import parse
from gbi.language import LANGUAGES
from gbi.resources import contract

pytestmark = pytest.mark.slow  # many runs of whole submissions

Command = Callable[..., Any]
BUDGET = "repartition_ministeres_plf2025.xlsx"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GBI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def budget(tmp_path: Path, sample_dir: Path) -> Path:
    """A folder that holds the budget workbook alone, with a text in an amount."""
    folder = tmp_path / "in"
    folder.mkdir()
    book = openpyxl.load_workbook(sample_dir / BUDGET)
    book.active["B6"] = "abc"
    book.save(folder / BUDGET)
    return folder


@pytest.fixture
def many(tmp_path: Path, sample_dir: Path, budget: Path) -> Path:
    """A folder of three submissions: one that is well, one with a finding, one damaged."""
    root = tmp_path / "many"
    for name in ("b_good", "c_damaged"):
        (root / name).mkdir(parents=True)
    shutil.copy(sample_dir / BUDGET, root / "b_good" / BUDGET)
    shutil.copytree(budget, root / "a_text")
    (root / "c_damaged" / BUDGET).write_bytes(b"PK\3\4 and nothing more")
    (root / "README.md").write_text("Three.", encoding="utf-8")
    return root


def codes(path: Path) -> set[str]:
    return {f["code"] for f in json.loads(path.read_text(encoding="utf-8"))["findings"]}


def test_options_are_read() -> None:
    words = [
        "validate",
        "in",
        "--only",
        "A,T",
        "--only",
        "F",
        "--no-cache",
        "--as-of",
        "2026-01-01",
    ]
    args = parse(words)
    assert (args.only, args.no_cache, args.as_of) == (["A,T", "F"], True, "2026-01-01")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_are_told_in_a_table(gbi_command: Command, many: Path, lang: str) -> None:
    ended = gbi_command("validate", many, "--only", "T,A", "--jobs", "1", "--lang", lang)
    assert ended.code == 3
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["a_text", "b_good", "c_damaged"]
    assert "GBI-E061" in lines[3]
    assert ended.err == ""


@pytest.mark.slow
def test_a_second_run_says_that_nothing_changed(
    gbi_command: Command, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("validate", many, "--out", out, "--format", "json,csv", "--jobs", "1")
    first = gbi_command(*words)
    written = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    second = gbi_command(*words)
    assert second.code == first.code == 3
    assert "antérieur : 3" in second.out.replace("\u202f", " ").replace("\u00a0", " ")
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == written
    assert {p.relative_to(out).as_posix() for p in written} == {
        "batch.json", "a_text/validation.json", "a_text/findings.csv",
        "b_good/validation.json", "b_good/findings.csv",
    }  # fmt: skip
    third = gbi_command(*words, "--no-cache")
    assert "antérieur" not in third.out


def test_a_batch_as_json(gbi_command: Command, many: Path, tmp_path: Path) -> None:
    target = tmp_path / "batch.json"
    words = ("validate", many, "--json", target, "--format", "json", "--fail-on", "never")
    ended = gbi_command(*words)
    document = json.loads(ended.out)
    jsonschema.validate(document, contract("batch"))
    assert document == json.loads(target.read_text(encoding="utf-8"))
    assert [s["exit_code"] for s in document["submissions"]] == [0, 0, 3]
    assert ended.code == 3


def test_one_submission_with_all_outputs(
    gbi_command: Command, budget: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = (budget / BUDGET).read_bytes()
    ended = gbi_command("validate", budget, "--out", out, "--annotate", "--receipt")
    assert ended.code == 1
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == {
        "validation.json", "validation.html", "findings.xlsx",
        f"annotated/{BUDGET.removesuffix('.xlsx')}.annote.xlsx",
        "validation.recu.json", "validation.recu.html",
    }  # fmt: skip
    assert (budget / BUDGET).read_bytes() == before
    verified = gbi_command("verify", out / "validation.recu.json", "--sources", budget, "--rerun")
    assert verified.code == 0, verified.out


def test_a_single_format_is_shown(gbi_command: Command, budget: Path) -> None:
    ended = gbi_command("validate", budget, "--format", "json")
    jsonschema.validate(json.loads(ended.out), contract("validation-report"))


@pytest.mark.parametrize(
    "words",
    [("--format", "json,csv"), ("--format", "xlsx"), ("--annotate",), ("--receipt",)],
)
def test_files_need_a_folder(gbi_command: Command, budget: Path, words: tuple[str, ...]) -> None:
    ended = gbi_command("validate", budget, *words)
    assert ended.code == 2
    assert "--out" in ended.err


def test_rules_are_chosen(gbi_command: Command, budget: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    gbi_command("validate", budget, "--only", "T", "--exclude", "T001", "--json", target)
    options = json.loads(target.read_text(encoding="utf-8"))["report"]["options"]
    assert (options["only"], options["exclude"]) == (["T"], ["T001"])
    assert all(code.startswith("GBI-T") for code in codes(target))


@pytest.mark.slow
def test_waivers_are_taken_from_yaml_and_from_a_returned_workbook(
    gbi_command: Command, tmp_path: Path, sample_dir: Path
) -> None:
    first, again = tmp_path / "r.json", tmp_path / "again.json"
    gbi_command("validate", sample_dir, "--json", first)
    document = json.loads(first.read_text(encoding="utf-8"))
    warned = next(f for f in document["findings"] if f["code"] == "GBI-A003")
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        f"waivers:\n- {{id: '{warned['id']}', justification: deux exercices sont réunis ici, "
        "by: DAF}\n",
        encoding="utf-8",
    )
    gbi_command("validate", sample_dir, "--json", again, "--waivers", waivers)
    assert json.loads(again.read_text(encoding="utf-8"))["report"]["counts"]["waived"] == 1

    out = tmp_path / "out"
    gbi_command("validate", sample_dir, "--out", out, "--format", "xlsx")
    book = openpyxl.load_workbook(out / "findings.xlsx")
    rows = [row for sheet in book for row in sheet.iter_rows()]
    heads = next(row for row in rows if "Justification" in {c.value for c in row})
    place = {c.value: n for n, c in enumerate(heads)}
    row = next(row for row in rows if warned["id"] in {c.value for c in row})
    row[place["Justification"]].value = "deux exercices sont réunis ici"
    row[place["Nom et fonction"]].value = "DAF"
    book.save(tmp_path / "returned.xlsx")
    words = ("--waivers", tmp_path / "returned.xlsx")
    gbi_command("validate", sample_dir, "--json", again, *words)
    assert json.loads(again.read_text(encoding="utf-8"))["report"]["counts"]["waived"] == 1


def test_last_year_and_an_earlier_report(
    gbi_command: Command, budget: Path, tmp_path: Path, sample_dir: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    gbi_command("validate", budget, "--json", first)
    (tmp_path / "last").mkdir()
    shutil.copy(sample_dir / BUDGET, tmp_path / "last" / BUDGET)
    gbi_command("validate", budget, "--json", second, "--previous", tmp_path / "last")

    def without(path: Path) -> set[str]:
        rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
        return {r["code"] for r in rules if r["reason"] == "no_previous"}

    assert without(first)
    assert not without(second)
    gbi_command("validate", budget, "--json", second, "--previous", first)
    comparison = json.loads(second.read_text(encoding="utf-8"))["report"]["comparison"]
    assert comparison["persisting"]
    assert not comparison["fixed"]


def test_a_parquet_file_in_pieces(gbi_command: Command, tmp_path: Path, sample_dir: Path) -> None:
    import gbi

    path, target = tmp_path / "budget.parquet", tmp_path / "r.json"
    gbi.read(sample_dir / BUDGET).frame.to_parquet(path)
    ended = gbi_command("validate", path, "--table", "budget", "--json", target)
    assert ended.code in (0, 5)
    assert json.loads(target.read_text(encoding="utf-8"))["verdict"] != "rejected"
    assert gbi_command("validate", tmp_path, "--table", "budget").code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--as-of", "31/12/2026"), "GBI-E130"),
        (("--only", "Q999"), "GBI-E004"),
        (("--rules", "absent"), "GBI-E060"),
        (("--previous", "absent"), "GBI-E060"),
        (("--waivers", "absent.yaml"), "GBI-E060"),
        (("--format", "docx", "--out", "OUT"), "GBI-E089"),
        (("--profile", "absent"), "GBI-E065"),
    ],
)
@pytest.mark.parametrize("folder", ["budget", "many"])
def test_a_wrong_value_is_said_before_anything_is_read(
    gbi_command: Command,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    folder: str,
    words: tuple[str, ...],
    code: str,
) -> None:
    given = [str(tmp_path / "out") if w == "OUT" else w for w in words]
    ended = gbi_command("validate", request.getfixturevalue(folder), *given)
    assert ended.code == 2
    assert ended.err.startswith(code)
    assert ended.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("jobs", ["0", "two"])
def test_jobs_is_a_number(gbi_command: Command, many: Path, jobs: str) -> None:
    ended = gbi_command("validate", many, "--jobs", jobs)
    assert ended.code == 2
    assert ended.err.startswith("GBI-E071")
