"""``gbi verify``: whether a bundle and its sources are still what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.cli.console import say
from gbi.language import text

if TYPE_CHECKING:
    from argparse import Namespace


def verify(args: Namespace) -> int:
    """Compare a bundle with its files and, where they are named, its sources; 1 if they differ."""
    from gbi.report import ReportBundle

    bundle = ReportBundle.open(args.bundle)
    problems = bundle.verify(args.sources)
    for problem in problems:
        say(problem.message())
    if problems:
        say(text("cli.verify.differs", n=len(problems)))
        return 1
    said = "same_with_sources" if args.sources else "same"
    say(text(f"cli.verify.{said}", fingerprint=bundle.fingerprint))
    return 0
