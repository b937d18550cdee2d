"""Slips of the pen: which simple one turns the figure that is needed into the figure read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEW = 20  # printed values that would do; among more, some slip would always fit
_SHIFTS = (("thousandfold", (3, -3, 6, -6)), ("decimal", (1, -1, 2, -2)))
_MOST_DIGITS = 15
_NEAR = 1e-6
_AT_MOST = 0.05


def explain(found: float, low: float, high: float, unit: float) -> tuple[float | None, str]:
    """Return the one printed value that would do, and the slip that explains the one read.

    Parameters
    ----------
    found
        The figure as read.
    low, high
        The least and the greatest value that would do.
    unit
        The unit of its last printed digit.

    Returns
    -------
    tuple
        The value, None where several would do and no slip tells them apart; and ``sign``,
        ``thousandfold``, ``decimal``, ``transposition``, ``extra_digit``, ``missing_digit``,
        ``digit`` or an empty text.
    """
    if math.isinf(low) or math.isinf(high):
        return None, ""
    first, last = _printable(low, high, unit)
    value = first * unit if first == last else None
    tidy = None if value is None else _tidy(value, unit)
    if low - _NEAR * unit <= -found <= high + _NEAR * unit and found:
        return _tidy(-found, unit), "sign"
    for kind, powers in _SHIFTS:
        for power in powers:
            moved = found * 10.0**power
            room = _room(kind, moved, unit * 10.0**power) + _NEAR * unit
            if found and low - room <= moved <= high + room:
                return (_tidy(moved, unit) if low <= moved <= high else tidy), kind
    if last - first >= _FEW or abs(found) / unit >= 10.0**_MOST_DIGITS:
        return tidy, ""
    for kind, number in _misread(round(abs(found) / unit)):
        signed = math.copysign(number, found)
        if first <= signed <= last:
            return _tidy(signed * unit, unit), kind
    return tidy, ""


def printed(low: float, high: float, unit: float) -> tuple[float, float]:
    """Return the ends of an interval as they can be printed; as they are if it holds no such."""
    if math.isinf(low) or math.isinf(high):
        return low, high
    first, last = _printable(low, high, unit)
    if first > last:
        return low, high
    return _tidy(first * unit, unit), _tidy(last * unit, unit)


def _room(kind: str, moved: float, unit: float) -> float:
    """Return by how much a figure in another unit may miss: what was rounded away, at most 5 %."""
    return min(unit / 2.0, _AT_MOST * abs(moved)) if kind == "thousandfold" else 0.0


def _printable(low: float, high: float, unit: float) -> tuple[int, int]:
    """Return the first and the last multiple of a unit between two values."""
    return math.ceil(low / unit - _NEAR), math.floor(high / unit + _NEAR)


def _tidy(value: float, unit: float) -> float:
    """Return a value without the noise that multiplying by a printed unit leaves."""
    return round(value, max(0, round(-math.log10(unit))))


def _misread(number: int) -> Iterator[tuple[str, int]]:
    """Yield what the digits of a number may have been before one slip, the plainest slip first."""
    digits = str(number)
    for i in range(len(digits) - 1):
        yield "transposition", int(digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :])
    if len(digits) > 1:
        for i in range(len(digits)):
            yield "extra_digit", int(digits[:i] + digits[i + 1 :])
    for i in range(len(digits) + 1):
        for digit in "0123456789":
            yield "missing_digit", int(digits[:i] + digit + digits[i:])
    for i in range(len(digits)):
        for digit in "0123456789":
            yield "digit", int(digits[:i] + digit + digits[i + 1 :])
