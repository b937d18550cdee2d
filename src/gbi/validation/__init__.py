"""Validation: rules as data, one engine, findings that name their cells."""

from __future__ import annotations

from gbi.validation.catalogue import rules
from gbi.validation.engine import validate
from gbi.validation.report import ValidationReport

__all__ = ["ValidationReport", "rules", "validate"]
