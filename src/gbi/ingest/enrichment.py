"""What a table without a split by sex could be split by, if registers or the census were joined.

Nothing is split here and no value is divided: the answer is how much of the table meets counts of
persons by sex, and how many of these persons have a known one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import exact_sum, keys_of, quotient
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.provenance import Provenance
from gbi.results import Note, Result
from gbi.vocabulary import concepts, refuse_mixed_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

POSSIBLE, PARTIAL, UNMATCHED, ALREADY = STATUSES = ("possible", "partial", "unmatched", "already")
_VALUE, _PERIOD, _TOTAL = "OBS_VALUE", "TIME_PERIOD", "_T"
_UNKNOWN, _NO_MEMBER = ("_U", "_N"), ("_T", "_U", "_N", "_Z")
_BOTH_SEXES = frozenset("FM")
# Values that differ here are of different things: they have no sum.
_APART = ("UNIT_MEASURE", "UNIT_MULT", "MEASURE_KIND", "BUDGET_STAGE", "CREDIT_TYPE", "VALUE_KIND",
          "INDICATOR", "SUB_INDICATOR")  # fmt: skip
_UNITS = _APART[:2]
_FOUND = ("MEMBERS", "N_KNOWN", "N_UNKNOWN", "SHARE_KNOWN", "STATUS", "REASON")
_NO_SUM_UNITS = ("PT", "PM", "INDEX", "RATIO", "YR", "P100K_LB")


def disaggregation_coverage(
    data: Dataset | pd.DataFrame,
    counts: Dataset | pd.DataFrame,
    *,
    by: Sequence[str],
    over: str = "SEX",
) -> Result:
    """Return how much of a table could be disaggregated with the help of counts of persons.

    Parameters
    ----------
    data
        A ministry's table: credits, users of services.
    counts
        Persons of a register or the census, one row per group and member of ``over``.
    by
        The columns that both have and that are equal where they belong together. A period is
        always one of them: nothing is joined across years.
    over
        The dimension that ``data`` lacks.

    Returns
    -------
    Result
        Kind ``disaggregation_coverage``, a row per group of ``data``: ``OBS_VALUE`` (its total;
        missing where values can't be added), ``MEMBERS`` that the counts have, ``N_KNOWN``,
        ``N_UNKNOWN``, ``SHARE_KNOWN``, ``STATUS`` and ``REASON``. ``STATUS`` is ``possible``,
        ``partial`` (a member is missing, or not every person's is known), ``unmatched`` (nobody
        is counted there whose member is known) or ``already`` (``data`` has the split itself).
        ``meta`` has ``coverage`` (Σ|value| that is possible or partial ÷ Σ|value|; None where
        values of several units, stages or years have no sum), ``coverage_groups`` (the same in
        groups), ``groups`` and ``value`` by status, and ``counts_without_data``.

    Raises
    ------
    GbiError
        ``GBI-E031``, ``GBI-E040`` (a total beside its parts), ``GBI-E070`` (a missing column),
        ``GBI-E071``, ``GBI-E072`` (several values for one group), ``GBI-E073``, ``GBI-E074``
        (``counts`` are not persons).
    """
    left, right = (Dataset.of(d, d.table if isinstance(d, Dataset) else "") for d in (data, counts))
    key = _key(left.frame, right.frame, by, over)
    _refuse_other_than_persons(right.frame)
    both = pd.concat([left.frame[key], right.frame[key]], ignore_index=True)
    ids = keys_of(both, key).ids
    here, there = ids[: len(left.frame)], ids[len(left.frame) :]
    held = _held(right.frame, there, key, over)
    groups = _groups(left.frame, here, key, over)
    timeless = keys_of(both, [c for c in key if c != _PERIOD]).ids
    other_years = set(timeless[len(here) :][np.isfinite(_amounts(right.frame))].tolist())
    needed = _BOTH_SEXES if over == "SEX" else frozenset(m for h in held.values() for m in h.known)
    rows: list[dict[Any, Any]] = []
    for group, (first, value, split) in groups.items():
        found = held.get(group, _Held())
        status, reason = _status(found, split, needed, bool(timeless[first] in other_years))
        row: dict[Any, Any] = left.frame[key].iloc[first].to_dict()
        row[_VALUE] = value
        row |= {c: left.frame[c].iloc[first] for c in _UNITS if c in left.frame}
        row |= {
            "MEMBERS": " ".join(found.members) or None,
            "N_KNOWN": found.counted,
            "N_UNKNOWN": found.total - found.counted,
            "SHARE_KNOWN": found.counted / found.total if found.total else np.nan,
            "STATUS": status,
            "REASON": reason,
        }
        rows.append(row)
    columns = [*key, _VALUE, *(c for c in _UNITS if c in left.frame), *_FOUND]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.astype(dict.fromkeys(("MEMBERS", "STATUS", "REASON"), "str"))
    missed = [g for g in sorted(held) if g not in groups]
    firsts = {g: int(np.flatnonzero(there == g)[0]) for g in missed}
    meta = _summary(frame, left.frame) | {
        "by": key,
        "over": over,
        "counts_without_data": [
            {**right.frame[key].iloc[firsts[g]].to_dict(), "N": held[g].total} for g in missed
        ],
    }
    provenance = Provenance.merge(left.provenance, right.provenance)
    return Result(
        "disaggregation_coverage", frame, (_covered(meta), Note("GBI-N060")),
        provenance.then("disaggregation_coverage", by=key, over=over), meta,
    )  # fmt: skip


@dataclass(slots=True)
class _Held:
    """The persons that are counted in one group, per member of the dimension.

    ``rounded`` is the step that they are printed in (thousands), 0 for single persons.
    """

    persons: dict[str, float] = field(default_factory=dict)
    rounded: float = 0.0

    @property
    def members(self) -> list[str]:
        return sorted(self.persons, key=lambda m: (m.startswith("_"), m))

    @property
    def known(self) -> frozenset[str]:
        return frozenset(self.persons) - {*_NO_MEMBER}

    @property
    def counted(self) -> float:
        return exact_sum(self.persons[m] for m in self.known)

    @property
    def excess(self) -> float:
        """The printed total over its parts; 0 within rounding, or where none is printed."""
        parts = [v for m, v in self.persons.items() if m in self.known or m in _UNKNOWN]
        over = self.persons.get(_TOTAL, exact_sum(parts)) - exact_sum(parts)
        return 0.0 if abs(over) <= self.rounded * (len(parts) + 1) / 2 else over

    @property
    def total(self) -> float:
        unknown = exact_sum(v for m, v in self.persons.items() if m in _UNKNOWN)
        return self.counted + unknown + max(self.excess, 0.0)


def _status(
    held: _Held, split: bool, needed: frozenset[str], other_years: bool
) -> tuple[str, str | None]:
    if split:
        return ALREADY, "GBI-N067"
    if not held.persons:
        return UNMATCHED, "GBI-N065" if other_years else "GBI-N064"
    if not held.counted:
        return UNMATCHED, "GBI-N066"
    if held.excess < 0:
        return PARTIAL, "GBI-N063"
    if not needed <= held.known:
        return PARTIAL, "GBI-N061"
    return (PARTIAL, "GBI-N062") if held.counted < held.total else (POSSIBLE, None)


def _key(left: pd.DataFrame, right: pd.DataFrame, by: Sequence[str], over: str) -> list[str]:
    if isinstance(by, str) or not by or over in by:
        raise GbiError("GBI-E071", where="by", expected='["REF_AREA"]', got=repr(by))
    dated = _PERIOD in left.columns or _PERIOD in right.columns
    key = list(dict.fromkeys([*by, *([_PERIOD] if dated else [])]))
    for frame, wanted in ((left, [*key, _VALUE]), (right, [*key, over, _VALUE])):
        if absent := [c for c in wanted if c not in frame.columns]:
            there = ", ".join(map(str, frame.columns))
            raise GbiError("GBI-E070", expected=", ".join(absent), got=there)
    return key


def _amounts(frame: pd.DataFrame) -> NDArray[np.float64]:
    try:
        out = frame[_VALUE].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise GbiError("GBI-E073", where=_VALUE, got=str(frame[_VALUE].dtype)) from None
    return np.where(np.isfinite(out), out, np.nan)


def _refuse_other_than_persons(frame: pd.DataFrame) -> None:
    """Refuse counts of anything else: shares have no sum, structures have no sex."""

    def column(name: str) -> pd.Series:
        values = frame.get(name, pd.Series(None, index=frame.index, dtype=object))
        return values.astype(object)

    unit, counted, kind = column("UNIT_MEASURE"), column("COUNTED"), column("MEASURE_KIND")
    good = (unit == "PS") | ((unit == "NUMBER") & (counted == "PERSONS"))
    good &= counted.isin(["PERSONS"]) | counted.isna()
    good &= kind.isin(["COUNT"]) | kind.isna()
    good &= ~(_amounts(frame) < 0)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        got = ", ".join(str(v) for v in (unit.iloc[row], counted.iloc[row], kind.iloc[row]))
        raise GbiError("GBI-E074", where=f"counts [{row}]", expected="PS; NUMBER, PERSONS, COUNT",
                       got=got)  # fmt: skip


def _held(
    frame: pd.DataFrame, ids: NDArray[np.int64], key: list[str], over: str
) -> dict[int, _Held]:
    """Return group → its persons; two rows for one member, or of two kinds, are refused."""
    _one_each(frame, ids, [c for c in _dimensions(frame) if c not in (*key, over)], "counts")
    cells = keys_of(frame, [*key, over])
    if (twice := np.flatnonzero(cells.sizes() > 1)).size:
        rows = np.flatnonzero(cells.ids == twice[0])
        raise GbiError("GBI-E072", where="counts", got=str(rows[:4].tolist()))
    if frame[over].isna().any():
        row = int(np.flatnonzero(frame[over].isna())[0])
        raise GbiError("GBI-E052", where=f"counts, {over} [{row}]", expected="F, M, _U, _T")
    refuse_mixed_totals(frame.loc[~frame[over].isin(_NO_MEMBER)], [over])
    powers = frame.get("UNIT_MULT", pd.Series(0, index=frame.index)).fillna(0)
    held: dict[int, _Held] = {}
    for group, member, amount, power in zip(ids, frame[over], _amounts(frame), powers, strict=True):
        if np.isfinite(amount):
            there = held.setdefault(int(group), _Held())
            there.persons[member] = float(amount) * 10.0 ** int(power)
            there.rounded = max(there.rounded, 10.0 ** int(power) if power > 0 else 0.0)
    return held


def _groups(
    frame: pd.DataFrame, ids: NDArray[np.int64], key: list[str], over: str
) -> dict[int, tuple[int, float, bool]]:
    """Return group → its first row, its value and whether it is split already."""
    members = frame[over] if over in frame.columns else pd.Series(_TOTAL, index=frame.index)
    named = (members.notna() & ~members.isin(_NO_MEMBER)).to_numpy(dtype=bool)
    whole = (members.isna() | (members == _TOTAL)).to_numpy(dtype=bool)
    apart = [c for c in _APART if c in frame.columns and c not in key]
    _one_each(frame, ids, apart, "data")
    # Where a total is printed beside its parts, it is the value.
    used = whole | ~np.isin(ids, ids[whole])
    dimensions = _dimensions(frame)
    summed = [c for c in dimensions if c not in (*key, over)]
    for removed in (summed, *([c] for c in key if c in dimensions and c != _PERIOD)):
        refuse_mixed_totals(frame.loc[used], removed)
    amounts, adds = _amounts(frame), _additive(frame)
    out = {}
    for group in np.unique(ids).tolist():
        rows = np.flatnonzero(ids == group)
        taken = rows[used[rows]]
        known = np.isfinite(amounts[taken]).all() and adds[taken].all()
        value = exact_sum(amounts[taken].tolist()) if known else np.nan
        out[int(group)] = (int(rows[0]), value, bool(named[rows].any()))
    return out


def _additive(frame: pd.DataFrame) -> NDArray[np.bool_]:
    adds = np.ones(len(frame), dtype=bool)
    if "UNIT_MEASURE" in frame.columns:
        adds &= ~frame["UNIT_MEASURE"].isin(_NO_SUM_UNITS).to_numpy(dtype=bool)
    if "MEASURE_KIND" in frame.columns:
        kinds = frame["MEASURE_KIND"]
        adds &= (kinds.isna() | (kinds == "COUNT")).to_numpy(dtype=bool)
    return adds


def _dimensions(frame: pd.DataFrame) -> list[str]:
    known = concepts()
    return [c for c in frame.columns if c in known and known[c].dimension]


def _one_each(
    frame: pd.DataFrame, ids: NDArray[np.int64], columns: Iterable[str], what: str
) -> None:
    """Refuse a group with several values in a column."""
    for column in columns:
        several = pd.Series(keys_of(frame, [column]).ids).groupby(ids).nunique()
        if (several > 1).any():
            got = ", ".join(sorted(map(str, frame[column].dropna().unique()))[:4])
            raise GbiError("GBI-E072", where=f"{what}, {column}", got=got)


def _summary(frame: pd.DataFrame, data: pd.DataFrame) -> dict[str, Any]:
    """Return the coverage in groups and in value."""
    status = frame["STATUS"]
    groups = {s: int((status == s).sum()) for s in STATUSES}
    single = all(len(keys_of(data, [c])) <= 1 for c in (*_APART, _PERIOD) if c in data)
    size = frame[_VALUE].abs()
    value = {s: exact_sum(size[status == s].tolist()) for s in STATUSES} if single else None
    return {
        "groups": groups,
        "value": value,
        "coverage_groups": _part(groups),
        "coverage": None if value is None else _part(value),
        "groups_without_value": int(size.isna().sum()),
    }


def _covered(meta: dict[str, Any]) -> Note:
    """Say how much could be disaggregated: of the amount, or of the groups where it has no sum."""
    groups = meta["groups"]
    counts = {"groups": groups[POSSIBLE] + groups[PARTIAL], "all": sum(groups.values())}
    if meta["coverage"] is None:
        return Note("GBI-N069", counts)
    return Note("GBI-N068", {"share": round(100 * meta["coverage"]), **counts})


def _part(sizes: dict[str, Any]) -> float | None:
    whole = exact_sum(sizes.values())
    share = float(quotient(sizes[POSSIBLE] + sizes[PARTIAL], whole))
    return share if share == share else None
