"""Match the label that somebody wrote to a code; suggest, never guess."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gbi.language import fold
from gbi.resources import suggest
from gbi.vocabulary.lists import accepted

How = Literal["code", "label", "alias", "none"]


@dataclass(frozen=True, slots=True)
class Match:
    """What a label was matched to.

    ``how`` says by what: the code itself, the list's label exactly as written, an alias (another
    known spelling, or the label with other accents, case or marks), or nothing; then ``code`` is
    None and ``suggestion`` the nearest label, if one is near.
    """

    code: str | None
    how: How
    suggestion: str | None = None


@lru_cache(maxsize=64)
def _index(
    name: str, on: str | None
) -> tuple[set[str], dict[str, str], dict[str, str], dict[str, str]]:
    """Return the codes in force, and codes by label, by folded label or alias, and by wording."""
    codes: set[str] = set()
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    wording: dict[str, str] = {}
    for entry in accepted(name):
        begins, ends = entry.get("valid_from", "0000"), entry.get("valid_to", "9999-12-31")
        if on is not None and not begins <= on <= ends:
            continue
        code = entry["code"]
        codes.add(code)
        labels = list(entry["label"].values())
        for written in labels:
            exact.setdefault(written, code)
        for written in (*labels, *entry.get("aliases", [])):
            folded.setdefault(fold(written), code)
            wording.setdefault(written, code)
    return codes, exact, folded, wording


@lru_cache(maxsize=65_536)
def match_label(name: str, label: str, *, on: str | None = None, near: bool = True) -> Match:
    """Match a written label to a code of a list.

    Parameters
    ----------
    name
        The code list or the concept that uses it.
    label
        What is written: a code, a label in any language, or a known spelling of it.
    on
        ISO date; codes that were not in force on that day don't match.
    near
        Whether the nearest label is looked for where none matches.

    Returns
    -------
    Match
        Without a code if the label is unknown. A numeric label gets no suggestion: the nearest
        number is not a likelier code.
    """
    written = label.strip()
    codes, exact, folded, wording = _index(name, on)
    if written in codes:
        return Match(written, "code")
    if written in exact:
        return Match(exact[written], "label")
    if fold(written) in folded:
        return Match(folded[fold(written)], "alias")
    if not near or re.fullmatch(r"[\d\s.,/-]*", written):
        return Match(None, "none")
    return Match(None, "none", suggest(written, list(wording)))
