"""A table as a Table Schema, as a JSON Schema of its rows, and as a table of the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.schemas.structure import MISSING_ONLY, MISSING_OR_NOT

if TYPE_CHECKING:
    from gbi.language import Language
    from gbi.schemas.definition import Field, Schema


def table_schema(schema: Schema, lang: Language) -> dict[str, Any]:
    """Return the Frictionless form; it follows ``contract/table.schema.json`` as the file does."""
    out: dict[str, Any] = {
        "fields": [_field(f, lang) for f in schema.fields],
        "missingValues": list(schema.missing_values),
    }
    if schema.key:
        out["primaryKey"] = list(schema.key)
    if schema.foreign_keys:
        out["foreignKeys"] = [
            {"fields": list(k["fields"]), "reference": dict(k["reference"])}
            for k in schema.foreign_keys
        ]
    out["gbi"] = {
        "name": schema.name,
        "version": schema.version,
        "kind": schema.kind,
        "valid_from": schema.valid_from,
        "labels": dict(schema.title),
        "description": dict(schema.description),
    }
    return out


def _field(field: Field, lang: Language) -> dict[str, Any]:
    constraints = dict(field.constraints)
    if field.codes:
        constraints["enum"] = list(field.codes)
    when = {column: list(values) for column, values in field.required_when.items()}
    about = {
        "role": field.role,
        "codelist": field.codelist,
        "default": field.default,
        "missing_reason": field.missing_reason,
        "required_when": when or None,
        "labels": dict(field.labels),
        "valid_from": field.valid_from,
        "valid_to": field.valid_to,
    }
    out = {
        "name": field.name,
        "type": field.type,
        "title": field.title or field.label(lang),
        "description": field.description,
        "constraints": constraints or None,
        "gbi": {key: value for key, value in about.items() if value is not None},
    }
    return {key: value for key, value in out.items() if value is not None}


def row_schema(schema: Schema, lang: Language) -> dict[str, Any]:
    """Return the JSON Schema of one row."""
    conditions = [c for f in schema.fields for c in _conditions(f)]
    out: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.title[lang],
        "description": schema.description[lang],
        "type": "object",
        "properties": {f.name: _property(f, lang) for f in schema.fields},
        "required": list(schema.required),
    }
    return out | ({"allOf": conditions} if conditions else {})


def _property(field: Field, lang: Language) -> dict[str, Any]:
    out: dict[str, Any] = {"title": field.title or field.label(lang)}
    if field.description is not None:
        out["description"] = field.description
    if field.type != "any":
        out["type"] = [field.type, "null"] if field.nullable else field.type
    if field.codes:
        out["enum"] = [*field.codes, *([None] if field.nullable else [])]
    if "pattern" in field.constraints:
        # JSON Schema looks for a pattern anywhere, and Python's $ takes a line feed
        out["pattern"] = rf"^(?:{field.constraints['pattern']})(?![\s\S])"
    out |= {k: field.constraints[k] for k in ("minimum", "maximum") if k in field.constraints}
    if field.default is not None:
        out["default"] = field.default
    return out


def _conditions(field: Field) -> list[dict[str, Any]]:
    """Return what ties a cell to the others of its row."""
    out = []
    if field.missing_reason is not None:
        reason = field.missing_reason
        says_why = {"enum": [*MISSING_ONLY, *MISSING_OR_NOT]}
        out.append(
            {
                "if": {"properties": {field.name: {"type": "null"}}},
                "then": {"properties": {reason: says_why}, "required": [reason]},
                "else": {"properties": {reason: {"not": {"enum": list(MISSING_ONLY)}}}},
            }
        )
    if field.required_when:
        asked = {column: {"enum": list(v)} for column, v in field.required_when.items()}
        given = {field.name: {"not": {"type": "null"}}}
        out.append(
            {
                "if": {"properties": asked, "required": list(asked)},
                "then": {"properties": given, "required": [field.name]},
            }
        )
    return out


def described(schema: Schema, lang: Language) -> pd.DataFrame:
    """Return one row per column, as :meth:`gbi.schemas.Schema.describe` promises."""
    rows = [
        {
            "NAME": f.name,
            "LABEL": f.label(lang),
            "TYPE": f.type,
            "ROLE": f.role,
            "CODELIST": f.codelist,
            "REQUIRED": f.required,
            "DEFAULT": None if f.default is None else str(f.default),
        }
        for f in schema.fields
    ]
    columns = ("NAME", "LABEL", "TYPE", "ROLE", "CODELIST", "REQUIRED", "DEFAULT")
    text = {name: "str" for name in columns if name != "REQUIRED"}
    return pd.DataFrame(rows, columns=columns).astype(text)
