"""Totals that a file prints, against the sum of the rows that they are said to sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET
from gbi.findings import Cell, Finding
from gbi.ingest.faults import fault
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gbi.ingest.extraction import Parsed, Records
    from gbi.ingest.profile import Profile

Row = tuple[Mapping[str, Any], Mapping[str, str]]  # a record and its cells
Values = tuple[Any, ...]
_UNIT = ("UNIT_MEASURE", "UNIT_MULT")
_VALUE, _SHOWN = "OBS_VALUE", 20  # a finding names at most this many cells


def differences(parsed: Parsed, profile: Profile) -> list[Finding]:
    """Find the printed totals that are not the sum of their parts.

    A total's parts are the rows of its sheet (of all sheets, where the profile reads them as one
    table) that agree with it in unit and in every dimension that the total names, but for those
    that it sums over. Only totals that the profile calls sums are tested: the total of a rate is
    no sum. The tolerance for k printed figures with the unit u in the last digit is u·(k+1)/2;
    counts and whole units have none.
    """
    if not any(parsed.summed) or profile.table is None:
        return []
    names = [c for c in (*schema(profile.table).key, *_UNIT) if c != "BUDGET_LINE"]
    indexes: dict[tuple[str, ...], dict[Values, list[Row]]] = {}
    out = []
    for (total, origin), over in zip(_paired(parsed.totals), parsed.summed, strict=True):
        if not over:
            continue
        told = tuple(c for c in names if total.get(c) is not None and c not in over)
        if told not in indexes:  # the totals of a file mostly name the same dimensions
            indexes[told] = _indexed(parsed, told)
        whole = parsed.wholes[origin[ORIGIN_SHEET]]
        parts = indexes[told].get((whole, *(total[c] for c in told)), [])
        out += _difference((total, origin), parts, {c: str(total[c]) for c in told})
    return out


def _paired(records: Records) -> Iterator[Row]:
    return zip(records.records, records.origins, strict=True)


def _indexed(parsed: Parsed, columns: tuple[str, ...]) -> dict[Values, list[Row]]:
    out: dict[Values, list[Row]] = {}
    for row in _paired(parsed.rows):
        record, origin = row
        key = (parsed.wholes[origin[ORIGIN_SHEET]], *(record.get(c) for c in columns))
        out.setdefault(key, []).append(row)
    return out


def _difference(total: Row, parts: list[Row], key: dict[str, str]) -> list[Finding]:
    record, origin = total
    if not parts or not all(_is_number(r) for r, _ in (*parts, total)):
        return []  # a part that is missing or suppressed leaves nothing to compare
    if len({tuple(r.get(c) for c in _UNIT) for r, _ in parts}) > 1:
        return []  # nor do parts in several units, where the total names none
    added = sum((_exact(r) for r, _ in parts), Decimal())
    printed = _exact(record)
    decimals = max(int(r.get("DECIMALS") or 0) for r, _ in (*parts, total))
    exact = record.get("UNIT_MULT") in (None, 0) and decimals == 0
    tolerance = Decimal() if exact else Decimal(1).scaleb(-decimals) * (len(parts) + 1) / 2
    if abs(printed - added) <= tolerance:
        return []
    cells = [_cell(origin), *(_cell(where) for _, where in parts[:_SHOWN])]
    return [
        fault("GBI-A030", *cells, key=key, field=_VALUE, found=float(printed),
              expected=float(added), difference=float(printed - added), tolerance=float(tolerance))
    ]  # fmt: skip


def _is_number(record: Mapping[str, Any]) -> bool:
    value = record.get(_VALUE)
    return value is not None and math.isfinite(value)


def _exact(record: Mapping[str, Any]) -> Decimal:
    return Decimal(repr(float(record[_VALUE])))


def _cell(origin: Mapping[str, str]) -> Cell:
    return Cell(origin[ORIGIN_FILE], origin[ORIGIN_SHEET], origin.get(_VALUE, ""))
