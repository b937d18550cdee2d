"""Rules on the substance: splits, gaps, words, methods and evidence, at their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gbi.ingest import read_submission
from gbi.language import fold
from gbi.resources import resource_path
from gbi.validation import validate
from gbi.validation.catalogue import catalogue
from gbi.validation.labels import says
from gbi.validation.report import ValidationReport

CHAIN: dict[str, object] = {
    "DEPARTMENT": "SANTE",
    "PROGRAMME": "Programme",
    "OBJECTIVE": "Objectif",
    "INDICATOR": "Indicateur",
    "REF_AREA": "MA",
    "TIME_PERIOD": "2023",
    "VALUE_KIND": "REALISED",
    "SEX": "_T",
    "AGE": "_T",
    "OBS_VALUE": 40.0,
    "UNIT_MEASURE": "PT",
    "UNIT_MULT": 0,
    "OBS_STATUS": "A",
    "DECIMALS": 0,
    "MEASURE_KIND": "RATE",
    "COUNTED": "PERSONS",
    "SCOPE": "SERVICE",
    "DIRECTION": "UP",
}
MARK: dict[str, object] = {
    "TIME_PERIOD": "2024",
    "REF_AREA": "MA",
    "DEPARTMENT": "SANTE",
    "PROGRAMME": "Programme",
    "SCALE": "CE-BSG",
    "CREDIT_TYPE": "CP",
    "UNIT_MEASURE": "MAD",
    "UNIT_MULT": 6,
    "OBS_STATUS": "A",
    "OBS_VALUE": 100.0,
}
MINE = (
    *("S007", "P003", "P006", "P010", "A004", "A024", "A025", "A026"),
    *("G001", "G010", "G011", "G013", "G014", "G026", "G031", "G042", "G045"),
    *(f"G06{i}" for i in range(1, 7)),
    *(f"R{i:03}" for i in (1, 2, 3, *range(5, 14))),
)
# What the sample's own figures give, told in the report; a flood would be a fault of the rule.
SAMPLE = {
    "GBI-S007": 23, "GBI-P003": 1, "GBI-G001": 3, "GBI-G010": 1, "GBI-G011": 2, "GBI-G014": 1,
    "GBI-G031": 3, "GBI-G061": 25,
}  # fmt: skip


def report(code: str, rows: list[dict[str, object]], table: str = "performance") -> Any:
    base = MARK if table == "marking" else CHAIN
    if table == "catalogue":
        base = {k: v for k, v in CHAIN.items() if k not in ("TIME_PERIOD", "VALUE_KIND")}
        base = {k: v for k, v in base.items() if k not in ("OBS_VALUE", "OBS_STATUS", "DECIMALS")}
    out: ValidationReport = validate(
        {table: pd.DataFrame([{**base, **r} for r in rows])}, only=[code]
    )
    assert not out.engine_errors
    assert not out.not_run
    return out.findings


def count(code: str, *rows: dict[str, object], table: str = "performance") -> int:
    return len(report(code, list(rows), table))


def params(code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in catalogue() if r.code == code).document["params"]
    return found


def test_persons_are_split_by_sex_anywhere_in_the_indicator() -> None:
    alone: dict[str, object] = {}
    women: dict[str, object] = {"SUB_INDICATOR": "Femmes", "SEX": "F"}
    assert count("G001", alone) == 1
    assert count("G001", alone, women) == 0
    assert count("G001", alone, {**women, "INDICATOR": "Autre"}) == 1
    tied: dict[str, object] = {"PAIR_ID": "P1"}
    assert count("G001", tied, {**women, **tied, "INDICATOR": "Autre"}) == 0
    assert count("G001", {"COUNTED": "STRUCTURES"}) == 0
    assert count("G001", {"MEASURE_KIND": "INDEX"}) == 0


@pytest.mark.parametrize(
    ("title", "both"),
    [
        ("Taux des morchidates et morchidines formés", True),
        ("Taux d'accès des détenu.e.s", True),
        ("Part des agriculteurs et agricultrices", True),
        ("Femmes et hommes formés", True),
        ("Nombre de filles et de garçons", False),
        ("Nombre de filles et garçons inscrits", True),
        ("عدد المستفيدين والمستفيدات", True),
        ("النساء والرجال المستفيدون", True),
        ("Women and men trained", True),
        ("Formation et formateurs", False),
        ("Taux de couverture", False),
        ("Enseignement et enseignants", False),
    ],
)
def test_a_title_names_both_sexes(title: str, both: bool) -> None:
    """Such a title belongs to one rule, every other one to the other: never to both."""
    row: dict[str, object] = {"INDICATOR": title}
    assert (count("G010", row), count("G001", row)) == ((1, 0) if both else (0, 1))
    assert count("G010", row, {**row, "SEX": "F"}) == 0


def test_the_two_rules_on_splits_read_titles_alike() -> None:
    assert params("GBI-G001")["label_not"] == params("GBI-G010")["label"]


@pytest.mark.parametrize("rule", [r.code for r in catalogue()])
def test_patterns_are_written_as_labels_are_compared(rule: str) -> None:
    """A pattern with an accent or an Arabic hamza could never match a folded label."""
    for name in ("label", "label_not", "met_label", "pattern"):
        pattern = params(rule).get(name)
        if isinstance(pattern, str):
            for word in pattern.split("|"):
                assert all(fold(c) == c for c in word if c.isalpha() and c not in "P"), (rule, word)


def test_a_department_of_staff_indicators_alone() -> None:
    staff = [{"SEX": s, "SUB_INDICATOR": s, "SCOPE": "STAFF"} for s in ("F", "M")]
    assert count("G011", *staff) == 1
    assert count("G011", staff[0]) == 0
    assert count("G011", *staff, {"SEX": "F"}) == 0
    assert count("G011", *staff, {"SEX": "_T"}) == 1
    assert count("G011", *staff, {"SEX": "F", "DEPARTMENT": "HCP"}) == 1


def test_young_people_have_an_age() -> None:
    young: dict[str, object] = {"INDICATOR": "Part des jeunes insérés"}
    assert count("G013", young) == 1
    assert count("G013", {**young, "AGE": "Y15T24"}) == 0
    assert count("G013", {**young, "COMMENT": "De 18 à 35 ans"}) == 0
    assert count("G013", {"INDICATOR": "Fréquentation des maisons de jeunes"}) == 0
    assert count("G013", {**young, "COUNTED": "STRUCTURES"}) == 0


def test_disability_names_its_instrument() -> None:
    row: dict[str, object] = {"DISABILITY_STATUS": "PD"}
    assert count("G014", row) == 1
    assert count("G014", {**row, "SOURCE": "HCP"}) == 1
    assert count("G014", {**row, "SOURCE": "RGPH 2014"}) == 0
    assert count("G014", {**row, "COMMENT": "أسئلة فريق واشنطن"}) == 0
    assert count("G014", {"DISABILITY_STATUS": "_T"}) == 0
    assert count("G014", {}) == 0


def test_a_target_without_its_year_is_told_once() -> None:
    rows: list[dict[str, object]] = [{}, {"VALUE_KIND": "TARGET", "TIME_PERIOD": None}]
    assert (len(report("G026", rows)), len(report("S001", rows))) == (1, 0)
    rows[1]["VALUE_KIND"] = "REALISED"
    assert (len(report("G026", rows)), len(report("S001", rows))) == (0, 1)


@pytest.mark.parametrize(
    ("realised", "target", "found"),
    [((66, 67), (87, 92), 1), ((60, 70), (70, 80), 0), ((60, 70), (70, 82), 0),
     ((60, 70), (70, 83), 1), ((70, 60), (60, 75), 1)],
)  # fmt: skip
def test_targets_that_widen_the_gap(
    realised: tuple[float, float], target: tuple[float, float], found: int
) -> None:
    """Four figures without decimals may move the two gaps apart by two points."""
    rows = [
        {
            "SEX": s, "SUB_INDICATOR": s, "PAIR_ID": "P1", "VALUE_KIND": k, "TIME_PERIOD": t,
            "OBS_VALUE": v,
        }
        for k, t, both in (("REALISED", "2023", realised), ("TARGET", "2024", target))
        for s, v in zip("FM", map(float, both), strict=True)
    ]  # fmt: skip
    assert count("G031", *rows) == found
    untied = [{k: v for k, v in r.items() if k != "PAIR_ID"} for r in rows]
    assert count("G031", *untied) == 0


def test_a_sub_indicator_has_the_unit_of_its_indicator() -> None:
    number: dict[str, object] = {"UNIT_MEASURE": "NUMBER"}
    sub: dict[str, object] = {"SUB_INDICATOR": "Sous-indicateur"}
    assert count("S007", {**number}, sub) == 1
    assert count("S007", {}, sub) == 0
    assert count("S007", {"INDICATOR": "Nombre de lauréats", **sub}) == 1
    assert count("S007", {"INDICATOR": "Nombre de lauréats", **sub, **number}) == 0
    assert count("S007", {"INDICATOR": "Lauréats", **sub}) == 0
    # The indicator's own row counts for more than its title.
    named = {"INDICATOR": "Nombre de lauréats"}
    assert count("S007", {**named}, {**named, **sub}) == 0


def test_an_objective_on_equality_is_measured() -> None:
    row: dict[str, object] = {"OBJECTIVE": "Promouvoir l'égalité entre femmes et hommes"}
    assert count("G062", row) == 1
    assert count("G062", row, {**row, "SEX": "F"}) == 0
    assert count("G062", row, {**row, "INDICATOR": "Centres pour femmes"}) == 0
    assert count("G062", {"OBJECTIVE": "Garantir l'égalité des chances"}) == 0


def test_a_catalogue_says_how_one_finding_per_department() -> None:
    full: dict[str, object] = {"FORMULA": "a / b", "SOURCE": "Registre", "LIMITS": "Hors privé"}
    assert count("G061", full, table="catalogue") == 0
    gaps = [{**full, "INDICATOR": str(i), "LIMITS": None} for i in range(5)]
    assert count("G061", full, *gaps, table="catalogue") == 1
    assert count("G061", {}, {"DEPARTMENT": "HCP"}, table="catalogue") == 2


def test_provisional_chains_and_old_values() -> None:
    assert count("G063", {"OBS_STATUS": "P"}, {"COMMENT": "En cours de finalisation"}) == 1
    assert count("G063", {"COMMENT": "Finalisée"}) == 0
    old: dict[str, object] = {"INDICATOR": "Ancien"}
    assert count("G065", {}, {**old, "TIME_PERIOD": "2021"}) == 1
    assert count("G065", {}, {**old, "TIME_PERIOD": "2022"}) == 0
    assert count("G065", {}, {**old, "TIME_PERIOD": "2021"}, old) == 0


def test_a_total_over_departments_says_how_many() -> None:
    row: dict[str, object] = {
        "INDICATOR": "Objectifs sensibles au genre des départements", "MEASURE_KIND": "COUNT",
        "UNIT_MEASURE": "NUMBER",
    }  # fmt: skip
    assert count("G066", row) == 1
    assert count("G066", {**row, "COMMENT": "Sur 35 départements"}) == 0
    assert count("G066", {**row, "INDICATOR": "Nombre de départements engagés"}) == 0


def test_evidence_of_marks() -> None:
    yes: dict[str, object] = {"MARK_LEVEL": "PROGRAMME", "MARK": "G2", "CRITERION_1": "Y"}
    assert count("G042", yes, table="marking") == 0  # a file without the column
    assert count("G042", {**yes, "SOURCE": None}, {**yes, "SOURCE": "p. 3"}, table="marking") == 1
    assert count("G042", {**yes, "SOURCE": None, "COMMENT": "p. 3"}, table="marking") == 0
    cases = {"2017": 1, "2018": 1, "2019": 0, "2017, plan 2030": 1, "2017 et 2022": 0, "p. 4": 0}
    for cited, found in cases.items():
        assert count("G064", {**yes, "SOURCE": cited}, table="marking") == found, cited
    assert count("G064", {**yes, "CRITERION_1": "N", "SOURCE": "2017"}, table="marking") == 0


@pytest.mark.parametrize(("open_", "found"), [(15.0, 0), (15.1, 1), (100.0, 1)])
def test_credits_without_assessment(open_: float, found: int) -> None:
    rows = [
        {"MARK_LEVEL": "PROJECT", "PROJECT": p, "MARK": m, "OBS_VALUE": v}
        for p, m, v in (("A", "2", 100.0 - open_), ("B", "5", open_))
    ]
    assert count("G045", *rows, table="marking") == found


def test_texts_are_read_once_each() -> None:
    words = np.array(["Égalité", "", "Autre", "Égalité"], dtype=object)
    assert says(words, "egalite").tolist() == [True, False, False, True]
    assert says(words[:0], "egalite").tolist() == []


def test_the_sample_gives_what_its_figures_give_and_nothing_blocking() -> None:
    out = validate(read_submission(resource_path("samples", "maroc-plf2025")), only=MINE)
    found = pd.Series([f.code for f in out.findings]).value_counts().to_dict()
    assert found == SAMPLE
    assert not any(f.severity == "blocking" for f in out.findings)
    assert out.not_run == ()
    assert out.engine_errors == ()
