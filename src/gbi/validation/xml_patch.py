"""A small XML part with the place of each element in its bytes, so that it is changed by patches.

A part that is parsed and written again loses prefixes, order and spaces; what is patched keeps
every byte but those that were meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What stands inside a tag: no mark ends it that is quoted.
INSIDE = rb"(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*"
_TAG = re.compile(rb"<([^\s<>/]+)" + INSIDE + rb">")
_DECLARED = re.compile(rb"^(\s*<\?xml\s[^>]*?encoding\s*=\s*[\"'])(?i:utf-?16\w*|ucs-?2\w*)")
_BOM = b"\xef\xbb\xbf"


@dataclass(eq=False, slots=True)
class Element:
    """An element and where it stands.

    Attributes
    ----------
    name, space
        Its local name and its namespace.
    attributes
        Local name → value; ``names`` gives the name as written.
    start, inner, close, end
        Where the start tag begins and ends, where the end tag begins and ends. In an empty tag
        the last three are one.
    """

    name: str
    space: str
    attributes: dict[str, str]
    start: int
    inner: int
    prefix: bytes
    close: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """Return the first child of a name."""
        return next((c for c in self.children if c.name == name), None)

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of a name."""
        return (c for c in self.children if c.name == name)


class Part:
    """A part of a package that is being patched.

    Parameters
    ----------
    content
        Its bytes. What an archive gave in UTF-8 may still be declared as another encoding.

    Raises
    ------
    ValueError
        It isn't well formed.
    """

    def __init__(self, content: bytes) -> None:
        self.content = declared_as_utf8(content)
        self._edits: list[tuple[int, int, int, bytes]] = []
        self.root = _parsed(self.content)

    def source(self, element: Element) -> bytes:
        """Return an element as it is written."""
        return self.content[element.start : element.end]

    def tag(self, element: Element, name: str, attributes: str = "", inner: str = "") -> bytes:
        """Write an element with the prefix of another one, in whose namespace it is."""
        return tag(element.prefix, name, attributes, inner)

    def insert(self, at: int, new: bytes) -> None:
        """Insert bytes; what is inserted at one place stands in the order of the calls."""
        self._edits.append((at, at, len(self._edits), new))

    def remove(self, element: Element) -> None:
        """Leave an element out."""
        self._edits.append((element.start, element.end, len(self._edits), b""))

    def set(self, element: Element, values: Mapping[str, str]) -> None:
        """Set attributes without a namespace."""
        begin = self.content[element.start : element.inner]
        self._edits.append(
            (element.start, element.inner, len(self._edits), with_attributes(begin, values))
        )

    def prepend(self, element: Element, new: bytes) -> None:
        """Put something in front of an element's children."""
        self._into(element, element.inner, new, {})

    def append(self, element: Element, new: bytes, values: Mapping[str, str] | None = None) -> None:
        """Put something behind an element's children, and set attributes of it."""
        self._into(element, element.close, new, values or {})

    def _into(self, element: Element, at: int, new: bytes, values: Mapping[str, str]) -> None:
        if element.end > element.inner:
            self.insert(at, new)
            if values:
                self.set(element, values)
            return
        begin, name = opened(self.content[element.start : element.inner])
        whole = with_attributes(begin, values) + new + b"</" + name + b">"
        self._edits.append((element.start, element.end, len(self._edits), whole))

    def patched(self) -> bytes:
        """Return the part with its patches."""
        out, at = [], 0
        for start, end, _, new in sorted(self._edits):
            out += [self.content[at:start], new]
            at = end
        return b"".join([*out, self.content[at:]])


def tag(prefix: bytes, name: str, attributes: str = "", inner: str = "") -> bytes:
    """Write an element; what isn't ASCII becomes a reference, right in any encoding."""
    named = f"{prefix.decode('utf-8')}{name}"
    begin = f"<{named} {attributes}".rstrip()
    written = f"{begin}>{inner}</{named}>" if inner else f"{begin}/>"
    return written.encode("ascii", "xmlcharrefreplace")


def quoted(value: object) -> str:
    """Write a text as an attribute's value with its quotation marks."""
    kept = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return f'"{escape(str(value), kept)}"'


def with_attributes(begin: bytes, values: Mapping[str, str]) -> bytes:
    """Return a start tag with some attributes set; a value is plain ASCII."""
    for name, value in values.items():
        pattern = rb"(\s" + name.encode() + rb"\s*=\s*)(?:\"[^\"]*\"|'[^']*')"
        new = b'"' + value.encode("ascii") + b'"'
        begin, done = re.subn(pattern, lambda m, new=new: m[1] + new, begin, count=1)  # type: ignore[misc]
        if not done:
            ended = b"/>" if begin.endswith(b"/>") else b">"
            body = begin[: -len(ended)].rstrip()
            begin = body + b" " + name.encode() + b"=" + new + ended
    return begin


def opened(empty: bytes) -> tuple[bytes, bytes]:
    """Return the start tag that an empty tag becomes when it gets content, and its name."""
    name = _TAG.match(empty)
    body = empty.removesuffix(b">").rstrip().removesuffix(b"/").rstrip()
    return body + b">", name[1] if name else b""


def declared_as_utf8(content: bytes) -> bytes:
    """Return a part that was turned into UTF-8 with a declaration that says so."""
    bare = content.removeprefix(_BOM)
    return _DECLARED.sub(rb"\1UTF-8", bare) if _DECLARED.match(bare) else content


def _parsed(content: bytes) -> Element:
    parser = expat.ParserCreate(namespace_separator="\n")
    top = Element("", "", {}, 0, 0, b"")
    open_elements = [top]

    def begins(name: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        match = _TAG.match(content, at)
        if match is None:
            raise ValueError("tag")
        space, _, local = name.rpartition("\n")
        prefix, colon, _ = match[1].rpartition(b":")
        plain = {k.rpartition("\n")[2]: v for k, v in attributes.items()}
        element = Element(local, space, plain, at, match.end(), prefix + colon)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def ends(_: str) -> None:
        element = open_elements.pop()
        if content[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = parser.CurrentByteIndex
            element.end = content.index(b">", element.close) + 1

    parser.StartElementHandler, parser.EndElementHandler = begins, ends
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return top.children[0]
