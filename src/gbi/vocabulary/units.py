"""Units of measure and their powers of ten, as Moroccan budget documents write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gbi.language import fold
from gbi.vocabulary.labels import match_label

# Written unit → (UNIT_MEASURE, UNIT_MULT). MMDH is a thousand million ("milliards").
_MONEY = {"kmad": 3, "kdh": 3, "mdh": 6, "mmad": 6, "mmdh": 9, "mdmad": 9}
_POWERS = {
    "milliers": 3,
    "mille": 3,
    "thousands": 3,
    "millions": 6,
    "milliards": 9,
    "billions": 9,
}
# "in thousands of dirhams" and its kin, as fold() leaves them (without hamza and madda).
_ARABIC = re.compile(r"ب?(?:(?P<power>الاف|ملايين|ملايير|مليارات) )?(?:من )?(?:ال)?(?:دراهم|درهم)")
_ARABIC_POWERS = {"الاف": 3, "ملايين": 6, "ملايير": 9, "مليارات": 9, None: 0}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: SDMX ``UNIT_MEASURE`` and the power of ten ``UNIT_MULT``."""

    measure: str
    mult: int = 0


def read_unit(label: str) -> Unit | None:
    """Read a written unit.

    Parameters
    ----------
    label
        For example ``MDH``, ``En dirhams``, ``milliers de DH``, ``%``, ``milliers``, ``m2``.

    Returns
    -------
    Unit or None
        None if the unit is not known: it is for the caller to report, never to guess. ``milliers``
        alone is thousands of what is counted.
    """
    known = match_label("CL_UNIT_MEASURE", label).code
    if known is not None:
        return Unit(known)
    written = re.sub(r"^(en|in)\s+", "", fold(label).strip(" ()[]."))
    if written in _MONEY:
        return Unit("MAD", _MONEY[written])
    if (arabic := _ARABIC.fullmatch(written)) is not None:
        return Unit("MAD", _ARABIC_POWERS[arabic["power"]])
    match = re.fullmatch(r"(\w+)(?:\s+(?:de\s+|d'|of\s+)?(.+))?", written)
    if match and match[1] in _POWERS:
        of_what = read_unit(match[2]) if match[2] else Unit("NUMBER")
        return None if of_what is None else Unit(of_what.measure, of_what.mult + _POWERS[match[1]])
    code = match_label("CL_UNIT_MEASURE", written).code
    return None if code is None else Unit(code)


def unit_in_title(title: str) -> Unit | None:
    """Return the unit that a title declares: in brackets, or after "en" ("en milliers de DH").

    Returns None if the title declares none, or none that is known.
    """
    candidates = re.findall(r"[(\[]([^()\[\]]*)[)\]]", title)
    bare = title.strip().rstrip(".:")
    candidates += re.findall(r"(?:^|[\s,;:-])en\s+([\w\s'’%‰]+)$", bare, re.IGNORECASE)
    for candidate in candidates:
        for part in (candidate, *candidate.split(",")):
            unit = read_unit(part)
            if unit is not None:
                return unit
    return None
