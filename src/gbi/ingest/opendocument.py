"""Stream the content of an .ods: what its sheets take once repeated cells are written out.

An honest sheet repeats empty cells to its last row and column; a hostile one repeats full ones.
The parser is told the same names literally (``table:table-cell``), so both read the same cells.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from xml.parsers import expat

from gbi.ingest.archive import damaged, unsafe
from gbi.ingest.extent import COPY, ERROR_CELLS, Extent, check
from gbi.ingest.grid import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.safety import Limits

_TOKEN = 16 << 20  # one tag, or one name; texts arrive in pieces
_DEPTH, _NAMES = 200, 2_000
_CELLS = ("table:table-cell", "table:covered-table-cell")
_VALUES = (
    "office:value", "office:string-value", "office:date-value", "office:time-value",
    "office:boolean-value", "table:formula",
)  # fmt: skip
_ERROR = re.compile(r"(Err:|#)[0-9]{3}")  # errors that only LibreOffice has


def ods_extents(blocks: Iterable[bytes], name: str, limits: Limits) -> list[Extent]:
    """Return what each sheet takes, in the order of the document.

    Raises
    ------
    GbiError
        ``GBI-E061`` (damaged) or ``GBI-E063`` (a limit), exit code 3.
    """
    content = _Content(name, limits)
    try:
        fed = 0
        for block in blocks:
            content.parser.Parse(block)
            fed += len(block)
            if fed - max(content.parser.CurrentByteIndex, 0) > _TOKEN:
                raise unsafe(name, f"≤ {_TOKEN} B a tag", "content.xml")
        content.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(name, expat.ErrorString(error.code)) from None
    return content.sheets


class _Content:
    """The handlers of one pass over ``content.xml``, and where in it they stand."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.sheets: list[Extent] = []
        self.sheet: Extent | None = None
        self.depth = self.row = self.column = 0
        self.names: set[str] = set()
        self.rows = self.columns = 1  # how often the row, the cell is repeated
        self.last = self.text = 0  # of the row: its last full column, its characters
        self.waiting = 0  # empty cells since the last cell that holds something
        self.length = 0  # of the cell: its characters
        self.shown = ""
        self.cell: dict[str, str] | None = None
        self.in_row = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def doctype(self, *_: object) -> None:
        raise unsafe(self.name, "no document type declaration", "content.xml")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.names.add(tag)
        if self.depth > _DEPTH or len(self.names) > _NAMES:
            raise unsafe(self.name, f"≤ {_DEPTH} levels, {_NAMES} element names", "content.xml")
        if tag == "table:table":
            if self.sheet is not None:
                raise unsafe(self.name, "no table inside a table", "content.xml")
            self.sheet, self.row = Extent(), 0
            if "table:name" in attributes:  # the parser passes over a table without one
                self.sheets.append(self.sheet)
        elif tag == "table:table-row" or tag in _CELLS:
            if self.cell is not None or (self.in_row and tag not in _CELLS):
                raise unsafe(self.name, "no table inside a cell", "content.xml")
            if tag in _CELLS:
                if self.in_row and self.sheet is not None:
                    self.start_cell(self.sheet, attributes)
            else:
                self.rows = self.count(attributes.get("table:number-rows-repeated"))
                self.in_row, self.column, self.waiting, self.last, self.text = True, 0, 0, -1, 0
        elif tag == "text:s" and self.cell is not None:
            self.length += self.count(attributes.get("text:c"))

    def count(self, written: str | None) -> int:
        if written is None:
            return 1
        if not (written.isascii() and written.isdigit() and len(written) < 12):
            raise damaged(self.name, "a count that is no number")
        return int(written)

    def start_cell(self, sheet: Extent, attributes: dict[str, str]) -> None:
        # the parser writes out empty cells, too, once another one follows in their row
        sheet.cells, self.waiting = sheet.cells + self.waiting, 0
        self.columns = self.count(attributes.get("table:number-columns-repeated"))
        self.cell, self.shown = attributes, ""
        self.length = sum(len(attributes.get(a, "")) for a in _VALUES)

    def characters(self, text: str) -> None:
        if self.cell is not None:
            self.length += len(text)
            if len(self.shown) < 16:
                self.shown += text[:16]

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.sheet is None:
            return
        if tag in _CELLS and self.cell is not None:
            self.end_cell(self.sheet, self.cell)
            self.cell = None
        elif tag == "table:table-row" and self.in_row:
            self.in_row = False
            if self.last >= 0:
                self.sheet.add(self.row + self.rows - 1, self.last, self.text * self.rows, 0)
            self.row += self.rows
        elif tag == "table:table":
            check(self.sheets, self.name, self.limits)
            self.sheet = None

    def end_cell(self, sheet: Extent, cell: dict[str, str]) -> None:
        if cell.get("office:value-type") == "string" or any(a in cell for a in _VALUES):
            sheet.cells += self.columns
            self.last = self.column + self.columns - 1
            self.text += (self.length + COPY) * self.columns
            self.mark_error(sheet, cell)
        else:
            self.waiting = self.columns
        self.mark_merged(sheet, cell)
        self.column += self.columns

    def mark_error(self, sheet: Extent, cell: dict[str, str]) -> None:
        shown = self.shown in ERRORS or _ERROR.fullmatch(self.shown)
        if (shown and "table:formula" in cell) or cell.get("calcext:value-type") == "error":
            rows = range(self.row, self.row + self.rows)
            columns = range(self.column, self.column + self.columns)
            for row, column in islice(((r, c) for r in rows for c in columns), ERROR_CELLS + 1):
                sheet.error(row, column, self.shown or "#")

    def mark_merged(self, sheet: Extent, cell: dict[str, str]) -> None:
        rows = self.count(cell.get("table:number-rows-spanned"))
        columns = self.count(cell.get("table:number-columns-spanned"))
        if rows * columns > 1:
            area = (self.row, self.column), (self.row + rows - 1, self.column + columns - 1)
            sheet.merge(area)
