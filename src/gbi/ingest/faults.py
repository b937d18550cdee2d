"""Findings of reading: a fault with its place, graded as the rule's newest severity says."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gbi.findings import Finding, make_finding, rule_document, severity_of

if TYPE_CHECKING:
    from gbi.findings import Cell


def fault(code: str, *cells: Cell, **substance: Any) -> Finding:
    """Return a finding of reading; validation grades it again by its own day."""
    severity = severity_of(rule_document(code), None, date.max)
    return make_finding(code, severity=severity, cells=cells, **substance)
