"""From positions to findings: the cells of all parties, the business key, the words.

An operator answers with positions, for a table may have millions of rows. Findings are made of
them when somebody asks, the first ones of every rule and table; the positions are all kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET
from gbi.findings import Cell, Finding, make_finding, placed
from gbi.validation.context import Breaches, coded, remembering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from gbi.dataset import Dataset
    from gbi.findings import Severity
    from gbi.validation.catalogue import Rule
    from gbi.validation.context import Violation
    from gbi.validation.streaming import Gathered
    from gbi.validation.ties import Parties

_WHOLE = "_T"
_VALUE = "OBS_VALUE"
MOST_CELLS = 1000  # parties that a finding names; the positions are all kept
POSITIONS = ("CODE", "SEVERITY", "TABLE", "BREACH", "ROW", "FIELD")


class Table:
    """A dataset under validation, with what is needed to say where and what a row is.

    Parameters
    ----------
    data
        The dataset.
    frame
        Its rows as rules see them.
    key
        The columns of its business key that it has.
    withheld
        Returns, per row, what is published in the place of its figures; asked when the first
        finding is made. None where nothing is withheld.
    """

    def __init__(
        self,
        data: Dataset,
        frame: pd.DataFrame,
        key: tuple[str, ...],
        withheld: Callable[[], NDArray[np.object_]] | None = None,
    ) -> None:
        self.data = data
        self.frame = frame
        self.key = key
        self._withheld = withheld
        self.place: Callable[[int, str], Cell] | None = None  # where there are no origins

    def value(self, column: str, row: int) -> object:
        """Return a cell's plain value, None where the column or the value is missing."""
        if column not in self.frame.columns:
            return None
        numbers, values = coded(self.frame, column)
        return values[numbers[row]] if numbers[row] >= 0 else None

    def business_key(self, row: int) -> dict[str, str]:
        """Return the business key of a row: what is given and is not a total."""
        found = {column: self.value(column, row) for column in self.key}
        return {c: str(v) for c, v in found.items() if v is not None and v != _WHOLE}

    def shared_key(self, rows: Sequence[int]) -> dict[str, str]:
        """Return what the business keys of several rows have in common."""
        first, *others = (self.business_key(row) for row in rows)
        return {c: v for c, v in first.items() if all(o.get(c) == v for o in others)}

    def unit(self, row: int) -> str | None:
        """Return the unit of a row with its power of ten."""
        unit, multiplier = self.value("UNIT_MEASURE", row), self.value("UNIT_MULT", row)
        return f"{unit} × 10^{multiplier}" if unit and multiplier else str(unit) if unit else None

    @cached_property
    def _places(self) -> dict[str, NDArray[np.object_]]:
        origins = self.data.origins
        if origins is None:
            return {}
        return {
            str(c): origins[c].astype("object").where(origins[c].notna(), "").to_numpy(object)
            for c in origins.columns
        }

    def cells(self, rows: Iterable[int], column: str) -> list[Cell]:
        """Return the first cells of a column, in the order of the rows; none without a file."""
        place, places = self.place, self._places
        if place is not None:
            return list(dict.fromkeys(place(row, column) for row in islice(rows, MOST_CELLS)))
        if not places:
            return []
        own, value = places.get(self.data.roles.get(column, column)), places.get(_VALUE)
        found = []
        for row in islice(rows, MOST_CELLS):
            a1 = (own[row] if own is not None else "") or (value[row] if value is not None else "")
            found.append(Cell(str(places[ORIGIN_FILE][row]), str(places[ORIGIN_SHEET][row]), a1))
        return list(dict.fromkeys(found))

    def mask(self, rows: Iterable[int]) -> str:
        """Return what is published in the place of figures that involve these rows."""
        signs = self._signs
        return "" if signs is None else next((str(s) for s in signs[list(rows)] if s), "")

    def any_mask(self) -> str:
        """Return what is published in the place of figures of the whole table, such as totals."""
        signs = self._signs
        return "" if signs is None else next((str(s) for s in signs if s), "")

    @cached_property
    def _signs(self) -> NDArray[np.object_] | None:
        return None if self._withheld is None else self._withheld()


@dataclass(frozen=True, eq=False)
class Breached:
    """What one rule found in one table."""

    rule: Rule
    severity: Severity
    table: Table
    violations: Sequence[Violation]
    elsewhere: Mapping[str, Table]

    def __len__(self) -> int:
        """Return the number of breaches, stored or not."""
        return len(self.violations)

    def findings(self, most: int) -> Iterator[Finding]:
        """Yield the first findings."""
        seen: Counter[tuple[str, ...]] = Counter()
        for violation in islice(self.violations, most):
            yield self._finding(violation, seen)

    def _finding(self, violation: Violation, seen: Counter[tuple[str, ...]]) -> Finding:
        totals = self.table.data.totals
        printed_first = violation.totals_first and bool(violation.totals)
        printed = None if totals is None else Table(totals, totals.frame, self.table.key)
        where = printed if printed_first and printed is not None else self.table
        parties = violation.totals if printed_first else violation.rows
        own = self.table.cells(violation.rows, violation.column)
        of_totals = printed.cells(violation.totals, violation.column) if printed else []
        far = [
            cell
            for table, at in violation.elsewhere
            for cell in self.elsewhere[table].cells([at], violation.column)
        ]
        if not parties:  # the fault is one of the table as a whole
            key = {"TABLE": self.table.data.table}
        elif violation.shared:
            key = self.table.shared_key(violation.rows)
        else:
            key = where.business_key(parties[0])
        mark = (violation.column, *key.values())
        seen[mark] += 1
        masks = [self.table.mask(violation.rows)]
        if violation.totals:  # with the rows that are shown, a total gives the hidden ones
            masks.append(self.table.any_mask())
        masks += [self.elsewhere[t].mask([at]) for t, at in violation.elsewhere]
        return make_finding(
            self.rule.code,
            rule=self.rule.document,
            severity=self.severity,
            cells=list(
                dict.fromkeys([*of_totals, *own] if printed_first else [*own, *of_totals, *far])
            ),
            key=key,
            field=violation.column,
            found=violation.found,
            expected=violation.expected,
            difference=violation.difference,
            tolerance=violation.tolerance,
            unit=where.unit(parties[0]) if parties and violation.column == _VALUE else None,
            suggestion=violation.suggestion,
            ordinal=seen[mark] - 1,
            mask=next((m for m in masks if m), ""),
            **violation.details,
        )

    @property
    def table_name(self) -> str:
        """The table's name."""
        return self.table.data.table

    def only(self, chosen: NDArray[np.int_]) -> Breached:
        """Return the breaches at these places, in their order."""
        violations = self.violations
        if isinstance(violations, Breaches):
            return replace(self, violations=violations.take(chosen))
        return replace(self, violations=[violations[int(i)] for i in chosen])

    def suggesting(self, lines: Mapping[Parties, str]) -> Breached:
        """Return the breaches, each with the line that is proposed for its parties."""

        def line(v: Violation) -> str | None:
            parties = (self.rule.code, tuple(sorted(v.rows)), tuple(sorted(v.totals)))
            return lines.get(parties, v.suggestion)

        return replace(self, violations=[replace(v, suggestion=line(v)) for v in self.violations])

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the frames that findings are made from."""
        for table in (self.table, *self.elsewhere.values()):
            yield table.frame
            if table.data.totals is not None:
                yield table.data.totals.frame

    def first(self) -> NDArray[np.int64]:
        """Return the position of the first party of every breach; -1 where it has none."""
        if isinstance(self.violations, Breaches):
            return self.violations.rows
        return np.array([v.rows[0] if v.rows else -1 for v in self.violations], dtype=np.int64)

    def parties(self) -> tuple[NDArray[np.int64], NDArray[np.int64], pd.Categorical[Any]]:
        """Return the parties of all breaches: whose they are, their positions, the columns."""
        if isinstance(self.violations, Breaches):
            rows, column = self.violations.rows, self.violations.column
            fields = same_word(column, len(rows)) if isinstance(column, str) else column
            return np.arange(len(rows)), rows, pd.Categorical(fields)
        told = [v.rows or (-1,) for v in self.violations]
        number = np.repeat(np.arange(len(told)), [len(rows) for rows in told])
        every = np.array([row for rows in told for row in rows], dtype=np.int64)
        names = np.array([v.column for v in self.violations], dtype=object)
        return number, every, pd.Categorical(names[number])


class Stored(Sequence[Finding]):
    """The findings of a validation, made when the first one is asked for.

    Parameters
    ----------
    others
        Findings that reading and the waivers made.
    breached
        What the rules found.
    most
        How many findings of a rule in a table are stored; all are counted.
    """

    def __init__(
        self, others: Sequence[Finding], breached: Sequence[Breached | Gathered], most: int
    ) -> None:
        self._others = tuple(others)
        self._breached = tuple(breached)
        self._most = most

    @cached_property
    def _made(self) -> tuple[Finding, ...]:
        with remembering([f for b in self._breached for f in b.frames()]):
            made = [f for b in self._breached for f in b.findings(self._most)]
        return tuple(sorted([*self._others, *made], key=placed))

    def __len__(self) -> int:
        """Return how many findings are stored."""
        return len(self._others) + sum(min(len(b), self._most) for b in self._breached)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        """Return a finding, or several; by severity, file, sheet, row and code."""
        return self._made[index]

    def answered(self, findings: Sequence[Finding], others: Sequence[Finding] = ()) -> Stored:
        """Return the same with findings that waivers marked, and with findings about waivers."""
        out = Stored([*self._others, *others], self._breached, self._most)
        out.__dict__["_made"] = tuple(sorted([*findings, *others], key=placed))
        return out

    @cached_property
    def counted(self) -> Counter[str]:
        """How many findings there are by severity, stored or not."""
        count = Counter[str](f.severity for f in self._others)
        for b in self._breached:
            count[b.severity] += len(b)
        return count

    def positions(self) -> pd.DataFrame:
        """Return every party of what rules found in tables, stored or not (see ``POSITIONS``)."""
        columns: dict[str, list[Any]] = {name: [] for name in POSITIONS}
        for b in self._breached:
            number, rows, fields = b.parties()
            columns["BREACH"].append(number)
            columns["ROW"].append(rows)
            columns["FIELD"].append(fields)
            for name, word in (
                ("CODE", b.rule.code),
                ("SEVERITY", b.severity),
                ("TABLE", b.table_name),
            ):
                columns[name].append(same_word(word, len(rows)))
        joined = {name: _joined(name, parts) for name, parts in columns.items()}
        return pd.DataFrame(joined, columns=list(POSITIONS))


def _joined(name: str, parts: Sequence[Any]) -> Any:
    if name in ("BREACH", "ROW"):
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    return pd.api.types.union_categoricals(list(parts)) if parts else pd.Categorical([])


def same_word(word: str, n: int) -> pd.Categorical[Any]:
    """Return one word, n times."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), categories=pd.Index([word]))
