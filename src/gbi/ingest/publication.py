"""The forms of file in which a dataset leaves: delimited text, SDMX-CSV, Parquet, a workbook."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.errors import GbiError
from gbi.ingest.template.cells import without_clock
from gbi.provenance import canonical_json, gbi_version
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gbi.dataset import Dataset
    from gbi.language import Language
    from gbi.schemas import Field, Schema

# Kind of a column → what a type that pandas infers means; anything else can't be written.
_INFERRED = {
    "string": "string", "empty": "string", "boolean": "boolean", "integer": "integer",
    "floating": "number", "mixed-integer-float": "number", "date": "date",
    "datetime": "datetime", "datetime64": "datetime",
}  # fmt: skip
# What a program that opens a text file may take for a formula, its full-width twins too.
_STARTS = frozenset("=+-@'＝＋－＠")
# What OOXML writes as _xHHHH_ (ST_Xstring): control characters, CR (XML makes it LF), and a text
# that looks like such an escape.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
_NO_CHARACTERS = re.compile("[\ufffe\uffff]")  # escaped too they are not read by all
_LONGEST_TEXT = 32_767  # characters that a cell of a workbook can hold
_PART = 30_000
_MOST_ROWS = 1_048_576
_EXACT = 10**15  # a spreadsheet shows 15 digits: longer whole numbers are stored as text
STRUCTURE = ("STRUCTURE", "STRUCTURE_ID", "ACTION")
LABELS_SHEET, TOTALS_SHEET, PROVENANCE_SHEET = "labels", "totals", "provenance"


@dataclass(frozen=True, eq=False)
class Release:
    """A dataset made ready to be written: all columns of its table, each of one known kind."""

    data: Dataset
    schema: Schema
    frame: pd.DataFrame

    @classmethod
    def of(cls, data: Dataset) -> Release:
        """Return the dataset in its table's order and types.

        Columns of the table that the frame lacks are added empty (or with their default): the
        header alone then says which table it is. Microdata keep their own columns.

        Raises
        ------
        GbiError
            ``GBI-E050`` (no such table), ``GBI-E052``, ``GBI-E053``.
        """
        table, given = schema(data.table), data.frame
        if given.columns.astype(str).has_duplicates:
            raise GbiError("GBI-E053", where=data.table)
        coded = [c for c in given.columns if isinstance(given[c].dtype, pd.CategoricalDtype)]
        given = given.astype(dict.fromkeys(coded, object))
        if table.kind == "microdata":
            table = table.bind(data.roles)
            return cls(data, table, table.conform(given)[list(given.columns)])
        absent = [f.name for f in table.fields if f.name not in given and f.default is None]
        blank = pd.DataFrame(None, index=given.index, columns=absent, dtype=object)
        return cls(data, table, table.conform(pd.concat([given, blank], axis=1)))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Column → ``string number integer boolean date datetime``."""
        typed = {f.name: f.type for f in self.schema.fields if f.type != "any"}
        return {str(c): typed.get(c) or self._kind(c) for c in self.frame.columns}

    def _kind(self, column: Any) -> str:
        values = self.frame[column].astype(object).dropna()
        found = pd.api.types.infer_dtype(values, skipna=True)
        kind = _INFERRED.get(found)
        if kind == "integer" and not all(-(2**63) <= v < 2**63 for v in values):
            kind, found = None, "> 64 bit"
        if kind == "datetime" and any(v.tzinfo is not None for v in values):
            kind, found = None, "time zone"
        if kind is None:
            known = ", ".join(dict.fromkeys(_INFERRED.values()))
            raise GbiError("GBI-E052", where=f"{self.data.table}, {column}", expected=known,
                           got=found)  # fmt: skip
        return kind

    @cached_property
    def columns(self) -> list[list[Any]]:
        """The values of each column as plain Python values; missing is None."""
        plain: dict[str, Any] = {"string": str, "number": float, "integer": int, "boolean": bool}
        out = []
        for (_, values), kind in zip(self.frame.items(), self.kinds.values(), strict=True):
            make = plain.get(kind, lambda v: v)
            cells = zip(values.astype(object), values.isna(), strict=True)
            out.append([None if gone else make(v) for v, gone in cells])
        return out

    @property
    def fields(self) -> list[Field | None]:
        """Per column its field; None for a column that the table doesn't know."""
        known = {f.name: f for f in self.schema.fields}
        return [known.get(name) for name in self.kinds]

    @property
    def metadata(self) -> dict[str, Any]:
        """What a file says of itself: table, version of the schema, fingerprint and sources."""
        return {
            "table": self.data.table,
            "version": self.schema.version,
            "fingerprint": self.data.provenance.fingerprint,
            "gbi": gbi_version(),
            "roles": dict(self.data.roles),
            "provenance": self.data.provenance.to_dict(),
        }

    @property
    def totals(self) -> Release | None:
        """The totals that the source prints."""
        printed = self.data.totals
        return Release.of(printed) if printed is not None and len(printed) else None

    def refused(self, column: int, row: int, expected: str, got: str) -> GbiError:
        """Return the error for a value that a form can't hold; its row counts from 0."""
        where = f"{self.data.table}, {list(self.kinds)[column]} [{row}]"
        return GbiError("GBI-E052", where=where, expected=expected, got=got)


# --- delimited text ---


def guarded(text: str) -> str:
    """Return a text that no program takes for a formula: in doubt behind an apostrophe.

    An empty text gets one too, since an empty cell is a missing one; :func:`unguarded` undoes
    both.
    """
    return f"'{text}" if not text or text[0].isspace() or text[0] in _STARTS else text


def unguarded(text: str) -> str:
    """Return the text that :func:`guarded` was given."""
    return text.removeprefix("'")


def csv_text(release: Release, *, exchange: bool = False) -> str:
    """Return RFC 4180 text: numbers with a point and all their digits, missing as nothing.

    Parameters
    ----------
    release
        What to write.
    exchange
        For machines: a text that the schema knows (a code, or one of its pattern) stays as it
        is, so that the file is valid for others.
    """
    written = [
        [_written(release, c, r, v, field if exchange else None) for r, v in enumerate(values)]
        for c, (values, field) in enumerate(zip(release.columns, release.fields, strict=True))
    ]
    return _delimited([guarded(name) for name in release.kinds], zip(*written, strict=True))


def sdmx_csv_text(release: Release) -> str:
    """Return SDMX-CSV 2.0: one structure, the action I (information).

    A dimension without a code is the whole of the level above: ``_T``. No number is ``NaN``.

    Raises
    ------
    GbiError
        ``GBI-E089`` if the table is not one of observations.
    """
    table = release.schema
    if table.kind != "aggregate":
        raise GbiError("GBI-E089", where=table.name, expected=".xlsx, .csv, .parquet",
                       got=".sdmx.csv")  # fmt: skip
    roles = {"dimension": 0, "key-label": 0, "measure": 1}
    order = sorted(
        range(len(release.fields)),
        key=lambda c: 3 if (f := release.fields[c]) is None else roles.get(f.role, 2),
    )
    names, written = list(release.kinds), []
    for c in order:
        field = release.fields[c]
        whole = field is not None and field.name in table.key
        blank = "_T" if whole else "NaN" if names[c] == "OBS_VALUE" else ""
        written.append([
            blank if v is None else _written(release, c, r, v, field)
            for r, v in enumerate(release.columns[c])
        ])  # fmt: skip
    structure = ("datastructure", f"GBI:DSD_{table.name.upper()}({table.version})", "I")
    rows = ((*structure, *row) for row in zip(*written, strict=True))
    return _delimited([*STRUCTURE, *(guarded(names[c]) for c in order)], rows)


def _written(release: Release, column: int, row: int, value: Any, known: Field | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        if "\x00" in value:
            raise release.refused(column, row, ".parquet", "U+0000")
        return value if known is not None and _says(known, value) else guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return np.format_float_positional(value, unique=True, trim="-").replace("inf", "INF")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _says(field: Field, text: str) -> bool:
    """Say whether the schema knows a text: a code, or what follows the field's pattern."""
    pattern = field.constraints.get("pattern")
    return text in field.codes or (pattern is not None and bool(re.fullmatch(pattern, text)))


def _delimited(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


# --- files ---


def to_csv(release: Release, path: Path, lang: Language) -> None:
    """Write a text file; its byte-order mark makes Excel show Arabic and accents."""
    path.write_text(csv_text(release), encoding="utf-8-sig", newline="")


def to_sdmx_csv(release: Release, path: Path, lang: Language) -> None:
    """Write an SDMX-CSV file."""
    path.write_text(sdmx_csv_text(release), encoding="utf-8", newline="")


def to_parquet(release: Release, path: Path, lang: Language) -> None:
    """Write a Parquet file with the schema's types; its metadata say under ``gbi`` what it is."""
    import pyarrow.parquet as pq

    pq.write_table(arrow_table(release), path)


def arrow_table(release: Release) -> Any:
    """Return the rows as an Arrow table."""
    import pyarrow as pa

    types = {
        "string": pa.string(), "number": pa.float64(), "integer": pa.int64(),
        "boolean": pa.bool_(), "date": pa.date32(), "datetime": pa.timestamp("us"),
    }  # fmt: skip
    wanted = pa.schema([(name, types[kind]) for name, kind in release.kinds.items()])
    frame = release.frame.set_axis(list(release.kinds), axis=1)
    table = pa.Table.from_pandas(frame, schema=wanted, preserve_index=False)
    about = canonical_json(release.metadata).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"gbi": about})


def to_workbook(release: Release, path: Path, lang: Language) -> None:
    """Write a workbook: the data, the totals if there are any, the columns' labels, provenance.

    Raises
    ------
    GbiError
        ``GBI-E052`` for what a workbook can't hold: more rows than a sheet has, a text of more
        than 32,767 characters, an infinite number.
    """
    from openpyxl import Workbook

    # A sheet that is begun has to be ended: what no cell can hold is met before.
    _refuse_unholdable(release.data.table, release)
    if release.totals is not None:
        _refuse_unholdable(TOTALS_SHEET, release.totals)
    book = Workbook(write_only=True)
    book.properties.creator = "gbi"
    _data_sheet(book, release.data.table, release)
    if release.totals is not None:
        _data_sheet(book, TOTALS_SHEET, release.totals)
    labels = release.schema.describe(lang)
    sheet = book.create_sheet(LABELS_SHEET)
    sheet.sheet_view.rightToLeft = lang == "ar"
    _header(sheet, list(labels.columns), [18, 40, 10, 12, 22, 10, 10])
    for row in labels.astype(object).where(labels.notna(), None).itertuples(index=False):
        sheet.append([_cell(sheet, v) for v in row])
    sheet = book.create_sheet(PROVENANCE_SHEET)
    for said in _provenance_rows(release):
        sheet.append([_cell(sheet, v) for v in said])
    buffer = BytesIO()
    book.save(buffer)
    path.write_bytes(without_clock(buffer.getvalue()))


def _refuse_unholdable(name: str, release: Release) -> None:
    if len(release.frame) >= _MOST_ROWS:
        raise GbiError("GBI-E052", where=name, expected=f"< {_MOST_ROWS} rows: .parquet, .csv",
                       got=str(len(release.frame)))  # fmt: skip
    for r, row in enumerate(zip(*release.columns, strict=True)):
        for c, value in enumerate(row):
            if (fault := _unholdable(value)) is not None:
                raise release.refused(c, r, *fault)


def _data_sheet(book: Any, name: str, release: Release) -> None:
    sheet = book.create_sheet(name)
    _header(sheet, list(release.kinds), [max(10, len(n) + 2) for n in release.kinds])
    for row in zip(*release.columns, strict=True):
        sheet.append([_cell(sheet, value) for value in row])


def _unholdable(value: Any) -> tuple[str, str] | None:
    """Return what a cell would need and what it was given, if it can't hold a value."""
    if isinstance(value, float) and np.isinf(value):
        return ".parquet, .csv", str(value)
    if not isinstance(value, str):
        return None
    if found := _NO_CHARACTERS.search(value):
        return ".parquet, .csv", f"U+{ord(found[0]):04X}"
    length = len(_escaped(value))
    return (f"≤ {_LONGEST_TEXT}: .parquet, .csv", str(length)) if length > _LONGEST_TEXT else None


def _header(sheet: Any, names: Sequence[str], widths: Sequence[int]) -> None:
    """Write the first row; in a write-only workbook widths and panes come before any row."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    cells = [_cell(sheet, name) for name in names]
    for cell in cells:
        cell.font = Font(bold=True)
    sheet.append(cells)


def _cell(sheet: Any, value: Any) -> Any:
    """Return a cell; a text is never a formula, and a number keeps all its digits.

    openpyxl writes 16 digits of a number where 17 may be needed, so numbers are handed over as
    they are to be written. An empty text, which a cell can't hold, is an apostrophe.
    """
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        value = str(value)
    if isinstance(value, str):
        stored = f"'{value}" if not value.strip("'") else value
        cell = WriteOnlyCell(sheet, value=_escaped(stored))
        cell.data_type = "s"
        cell.quotePrefix = guarded(stored) != stored
        return cell
    if isinstance(value, int | float) and not isinstance(value, bool):
        cell = WriteOnlyCell(sheet, value=repr(value))
        cell.data_type = "n"
        return cell
    return WriteOnlyCell(sheet, value=value)


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda m: f"_x{ord(m[0]):04X}_", text)


def _provenance_rows(release: Release) -> Iterable[Sequence[Any]]:
    about, provenance = release.metadata, release.data.provenance
    yield from ((key, about[key]) for key in ("table", "version", "fingerprint", "gbi"))
    yield ("ruleset", provenance.ruleset)
    for source in provenance.sources:
        yield ("source", source.name, source.sha256, source.size, source.verified)
    for step in provenance.steps:
        said = step.parameters  # over as many cells as it takes: openpyxl cuts what is too long
        parts = [said[i : i + _PART] for i in range(0, len(said), _PART)]
        yield ("step", step.function, *parts)
