"""The page: what it says, in three languages, and that it stands alone and can be read by all."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from gbi.indicators import share
from gbi.language import format_number, isolate, text
from gbi.report import ReportBundle, page
from gbi.results import Note, Result

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES = ("fr", "ar", "en")
VOID = {"meta", "br", "hr", "img", "input", "link"}
NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"


class Page(HTMLParser):
    """Elements in order with their attributes, the text inside each, and what encloses them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[dict[str, Any]] = []
        self.open: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "text": "", "inside": [e["tag"] for e in self.open],
                   **{k: v or "" for k, v in attrs}}  # fmt: skip
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1]["tag"] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [e for e in self.elements if e["tag"] == tag]


@pytest.fixture(scope="module")
def parsed(pages: dict[str, str]) -> dict[str, Page]:
    return {lang: Page(html) for lang, html in pages.items()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_well_formed_and_says_its_language(parsed: dict[str, Page], lang: str) -> None:
    found = parsed[lang]
    assert found.faults == []
    assert found.open == []
    (root,) = found.of("html")
    assert (root["lang"], root["dir"]) == (lang, "rtl" if lang == "ar" else "ltr")
    (heading,) = found.of("h1")
    assert heading["text"] == found.of("title")[0]["text"] == text("report.title", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_needs_no_network_and_no_script(pages: dict[str, str], lang: str) -> None:
    html = pages[lang]
    assert not re.search(r"<(script|link|iframe|object|img)\b", html)
    assert not re.search(r"\son\w+=", html)
    assert "@import" not in html
    addresses = set(re.findall(r"\b(?:https?:)?//[\w.]+[^\"'\s<]*", html))
    assert {a for a in addresses if "www.w3.org" not in a} == set()
    assert not re.findall(r"url\((?!#)", html)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_ids_are_unique_and_links_lead_somewhere(parsed: dict[str, Page], lang: str) -> None:
    ids = [e["id"] for e in parsed[lang].elements if "id" in e]
    assert len(ids) == len(set(ids))
    used = {
        e[name].lstrip("#")
        for e in parsed[lang].elements
        for name in ("href", "xlink:href", "aria-labelledby")
        if name in e
    }
    html_links = {e["href"] for e in parsed[lang].of("a")}
    assert all(h.startswith("#") for h in html_links)
    assert used - set(ids) == set()
    contents = [e for e in parsed[lang].of("a") if "nav" in e["inside"]]
    assert len(contents) == 9


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_have_captions_and_headings(parsed: dict[str, Page], lang: str) -> None:
    found = parsed[lang]
    tables, captions = found.of("table"), found.of("caption")
    assert len(tables) == len(captions) > 10
    assert all(c["text"].strip() for c in captions)
    assert all(h["scope"] in ("col", "row", "rowgroup") for h in found.of("th"))
    assert all("div" in t["inside"] for t in tables)
    levels = [int(e["tag"][1]) for e in found.elements if re.fullmatch(r"h[1-6]", e["tag"])]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_charts_are_figures_with_a_text_instead(
    parsed: dict[str, Page], written: dict[str, ReportBundle], lang: str
) -> None:
    charts = parsed[lang].of("svg")
    assert [c["aria-label"] for c in charts] == [
        f["alt"][lang] for f in written[lang].document["figures"]
    ]
    assert all(c["role"] == "img" and "figure" in c["inside"] for c in charts)
    assert all(c["viewbox"] and "width" not in c for c in charts)
    assert len(parsed[lang].of("figcaption")) == 4


def test_colours_have_the_contrast_that_small_text_needs(pages: dict[str, str]) -> None:
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", pages["fr"]))
    inks = ("ink", "muted", "accent", "women", "men", "blocking", "warning", "info", "waived")
    for ink in inks:
        for ground in ("#ffffff", colours["soft"]):
            assert contrast(colours[ink], ground) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def cells(found: Page) -> list[str]:
    return [e["text"] for e in found.elements if e["tag"] in ("td", "th")]


def test_the_figures_are_on_the_page_in_french(parsed: dict[str, Page]) -> None:
    shown = cells(parsed["fr"])
    # 3 431 531 000 + 352 788 000 + 420 550 000, and both lines together
    assert f"4{THIN}204{THIN}869{THIN}000" in shown
    assert f"6{THIN}499{THIN}846{THIN}000" in shown
    assert f"64,7{NBSP}%" in shown
    assert f"{MINUS}8{NBSP}pts" in shown  # 57 − 65
    assert f"{MINUS}143" in shown  # 123 − 266
    assert "0,88" in shown  # 57 / 65
    assert f"+4{NBSP}pts" in shown  # 13 − 9
    dd = [e["text"] for e in parsed["fr"].of("dd")]
    assert "6,5 MMDH" in dd


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_same_figures_in_the_other_languages(parsed: dict[str, Page], lang: str) -> None:
    shown = [t.replace("\u2066", "").replace("\u2069", "") for t in cells(parsed[lang])]
    assert format_number(4_204_869_000, lang) in shown
    assert format_number(-143, lang) in shown
    assert ("\u2212" + "8\u00a0" + text("report.units.points_short", lang)) in shown


def test_in_arabic_numbers_are_isolated_and_french_is_marked(
    pages: dict[str, str], parsed: dict[str, Page]
) -> None:
    assert isolate("\u2212143") in cells(parsed["ar"])
    marked = [e["text"] for e in parsed["ar"].of("bdi") if e.get("lang") == "fr"]
    assert "Taux d'accès à la formation" in marked
    assert "Centres de jeunes" in marked
    codes = [e for e in parsed["ar"].of("bdi") if "code" in e.get("class", "")]
    assert {e["dir"] for e in codes} == {"ltr"}
    assert any("T16 Justice!E" in e["text"] for e in codes)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_verdict_stands_on_top_with_its_counts(
    parsed: dict[str, Page], written: dict[str, ReportBundle], lang: str
) -> None:
    found = parsed[lang]
    (status,) = [e for e in found.of("p") if e.get("class") == "status"]
    assert status["text"] == text("report.verdict.rejected", lang)
    counts = written[lang].counts
    shown = [int(e["text"].strip("\u2066\u2069")) for e in found.of("dd")[:4]]
    assert shown == [counts[n] for n in ("blocking", "warning", "info", "waived")]
    assert counts["blocking"] == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_finding_is_on_the_page(
    parsed: dict[str, Page], written: dict[str, ReportBundle], lang: str
) -> None:
    report = written[lang].validation
    assert report is not None
    shown = cells(parsed[lang])
    for finding in report.findings:
        assert finding.message[lang]["seen"] in shown
        assert any(finding.file in t and finding.a1 in t for t in shown)
    folded = [e for e in parsed[lang].of("td") if "details" in e["inside"]]
    last = [f for f in report.findings if f.code == "GBI-A003"][-1]
    assert any(last.message[lang]["seen"] == e["text"] for e in folded)
    # The eight false totals: five stand open, three are folded.
    rule = [f.message[lang]["seen"] for f in report.findings if f.code == "GBI-A003"]
    assert len(rule) == 8
    assert sum(e["text"] in rule for e in folded) == 3


def test_the_marking_tells_computed_from_published(parsed: dict[str, Page]) -> None:
    shown = cells(parsed["fr"])
    assert f"80,98{NBSP}%" in shown  # (0.7 · 766.29 + 442.2) / 1208.49
    assert f"plus de 0,0{NBSP}%, au plus 70,0{NBSP}%" in shown
    assert "O · N · N · O" in shown
    assert "536,40" in shown
    assert text("report.marking.published", "fr", mark="G1") in shown
    missing = [t for t in shown if text("notes.GBI-N041", "fr") in t]
    assert len(missing) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_files_sources_and_notes_are_named(
    parsed: dict[str, Page], written: dict[str, ReportBundle], lang: str
) -> None:
    shown = cells(parsed[lang])
    assert {"note.pdf", "chaines.xlsx", "d" * 64} <= set(shown)
    assert text("report.file_status.unknown", lang) in shown
    whole = " ".join(e["text"] for e in parsed[lang].of("main"))
    assert written[lang].fingerprint in whole
    for note in written[lang].document["notes"]:
        assert note["text"][lang] in whole


def test_what_others_wrote_is_escaped(pages: dict[str, str]) -> None:
    assert "alert(1)" in pages["fr"]
    assert "<script>alert" not in pages["fr"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in pages["fr"]


def test_the_page_is_the_same_on_every_run(
    new_bundle: Callable[[str], ReportBundle], pages: dict[str, str], tmp_path: Any
) -> None:
    again = new_bundle("ar")
    again.write(tmp_path / "again")
    assert (tmp_path / "again" / "report.html").read_text(encoding="utf-8") == pages["ar"]


def test_any_result_finds_a_place(results: dict[str, Result]) -> None:
    rows = {"INDICATOR": ["Cadres"] * 2, "SEX": ["F", "M"], "OBS_VALUE": [30.0, 90.0],
            "UNIT_MEASURE": ["NUMBER"] * 2, "UNIT_MULT": [0, 0], "MEASURE_KIND": ["COUNT"] * 2,
            "OBS_STATUS": ["A", "A"]}  # fmt: skip
    reason = Note("GBI-N090", {"analysis": "marking", "code": "GBI-E070", "where": "MARK"})
    bundle = (
        ReportBundle(lang="en", title="A <b>title</b>")
        .add("one", results["budget_structure"])
        .add("two", results["budget_structure"])
        .add("parts", share(pd.DataFrame(rows), by=["INDICATOR"]))
        .add("broken", Result("not_computed", pd.DataFrame(), (reason,)))
        .add("nothing", Result("gap", pd.DataFrame({"VALUE_F": []})))
    )
    html = page.render(bundle, [])
    found = Page(html)
    assert found.faults == []
    assert found.of("h1")[0]["text"] == "A <b>title</b>"
    assert {"credits", "credits-2", "table-parts", "table-broken", "table-nothing"} <= {
        e.get("id") for e in found.of("section")
    }
    assert "25.00%" in cells(found)
    assert "GBI-E070 (MARK)" in html
    assert text("report.page.no_data", "en") in html
    assert text("report.verdict_text.none", "en") in html


def test_two_charts_on_a_page_share_no_id() -> None:
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg height="10pt" viewBox="0 0 9 9" width="9pt">'
        "<metadata><a>x</a></metadata><defs><style>*{fill:red}</style></defs>"
        '<g id="a" clip-path="url(#b)"><use xlink:href="#c"/></g></svg>'
    )
    assert page.inline(svg, "g1", 'he said "5 < 6"') == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="he said &#34;5 &lt; 6&#34;" '
        'focusable="false"><defs></defs><g id="g1-a" clip-path="url(#g1-b)">'
        '<use xlink:href="#g1-c"/></g></svg>'
    )
