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
    from gbi.report import ReportBundle


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
