"""Small cells: which counts of persons must not be shown, and what else would give them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from gbi.compute.additive import DIMENSIONS, ROOTS, TOTAL, additive, lines_of
from gbi.compute.disclosure_audit import EPSILON, Sensitive, interval, protect, system
from gbi.compute.person_tables import (
    CONTRIBUTION,
    HIDDEN,
    LABELS,
    PERSONAL,
    STATUS,
    VALUE,
    column,
    count_persons,
    counts_of,
    floats,
    gathered,
    person_tables,
)
from gbi.dataset import RAW, Dataset
from gbi.errors import GbiError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbi.compute.person_tables import PersonTable

    Mask = NDArray[np.bool_]

DEFAULT_MIN_N = 5
# What tells about a hidden value beside it in its row.
_BESIDE = ("STD_ERR", "CI_LOWER", "CI_UPPER", "N_OBS", "COMMENT")
_WHOLES = {"PT": 100.0, "PM": 1000.0}
_RATIO_KEY = ("DEPARTMENT", "INDICATOR", "TIME_PERIOD", "VALUE_KIND")
_MOST_PASSES = 6
_TABLES = frozenset(("budget", "performance", "catalogue", "beneficiaries", "population", "marking",
                     "staff", "statistics", "survey"))  # fmt: skip


def is_small(
    frame: pd.DataFrame, min_n: int = DEFAULT_MIN_N, table: str | None = None
) -> NDArray[np.bool_]:
    """Say which rows count fewer persons than the threshold, but not none.

    Parameters
    ----------
    frame
        Rows of a long table.
    min_n
        The least number of persons that may be shown.
    table
        The table's name, where known.
    """
    n = counts_of(frame)
    return count_persons(frame, table) & (n > 0) & (n < min_n)


@dataclass(frozen=True, slots=True)
class Suppression:
    """What was hidden.

    Attributes
    ----------
    min_n, protection
        The threshold and the least width of what can be known of a hidden cell.
    primary, complementary, ratios
        Rows hidden because they are small, because they would give others away, and because they
        are computed from hidden ones.
    """

    min_n: int
    protection: float
    primary: int
    complementary: int
    ratios: int

    @property
    def suppressed(self) -> int:
        """How many rows are hidden in all."""
        return self.primary + self.complementary + self.ratios

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


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
        return small | (self._excess(frame) > 0) | self._small_ratio(frame)

    def _excess(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return by how much an estimate may come too close to the largest contributions."""
        names = [c for c in frame.columns if str(c).startswith(CONTRIBUTION)]
        names.sort(key=lambda c: int(str(c).removeprefix(CONTRIBUTION)))
        out = np.zeros(len(frame))
        total = floats(frame, VALUE)
        if not names:
            return out
        parts = np.nan_to_num(np.stack([floats(frame, n) for n in names], axis=1))
        given = np.isfinite(total) & (parts[:, 0] > 0)
        if self.dominance is not None:
            n, k = self.dominance
            over = parts[:, :n].sum(axis=1) * 100.0 / k - total
            out = np.maximum(out, np.where(given, over, 0.0))
        if self.p_percent is not None:
            rest = total - parts[:, :2].sum(axis=1)
            over = self.p_percent / 100.0 * parts[:, 0] - rest
            out = np.maximum(out, np.where(given, over, 0.0))
        return np.where(out > EPSILON, out, 0.0)

    def _small_ratio(self, frame: pd.DataFrame) -> Mask:
        """Say which shares and rates give a small count away by the number beside them."""
        n, value = floats(frame, "N_OBS"), floats(frame, VALUE)
        share = np.isin(column(frame, "MEASURE_KIND"), ("SHARE", "RATE"))
        unit = column(frame, "UNIT_MEASURE")
        whole = np.array([_WHOLES.get(u, 1.0) for u in unit])
        share &= np.isin(unit, ("PT", "PM", "", "RATIO")) & np.isin(
            column(frame, "COUNTED", "PERSONS"), ("PERSONS",)
        )
        inside = np.nan_to_num(n * value / whole)
        outside = np.nan_to_num(n * (1.0 - value / whole))

        def small(x: NDArray[np.float64]) -> Mask:
            # The share is printed with rounding: a count a little beside the threshold is near it.
            return (np.round(x) > 0) & (np.round(x) < self.min_n)

        return share & (small(inside) | small(outside))

    def mask(self, data: pd.DataFrame | Dataset) -> NDArray[np.bool_]:
        """Say which rows must not be shown, complementary ones included.

        Parameters
        ----------
        data
            A table; of a dataset that is not in ``tables`` no row.
        """
        name = data.table if isinstance(data, Dataset) else ""
        return self.masks({name: data})[name]

    def masks(
        self, tables: Mapping[str, pd.DataFrame | Dataset]
    ) -> dict[str, NDArray[np.bool_]]:
        """Say, for tables that are published together, which rows must not be shown.

        Parameters
        ----------
        tables
            Name → table. Names that are no table of gbi's are protected too.
        """
        return {name: mask > 0 for name, mask in self._masked(tables).items()}

    def _masked(
        self, tables: Mapping[str, pd.DataFrame | Dataset]
    ) -> dict[str, NDArray[np.int64]]:
        """Return 0 shown, 1 sensitive, 2 complementary, 3 a ratio of hidden counts, per row."""
        frames = {n: (d.frame if isinstance(d, Dataset) else d) for n, d in tables.items()}
        kinds = {n: d.table if isinstance(d, Dataset) else n for n, d in tables.items()}
        mine = {
            n: f for n, f in frames.items() if kinds[n] in self.tables or kinds[n] not in _TABLES
        }
        out = {n: np.zeros(len(f), dtype=np.int64) for n, f in frames.items()}
        if not sum(len(f) for f in mine.values()):
            return out
        facts = gathered({n: f.reset_index(drop=True) for n, f in mine.items()})
        first = np.concatenate([self.primary(f, kinds[n]) for n, f in mine.items()])
        excess = np.concatenate([self._excess(f) for f in mine.values()])
        state = first.astype(np.int64)
        if self.complementary:
            for table in person_tables(facts):
                hidden = self._protected(table, facts, first, excess)
                state[table.rows[hidden & (state[table.rows] == 0)]] = 2
            held = facts["HELD"].to_numpy(dtype=bool)
            told = self._told_by_ratio(facts, (state > 0) | held)
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
        hidden = first[rows] | ~np.isfinite(values)
        if len(rows) == 1:
            return hidden
        persons = bool(facts["PERSONS"].to_numpy()[rows[0]])
        lines = lines_of(table.cells, table.dimensions) if persons else []
        derived = self._derived(lines, values, tolerance)
        if not (hidden.any() or derived):
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
        for total, inside in derived:
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

    def _derived(
        self,
        lines: list[tuple[int, tuple[int, ...], bool]],
        values: NDArray[np.float64],
        tolerance: NDArray[np.float64],
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Return the totals and parts between which a small count is left that no row names."""
        out = []
        for total, inside, whole in lines:
            parts = list(inside)
            rest = values[total] - values[parts].sum()
            room = tolerance[total] + tolerance[parts].sum()
            if not whole and np.isfinite(rest) and max(room, EPSILON) < rest < self.min_n:
                out.append((total, inside))
        return out

    def _told_by_ratio(self, facts: pd.DataFrame, hidden: Mask) -> Mask:
        """Say which ratios are made of a hidden count."""
        ratio = np.flatnonzero(facts["RATIO"].to_numpy(dtype=bool))
        out = np.zeros(len(facts), dtype=bool)
        if not len(ratio) or not hidden.any():
            return out
        key = facts[list(_RATIO_KEY)].to_numpy(dtype=object)
        codes = facts[list(DIMENSIONS)].to_numpy(dtype=object)
        gone = {(*key[i], *codes[i]) for i in np.flatnonzero(hidden & facts["COUNT"].to_numpy())}
        named = {
            " ".join(k.split()).casefold(): [" ".join(x.split()).casefold() for x in v]
            for k, v in self.ratios.items()
        }
        roots = [ROOTS.get(d, TOTAL) for d in DIMENSIONS]
        for i in ratio:
            cells = {tuple(codes[i])}
            for k, root in enumerate(roots):
                others = ("F", "M", root) if k == 0 else (root,)
                cells |= {(*c[:k], other, *c[k + 1 :]) for c in tuple(cells) for other in others}
                if len(cells) > 256:
                    break
            department, indicator, *rest = key[i]
            counted = [indicator, *named.get(str(indicator), [])]
            out[i] = any((department, c, *rest, *cell) in gone for c in counted for cell in cells)
        return out

    @overload
    def suppress(self, data: pd.DataFrame) -> tuple[pd.DataFrame, Suppression]: ...
    @overload
    def suppress(self, data: Dataset) -> tuple[Dataset, Suppression]: ...

    def suppress(
        self, data: pd.DataFrame | Dataset
    ) -> tuple[pd.DataFrame | Dataset, Suppression]:
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

    def suppress_all(
        self, tables: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Suppression]:
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
        report = Suppression(
            self.min_n, self.width, int(primary), int(complementary), int(ratios)
        )
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


def hide(data: Any, mask: NDArray[np.bool_]) -> Any:
    """Return a DataFrame or a Dataset with rows hidden: no value, ``OBS_STATUS`` ``Q``.

    Parameters
    ----------
    data
        The table.
    mask
        The rows.
    """
    if isinstance(data, Dataset):
        if not mask.any():
            return data
        origins = data.origins
        if origins is not None and RAW in origins.columns:
            origins = origins.copy()
            origins.loc[mask, RAW] = None
        step = data.provenance.then("suppress", rows=int(mask.sum()))
        return replace(
            data, frame=hide(data.frame, mask), origins=origins, totals=None, provenance=step
        )
    frame = data.copy()
    if STATUS not in frame.columns:
        frame[STATUS] = pd.Series(None, index=frame.index, dtype="str")
    beside = [c for c in (VALUE, *_BESIDE) if c in frame.columns]
    beside += [c for c in frame.columns if str(c).startswith(CONTRIBUTION)]
    for name in beside:
        frame[name] = frame[name].mask(mask)
    if mask.any():
        frame[STATUS] = frame[STATUS].mask(mask, HIDDEN)
    return frame


__all__ = ["DEFAULT_MIN_N", "LABELS", "SmallCells", "Suppression", "hide", "is_small"]
