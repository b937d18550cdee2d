"""Many submissions validated: options refused early, nothing checked twice, nothing left out."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.batch.cache import Cache
from gbi.batch.checking import LANGUAGELESS, REPORT, entry_of, outputs_of
from gbi.batch.outcome import BATCH_FILE, Batch, Checked
from gbi.batch.submissions import Place, content, program
from gbi.batch.tasks import Task
from gbi.batch.workers import Workers
from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.ingest.profile import profile_named
from gbi.provenance import canonical_json
from gbi.report.outputs import FORMATS
from gbi.validation import read_waivers
from gbi.validation.catalogue import catalogue, pick
from gbi.validation.justification import read_justifications

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gbi.batch.checking import Parts
    from gbi.batch.tasks import Asked

_WAIVER_FILES = (".yaml", ".yml", ".xlsx")


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
    refuse(asked, fail_on, jobs)
    tasks = [task_of(place, asked, previous=previous, waivers=waivers) for place in places]
    names = keys(places, tasks, out=out) if cache is not None else [""] * len(places)
    kept = Cache(cache)
    found: list[Parts | None] = [kept.get(name) for name in names]
    fresh = [n for n, parts in enumerate(found) if not _is_whole(parts)]
    finished = len(places) - len(fresh)

    def done(position: int, parts: Parts) -> None:
        nonlocal finished
        n = fresh[position]
        found[n] = parts
        if entry_of(parts)["lasting"]:
            kept.put(names[n], parts)
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


def task_of(
    place: Place, asked: Asked, *, previous: Path | None = None, waivers: Path | None = None
) -> Task:
    """Return what is to be done for a submission (see :func:`validate_batch`).

    Raises
    ------
    GbiError
        ``GBI-E060`` if a path isn't there; what reading waivers raises.
    """
    given = None if waivers is None else _answers(place, waivers)
    before = None if previous is None else _before(place, previous)
    return Task(
        tuple(str(p.resolve()) for p in place.paths),
        _placed(asked),
        tuple(_waivers_of(given)) if given else (),
        None if before is None else str(before.resolve()),
    )


def _waivers_of(path: Path) -> list[dict[str, Any]]:
    """Read waivers from YAML, or from the answers in an annotated copy or findings workbook."""
    yaml = path.suffix.lower() in (".yaml", ".yml")
    return read_waivers(path) if yaml else read_justifications(path)


def refuse(asked: Asked, fail_on: str, jobs: int | None = None) -> None:
    """Refuse options that no submission could be validated with.

    Raises
    ------
    GbiError
        Exit code 2, with what is allowed.
    """
    if jobs is not None and jobs < 1:
        raise GbiError("GBI-E071", where="jobs", expected="1, 2, 3, …", got=str(jobs))
    allowed = (*SEVERITIES, "never")
    if fail_on not in allowed:
        raise GbiError("GBI-E011", expected=", ".join(allowed), got=fail_on)
    for form in asked.formats:
        if form not in FORMATS:
            raise GbiError("GBI-E089", expected=", ".join(FORMATS), got=form)
    pick(asked.only, asked.exclude, catalogue(None if asked.rules is None else Path(asked.rules)))
    for named in asked.profile:
        profile_named(named)


def _placed(asked: Asked) -> Asked:
    """Return what is asked with whole paths (a worker stands in another folder), its day read."""
    rules = None if asked.rules is None else str(Path(asked.rules).resolve())
    own = (str(Path(p).resolve()) if Path(p).is_file() else p for p in asked.profile)
    try:
        day = None if asked.as_of is None else date.fromisoformat(asked.as_of).isoformat()
    except ValueError:
        raise GbiError("GBI-E130", where="as_of", got=asked.as_of) from None
    return replace(asked, rules=rules, profile=tuple(own), as_of=day)


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


def keys(places: Sequence[Place], tasks: Sequence[Task], *, out: Path | None = None) -> list[str]:
    """Return for each submission one SHA-256 over everything that its results are made from.

    Parameters
    ----------
    places, tasks
        The submissions, and what is to be done for each; the same is asked of all.
    out
        Where results are written: no part of a submission.
    """
    common = _common_key(tasks[0].asked) if tasks else ""
    return [_key(*pair, common, out) for pair in zip(places, tasks, strict=True)]


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
