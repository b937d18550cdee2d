"""One submission: read, validated and rendered; what came of it as named parts of plain bytes.

The work is the same in this process and in a worker. Parts hold no object of Python: a worker that
a file has taken over can say nothing else.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gbi.dataset import Submission, SubmittedFile
from gbi.errors import GbiError, internal_error
from gbi.findings import SEVERITIES, Cell
from gbi.ingest.faults import fault
from gbi.ingest.safety import Limits
from gbi.language import language
from gbi.provenance import Provenance, Source, canonical_json
from gbi.report.outputs import FORMATS, render_report
from gbi.validation import validate
from gbi.validation.annotation import annotate
from gbi.validation.comparison import read_payload
from gbi.validation.receipt import SUFFIX, receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gbi.batch.tasks import Asked, Task
    from gbi.validation import ValidationReport
    from gbi.validation.preparing import Data

    Parts = dict[str, bytes]

ENTRY, OUTPUTS = "entry.json", "out/"  # names of parts: what came of it; files for the reader
REPORT = "validation.json"  # in a folder of outputs: an earlier report
FAIL_ON = (*SEVERITIES, "never")
_RECEIPT = "validation"
# Formats that are the same in every language.
LANGUAGELESS = ("json", "csv", "parquet", "ndjson")


def check(task: Task) -> Parts:
    """Read, validate and render a submission.

    Returns
    -------
    dict
        ``entry.json`` (what came of it) and ``out/NAME`` for every file wanted. What can't be
        read, and a fault of the program, are told in the entry; nothing is raised.
    """
    with language(task.asked.lang):
        try:
            return _checked(task)
        except GbiError as error:
            return stopped(task, error)
        except Exception as error:
            return stopped(task, internal_error(error))


def stopped(task: Task, error: GbiError) -> Parts:
    """Return the parts of a submission about which there is no report, and why."""
    told = error.to_dict()
    if error.where and Path(error.where).is_absolute():
        # no path of this machine in what is kept; and a folder's name is not its content
        told["where"] = Path(error.where).name if Path(error.where).is_file() else None
    return {ENTRY: _json({
        "verdict": None, "counts": None, "files": None, "fingerprint": None,
        "exit_codes": dict.fromkeys(FAIL_ON, error.exit_code), "error": told, "not_annotated": [],
        "lasting": error.exit_code == 3 and not _of_the_moment(error.expected),
    })}  # fmt: skip


def open_file(reader: str, path: str, profile: tuple[str, ...], limits: Mapping[str, int]) -> None:
    """Read one file by itself and forget it: whether the process lives on is the answer."""
    try:
        _reader(reader)([path], profile=_profile(profile), limits=Limits(**limits))
    except Exception:  # what can't be read is told elsewhere
        return


def report_of(
    task: Task, *, data: Data | None = None, tell: Callable[[str], None] | None = None
) -> tuple[ValidationReport, str | None]:
    """Return the report of a submission, and the fingerprint of last year's data if there are any.

    Parameters
    ----------
    task
        The submission.
    data
        What to validate in the place of its files: a Parquet file by the name of its table.
    tell
        Called with ``read`` and ``validate`` before each.

    Raises
    ------
    GbiError
        What reading and validation raise.
    """
    asked = task.asked
    if tell is not None:
        tell("read")
    found = _submission(task) if data is None else data
    previous, before = _previous(task.previous, asked)
    if tell is not None:
        tell("validate")
    report = validate(
        found, previous=previous, as_of=asked.as_of, only=asked.only, exclude=asked.exclude,
        waivers=list(task.waivers) or None, rules=asked.rules,
    )  # fmt: skip
    return report, before


def rendered(
    report: ValidationReport, task: Task, before: str | None
) -> tuple[Parts, list[dict[str, str]]]:
    """Return the files asked for by name, and the workbooks without an annotated copy, and why."""
    asked = task.asked
    made = {FORMATS[form][0]: render_report(report, form) for form in asked.formats}
    files = {n: c.encode() if isinstance(c, str) else c for n, c in made.items()}
    refused: list[dict[str, str]] = []
    if asked.annotate:
        copies, refused = _annotated(report, task)
        files |= copies
    if asked.receipt:
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        issued = receipt(report, outputs=hashes, previous=before)
        files[f"{_RECEIPT}{SUFFIX}"] = issued.to_json().encode()
        files[f"{_RECEIPT}{SUFFIX.replace('json', 'html')}"] = issued.to_html().encode()
    return files, refused


def _checked(task: Task) -> Parts:
    report, before = report_of(task)
    files, refused = rendered(report, task, before)
    entry = {
        "verdict": report.verdict,
        "counts": report.counts,
        "files": len(report.files),
        "fingerprint": report.provenance.fingerprint,
        "exit_codes": {word: report.exit_code(word) for word in FAIL_ON},
        "error": None,
        "not_annotated": refused,
        "lasting": not report.engine_errors and not any(
            f.code == "GBI-F005" and _of_the_moment(f.expected) for f in report.findings
        ),
    }  # fmt: skip
    return {ENTRY: _json(entry), **{f"{OUTPUTS}{n}": c for n, c in files.items()}}


def _submission(task: Task) -> Submission:
    """Read a submission, and tell of the files that make the reader stop."""
    if not task.without:
        return _read(task.paths, task.asked)
    root = Path(task.paths[0])
    with tempfile.TemporaryDirectory(prefix="gbi-", ignore_cleanup_errors=True) as made:
        rest = _without(task, Path(made))
        try:
            read = _read(tuple(map(str, rest)), task.asked)
        except GbiError:  # nothing else in it can be read: the files that stop it are what is told
            read = Submission({}, (), (), Provenance(), root)
    files, findings = list(read.files), list(read.findings)
    for path in (p for p in _members(task.paths) if p.name in task.without):
        source = Source.of(path)
        files.append(SubmittedFile(path.name, source.sha256, source.size, "unreadable"))
        findings.append(fault("GBI-F028", Cell(path.name, "", "")))
    files.sort(key=lambda f: f.name)
    return replace(read, files=tuple(files), findings=tuple(findings), root=root)


def _without(task: Task, made: Path) -> list[Path]:
    """Return the paths of a submission as they are without the files that make the reader stop."""
    root = Path(task.paths[0])
    if not root.is_dir():
        return [p for p in _members(task.paths) if p.name not in task.without]
    copy = made / "rest"
    top = str(root)
    shutil.copytree(root, copy, ignore=lambda at, _: task.without if str(at) == top else ())
    return [copy]


def _members(paths: tuple[str, ...]) -> list[Path]:
    given = [Path(p) for p in paths]
    return sorted(p for g in given for p in (g.iterdir() if g.is_dir() else [g]) if p.is_file())


def _read(paths: tuple[str, ...], asked: Asked) -> Submission:
    whole = len(paths) == 1 and Path(paths[0]).is_dir()
    submission: Submission = _reader(asked.reader)(
        paths[0] if whole else list(paths),
        profile=_profile(asked.profile),
        limits=Limits(**asked.limits),
    )
    return submission


def _reader(named: str) -> Any:
    module, _, function = named.partition(":")
    return getattr(importlib.import_module(module), function)


def _profile(named: tuple[str, ...]) -> str | list[str] | None:
    return named[0] if len(named) == 1 else list(named) or None


def _previous(path: str | None, asked: Asked) -> tuple[Any, str | None]:
    """Return last year's data or an earlier report, and the fingerprint of the data."""
    if path is None:
        return None, None
    kept = Path(path) / REPORT if Path(path).is_dir() else Path(path)
    if kept.suffix == ".json" and kept.is_file():
        payload = read_payload(kept)
        if payload is not None:
            return payload, None
    data = _last_year(path, asked.profile, tuple(asked.limits.items()))
    return data, data.provenance.fingerprint


@lru_cache(maxsize=1)
def _last_year(
    path: str, profile: tuple[str, ...], limits: tuple[tuple[str, int], ...]
) -> Submission:
    from gbi.ingest import read_submission

    return read_submission(Path(path), profile=_profile(profile), limits=Limits(**dict(limits)))


def _annotated(report: ValidationReport, task: Task) -> tuple[Parts, list[dict[str, str]]]:
    """Return the annotated copies of the workbooks, and why others have none."""
    copies: Parts = {}
    refused = []
    with tempfile.TemporaryDirectory(prefix="gbi-", ignore_cleanup_errors=True) as made:
        for path in _members(task.paths):
            if path.suffix.lower() not in (".xlsx", ".xltx", ".xlsm", ".xlsb"):
                continue
            if path.name.startswith((".", "~$")) or path.name in task.without:
                continue
            target = Path(made) / f"{path.stem}.annote.xlsx"
            name = f"annotated/{target.name}"
            if name in copies:  # a.xlsx and a.xltx
                name = f"annotated/{path.name}.annote.xlsx"
            try:
                done = annotate(report, path, target, limits=Limits(**task.asked.limits))
            except GbiError as error:
                refused.append({"file": path.name, "reason": error.code})
                continue
            if done.path is None:
                refused.append({"file": path.name, "reason": str(done.reason)})
            else:
                copies[name] = done.path.read_bytes()
    return copies, refused


def _of_the_moment(expected: object) -> bool:
    """Say whether a limit was met that depends on the machine's hour: time or memory."""
    return isinstance(expected, str) and (expected.endswith(" s") or expected == "memory")


def _json(value: Any) -> bytes:
    return canonical_json(value).encode()


def entry_of(parts: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what came of a submission."""
    entry: dict[str, Any] = json.loads(parts[ENTRY])
    return entry


def outputs_of(parts: Mapping[str, bytes]) -> Parts:
    """Return the files of a submission by their names below its folder; no other name passes."""
    found = {n.removeprefix(OUTPUTS): c for n, c in parts.items() if n.startswith(OUTPUTS)}
    return {n: c for n, c in sorted(found.items()) if _is_plain(n)}


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and 1 <= len(path.parts) <= 2 and ".." not in path.parts
    return inside and not set(name) & set("\\:\0")
