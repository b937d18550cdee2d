"""Read the text of a PDF as tables: each page a grid, rows by lines, columns by gaps.

A PDF holds words at places, no cells. A row is a line of text; a column is what lies between two
gaps that all lines of the table share. A page without text (a scan) is not guessed at.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from gbi.errors import GbiError
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.isolation import run_isolated
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from io import BufferedReader
    from pathlib import Path

    from gbi.ingest.safety import Limits

_PAGES = 300
_OBJECTS = 150_000
_SECONDS = 120.0
_COPIES = 4  # of what a stream holds, in the parser's memory
# In heights of the text: words belong to one line whose middles differ by less than this ...
_LINE_SHIFT = 0.4
# ... and a wider space between two words is one between cells. Words of a line
# stand a third apart, and so do the groups of a number's digits.
_CELL_GAP = 0.6
_ARABIC = re.compile("[\u0600-\u065f\u066a-\u06ef\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_NUMBER = re.compile(r"\d[\d.,/]*\d")


def open_pdf(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read the tables of a PDF in a process of its own.

    Returns
    -------
    Opened
        As :func:`read_pdf`.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged), ``GBI-E062`` (encrypted), ``GBI-E063`` (a limit of
        size, pages or time), ``GBI-E066`` (no PDF, or one without text).
    """
    return run_isolated("pdf:read_pdf", path, name, limits, seconds=_SECONDS)


def read_pdf(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read the tables of a PDF in this process.

    Returns
    -------
    Opened
        A grid for each page (``Page 1``, …), all cells text; flagged ``rebuilt``, since the
        cells are reconstructed. ``details`` holds in ``layout`` how many columns each page has.

    Raises
    ------
    GbiError
        As :func:`open_pdf`.
    """
    size = path.stat().st_size
    if size > limits.archive:
        raise _beyond(name, f"≤ {limits.archive} B", f"{size} B")
    try:
        with path.open("rb") as handle:
            grids = _grids(handle, name, limits)
    except _Beyond as beyond:
        raise _beyond(name, beyond.limit, f"> {beyond.limit.lstrip('≤ ')}") from None
    except (GbiError, ModuleNotFoundError):
        raise
    except Exception as error:  # pdfminer's, wrapped or not, and what it stumbles over
        raise _refusal(error, name) from None
    if all(g.empty for g in grids):
        raise GbiError("GBI-E066", where=name, got="no text layer", exit_code=3)
    blank = [g.sheet for g in grids if g.empty]
    detail = f"pdf; no text layer: {', '.join(blank)}" if blank else "pdf"
    columns = ", ".join(str(g.width) for g in grids)
    return Opened(grids, (Flag("rebuilt", "", detail),),
                  {"layout": f"lines and gaps; columns: {columns}"})  # fmt: skip


def _grids(handle: BufferedReader, name: str, limits: Limits) -> list[Grid]:
    import pdfplumber

    if b"%PDF-" not in handle.read(1024):
        raise GbiError("GBI-E066", where=name, expected=".pdf", exit_code=3)
    grids = []
    with _bounded(limits.expanded // _COPIES) as objects, pdfplumber.open(handle) as document:
        if len(document.pages) > _PAGES:
            raise _beyond(name, f"≤ {_PAGES} pages", str(len(document.pages)))
        for number, page in enumerate(document.pages, 1):
            objects.clear()
            words = page.extract_words(return_chars=True)
            grids.append(Grid(name, f"Page {number}", _rows(words)))
            page.close()
    return grids


def _beyond(name: str, limit: str, met: str) -> GbiError:
    return GbiError("GBI-E063", where=name, expected=limit, got=met, exit_code=3)


def _refusal(error: Exception, name: str) -> GbiError:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    kind = type(cause).__name__
    locked = kind in ("PDFPasswordIncorrect", "PDFEncryptionError")
    return GbiError("GBI-E062" if locked else "GBI-E061", where=name, got=kind, exit_code=3)


# --- words to rows and columns ---


@dataclass(slots=True)
class _Phrase:
    """Words that stand together: what can only be in one cell."""

    words: list[str]
    left: float
    right: float


def _rows(words: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return a page's words as rows of cells."""
    lines = [_phrases(line) for line in _lines(words)]
    columns = _columns(lines)
    rows = []
    for line in lines:
        cells: list[list[str]] = [[] for _ in columns]
        for phrase in line:
            cells[_column(phrase, columns)] += phrase.words
        rows.append([_text(words) for words in cells])
    return rows


def _text(words: Iterable[str]) -> str:
    """Join a cell's words as they are read: among Arabic words from right to left."""
    runs = [(rtl, list(run)) for rtl, run in groupby(words, key=lambda w: bool(_ARABIC.search(w)))]
    if any(rtl for rtl, _ in runs):
        runs = [(rtl, run[::-1] if rtl else run) for rtl, run in reversed(runs)]
    return " ".join(word for _, run in runs for word in run)


def _word(word: dict[str, Any]) -> str:
    """Return a word's text; a page holds the letters of an Arabic one as they are seen."""
    if not _ARABIC.search(word["text"]):
        return str(word["text"])
    letters = "".join(c["text"] for c in reversed(word["chars"]))  # a ligature is one of them
    return unicodedata.normalize("NFKC", _NUMBER.sub(lambda m: m[0][::-1], letters))


def _lines(words: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Group words to lines, each from left to right."""
    line: list[dict[str, Any]] = []
    for word in sorted(words, key=lambda w: (w["top"] + w["bottom"], w["x0"])):
        if line and _middle(word) - _middle(line[0]) > _LINE_SHIFT * _height(line[0]):
            yield sorted(line, key=lambda w: w["x0"])
            line = []
        line.append(word)
    if line:
        yield sorted(line, key=lambda w: w["x0"])


def _middle(word: dict[str, Any]) -> float:
    return float(word["top"] + word["bottom"]) / 2


def _height(word: dict[str, Any]) -> float:
    return float(word["bottom"] - word["top"])


def _phrases(line: Iterable[dict[str, Any]]) -> list[_Phrase]:
    """Join the words of a line that are a space apart."""
    phrases: list[_Phrase] = []
    for word in line:
        if phrases and word["x0"] - phrases[-1].right < _CELL_GAP * _height(word):
            phrases[-1].words.append(_word(word))
            phrases[-1].right = max(phrases[-1].right, word["x1"])
        else:
            phrases.append(_Phrase([_word(word)], word["x0"], word["x1"]))
    return phrases


def _columns(lines: Sequence[Sequence[_Phrase]]) -> list[tuple[float, float]]:
    """Return the columns of a page: what the table's lines cover between their common gaps.

    The table's lines are those with at least half as many phrases as its full lines; titles and
    notes, which run across columns, have fewer. So many phrases are full as explain the most gaps.
    """
    sizes = [len(line) for line in lines]
    full = max(sizes, key=lambda n: (n - 1) * sum(size >= n for size in sizes), default=0)
    body = [phrase for line in lines if 2 * len(line) >= full for phrase in line]
    columns: list[tuple[float, float]] = []
    for phrase in sorted(body, key=lambda p: p.left):
        if columns and phrase.left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], phrase.right))
        else:
            columns.append((phrase.left, phrase.right))
    return columns


def _column(phrase: _Phrase, columns: Sequence[tuple[float, float]]) -> int:
    """Return the first column that a phrase touches, else the nearest."""

    def distance(column: int) -> float:
        left, right = columns[column]
        return max(left - phrase.right, phrase.left - right, 0)

    return min(range(len(columns)), key=distance)


# --- what a hostile file may make the parser do ---


class _Beyond(BaseException):
    """A limit was met deep inside the parser, which survives every mere exception."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


@contextmanager
def _bounded(expanded: int) -> Iterator[Counter[str]]:
    """Bound what the parser expands and draws; the counter is of the page's objects.

    The parser itself expands a megabyte to gigabytes and holds kilobytes for each character.
    """
    from pdfminer import converter, lzw, pdfinterp, pdftypes, psparser

    streams: Any = pdftypes
    total, objects = Counter[str](), Counter[str]()

    def taken(size: int) -> None:
        total["B"] += size
        if total["B"] > expanded:
            raise _Beyond(f"≤ {expanded} B expanded")

    def inflate(data: bytes) -> bytes:
        stream = zlib.decompressobj()
        out = stream.decompress(data, expanded + 1)
        taken(len(out))
        if not stream.eof:
            raise zlib.error("incomplete")  # the parser then mends what it can
        return out

    def lzwdecode(data: bytes) -> bytes:
        parts = []
        for part in lzw.LZWDecoder(BytesIO(data)).run():
            taken(len(part))
            parts.append(part)
        return b"".join(parts)

    def rldecode(data: bytes) -> Any:
        taken(64 * len(data))  # as much as it may become
        return run_lengths(data)

    def counted(owner: type, method: str, most: int) -> Any:
        original = getattr(owner, method)

        def count(*args: Any, **options: Any) -> Any:
            objects[method] += 1
            if objects[method] > most:
                raise _Beyond(f"≤ {most} objects on a page")
            return original(*args, **options)

        return patch.object(owner, method, count)

    run_lengths = streams.rldecode
    inflating = SimpleNamespace(
        decompress=inflate, decompressobj=zlib.decompressobj, error=zlib.error
    )
    with (
        patch.multiple(pdftypes, zlib=inflating, lzwdecode=lzwdecode, rldecode=rldecode),
        counted(converter.PDFLayoutAnalyzer, "render_char", _OBJECTS),
        counted(converter.PDFLayoutAnalyzer, "paint_path", _OBJECTS),
        counted(psparser.PSStackParser, "start_type", 10 * _OBJECTS),  # arrays, even unclosed
        counted(pdfinterp.PDFPageInterpreter, "get_current_state", _OBJECTS),  # kept by "q"
    ):
        yield objects
