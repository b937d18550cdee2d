"""``gbi validate``: read, check, and say what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gbi.cli.console import progress, say
from gbi.cli.settings import limits_of, profiles_of
from gbi.language import text

if TYPE_CHECKING:
    from argparse import Namespace


def validate(args: Namespace) -> int:
    """Check the files and folders named; end by the verdict."""
    import gbi

    with progress() as tell:
        if tell is not None:
            tell(1, 2, text("report.progress.read"))
        paths = [Path(p) for p in args.paths]
        submission = gbi.read_submission(
            paths[0] if len(paths) == 1 else paths,
            profile=profiles_of(args),
            limits=limits_of(args),
        )
        if tell is not None:
            tell(2, 2, text("report.progress.validate"))
        report = gbi.validate(submission)
    if args.json:
        report.to_json(Path(args.json))
    say(report.summary())
    return report.exit_code(args.fail_on or "blocking")
