"""Profiles: how a known file is laid out, as data. What a profile doesn't say is not done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.numbers import Style
from gbi.language import fold
from gbi.resources import read_document, resource_path, suggest
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, eq=False)
class Section:
    """One kind of sheet of a file: its name, its header, what its columns mean."""

    document: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The pattern of the sheet's name; None for a text file."""
        return self.document.get("name")

    @property
    def header_rows(self) -> int:
        """How many rows the header has; 0 if its columns are known by their letters."""
        return int(self.document.get("header_rows", 1))

    @property
    def first_row(self) -> int:
        """The first record's row, from 0, where there is no header."""
        return int(self.document.get("first_row", 1)) - 1

    @property
    def called(self) -> str:
        """The sheet's name as a reader expects to see it."""
        return str(self.document.get("called", self.name or ""))

    @property
    def constants(self) -> Mapping[str, Any]:
        """What holds for every row of such a sheet."""
        return dict(self.document.get("constants", {}))

    @cached_property
    def headings(self) -> list[Mapping[str, Any]]:
        """Texts that stand alone on a row and hold for the rows below."""
        return [c for c in self.document["columns"] if "heading" in c]

    @cached_property
    def columns(self) -> list[Mapping[str, Any]]:
        """What identifies and describes a value."""
        return [c for c in self.document["columns"] if "heading" not in c]

    @cached_property
    def observations(self) -> list[Mapping[str, Any]]:
        """The columns that each hold a value of their own; none if a row is a record."""
        return list(self.document.get("values", []))

    @property
    def headers(self) -> list[Mapping[str, Any]]:
        """All columns that the sheet must have, in the profile's order."""
        return [*self.columns, *self.observations]

    def says(self, key: str) -> bool:
        """Say whether a yes-or-no key (``spread``, ``repeats``, ``headings``) is set."""
        return bool(self.document.get(key, False))

    def accepts(self, sheet: str) -> bool:
        """Say whether a sheet bears this section's name."""
        return self.name is None or re.fullmatch(self.name, sheet, re.IGNORECASE) is not None


@dataclass(frozen=True, eq=False)
class Profile:
    """How a known file is laid out.

    Attributes
    ----------
    name
        The profile's name, for example ``maroc-repartition``.
    document
        The checked content of its file.
    """

    name: str
    document: Mapping[str, Any]

    @property
    def format(self) -> str:
        """``workbook`` (sheets with names) or ``table``."""
        return str(self.document["format"])

    @property
    def table(self) -> str | None:
        """The table that the file gives; None for a reference file."""
        return self.document.get("table")

    @cached_property
    def sections(self) -> list[Section]:
        """The kinds of sheets."""
        return [Section(s) for s in self.document.get("sheets", ())]

    @property
    def tables(self) -> list[str]:
        """The tables whose columns the file uses: its own, or those of a reference file."""
        return [self.table] if self.table is not None else list(self.document["reference"])

    @property
    def constants(self) -> Mapping[str, Any]:
        """What holds for every row of the file."""
        return dict(self.document.get("constants", {}))

    @cached_property
    def totals(self) -> list[Mapping[str, Any]]:
        """Column, label or pattern, and code of the totals rows."""
        return list(self.document.get("totals", []))

    @cached_property
    def tokens(self) -> Mapping[str, str]:
        """The key of a disaggregation, folded → the dimension that it names."""
        return {fold(k): v for k, v in self.document.get("tokens", {}).items()}

    @cached_property
    def series(self) -> Mapping[str, Mapping[str, Any]]:
        """The label of a series, folded → what is known about it."""
        return {fold(k): v for k, v in self.document.get("series", {}).items()}

    @cached_property
    def maps(self) -> Mapping[str, Mapping[str, Any]]:
        """Column → what is written, folded → the code or the columns that it stands for."""
        written = self.document.get("maps", {})
        return {
            column: {fold(str(k)): v for k, v in known.items()} for column, known in written.items()
        }

    @cached_property
    def missing(self) -> Mapping[str, str]:
        """What stands in a value's place, folded → the status."""
        return {fold(str(k)): v for k, v in self.document.get("missing", {}).items()}

    @cached_property
    def flags(self) -> Mapping[str, str]:
        """The marks that may stand behind a number → the status."""
        return dict(self.document.get("flags", {}))

    @property
    def year_start(self) -> str | None:
        """The day a school or financial year starts, if periods such as 2014/2015 are meant."""
        return self.document.get("year_start")

    @property
    def roles(self) -> Mapping[str, str]:
        """Role → the file's own name of the variable (microdata)."""
        return dict(self.document.get("roles", {}))

    @property
    def decimals(self) -> str:
        """``printed`` (each value as it is written) or ``series`` (as its series is)."""
        return str(self.document["decimals"])

    def fills(self, column: str) -> bool:
        """Say whether the layout tells a column's codes, by a column of its own or by a set."""
        parts = [*self.document.get("sheets", ())]
        entries = [e for s in parts for e in (*s["columns"], *s.get("values", ()))]
        sets = [e.get("set", {}) for e in entries] + [s.get("constants", {}) for s in parts]
        told = column in self.tokens.values() or column in self.constants
        return (
            told
            or any(e.get("column") == column for e in entries)
            or any(column in s for s in sets)
        )

    def series_label(self, folded: str) -> str:
        """Return a series' label as the profile writes it."""
        return next(str(k) for k in self.document["series"] if fold(k) == folded)

    def ignores(self, sheet: str) -> bool:
        """Say whether a sheet holds no figures (a list of contents)."""
        return any(fold(sheet) == fold(known) for known in self.document.get("ignore_sheets", []))

    def derive(self, record: dict[str, Any]) -> None:
        """Set what follows from other columns of a record."""
        for entry in self.document.get("derive", ()):
            if _holds(entry["when"], record):
                record.update(entry["set"])

    def dash_of(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what a dash means in a row: a status and perhaps a value; None if not declared."""
        for entry in self.document.get("dash_except", ()):
            if _holds(entry["when"], record):
                return {"status": entry["status"]}
        return self.document.get("dash")

    @cached_property
    def style(self) -> Style:
        """How the file writes numbers."""
        numbers = self.document["numbers"]
        return Style(numbers["decimal"], tuple(numbers.get("thousands", ())))


def _holds(when: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return all(record.get(column) in values for column, values in when.items())


def squeeze(text: str) -> str:
    """Return a text with its white space as single spaces."""
    return _SPACE.sub(" ", text).strip()


@lru_cache(maxsize=1)
def profiles() -> tuple[Profile, ...]:
    """Return the packaged profiles, by name.

    Raises
    ------
    GbiError
        ``GBI-E003`` if a file breaks the profile schema: an unknown key, with its line.
    """
    root = resource_path("schemas", "profiles")
    return tuple(load_profile(path) for path in sorted(root.glob("*.yaml")))


def load_profile(path: Path, *, over: tuple[Path, ...] = ()) -> Profile:
    """Read one profile's file, with what it takes over from the profile that it extends.

    Parameters
    ----------
    path
        The file.
    over
        The profiles that extend this one; none of them is extended again.

    Raises
    ------
    GbiError
        ``GBI-E002`` (not YAML), ``GBI-E003`` (an unknown key, a pattern that is none) or
        ``GBI-E065`` (it extends a profile that doesn't exist).
    """
    chain = (*over, path.resolve())
    document = read_document(path, "profile", lambda own: _extended(own, path.parent, chain))
    for pattern in _patterns(document):
        try:
            re.compile(pattern)
        except re.error as error:
            raise GbiError("GBI-E003", where=path.name, got=f"{pattern}: {error}") from None
    profile = Profile(document["name"], document)
    known = {f.name: f.type == "string" for table in profile.tables for f in schema(table).fields}
    for column in _columns(document):
        if column not in known:
            near = suggest(column, sorted(known)) or ", ".join(sorted(known))
            raise GbiError("GBI-E003", where=path.name, got=column, expected=near)
    return Profile(profile.name, _with_texts(document, known))


def _with_texts(node: Any, known: Mapping[str, bool], text: bool = False) -> Any:
    """Return a document with the numbers of text columns as texts (``TIME_PERIOD: 2025``)."""
    if isinstance(node, dict):
        return {key: _with_texts(value, known, known.get(key, text)) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_texts(value, known, text) for value in node]
    number = isinstance(node, int | float) and not isinstance(node, bool)
    return str(node) if text and number else node


def _extended(own: Any, folder: Path, chain: tuple[Path, ...]) -> Any:
    """Return a document laid over the one that it extends: beside it, or a packaged profile."""
    if not isinstance(own, dict) or not isinstance(own.get("extends"), str):
        return own
    root = resource_path("schemas", "profiles")
    name = f"{own['extends']}.yaml"
    places = (p for p in (folder / name, root / name) if p.is_file())
    path = next((p for p in places if p.resolve() not in chain), None)
    if path is None:
        known = sorted(p.stem for p in root.glob("*.yaml"))
        raise GbiError("GBI-E065", expected=suggest(own["extends"], known) or ", ".join(known),
                       got=own["extends"])  # fmt: skip
    return _laid_over(own, load_profile(path, over=chain).document)


def _laid_over(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _laid_over(value, below)
        else:
            merged[key] = value
    return merged


_PATTERNS = {"name", "title", "notes", "pattern", "split", "heading", "keep_like", "drop_like"}


def _patterns(document: Mapping[str, Any]) -> Iterator[str]:
    """Give every pattern of a profile."""
    if "file" in document:
        yield document["file"]
    yield from (t["pattern"] for t in document.get("totals", ()) if "pattern" in t)
    for section in document.get("sheets", ()):
        for part in (section, *section["columns"], *section.get("values", ())):
            yield from (part[k] for k in _PATTERNS & set(part))
            if "lookup" in part:
                yield part["lookup"]["file"]


def _columns(document: Mapping[str, Any]) -> Iterator[str]:
    """Give every column that a profile fills or asks for."""
    sections = document.get("sheets", ())
    entries = [e for s in sections for e in (*s["columns"], *s.get("values", ()))]
    derived = [part for d in document.get("derive", ()) for part in (d["when"], d["set"])]
    said = [v for known in document.get("maps", {}).values() for v in known.values()]
    set_ = [part.get(k, {}) for part in (*sections, *entries) for k in ("constants", "set")]
    whole = [document.get(k, {}) for k in ("constants", "maps")]
    for filled in (*whole, *said, *derived, *document.get("series", {}).values(), *set_):
        yield from filled if isinstance(filled, dict) else ()
    yield from (t["column"] for t in document.get("totals", ()))
    yield from document.get("tokens", {}).values()
    yield from (e["column"] for e in entries if "column" in e)
    for entry in entries:
        yield from entry.get("lookup", {}).get("take", {}).values()
        yield from (c for c in entry.get("parts", {}).values() if c is not None)
    for pattern in _patterns(document):
        yield from re.compile(pattern).groupindex


def profile_named(name: str | Path | Profile) -> Profile:
    """Return a profile: a packaged one by name, or one's own by the path of its file.

    Raises
    ------
    GbiError
        ``GBI-E065`` if there is none, with the nearest name; ``GBI-E060`` if there is no such
        file; what :func:`load_profile` raises.
    """
    if isinstance(name, Profile):
        return name
    if isinstance(name, Path) or name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise GbiError("GBI-E060", where=str(path), exit_code=2)
        return load_profile(path)
    known = {p.name: p for p in profiles()}
    if name not in known:
        raise GbiError(
            "GBI-E065", expected=suggest(name, list(known)) or ", ".join(known), got=name
        )
    return known[name]
