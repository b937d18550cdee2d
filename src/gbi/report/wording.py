"""Words and figures of the report in one language: numbers with their unit, codes, periods.

Everything that a reader sees passes through here, so that a value looks the same in the bundle, on
the page, in a chart and in the workbook.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from gbi.language import format_number, has_text, isolate, resolve_language, text
from gbi.vocabulary import concepts, label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.language import Language

NBSP, THIN = "\u00a0", "\u202f"
DASH = "–"
_SCHOOL_YEAR = re.compile(r"^(\d{4})-A1$")
_PERCENT, _POINTS = "PT", "PP"
_BILLION = 1e9


def missing(value: object) -> bool:
    """Say whether a cell is empty: None, NaN or NA."""
    if value is None or isinstance(value, str | list | tuple | dict):
        return value is None
    return bool(pd.isna(value))  # type: ignore[call-overload]


class Words:
    """The words of one language.

    Parameters
    ----------
    lang
        ``fr``, ``ar`` or ``en``; resolved as everywhere.
    """

    def __init__(self, lang: str | None = None) -> None:
        self.lang: Language = resolve_language(lang)

    @property
    def rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.lang == "ar"

    def __call__(self, key: str, **params: object) -> str:
        """Return a text of ``labels/report.yaml``; parameters keep their own direction."""
        return self._text(f"report.{key}", params)

    def say(self, key: str, **params: object) -> str:
        """Return a text of ``labels/outputs.yaml``, as for the report's own."""
        return self._text(f"outputs.{key}", params)

    def _text(self, key: str, params: Mapping[str, object]) -> str:
        shown = {name: self.aside(value) for name, value in params.items()}
        return text(key, self.lang, **shown)

    def aside(self, value: object) -> str:
        """Return a number, code or foreign text so that it keeps its direction in Arabic."""
        shown = self.number(value) if isinstance(value, int | float) else str(value)
        return isolate(shown) if self.rtl and shown and not shown.startswith("\u2066") else shown

    def number(self, value: object, decimals: int | None = None) -> str:
        """Write a number; an en dash where there is none."""
        if missing(value):
            return DASH
        return format_number(float(value), self.lang, decimals=decimals)  # type: ignore[arg-type]

    def value(
        self,
        value: object,
        unit: str | None = None,
        *,
        decimals: int | None = None,
        signed: bool = False,
    ) -> str:
        """Write a number with the sign of its unit where the unit has one (``%``, points).

        In Arabic the number keeps its own direction, so that its sign stands before it; the word
        "point" follows in the direction of the text.
        """
        if missing(value):
            return DASH
        written = self.number(value, decimals)
        if signed and float(value) > 0:  # type: ignore[arg-type]
            written = "+" + written
        if unit == _PERCENT:
            written = f"{written}%" if self.lang == "en" else f"{written}{NBSP}%"
        if self.rtl:
            written = isolate(written)
        return f"{written}{NBSP}{self('units.points_short')}" if unit == _POINTS else written

    def number_signed(self, value: object, decimals: int | None = None) -> str:
        """Write a number with its sign, plus included."""
        return self.value(value, decimals=decimals, signed=True)

    def gap(self, value: object, unit: str | None, decimals: int | None = None) -> str:
        """Write a gap with its sign; a gap between percentages is in points."""
        return self.value(
            value, _POINTS if unit == _PERCENT else unit, decimals=decimals, signed=True
        )

    def share(self, value: object, decimals: int = 1) -> str:
        """Write a fraction as a percentage."""
        if missing(value):
            return DASH
        return self.value(float(value) * 100, _PERCENT, decimals=decimals)  # type: ignore[arg-type]

    def billions(self, value: object, decimals: int = 1) -> str:
        """Write an amount in dirhams as billions of dirhams, without the unit."""
        return DASH if missing(value) else self.number(float(value) / _BILLION, decimals)  # type: ignore[arg-type]

    def unit(self, unit: object, mult: object = 0) -> str:
        """Return the name of a unit with its multiplier (``MAD`` and 6: million dirhams)."""
        if missing(unit):
            return ""
        power = 0 if missing(mult) else int(mult)  # type: ignore[call-overload]
        for key in (f"units.{unit}_{power}", f"units.{unit}"):
            if has_text(f"report.{key}"):
                return self(key)
        return str(unit)

    def period(self, value: object) -> str:
        """Write a period; a school year ``2014-A1`` as ``2014/15``."""
        if missing(value):
            return DASH
        match = _SCHOOL_YEAR.match(str(value))
        return f"{match[1]}/{(int(match[1]) + 1) % 100:02d}" if match else str(value)

    def code(self, listing: str, code: object, *, fallback: str | None = None) -> str:
        """Return the label of a code; the fallback, or the code itself, where it has none."""
        if missing(code):
            return DASH
        found = label(listing, str(code), self.lang)
        return fallback if fallback and found == str(code) else found

    def names(self, key: Mapping[str, str]) -> str:
        """Write a business key: codes as labels, periods as they are shown, texts as they are."""
        parts = []
        for column, value in key.items():
            concept = concepts().get(column)
            if column == "TIME_PERIOD":
                parts.append(self.period(value))
            elif concept is None or concept.codelist is None:
                parts.append(value)
            else:
                parts.append(self.code(concept.codelist, value))
        return " › ".join(parts)

    def entry(self, group: str, code: object) -> str:
        """Return a word of ``report.<group>``, or the code itself where the catalogue has none."""
        key = f"{group}.{code}"
        return self(key) if has_text(f"report.{key}") else str(code)

    def reason(self, code: object) -> str:
        """Return why a value is missing or not computable; the code itself where it is unknown."""
        key = f"notes.{code}"
        return text(key, self.lang) if has_text(key) else str(code)

    def column(self, name: str) -> str:
        """Return a column's heading: ours, else the concept's, else its name."""
        if has_text(f"report.columns.{name}"):
            return self(f"columns.{name}")
        known = concepts().get(name)
        return name if known is None else known.label(self.lang)
