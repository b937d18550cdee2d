"""``gbi compare``: what was mended, what is new and what stays between two states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gbi.cli.console import progress, say
from gbi.cli.settings import limits_of, profiles_of
from gbi.language import text

if TYPE_CHECKING:
    from argparse import Namespace


def compare(args: Namespace) -> int:
    """Compare two reports or two states of the data; 0 whatever was found."""
    from gbi.validation import comparison

    profile, limits = profiles_of(args), limits_of(args)
    with progress() as tell:
        if tell is not None:
            tell(1, 2, text("report.progress.read"))
        old, new = (
            comparison.opened(Path(p), profile=profile, limits=limits) for p in (args.old, args.new)
        )
        if tell is not None:
            tell(2, 2, text("report.progress.validate"))
        found = comparison.compare(old, new)
    if args.json:
        found.to_json(Path(args.json))
    say(found.summary())
    return 0
