"""Target against realised value: every series in percent as a point, the widest ones by name.

A point on the diagonal has a target equal to the last realised value. Series whose target lies on
the other side of the value than their direction points are marked by shape and in words; why that
is so, the figures don't say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from gbi.report.facts import Target, target_counts, targets
from gbi.report.theme import (
    INK,
    MARK,
    MUTED,
    RULE,
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

_WIDTH, _EDGE, _PLOT = 10.0, 0.15, 4.7
NAMED = 10
_LIMIT = 105.0  # the frame's end; a rate beyond it is named, so that the others can be told apart
_FORMS = {  # marker, fill, edge, size
    "against": ("v", MARK, "white", 46),
    "UP": ("^", "#ffffff", "#1d3c5c", 26),
    "DOWN": ("D", "#ffffff", "#1d3c5c", 20),
    "other": ("o", "#ffffff", "#8c8c8c", 18),
}


def _form(series: Target) -> str:
    if series.against:
        return "against"
    return series.direction if series.direction in _FORMS else "other"


def plotted(result: Result) -> list[Target]:
    """Return the series in percent with both values."""
    return [t for t in targets(result) if t.verdict and t.unit == "PT"]


def named(result: Result) -> list[Target]:
    """Return the marked percentages that differ most, the widest first."""
    marked = [t for t in plotted(result) if t.against]
    marked.sort(key=lambda t: (-abs(t.target - t.realised), t.label))  # type: ignore[operator]
    return marked[:NAMED]


def _counts(result: Result) -> dict[str, int]:
    counts = target_counts(targets(result))
    up, down = counts["UP"], counts["DOWN"]
    return {
        "below": up["below"],
        "rising": sum(up.values()),
        "above": down["above"],
        "falling": sum(down.values()),
        "equal": sum(c["equal"] for c in counts.values()),
    }


def title(result: Result, words: Words) -> str:
    """Say what the chart shows: for how many rising indicators the target lies below."""
    return words("charts.targets.title", **_counts(result))


def alt(result: Result, words: Words) -> str:
    """Return the alternative text, from the data."""
    base = words("charts.targets.alt", **_counts(result))
    first = next(iter(named(result)), None)
    if first is None:
        return base
    return (
        base
        + " "
        + words(
            "charts.targets.alt_first",
            indicator=first.label,
            realised=first.shown(first.realised, words),
            target=first.shown(first.target, words),
        )
    )


def _change(series: Target, words: Words) -> str:
    return words(
        "charts.targets.change",
        realised=series.shown(series.realised, words),
        target=series.shown(series.target, words),
    )


def _within(points: list[Target]) -> tuple[list[Target], list[Target]]:
    """Split the series into those inside the frame and those beyond it."""
    inside = [t for t in points if max(t.realised or 0, t.target or 0) <= _LIMIT]
    return inside, [t for t in points if t not in inside]


def draw(ax: Axes, result: Result, words: Words, *, numbers: bool = False) -> None:
    """Draw realised value against target into axes, with the line of equal values."""
    points = plotted(result)
    points, beyond = _within(points)
    high = _LIMIT
    ax.plot([0, high], [0, high], color="#8a8a8a", linewidth=0.8, zorder=1)
    for form in ("other", "UP", "DOWN", "against"):
        chosen = [t for t in points if _form(t) == form]
        marker, fill, edge, size = _FORMS[form]
        ax.scatter(
            [t.realised or 0.0 for t in chosen], [t.target or 0.0 for t in chosen], s=size,
            marker=marker, facecolor=fill, edgecolor=edge, linewidth=0.9,
            zorder=4 if form == "against" else 2, clip_on=False,
        )  # fmt: skip
    ax.set_xlim(0, high)
    ax.set_ylim(0, high)
    ax.set_aspect("equal")
    ax.set_xticks(range(0, 101, 25))
    ax.set_yticks(range(0, 101, 25))
    ax.grid(color=RULE, linewidth=0.4)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda x, _: words.value(x, "PT"))
    first = next(iter([*points, *beyond]), None)
    ax.set_xlabel(words("charts.targets.x", period=first.realised_period if first else ""))
    ax.set_ylabel(words("charts.targets.y", period=first.target_period if first else ""))
    ax.annotate(
        words("charts.targets.diagonal"), (high, high), xytext=(0, 3),
        textcoords="offset points", ha="right", va="bottom", fontsize=7.5, color=MUTED,
    )  # fmt: skip
    if beyond:
        changes = ", ".join(_change(t, words) for t in beyond)
        ax.text(0.02 * high, 0.985 * high, words("charts.targets.beyond", changes=changes),
                ha="left", va="top", fontsize=7.5, color=MUTED)  # fmt: skip
    if numbers:
        for i, t in enumerate(named(result), start=1):
            if t not in points:
                continue
            ax.annotate(str(i), (t.realised or 0, t.target or 0), xytext=(0, -6),
                        textcoords="offset points", ha="center", va="top", fontsize=7.5,
                        fontweight="bold", color=MARK, zorder=6, path_effects=halo())  # fmt: skip


def handles(words: Words) -> list[Line2D]:
    """Return the entries of a legend: what the shapes stand for."""
    return [
        Line2D([], [], linestyle="none", marker=marker, markerfacecolor=fill,
               markeredgecolor=edge, label=words(f"charts.targets.forms.{form}"))
        for form, (marker, fill, edge, _) in _FORMS.items()
    ]  # fmt: skip


def figure(result: Result, words: Words, source: str) -> Figure:
    """Draw the whole page: the points, what the shapes mean, and the widest ones by name."""
    measure = Sheet(_WIDTH, 1, words)
    column = _PLOT + 0.95
    entries = [(t, measure.wrap(t.label, _WIDTH - column - 1.75, 8)) for t in named(result)]
    heights = [line_height(8) * len(lines) + 0.13 for _, lines in entries]
    head = title(result, words), words("charts.targets.subtitle", **_counts(result))
    top = heading_height(_WIDTH, *head, words) + 0.15
    sheet = Sheet(_WIDTH, max(top + 0.75 + _PLOT + 0.9, top + 0.6 + sum(heights) + 0.5), words)
    sheet.heading(*head)
    ax = sheet.axes(0.75, top + 0.7, _PLOT, _PLOT)
    draw(ax, result, words, numbers=True)
    _key(sheet, top, words)
    sheet.text(column, top + 0.1, words("charts.targets.named", n=len(entries)), fontsize=9,
               fontweight="bold", va="center")  # fmt: skip
    y = top + 0.36
    for i, ((series, lines), height) in enumerate(zip(entries, heights, strict=True), start=1):
        middle = y + height / 2
        sheet.text(column + 0.12, middle, str(i), ha="right", va="center", fontsize=8,
                   fontweight="bold", color=MARK)  # fmt: skip
        sheet.text(column + 0.25, middle, foreign(lines, words), va="center", fontsize=8)
        sheet.text(_WIDTH - _EDGE, middle, _change(series, words), ha="right", va="center",
                   fontsize=8.5, fontweight="bold", color=INK)  # fmt: skip
        y += height
    sheet.footer(source)
    return sheet.figure


def _key(sheet: Sheet, top: float, words: Words) -> None:
    """Name the shapes above the plot, two to a line."""
    x0, step = 0.75, 2.5
    for i, form in enumerate(("against", "UP", "DOWN", "other")):
        x, y = x0 + (i % 2) * step, top + 0.1 + (i // 2) * 0.24
        marker, fill, edge, size = _FORMS[form]
        spot = sheet.axes(x - 0.08, y - 0.1, 0.2, 0.2)
        spot.set_axis_off()
        spot.scatter([0], [0], s=size, marker=marker, facecolor=fill, edgecolor=edge,
                     linewidth=0.9)  # fmt: skip
        sheet.text(x + 0.2, y, words(f"charts.targets.forms.{form}"), va="center", fontsize=8,
                   color=MARK if form == "against" else MUTED,
                   fontweight="bold" if form == "against" else "normal")  # fmt: skip
