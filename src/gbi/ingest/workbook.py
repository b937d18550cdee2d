"""Read a workbook's values: every sheet as a grid, merged areas known, addresses kept."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.archive import Archive, damaged, unsafe
from gbi.ingest.fidelity import Fidelity, Seen, hidden_areas, position
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.package import active_content, sheets
from gbi.ingest.safety import LIMITS, MARKS, admitted, look_at_parts

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.safety import Limits


# The library knows these errors; one of another (a web spreadsheet's #ERROR!) and it reads nothing.
_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}
_ERROR = re.compile(
    rb"(<(?:[\w.-]+:)?c\s[^<>]*?\bt\s*=\s*[\"']e[\"'][^<>]*>"
    rb"(?:<(?:[\w.-]+:)?f[^<>]*(?:/>|>[^<]*</[^<>]*>))?\s*<(?:[\w.-]+:)?v[^<>]*>)[^<]*(?=</)"
)
_STATES = {"Hidden": "hidden", "VeryHidden": "veryHidden"}


def open_workbook(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read every sheet of cells; sheets that hold a chart alone have none.

    Parameters
    ----------
    path
        The workbook; it is looked at before it is parsed (see :mod:`gbi.ingest.safety`).
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

    content = admitted(path, name, limits)
    archive = Archive(content, name, limits)
    look = Fidelity(archive)
    look_at_parts(archive, limits, look)
    parts = sheets(archive)
    try:
        stream = _rewritten(archive, look.seen) or BytesIO(content)
        book = python_calamine.CalamineWorkbook.from_filelike(stream)
        grids = [
            _grid(book, sheet, name, look.seen.get(parts.get(sheet.name, ""), Seen()), limits)
            for sheet in book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
    except python_calamine.PasswordError:
        raise GbiError("GBI-E062", where=name, exit_code=3) from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise damaged(name, type(error).__name__) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the library's, and no Exception
            raise
        raise damaged(name, "PanicException") from None
    return Opened(grids, tuple(active_content(archive)))


def _rewritten(archive: Archive, seen: dict[str, Seen]) -> BytesIO | None:
    """Return the workbook as it was looked at, its errors known ones; None if it can stay as is.

    An archive with a second directory could show the library other entries than those looked at.
    """
    foreign = {part for part, s in seen.items() if not _ERRORS.issuperset(s.shown)}
    if archive.unambiguous and not foreign:
        return None
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as changed:
        for name in archive.names:
            with changed.open(name, "w") as stream:
                for piece in (
                    archive.pieces(name, MARKS) if name in foreign else archive.blocks(name)
                ):
                    stream.write(_ERROR.sub(rb"\1#N/A", piece) if name in foreign else piece)
    out.seek(0)
    return out


def _grid(book: Any, described: Any, name: str, seen: Seen, limits: Limits) -> Grid:
    sheet = book.get_sheet_by_name(described.name)
    rows = sheet.to_python(skip_empty_area=False)
    merged, areas = {}, sheet.merged_cell_ranges or ()
    met = sum((bottom - top + 1) * (right - left + 1) for (top, left), (bottom, right) in areas)
    if met > limits.merged:
        raise unsafe(name, f"≤ {limits.merged} merged cells", met)
    for (top, left), (bottom, right) in areas:
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                if (row, column) != (top, left):
                    merged[row, column] = (top, left)
    # the library gives an error as an empty cell
    for key, shown in zip(seen.errors, seen.shown, strict=True):
        row, column = position(key)
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = shown
    flags = [*seen.flags(), *hidden_areas(seen, rows)]
    state = _STATES.get(str(described.visible).rpartition(".")[2])
    if state is not None and any(v != "" for row in rows for v in row):
        flags.append(Flag("hidden_sheet", "", state))
    return Grid(name, sheet.name, rows, merged, tuple(flags))
