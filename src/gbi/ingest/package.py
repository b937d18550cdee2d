"""How the parts of an Office Open XML workbook belong together: sheets, links, what is active."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree

from gbi.ingest.archive import damaged
from gbi.ingest.grid import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gbi.ingest.archive import Archive

BOOK = "xl/workbook.xml"
_ACTIVE = re.compile(
    r"xl/(?:.*vbaProject\.bin|(?:externalLinks|embeddings|macrosheets|activeX)/[^/]+|connections\.xml)",
    re.IGNORECASE,
)


def tree(archive: Archive, name: str) -> ElementTree.Element:
    """Return a small part as a tree; an element without children if there is none.

    Raises
    ------
    GbiError
        ``GBI-E061``: it isn't well formed.
    """
    entry = archive.entry(name)
    if entry is None:
        return ElementTree.Element("absent")
    try:
        return ElementTree.fromstring(archive.whole(entry))
    except (ElementTree.ParseError, ValueError, LookupError):
        raise damaged(archive.name, entry) from None


def relations(archive: Archive, part: str) -> dict[str, str]:
    """Return a part's relations: id → target, inside the archive as the entry's name."""
    folder, _, file = part.rpartition("/")
    out = {}
    for link in tree(archive, f"{folder}/_rels/{file}.rels"):
        target = link.get("Target", "")
        if link.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            target = archive.entry(target) or target
        out[link.get("Id", "")] = target
    return out


def sheets(archive: Archive) -> dict[str, str]:
    """Return sheet → entry of the archive.

    Raises
    ------
    GbiError
        ``GBI-E061``: two sheets are one part, which would be read as often as it is named.
    """
    links = relations(archive, BOOK)
    found = [
        (sheet.get("name", ""), links.get(_link(sheet), ""))
        for sheet in tree(archive, BOOK).findall(".//{*}sheets/{*}sheet")
    ]
    if len({part.lower() for _, part in found}) != len(found):
        raise damaged(archive.name, BOOK)
    return dict(found)


def linked_workbooks(archive: Archive) -> dict[str, str]:
    """Return number of a linked workbook, as formulas write it, → its file name."""
    links, out = relations(archive, BOOK), {}
    references = tree(archive, BOOK).findall(".//{*}externalReference")
    for number, reference in enumerate(references, 1):
        for target in relations(archive, links.get(_link(reference), "")).values():
            out[str(number)] = re.split(r"[/\\]", unquote(target))[-1]
    return out


def active_content(archive: Archive) -> Iterator[Flag]:
    """Yield what a spreadsheet program could run, fetch or embed; it is never followed."""
    for name in archive.names:
        if not _ACTIVE.fullmatch(name) or name.endswith("/"):
            continue
        exchange = name.lower().startswith("xl/externallinks/") and any(
            b"ddeLink" in piece for piece in archive.pieces(name)
        )
        yield Flag("active_content", "", f"{name} ddeLink" if exchange else name)


def _link(element: ElementTree.Element) -> str:
    """Return an element's ``r:id``, in the transitional namespace or the strict one."""
    return next((v for k, v in element.attrib.items() if k.endswith("/relationships}id")), "")
