"""Sheets to records: each value, what describes it, its cell, and what was wrong."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, RAW
from gbi.findings import Cell
from gbi.ingest.faults import fault
from gbi.ingest.grid import as_text
from gbi.ingest.layout import Layout, expected_header, locate
from gbi.ingest.meaning import Meaning, Record
from gbi.language import fold
from gbi.schemas import schema
from gbi.vocabulary import unit_in_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.findings import Finding
    from gbi.ingest.grid import Grid
    from gbi.ingest.profile import Profile, Section

_VALUE = "OBS_VALUE"


@dataclass(frozen=True, slots=True)
class Rows:
    """Records and, beside each, the cells that it came from."""

    records: list[Record] = field(default_factory=list)
    origins: list[dict[str, str]] = field(default_factory=list)

    def add(self, record: Record, origin: dict[str, str]) -> None:
        """Add one of each."""
        self.records.append(record)
        self.origins.append(origin)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file's sheets hold: rows, the totals that they print, and what was wrong."""

    rows: Rows
    totals: Rows
    findings: list[Finding]


def parse(grids: Sequence[Grid], profile: Profile) -> Parsed:
    """Read a file's sheets by its profile.

    Parameters
    ----------
    grids
        The sheets.
    profile
        How they are laid out.

    Returns
    -------
    Parsed
        A cell that can't be understood is one finding, and its row lives on. A sheet without one
        of the columns that say what a value is about is not read, and said so.
    """
    fields = {f.name: f for table in profile.tables for f in schema(table).fields}
    meaning = Meaning(profile, fields)
    parsed = Parsed(Rows(), Rows(), meaning.findings)
    matched = list(_match(grids, profile, meaning.findings))
    for grid, section in matched:
        layout = _layout(grid, section, meaning.findings)
        if layout is not None:
            _Sheet(grid, section, layout, profile, meaning, [g for g, _ in matched]).read(parsed)
    return parsed


def _match(
    grids: Sequence[Grid], profile: Profile, findings: list[Finding]
) -> Iterator[tuple[Grid, Section]]:
    """Give each sheet with its section; a sheet under another name is a finding."""
    strange, missing = [], list(profile.sections)
    for grid in grids:
        section = next((s for s in profile.sections if s.accepts(grid.sheet)), None)
        if section is not None:
            missing = [s for s in missing if s.document is not section.document]
            yield grid, section
        elif not grid.empty and not profile.ignores(grid.sheet):
            strange.append(grid)
    for section in missing:
        near = difflib.get_close_matches(section.called, [g.sheet for g in strange], 1, 0.0)
        renamed = near[0] if near else None
        strange = [g for g in strange if g.sheet != renamed]
        cell = Cell(grids[0].file, renamed or "", "")
        findings.append(
            fault("GBI-S010", cell, field="sheet", expected=section.called, found=renamed)
        )
    known = ", ".join(s.called for s in profile.sections)
    for grid in strange:
        cell = Cell(grid.file, grid.sheet, "")
        findings.append(fault("GBI-S010", cell, field="sheet", expected=known, found=grid.sheet))


def _layout(grid: Grid, section: Section, findings: list[Finding]) -> Layout | None:
    """Find a sheet's columns; one that is missing is a finding at the header in its place."""
    layout = locate(grid, section)
    found = layout.found if layout is not None else [None] * len(section.headers)
    spare = dict(layout.spare) if layout is not None else {}
    readable = layout is not None
    for entry, place in zip(section.headers, found, strict=True):
        if place is not None:
            continue
        expected = expected_header(entry)
        near = difflib.get_close_matches(expected, list(spare.values()), 1, 0.0)
        column = next((c for c, text in spare.items() if text in near), None)
        instead = spare.pop(column) if column is not None else None
        row = layout.last if layout is not None else 0
        cell = grid.cell(row, 0 if column is None else column)
        findings.append(
            fault("GBI-S011", cell, field=str(entry.get("column", _VALUE)), found=instead,
                  expected=expected, suggestion=expected)
        )  # fmt: skip
        readable = readable and entry in section.observations
    return layout if readable else None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet with its section: what holds for all its rows, and the rows."""

    grid: Grid
    section: Section
    layout: Layout
    profile: Profile
    meaning: Meaning
    sheets: Sequence[Grid]

    def read(self, parsed: Parsed) -> None:
        shared, places = self._shared()
        places |= {ORIGIN_FILE: self.grid.file, ORIGIN_SHEET: self.grid.sheet}
        for row in self._rows():
            record, origin = dict(shared), dict(places)
            for entry, found in self._placed(self.section.columns):
                self._describe(entry, row, found.column, record, origin)
            into = parsed.totals if self._is_total(record, row) else parsed.rows
            for filled, where in self._values(row, record, origin):
                into.add(filled, where)

    def _rows(self) -> Iterator[int]:
        """Give the rows under the header, without notes: single texts from the first note on."""
        pattern = self.section.document.get("notes")
        noted = False
        for row in range(self.layout.last + 1, len(self.grid.rows)):
            texts = [t for t in map(as_text, self.grid.rows[row]) if t]
            if not texts:
                continue
            if pattern is not None and len(texts) == 1:
                noted = noted or re.match(pattern, texts[0]) is not None
                if noted:
                    continue
            yield row

    def _shared(self) -> tuple[Record, dict[str, str]]:
        """Return what the profile and the title say about every row, and where the title is."""
        record: Record = {**self.profile.constants, **self.section.constants}
        places: dict[str, str] = {}
        titles = list(_above(self.grid, self.layout.first))
        if self.section.document.get("unit") == "title":
            unit = next((u for _, text in titles if (u := unit_in_title(text))), None)
            if unit is not None:
                record.update(UNIT_MEASURE=unit.measure, UNIT_MULT=unit.mult)
        pattern = self.section.document.get("title")
        if pattern is None:
            return record, places
        if self.section.document.get("title_of") == "workbook":
            titles += [t for g in self.sheets if g is not self.grid for t in _above(g, 1)]
        for cell, text in titles:
            if (match := re.fullmatch(pattern, text, re.IGNORECASE)) is not None:
                for column, said in match.groupdict().items():
                    self.meaning.describe(column, said.strip(), cell, record)
                    if cell.sheet == self.grid.sheet:
                        places[column] = cell.a1
                return record, places
        expected = str(self.section.document["title_example"])
        cell = self.grid.cell(0, 0)
        found = self.grid.text(0, 0) or None
        self.meaning.findings.append(
            fault("GBI-S011", cell, field="title", found=found, expected=expected,
                  suggestion=expected)
        )  # fmt: skip
        return record, places

    def _placed(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, Any]]:
        """Give the entries that were found, with their places."""
        for entry, found in zip(self.section.headers, self.layout.found, strict=True):
            if found is not None and entry in entries:
                yield entry, found

    def _describe(
        self, entry: Mapping[str, Any], row: int, column: int, record: Record, origin: Any
    ) -> None:
        if "column" not in entry:
            return
        name, cell = entry["column"], self.grid.cell(row, column)
        written, how = self.grid.value(row, column), entry.get("as", "")
        text = as_text(written)
        origin[name] = cell.a1
        if how == "tokens":
            origin |= dict.fromkeys(self.profile.tokens.values(), cell.a1)
        if name == _VALUE:
            origin[RAW] = text
            self.meaning.value(written, cell, record)
        elif how == "series":
            self._series(name, text, cell, record)
        elif not self._names_total(name, text, record):
            self.meaning.describe(name, written, cell, record, how)

    def _names_total(self, column: str, text: str, record: Record) -> bool:
        """Put the total's code where the row says that it is a total."""
        totals = self.profile.totals
        if totals is None or totals["column"] != column or fold(text) != fold(totals["label"]):
            return False
        record[column] = totals["code"]
        return True

    def _is_total(self, record: Record, row: int) -> bool:
        totals = self.profile.totals
        if totals is None:
            return False
        place = next(f for e, f in self._placed(self.section.columns)
                     if e.get("column") == totals["column"])  # fmt: skip
        return fold(self.grid.text(row, place.column)) == fold(totals["label"])

    def _series(self, column: str, text: str, cell: Cell, record: Record) -> None:
        """Add what the profile knows about a series; one that it doesn't know is a finding."""
        known = self.profile.series
        record[column] = text or None
        if fold(text) in known:
            record.update(known[fold(text)])
        elif text:
            near = difflib.get_close_matches(fold(text), list(known), 1)
            self.meaning.findings.append(
                fault("GBI-C001", cell, field=column, found=text,
                      suggestion=self.profile.series_label(near[0]) if near else None)
            )  # fmt: skip

    def _values(
        self, row: int, record: Record, origin: dict[str, str]
    ) -> Iterator[tuple[Record, dict[str, str]]]:
        """Give one observation per value column; the row itself where it is a record."""
        if not self.section.observations:
            self.profile.derive(record)
            yield record, origin
            return
        for entry, found in self._placed(self.section.observations):
            filled, where = {**record, **entry.get("set", {})}, dict(origin)
            head = self.grid.cell(self.layout.last, found.column)
            for column, said in found.said.items():
                self.meaning.describe(column, said, head, filled)
                where[column] = head.a1
            self.profile.derive(filled)
            cell, written = self.grid.cell(row, found.column), self.grid.value(row, found.column)
            where |= {_VALUE: cell.a1, RAW: as_text(written)}
            self.meaning.value(written, cell, filled)
            yield filled, where


def _above(grid: Grid, rows: int) -> Iterator[tuple[Cell, str]]:
    """Give the texts in the first rows of a sheet."""
    for row in range(min(rows, len(grid.rows))):
        for column in range(len(grid.rows[row])):
            if text := grid.text(row, column):
                yield grid.cell(row, column), text
