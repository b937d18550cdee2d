"""Read delimited text as a grid: encoding and delimiter are found, and said where uncertain."""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.grid import Flag, Grid, Opened, a1
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gbi.ingest.safety import Limits

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Code pages of French, Spanish and Arabic files, the likeliest first: it wins a tie.
CODE_PAGES = ("cp1252", "cp1256", "iso8859-15", "cp850", "mac-roman")
# A tab or semicolon in every row is no accident; a comma may be a decimal sign or part of a code.
_DELIMITERS = ("\t", ";", "|", ",")
_SAMPLE_ROWS, _SAMPLE_SIZE = 50, 1 << 18
_SAMPLE_WORDS = 5_000
_LINE = 1 << 20


def open_delimited(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a delimited text file; its addresses are those that a spreadsheet would show.

    Nothing is converted: every cell is the text of the file. A file that is neither UTF-8 nor
    marked as UTF-16 is read in the code page in which its words look like words, with a flag.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E064`` if it mixes encodings or is no text (with the line),
        ``GBI-E061`` if its quotes don't close (with the line where the row began), ``GBI-E063``
        if the file, a line, a cell or the number of cells is beyond a limit.
    """
    size = path.stat().st_size
    if size > limits.expanded:
        raise _beyond(name, f"≤ {limits.expanded} B", f"{size} B")
    text, encoding = decode(path.read_bytes(), name)
    flags = (Flag("encoding", "", encoding),) if encoding in CODE_PAGES else ()
    declared = re.match(r'"?sep=([^"\r\n])"?(?:\r\n|\r|\n|$)', text)
    if declared:  # its line stays, empty, so that the others keep their numbers
        text = text[declared.end(1) :].lstrip('"')
    delimiter = declared[1] if declared else _delimiter(text)
    rows = list(_rows(text, name, delimiter, limits))
    mixed = () if delimiter == "," and '"' not in text else tuple(_mixed_decimals(rows))
    return Opened([Grid(name, "", rows, flags=mixed)], flags,
                  {"encoding": encoding, "delimiter": delimiter})  # fmt: skip


def _beyond(where: str, limit: str, met: str) -> GbiError:
    return GbiError("GBI-E063", where=where, expected=limit, got=met, exit_code=3)


# --- encoding ---


def decode(content: bytes, name: str) -> tuple[str, str]:
    """Return the text and the name of its encoding."""
    mark, encoding = next((m for m in _MARKS if content.startswith(m[0])), (b"", "utf-8"))
    content = content[len(mark) :]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        hopeless = mark or b"\x00" in content or _mixed(content)
        page = None if hopeless else _code_page(content)
        if page is None:
            before = content[: error.start].decode(encoding, "replace")
            raise _no_text(name, before, f"0x{content[error.start]:02x}") from None
        return content.decode(page), page
    if "\x00" in text:
        raise _no_text(name, text[: text.index("\x00")], "0x00")
    return text, encoding


def _no_text(name: str, before: str, got: str) -> GbiError:
    line = len(re.findall(r"\r\n|\r|\n", before)) + 1
    return GbiError("GBI-E064", where=f"{name}:{line}", expected="UTF-8", got=got, exit_code=3)


# What UTF-8 makes of an accented letter beside a plain one, and of two Arabic letters.
_UTF8_INSIDE = re.compile(
    rb"[A-Za-z]\xc3[\x80-\xbf]|\xc3[\x80-\xbf][A-Za-z]|(?:[\xd8-\xdb][\x80-\xbf]){2}"
)


def _mixed(content: bytes) -> bool:
    """Whether part of a text that is not UTF-8 is."""
    return _UTF8_INSIDE.search(content) is not None or any(
        not line.isascii() and _is_utf8(line) for line in re.split(rb"[\r\n]+", content)
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_LOWER, _UPPER = "àâçéèêëîïôœûñáíóúäöüùÿæãõåø", "ÀÂÇÉÈÊËÎÏÔŒÛÑÁÍÓÚÄÖÜÙŸÆÃÕÅØ"
_RARE = re.compile("[äöüùÿæãõåøÄÖÜÙŸÆÃÕÅØ]")
_ARABIC = "\u0621-\u0652"
_LATIN = f"A-Za-z{_LOWER}{_UPPER}"
_PLAUSIBLE = re.compile(
    # no capital or digit follows an accented small letter, no small letter stands before a capital
    rf"(?<![{_ARABIC}])[{_LOWER}](?![{_ARABIC}A-Z{_UPPER}0-9])"
    rf"|(?<![{_ARABIC}a-z{_LOWER}0-9])[{_UPPER}](?![{_ARABIC}])"
    # no Arabic letter touches a Latin one
    rf"|(?<![{_LATIN}])[{_ARABIC}](?![{_LATIN}])"
    # an apostrophe elides a French word or makes an English genitive
    rf"|(?<=\b[cdjlmnstCDJLMNST])’(?=[{_LATIN}])|(?<=[Qq]u)’(?=[{_LATIN}])|’(?=s\b)"
)
_SIGN = re.compile(
    rf"[\u00a0’–—…€°ºª²³½×·§®©µ]|(?<![{_LATIN}{_ARABIC}])[«“‘¿¡]|[»”،؛؟](?![{_LATIN}{_ARABIC}])"
)


def _code_page(content: bytes) -> str | None:
    """Return the code page in which the words look like words; None if they do in none."""
    # Measured on French, Spanish and Arabic words: charset-normalizer, restricted to these five,
    # reads short Spanish texts wrongly and never sees ISO 8859-15.
    words = re.finditer(rb"[^\s;,|\"]*[\x80-\xff][^\s;,|\"]*", content)
    sample = b"\n".join(dict.fromkeys(m[0] for m in islice(words, _SAMPLE_WORDS)))
    high = sum(byte > 127 for byte in sample)
    scores = {}
    for page in CODE_PAGES:
        try:
            content.decode(page)
        except UnicodeDecodeError:
            continue
        text = sample.decode(page)
        letters, signs, rare = (len(p.findall(text)) for p in (_PLAUSIBLE, _SIGN, _RARE))
        if letters + signs >= high * 3 / 4:
            scores[page] = 2 * letters + signs - rare
    return max(scores, key=lambda page: scores[page], default=None)


# --- rows ---


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts most rows into the same number of parts; else a comma."""
    sample = text[:_SAMPLE_SIZE]
    agreeing = {d: _agreeing(sample, d, cut=len(sample) < len(text)) for d in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda d: agreeing[d])
    return best if agreeing[best] else ","


def _agreeing(sample: str, delimiter: str, *, cut: bool) -> int:
    """Return how many of the first rows have the commonest number of fields, if more than one."""
    rows = []
    try:
        for row in islice(csv.reader(StringIO(sample, newline=""), delimiter=delimiter),
                          _SAMPLE_ROWS):  # fmt: skip
            rows.append(len(row))
    except csv.Error:
        pass
    if cut and 1 < len(rows) < _SAMPLE_ROWS:
        rows.pop()
    return max((rows.count(n) for n in set(rows) if n > 1), default=0)


def _lines(text: str, name: str) -> Iterator[str]:
    for number, line in enumerate(StringIO(text, newline=""), 1):
        if len(line) > _LINE:
            raise _beyond(f"{name}:{number}", f"≤ {_LINE} characters in a line", str(len(line)))
        yield line


def _rows(text: str, name: str, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    reader = csv.reader(_lines(text, name), delimiter=delimiter, strict=True)
    cells, start = 0, 1
    try:
        for row in reader:
            cells += len(row) or 1
            if cells > limits.cells:
                raise _beyond(f"{name}:{start}", f"≤ {limits.cells} cells", f"> {limits.cells}")
            yield row
            start = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            limit = f"≤ {csv.field_size_limit()} characters in a cell"
            raise _beyond(f"{name}:{start}", limit, f"> {csv.field_size_limit()}") from None
        raise GbiError("GBI-E061", where=f"{name}:{start}", got=str(error), exit_code=3) from None


# --- decimal signs ---

_HEAD = r"[-+\u2212]?(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)"
# What cannot be a thousands separator: other than three digits after it, or nothing before it.
_TAIL = r"(?:\d{1,2}|\d{4,}) ?%?"
_COMMA = re.compile(rf" *(?:{_HEAD},{_TAIL}|[-+]?0,\d+ ?%?|[-+]?\d{{1,3}}(?:\.\d{{3}})+,\d+) *")
_POINT = re.compile(rf" *(?:{_HEAD}\.{_TAIL}|[-+]?0\.\d+ ?%?|[-+]?\d{{1,3}}(?:,\d{{3}})+\.\d+) *")


def _mixed_decimals(rows: Sequence[Sequence[str]]) -> Iterator[Flag]:
    """Flag the columns in which some decimals have a comma and others a point."""
    commas = _decimals(rows, ",", _COMMA)
    points = _decimals(rows, ".", _POINT) if commas else {}
    for column in sorted(points.keys() & commas.keys()):
        fewer, more = sorted((points[column], commas[column]), key=len)
        cells = [a1(row, column) for row in (fewer[0], fewer[-1])]
        examples = (rows[found[0]][column].strip() for found in (more, fewer))
        yield Flag("mixed_decimals", ":".join(dict.fromkeys(cells)), " / ".join(examples))


def _decimals(
    rows: Sequence[Sequence[str]], sign: str, pattern: re.Pattern[str]
) -> dict[int, list[int]]:
    """Return column → rows of the cells that can only be decimals with this sign."""
    found: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if sign in value and pattern.fullmatch(value):
                found.setdefault(column, []).append(number)
    return found
