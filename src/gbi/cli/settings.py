"""Options that several commands take: profiles of one's own, and limits of what is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.errors import GbiError

if TYPE_CHECKING:
    from argparse import Namespace

    from gbi.ingest.safety import Limits


def limits_of(args: Namespace) -> Limits:
    """Return the limits with those that ``--limit NAME=NUMBER`` sets.

    Raises
    ------
    GbiError
        ``GBI-E071`` for an unknown name or a value that is no whole number.
    """
    from gbi.ingest.safety import Limits

    given = {}
    for word in args.limit or ():
        name, _, value = word.partition("=")
        if not value.isdigit():
            raise GbiError("GBI-E071", where="--limit", expected="NAME=NUMBER", got=word)
        given[name] = int(value)
    return Limits.with_settings(given)


def profiles_of(args: Namespace) -> list[str] | str | None:
    """Return the profiles that ``--profile`` names: one, several, or None."""
    named: list[str] = args.profile or []
    return named[0] if len(named) == 1 else named or None
