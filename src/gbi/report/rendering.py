"""What results and validation reports look like on a screen: text, HTML and a chart.

``Result`` and ``ValidationReport`` find this module by its name when they are asked to show
themselves. Nothing is printed, shown or saved here, and no clock is read.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.report import aims, bars, couples, facts, ministries, paths, tables
from gbi.report.grids import Box, Grid, Head, shown
from gbi.report.outputs import render_report, write_report
from gbi.report.receipt_page import receipt_page
from gbi.report.theme import style as chart_style
from gbi.report.validation_text import validation_summary
from gbi.report.wording import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from gbi.results import Result

__all__ = [
    "plot",
    "receipt_page",
    "render_report",
    "repr_html",
    "summary",
    "validation_summary",
    "write_report",
]

ROWS = 20
_WIDEST = 32  # characters of a column on the terminal
# What a reader of a short table can do without: addresses, attributes, labels as printed.
_ASIDE = ("ORIGIN", "DECIMALS", "UNIT_MULT", "OBS_STATUS", "MEASURE_KIND", "SCOPE")
_WIDTH, _ROW, _MARGIN = 8.0, 0.3, 1.2  # inches of a chart that makes its own figure
_INVISIBLE = str.maketrans("", "", "\u2066\u2067\u2068\u2069")


def summary(result: Result, *, lang: str | None = None) -> str:
    """Return a result as text: what it is, the first rows, the notes, the fingerprint.

    Parameters
    ----------
    result
        What a measure returned.
    lang
        ``fr``, ``ar`` or ``en``.
    """
    words = Words(lang)
    title = words.entry("results", result.kind)
    lines = [f"{title} · {words('summary.rows', n=len(result.frame))}"]
    heads, rows = _content(result, words)
    if rows:
        lines += ["", *_aligned(heads, rows)]
    if len(result.frame) > ROWS:
        lines.append(words("summary.more", n=len(result.frame) - ROWS))
    notes = [note.texts()[words.lang] for note in result.notes]
    if notes:
        lines += ["", words("summary.notes"), *(f"- {note}" for note in notes)]
    lines += ["", words("summary.fingerprint", fingerprint=result.provenance.fingerprint)]
    return "\n".join(lines)


def repr_html(result: Result) -> str:
    """Return a result as a piece of HTML for a notebook, in the language in force."""
    from gbi.report.page import environment

    words = Words()
    heads, rows = _content(result, words)
    grid = Grid(words.entry("results", result.kind), heads, tuple(rows))
    more = len(result.frame) - ROWS
    return environment().get_template("result.html.j2").render(
        w=words,
        lang=words.lang,
        direction="rtl" if words.rtl else "ltr",
        grid=grid,
        rows=words("summary.rows", n=len(result.frame)),
        more=words("summary.more", n=more) if more > 0 else "",
        notes=[note.texts()[words.lang] for note in result.notes],
        fingerprint=result.provenance.fingerprint,
    )  # fmt: skip


def _content(result: Result, words: Words) -> tuple[tuple[Head, ...], list[tuple[Box, ...]]]:
    """Return the first rows of a result as they are shown, without columns that say nothing."""
    frame = result.frame
    names = [
        str(c)
        for c in frame.columns
        if not str(c).startswith(_ASIDE)
        and not str(c).endswith("_LABEL")
        and (not len(frame) or frame[c].notna().any())
    ]
    records = frame.head(ROWS).to_dict("records")
    rows = [
        tuple(shown(tables.cell(row, name), words) for name in names)
        for row in ({str(k): v for k, v in record.items()} for record in records)
    ]
    numeric = [any(row[i].kind == "number" for row in rows) for i in range(len(names))]
    heads = tuple(Head(words.column(n), right) for n, right in zip(names, numeric, strict=True))
    return heads, rows


def _cells(texts: Iterable[str]) -> list[str]:
    """Shorten texts to the widest that a column may be."""
    return [t if _columns(t) <= _WIDEST else t[: _WIDEST - 1] + "…" for t in texts]


def _columns(content: str) -> int:
    """Return how many columns of a terminal a text takes."""
    visible = (c for c in content.translate(_INVISIBLE) if not unicodedata.combining(c))
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in visible)


def _aligned(heads: tuple[Head, ...], rows: list[tuple[Box, ...]]) -> list[str]:
    """Return a table as lines: texts at the start of their column, numbers at its end."""
    grid = [_cells(h.text for h in heads), *(_cells(b.text for b in row) for row in rows)]
    widths = [max(_columns(line[i]) for line in grid) for i in range(len(heads))]
    lines = []
    for line in grid:
        parts = []
        for content, width, head in zip(line, widths, heads, strict=True):
            gap = " " * (width - _columns(content))
            parts.append(gap + content if head.number else content + gap)
        lines.append("  ".join(parts).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def plot(
    result: Result, *, ax: Axes | None = None, lang: str | None = None, **properties: Any
) -> Axes:
    """Draw a result and return the Axes; nothing is shown or saved.

    Parameters
    ----------
    result
        What a measure returned.
    ax
        Where to draw; by default the Axes of a new pyplot figure.
    lang
        The language of labels.
    **properties
        Properties of the Axes to set afterwards (``title``, ``xlabel``, …).

    Raises
    ------
    GbiError
        ``GBI-E081`` if there is no chart for this kind of result, or nothing to draw.
    """
    words = Words(lang)
    with chart_style():
        drawn = _drawn(result, ax, words)
        if properties:
            drawn.set(**properties)
    return drawn


def _drawn(result: Result, ax: Axes | None, words: Words) -> Axes:
    match result.kind:
        case "budget_structure" if facts.budget_lines(result):
            lines, _ = ministries.shown_lines(result, words)
            ax = ax or _axes(len(lines))
            ministries.draw(ax, result, words)
            _key(ax, ministries.handles(words))
        case "achievement" if aims.plotted(result):
            ax = ax or _axes(14)
            aims.draw(ax, result, words)
            _key(ax, aims.handles(words))
        case "gap" if any(p.computed for p in facts.pairs(result)):
            ax = _gaps(result, ax, words)
        case "shares" | "gender_marking" if bars.shown_bars(result, words):
            ax = ax or _axes(len(bars.shown_bars(result, words)))
            bars.draw(ax, result, words)
        case _:
            known = "budget_structure, achievement, gap, shares, gender_marking"
            raise GbiError("GBI-E081", expected=known, got=f"{result.kind} ({len(result.frame)})")
    return ax


def _gaps(result: Result, ax: Axes | None, words: Words) -> Axes:
    """Draw one series over time as a line, anything else as pairs of marks."""
    series = facts.trends(result)
    if len(series) == 1 and len(series[0].points) > 1:
        ax = ax or _axes(8)
        paths.draw(ax, series[0], words)
        ax.set_title(series[0].name(words))
        return ax
    percent, other = couples.shown_pairs(result)
    ax = ax or _axes(len(percent or other))
    couples.draw(ax, result, words)
    _key(ax, couples.handles(words))
    return ax


def _key(ax: Axes, handles: Sequence[Artist]) -> None:
    """Put a legend below a figure of our own, or inside Axes that the caller gave."""
    figure = ax.get_figure(root=True)
    if figure is not None and figure.get_layout_engine() is not None:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
    else:
        ax.legend(handles=handles, fontsize=8)


def _axes(rows: int) -> Axes:
    """Return the Axes of a new figure with room for so many rows."""
    # Imported late: pyplot chooses a window system, which a report never needs.
    from matplotlib import pyplot

    size = (_WIDTH, _MARGIN + _ROW * max(rows, 4))
    _, ax = pyplot.subplots(figsize=size, layout="constrained")
    return ax
