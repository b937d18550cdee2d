"""Datasets: a plain data frame, what it is, and the cell that every value came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.errors import GbiError
from gbi.findings import Cell, Finding
from gbi.provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ORIGIN_FILE, ORIGIN_SHEET, RAW = "_FILE", "_SHEET", "_RAW"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table read from files: frozen, traceable, with a plain frame inside.

    Attributes
    ----------
    frame
        The data: one row per observation, columns named by SDMX concepts (aggregates) or by their
        own lower-case variable names (microdata). A plain DataFrame with a RangeIndex.
    table
        The schema's name: ``budget``, ``performance``, …
    roles
        Microdata only: role → column (``weight``, ``strata``, ``psu``, ``sex``, …).
    findings
        What reading saw.
    provenance
        Sources and steps.
    totals
        Totals rows that the source prints, kept apart and never inside ``frame``; same columns.
    origins
        Aligned with ``frame``: ``_FILE``, ``_SHEET``, ``_RAW`` (the text that the cell shows) and,
        per column that has a cell of its own, its A1 address.
    """

    frame: pd.DataFrame
    table: str
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    findings: tuple[Finding, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    totals: Dataset | None = None
    origins: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        """Refuse origins that do not belong to the frame."""
        if self.origins is not None and len(self.origins) != len(self.frame):
            raise ValueError("origins and frame differ in length")

    @classmethod
    def of(cls, data: Dataset | pd.DataFrame, table: str) -> Dataset:
        """Return ``data`` as a Dataset; a plain frame's provenance is "in memory, unverified".

        Raises
        ------
        GbiError
            ``GBI-E030`` if a Dataset of another table is given, ``GBI-E031`` if it is neither.
        """
        if isinstance(data, Dataset):
            if data.table != table:
                raise GbiError("GBI-E030", expected=table, got=data.table)
            return data
        if isinstance(data, pd.DataFrame):
            frame = data.reset_index(drop=True)
            return cls(frame, table, provenance=Provenance.in_memory(frame))
        raise GbiError("GBI-E031", expected="Dataset, DataFrame", got=type(data).__name__)

    @classmethod
    def concat(cls, parts: Sequence[Dataset]) -> Dataset:
        """Join datasets of one table, rows in the order given; totals and findings too."""
        if len(parts) == 1:
            return parts[0]
        if len({p.table for p in parts}) != 1:
            raise GbiError(
                "GBI-E030", expected=parts[0].table, got=", ".join(sorted({p.table for p in parts}))
            )
        totals = [p.totals for p in parts if p.totals is not None]
        known = [p.origins for p in parts]
        origins = None
        if all(o is not None for o in known):
            origins = pd.concat([o for o in known if o is not None], ignore_index=True)
        return cls(
            pd.concat([p.frame for p in parts], ignore_index=True),
            parts[0].table,
            roles=parts[0].roles,
            findings=tuple(f for p in parts for f in p.findings),
            provenance=Provenance.merge(*(p.provenance for p in parts)),
            totals=cls.concat(totals) if totals else None,
            origins=origins,
        )

    def origin(self, row: int, column: str = "OBS_VALUE") -> Cell:
        """Return the cell that a value came from.

        Parameters
        ----------
        row
            Position of the row in ``frame``, from 0.
        column
            The column; one without a cell of its own answers with the row's value cell.

        Raises
        ------
        GbiError
            ``GBI-E032`` if the data came without a file.
        """
        if self.origins is None:
            raise GbiError("GBI-E032", where=self.table)
        origin = self.origins.iloc[row]
        a1 = origin.get(column)
        if a1 is None or pd.isna(a1) or a1 == "":
            a1 = origin.get("OBS_VALUE", "")
        return Cell(
            str(origin[ORIGIN_FILE]), str(origin[ORIGIN_SHEET]), "" if pd.isna(a1) else str(a1)
        )

    def raw(self, row: int) -> str | None:
        """Return the text that the value's cell shows, or None where it is not known."""
        if self.origins is None or RAW not in self.origins:
            return None
        text = self.origins[RAW].iloc[row]
        return None if pd.isna(text) else str(text)

    def select(self, mask: Any) -> Dataset:
        """Return the rows of a boolean mask with their origins; totals are dropped."""
        keep = pd.Series(mask).to_numpy(dtype=bool)
        return replace(
            self,
            frame=self.frame.loc[keep].reset_index(drop=True),
            origins=None if self.origins is None else self.origins.loc[keep].reset_index(drop=True),
            totals=None,
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def __repr__(self) -> str:
        return (
            f"<Dataset '{self.table}': {len(self.frame)} rows, {len(self.findings)} findings, "
            f"{self.provenance.fingerprint}>"
        )


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file of a submission and what became of it.

    ``status`` is ``read``, ``unknown`` (no profile knows it), ``ignored`` (a profile knows it as a
    companion, such as a README) or ``unreadable``.
    """

    name: str
    sha256: str
    size: int
    status: str
    profile: str | None = None
    table: str | None = None
    rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "status": self.status,
            "profile": self.profile,
            "table": self.table,
            "rows": self.rows,
        }


@dataclass(frozen=True, eq=False)
class Submission:
    """The files of one sender: datasets by table name.

    Attributes
    ----------
    datasets
        Table name → Dataset.
    files
        Every file of the folder, read or not.
    findings
        What was seen about files as a whole; findings about values are in the datasets.
    provenance
        Over all files that were read.
    root
        The folder.
    """

    datasets: Mapping[str, Dataset]
    files: tuple[SubmittedFile, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    root: Path

    def __getitem__(self, table: str) -> Dataset:
        """Return a dataset by its table's name."""
        try:
            return self.datasets[table]
        except KeyError:
            raise GbiError(
                "GBI-E033", expected=", ".join(self.datasets) or "–", got=table
            ) from None

    def __contains__(self, table: object) -> bool:
        """Say whether the submission has a table."""
        return table in self.datasets

    def __repr__(self) -> str:
        tables = ", ".join(f"{name} {len(d)}" for name, d in self.datasets.items())
        return f"<Submission {len(self.files)} files: {tables}; {self.provenance.fingerprint}>"
