"""Bad input at the command line: a code, a place, a remedy, the exit code; nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gbi.language import LANGUAGES
from gbi.resources import resource_path

Command = Callable[..., Any]
SAMPLE = resource_path("samples", "maroc-plf2025")
BUDGET = "repartition_ministeres_plf2025.xlsx"
STATISTICS = "statistiques_nationales_rbg2025.csv"


def workbook(folder: Path, change: Callable[[Any], None]) -> None:
    book = openpyxl.load_workbook(SAMPLE / BUDGET)
    change(book.active)
    book.save(folder / BUDGET)


def renamed_sheet(folder: Path) -> None:
    workbook(folder, lambda sheet: setattr(sheet, "title", "Feuil1"))


def renamed_header(folder: Path) -> None:
    workbook(folder, lambda sheet: setattr(sheet["C4"], "value", "Matériel"))


def text_in_an_amount(folder: Path) -> None:
    workbook(folder, lambda sheet: setattr(sheet["B6"], "value", "environ 600"))


def empty(folder: Path) -> None:
    openpyxl.Workbook().save(folder / "vide.xlsx")


def password(folder: Path) -> None:
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
    package = "EncryptedPackage".encode("utf-16-le")
    (folder / "ferme.xlsx").write_bytes(head + package + bytes(512))


def wrong_encoding(folder: Path) -> None:
    lines = (SAMPLE / STATISTICS).read_bytes().splitlines(keepends=True)
    lines[31] = lines[31].decode("utf-8").replace("’", "'").encode("latin-1")
    (folder / "s.csv").write_bytes(b"".join(lines))


def nothing(folder: Path) -> None:
    folder.rmdir()


CASES: list[tuple[Callable[[Path], None], int, str, tuple[str, ...]]] = [
    (nothing, 2, "GBI-E060", ("in",)),
    (password, 3, "GBI-E062", ("ferme.xlsx",)),
    (wrong_encoding, 3, "GBI-E064", ("s.csv:32",)),
    (renamed_sheet, 1, "GBI-S010", (BUDGET, "Feuil1", "Annexe 1")),
    (renamed_header, 1, "GBI-S011", (BUDGET, "Annexe 1!C4", "MDD (2)")),
    (text_in_an_amount, 1, "GBI-T001", (BUDGET, "Annexe 1!B6", "environ 600")),
    (empty, 1, "GBI-F002", ("vide.xlsx",)),
]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("make", "code", "rule", "said"), CASES)
def test_validate_says_what_where_and_what_to_do(
    gbi_command: Command, tmp_path: Path, make: Callable[[Path], None], code: int, rule: str,
    said: tuple[str, ...], lang: str,
) -> None:  # fmt: skip
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder)
    ended = gbi_command("validate", folder, "--lang", lang)
    assert ended.code == code
    text = ended.err if code > 1 else ended.out
    assert rule in text
    assert all(word in text for word in said)
    assert "Traceback" not in ended.err
    assert ("→" in text) == (code == 1)


@pytest.mark.parametrize(("make", "code", "rule", "said"), CASES)
def test_run_ends_alike_and_leaves_nothing_half_written(
    gbi_command: Command, tmp_path: Path, make: Callable[[Path], None], code: int, rule: str,
    said: tuple[str, ...],
) -> None:  # fmt: skip
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    make(folder)
    assert gbi_command("run", folder, "--out", out).code == code
    if code > 1:
        assert not out.exists()
        return
    assert {"bundle.json", "report.html", "status.json", "findings.xlsx"} <= {
        p.name for p in out.iterdir()
    }
    assert rule in (out / "report.html").read_text(encoding="utf-8")
    assert not [p for p in out.rglob("*") if p.name.startswith(".") or p.suffix == ".tmp"]
