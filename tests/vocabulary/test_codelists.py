"""The code lists: each follows its contract, speaks three languages and says whose list it is."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import gbi
from gbi.errors import GbiError
from gbi.language import LANGUAGES
from gbi.resources import read_document, read_yaml, resource_path
from gbi.vocabulary import codelist, codelists, codes, concept, concepts, label

FOLDER = resource_path("schemas", "codelists")
FILES = sorted(FOLDER.glob("CL_*.yaml"))
COLUMNS = ["CODE", "LABEL_FR", "LABEL_AR", "LABEL_EN", "PARENT", "VALID_FROM", "VALID_TO",
           "MINISTRY", "TO_CONFIRM", "REVIEWED"]  # fmt: skip
ARABIC = re.compile(r"[\u0600-\u06ff]")
SIGNS = {"%", "‰"}

each_list = pytest.mark.parametrize("name", codelists())


def refusal(code: str, call: object, *args: object) -> GbiError:
    """Call, and return the error that it must raise, after reading it in three languages."""
    assert callable(call)
    with pytest.raises(GbiError) as caught:
        call(*args)
    error = caught.value
    assert error.code == code
    messages = {lang: error.message(lang) for lang in LANGUAGES}
    assert len(set(messages.values())) == len(LANGUAGES)
    assert all(m.startswith(code) for m in messages.values())
    assert ARABIC.search(messages["ar"])
    return error


def test_every_list_of_the_folder_is_known() -> None:
    assert list(codelists()) == [p.stem for p in FILES]
    assert {"CL_SEX", "CL_AGE", "CL_AREA", "CL_MINISTRY", "CL_DEPARTMENT"} <= set(codelists())


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_list_follows_its_contract_and_is_named_as_its_file(path: Path) -> None:
    assert read_document(path, "codelist")["id"] == path.stem


@each_list
def test_every_code_is_once_and_has_three_labels(name: str) -> None:
    table = codelist(name)
    assert list(table.columns) == COLUMNS
    assert table["CODE"].is_unique
    assert tuple(table["CODE"]) == codes(name)[: len(table)]  # codes beside the list follow
    for lang in LANGUAGES:
        written = table[f"LABEL_{lang.upper()}"]
        assert written.str.strip().eq(written).all()
        assert written.ne("").all()
    arabic = table["LABEL_AR"]
    assert [a for a in arabic if not ARABIC.search(a) and a not in SIGNS] == []


@each_list
def test_no_two_codes_of_a_list_are_written_alike(name: str) -> None:
    entries = read_yaml(FOLDER / f"{name}.yaml")["codes"]
    owners: dict[str, set[str]] = {}
    for entry in entries:
        for written in (*entry["label"].values(), *entry.get("aliases", [])):
            owners.setdefault(written.casefold(), set()).add(entry["code"])
    assert {w: who for w, who in owners.items() if len(who) > 1} == {}


@each_list
def test_a_parent_is_a_code_of_the_same_list_and_no_code_is_above_itself(name: str) -> None:
    """A list that another one accepts beside its own codes may hang below that one's."""
    accepting = [n for n in codelists() if name in read_yaml(FOLDER / f"{n}.yaml").get("also", [])]
    tables = [codelist(n) for n in (name, *accepting)]
    parent = {c: p for t in tables for c, p in zip(t["CODE"], t["PARENT"], strict=True)}
    for code in codelist(name)["CODE"]:
        above, seen = parent[code], {code}
        while isinstance(above, str):
            assert above in parent
            assert above not in seen
            seen.add(above)
            above = parent[above]


@each_list
def test_a_list_names_its_agency_version_and_source(name: str) -> None:
    document = read_yaml(FOLDER / f"{name}.yaml")
    assert document["agency"] in {"SDMX", "IAEG-SDGs", "CE-BSG", "GBI"}
    assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", document["version"])
    if document["agency"] in {"SDMX", "IAEG-SDGs"}:
        assert name in document["source"]  # whose list it is, in words
    else:
        assert not document["source"].startswith("SDMX")


@pytest.mark.parametrize(
    ("name", "agency", "version"),
    [("CL_SEX", "SDMX", "2.1"), ("CL_OBS_STATUS", "SDMX", "2.2"), ("CL_UNIT_MULT", "SDMX", "1.1"),
     ("CL_AGE", "IAEG-SDGs", "1.25"), ("CL_URBANISATION", "IAEG-SDGs", "1.10"),
     ("CL_QUANTILE", "IAEG-SDGs", "1.1"), ("CL_MINISTRY", "GBI", "1.0")],
)  # fmt: skip
def test_which_list_is_followed(name: str, agency: str, version: str) -> None:
    document = read_yaml(FOLDER / f"{name}.yaml")
    assert (document["agency"], document["version"]) == (agency, version)


def test_codes_that_are_not_checked_say_so() -> None:
    document = read_yaml(FOLDER / "CL_DISABILITY_STATUS.yaml")
    assert document["version"].startswith("0.")
    assert "not frozen" in document["source"]


def test_sex_is_the_sdmx_list() -> None:
    assert set(codes("SEX")) == {"F", "M", "_O", "_N", "_U", "_T", "_Z"}
    assert codes("SEX") == codes("CL_SEX")


def test_an_age_group_is_its_bounds() -> None:
    shape = re.compile(r"_T|_U|Y_GE[0-9]+|Y_LT[0-9]+|Y([0-9]+)T([0-9]+)")
    for code, french in codelist("AGE")[["CODE", "LABEL_FR"]].itertuples(index=False):
        match = shape.fullmatch(code)
        assert match is not None
        numbers = re.findall(r"[0-9]+", code)
        assert re.findall(r"[0-9]+", french) == numbers
        assert sorted(numbers, key=int) == numbers


def test_statuses_that_a_missing_value_may_have_are_in_the_list() -> None:
    assert {"A", "O", "L", "K", "M", "Q"} <= set(codes("OBS_STATUS"))


def test_operating_is_the_total_of_personnel_and_goods() -> None:
    table = codelist("ECON_NATURE")
    assert set(table.loc[table["PARENT"] == "OPERATING", "CODE"]) == {"PERSONNEL", "GOODS"}


def test_a_list_is_asked_for_by_its_name_or_by_its_concept() -> None:
    pd.testing.assert_frame_equal(codelist("REF_AREA"), codelist("CL_AREA"))
    pd.testing.assert_frame_equal(gbi.codelist("SEX"), codelist("CL_SEX"))


def test_a_label_in_each_language() -> None:
    assert label("SEX", "F") == "Femmes"
    assert [label("SEX", "F", lang) for lang in LANGUAGES] == ["Femmes", "إناث", "Women"]


def test_a_code_that_the_list_does_not_have_is_its_own_label() -> None:
    assert label("SEX", "X9", "ar") == "X9"


def test_an_unknown_language_is_refused() -> None:
    assert refusal("GBI-E010", label, "SEX", "F", "de").got == "de"


@pytest.mark.parametrize("call", [codelist, codes, lambda name: label(name, "F")])
def test_an_unknown_list_names_the_nearest(call: object) -> None:
    error = refusal("GBI-E041", call, "CL_SEXE")
    assert (error.got, error.expected) == ("CL_SEXE", "CL_SEX")


def test_a_list_near_nothing_names_them_all() -> None:
    error = refusal("GBI-E041", codelist, "zzzz")
    assert error.expected == ", ".join(codelists())


def test_a_concept_without_a_list_has_no_codes() -> None:
    assert concept("TIME_PERIOD").codelist is None
    assert refusal("GBI-E041", codes, "TIME_PERIOD").got == "TIME_PERIOD"


def test_the_error_does_not_expect_what_it_refuses() -> None:
    error = refusal("GBI-E041", codes, "TIME_PERIOD")
    assert error.expected != error.got


def test_the_file_of_concepts_follows_its_contract() -> None:
    document = read_document(FOLDER / "CONCEPTS.yaml", "concepts")
    names = [c["id"] for c in document["concepts"]]
    assert len(names) == len(set(names)) == len(concepts())


def test_a_concept_has_a_list_that_exists_and_a_default_that_it_holds() -> None:
    for name, each in concepts().items():
        assert each.name == name
        assert set(each.labels) == set(LANGUAGES)
        assert len({each.label(lang) for lang in LANGUAGES}) > 1
        assert each.codelist is None or each.codelist in codelists()
        assert each.default is None or each.default in codes(name)


@pytest.mark.parametrize(
    ("name", "default"),
    [("REF_AREA", "MA"), ("SEX", "_T"), ("AGE", "_T"), ("URBANISATION", "_T"),
     ("BUDGET_COMPONENT", "BG"), ("OBS_STATUS", "A"), ("MINISTRY", None), ("TIME_PERIOD", None)],
)  # fmt: skip
def test_what_a_blank_stands_for(name: str, default: str | None) -> None:
    assert concept(name).default == default


def test_a_concept_is_labelled_in_the_language_asked_for() -> None:
    area = concept("REF_AREA")
    assert area.label() == "Territoire"
    assert area.label("en") == "Reference area"


def test_an_unknown_concept_names_the_nearest() -> None:
    error = refusal("GBI-E042", concept, "REF_AERA")
    assert (error.got, error.expected) == ("REF_AERA", "REF_AREA")
