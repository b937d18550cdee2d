"""What an operator sees and what it gives back.

An operator is a pure function of a :class:`Context`: the frame, the rule's parameters and the
columns that make a row what it is. It answers with :class:`Checked`: how many rows it looked at
and, per breach, the positions of all parties. The engine turns positions into cells and words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

NOISE = 1e-9
NOWHERE = -1
_EXACT_UNITS = ("NUMBER", "PS", "MAD")
_SERIES_ASIDE = ("TIME_PERIOD", "VALUE_KIND")
_ALWAYS_TOGETHER = ("UNIT_MEASURE", "UNIT_MULT", "MEASURE_KIND", "SOURCE")
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach: its parties by position, the one to look at first in front.

    Attributes
    ----------
    rows, totals
        Positions in the frame and in the printed totals; where ``totals_first`` the printed
        total is what to look at first.
    shared
        Whether the fault belongs to the group: its business key is what all parties share.
    column
        The column at fault.
    found, expected, difference, tolerance, suggestion
        The substance, in the unit of the row.
    details
        Further placeholders of the rule's messages.
    """

    rows: tuple[int, ...]
    column: str = "OBS_VALUE"
    found: object = None
    expected: object = None
    difference: float | None = None
    tolerance: float | None = None
    suggestion: str | None = None
    totals: tuple[int, ...] = ()
    totals_first: bool = False
    shared: bool = False
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Checked:
    """What an operator did: rows looked at, breaches, and columns that it would have needed."""

    rows: int
    violations: Sequence[Violation] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """A table and a rule, as an operator sees them.

    Attributes
    ----------
    table, frame, totals
        The table's name, its rows, and the totals rows that the source prints (may be None).
    key
        The columns of the table's key that the frame has.
    required
        The columns that the table's schema requires.
    params, tolerance
        Of the rule.
    unread
        Per column, the rows whose cell reading could not understand: not missing, but unknown.
    """

    table: str
    frame: pd.DataFrame
    key: tuple[str, ...]
    required: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tolerance: str | float | None = None
    totals: pd.DataFrame | None = None
    unread: Mapping[str, NDArray[np.bool_]] = field(default_factory=lambda: MappingProxyType({}))

    def values(self, column: str = "OBS_VALUE") -> NDArray[np.float64]:
        """Return a column as floats, NaN where missing."""
        return floats(self.frame, column)

    def given(self, column: str = "OBS_VALUE") -> NDArray[np.bool_]:
        """Say where a value stands in the file, be it readable or not."""
        there = self.frame[column].notna().to_numpy(dtype=bool)
        unread = self.unread.get(column)
        return there if unread is None else there | unread

    def series_key(self, *aside: str) -> list[str]:
        """Return the key without time, kind of value and the columns put aside: one series."""
        return [c for c in self.key if c not in (*_SERIES_ASIDE, *aside)]

    def peers_key(self, *aside: str) -> list[str]:
        """Return what rows share that differ only by the columns put aside."""
        extra = [c for c in _ALWAYS_TOGETHER if c in self.frame.columns and c not in self.key]
        return [c for c in (*self.key, *extra) if c not in aside]


def floats(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as floats, NaN where missing."""
    out = frame[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(out, dtype=np.float64)


def codes(frame: pd.DataFrame, column: str, default: str = "_T") -> NDArray[np.object_]:
    """Return a code column as text; a missing column or cell counts as the default."""
    if column not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    return frame[column].astype("object").where(frame[column].notna(), default).to_numpy(object)


def group_ids(frame: pd.DataFrame, columns: Iterable[str]) -> NDArray[np.int64]:
    """Return one number per row: equal where all columns are equal, missing equal to missing."""
    present = [c for c in columns if c in frame.columns]
    if not present or frame.empty:
        return np.zeros(len(frame), dtype=np.int64)
    ids = frame.groupby(present, dropna=False, sort=False, observed=True).ngroup()
    return np.asarray(ids, dtype=np.int64)


def rows_where(frame: pd.DataFrame, where: Mapping[str, Iterable[str]]) -> NDArray[np.bool_]:
    """Say which rows have one of the listed codes in every column; a missing column has none."""
    keep = np.ones(len(frame), dtype=bool)
    for column, allowed in where.items():
        if column not in frame.columns:
            return np.zeros(len(frame), dtype=bool)
        keep &= frame[column].isin(list(allowed)).to_numpy(dtype=bool)
    return keep


def selected(ctx: Context, frame: pd.DataFrame | None = None) -> NDArray[np.bool_]:
    """Say which rows a rule is about: its ``where`` without its ``exempt`` rows."""
    frame = ctx.frame if frame is None else frame
    keep = rows_where(frame, ctx.params.get("where", {}))
    for column, exempt in ctx.params.get("exempt", {}).items():
        keep &= ~rows_where(frame, {column: exempt})
    return keep


def positions(
    ctx: Context, dimension: str, keep: NDArray[np.bool_], frame: pd.DataFrame
) -> pd.DataFrame:
    """Return, per group of rows that differ by one dimension only, the position of each member.

    A row per group, a column per member; absent members are ``NOWHERE``. A group that has a
    member twice is left out: that is the key rule's matter.
    """
    rows = np.flatnonzero(keep)
    groups, group = np.unique(group_ids(frame, ctx.peers_key(dimension))[rows], return_inverse=True)
    names, member = np.unique(codes(frame, dimension)[rows].astype(str), return_inverse=True)
    at = np.full((len(groups), len(names)), NOWHERE, dtype=np.int64)
    at[group, member] = rows
    cell = group * len(names) + member
    twice = group[np.bincount(cell, minlength=1)[cell] > 1]
    usable = ~np.isin(np.arange(len(groups)), twice)
    return pd.DataFrame(at[usable], columns=[str(n) for n in names])


def printed_units(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the unit of the last printed digit of every row, in the row's own unit.

    It is 10^-``DECIMALS``; where that is not known, the fewest decimals that hold the value.
    """
    values = floats(frame, "OBS_VALUE")
    needed = np.zeros(len(frame))
    open_ = np.isfinite(values)
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = np.where(open_, values, 0.0) * 10.0**decimals
        fits = np.abs(scaled - np.round(scaled)) <= NOISE * np.maximum(1.0, np.abs(scaled))
        needed[open_] = decimals
        open_ &= ~fits
    if "DECIMALS" in frame.columns:
        printed = floats(frame, "DECIMALS")
        needed = np.where(np.isfinite(printed), printed, needed)
    return np.asarray(10.0**-needed, dtype=np.float64)


def exact(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which rows are counts or amounts in whole units, which no rounding can move."""
    unit = np.isin(codes(frame, "UNIT_MEASURE", ""), _EXACT_UNITS)
    if "UNIT_MULT" in frame.columns:
        multiplier = floats(frame, "UNIT_MULT")
        unit &= np.nan_to_num(multiplier, nan=0.0) == 0.0
    return np.asarray(unit & (printed_units(frame) >= 1.0), dtype=bool)


def tolerance_of(
    rule: str | float | None,
    units: NDArray[np.float64],
    is_exact: NDArray[np.bool_],
    terms: NDArray[np.float64] | float,
    size: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far printed figures may lie from an identity by rounding alone.

    Parameters
    ----------
    rule
        ``printed_unit``: u·(k+1)/2 for k addends printed to the unit u, and 0 for counts;
        ``count``: 0; a number: that many units of the value; None: 0.
    units, is_exact, terms, size
        u, whether no rounding is possible, k, and the figures' size: floating-point noise of
        10⁻⁹ of it never counts, but half a printed unit always does.
    """
    if rule == "printed_unit":
        allowed = np.where(is_exact, 0.0, units * (terms + 1.0) / 2.0)
    elif isinstance(rule, int | float):
        allowed = np.full_like(units, float(rule))
    else:
        allowed = np.zeros_like(units)
    noise = np.minimum(NOISE * np.abs(np.nan_to_num(size)), units / 2.0)
    return np.asarray(allowed + noise, dtype=np.float64)


def plain(value: object) -> object:
    """Return a cell's value as a plain Python value, None where missing."""
    if value is None or (not isinstance(value, str) and bool(pd.isna(value))):  # type: ignore[call-overload]
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value
