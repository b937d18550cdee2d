"""``gbi verify``: whether a receipt or a bundle, and its sources, are still what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import say
from gbi.cli.settings import limits_of, profiles_of
from gbi.errors import GbiError
from gbi.language import text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

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
    from gbi.validation import receipt as receipts

    path = Path(args.bundle)
    receipt = receipts.Receipt.open(path)
    again = None
    if args.rerun:
        content = receipt.content
        again = _validated(
            args,
            [i["name"] for i in content["inputs"]],
            content["options"],
            receipts.given_waivers(content),
        )
    said = _ended(receipts.differences(path, sources=args.sources, rerun=again))
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
    from gbi.validation.receipt import Difference

    path = (bundle.folder or Path()) / "validation.json"
    payload = read_payload(path)
    if payload is None:
        raise GbiError("GBI-E131", where=str(path), exit_code=3)
    waivers = [{k: v for k, v in w.items() if k not in _OUTCOME} for w in payload["waivers"]]
    names = [s["name"] for s in payload["submission"]["sources"]]
    again = _validated(args, names, payload["report"]["options"], waivers)
    found = compare(payload, again)
    differing = []
    if again.verdict != payload["verdict"]:
        differing.append(Difference("verdict", path.name, payload["verdict"], again.verdict))
    if found.fixed or found.new:
        counts = (len(payload["findings"]), len(again.findings))
        differing.append(Difference("findings", path.name, *map(str, counts)))
    return differing


def _validated(
    args: Namespace,
    names: Sequence[str],
    options: Mapping[str, Any],
    waivers: list[dict[str, Any]],
) -> ValidationReport:
    """Read the sources as they were read, and validate with the same options."""
    import gbi

    reading: dict[str, Any] = {"profile": profiles_of(args), "limits": limits_of(args)}
    known = {k: options[k] for k in ("as_of", "only", "exclude") if options.get(k) is not None}
    if args.previous:
        known["previous"] = gbi.read_submission(Path(args.previous), **reading)
    if args.rules:
        known["rules"] = Path(args.rules)
    submission = gbi.read_submission(_sources(Path(args.sources), names), **reading)
    return gbi.validate(submission, waivers=waivers, **known)


def _sources(root: Path, names: Sequence[str]) -> Path | list[Path]:
    """Return the folder, or of a folder that has other files too those that were read."""
    if not root.is_dir():
        return root
    there = {p.name for p in root.iterdir() if p.is_file()}
    return root if there == set(names) else [root / n for n in names if (root / n).is_file()]


def _ended(problems: Sequence[Any]) -> int:
    for problem in problems:
        say(problem.message())
    if problems:
        say(text("cli.verify.differs", n=len(problems)))
    return int(bool(problems))
