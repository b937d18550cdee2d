"""Two states of a submission compared: findings fixed, new and persisting, and changed cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.dataset import Dataset, Submission
from gbi.errors import GbiError
from gbi.findings import SEVERITIES, Cell, Finding
from gbi.language import isolate, resolve_language, text
from gbi.provenance import canonical, canonical_json
from gbi.results import write_atomically
from gbi.validation.changes import CellChange, changed_cells
from gbi.validation.report import REPORT_SCHEMA, ValidationReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gbi.ingest.safety import Limits

COMPARISON_SCHEMA = "gbi-comparison/1"
STATES = ("fixed", "new", "persisting")
_SHOWN = 12
_PUBLISHED = ("id", "code", "slug", "severity", "status", "scope", "file", "sheet", "a1", "cells",
              "key", "field", "found", "expected", "difference", "tolerance", "unit", "suggestion",
              "message")  # fmt: skip
_OPTIONS = ("as_of", "only", "exclude")


@dataclass(frozen=True, eq=False)
class _State:
    """One side of a comparison."""

    findings: tuple[Finding, ...]
    truncated: bool
    options: Mapping[str, Any]
    ruleset: str
    verdict: str
    counts: Mapping[str, int]
    fingerprint: str
    datasets: Mapping[str, Dataset] | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What changed from one state of a submission to the next.

    Attributes
    ----------
    fixed, new, persisting
        Findings that are gone, that have come, and that stay (as they are now). A finding is the
        same if rule, business key and column are, wherever its row has moved.
    cells_changed
        Cells whose content differs; empty if one side has no data (a report alone).
    remarks
        What a reader must know, by code: ``partial`` (not all findings were stored),
        ``options_differ``, ``rules_differ``, ``no_data``, ``sheets_differ``, ``withheld``
        (microdata).
    verdicts, counts, fingerprints
        Of the old and of the new state.
    """

    fixed: tuple[Finding, ...]
    new: tuple[Finding, ...]
    persisting: tuple[Finding, ...]
    cells_changed: tuple[CellChange, ...] = field(default=(), repr=False)
    remarks: tuple[str, ...] = ()
    verdicts: tuple[str, str] = ("", "")
    counts: tuple[Mapping[str, int], Mapping[str, int]] = field(default=({}, {}), repr=False)
    fingerprints: tuple[str, str] = field(default=("", ""), repr=False)

    @property
    def partial(self) -> bool:
        """Whether findings were left out of a report, so that some may be missing here."""
        return "partial" in self.remarks

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a new table: ``STATE`` and what identifies and places each."""
        names = ("id", "code", "slug", "severity", "status", "file", "sheet", "a1", "field",
                 "found", "expected")  # fmt: skip
        rows = [
            {"STATE": state, **{n.upper(): getattr(f, n) for n in names}}
            for state in STATES
            for f in getattr(self, state)
        ]
        return pd.DataFrame(rows, columns=["STATE", *(n.upper() for n in names)])

    def to_dict(self) -> dict[str, Any]:
        """Return the ``gbi-comparison/1`` payload."""
        before, after = (
            {"verdict": v, "counts": dict(c), "fingerprint": p}
            for v, c, p in zip(self.verdicts, self.counts, self.fingerprints, strict=True)
        )
        plain: dict[str, Any] = canonical(
            {
                "schema": COMPARISON_SCHEMA,
                "old": before,
                "new_state": after,
                "partial": self.partial,
                "remarks": list(self.remarks),
                **{s: [f.to_dict() for f in getattr(self, s)] for s in STATES},
                "cells_changed": [c.to_dict() for c in self.cells_changed],
            }
        )
        return plain

    def to_json(self, path: str | Path | None = None) -> str | Path:
        """Return the payload as JSON text, or write it whole to ``path`` and return the path."""
        content = canonical_json(self.to_dict(), indent=1) + "\n"
        return content if path is None else write_atomically(Path(path), content)

    def summary(self, *, lang: str | None = None) -> str:
        """Return what was fixed, what is new and what stays as text, the first ones of each."""

        def say(key: str, **values: object) -> str:
            return text(f"process.compare.{key}", lang, **values)

        lines = [say("title")]
        lines += [say(state, n=len(getattr(self, state))) for state in STATES]
        lines.append(say("cells", n=len(self.cells_changed)))
        if self.remarks:
            lines += ["", *(f"! {say(f'remarks.{r}')}" for r in self.remarks)]
        for state in ("new", "persisting", "fixed"):
            found = [f for f in getattr(self, state) if f.status == "open"]
            if found:
                lines += ["", say(f"heads.{state}"), *_by_rule(found, say, lang)]
        if self.cells_changed:
            lines += ["", say("heads.cells")]
            lines += [f"  {c.written(lang)}" for c in self.cells_changed[:_SHOWN]]
            lines += _more(len(self.cells_changed), say)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"<Comparison: {len(self.fixed)} fixed, {len(self.new)} new, "
            f"{len(self.persisting)} persisting, {len(self.cells_changed)} cells changed>"
        )


def compare(
    old: ValidationReport | Submission | Mapping[str, Any] | str | Path,
    new: ValidationReport | Submission | Mapping[str, Any] | str | Path,
) -> Comparison:
    """Compare two states of a submission.

    Parameters
    ----------
    old, new
        Each a validation report, its payload, a submission, or a path: a ``validation.json``, a
        folder or a file of data. Data are read and validated.

    Returns
    -------
    Comparison
        Findings by state, and the cells that were changed where both sides have data.

    Raises
    ------
    GbiError
        ``GBI-E131`` for what is none of these; what :func:`gbi.read_submission` raises.
    """
    before, after = _state(old), _state(new)
    was = {f.id: f for f in before.findings}
    now = {f.id: f for f in after.findings}
    changes: tuple[CellChange, ...] = ()
    seen = ["no_data"]
    if before.datasets is not None and after.datasets is not None:
        changes, seen = changed_cells(before.datasets, after.datasets)
    return Comparison(
        fixed=tuple(f for i, f in was.items() if i not in now),
        new=tuple(f for i, f in now.items() if i not in was),
        persisting=tuple(f for i, f in now.items() if i in was),
        cells_changed=changes,
        remarks=(*_remarks(before, after), *seen),
        verdicts=(before.verdict, after.verdict),
        counts=(before.counts, after.counts),
        fingerprints=(before.fingerprint, after.fingerprint),
    )


def _by_rule(findings: Iterable[Finding], say: Any, lang: str | None) -> list[str]:
    """Return a line per rule, the gravest and the most frequent first, with its first place."""
    chosen = resolve_language(lang)
    groups: dict[str, list[Finding]] = {}
    for f in findings:
        groups.setdefault(f.code, []).append(f)
    ordered = sorted(
        groups.values(), key=lambda g: (SEVERITIES.index(g[0].severity), -len(g), g[0].code)
    )
    lines = []
    for group in ordered[:_SHOWN]:
        first = group[0]
        place = str(first.cells[0]) if first.cells else first.file
        shown = isolate(place) if chosen == "ar" and place else place
        title = first.message[chosen]["title"]
        lines.append(f"  {first.code}  {len(group)} ×  {title}  {shown}".rstrip())
    return lines + _more(len(ordered), say)


def _more(n: int, say: Any) -> list[str]:
    return [f"  {say('more', n=n - _SHOWN)}"] if n > _SHOWN else []


def _remarks(before: _State, after: _State) -> list[str]:
    found = []
    if before.truncated or after.truncated:
        found.append("partial")
    if any(before.options.get(n) != after.options.get(n) for n in _OPTIONS):
        found.append("options_differ")
    if before.ruleset != after.ruleset:
        found.append("rules_differ")
    return found


def _state(side: ValidationReport | Submission | Mapping[str, Any] | str | Path) -> _State:
    from gbi.validation.engine import validate

    if isinstance(side, str | Path):
        side = opened(Path(side))
    if isinstance(side, Submission):
        return _of_report(validate(side), dict(side.datasets))
    if isinstance(side, ValidationReport):
        return _of_report(side, dict(getattr(side, "datasets", None) or {}) or None)
    if isinstance(side, Mapping):
        return _of_payload(side)
    raise GbiError("GBI-E131", got=type(side).__name__)


def opened(
    path: Path, *, profile: Any = None, limits: Limits | None = None
) -> Submission | Mapping[str, Any]:
    """Return a report's payload, or read what the path names as a submission.

    Parameters
    ----------
    path
        A ``validation.json``, the folder of a run that wrote one, or data: a folder or a file.
    profile, limits
        How data are read (see :func:`gbi.read_submission`).
    """
    report = path / "validation.json" if (path / "bundle.json").is_file() else path
    if report.is_file() and report.suffix.lower() == ".json":
        payload = read_payload(report)
        if payload is not None:
            return payload
    from gbi.ingest import read_submission  # a report alone is compared without the readers

    given = {} if limits is None else {"limits": limits}
    return read_submission(path, profile=profile, **given)


def read_payload(path: Path) -> dict[str, Any] | None:
    """Return the payload of a validation report, or None if the file holds other JSON.

    Raises
    ------
    GbiError
        ``GBI-E131`` (exit code 3) if it says to be a report and lacks what a report has.
    """
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    report = payload.get("report") if isinstance(payload, dict) else None
    if not isinstance(report, dict) or report.get("schema") != REPORT_SCHEMA:
        return None
    _of_payload(payload, str(path))
    return dict(payload)


def _of_report(report: ValidationReport, datasets: Mapping[str, Dataset] | None) -> _State:
    truncation = getattr(report, "truncation", {"stored": 0, "counted": 0})
    return _State(
        report.findings,
        truncation["stored"] < truncation["counted"],
        report.options,
        report.provenance.ruleset,
        report.verdict,
        report.counts,
        report.provenance.fingerprint,
        datasets,
    )


def _of_payload(payload: Mapping[str, Any], where: str = "") -> _State:
    """Return what a payload holds; one of another version of gbi may have further keys."""
    try:
        cut = payload["truncation"]
        return _State(
            tuple(finding_of(f) for f in payload["findings"]),
            cut["stored"] < cut["counted"],
            payload["report"]["options"],
            payload["report"]["ruleset"],
            payload["verdict"],
            payload["report"]["counts"],
            payload["submission"]["fingerprint"],
            None,
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise GbiError(
            "GBI-E131", where=where or None, expected=REPORT_SCHEMA, got=str(error), exit_code=3
        ) from None


def finding_of(payload: Mapping[str, Any]) -> Finding:
    """Rebuild a finding from its published payload."""
    known = {n: payload[n] for n in _PUBLISHED}
    return Finding(**{**known, "cells": tuple(Cell(**c) for c in payload["cells"])})
