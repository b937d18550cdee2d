"""Gender marking on the page: what credits and answers give, beside what the source publishes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gbi.report.grids import Box, Grid, Section, heads, named, number, source
from gbi.report.wording import DASH, missing

if TYPE_CHECKING:
    from gbi.report.bundle import Item
    from gbi.report.wording import Words

_PLACES = 2  # decimals of a share: it is compared with a class to the second one
_CRITERIA = ("CRITERION_1", "CRITERION_2", "CRITERION_3", "CRITERION_4")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a gender_marking result, missing values as None."""

    cells: dict[str, Any]
    words: Words

    def __getitem__(self, name: str) -> Any:
        value = self.cells.get(name)
        return None if missing(value) else value

    @property
    def programme(self) -> tuple[str, ...]:
        """What tells one programme from another."""
        names = ("TIME_PERIOD", "REF_AREA", "DEPARTMENT", "PROGRAMME")
        return tuple(str(self[name]) for name in names)

    @property
    def unit(self) -> str:
        """The unit of its amounts."""
        return self.words.unit(self["UNIT_MEASURE"], self["UNIT_MULT"])

    def mark(self, name: str) -> Box:
        """Return a mark with what it stands for."""
        if self[name] is None:
            return Box(DASH, tone="quiet")
        code = str(self[name])
        meaning = self.words.code("CL_MARK", code)
        return Box(self.words.aside(code), tone="strong", aside="" if meaning == code else meaning)

    def amount(self, name: str, tone: str = "") -> Box:
        """Return an amount with the decimals of its source."""
        places = None if self["DECIMALS"] is None else int(self["DECIMALS"])
        return number(self.words.value(self[name], decimals=places), tone)

    def reason(self, *names: str) -> Box:
        """Return why something could not be computed."""
        codes = [self[name] for name in names if self[name] is not None]
        lines = [self.words.reason(code) for code in codes]
        return Box(" ".join(lines), tone="quiet")


def marking_section(item: Item, words: Words) -> Section:
    """Return the marking of programmes and projects as two tables."""
    frame = item.result.frame
    columns = [str(c) for c in frame.columns]
    rows = [
        _Row(dict(zip(columns, values, strict=True)), words)
        for values in frame.itertuples(index=False, name=None)
    ]
    grids = [_programmes([r for r in rows if r["LEVEL"] == "PROGRAMME"], words)]
    projects = [r for r in rows if r["LEVEL"] == "PROJECT"]
    units = dict.fromkeys(r.unit for r in projects)
    grids += [_projects([r for r in projects if r.unit == unit], words) for unit in units]
    return named("marking", words, grids=tuple(grids))


def _programmes(programmes: list[_Row], words: Words) -> Grid:
    """Two rows a programme: from credits and answers, and from the published figures."""
    rows: list[tuple[Box, ...]] = []
    for row in programmes:
        published = row["FINAL_MARK_STATED"]
        remark = words("marking.published", mark=published) if published else ""
        stated = _share(words, row["SHARE_STATED"])
        rows += [
            (
                source(row["PROGRAMME"] or DASH, head=True, rows=2, aside=_origin(row)),
                Box(words("marking.from_data"), tone="short"),
                Box(_answers(row), tone="short"),
                row.mark("GRID_MARK"),
                _computed_share(row),
                row.mark("SHARE_MARK"),
                row.mark("FINAL_MARK"),
                row.reason("REASON", "REASON_GRID"),
            ),
            (
                Box(words("marking.from_stated"), tone="short"),
                Box(DASH, tone="quiet"),
                row.mark("GRID_MARK_STATED"),
                stated,
                row.mark("SHARE_MARK_STATED"),
                row.mark("FINAL_STATED_INPUTS"),
                Box(remark, tone="quiet"),
            ),
        ]
    names = ("programme", "basis", "answers", "grid", "#share", "share_mark", "final", "remark")
    return Grid(words("captions.programmes"), heads(words, *names), tuple(rows))


def _origin(row: _Row) -> str:
    parts = (row["DEPARTMENT_LABEL"] or row["DEPARTMENT"], row["TIME_PERIOD"])
    return ", ".join(str(part) for part in parts if part)


def _answers(row: _Row) -> str:
    given = [row[name] for name in _CRITERIA]
    if not any(given):
        return DASH
    return " · ".join(row.words(f"answers.{a}") if a in ("Y", "N") else DASH for a in given)


def _share(words: Words, value: Any, tone: str = "") -> Box:
    return number(words.share(value, _PLACES), tone)


def _computed_share(row: _Row) -> Box:
    """Return the share, its bounds where not all is known, or that it can't be computed."""
    words = row.words
    bounds = _bounds(row)
    if row["SHARE"] is None:
        return Box(bounds or words("marking.not_computable"), "number", tone="quiet")
    aside = ""
    if row["SHARE_NOT_EVALUATED"]:
        parts = (
            words("marking.not_evaluated", share=words.share(row["SHARE_NOT_EVALUATED"], _PLACES)),
        )
        aside = ", ".join((*parts, bounds) if bounds else parts)
    return Box(words.share(row["SHARE"], _PLACES), "number", tone="strong", aside=aside)


def _bounds(row: _Row) -> str:
    if row["SHARE_LOW"] is None or row["SHARE_HIGH"] is None:
        return ""
    ends = bool(row["SHARE_LOW_REACHED"]), bool(row["SHARE_HIGH_REACHED"])
    key = {
        (True, True): "bounds",
        (False, True): "bounds_open_low",
        (True, False): "bounds_open_high",
        (False, False): "bounds_open",
    }[ends]
    low, high = (row.words.share(row[name]) for name in ("SHARE_LOW", "SHARE_HIGH"))
    return row.words(f"marking.{key}", low=low, high=high)


def _projects(projects: list[_Row], words: Words) -> Grid:
    rows: list[tuple[Box, ...]] = []
    for _, group in groupby(projects, key=lambda r: r.programme):
        members = list(group)
        for i, row in enumerate(members):
            lead = (source(row["PROGRAMME"] or DASH, rows=len(members)),) if i == 0 else ()
            rows.append(
                (
                    *lead,
                    source(row["PROJECT"] or DASH, head=True),
                    row.amount("OBS_VALUE"),
                    row.mark("MARK"),
                    number(words.share(row["WEIGHT"], 0)),
                    row.amount("WEIGHTED_AMOUNT", "strong"),
                    row.amount("AMOUNT_STATED"),
                    row.reason("REASON"),
                )
            )
    names = ("programme", "project", "#payment", "mark", "#weight", "#amount",
             "#amount_stated", "reason")  # fmt: skip
    caption = words("captions.projects", unit=projects[0].unit)
    return Grid(caption, heads(words, *names), tuple(rows))
