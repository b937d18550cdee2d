"""The engine: rules on tables, breaches to findings, findings to a report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, Dataset, Submission
from gbi.errors import GbiError
from gbi.findings import SEVERITIES, Cell, Finding, make_finding
from gbi.provenance import Provenance
from gbi.schemas import schema
from gbi.validation.catalogue import INTAKE, Rule, catalogue, effective_day, pick
from gbi.validation.context import Checked, Context, Violation, plain
from gbi.validation.operators import OPERATORS
from gbi.validation.report import EngineError, NotRun, RuleOutcome, ValidationReport
from gbi.validation.waivers import apply_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gbi.dataset import SubmittedFile
    from gbi.schemas import Schema

Data = Dataset | Submission | Mapping[str, "pd.DataFrame | Dataset"]
_UNREAD_FAMILIES = "TC"  # a cell that holds no number, or no known code


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

    findings: list[Finding] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    errors: list[EngineError] = field(default_factory=list)
    tables: int = 0
    checked: int = 0
    skipped: int = 0


def validate(
    data: Data,
    *,
    previous: ValidationReport | Mapping[str, Any] | Submission | None = None,
    as_of: date | str | None = None,
    only: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    waivers: Sequence[Mapping[str, Any]] | None = None,
) -> ValidationReport:
    """Check data against the rule catalogue.

    Parameters
    ----------
    data
        A submission, a dataset, or tables by name.
    previous
        An earlier report (or its payload, or the submission that it was made from): findings are
        compared by id as fixed, new or persisting.
    as_of
        The day whose severities hold; by default the day on which the rule set took effect, so
        that the same files always give the same report.
    only, exclude
        Codes (``GBI-A003``, ``A003``), slugs or families (``A``) to run or to leave out; recorded
        in the report.
    waivers
        Each ``{"id": …}`` or ``{"code": …, "key": {…}}`` with ``justification`` and ``by``.

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
    day = date.fromisoformat(effective_day()) if as_of is None else _day(as_of)
    chosen = pick(only, exclude)
    tallies = {rule.code: _run(rule, source, day) for rule in chosen}
    found = [f for tally in tallies.values() for f in tally.findings]
    by_code = {rule.code: rule for rule in catalogue()}
    marked, outcome = apply_waivers(sorted(found, key=_order), waivers or (), by_code)
    options = {"as_of": day.isoformat(), "only": _words(only), "exclude": _words(exclude)}
    return ValidationReport(
        findings=tuple(marked),
        rules=tuple(_outcome(r, tallies[r.code], source, day, marked) for r in chosen),
        not_run=tuple(n for t in tallies.values() for n in t.not_run),
        engine_errors=tuple(e for t in tallies.values() for e in t.errors),
        waivers=outcome,
        files=source.files,
        tables={name: len(d) for name, d in source.datasets.items()},
        options=options,
        comparison=_compare(previous, marked, options),
        provenance=source.provenance.then("validate", **options),
    )


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


def _run(rule: Rule, source: _Input, day: date) -> _Tally:
    tally = _Tally()
    tally.findings += [
        replace(f, severity=rule.severity(None, day))
        for f in source.findings
        if f.code == rule.code
    ]
    if rule.operator == INTAKE:
        tally.tables = int(source.was_read)
        tally.checked = len(source.files)
        return tally
    for table in rule.tables:
        data = source.datasets.get(table)
        if data is None:
            continue
        tally.tables += 1
        absent = tuple(c for c in rule.needs if c not in data.frame.columns)
        if absent:
            tally.not_run.append(NotRun(rule.code, table, "missing_column", absent))
            continue
        try:
            _check(rule, data, day, tally)
        except Exception as error:  # a rule that breaks off must not cost the others
            tally.errors.append(EngineError(rule.code, table, type(error).__name__))
    return tally


def _check(rule: Rule, data: Dataset, day: date, tally: _Tally) -> None:
    context = _context(rule, data)
    skip = np.zeros(len(data), dtype=bool)
    for column in rule.needs:
        skip |= context.unread.get(column, skip)
    checked: Checked = OPERATORS[rule.operator](context)
    if checked.absent:
        tally.not_run.append(NotRun(rule.code, data.table, "missing_column", checked.absent))
    clean = [v for v in checked.violations if not skip[list(v.rows)].any()]
    tally.checked += checked.rows
    tally.skipped += int(skip.sum())
    severity = rule.severity(data.table, day)
    seen: Counter[tuple[str, ...]] = Counter()
    for violation in clean:
        finding = _finding(rule, violation, data, context, severity, seen)
        tally.findings.append(finding)


def _context(rule: Rule, data: Dataset) -> Context:
    known = schema(data.table)
    return Context(
        table=data.table,
        frame=data.frame,
        key=tuple(c for c in known.key if c in data.frame.columns),
        required=_required(known, data.frame),
        params=rule.document["params"],
        tolerance=rule.document["tolerance"],
        totals=None if data.totals is None else data.totals.frame,
        unread=_unread(data),
    )


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
    places = list(zip(origins[ORIGIN_FILE], origins[ORIGIN_SHEET], strict=True))
    out: dict[str, NDArray[np.bool_]] = {}
    for column in (c for c in origins.columns if not str(c).startswith("_")):
        cells = [
            Cell(str(f), str(s), str(a)) in bad
            for (f, s), a in zip(places, origins[column], strict=True)
        ]
        if any(cells):
            out[str(column)] = np.array(cells, dtype=bool)
    return out


def _finding(
    rule: Rule,
    violation: Violation,
    data: Dataset,
    context: Context,
    severity: Any,
    seen: Counter[tuple[str, ...]],
) -> Finding:
    first_in_totals = violation.totals_first and bool(violation.totals)
    where = data.totals if first_in_totals and data.totals is not None else data
    row = violation.totals[0] if first_in_totals else violation.rows[0]
    own = _cells(data, violation.rows, violation.column)
    printed = [] if data.totals is None else _cells(data.totals, violation.totals, violation.column)
    key = _key(where.frame, context.key, row)
    if violation.shared:
        same = data.frame.iloc[list(violation.rows)].nunique(dropna=False)
        key = {c: v for c, v in key.items() if same[c] == 1}
    mark = (violation.column, *key.values())
    seen[mark] += 1
    return make_finding(
        rule.code,
        severity=severity,
        cells=[*printed, *own] if first_in_totals else [*own, *printed],
        key=key,
        field=violation.column,
        found=violation.found,
        expected=violation.expected,
        difference=violation.difference,
        tolerance=violation.tolerance,
        unit=_unit(where.frame, row) if violation.column == "OBS_VALUE" else None,
        suggestion=violation.suggestion,
        ordinal=seen[mark] - 1,
        **violation.details,
    )


def _cells(data: Dataset, rows: Iterable[int], column: str) -> list[Cell]:
    if data.origins is None:
        return []
    return list(dict.fromkeys(data.origin(row, column) for row in rows))


def _key(frame: pd.DataFrame, columns: Iterable[str], row: int) -> dict[str, str]:
    """Return the business key of a row: what is given and is not a total."""
    key = {}
    for column in columns:
        value = plain(frame[column].iloc[row]) if column in frame.columns else None
        if value is not None and value != "_T":
            key[column] = str(value)
    return key


def _unit(frame: pd.DataFrame, row: int) -> str | None:
    if "UNIT_MEASURE" not in frame.columns:
        return None
    unit = plain(frame["UNIT_MEASURE"].iloc[row])
    multiplier = plain(frame["UNIT_MULT"].iloc[row]) if "UNIT_MULT" in frame.columns else None
    if unit is None:
        return None
    return f"{unit} × 10^{multiplier}" if multiplier else str(unit)


def _order(finding: Finding) -> tuple[Any, ...]:
    match = re.fullmatch(r"([A-Z]+)([0-9]+)", finding.a1)
    row, column = (int(match[2]), match[1]) if match else (0, "")
    return (
        SEVERITIES.index(finding.severity),
        finding.file,
        finding.sheet,
        row,
        len(column),
        column,
        finding.code,
        finding.id,
    )


def _outcome(
    rule: Rule, tally: _Tally, source: _Input, day: date, marked: Sequence[Finding]
) -> RuleOutcome:
    mine = [f for f in marked if f.code == rule.code]
    if tally.errors:
        status = "error"
    elif mine:
        status = "failed"
    elif tally.not_run and len({n.table for n in tally.not_run}) == tally.tables:
        status = "not_run"
    else:
        status = "passed" if tally.tables else "not_applicable"
    levels = [rule.severity(t, day) for t in rule.tables if t in source.datasets]
    gravest = min(levels or [rule.severity(None, day)], key=SEVERITIES.index)
    return RuleOutcome(
        rule.code,
        rule.slug,
        gravest,
        status,
        tally.checked,
        tally.skipped,
        len(mine),
        sum(f.status == "waived" for f in mine),
    )


def _compare(
    previous: ValidationReport | Mapping[str, Any] | Submission | None,
    findings: Sequence[Finding],
    options: Mapping[str, Any],
) -> dict[str, tuple[str, ...]] | None:
    if previous is None:
        return None
    if isinstance(previous, Submission):
        previous = validate(previous, **{k: v for k, v in options.items() if v is not None})
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
