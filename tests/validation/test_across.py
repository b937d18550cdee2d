"""Rules between tables: the same thing named two ways is found, what can't be compared is left."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.validation import ValidationReport, validate
from gbi.validation.matching import is_code

LINE = {
    "TIME_PERIOD": "2025", "REF_AREA": "MA", "BUDGET_COMPONENT": "BG", "MINISTRY": "SANTE",
    "CHAPTER_KIND": "ORDINARY", "BUDGET_STAGE": "BILL", "ECON_NATURE": "_T", "CREDIT_TYPE": "CP",
    "UNIT_MEASURE": "MAD", "UNIT_MULT": 0, "DECIMALS": 0, "OBS_STATUS": "A", "OBS_VALUE": 1e6,
}  # fmt: skip
CHAIN = {
    "DEPARTMENT": "SANTE", "PROGRAMME": "Soins de base", "OBJECTIVE": "O", "INDICATOR": "I",
    "REF_AREA": "MA", "SEX": "_T", "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 0, "DECIMALS": 0,
    "OBS_STATUS": "A", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS", "DIRECTION": "UP",
    "SCOPE": "SERVICE", "TIME_PERIOD": "2025", "VALUE_KIND": "TARGET", "OBS_VALUE": 100.0,
}  # fmt: skip
MARK = {
    "TIME_PERIOD": "2025", "DEPARTMENT": "SANTE", "SCALE": "CE-BSG", "MARK_LEVEL": "PROJECT",
    "PROGRAMME": "Soins de base", "BUDGET_STAGE": "BILL", "CREDIT_TYPE": "CP", "MARK": "2",
    "UNIT_MEASURE": "MAD", "UNIT_MULT": 6, "DECIMALS": 2, "OBS_STATUS": "A",
}  # fmt: skip
PEOPLE = {k: v for k, v in CHAIN.items() if k not in ("OBJECTIVE", "DIRECTION", "SCOPE")}


def frame(base: dict[str, Any], *rows: dict[str, Any]) -> pd.DataFrame:
    out = pd.DataFrame([{**base, **row} for row in rows])
    if "OBS_VALUE" in out.columns:
        out["OBS_VALUE"] = out["OBS_VALUE"].astype("float64")
    return out


def run(code: str, tables: dict[str, Any]) -> ValidationReport:
    report = validate(tables, only=[code])
    assert not report.engine_errors
    return report


def codes(code: str, tables: dict[str, Any]) -> int:
    return len(run(code, tables).findings)


def programme(label: str, **more: Any) -> dict[str, Any]:
    return {"PROGRAMME": "101", "PROGRAMME_LABEL": label, **more}


@pytest.mark.parametrize("written", ["Soins de base", "SOINS  DE BASÉ", "101"])
def test_a_programme_is_known_by_code_or_by_label(written: str) -> None:
    tables = {
        "performance": frame(CHAIN, {"PROGRAMME": written}),
        "budget": frame(LINE, programme("Soins de base")),
    }
    assert codes("X001", tables) == 0
    assert run("X001", tables).rules[0].checked == 1


def test_labels_are_not_held_against_a_budget_that_has_codes_alone() -> None:
    tables = {
        "performance": frame(CHAIN, {}),
        "budget": frame(LINE, {"PROGRAMME": "101"}, {"PROGRAMME": "102"}),
    }
    report = run("X001", tables)
    assert (len(report.findings), report.rules[0].checked) == (0, 0)


def test_the_nearest_label_is_proposed_but_never_the_nearest_code() -> None:
    budget = frame(LINE, programme("Soins de base"))
    for written, near in (("Soin de base", "Soins de base"), ("102", None)):
        report = run(
            "X001", {"performance": frame(CHAIN, {"PROGRAMME": written}), "budget": budget}
        )
        assert [f.suggestion for f in report.findings] == [near]
    numbered = {"performance": frame(CHAIN, {"PROGRAMME": "10102"}),
                "budget": frame(LINE, {"PROGRAMME": "10101"})}  # fmt: skip
    assert [f.suggestion for f in run("X001", numbered).findings] == [None]


def test_a_programme_of_another_ministry_does_not_count() -> None:
    budget = frame(LINE, programme("Soins de base", MINISTRY="EDUCATION"), programme("Pilotage"))
    assert codes("X001", {"performance": frame(CHAIN, {}), "budget": budget}) == 1


def test_a_chain_follows_the_budget_it_is_handed_in_with_and_marks_their_own_year() -> None:
    budget = frame(LINE, programme("Pilotage"))
    for period, found in (("2025", 1), ("2024", 1), ("2021", 0)):
        chain = frame(CHAIN, {"TIME_PERIOD": period})
        assert codes("X001", {"performance": chain, "budget": budget}) == found
    marks = frame(MARK, {"TIME_PERIOD": "2024", "OBS_VALUE": 1.0})
    assert codes("X001", {"marking": marks, "budget": budget}) == 0


def test_a_budget_without_programmes_makes_the_rule_not_applicable() -> None:
    report = run("X001", {"performance": frame(CHAIN, {}), "budget": frame(LINE, {})})
    assert report.rules[0].status == "not_applicable"


def test_departments_go_by_the_line_of_their_ministry() -> None:
    budget = frame(LINE, {}, {"MINISTRY": "JEUNESSE_CULTURE"})
    for department, found in (("SANTE", 0), ("JEUNESSE", 0), ("EMPLOI", 1), ("NOWHERE", 0)):
        chain = frame(CHAIN, {"DEPARTMENT": department})
        assert codes("X002", {"performance": chain, "budget": budget}) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        # The total by nature is printed beside its parts, in two chapters: 400 + 200 million.
        ([{"OBS_VALUE": 4e8}, {"ECON_NATURE": "OPERATING", "OBS_VALUE": 3e8},
          {"CHAPTER_KIND": "COMMON", "ECON_NATURE": "INVESTMENT", "OBS_VALUE": 2e8}], 0),
        # OPERATING holds PERSONNEL and GOODS.
        ([{"ECON_NATURE": "OPERATING", "OBS_VALUE": 4e8},
          {"ECON_NATURE": "PERSONNEL", "OBS_VALUE": 3e8},
          {"ECON_NATURE": "GOODS", "OBS_VALUE": 1e8},
          {"ECON_NATURE": "INVESTMENT", "OBS_VALUE": 2e8}], 0),
        # The programme's own row and its projects: not twice.
        ([{"OBS_VALUE": 6e8}, {"PROJECT": "1", "OBS_VALUE": 4e8},
          {"PROJECT": "2", "OBS_VALUE": 2e8}], 0),
        ([{"PROJECT": "1", "OBS_VALUE": 4e8}, {"PROJECT": "2", "OBS_VALUE": 2e8}], 0),
        # Half the last printed digit of either project is rounding; a little more is not.
        ([{"OBS_VALUE": 6e8 + 10_000}], 0),
        ([{"OBS_VALUE": 6e8 + 10_002}], 1),
        # The budget is printed in millions: half of one is rounding too.
        ([{"OBS_VALUE": 600.0, "UNIT_MULT": 6}], 0),
        ([{"OBS_VALUE": 601.0, "UNIT_MULT": 6}], 1),
        # Commitments and other stages are other figures; SEGMA is another budget.
        ([{"OBS_VALUE": 9e8, "CREDIT_TYPE": "CE"}], 0),
        ([{"OBS_VALUE": 9e8, "BUDGET_STAGE": "VOTED"}], 0),
        ([{"OBS_VALUE": 6e8}, {"OBS_VALUE": 1e8, "BUDGET_COMPONENT": "SEGMA"}], 0),
    ],
)  # fmt: skip
def test_credits_of_a_programme_in_marks_and_budget(
    lines: list[dict[str, Any]], found: int
) -> None:
    marks = frame(MARK, {"PROJECT": "A", "OBS_VALUE": 400}, {"PROJECT": "B", "OBS_VALUE": 200})
    budget = frame(LINE, *(programme("Soins de base", **line) for line in lines))
    assert codes("X003", {"marking": marks, "budget": budget}) == found
    odd = marks.assign(OBS_VALUE=[400.3, 199.9])
    in_millions = [line.get("UNIT_MULT") == 6 for line in lines]
    if all(in_millions):
        assert codes("X003", {"marking": odd, "budget": budget}) == found


def test_marks_with_a_missing_figure_or_stage_are_not_added() -> None:
    budget = frame(LINE, programme("Soins de base", OBS_VALUE=6e8))
    part = frame(MARK, {"PROJECT": "A", "OBS_VALUE": 400}, {"PROJECT": "B", "OBS_VALUE": None})
    whole = part.assign(OBS_VALUE=[400.0, 100.0])
    assert codes("X003", {"marking": part, "budget": budget}) == 0
    assert codes("X003", {"marking": whole, "budget": budget}) == 1
    assert codes("X003", {"marking": whole.drop(columns="BUDGET_STAGE"), "budget": budget}) == 0


def test_the_parties_of_both_tables_are_named() -> None:
    def placed(table: str, data: pd.DataFrame) -> Dataset:
        places = pd.DataFrame({"_FILE": f"{table}.xlsx", "_SHEET": "s", "_RAW": ""}, data.index)
        places["OBS_VALUE"] = [f"C{i + 2}" for i in range(len(data))]
        return Dataset(data, table, origins=places)

    marks = frame(MARK, {"PROJECT": "A", "OBS_VALUE": 400}, {"PROJECT": "B", "OBS_VALUE": 300})
    budget = frame(LINE, programme("Autre"), programme("Soins de base", OBS_VALUE=6e8) | {
        "PROGRAMME": "102"})  # fmt: skip
    (found,) = run(
        "X003", {"marking": placed("marking", marks), "budget": placed("budget", budget)}
    ).findings
    assert [(c.file, c.a1) for c in found.cells] == [
        ("marking.xlsx", "C2"), ("marking.xlsx", "C3"), ("budget.xlsx", "C3"),
    ]  # fmt: skip
    assert (found.found, found.expected, found.difference) == (700.0, 600.0, 100.0)


def test_concordance_looks_both_ways_inside_programmes_that_are_marked() -> None:
    marks = frame(MARK, {"PROJECT": "Centres", "OBS_VALUE": 1.0})
    lines = [
        {"PROJECT": "10", "PROJECT_LABEL": "Centres"},
        {"PROJECT": "20", "PROJECT_LABEL": "Vaccination"},
    ]
    budget = frame(LINE, *(programme("Soins de base", **line) for line in lines))
    (found,) = run("X008", {"marking": marks, "budget": budget}).findings
    assert found.found == "Vaccination"
    # A programme that nobody has marked is no gap in the concordance.
    aside = frame(LINE, programme("Soins de base", **lines[0]),
                  {"PROGRAMME": "102", "PROGRAMME_LABEL": "Pilotage", **lines[1]})  # fmt: skip
    assert codes("X008", {"marking": marks, "budget": aside}) == 0


def test_users_are_compared_with_the_largest_population_of_the_same_group() -> None:
    users = frame(PEOPLE, {"VALUE_KIND": "REALISED", "OBS_VALUE": 120.0})
    small = {"INDICATOR": "Âge scolaire", "OBS_VALUE": 90.0, "TIME_PERIOD": "2025"}
    large = {"INDICATOR": "Résidents", "OBS_VALUE": 0.2, "UNIT_MULT": 3, "DECIMALS": 1}
    people = {k: v for k, v in PEOPLE.items() if k not in ("DEPARTMENT", "PROGRAMME", "VALUE_KIND")}
    assert codes("X006", {"beneficiaries": users, "population": frame(people, small)}) == 1
    both = frame(people, small, large)
    assert codes("X006", {"beneficiaries": users, "population": both}) == 0
    visits = users.assign(COUNTED="ACTIONS")
    assert codes("X006", {"beneficiaries": visits, "population": frame(people, small)}) == 0


def test_counts_of_one_indicator_agree_unless_it_is_not_clear_which_is_meant() -> None:
    chain = frame(CHAIN, {"VALUE_KIND": "REALISED", "OBS_VALUE": 120.0})
    users = frame(PEOPLE, {"VALUE_KIND": "REALISED", "OBS_VALUE": 119.0, "SERVICE": "A"})
    assert codes("X007", {"performance": chain, "beneficiaries": users}) == 1
    thousands = users.assign(OBS_VALUE=0.1, UNIT_MULT=3, DECIMALS=1)
    assert codes("X007", {"performance": chain, "beneficiaries": thousands}) == 0
    two = pd.concat([users, users.assign(SERVICE="B")], ignore_index=True)
    assert codes("X007", {"performance": chain, "beneficiaries": two}) == 0


def test_catalogue_sheets_and_attributes() -> None:
    sheet = {k: CHAIN[k] for k in ("DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR")}
    catalogue = frame(sheet | {"UNIT_MEASURE": "NUMBER", "UNIT_MULT": 3, "DIRECTION": "DOWN"}, {})
    chain = frame(CHAIN, {}, {"TIME_PERIOD": "2024"})
    found = run("X005", {"performance": chain, "catalogue": catalogue}).findings
    assert sorted(f.field for f in found) == ["DIRECTION", "UNIT_MULT"]
    assert codes("X004", {"performance": chain, "catalogue": catalogue}) == 0
    renamed = chain.assign(INDICATOR="J")
    assert codes("X004", {"performance": renamed, "catalogue": catalogue}) == 1
    # What reading has joined with the catalogue, and not found there, it has reported itself.
    joined = renamed.assign(MEASURE_KIND=None)
    assert codes("X004", {"performance": joined, "catalogue": catalogue}) == 0


def test_programmes_with_credits_and_no_persons() -> None:
    budget = frame(LINE, programme("Soins de base"), {"PROGRAMME": "102", "PROGRAMME_LABEL": "B"},
                   {"PROGRAMME": "7", "PROGRAMME_LABEL": "C", "MINISTRY": "EDUCATION"})  # fmt: skip
    (found,) = run("G071", {"budget": budget, "performance": frame(CHAIN, {})}).findings
    assert found.found == "B"
    empty = budget.assign(OBS_VALUE=[1e6, 0.0, 1e6])
    assert codes("G071", {"budget": empty, "performance": frame(CHAIN, {})}) == 0


def test_cost_by_sex_needs_heads() -> None:
    budget = frame(LINE, programme("Soins de base"))
    rates = frame(PEOPLE, {"SEX": "F", "UNIT_MEASURE": "PT"}, {"SEX": "M", "UNIT_MEASURE": "PT"})
    heads = pd.concat([rates, frame(PEOPLE, {"SEX": "F", "INDICATOR": "J"})], ignore_index=True)
    assert codes("G072", {"beneficiaries": rates, "budget": budget}) == 1
    assert codes("G072", {"beneficiaries": heads, "budget": budget}) == 0


@pytest.mark.parametrize(
    ("word", "code"), [("101", True), ("p-12", True), ("4.2.0", True), ("eau", True),
                       ("pilotage", False), ("programme 2", False)],
)  # fmt: skip
def test_codes_and_labels_are_told_apart(word: str, code: bool) -> None:
    assert is_code(word) is code
