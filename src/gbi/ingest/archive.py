"""A zip archive opened with care: names, sizes and encodings are checked, nothing is believed.

Workbooks of several kinds are such archives. A declared size is a claim: entries are inflated here
block by block, counted, and given up at the limit.
"""

from __future__ import annotations

import codecs
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from gbi.errors import GbiError

if TYPE_CHECKING:
    from gbi.ingest.safety import Limits

_MIB = 1 << 20
_BLOCK, _FEED, _LONGEST_PIECE = _MIB, 1 << 16, 4 * _MIB
_LOCAL = struct.Struct("<4s5H3L2H")
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}


def damaged(name: str, got: str) -> GbiError:
    """Return the error of a file that can't be read as what it is."""
    return GbiError("GBI-E061", where=name, got=got, exit_code=3)


def unsafe(name: str, limit: str, met: object) -> GbiError:
    """Return the error of a file beyond a limit."""
    return GbiError("GBI-E063", where=name, expected=limit, got=str(met), exit_code=3)


class Archive:
    """The entries of an archive within the limits.

    Parameters
    ----------
    content
        The bytes of the file.
    name
        The file's name inside its submission.
    limits
        What it may be at most.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (no archive, or a damaged one), ``GBI-E062`` (an entry wants a
        password), ``GBI-E063`` (a limit).
    """

    def __init__(self, content: bytes, name: str, limits: Limits) -> None:
        self._content, self.name, self._limits = memoryview(content), name, limits
        # each entry has such a mark, and counting marks costs nothing
        if (marks := content.count(b"PK\x01\x02")) > limits.entries:
            raise unsafe(name, f"≤ {limits.entries} entries", marks)
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
            raise damaged(name, type(error).__name__) from None
        self._directories = content.count(b"PK\x05\x06") + content.count(b"PK\x06\x06")
        self._check(entries)
        self._entries = {e.filename: e for e in entries}
        self._any_case = {e.filename.lower(): e.filename for e in entries}
        self._whole: dict[str, bytes] = {}

    @property
    def unambiguous(self) -> bool:
        """Whether every reader finds this directory of entries, since there is no other."""
        return self._directories == 1

    @property
    def names(self) -> tuple[str, ...]:
        """The entries, in the archive's order."""
        return tuple(self._entries)

    def entry(self, name: str) -> str | None:
        """Return an entry by its name in any case, as readers look for it; None without one."""
        return self._any_case.get(name.lower())

    def _check(self, entries: list[zipfile.ZipInfo]) -> None:
        limits = self._limits
        for name in (e.orig_filename for e in entries):
            parts = re.split(r"[/\\]", name)
            if not name or not parts[0] or ".." in parts or ":" in name or "\x00" in name:
                raise unsafe(self.name, "entry names inside the archive", name)
        if len({e.filename.lower() for e in entries}) != len(entries):
            raise unsafe(self.name, "each entry once", "an entry name twice")
        if (expanded := sum(e.file_size for e in entries)) > limits.expanded:
            raise unsafe(self.name, f"≤ {limits.expanded} B expanded", f"{expanded} B")
        for e in entries:
            if e.flag_bits & 0x1:
                raise GbiError("GBI-E062", where=self.name, exit_code=3)
            if e.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise damaged(self.name, f"{e.filename}: {e.compress_type}")
            if e.file_size > _MIB and (r := e.file_size // max(e.compress_size, 1)) > limits.ratio:
                raise unsafe(self.name, f"ratio ≤ {limits.ratio}", r)

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield an entry's bytes, never more at once than a block and never more than declared."""
        entry, size, crc = self._entries[name], 0, 0
        for block in self._inflated(entry):
            size, crc = size + len(block), zlib.crc32(block, crc)
            if size > entry.file_size:
                break
            yield block
        if size != entry.file_size or crc != entry.CRC:
            raise damaged(self.name, name)

    def _inflated(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        header = self._content[entry.header_offset : entry.header_offset + _LOCAL.size]
        if len(header) < _LOCAL.size:
            raise damaged(self.name, entry.filename)
        mark, *_, names, extra = _LOCAL.unpack(header)
        if mark != b"PK\x03\x04":
            raise damaged(self.name, entry.filename)
        start = entry.header_offset + _LOCAL.size + names + extra
        packed = self._content[start : start + entry.compress_size]
        if entry.compress_type == zipfile.ZIP_STORED:
            yield from (bytes(packed[i : i + _BLOCK]) for i in range(0, len(packed), _BLOCK))
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for i in range(0, len(packed), _FEED):
                waiting: bytes | memoryview = packed[i : i + _FEED]
                while waiting and not inflater.eof:
                    yield inflater.decompress(waiting, _BLOCK)
                    waiting = inflater.unconsumed_tail
            if not inflater.eof:
                yield inflater.flush(_BLOCK)
        except zlib.error:
            raise damaged(self.name, entry.filename) from None

    def whole(self, name: str, at_most: int = 16 * _MIB) -> bytes:
        """Return a small XML part at once; it is inflated once, and a tree may be made of it."""
        if name not in self._whole:
            if self._entries[name].file_size > at_most:
                raise unsafe(self.name, f"≤ {at_most} B", name)
            text = b"".join(_as_utf8(self.blocks(name)))
            self._whole[name] = b"".join(self._declared(name, iter((text,))))
        return self._whole[name]

    def pieces(self, name: str, marks: tuple[tuple[bytes, bytes], ...] = ()) -> Iterator[bytes]:
        """Yield an XML part in UTF-8, in pieces that begin with a tag.

        Parameters
        ----------
        name
            The entry.
        marks
            Root element → the element that a piece begins with, so that none is cut in two.

        Raises
        ------
        GbiError
            ``GBI-E063``: a document type is declared (nothing is parsed, nothing is expanded).
        """
        if name in self._whole:
            return iter((self._whole[name],))
        return self._declared(name, _cut(_as_utf8(self.blocks(name)), dict(marks)))

    def _declared(self, name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if b"!" in piece and _DECLARATION.search(piece):
                raise unsafe(self.name, "no document type declaration", name)
            yield piece


def _as_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks, b"")
    wide = _WIDE.get(first[:2])
    if wide is None:
        yield first
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(wide)("replace")
    for block in itertools.chain((first,), blocks):
        yield decoder.decode(block).encode("utf-8", "replace")


def _cut(blocks: Iterator[bytes], marks: dict[bytes, bytes]) -> Iterator[bytes]:
    """Cut before a tag: before the element that matters, where the root is known to hold it."""
    waiting, mark = b"", b""
    for block in blocks:
        waiting += block
        if len(waiting) < _BLOCK:
            continue
        if not mark:
            root = re.search(rb"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s>/]", waiting)
            mark = b"<%s%s" % (root[1] or b"", marks.get(root[2], b"")) if root else b"<"
        cut = waiting.rfind(mark)
        if cut <= 0 and len(waiting) >= _LONGEST_PIECE:
            cut = waiting.rfind(b"<")
            cut = len(waiting) if cut <= 0 else cut
        if cut > 0:
            yield waiting[:cut]
            waiting = waiting[cut:]
    if waiting:
        yield waiting
