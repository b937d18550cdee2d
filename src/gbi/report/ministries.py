"""Credits by ministry: the largest lines as stacked bars, the remaining lines as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Patch

from gbi.report.facts import NATURES, Line, budget_lines
from gbi.report.theme import INK, MUTED, RULE, Sheet, heading_height
from gbi.report.theme import NATURES as COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gbi.report.wording import Words
    from gbi.results import Result

TOP = 14
_WIDTH, _LABELS, _TOTALS, _ROW = 10.0, 3.55, 0.75, 0.37
_BILLION = 1e9
_NARROWEST = 0.42  # inches that a part needs to carry its amount
_DARK = {"PERSONNEL", "GOODS"}


def shown_lines(result: Result, words: Words) -> tuple[list[Line], list[str]]:
    """Return the lines that the chart shows and their names; the rest is summed into one."""
    lines = budget_lines(result)
    top, rest = lines[:TOP], lines[TOP:]
    names = [line.name(words) for line in top]
    if rest:
        parts = {n: sum(line.natures[n] for line in rest) for n in NATURES}
        top = [*top, Line("", "", parts, None, sum(line.total for line in rest))]
        names.append(words("charts.credits.rest", n=len(rest)))
    return top, names


def title(result: Result, words: Words) -> str:
    """Say what the chart shows: how much of the total the first three lines hold."""
    lines = budget_lines(result)
    total = sum(line.total for line in lines)
    share = sum(line.total for line in lines[:3]) / total
    return words("charts.credits.title", n=min(3, len(lines)), share=words.share(share, 0))


def alt(result: Result, words: Words) -> str:
    """Return the alternative text, from the data."""
    lines = budget_lines(result)
    first = lines[0]
    return words(
        "charts.credits.alt",
        n=len(lines),
        total=words.billions(sum(line.total for line in lines)),
        first=first.name(words),
        amount=words.billions(first.total),
    )


def draw(ax: Axes, result: Result, words: Words) -> None:
    """Draw the bars into axes: horizontal, stacked, from zero, in billions of dirhams."""
    lines, names = shown_lines(result, words)
    _bars(ax, lines)
    ax.set_yticks(range(len(lines)), [n if len(n) < 48 else n[:47] + "…" for n in names])
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set_xlabel(words("units.billions_long"))
    ax.xaxis.set_major_formatter(lambda x, _: words.number(x))


def handles(words: Words) -> list[Patch]:
    """Return the entries of a legend: the natures of expenditure."""
    return [
        Patch(facecolor=COLOURS[n], edgecolor="white", hatch="////" if n == "OPERATING" else None,
              label=words(f"charts.credits.parts.{n}"))
        for n in NATURES
    ]  # fmt: skip


def _bars(ax: Axes, lines: list[Line], height: float = 0.62) -> None:
    left = [0.0] * len(lines)
    for nature in NATURES:
        widths = [line.natures[nature] / _BILLION for line in lines]
        ax.barh(
            range(len(lines)), widths, height, left=left, color=COLOURS[nature],
            hatch="////" if nature == "OPERATING" else None, edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        left = [a + b for a, b in zip(left, widths, strict=True)]


def figure(result: Result, words: Words, source: str) -> Figure:
    """Draw the whole page: title, key, bars, amounts, source."""
    lines, names = shown_lines(result, words)
    head = title(result, words), words("charts.credits.subtitle")
    top = heading_height(_WIDTH, *head, words) + 0.5
    body = _ROW * len(lines)
    sheet = Sheet(_WIDTH, top + body + 0.75, words)
    sheet.heading(*head)
    room = _WIDTH - _LABELS - _TOTALS - 0.15
    largest = max(line.total for line in lines) / _BILLION
    ax = sheet.axes(_LABELS, top, room, body)
    _bars(ax, lines)
    ax.set_xlim(0, largest)
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_color(INK)
    ax.spines["bottom"].set_visible(False)
    ax.grid(axis="x", color=RULE, linewidth=0.5)
    ax.tick_params(axis="x", length=0, pad=2)
    ax.xaxis.set_major_formatter(lambda x, _: words.number(x))
    _key(sheet, top - 0.24, words)
    per_unit = room / largest
    for i, (line, name) in enumerate(zip(lines, names, strict=True)):
        middle = top + _ROW * (i + 0.5)
        rows = sheet.wrap(name, _LABELS - 0.3, 8)
        rest = i == len(lines) - 1 and line.code == ""
        sheet.text(
            _LABELS - 0.1, middle, "\n".join(rows), ha="right", va="center", fontsize=8,
            color=MUTED if rest else INK, linespacing=1.1,
        )  # fmt: skip
        end = line.total / _BILLION
        sheet.text(
            _LABELS + end * per_unit + 0.07, middle, words.number(end, 1),
            ha="left", va="center", fontsize=8.5, fontweight="bold",
        )  # fmt: skip
        _parts(ax, i, line, per_unit, words)
    sheet.footer(source)
    return sheet.figure


def _parts(ax: Axes, row: int, line: Line, per_unit: float, words: Words) -> None:
    """Write a part's amount inside it, where it is wide enough."""
    left = 0.0
    for nature in NATURES:
        amount = line.natures[nature] / _BILLION
        if amount * per_unit >= _NARROWEST:
            ax.text(
                left + amount / 2, row, words.number(amount, 1), ha="center", va="center",
                fontsize=7.5, color="white" if nature in _DARK else INK,
                bbox={"facecolor": COLOURS[nature], "pad": 1.2, "edgecolor": "none"}
                if nature == "OPERATING" else None,
            )  # fmt: skip
        left += amount


def _key(sheet: Sheet, y: float, words: Words) -> None:
    """Name the parts above the bars, in the order of the stack."""
    x = _LABELS
    for nature in NATURES:
        name = words(f"charts.credits.parts.{nature}")
        swatch = sheet.axes(x, y - 0.065, 0.16, 0.13)
        swatch.set_axis_off()
        swatch.bar(
            [0], [1], 1, color=COLOURS[nature], edgecolor="white", linewidth=0,
            hatch="////" if nature == "OPERATING" else None,
        )  # fmt: skip
        swatch.set(xlim=(-0.5, 0.5), ylim=(0, 1))
        sheet.text(x + 0.21, y, name, va="center", fontsize=8, color=MUTED)
        x += 0.21 + sheet.width_of(name, 8) + 0.22
