"""A sheet as a grid of cells with their addresses, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.findings import Cell


# What a spreadsheet shows where a formula fails.
ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!",
                    "#GETTING_DATA", "#SPILL!", "#CALC!"})  # fmt: skip


@lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """Return the letters of a column counted from 0: ``A``, ``Z``, ``AA``."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """Return a column's position from 0 by its letters."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1


def a1(row: int, column: int) -> str:
    """Return the address of a cell counted from 0."""
    return f"{column_letters(column)}{row + 1}"


FlagKind = Literal[
    "error", "formula_without_value", "external_formula", "duplicate_cell",
    "hidden_sheet", "hidden_row", "hidden_column", "scaled_format",
    "active_content", "encoding", "mixed_decimals", "low_fidelity", "rebuilt", "unordered",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """What a file says about a cell beside its value, or about itself.

    Attributes
    ----------
    kind
        What it is; each kind has a rule of family F (see :mod:`gbi.ingest.fidelity`).
    area
        A1 address or range (``H2:H40``) on the sheet; empty where it is about all of it.
    detail
        What was seen: ``#REF!``, a formula, a number format, an entry of the archive.
    """

    kind: FlagKind
    area: str
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as an adapter opened it.

    Attributes
    ----------
    grids
        The sheets, tables or pages, in the file's order.
    flags
        About the file as a whole.
    details
        How it was opened (encoding, delimiter, query): parameters of the provenance's step.
    """

    grids: list[Grid]
    flags: tuple[Flag, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


def position(address: str) -> tuple[int, int]:
    """Return row and column, from 0, of an A1 address."""
    letters = address.rstrip("0123456789")
    return int(address[len(letters) :]) - 1, column_index(letters)


def positions(area: str) -> Iterator[tuple[int, int]]:
    """Give the positions of an A1 address or range."""
    first, _, last = area.partition(":")
    (top, left), (bottom, right) = position(first), position(last or first)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            yield row, column


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet.

    Attributes
    ----------
    file, sheet
        Where it is; the sheet is empty for a text file.
    rows
        The cells from A1 on; an empty cell is ``""``. Rows may differ in length.
    merged
        Position of a cell inside a merged area → position of the area's first cell.
    flags
        What the file says about its cells beside their values.
    """

    file: str
    sheet: str
    rows: Sequence[Sequence[Any]]
    merged: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()

    def home(self, row: int, column: int) -> tuple[int, int]:
        """Return where the content of a cell stands: the first cell of its merged area."""
        return self.merged.get((row, column), (row, column))

    def value(self, row: int, column: int) -> Any:
        """Return what a cell holds; merged cells all hold what the first one holds."""
        row, column = self.home(row, column)
        cells = self.rows[row] if row < len(self.rows) else ()
        return cells[column] if column < len(cells) else ""

    def text(self, row: int, column: int) -> str:
        """Return a cell as text: whole numbers without a decimal point, dates as ISO."""
        return as_text(self.value(row, column))

    def cell(self, row: int, column: int) -> Cell:
        """Return the address of a cell's content."""
        # not imported above: a process that only opens a file then loads no more than it needs
        from gbi.findings import Cell

        return Cell(self.file, self.sheet, a1(*self.home(row, column)))

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(r) for r in self.rows), default=0)

    @property
    def empty(self) -> bool:
        """Whether no cell holds anything."""
        return not any(as_text(v) for r in self.rows for v in r)


def as_text(value: Any) -> str:
    """Return a cell's value as text."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, float):
        return format(value, ".15g")
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value).strip()
