"""``gbi sniff``: a proposal on the screen or in a file, and its faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gbi
from gbi.ingest import load_profile
from gbi.language import LANGUAGES

Command = Callable[..., Any]
TEXT = "Région;Sexe;Valeur\nL'Oriental;F;1,5\nFès-Meknès;M;2,5\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "donnees.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_proposal_is_printed(gbi_command: Command, data: Path, tmp_path: Path) -> None:
    ended = gbi_command("sniff", data)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == gbi.sniff(data).to_yaml("fr")
    assert [p.name for p in tmp_path.iterdir()] == ["donnees.csv"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_in_three_languages(gbi_command: Command, data: Path, lang: str) -> None:
    ended = gbi_command("sniff", data, "--lang", lang)
    assert ended.code == 0
    assert ended.out == gbi.sniff(data).to_yaml(lang)
    said = {"fr": "Proposition", "ar": "اقتراح", "en": "A proposal"}
    assert ended.out.startswith(f"# {said[lang]}")


def test_a_proposal_is_written_and_read_with(
    gbi_command: Command, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "essai.yaml"
    ended = gbi_command("sniff", data, "--out", out)
    assert ended.code == 0
    assert str(out) in ended.out
    assert "sheets:" not in ended.out
    assert out.read_text(encoding="utf-8") == gbi.sniff(data).to_yaml("fr")
    assert load_profile(out).document == gbi.sniff(data).document
    assert gbi.read(data, profile=out).frame["OBS_VALUE"].tolist() == [1.5, 2.5]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["donnees.csv", "essai.yaml"]


def unknown(folder: Path) -> Path:
    path = folder / "lettre.docx"
    path.write_text("x", encoding="utf-8")
    return path


def empty_text(folder: Path) -> Path:
    path = folder / "vide.csv"
    path.write_text("", encoding="utf-8")
    return path


def empty_book(folder: Path) -> Path:
    path = folder / "vide.xlsx"
    openpyxl.Workbook().save(path)
    return path


def damaged(folder: Path) -> Path:
    path = folder / "faux.xlsx"
    path.write_bytes(b"PK\x03\x04abc")
    return path


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("made", "code", "exit_code"),
    [
        (lambda folder: folder / "absent.csv", "GBI-E060", 2),
        (lambda folder: folder, "GBI-E060", 2),
        (unknown, "GBI-E066", 3),
        (empty_text, "GBI-E068", 3),
        (empty_book, "GBI-E068", 3),
        (damaged, "GBI-E061", 3),
    ],
    ids=["absent", "folder", "format", "empty-text", "empty-book", "damaged"],
)
def test_faults(
    gbi_command: Command,
    tmp_path: Path,
    made: Callable[[Path], Path],
    code: str,
    exit_code: int,
    lang: str,
) -> None:
    out = tmp_path / "essai.yaml"
    ended = gbi_command("sniff", made(tmp_path), "--out", out, "--lang", lang)
    assert (ended.code, ended.out) == (exit_code, "")
    assert code in ended.err
    assert "Traceback" not in ended.err
    assert "{" not in ended.err
    assert not out.exists()


def test_no_file_named(gbi_command: Command) -> None:
    assert gbi_command("sniff").code == 2


def test_a_limit_holds(gbi_command: Command, data: Path) -> None:
    ended = gbi_command("sniff", data, "--limit", "cells=2")
    assert ended.code == 3
    assert "GBI-E063" in ended.err
