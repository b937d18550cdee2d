"""One rule on one table: its operator asked, what it could not see taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gbi.validation.context import Breaches
from gbi.validation.operators import OPERATORS
from gbi.validation.tracing import Breached

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from gbi.validation.catalogue import Rule
    from gbi.validation.context import Checked, Context, Violation
    from gbi.validation.preparing import Prepared


@dataclass(frozen=True, slots=True)
class Looked:
    """What one rule saw in one table.

    Attributes
    ----------
    checked, skipped
        Rows or groups looked at; rows left out because reading could not understand a cell.
    absent
        Columns that the operator would have needed.
    breached
        What it found, or None.
    """

    checked: int
    skipped: int
    absent: tuple[str, ...] = ()
    breached: Breached | None = None


def context_of(rule: Rule, name: str, prepared: Prepared) -> Context:
    """Return what the operator of a rule gets on a table."""
    document = rule.document
    return replace(
        prepared.contexts[name], params=document["params"], tolerance=document["tolerance"]
    )


def look(rule: Rule, name: str, prepared: Prepared, day: date, most: int) -> Looked:
    """Run a rule on a table.

    Parameters
    ----------
    rule, name
        The rule, and the table's name.
    prepared
        The tables.
    day
        The day whose severities hold.
    most
        So many findings are made at once: words that lack a placeholder are the engine's fault,
        to be met here and not when they are shown.
    """
    tables, context = prepared.tables, context_of(rule, name, prepared)
    skip = np.zeros(len(context.frame), dtype=bool)
    for column in rule.needs:
        skip |= context.unread.get(column, skip)
    checked: Checked = OPERATORS[rule.operator](context)
    clean = _without(checked.violations, skip)
    skipped = int(skip.sum())
    if not len(clean):
        return Looked(checked.rows, skipped, checked.absent)
    others = {t: tables[t] for t in rule.document.get("others", {}) if t in tables}
    breached = Breached(rule, rule.severity(name, day), tables[name], clean, others)
    for _ in breached.findings(1 if isinstance(clean, Breaches) else most):
        pass
    return Looked(checked.rows, skipped, checked.absent, breached)


def _without(violations: Sequence[Violation], skip: NDArray[np.bool_]) -> Sequence[Violation]:
    """Leave out the breaches that touch a row whose cell reading could not understand."""
    if not skip.any():
        return violations
    if isinstance(violations, Breaches):
        return violations.take(np.flatnonzero(~skip[violations.rows]))
    return [v for v in violations if not skip[list(v.rows)].any()]
