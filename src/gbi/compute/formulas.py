"""The formulas of parity, gaps and achievement: pure functions over arrays.

Everything is NaN where it is not defined: a side is missing, or a denominator is 0. Nothing is
rounded, and numpy never warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

PARITY_LOW, PARITY_HIGH = 0.97, 1.03
_DIVISION_NOISE = 1e-14
PARITY, AGAINST_WOMEN, AGAINST_MEN = "PARITY", "AGAINST_F", "AGAINST_M"


def as_floats(*values: ArrayLike) -> list[Floats]:
    """Return values as float arrays of one shape; None is NaN.

    Parameters
    ----------
    *values
        Numbers or arrays that can be broadcast together.
    """
    arrays = [np.asarray(v, dtype=np.float64) for v in values]
    return [np.asarray(a, dtype=np.float64) for a in np.broadcast_arrays(*arrays)]


def quotient(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Return a / b, NaN where a or b is missing or b is 0.

    Parameters
    ----------
    numerator, denominator
        Arrays of one shape, or broadcastable.
    """
    a, b = as_floats(numerator, denominator)
    defined = np.isfinite(a) & np.isfinite(b) & (b != 0)
    out = np.full(a.shape, np.nan)
    with np.errstate(all="ignore"):
        np.divide(a, b, out=out, where=defined)
    out[~np.isfinite(out)] = np.nan
    return out


def difference(minuend: ArrayLike, subtrahend: ArrayLike) -> Floats:
    """Return a − b, NaN where one of them is missing.

    Parameters
    ----------
    minuend, subtrahend
        Arrays of one shape, or broadcastable.
    """
    a, b = as_floats(minuend, subtrahend)
    out = np.full(a.shape, np.nan)
    np.subtract(a, b, out=out, where=np.isfinite(a) & np.isfinite(b))
    return out


def absolute_gap(women: ArrayLike, men: ArrayLike) -> Floats:
    """Return the gap F − M in the unit of the values (percentage points for rates).

    Parameters
    ----------
    women, men
        The value of each side.
    """
    return difference(women, men)


def relative_gap(women: ArrayLike, men: ArrayLike) -> Floats:
    """Return the gap relative to men, (F − M) / M = parity − 1; NaN where M is 0.

    Parameters
    ----------
    women, men
        The value of each side.
    """
    return quotient(difference(women, men), men)


def parity(women: ArrayLike, men: ArrayLike) -> Floats:
    """Return the gender parity index F / M (UNESCO-UIS, SDG 4.5.1); NaN where M is 0.

    Parameters
    ----------
    women, men
        The same rate for each side.
    """
    return quotient(women, men)


def adjusted_parity(women: ArrayLike, men: ArrayLike) -> Floats:
    """Return the adjusted parity index: F / M up to parity, 2 − M / F above (UIS, SDG 4.5.1).

    It lies in [0, 2], and ``adjusted_parity(a, b) == 2 - adjusted_parity(b, a)``. With M = 0 < F
    it is 2, where the plain index is not defined; 0 to 0 is NaN.

    Parameters
    ----------
    women, men
        The same rate for each side, not negative.
    """
    f, m = as_floats(women, men)
    defined = (f >= 0) & (m >= 0)
    return np.where(defined, np.where(f <= m, quotient(f, m), 2.0 - quotient(m, f)), np.nan)


def parity_band(
    index: ArrayLike, *, low: float = PARITY_LOW, high: float = PARITY_HIGH
) -> NDArray[np.object_]:
    """Return where unrounded parity indices lie: ``PARITY``, ``AGAINST_F``, ``AGAINST_M``, None.

    Parameters
    ----------
    index
        Parity indices F / M; NaN gives None.
    low, high
        The bounds, both inside the band; by default 0.97 and 1.03 (UNESCO-UIS). A quotient that
        lies beside a bound by the noise of binary division alone lies on it (2.134 / 2.2).
    """
    (x,) = as_floats(index)
    out = np.full(x.shape, None, dtype=np.object_)
    below, beyond = x < low * (1 - _DIVISION_NOISE), x > high * (1 + _DIVISION_NOISE)
    out[below], out[beyond] = AGAINST_WOMEN, AGAINST_MEN
    out[np.isfinite(x) & ~below & ~beyond] = PARITY
    return out


def closure(first: ArrayLike, last: ArrayLike) -> Floats:
    """Return the part of a gap that was closed, (g0 − g1) / g0; NaN where there was no gap.

    Below 0 the gap widened, above 1 its sign turned.

    Parameters
    ----------
    first, last
        The gap at the start and at the end, signed alike.
    """
    return quotient(difference(first, last), first)


def member_share(members: ArrayLike, others: ArrayLike) -> Floats:
    """Return members / (members + others), the share of women for women and men.

    Parameters
    ----------
    members, others
        Counts or amounts; persons of unknown sex are in neither.
    """
    f, m = as_floats(members, others)
    with np.errstate(all="ignore"):
        return quotient(f, f + m)


def share_of_ratio(ratio: ArrayLike) -> Floats:
    """Return the share r / (1 + r) of a ratio of women to men."""
    (r,) = as_floats(ratio)
    return quotient(r, 1.0 + r)
