"""What people write for a code is matched to it, or refused with the nearest label."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest

from gbi.errors import GbiError
from gbi.vocabulary import Match, codelist, codelists, codes, match_label

MISSPELT = {
    "MA-01": [
        "Tanger-Tétouan-Al Hoceima",
        "Tanger-Tétouan-Al Hoceïma",
        "Tanger-Tétouan-AI Hoceima",
    ],
    "MA-02": ["L'Oriental", "L\u2019Oriental", "Oriental", "الجهة الشرقية"],
    "MA-03": ["Fes-Meknes"],
    "MA-08": ["Dra?-Tafilalet", "Dr?a-Tafilalet"],
    "MA-11": ["Laâyoune-Sakia El Hamra", "Laâyoune-Sakia Al Hamra"],
    "MA-12": ["Dakhla-Oued Ed-Dahab", "Dakhla-Oued Ed-dahab", "Dakhla-Oued Eddahab"],
    "MA": ["National/Total", "National"],
    "MA-00": ["SERVICES COMMUNS"],
    "MA-XX": ["Multirégional"],
}


def test_the_twelve_regions_are_those_of_the_reference_in_the_order_of_the_decree(
    shared_dir: Path,
) -> None:
    text = (shared_dir / "methods" / "morocco.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| \d\d \| (MA-\d\d) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    table = codelist("REF_AREA")
    regions = table[table["CODE"].isin([f"MA-{number:02d}" for number in range(1, 13)])]
    assert len(told) == 12
    assert told == list(
        regions[["CODE", "LABEL_FR", "LABEL_AR"]].itertuples(index=False, name=None)
    )
    assert set(regions["PARENT"]) == {"MA"}


@pytest.mark.parametrize(
    ("code", "written"), [(code, text) for code, texts in MISSPELT.items() for text in texts]
)
def test_the_spellings_of_regions_that_were_met_match(code: str, written: str) -> None:
    assert match_label("REF_AREA", written).code == code


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("F", Match("F", "code")),
        ("_T", Match("_T", "code")),
        ("Femmes", Match("F", "label")),
        ("إناث", Match("F", "label")),
        ("Women", Match("F", "label")),
        ("  Femmes\n", Match("F", "label")),
        ("FEMMES", Match("F", "alias")),
        ("Filles", Match("F", "alias")),
        ("feminin", Match("F", "alias")),
        ("garçons", Match("M", "alias")),
        ("Ensemble", Match("_T", "alias")),
    ],
)
def test_a_match_says_what_it_matched_by(written: str, expected: Match) -> None:
    assert match_label("SEX", written) == expected


def test_an_unknown_label_gets_the_nearest_one_and_no_code() -> None:
    assert match_label("SEX", "Femmmes") == Match(None, "none", "Femmes")
    assert match_label("REF_AREA", "Casablanca-Setat") == Match(None, "none", "Casablanca-Settat")


def test_a_label_that_is_near_to_nothing_gets_no_suggestion() -> None:
    assert match_label("SEX", "xyzxyzxyz") == Match(None, "none")


@pytest.mark.parametrize("written", ["", "3", "12,5", "2025", "15-2", "1 000", "01/02"])
def test_a_number_gets_no_suggestion(written: str) -> None:
    for name in ("SEX", "REF_AREA", "AGE"):
        assert match_label(name, written) == Match(None, "none")


def test_regions_match_from_the_day_of_their_decree_on() -> None:
    before, after = "2014-12-31", "2015-01-01"
    assert match_label("REF_AREA", "Fès-Meknès", on=before).code is None
    assert match_label("REF_AREA", "Fès-Meknès", on=after) == Match("MA-03", "label")
    assert match_label("REF_AREA", "Fes-Meknes", on=before).code is None
    assert match_label("REF_AREA", "Maroc", on=before) == Match("MA", "label")


def test_a_code_out_of_force_does_not_match_either() -> None:
    assert match_label("REF_AREA", "MA-03", on="2015-01-01") == Match("MA-03", "code")
    assert match_label("REF_AREA", "MA-03", on="2014-12-31").code is None


@pytest.mark.parametrize("name", codelists())
def test_no_label_of_a_list_is_another_code_s(name: str) -> None:
    table = codelist(name)
    for row in table.itertuples():
        for written in (row.LABEL_FR, row.LABEL_AR, row.LABEL_EN):
            assert match_label(name, str(written)).code == row.CODE


def test_the_39_lines_of_the_budget_are_39_ministries(sample_dir: Path) -> None:
    sheet = openpyxl.load_workbook(sample_dir / "repartition_ministeres_plf2025.xlsx").active
    assert sheet is not None
    written = [str(value) for (value,) in sheet.iter_rows(5, 43, 1, 1, values_only=True)]
    assert sheet["A44"].value == "TOTAL"
    found = {text: match_label("MINISTRY", text) for text in written}
    assert len(found) == 39
    assert [text for text, match in found.items() if match.code is None] == []
    assert len({match.code for match in found.values()}) == 39
    assert {match.code for match in found.values()} <= set(codes("MINISTRY"))


def test_a_label_of_an_unknown_list_is_refused() -> None:
    with pytest.raises(GbiError) as caught:
        match_label("CL_NOTHING", "x")
    assert caught.value.code == "GBI-E041"
