"""Records to datasets: the table's columns and types, origins beside them, files joined."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, Dataset
from gbi.findings import Cell, Finding
from gbi.ingest.faults import fault
from gbi.ingest.grid import a1, as_text
from gbi.ingest.numbers import Number, Style, Unreadable, decimals_of, read_number
from gbi.language import fold
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.extraction import Parsed, Records
    from gbi.ingest.grid import Grid
    from gbi.ingest.profile import Profile
    from gbi.provenance import Provenance


MICRODATA = "survey"


def dataset_of(parsed: Parsed, profile: Profile, provenance: Provenance) -> Dataset:
    """Return a file's rows as a dataset of the profile's table."""
    table = str(profile.table)
    totals = None
    if parsed.totals.records:
        totals = Dataset(
            _frame(parsed.totals, profile), table, provenance=provenance,
            origins=_origins(parsed.totals),
        )  # fmt: skip
    return Dataset(
        _frame(parsed.rows, profile), table, findings=tuple(parsed.findings),
        provenance=provenance, totals=totals, origins=_origins(parsed.rows),
    )  # fmt: skip


def _frame(rows: Records, profile: Profile) -> pd.DataFrame:
    table = schema(str(profile.table))
    given = {column for record in rows.records for column in record}
    # a column that other rows of the file fill stands for its default where nothing speaks of it
    defaults = {f.name: f.default for f in table.fields if f.default is not None}
    partly = {name: value for name, value in defaults.items() if name in given}
    columns = [c for c in table.columns if c in given] or list(table.columns)
    frame = table.conform(pd.DataFrame([{**partly, **r} for r in rows.records], columns=columns))
    if profile.decimals == "series" and "OBS_VALUE" in frame and len(frame):
        shown = frame["OBS_VALUE"].map(decimals_of)
        series = frame["INDICATOR"] if "INDICATOR" in frame else pd.Series("", frame.index)
        frame["DECIMALS"] = shown.groupby(series).transform("max").astype("Int64")
    return frame


def _origins(rows: Records) -> pd.DataFrame:
    return pd.DataFrame(rows.origins, dtype="str").fillna("")


def microdata(grid: Grid, profile: Profile) -> Dataset:
    """Return a table of microdata as it is: a row per unit, the file's own names, no recoding.

    The first row that isn't empty holds the names. A column of numbers (apart from empty cells and
    what the profile calls missing) is numeric, any other one text; row i keeps the address of its
    first cell.
    """
    head = next((r for r, cells in enumerate(grid.rows) if any(map(as_text, cells))), 0)
    names = [grid.text(head, c) for c in range(grid.width)]
    columns = [c for c, name in enumerate(names) if name and name not in names[:c]]
    twice = [c for c, name in enumerate(names) if name in names[:c] and name]
    body = [r for r in range(head + 1, len(grid.rows)) if any(map(as_text, grid.rows[r]))]
    frame = pd.DataFrame(
        {names[c]: _column([grid.value(r, c) for r in body], profile) for c in columns}
    )
    origins = pd.DataFrame(
        [{ORIGIN_FILE: grid.file, ORIGIN_SHEET: grid.sheet, "OBS_VALUE": a1(r, 0)} for r in body],
        columns=[ORIGIN_FILE, ORIGIN_SHEET, "OBS_VALUE"],
        dtype="str",
    )
    findings = [
        fault("GBI-S016", grid.cell(head, c), field="header", found=names[c]) for c in twice
    ]
    return Dataset(frame, MICRODATA, roles=profile.roles, findings=tuple(findings), origins=origins)


def _column(values: list[Any], profile: Profile) -> pd.Series[Any]:
    empty = {"", *profile.missing}
    filled = [None if isinstance(v, str) and fold(v) in empty else v for v in values]
    read = [None if v is None else read_number(v, Style(".")) for v in filled]
    numbers = [r.value if isinstance(r, Number) else math.nan for r in read]
    if not any(isinstance(r, Unreadable) for r in read) and any(r is not None for r in read):
        return pd.Series(numbers, dtype="float64")
    return pd.Series([None if v is None else as_text(v) for v in filled], dtype="str")


def join(parts: Iterable[Dataset]) -> tuple[dict[str, Dataset], list[Finding]]:
    """Join the datasets of several files by table; rows that are there twice are left out.

    Returns
    -------
    dict, list of Finding
        Table → dataset, and a finding for each file that repeats keys of an earlier one: none of
        its rows is used, since nothing says which of the two holds.
    """
    kept: dict[str, list[Dataset]] = {}
    findings = []
    for part in parts:
        earlier = kept.setdefault(part.table, [])
        twin = next((e for e in earlier if _same(e, part)), None)
        if twin is None:
            earlier.append(part)
            continue
        findings.append(fault("GBI-F007", Cell(_file(part), "", ""), expected=_file(twin)))
    joined = {table: Dataset.concat(datasets) for table, datasets in kept.items()}
    return {
        table: data
        if table == MICRODATA
        else replace(data, frame=schema(table).conform(data.frame))
        for table, data in joined.items()
    }, findings


def _same(one: Dataset, other: Dataset) -> bool:
    """Say whether two files repeat one another; two surveys are never one table."""
    return one.table == MICRODATA or bool(_keys(one) & _keys(other))


def _keys(data: Dataset) -> set[tuple[str, ...]]:
    columns = [data.frame[c].astype("str") for c in schema(data.table).key if c in data.frame]
    return set(zip(*columns, strict=True))


def _file(data: Dataset) -> str:
    return "" if data.origins is None else str(data.origins[ORIGIN_FILE].iloc[0])
