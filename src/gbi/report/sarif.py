"""The report as SARIF 2.1.0 (OASIS), which code hosts and editors read.

The severities are SARIF's levels, a cell is a logical location inside its file, a waiver is a
suppression, and what could not be checked is a notification of the tool, never a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gbi.provenance import canonical, canonical_json
from gbi.report.extracts import address
from gbi.report.ruleset import blank, reason_of, references, rule_text, waivable
from gbi.report.wording import Words

if TYPE_CHECKING:
    from gbi.findings import Cell, Finding
    from gbi.validation import ValidationReport
    from gbi.validation.report import RuleOutcome

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"blocking": "error", "warning": "warning", "info": "note"}
_NOTICES = {
    "GBI-NOT-RUN": "A rule that could not run, with the reason",
    "GBI-ENGINE-ERROR": "A rule that broke off: an error of the program, not of the data",
    "GBI-TRUNCATED": "Findings are counted that are not listed",
}


def sarif_log(report: ValidationReport, *, lang: str | None = None) -> dict[str, Any]:
    """Return the report as a SARIF log with one run.

    Parameters
    ----------
    report
        The validation report.
    lang
        The language of titles and messages; a rule's help is in French and English.

    Returns
    -------
    dict
        JSON-ready; without times or machine names, so that the same report gives the same log.
    """
    words = Words(lang)
    place = {rule.code: n for n, rule in enumerate(report.rules)}
    run: dict[str, Any] = {
        "tool": {"driver": _driver(report, words)},
        "language": words.lang,
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, place, words)],
        "artifacts": [
            {
                "location": {"uri": _uri(f.name)},
                "length": f.size,
                "roles": ["analysisTarget"],
                **({"hashes": {"sha-256": f.sha256}} if f.sha256 else {}),
            }
            for f in report.files
        ],
        "results": [_result(f, report, place, words) for f in report.findings],
        "properties": {
            "verdict": report.verdict,
            "counts": report.counts,
            "truncation": report.truncation,
            "fingerprint": report.provenance.fingerprint,
            "ruleset": report.provenance.ruleset,
            "options": dict(report.options),
        },
    }
    log: dict[str, Any] = canonical({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    return log


def sarif_json(report: ValidationReport, *, lang: str | None = None) -> str:
    """Return the SARIF log as text."""
    return canonical_json(sarif_log(report, lang=lang), indent=1) + "\n"


def _driver(report: ValidationReport, words: Words) -> dict[str, Any]:
    return {
        "name": "gbi",
        "version": report.provenance.version,
        "rules": [_rule(rule, report, words) for rule in report.rules],
        "notifications": [
            {"id": name, "shortDescription": {"text": text}} for name, text in _NOTICES.items()
        ],
    }


def _rule(rule: RuleOutcome, report: ValidationReport, words: Words) -> dict[str, Any]:
    told = {
        x: " ".join(rule_text(report, rule.code, part, x) for part in ("title", "why", "fix"))
        for x in ("fr", "en")
    }
    return {
        "id": rule.code,
        "name": rule.slug,
        "shortDescription": {"text": blank(rule_text(report, rule.code, "title", words.lang))},
        "fullDescription": {
            "text": blank(rule_text(report, rule.code, "why", words.lang)) or rule.slug
        },
        "help": {"text": "\n\n".join(f"[{x}] {blank(text)}" for x, text in told.items())},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "status": rule.status,
            "checked": rule.checked,
            "findings": rule.findings,
            "waivable": waivable(report, rule.code),
            "references": references(report, rule.code),
        },
    }


def _result(
    finding: Finding, report: ValidationReport, place: dict[str, int], words: Words
) -> dict[str, Any]:
    message = finding.message[words.lang]
    parts = (message[p] for p in ("title", "seen", "expected", "fix") if message.get(p))
    cells = finding.cells or ()
    result: dict[str, Any] = {
        "ruleId": finding.code,
        **({"ruleIndex": place[finding.code]} if finding.code in place else {}),
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": blank("\n".join(parts))},
        "locations": [_location(c) for c in cells[:1]] or _file_location(finding.file),
        "partialFingerprints": {"gbiFinding/v1": finding.id},
        "properties": {
            name: getattr(finding, name)
            for name in ("slug", "scope", "field", "key", "found", "expected", "difference",
                         "tolerance", "unit", "suggestion")
        },
    }  # fmt: skip
    others = list(dict.fromkeys(c for c in cells[1:] if c != cells[0]))
    if others:
        result["relatedLocations"] = [_location(c) for c in others]
    if report.waivers:  # SARIF: on every result or on none
        result["suppressions"] = _suppressions(finding, report)
    if report.comparison is not None:
        known = finding.id in report.comparison["persisting"]
        result["baselineState"] = "unchanged" if known else "new"
    return result


def _location(cell: Cell) -> dict[str, Any]:
    where: dict[str, Any] = {}
    parts = address(cell.a1)
    if cell.file:
        where["physicalLocation"] = {"artifactLocation": {"uri": _uri(cell.file)}}
        if parts and not cell.sheet:  # in delimited text the row is a line of the file
            where["physicalLocation"]["region"] = {"startLine": parts[1]}
    if cell.a1:
        name = f"{cell.sheet}!{cell.a1}" if cell.sheet else cell.a1
        where["logicalLocations"] = [{"name": cell.a1, "fullyQualifiedName": name, "kind": "cell"}]
    return where


def _file_location(file: str) -> list[dict[str, Any]]:
    return [{"physicalLocation": {"artifactLocation": {"uri": _uri(file)}}}] if file else []


def _uri(name: str) -> str:
    """Return a file's name as a relative URI reference: ``:`` too is encoded, it is no scheme."""
    return quote(name.replace("\\", "/"), safe="/")


_STANDING = {"applied": "accepted", "refused": "rejected"}


def _suppressions(finding: Finding, report: ValidationReport) -> list[dict[str, Any]]:
    """Return the waivers of a finding: accepted ones, and those that were refused."""
    return [
        {
            "kind": "external",
            "status": _STANDING[waiver.status],
            "justification": str(waiver.given.get("justification", "")),
            "properties": {"by": str(waiver.given.get("by", "")), "reason": waiver.reason},
        }
        for waiver in report.waivers
        if finding.id in waiver.findings and waiver.status in _STANDING
    ]


def _invocation(report: ValidationReport, place: dict[str, int], words: Words) -> dict[str, Any]:
    notices = [
        _notice("GBI-ENGINE-ERROR", "error", f"{e.code} ({e.table}): {e.error}", e.code, place)
        for e in report.engine_errors
    ]
    notices += [
        _notice("GBI-NOT-RUN", "warning", f"{n.code} ({n.table}): {blank(reason_of(n, words))}",
                n.code, place)
        for n in report.not_run
    ]  # fmt: skip
    cut = report.truncation
    if cut["stored"] < cut["counted"]:
        notices.append(_notice("GBI-TRUNCATED", "note", blank(words.say("truncated", **cut))))
    return {"executionSuccessful": not report.engine_errors, "toolExecutionNotifications": notices}


def _notice(
    kind: str, level: str, text: str, code: str = "", place: dict[str, int] | None = None
) -> dict[str, Any]:
    notice: dict[str, Any] = {
        "descriptor": {"id": kind, "index": list(_NOTICES).index(kind)},
        "level": level,
        "message": {"text": text},
    }
    if code:
        index = (place or {}).get(code)
        notice["associatedRule"] = {"id": code} | ({} if index is None else {"index": index})
    return notice
