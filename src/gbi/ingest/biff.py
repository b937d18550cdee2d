"""Walk the records of .xls ([MS-XLS]) and .xlsb ([MS-XLSB]): what the sheets take, their errors.

Only what bears on safety and fidelity is read here; values are the parser's business.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812 (it is a class)
from struct import unpack_from
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.archive import damaged, unsafe
from gbi.ingest.compound_file import stream_of
from gbi.ingest.extent import Extent, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gbi.ingest.safety import Limits

_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!",
    0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A", 0x2B: "#GETTING_DATA",
}  # fmt: skip

# [MS-XLS] 2.3: the records that matter
_BOF, _EOF, _FILEPASS, _SHEET, _SST, _CONTINUE, _MERGED = 0x809, 0x0A, 0x2F, 0x85, 0xFC, 0x3C, 0xE5
_FORMULA, _NUMBER, _LABEL, _BOOLERR, _STRING = 0x06, 0x203, 0x204, 0x205, 0x207
_RK, _LABELSST, _MULRK = 0x27E, 0xFD, 0xBD

# [MS-XLSB] 2.3
_ROW, _CELL_ERROR, _CELL_TEXT, _CELL_SHARED = 0, 3, (6, 8), 7
_CELL_LAST, _FORMULA_ERROR, _SHARED, _MERGE = 11, 11, 19, 176
_BUNDLE = 156
_RECORD = 16 << 20


def xls_extents(content: bytes, name: str, limits: Limits) -> list[Extent]:
    """Return what each sheet of an .xls takes, in the order of the workbook.

    Raises
    ------
    GbiError
        ``GBI-E061`` (damaged), ``GBI-E062`` (password), ``GBI-E063`` (a limit), ``GBI-E066``
        (an OLE file that is no workbook); exit code 3.
    """
    stream = stream_of(content, ("Workbook", "Book"), name)
    starts: list[int] = []
    shared: list[bytes] = []  # the table of shared texts: its record and those that continue it
    last = 0
    try:
        for kind, data in _records(stream, 0):
            if kind == _FILEPASS:
                raise GbiError("GBI-E062", where=name, exit_code=3)
            if kind == _SHEET:
                starts += unpack_from("<I", data)
            elif kind == _SST or (kind == _CONTINUE and last == _SST):
                shared.append(data)
                kind = _SST
            elif kind == _EOF:
                break
            last = kind
        lengths = _shared_lengths(shared)
        extents: list[Extent] = []
        for start in starts:
            extents.append(_sheet(stream, start, lengths))
            check(extents, name, limits)
    except (StructError, IndexError) as error:
        raise damaged(name, type(error).__name__) from None
    return extents


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _sheet(stream: bytes, start: int, lengths: list[int]) -> Extent:
    extent = Extent()
    depth = 0  # a chart inside the sheet has a BOF and an EOF of its own
    at = (0, 0)
    for kind, data in _records(stream, start):
        if kind in (_NUMBER, _RK, _LABELSST, _LABEL, _BOOLERR, _MULRK, _FORMULA):
            at = row, column = unpack_from("<HH", data)
            text = 0
            if kind == _MULRK:
                (column,) = unpack_from("<H", data, len(data) - 2)
            elif kind == _LABELSST:
                (i,) = unpack_from("<I", data, 6)
                text = lengths[i] if i < len(lengths) else 0
            elif kind == _LABEL:
                (text,) = unpack_from("<H", data, 6)
            elif kind == _BOOLERR and data[7]:
                extent.error(*at, _ERRORS.get(data[6], "#"))
            elif kind == _FORMULA and data[6] == 2 and data[12:14] == b"\xff\xff":
                extent.error(*at, _ERRORS.get(data[8], "#"))
            extent.add(row, column, text, max(column - at[1] + 1, 1))
        elif kind == _STRING:  # the text that the formula before it gives
            extent.add(*at, text=unpack_from("<H", data)[0])
        elif kind == _MERGED:
            (count,) = unpack_from("<H", data)
            for i in range(count):
                top, bottom, left, right = unpack_from("<4H", data, 2 + 8 * i)
                extent.merge(((top, left), (bottom, right)))
        elif kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
    return extent


def _shared_lengths(parts: list[bytes]) -> list[int]:
    """Return the length of each shared text; texts run on from one record into the next."""
    if not parts:
        return []
    (count,) = unpack_from("<I", parts[0], 4)
    lengths: list[int] = []
    part, at = 0, 8
    while len(lengths) < count:
        if at >= len(parts[part]):
            part, at = part + 1, 0
            if part == len(parts):
                break
            continue
        length, flags = unpack_from("<HB", parts[part], at)
        at += 3
        after = 0
        if flags & 8:
            after += 4 * int(unpack_from("<H", parts[part], at)[0])
            at += 2
        if flags & 4:
            after += int(unpack_from("<I", parts[part], at)[0])
            at += 4
        lengths.append(length)
        left = length
        while True:  # the letters; each continuation says anew whether they take one byte or two
            width = 2 if flags & 1 else 1
            here = min(left, (len(parts[part]) - at) // width)
            at, left = at + here * width, left - here
            if not left or part + 1 == len(parts):
                break
            part, at, flags = part + 1, 1, parts[part + 1][0]
        while after > len(parts[part]) - at and part + 1 < len(parts):
            after -= len(parts[part]) - at
            part, at = part + 1, 0
        at += after
    return lengths


def xlsb_records(blocks: Iterable[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: number and data.

    Raises
    ------
    GbiError
        ``GBI-E061`` if the part ends within a record, ``GBI-E063`` if a record is too long.
    """
    waiting = b""
    for block in blocks:
        waiting += block
        at = 0
        size = len(waiting)
        while at < size:
            # a cell: both numbers take a byte
            if at + 1 < size and waiting[at] < 0x80 and waiting[at + 1] < 0x80:
                kind, start, length = waiting[at], at + 2, waiting[at + 1]
            elif head := _head(waiting, at):
                kind, start, length = head
            else:
                break
            if length > _RECORD:
                raise unsafe(name, f"≤ {_RECORD} B a record", f"{length} B")
            if start + length > size:
                break
            at = start + length
            yield kind, waiting[start:at]
        waiting = waiting[at:]
    if waiting:
        raise damaged(name, "record cut off")


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return a record's number, where its data begin and how long they are; None if cut off."""
    numbers = []
    for most in (2, 4):  # both are written seven bits a byte, the last byte without the eighth
        value = 0
        for i in range(most):
            if at >= len(data):
                return None
            value |= (data[at] & 0x7F) << (7 * i)
            at += 1
            if data[at - 1] < 0x80:
                break
        numbers.append(value)
    return numbers[0], at, numbers[1]


def xlsb_shared_lengths(blocks: Iterable[bytes], name: str) -> list[int]:
    """Return the length of each shared text."""
    try:
        return [
            unpack_from("<I", data, 1)[0]
            for kind, data in xlsb_records(blocks, name)
            if kind == _SHARED
        ]
    except StructError:
        raise damaged(name, "shared texts") from None


def xlsb_sheets(blocks: Iterable[bytes], name: str) -> list[str]:
    """Return the relation of each sheet of a workbook part, in its order."""
    try:
        return [
            data[12 : 12 + 2 * unpack_from("<I", data, 8)[0]].decode("utf-16-le")
            for kind, data in xlsb_records(blocks, name)
            if kind == _BUNDLE and data[8:12] != b"\xff" * 4
        ]
    except (StructError, UnicodeDecodeError):
        raise damaged(name, "list of sheets") from None


def xlsb_extent(blocks: Iterable[bytes], lengths: list[int], name: str) -> Extent:
    """Return what a sheet of an .xlsb takes."""
    extent = Extent()
    row = 0
    try:
        for kind, data in xlsb_records(blocks, name):
            if kind == _ROW:
                (row,) = unpack_from("<I", data)
            elif 1 < kind <= _CELL_LAST:  # 1 is an empty cell with a format
                (column,) = unpack_from("<I", data)
                text = 0
                if kind == _CELL_SHARED:
                    (i,) = unpack_from("<I", data, 8)
                    text = lengths[i] if i < len(lengths) else 0
                elif kind in _CELL_TEXT:
                    (text,) = unpack_from("<I", data, 8)
                elif kind in (_CELL_ERROR, _FORMULA_ERROR):
                    extent.error(row, column, _ERRORS.get(data[8], "#"))
                extent.add(row, column, text)
            elif kind == _MERGE:
                top, bottom, left, right = unpack_from("<4I", data)
                extent.merge(((top, left), (bottom, right)))
    except (StructError, IndexError):
        raise damaged(name, "cell record") from None
    return extent
