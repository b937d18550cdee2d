"""The documentation builds from the reference data, and its links lead somewhere."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from gbi.schemas import tables
from gbi.validation import rules
from gbi.vocabulary import codelists

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "build.py"))


@pytest.mark.slow
def test_the_pages_are_built_and_linked(script: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "docs"
    assert script["build"](out) == []
    written = {p.name: p.read_text(encoding="utf-8") for p in out.glob("*.md")}
    assert all(f"## {name}\n" in written["tables.md"] for name in tables())
    assert all(f"## {name}\n" in written["codelists.md"] for name in codelists())
    assert all(f"## {code}\n" in written["rules.md"] for code in rules()["CODE"])
    assert "labels/cli.yaml" in written["unreviewed.md"]


def test_a_dead_link_is_seen(script: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("[b](b.md) [c](https://example.org)", encoding="utf-8")
    assert script["broken_links"](tmp_path) == ["a.md: b.md"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "notebooks/README.md"])
def test_pages_outside_docs_link_to_what_is_there(script: dict[str, Any], name: str) -> None:
    page = ROOT / name
    targets = [(m[1] or m[2]) for m in script["LINK"].finditer(page.read_text(encoding="utf-8"))]
    local = [t for t in targets if "://" not in t]
    assert [t for t in local if not (page.parent / t).exists()] == []
