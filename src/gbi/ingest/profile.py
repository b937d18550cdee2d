"""Profiles: how a known file is laid out, as data. What a profile doesn't say is not done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.numbers import Style
from gbi.language import fold
from gbi.resources import read_document, resource_path, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
        """How many rows the header has."""
        return int(self.document.get("header_rows", 1))

    @property
    def called(self) -> str:
        """The sheet's name as a reader expects to see it."""
        return str(self.document.get("called", self.name or ""))

    @property
    def constants(self) -> Mapping[str, Any]:
        """What holds for every row of such a sheet."""
        return dict(self.document.get("constants", {}))

    @property
    def columns(self) -> list[Mapping[str, Any]]:
        """What identifies and describes a value."""
        return list(self.document["columns"])

    @property
    def observations(self) -> list[Mapping[str, Any]]:
        """The columns that each hold a value of their own; none if a row is a record."""
        return list(self.document.get("values", []))

    @property
    def headers(self) -> list[Mapping[str, Any]]:
        """All columns that the sheet must have a header for, in the profile's order."""
        return [*self.columns, *self.observations]

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

    @property
    def sections(self) -> list[Section]:
        """The kinds of sheets."""
        return [Section(s) for s in self.document["sheets"]]

    @property
    def tables(self) -> list[str]:
        """The tables whose columns the file uses: its own, or those of a reference file."""
        return [self.table] if self.table is not None else list(self.document["reference"])

    @property
    def constants(self) -> Mapping[str, Any]:
        """What holds for every row of the file."""
        return dict(self.document.get("constants", {}))

    @property
    def totals(self) -> Mapping[str, str] | None:
        """Column, label and code of the totals rows."""
        return self.document.get("totals")

    @cached_property
    def tokens(self) -> Mapping[str, str]:
        """The key of a disaggregation, folded → the dimension that it names."""
        return {fold(k): v for k, v in self.document.get("tokens", {}).items()}

    @cached_property
    def series(self) -> Mapping[str, Mapping[str, Any]]:
        """The label of a series, folded → what is known about it."""
        return {fold(k): v for k, v in self.document.get("series", {}).items()}

    @cached_property
    def not_available(self) -> set[str]:
        """The words, folded, that stand for a value that is not available."""
        return {fold(w) for w in self.document.get("not_available", [])}

    @property
    def school_year_start(self) -> str | None:
        """The day a school year starts, if periods such as 2014/2015 are school years."""
        return self.document.get("school_year_start")

    @property
    def decimals(self) -> str:
        """``printed`` (each value as it is written) or ``series`` (as its series is)."""
        return str(self.document["decimals"])

    def series_label(self, folded: str) -> str:
        """Return a series' label as the profile writes it."""
        return next(str(k) for k in self.document["series"] if fold(k) == folded)

    def ignores(self, sheet: str) -> bool:
        """Say whether a sheet holds no figures (a list of contents)."""
        return any(fold(sheet) == fold(known) for known in self.document.get("ignore_sheets", []))

    def derive(self, record: dict[str, Any]) -> None:
        """Set what follows from other columns of a record."""
        for entry in self.document.get("derive", []):
            if _holds(entry["when"], record):
                record.update(entry["set"])

    def dash_of(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what a dash means in a row: a status and perhaps a value; None if not declared."""
        for entry in self.document.get("dash_except", []):
            if _holds(entry["when"], record):
                return {"status": entry["status"]}
        return self.document.get("dash")

    @property
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


def load_profile(path: Path) -> Profile:
    """Read one profile's file.

    Raises
    ------
    GbiError
        ``GBI-E002`` (not YAML) or ``GBI-E003`` (an unknown key, a pattern that is none).
    """
    document = read_document(path, "profile")
    for section in document["sheets"]:
        for pattern in _patterns(section):
            try:
                re.compile(pattern)
            except re.error as error:
                raise GbiError("GBI-E003", where=path.name, got=f"{pattern}: {error}") from None
    return Profile(document["name"], document)


def _patterns(section: Mapping[str, Any]) -> list[str]:
    own = [section[k] for k in ("name", "title", "notes") if k in section]
    heads = [*section["columns"], *section.get("values", [])]
    return own + [h["pattern"] for h in heads if "pattern" in h]


def profile_named(name: str) -> Profile:
    """Return a profile by name.

    Raises
    ------
    GbiError
        ``GBI-E065`` if there is none, with the nearest name.
    """
    for profile in profiles():
        if profile.name == name:
            return profile
    names = [p.name for p in profiles()]
    raise GbiError("GBI-E065", expected=suggest(name, names) or ", ".join(names), got=name)
