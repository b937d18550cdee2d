"""What an operator sees and what it gives back.

An operator is a pure function of a :class:`Context`: the frame, the rule's parameters and the
columns that make a row what it is. It answers with :class:`Checked`: how many rows it looked at
and, per breach, the positions of all parties. The engine turns positions into cells and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    elsewhere
        Parties in other tables of the submission: (table, position).
    details
        Further placeholders of the rule's messages; also what was seen in last year's files.
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
    elsewhere: tuple[tuple[str, int], ...] = ()
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class Breaches(Sequence[Violation]):
    """Breaches of single cells as arrays: a violation is made only when one is looked at.

    Parameters
    ----------
    rows
        Positions in the frame, one party each.
    column
        The column at fault: one for all, or one per breach.
    found
        What each cell holds; None leaves it out.
    expected, tolerance
        An array with a value per breach, one value for all, or None.
    suggestion
        A text or None per breach; None where there is none at all.
    details
        Per placeholder an array, or one value for all.
    """

    def __init__(
        self,
        rows: NDArray[np.int_],
        column: str | NDArray[np.object_] = "OBS_VALUE",
        *,
        found: NDArray[Any] | None = None,
        expected: NDArray[Any] | object = None,
        tolerance: float | None = None,
        suggestion: NDArray[np.object_] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        self.column = column
        self.found = found
        self.expected = expected
        self.tolerance = tolerance
        self.suggestion = suggestion
        self.details = details or {}

    def __len__(self) -> int:
        """Return the number of breaches."""
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Violation: ...
    @overload
    def __getitem__(self, index: slice) -> Breaches: ...
    def __getitem__(self, index: int | slice) -> Violation | Breaches:
        """Return one breach as a violation, or a part of them."""
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        found, expected = plain(_at(self.found, index)), plain(_at(self.expected, index))
        apart = None
        if isinstance(found, float) and isinstance(expected, int | float):
            apart = found - expected
        return Violation(
            (int(self.rows[index]),), str(_at(self.column, index)), found=found, expected=expected,
            difference=apart, tolerance=self.tolerance,
            suggestion=None if self.suggestion is None else self.suggestion[index],
            details={name: plain(_at(v, index)) for name, v in self.details.items()},
        )  # fmt: skip

    def take(self, chosen: NDArray[np.int_]) -> Breaches:
        """Return the breaches at these places, in their order."""

        def part(values: Any) -> Any:
            return values[chosen] if isinstance(values, np.ndarray) else values

        return Breaches(
            self.rows[chosen],
            part(self.column),
            found=part(self.found),
            expected=part(self.expected),
            tolerance=self.tolerance,
            suggestion=part(self.suggestion),
            details={name: part(values) for name, values in self.details.items()},
        )

    @classmethod
    def joined(cls, parts: Sequence[Breaches]) -> Breaches:
        """Return several sets of breaches as one; what one of them tells, all tell."""

        def whole(name: str) -> Any:
            told = [getattr(part, name) for part in parts]
            if all(value is None for value in told):
                return None
            spread = [
                value if isinstance(value, np.ndarray) else np.full(len(p), value, dtype=object)
                for value, p in zip(told, parts, strict=True)
            ]
            return np.concatenate([s.astype(object) for s in spread])

        if len(parts) == 1:
            return parts[0]
        rows = [part.rows for part in parts]
        column = whole("column")
        return cls(
            np.concatenate([np.zeros(0, dtype=np.int64), *rows]),
            "OBS_VALUE" if column is None else column,
            found=whole("found"),
            expected=whole("expected"),
            suggestion=whole("suggestion"),
        )


def _at(values: object, index: int) -> object:
    return values[index] if isinstance(values, np.ndarray) else values


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
    others
        Every table of the submission by name; ``table`` is among them.
    previous
        Last year's tables by name; empty where none were given.
    as_of
        The day of the validation.
    mistyped
        Columns that the frame lacks because they hold something else than their type: what was
        expected, and what they are.
    """

    table: str
    frame: pd.DataFrame
    key: tuple[str, ...]
    required: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tolerance: str | float | None = None
    totals: pd.DataFrame | None = None
    unread: Mapping[str, NDArray[np.bool_]] = field(default_factory=lambda: MappingProxyType({}))
    others: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    previous: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    as_of: date = date(2025, 1, 1)
    mistyped: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))

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


_MEMORY: ContextVar[dict[int, dict[Any, Any]] | None] = ContextVar("_MEMORY", default=None)
Kept = TypeVar("Kept")


@contextmanager
def remembering(frames: Iterable[pd.DataFrame]) -> Iterator[None]:
    """Keep what is derived from these frames as long as the block lasts.

    Many rules look at the same columns. Nothing outlives the block, for a frame may change after
    it; what is kept can't be written to.
    """
    token = _MEMORY.set({id(frame): {} for frame in frames})
    try:
        yield
    finally:
        _MEMORY.reset(token)


def _kept(frame: pd.DataFrame, what: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
    memory = _MEMORY.get()
    kept = None if memory is None else memory.get(id(frame))
    if kept is None:
        return make()
    if what not in kept:
        made = make()
        for part in made if isinstance(made, tuple) else (made,):
            if isinstance(part, np.ndarray):
                part.flags.writeable = False
        kept[what] = made
    held: Kept = kept[what]
    return held


def _is_kept(frame: pd.DataFrame, what: tuple[Any, ...]) -> bool:
    memory = _MEMORY.get()
    return memory is not None and what in memory.get(id(frame), {})


def floats(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as floats, NaN where missing."""
    return _kept(frame, ("floats", column), lambda: _floats(frame[column]))


def _floats(column: pd.Series[Any]) -> NDArray[np.float64]:
    if column.dtype == np.float64:
        return np.asarray(column, dtype=np.float64).view()  # no copy: it can't be written to
    out = column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array(out, dtype=np.float64)


def coded(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return a column as numbers of its distinct values, -1 where missing, and these values."""

    def make() -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        numbers, values = pd.factorize(frame[column], use_na_sentinel=True)
        plain_values = np.empty(len(values), dtype=object)
        plain_values[:] = values.tolist()  # texts and numbers of Python's own
        return numbers.astype(np.int64), plain_values

    return _kept(frame, ("coded", column), make)


def codes(frame: pd.DataFrame, column: str, default: str = "_T") -> NDArray[np.object_]:
    """Return a code column as text; a missing column or cell counts as the default."""

    def make() -> NDArray[np.object_]:
        if column not in frame.columns:
            return np.full(len(frame), default, dtype=object)
        numbers, values = coded(frame, column)
        return np.append(values, np.array([default], dtype=object))[numbers]

    return _kept(frame, ("codes", column, default), make)


def among(
    frame: pd.DataFrame, column: str, allowed: Iterable[object], default: str | None = None
) -> NDArray[np.bool_]:
    """Say which cells hold one of the values; a missing column or cell counts as the default."""
    wanted = set(allowed)
    if column not in frame.columns:
        return np.full(len(frame), default in wanted)
    if default is None and not _is_kept(frame, ("coded", column)):
        return np.array(frame[column].isin(list(wanted)), dtype=bool)
    numbers, values = coded(frame, column)
    hit = np.array([*(v in wanted for v in values), default in wanted], dtype=bool)
    return np.asarray(hit[numbers])


def group_ids(frame: pd.DataFrame, columns: Iterable[str]) -> NDArray[np.int64]:
    """Return one number per row: equal where all columns are equal, missing equal to missing."""
    present = tuple(dict.fromkeys(c for c in columns if c in frame.columns))

    def make() -> NDArray[np.int64]:
        ids = np.zeros(len(frame), dtype=np.int64)
        for column in present:
            numbers, values = coded(frame, column)
            ids, _ = pd.factorize(ids * (len(values) + 1) + numbers)
        return np.asarray(ids, dtype=np.int64)

    return _kept(frame, ("groups", present), make)


def rows_where(frame: pd.DataFrame, where: Mapping[str, Iterable[str]]) -> NDArray[np.bool_]:
    """Say which rows have one of the listed codes in every column; a missing column has none."""
    keep = np.ones(len(frame), dtype=bool)
    for column, allowed in where.items():
        if column not in frame.columns:
            return np.zeros(len(frame), dtype=bool)
        keep &= among(frame, column, allowed)
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
    groups, group = np.unique(_peers(ctx, dimension, frame)[rows], return_inverse=True)
    names, member = np.unique(codes(frame, dimension)[rows].astype(str), return_inverse=True)
    at = np.full((len(groups), len(names)), NOWHERE, dtype=np.int64)
    at[group, member] = rows
    cell = group * len(names) + member
    twice = group[np.bincount(cell, minlength=1)[cell] > 1]
    usable = ~np.isin(np.arange(len(groups)), twice)
    return pd.DataFrame(at[usable], columns=[str(n) for n in names])


def _peers(ctx: Context, dimension: str, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return what rows share that differ by one dimension only.

    The sexes of a results chain may stand in sub-indicators of their own, tied by ``PAIR_ID``.
    """
    key = ctx.peers_key(dimension)
    tied = dimension == "SEX" and {"SUB_INDICATOR", "PAIR_ID"} <= set(frame.columns)
    if not tied or not frame["PAIR_ID"].notna().any():
        return group_ids(frame, key)

    def make() -> NDArray[np.int64]:
        label = frame["PAIR_ID"].where(frame["PAIR_ID"].notna(), frame["SUB_INDICATOR"])
        return group_ids(frame.assign(SUB_INDICATOR=label), [*key, "PAIR_ID"])

    return _kept(frame, ("tied", dimension, tuple(key)), make)


def printed_units(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the unit of the last printed digit of every row, in the row's own unit.

    It is 10^-``DECIMALS``; where that is not known, the fewest decimals that hold the value.
    """
    return _kept(frame, ("units",), lambda: _printed_units(frame))


def _printed_units(frame: pd.DataFrame) -> NDArray[np.float64]:
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
    unit = among(frame, "UNIT_MEASURE", _EXACT_UNITS)
    if "UNIT_MULT" in frame.columns:
        multiplier = floats(frame, "UNIT_MULT")
        unit = unit & (np.nan_to_num(multiplier, nan=0.0) == 0.0)
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
