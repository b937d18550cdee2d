"""A workbook's styles with marks added: a cell keeps its own style, and only its fill changes.

A mark is a colour and a pattern, so that it survives black-and-white printing and is told apart
without seeing colours.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from gbi.validation.xml_patch import Element, Part, tag, with_attributes

if TYPE_CHECKING:
    from gbi.findings import Severity

# What a style sheet must have, in the order of its schema, with what stands there by default.
_ORDER = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles")
_PLAIN_XF = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'
_MOST_FORMATS = 64_000  # of a workbook, as spreadsheet programs hold them
_STRONG: dict[str, tuple[str, str, str]] = {
    "blocking": ("lightTrellis", "FFDE8A74", "FFFADCD4"),
    "warning": ("lightUp", "FFDFA93A", "FFFDEFCB"),
    "info": ("gray125", "FF6F9CCB", "FFE2ECF7"),
}
_FAINT: dict[str, tuple[str, str, str]] = {
    "blocking": ("lightTrellis", "FFF2CBBF", "FFFDF2EF"),
    "warning": ("lightUp", "FFF3DDA6", "FFFEF9EC"),
    "info": ("gray125", "FFC2D6EA", "FFF4F8FC"),
}
# Where the cell's own text is light, as headings often are, it must stay readable.
_DARK: dict[str, tuple[str, str, str]] = {
    "blocking": ("lightTrellis", "FF9C4632", "FF6E2012"),
    "warning": ("lightUp", "FF8A6714", "FF5F4500"),
    "info": ("gray125", "FF41709F", "FF1B3F61"),
}
_WHITE_INDEXES = ("1", "9")
_LIGHT_THEMES = ("0", "2")
_LIGHT = 0.65

Kind = Literal["fonts", "fills", "borders"]


class Mark(NamedTuple):
    """How a cell is marked: by severity, strongly where the finding points, else faintly."""

    severity: Severity
    strong: bool


class Styles:
    """The styles of a workbook, growing.

    Parameters
    ----------
    content
        ``xl/styles.xml``.

    Raises
    ------
    ValueError
        It isn't well formed.
    """

    def __init__(self, content: bytes) -> None:
        self._part = Part(content)
        root = self._part.root
        self._held = {name: root.child(name) for name in _ORDER}
        self._prefix = root.prefix
        self._new: dict[str, list[bytes]] = {name: [] for name in _ORDER}
        self._ids: dict[tuple[str, bytes], int] = {}
        self._marked: dict[tuple[int, Mark | None], int | None] = {}
        for name in _ORDER[1:]:
            if not self._old(name):
                self._new[name] = self._defaults(name)
        formats = [self._part.source(xf) for xf in self._old("cellXfs")]
        self._formats = formats or list(self._new["cellXfs"])

    def marked(self, base: int, mark: Mark) -> int | None:
        """Return the format of a marked cell that had another one; None if there are too many."""
        base = base if 0 <= base < len(self._formats) else 0
        key: tuple[int, Mark | None] = (base, mark)
        if key not in self._marked:
            full = self._count("cellXfs") >= _MOST_FORMATS
            self._marked[key] = None if full else self._clone(base, mark)
        return self._marked[key]

    def unmarked(self, base: int) -> int:
        """Return the format of a cell that an earlier annotation marked, without its mark.

        The fill that it had before isn't known any more; it has none then.
        """
        if base not in self.stale:
            return base
        if (base, None) not in self._marked:
            self._marked[base, None] = self._filled(base, 0)
        return self._marked[base, None] or 0

    @cached_property
    def stale(self) -> frozenset[int]:
        """The formats that bear a mark of an earlier annotation."""
        shades = {s for shade in (_STRONG, _FAINT, _DARK) for s in shade.values()}
        fills = {i for i, fill in enumerate(self._old("fills")) if _shade(fill) in shades}
        held = enumerate(self._old("cellXfs"))
        return frozenset(i for i, xf in held if int(xf.attributes.get("fillId", "0")) in fills)

    def fill(self, mark: Mark, *, dark: bool = False) -> int:
        """Return the fill of a mark."""
        shades = _DARK if dark else _STRONG if mark.strong else _FAINT
        return self.add("fills", self.pattern(*shades[mark.severity]))

    def pattern(self, kind: str, line: str, ground: str) -> bytes:
        """Write a fill; a solid one shows the colour of its lines alone."""
        colours = self.nested("fgColor", f'rgb="{line}"') + self.nested(
            "bgColor", f'rgb="{ground}"'
        )
        pattern = self.nested("patternFill", f'patternType="{kind}"', colours)
        return self.nested("fill", "", pattern).encode()

    def element(self, name: str, attributes: str = "", *children: tuple[str, str]) -> bytes:
        """Write an element with children that have attributes alone."""
        inner = "".join(self.nested(child, given) for child, given in children)
        return self.nested(name, attributes, inner).encode()

    def add(self, kind: Kind, element: bytes) -> int:
        """Return the index of a font, fill or border; an equal one is added once."""
        if (kind, element) not in self._ids:
            self._ids[kind, element] = self._count(kind)
            self._new[kind].append(element)
        return self._ids[kind, element]

    def add_format(self, font: int, fill: int, border: int, alignment: str) -> int:
        """Return the index of a new cell format."""
        given = (
            f'numFmtId="0" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" '
            'applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1"'
        )
        self._new["cellXfs"].append(self.element("xf", given, ("alignment", alignment)))
        return self._count("cellXfs") - 1

    def patched(self) -> bytes:
        """Return the styles with what was added."""
        part, root = self._part, self._part.root
        for name, new in self._new.items():
            held = self._held[name]
            if not new:
                continue
            if held is not None:
                part.append(held, b"".join(new), {"count": str(self._count(name))})
                continue
            whole = self.nested(name, f'count="{len(new)}"', b"".join(new).decode("utf-8")).encode()
            before = [h for n in _ORDER[: _ORDER.index(name)] if (h := self._held[n])]
            if before:
                part.insert(before[-1].end, whole)
            else:
                part.prepend(root, whole)
        return part.patched()

    def _clone(self, base: int, mark: Mark) -> int:
        xf = self._formats[base]
        return self._filled(base, self.fill(mark, dark=self._light_text(xf)))

    def _filled(self, base: int, fill: int) -> int:
        xf = self._formats[base]
        begin = xf[: xf.index(b">") + 1]
        changed = with_attributes(begin, {"fillId": str(fill), "applyFill": "1"})
        self._new["cellXfs"].append(changed + xf[len(begin) :])
        return self._count("cellXfs") - 1

    def _light_text(self, xf: bytes) -> bool:
        """Say whether a format's text is drawn in a light colour."""
        named = re.search(rb"\sfontId\s*=\s*[\"']([0-9]+)", xf)
        fonts = self._old("fonts")
        index = int(named[1]) if named else 0
        colour = fonts[index].child("color") if index < len(fonts) else None
        if colour is None:
            return False
        given = colour.attributes
        if "rgb" in given:
            return _lightness(given["rgb"]) > _LIGHT
        tint = given.get("tint", "0")
        shaded = tint.startswith("-")
        light_theme = given.get("theme") in _LIGHT_THEMES and not shaded
        return light_theme or given.get("indexed") in _WHITE_INDEXES

    def _old(self, name: str) -> list[Element]:
        held = self._held[name]
        return held.children if held is not None else []

    def _count(self, name: str) -> int:
        return len(self._old(name)) + len(self._new[name])

    def nested(self, name: str, attributes: str = "", inner: str = "") -> str:
        """Write an element with what is inside it."""
        return tag(self._prefix, name, attributes, inner).decode()

    def _defaults(self, name: str) -> list[bytes]:
        match name:
            case "fonts":
                return [self.element("font", "", ("sz", 'val="11"'), ("name", 'val="Calibri"'))]
            case "fills":
                return [
                    self.element("fill", "", ("patternFill", f'patternType="{kind}"'))
                    for kind in ("none", "gray125")
                ]
            case "borders":
                sides = ("left", "right", "top", "bottom", "diagonal")
                return [self.element("border", "", *((side, "") for side in sides))]
            case "cellStyleXfs":
                return [self.element("xf", _PLAIN_XF)]
            case "cellStyles":
                return [self.element("cellStyle", 'name="Normal" xfId="0" builtinId="0"')]
        return [self.element("xf", f'{_PLAIN_XF} xfId="0"')]


def _shade(fill: Element) -> tuple[str, str, str]:
    """Return a fill's pattern and its two colours."""
    pattern = fill.child("patternFill")
    if pattern is None:
        return "", "", ""
    named = {c.name: c.attributes.get("rgb", "") for c in pattern.children}
    return (
        pattern.attributes.get("patternType", ""),
        named.get("fgColor", ""),
        named.get("bgColor", ""),
    )


def _lightness(rgb: str) -> float:
    """Return how light a colour is, from 0 to 1, as the eye weighs red, green and blue."""
    try:
        red, green, blue = (int(rgb[-6:][i : i + 2], 16) for i in (0, 2, 4))
    except ValueError:
        return 0.0
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
