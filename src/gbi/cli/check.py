"""``gbi validate``: read, check, and say what was found; one submission or many."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import columns, progress, say, say_json
from gbi.cli.parsing import UsageError
from gbi.cli.settings import limits_of
from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.language import format_number, resolve_language, text
from gbi.results import write_atomically

if TYPE_CHECKING:
    from argparse import Namespace

    from gbi.batch import Asked, Batch, Checked, Place
    from gbi.validation import ValidationReport

DEFAULT_FORMATS = ("json", "html", "xlsx")
_ON_SCREEN = ("text", "json", "html", "junit", "sarif", "csv", "ndjson")  # without a folder


def validate(args: Namespace) -> int:
    """Check the files and folders named; end by the verdict, of several by the gravest."""
    from gbi.batch import submissions

    _refuse(args)
    places = submissions(args.paths, out=Path(args.out) if args.out else None)
    return _one(args, places[0]) if len(places) == 1 else _many(args, places)


def _refuse(args: Namespace) -> None:
    """Refuse options that don't go together."""
    formats = _words(args.format)
    alone = len(formats) == 1 and formats[0] in _ON_SCREEN
    if not args.out and (args.annotate or args.receipt or (formats and not alone)):
        raise UsageError("missing", "validate", argument="--out")
    if args.table and args.annotate:
        raise UsageError("argument", "validate", got="--annotate")
    if args.table and not (len(args.paths) == 1 and Path(args.paths[0]).is_file()):
        raise GbiError("GBI-E060", where=args.paths[-1], exit_code=2)


def _one(args: Namespace, place: Place) -> int:
    """Check one submission in this process."""
    from gbi.batch.checking import rendered, report_of
    from gbi.batch.running import refuse, task_of

    refuse(_asked(args), args.fail_on or "blocking", _jobs(args))
    task = task_of(place, _asked(args), previous=_path(args.previous), waivers=_path(args.waivers))
    data = {args.table: place.paths[0]} if args.table else None
    steps = ("read", "validate")
    with progress() as tell:

        def step(name: str) -> None:
            if tell is not None:
                tell(steps.index(name) + 1, len(steps), text(f"report.progress.{name}"))

        report, before = report_of(task, data=data, tell=step)
    if args.json:
        report.to_json(Path(args.json))
    if args.out:
        files, refused = rendered(report, task, before)
        for name, content in files.items():
            write_atomically(Path(args.out) / name, content)
        say(report.summary())
        say()
        for told in refused:
            say(_not_annotated(**told))
        say(text("cli.batch.written", path=args.out))
    else:
        _say(report, _words(args.format))
    return report.exit_code(args.fail_on or "blocking")


def _say(report: ValidationReport, formats: tuple[str, ...]) -> None:
    from gbi.report.outputs import render_report

    form = formats[0] if formats else "text"
    if form == "text":
        say(report.summary())
    else:
        say_json(str(render_report(report, form)).removesuffix("\n"))


def _many(args: Namespace, places: list[Place]) -> int:
    """Check many submissions in processes of their own."""
    from gbi.batch import validate_batch
    from gbi.batch.cache import default_folder

    out = _path(args.out)
    with progress() as tell:
        batch = validate_batch(
            places,
            _asked(args),
            previous=_path(args.previous),
            waivers=_path(args.waivers),
            jobs=_jobs(args),
            cache=None if args.no_cache else _path(args.cache) or default_folder(),
            out=out,
            fail_on=args.fail_on or "blocking",
            progress=tell,
        )
    if args.json:
        write_atomically(Path(args.json), batch.to_json())
    if out is None and _words(args.format) == ("json",):
        say_json(batch.to_json().removesuffix("\n"))
        return batch.exit_code
    say(table(batch))
    if out is not None:
        batch.write(out)
        say(text("cli.batch.written", path=out))
    return batch.exit_code


def table(batch: Batch) -> str:
    """Return a batch as a table: a line each, then the totals."""
    totals = batch.totals
    heads = [text(f"cli.batch.{n}") for n in ("submission", "verdict")]
    heads += [text(f"report.severities.{s}") for s in SEVERITIES] + [text("cli.batch.files")]
    counts = [format_number(totals["counts"][s]) for s in SEVERITIES]
    last = [text("cli.batch.totals", n=format_number(totals["submissions"])), "", *counts]
    last.append(format_number(totals["files"]))
    lines = columns([heads, *(_line(s) for s in batch.submissions), last], indent="")
    verdicts = (f"{_verdict(name)} {format_number(n)}" for name, n in totals["verdicts"].items())
    lines += ["", " · ".join(verdicts)]
    if kept := sum(s.from_cache for s in batch.submissions):
        lines.append(text("cli.batch.cached", n=format_number(kept)))
    for submission in batch.submissions:
        for told in submission.entry["not_annotated"]:
            lines.append(_not_annotated(f"{submission.name}/{told['file']}", told["reason"]))
    return "\n".join(lines)


def _line(submission: Checked) -> list[str]:
    entry = submission.entry
    if entry["error"] is not None:
        failed = "failed" if entry["error"]["exit_code"] == 4 else "unreadable"
        verdict = text(f"cli.batch.{failed}", code=entry["error"]["code"])
        return [submission.name, verdict, *("–" for _ in (*SEVERITIES, "files"))]
    counts = [format_number(entry["counts"][s]) for s in SEVERITIES]
    return [submission.name, _verdict(entry["verdict"]), *counts, format_number(entry["files"])]


def _verdict(name: str) -> str:
    # what could not be read is named with its code in its own line
    return text("cli.batch.none") if name == "unreadable" else text(f"report.verdict.{name}")


def _not_annotated(file: str, reason: str) -> str:
    why = reason if reason.startswith("GBI-") else text(f"annotation.refused.{reason}")
    return text("cli.batch.not_annotated", file=file, reason=why)


def _asked(args: Namespace) -> Asked:
    """Return what is asked of each submission."""
    from gbi.batch import Asked

    return Asked(
        formats=(_words(args.format) or DEFAULT_FORMATS) if args.out else (),
        annotate=args.annotate,
        receipt=args.receipt,
        lang=resolve_language(),
        as_of=args.as_of,
        only=_words(args.only) or None,
        exclude=_words(args.exclude) or None,
        rules=args.rules,
        profile=tuple(args.profile or ()),
        limits=asdict(limits_of(args)),
    )


def _words(given: list[str] | None) -> tuple[str, ...]:
    """Return the words of an option given several times, or once with commas between them."""
    return tuple(dict.fromkeys(w for g in given or () for w in g.split(",") if w))


def _path(given: Any) -> Path | None:
    return Path(given) if given else None


def _jobs(args: Namespace) -> int | None:
    if args.jobs is None:
        return None
    if not args.jobs.isdigit():
        raise GbiError("GBI-E071", where="--jobs", expected="1, 2, 3, …", got=args.jobs)
    return int(args.jobs)
