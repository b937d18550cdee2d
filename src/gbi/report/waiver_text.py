"""What outputs say of a waiver: what it is about, who signed it, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.language import has_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.report.wording import Words
    from gbi.validation import ValidationReport
    from gbi.validation.waivers import Waiver


def codes_by_id(report: ValidationReport) -> dict[str, str]:
    """Return the rule of every finding, for waivers that name findings."""
    return {f.id: f.code for f in report.findings}


def about(waiver: Waiver, codes: Mapping[str, str]) -> str:
    """Return the rule that a waiver is about, or else the id that it names."""
    given = waiver.given
    named = given.get("code") or next((codes[i] for i in waiver.findings if i in codes), "")
    return str(named or given.get("id", ""))


def signed(waiver: Waiver) -> str:
    """Return who gave a waiver, with the function."""
    return " – ".join(str(waiver.given[k]) for k in ("by", "function") if waiver.given.get(k))


def outcome(waiver: Waiver, words: Words) -> str:
    """Return what became of a waiver, and why."""
    became = words.say(f"waiver_status.{waiver.status}")
    if not waiver.reason:
        return became
    key = f"waiver_reason.{waiver.reason}"
    why = words.say(key) if has_text(f"outputs.{key}") else waiver.reason
    return f"{became} – {why}"
