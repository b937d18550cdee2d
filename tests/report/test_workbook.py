"""The findings workbook: to be filtered and answered, and harmless to open."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest

from gbi.language import text
from gbi.report.workbook import findings_workbook

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from gbi.report import ReportBundle
    from gbi.validation import ValidationReport


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_every_finding_has_a_row_with_its_cell(written: dict[str, ReportBundle], lang: str) -> None:
    report = written[lang].validation
    assert report is not None
    book = openpyxl.load_workbook(io.BytesIO(findings_workbook(report, lang=lang)))
    sheet = book.worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    columns = {name: i for i, name in enumerate(rows[0])}
    assert len(rows) - 1 == len(report.findings)
    for row, finding in zip(rows[1:], report.findings, strict=True):
        assert row[columns[text("report.workbook.columns.code", lang)]] == finding.code
        assert row[columns[text("report.workbook.columns.file", lang)]] == finding.file
        assert finding.a1 in row[columns[text("report.workbook.columns.cell", lang)]]
        assert row[columns[text("report.workbook.columns.justification", lang)]] is None
    assert sheet.sheet_view.rightToLeft is (lang == "ar")
    assert len(book.worksheets) == 3


def test_a_text_cannot_become_a_formula(written: dict[str, ReportBundle]) -> None:
    report = written["fr"].validation
    assert report is not None
    hostile = dataclasses.replace(
        report.findings[0],
        message={x: dict.fromkeys(("title", "seen", "expected", "fix"), "=1+1\x07")
                 for x in ("fr", "ar", "en")},
    )  # fmt: skip
    altered = dataclasses.replace(report)
    altered.__dict__["findings"] = (hostile,)
    content = findings_workbook(altered, lang="fr")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    cells = [c for c in sheet[2] if c.value == "=1+1"]
    assert len(cells) == 4
    assert {c.data_type for c in cells} == {"s"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def book_of(report: ValidationReport, lang: str) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(findings_workbook(report, lang=lang)))


def column(sheet: Worksheet, name: str, lang: str) -> list[object]:
    """Return a column of a list by its heading's key."""
    heads = [c.value for c in sheet[1]]
    at = heads.index(text(f"report.workbook.columns.{name}", lang))
    return [row[at] for row in sheet.iter_rows(min_row=2, values_only=True)]


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_every_rule_has_its_exact_count_and_the_reason_why_it_did_not_look(
    report: ValidationReport, lang: str
) -> None:
    sheet = book_of(report, lang)[text("report.workbook.rules", lang)]
    codes = column(sheet, "code", lang)
    assert codes == [r.code for r in report.rules]
    assert column(sheet, "findings", lang) == [r.findings for r in report.rules]
    remarks = dict(zip(codes, column(sheet, "remark", lang), strict=True))
    unlooked = [r for r in report.rules if r.status == "not_applicable"]
    assert unlooked
    assert all(remarks[r.code] for r in unlooked)
    # The rule compares with a table that is named in the reader's language.
    assert text("report.tables.budget", lang) in str(remarks["GBI-X001"])
    assert "SEX" in str(remarks["GBI-P009"])
    assert text("report.tables.performance", lang) in str(remarks["GBI-A007"])


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_waivers_have_a_sheet_with_their_outcome(
    report: ValidationReport, justified: str, lang: str
) -> None:
    sheet = book_of(report, lang)[text("report.workbook.waivers", lang)]
    assert column(sheet, "code", lang) == ["GBI-A003"] * len(report.waivers)
    assert set(column(sheet, "justification", lang)) == {justified}
    assert column(sheet, "until", lang) == [w.until for w in report.waivers]
    applied = text("outputs.waiver_status.applied", lang)
    assert set(column(sheet, "outcome", lang)) == {applied}
    assert sheet.sheet_view.rightToLeft is (lang == "ar")


def test_a_list_that_is_cut_short_says_so_and_the_counts_stay_whole(
    truncated: ValidationReport, report: ValidationReport
) -> None:
    book = book_of(truncated, "en")
    summary = [c.value for row in book["Summary"].iter_rows() for c in row if c.value is not None]
    cut = truncated.truncation
    assert cut["stored"] < cut["counted"]
    assert text("outputs.truncated", "en", **cut) in summary
    assert truncated.counts["warning"] in summary
    assert len(column(book["Findings"], "id", "en")) == cut["stored"]
    whole = [c.value for row in book_of(report, "en")["Summary"].iter_rows() for c in row]
    assert not any("kept in detail" in str(v) for v in whole)
