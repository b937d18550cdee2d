"""Propose a profile for an unknown file: every choice with its reason; nothing is applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.ingest.detection import ENOUGH, score
from gbi.ingest.formats import FORMATS, format_of
from gbi.ingest.grid import column_letters
from gbi.ingest.inference import (
    Guess,
    columns_of,
    header_of,
    marks_of,
    number_style,
    spreads,
    total_labels,
)
from gbi.ingest.profile import Profile, profiles
from gbi.ingest.safety import LIMITS
from gbi.language import fold, text
from gbi.resources import as_yaml
from gbi.schemas import schema
from gbi.vocabulary import unit_in_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.ingest.grid import Grid
    from gbi.ingest.inference import Column
    from gbi.ingest.numbers import Style
    from gbi.ingest.safety import Limits

_MISSING = {"..": "O", ":": "O", "...": "O", "n.d.": "O", "nd": "O", "n/a": "O", "na": "O",
            "*": "Q", "c": "Q", "": "O"}  # fmt: skip
# Concepts that only one table has: the first that is there decides.
_TELLING = (
    ("budget", ("ECON_NATURE", "BUDGET_STAGE", "BUDGET_LINE", "MINISTRY", "CREDIT_TYPE")),
    ("performance", ("OBJECTIVE", "SUB_INDICATOR", "VALUE_KIND", "DEPARTMENT")),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a part of a proposal is as it is: the part's path, and the guess behind it."""

    path: tuple[str | int, ...]
    guess: Guess


@dataclass(frozen=True, eq=False)
class Proposal(Profile):
    """A profile that was proposed from a file.

    Attributes
    ----------
    reasons
        Why each part is as it is.
    known_as
        The packaged profile that reads the file already, if there is one, and how well its
        headers agree (0 to 1).
    remarks
        What has to be decided by who knows the file.
    """

    reasons: tuple[Reason, ...] = ()
    known_as: tuple[str, float] | None = None
    remarks: tuple[Guess, ...] = ()

    def to_yaml(self, lang: str | None = None) -> str:
        """Return the profile as YAML to edit; each choice is followed by its reason."""
        said = [text("sniff.head", lang)]
        if self.known_as is not None:
            name, agreement = self.known_as
            shown = f"{agreement:.0%}"
            said.append(text("sniff.known", lang, profile=name, share=shown))
        said += [text(f"sniff.remarks.{r.reason}", lang, **r.params) for r in self.remarks]
        head = [f"# {line}" for remark in said for line in remark.splitlines()]
        told = {r.path: _told(r.guess, lang) for r in self.reasons}
        return "\n".join([*head, *_lines(self.document, told)]) + "\n"


def sniff(path: str | Path, *, limits: Limits = LIMITS) -> Proposal:
    """Propose a profile for a file; nothing is read by it and nothing is kept.

    Parameters
    ----------
    path
        A file of any format that gbi opens.
    limits
        What it may be at most.

    Returns
    -------
    Proposal
        A profile; ``to_yaml()`` gives it as a text to edit, with the reason and the confidence of
        each choice. Headers that no concept knows are listed with the nearest known one.

    Raises
    ------
    GbiError
        ``GBI-E060`` (no such file), ``GBI-E066`` (no adapter opens it), ``GBI-E068`` (it holds
        nothing), and what the adapter raises.
    """
    file = Path(path)
    if not file.is_file():
        raise GbiError("GBI-E060", where=str(path), exit_code=2)
    known = format_of(file)
    if known is None:
        suffixes = ", ".join(dict.fromkeys(s for f in FORMATS for s in f.suffixes))
        raise GbiError("GBI-E066", where=file.name, expected=suffixes, got=file.suffix, exit_code=3)
    grids = [g for g in known.open(file, file.name, limits).grids if not g.empty]
    if not grids:
        raise GbiError("GBI-E068", where=file.name, exit_code=3)
    scored = sorted((score(grids, p), p.name) for p in profiles() if p.format == known.shape)
    best = scored[-1] if scored else (0.0, "")
    draft = _Draft(file, known.shape, grids)
    return Proposal(
        draft.name,
        draft.document(),
        reasons=tuple(draft.reasons),
        known_as=(best[1], best[0]) if best[0] >= ENOUGH else None,
        remarks=tuple(draft.remarks),
    )


class _Draft:
    """A proposal while it is written: the document, and the reasons beside it."""

    def __init__(self, file: Path, shape: str, grids: Sequence[Grid]) -> None:
        self.shape, self.grids = shape, grids
        stem = re.sub(r"[^a-z0-9]+", "-", fold(file.stem)).strip("-") or "file"
        self.name = stem if stem[0].isalpha() and len(stem) > 1 else f"file-{stem}"
        self.stem = file.stem
        self.reasons: list[Reason] = []
        self.remarks: list[Guess] = []

    def document(self) -> dict[str, Any]:
        found = [(grid, *header_of(grid)) for grid in self.grids]
        sheets = [(grid, first, rows, columns_of(grid, first, rows)) for grid, first, rows in found]
        every = [c for *_, columns in sheets for c in columns]
        style, guess = number_style(every)
        table = self._table(every)
        document: dict[str, Any] = {
            "name": self.name,
            "version": "0.1",
            "labels": {"fr": self.stem, "ar": self.stem, "en": self.stem, "reviewed": False},
            "format": self.shape,
            "table": table,
            "numbers": {"decimal": style.decimal, "thousands": list(style.thousands)},
            "decimals": "printed",
        }
        self._because(("numbers",), guess)
        self._marks(document, every, style)
        constants = self._constants(every, sheets[0][0], sheets[0][1], table)
        if constants:
            document["constants"] = constants
        totals = self._totals(every, table)
        if totals:
            document["totals"] = totals
        document["sheets"] = [
            self._section(i, grid, first, rows, columns, table)
            for i, (grid, first, rows, columns) in enumerate(sheets)
        ]
        return document

    def _because(self, path: tuple[str | int, ...], guess: Guess) -> None:
        self.reasons.append(Reason(path, guess))

    def _table(self, columns: Sequence[Column]) -> str:
        held = {c.concept.choice for c in columns if c.concept} | {
            c.spread[0] for c in columns if c.spread
        }
        for table, telling in _TELLING:
            there = [name for name in telling if name in held]
            if there:
                share = round(0.5 + 0.5 * len(there) / len(telling), 2)
                self._because(
                    ("table",), Guess(table, share, "table", {"columns": ", ".join(there)})
                )
                return table
        self._because(("table",), Guess("statistics", 0.5, "no_table"))
        return "statistics"

    def _marks(self, document: dict[str, Any], columns: Sequence[Column], style: Style) -> None:
        marks = marks_of(columns, style)
        missing = {m: _MISSING[fold(m)] for m in marks if fold(m) in _MISSING}
        if missing:
            document["missing"] = missing
            seen = ", ".join(f"“{m}” × {marks[m]}" for m in missing)
            self._because(("missing",), Guess("", 0.5, "missing", {"seen": seen}))
        others = {m: n for m, n in marks.items() if m not in missing}
        dashes = sum(n for m, n in others.items() if m in "-–—−")
        if dashes:
            self._remark("dashes", n=dashes)
        flagged = {m for m in others if re.fullmatch(r"[\d\s.,]+\s*[a-z]{1,2}", m)}
        if flagged:
            self._remark("flags", seen=", ".join(sorted(flagged)[:3]))

    def _constants(
        self, columns: Sequence[Column], grid: Grid, first: int, table: str
    ) -> dict[str, Any]:
        constants: dict[str, Any] = {}
        held = {c.concept.choice for c in columns if c.concept}
        titles = [grid.text(r, c) for r in range(first) for c in range(len(grid.rows[r]))]
        unit = next((u for t in titles if (u := unit_in_title(t))), None)
        if unit is not None and "UNIT_MEASURE" not in held:
            constants.update(UNIT_MEASURE=unit.measure, UNIT_MULT=unit.mult)
            self._because(("constants", "UNIT_MEASURE"), Guess("", 0.9, "title"))
        elif "UNIT_MEASURE" not in held and not any(unit_in_title(c.header) for c in columns):
            self._remark("no_unit")
        if "TIME_PERIOD" not in held and not any(c.year for c in columns):
            years = [y for t in (*titles, self.stem) for y in re.findall(r"(?:19|20)\d{2}", t)]
            if years:
                constants["TIME_PERIOD"] = years[0]
                self._because(("constants", "TIME_PERIOD"), Guess(years[0], 0.5, "one_year"))
            else:
                self._remark("no_period")
        if "INDICATOR" in schema(table).key and "INDICATOR" not in held:
            constants["INDICATOR"] = self.stem
            self._because(("constants", "INDICATOR"), Guess(self.stem, 0.3, "no_indicator"))
        return constants

    def _totals(self, columns: Sequence[Column], table: str) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for column in columns:
            if column.concept is None or column.concept.choice not in schema(table).columns:
                continue
            for label in total_labels(column):
                name = column.concept.choice
                whole = next(f.default for f in schema(table).fields if f.name == name)
                entry = {"column": name, "label": label, "code": str(whole or "_T")}
                if column.concept.choice != "SEX" and entry not in out:
                    self._because(("totals", len(out)), Guess(label, 0.8, "total"))
                    out.append(entry)
        return out

    def _section(
        self, index: int, grid: Grid, first: int, rows: int, columns: Sequence[Column], table: str
    ) -> dict[str, Any]:
        at: tuple[str | int, ...] = ("sheets", index)
        section: dict[str, Any] = {}
        if self.shape == "workbook":
            section |= {"name": re.escape(grid.sheet).replace(r"\ ", " "), "called": grid.sheet}
        section["header_rows"] = rows
        if spreads(grid, first, rows):
            section["spread"] = True
        place = {"first": first + 1, "last": first + rows}
        self._because((*at, "header_rows"), Guess("", 0.8, "rows", place))
        named: list[dict[str, Any]] = []
        values: list[dict[str, Any]] = []
        taken: set[str] = set()
        for column in columns:
            concept = column.concept
            fits = concept is not None and concept.choice in schema(table).columns
            if column.holds_values:
                self._value(values, column, (*at, "values"), table)
            elif fits and concept is not None and concept.choice not in taken:
                taken.add(concept.choice)
                self._because((*at, "columns", len(named)), concept)
                named.append({**_head(column), "column": concept.choice})
                self._unknown(column)
            else:
                why = "not_read_near" if column.near else "not_read"
                guess = Guess("", 0.0, why, {"near": column.near})
                self._because((*at, "columns", len(named)), guess)
                named.append(_head(column))
        section["columns"] = named or [{"pattern": "(?!)", "example": "–", "optional": True}]
        if values:
            section["values"] = values
        return section

    def _unknown(self, column: Column) -> None:
        totals = total_labels(column)
        for word, near in [u for u in column.unknown if u[0] not in totals][:5]:
            why = "unknown_near" if near else "unknown"
            self._remark(why, word=word, header=column.header, near=near)

    def _remark(self, reason: str, **params: object) -> None:
        self.remarks.append(Guess("", 0.0, reason, params))

    def _value(
        self, values: list[dict[str, Any]], column: Column, path: tuple[str | int, ...], table: str
    ) -> None:
        """Add a value column; columns of years become one entry with a pattern."""
        year = column.year
        if year is not None:
            before, after = (re.escape(p).replace(r"\ ", " ") for p in column.header.split(year))
            pattern = f"{before}(?P<TIME_PERIOD>\\d{{4}}){after}"
            if any(v.get("pattern") == pattern for v in values):
                return
            self._because((*path, len(values)), Guess("", 0.9, "year"))
            entry: dict[str, Any] = {"pattern": pattern, "example": column.header}
        else:
            share = round(column.numeric, 2)
            shown = {"share": f"{share:.0%}"}
            self._because((*path, len(values)), Guess("", share, "numbers", shown))
            entry = _head(column)
        says: dict[str, Any] = {}
        if column.spread is not None and column.spread[0] in schema(table).columns:
            says[column.spread[0]] = column.spread[1]
        if (unit := unit_in_title(column.header)) is not None:
            says |= {"UNIT_MEASURE": unit.measure, "UNIT_MULT": unit.mult}
        if says:
            entry["set"] = says
        values.append(entry)


def _head(column: Column) -> dict[str, Any]:
    """Return how a profile names a column: by its header, or by its letters if it has none."""
    return {"header": column.header} if column.header else {"at": column_letters(column.position)}


def _lines(document: Mapping[str, Any], told: Mapping[tuple[str | int, ...], str]) -> list[str]:
    """Return a profile's document as lines of YAML with the reasons behind them."""
    out: list[str] = []
    for key, value in document.items():
        if key == "sheets":
            out.append("sheets:")
            for i, section in enumerate(value):
                out += _section_lines(section, ("sheets", i), told)
        elif key == "totals":
            out.append("totals:")
            out += [_line(f"  - {as_yaml(t)}", told.get((key, i))) for i, t in enumerate(value)]
        elif key == "constants":
            out.append("constants:")
            out += [_line(f"  {k}: {as_yaml(v)}", told.get((key, k))) for k, v in value.items()]
        else:
            out.append(_line(f"{key}: {as_yaml(value)}", told.get((key,))))
    return out


def _section_lines(
    section: Mapping[str, Any], path: tuple[str | int, ...],
    told: Mapping[tuple[str | int, ...], str],
) -> list[str]:  # fmt: skip
    out: list[str] = []
    for key, value in section.items():
        mark = "    " if out else "  - "
        if key in ("columns", "values"):
            out.append(f"{mark}{key}:")
            for i, entry in enumerate(value):
                out.append(_line(f"      - {as_yaml(entry)}", told.get((*path, key, i))))
        else:
            out.append(_line(f"{mark}{key}: {as_yaml(value)}", told.get((*path, key))))
    return out


def _told(guess: Guess, lang: str | None) -> str:
    said = text(f"sniff.reasons.{guess.reason}", lang, **guess.params)
    return f"[{guess.confidence:.2f}] {' '.join(said.split())}"


def _line(written: str, reason: str | None) -> str:
    return written if reason is None else f"{written}  # {reason}"
