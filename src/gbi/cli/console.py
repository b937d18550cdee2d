"""The terminal: streams that can't break on a letter, and progress where somebody watches."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def prepare_streams() -> None:
    """Make the standard streams safe for Arabic and for narrow no-break spaces.

    On Windows a pipe would otherwise be written in the machine's code page; elsewhere the locale
    decides, and a letter that it lacks becomes a question mark instead of an exception.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if sys.platform == "win32":
                stream.reconfigure(encoding="utf-8", errors="replace")
            else:
                stream.reconfigure(errors="replace")


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Return rows as lines whose columns stand under one another; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (indent + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def say(words: str = "") -> None:
    """Write a line (or several) to the standard output."""
    sys.stdout.write(f"{words}\n")


def say_json(document: str) -> None:
    """Write JSON to the standard output, as UTF-8 whatever the console's encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    say(document)


def complain(words: str) -> None:
    """Write a line (or several) to the standard error, after what was already said."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.write(f"{words}\n")


def stop_writing() -> None:
    """Point the standard output nowhere: its reader has gone, and the exit would flush into it."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int, int, str], None] | None]:
    """Show the step that is being done on the standard error, if it is a terminal.

    Yields
    ------
    callable or None
        Takes the step, the number of steps and its name; None where nobody watches.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status("", spinner="line") as status:

        def tell(step: int, steps: int, name: str) -> None:
            status.update(f"{step}/{steps}  {name}")

        yield tell
