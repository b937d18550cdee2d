"""A batch: what came of each submission, in an order that never changes, and of all together."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.findings import SEVERITIES
from gbi.provenance import canonical_json, gbi_version, ruleset_hash, sha256_of
from gbi.results import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_SCHEMA = "gbi-batch/1"
BATCH_FILE = "batch.json"
WORST = (4, 3, 2, 1, 5, 0)  # exit codes: of several, the first in this order holds


@dataclass(frozen=True, eq=False)
class Checked:
    """A submission of a batch.

    Attributes
    ----------
    name
        Its name.
    entry
        What came of it: verdict, counts, files, exit codes by ``--fail-on``, or the error.
    outputs
        Its files by name.
    from_cache
        Whether it was kept from an earlier run, so that nothing of it was read.
    """

    name: str
    entry: Mapping[str, Any]
    outputs: Mapping[str, bytes] = field(repr=False)
    from_cache: bool

    def exit_code(self, fail_on: str) -> int:
        """Return what a command on this submission alone would end with."""
        return int(self.entry["exit_codes"][fail_on])

    def to_dict(self, fail_on: str) -> dict[str, Any]:
        """Return the parts as plain values."""
        told = ("verdict", "counts", "files", "fingerprint", "error", "not_annotated")
        hashes = {n: hashlib.sha256(c).hexdigest() for n, c in self.outputs.items()}
        return {
            "name": self.name,
            **{key: self.entry[key] for key in told},
            "exit_code": self.exit_code(fail_on),
            "outputs": [{"name": n, "sha256": h} for n, h in sorted(hashes.items())],
        }


@dataclass(frozen=True, eq=False)
class Batch:
    """The submissions of a batch by name, and what was asked.

    Attributes
    ----------
    submissions
        All of them, also those that could not be read.
    options
        ``as_of``, ``only``, ``exclude``.
    fail_on
        The severity from which the exit code is 1.
    """

    submissions: tuple[Checked, ...]
    options: Mapping[str, Any]
    fail_on: str = "blocking"

    @property
    def exit_code(self) -> int:
        """The gravest of the submissions' exit codes: 4, 3, 1, 5, 0."""
        codes = {s.exit_code(self.fail_on) for s in self.submissions}
        return next((code for code in WORST if code in codes), 0)

    @property
    def totals(self) -> dict[str, Any]:
        """How many submissions there are by verdict, and how many findings by severity."""
        entries = [s.entry for s in self.submissions]
        counts = Counter[str]()
        for entry in entries:
            counts.update(entry["counts"] or {})
        verdicts = Counter(e["verdict"] or "unreadable" for e in entries)
        return {
            "submissions": len(entries),
            "files": sum(e["files"] or 0 for e in entries),
            "verdicts": dict(sorted(verdicts.items())),
            "counts": {name: counts[name] for name in (*SEVERITIES, "waived")},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the ``gbi-batch/1`` payload; whether a cache helped is not in it."""
        return {
            "schema": BATCH_SCHEMA,
            "version": gbi_version(),
            "ruleset": ruleset_hash(),
            "options": {**self.options, "fail_on": self.fail_on},
            "submissions": [s.to_dict(self.fail_on) for s in self.submissions],
            "totals": self.totals,
            "exit_code": self.exit_code,
        }

    def to_json(self) -> str:
        """Return the payload as JSON text; the same submissions give the same bytes."""
        return canonical_json(self.to_dict(), indent=1) + "\n"

    def write(self, out: Path) -> Path:
        """Write a folder for each submission, then ``batch.json``; return its path.

        What an earlier batch wrote into the folder and this one doesn't is removed, if nobody has
        changed it since.
        """
        before = _written(out)
        now = set()
        for submission in self.submissions:
            for name, made in submission.outputs.items():
                now.add(write_atomically(out / submission.name / name, made))
        for path, sha256 in before.items():
            if path not in now and path.is_file() and sha256_of(path) == sha256:
                path.unlink()
        return write_atomically(out / BATCH_FILE, self.to_json())


def _written(out: Path) -> dict[Path, str]:
    """Return what an earlier batch says to have written into a folder, with its SHA-256."""
    try:
        document = json.loads((out / BATCH_FILE).read_text(encoding="utf-8"))
        return {
            out / s["name"] / made["name"]: made["sha256"]
            for s in document["submissions"]
            for made in s["outputs"]
            if ".." not in f"{s['name']}/{made['name']}"
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
