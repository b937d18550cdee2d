"""The rules as pages: one a rule in three languages, linked, escaped, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from gbi.language import LANGUAGES
from gbi.report import rule_pages
from gbi.report.rule_pages import (
    blanked,
    index_page,
    related,
    rule_page,
    rules_json,
    said,
    write_rule_pages,
)
from gbi.resources import contract, resource_path
from gbi.validation.catalogue import Rule, catalogue

pytestmark = pytest.mark.slow

RULES = {rule.code: rule for rule in catalogue()}
A003 = resource_path("schemas", "rules", "A", "GBI-A003.yaml")
HOSTILE = '<img src=x onerror="alert(1)">'
# A sum, an intake finding, a rule on two tables, one on last year's, one on waivers.
SOME = [RULES[c] for c in ("GBI-A003", "GBI-F017", "GBI-X001", "GBI-Y003", "GBI-W001")]


class Page(HTMLParser):
    """What a page holds: links, ids, tags, languages, and the cells of its marked grid."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.languages: dict[str, str] = {}
        self.marked = 0
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        known = {name: value or "" for name, value in attrs}
        self.attributes |= set(known)
        if "id" in known:
            self.ids.add(known["id"])
        if tag == "a":
            self.links.append(known["href"])
        if "lang" in known and "id" in known:
            self.languages[known["lang"]] = known.get("dir", "ltr")
        self.marked += tag == "td" and "marked" in known.get("class", "").split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pages of some rules."""
    out = tmp_path_factory.mktemp("rules")
    assert write_rule_pages(out, SOME) == len(SOME)
    return out


def hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_same_rules_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_rule_pages(tmp_path, SOME)
    assert hashes(tmp_path) == hashes(folder)
    assert set(hashes(folder)) == {f"{r.code}.html" for r in SOME} | {"index.html", "rules.json"}


@pytest.mark.slow
def test_every_packaged_rule_has_a_page_in_three_languages_and_every_link_leads_somewhere(
    tmp_path: Path,
) -> None:
    assert write_rule_pages(tmp_path) == len(RULES)
    pages = {p.name: Page(p.read_text(encoding="utf-8")) for p in tmp_path.glob("*.html")}
    assert set(pages) == {f"{code}.html" for code in RULES} | {"index.html"}
    for name, page in pages.items():
        assert page.languages == {"fr": "ltr", "ar": "rtl", "en": "ltr"}, name
        for link in page.links:
            target, _, anchor = link.partition("#")
            if target.endswith(".json"):
                assert (tmp_path / target).is_file()
                continue
            reached = pages[target or name]
            assert not anchor or anchor in reached.ids, (name, link)
    linked = {link.partition("#")[0] for link in pages["index.html"].links}
    assert {f"{code}.html" for code in RULES} <= linked


@pytest.mark.parametrize("rule", SOME, ids=lambda r: r.code)
def test_a_page_says_what_why_and_how_to_mend_it_in_every_language(
    folder: Path, rule: Rule
) -> None:
    content = (folder / f"{rule.code}.html").read_text(encoding="utf-8")
    plain = re.sub(r"<[^>]+>", "", content).replace("&#39;", "'").replace("&#34;", '"')
    for lang in LANGUAGES:
        for part in ("title", "why", "seen", "expected", "fix"):
            assert said(rule, part, lang) in plain, (lang, part)


def test_a_page_needs_no_network_and_runs_nothing(folder: Path) -> None:
    for path in folder.glob("*.html"):
        content = path.read_text(encoding="utf-8")
        page = Page(content)
        assert not {"script", "img", "iframe", "link", "object"} & page.tags
        assert not [a for a in page.attributes if a.startswith("on")]
        assert "http://" not in content
        assert "https://" not in content
        assert "default-src 'none'" in content


def test_the_failing_example_marks_the_cells_that_the_finding_names(folder: Path) -> None:
    page = Page((folder / "GBI-A003.html").read_text(encoding="utf-8"))
    # One column holds the figures: a cell for every row of a finding, in every language.
    fails = RULES["GBI-A003"].document["examples"]["fail"]
    rows = sum(len(set().union(*e["at"])) for e in fails)
    assert page.marked == rows * len(LANGUAGES) > 0


def test_what_a_rule_file_says_is_escaped(tmp_path: Path) -> None:
    document = yaml.safe_load(A003.read_text(encoding="utf-8"))
    document |= {"code": "MEF-A901", "slug": "own_sum"}
    for lang in LANGUAGES:
        document["messages"][lang]["title"] = HOSTILE
        document["why"][lang] = HOSTILE
    for kind in ("fail", "pass"):
        for example in document["examples"][kind]:
            example["base"]["INDICATOR"] = HOSTILE
    path = tmp_path / "MEF-A901.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    own = next(r for r in catalogue(tmp_path) if r.code == "MEF-A901")
    for content in (rule_page(own, [own], tmp_path), index_page([own])):
        page = Page(content)
        assert HOSTILE not in content
        assert "&lt;img" in content
        assert "img" not in page.tags
        assert "onerror" not in page.attributes


def test_the_index_runs_from_cause_to_consequence() -> None:
    links = [a for a in Page(index_page(list(RULES.values()))).links if a.endswith(".html#en")]
    order = list(dict.fromkeys(link[4] for link in links))
    assert order == [x for x in "FSTCRAXYPGDW" if x in order]
    assert len(links) == len(RULES)


def test_rules_json_holds_the_rule_files() -> None:
    payload = json.loads(rules_json(SOME))
    assert payload["schema"] == rule_pages.RULES_SCHEMA
    assert [r["code"] for r in payload["rules"]] == [r.code for r in SOME]
    assert {"messages", "severity", "params"} <= set(payload["rules"][0])
    assert "messages" in contract("rule")["properties"]


def test_neighbours_share_a_reference_or_a_computation() -> None:
    rule = RULES["GBI-A003"]
    near = related(rule, list(RULES.values()))
    assert 0 < len(near) <= 8
    assert rule not in near
    for other in near:
        shared = set(rule.document["references"]) & set(other.document["references"])
        assert shared or other.operator == rule.operator


def test_a_quotation_of_a_value_is_one_ellipsis() -> None:
    assert blanked("Lu : « {found} ».") == "Lu : …"
    assert blanked("{found}, {expected}") == "…, …"
