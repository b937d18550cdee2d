"""What the report says, drawn from results: budget lines, pairs, targets, trends, marks.

A result is a long table for programs; charts and pages speak of lines, pairs and series. This is
the one place that knows both. Nothing is computed here that a measure did not compute, except
orders, counts and sums of what is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbi.language import LANGUAGES
from gbi.report.wording import Words, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from gbi.report.bundle import Item
    from gbi.results import Result

NATURES = ("PERSONNEL", "GOODS", "OPERATING", "INVESTMENT")
GROUPS = (
    "AGE", "URBANISATION", "EDUCATION_LEV", "INCOME_WEALTH_QUANTILE", "DISABILITY_STATUS",
    "POPULATION_GROUP", "ACTIVITY", "REF_AREA",
)  # fmt: skip
_CENSUS = ("RGPH",)  # the general population and housing census, in its French initials


def _text(row: dict[str, Any], *names: str) -> str:
    for name in names:
        if name in row and not missing(row[name]):
            return str(row[name])
    return ""


def _number(row: dict[str, Any], *names: str) -> float | None:
    for name in names:
        if name in row and not missing(row[name]):
            return float(row[name])
    return None


def _whole(row: dict[str, Any], name: str) -> int | None:
    value = _number(row, name)
    return None if value is None else int(value)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [str(c) for c in frame.columns]
    return [
        dict(zip(columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the budget annex, in dirhams; ``natures`` are the parts of ``total``."""

    code: str
    label: str
    natures: dict[str, float]
    commitments: float | None
    total: float

    def name(self, words: Words) -> str:
        """Return the line's name."""
        return words.code("CL_MINISTRY", self.code, fallback=self.label)


def budget_lines(result: Result) -> list[Line]:
    """Return the budget lines, the largest first.

    Operating credits that a line does not split into personnel and goods are its ``OPERATING``
    part; where it does, the two parts stand and their total is left out.
    """
    lines: dict[str, dict[str, Any]] = {}
    for row in _records(result.frame):
        code = _text(row, "MINISTRY")
        line = lines.setdefault(code, {"label": _text(row, "MINISTRY_LABEL"), "cells": {}})
        key = (_text(row, "ECON_NATURE"), _text(row, "CREDIT_TYPE") or "CP")
        line["cells"][key] = _number(row, "OBS_VALUE")
    out = []
    for code, line in lines.items():
        cells = line["cells"]
        operating = cells.get(("OPERATING", "CP")) or 0.0
        parts = {n: cells.get((n, "CP")) or 0.0 for n in NATURES}
        parts["OPERATING"] = operating - parts["PERSONNEL"] - parts["GOODS"]
        total = cells.get(("_T", "CP"))
        out.append(
            Line(
                code, line["label"], parts, cells.get(("INVESTMENT", "CE")),
                sum(parts.values()) if total is None else total,
            )
        )  # fmt: skip
    return sorted(out, key=lambda x: (-x.total, x.code))


@dataclass(frozen=True, slots=True)
class Pair:
    """The women's and the men's value of one indicator in one period, and their gap.

    A share of women among both sexes has a ``distance`` to its reference instead of a gap.
    """

    department: str
    department_label: str
    programme: str
    objective: str
    indicator: str
    pair_id: str
    kind: str
    period: str
    unit: str
    mult: int
    decimals: int | None
    women: float | None
    men: float | None
    gap: float | None
    distance: float | None
    parity: float | None
    status: str
    reason: str
    groups: tuple[tuple[str, str], ...]
    source: str
    detail: str = ""

    @property
    def computed(self) -> bool:
        """Whether there is a gap."""
        return self.gap is not None

    @property
    def census(self) -> bool:
        """Whether the value comes from a census."""
        return any(word in self.source for word in _CENSUS)

    def department_name(self, words: Words) -> str:
        """Return the department's name."""
        return words.code("CL_DEPARTMENT", self.department, fallback=self.department_label)

    def group_name(self, words: Words) -> str:
        """Return what the value is about beside its indicator (rural area), or nothing.

        Where two pairs of a department have one indicator, the women's sub-indicator is part of it.
        """
        names = [words.code(f"CL_{name}", code) for name, code in self.groups]
        return ", ".join([*names, self.detail] if self.detail else names)

    def shown(self, value: float | None, words: Words) -> str:
        """Write one of the two values with its unit."""
        return words.value(value, self.unit, decimals=self.places)

    def shown_gap(self, words: Words) -> str:
        """Write the gap with its sign and unit."""
        return words.gap(self.gap, self.unit, self.places)

    @property
    def places(self) -> int:
        """Decimals to show: as the source prints, at most two."""
        known = [v for v in (self.women, self.men) if v is not None]
        needed = next((k for k in range(3) if all(abs(round(v, k) - v) < 1e-9 for v in known)), 2)
        return needed if self.decimals is None else min(max(self.decimals, needed), 3)


def pairs(result: Result) -> list[Pair]:
    """Return the rows of a gap result in its order."""
    rows = _records(result.frame)
    alike = Counter(_told_by(row) for row in rows)
    out = []
    for row in rows:
        groups = tuple(
            (name, _text(row, name)) for name in GROUPS if _text(row, name) not in ("", "_T", "MA")
        )
        out.append(
            Pair(
                department=_text(row, "DEPARTMENT"),
                department_label=_text(row, "DEPARTMENT_LABEL"),
                programme=_text(row, "PROGRAMME"),
                objective=_text(row, "OBJECTIVE"),
                indicator=_text(row, "INDICATOR"),
                pair_id=_text(row, "PAIR_ID"),
                kind=_text(row, "VALUE_KIND"),
                period=_text(row, "TIME_PERIOD"),
                unit=_text(row, "UNIT_MEASURE"),
                mult=_whole(row, "UNIT_MULT") or 0,
                decimals=_whole(row, "DECIMALS"),
                women=_number(row, "VALUE_F"),
                men=_number(row, "VALUE_M"),
                gap=_number(row, "GAP_ABS"),
                distance=_number(row, "GAP_REF"),
                parity=_number(row, "PARITY"),
                status=_text(row, "OBS_STATUS"),
                reason=_text(row, "REASON"),
                groups=groups,
                source=_text(row, "SOURCE"),
                detail=_text(row, "SUB_INDICATOR_F") if alike[_told_by(row)] > 1 else "",
            )
        )
    return out


def _told_by(row: dict[str, Any]) -> tuple[str, ...]:
    """Return what tells a pair's value apart for a reader, but for its sub-indicators."""
    names = ("DEPARTMENT", "INDICATOR", "VALUE_KIND", "TIME_PERIOD", "SOURCE", *GROUPS)
    return tuple(_text(row, name) for name in names)


@dataclass(frozen=True, slots=True)
class Target:
    """A series with its last realised value and its target.

    ``verdict`` is ``below``, ``equal`` or ``above``: where the target lies against the realised
    value; None where one of the two is missing.
    """

    department: str
    department_label: str
    programme: str
    objective: str
    indicator: str
    sub_indicator: str
    realised: float | None
    target: float | None
    realised_period: str
    target_period: str
    direction: str
    unit: str
    mult: int
    decimals: int | None
    reason: str

    @property
    def verdict(self) -> str | None:
        """Where the target lies against the realised value."""
        if self.realised is None or self.target is None:
            return None
        if self.target == self.realised:
            return "equal"
        return "below" if self.target < self.realised else "above"

    @property
    def against(self) -> bool:
        """Whether the target lies on the other side of the value than the direction points."""
        return (self.direction, self.verdict) in {("UP", "below"), ("DOWN", "above")}

    @property
    def label(self) -> str:
        """The most precise label that the source prints."""
        return self.sub_indicator or self.indicator

    def department_name(self, words: Words) -> str:
        """Return the department's name."""
        return words.code("CL_DEPARTMENT", self.department, fallback=self.department_label)

    def shown(self, value: float | None, words: Words) -> str:
        """Write one of the two values with its unit."""
        return words.value(value, self.unit)


def targets(result: Result) -> list[Target]:
    """Return the series of an achievement result in its order."""
    return [
        Target(
            department=_text(row, "DEPARTMENT"),
            department_label=_text(row, "DEPARTMENT_LABEL"),
            programme=_text(row, "PROGRAMME"),
            objective=_text(row, "OBJECTIVE"),
            indicator=_text(row, "INDICATOR"),
            sub_indicator=_text(row, "SUB_INDICATOR"),
            realised=_number(row, "VALUE_REALISED", "REALISED"),
            target=_number(row, "VALUE_TARGET", "TARGET"),
            realised_period=_text(row, "PERIOD_REALISED", "REALISED_PERIOD"),
            target_period=_text(row, "PERIOD_TARGET", "TARGET_PERIOD", "TIME_PERIOD"),
            direction=_text(row, "DIRECTION"),
            unit=_text(row, "UNIT_MEASURE"),
            mult=_whole(row, "UNIT_MULT") or 0,
            decimals=_whole(row, "DECIMALS"),
            reason=_text(row, "REASON"),
        )
        for row in _records(result.frame)
    ]


DIRECTIONS = ("UP", "DOWN", "NEAREST", "")
VERDICTS = ("below", "equal", "above")


def target_counts(series: Sequence[Target]) -> dict[str, dict[str, int]]:
    """Count series by direction and by where the target lies (both values present)."""
    found = Counter((t.direction, t.verdict) for t in series if t.verdict)
    return {d: {v: found[d, v] for v in VERDICTS} for d in DIRECTIONS}


@dataclass(frozen=True, slots=True)
class Trend:
    """One national indicator over time: its points in order, women's and men's value in each."""

    indicator: str
    groups: tuple[tuple[str, str], ...]
    unit: str
    mult: int
    points: tuple[Pair, ...]

    def name(self, words: Words) -> str:
        """Return the indicator with the group that it is about."""
        group = ", ".join(words.code(f"CL_{name}", code) for name, code in self.groups)
        return f"{self.indicator} ({group})" if group else self.indicator

    @property
    def stretches(self) -> list[list[Pair]]:
        """The points in runs of one source: a line is drawn within a run, never across."""
        runs: list[list[Pair]] = []
        for point in self.points:
            if runs and runs[-1][-1].source == point.source:
                runs[-1].append(point)
            else:
                runs.append([point])
        return runs


def trends(result: Result) -> list[Trend]:
    """Return the series of a national gap result that have at least one gap."""
    series: dict[tuple[str, tuple[tuple[str, str], ...], str, int], list[Pair]] = {}
    for pair in pairs(result):
        if pair.computed:
            series.setdefault((pair.indicator, pair.groups, pair.unit, pair.mult), []).append(pair)
    return [
        Trend(indicator, groups, unit, mult, tuple(sorted(points, key=lambda p: p.period)))
        for (indicator, groups, unit, mult), points in series.items()
    ]


def by_kind(items: Sequence[Item], kind: str) -> list[Item]:
    """Return the items whose result is of a kind and holds rows."""
    return [item for item in items if item.result.kind == kind and len(item.result.frame)]


def key_figures(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the figures of the page's head: id, raw value, unit, and label and display each."""
    out = []

    def add(name: str, raw: float, unit: str, shown: dict[str, str]) -> None:
        label = {lang: Words(lang)(f"key_figures.{name}") for lang in LANGUAGES}
        out.append({"id": name, "raw": raw, "unit": unit, "label": label, "display": shown})

    def count(name: str, n: int) -> None:
        add(name, n, "NUMBER", {lang: Words(lang).number(n) for lang in LANGUAGES})

    for item in by_kind(items, "budget_structure"):
        lines = budget_lines(item.result)
        total = sum(line.total for line in lines)
        shown: dict[str, str] = {
            lang: f"{Words(lang).billions(total)} {Words(lang)('units.billions')}"
            for lang in LANGUAGES
        }
        add("credits", total, "MAD", shown)
        count("lines", len(lines))
    for item in by_kind(items, "achievement"):
        count("series", len(targets(item.result)))
    for item in by_kind(items, "gap"):
        tied = {p.pair_id for p in pairs(item.result) if p.pair_id}
        if tied:
            count("pairs", len(tied))
            done = {p.pair_id for p in pairs(item.result)
                    if p.pair_id and p.kind == "REALISED" and p.computed}  # fmt: skip
            count("pairs_computed", len(done))
    return out
