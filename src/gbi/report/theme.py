"""The look of the charts: one style file, two hues for women and men, text that fits its place.

Colours follow the published measurements of contrast and of colour blindness: women violet with a
disc, men green with a square, never colour alone, and no other meaning for these two hues.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from gbi.language import isolate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from gbi.report.wording import Words

STYLE_FILE = Path(__file__).with_name("gbi.mplstyle")

WOMEN, MEN, TOTAL, UNKNOWN, OTHER = "#5b2a86", "#2e9e6b", "#3d3d3d", "#8c8c8c", "#c77f0a"
MEN_TEXT = "#1d7a50"  # the same green, dark enough for small letters
MARKERS = {"F": "o", "M": "s"}
INK, MUTED, RULE, PAPER = "#1c1c1c", "#5a5a5a", "#c9c9c9", "#ffffff"
# Natures of expenditure: blues and one ochre, so that violet and green keep their one meaning.
NATURES = {
    "PERSONNEL": "#1d3c5c",
    "GOODS": "#6c93b8",
    "OPERATING": "#b9c4ce",
    "INVESTMENT": "#d39a2d",
}
MARK = "#b3541e"  # what deserves a second look, always together with a shape and words

_PER_INCH = 72


@contextmanager
def style() -> Iterator[None]:
    """Use gbi's chart style inside a ``with`` block; matplotlib's settings return afterwards.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with style():
    ...     mpl.rcParams["axes.spines.top"]
    False
    """
    settings = mpl.rc_params_from_file(STYLE_FILE, use_default_template=False)
    with mpl.rc_context(dict(settings)):
        yield


class Sheet:
    """A page to draw on, measured in inches from its upper left corner.

    Parameters
    ----------
    width, height
        In inches.
    words
        The language, which decides on which side titles stand.
    """

    def __init__(self, width: float, height: float, words: Words) -> None:
        self.width, self.height, self.words = width, height, words
        self.figure = Figure(figsize=(width, height))
        FigureCanvasAgg(self.figure)
        size = int(width * _PER_INCH), int(height * _PER_INCH)
        self._renderer: Any = RendererAgg(*size, _PER_INCH)  # type: ignore[no-untyped-call]

    def text(self, x: float, y: float, content: str, **kwargs: Any) -> None:
        """Write at ``x``, ``y`` (top of the text unless ``va`` says otherwise)."""
        kwargs.setdefault("va", "top")
        kwargs.setdefault("linespacing", 1.25)
        self.figure.text(x / self.width, 1 - y / self.height, content, **kwargs)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes whose upper left corner is at ``x``, ``y``."""
        return self.figure.add_axes(
            (
                x / self.width,
                1 - (y + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def rule(self, y: float, *, margin: float = 0.15) -> None:
        """Draw a hairline over the whole width."""
        self.figure.add_artist(
            Line2D(
                [margin / self.width, 1 - margin / self.width], [1 - y / self.height] * 2,
                color=RULE, linewidth=0.6,
            )
        )  # fmt: skip

    def heading(self, title: str, subtitle: str, *, margin: float = 0.15) -> float:
        """Write title and subtitle over the whole width; return where they end, in inches."""
        right = self.words.rtl
        x = self.width - margin if right else margin
        side = "right" if right else "left"
        y = 0.12
        room = self.width - 2 * margin
        for content, size, weight, colour in (
            (title, 12.5, "bold", INK),
            (subtitle, 9, "normal", MUTED),
        ):
            lines = self.wrap(content, room, size, weight=weight)
            self.text(
                x, y, "\n".join(lines), ha=side, fontsize=size, fontweight=weight, color=colour
            )
            y += line_height(size) * len(lines) + 0.05
        return y

    def footer(self, content: str, *, margin: float = 0.15) -> None:
        """Write the source line at the foot of the page."""
        right = self.words.rtl
        lines = self.wrap(content, self.width - 2 * margin, 7.5)
        self.text(
            self.width - margin if right else margin,
            self.height - 0.1,
            "\n".join(lines),
            ha="right" if right else "left",
            va="bottom",
            fontsize=7.5,
            color=MUTED,
        )

    def wrap(self, content: str, width: float, size: float, *, weight: str = "normal") -> list[str]:
        """Break a text into lines no wider than ``width`` inches, as the font measures them."""
        font = FontProperties(family=mpl.rcParams["font.family"], size=size, weight=weight)
        lines: list[str] = []
        for word in content.split(" "):
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self._measured(longer, font) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def width_of(self, content: str, size: float, *, weight: str = "normal") -> float:
        """Return the width of a text in inches, as the font measures it."""
        family = mpl.rcParams["font.family"]
        return self._measured(content, FontProperties(family=family, size=size, weight=weight))

    def _measured(self, content: str, font: FontProperties) -> float:
        width, _, _ = self._renderer.get_text_width_height_descent(content, font, ismath=False)
        return float(width) / _PER_INCH


def halo() -> list[patheffects.AbstractPathEffect]:
    """Return a white rim that keeps small figures readable where a line passes behind them."""
    return [patheffects.withStroke(linewidth=2.2, foreground=PAPER)]


def heading_height(width: float, title: str, subtitle: str, words: Words) -> float:
    """Return how deep a heading reaches on a page of this width, in inches."""
    return Sheet(width, 1, words).heading(title, subtitle)


def line_height(size: float) -> float:
    """Return the height of a line of text in inches, leading included."""
    return size * 1.25 * 1.16 / _PER_INCH


def foreign(lines: list[str], words: Words) -> str:
    """Join the lines of a label printed in French; isolated inside an Arabic chart."""
    return "\n".join(isolate(line) for line in lines) if words.rtl else "\n".join(lines)


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG: no date, ids from a fixed salt, letters as outlines."""
    buffer = BytesIO()
    with style():
        figure.savefig(
            buffer,
            format="svg",
            metadata={"Date": None, "Creator": "gbi", "Format": None, "Type": None},
        )
    return buffer.getvalue().replace(b"\r\n", b"\n")


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG at the style's resolution, without a date or a program's name."""
    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
