"""Records to datasets: the table's columns and types, origins beside them, files joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from gbi.dataset import ORIGIN_FILE, Dataset
from gbi.findings import Cell, Finding
from gbi.ingest.faults import fault
from gbi.ingest.numbers import decimals_of
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.parsing import Parsed, Rows
    from gbi.ingest.profile import Profile
    from gbi.provenance import Provenance


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


def _frame(rows: Rows, profile: Profile) -> pd.DataFrame:
    table = schema(str(profile.table))
    given = {column for record in rows.records for column in record}
    columns = [c for c in table.columns if c in given] or list(table.columns)
    frame = table.conform(pd.DataFrame(rows.records, columns=columns))
    if profile.decimals == "series" and len(frame):
        shown = frame["OBS_VALUE"].map(decimals_of)
        frame["DECIMALS"] = shown.groupby(frame["INDICATOR"]).transform("max").astype("Int64")
    return frame


def _origins(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows.origins, dtype="str").fillna("")


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
        twin = next((e for e in earlier if _keys(e) & _keys(part)), None)
        if twin is None:
            earlier.append(part)
            continue
        findings.append(fault("GBI-F007", Cell(_file(part), "", ""), expected=_file(twin)))
    joined = {table: Dataset.concat(datasets) for table, datasets in kept.items()}
    return {
        table: replace(data, frame=schema(table).conform(data.frame))
        for table, data in joined.items()
    }, findings


def _keys(data: Dataset) -> set[tuple[str, ...]]:
    columns = [data.frame[c].astype("str") for c in schema(data.table).key if c in data.frame]
    return set(zip(*columns, strict=True))


def _file(data: Dataset) -> str:
    return "" if data.origins is None else str(data.origins[ORIGIN_FILE].iloc[0])
