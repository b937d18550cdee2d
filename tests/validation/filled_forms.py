"""Clean figures typed into the Excel forms, as a budget officer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from gbi.ingest.template import write_template
from gbi.ingest.template.form import Form, forms

HEADER, FIRST, ROOM = 6, 7, 55


@lru_cache(maxsize=64)
def _words(table: str, year: int, lang: str) -> dict[str, dict[str, str]]:
    form = Form(table, year, lang)
    names = {f.name: f.codelist or f"ENUM_{f.name}" for f in form.schema.fields}
    return {column: dict(form.lists[n]) for column, n in names.items() if n in form.lists}


def fill(
    folder: Path, frames: Mapping[str, pd.DataFrame], year: int, lang: str = "fr"
) -> dict[tuple[str, str], tuple[str, int]]:
    """Type tables into as many forms as they need; return where each row of a file stands."""
    folder.mkdir(parents=True, exist_ok=True)
    where: dict[tuple[str, str], tuple[str, int]] = {}
    for table, frame in frames.items():
        if table not in forms():
            continue
        for part, start in enumerate(range(0, len(frame), ROOM)):
            path = folder / f"{table}-{part}.xlsx"
            write_template(table, path, year=year, lang=lang)
            book = openpyxl.load_workbook(path)
            sheet = next(s for s in reversed(book.worksheets) if s.cell(HEADER, 1).value == "#id")
            _type(sheet, table, frame.iloc[start : start + ROOM], _words(table, year, lang))
            book.save(path)
            for n in range(len(frame.iloc[start : start + ROOM])):
                where[table, str(start + n)] = (path.name, FIRST + n)
    return where


def _type(
    sheet: Any, table: str, rows: pd.DataFrame, words: Mapping[str, Mapping[str, str]]
) -> None:
    columns = {sheet.cell(HEADER, c).value: c for c in range(1, sheet.max_column + 1)}
    for n, (_, row) in enumerate(rows.iterrows()):
        for name, value in row.items():
            if name not in columns or pd.isna(value):
                continue
            code = str(int(value)) if name == "UNIT_MULT" else value
            cell = sheet.cell(FIRST + n, columns[name])
            cell.value = words[name].get(str(code), code) if name in words else code
            if isinstance(cell.value, str):
                cell.data_type = "s"


def retype(form: Path, clean: bytes, row: int, column: str, entry: str) -> str:
    """Write a form again with another entry in one cell, and return the cell's address."""
    book = openpyxl.load_workbook(BytesIO(clean))
    sheet = next(s for s in reversed(book.worksheets) if s.cell(HEADER, 1).value == "#id")
    columns = {sheet.cell(HEADER, c).value: c for c in range(1, sheet.max_column + 1)}
    cell = sheet.cell(FIRST + row, columns[column])
    cell.value = entry
    book.save(form)
    return str(cell.coordinate)


def alter(form: Path, change: Callable[[Any], None]) -> None:
    """Change the sheet of entries of a form otherwise than by an entry."""
    book = openpyxl.load_workbook(form)
    change(next(s for s in reversed(book.worksheets) if s.cell(HEADER, 1).value == "#id"))
    book.save(form)
