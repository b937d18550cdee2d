"""Table schemas: one YAML file a table, from which everything else is made."""

from gbi.schemas.definition import Field, Schema
from gbi.schemas.reading import schema, tables

__all__ = ["Field", "Schema", "schema", "tables"]
