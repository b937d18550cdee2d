"""One file: opened by its format, read by its profile, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.dataset import Dataset, SubmittedFile
from gbi.errors import GbiError
from gbi.findings import Cell, Finding
from gbi.ingest.detection import detect
from gbi.ingest.extraction import Parsed
from gbi.ingest.faults import fault, flag_faults
from gbi.ingest.formats import FORMATS, PACKAGE, Format, format_of
from gbi.ingest.frames import MICRODATA, dataset_of, microdata
from gbi.ingest.parsing import parse
from gbi.ingest.reference import disagreements
from gbi.ingest.returned import without_answers
from gbi.ingest.template import (
    entries_only,
    template_changed,
    template_form,
    template_profile,
)
from gbi.ingest.writing import own_profile, own_table, restored
from gbi.provenance import Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.ingest.grid import Opened
    from gbi.ingest.profile import Profile
    from gbi.ingest.safety import Limits
    from gbi.ingest.template.form import Form

# What may lie beside the figures: texts and pictures are companions, not unknown data, unless
# they are named one by one.
_COMPANIONS = (".md", ".txt", ".pdf", ".docx", ".odt", ".html", ".png", ".jpg", ".jpeg", ".svg")
# A spreadsheet that no adapter opens: its figures would be missing, so it is not passed over.
_CLOSED = (".numbers",)
_FINDING_OF = {"GBI-E061": "GBI-F001", "GBI-E062": "GBI-F004", "GBI-E063": "GBI-F005",
               "GBI-E064": "GBI-F003", "GBI-E066": "GBI-F001", "GBI-E069": "GBI-F001"}  # fmt: skip
# What an adapter tells about itself that changes what is read: parameters of the step "read".
_RECORDED = ("encoding", "delimiter", "query", "address", "layout", "sha256:")
# Formats that hold other things than tables as often as not.
_OFTEN = ("json", "sdmx", "html")
_ANSWER = Format("sql", (), "table", "database:open_database", "sql", typed=True)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    path, name
        The file, and its name inside the submission.
    source, provenance
        Its content by hash, and how it was read.
    profile, parsed, data
        The profile that knows it and what it holds: records, or microdata.
    parts
        The files that it is made of, beside itself (a Data Package).
    findings
        About the file as a whole.
    error
        Why it could not be read.
    empty, companion
        Whether it holds nothing, and whether it is there beside the figures.
    """

    path: Path
    name: str
    source: Source
    provenance: Provenance
    profile: Profile | None = None
    parsed: Parsed | None = None
    findings: tuple[Finding, ...] = ()
    error: GbiError | None = None
    data: Dataset | None = None
    parts: tuple[Path, ...] = ()
    empty: bool = False
    companion: bool = False

    @property
    def dataset(self) -> Dataset | None:
        """The file's dataset; None for a reference file and for one that wasn't read."""
        if self.data is not None:
            return replace(self.data, provenance=self.provenance)
        if self.parsed is None or self.profile is None or self.profile.table is None:
            return None
        return dataset_of(self.parsed, self.profile, self.provenance)

    def as_part(self) -> Outcome:
        """Return a file that was read as a part of another one."""
        return replace(self, companion=True, parsed=None, data=None, error=None, findings=())

    def as_companion(self) -> Outcome:
        """Return a file that another one was read with as such, if nothing else is known of it."""
        if self.parsed is not None:
            return self
        findings = tuple(f for f in self.findings if f.code != "GBI-F006")
        return replace(self, companion=True, findings=findings)

    @property
    def file(self) -> SubmittedFile:
        """The file as the submission lists it."""
        if self.parsed is not None:
            status = "read"
        elif self.error is not None or self.empty:
            status = "unreadable"
        else:
            status = "ignored" if self.companion else "unknown"
        known = self.profile if self.parsed is not None else None
        return SubmittedFile(
            self.name, self.source.sha256, self.source.size, status,
            None if known is None else known.name, None if known is None else known.table,
            len(self.data) if self.data is not None else 0 if self.parsed is None
            else len(self.parsed.rows.records),
        )  # fmt: skip


def outcome_of(
    path: Path,
    root: Path,
    chosen: Sequence[Profile],
    limits: Limits,
    *,
    named: bool,
    forced: bool = True,
) -> Outcome:
    """Open a file and read it by the profile that knows it."""
    source = Source.of(path, root=root)
    provenance = Provenance.of_files([path], root=root)
    outcome = Outcome(path, source.name, source, provenance)
    place = Cell(source.name, "", "")
    known = format_of(path)
    if path.suffix.lower() in _COMPANIONS and not named:
        return replace(outcome, companion=True)
    try:
        if known is None and (named or path.suffix.lower() in _CLOSED):
            raise _closed(path, source.name)
        if known is None:
            return replace(outcome, findings=(fault("GBI-F006", place),))
        opened = without_answers(known.open(path, source.name, limits))
    except GbiError as error:
        if error.code == "GBI-E066" and not named and known is not None and known.name in _OFTEN:
            return replace(outcome, findings=(fault("GBI-F006", place),))  # no table in it
        return replace(outcome, error=error, findings=(_unread(error, place),))
    return _read_by(outcome, opened, known, chosen, path.parent, forced=forced, limits=limits)


def queried(address: str, query: str | None, chosen: Profile | None, limits: Limits) -> Outcome:
    """Ask a database and read the answer like a table of a file."""
    from gbi.ingest.database import database_source, open_database

    if query is None:
        raise GbiError("GBI-E071", where="query", expected="SELECT …", got="–")
    opened = open_database(address, query, limits)
    source = database_source(opened)
    outcome = Outcome(Path(source.name), source.name, source, Provenance(sources=(source,)))
    chosen_list = [chosen] if chosen is not None else []
    return _read_by(outcome, opened, _ANSWER, chosen_list, None, forced=True, limits=limits)


def _read_by(
    outcome: Outcome,
    opened: Opened,
    known: Format,
    chosen: Sequence[Profile],
    folder: Path | None,
    *,
    forced: bool,
    limits: Limits,
) -> Outcome:
    """Read what was opened by the profile that knows it."""
    place = Cell(outcome.name, "", "")
    grids = opened.grids
    if all(g.empty for g in grids):
        return replace(outcome, empty=True, findings=(fault("GBI-F002", place),))
    fitting = [p for p in chosen if p.format == known.shape or p.table == MICRODATA]
    form = template_form(opened)
    if forced and fitting:
        profile: Profile | None = fitting[0]
    elif form is not None:
        opened = entries_only(opened)
        grids = opened.grids
        profile = template_profile(opened)
    elif (table := own_table(opened)) is not None:
        profile = own_profile(table, known.shape)
        opened = restored(opened, known.name)
        grids = opened.grids
    else:
        profile = detect(grids, known.shape, fitting)
    if profile is None:
        return replace(outcome, findings=(fault("GBI-F006", place),))
    provenance = outcome.provenance
    if profile.table == MICRODATA:
        parsed = Parsed(sheets=[g.sheet for g in grids[:1]])
        data = microdata(grids[0], profile)
        empty = not len(data)
    else:
        parsed = parse(grids, profile, folder=folder, typed=known.typed, limits=limits)
        data, empty = None, not parsed.rows.records and not parsed.findings
    seen = flag_faults(opened, outcome.name, parsed.sheets)
    findings = [*seen, *disagreements(parsed, profile)]
    if empty:
        findings.append(fault("GBI-F002", place))
    if form is not None:
        findings += _form_faults(opened, form, parsed, place)
    if profile.table is None:
        findings += parsed.findings
    if parsed.looked_up and folder is not None:
        provenance = Provenance.merge(
            provenance, Provenance.of_files(parsed.looked_up, root=folder)
        )
    files = dict.fromkeys(g.file for g in grids if g.file != outcome.name)
    parts = tuple(folder / f for f in files) if known is PACKAGE and folder is not None else ()
    how = {k: v for k, v in opened.details.items() if k.startswith(_RECORDED)}
    if parsed.dropped:
        how["rows_filtered_out"] = str(parsed.dropped)
    version = str(profile.document.get("version", ""))
    return replace(
        outcome, profile=profile, parsed=parsed, data=data, findings=tuple(findings), parts=parts,
        provenance=provenance.then("read", profile=profile.name, version=version, **how),
    )  # fmt: skip


# Years by which the newest figures of a table may lie behind the form's year.
_LATE = {"statistics": 3, "population": 3, "staff": 2, "beneficiaries": 2}


def _form_faults(opened: Opened, form: Form, parsed: Parsed, place: Cell) -> list[Finding]:
    """Say whether a form was changed, and whether it holds no row of its year.

    Figures of what has happened are those of a year before, as a rule.
    """
    out = [fault("GBI-S020", place)] if template_changed(opened) else []
    years = sorted({str(r.get("TIME_PERIOD") or "")[:4] for r in parsed.rows.records} - {""})
    late = _LATE.get(form.name, 0)
    if years and not {str(form.year - n) for n in range(late + 1)} & set(years):
        out.append(fault("GBI-S021", place, found=", ".join(years), expected=str(form.year)))
    return out


def _closed(path: Path, name: str) -> GbiError:
    suffixes = ", ".join(dict.fromkeys(s for f in FORMATS for s in f.suffixes))
    return GbiError("GBI-E066", where=name, expected=suffixes, got=path.suffix, exit_code=3)


def _unread(error: GbiError, place: Cell) -> Finding:
    return fault(_FINDING_OF[error.code], place, found=error.got, expected=error.expected,
                 limit=error.expected, value=error.got)  # fmt: skip
