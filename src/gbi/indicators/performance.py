"""Targets against the last realised value, series by series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import Keys, achieved, against, difference, distance, equal, keys_of, progress
from gbi.errors import GbiError
from gbi.indicators.inputs import (
    MISSING,
    NORMAL,
    VALUE,
    blanked,
    columns_of,
    dataset,
    numbers,
    places,
    protected,
    require,
    rows_at,
    statuses,
    taken,
    text_column,
    texts_of,
    varying,
    whole_column,
)
from gbi.results import Note, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.compute.small_cells import SmallCells
    from gbi.dataset import Dataset

    Rows = NDArray[np.int64]

REALISED, TARGET, BASELINE = "REALISED", "TARGET", "BASELINE"
_KIND, _TIME = "VALUE_KIND", "TIME_PERIOD"
# What tells two series apart though `by` does not: rows that differ here are never one series.
_APART = (
    "SEX", "PAIR_ID", "REF_AREA", "AGE", "URBANISATION", "DISABILITY_STATUS",
    "INCOME_WEALTH_QUANTILE", "POPULATION_GROUP", "EDUCATION_LEV", "ACTIVITY", "ADMIN_LEVEL",
)  # fmt: skip
_BESIDE = ("DEPARTMENT_LABEL", "MINISTRY_LABEL", "MEASURE_KIND", "SCOPE", "SOURCE")


def achievement(
    data: Dataset | pd.DataFrame, *, by: Sequence[str], suppress: SmallCells | None = None
) -> Result:
    """Return each series' target against its realised value.

    Parameters
    ----------
    data
        The ``performance`` table: rows with ``OBS_VALUE``, ``VALUE_KIND`` (``REALISED``,
        ``TARGET``; ``BASELINE`` is optional) and ``TIME_PERIOD``.
    by
        The columns that name a series, such as department, indicator and sub-indicator. Rows that
        differ in sex, pair, area or another breakdown are different series in any case.
    suppress
        How small counts of persons are protected; hidden values have ``OBS_STATUS`` ``Q``.

    Returns
    -------
    Result
        Kind ``achievement``, a row per series and target period: the columns of ``by`` and of the
        breakdowns, ``VALUE_REALISED``, ``VALUE_TARGET``, ``PERIOD_REALISED``, ``PERIOD_TARGET``,
        ``DIFFERENCE`` (target − realised), ``RATIO`` (realised / target where the value should
        rise, target / realised where it should fall; not capped), ``DISTANCE`` and
        ``DISTANCE_TARGET`` (from the reference, for ``NEAREST``), ``AGAINST`` (the target lies on
        the wrong side of the value), ``EQUAL``, direction, unit, status, reason and cells; with
        baselines ``VALUE_BASELINE`` and ``PROGRESS`` = (realised − b) / (target − b).

    Raises
    ------
    GbiError
        ``GBI-E030``, ``GBI-E070`` (a column is missing), ``GBI-E071``, ``GBI-E072`` (two values
        of one kind and period in a series), ``GBI-E073`` (values are not numbers).

    Notes
    -----
    The realised value is the last one not after the target's period that is known; where all are
    later, the first of these. Level and progress are different notions and are never averaged.
    """
    columns = columns_of(by)
    source = dataset(data, "performance")
    require(source, [*columns, VALUE, _KIND, _TIME])
    source = protected(source, suppress)
    frame = source.frame
    named = [*columns, *varying(frame, _APART, columns)]
    series = keys_of(frame, named)
    _refuse_twice(frame, named)
    values = numbers(frame)
    realised, target, baseline = _chosen(frame, series, values)
    out = _measured(source, values, realised, target, baseline)
    lead = np.where(target >= 0, target, np.where(realised >= 0, realised, baseline))
    beside = [c for c in _BESIDE if c in frame.columns and c not in named]
    out = pd.concat([rows_at(frame, named, lead), out, rows_at(frame, beside, lead)], axis=1)
    meta = _counts(out, len(series))
    return Result(
        "achievement",
        out,
        _notes(meta),
        source.provenance.then("achievement", by=columns),
        meta,
    )


def _refuse_twice(frame: pd.DataFrame, named: list[str]) -> None:
    kinds = frame[_KIND].isin([REALISED, TARGET, BASELINE]).to_numpy(dtype=bool)
    rows = np.flatnonzero(kinds)
    told = [*named, _KIND, _TIME]
    keys = keys_of(frame.iloc[rows], told)
    sizes = keys.sizes()
    if (sizes > 1).any():
        at = int(np.flatnonzero(sizes > 1)[0])
        first = frame.iloc[rows[keys.first[at]]]
        got = f"{' › '.join(str(first[c]) for c in told)} × {int(sizes[at])}"
        raise GbiError("GBI-E072", where=", ".join(told), got=got)


def _chosen(
    frame: pd.DataFrame, series: Keys, values: NDArray[np.float64]
) -> tuple[Rows, Rows, Rows]:
    """Return, per output row, the positions of realised value, target and baseline (−1: none)."""
    kind = texts_of(frame, _KIND)
    _, period = np.unique(texts_of(frame, _TIME).astype(str), return_inverse=True)
    width = int(period.max()) + 1 if len(period) else 1
    place = series.ids * width + period  # a series' periods stand together, in order
    known = np.isfinite(values)

    def ordered(keep: NDArray[np.bool_]) -> Rows:
        rows = np.flatnonzero(keep)
        return rows[np.argsort(place[rows], kind="stable")]

    def last(keep: NDArray[np.bool_]) -> Rows:
        rows = ordered(keep)
        at = np.full(len(series), -1, dtype=np.int64)
        at[series.ids[rows]] = rows  # the latest of a series is written last
        return at

    targets = ordered(kind == TARGET)
    bare = np.setdiff1d(np.unique(series.ids), series.ids[targets])
    told = np.isin(kind, [REALISED, BASELINE])
    bare = bare[np.isin(bare, series.ids[told])]
    of = np.concatenate([series.ids[targets], bare])
    when = np.concatenate([place[targets], bare * width + width - 1])
    target = np.concatenate([targets, np.full(len(bare), -1, dtype=np.int64)])
    order = np.argsort(when, kind="stable")
    of, when, target = of[order], when[order], target[order]

    usable = ordered((kind == REALISED) & known)
    places_ = place[usable]
    after = np.searchsorted(places_, when, side="right")
    realised = last(kind == REALISED)[of]
    for step in (after, after - 1):  # a value not after the target wins over a later one
        inside = (step >= 0) & (step < len(usable))
        row = usable[np.where(inside, step, 0)] if len(usable) else np.full(len(of), -1)
        fits = inside & (series.ids[row] == of)
        realised = np.where(fits, row, realised)
    baseline = last(kind == BASELINE)[of]
    return realised.astype(np.int64), target.astype(np.int64), baseline.astype(np.int64)


def _measured(
    source: Dataset, values: NDArray[np.float64], realised: Rows, target: Rows, baseline: Rows
) -> pd.DataFrame:
    frame = source.frame
    lead = np.where(target >= 0, target, np.where(realised >= 0, realised, baseline))
    a, t = taken(values, realised, np.nan), taken(values, target, np.nan)
    unit, multiplier = texts_of(frame, "UNIT_MEASURE"), numbers(frame, "UNIT_MULT")
    mixed = (realised >= 0) & (target >= 0) & (
        (unit[realised] != unit[target])
        | (np.nan_to_num(multiplier[realised]) != np.nan_to_num(multiplier[target]))
    )  # fmt: skip
    direction, reference = texts_of(frame, "DIRECTION")[lead], numbers(frame, "DIRECTION_REF")[lead]
    ua, ut = np.where(mixed, np.nan, a), np.where(mixed, np.nan, t)
    near = np.where(direction == "NEAREST", reference, np.nan)
    both = np.isfinite(ua) & np.isfinite(ut)
    ratio = achieved(ua, ut, direction)
    periods, cells = texts_of(frame, _TIME), places(source)
    status, reason = _why(statuses(frame, values), a, t, realised, target)
    level = np.isin(direction, ("UP", "DOWN"))
    reason[both & level & ~np.isfinite(ratio)] = "GBI-N024"
    reason[both & ~level] = "GBI-N025"
    reason[both & (direction == "NEAREST")] = "GBI-N026"
    status[mixed], reason[mixed] = MISSING, "GBI-N023"
    decimals = numbers(frame, "DECIMALS")
    shown = np.fmax(taken(decimals, realised, np.nan), taken(decimals, target, np.nan))
    out: dict[str, Any] = {
        "VALUE_REALISED": a,
        "VALUE_TARGET": t,
        "PERIOD_REALISED": text_column(taken(periods, realised, None)),
        "PERIOD_TARGET": text_column(taken(periods, target, None)),
        "DIFFERENCE": difference(ut, ua),
        "RATIO": ratio,
        "DISTANCE": distance(ua, near),
        "DISTANCE_TARGET": distance(ut, near),
        "AGAINST": _known(against(ua, ut, direction, near), both),
        "EQUAL": _known(equal(ua, ut), both),
        "DIRECTION": text_column(direction),
        "DIRECTION_REF": reference,
    }
    if (baseline >= 0).any():
        base = taken(values, baseline, np.nan)
        out["VALUE_BASELINE"] = base
        out["PROGRESS"] = progress(ua, ut, base)
    return pd.DataFrame(
        {
            **out,
            "UNIT_MEASURE": text_column(blanked(unit[lead], mixed)),
            "UNIT_MULT": whole_column(np.where(mixed, np.nan, multiplier[lead])),
            "DECIMALS": whole_column(shown),
            "OBS_STATUS": text_column(status),
            "REASON": text_column(reason),
            "ORIGIN_REALISED": text_column(taken(cells, realised, None)),
            "ORIGIN_TARGET": text_column(taken(cells, target, None)),
        }
    )


def _known(values: NDArray[np.bool_], known: NDArray[np.bool_]) -> pd.Series:
    out = pd.Series(values, dtype="boolean")
    out[~known] = pd.NA
    return out


def _why(
    status: NDArray[np.object_],
    a: NDArray[np.float64],
    t: NDArray[np.float64],
    realised: Rows,
    target: Rows,
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    sa, st = taken(status, realised, MISSING), taken(status, target, MISSING)
    no_a, no_t = ~np.isfinite(a), ~np.isfinite(t)
    out = np.where(no_a, sa, np.where(no_t, st, np.where(sa != NORMAL, sa, st)))
    reason = np.full(len(a), None, dtype=object)
    reason[no_a], reason[no_t] = "GBI-N020", "GBI-N021"
    reason[no_a & no_t] = "GBI-N022"
    return out.astype(object), reason


def _counts(out: pd.DataFrame, series: int) -> dict[str, Any]:
    a, t = out["VALUE_REALISED"].notna(), out["VALUE_TARGET"].notna()
    direction = out["DIRECTION"].fillna("")
    return {
        "series": series,
        "both": int((a & t).sum()),
        "without_realised": int((~a).sum()),
        "without_target": int((~t).sum()),
        "against": int(out["AGAINST"].fillna(False).sum()),
        "equal": int(out["EQUAL"].fillna(False).sum()),
        "without_direction": int((direction == "").sum()),
    }


def _notes(meta: dict[str, Any]) -> tuple[Note, ...]:
    told = {k: meta[k] for k in ("series", "both")}
    notes = [
        Note("GBI-N027", {**told, "realised": meta["without_realised"],
                          "target": meta["without_target"]}),
        Note("GBI-N028", {"against": meta["against"], "equal": meta["equal"]}),
    ]  # fmt: skip
    if meta["without_direction"]:
        notes.append(Note("GBI-N029", {"count": meta["without_direction"]}))
    return tuple(notes)
