"""The validation report as one HTML file that needs no network and no script.

Cause first: a file, a rule, the rows of the workbook that it is about. What the sender wrote is
hostile until it is escaped; small counts of persons are not shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gbi.compute.small_cells import SmallCells
from gbi.findings import SEVERITIES
from gbi.language import LANGUAGES
from gbi.report.extracts import SHOWN, Content, Extract, Health, Place, Sheets
from gbi.report.page import environment
from gbi.report.ruleset import rank, rule_text
from gbi.report.validation_tables import page_tables
from gbi.report.wording import Words
from gbi.schemas import schema
from gbi.vocabulary import concepts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.findings import Finding, Severity
    from gbi.validation import ValidationReport

MOST_BYTES = 1_300_000  # of the page; causes beyond them are counted and left to the workbook
_FIRST = 5  # causes that stand under "What to do first"
_PLACES = 6  # sheets of a file whose columns are shown


@dataclass(frozen=True, slots=True)
class Cause:
    """The findings of one rule in one file: what a reader mends at once.

    Attributes
    ----------
    id
        Its anchor, without the language.
    findings
        The ones that are shown.
    count
        How many there are; ``exact`` is False where not all could be told apart by file.
    """

    id: str
    file: str
    code: str
    severity: Severity
    status: str
    findings: tuple[Finding, ...]
    count: int
    exact: bool
    extract: Extract | None


@dataclass(frozen=True, slots=True)
class FileCauses:
    """A file with its causes, the upstream ones first, and the health of its columns."""

    name: str
    causes: tuple[Cause, ...]
    health: tuple[tuple[Place, tuple[Health, ...]], ...]

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, and the waived ones."""
        n: Counter[str] = Counter()
        for cause in self.causes:
            n["waived" if cause.status == "waived" else cause.severity] += cause.count
        return {name: n[name] for name in (*SEVERITIES, "waived") if n[name]}


def validation_page(report: ValidationReport, *, lang: str | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    report
        The validation report.
    lang
        The language that shows first; the page holds French, Arabic and English.

    Returns
    -------
    str
        HTML of at most about 1.5 MB; the same report gives the same text.
    """
    first = Words(lang)
    files = _files(report)
    pieces = _pieces(files, report)
    views = [
        (Words(x), [(f, [Markup(pieces[x][c.id]) for c in f.causes if c.id in pieces[x]])
                    for f in files])
        for x in (first.lang, *(x for x in LANGUAGES if x != first.lang))
    ]  # fmt: skip
    shown = len(pieces[first.lang])
    return environment().get_template("validation_page.html.j2").render(
        lang=first.lang,
        words=first,
        report=report,
        views=views,
        left=sum(len(f.causes) for f in files) - shown,
        counts=[(name, report.counts[name]) for name in (*SEVERITIES, "waived")],
        first=_to_do(files),
        most=_PLACES,
        cut=report.truncation,
        clean=_clean(report, files),
        rule_text=lambda code, part, x: rule_text(report, code, part, x),
        **page_tables(report),
    )  # fmt: skip


def _pieces(files: Sequence[FileCauses], report: ValidationReport) -> dict[str, dict[str, str]]:
    """Render the causes in every language, the gravest first, until the page is full."""
    tools: Any = environment().get_template("validation.html.j2").module
    pieces: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    size = 0
    for cause in _by_weight([c for file in files for c in file.causes]):
        drawn = {
            x: str(tools.cause(cause, Words(x), _texts(cause, report, x), _shown(x)))
            for x in LANGUAGES
        }
        size += sum(len(text.encode()) for text in drawn.values())
        if size > MOST_BYTES:
            break
        for lang, text in drawn.items():
            pieces[lang][cause.id] = text
    return pieces


def _texts(cause: Cause, report: ValidationReport, lang: str) -> dict[str, Any]:
    """Return the words of a cause: its rule's, and of its findings those that are shown."""
    fixes = list(dict.fromkeys(f.message[lang]["fix"] for f in cause.findings))
    return {
        "title": rule_text(report, cause.code, "title", lang),
        "why": rule_text(report, cause.code, "why", lang),
        "fix": fixes[0] if len(fixes) == 1 else "",
        "more": cause.count - len(cause.findings),
    }


def _shown(lang: str) -> Any:
    """Return how a cell's content is shown: a code by its label, anything else as it was read."""
    words = Words(lang)

    def shown(content: Content) -> str:
        concept = concepts().get(content.concept)
        if concept is None or concept.codelist is None or not content.text:
            return content.text
        return words.code(concept.codelist, content.text)

    return shown


def _by_weight(causes: Sequence[Cause]) -> list[Cause]:
    return sorted(
        causes,
        key=lambda c: (c.status == "waived", SEVERITIES.index(c.severity), rank(c.code), c.file),
    )


def _to_do(files: Sequence[FileCauses]) -> list[Cause]:
    """Return what to mend first: the gravest, of these the most upstream."""
    open_ = [c for f in files for c in f.causes if c.status == "open" and c.severity != "info"]
    return _by_weight(open_)[:_FIRST]


def _clean(report: ValidationReport, files: Sequence[FileCauses]) -> list[str]:
    named = {f.name for f in files}
    return [f.name for f in report.files if f.status == "read" and f.name not in named]


def _files(report: ValidationReport) -> list[FileCauses]:
    """Return the files that have findings, the gravest first."""
    sheets = sheets_of(report)
    counted = _counted(report)
    by_file: dict[str, dict[tuple[str, str], list[Finding]]] = defaultdict(dict)
    for finding in report.findings:
        cause = (finding.code, finding.status)
        by_file[finding.file].setdefault(cause, []).append(finding)
    files: list[FileCauses] = []
    for name, groups in by_file.items():
        causes = [
            _cause(f"c{len(files)}-{code}-{status}", found, sheets, counted, report)
            for (code, status), found in groups.items()
        ]
        places = list(dict.fromkeys((c.file, c.sheet) for f in report.findings if f.file == name
                                    for c in f.cells if c.file == name))  # fmt: skip
        hit = [c for f in report.findings if f.file == name for c in f.cells]
        health = [(place, sheets.health(place, hit)) for place in places]
        strips = tuple((place, strip) for place, strip in health if any(h.hit for h in strip))
        files.append(FileCauses(name, tuple(_by_weight(causes)), strips))
    gravest = [SEVERITIES.index(f.causes[0].severity) for f in files]
    order = sorted(range(len(files)), key=lambda i: (gravest[i], files[i].name))
    return [files[i] for i in order]


def _cause(
    anchor: str,
    found: Sequence[Finding],
    sheets: Sheets,
    counted: Counter[tuple[str, str]],
    report: ValidationReport,
) -> Cause:
    first = min(found, key=lambda f: SEVERITIES.index(f.severity))
    stored = sum(f.code == first.code for f in report.findings)
    rule = next((r for r in report.rules if r.code == first.code), None)
    whole = rule is None or rule.findings <= stored
    known = counted[first.file, first.code]
    count = len(found) if whole or first.status == "waived" else max(known, len(found))
    return Cause(
        anchor, first.file, first.code, first.severity, first.status, tuple(found[:SHOWN]), count,
        whole or bool(known) or first.status == "waived", sheets.extract(found),
    )  # fmt: skip


def _counted(report: ValidationReport) -> Counter[tuple[str, str]]:
    """Return how many findings a rule has in a file, those included that are not stored."""
    counted: Counter[tuple[str, str]] = Counter()
    if report.truncation["stored"] == report.truncation["counted"]:
        return counted
    # A breach counts once, where its first party stands; one about a whole table has no row.
    first = report.positions().drop_duplicates(["TABLE", "CODE", "BREACH"])
    first = first.loc[first["ROW"] >= 0]
    for (table, code), rows in first.groupby(["TABLE", "CODE"], observed=True)["ROW"]:
        data = report.datasets.get(str(table))
        if data is not None and data.origins is not None:
            files = data.origins["_FILE"].iloc[rows.to_numpy()].value_counts()
            for file, n in files.items():
                counted[str(file), str(code)] += int(n)
    return counted


def sheets_of(report: ValidationReport) -> Sheets:
    """Return the sheets that extracts may be taken from: no microdata, no small counts."""
    public = {n: d for n, d in report.datasets.items() if schema(n).kind == "aggregate"}
    hidden = SmallCells().masks(public)
    withheld = frozenset(c for f in report.findings if f.mask for c in f.cells)
    return Sheets(public, hidden, withheld)
