"""Totals that a file prints, against the sum of the rows that they are said to sum."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET
from gbi.findings import Cell, Finding
from gbi.ingest.faults import fault
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gbi.ingest.extraction import Parsed, Records
    from gbi.ingest.profile import Profile

_VALUE, _SHOWN = "OBS_VALUE", 20  # a finding names at most this many cells


def differences(parsed: Parsed, profile: Profile) -> list[Finding]:
    """Find the printed totals that are not the sum of their parts.

    A total's parts are the rows that agree with it in every dimension that the total names, other
    than by the total's own code. Only totals that the profile calls sums are tested: the total of
    a rate is no sum. The tolerance for k printed figures with the unit u in the last digit is
    u·(k+1)/2 (design.md, section 6).
    """
    sums = {t["column"]: t["code"] for t in profile.totals if t.get("sums")}
    if not sums or profile.table is None:
        return []
    names = [c for c in schema(profile.table).key if c != "BUDGET_LINE"]
    return [
        found
        for total, origin in _paired(parsed.totals)
        if any(total.get(c) == code for c, code in sums.items())
        for found in _difference(total, origin, parsed, names, sums)
    ]


def _paired(records: Records) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    return zip(records.records, records.origins, strict=True)


def _difference(
    total: Mapping[str, Any], origin: Mapping[str, str], parsed: Parsed, names: list[str],
    sums: Mapping[str, str],
) -> Iterator[Finding]:  # fmt: skip
    told = {
        c: total[c] for c in names if total.get(c) not in (None, "") and total[c] != sums.get(c)
    }
    parts = [
        (record, where)
        for record, where in _paired(parsed.rows)
        if all(record.get(c) == value for c, value in told.items())
        and record.get("UNIT_MULT") == total.get("UNIT_MULT")
    ]
    if not parts or not all(_is_number(r) for r, _ in (*parts, (total, origin))):
        return  # a part that is missing or suppressed leaves nothing to compare
    added = float(sum(Decimal(repr(record[_VALUE])) for record, _ in parts))
    printed = float(total[_VALUE])
    decimals = max(int(r.get("DECIMALS") or 0) for r, _ in (*parts, (total, origin)))
    exact = total.get("UNIT_MULT") in (None, 0) and decimals == 0
    tolerance = 0.0 if exact else 10.0**-decimals * (len(parts) + 1) / 2
    if abs(printed - added) > tolerance:
        cells = [_cell(origin), *(_cell(where) for _, where in parts[:_SHOWN])]
        yield fault("GBI-A030", *cells, key={c: str(v) for c, v in told.items()}, field=_VALUE,
                    found=printed, expected=added, difference=printed - added,
                    tolerance=tolerance)  # fmt: skip


def _is_number(record: Mapping[str, Any]) -> bool:
    value = record.get(_VALUE)
    return value is not None and math.isfinite(value)


def _cell(origin: Mapping[str, str]) -> Cell:
    return Cell(origin[ORIGIN_FILE], origin[ORIGIN_SHEET], origin.get(_VALUE, ""))
