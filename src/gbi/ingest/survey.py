"""Read a survey file of Stata or SPSS as one grid: variables as columns, labels instead of codes.

A code that the file names is read as its label; what it declares missing is an empty cell.
"""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.isolation import run_isolated
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gbi.ingest.safety import Limits

_DESCRIBED = 500
_SPSS_EPOCH = datetime(1582, 10, 14)
_DATES = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR")
_DATETIMES = ("DATETIME", "YMDHMS")


def open_dta(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a Stata file (``.dta``).

    Parameters
    ----------
    path
        The file.
    name
        Its name inside its submission.
    limits
        What it may be at most.

    Returns
    -------
    Opened
        ``details`` holds the variables' labels (``label:<variable>``, the first 500) and in
        ``missing`` how many extended missing values (``.a`` to ``.z``) became empty cells.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged), ``GBI-E063`` (beyond a limit).
    """
    _bounded(path.stat().st_size, limits.expanded, "B", name)
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with _stata(path) as reader:
                described = reader.variable_labels()
                frame = _at_most(reader, limits.cells // max(len(described), 1), name)
                labels = dict(zip(described, _label_sets(reader), strict=True))
            missing = 0 if frame is None or not frame.isna().any(axis=None) else _extended(path)
    except GbiError:
        raise
    except Exception as error:  # what a damaged file makes the parser stumble over is open-ended
        raise _damaged(name, error) from None
    columns = {
        variable: [] if frame is None else _labelled(_values(frame[variable]), labels[variable])
        for variable in described
    }
    recoded = any(issubclass(w.category, UnicodeWarning) for w in seen)
    flags = (Flag("encoding", "", "latin-1"),) if recoded else ()
    return _opened(name, columns, described, missing, flags)


def _stata(path: Path, **options: Any) -> Any:
    from pandas.io.stata import StataReader

    return StataReader(path, compression=None, convert_categoricals=False, **options)


def _extended(path: Path) -> int:
    """Count the extended missing values, which a reader that makes dates doesn't tell apart."""
    from pandas.io import stata

    kind = getattr(stata, "StataMissingValue")  # noqa: B009 -- the stubs don't know it
    with _stata(path, convert_dates=False, convert_missing=True) as reader:
        raw = reader.read().select_dtypes("object")
    return sum(isinstance(v, kind) and v.string != "." for c in raw for v in raw[c])


def _label_sets(reader: Any) -> list[dict[Any, str]]:
    """Return each variable's labels; pandas itself refuses a file where two codes share one.

    To be asked after the records were read: before, the reader would leave out the long strings.
    """
    sets = reader.value_labels()
    return [sets.get(label_set, {}) for label_set in reader._lbllist]


def _at_most(reader: Any, rows: int, name: str) -> Any:
    """Return the file's frame, None if it has no row."""
    try:
        frame = reader.read(nrows=rows + 1)
    except StopIteration:
        return None
    _bounded(len(frame), rows, "records", name)
    return frame


def _values(series: Any) -> list[Any]:
    """Return a column as plain values; a missing one is empty."""
    kind = series.dtype.kind
    if kind == "M":
        moments = [None if v != v else v.to_pydatetime(warn=False) for v in series]
        whole = all(m is None or m.time() == datetime.min.time() for m in moments)
        return ["" if m is None else m.date() if whole else m for m in moments]
    if kind == "f" and series.dtype.itemsize == 4:
        # a Stata float of 0.1 is 0.1, not the 0.10000000149 that its bits are as a double
        return ["" if v != v else float(str(v)) for v in series.to_numpy()]
    return ["" if v is None or v != v else v for v in series.tolist()]


def open_sav(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an SPSS file (``.sav``, ``.zsav``) in a process of its own: its parser is native code.

    Returns
    -------
    Opened
        As :func:`read_sav`.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged), ``GBI-E063`` (beyond a limit), ``GBI-E069`` (the
        extra ``sav`` is missing).
    """
    return run_isolated("survey:read_sav", path, name, limits)


def read_sav(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read an SPSS file in this process.

    Returns
    -------
    Opened
        ``details`` holds the variables' labels (``label:<variable>``, the first 500), the
        encoding, and in ``missing`` how many values that the file declares missing became empty.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged), ``GBI-E063`` (beyond a limit).
    """
    import pyreadstat

    parser: Any = pyreadstat  # its hints are wider than what it gives
    _bounded(path.stat().st_size, limits.expanded, "B", name)
    try:
        _, about = parser.read_sav(str(path), metadataonly=True)
        width = sum(about.variable_storage_width.values())
        rows = min(limits.cells // max(about.number_columns, 1), limits.expanded // max(width, 1))
        _bounded(about.number_rows or 0, rows, "records", name)
        data, about = parser.read_sav(
            str(path), user_missing=True, output_format="dict", row_limit=rows + 1,
            disable_datetime_conversion=True,
        )  # fmt: skip
    except GbiError:
        raise
    except Exception as error:  # readstat's own, and whatever its bindings stumble over
        raise _damaged(name, error) from None
    _bounded(max(map(len, data.values()), default=0), rows, "records", name)
    columns, missing = {}, 0
    for variable, values in data.items():
        absent = _absent(about.missing_ranges.get(variable, ()))
        shown = _moment(about.original_variable_types[variable] or "")
        kept = ["" if v is None or absent(v) else shown(v) for v in values]
        missing += sum(v is not None and absent(v) for v in values)
        columns[variable] = _labelled(kept, about.variable_value_labels.get(variable, {}))
    described = about.column_names_to_labels
    opened = _opened(name, columns, described, missing)
    return Opened(opened.grids, details={**opened.details, "encoding": about.file_encoding or ""})


def _absent(ranges: Iterable[Mapping[str, Any]]) -> Callable[[Any], bool]:
    """Return whether a value is one that the file declares missing."""
    bounds = [(r["lo"], r["hi"]) for r in ranges]

    def absent(value: Any) -> bool:
        return any(isinstance(value, type(lo)) and lo <= value <= hi for lo, hi in bounds)

    return absent


def _moment(spss_format: str) -> Callable[[Any], Any]:
    """Return what turns a variable's values to dates; durations stay numbers of seconds.

    The parser's own conversion takes a duration of thirty hours for six o'clock, and refuses a
    whole file for one date after the year 9999.
    """
    kind = spss_format.rstrip("0123456789.")
    if kind not in (*_DATES, *_DATETIMES):
        return lambda value: value

    def moment(seconds: Any) -> Any:
        try:
            at = _SPSS_EPOCH + timedelta(seconds=seconds)
        except OverflowError:
            return seconds
        return at if kind in _DATETIMES else at.date()

    return moment


def _labelled(values: Sequence[Any], labels: Mapping[Any, str]) -> list[Any]:
    """Put labels in the place of codes, unless two codes of the variable share a label."""
    named = {code: label.strip() for code, label in labels.items() if label.strip()}
    if not named or max(Counter(named.values()).values()) > 1:
        return list(values)
    return [named.get(v, v) for v in values]


def _opened(
    name: str,
    columns: Mapping[str, list[Any]],
    described: Mapping[str, str | None],
    missing: int,
    flags: tuple[Flag, ...] = (),
) -> Opened:
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    details = {f"label:{v}": label for v, label in list(described.items())[:_DESCRIBED] if label}
    return Opened([Grid(name, "", rows)], flags, {**details, "missing": str(missing)})


def _bounded(value: int, limit: int, unit: str, name: str) -> None:
    if value > limit:
        raise GbiError("GBI-E063", where=name, expected=f"≤ {limit} {unit}",
                       got=f"{value} {unit}", exit_code=3)  # fmt: skip


def _damaged(name: str, error: Exception) -> GbiError:
    return GbiError("GBI-E061", where=name, got=type(error).__name__, exit_code=3)
