"""The lint of rule files: a sound file has no fault, each planted fault is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gbi.errors import GbiError
from gbi.language import LANGUAGES
from gbi.resources import resource_path
from gbi.validation.lint import lint, operator_parameters
from gbi.validation.operators import OPERATORS
from gbi.validation.rule_changes import rule_changes

SOURCE = resource_path("schemas", "rules", "A", "GBI-A003.yaml")


def write(folder: Path, code: str = "MEF-A901", **changes: Any) -> Path:
    """Write a ministry's own rule: a sum over places that no packaged rule tests."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    document |= {"code": code, "slug": "own_rule", "operator": "one_of", "tolerance": None}
    document |= {"params": {}, **changes}
    path = folder / f"{code}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    return path


def kinds(folder: Path) -> set[str]:
    return {fault.kind for fault in lint(folder)}


def test_every_operator_says_which_parameters_it_takes() -> None:
    assert [name for name in OPERATORS if operator_parameters(name) is None] == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as refused:
        lint(tmp_path / "absent")
    assert refused.value.code == "GBI-E060"


def test_a_copy_of_a_packaged_rule_keeps_its_reserved_code(tmp_path: Path) -> None:
    (tmp_path / SOURCE.name).write_text(SOURCE.read_text(encoding="utf-8"), "utf-8")
    assert kinds(tmp_path) == {"reserved"}


def test_a_misspelt_key_is_named_with_its_line_and_the_nearest(tmp_path: Path) -> None:
    text = SOURCE.read_text(encoding="utf-8").replace("waivable:", "waivible:")
    (tmp_path / SOURCE.name).write_text(text, "utf-8")
    line = text.split("waivible:")[0].count("\n") + 1
    found = [f for f in lint(tmp_path) if f.kind == "hinted"]
    assert [(f.line, "waivable" in f.expected) for f in found] == [(line, True)]
    assert all(str(line) in found[0].message(lang) for lang in LANGUAGES)


def test_what_is_no_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "MEF-A001.yaml").write_text("code: [", "utf-8")
    assert kinds(tmp_path) == {"yaml"}


def test_a_lowered_severity_and_an_unknown_code_are_told(tmp_path: Path) -> None:
    (tmp_path / "severities.yaml").write_text("GBI-A021: info\nGBI-A0211: info\n", "utf-8")
    assert {"lowered"} <= kinds(tmp_path) or {"schema"} <= kinds(tmp_path)


def test_placeholders_must_agree_across_languages(tmp_path: Path) -> None:
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    document["messages"]["en"]["seen"] = "Read."
    write(tmp_path, messages=document["messages"], **{"params": document["params"],
          "operator": "group_sum", "tolerance": "printed_unit"})  # fmt: skip
    found = [f for f in lint(tmp_path) if f.kind == "placeholders"]
    assert [f.key for f in found] == ["messages.en.seen"]


def test_changes_between_two_folders_are_named_by_aspect(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    write(old)
    write(old, "MEF-A902")
    write(new, severity=[{"from": "2026-01-01", "level": "blocking"}], references=[])
    write(new, "MEF-A903")
    found = {(c.code, c.aspect) for c in rule_changes(old, new)}
    assert found == {
        ("MEF-A901", "severity"), ("MEF-A901", "rest"),
        ("MEF-A902", "removed"), ("MEF-A903", "added"),
    }  # fmt: skip
    assert rule_changes(old, old) == ()
