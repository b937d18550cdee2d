"""What the sheets of a workbook take, counted before a parser allocates any of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gbi.ingest.archive import unsafe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.safety import Limits

COPY = 32  # bytes that each copy takes beside its characters
ERROR_CELLS, AREAS = 500_000, 200_000

Area = tuple[tuple[int, int], tuple[int, int]]


@dataclass(slots=True)
class Extent:
    """What one sheet takes.

    Attributes
    ----------
    rows, columns
        The used range, from A1.
    cells
        Cells that a parser keeps before it lays them out.
    text
        Characters, counted in each cell that shows them (a shared text is stored once, and
        copied into each), and what each copy takes beside them.
    errors
        Position (from 0) → what an error cell shows; parsers give such a cell as an empty one.
    merged
        Merged areas: first and last cell.
    """

    rows: int = 0
    columns: int = 0
    cells: int = 0
    text: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)

    def add(self, row: int, column: int, text: int = 0, cells: int = 1) -> None:
        """Count cells that end at a position."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)
        self.cells += cells
        self.text += text + COPY if text else 0

    def error(self, row: int, column: int, shown: str) -> None:
        """Keep an error cell; those beyond the limit only tell that it is breached."""
        if len(self.errors) <= ERROR_CELLS:
            self.errors[row, column] = shown

    def merge(self, area: Area) -> None:
        """Keep a merged area, likewise."""
        if len(self.merged) <= AREAS:
            self.merged.append(area)

    @property
    def laid_out(self) -> int:
        """Cells in memory: of the used range, or all that are stored if they are more."""
        return max(self.rows * self.columns, self.cells)

    @property
    def covered(self) -> int:
        """Cells under merged areas."""
        return sum((b - t + 1) * (r - c + 1) for (t, c), (b, r) in self.merged)


def check(extents: Iterable[Extent], name: str, limits: Limits) -> None:
    """Refuse a workbook whose sheets, together, take more than the limits.

    All sheets count together: these parsers hold all of them at once.

    Raises
    ------
    GbiError
        ``GBI-E063``, exit code 3.
    """
    found = list(extents)
    for limit, met, of in (
        (limits.cells, sum(e.laid_out for e in found), "cells"),
        (limits.merged, sum(e.covered for e in found), "merged cells"),
        (AREAS, sum(len(e.merged) for e in found), "merged areas"),
        (limits.text, sum(e.text for e in found), "characters"),
        (ERROR_CELLS, sum(len(e.errors) for e in found), "error cells"),
    ):
        if met > limit:
            raise unsafe(name, f"≤ {limit} {of}", met)
