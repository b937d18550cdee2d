"""The sender's own workbook returned with its findings: cells marked, and a first sheet to answer.

The workbook is patched, never loaded and saved: whatever this program doesn't know stays in it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.findings import SEVERITIES
from gbi.ingest.archive import Archive, damaged
from gbi.ingest.grid import position
from gbi.ingest.package import BOOK, sheets
from gbi.ingest.safety import LIMITS, admitted
from gbi.language import format_number, resolve_language, text
from gbi.results import write_atomically
from gbi.validation.book_patch import BookPatch
from gbi.validation.findings_sheet import Book, findings_sheet
from gbi.validation.package_patch import rewritten
from gbi.validation.sheet_patch import layout, marked_sheet
from gbi.validation.style_patch import Mark, Styles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from gbi.findings import Finding
    from gbi.ingest.safety import Limits
    from gbi.validation.report import ValidationReport
    from gbi.validation.sheet_patch import Position

    _Marks = dict[str, dict[Position, Mark]]

_MOST_CELLS = 5_000  # of one finding about an area; past that its first cell stands for it
_LAST = (1_048_576, 16_384)
_AREA = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}(?::[A-Z]{1,3}[1-9][0-9]{0,6})?")
_MOST_FINDINGS = 1_000_000  # a sheet has few rows more
_SIGNED = re.compile(r"_xmlsignatures/", re.IGNORECASE)
_MACROS = re.compile(r"(?:.*/)?(?:vbaProject\.bin|macrosheets/[^/]+)", re.IGNORECASE)
_MACRO_TYPE = re.compile(rb"macroEnabled", re.IGNORECASE)
_SUFFIXES = (".xlsx", ".xltx")
_MACRO_SUFFIXES = (".xlsm", ".xltm", ".xlsb", ".xlam")


@dataclass(frozen=True, slots=True)
class Annotated:
    """What became of the annotated copy of a workbook.

    Attributes
    ----------
    path
        The copy; None where the workbook is not rewritten.
    reason
        Why not: ``signed``, ``encrypted``, ``macros`` or ``format``; None where there is a copy.
    sheet
        The name of the sheet that lists the findings.
    findings, marked
        How many findings are listed, and how many cells are marked.
    """

    path: Path | None
    reason: str | None = None
    sheet: str = ""
    findings: int = 0
    marked: int = 0

    def explanation(self, lang: str | None = None) -> str:
        """Return in words why there is no copy; empty where there is one."""
        return text(f"annotation.refused.{self.reason}", lang) if self.reason else ""


def annotate(
    report: ValidationReport,
    source: Path,
    target: Path | None = None,
    *,
    lang: str | None = None,
    limits: Limits = LIMITS,
) -> Annotated:
    """Write a copy of a workbook in which its findings are marked, listed and can be answered.

    Parameters
    ----------
    report
        A report on a submission that holds the workbook.
    source
        The workbook, as it was submitted; it stays untouched.
    target
        Where to write, or the folder to write into; by default ``<name>.annote.xlsx`` beside it.
    lang
        The language of the findings' sheet.
    limits
        What the workbook may be at most.

    Returns
    -------
    Annotated
        Without a path and with a ``reason`` where the workbook is signed, protected by a password,
        holds macros or is no ``.xlsx``: then the findings workbook alone is given.

    Raises
    ------
    GbiError
        ``GBI-E060`` (no such file), ``GBI-E061`` (damaged), ``GBI-E063`` (a limit), ``GBI-E090``
        (not the workbook that the report is about, or the target is the workbook itself),
        ``GBI-E085`` (it can't be written).
    """
    chosen = resolve_language(lang)
    if not source.is_file():
        raise GbiError("GBI-E060", where=str(source), exit_code=2)
    written = _target(source, target)
    try:
        content = admitted(source, source.name, limits)
        archive = Archive(content, source.name, limits)
    except GbiError as error:
        if error.code in ("GBI-E062", "GBI-E066"):
            return Annotated(None, "encrypted" if error.code == "GBI-E062" else "format")
        raise
    if (reason := _refusal(source, archive)) is not None:
        return Annotated(None, reason)
    mine = _about(report, _name(report, source, content))
    try:
        copy, out = _annotated(report, mine, content, archive, written, chosen)
    except ValueError:
        raise damaged(source.name, BOOK) from None
    try:
        write_atomically(written, copy)
    except OSError as error:  # on Windows: the copy is open in Excel
        why = error.strerror or type(error).__name__
        raise GbiError("GBI-E085", where=str(written), got=why, exit_code=2) from None
    return out


def _annotated(
    report: ValidationReport,
    mine: list[Finding],
    content: bytes,
    archive: Archive,
    target: Path,
    lang: str,
) -> tuple[bytes, Annotated]:
    book = BookPatch(archive, text("annotation.sheet", lang))
    parts = {name: part for name, part in sheets(archive).items() if name != book.sheet}
    styles = Styles(book.styles)
    changed, marked = _patched_sheets(archive, parts, _marks(mine, frozenset(parts)), styles)
    listed = mine[:_MOST_FINDINGS]
    known_sheets = Book(book.space, frozenset(parts))
    intro = _intro(report, mine, target, lang)
    sheet = findings_sheet(listed, intro, _answers(report), known_sheets, styles, lang)
    changed |= book.with_sheet(sheet, len(listed))
    changed[book.styles_part] = _late(styles)
    # the sheets stream, and only then is known which styles they need
    copy = rewritten(content, changed, last=book.styles_part)
    return copy, Annotated(target, None, book.sheet, len(listed), marked)


def _patched_sheets(
    archive: Archive, parts: Mapping[str, str], marks: _Marks, styles: Styles
) -> tuple[dict[str, Iterable[bytes]], int]:
    """Return the sheets with marks, as streams that take their styles up, and how many marks."""
    changed: dict[str, Iterable[bytes]] = {}
    count = 0
    for name in parts if styles.stale else marks:
        part = archive.entry(parts[name])
        if part is None:
            continue
        try:
            known = layout(archive.pieces(part), styles)
        except ValueError:  # a sheet without cells: a chart
            continue
        shown = _shown(marks.get(name, {}), known.home)
        count += len(shown)
        if shown or known.stale:
            changed[part] = marked_sheet(archive.pieces(part), shown, known, styles)
    return changed, count


def _late(styles: Styles) -> Iterator[bytes]:
    yield styles.patched()


def _refusal(source: Path, archive: Archive) -> str | None:
    """Say why a workbook is not rewritten."""
    types, book = archive.entry("[Content_Types].xml"), archive.entry(BOOK)
    suffix = source.suffix.lower()
    if any(_SIGNED.match(name) for name in archive.names):
        return "signed"
    if suffix in _MACRO_SUFFIXES or any(_MACROS.fullmatch(name) for name in archive.names):
        return "macros"
    if types is None or book is None or suffix not in _SUFFIXES:
        return "format"
    return "macros" if _MACRO_TYPE.search(archive.whole(types)) else None


def _target(source: Path, target: Path | None) -> Path:
    name = f"{source.stem}.annote.xlsx"
    written = source.with_name(name) if target is None else target
    if written.is_dir():
        written /= name
    if written.resolve() == source.resolve():
        raise GbiError("GBI-E090", where=str(written), exit_code=2)
    return written


def _name(report: ValidationReport, source: Path, content: bytes) -> str:
    """Return the name by which the report knows the workbook, of which it must be about."""
    sha256 = hashlib.sha256(content).hexdigest()
    known = {f.name: f.sha256 for f in report.files} or {
        s.name: s.sha256 for s in report.provenance.sources
    }
    same = [name for name, sha in known.items() if sha == sha256]
    if source.name in same or not known:
        return source.name
    if same:
        return same[0]
    raise GbiError("GBI-E090", where=source.name, expected=known.get(source.name), got=sha256)


def _about(report: ValidationReport, name: str) -> list[Finding]:
    """Return the findings whose place is in a file, small counts as the sender wrote them."""
    return [f for f in report.unmasked() if f.file == name]


def _marks(findings: Iterable[Finding], known: frozenset[str]) -> _Marks:
    """Return the marks of each sheet; where several meet in a cell, the gravest holds."""
    out: _Marks = defaultdict(dict)
    for finding in findings:
        places = [(finding.sheet, finding.a1, finding.status != "waived")]
        places += [(c.sheet, c.a1, False) for c in finding.cells if c.file == finding.file]
        for sheet, area, strong in places:
            if sheet not in known:
                continue
            for at in _positions(area):
                mark = Mark(finding.severity, strong)
                held = out[sheet].get(at)
                out[sheet][at] = mark if held is None else min(held, mark, key=_rank)
    return out


def _rank(mark: Mark) -> tuple[int, bool]:
    return SEVERITIES.index(mark.severity), not mark.strong


def _positions(area: str) -> list[Position]:
    """Return the positions of an address or area; none where it is no such thing."""
    if _AREA.fullmatch(area) is None:
        return []
    first, _, last = area.partition(":")
    (top, left), (bottom, right) = position(first), position(last or first)
    if bottom >= _LAST[0] or right >= _LAST[1]:
        return []
    if (bottom - top + 1) * (right - left + 1) > _MOST_CELLS:
        return [(top, left)]
    return [(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)]


def _shown(
    marks: dict[Position, Mark], home: Callable[[int, int], Position]
) -> dict[Position, Mark]:
    """Move the marks of cells that a merged area covers to the one that shows."""
    out: dict[Position, Mark] = {}
    for at, mark in marks.items():
        place = home(*at)
        out[place] = min(out.get(place, mark), mark, key=_rank)
    return out


def _answers(report: ValidationReport) -> dict[str, tuple[str, str]]:
    """Return what was answered in an earlier round: the id of a finding → why, and who."""
    return {
        name: (str(w.given.get("justification") or ""), str(w.given.get("by") or ""))
        for w in report.waivers
        for name in w.findings
    }


def _intro(
    report: ValidationReport, mine: list[Finding], target: Path, lang: str
) -> tuple[str, ...]:
    name = mine[0].file if mine else target.name
    head = text("annotation.title", lang, file=name)
    how = text("annotation.how", lang) if mine else text("annotation.none", lang)
    made = text("annotation.report", lang, fingerprint=report.provenance.fingerprint,
                version=report.provenance.version)  # fmt: skip
    truncation = getattr(report, "truncation", None)
    if truncation and truncation["counted"] > truncation["stored"]:
        told = {k: format_number(truncation[k], lang) for k in ("stored", "counted")}
        made += " · " + text("annotation.truncated", lang, **told)
    return head, how, text("annotation.confidential", lang), made
