"""National gaps over time: one small panel an indicator, all read the same way.

A line joins values of one source and breaks where the source changes; a census has a hollow
diamond, a survey or a register a dot. Above zero the women's value is higher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbi.report.facts import Pair, Trend, trends
from gbi.report.theme import INK, MUTED, TOTAL, Sheet, foreign, halo, heading_height, line_height

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gbi.report.wording import Words
    from gbi.results import Result

_WIDTH, _EDGE, _COLUMNS, _GUTTER = 10.0, 0.2, 3, 0.42
_PLOT, _FOOT = 1.15, 0.42


def shown_trends(result: Result) -> tuple[list[Trend], list[Trend]]:
    """Return the series with several periods, and those with one."""
    found = trends(result)
    return [t for t in found if len(t.points) > 1], [t for t in found if len(t.points) == 1]


def _narrowed(trend: Trend) -> bool:
    """Whether the last gap is smaller than the first of the same source."""
    last = trend.points[-1]
    first = next(p for p in trend.points if p.source == last.source)
    return abs(last.gap or 0) < abs(first.gap or 0)


def title(result: Result, words: Words) -> str:
    """Say what the chart shows: how many gaps are smaller at the end than at the start."""
    many, _ = shown_trends(result)
    return words("charts.national.title", narrowed=sum(map(_narrowed, many)), n=len(many))


def alt(result: Result, words: Words) -> str:
    """Return the alternative text, from the data."""
    many, _ = shown_trends(result)
    base = words("charts.national.alt", narrowed=sum(map(_narrowed, many)), n=len(many))
    lines = [
        words(
            "charts.national.alt_series",
            indicator=t.name(words),
            first=t.points[0].shown_gap(words),
            start=words.period(t.points[0].period),
            last=t.points[-1].shown_gap(words),
            end=words.period(t.points[-1].period),
        )
        for t in many
    ]
    return " ".join([base, *lines])


def _year(point: Pair) -> int:
    return int(point.period[:4])


def draw(ax: Axes, trend: Trend, words: Words) -> None:
    """Draw one series of gaps into axes, with zero in view."""
    ax.axhline(0, color="#8a8a8a", linewidth=0.8, zorder=1)
    for run in trend.stretches:
        years, gaps = [_year(p) for p in run], [p.gap or 0.0 for p in run]
        ax.plot(years, gaps, color=TOTAL, linewidth=1.4, zorder=2)
    for point in trend.points:
        ax.plot(
            _year(point), point.gap or 0.0, "D" if point.census else "o", zorder=3,
            markersize=5.5 if point.census else 4.2, color=TOTAL, markeredgewidth=1.1,
            markerfacecolor="white" if point.census else TOTAL, markeredgecolor=TOTAL,
        )  # fmt: skip
    gaps = [p.gap or 0.0 for p in trend.points]
    low, high = min(0.0, *gaps), max(0.0, *gaps)
    span = (high - low) or 1.0
    ax.set_ylim(low - 0.3 * span, high + 0.3 * span)
    years = [_year(p) for p in trend.points]
    reach = max(years) - min(years) or 1
    ax.set_xlim(min(years) - 0.1 * reach, max(years) + 0.1 * reach)
    ends = (trend.points[0], trend.points[-1])
    ax.set_xticks([_year(p) for p in ends], [words.period(p.period) for p in ends])
    ax.set_yticks([0], [words.number(0)])
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(length=0)
    for point in _labelled(trend):
        up = _label_above(trend, point)
        ax.annotate(
            words.number_signed(point.gap, point.places), (_year(point), point.gap),
            xytext=(0, 6 if up else -6), textcoords="offset points", ha="center",
            va="bottom" if up else "top", fontsize=7.5, color=INK,
            fontweight="bold" if point in ends else "normal", path_effects=halo(),
        )  # fmt: skip


def _labelled(trend: Trend) -> list[Pair]:
    """Return the points whose gap is written: both ends, the first of a source, the extremes."""
    chosen = {id(p): p for p in (trend.points[0], trend.points[-1])}
    extremes = (max(trend.points, key=lambda p: p.gap or 0),
                min(trend.points, key=lambda p: p.gap or 0))  # fmt: skip
    reach = _year(trend.points[-1]) - _year(trend.points[0]) or 1
    for point in (*extremes, *(run[0] for run in trend.stretches)):
        near = min(abs(_year(point) - _year(q)) for q in chosen.values())
        if near / reach > 0.18:
            chosen[id(point)] = point
    return list(chosen.values())


def _label_above(trend: Trend, point: Pair) -> bool:
    """Whether a label stands above its point: away from the line and from zero."""
    i = trend.points.index(point)
    around = [p.gap or 0 for p in trend.points[max(0, i - 1) : i + 2] if p is not point]
    gap = point.gap or 0.0
    if around and gap != sum(around) / len(around):
        return gap > sum(around) / len(around)
    return gap >= 0


def figure(result: Result, words: Words, source: str) -> Figure:
    """Draw the whole page: a grid of panels, the single values below, the source."""
    many, single = shown_trends(result)
    measure = Sheet(_WIDTH, 1, words)
    width = (_WIDTH - 2 * _EDGE - (_COLUMNS - 1) * _GUTTER) / _COLUMNS
    titles = [measure.wrap(t.name(words), width, 8.5, weight="bold") for t in many]
    deep = [
        max(len(lines) for lines in titles[i : i + _COLUMNS])
        for i in range(0, len(titles), _COLUMNS)
    ]
    heights = [line_height(8.5) * n + 0.4 + _PLOT + _FOOT for n in deep]
    head = title(result, words), words("charts.national.subtitle")
    top = heading_height(_WIDTH, *head, words) + 0.5
    below = 0.3 + 0.24 * len(single) if single else 0.0
    sheet = Sheet(_WIDTH, top + sum(heights) + below + 0.5, words)
    sheet.heading(*head)
    _key(sheet, top - 0.25, words)
    y = top
    for row, height in enumerate(heights):
        for i in range(row * _COLUMNS, min((row + 1) * _COLUMNS, len(many))):
            place = i % _COLUMNS
            place = _COLUMNS - 1 - place if words.rtl else place
            x = _EDGE + place * (width + _GUTTER)
            _cell(sheet, many[i], titles[i], (x, y, width, height), deep[row], words)
        y += height
    if single:
        _singles(sheet, single, y, words)
    sheet.footer(source)
    return sheet.figure


def _cell(
    sheet: Sheet,
    trend: Trend,
    lines: list[str],
    box: tuple[float, float, float, float],
    deep: int,
    words: Words,
) -> None:
    x, y, width, _ = box
    at, side = (x + width, "right") if words.rtl else (x, "left")
    sheet.text(at, y, foreign(lines, words), fontsize=8.5, fontweight="bold", ha=side)
    y += line_height(8.5) * deep + 0.02
    last = trend.points[-1]
    sheet.text(at, y, _levels(last, words), fontsize=7.5, color=MUTED, ha=side)
    ax = sheet.axes(x + 0.1, y + 0.24, width - 0.1, _PLOT)
    draw(ax, trend, words)


def _levels(point: Pair, words: Words) -> str:
    return words(
        "charts.national.levels",
        unit=words("units.points") if point.unit == "PT" else words.unit(point.unit, point.mult),
        period=words.period(point.period),
        women=point.shown(point.women, words),
        men=point.shown(point.men, words),
    )


def _key(sheet: Sheet, y: float, words: Words) -> None:
    entries = (
        ("●", words("charts.national.survey")),
        ("◇", words("charts.national.census")),
        ("— —", words("charts.national.break")),
    )
    x = _EDGE
    for sign, meaning in entries:
        sheet.text(x, y, f"{sign}  {meaning}", fontsize=8, color=MUTED, va="center")
        x += sheet.width_of(f"{sign}  {meaning}", 8) + 0.35


def _singles(sheet: Sheet, single: list[Trend], y: float, words: Words) -> None:
    """Write the gaps of one period in words: a single value has no course."""
    right = words.rtl
    at, side = (_WIDTH - _EDGE, "right") if right else (_EDGE, "left")
    sheet.text(at, y, words("charts.national.single"), fontsize=8.5, fontweight="bold", ha=side)
    for i, trend in enumerate(single, start=1):
        point = trend.points[0]
        content = words(
            "charts.national.single_line",
            indicator=trend.name(words),
            period=words.period(point.period),
            gap=point.shown_gap(words),
            women=point.shown(point.women, words),
            men=point.shown(point.men, words),
        )
        sheet.text(at, y + 0.24 * i, content, fontsize=8, ha=side)
