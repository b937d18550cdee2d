"""Which rows of a table hold records, and which only say what holds for those below."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gbi.ingest.grid import as_text
from gbi.language import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.ingest.grid import Grid
    from gbi.ingest.layout import Found, Layout
    from gbi.ingest.profile import Section

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A row with a record: where each of its texts stands, which may be a row above.

    Attributes
    ----------
    number
        The row, from 0.
    texts
        Entry of the profile → position of its text: headings, then columns.
    """

    number: int
    texts: Sequence[tuple[Mapping[str, Any], Position]]


@dataclass(slots=True)
class Rows:
    """The rows of one table, read downwards.

    Attributes
    ----------
    dropped
        How many rows the profile's filters left out.
    repeated
        Rows that repeat an earlier one in every cell → that row.
    """

    grid: Grid
    section: Section
    layout: Layout
    dropped: int = 0
    repeated: dict[int, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        """Give the rows that hold records."""
        count = len(self.section.columns)
        columns = [
            (entry, places[0].column)
            for entry, places in zip(self.section.columns, self.layout.found[:count], strict=True)
            if places
        ]
        values = [place for places in self.layout.found[count:] for place in places]
        carried: dict[int, Position] = {}
        running: dict[int, Position] = {}
        seen: dict[tuple[str, ...], int] = {}
        for row, homes in self._filled():
            if self._heads(row, homes, running):
                carried.clear()
                continue
            heading = self.section.says("headings") and not self._has_value(row, columns, values)
            texts = list(self._texts(row, columns, carried, heading=heading))
            if heading:
                continue
            if not all(self._kept(entry, position) for entry, position in texts):
                self.dropped += 1
                continue
            above = [(self.section.headings[i], position) for i, position in running.items()]
            if len(homes) > 1:
                elsewhere = [p for _, p in (*above, *texts) if p[0] != row]
                own = [(row, c) for c in range(self.grid.width)]
                whole = tuple(self.grid.text(*p) for p in (*elsewhere, *own))
                first = seen.setdefault(whole, row)
                if first != row:
                    self.repeated[row] = first
            yield Row(row, [*above, *texts])

    def _filled(self) -> Iterator[tuple[int, list[Position]]]:
        """Give the rows that are not empty, without notes: single texts from the first note on."""
        pattern = self.section.document.get("notes")
        title = self.section.document.get("title") if self.section.says("repeats") else None
        noted = False
        for row in range(self.layout.last + 1, self.layout.end):
            width = len(self.grid.rows[row])
            homes = list(dict.fromkeys(self.grid.home(row, c) for c in range(width)))
            homes = [home for home in homes if self.grid.text(*home)]
            if not homes:
                continue
            alone = self.grid.text(*homes[0]) if len(homes) == 1 else None
            if title is not None and alone and re.fullmatch(title, alone, re.IGNORECASE):
                continue  # the next table's
            if pattern is not None and alone is not None:
                noted = noted or re.match(pattern, alone) is not None
                if noted:
                    continue
            yield row, homes

    def _heads(self, row: int, homes: list[Position], running: dict[int, Position]) -> bool:
        """Take a heading: a row with one text, which then holds until the next of its kind."""
        if len(homes) != 1 or not self.section.headings:
            return False
        text = self.grid.text(*homes[0])
        for index, entry in enumerate(self.section.headings):
            if re.fullmatch(entry["heading"], text, re.IGNORECASE):
                running[index] = homes[0]
                for deeper in [i for i in running if i > index]:
                    del running[deeper]
                return True
        return False

    def _texts(
        self, row: int, columns: Sequence[tuple[Any, int]], carried: dict[int, Position], *,
        heading: bool,
    ) -> Iterator[tuple[Mapping[str, Any], Position]]:  # fmt: skip
        """Give each entry with the position of its text, filled down where the profile says so."""
        for index, (entry, column) in enumerate(columns):
            position = (row, column)
            if "fill" in entry:
                if self._holds(*position) and (entry["fill"] == "down" or heading):
                    for deeper in [i for i in carried if i >= index]:
                        del carried[deeper]
                    carried[index] = position
                nothing = (row, self.grid.width) if entry["fill"] == "heading" else position
                position = carried.get(index, nothing)
            yield entry, position

    def _has_value(
        self, row: int, columns: Sequence[tuple[Any, int]], values: Sequence[Found]
    ) -> bool:
        places = [v.column for v in values]
        places += [c for entry, c in columns if entry.get("column") == "OBS_VALUE"]
        return any(self._holds(row, column) for column in places)

    def _holds(self, row: int, column: int) -> bool:
        """Say whether a column has a text of its own in a row: not one merged from its left."""
        return self.grid.home(row, column)[1] == column and bool(self.grid.text(row, column))

    def _kept(self, entry: Mapping[str, Any], position: Position) -> bool:
        """Say whether an entry's filter lets a row through."""
        if not entry.keys() & {"keep", "drop", "keep_like", "drop_like"}:
            return True
        text = self.grid.text(*position)
        if "keep" in entry and fold(text) not in map(fold, entry["keep"]):
            return False
        if "drop" in entry and fold(text) in map(fold, entry["drop"]):
            return False
        if "keep_like" in entry and re.fullmatch(entry["keep_like"], text) is None:
            return False
        return "drop_like" not in entry or re.fullmatch(entry["drop_like"], text) is None


def unwrapped(grid: Grid, section: Section, layout: Layout) -> Grid:
    """Return a grid with wrapped texts as one: a row with nothing but a text's second line.

    The second line joins the first one, whose cell keeps the address.
    """
    placed = zip(section.columns, layout.found[: len(section.columns)], strict=True)
    wrapping = {places[0].column for entry, places in placed if places and entry.get("wraps")}
    if not wrapping:
        return grid
    headings = [entry["heading"] for entry in section.headings]
    headings += [f"(?:{section.document[k]}).*" for k in ("notes",) if k in section.document]
    rows = [list(cells) for cells in grid.rows]
    for row in range(layout.end - 1, layout.last + 1, -1):
        filled = [c for c, value in enumerate(rows[row]) if as_text(value)]
        if len(filled) != 1 or filled[0] not in wrapping:
            continue
        (column,) = filled
        text = as_text(rows[row][column])
        first = as_text(rows[row - 1][column]) if column < len(rows[row - 1]) else ""
        if first and not any(re.fullmatch(h, text, re.IGNORECASE) for h in headings):
            rows[row - 1][column], rows[row][column] = f"{first} {text}", ""
    return replace(grid, rows=rows)
