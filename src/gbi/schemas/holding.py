"""Put a frame in a table's order and types without changing a value."""

from __future__ import annotations

import math
import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.errors import GbiError
from gbi.schemas.structure import DTYPES

if TYPE_CHECKING:
    from gbi.schemas.definition import Field, Schema


def conformed(schema: Schema, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as :meth:`gbi.schemas.Schema.conform` promises."""
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise GbiError("GBI-E053", where=schema.name, got=", ".join(map(str, twice.unique())))
    columns: dict[str, pd.Series[Any]] = {}
    for field in schema.fields:
        if field.name in frame.columns:
            columns[field.name] = _held(frame[field.name], field, schema)
        elif field.default is not None:
            filled = pd.Series([field.default] * len(frame), index=frame.index, dtype=object)
            columns[field.name] = _held(filled, field, schema)
    columns |= {name: frame[name] for name in frame.columns if name not in columns}
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


def _held(column: pd.Series[Any], field: Field, schema: Schema) -> pd.Series[Any]:
    """Return a column in its field's dtype."""
    dtype = DTYPES[field.type]
    if dtype is None or column.dtype == dtype:
        return column
    missing = column.isna()
    values = column.astype(object).where(~missing, None)
    for row, value in enumerate(values):
        if value is not None and not _fits(value, field.type):
            raise GbiError(
                "GBI-E052",
                where=f"{schema.name}, {field.name} [{row}]",
                expected=field.type,
                got=_shown(value, schema),
            )
    if field.type == "string":
        return values.astype("str")
    if field.type == "number":
        floats = [math.nan if v is None else float(v) for v in values]
        return pd.Series(floats, index=column.index, dtype="float64")
    whole = [pd.NA if v is None else int(v) for v in values]
    return pd.Series(whole, index=column.index, dtype="Int64")


def _fits(value: object, kind: str) -> bool:
    """Say whether a value is the same in the type's dtype; True and "12" are no numbers."""
    if kind == "string":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        return False
    near = float(value)
    if kind == "number":
        return bool(near == value)
    return math.isfinite(near) and near.is_integer() and -(2**63) <= value < 2**63  # type: ignore[operator]


def _shown(value: object, schema: Schema) -> str:
    """Return a value for a message; of microdata the type only, since others read logs."""
    return type(value).__name__ if schema.kind == "microdata" else repr(value)
