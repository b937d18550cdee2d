"""Numbers as people write them: French, English or Arabic digits, with the marks a profile names.

What has two readings is not read: ``1,234`` alone is a thousand for one reader and one for another.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_MARKS = {"%": "PT", "٪": "PT", "‰": "PM"}
# As programs write very small and very large numbers.
_SCIENTIFIC = re.compile(r"-?\d(?:\.\d+)?[eE][+-]?\d{1,3}")
# Dashes that documents print in the place of a number.
DASHES = frozenset("-–—−")


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes numbers: its decimal mark, and what may stand between thousands."""

    decimal: str = ","
    thousands: tuple[str, ...] = (" ",)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was read: its value, the decimals that are written, the unit mark behind it.

    ``mark`` is ``PT`` (a percent sign), ``PM`` (per mille) or None.
    """

    value: float
    decimals: int
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A text that is no number; ``readings`` are the numbers that it may be, if it is ambiguous."""

    readings: tuple[str, ...] = ()


def read_number(written: object, style: Style) -> Number | Unreadable:
    """Read a number.

    Parameters
    ----------
    written
        The cell: a text, or a number that the workbook stores as one.
    style
        How the file writes numbers. Spaces of any width count as one mark. ``1,234`` has two
        readings unless the style says that commas stand between thousands.

    Returns
    -------
    Number or Unreadable
        Never a guess. A stored number has the decimals of its shortest exact form.
    """
    if isinstance(written, bool):
        return Unreadable()
    if isinstance(written, int | float):
        return _stored(float(written))
    text = _SPACES.sub(" ", str(written)).strip()
    mark = mark_of(text)
    if mark is not None:
        text = text[:-1].rstrip()
    text = "".join(str(unicodedata.digit(c, c)) if c.isdigit() else c for c in text)
    arabic = "٫" in text  # a decimal mark and nothing else, whatever the profile's own is
    text = text.replace("\u2212", "-").replace("٫", style.decimal).replace("٬", " ")
    if style.decimal == "." and _SCIENTIFIC.fullmatch(text):
        read = _stored(float(text))
        return replace(read, mark=mark) if isinstance(read, Number) else read
    declared = style.decimal != "," and "," in style.thousands
    if two_readings(text) and not (arabic or declared):
        return Unreadable((text.replace(",", ""), text.replace(",", ".")))
    match = _pattern(style).fullmatch(text)
    if match is None:
        return Unreadable()
    whole = re.sub(r"\D", "", match["whole"])
    fraction = match["fraction"] or ""
    value = float(f"{match['sign'] or ''}{whole}.{fraction or '0'}")
    return Number(value, len(fraction), mark)


def _stored(value: float) -> Number | Unreadable:
    return Number(value, decimals_of(value)) if math.isfinite(value) else Unreadable()


def decimals_of(value: float) -> int:
    """Return the fewest decimals that hold a number as it is shown, at most 15 digits in all."""
    if not math.isfinite(value):
        return 0
    shortest = format(value, ".15g")
    if "e" in shortest:
        shortest = format(value, ".15f").rstrip("0")
    return min(len(shortest.partition(".")[2]), 15)


def mark_of(written: str) -> str | None:
    """Return the unit code of the percent or per-mille sign behind a number, if there is one."""
    return _MARKS.get(written.strip()[-1:])


def two_readings(text: str) -> bool:
    """Say whether a lone comma with three digits behind it may mean thousands or decimals."""
    return re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", text) is not None


@lru_cache(maxsize=32)
def _pattern(style: Style) -> re.Pattern[str]:
    groups = "|".join(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+" for mark in style.thousands)
    whole = rf"{groups}|\d+" if groups else r"\d+"
    fraction = rf"(?:{re.escape(style.decimal)}(?P<fraction>\d+))?"
    return re.compile(rf"(?P<sign>-)? ?(?P<whole>{whole}){fraction}")
