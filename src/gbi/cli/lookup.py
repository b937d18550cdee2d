"""``gbi rules`` and ``gbi explain``: the rule catalogue, and one rule in full."""

from __future__ import annotations

import re
import string
import sys
from typing import TYPE_CHECKING, Any

from gbi.cli.console import columns, say, say_json
from gbi.errors import GbiError
from gbi.findings import rule_document
from gbi.language import resolve_language, text
from gbi.resources import suggest

if TYPE_CHECKING:
    from argparse import Namespace

_ROWS_SHOWN = 8


def rules(args: Namespace) -> int:
    """List the rules: a table on a terminal, tab-separated lines in a pipe, or JSON."""
    import gbi
    from gbi.provenance import canonical_json

    table = gbi.rules()
    if args.json:
        say_json(canonical_json(table, indent=1))
        return 0
    title = f"TITLE_{resolve_language().upper()}"
    rows = list(table[["CODE", "SEVERITY", "TABLES", title]].itertuples(index=False, name=None))
    if not sys.stdout.isatty():
        say("\n".join("\t".join(row) for row in rows))
        return 0
    _draw(rows)
    return 0


def _draw(rows: list[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("code", "severity", "tables", "title"):
        drawn.add_column(text(f"cli.rules.{name}"), no_wrap=name == "code")
    for code, severity, tables, title in rows:
        level, *others = severity.split("; ")
        level = text(f"report.severity.{level}") + ("*" if others else "")
        drawn.add_row(*(Text(part) for part in (code, level, tables, title)))
    Console(highlight=False).print(drawn)
    if any("; " in row[1] for row in rows):
        say(f"* {text('cli.rules.differs')}")


def explain(args: Namespace) -> int:
    """Say what a rule looks for, why, what to do, and show its examples.

    Raises
    ------
    GbiError
        ``GBI-E004`` if no rule has this code, with the nearest one that does.
    """
    say(explanation(_document(args.code)))
    return 0


def _document(code: str) -> dict[str, Any]:
    written = code.upper()
    full = written if written.startswith("GBI-") else f"GBI-{written}"
    try:
        return rule_document(full)
    except GbiError as error:
        if error.code != "GBI-E004":
            raise
        import gbi

        near = suggest(full, gbi.rules()["CODE"].tolist())
        raise GbiError("GBI-E004", got=code, expected=near) from None


def explanation(rule: dict[str, Any]) -> str:
    """Return a rule as text: title, why, what to do, severity, references, examples."""
    lang = resolve_language()
    words = rule["messages"][lang]
    lines = [f"{rule['code']}  {words['title']}", ""]
    for part, content in (
        ("why", rule["why"][lang]),
        ("seen", _blanks(words["seen"])),
        ("expected", _blanks(words["expected"])),
        ("fix", _blanks(words["fix"])),
    ):
        lines += [text(f"cli.explain.{part}"), f"  {content}", ""]
    lines += [text("cli.explain.severity"), *_severities(rule["severity"])]
    lines += [f"  {text('cli.explain.waivable' if rule['waivable'] else 'cli.explain.firm')}", ""]
    facts = [
        ("tables", rule["tables"]),
        ("needs", rule["needs"]),
        ("references", rule["references"]),
    ]
    shown = [(text(f"cli.explain.{name}"), ", ".join(v)) for name, v in facts if v]
    shown.append((text("cli.explain.since"), rule["since"]))
    lines += columns(shown, indent="")
    for kind in ("fail", "pass"):
        for example in rule["examples"].get(kind, [])[:1]:
            lines += ["", text(f"cli.explain.{kind}"), *_example(example)]
    return "\n".join(lines)


def _blanks(template: str) -> str:
    """Return a message with what will be filled in shown as an ellipsis."""
    names = {n for _, n, _, _ in string.Formatter().parse(template) if n}
    return re.sub(r"[«“]\s*…\s*[»”]", "…", template.format(**dict.fromkeys(names, "…")))


def _severities(entries: list[dict[str, Any]]) -> list[str]:
    rows = []
    for entry in sorted(entries, key=lambda e: (e["from"], not e.get("tables"))):
        days = text("cli.explain.from", day=entry["from"])
        if "to" in entry:
            days = text("cli.explain.between", day=entry["from"], last=entry["to"])
        tables = ", ".join(text(f"report.tables.{t}") for t in entry.get("tables", []))
        rows.append((text(f"report.severity.{entry['level']}"), days, tables))
    return columns(rows)


def _example(example: dict[str, Any]) -> list[str]:
    """Return an example as a table, without the columns that are the same in every row."""
    base = example.get("base", {})
    rows = example["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    whole = [{**base, **row} for row in rows]
    cells = [tuple("" if row.get(n) is None else str(row[n]) for n in names) for row in whole]
    lines = columns([tuple(names), *cells[:_ROWS_SHOWN]])
    if len(rows) > _ROWS_SHOWN:
        lines.append(f"  {text('cli.explain.more', n=len(rows) - _ROWS_SHOWN)}")
    return lines
