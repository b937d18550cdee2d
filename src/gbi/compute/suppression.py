"""Rows taken out of a table, and the account of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.compute.person_tables import CONTRIBUTION, HIDDEN, STATUS, VALUE
from gbi.dataset import RAW, Dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What tells about a hidden value beside it in its row.
_BESIDE = ("STD_ERR", "CI_LOWER", "CI_UPPER", "N_OBS", "COMMENT")


@dataclass(frozen=True, slots=True)
class Suppression:
    """What was hidden.

    Attributes
    ----------
    min_n, protection
        The threshold and the least width of what can be known of a hidden cell.
    primary, complementary, ratios
        Rows hidden because they are small, because they would give others away, and because they
        are computed from hidden ones.
    """

    min_n: int
    protection: float
    primary: int
    complementary: int
    ratios: int

    @property
    def suppressed(self) -> int:
        """How many rows are hidden in all."""
        return self.primary + self.complementary + self.ratios

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def hide(data: Any, mask: NDArray[np.bool_]) -> Any:
    """Return a DataFrame or a Dataset with rows hidden: no value, ``OBS_STATUS`` ``Q``.

    Parameters
    ----------
    data
        The table.
    mask
        The rows.
    """
    if isinstance(data, Dataset):
        if not mask.any():
            return data
        origins = data.origins
        if origins is not None and RAW in origins.columns:
            origins = origins.copy()
            origins.loc[mask, RAW] = None
        step = data.provenance.then("suppress", rows=int(mask.sum()))
        return replace(
            data, frame=hide(data.frame, mask), origins=origins, totals=None, provenance=step
        )
    frame = data.copy()
    if STATUS not in frame.columns:
        frame[STATUS] = pd.Series(None, index=frame.index, dtype="str")
    beside = [c for c in (VALUE, *_BESIDE) if c in frame.columns]
    beside += [c for c in frame.columns if str(c).startswith(CONTRIBUTION)]
    for name in beside:
        frame[name] = frame[name].mask(mask)
    if mask.any():
        frame[STATUS] = frame[STATUS].mask(mask, HIDDEN)
    return frame
