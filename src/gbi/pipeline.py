"""The main job: a folder of files in, a bundle of evidence out.

Read → validate → measure → report. What can be measured is measured and written also when the
verdict is a rejection; what can't be is written as a note with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gbi.compute.person_tables import HIDDEN
from gbi.compute.small_cells import SmallCells
from gbi.errors import GbiError
from gbi.indicators import achievement, budget_structure, gap, gender_marking
from gbi.ingest import read_submission
from gbi.ingest.safety import LIMITS
from gbi.language import language, text
from gbi.report import ReportBundle, write_status
from gbi.resources import resource_path
from gbi.results import Note, Result
from gbi.validation import validate
from gbi.validation.annotation import annotate

if TYPE_CHECKING:
    from gbi.dataset import Dataset, Submission
    from gbi.ingest.safety import Limits
    from gbi.validation import ValidationReport

Progress = Callable[[int, int, str], None]
SAMPLE = "maroc-plf2025"
ANNOTATED = "annotated"

_SERIES = ("DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR", "PAIR_ID", "VALUE_KIND")
_GROUPS = ("AGE", "URBANISATION", "EDUCATION_LEV", "INCOME_WEALTH_QUANTILE", "DISABILITY_STATUS",
           "POPULATION_GROUP", "ACTIVITY", "REF_AREA")  # fmt: skip


def _performance_gaps(data: Dataset) -> Result:
    return gap(data, by=[*_SERIES, "TIME_PERIOD"])


def _national_gaps(data: Dataset) -> Result:
    present = [g for g in _GROUPS if g in data.frame.columns]
    return gap(data, by=["INDICATOR", *present, "SOURCE", "TIME_PERIOD"])


@dataclass(frozen=True, slots=True)
class Analysis:
    """One measure of the standard analysis: its table, its function, its chart."""

    name: str
    table: str
    measure: Callable[[Dataset], Result]
    figure: str | None


STANDARD: tuple[Analysis, ...] = (
    Analysis("budget_structure", "budget", lambda d: budget_structure(d, by=["MINISTRY"]),
             "credits_by_ministry"),
    Analysis("gaps", "performance", _performance_gaps, "gaps"),
    Analysis("achievement", "performance",
             lambda d: achievement(d, by=[*_SERIES[:4], "SUB_INDICATOR"]), "targets"),
    Analysis("marking", "marking", lambda d: gender_marking(d), None),
    Analysis("national_gaps", "statistics", _national_gaps, "national_gaps"),
)  # fmt: skip


def _measure(analysis: Analysis, submission: Submission) -> Result:
    """Measure, or say why not: a fault in one table must not cost the others."""
    data = submission[analysis.table]
    try:
        result = analysis.measure(data)
    except GbiError as error:
        reason = {"analysis": analysis.name, "code": error.code, "where": error.where or "–"}
        return Result("not_computed", pd.DataFrame(), (Note("GBI-N090", reason),), data.provenance)
    hidden = int(data.frame["OBS_STATUS"].eq(HIDDEN).sum()) if "OBS_STATUS" in data.frame else 0
    if not hidden:
        return result
    return replace(result, notes=(*result.notes, Note("GBI-N091", {"count": hidden})))


def _public(submission: Submission, suppress: SmallCells) -> Submission:
    """Return the submission as it can be shown; its tables are protected together."""
    shown, _ = suppress.suppress_all(submission.datasets)
    return replace(submission, datasets=shown)


def run(
    folder: str | Path,
    out: str | Path,
    *,
    lang: str | None = None,
    profile: str | Path | Sequence[str | Path] | None = None,
    limits: Limits = LIMITS,
    fail_on: str = "blocking",
    suppress: SmallCells | None = SmallCells(),  # noqa: B008  (frozen)
    progress: Progress | None = None,
) -> ReportBundle:
    """Read a submission, validate it, compute the standard analysis and write the report.

    Parameters
    ----------
    folder
        The submission: workbooks and text files that the profiles know; others are listed.
    out
        Where ``bundle.json``, ``report.html``, ``validation.json``, ``findings.xlsx``,
        ``figures/`` and ``status.json`` are written, and in ``annotated/`` a copy of each workbook
        of the sender's with its findings marked. Files of others in it are left alone.
    lang
        ``fr``, ``ar`` or ``en``, for the report and the workbook; the bundle holds all three.
    profile
        Profiles of one's own, by name or path (see :func:`gbi.read_submission`).
    limits
        What a file may be at most.
    fail_on
        The severity from which the exit code in ``status.json`` is 1.
    suppress
        How small counts of persons are protected: measures see the data as they can be shown.
        None shows everything: for the sender's own eyes.
    progress
        Called with the step, the number of steps and a text.

    Returns
    -------
    ReportBundle
        What was written; ``.verdict`` and ``.exit_code`` say how it ended.

    Raises
    ------
    GbiError
        With exit code 2 (no such folder) or 3 (nothing in it can be read); nothing is written.
    """
    with language(lang) as chosen:
        analyses = list(STANDARD)
        steps = ["read", "validate", *(a.name for a in analyses), "write"]

        def tell(step: str) -> None:
            if progress is not None:
                progress(steps.index(step) + 1, len(steps), text(f"report.progress.{step}"))

        tell("read")
        submission = read_submission(folder, profile=profile, limits=limits)
        tell("validate")
        report = validate(submission)
        bundle = ReportBundle(lang=chosen)
        bundle.set_submission(submission)
        bundle.set_validation(report, fail_on=fail_on)
        public = submission if suppress is None else _public(submission, suppress)
        for analysis in analyses:
            tell(analysis.name)
            if analysis.table in public:
                result = _measure(analysis, public)
                figure = analysis.figure if result.kind != "not_computed" else None
                bundle.add(analysis.name, result, figure=figure)
        tell("write")
        bundle.write(out)
        annotated_copies(submission, report, Path(out) / ANNOTATED, lang=chosen, limits=limits)
        write_status(bundle, out)
        return bundle


def annotated_copies(
    submission: Submission,
    report: ValidationReport,
    folder: Path,
    *,
    lang: str | None = None,
    limits: Limits = LIMITS,
) -> list[Path]:
    """Write a copy of each workbook of a submission with its findings marked.

    Parameters
    ----------
    submission, report
        What was read, and what validation found in it.
    folder
        Where the copies go. They show every figure: they are for the sender alone.
    lang, limits
        The language of the findings' sheet; what a workbook may be at most.

    Returns
    -------
    list of Path
        The copies; of a workbook that is signed, protected or holds macros there is none.
    """
    named = {f.file for f in report.unmasked()}
    written = []
    for file in submission.files:
        path = submission.root / file.name
        if file.status != "read" or path.suffix.lower() != ".xlsx" or file.name not in named:
            continue
        target = folder / Path(file.name).parent
        target.mkdir(parents=True, exist_ok=True)
        copy = annotate(report, path, target, lang=lang, limits=limits)
        if copy.path is not None:
            written.append(copy.path)
    return written


def sample_folder() -> Path:
    """Return the folder of the packaged Moroccan sample."""
    return resource_path("samples", SAMPLE)


def demo(
    out: str | Path, *, lang: str | None = None, progress: Progress | None = None
) -> ReportBundle:
    """Run the main job on the packaged sample (see :func:`run`)."""
    return run(sample_folder(), out, lang=lang, progress=progress)
