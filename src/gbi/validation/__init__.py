"""Validation: rules as data, one engine, findings that name their cells."""

from __future__ import annotations

from gbi.validation.catalogue import rules
from gbi.validation.comparison import Comparison, compare
from gbi.validation.engine import validate
from gbi.validation.report import ValidationReport
from gbi.validation.waiver_file import read_waivers

__all__ = ["Comparison", "ValidationReport", "compare", "read_waivers", "rules", "validate"]
