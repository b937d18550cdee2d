"""A workbook's package written again with some parts changed: what isn't named stays as it was.

The other parts are copied as they lie in the archive, still compressed, so that nothing which this
program doesn't know (drawings, comments, links, custom parts) can be lost or altered.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_FIELD = struct.Struct("<2H")
_VERSION = 20  # of the format: compressed entries, folders
_UTF8, _DESCRIPTOR = 0x800, 0x8
_ZIP64 = 1
_LEVEL = 2  # fast: as spreadsheet programs compress
_FIRST_DATE = (0, 0x21)  # 1980-01-01, the first day that a zip can write: no clock in the file


@dataclass(frozen=True, slots=True)
class _Member:
    """What an entry's two headers say."""

    name: bytes
    flags: int
    method: int
    stamp: tuple[int, int]
    crc: int
    packed: int
    expanded: int
    extra: bytes = b""
    comment: bytes = b""
    made_by: int = _VERSION
    needs: int = _VERSION
    internal: int = 0
    external: int = 0


def rewritten(
    content: bytes,
    replaced: Mapping[str, Iterable[bytes]],
    *,
    last: str = "",
) -> bytes:
    """Return an archive with some entries replaced or added.

    Parameters
    ----------
    content
        The archive; its directory was checked (see :class:`gbi.ingest.archive.Archive`).
    replaced
        Entry → its new bytes, in pieces that are compressed as they come. One that the archive
        doesn't hold is added at the end.
    last
        The entry to make last, for its bytes are known only when the others were made.
    """
    out, directory = BytesIO(), bytearray()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        entries, remark = archive.infolist(), archive.comment
    entries.sort(key=lambda e: e.filename == last)
    for entry in entries:
        start = out.tell()
        if entry.filename in replaced:
            member = _packed(out, _member(entry), replaced[entry.filename])
        else:
            member = _copied(out, _member(entry), content, entry.header_offset)
        directory += _central(member, start)
    held = {entry.filename for entry in entries}
    fresh = {name: pieces for name, pieces in replaced.items() if name not in held}
    for name, pieces in fresh.items():
        start = out.tell()
        member = _Member(name.encode(), _UTF8, zipfile.ZIP_DEFLATED, _FIRST_DATE, 0, 0, 0)
        directory += _central(_packed(out, member, pieces), start)
    start, count = out.tell(), len(entries) + len(fresh)
    out.write(directory)
    out.write(
        _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, len(remark)) + remark
    )
    return out.getvalue()


def _member(entry: zipfile.ZipInfo) -> _Member:
    year, month, day, hour, minute, second = entry.date_time
    utf8 = bool(entry.flag_bits & _UTF8)
    return _Member(
        entry.orig_filename.encode("utf-8" if utf8 else "cp437"),
        # sizes are known here, so no descriptor follows the data
        entry.flag_bits & ~_DESCRIPTOR,
        entry.compress_type,
        (hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day),
        entry.CRC, entry.compress_size, entry.file_size,
        _without_zip64(entry.extra), entry.comment,
        entry.create_system << 8 | entry.create_version, entry.extract_version,
        entry.internal_attr, entry.external_attr,
    )  # fmt: skip


def _without_zip64(extra: bytes) -> bytes:
    """Leave out the field of sizes beyond 4 GiB, which the headers written here hold themselves."""
    kept = b""
    while len(extra) >= _FIELD.size:
        kind, size = _FIELD.unpack_from(extra)
        field, extra = extra[: _FIELD.size + size], extra[_FIELD.size + size :]
        kept += field if kind != _ZIP64 else b""
    return kept


def _local(member: _Member, extra: bytes) -> bytes:
    return (
        _LOCAL.pack(
            b"PK\x03\x04", member.needs, member.flags, member.method, *member.stamp,
            member.crc, member.packed, member.expanded, len(member.name), len(extra),
        ) + member.name + extra
    )  # fmt: skip


def _central(member: _Member, start: int) -> bytes:
    return (
        _CENTRAL.pack(
            b"PK\x01\x02", member.made_by, member.needs, member.flags, member.method,
            *member.stamp, member.crc, member.packed, member.expanded, len(member.name),
            len(member.extra), len(member.comment), 0, member.internal, member.external, start,
        ) + member.name + member.extra + member.comment
    )  # fmt: skip


def _copied(out: BytesIO, member: _Member, content: bytes, offset: int) -> _Member:
    """Copy an entry as it is compressed."""
    *_, names, extras = _LOCAL.unpack_from(content, offset)
    begin = offset + _LOCAL.size + names
    data = begin + extras
    out.write(_local(member, _without_zip64(content[begin:data])))
    out.write(memoryview(content)[data : data + member.packed])
    return member


def _packed(out: BytesIO, member: _Member, pieces: Iterable[bytes]) -> _Member:
    """Compress an entry piece by piece; its sizes are written when they are known."""
    start, crc, size = out.tell(), 0, 0
    out.write(_local(member, b""))
    begin = out.tell()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        out.write(packer.compress(piece))
    out.write(packer.flush())
    end = out.tell()
    written = _Member(
        member.name, member.flags, zipfile.ZIP_DEFLATED, member.stamp, crc, end - begin, size,
        comment=member.comment, made_by=member.made_by, needs=max(member.needs, _VERSION),
        internal=member.internal, external=member.external,
    )  # fmt: skip
    out.seek(start)
    out.write(_local(written, b""))
    out.seek(end)
    return written
