"""Files to datasets: one file, or all files of a submission."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from gbi.dataset import Dataset, Submission
from gbi.errors import GbiError
from gbi.findings import Finding
from gbi.ingest.catalogue import with_catalogue
from gbi.ingest.faults import fault
from gbi.ingest.formats import format_of
from gbi.ingest.frames import MICRODATA, join
from gbi.ingest.intake import Outcome, outcome_of, queried
from gbi.ingest.profile import Profile, profile_named
from gbi.ingest.safety import LIMITS, Limits
from gbi.provenance import Provenance

# Without these a submission gives no analysis of its own.
_EXPECTED = ("budget", "performance", "marking")


def read(
    path: str | Path,
    *,
    table: str | None = None,
    profile: str | Path | Profile | None = None,
    query: str | None = None,
    limits: Limits = LIMITS,
) -> Dataset:
    """Read one file, or the result of a query.

    Parameters
    ----------
    path
        A file of any format in :data:`gbi.ingest.formats.FORMATS`, or the address of a database
        (``duckdb:///…``, ``sqlite:///…``, ``postgresql://…``).
    table
        The table that is expected; another one is an error. ``"survey"`` reads microdata as they
        are, without a profile.
    profile
        The profile that describes the layout, by name, by the path of its file, or itself; by
        default the one whose headers agree.
    query
        What to ask a database: one SELECT.
    limits
        What a file may be at most.

    Returns
    -------
    Dataset
        Its ``findings`` say what could not be understood, each at its cell.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E060`` (no such path), ``GBI-E065`` (no such profile), ``GBI-E030``
        (another table), ``GBI-E071`` (a database without a query, a profile of another shape).
        Exit code 3: ``GBI-E061`` to ``GBI-E064``, ``GBI-E066`` and ``GBI-E069`` (damaged,
        password, unsafe, encoding, another format, missing extra), ``GBI-E057`` (the query failed),
        ``GBI-E067`` (no profile knows it), ``GBI-E068`` (it holds nothing).
    """
    chosen = profile_named(profile) if profile is not None else None
    if chosen is None and table == MICRODATA:
        chosen = Profile(MICRODATA, {"format": "table", "table": MICRODATA})
    if "://" in str(path):
        outcome = queried(str(path), query, chosen, limits)
        outcomes, name = [outcome], outcome.name
    else:
        outcomes, name = [_single(Path(path), chosen, limits)], Path(path).name
    submission = _submission(outcomes, Path(path).parent)
    if not submission.datasets:
        empty = any(f.code == "GBI-F002" for f in submission.findings)
        raise GbiError("GBI-E068" if empty else "GBI-E067", where=name, exit_code=3)
    (data,) = submission.datasets.values()
    if table is not None and data.table != table:
        raise GbiError("GBI-E030", where=name, expected=table, got=data.table)
    return replace(data, findings=(*submission.findings, *data.findings))


def _single(path: Path, chosen: Profile | None, limits: Limits) -> Outcome:
    if not path.is_file():
        raise GbiError("GBI-E060", where=str(path), exit_code=2)
    known = format_of(path)
    if chosen and known and chosen.table != MICRODATA and chosen.format != known.shape:
        raise GbiError("GBI-E071", where=f"{path.name}, profile", expected=f"format: {known.shape}",
                       got=f"{chosen.name}, format: {chosen.format}")  # fmt: skip
    outcome = outcome_of(path, path.parent, [chosen] if chosen else [], limits, named=True)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def read_submission(
    folder: str | Path | Sequence[str | Path],
    *,
    profile: str | Path | Profile | Sequence[str | Path | Profile] | None = None,
    limits: Limits = LIMITS,
) -> Submission:
    """Read a sender's files.

    Parameters
    ----------
    folder
        A folder, of which every file is looked at (not its subfolders), or the files themselves.
    profile
        Profiles of one's own (names, paths or profiles), tried before the packaged ones. A single
        one is used for all files of its format.
    limits
        What a file may be at most.

    Returns
    -------
    Submission
        Every file is listed in ``files``, with what became of it: the form that gbi made tells
        its table by itself, any other file by its headers. Results chains have taken sex, unit
        and direction from the indicator catalogue among the files.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E060`` (no such path), ``GBI-E065`` (no such profile). Exit code 3: a
        file that was named cannot be read, or nothing in the folder can (``GBI-E067``).
    """
    single = profile is None or isinstance(profile, str | Path | Profile)
    given: list[Any] = [profile] if single else list(cast("Sequence[Any]", profile))
    chosen = [profile_named(p) for p in given if p is not None]
    root, paths = _paths(folder)
    named = not isinstance(folder, str | Path) or Path(folder).is_file()
    outcomes = [
        outcome_of(path, base, chosen, limits, named=named, forced=single) for path, base in paths
    ]
    errors = [o.error for o in outcomes if o.error is not None]
    nothing = not any(o.parsed is not None or o.empty for o in outcomes)
    if errors and (named or nothing):
        raise errors[0]
    if nothing:
        raise GbiError("GBI-E067", where=", ".join(o.name for o in outcomes) or str(root),
                       exit_code=3)  # fmt: skip
    return _submission(outcomes, root, whole=not named)


def _submission(outcomes: list[Outcome], root: Path, *, whole: bool = False) -> Submission:
    """Join what became of the files; a whole folder is told which tables it lacks."""
    parts = {part.resolve() for o in outcomes for part in o.parts}
    outcomes = [o.as_part() if o.path.resolve() in parts else o for o in outcomes]
    datasets, findings = _joined(outcomes)
    if whole:
        findings += [fault("GBI-F024", field=t) for t in _EXPECTED if t not in datasets]
    used = {path.resolve() for o in outcomes if o.parsed for path in o.parsed.looked_up}
    outcomes = [o.as_companion() if o.path.resolve() in used else o for o in outcomes]
    seen = [*(f for o in outcomes for f in o.findings), *findings]
    read_files = [o.provenance for o in outcomes if o.parsed is not None]
    return Submission(
        datasets, tuple(o.file for o in outcomes), tuple(seen), Provenance.merge(*read_files), root
    )


def _joined(outcomes: list[Outcome]) -> tuple[dict[str, Dataset], list[Finding]]:
    """Join the files by table; results chains without a sex of their own ask the catalogue."""
    told: list[Dataset] = []
    chains: list[Dataset] = []
    for outcome in outcomes:
        if (data := outcome.dataset) is not None and outcome.profile is not None:
            silent = data.table == "performance" and not outcome.profile.fills("SEX")
            (chains if silent else told).append(data)
    datasets, findings = join(told)
    if chains:
        joined, seen = join(chains)
        complete = with_catalogue(joined["performance"], datasets.get("catalogue"))
        other = [datasets["performance"]] if "performance" in datasets else []
        both, again = join([complete, *other])
        datasets, findings = {**datasets, **both}, [*findings, *seen, *again]
    return datasets, findings


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
