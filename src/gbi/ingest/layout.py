"""Find a profile's columns on a sheet: the header, wherever it stands, and each column in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gbi.ingest.grid import column_index
from gbi.ingest.profile import squeeze
from gbi.language import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.ingest.grid import Grid
    from gbi.ingest.profile import Section

_DEEPEST = 40  # rows that may stand above a header: titles, units, logos


@dataclass(frozen=True, slots=True)
class Found:
    """A profile's column on a sheet: where it is, and what its header says (a year)."""

    column: int
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a section's columns stand in one table of a sheet.

    Attributes
    ----------
    first, last
        The header's rows, from 0; ``last`` is the row before the first record.
    end
        The row behind the table's last one.
    found
        Per entry of ``section.headers``: its places. A value may have several (a column a year).
    spare
        Headers of the sheet that no entry claims: column → text.
    twice
        Columns whose header an entry claims that already has its place.
    expected
        Entries that are there or should be: all but the optional ones that are absent.
    """

    first: int
    last: int
    end: int
    found: tuple[tuple[Found, ...], ...]
    spare: Mapping[int, str]
    twice: tuple[int, ...] = ()
    expected: int = 0

    @property
    def score(self) -> float:
        """Headers found among all that are expected or there, 0 to 1 (Jaccard's index)."""
        hits = sum(bool(places) for places in self.found)
        return hits / (self.expected + len(self.spare)) if self.expected else 0.0


def locate(grid: Grid, section: Section) -> Layout | None:
    """Return where the header is most complete; None on a sheet without any of its headers."""
    if section.header_rows == 0:
        return _without_header(grid, section)
    best: Layout | None = None
    for row in range(min(len(grid.rows), _DEEPEST) - section.header_rows + 1):
        layout = _at(grid, section, row)
        if layout is not None and (best is None or layout.score > best.score):
            best = layout
    return best


def tables(grid: Grid, section: Section) -> list[Layout]:
    """Return a sheet's tables: one, or one per repetition of the header where the section says so.

    A repetition is a header as complete as the best one, or with all columns that must be there;
    each table ends where the next begins.
    """
    best = locate(grid, section)
    if best is None or not section.says("repeats") or section.header_rows == 0:
        return [] if best is None else [best]
    again: list[Layout] = []
    for row in range(len(grid.rows) - section.header_rows + 1):
        layout = _at(grid, section, row)
        if layout is None or (again and row <= again[-1].last):
            continue
        if layout.score >= best.score or _complete(layout, section):
            again.append(layout)
    ends = [layout.first for layout in again[1:]] + [len(grid.rows)]
    return [replace(one, end=end) for one, end in zip(again, ends, strict=True)]


def _complete(layout: Layout, section: Section) -> bool:
    return all(p or e.get("optional") for p, e in zip(layout.found, section.headers, strict=True))


def _without_header(grid: Grid, section: Section) -> Layout | None:
    found = tuple(tuple(_lettered(entry, grid.width)) for entry in section.headers)
    first = section.first_row
    return Layout(first, first - 1, len(grid.rows), found, {}) if any(found) else None


def _lettered(entry: Mapping[str, Any], width: int) -> Iterator[Found]:
    if "at" in entry and column_index(entry["at"]) < width:
        yield Found(column_index(entry["at"]))


def _at(grid: Grid, section: Section, row: int) -> Layout | None:
    last = row + section.header_rows - 1
    heads = headers(grid, row, last, spread=section.says("spread"))
    free = {column: head for column, head in heads.items() if head}
    columns: dict[str, list[int]] = {}
    for column, head in free.items():
        columns.setdefault(fold(head), []).append(column)
    found: list[tuple[Found, ...]] = []
    twice: list[int] = []
    for entry in section.headers:
        if "at" in entry:
            places = list(_lettered(entry, grid.width))
        elif "header" in entry:
            same = [c for c in columns.get(fold(entry["header"]), []) if c in free]
            places = [Found(c) for c in same[:1]]
            twice += same[1:]
        else:
            places = list(_spoken(entry, free))
            if not _takes_many(entry, section.observations):
                places = places[:1]
        found.append(tuple(places))
        for place in places:
            free.pop(place.column, None)
    by_name = any(f for f, entry in zip(found, section.headers, strict=True) if "at" not in entry)
    if not by_name:
        return None
    twice = [column for column in twice if column in free]  # a later entry may have taken it
    spare = {column: head for column, head in free.items() if column not in twice}
    expected = sum(
        bool(places) or not entry.get("optional")
        for places, entry in zip(found, section.headers, strict=True)
    )
    return Layout(row, last, len(grid.rows), tuple(found), spare, tuple(twice), expected)


def _spoken(entry: Mapping[str, Any], heads: Mapping[int, str]) -> Iterator[Found]:
    """Give the columns whose header follows an entry's pattern, and what it says."""
    pattern = re.compile(entry["pattern"], re.IGNORECASE)
    for column, head in heads.items():
        if (match := pattern.fullmatch(head)) is not None:
            yield Found(column, {k: v for k, v in match.groupdict().items() if v})


def _takes_many(entry: Mapping[str, Any], observations: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether an entry stands for every column that follows its pattern."""
    return "pattern" in entry and (entry in observations or "column" not in entry)


def headers(grid: Grid, first: int, last: int, *, spread: bool) -> dict[int, str]:
    """Return each column's header over its rows as one text; merged parts count once."""
    texts: list[dict[int, str]] = []
    for row in range(first, last + 1):
        line = {c: grid.text(row, c) for c in range(grid.width) if grid.home(row, c)[0] >= row
                or row == first}  # fmt: skip
        if spread and row < last:
            carried = ""
            for column in range(grid.width):
                carried = line.get(column, "") or carried
                line[column] = carried
        texts.append(line)
    return {
        column: squeeze(" ".join(filter(None, (line.get(column, "") for line in texts))))
        for column in range(grid.width)
    }


def expected_header(entry: Mapping[str, Any]) -> str:
    """Return a header as a reader expects to see it."""
    return str(entry.get("header") or entry.get("example") or entry["at"])
