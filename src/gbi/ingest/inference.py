"""What an unknown table seems to be: its header, its columns, its numbers, with reasons.

Everything here is a proposal with its evidence: a confidence between 0 and 1 is the share of what
was looked at that agrees with the choice.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gbi.ingest.grid import as_text
from gbi.ingest.layout import headers
from gbi.ingest.numbers import DASHES, Number, Style, Unreadable, read_number, two_readings
from gbi.language import fold
from gbi.resources import suggest
from gbi.vocabulary import codelist, concepts, match_label, read_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.ingest.grid import Grid

_DEEPEST, _TALLEST, _SAMPLE = 40, 4, 400
_MOST = 0.8  # the share of numbers from which a column holds values
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_PERIOD = re.compile(
    r"(?:19|20)\d{2}(?:\s*-?\s*[TQSM]\s*0?\d{1,2})?|(?:19|20)\d{2}\s*[/–-]\s*\d{2,4}"
)
_CODES = re.compile(r"(?:^|[\s_])(?:code|codes|id|ids|no|n°|numero|rang|rank)(?:$|[\s_])")
_TOTAL = re.compile(r"(?:(?:sous|sub)[- ]?)?total\b.*|ensemble|المجموع.*|مجموع.*", re.IGNORECASE)
_NO_VALUE = ("..", "...", ":", "*", "n.d.", "n/a")
_STYLES = {"comma": Style(",", (" ", ".")), "point": Style(".", (" ", ",", "'"))}
# Concepts whose codes say what a column of values is about, where headers are such labels.
_SPREAD = ("SEX", "ECON_NATURE", "BUDGET_STAGE", "URBANISATION", "AGE", "VALUE_KIND")
_LISTED = ("SEX", "REF_AREA", "URBANISATION", "AGE", "MINISTRY", "DEPARTMENT", "BUDGET_STAGE",
           "ECON_NATURE", "EDUCATION_LEV", "DISABILITY_STATUS", "INCOME_WEALTH_QUANTILE",
           "POPULATION_GROUP", "ACTIVITY", "OBS_STATUS", "VALUE_KIND", "UNIT_MEASURE")  # fmt: skip
# Words that stand over columns and are no concept's label.
_HEADERS = {
    "TIME_PERIOD": ("année", "annee", "an", "year", "time", "date", "exercice", "trimestre",
                    "période", "السنة", "time_period", "période de référence"),
    "REF_AREA": ("région", "region", "province", "pays", "country", "country name", "zone",
                 "ref_area", "geo", "الجهة", "territoire", "wilaya"),
    "SEX": ("sexe", "sex", "genre", "gender", "الجنس"),
    "AGE": ("âge", "age", "tranche d'âge", "groupe d'âges", "age group", "السن"),
    "URBANISATION": ("milieu", "milieu de résidence", "الوسط", "area type"),
    "MINISTRY": ("ministère", "ministere", "ordonnateur", "institution", "الوزارة", "ministry"),
    "DEPARTMENT": ("département", "departement", "department", "القطاع"),
    "PROGRAMME": ("programme", "program", "البرنامج", "programa"),
    "PROJECT": ("projet", "projet/action", "project", "المشروع"),
    "BUDGET_LINE": ("ligne", "rubrique", "chapitre", "article", "line", "imputation"),
    "INDICATOR": ("indicateur", "indicator", "indicator name", "series", "المؤشر", "libellé",
                  "libelle", "intitulé", "désignation", "variable"),
    "OBJECTIVE": ("objectif", "objective", "الهدف"),
    "SUB_INDICATOR": ("sous-indicateur", "sub-indicator"),
    "UNIT_MEASURE": ("unité", "unite", "unit", "units", "الوحدة"),
    "OBS_VALUE": ("valeur", "value", "montant", "amount", "effectif", "nombre", "obs_value",
                  "القيمة", "المبلغ"),
    "OBS_STATUS": ("flag", "flags", "statut", "obs_status"),
    "SOURCE": ("source", "producteur", "المصدر"),
    "COMMENT": ("note", "notes", "observation", "observations", "commentaire", "footnote"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """A choice, how sure it is (0 to 1), and why.

    Attributes
    ----------
    choice
        What was chosen.
    confidence
        From 0 to 1.
    reason
        The entry of ``sniff.reasons`` that says why.
    params
        Its placeholders.
    """

    choice: str
    confidence: float
    reason: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Column:
    """A column of an unknown table.

    Attributes
    ----------
    position, header
        Where it is and what stands over it.
    texts
        A sample of its cells that aren't empty.
    numeric
        The share of the sample that reads as a number.
    blanks
        How many cells of the sample are empty.
    concept
        What it seems to hold; None if nothing agrees.
    spread
        Concept and code that the header names, where several columns hold values of one group
        each.
    near
        The known header nearest to an unknown one.
    """

    position: int
    header: str
    texts: list[str]
    numeric: float
    blanks: int = 0
    concept: Guess | None = None
    spread: tuple[str, str] | None = None
    near: str | None = None
    unknown: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def holds_values(self) -> bool:
        """Whether its cells are observations, not what describes them."""
        choice = self.concept.choice if self.concept else None
        if choice is None and not self.texts:
            return self.year is not None  # a year without a figure yet
        if choice is not None or self.numeric < _MOST:
            return choice == "OBS_VALUE"
        return not _CODES.search(fold(self.header))

    @property
    def year(self) -> str | None:
        """The one year in the header."""
        found = _YEAR.findall(self.header)
        return found[0] if len(found) == 1 else None


def header_of(grid: Grid) -> tuple[int, int]:
    """Return the header's first row, from 0, and how many rows it has.

    The header is what stands right above the first row whose cells are filled like those below it
    and that holds a number which is no year.
    """
    rows = min(len(grid.rows), _DEEPEST)
    # a merged cell counts once: the upper header row has fewer texts than the one below it
    filled = [len({grid.home(r, c) for c in range(grid.width) if grid.text(r, c)})
              for r in range(rows)]  # fmt: skip
    usual = Counter(n for n in filled if n > 1).most_common(1)
    enough = max(2, (usual[0][0] if usual else 2) // 2)
    first = next((r for r in range(1, rows) if filled[r] >= enough and _is_record(grid, r)),
                 min(1, rows))  # fmt: skip
    above = [r for r in range(max(0, first - _TALLEST), first) if filled[r] > 1]
    # the fullest row is the header's last one: a first record may lack its numbers
    bottom = max(above, key=lambda r: (filled[r], r), default=first - 1)
    top = bottom
    while top > 0 and bottom - top + 1 < _TALLEST and _also_heads(grid, top - 1, filled):
        top -= 1
    return top, bottom - top + 1


def _also_heads(grid: Grid, row: int, filled: Sequence[int]) -> bool:
    """Say whether a row belongs to the header below it: several texts, or groups over columns."""
    homes = {grid.home(row, c) for c in range(grid.width) if grid.text(row, c)}
    return len(homes) > 1 and filled[row] > 1


def _is_record(grid: Grid, row: int) -> bool:
    """Say whether a row holds a number that is no year, or what stands in a number's place."""
    texts = [grid.text(row, c) for c in range(grid.width)]
    return any(_numbers(grid, row)) or any(t in DASHES or t in _NO_VALUE for t in texts)


def _numbers(grid: Grid, row: int) -> Iterator[bool]:
    for column in range(grid.width):
        text = grid.text(row, column)
        if text and not _PERIOD.fullmatch(text):
            written = grid.value(row, column)
            yield any(isinstance(read_number(written, s), Number) for s in _STYLES.values())


def spreads(grid: Grid, first: int, height: int) -> bool:
    """Say whether an upper header's texts count to the right: only that tells columns apart."""
    plain, carried = (
        list(filter(None, headers(grid, first, first + height - 1, spread=s).values()))
        for s in (False, True)
    )
    return len(set(plain)) < len(plain) and len(set(carried)) == len(carried)


def columns_of(grid: Grid, first: int, height: int) -> list[Column]:
    """Return the columns of a table with what each seems to be."""
    heads = headers(grid, first, first + height - 1, spread=spreads(grid, first, height))
    body = [r for r in range(first + height, len(grid.rows)) if any(map(as_text, grid.rows[r]))]
    step = max(1, len(body) // _SAMPLE)
    out = []
    for position in range(grid.width):
        header = heads[position]
        cells = [grid.value(r, position) for r in body[::step]]
        texts = [t for t in map(as_text, cells) if t]
        if not header and not texts:
            continue
        values = [c for c in cells if (t := as_text(c)) and t not in DASHES and t not in _NO_VALUE]
        read = [c for c in values if any(_is_number(c, s) for s in _STYLES.values())]
        share = len(read) / len(values) if values else 0.0
        out.append(Column(position, header, texts, share, len(cells) - len(texts)))
    for column in out:
        _describe(column)
    _spread([c for c in out if c.holds_values])
    return out


def _is_number(cell: Any, style: Style) -> bool:
    return isinstance(read_number(cell, style), Number)


def _describe(column: Column) -> None:
    distinct = list(dict.fromkeys(column.texts))
    by_header = _by_header(column.header)
    if distinct and all(_PERIOD.fullmatch(t) for t in distinct):
        column.concept = Guess("TIME_PERIOD", 1.0, "periods")
        return
    if column.numeric >= _MOST and (by_header is None or by_header.choice == "OBS_VALUE"):
        return
    by_cells = _by_cells(distinct, by_header)
    column.concept = by_cells or by_header
    if column.concept is None:
        column.near = suggest(column.header, sorted(_known_headers()))
    elif column.concept.choice in concepts() and concepts()[column.concept.choice].codelist:
        for text in distinct:
            match = match_label(column.concept.choice, text)
            if match.code is None:
                column.unknown.append((text, match.suggestion))


@lru_cache(maxsize=1)
def _known_headers() -> dict[str, str]:
    """Return every wording of a column, folded → its concept."""
    known = {fold(name): name for name in concepts()}
    for name, one in concepts().items():
        known |= {fold(label): name for label in one.labels.values()}
    for name, words in _HEADERS.items():
        known |= {fold(word): name for word in words}
    return known


def _by_header(header: str) -> Guess | None:
    known = _known_headers()
    bare = fold(re.sub(r"\(.*?\)", "", header).strip())
    for written in (fold(header), bare, bare.removesuffix("s")):
        if written in known:
            return Guess(known[written], 0.9, "header", {"header": header})
    near = difflib.get_close_matches(bare, list(known), 1, 0.85) if len(bare) > 3 else []
    if near:
        return Guess(known[near[0]], 0.6, "near", {"header": header, "near": near[0]})
    return None


def _by_cells(distinct: Sequence[str], by_header: Guess | None) -> Guess | None:
    """Return the concept whose code list knows the cells, if it knows most of them."""
    words = [t for t in distinct if not t.replace(" ", "").isdigit()]
    if not words or len(words) < len(distinct) / 2:
        return None
    best: Guess | None = None
    for name in _LISTED:
        hits = sum(_known_code(name, t) for t in words)
        share = hits / len(words)
        agrees = by_header is not None and by_header.choice == name
        if share >= (0.4 if agrees else 0.75) and (best is None or share > best.confidence):
            counts = {"n": hits, "all": len(words), "list": name}
            best = Guess(name, round(share, 2), "codes", counts)
    return best


def _known_code(name: str, text: str) -> bool:
    if name == "UNIT_MEASURE":
        return read_unit(text) is not None
    return match_label(name, text, near=False).code is not None


def _spread(columns: Sequence[Column]) -> None:
    """Tell the groups that value columns stand for: the concept that names most of them."""
    best: dict[int, str] = {}
    chosen = ""
    for name in _SPREAD:
        named = {c.position: code for c in columns if (code := _code_in(name, c.header))}
        members = [position for position, code in named.items() if code != "_T"]
        if len(members) > len([p for p, code in best.items() if code != "_T"]):
            best, chosen = named, name
    for column in columns:
        if column.position in best:
            column.spread = (chosen, best[column.position])


@lru_cache(maxsize=32)
def _parents(name: str) -> Mapping[str, str]:
    table = codelist(name)
    return dict(zip(table["CODE"], table["PARENT"], strict=True))


def _code_in(name: str, header: str) -> str | None:
    """Return the most precise code of a list that a header names."""
    table = _parents(name)
    whole = (header, header.replace(" ", ""), *re.split(r"[\s/_.()-]+", header))
    words = [w for w in whole if len(w) > 2 or name == "SEX"]
    found = [c for w in words if w and (c := match_label(name, w, near=False).code) in table]
    above = {table[str(c)] for c in found}
    return next((c for c in found if c not in above), None)


def number_style(columns: Sequence[Column]) -> tuple[Style, Guess]:
    """Return how the numbers are written: the style that reads more of what only one reads."""
    texts = [t for c in columns if c.numeric >= 0.5 for t in c.texts]
    scores = {
        name: sum(isinstance(read_number(t, style), Number) for t in texts if not two_readings(t))
        for name, style in _STYLES.items()
    }
    # where both read the same: the point, but beside Arabic digits the comma
    usual = "comma" if any("٫" in t for t in texts) else "point"
    name = max(scores, key=lambda n: (scores[n], n == usual))
    ambiguous = sum(map(two_readings, texts))
    share = scores[name] / len(texts) if texts else 0.5
    counts = {"n": scores[name], "all": len(texts), "ambiguous": ambiguous}
    # a mark between thousands is proposed where it was seen beyond doubt
    certain = [t for t in texts if not two_readings(t)]
    marks = [m for m in _STYLES[name].thousands if m == " " or any(m in t for t in certain)]
    return Style(_STYLES[name].decimal, tuple(marks)), Guess(
        name, round(share, 2), f"style_{name}", counts
    )


def marks_of(columns: Sequence[Column], style: Style) -> Counter[str]:
    """Return what stands in the place of numbers, with how often."""
    marks: Counter[str] = Counter()
    for column in columns:
        if column.holds_values:
            marks[""] += column.blanks
        if column.numeric >= 0.5:
            marks.update(t for t in column.texts if isinstance(read_number(t, style), Unreadable))
    return +marks


def total_labels(column: Column) -> list[str]:
    """Return the labels of a column that name a total."""
    return [t for t in dict.fromkeys(column.texts) if _TOTAL.fullmatch(t)]
