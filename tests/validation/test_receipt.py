"""The receipt: the same for the same files, different for a changed byte, valid until a day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.resources import contract
from gbi.validation import ValidationReport, validate
from gbi.validation.receipt import Receipt, given_waivers, receipt
from gbi.validation.verification import differences

WHY = "Double inscription, note 4 de l'annexe"


def dataset(total: float = 876, year: str = "2025") -> Dataset:
    frame = pd.DataFrame(
        {
            "INDICATOR": "Effectif", "TIME_PERIOD": year, "REF_AREA": "MA", "OBS_STATUS": "A",
            "SOURCE": "HCP", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
            "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 3, "DECIMALS": 0,
            "SEX": ["F", "M", "_T"], "OBS_VALUE": [432.0, 420.0, total],
        }
    )  # fmt: skip
    return Dataset(frame, "statistics")


def with_rule(report: ValidationReport, severity: list[dict[str, Any]]) -> ValidationReport:
    """Return a report that ran one rule, of these dated severities."""
    document = {**report.documents["GBI-A003"], "severity": severity}
    return replace(report, documents={"GBI-A003": document})


def test_a_receipt_follows_its_schema_and_is_the_same_again() -> None:
    one, two = receipt(validate(dataset())), receipt(validate(dataset()))
    jsonschema.validate(one.to_dict(), contract("receipt"))
    assert one.to_json() == two.to_json()
    assert json.loads(one.to_json()) == one.to_dict()
    content = one.content
    assert content["verdict"] == "accepted_with_warnings"
    assert content["counts"] == {"blocking": 0, "warning": 1, "info": 0, "waived": 0}
    assert not one.partial


def test_the_report_is_known_by_the_bytes_of_its_file(tmp_path: Path) -> None:
    report = validate(dataset())
    path = report.to_json(tmp_path / "validation.json")
    made = receipt(report, outputs={"validation.json": path, "x.csv": "0" * 64})
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert made.content["report"] == {
        "schema": "gbi-validation/1", "sha256": digest, "name": "validation.json",
    }  # fmt: skip
    assert made.content["outputs"][1] == {"name": "x.csv", "sha256": "0" * 64}
    with pytest.raises(GbiError) as refused:
        receipt(report, outputs={"none": tmp_path / "none"})
    assert refused.value.code == "GBI-E060"


@pytest.mark.parametrize("words", [{"only": ["A"]}, {"exclude": ["G"]}])
def test_chosen_rules_make_it_partial(words: dict[str, list[str]]) -> None:
    assert receipt(validate(dataset(), **words)).partial  # type: ignore[arg-type]


def test_rules_of_the_run_are_in_the_hash() -> None:
    report = validate(dataset())
    other = with_rule(report, [{"from": "2025-01-01", "level": "warning"}])
    assert receipt(report).content["rules"] != receipt(other).content["rules"]


def test_it_holds_until_the_end_of_the_exercise() -> None:
    report = validate(dataset(), as_of="2026-03-01")
    made = receipt(report)
    assert made.content["valid_until"] == {"day": "2026-12-31", "because": "end_of_exercise"}
    budget = Dataset(pd.DataFrame({"TIME_PERIOD": ["2027"]}), "budget")
    later = replace(report, datasets={"budget": budget})
    assert receipt(later).valid_until == "2027-12-31"


@pytest.mark.parametrize(
    ("severity", "until", "cause"),
    [
        (
            [{"from": "2025-01-01", "level": "info"}, {"from": "2026-07-01", "level": "warning"}],
            "2026-06-30",
            "rule_changes",
        ),
        (  # an entry that changes nothing
            [{"from": "2025-01-01", "level": "info"}, {"from": "2026-07-01", "level": "info"}],
            "2026-12-31",
            "end_of_exercise",
        ),
        (  # out of force: the severity falls back
            [{"from": "2025-01-01", "to": "2026-05-31", "level": "blocking"}],
            "2026-05-31",
            "rule_changes",
        ),
        (  # for one table only
            [
                {"from": "2025-01-01", "level": "info"},
                {"from": "2026-09-01", "level": "warning", "tables": ["statistics"]},
            ],
            "2026-08-31",
            "rule_changes",
        ),
        (  # already in force on the day
            [{"from": "2025-01-01", "level": "info"}, {"from": "2026-03-01", "level": "warning"}],
            "2026-12-31",
            "end_of_exercise",
        ),
    ],
)
def test_a_rule_that_changes_ends_it_on_the_eve(
    severity: list[dict[str, Any]], until: str, cause: str
) -> None:
    report = with_rule(validate(dataset(), as_of="2026-03-01"), severity)
    assert receipt(report).content["valid_until"] == {"day": until, "because": cause}


def test_a_waiver_that_expires_ends_it_and_one_that_was_refused_does_not() -> None:
    data = dataset()
    (found,) = validate(data).findings
    waiver = {"id": found.id, "justification": WHY, "by": "X", "expires": "2026-04-30"}
    made = receipt(validate(data, waivers=[waiver], as_of="2026-03-01"))
    assert made.content["valid_until"] == {"day": "2026-04-30", "because": "waiver_expires"}
    assert given_waivers(made.content) == [waiver]
    assert made.content["waivers"][0]["codes"] == ["GBI-A003"]
    lasting = receipt(validate(data, waivers=[{**waiver, "expires": None}], as_of="2026-03-01"))
    assert lasting.content["valid_until"]["because"] == "end_of_exercise"
    refused = receipt(validate(data, waivers=[{**waiver, "by": ""}], as_of="2026-03-01"))
    assert refused.valid_until == "2026-12-31"
    jsonschema.validate(made.to_dict(), contract("receipt"))


def issued(tmp_path: Path, **options: Any) -> tuple[ValidationReport, Path]:
    report = validate(dataset(), **options)
    report.to_json(tmp_path / "validation.json")
    made = receipt(report, outputs={"validation.json": tmp_path / "validation.json"})
    path, page = made.write(tmp_path / "envoi", lang="fr")
    assert (path.name, page.name) == ("envoi.recu.json", "envoi.recu.html")
    return report, path


def test_a_changed_receipt_or_report_is_seen(tmp_path: Path) -> None:
    _, path = issued(tmp_path)
    assert differences(path) == []
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "verdict": "accepted"}), encoding="utf-8")
    assert [d.kind for d in differences(path)] == ["seal"]
    path.write_text(json.dumps(content), encoding="utf-8")  # other spacing, same content
    assert differences(path) == []
    report = tmp_path / "validation.json"
    report.write_text(report.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert [(d.kind, d.name) for d in differences(path)] == [("output_changed", "validation.json")]
    report.unlink()
    (missing,) = differences(path)
    assert (missing.kind, missing.actual) == ("output_missing", None)


def test_a_new_validation_is_compared_and_the_cause_named(tmp_path: Path) -> None:
    report, path = issued(tmp_path)
    assert differences(path, rerun=validate(dataset())) == []
    assert {d.kind for d in differences(path, rerun=validate(dataset(852)))} == {
        "verdict",
        "findings",
        "counts",
    }
    # The same numbers, another finding.
    moved = validate(dataset(year="2024"))
    assert {d.kind for d in differences(path, rerun=moved)} == {"findings"}
    changed = with_rule(validate(dataset(852)), [{"from": "2025-01-01", "level": "info"}])
    kinds = {d.kind for d in differences(path, rerun=changed)}
    assert "rules_changed" in kinds
    assert "codelists_changed" not in kinds
    same_outcome = with_rule(report, [{"from": "2025-01-01", "level": "info"}])
    assert differences(path, rerun=same_outcome) == []


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_differences_are_said_in_three_languages(tmp_path: Path, lang: str) -> None:
    _, path = issued(tmp_path)
    (tmp_path / "validation.json").unlink()
    said = [d.message(lang) for d in differences(path, rerun=validate(dataset(852)))]
    assert len(said) == len(set(said)) == 4
    assert all("{" not in s and len(s) < 200 for s in said)
    assert not any("accepted" in s for s in said if lang != "en")


@pytest.mark.parametrize(
    ("content", "code", "exit_code"),
    [("{", "GBI-E132", 3), ("[]", "GBI-E132", 3), ('{"schema": "gbi-receipt/1"}', "GBI-E132", 3)],
)
def test_what_is_no_receipt_is_refused(
    tmp_path: Path, content: str, code: str, exit_code: int
) -> None:
    path = tmp_path / "a.recu.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GbiError) as refused:
        Receipt.open(path)
    assert (refused.value.code, refused.value.exit_code) == (code, exit_code)
    with pytest.raises(GbiError) as refused:
        Receipt.open(tmp_path / "none.recu.json")
    assert refused.value.code == "GBI-E060"


def test_sources_that_are_nowhere_are_an_error(tmp_path: Path) -> None:
    _, path = issued(tmp_path)
    with pytest.raises(GbiError) as refused:
        differences(path, sources=tmp_path / "none")
    assert refused.value.code == "GBI-E060"


@pytest.mark.parametrize(
    ("lang", "direction", "title"),
    [("fr", "ltr", "Récépissé"), ("ar", "rtl", "وصل"), ("en", "ltr", "Receipt")],
)
def test_the_page_is_one_sheet_that_needs_nothing_and_trusts_nothing(
    lang: str, direction: str, title: str
) -> None:
    data = dataset()
    (found,) = validate(data).findings
    waiver = {
        "id": found.id, "justification": "<script>alert(1)</script> double inscription",
        "by": "<b>X</b>", "function": "F", "evidence": "note.pdf",
    }  # fmt: skip
    made = receipt(validate(data, waivers=[waiver], only=["A"]), issued=date(2026, 3, 2))
    html = made.to_html(lang=lang)
    assert f'<html lang="{lang}" dir="{direction}">' in html
    assert title in html
    assert "<script" not in html
    assert "<b>X</b>" not in html
    assert "&lt;script&gt;" in html
    assert "http://" not in html
    assert "https://" not in html
    for shown in (made.seal, made.content["rules"], made.valid_until, "2026-03-02", "note.pdf"):
        assert shown in html
    assert html == made.to_html(lang=lang)
