"""``gbi sniff``: a profile proposed for a file that no profile knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gbi.cli.console import say
from gbi.cli.settings import limits_of
from gbi.language import text
from gbi.results import write_atomically

if TYPE_CHECKING:
    from argparse import Namespace


def sniff(args: Namespace) -> int:
    """Print the proposal, or write it to the file named; nothing is read by it."""
    import gbi

    written = gbi.sniff(args.path, limits=limits_of(args)).to_yaml()
    if args.out:
        write_atomically(Path(args.out), written)
        say(text("cli.sniff.written", path=args.out))
    else:
        say(written.rstrip("\n"))
    return 0
