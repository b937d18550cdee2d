"""The receipt of a validation: what was checked, by which rules, with what verdict, until when.

It is a list of hashes that anybody can compute again, not a signature: who issued it is for the
channel to say by which it was sent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jsonschema

from gbi.errors import GbiError
from gbi.findings import severity_of
from gbi.language import isolate, resolve_language, text
from gbi.provenance import canonical, canonical_json, sha256_of
from gbi.resources import contract, resource_path
from gbi.results import rendering, write_atomically
from gbi.validation.report import REPORT_SCHEMA
from gbi.validation.waivers import end_of_exercise, exercise_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gbi.validation.report import ValidationReport
    from gbi.validation.waivers import Waiver

RECEIPT_SCHEMA = "gbi-receipt/1"
SUFFIX = ".recu.json"
_PAGE_SUFFIX = ".recu.html"
_SHA256 = 64  # hexadecimal digits
_ONE_DAY = timedelta(days=1)


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


@dataclass(frozen=True, eq=False)
class Receipt:
    """What a validation looked at and what it gave, as hashes and counts.

    Attributes
    ----------
    content
        The ``gbi-receipt/1`` payload without its seal, as plain values.
    """

    content: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def seal(self) -> str:
        """The SHA-256 over the canonical JSON of everything else."""
        return hashlib.sha256(canonical_json(dict(self.content)).encode()).hexdigest()

    @property
    def verdict(self) -> str:
        """The verdict of the validation."""
        return str(self.content["verdict"])

    @property
    def valid_until(self) -> str:
        """The last day on which the verdict can be relied on (ISO)."""
        return str(self.content["valid_until"]["day"])

    @property
    def partial(self) -> bool:
        """Whether rules were chosen or left out, so that the verdict is not that of all rules."""
        return bool(self.content["partial"])

    def to_dict(self) -> dict[str, Any]:
        """Return the payload with its seal."""
        return {**self.content, "seal": self.seal}

    def to_json(self) -> str:
        """Return the payload as JSON text, keys sorted."""
        return canonical_json(self.to_dict(), indent=1) + "\n"

    def to_html(self, *, lang: str | None = None) -> str:
        """Return the receipt as one page that reads offline and prints."""
        page: str = rendering().receipt_page(self, lang=lang)
        return page

    def write(self, path: str | Path, *, lang: str | None = None) -> tuple[Path, Path]:
        """Write the receipt and its page.

        Parameters
        ----------
        path
            ``NAME.recu.json``, or a name to which that is added.
        lang
            The language of the page.

        Returns
        -------
        tuple
            The paths of ``*.recu.json`` and ``*.recu.html``.
        """
        target = Path(path)
        stem = target.name.removesuffix(SUFFIX)
        html = self.to_html(lang=lang)
        written = write_atomically(target.with_name(stem + SUFFIX), self.to_json())
        return written, write_atomically(target.with_name(stem + _PAGE_SUFFIX), html)

    @classmethod
    def open(cls, path: str | Path) -> Receipt:
        """Read a receipt; its seal is not checked here (see :meth:`differences`).

        Raises
        ------
        GbiError
            ``GBI-E060`` if there is no such file, ``GBI-E132`` (exit code 3) if it is no receipt.
        """
        return cls(_split(_document(Path(path)))[0])

    def __repr__(self) -> str:
        return f"<Receipt {self.verdict}, until {self.valid_until}: {self.seal[:16]}>"


def receipt(
    report: ValidationReport,
    *,
    outputs: Mapping[str, str | Path] | None = None,
    previous: str | None = None,
    issued: date | None = None,
) -> Receipt:
    """Make the receipt of a validation.

    Parameters
    ----------
    report
        What :func:`gbi.validate` returned.
    outputs
        Files written from it: name → SHA-256, or the path to hash. Names are relative to the
        receipt.
    previous
        The fingerprint of last year's data where the rules across years compared with them.
    issued
        The day of issue; left out by default, so that the same files give the same receipt.

    Returns
    -------
    Receipt
        Inputs, report, rules and code lists by hash; verdict, counts, waivers, options; and
        ``valid_until``: the end of the exercise (see :func:`~gbi.validation.waivers.exercise_of`),
        the eve of the first day on which a rule that was run changes its severity, or the last day
        of a waiver that was applied, whichever is first.
    """
    options = dict(report.options)
    hashed = {name: _hash_of(given) for name, given in (outputs or {}).items()}
    mine = hashlib.sha256(str(report.to_json()).encode()).hexdigest()
    content: dict[str, Any] = canonical(
        {
            "schema": RECEIPT_SCHEMA,
            "version": report.provenance.version,
            "issued": None if issued is None else issued.isoformat(),
            "fingerprint": report.provenance.fingerprint,
            "inputs": _inputs(report),
            "previous": previous,
            "report": {
                "schema": REPORT_SCHEMA,
                "sha256": mine,
                "name": next((n for n, h in sorted(hashed.items()) if h == mine), None),
            },
            "findings": findings_hash(report),
            "outputs": [{"name": n, "sha256": h} for n, h in sorted(hashed.items())],
            "ruleset": report.provenance.ruleset,
            "rules": rules_hash(report),
            "codelists": codelists_hash(),
            "options": options,
            "partial": any(options.get(name) is not None for name in ("only", "exclude")),
            "verdict": report.verdict,
            "counts": report.counts,
            "waivers": [_waiver(w) for w in report.waivers],
            "valid_until": _valid_until(report),
        }
    )
    return Receipt(content)


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
    document = _document(Path(path))
    content, seal = _split(document)
    found = []
    if (actual := Receipt(content).seal) != seal:
        found.append(Difference("seal", Path(path).name, seal, actual))
    found += _changed(content["outputs"], Path(path).parent, "output")
    if sources is not None:
        root = Path(sources)
        if not root.exists():
            raise GbiError("GBI-E060", where=str(root))
        verified = [i for i in content["inputs"] if i["verified"]]
        found += _changed(verified, root, "source")
    if rerun is not None:
        found += _rerun(content, rerun, Path(path).name)
    return found


def _shown(value: str | None, kind: str, lang: str | None) -> str:
    if value is None:
        return "–"
    if kind == "verdict":
        return text(f"report.verdict.{value}", lang)
    return _aside(f"{value[:12]}…" if _is_hash(value) else value, lang)


def _aside(value: str, lang: str | None) -> str:
    return isolate(value) if resolve_language(lang) == "ar" else value


def _is_hash(value: str) -> bool:
    return len(value) == _SHA256 and not set(value) - set("0123456789abcdef")


def _rerun(content: Mapping[str, Any], report: ValidationReport, name: str) -> Iterator[Difference]:
    """Say where a new validation differs, and then what may have caused it."""
    outcomes = [
        ("verdict", content["verdict"], report.verdict),
        ("findings", content["findings"]["sha256"], findings_hash(report)["sha256"]),
        ("counts", _counted(content["counts"]), _counted(report.counts)),
    ]
    differing = [Difference(k, name, was, now) for k, was, now in outcomes if was != now]
    yield from differing
    if not differing:
        return
    for kind, was, now in (
        ("rules_changed", content["rules"], rules_hash(report)),
        ("codelists_changed", content["codelists"], codelists_hash()),
        ("version_changed", content["version"], report.provenance.version),
    ):
        if was != now:
            yield Difference(kind, name, was, now)


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


def findings_hash(report: ValidationReport) -> dict[str, Any]:
    """Return how many findings are stored, and one SHA-256 over their sorted ids and states."""
    marks = sorted(f"{f.id} {f.code} {f.severity} {f.status}" for f in report.findings)
    return {"n": len(marks), "sha256": hashlib.sha256("\n".join(marks).encode()).hexdigest()}


def rules_hash(report: ValidationReport) -> str:
    """Return one SHA-256 over the rules that were run, a ministry's own included."""
    documents = {code: dict(document) for code, document in report.documents.items()}
    return hashlib.sha256(canonical_json(documents).encode()).hexdigest()


def codelists_hash() -> str:
    """Return one SHA-256 over all packaged code lists (line ends normalised)."""
    digest = hashlib.sha256()
    for path in sorted(resource_path("schemas", "codelists").glob("*.yaml")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _hash_of(given: str | Path) -> str:
    if (
        isinstance(given, str)
        and len(given) == _SHA256
        and not set(given) - set("0123456789abcdef")
    ):
        return given
    path = Path(given)
    if not path.is_file():
        raise GbiError("GBI-E060", where=str(path))
    return sha256_of(path)


def _inputs(report: ValidationReport) -> list[dict[str, Any]]:
    if report.files:
        return [
            {"name": f.name, "sha256": f.sha256, "size": f.size, "verified": True}
            for f in sorted(report.files, key=lambda f: f.name)
        ]
    return [s.to_dict() for s in report.provenance.sources]


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "given": dict(waiver.given),
        "status": waiver.status,
        "reason": waiver.reason,
        "until": waiver.until,
        "findings": list(waiver.findings),
    }


def _valid_until(report: ValidationReport) -> dict[str, str]:
    day = date.fromisoformat(report.options["as_of"])
    frames = {name: d.frame for name, d in report.datasets.items()}
    ends = [(end_of_exercise(exercise_of(frames), day), 2, "end_of_exercise")]
    documents = report.documents.values()
    changes = [d for document in documents for d in _severity_changes(document, day)]
    ends += [(d - _ONE_DAY, 0, "rule_changes") for d in changes]
    ends += [
        (date.fromisoformat(w.until), 1, "waiver_expires")
        for w in report.waivers
        if w.status == "applied" and w.until
    ]
    last, _, cause = min(ends)
    return {"day": last.isoformat(), "because": cause}


def _severity_changes(document: Mapping[str, Any], day: date) -> Iterator[date]:
    """Yield the days after ``day`` from which a rule's severity is another one."""
    turns = {date.fromisoformat(entry["from"]) for entry in document["severity"]}
    turns |= {
        date.fromisoformat(entry["to"]) + _ONE_DAY
        for entry in document["severity"]
        if "to" in entry
    }
    for turn in sorted(t for t in turns if t > day):
        if any(
            severity_of(document, table, turn) != severity_of(document, table, turn - _ONE_DAY)
            for table in (None, *document["tables"])
        ):
            yield turn


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise GbiError("GBI-E060", where=str(path))
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise GbiError("GBI-E132", where=str(path), exit_code=3) from None
    fault = next(
        iter(jsonschema.Draft202012Validator(contract("receipt")).iter_errors(document)), None
    )
    if fault is not None:
        trail = ".".join(str(p) for p in fault.absolute_path) or "(document)"
        raise GbiError("GBI-E132", where=f"{path} {trail}", expected=RECEIPT_SCHEMA, exit_code=3)
    return dict(document)


def _split(document: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    return {k: v for k, v in document.items() if k != "seal"}, str(document["seal"])


def given_waivers(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the waivers of a receipt as they were given, to validate with them again."""
    return [dict(w["given"]) for w in content["waivers"]]
