"""The first sheet of an annotated copy: the findings, to be answered beside the figures.

Every text is stored as text, whatever it begins with: what the sheet echoes was written by others.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from gbi.findings import SEVERITIES
from gbi.ingest.grid import a1, column_letters
from gbi.ingest.template.cells import clean, height
from gbi.language import text
from gbi.validation.style_patch import Mark
from gbi.validation.xml_patch import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gbi.findings import Finding
    from gbi.validation.style_patch import Styles

# Column, width in characters, how its cells look.
COLUMNS = (
    ("severity", 13, "severity"), ("code", 11, "code"), ("cell", 22, "link"), ("title", 30, "body"),
    ("seen", 40, "body"), ("found", 16, "code"), ("expected", 36, "body"), ("fix", 38, "body"),
    ("key", 36, "code"), ("id", 14, "code"), ("justification", 40, "answer"), ("by", 26, "answer"),
)  # fmt: skip
HEADING = 5  # the row of the headings, below what the sheet says about itself
_OWN_WORDS = ("found",)
_TALLEST = 400.0  # points; a row can't be much higher
_LINKS = 65_000  # of a sheet, as spreadsheet programs hold them
_DIRECTION = re.compile("[\u2066-\u2069]")  # invisible marks, useful on a page and lost in a cell
_INK, _HEAD, _LINE, _WHITE = "FF1C1C1C", "FF1D3C5C", "FFD5D9DE", "FFFFFFFF"
_ANSWER = "FFFFFBEA"
_TAB = "FFB0472E"


class Book(NamedTuple):
    """What the sheet must know of the workbook that it is put into."""

    space: str
    sheets: frozenset[str]


def label(column: str, lang: str) -> str:
    """Return a column's heading."""
    own = column in _OWN_WORDS
    return text(f"annotation.{column}" if own else f"report.workbook.columns.{column}", lang)


def findings_sheet(
    findings: Sequence[Finding],
    intro: Sequence[str],
    answers: Mapping[str, tuple[str, str]],
    book: Book,
    styles: Styles,
    lang: str,
) -> bytes:
    """Return the sheet's XML.

    Parameters
    ----------
    findings
        What is listed, in that order.
    intro
        Up to four lines above the headings.
    answers
        The id of a finding → justification and author, where an earlier round gave them.
    book
        Namespace and sheets of the workbook.
    styles
        Takes up the formats that the sheet needs.
    lang
        The language; an Arabic sheet runs from right to left.
    """
    looks = _looks(styles, lang)
    rows = [
        _row(n, [_text(n, 0, line, looks["title" if n == 0 else "note"])], 34 if n == 1 else 0)
        for n, line in enumerate(intro)
    ]
    headings = [_text(HEADING - 1, c, label(name, lang), looks["heading"])
                for c, (name, _, _) in enumerate(COLUMNS)]  # fmt: skip
    rows.append(_row(HEADING - 1, headings, 30))
    links = []
    for n, finding in enumerate(findings, HEADING):
        why, who = answers.get(finding.id, ("", ""))
        given = {"justification": why, "by": who}
        shown = [given.get(name) or _shown(finding, name, lang) for name, _, _ in COLUMNS]
        rows.append(_row(n, _cells(n, finding, shown, looks), _height(shown)))
        if finding.sheet in book.sheets and finding.a1 and n - HEADING < _LINKS:
            links.append(_link(n, finding))
    last = f"{column_letters(len(COLUMNS) - 1)}{HEADING + len(findings)}"
    rtl = ' rightToLeft="1"' if lang == "ar" else ""
    pane = (
        f'<pane ySplit="{HEADING}" topLeftCell="A{HEADING + 1}" activePane="bottomLeft" '
        'state="frozen"/>'
    )
    merged = "".join(f'<mergeCell ref="A{n}:H{n}"/>' for n in range(1, len(intro) + 1))
    parts = [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n',
        f'<worksheet xmlns="{book.space}">',
        f'<sheetPr><tabColor rgb="{_TAB}"/><pageSetUpPr fitToPage="1"/></sheetPr>',
        f'<dimension ref="A1:{last}"/>',
        f'<sheetViews><sheetView{rtl} workbookViewId="0">{pane}</sheetView></sheetViews>',
        '<sheetFormatPr defaultRowHeight="15"/>',
        "<cols>", *(_column(c, width) for c, (_, width, _) in enumerate(COLUMNS)), "</cols>",
        "<sheetData>", *rows, "</sheetData>",
        f'<autoFilter ref="A{HEADING}:{last}"/>',
        f'<mergeCells count="{len(intro)}">{merged}</mergeCells>' if intro else "",
        "<hyperlinks>" + "".join(links) + "</hyperlinks>" if links else "",
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>',
        '<pageSetup paperSize="8" orientation="landscape" fitToWidth="1" fitToHeight="0"/>',
        "<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter></worksheet>",
    ]  # fmt: skip
    return "".join(parts).encode("utf-8")


def location(sheet: str, address: str) -> str:
    """Return where a link leads to: a sheet's name may hold quotation marks."""
    return "'" + sheet.replace("'", "''") + f"'!{address}"


def _cells(row: int, finding: Finding, shown: Sequence[object], looks: dict[str, int]) -> list[str]:
    out = []
    for column, ((_, _, look), value) in enumerate(zip(COLUMNS, shown, strict=True)):
        name = f"{finding.severity}" if look == "severity" else look
        out.append(_cell(row, column, value, looks[name]))
    return out


def _shown(finding: Finding, column: str, lang: str) -> object:
    message = finding.message[lang]
    match column:
        case "severity":
            waived = finding.status == "waived"
            state = f" – {text('report.severity.waived', lang)}" if waived else ""
            return text(f"report.severity.{finding.severity}", lang) + state
        case "cell":
            whole = text("annotation.whole_file", lang)
            place = "!".join(filter(None, (finding.sheet, finding.a1)))
            return place or whole
        case "key":
            return " › ".join(finding.key.values())
        case "title" | "seen" | "expected" | "fix":
            return message.get(column, "")
        case "justification" | "by":
            return ""
    return getattr(finding, column)


def _cell(row: int, column: int, value: object, style: int) -> str:
    """Write a number as a number, nothing as nothing, anything else as text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return f'<c r="{a1(row, column)}" s="{style}"><v>{value!r}</v></c>'
    if value in (None, ""):
        return f'<c r="{a1(row, column)}" s="{style}"/>'
    return _text(row, column, str(value), style)


def _text(row: int, column: int, value: str, style: int) -> str:
    written = _escaped(clean(_DIRECTION.sub("", value)))
    return (
        f'<c r="{a1(row, column)}" s="{style}" t="inlineStr">'
        f'<is><t xml:space="preserve">{written}</t></is></c>'
    )


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _row(row: int, cells: Iterable[str], points: float) -> str:
    given = f' ht="{points:g}" customHeight="1"' if points else ""
    return f'<row r="{row + 1}"{given}>{"".join(cells)}</row>'


def _height(shown: Sequence[object]) -> float:
    """Return the height of a row; a text shorter than its column takes one line."""
    texts = [
        (value, float(width))
        for value, (_, width, _) in zip(shown, COLUMNS, strict=True)
        if isinstance(value, str) and len(value) > width
    ]
    return min(height(texts), _TALLEST)


def _column(column: int, width: int) -> str:
    return f'<col min="{column + 1}" max="{column + 1}" width="{width}" customWidth="1"/>'


def _link(row: int, finding: Finding) -> str:
    place = next(c for c, (name, _, _) in enumerate(COLUMNS) if name == "cell")
    target = quoted(clean(location(finding.sheet, finding.a1)))
    return f'<hyperlink ref="{a1(row, place)}" location={target}/>'


def _looks(styles: Styles, lang: str) -> dict[str, int]:
    """Return the formats of the sheet, added to the workbook's."""
    side, order = ("right", 2) if lang == "ar" else ("left", 1)

    def font(colour: str, size: int = 10, *extra: tuple[str, str]) -> int:
        given = (*extra, ("sz", f'val="{size}"'), ("color", f'rgb="{colour}"'),
                 ("name", 'val="Calibri"'), ("family", 'val="2"'))  # fmt: skip
        return styles.add("fonts", styles.element("font", "", *given))

    def solid(colour: str) -> int:
        return styles.add("fills", styles.pattern("solid", colour, colour))

    def aligned(vertical: str = "top", reading: int = order, *, wrap: bool = True) -> str:
        return f'horizontal="{side}" vertical="{vertical}" readingOrder="{reading}"' + (
            ' wrapText="1"' if wrap else ""
        )

    line = styles.add("borders", _underline(styles))
    bold: tuple[str, str] = ("b", "")
    make: Callable[..., int] = styles.add_format
    looks = {
        "title": make(font(_HEAD, 14, bold), 0, 0, aligned("center", wrap=False)),
        "note": make(font(_INK), 0, 0, aligned()),
        "heading": make(font(_WHITE, 10, bold), solid(_HEAD), line, aligned("center")),
        "body": make(font(_INK), 0, line, aligned()),
        "code": make(font(_INK), 0, line, aligned(reading=1)),
        "link": make(font("FF1F5FA8", 10, ("u", "")), 0, line, aligned(reading=1)),
        "answer": make(font(_INK), solid(_ANSWER), line, aligned(reading=0)),
    }
    for severity in SEVERITIES:
        fill = styles.fill(Mark(severity, strong=True))
        looks[severity] = make(font(_INK, 10, bold), fill, line, aligned())
    return looks


def _underline(styles: Styles) -> bytes:
    colour = styles.element("color", f'rgb="{_LINE}"').decode()
    bottom = styles.nested("bottom", 'style="thin"', colour)
    inner = styles.nested("left") + styles.nested("right") + styles.nested("top") + bottom
    return styles.nested("border", "", inner + styles.nested("diagonal")).encode()
