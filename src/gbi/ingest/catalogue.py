"""The indicator catalogue says what a result is about: sex, unit, direction. Labels don't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from gbi.ingest.faults import fault
from gbi.ingest.numbers import mark_of
from gbi.language import fold
from gbi.resources import suggest
from gbi.schemas import schema
from gbi.vocabulary import label

if TYPE_CHECKING:
    from gbi.dataset import Dataset
    from gbi.findings import Finding

_PLAIN = {"FORMULA", "LIMITS", "SOURCE", "COMMENT", "DEPARTMENT_LABEL"}
Key = tuple[str, ...]


def with_catalogue(results: Dataset, catalogue: Dataset | None) -> Dataset:
    """Return results with what the indicator catalogue says about each series.

    Parameters
    ----------
    results
        The ``performance`` table as read from results chains.
    catalogue
        The ``catalogue`` table, or None where the submission holds none: sex is then unknown
        (``_U``), unit and direction stay absent, and one finding says so.

    Returns
    -------
    Dataset
        Same rows in the same order. A series that the catalogue doesn't know has an unknown sex.
        A percent sign that contradicts the catalogue's unit is a finding.
    """
    frame = results.frame
    if catalogue is None:
        unknown = frame.assign(SEX="_U")
        if "UNIT_MEASURE" not in frame.columns:  # a multiplier of no unit says nothing
            unknown = unknown.drop(columns="UNIT_MULT", errors="ignore")
        place = [replace(results.origin(0), a1="")] if len(frame) else []
        seen = tuple(fault("GBI-S014", cell, field="SEX") for cell in place)
        return replace(results, frame=unknown, findings=(*results.findings, *seen))
    table = schema("catalogue")
    told = [c for c in table.columns if c not in {*table.key, *_PLAIN} and c in catalogue.frame]
    rows = {key: row for row, key in enumerate(_keys(catalogue))}
    places = [rows.get(key, -1) for key in _keys(results)]
    known = catalogue.frame[told].reindex(places).reset_index(drop=True)
    lost = pd.Series(places) < 0
    known.loc[lost, "SEX"] = "_U"
    joined = frame.drop(columns=[c for c in told if c in frame]).join(known)
    joined = schema(results.table).conform(joined)
    findings = [*_strange(results, catalogue, places), *_unused(results, catalogue, rows)]
    return replace(
        results,
        frame=joined,
        findings=(*results.findings, *findings, *_marks(results, joined)),
        provenance=results.provenance.then("catalogue", keys=list(table.key)),
    )


def _keys(data: Dataset) -> list[Key]:
    columns = [data.frame[c] for c in schema("catalogue").key]
    return [
        tuple("" if pd.isna(part) else fold(str(part)) for part in parts)
        for parts in zip(*columns, strict=True)
    ]


def _name(data: Dataset, row: int) -> str:
    """Return the most precise label of a series."""
    values = data.frame.iloc[row]
    own = values["SUB_INDICATOR"]
    return str(values["INDICATOR"] if pd.isna(own) else own)


def _label_column(data: Dataset, row: int) -> str:
    return "INDICATOR" if pd.isna(data.frame["SUB_INDICATOR"].iloc[row]) else "SUB_INDICATOR"


def _strange(results: Dataset, catalogue: Dataset, places: list[int]) -> list[Finding]:
    """Find the series that the catalogue doesn't know, each once, at its label."""
    names = [_name(catalogue, row) for row in range(len(catalogue))]
    seen: dict[Key, int] = {}
    for row, (key, place) in enumerate(zip(_keys(results), places, strict=True)):
        if place < 0:
            seen.setdefault(key, row)
    return [
        fault("GBI-S012", results.origin(row, _label_column(results, row)),
              key=_business_key(results, row), field="SUB_INDICATOR", found=_name(results, row),
              suggestion=suggest(_name(results, row), names))
        for row in seen.values()
    ]  # fmt: skip


def _unused(results: Dataset, catalogue: Dataset, rows: dict[Key, int]) -> list[Finding]:
    """Find the rows of the catalogue that no series uses."""
    used = set(_keys(results))
    return [
        fault("GBI-S013", catalogue.origin(row, _label_column(catalogue, row)),
              key=_business_key(catalogue, row), field="SUB_INDICATOR",
              found=_name(catalogue, row))
        for key, row in rows.items() if key not in used
    ]  # fmt: skip


def _business_key(data: Dataset, row: int) -> dict[str, str]:
    values = data.frame.iloc[row]
    return {c: str(values[c]) for c in schema("catalogue").key if not pd.isna(values[c])}


def _marks(results: Dataset, joined: pd.DataFrame) -> list[Finding]:
    """Find the cells whose percent sign, or its absence, contradicts the catalogue's unit."""
    out = []
    for row, unit in enumerate(joined["UNIT_MEASURE"]):
        raw = results.raw(row)
        if raw is None or pd.isna(unit) or pd.isna(joined["OBS_VALUE"].iloc[row]):
            continue
        if (mark_of(raw) or "") != (unit if unit in ("PT", "PM") else ""):
            shown = label("CL_UNIT_MEASURE", unit, "fr")
            out.append(
                fault("GBI-T003", results.origin(row), field="UNIT_MEASURE", found=raw,
                      expected=shown)
            )  # fmt: skip
    return out
