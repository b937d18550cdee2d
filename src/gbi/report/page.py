"""The page: one HTML file that reads without a network, a script or another file beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from gbi.findings import SEVERITIES
from gbi.language import text
from gbi.report import evidence, facts, programmes, sections
from gbi.report.wording import Words, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gbi.report.bundle import Item, ReportBundle
    from gbi.report.charts import Drawn
    from gbi.report.grids import Section

_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
# matplotlib's rule for all elements would reach the whole page; page.css holds it for charts.
_STYLE = re.compile(r"\s*<style\b[^>]*>.*?</style>", re.DOTALL)
_SIZE = re.compile(r"\s(?:width|height|version)=\"[^\"]*\"")
_IDS = re.compile(r"(\bid=\"|href=\"#|url\(#)")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the template environment of gbi's pages: everything is escaped."""
    return Environment(
        loader=PackageLoader("gbi.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def render(bundle: ReportBundle, figures: Sequence[Drawn]) -> str:
    """Return the page of a bundle.

    Parameters
    ----------
    bundle
        Results, validation and sources.
    figures
        The charts, drawn in the bundle's language.

    Returns
    -------
    str
        HTML with styles and charts inside; the same bundle gives the same text.
    """
    words = Words(bundle.lang)
    verdict = bundle.verdict or "none"
    drawn = {
        figure.name: {
            "n": n,
            "title": figure.title[words.lang],
            "svg": Markup(inline(figure.svg.decode("utf-8"), f"g{n}", figure.alt[words.lang])),
        }
        for n, figure in enumerate(figures, start=1)
    }
    counts = bundle.counts
    return environment().get_template("page.html.j2").render(
        w=words,
        lang=words.lang,
        direction="rtl" if words.rtl else "ltr",
        title=bundle.title or text("report.title", words.lang),
        period=_period(bundle.items),
        verdict=verdict,
        counts=[(name, counts[name]) for name in (*SEVERITIES, "waived") if name in counts],
        key_figures=facts.key_figures(bundle.items),
        fingerprint=bundle.fingerprint,
        version=bundle.provenance.version,
        sections=_unique(_sections(bundle, words)),
        figures=drawn,
    )  # fmt: skip


def inline(svg: str, prefix: str, alt: str) -> str:
    """Return a chart to stand inside a page: ids of its own, no size, a text instead of it.

    Parameters
    ----------
    svg
        The file as matplotlib writes it.
    prefix
        What its ids begin with, so that several charts can share a page.
    alt
        The alternative text.
    """
    drawing = _STYLE.sub("", _METADATA.sub("", _PROLOGUE.sub("", svg, count=1)))
    opening, _, rest = drawing.partition(">")
    opening = _SIZE.sub("", opening)
    label = f' role="img" aria-label="{escape(alt)}" focusable="false">'
    return _IDS.sub(rf"\g<1>{prefix}-", opening) + label + _IDS.sub(rf"\g<1>{prefix}-", rest)


def _period(items: Sequence[Item]) -> str:
    """Return the budget year, where the budget table has one."""
    for item in facts.by_kind(items, "budget_structure"):
        if "TIME_PERIOD" in item.result.frame:
            found = {str(p) for p in item.result.frame["TIME_PERIOD"] if not missing(p)}
            return found.pop() if len(found) == 1 else ""
    return ""


def _sections(bundle: ReportBundle, words: Words) -> Iterator[Section]:
    for item in bundle.items:
        yield _figures(item, words)
    if bundle.validation is not None:
        yield evidence.quality_section(bundle.validation, words)
    if bundle.submission is not None:
        yield evidence.files_section(bundle.submission.files, words)
    if any(item.result.notes for item in bundle.items):
        yield evidence.method_section(bundle.items, words)
    yield evidence.provenance_section(bundle.provenance, words)


def _figures(item: Item, words: Words) -> Section:
    """Return a result in the form that its kind and columns ask for."""
    columns = set(item.result.frame.columns)
    if len(item.result.frame):
        match item.result.kind:
            case "budget_structure" if "MINISTRY" in columns:
                return sections.credits_section(item, words)
            case "achievement" if "INDICATOR" in columns:
                return sections.targets_section(item, words)
            case "gender_marking":
                return programmes.marking_section(item, words)
            case "gap" if {"PAIR_ID", "DEPARTMENT"} <= columns:
                return sections.gaps_section(item, words)
            case "gap" if {"INDICATOR", "TIME_PERIOD"} <= columns:
                return sections.national_section(item, words)
    return evidence.other_section(item, words)


def _unique(found: Iterator[Section]) -> list[Section]:
    """Return sections of different ids: two results of one kind must not share an anchor."""
    out: list[Section] = []
    for section in found:
        taken = sum(s.id == section.id or s.id.startswith(f"{section.id}-") for s in out)
        out.append(replace(section, id=f"{section.id}-{taken + 1}") if taken else section)
    return out
