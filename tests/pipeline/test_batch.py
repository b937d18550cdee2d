"""Many submissions: each accounted for, the same bytes again, and nothing read twice."""

from __future__ import annotations

import json
import shutil
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest

from gbi.batch import Asked, Batch, submissions, validate_batch
from gbi.batch.cache import Cache, default_folder
from gbi.batch.checking import entry_of, outputs_of
from gbi.batch.outcome import BATCH_FILE
from gbi.batch.running import keys, task_of
from gbi.resources import contract

pytestmark = pytest.mark.slow  # many runs of whole submissions

BUDGET = "repartition_ministeres_plf2025.xlsx"
# A reader that notes what it is asked to read, and that some files end without a word, as a fault
# in a library does: at every reading ("kills"), or at the first one ("dies once").
READER = """
    import os
    from pathlib import Path

    from gbi.ingest import read_submission as honest

    NOTES = Path(__file__).parent / "notes"

    def read_submission(given, **how):
        paths = sorted(Path(given).iterdir()) if isinstance(given, str) else map(Path, given)
        names = [p.name for p in paths]
        top = Path(given).name if isinstance(given, str) else ",".join(names)
        number = sum(1 for _ in NOTES.iterdir())
        (NOTES / f"{os.getpid()}-{number}-{top}").touch()
        if any(n.startswith("kills") for n in names):
            os._exit(9)
        if any(n.startswith("dies_once") for n in names) and not (NOTES / "died").exists():
            (NOTES / "died").touch()
            os._exit(9)
        return honest(given, **how)
"""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A reader that can be killed by a file, as a worker imports it."""
    place = tmp_path / "reader"
    (place / "notes").mkdir(parents=True)
    (place / "killable_reader.py").write_text(textwrap.dedent(READER), encoding="utf-8")
    monkeypatch.syspath_prepend(place)
    return "killable_reader:read_submission"


@pytest.fixture
def reads(tmp_path: Path) -> Callable[[], int]:
    """How many times a worker was asked to read."""
    return lambda: len(list((tmp_path / "reader" / "notes").glob("*-*-*")))


def good(folder: Path, source: Path) -> None:
    shutil.copy(source, folder / BUDGET)


def text_in_amount(folder: Path, source: Path) -> None:
    book = openpyxl.load_workbook(source)
    book.active["B6"] = "abc"
    book.save(folder / BUDGET)


def wrong_sheet(folder: Path, source: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "courses"
    book.save(folder / "notes.xlsx")


def password(folder: Path, source: Path) -> None:
    locked = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    (folder / BUDGET).write_bytes(locked + bytes(1024))


def empty(folder: Path, source: Path) -> None:
    """Leave the folder without a file."""


def truncated(folder: Path, source: Path) -> None:
    whole = source.read_bytes()
    (folder / BUDGET).write_bytes(whole[: len(whole) // 2])


def hostile(folder: Path, source: Path) -> None:
    with zipfile.ZipFile(folder / BUDGET, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (8 << 20))


def kills(folder: Path, source: Path) -> None:
    good(folder, source)
    shutil.copy(source, folder / "kills.xlsx")


def dies_once(folder: Path, source: Path) -> None:
    shutil.copy(source, folder / "dies_once.xlsx")


BROKEN = (text_in_amount, wrong_sheet, password, empty, truncated, hostile)
UNREADABLE = {wrong_sheet, password, empty, truncated, hostile}


def folder_of(tmp_path: Path, sample_dir: Path, number: int) -> dict[str, Callable[..., None]]:
    """Make submissions, a tenth of them broken and two that end a worker; name → its maker."""
    made: dict[str, Callable[..., None]] = {}
    for n in range(number):
        maker: Callable[..., None] = good
        if n % 10 == 3:
            maker = BROKEN[(n // 10) % len(BROKEN)]
        made[f"s{n:03}"] = maker
    made["s000"], made["s005"] = kills, dies_once
    return made


def write(made: dict[str, Callable[..., None]], root: Path, sample_dir: Path) -> None:
    for name, maker in made.items():
        (root / name).mkdir(parents=True)
        maker(root / name, sample_dir / BUDGET)


def validated(root: Path, tmp_path: Path, reader: str, **options: Any) -> Batch:
    options = {"cache": tmp_path / "cache", "jobs": 2, **options}
    asked = Asked(formats=("json", "csv"), reader=reader, only=("F", "T", "A"))
    return validate_batch(submissions([root]), asked, **options)


def files(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def assert_accounted_for(batch: Batch, made: dict[str, Callable[..., None]]) -> None:
    assert [s.name for s in batch.submissions] == sorted(made)
    for s in batch.submissions:
        maker = made[s.name]
        if maker in UNREADABLE:
            assert (s.entry["verdict"], s.exit_code("blocking")) == (None, 3), s
            assert s.entry["error"]["code"].startswith("GBI-E06")
        elif maker in (kills, text_in_amount):
            assert (s.entry["verdict"], s.exit_code("blocking")) == ("rejected", 1), s
        else:
            assert s.entry["error"] is None
            assert s.entry["counts"]["blocking"] == 0, s
    stopped = json.loads(batch.submissions[0].outputs["validation.json"])
    told = [(f["code"], f["file"]) for f in stopped["findings"] if f["severity"] == "blocking"]
    assert told == [("GBI-F028", "kills.xlsx")]
    assert {f["name"]: f["status"] for f in stopped["files"]} == {
        "kills.xlsx": "unreadable",
        BUDGET: "read",
    }


@pytest.mark.parametrize("number", [12, pytest.param(500, marks=pytest.mark.slow)])
def test_every_submission_is_accounted_for_and_read_once(
    tmp_path: Path, sample_dir: Path, reader: str, reads: Callable[[], int], number: int
) -> None:
    made = folder_of(tmp_path, sample_dir, number)
    if number == 12:
        made |= {f"s{n:03}": maker for n, maker in enumerate(BROKEN, start=6)}
        made["s001"] = empty  # the same content under two names
    root = tmp_path / "in"
    write(made, root, sample_dir)

    first = validated(root, tmp_path, reader)
    assert_accounted_for(first, made)
    assert first.exit_code == 3
    assert first.totals["submissions"] == len(made)
    assert first.totals["verdicts"]["unreadable"] == sum(m in UNREADABLE for m in made.values())
    assert not any(s.from_cache for s in first.submissions)
    # the killer: its folder, its two files alone, the rest; the other: twice, and its file
    assert reads() == len(made) + 3 + 2
    first.write(tmp_path / "out")
    once = files(tmp_path / "out")
    jsonschema.validate(json.loads(once[BATCH_FILE]), contract("batch"))
    assert str(tmp_path).encode() not in once[BATCH_FILE]

    second = validated(root, tmp_path, reader)
    assert reads() == len(made) + 3 + 2
    assert all(s.from_cache for s in second.submissions)
    second.write(tmp_path / "out")
    assert files(tmp_path / "out") == once


@pytest.fixture
def two(tmp_path: Path, sample_dir: Path) -> Path:
    """A folder of two submissions."""
    root = tmp_path / "in"
    write({"a": good, "b": text_in_amount}, root, sample_dir)
    return root


def again(batch: Batch) -> list[str]:
    """Return the submissions that were checked, not taken from the cache."""
    return [s.name for s in batch.submissions if not s.from_cache]


@pytest.mark.slow
def test_what_changes_the_result_is_checked_again(two: Path, tmp_path: Path, reader: str) -> None:
    assert again(validated(two, tmp_path, reader)) == ["a", "b"]
    assert again(validated(two, tmp_path, reader)) == []
    truncated(two / "b", two / "a" / BUDGET)
    assert again(validated(two, tmp_path, reader)) == ["b"]
    shutil.copy(two / "a" / BUDGET, two / "b" / BUDGET)
    assert again(validated(two, tmp_path, reader)) == []  # what a holds was checked before
    (two / "b" / "more").mkdir()
    (two / "b" / "more" / "part.csv").write_text("a,b", encoding="utf-8")
    assert again(validated(two, tmp_path, reader)) == ["b"]
    waivers = tmp_path / "waivers"
    waivers.mkdir()
    line = "- {id: 0123456789ab, justification: deux exercices sont réunis ici, by: DAF}\n"
    (waivers / "a.yaml").write_text(f"waivers:\n{line}", encoding="utf-8")
    assert again(validated(two, tmp_path, reader, waivers=waivers)) == ["a"]
    assert again(validated(two, tmp_path, reader, previous=two)) == ["a", "b"]
    assert again(validated(two, tmp_path, reader, cache=None)) == ["a", "b"]


def key_of(root: Path, asked: Asked, **given: Path) -> str:
    (place,) = submissions([root])
    return keys([place], [task_of(place, asked, **given)])[0]


@pytest.mark.parametrize(
    "other",
    [
        {"as_of": "2026-01-01"},
        {"only": ("F",)},
        {"exclude": ("A",)},
        {"limits": {"cells": 900_000}},
        {"formats": ("text",)},
        {"annotate": True},
        {"rules": "rules"},
        {"profile": ("profile.yaml",)},
        {"reader": "other:reader"},
    ],
)
def test_another_option_is_another_check(two: Path, tmp_path: Path, other: dict[str, Any]) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "severities.yaml").write_text("GBI-A003: blocking\n", encoding="utf-8")
    (tmp_path / "profile.yaml").write_text("format: table\n", encoding="utf-8")
    if "rules" in other:
        other = {"rules": str(tmp_path / "rules")}
    if "profile" in other:
        other = {"profile": (str(tmp_path / "profile.yaml"),)}
    asked = Asked(**other)
    known = key_of(two / "a", asked)
    assert known == key_of(two / "a", asked)
    assert known not in (key_of(two / "a", Asked()), key_of(two / "b", asked))
    for path in (tmp_path / "rules" / "severities.yaml", tmp_path / "profile.yaml"):
        path.write_text("# something else\n", encoding="utf-8")
    same = key_of(two / "a", asked) == known
    assert same == (not {"rules", "profile"} & set(other))


def test_the_language_counts_where_it_is_read(two: Path) -> None:
    def differ(*formats: str) -> bool:
        return len({key_of(two / "a", Asked(formats=formats, lang=x)) for x in ("fr", "ar")}) == 2

    assert not differ()
    assert not differ("json", "csv", "parquet", "ndjson")
    assert differ("json", "html")


def test_a_file_that_is_named_is_read_with_its_neighbours(two: Path) -> None:
    named = two / "a" / BUDGET
    before = key_of(named, Asked())
    (two / "a" / "codes.csv").write_text("a,b", encoding="utf-8")
    assert key_of(named, Asked()) != before


@pytest.mark.slow
def test_a_damaged_entry_is_made_again(two: Path, tmp_path: Path, reader: str) -> None:
    first = validated(two, tmp_path, reader)
    entries = sorted((tmp_path / "cache").rglob("*.zip"))
    content = bytearray(entries[0].read_bytes())
    content[len(content) // 3] ^= 0xFF
    entries[0].write_bytes(content)
    second = validated(two, tmp_path, reader)
    assert len(again(second)) == 1
    assert second.to_json() == first.to_json()
    assert again(validated(two, tmp_path, reader)) == []


@pytest.mark.slow
def test_what_is_not_lasting_is_not_kept(tmp_path: Path, reader: str, sample_dir: Path) -> None:
    """All files of a submission together end the process; none of them alone does."""
    root = tmp_path / "in"
    write({"a": text_in_amount, "b": good}, root, sample_dir)
    (root / "b" / "kills").mkdir()
    batch = validated(root, tmp_path, reader)
    assert batch.submissions[1].entry["error"]["code"] == "GBI-E140"
    assert batch.exit_code == 4
    assert again(validated(root, tmp_path, reader)) == ["b"]


def test_a_worker_ended_from_outside_costs_nothing(tmp_path: Path, two: Path, reader: str) -> None:
    (two / "a" / BUDGET).rename(two / "a" / "dies_once.xlsx")
    batch = validated(two, tmp_path, reader)
    assert [s.entry["verdict"] for s in batch.submissions][1] == "rejected"
    assert batch.submissions[0].entry["error"] is None
    assert batch.submissions[0].entry["counts"]["blocking"] == 0


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(two: Path, tmp_path: Path, reader: str) -> None:
    one = validated(two, tmp_path, reader, jobs=1, cache=None)
    many = validated(two, tmp_path, reader, jobs=3, cache=None)
    assert one.to_json() == many.to_json()


def test_a_fault_of_the_program_is_told_and_the_rest_goes_on(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "modules" / "failing_reader.py"
    module.parent.mkdir()
    module.write_text("def read(given, **how):\n    raise KeyError('12 345')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(module.parent)
    asked = Asked(reader="failing_reader:read")
    batch = validate_batch(submissions([two]), asked, jobs=1)
    assert batch.exit_code == 4
    assert {s.entry["error"]["code"] for s in batch.submissions} == {"GBI-E099"}
    assert "12 345" not in batch.to_json()


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([0, 1, 3, 4], 4), ([0, 1, 3], 3), ([0, 5, 1], 1), ([5, 0], 5), ([0], 0)],
)
def test_the_gravest_exit_code_holds(codes: list[int], worst: int) -> None:
    from gbi.batch import Checked

    made = [Checked(str(c), {"exit_codes": {"blocking": c}}, {}, False) for c in codes]
    assert Batch(tuple(made), {}).exit_code == worst


@pytest.mark.slow
def test_what_an_earlier_batch_wrote_and_this_one_not_is_removed(
    two: Path, tmp_path: Path, reader: str
) -> None:
    out = tmp_path / "out"
    validated(two, tmp_path, reader).write(out)
    (out / "b" / "findings.csv").write_text("mine now", encoding="utf-8")
    (out / "a" / "letter.txt").write_text("mine", encoding="utf-8")
    validate_batch(submissions([two]), Asked(formats=("json",)), jobs=1).write(out)
    assert set(files(out)) == {
        BATCH_FILE, "a/validation.json", "a/letter.txt", "b/validation.json", "b/findings.csv",
    }  # fmt: skip


def names(root: Path, *paths: str, out: str | None = None) -> list[str]:
    given = [root / p for p in paths] if paths else [root]
    return [p.name for p in submissions(given, out=root / out if out else None)]


def test_what_a_submission_is(tmp_path: Path) -> None:
    senders = ("in/a/x.csv", "in/b/y.csv", "in/b/deep/z.csv", "in/.hidden/x.csv", "other/a/x.csv")
    beside = ("in/README.md", "in/out/batch.json", "alone/x.csv", "alone/sub/y.csv")
    for name in (*senders, *beside):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names(tmp_path, "in", out="in/out") == ["a", "b"]
    assert names(tmp_path, "alone") == ["alone"]
    assert names(tmp_path, "in", "other", out="in/out") == ["in/a", "in/b", "other/a"]
    assert names(tmp_path, "in/a", "other/a") == ["a", "a-2"]
    assert names(tmp_path, "in/a/x.csv", "in/b/y.csv") == ["x"]
    assert names(tmp_path, "in/a", "in/a") == ["a"]


def test_only_plain_names_leave_a_worker() -> None:
    parts = {f"out/{n}": b"" for n in ("a.csv", "annotated/b.xlsx", "../c", "/d", "e\\f", "g/h/i")}
    assert list(outputs_of({**parts, "entry.json": b"{}"})) == ["a.csv", "annotated/b.xlsx"]
    assert entry_of({"entry.json": b"{}"}) == {}


def test_the_cache_lies_where_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GBI_CACHE", str(tmp_path / "here"))
    assert default_folder() == tmp_path / "here"
    monkeypatch.delenv("GBI_CACHE")
    assert default_folder().name == "gbi"


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file")
    cache.put("abc", {"a": b"1"})
    assert cache.get("abc") is None
