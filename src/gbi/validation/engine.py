"""The engine: rules on tables, breaches to findings, findings to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.findings import SEVERITIES, Finding
from gbi.validation.catalogue import OUTSIDE, WAIVER, Rule, catalogue, effective_day, pick
from gbi.validation.preparing import Data, Prepared, Source, prepare, source_of
from gbi.validation.report import EngineError, NotRun, RuleOutcome, ValidationReport
from gbi.validation.running import Looked, context_of, look
from gbi.validation.streaming import Gathered, Register, Stream, Streamed
from gbi.validation.suggestions import SUMS, hints
from gbi.validation.tracing import Breached, Stored
from gbi.validation.waivers import apply_waivers, exercise_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gbi.validation.waivers import Waiver

STORED = 1000  # findings of a rule in a table that a report keeps; all are counted
_ANSWERED = 20_000  # the same where there are waivers, each of which has to meet its finding


@dataclass(eq=False)
class _Tally:
    """What became of one rule over all its tables."""

    read: list[Finding] = field(default_factory=list)
    breached: list[Breached | Gathered] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    errors: list[EngineError] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    tables: int = 0
    checked: int = 0
    skipped: int = 0

    def add(self, rule: Rule, table: str, looked: Looked) -> None:
        """Take over what the rule saw in a table."""
        if looked.absent:
            self.not_run.append(NotRun(rule.code, table, "missing_column", looked.absent))
        self.checked += looked.checked
        self.skipped += looked.skipped
        if looked.breached is not None:
            self.breached.append(looked.breached)

    def streamed(self, code: str, table: str, seen: Streamed) -> None:
        """Take over what the rule saw in a register."""
        self.tables += 1
        self.checked += seen.checked
        self.skipped += seen.skipped
        if seen.error is not None:
            self.errors.append(EngineError(code, table, seen.error))
        elif seen.too_large or seen.mistyped:
            reason = "too_large" if seen.too_large else "wrong_type"
            self.not_run.append(NotRun(code, table, reason, seen.mistyped))
        if len(seen.gathered):
            self.breached.append(seen.gathered)

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
        A submission, a dataset, or tables by name. A path in the place of a table is a Parquet
        file of this table, looked at in record batches within a bounded memory.
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
    source = source_of(data)
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
    return {name: d.frame for name, d in source_of(previous).datasets.items()}, None


def _words(words: Iterable[str] | None) -> list[str] | None:
    return None if words is None else [words] if isinstance(words, str) else sorted(words)


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


@dataclass(frozen=True, eq=False)
class _Engine:
    """The tables of one validation, prepared once for all rules."""

    source: Source
    previous: Mapping[str, pd.DataFrame]
    day: date
    most: int
    answers: bool

    def run(self, rules: Sequence[Rule]) -> dict[str, _Tally]:
        """Run the rules, each on its tables."""
        prepared = prepare(self.source.datasets, self.previous, self.day)
        with prepared.remembering():
            tallies = {rule.code: self._rule(rule, prepared) for rule in rules}
            self._hint(tallies, prepared)
        self._streams(rules, tallies)
        return tallies

    def _rule(self, rule: Rule, prepared: Prepared) -> _Tally:
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
            context = prepared.contexts.get(name)
            if context is None:
                continue
            if reason := self._inapplicable(rule):
                tally.reasons.append(reason)
                continue
            tally.tables += 1
            absent = tuple(c for c in rule.needs if c not in context.frame.columns)
            if absent:
                wrong = all(c in context.mistyped for c in absent)
                reason = "wrong_type" if wrong else "missing_column"
                tally.not_run.append(NotRun(rule.code, name, reason, absent))
                continue
            try:
                looked = look(rule, name, prepared, self.day, self.most)
            except Exception as error:  # a rule that breaks off must not cost the others
                tally.errors.append(EngineError(rule.code, name, type(error).__name__))
                continue
            tally.add(rule, name, looked)
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

    def _hint(self, tallies: Mapping[str, _Tally], prepared: Prepared) -> None:
        """Say, beside sums that do not close, which cell's change would close them all."""
        for name, data in self.source.datasets.items():
            sums = [
                b
                for tally in tallies.values()
                for b in tally.breached
                if isinstance(b, Breached)
                and b.rule.operator in SUMS
                and b.table_name == name
                and len(b) <= self.most
            ]
            if not sums:
                continue
            contexts = [(b.rule.code, context_of(b.rule, name, prepared)) for b in sums]
            try:
                lines = hints(contexts, data)
            except Exception as error:  # what is only proposed must not cost a finding
                tallies[sums[0].rule.code].errors.append(
                    EngineError(sums[0].rule.code, name, type(error).__name__)
                )
                continue
            for b in sums:
                tally = tallies[b.rule.code]
                tally.breached[tally.breached.index(b)] = b.suggesting(lines)

    def _streams(self, rules: Sequence[Rule], tallies: Mapping[str, _Tally]) -> None:
        """Run the rules on the registers, in pieces."""
        for name, path in self.source.registers.items():
            register = Register(path, name)
            try:
                mine = []
                for rule in rules:
                    if name not in rule.tables or rule.operator in OUTSIDE:
                        continue
                    tally = tallies[rule.code]
                    absent = tuple(c for c in rule.needs if c not in register.columns)
                    if reason := self._inapplicable(rule):
                        tally.reasons.append(reason)
                    elif rule.document.get("previous") or rule.document.get("others"):
                        tally.tables += 1
                        tally.not_run.append(NotRun(rule.code, name, "too_large", ()))
                    elif absent:
                        tally.tables += 1
                        tally.not_run.append(NotRun(rule.code, name, "missing_column", absent))
                    else:
                        mine.append(rule)
                for code, streamed in Stream(register, self.day, self.most).run(mine).items():
                    tallies[code].streamed(code, name, streamed)
            finally:
                register.close()


def _outcome(
    rule: Rule, tally: _Tally, source: Source, day: date, marked: Sequence[Finding]
) -> RuleOutcome:
    missing = {n.table for n in tally.not_run}
    reason = None
    if tally.errors:
        status = "error"
    elif len(tally):
        status = "failed"
    elif tally.not_run and len(missing) == tally.tables:
        status, reason = "not_run", tally.not_run[0].reason
    elif tally.tables:
        status = "passed"
    else:
        status, reason = "not_applicable", next(iter(tally.reasons), "no_table")
    present = {*source.datasets, *source.registers}
    levels = [rule.severity(t, day) for t in rule.tables if t in present]
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
