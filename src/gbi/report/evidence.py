"""The sections of evidence: findings, files, notes on method, provenance, and any other table."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gbi.findings import SEVERITIES, rule_document
from gbi.language import has_text, text
from gbi.report import tables
from gbi.report.grids import Box, Grid, Group, Head, Section, code, heads, named, number, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gbi.dataset import SubmittedFile
    from gbi.findings import Finding
    from gbi.provenance import Provenance
    from gbi.report.bundle import Item
    from gbi.report.wording import Words
    from gbi.validation import ValidationReport

_OPEN = 5  # findings of a rule that stand on the page; the others are folded
_ROWS = 60  # rows of any other table that stand on the page


def quality_section(report: ValidationReport, words: Words) -> Section:
    """Return the findings by rule, the gravest first, and the rules that were not run."""
    by_rule = [
        (found[0], found)
        for level in SEVERITIES
        for found in _grouped(f for f in report.findings if f.severity == level)
    ]
    grids = [_overview(by_rule, words)] if by_rule else []
    if report.not_run:
        rows = tuple(
            (
                code(n.code, head=True),
                Box(words.entry("tables", n.table)),
                code(", ".join(n.columns)),
            )
            for n in report.not_run
        )
        names = ("rule", "table", "columns")
        grids.append(Grid(words("captions.not_run"), heads(words, *names), rows))
    if report.engine_errors:
        rows = tuple(
            (code(e.code, head=True), Box(words.entry("tables", e.table)), code(e.error))
            for e in report.engine_errors
        )
        grids.append(Grid(words("quality.engine"), heads(words, "rule", "table", "error"), rows))
    ran = [r for r in report.rules if r.status in ("passed", "failed")]
    texts = [
        words(
            "quality.rules_run",
            run=len(ran),
            passed=sum(r.status == "passed" for r in ran),
            not_run=len(report.not_run),
            errors=len(report.engine_errors),
        )
    ]
    if not report.not_run and not report.engine_errors:
        texts.append(words("quality.all_run"))
    if not report.findings:
        texts.append(words("quality.none"))
    return named(
        "quality",
        words,
        texts=tuple(texts),
        grids=tuple(grids),
        groups=tuple(_rule(first, found, words) for first, found in by_rule),
    )


def _grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings by rule, rules in the order of their codes, findings in their own."""
    ordered = sorted(findings, key=lambda f: f.code)
    return [list(members) for _, members in groupby(ordered, key=lambda f: f.code)]


def _anchor(finding: Finding) -> str:
    return f"{finding.code}-{finding.severity}"


def _rule_title(finding: Finding, words: Words) -> str:
    title: str = rule_document(finding.code)["messages"][words.lang]["title"]
    return title


def _overview(by_rule: Sequence[tuple[Finding, list[Finding]]], words: Words) -> Grid:
    rows = tuple(
        (
            Box(words(f"severity.{first.severity}"), tone=first.severity),
            Box(first.code, "code", link=_anchor(first)),
            Box(_rule_title(first, words), head=True),
            number(words.value(len(found)), "strong"),
        )
        for first, found in by_rule
    )
    foot = (
        Box(words("page.total"), head=True, columns=3),
        number(words.value(sum(len(found) for _, found in by_rule))),
    )
    names = ("severity", "rule", "title", "#findings")
    return Grid(words("captions.findings"), heads(words, *names), rows, foot)


def _rule(first: Finding, found: list[Finding], words: Words) -> Group:
    fixes = list(dict.fromkeys(f.message[words.lang]["fix"] for f in found))
    shared = len(fixes) == 1
    texts = [words("quality.count", n=len(found))]
    if shared:
        texts.append(f"{words('quality.fix')}{_COLON[words.lang]}{fixes[0]}")
    names = ("place", "seen", "expected") if shared else ("place", "seen", "expected", "fix")
    columns = heads(words, *names, group="quality")
    title = _rule_title(first, words)
    rows = tuple(_finding(f, words, fix=not shared) for f in found)
    kept = len(rows) if len(rows) <= _OPEN + 1 else _OPEN
    rest = (Grid(title, columns, rows[kept:]),) if rows[kept:] else ()
    return Group(
        id=_anchor(first),
        title=title,
        code=first.code,
        tone=first.severity,
        label=words(f"severity.{first.severity}"),
        texts=tuple(texts),
        grids=(Grid(title, columns, rows[:kept]),),
        folded=rest,
        folded_title=words("quality.more", n=len(found) - kept),
    )


_COLON = {"fr": "\u00a0: ", "ar": ": ", "en": ": "}


def _finding(finding: Finding, words: Words, *, fix: bool) -> tuple[Box, ...]:
    message = finding.message[words.lang]
    cells = ", ".join(dict.fromkeys(c.a1 for c in finding.cells if c.a1)) or finding.a1
    sheet = f"{finding.sheet}!" if finding.sheet else ""
    place = " › ".join(part for part in (finding.file, f"{sheet}{cells}") if part)
    waived = f" ({words('severity.waived')})" if finding.status == "waived" else ""
    boxes = (
        Box(place, "code", head=True, aside=words.names(finding.key)),
        Box(message["seen"] + waived),
        Box(message["expected"]),
    )
    return (*boxes, Box(message["fix"])) if fix else boxes


def files_section(files: Sequence[SubmittedFile], words: Words) -> Section:
    """Return every file of the submission and what became of it."""
    rows = tuple(
        (
            code(f.name, head=True),
            Box(words(f"file_status.{f.status}"), tone="" if f.status == "read" else "quiet"),
            Box(words.entry("tables", f.table) if f.table else ""),
            number(words.value(f.rows) if f.rows else ""),
            Box(f.sha256, "code", tone="hash"),
        )
        for f in files
    )
    names = ("file", "status", "table", "#rows", "sha256")
    grid = Grid(words("captions.files"), heads(words, *names, group="columns"), rows)
    return named("files", words, grids=(grid,))


def method_section(items: Sequence[Item], words: Words) -> Section:
    """Return the notes of all results, measure by measure."""
    groups = []
    for item in items:
        notes = tuple(note.texts()[words.lang] for note in item.result.notes)
        if notes:
            groups.append(Group(f"notes-{item.name}", item_title(item, words), texts=notes))
    return named("method", words, groups=tuple(groups))


def item_title(item: Item, words: Words) -> str:
    """Return the name of a table: of its step in the standard analysis, else of its kind."""
    key = f"report.progress.{item.name}"
    return text(key, words.lang) if has_text(key) else words.entry("results", item.result.kind)


def provenance_section(provenance: Provenance, words: Words) -> Section:
    """Return fingerprint, version, rule set and sources."""
    facts = (
        (words("columns.fingerprint"), code(provenance.fingerprint)),
        (words("columns.version"), code(f"gbi {provenance.version}")),
        (words("columns.ruleset"), Box(provenance.ruleset, "code", tone="hash")),
    )
    rows = tuple(
        (code(s.name, head=True), number(words.value(s.size)), Box(s.sha256, "code", tone="hash"))
        for s in provenance.sources
    )
    columns = heads(words, "file", "#size", "sha256", group="columns")
    grid = Grid(words("captions.sources"), columns, rows)
    return named(
        "provenance", words, facts=facts, texts=(words("page.full_bundle"),), grids=(grid,)
    )


def other_section(item: Item, words: Words) -> Section:
    """Return a result that the page has no form of its own for, or that could not be computed."""
    title = item_title(item, words)
    anchor = f"table-{item.name}"
    if item.result.kind == "not_computed":
        reasons = " ".join(note.texts()[words.lang] for note in item.result.notes)
        return Section(anchor, title, texts=(words("page.not_computed", reason=reasons),))
    if not len(item.result.frame):
        return Section(anchor, title, texts=(words("page.no_data"),))
    content = tables.table(item.name, item.result, item.figure)
    names = [c["name"] for c in content["columns"]]
    columns = tuple(Head(c["label"][words.lang]) for c in content["columns"])
    rows = tuple(tuple(shown(row[n], words) for n in names) for row in content["rows"])
    rest = (Grid(title, columns, rows[_ROWS:]),) if rows[_ROWS:] else ()
    return Section(
        anchor,
        title,
        grids=(Grid(title, columns, rows[:_ROWS]),),
        folded=rest,
        folded_title=words("page.more_rows", n=len(rows) - _ROWS) if rest else "",
    )
