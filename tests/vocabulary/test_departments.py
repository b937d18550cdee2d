"""Departments and the ministries whose budget line they belong to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gbi.errors import GbiError
from gbi.vocabulary import codes, department_map, label, match_label, ministry_of


@pytest.fixture
def told(sample_dir: Path) -> list[dict[str, str]]:
    path = sample_dir / "departements_ordonnateurs.csv"
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_25_departments_of_the_sample_have_the_ministry_that_it_names(
    told: list[dict[str, str]],
) -> None:
    seen = {}
    for row in told:
        department = match_label("DEPARTMENT", row["departement"]).code
        assert department is not None, row["departement"]
        seen[department] = ministry_of(department)
        assert seen[department] == match_label("MINISTRY", row["ordonnateur"]).code
    assert len(seen) == len(told) == 25


def test_what_is_to_be_confirmed_is_what_the_sample_says(told: list[dict[str, str]]) -> None:
    doubtful = {
        match_label("DEPARTMENT", row["departement"]).code
        for row in told
        if row["a_confirmer"] == "oui"
    }
    table = department_map()
    listed = set(table.loc[table["TO_CONFIRM"], "DEPARTMENT"])
    named = {match_label("DEPARTMENT", row["departement"]).code for row in told}
    assert doubtful
    assert listed & named == doubtful


def test_the_map_is_many_departments_to_one_ministry() -> None:
    table = department_map()
    assert list(table.columns) == ["DEPARTMENT", "MINISTRY", "TO_CONFIRM"]
    assert table["DEPARTMENT"].is_unique
    assert tuple(table["DEPARTMENT"]) == codes("DEPARTMENT")
    assert set(table["MINISTRY"]) <= set(codes("MINISTRY"))
    assert table["MINISTRY"].nunique() < len(table)
    assert table["TO_CONFIRM"].dtype == bool
    for row in table.itertuples():
        assert ministry_of(str(row.DEPARTMENT)) == row.MINISTRY


def test_a_department_under_the_head_of_government() -> None:
    assert label("MINISTRY", ministry_of("DIDH"), "fr").upper() == "CHEF DU GOUVERNEMENT"


@pytest.mark.parametrize("written", ["", "XXX", "didh", "Ministère de la Justice"])
def test_a_department_that_is_no_code_is_refused(written: str) -> None:
    with pytest.raises(GbiError) as caught:
        ministry_of(written)
    assert (caught.value.code, caught.value.got) == ("GBI-E043", written)
