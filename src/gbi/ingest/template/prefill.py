"""Last year's data as lines of this year's form: what identifies a row, and what it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from gbi.dataset import Dataset
from gbi.ingest.template.form import PERIOD, VALUE, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gbi.ingest.template.form import Column, Form, Shape

_OTHER_YEARS = ("FORECAST", "BASELINE")  # kinds of values that are not about the data's own year


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the form.

    Attributes
    ----------
    about
        Column → what identifies the row, as a reader sees it.
    last
        Column → last year's value.
    """

    about: Mapping[str, str | float]
    last: Mapping[str, float] = field(default_factory=dict)


def lines(form: Form, prefill: Dataset | pd.DataFrame | None) -> dict[Shape, list[Line]]:
    """Return the rows that are filled in, sheet by sheet.

    Values whose dimension stands side by side come on one line; all others, and totals that are
    not the sum of their parts, keep a line each.
    """
    found: dict[Shape, list[Line]] = {shape: [] for shape in form.shapes}
    if prefill is None:
        return found
    data = Dataset.of(prefill, form.table).frame
    frame = _rolled(form.schema.conform(data), form.year)
    columns = {shape: _identifying(form, shape) for shape in form.shapes}
    alone = pd.Series(True, index=frame.index)
    if form.members and len(frame):
        by = [c.id for c in columns["spread"] if c.id in frame]
        for _, group in frame.groupby(by, sort=False, dropna=False):
            last = _side_by_side(form, group)
            if last is not None:
                alone[group.index] = False
                found["spread"].append(Line(_about(form, columns["spread"], group.iloc[0]), last))
    for _, row in frame[alone].iterrows():
        last = {VALUE: float(row[VALUE])} if VALUE in row and pd.notna(row[VALUE]) else {}
        found["long"].append(Line(_about(form, columns["long"], row), last))
    return found


def _rolled(frame: pd.DataFrame, year: int) -> pd.DataFrame:
    """Move the periods so that the data's own year becomes the form's; baselines stay."""
    if PERIOD not in frame or not len(frame):
        return frame
    kinds = frame["VALUE_KIND"] if "VALUE_KIND" in frame else pd.Series("", index=frame.index)
    years = frame[PERIOD].str[:4].astype(int)
    own = years[~kinds.isin(_OTHER_YEARS)]
    moved = years + year - int((own if len(own) else years).max())
    rolled = moved.astype("str") + frame[PERIOD].str[4:]
    return frame.assign(**{PERIOD: rolled.where(kinds != "BASELINE", frame[PERIOD])})


def _identifying(form: Form, shape: Shape) -> list[Column]:
    return [
        c for c in form.columns(shape)
        if c.field.role != "measure" and c.id not in rules()["answers"]
    ]  # fmt: skip


def _side_by_side(form: Form, group: pd.DataFrame) -> dict[str, float] | None:
    """Return the values of rows that fit on one line, by column; None if they don't fit."""
    columns = [c for c in form.columns("spread") if c.set]
    others = [f.name for f in form.schema.fields if f.role == "measure" and f.name != VALUE]
    if group[[c for c in others if c in group]].notna().any(axis=None):
        return None
    last: dict[str, float] = {}
    for _, row in group.iterrows():
        fits = [c for c in columns if all(row[name] == code for name, code in c.set.items())]
        if not fits or fits[0].id in last or (fits[0].parts and not _adds_up(row)):
            return None
        last[fits[0].id] = float(row[VALUE])
    members = {name: value for name, value in last.items() if not name.startswith("#")}
    return {name: v for name, v in members.items() if pd.notna(v)} if members else None


def _adds_up(row: pd.Series[Any]) -> bool:
    said = ((row.get(column), codes) for column, codes in rules()["additive"].items())
    return all(pd.isna(code) or code in codes for code, codes in said)


def _about(form: Form, columns: list[Column], row: pd.Series[Any]) -> dict[str, str | float]:
    """Return what identifies a row; what an empty cell says anyway is not written."""
    about: dict[str, str | float] = {}
    for column in columns:
        value = row.get(column.id)
        if value is None or pd.isna(value):
            continue
        if column.list is not None:
            shown = dict(form.lists[column.list])
            value = shown.get(str(value), str(value))
            if str(row[column.id]) == form.blank(column.field) and not form.is_front(column.field):
                continue
        elif column.field.type == "string":
            value = str(value)
        else:
            value = float(value)
        about[column.id] = value
    return about
