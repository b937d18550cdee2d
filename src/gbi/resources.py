"""Find and read the reference data that ship with the package.

The files of ``data/`` (schemas, rules, code lists, labels, samples) are part of the product. In a
wheel they lie inside the package; in an editable install they lie at the root of the checkout.
:func:`resource_path` is the one place that knows.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml

from gbi.errors import GbiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "data", _PACKAGE.parent.parent / "data")


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder under ``data/``.

    Parameters
    ----------
    *parts
        Path components below ``data``, for example ``"schemas", "tables", "budget.yaml"``.

    Raises
    ------
    GbiError
        ``GBI-E001`` if the resource is in neither place: the installation is incomplete.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise GbiError("GBI-E001", where="/".join(("data", *parts)))


class _Yaml12Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The fast loader with the scalars of YAML 1.2: ``no``, ``010`` and ``12:30`` stay text."""


_Yaml12Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?[eE][-+]?[0-9]+)$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _Yaml12Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _no_duplicates(loader: Any, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"duplicate key {key!r}", key_node.start_mark
            )
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Yaml12Loader.add_constructor("tag:yaml.org,2002:map", _no_duplicates)


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file, refusing duplicate keys.

    Raises
    ------
    GbiError
        ``GBI-E002`` with the line, if the file is not well-formed YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Yaml12Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise GbiError("GBI-E002", where=f"{path.name}:{line}", got=str(problem)) from None


def as_yaml(value: Any) -> str:
    """Return a value as YAML 1.2 on one line; reading it gives the same value back."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_yaml(k)}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if re.fullmatch(r"[A-Za-z_][\w-]*", value) and value.lower() not in _YAML_WORDS:
        return value
    if "\\" in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)


_YAML_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}


@lru_cache(maxsize=32)
def contract(name: str) -> dict[str, Any]:
    """Return a JSON Schema of ``data/schemas/contract`` by its name without ``.schema.json``."""
    path = resource_path("schemas", "contract", f"{name}.schema.json")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def read_document(
    path: Path, contract_name: str, complete: Callable[[Any], Any] = lambda document: document
) -> dict[str, Any]:
    """Read a YAML file and check it against a published JSON Schema.

    Unknown keys are refused with their line number and the nearest known key: a misspelt key must
    never mean that a rule or a column silently does not exist.

    Parameters
    ----------
    path
        The YAML file.
    contract_name
        The JSON Schema in ``data/schemas/contract``.
    complete
        What is done to the document before it is checked (to add what it takes over from another).

    Raises
    ------
    GbiError
        ``GBI-E002`` (not YAML) or ``GBI-E003`` (does not follow the schema; the first fault in
        document order, with its line).
    """
    document = complete(read_yaml(path))
    for error in document_errors(path, document, contract_name):
        raise error
    checked: dict[str, Any] = document
    return checked


def document_errors(path: Path, document: Any, contract_name: str) -> Iterator[GbiError]:
    """Yield all faults of a document against a published JSON Schema, in document order."""
    validator = jsonschema.Draft202012Validator(contract(contract_name))
    errors = validator.iter_errors(document)
    for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
        yield _document_error(path, error)


def _document_error(path: Path, error: jsonschema.ValidationError) -> GbiError:
    while error.context:  # the most specific fault of an anyOf/oneOf says most
        error = max(error.context, key=lambda e: len(e.absolute_path))
    trail: list[str | int] = list(error.absolute_path)
    got = error.message
    hint = ""
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        schema: Any = error.schema
        known = list(schema.get("properties", {}))
        patterns = list(schema.get("patternProperties", {}))
        unknown = [
            k
            for k in error.instance
            if k not in known and not any(re.search(p, str(k)) for p in patterns)
        ]
        if unknown:
            near = difflib.get_close_matches(str(unknown[0]), known, n=1, cutoff=0.5)
            got = f"unknown key '{unknown[0]}'"
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
            trail.append(unknown[0])
    line = line_of(path, trail)
    key = ".".join(str(p) for p in trail) or "(document)"
    return GbiError("GBI-E003", where=f"{path.name}:{line} {key}", got=got, hint=hint or None)


def line_of(path: Path, trail: list[str | int]) -> int:
    """Return the line (from 1) of the node that a path of keys and positions leads to."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Yaml12Loader)
    line = 1 if node is None else node.start_mark.line + 1
    for step in trail:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def suggest(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """Return the known word nearest to ``word`` (case and accents ignored), or None."""
    from gbi.language import fold

    folded = {fold(k): k for k in known}
    near = difflib.get_close_matches(fold(word), list(folded), n=1, cutoff=0.75)
    return folded[near[0]] if near else None
