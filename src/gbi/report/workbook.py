"""The findings as a workbook that a budget officer can filter, print and answer.

What the sheets echo was written by others: every text is stored as text (never as a formula) and
characters that a workbook can't hold are taken out. The bytes are the same on every run.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from gbi.findings import SEVERITIES
from gbi.ingest.template import cells
from gbi.report.ruleset import reason_of, remark, rule_text
from gbi.report.waiver_text import about, codes_by_id, outcome, signed
from gbi.report.wording import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

    from gbi.findings import Finding
    from gbi.validation import ValidationReport

_DIRECTION = re.compile("[\u2066-\u2069]")  # invisible marks, useful on a page and lost in a cell

_INK, _HEAD, _LINE, _BAND = "1C1C1C", "1D3C5C", "D5D9DE", "F4F6F8"
_TINTS = {"blocking": ("8C2F1B", "FFFFFF"), "warning": ("F3DDB0", _INK), "info": ("E3EAF1", _INK)}
_ANSWER = "FFFBEA"  # the columns that the reader fills in

# Heading key and width in characters, in the order of the sheet.
_COLUMNS = (
    ("severity", 13), ("code", 11), ("title", 30), ("file", 24), ("sheet", 20), ("cell", 14),
    ("seen", 38), ("expected", 32), ("fix", 34), ("key", 46), ("id", 14),
    ("justification", 36), ("by", 24),
)  # fmt: skip
_RULE_COLUMNS = (
    ("code", 11), ("title", 48), ("severity", 14), ("status", 18), ("checked", 12),
    ("skipped", 12), ("findings", 12), ("remark", 52),
)  # fmt: skip
_COUNTED = ("checked", "skipped", "findings")
_WAIVER_COLUMNS = (
    ("code", 14), ("by", 30), ("justification", 60), ("outcome", 40), ("until", 13),
    ("findings", 12),
)  # fmt: skip


def clean(value: object) -> str:
    """Return a text that a workbook can hold, without the marks of direction of a page."""
    return cells.clean(_DIRECTION.sub("", str(value)))


def findings_workbook(report: ValidationReport, *, lang: str | None = None) -> bytes:
    """Return the workbook: findings to answer, a summary, every rule and waiver with its outcome.

    Parameters
    ----------
    report
        The validation report.
    lang
        The language of headings and messages; Arabic sheets run from right to left.

    Returns
    -------
    bytes
        An ``.xlsx`` file. The columns "Justification" and "Name and function" are empty: they
        are for the sender's answer, with the finding's id as its key.
    """
    words = Words(lang)
    book = Workbook()
    _findings(book.active, report.findings, words)
    _summary(book.create_sheet(), report, words)
    _rules(book.create_sheet(), report, words)
    if report.waivers:
        _waivers(book.create_sheet(), report, words)
    for sheet in book.worksheets:
        _page(sheet, words)
    book.properties.creator = "gbi"
    book.properties.title = clean(words("workbook.title"))
    buffer = BytesIO()
    book.save(buffer)
    return cells.without_clock(buffer.getvalue())


def _put(sheet: Worksheet, row: int, column: int, value: object) -> Cell:
    """Write a number as a number, nothing as nothing, anything else as text."""
    if value in (None, ""):
        return sheet.cell(row, column)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return cells.put(sheet, row, column, value)
    return cells.put(sheet, row, column, clean(value))


def _heading(sheet: Worksheet, row: int, labels: Sequence[str], words: Words) -> None:
    for column, label in enumerate(labels, start=1):
        cell = _put(sheet, row, column, label)
        cell.font = Font(name="Calibri", size=10, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=_HEAD)
        cell.alignment = _aligned(words, vertical="center")
        cell.border = Border(bottom=Side("medium", color=_HEAD))
    sheet.row_dimensions[row].height = 30


def _aligned(words: Words, *, vertical: str = "top", latin: bool = False) -> Alignment:
    """Wrap; a text in the page's script starts at the page's side, a code is read as Latin."""
    right = words.rtl and not latin
    return Alignment(
        wrap_text=True,
        vertical=vertical,
        horizontal="right" if words.rtl else "left",
        readingOrder=2 if right else 1,
    )


def _body(cell: Cell, words: Words, *, latin: bool = False) -> None:
    cell.font = Font(name="Calibri", size=10, color=_INK)
    cell.alignment = _aligned(words, latin=latin)
    cell.border = Border(bottom=Side("thin", color=_LINE))


def _findings(sheet: Worksheet, findings: Iterable[Finding], words: Words) -> None:
    sheet.title = words("workbook.findings")
    _heading(sheet, 1, [words(f"workbook.columns.{name}") for name, _ in _COLUMNS], words)
    last = 1
    for last, finding in enumerate(findings, start=2):
        for column, (name, _) in enumerate(_COLUMNS, start=1):
            cell = _put(sheet, last, column, _shown(finding, name, words))
            _body(cell, words, latin=name in ("code", "file", "sheet", "cell", "key", "id"))
            if name == "severity":
                fill, ink = _TINTS[finding.severity]
                cell.fill = PatternFill("solid", fgColor=fill)
                cell.font = Font(name="Calibri", size=10, bold=True, color=ink)
            elif name in ("justification", "by"):
                cell.fill = PatternFill("solid", fgColor=_ANSWER)
        _fit(sheet, last, [width for _, width in _COLUMNS])
    _close(sheet, _COLUMNS, last, "C2")


def _close(sheet: Worksheet, columns: Sequence[tuple[str, int]], last: int, pane: str) -> None:
    """Give a list its widths, filters, and a heading that stays."""
    for column, (_, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = pane
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
    sheet.print_title_rows = "1:1"


def _fit(sheet: Worksheet, row: int, widths: Sequence[int]) -> None:
    """Give a row the height of its longest cell: no program does so for a file that it opens."""
    texts = (str(sheet.cell(row, c).value or "") for c in range(1, len(widths) + 1))
    sheet.row_dimensions[row].height = cells.height(list(zip(texts, widths, strict=True)))


def _shown(finding: Finding, column: str, words: Words) -> str:
    message = finding.message[words.lang]
    match column:
        case "severity":
            waived = f" – {words('severity.waived')}" if finding.status == "waived" else ""
            return words(f"severity.{finding.severity}") + waived
        case "cell":
            return ", ".join(dict.fromkeys(c.a1 for c in finding.cells if c.a1)) or finding.a1
        case "key":
            return words.names(finding.key)
        case "title" | "seen" | "expected" | "fix":
            return message.get(column, "")
        case "justification" | "by":
            return ""
    return str(getattr(finding, column))


def _summary(sheet: Worksheet, report: ValidationReport, words: Words) -> None:
    sheet.title = words("workbook.summary")
    sheet.sheet_view.showGridLines = False
    title = _put(sheet, 1, 1, words("workbook.title"))
    title.font = Font(name="Calibri", size=16, bold=True, color=_HEAD)
    title.alignment = Alignment(horizontal="right" if words.rtl else "left")
    verdict = _put(sheet, 2, 1, words(f"verdict.{report.verdict}"))
    verdict.font = Font(name="Calibri", size=12, bold=True, color=_INK)
    verdict.alignment = Alignment(horizontal="right" if words.rtl else "left")
    lines: list[tuple[str, object]] = [
        (words(f"severity.{name}"), report.counts[name]) for name in (*SEVERITIES, "waived")
    ]
    ran = sum(r.status in ("passed", "failed") for r in report.rules)
    lines += [
        (words("workbook.rules_run"), ran),
        (words("workbook.rules_not_run"), len(report.not_run)),
        (words("workbook.rules_broken"), len(report.engine_errors)),
        (words("columns.fingerprint"), report.provenance.fingerprint),
        (words("columns.version"), f"gbi {report.provenance.version}"),
    ]
    for row, (label, value) in enumerate(lines, start=4):
        _body(_put(sheet, row, 1, label), words)
        cell = _put(sheet, row, 2, value)
        _body(cell, words, latin=True)
    row = 5 + len(lines)
    notes = [words(f"workbook.{line}") for line in ("how_to_read", "how_to_answer", "no_blame")]
    cut = report.truncation
    partial = cut["stored"] < cut["counted"]
    if partial:
        notes.insert(0, words.say("truncated", **cut))
    for note in notes:
        cell = _put(sheet, row, 1, note)
        cell.font = Font(name="Calibri", size=10, color=_INK, bold=partial and note is notes[0])
        cell.alignment = _aligned(words)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3)
        sheet.row_dimensions[row].height = 44
        row += 1
    for letter, width in (("A", 44), ("B", 24), ("C", 40)):
        sheet.column_dimensions[letter].width = width


def _rules(sheet: Worksheet, report: ValidationReport, words: Words) -> None:
    sheet.title = words("workbook.rules")
    remarks = {r.code: remark(r, words) for r in report.rules}
    for not_run in report.not_run:
        table = words.entry("tables", not_run.table)
        remarks[not_run.code] = f"{table} – {reason_of(not_run, words)}"
    for error in report.engine_errors:
        table = words.entry("tables", error.table)
        remarks[error.code] = words("workbook.broke_off", table=table)
    rows = (
        (
            r.code, rule_text(report, r.code, "title", words.lang),
            words(f"severity.{r.severity}"), words(f"rule_status.{r.status}"), r.checked,
            r.skipped, r.findings, remarks[r.code],
        )
        for r in report.rules
    )  # fmt: skip
    _list(sheet, _RULE_COLUMNS, rows, words)


def _waivers(sheet: Worksheet, report: ValidationReport, words: Words) -> None:
    sheet.title = words("workbook.waivers")
    codes = codes_by_id(report)
    rows = (
        (
            about(w, codes), signed(w), str(w.given.get("justification", "")),
            outcome(w, words), w.until or "", len(w.findings),
        )
        for w in report.waivers
    )  # fmt: skip
    _list(sheet, _WAIVER_COLUMNS, rows, words)


def _list(
    sheet: Worksheet,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[object]],
    words: Words,
) -> None:
    """Write rows below their headings; a code and a day are read as Latin."""
    _heading(sheet, 1, [words(f"workbook.columns.{name}") for name, _ in columns], words)
    figures = Alignment(horizontal="right", vertical="top", indent=1)
    for column, (name, _) in enumerate(columns, start=1):
        if name in _COUNTED:
            sheet.cell(1, column).alignment = Alignment(
                horizontal="right", vertical="center", indent=1
            )
    last = 1
    for last, row in enumerate(rows, start=2):
        for column, ((name, _), value) in enumerate(zip(columns, row, strict=True), start=1):
            cell = _put(sheet, last, column, value)
            _body(cell, words, latin=name in ("code", "until"))
            if name in _COUNTED:
                cell.number_format = "#,##0"
                cell.alignment = figures
        _fit(sheet, last, [width for _, width in columns])
    _close(sheet, columns, last, "A2")


def _page(sheet: Worksheet, words: Words) -> None:
    sheet.sheet_view.rightToLeft = words.rtl
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for side in ("left", "right", "top", "bottom"):
        setattr(sheet.page_margins, side, 0.5)
    sheet.oddFooter.center.text = "&P / &N"
    sheet.oddFooter.left.text = clean(words("workbook.title")).replace("&", "&&")
