"""The receipt of a validation: what was checked, by which rules, with what verdict, until when.

It is a list of hashes that anybody can compute again, not a signature: who issued it is for the
channel to say by which it was sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from gbi.errors import GbiError
from gbi.findings import severity_of
from gbi.provenance import canonical, canonical_json, sha256_of
from gbi.resources import contract, resource_path
from gbi.results import rendering, write_atomically
from gbi.validation.report import REPORT_SCHEMA
from gbi.validation.waivers import end_of_exercise, exercise_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gbi.validation.report import ValidationReport
    from gbi.validation.waivers import Waiver

RECEIPT_SCHEMA = "gbi-receipt/1"
SUFFIX = ".recu.json"
_PAGE_SUFFIX = ".recu.html"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Receipt:
    """What a validation looked at and what it gave, as hashes and counts.

    Attributes
    ----------
    content
        The ``gbi-receipt/1`` payload without its seal, as plain values.
    recorded
        The seal that the file carries, where the receipt was read from one.
    """

    content: Mapping[str, Any]
    recorded: str | None = None

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
        """Read a receipt; whether its seal is right is for :mod:`gbi.validation.verification`.

        Raises
        ------
        GbiError
            ``GBI-E060`` if there is no such file, ``GBI-E132`` (exit code 3) if it is no receipt.
        """
        document = _document(Path(path))
        seal = document.pop("seal")
        return cls(document, seal)

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
    codes = {f.id: f.code for f in report.findings} if report.waivers else {}
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
            "waivers": [_waiver(w, codes) for w in report.waivers],
            "valid_until": _valid_until(report),
        }
    )
    return Receipt(content)


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


def is_hash(value: str) -> bool:
    """Say whether a text is written like a SHA-256."""
    return bool(_SHA256.fullmatch(value))


def _hash_of(given: str | Path) -> str:
    if isinstance(given, str) and is_hash(given):
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


def _waiver(waiver: Waiver, codes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "codes": sorted({codes[i] for i in waiver.findings if i in codes}),
        "given": dict(waiver.given),
        "status": waiver.status,
        "reason": waiver.reason,
        "until": waiver.until,
        "findings": list(waiver.findings),
    }


def _valid_until(report: ValidationReport) -> dict[str, str]:
    day = date.fromisoformat(report.options["as_of"])
    frames = {name: d.frame for name, d in report.datasets.items()}
    ends = [(end_of_exercise(exercise_of(frames), day), 1, "end_of_exercise")]
    documents = report.documents.values()
    changes = [d for document in documents for d in _severity_changes(document, day)]
    ends += [(d - _ONE_DAY, 0, "rule_changes") for d in changes]
    ends += [
        (date.fromisoformat(w.until), 2, "waiver_expires")
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


def given_waivers(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the waivers of a receipt as they were given, to validate with them again."""
    return [dict(w["given"]) for w in content["waivers"]]
