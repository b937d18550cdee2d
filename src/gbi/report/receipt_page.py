"""The receipt as a page: one sheet of paper that reads offline, in the language asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gbi.findings import SEVERITIES
from gbi.language import text
from gbi.report.page import environment
from gbi.report.wording import Words
from gbi.validation.waivers import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.validation.receipt import Receipt


def receipt_page(receipt: Receipt, *, lang: str | None = None) -> str:
    """Return a receipt as HTML with its styles inside; the same receipt gives the same text.

    Parameters
    ----------
    receipt
        What :func:`gbi.validation.receipt.receipt` made.
    lang
        ``fr``, ``ar`` or ``en``.
    """
    words = Words(lang)
    content = receipt.to_dict()

    def say(key: str, **values: Any) -> str:
        shown = {name: words.aside(value) for name, value in values.items()}
        return text(f"process.receipt.{key}", words.lang, **shown)

    return environment().get_template("receipt.html.j2").render(
        w=words,
        say=say,
        lang=words.lang,
        direction="rtl" if words.rtl else "ltr",
        r=content,
        counts=[(name, content["counts"][name]) for name in (*SEVERITIES, "waived")],
        waivers=[_waiver(w) for w in content["waivers"] if w["status"] == "applied"],
        options={n: _listed(v) for n, v in content["options"].items() if v not in (None, [], "")},
    )  # fmt: skip


def _waiver(waiver: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of the waivers shows: what it is about, why, by whom, until when."""
    given = waiver["given"]
    codes = [c for c in waiver["codes"] if c != given.get("code")]
    signed = [str(given[n]) for n in ("by", "function") if given.get(n)]
    return {
        "target": " ".join([*codes, target_of(given)]),
        "n": len(waiver["findings"]),
        "why": given["justification"],
        "evidence": given.get("evidence"),
        "signed": signed,
        "until": waiver["until"],
    }


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
