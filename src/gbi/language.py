"""Words and numbers in French, Arabic and English.

All text that a user reads comes from ``data/schemas/labels/*.yaml``. A key is
``<file>.<path.to.entry>``; an entry holds ``fr``, ``ar``, ``en`` and ``reviewed`` (has the Centre
confirmed the wording?).
"""

from __future__ import annotations

import locale
import os
import re
import sys
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from babel.numbers import format_decimal

from gbi.errors import GbiError

if TYPE_CHECKING:
    from collections.abc import Iterator

Language = Literal["fr", "ar", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_LOCALES = {"fr": "fr", "ar": "ar_MA", "en": "en"}
_DOUBLE_MARK = re.compile(r" (?=[:;?!»])|(?<=«) ")
_chosen: ContextVar[Language | None] = ContextVar("gbi_language", default=None)


def resolve_language(lang: str | None = None) -> Language:
    """Return the language to use.

    The first that is set of: the argument, :func:`language`'s context, ``GBI_LANG``, the system's
    locale; else French.

    Raises
    ------
    GbiError
        ``GBI-E010`` if the argument or ``GBI_LANG`` names another language.
    """
    for value in (lang, _chosen.get(), os.environ.get("GBI_LANG")):
        if value:
            for known in LANGUAGES:
                if value == known:
                    return known
            raise GbiError("GBI-E010", expected=", ".join(LANGUAGES), got=value)
    system = _system_locale().lower()
    names = {"fr": "fr", "french": "fr", "ar": "ar", "arabic": "ar", "en": "en", "english": "en"}
    for prefix, known_name in names.items():
        if re.match(rf"{prefix}(_|\b)", system):
            return known_name  # type: ignore[return-value]
    return "fr"


def _system_locale() -> str:
    """Return the locale of messages; Python calls the neutral C.UTF-8 "en_US", so not its own."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    return (locale.getlocale()[0] or "") if sys.platform == "win32" else ""


@contextmanager
def language(lang: str | None) -> Iterator[Language]:
    """Use a language for all text made inside the ``with`` block."""
    resolved = resolve_language(lang)
    token = _chosen.set(resolved)
    try:
        yield resolved
    finally:
        _chosen.reset(token)


@lru_cache(maxsize=64)
def _catalogue(name: str) -> dict[str, Any]:
    from gbi.resources import read_document, resource_path

    return read_document(resource_path("schemas", "labels", f"{name}.yaml"), "labels")


def has_text(key: str) -> bool:
    """Say whether the catalogue has an entry for a key."""
    try:
        _entry(key)
    except KeyError:
        return False
    return True


def _entry(key: str) -> dict[str, Any]:
    name, _, rest = key.partition(".")
    try:
        node: Any = _catalogue(name)
    except GbiError as error:
        if error.code == "GBI-E001":
            raise KeyError(key) from None
        raise
    for part in rest.split("."):
        if not isinstance(node, dict) or part not in node:
            raise KeyError(key)
        node = node[part]
    if not (isinstance(node, dict) and "fr" in node):
        raise KeyError(key)
    return node


def text(key: str, lang: str | None = None, **params: object) -> str:
    """Return a text of the catalogue, its ``{placeholders}`` filled.

    Parameters
    ----------
    key
        ``<file>.<entry>``, for example ``report.title``.
    lang
        ``fr``, ``ar`` or ``en``; resolved by :func:`resolve_language`.
    **params
        The placeholders' values.

    Raises
    ------
    KeyError
        If the catalogue has no such entry (a fault of ours, which the tests look for).
    """
    chosen = resolve_language(lang)
    template = typeset(_entry(key)[chosen], chosen)
    return template.format(**params) if params else template


def typeset(written: str, lang: str) -> str:
    """Return a text with the no-break spaces that French sets around its double marks."""
    return _DOUBLE_MARK.sub("\u00a0", written) if lang == "fr" else written


def texts(key: str, **params: object) -> dict[str, str]:
    """Return a text in all languages, as ``{"fr": …, "ar": …, "en": …}``."""
    return {lang: text(key, lang, **params) for lang in LANGUAGES}


def format_number(
    value: float | int | None, lang: str | None = None, *, decimals: int | None = None
) -> str:
    """Write a number as the language does (French: ``1 234 567,89`` with narrow no-break spaces).

    Parameters
    ----------
    value
        The number; None and NaN give an en dash.
    lang
        The language.
    decimals
        Exactly so many decimals; by default as many as the number has, at most 12 significant
        digits.
    """
    if value is None or value != value:
        return "–"
    pattern = (
        "#,##0." + ("#" * 12)
        if decimals is None
        else "#,##0" + ("." + "0" * decimals if decimals else "")
    )
    shown = float(f"{value:.12g}")
    written: str = format_decimal(shown, format=pattern, locale=_LOCALES[resolve_language(lang)])
    return written.replace("\u200e", "").replace("\u200f", "").replace("-", "\u2212")


@lru_cache(maxsize=65_536)
def fold(label: str) -> str:
    """Return a label for comparison: no accents, case, repeated spaces or typographic marks."""
    plain = unicodedata.normalize("NFKD", label.replace("œ", "oe").replace("Œ", "OE"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"[\u2018\u2019\u02bc`´]", "'", plain)
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    plain = re.sub(r"\s*-\s*", "-", plain)
    return re.sub(r"\s+", " ", plain).strip().casefold()


def isolate(value: object) -> str:
    """Wrap a code, address or number so that it keeps its own direction inside Arabic text."""
    return f"\u2066{value}\u2069"
