"""What a workbook says beside its values: errors, formulas, what is hidden, how numbers are shown.

The library that reads values gives none of it. It is gathered from the bytes of the sheets while
their safety is checked, so that each part is inflated once for both.
"""

from __future__ import annotations

import html
import re
from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gbi.ingest.addresses import Cells
from gbi.ingest.grid import Flag, a1
from gbi.ingest.package import linked_workbooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gbi.ingest.addresses import Whole
    from gbi.ingest.archive import Archive
    from gbi.ingest.grid import FlagKind

_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_TEXTUAL = re.compile(rb"\st\s*=\s*[\"'](?!n[\"'])")
_VALUE = re.compile(rb"<v(?:\s[^>]*)?>([^<]*)</v")
_FORMULA = re.compile(rb"<f(\s[^<>]*)?>([^<]*)</f")
_NO_VALUE = rb"\s*(?:<v(?:\s[^<>]*)?/>|<v(?:\s[^<>]*)?>\s*</v\s*>)?\s*</c"
_UNRECKONED = (re.compile(rb"</f\s*>" + _NO_VALUE), re.compile(rb"<f(?:\s[^<>]*)?/>" + _NO_VALUE))
_REPEATED = re.compile(rb"<f(\s[^<>]*)(?:/>|>\s*</f)")
_SHARED_INDEX = re.compile(rb"\ssi\s*=\s*[\"']([0-9]+)[\"']")
# '[1]Sheet'!A1, [1]Sheet!A1, [1]!Name; a column of a table ends its bracket without a sheet
_ELSEWHERE = re.compile(r"\[([^\[\]]+)\](?:[\w.]*|(?:[^'\[\]]|'')*')!")
_LITERAL = re.compile(r'"[^"]*"')
_HIDDEN = re.compile(rb"<(row|col)(\s[^<>]*\bhidden\s*=\s*[\"'](?:1|true|on)[\"'][^<>]*)>")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_UNSHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_SCALED = re.compile(r"[0#?],+(?=[^0#?.;]*(?:[.;]|$))")
_STYLES = 64 << 20
_LONG, _MANY = 120, 10_000


@dataclass(slots=True)
class Seen:
    """What the bytes of one sheet show.

    Attributes
    ----------
    errors, shown
        Addresses of error cells (see :func:`position`) and what they show.
    rows, columns
        Hidden rows, and hidden columns as first and last; counted from 0.
    """

    errors: array[int] = field(default_factory=lambda: array("q"))
    shown: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[tuple[int, int]] = field(default_factory=list)
    _runs: dict[tuple[FlagKind, int, str], list[list[Any]]] = field(default_factory=dict)
    _areas: int = 0
    _keys: list[Whole] = field(default_factory=list)
    _ordered: bool = True
    _elsewhere: dict[bytes, str] = field(default_factory=dict)

    def note(self, kind: FlagKind, row: int, column: int, detail: str, *, same: str) -> None:
        """Note a cell; the next one below with the same content widens its area."""
        runs = self._runs.setdefault((kind, column, same if self._areas < _MANY else ""), [])
        # past some thousand areas those of a column become one: the list must stay readable
        if runs and (row == runs[-1][1] + 1 or self._areas >= _MANY):
            runs[-1][1] = row
        else:
            runs.append([row, row, detail])
            self._areas += 1

    def order(self, cells: Cells) -> None:
        """Note the addresses; only where they don't ascend can one be there twice."""
        keys = (cells.rows << 24) | cells.columns
        if not len(keys):
            return
        if self._ordered:
            before = self._keys[-1][-1] if self._keys else -1
            self._ordered = bool(keys[0] > before) and bool(np.all(keys[1:] > keys[:-1]))
        self._keys.append(keys)

    def flags(self) -> Iterator[Flag]:
        """Yield the flags of cells, in the order of the sheet for each kind."""
        if not self._ordered:
            keys, times = np.unique(np.concatenate(self._keys), return_counts=True)
            for key in keys[times > 1].tolist():
                self.note("duplicate_cell", *position(key), "", same="")
        areas = [
            (kind, first, column, last, detail)
            for (kind, column, _), runs in self._runs.items()
            for first, last, detail in runs
        ]
        for kind, first, column, last, detail in sorted(areas):
            yield Flag(kind, area(first, column, last, column), detail)


def position(key: int) -> tuple[int, int]:
    """Return row and column of an address that was kept as one number."""
    return key >> 24, key & 0xFFFFFF


def area(top: int, left: int, bottom: int, right: int) -> str:
    """Return an A1 range, or the address of its only cell."""
    first, last = a1(top, left), a1(bottom, right)
    return first if first == last else f"{first}:{last}"


class Fidelity:
    """Watches the sheets of a workbook while they are scanned.

    Parameters
    ----------
    archive
        The workbook.

    Attributes
    ----------
    seen
        Part of the archive → what its bytes show.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.seen: dict[str, Seen] = {}
        self._formats = scaled_formats(archive)
        styles = b"|".join(self._formats)
        self._scaled = re.compile(rb"<c\s[^<>]*?\bs\s*=\s*[\"'](" + styles + rb")[\"']")

    def __call__(self, part: str, piece: bytes, cells: Cells) -> None:
        """Look at a piece of a sheet for what is rare; what isn't there costs next to nothing."""
        seen = self.seen.setdefault(part, Seen())
        if b"hidden" in piece:
            _note_hidden(seen, piece, cells)
        if not len(cells):
            return
        seen.order(cells)
        if b'"e"' in piece or (b"'" in piece and b"'e'" in piece):
            _note_errors(seen, piece, cells)
        if b"<f" in piece:
            _note_unreckoned(seen, piece, cells)
            if seen._elsewhere or b"[" in piece:
                self._note_elsewhere(seen, piece, cells)
        if self._formats:
            self._note_scaled(seen, piece, cells)

    def _note_elsewhere(self, seen: Seen, piece: bytes, cells: Cells) -> None:
        found = []
        for match in _FORMULA.finditer(piece):
            formula = _LITERAL.sub("", _text(match[2])) if b"[" in match[2] else ""
            if (other := _ELSEWHERE.search(formula)) is not None:
                target = self._targets.get(other[1], other[1])
                found.append((match.start(), target))
                if match[1] and (shared := _SHARED_INDEX.search(match[1])):
                    seen._elsewhere[shared[1]] = target
        if seen._elsewhere:
            for match in _REPEATED.finditer(piece):
                shared = _SHARED_INDEX.search(match[1])
                if shared is not None and shared[1] in seen._elsewhere:
                    found.append((match.start(), seen._elsewhere[shared[1]]))
        for (row, column, _), (_, target) in zip(
            _cells_at(piece, cells, [at for at, _ in sorted(found)]), sorted(found), strict=True
        ):
            seen.note("external_formula", row, column, target, same=target)

    def _note_scaled(self, seen: Seen, piece: bytes, cells: Cells) -> None:
        found = [(m.start(), m[1]) for m in self._scaled.finditer(piece)]
        starts = [at for at, _ in found]
        held = np.isin(starts, cells.starts)
        found = [f for f, filled in zip(found, held, strict=True) if filled]
        for (row, column, cell), (_, style) in zip(
            _cells_at(piece, cells, [at for at, _ in found]), found, strict=True
        ):
            if _VALUE.search(cell) and not _TEXTUAL.search(cell.partition(b">")[0]):
                code = self._formats[style]
                seen.note("scaled_format", row, column, code, same=code)

    @cached_property
    def _targets(self) -> dict[str, str]:
        return linked_workbooks(self._archive)


def scaled_formats(archive: Archive) -> dict[bytes, str]:
    """Return style → number format, of the formats that show thousands or millions."""
    entry = archive.entry("xl/styles.xml")
    if entry is None:
        return {}
    content = re.sub(rb"<(/?)[A-Za-z_][\w.-]*:", rb"<\1", archive.whole(entry, _STYLES))
    codes = {}
    for tag in re.findall(rb"<numFmt\s[^<>]*", content):
        named = _attributes(tag)
        if is_scaled(code := _text(named.get(b"formatCode", b""))):
            codes[named.get(b"numFmtId", b"")] = code
    if not codes:
        return {}
    styles = content.partition(b"<cellXfs")[2].partition(b"</cellXfs")[0]
    used = [
        _attributes(tag).get(b"numFmtId", b"") for tag in re.findall(rb"<xf[\s/>][^<>]*", styles)
    ]
    return {str(i).encode(): codes[number] for i, number in enumerate(used) if number in codes}


def is_scaled(code: str) -> bool:
    """Whether a number format leaves off thousands: a comma after the last digit's place."""
    return _SCALED.search(_UNSHOWN.sub("", code)) is not None


def hidden_areas(seen: Seen, rows: Sequence[Sequence[Any]]) -> Iterator[Flag]:
    """Yield the hidden rows and columns that hold data, as ranges of the used area."""
    width = max(map(len, rows), default=0)
    filled = (r for r in sorted(set(seen.rows)) if r < len(rows) and any(v != "" for v in rows[r]))
    for top, bottom in _joined(filled):
        yield Flag("hidden_row", area(top, 0, bottom, width - 1), "")
    hidden = {c for first, last in seen.columns for c in range(first, min(last + 1, width))}
    held = (c for c in sorted(hidden) if any(c < len(r) and r[c] != "" for r in rows))
    for left, right in _joined(held):
        yield Flag("hidden_column", area(0, left, len(rows) - 1, right), "")


def _note_errors(seen: Seen, piece: bytes, cells: Cells) -> None:
    found = [m.start() for m in _ERROR.finditer(piece)]
    for row, column, cell in _cells_at(piece, cells, found):
        value = _VALUE.search(cell)
        if _ERROR.search(cell.partition(b">")[0]) is None or value is None:
            continue
        shown = _short(_text(value[1])) or "#"
        if seen.shown and seen.shown[-1] == shown:
            shown = seen.shown[-1]
        seen.errors.append((row << 24) | column)
        seen.shown.append(shown)
        seen.note("error", row, column, shown, same=shown)


def _note_unreckoned(seen: Seen, piece: bytes, cells: Cells) -> None:
    found = sorted(m.start() for pattern in _UNRECKONED for m in pattern.finditer(piece))
    for row, column, cell in _cells_at(piece, cells, found):
        # a formula whose result is an empty text has that as its value
        if b"<v" in cell and re.search(rb"\st\s*=\s*[\"']str", cell.partition(b">")[0]):
            continue
        formula = _FORMULA.search(cell)
        detail = _short("=" + _text(formula[2])) if formula and formula[2] else ""
        seen.note("formula_without_value", row, column, detail, same="")


def _note_hidden(seen: Seen, piece: bytes, cells: Cells) -> None:
    for match in _HIDDEN.finditer(piece):
        named = _attributes(match[2])
        if match[1] == b"col":
            first = int(named.get(b"min", b"1"))
            seen.columns.append((first - 1, int(named.get(b"max", b"%d" % first)) - 1))
        elif b"r" in named:
            seen.rows.append(int(named[b"r"]) - 1)
        elif (k := int(np.searchsorted(cells.starts, match.end()))) < len(cells):
            seen.rows.append(int(cells.rows[k]))


def _cells_at(piece: bytes, cells: Cells, at: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
    """Yield row, column and content of the cells in which some offsets lie."""
    ends = [*cells.starts[1:].tolist(), len(piece)] if at else []
    for k in np.searchsorted(cells.starts, at, side="right") - 1 if at else ():
        cell = piece[cells.starts[k] : ends[k]].partition(b"</c>")[0] if k >= 0 else b""
        yield int(cells.rows[k]), int(cells.columns[k]), cell


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(tag)}


def _joined(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each stretch of consecutive numbers."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number != last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def _text(content: bytes) -> str:
    return html.unescape(content.decode("utf-8", "replace"))


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
