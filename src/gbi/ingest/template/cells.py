"""What every workbook that gbi writes shares: safe texts, fitting rows, the same bytes."""

from __future__ import annotations

import re
import textwrap
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # what a workbook would read as one character
_LONGEST = 32_767  # characters that a cell can hold
_STAMP = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_LINE_HEIGHT = 13.5  # points, for 10-point text


def clean(value: object) -> str:
    """Return a text that a workbook can hold: no control characters, at most 32 767 long."""
    written = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub("_x005F_", _FORBIDDEN.sub("", written))[:_LONGEST]


def put(sheet: Worksheet, row: int, column: int, value: str | float) -> Cell:
    """Write a number as a number and anything else as text that can't become a formula."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = clean(value)
        cell.data_type = "s"
        cell.quotePrefix = True
    else:
        cell.value = value
    return cell


def height(texts: list[tuple[str, float]]) -> float:
    """Return a row's height: no program fits the rows of a file that it opens.

    Parameters
    ----------
    texts
        Text and width of its column, in characters.
    """
    lines = [
        sum(len(textwrap.wrap(part, max(int(width * 1.1), 1))) or 1 for part in text.split("\n"))
        for text, width in texts
    ]
    return _LINE_HEIGHT * max(lines, default=1) + 4


def without_clock(data: bytes) -> bytes:
    """Return a workbook's archive with fixed dates: the same content gives the same bytes."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return out.getvalue()
