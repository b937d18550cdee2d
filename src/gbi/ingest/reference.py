"""Reference files: compared with the code lists, never a source of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET
from gbi.findings import Cell, Finding
from gbi.ingest.faults import fault
from gbi.vocabulary import codes, label, ministry_of

if TYPE_CHECKING:
    from gbi.ingest.extraction import Parsed
    from gbi.ingest.profile import Profile


def disagreements(parsed: Parsed, profile: Profile) -> list[Finding]:
    """Find where a file of departments names another ministry than the code list."""
    if profile.table is not None:
        return []
    out = []
    for record, origin in zip(parsed.rows.records, parsed.rows.origins, strict=True):
        if record.get("DEPARTMENT") not in codes("CL_DEPARTMENT") or "MINISTRY" not in record:
            continue
        official = ministry_of(record["DEPARTMENT"])
        if record["MINISTRY"] != official:
            cell = Cell(origin[ORIGIN_FILE], origin[ORIGIN_SHEET], origin.get("MINISTRY", ""))
            out.append(
                fault("GBI-C001", cell, field="MINISTRY", found=record.get("MINISTRY_LABEL"),
                      suggestion=label("CL_MINISTRY", official, "fr"))
            )  # fmt: skip
    return out
