"""The page of a validation: harmless, complete, in three languages, and small."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from gbi.report import validation_page as page_module
from gbi.report.extracts import Sheets
from gbi.report.validation_page import sheets_of, validation_page

if TYPE_CHECKING:
    from gbi.validation import ValidationReport

VOID = {"meta", "input", "br", "link"}


class Reader(HTMLParser):
    """Collects elements and sees that every one is closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


@pytest.fixture(scope="module")
def html(report: ValidationReport) -> str:
    """The page, French first."""
    return validation_page(report, lang="fr")


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    """The page as a parser sees it."""
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_page_is_well_formed_and_its_links_lead_somewhere(read: Reader) -> None:
    assert read.faults == []
    assert read.open == []
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"])[1:] for t, a in read.tags if t == "a"}
    named = {str(a["aria-labelledby"]) for _, a in read.tags if "aria-labelledby" in a}
    labels = {str(a["for"]) for t, a in read.tags if t == "label"}
    assert (targets | named | labels) - set(ids) == set()
    assert targets


def test_nothing_runs_and_nothing_is_fetched(html: str, read: Reader, hostile: str) -> None:
    tags = {tag for tag, _ in read.tags}
    assert tags & {"script", "link", "iframe", "object", "img", "form"} == set()
    assert not [a for _, attrs in read.tags for a in attrs if a.startswith("on") or a == "style"]
    assert not [a for _, a in read.tags if "src" in a or str(a.get("href", "#"))[0] != "#"]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert "url(" not in html
    assert hostile not in html
    assert "&lt;script&gt;" in html
    assert "<b>producteur</b>" not in html
    assert "&lt;b&gt;producteur" in html


def test_a_reader_changes_language_without_a_script(html: str, read: Reader) -> None:
    views = [a for t, a in read.tags if t == "div" and str(a.get("class")).startswith("view ")]
    assert [(a["lang"], a["dir"]) for a in views] == [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")]
    radios = [a for t, a in read.tags if t == "input"]
    assert [a["id"] for a in radios if "checked" in a] == ["l-fr"]
    for lang in ("fr", "ar", "en"):
        assert f"#l-{lang}:checked~.view.{lang}" in html


def test_headings_go_down_one_level_at_a_time(read: Reader) -> None:
    levels = [int(t[1]) for t, _ in read.tags if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_the_offending_rows_stand_under_the_row_above(report: ValidationReport) -> None:
    found = [f for f in report.findings if f.code == "GBI-A003" and f.sheet == ""]
    extract = sheets_of(report).extract(found[2:3])
    assert extract is not None
    first = int(found[2].a1[1:])
    numbers = [n for n, _, _ in extract.rows]
    above = [n for n, context, _ in extract.rows if context]
    assert above == [min(numbers)]
    assert first in numbers
    marks = {
        f"{column.letter}{n}": spot.mark
        for n, _, spots in extract.rows
        for column, spot in zip(extract.columns, spots, strict=True)
        if spot.mark
    }
    assert marks == {c.a1: "first" if c == found[2].cells[0] else "party" for c in found[2].cells}


def test_a_cell_shows_what_was_read_at_its_address(report: ValidationReport) -> None:
    data = report.datasets["statistics"]
    raw = {data.origin(i).a1: data.raw(i) for i in range(len(data))}
    found = [f for f in report.findings if f.code == "GBI-A003" and f.sheet == ""]
    extract = sheets_of(report).extract(found)
    assert extract is not None
    shown = {
        f"{column.letter}{n}": spot.content.text
        for n, _, spots in extract.rows
        for column, spot in zip(extract.columns, spots, strict=True)
        if spot.content.concept == "OBS_VALUE"
    }
    assert shown
    assert shown == {a1: raw[a1] for a1 in shown}


def test_small_counts_are_hidden_in_extracts_and_named_as_such(html: str) -> None:
    assert html.count("petit effectif masqué") >= 2
    assert html.count("small count hidden") == html.count("petit effectif masqué")


def test_a_withheld_cell_is_hidden_though_its_row_is_not(report: ValidationReport) -> None:
    found = [f for f in report.findings if f.code == "GBI-A003" and f.sheet == ""][:1]
    open_sheets = Sheets(report.datasets, {})
    closed = Sheets(report.datasets, {}, frozenset(found[0].cells))
    hidden = {
        sheets: {s.content.hidden for _, _, row in e.rows for s in row if s.mark}
        for sheets in (open_sheets, closed)
        if (e := sheets.extract(found))
    }
    assert hidden == {open_sheets: {False}, closed: {True}}


def test_health_tells_none_some_and_all(report: ValidationReport) -> None:
    sheets = sheets_of(report)
    found = [f for f in report.findings if f.code == "GBI-G013" and f.sheet == "Suivi"]
    place = (found[0].file, "Suivi")
    every = sheets.health(place, [c for f in report.findings for c in f.cells])
    assert {h.letter: h.total for h in every} == {"A": 9, "B": 9, "C": 9, "E": 9}
    hit = [found[0].cells[0]]
    states = {h.letter: h.state for h in sheets.health(place, hit)}
    assert states["E"] == "some"
    assert states["A"] == "none"
    data = report.datasets["beneficiaries"]
    whole = sheets.health(place, [data.origin(i) for i in range(len(data))])
    assert {h.letter: h.state for h in whole}["E"] == "all"


def test_what_was_not_run_is_apart_with_its_reason(html: str) -> None:
    assert "colonnes absentes" in html
    assert "missing columns" in html
    assert "ZeroDivisionError" in html
    for anchor in ("not_run", "engine", "waivers", "all_rules", "provenance"):
        assert html.count(f'id="fr-{anchor}"') == 1


def test_truncation_is_stated_and_counts_are_complete(truncated: ValidationReport) -> None:
    html = validation_page(truncated, lang="en")
    cut = truncated.truncation
    assert f"Findings counted: {cut['counted']}; kept in detail: {cut['stored']}." in html
    assert "Findings: 8" in html
    assert "and 6 more" in html


def test_a_page_that_is_full_says_how_many_causes_it_leaves_out(
    report: ValidationReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "MOST_BYTES", 30_000)
    html = validation_page(report, lang="en")
    assert "Other pairs of file and rule that this page leaves out" in html
    kept = set(re.findall(r'id="en-(c\d+-[^"]+)"', html))
    kept = {k for k in kept if not k.endswith("-g")}
    assert kept
    assert f"leaves out: {len(causes(report)) - len(kept)}." in html


def causes(report: ValidationReport) -> set[tuple[str, str, str]]:
    return {(f.file, f.code, f.status) for f in report.findings}


def test_without_the_data_the_findings_cells_are_shown(report: ValidationReport) -> None:
    bare = dataclasses.replace(report, datasets={})
    bare.__dict__["findings"] = report.findings
    html = validation_page(bare, lang="fr")
    assert 'class="sheet"' in html
    assert "4199" not in html


def test_the_page_stays_within_its_size(html: str) -> None:
    assert len(html.encode()) < 1_500_000
