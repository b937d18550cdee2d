"""Coded keys over several columns, and exact sums over them.

A row's key is one number; missing is a key of its own. Sums don't depend on the order of the
rows: whole numbers are added as integers, others with :func:`math.fsum`, which is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

# Integers up to here are exact as floats; sums of integers stay far inside 64 bits.
_LARGEST = 2**53
_ROOM = 2**62


@dataclass(frozen=True, slots=True)
class Keys:
    """Groups of rows that are equal in some columns.

    Attributes
    ----------
    ids
        Per row, its group, from 0.
    first
        Per group, the position of its first row.
    """

    ids: NDArray[np.int64]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.first)

    def members(self) -> list[NDArray[np.int64]]:
        """Return, per group, the positions of its rows in the order of the frame."""
        order = np.argsort(self.ids, kind="stable")
        return np.split(order, np.cumsum(self.sizes())[:-1]) if len(self) else []

    def sizes(self) -> NDArray[np.int64]:
        """Return the number of rows per group."""
        return np.bincount(self.ids, minlength=len(self)).astype(np.int64)


def keys_of(frame: pd.DataFrame, columns: Sequence[str]) -> Keys:
    """Return one key per row; equal where all columns are equal, missing equal to missing.

    Groups are sorted by their columns' values as text and numbers sort, missing last, so that
    neither keys nor results depend on the order of the rows.

    Parameters
    ----------
    frame
        The rows.
    columns
        The columns of the key; without columns all rows are one group.
    """
    n = len(frame)
    if n == 0:
        return Keys(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    ids = np.zeros(n, dtype=np.int64)
    for column in columns:
        codes = _codes(frame[column])
        ids = ids * (int(codes.max()) + 1) + codes
        # Renumbered after every column: the product of many columns would leave 64 bits.
        ids = np.unique(ids, return_inverse=True)[1].astype(np.int64)
    _, first = np.unique(ids, return_index=True)
    return Keys(ids, first.astype(np.int64))


def _codes(values: pd.Series) -> NDArray[np.int64]:
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    try:
        rank = np.argsort(np.argsort(np.asarray(uniques)))
    except TypeError:  # text and numbers in one column
        rank = np.argsort(np.argsort(np.asarray([str(u) for u in uniques])))
    out = np.full(len(codes), len(uniques), dtype=np.int64)
    known = codes >= 0
    out[known] = rank[codes[known]]
    return out


def exact_sum(values: Iterable[float]) -> float:
    """Return a sum without rounding on the way (NaN is left out); the order has no effect.

    Parameters
    ----------
    values
        The addends.
    """
    return math.fsum(v for v in values if v == v)


def grouped_sum(values: ArrayLike, keys: Keys, *, decimals: int | None = 0) -> NDArray[np.float64]:
    """Return the exact sum per group; NaN is left out, and a group of NaN alone is NaN.

    Parameters
    ----------
    values
        The addends, a row each.
    keys
        The rows' groups.
    decimals
        Values with at most so many decimals are added as integers; others exactly, but slower.
        None goes the slower way at once.
    """
    x = np.asarray(values, dtype=np.float64)
    known = np.isfinite(x)
    counts = np.bincount(keys.ids[known], minlength=len(keys))
    whole = None if decimals is None else _whole(np.where(known, x, 0.0), decimals)
    if whole is not None:
        total = np.zeros(len(keys), dtype=np.int64)
        np.add.at(total, keys.ids, whole)
        # Python's division of integers is correctly rounded; a float power of ten is not always.
        scale = 10 ** (decimals or 0)
        out = np.array([int(t) / scale for t in total], dtype=np.float64)
    else:
        out = np.array([exact_sum(x[rows]) for rows in keys.members()], dtype=np.float64)
    return np.where(counts > 0, out, np.nan)


def _whole(x: NDArray[np.float64], decimals: int) -> NDArray[np.int64] | None:
    """Return x · 10^decimals as integers, or None where that would lose something."""
    scale = 10.0**decimals
    with np.errstate(all="ignore"):
        scaled = np.round(x * scale)
        fits = np.all(np.abs(scaled) < _LARGEST) and np.abs(scaled).sum() < _ROOM
        return scaled.astype(np.int64) if fits and np.all(scaled / scale == x) else None
