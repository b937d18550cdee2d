"""Data made ready for rules: tables, what reading could not understand, what is withheld."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, Dataset, Submission
from gbi.errors import GbiError
from gbi.findings import WITHHELD, Cell, Finding
from gbi.provenance import Provenance
from gbi.schemas import schema
from gbi.validation.context import Context, remembering
from gbi.validation.tracing import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import date

    from numpy.typing import NDArray

    from gbi.dataset import SubmittedFile
    from gbi.schemas import Schema

Data = Dataset | Submission | Mapping[str, "pd.DataFrame | Dataset | Path"]
_UNREAD_FAMILIES = "TC"  # a cell that holds no number, or no known code
_NUMBERS = ("number", "integer")


@dataclass(frozen=True, eq=False)
class Source:
    """What is to be validated: tables, files, and what reading saw.

    Attributes
    ----------
    datasets
        The tables in memory.
    registers
        Parquet files that are looked at in record batches, by the name of their table.
    files, findings, provenance
        The submission's files; what reading saw; where the data come from.
    was_read
        Whether they come from files.
    """

    datasets: Mapping[str, Dataset]
    files: tuple[SubmittedFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    was_read: bool = True
    registers: Mapping[str, Path] = field(default_factory=dict)


def source_of(data: Data) -> Source:
    """Return what is to be validated, whatever its form.

    Raises
    ------
    GbiError
        ``GBI-E031`` if it has none of the forms.
    """
    if isinstance(data, Submission):
        seen = [*data.findings, *(f for d in data.datasets.values() for f in d.findings)]
        unique = tuple({id(f): f for f in seen}.values())
        return Source(dict(data.datasets), data.files, unique, data.provenance)
    if isinstance(data, Dataset):
        return Source({data.table: data}, (), data.findings, data.provenance)
    if isinstance(data, Mapping):
        registers = {name: table for name, table in data.items() if isinstance(table, Path)}
        tables = {
            name: Dataset.of(table, name)
            for name, table in data.items()
            if not isinstance(table, Path)
        }
        seen = [f for d in tables.values() for f in d.findings]
        origins = [
            *(d.provenance for d in tables.values()),
            *(Provenance.of_file(path) for path in registers.values()),
        ]
        read = any(d.origins is not None for d in tables.values())
        return Source(tables, (), tuple(seen), Provenance.merge(*origins), read, registers)
    raise GbiError(
        "GBI-E031",
        expected="Dataset, Submission, {table: DataFrame | Dataset | Path}",
        got=type(data).__name__,
    )


@dataclass(frozen=True, eq=False)
class Prepared:
    """The tables of one validation, as rules see them.

    Attributes
    ----------
    tables, contexts
        By table name: where its rows are, and what operators get.
    previous
        Last year's tables.
    """

    tables: Mapping[str, Table]
    contexts: Mapping[str, Context]
    previous: Mapping[str, pd.DataFrame]

    def remembering(self) -> AbstractContextManager[None]:
        """Keep what rules derive from the tables as long as the block lasts."""
        return remembering([*self._frames(), *self.previous.values()])

    def _frames(self) -> Iterator[pd.DataFrame]:
        for context in self.contexts.values():
            yield context.frame
            if context.totals is not None:
                yield context.totals


def prepare(
    datasets: Mapping[str, Dataset],
    previous: Mapping[str, pd.DataFrame],
    day: date,
) -> Prepared:
    """Return the tables as rules see them.

    Parameters
    ----------
    datasets, previous
        This year's data and last year's tables.
    day
        The day of the validation.
    """
    tables: dict[str, Table] = {}
    contexts: dict[str, Context] = {}
    seen = {name: _view(data) for name, data in datasets.items()}
    withheld = _Withheld(datasets)
    for name, data in datasets.items():
        known = schema(name)
        frame, mistyped = seen[name]
        key = tuple(c for c in known.key if c in frame.columns)
        tables[name] = Table(data, frame, key, partial(withheld.signs, name))
        contexts[name] = Context(
            table=name,
            frame=frame,
            key=key,
            required=_required(known, frame),
            totals=None if data.totals is None else data.totals.frame,
            unread=_unread(data),
            others={other: view for other, (view, _) in seen.items()},
            previous=previous,
            as_of=day,
            mistyped=mistyped,
        )
    return Prepared(tables, contexts, previous)


class _Withheld:
    """What is published in the place of figures: of small counts of persons, and of microdata.

    Which cells give small ones away is worked out over all tables, once somebody asks.
    """

    def __init__(self, datasets: Mapping[str, Dataset]) -> None:
        self._datasets = datasets

    @cached_property
    def _hidden(self) -> dict[str, NDArray[np.object_]]:
        from gbi.validation.disclosure import withheld  # it brings a solver, seldom needed

        return withheld(self._datasets)

    def signs(self, name: str) -> NDArray[np.object_]:
        """Return the sign of every row of a table; empty where the figures may be shown."""
        if schema(name).kind == "microdata":
            sign = np.array(WITHHELD, dtype=object)
            return np.broadcast_to(sign, len(self._datasets[name]))
        return self._hidden[name]


def _view(data: Dataset) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """Return the frame under the schema's names, and the columns whose type is another one.

    A survey's variables stand under their roles too. A column that holds something else than its
    type is left out: each of its values would break every rule that needs it.
    """
    known = schema(data.table)
    frame = data.frame
    roles = {role: column for role, column in data.roles.items() if role != column}
    if roles:
        frame = frame.assign(**{role: frame[c] for role, c in roles.items() if c in frame.columns})
    mistyped = {
        f.name: (f.type, str(frame[f.name].dtype))
        for f in known.fields
        if f.name in frame.columns and not _is_of(frame[f.name], f.type)
    }
    return (frame.drop(columns=list(mistyped)) if mistyped else frame), mistyped


def _is_of(column: pd.Series[Any], kind: str) -> bool:
    """Say whether a column can hold nothing but values of its type."""
    if not len(column) or column.isna().all():
        return True
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if kind in _NUMBERS:
        return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    if kind == "string":
        if pd.api.types.is_object_dtype(dtype):
            return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
        return pd.api.types.is_string_dtype(dtype)
    return True


def _required(known: Schema, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what a row must fill, or say why not; an absent column stands for its default."""
    return tuple(
        f.name
        for f in known.fields
        if (f.required and (f.default is None or f.name in frame.columns)) or f.missing_reason
    )


def _unread(data: Dataset) -> dict[str, NDArray[np.bool_]]:
    """Return, per column, the rows whose own cell reading could not understand."""
    if data.origins is None:
        return {}
    bad = {c for f in data.findings if f.code[4] in _UNREAD_FAMILIES for c in f.cells[:1]}
    if not bad:
        return {}
    origins = data.origins
    addresses = {cell.a1 for cell in bad}
    out: dict[str, NDArray[np.bool_]] = {}
    for column in (c for c in origins.columns if not str(c).startswith("_")):
        rows = np.flatnonzero(origins[column].isin(addresses).to_numpy(dtype=bool))
        places = origins.iloc[rows][[ORIGIN_FILE, ORIGIN_SHEET, column]].astype(str)
        hit = [
            r for r, place in zip(rows, places.itertuples(index=False), strict=True)
            if Cell(*place) in bad
        ]  # fmt: skip
        if hit:
            out[str(column)] = np.isin(np.arange(len(data)), hit)
    return out
