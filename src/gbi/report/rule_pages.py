"""The rules as pages: one HTML file a rule in three languages, an index, and all as JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbi.findings import SEVERITIES
from gbi.language import LANGUAGES, text, typeset
from gbi.provenance import canonical, canonical_json, gbi_version
from gbi.report.page import environment
from gbi.report.ruleset import FAMILIES, family, rank
from gbi.report.wording import Words
from gbi.results import write_atomically
from gbi.schemas import schema
from gbi.validation.catalogue import OUTSIDE, catalogue, effective_day
from gbi.validation.examples import (
    HEADING_ROWS,
    columns_of,
    execute,
    letters,
    told_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gbi.findings import Severity
    from gbi.validation.catalogue import Rule

RULES_SCHEMA = "gbi-rules/1"
INDEX, DATA = "index.html", "rules.json"
_MOST_RELATED = 8
_FOREVER = "9999-12-31"
_PLACEHOLDER = re.compile(r"\{\w+\}")
_QUOTED_BLANK = re.compile(r"[«“]\s*…\s*[»”]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cell of an example: what it shows, the label of its code, and whether it is marked."""

    text: str
    aside: str = ""
    marked: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of an example as a spreadsheet shows it: letters, headings, numbered rows."""

    caption: str
    letters: tuple[str, ...]
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[int, bool, tuple[Drawn, ...]], ...]
    every: tuple[tuple[str, Drawn], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An example: its tables, the note of the rule file, and the finding that it gives."""

    sheets: tuple[Sheet, ...]
    note: str = ""
    messages: tuple[Mapping[str, str], ...] = ()


def write_rule_pages(
    folder: Path, rules: Sequence[Rule] | None = None, own: Path | None = None
) -> int:
    """Write the pages of all rules, an index and ``rules.json``; the same rules, the same bytes.

    Parameters
    ----------
    folder
        Where to write; made if it is not there.
    rules
        The rules; by default the packaged ones.
    own
        The folder that a ministry's own rules come from, so that their examples can be executed.

    Returns
    -------
    int
        The number of rule pages.
    """
    chosen = catalogue(own) if rules is None else tuple(rules)
    folder.mkdir(parents=True, exist_ok=True)
    for rule in chosen:
        write_atomically(folder / f"{rule.code}.html", rule_page(rule, chosen, own))
    write_atomically(folder / INDEX, index_page(chosen))
    write_atomically(folder / DATA, rules_json(chosen))
    return len(chosen)


def rules_json(rules: Sequence[Rule]) -> str:
    """Return all rule files as one JSON document."""
    payload = {
        "schema": RULES_SCHEMA,
        "version": gbi_version(),
        "effective": effective_day(),
        "rules": [canonical(rule.document) for rule in rules],
    }
    return canonical_json(payload, indent=1) + "\n"


def index_page(rules: Sequence[Rule]) -> str:
    """Return the page that lists the rules by family, from cause to consequence."""
    groups = [
        (letter, sorted((r for r in rules if family(r.code) == letter), key=lambda r: rank(r.code)))
        for letter in FAMILIES
    ]
    return _rendered(
        "rules_index.html.j2",
        title=text("rules.page.title", "fr"),
        groups=[(letter, found) for letter, found in groups if found],
        gravest=gravest,
    )


def rule_page(rule: Rule, rules: Sequence[Rule], own: Path | None = None) -> str:
    """Return the page of a rule.

    Parameters
    ----------
    rule
        The rule.
    rules
        All rules, among which its neighbours are looked for.
    own
        The folder of a ministry's own rules.
    """
    return _rendered(
        "rule.html.j2",
        title=f"{rule.code} {said(rule, 'title', 'fr')}",
        rule=rule,
        gravest=gravest(rule),
        severities=severity_rows,
        tolerance=tolerance,
        related=related(rule, rules),
        examples={kind: _examples(rule, kind, own) for kind in ("fail", "pass")},
    )


def _rendered(template: str, **content: Any) -> str:
    # French stands last in the page: it is what shows when no language is asked for.
    views = [Words(lang) for lang in (*LANGUAGES[1:], LANGUAGES[0])]
    names = {"fr": "Français", "ar": "العربية", "en": "English"}
    page: str = environment().get_template(template).render(
        views=views, names=names, version=gbi_version(), text=text, said=said, **content
    )  # fmt: skip
    return page


def said(rule: Rule, part: str, lang: str) -> str:
    """Return a text of a rule with what will be filled in shown as an ellipsis."""
    words = rule.document["why"] if part == "why" else rule.document["messages"][lang]
    template: str = words[lang if part == "why" else part]
    return blanked(typeset(template, lang))


def blanked(template: str) -> str:
    """Return a message with what will be filled in shown as an ellipsis."""
    return _QUOTED_BLANK.sub("…", _PLACEHOLDER.sub("…", template)).replace("….", "…")


def gravest(rule: Rule) -> str:
    """Return the gravest severity that a rule ever has."""
    levels: list[Severity] = [entry["level"] for entry in rule.document["severity"]]
    return min(levels, key=SEVERITIES.index)


def severity_rows(rule: Rule, words: Words) -> list[tuple[str, str, str]]:
    """Return the severities over time: level, days, and the tables where it is not all of them."""
    rows = []
    entries = rule.document["severity"]
    for entry in sorted(entries, key=lambda e: (e["from"], bool(e.get("tables")))):
        last = entry.get("to", _FOREVER)
        days = (
            text("cli.explain.from", words.lang, day=words.aside(entry["from"]))
            if last == _FOREVER
            else text("cli.explain.between", words.lang, day=words.aside(entry["from"]),
                      last=words.aside(last))
        )  # fmt: skip
        tables = ", ".join(words(f"tables.{t}") for t in entry.get("tables", ()))
        rows.append((entry["level"], days, tables))
    return rows


def tolerance(rule: Rule, words: Words) -> str:
    """Return the tolerance of a rule in words."""
    stated = rule.document["tolerance"]
    if isinstance(stated, int | float):
        return text("rules.tolerances.number", words.lang, n=words.aside(stated))
    return text(f"rules.tolerances.{stated or 'none'}", words.lang)


def related(rule: Rule, rules: Sequence[Rule]) -> list[Rule]:
    """Return rules with a reference in common, or the same computation on a table in common."""
    own = rule.document

    def near(other: Rule) -> int:
        shared = {*own["references"]} & {*other.document["references"]}
        same = own["operator"] == other.operator and own["operator"] not in OUTSIDE
        return 2 * len(shared) + int(same and bool({*rule.tables} & {*other.tables}))

    found = [(near(other), other) for other in rules if other.code != rule.code]
    best = sorted((pair for pair in found if pair[0]), key=lambda p: (-p[0], p[1].code))
    return [other for _, other in best[:_MOST_RELATED]]


def _examples(rule: Rule, kind: str, own: Path | None) -> dict[str, list[Shown]]:
    """Return a rule's examples of a kind, drawn in each language."""
    out: dict[str, list[Shown]] = {lang: [] for lang in LANGUAGES}
    for example in rule.document["examples"].get(kind, ()):
        found = execute(example, only=[rule.code], rules=own).unmasked() if kind == "fail" else ()
        marked = {(c.file, c.a1) for f in found for c in f.cells}
        for lang in LANGUAGES:
            words = Words(lang)
            sheets = [sheet(example, str(example["table"]), words, marked)]
            for part, key in (("others", "other"), ("previous", "previous")):
                for table, other in example.get(part, {}).items():
                    caption = text(f"rules.page.{key}", lang, table=words(f"tables.{table}"))
                    seen = marked if part == "others" else set()
                    sheets.append(sheet(other, table, words, seen, caption))
            messages = tuple(f.message[lang] for f in found[:1])
            note = str(example.get("note", ""))
            out[lang].append(Shown(tuple(sheets), note, messages))
    return out


def sheet(
    example: Mapping[str, Any],
    table: str,
    words: Words,
    marked: set[tuple[str, str]],
    caption: str = "",
) -> Sheet:
    """Return a table of an example as a spreadsheet shows it, the cells of a finding marked."""
    columns, told = columns_of(example), told_columns(example)
    names = {c: letters(n) for n, c in enumerate(columns)}
    hit = {re.sub(r"[0-9]+", "", a1) for file, a1 in marked if file == table}
    visible = [c for c in columns if c in told or names[c] in hit]
    base = example.get("base", {})
    printed = [*example["rows"], *example.get("totals", ())]
    rows = []
    for n, row in enumerate(printed):
        whole, number = {**base, **row}, n + HEADING_ROWS + 1
        cells = tuple(
            _drawn(table, c, whole.get(c), words, (table, f"{names[c]}{number}") in marked)
            for c in visible
        )
        rows.append((number, n >= len(example["rows"]), cells))
    every = [(_head(table, c, words)[0], _drawn(table, c, base[c], words))
             for c in columns if c not in visible]  # fmt: skip
    return Sheet(
        caption or words(f"tables.{table}"),
        tuple(names[c] for c in visible),
        tuple(_head(table, c, words) for c in visible),
        tuple(rows),
        tuple(every),
    )


def _head(table: str, column: str, words: Words) -> tuple[str, str]:
    field = next((f for f in schema(table).fields if f.name == column), None)
    return (column if field is None else field.label(words.lang), column)


def _drawn(table: str, column: str, value: Any, words: Words, marked: bool = False) -> Drawn:
    if value is None:
        return Drawn("", marked=marked)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Drawn(words.value(value), marked=marked, number=True)
    field = next((f for f in schema(table).fields if f.name == column), None)
    shown = str(value)
    label = "" if field is None or not field.codelist else words.code(field.codelist, shown)
    return Drawn(shown, "" if label == shown else label, marked)
