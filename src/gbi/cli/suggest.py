"""``gbi suggest``: which figures would reconcile the sums that do not agree. Nothing is changed."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.cli.console import columns, progress, say, say_json
from gbi.cli.settings import limits_of, profiles_of
from gbi.language import format_number, isolate, resolve_language, text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from gbi.validation.suggestions import Change, Proposal


def suggest(args: Namespace) -> int:
    """Validate the files and folders named, and print the proposals as a small table."""
    import gbi
    from gbi.provenance import canonical_json
    from gbi.validation.suggestions import suggest as proposals_of

    paths = [Path(p) for p in args.paths]
    with progress() as tell:
        if tell is not None:
            tell(1, 2, text("report.progress.read"))
        submission = gbi.read_submission(
            paths[0] if len(paths) == 1 else paths,
            profile=profiles_of(args),
            limits=limits_of(args),
        )
        if tell is not None:
            tell(2, 2, text("report.progress.validate"))
        report = gbi.validate(submission, rules=args.rules)
        proposals = proposals_of(report)
    if args.json:
        say_json(canonical_json([p.to_dict() for p in proposals], indent=1))
    elif not proposals:
        say(text("rules.suggest.nothing"))
    else:
        codes = {f.id: f.code for f in report.unmasked()}
        for _, group in groupby(proposals, key=lambda p: (p.table, p.group)):
            say("\n".join([*_group(list(group), codes), ""]))
        say(text("rules.suggest.proposed"))
    return 0


def _group(group: list[Proposal], codes: Mapping[str, str]) -> list[str]:
    """Return the alternatives of a group: its rules, then a line per figure."""
    first = group[0]
    named = " ".join(dict.fromkeys(codes[i] for i in first.findings)) or text(
        f"report.tables.{first.table}"
    )
    choice = text("rules.suggest.one" if first.unique else "rules.suggest.several")
    heads = tuple(text(f"rules.suggest.{n}") for n in ("cell", "found", "wanted", "kind"))
    rows = [heads]
    for proposal in group:
        for n, change in enumerate(proposal.changes):
            place = _place(change, first.table)
            mark = f"{text('rules.suggest.and')} " if n else ""
            kind = text(f"rules.suggest.kinds.{change.kind}") if change.kind else ""
            rows.append((mark + place, _number(change.found), _wanted(change), kind))
    return [f"{named} · {choice}", *columns(rows)]


def _place(change: Change, table: str) -> str:
    if change.cell is not None:
        return _apart(str(change.cell))
    name = "rules.suggest.totals_row" if change.in_totals else "rules.suggest.row"
    return text(name, table=text(f"report.tables.{table}"), n=_number(change.row + 1))


def _wanted(change: Change) -> str:
    if change.proposed is not None:
        return _number(change.proposed)
    return text("rules.suggest.between", low=_number(change.low), high=_number(change.high))


def _number(value: float) -> str:
    return _apart(format_number(value))


def _apart(shown: str) -> str:
    """Return a number or an address so that it keeps its direction in Arabic."""
    return isolate(shown) if resolve_language() == "ar" else shown
