"""What changed between two sets of rule files: added, removed, severity, parameters, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.provenance import canonical_json
from gbi.resources import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# The keys that decide what is found come first; words come after them.
ASPECTS = {
    "severity": ("severity", "waivable"),
    "params": ("operator", "params", "tolerance", "missing"),
    "reach": ("tables", "needs", "others", "previous", "scope"),
    "text": ("messages", "why"),
    "rest": ("slug", "since", "until", "replaced_by", "references", "sensitive", "reviewed",
             "examples"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What happened to a rule: ``added``, ``removed``, or the aspect that changed.

    ``before`` and ``after`` are the values of ``key`` as JSON, empty for a whole rule.
    """

    code: str
    aspect: str
    key: str = ""
    before: str = ""
    after: str = ""


def rule_changes(old: Path, new: Path) -> tuple[RuleChange, ...]:
    """Compare two folders of rule files.

    Parameters
    ----------
    old, new
        Folders; every ``.yaml`` file with a ``code`` is a rule.

    Returns
    -------
    tuple of RuleChange
        By code, and within a rule from what decides to what only words it.

    Raises
    ------
    GbiError
        ``GBI-E060`` if one is no folder, ``GBI-E002`` if a file is not YAML.
    """
    before, after = _documents(old), _documents(new)
    out: list[RuleChange] = []
    for code in sorted({*before, *after}):
        if code not in before:
            out.append(RuleChange(code, "added"))
        elif code not in after:
            out.append(RuleChange(code, "removed"))
        else:
            out += _changed(code, before[code], after[code])
    return tuple(out)


def _documents(folder: Path) -> dict[str, dict[str, Any]]:
    if not folder.is_dir():
        raise GbiError("GBI-E060", where=str(folder), exit_code=2)
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        document = read_yaml(path)
        if isinstance(document, dict) and "code" in document:
            found[str(document["code"])] = document
    return found


def _changed(code: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[RuleChange]:
    for aspect, keys in ASPECTS.items():
        for key in keys:
            before, after = old.get(key), new.get(key)
            for trail, was, now in _leaves(key, before, after) if before != after else ():
                yield RuleChange(code, aspect, trail, _json(was), _json(now))


def _leaves(key: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the innermost entries that differ, so that a changed word is not lost in a rule."""
    if isinstance(before, dict) and isinstance(after, dict) and key != "examples":
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                yield from _leaves(f"{key}.{name}", before.get(name), after.get(name))
    else:
        yield key, before, after


def _json(value: Any) -> str:
    return "" if value is None else canonical_json(value)
