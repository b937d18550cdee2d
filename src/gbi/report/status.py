"""What a run leaves for the program that started it: ``status.json``, written before exit.

The clock and the machine's library versions live here and nowhere else, so that everything beside
this file is the same on every run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.provenance import canonical_json, environment
from gbi.results import write_atomically

if TYPE_CHECKING:
    from gbi.report.bundle import ReportBundle

STATUS_SCHEMA = "gbi-status/1"


def write_status(
    bundle: ReportBundle, out: str | Path, *, finished: datetime | None = None
) -> Path:
    """Write ``status.json`` into the output folder, whole or not at all.

    Parameters
    ----------
    bundle
        A bundle that was written to ``out``.
    out
        The output folder.
    finished
        When the run ended (with a time zone); now by default.

    Returns
    -------
    Path
        The file. Schema ``gbi-status/1``: exit code, verdict, counts, fingerprint, the outputs
        with their SHA-256, start and end in UTC, and the environment.
    """
    ended = finished or datetime.now(UTC)
    document = bundle.document
    status = {
        "schema": STATUS_SCHEMA,
        "exit_code": bundle.exit_code,
        "verdict": bundle.verdict,
        "counts": bundle.counts,
        "fingerprint": bundle.fingerprint,
        "seal": document["seal"],
        "language": document["language"],
        "outputs": ["bundle.json", *(a["path"] for a in document["artefacts"])],
        "started": bundle.started.astimezone(UTC).isoformat(timespec="seconds"),
        "finished": ended.astimezone(UTC).isoformat(timespec="seconds"),
        "seconds": round((ended - bundle.started).total_seconds(), 1),
        "environment": environment(),
    }
    return write_atomically(Path(out) / "status.json", canonical_json(status, indent=1) + "\n")
