"""Read a Data Package: the tables that a ``datapackage.json`` describes, each as a sheet.

Frictionless Data Packages (versions 1 and 2) and Fiscal Data Packages; only files of the package's
own folder are read, and what the descriptor says of them is checked.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.formats import FORMATS, format_of
from gbi.ingest.grid import Grid, Opened, as_text
from gbi.ingest.safety import LIMITS
from gbi.provenance import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.ingest.safety import Limits

DESCRIPTOR = "datapackage.json"
_DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
# What a dialect may say without a change to how a file is read.
_USUAL: dict[str, tuple[Any, ...]] = {
    "quoteChar": ('"',), "doubleQuote": (True,), "skipInitialSpace": (False,),
    "lineTerminator": ("\n", "\r\n", "\r"), "escapeChar": (None,), "commentChar": (None, ""),
    "headerRows": ([1],), "commentRows": ([],), "nullSequence": (None, ""),
}  # fmt: skip
_ANY = ("delimiter", "header", "sheet", "sheetName", "sheetNumber", "caseSensitiveHeader",
        "csvddfVersion", "$schema", "type", "headerJoin", "name", "title")  # fmt: skip


def open_datapackage(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read every table of a package.

    Parameters
    ----------
    path
        The descriptor, ``datapackage.json``; its folder is the package.
    name
        Its name inside its submission.
    limits
        What each file, and the tables together, may be at most.

    Returns
    -------
    Opened
        A grid for each resource, its file the path inside the package, its sheet the resource's
        name. ``details`` holds of each resource the file's SHA-256 (``sha256:<resource>``), how
        it was opened, and ``schema:<resource>`` where its header isn't the schema's.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (the descriptor is damaged, a file is missing or isn't the one
        described), ``GBI-E063`` (a limit, or a path that leaves the package), ``GBI-E066`` (no
        package, or a key that is not understood), and what the formats' adapters raise.
    """
    resources = _resources(path, name, limits)
    grids: list[Grid] = []
    details: dict[str, str] = {}
    cells = 0
    for place, resource in resources.items():
        opened = _resource(path, f"{name}: {place}", resource, limits)
        if opened is None:
            details[f"skipped:{place}"] = str(resource.get("path", ""))
            continue
        for grid in opened.grids:
            cells += len(grid.rows) * grid.width
            flags = (*grid.flags, *opened.flags)
            grids.append(replace(grid, file=grid.file or name, sheet=place, flags=flags))
        if cells > limits.cells:
            raise _beyond(name, f"≤ {limits.cells} cells", str(cells))
        details |= {f"{key}:{place}": value for key, value in opened.details.items()}
    return Opened(grids, details=details)


def _refusal(code: str, where: str, expected: str | None, got: object) -> GbiError:
    return GbiError(code, where=where, expected=expected, got=str(got)[:80], exit_code=3)


_damaged, _beyond, _unread = (partial(_refusal, c) for c in ("GBI-E061", "GBI-E063", "GBI-E066"))


def _resources(path: Path, name: str, limits: Limits) -> dict[str, Mapping[str, Any]]:
    """Return the descriptor's resources by their names."""
    size = path.stat().st_size
    if size > limits.archive:
        raise _beyond(name, f"≤ {limits.archive} B", f"{size} B")
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _damaged(name, None, type(error).__name__) from None
    found = descriptor.get("resources") if isinstance(descriptor, dict) else None
    if not isinstance(found, list) or not found:
        raise _unread(name, "resources", type(found).__name__)
    if len(found) > limits.entries:
        raise _beyond(name, f"≤ {limits.entries} resources", str(len(found)))
    resources: dict[str, Mapping[str, Any]] = {}
    for number, resource in enumerate(found):
        key = resource.get("name") if isinstance(resource, dict) else None
        if not isinstance(key, str) or not key or key in resources:
            raise _unread(name, f"resources[{number}].name", key)
        resources[key] = resource
    return resources


def _resource(
    descriptor: Path, where: str, resource: Mapping[str, Any], limits: Limits
) -> Opened | None:
    """Open one resource; None if it is no table."""
    schema = resource.get("schema")
    if "data" in resource:
        opened: Opened | None = _inline(resource["data"], where)
    else:
        opened = _file(descriptor, where, resource, limits)
    if opened is None:
        if schema is not None or resource.get("type") == "table":
            raise _unread(where, ", ".join(f.name for f in FORMATS), resource.get("path"))
        return None
    differs = _differs(schema, opened.grids[0])
    return Opened(opened.grids, opened.flags, {**opened.details, **differs}) if differs else opened


# --- files ---


def _file(
    descriptor: Path, where: str, resource: Mapping[str, Any], limits: Limits
) -> Opened | None:
    path, file = _inside(descriptor, where, resource.get("path"))
    _verify(file, where, resource)
    named = str(resource.get("format", "")).lower()
    known = format_of(file) or next((f for f in FORMATS if f.name == named), None)
    if known is None or (known.name in ("pdf", "html") and "schema" not in resource):
        return None
    dialect = _dialect(where, resource)
    opened = known.open(file, path, limits)
    if known.name == "csv":
        opened = _as_declared(opened, file, where, resource, dialect, limits)
    grid = _sheet(opened, where, dialect)
    details = {**opened.details, "sha256": sha256_of(file)}
    if dialect.get("header") is False:
        # the names stand above the records, which are thereby one row lower than in the file
        names = _fields(resource.get("schema"))
        if names is None:
            raise _unread(where, "schema.fields", "dialect.header: false")
        grid = replace(grid, rows=[names, *grid.rows], merged={}, flags=())
        details["header"] = "schema"
    return Opened([grid], opened.flags, details)


def _inside(descriptor: Path, where: str, path: object) -> tuple[str, Path]:
    """Return a resource's path and file; refuse what is not below the descriptor's folder."""
    if isinstance(path, list) and len(path) == 1:
        path = path[0]
    if not isinstance(path, str) or not path:
        raise _unread(where, "path", path)
    parts = PurePosixPath(path)
    folder = descriptor.parent.resolve()
    file = folder / parts
    leaves = parts.is_absolute() or ".." in parts.parts or re.search(r"[\\:\0]", path)
    if leaves or not file.resolve().is_relative_to(folder) or parts.name == DESCRIPTOR:
        raise _beyond(where, "a path inside the package", path)
    if not file.is_file():
        raise _damaged(where, path, "–")
    return parts.as_posix(), file


def _verify(file: Path, where: str, resource: Mapping[str, Any]) -> None:
    """Compare a file with the size and the hash that the descriptor gives."""
    size, expected = file.stat().st_size, resource.get("bytes")
    if isinstance(expected, int) and expected != size:
        raise _damaged(where, f"{expected} B", f"{size} B")
    declared = resource.get("hash")
    if declared is None:
        return
    algorithm, _, digest = str(declared).lower().rpartition(":")
    algorithm = (algorithm or "md5").replace("-", "")
    if len(digest) != _DIGESTS.get(algorithm):
        raise _unread(where, "hash", declared)
    with file.open("rb") as handle:
        made = hashlib.file_digest(handle, lambda: hashlib.new(algorithm, usedforsecurity=False))
    if made.hexdigest() != digest:
        raise _damaged(where, f"{algorithm}:{digest}", f"{algorithm}:{made.hexdigest()}")


def _dialect(where: str, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    dialect = resource.get("dialect", {})
    if not isinstance(dialect, dict):
        raise _unread(where, "dialect", dialect)
    for key, value in dialect.items():
        if key not in _ANY and value not in _USUAL.get(key, ()):
            raise _unread(where, f"dialect.{key}", value)
    return dialect


def _as_declared(
    opened: Opened, file: Path, where: str, resource: Mapping[str, Any],
    dialect: Mapping[str, Any], limits: Limits,
) -> Opened:  # fmt: skip
    """Return a text file as its descriptor says to read it, where that isn't how it was read."""
    delimiter = dialect.get("delimiter", opened.details["delimiter"])
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise _unread(where, "dialect.delimiter", delimiter)
    encoding = str(resource.get("encoding", opened.details["encoding"]))
    try:
        declared = codecs.lookup(encoding).name
        "".encode(declared)  # some codecs have nothing to do with text
    except (LookupError, ValueError):
        raise _unread(where, "encoding", encoding) from None
    found = codecs.lookup(opened.details["encoding"]).name
    if delimiter == opened.details["delimiter"] and declared.removesuffix("-sig") == found:
        return opened
    try:
        text = file.read_bytes().decode(declared).removeprefix("\ufeff")
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise GbiError("GBI-E064", where=where, expected=encoding, got=f"byte {error.start}",
                       exit_code=3) from None  # fmt: skip
    except (csv.Error, TypeError, ValueError) as error:
        raise _damaged(where, None, str(error)) from None
    if sum(map(len, rows)) > limits.cells:
        raise _beyond(where, f"≤ {limits.cells} cells", str(sum(map(len, rows))))
    grid = replace(opened.grids[0], rows=rows, flags=())
    return Opened([grid], (), {"encoding": declared, "delimiter": delimiter})


def _sheet(opened: Opened, where: str, dialect: Mapping[str, Any]) -> Grid:
    """Return the sheet that is meant: the one named or counted (from 1), else the only one."""
    grids = opened.grids
    for key in ("sheet", "sheetName", "sheetNumber"):
        wanted = dialect.get(key)
        if wanted is not None:
            named = [g for n, g in enumerate(grids, 1) if wanted in (g.sheet, n)]
            if not named:
                raise _unread(where, f"dialect.{key}", wanted)
            return named[0]
    if len(grids) != 1:
        raise _unread(where, "dialect.sheet", ", ".join(g.sheet for g in grids))
    return grids[0]


# --- data inside the descriptor, and the schema ---


def _inline(data: object, where: str) -> Opened:
    """Return rows that stand in the descriptor: arrays with the header first, or objects."""
    if not isinstance(data, list) or not data:
        raise _unread(where, "data", type(data).__name__)
    if all(isinstance(row, list) for row in data):
        rows = data
    elif all(isinstance(row, dict) for row in data):
        header = list(dict.fromkeys(key for row in data for key in row))
        rows = [header, *([row.get(key) for key in header] for row in data)]
    else:
        raise _unread(where, "data", type(data[0]).__name__)
    return Opened([Grid("", "", [[_plain(v) for v in row] for row in rows])])


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def _fields(schema: object) -> list[str] | None:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list):
        return None
    return [str(f.get("name", "")) if isinstance(f, dict) else str(f) for f in fields]


def _differs(schema: object, grid: Grid) -> dict[str, str]:
    """Return how a header differs from the schema's fields, if it does."""
    if isinstance(schema, str):
        return {"schema": f"not read: {schema}"}
    names = _fields(schema)
    if names is None:
        return {}
    header = [as_text(v) for v in grid.rows[0]] if grid.rows else []
    if header == names:
        return {}
    missing = [n for n in names if n not in header]
    other = [h for h in header if h not in names]
    parts = [f"missing {', '.join(missing)}"] * bool(missing)
    parts += [f"not in the schema {', '.join(other)}"] * bool(other)
    return {"schema": f"differs: {'; '.join(parts) or 'another order'}"}
