"""Recognise a filled form by what it says of itself, and tell whether that was changed.

A form carries marks in column A, a row of machine names, its lists of codes and a sheet about
itself: nothing else is needed to read it back.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gbi.ingest.grid import column_index
from gbi.ingest.profile import Profile, squeeze
from gbi.ingest.template.form import FORMAT, IDS, LISTS, MARK, META, TOTAL, Form, forms
from gbi.language import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gbi.ingest.grid import Flag, Grid, Opened
    from gbi.ingest.template.form import Entries, Shape


def template_profile(opened: Opened) -> Profile | None:
    """Return the profile of a filled form; None if the workbook is none.

    Parameters
    ----------
    opened
        The workbook. Sheets may bear other names and stand in another order. The form's own lists
        are used if they are as they were written, the package's if not.
    """
    form = template_form(opened)
    sheets = {g.sheet: shape for g in opened.grids if (shape := _shape(g)) is not None}
    if form is None or not sheets:
        return None
    changed = template_changed(opened)
    lists = form.lists if changed else dict(_written_lists(opened))
    return form.profile(sheets, lists)


def entries_only(opened: Opened) -> Opened:
    """Return a form with what was typed in: without its computed cells, its grey ones, its flags.

    A row from which everything but last year's value was deleted is empty then; that the form
    hides rows and sheets of its own, and computes sums, is no finding. What a sender hid, or
    computes in an input cell, stays one.
    """
    return replace(opened, grids=[_entries_of(grid) for grid in opened.grids])


def _entries_of(grid: Grid) -> Grid:
    if grid.sheet in (LISTS, META):
        return replace(grid, flags=tuple(f for f in grid.flags if f.kind != "hidden_sheet"))
    if _shape(grid) is None:
        return grid
    marks = {grid.text(row, 0): row for row in range(len(grid.rows))}
    ids, total = marks.get(IDS, -1), marks.get(TOTAL, -1)
    shown = {c for c in range(1, grid.width) if ids >= 0 and grid.text(ids, c).startswith("#")}
    rows = [
        row if number <= ids or number == total
        else ["" if c in shown else value for c, value in enumerate(row)]
        for number, row in enumerate(grid.rows)
    ]  # fmt: skip
    flags = tuple(f for f in grid.flags if not _own(f, ids, total, shown))
    return replace(grid, rows=rows, flags=flags)


def _own(flag: Flag, ids: int, total: int, shown: set[int]) -> bool:
    """Say whether a flag is about what the form itself hides or computes."""
    area = re.fullmatch(r"([A-Z]+)([0-9]+)(?::([A-Z]+)([0-9]+))?", flag.area)
    if area is None:
        return False
    left, top = column_index(area[1]), int(area[2]) - 1
    right = left if area[3] is None else column_index(area[3])
    bottom = top if area[4] is None else int(area[4]) - 1
    if flag.kind == "hidden_row":
        return top == bottom == ids
    if flag.kind == "hidden_column":
        return left == right == 0
    computed = set(range(left, right + 1)) <= shown or top == bottom == total
    return flag.kind == "formula_without_value" and computed


def template_form(opened: Opened) -> Form | None:
    """Return which form a workbook is: table, year, language; None if it is none."""
    about = _about(opened)
    table, year, lang = (about.get(k, "") for k in ("table", "year", "language"))
    known = about.get("format") == FORMAT and table in forms() and lang in LANGUAGES
    return Form(table, int(year), lang) if known and year.isdecimal() and len(year) == 4 else None


def template_changed(opened: Opened) -> bool:
    """Say whether a form's headers, lists or marks differ from what was written."""
    return _about(opened).get("hash") != fingerprint(opened.grids)


def _about(opened: Opened) -> dict[str, str]:
    meta = next((g for g in opened.grids if g.sheet == META), None)
    return {} if meta is None else {meta.text(r, 0): meta.text(r, 1) for r in range(len(meta.rows))}


def _shape(grid: Grid) -> Shape | None:
    shapes: tuple[Shape, ...] = ("spread", "long")
    return next((s for s in shapes if grid.text(0, 0) == f"{MARK}:{s}"), None)


def _written_lists(opened: Opened) -> Iterator[tuple[str, Entries]]:
    grid = next(g for g in opened.grids if g.sheet == LISTS)
    for column in range(0, grid.width, 2):
        pairs = ((grid.text(r, column), grid.text(r, column + 1)) for r in range(len(grid.rows)))
        (name, _), *entries = pairs
        yield name, [(code, shown) for code, shown in entries if code]


def fingerprint(grids: Iterable[Grid]) -> str:
    """Return the SHA-256 of what a form says by itself: headers, marks, lists, its own sheet."""
    said: list[list[Any]] = []
    for grid in grids:
        if grid.sheet == LISTS:
            said.append([LISTS, _texts(grid, range(len(grid.rows)))])
        elif grid.sheet == META:
            rows = [r for r in range(len(grid.rows)) if grid.text(r, 0) != "hash"]
            said.append([META, _texts(grid, rows)])
        elif _shape(grid) is not None:
            marks = [(r, grid.text(r, 0)) for r in range(len(grid.rows)) if grid.text(r, 0)]
            last = next((r for r, mark in marks if mark == IDS), -1)
            foot = [grid.text(r, 1) for r, mark in marks if mark == TOTAL]
            said.append([grid.text(0, 0), _texts(grid, range(last + 1)), foot])
    written = json.dumps(sorted(said, key=lambda s: str(s[0])), ensure_ascii=False)
    return hashlib.sha256(written.encode("utf-8")).hexdigest()


def _texts(grid: Grid, rows: Sequence[int]) -> list[tuple[int, int, str]]:
    cells = ((r, c, squeeze(grid.text(r, c))) for r in rows for c in range(grid.width))
    return [cell for cell in cells if cell[2]]
