"""Waivers: a finding that its sender explains, and that the rules let be explained.

A waiver that lifts nothing is said to lift nothing: what is wrong with it is a finding of family W.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.findings import Cell, make_finding, rule_document, severity_of
from gbi.provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from gbi.findings import Finding
    from gbi.validation.catalogue import Rule

LEAST_JUSTIFICATION = 20
_FIRM_FAMILIES = "FS"  # a file or a structure that can't be read has nothing to explain
_LAST_DAY = (12, 31)
# Table, and the column whose code marks what belongs to years after the exercise.
_EXERCISE = (
    ("budget", "BUDGET_STAGE", "PROGRAMMED"),
    ("performance", "VALUE_KIND", "FORECAST"),
    ("marking", "BUDGET_STAGE", "PROGRAMMED"),
)
# What is wrong with a waiver → the rule that says so.
RULE_OF = {
    "justification_too_short": "GBI-W001",
    "author_missing": "GBI-W002",
    "waiver_expired": "GBI-W003",
    "unmatched": "GBI-W004",
    "blocking": "GBI-W005",
    "not_waivable": "GBI-W005",
    "waiver_twice": "GBI-W006",
    "expires_after_exercise": "GBI-W007",
}
_HARMLESS = ("expires_after_exercise",)  # the waiver counts, until the end of the exercise


@dataclass(frozen=True, slots=True)
class Waiver:
    """What became of a waiver.

    Attributes
    ----------
    given
        The waiver as it was given.
    status
        ``applied``, ``refused`` or ``unmatched``.
    reason
        Why it was refused, or what was set right in an applied one: a key of ``RULE_OF``.
    findings
        The ids of the findings that it names.
    until
        The last day on which it holds (ISO): as given, at most the end of the exercise.
    """

    given: Mapping[str, Any]
    status: str
    reason: str | None
    findings: tuple[str, ...]
    until: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        plain: dict[str, Any] = canonical(dict(self.given))
        return {
            **plain,
            "status": self.status,
            "reason": self.reason,
            "findings": list(self.findings),
            "until": self.until,
        }


def apply_waivers(
    findings: Sequence[Finding],
    waivers: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Rule],
    *,
    as_of: date,
    exercise: int | None = None,
    ran: Collection[str] | None = None,
) -> tuple[list[Finding], tuple[Waiver, ...], list[Finding]]:
    """Mark as ``waived`` the findings that a waiver explains.

    Parameters
    ----------
    findings
        What was found.
    waivers
        Each ``{"id": …}`` or ``{"code": …, "key": {column: value, …}}``, with ``justification``
        (at least 20 characters) and ``by``; ``function``, ``date``, ``expires`` and ``evidence``
        where given. A key may name a part of the business key. ``file``, ``sheet`` and ``a1`` say
        where the waiver stands.
    rules
        By code. A blocking finding, one about a file or its structure, or one of a rule that isn't
        waivable, stays open.
    as_of
        The day of the validation, on which a waiver must still hold.
    exercise
        The budget year. A waiver holds to the end of the year, at most: of the budget year, or
        of the year of ``as_of`` where a past year is validated later, as for a performance report.
    ran
        The codes that were looked at; a waiver of another rule is not reported as unmatched.

    Returns
    -------
    tuple
        The findings, what became of every waiver, and the findings of family W.

    Raises
    ------
    GbiError
        ``GBI-E130`` for a day that is none.
    """
    current = list(findings)
    index = _Index(current)
    end = end_of_exercise(exercise, as_of)
    outcomes: list[Waiver] = []
    said: list[Finding] = []
    settled: set[tuple[object, ...]] = set()
    repeats: defaultdict[tuple[str, str], int] = defaultdict(int)
    for number, waiver in enumerate(waivers, start=1):
        given = day_of(waiver.get("expires"), f"{place_of(waiver)} {number} › expires")
        last = min(given or end, end)
        hits = index.hits(waiver)
        twice = _target(waiver) in settled or (
            bool(hits) and all(current[i].status == "waived" for i in hits)
        )
        faults = _faults(waiver, [current[i] for i in hits], rules, as_of, last, twice)
        if given is not None and given > end and hits and not twice:
            faults.append("expires_after_exercise")
        serious = [f for f in faults if f not in _HARMLESS]
        if not serious:
            for i in hits:
                current[i] = replace(current[i], status="waived")
        status = "applied" if not serious else "refused" if hits or twice else "unmatched"
        if status != "refused":
            settled.add(_target(waiver))
        reason = next(iter(serious or faults), None)
        ids = tuple(current[i].id for i in hits)
        outcomes.append(
            Waiver(
                dict(waiver),
                status,
                None if status == "unmatched" else reason,
                ids,
                last.isoformat(),
            )
        )
        for fault in faults:
            if fault == "unmatched" and not _was_looked_for(waiver, ran):
                continue
            target = target_of(waiver)
            nth = repeats[fault, target]
            repeats[fault, target] += 1
            said.append(_said(fault, waiver, target, as_of, end, given or end, nth))
    return current, tuple(outcomes), said


def exercise_of(tables: Mapping[str, pd.DataFrame]) -> int | None:
    """Return the budget year that the data are about, or None if they do not say.

    Parameters
    ----------
    tables
        By name. The last year of the budget table decides, or else of the results chains, or of
        the marking; programming and forecasts of later years do not count.
    """
    for table, column, later in _EXERCISE:
        frame = tables.get(table)
        if frame is None or "TIME_PERIOD" not in frame.columns:
            continue
        periods = frame["TIME_PERIOD"]
        if column in frame.columns:
            periods = periods[~frame[column].isin([later])]
        years = {int(t[:4]) for p in periods.unique() if (t := str(p))[:4].isdigit()}
        if years:
            return max(years)
    return None


def end_of_exercise(exercise: int | None, as_of: date) -> date:
    """Return the last day of the budget year, or of the year of a later validation."""
    return date(max(exercise or 0, as_of.year), *_LAST_DAY)


class _Index:
    """Findings by id and by code: a waiver must not cost a walk over all of them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._by_id: defaultdict[str, list[int]] = defaultdict(list)
        self._by_code: defaultdict[str, list[int]] = defaultdict(list)
        for i, finding in enumerate(findings):
            self._by_id[finding.id].append(i)
            self._by_code[finding.code].append(i)

    def hits(self, waiver: Mapping[str, Any]) -> list[int]:
        """Return the positions of the findings that a waiver names."""
        if waiver.get("id"):
            code = waiver.get("code")
            found = self._by_id[str(waiver["id"])]
            return [i for i in found if code in (None, "", self._findings[i].code)]
        key = waiver.get("key") or {}
        if not key:  # a whole rule can't be lifted at once
            return []
        return [
            i
            for i in self._by_code[str(waiver.get("code"))]
            if all(self._findings[i].key.get(str(k)) == str(v) for k, v in key.items())
        ]


def _faults(
    waiver: Mapping[str, Any],
    hits: Sequence[Finding],
    rules: Mapping[str, Rule],
    as_of: date,
    last: date,
    twice: bool,
) -> list[str]:
    """Return all that is wrong with a waiver, so that it can be set right in one round."""
    if twice:
        return ["waiver_twice"]
    if not hits:
        return ["unmatched"]
    faults = []
    if len(_written(waiver.get("justification"))) < LEAST_JUSTIFICATION:
        faults.append("justification_too_short")
    if not _written(waiver.get("by")):
        faults.append("author_missing")
    if last < as_of:
        faults.append("waiver_expired")
    if any(_is_firm(f, rules) for f in hits):
        faults.append("not_waivable")
    elif any(f.severity == "blocking" for f in hits):
        faults.append("blocking")
    return faults


def _is_firm(finding: Finding, rules: Mapping[str, Rule]) -> bool:
    """Say whether nothing lifts a finding; rules of a ministry's own have no packaged family."""
    rule = rules.get(finding.code)
    packaged = finding.code.startswith("GBI-")
    return rule is None or not rule.waivable or (packaged and finding.code[4] in _FIRM_FAMILIES)


def _written(value: object) -> str:
    """Return a text without repeated or invisible characters, which explain nothing."""
    visible = "".join(c for c in str(value or "") if unicodedata.category(c) != "Cf")
    return " ".join(visible.split())


def day_of(value: object, where: str) -> date | None:
    """Return a day as it is written in a waiver, or None; ``where`` is for the error."""
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise GbiError("GBI-E130", where=where, got=str(value)) from None


def _target(waiver: Mapping[str, Any]) -> tuple[object, ...]:
    key = waiver.get("key") or {}
    pairs = tuple(sorted((str(k), str(v)) for k, v in key.items()))
    return (waiver["id"],) if waiver.get("id") else (waiver.get("code"), pairs)


def target_of(waiver: Mapping[str, Any]) -> str:
    """Return what a waiver names, as text: the finding's id, or the rule and its key."""
    key = waiver.get("key") or {}
    named = [str(waiver[n]) for n in ("code", "id") if waiver.get(n)]
    return " › ".join([*named, *map(str, key.values())]) or "–"


def place_of(waiver: Mapping[str, Any]) -> Cell:
    """Return where a waiver stands, as far as it is known."""
    return Cell(*(str(waiver.get(name) or "") for name in ("file", "sheet", "a1")))


def _was_looked_for(waiver: Mapping[str, Any], ran: Collection[str] | None) -> bool:
    """Say whether the rule that a waiver names was run; by its id alone that is not known."""
    if ran is None:
        return True
    return str(waiver.get("code", "")) in ran


def _said(
    fault: str,
    waiver: Mapping[str, Any],
    target: str,
    as_of: date,
    end: date,
    expires: date,
    ordinal: int,
) -> Finding:
    """Return the finding about a waiver; its key is what the waiver names."""
    code = RULE_OF[fault]
    place = place_of(waiver)
    found: object = target
    expected: object = None
    match fault:
        case "justification_too_short":
            found = len(_written(waiver.get("justification")))
            expected = LEAST_JUSTIFICATION
        case "waiver_expired":
            found, expected = min(expires, end).isoformat(), as_of.isoformat()
        case "expires_after_exercise":
            found, expected = expires.isoformat(), end.isoformat()
    return make_finding(
        code,
        severity=severity_of(rule_document(code), None, as_of),
        cells=[place] if place.file else [],
        key={"WAIVER": target},
        field="justification",
        found=found,
        expected=expected,
        ordinal=ordinal,
    )
