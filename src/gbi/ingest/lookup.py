"""Code tables that lie beside a file: a key there, and what it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.formats import format_of
from gbi.language import fold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gbi.ingest.grid import Grid
    from gbi.ingest.safety import Limits

_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Key, folded → the texts that the profile takes, by their header."""

    rows: Mapping[str, Mapping[str, str]]
    keys: list[str]


@dataclass(slots=True)
class Lookups:
    """The code tables of a folder, each opened once.

    Attributes
    ----------
    folder
        Where they lie; None if the data don't come from a folder.
    limits
        What they may be at most.
    used
        The files that were opened: sources of the data, like the file itself.
    """

    folder: Path | None
    limits: Limits
    used: list[Path] = field(default_factory=list)
    _known: dict[str, CodeTable | None] = field(default_factory=dict)

    def table(self, lookup: Mapping[str, Any]) -> CodeTable | None:
        """Return the code table that a profile names; None if no file has its headers."""
        name = repr(lookup)
        if name not in self._known:
            self._known[name] = self._open(lookup)
        return self._known[name]

    def _open(self, lookup: Mapping[str, Any]) -> CodeTable | None:
        files = [] if self.folder is None else sorted(self.folder.iterdir())
        for path in files:
            known = format_of(path) if path.is_file() else None
            if known is None or re.fullmatch(lookup["file"], path.name) is None:
                continue
            try:
                grids = known.open(path, path.name, self.limits).grids
            except GbiError:
                continue  # said where the folder's files are listed
            for grid in grids:
                if (table := _read(grid, lookup)) is not None:
                    if path not in self.used:
                        self.used.append(path)
                    return table
        return None


def _read(grid: Grid, lookup: Mapping[str, Any]) -> CodeTable | None:
    wanted = [lookup["key"], *lookup["take"]]
    for row in range(min(len(grid.rows), _DEEPEST)):
        heads = {fold(grid.text(row, c)): c for c in reversed(range(grid.width))}
        if all(fold(w) in heads for w in wanted):
            key, *taken = (heads[fold(w)] for w in wanted)
            below = range(row + 1, len(grid.rows))
            rows = {
                fold(grid.text(r, key)): dict(
                    zip(lookup["take"], (grid.text(r, c) for c in taken), strict=True)
                )
                for r in reversed(below)
                if grid.text(r, key)
            }
            return CodeTable(rows, [grid.text(r, key) for r in below if grid.text(r, key)])
    return None
