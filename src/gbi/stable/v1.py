"""Version 1 of the frozen interface, the one that a report generator imports.

Names may be added here, never removed or changed; ``tests/pipeline/test_stable.py`` guards it.
"""

from __future__ import annotations

from gbi.dataset import Dataset, Submission
from gbi.errors import GbiError
from gbi.indicators import achievement, gap, gender_marking, share
from gbi.ingest import read, read_submission
from gbi.pipeline import run
from gbi.report import ReportBundle
from gbi.results import Result
from gbi.validation import ValidationReport, rules, validate

__all__ = [
    "Dataset",
    "GbiError",
    "ReportBundle",
    "Result",
    "Submission",
    "ValidationReport",
    "achievement",
    "gap",
    "gender_marking",
    "read",
    "read_submission",
    "rules",
    "run",
    "share",
    "validate",
]
