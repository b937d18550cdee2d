"""A parser that aborts, panics, hangs or lies ends its own process, and the file has a code."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gbi.errors import GbiError
from gbi.ingest.grid import Opened
from gbi.ingest.isolation import run_isolated
from gbi.ingest.safety import LIMITS

OPENERS = """
import os, sys, time, datetime
from gbi.errors import GbiError
from gbi.ingest.grid import Flag, Grid, Opened

def good(path, name, limits):
    print("a library that talks", flush=True)
    print("and complains", file=sys.stderr, flush=True)
    row = ["é", 1, 2.5, True, datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 13, 5), ""]
    flag = Flag("low_fidelity", "", "x")
    rows = [row, [path.read_text(encoding="utf-8"), limits.cells]]
    return Opened([Grid(name, "s", rows, {(0, 1): (0, 0)}, (flag,))], (flag,), {"a": "b"})

def refuse(path, name, limits):
    raise GbiError("GBI-E063", where=name, expected="≤ 1", got="2", exit_code=3, extra="more")

def abort(path, name, limits):
    os.abort()

def leave(path, name, limits):
    sys.exit(0)

def vanish(path, name, limits):
    os._exit(0)

def hang(path, name, limits):
    time.sleep(60)

def fail(path, name, limits):
    raise ValueError("a value of the file")

def panic(path, name, limits):
    raise type("PanicException", (BaseException,), {})("called `Option::unwrap()`")

def exhaust(path, name, limits):
    raise MemoryError

def lack(path, name, limits):
    import a_library_that_is_not_there

class Trap:
    def __reduce__(self):
        return os.mkdir, (str(self.path),)

def attack(path, name, limits):
    trap = Trap()
    trap.path = path.with_suffix(".taken")
    return trap

def loaded(path, name, limits):
    return Opened([], (), {"modules": " ".join(sorted(sys.modules)), "folder": os.getcwd()})
"""


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, with openers that misbehave on the path of imports."""
    (tmp_path / "faulty").mkdir()
    (tmp_path / "faulty" / "openers.py").write_text(OPENERS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    file = tmp_path / "données.bin"
    file.write_text("contenu", encoding="utf-8")
    return file


def isolated(opener: str, path: Path, seconds: float = 30.0) -> Opened:
    return run_isolated(f"faulty.openers:{opener}", path, "d/données.bin", LIMITS, seconds=seconds)


def left_behind(path: Path) -> list[Path]:
    return list((path.parent / "temporary").iterdir())


def test_what_is_opened_comes_back_as_it_is(given: Path) -> None:
    import datetime

    opened = run_isolated("faulty.openers:good", given, "n", replace(LIMITS, cells=77))
    (grid,) = opened.grids
    date, moment = datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 13, 5)
    assert grid.rows == [["é", 1, 2.5, True, date, moment, ""], ["contenu", 77]]
    assert [type(v) for v in grid.rows[0][1:4]] == [int, float, bool]
    assert (grid.file, grid.sheet, grid.merged) == ("n", "s", {(0, 1): (0, 0)})
    assert grid.flags == opened.flags
    assert opened.flags[0].detail == "x"
    assert opened.details == {"a": "b"}
    assert left_behind(given) == []


def test_a_refusal_comes_back_as_it_is(given: Path) -> None:
    with pytest.raises(GbiError) as raised:
        isolated("refuse", given)
    error = raised.value
    assert (error.code, error.where, error.expected, error.got, error.exit_code, error.params) == (
        "GBI-E063", "d/données.bin", "≤ 1", "2", 3, {"extra": "more"}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("opener", "code", "got"),
    [
        ("abort", "GBI-E061", "ended with code"),
        ("leave", "GBI-E061", "SystemExit"),
        ("vanish", "GBI-E061", "FileNotFoundError"),
        ("fail", "GBI-E061", "ValueError"),
        ("panic", "GBI-E061", "PanicException"),
        ("exhaust", "GBI-E063", "MemoryError"),
        ("attack", "GBI-E061", "UnpicklingError"),
    ],
)
def test_whatever_happens_has_a_code(given: Path, opener: str, code: str, got: str) -> None:
    with pytest.raises(GbiError) as raised:
        isolated(opener, given)
    error = raised.value
    assert (error.code, error.exit_code, error.where) == (code, 3, "d/données.bin")
    assert got in str(error.got)
    assert "a value of the file" not in str(error)  # values never enter an error
    assert not given.with_suffix(".taken").exists()
    assert left_behind(given) == []


def test_a_parser_that_hangs_is_ended(given: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(GbiError) as raised:
        isolated("hang", given, seconds=1.5)
    assert time.monotonic() - begun < 15
    assert (raised.value.code, raised.value.expected) == ("GBI-E063", "≤ 1.5 s")
    assert left_behind(given) == []


def test_a_missing_library_is_told_by_its_name(given: Path) -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        isolated("lack", given)
    assert raised.value.name == "a_library_that_is_not_there"


def test_no_interpreter_is_a_coded_error(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(given.parent / "no-python"))
    with pytest.raises(GbiError) as raised:
        isolated("good", given)
    assert raised.value.code == "GBI-E061"


def test_the_child_works_in_a_folder_that_is_removed(given: Path) -> None:
    folder = Path(isolated("loaded", given).details["folder"])
    assert folder.parent == given.parent / "temporary"
    assert not folder.exists()


def test_the_child_imports_no_more_than_it_needs(given: Path) -> None:
    modules = isolated("loaded", given).details["modules"].split()
    assert {"pandas", "pandera", "matplotlib", "duckdb", "scipy"} & set(modules) == set()


def test_a_relative_path_and_a_script_without_a_guard(given: Path) -> None:
    script = given.parent / "script.py"
    text = """
        import json
        import sys
        from pathlib import Path
        sys.path[0] = ""
        print("once")
        from gbi.ingest.isolation import run_isolated
        from gbi.ingest.safety import LIMITS
        grid = run_isolated("faulty.openers:good", Path("données.bin"), "n", LIMITS).grids[0]
        print(json.dumps(grid.rows[1]))
    """
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=given.parent, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    first, second = done.stdout.decode().split("\n")[:2]
    assert first.strip() == "once"
    assert json.loads(second) == ["contenu", LIMITS.cells]
