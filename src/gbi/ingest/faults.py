"""Findings of reading: a fault with its place, graded as the rule's newest severity says."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gbi.findings import Cell, Finding, make_finding, rule_document, severity_of
from gbi.ingest.grid import a1

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.grid import Flag, Opened

_RULE_OF = {
    "error": "GBI-F010",
    "formula_without_value": "GBI-F011",
    "external_formula": "GBI-F012",
    "hidden_sheet": "GBI-F014",
    "hidden_row": "GBI-F015",
    "hidden_column": "GBI-F015",
    "scaled_format": "GBI-F017",
    "active_content": "GBI-F018",
    "mixed_decimals": "GBI-F019",
    "encoding": "GBI-F020",
    "duplicate_cell": "GBI-F021",
    "low_fidelity": "GBI-F022",
    "rebuilt": "GBI-F027",
    "unordered": "GBI-F023",
}


def fault(code: str, *cells: Cell, **substance: Any) -> Finding:
    """Return a finding of reading; validation grades it again by its own day."""
    severity = severity_of(rule_document(code), None, date.max)
    return make_finding(code, severity=severity, cells=cells, **substance)


def flag_faults(opened: Opened, file: str, sheets: Iterable[str]) -> list[Finding]:
    """Return what an adapter saw beside the values: of the file, and of the sheets that were read.

    A hidden sheet is said even if it isn't read: its figures are nowhere else.
    """
    read = set(sheets)
    out = [_flag_fault(flag, Cell(file, "", flag.area)) for flag in opened.flags]
    for grid in opened.grids:
        for flag in grid.flags:
            if grid.sheet in read or (flag.kind == "hidden_sheet" and not grid.empty):
                out.append(_flag_fault(flag, Cell(grid.file, grid.sheet, flag.area)))
    return out


def _flag_fault(flag: Flag, cell: Cell) -> Finding:
    return fault(_RULE_OF[flag.kind], cell, field=flag.kind, found=flag.detail)


def ranges(positions: Iterable[tuple[int, int]]) -> list[str]:
    """Return cells as addresses; those that follow one another down a column as one range."""
    out: list[list[int]] = []
    for row, column in sorted(set(positions), key=lambda p: (p[1], p[0])):
        if out and out[-1][2] == column and out[-1][1] == row - 1:
            out[-1][1] = row
        else:
            out.append([row, row, column])
    return [a1(r0, c) if r0 == r1 else f"{a1(r0, c)}:{a1(r1, c)}" for r0, r1, c in out]
