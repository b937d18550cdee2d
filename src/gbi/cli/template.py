"""``gbi template``: the Excel form of a table, to be filled in and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.cli.console import say
from gbi.cli.parsing import UsageError
from gbi.language import resolve_language, text

if TYPE_CHECKING:
    from argparse import Namespace

_YEARS = range(2000, 2101)


def template(args: Namespace) -> int:
    """Write the form, with last year's rows where their file is named.

    Raises
    ------
    UsageError
        If the year is none.
    GbiError
        ``GBI-E050`` if the table has no form; what reading last year's file raises.
    """
    import gbi
    from gbi.ingest.template import require_form, write_template

    year = _year(args.year)
    require_form(args.table)  # before a long file is read for it
    last = gbi.read(args.prefill, table=args.table) if args.prefill else None
    path = write_template(args.table, args.out, year=year, lang=resolve_language(), prefill=last)
    say(text("template.done", path=path))
    return 0


def _year(written: str) -> int:
    if written.isascii() and written.isdecimal() and int(written) in _YEARS:
        return int(written)
    known = f"{_YEARS.start}–{_YEARS.stop - 1}"
    raise UsageError("choice", "template", argument="--year", got=written, expected=known)
