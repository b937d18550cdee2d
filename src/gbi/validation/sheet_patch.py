"""A worksheet with some cells marked, written again in a stream: only ``s=`` changes.

Rows are found in the bytes; one without a mark is passed on as it is. A cell that the sheet doesn't
write, because it is empty, is created with the format that its row or column gives it.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gbi.ingest.addresses import index
from gbi.ingest.grid import a1
from gbi.validation.xml_patch import INSIDE, declared_as_utf8, opened, with_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gbi.ingest.addresses import Whole
    from gbi.validation.style_patch import Mark, Styles

    Position = tuple[int, int]

_ROOT = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)worksheet(?=[\s>])")
_START = re.compile(rb"<[^\s<>/]+" + INSIDE + rb">")
# What isn't markup although it may look like it.
_OPAQUE = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_ADDRESS = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{0,3})([0-9]{1,7})[\"']")
_FORMAT = re.compile(rb"\ss\s*=\s*[\"']([0-9]{1,9})[\"']")
_CUSTOM = re.compile(rb"\scustomFormat\s*=\s*[\"'](?:1|true)[\"']")
_SPANS = re.compile(rb"\sspans\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_RANGE = re.compile(
    rb"(\sref\s*=\s*[\"'])\s*([A-Za-z]{1,3})([0-9]{1,7})(?::([A-Za-z]{1,3})([0-9]{1,7}))?\s*([\"'])"
)
_NUMBER = rb"\s%s\s*=\s*[\"']([0-9]{1,9})[\"']"
_COLUMN = {name: re.compile(_NUMBER % name) for name in (b"min", b"max", b"style")}


@dataclass(slots=True)
class Layout:
    """What must be known of a sheet before its first cell is written.

    Attributes
    ----------
    rows
        The rows that are written in the sheet.
    columns
        First, last and format of columns that have one of their own.
    merged
        Merged areas: top, left, bottom, right.
    stale
        Whether a cell may bear a mark of an earlier annotation.
    """

    rows: array[int] = field(default_factory=lambda: array("q"))
    columns: list[tuple[int, int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    stale: bool = False
    _areas: Whole | None = None

    def home(self, row: int, column: int) -> Position:
        """Return the cell that shows: the first one of a merged area."""
        if not self.merged:
            return row, column
        if self._areas is None:
            self._areas = np.array(self.merged, dtype=np.int64).T
        top, left, bottom, right = self._areas
        met = np.flatnonzero((top <= row) & (row <= bottom) & (left <= column) & (column <= right))
        return (int(top[met[0]]), int(left[met[0]])) if len(met) else (row, column)

    def base(self, column: int) -> int:
        """Return the format that an unwritten cell has by its column."""
        return next((s for first, last, s in self.columns if first <= column <= last), 0)


def layout(pieces: Iterable[bytes], styles: Styles) -> Layout:
    """Look through a sheet for where its rows, columns and merged areas are."""
    out, walk, stale = Layout(), None, _formatted(styles.stale)
    for raw in _whole_rows(pieces):
        text = _markup(raw)
        walk = walk or _Walk(text)
        for match in walk.rows(text):
            out.rows.append(walk.row(match[0]))
        out.stale = out.stale or (stale is not None and stale.search(text) is not None)
        for match in walk.columns.finditer(text):
            first, last, style = (_COLUMN[n].search(match[0]) for n in (b"min", b"max", b"style"))
            if first and last and style:
                out.columns.append((int(first[1]) - 1, int(last[1]) - 1, int(style[1])))
        for match in walk.merged.finditer(text):
            if (area := _RANGE.search(match[0])) and area[4]:
                out.merged.append(
                    (int(area[3]) - 1, index(area[2]), int(area[5]) - 1, index(area[4]))
                )
    return out


def marked_sheet(
    pieces: Iterable[bytes],
    marks: Mapping[Position, Mark],
    known: Layout,
    styles: Styles,
) -> Iterator[bytes]:
    """Yield a sheet with its marks, and without those of an earlier annotation.

    Parameters
    ----------
    pieces
        The sheet in UTF-8.
    marks
        Row and column, from 0 → how the cell is marked.
    known
        From :func:`layout`.
    styles
        Gives the format of a marked cell, or None: then the cell stays as it is.
    """
    wanted: dict[int, dict[int, Mark]] = {}
    for (row, column), mark in marks.items():
        wanted.setdefault(row, {})[column] = mark
    patch = _Patch(wanted, known, styles)
    for raw in _whole_rows(pieces):
        yield b"".join(patch.piece(raw))


class _Walk:
    """The rows of a sheet, whose tags all have the prefix of its root."""

    def __init__(self, first: bytes) -> None:
        root = _ROOT.search(first)
        if root is None:
            raise ValueError("no worksheet")
        self.prefix = root[1]
        self._row = self._pattern(b"row")
        self.cells = self._pattern(b"c")
        self.columns = self._pattern(b"col")
        self.merged = self._pattern(b"mergeCell")
        self.data = self._pattern(b"sheetData")
        self.dimension = self._pattern(b"dimension")
        self.ended = re.compile(rb"</" + re.escape(self.prefix) + rb"sheetData\s*>")
        self._last, self._over = -1, False

    def _pattern(self, name: bytes) -> re.Pattern[bytes]:
        return re.compile(rb"<" + re.escape(self.prefix) + name + rb"(?=[\s/>])" + INSIDE + rb">")

    def rows(self, text: bytes) -> Iterator[re.Match[bytes]]:
        """Yield the row tags of a piece."""
        if self._over:
            return
        end = self.ended.search(text)
        self._over = end is not None
        yield from self._row.finditer(text, 0, end.start() if end else len(text))

    def row(self, tag: bytes) -> int:
        """Return a row's position; one without a number comes after the farthest."""
        told = _ADDRESS.search(tag)
        number = int(told[2]) - 1 if told else self._last + 1
        self._last = max(self._last, number)
        return number

    def row_end(self, text: bytes, match: re.Match[bytes]) -> int:
        """Return where a row ends."""
        if match[0].endswith(b"/>"):
            return match.end()
        ended = b"</" + self.prefix + b"row"
        at = text.find(ended, match.end())
        close = text.find(b">", at)
        if at < 0 or close < 0:
            raise ValueError("row without an end")
        return close + 1


class _Patch:
    """The marks of a sheet on their way into it."""

    def __init__(self, wanted: dict[int, dict[int, Mark]], known: Layout, styles: Styles) -> None:
        self._wanted, self._known, self._styles = wanted, known, styles
        self._stale = _formatted(styles.stale)
        self._missing = sorted(set(wanted).difference(known.rows), reverse=True)
        self._walk: _Walk | None = None

    def piece(self, raw: bytes) -> Iterator[bytes]:
        """Yield a piece of whole rows with its marks."""
        text, at = _markup(raw), 0
        first = self._walk is None
        walk = self._walk = self._walk or _Walk(text)
        if first:
            for start, end, new in self._head(text, walk):
                yield raw[at:start]
                yield new
                at = end
        for match in walk.rows(text):
            number = walk.row(match[0])
            if self._missing and self._missing[-1] < number:
                yield raw[at : match.start()]
                yield from self._rows_before(number)
                at = match.start()
            end = walk.row_end(text, match) if self._stale or number in self._wanted else 0
            if number in self._wanted or (
                self._stale is not None and self._stale.search(text, match.end(), end)
            ):
                yield raw[at : match.start()]
                yield from self._row(raw[match.start() : end], text[match.start() : end], number)
                at = end
        if self._missing and (ended := walk.ended.search(text, at)):
            yield raw[at : ended.start()]
            yield from self._rows_before(None)
            at = ended.start()
        yield raw[at:]

    def _head(self, text: bytes, walk: _Walk) -> Iterator[tuple[int, int, bytes]]:
        """Yield what changes before the first row: the used area, and data that had no row."""
        told = walk.dimension.search(text)
        if told is not None and self._wanted:
            yield told.start(), told.end(), _RANGE.sub(self._widened, told[0], count=1)
        data = walk.data.search(text)
        if data is not None and data[0].endswith(b"/>"):
            begin, name = opened(data[0])
            rows = b"".join(self._rows_before(None))
            yield data.start(), data.end(), begin + rows + b"</" + name + b">"

    def _widened(self, told: re.Match[bytes]) -> bytes:
        top, left = int(told[3]) - 1, index(told[2])
        bottom, right = (int(told[5]) - 1, index(told[4])) if told[4] else (top, left)
        rows, columns = list(self._wanted), [c for row in self._wanted.values() for c in row]
        first = a1(min(top, *rows), min(left, *columns))
        last = a1(max(bottom, *rows), max(right, *columns))
        area = first if first == last else f"{first}:{last}"
        return told[1] + area.encode() + told[6]

    def _rows_before(self, number: int | None) -> Iterator[bytes]:
        """Yield the rows that the sheet doesn't write and that come before one that it does."""
        prefix = self._walk.prefix if self._walk else b""
        while self._missing and (number is None or self._missing[-1] < number):
            row = self._missing.pop()
            marks = self._wanted.pop(row)
            cells = [self._created(row, column, marks[column], None) for column in sorted(marks)]
            begin = b'<%srow r="%d">' % (prefix, row + 1)
            yield begin + b"".join(cells) + b"</%srow>" % prefix

    def _created(self, row: int, column: int, mark: Mark, base: int | None) -> bytes:
        prefix = self._walk.prefix if self._walk else b""
        style = self._styles.marked(self._known.base(column) if base is None else base, mark)
        return b"" if style is None else b'<%sc r="%s" s="%d"/>' % (
            prefix, a1(row, column).encode(), style,
        )  # fmt: skip

    def _row(self, raw: bytes, text: bytes, number: int) -> Iterator[bytes]:
        """Yield a row with its marks: cells that it writes, and cells that it leaves out."""
        assert self._walk is not None
        marks = self._wanted.pop(number, {})
        started = _START.match(text)
        end_of_tag = started.end() if started else 0
        begin = raw[:end_of_tag]
        own = _FORMAT.search(begin) if _CUSTOM.search(begin) else None
        base = int(own[1]) if own else None
        placed = list(_placed(self._walk.cells.finditer(text, end_of_tag)))
        written = {column for column, _ in placed}
        absent = sorted(set(marks) - written, reverse=True)
        empty = begin.endswith(b"/>")
        name = b""
        if empty and absent:
            begin, name = opened(begin)
        # the extent that a row declares is a hint, and it would be wrong now
        yield _SPANS.sub(b"", begin) if absent else begin
        at = end_of_tag
        for column, cell in placed:
            yield raw[at : cell.start()]
            while absent and absent[-1] < column:
                missing = absent.pop()
                yield self._created(number, missing, marks[missing], base)
            yield self._marked(raw[cell.start() : cell.end()], marks.pop(column, None))
            at = cell.end()
        close = len(raw) if empty else raw.rindex(b"</")
        yield raw[at:close]
        for missing in reversed(absent):
            yield self._created(number, missing, marks[missing], base)
        yield b"</" + name + b">" if name else raw[close:]

    def _marked(self, tag: bytes, mark: Mark | None) -> bytes:
        own = _FORMAT.search(tag)
        base = int(own[1]) if own else 0
        style = self._styles.unmarked(base) if mark is None else self._styles.marked(base, mark)
        if style == base:
            return tag
        return tag if style is None else with_attributes(tag, {"s": str(style)})


def _placed(cells: Iterable[re.Match[bytes]]) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield the cells of a row with their columns; one without an address follows the last."""
    column = -1
    for cell in cells:
        told = _ADDRESS.search(cell[0])
        column = index(told[1]) if told and told[1] else column + 1
        yield column, cell


def _formatted(formats: Iterable[int]) -> re.Pattern[bytes] | None:
    """Return the pattern of a cell that has one of some formats; None without any."""
    ids = b"|".join(b"%d" % f for f in sorted(formats))
    return re.compile(rb"\ss\s*=\s*[\"'](?:" + ids + rb")[\"']") if ids else None


def _markup(raw: bytes) -> bytes:
    """Return a piece of the same length in which only markup looks like markup."""
    return _OPAQUE.sub(lambda m: b" " * len(m[0]), raw) if b"<!" in raw else raw


def _whole_rows(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a sheet in pieces that end before a row's tag.

    Where something else than markup may hide a tag (a comment), the rest comes at once.
    """
    waiting, mark, rest = b"", b"", iter(pieces)
    for piece in rest:
        waiting = waiting + piece if mark else declared_as_utf8(waiting + piece)
        if not mark and (root := _ROOT.search(waiting)):
            mark = b"<" + root[1] + b"row"
        if b"<!" in waiting:
            yield waiting + b"".join(rest)
            return
        cut = waiting.rfind(mark) if mark else 0
        if cut > 0:
            yield waiting[:cut]
            waiting = waiting[cut:]
    yield waiting
