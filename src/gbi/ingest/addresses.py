"""Where the cells of a worksheet stand, found in the bytes of its XML.

No tree is built and no grid is allocated: a piece of a megabyte takes a few milliseconds, and what
a file claims to be as large as a million columns is only counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

_PREFIX = re.compile(rb"<(/?)[A-Za-z_][\w.-]*:")
_PREFIXED = (b":c", b":row", b":merge", b":si", b":sheetData")
_FIRST = np.array([p[1] for p in _PREFIXED], dtype=np.uint8)
_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>")
_REFERENCE = re.compile(rb"\sr\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_A1 = re.compile(rb"([A-Za-z]{1,9})([0-9]{1,9})")
_EMPTY = re.compile(rb"<c(?:\s(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)?(?:/>|>\s*</c\s*>)")
_LAST_ROW = (1 << 20) - 1


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a piece of a sheet, in the order of the file.

    Attributes
    ----------
    starts
        Where each ``<c`` begins in the piece.
    rows, columns
        Positions counted from 0.
    """

    starts: Whole
    rows: Whole
    columns: Whole

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def only(self, chosen: NDArray[np.bool_]) -> Cells:
        """Return some of the cells."""
        return Cells(self.starts[chosen], self.rows[chosen], self.columns[chosen])


def without_prefixes(piece: bytes) -> bytes:
    """Return a piece with ``<x:c`` written as ``<c``; most pieces have no prefix to take away."""
    content = np.frombuffer(piece, dtype=np.uint8)
    follows = content[np.flatnonzero(content[:-1] == ord(":")) + 1]
    if np.isin(follows, _FIRST).any() and any(p in piece for p in _PREFIXED):
        return _PREFIX.sub(rb"<\1", piece)
    return piece


def filled(piece: bytes, cells: Cells) -> Cells:
    """Return the cells that hold something: a format alone takes no room in a grid."""
    if piece.count(b"</c>") == len(cells):
        return cells
    empty = np.array([m.start() for m in _EMPTY.finditer(piece)], dtype=np.int64)
    return cells.only(~np.isin(cells.starts, empty))


def index(letters: bytes) -> int:
    """Return a column counted from 0: ``A`` is 0, ``AA`` is 26."""
    value = 0
    for letter in letters.upper():
        value = value * 26 + letter - 64
    return value - 1


class Walk:
    """A walk over one sheet, piece after piece: rows and cells may leave their address out.

    Attributes
    ----------
    row, column
        Where the last row stands and the last cell of it.
    reach
        The farthest row that a cell without an address may stand in.
    """

    def __init__(self) -> None:
        self.row = self.column = self.reach = self._farthest = -1
        self._skipped = False

    def cells(self, piece: bytes) -> Cells:
        """Return the cells of a piece that begins and ends between two tags.

        Raises
        ------
        ValueError
            An address is none, or the tags are not well formed.
        """
        content = np.frombuffer(piece + bytes(20), dtype=np.uint8)
        starts = _found(content, b"<c")
        after = content[starts + 2]
        starts = starts[(after <= ord("/")) | (after == ord(">"))]
        last = piece.rfind(b"<row")
        tag = _TAG.match(piece, last) if last >= 0 else None
        named = _REFERENCE.search(tag.group()) if tag is not None else None
        if last >= 0 and named is None:
            return self._told_one_by_one(piece)
        plain = _plain(content, starts)
        if plain is None:
            return self._told_one_by_one(piece)
        self._skipped |= last >= 0
        if named is not None:
            self._move(int(named[1] or named[2]) - 1)
        if len(plain) and plain.starts[-1] > last:
            self.column = int(plain.columns[-1])
        return plain

    def _move(self, row: int) -> None:
        self.row, self.column = row, -1
        self._farthest = max(self._farthest, row)

    def _told_one_by_one(self, piece: bytes) -> Cells:
        """Follow rows and cells tag by tag, as a reader does that finds no addresses."""
        starts, rows, columns, tags = [], [], [], 0
        for match in _TAG.finditer(piece):
            tags += 1
            tag = match.group()
            name = tag[1:5].rstrip(b"/>")
            if name[:3] == b"row" and not name[3:].strip():
                told = _REFERENCE.search(tag)
                self._move(int(told[1] or told[2]) - 1 if told else self._farthest + 1)
            elif name[:1] == b"c" and not name[1:2].strip(b" \t\r\n/"):
                told = _REFERENCE.search(tag)
                row, self.column = self.row, self.column + 1
                if told is None:
                    # rows of which only the last was looked at could be feigned to go back
                    last = _LAST_ROW if self._skipped else -1
                    self.reach = max(self.reach, self._farthest, last)
                elif (address := _A1.fullmatch(told[1] or told[2] or b"")) is not None:
                    row, self.column = int(address[2]) - 1, index(address[1])
                else:
                    raise ValueError("cell address")
                starts.append(match.start())
                rows.append(max(row, 0))
                columns.append(self.column)
        if tags != piece.count(b"<"):
            raise ValueError("markup inside markup")
        return Cells(*(np.array(x, dtype=np.int64) for x in (starts, rows, columns)))


def _found(content: NDArray[np.uint8], two: bytes) -> Whole:
    """Return where two bytes stand, looking at two at a time."""
    wanted, pairs = np.frombuffer(two, dtype="<u2")[0], len(content) // 2 - 1
    even, odd = (
        np.flatnonzero(np.frombuffer(content, "<u2", pairs, shift) == wanted) * 2 + shift
        for shift in (0, 1)
    )
    return np.sort(np.concatenate((even, odd)), kind="stable")


def _plain(content: NDArray[np.uint8], starts: Whole) -> Cells | None:
    """Read addresses where every cell begins with ``<c r="``; None if one doesn't."""
    if not all(np.all(content[starts + i] == wanted) for i, wanted in enumerate(b" r=", 2)):
        return None
    quote = content[starts + 5]
    first, second, third = (content[starts + n] - np.uint8(64) for n in (6, 7, 8))
    two = (second >= 1) & (second <= 26)
    three = two & (third >= 1) & (third <= 26)
    columns = first.astype(np.int64)
    columns = np.where(two, columns * 26 + second, columns)
    columns = np.where(three, columns * 26 + third, columns)
    rows, more = np.zeros(len(starts), np.int64), np.ones(len(starts), np.bool_)
    at = starts + 7 + two + three
    for place in range(8):
        byte = content[at + place]
        digit = byte - np.uint8(48)
        known = digit <= 9
        if np.any(more & ~known & (byte != quote)):
            return None
        more &= known
        if not more.any():
            break
        rows = np.where(more, rows * 10 + digit, rows)
    sound = (first >= 1) & (first <= 26) & ((quote == ord('"')) | (quote == ord("'"))) & (rows > 0)
    return Cells(starts, rows - 1, columns - 1) if np.all(sound & ~more) else None
