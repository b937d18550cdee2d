"""Operators on plausibility: figures that may be right, but that their sender should look at.

Each looks at a group and reports a group; every threshold is a parameter that the rule explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.language import fold
from gbi.validation.context import (
    NOWHERE,
    Checked,
    Violation,
    codes,
    group_ids,
    positions,
    printed_units,
    rows_where,
    selected,
)
from gbi.validation.units import groups_of, multipliers, per_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gbi.validation.context import Context

_SHARE_BOUNDS = (0.0, 100.0)
_ROBUST = 0.6745  # a normal variable's median distance from its median, in standard deviations
_STAGES = ("PROGRAMMED", "BILL", "VOTED", "RECTIFIED", "AVAILABLE")


def _ids(ctx: Context) -> NDArray[np.int64]:
    """Return the group of every row: the first of the rule's ``within`` sets that the frame has."""
    for columns in ctx.params["within"]:
        if all(c in ctx.frame.columns for c in columns):
            return group_ids(ctx.frame, columns)
    return np.zeros(len(ctx.frame), dtype=np.int64)


def round_numbers(ctx: Context) -> Checked:
    """Find groups in which far more counts end in 0 or 5 than chance explains.

    Params: ``within``; ``fewest`` different values; ``smallest`` value; ``share`` that must be
    reached; ``chance``: the largest probability, by the binomial test, of so many round numbers
    where one in five is expected; ``where``, ``exempt``.
    """
    from scipy.stats import binom

    params, values = ctx.params, ctx.values()
    whole = np.isfinite(values) & (values == np.round(np.where(np.isfinite(values), values, 0.5)))
    keep = selected(ctx) & whole & (values >= params["smallest"])
    found: list[Violation] = []
    checked = 0
    for rows in groups_of(_ids(ctx), keep, fewest=params["fewest"]):
        # a figure that is copied is one figure
        distinct, first = np.unique(values[rows], return_index=True)
        n = len(distinct)
        if n < params["fewest"]:
            continue
        checked += 1
        ends = np.mod(distinct, 5.0) == 0.0
        k = int(ends.sum())
        if k / n >= params["share"] and binom.sf(k - 1, n, 0.2) <= params["chance"]:
            found.append(
                Violation(
                    tuple(np.sort(rows[first[ends]]).tolist()),
                    found=round(100.0 * k / n, 1),
                    expected=20.0,
                    shared=True,
                    details={"n": n},
                )
            )
    return Checked(checked, found)


def _pairs(ctx: Context, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of women and men that differ by sex only, a pair per line."""
    wide = positions(ctx, "SEX", keep, ctx.frame)
    if "F" not in wide.columns or "M" not in wide.columns:
        return np.zeros((0, 2), dtype=np.int64)
    both = wide[["F", "M"]].to_numpy()
    return np.asarray(both[(both != NOWHERE).all(axis=1)], dtype=np.int64)


def _named(ctx: Context) -> NDArray[np.bool_]:
    """Say which rows have a label with one of the rule's ``words`` and none of its ``but``."""
    words, but = ctx.params.get("words"), ctx.params.get("but", [])
    if not words:
        return np.ones(len(ctx.frame), dtype=bool)

    def fits(label: object) -> bool:
        text = fold(str(label))
        return any(fold(w) in text for w in words) and not any(fold(w) in text for w in but)

    return np.asarray(per_value(ctx.frame, "INDICATOR", fits, False), dtype=bool)


def sex_pairs(ctx: Context) -> Checked:
    """Compare the counts of women and men of one group, which people's lives keep apart.

    Params: ``relation`` of the two: ``constant`` (one ratio fits all pairs within rounding, so
    closely that ratios which vary by ``spread`` meet it with a probability of ``chance`` at most),
    ``equal`` (both are the same, more often than such ratios meet), ``range`` (the ratio lies
    outside ``low`` … ``high``);
    ``within``; ``fewest`` pairs; ``smallest``: the fewest persons, of each sex for ``constant`` and
    ``equal``, of both for ``range``; ``words`` and ``but``: of the indicator's label; ``where``,
    ``exempt``, ``whole``: columns that must be totals.
    """
    params, values = ctx.params, ctx.values()
    keep = selected(ctx) & np.isfinite(values) & _named(ctx)
    totals = {c: ["_T"] for c in params.get("whole", []) if c in ctx.frame.columns}
    keep &= rows_where(ctx.frame, totals)
    pairs = _pairs(ctx, keep)
    women, men = values[pairs].T
    many = 10.0 ** multipliers(ctx)[pairs[:, 0]]
    relation = params["relation"]
    if relation == "range":
        enough = (women + men) * many >= params["smallest"]
    else:
        enough = np.minimum(women, men) * many >= params["smallest"]
    test: Callable[[Context, NDArray[np.int64]], tuple[NDArray[np.bool_], float | None]]
    test = {"constant": _constant, "equal": _equal, "range": _outside}[relation]
    ids = _ids(ctx)[pairs[:, 0]]
    found = []
    for at in groups_of(ids, enough, fewest=int(params.get("fewest", 1))):
        mine = pairs[at]
        hit, ratio = test(ctx, mine)
        if ratio is not None and hit.sum() >= int(params.get("fewest", 1)):
            rows = mine[hit].ravel().tolist()
            found.append(
                Violation(tuple(rows), found=ratio, shared=True, details={"n": int(hit.sum())})
            )
    return Checked(len(pairs), found)


def _constant(ctx: Context, pairs: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float | None]:
    """Return all pairs and their ratio if one men-to-women ratio explains them to the rounding."""
    women, men = ctx.values()[pairs].T
    everything = np.ones(len(pairs), dtype=bool)
    _, first = np.unique(women, return_index=True)
    women, men = women[first], men[first]
    if len(women) < int(ctx.params["fewest"]):
        return everything, None
    half = printed_units(ctx.frame)[pairs[first, 0]] / 2.0
    low, high = (men - half) / (women + half), (men + half) / (women - half)
    at_least, at_most = float(low.max()), float(high.min())
    if at_least > at_most or at_least <= 1.0 <= at_most:
        return everything, None
    # the density of a ratio with this relative spread, at its peak, times the room that is left
    room = np.sort((high - low) / low) / (np.sqrt(2.0 * np.pi) * float(ctx.params["spread"]))
    if float(np.prod(np.minimum(room[:-1], 1.0))) > float(ctx.params["chance"]):
        return everything, None
    return everything, (at_least + at_most) / 2.0


def _equal(ctx: Context, pairs: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float | None]:
    """Return the pairs that are the same, if that many are more than chance brings about."""
    from scipy.stats import poisson

    women, men = ctx.values()[pairs].T
    same = np.asarray(women == men)
    units = printed_units(ctx.frame)[pairs[:, 0]]
    # how often two counts of this size, printed to this unit, are the same
    often = units / (np.sqrt(2.0 * np.pi) * float(ctx.params["spread"]) * women)
    expected = float(np.minimum(often, 1.0).sum())
    unlikely = poisson.sf(int(same.sum()) - 1, expected) <= ctx.params["chance"]
    return same, 1.0 if unlikely else None


def _outside(ctx: Context, pairs: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float | None]:
    women, men = ctx.values()[pairs].T
    ratio = np.divide(women, men, out=np.full(len(men), np.inf), where=men > 0)
    off = (ratio < ctx.params["low"]) | (ratio > ctx.params["high"])
    if not off.any():
        return off, None
    order = np.where(off, np.abs(np.log(np.maximum(ratio, 1e-9))), -1.0)
    return off, float(ratio[np.argmax(order)])


def peers_outlier(ctx: Context) -> Checked:
    """Find a rate far from those of its peers: robust distance from their median, on logits.

    Params: ``aside``: the columns by which peers differ; ``within``: those that they share;
    ``fewest`` peers; ``distance`` in robust standard deviations; ``where``, ``exempt``. Rates of
    0 and 100 have no logit and are left out.
    """
    params, values = ctx.params, ctx.values()
    if not any(c in ctx.frame.columns for c in params["aside"]):
        return Checked(0)
    keep = selected(ctx) & np.isfinite(values) & (values > 0.0) & (values < 100.0)
    shared = [c for c in ctx.peers_key(*params["aside"]) if c != "SOURCE"]
    logit = np.log(np.where(keep, values, 50.0) / (100.0 - np.where(keep, values, 50.0)))
    found: list[Violation] = []
    checked = 0
    for rows in groups_of(group_ids(ctx.frame, shared), keep, fewest=int(params["fewest"])):
        checked += len(rows)
        middle = float(np.median(logit[rows]))
        spread = float(np.median(np.abs(logit[rows] - middle)))
        if spread == 0.0:
            continue
        away = _ROBUST * np.abs(logit[rows] - middle) / spread
        typical = 100.0 / (1.0 + np.exp(-middle))
        found += [
            Violation(
                (int(row),),
                found=float(values[row]),
                expected=float(typical),
                difference=float(values[row] - typical),
                details={"n": len(rows)},
            )
            for row in rows[away > float(params["distance"])]
        ]
    return Checked(checked, found)


def growth(ctx: Context) -> Checked:
    """Find budget lines whose amount is multiplied from one year or one stage to the next.

    Params: ``factor``; ``smallest``: the larger amount in units of the measure; ``where``,
    ``exempt``. Years are compared at one stage; stages, of those that open credits, in one year.
    One breach per line and direction of comparison.
    """
    params, values = ctx.params, ctx.values()
    size = np.where(np.isfinite(values), values, 0.0) * 10.0 ** multipliers(ctx)
    keep = selected(ctx) & np.isfinite(values) & (values > 0.0)
    stage = codes(ctx.frame, "BUDGET_STAGE", "")
    rank = per_value(
        ctx.frame, "BUDGET_STAGE", lambda s: _STAGES.index(s) if s in _STAGES else -1, -1
    )
    period = codes(ctx.frame, "TIME_PERIOD", "").astype(str)
    unlike = ("UNIT_MULT", "SOURCE")
    found: list[Violation] = []
    checked = 0
    for aside, order, mine in (
        ("TIME_PERIOD", np.unique(period, return_inverse=True)[1], keep),
        ("BUDGET_STAGE", rank, keep & (rank >= 0)),
    ):
        shared = [c for c in ctx.peers_key(aside) if c not in unlike and not c.endswith("_LABEL")]
        ids = group_ids(ctx.frame, shared)
        rows = np.flatnonzero(mine)
        rows = rows[np.lexsort((order[rows], ids[rows]))]
        here, after = rows[:-1], rows[1:]
        next_of = (ids[here] == ids[after]) & (order[here] < order[after])
        here, after = here[next_of], after[next_of]
        checked += len(here)
        times = np.maximum(size[after] / size[here], size[here] / size[after])
        most = np.maximum(size[after], size[here])
        leaps = np.flatnonzero((times > params["factor"]) & (most >= params["smallest"]))
        # one breach per line: its widest leap
        leaps = leaps[np.argsort(-times[leaps], kind="stable")]
        _, first = np.unique(ids[here[leaps]], return_index=True)
        what = period if aside == "TIME_PERIOD" else stage
        for one in np.sort(leaps[first]).tolist():
            before, now = int(here[one]), int(after[one])
            found.append(
                Violation(
                    (now, before),
                    found=float(values[now]),
                    expected=float(values[before]),
                    difference=float(values[now] - values[before]),
                    details={
                        "factor": round(float(times[one]), 1),
                        "period": str(what[now]),
                        "base_period": str(what[before]),
                    },
                )
            )
    return Checked(checked, found)


def extreme_share(ctx: Context) -> Checked:
    """Find shares of exactly 0 or 100 per cent of an unknown number; one breach per group.

    Params: ``within``; ``known_by``: the column that would say of how many; ``where``,
    ``exempt``.
    """
    values = ctx.values()
    keep = selected(ctx) & np.isfinite(values)
    known = ctx.params["known_by"]
    if known in ctx.frame.columns:
        keep &= ~ctx.frame[known].notna().to_numpy(dtype=bool)
    extreme = keep & np.isin(values, _SHARE_BOUNDS)
    found = [
        Violation(tuple(rows.tolist()), found=float(values[rows[0]]), shared=True,
                  details={"n": len(rows)})
        for rows in groups_of(_ids(ctx), extreme, fewest=1)
    ]  # fmt: skip
    return Checked(int(keep.sum()), found)
