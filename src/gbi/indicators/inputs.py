"""What every measure asks of its data: columns, codes, numbers, cells, a sequence of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, Dataset
from gbi.errors import GbiError
from gbi.findings import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gbi.compute.small_cells import SmallCells

VALUE, STATUS, REASON = "OBS_VALUE", "OBS_STATUS", "REASON"
NORMAL, MISSING, IMPOSSIBLE, SUPPRESSED = "A", "O", "M", "Q"
TOTAL, UNKNOWN = "_T", "_U"
WOMEN, MEN = "F", "M"


def dataset(data: Dataset | pd.DataFrame, table: str | None = None) -> Dataset:
    """Return the data as a Dataset, of one table where the measure is about one.

    Parameters
    ----------
    data
        What the caller gave.
    table
        The table that is needed; None takes any.

    Raises
    ------
    GbiError
        ``GBI-E030`` (another table) or ``GBI-E031`` (neither a Dataset nor a DataFrame).
    """
    if table is None:
        table = data.table if isinstance(data, Dataset) else ""
    return Dataset.of(data, table)


def protected(data: Dataset, suppress: SmallCells | None) -> Dataset:
    """Return the data as they can be shown: what is computed from them gives nothing away.

    Parameters
    ----------
    data
        The rows.
    suppress
        How small counts of persons are protected; None leaves everything.
    """
    return data if suppress is None else suppress.suppress(data)[0]


def columns_of(by: Sequence[str]) -> list[str]:
    """Return ``by`` as a list.

    Raises
    ------
    GbiError
        ``GBI-E071`` if it is a text: one column is a sequence of one.
    """
    if isinstance(by, str):
        raise GbiError("GBI-E071", where="by", expected=f'["{by}"]', got=f'"{by}"')
    return list(dict.fromkeys(by))


def require(data: Dataset, columns: Iterable[str]) -> None:
    """Refuse data without the columns that a measure needs.

    Raises
    ------
    GbiError
        ``GBI-E070`` with the columns that are missing.
    """
    there = [str(c) for c in data.frame.columns]
    absent = [c for c in columns if c not in there]
    if absent:
        where = data.table or None
        raise GbiError("GBI-E070", where=where, expected=", ".join(absent), got=", ".join(there))


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """Return a keyword's value if it is a known one.

    Raises
    ------
    GbiError
        ``GBI-E071`` with the values that are known.
    """
    if value not in known:
        raise GbiError("GBI-E071", where=name, expected=", ".join(known), got=str(value))
    return value


def numbers(frame: pd.DataFrame, column: str = VALUE) -> NDArray[np.float64]:
    """Return a column as floats; missing, and a column that is not there, are NaN.

    Raises
    ------
    GbiError
        ``GBI-E073`` if the column holds text.
    """
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    try:
        out = frame[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise GbiError("GBI-E073", where=column, got=str(frame[column].dtype)) from None
    return np.where(np.isfinite(out), out, np.nan)


def texts_of(frame: pd.DataFrame, column: str, default: str = "") -> NDArray[np.object_]:
    """Return a column as text; a missing cell or column is the default."""
    if column not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    values = frame[column].astype(object)
    out: NDArray[np.object_] = values.where(values.notna(), default).astype(str).to_numpy(object)
    return out


def statuses(frame: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return each row's status; where none is given: normal with a value, else missing."""
    given = texts_of(frame, STATUS)
    implied = np.where(np.isfinite(values), NORMAL, MISSING)
    # A value that is missing can't be "normal", whatever the cell says.
    contradicted = (given == NORMAL) & ~np.isfinite(values)
    return np.where((given == "") | contradicted, implied, given).astype(object)


def places(data: Dataset, column: str = VALUE) -> NDArray[np.object_]:
    """Return, per row, the cell of its value as text; None where it is not known."""
    out = np.full(len(data.frame), None, dtype=object)
    known = data.origins
    if known is None or column not in known.columns:
        return out
    parts = zip(known[ORIGIN_FILE], known[ORIGIN_SHEET], known[column], strict=True)
    for row, (file, sheet, a1) in enumerate(parts):
        if isinstance(a1, str) and a1:
            out[row] = str(Cell(str(file), str(sheet) if isinstance(sheet, str) else "", a1))
    return out


def taken(values: NDArray[Any], rows: NDArray[np.int64], missing: Any) -> NDArray[Any]:
    """Return values at row positions; position −1 gives ``missing``.

    Parameters
    ----------
    values
        One per row of the data.
    rows
        Positions.
    missing
        What stands where there is no row.
    """
    out = np.full(len(rows), missing, dtype=values.dtype)
    there = rows >= 0
    out[there] = values[rows[there]]
    return out


def rows_at(frame: pd.DataFrame, columns: Sequence[str], rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return columns of the rows at these positions, with a new index."""
    return frame[list(columns)].iloc[rows].reset_index(drop=True)


def varying(frame: pd.DataFrame, columns: Iterable[str], but: Iterable[str]) -> list[str]:
    """Return the columns of the frame that hold more than one value.

    Parameters
    ----------
    frame
        The rows.
    columns
        The columns to look at; those that the frame lacks are left out.
    but
        Columns that are not wanted.
    """
    aside = set(but)
    there = [c for c in columns if c in frame.columns and c not in aside]
    return [c for c in there if len(frame[c].unique()) > 1]


def blanked(values: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return values as objects, None where said.

    Parameters
    ----------
    values
        The values.
    where
        Which of them to leave out.
    """
    out = np.array(values, dtype=object)
    out[where] = None
    return out


def text_column(values: Iterable[Any]) -> pd.Series:
    """Return texts as a column of strings, missing where None or empty."""
    return pd.Series([v or None for v in values], dtype="str")


def whole_column(values: NDArray[np.float64]) -> pd.Series:
    """Return whole numbers as a column that can hold missing ones."""
    return pd.Series([None if v != v else int(v) for v in values.tolist()], dtype="Int64")
