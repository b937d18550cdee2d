"""Tables of the page: what a cell holds and how it is read, without any markup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of a table.

    Attributes
    ----------
    text
        What it shows.
    kind
        ``text`` (in the page's language), ``source`` (French, as printed in a document),
        ``number`` or ``code`` (a file name, an address, a hash).
    head
        Whether it names its row.
    rows, columns
        How many it spans.
    tone
        A look of its own: ``women``, ``men``, ``strong``, ``quiet`` or a severity.
    aside
        A second, smaller line.
    """

    text: str
    kind: str = "text"
    head: bool = False
    rows: int = 1
    columns: int = 1
    tone: str = ""
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading."""

    text: str
    number: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its caption, headings, rows and, where it has one, its totals row."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Box, ...], ...]
    foot: tuple[Box, ...] = ()
    note: str = ""
    source_caption: bool = False

    @property
    def wide(self) -> bool:
        """Whether it needs more room than a telephone has."""
        return len(self.heads) > 2


def number(shown: str, tone: str = "") -> Box:
    """Return a cell that holds a number."""
    return Box(shown, "number", tone=tone)


def source(text: str, *, head: bool = False, rows: int = 1, aside: str = "") -> Box:
    """Return a cell that holds a French text as printed."""
    return Box(text, "source", head=head, rows=rows, aside=aside)


def code(text: str, *, head: bool = False) -> Box:
    """Return a cell that holds a name, an address or a hash."""
    return Box(text, "code", head=head)
