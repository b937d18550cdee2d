"""Verifying a receipt: against itself, its outputs, the files submitted and a new validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.language import isolate, resolve_language, text
from gbi.provenance import sha256_of
from gbi.validation.receipt import (
    Receipt,
    codelists_hash,
    findings_hash,
    is_hash,
    rules_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gbi.validation.report import ValidationReport


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as the receipt says: ``kind`` and ``name``, recorded and actual."""

    kind: str
    name: str
    recorded: str
    actual: str | None

    def message(self, lang: str | None = None) -> str:
        """Return the difference as one line of text, hashes by their first digits."""
        was, now = (_shown(v, self.kind, lang) for v in (self.recorded, self.actual))
        name = _aside(self.name, lang)
        return text(f"process.verify.{self.kind}", lang, name=name, was=was, now=now)

    def __str__(self) -> str:
        return self.message()


def differences(
    path: str | Path, *, sources: str | Path | None = None, rerun: ValidationReport | None = None
) -> list[Difference]:
    """Compare a receipt with itself, its outputs, the files submitted, and a new validation.

    Parameters
    ----------
    path
        The receipt; its outputs are looked for beside it.
    sources
        The folder of the files submitted, or the one file.
    rerun
        The report of a validation with the same options.

    Returns
    -------
    list of Difference
        Empty if everything is as recorded.

    Raises
    ------
    GbiError
        What :meth:`Receipt.open` raises; ``GBI-E060`` if ``sources`` does not exist.
    """
    receipt = Receipt.open(path)
    content, name = receipt.content, Path(path).name
    found = []
    if receipt.recorded != receipt.seal:
        found.append(Difference("seal", name, str(receipt.recorded), receipt.seal))
    found += _changed(content["outputs"], Path(path).parent, "output")
    if sources is not None:
        root = Path(sources)
        if not root.exists():
            raise GbiError("GBI-E060", where=str(root))
        verified = [i for i in content["inputs"] if i["verified"]]
        found += _changed(verified, root, "source")
    if rerun is not None:
        found += rerun_differences(receipt, rerun, name)
    return found


def _shown(value: str | None, kind: str, lang: str | None) -> str:
    if value is None:
        return "–"
    if kind == "verdict":
        return text(f"report.verdict.{value}", lang)
    return _aside(f"{value[:12]}…" if is_hash(value) else value, lang)


def _aside(value: str, lang: str | None) -> str:
    return isolate(value) if resolve_language(lang) == "ar" else value


def rerun_differences(receipt: Receipt, report: ValidationReport, name: str) -> list[Difference]:
    """Return where a new validation differs, and then what may have caused it.

    Parameters
    ----------
    receipt
        What was recorded.
    report
        The new validation, with the same options.
    name
        What the differences are reported under.
    """
    content = receipt.content
    outcomes = [
        ("verdict", content["verdict"], report.verdict),
        ("findings", content["findings"]["sha256"], findings_hash(report)["sha256"]),
        ("counts", _counted(content["counts"]), _counted(report.counts)),
    ]
    differing = [Difference(k, name, was, now) for k, was, now in outcomes if was != now]
    if not differing:
        return []
    causes = (
        ("rules_changed", content["rules"], rules_hash(report)),
        ("codelists_changed", content["codelists"], codelists_hash()),
        ("version_changed", content["version"], report.provenance.version),
    )
    return differing + [Difference(k, name, was, now) for k, was, now in causes if was != now]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts))


def _changed(entries: Iterable[Mapping[str, Any]], root: Path, what: str) -> list[Difference]:
    found = []
    for entry in entries:
        path = root if root.is_file() else root / entry["name"]
        actual = sha256_of(path) if path.is_file() else None
        if actual != entry["sha256"]:
            kind = f"{what}_{'missing' if actual is None else 'changed'}"
            found.append(Difference(kind, entry["name"], entry["sha256"], actual))
    return found
