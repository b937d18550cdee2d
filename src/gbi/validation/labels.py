"""What the words of a row say, and which rows stand side by side: shared by several operators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.language import fold
from gbi.validation.context import NOWHERE, codes, group_ids, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gbi.validation.context import Context

_TITLES = ("PROGRAMME", "OBJECTIVE", "INDICATOR", "SUB_INDICATOR")
_OWN = "own"


def texts(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """Return a column's words; ``own`` is the sub-indicator's title, else the indicator's."""
    if column != _OWN:
        return codes(frame, column, "")
    sub, title = codes(frame, "SUB_INDICATOR", ""), codes(frame, "INDICATOR", "")
    return np.asarray(np.where(sub == "", title, sub), dtype=object)


def says(words: NDArray[np.object_], pattern: str) -> NDArray[np.bool_]:
    """Say which texts, folded (no accents, no case), hold a pattern; each text is read once."""
    which, distinct = pd.factorize(words.astype(str))
    hit = np.array([re.search(pattern, fold(str(w))) is not None for w in distinct], dtype=bool)
    return hit[which] if len(distinct) else np.zeros(len(words), dtype=bool)


def concerned(ctx: Context) -> NDArray[np.bool_]:
    """Say which rows a rule is about: its ``where`` and ``exempt``, and what its labels say.

    Params: ``text`` (the column whose words count, by default the row's own title), ``label`` (a
    pattern that they hold) and ``label_not`` (one that they don't).
    """
    return selected(ctx) & titled(ctx.frame, ctx.params)


def titled(frame: pd.DataFrame, params: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Say which rows have the words of ``label`` and none of ``label_not``."""
    keep = np.ones(len(frame), dtype=bool)
    if "label" in params or "label_not" in params:
        words = texts(frame, str(params.get("text", _OWN)))
        if "label" in params:
            keep &= says(words, str(params["label"]))
        if "label_not" in params:
            keep &= ~says(words, str(params["label_not"]))
    return keep


def by_group(ids: NDArray[np.int64], rows: NDArray[np.int_]) -> list[tuple[int, ...]]:
    """Return the rows of every group, groups in the order in which they first appear."""
    groups: dict[int, list[int]] = {}
    for group, row in zip(ids[rows].tolist(), rows.tolist(), strict=True):
        groups.setdefault(group, []).append(row)
    return [tuple(members) for members in groups.values()]


def spread(
    ids: NDArray[np.int64],
    member: NDArray[np.object_],
    members: Sequence[str],
    keep: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return a row per group and a column per member with its position, ``NOWHERE`` where absent.

    A group that has a member twice is left out: that is the key rule's matter.
    """
    rows = np.flatnonzero(keep & np.isin(member, list(members)))
    groups, group = np.unique(ids[rows], return_inverse=True)
    column = pd.Index(list(members)).get_indexer(pd.Index(member[rows].astype(str)))
    at = np.full((len(groups), len(members)), NOWHERE, dtype=np.int64)
    at[group, column] = rows
    cell = group * len(members) + column
    twice = group[np.bincount(cell, minlength=1)[cell] > 1]
    return at[~np.isin(np.arange(len(groups)), twice)]


def pair_ids(ctx: Context) -> NDArray[np.int64]:
    """Return one number per row: equal for rows that differ by sex only.

    Rows with titles of their own are tied by ``PAIR_ID``.
    """
    own = group_ids(ctx.frame, ctx.peers_key("SEX", "SOURCE"))
    if "PAIR_ID" not in ctx.frame.columns:
        return own
    tied = group_ids(ctx.frame, [*ctx.peers_key("SEX", "SOURCE", *_TITLES), "PAIR_ID"])
    has = ctx.frame["PAIR_ID"].notna().to_numpy(dtype=bool)
    return np.asarray(np.where(has, tied + len(own), own), dtype=np.int64)


def years(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the year of every row's period, NaN where there is none."""
    found = pd.Series(codes(frame, "TIME_PERIOD", "")).astype("str").str.extract(r"^([0-9]{4})")[0]
    return np.asarray(found.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
