"""A workbook with a sheet put in front: its index, its links and its list of contents patched.

What counts sheets by position (names that belong to one sheet, the tab that is open) is moved on by
one; what names them otherwise stays.
"""

from __future__ import annotations

import html
import posixpath
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from gbi.ingest.grid import column_letters
from gbi.ingest.package import BOOK, relations, sheets
from gbi.validation.findings_sheet import COLUMNS, HEADING, location
from gbi.validation.xml_patch import Element, Part, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.archive import Archive

_TYPES, _LINKS = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_LONGEST_NAME = 31
# The name by which the sheet is known again when the copy comes back, whatever it is called then.
OWN_NAME = "_GBI_FINDINGS"
_LOCAL_NAMES = ("_xlnm._FilterDatabase", "_xlnm.Print_Titles")
# What stands before a part of the workbook's index, in the order of its schema.
_INDEX = ("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets",
          "functionGroups", "externalReferences", "definedNames", "calcPr")  # fmt: skip
_RELATION = re.compile(rb"\s([A-Za-z_][\w.-]*):id\s*=")


class BookPatch:
    """The parts of a workbook that name its sheets.

    Parameters
    ----------
    archive
        The workbook.
    name
        What the new sheet is to be called; a number is added where the name is taken.

    Raises
    ------
    ValueError
        A part isn't well formed, or the workbook has no sheet.
    """

    def __init__(self, archive: Archive, name: str) -> None:
        self._archive = archive
        self._book, self._book_part = self._open(BOOK)
        self._links, self._links_part = self._open(_LINKS)
        self._types, self._types_part = self._open(_TYPES)
        held = self._book.root.child("sheets")
        if held is None or not held.children:
            raise ValueError("no sheets")
        self._sheets = held
        self.space = self._book.root.space
        names = [s.attributes.get("name", "") for s in held.children]
        self._before = self._earlier(names)
        self.sheet = _free(name, set(names)) if self._before is None else names[self._before]
        self.part = self._free_part("xl/worksheets/sheet{}.xml")
        if self._before is not None:
            self.part = archive.entry(sheets(archive)[self.sheet]) or self.part
        styles = self._linked("/styles")
        self._styled = styles is not None
        self.styles_part = styles or self._free_part("xl/styles{}.xml")
        self.styles = (
            archive.whole(styles, 64 << 20)
            if styles is not None
            else f'<styleSheet xmlns="{self.space}"></styleSheet>'.encode()
        )

    def with_sheet(self, sheet: bytes, findings: int) -> dict[str, Iterable[bytes]]:
        """Put a sheet in front and have everything calculated anew when the copy is opened.

        The sheet of an earlier annotation is replaced where it stands.

        Parameters
        ----------
        sheet
            Its XML.
        findings
            How many rows it has below its headings.

        Returns
        -------
        dict
            The parts that this changes or adds, without the styles.
        """
        root = self._book.root
        if not self._styled:
            self._link(self.styles_part, "/styles", "styles+xml")
        if self._before is None:
            self._insert_sheet()
            self._move_views(root)
        self._name_areas(root, findings)
        calculated = root.child("calcPr")
        if calculated is not None:
            self._book.set(calculated, {"fullCalcOnLoad": "1"})
        else:
            self._put("calcPr", self._book.tag(root, "calcPr", 'fullCalcOnLoad="1"'))
        return {
            self._book_part: (self._book.patched(),),
            self._links_part: (self._links.patched(),),
            self._types_part: (self._types.patched(),),
            self.part: (sheet,),
        }

    def _open(self, name: str) -> tuple[Part, str]:
        part = self._archive.entry(name)
        if part is None:
            raise ValueError(name)
        return Part(self._archive.whole(part)), part

    def _linked(self, kind: str) -> str | None:
        """Return the part that the workbook has of a kind."""
        targets = relations(self._archive, BOOK)
        for link in self._links.root.children:
            if link.attributes.get("Type", "").endswith(kind):
                return self._archive.entry(targets.get(link.attributes.get("Id", ""), ""))
        return None

    def _link(self, part: str, kind: str, content: str) -> str:
        """Link a new part to the workbook and declare its kind; return the link's id."""
        root = self._links.root
        taken = {link.attributes.get("Id", "") for link in root.children}
        name = _unused(f"rIdGbi{kind[1:].capitalize()}", taken)
        family = next(
            (t.removesuffix("/worksheet") for link in root.children
             if (t := link.attributes.get("Type", "")).endswith("/worksheet")),
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        )  # fmt: skip
        target = posixpath.relpath(part, "xl")
        given = f'Id="{name}" Type="{family}{kind}" Target={quoted(target)}'
        self._links.append(root, self._links.tag(root, "Relationship", given))
        types = self._types.root
        kind_of = f'PartName={quoted("/" + part)} ContentType="{_MAIN}{content}"'
        self._types.append(types, self._types.tag(types, "Override", kind_of))
        return name

    def _earlier(self, names: list[str]) -> int | None:
        """Return the position of the sheet of an earlier annotation, and take its part over."""
        held = self._book.root.child("definedNames")
        for name in held.all("definedName") if held is not None else ():
            if name.attributes.get("name") != OWN_NAME:
                continue
            area = html.unescape(
                self._book.content[name.inner : name.close].decode("utf-8", "replace")
            )
            quoted_name = area.rpartition("!")[0].removeprefix("'").removesuffix("'")
            sheet = quoted_name.replace("''", "'")
            if sheet in names:
                return names.index(sheet)
        return None

    def _insert_sheet(self) -> None:
        link = self._link(self.part, "/worksheet", "worksheet+xml")
        first = self._sheets.children[0]
        numbers = [int(s.attributes.get("sheetId", "0")) for s in self._sheets.children]
        written = self._book.source(first)
        prefix = _RELATION.search(written)
        related = prefix[1] if prefix else b"r"
        declared = re.search(rb"\sxmlns:" + related + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", written)
        given = f'name={quoted(self.sheet)} sheetId="{max(numbers) + 1}" '
        given += f'{related.decode()}:id="{link}"' + (declared[0].decode() if declared else "")
        self._book.prepend(self._sheets, self._book.tag(first, "sheet", given))

    def _move_views(self, root: Element) -> None:
        """Keep the tab that was open open, and let the new one be seen beside it."""
        views = root.child("bookViews")
        shown = list(views.all("workbookView")) if views is not None else []
        for view in shown:
            active = int(view.attributes.get("activeTab", "0")) + 1
            self._book.set(view, {"activeTab": str(active), "firstSheet": "0"})
        if not shown:
            own = self._book.tag(root, "workbookView", 'activeTab="1"').decode()
            if views is not None:
                self._book.append(views, own.encode())
            else:
                self._put("bookViews", self._book.tag(root, "bookViews", "", own))

    def _name_areas(self, root: Element, findings: int) -> None:
        """Move the names that belong to one sheet on, and add those of the new sheet."""
        names = root.child("definedNames")
        place, moved = (0, 1) if self._before is None else (self._before, 0)
        for name in names.all("definedName") if names is not None else ():
            local = name.attributes.get("localSheetId")
            own = moved == 0 and local == str(place) and name.attributes["name"] in _LOCAL_NAMES
            if own or name.attributes.get("name") == OWN_NAME:
                self._book.remove(name)
            elif local is not None and moved:
                self._book.set(name, {"localSheetId": str(int(local) + moved)})
        last = column_letters(len(COLUMNS) - 1)
        listed = f"$A${HEADING}:${last}${HEADING + findings}"
        local = f'localSheetId="{place}"'
        new = b"".join(
            self._book.tag(root, "definedName", given, escape(location(self.sheet, area)))
            for given, area in (
                (f'name="{_LOCAL_NAMES[0]}" {local} hidden="1"', listed),
                (f'name="{_LOCAL_NAMES[1]}" {local}', f"${HEADING}:${HEADING}"),
                (f'name="{OWN_NAME}" hidden="1"', listed),
            )
        )
        if names is not None:
            self._book.prepend(names, new)
        else:
            self._put("definedNames", self._book.tag(root, "definedNames", "", new.decode()))

    def _put(self, name: str, new: bytes) -> None:
        """Insert a child of the workbook's index where its schema wants it."""
        root = self._book.root
        before = [c for n in _INDEX[: _INDEX.index(name)] for c in root.all(n)]
        if before:
            self._book.insert(max(c.end for c in before), new)
        else:
            self._book.prepend(root, new)

    def _free_part(self, pattern: str) -> str:
        names = (pattern.format(n) for n in ("", *range(1, len(self._archive.names) + 2)))
        return next(n for n in names if self._archive.entry(n) is None)


def _unused(name: str, taken: set[str]) -> str:
    """Return a name, with a number where it is taken."""
    return next(n for k in range(len(taken) + 1) if (n := f"{name}{k or ''}") not in taken)


def _free(name: str, taken: set[str]) -> str:
    """Return a sheet's name that no other sheet has, in any case."""
    lower = {t.lower() for t in taken}
    for number in range(1, len(taken) + 2):
        mark = "" if number == 1 else f" ({number})"
        whole = name[: _LONGEST_NAME - len(mark)] + mark
        if whole.lower() not in lower:
            return whole
    return name
