"""Additive tables: which cells are sums of which others, over every breakdown at once.

A published table is a set of sums over atoms that nobody sees: women of 20 to 24 in one region.
Overlapping age bands, provinces within regions and several breakdowns at once become one system.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts are loaded when they are asked for

from gbi.vocabulary.lists import accepted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Cell = tuple[str, ...]

TOTAL = "_T"
DIMENSIONS = (
    "SEX", "AGE", "REF_AREA", "URBANISATION", "DISABILITY_STATUS", "INCOME_WEALTH_QUANTILE",
    "EDUCATION_LEV", "ACTIVITY", "ADMIN_LEVEL",
)  # fmt: skip
ROOTS = {"REF_AREA": "MA"}
# A line that holds all of these is whole: what it lacks is an error or an unknown, not a group.
WHOLE: dict[str, frozenset[str]] = {
    "SEX": frozenset("FM"),
    "URBANISATION": frozenset("UR"),
    "DISABILITY_STATUS": frozenset(("PD", "PWD")),
    "INCOME_WEALTH_QUANTILE": frozenset(f"Q{i}" for i in range(1, 6)),
    "REF_AREA": frozenset(f"MA-{i:02d}" for i in range(1, 13)),
}
_OUTSIDE = frozenset({"_Z"})
# Kinds of one disability overlap: none of them is a part of a sum.
_OVERLAPPING = re.compile(r"PD_.+")
_ABOVE = {
    "EDUCATION_LEV": {"LOWER_SEC": "GE_SEC", "UPPER_SEC": "GE_SEC", "TERTIARY": "GE_SEC"},
    "INCOME_WEALTH_QUANTILE": {"Q1": "B40", "Q2": "B40"},
}
_AGE = re.compile(r"Y(?:(\d+)T(\d+)|_GE(\d+)|_LT(\d+))")
_OLDEST = 200
_MOST_ATOMS = 12_000


@lru_cache(maxsize=16)
def _parents(dimension: str) -> dict[str, str]:
    names = {"REF_AREA": "CL_AREA", "EDUCATION_LEV": "CL_EDUCATION_LEV"}
    entries = accepted(names[dimension]) if dimension in names else []
    listed = {str(e["code"]): str(e["parent"]) for e in entries if e.get("parent")}
    return {**listed, **_ABOVE.get(dimension, {})}


def _interval(code: str) -> tuple[int, int] | None:
    match = _AGE.fullmatch(code)
    if match is None:
        return None
    low, high, least, below = match.groups()
    if low is not None:
        return int(low), int(high) + 1
    return (int(least), _OLDEST) if least is not None else (0, int(below))


def parts(dimension: str, present: Iterable[str]) -> tuple[dict[str, frozenset[str]], set[str]]:
    """Return the atoms that each code of a dimension is the sum of.

    Parameters
    ----------
    dimension
        The column.
    present
        The codes of one table.

    Returns
    -------
    dict, set
        Code → names of its atoms; the atoms that stand for what no code of the table names.
    """
    names = sorted(set(present))
    root = ROOTS.get(dimension, TOTAL)
    inner = [c for c in names if c != root]
    atoms: dict[str, frozenset[str]] = {}
    rests: set[str] = set()
    bands = {c: band for c in inner if dimension == "AGE" and (band := _interval(c))}
    cuts = sorted({edge for band in bands.values() for edge in band})
    for code, (low, high) in bands.items():
        atoms[code] = frozenset(f"[{a}" for a in cuts if low <= a < high)
    above = _parents(dimension)

    def ancestors(code: str) -> list[str]:
        chain = []
        while (code := above.get(code, "")) and code not in chain:
            chain.append(code)
        return chain

    others = [c for c in inner if c not in bands]
    below: dict[str, list[str]] = defaultdict(list)
    for code in others:
        for up in ancestors(code):
            below[up].append(code)
    for code in others:
        if below[code]:
            rest = f"rest of {code}"
            rests.add(rest)
            leaves = [c for c in below[code] if not below[c]]
            nested = [f"rest of {c}" for c in below[code] if below[c]]
            atoms[code] = frozenset((*leaves, *nested, rest))
        else:
            atoms[code] = frozenset((code,))
    if root in names:
        foreign = dimension == "REF_AREA"
        mine = [
            c
            for c in inner
            if c not in _OUTSIDE
            and not _OVERLAPPING.fullmatch(c)
            and (not foreign or root in ancestors(c) or c.startswith(f"{root}-"))
        ]
        rest = f"rest of {root}"
        rests.add(rest)
        atoms[root] = frozenset().union(*(atoms[c] for c in mine)) | {rest}
    return atoms, rests


@dataclass(frozen=True, eq=False)
class Additive:
    """The cells of one additive table as sums over atoms.

    Attributes
    ----------
    sums
        Cells × variables.
    equal
        Equations × variables that are 0; empty where the variables are atoms.
    rests
        Which variables stand for what no cell names.
    missing
        Which of them stand for a group that is known to exist: the men where only women are named.
    lines
        Total cell, its parts, and whether the parts are all there should be.
    """

    sums: scipy.sparse.csr_matrix
    equal: scipy.sparse.csr_matrix
    rests: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    lines: tuple[tuple[int, tuple[int, ...], bool], ...]


def lines_of(
    cells: Sequence[Cell], dimensions: Sequence[str]
) -> list[tuple[int, tuple[int, ...], bool]]:
    """Return each cell that is a total over one dimension, with its parts.

    Parameters
    ----------
    cells
        One code per dimension each; of equal cells the first counts.
    dimensions
        Their columns.
    """
    at: dict[Cell, int] = {}
    for i, cell in enumerate(cells):
        at.setdefault(cell, i)
    out = []
    for k, dimension in enumerate(dimensions):
        atoms, _ = parts(dimension, (c[k] for c in cells))
        if len(atoms) < 2:
            continue
        lines: dict[Cell, dict[str, int]] = defaultdict(dict)
        for cell, i in at.items():
            lines[(*cell[:k], *cell[k + 1 :])][cell[k]] = i
        for line in lines.values():
            for code, i in line.items():
                inside = [c for c in line if c != code and atoms[c] < atoms[code]]
                tops = [c for c in inside if not any(atoms[c] < atoms[o] for o in inside)]
                size = sum(len(atoms[c]) for c in tops)
                covered = frozenset().union(*(atoms[c] for c in tops))
                if not tops or size != len(covered):
                    continue
                whole = WHOLE.get(dimension, frozenset(("?",)))
                out.append((i, tuple(line[c] for c in sorted(tops)), whole <= set(tops)))
    return out


def additive(cells: Sequence[Cell], dimensions: Sequence[str]) -> Additive:
    """Return the additive system of one table.

    Parameters
    ----------
    cells
        One code per dimension each.
    dimensions
        Their columns.

    Notes
    -----
    Where the breakdowns would make more than some thousand atoms, the cells themselves are the
    variables and the sums along one breakdown at a time are the equations.
    """
    lines = tuple(lines_of(cells, dimensions))
    atoms = [parts(d, (c[k] for c in cells)) for k, d in enumerate(dimensions)]
    names = [sorted(frozenset().union(*known.values())) for known, _ in atoms]
    count = int(np.prod([float(len(n)) for n in names])) if names else 1
    if count > _MOST_ATOMS:
        return _by_cells(cells, lines)
    places = [{name: i for i, name in enumerate(known)} for known in names]
    sizes = tuple(len(n) for n in names)
    rows: list[int] = []
    columns: list[int] = []
    for i, cell in enumerate(cells):
        index = [
            np.array(sorted(place[a] for a in known[code]))
            for code, (known, _), place in zip(cell, atoms, places, strict=True)
        ]
        inside = np.ravel_multi_index(np.meshgrid(*index, indexing="ij"), sizes).ravel()
        rows += [i] * len(inside)
        columns += inside.tolist()
    shape = (len(cells), count)
    sums = scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    used = np.asarray(sums.sum(axis=0)).ravel() > 0
    grid = np.unravel_index(np.arange(count), sizes) if sizes else ()
    rest, assumed = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for k, (dimension, axis) in enumerate(zip(dimensions, grid, strict=True)):
        unnamed = np.array([name in atoms[k][1] for name in names[k]])[axis]
        rest |= unnamed
        if not _lacks_a_group(dimension, {c[k] for c in cells}):
            assumed |= unnamed
    return Additive(
        sums[:, used],
        scipy.sparse.csr_matrix((0, int(used.sum()))),
        rest[used],
        (rest & ~assumed)[used],
        lines,
    )


def _lacks_a_group(dimension: str, present: set[str]) -> bool:
    """Say whether a group that surely exists has no cell; a region may well have nobody."""
    expected = WHOLE.get(dimension, frozenset())
    return dimension != "REF_AREA" and bool(expected & present) and not expected <= present


def _by_cells(
    cells: Sequence[Cell], lines: Sequence[tuple[int, tuple[int, ...], bool]]
) -> Additive:
    first: dict[Cell, int] = {}
    where = [first.setdefault(cell, len(first)) for cell in cells]
    n, k = len(first), len(lines)
    sums = scipy.sparse.lil_matrix((len(cells), n + k))
    sums[np.arange(len(cells)), where] = 1.0
    equal = scipy.sparse.lil_matrix((k, n + k))
    for j, (total, inside, _) in enumerate(lines):
        equal[j, where[total]] = 1.0
        equal[j, n + j] = -1.0
        for i in inside:
            equal[j, where[i]] = -1.0
    rests = np.arange(n + k) >= n
    return Additive(sums.tocsr(), equal.tocsr(), rests, np.zeros_like(rests), tuple(lines))
