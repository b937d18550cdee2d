"""The share of one group among persons or amounts: women among those of known sex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import Keys, exact_sum, grouped_sum, keys_of, quotient
from gbi.dataset import Dataset
from gbi.indicators.inputs import (
    MISSING,
    NORMAL,
    TOTAL,
    VALUE,
    blanked,
    columns_of,
    dataset,
    numbers,
    one_of,
    require,
    rows_at,
    statuses,
    text_column,
    texts_of,
    varying,
    whole_column,
)
from gbi.results import Note, Result
from gbi.vocabulary import codelists, codes, concepts, refuse_mixed_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.compute.small_cells import SmallCells

# What can be added up; a rate or a mean can't.
_ADDITIVE = ("COUNT", "")
_NOT_KNOWN = ("_U", "_N")
_NOT_APPLICABLE = "_Z"
_REMOVABLE = (
    "REF_AREA", "SEX", "AGE", "URBANISATION", "DISABILITY_STATUS", "INCOME_WEALTH_QUANTILE",
    "POPULATION_GROUP", "EDUCATION_LEV", "ACTIVITY", "ADMIN_LEVEL", "MINISTRY", "DEPARTMENT",
    "PROGRAMME", "OBJECTIVE", "INDICATOR", "SUB_INDICATOR", "PROJECT", "ECON_NATURE",
    "CHAPTER_KIND",
)  # fmt: skip
_MOST_DECIMALS = 6


def share(
    data: Dataset | pd.DataFrame,
    *,
    by: Sequence[str],
    member: str = "F",
    over: str = "SEX",
    suppress: SmallCells | None = None,
) -> Result:
    """Return the share of one member of a dimension: by default of women among known sexes.

    Parameters
    ----------
    data
        Rows with ``OBS_VALUE`` and the dimension: counts or amounts. Rows whose ``MEASURE_KIND``
        is another (rates, indices, shares) are left out and counted.
    by
        The columns that tell the groups apart; everything else is summed.
    member
        The code whose share is wanted.
    over
        The dimension; totals (``_T``) and unknowns (``_U``, ``_N``) are not in the denominator.
    suppress
        How small counts of persons are protected: the sums are made first, then what must not be
        shown of them is hidden (``OBS_STATUS`` ``Q``), and the shares with it.

    Returns
    -------
    Result
        Kind ``shares``, a row per group: the columns of ``by``, ``VALUE_MEMBER``,
        ``DENOMINATOR``, ``SHARE`` (a fraction), ``VALUE_UNKNOWN``, ``SEX_KNOWN`` (what part of
        the counted the dimension is known for; ``KNOWN`` over another dimension), unit, status
        and reason. ``meta`` has the same coverage over all groups.

    Raises
    ------
    GbiError
        ``GBI-E040`` (a sum would mix a total with its parts), ``GBI-E070`` (a column is missing),
        ``GBI-E071`` (an unknown value of a parameter), ``GBI-E073`` (values are not numbers).

    Notes
    -----
    The share of women is F / (F + M). Nobody of known sex gives no share, not 0.
    """
    columns = columns_of(by)
    source = dataset(data)
    require(source, [*columns, over, VALUE])
    concept = concepts().get(over)
    if concept is not None and concept.codelist in codelists():
        one_of("member", member, codes(over))
    kind = texts_of(source.frame, "MEASURE_KIND")
    additive = np.isin(kind, _ADDITIVE)
    source = source.select(additive)
    frame = source.frame
    values = numbers(frame)
    dimension = texts_of(frame, over, TOTAL)
    detail = ~np.isin(dimension, (TOTAL, _NOT_APPLICABLE))
    summed = frame[detail]
    refuse_mixed_totals(summed, [over, *varying(summed, _REMOVABLE, [*columns, over])])
    if suppress is not None:
        source = suppress.suppress(_summed(source, values, detail, [*columns, over]))[0]
        frame, values = source.frame, numbers(source.frame)
        dimension = texts_of(frame, over, TOTAL)
        detail = np.ones(len(frame), dtype=bool)
    keys = keys_of(frame, columns)
    out = _measured(source, keys, values, dimension, detail, member)
    coverage = "SEX_KNOWN" if over == "SEX" else "KNOWN"
    out = out.rename(columns={"SEX_KNOWN": coverage})
    out = pd.concat([rows_at(frame, columns, keys.first), out], axis=1)
    # Also of groups that give no share: coverage is about all that is counted.
    unsure = np.isin(dimension, _NOT_KNOWN)
    known = exact_sum(values[detail & ~unsure & np.isfinite(values)].tolist())
    unknown = exact_sum(values[unsure & np.isfinite(values)].tolist())
    left_out = int((~additive).sum())
    meta: dict[str, Any] = {
        "member": member,
        "over": over,
        "rows": len(out),
        "shares": int(out["SHARE"].notna().sum()),
        coverage: known / (known + unknown) if known + unknown else None,
        "rows_left_out": left_out,
    }
    notes = [Note("GBI-N053")] if unknown else []
    notes += [Note("GBI-N054", {"count": left_out})] if left_out else []
    step = source.provenance.then("share", by=columns, member=member, over=over)
    return Result("shares", out, tuple(notes), step, meta)


def _summed(
    source: Dataset, values: NDArray[np.float64], detail: NDArray[np.bool_], columns: list[str]
) -> Dataset:
    """Return one row per group and member; one of which a part is missing has no value."""
    frame = source.frame
    scale = [c for c in ("UNIT_MEASURE", "UNIT_MULT", "COUNTED") if c in frame.columns]
    named = list(dict.fromkeys([*columns, *scale]))
    rows = np.flatnonzero(detail)
    keys = keys_of(frame.iloc[rows].reset_index(drop=True), named)
    total = grouped_sum(values[rows], keys, decimals=_MOST_DECIMALS)
    gap = np.bincount(keys.ids[~np.isfinite(values[rows])], minlength=len(keys)) > 0
    first = rows[keys.first]
    kept = [*named, *(c for c in ("MEASURE_KIND", "OBS_STATUS", "DECIMALS") if c in frame.columns)]
    out = rows_at(frame, kept, first)
    out[VALUE] = np.where(gap, np.nan, total)
    return Dataset(out, source.table, provenance=source.provenance)


def _measured(
    source: Dataset,
    keys: Keys,
    values: NDArray[np.float64],
    dimension: NDArray[np.object_],
    detail: NDArray[np.bool_],
    member: str,
) -> pd.DataFrame:
    frame = source.frame
    printed = numbers(frame, "DECIMALS")
    deepest = int(np.nanmax(printed)) if np.isfinite(printed).any() else 0

    def total(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        kept = np.where(keep, values, np.nan)
        return grouped_sum(kept, keys, decimals=min(deepest, _MOST_DECIMALS))

    def any_of(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(keys.ids[rows], minlength=len(keys)) > 0

    unknown = np.isin(dimension, _NOT_KNOWN)
    known = detail & ~unknown
    mine, whole = total(known & (dimension == member)), total(known)
    unsure = total(unknown)
    gone = any_of(known & ~np.isfinite(values))
    unit, multiplier = texts_of(frame, "UNIT_MEASURE"), np.nan_to_num(numbers(frame, "UNIT_MULT"))
    used = np.flatnonzero(detail)
    scales = pd.DataFrame({"k": keys.ids, "u": unit, "m": multiplier}).iloc[used]
    kinds = keys_of(scales.reset_index(drop=True), ["k", "u", "m"])
    mixed = np.bincount(keys.ids[used[kinds.first]], minlength=len(keys)) > 1
    lead = keys.first.copy()  # the unit is that of what is counted, not of a printed total
    lead[keys.ids[used[::-1]]] = used[::-1]
    # Known persons, but none of this group, are a share of 0 only if the others were counted.
    one_sided = any_of(known) & ~any_of(known & (dimension != member))
    lacking = any_of(known) & ~any_of(known & (dimension == member))
    bad = mixed | gone | one_sided | lacking
    whole = np.where(bad, np.nan, whole)
    fraction = quotient(mine, whole)
    status, reason = np.full(len(keys), NORMAL, dtype=object), np.full(len(keys), None, object)
    empty = ~np.isfinite(fraction)
    status[empty] = MISSING
    reason[empty] = "GBI-N050"
    reason[~any_of(detail)] = "GBI-N055"
    reason[one_sided | lacking | gone] = "GBI-N051"
    reason[mixed] = "GBI-N052"
    given = statuses(frame, values)
    for code in sorted(set(given[known].tolist()) - {NORMAL}):
        rows = known & (given == code) & ~np.isfinite(values)
        status[keys.ids[rows]] = code
    counted = np.nan_to_num(whole) + np.nan_to_num(unsure)
    return pd.DataFrame(
        {
            "VALUE_MEMBER": np.where(mixed, np.nan, mine),
            "DENOMINATOR": whole,
            "SHARE": fraction,
            "VALUE_UNKNOWN": np.where(mixed, np.nan, unsure),
            "SEX_KNOWN": np.where(bad, np.nan, quotient(np.nan_to_num(whole), counted)),
            "UNIT_MEASURE": text_column(blanked(unit[lead], mixed)),
            "UNIT_MULT": whole_column(np.where(mixed, np.nan, multiplier[lead])),
            "OBS_STATUS": text_column(status),
            "REASON": text_column(reason),
        }
    )
