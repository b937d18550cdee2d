"""Find a stream inside an OLE compound file ([MS-CFB]): where .xls keeps its workbook."""

from __future__ import annotations

from array import array
from struct import unpack_from
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.archive import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_LAST = 0xFFFFFFFA  # sector numbers from here on mean "free", "end of chain" and the like
_MINI = 64


def stream_of(content: bytes, wanted: Sequence[str], name: str) -> bytes:
    """Return the first of the wanted streams that the file has.

    Raises
    ------
    GbiError
        ``GBI-E061`` if the chains of sectors are broken, ``GBI-E062`` if the streams are
        encrypted as a package, ``GBI-E066`` if none of them is there; exit code 3.
    """
    if len(content) < 512 or not content.startswith(MAGIC):
        raise GbiError("GBI-E066", where=name, exit_code=3)
    shift = int.from_bytes(content[30:32], "little")
    if shift not in (9, 12):
        raise damaged(name, f"sector size 2^{shift}")
    size = 1 << shift
    directory, cutoff, mini_start = (unpack_from("<I", content, at)[0] for at in (48, 56, 60))
    fat = _numbers(_fat_sectors(content, size, name), content, size)
    entries = _joined(content, directory, fat, size, size, name)
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, len(entries) - 127, 128):
        length = int.from_bytes(entries[at + 64 : at + 66], "little")
        title = entries[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
        found.setdefault(title, unpack_from("<II", entries, at + 116))
        if title == "EncryptedPackage":
            raise GbiError("GBI-E062", where=name, exit_code=3)
    if not (titles := [w for w in wanted if w in found]):
        raise GbiError("GBI-E066", where=name, exit_code=3)
    start, length = found[titles[0]]
    if length >= cutoff:
        return _joined(content, start, fat, size, size, name)[:length]
    root, _ = unpack_from("<II", entries, 116)
    small = _joined(content, root, fat, size, size, name)
    mini_fat = array("I")
    mini_fat.frombytes(_joined(content, mini_start, fat, size, size, name))
    return _joined(small, start, mini_fat, _MINI, 0, name)[:length]


def _fat_sectors(content: bytes, size: int, name: str) -> list[int]:
    """Return the sectors that hold the allocation table: 109 in the header, more in a chain."""
    sectors = list(unpack_from("<109I", content, 76))
    (at,) = unpack_from("<I", content, 68)
    per = size // 4
    while at < _LAST:
        start = (at + 1) * size
        if start + size > len(content) or len(sectors) > len(content) // size + 109 + per:
            raise damaged(name, "sector chain")
        *more, at = unpack_from(f"<{per}I", content, start)
        sectors += more
    return [s for s in sectors if s < _LAST]


def _numbers(sectors: list[int], content: bytes, size: int) -> Sequence[int]:
    table = array("I")
    for s in sectors[: len(content) // size + 1]:
        part = content[(s + 1) * size : (s + 2) * size]
        table.frombytes(part[: len(part) // 4 * 4])
    return table


def _joined(
    content: bytes, start: int, table: Sequence[int], size: int, offset: int, name: str
) -> bytes:
    """Return the bytes of a chain; ``offset`` is what stands before sector 0."""
    return b"".join(
        content[s * size + offset : (s + 1) * size + offset] for s in _chain(start, table, name)
    )


def _chain(start: int, table: Sequence[int], name: str) -> Iterator[int]:
    at, steps = start, 0
    while at < _LAST:
        if at >= len(table) or steps > len(table):
            raise damaged(name, "sector chain")
        yield at
        at, steps = table[at], steps + 1
