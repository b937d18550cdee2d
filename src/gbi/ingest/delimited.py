"""Read delimited text as a grid: UTF-8 only, the delimiter found, never assumed."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.safety import Limits

_DELIMITERS = (",", ";", "\t", "|")


def open_delimited(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a delimited text file; its addresses are those that a spreadsheet would show.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E064`` if it is not UTF-8 (with the line), ``GBI-E061`` if its quotes
        don't close, ``GBI-E063`` if it is larger than a submission's file can be.
    """
    size = path.stat().st_size
    if size > limits.expanded:
        limit = f"≤ {limits.expanded} B"
        raise GbiError("GBI-E063", where=name, expected=limit, got=f"{size} B", exit_code=3)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, content, error.start) from None
    if "\x00" in text:
        raise _not_utf8(name, content, content.index(0))
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    except csv.Error as error:
        raise GbiError("GBI-E061", where=name, got=str(error), exit_code=3) from None
    return Opened([Grid(name, "", rows)])


def _not_utf8(name: str, content: bytes, at: int) -> GbiError:
    line = content.count(b"\n", 0, at) + 1
    got = f"0x{content[at]:02x}"
    return GbiError("GBI-E064", where=f"{name}:{line}", expected="UTF-8", got=got, exit_code=3)


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first line into the most parts; a comma if none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {d: len(next(csv.reader([first], delimiter=d), [])) for d in _DELIMITERS}
    return max(_DELIMITERS, key=lambda d: counts[d])
