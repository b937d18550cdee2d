"""Operators on what a series was before: its unit, its level, a copied year, an outlying value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.validation.context import (
    NOWHERE,
    Checked,
    Violation,
    codes,
    floats,
    plain,
)
from gbi.validation.matching import (
    folded,
    half_units,
    key_words,
    members,
    multiplier,
    positions_of,
)
from gbi.validation.years import explained, last_year, series_columns, thousandfold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gbi.validation.context import Context

# 10^0.25 ≈ 1.8: no value of a new period is held to be a thousandfold beyond that.
_ABOUT, _EXACTLY = 0.25, 0.005
_MAD_TO_SIGMA = 1.4826
_WHOLE = {"pt": 100.0, "pm": 1000.0, "ratio": 1.0}


def _chronicle(ctx: Context, then: pd.DataFrame | None) -> pd.DataFrame:
    """Return the realised values of this year's file and of last year's, by series and period.

    Another unit is another series: :func:`unit_changed` speaks of it.

    Columns ``series``, ``period``, ``value`` (in the unit itself), ``half`` (of the last printed
    digit), ``row`` and ``old`` (from last year's file).
    """
    parts = []
    for old, frame in ((False, ctx.frame), (True, then)):
        if frame is None or "OBS_VALUE" not in frame.columns:
            continue
        values = floats(frame, "OBS_VALUE") * multiplier(frame)
        keep = np.isfinite(values) & np.isin(folded(frame, "VALUE_KIND"), ("realised", ""))
        part = pd.DataFrame(
            {
                "series": key_words(frame, [*series_columns(ctx.table, "SOURCE"), "UNIT_MEASURE"]),
                "period": codes(frame, "TIME_PERIOD", "").astype(str),
                "value": values,
                "half": half_units(frame),
                "row": np.arange(len(frame)),
                "old": old,
            }
        )
        # A period printed twice in one file is the key rule's matter.
        parts.append(part[keep].drop_duplicates(["series", "period"], keep=False))
    if not parts:
        return pd.DataFrame(columns=["series", "period", "value", "half", "row", "old"])
    whole = pd.concat(parts, ignore_index=True)
    whole["series"] = pd.factorize(whole["series"])[0]
    return whole.sort_values(["series", "period", "old"], kind="stable", ignore_index=True)


def unit_changed(ctx: Context) -> Checked:
    """Find series whose unit is another than in last year's file, declared or not.

    Declared: another ``UNIT_MEASURE`` without a status or comment that says so. Not declared: a
    figure is 10³ or 10⁶ times the one that last year's file gave for the same period, or, for a
    new period, about that many times last year's latest. One finding per series.
    """
    then = last_year(ctx)
    if then is None:
        return Checked(0)
    columns = series_columns(ctx.table, "SOURCE")
    mine, before = key_words(ctx.frame, columns), key_words(then, columns)
    unit, units = folded(ctx.frame, "UNIT_MEASURE"), folded(then, "UNIT_MEASURE")
    one = (units != "") & ~pd.Series(before).duplicated().to_numpy()
    at = positions_of(mine, before, one)
    declared = (at != NOWHERE) & (unit != "") & (unit != units[at]) & ~explained(ctx.frame)
    found = [
        Violation(
            tuple(rows), "UNIT_MEASURE", found=_unit(ctx.frame, rows[0]),
            expected=_unit(then, int(at[rows[0]])), shared=True, details={"factor": None},
        )
        for rows in members(mine, declared)
    ]  # fmt: skip
    jumps = _unit_jumps(ctx, then)
    jumps = {row: factor for row, factor in jumps.items() if not declared[row]}
    jumped = np.isin(np.arange(len(mine)), list(jumps))
    match = positions_of(mine, before, ~pd.Series(before).duplicated().to_numpy())
    for rows in members(mine, jumped):
        found.append(
            Violation(
                tuple(rows), found=_unit(ctx.frame, rows[0]),
                expected=_unit(then, int(match[rows[0]])), shared=len(rows) > 1,
                details={"factor": jumps[rows[0]]},
            )
        )  # fmt: skip
    return Checked(int((at != NOWHERE).sum()), found)


def _unit(frame: pd.DataFrame, row: int) -> str:
    unit = str(plain(frame["UNIT_MEASURE"].iloc[row])) if "UNIT_MEASURE" in frame.columns else ""
    power = plain(frame["UNIT_MULT"].iloc[row]) if "UNIT_MULT" in frame.columns else None
    return f"{unit} × 10^{power}" if power else unit


def _unit_jumps(ctx: Context, then: pd.DataFrame) -> dict[int, float]:
    """Return the rows of this year that a power of a thousand parts from last year's file."""
    out: dict[int, float] = {}
    key = [*series_columns(ctx.table, "SOURCE"), "VALUE_KIND", "TIME_PERIOD"]
    values = ctx.values() * multiplier(ctx.frame)
    before = floats(then, "OBS_VALUE") * multiplier(then)
    at = positions_of(key_words(ctx.frame, key), key_words(then, key), before > 0)
    rows = np.flatnonzero((at != NOWHERE) & (values > 0))
    hit = rows[thousandfold(values[rows], before[at[rows]], _EXACTLY)]
    out |= {int(r): _power(values[r] / before[at[r]]) for r in hit}
    edge = _edges(ctx, then)
    about = thousandfold(edge["value"].to_numpy(), edge["last"].to_numpy(), _ABOUT)
    given = explained(ctx.frame)
    rows, ratio = _rows(edge), edge["value"].to_numpy(dtype=float) / edge["last"].to_numpy(float)
    return out | {int(rows[i]): _power(ratio[i]) for i in np.flatnonzero(about & ~given[rows])}


def _rows(edge: pd.DataFrame) -> NDArray[np.int64]:
    return edge["row"].to_numpy(dtype=np.int64)


def _power(ratio: float) -> float:
    """Return the power of a thousand that a ratio is nearest to."""
    return float(1000.0 ** round(float(np.log10(ratio)) / 3.0))


def _edges(ctx: Context, then: pd.DataFrame) -> pd.DataFrame:
    """Return the first value after last year's file, per series, beside what went before.

    Columns of :func:`_chronicle` with ``last`` (last year's latest value), ``least`` and ``most``
    (of all values before), ``n`` (how many) and ``kept`` (their prints agree in both files).
    """
    line = _chronicle(ctx, then)
    old = line[line["old"]].groupby("series", sort=False)
    latest = old[["period", "value"]].last().rename(columns={"period": "end", "value": "last"})
    line = line.join(latest, on="series").dropna(subset=["end"])
    after = line[(line["period"] > line["end"]) & ~line["old"]].drop_duplicates("series")
    history = line[line["period"] <= line["end"]]
    spread = history.groupby(["series", "period"], sort=False).agg(
        low=("value", "min"), high=("value", "max"), half=("half", "max")
    )
    spread["kept"] = (spread["high"] - spread["low"]) <= spread["half"] * (1 + 1e-9)
    by_series = spread.groupby("series", sort=False).agg(
        least=("low", "min"), most=("high", "max"), n=("low", "size"), kept=("kept", "all")
    )
    return after.join(by_series, on="series").reset_index(drop=True)


def _shifted(edge: pd.DataFrame, factor: float, stable: float) -> NDArray[np.bool_]:
    """Say where a new value leaves a level that the series had kept."""
    low, high, value = (edge[c].to_numpy(dtype=float) for c in ("least", "most", "value"))
    level = (low > 0) & (high <= stable * low) & (value > 0)
    apart = (value > factor * high) | (value * factor < low)
    unit = thousandfold(value, edge["last"].to_numpy(dtype=float), _ABOUT)
    return np.asarray(level & apart & ~unit & edge["kept"].to_numpy(dtype=bool))


def level_shift(ctx: Context) -> Checked:
    """Find what looks like another definition: a level left at once, a formula rewritten.

    In tables of figures: the first period after last year's file lies more than ``factor`` above
    or below a history of at least ``least`` periods that kept within ``stable`` and is printed
    unchanged. In the catalogue: another ``FORMULA``. Neither where a status or comment says so.
    """
    then = last_year(ctx)
    if then is None:
        return Checked(0)
    if "OBS_VALUE" not in ctx.frame.columns:
        return _formula_changed(ctx, then)
    p = ctx.params
    edge = _edges(ctx, then)
    edge = edge[edge["n"] >= int(p["least"])]
    off = _shifted(edge, float(p["factor"]), float(p["stable"]))
    rows, end = _rows(edge), edge["end"].to_numpy(dtype=object)
    off &= ~explained(ctx.frame)[rows]
    unit = multiplier(ctx.frame)[rows]
    value = edge["value"].to_numpy(dtype=float) / unit
    last = edge["last"].to_numpy(dtype=float) / unit
    found = [
        Violation(
            (int(rows[i]),), found=float(value[i]), expected=float(last[i]),
            difference=float(value[i] - last[i]), details={"period": str(end[i])},
        )
        for i in np.flatnonzero(off).tolist()
    ]  # fmt: skip
    return Checked(len(edge), found)


def _formula_changed(ctx: Context, then: pd.DataFrame) -> Checked:
    if "FORMULA" not in ctx.frame.columns or "FORMULA" not in then.columns:
        return Checked(0)
    key = series_columns(ctx.table)
    mine, formula = key_words(ctx.frame, key), folded(ctx.frame, "FORMULA")
    before, formulas = key_words(then, key), folded(then, "FORMULA")
    at = positions_of(mine, before, formulas != "")
    both = (at != NOWHERE) & (formula != "")
    off = both & (formula != formulas[at]) & ~explained(ctx.frame)
    chain = ctx.others.get("performance")
    if chain is not None:
        off &= ~pd.Series(mine).isin(set(key_words(chain, key)[explained(chain)])).to_numpy()
    found = [
        Violation(
            (r,), "FORMULA", found=str(plain(ctx.frame["FORMULA"].iloc[r])),
            expected=str(plain(then["FORMULA"].iloc[int(at[r])])), details={"period": None},
        )
        for r in np.flatnonzero(off).tolist()
    ]  # fmt: skip
    return Checked(int(both.sum()), found)


def copied_block(ctx: Context) -> Checked:
    """Find a new period whose values all equal those of the period before, in a whole block.

    Params: ``within``: columns of a block; ``least``: how many values off any bound a block
    needs; ``distinct``: how many different ones.
    """
    then = last_year(ctx)
    if then is None:
        return Checked(0)
    p, edge = ctx.params, _edges(ctx, then)
    rows = _rows(edge)
    values, last = edge["value"].to_numpy(dtype=float), edge["last"].to_numpy(dtype=float)
    whole = [_WHOLE.get(u, np.nan) for u in folded(ctx.frame, "UNIT_MEASURE")[rows]]
    free = (values != 0) & (values != np.array(whole))
    block = key_words(ctx.frame, [*p["within"], "TIME_PERIOD"])[rows]
    period, same = codes(ctx.frame, "TIME_PERIOD", ""), np.isclose(values, last, rtol=1e-12, atol=0)
    found = []
    for part in members(block, free):
        if len(part) < int(p["least"]) or not same[part].all():
            continue
        if len(np.unique(values[part])) >= int(p["distinct"]):
            found.append(
                Violation(
                    tuple(rows[part].tolist()), found=len(part), shared=True,
                    details={
                        "n": len(part), "period": str(period[rows[part[0]]]),
                        "before": str(edge["end"].iloc[part[0]]),
                    },
                )
            )  # fmt: skip
    return Checked(len(edge), found)


def history_outlier(ctx: Context) -> Checked:
    """Find a latest value that leaves the course of its own series.

    Its step from the value before is compared with the earlier steps: more than ``deviations``
    robust standard deviations (1.4826 × median absolute deviation, at least a printed unit) from
    their median, and more than ``steps`` times the largest of them; for positive figures the same
    holds of their logarithms. A trend, linear or exponential, is made of equal steps. Params:
    ``least`` (earlier values), ``deviations``, ``steps``, and ``factor``, ``stable`` of
    :func:`level_shift`, whose findings are left to it.
    """
    p, then = ctx.params, last_year(ctx)
    # What both files print counts once, as it is printed now.
    line = _chronicle(ctx, then).drop_duplicates(["series", "period"])
    line = line[line.groupby("series")["value"].transform("size") > int(p["least"])]
    now = line.groupby("series")["old"].transform("last").to_numpy(dtype=bool)
    line = line[~now].reset_index(drop=True)
    if line.empty:
        return Checked(0)
    by = line["series"].to_numpy()
    ends = np.flatnonzero(np.r_[by[1:] != by[:-1], True])
    starts = np.r_[0, ends[:-1] + 1]
    values = line["value"].to_numpy(dtype=float)
    unit = np.maximum.reduceat(2.0 * line["half"].to_numpy(dtype=float), starts)
    least = np.minimum.reduceat(values, starts)
    off = _outlying(values, ends, unit, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = unit / np.where(least > 0, least, np.nan)
        logs = np.log(np.where(values > 0, values, np.nan))
    off &= (least <= 0) | _outlying(logs, ends, relative, p)
    rows = _rows(line)
    off &= ~explained(ctx.frame)[rows[ends]]
    if then is not None:
        edge = _edges(ctx, then)
        theirs = _shifted(edge, float(p["factor"]), float(p["stable"]))
        theirs |= thousandfold(edge["value"].to_numpy(), edge["last"].to_numpy(), _ABOUT)
        off &= ~np.isin(rows[ends], _rows(edge)[theirs])
    mult, old = multiplier(ctx.frame), line["old"].to_numpy(dtype=bool)
    found = []
    for k in np.flatnonzero(off).tolist():
        own = np.arange(starts[k], ends[k])
        row = int(rows[ends[k]])
        value, was = (float(values[e] / mult[row]) for e in (ends[k], ends[k] - 1))
        found.append(
            Violation(
                (row, *rows[own[~old[own]]].tolist()), found=value, expected=was,
                difference=value - was, details={"n": len(own)},
            )
        )  # fmt: skip
    return Checked(len(ends), found)


def _outlying(
    values: NDArray[np.float64],
    ends: NDArray[np.int_],
    floor: NDArray[np.float64],
    params: Mapping[str, Any],
) -> NDArray[np.bool_]:
    """Say of which series the last step lies far outside the earlier ones."""
    starts = np.r_[0, ends[:-1] + 1]
    series = np.repeat(np.arange(len(ends)), ends - starts + 1)
    steps = np.r_[np.nan, np.diff(values)]
    earlier = np.ones(len(values), dtype=bool)
    earlier[starts] = earlier[ends] = False
    by, step = series[earlier], pd.Series(steps[earlier])
    middle = step.groupby(by).median().to_numpy()
    spread = (step - middle[by]).abs().groupby(by).median().to_numpy() * _MAD_TO_SIGMA
    largest = step.abs().groupby(by).max().to_numpy()
    last = steps[ends]
    far = np.abs(last - middle) > float(params["deviations"]) * np.maximum(spread, floor)
    far &= np.abs(last) > float(params["steps"]) * np.maximum(largest, floor)
    return np.asarray(far, dtype=bool)
