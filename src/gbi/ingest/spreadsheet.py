"""Read .xls, .xlsb and .ods: scanned first, then parsed in a process of its own.

The scan also finds what the parser doesn't give: error cells, and merged areas in every format.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from gbi.errors import GbiError
from gbi.ingest.archive import Archive, damaged, unsafe
from gbi.ingest.biff import xls_extents, xlsb_extent, xlsb_shared_lengths, xlsb_sheets
from gbi.ingest.compound_file import MAGIC, stream_of
from gbi.ingest.extent import Extent, check
from gbi.ingest.grid import Flag, Grid, Opened, a1
from gbi.ingest.isolation import run_isolated
from gbi.ingest.opendocument import ods_extents
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.ingest.safety import Limits

_STATES = {"Hidden": "hidden", "VeryHidden": "veryHidden"}
_ODS = tuple(b"application/vnd.oasis.opendocument.spreadsheet" + k for k in (b"", b"-template"))


def open_xls(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an .xls (BIFF5, BIFF8).

    Raises
    ------
    GbiError
        Exit code 3: damaged, protected, beyond a limit, or no such workbook.
    """
    return run_isolated("spreadsheet:read_xls", path, name, limits)


def open_xlsb(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an .xlsb; errors as :func:`open_xls`."""
    return run_isolated("spreadsheet:read_xlsb", path, name, limits)


def open_ods(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an .ods; errors as :func:`open_xls`."""
    return run_isolated("spreadsheet:read_ods", path, name, limits)


def read_xls(path: Path, name: str, limits: Limits) -> Opened:
    """Scan and parse an .xls in this process."""
    content = _content(path, name, limits)
    return _read(content, "xls", name, limits, xls_extents(content, name, limits))


def read_xlsb(path: Path, name: str, limits: Limits) -> Opened:
    """Scan and parse an .xlsb in this process."""
    content = _content(path, name, limits)
    extents = _xlsb_extents(_archive(content, name, limits), name, limits)
    return _read(content, "xlsb", name, limits, extents)


def read_ods(path: Path, name: str, limits: Limits) -> Opened:
    """Scan and parse an .ods in this process."""
    content = _content(path, name, limits)
    archive = _archive(content, name, limits)
    kind, manifest, body = "mimetype", "META-INF/manifest.xml", "content.xml"
    if kind not in archive.names or next(archive.blocks(kind), b"") not in _ODS:
        raise GbiError("GBI-E066", where=name, exit_code=3)
    if missing := {manifest, body} - set(archive.names):
        raise damaged(name, min(missing))
    if b"encryption-data" in archive.whole(manifest):
        raise GbiError("GBI-E062", where=name, exit_code=3)
    extents = ods_extents(archive.blocks(body), name, limits)
    return _read(content, "ods", name, limits, extents)


def _content(path: Path, name: str, limits: Limits) -> bytes:
    size = path.stat().st_size
    if size > limits.archive:
        raise unsafe(name, f"≤ {limits.archive} B", f"{size} B")
    return path.read_bytes()


def _archive(content: bytes, name: str, limits: Limits) -> Archive:
    if content.startswith(MAGIC):  # an archive with a password is put into an OLE container
        stream_of(content, (), name)
    return Archive(content, name, limits)


def _xlsb_extents(archive: Archive, name: str, limits: Limits) -> list[Extent]:
    """Return what each sheet takes, in the order of the workbook."""
    book, links, shared = "xl/workbook.bin", "xl/_rels/workbook.bin.rels", "xl/sharedStrings.bin"
    if book not in archive.names or links not in archive.names:
        raise GbiError("GBI-E066", where=name, exit_code=3)
    try:
        relations = ElementTree.fromstring(archive.whole(links))
    except ElementTree.ParseError as error:
        raise damaged(name, type(error).__name__) from None
    parts = {r.get("Id"): f"xl/{r.get('Target')}" for r in relations}
    lengths = []
    if shared in archive.names:
        lengths = xlsb_shared_lengths(archive.blocks(shared), name)
    extents: list[Extent] = []
    for relation in xlsb_sheets(archive.blocks(book), name):
        if (part := parts.get(relation)) not in archive.names:
            raise damaged(name, part or relation)
        extents.append(xlsb_extent(archive.blocks(part), lengths, name))
        check(extents, name, limits)
    return extents


def _read(
    content: bytes, kind: str, name: str, limits: Limits, extents: Sequence[Extent]
) -> Opened:
    """Parse what the scan found safe."""
    import python_calamine as calamine

    # The parser tells the format by the suffix, and tries several if it doesn't know it: the
    # copy makes sure that it parses what was scanned, as what it was scanned for.
    with tempfile.TemporaryDirectory(prefix="gbi-") as made:
        copy = Path(made, f"book.{kind}")
        copy.write_bytes(content)
        try:
            with calamine.CalamineWorkbook.from_path(copy) as book:
                sheets = book.sheets_metadata
                if len(sheets) != len(extents):
                    raise damaged(name, "list of sheets")
                grids = [
                    grid_of(book.get_sheet_by_name(s.name), name, extent, s.visible)
                    for s, extent in zip(sheets, extents, strict=True)
                    if s.typ == calamine.SheetTypeEnum.WorkSheet
                ]
        except calamine.PasswordError:
            raise GbiError("GBI-E062", where=name, exit_code=3) from None
        except (calamine.CalamineError, OSError) as error:
            raise damaged(name, type(error).__name__) from None
    return Opened(grids, (Flag("low_fidelity", "", kind),))


def grid_of(sheet: Any, name: str, extent: Extent, visible: Any) -> Grid:
    """Return a parsed sheet as a grid, with the error cells and merged areas that a scan found."""
    rows = [list(r) for r in sheet.to_python(skip_empty_area=False)]
    for (row, column), shown in extent.errors.items():
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].extend([""] * (column + 1 - len(rows[row])))
        rows[row][column] = shown
    merged = {
        (row, column): (top, left)
        for (top, left), (bottom, right) in extent.merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    }
    flags = list(_error_flags(extent.errors))
    state = _STATES.get(str(visible).rpartition(".")[2])
    if state is not None and any(v != "" for r in rows for v in r):
        flags.append(Flag("hidden_sheet", "", state))
    return Grid(name, sheet.name, rows, merged, tuple(flags))


def _error_flags(errors: Mapping[tuple[int, int], str]) -> Iterator[Flag]:
    """Yield a flag for each run of equal errors down a column."""
    first = last = (-2, -1)
    for row, column in sorted(errors, key=lambda at: (at[1], at[0])):
        above = (row - 1, column)
        if above != last or errors[above] != errors[row, column]:
            if first in errors:
                yield Flag("error", _area(first, last), errors[first])
            first = (row, column)
        last = (row, column)
    if first in errors:
        yield Flag("error", _area(first, last), errors[first])


def _area(first: tuple[int, int], last: tuple[int, int]) -> str:
    return a1(*first) if first == last else f"{a1(*first)}:{a1(*last)}"
