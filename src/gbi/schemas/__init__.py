"""Table schemas: one YAML file a table, from which everything else is made."""

from gbi.schemas.reading import schema, tables
from gbi.schemas.structure import Field, Schema

__all__ = ["Field", "Schema", "schema", "tables"]
