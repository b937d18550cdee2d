"""Proposed profiles: what an unknown file seems to be, why, and that nothing is applied."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gbi
from gbi.errors import GbiError
from gbi.ingest import Proposal, load_profile, profiles, sniff
from gbi.ingest.formats import format_of
from gbi.language import LANGUAGES

REGIONS = ("L'Oriental", "Fès-Meknès", "Souss-Massa", "Drâa-Tafilalet", "Marrakech-Safi")
Rows = Sequence[Sequence[Any]]


def of_text(folder: Path, rows: Rows, name: str = "donnees.csv") -> Proposal:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, delimiter=";").writerows(rows)
    return checked(sniff(path), folder)


def of_book(folder: Path, rows: Rows, *merged: str, **sheets: Rows) -> Proposal:
    book = openpyxl.Workbook()
    book.active.title = "Feuille"
    for name, lines in {"Feuille": rows, **sheets}.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for line in lines:
            sheet.append(list(line))
    for area in merged:
        book.active.merge_cells(area)
    book.save(folder / "donnees.xlsx")
    return checked(sniff(folder / "donnees.xlsx"), folder)


def checked(proposal: Proposal, folder: Path) -> Proposal:
    """Return a proposal whose text loads back as the same document in each language."""
    path = folder / "propose.yaml"
    for lang in LANGUAGES:
        path.write_text(proposal.to_yaml(lang), encoding="utf-8")
        assert load_profile(path).document == proposal.document
    return proposal


def section(proposal: Proposal, index: int = 0) -> dict[str, Any]:
    return dict(proposal.document["sheets"][index])


def named(proposal: Proposal) -> dict[str, str | None]:
    return {c.get("header", c.get("at")): c.get("column") for c in section(proposal)["columns"]}


def values(proposal: Proposal) -> list[dict[str, Any]]:
    return list(section(proposal).get("values", []))


def remarks(proposal: Proposal) -> dict[str, dict[str, Any]]:
    return {r.reason: dict(r.params) for r in proposal.remarks}


def table(*values: Any, head: str = "Valeur") -> list[list[Any]]:
    return [["Région", head], *([r, v] for r, v in zip(REGIONS, values, strict=False))]


# --- the header ---


@pytest.mark.parametrize("titles", [0, 1, 3, 12])
def test_a_header_under_titles(tmp_path: Path, titles: int) -> None:
    rows = [*([f"Titre {i}"] for i in range(titles)), [], *table("1,5", "2,5")]
    proposal = of_text(tmp_path, rows)
    assert section(proposal)["header_rows"] == 1
    assert (named(proposal), values(proposal)) == ({"Région": "REF_AREA"}, [{"header": "Valeur"}])
    (why,) = (r.guess.params for r in proposal.reasons if r.path[-1] == "header_rows")
    assert why == {"first": titles + 2, "last": titles + 2}


TWO_ROWS = [
    ["Région", 2014, None, 2015, None],
    [None, "Hommes", "Femmes", "Hommes", "Femmes"],
    ["L'Oriental", 1, 2, 3, 4],
    ["Fès-Meknès", 1, 2, 3, 5],
]


@pytest.mark.parametrize("merged", [(), ("B1:C1", "D1:E1"), ("A1:A2", "B1:C1", "D1:E1")])
def test_a_header_of_two_rows(tmp_path: Path, merged: tuple[str, ...]) -> None:
    proposal = of_book(tmp_path, TWO_ROWS, *merged)
    assert section(proposal)["header_rows"] == 2
    assert section(proposal).get("spread", False) is not bool(merged)
    assert [(v["pattern"], v["set"]) for v in values(proposal)] == [
        (r"(?P<TIME_PERIOD>\d{4}) Hommes", {"SEX": "M"}),
        (r"(?P<TIME_PERIOD>\d{4}) Femmes", {"SEX": "F"}),
    ]
    frame = gbi.read(tmp_path / "donnees.xlsx", profile=proposal).frame
    found = zip(frame["TIME_PERIOD"], frame["SEX"], frame["OBS_VALUE"], strict=True)
    assert sorted(found)[:4] == [
        ("2014", "F", 2), ("2014", "F", 2), ("2014", "M", 1), ("2014", "M", 1)
    ]  # fmt: skip
    assert frame["OBS_VALUE"].sum() == 21


def test_an_empty_row_under_the_header(tmp_path: Path) -> None:
    head, *rest = table(1, 2, 3)
    proposal = of_text(tmp_path, [head, [], *rest])
    assert section(proposal)["header_rows"] == 1
    assert "missing" not in proposal.document  # an empty row is no empty value


def test_years_as_headers(tmp_path: Path) -> None:
    rows = [["Région", "2014", "2015", "2016"], ["L'Oriental", 1, 2, 3], ["Fès-Meknès", 4, 5, 6]]
    proposal = of_text(tmp_path, rows)
    assert section(proposal)["header_rows"] == 1
    assert values(proposal) == [{"pattern": r"(?P<TIME_PERIOD>\d{4})", "example": "2014"}]
    assert "TIME_PERIOD" not in proposal.document["constants"]
    frame = gbi.read(tmp_path / "donnees.csv", profile=proposal).frame
    assert sorted(set(frame["TIME_PERIOD"])) == ["2014", "2015", "2016"]


def test_years_with_words_around(tmp_path: Path) -> None:
    rows = [["Région", "PLF (2014)*", "PLF (2015)*", "Écart 2014-2015", "Ligne 12015"],
            ["L'Oriental", 1, 2, 3, 9], ["Fès-Meknès", 4, 5, 6, 9]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    assert values(proposal) == [
        {
            "pattern": r"PLF \((?P<TIME_PERIOD>\d{4})\)\*",
            "example": "PLF (2014)*",
            "set": {"BUDGET_STAGE": "BILL"},
        },
        {"header": "Écart 2014-2015"},
        {"header": "Ligne 12015"},
    ]
    data = gbi.read(tmp_path / "donnees.csv", profile=proposal)
    assert set(data.frame["TIME_PERIOD"].dropna()) == {"2014", "2015"}


@pytest.mark.parametrize("first", ["..", "-", ""])
def test_a_first_record_without_a_number(tmp_path: Path, first: str) -> None:
    proposal = of_text(tmp_path, table(first, "2", "3", "4", "5"))
    assert section(proposal)["header_rows"] == 1
    assert named(proposal) == {"Région": "REF_AREA"}
    assert values(proposal) == [{"header": "Valeur"}]
    assert len(gbi.read(tmp_path / "donnees.csv", profile=proposal)) == 5


def test_a_column_without_a_header_is_named_by_its_letter(tmp_path: Path) -> None:
    rows = [["", "2014", "2015"], ["L'Oriental", 1, 2], ["Fès-Meknès", 3, 4]]
    proposal = of_text(tmp_path, rows)
    assert section(proposal)["columns"] == [{"at": "A", "column": "REF_AREA"}]
    frame = gbi.read(tmp_path / "donnees.csv", profile=proposal).frame
    assert sorted(set(frame["REF_AREA"])) == ["MA-02", "MA-03"]


def test_a_value_without_a_header_is_named_by_its_letter(tmp_path: Path) -> None:
    rows = [["Région", "Sexe", "", "Valeur"], ["L'Oriental", "F", 1, 2], ["Fès-Meknès", "M", 3, 4]]
    proposal = of_text(tmp_path, rows)
    assert values(proposal) == [{"at": "C"}, {"header": "Valeur"}]
    assert gbi.read(tmp_path / "donnees.csv", profile=proposal).frame["OBS_VALUE"].sum() == 10


def test_each_sheet_has_its_section(tmp_path: Path) -> None:
    other = [["Sexe", "Effectif"], ["F", 1], ["M", 2]]
    proposal = of_book(tmp_path, table(1, 2), **{"Par sexe (2)": other, "Vide": []})
    assert [(s["name"], s["called"]) for s in proposal.document["sheets"]] == [
        ("Feuille", "Feuille"), (r"Par sexe \(2\)", "Par sexe (2)")
    ]  # fmt: skip
    assert len(gbi.read(tmp_path / "donnees.xlsx", profile=proposal)) == 4


def test_groups_that_the_table_does_not_know_are_not_proposed(tmp_path: Path) -> None:
    credits_ = [["Ordonnateur", "Personnel", "Investissement"], ["Cour royale", 1, 2]]
    staff = [["Région", "Hommes", "Femmes"], *([r, 1, 2] for r in REGIONS)]
    proposal = of_book(tmp_path, credits_, Effectifs=staff)
    assert proposal.table == "budget"
    assert "set" not in section(proposal, 1)["values"][0]
    assert [v["set"]["ECON_NATURE"] for v in values(proposal)] == ["PERSONNEL", "INVESTMENT"]


# --- the columns ---


def test_codes_are_not_values(tmp_path: Path) -> None:
    rows = [["Code", "id_menage", "N°", "Région", "Effectif"],
            [1, 11, 5, "L'Oriental", 10], [2, 12, 6, "Fès-Meknès", 20]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    assert named(proposal) == {
        "Code": None, "id_menage": None, "N°": None, "Région": "REF_AREA"
    }  # fmt: skip
    assert values(proposal) == [{"header": "Effectif"}]


def test_columns_by_what_their_cells_say(tmp_path: Path) -> None:
    rows = [["A", "B", "C", "D", "E"], ["L'Oriental", "Urbain", "Hommes", "2014", 1],
            ["Fès-Meknès", "Rural", "Femmes", "2015T2", 2]]  # fmt: skip
    assert named(of_text(tmp_path, rows)) == {
        "A": "REF_AREA", "B": "URBANISATION", "C": "SEX", "D": "TIME_PERIOD"
    }  # fmt: skip


def test_a_concept_is_taken_once(tmp_path: Path) -> None:
    rows = [["Région", "De", "Valeur"], ["L'Oriental", "Fès-Meknès", 1],
            ["Souss-Massa", "L'Oriental", 2]]  # fmt: skip
    assert named(of_text(tmp_path, rows)) == {"Région": "REF_AREA", "De": None}


def test_a_text_column_with_some_numbers_holds_no_values(tmp_path: Path) -> None:
    words = zip(REGIONS, ("a", "2", "b", "3", "c"), strict=True)
    rows = [["Région", "Remarque x", "Valeur"], *([r, w, 1] for r, w in words)]
    assert values(of_text(tmp_path, rows)) == [{"header": "Valeur"}]


def test_a_lone_total_is_of_no_group(tmp_path: Path) -> None:
    rows = [["Région", "Total"], ["L'Oriental", 1], ["Fès-Meknès", 2]]
    assert values(of_text(tmp_path, rows)) == [{"header": "Total"}]


def test_sexes_as_columns(tmp_path: Path) -> None:
    rows = [["Région", "Masculin", "Féminin", "Ensemble"],
            ["L'Oriental", 1, 2, 3], ["Fès-Meknès", 4, 5, 9]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    assert [v["set"] for v in values(proposal)] == [{"SEX": s} for s in ("M", "F", "_T")]


def test_totals_are_proposed_with_the_code_of_the_whole(tmp_path: Path) -> None:
    rows = [*table(1, 2, 3, 4), ["Total", 10]]
    proposal = of_text(tmp_path, rows)
    assert proposal.document["totals"] == [{"column": "REF_AREA", "label": "Total", "code": "MA"}]
    assert not {"unknown", "unknown_near"} & remarks(proposal).keys()
    data = gbi.read(tmp_path / "donnees.csv", profile=proposal)
    assert (len(data), len(data.totals or ())) == (4, 1)
    rows = [["Indicateur", "Valeur"], ["Taux", 1], ["Part", 2], ["Total général", 3]]
    assert of_text(tmp_path, rows).document["totals"][0]["code"] == "_T"


def test_units_of_titles_and_headers(tmp_path: Path) -> None:
    proposal = of_text(tmp_path, [["Crédits 2024 (en milliers de DH)"], *table(1, 2)])
    constants = proposal.document["constants"]
    assert (constants["UNIT_MEASURE"], constants["UNIT_MULT"]) == ("MAD", 3)
    assert constants["TIME_PERIOD"] == "2024"
    rows = [["Région", "Budget (MDH)", "Part (%)"], ["L'Oriental", 1, 2], ["Fès-Meknès", 1, 2]]
    proposal = of_text(tmp_path, rows)
    assert [v["set"] for v in values(proposal)] == [
        {"UNIT_MEASURE": "MAD", "UNIT_MULT": 6}, {"UNIT_MEASURE": "PT", "UNIT_MULT": 0}
    ]  # fmt: skip
    assert "no_unit" not in remarks(proposal)
    assert {"no_unit", "no_period"} <= remarks(of_text(tmp_path, table(1, 2))).keys()


def test_the_table_by_what_is_there(tmp_path: Path) -> None:
    assert of_text(tmp_path, table(1, 2)).table == "statistics"
    rows = [["Ordonnateur", "Personnel", "Investissement"], ["Cour royale", 1, 2]]
    assert of_text(tmp_path, rows).table == "budget"
    rows = [["Objectif", "Sous-indicateur", "2024"], ["Réduire", "Taux", 1], ["Faire", "Part", 2]]
    assert of_text(tmp_path, rows).table == "performance"


# --- numbers ---


@pytest.mark.parametrize(
    ("written", "decimal", "read"),
    [
        (("1 234,5", "2 345,25"), ",", [1234.5, 2345.25]),
        (("1.234,5", "2.345,25"), ",", [1234.5, 2345.25]),
        (("1,234,567.5", "2,345.25"), ".", [1234567.5, 2345.25]),
        (("1 234.5", "2 345.25"), ".", [1234.5, 2345.25]),
        (("١٢٣٫٥", "٢٣٤٫٥"), ",", [123.5, 234.5]),
        (("1", "2"), ".", [1, 2]),  # both read the same
        (("1 000", "2 000"), ".", [1000, 2000]),
        (("1,5", "2.5", "3,5"), ",", [1.5, None, 3.5]),
    ],
)
def test_how_numbers_are_written(
    tmp_path: Path, written: tuple[str, ...], decimal: str, read: list[float | None]
) -> None:
    proposal = of_text(tmp_path, table(*written))
    assert proposal.document["numbers"]["decimal"] == decimal
    if len(written) == len([r for r in read if r is not None]):
        frame = gbi.read(tmp_path / "donnees.csv", profile=proposal).frame
        assert frame["OBS_VALUE"].tolist() == read


def test_numbers_with_two_readings_are_counted(tmp_path: Path) -> None:
    proposal = of_text(tmp_path, table("1,234", "2,345", "3,5"))
    (guess,) = (r.guess for r in proposal.reasons if r.path == ("numbers",))
    assert (guess.choice, guess.params["ambiguous"]) == ("comma", 2)


def test_what_stands_in_the_place_of_a_number(tmp_path: Path) -> None:
    rows = [["Région", "2014", "2015"]]
    rows += [[r, i, i + 1] for i, r in enumerate(REGIONS)]
    rows += [["Casablanca-Settat", "..", "n.d."], ["Guelmim-Oued Noun", "-", "–"],
             ["Béni Mellal-Khénifra", "5 e", "*"], ["Rabat-Salé-Kénitra", "", 3]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    assert proposal.document["missing"] == {"..": "O", "n.d.": "O", "*": "Q", "": "O"}
    assert "dash" not in proposal.document  # what a dash means is for people to say
    assert remarks(proposal)["dashes"] == {"n": 2}
    assert remarks(proposal)["flags"] == {"seen": "5 e"}


# --- words that are not known ---


def test_unknown_words_with_the_nearest(tmp_path: Path) -> None:
    rows = [["Regionn", "Sexe", "Valeur"], ["L'Orientall", "Masculn", 1],
            ["Fès-Meknès", "Féminin", 2], ["Souss-Massa", "Masculin", 3]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    near = {r.params["word"]: r.params["near"] for r in proposal.remarks if "word" in r.params}
    assert near == {"L'Orientall": "L'Oriental", "Masculn": "Masculin"}
    assert named(proposal)["Regionn"] == "REF_AREA"


def test_a_numeric_code_has_no_nearest(tmp_path: Path) -> None:
    rows = [["Province", "Valeur"], ["L'Oriental", 1], ["31", 2], ["Fès-Meknès", 3]]
    proposal = of_text(tmp_path, rows)
    assert remarks(proposal)["unknown"]["word"] == "31"
    assert "unknown_near" not in remarks(proposal)


def test_an_unknown_header_is_listed_with_the_nearest(tmp_path: Path) -> None:
    rows = [["Région", "Producteurs xyz", "Valeur"], ["L'Oriental", "abc", 1],
            ["Fès-Meknès", "def", 2]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    assert named(proposal)["Producteurs xyz"] is None
    reasons = {r.guess.reason for r in proposal.reasons}
    assert reasons & {"not_read", "not_read_near"}


@pytest.mark.parametrize(
    "head",
    ['a "b"', "a: b", "# a", "a\\b", "a'b", "oui\nnon", "{a}", "[a]", "a, b", "yes", "null", "12",
     "1.0", "العمود: «أ»", "a\tb", "- a", "&a", "*a", "%a", "a #b", "é\u00a0è", "\u202e a"],
)  # fmt: skip
def test_any_header_survives_the_yaml(tmp_path: Path, head: str) -> None:
    rows = [["Région", head, "Valeur"], ["L'Oriental", "x", 1], ["Fès-Meknès", "y", 2]]
    proposal = of_text(tmp_path, rows)
    data = gbi.read(tmp_path / "donnees.csv", profile=proposal)
    assert (len(data), data.findings) == (2, ())


@pytest.mark.parametrize(
    ("file", "name"),
    [("a.csv", "file-a"), ("2014.csv", "file-2014"), ("Été (1).csv", "ete-1"), ("الجهة.csv", None)],
)
def test_a_name_from_the_file(tmp_path: Path, file: str, name: str | None) -> None:
    proposal = of_text(tmp_path, table(1, 2), file)
    assert name is None or proposal.name == name


# --- three languages, reasons, the packaged profiles ---


def test_reasons_in_three_languages(tmp_path: Path) -> None:
    rows = [["Titre (en MDH)"], ["Regionn", "Sexe", "x", "2014", "2015"],
            ["L'Orientall", "F", "a", "1,5", "-"], ["Fès-Meknès", "M", "b", "2,5", ".."],
            ["Total", "", "c", "3,5", "4 e"], ["Souss-Massa", "F", "d", "3,5", "4"]]  # fmt: skip
    proposal = of_text(tmp_path, rows)
    texts = {lang: proposal.to_yaml(lang) for lang in LANGUAGES}
    for lang, text in texts.items():
        # the braces of the remark on dashes are of the language itself
        plain = text.replace("{status: A, value: 0}", "").replace("{status: O}", "")
        said = [line.partition("#")[2] for line in plain.splitlines()]
        assert not any("{" in s or "None" in s for s in said), lang
        assert sum("[0." in s or "[1." in s for s in said) == len(proposal.reasons)
    assert len(set(texts.values())) == 3
    assert proposal.to_yaml() == texts["fr"]
    assert all(0 <= r.guess.confidence <= 1 for r in proposal.reasons)


def test_the_budget_annex_by_its_own_proposal(sample_dir: Path, tmp_path: Path) -> None:
    path = sample_dir / "repartition_ministeres_plf2025.xlsx"
    proposal = checked(sniff(path), tmp_path)
    assert proposal.known_as == ("maroc-repartition", 1.0)
    data = gbi.read(path, profile=proposal)
    columns = [data.origin(i).a1.rstrip("0123456789") for i in range(len(data))]
    assert data.frame.groupby(columns)["OBS_VALUE"].sum().to_dict() == {
        "B": 180_270_681_000, "C": 80_220_124_000, "D": 320_971_147_000,
        "E": 128_526_358_000, "F": 71_011_879_000, "G": 449_497_505_000,
    }  # fmt: skip
    assert {f.code for f in data.findings} == {"GBI-T002", "GBI-F013"}
    assert (
        sum(f.code == "GBI-T002" for f in data.findings) == remarks(proposal)["dashes"]["n"] == 21
    )
    assert set(data.frame["UNIT_MEASURE"]) == {"MAD"}
    declared = {**proposal.document, "dash": {"status": "A", "value": 0}}
    data = gbi.read(path, profile=gbi.ingest.Profile("declare", declared))
    assert {f.code for f in data.findings} == {"GBI-F013"}


def test_every_file_of_the_sample_has_a_proposal(sample_dir: Path, tmp_path: Path) -> None:
    for path in sorted(sample_dir.iterdir()):
        if format_of(path) is not None:
            checked(sniff(path), tmp_path)


@pytest.mark.slow
def test_every_real_file_has_a_proposal_that_loads(shared_dir: Path, tmp_path: Path) -> None:
    refused = set()
    proposed = 0
    for path in sorted((shared_dir / "data" / "real").rglob("*")):
        if not path.is_file() or format_of(path) is None:
            continue
        try:
            proposal = sniff(path)
        except GbiError as error:
            refused.add((path.name, error.code))
            continue
        checked(proposal, tmp_path)
        proposed += 1
    assert refused == {
        ("paygap.xml", "GBI-E066"),
        ("datapackage.json", "GBI-E061"),
        ("demography-structure.xml", "GBI-E066"),
    }
    assert proposed > 100


# --- nothing is applied ---


def test_nothing_is_left_and_detection_stays(tmp_path: Path) -> None:
    of_text(tmp_path, table(1, 2))
    (tmp_path / "propose.yaml").unlink()
    before = profiles()
    assert [p.name for p in tmp_path.iterdir()] == ["donnees.csv"]
    with pytest.raises(GbiError, match="GBI-E067"):
        gbi.read(tmp_path / "donnees.csv")
    assert profiles() == before
    assert of_text(tmp_path, table(1, 2)).known_as is None


def test_files_that_have_no_proposal(tmp_path: Path) -> None:
    (tmp_path / "vide.csv").write_text("", encoding="utf-8")
    (tmp_path / "texte.docx").write_text("x", encoding="utf-8")
    (tmp_path / "faux.xlsx").write_bytes(b"PK\x03\x04abc")
    openpyxl.Workbook().save(tmp_path / "vide.xlsx")
    for name, code, exit_code in (
        ("absent.csv", "GBI-E060", 2), ("texte.docx", "GBI-E066", 3), ("vide.csv", "GBI-E068", 3),
        ("vide.xlsx", "GBI-E068", 3), ("faux.xlsx", "GBI-E061", 3),
    ):  # fmt: skip
        with pytest.raises(GbiError) as caught:
            sniff(tmp_path / name)
        assert (caught.value.code, caught.value.exit_code) == (code, exit_code), name


@pytest.mark.parametrize(
    "rows", [[["x"]], [["Région", "Valeur"]], [["1", "2"], ["3", "4"]], [["a"], ["b"], ["c"]]]
)
def test_little_to_go_by_is_no_fault(tmp_path: Path, rows: Rows) -> None:
    of_text(tmp_path, rows)
