"""The answers that an officer wrote into an annotated copy or a findings workbook, as waivers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.grid import a1
from gbi.ingest.returned import NEEDED, answer_columns
from gbi.ingest.workbook import open_workbook
from gbi.language import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gbi.ingest.grid import Grid

_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def read_justifications(path: str | Path) -> list[dict[str, Any]]:
    """Return the waivers that a returned workbook holds.

    Parameters
    ----------
    path
        An annotated copy or a findings workbook in which the column "Justification" was filled,
        in any language, its columns in any order.

    Returns
    -------
    list
        For each row with a justification or a name: ``id``, ``justification`` and ``by``; ``code``,
        ``expires``, ``evidence`` and ``function`` where there are such columns; ``file``, ``sheet``
        and ``a1``, where it was written. What is missing is an empty text, which validation
        reports. They are for ``gbi.validate(…, waivers=…)``.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E091`` if no sheet has the headings; what reading a workbook raises.
    """
    source = Path(path)
    if not source.is_file():
        raise GbiError("GBI-E060", where=str(source), exit_code=2)
    grids = open_workbook(source, source.name).grids
    headed = [(grid, place) for grid in grids if (place := answer_columns(grid)) is not None]
    if not headed:
        expected = ", ".join(sorted({text(f"report.workbook.columns.{n}") for n in NEEDED}))
        raise GbiError("GBI-E091", where=source.name, expected=expected, exit_code=3)
    return [waiver for grid, place in headed for waiver in _answers(grid, *place)]


def _answers(grid: Grid, heading: int, columns: dict[str, int]) -> Iterator[dict[str, Any]]:
    for row in range(heading + 1, len(grid.rows)):
        given = {name: _spaced(grid.text(row, at)) for name, at in columns.items()}
        if not (given["justification"] or given["by"]):
            continue
        kept = {n: v for n, v in given.items() if v or n in NEEDED}
        kept["id"] = given["id"].lower()
        if "expires" in kept:
            kept["expires"] = _day(kept["expires"])
        place = a1(row, columns["justification"])
        yield {**kept, "file": grid.file, "sheet": grid.sheet, "a1": place}


def _day(written: str) -> str:
    """Return a day as ISO, from a date's cell or from 31/12/2026; anything else as written."""
    told = _DAY.fullmatch(written)
    if told is None:
        return written.partition("T00:00")[0]
    return f"{told[3]}-{int(told[2]):02d}-{int(told[1]):02d}"


def _spaced(written: str) -> str:
    return re.sub(r"\s+", " ", written).strip()
