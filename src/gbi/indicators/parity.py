"""Gaps between women and men.

The gap is signed, F − M, and parity is F / M. A pair is what one group of ``by`` holds for women
and for men, or what a ``PAIR_ID`` ties. What cannot be computed is a row with a status and a
reason: a missing sex is never 0 and never "the total minus the other".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import (
    Keys,
    absolute_gap,
    difference,
    grouped_sum,
    keys_of,
    parity,
    parity_band,
    quotient,
)
from gbi.errors import GbiError
from gbi.indicators.inputs import (
    IMPOSSIBLE,
    MEN,
    MISSING,
    NORMAL,
    SUPPRESSED,
    TOTAL,
    VALUE,
    WOMEN,
    blanked,
    columns_of,
    dataset,
    numbers,
    one_of,
    places,
    protected,
    require,
    rows_at,
    statuses,
    taken,
    text_column,
    texts_of,
    whole_column,
)
from gbi.results import Note, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.compute.small_cells import SmallCells
    from gbi.dataset import Dataset

PAIR, SEX = "PAIR_ID", "SEX"
# Texts that name a row; the two rows of a declared pair may word them differently.
SUB_INDICATOR = "SUB_INDICATOR"
_LABELS = ("PROGRAMME", "OBJECTIVE", "INDICATOR", SUB_INDICATOR)
_BESIDE = ("DEPARTMENT_LABEL", "MINISTRY_LABEL", "MEASURE_KIND", "SOURCE")
_SERIES = (
    "MINISTRY", "DEPARTMENT", *_LABELS, PAIR, "REF_AREA", SEX, "AGE", "URBANISATION",
    "DISABILITY_STATUS", "INCOME_WEALTH_QUANTILE", "POPULATION_GROUP", "EDUCATION_LEV",
    "ACTIVITY", "ADMIN_LEVEL", "MEASURE_KIND", "UNIT_MEASURE",
)  # fmt: skip
_SHARE, _COUNT = "SHARE", "COUNT"
# What parity is for a share of women among both sexes, by unit.
_HALF = {"PT": 50.0, "PM": 500.0}
_WHOLE_TOLERANCE = 0.02
_NOT_KNOWN = ("_U", "_N", "_O")
_AT_MOST_SHOWN = 3


def gap(
    data: Dataset | pd.DataFrame,
    *,
    by: Sequence[str],
    reference: str = MEN,
    over: str = SEX,
    suppress: SmallCells | None = None,
) -> Result:
    """Return the gap between women's and men's values.

    Parameters
    ----------
    data
        Rows with ``OBS_VALUE`` and ``SEX`` (a long table of any kind).
    by
        The columns that tell the groups apart. A group has at most one row for women and one for
        men. Where ``PAIR_ID`` is a column, the rows that have one are tied by it, whatever their
        labels say (the women's are shown); where it is in ``by``, only those make pairs.
    reference
        The sex whose value is subtracted and divided by: ``M`` gives F − M, ``F`` gives M − F.
        Parity is F / M in both cases.
    over
        The dimension of the gap; ``SEX`` is the only one.
    suppress
        How small counts of persons are protected; what is hidden has ``OBS_STATUS`` ``Q``, and
        gap and parity with it.

    Returns
    -------
    Result
        Kind ``gap``, a row per group that has a row for women or men: the columns of ``by``,
        ``VALUE_F``, ``VALUE_M``, ``GAP_ABS`` (in the unit of the values: percentage points for
        rates), ``GAP_REL`` (a fraction), ``PARITY``, ``PARITY_BAND`` (``PARITY`` from 0.97 to
        1.03, ``AGAINST_F``, ``AGAINST_M``), ``GAP_REF`` and ``REFERENCE`` (a share of women among
        both sexes has no F − M gap but a distance to the reference), ``SEX_KNOWN`` (counts only:
        the fraction of known sex), unit, status, reason, the two cells and, where the data have
        sub-indicators that are not in ``by``, the two labels.

    Raises
    ------
    GbiError
        ``GBI-E070`` (a column is missing), ``GBI-E071`` (an unknown value of a parameter),
        ``GBI-E072`` (two rows for one sex in a group), ``GBI-E073`` (values are not numbers).

    Notes
    -----
    Gender parity index and band after UNESCO-UIS and SDG 4.5.1; a gap relative to men is
    (F − M) / M.
    """
    columns = columns_of(by)
    source = dataset(data)
    one_of("over", over, (SEX,))
    one_of("reference", reference, (MEN, WOMEN))
    require(source, [*columns, SEX, VALUE])
    source = protected(source, suppress)
    frame = source.frame
    sex = texts_of(frame, SEX, TOTAL)
    values = numbers(frame)
    keys, used = _groups(frame, columns, sex)
    sides = {s: _one_row(frame, columns, keys, used & (sex == s)) for s in (WOMEN, MEN)}
    women, men = sides[WOMEN], sides[MEN]
    shown = np.flatnonzero((women >= 0) | (men >= 0))
    unknown = grouped_sum(np.where(used & np.isin(sex, _NOT_KNOWN), values, np.nan), keys)[shown]
    women, men = women[shown], men[shown]
    out = _measured(source, values, women, men, reference, unknown)
    withheld = used & np.isin(sex, _NOT_KNOWN) & (statuses(frame, values) == SUPPRESSED)
    out.loc[np.bincount(keys.ids[withheld], minlength=len(keys))[shown] > 0, "SEX_KNOWN"] = np.nan
    lead = np.where(women >= 0, women, men)
    beside = [c for c in _BESIDE if c in frame.columns and c not in columns]
    out = pd.concat([rows_at(frame, columns, lead), out, rows_at(frame, beside, lead)], axis=1)
    if SUB_INDICATOR in frame.columns and SUB_INDICATOR not in columns:
        labels = texts_of(frame, SUB_INDICATOR)
        labels = blanked(labels, labels == "")
        for side, rows in ((WOMEN, women), (MEN, men)):
            out[f"{SUB_INDICATOR}_{side}"] = text_column(taken(labels, rows, None))
    meta = {"reference": reference, "over": over, **_coverage(frame, sex, out)}
    return Result(
        "gap",
        out,
        _notes(reference, meta),
        source.provenance.then("gap", by=columns, reference=reference, over=over),
        meta,
    )


def _groups(
    frame: pd.DataFrame, columns: list[str], sex: NDArray[np.object_]
) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the rows' groups and which rows take part."""
    tied = np.zeros(len(frame), dtype=bool)
    if PAIR in frame.columns:
        tied = frame[PAIR].notna().to_numpy(dtype=bool)
    used = tied if PAIR in columns else np.ones(len(frame), dtype=bool)
    used = used & (sex != TOTAL)
    if not tied.any():
        return keys_of(frame, columns), used
    # A declared pair is one group within its department, however its two rows are worded.
    extra = [c for c in (PAIR, "DEPARTMENT") if c in frame.columns and c not in columns]
    naming = [c for c in columns if c in _LABELS]
    key = frame[[*columns, *extra]].copy()
    for name in naming:
        key[name] = key[name].where(~tied)
    for name in extra:
        key[name] = key[name].where(tied)
    first = [c for c in columns if c not in naming]
    return keys_of(key, [*first, *extra, *naming]), used


def _one_row(
    frame: pd.DataFrame, columns: list[str], keys: Keys, mine: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return, per group, the position of its one row, −1 where there is none."""
    rows = np.flatnonzero(mine)
    counts = np.bincount(keys.ids[rows], minlength=len(keys))
    if (counts > 1).any():
        group = int(np.flatnonzero(counts > 1)[0])
        twice = rows[keys.ids[rows] == group]
        told = [*columns, *(c for c in (PAIR,) if c in frame.columns and c not in columns), SEX]
        parts = [str(frame[c].iloc[twice[0]]) for c in told]
        got = f"{' › '.join(parts)} × {len(twice)}"
        raise GbiError("GBI-E072", where=", ".join(told), got=got)
    at = np.full(len(keys), -1, dtype=np.int64)
    at[keys.ids[rows]] = rows
    return at


def _measured(
    source: Dataset,
    values: NDArray[np.float64],
    women: NDArray[np.int64],
    men: NDArray[np.int64],
    reference: str,
    unknown: NDArray[np.float64],
) -> pd.DataFrame:
    frame = source.frame
    f, m = taken(values, women, np.nan), taken(values, men, np.nan)
    unit, multiplier = texts_of(frame, "UNIT_MEASURE"), numbers(frame, "UNIT_MULT")
    both = (women >= 0) & (men >= 0)
    lead = np.where(women >= 0, women, men)
    mixed = both & (
        (unit[women] != unit[men])
        | (np.nan_to_num(multiplier[women]) != np.nan_to_num(multiplier[men]))
    )
    among, middle = _among_both(frame, f, m, women, men)
    among &= ~mixed
    usable = ~mixed & ~among
    wf, wm = np.where(usable, f, np.nan), np.where(usable, m, np.nan)
    base, other = (wm, wf) if reference == MEN else (wf, wm)
    index = parity(wf, wm)
    status, reason = _why(source, values, f, m, women, men)
    zero = both & usable & np.isfinite(wf) & np.isfinite(wm) & (base == 0)
    reason[zero] = "GBI-N016"
    status[among], reason[among] = IMPOSSIBLE, "GBI-N017"
    status[mixed], reason[mixed] = MISSING, "GBI-N015"
    cells = places(source)
    decimals = numbers(frame, "DECIMALS")
    df, dm = taken(decimals, women, np.nan), taken(decimals, men, np.nan)
    counts = texts_of(frame, "MEASURE_KIND")[lead] == _COUNT
    known = f + m
    total = known + np.nan_to_num(unknown)
    return pd.DataFrame(
        {
            "VALUE_F": f,
            "VALUE_M": m,
            "GAP_ABS": difference(other, base),
            "GAP_REL": quotient(difference(other, base), base),
            "PARITY": index,
            "PARITY_BAND": text_column(parity_band(index)),
            "GAP_REF": np.where(among, absolute_gap(f, middle), np.nan),
            "REFERENCE": np.where(among, middle, np.nan),
            "SEX_KNOWN": np.where(counts & usable, quotient(known, total), np.nan),
            "UNIT_MEASURE": text_column(blanked(unit[lead], mixed)),
            "UNIT_MULT": whole_column(np.where(mixed, np.nan, multiplier[lead])),
            "DECIMALS": whole_column(np.fmax(df, dm)),
            "OBS_STATUS": text_column(status),
            "REASON": text_column(reason),
            "ORIGIN_F": text_column(taken(cells, women, None)),
            "ORIGIN_M": text_column(taken(cells, men, None)),
        }
    )


def _among_both(
    frame: pd.DataFrame,
    f: NDArray[np.float64],
    m: NDArray[np.float64],
    women: NDArray[np.int64],
    men: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Say which groups are shares of women among both sexes, and what they are measured against.

    A declared pair never is one. ``CLOSES_OVER`` says it where it is given; else a share that
    stands without one of men, or adds up with it to the whole, is one.
    """
    lead = np.where(women >= 0, women, men)
    half = np.array([_HALF.get(u, 0.5) for u in texts_of(frame, "UNIT_MEASURE")[lead]])
    given = numbers(frame, "DIRECTION_REF")[lead]
    middle = np.where(np.isfinite(given), given, half)
    share = texts_of(frame, "MEASURE_KIND")[lead] == _SHARE
    untied = texts_of(frame, PAIR)[lead] == ""
    closes = texts_of(frame, "CLOSES_OVER")[lead]
    sums = np.abs(f + m - 2 * half) <= _WHOLE_TOLERANCE * half
    alone = (women >= 0) & (men < 0)
    guessed = (closes == "") & (alone | sums)
    return share & untied & ((closes == SEX) | guessed) & np.isfinite(f), middle


def _why(
    source: Dataset,
    values: NDArray[np.float64],
    f: NDArray[np.float64],
    m: NDArray[np.float64],
    women: NDArray[np.int64],
    men: NDArray[np.int64],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return status and reason per group: a missing side's, else the first that is not normal."""
    row_status = statuses(source.frame, values)
    sf, sm = taken(row_status, women, MISSING), taken(row_status, men, MISSING)
    no_f, no_m = ~np.isfinite(f), ~np.isfinite(m)
    status = np.where(no_f, sf, np.where(no_m, sm, np.where(sf != NORMAL, sf, sm)))
    reason = np.full(len(f), None, dtype=object)
    reason[no_f], reason[no_m] = "GBI-N010", "GBI-N011"
    reason[no_f & no_m] = "GBI-N012"
    reason[women < 0], reason[men < 0] = "GBI-N013", "GBI-N014"
    return status.astype(object), reason


def _coverage(frame: pd.DataFrame, sex: NDArray[np.object_], out: pd.DataFrame) -> dict[str, Any]:
    """Return how many series have a known sex, and how many of them have a counterpart."""
    series = keys_of(frame, [c for c in _SERIES if c in frame.columns])
    known = np.isin(sex[series.first], (WOMEN, MEN))
    apart = keys_of(frame, [c for c in _SERIES if c in frame.columns and c not in (SEX, PAIR)])
    ties = np.where(texts_of(frame, PAIR) != "", texts_of(frame, PAIR), "")
    met = np.zeros(len(frame), dtype=bool)
    for group in (apart.ids.astype(object), ties):
        there = group != ""
        sides = [set(group[there & (sex == s)].tolist()) for s in (WOMEN, MEN)]
        met |= there & np.isin(group.astype(str), [str(g) for g in sides[0] & sides[1]])
    alone = ~met[series.first]
    n = len(series)
    return {
        "series": n,
        "series_sex_known": int(known.sum()),
        "SEX_KNOWN": float(known.sum() / n) if n else None,
        "women_without_men": int((alone & (sex[series.first] == WOMEN)).sum()),
        "men_without_women": int((alone & (sex[series.first] == MEN)).sum()),
        "rows": len(out),
        "gaps": int(out["GAP_ABS"].notna().sum()),
        "shares_among_both": int(out["GAP_REF"].notna().sum()),
    }


def _notes(reference: str, meta: dict[str, Any]) -> tuple[Note, ...]:
    notes = [
        Note("GBI-N001" if reference == MEN else "GBI-N002", {"reference": reference}),
        Note("GBI-N003", {"known": meta["series_sex_known"], "series": meta["series"]}),
    ]
    if meta["women_without_men"] or meta["men_without_women"]:
        alone = {"women": meta["women_without_men"], "men": meta["men_without_women"]}
        notes.append(Note("GBI-N004", alone))
    if meta["shares_among_both"]:
        notes.append(Note("GBI-N005", {"count": meta["shares_among_both"]}))
    empty = meta["rows"] - meta["gaps"] - meta["shares_among_both"]
    if empty:
        notes.append(Note("GBI-N006", {"count": empty, "rows": meta["rows"]}))
    return tuple(notes)
