"""Write a dataset out again, whole or not at all, so that gbi reads it back without a profile."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.ingest.grid import Opened
from gbi.ingest.profile import Profile
from gbi.ingest.publication import (
    LABELS_SHEET,
    PROVENANCE_SHEET,
    STRUCTURE,
    TOTALS_SHEET,
    Release,
    arrow_table,
    csv_text,
    to_csv,
    to_parquet,
    to_sdmx_csv,
    to_workbook,
    unguarded,
)
from gbi.language import LANGUAGES, resolve_language
from gbi.schemas import schema, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gbi.language import Language
    from gbi.schemas import Schema

IfExists = Literal["fail", "replace"]
_FORMS: dict[str, Callable[[Release, Path, Language], None]] = {
    ".sdmx.csv": to_sdmx_csv,
    ".csv": to_csv,
    ".parquet": to_parquet,
    ".xlsx": to_workbook,
}
_DESCRIPTOR, _DATA, _TOTALS = "datapackage.json", "data", "totals"
_PACKAGE = {_DESCRIPTOR, *(f"{n}.{s}" for n in (_DATA, _TOTALS) for s in ("csv", "parquet"))}
_DATABASES = ("duckdb", "sqlite", "postgresql")
_DESTINATIONS = (*_FORMS, "…/", _DESCRIPTOR, *(f"{d}://…#table" for d in _DATABASES))


def write(
    dataset: Dataset,
    path: str | Path,
    *,
    lang: str = "fr",
    if_exists: IfExists = "fail",
    licence: str | None = None,
) -> Path | str:
    """Write a dataset to a file, a folder or a database.

    Parameters
    ----------
    dataset
        What :func:`gbi.read` gives, or any Dataset.
    path
        ``.xlsx``, ``.csv``, ``.sdmx.csv`` or ``.parquet``; a folder (ending in ``/``) or its
        ``datapackage.json`` for a Data Package; ``duckdb:///file#table``, ``sqlite:///file#table``
        or ``postgresql://…#table``.
    lang
        The language of labels.
    if_exists
        ``fail`` or ``replace``.
    licence
        Of a Data Package: a name (``ODbL-1.0``) or an address; by default none is stated.

    Returns
    -------
    Path or str
        What was written; of a database its address without the password.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E031`` (not a Dataset), ``GBI-E052`` (a value that this form can't
        hold), ``GBI-E060`` (no such folder), ``GBI-E069`` (an extra is missing), ``GBI-E071``,
        ``GBI-E087`` (it is there already), ``GBI-E088`` (it can't be written) and ``GBI-E089``
        (no such form). Nothing is left behind, and what was there before stays.

    Notes
    -----
    All columns of the table are written, also empty ones. In a text file a text that a program
    could take for a formula stands behind an apostrophe, as does an empty text: an empty field is
    a missing value. Totals that the source prints go into workbooks and packages, not into files
    of one table; the cells that values came from go nowhere, since the new file has its own.
    """
    if not isinstance(dataset, Dataset):
        raise GbiError("GBI-E031", expected="Dataset", got=type(dataset).__name__)
    if if_exists not in ("fail", "replace"):
        raise GbiError("GBI-E071", where="if_exists", expected="fail, replace", got=str(if_exists))
    language, release, text = resolve_language(lang), Release.of(dataset), os.fspath(path)
    over = if_exists == "replace"
    try:
        if "://" in text:
            return _database(release, text, over)
        target, named = Path(text), text.lower().endswith
        form = next((f for suffix, f in _FORMS.items() if named(suffix)), None)
        if form is not None:
            return _file(target, over, lambda place: form(release, place, language))
        if target.name == _DESCRIPTOR:
            target = target.parent
        elif not (named(("/", os.sep)) or target.is_dir()):
            known = ", ".join(_DESTINATIONS)
            raise GbiError("GBI-E089", where=text, expected=known, got=target.suffix or target.name)
        _folder(target, over, lambda place: _package(release, place, language, licence))
        return target / _DESCRIPTOR
    except UnicodeEncodeError as error:  # half a character, which no encoding has
        got = repr(error.object[error.start : error.end])
        raise GbiError("GBI-E052", where=dataset.table, expected="Unicode", got=got) from None
    except OSError as error:
        raise GbiError("GBI-E088", where=text, got=error.strerror or type(error).__name__) from None


def _file(target: Path, over: bool, make: Callable[[Path], None]) -> Path:
    if target.is_dir() or (target.exists() and not over):
        raise GbiError("GBI-E087", where=str(target))
    with _beside(target) as place:
        make(place)
        place.replace(target)
    return target


def _folder(target: Path, over: bool, make: Callable[[Path], None]) -> None:
    """Write a folder beside its place, then swap; only an older package is ever replaced."""
    there = {p.name for p in target.iterdir()} if target.is_dir() else set()
    own = _DESCRIPTOR in there and there <= _PACKAGE
    if (target.exists() and not target.is_dir()) or (there and not (over and own)):
        raise GbiError("GBI-E087", where=str(target))
    with _beside(target) as place, _beside(target) as old:
        place.mkdir()
        make(place)
        if target.exists():
            target.replace(old)
        try:
            place.replace(target)
        except OSError:
            if old.exists():
                old.replace(target)
            raise


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a free name in the same folder; what still bears it at the end is removed."""
    if not target.parent.is_dir():
        raise GbiError("GBI-E060", where=str(target.parent))
    place = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield place
    finally:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)


# --- data package ---


def _package(release: Release, folder: Path, lang: Language, licence: str | None) -> None:
    """Write a Data Package 2.0 into a folder: each table as text and as Parquet, described."""
    resources = [*_resources(release, _DATA, folder, lang)]
    if release.totals is not None:
        resources += _resources(release.totals, _TOTALS, folder, lang)
    about = release.metadata
    descriptor = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": release.data.table,
        "title": release.schema.title[lang],
        "description": release.schema.description[lang],
        "version": release.schema.version,
        "sources": [{"title": s.name} for s in release.data.provenance.sources],
        "resources": resources,
        "gbi": about,
    }
    if not descriptor["sources"]:
        del descriptor["sources"]
    if licence is not None:
        descriptor["licenses"] = [{"path" if "://" in licence else "name": licence}]
    text = json.dumps(descriptor, ensure_ascii=False, indent=1) + "\n"
    (folder / _DESCRIPTOR).write_text(text, encoding="utf-8", newline="\n")


def _resources(release: Release, name: str, folder: Path, lang: Language) -> list[dict[str, Any]]:
    text, columns = folder / f"{name}.csv", folder / f"{name}.parquet"
    text.write_text(csv_text(release, exchange=True), encoding="utf-8", newline="")
    to_parquet(release, columns, lang)
    described = _described(release, lang)
    table = release.data.table
    called = table if name == _DATA else f"{table}-{name}"
    base = {"name": called, "type": "table", "path": text.name, "format": "csv",
            "mediatype": "text/csv", "encoding": "utf-8"}  # fmt: skip
    dialect = {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "header": True}
    marked = {"gbi": {"text_mark": "'"}}  # in front of texts that a spreadsheet would compute
    twin = {"name": f"{called}-parquet", "path": columns.name, "format": "parquet",
            "mediatype": "application/vnd.apache.parquet"}  # fmt: skip
    return [
        base | _fixed(text) | {"dialect": dialect, "schema": described} | marked,
        twin | _fixed(columns) | {"schema": described},
    ]


def _fixed(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}


def _described(release: Release, lang: Language) -> dict[str, Any]:
    """Return the Table Schema of the columns that are there; other tables are not."""
    out = release.schema.to_table_schema(lang)
    known = {f["name"]: f for f in out["fields"]}
    kinds = release.kinds.items()
    out["fields"] = [known.get(name, {"name": name, "type": kind}) for name, kind in kinds]
    out.pop("foreignKeys", None)
    return out


# --- database ---


def _database(release: Release, text: str, over: bool) -> str:
    """Write a table of a database in one transaction; returns the address without credentials."""
    address, _, name = text.rpartition("#") if "#" in text else (text, "", "")
    scheme, _, rest = address.partition("://")
    table = name or release.data.table
    kind = scheme.partition("+")[0].lower()
    if kind not in _DATABASES or (kind != "postgresql" and not rest.strip("/")):
        raise GbiError("GBI-E089", expected=", ".join(_DESTINATIONS), got=scheme[:20])
    if kind == "postgresql":
        host = rest.partition("?")[0].rpartition("@")[2]
        shown = f"{kind}://{host}#{table}"
        _into_server(release, address, shown, table, over)
        return shown
    path = Path(rest.removeprefix("/"))
    if not path.parent.is_dir():
        raise GbiError("GBI-E060", where=str(path.parent))
    shown, created = f"{kind}:///{path.as_posix()}#{table}", not path.exists()
    try:
        if kind == "duckdb":
            _into_duckdb(release, path, shown, table, over)
        else:
            _into_server(release, path, shown, table, over)
    except BaseException:
        for left in (path, path.with_name(f"{path.name}.wal")) if created else ():
            left.unlink(missing_ok=True)
        raise
    return shown


def _into_duckdb(release: Release, path: Path, shown: str, table: str, over: bool) -> None:
    import duckdb

    name = '"' + table.replace('"', '""') + '"'
    kind = "CREATE OR REPLACE TABLE" if over else "CREATE TABLE"
    try:
        with duckdb.connect(path) as connection:
            connection.register("gbi_release", arrow_table(release))
            connection.execute(f"{kind} {name} AS SELECT * FROM gbi_release")
    except duckdb.Error as error:
        if not over and isinstance(error, duckdb.CatalogException):
            raise GbiError("GBI-E087", where=shown) from None
        raise GbiError("GBI-E088", where=shown, got=type(error).__name__) from None


def _into_server(release: Release, address: str | Path, shown: str, table: str, over: bool) -> None:
    try:
        import sqlalchemy as sa
    except ModuleNotFoundError as error:
        raise GbiError("GBI-E069", where=shown, expected="gbi[sql]", got=error.name,
                       extra="gbi[sql]") from None  # fmt: skip
    types = {
        "string": sa.Text, "number": sa.Double, "integer": sa.BigInteger,
        "boolean": sa.Boolean, "date": sa.Date, "datetime": sa.DateTime,
    }  # fmt: skip
    columns = [sa.Column(sa.quoted_name(c, True), types[k]()) for c, k in release.kinds.items()]
    new = sa.Table(sa.quoted_name(table, True), sa.MetaData(), *columns)
    names = list(release.kinds)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*release.columns, strict=True)]
    try:
        if isinstance(address, str):
            url = sa.make_url(address).set(drivername="postgresql+psycopg")
        else:
            url = sa.URL.create("sqlite", database=str(address))
        with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
            if not isinstance(address, str):
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # else it commits each CREATE, DROP
            if sa.inspect(connection).has_table(table):
                if not over:
                    raise GbiError("GBI-E087", where=shown)
                new.drop(connection)
            new.create(connection)
            if rows:
                connection.execute(new.insert(), rows)
    except (sa.exc.SQLAlchemyError, ValueError) as error:
        # the type alone: a database's own words may quote a value or the password
        got = type(getattr(error, "orig", None) or error).__name__
        raise GbiError("GBI-E088", where=shown, got=got) from None


# --- read back ---


def own_table(opened: Opened) -> str | None:
    """Return the table of a file that names its columns as the table does; None if it is not one.

    The first row of a grid holds the columns of exactly one table: all of them (the table that
    leaves fewest other names), or else only such, with every column that a key can't lack.
    """
    for grid in opened.grids:
        names = [str(v) for v in grid.rows[0]] if grid.rows else []
        if len(set(names)) == len(names) and (table := _table_of(set(names))) is not None:
            return table
    return None


def _table_of(names: set[str]) -> str | None:
    schemas = [s for t in tables() if (s := schema(t)).kind != "microdata"]
    whole = sorted(
        (len(names - set(s.columns)), s.name) for s in schemas if names >= set(s.columns)
    )
    if whole:
        return None if whole[1:] and whole[0][0] == whole[1][0] else whole[0][1]
    partly = [s.name for s in schemas if _needed(s) <= names <= {*s.columns, *STRUCTURE}]
    return partly[0] if len(partly) == 1 else None


def _needed(table: Schema) -> set[str]:
    return {f.name for f in table.fields
            if f.name in table.key and f.required and f.default is None}  # fmt: skip


def own_profile(table: str, shape: Literal["workbook", "table"] = "table") -> Profile:
    """Return the profile of a file that names its columns as the table does."""
    known = schema(table)
    labelled = {c.removesuffix("_LABEL") for c in known.columns if c.endswith("_LABEL")}
    columns: list[dict[str, Any]] = []
    maps: dict[str, dict[str, Any]] = {}
    for field in known.fields:
        entry: dict[str, Any] = {"header": field.name, "column": field.name}
        if field.name in labelled or (field.codelist and field.type != "string"):
            entry["as"] = "text"  # its label has a column of its own, or its codes are numbers
        if field.name not in _needed(known):
            entry["optional"] = True
        if field.name == "UNIT_MEASURE":  # codes, not the units that people write
            maps[field.name] = {str(code): code for code in field.codes}
        elif field.name in known.key and field.nullable and not field.codelist:
            maps[field.name] = {"_T": None}  # as SDMX-CSV has it
        columns.append(entry)
    if shape == "table":
        columns += [{"header": name, "optional": True} for name in STRUCTURE]
    sheet: dict[str, Any] = {"columns": columns}
    if shape == "workbook":
        sheet |= {"name": re.escape(table), "called": table}
    document: dict[str, Any] = {
        "name": f"gbi-{table}",
        "version": known.version,
        "labels": {lang: known.title[lang] for lang in LANGUAGES},
        "format": shape,
        "table": table,
        "numbers": {"decimal": "."},
        "decimals": "printed",
        "missing": {"NaN": "O"},  # as SDMX-CSV has it; an empty value needs a status of its own
        **({"maps": maps} if maps else {}),
        "ignore_sheets": [
            LABELS_SHEET,
            TOTALS_SHEET,
            PROVENANCE_SHEET,
            f"{table}-parquet",
            f"{table}-totals",
            f"{table}-totals-parquet",  # of a Data Package
        ],
        "sheets": [sheet],
    }
    return Profile(document["name"], document)


def restored(opened: Opened, form: str) -> Opened:
    """Return a file that :func:`write` wrote without the marks in front of its texts.

    Parameters
    ----------
    opened
        The file.
    form
        Its format's name: ``csv``, ``datapackage`` or ``xlsx``; other formats have no marks.
    """
    if form not in ("csv", "xlsx", "datapackage"):
        return opened

    def plain(value: Any) -> Any:
        marked = isinstance(value, str) and (form != "xlsx" or not value.strip("'"))
        return unguarded(value) if marked else value

    grids = [replace(g, rows=[[plain(v) for v in row] for row in g.rows]) for g in opened.grids]
    return replace(opened, grids=grids)
