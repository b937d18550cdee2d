"""Read Parquet and Arrow files as grids: row 1 holds the column names, a record is a row."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gbi.ingest.safety import Limits

_BATCH = 10_000


def open_parquet(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read one Parquet file; its footer tells its size before a value is read.

    Integers stay integers of any size. A decimal becomes an integer where it is whole, a float
    where that shows the same digits, else its text. What is not a number (NaN, infinite) and
    times of day become text, missing values empty cells.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged, or not what its footer says), ``GBI-E063`` (a limit),
        ``GBI-E066`` (no Parquet, or a column of lists, structures or bytes, which is named).
    """
    from pyarrow import parquet

    _head(path, name, limits, (b"PAR1", b"PARE"), "Parquet")
    try:
        about = parquet.read_metadata(path)
        expanded = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if expanded > limits.expanded:
            raise _beyond(name, f"≤ {limits.expanded} B expanded", f"{expanded} B")
        _bound(name, about.num_rows, about.num_columns, limits)
        # A text that a million rows repeat is kept once, as in the file.
        schema = about.schema.to_arrow_schema()
        texts = [field.name for field in schema if _is_text(field.type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            rows = _rows(name, schema, file.iter_batches(batch_size=_BATCH), limits)
    except _failures() as error:
        raise _damaged(name, type(error).__name__) from None
    if len(rows) != about.num_rows + 1:
        raise _damaged(name, f"{len(rows) - 1} ≠ {about.num_rows}")
    return Opened([Grid(name, "", rows)])


def open_arrow(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an Arrow IPC file (Feather 2) or stream; values become cells as those of Parquet do.

    Raises
    ------
    GbiError
        Exit code 3, as :func:`open_parquet`; Feather 1 is not read (``GBI-E066``).
    """
    import pyarrow as pa

    head = _head(path, name, limits, (b"ARRO", b"\xff\xff\xff\xff"), "Arrow IPC, Feather 2")
    source = pa.BufferReader(path.read_bytes())
    try:
        if head == b"ARRO":
            file = pa.ipc.open_file(source)
            batches = (file.get_batch(i) for i in range(file.num_record_batches))
            rows = _rows(name, file.schema, batches, limits)
        else:
            stream = pa.ipc.open_stream(source)
            rows = _rows(name, stream.schema, stream, limits)
    except _failures() as error:
        raise _damaged(name, type(error).__name__) from None
    return Opened([Grid(name, "", rows)])


# --- refusals ---


def _failures() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises over a damaged file."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, ValueError, ArithmeticError, MemoryError, LookupError)


def _damaged(name: str, got: str) -> GbiError:
    return GbiError("GBI-E061", where=name, got=got, exit_code=3)


def _beyond(name: str, limit: str, met: str) -> GbiError:
    return GbiError("GBI-E063", where=name, expected=limit, got=met, exit_code=3)


def _head(path: Path, name: str, limits: Limits, marks: tuple[bytes, ...], kind: str) -> bytes:
    """Return the first four bytes of a file that is neither too large nor of another kind."""
    size = path.stat().st_size
    if size > limits.expanded:
        raise _beyond(name, f"≤ {limits.expanded} B", f"{size} B")
    with path.open("rb") as handle:
        head = handle.read(4)
    if head not in marks:
        raise GbiError("GBI-E066", where=name, expected=kind, exit_code=3)
    if head == b"PARE":  # the mark of a Parquet file with an encrypted footer
        raise GbiError("GBI-E062", where=name, exit_code=3)
    return head


def _bound(name: str, rows: int, columns: int, limits: Limits) -> None:
    if rows * max(columns, 1) > limits.cells:
        raise _beyond(name, f"≤ {limits.cells} cells", f"{rows} × {columns}")


# --- values ---


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _rows(name: str, schema: Any, batches: Iterable[Any], limits: Limits) -> list[list[Any]]:
    """Return the header and the records, batch by batch, so that no limit is passed unseen."""
    import pyarrow as pa

    for field in schema:
        if pa.types.is_nested(field.type):
            raise _other_kind(name, field)
    rows: list[list[Any]] = [[str(n) for n in schema.names]]
    for batch in batches:
        _bound(name, len(rows) - 1 + batch.num_rows, batch.num_columns, limits)
        batch.validate(full=True)  # an index beyond its buffer would end the process
        columns = [_cells(c, f, name) for c, f in zip(batch.columns, schema, strict=True)]
        rows += map(list, zip(*columns, strict=True))
    return rows


def _other_kind(name: str, field: Any) -> GbiError:
    got = f"{field.name}: {field.type}"
    return GbiError("GBI-E066", where=name, expected="one value in a cell", got=got, exit_code=3)


def _cells(column: Any, field: Any, name: str) -> list[Any]:
    import pyarrow as pa

    if isinstance(column, pa.DictionaryArray):
        # every batch brings the dictionary again; its texts are kept once
        decoded = _cells(column.dictionary, field, name)
        values = [sys.intern(v) if isinstance(v, str) else v for v in decoded]
        return ["" if i is None else values[i] for i in column.indices.to_pylist()]
    if pa.types.is_timestamp(column.type):  # nanoseconds are pandas' unit, not a user's
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:  # older writers don't mark texts as such
            column = column.cast(pa.large_string())
        except pa.ArrowInvalid:
            raise _other_kind(name, field) from None
    return [_cell(value) for value in column.to_pylist()]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool | int | str | dt.date):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return exact(value)
    if isinstance(value, float) and value - value == 0:
        return value
    return str(value)


def exact(value: Decimal) -> int | float | str:
    """Return a decimal as an integer, as a float that shows the same digits, or as its text."""
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)
