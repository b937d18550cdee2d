"""Which cells of a submission were changed: two readings of the same sheets laid side by side.

Where rows were added or removed the addresses have moved; cells are then matched by business key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.compute.small_cells import SmallCells
from gbi.dataset import ORIGIN_FILE, ORIGIN_SHEET, RAW
from gbi.findings import WITHHELD, Cell
from gbi.language import isolate, resolve_language
from gbi.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gbi.dataset import Dataset

_VALUE = "OBS_VALUE"
_PLACE = ["FILE", "SHEET", "A1"]
_MICRODATA = "survey"
_ABSENT = "–"


@dataclass(frozen=True, order=True, slots=True)
class CellChange:
    """A cell whose content differs; ``before`` or ``after`` is None where there was no cell.

    ``a1`` is the address in the new state; in the old one for a cell that is gone. Small counts
    of persons are withheld on both sides.
    """

    file: str
    sheet: str
    a1: str
    before: str | None
    after: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def written(self, lang: str | None = None) -> str:
        """Return the change as a line of text."""
        cell = Cell(self.file, self.sheet, self.a1)
        values = [_ABSENT if v is None else v for v in (self.before, self.after)]
        if resolve_language(lang) == "ar":
            return f"{isolate(cell)}: {isolate(values[0])} ← {isolate(values[1])}"
        return f"{cell}: {values[0]} → {values[1]}"


def changed_cells(
    old: Mapping[str, Dataset], new: Mapping[str, Dataset]
) -> tuple[tuple[CellChange, ...], list[str]]:
    """Return the cells whose content differs, by file, sheet and row.

    Parameters
    ----------
    old, new
        The datasets of both states by table.

    Returns
    -------
    tuple
        The changes, and remarks: ``no_data`` (no cell has an address), ``sheets_differ`` (a sheet
        that only one side has is left out), ``withheld`` (microdata are not compared).
    """
    remarks = ["withheld"] if _MICRODATA in {*old, *new} else []
    before, after = _cells(old), _cells(new)
    if before.empty or after.empty:
        return (), [*remarks, "no_data"]
    if all(len(set(c["FILE"])) == 1 for c in (before, after)):
        before["FILE"] = after["FILE"].iloc[0]  # one file, saved under another name
    sheets = [set(zip(c["FILE"], c["SHEET"], strict=True)) for c in (before, after)]
    if sheets[0] != sheets[1]:
        remarks.append("sheets_differ")
    changes: list[CellChange] = []
    for file, sheet in sorted(sheets[0] & sheets[1]):
        was, now = (c[(c["FILE"] == file) & (c["SHEET"] == sheet)] for c in (before, after))
        same_places = set(was["A1"]) == set(now["A1"])
        changes += _differing(was, now, ["A1" if same_places else "KEY", "COLUMN"])
    return tuple(sorted(set(changes), key=_order)), remarks


def _cells(datasets: Mapping[str, Dataset]) -> pd.DataFrame:
    """Return a row per cell that has an address: place, column, business key and content."""
    shown = {n: d for n, d in datasets.items() if n != _MICRODATA}
    masks = SmallCells().masks(shown)
    parts = []
    for name, data in sorted(shown.items()):
        small = masks[name]
        parts += _columns(data, small)
        if data.totals is not None:  # a printed total beside a withheld cell would give it away
            parts += _columns(data.totals, np.full(len(data.totals), bool(small.any())))
    columns = [*_PLACE, "COLUMN", "KEY", "VALUE", "SMALL"]
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts, ignore_index=True)
    found = found[found["A1"] != ""]
    # A heading's cell stands behind many rows: once is enough.
    return found.drop_duplicates([*_PLACE, "COLUMN"], ignore_index=True)


def _columns(data: Dataset, small: NDArray[np.bool_]) -> list[pd.DataFrame]:
    origins, frame = data.origins, data.frame
    if origins is None:
        return []
    key = _keys(frame, [c for c in schema(data.table).key if c in frame.columns])
    raw = _text(origins[RAW]) if RAW in origins.columns else pd.Series("", index=frame.index)
    parts = []
    for column in (str(c) for c in origins.columns if not str(c).startswith("_")):
        if column not in frame.columns:
            continue
        value = _text(frame[column])
        if column == _VALUE:  # what reading could not understand is shown as it is written
            value = value.where(value != "", raw)
        parts.append(
            pd.DataFrame(
                {
                    "FILE": _text(origins[ORIGIN_FILE]),
                    "SHEET": _text(origins[ORIGIN_SHEET]),
                    "A1": _text(origins[column]),
                    "COLUMN": column,
                    "KEY": key,
                    "VALUE": value,
                    "SMALL": small if column == _VALUE else False,
                }
            )
        )
    return parts


def _text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return values as text, numbers with at most 12 significant digits, nothing as empty."""
    written = {
        v: format(v, ".12g") if isinstance(v, float) else str(v)
        for v in values.dropna().unique().tolist()
    }
    return values.map(written).astype("object").where(values.notna(), "")


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series[Any]:
    """Return the business key of every row as text; rows of one key are numbered."""
    if not columns:
        return pd.Series([str(i) for i in range(len(frame))], index=frame.index)
    key = _text(frame[columns[0]])
    for column in columns[1:]:
        key = key + "\x1f" + _text(frame[column])
    return key + "\x1f" + key.groupby(key).cumcount().astype(str)


def _differing(before: pd.DataFrame, after: pd.DataFrame, on: list[str]) -> list[CellChange]:
    """Return the differing cells of one sheet, matched on the columns given."""
    if on[0] == "KEY":  # a heading's cell belongs to no row; its rows tell of it
        before, after = (c.drop_duplicates(on) for c in (before, after))
    joined = before.merge(after, on=on, how="outer", suffixes=("_OLD", "_NEW"))
    joined = joined[joined["VALUE_OLD"].fillna("") != joined["VALUE_NEW"].fillna("")]
    changes = []
    for row in joined.to_dict("records"):
        gone, come = pd.isna(row["VALUE_NEW"]), pd.isna(row["VALUE_OLD"])
        side = "OLD" if gone else "NEW"
        hidden = (not come and row["SMALL_OLD"]) or (not gone and row["SMALL_NEW"])
        was, now = (None if v else row[n] for v, n in ((come, "VALUE_OLD"), (gone, "VALUE_NEW")))
        changes.append(
            CellChange(
                str(row[f"FILE_{side}"]),
                str(row[f"SHEET_{side}"]),
                str(row["A1"] if on[0] == "A1" else row[f"A1_{side}"]),
                _published(was, hidden),
                _published(now, hidden),
            )
        )
    return changes


def _published(value: str | None, hidden: bool) -> str | None:
    return WITHHELD if hidden and value is not None else value


def _order(change: CellChange) -> tuple[Any, ...]:
    letters = change.a1.rstrip("0123456789")
    row = change.a1[len(letters) :]
    return (change.file, change.sheet, int(row or 0), len(letters), letters)
