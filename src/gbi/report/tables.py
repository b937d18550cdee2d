"""The tables of the bundle: every number raw and as it is shown, in three languages.

A cell is null, a text as printed in the source, or an object of ``raw`` and ``display``: a number
with its unit, a code with its label. A report generator copies ``display`` and cites ``raw``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gbi.language import LANGUAGES, texts
from gbi.provenance import canonical
from gbi.report.wording import Words, missing
from gbi.vocabulary import concepts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.results import Result

# What a number is: an amount in the row's unit, a difference of two, a fraction, or a plain number.
_AMOUNTS = {
    "OBS_VALUE", "VALUE", "VALUE_F", "VALUE_M", "VALUE_REALISED", "VALUE_TARGET", "REALISED",
    "TARGET", "AMOUNT", "AMOUNT_STATED", "AMOUNT_EQUALITY", "CREDITS", "DIRECTION_REF",
}  # fmt: skip
_DIFFERENCES = {"GAP_ABS", "DISTANCE", "DISTANCE_ABS", "GAP"}
_FRACTIONS = ("SHARE", "WEIGHT", "GAP_REL")
_PERIODS = ("TIME_PERIOD", "PERIOD_")
_SHOWN_DECIMALS = 4


def cell(row: Mapping[str, Any], column: str) -> Any:
    """Return a cell of the bundle: null, a text, or the raw value with its display."""
    value = row[column]
    if missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        value = canonical(value)
        if isinstance(value, bool):
            return {"raw": value, "display": texts(f"report.answers.{'Y' if value else 'N'}")}
        if isinstance(value, list | dict):
            return ", ".join(map(str, value))
    if isinstance(value, str):
        return _coded(column, value)
    shown = {lang: _shown(Words(lang), row, column, float(value)) for lang in LANGUAGES}
    return {"raw": canonical(value), "display": shown}


def _coded(column: str, value: str) -> Any:
    if column.startswith(_PERIODS):
        return {"raw": value, "display": {lang: Words(lang).period(value) for lang in LANGUAGES}}
    concept = concepts().get(column)
    if column == "UNIT_MEASURE":
        return {"raw": value, "display": {lang: Words(lang).unit(value) for lang in LANGUAGES}}
    if column == "REASON":
        return {"raw": value, "display": {lang: Words(lang).reason(value) for lang in LANGUAGES}}
    if concept is None or concept.codelist is None:
        return value
    listing = concept.codelist
    return {"raw": value, "display": {lang: Words(lang).code(listing, value) for lang in LANGUAGES}}


def _shown(words: Words, row: Mapping[str, Any], column: str, value: float) -> str:
    unit = row.get("UNIT_MEASURE")
    unit = None if missing(unit) else str(unit)
    if column in _DIFFERENCES:
        return words.gap(round(value, _SHOWN_DECIMALS), unit)
    if column in _AMOUNTS:
        return words.value(round(value, _SHOWN_DECIMALS), unit)
    if column.startswith(_FRACTIONS) or column.endswith("_SHARE"):
        return words.share(value, 2)
    return words.number(round(value, _SHOWN_DECIMALS))


def columns(result: Result) -> list[dict[str, Any]]:
    """Return name and heading of every column, in the frame's order."""
    return [
        {"name": str(name), "label": {lang: Words(lang).column(str(name)) for lang in LANGUAGES}}
        for name in result.frame.columns
    ]


def table(name: str, result: Result, figure: str | None) -> dict[str, Any]:
    """Return a result as the bundle holds it.

    Parameters
    ----------
    name
        The table's id.
    result
        What a measure returned.
    figure
        The chart that shows it, or None.
    """
    names = [str(c) for c in result.frame.columns]
    rows = []
    for values in result.frame.itertuples(index=False, name=None):
        row = dict(zip(names, values, strict=True))
        rows.append({column: cell(row, column) for column in names})
    return {
        "id": name,
        "kind": result.kind,
        "title": texts(f"report.results.{result.kind}"),
        "figure": figure,
        "columns": columns(result),
        "rows": rows,
        "meta": canonical(dict(result.meta)),
        "notes": [note.code for note in result.notes],
        "fingerprint": result.provenance.fingerprint,
    }
