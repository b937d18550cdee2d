"""Shares as horizontal bars from zero, with their bounds where only those are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gbi.report.theme import INK, MUTED, NATURES
from gbi.report.wording import Words, missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gbi.results import Result

_LONGEST = 60


class Bar(NamedTuple):
    """A share with the name of what it is a share of; bounds where the share is not known."""

    name: str
    share: float | None
    low: float | None
    high: float | None


def shown_bars(result: Result, words: Words) -> list[Bar]:
    """Return the rows of a result that have a share or its bounds, in their order."""
    out: list[Bar] = []
    columns = [str(c) for c in result.frame.columns]
    if "SHARE" not in columns:
        return out
    told = columns[: columns.index("VALUE_MEMBER")] if "VALUE_MEMBER" in columns else ["PROGRAMME"]
    for values in result.frame.itertuples(index=False, name=None):
        row = dict(zip(columns, values, strict=True))
        share, low, high = (
            None if missing(row.get(n)) else float(row[n])
            for n in ("SHARE", "SHARE_LOW", "SHARE_HIGH")
        )
        if share is not None or low is not None:
            name = ", ".join(str(row[c]) for c in told if not missing(row.get(c)))
            out.append(Bar(name or words("page.total"), share, low, high))
    return out


def draw(ax: Axes, result: Result, words: Words) -> None:
    """Draw the shares into axes, one row each."""
    found = shown_bars(result, words)
    for y, bar in enumerate(found):
        if bar.share is not None:
            ax.barh(y, bar.share * 100, 0.6, color=NATURES["PERSONNEL"])
            end, shown, ink = bar.share, words.share(bar.share, 2), INK
        else:
            low, high = bar.low or 0.0, bar.high if bar.high is not None else 1.0
            ax.plot([low * 100, high * 100], [y, y], color=MUTED, linewidth=2, marker="|")
            end, ink = high, MUTED
            shown = f"{words.share(low, 2)} – {words.share(high, 2)}"
        ax.annotate(shown, (end * 100, y), xytext=(5, 0), textcoords="offset points",
                    va="center", fontsize=7.5, color=ink)  # fmt: skip
    names = [b.name if len(b.name) < _LONGEST else b.name[: _LONGEST - 1] + "…" for b in found]
    ax.set_yticks(range(len(found)), names)
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.set_xlim(0, 115)
    ax.set_xticks(range(0, 101, 25))
    ax.xaxis.set_major_formatter(lambda x, _: words.value(x, "PT"))
