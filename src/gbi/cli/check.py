"""``gbi validate``: read, check, and say what was found; one submission or many."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import columns, progress, say, say_json
from gbi.cli.parsing import UsageError
from gbi.cli.settings import limits_of, profiles_of
from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.language import format_number, resolve_language, text

if TYPE_CHECKING:
    from argparse import Namespace

    from gbi.batch import Asked, Batch, Checked
    from gbi.validation import ValidationReport

DEFAULT_FORMATS = ("json", "html", "xlsx")
_ON_SCREEN = ("text", "json", "html", "junit", "sarif", "csv", "ndjson")  # without a folder


def validate(args: Namespace) -> int:
    """Check the files and folders named; end by the verdict, of several by the gravest."""
    from gbi.batch import submissions

    _refuse(args)
    if args.table:
        return _register(args)
    out = Path(args.out) if args.out else None
    places = submissions(args.paths, out=out)
    if len(places) > 1:
        return _many(args, places, out)
    return _one(args, places[0].paths)


def _refuse(args: Namespace) -> None:
    """Refuse options that need another one."""
    formats = _formats(args)
    alone = len(formats) == 1 and formats[0] in _ON_SCREEN
    if not args.out and (args.annotate or args.receipt or (formats and not alone)):
        raise UsageError("missing", "validate", argument="--out")
    if args.table and (len(args.paths) != 1 or args.annotate):
        got = "--annotate" if args.annotate else args.paths[-1]
        raise UsageError("argument", "validate", got=got)


def _register(args: Namespace) -> int:
    """Check a Parquet file in pieces."""
    import gbi

    path = Path(args.paths[0])
    if not path.is_file():
        raise GbiError("GBI-E060", where=str(path), exit_code=2)
    with progress() as tell:
        if tell is not None:
            tell(1, 1, text("report.progress.validate"))
        report = gbi.validate({args.table: path}, **_options(args))
    return _told(args, report, ())


def _one(args: Namespace, paths: tuple[Path, ...]) -> int:
    import gbi
    from gbi.batch.running import refuse

    refuse(_asked(args), args.fail_on or "blocking", _jobs(args))
    with progress() as tell:
        if tell is not None:
            tell(1, 2, text("report.progress.read"))
        submission = gbi.read_submission(
            paths[0] if len(paths) == 1 else list(paths),
            profile=profiles_of(args),
            limits=limits_of(args),
        )
        if tell is not None:
            tell(2, 2, text("report.progress.validate"))
        report = gbi.validate(submission, **_options(args))
    return _told(args, report, paths)


def _options(args: Namespace) -> dict[str, Any]:
    """Return the options of :func:`gbi.validate`."""
    from gbi.batch.running import waivers_of

    out: dict[str, Any] = {
        "as_of": args.as_of,
        "only": _words(args.only),
        "exclude": _words(args.exclude),
        "rules": args.rules,
    }
    if args.waivers:
        out["waivers"] = waivers_of(Path(args.waivers))
    if args.previous:
        from gbi.batch.checking import previous_of

        out["previous"], _ = previous_of(args.previous, _asked(args))
    return out


def _told(args: Namespace, report: ValidationReport, paths: tuple[Path, ...]) -> int:
    """Write and say what one submission gave."""
    from gbi.batch.checking import rendered

    if args.json:
        report.to_json(Path(args.json))
    formats = _formats(args)
    if args.out:
        from gbi.results import write_atomically

        before = previous_of_report(args)
        files, refused = rendered(report, _asked(args), tuple(map(str, paths)), before=before)
        for name, content in files.items():
            write_atomically(Path(args.out) / name, content)
        say(report.summary())
        _say_written(args.out, refused)
    elif formats and formats[0] != "text":
        from gbi.report.outputs import render_report

        say_json(str(render_report(report, formats[0])).rstrip("\n"))
    else:
        say(report.summary())
    return report.exit_code(args.fail_on or "blocking")
