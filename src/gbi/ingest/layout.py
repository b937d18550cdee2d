"""Find a profile's columns on a sheet: the header, wherever it stands, and each column in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbi.ingest.profile import squeeze
from gbi.language import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.ingest.grid import Grid
    from gbi.ingest.profile import Section

_DEEPEST = 30  # rows that may stand above a header: titles, units, logos


@dataclass(frozen=True, slots=True)
class Found:
    """A profile's column on a sheet: where it is, and what its header says (a year)."""

    column: int
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a section's columns stand on a sheet.

    Attributes
    ----------
    first, last
        The header's rows, from 0.
    found
        Per entry of ``section.headers``: its place, or None.
    spare
        Headers of the sheet that no entry claims: column → text.
    """

    first: int
    last: int
    found: tuple[Found | None, ...]
    spare: Mapping[int, str]

    @property
    def score(self) -> float:
        """Headers found among all that are expected or there, 0 to 1 (Jaccard's index)."""
        hits = sum(f is not None for f in self.found)
        return hits / (len(self.found) + len(self.spare)) if self.found else 0.0


def locate(grid: Grid, section: Section) -> Layout | None:
    """Return where the header is most complete; None on a sheet without any of its headers."""
    best: Layout | None = None
    for row in range(min(len(grid.rows), _DEEPEST) - section.header_rows + 1):
        layout = _at(grid, section, row)
        if layout is not None and (best is None or layout.score > best.score):
            best = layout
    return best


def _at(grid: Grid, section: Section, row: int) -> Layout | None:
    last = row + section.header_rows - 1
    heads = {c: _head(grid, row, last, c) for c in range(grid.width)}
    free = {c: head for c, head in heads.items() if head}
    found: list[Found | None] = []
    for entry in section.headers:
        heard = ((c, claims(entry, head)) for c, head in free.items())
        place = next((Found(c, said) for c, said in heard if said is not None), None)
        found.append(place)
        if place is not None:
            del free[place.column]
    return Layout(row, last, tuple(found), free) if any(found) else None


def _head(grid: Grid, first: int, last: int, column: int) -> str:
    """Return a header over one or two rows as one text; merged parts count once."""
    homes = dict.fromkeys(grid.home(row, column) for row in range(first, last + 1))
    return squeeze(" ".join(grid.text(*home) for home in homes))


def claims(entry: Mapping[str, Any], head: str) -> dict[str, str] | None:
    """Return what a header says if it is the entry's (often nothing), or None if it isn't."""
    if "pattern" in entry:
        match = re.fullmatch(entry["pattern"], head, re.IGNORECASE)
        return None if match is None else match.groupdict()
    return {} if fold(entry["header"]) == fold(head) else None


def expected_header(entry: Mapping[str, Any]) -> str:
    """Return a header as a reader expects to see it."""
    return str(entry.get("header") or entry["example"])
