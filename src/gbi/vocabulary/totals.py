"""The total guard: a sum must not count a total together with its members."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.vocabulary.lists import accepted, concepts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@lru_cache(maxsize=64)
def _ancestors(dimension: str) -> dict[str, frozenset[str]]:
    """Return, per code of a dimension, the codes that are totals over it."""
    known = concepts().get(dimension)
    if known is None or known.codelist is None:
        return {}
    entries = {e["code"]: e.get("parent") for e in accepted(known.codelist)}
    above: dict[str, frozenset[str]] = {}
    for code in entries:
        chain: set[str] = set() if code == "_T" else {"_T"}
        parent = entries[code]
        while parent:
            chain.add(parent)
            parent = entries.get(parent)
        above[code] = frozenset(chain)
    return above


def refuse_mixed_totals(frame: pd.DataFrame, over: Sequence[str]) -> None:
    """Refuse a sum that would mix a total with members of the same dimension.

    Parameters
    ----------
    frame
        The rows that are about to be summed into one group, or a frame with several groups whose
        other dimension columns tell the groups apart.
    over
        The dimensions that the sum removes.

    Raises
    ------
    GbiError
        ``GBI-E040`` with the dimension, the total and the members.

    Notes
    -----
    ``_T`` is the total of every dimension. A code list's parents are totals too: ``OPERATING`` is
    ``PERSONNEL`` + ``GOODS``, ``MA`` is the sum of its regions. A ``_T`` in one group and members
    in another don't mix, and a total standing alone is what a table without detail prints.
    """
    dimensions = [c for c in frame.columns if c in concepts() and concepts()[c].dimension]
    for dimension in over:
        if dimension not in frame.columns:
            continue
        above = _ancestors(dimension)
        others = [c for c in dimensions if c not in over]
        groups = [frame] if not others else [
            g for _, g in frame.groupby(others, dropna=False, sort=False, observed=True)
        ]  # fmt: skip
        for group in groups:
            values = group[dimension].astype(object)  # a category takes no other value
            # where there is no list, a blank is the whole: a ministry without a programme
            present = sorted(map(str, set(values.dropna() if above else values.fillna("_T"))))
            for code in present:
                mixed = sorted(above.get(code, frozenset({"_T"}) - {code}) & set(present))
                if mixed:
                    raise GbiError("GBI-E040", where=dimension, got=f"{mixed[0]} + {code}")
