"""Look at a workbook before any parser does: archive, names, entities, used range, text.

A few kilobytes can abort a parser's process or exhaust its memory: a cell in the last row makes a
dense grid of seventeen thousand million cells, a long text that every cell repeats is written out
for each. The limits are far above what a ministry files.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from gbi.errors import GbiError
from gbi.ingest.addresses import Cells, Walk, filled, index, without_prefixes
from gbi.ingest.archive import Archive, damaged, unsafe

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.addresses import Whole

_MIB = 1 << 20
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# Root element → what a piece of it begins with.
MARKS = ((b"worksheet", b"c"), (b"sst", b"si"))
_MERGE = re.compile(
    rb"<mergeCell\s[^>]*?\bref\s*=\s*[\"']\s*"
    rb"([A-Za-z]{1,9})([0-9]{1,9}):([A-Za-z]{1,9})([0-9]{1,9})\s*[\"']"
)
_STRING = re.compile(rb"<si[\s>/]")
_TEXT = re.compile(rb">([^<]+)")
_SHARED = re.compile(rb"<v(?:\s[^<>]*)?>\s*([0-9]{1,9})\s*<")
_MASKED = re.compile(rb"<v(?:\s[^<>]*)?>[^<&]*&")
_TARGET = re.compile(r"Target\s*=\s*[\"']([^\"']+)")

Watch = Callable[[str, bytes, Cells], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be, at most.

    Attributes
    ----------
    archive, expanded
        Bytes of the file, and of everything in it.
    entries
        Files in the archive.
    ratio
        Expanded to compressed size of one entry larger than a mebibyte.
    cells, merged
        Cells of the used ranges of a workbook's sheets together, and cells under merged areas.
    string
        Characters of one cell; 32,767 is what spreadsheet programs hold.
    text
        Bytes of the texts that cells repeat from the table of shared strings.
    """

    archive: int = 64 * _MIB
    expanded: int = 512 * _MIB
    entries: int = 2_000
    ratio: int = 200
    cells: int = 5_000_000
    merged: int = 1_000_000
    string: int = 32_767
    text: int = 128 * _MIB

    @classmethod
    def with_settings(cls, settings: Mapping[str, object]) -> Limits:
        """Return the limits with some of them set.

        Raises
        ------
        GbiError
            ``GBI-E071``: there is no such limit, or it isn't a positive whole number.
        """
        known = [f.name for f in fields(cls)]
        chosen: dict[str, int] = {}
        for name, value in settings.items():
            if name not in known:
                raise GbiError("GBI-E071", where="limits", expected=", ".join(known), got=name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise GbiError("GBI-E071", where=f"limits.{name}", expected="1, 2, 3, …",
                               got=repr(value))  # fmt: skip
            chosen[name] = value
        return cls(**chosen)


LIMITS = Limits()


def scan(path: Path, limits: Limits = LIMITS) -> None:
    """Refuse a workbook that is protected, damaged or beyond the limits.

    Raises
    ------
    GbiError
        ``GBI-E061`` (damaged), ``GBI-E062`` (password), ``GBI-E063`` (a limit; ``expected`` is
        the limit and ``got`` what was met), ``GBI-E066`` (another kind of file); exit code 3.
    """
    content = admitted(path, path.name, limits)
    look_at_parts(Archive(content, path.name, limits), limits)


def admitted(path: Path, name: str, limits: Limits = LIMITS) -> bytes:
    """Return the bytes of a file of admissible size that isn't an OLE container."""
    try:
        with path.open("rb") as handle:
            head = handle.read(len(_OLE))
            size = path.stat().st_size
            if size > limits.archive:
                raise unsafe(name, f"≤ {limits.archive} B", f"{size} B")
            content = head + handle.read(limits.archive)
    except OSError as error:
        raise damaged(name, error.strerror or type(error).__name__) from None
    if head == _OLE:
        locked = _ENCRYPTED in content
        raise GbiError("GBI-E062" if locked else "GBI-E066", where=name, exit_code=3)
    return content


def look_at_parts(archive: Archive, limits: Limits = LIMITS, watch: Watch | None = None) -> None:
    """Look at every XML part of a workbook, once.

    Parameters
    ----------
    archive
        The workbook, opened.
    limits
        What it may be at most.
    watch
        Called with each piece of a sheet: the part's name, the piece without prefixes, its
        filled cells.

    Raises
    ------
    GbiError
        ``GBI-E061``, ``GBI-E063``, ``GBI-E066``.
    """
    if archive.entry("[Content_Types].xml") is None or archive.entry("xl/workbook.xml") is None:
        raise GbiError("GBI-E066", where=archive.name, exit_code=3)
    count = _Count(archive, limits)
    named = _targets(archive)
    for part in archive.names:
        if part.lower().endswith((".xml", ".rels", ".vml")) or PurePosixPath(part).name in named:
            count.part(part, watch)
    count.check_repeated_text()


def _targets(archive: Archive) -> set[str]:
    """Return the file names that the workbook refers to: a sheet may bear any suffix."""
    links = archive.entry("xl/_rels/workbook.xml.rels")
    found = _TARGET.findall(archive.whole(links).decode("utf-8", "replace")) if links else []
    return {re.split(r"[/\\]", html.unescape(t))[-1] for t in found}


class _Count:
    """What a workbook's sheets hold together."""

    def __init__(self, archive: Archive, limits: Limits) -> None:
        self.archive, self.limits = archive, limits
        self.area = self.filled = self.merged = 0
        self.sheets: list[str] = []
        self.lengths: list[Whole] = []

    def part(self, part: str, watch: Watch | None) -> None:
        """Count one part; what makes it a sheet is that it holds cells, not its name."""
        walk, used, sheet = Walk(), (0, 0), False
        for raw in self.archive.pieces(part, MARKS):
            sheet = sheet or b"sheetData" in raw
            if not sheet and b"<si" not in raw and b":si" not in raw:
                continue
            piece = without_prefixes(raw)
            if sheet:
                try:
                    cells = filled(piece, walk.cells(piece))
                except ValueError as error:
                    raise damaged(self.archive.name, f"{part}: {error}") from None
                used = self._used(part, cells, used, walk.reach)
                self._check_strings(part, piece, b"<c", b"</c>")
                self._merged(part, piece)
                if watch is not None:
                    watch(part, piece, cells)
            else:
                self._strings(part, piece)
        if sheet:
            self.sheets.append(part)
            self.area += used[0] * used[1]

    def _used(self, part: str, cells: Cells, used: tuple[int, int], reach: int) -> tuple[int, int]:
        rows = max(used[0], reach + 1, int(cells.rows.max(initial=-1)) + 1)
        columns = max(used[1], int(cells.columns.max(initial=-1)) + 1)
        self.filled += len(cells)
        if max(self.area + rows * columns, self.filled) > self.limits.cells:
            met = f"{part}: {rows} × {columns}, {self.filled}"
            raise unsafe(self.archive.name, f"≤ {self.limits.cells} cells", met)
        return rows, columns

    def _merged(self, part: str, piece: bytes) -> None:
        if b"<mergeCell" not in piece:
            return
        for c0, r0, c1, r1 in _MERGE.findall(piece):
            self.merged += (abs(int(r1) - int(r0)) + 1) * (abs(index(c1) - index(c0)) + 1)
        if self.merged > self.limits.merged:
            raise unsafe(self.archive.name, f"≤ {self.limits.merged} merged cells",
                         f"{part}: {self.merged}")  # fmt: skip

    def _strings(self, part: str, piece: bytes) -> None:
        starts = [m.start() for m in _STRING.finditer(piece)]
        ends = np.array([*starts[1:], len(piece)][: len(starts)], dtype=np.int64)
        self.lengths.append(ends - np.array(starts, dtype=np.int64))
        if (met := sum(map(len, self.lengths))) > self.limits.cells:
            raise unsafe(self.archive.name, f"≤ {self.limits.cells} strings", f"{part}: {met}")
        self._check_strings(part, piece, b"<si", b"</si>")

    def _check_strings(self, part: str, piece: bytes, begin: bytes, end: bytes) -> None:
        """Measure the texts, but only where half the limit passes without a new one beginning."""
        step = max(self.limits.string // 2, 1)
        if all(piece.find(begin, i, i + step) >= 0 for i in range(0, len(piece) - step + 1, step)):
            return
        for element in piece.split(begin):
            body = element.partition(end)[0].partition(b"</row")[0]
            if len(body) <= self.limits.string:
                continue
            raw = b"[CDATA[" in body
            text = body if raw else b"".join(_TEXT.findall(body))
            met = len(html.unescape(text.decode("utf-8", "replace")))
            if met > self.limits.string:
                raise unsafe(self.archive.name, f"≤ {self.limits.string} characters",
                             f"{part}: {met}")  # fmt: skip

    def check_repeated_text(self) -> None:
        """Bound the text that cells repeat; look at which they repeat only if it may be much."""
        lengths = np.concatenate([np.zeros(0, dtype=np.int64), *self.lengths])
        longest = int(lengths.max(initial=0))
        if longest * self.filled <= self.limits.text:
            return
        met = 0
        for part in self.sheets:
            for piece in map(without_prefixes, self.archive.pieces(part, MARKS)):
                found = np.array(_SHARED.findall(piece), dtype=np.int64)
                met += int(lengths[found[found < len(lengths)]].sum())
                met += longest * len(_MASKED.findall(piece))
                if met > self.limits.text:
                    raise unsafe(self.archive.name, f"≤ {self.limits.text} B of text", f"{met} B")
