"""``gbi run`` and ``gbi demo``: the main job, and one screen about what it gave."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.cli.console import columns, progress, say
from gbi.cli.settings import limits_of, profiles_of
from gbi.findings import SEVERITIES
from gbi.language import format_number, resolve_language, text

if TYPE_CHECKING:
    from argparse import Namespace

    from gbi.report import ReportBundle

DEMO_FOLDER = "gbi-demo"
ENGINE_ERROR = 4
_RULES_SHOWN = 12
_WHERE = ("report.html", "findings.xlsx", "bundle.json", "annotated")


def run(args: Namespace) -> int:
    """Do the main job on a folder; end by its verdict."""
    from gbi import pipeline

    with progress() as tell:
        bundle = pipeline.run(
            args.folder,
            args.out,
            profile=profiles_of(args),
            limits=limits_of(args),
            fail_on=args.fail_on or "blocking",
            progress=tell,
        )
    say(screen(bundle, Path(args.out)))
    return bundle.exit_code


def demo(args: Namespace) -> int:
    """Do the main job on the packaged sample; its findings are no failure of the demo."""
    from gbi import pipeline

    out = Path(args.out or DEMO_FOLDER)
    with progress() as tell:
        bundle = pipeline.demo(out, progress=tell)
    say(screen(bundle, out))
    return ENGINE_ERROR if bundle.exit_code == ENGINE_ERROR else 0


def screen(bundle: ReportBundle, out: Path) -> str:
    """Return what a run says when it is done: files, figures, findings, verdict, where to look."""
    lang = resolve_language()
    document = bundle.document
    lines = [document["title"][lang], ""]
    lines += [text("cli.screen.files"), *_files(document["submission"]["files"]), ""]
    if document["key_figures"]:
        shown = [(f["label"][lang], f["display"][lang]) for f in document["key_figures"]]
        lines += [text("cli.screen.figures"), *columns(shown), ""]
    findings = () if bundle.validation is None else bundle.validation.findings
    lines += [text("cli.screen.verdict", verdict=document["verdict"]["label"][lang])]
    lines += [f"  {_counts(bundle.counts)}", *_by_rule(findings, lang), ""]
    lines += [text("cli.screen.where")]
    return "\n".join([*lines, *(f"  {out / name}" for name in _WHERE if (out / name).exists())])


def _files(files: list[dict[str, Any]]) -> list[str]:
    rows = []
    for f in files:
        what = text(f"report.file_status.{f['status']}")
        size = ""
        if f["table"]:
            what = text(f"report.tables.{f['table']}")
            size = text("cli.screen.rows", n=format_number(f["rows"]))
        rows.append((f["name"], what, size))
    return columns(rows)


def _counts(counts: dict[str, int]) -> str:
    shown = [f"{text(f'report.severities.{s}')} {format_number(n)}" for s, n in counts.items() if n]
    return " · ".join(shown) if shown else text("cli.screen.nothing")


def _by_rule(findings: Any, lang: str) -> list[str]:
    """Return the rules that found something, the gravest and the most frequent first."""
    times = Counter((f.severity, f.code) for f in findings if f.status != "waived")
    titles = {f.code: f.message[lang]["title"] for f in findings}
    ordered = sorted(times, key=lambda k: (SEVERITIES.index(k[0]), -times[k], k[1]))
    rows = [
        (code, text(f"report.severity.{level}"), format_number(times[level, code]), titles[code])
        for level, code in ordered
    ]
    lines = columns(rows[:_RULES_SHOWN])
    if len(rows) > _RULES_SHOWN:
        lines.append(f"  {text('cli.screen.more', n=len(rows) - _RULES_SHOWN)}")
    return lines
