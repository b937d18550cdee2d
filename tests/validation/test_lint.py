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


def test_placeholders_must_agree_across_languages(tmp_path: Path) -> None:
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    document["messages"]["en"]["seen"] = "Read."
    write(tmp_path, messages=document["messages"], **{"params": document["params"],
          "operator": "group_sum", "tolerance": "printed_unit"})  # fmt: skip
    found = [f for f in lint(tmp_path) if f.kind == "placeholders"]
    assert [f.key for f in found] == ["messages.en.seen"]


def changed(folder: Path, **changes: Any) -> list[tuple[str, str, str]]:
    """Return the faults of the packaged sum rule under a code of one's own, with these changes."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    write(folder, **{k: document[k] for k in ("operator", "params", "tolerance")} | changes)
    return [(f.kind, f.key, f.expected) for f in lint(folder)]


def test_a_column_that_no_table_has_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert changed(tmp_path, needs=["OBS_VALU"]) == [("column_near", "needs.0", "OBS_VALUE")]
    assert changed(tmp_path, needs=["SEX", "QQQQQQ"]) == [("column", "needs.1", "")]
    others = {"budget": ["PROGRAMM"]}
    assert changed(tmp_path, others=others) == [("column_near", "others.budget.0", "PROGRAMME")]


@pytest.mark.parametrize(
    ("severity", "kind", "key"),
    [
        ({"from": "2025-02-30", "level": "warning"}, "day", "severity.0.from"),
        ({"from": "2025-01-01", "to": "2024-12-31", "level": "warning"}, "days", "severity.0.to"),
        (
            {"from": "2025-01-01", "level": "warning", "tables": ["marking"]},
            "stray",
            "severity.0.tables",
        ),
    ],
)
def test_days_and_tables_of_a_severity_must_make_sense(
    tmp_path: Path, severity: dict[str, Any], kind: str, key: str
) -> None:
    found = changed(tmp_path, severity=[severity])
    assert [(k, at) for k, at, _ in found] == [(kind, key)]


MARKS = resource_path("schemas", "rules", "G", "GBI-G041.yaml")
BASE = {
    "INDICATOR": "Taux de scolarisation", "TIME_PERIOD": "2023", "REF_AREA": "MA", "SEX": "_T",
    "AGE": "_T", "URBANISATION": "_T", "DISABILITY_STATUS": "_T", "INCOME_WEALTH_QUANTILE": "_T",
    "POPULATION_GROUP": "_T", "EDUCATION_LEV": "_T", "ACTIVITY": "_T", "ADMIN_LEVEL": "_T",
    "UNIT_MEASURE": "PT", "UNIT_MULT": 0, "DECIMALS": 1, "SOURCE": "HCP", "MEASURE_KIND": "RATE",
    "OBS_STATUS": "A", "OBS_VALUE": 41.5,
}  # fmt: skip


def example(*comments: str, **more: Any) -> dict[str, Any]:
    rows = [{"COMMENT": c, "TIME_PERIOD": str(2015 + n)} for n, c in enumerate(comments)]
    spread = [{**row, "OBS_VALUE": 41.5 + n} for n, row in enumerate(rows)]
    return {"table": "statistics", "base": BASE, "rows": spread, **more}


def own(
    folder: Path,
    fail: dict[str, Any],
    passing: dict[str, Any],
    columns: tuple[str, ...] = ("COMMENT",),
) -> list[tuple[str, str, str, str]]:
    """Return the faults of a rule that no packaged one doubles: comments come from a list."""
    document = yaml.safe_load(MARKS.read_text(encoding="utf-8"))
    kept = {k: document[k] for k in ("operator", "messages", "why", "scope", "missing")}
    write(folder, "MEF-A901", **kept | {
        "tables": ["statistics"], "needs": ["COMMENT"], "references": [], "tolerance": None,
        "severity": [{"from": "2025-01-01", "level": "info"}],
        "params": {"columns": list(columns), "values": ["relu", "provisoire"]},
        "examples": {"fail": [fail], "pass": [passing]},
    })  # fmt: skip
    return [(f.kind, f.key, f.got, f.expected) for f in lint(folder)]


def test_a_sound_rule_of_ones_own_has_no_fault(tmp_path: Path) -> None:
    assert own(tmp_path, example("relu", "vu", at=[[1]]), example("relu", "provisoire")) == []


def test_a_failing_example_must_fail_and_in_the_rows_announced(tmp_path: Path) -> None:
    passing = example("relu", "provisoire")
    assert own(tmp_path, example("relu"), passing) == [
        ("example_fail", "examples.fail.0", "–", "MEF-A901")
    ]
    assert own(tmp_path, example("relu", "vu", at=[[0]]), passing) == [
        ("at", "examples.fail.0.at", "[[1]]", "[[0]]")
    ]


def test_a_passing_example_must_pass_and_must_have_been_looked_at(tmp_path: Path) -> None:
    fail = example("vu")
    assert own(tmp_path, fail, example("vu")) == [
        ("example_pass", "examples.pass.0", "MEF-A901", "MEF-A901")
    ]
    idle = {**example("relu"), "rows": [{"COMMENT": None}]}
    assert [f[0] for f in own(tmp_path, fail, idle)] == ["idle"]


def test_an_example_that_another_rule_reports_too_is_told(tmp_path: Path) -> None:
    """Examples are executed against the whole catalogue: a copy of a rule is not alone to fire."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    write(tmp_path, **{k: document[k] for k in ("operator", "params", "tolerance")})
    found = [(f.kind, f.key, f.got) for f in lint(tmp_path)]
    assert found == [("example_fail", "examples.fail.0", "GBI-A003, MEF-A901")]


def test_a_message_that_names_what_nothing_fills_in_breaks_off(tmp_path: Path) -> None:
    document = yaml.safe_load(MARKS.read_text(encoding="utf-8"))
    for lang in LANGUAGES:
        document["messages"][lang]["seen"] = "{nobody_knows_this}"
    path = tmp_path / "MEF-A901.yaml"
    path.write_text(yaml.safe_dump({**document, "code": "MEF-A901"}, allow_unicode=True), "utf-8")
    found = lint(tmp_path)
    assert [(f.kind, f.key) for f in found] == [("breaks", "examples.fail.0")]
    assert found[0].got == "MEF-A901 (KeyError)"


@pytest.mark.parametrize(("level", "lowered"), [("info", True), ("warning", True),
                                                ("blocking", False)])  # fmt: skip
def test_a_severity_may_be_raised_and_never_lowered(
    tmp_path: Path, level: str, lowered: bool
) -> None:
    """GBI-A021 is blocking: nothing milder may stand in a ministry's severities."""
    (tmp_path / "severities.yaml").write_text(f"GBI-A021: {level}\n", "utf-8")
    found = [(f.kind, f.key, f.got, f.expected) for f in lint(tmp_path)]
    assert found == ([("lowered", "GBI-A021", level, "blocking")] if lowered else [])
    (tmp_path / "severities.yaml").write_text("GBI-G022: blocking\n", "utf-8")
    assert lint(tmp_path) == ()


def test_a_severity_of_a_rule_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "severities.yaml").write_text("# levels\nGBI-A921: blocking\n", "utf-8")
    (found,) = lint(tmp_path)
    assert (found.kind, found.line, found.expected) == ("unknown_near", 2, "GBI-A021")


def test_two_files_with_one_code_and_a_file_of_another_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    fail, passing = example("relu", "vu", at=[[1]]), example("relu", "provisoire")
    assert own(tmp_path, fail, passing) == []
    copy = (tmp_path / "MEF-A901.yaml").read_text("utf-8")
    (tmp_path / "b" / "MEF-A901.yaml").write_text(copy, "utf-8")
    assert [f.kind for f in lint(tmp_path)] == ["twice"]
    (tmp_path / "b" / "MEF-A901.yaml").unlink()
    (tmp_path / "MEF-A901.yaml").rename(tmp_path / "comments.yaml")
    assert [f.kind for f in lint(tmp_path)] == ["name"]


@pytest.mark.slow
def test_the_packaged_rules_have_no_fault() -> None:
    assert [f.message("en") for f in lint()] == []


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


def test_the_rule_of_the_documentation_is_sound(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "own-rules.md"
    rule = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "MEF-A001.yaml").write_text(rule, "utf-8")
    assert lint(tmp_path) == ()
