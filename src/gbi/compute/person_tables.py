"""Which rows count persons, and which of them form one additive table.

Rows of several files belong together where their labels say so and the figures that they share
agree: what is hidden in one must not stand in the other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gbi.compute.additive import DIMENSIONS, ROOTS, TOTAL, lines_of
from gbi.vocabulary import concepts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

VALUE, STATUS, HIDDEN = "OBS_VALUE", "OBS_STATUS", "Q"
PERSONAL = ("beneficiaries", "staff", "performance")
CONTRIBUTION = "LARGEST_"
RATIOS = ("SHARE", "RATE", "RATIO", "INDEX", "COMPLETION", "MEAN")
# Labels that split a figure where they are given, and leave it whole where they are not.
LABELS = ("SUB_INDICATOR", "GRADE", "SERVICE", "PROJECT")
_COMMON = ("DEPARTMENT", "INDICATOR", "TIME_PERIOD", "VALUE_KIND")
_OWN = ("MINISTRY", "PROGRAMME", "OBJECTIVE", "POPULATION_GROUP")
_PERSON_TABLES = ("beneficiaries", "staff")
_KINDS = ("MEASURE_KIND", "COUNTED", "UNIT_MEASURE")
_SEXED = ("F", "M", "_O", "_N", "_U")
_MOST_DECIMALS = 6


def column(frame: pd.DataFrame, name: str, default: str = "") -> NDArray[np.object_]:
    """Return a column as text; a missing cell or column is the default."""
    if name not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    values = frame[name].astype(object)
    out: NDArray[np.object_] = values.where(values.notna(), default).astype(str).to_numpy(object)
    return np.where(out == "", default, out).astype(object)


def floats(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as floats; missing, text, and a column that is not there, are NaN."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    out = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(out), out, np.nan)


def counts_of(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the values in ones: ``OBS_VALUE`` × 10^``UNIT_MULT``, free of binary noise."""
    power = np.nan_to_num(floats(frame, "UNIT_MULT"))
    return np.round(floats(frame, VALUE) * 10.0**power, _MOST_DECIMALS)


def count_persons(frame: pd.DataFrame, table: str | None = None) -> NDArray[np.bool_]:
    """Say which rows are counts of persons.

    Parameters
    ----------
    frame
        Rows of a long table.
    table
        Its name, where known: where ``beneficiaries`` and ``staff`` do not say what is counted,
        it is persons.

    Returns
    -------
    array of bool
        Rows with ``MEASURE_KIND`` ``COUNT``, ``COUNTED`` ``PERSONS`` and unit ``NUMBER`` or
        ``PS``. A row that does not say what it counts counts persons where its unit or its sex
        says so, and a frame without any of the three columns counts nothing else.
    """
    if not any(name in frame.columns for name in _KINDS):
        return np.ones(len(frame), dtype=bool)
    kind, counted = column(frame, "MEASURE_KIND", "COUNT"), column(frame, "COUNTED")
    unit = column(frame, "UNIT_MEASURE", "NUMBER")
    implied = (unit == "PS") | np.isin(column(frame, "SEX", TOTAL), _SEXED)
    if table in _PERSON_TABLES:
        implied |= True
    told = np.where(counted == "", implied, counted == "PERSONS").astype(bool)
    out: NDArray[np.bool_] = (kind == "COUNT") & np.isin(unit, ("NUMBER", "PS")) & told
    return out


@dataclass(frozen=True, eq=False)
class PersonTable:
    """Rows that form one additive table.

    Attributes
    ----------
    rows
        Their positions among the rows of all tables.
    dimensions, cells
        The breakdowns, and each row's codes.
    """

    rows: NDArray[np.int64]
    dimensions: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def gathered(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what matters of all tables as one frame, in their order.

    Parameters
    ----------
    tables
        Name → rows.

    Returns
    -------
    DataFrame
        ``_TABLE``, the labels and breakdowns as text, ``VALUE`` in ones, ``TOLERANCE`` (half the
        last printed digit; whole numbers have none), ``HELD`` (suppressed by the sender),
        ``COUNT`` (persons, or an amount with its largest contributions), ``PERSONS``,
        ``QUANTITY``, ``RATIO``.
    """
    pieces = []
    for name, frame in tables.items():
        known = name if name in PERSONAL else None
        persons = count_persons(frame, known)
        piece = {c: column(frame, c) for c in (*_COMMON, *_OWN, *LABELS)}
        piece["_OTHER"] = _other(frame)
        piece["VALUE_KIND"] = column(frame, "VALUE_KIND", "REALISED")
        for c in ("INDICATOR", *LABELS):
            piece[c] = np.array([" ".join(x.split()).casefold() for x in piece[c]], dtype=object)
        piece |= {d: column(frame, d, ROOTS.get(d, TOTAL)) for d in DIMENSIONS}
        values, power = counts_of(frame), np.nan_to_num(floats(frame, "UNIT_MULT"))
        decimals = floats(frame, "DECIMALS")
        digits = np.where(np.isfinite(decimals), decimals, _digits(floats(frame, VALUE)))
        half = 0.5 * 10.0 ** (power - digits)
        amounts = f"{CONTRIBUTION}1" in frame.columns
        unit = column(frame, "UNIT_MEASURE")
        kind = column(frame, "MEASURE_KIND")
        magnitude = ~persons & ~np.isin(kind, RATIOS) & amounts
        pieces.append(
            pd.DataFrame(
                {
                    "_TABLE": np.full(len(frame), name, dtype=object),
                    **piece,
                    "VALUE": values,
                    "TOLERANCE": np.where((power == 0) | ~np.isfinite(values), 0.0, half),
                    "HELD": (column(frame, STATUS) == HIDDEN) & ~np.isfinite(values),
                    "COUNT": persons | magnitude,
                    "PERSONS": persons,
                    "QUANTITY": np.where(persons, "persons", unit),
                    "RATIO": np.isin(kind, RATIOS),
                }
            )
        )
    return pd.concat(pieces, ignore_index=True)


def _other(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Return what a caller's own columns say of each row: other words, another table."""
    known = {*concepts(), *LABELS, *_COMMON, *_OWN, "OBS_STATUS"}
    own = [
        c
        for c in frame.columns
        if str(c) not in known
        and not str(c).endswith("_LABEL")
        and not str(c).startswith(CONTRIBUTION)
        and not pd.api.types.is_float_dtype(frame[c])
    ]
    out = np.full(len(frame), "", dtype=object)
    for c in own:
        out = out + "|" + column(frame, c)
    return out


def _digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(len(values), float(_MOST_DECIMALS))
    for places in reversed(range(_MOST_DECIMALS)):
        scaled = np.nan_to_num(values) * 10.0**places
        out[np.abs(scaled - np.round(scaled)) < 1e-6] = places
    return out


def person_tables(facts: pd.DataFrame) -> list[PersonTable]:
    """Return the additive tables among the counted rows.

    Parameters
    ----------
    facts
        From :func:`gathered`.
    """
    usable = (facts["COUNT"] & (facts["VALUE"].notna() | facts["HELD"])).to_numpy(dtype=bool)
    rows = np.flatnonzero(usable)
    if not len(rows):
        return []
    key = facts.iloc[rows][["_TABLE", *_COMMON, *_OWN, "_OTHER", "QUANTITY"]]
    ids = key.groupby(list(key.columns), sort=True, dropna=False).ngroup().to_numpy()
    order = np.argsort(ids, kind="stable")
    groups = np.split(rows[order], np.flatnonzero(np.diff(ids[order])) + 1)
    codes = facts[list(DIMENSIONS)].to_numpy(dtype=object)
    labels = facts[list(LABELS)].to_numpy(dtype=object)
    values = facts["VALUE"].to_numpy(dtype=float)
    tolerance = facts["TOLERANCE"].to_numpy(dtype=float)
    found: list[tuple[NDArray[np.int64], NDArray[np.object_]]] = []
    for group in groups:
        found += _by_label(group, codes, labels, values, tolerance)
    linked = _linked(found, facts)
    out = []
    for mine, cells in linked:
        varied = [k for k in range(cells.shape[1]) if len(set(cells[:, k])) > 1]
        names = (*DIMENSIONS, *LABELS)
        placed = sorted(range(len(mine)), key=lambda i: (tuple(cells[i]), int(mine[i])))
        out.append(
            PersonTable(
                mine[placed],
                tuple(names[k] for k in varied),
                tuple(tuple(str(cells[i, k]) for k in varied) for i in placed),
            )
        )
    return out


def _by_label(
    group: NDArray[np.int64],
    codes: NDArray[np.object_],
    labels: NDArray[np.object_],
    values: NDArray[np.float64],
    tolerance: NDArray[np.float64],
) -> list[tuple[NDArray[np.int64], NDArray[np.object_]]]:
    """Divide a group by those of its labels that are no parts of a whole."""
    if len(group) == 1:
        return [(group, np.concatenate([codes[group], np.full((1, len(LABELS)), TOTAL)], axis=1))]
    own = np.where(labels[group] == "", TOTAL, labels[group])
    cells = [tuple(c) for c in codes[group]]
    if len(set(cells)) == len(cells):  # the labels only put the codes into words
        own = np.full_like(own, TOTAL)
    apart: list[int] = []
    for k in range(len(LABELS)):
        given = set(own[:, k])
        if len(given) == 1 or (
            TOTAL in given and _adds_up(group, codes, own, k, values, tolerance)
        ):
            continue
        apart.append(k)
    parts: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in range(len(group)):
        parts[tuple(own[i, apart])].append(i)
    own[:, apart] = TOTAL
    return [
        (group[at], np.concatenate([codes[group[at]], own[at]], axis=1)) for at in parts.values()
    ]


def _adds_up(
    group: NDArray[np.int64],
    codes: NDArray[np.object_],
    own: NDArray[np.object_],
    k: int,
    values: NDArray[np.float64],
    tolerance: NDArray[np.float64],
) -> bool:
    """Say whether no whole is smaller than the sum of what a label divides it into."""
    cells = [(*codes[row], label) for row, label in zip(group, own[:, k], strict=True)]
    if len(set(cells)) != len(cells):
        return False
    varied = [*range(codes.shape[1]), codes.shape[1]]
    named = [(*DIMENSIONS, LABELS[k])[i] for i in varied]
    for total, inside, _ in lines_of(cells, named):
        if cells[total][-1] != TOTAL or len({cells[i][-1] for i in inside}) < 2:
            continue
        mine = group[list(inside)]
        room = tolerance[group[total]] + tolerance[mine].sum()
        if np.nansum(values[mine]) > values[group[total]] + room:
            return False
    return True


def _linked(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.object_]]], facts: pd.DataFrame
) -> list[tuple[NDArray[np.int64], NDArray[np.object_]]]:
    """Join tables of different files that carry the same labels and agree in what they share."""
    key = facts[[*_COMMON, "QUANTITY"]].to_numpy(dtype=object)
    table = facts["_TABLE"].to_numpy(dtype=object)
    values = facts["VALUE"].to_numpy(dtype=float)
    near: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, (rows, _) in enumerate(found):
        near[tuple(key[rows[0]])].append(i)
    leader = list(range(len(found)))

    def top(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for members in near.values():
        if len({table[found[i][0][0]] for i in members}) < 2:
            continue
        known = {i: {tuple(c): values[r] for r, c in zip(*found[i], strict=True)} for i in members}
        for n, i in enumerate(members):
            for j in members[n + 1 :]:
                shared = known[i].keys() & known[j].keys()
                if table[found[i][0][0]] != table[found[j][0][0]] and shared and all(
                    known[i][c] == known[j][c] or np.isnan(known[i][c] + known[j][c])
                    for c in shared
                ):  # fmt: skip
                    leader[top(j)] = top(i)
    joined: dict[int, list[int]] = defaultdict(list)
    for i in range(len(found)):
        joined[top(i)].append(i)
    return [
        (np.concatenate([found[i][0] for i in m]), np.concatenate([found[i][1] for i in m]))
        for m in joined.values()
    ]
