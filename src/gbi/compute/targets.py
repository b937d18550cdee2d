"""The formulas of achievement: a value against its target, by direction.

Three notions that must not be averaged together: the level against the target, the progress from
a baseline, and the distance to a reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gbi.compute.formulas import as_floats, difference, quotient

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

UP, DOWN, NEAREST = "UP", "DOWN", "NEAREST"
# Floating-point noise that is no difference between two printed values.
NOISE = 1e-9


def achieved(actual: ArrayLike, target: ArrayLike, direction: ArrayLike) -> Floats:
    """Return how much of a target is reached, 1 at the target, not capped.

    Parameters
    ----------
    actual, target
        Values in one unit.
    direction
        ``UP``: actual / target (NaN for a target of 0). ``DOWN``: target / actual (NaN for an
        actual value of 0). Anything else has no level ratio: NaN.
    """
    a, t = as_floats(actual, target)
    way = np.broadcast_to(np.asarray(direction, dtype=object), a.shape)
    out = np.where(way == UP, quotient(a, t), np.nan)
    return np.where(way == DOWN, quotient(t, a), out)


def progress(actual: ArrayLike, target: ArrayLike, baseline: ArrayLike) -> Floats:
    """Return the progress (a − b) / (t − b), in both directions alike; NaN where t = b.

    Below 0 is regression, above 1 more than the target.

    Parameters
    ----------
    actual, target, baseline
        Values in one unit.
    """
    return quotient(difference(actual, baseline), difference(target, baseline))


def distance(value: ArrayLike, reference: ArrayLike) -> Floats:
    """Return the distance |value − reference| of an indicator that should be near to a value.

    Parameters
    ----------
    value, reference
        Values in one unit.
    """
    return np.abs(difference(value, reference))


def within_range(actual: ArrayLike, low: ArrayLike, high: ArrayLike, *, tolerance: float) -> Floats:
    """Return 1 inside a target range, falling to 0 at the tolerance outside it.

    NaN where the value is missing.

    Parameters
    ----------
    actual, low, high
        Values in one unit.
    tolerance
        The distance from the range at which nothing is achieved; 0 makes the range strict.
    """
    a, lowest, highest = as_floats(actual, low, high)
    outside = np.maximum(np.maximum(difference(lowest, a), difference(a, highest)), 0.0)
    missed = quotient(outside, tolerance) if tolerance > 0 else np.sign(outside)
    return np.clip(1.0 - missed, 0.0, 1.0)


def equal(value: ArrayLike, other: ArrayLike) -> NDArray[np.bool_]:
    """Say where two values are known and the same but for floating-point noise.

    Parameters
    ----------
    value, other
        Values in one unit.
    """
    a, b = as_floats(value, other)
    gap = np.abs(difference(a, b))
    return np.asarray(gap <= NOISE * np.maximum(np.abs(a), np.abs(b)), dtype=bool)


def against(
    actual: ArrayLike, target: ArrayLike, direction: ArrayLike, reference: ArrayLike
) -> NDArray[np.bool_]:
    """Say where a target lies on the wrong side of the value.

    Parameters
    ----------
    actual, target, reference
        Values in one unit; the reference is for ``NEAREST`` only.
    direction
        ``UP``: the target is below; ``DOWN``: above; ``NEAREST``: farther from the reference.
        Without a direction nothing is wrong.
    """
    a, t, r = as_floats(actual, target, reference)
    way = np.broadcast_to(np.asarray(direction, dtype=object), a.shape)
    step = difference(t, a)
    apart = np.isfinite(step) & ~equal(a, t)
    away = difference(distance(t, r), distance(a, r))
    noise = NOISE * np.maximum(np.abs(np.nan_to_num(a)), np.abs(np.nan_to_num(t)))
    wrong = ((way == UP) & (step < 0)) | ((way == DOWN) & (step > 0))
    return np.asarray((wrong & apart) | ((way == NEAREST) & (away > noise)), dtype=bool)
