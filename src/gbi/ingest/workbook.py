"""Read a workbook's values: every sheet as a grid, merged areas known, addresses kept."""

from __future__ import annotations

import posixpath
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from gbi.errors import GbiError
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import LIMITS, scan

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.safety import Limits

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def open_workbook(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read every sheet.

    Parameters
    ----------
    path
        The workbook; it is scanned first (see :mod:`gbi.ingest.safety`).
    name
        The file's name inside its submission.
    limits
        What it may be at most.

    Raises
    ------
    GbiError
        Exit code 3: damaged, protected, unsafe, or no workbook.
    """
    import python_calamine

    scan(path, limits)
    content = path.read_bytes()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
        sheets = book.sheet_names
        return Opened([_grid(book.get_sheet_by_name(s), name, content) for s in sheets])
    except python_calamine.PasswordError:
        raise GbiError("GBI-E062", where=name, exit_code=3) from None
    except (python_calamine.CalamineError, OSError, ElementTree.ParseError, KeyError) as error:
        raise GbiError("GBI-E061", where=name, got=type(error).__name__, exit_code=3) from None


def _grid(sheet: Any, name: str, content: bytes) -> Grid:
    rows = [list(r) for r in sheet.to_python(skip_empty_area=False)]
    merged = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                if (row, column) != (top, left):
                    merged[row, column] = (top, left)
    for (row, column), shown in _errors(content, sheet.name).items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = shown
    return Grid(name, sheet.name, rows, merged)


def _errors(content: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """Return the cells that show an error (``#REF!``), which calamine gives as empty ones."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        part = _part_of(archive, sheet)
        if part is None or b't="e"' not in (xml := archive.read(part)):
            return {}
    out = {}
    for cell in ElementTree.fromstring(xml).iter(f"{_MAIN}c"):
        if cell.get("t") == "e":
            out[_position(cell.get("r", "A1"))] = cell.findtext(f"{_MAIN}v") or "#"
    return out


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the archive entry of a sheet by its name."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    wanted = next((s.get(_REL) for s in book.iter(f"{_MAIN}sheet") if s.get("name") == sheet), None)
    for link in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        if link.get("Id") == wanted and wanted is not None:
            target = link.get("Target", "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return posixpath.normpath(part)
    return None


def _position(address: str) -> tuple[int, int]:
    letters = address.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(address[len(letters) :]) - 1, column - 1
