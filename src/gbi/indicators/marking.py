"""Gender marking: what credits and answers give, and what the source states.

The mark of a programme is the lower of its grid mark and of the mark of its share. What the data
give and what the source states stand in columns of their own and are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute import (
    Bounds,
    Scale,
    exact_sum,
    keys_of,
    scale,
    share_bounds,
    weighted_amount,
    weighted_share,
)
from gbi.errors import GbiError
from gbi.indicators.inputs import (
    MISSING,
    NORMAL,
    VALUE,
    dataset,
    numbers,
    places,
    require,
    statuses,
    texts_of,
)
from gbi.results import Note, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gbi.dataset import Dataset

LEVEL, PROGRAMME, PROJECT = "MARK_LEVEL", "PROGRAMME", "PROJECT"
CREDIT, PAYMENT = "CREDIT_TYPE", "CP"
CRITERIA = ("CRITERION_1", "CRITERION_2", "CRITERION_3", "CRITERION_4")
_GROUP = ("TIME_PERIOD", "REF_AREA", "DEPARTMENT", "SCALE", PROGRAMME)
_DEFAULT_SCALE = "CE-BSG"
_TEXT = (
    "LEVEL", *_GROUP, "DEPARTMENT_LABEL", PROJECT, *CRITERIA, "MARK", "MARK_STATED", "SHARE_MARK",
    "GRID_MARK", "FINAL_MARK", "SHARE_MARK_STATED", "GRID_MARK_STATED", "FINAL_STATED_INPUTS",
    "FINAL_MARK_STATED", "UNIT_MEASURE", "OBS_STATUS", "REASON", "REASON_GRID", "ORIGIN",
)  # fmt: skip
_COLUMNS = (
    "LEVEL", "TIME_PERIOD", "REF_AREA", "DEPARTMENT", "DEPARTMENT_LABEL", PROGRAMME, PROJECT,
    "SCALE", *CRITERIA, VALUE, "MARK", "MARK_STATED", "WEIGHT", "WEIGHTED_AMOUNT", "AMOUNT_STATED",
    "SHARE", "SHARE_LOW", "SHARE_LOW_REACHED", "SHARE_HIGH", "SHARE_HIGH_REACHED",
    "SHARE_NOT_EVALUATED", "SHARE_MARK", "GRID_MARK", "FINAL_MARK", "SHARE_STATED",
    "SHARE_MARK_STATED", "GRID_MARK_STATED", "FINAL_STATED_INPUTS", "FINAL_MARK_STATED",
    "UNIT_MEASURE", "UNIT_MULT", "DECIMALS", "OBS_STATUS", "REASON", "REASON_GRID", "ORIGIN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Project:
    row: int
    credits: float | None
    mark: str | None
    weight: float | None
    not_evaluated: bool
    later: bool
    unit: tuple[str, float]

    @property
    def amount(self) -> float | None:
        if self.later or self.credits is None or self.weight is None:
            return None
        return weighted_amount(self.credits, self.weight)


@dataclass(frozen=True, slots=True)
class _Share:
    share: float | None
    bounds: Bounds | None
    not_evaluated: float | None
    reason: str | None


class _Rows:
    """The table's columns, taken out once."""

    def __init__(self, source: Dataset) -> None:
        frame = source.frame
        self.values = numbers(frame)
        self.columns = {c: texts_of(frame, c) for c in frame.columns if c != VALUE}
        self.numbers = {c: numbers(frame, c) for c in ("SHARE_STATED", "AMOUNT_STATED", "DECIMALS")}
        self.multiplier = np.nan_to_num(numbers(frame, "UNIT_MULT"))
        self.status = statuses(frame, self.values)
        self.cells = places(source)

    def text(self, column: str, row: int) -> str | None:
        """Return a text, None where it is missing."""
        return str(self.columns[column][row]) or None if column in self.columns else None

    def number(self, column: str, row: int) -> float | None:
        """Return a number, None where it is missing."""
        value = float(self.values[row] if column == VALUE else self.numbers[column][row])
        return value if np.isfinite(value) else None

    def credits(self, row: int) -> tuple[float | None, tuple[str, float]]:
        """Return the credits with their unit and power of ten."""
        unit = self.text("UNIT_MEASURE", row) or ""
        return self.number(VALUE, row), (unit, float(self.multiplier[row]))

    def answers(self, row: int) -> tuple[str | None, ...]:
        """Return the four answers."""
        return tuple(self.text(c, row) for c in CRITERIA)


def gender_marking(
    data: Dataset | pd.DataFrame, *, thresholds: Sequence[float] | None = None
) -> Result:
    """Return marks, weighted amounts and shares of programmes and projects (CE-BSG method).

    Parameters
    ----------
    data
        The ``marking`` table: a row per programme (its answers and stated marks) and per project
        (its answers, mark and payment credits).
    thresholds
        Lower bounds of the bands above the first, as fractions; by default those of the scale:
        0.20, 0.50 and 0.85, where 0.85 itself still has the lower mark.

    Returns
    -------
    Result
        Kind ``gender_marking``: a row per programme followed by its projects (``LEVEL``).
        Projects have ``MARK``, ``WEIGHT`` (a fraction) and ``WEIGHTED_AMOUNT``. Programmes have
        ``SHARE``, its bounds where credits or marks are not known (``…_REACHED`` is false at an
        open end) or projects were not evaluated, ``SHARE_NOT_EVALUATED``, ``SHARE_MARK``,
        ``GRID_MARK`` and ``FINAL_MARK``. ``SHARE_MARK_STATED`` and ``FINAL_STATED_INPUTS`` follow
        from the share and the grid mark that the source states; ``…_STATED`` are as printed.

    Raises
    ------
    GbiError
        ``GBI-E030``, ``GBI-E070`` (a column is missing), ``GBI-E071`` (an unknown scale or
        thresholds that don't rise), ``GBI-E072`` (a project or programme twice), ``GBI-E073``.

    Notes
    -----
    Share = Σ(weight · payment credits of a project) / payment credits of the programme, unrounded.
    The programme's credits are those that it states, else the sum of its projects'. A
    combination of answers that the scale does not print gives no mark.
    """
    source = dataset(data, "marking")
    require(source, [LEVEL, PROGRAMME, PROJECT, "MARK", VALUE, *CRITERIA])
    frame = source.frame
    table = _Rows(source)
    group = [c for c in _GROUP if c in frame.columns]
    kinds = texts_of(frame, CREDIT, PAYMENT)
    _refuse_twice(frame.assign(**{CREDIT: kinds}), [*group, LEVEL, PROJECT, CREDIT])
    records: list[dict[str, Any]] = []
    notes: list[Note] = []
    order = keys_of(frame, [*group, PROJECT]).ids
    levels = texts_of(frame, LEVEL)
    for members in keys_of(frame, group).members():
        rows = members[np.argsort(order[members], kind="stable")]
        name = table.text("SCALE", int(rows[0])) or _DEFAULT_SCALE
        grid = scale(name)
        if thresholds is not None:
            grid = grid.with_thresholds(thresholds)
        head = [int(r) for r in rows if levels[r] == PROGRAMME]
        projects = [_project(table, int(r), grid) for r in rows if levels[r] == PROJECT]
        head.sort(key=lambda row: kinds[row] != PAYMENT)
        paying = [row for row in head if kinds[row] == PAYMENT]
        shared = _share(projects, *(table.credits(paying[0]) if paying else (None, None)))
        first = head[0] if head else int(rows[0])
        record = _programme(table, first, bool(head), grid, shared, projects)
        records += [record, *(_line(table, p) for p in projects)]
        notes += _remarks(grid, shared, record)
    out = _frame(records)
    programmes = out[out["LEVEL"] == PROGRAMME]
    stated = programmes["FINAL_STATED_INPUTS"].notna().any()
    notes = [Note("GBI-N048"), *([Note("GBI-N049")] if stated else []), *notes]
    chosen = None if thresholds is None else [float(t) for t in thresholds]
    meta = {
        "programmes": len(programmes),
        "projects": int((out["LEVEL"] == PROJECT).sum()),
        "final_marks": int(programmes["FINAL_MARK"].notna().sum()),
        "thresholds": chosen or [b.low for b in scale().bands[1:]],
    }
    step = source.provenance.then("gender_marking", thresholds=chosen)
    return Result("gender_marking", out, _unique(notes), step, meta)


def _unique(notes: Sequence[Note]) -> tuple[Note, ...]:
    seen: dict[str, Note] = {}
    for note in notes:
        seen.setdefault(str((note.code, sorted(note.params.items()))), note)
    return tuple(seen.values())


def _refuse_twice(frame: pd.DataFrame, columns: list[str]) -> None:
    told = [c for c in columns if c in frame.columns]
    keys = keys_of(frame, told)
    sizes = keys.sizes()
    if (sizes > 1).any():
        at = int(np.flatnonzero(sizes > 1)[0])
        first = frame.iloc[keys.first[at]]
        got = f"{' › '.join(str(first[c]) for c in told)} × {int(sizes[at])}"
        raise GbiError("GBI-E072", where=", ".join(told), got=got)


def _project(table: _Rows, row: int, grid: Scale) -> _Project:
    stated, answers = table.text("MARK", row), table.answers(row)
    if stated == grid.not_evaluated:
        mark: str | None = stated
    elif all(answers):
        mark = grid.project_mark(answers)
    else:
        mark = stated if stated in grid.weights else None
    credit = table.text(CREDIT, row)
    return _Project(
        row,
        table.credits(row)[0],
        mark,
        grid.weight(mark),
        mark == grid.not_evaluated,
        credit is not None and credit != PAYMENT,
        table.credits(row)[1],
    )


def _share(
    projects: Sequence[_Project], whole: float | None, unit: tuple[str, float] | None
) -> _Share:
    """Return a programme's share, or its bounds and why it can't be computed."""
    counted = [p for p in projects if not p.later]
    if not counted:
        return _Share(None, None, None, "GBI-N045")
    units = {p.unit for p in counted} | ({unit} if whole is not None and unit else set())
    if len(units) > 1:
        return _Share(None, None, None, "GBI-N052")
    known = [p.credits for p in counted if p.credits is not None]
    credits: list[float | None] = [p.credits for p in counted]
    weights = [p.weight for p in counted]
    doubtful = [None if p.not_evaluated else p.weight for p in counted]
    rest = None if whole is None else whole - exact_sum(known)
    if rest is not None and rest < -_slack(whole):
        return _Share(None, None, None, "GBI-N056")
    if rest is not None and len(known) == len(credits) and rest > _slack(whole):
        # Credits of the programme that belong to no project have no weight.
        credits, weights, doubtful = [*credits, rest], [*weights, 0.0], [*doubtful, 0.0]
    complete = all(c is not None for c in credits)
    reason = None if complete else "GBI-N040"
    if reason is None and any(w is None for w in weights):
        reason = "GBI-N044"
    bounds = share_bounds(credits, doubtful)
    if reason is not None:
        return _Share(None, bounds, None, reason)
    amounts, given = [float(c or 0.0) for c in credits], [float(w or 0.0) for w in weights]
    share = weighted_share(amounts, given)
    if share is None:
        return _Share(None, None, None, "GBI-N046")
    aside = [1.0 if d is None else 0.0 for d in doubtful]
    not_evaluated = weighted_share(amounts, aside)
    return _Share(share, bounds if not_evaluated else None, not_evaluated, None)


def _slack(whole: float | None) -> float:
    return 1e-9 * abs(whole or 0.0)


def _programme(
    table: _Rows,
    row: int,
    there: bool,
    grid: Scale,
    shared: _Share,
    projects: Sequence[_Project],
) -> dict[str, Any]:
    answers = table.answers(row) if there else (None,) * len(CRITERIA)
    own = grid.programme_mark(answers)
    stated = table.text("MARK", row) if there else None
    share_stated = table.number("SHARE_STATED", row) if there else None
    share_mark = grid.band_mark(shared.share)
    final = grid.lowest(share_mark, own)
    stated_mark = grid.band_mark(share_stated)
    counted = [p for p in projects if not p.later]
    amounts = [p.amount for p in counted]
    credits = [p.credits for p in counted]
    same = shared.reason != "GBI-N052"
    whole = table.number(VALUE, row) if there else None
    bounds = shared.bounds
    return {
        **_identity(table, row, "PROGRAMME"),
        PROJECT: None,
        **dict(zip(CRITERIA, answers, strict=True)),
        VALUE: _total(credits, same) if whole is None else whole,
        "MARK_STATED": None,
        "WEIGHTED_AMOUNT": _total(amounts, same),
        "AMOUNT_STATED": table.number("AMOUNT_STATED", row) if there else None,
        "SHARE": shared.share,
        "SHARE_LOW": None if bounds is None else bounds.low,
        "SHARE_LOW_REACHED": None if bounds is None else bounds.low_included,
        "SHARE_HIGH": None if bounds is None else bounds.high,
        "SHARE_HIGH_REACHED": None if bounds is None else bounds.high_included,
        "SHARE_NOT_EVALUATED": shared.not_evaluated,
        "SHARE_MARK": share_mark,
        "GRID_MARK": own,
        "FINAL_MARK": final,
        "SHARE_STATED": share_stated,
        "SHARE_MARK_STATED": stated_mark,
        "GRID_MARK_STATED": stated,
        "FINAL_STATED_INPUTS": grid.lowest(stated_mark, stated),
        "FINAL_MARK_STATED": table.text("FINAL_MARK", row) if there else None,
        "OBS_STATUS": MISSING if final is None else NORMAL,
        "REASON": shared.reason,
        "REASON_GRID": None if own else "GBI-N041" if all(answers) else "GBI-N057",
    }


def _total(values: Sequence[float | None], same: bool) -> float | None:
    if not values or not same or any(v is None for v in values):
        return None
    return exact_sum(v for v in values if v is not None)


def _line(table: _Rows, project: _Project) -> dict[str, Any]:
    row = project.row
    reason = None
    if project.later:
        reason = "GBI-N032"
    elif project.credits is None:
        reason = "GBI-N043"
    elif project.mark is None:
        reason = "GBI-N044"
    return {
        **_identity(table, row, "PROJECT"),
        PROJECT: table.text(PROJECT, row),
        **dict(zip(CRITERIA, table.answers(row), strict=True)),
        VALUE: project.credits,
        "MARK": project.mark,
        "MARK_STATED": table.text("MARK", row),
        "WEIGHT": project.weight,
        "WEIGHTED_AMOUNT": project.amount,
        "AMOUNT_STATED": table.number("AMOUNT_STATED", row),
        "OBS_STATUS": table.status[row],
        "REASON": reason,
    }


def _identity(table: _Rows, row: int, level: str) -> dict[str, Any]:
    return {
        "LEVEL": level,
        **{c: table.text(c, row) for c in (*_GROUP, "DEPARTMENT_LABEL", "UNIT_MEASURE")},
        "UNIT_MULT": int(table.multiplier[row]),
        "DECIMALS": table.number("DECIMALS", row),
        "ORIGIN": table.cells[row],
    }


def _remarks(grid: Scale, shared: _Share, record: dict[str, Any]) -> list[Note]:
    notes = [Note(code) for code in (shared.reason, record["REASON_GRID"]) if code]
    hole = grid.printed_gap(shared.share)
    if hole is not None:
        notes.append(Note("GBI-N042", {"low": hole.marks[0], "high": hole.marks[1]}))
    if shared.not_evaluated:
        notes.append(Note("GBI-N047"))
    return notes


def _frame(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    def column(name: str) -> pd.Series:
        values: list[Any] = [r.get(name) for r in records]
        if name in _TEXT:
            return pd.Series(values, dtype="str")
        if name.endswith("_REACHED"):
            return pd.Series(values, dtype="boolean")
        if name in ("UNIT_MULT", "DECIMALS"):
            return pd.Series(values, dtype="Int64")
        found: NDArray[np.float64] = np.array(
            [np.nan if v is None else v for v in values], dtype=np.float64
        )
        return pd.Series(found)

    return pd.DataFrame({name: column(name) for name in _COLUMNS})
