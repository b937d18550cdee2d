"""Regions in the decree's order, as the reference files write them; labels never guessed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.language import LANGUAGES
from gbi.vocabulary import codelist, codelists, codes, department_map, match_label

REGIONS = [f"MA-{number:02d}" for number in range(1, 13)]
SPECIAL = {"Multirégional": "MA-XX", "SERVICES COMMUNS": "MA-00", "National/Total": "MA"}


def _printed(shared_dir: Path) -> list[tuple[str, str, str]]:
    """Return (code, French, Arabic) of the table of regions in the method's section 6.1."""
    text = (shared_dir / "methods" / "morocco.md").read_text(encoding="utf-8")
    section = text.split("### 6.1", 1)[1].split("### 6.2", 1)[0]
    rows = re.findall(r"^\| \d\d \| (MA-\d\d) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return [(code, french, arabic) for code, french, arabic in rows]


def test_the_twelve_regions_follow_the_decree() -> None:
    table = codelist("REF_AREA").set_index("CODE")
    listed = [code for code in table.index if re.fullmatch(r"MA-\d\d", code)]
    assert [code for code in listed if code != "MA-00"] == REGIONS
    assert set(table.loc[REGIONS, "PARENT"]) == {"MA"}
    assert set(table.loc[REGIONS, "VALID_FROM"]) == {"2015-01-01"}
    assert table.loc[["MA", "MA-00", "MA-XX"], "VALID_FROM"].isna().all()


def test_regions_are_named_as_the_method_prints_them(shared_dir: Path) -> None:
    printed = _printed(shared_dir)
    assert [code for code, _, _ in printed] == REGIONS
    table = codelist("REF_AREA").set_index("CODE")
    for code, french, arabic in printed:
        assert table.loc[code, "LABEL_FR"] == french
        assert table.loc[code, "LABEL_AR"] == arabic


def test_every_region_of_the_schools_file_has_its_own_code(shared_dir: Path) -> None:
    path = shared_dir / "data" / "morocco" / "ecoles_regions_2024.csv"
    with path.open(encoding="utf-8-sig", newline="") as handle:
        written = {row["region_libelle"] for row in csv.DictReader(handle)} - {"Total"}
    assert len(written) == 12
    assert {match_label("REF_AREA", text).code for text in written} == set(REGIONS)


@pytest.mark.parametrize("written", SPECIAL)
def test_special_values_are_matched_to_what_is_no_region(written: str) -> None:
    assert match_label("REF_AREA", written).code == SPECIAL[written]
    assert SPECIAL[written] not in REGIONS


@pytest.mark.parametrize("name", codelists())
def test_a_code_matches_itself_and_by_nothing_else(name: str) -> None:
    for code in codes(name):
        assert (match_label(name, code).code, match_label(name, code).how) == (code, "code")


@given(st.sampled_from(codelists()), st.text(max_size=30))
def test_a_match_is_a_code_of_the_list_and_a_suggestion_matches(name: str, written: str) -> None:
    match = match_label(name, written)
    assert (match.code is None) == (match.how == "none")
    if match.code is not None:
        assert match.code in codes(name)
        assert match.suggestion is None
    if match.suggestion is not None:
        assert match_label(name, match.suggestion).code in codes(name)


@given(st.sampled_from(REGIONS), st.sampled_from(LANGUAGES), st.data())
def test_case_and_blanks_do_not_change_what_is_meant(
    code: str, lang: str, data: st.DataObject
) -> None:
    written = str(codelist("REF_AREA").set_index("CODE").loc[code, f"LABEL_{lang.upper()}"])
    typed = data.draw(st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))(written)
    blanks = data.draw(st.text(" \t\n\u00a0\u202f", max_size=3))
    assert match_label("REF_AREA", f"{blanks}{typed}{blanks}").code == code


@given(st.integers(0, 10**9) | st.floats(0, 1e9, allow_nan=False).map(lambda x: round(x, 2)))
def test_a_number_is_never_a_near_label(number: float) -> None:
    for name in ("REF_AREA", "SEX", "MINISTRY", "INCOME_WEALTH_QUANTILE"):
        match = match_label(name, f"{number:f}")
        assert (match.code, match.suggestion) == (None, None)


@pytest.mark.parametrize("written", ["15-23", "15-24,5", "60", "2015-01-01"])
def test_a_range_of_numbers_near_a_known_one_is_not_suggested(written: str) -> None:
    match = match_label("AGE", written)
    assert (match.code, match.suggestion) == (None, None)


def test_a_day_without_an_end_is_in_force() -> None:
    for day in ("2015-01-01", "2025-12-31", "9999-12-31"):
        assert match_label("REF_AREA", "Souss-Massa", on=day).code == "MA-09"
    assert match_label("REF_AREA", "Souss-Massa").code == "MA-09"


def test_three_ministries_have_two_departments_each_and_two_are_doubtful() -> None:
    table = department_map()
    several = table.groupby("MINISTRY")["DEPARTMENT"].apply(set)
    several = several[several.map(len) > 1]
    assert several.to_dict() == {
        "EMPLOI": {"EMPLOI", "FORMATION_PROFESSIONNELLE"},
        "JEUNESSE_CULTURE": {"COMMUNICATION", "JEUNESSE"},
        "TRANSITION_ENERGETIQUE": {"DEVELOPPEMENT_DURABLE", "TRANSITION_ENERGETIQUE"},
    }
    assert set(table.loc[table["TO_CONFIRM"], "DEPARTMENT"]) == {
        "DIDH", "FORMATION_PROFESSIONNELLE",
    }  # fmt: skip
