"""Small cells: which counts of persons must not be shown, and what else would give them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from gbi.compute.additive import additive, lines_of
from gbi.compute.disclosure_audit import EPSILON, Sensitive, interval, protect, system
from gbi.compute.person_tables import PERSONAL, gathered, person_tables
from gbi.compute.sensitivity import (
    DEFAULT_MIN_N,
    RATIO_KEY,
    derived,
    excess,
    is_small,
    small_ratio,
    told_by_ratio,
)
from gbi.compute.suppression import Suppression, hide
from gbi.dataset import Dataset
from gbi.errors import GbiError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbi.compute.person_tables import PersonTable

    Mask = NDArray[np.bool_]

_MOST_PASSES = 6
_TABLES = frozenset(("budget", "performance", "catalogue", "beneficiaries", "population", "marking",
                     "staff", "statistics", "survey"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class SmallCells:
    """How small counts of persons are protected.

    Parameters
    ----------
    min_n
        A count n of persons is not shown where 0 < n < ``min_n``. Morocco's law 09-08 protects
        personal data without naming a number; 5 is an assumption in the middle of what statistical
        offices use (3 to 10), to be set by whoever answers for the data. Zero is not small: the
        empty cell is nobody's data, and tables of small programmes are full of them. Where nobody
        in a group having something tells about each of its members, publish another breakdown.
    dominance
        ``(n, k)``: an amount is not shown where its n largest contributions exceed k %.
    p_percent
        An amount is not shown where total − largest − second < p % of the largest: the second
        contributor could estimate the largest more closely than that. Both rules need the
        largest contributions in the columns ``LARGEST_1``, ``LARGEST_2``, …
    complementary
        Whether further cells are hidden so that the hidden ones can't be computed from what is
        shown: totals, other files of the submission, ratios. Switched off, the result is not safe.
    protection
        The least width of the interval in which a hidden cell must be able to lie, as far as can
        be known from everything shown; by default ``min_n``.
    tables
        The tables that are protected. ``statistics`` and ``population`` are not among them: they
        quote figures that are published already.
    ratios
        Which counts a ratio is made of, by indicator, where its name is another:
        ``{"Part des femmes cadres": ["Nombre de cadres"]}``. A ratio under the indicator of its
        counts needs no entry.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"SEX": ["F", "M", "_T"], "OBS_VALUE": [3.0, 90.0, 93.0]})
    >>> shown, report = SmallCells().suppress(table)
    >>> shown["OBS_STATUS"].isin(["Q"]).tolist(), report.primary, report.complementary
    ([True, True, False], 1, 1)
    """

    min_n: int = DEFAULT_MIN_N
    dominance: tuple[int, float] | None = field(default=None, kw_only=True)
    p_percent: float | None = field(default=None, kw_only=True)
    complementary: bool = field(default=True, kw_only=True)
    protection: float | None = field(default=None, kw_only=True)
    tables: tuple[str, ...] = field(default=PERSONAL, kw_only=True)
    ratios: Mapping[str, tuple[str, ...] | list[str]] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse thresholds that protect nothing."""
        for name, ok, expected in (
            ("min_n", self.min_n >= 1, "≥ 1"),
            ("protection", self.protection is None or self.protection > 0, "> 0"),
            ("p_percent", self.p_percent is None or self.p_percent > 0, "> 0"),
            ("dominance", self.dominance is None or
             (self.dominance[0] >= 1 and 0 < self.dominance[1] < 100), "n ≥ 1, 0 < k < 100"),
        ):  # fmt: skip
            if not ok:
                raise GbiError(
                    "GBI-E071", where=name, expected=expected, got=str(getattr(self, name))
                )

    @property
    def width(self) -> float:
        """The least width of a hidden cell's interval."""
        return float(self.min_n) if self.protection is None else float(self.protection)

    def primary(self, frame: pd.DataFrame, table: str | None = None) -> NDArray[np.bool_]:
        """Say which rows are sensitive by themselves.

        Parameters
        ----------
        frame
            Rows of a long table.
        table
            Its name, where known.
        """
        small = is_small(frame, self.min_n, table)
        return small | (self.excess(frame) > 0) | small_ratio(frame, self.min_n)

    def excess(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return by how much an estimate may come too close to the largest contributions.

        Parameters
        ----------
        frame
            Rows of a long table.
        """
        return excess(frame, self.dominance, self.p_percent)

    def mask(self, data: pd.DataFrame | Dataset) -> NDArray[np.bool_]:
        """Say which rows must not be shown, complementary ones included.

        Parameters
        ----------
        data
            A table; of a dataset that is not in ``tables`` no row.
        """
        name = data.table if isinstance(data, Dataset) else ""
        return self.masks({name: data})[name]

    def masks(self, tables: Mapping[str, pd.DataFrame | Dataset]) -> dict[str, NDArray[np.bool_]]:
        """Say, for tables that are published together, which rows must not be shown.

        Parameters
        ----------
        tables
            Name → table. Names that are no table of gbi's are protected too.
        """
        return {name: mask > 0 for name, mask in self._masked(tables).items()}

    def beside(self, tables: Mapping[str, pd.DataFrame | Dataset]) -> dict[str, NDArray[np.bool_]]:
        """Say, without solving anything, which rows stand with a sensitive one in a table.

        Parameters
        ----------
        tables
            Name → table, as for :meth:`masks`. More rows than there are named, much faster: for
            what quotes single rows of large files, such as findings.
        """
        frames = {n: (d.frame if isinstance(d, Dataset) else d) for n, d in tables.items()}
        out = {n: np.zeros(len(f), dtype=bool) for n, f in frames.items()}
        mine = {n: f.reset_index(drop=True) for n, f in frames.items() if self._own(tables[n], n)}
        if not sum(len(f) for f in mine.values()):
            return out
        facts = gathered(mine)
        first = np.concatenate([self.primary(f, _kind(tables[n], n)) for n, f in mine.items()])
        first |= facts["HELD"].to_numpy(dtype=bool)
        ids = facts.groupby(list(RATIO_KEY), sort=False, dropna=False).ngroup().to_numpy()
        near = np.bincount(ids, weights=first) > 0
        at = 0
        for name, frame in mine.items():
            out[name] = near[ids[at : at + len(frame)]]
            at += len(frame)
        return out

    def _own(self, data: pd.DataFrame | Dataset, name: str) -> bool:
        """Say whether a table is protected."""
        kind = _kind(data, name)
        return kind in self.tables or kind not in _TABLES

    def _masked(self, tables: Mapping[str, pd.DataFrame | Dataset]) -> dict[str, NDArray[np.int64]]:
        """Return 0 shown, 1 sensitive, 2 complementary, 3 a ratio of hidden counts, per row."""
        frames = {n: (d.frame if isinstance(d, Dataset) else d) for n, d in tables.items()}
        kinds = {n: _kind(d, n) for n, d in tables.items()}
        mine = {n: f for n, f in frames.items() if self._own(tables[n], n)}
        out = {n: np.zeros(len(f), dtype=np.int64) for n, f in frames.items()}
        if not sum(len(f) for f in mine.values()):
            return out
        facts = gathered({n: f.reset_index(drop=True) for n, f in mine.items()})
        first = np.concatenate([self.primary(f, kinds[n]) for n, f in mine.items()])
        excess = np.concatenate([self.excess(f) for f in mine.values()])
        state = first.astype(np.int64)
        if self.complementary:
            for table in person_tables(facts):
                hidden = self._protected(table, facts, first, excess)
                state[table.rows[hidden & (state[table.rows] == 0)]] = 2
            held = facts["HELD"].to_numpy(dtype=bool)
            told = told_by_ratio(facts, (state > 0) | held, self.ratios)
            state[told & (state == 0)] = 3
            state[held] = 0  # the sender hid it already
        at = 0
        for name, frame in mine.items():
            out[name] = state[at : at + len(frame)]
            at += len(frame)
        return out

    def _protected(
        self, table: PersonTable, facts: pd.DataFrame, first: Mask, excess: NDArray[np.float64]
    ) -> Mask:
        """Return which cells of an additive table to hide."""
        rows = table.rows
        values = facts["VALUE"].to_numpy(dtype=float)[rows]
        tolerance = facts["TOLERANCE"].to_numpy(dtype=float)[rows]
        hidden: Mask = first[rows] | ~np.isfinite(values)
        if len(rows) == 1:
            return hidden
        persons = bool(facts["PERSONS"].to_numpy()[rows[0]])
        lines = lines_of(table.cells, table.dimensions) if persons else []
        unnamed = derived(lines, values, tolerance, self.min_n)
        if not (hidden.any() or unnamed):
            return hidden
        structure = additive(table.cells, table.dimensions)
        atoms = np.asarray(structure.sums.sum(axis=1)).ravel()
        weights = (1.0 + np.log10(1.0 + np.nan_to_num(values))) * np.sqrt(atoms)
        truth = system(structure, values, tolerance)
        order = sorted(np.flatnonzero(hidden), key=lambda i: (-atoms[i], i))
        goals = [
            Sensitive(
                truth.sums[[i]].toarray().ravel(),
                max(self.width, float(excess[rows[i]])),
                float(values[i] + excess[rows[i]]) if excess[rows[i]] > 0 else None,
                personal=bool(np.isfinite(values[i])),
            )
            for i in order
        ]
        for total, inside in unnamed:
            vector = truth.sums[[total]] - truth.sums[list(inside)].sum(axis=0)
            goals.append(Sensitive(np.asarray(vector).ravel(), self.width))
        hidden = protect(truth, hidden, goals, weights, self.width)
        # As a reader sees it, with hidden values unknown, the parts may seem to be all there is.
        for _ in range(_MOST_PASSES):
            seen = system(structure, np.where(hidden, np.nan, values), tolerance, seen=True)
            again = [
                Sensitive(seen.sums[[i]].toarray().ravel(), self.width, personal=False)
                for i in np.flatnonzero(hidden)
            ]
            more = protect(seen, hidden, again, weights, self.width)
            if (more == hidden).all():
                return hidden
            hidden = more
        return np.ones_like(hidden)

    @overload
    def suppress(self, data: pd.DataFrame) -> tuple[pd.DataFrame, Suppression]: ...
    @overload
    def suppress(self, data: Dataset) -> tuple[Dataset, Suppression]: ...

    def suppress(self, data: pd.DataFrame | Dataset) -> tuple[pd.DataFrame | Dataset, Suppression]:
        """Return a table as it can be shown, and what was hidden.

        Parameters
        ----------
        data
            A long table.

        Returns
        -------
        table, Suppression
            Hidden rows have no value and ``OBS_STATUS`` ``Q``; their standard errors, bounds,
            numbers of observations, contributions and comments are gone too.
        """
        name = data.table if isinstance(data, Dataset) else ""
        shown, report = self.suppress_all({name: data})
        return shown[name], report

    def suppress_all(self, tables: Mapping[str, Any]) -> tuple[dict[str, Any], Suppression]:
        """Return tables that are published together as they can be shown, and what was hidden.

        Parameters
        ----------
        tables
            Name → DataFrame or Dataset; each comes back as what it was. A dataset of which
            something is hidden loses the totals that its file prints: they are further sums.
        """
        states = self._masked(tables)
        found = [np.bincount(s, minlength=4) for s in states.values()]
        _, primary, complementary, ratios = np.sum(found, axis=0) if found else [0] * 4
        report = Suppression(self.min_n, self.width, int(primary), int(complementary), int(ratios))
        return {n: hide(data, states[n] > 0) for n, data in tables.items()}, report

    def audit(self, data: pd.DataFrame | Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return what can be known of every hidden cell from what is shown.

        Parameters
        ----------
        data
            A published table, or several that are published together: hidden cells have no value
            and ``OBS_STATUS`` ``Q``.

        Returns
        -------
        DataFrame
            A row per hidden cell: ``TABLE``, ``ROW``, ``LOWER``, ``UPPER`` (infinite where
            nothing bounds it), ``WIDTH`` and ``SAFE`` (at least the protection wide).
        """
        tables = data if isinstance(data, Mapping) else {"": data}
        frames = {
            n: (d.frame if isinstance(d, Dataset) else d).reset_index(drop=True)
            for n, d in tables.items()
        }
        columns = ["TABLE", "ROW", "LOWER", "UPPER", "WIDTH", "SAFE"]
        if not sum(len(f) for f in frames.values()):
            return pd.DataFrame(columns=columns)
        facts = gathered(frames)
        start = np.cumsum([0, *(len(f) for f in frames.values())])
        held = facts["HELD"].to_numpy(dtype=bool)
        out = []
        for table in person_tables(facts):
            hidden = held[table.rows]
            if not hidden.any():
                continue
            structure = additive(table.cells, table.dimensions)
            values = facts["VALUE"].to_numpy(dtype=float)[table.rows]
            tolerance = facts["TOLERANCE"].to_numpy(dtype=float)[table.rows]
            seen = system(structure, values, tolerance, seen=True)
            for i in np.flatnonzero(hidden):
                low, high = interval(seen, ~hidden, seen.sums[[i]].toarray().ravel())
                position = int(table.rows[i])
                at = int(np.searchsorted(start, position, side="right")) - 1
                wide = bool(high - low >= self.width - 10 * EPSILON)
                out.append([list(frames)[at], position - int(start[at]), low, high, high - low,
                            wide])  # fmt: skip
        return pd.DataFrame(out, columns=columns).sort_values(["TABLE", "ROW"], ignore_index=True)


def _kind(data: pd.DataFrame | Dataset, name: str) -> str:
    return data.table if isinstance(data, Dataset) else name
