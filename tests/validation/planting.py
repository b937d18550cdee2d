"""Seeded faults, planted one by one into figures in which that fault is absent.

Every planter is written from what a rule promises in words (its title and its reason), never from
the code that looks for it. It says which rows are at fault: a finding must name one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gbi.schemas import schema

Rng = np.random.Generator
Frames = Mapping[str, pd.DataFrame]
PEOPLE = ("performance", "beneficiaries", "population", "staff", "statistics")


class NoPlaceError(Exception):
    """The figures hold no place where such a fault could stand."""


@dataclass
class Draft:
    """Copies of the tables that a fault is planted into, made when they are first touched.

    Attributes
    ----------
    rng
        What draws places and sizes.
    given, given_before
        This year's and last year's tables as they were.
    now, before
        Those that a planter touched, or asked for.
    """

    rng: Rng
    given: Frames
    given_before: Frames = field(default_factory=dict)
    now: dict[str, pd.DataFrame] = field(default_factory=dict)
    before: dict[str, pd.DataFrame] = field(default_factory=dict)

    def frame(self, table: str) -> pd.DataFrame:
        """Return the copy of a table."""
        if table not in self.now:
            if table not in self.given:
                raise NoPlaceError(table)
            self.now[table] = self.given[table].copy()
        return self.now[table]

    def last(self, table: str) -> pd.DataFrame:
        """Return the copy of last year's table."""
        if table not in self.before:
            if table not in self.given_before:
                raise NoPlaceError(table)
            self.before[table] = self.given_before[table].copy()
        return self.before[table]

    def rows(self, table: str, **where: Any) -> np.ndarray[Any, Any]:
        """Return the rows whose columns hold one of the values; ``()`` asks for an empty cell."""
        frame = self.frame(table)
        keep = np.ones(len(frame), dtype=bool)
        for column, wanted in where.items():
            values = wanted if isinstance(wanted, tuple) else (wanted,)
            if column not in frame.columns:
                if values:
                    raise NoPlaceError(column)
                continue
            hit = frame[column].isin(values) if values else frame[column].isna()
            keep &= hit.to_numpy(dtype=bool)
        return np.flatnonzero(keep)

    def one(self, table: str, **where: Any) -> int:
        """Return one of these rows that holds a value, where the table has values."""
        found = self.rows(table, **where)
        if "OBS_VALUE" in self.frame(table).columns:
            found = found[self.frame(table)["OBS_VALUE"].notna().to_numpy()[found]]
        if not len(found):
            raise NoPlaceError(f"{table}: {where}")
        return int(self.rng.choice(found))

    def alike(self, table: str, row: int, but: Iterable[str], **where: Any) -> list[int]:
        """Return the rows that share a row's key except some columns."""
        frame = self.frame(table)
        key = [c for c in schema(table).key if c in frame.columns and c not in set(but)]
        same = np.ones(len(frame), dtype=bool)
        for c in key:
            value = frame[c].iloc[row]
            own = frame[c].isna() if pd.isna(value) else frame[c].eq(value).fillna(False)
            same &= own.to_numpy(dtype=bool)
        kept = set(self.rows(table, **where))
        return [int(i) for i in np.flatnonzero(same) if int(i) in kept]

    def get(self, table: str, row: int, column: str = "OBS_VALUE") -> Any:
        """Return what a cell holds."""
        return self.frame(table)[column].iloc[row]

    def put(self, table: str, rows: int | Iterable[int], column: str, value: Any) -> None:
        """Write one value into the cells of a column."""
        frame = self.frame(table)
        places = [rows] if isinstance(rows, int) else list(rows)
        if column not in frame.columns:
            empty: Any = pd.NA if isinstance(value, str) else np.nan
            kind = "str" if isinstance(value, str) else "float64"
            frame[column] = pd.Series([empty] * len(frame), dtype=kind)
        frame.iloc[places, frame.columns.get_loc(column)] = value

    def append(self, table: str, like: int, **changes: Any) -> int:
        """Add a copy of a row with other values, and return its place."""
        frame = self.frame(table)
        self.now[table] = pd.concat([frame, frame.iloc[[like]]], ignore_index=True)
        place = len(frame)
        for column, value in changes.items():
            self.put(table, place, column, value)
        return place

    def remove(self, table: str, rows: Iterable[int]) -> None:
        """Take rows out; the others move up."""
        gone = list(rows)
        if not gone:
            raise NoPlaceError(table)
        self.now[table] = self.frame(table).drop(index=gone).reset_index(drop=True)

    def upto(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.rng.uniform(low, high))

    def any(self, *choices: Any) -> Any:
        """Draw one of several."""
        return choices[int(self.rng.integers(len(choices)))]


@dataclass(frozen=True)
class Fault:
    """What was planted.

    Attributes
    ----------
    code
        The rule that has to find it.
    rows
        Table and rows that are parties; none where a whole column or table is.
    now, before
        The tables with the fault, and last year's where they are needed.
    """

    code: str
    rows: frozenset[tuple[str, int]]
    now: Frames
    before: Frames


Parties = list[tuple[str, int]]
Planter = Callable[[Draft], Parties]
PLANTERS: dict[str, list[Planter]] = {}


def planter(*codes: str) -> Callable[[Planter], Planter]:
    """Register a function as one that plants faults for some rules."""

    def register(make: Planter) -> Planter:
        for code in codes:
            PLANTERS.setdefault(f"GBI-{code}", []).append(make)
        return make

    return register


def plant(code: str, rng: Rng, now: Frames, before: Frames) -> Fault | None:
    """Plant a fault that a rule has to find, or return None where there is no place for one."""
    makers = PLANTERS[code]
    for n in rng.permutation(len(makers)):
        draft = Draft(rng, now, before)
        try:
            rows = makers[n](draft)
        except NoPlaceError:
            continue
        return Fault(code, frozenset(rows), draft.now, draft.before)
    return None


def _of(table: str, rows: Iterable[int]) -> Parties:
    return [(table, int(r)) for r in rows]


def _other(d: Draft, value: float) -> float:
    """Return a value off by 5 to 60 per cent, in either direction, whole where it was whole."""
    off = value * (1 + d.any(-1, 1) * d.upto(0.05, 0.6))
    off = float(round(off)) if float(value).is_integer() else round(off, 1)
    return off if off != value else value + 7


def _count(d: Draft, *tables: str, **where: Any) -> tuple[str, int]:
    """Return a row of a count of persons of 100 or more."""
    for table in d.rng.permutation(list(tables or PEOPLE)):
        try:
            found = [
                r for r in d.rows(table, MEASURE_KIND="COUNT", COUNTED="PERSONS", **where)
                if d.get(table, int(r)) >= 100
            ]  # fmt: skip
        except NoPlaceError:
            continue
        finally:
            if table not in d.given:
                d.now.pop(table, None)
        if found:
            return str(table), int(d.rng.choice(found))
        d.now.pop(table, None)
    raise NoPlaceError("count")


def _triple(d: Draft, column: str, codes: tuple[str, ...]) -> tuple[str, list[int]]:
    """Return the rows of a count whose parts and whole are all given."""
    for table in d.rng.permutation(list(PEOPLE)):
        try:
            anchors = d.rng.permutation(d.rows(table, MEASURE_KIND="COUNT", **{column: "_T"}))
        except NoPlaceError:
            continue
        for row in anchors[:25]:
            group = d.alike(table, int(row), [column, "SUB_INDICATOR"], **{column: codes},
                            MEASURE_KIND="COUNT")  # fmt: skip
            if len(group) == len(codes) and not any(pd.isna(d.get(table, r)) for r in group):
                return str(table), group
        d.now.pop(str(table), None)
    raise NoPlaceError(column)


# --- sums -------------------------------------------------------------------------------------


def _breaks(d: Draft, column: str, codes: tuple[str, ...]) -> Parties:
    table, group = _triple(d, column, codes)
    row = d.any(*group)
    d.put(table, row, "OBS_VALUE", _other(d, d.get(table, row)))
    return _of(table, group)


@planter("A003")
def women_and_men_off_the_total(d: Draft) -> Parties:
    return _breaks(d, "SEX", ("F", "M", "_T"))


@planter("A005")
def town_and_country_off_the_total(d: Draft) -> Parties:
    return _breaks(d, "URBANISATION", ("U", "R", "_T"))


@planter("A007")
def ages_off_the_total(d: Draft) -> Parties:
    return _breaks(d, "AGE", ("Y0T14", "Y15T59", "Y_GE60", "_T"))


@planter("A007")
def an_age_group_is_left_out(d: Draft) -> Parties:
    table, group = _triple(d, "AGE", ("Y0T14", "Y15T59", "Y_GE60", "_T"))
    key = [d.get(table, group[0], c) for c in ("REF_AREA", "SEX")]
    d.remove(table, [r for r in group if d.get(table, r, "AGE") == "Y15T59"])
    return _of(table, d.rows(table, REF_AREA=key[0], SEX=key[1]))


@planter("A004")
def shares_of_women_and_men_do_not_make_100(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND="SHARE", UNIT_MEASURE="PT", SEX=("F", "M"))
    pair = d.alike(table, row, ["SEX", "SUB_INDICATOR"], MEASURE_KIND="SHARE", SEX=("F", "M"))
    if len(pair) != 2:
        raise NoPlaceError
    value = d.get(table, row)
    d.put(table, row, "OBS_VALUE", round(value + d.any(-1, 1) * d.upto(1.5, min(value, 20)), 1))
    return _of(table, pair)


@planter("A009")
def parity_index_of_other_rates(d: Draft) -> Parties:
    row = d.one("performance", MEASURE_KIND="INDEX", DIRECTION="NEAREST", VALUE_KIND="REALISED")
    value = d.get("performance", row)
    d.put("performance", row, "OBS_VALUE", round(value + d.any(-1, 1) * d.upto(0.08, 0.4), 3))
    return _of("performance", [row])


def _nature(d: Draft, **where: Any) -> tuple[int, list[int]]:
    row = d.one("budget", CREDIT_TYPE="CP", BUDGET_STAGE="BILL", **where)
    return row, d.alike("budget", row, ["ECON_NATURE"], CREDIT_TYPE="CP")


@planter("A021")
def natures_off_the_total(d: Draft) -> Parties:
    row, line = _nature(d, ECON_NATURE=("PERSONNEL", "GOODS", "OPERATING"))
    if len(line) < 5:
        raise NoPlaceError
    d.put("budget", row, "OBS_VALUE", _other(d, d.get("budget", row)))
    return _of("budget", line)


@planter("A022")
def projects_off_the_programme(d: Draft) -> Parties:
    frame = d.frame("budget")
    if "PROJECT" not in frame.columns:
        raise NoPlaceError
    found = np.flatnonzero(frame["PROJECT"].notna().to_numpy())
    if not len(found):
        raise NoPlaceError
    row = int(d.rng.choice(found))
    family = d.alike("budget", row, ["PROJECT", "PROGRAMME"])
    d.put("budget", row, "OBS_VALUE", _other(d, d.get("budget", row)))
    return _of("budget", family)


@planter("A023")
def one_credit_in_thousands(d: Draft) -> Parties:
    row, line = _nature(d, ECON_NATURE=("PERSONNEL", "GOODS", "INVESTMENT"))
    # a part of less than a hundredth of the whole is not told from a plain difference
    if d.get("budget", row) < 0.05 * max(d.get("budget", r) for r in line):
        raise NoPlaceError
    if len(line) < 5:
        raise NoPlaceError
    d.put("budget", row, "OBS_VALUE", float(round(d.get("budget", row) / d.any(1e3, 1e6))))
    return _of("budget", line)


@planter("A024")
def a_stage_above_the_one_before(d: Draft) -> Parties:
    order = ["AVAILABLE", "COMMITTED", "VERIFIED", "ORDERED", "PAID"]
    n = int(d.rng.integers(1, 5))
    row = d.one("budget", BUDGET_STAGE=order[n])
    line = d.alike("budget", row, ["BUDGET_STAGE"])
    before = next(r for r in line if d.get("budget", r, "BUDGET_STAGE") == order[n - 1])
    value = d.get("budget", before) * d.upto(1.001, 1.6)
    d.put("budget", row, "OBS_VALUE", float(round(value)))
    return _of("budget", [row, before])


@planter("A025")
def executed_beyond_what_was_voted(d: Draft) -> Parties:
    row = d.one("budget", BUDGET_STAGE=("COMMITTED", "PAID"))
    line = d.alike("budget", row, ["BUDGET_STAGE"], BUDGET_STAGE="VOTED")
    value = float(round(d.get("budget", line[0]) * d.upto(1.01, 1.5)))
    d.put("budget", row, "OBS_VALUE", value)
    d.remove("budget", d.rows("budget", BUDGET_STAGE="AVAILABLE"))
    return _of("budget", d.rows("budget", BUDGET_STAGE=("COMMITTED", "PAID", "VOTED")))


@planter("A026")
def more_than_30_per_cent_carried_over(d: Draft) -> Parties:
    row = d.one("budget", BUDGET_STAGE="CARRIED_OVER")
    voted = d.alike("budget", row, ["BUDGET_STAGE"], BUDGET_STAGE="VOTED")[0]
    value = float(round(d.get("budget", voted) * d.upto(0.31, 0.9)))
    d.put("budget", row, "OBS_VALUE", value)
    return _of("budget", [row, voted])


# --- codes ------------------------------------------------------------------------------------


@planter("C010")
def a_code_of_no_list(d: Draft) -> Parties:
    table = d.any(*(t for t in PEOPLE if t in d.given))
    column, code = d.any(("SEX", "FEM"), ("REF_AREA", "MA-99"), ("UNIT_MEASURE", "POURCENT"),
                         ("OBS_STATUS", "ZZ"), ("MEASURE_KIND", "TAUX"))  # fmt: skip
    row = d.one(table)
    if column not in d.frame(table).columns:
        raise NoPlaceError
    d.put(table, row, column, code)
    return _of(table, [row])


@planter("C011")
def a_region_before_it_was_made(d: Draft) -> Parties:
    table = d.any("population", "beneficiaries")
    row = d.one(table, REF_AREA=("MA-02", "MA-05", "MA-09", "MA-12"))
    d.put(table, row, "TIME_PERIOD", str(d.rng.integers(2004, 2014)))
    return _of(table, [row])


@planter("C013")
def an_unknown_department(d: Draft) -> Parties:
    table = d.any("performance", "catalogue", "beneficiaries", "marking", "staff")
    row = d.one(table)
    d.put(table, row, "DEPARTMENT", str(d.get(table, row, "DEPARTMENT")) + d.any("X", "_2", "E"))
    return _of(table, [row])


@planter("C014")
def ages_that_overlap(d: Draft) -> Parties:
    row = d.one("population", AGE="Y15T59")
    d.put("population", row, "AGE", d.any("Y10T19", "Y10T24"))
    # without a total: groups that claim to make up a whole are another rule's
    sex = d.get("population", row, "SEX")
    d.remove("population", d.rows("population", REF_AREA="MA", SEX=sex, AGE=("_T", "Y_GE60")))
    return _of("population", d.rows("population", REF_AREA="MA", SEX=sex))


@planter("C015")
def a_province_among_regions(d: Draft) -> Parties:
    table = d.any("population", "beneficiaries")
    row = d.one(table, REF_AREA="MA-01")
    new = d.append(table, row, REF_AREA=d.any("MA-TNG", "MA-TET"))
    return _of(table, [*d.alike(table, row, ["REF_AREA"]), new])


# --- disclosure -------------------------------------------------------------------------------


@planter("D001")
def a_count_of_a_few_persons(d: Draft) -> Parties:
    table, row = _count(d, "performance", "beneficiaries", "staff")
    d.put(table, row, "OBS_VALUE", float(d.rng.integers(1, 5)))
    return _of(table, [row])


def _contributions(d: Draft, first: float, second: float) -> Parties:
    row = d.one("beneficiaries")
    whole = float(d.rng.integers(10_000, 900_000))
    new = d.append("beneficiaries", row, INDICATOR="Montant des aides versées", SEX="_T",
                   SUB_INDICATOR=pd.NA, COUNTED="MONEY", UNIT_MEASURE="MAD", OBS_VALUE=whole,
                   LARGEST_1=float(round(whole * first)),
                   LARGEST_2=float(round(whole * second)))  # fmt: skip
    return _of("beneficiaries", [new])


@planter("D002")
def one_contribution_is_nearly_all(d: Draft) -> Parties:
    return _contributions(d, d.upto(0.87, 0.99), 0.005)


@planter("D004")
def two_contributions_are_nearly_all(d: Draft) -> Parties:
    first = d.upto(0.5, 0.6)
    return _contributions(d, first, 0.99 - first)


@planter("D003")
def a_withheld_count_that_a_subtraction_gives_back(d: Draft) -> Parties:
    table, group = _triple(d, "SEX", ("F", "M", "_T"))
    if table not in ("beneficiaries", "staff", "performance") or not len(
        d.rows(table, COUNTED="PERSONS")
    ):
        raise NoPlaceError
    row = d.any(*(r for r in group if d.get(table, r, "SEX") != "_T"))
    d.put(table, row, "OBS_VALUE", np.nan)
    d.put(table, row, "OBS_STATUS", "Q")
    return _of(table, group)


# --- substance --------------------------------------------------------------------------------


def _persons_of_both(d: Draft, keep: tuple[str, ...]) -> tuple[str, list[int]]:
    """Take the other sexes' rows of an indicator of persons out; return what is left of it."""
    table = d.any("performance", "staff", "beneficiaries")
    row = d.one(table, COUNTED="PERSONS", SEX="_T", MEASURE_KIND=("COUNT", "RATE"))
    frame = d.frame(table)
    by = [c for c in ("DEPARTMENT", "PROGRAMME", "OBJECTIVE", "SERVICE", "INDICATOR")
          if c in frame.columns]  # fmt: skip
    same = (frame[by].fillna("") == frame[by].fillna("").iloc[row]).all(axis=1).to_numpy()
    mark = "Z" + str(d.rng.integers(1e6))
    d.put(table, np.flatnonzero(same), "COMMENT", mark)
    d.remove(table, np.flatnonzero(same & ~frame["SEX"].isin(keep).to_numpy()))
    left = [int(r) for r in d.rows(table, COMMENT=mark)]
    d.put(table, left, "COMMENT", pd.NA)
    return table, left


@planter("G001")
def persons_not_split_by_sex(d: Draft) -> Parties:
    return _of(*_persons_of_both(d, ("_T",)))


@planter("G002")
def a_rate_of_women_alone(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND="RATE", COUNTED="PERSONS", SEX="F")
    but = ["SEX", "SUB_INDICATOR"]
    mark = d.alike(table, row, but)
    whole = d.alike(table, row, [*but, "TIME_PERIOD", "VALUE_KIND"], MEASURE_KIND="RATE")
    if len(mark) < 2:
        raise NoPlaceError
    indicator = d.get(table, row, "INDICATOR")
    d.remove(table, [r for r in whole if d.get(table, r, "SEX") != "F"])
    return _of(table, d.rows(table, INDICATOR=indicator, SEX="F"))


@planter("G008")
def an_overall_rate_outside_its_groups(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND="RATE", SEX="_T")
    group = d.alike(table, row, ["SEX", "SUB_INDICATOR"], MEASURE_KIND="RATE")
    values = [d.get(table, r) for r in group if r != row]
    if len(values) < 2:
        raise NoPlaceError
    off = d.upto(2, 9)
    d.put(table, row, "OBS_VALUE", round(d.any(max(values) + off, min(values) - off), 1))
    return _of(table, group)


@planter("G010")
def a_title_of_both_sexes_with_one_value(d: Draft) -> Parties:
    table, left = _persons_of_both(d, ("_T",))
    title = d.any("Taux des morchidates et morchidines formés",
                  "Nombre d'étudiants et d'étudiantes logés", "Nombre de femmes et d'hommes formés",
                  "Nombre de détenu.e.s bénéficiant de la formation")  # fmt: skip
    d.put(table, left, "INDICATOR", title)
    return _of(table, left)


@planter("G011")
def indicators_by_sex_on_staff_alone(d: Draft) -> Parties:
    row = d.one("performance", SEX="F")
    mine = d.rows("performance", DEPARTMENT=d.get("performance", row, "DEPARTMENT"))
    d.put("performance", mine, "SCOPE", "STAFF")
    return _of("performance", mine)


@planter("G013")
def young_people_without_ages(d: Draft) -> Parties:
    table, row = _count(d, "performance", "beneficiaries")
    title = d.any("Nombre de jeunes formés", "عدد الشباب المستفيدين", "Young people trained")
    whole = d.alike(table, row, ["SEX", "SUB_INDICATOR", "TIME_PERIOD", "VALUE_KIND", "REF_AREA"])
    d.put(table, whole, "INDICATOR", title)
    return _of(table, whole)


@planter("G014")
def disability_without_the_instrument(d: Draft) -> Parties:
    table, row = _count(d)
    whole = d.alike(table, row, ["SEX", "SUB_INDICATOR", "TIME_PERIOD", "VALUE_KIND", "REF_AREA"])
    d.put(table, whole, "DISABILITY_STATUS", d.any("PD", "PWD"))
    for column in ("SOURCE", "COMMENT"):
        d.put(table, whole, column, pd.NA)
    return _of(table, whole)


def _series(d: Draft, **where: Any) -> tuple[list[int], list[int]]:
    """Return the actual values of a series of the chains in order of time, and its targets."""
    row = d.one("performance", VALUE_KIND="TARGET", **where)
    whole = d.alike("performance", row, ["TIME_PERIOD", "VALUE_KIND"])
    whole.sort(key=lambda r: str(d.get("performance", r, "TIME_PERIOD")))
    kinds = [d.get("performance", r, "VALUE_KIND") for r in whole]
    real = [r for r, k in zip(whole, kinds, strict=True)
            if k == "REALISED" and not pd.isna(d.get("performance", r))]  # fmt: skip
    if not real:
        raise NoPlaceError
    return real, [r for r, k in zip(whole, kinds, strict=True) if k == "TARGET"]


def _empty(d: Draft, rows: list[int]) -> None:
    d.put("performance", rows, "OBS_VALUE", np.nan)
    d.put("performance", rows, "OBS_STATUS", "O")


@planter("G021")
def no_target(d: Draft) -> Parties:
    real, target = _series(d)
    _empty(d, target)
    return _of("performance", [*real, *target])


@planter("G022")
def no_actual_value(d: Draft) -> Parties:
    real, target = _series(d)
    _empty(d, real)
    return _of("performance", [*real, *target])


def _target(d: Draft, make: Callable[[float], float], **where: Any) -> Parties:
    real, target = _series(d, **where)
    d.put("performance", target, "OBS_VALUE", make(float(d.get("performance", real[-1]))))
    return _of("performance", [*target, real[-1]])


@planter("G023")
def a_target_short_of_what_was_reached(d: Draft) -> Parties:
    if d.any(True, False):
        return _target(d, lambda v: round(v * d.upto(0.4, 0.95), 1), DIRECTION="UP")
    return _target(d, lambda v: round(v * d.upto(1.1, 1.5), 1), DIRECTION="DOWN")


@planter("G024")
def a_target_that_was_reached(d: Draft) -> Parties:
    return _target(d, lambda v: v)


@planter("G025")
def a_target_very_far(d: Draft) -> Parties:
    return _target(
        d, lambda v: float(round(v * d.any(d.upto(3.2, 9), d.upto(0.05, 0.3)))),
        MEASURE_KIND="COUNT", SEX=("F", "M"),
    )  # fmt: skip


@planter("G026")
def a_target_without_its_year(d: Draft) -> Parties:
    row = d.one("performance", VALUE_KIND="TARGET")
    d.put("performance", row, "TIME_PERIOD", pd.NA)
    return _of("performance", [row])


@planter("G027")
def no_direction(d: Draft) -> Parties:
    real, target = _series(d)
    d.put("performance", [*real, *target], "DIRECTION", pd.NA)
    return _of("performance", [*real, *target])


@planter("G028")
def the_same_value_three_times(d: Draft) -> Parties:
    if d.any(True, False) or "performance" not in d.given:
        row = d.one("statistics", MEASURE_KIND=("RATE", "COUNT"))
        whole = d.alike("statistics", row, ["TIME_PERIOD"])
        if len(whole) < 5:
            raise NoPlaceError
        whole.sort(key=lambda r: str(d.get("statistics", r, "TIME_PERIOD")))
        n = int(d.rng.integers(0, len(whole) - 2))
        d.put("statistics", whole[n : n + 3], "OBS_VALUE", d.get("statistics", whole[n]))
        return _of("statistics", whole[n : n + 3])
    real, _ = _series(d, MEASURE_KIND=("RATE", "COUNT"))
    if len(real) < 3:
        raise NoPlaceError
    d.put("performance", real[:3], "OBS_VALUE", d.get("performance", real[0]))
    return _of("performance", real[:3])


@planter("G029")
def a_year_that_jumps_and_comes_back(d: Draft) -> Parties:
    row = d.one("statistics", MEASURE_KIND=("RATE", "COUNT"), SEX=("F", "M", "_T"))
    whole = d.alike("statistics", row, ["TIME_PERIOD"])
    whole.sort(key=lambda r: str(d.get("statistics", r, "TIME_PERIOD")))
    if len(whole) < 5:
        raise NoPlaceError
    n = int(d.rng.integers(1, len(whole) - 1))
    value = d.get("statistics", whole[n])
    d.put("statistics", whole[n], "OBS_VALUE", round(value * d.any(0.1, 0.2, 2.6, 3.1), 1))
    return _of("statistics", [whole[n]])


@planter("G030")
def sectors_that_make_100_once(d: Draft) -> Parties:
    row = d.one("statistics", ACTIVITY=("A", "BTE", "F", "GTU"))
    group = d.alike("statistics", row, ["ACTIVITY"], ACTIVITY=("A", "BTE", "F", "GTU"))
    values = [float(d.get("statistics", r)) for r in group]
    for r, v in zip(group[1:], values[1:], strict=True):
        d.put("statistics", r, "OBS_VALUE", round(v * 100 / sum(values), 1))
    rest = sum(float(d.get("statistics", r)) for r in group[1:])
    d.put("statistics", group[0], "OBS_VALUE", round(100 - rest, 1))
    return _of("statistics", group)


@planter("G031")
def targets_that_widen_the_gap(d: Draft) -> Parties:
    row = d.one("performance", VALUE_KIND="TARGET", MEASURE_KIND="RATE", SEX="F")
    pair = d.alike("performance", row, ["SEX", "SUB_INDICATOR"], MEASURE_KIND="RATE",
                   SEX=("F", "M"))  # fmt: skip
    men = [r for r in pair if r != row]
    if not men:
        raise NoPlaceError
    value = float(d.get("performance", men[0])) + d.upto(12, 25)
    d.put("performance", men[0], "OBS_VALUE", round(value, 1))
    return _of("performance", [row, men[0]])


@planter("G041")
def a_mark_outside_the_scale(d: Draft) -> Parties:
    row = d.one("marking")
    d.put("marking", row, "MARK", d.any("G5", "G3", "7", "A"))
    return _of("marking", [row])


@planter("G042")
def a_yes_without_evidence(d: Draft) -> Parties:
    row = d.one("marking", CRITERION_3="Y")
    d.put("marking", row, "SOURCE", pd.NA)
    return _of("marking", [row])


@planter("G043")
def an_amount_off_its_weight(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROJECT")
    if pd.isna(d.get("marking", row, "AMOUNT_STATED")):
        raise NoPlaceError
    d.put("marking", row, "AMOUNT_STATED", _other(d, float(d.get("marking", row, "AMOUNT_STATED"))))
    return _of("marking", [row])


@planter("G044")
def a_final_mark_that_is_not_the_lower(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROGRAMME", FINAL_MARK="G2")
    d.put("marking", row, "FINAL_MARK", d.any("G+", "G0", "G1"))
    return _of("marking", [row])


@planter("G045")
def many_credits_not_assessed(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROJECT", MARK="2")
    d.put("marking", row, "MARK", "5")
    d.put("marking", row, "AMOUNT_STATED", 0.0)
    title = d.get("marking", row, "PROGRAMME")
    return _of("marking", d.rows("marking", PROGRAMME=title))


@planter("G046")
def a_share_between_two_bands(d: Draft) -> Parties:
    rows = d.rows("marking", MARK_LEVEL="PROGRAMME")
    if not len(rows):
        raise NoPlaceError
    row = int(d.rng.choice(rows))
    d.put("marking", row, "SHARE_STATED", d.any(0.195, 0.495, 0.845, 0.8472))
    return _of("marking", [row])


@planter("G061")
def a_sheet_without_method(d: Draft) -> Parties:
    row = d.one("catalogue")
    d.put("catalogue", row, d.any("FORMULA", "SOURCE", "LIMITS"), pd.NA)
    return _of("catalogue", [row])


@planter("G062")
def equality_as_objective_without_a_measure(d: Draft) -> Parties:
    row = d.one("performance", COUNTED="STRUCTURES")
    programme = d.get("performance", row, "PROGRAMME")
    mine = d.rows("performance", PROGRAMME=programme)
    title = d.any("Promouvoir l'égalité entre les femmes et les hommes",
                  "Renforcer l'accès des femmes aux services", "Promote gender equality",
                  "تعزيز المساواة بين النساء والرجال")  # fmt: skip
    d.put("performance", mine, "OBJECTIVE", title)
    d.remove("performance", [int(r) for r in mine if d.get("performance", int(r), "SEX") != "_T"])
    d.remove("performance", d.rows("performance", OBJECTIVE=title, COUNTED="PERSONS"))
    return _of("performance", d.rows("performance", OBJECTIVE=title))


@planter("G063")
def a_provisional_chain(d: Draft) -> Parties:
    row = d.one("performance")
    mine = d.rows("performance", DEPARTMENT=d.get("performance", row, "DEPARTMENT"))
    words = d.any("Chaîne en cours de finalisation", "version provisoire", "provisional",
                  "قيد الاستكمال")  # fmt: skip
    d.put("performance", mine, "COMMENT", words)
    return _of("performance", mine)


@planter("G064")
def an_old_gender_analysis(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROGRAMME", CRITERION_1="Y")
    d.put("marking", row, "SOURCE", f"Analyse genre du secteur, {d.rng.integers(2005, 2019)}")
    return _of("marking", [row])


@planter("G065")
def a_series_two_years_behind(d: Draft) -> Parties:
    real, target = _series(d)
    if len(real) < 3:
        raise NoPlaceError
    key = [(c, d.get("performance", real[0], c)) for c in ("DEPARTMENT", "INDICATOR", "SEX")]
    d.remove("performance", real[1:])
    del target
    return _of("performance", d.rows("performance", **dict(key)))


@planter("G066")
def a_total_over_departments_without_their_number(d: Draft) -> Parties:
    table, row = _count(d, "performance", "staff", "statistics")
    whole = d.alike(table, row, ["SEX", "SUB_INDICATOR", "TIME_PERIOD", "VALUE_KIND", "GRADE"])
    d.put(table, whole, "INDICATOR", d.any("Agents formés des départements ministériels",
                                           "Staff of the ministries trained"))  # fmt: skip
    d.put(table, whole, "SOURCE", "Registre")
    return _of(table, whole)


@planter("G071")
def credits_without_an_indicator_of_persons(d: Draft) -> Parties:
    row = d.one("performance", COUNTED="PERSONS")
    title = str(d.get("performance", row, "PROGRAMME"))
    d.put("performance", d.rows("performance", PROGRAMME=title), "COUNTED", "STRUCTURES")
    return _of("budget", d.rows("budget", PROGRAMME_LABEL=title))


@planter("G072")
def beneficiaries_without_numbers_by_sex(d: Draft) -> Parties:
    row = d.one("beneficiaries", COUNTED="PERSONS")
    mine = d.rows("beneficiaries", PROGRAMME=d.get("beneficiaries", row, "PROGRAMME"))
    d.put("beneficiaries", mine, "MEASURE_KIND", "RATE")
    d.put("beneficiaries", mine, "UNIT_MEASURE", "PT")
    d.put("beneficiaries", mine, "TIME_PERIOD", str(d.get("budget", 0, "TIME_PERIOD")))
    return _of("beneficiaries", mine)


# --- values -----------------------------------------------------------------------------------


@planter("P003")
def a_zero_without_a_comment(d: Draft) -> Parties:
    table = d.any("performance", "beneficiaries")
    row = d.one(table, VALUE_KIND="REALISED")
    d.put(table, row, "OBS_VALUE", 0.0)
    return _of(table, [row])


@planter("P004")
def a_share_outside_0_to_100(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND="SHARE", UNIT_MEASURE="PT")
    d.put(table, row, "OBS_VALUE", round(d.any(d.upto(100.1, 900), d.upto(-90, -0.1)), 1))
    return _of(table, [row])


@planter("P005")
def a_rate_above_100(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND="RATE", UNIT_MEASURE="PT")
    d.put(table, row, "OBS_VALUE", round(d.upto(100.2, 400), 1))
    return _of(table, [row])


@planter("P006")
def a_fraction_among_percentages(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    row = d.one(table, MEASURE_KIND=("RATE", "SHARE"), UNIT_MEASURE="PT")
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND"])
    if len(whole) < 3 or float(d.get(table, row)) < 15:
        raise NoPlaceError
    d.put(table, row, "OBS_VALUE", round(float(d.get(table, row)) / 100, 3))
    return _of(table, whole)


@planter("P007")
def a_negative_amount(d: Draft) -> Parties:
    if d.any(True, False) and "budget" in d.given:
        row = d.one("budget", BUDGET_STAGE=("BILL", "VOTED", "PAID"))
        if d.get("budget", row) == 0:
            raise NoPlaceError
        d.put("budget", row, "OBS_VALUE", -float(d.get("budget", row)))
        return _of("budget", [row])
    table, row = _count(d)
    d.put(table, row, "OBS_VALUE", -float(d.get(table, row)))
    return _of(table, [row])


@planter("P008")
def half_a_person(d: Draft) -> Parties:
    table, row = _count(d, UNIT_MULT=0, UNIT_MEASURE=("NUMBER", "PS"))
    d.put(table, row, "OBS_VALUE", float(d.get(table, row)) + d.any(0.5, 0.2, 0.37))
    return _of(table, [row])


@planter("P010")
def more_regions_than_there_are(d: Draft) -> Parties:
    row = d.one("performance", INDICATOR="Nombre de régions couvertes")
    d.put("performance", row, "OBS_VALUE", float(d.rng.integers(13, 90)))
    return _of("performance", [row])


@planter("P011")
def a_latest_value_off_its_course(d: Draft) -> Parties:
    row = d.one("statistics", MEASURE_KIND=("RATE", "COUNT"), TIME_PERIOD="2024")
    if len(d.alike("statistics", row, ["TIME_PERIOD"])) < 8:
        raise NoPlaceError
    value = float(d.get("statistics", row))
    new = value * d.any(d.upto(1.6, 1.9), d.upto(0.4, 0.6))
    d.put("statistics", row, "OBS_VALUE", float(round(new, 1 if value < 100 else 0)))
    return _of("statistics", [row])


@planter("P012")
def counts_rounded_to_tens(d: Draft) -> Parties:
    rows = d.rows("staff", INDICATOR="Effectif")
    if len(rows) < 60:
        raise NoPlaceError
    for row in rows:
        d.put("staff", int(row), "OBS_VALUE", float(round(d.get("staff", int(row)), -1)))
    return _of("staff", rows)


def _both_sexes(d: Draft, make: Callable[[float], float]) -> Parties:
    table = d.any("staff", "beneficiaries")
    rows = [int(r) for r in d.rows(table, MEASURE_KIND="COUNT")]
    if not rows:
        raise NoPlaceError
    if table == "beneficiaries":
        of = d.get(table, int(d.any(*rows)), "DEPARTMENT")
        rows = [r for r in rows if d.get(table, r, "DEPARTMENT") == of]
    for row in rows:
        if d.get(table, row, "SEX") == "F":
            pair = d.alike(table, row, ["SEX", "SUB_INDICATOR"])
            men = float(round(make(float(d.get(table, row)))))
            for r in pair:
                if d.get(table, r, "SEX") == "M":
                    d.put(table, r, "OBS_VALUE", men)
                elif d.get(table, r, "SEX") == "_T":
                    d.put(table, r, "OBS_VALUE", men + float(d.get(table, row)))
    return _of(table, rows)


@planter("P013")
def men_by_one_key(d: Draft) -> Parties:
    key = d.upto(1.1, 1.9)
    return _both_sexes(d, lambda women: women * key)


@planter("P014")
def as_many_women_as_men(d: Draft) -> Parties:
    return _both_sexes(d, lambda women: women)


@planter("P015")
def far_more_men_than_women(d: Draft) -> Parties:
    row = d.one("population", SEX="F")
    pair = d.alike("population", row, ["SEX"])
    men = next(r for r in pair if d.get("population", r, "SEX") == "M")
    value = float(d.get("population", row)) * d.any(d.upto(2.2, 9), d.upto(0.05, 0.4))
    d.put("population", men, "OBS_VALUE", float(round(value)))
    return _of("population", pair)


@planter("P017")
def a_rate_far_from_the_other_departments(d: Draft) -> Parties:
    row = d.one("staff", MEASURE_KIND="RATE")
    d.put("staff", row, "OBS_VALUE", round(d.any(d.upto(0.5, 3), d.upto(97, 99.5)), 1))
    return _of("staff", [row])


@planter("P018")
def credits_tenfold_from_bill_to_vote(d: Draft) -> Parties:
    row = d.one("budget", BUDGET_STAGE="BILL", CREDIT_TYPE="CP")
    line = d.alike("budget", row, ["BUDGET_STAGE"])
    value = max(float(d.get("budget", r)) for r in line) * d.upto(11, 60)
    new = d.append("budget", row, BUDGET_STAGE="RECTIFIED", OBS_VALUE=float(round(value)))
    return _of("budget", [*line, new])


@planter("P019")
def a_share_of_all_or_nobody(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    where = {"VALUE_KIND": "REALISED"} if table == "performance" else {}
    row = d.one(table, MEASURE_KIND="SHARE", COUNTED="PERSONS", SEX=("F", "M"), **where)
    d.put(table, row, "OBS_VALUE", d.any(0.0, 100.0))
    return _of(table, [row])


# --- relations of columns ---------------------------------------------------------------------


@planter("R001")
def outside_its_confidence_interval(d: Draft) -> Parties:
    table = d.any(*(t for t in PEOPLE if t in d.given))
    row = d.one(table)
    value = float(d.get(table, row))
    if abs(value) < 20:  # bounds within the rounding of a small figure are no fault
        raise NoPlaceError
    low, high = d.any((1.2, 1.5), (0.5, 0.8))
    d.put(table, row, "CI_LOWER", value * low)
    d.put(table, row, "CI_UPPER", value * high)
    return _of(table, [row])


@planter("R002")
def a_negative_standard_error(d: Draft) -> Parties:
    table = d.any(*(t for t in PEOPLE if t in d.given))
    row = d.one(table)
    d.put(table, row, "STD_ERR", -d.upto(0.01, 5))
    return _of(table, [row])


@planter("R003")
def a_number_beside_its_absence(d: Draft) -> Parties:
    table = d.any(*(t for t in (*PEOPLE, "budget", "marking") if t in d.given))
    row = d.one(table)
    d.put(table, row, "OBS_STATUS", d.any("O", "M", "L", "Q"))
    return _of(table, [row])


@planter("R005")
def a_count_in_per_cent(d: Draft) -> Parties:
    table, row = _count(d)
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND"])
    d.put(table, whole, "UNIT_MEASURE", d.any("PT", "PM"))
    return _of(table, whole)


@planter("R005")
def a_rate_in_numbers(d: Draft) -> Parties:
    table = d.any("performance", "staff", "statistics")
    row = d.one(table, MEASURE_KIND=("RATE", "SHARE"))
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND"])
    d.put(table, whole, "UNIT_MEASURE", d.any("NUMBER", "PS"))
    return _of(table, whole)


@planter("R006")
def nearest_to_nothing(d: Draft) -> Parties:
    table = d.any("performance", "catalogue")
    row = d.one(table, DIRECTION="NEAREST")
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND"])
    d.put(table, whole, "DIRECTION_REF", np.nan)
    return _of(table, whole)


@planter("R007")
def commitments_for_goods(d: Draft) -> Parties:
    row = d.one("budget", CREDIT_TYPE="CE")
    d.put("budget", row, "ECON_NATURE", d.any("GOODS", "PERSONNEL", "OPERATING"))
    return _of("budget", [row])


@planter("R008")
def a_project_of_no_programme(d: Draft) -> Parties:
    row = d.one("budget", PROJECT=("1", "2"))
    d.put("budget", row, "PROGRAMME", pd.NA)
    return _of("budget", [row])


@planter("R009")
def few_observations(d: Draft) -> Parties:
    table = d.any(*(t for t in PEOPLE if t in d.given))
    row = d.one(table)
    d.put(table, row, "N_OBS", float(d.rng.integers(1, 30)))
    d.frame(table)["N_OBS"] = d.frame(table)["N_OBS"].astype("Int64")
    return _of(table, [row])


@planter("R010")
def a_target_of_the_past(d: Draft) -> Parties:
    real, target = _series(d)
    d.put("performance", target, "TIME_PERIOD", d.any("2020", "2021"))
    return _of("performance", [*real, *target])


@planter("R011")
def a_weight_of_nothing(d: Draft) -> Parties:
    row = d.one("survey")
    d.put("survey", row, "weight", d.any(0.0, -d.upto(1, 90), np.nan))
    return _of("survey", [row])


@planter("R012")
def an_age_of_no_person(d: Draft) -> Parties:
    row = d.one("survey")
    d.put("survey", row, "age", d.any(999.0, 998.0, -1.0, 1987.0))
    return _of("survey", [row])


@planter("R013")
def a_person_twice(d: Draft) -> Parties:
    row = d.one("survey")
    return _of("survey", [row, d.append("survey", row)])


# --- structure --------------------------------------------------------------------------------


@planter("S001")
def an_entry_missing(d: Draft) -> Parties:
    table = d.any(*(t for t in (*PEOPLE, "budget", "marking", "catalogue") if t in d.given))
    row = d.one(table)
    frame = d.frame(table)
    wanted = [f.name for f in schema(table).fields
              if f.required and f.type == "string" and f.name in frame.columns
              and f.name not in ("INDICATOR", "TIME_PERIOD", "OBS_STATUS")]  # fmt: skip
    if d.any(True, False) and table != "catalogue":
        d.put(table, row, "OBS_VALUE", np.nan)
    else:
        d.put(table, row, d.any(*wanted), pd.NA)
    return _of(table, [row])


@planter("S004")
def a_series_twice(d: Draft) -> Parties:
    table = d.any(*(t for t in (*PEOPLE, "budget", "marking", "catalogue") if t in d.given))
    row = d.one(table)
    new = d.append(table, row)
    if table not in ("catalogue",):
        d.put(table, new, "OBS_VALUE", float(d.get(table, row)) + d.any(0, 1, 12))
    return _of(table, [row, new])


@planter("S006")
def a_sub_indicator_of_nothing(d: Draft) -> Parties:
    row = d.one("performance", SUB_INDICATOR=("Femmes", "Hommes", "Ensemble"))
    whole = d.alike("performance", row, ["TIME_PERIOD", "VALUE_KIND"])
    d.put("performance", whole, "INDICATOR", pd.NA)
    return _of("performance", whole)


@planter("S007")
def a_sub_indicator_in_another_unit(d: Draft) -> Parties:
    row = d.one("performance", SUB_INDICATOR=("Femmes", "Hommes"), MEASURE_KIND="RATE")
    whole = d.alike("performance", row, ["TIME_PERIOD", "VALUE_KIND"])
    d.put("performance", whole, "UNIT_MEASURE", "NUMBER")
    return _of("performance", whole)


@planter("T010")
def one_of_three_in_thousands(d: Draft) -> Parties:
    table, group = _triple(d, "SEX", ("F", "M", "_T"))
    row = group[[d.get(table, r, "SEX") for r in group].index("_T")]
    d.put(table, row, "OBS_VALUE", float(d.get(table, row)) * d.any(1e3, 1e6))
    return _of(table, group)


@planter("T011")
def an_indicator_in_two_units(d: Draft) -> Parties:
    table, row = _count(d)
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND", "REF_AREA", "SEX", "AGE"])
    if len(whole) < 3:
        raise NoPlaceError
    d.put(table, row, "UNIT_MULT", int(d.any(3, 6)) if d.get(table, row, "UNIT_MULT") == 0 else 0)
    return _of(table, whole)


@planter("T013")
def a_value_with_fewer_decimals(d: Draft) -> Parties:
    row = d.one("statistics", DECIMALS=2)
    whole = d.alike("statistics", row, ["TIME_PERIOD"])
    if len(whole) < 5:
        raise NoPlaceError
    for r in (int(x) for x in d.rng.choice(whole, 4, replace=False)):
        d.put("statistics", r, "OBS_VALUE", float(round(d.get("statistics", r))))
        d.put("statistics", r, "DECIMALS", 0)
    return _of("statistics", d.rows("statistics", INDICATOR=d.get("statistics", row, "INDICATOR")))


@planter("T014")
def a_period_of_no_form(d: Draft) -> Parties:
    table = d.any(*(t for t in (*PEOPLE, "budget", "marking") if t in d.given))
    row = d.one(table)
    d.put(table, row, "TIME_PERIOD", d.any("2024/25", "T1 2024", "24", "2024-13", "année 2024"))
    return _of(table, [row])


@planter("T015")
def more_persons_than_the_country_has(d: Draft) -> Parties:
    table, row = _count(d)
    low = 5e7 / 10.0 ** int(d.get(table, row, "UNIT_MULT"))
    d.put(table, row, "OBS_VALUE", float(round(d.upto(low, low * 40))))
    whole = d.alike(table, row, ["SEX", "REF_AREA", "TIME_PERIOD", "VALUE_KIND", "AGE"])
    return _of(table, whole)


@planter("T020")
def a_column_of_text_for_numbers(d: Draft) -> Parties:
    table = d.any(*(t for t in (*PEOPLE, "budget", "marking") if t in d.given))
    frame = d.frame(table)
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("object")
    d.put(table, d.one(table), "OBS_VALUE", d.any("12 centres", "environ 40", "n.c."))
    return []


# --- across tables ----------------------------------------------------------------------------


@planter("X001")
def a_programme_that_the_budget_does_not_carry(d: Draft) -> Parties:
    table = d.any("performance", "marking")
    row = d.one(table)
    mine = d.rows(table, PROGRAMME=d.get(table, row, "PROGRAMME"))
    d.put(table, mine, "PROGRAMME", d.any("Préservation des forêts", "Recherche spatiale"))
    d.frame("budget")
    return _of(table, mine)


@planter("X002")
def a_department_without_credits(d: Draft) -> Parties:
    table = d.any("performance", "marking")
    row = d.one(table)
    of = d.get(table, row, "DEPARTMENT")
    d.remove("budget", d.rows("budget", MINISTRY=of))
    return _of(table, d.rows(table, DEPARTMENT=of))


@planter("X003")
def tagged_credits_off_the_budget(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROGRAMME")
    d.put("marking", row, "OBS_VALUE", _other(d, float(d.get("marking", row))))
    d.frame("budget")
    title = d.get("marking", row, "PROGRAMME")
    return _of("marking", d.rows("marking", PROGRAMME=title))


@planter("X004")
def a_series_without_a_sheet(d: Draft) -> Parties:
    row = d.one("catalogue")
    key = {c: d.get("catalogue", row, c) for c in ("DEPARTMENT", "PROGRAMME", "INDICATOR")}
    d.remove("catalogue", [row])
    return _of("performance", d.rows("performance", **key))


@planter("X005")
def a_sheet_that_says_otherwise(d: Draft) -> Parties:
    row = d.one("catalogue", DIRECTION=("UP", "DOWN"))
    key = {c: d.get("catalogue", row, c) for c in ("DEPARTMENT", "PROGRAMME", "INDICATOR")}
    if d.any(True, False):
        other = "DOWN" if d.get("catalogue", row, "DIRECTION") == "UP" else "UP"
        d.put("catalogue", row, "DIRECTION", other)
    else:
        other = "PT" if d.get("catalogue", row, "UNIT_MEASURE") == "NUMBER" else "NUMBER"
        d.put("catalogue", row, "UNIT_MEASURE", other)
    return _of("performance", d.rows("performance", **key))


@planter("X006")
def more_beneficiaries_than_inhabitants(d: Draft) -> Parties:
    row = d.one("beneficiaries", TIME_PERIOD="2024", COUNTED="PERSONS")
    where = {c: d.get("beneficiaries", row, c) for c in ("REF_AREA", "SEX", "TIME_PERIOD")}
    people = d.one("population", AGE="_T", **where)
    value = float(d.get("population", people)) * d.upto(1.01, 4)
    d.put("beneficiaries", row, "OBS_VALUE", float(round(value)))
    return _of("beneficiaries", [row])


@planter("X007")
def two_sheets_two_counts(d: Draft) -> Parties:
    row = d.one("beneficiaries", REF_AREA="MA", COUNTED="PERSONS")
    same = ("DEPARTMENT", "PROGRAMME", "INDICATOR", "SEX", "TIME_PERIOD", "VALUE_KIND")
    where = {c: d.get("beneficiaries", row, c) for c in same}
    chain = d.one("performance", **where)
    d.put("beneficiaries", row, "OBS_VALUE", _other(d, float(d.get("beneficiaries", row))))
    return _of("performance", [chain])


@planter("X008")
def a_project_of_another_name(d: Draft) -> Parties:
    row = d.one("marking", MARK_LEVEL="PROJECT")
    d.put("marking", row, "PROJECT", "Observatoire des pratiques")
    d.frame("budget")
    return _of("marking", [row])


# --- across years -----------------------------------------------------------------------------


@planter("Y001")
def a_target_moved(d: Draft) -> Parties:
    row = d.one("performance", VALUE_KIND="TARGET")
    d.last("performance")
    d.put("performance", row, "OBS_VALUE", _other(d, float(d.get("performance", row))))
    return _of("performance", [row])


@planter("Y002")
def a_code_of_another_name(d: Draft) -> Parties:
    d.last("budget")
    row = d.one("budget", PROGRAMME=("101", "102"))
    key = {c: d.get("budget", row, c) for c in ("MINISTRY", "PROGRAMME")}
    mine = d.rows("budget", **key)
    d.put("budget", mine, "PROGRAMME_LABEL", d.any("Recherche spatiale", "Forêts et eaux"))
    return _of("budget", mine)


@planter("Y003")
def a_past_value_changed(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    where = {"VALUE_KIND": "REALISED"} if table == "performance" else {}
    d.last(table)
    row = d.one(table, TIME_PERIOD=("2022", "2023"), **where)
    d.put(table, row, "OBS_VALUE", _other(d, float(d.get(table, row))))
    return _of(table, [row])


@planter("Y004")
def a_series_dropped(d: Draft) -> Parties:
    d.last("performance")
    row = d.one("performance")
    same = ("DEPARTMENT", "PROGRAMME", "INDICATOR")
    d.remove("performance",
             d.rows("performance", **{c: d.get("performance", row, c) for c in same}))  # fmt: skip
    return []


@planter("Y005")
def a_series_in_another_unit(d: Draft) -> Parties:
    table = d.any("performance", "statistics")
    d.last(table)
    row = d.one(table, MEASURE_KIND="COUNT")
    whole = d.alike(table, row, ["TIME_PERIOD", "VALUE_KIND"])
    if d.any(True, False):
        d.put(table, whole, "UNIT_MEASURE", "PT")
    else:
        for r in whole:
            d.put(table, r, "OBS_VALUE", float(d.get(table, r)) * 1000)
    return _of(table, whole)


@planter("Y006")
def a_level_three_times_as_high(d: Draft) -> Parties:
    d.last("performance")
    real, _ = _series(d, MEASURE_KIND="COUNT", COUNTED="PERSONS")
    value = float(d.get("performance", real[-1])) * d.upto(3.8, 9)
    d.put("performance", real[-1], "OBS_VALUE", float(round(value)))
    return _of("performance", real)


@planter("Y006")
def a_formula_rewritten(d: Draft) -> Parties:
    d.last("catalogue")
    row = d.one("catalogue")
    d.put("catalogue", row, "FORMULA", d.any("Moyenne pondérée des enquêtes", "Estimation"))
    return _of("catalogue", [row])


@planter("Y007")
def a_direction_turned_round(d: Draft) -> Parties:
    d.last("catalogue")
    row = d.one("catalogue", DIRECTION=("UP", "DOWN"))
    d.put("catalogue", row, "DIRECTION",
          "DOWN" if d.get("catalogue", row, "DIRECTION") == "UP" else "UP")  # fmt: skip
    return _of("catalogue", [row])


@planter("Y009")
def last_year_copied(d: Draft) -> Parties:
    d.last("performance")
    row = d.one("performance")
    mine = d.rows("performance", DEPARTMENT=d.get("performance", row, "DEPARTMENT"),
                  TIME_PERIOD="2024", VALUE_KIND="REALISED")  # fmt: skip
    if len(mine) < 5:
        raise NoPlaceError
    for r in mine:
        old = d.alike("performance", int(r), ["TIME_PERIOD"], TIME_PERIOD="2023")
        d.put("performance", int(r), "OBS_VALUE", d.get("performance", old[0]))
    return _of("performance", mine)


@planter("Y010")
def credits_far_from_last_year(d: Draft) -> Parties:
    d.last("budget")
    row = d.one("budget", BUDGET_STAGE="BILL", CREDIT_TYPE="CP", PROGRAMME=("101", "102"),
                ECON_NATURE="_T")  # fmt: skip
    value = float(d.get("budget", row)) * d.any(d.upto(3.2, 8), d.upto(0.05, 0.3))
    d.put("budget", row, "OBS_VALUE", float(round(value)))
    return _of("budget", [row])
