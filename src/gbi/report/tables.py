"""The tables of the bundle: every number raw and as it is shown, in three languages.

A cell is null, a text as printed in the source, or an object of ``raw`` and ``display``: a number
with its unit, a code with its label. A report generator copies ``display`` and cites ``raw``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gbi.language import LANGUAGES, texts
from gbi.provenance import canonical
from gbi.report.wording import Words, missing
from gbi.vocabulary import concepts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gbi.results import Result

# What a number is: an amount in the row's unit, a difference of two, a fraction, or a plain number.
_AMOUNTS = {
    "OBS_VALUE", "VALUE_F", "VALUE_M", "VALUE_REALISED", "VALUE_TARGET", "VALUE_MEMBER",
    "VALUE_UNKNOWN", "DENOMINATOR", "REFERENCE", "DIRECTION_REF", "AMOUNT_STATED",
    "WEIGHTED_AMOUNT",
}  # fmt: skip
_DIFFERENCES = {"GAP_ABS", "GAP_REF", "DIFFERENCE", "DISTANCE", "DISTANCE_TARGET"}
_FRACTIONS = ("SHARE", "WEIGHT", "GAP_REL", "SEX_KNOWN")
# Columns of results whose codes are those of a list under another name.
_LISTS = {"LEVEL": "CL_MARK_LEVEL", "FINAL_STATED_INPUTS": "CL_MARK"}
_MARK = re.compile(r"(?:(?:GRID|SHARE|FINAL)_)?MARK(?:_STATED)?")
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
            answer = "Y" if value else "N"
            return {"raw": value, "display": _each(lambda w: w.code("CL_YESNO", answer))}
        if isinstance(value, list | dict):
            return ", ".join(map(str, value))
    if isinstance(value, str):
        return _coded(column, value, row)
    shown = _each(lambda w: _shown(w, row, column, float(value)))
    return {"raw": canonical(value), "display": shown}


def _coded(column: str, value: str, row: Mapping[str, Any]) -> Any:
    concept = concepts().get(column)
    listing = _LISTS.get(column) or (concept.codelist if concept is not None else None)
    if column.startswith(_PERIODS):
        shown = _each(lambda w: w.period(value))
    elif column == "UNIT_MEASURE":
        shown = _each(lambda w: w.unit(value, row.get("UNIT_MULT")))
    elif column.startswith("REASON"):
        shown = _each(lambda w: w.reason(value))
    elif column == "STATUS":
        shown = _each(lambda w: w.entry("coverage_statuses", value))
    elif column == "PARITY_BAND":
        shown = _each(lambda w: w.entry("parity_bands", value))
    elif _MARK.fullmatch(column) or listing == "CL_MARK":
        shown = _each(lambda w: _marked(w, value))
    elif listing is not None:
        shown = _each(lambda w: w.code(listing, value))
    else:
        return value
    return {"raw": value, "display": shown}


def _each(say: Callable[[Words], str]) -> dict[str, str]:
    return {lang: say(Words(lang)) for lang in LANGUAGES}


def _marked(words: Words, mark: str) -> str:
    """Write a mark with what it stands for."""
    meaning = words.code("CL_MARK", mark)
    return words.aside(mark) if meaning == mark else f"{words.aside(mark)} ({meaning})"


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
        {"name": name, "label": {lang: Words(lang).column(name) for lang in LANGUAGES}}
        for name in map(str, result.frame.columns)
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
