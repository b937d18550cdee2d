"""The pandera form of a table: structure only, nothing coerced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from gbi.schemas.definition import Field, Schema

    RowCheck = Callable[[pd.DataFrame], pd.Series[bool]]

# SDMX CL_OBS_STATUS 2.2: which statuses say that there is no number, and which go with either.
MISSING_ONLY = ("O", "M", "L", "H", "Q", "K")
MISSING_OR_NOT = ("B", "J", "S", "U")  # U: offices also withhold what is unreliable
DTYPES = {"string": "str", "number": "float64", "integer": "Int64", "any": None}
# A check over whole rows repeats each failing row once a column: pandera's table of failures
# would outgrow the data. The schema fails all the same; the first rows are enough to see why.
_ROWS_SHOWN = 100


def pandera_schema(schema: Schema) -> Any:
    """Return the ``DataFrameSchema`` of a table; checks are named for what they check."""
    import pandera.pandas as pa

    rules = [("key", _key_unique(schema))] if schema.key else []
    for field in schema.fields:
        if field.missing_reason is not None:
            rules.append((f"{field.name} missing_reason", _reason_given(field, schema)))
        if field.required_when:
            rules.append((f"{field.name} required_when", _given_when(field)))
    return pa.DataFrameSchema(
        {field.name: _column(field) for field in schema.fields},
        checks=[
            pa.Check(rule, name=name, error=name, ignore_na=False, n_failure_cases=_ROWS_SHOWN)
            for name, rule in rules
        ],
        strict=False,  # a sender's own columns are no fault of structure
        coerce=False,
        unique_column_names=True,
        name=schema.name,
        metadata={"gbi": {"version": schema.version}},
    )


def _column(field: Field) -> Any:
    import pandera.pandas as pa

    checks = []
    if field.codes:
        name = field.codelist or "enum"
        checks.append(pa.Check.isin(list(field.codes), name=name, error=name))
    if "pattern" in field.constraints:
        whole = _matches(field.constraints["pattern"])
        checks.append(pa.Check(whole, name="pattern", error="pattern"))
    if "minimum" in field.constraints:
        least = field.constraints["minimum"]
        checks.append(pa.Check.ge(least, name="minimum", error="minimum"))
    if "maximum" in field.constraints:
        most = field.constraints["maximum"]
        checks.append(pa.Check.le(most, name="maximum", error="maximum"))
    return pa.Column(
        DTYPES[field.type],
        checks=checks,
        required=field.required,
        nullable=field.nullable,
        coerce=False,
        title=field.label("en"),
    )


def _matches(pattern: str) -> Callable[[pd.Series[Any]], pd.Series[bool]]:
    """Match whole texts with Python's engine: Arrow's differs between versions."""
    compiled = re.compile(pattern)

    def check(column: pd.Series[Any]) -> pd.Series[bool]:
        good = [v for v in column.dropna().unique() if isinstance(v, str) and compiled.fullmatch(v)]
        return column.isin(good) | column.isna()

    return check


def _key_unique(schema: Schema) -> RowCheck:
    """Let no two rows share their key; a key column that may be absent is then constant."""
    needed = set(schema.required)

    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        given = [c for c in schema.key if c in frame.columns]
        if not needed.intersection(schema.key) <= set(given):  # reported as a missing column
            return _all(frame, True)
        return ~frame.duplicated(given, keep=False)

    return check


def _reason_given(field: Field, schema: Schema) -> RowCheck:
    """Let a missing value say why, and a status of "missing" stand beside no value."""
    reason = field.missing_reason
    default = schema.field(reason).default if reason is not None else None

    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        if field.name not in frame.columns:
            return _all(frame, True)
        status = frame[reason] if reason in frame.columns else _all(frame, default)
        without = status.isin([*MISSING_ONLY, *MISSING_OR_NOT])
        return without.where(frame[field.name].isna(), ~status.isin(MISSING_ONLY))

    return check


def _given_when(field: Field) -> RowCheck:
    """Let a cell be filled where other columns ask for it."""

    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        asked = _all(frame, True)
        for column, values in field.required_when.items():
            if column not in frame.columns:
                return _all(frame, True)
            asked &= frame[column].isin(values)
        given = frame[field.name].notna() if field.name in frame.columns else _all(frame, False)
        return ~asked | given

    return check


def _all(frame: pd.DataFrame, value: object) -> pd.Series[Any]:
    return pd.Series(np.full(len(frame), value), index=frame.index)
