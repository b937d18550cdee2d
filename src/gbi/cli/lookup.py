"""``gbi rules`` and ``gbi explain``: the rule catalogue, and one rule in full."""

from __future__ import annotations

import re
import string
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import columns, say, say_json
from gbi.cli.parsing import UsageError
from gbi.errors import GbiError
from gbi.findings import rule_document
from gbi.language import resolve_language, text
from gbi.resources import suggest

if TYPE_CHECKING:
    from argparse import Namespace

_ROWS_SHOWN = 8
_LONGEST = 100  # characters of a value that changed


def rules(args: Namespace) -> int:
    """List the rules, show some in full, write their pages, check or compare rule files."""
    own = None if args.rules is None else Path(args.rules)
    match args.action:
        case "show":
            return _show(args.names, own, as_json=args.json)
        case "docs":
            return _docs(args.names, own, args.out)
        case "lint":
            return _lint(args.names, as_json=args.json)
        case "diff":
            return _diff(args.names, as_json=args.json)
        case _:
            _no_more(args.names)
            return _list(own, as_json=args.json)


def _list(own: Path | None, *, as_json: bool) -> int:
    """List the rules: a table on a terminal, tab-separated lines in a pipe, or JSON."""
    import gbi
    from gbi.provenance import canonical_json

    table = gbi.rules(own)
    if as_json:
        say_json(canonical_json(table, indent=1))
        return 0
    title = f"TITLE_{resolve_language().upper()}"
    rows = list(table[["CODE", "SEVERITY", "TABLES", title]].itertuples(index=False, name=None))
    if not sys.stdout.isatty():
        say("\n".join("\t".join(row) for row in rows))
        return 0
    _draw(rows)
    return 0


def _show(codes: list[str], own: Path | None, *, as_json: bool) -> int:
    """Show rules in full, as ``explain`` does, or their files as JSON."""
    if not codes:
        raise UsageError("missing", "rules", argument=text("cli.metavars.code"))
    documents = [_document(code, own) for code in codes]
    if as_json:
        from gbi.provenance import canonical_json

        say_json(canonical_json(documents, indent=1))
    else:
        say("\n\n".join(explanation(document) for document in documents))
    return 0


def _docs(names: list[str], own: Path | None, out: str | None) -> int:
    """Write a page for every rule, an index and all rules as JSON."""
    from gbi.report.rule_pages import write_rule_pages

    _no_more(names)
    if out is None:
        raise UsageError("missing", "rules", argument=f"--out {text('cli.metavars.folder')}")
    say(text("rules.docs.written", n=write_rule_pages(Path(out), own=own), path=out))
    return 0


def _lint(names: list[str], *, as_json: bool) -> int:
    """Check the rule files of a folder, by default the packaged ones; 1 if there is a fault."""
    from gbi.resources import resource_path
    from gbi.validation.lint import lint

    _no_more(names[1:])
    folder = Path(names[0]) if names else None
    faults = lint(folder)
    if as_json:
        from gbi.provenance import canonical_json

        said = [{**asdict(fault), "message": fault.message()} for fault in faults]
        say_json(canonical_json(said, indent=1))
    elif faults:
        say("\n".join([*(fault.message() for fault in faults),
                       text("rules.lint.faults", n=len(faults))]))  # fmt: skip
    else:
        root = resource_path("schemas", "rules") if folder is None else folder
        say(text("rules.lint.sound", n=sum(1 for _ in root.rglob("*.yaml"))))
    return 1 if faults else 0


def _diff(names: list[str], *, as_json: bool) -> int:
    """Say what changed from one folder of rule files to another."""
    from gbi.validation.rule_changes import rule_changes

    if len(names) < 2:
        raise UsageError("missing", "rules", argument=text("cli.metavars.folder"))
    _no_more(names[2:])
    changes = rule_changes(Path(names[0]), Path(names[1]))
    if as_json:
        from gbi.provenance import canonical_json

        say_json(canonical_json([asdict(change) for change in changes], indent=1))
        return 0
    if not changes:
        say(text("rules.diff.same"))
        return 0
    codes = {aspect: {c.code for c in changes if c.aspect == aspect}
             for aspect in ("added", "removed")}  # fmt: skip
    changed = {c.code for c in changes} - codes["added"] - codes["removed"]
    for change in changes:
        said = f"{change.code}  {text(f'rules.diff.{change.aspect}')}"
        if change.key:
            said += f"  {change.key}: {_short(change.before)} → {_short(change.after)}"
        say(said)
    say(text("rules.diff.changes", added=len(codes["added"]), removed=len(codes["removed"]),
             changed=len(changed)))  # fmt: skip
    return 0


def _short(value: str) -> str:
    """Return a value for one line, its middle left out where it is long."""
    if not value:
        return "–"
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def _no_more(names: list[str]) -> None:
    """Refuse words that the action does not take."""
    if names:
        raise UsageError("argument", "rules", got=names[0])


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


def _document(code: str, own: Path | None = None) -> dict[str, Any]:
    if own is not None:
        from gbi.validation.catalogue import catalogue

        found = {rule.code: rule.document for rule in catalogue(own)}
        if code.upper() in found:
            return found[code.upper()]
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
