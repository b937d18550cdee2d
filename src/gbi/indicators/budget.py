"""What a budget is made of: credits by nature and kind, with their shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import Keys, exact_sum, grouped_sum, keys_of, quotient
from gbi.indicators.inputs import (
    MISSING,
    NORMAL,
    TOTAL,
    VALUE,
    blanked,
    columns_of,
    dataset,
    numbers,
    places,
    require,
    rows_at,
    statuses,
    text_column,
    texts_of,
    varying,
    whole_column,
)
from gbi.results import Note, Result
from gbi.vocabulary import concepts, refuse_mixed_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.dataset import Dataset

NATURE, CREDIT = "ECON_NATURE", "CREDIT_TYPE"
PAYMENT, COMMITMENT, ELSEWHERE = "CP", "CE", "K"
# Amounts of two years or two stages of the same credits are never added.
_NEVER_SUMMED = ("TIME_PERIOD", "BUDGET_STAGE")
_OPERATING, _PARTS = "OPERATING", ("PERSONNEL", "GOODS")
_MOST_DECIMALS = 6


def budget_structure(data: Dataset | pd.DataFrame, *, by: Sequence[str] = ("MINISTRY",)) -> Result:
    """Return the credits of each line by economic nature, with their shares.

    Parameters
    ----------
    data
        The ``budget`` table: rows with ``ECON_NATURE``, ``CREDIT_TYPE`` and ``OBS_VALUE``.
    by
        The columns that make a line. Everything else is summed, but for periods and stages.

    Returns
    -------
    Result
        Kind ``budget_structure``, a row per line, nature and credit type: the columns of ``by``
        and their labels, ``OBS_VALUE``, ``SHARE_OF_LINE`` and ``SHARE_OF_TOTAL`` (fractions of
        the line's and of all lines' total), unit, status, reason and cell.
        ``meta["total"]`` is the grand total. Commitment credits (``CE``) are for later years:
        they stand outside every total and have no share.

    Raises
    ------
    GbiError
        ``GBI-E030``, ``GBI-E040`` (a sum would mix a total with its parts), ``GBI-E070``,
        ``GBI-E071``, ``GBI-E073``.

    Notes
    -----
    Sums are exact. An amount that the source counts elsewhere (status ``K``) is missing in its
    own nature and present in the line's total; any other missing amount makes its sum missing.
    """
    columns = columns_of(by)
    source = dataset(data, "budget")
    require(source, [*columns, NATURE, CREDIT, VALUE])
    frame = source.frame
    lines = [*columns, *(c for c in _NEVER_SUMMED if c in frame.columns and c not in columns)]
    named = [*lines, *(c for c in (NATURE, CREDIT) if c not in lines)]
    apart = {NATURE, CREDIT, *_NEVER_SUMMED}
    # The lines too: the grand total is over them.
    dimensions = [c for c in frame.columns if c in concepts() and concepts()[c].dimension]
    refuse_mixed_totals(frame, varying(frame, [*dimensions, *columns], apart))
    keys = keys_of(frame, named)
    out = rows_at(frame, named, keys.first)
    out = _labelled(out, frame, keys, columns)
    out = pd.concat([out, _sums(source, keys)], axis=1)
    scope = [c for c in _NEVER_SUMMED if c in frame.columns]
    total = _shares(out, lines, scope)
    meta = {
        "lines": len(keys_of(out, lines)),
        "total": total,
        "unit": _single(out["UNIT_MEASURE"]),
        "multiplier": _single(out["UNIT_MULT"]),
    }
    return Result(
        "budget_structure",
        out,
        _notes(out, lines),
        source.provenance.then("budget_structure", by=columns),
        meta,
    )


def _labelled(
    out: pd.DataFrame, frame: pd.DataFrame, keys: Keys, columns: list[str]
) -> pd.DataFrame:
    """Add the columns' labels; of several the first in the alphabet, whatever the rows' order."""
    for column in reversed(columns):
        label = f"{column}_LABEL"
        if label not in frame.columns or label in out.columns:
            continue
        first = pd.Series(frame[label].to_numpy()).groupby(keys.ids).min()
        out.insert(list(out.columns).index(column) + 1, label, first.to_numpy())
    return out


def _sums(source: Dataset, keys: Keys) -> pd.DataFrame:
    frame = source.frame
    values = numbers(frame)
    status = statuses(frame, values)
    printed = numbers(frame, "DECIMALS")
    deepest = np.nanmax(printed) if np.isfinite(printed).any() else 0.0
    sums = grouped_sum(values, keys, decimals=min(int(deepest), _MOST_DECIMALS))
    unit, multiplier = texts_of(frame, "UNIT_MEASURE"), np.nan_to_num(numbers(frame, "UNIT_MULT"))
    scales = keys_of(pd.DataFrame({"k": keys.ids, "u": unit, "m": multiplier}), ["k", "u", "m"])
    kinds = np.bincount(keys.ids[scales.first], minlength=len(keys))
    gone = ~np.isfinite(values)
    elsewhere = np.bincount(keys.ids, weights=gone & (status == ELSEWHERE), minlength=len(keys)) > 0
    absent = np.bincount(keys.ids, weights=gone & (status != ELSEWHERE), minlength=len(keys)) > 0
    out_status = np.full(len(keys), NORMAL, dtype=object)
    for code in sorted(set(status[~gone].tolist()) - {NORMAL}):
        out_status[keys.ids[(status == code) & ~gone]] = code
    reason = np.full(len(keys), None, dtype=object)
    out_status[elsewhere], reason[elsewhere] = ELSEWHERE, "GBI-N030"
    for code in sorted(set(status[gone].tolist()) - {ELSEWHERE}):
        out_status[keys.ids[(status == code) & gone]] = code
    reason[absent] = "GBI-N031"
    mixed = kinds > 1
    out_status[mixed], reason[mixed] = MISSING, "GBI-N052"
    cells = blanked(places(source)[keys.first], keys.sizes() > 1)
    decimals = pd.Series(printed).groupby(keys.ids).max().to_numpy()
    return pd.DataFrame(
        {
            VALUE: np.where(absent | mixed, np.nan, sums),
            "SHARE_OF_LINE": np.nan,
            "SHARE_OF_TOTAL": np.nan,
            "UNIT_MEASURE": text_column(blanked(unit[keys.first], mixed)),
            "UNIT_MULT": whole_column(np.where(mixed, np.nan, multiplier[keys.first])),
            "DECIMALS": whole_column(np.asarray(decimals, dtype=np.float64)),
            "OBS_STATUS": text_column(out_status),
            "REASON": text_column(reason),
            "ORIGIN": text_column(cells),
        }
    )


def line_total(natures: NDArray[np.object_], amounts: NDArray[np.float64]) -> float:
    """Return a line's total: as printed, else the sum of its natures, NaN if one is missing.

    Parameters
    ----------
    natures
        The natures of the line's payment credits, each once.
    amounts
        Their amounts; NaN where missing.
    """
    if TOTAL in natures:
        return float(amounts[natures == TOTAL][0])
    covered = _PARTS if _OPERATING in natures else ()
    top = amounts[~np.isin(natures, covered)]
    return exact_sum(top.tolist()) if len(top) and np.isfinite(top).all() else float("nan")


def _shares(out: pd.DataFrame, lines: list[str], scope: list[str]) -> float | None:
    """Fill in both shares and return the grand total (None over several periods or stages)."""
    payment = (out[CREDIT] != COMMITMENT).to_numpy(dtype=bool)
    amounts = out[VALUE].to_numpy(dtype=np.float64)
    natures = texts_of(out, NATURE)
    groups = keys_of(out, lines)
    totals = np.array(
        [
            line_total(natures[rows[payment[rows]]], amounts[rows[payment[rows]]])
            for rows in groups.members()
        ],
        dtype=np.float64,
    )
    scopes = keys_of(out, scope)
    of_line = scopes.ids[groups.first]
    grand = np.array(
        [
            exact_sum(totals[of_line == s]) if np.isfinite(totals[of_line == s]).all() else np.nan
            for s in range(len(scopes))
        ],
        dtype=np.float64,
    )
    # Amounts in several units have no total.
    if len(keys_of(out, ["UNIT_MEASURE", "UNIT_MULT"])) > 1:
        grand[:] = np.nan
    shown = np.where(payment, amounts, np.nan)
    out["SHARE_OF_LINE"] = quotient(shown, totals[groups.ids])
    out["SHARE_OF_TOTAL"] = quotient(shown, grand[scopes.ids])
    reason = texts_of(out, "REASON")
    reason[(reason == "") & payment & (totals[groups.ids] == 0)] = "GBI-N034"
    reason[(reason == "") & payment & ~np.isfinite(grand[scopes.ids])] = "GBI-N035"
    reason[(reason == "") & ~payment] = "GBI-N032"
    out["REASON"] = text_column(reason)
    return float(grand[0]) if len(grand) == 1 and np.isfinite(grand[0]) else None


def _single(values: pd.Series) -> Any:
    known = values.dropna().unique().tolist()
    return known[0] if len(known) == 1 else None


def _notes(out: pd.DataFrame, lines: list[str]) -> tuple[Note, ...]:
    notes = []
    if (out[CREDIT] == COMMITMENT).any():
        notes.append(Note("GBI-N032"))
    unsplit = out[(out["REASON"] == "GBI-N030").to_numpy(dtype=bool)]
    if len(unsplit):
        notes.append(Note("GBI-N033", {"lines": len(keys_of(unsplit, lines))}))
    return tuple(notes)
