"""The findings as CSV, Parquet and NDJSON: typed, guarded, complete, and without small counts."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from gbi.errors import GbiError
from gbi.report import findings_table
from gbi.report.outputs import FORMATS, render_report, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.validation import ValidationReport


def rows(report: ValidationReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(findings_table.csv_text(report), newline="")))


def test_every_stored_finding_has_a_row_and_the_rule_s_full_count(
    truncated: ValidationReport,
) -> None:
    table = rows(truncated)
    assert [r["ID"] for r in table] == [f.id for f in truncated.findings]
    assert truncated.truncation["stored"] < truncated.truncation["counted"]
    counts = {r["CODE"]: int(r["RULE_FINDINGS"]) for r in table}
    assert counts["GBI-A003"] == 8
    assert [r["CODE"] for r in table].count("GBI-A003") == 2
    assert sum(counts.values()) == truncated.truncation["counted"]


def test_text_is_guarded_and_numbers_are_not(report: ValidationReport) -> None:
    table = rows(report)
    texts = [n for n, kind in findings_table.COLUMNS.items() if kind == "string"]
    assert not [r[n] for r in table for n in texts if r[n][:1] in tuple("=+-@\t\r")]
    negative = [r["DIFFERENCE"] for r in table if r["DIFFERENCE"].startswith("-")]
    assert negative
    assert all(float(number) < 0 for number in negative)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_looks_like_a_formula_stands_behind_an_apostrophe(start: str) -> None:
    assert findings_table._field(f"{start}1+1", "string") == f"'{start}1+1"
    assert findings_table._field(-5.0, "double") == "-5"


def test_parquet_has_types_and_tells_what_it_leaves_out(report: ValidationReport) -> None:
    table = pq.read_table(io.BytesIO(findings_table.parquet_bytes(report)))
    assert str(table.schema.field("DIFFERENCE").type) == "double"
    assert str(table.schema.field("FOUND").type) == "string"
    assert str(table.schema.field("RULE_FINDINGS").type) == "int64"
    assert table.num_rows == len(report.findings)
    head = json.loads(table.schema.metadata[b"gbi"])
    assert head["truncation"] == report.truncation
    assert head["verdict"] == report.verdict
    found = [f.found for f in report.findings if isinstance(f.found, int | float)]
    assert [x for x in table["FOUND_NUMBER"].to_pylist() if x is not None] == pytest.approx(found)


def test_ndjson_begins_with_the_head_and_holds_the_findings(report: ValidationReport) -> None:
    lines = [json.loads(line) for line in findings_table.ndjson_text(report).splitlines()]
    assert lines[0]["type"] == "report"
    assert lines[0]["counts"] == report.counts
    assert [x["id"] for x in lines[1:]] == [f.id for f in report.findings]
    assert lines[1]["message"]["ar"]["title"]


def plain(content: str | bytes) -> str:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    for mark in "\u00a0\u202f ,.\u2066\u2069":
        text = text.replace(mark, "" if mark != " " else " ")
    return text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_no_output_shows_a_small_count_or_what_would_give_it_away(
    report: ValidationReport, secret: tuple[str, ...], form: str, lang: str
) -> None:
    content = readable(form, render_report(report, form, lang=lang))
    shown = plain(content)
    assert [s for s in secret if s in shown] == []
    raw = "".join(str(f.found) + str(f.expected) for f in report.unmasked())
    assert "4199" in raw  # the figures are there for the sender's own copy


def readable(form: str, content: str | bytes) -> str | bytes:
    """Return the texts of a packed format."""
    if form == "xlsx":
        import zipfile

        with zipfile.ZipFile(io.BytesIO(content)) as book:  # type: ignore[arg-type]
            return b"\n".join(book.read(n) for n in book.namelist())
    if form == "parquet":
        return str(pq.read_table(io.BytesIO(content)).to_pylist())  # type: ignore[arg-type]
    return content


def test_the_same_report_gives_the_same_bytes(report: ValidationReport) -> None:
    for form in FORMATS:
        assert render_report(report, form, lang="ar") == render_report(report, form, lang="ar")


def test_files_are_written_with_their_names(report: ValidationReport, tmp_path: Path) -> None:
    written = write_report(report, tmp_path / "out", ["csv", "json", "csv", "parquet"], "fr")
    assert [p.name for p in written] == ["findings.csv", "validation.json", "findings.parquet"]
    assert (tmp_path / "out" / "findings.csv").read_bytes().startswith(b"\xef\xbb\xbfID,")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in written}


def test_an_unknown_format_is_refused_before_anything_is_written(
    report: ValidationReport, tmp_path: Path
) -> None:
    with pytest.raises(GbiError, match="GBI-E089"):
        write_report(report, tmp_path / "out", ["csv", "docx"])
    assert not (tmp_path / "out").exists()


def test_the_hostile_name_is_there_to_be_escaped(report: ValidationReport, hostile: str) -> None:
    assert any(hostile in " ".join(f.key.values()) for f in report.findings)
