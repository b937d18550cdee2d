"""The bundle: every figure of a run in one document that a report generator reads.

``bundle.json`` (schema ``gbi-bundle/1``) holds the verdict, the tables with each number raw and as
it is shown in French, Arabic and English, the figures with their alternative text, the notes and
the provenance. Beside it lie the page, the findings workbook, the charts and the validation
report, each with its SHA-256 in the bundle. No clock enters: a second run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from gbi.errors import GbiError
from gbi.language import resolve_language, text, texts
from gbi.provenance import Provenance, canonical, canonical_json, sha256_of
from gbi.report import charts, facts, page, tables
from gbi.report.placing import place
from gbi.report.workbook import findings_workbook
from gbi.resources import contract

if TYPE_CHECKING:
    from gbi.dataset import Submission
    from gbi.results import Result
    from gbi.validation import ValidationReport

BUNDLE_SCHEMA = "gbi-bundle/1"
_MEDIA = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What ``verify`` found to differ: an artefact, the seal, the fingerprint or a source."""

    kind: str
    name: str
    recorded: str
    actual: str | None

    def message(self, lang: str | None = None) -> str:
        """Return the problem as one line of text."""
        return text(f"report.problems.{self.kind}", lang, name=self.name)

    def __str__(self) -> str:
        return self.message()


@dataclass(frozen=True, slots=True)
class Item:
    """A result under the name that the bundle gives it, and the chart that goes with it."""

    name: str
    result: Result
    figure: str | None


class ReportBundle:
    """Results, validation and sources of one run, written together or not at all.

    Parameters
    ----------
    lang
        The language of the page and of the workbook; the bundle itself holds all three.
    title
        The page's title; by default the catalogue's.

    Examples
    --------
    >>> bundle = ReportBundle(lang="fr")
    >>> bundle.verdict is None
    True
    """

    def __init__(self, *, lang: str | None = None, title: str | None = None) -> None:
        self.lang = resolve_language(lang)
        self.title = title
        self.started = datetime.now(UTC)
        self.folder: Path | None = None
        self.items: list[Item] = []
        self.submission: Submission | None = None
        self.validation: ValidationReport | None = None
        self._fail_on = "blocking"
        self._document: dict[str, Any] | None = None

    def add(self, name: str, result: Result, *, figure: str | None = None) -> ReportBundle:
        """Add a result under a name of its own; returns the bundle.

        Parameters
        ----------
        name
            The table's id in the bundle.
        result
            What a measure returned.
        figure
            A chart: ``credits_by_ministry``, ``gaps``, ``targets`` or ``national_gaps``.

        Raises
        ------
        GbiError
            ``GBI-E080`` if the name is taken, ``GBI-E081`` if there is no such chart.
        """
        if any(item.name == name for item in self.items):
            raise GbiError("GBI-E080", got=name)
        if figure is not None and figure not in charts.CHARTS:
            raise GbiError("GBI-E081", expected=", ".join(charts.CHARTS), got=figure)
        self.items.append(Item(name, result, figure))
        return self

    def set_submission(self, submission: Submission) -> ReportBundle:
        """Say which files the figures come from; returns the bundle."""
        self.submission = submission
        return self

    def set_validation(
        self, report: ValidationReport, *, fail_on: str = "blocking"
    ) -> ReportBundle:
        """Attach the validation report; ``fail_on`` decides the exit code; returns the bundle."""
        self.validation = report
        self._fail_on = fail_on
        return self

    @property
    def provenance(self) -> Provenance:
        """The sources and steps of everything in the bundle."""
        if self._document is not None:
            return Provenance.from_dict(self._document["provenance"])
        parts = [item.result.provenance for item in self.items]
        if self.validation is not None:
            parts.insert(0, self.validation.provenance)
        if self.submission is not None:
            parts.insert(0, self.submission.provenance)
        return Provenance.merge(*parts)

    @property
    def fingerprint(self) -> str:
        """The fingerprint over sources, steps, version and rule set."""
        return self.provenance.fingerprint

    @property
    def verdict(self) -> str | None:
        """The verdict of validation; None where nothing was validated."""
        if self._document is not None:
            status: str | None = self._document["verdict"]["status"]
            return status
        return None if self.validation is None else self.validation.verdict

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, and the waived ones."""
        if self._document is not None:
            return dict(self._document["verdict"]["counts"])
        return {} if self.validation is None else dict(self.validation.counts)

    @property
    def exit_code(self) -> int:
        """What a command ends with (0 where nothing was validated)."""
        if self._document is not None:
            return int(self._document["verdict"]["exit_code"])
        return 0 if self.validation is None else self.validation.exit_code(self._fail_on)

    @property
    def document(self) -> dict[str, Any]:
        """The content of ``bundle.json``, once it was written or opened."""
        if self._document is None:
            raise GbiError("GBI-E086")
        return self._document

    def write(self, out: str | Path) -> Path:
        """Write the bundle, the page, the workbook and the charts: all of them, or nothing.

        Parameters
        ----------
        out
            The folder. What gbi wrote there before is replaced; files of others stay.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        GbiError
            ``GBI-E084`` if ``out`` is a file, ``GBI-E085`` if a file can't be written.
        """
        folder = Path(out)
        figures = charts.render(self.items, self.lang)
        files: dict[str, bytes] = {}
        for figure in figures:
            files[f"figures/{figure.name}.svg"] = figure.svg
            files[f"figures/{figure.name}.png"] = figure.png
        files["report.html"] = page.render(self, figures).encode("utf-8")
        if self.validation is not None:
            payload = canonical_json(self.validation.to_dict(), indent=1) + "\n"
            files["validation.json"] = payload.encode("utf-8")
            files["findings.xlsx"] = findings_workbook(self.validation, lang=self.lang)
        document = self._compose(figures, files)
        files["bundle.json"] = (canonical_json(document, indent=1) + "\n").encode("utf-8")
        place(folder, files)
        self._document, self.folder = document, folder
        return folder

    def _compose(self, figures: list[charts.Drawn], files: dict[str, bytes]) -> dict[str, Any]:
        document: dict[str, Any] = {
            "schema": BUNDLE_SCHEMA,
            "title": dict.fromkeys(("fr", "ar", "en"), self.title)
            if self.title
            else texts("report.title"),
            "language": self.lang,
            "version": self.provenance.version,
            "verdict": {
                "status": self.verdict,
                "label": texts(f"report.verdict.{self.verdict or 'none'}"),
                "exit_code": self.exit_code,
                "counts": self.counts,
            },
            "submission": {
                "files": [] if self.submission is None
                else [f.to_dict() for f in self.submission.files],
            },
            "key_figures": facts.key_figures(self.items),
            "tables": [tables.table(item.name, item.result, item.figure) for item in self.items],
            "figures": [figure.to_dict() for figure in figures],
            "notes": _notes(self.items),
            "provenance": self.provenance.to_dict(),
            "artefacts": [
                {
                    "path": name,
                    "media_type": _MEDIA[name.rpartition(".")[2]],
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                }
                for name, content in sorted(files.items())
            ],
        }  # fmt: skip
        plain: dict[str, Any] = canonical(document)
        return {**plain, "seal": _seal(plain)}

    @classmethod
    def open(cls, folder: str | Path) -> ReportBundle:
        """Open a bundle that was written before.

        Raises
        ------
        GbiError
            ``GBI-E082`` if the folder holds no readable bundle, ``GBI-E083`` if it does not follow
            the published schema (exit code 3; 2 if there is no such file).
        """
        root = Path(folder)
        path = root / "bundle.json" if root.is_dir() else root
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise GbiError("GBI-E082", where=str(path)) from None
        except (OSError, ValueError):
            raise GbiError("GBI-E082", where=str(path), exit_code=3) from None
        faults = jsonschema.Draft202012Validator(contract("bundle")).iter_errors(document)
        fault = next(iter(faults), None)
        if fault is not None:
            trail = ".".join(str(p) for p in fault.absolute_path) or "(document)"
            where = f"{path} {trail}"
            raise GbiError("GBI-E083", where=where, expected=BUNDLE_SCHEMA, exit_code=3)
        bundle = cls(lang=document["language"])
        bundle._document, bundle.folder = document, path.parent
        return bundle

    def verify(self, sources: str | Path | None = None) -> list[Problem]:
        """Compare the bundle with its files, with itself, and with the sources.

        Parameters
        ----------
        sources
            The folder that the run read; without it the sources are not compared.

        Returns
        -------
        list of Problem
            Empty if every artefact has the recorded SHA-256, the document's seal and fingerprint
            are what its content gives, and every source is unchanged.

        Raises
        ------
        GbiError
            ``GBI-E086`` if the bundle was not written; ``GBI-E020`` for sources in memory.
        """
        document, folder = self.document, self.folder or Path()
        problems = []
        content = {k: v for k, v in document.items() if k != "seal"}
        if (seal := _seal(content)) != document["seal"]:
            problems.append(Problem("seal", "bundle.json", document["seal"], seal))
        recorded = document["provenance"]["fingerprint"]
        if self.fingerprint != recorded:
            problems.append(Problem("fingerprint", "bundle.json", recorded, self.fingerprint))
        for artefact in document["artefacts"]:
            path = folder / artefact["path"]
            actual = sha256_of(path) if path.is_file() else None
            if actual != artefact["sha256"]:
                kind = "artefact_missing" if actual is None else "artefact_changed"
                problems.append(Problem(kind, artefact["path"], artefact["sha256"], actual))
        if sources is not None:
            for wrong in self.provenance.verify(sources):
                kind = "source_missing" if wrong.actual is None else "source_changed"
                problems.append(Problem(kind, wrong.name, wrong.recorded, wrong.actual))
        return problems

    def __repr__(self) -> str:
        names = ", ".join(item.name for item in self.items) or str(self.folder or "")
        return f"<ReportBundle {self.verdict or '–'}: {names}; {self.fingerprint}>"


def _seal(document: dict[str, Any]) -> str:
    """Return the SHA-256 over everything in the document but the seal itself."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def _notes(items: list[Item]) -> list[dict[str, Any]]:
    return [{"table": item.name, **note.to_dict()} for item in items for note in item.result.notes]
