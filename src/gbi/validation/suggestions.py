"""Proposals for sums that do not close: which figure, what it would have to be, and a likely slip.

Nothing is ever applied. A proposal says what would reconcile the figures; only the document that
they were copied from says what is right.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gbi.findings import Cell
from gbi.schemas import schema
from gbi.validation.context import Context
from gbi.validation.slips import explain, printed
from gbi.validation.sums import sums_of
from gbi.validation.ties import Figures, groups, solve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gbi.dataset import Dataset
    from gbi.validation.localisation import Solution
    from gbi.validation.report import ValidationReport
    from gbi.validation.ties import Parties, Tie

SUMS = ("group_sum", "rollup")
MOST_GROUPS = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that would have to change.

    Attributes
    ----------
    cell
        Where it stands; None if the data came without a file.
    row, in_totals
        Its position in the table, or in the totals rows that the source prints.
    found, low, high
        What is there, and the least and greatest printed value that would do.
    proposed
        The one printed value that would do, or None where there are several.
    kind
        ``sign``, ``thousandfold``, ``decimal``, ``transposition``, ``extra_digit``,
        ``missing_digit``, ``digit``, or empty where no simple slip explains it.
    """

    cell: Cell | None
    row: int
    in_totals: bool
    found: float
    low: float
    high: float
    proposed: float | None
    kind: str

    def __str__(self) -> str:
        """Return the change on a line that needs no language: ``C7: 432 → 423?``."""
        wanted = (
            f"{self.low:.12g}…{self.high:.12g}"
            if self.proposed is None
            else f"{self.proposed:.12g}"
        )
        place = self.cell.a1 if self.cell is not None else f"#{self.row + 1}"
        return f"{place}: {self.found:.12g} → {wanted}?"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The fewest figures whose change reconciles a group of sums. As a proposal only.

    Attributes
    ----------
    table
        The table.
    group
        Proposals of one group are alternatives to one another.
    changes
        The figures, and what each would have to be.
    unique
        Whether no other set of so few figures would do.
    findings
        The ids of the findings that the change would close.
    """

    table: str
    group: int
    changes: tuple[Change, ...]
    unique: bool
    findings: tuple[str, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells to look at."""
        return tuple(c.cell for c in self.changes if c.cell is not None)

    @property
    def rows(self) -> tuple[int, ...]:
        """The positions of the figures in the table, those of printed totals left out."""
        return tuple(c.row for c in self.changes if not c.in_totals)

    def __str__(self) -> str:
        """Return the proposal on a line that needs no language."""
        return "; ".join(map(str, self.changes))

    def to_dict(self) -> dict[str, Any]:
        """Return the proposal as plain values."""
        return {
            "table": self.table,
            "group": self.group,
            "unique": self.unique,
            "findings": list(self.findings),
            "changes": [
                {
                    "cell": None if c.cell is None else c.cell.to_dict(),
                    "row": c.row,
                    "in_totals": c.in_totals,
                    "found": c.found,
                    "low": c.low,
                    "high": c.high,
                    "proposed": c.proposed,
                    "kind": c.kind,
                }
                for c in self.changes
            ],
        }


def suggest(report: ValidationReport) -> tuple[Proposal, ...]:
    """Propose, for sums that a report found broken, the fewest figures that would reconcile them.

    Parameters
    ----------
    report
        A report of :func:`gbi.validate`, with its data (a report read back from JSON has none).

    Returns
    -------
    tuple of Proposal
        By table and position. Several proposals of one ``group`` are alternatives; none is picked.
        A proposal holds figures of the sender's own files and is meant for the sender alone.
    """
    ids = _ids(report)
    out: list[Proposal] = []
    for table, data in report.datasets.items():
        contexts = [
            (code, context_of(data, rule["params"], rule["tolerance"]))
            for code, rule in sorted(report.documents.items())
            if rule["operator"] in SUMS
            and table in rule["tables"]
            and set(rule["needs"]) <= set(data.frame.columns)
        ]
        out += propose(contexts, data, ids=ids, first=out[-1].group + 1 if out else 0)
    return tuple(out)


def context_of(data: Dataset, params: Mapping[str, Any], tolerance: str | float | None) -> Context:
    """Return what a sum rule needs to know of a table."""
    return Context(
        table=data.table,
        frame=data.frame,
        key=tuple(c for c in schema(data.table).key if c in data.frame.columns),
        params=params,
        tolerance=tolerance,
        totals=None if data.totals is None else data.totals.frame,
    )


def hints(contexts: Sequence[tuple[str, Context]], data: Dataset) -> dict[Parties, str]:
    """Return, per broken sum, the line to suggest: the one answer, or the one that a slip explains.

    Parameters
    ----------
    contexts
        Rule codes with the contexts of ``group_sum`` and ``rollup`` rules on one table.
    data
        The table.

    Returns
    -------
    dict
        By code, sorted rows and sorted totals rows of a violation. A sum without an entry has
        several equally good explanations, or none.
    """
    lines: dict[Parties, str] = {}
    groups: defaultdict[int, list[Proposal]] = defaultdict(list)
    parties: dict[int, tuple[Parties, ...]] = {}
    for one, broken in _proposals(contexts, data, 0):
        groups[one.group].append(one)
        parties[one.group] = tuple(t.parties for t in broken)
    for group, found in groups.items():
        named = [p for p in found if all(c.kind for c in p.changes)]
        told = found if found[0].unique else named
        if len(told) == 1:
            lines |= dict.fromkeys(parties[group], str(told[0]))
    return lines


def propose(
    contexts: Sequence[tuple[str, Context]],
    data: Dataset,
    *,
    ids: Mapping[tuple[object, ...], tuple[str, ...]] | None = None,
    first: int = 0,
) -> list[Proposal]:
    """Return the proposals for one table; ``ids`` name the findings by what they are about."""
    known = ids or {}
    out = []
    for one, broken in _proposals(contexts, data, first):
        hit = [i for tie in broken for i in known.get(_mark(tie, data), ())]
        out.append(replace(one, findings=tuple(dict.fromkeys(hit))))
    return out


def _mark(tie: Tie, data: Dataset) -> tuple[object, ...]:
    """Return what a finding and a broken sum have in common: the rule and the cells.

    Data in memory have no cells; there the two figures that differ tell them apart.
    """
    code, rows, totals = tie.parties
    if data.origins is None:
        return code, tie.one.printed, tie.one.expected
    return code, frozenset(_cell(data, r) for r in rows) | frozenset(
        _cell(data.totals, t) for t in totals
    )


def _ids(report: ValidationReport) -> dict[tuple[object, ...], tuple[str, ...]]:
    marked: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for f in report.unmasked():
        mark = (f.code, frozenset(f.cells)) if f.cells else (f.code, f.found, f.expected)
        marked[mark].append(f.id)
    return {mark: tuple(found) for mark, found in marked.items()}


def _cell(data: Dataset | None, row: int) -> Cell | None:
    return None if data is None or data.origins is None else data.origin(row)


def _proposals(
    contexts: Sequence[tuple[str, Context]], data: Dataset, first: int
) -> Iterator[tuple[Proposal, tuple[Tie, ...]]]:
    """Yield the proposals of a table, each with the broken sums that it would close."""
    if not contexts:
        return
    figures = Figures(contexts[0][1])
    ties = [figures.tie(code, one) for code, ctx in contexts for one in sums_of(ctx)]
    for n, group in enumerate(groups(ties)):
        if n == MOST_GROUPS:
            return
        solutions, unique = solve(group, figures, ties)
        found = [_changes(s, figures, data) for s in solutions]
        for changes in sorted(found, key=lambda c: not all(x.kind for x in c)):
            yield Proposal(data.table, first + n, changes, unique, ()), group.broken


def _changes(solution: Solution, figures: Figures, data: Dataset) -> tuple[Change, ...]:
    out = []
    for j, (low, high) in zip(solution.figures, solution.intervals, strict=True):
        in_totals = j >= figures.rows
        row = j - figures.rows if in_totals else j
        found, unit = float(figures.values[j]), float(figures.units[j])
        proposed, kind = explain(found, low, high, unit)
        low, high = printed(low, high, unit)
        cell = _cell(data.totals if in_totals else data, row)
        out.append(Change(cell, row, in_totals, found, low, high, proposed, kind))
    return tuple(out)
