"""The tables at the end of the validation page: what did not run, waivers, all rules, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from gbi.report.ruleset import reason_of, remark, rule_text
from gbi.report.waiver_text import about, codes_by_id, outcome, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gbi.report.wording import Words
    from gbi.validation import ValidationReport

Rows = list[tuple[object, ...]]


def page_tables(report: ValidationReport) -> dict[str, Callable[[Words], Rows]]:
    """Return the tables by name; each is asked for its rows in one language."""
    return {
        "not_run": lambda words: not_run(report, words),
        "engine_errors": lambda words: engine_errors(report, words),
        "waivers": lambda words: waivers(report, words),
        "all_rules": lambda words: all_rules(report, words),
        "sources": lambda words: sources(report, words),
    }


def code(text: object) -> Markup:
    """Return a name, an address or a hash, which keeps its direction."""
    return Markup('<bdi dir="ltr" class="code">{}</bdi>').format(escape(text))


def foreign(text: object) -> Markup:
    """Return what a sender wrote, in whichever direction it runs."""
    return Markup("<bdi>{}</bdi>").format(escape(text))


def not_run(report: ValidationReport, words: Words) -> Rows:
    """Return every rule that could not run, the table, and why."""
    return [
        (code(n.code), rule_text(report, n.code, "title", words.lang),
         words.entry("tables", n.table), reason_of(n, words))
        for n in report.not_run
    ]  # fmt: skip


def engine_errors(report: ValidationReport, words: Words) -> Rows:
    """Return every rule that broke off."""
    return [
        (code(e.code), rule_text(report, e.code, "title", words.lang),
         words.entry("tables", e.table), code(e.error))
        for e in report.engine_errors
    ]  # fmt: skip


def waivers(report: ValidationReport, words: Words) -> Rows:
    """Return every waiver: what it is about, who gave it, why, and what became of it."""
    codes = codes_by_id(report)
    return [
        (code(about(waiver, codes)), foreign(signed(waiver)),
         foreign(str(waiver.given.get("justification", ""))[:600]), outcome(waiver, words))
        for waiver in report.waivers
    ]  # fmt: skip


def all_rules(report: ValidationReport, words: Words) -> Rows:
    """Return every rule that was asked for and what became of it."""
    return [
        (code(r.code), rule_text(report, r.code, "title", words.lang),
         words(f"rule_status.{r.status}"), words.value(r.checked), words.value(r.findings),
         remark(r, words))
        for r in report.rules
    ]  # fmt: skip


def sources(report: ValidationReport, words: Words) -> Rows:
    """Return every file of the submission; without files, the sources that are known."""
    if not report.files:
        return [(code(s.name), "", "", "", code(s.sha256)) for s in report.provenance.sources]
    return [
        (code(f.name), words(f"file_status.{f.status}"),
         words.entry("tables", f.table) if f.table else "",
         words.value(f.rows) if f.rows else "", code(f.sha256))
        for f in report.files
    ]  # fmt: skip
