"""One table of a sheet to records: each value, what describes it, and the cells of both."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, RAW
from gbi.findings import Cell
from gbi.ingest.faults import fault, ranges
from gbi.ingest.grid import a1, as_text, positions
from gbi.ingest.profile import squeeze
from gbi.ingest.rows import Position, Row, Rows
from gbi.language import fold
from gbi.vocabulary import unit_in_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gbi.findings import Finding
    from gbi.ingest.grid import Grid
    from gbi.ingest.layout import Layout
    from gbi.ingest.lookup import Lookups
    from gbi.ingest.meaning import Meaning, Record
    from gbi.ingest.profile import Section

VALUE = "OBS_VALUE"
# A value's column, its entry, and per column that its header tells: the word and its cell.
Observed = tuple[int, "Mapping[str, Any]", "list[tuple[str, str, Cell]]"]


@dataclass(frozen=True, slots=True)
class Records:
    """Records and, beside each, the cells that it came from."""

    records: list[Record] = field(default_factory=list)
    origins: list[dict[str, str]] = field(default_factory=list)

    def add(self, record: Record, origin: dict[str, str]) -> None:
        """Add one of each."""
        self.records.append(record)
        self.origins.append(origin)


@dataclass(slots=True)
class Parsed:
    """What a file's sheets hold.

    Attributes
    ----------
    rows, totals
        The records, and the totals that the file prints.
    findings
        What was wrong.
    sheets
        The sheets that were read.
    wholes
        Sheet → the table that it is a part of: itself, or one that goes on over all sheets (the
        pages of a document).
    looked_up
        The code tables that were used.
    summed
        Per total: whether the profile says that its parts add up to it.
    dropped
        Rows that the profile's filters left out.
    """

    rows: Records = field(default_factory=Records)
    totals: Records = field(default_factory=Records)
    findings: list[Finding] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    wholes: dict[str, str] = field(default_factory=dict)
    looked_up: list[Path] = field(default_factory=list)
    summed: list[frozenset[str]] = field(default_factory=list)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class TableReader:
    """One table of a sheet with its section: what holds for all its rows, and the rows."""

    grid: Grid
    section: Section
    layout: Layout
    meaning: Meaning
    lookups: Lookups
    others: Sequence[Grid]

    def read(self, parsed: Parsed) -> None:
        """Add the table's records to what was read before."""
        shared, places = self._shared()
        places |= {ORIGIN_FILE: self.grid.file, ORIGIN_SHEET: self.grid.sheet}
        rows = Rows(self.grid, self.section, self.layout)
        self.meaning.without_value.clear()
        for flag in self.grid.flags:
            if flag.kind == "formula_without_value":
                self.meaning.without_value.update(positions(flag.area))
        observed = self._observed()
        for row in rows:
            record, origin = dict(shared), dict(places)
            totals = self._totals(row)
            # the value comes last: its status, unit and meaning hang on what describes it
            for entry, position in sorted(row.texts, key=lambda t: t[0].get("column") == VALUE):
                self._describe(entry, position, record, origin)
            record |= {total["column"]: total["code"] for total in totals}
            into = parsed.totals if totals else parsed.rows
            for filled, where in self._values(row.number, observed, record, origin):
                into.add(filled, where)
                if totals:
                    sums = all(total.get("sums") for total in totals)
                    parsed.summed.append(frozenset(t["column"] for t in totals if sums))
        parsed.dropped += rows.dropped
        for row_number, first in rows.repeated.items():
            twins = (self.grid.cell(row_number, 0), self.grid.cell(first, 0))
            self._fault("GBI-F026", *twins, found=a1(first, 0))
        self._merged()
        areas = ranges(self.meaning.stored_as_text)
        if areas:
            cells = [Cell(self.grid.file, self.grid.sheet, area) for area in areas]
            self._fault("GBI-F013", *cells, found=len(self.meaning.stored_as_text))
        self.meaning.stored_as_text.clear()

    def _shared(self) -> tuple[Record, dict[str, str]]:
        """Return what profile, file name and title say about every row, and where titles are."""
        profile = self.meaning.profile
        record: Record = {**profile.constants, **self.section.constants}
        places: dict[str, str] = {}
        if "file" in profile.document:
            self._file_name(record)
        if self.section.name is not None:
            named = re.fullmatch(self.section.name, self.grid.sheet, re.IGNORECASE)
            cell = Cell(self.grid.file, self.grid.sheet, "")
            for column, said in _said(named):
                self.meaning.describe(column, said, cell, record)
        titles = list(_above(self.grid, self.layout.first))
        if self.section.says("repeats"):
            titles.reverse()  # the nearest title is the table's own
        if self.section.document.get("unit") == "title":
            unit = next((u for _, text in titles if (u := unit_in_title(text))), None)
            if unit is not None:
                record.update(UNIT_MEASURE=unit.measure, UNIT_MULT=unit.mult)
        pattern = self.section.document.get("title")
        if pattern is None:
            return record, places
        if self.section.document.get("title_of") == "workbook":
            titles += [t for g in self.others for t in _above(g, 1)]
        for cell, text in titles:
            if (match := re.fullmatch(pattern, text, re.IGNORECASE)) is not None:
                for column, said in _said(match):
                    self.meaning.describe(column, said, cell, record)
                    if cell.sheet == self.grid.sheet:
                        places[column] = cell.a1
                return record, places
        expected = str(self.section.document["title_example"])
        self._fault("GBI-S011", self.grid.cell(0, 0), field="title", expected=expected,
                    found=self.grid.text(0, 0) or None, suggestion=expected)  # fmt: skip
        return record, places

    def _file_name(self, record: Record) -> None:
        """Take what the file's name says; a name of another form is a finding."""
        document = self.meaning.profile.document
        example = document["file_example"]
        cell = Cell(self.grid.file, "", "")
        stem = self.grid.file.rpartition("/")[2].rpartition(".")[0]
        match = re.fullmatch(document["file"], stem, re.IGNORECASE)
        if match is None:
            self._fault("GBI-S011", cell, field="file", found=stem, expected=example,
                        suggestion=example)  # fmt: skip
            return
        for column, said in _said(match):
            self.meaning.describe(column, said, cell, record)

    def _describe(
        self, entry: Mapping[str, Any], position: Position, record: Record, origin: dict[str, str]
    ) -> None:
        cell, written = self.grid.cell(*position), self.grid.value(*position)
        text, how, name = as_text(written), entry.get("as", ""), entry.get("column")
        if "lookup" in entry and (text or "blank" not in entry):
            self._look_up(entry, text, cell, record, origin)
        if "split" in entry:
            self._split(entry, text, cell, record, origin)
            return
        if "parts" in entry:
            self._parts(entry["parts"], text, position[1], cell, record, origin)
            return
        if name is None:
            return
        origin[name] = cell.a1
        if how == "tokens":
            origin |= dict.fromkeys(self.meaning.profile.tokens.values(), cell.a1)
        if name == VALUE:
            origin[RAW] = text
            self.meaning.value(written, cell, record)
        elif not text and "blank" in entry:
            record[name] = entry["blank"]
        elif how == "series":
            self._series(name, text, cell, record)
        elif self._total_here(name, text) is None:
            self.meaning.describe(name, written, cell, record, how, own=True)

    def _look_up(
        self, entry: Mapping[str, Any], text: str, cell: Cell, record: Record,
        origin: dict[str, str],
    ) -> None:  # fmt: skip
        lookup = entry["lookup"]
        table = self.lookups.table(lookup)
        if table is None:
            self._fault("GBI-F025", Cell(cell.file, "", ""), once=True,
                        field=lookup["key"], expected=lookup["file"])  # fmt: skip
            return
        taken = table.rows.get(fold(text))
        if taken is None:
            numeric = text.replace(".", "").isdigit()
            near = [] if numeric else difflib.get_close_matches(text, table.keys, 1)
            self._fault("GBI-C001", cell, field=lookup["key"], found=text or None,
                        suggestion=near[0] if near else None)  # fmt: skip
            return
        for header, column in lookup["take"].items():
            self.meaning.describe(column, taken[header], cell, record, entry.get("as", ""))
            origin[column] = cell.a1

    def _split(
        self, entry: Mapping[str, Any], text: str, cell: Cell, record: Record,
        origin: dict[str, str],
    ) -> None:  # fmt: skip
        match = re.fullmatch(entry["split"], text, re.IGNORECASE)
        if match is None:
            column = next(iter(re.compile(entry["split"]).groupindex), "")
            self._fault("GBI-C001", cell, field=column, found=text)
            return
        for column, said in _said(match):
            self.meaning.describe(column, said, cell, record, entry.get("as", ""))
            origin[column] = cell.a1

    def _parts(
        self, parts: Mapping[str, str | None], text: str, column: int, cell: Cell, record: Record,
        origin: dict[str, str],
    ) -> None:  # fmt: skip
        """Read ``A,PC,F,MA`` under the header ``freq,unit,sex,geo``, whatever their order."""
        head = self.grid.text(self.layout.last, column).partition("\\")[0]
        names, said = head.split(","), text.split(",")
        if len(names) != len(said):
            self._fault("GBI-C001", cell, field=head, found=text)
            return
        for name, word in zip(names, said, strict=True):
            target = parts.get(name.strip(), parts.get("*"))
            if target is not None:
                self.meaning.describe(target, word.strip(), cell, record)
                origin[target] = cell.a1

    def _totals(self, row: Row) -> list[Mapping[str, Any]]:
        """Return the totals entries that a row follows; a text filled down counts like its own."""
        found = (self._total_here(e.get("column"), self.grid.text(*p)) for e, p in row.texts)
        return [total for total in found if total is not None]

    def _total_here(self, column: str | None, text: str) -> Mapping[str, Any] | None:
        for total in self.meaning.profile.totals:
            if total["column"] != column:
                continue
            if "label" in total and fold(text) == fold(total["label"]):
                return total
            if "pattern" in total and re.fullmatch(total["pattern"], text, re.IGNORECASE):
                return total
        return None

    def _series(self, column: str, text: str, cell: Cell, record: Record) -> None:
        """Add what the profile knows about a series; one that it doesn't know is a finding."""
        profile = self.meaning.profile
        known = profile.series
        record[column] = text or None
        if fold(text) in known:
            record.update(known[fold(text)])
        elif text:
            near = difflib.get_close_matches(fold(text), list(known), 1)
            self._fault("GBI-C001", cell, field=column, found=text,
                        suggestion=profile.series_label(near[0]) if near else None)  # fmt: skip

    def _observed(self) -> list[Observed]:
        """Return the value columns: place, entry, and what the header says with its cells."""
        found = self.layout.found[len(self.section.columns) :]
        return [
            (
                place.column,
                entry,
                [(c, w, self._head(place.column, w)) for c, w in place.said.items()],
            )
            for entry, places in zip(self.section.observations, found, strict=True)
            for place in places
        ]

    def _values(
        self, row: int, observed: Sequence[Observed], record: Record, origin: dict[str, str]
    ) -> Iterator[tuple[Record, dict[str, str]]]:
        """Give one observation per value column; the row itself where it is a record."""
        derive = self.meaning.profile.derive
        if not self.section.observations:
            derive(record)
            yield record, origin
            return
        for place, entry, said in observed:
            filled, where = {**record, **entry.get("set", {})}, dict(origin)
            for column, word, head in said:
                self.meaning.describe(column, word, head, filled)
                where[column] = head.a1
            if entry.get("status") == "next":
                self._footnote(row, place + 1, filled, where)
            derive(filled)
            cell, written = self.grid.cell(row, place), self.grid.value(row, place)
            where[VALUE], where[RAW] = cell.a1, as_text(written)
            self.meaning.value(written, cell, filled)
            yield filled, where

    def _head(self, column: int, said: str) -> Cell:
        """Return the cell of a header in which a word stands: its last row, or one above."""
        for row in range(self.layout.last, self.layout.first - 1, -1):
            left = range(column, -1, -1) if self.section.says("spread") else (column,)
            place = next((c for c in left if self.grid.text(row, c)), column)
            if said in squeeze(self.grid.text(row, place)):
                return self.grid.cell(row, place)
        return self.grid.cell(max(self.layout.last, 0), column)

    def _footnote(self, row: int, column: int, record: Record, origin: dict[str, str]) -> None:
        """Take the mark beside a value: a status if it is known as one, a comment if not."""
        text = self.grid.text(row, column)
        if not text:
            return
        known = self.meaning.profile.maps.get("OBS_STATUS", {})
        name = "OBS_STATUS" if fold(text) in known else "COMMENT"
        self.meaning.describe(name, text, self.grid.cell(row, column), record)
        origin[name] = a1(row, column)

    def _merged(self) -> None:
        """Say which merged areas lie over values: one figure then counts for several rows."""
        values = [
            places
            for entry, places in zip(self.section.headers, self.layout.found, strict=True)
            if entry in self.section.observations or entry.get("column") == VALUE
        ]
        columns = {place.column for places in values for place in places}
        corners: dict[Position, list[Position]] = {}
        for position, home in self.grid.merged.items():
            if self.layout.last < home[0] < self.layout.end:
                corners.setdefault(home, []).append(position)
        for home, inside in corners.items():
            rows, wide = [home[0], *(r for r, _ in inside)], [home[1], *(c for _, c in inside)]
            if len(columns & set(wide)) and len(set(wide)) < self.grid.width:
                area = f"{a1(*home)}:{a1(max(rows), max(wide))}"
                self._fault("GBI-F016", Cell(self.grid.file, self.grid.sheet, area), found=area)

    def _fault(self, code: str, *cells: Cell, once: bool = False, **substance: Any) -> None:
        found = fault(code, *cells, **substance)
        if not once or all(found.id != earlier.id for earlier in self.meaning.findings):
            self.meaning.findings.append(found)


def _said(match: re.Match[str] | None) -> list[tuple[str, str]]:
    """Return what a pattern's groups say; a group that is optional and absent says nothing."""
    groups = match.groupdict() if match is not None else {}
    return [(column, said.strip()) for column, said in groups.items() if said and said.strip()]


def _above(grid: Grid, rows: int) -> Iterator[tuple[Cell, str]]:
    """Give the texts in the first rows of a sheet."""
    for row in range(min(rows, len(grid.rows))):
        for column in range(len(grid.rows[row])):
            if text := grid.text(row, column):
                yield grid.cell(row, column), text
