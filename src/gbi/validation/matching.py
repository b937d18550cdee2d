"""Match rows across tables and years: by key, labels folded, codes and labels of one thing equal.

One officer writes a programme's code, another its label; years differ in case and accents. What
cannot be compared (a code here, nothing but labels there) is left alone rather than reported.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.language import fold
from gbi.validation.context import NOISE, NOWHERE, codes, floats, plain, printed_units
from gbi.vocabulary.lists import accepted, concepts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.object_]

_SEPARATOR = "\x1f"
_SHORT = 4  # letters; a longer word without a digit is a label, not a code


def folded(frame: pd.DataFrame, column: str) -> Words:
    """Return a column's labels for comparison, empty where missing.

    ``YEAR`` is the year of ``TIME_PERIOD``; ``MINISTRY`` of a table without such a column is the
    budget line that the code list gives for its ``DEPARTMENT``.
    """
    if column == "YEAR":
        return _each(codes(frame, "TIME_PERIOD", ""), lambda period: period[:4])
    if column == "MINISTRY" and column not in frame.columns:
        line = {e["code"]: str(e.get("ministry") or "") for e in accepted("CL_DEPARTMENT")}
        return _each(codes(frame, "DEPARTMENT", ""), lambda code: fold(line.get(code, "")))
    known = concepts().get(column)
    return _each(codes(frame, column, (known and known.default) or ""), fold)


def _each(words: Words, change: Callable[[str], str]) -> Words:
    """Apply a function of a text to every distinct word once."""
    place, distinct = pd.factorize(words)
    changed = np.array([change(str(w)) for w in distinct], dtype=object)
    return changed[place] if len(changed) else words


def joined(parts: Sequence[Words], length: int) -> Words:
    """Return the parts as one text per row."""
    out = np.full(length, "", dtype=object)
    for part in parts:
        out = out + _SEPARATOR + part
    return out


def key_words(frame: pd.DataFrame, columns: Iterable[str]) -> Words:
    """Return what identifies each row, as one text.

    A column at its default adds nothing to it, whether the file has the column or not: most keys
    are made of a few columns out of many.
    """
    out = np.full(len(frame), "", dtype=object)
    for place, column in enumerate(columns):
        derived = column in ("YEAR", "MINISTRY")
        if column not in frame.columns and not derived:
            continue
        known = concepts().get(column)
        default = fold((known and known.default) or "")
        words = _each(
            folded(frame, column), partial(_part, f"{_SEPARATOR}{place}{_SEPARATOR}", default)
        )
        if (words != "").any():
            out = out + words
    return out


def _part(mark: str, default: str, word: str) -> str:
    return "" if word == default else mark + word


def positions_of(wanted: Words, known: Words, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where each wanted word stands among the known ones.

    ``NOWHERE`` where it is absent, or stands twice: which of the two is meant can't be said.
    """
    rows = np.flatnonzero(usable)
    index = pd.Series(rows, index=pd.Index(known[rows], dtype=object))
    index = index[~index.index.duplicated(keep=False)]
    at = index.index.get_indexer(pd.Index(wanted, dtype=object))
    found = np.where(at >= 0, index.to_numpy()[at] if len(index) else 0, NOWHERE)
    return np.asarray(found, dtype=np.int64)


def members(words: Words, keep: NDArray[np.bool_]) -> list[list[int]]:
    """Return the rows kept, grouped by their word, groups in order of their first row."""
    rows = np.flatnonzero(keep)
    group, _ = pd.factorize(words[rows])
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return [part.tolist() for part in np.split(rows[order], cuts)] if len(rows) else []


def multiplier(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return by how much a row's figure is to be multiplied for its unit."""
    if "UNIT_MULT" not in frame.columns:
        return np.ones(len(frame))
    return np.asarray(10.0 ** np.nan_to_num(floats(frame, "UNIT_MULT"), nan=0.0))


def half_units(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return how far a printed figure lies from the true one at most, in the unit itself."""
    return np.asarray(printed_units(frame) * multiplier(frame) / 2.0)


def noise(*sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what floating point alone can make two figures differ by."""
    return np.asarray(NOISE * np.nanmax(np.abs(np.nan_to_num(np.stack(sizes))), axis=0))


def name_of(frame: pd.DataFrame, row: int, level: str) -> str:
    """Return a label, else the code, as written."""
    for column in (f"{level}_LABEL", level, "DEPARTMENT_LABEL", "DEPARTMENT"):
        value = plain(frame[column].iloc[row]) if column in frame.columns else None
        if value is not None:
            return str(value)
    return ""


def is_code(word: str) -> bool:
    """Say whether a folded word looks like a code of the nomenclature rather than a label."""
    return " " not in word and (len(word) <= _SHORT or re.search(r"[0-9]", word) is not None)


class Trails:
    """The rows of two tables as paths, where a code and its label lead to the same place.

    Attributes
    ----------
    scopes, items
        Per table, the path above the last level and the whole path.
    given
        Per table, whether the row names the last level.
    comparable
        Whether the left row's last level can be looked up: the right table names things at that
        place in the same manner (codes or labels).
    """

    def __init__(
        self, left: pd.DataFrame, right: pd.DataFrame, within: Sequence[str], path: Sequence[str]
    ) -> None:
        frames = (left, right)
        self.items = [key_words(f, within) for f in frames]
        self.scopes = list(self.items)
        self.given = [np.ones(len(f), dtype=bool) for f in frames]
        self.comparable = np.zeros(len(left), dtype=bool)
        for level in path:
            self._descend(frames, level)

    def _descend(self, frames: tuple[pd.DataFrame, pd.DataFrame], level: str) -> None:
        self.scopes = self.items
        words = [folded(f, level) for f in frames]
        labels = [folded(f, f"{level}_LABEL") for f in frames]
        names: dict[str, str] = {}
        for scope, word, label in zip(self.scopes, words, labels, strict=True):
            both = (word != "") & (label != "")
            codes_ = joined([scope[both], word[both]], int(both.sum()))
            names.update(zip(codes_, joined([scope[both], label[both]], len(codes_)), strict=True))
        self.items, self.given = [], []
        for scope, word, label in zip(self.scopes, words, labels, strict=True):
            # Where only the label is filled, it is the name.
            full = joined([scope, np.where(word == "", label, word)], len(scope))
            self.items.append(_each(full, lambda text: names.get(text, text)))
            self.given.append((word != "") | (label != ""))
        manner = [_each(w, lambda text: "code" if is_code(text) else "label") for w in words]
        there = [
            joined([self.scopes[1], manner[1]], len(words[1]))[words[1] != ""],
            joined([self.scopes[1]], len(words[1]))[labels[1] != ""] + _SEPARATOR + "label",
        ]
        mine = joined([self.scopes[0], manner[0]], len(words[0]))
        same = pd.Series(mine).isin(set(np.concatenate(there))).to_numpy()
        self.comparable = same & self.given[0]
