"""Operators on gender marks: the weighted amount, the lower of two marks, holes between bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.compute import scale, weighted_share
from gbi.compute import weighted_amount as weighted
from gbi.language import format_number
from gbi.validation.context import (
    Checked,
    Violation,
    codes,
    exact,
    floats,
    group_ids,
    printed_units,
    tolerance_of,
)

if TYPE_CHECKING:
    from gbi.compute import Scale
    from gbi.validation.context import Context

_PROGRAMME, _PROJECT, _PAYMENT = "PROGRAMME", "PROJECT", "CP"
_GROUP = ("TIME_PERIOD", "REF_AREA", "DEPARTMENT", "SCALE", "PROGRAMME")
_DEFAULT = "CE-BSG"
_DECIMALS = 4


def _level(ctx: Context, level: str) -> list[int]:
    return np.flatnonzero(codes(ctx.frame, "MARK_LEVEL", "") == level).tolist()


def _scales(ctx: Context) -> list[Scale]:
    return [scale(str(name)) for name in codes(ctx.frame, "SCALE", _DEFAULT)]


def weighted_amount(ctx: Context) -> Checked:
    """Require that a project's stated amount is the weight of its mark times its payment credits.

    The credits and the amount are both rounded as printed: each allows half of its last digit.
    """
    stated, credits = floats(ctx.frame, "AMOUNT_STATED"), ctx.values()
    marks, scales = codes(ctx.frame, "MARK", ""), _scales(ctx)
    units, is_exact = printed_units(ctx.frame), exact(ctx.frame)
    found: list[Violation] = []
    checked = 0
    for row in _level(ctx, _PROJECT):
        weight = scales[row].weight(str(marks[row]))
        if weight is None or not np.isfinite(stated[row]) or not np.isfinite(credits[row]):
            continue
        checked += 1
        expected = weighted(float(credits[row]), weight)
        # 70% of whole dirhams need not be whole: the stated amount is rounded, the credits are not
        whole = is_exact[[row]] & float(expected).is_integer()
        terms = 0.0 if is_exact[row] else weight
        allowed = float(
            tolerance_of(ctx.tolerance, units[[row]], whole, terms, np.abs(stated[[row]]))[0]
        )
        difference = float(stated[row]) - expected
        if abs(difference) > allowed:
            found.append(
                Violation(
                    (row,), "AMOUNT_STATED", found=float(stated[row]), expected=expected,
                    difference=difference, tolerance=allowed, details={"weight": weight},
                )
            )  # fmt: skip
    return Checked(checked, found)


def lowest_mark(ctx: Context) -> Checked:
    """Require that a programme's final mark is the lower of its grid mark and its share's mark.

    All three as stated; where one is missing there is nothing to test.
    """
    shares, scales = floats(ctx.frame, "SHARE_STATED"), _scales(ctx)
    marks, finals = codes(ctx.frame, "MARK", ""), codes(ctx.frame, "FINAL_MARK", "")
    found: list[Violation] = []
    checked = 0
    for row in _level(ctx, _PROGRAMME):
        of_share = scales[row].band_mark(float(shares[row]))
        expected = scales[row].lowest(str(marks[row]), of_share)
        if expected is None or finals[row] not in scales[row].order:
            continue
        checked += 1
        if finals[row] != expected:
            details = {"grid": str(marks[row]), "share": of_share}
            found.append(
                Violation(
                    (row,), "FINAL_MARK", found=str(finals[row]), expected=expected, details=details
                )
            )
    return Checked(checked, found)


def band_gap(ctx: Context) -> Checked:
    """Report a programme's share that lies in a hole between two printed classes.

    The share is the stated one, else what the projects' payment credits and marks give where all
    are known.
    """
    stated, scales = floats(ctx.frame, "SHARE_STATED"), _scales(ctx)
    projects = _level(ctx, _PROJECT)
    groups = group_ids(ctx.frame, _GROUP)
    found: list[Violation] = []
    checked = 0
    for row in _level(ctx, _PROGRAMME):
        of = [p for p in projects if groups[p] == groups[row]]
        share: float | None = float(stated[row])
        parties: tuple[int, ...] = (row,)
        if not np.isfinite(stated[row]):
            share = _computed(ctx, scales[row], of)
            parties = (row, *of)
        if share is None:
            continue
        checked += 1
        hole = scales[row].printed_gap(share)
        if hole is not None:
            low, high = hole.marks
            # One text for all languages: a percentage as French writes it.
            percent = f"{format_number(round(share * 100.0, _DECIMALS), 'fr')} %"
            found.append(
                Violation(
                    parties, "SHARE_STATED", found=percent, expected=f"{low} / {high}",
                    details={"share": share, "low": low, "high": high},
                )
            )  # fmt: skip
    return Checked(checked, found)


def unassessed_share(ctx: Context) -> Checked:
    """Report a programme whose projects without assessment hold much of its payment credits.

    Their weight is open between nothing and all: so wide is the programme's share.
    Params: ``most``, the share of the credits that may stay open.
    """
    frame, values, scales = ctx.frame, ctx.values(), _scales(ctx)
    marks, credit = codes(frame, "MARK", ""), codes(frame, "CREDIT_TYPE", _PAYMENT)
    groups = group_ids(frame, _GROUP)
    of: dict[int, list[int]] = {}
    for row in _level(ctx, _PROJECT):
        if credit[row] == _PAYMENT and np.isfinite(values[row]):
            of.setdefault(int(groups[row]), []).append(row)
    found: list[Violation] = []
    most = float(ctx.params["most"])
    for rows in of.values():
        open_ = [r for r in rows if str(marks[r]) == scales[r].not_evaluated]
        total = float(values[rows].sum())
        share = float(values[open_].sum()) / total if total > 0 else 0.0
        if share > most:
            found.append(
                Violation(
                    (*open_, *(r for r in rows if r not in open_)), "MARK",
                    found=round(share * 100.0, 1), expected=most * 100.0, shared=True,
                )
            )  # fmt: skip
    return Checked(len(of), found)


def _computed(ctx: Context, grid: Scale, rows: list[int]) -> float | None:
    """Return the share that the projects give, None where something is not known."""
    credit = codes(ctx.frame, "CREDIT_TYPE", _PAYMENT)
    mine = [r for r in rows if credit[r] == _PAYMENT]
    marks, values = codes(ctx.frame, "MARK", ""), ctx.values()
    weights = [grid.weight(str(marks[r])) for r in mine]
    if not mine or any(w is None for w in weights) or not np.isfinite(values[mine]).all():
        return None
    return weighted_share([float(values[r]) for r in mine], [float(w or 0.0) for w in weights])
