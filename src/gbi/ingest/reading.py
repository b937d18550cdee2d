"""Files to datasets: one file, or all files of a submission."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gbi.dataset import Dataset, Submission, SubmittedFile
from gbi.errors import GbiError
from gbi.findings import Cell, Finding
from gbi.ingest.catalogue import with_catalogue
from gbi.ingest.detection import detect
from gbi.ingest.faults import fault
from gbi.ingest.formats import FORMATS, Format, format_of
from gbi.ingest.frames import dataset_of, join
from gbi.ingest.grid import Opened
from gbi.ingest.parsing import Parsed, parse
from gbi.ingest.profile import Profile, profile_named
from gbi.ingest.reference import disagreements
from gbi.provenance import Provenance, Source

# What may lie beside the figures: texts and pictures are companions, not unknown data, unless
# they are named one by one.
_COMPANIONS = (".md", ".txt", ".pdf", ".docx", ".odt", ".html", ".png", ".jpg", ".jpeg", ".svg")
# A spreadsheet that no adapter opens: its figures would be missing, so it is not passed over.
_CLOSED = (".numbers",)
_FINDING_OF = {"GBI-E061": "GBI-F001", "GBI-E062": "GBI-F004", "GBI-E063": "GBI-F005",
               "GBI-E064": "GBI-F003", "GBI-E066": "GBI-F001", "GBI-E069": "GBI-F001"}  # fmt: skip


def read(path: str | Path, *, table: str | None = None, profile: str | None = None) -> Dataset:
    """Read one file.

    Parameters
    ----------
    path
        A workbook (``.xlsx``, ``.xlsm``) or a delimited text file in UTF-8.
    table
        The table that is expected; another one is an error.
    profile
        The profile that describes the layout; by default the one whose headers agree.

    Returns
    -------
    Dataset
        Its ``findings`` say what could not be understood, each at its cell.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E060`` (no such path), ``GBI-E065`` (no such profile), ``GBI-E030``
        (another table). Exit code 3: ``GBI-E061`` to ``GBI-E064`` and ``GBI-E066`` (damaged,
        password, unsafe, not UTF-8, another format), ``GBI-E067`` (no profile knows it),
        ``GBI-E068`` (it holds nothing).
    """
    submission = read_submission([Path(path)], profile=profile)
    if not submission.datasets:
        name = Path(path).name
        empty = any(f.code == "GBI-F002" for f in submission.findings)
        raise GbiError("GBI-E068" if empty else "GBI-E067", where=name, exit_code=3)
    (data,) = submission.datasets.values()
    if table is not None and data.table != table:
        raise GbiError("GBI-E030", where=Path(path).name, expected=table, got=data.table)
    return replace(data, findings=(*submission.findings, *data.findings))


def read_submission(
    folder: str | Path | Sequence[str | Path], *, profile: str | None = None
) -> Submission:
    """Read a sender's files.

    Parameters
    ----------
    folder
        A folder, of which every file is looked at (not its subfolders), or the files themselves.
    profile
        A profile for all files of its format, instead of the one whose headers agree.

    Returns
    -------
    Submission
        Every file is listed in ``files``, with what became of it. Results chains have taken sex,
        unit and direction from the indicator catalogue among the files.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E060`` (no such path), ``GBI-E065`` (no such profile). Exit code 3: a
        file that was named cannot be read, or nothing in the folder can (``GBI-E067``).
    """
    chosen = profile_named(profile) if profile is not None else None
    root, paths = _paths(folder)
    named = not isinstance(folder, str | Path) or Path(folder).is_file()
    outcomes = [_outcome(path, base, chosen, named) for path, base in paths]
    errors = [o.error for o in outcomes if o.error is not None]
    nothing = not any(o.parsed is not None or o.empty for o in outcomes)
    if errors and (named or nothing):
        raise errors[0]
    if nothing:
        raise GbiError("GBI-E067", where=", ".join(o.name for o in outcomes) or str(root),
                       exit_code=3)  # fmt: skip
    datasets, findings = join(d for o in outcomes if (d := o.dataset) is not None)
    if "performance" in datasets:
        joined = with_catalogue(datasets["performance"], datasets.get("catalogue"))
        datasets = {**datasets, "performance": joined}
    seen = [*(f for o in outcomes for f in o.findings), *findings]
    read_files = [o.provenance for o in outcomes if o.parsed is not None]
    return Submission(
        datasets, tuple(o.file for o in outcomes), tuple(seen), Provenance.merge(*read_files), root
    )


def _paths(folder: str | Path | Sequence[str | Path]) -> tuple[Path, list[tuple[Path, Path]]]:
    """Return the submission's folder, and each file with the folder that its name is from.

    A name is the file's own; where two files bear the same one, the folder's is put in front.
    """
    given = [Path(folder)] if isinstance(folder, str | Path) else [Path(p) for p in folder]
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            files += sorted(p for p in path.iterdir() if p.is_file() and _visible(p))
        elif path.is_file():
            files.append(path)
        else:
            raise GbiError("GBI-E060", where=str(path), exit_code=2)
    unique = {p.resolve(): p for p in files}
    names = Counter(p.name for p in unique.values())
    root = given[0] if given and given[0].is_dir() else (given[0].parent if given else Path())
    based = [
        (p, p.parent if names[p.name] == 1 else p.resolve().parent.parent) for p in unique.values()
    ]
    return root, based


def _visible(path: Path) -> bool:
    """Leave out hidden files and the locks that an open workbook leaves."""
    return not path.name.startswith((".", "~$"))


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of one file."""

    name: str
    source: Source
    provenance: Provenance
    profile: Profile | None = None
    parsed: Parsed | None = None
    findings: tuple[Finding, ...] = ()
    error: GbiError | None = None
    empty: bool = False
    companion: bool = False

    @property
    def dataset(self) -> Dataset | None:
        """The file's dataset; None for a reference file and for one that wasn't read."""
        if self.parsed is None or self.profile is None or self.profile.table is None:
            return None
        return dataset_of(self.parsed, self.profile, self.provenance)

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
            0 if self.parsed is None else len(self.parsed.rows.records),
        )  # fmt: skip


def _outcome(path: Path, root: Path, chosen: Profile | None, named: bool) -> _Outcome:
    source = Source.of(path, root=root)
    provenance = Provenance.of_files([path], root=root)
    outcome = _Outcome(source.name, source, provenance)
    place = Cell(source.name, "", "")
    if path.suffix.lower() in _COMPANIONS and not named:
        return replace(outcome, companion=True)
    try:
        opened = _opened(path, source.name)
    except GbiError as error:
        return replace(outcome, error=error, findings=(_unread(error, place),))
    if opened is None:
        return replace(outcome, findings=(fault("GBI-F006", place),))
    content, known = opened
    grids, kind = content.grids, known.shape
    if all(g.empty for g in grids):
        return replace(outcome, empty=True, findings=(fault("GBI-F002", place),))
    profile = chosen if chosen is not None and chosen.format == kind else detect(grids, kind)
    if profile is None:
        return replace(outcome, findings=(fault("GBI-F006", place),))
    parsed = parse(grids, profile)
    findings = [*disagreements(parsed, profile)]
    if not parsed.rows.records and not parsed.findings:
        findings.append(fault("GBI-F002", place))
    if profile.table is None:
        findings += parsed.findings
    version = str(profile.document["version"])
    return replace(
        outcome, profile=profile, parsed=parsed, findings=tuple(findings),
        provenance=provenance.then("read", profile=profile.name, version=version),
    )  # fmt: skip


def _opened(path: Path, name: str) -> tuple[Opened, Format] | None:
    """Return a file's content and format; None for a file that holds no table."""
    known = format_of(path)
    if path.suffix.lower() in _CLOSED:
        suffixes = ", ".join(s for f in FORMATS for s in f.suffixes)
        raise GbiError("GBI-E066", where=name, expected=suffixes, got=path.suffix, exit_code=3)
    return None if known is None else (known.open(path, name), known)


def _unread(error: GbiError, place: Cell) -> Finding:
    return fault(_FINDING_OF[error.code], place, found=error.got, expected=error.expected,
                 limit=error.expected, value=error.got)  # fmt: skip
