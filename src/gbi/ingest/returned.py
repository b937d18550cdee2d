"""The sheet of findings that gbi put into a workbook: it holds answers, no figures.

A sender corrects the copy that was returned and files it again; this sheet is then no unknown one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from gbi.language import LANGUAGES, fold, text

if TYPE_CHECKING:
    from gbi.ingest.grid import Grid, Opened

# Columns of the sheet → their headings; a sheet with the first three is one of findings.
_HEADINGS = {
    "id": "report.workbook.columns.id",
    "justification": "report.workbook.columns.justification",
    "by": "report.workbook.columns.by",
    "code": "report.workbook.columns.code",
    "expires": "annotation.columns.expires",
    "evidence": "annotation.columns.evidence",
    "function": "annotation.columns.function",
}
NEEDED = ("id", "justification", "by")
_DEEPEST = 30  # rows above the headings, if someone wrote there


def answer_columns(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """Return the row of the headings and the columns by name; None if it is another sheet."""
    for row, cells in enumerate(grid.rows[:_DEEPEST]):
        found: dict[str, int] = {}
        for column, value in enumerate(cells):
            name = _words().get(fold(str(value))) if isinstance(value, str) and value else None
            if name is not None:
                found.setdefault(name, column)
        if found.keys() >= set(NEEDED):
            return row, found
    return None


def without_answers(opened: Opened) -> Opened:
    """Return what was opened without the sheets of findings, unless there is nothing else."""
    figures = [grid for grid in opened.grids if answer_columns(grid) is None]
    return replace(opened, grids=figures) if 0 < len(figures) < len(opened.grids) else opened


@cache
def _words() -> dict[str, str]:
    return {fold(text(key, lang)): name for name, key in _HEADINGS.items() for lang in LANGUAGES}
