"""The validation report: findings, what was checked and what was not, and the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.errors import GbiError
from gbi.findings import SEVERITIES, rule_document
from gbi.provenance import Provenance, canonical, canonical_json
from gbi.results import rendering, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gbi.dataset import Dataset, SubmittedFile
    from gbi.findings import Finding
    from gbi.validation.tracing import Stored
    from gbi.validation.waivers import Waiver

REPORT_SCHEMA = "gbi-validation/1"
_FRAME = ("id", "code", "slug", "severity", "status", "scope", "file", "sheet", "a1", "field",
          "found", "expected", "difference", "tolerance", "unit", "suggestion")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What became of a rule.

    Attributes
    ----------
    status
        ``passed``, ``failed``, ``not_run`` (a column is missing), ``error``, or
        ``not_applicable`` (the data have none of its tables).
    severity
        The gravest in force for the tables at hand.
    checked, skipped
        Rows or groups looked at; rows left out because reading could not understand a cell.
    findings, waived
        How many findings, and how many of them are waived.
    reason
        Why it was not run or has nothing to look at: ``missing_column``, ``no_table``,
        ``no_table: budget`` (another table that it compares with), ``no_column: budget.PROGRAMME``
        ``no_previous`` (last year's data were not given), ``no_file`` (data in memory) or
        ``no_waiver``.
    """

    code: str
    slug: str
    severity: str
    status: str
    checked: int
    skipped: int
    findings: int
    waived: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that could not run on a table, and the columns for want of which.

    ``reason`` is ``missing_column``, ``wrong_type`` (the column holds something else than its
    type) or ``too_large`` (the rule compares rows of a register that don't fit into memory).
    """

    code: str
    table: str
    reason: str
    columns: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {
            "code": self.code,
            "table": self.table,
            "reason": self.reason,
            "columns": list(self.columns),
        }


@dataclass(frozen=True, slots=True)
class EngineError:
    """A rule that broke off: a fault of ours, never one of the data. Values are not repeated."""

    code: str
    table: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {"code": self.code, "table": self.table, "error": self.error}


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """What validation found, and what it could not look at.

    Attributes
    ----------
    stored
        The findings as they are, the first ones of every rule and table. What may be shown is in
        :attr:`findings`.
    rules
        Every rule that was asked for, with its status and counts.
    not_run, engine_errors
        Rules that lacked a column; rules that broke off.
    waivers
        What became of the waivers given.
    files, tables
        The submission's files; rows per table.
    options
        ``as_of``, ``only``, ``exclude``: what was asked for.
    comparison
        Ids that are ``fixed``, ``new`` or ``persisting`` against a previous report, or None.
    provenance
        Of the data.
    datasets
        The tables that were validated, by name; empty where they are not at hand.
    documents
        The file of every rule that was asked for, by code.
    """

    stored: Stored
    rules: tuple[RuleOutcome, ...] = field(repr=False)
    not_run: tuple[NotRun, ...] = field(default=(), repr=False)
    engine_errors: tuple[EngineError, ...] = ()
    waivers: tuple[Waiver, ...] = field(default=(), repr=False)
    files: tuple[SubmittedFile, ...] = field(default=(), repr=False)
    tables: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    comparison: Mapping[str, tuple[str, ...]] | None = field(default=None, repr=False)
    provenance: Provenance = field(default_factory=Provenance)
    datasets: Mapping[str, Dataset] = field(default_factory=dict, repr=False)
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that are stored, as they may be published.

        Of small counts of persons and of microdata no figure is named (see
        :meth:`gbi.findings.Finding.masked`). By severity, file, sheet, row and code; those of
        reading included.
        """
        return tuple(f.masked() for f in self.stored)

    def unmasked(self) -> tuple[Finding, ...]:
        """Return the findings with all their figures: for the sender's own copy alone."""
        return tuple(self.stored)

    def positions(self) -> pd.DataFrame:
        """Return every breach that rules found in tables, stored or not.

        Returns
        -------
        DataFrame
            ``CODE SEVERITY TABLE BREACH ROW FIELD``: a row per party of a breach, its first party
            first. ``BREACH`` numbers the breaches of a rule in a table, ``ROW`` is a position in
            the table (-1: the table as a whole). What reading found isn't in it. Of a rule on a
            Parquet register the first two million parties are kept; its counts are exact.
        """
        return self.stored.positions()

    def document(self, code: str) -> Mapping[str, Any]:
        """Return the file of a rule by its code."""
        return self.documents[code] if code in self.documents else rule_document(code)

    @property
    def truncation(self) -> dict[str, int]:
        """How many findings are stored, and how many were counted."""
        return {"stored": len(self.stored), "counted": sum(self.stored.counted.values())}

    @property
    def verdict(self) -> str:
        """``rejected``, ``incomplete``, ``accepted_with_warnings`` or ``accepted``.

        A blocking finding that is not waived rejects; a rule that broke off or lacked a column
        leaves the report incomplete, for nobody knows what it would have found.
        """
        if self.counts["blocking"]:
            return "rejected"
        if self.engine_errors or self.not_run:
            return "incomplete"
        return "accepted_with_warnings" if self.counts["warning"] else "accepted"

    @property
    def counts(self) -> dict[str, int]:
        """Open findings by severity, and the waived ones."""
        lifted = self.stored if self.waivers else ()
        waived = Counter(f.severity for f in lifted if f.status == "waived")
        n: dict[str, int] = {s: self.stored.counted[s] - waived[s] for s in SEVERITIES}
        return {**n, "waived": sum(waived.values())}

    @property
    def ok(self) -> bool:
        """Whether nothing blocks and everything was looked at."""
        return self.verdict.startswith("accepted")

    def exit_code(self, fail_on: str = "blocking") -> int:
        """Return what a command ends with.

        Parameters
        ----------
        fail_on
            ``blocking``, ``warning``, ``info`` or ``never``.

        Returns
        -------
        int
            4 a rule broke off; 1 an open finding at or above ``fail_on``; 5 incomplete; else 0.

        Raises
        ------
        GbiError
            ``GBI-E011`` for another word.
        """
        if fail_on not in (*SEVERITIES, "never"):
            raise GbiError("GBI-E011", expected=", ".join((*SEVERITIES, "never")), got=fail_on)
        if self.engine_errors:
            return 4
        counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
        if any(self.counts[level] for level in counted):
            return 1
        return 5 if self.not_run else 0

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a new table: a row each, keys in capitals as columns.

        ``CELLS`` lists the addresses of all parties; ``KEY`` is the business key as one text;
        ``TITLE_FR``, ``TITLE_AR`` and ``TITLE_EN`` are the rule's titles.
        """
        columns = [n.upper() for n in _FRAME]
        columns[columns.index("FIELD") :] = ["CELLS", "KEY", *columns[columns.index("FIELD") :]]
        rows = []
        for f in self.findings:
            row = {n.upper(): getattr(f, n) for n in _FRAME}
            row["CELLS"] = " ".join(c.a1 for c in f.cells)
            row["KEY"] = " › ".join(f.key.values())
            row |= {f"TITLE_{x.upper()}": f.message[x]["title"] for x in ("fr", "ar", "en")}
            rows.append(row)
        return pd.DataFrame(rows, columns=[*columns, "TITLE_FR", "TITLE_AR", "TITLE_EN"])

    def to_dict(self) -> dict[str, Any]:
        """Return the ``gbi-validation/1`` payload; the same data give the same payload."""
        out: dict[str, Any] = {
            "report": {
                "schema": REPORT_SCHEMA,
                "version": self.provenance.version,
                "ruleset": self.provenance.ruleset,
                "options": dict(self.options),
                "counts": self.counts,
                "comparison": None if self.comparison is None else dict(self.comparison),
            },
            "submission": {
                "fingerprint": self.provenance.fingerprint,
                "tables": dict(self.tables),
                "sources": [s.to_dict() for s in self.provenance.sources],
            },
            "verdict": self.verdict,
            "files": [f.to_dict() for f in self.files],
            "rules": [r.to_dict() for r in self.rules],
            "findings": [f.to_dict() for f in self.findings],
            "not_run": [n.to_dict() for n in self.not_run],
            "engine_errors": [e.to_dict() for e in self.engine_errors],
            "waivers": [w.to_dict() for w in self.waivers],
            "truncation": self.truncation,
        }
        plain: dict[str, Any] = canonical(out)
        return plain

    def to_json(self, path: str | Path | None = None) -> str | Path:
        """Return the payload as JSON text, or write it whole to ``path`` and return the path."""
        content = canonical_json(self.to_dict(), indent=1) + "\n"
        return content if path is None else write_atomically(Path(path), content)

    def summary(self, *, lang: str | None = None) -> str:
        """Return the verdict, the counts and the findings as text."""
        rendered: str = rendering().validation_summary(self, lang=lang)
        return rendered

    def to_html(self, path: str | Path | None = None, *, lang: str | None = None) -> str | Path:
        """Return the report as one offline page in three languages, or write it to ``path``."""
        return self._made("html", path, lang)

    def to_sarif(self, path: str | Path | None = None, *, lang: str | None = None) -> str | Path:
        """Return the report as SARIF 2.1.0, or write it to ``path``."""
        return self._made("sarif", path, lang)

    def to_junit(self, path: str | Path | None = None, *, lang: str | None = None) -> str | Path:
        """Return the report as JUnit XML, or write it to ``path``."""
        return self._made("junit", path, lang)

    def to_csv(self, path: str | Path | None = None) -> str | Path:
        """Return the findings as text with commas, or write them to ``path``."""
        return self._made("csv", path, None)

    def to_parquet(self, path: str | Path) -> Path:
        """Write the findings as a Parquet file with typed columns."""
        return Path(self._made("parquet", path, None))

    def write(
        self, folder: str | Path, formats: Sequence[str], *, lang: str | None = None
    ) -> list[Path]:
        """Write the report in several formats into a folder.

        Parameters
        ----------
        folder
            Where; it is made if need be.
        formats
            Of ``text``, ``json``, ``html``, ``xlsx``, ``junit``, ``sarif``, ``csv``, ``parquet``,
            ``ndjson``.
        lang
            The language of what a person reads.

        Raises
        ------
        GbiError
            ``GBI-E089`` for another format.
        """
        written: list[Path] = rendering().write_report(self, Path(folder), formats, lang)
        return written

    def _made(self, form: str, path: str | Path | None, lang: str | None) -> str | Path:
        content: str = rendering().render_report(self, form, lang=lang)
        return content if path is None else write_atomically(Path(path), content)

    def __repr__(self) -> str:
        n = self.counts
        return (
            f"<ValidationReport {self.verdict}: {n['blocking']} blocking, {n['warning']} warnings, "
            f"{n['info']} infos, {n['waived']} waived, {len(self.not_run)} not run, "
            f"{len(self.engine_errors)} engine errors>"
        )
