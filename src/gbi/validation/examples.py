"""The examples of a rule file as data: executed by the lint, drawn on the rule's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, RAW, Dataset
from gbi.schemas import schema
from gbi.validation.engine import validate

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.validation.report import ValidationReport

Example = Mapping[str, Any]
HEADING_ROWS = 1
_TYPES = {"number": "float64", "integer": "Int64", "string": "str"}
_LETTERS = 26


def columns_of(example: Example) -> list[str]:
    """Return the columns of an example: those whose values differ by row first."""
    rows = [*example["rows"], *example.get("totals", ())]
    return list(dict.fromkeys([*(c for row in rows for c in row), *example.get("base", {})]))


def told_columns(example: Example) -> list[str]:
    """Return the columns that the rows of an example name themselves."""
    rows = [*example["rows"], *example.get("totals", ())]
    return list(dict.fromkeys(c for row in rows for c in row))


def letters(position: int) -> str:
    """Return the letters of a spreadsheet's column by its position from 0."""
    out = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, _LETTERS)
        out = chr(ord("A") + rest) + out
    return out


def dataset_of(example: Example, table: str | None = None) -> Dataset:
    """Return an example as a dataset whose cells are those of a sheet with one row of headings."""
    name = table or str(example["table"])
    totals = None
    if "totals" in example:
        first = HEADING_ROWS + len(example["rows"]) + 1
        totals = _placed(_frame(example, example["totals"], name), example, name, first)
    frame = _frame(example, example["rows"], name)
    data = _placed(frame, example, name, HEADING_ROWS + 1)
    return Dataset(frame, name, totals=totals, origins=data.origins)


def tables_of(example: Example, part: str = "others") -> dict[str, Dataset]:
    """Return the other tables that an example needs, or those of the year before."""
    return {name: dataset_of(other, name) for name, other in example.get(part, {}).items()}


def execute(
    example: Example, only: Sequence[str] | None = None, rules: Path | None = None
) -> ValidationReport:
    """Validate an example against the catalogue, and a ministry's own rules where they are given.

    Parameters
    ----------
    example
        An entry of ``examples`` in a rule file.
    only
        Codes of the rules to run; by default all.
    rules
        A folder of a ministry's own rules.
    """
    own = dataset_of(example)
    return validate(
        {own.table: own, **tables_of(example)},
        previous=tables_of(example, "previous") or None,
        only=only,
        rules=rules,
    )


def _frame(example: Example, rows: Sequence[Mapping[str, Any]], table: str) -> pd.DataFrame:
    base = example.get("base", {})
    frame = pd.DataFrame([{**base, **row} for row in rows], columns=columns_of(example))
    types = {f.name: _TYPES.get(f.type) for f in schema(table).fields} | example.get("types", {})
    for column in frame.columns:
        if kind := types.get(str(column)):
            frame[column] = frame[column].astype(kind)
    return frame


def _placed(frame: pd.DataFrame, example: Example, table: str, first: int) -> Dataset:
    places = {ORIGIN_FILE: table, ORIGIN_SHEET: "", RAW: ""}
    rows = range(first, first + len(frame))
    cells = {c: [f"{letters(n)}{r}" for r in rows] for n, c in enumerate(columns_of(example))}
    origins = pd.DataFrame({**places, **cells}, index=range(len(frame)))
    return Dataset(frame, table, origins=origins)
