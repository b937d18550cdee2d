"""The charts by name: drawn for a result, written as SVG and PNG, described in words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbi.language import LANGUAGES
from gbi.report import aims, couples, ministries, paths
from gbi.report.theme import png_bytes, style, svg_bytes
from gbi.report.wording import Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from matplotlib.figure import Figure

    from gbi.report.bundle import Item
    from gbi.results import Result

CHARTS: dict[str, ModuleType] = {
    "credits_by_ministry": ministries,
    "gaps": couples,
    "targets": aims,
    "national_gaps": paths,
}
SHORTEST_ALT = 20


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as files, with its title and alternative text in all languages."""

    name: str
    table: str
    title: dict[str, str]
    alt: dict[str, str]
    svg: bytes
    png: bytes

    def to_dict(self) -> dict[str, Any]:
        """Return what the bundle says about the chart."""
        return {
            "id": self.name,
            "table": self.table,
            "title": self.title,
            "alt": self.alt,
            **{
                kind: {
                    "path": f"figures/{self.name}.{kind}",
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for kind, content in (("svg", self.svg), ("png", self.png))
            },
        }


def figure(name: str, result: Result, lang: str | None = None) -> Figure:
    """Draw a chart of the report and return the matplotlib Figure."""
    words = Words(lang)
    with style():
        drawn: Figure = CHARTS[name].figure(result, words, source_line(result, words))
        return drawn


def source_line(result: Result, words: Words) -> str:
    """Name the files behind a result and its fingerprint, for the foot of a chart."""
    names = ", ".join(source.name for source in result.provenance.sources)
    return words("charts.source", files=names, fingerprint=result.provenance.fingerprint)


def render(items: Sequence[Item], lang: str) -> list[Drawn]:
    """Draw the charts that the items ask for; one without anything to show is left out."""
    out = []
    for item in items:
        if item.figure is None or not len(item.result.frame):
            continue
        chart = CHARTS[item.figure]
        drawn = figure(item.figure, item.result, lang)
        described: dict[str, dict[str, str]] = {
            what: {x: getattr(chart, what)(item.result, Words(x)) for x in LANGUAGES}
            for what in ("title", "alt")
        }
        out.append(
            Drawn(
                item.figure, item.name, described["title"], described["alt"],
                svg_bytes(drawn), png_bytes(drawn),
            )
        )  # fmt: skip
    return out
