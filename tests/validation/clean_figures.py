"""Made-up submissions in which nothing is wrong, this year's and last year's, from a seed.

The figures are consistent by construction: parts are drawn, wholes are computed from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gbi.schemas import schema
from gbi.vocabulary import label

YEAR = 2025
DEPARTMENTS = ("SANTE", "EDUCATION", "JUSTICE", "HABOUS", "SOLIDARITE", "HCP", "CESE", "TRANSPORT",
               "AGRICULTURE", "INDUSTRIE")  # fmt: skip
PROGRAMMES = {"101": "Offre de services", "102": "Gouvernance et soutien"}
COUNTED_IN = {
    PROGRAMMES["101"]: "Nombre de personnes reçues",
    PROGRAMMES["102"]: "Nombre de personnes formées",
}
REGIONS = tuple(f"MA-{n:02d}" for n in range(1, 13))
AGES = ("Y0T14", "Y15T59", "Y_GE60")
SEXES = {"F": "Femmes", "M": "Hommes", "_T": "Ensemble"}

Row = dict[str, Any]
Rng = np.random.Generator


def typed(rows: Sequence[Row], table: str) -> pd.DataFrame:
    """Return rows as a frame of a table, with the types of its schema."""
    known = schema(table)
    frame = pd.DataFrame(rows)
    kinds = {"number": "float64", "integer": "Int64", "string": "str"}
    names = [f.name for f in known.fields if f.name in frame.columns]
    frame = frame[names]
    for f in known.fields:
        if f.name in names and f.type in kinds:
            frame[f.name] = frame[f.name].astype(kinds[f.type])  # type: ignore[call-overload]
    return frame


def submission(seed: int, departments: int = 3, last: bool = False) -> dict[str, pd.DataFrame]:
    """Return the tables of a year; last year's overlap with this year's where they should."""
    rng = np.random.default_rng(seed)
    codes = DEPARTMENTS[:departments]
    chains = _chains(rng, codes)
    tables = {
        "budget": _budget(rng, codes),
        "performance": chains,
        "catalogue": _catalogue(chains),
        "beneficiaries": _beneficiaries(rng, chains),
        "population": _population(rng),
        "staff": _staff(rng),
        "statistics": _statistics(rng),
        "survey": _survey(rng),
    }
    tables["marking"] = _marking(rng, tables["budget"])
    if last:
        tables = {name: _of_last_year(name, rows, rng) for name, rows in tables.items()}
    else:
        tables["performance"] = [r for r in chains if r["TIME_PERIOD"] != "2021"]
    # the departments of the staff table beyond the chains have a line in the budget too
    others = [d for d in DEPARTMENTS if d not in codes]
    tables["budget"] += [r for d in others for r in _lone(d, YEAR - last)]
    return {name: typed(rows, name) for name, rows in tables.items()}


def _of_last_year(table: str, rows: Sequence[Row], rng: Rng) -> list[Row]:
    """Return rows as they stood a year ago: no 2024 yet, the target of 2025 already announced."""
    if table == "performance":
        return [r for r in rows if (r["TIME_PERIOD"], r["VALUE_KIND"]) != ("2024", "REALISED")]
    if table in ("budget", "marking"):
        # another year's credits, near this year's: one factor keeps all sums
        return [{**r, "TIME_PERIOD": str(YEAR - 1)} for r in rows]
    if table in ("statistics", "population", "staff", "beneficiaries"):
        return [r for r in rows if int(r["TIME_PERIOD"]) < YEAR - 1]
    return list(rows)


def _budget(rng: Rng, codes: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for ministry in codes:
        base = _line(ministry, YEAR)
        whole: dict[tuple[str, str], int] = {}
        for programme, title in PROGRAMMES.items():
            of = {**base, "PROGRAMME": programme, "PROGRAMME_LABEL": f"{title} – {ministry}"}
            amounts = _natures(rng)
            for key, amount in amounts.items():
                whole[key] = whole.get(key, 0) + amount
            rows += [_credit(of, key, amount) for key, amount in amounts.items()]
            total = amounts["_T", "CP"]
            first = int(total * rng.uniform(0.1, 0.4))
            for project, amount in (("1", first), ("2", total - first)):
                named = {**of, "PROJECT": project, "PROJECT_LABEL": f"Projet {programme}.{project}"}
                rows.append(_credit(named, ("_T", "CP"), amount))
        rows += [_credit(base, key, amount) for key, amount in whole.items()]
    ministry = {**_line(codes[0], YEAR), "BUDGET_LINE": None}
    voted = int(rng.integers(4e8, 9e8))
    stages = {"AVAILABLE": 1.13, "COMMITTED": 0.91, "VERIFIED": 0.87, "ORDERED": 0.82,
              "PAID": 0.79, "CARRIED_OVER": 0.13}  # fmt: skip
    of = {**ministry, "BUDGET_STAGE": "VOTED"}
    rows.append(_credit(of, ("INVESTMENT", "CP"), voted))
    for stage, share in stages.items():
        of = {**ministry, "BUDGET_STAGE": stage}
        rows.append(_credit(of, ("INVESTMENT", "CP"), int(voted * share)))
    # the same line as a bill was near to what was voted
    return rows


def _line(ministry: str, year: int) -> Row:
    return {
        "TIME_PERIOD": str(year), "REF_AREA": "MA", "BUDGET_COMPONENT": "BG", "MINISTRY": ministry,
        "MINISTRY_LABEL": label("CL_MINISTRY", ministry, "fr"), "CHAPTER_KIND": "ORDINARY",
        "BUDGET_STAGE": "BILL", "UNIT_MEASURE": "MAD", "UNIT_MULT": 0, "OBS_STATUS": "A",
        "DECIMALS": 0,
    }  # fmt: skip


def _lone(ministry: str, year: int) -> Iterator[Row]:
    amount = 120_456_789 + 1_234_567 * len(ministry)
    yield _credit(_line(ministry, year), ("_T", "CP"), amount)


def _credit(of: Row, key: tuple[str, str], amount: int) -> Row:
    return {**of, "ECON_NATURE": key[0], "CREDIT_TYPE": key[1], "OBS_VALUE": float(amount)}


def _natures(rng: Rng) -> dict[tuple[str, str], int]:
    staff, goods, investment = (int(rng.integers(1e8, 5e8)) for _ in range(3))
    return {
        ("PERSONNEL", "CP"): staff,
        ("GOODS", "CP"): goods,
        ("OPERATING", "CP"): staff + goods,
        ("INVESTMENT", "CP"): investment,
        ("_T", "CP"): staff + goods + investment,
        ("INVESTMENT", "CE"): int(investment * rng.uniform(0.5, 1.5)),
    }


_TIMES = (("2021", "REALISED"), ("2022", "REALISED"), ("2023", "REALISED"), ("2024", "REALISED"),
          ("2025", "TARGET"))  # fmt: skip


def _chains(rng: Rng, codes: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for n, department in enumerate(codes):
        for title in PROGRAMMES.values():
            of = {
                "DEPARTMENT": department,
                "DEPARTMENT_LABEL": label("CL_DEPARTMENT", department, "fr"),
                "PROGRAMME": f"{title} – {department}",
                "OBJECTIVE": "Améliorer l'accès aux prestations",
                "REF_AREA": "MA", "AGE": "_T", "URBANISATION": "_T", "DISABILITY_STATUS": "_T",
                "UNIT_MULT": 0, "OBS_STATUS": "A", "DIRECTION": "UP", "SCOPE": "SERVICE",
                "SOURCE": "Registre des prestations",
            }  # fmt: skip
            rows += _counts(rng, of, COUNTED_IN[title])
            if title == PROGRAMMES["101"]:
                rows += _rates(rng, of)
                rows += _shares(rng, of, f"P{n}")
                rows += _parity(rng, of, f"Q{n}")
            else:
                rows += _centres(rng, of)
    return rows


def _growing(rng: Rng, start: float) -> list[float]:
    """Return values that rise by a few per cent a year, never by the same."""
    return list(start * np.cumprod(rng.uniform(1.03, 1.09, len(_TIMES))))


def _counts(rng: Rng, of: Row, name: str) -> list[Row]:
    of = {**of, "INDICATOR": name, "UNIT_MEASURE": "NUMBER", "DECIMALS": 0, "COUNTED": "PERSONS",
          "MEASURE_KIND": "COUNT"}  # fmt: skip
    women = [round(x) for x in _growing(rng, rng.uniform(2e3, 9e3))]
    men = [round(x) for x in _growing(rng, rng.uniform(2e3, 9e3))]
    if women[0] == men[0]:
        men = [m + 17 for m in men]
    both = [w + m for w, m in zip(women, men, strict=True)]
    return _one_series(_three(of, women, men, both))


def _one_series(rows: Sequence[Row]) -> list[Row]:
    """Return rows as in the sheet of the form where women and men stand side by side."""
    return [{k: v for k, v in r.items() if k != "SUB_INDICATOR"} for r in rows]


def _three(
    of: Row, women: Sequence[float], men: Sequence[float], both: Sequence[float]
) -> list[Row]:
    values = {"F": women, "M": men, "_T": both}
    return [
        {**of, "SUB_INDICATOR": SEXES[sex], "SEX": sex, "TIME_PERIOD": time, "VALUE_KIND": kind,
         "OBS_VALUE": float(values[sex][n])}
        for sex in SEXES
        for n, (time, kind) in enumerate(_TIMES)
    ]  # fmt: skip


def _rates(rng: Rng, of: Row) -> list[Row]:
    of = {**of, "INDICATOR": "Taux d'accès au service", "UNIT_MEASURE": "PT", "DECIMALS": 1,
          "COUNTED": "PERSONS", "MEASURE_KIND": "RATE"}  # fmt: skip
    women = [round(x, 1) for x in _growing(rng, rng.uniform(31, 36))]
    gap = list(rng.uniform(5, 8) - 0.2 * np.arange(len(_TIMES)))
    men = [round(w + g, 1) for w, g in zip(women, gap, strict=True)]
    both = [round(w * 0.53 + m * 0.47, 1) for w, m in zip(women, men, strict=True)]
    return _one_series(_three(of, women, men, both))


def _shares(rng: Rng, of: Row, pair: str) -> list[Row]:
    of = {**of, "INDICATOR": "Part dans les inscriptions", "UNIT_MEASURE": "PT", "DECIMALS": 1,
          "COUNTED": "PERSONS", "MEASURE_KIND": "SHARE", "PAIR_ID": pair}  # fmt: skip
    women = [round(x, 1) for x in _growing(rng, rng.uniform(31, 34))]
    men = [round(100 - w, 1) for w in women]
    rows = [r for r in _three(of, women, men, women) if r["SEX"] != "_T"]
    # what falls for one sex falls because it rises for the other
    return [{**r, "DIRECTION": "UP" if r["SEX"] == "F" else "DOWN"} for r in rows]


def _parity(rng: Rng, of: Row, pair: str) -> list[Row]:
    of = {**of, "INDICATOR": "Taux net de scolarisation", "UNIT_MEASURE": "PT", "DECIMALS": 1,
          "COUNTED": "PERSONS", "MEASURE_KIND": "RATE", "PAIR_ID": pair}  # fmt: skip
    women = [round(x, 1) for x in _growing(rng, rng.uniform(45, 49))]
    gap = list(rng.uniform(5, 8) - 0.2 * np.arange(len(_TIMES)))
    men = [round(w + g, 1) for w, g in zip(women, gap, strict=True)]
    rows = [r for r in _three(of, women, men, men) if r["SEX"] != "_T"]
    index = {**of, "SUB_INDICATOR": "Indice de parité", "SEX": "_T", "UNIT_MEASURE": "INDEX",
             "DECIMALS": 3, "MEASURE_KIND": "INDEX", "DIRECTION": "NEAREST",
             "DIRECTION_REF": 1.0}  # fmt: skip
    return rows + [
        {**index, "TIME_PERIOD": time, "VALUE_KIND": kind, "OBS_VALUE": round(w / m, 3)}
        for (time, kind), w, m in zip(_TIMES, women, men, strict=True)
    ]


def _centres(rng: Rng, of: Row) -> list[Row]:
    rows: list[Row] = []
    of = {**of, "UNIT_MEASURE": "NUMBER", "DECIMALS": 0, "COUNTED": "STRUCTURES", "SEX": "_T",
          "MEASURE_KIND": "COUNT"}  # fmt: skip
    town = [round(x) for x in _growing(rng, rng.uniform(300, 600))]
    land = [round(x) for x in _growing(rng, rng.uniform(300, 600))]
    both = [u + r for u, r in zip(town, land, strict=True)]
    for code, values in {"U": town, "R": land, "_T": both}.items():
        rows += [
            {**of, "INDICATOR": "Nombre de centres équipés", "URBANISATION": code, "TIME_PERIOD": time, "VALUE_KIND": kind, "OBS_VALUE": float(v)}  # noqa: E501
            for (time, kind), v in zip(_TIMES, values, strict=True)
        ]  # fmt: skip
    regions = (4, 5, 7, 9, 11)
    rows += [
        {**of, "INDICATOR": "Nombre de régions couvertes", "TIME_PERIOD": time,
         "VALUE_KIND": kind, "OBS_VALUE": float(v)}
        for (time, kind), v in zip(_TIMES, regions, strict=True)
    ]  # fmt: skip
    return rows


def _catalogue(chains: Sequence[Row]) -> list[Row]:
    shared = ("DEPARTMENT", "DEPARTMENT_LABEL", "PROGRAMME", "OBJECTIVE", "INDICATOR",
              "SUB_INDICATOR", "SEX", "URBANISATION", "UNIT_MEASURE", "UNIT_MULT", "MEASURE_KIND",
              "COUNTED", "SCOPE", "DIRECTION", "DIRECTION_REF", "PAIR_ID", "SOURCE")  # fmt: skip
    seen: dict[tuple[Any, ...], Row] = {}
    for row in chains:
        of = {c: row.get(c) for c in shared}
        of |= {"FORMULA": "Numérateur rapporté au dénominateur", "LIMITS": "Hors secteur privé"}
        seen.setdefault(tuple(of[c] for c in shared[:6]), of)
    return list(seen.values())


def _beneficiaries(rng: Rng, chains: Sequence[Row]) -> list[Row]:
    """Return the persons of the chains' counts, by region; the regions add up to the whole."""
    rows: list[Row] = []
    counts = [
        r for r in chains
        if r["INDICATOR"] == COUNTED_IN[PROGRAMMES["101"]] and r["VALUE_KIND"] == "REALISED"
        and r["TIME_PERIOD"] in ("2023", "2024")
        and r["SEX"] != "_T"
    ]  # fmt: skip
    drop = {"OBJECTIVE", "DIRECTION", "SCOPE", "PAIR_ID"}
    parts: dict[tuple[str, ...], list[int]] = {}
    for r in counts:
        cut = rng.dirichlet(np.full(12, 40.0)) * r["OBS_VALUE"]
        whole = [int(x) for x in cut]
        whole[0] += int(r["OBS_VALUE"]) - sum(whole)
        parts[r["DEPARTMENT"], r["TIME_PERIOD"], r["SEX"]] = whole
    for (department, time, sex), values in list(parts.items()):
        if sex == "F":
            men = parts[department, time, "M"]
            parts[department, time, "_T"] = [w + m for w, m in zip(values, men, strict=True)]
    templates = {r["DEPARTMENT"]: {k: v for k, v in r.items() if k not in drop} for r in counts}
    for (department, time, sex), values in parts.items():
        of = {**templates[department], "SERVICE": "Accueil", "TIME_PERIOD": time, "SEX": sex}  # fmt: skip  # noqa: E501
        rows.append({**of, "OBS_VALUE": float(sum(values))})
        rows += [
            {**of, "REF_AREA": area, "OBS_VALUE": float(v)}
            for area, v in zip(REGIONS, values, strict=True)
        ]
    return rows


def _population(rng: Rng) -> list[Row]:
    of = {"INDICATOR": "Population résidente", "UNIT_MEASURE": "PS", "UNIT_MULT": 0,
          "DECIMALS": 0, "OBS_STATUS": "A", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
          "SOURCE": "Recensement", "URBANISATION": "_T", "TIME_PERIOD": "2024"}  # fmt: skip
    rows: list[Row] = []
    whole: dict[tuple[str, str], int] = {}
    for area in REGIONS:
        for age in AGES:
            women = int(rng.integers(2e5, 9e5))
            men = int(women * rng.uniform(0.9, 1.12))
            for sex, value in (("F", women), ("M", men), ("_T", women + men)):
                for wide in (age, "_T"):
                    whole[sex, wide] = whole.get((sex, wide), 0) + value
                    local = (f"{area}|{sex}", wide)
                    whole[local] = whole.get(local, 0) + value
    for (who, age), value in whole.items():
        area, _, sex = who.rpartition("|")
        if area and age != "_T":
            continue
        rows.append({**of, "REF_AREA": area or "MA", "SEX": sex, "AGE": age,
                     "OBS_VALUE": float(value)})  # fmt: skip
    return rows


def _staff(rng: Rng) -> list[Row]:
    rows: list[Row] = []
    of = {"REF_AREA": "MA", "AGE": "_T", "UNIT_MULT": 0, "OBS_STATUS": "A", "SOURCE": "Registre",
          "COUNTED": "PERSONS"}  # fmt: skip
    rate = {**of, "INDICATOR": "Taux d'accès à la formation", "UNIT_MEASURE": "PT", "DECIMALS": 1,
            "MEASURE_KIND": "RATE", "TIME_PERIOD": "2024"}  # fmt: skip
    level = [38 + 0.9 * rng.permutation(len(DEPARTMENTS)) for _ in range(2)]  # none stands apart
    for department, *rates in zip(DEPARTMENTS, *level, strict=True):
        women, men = (round(float(x), 1) for x in rates)
        both = round((women + men) / 2, 1)
        rows += [
            {**rate, "DEPARTMENT": department, "SEX": s, "OBS_VALUE": v}
            for s, v in (("F", women), ("M", men), ("_T", both))
        ]
    count = {**of, "INDICATOR": "Effectif", "UNIT_MEASURE": "PS", "DECIMALS": 0,
             "MEASURE_KIND": "COUNT"}  # fmt: skip
    for time in ("2023", "2024"):
        for n in range(1, 19):
            women, men = (int(x) for x in rng.integers(200, 2000, 2))
            grade = {**count, "DEPARTMENT": "SANTE", "GRADE": f"Grade {n}", "TIME_PERIOD": time}
            values = (("F", women), ("M", men), ("_T", women + men))
            rows += [{**grade, "SEX": s, "OBS_VALUE": float(v)} for s, v in values]
    return rows


def _statistics(rng: Rng) -> list[Row]:
    rows: list[Row] = []
    of = {"REF_AREA": "MA", "SEX": "_T", "AGE": "_T", "URBANISATION": "_T", "ACTIVITY": "_T",
          "UNIT_MULT": 0, "OBS_STATUS": "A", "SOURCE": "HCP", "COUNTED": "PERSONS"}  # fmt: skip
    rate = {**of, "INDICATOR": "Taux d'activité", "UNIT_MEASURE": "PT", "DECIMALS": 2,
            "MEASURE_KIND": "RATE"}  # fmt: skip
    women, men = rng.uniform(20, 24), rng.uniform(26, 30)
    for year in range(2015, 2025):
        women, men = women + rng.uniform(0.1, 0.7), men + rng.uniform(0.1, 0.7)
        values = {"F": two(women), "M": two(men), "_T": two((women + men) / 2)}
        rows += [
            {**rate, "SEX": s, "TIME_PERIOD": str(year), "OBS_VALUE": v} for s, v in values.items()
        ]
    share = {**rate, "INDICATOR": "Part des femmes par secteur", "DECIMALS": 1,
             "MEASURE_KIND": "SHARE", "SEX": "F"}  # fmt: skip
    for year in range(2019, 2025):
        for code, low in (("A", 31), ("BTE", 24), ("F", 2), ("GTU", 17)):
            value = round(float(rng.uniform(low, low + 0.5)) + 0.6 * (year % 2), 1)
            rows.append({**share, "ACTIVITY": code, "TIME_PERIOD": str(year), "OBS_VALUE": value})
    count = {**of, "INDICATOR": "Population active", "UNIT_MEASURE": "PS", "UNIT_MULT": 3,
             "DECIMALS": 0, "MEASURE_KIND": "COUNT"}  # fmt: skip
    start = rng.uniform(2000, 4000, 2)
    for year in range(2015, 2025):
        start = start * rng.uniform(1.01, 1.03, 2)
        town, land = (round(float(x)) for x in start)
        values = {"U": float(town), "R": float(land), "_T": float(town + land)}
        rows += [
            {**count, "URBANISATION": u, "TIME_PERIOD": str(year), "OBS_VALUE": v}
            for u, v in values.items()
        ]
    return rows


def two(value: float) -> float:
    """Return a value of two decimals whose last is no zero, as printed with two."""
    hundredths = round(value * 100)
    return (hundredths + (hundredths % 10 == 0)) / 100


def _marking(rng: Rng, budget: Sequence[Row]) -> list[Row]:
    """Return the marks of the first ministry's programmes, from its credits in the budget."""
    ministry = budget[0]["MINISTRY"]
    mine = [r for r in budget if r["MINISTRY"] == ministry and r["ECON_NATURE"] == "_T"
            and r["CREDIT_TYPE"] == "CP" and r.get("PROGRAMME")]  # fmt: skip
    of = {"TIME_PERIOD": str(YEAR), "REF_AREA": "MA", "DEPARTMENT": ministry, "SCALE": "CE-BSG",
          "CRITERION_2": "Y", "CRITERION_3": "Y", "CRITERION_4": "Y", "BUDGET_STAGE": "BILL",
          "CREDIT_TYPE": "CP", "UNIT_MEASURE": "MAD", "UNIT_MULT": 0, "OBS_STATUS": "A",
          "DECIMALS": 0, "SOURCE": "PdP 2025, p. 12 ; analyse genre 2023"}  # fmt: skip
    rows: list[Row] = []
    for programme in PROGRAMMES:
        lines = [r for r in mine if r["PROGRAMME"] == programme]
        whole = next(r for r in lines if not r.get("PROJECT"))
        projects = [r for r in lines if r.get("PROJECT")]
        title = whole["PROGRAMME_LABEL"]
        amount = round(projects[0]["OBS_VALUE"] + 0.7 * projects[1]["OBS_VALUE"])
        rows.append({**of, "MARK_LEVEL": "PROGRAMME", "PROGRAMME": title, "CRITERION_1": "Y",
                     "MARK": "G+", "SHARE_STATED": amount / whole["OBS_VALUE"],
                     "FINAL_MARK": "G2",
                     "OBS_VALUE": whole["OBS_VALUE"], "AMOUNT_STATED": float(amount)})  # fmt: skip
        for project, mark, weight in zip(projects, ("1", "2"), (1.0, 0.7), strict=True):
            rows.append({**of, "MARK_LEVEL": "PROJECT", "PROGRAMME": title,
                         "PROJECT": project["PROJECT_LABEL"], "MARK": mark, "CRITERION_1": "Y",
                         "CRITERION_2": "Y" if mark == "1" else "N",
                         "OBS_VALUE": project["OBS_VALUE"],
                         "AMOUNT_STATED": float(round(project["OBS_VALUE"] * weight))})  # fmt: skip
    return rows


def _survey(rng: Rng) -> list[Row]:
    return [
        {"person_id": str(n), "weight": float(rng.uniform(50, 400)), "sex": "FM"[n % 2],
         "age": float(rng.integers(0, 95))}
        for n in range(60)
    ]  # fmt: skip
