"""The words of the report: every key that the code asks for exists, and none lies idle."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gbi.report
from gbi.language import LANGUAGES, has_text
from gbi.report.wording import Words
from gbi.resources import read_document, resource_path
from gbi.schemas import tables
from gbi.vocabulary import codelist, codelists

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT = Path(gbi.report.__file__).parent
SOURCES = REPORT.parent
TEMPLATE_CALL = re.compile(r"""\bw\(\s*"([^"]+)"\s*(~?)""")
# Functions that look a key up: name → what stands before their first argument.
CALLS = {"words": "", "self": "", "w": "", "Words": "", "text": "report.", "texts": "report."}
ARABIC_POINT = "نقطة"


@lru_cache(maxsize=1)
def entries() -> dict[str, dict[str, str]]:
    """The catalogue of the report, flat."""

    def walk(node: dict[str, object], key: str) -> Iterator[tuple[str, dict[str, str]]]:
        if "fr" in node:
            yield key, node  # type: ignore[misc]
            return
        for name, child in node.items():
            assert isinstance(child, dict)
            yield from walk(child, f"{key}.{name}" if key else name)

    path = resource_path("schemas", "labels", "report.yaml")
    return dict(walk(read_document(path, "labels"), ""))


def _pattern(node: ast.expr, prefix: str) -> str | None:
    """Return the regular expression of a key; a part that is computed stands for one word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        key = node.value
        return re.escape(key.removeprefix(prefix)) if key.startswith(prefix) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"([^.]+)"
            for v in node.values
        ]
        whole = "".join(parts)
        escaped = re.escape(prefix)
        return whole.removeprefix(escaped) if whole.startswith(escaped) else None
    return None


@lru_cache(maxsize=1)
def asked() -> tuple[set[str], set[str], set[str]]:
    """Return whole keys, patterns of keys, and every word that the code spells out."""
    whole: set[str] = set()
    patterns: set[str] = set()
    spelt: set[str] = set()
    groups = {key.partition(".")[0] for key in entries()}
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                spelt |= {node.value, node.value.lstrip("#")}
            if isinstance(node, ast.JoinedStr) and REPORT in path.parents:
                # A key that is put together first and looked up in a second step.
                made = _pattern(node, "report.") or _pattern(node, "") or ""
                patterns |= {made} if made.split("\\.")[0] in groups else set()
            if not (isinstance(node, ast.Call) and node.args):
                continue
            function = node.func
            if isinstance(function, ast.Call):  # Words(lang)("…")
                function = function.func
            if isinstance(function, ast.Attribute):  # row.words("…"), self.words("…")
                name = function.attr
                if name == "entry" and REPORT in path.parents:
                    group = _pattern(node.args[0], "")
                    patterns |= {f"{group}\\.([^.]+)"} if group else set()
            else:
                name = function.id if isinstance(function, ast.Name) else ""
            if name in ("heads",):
                given = [k.value for k in node.keywords if k.arg == "group"]
                group = _pattern(given[0], "") if given else "heads"
                patterns.add(f"{group}\\.([^.]+)")
            if name in CALLS and (REPORT in path.parents or CALLS[name]):
                found = _pattern(node.args[0], CALLS[name])
                if found and "(" in found:
                    patterns.add(found)
                elif found:
                    whole.add(found.replace("\\", ""))
    for path in (REPORT / "templates").glob("*.j2"):
        for key, joined in TEMPLATE_CALL.findall(path.read_text(encoding="utf-8")):
            if joined:
                patterns.add(re.escape(key) + "([^.]+)")
            else:
                whole.add(key)
    return whole, patterns, spelt


def test_every_key_that_is_spelt_out_exists() -> None:
    whole, _, _ = asked()
    keys = {k for k in whole if "." in k or k in ("women", "men", "kicker", "title")}
    assert {k for k in keys if k not in entries()} == set()
    assert len(keys) > 80


def test_every_pattern_finds_keys() -> None:
    _, patterns, _ = asked()
    idle = {p for p in patterns if p != "([^.]+)\\.([^.]+)"
            and not any(re.fullmatch(p, k) for k in entries())}  # fmt: skip
    assert {p for p in idle if re.search("[a-z]", p.replace("[^.]", ""))} == set()
    assert len(patterns) > 10


def test_no_key_lies_idle() -> None:
    whole, patterns, spelt = asked()
    codes = {str(c) for name in codelists() for c in codelist(name)["CODE"]}
    units = {f"{c}_{power}" for c in codes for power in (0, 3, 6, 9)}
    sides = {f"{word}_{sex}" for word in ("SUB_INDICATOR", "ORIGIN") for sex in "FM"}
    known = spelt | codes | units | sides | set(tables())

    def used(key: str) -> bool:
        if key in whole:
            return True
        for pattern in patterns:
            match = re.fullmatch(pattern, key)
            if match and all(part in known for part in match.groups()):
                return True
        return False

    assert sorted(k for k in entries() if not used(k)) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_empty_or_ends_in_a_space(lang: str) -> None:
    bad = [k for k, e in entries().items() if not e[lang].strip() or e[lang] != e[lang].strip()]
    assert bad == []


def test_arabic_terms_are_one() -> None:
    arabic = {key: entry["ar"] for key, entry in entries().items()}
    assert [k for k, t in arabic.items() if "فهرس المؤشرات" in t] == []
    about_marks = [k for k in arabic if k.startswith("marking.") or k in (
        "lead.marking", "heads.grid", "heads.share_mark", "heads.final", "heads.mark")]  # fmt: skip
    assert [k for k in about_marks if ARABIC_POINT in arabic[k] or "النقطة" in arabic[k]] == []
    marks = [arabic[f"heads.{name}"] for name in ("grid", "share_mark", "final", "mark")]
    assert all("علامة" in mark or "العلامة" in mark for mark in marks)
    assert arabic["columns.VALUE_REALISED"] == "القيمة المنجزة"


def test_a_reason_is_said_in_words() -> None:
    assert Words("en").reason("GBI-N011") == "The men's value is missing."
    assert Words("fr").reason("X") == "X"
    assert has_text("notes.GBI-N011")


@pytest.mark.parametrize(
    ("lang", "value", "unit", "shown"),
    [
        ("fr", 1234.5, None, "1\u202f234,5"),
        ("en", 1234.5, None, "1,234.5"),
        ("ar", -4, None, "\u2066\u22124\u2069"),
        ("fr", 57, "PT", "57\u00a0%"),
        ("en", 57, "PT", "57%"),
        ("ar", 57, "PT", "\u206657\u00a0%\u2069"),
        ("fr", None, "PT", "–"),
        ("fr", float("nan"), None, "–"),
    ],
)
def test_a_number_is_written_as_the_language_does(
    lang: str, value: float | None, unit: str | None, shown: str
) -> None:
    assert Words(lang).value(value, unit) == shown


def test_gaps_periods_and_units() -> None:
    words = Words("fr")
    assert words.gap(8, "PT") == "+8\u00a0pts"
    assert words.gap(-8, "NUMBER") == "\u22128"
    assert words.gap(0, "PT") == "0\u00a0pts"
    assert words.period("2014-A1") == "2014/15"
    assert words.period("1999-A1") == "1999/00"
    assert words.unit("MAD", 6) == "millions de dirhams (MDH)"
    assert words.unit(None) == ""
