"""A finding: one fault, with the cells of all parties, in three languages.

Reading (floor 3) and validation (floor 4) both make findings, so what they share lives here: the
address of a cell, the rule file as the source of severity and words, and the finding itself.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields, replace
from dataclasses import field as data_field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from gbi.errors import GbiError
from gbi.language import LANGUAGES, format_number, isolate, typeset
from gbi.provenance import canonical, canonical_json
from gbi.resources import read_document, resource_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

Severity = Literal["blocking", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("blocking", "warning", "info")
WITHHELD = "…"  # in the place of any value of microdata
_ADDRESSES = 40  # a message names no more cells
_PLACES = 4  # a message shows no more decimals; the finding's fields keep them all
_UNTOLD = ("rule", "params", "mask")  # attributes that are no JSON keys
_CODE = re.compile(r"GBI-([FSTCRAXYPGDW])[0-9]{3}")


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """The place of a value: a file, a sheet (empty for a text file) and an A1 address.

    In a delimited file the address is the cell that a spreadsheet would show: column letter and
    line number.
    """

    file: str
    sheet: str
    a1: str

    def __str__(self) -> str:
        sheet = f"{self.sheet}!" if self.sheet else ""
        return f"{self.file} › {sheet}{self.a1}" if self.a1 else self.file

    def to_dict(self) -> dict[str, str]:
        """Return the three parts as plain values."""
        return {"file": self.file, "sheet": self.sheet, "a1": self.a1}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault found in reading or validation; its fields are the JSON keys.

    Attributes
    ----------
    id
        Twelve hexadecimal digits over code, business key and field: the same fault has the same
        id in the next run, wherever its row has moved.
    code, slug, severity
        The rule and how grave its breach is on the day of validation.
    status
        ``open`` or ``waived``.
    scope
        ``cell``, ``row``, ``group``, ``table``, ``file`` or ``submission``.
    file, sheet, a1
        The place to look at first.
    cells
        The cells of all parties, the first thousand of a fault that has more.
    key
        The business key of the row.
    field
        The column at fault.
    found, expected, difference, tolerance, unit, suggestion
        The substance; numbers raw, texts as written in the file.
    message
        Per language: ``title``, ``seen``, ``expected``, ``fix``.
    rule, params
        The rule's file and the further placeholders of its messages; not among the JSON keys.
    mask
        What is published in the place of figures where a party is a small count of persons or a
        value of microdata (see :meth:`masked`); empty otherwise. Not among the JSON keys.
    """

    id: str
    code: str
    slug: str
    severity: Severity
    status: str
    scope: str
    file: str
    sheet: str
    a1: str
    cells: tuple[Cell, ...]
    key: Mapping[str, str]
    field: str
    found: object
    expected: object
    difference: float | None
    tolerance: float | None
    unit: str | None
    suggestion: str | None
    message: Mapping[str, Mapping[str, str]] = data_field(repr=False)
    rule: Mapping[str, Any] = data_field(default_factory=dict, repr=False, compare=False)
    params: Mapping[str, object] = data_field(default_factory=dict, repr=False, compare=False)
    mask: str = data_field(default="", repr=False)

    def masked(self) -> Finding:
        """Return the finding as it may be published: ``mask`` where it names a figure.

        Figures of the same group are taken out together, for one would give the other.
        """
        if not self.mask:
            return self
        hidden = {n: self._published(v) for n, v in self.params.items()}
        found, expected = self._published(self.found), self._published(self.expected)
        bare = replace(
            self,
            found=found,
            expected=expected,
            difference=None,
            tolerance=None,  # where it goes by the size of a figure it gives the figure
            suggestion=None,
            params=hidden,
        )
        return replace(bare, message=_messages(bare))

    def _published(self, value: object) -> object:
        if value is None:
            return None
        return self.mask if self.mask == WITHHELD or _is_figure(value) else value

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values."""
        out = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _UNTOLD}
        out["cells"] = [cell.to_dict() for cell in self.cells]
        out["message"] = {lang: dict(parts) for lang, parts in self.message.items()}
        plain: dict[str, Any] = canonical(out)
        return plain


@lru_cache(maxsize=512)
def rule_document(code: str) -> dict[str, Any]:
    """Return the checked content of a rule file by the rule's code.

    Raises
    ------
    GbiError
        ``GBI-E004`` if no rule has this code; ``GBI-E003`` if its file breaks the rule schema.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        raise GbiError("GBI-E004", got=code)
    try:
        path = resource_path("schemas", "rules", match[1], f"{code}.yaml")
    except GbiError:
        raise GbiError("GBI-E004", got=code) from None
    return read_document(path, "rule")


def severity_of(rule: Mapping[str, Any], table: str | None, as_of: date) -> Severity:
    """Return a rule's severity for a table on a day.

    Of the entries in force (``from`` ≤ day ≤ ``to``), one that names the table wins over one that
    names none, and a later one over an earlier one.
    """
    day = as_of.isoformat()
    in_force = [
        entry
        for entry in rule["severity"]
        if entry["from"] <= day <= entry.get("to", "9999-12-31")
        and (not entry.get("tables") or table in entry["tables"])
    ]
    if not in_force:
        return "info"
    best = max(in_force, key=lambda e: (bool(e.get("tables")), e["from"]))
    level: Severity = best["level"]
    return level


def finding_id(code: str, key: Mapping[str, object], column: str, ordinal: int = 0) -> str:
    """Return the stable identity of a fault (see :class:`Finding`)."""
    seed = canonical_json([code, {k: str(v) for k, v in key.items()}, column, ordinal])
    return hashlib.sha256(seed.encode()).hexdigest()[:12]


def _shown(value: object, lang: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        shown = format_number(round(value, _PLACES) if abs(value) > 1 else value, lang)
        return isolate(shown) if lang == "ar" else shown
    return isolate(value) if lang == "ar" else str(value)


def _is_figure(value: object) -> bool:
    """Say whether a value is a number, or a text that is written like one."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[-+−]?[\d\s.,٫٬]*\d[\d\s.,٫٬]*", value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(addresses: list[str]) -> str:
    """Return addresses as a text, the first ones of very many."""
    more = ", …" if len(addresses) > _ADDRESSES else ""
    return ", ".join(addresses[:_ADDRESSES]) + more


def _messages(finding: Finding) -> dict[str, dict[str, str]]:
    """Return the texts of a finding, its substance filled in."""
    message: dict[str, dict[str, str]] = {}
    for lang in LANGUAGES:
        values: dict[str, object] = {
            "found": finding.found,
            "expected": finding.expected,
            "difference": finding.difference,
            "tolerance": finding.tolerance,
            "unit": finding.unit,
            "suggestion": finding.suggestion,
            "field": finding.field,
            "cell": finding.a1,
            "sheet": finding.sheet,
            "file": finding.file,
            "cells": _listed([c.a1 for c in finding.cells]),
            "key": " › ".join(finding.key.values()),
            **finding.params,
        }
        shown = {name: _shown(value, lang) for name, value in values.items()}
        message[lang] = {
            part: typeset(template, lang).format(**shown)
            for part, template in finding.rule["messages"][lang].items()
        }
    return message


def make_finding(
    code: str,
    *,
    rule: Mapping[str, Any] | None = None,
    severity: Severity,
    cells: Iterable[Cell],
    key: Mapping[str, object] | None = None,
    field: str = "",
    found: object = None,
    expected: object = None,
    difference: float | None = None,
    tolerance: float | None = None,
    unit: str | None = None,
    suggestion: str | None = None,
    ordinal: int = 0,
    mask: str = "",
    **params: object,
) -> Finding:
    """Build a finding from a rule file and what was seen.

    Parameters
    ----------
    code
        The rule's code.
    rule
        The rule's file; by default the packaged one of this code.
    severity
        From :func:`severity_of`.
    cells
        All parties, the one to look at first in front.
    key, field
        Business key and column at fault.
    found, expected, difference, tolerance, unit, suggestion
        The substance; all are placeholders of the rule's messages too.
    ordinal
        Tells apart several faults of one rule at the same key and column.
    mask
        What is published in the place of figures (see :class:`Finding`).
    **params
        Further placeholders.
    """
    document = rule_document(code) if rule is None else rule
    places = tuple(cells)
    first = places[0] if places else Cell("", "", "")
    named = {str(k): str(v) for k, v in (key or {}).items()}
    bare = Finding(
        id=finding_id(
            code,
            named or {"file": first.file, "sheet": first.sheet, "a1": first.a1},
            field,
            ordinal,
        ),
        code=code,
        slug=document["slug"],
        severity=severity,
        status="open",
        scope=document["scope"],
        file=first.file,
        sheet=first.sheet,
        a1=first.a1,
        cells=places,
        key=named,
        field=field,
        found=found,
        expected=expected,
        difference=difference,
        tolerance=tolerance,
        unit=unit,
        suggestion=suggestion,
        message={},
        rule=document,
        params=params,
        mask=mask,
    )
    return replace(bare, message=_messages(bare))


def placed(finding: Finding) -> tuple[Any, ...]:
    """Return what findings are sorted by: severity, file, sheet, row, column, code."""
    match = re.fullmatch(r"([A-Z]+)([0-9]+)", finding.a1)
    row, column = (int(match[2]), match[1]) if match else (0, "")
    return (
        SEVERITIES.index(finding.severity),
        finding.file,
        finding.sheet,
        row,
        len(column),
        column,
        finding.code,
        finding.id,
    )
