"""A validation report on a terminal: the verdict, the findings by rule, what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.findings import SEVERITIES
from gbi.report.ruleset import reason_of
from gbi.report.wording import Words

if TYPE_CHECKING:
    from gbi.findings import Finding
    from gbi.validation import ValidationReport

_FINDINGS = 3


def validation_summary(report: ValidationReport, *, lang: str | None = None) -> str:
    """Return a validation report as text: verdict, counts, findings by rule, what was not run.

    The first findings of each rule have their place, what was seen and what to do; their number is
    that of all findings, stored or not.
    """
    words = Words(lang)
    counts = report.counts
    numbers = (f"{words(f'severities.{n}')} {counts[n]}" for n in (*SEVERITIES, "waived"))
    lines = [words(f"verdict.{report.verdict}"), " · ".join(numbers)]
    totals = {rule.code: rule.findings for rule in report.rules}
    for code, found in _by_rule(report).items():
        lines += ["", *_group(found, max(totals.get(code, 0), len(found)), words)]
    if report.truncation["stored"] < report.truncation["counted"]:
        lines += ["", words.say("truncated", **report.truncation)]
    if report.not_run:
        lines += ["", words("summary.not_run", n=len(report.not_run))]
        lines += [
            f"{n.code}  {words.entry('tables', n.table)}: {reason_of(n, words)}"
            for n in report.not_run
        ]
    if report.engine_errors:
        lines += ["", words("summary.engine_errors", n=len(report.engine_errors))]
        lines += [f"{e.code}  {e.table}: {e.error}" for e in report.engine_errors]
    fingerprint = report.provenance.fingerprint
    lines += ["", words("summary.fingerprint", fingerprint=fingerprint)]
    return "\n".join(lines)


def _by_rule(report: ValidationReport) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.code, []).append(finding)
    return groups


def _group(findings: list[Finding], total: int, words: Words) -> list[str]:
    """Return one rule's findings: a heading, the first ones, how many more there are."""
    first = findings[0]
    level = words(f"severity.{first.severity}")
    lines = [f"{first.code}  {level} {total}  {first.message[words.lang]['title']}"]
    for finding in findings[:_FINDINGS]:
        place = finding.cells[0] if finding.cells else finding.file
        waived = f" ({words('severity.waived')})" if finding.status == "waived" else ""
        message = finding.message[words.lang]
        if str(place):  # what is about the submission as a whole has no place
            lines.append(f"  {words.aside(place)}{waived}")
        lines += [f"    {message['seen']} {message['expected']}", f"    → {message['fix']}"]
    if total > _FINDINGS:
        lines.append(f"  {words('summary.more', n=total - min(_FINDINGS, len(findings)))}")
    return lines
