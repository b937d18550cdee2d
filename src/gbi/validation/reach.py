"""How far an operator looks: at a row, at rows that share some columns, or at the whole table.

A register of tens of millions of rows is validated in pieces. A rule on rows takes any piece; one
on groups takes pieces that hold its groups whole; one that needs the whole table can't be run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gbi.validation.catalogue import Rule

    Apart = Callable[[Mapping[str, Any]], Iterable[str]]

# Operators that look at one row at a time.
ROWWISE = frozenset(
    {"required", "range", "integer", "one_of", "column_type", "consistent_with", "within_columns"}
)
_SERIES = ("TIME_PERIOD", "VALUE_KIND", "SOURCE")
# Operator → the columns of the key by which the parties of a breach may differ.
_APART: Mapping[str, Apart] = {
    "unique_key": lambda p: (),
    "group_sum": lambda p: (p["dimension"],),
    "pair_required": lambda p: (p["dimension"], *_SERIES),
    "between_groups": lambda p: p["groups"],
    "counterpart_required": lambda p: _SERIES,
    "target_against_value": lambda p: _SERIES,
}
# Params that make a rule on rows one on groups.
_GROUPING = ("once_per_series", "by")


def is_rowwise(rule: Rule) -> bool:
    """Say whether a rule looks at one row at a time."""
    params = rule.document["params"]
    grouped = any(params.get(name) for name in _GROUPING) and rule.operator != "one_of"
    return rule.operator in ROWWISE and not grouped


def together(rule: Rule, key: Iterable[str], columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that all parties of a breach share; none where any row may be a party.

    Parameters
    ----------
    rule
        A rule whose operator compares rows.
    key
        The columns of the table's key.
    columns
        Those that the data have.
    """
    apart = _APART.get(rule.operator)
    if apart is None:
        return ()
    params = rule.document["params"]
    own = params.get("key", key) if rule.operator == "unique_key" else key
    own = [c for c in own if c in columns]
    if "pair" in params:  # pairs are tied by a column of their own
        return ("DEPARTMENT",) if "DEPARTMENT" in own else ()
    out = set(apart(params))
    return tuple(c for c in own if c not in out)
