"""Extracts of a submitted sheet: the rows of a fault with the one above, as the workbook has them.

They come from the datasets' origins, so that nothing is read a second time; small counts of persons
are never shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET
from gbi.findings import Cell
from gbi.report.wording import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gbi.dataset import Dataset
    from gbi.findings import Finding

SHOWN = 3  # findings whose rows an extract shows
_ROWS = 8
_COLUMNS, _LABELS = 9, 3  # columns of an extract; so many of them to name its rows
_LONGEST = 90  # characters of a cell
_A1 = re.compile(r"([A-Z]{1,3})([1-9][0-9]*)")
_VALUE = "OBS_VALUE"

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a cell of the sheet shows, and the concept that it was read as."""

    text: str
    concept: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell of an extract: ``mark`` is ``first`` or ``party`` where a finding points to it."""

    content: Content
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an extract: its letter, the concept of its cells, the heading of its values."""

    letter: str
    concept: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Extract:
    """A few rows of a sheet: row number, whether it is context alone, cells in column order."""

    file: str
    sheet: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[int, bool, tuple[Spot, ...]], ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How many cells of a column have a finding."""

    letter: str
    hit: int
    total: int

    @property
    def state(self) -> str:
        """``none``, ``some`` or ``all``."""
        if not self.hit:
            return "none"
        return "all" if self.total and self.hit >= self.total else "some"


def address(a1: str) -> tuple[str, int] | None:
    """Return column letters and row number of an A1 address, or None where it is none."""
    match = _A1.fullmatch(a1)
    return (match[1], int(match[2])) if match else None


def _ordinal(letter: str) -> tuple[int, str]:
    return len(letter), letter


def _in_order(letters: Iterable[str]) -> list[str]:
    return sorted(letters, key=_ordinal)


def shortened(value: object) -> str:
    """Return a text as an extract shows it: one line, not too long."""
    line = " ".join(str(value).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """The rows of a dataset that come from one sheet, with their numbers there."""

    data: Dataset
    positions: NDArray[np.intp]
    numbers: NDArray[np.int64]
    hidden: NDArray[np.bool_]

    @property
    def columns(self) -> list[str]:
        return _addressed(self.data)

    def a1(self, column: str, position: int) -> str:
        origins = self.data.origins
        return "" if origins is None else str(origins[column].iloc[position])

    def addresses(self, column: str) -> pd.Series[str]:
        origins = self.data.origins
        return pd.Series() if origins is None else origins[column].iloc[self.positions]


class Sheets:
    """The sheets of a submission as far as their cells were read.

    Parameters
    ----------
    datasets
        By table; their totals rows belong to the same sheets. Microdata are left out: no row of
        theirs is ever published.
    hidden
        Rows whose value no published output shows, by the dataset's table.
    withheld
        Cells whose value a finding withholds.
    """

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        hidden: Mapping[str, NDArray[np.bool_]],
        withheld: frozenset[Cell] = frozenset(),
    ) -> None:
        self._parts: dict[Place, list[_Part]] = defaultdict(list)
        self._withheld = withheld
        for name, data in datasets.items():
            rows = hidden.get(name, np.zeros(len(data), dtype=bool))
            self._add(data, rows)
            if data.totals is not None:  # a printed total would give a hidden part away
                self._add(data.totals, np.full(len(data.totals), rows.any()))

    def _add(self, data: Dataset, hidden: NDArray[np.bool_]) -> None:
        if data.origins is None or not len(data):
            return
        groups = data.origins.groupby([ORIGIN_FILE, ORIGIN_SHEET], sort=False, dropna=False)
        for key, positions in groups.indices.items():
            file, sheet = cast("tuple[object, object]", key)
            place = (str(file), "" if missing(sheet) else str(sheet))
            where = np.asarray(positions)
            self._parts[place].append(_Part(data, where, _row_numbers(data, where), hidden))

    def extract(self, findings: Sequence[Finding]) -> Extract | None:
        """Return the rows of the first findings of one file and rule, each with the row above.

        Parameters
        ----------
        findings
            Of one rule; those whose first cell is on another sheet than the first are left out.
        """
        placed = [f for f in findings if f.cells and address(f.cells[0].a1)]
        if not placed:
            return None
        file, sheet = placed[0].cells[0].file, placed[0].cells[0].sheet
        shown = [f for f in placed if (f.file, f.sheet) == (file, sheet)][:SHOWN]
        marks = _marks(shown, (file, sheet))
        firsts = [address(f.cells[0].a1) for f in shown]
        order = [p for p in (*firsts, *marks) if p is not None]  # parties only while there is room
        wanted = sorted(list(dict.fromkeys(row for _, row in order))[:_ROWS])
        above = self._above((file, sheet), wanted[0])
        numbers = [*([above] if above else []), *wanted]
        found = self._contents((file, sheet), numbers)
        for finding in shown:  # a cell that could not be read is in no frame, but in the finding
            place = address(finding.cells[0].a1)
            read = found.get(place, Content("")) if place else None
            if place and read and not read.text and not read.hidden:
                written = finding.found if isinstance(finding.found, str) else ""
                found[place] = Content(shortened(written), finding.field)
        letters = _chosen(found, marks, set(numbers))
        near = {p: c for p, c in found.items() if p[1] in numbers}
        columns = tuple(self._column((file, sheet), letter, near) for letter in letters)
        rows = tuple(
            (
                number,
                number not in wanted,
                tuple(
                    Spot(found.get((x, number), Content("")), marks.get((x, number), ""))
                    for x in letters
                ),
            )
            for number in numbers
        )
        return Extract(file, sheet, columns, rows)

    def health(self, place: Place, hit: Iterable[Cell]) -> tuple[Health, ...]:
        """Return, column by column, how many of a sheet's cells have a finding."""
        totals: dict[str, set[str]] = defaultdict(set)
        for part in self._parts.get(place, ()):
            for column in part.columns:
                for a1 in part.addresses(column).unique():
                    parts = address(str(a1))
                    if parts:
                        totals[parts[0]].add(str(a1))
        wrong: dict[str, set[str]] = defaultdict(set)
        for cell in hit:
            parts = address(cell.a1)
            if parts and (cell.file, cell.sheet) == place:
                wrong[parts[0]].add(cell.a1)
        letters = sorted({*totals, *wrong}, key=_ordinal)
        return tuple(
            Health(x, len(wrong[x]), len(totals[x] | wrong[x]) if totals[x] else 0) for x in letters
        )

    def _above(self, place: Place, row: int) -> int | None:
        """Return the nearest row above that was read."""
        best = 0
        for part in self._parts.get(place, ()):
            below = part.numbers[(part.numbers > 0) & (part.numbers < row)]
            best = max(best, int(below.max())) if len(below) else best
        return best or None

    def _contents(self, place: Place, numbers: Sequence[int]) -> dict[tuple[str, int], Content]:
        """Return what the cells of some rows show; a merged label counts for all its rows."""
        found: dict[tuple[str, int], Content] = {}
        merged: dict[tuple[str, int], tuple[int, Content]] = {}
        for part in self._parts.get(place, ()):
            chosen = np.isin(part.numbers, numbers)
            row_of = dict(zip(part.positions[chosen], part.numbers[chosen].tolist(), strict=True))
            for position in map(int, part.positions[chosen]):
                for column in part.columns:
                    a1 = part.a1(column, position)
                    parts = address(a1)
                    if not parts:
                        continue
                    if parts not in found or column == _VALUE:
                        secret = bool(part.hidden[position]) or Cell(*place, a1) in self._withheld
                        found[parts] = _content(part.data, position, column, hidden=secret)
                    spot = (parts[0], row_of[position])
                    if spot not in merged or merged[spot][0] < parts[1]:
                        merged[spot] = (parts[1], found[parts])
        return {spot: content for spot, (_, content) in merged.items()} | found

    def _column(
        self, place: Place, letter: str, found: Mapping[tuple[str, int], Content]
    ) -> Column:
        concepts = {c.concept for (x, _), c in found.items() if x == letter and c.concept}
        concept = concepts.pop() if len(concepts) == 1 else ""
        if concept != _VALUE:
            return Column(letter, concept)
        return Column(letter, "", self._heading(place, letter))

    def _heading(self, place: Place, letter: str) -> str:
        """Return what stands over a column of values, as far as it was read as a code or year."""
        for part in self._parts.get(place, ()):
            if _VALUE not in part.columns:
                continue
            values = part.addresses(_VALUE).astype("string")
            same = values.str.fullmatch(rf"{letter}\d+").fillna(False).to_numpy(bool)
            for first in map(int, part.positions[same][:1]):
                row = address(part.a1(_VALUE, first))
                for column in (c for c in part.columns if c != _VALUE):
                    head = address(part.a1(column, first))
                    if head and row and head[0] == letter and head[1] < row[1]:
                        return _content(part.data, first, column, hidden=False).text
        return ""


def _addressed(data: Dataset) -> list[str]:
    if data.origins is None:
        return []
    return [str(c) for c in data.origins.columns if not str(c).startswith("_")]


def _row_numbers(data: Dataset, positions: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the sheet's row of each position: of its value, else of its last addressed column."""
    columns = _addressed(data)
    base = _VALUE if _VALUE in columns else columns[-1]
    digits = data.origins[base].iloc[positions].astype("string").str.extract(r"(\d+)$")[0]  # type: ignore[index]
    numbers: NDArray[np.int64] = pd.to_numeric(digits, errors="coerce").fillna(0).to_numpy(np.int64)
    return numbers


def _content(data: Dataset, position: int, column: str, hidden: bool) -> Content:
    if column == _VALUE:
        if hidden:
            return Content("", column, hidden=True)
        raw = data.raw(position)
        if raw is not None:
            return Content(shortened(raw), column)
    label = f"{column}_LABEL"
    name = label if label in data.frame.columns else column
    value = data.frame[name].iloc[position] if name in data.frame.columns else None
    return Content("" if missing(value) or value == "_T" else shortened(value), column)


def _marks(findings: Sequence[Finding], place: Place) -> dict[tuple[str, int], str]:
    marks: dict[tuple[str, int], str] = {}
    for finding in findings:
        for n, cell in enumerate(finding.cells):
            parts = address(cell.a1)
            if parts and (cell.file, cell.sheet) == place and marks.get(parts) != "first":
                marks[parts] = "first" if n == 0 else "party"
    return marks


def _chosen(
    found: Mapping[tuple[str, int], Content],
    marks: Mapping[tuple[str, int], str],
    numbers: set[int],
) -> list[str]:
    """Return the columns to show: those at fault, those that name the row, then the nearest."""
    held = _in_order(
        {x for (x, row), c in found.items() if row in numbers and (c.text or c.hidden)}
    )
    fault = _in_order({x for x, _ in marks})[: _COLUMNS - _LABELS]
    names = [
        x
        for x in held
        if x not in fault and any(c.concept != _VALUE for (y, _), c in found.items() if y == x)
    ]
    kept = [*fault, *names[:_LABELS]]
    every = _in_order({*held, *kept})
    middle = every.index(fault[0])
    near = sorted((x for x in every if x not in kept), key=lambda x: abs(every.index(x) - middle))
    return _in_order([*kept, *near[: _COLUMNS - len(kept)]])
