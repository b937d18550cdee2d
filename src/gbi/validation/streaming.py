"""Rules on a Parquet file that is larger than memory, in record batches.

Rules on rows see each batch once. Rules on groups see pieces in which every group is whole: DuckDB
deals the rows out by a hash of the columns that the parties of a breach share, within a bounded
memory, and each piece is then looked at as any table is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Cell
from gbi.ingest.grid import a1
from gbi.schemas import schema
from gbi.validation.context import Breaches
from gbi.validation.preparing import Prepared, prepare
from gbi.validation.reach import is_rowwise, together
from gbi.validation.running import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from gbi.findings import Finding, Severity
    from gbi.validation.catalogue import Rule
    from gbi.validation.tracing import Breached

BATCH = 250_000  # rows that are looked at together by rules on rows
PIECE = 500_000  # rows of a piece, as a rule
_MOST_IN_A_PIECE = 2_000_000  # more rows that share a group's columns do not fit
_MEMORY = "400MB"  # what DuckDB may hold while it deals rows out
_ROW = "__row"
_POSITIONS = 2_000_000  # positions of one rule that are kept; all are counted


class Gathered:
    """What one rule found in a register, piece by piece: it is read like a :class:`Breached`."""

    def __init__(self, rule: Rule, severity: Severity, table: str, most: int) -> None:
        self.rule = rule
        self.severity = severity
        self.table_name = table
        self._most = most
        self._count = 0
        self._made: list[tuple[int, Finding]] = []
        self._numbers: list[NDArray[np.int64]] = []
        self._rows: list[NDArray[np.int64]] = []
        self._fields: list[Any] = []
        self._kept = 0
        self._known: dict[tuple[str, str], int] = {}

    def add(self, breached: Breached, rows: NDArray[np.int64]) -> None:
        """Take over what was found in a piece whose rows have these positions in the register."""
        at, (number, parties, fields) = breached.first(), breached.parties()
        first = np.where(at < 0, at, rows[at])  # a fault of the table as a whole has no row
        places, new = self._numbered(breached)
        room = max(0, _POSITIONS - self._kept)
        if room:
            self._numbers.append(places[number][:room])
            self._rows.append(np.where(parties < 0, parties, rows[parties])[:room])
            self._fields.append(fields[:room])
            self._kept += len(self._rows[-1])
        # The first ones by position are stored, in whatever order the pieces come.
        new = new[np.argsort(first[new], kind="stable")][: self._most]
        if len(self._made) >= self._most:
            new = new[first[new] < self._made[-1][0]]
        if len(new):
            made = breached.only(new).findings(len(new))
            self._made += list(zip(first[new].tolist(), made, strict=True))
            self._made = sorted(self._made, key=lambda m: m[0])[: self._most]

    def _numbered(self, breached: Breached) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return a number for every breach of a piece, and which of them are new.

        What a rule on rows says of all cells alike, such as an unknown code, it says of each
        piece; it is one finding all the same.
        """
        n = len(breached)
        if isinstance(breached.violations, Breaches) or not is_rowwise(self.rule):
            places = np.arange(self._count, self._count + n)
            self._count += n
            return places, np.arange(n)
        places, new = np.zeros(n, dtype=np.int64), []
        for i, violation in enumerate(breached.violations):
            told = (violation.column, str(violation.found))
            if told not in self._known:
                self._known[told] = self._count
                self._count += 1
                new.append(i)
            places[i] = self._known[told]
        return places, np.array(new, dtype=np.int64)

    def __len__(self) -> int:
        """Return the number of breaches, stored or not."""
        return self._count

    def findings(self, most: int) -> Iterator[Finding]:
        """Yield the first findings."""
        return (finding for _, finding in self._made[:most])

    def parties(self) -> tuple[NDArray[np.int64], NDArray[np.int64], pd.Categorical[Any]]:
        """Return the parties of the breaches as :class:`Breached` does, at most two million."""
        return (
            np.concatenate(self._numbers),
            np.concatenate(self._rows),
            pd.api.types.union_categoricals(self._fields),
        )

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield nothing: the findings are made already."""
        return iter(())


class Register:
    """A Parquet file whose columns are those of a table.

    Parameters
    ----------
    path
        The file.
    table
        The table's name.

    Raises
    ------
    GbiError
        ``GBI-E061`` if it can't be read as Parquet.
    """

    def __init__(self, path: Path, table: str) -> None:
        from pyarrow import ArrowException, parquet

        try:
            self._file = parquet.ParquetFile(path, pre_buffer=False)
        except (ArrowException, OSError) as error:
            raise GbiError(
                "GBI-E061", where=path.name, got=type(error).__name__, exit_code=3
            ) from None
        self.path = path
        self.table = table
        self.columns = tuple(self._file.schema_arrow.names)
        known = {f.name for f in schema(table).fields}
        self.known = tuple(c for c in self.columns if c in known)
        self.key = tuple(c for c in schema(table).key if c in self.columns)
        self.rows = int(self._file.metadata.num_rows)
        self._fits: dict[tuple[str, ...], bool] = {}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64]]]:
        """Yield the rows in their order, with their positions."""
        start = 0
        for batch in self._file.iter_batches(batch_size=BATCH, columns=list(columns)):
            yield batch.to_pandas(), np.arange(start, start + batch.num_rows)
            start += batch.num_rows

    @property
    def _source(self) -> str:
        return f"read_parquet('{_quoted(str(self.path))}', file_row_number = true)"

    def _dealt(self, columns: Sequence[str]) -> str:
        number = max(1, -(-self.rows // PIECE))
        return f"hash({', '.join(map(_name, columns))}) % {number}"

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Say whether the rows that agree in some columns fit into pieces."""
        import duckdb

        if columns not in self._fits:
            with duckdb.connect() as connection:
                connection.execute(f"SET memory_limit = '{_MEMORY}'")
                fullest = connection.execute(
                    "SELECT max(n) FROM (SELECT count(*) AS n "
                    f"FROM {self._source} GROUP BY {self._dealt(columns)})"
                ).fetchone()
            self._fits[columns] = fullest is not None and (fullest[0] or 0) <= _MOST_IN_A_PIECE
        return self._fits[columns]

    def pieces(
        self, columns: Sequence[str], keep: Sequence[str]
    ) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64]]]:
        """Yield the rows so that those that agree in ``columns`` are in one piece."""
        import duckdb
        from pyarrow import parquet

        if self.rows <= PIECE:
            yield self._file.read(columns=list(keep)).to_pandas(), np.arange(self.rows)
            return
        with tempfile.TemporaryDirectory(prefix="gbi-", ignore_cleanup_errors=True) as folder:
            target = Path(folder) / "pieces"
            chosen = ", ".join(_name(c) for c in dict.fromkeys([*columns, *keep]))
            with duckdb.connect() as connection:
                connection.execute(f"SET memory_limit = '{_MEMORY}'")
                connection.execute("SET preserve_insertion_order = false")
                connection.execute(f"SET temp_directory = '{_quoted(folder)}'")
                connection.execute(
                    f"COPY (SELECT {chosen}, file_row_number AS {_ROW}, "
                    f"{self._dealt(columns)} AS __piece FROM {self._source}) "
                    f"TO '{_quoted(str(target))}' "
                    "(FORMAT parquet, PARTITION_BY (__piece), COMPRESSION lz4_raw)"
                )
            for piece in sorted(target.iterdir()):
                frame = parquet.read_table(piece, partitioning=None).to_pandas()
                frame = frame.sort_values(_ROW, ignore_index=True)
                yield frame.drop(columns=_ROW), frame[_ROW].to_numpy(dtype=np.int64)

    def place(self, rows: NDArray[np.int64]) -> Callable[[int, str], Cell]:
        """Return where a value of a piece stands: column names are row 1, as a sheet shows it."""

        def cell(row: int, column: str) -> Cell:
            at = self.columns.index(column) if column in self.columns else 0
            return Cell(self.path.name, "", a1(int(rows[row]) + 1, at))

        return cell


@dataclass(frozen=True, eq=False)
class Stream:
    """The rules on one register, run piece by piece.

    Attributes
    ----------
    register
        The file.
    day
        The day of the validation.
    most
        How many findings of a rule are stored.
    """

    register: Register
    day: date
    most: int

    def run(self, rules: Sequence[Rule]) -> dict[str, Streamed]:
        """Run rules whose columns the register has; by code, what each found."""
        found = {r.code: Streamed(self._gathered(r)) for r in rules}
        by_row = [r for r in rules if is_rowwise(r)]
        if by_row:
            columns = self.register.known
            self._pass(by_row, self.register.batches(columns), found)
        for columns, group in self._passes([r for r in rules if not is_rowwise(r)], found):
            keep = (
                columns if all(r.operator == "unique_key" for r in group) else self.register.known
            )
            self._pass(group, self.register.pieces(columns, keep), found)
        return found

    def _gathered(self, rule: Rule) -> Gathered:
        severity = rule.severity(self.register.table, self.day)
        return Gathered(rule, severity, self.register.table, self.most)

    def _passes(
        self, rules: Sequence[Rule], found: dict[str, Streamed]
    ) -> Iterator[tuple[tuple[str, ...], list[Rule]]]:
        """Yield rules that can share one dealing-out of the rows, with the columns it goes by.

        Rows that agree in some columns agree in fewer: rules are joined where their columns have
        a part in common that still deals the rows into pieces of a size.
        """
        if rules and self.register.rows <= PIECE:
            yield (), list(rules)
            return
        groups: list[tuple[tuple[str, ...], list[Rule]]] = []
        for rule in rules:
            columns = together(rule, self.register.key, self.register.columns)
            if not columns or not self.register.fits(columns):
                found[rule.code].too_large = True
                continue
            for i, (shared, members) in enumerate(groups):
                common = tuple(c for c in shared if c in columns)
                if common and self.register.fits(common):
                    groups[i] = (common, [*members, rule])
                    break
            else:
                groups.append((columns, [rule]))
        yield from groups

    def _pass(
        self,
        rules: Sequence[Rule],
        pieces: Iterable[tuple[pd.DataFrame, NDArray[np.int64]]],
        found: dict[str, Streamed],
    ) -> None:
        table = self.register.table
        for frame, rows in pieces:
            prepared = prepare({table: Dataset(frame, table)}, {}, self.day)
            prepared.tables[table].place = self.register.place(rows)
            with prepared.remembering():
                for rule in rules:
                    found[rule.code].look(rule, table, prepared, self.day, rows)


@dataclass(eq=False)
class Streamed:
    """What became of one rule on a register."""

    gathered: Gathered
    checked: int = 0
    skipped: int = 0
    too_large: bool = False
    mistyped: tuple[str, ...] = ()
    error: str | None = None

    def look(
        self, rule: Rule, table: str, prepared: Prepared, day: date, rows: NDArray[np.int64]
    ) -> None:
        """Run the rule on one piece."""
        if self.error is not None or self.mistyped:
            return
        if rule.document["scope"] == "table" and len(self.gathered):
            return  # said once
        lacking = [c for c in rule.needs if c not in prepared.contexts[table].frame.columns]
        if lacking:  # the register has it, or the rule would not be asked
            self.mistyped = tuple(lacking)
            return
        try:
            looked = look(rule, table, prepared, day, 0)
        except Exception as error:  # a rule that breaks off must not cost the others
            self.error = type(error).__name__
            return
        self.checked += looked.checked
        self.skipped += looked.skipped
        if looked.breached is not None:
            self.gathered.add(looked.breached, rows)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return text.replace("'", "''")
