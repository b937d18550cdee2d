"""``gbi verify``: whether a receipt or a bundle, and its sources, are still what they were."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import say
from gbi.cli.settings import limits_of, profiles_of
from gbi.errors import GbiError
from gbi.language import text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gbi.dataset import Submission
    from gbi.validation import ValidationReport

_OUTCOME = ("status", "reason", "findings", "until")  # what a report adds to a waiver


def verify(args: Namespace) -> int:
    """Compare a receipt or a bundle with what it was made of; 1 if they differ.

    Sources are compared where they are named; validating again needs them.
    """
    if args.rerun and not args.sources:
        raise GbiError("GBI-E133", expected="--sources")
    return _receipt(args) if _is_receipt(Path(args.bundle)) else _bundle(args)


def _is_receipt(path: Path) -> bool:
    from gbi.validation.receipt import SUFFIX

    if not path.is_file():
        return False
    if path.name.endswith(SUFFIX):
        return True
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["schema"]).startswith(
            "gbi-receipt/"
        )
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _receipt(args: Namespace) -> int:
    from gbi.validation.receipt import Receipt, given_waivers
    from gbi.validation.verification import differences, rerun_differences

    path = Path(args.bundle)
    receipt = Receipt.open(path)
    found: list[Any] = [*differences(path, sources=args.sources)]
    if args.rerun:
        content = receipt.content
        names = [i["name"] for i in content["inputs"]]
        waivers = given_waivers(content)
        again = _validated(args, names, content["options"], waivers)
        found += _nearest(again, lambda r: rerun_differences(receipt, r, path.name))
    said = _ended(found)
    if said == 0:
        how = "same_again" if args.rerun else "same_with_sources" if args.sources else "same"
        verdict = text(f"report.verdict.{receipt.verdict}")
        say(text(f"process.verify.{how}", verdict=verdict, day=receipt.valid_until))
    return said


def _bundle(args: Namespace) -> int:
    from gbi.report import ReportBundle

    bundle = ReportBundle.open(args.bundle)
    problems: list[Any] = [*bundle.verify(args.sources)]
    if args.rerun:
        problems += _rerun_of_bundle(args, bundle)
    ended = _ended(problems)
    if ended == 0:
        said = "same_with_sources" if args.sources else "same"
        say(text(f"cli.verify.{said}", fingerprint=bundle.fingerprint))
    return ended


def _rerun_of_bundle(args: Namespace, bundle: Any) -> list[Any]:
    """Validate a bundle's sources again and compare with the report that lies beside it."""
    from gbi.validation.comparison import compare, read_payload
    from gbi.validation.verification import Difference

    path = (bundle.folder or Path()) / "validation.json"
    payload = read_payload(path)
    if payload is None:
        raise GbiError("GBI-E131", where=str(path), exit_code=3)
    waivers = [{k: v for k, v in w.items() if k not in _OUTCOME} for w in payload["waivers"]]
    names = [s["name"] for s in payload["submission"]["sources"]]
    again = _validated(args, names, payload["report"]["options"], waivers)

    def differing(report: ValidationReport) -> list[Any]:
        found = compare(payload, report)
        verdicts, counts = found.verdicts, [len(payload["findings"]), len(report.findings)]
        out = []
        if verdicts[0] != verdicts[1]:
            out.append(Difference("verdict", path.name, *verdicts))
        if found.fixed or found.new:
            out.append(Difference("findings", path.name, *map(str, counts)))
        return out

    return _nearest(again, differing)


def _validated(
    args: Namespace,
    names: Sequence[str],
    options: Mapping[str, Any],
    waivers: list[dict[str, Any]],
) -> Iterator[ValidationReport]:
    """Validate the sources with the same options, in each way in which they may have been read."""
    import gbi

    reading: dict[str, Any] = {"profile": profiles_of(args), "limits": limits_of(args)}
    known = {k: options[k] for k in ("as_of", "only", "exclude") if options.get(k) is not None}
    if args.previous:
        known["previous"] = gbi.read_submission(Path(args.previous), **reading)
    if args.rules:
        known["rules"] = Path(args.rules)
    for submission in _readings(Path(args.sources), names, reading):
        yield gbi.validate(submission, waivers=waivers, **known)


def _readings(root: Path, names: Sequence[str], reading: dict[str, Any]) -> Iterator[Submission]:
    """Read the recorded files: as a folder, which is told the tables it lacks, and one by one."""
    import gbi

    if not root.is_dir():
        yield gbi.read_submission(root, **reading)
        return
    there = [root / name for name in names if (root / name).is_file()]
    if {p.name for p in root.iterdir() if p.is_file()} == set(names):
        yield gbi.read_submission(root, **reading)
    else:  # other files lie there too
        with tempfile.TemporaryDirectory() as folder:
            for path in there:
                shutil.copy(path, folder)
            yield gbi.read_submission(folder, **reading)
    if there:
        yield gbi.read_submission(there, **reading)


def _nearest(
    reports: Iterable[ValidationReport], differing: Callable[[ValidationReport], list[Any]]
) -> list[Any]:
    """Return nothing if one reading gives what was recorded, or else how the first differs."""
    first: list[Any] | None = None
    for report in reports:
        found = differing(report)
        if not found:
            return []
        first = found if first is None else first
    return first or []


def _ended(problems: Sequence[Any]) -> int:
    for problem in problems:
        say(problem.message())
    if problems:
        say(text("cli.verify.differs", n=len(problems)))
    return int(bool(problems))
