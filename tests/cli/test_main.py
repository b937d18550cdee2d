"""From the words typed to an exit code."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gbi.cli import main as entry
from gbi.cli.console import progress
from gbi.cli.main import main
from gbi.errors import GbiError
from gbi.provenance import gbi_version


def raising(error: BaseException) -> Callable[[Namespace], int]:
    def dispatch(_: Namespace) -> int:
        raise error

    return dispatch


def test_the_version(gbi_command: Callable[..., Any]) -> None:
    assert gbi_command("--version").out == f"gbi {gbi_version()}\n"


def test_an_error_ends_with_its_code_and_without_traceback(
    gbi_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = GbiError("GBI-E001", where="data/x", exit_code=3)
    monkeypatch.setattr(entry, "_dispatch", raising(error))
    ended = gbi_command("doctor", "--lang", "en")
    assert ended.code == 3
    assert ended.err.startswith("GBI-E001  A reference file of the product is missing")
    assert "Traceback" not in ended.err


def test_a_fault_of_ours_is_short_and_keeps_values_to_itself(
    gbi_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "_dispatch", raising(ValueError("secret 4711")))
    monkeypatch.delenv("GBI_DEBUG", raising=False)
    ended = gbi_command("doctor")
    assert ended.code == 4
    assert "GBI-E099" in ended.err
    assert "ValueError" in ended.err
    assert "secret" not in ended.err
    assert "Traceback" not in ended.err


def test_debugging_shows_the_traceback(
    gbi_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "_dispatch", raising(ValueError("4711")))
    monkeypatch.setenv("GBI_DEBUG", "1")
    ended = gbi_command("doctor")
    assert ended.code == 4
    assert "Traceback" in ended.err
    assert "4711" in ended.err


def test_an_interruption_ends_with_130(
    gbi_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "_dispatch", raising(KeyboardInterrupt()))
    ended = gbi_command("doctor")
    assert ended.code == 130
    assert ended.err.count("\n") == 1


def environment(**changes: str) -> dict[str, str]:
    return os.environ | {"PYTHONUTF8": "0", "PYTHONIOENCODING": ""} | changes


def test_a_console_without_arabic_letters_does_not_break() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gbi.cli", "--help", "--lang", "ar"],
        capture_output=True,
        check=False,
        env=environment(PYTHONIOENCODING="latin-1"),
    )
    assert done.returncode == 0
    assert b"?" in done.stdout
    assert done.stderr == b""


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    code = "import sys; from gbi.cli.main import main; sys.exit(main(['--help']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert said == b""


def test_json_is_utf8_whatever_the_console() -> None:
    import json

    done = subprocess.run(
        [sys.executable, "-m", "gbi.cli", "rules", "--json"],
        capture_output=True,
        check=False,
        env=environment(PYTHONIOENCODING="latin-1"),
    )
    assert done.returncode == 0
    rows = json.loads(done.stdout.decode("utf-8"))
    assert rows[0]["CODE"].startswith("GBI-")
    assert any("\u0600" <= letter <= "\u06ff" for letter in rows[0]["TITLE_AR"])


def test_progress_only_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress() as tell:
        assert tell is None

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress() as tell:
        assert tell is not None
        tell(1, 2, "Lecture")


def test_the_working_folder_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "in", "--ot", "x"]) == 2
    assert list(tmp_path.iterdir()) == []
    capsys.readouterr()
