"""Sheets to records: which sheet is which section, where its tables stand, what is missing."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from gbi.findings import Cell
from gbi.ingest.extraction import Parsed, TableReader
from gbi.ingest.faults import fault
from gbi.ingest.layout import expected_header, locate, tables
from gbi.ingest.lookup import Lookups
from gbi.ingest.meaning import Meaning
from gbi.ingest.rows import unwrapped
from gbi.ingest.safety import LIMITS
from gbi.ingest.subtotals import differences
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gbi.findings import Finding
    from gbi.ingest.grid import Grid
    from gbi.ingest.layout import Layout
    from gbi.ingest.profile import Profile, Section
    from gbi.ingest.safety import Limits

_VALUE = "OBS_VALUE"


def parse(
    grids: Sequence[Grid],
    profile: Profile,
    *,
    folder: Path | None = None,
    typed: bool = False,
    limits: Limits = LIMITS,
) -> Parsed:
    """Read a file's sheets by its profile.

    Parameters
    ----------
    grids
        The sheets.
    profile
        How they are laid out.
    folder
        Where the files lie that the profile looks things up in.
    typed
        Whether the file's format tells numbers from texts; a number stored as text is then said.
    limits
        What those files may be at most.

    Returns
    -------
    Parsed
        A cell that can't be understood is one finding, and its row lives on. A sheet without one
        of the columns that say what a value is about is not read, and said so.
    """
    fields = {f.name: f for table in profile.tables for f in schema(table).fields}
    as_numbers = typed and profile.document["numbers"].get("stored") != "text"
    meaning = Meaning(profile, fields, typed=as_numbers)
    lookups = Lookups(folder, limits)
    parsed = Parsed(findings=meaning.findings, looked_up=lookups.used)
    matched = list(_match(grids, profile, meaning.findings))
    for grid, section in matched:
        for layout in _layouts(grid, section, meaning.findings):
            others = [g for g, _ in matched if g is not grid]
            whole = unwrapped(grid, section, layout)
            TableReader(whole, section, layout, meaning, lookups, others).read(parsed)
        parsed.sheets.append(grid.sheet)
        parsed.wholes[grid.sheet] = "" if section.name is None else grid.sheet
    meaning.findings.extend(differences(parsed, profile))
    return parsed


def _match(
    grids: Sequence[Grid], profile: Profile, findings: list[Finding]
) -> Iterator[tuple[Grid, Section]]:
    """Give each sheet with its section; a sheet under another name is a finding."""
    strange, missing = [], list(profile.sections)
    for grid in grids:
        named = [s for s in profile.sections if s.accepts(grid.sheet)]
        section = _best(grid, named)
        if section is not None:
            missing = [s for s in missing if s is not section]
            if section.name is None and len(grids) > 1 and locate(grid, section) is None:
                continue  # an unnamed section reads the sheets that have its headers
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


def _best(grid: Grid, sections: Sequence[Section]) -> Section | None:
    """Return the section whose headers agree best with a sheet, of those that bear its name."""
    if len(sections) < 2:
        return sections[0] if sections else None
    scores = [layout.score if (layout := locate(grid, s)) else 0.0 for s in sections]
    return sections[scores.index(max(scores))]


def _layouts(grid: Grid, section: Section, findings: list[Finding]) -> list[Layout]:
    """Find a sheet's tables; a column that is missing is a finding at the header in its place."""
    found = tables(grid, section)
    if not found:
        _missing_columns(grid, section, None, findings)
    return [layout for layout in found if _readable(grid, section, layout, findings)]


def _readable(grid: Grid, section: Section, layout: Layout, findings: list[Finding]) -> bool:
    readable, spare = _missing_columns(grid, section, layout, findings)
    for column, head in spare.items():
        cell = grid.cell(layout.last, column)
        findings.append(fault("GBI-S015", cell, field="header", found=head))
    for column in layout.twice:
        head = grid.text(layout.last, column)
        cell = grid.cell(layout.last, column)
        findings.append(fault("GBI-S016", cell, field="header", found=head))
    return readable


def _missing_columns(
    grid: Grid, section: Section, layout: Layout | None, findings: list[Finding]
) -> tuple[bool, dict[int, str]]:
    """Report the columns that aren't there; say if the rest can be read, and what is over."""
    found = layout.found if layout is not None else [()] * len(section.headers)
    spare = dict(layout.spare) if layout is not None else {}
    readable = layout is not None
    for entry, places in zip(section.headers, found, strict=True):
        if places or entry.get("optional"):
            continue
        expected = expected_header(entry)
        near = difflib.get_close_matches(expected, list(spare.values()), 1, 0.0)
        column = next((c for c, text in spare.items() if text in near), None)
        instead = spare.pop(column) if column is not None else None
        cell = grid.cell(max(layout.last, 0) if layout is not None else 0, column or 0)
        findings.append(
            fault("GBI-S011", cell, field=str(entry.get("column", _VALUE)), found=instead,
                  expected=expected, suggestion=expected)
        )  # fmt: skip
        readable = readable and entry in section.observations
    return readable, spare
