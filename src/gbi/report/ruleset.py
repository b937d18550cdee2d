"""What outputs say of a rule: its family, its texts, and why it could not run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.language import has_text, typeset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.report.wording import Words
    from gbi.validation import ValidationReport
    from gbi.validation.report import NotRun, RuleOutcome

# Upstream first: mending a file or a heading makes the arithmetic below it come right.
FAMILIES = "FSTCRAXYPGDW"
_PLACEHOLDER = re.compile(r"\{\w+\}")


def family(code: str) -> str:
    """Return the letter of a rule's family: ``A`` of ``GBI-A003``."""
    return code.rpartition("-")[2][:1]


def rank(code: str) -> tuple[int, str]:
    """Return where a rule stands from cause to consequence."""
    letter = family(code)
    return (FAMILIES.index(letter) if letter in FAMILIES else len(FAMILIES), code)


def rule_text(report: ValidationReport, code: str, part: str, lang: str) -> str:
    """Return a text of a rule (``title``, ``fix``, … or ``why``); its code where it has none."""
    document = _document(report, code)
    texts = document.get("why") if part == "why" else document.get("messages", {}).get(lang)
    written = (texts or {}).get(lang if part == "why" else part)
    if written is None:
        stated = (f.message[lang].get(part) for f in report.findings if f.code == code)
        return next((t for t in stated if t), code if part == "title" else "")
    return _PLACEHOLDER.sub("…", typeset(written, lang))


def tables_of(report: ValidationReport, code: str) -> tuple[str, ...]:
    """Return the tables that a rule is about; none for what reading finds."""
    return tuple(_document(report, code).get("tables", ()))


def waivable(report: ValidationReport, code: str) -> bool:
    """Say whether a justification can lift a finding of a rule."""
    return bool(_document(report, code).get("waivable", False))


def references(report: ValidationReport, code: str) -> list[str]:
    """Return what a rule refers to."""
    return [str(r) for r in _document(report, code).get("references", ())]


def _document(report: ValidationReport, code: str) -> Mapping[str, Any]:
    """Return a rule's file; nothing for a ministry's own rule that is not at hand any more."""
    try:
        return report.document(code)
    except GbiError:
        return {}


def reason_of(not_run: NotRun, words: Words) -> str:
    """Say why a rule could not run on a table."""
    return _reason(not_run.reason, ", ".join(not_run.columns), words)


def remark(rule: RuleOutcome, words: Words) -> str:
    """Say why a rule was not run or has nothing to look at; nothing for one that ran."""
    if not rule.reason:
        return ""
    kind, _, about = rule.reason.partition(": ")
    if kind == "no_table":
        kind, about = ("no_table", words.entry("tables", about)) if about else ("no_own_table", "")
    return _reason(kind, about, words)


def _reason(kind: str, about: str, words: Words) -> str:
    if kind == "missing_column" and not about:
        return words("rule_status.not_run")
    if has_text(f"outputs.reasons.{kind}"):
        return words.say(f"reasons.{kind}", columns=about)
    return ": ".join(part for part in (kind, about) if part)


def blank(text: str) -> str:
    """Return a text without the invisible marks of direction, for what isn't shown on a page."""
    return re.sub("[\u2066-\u2069]", "", text)
