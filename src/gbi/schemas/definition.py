"""What a table is: its columns, their key, and what each may hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as data_field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.language import resolve_language
from gbi.resources import suggest
from gbi.schemas.exports import described, row_schema, table_schema
from gbi.schemas.holding import conformed
from gbi.schemas.structure import pandera_schema
from gbi.vocabulary import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    name
        The SDMX concept in capitals, or a role of microdata in lower case.
    type
        ``string``, ``number``, ``integer`` or ``any``.
    role
        ``dimension``, ``key-label`` (a label that identifies, where there is no code), ``measure``,
        ``attribute`` or ``label``.
    labels
        The column's name for a reader, per language.
    constraints
        ``required``, ``minimum``, ``maximum``, ``pattern`` (of the whole text), ``enum``.
    codelist
        The code list that the values come from.
    default
        What an absent column stands for; never put in the place of a missing cell.
    missing_reason
        The column that must say why, where this one has no value.
    required_when
        Column → values with which this one must be filled.
    """

    name: str
    type: str
    role: str
    labels: Mapping[str, str]
    constraints: Mapping[str, Any] = data_field(default_factory=_nothing)
    codelist: str | None = None
    default: str | int | None = None
    missing_reason: str | None = None
    required_when: Mapping[str, tuple[str, ...]] = data_field(default_factory=_nothing)
    title: str | None = None
    description: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None

    @property
    def required(self) -> bool:
        """Whether every row must have a value."""
        return bool(self.constraints.get("required", False))

    @property
    def nullable(self) -> bool:
        """Whether a cell may be empty."""
        return not self.required

    @cached_property
    def codes(self) -> tuple[str | int, ...]:
        """The values that are allowed, or nothing where any is."""
        listed = self.constraints.get("enum") or (codes(self.codelist) if self.codelist else ())
        return tuple(int(c) for c in listed) if self.type == "integer" else tuple(listed)

    def label(self, lang: str | None = None) -> str:
        """Return the column's name for a reader."""
        return self.labels[resolve_language(lang)]


@dataclass(frozen=True)
class Schema:
    """A table: its columns in order, its key, its labels; what every export is made from.

    Attributes
    ----------
    name, version, valid_from
        Which table, and since when it has this form.
    kind
        ``aggregate`` (one value column), ``record`` or ``microdata``.
    fields
        The columns.
    key
        The columns that identify a row; empty for microdata.
    title, description
        Per language.
    missing_values
        Texts that stand for an empty cell.
    foreign_keys
        What points to other tables.
    """

    name: str
    version: str
    kind: str
    fields: tuple[Field, ...] = data_field(repr=False)
    key: tuple[str, ...]
    title: Mapping[str, str] = data_field(repr=False)
    description: Mapping[str, str] = data_field(repr=False)
    valid_from: str
    missing_values: tuple[str, ...] = ("",)
    foreign_keys: tuple[Mapping[str, Any], ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns' names, in order."""
        return [f.name for f in self.fields]

    @property
    def required(self) -> list[str]:
        """The columns that every row must fill."""
        return [f.name for f in self.fields if f.required]

    @property
    def dimensions(self) -> list[str]:
        """The columns that a value is broken down by."""
        return [f.name for f in self.fields if f.role == "dimension"]

    def field(self, name: str) -> Field:
        """Return a column by name.

        Raises
        ------
        GbiError
            ``GBI-E051`` if the table has no such column, with the nearest name.
        """
        for each in self.fields:
            if each.name == name:
                return each
        near = suggest(name, self.columns)
        known = near or ", ".join(self.columns)
        raise GbiError("GBI-E051", where=self.name, expected=known, got=name)

    def label(self, lang: str | None = None) -> str:
        """Return the table's name for a reader."""
        return self.title[resolve_language(lang)]

    def labels(self, lang: str | None = None) -> dict[str, str]:
        """Return column → label."""
        return {f.name: f.label(lang) for f in self.fields}

    def bind(self, roles: Mapping[str, str]) -> Schema:
        """Return the schema of a survey's own columns.

        Parameters
        ----------
        roles
            Role → the survey's variable. Where a variable has two roles the later one holds.

        Raises
        ------
        GbiError
            ``GBI-E051`` for a role that the table doesn't have.
        """
        for role in roles:
            self.field(role)
        bound = {
            roles[f.name]: replace(f, name=roles[f.name]) for f in self.fields if f.name in roles
        }
        return replace(self, fields=tuple(bound.values()))

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame in the table's order and types, defaults of absent columns filled.

        No value changes; columns that the table doesn't know stay, at the end.

        Raises
        ------
        GbiError
            ``GBI-E052`` for a value that the column's type can't hold, ``GBI-E053`` for a column
            that is there twice.
        """
        return conformed(self, frame)

    def to_pandera(self) -> Any:
        """Return the ``pandera.pandas.DataFrameSchema``; nothing is coerced."""
        return pandera_schema(self)

    def to_table_schema(self, lang: str | None = None) -> dict[str, Any]:
        """Return the Frictionless Table Schema with the ``gbi`` extension."""
        return table_schema(self, resolve_language(lang))

    def to_json_schema(self, lang: str | None = None) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of one row."""
        return row_schema(self, resolve_language(lang))

    def describe(self, lang: str | None = None) -> pd.DataFrame:
        """Return a row per column: ``NAME LABEL TYPE ROLE CODELIST REQUIRED DEFAULT``."""
        return described(self, resolve_language(lang))
