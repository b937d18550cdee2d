"""Read the tables of a web page, or of one that was saved as ``.xls``: each table is a sheet.

Cells keep the text that a reader sees. Nothing is fetched, no script runs and no tree is built:
tables are cut out of the parser's events, so a page takes little more than its cells do.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.delimited import decode
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gbi.ingest.safety import Limits

_BLOCK = 1 << 16
_PAGE = 24 << 20  # a tag may hold an attribute for every few bytes of it, and each takes thirty
_SPACE = re.compile(r"[ \t\r\n\f]+")  # a no-break space is part of the text
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED = re.compile(
    rb"<meta\b[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)"
    rb"|<\?xml\b[^>]*?encoding\s*=\s*[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_ENCODINGS = re.compile(r"utf-8|cp(125\d|437|850|852|858|864)|iso8859-\d+|mac-\w+")
_BREAKS = frozenset({"br", "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_WIDEST, _TALLEST = 1_000, 65_534  # the HTML standard's own bounds of a span


def open_webpage(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read every table of a page; one that only lays out other tables is passed over.

    A sheet is called as the table's caption or id, else ``Table 1`` by its place in the page.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E063`` if the page, its cells or its spans are beyond a limit,
        ``GBI-E064`` if its bytes are not in the encoding that it declares (with the line),
        ``GBI-E066`` if it has no table.
    """
    from lxml import etree

    size, most = path.stat().st_size, min(limits.archive, _PAGE)
    if size > most:
        raise _beyond(name, f"≤ {most} B", f"{size} B")
    text, encoding, flags = _decoded(path.read_bytes(), name)
    page = _Page(name, limits)
    parser = etree.HTMLParser(target=page, encoding="utf-8", no_network=True, huge_tree=False)
    try:
        for at in range(0, len(text), _BLOCK):
            parser.feed(text[at : at + _BLOCK].encode("utf-8", "replace"))
        if text:  # the parser has no word for a page without a letter
            parser.close()
    except etree.LxmlError as error:
        raise GbiError("GBI-E061", where=name, got=type(error).__name__, exit_code=3) from None
    grids = list(_grids(page.tables, name, limits))
    if not grids:
        raise GbiError("GBI-E066", where=name, expected="<table>", exit_code=3)
    details = {"encoding": encoding}
    if title := _normal(page.title):
        details["title"] = title
    return Opened(grids, flags, details)


def _beyond(name: str, limit: str, met: str) -> GbiError:
    return GbiError("GBI-E063", where=name, expected=limit, got=met, exit_code=3)


def _normal(parts: list[str]) -> str:
    return _SPACE.sub(" ", "".join(parts)).strip(" ")


# --- encoding ---


def _decoded(content: bytes, name: str) -> tuple[str, str, tuple[Flag, ...]]:
    """Return a page's text, its encoding, and a flag if nothing says that it is this one."""
    said = _DECLARED.search(content[:4096])
    if said is None or content.startswith(_MARKS):
        text, encoding = decode(content, name)
        flag = Flag("encoding", "", encoding)
        return text, encoding, () if encoding.startswith("utf-") else (flag,)
    encoding = _codec((said[1] or said[2]).decode("ascii"), name)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(name, content, encoding, error.start) from None
    if "\x00" in text:
        raise _undecodable(name, content, encoding, content.index(0))
    return text, encoding, ()


def _undecodable(name: str, content: bytes, encoding: str, at: int) -> GbiError:
    line = content.count(b"\n", 0, at) + 1
    got = f"0x{content[at]:02x}"
    return GbiError("GBI-E064", where=f"{name}:{line}", expected=encoding, got=got, exit_code=3)


def _codec(label: str, name: str) -> str:
    """Return the codec of a declared encoding, as browsers understand the label."""
    try:
        codec = codecs.lookup(label).name
    except LookupError:
        codec = ""
    if codec.startswith("utf-16"):  # a page whose label can be read isn't in UTF-16
        return "utf-8"
    if codec in ("iso8859-1", "ascii"):
        return "cp1252"
    if not _ENCODINGS.fullmatch(codec):
        raise GbiError("GBI-E064", where=name, expected="UTF-8", got=label, exit_code=3)
    return codec


# --- tables ---


@dataclass(slots=True)
class _Cell:
    columns: int
    rows: int
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    number: int
    id: str
    rows: list[list[_Cell]] = field(default_factory=list)
    caption: list[str] = field(default_factory=list)
    cell: _Cell | None = None
    in_caption: bool = False
    lays_out: bool = False

    @property
    def holds_data(self) -> bool:
        """Whether it is more than the frame of other tables: two cells of a row have texts."""
        if not self.lays_out:
            return any(self.rows)
        return any(sum(bool(_normal(c.text)) for c in row) > 1 for row in self.rows)


class _Page:
    """What the parser tells: it calls ``start``, ``end`` and ``data``."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.tables: list[_Table] = []
        self.open: list[_Table] = []
        self.title: list[str] = []
        self.in_title = False
        self.unseen = self.cells = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        table = self.open[-1] if self.open else None
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "title":
            self.in_title = not self.title
        elif tag == "table":
            if table is not None:
                table.lays_out = True
            self.open.append(_Table(len(self.tables) + 1, attributes.get("id", "")))
            self.tables.append(self.open[-1])
        elif table is None:
            return
        elif tag == "caption":
            table.in_caption = True
        elif tag == "tr":
            table.rows.append([])
            table.cell = None
        elif tag in ("td", "th"):
            self.start_cell(table, attributes)
        elif tag in _BREAKS:
            self.data(" ")

    def start_cell(self, table: _Table, attributes: Mapping[str, str]) -> None:
        self.cells += 1
        if self.cells > self.limits.cells:
            raise _beyond(self.name, f"≤ {self.limits.cells} cells", f"> {self.limits.cells}")
        if not table.rows:
            table.rows.append([])
        columns = min(_span(attributes.get("colspan")) or 1, _WIDEST)
        rows = min(_span(attributes.get("rowspan")) or _TALLEST, _TALLEST)  # 0: to the end
        table.cell = _Cell(columns, rows)
        table.rows[-1].append(table.cell)

    def data(self, text: str) -> None:
        if self.unseen:
            return
        if self.in_title:
            self.title.append(text)
        elif self.open:
            table = self.open[-1]
            if table.in_caption:
                table.caption.append(text)
            elif table.cell is not None:
                table.cell.text.append(text)

    def end(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(self.unseen - 1, 0)
        elif tag == "title":
            self.in_title = False
        elif tag == "table" and self.open:
            self.open.pop()
        elif self.open and tag == "caption":
            self.open[-1].in_caption = False
        elif self.open and tag in ("td", "th"):
            self.open[-1].cell = None
        elif tag in _BREAKS:
            self.data(" ")

    def close(self) -> None:
        """Nothing is left to do: the tables are there."""


def _span(written: str | None) -> int:
    number = re.match(r"\s*\+?([0-9]{1,9})", written or "1")
    return int(number[1]) if number else 1


def _grids(tables: list[_Table], name: str, limits: Limits) -> Iterator[Grid]:
    kept = [t for t in tables if t.holds_data]
    taken: set[str] = set()
    spanned = 0
    for number, table in enumerate(kept, 1):
        title = _normal(table.caption) or table.id.strip() or f"Table {number}"
        sheet, again = title, 2
        while sheet in taken:
            sheet, again = f"{title} ({again})", again + 1
        taken.add(sheet)
        rows: list[list[str]] = [[] for _ in table.rows]
        merged: dict[tuple[int, int], tuple[int, int]] = {}
        for row, cells in enumerate(table.rows):
            column = 0
            for cell in cells:
                while (row, column) in merged:
                    column += 1
                height = min(cell.rows, len(rows) - row)
                spanned += height * cell.columns - 1
                if spanned > limits.merged:
                    limit = f"≤ {limits.merged} merged cells"
                    raise _beyond(name, limit, f"> {limits.merged}")
                for r in range(row, row + height):
                    rows[r].extend([""] * (column + cell.columns - len(rows[r])))
                    for c in range(column, column + cell.columns):
                        if (r, c) != (row, column):
                            merged.setdefault((r, c), (row, column))
                rows[row][column] = _normal(cell.text)
                column += cell.columns
        yield Grid(name, sheet, rows, merged)
