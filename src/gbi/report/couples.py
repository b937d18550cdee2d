"""Women, men and the gap, indicator by indicator: two marks, a line between, the gap in words.

Only percentages share an axis; pairs in other units stand below in figures.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from gbi.report.facts import Pair, pairs
from gbi.report.theme import (
    INK,
    MARKERS,
    MEN,
    MEN_TEXT,
    MUTED,
    RULE,
    WOMEN,
    Sheet,
    foreign,
    halo,
    heading_height,
    line_height,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gbi.report.wording import Words
    from gbi.results import Result

_WIDTH, _LABELS, _GAPS, _EDGE = 10.0, 4.35, 0.95, 0.15
_SIZE, _SMALL = 8, 7.5


def shown_pairs(result: Result) -> tuple[list[Pair], list[Pair]]:
    """Return the realised pairs with a gap: in percent, and in other units."""
    found = [p for p in pairs(result) if p.computed and p.kind in ("REALISED", "")]
    found.sort(key=lambda p: (p.department_label, p.department))
    return [p for p in found if p.unit == "PT"], [p for p in found if p.unit != "PT"]


def _counts(result: Result) -> dict[str, int]:
    both = [p for group in shown_pairs(result) for p in group]
    return {
        "n": len(both),
        "higher": sum((p.gap or 0) > 0 for p in both),
        "lower": sum((p.gap or 0) < 0 for p in both),
        "equal": sum(p.gap == 0 for p in both),
    }


def _period(result: Result) -> str:
    return next((p.period for group in shown_pairs(result) for p in group), "")


def title(result: Result, words: Words) -> str:
    """Say what the chart shows: on which side the women's value lies, and how often."""
    return words("charts.gaps.title", **_counts(result))


def alt(result: Result, words: Words) -> str:
    """Return the alternative text, from the data."""
    percent, _ = shown_pairs(result)
    base = words("charts.gaps.alt", period=_period(result), **_counts(result))
    if not percent:
        return base
    widest = max(percent, key=lambda p: abs(p.gap or 0))
    return (
        base
        + " "
        + words("charts.gaps.alt_widest", indicator=widest.indicator, gap=widest.shown_gap(words))
    )


def draw(ax: Axes, result: Result, words: Words) -> None:
    """Draw the percentages into axes, one row a pair."""
    percent, other = shown_pairs(result)
    chosen = percent or other
    for y, pair in enumerate(chosen):
        _dumbbell(ax, y, pair, words)
    several = len({p.period for p in chosen}) > 1
    labels = [_label(p, words) or p.programme or p.department_name(words) for p in chosen]
    labels = [label if len(label) < 60 else label[:59] + "…" for label in labels]
    if several:
        pairs_of = zip(labels, chosen, strict=True)
        labels = [f"{label}, {words.period(p.period)}" for label, p in pairs_of]
    ax.set_yticks(range(len(chosen)), labels)
    ax.set_ylim(len(chosen) - 0.5, -0.5)
    ax.margins(x=0.12)
    ax.set_xlabel(words.unit(chosen[0].unit, chosen[0].mult) if chosen else "")
    ax.xaxis.set_major_formatter(lambda x, _: words.number(x))


def handles(words: Words) -> list[Line2D]:
    """Return the entries of a legend: what the two marks stand for."""
    return [
        Line2D([], [], linestyle="none", marker=MARKERS[sex], color=colour, label=words(name))
        for sex, colour, name in (("F", WOMEN, "women"), ("M", MEN, "men"))
    ]


def _dumbbell(ax: Axes, y: float, pair: Pair, words: Words) -> None:
    assert pair.women is not None
    assert pair.men is not None
    ax.plot([pair.women, pair.men], [y, y], color="#b5b5b5", linewidth=1.6, zorder=1)
    women_left = pair.women <= pair.men
    for sex, value, colour, ink, left in (
        ("M", pair.men, MEN, MEN_TEXT, not women_left),
        ("F", pair.women, WOMEN, WOMEN, women_left),
    ):
        # The square is the larger one: where both values meet, its corners still show.
        ax.plot(value, y, MARKERS[sex], color=colour, markersize=7 if sex == "M" else 5.5,
                zorder=3, markeredgecolor="white", markeredgewidth=0.4)  # fmt: skip
        ax.annotate(
            words.number(value, pair.places), (value, y), xytext=(-6 if left else 6, 0),
            textcoords="offset points", ha="right" if left else "left", va="center",
            fontsize=7, color=ink, path_effects=halo(),
        )  # fmt: skip


def figure(result: Result, words: Words, source: str) -> Figure:
    """Draw the whole page: percentages by department on one axis, other units in figures."""
    percent, other = shown_pairs(result)
    measure = Sheet(_WIDTH, 1, words)
    rows = _rows(measure, percent, words)
    others = _rows(measure, other, words)
    head = title(result, words), words("charts.gaps.subtitle", period=_period(result))
    top = heading_height(_WIDTH, *head, words) + 0.5
    body = sum(h for *_, h in rows)
    below = (0.75 + sum(h for *_, h in others)) if others else 0.0
    sheet = Sheet(_WIDTH, top + body + 0.35 + below + 0.5, words)
    sheet.heading(*head)
    room = _WIDTH - _LABELS - _GAPS - _EDGE
    if rows:
        _panel(sheet, rows, (_LABELS, top, room, body), words)
    if others:
        _figures(sheet, others, top + body + 0.5, words)
    sheet.footer(source)
    return sheet.figure


_Row = tuple[Pair | None, list[str], float]


def _rows(sheet: Sheet, chosen: list[Pair], words: Words) -> list[_Row]:
    """Return the rows of a panel with their heights: a heading per department, then its pairs."""
    rows: list[_Row] = []
    for _, group in groupby(chosen, key=lambda p: (p.department, p.department_label)):
        members = list(group)
        name = sheet.wrap(members[0].department_name(words), _WIDTH - 0.4, _SIZE, weight="bold")
        rows.append((None, name, line_height(_SIZE) * len(name) + 0.14))
        for pair in members:
            lines = sheet.wrap(_label(pair, words), _LABELS - 0.4, _SIZE)
            rows.append((pair, lines, line_height(_SIZE) * len(lines) + 0.1))
    return rows


def _label(pair: Pair, words: Words) -> str:
    group = pair.group_name(words)
    return f"{pair.indicator} ({group})" if group else pair.indicator


def _panel(
    sheet: Sheet, rows: list[_Row], box: tuple[float, float, float, float], words: Words
) -> None:
    left, top, room, body = box
    ax = sheet.axes(left, top, room, body)
    ax.set_ylim(body, 0)
    y = 0.0
    for pair, lines, height in rows:
        if pair is None:
            if y:
                sheet.rule(top + y + 0.03)
            ground = {"facecolor": "white", "pad": 0.5, "edgecolor": "none"}
            sheet.text(_EDGE, top + y + 0.1, "\n".join(lines), fontsize=_SIZE, fontweight="bold",
                       color=INK, bbox=ground)  # fmt: skip
        else:
            middle = y + height / 2
            _dumbbell(ax, middle, pair, words)
            sheet.text(_EDGE + 0.1, top + middle, foreign(lines, words), va="center",
                       fontsize=_SIZE)  # fmt: skip
            sheet.text(_WIDTH - _EDGE, top + middle, pair.shown_gap(words), ha="right",
                       va="center", fontsize=8.5, fontweight="bold")  # fmt: skip
        y += height
    values = [v for pair, *_ in rows if pair for v in (pair.women, pair.men) if v is not None]
    high = max(100.0, *values)
    ax.set_xlim(-0.07 * high, high * 1.09)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xticks(range(0, int(high) + 1, 25))
    ax.grid(axis="x", color=RULE, linewidth=0.5)
    ax.tick_params(axis="x", length=0)
    ax.xaxis.set_major_formatter(lambda x, _: words.value(x, "PT"))
    _key(sheet, left, top - 0.16, words)


def _key(sheet: Sheet, x: float, y: float, words: Words) -> None:
    women, men = f"● {words('women')}", f"■ {words('men')}"
    x += 0.07 / 1.16 * 4.3
    sheet.text(x, y, women, va="center", fontsize=8.5, color=WOMEN, fontweight="bold")
    x += sheet.width_of(women, 8.5, weight="bold") + 0.25
    sheet.text(x, y, men, va="center", fontsize=8.5, color=MEN_TEXT, fontweight="bold")
    sheet.text(_WIDTH - _EDGE, y, words("charts.gaps.gap_head"), va="center", ha="right",
               fontsize=8, color=MUTED)  # fmt: skip


def _figures(sheet: Sheet, rows: list[_Row], top: float, words: Words) -> None:
    """Write the pairs in other units as a small table."""
    sheet.text(_EDGE, top, words("charts.gaps.other_units"), fontsize=9, fontweight="bold")
    columns = (_LABELS + 1.15, _LABELS + 2.3, _WIDTH - _EDGE)
    heads = (f"● {words('women')}", f"■ {words('men')}", words("charts.gaps.gap_head"))
    for x, head, ink in zip(columns, heads, (WOMEN, MEN_TEXT, MUTED), strict=True):
        sheet.text(x, top + 0.02, head, ha="right", fontsize=8, color=ink, fontweight="bold")
    sheet.text(_LABELS + 2.6, top + 0.02, words("columns.UNIT_MEASURE"), fontsize=8, color=MUTED)
    y = top + 0.28
    for pair, lines, height in rows:
        if pair is None:
            sheet.text(_EDGE, y + 0.08, "\n".join(lines), fontsize=_SIZE, fontweight="bold")
        else:
            middle = y + height / 2
            sheet.text(_EDGE + 0.1, middle, foreign(lines, words), va="center", fontsize=_SIZE)
            shown = (pair.shown(pair.women, words), pair.shown(pair.men, words),
                     pair.shown_gap(words))  # fmt: skip
            for x, value, ink in zip(columns, shown, (WOMEN, MEN_TEXT, INK), strict=True):
                sheet.text(x, middle, value, ha="right", va="center", fontsize=8.5, color=ink,
                           fontweight="bold" if ink == INK else "normal")  # fmt: skip
            sheet.text(_LABELS + 2.6, middle, words.unit(pair.unit, pair.mult), va="center",
                       fontsize=_SIZE, color=MUTED)  # fmt: skip
        y += height
