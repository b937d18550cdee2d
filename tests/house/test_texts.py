"""The text catalogues: every entry in three languages, with the same placeholders."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gbi.language import LANGUAGES
from gbi.resources import read_document, resource_path

LABELS = resource_path("schemas", "labels")
FILES = sorted(LABELS.glob("*.yaml"))
ARABIC = re.compile(r"[\u0600-\u06ff]")
SOURCES = Path(__file__).resolve().parents[2] / "src" / "gbi"
# The words of text(...) calls: literal keys, whole.
CALL = re.compile(r"""\btexts?\(\s*["']([a-z][\w.-]*)["']""")


def entries(node: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if "fr" in node:
        yield key, node
        return
    for name, child in node.items():
        yield from entries(child, f"{key}.{name}")


def catalogue(path: Path) -> dict[str, dict[str, Any]]:
    return dict(entries(read_document(path, "labels"), path.stem))


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_placeholders_are_the_same_in_the_three_languages(path: Path) -> None:
    differing = [
        key
        for key, entry in catalogue(path).items()
        if len({frozenset(placeholders(entry[lang])) for lang in LANGUAGES}) != 1
    ]
    assert differing == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_arabic_is_arabic_and_french_is_not(path: Path) -> None:
    wrong = [
        key
        for key, entry in catalogue(path).items()
        if ARABIC.search(entry["fr"])
        or ARABIC.search(entry["en"])
        # A word that stays as it is (a code, a metavariable, a unit) is the same everywhere.
        or not (ARABIC.search(entry["ar"]) or entry["ar"] in (entry["fr"], entry["en"]))
    ]
    # What is drawn only from placeholders and signs has no letters of its own.
    signs = [k for k in wrong if not re.sub(r"\{\w+\}|\W", "", catalogue(path)[k]["ar"])]
    assert sorted(set(wrong) - set(signs)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_entry_says_whether_it_was_reviewed(path: Path) -> None:
    unsaid = [key for key, entry in catalogue(path).items() if "reviewed" not in entry]
    assert unsaid == []


def test_every_literal_key_in_the_code_exists() -> None:
    known = {key for path in FILES for key in catalogue(path)}
    used = {
        key
        for path in SOURCES.rglob("*.py")
        for key in CALL.findall(path.read_text(encoding="utf-8"))
        if "." in key
    }
    assert used - known == set()
    assert len(used) > 30


def test_every_error_code_raised_has_words() -> None:
    known = {key.split(".")[1] for key in catalogue(LABELS / "errors.yaml")}
    raised = {
        code
        for path in SOURCES.rglob("*.py")
        for code in re.findall(r"GBI-E\d{3}", path.read_text(encoding="utf-8"))
    }
    assert raised - known == set()


def test_every_note_code_used_has_words() -> None:
    used = {
        code
        for path in SOURCES.rglob("*.py")
        for code in re.findall(r"GBI-N\d{3}", path.read_text(encoding="utf-8"))
    }
    known = {key.split(".")[1] for key in catalogue(LABELS / "notes.yaml")}
    assert used - known == set()
    assert used
