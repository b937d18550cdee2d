"""Profiles as files: what they take over, what is refused and where, and how one is named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gbi.errors import GbiError
from gbi.ingest.profile import Profile, load_profile, profile_named, profiles
from gbi.language import LANGUAGES
from gbi.resources import resource_path

SHEET = {"columns": [{"header": "Sexe", "column": "SEX"}], "values": [{"header": "Valeur"}]}
BASE: dict[str, Any] = {
    "name": "base",
    "version": "1.0",
    "labels": dict.fromkeys(LANGUAGES, "Base"),
    "format": "table",
    "table": "statistics",
    "numbers": {"decimal": ",", "thousands": [" "]},
    "decimals": "printed",
    "maps": {"SEX": {"H": "M", "F": "F"}},
    "missing": {"..": "O"},
    "constants": {"INDICATOR": "Effectif", "TIME_PERIOD": "2024"},
    "sheets": [SHEET],
}


def written(folder: Path, name: str, document: Any) -> Path:
    """Write a profile; JSON is YAML."""
    path = folder / f"{name}.yaml"
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def extending(base: str, **keys: Any) -> dict[str, Any]:
    return {"name": "own", "extends": base, **keys}


def refused(path: Path) -> GbiError:
    with pytest.raises(GbiError) as caught:
        load_profile(path)
    error = caught.value
    for lang in LANGUAGES:
        assert re.search(r"\{[a-z_]+\}", error.message(lang)) is None
    return error


def test_maps_are_merged_and_everything_else_is_replaced(tmp_path: Path) -> None:
    written(tmp_path, "base", BASE)
    own = written(
        tmp_path,
        "own",
        extending(
            "base",
            version="2.0",
            maps={"SEX": {"Hommes": "M"}, "AGE": {"15+": "Y_GE15"}},
            numbers={"thousands": ["."]},
            constants={"TIME_PERIOD": "2025"},
            sheets=[{"columns": [{"header": "Autre"}]}],
        ),
    )
    profile = load_profile(own)
    assert (profile.name, profile.document["version"]) == ("own", "2.0")
    assert profile.document["maps"] == {
        "SEX": {"H": "M", "F": "F", "Hommes": "M"},
        "AGE": {"15+": "Y_GE15"},
    }
    assert profile.document["numbers"] == {"decimal": ",", "thousands": ["."]}
    assert profile.constants == {"INDICATOR": "Effectif", "TIME_PERIOD": "2025"}
    assert profile.missing == {"..": "O"}
    assert [s.columns for s in profile.sections] == [[{"header": "Autre"}]]


def test_the_base_stays_as_it_is(tmp_path: Path) -> None:
    base = written(tmp_path, "base", BASE)
    load_profile(written(tmp_path, "own", extending("base", maps={"SEX": {"X": "_T"}})))
    assert load_profile(base).document == BASE


def test_a_chain_of_three(tmp_path: Path) -> None:
    written(tmp_path, "base", BASE)
    written(tmp_path, "middle", extending("base", name="middle", missing={"nd": "O", "..": "Q"}))
    profile = load_profile(written(tmp_path, "own", extending("middle", missing={"x": "M"})))
    assert profile.missing == {"..": "Q", "nd": "O", "x": "M"}
    assert profile.document["maps"] == BASE["maps"]


def test_an_extended_value_can_be_emptied_only_by_another(tmp_path: Path) -> None:
    written(tmp_path, "base", BASE)
    own = written(tmp_path, "own", extending("base", maps={"SEX": {"H": None}}))
    assert load_profile(own).maps["SEX"] == {"h": None, "f": "F"}


def test_a_packaged_profile_is_extended_by_its_name(tmp_path: Path) -> None:
    own = written(tmp_path, "own", extending("maroc-segma", constants={"BUDGET_STAGE": "ACT"}))
    profile = load_profile(own)
    packaged = profile_named("maroc-segma")
    assert profile.constants == {**packaged.constants, "BUDGET_STAGE": "ACT"}
    assert profile.document["sheets"] == packaged.document["sheets"]


def test_a_profile_beside_comes_before_a_packaged_one(tmp_path: Path) -> None:
    written(tmp_path, "maroc-segma", {**BASE, "name": "maroc-segma"})
    profile = load_profile(written(tmp_path, "own", extending("maroc-segma")))
    assert profile.table == "statistics"


def test_a_profile_may_extend_the_packaged_one_of_its_own_name(tmp_path: Path) -> None:
    own = {"name": "maroc-segma", "extends": "maroc-segma", "version": "9.0"}
    profile = load_profile(written(tmp_path, "maroc-segma", own))
    assert profile.document["version"] == "9.0"
    assert profile.table == "budget"


def test_a_circle_ends(tmp_path: Path) -> None:
    written(tmp_path, "a", {**BASE, "name": "aa", "extends": "b"})
    error = refused(written(tmp_path, "b", {**BASE, "name": "bb", "extends": "a"}))
    assert (error.code, error.got) == ("GBI-E065", "b")
    error = refused(written(tmp_path, "own", extending("own")))
    assert (error.code, error.got) == ("GBI-E065", "own")


def test_an_unknown_base_is_refused_with_the_nearest(tmp_path: Path) -> None:
    error = refused(written(tmp_path, "own", extending("maroc-segmas")))
    assert (error.code, error.got, error.expected) == ("GBI-E065", "maroc-segmas", "maroc-segma")
    error = refused(written(tmp_path, "own", extending("zzzzzz")))
    assert "maroc-segma" in str(error.expected)
    assert "ilostat" in str(error.expected)


def test_a_fault_of_the_base_is_said_of_the_base(tmp_path: Path) -> None:
    written(tmp_path, "base", {**BASE, "misssing": {"..": "O"}})
    error = refused(written(tmp_path, "own", extending("base")))
    assert error.code == "GBI-E003"
    assert str(error.where).startswith("base.yaml:")


BROKEN = """\
name: essai
version: "1.0"
labels: {fr: a, ar: b, en: c}
format: table
table: statistics
numbers: {decimal: ","}
decimals: printed
sheets:
  - columns:
      - header: Sexe
        colonne: SEX
    values:
      - {header: Valeur}
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "got", "hint"),
    [
        ("colonne: SEX", "colomn: SEX", "essai.yaml:11 ", "unknown key 'colomn'", "column"),
        ("decimals: printed", "decimal: printed", "essai.yaml:7 ", "'decimal'", "decimals"),
        ("{header: Valeur}", "{header: Valeur, statut: next}", "essai.yaml:13 ", "'statut'",
         "status"),
        ("  - columns:", "  - header_row: 2\n    columns:", "essai.yaml:9 ", "'header_row'",
         "header_rows"),
        ('{decimal: ","}', '{decimal: ",", thousand: []}', "essai.yaml:6 ", "'thousand'",
         "thousands"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, where: str, got: str, hint: str
) -> None:
    sound = BROKEN.replace("colonne", "column")
    text = BROKEN.replace(old, new) if "colonne" in old else sound.replace(old, new)
    assert text != sound
    error = refused(written(tmp_path, "essai", text))
    assert error.code == "GBI-E003"
    assert str(error.where).startswith(where)
    assert got in str(error.got)
    assert hint in str(error.hint)


def test_the_sound_form_of_the_broken_profile_loads(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, "essai", BROKEN.replace("colonne", "column")))
    assert profile.sections[0].columns == [{"header": "Sexe", "column": "SEX"}]


@pytest.mark.parametrize(
    "change",
    [
        {"file": "x"},  # without file_example
        {"table": None},
        {"reference": ["budget"]},  # table and reference
        {"totals": [{"column": "SEX", "code": "_T"}]},
        {"totals": [{"column": "SEX", "code": "_T", "label": "a", "pattern": "b"}]},
        {"year_start": "09-01"},
        {"missing": {}},
        {"missing": {"..": "Z"}},
        {"flags": {"e": "Z"}},
        {"maps": {"sex": {"H": "M"}}},
        {"maps": {"SEX": {"H": []}}},
        {"dash": {"status": "A", "value": 1}},
        {"dash": {"value": 0}},
        {"numbers": {"decimal": ";"}},
        {"numbers": {"decimal": ",", "stored": "numbers"}},
        {"decimals": "all"},
        {"format": "xlsx"},
        {"name": "Essai"},
        {"version": "1"},
        {"sheets": []},
        {"sheets": [{**SHEET, "name": "A"}]},  # without called
        {"sheets": [{**SHEET, "title": "A"}]},  # without title_example
        {"sheets": [{**SHEET, "header_rows": 7}]},
        {"sheets": [{**SHEET, "first_row": 0}]},
        {"sheets": [{**SHEET, "title_of": "sheet"}]},
        {"sheets": [{**SHEET, "unit": "header"}]},
        {"sheets": [{"columns": [{"column": "SEX"}]}]},
        {"sheets": [{"columns": [{"header": "a", "at": "B"}]}]},
        {"sheets": [{"columns": [{"pattern": "a"}]}]},  # without example
        {"sheets": [{"columns": [{"at": "b"}]}]},
        {"sheets": [{"columns": [{"header": "a", "fill": "up"}]}]},
        {"sheets": [{"columns": [{"header": "a", "keep": []}]}]},
        {"sheets": [{"columns": [{"header": "a", "as": "number"}]}]},
        {"sheets": [{"columns": [{"header": "a", "lookup": {"file": "x", "key": "k"}}]}]},
        {"sheets": [{"columns": [{"header": "a", "parts": {"b": 1}}]}]},
        {"sheets": [{**SHEET, "values": [{"header": "a", "status": "right"}]}]},
        {"sheets": [{**SHEET, "values": [{"header": "a", "column": "SEX"}]}]},
    ],
    ids=json.dumps,
)
def test_what_the_contract_does_not_allow_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    document = {k: v for k, v in {**BASE, **change}.items() if v is not None}
    assert refused(written(tmp_path, "essai", document)).code == "GBI-E003"


@pytest.mark.parametrize(
    "change",
    [
        {"file": "(", "file_example": "x"},
        {"totals": [{"column": "SEX", "code": "_T", "pattern": "("}]},
        {"sheets": [{**SHEET, "name": "(", "called": "A"}]},
        {"sheets": [{**SHEET, "title": "(", "title_example": "A"}]},
        {"sheets": [{**SHEET, "notes": "("}]},
        {"sheets": [{"columns": [{"pattern": "(", "example": "A"}]}]},
        {"sheets": [{"columns": [{"heading": "("}]}]},
        {"sheets": [{"columns": [{"header": "A", "split": "("}]}]},
        {"sheets": [{"columns": [{"header": "A", "keep_like": "("}]}]},
        {"sheets": [{"columns": [{"header": "A", "drop_like": "("}]}]},
        {"sheets": [{**SHEET, "values": [{"pattern": "(", "example": "A"}]}]},
        {"sheets": [{"columns": [
            {"header": "A", "lookup": {"file": "(", "key": "k", "take": {"a": "SEX"}}}]}]},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_pattern_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    error = refused(written(tmp_path, "essai", {**BASE, **change}))
    assert error.code == "GBI-E003"
    assert error.where == "essai.yaml"
    assert "missing )" in str(error.got)


@pytest.mark.parametrize("text", ["name: [", "", "- 1", "juste un texte", "name: a\nname: b\n"])
def test_a_file_that_is_no_profile(tmp_path: Path, text: str) -> None:
    assert refused(written(tmp_path, "essai", text)).code in ("GBI-E002", "GBI-E003")


def test_a_profile_is_named_by_name_path_or_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "base", BASE)
    by_path = profile_named(path)
    assert by_path.name == profile_named(str(path)).name == "base"
    assert profile_named(by_path) is by_path
    assert profile_named("ilostat") is next(p for p in profiles() if p.name == "ilostat")


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as caught:
        profile_named("ilostats")
    assert (caught.value.code, caught.value.expected) == ("GBI-E065", "ilostat")
    with pytest.raises(GbiError) as caught:
        profile_named("absent.yaml")
    assert (caught.value.code, caught.value.exit_code) == ("GBI-E060", 2)


def test_packaged_profiles_are_named_as_their_files() -> None:
    files = sorted(resource_path("schemas", "profiles").glob("*.yaml"))
    assert [p.name for p in profiles()] == [f.stem for f in files]
    assert all(isinstance(p, Profile) and p.sections for p in profiles())


def test_microdata_need_neither_numbers_nor_sheets(tmp_path: Path) -> None:
    document = {k: BASE[k] for k in ("name", "version", "labels", "format")}
    profile = load_profile(
        written(tmp_path, "own", {**document, "table": "survey", "roles": {"weight": "poids"}})
    )
    assert (profile.roles, profile.sections) == ({"weight": "poids"}, [])
    for missing in ("numbers", "decimals", "sheets"):
        without = {k: v for k, v in BASE.items() if k != missing}
        assert refused(written(tmp_path, "own", without)).code == "GBI-E003"
