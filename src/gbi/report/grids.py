"""The page as plain data: cells, tables, groups and sections, without any markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gbi.report.wording import Words


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
    link
        The id on the page that it leads to.
    """

    text: str
    kind: str = "text"
    head: bool = False
    rows: int = 1
    columns: int = 1
    tone: str = ""
    aside: str = ""
    link: str = ""


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


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a section with a heading of its own: a rule with its findings, a measure's notes.

    Attributes
    ----------
    id
        Its anchor on the page.
    code, tone, label
        A rule's code, and its severity as a key and as a word.
    """

    id: str
    title: str
    code: str = ""
    tone: str = ""
    label: str = ""
    texts: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    folded: tuple[Grid, ...] = ()
    folded_title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its anchor, heading, opening sentence, charts, facts, texts, tables and groups."""

    id: str
    title: str
    lead: str = ""
    figures: tuple[str, ...] = ()
    facts: tuple[tuple[str, Box], ...] = ()
    texts: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    folded: tuple[Grid, ...] = ()
    folded_title: str = ""
    groups: tuple[Group, ...] = ()


def named(name: str, words: Words, **parts: object) -> Section:
    """Return a section of the catalogue with what it holds."""
    return Section(
        name, words(f"sections.{name}"), words(f"lead.{name}"),
        **parts,  # type: ignore[arg-type]
    )  # fmt: skip


def heads(words: Words, *names: str, group: str = "heads") -> tuple[Head, ...]:
    """Return headings by key; a ``#`` in front marks a column of numbers."""
    tones = {"women": "women", "men": "men"}
    return tuple(
        Head(words(f"{group}.{n.lstrip('#')}"), n.startswith("#"), tones.get(n.lstrip("#"), ""))
        for n in names
    )


def number(shown: str, tone: str = "") -> Box:
    """Return a cell that holds a number."""
    return Box(shown, "number", tone=tone)


def shown(value: Any, words: Words) -> Box:
    """Return a cell of the bundle's tables in one language."""
    if value is None:
        return Box("")
    if isinstance(value, str):
        return source(value)
    display = value["display"][words.lang]
    return Box(display) if isinstance(value["raw"], str | bool) else number(display)


def source(text: str, *, head: bool = False, rows: int = 1, aside: str = "") -> Box:
    """Return a cell that holds a French text as printed."""
    return Box(text, "source", head=head, rows=rows, aside=aside)


def code(text: str, *, head: bool = False) -> Box:
    """Return a cell that holds a name, an address or a hash."""
    return Box(text, "code", head=head)
