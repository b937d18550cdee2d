"""Operators of disclosure: counts too small to be shown, and hidden cells that others give away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.compute.person_tables import CONTRIBUTION, HIDDEN, count_persons, floats
from gbi.compute.sensitivity import is_small
from gbi.compute.small_cells import SmallCells
from gbi.validation.context import Checked, Context, Violation, codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gbi.dataset import Dataset


_MOST_SOLVED = 20_000


def withheld(datasets: Mapping[str, Dataset]) -> dict[str, NDArray[np.object_]]:
    """Return, per table and row, what a finding shows in the place of figures; empty where any.

    Parameters
    ----------
    datasets
        The tables by name. Of large ones all rows beside a small count are taken: nothing is
        solved.
    """
    rule = SmallCells()
    large = sum(len(d) for d in datasets.values()) > _MOST_SOLVED
    masks = rule.beside(datasets) if large else rule.masks(datasets)
    shown = f"‹ {rule.min_n}"
    return {name: np.where(mask, shown, "").astype(object) for name, mask in masks.items()}


def _checked(rows: int, faulty: NDArray[np.bool_], expected: object = None) -> Checked:
    """Return the breaches without the figures: a finding must not show what is to be hidden."""
    found = [Violation((int(row),), expected=expected) for row in np.flatnonzero(faulty)]
    return Checked(rows, found)


def small_count(ctx: Context) -> Checked:
    """Find counts of persons below the ``threshold`` (zero is none of them)."""
    threshold = int(ctx.params["threshold"])
    counted = count_persons(ctx.frame, ctx.table)
    return _checked(int(counted.sum()), is_small(ctx.frame, threshold, ctx.table), threshold)


def recoverable(ctx: Context) -> Checked:
    """Find suppressed cells that the other cells of the table give to less than ``width``."""
    width = int(ctx.params["width"])
    hidden = (codes(ctx.frame, "OBS_STATUS", "") == HIDDEN) & ~np.isfinite(ctx.values())
    hidden &= count_persons(ctx.frame, ctx.table)
    faulty = np.zeros(len(ctx.frame), dtype=bool)
    if hidden.any():
        found = SmallCells(width).audit({ctx.table: ctx.frame})
        faulty[found.loc[~found["SAFE"].astype(bool), "ROW"].to_numpy(dtype=np.int64)] = True
    return _checked(int(hidden.sum()), faulty & hidden, width)


def contributions(ctx: Context) -> Checked:
    """Find amounts whose largest contributions can be estimated: ``dominance`` or ``p_percent``.

    Without the columns of the largest contributions there is nothing to check.
    """
    given = np.isfinite(floats(ctx.frame, f"{CONTRIBUTION}1")) & np.isfinite(ctx.values())
    limit = ctx.params.get("dominance")
    rule = SmallCells(
        1,
        dominance=None if limit is None else (int(limit[0]), float(limit[1])),
        p_percent=ctx.params.get("p_percent"),
    )
    return _checked(int(given.sum()), given & (rule.excess(ctx.frame) > 0))
