"""The report as JUnit XML, for servers that show test results: a rule is a test case.

JUnit knows no warning. A blocking finding fails its case; warnings, notices and what was waived are
written into ``system-out`` and counted in the suite's properties.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # writes only; nothing is parsed here

from gbi.report.ruleset import blank, family, reason_of, rule_text, tables_of
from gbi.report.wording import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gbi.findings import Finding
    from gbi.validation import ValidationReport
    from gbi.validation.report import RuleOutcome

_LISTED = 20  # findings of a case that are written out
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WHOLE = "submission"  # the suite of what belongs to no single file


def junit_xml(report: ValidationReport, *, lang: str | None = None) -> str:
    """Return the report as JUnit XML: a suite per file and family of rules, a case per rule.

    Parameters
    ----------
    report
        The validation report.
    lang
        The language of titles and messages.

    Returns
    -------
    str
        XML without times or machine names: the same report gives the same text.
    """
    words = Words(lang)
    root = ET.Element("testsuites", {"name": "gbi", "time": "0"})
    for file, table in _files(report):
        for letter, rules in groupby(_rules_of(report, file, table), key=lambda r: family(r.code)):
            root.append(_suite(report, file, table, letter, list(rules), words))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _files(report: ValidationReport) -> list[tuple[str, str | None]]:
    """Return every file that was looked at with its table, and the submission where it has a say.

    Tables that came from memory belong to no file: the suite of the submission holds them all.
    """
    named: dict[str, str | None] = {f.name: f.table for f in report.files if f.status != "ignored"}
    for finding in report.findings:
        if finding.file:
            named.setdefault(finding.file, None)
    read = {table for table in named.values() if table}
    loose = any(not f.file for f in report.findings) or set(report.tables) - read
    about = {n.table for n in report.not_run} | {e.table for e in report.engine_errors}
    whole = [("", None)] if loose or about - read or not named else []
    return [*sorted(named.items()), *whole]


def _rules_of(report: ValidationReport, file: str, table: str | None) -> Iterator[RuleOutcome]:
    """Return the rules that looked at a file (or, without one, at the rest), by code."""
    found = {f.code for f in report.findings if f.file == file}
    for rule in sorted(report.rules, key=lambda r: (family(r.code), r.code)):
        tables = tables_of(report, rule.code)
        about = table in tables if table else bool(set(report.tables) & set(tables))
        if file and not tables:  # what reading finds concerns every file
            about = True
        if rule.code in found or (about and rule.status != "not_applicable"):
            yield rule


def _suite(
    report: ValidationReport,
    file: str,
    table: str | None,
    letter: str,
    rules: Sequence[RuleOutcome],
    words: Words,
) -> ET.Element:
    name = f"{file or WHOLE} / {words.say(f'families.{letter}') if letter else ''}".rstrip(" /")
    suite = ET.Element("testsuite", {"name": _legal(name), "time": "0"})
    properties = ET.SubElement(suite, "properties")
    cases = [_case(report, file, table, rule, words) for rule in rules]
    for rule in rules:
        mine = [f for f in report.findings if f.code == rule.code and f.file == file]
        for status in ("warning", "info", "waived"):
            n = sum(_standing(f) == status for f in mine)
            if n:
                _property(properties, f"{status}.{rule.code}", n)
    cut = report.truncation
    _property(properties, "gbi.verdict", report.verdict)
    _property(properties, "gbi.fingerprint", report.provenance.fingerprint)
    _property(properties, "gbi.findings.stored", cut["stored"])
    _property(properties, "gbi.findings.counted", cut["counted"])
    suite.extend(cases)
    counts = {"tests": len(cases)} | {
        plural: sum(case.find(tag) is not None for case in cases)
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    for key, n in counts.items():
        suite.set(key, str(n))
    return suite


def _case(
    report: ValidationReport, file: str, table: str | None, rule: RuleOutcome, words: Words
) -> ET.Element:
    title = rule_text(report, rule.code, "title", words.lang)
    case = ET.Element(
        "testcase",
        {"name": _legal(f"{rule.code} {title}"), "classname": _legal(f"{file or WHOLE}"),
         "time": "0"},
    )  # fmt: skip
    mine = [f for f in report.findings if f.code == rule.code and f.file == file]
    own = (table,) if table else tuple(report.tables)
    broken = [e for e in report.engine_errors if e.code == rule.code and e.table in own]
    lacking = [n for n in report.not_run if n.code == rule.code and n.table in own]
    blocking = [f for f in mine if _standing(f) == "blocking"]
    others = [f for f in mine if f not in blocking]
    if broken:
        what = ", ".join(f"{e.table}: {e.error}" for e in broken)
        _element(case, "error", what, rule.code, words.say("page.engine"))
    elif blocking:
        message = f"{title} ({len(blocking)})"
        _element(case, "failure", _listed(blocking, words), rule.code, message)
    elif lacking and not mine:
        reasons = "; ".join(f"{n.table}: {reason_of(n, words)}" for n in lacking)
        ET.SubElement(case, "skipped", {"message": _legal(reasons)})
    if others:
        ET.SubElement(case, "system-out").text = _legal(_listed(others, words))
    return case


def _standing(finding: Finding) -> str:
    return "waived" if finding.status == "waived" else finding.severity


def _listed(findings: Sequence[Finding], words: Words) -> str:
    lines = []
    for finding in findings[:_LISTED]:
        message = finding.message[words.lang]
        place = str(finding.cells[0]) if finding.cells else finding.file
        level = words(f"severity.{_standing(finding)}")
        lines.append(f"[{level}] {place} ({finding.id})")
        lines += [f"  {blank(message[part])}" for part in ("seen", "expected", "fix")]
    if len(findings) > _LISTED:
        lines.append(words.say("page.more", n=len(findings) - _LISTED))
    return "\n".join(lines)


def _element(case: ET.Element, tag: str, text: str, kind: str, message: str) -> None:
    ET.SubElement(case, tag, {"type": kind, "message": _legal(message)}).text = _legal(text)


def _property(properties: ET.Element, name: str, value: object) -> None:
    ET.SubElement(properties, "property", {"name": _legal(name), "value": _legal(str(value))})


def _legal(text: str) -> str:
    """Return a text without the characters that XML 1.0 cannot hold."""
    return _ILLEGAL.sub("", text)
