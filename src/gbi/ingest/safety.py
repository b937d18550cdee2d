"""Look at a workbook before any parser does: archive size, names, entities, used range.

A few kilobytes can abort a parser's process or exhaust its memory: a cell in the last row makes a
dense grid of seventeen thousand million cells, an archive of zeros expands a thousandfold. The
limits are far above what a ministry files.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from gbi.errors import GbiError

if TYPE_CHECKING:
    from pathlib import Path

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BLOCK, _OVERLAP = 1 << 20, 4096
_MIB = 1 << 20

_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br\s*=\s*[\"']([0-9]{1,7})[\"']")
_MERGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']"
    rb"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may be, at most.

    Attributes
    ----------
    archive, expanded
        Bytes of the file, and of everything in it.
    entries
        Files in the archive.
    ratio
        Expanded to compressed size of one entry larger than a mebibyte.
    cells, merged
        Cells of a sheet's used range, and cells under merged areas.
    """

    archive: int = 64 * _MIB
    expanded: int = 512 * _MIB
    entries: int = 5_000
    ratio: int = 200
    cells: int = 5_000_000
    merged: int = 1_000_000


LIMITS = Limits()


def _unsafe(path: Path, limit: str, value: object) -> GbiError:
    return GbiError("GBI-E063", where=path.name, expected=limit, got=str(value), exit_code=3)


def scan(path: Path, limits: Limits = LIMITS) -> None:
    """Refuse a workbook that is protected, damaged or beyond the limits.

    Raises
    ------
    GbiError
        ``GBI-E061`` (damaged), ``GBI-E062`` (password), ``GBI-E063`` (a limit; ``expected`` is
        the limit and ``got`` what was met), ``GBI-E066`` (another kind of file); exit code 3.
    """
    with path.open("rb") as handle:
        head = handle.read(len(_OLE))
    if head == _OLE:
        locked = _ENCRYPTED in path.read_bytes()
        raise GbiError("GBI-E062" if locked else "GBI-E066", where=path.name, exit_code=3)
    size = path.stat().st_size
    if size > limits.archive:
        raise _unsafe(path, f"≤ {limits.archive} B", f"{size} B")
    try:
        with zipfile.ZipFile(path) as archive:
            _scan_archive(path, archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise GbiError("GBI-E061", where=path.name, got=type(error).__name__, exit_code=3) from None
    except RuntimeError:  # zipfile's word for an entry that wants a password
        raise GbiError("GBI-E062", where=path.name, exit_code=3) from None
    except OSError as error:
        raise GbiError("GBI-E061", where=path.name, got=error.strerror, exit_code=3) from None


def _scan_archive(path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise _unsafe(path, f"≤ {limits.entries} entries", len(entries))
    names = [e.filename for e in entries]
    for name in names:
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
            raise _unsafe(path, "entry names inside the archive", name)
    if len(set(names)) != len(names):
        raise _unsafe(path, "each entry once", "an entry name twice")
    expanded = sum(e.file_size for e in entries)
    if expanded > limits.expanded:
        raise _unsafe(path, f"≤ {limits.expanded} B expanded", f"{expanded} B")
    for e in entries:
        if e.file_size > _MIB and e.file_size > limits.ratio * max(e.compress_size, 1):
            raise _unsafe(path, f"ratio ≤ {limits.ratio}", e.file_size // max(e.compress_size, 1))
    if "[Content_Types].xml" not in names:
        raise GbiError("GBI-E066", where=path.name, exit_code=3)
    for e in entries:
        if e.filename.endswith((".xml", ".rels", ".vml")):
            with archive.open(e) as stream:
                _scan_part(path, e.filename, stream, limits)


def _scan_part(path: Path, name: str, stream: IO[bytes], limits: Limits) -> None:
    """Read one XML part in blocks; nothing is parsed, so nothing can be expanded."""
    rows = columns = merged = 0
    tail = b""
    sheet = _SHEET.fullmatch(name) is not None
    while block := stream.read(_BLOCK):
        window = tail + block
        if b"<!DOCTYPE" in window or b"<!ENTITY" in window or b"<\x00!\x00D" in window:
            raise _unsafe(path, "no document type declaration", name)
        if sheet:
            for letters, row in _CELL.findall(window):
                columns, rows = max(columns, _index(letters)), max(rows, int(row))
            rows = max([rows, *(int(r) for r in _ROW.findall(window))])
            # the overlap may count an area twice: the limit is far from any honest file
            merged += sum(
                (int(r1) - int(r0) + 1) * (_index(c1) - _index(c0) + 1)
                for c0, r0, c1, r1 in _MERGE.findall(window)
            )
        tail = window[-_OVERLAP:]
        if rows * max(columns, 1) > limits.cells:
            raise _unsafe(path, f"≤ {limits.cells} cells", f"{name}: {rows} × {columns}")
        if merged > limits.merged:
            raise _unsafe(path, f"≤ {limits.merged} merged cells", f"{name}: {merged}")


def _index(letters: bytes) -> int:
    value = 0
    for letter in letters:
        value = value * 26 + letter - 64
    return value
