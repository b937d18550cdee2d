"""The engine: rules on tables, breaches to findings, findings to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, Dataset, Submission
from gbi.errors import GbiError
from gbi.findings import SEVERITIES, WITHHELD, Cell, Finding
from gbi.provenance import Provenance
from gbi.schemas import schema
from gbi.validation.catalogue import OUTSIDE, WAIVER, Rule, catalogue, effective_day, pick
from gbi.validation.context import Breaches, Checked, Context, remembering
from gbi.validation.operators import OPERATORS
from gbi.validation.report import EngineError, NotRun, RuleOutcome, ValidationReport
from gbi.validation.tracing import Breached, Stored, Table
from gbi.validation.waivers import apply_waivers, exercise_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gbi.dataset import SubmittedFile
    from gbi.schemas import Schema
    from gbi.validation.context import Violation
    from gbi.validation.waivers import Waiver

Data = Dataset | Submission | Mapping[str, "pd.DataFrame | Dataset"]
STORED = 1000  # findings of a rule in a table that a report keeps; all are counted
_ANSWERED = 20_000  # the same where there are waivers, each of which has to meet its finding
_UNREAD_FAMILIES = "TC"  # a cell that holds no number, or no known code
_MICRODATA = "survey"


@dataclass(frozen=True, eq=False)
class _Input:
    """What is to be validated: tables, files, and what reading saw."""

    datasets: Mapping[str, Dataset]
    files: tuple[SubmittedFile, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    was_read: bool


@dataclass(eq=False)
class _Tally:
    """What became of one rule over all its tables."""

    read: list[Finding] = field(default_factory=list)
    breached: list[Breached] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    errors: list[EngineError] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    tables: int = 0
    checked: int = 0
    skipped: int = 0

    def __len__(self) -> int:
        """Return the number of findings."""
        return len(self.read) + sum(len(b) for b in self.breached)


def validate(
    data: Data,
    *,
    previous: ValidationReport | Mapping[str, Any] | Data | None = None,
    as_of: date | str | None = None,
    only: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    waivers: Sequence[Mapping[str, Any]] | None = None,
    rules: str | Path | None = None,
    most: int = STORED,
) -> ValidationReport:
    """Check data against the rule catalogue.

    Parameters
    ----------
    data
        A submission, a dataset, or tables by name.
    previous
        Last year's data (a submission, a dataset or tables): the rules across years compare with
        it. Or an earlier report of the same data, or its payload: findings are then compared by
        id as fixed, new or persisting.
    as_of
        The day whose severities hold; by default the day on which the rule set took effect, so
        that the same files always give the same report.
    only, exclude
        Codes (``GBI-A003``, ``A003``), slugs or families (``A``) to run or to leave out; recorded
        in the report.
    waivers
        Each ``{"id": …}`` or ``{"code": …, "key": {…}}`` with ``justification`` and ``by``. What
        is wrong with one is a finding of family W.
    rules
        A folder with a ministry's own rules and raised severities (see
        :func:`gbi.validation.catalogue.catalogue`).
    most
        How many findings of a rule in a table are stored. All are counted, and every position is
        in :meth:`ValidationReport.positions`.

    Returns
    -------
    ValidationReport
        Findings of reading included. A rule that lacks a column is in ``not_run``; one that
        breaks off is in ``engine_errors`` and the verdict is not an acceptance.

    Raises
    ------
    GbiError
        ``GBI-E031`` if ``data`` is none of these, ``GBI-E004`` for a word that names no rule.
    """
    source = _input_of(data)
    before, earlier = _previous_of(previous)
    day = date.fromisoformat(effective_day()) if as_of is None else _day(as_of)
    known = catalogue(None if rules is None else Path(rules))
    chosen = pick(only, exclude, known)
    engine = _Engine(source, before, day, most, bool(waivers))
    tallies = engine.run(chosen)
    options = {"as_of": day.isoformat(), "only": _words(only), "exclude": _words(exclude)}
    found = Stored(
        [f for t in tallies.values() for f in t.read],
        [b for t in tallies.values() for b in t.breached],
        max(most, _ANSWERED) if waivers else most,
    )
    outcome: tuple[Waiver, ...] = ()
    if waivers:
        marked, outcome, said = apply_waivers(
            found,
            waivers,
            {rule.code: rule for rule in known},
            as_of=day,
            exercise=exercise_of({name: d.frame for name, d in source.datasets.items()}),
            ran=None if only is None and exclude is None else set(tallies),
        )
        said = [f for f in said if f.code in tallies]
        for finding in said:
            tallies[finding.code].read.append(finding)
        found = found.answered(marked, said)
    answered = found if waivers else ()
    return ValidationReport(
        stored=found,
        rules=tuple(_outcome(r, tallies[r.code], source, day, answered) for r in chosen),
        not_run=tuple(n for t in tallies.values() for n in t.not_run),
        engine_errors=tuple(e for t in tallies.values() for e in t.errors),
        waivers=outcome,
        files=source.files,
        tables={name: len(d) for name, d in source.datasets.items()},
        options=options,
        comparison=None if earlier is None else _compare(earlier, found),
        provenance=source.provenance.then("validate", **options),
        datasets=source.datasets,
        documents={rule.code: rule.document for rule in chosen},
    )


def _previous_of(
    previous: ValidationReport | Mapping[str, Any] | Data | None,
) -> tuple[Mapping[str, pd.DataFrame], ValidationReport | Mapping[str, Any] | None]:
    """Return last year's tables, or the earlier report to compare with."""
    if previous is None:
        return {}, None
    if isinstance(previous, ValidationReport):
        return {}, previous
    if isinstance(previous, Mapping) and "findings" in previous:
        return {}, previous
    return {name: d.frame for name, d in _input_of(previous).datasets.items()}, None


def _words(words: Iterable[str] | None) -> list[str] | None:
    return None if words is None else [words] if isinstance(words, str) else sorted(words)


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _input_of(data: Data) -> _Input:
    if isinstance(data, Submission):
        seen = [*data.findings, *(f for d in data.datasets.values() for f in d.findings)]
        unique = tuple({id(f): f for f in seen}.values())
        return _Input(dict(data.datasets), data.files, unique, data.provenance, True)
    if isinstance(data, Dataset):
        return _Input({data.table: data}, (), data.findings, data.provenance, True)
    if isinstance(data, Mapping):
        tables = {name: Dataset.of(table, name) for name, table in data.items()}
        seen = [f for d in tables.values() for f in d.findings]
        merged = Provenance.merge(*(d.provenance for d in tables.values()))
        return _Input(
            tables, (), tuple(seen), merged, any(d.origins is not None for d in tables.values())
        )
    raise GbiError(
        "GBI-E031", expected="Dataset, Submission, {table: DataFrame}", got=type(data).__name__
    )


@dataclass(frozen=True, eq=False)
class _Engine:
    """The tables of one validation, prepared once for all rules."""

    source: _Input
    previous: Mapping[str, pd.DataFrame]
    day: date
    most: int
    answers: bool

    def run(self, rules: Sequence[Rule]) -> dict[str, _Tally]:
        """Run the rules, each on its tables."""
        datasets = self.source.datasets
        frames = [f for d in datasets.values() for f in _frames(d)]
        with remembering([*frames, *self.previous.values()]):
            tables = {name: _table(data) for name, data in datasets.items()}
            contexts = {name: self._context(data) for name, data in datasets.items()}
            return {rule.code: self._rule(rule, tables, contexts) for rule in rules}

    def _context(self, data: Dataset) -> Context:
        known = schema(data.table)
        return Context(
            table=data.table,
            frame=data.frame,
            key=tuple(c for c in known.key if c in data.frame.columns),
            required=_required(known, data.frame),
            totals=None if data.totals is None else data.totals.frame,
            unread=_unread(data),
            others={name: d.frame for name, d in self.source.datasets.items()},
            previous=self.previous,
            as_of=self.day,
        )

    def _rule(
        self, rule: Rule, tables: Mapping[str, Table], contexts: Mapping[str, Context]
    ) -> _Tally:
        tally = _Tally()
        if rule.operator in OUTSIDE:
            tally.read += [
                replace(f, severity=rule.severity(None, self.day))
                for f in self.source.findings
                if f.code == rule.code
            ]
            tally.tables = int(self.answers if rule.operator == WAIVER else self.source.was_read)
            tally.checked = len(self.source.files)
            tally.reasons.append("no_waiver" if rule.operator == WAIVER else "no_file")
            return tally
        for name in rule.tables:
            if name not in tables:
                continue
            if reason := self._inapplicable(rule):
                tally.reasons.append(reason)
                continue
            tally.tables += 1
            absent = tuple(c for c in rule.needs if c not in contexts[name].frame.columns)
            if absent:
                tally.not_run.append(NotRun(rule.code, name, "missing_column", absent))
                continue
            try:
                self._check(rule, name, tables, contexts[name], tally)
            except Exception as error:  # a rule that breaks off must not cost the others
                tally.errors.append(EngineError(rule.code, name, type(error).__name__))
        return tally

    def _inapplicable(self, rule: Rule) -> str | None:
        """Say why a rule that needs other tables, or last year's, has nothing to compare with."""
        if rule.document.get("previous") and not self.previous:
            return "no_previous"
        for table, columns in rule.document.get("others", {}).items():
            if table not in self.source.datasets:
                return f"no_table: {table}"
            for column in columns:
                if column not in self.source.datasets[table].frame.columns:
                    return f"no_column: {table}.{column}"
        return None

    def _check(
        self,
        rule: Rule,
        name: str,
        tables: Mapping[str, Table],
        context: Context,
        tally: _Tally,
    ) -> None:
        mine = replace(
            context, params=rule.document["params"], tolerance=rule.document["tolerance"]
        )
        skip = np.zeros(len(context.frame), dtype=bool)
        for column in rule.needs:
            skip |= context.unread.get(column, skip)
        checked: Checked = OPERATORS[rule.operator](mine)
        if checked.absent:
            tally.not_run.append(NotRun(rule.code, name, "missing_column", checked.absent))
        tally.checked += checked.rows
        tally.skipped += int(skip.sum())
        clean = _without(checked.violations, skip)
        if not len(clean):
            return
        others = {t: tables[t] for t in rule.document.get("others", {}) if t in tables}
        breached = Breached(rule, rule.severity(name, self.day), tables[name], clean, others)
        # Words that lack a placeholder are the engine's fault, to be met here and not when shown.
        tried = 1 if isinstance(clean, Breaches) else min(len(clean), self.most)
        for _ in breached.findings(tried):
            pass
        tally.breached.append(breached)


def _frames(data: Dataset) -> list[pd.DataFrame]:
    return [data.frame] if data.totals is None else [data.frame, data.totals.frame]


def _table(data: Dataset) -> Table:
    key = tuple(c for c in schema(data.table).key if c in data.frame.columns)
    return Table(data, key, _masks(data))


def _masks(data: Dataset) -> NDArray[np.object_] | None:
    """Return what is published in the place of figures, per row."""
    if data.table == _MICRODATA:
        return np.full(len(data), WITHHELD, dtype=object)
    return None


def _without(violations: Sequence[Violation], skip: NDArray[np.bool_]) -> Sequence[Violation]:
    """Leave out the breaches that touch a row whose cell reading could not understand."""
    if not skip.any():
        return violations
    if isinstance(violations, Breaches):
        return violations.take(np.flatnonzero(~skip[violations.rows]))
    return [v for v in violations if not skip[list(v.rows)].any()]


def _required(known: Schema, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what a row must fill, or say why not; an absent column stands for its default."""
    return tuple(
        f.name
        for f in known.fields
        if (f.required and (f.default is None or f.name in frame.columns)) or f.missing_reason
    )


def _unread(data: Dataset) -> dict[str, NDArray[np.bool_]]:
    """Return, per column, the rows whose own cell reading could not understand."""
    if data.origins is None:
        return {}
    bad = {c for f in data.findings if f.code[4] in _UNREAD_FAMILIES for c in f.cells[:1]}
    if not bad:
        return {}
    origins = data.origins
    addresses = {cell.a1 for cell in bad}
    out: dict[str, NDArray[np.bool_]] = {}
    for column in (c for c in origins.columns if not str(c).startswith("_")):
        rows = np.flatnonzero(origins[column].isin(addresses).to_numpy(dtype=bool))
        hit = [
            r
            for r in rows.tolist()
            if Cell(
                str(origins[ORIGIN_FILE].iloc[r]),
                str(origins[ORIGIN_SHEET].iloc[r]),
                str(origins[column].iloc[r]),
            )
            in bad
        ]
        if hit:
            out[str(column)] = np.isin(np.arange(len(data)), hit)
    return out


def _outcome(
    rule: Rule, tally: _Tally, source: _Input, day: date, marked: Sequence[Finding]
) -> RuleOutcome:
    missing = {n.table for n in tally.not_run}
    reason = None
    if tally.errors:
        status = "error"
    elif len(tally):
        status = "failed"
    elif tally.not_run and len(missing) == tally.tables:
        status, reason = "not_run", "missing_column"
    elif tally.tables:
        status = "passed"
    else:
        status, reason = "not_applicable", next(iter(tally.reasons), "no_table")
    levels = [rule.severity(t, day) for t in rule.tables if t in source.datasets]
    gravest = min(levels or [rule.severity(None, day)], key=SEVERITIES.index)
    waived = sum(f.status == "waived" for f in marked if f.code == rule.code)
    return RuleOutcome(
        rule.code, rule.slug, gravest, status, tally.checked, tally.skipped, len(tally), waived,
        reason,
    )  # fmt: skip


def _compare(
    previous: ValidationReport | Mapping[str, Any], findings: Sequence[Finding]
) -> dict[str, tuple[str, ...]]:
    before = (
        {f.id for f in previous.findings}
        if isinstance(previous, ValidationReport)
        else {str(f["id"]) for f in previous["findings"]}
    )
    now = {f.id for f in findings}
    return {
        "fixed": tuple(sorted(before - now)),
        "new": tuple(sorted(now - before)),
        "persisting": tuple(sorted(before & now)),
    }
