"""Checks of rule files before anybody trusts them: form, words, columns, parameters, examples."""

from __future__ import annotations

import re
import shutil
import string
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.language import LANGUAGES, text
from gbi.resources import (
    contract,
    document_errors,
    line_of,
    read_document,
    read_yaml,
    resource_path,
    suggest,
)
from gbi.schemas import schema
from gbi.validation.catalogue import OUTSIDE, SEVERITIES_FILE, Rule, catalogue
from gbi.validation.examples import HEADING_ROWS, execute
from gbi.validation.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTS = ("title", "seen", "expected", "fix")
_POSITION = re.compile(r"[A-Z]+([0-9]+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a rule file.

    Attributes
    ----------
    file, line, key
        Where: the file's name, the line from 1, and the key.
    kind
        The entry of ``rules.lint`` that says what is wrong.
    got, expected
        What stands there, and what could stand there (empty where nothing can be said).
    """

    file: str
    line: int
    key: str
    kind: str
    got: str = ""
    expected: str = ""

    def message(self, lang: str | None = None) -> str:
        """Return the fault on one line."""
        said = text(f"rules.lint.{self.kind}", lang, got=self.got, expected=self.expected)
        place = f"{self.file}:{self.line}"
        return f"{place} {self.key}: {said}" if self.key else f"{place} {said}"


def operator_parameters(operator: str) -> dict[str, Any] | None:
    """Return the JSON Schema of an operator's parameters, None if it has none."""
    for clause in contract("rule")["allOf"]:
        named = clause["if"]["properties"]["operator"]
        if operator in named.get("enum", [named.get("const")]):
            found: dict[str, Any] | None = clause["then"]["properties"].get("params")
            if found is not None:
                return found
    return None


def lint(folder: Path | None = None) -> tuple[Fault, ...]:
    """Check the rule files of a folder, or the packaged ones.

    Parameters
    ----------
    folder
        A ministry's own rules (see :func:`gbi.validation.catalogue.catalogue`).

    Returns
    -------
    tuple of Fault
        By file and line. Examples are executed for the files that are otherwise in order, against
        the whole catalogue.

    Raises
    ------
    GbiError
        ``GBI-E060`` if there is no such folder.
    """
    if folder is not None and not folder.is_dir():
        raise GbiError("GBI-E060", where=str(folder), exit_code=2)
    root = resource_path("schemas", "rules") if folder is None else folder
    faults: list[Fault] = []
    sound: dict[Path, dict[str, Any]] = {}
    codes: dict[str, str] = {} if folder is None else {r.code: "gbi" for r in catalogue()}
    for path in sorted(p for p in root.rglob("*.yaml") if p.name != SEVERITIES_FILE):
        own, document = _form(path)
        if document is not None:
            own += [*_identity(path, document, codes, own=folder is not None),
                    *_words(path, document), *_columns(path, document),
                    *_days(path, document)]  # fmt: skip
            codes.setdefault(str(document["code"]), path.name)
        if not own and document is not None:
            sound[path] = document
        faults += own
    if folder is not None and (folder / SEVERITIES_FILE).is_file():
        faults += _severities(folder / SEVERITIES_FILE, sound)
    faults += _executed(sound, own=folder is not None)
    return tuple(sorted(faults, key=lambda f: (f.file, f.line, f.key, f.kind, f.got)))


def _form(path: Path) -> tuple[list[Fault], dict[str, Any] | None]:
    """Return the faults against the rule schema, and the document if it has none."""
    try:
        document = read_yaml(path)
    except (GbiError, UnicodeDecodeError) as error:
        where = error.where if isinstance(error, GbiError) and error.where else ""
        line = where.rpartition(":")[2]
        got = (error.got or "") if isinstance(error, GbiError) else "UTF-8"
        return [Fault(path.name, int(line) if line.isdigit() else 1, "", "yaml", got)], None
    faults = []
    for found in document_errors(path, document, "rule"):
        place, _, key = (found.where or "").partition(" ")
        line = place.rpartition(":")[2]
        kind = "hinted" if found.hint else "schema"
        faults.append(Fault(path.name, int(line), key, kind, found.got or "", found.hint or ""))
    return faults, None if faults else document


def _at(path: Path, kind: str, *trail: str | int, got: object = "", expected: object = "") -> Fault:
    line = line_of(path, list(trail))
    key = ".".join(map(str, trail))
    return Fault(path.name, line, key, kind, str(got), str(expected))


def _identity(
    path: Path, document: Mapping[str, Any], codes: Mapping[str, str], *, own: bool
) -> Iterator[Fault]:
    code = str(document["code"])
    if own and code.startswith("GBI-"):
        yield _at(path, "reserved", "code", got=code)
    elif code in codes:
        yield _at(path, "twice", "code", got=code, expected=codes[code])
    if path.stem != code:
        yield _at(path, "name", "code", got=path.name, expected=f"{code}.yaml")


def _words(path: Path, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield texts that differ by language in what they show."""
    for part in PARTS:
        names: dict[str, set[str]] = {}
        for lang in LANGUAGES:
            try:
                names[lang] = placeholders(document["messages"][lang][part])
            except ValueError as error:
                yield _at(path, "braces", "messages", lang, part, got=error)
                return
        for lang in LANGUAGES[1:]:
            if names[lang] != names[LANGUAGES[0]]:
                yield _at(
                    path, "placeholders", "messages", lang, part,
                    got=", ".join(sorted(names[lang])) or "–",
                    expected=", ".join(sorted(names[LANGUAGES[0]])) or "–",
                )  # fmt: skip


def placeholders(template: str) -> set[str]:
    """Return the names in braces of a message."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def _columns(path: Path, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield columns that the rule needs and that no table of it has."""
    wanted: list[tuple[tuple[str | int, ...], str, list[str]]] = []
    wanted += [(("needs", n), c, document["tables"]) for n, c in enumerate(document["needs"])]
    for table, names in document.get("others", {}).items():
        wanted += [(("others", table, n), name, [table]) for n, name in enumerate(names)]
    for trail, name, tables in wanted:
        known = [f.name for table in tables for f in schema(table).fields]
        if known and name not in known:
            near = suggest(name, known)
            kind = "column_near" if near else "column"
            yield _at(path, kind, *trail, got=name, expected=near or "")


def _days(path: Path, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield severities whose days are no days, or whose end lies before their beginning."""
    for n, entry in enumerate(document["severity"]):
        for name in ("from", "to"):
            try:
                date.fromisoformat(entry.get(name, "2000-01-01"))
            except ValueError:
                yield _at(path, "day", "severity", n, name, got=entry[name])
                return
        if entry.get("to", "9999-12-31") < entry["from"]:
            yield _at(path, "days", "severity", n, "to", got=entry["to"], expected=entry["from"])
        stray = [t for t in entry.get("tables", ()) if t not in document["tables"]]
        if stray and document["tables"]:
            yield _at(path, "stray", "severity", n, "tables", got=", ".join(stray))


def _severities(path: Path, sound: Mapping[Path, Mapping[str, Any]]) -> Iterator[Fault]:
    """Yield entries of the ministry's severities that name no rule or lower one."""
    try:
        levels = read_document(path, "severities")
    except GbiError as error:
        place, _, key = (error.where or "").partition(" ")
        line = place.rpartition(":")[2]
        yield Fault(path.name, int(line), key, "hinted" if error.hint else "schema",
                    error.got or "", error.hint or "")  # fmt: skip
        return
    own = {str(d["code"]): Rule(dict(d)) for d in sound.values()}
    known = {**{r.code: r for r in catalogue()}, **own}
    for code, level in levels.items():
        if code not in known:
            near = suggest(code, [*known]) or ""
            yield _at(path, "unknown_near" if near else "unknown", code, got=code, expected=near)
            continue
        entries = known[code].document["severity"]
        gravest = min((e["level"] for e in entries), key=SEVERITIES.index)
        if SEVERITIES.index(level) > SEVERITIES.index(gravest):
            yield _at(path, "lowered", code, got=level, expected=gravest)


def _executed(sound: Mapping[Path, Mapping[str, Any]], *, own: bool) -> list[Fault]:
    """Execute the examples of sound files; a ministry's own stand in a folder of their own."""
    if not own:
        return [f for path, d in sound.items() for f in _examples(path, d, None)]
    with tempfile.TemporaryDirectory() as name:
        for path, document in sound.items():
            shutil.copyfile(path, Path(name, f"{document['code']}.yaml"))
        return [f for path, d in sound.items() for f in _examples(path, d, Path(name))]


def _examples(path: Path, document: Mapping[str, Any], rules: Path | None) -> Iterator[Fault]:
    code, operator = str(document["code"]), str(document["operator"])
    if operator in OUTSIDE:
        return
    if operator not in OPERATORS:
        yield _at(path, "operator", "operator", got=operator)
        return
    looked = 0
    for kind in ("fail", "pass"):
        for n, example in enumerate(document["examples"][kind]):
            fault, checked = _example(path, code, (kind, n), example, rules)
            if fault is not None:
                yield fault
            looked += checked if kind == "pass" else 0
    if not looked:  # a pass is only worth something if some example was really examined
        yield _at(path, "idle", "examples", "pass")


def _example(
    path: Path, code: str, place: tuple[str, int], example: Mapping[str, Any], rules: Path | None
) -> tuple[Fault | None, int]:
    """Return what is wrong with an example, and how many rows or groups the rule looked at."""
    trail = ("examples", *place)
    try:
        report = execute(example, rules=rules)
        found = sorted({f.code for f in report.findings})
    except (GbiError, KeyError, IndexError, TypeError, ValueError) as error:
        # A placeholder that the operator does not fill, or rows that are no table.
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        return _at(path, "breaks", *trail, got=said), 0
    checked = sum(r.checked for r in report.rules if r.code == code)
    broken = [f"{e.code} ({e.error})" for e in report.engine_errors]
    expected = [code] if place[0] == "fail" else []
    if broken:
        return _at(path, "breaks", *trail, got=", ".join(broken)), checked
    if found != expected:
        kind = f"example_{place[0]}"
        return _at(path, kind, *trail, got=", ".join(found) or "–", expected=code), checked
    rows = sorted(sorted(_rows(f.cells, example)) for f in report.findings)
    wanted = sorted(sorted(group) for group in example.get("at", rows))
    if rows != wanted:
        return _at(path, "at", *trail, "at", got=rows, expected=wanted), checked
    return None, checked


def _rows(cells: Any, example: Mapping[str, Any]) -> list[int]:
    """Return the positions in the example's own table that a finding's cells stand for."""
    own = [_POSITION.fullmatch(c.a1) for c in cells if c.file == example["table"]]
    rows = dict.fromkeys(int(m[1]) - HEADING_ROWS - 1 for m in own if m)
    return [r for r in rows if r < len(example["rows"])]
