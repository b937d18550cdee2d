"""Waivers: a finding that its sender explains, and that the rules let be explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gbi.provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gbi.findings import Finding
    from gbi.validation.catalogue import Rule

LEAST_JUSTIFICATION = 20


@dataclass(frozen=True, slots=True)
class Waiver:
    """What became of a waiver.

    ``status`` is ``applied``; ``refused`` (``reason``: ``justification_too_short``,
    ``author_missing``, ``blocking`` or ``not_waivable``); or ``unmatched``.
    """

    given: Mapping[str, Any]
    status: str
    reason: str | None
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        plain: dict[str, Any] = canonical(dict(self.given))
        return {**plain, "status": self.status, "reason": self.reason,
                "findings": list(self.findings)}  # fmt: skip


def _matches(waiver: Mapping[str, Any], finding: Finding) -> bool:
    if "id" in waiver:
        return bool(waiver["id"] == finding.id)
    key = waiver.get("key", {})
    same = all(finding.key.get(str(k)) == str(v) for k, v in key.items())
    return waiver.get("code") == finding.code and bool(key) and same


def apply_waivers(
    findings: Sequence[Finding],
    waivers: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Rule],
) -> tuple[list[Finding], tuple[Waiver, ...]]:
    """Mark as ``waived`` the findings that a waiver explains.

    Parameters
    ----------
    findings
        What was found.
    waivers
        Each ``{"id": …}`` or ``{"code": …, "key": {column: value, …}}``, with ``justification``
        (at least 20 characters) and ``by``. A key may name a part of the business key.
    rules
        By code. A blocking finding, or one of a rule that isn't waivable, stays open.

    Returns
    -------
    tuple
        The findings, and what became of every waiver.
    """
    current = list(findings)
    outcome = []
    for waiver in waivers:
        hits = [i for i, f in enumerate(current) if _matches(waiver, f)]
        reason = _refusal(waiver, [current[i] for i in hits], rules)
        if reason is None:
            for i in hits:
                current[i] = replace(current[i], status="waived")
        status = "unmatched" if not hits else "refused" if reason else "applied"
        ids = tuple(current[i].id for i in hits)
        outcome.append(Waiver(dict(waiver), status, reason if hits else None, ids))
    return current, tuple(outcome)


def _refusal(
    waiver: Mapping[str, Any], hits: Sequence[Finding], rules: Mapping[str, Rule]
) -> str | None:
    if len(str(waiver.get("justification", "")).strip()) < LEAST_JUSTIFICATION:
        return "justification_too_short"
    if not str(waiver.get("by", "")).strip():
        return "author_missing"
    if any(f.code not in rules or not rules[f.code].waivable for f in hits):
        return "not_waivable"
    if any(f.severity == "blocking" for f in hits):
        return "blocking"
    return None
