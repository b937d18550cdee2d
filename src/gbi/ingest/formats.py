"""Which adapter opens a file: told by its first bytes, then by its suffix.

An adapter is one module with one function ``open_…(path, name, limits) -> Opened``: it turns a
file into grids whose cells have addresses, and says in flags what a value doesn't show. What the
cells mean is a profile's business.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gbi.errors import GbiError
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.grid import Opened
    from gbi.ingest.safety import Limits

Shape = Literal["workbook", "table"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    name
        As a profile names it.
    suffixes
        What such files end with.
    shape
        ``workbook`` (sheets, tables or pages with names) or ``table``.
    opener
        ``module:function`` of the adapter.
    extra
        The extra of the package that it needs, if it needs one.
    typed
        Whether a cell is a number or a text by its own nature.
    """

    name: str
    suffixes: tuple[str, ...]
    shape: Shape
    opener: str
    extra: str | None = None
    typed: bool = False

    def open(self, path: Path, name: str, limits: Limits = LIMITS) -> Opened:
        """Open a file.

        Raises
        ------
        GbiError
            ``GBI-E069`` if the extra isn't installed; what the adapter raises, exit code 3.
        """
        module, _, function = self.opener.partition(":")
        try:
            opener: Any = getattr(importlib.import_module(f"gbi.ingest.{module}"), function)
            opened: Opened = opener(path, name, limits)
        except ModuleNotFoundError as error:
            if self.extra is None or (error.name or "").startswith("gbi"):
                raise
            wanted = f"gbi[{self.extra}]"
            raise GbiError("GBI-E069", where=name, expected=wanted, got=error.name, exit_code=3,
                           extra=wanted) from None  # fmt: skip
        return opened


FORMATS = (
    Format("xlsx", (".xlsx", ".xlsm"), "workbook", "workbook:open_workbook", typed=True),
    Format("xlsb", (".xlsb",), "workbook", "spreadsheet:open_xlsb", typed=True),
    Format("xls", (".xls",), "workbook", "spreadsheet:open_xls", typed=True),
    Format("ods", (".ods",), "workbook", "spreadsheet:open_ods", typed=True),
    Format("html", (".html", ".htm"), "workbook", "webpage:open_webpage", "html"),
    Format("pdf", (".pdf",), "workbook", "pdf:open_pdf", "pdf"),
    Format("csv", (".csv", ".tsv", ".txt"), "table", "delimited:open_delimited"),
    Format("parquet", (".parquet", ".pq"), "table", "columnar:open_parquet", typed=True),
    Format("arrow", (".arrow", ".feather", ".ipc"), "table", "columnar:open_arrow", typed=True),
    Format("sdmx", (".xml",), "table", "sdmx:open_sdmx", "sdmx"),
    Format("json", (".json",), "table", "records:open_records", "json", typed=True),
    Format("px", (".px",), "table", "pcaxis:open_pcaxis", "px"),
    Format("dta", (".dta",), "table", "survey:open_dta"),
    Format("sav", (".sav", ".zsav"), "table", "survey:open_sav", "sav"),
)

# Known by its name alone: its suffix is that of other files too.
PACKAGE = Format("datapackage", (), "workbook", "datapackage:open_datapackage")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_BY_NAME = {f.name: f for f in FORMATS}


def format_of(path: Path) -> Format | None:
    """Return the format of a file; None if no adapter opens such a file.

    The first bytes decide where they can: spreadsheets are sent around under the wrong suffix
    (a page saved as ``.xls``, a text file called ``.xls``).
    """
    if path.name == "datapackage.json":
        return PACKAGE
    suffix = path.suffix.lower()
    named = next((f for f in FORMATS if suffix in f.suffixes), None)
    if named is None or suffix not in _MISTAKEN:
        return named
    with path.open("rb") as handle:
        head = handle.read(1024)
    if head.startswith(b"PK\x03\x04"):
        return named if named.name in ("xlsx", "xlsb", "ods") else _BY_NAME["xlsx"]
    if head.startswith(_OLE):
        return named if named.name == "xls" or suffix in _LOCKABLE else _BY_NAME["xls"]
    if named.name != "xls":
        return named
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and any(tag in text for tag in (b"<html", b"<table", b"<!doctype")):
        return _BY_NAME["html"]
    return named if b"\x00" in head else _BY_NAME["csv"]


# Suffixes under which other kinds of files are met; an OLE container behind .xlsx is a password.
_MISTAKEN = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".csv")
_LOCKABLE = (".xlsx", ".xlsm", ".xlsb")
