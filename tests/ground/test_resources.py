from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gbi.errors import GbiError
from gbi.resources import read_document, read_yaml, resource_path, suggest

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_resource_is_an_error_with_its_name() -> None:
    with pytest.raises(GbiError) as caught:
        resource_path("schemas", "nothing.yaml")
    assert caught.value.code == "GBI-E001"
    assert caught.value.where == "data/schemas/nothing.yaml"


def test_scalars_of_yaml_1_2(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "a: no\nb: 010\nc: 12:30\nd: true\ne: 3\nf: 2.5\ng: 2025-01-01\nh: ~\ni: 1e3\n",
        encoding="utf-8",
    )
    assert read_yaml(path) == {
        "a": "no", "b": "010", "c": "12:30", "d": True, "e": 3, "f": 2.5,
        "g": "2025-01-01", "h": None, "i": 1000.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "place"), [("a: 1\nb: [1\n", "a.yaml:3"), ("a: 1\nb: 2\na: 3\n", "a.yaml:3")]
)
def test_broken_yaml_names_the_line(tmp_path: Path, content: str, place: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GbiError) as caught:
        read_yaml(path)
    assert (caught.value.code, caught.value.where) == ("GBI-E002", place)


def test_a_misspelt_key_is_refused_with_line_and_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text(
        "title:\n  fr: Titre\n  ar: عنوان\n  en: Title\n  reviwed: false\n", encoding="utf-8"
    )
    with pytest.raises(GbiError) as caught:
        read_document(path, "labels")
    assert caught.value.code == "GBI-E003"
    assert caught.value.where == "labels.yaml:5 title.reviwed"
    assert "'reviewed'" in (caught.value.hint or "")


def test_suggest_ignores_accents_and_case() -> None:
    assert suggest("ministere de la sante", ["Ministère de la Santé", "Justice"]) == (
        "Ministère de la Santé"
    )
    assert suggest("zzz", ["Justice"]) is None
