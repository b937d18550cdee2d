"""Gender-disaggregated budget indicator analytics.

Few verbs over data frames: :func:`read` a file or :func:`read_submission` a folder,
:func:`validate` it, measure it (:func:`gap`, :func:`share`, :func:`achievement`,
:func:`gender_marking`), or do all of it with :func:`run`. What is not among the few public
names lives in :mod:`gbi.indicators`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gbi.compute.small_cells import SmallCells
    from gbi.dataset import Dataset, Submission
    from gbi.errors import GbiError
    from gbi.indicators import achievement, gap, gender_marking, share
    from gbi.ingest import read, read_submission, sniff, write, write_template
    from gbi.pipeline import run
    from gbi.report import ReportBundle, style
    from gbi.results import Result
    from gbi.schemas import schema
    from gbi.validation import ValidationReport, compare, rules, validate
    from gbi.vocabulary import codelist

    __version__: str

# Name → module. Nothing is imported before it is asked for: `import gbi` costs nothing, and a
# command that only prints help loads neither pandas nor matplotlib.
_EXPORTS = {
    "Dataset": "gbi.dataset",
    "GbiError": "gbi.errors",
    "ReportBundle": "gbi.report",
    "Result": "gbi.results",
    "SmallCells": "gbi.compute.small_cells",
    "Submission": "gbi.dataset",
    "ValidationReport": "gbi.validation",
    "achievement": "gbi.indicators",
    "codelist": "gbi.vocabulary",
    "compare": "gbi.validation",
    "gap": "gbi.indicators",
    "gender_marking": "gbi.indicators",
    "read": "gbi.ingest",
    "read_submission": "gbi.ingest",
    "rules": "gbi.validation",
    "run": "gbi.pipeline",
    "schema": "gbi.schemas",
    "share": "gbi.indicators",
    "sniff": "gbi.ingest",
    "style": "gbi.report",
    "validate": "gbi.validation",
    "write": "gbi.ingest",
    "write_template": "gbi.ingest",
}

__all__ = [
    "Dataset",
    "GbiError",
    "ReportBundle",
    "Result",
    "SmallCells",
    "Submission",
    "ValidationReport",
    "achievement",
    "codelist",
    "compare",
    "gap",
    "gender_marking",
    "read",
    "read_submission",
    "rules",
    "run",
    "schema",
    "share",
    "sniff",
    "style",
    "validate",
    "write",
    "write_template",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    if name == "__version__":
        from gbi.provenance import gbi_version as version

        return version()
    if name not in _EXPORTS:
        raise AttributeError(f"module 'gbi' has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
