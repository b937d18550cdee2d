"""A batch: many submissions validated, each accounted for, in an order that never changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.batch.cache import Cache
from gbi.batch.checking import LANGUAGELESS, REPORT, Task, entry_of, outputs_of
from gbi.batch.submissions import Place, content, program
from gbi.batch.workers import Workers
from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.ingest.profile import profile_named
from gbi.provenance import canonical_json, gbi_version, ruleset_hash
from gbi.report.outputs import FORMATS
from gbi.results import write_atomically
from gbi.validation import read_waivers
from gbi.validation.catalogue import catalogue, pick
from gbi.validation.justification import read_justifications

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gbi.batch.checking import Asked, Parts

BATCH_SCHEMA = "gbi-batch/1"
BATCH_FILE = "batch.json"
WORST = (4, 3, 2, 1, 5, 0)  # exit codes: of several, the first in this order holds
_WAIVER_FILES = (".yaml", ".yml", ".xlsx")


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
            if path not in now and path.is_file() and _sha256(path) == sha256:
                path.unlink()
        return write_atomically(out / BATCH_FILE, self.to_json())


def validate_batch(
    places: Sequence[Place],
    asked: Asked,
    *,
    previous: Path | None = None,
    waivers: Path | None = None,
    jobs: int | None = None,
    cache: Path | None = None,
    out: Path | None = None,
    fail_on: str = "blocking",
    progress: Callable[[int, int, str], None] | None = None,
) -> Batch:
    """Validate many submissions, several at a time.

    Parameters
    ----------
    places
        The submissions (see :func:`gbi.batch.submissions`).
    asked
        What is asked of each.
    previous
        Last year's data or an earlier report: of all, or a folder in which each submission's lie
        under its name.
    waivers
        A file for all, or a folder in which each submission's lie under its name.
    jobs
        How many processes; by default one for each core.
    cache
        Where what was made of a submission is kept; None keeps nothing.
    out
        Where the caller will write: what lies there is no part of a submission.
    fail_on
        ``blocking``, ``warning``, ``info`` or ``never``.
    progress
        Called with how many submissions are done, how many there are, and the last one's name.

    Raises
    ------
    GbiError
        Exit code 2 for what is wrong with the options, before anything is read. What is wrong
        with a submission is told in the batch.
    """
    _refuse(asked, fail_on, jobs)
    asked = _placed(asked)
    common = _common_key(asked)
    tasks, keys = [], []
    for place in places:
        task = _task(place, asked, previous, waivers)
        tasks.append(task)
        keys.append(_key(place, task, common, out))
    kept = Cache(cache)
    found: list[Parts | None] = [kept.get(key) for key in keys]
    fresh = [n for n, parts in enumerate(found) if not _is_whole(parts)]
    finished = len(places) - len(fresh)

    def done(position: int, parts: Parts) -> None:
        nonlocal finished
        n = fresh[position]
        found[n] = parts
        if entry_of(parts)["lasting"]:
            kept.put(keys[n], parts)
        finished += 1
        if progress is not None:
            progress(finished, len(places), places[n].name)

    with Workers(max(1, min(jobs or _cores(), len(fresh)))) as workers:
        workers.run([tasks[n] for n in fresh], done)
    again = set(fresh)
    return Batch(
        tuple(
            Checked(place.name, entry_of(parts or {}), outputs_of(parts or {}), n not in again)
            for n, (place, parts) in enumerate(zip(places, found, strict=True))
        ),
        {"as_of": asked.as_of, "only": asked.only, "exclude": asked.exclude},
        fail_on,
    )


def waivers_of(path: Path) -> list[dict[str, Any]]:
    """Read waivers from YAML, or from the answers in an annotated copy or findings workbook."""
    yaml = path.suffix.lower() in (".yaml", ".yml")
    return read_waivers(path) if yaml else read_justifications(path)


def _refuse(asked: Asked, fail_on: str, jobs: int | None) -> None:
    """Refuse options that no submission could be validated with."""
    allowed = (*SEVERITIES, "never")
    if fail_on not in allowed:
        raise GbiError("GBI-E011", expected=", ".join(allowed), got=fail_on)
    if jobs is not None and jobs < 1:
        raise GbiError("GBI-E071", where="jobs", expected="1, 2, 3, …", got=str(jobs))
    for form in asked.formats:
        if form not in FORMATS:
            raise GbiError("GBI-E089", expected=", ".join(FORMATS), got=form)
    try:
        date.fromisoformat(asked.as_of or "2025-01-01")
    except ValueError:
        raise GbiError("GBI-E130", where="as_of", got=asked.as_of) from None
    pick(asked.only, asked.exclude, catalogue(None if asked.rules is None else Path(asked.rules)))
    for named in asked.profile:
        profile_named(named)


def _placed(asked: Asked) -> Asked:
    """Return what is asked with whole paths: a worker stands in another folder."""
    rules = None if asked.rules is None else str(Path(asked.rules).resolve())
    own = (str(Path(p).resolve()) if Path(p).is_file() else p for p in asked.profile)
    return replace(asked, rules=rules, profile=tuple(own))


def _task(place: Place, asked: Asked, previous: Path | None, waivers: Path | None) -> Task:
    paths = tuple(str(p.resolve()) for p in place.paths)
    given = None if waivers is None else _answers(place, waivers)
    before = None if previous is None else _before(place, previous)
    return Task(
        paths, asked, tuple(waivers_of(given)) if given else (),
        None if before is None else str(before.resolve()),
    )  # fmt: skip


def _before(place: Place, path: Path) -> Path | None:
    """Return last year's data of a submission: under its name, or the same for all."""
    if not path.exists():
        raise GbiError("GBI-E060", where=str(path), exit_code=2)
    if path.is_file() or (path / REPORT).is_file():
        return path
    own = path / place.name
    if own.exists():
        return own
    has_files = any(p.is_file() and p.name != BATCH_FILE for p in path.iterdir())
    return path if has_files else None


def _answers(place: Place, path: Path) -> Path | None:
    if not path.exists():
        raise GbiError("GBI-E060", where=str(path), exit_code=2)
    if path.is_file():
        return path
    named = (path / f"{place.name}{suffix}" for suffix in _WAIVER_FILES)
    return next((p for p in named if p.is_file()), None)


def _common_key(asked: Asked) -> str:
    """Return one SHA-256 over what is the same for all submissions: program, rules, options."""
    options = asdict(asked)
    spoken = asked.annotate or asked.receipt or set(asked.formats) - set(LANGUAGELESS)
    options["lang"] = asked.lang if spoken else None
    options["rules"] = None if asked.rules is None else content([Path(asked.rules)])
    options["profile"] = [content([Path(p)]) if Path(p).is_file() else p for p in asked.profile]
    return hashlib.sha256(canonical_json([program(), options]).encode()).hexdigest()


def _key(place: Place, task: Task, common: str, out: Path | None) -> str:
    # a file that is named is read with its neighbours: code tables, parts of a package
    beside = place.paths if place.folder else sorted({p.parent for p in place.paths})
    before = None if task.previous is None else content([Path(task.previous)])
    made_from = [
        common, content(beside, but=out), [p.name for p in place.paths if place.folder is None],
        before, list(task.waivers),
    ]  # fmt: skip
    return hashlib.sha256(canonical_json(made_from).encode()).hexdigest()


def _is_whole(parts: Parts | None) -> bool:
    try:
        return parts is not None and "exit_codes" in entry_of(parts)
    except (KeyError, ValueError, TypeError):
        return False


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
