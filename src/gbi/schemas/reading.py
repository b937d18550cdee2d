"""Read the files of ``data/schemas/tables``."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.resources import read_document, resource_path, suggest
from gbi.schemas.definition import Field, Schema
from gbi.vocabulary import codelists, concept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@lru_cache(maxsize=1)
def tables() -> tuple[str, ...]:
    """Return the names of the tables, sorted."""
    return tuple(sorted(p.stem for p in resource_path("schemas", "tables").glob("*.yaml")))


@lru_cache(maxsize=32)
def schema(name: str) -> Schema:
    """Return the schema of a table.

    Parameters
    ----------
    name
        One of :func:`tables`, for example ``"budget"``.

    Raises
    ------
    GbiError
        ``GBI-E050`` if there is no such table, with the nearest name; ``GBI-E003`` if the table's
        file is at fault.
    """
    if name not in tables():
        near = suggest(name, tables()) or ", ".join(tables())
        raise GbiError("GBI-E050", expected=near, got=name)
    return read_schema(resource_path("schemas", "tables", f"{name}.yaml"))


def read_schema(path: Path) -> Schema:
    """Read a table's file.

    Raises
    ------
    GbiError
        ``GBI-E002`` (not YAML) or ``GBI-E003`` (an unknown key, or a column, code or list that
        the file names and does not have).
    """
    document = read_document(path, "table")
    about = document["gbi"]
    made = Schema(
        name=about["name"],
        version=about["version"],
        kind=about["kind"],
        fields=tuple(_field(entry) for entry in document["fields"]),
        key=tuple(document.get("primaryKey", ())),
        title=MappingProxyType(about["labels"]),
        description=MappingProxyType(about["description"]),
        valid_from=about["valid_from"],
        missing_values=tuple(document["missingValues"]),
        foreign_keys=tuple(MappingProxyType(k) for k in document.get("foreignKeys", ())),
    )
    for place, got in _faults(made):
        raise GbiError("GBI-E003", where=f"{path.name} {place}", got=got)
    return made


def _field(entry: Mapping[str, Any]) -> Field:
    about = entry["gbi"]
    when = {column: tuple(values) for column, values in about.get("required_when", {}).items()}
    return Field(
        name=entry["name"],
        type=entry["type"],
        role=about["role"],
        labels=MappingProxyType(about.get("labels") or _concept_labels(entry["name"])),
        constraints=MappingProxyType(entry.get("constraints", {})),
        codelist=about.get("codelist"),
        default=about.get("default"),
        missing_reason=about.get("missing_reason"),
        required_when=MappingProxyType(when),
        title=entry.get("title"),
        description=entry.get("description"),
        valid_from=about.get("valid_from"),
        valid_to=about.get("valid_to"),
    )


def _concept_labels(name: str) -> dict[str, str]:
    """Return the labels of a column's concept; a survey's ``sex`` is the concept ``SEX``."""
    return concept(name.upper()).labels


def _faults(made: Schema) -> Iterator[tuple[str, str]]:
    """Yield what a JSON Schema can't see: names that point to nothing."""
    known = set(made.columns)
    for name in made.columns:
        if made.columns.count(name) > 1:
            yield name, "twice"
    for name in made.key:
        if name not in known:
            yield "primaryKey", name
    for reference in made.foreign_keys:
        for name in reference["fields"]:
            if name not in known:
                yield "foreignKeys", name
    for each in made.fields:
        if each.codelist is not None and each.codelist not in codelists():
            yield f"{each.name} codelist", each.codelist
            continue
        for other in (each.missing_reason, *each.required_when):
            if other is not None and other not in known:
                yield each.name, other
        if each.default is not None and each.codes and each.default not in each.codes:
            yield f"{each.name} default", str(each.default)
