"""``gbi validate``: read, check, and say what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gbi.cli.console import progress, say
from gbi.dataset import Dataset, Submission, SubmittedFile
from gbi.language import text
from gbi.provenance import Provenance

if TYPE_CHECKING:
    from argparse import Namespace


def validate(args: Namespace) -> int:
    """Check the files and folders named; end by the verdict."""
    import gbi

    with progress() as tell:
        if tell is not None:
            tell(1, 2, text("report.progress.read"))
        submission = gather([Path(p) for p in args.paths])
        if tell is not None:
            tell(2, 2, text("report.progress.validate"))
        report = gbi.validate(submission)
    if args.json:
        report.to_json(Path(args.json))
    say(report.summary())
    return report.exit_code(args.fail_on or "blocking")


def gather(paths: list[Path]) -> Submission:
    """Read files and folders as one submission.

    Parameters
    ----------
    paths
        A folder is read as a whole; a file by itself.

    Returns
    -------
    Submission
        The datasets of all paths, joined by table.

    Raises
    ------
    GbiError
        With exit code 2 for a path that is not there, 3 for a file that can't be read.
    """
    from gbi.ingest import read_submission

    parts = [read_submission(p) if not p.is_file() else _alone(p) for p in paths]
    if len(parts) == 1:
        return parts[0]
    tables = dict.fromkeys(name for part in parts for name in part.datasets)
    return Submission(
        {t: Dataset.concat([p.datasets[t] for p in parts if t in p]) for t in tables},
        tuple(f for p in parts for f in p.files),
        tuple(f for p in parts for f in p.findings),
        Provenance.merge(*(p.provenance for p in parts)),
        parts[0].root,
    )


def _alone(path: Path) -> Submission:
    from gbi.ingest import read

    data = read(path)
    source = data.provenance.sources[0]
    file = SubmittedFile(path.name, source.sha256, source.size, "read", None, data.table, len(data))
    return Submission({data.table: data}, (file,), (), data.provenance, path.parent)
