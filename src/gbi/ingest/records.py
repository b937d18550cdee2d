"""Read JSON as a grid: lists of flat records, and JSON-stat datasets."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.columnar import exact
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gbi.ingest.safety import Limits

_KIND = "one list of flat records, or one JSON-stat dataset"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_FLOAT_DIGITS = 15


def open_records(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a JSON file: row 1 holds the keys, then a record (or a JSON-stat value) is a row.

    Integers stay integers of any size; a number that a float can't hold becomes its text; null
    and absent are empty cells. A JSON-stat dataset gives two columns a dimension (its id with
    the codes, ``<id>_label`` with their labels), then ``value`` and, where given, ``status``.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (no well-formed JSON, with the line; a key twice in an object;
        a number that is none; a dataset that contradicts itself), ``GBI-E063`` (a limit),
        ``GBI-E064`` (no Unicode text), ``GBI-E066`` (JSON of another shape).
    """
    size = path.stat().st_size
    if size > limits.archive:
        raise _refused("GBI-E063", name, f"≤ {limits.archive} B", f"{size} B")
    document = _parse(_text(path.read_bytes(), name), name)
    dataset = _dataset(document, name)
    if dataset is not None:
        return Opened([Grid(name, "", _cube(dataset, name, limits))], details={"json": "JSON-stat"})
    return Opened([Grid(name, "", _table(_records(document, name), name, limits))])


def _refused(code: str, where: str, expected: str | None, got: str | None) -> GbiError:
    return GbiError(code, where=where, expected=expected, got=got, exit_code=3)


# --- text to document ---


def _text(content: bytes, name: str) -> str:
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        got = f"0x{content[error.start]:02x}"
        raise _refused("GBI-E064", f"{name}:{line}", encoding, got) from None


def _parse(text: str, name: str) -> Any:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
            raise _refused("GBI-E061", name, "each key once", twice)
        return found

    def number(digits: str) -> int | float | str:
        near = float(digits)
        if not math.isfinite(near):
            raise _refused("GBI-E061", name, "a number", digits)
        return near if len(digits) <= _FLOAT_DIGITS else exact(Decimal(digits))

    try:
        document = json.loads(
            text, object_pairs_hook=distinct, parse_float=number, parse_constant=number
        )
        if _SURROGATE.search(text):  # half a character, which no file can be written with
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise _refused("GBI-E061", f"{name}:{error.lineno}", None, error.msg) from None
    except RecursionError:
        raise _refused("GBI-E063", name, "a depth that can be read", "RecursionError") from None
    except UnicodeEncodeError as error:
        raise _refused("GBI-E064", name, "UTF-8", ascii(error.object[error.start])) from None
    except ValueError:  # Python's word for an integer of thousands of digits
        raise _refused("GBI-E063", name, "integers of fewer digits", None) from None
    return document


# --- records ---


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) for v in value)


def _records(document: Any, name: str) -> list[dict[str, Any]]:
    """Return the list of records: the document itself, or the only one among its members."""
    members = document.values() if isinstance(document, dict) else [document]
    found: list[list[dict[str, Any]]] = [v for v in members if _is_records(v)]
    found = [v for v in found if v] or found
    if len(found) != 1:
        got = f"{type(document).__name__}: {len(found)} × list"
        raise _refused("GBI-E066", name, _KIND, got)
    return found[0]


def _table(records: list[dict[str, Any]], name: str, limits: Limits) -> list[list[Any]]:
    keys = list(dict.fromkeys(key for record in records for key in record))
    _bound(name, len(records), len(keys), limits)
    for number, record in enumerate(records, 1):
        for key, value in record.items():
            if isinstance(value, dict | list):
                got = f"{key}: {type(value).__name__} ({number})"
                raise _refused("GBI-E066", name, "one value for each key", got)
    rows = ([record.get(key) for key in keys] for record in records)
    return [keys, *_cells(rows)] if keys else []


def _cells(rows: Iterable[Iterable[Any]]) -> Iterable[list[Any]]:
    return (["" if value is None else value for value in row] for row in rows)


def _bound(name: str, rows: int, columns: int, limits: Limits) -> None:
    if rows * columns > limits.cells:
        raise _refused("GBI-E063", name, f"≤ {limits.cells} cells", f"{rows} × {columns}")


# --- JSON-stat ---


def _dataset(document: Any, name: str) -> dict[str, Any] | None:
    """Return the JSON-stat dataset of a document; None if it holds none."""
    if not isinstance(document, dict):
        return None
    if document.get("class") in ("collection", "dimension"):  # links are not followed
        raise _refused("GBI-E066", name, _KIND, f"class: {document['class']}")
    if "dimension" in document and "value" in document:
        return document
    members = document.values()
    bundle = [m for m in members if isinstance(m, dict) and {"dimension", "value"} <= m.keys()]
    if len(bundle) > 1:  # version 1: named datasets
        raise _refused("GBI-E066", name, _KIND, f"{len(bundle)} × JSON-stat")
    return bundle[0] if bundle else None


def _cube(dataset: dict[str, Any], name: str, limits: Limits) -> list[list[Any]]:
    try:
        about = dataset["dimension"]
        ids = [str(i) for i in dataset.get("id") or about["id"]]
        sizes = [int(s) for s in dataset.get("size") or about["size"]]
        count = math.prod(sizes)
        _bound(name, count, 2 * len(ids) + 2, limits)
        codes = [_categories(about, i, size) for i, size in zip(ids, sizes, strict=True)]
        values = _dense(dataset["value"], count)
        status = _dense(dataset["status"], count) if dataset.get("status") else None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _refused("GBI-E061", name, "JSON-stat", str(error)) from None
    header = [title for i in ids for title in (i, f"{i}_label")]
    measures = [values] if status is None else [values, status]
    rows = (
        [text for pair in key for text in pair] + list(given)
        for key, *given in zip(product(*codes), *measures, strict=True)
    )
    return [[*header, "value", "status"][: len(header) + len(measures)], *_cells(rows)]


def _categories(about: dict[str, Any], dimension: str, size: int) -> list[tuple[str, str]]:
    """Return (code, label) of a dimension's categories in their order."""
    from pyjstat import pyjstat

    category = about[dimension]["category"]
    # pyjstat finds the order of a single category by position, which pandas 3 no longer allows,
    # and drops the categories that have no label.
    index = category.get("index") or list(category["label"])
    label = {code: code for code in index} | category.get("label", {})
    complete = {"dimension": {dimension: {"category": {"index": index, "label": label}}}}
    found = pyjstat.get_dim_label(complete, dimension)
    if len(found) != size or sorted(map(str, found["id"])) != sorted(map(str, set(index))):
        raise ValueError(f"{dimension}: {len(found)} ≠ {size}")
    return [(str(c), str(t)) for c, t in zip(found["id"], found["label"], strict=True)]


def _dense(given: Any, count: int) -> list[Any]:
    """Return one value for each cell of the cube: a list, an object of those given, or one."""
    if isinstance(given, str):
        return [given] * count
    if isinstance(given, dict):
        values = {int(at): value for at, value in given.items()}
        outside = [at for at in values if not 0 <= at < count]
        if outside:
            raise ValueError(f"{outside[0]} > {count - 1}")
        given = [values.get(at) for at in range(count)]
    if len(given) != count:
        raise ValueError(f"{len(given)} ≠ {count}")
    if any(isinstance(value, dict | list) for value in given):
        raise TypeError("value")
    return list(given)
