"""The entry point: from the words typed to an exit code.

Exit codes: 0 fine, 1 findings at or above ``--fail-on``, 2 usage or missing path, 3 unreadable or
unsafe input, 4 error of the engine, 5 incomplete; 130 interrupted, 141 the reader has gone.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from gbi.cli.console import complain, prepare_streams, say, stop_writing
from gbi.cli.parsing import UsageError, help_text, parse, take_language
from gbi.errors import GbiError, internal_error
from gbi.language import language, resolve_language, text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

INTERRUPTED, READER_GONE = 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        The words after ``gbi``; by default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        lang, rest = take_language(words)
        chosen = resolve_language(lang)
    except (UsageError, GbiError) as error:
        with language(_fallback()):
            complain(error.message())
        return 2
    with language(chosen):
        return _guarded(rest)


def _fallback() -> str:
    """Return the language in which to say that the language asked for is not one."""
    try:
        return resolve_language()
    except GbiError:
        return "fr"


def _guarded(words: list[str]) -> int:
    try:
        code = _dispatch(parse(words))
        sys.stdout.flush()
    except UsageError as error:
        complain(error.message())
        return 2
    except GbiError as error:
        complain(error.message())
        return error.exit_code
    except KeyboardInterrupt:
        complain(f"gbi: {text('cli.interrupted')}")
        return INTERRUPTED
    except BrokenPipeError:
        stop_writing()
        return READER_GONE
    except Exception as error:
        complain(_internal(error).message())
        return 4
    return code


def _dispatch(args: Namespace) -> int:
    # A command is imported when it is asked for: help and a slip answer at once.
    match args.command:
        case "help":
            say(help_text(args.topic))
            return 0
        case "version":
            from gbi.provenance import gbi_version

            say(f"gbi {gbi_version()}")
            return 0
        case "run" | "demo":
            from gbi.cli import job

            return job.run(args) if args.command == "run" else job.demo(args)
        case "validate":
            from gbi.cli import check

            return check.validate(args)
        case "sniff":
            from gbi.cli import propose

            return propose.sniff(args)
        case "template":
            from gbi.cli import template

            return template.template(args)
        case "rules" | "explain":
            from gbi.cli import lookup

            return lookup.rules(args) if args.command == "rules" else lookup.explain(args)
        case "suggest":
            from gbi.cli import suggest

            return suggest.suggest(args)
        case "compare":
            from gbi.cli import compare

            return compare.compare(args)
        case "verify":
            from gbi.cli import trace

            return trace.verify(args)
        case _:
            from gbi.cli import doctor

            return doctor.examine()


def _internal(error: Exception) -> GbiError:
    """Return the failure as an error; show its trace where that was asked for."""
    if os.environ.get("GBI_DEBUG"):
        complain(traceback.format_exc().rstrip())
    return internal_error(error)
