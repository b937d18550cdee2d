"""Bad input: each fault has a code, a place and a remedy, and nothing else is lost."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

import gbi
from gbi.errors import GbiError
from gbi.findings import Finding
from gbi.ingest import read_submission
from gbi.ingest.profile import load_profile
from gbi.ingest.safety import Limits, scan
from gbi.language import LANGUAGES
from gbi.resources import resource_path

SAMPLE = resource_path("samples", "maroc-plf2025")
BUDGET = "repartition_ministeres_plf2025.xlsx"
CHAINS = "chaines_resultats_plf2025.xlsx"
MARKING = "marquage_jeunesse_lf2024.xlsx"
STATISTICS = "statistiques_nationales_rbg2025.csv"

Change = Callable[[openpyxl.Workbook], None]


def of_files(submission: gbi.Submission) -> list[Finding]:
    """Return the findings about files, without the tables that a test's folder lacks."""
    return [f for f in submission.findings if f.code != "GBI-F024"]


def changed(tmp_path: Path, name: str, change: Change) -> list[Finding]:
    """Return what reading finds in a changed copy of a workbook, the catalogue beside it."""
    book = openpyxl.load_workbook(SAMPLE / name)
    change(book)
    book.save(tmp_path / name)
    shutil.copy(SAMPLE / "catalogue_indicateurs_plf2025.csv", tmp_path)
    report = gbi.validate(read_submission(tmp_path))
    assert report.exit_code() == 1
    for finding in report.findings:
        for lang in LANGUAGES:
            assert all(finding.message[lang].values()), finding.code
    mine = [f for f in report.findings if f.file == name and f.code[4] in "FSTC"]
    return [f for f in mine if f.code != "GBI-S007"]  # the sample's own


def test_a_renamed_sheet(tmp_path: Path) -> None:
    found = changed(tmp_path, BUDGET, lambda b: setattr(b.active, "title", "Feuil1"))
    assert [(f.code, f.sheet, f.found, f.expected) for f in found] == [
        ("GBI-S010", "Feuil1", "Feuil1", "Annexe 1")
    ]


def test_a_sheet_that_no_profile_knows(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.create_sheet("Brouillon")["A1"] = "à revoir"
        book.create_sheet("Vide")

    found = changed(tmp_path, CHAINS, change)
    assert [(f.code, f.sheet) for f in found] == [("GBI-S010", "Brouillon")]


def test_a_renamed_header_of_a_value(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["C4"] = "Matériel"

    found = changed(tmp_path, BUDGET, change)
    assert [(f.code, f.sheet, f.a1, f.found, f.expected) for f in found] == [
        ("GBI-S011", "Annexe 1", "C4", "Fonctionnement Matériel", "Fonctionnement MDD (2)")
    ]
    rest = read_submission(tmp_path)["budget"].frame
    assert len(rest) == 39 * 5
    assert "GOODS" not in set(rest["ECON_NATURE"])


def test_a_renamed_header_of_what_identifies_a_value(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["T16 Justice"]["A3"] = "Intitulé"

    found = changed(tmp_path, CHAINS, change)
    assert [(f.code, f.sheet, f.a1, f.expected) for f in found] == [
        ("GBI-S011", "T16 Justice", "A3", "Programmes")
    ]
    assert "JUSTICE" not in set(read_submission(tmp_path)["performance"].frame["DEPARTMENT"])


def test_a_title_that_does_not_name_the_department(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["T16 Justice"]["A1"] = "Justice"

    found = changed(tmp_path, CHAINS, change)
    assert ("GBI-S011", "T16 Justice", "A1", "Justice") in [
        (f.code, f.sheet, f.a1, f.found) for f in found
    ]


def test_an_unknown_ministry(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["A6"] = "COUR ROYAL"

    found = changed(tmp_path, BUDGET, change)
    assert {(f.code, f.a1, f.found, f.suggestion) for f in found} == {
        ("GBI-C001", "A6", "COUR ROYAL", "Cour royale")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("written", "code"),
    [("abc", "GBI-T001"), ("12O 000", "GBI-T001"), (None, "GBI-T001"), ("1,234", "GBI-T004"),
     ("12 %", "GBI-T003")],
)  # fmt: skip
def test_a_text_in_an_amount(tmp_path: Path, written: str | None, code: str) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["B6"] = written

    found = changed(tmp_path, BUDGET, change)
    assert [(f.code, f.sheet, f.a1, f.found) for f in found] == [
        (code, "Annexe 1", "B6", written or "")
    ]


def test_a_dash_where_the_table_gives_it_no_meaning(tmp_path: Path) -> None:
    lines = (SAMPLE / STATISTICS).read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("34125.0", "-")
    (tmp_path / STATISTICS).write_text("\n".join(lines), encoding="utf-8")
    data = gbi.read(tmp_path / STATISTICS)
    assert [(f.code, f.a1, f.found) for f in data.findings] == [("GBI-T002", "E2", "-")]
    assert data.frame["OBS_VALUE"].isna().sum() == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "a1", "suggestion"),
    [
        ("Population,milliers", "Populations,milliers", "GBI-C001", "A2", "Population"),
        ("Population,milliers", "Population,miliers", "GBI-T003", "B2", None),
        (",total,", ",genre=F,", "GBI-C003", "C2", None),
        (",total,", ",sexe=X,", "GBI-C003", "C2", None),
        (",2015,", ",15,", "GBI-C001", "D2", None),
    ],
)
def test_words_that_no_list_knows(
    tmp_path: Path, old: str, new: str, code: str, a1: str, suggestion: str | None
) -> None:
    lines = (SAMPLE / STATISTICS).read_text(encoding="utf-8").splitlines()
    assert old in lines[1]
    lines[1] = lines[1].replace(old, new)
    (tmp_path / STATISTICS).write_text("\n".join(lines), encoding="utf-8")
    (finding,) = gbi.read(tmp_path / STATISTICS).findings
    assert (finding.code, finding.a1) == (code, a1)
    assert suggestion is None or finding.suggestion == suggestion


def test_an_unknown_region(tmp_path: Path) -> None:
    name = "ecoles_regions_2024.csv"
    text = (SAMPLE / name).read_text(encoding="utf-8").replace("Souss-Massa", "Sousse", 1)
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = [f for f in gbi.read(tmp_path / name).findings if f.code != "GBI-P009"]
    assert [(f.code, f.a1, f.found) for f in found] == [("GBI-C002", "B10", "Sousse")]


def test_notes_end_a_table_and_an_indicator_called_note_does_not(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book["T14 Délégation interministériel"]
        sheet["C4"] = "Note moyenne des recommandations"
        sheet["A7"] = "(1) Chiffres provisoires."
        sheet["C8"], sheet["E8"] = "Source nouvelle", "5 %"

    changed(tmp_path, CHAINS, change)
    frame = read_submission(tmp_path)["performance"].frame
    mine = frame[frame["DEPARTMENT"] == "DIDH"]
    assert (
        mine["INDICATOR"].tolist()
        == ["Note moyenne des recommandations"] * 2 + ["Source nouvelle"] * 2
    )


# --- whole files ---


def protected(path: Path) -> None:
    """Write what a workbook with a password is: an OLE container with an encrypted package."""
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
    path.write_bytes(head + "EncryptedPackage".encode("utf-16-le") + bytes(512))


def damaged(path: Path) -> None:
    path.write_bytes((SAMPLE / BUDGET).read_bytes()[:3000])


def no_workbook(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 this is no workbook")


def plain_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")


def entity(path: Path) -> None:
    with zipfile.ZipFile(SAMPLE / BUDGET) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "xl/workbook.xml":
                content = b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + content
            new.writestr(entry.filename, content)


def far_cell(path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["XFD1048576"] = 1
    book.save(path)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (4 << 20))


def mixed(path: Path) -> None:
    """Write UTF-8 with one line from a program that writes Windows-1252."""
    lines = (SAMPLE / STATISTICS).read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "é".encode() in line)
    lines.insert(at + 1, lines[at].decode("utf-8").replace("’", "'").encode("cp1252", "replace"))
    path.write_bytes(b"".join(lines))


FILES: list[tuple[str, Callable[[Path], None], str, str]] = [
    ("a.xlsx", protected, "GBI-E062", "GBI-F004"),
    ("a.xlsx", damaged, "GBI-E061", "GBI-F001"),
    ("a.xlsx", no_workbook, "GBI-E061", "GBI-F001"),
    ("a.xlsx", plain_archive, "GBI-E066", "GBI-F001"),
    ("a.xlsx", entity, "GBI-E063", "GBI-F005"),
    ("a.xlsx", far_cell, "GBI-E063", "GBI-F005"),
    ("a.xlsx", bomb, "GBI-E063", "GBI-F005"),
    ("a.csv", mixed, "GBI-E064", "GBI-F003"),
    ("a.numbers", no_workbook, "GBI-E066", "GBI-F001"),
]


@pytest.mark.parametrize(("name", "make", "error", "finding"), FILES)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, name: str, make: Callable[[Path], None], error: str, finding: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(GbiError) as raised:
        gbi.read(tmp_path / name)
    assert (raised.value.code, raised.value.exit_code) == (error, 3)
    assert name in str(raised.value.where)
    for lang in LANGUAGES:
        assert len(raised.value.message(lang).splitlines()) >= 3
    with pytest.raises(GbiError) as alone:
        read_submission(tmp_path)
    assert alone.value.code == error
    shutil.copy(SAMPLE / MARKING, tmp_path)
    submission = read_submission(tmp_path)
    assert len(submission["marking"]) == 7
    assert [(f.code, f.file) for f in of_files(submission)] == [(finding, name)]
    assert {f.name: f.status for f in submission.files}[name] == "unreadable"
    assert gbi.validate(submission).exit_code() == 1


def test_the_line_of_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    mixed(tmp_path / "a.csv")
    lines = (SAMPLE / STATISTICS).read_bytes().splitlines()
    first = next(i for i, line in enumerate(lines, 1) if "é".encode() in line)
    with pytest.raises(GbiError) as raised:
        gbi.read(tmp_path / "a.csv")
    assert raised.value.where == f"a.csv:{first + 1}"


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    if name.endswith("xlsx"):
        openpyxl.Workbook().save(tmp_path / name)
    else:
        (tmp_path / name).write_text("", encoding="utf-8")
    submission = read_submission(tmp_path)
    assert [(f.code, f.file) for f in of_files(submission)] == [("GBI-F002", name)]
    assert gbi.validate(submission).exit_code() == 1
    with pytest.raises(GbiError) as raised:
        gbi.read(tmp_path / name)
    assert raised.value.code == "GBI-E068"


def test_headers_without_rows_are_an_empty_file(tmp_path: Path) -> None:
    first = (SAMPLE / STATISTICS).read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / STATISTICS).write_text(first + "\n", encoding="utf-8")
    assert [f.code for f in of_files(read_submission(tmp_path))] == ["GBI-F002"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    for call in (gbi.read, read_submission):
        with pytest.raises(GbiError) as raised:
            call(tmp_path / "absent")
        assert (raised.value.code, raised.value.exit_code) == ("GBI-E060", 2)


def test_a_folder_without_a_known_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "a.csv"):
        with pytest.raises(GbiError) as raised:
            read_submission(folder)
        assert (raised.value.code, raised.value.exit_code) == ("GBI-E067", 3)


def test_companions_and_locks_are_left_alone(tmp_path: Path) -> None:
    shutil.copy(SAMPLE / MARKING, tmp_path)
    for name in ("README.md", "~$marquage.xlsx", ".DS_Store", "data.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    submission = read_submission(tmp_path)
    assert {f.name: f.status for f in submission.files} == {
        MARKING: "read", "README.md": "ignored", "data.json": "unknown",
    }  # fmt: skip
    assert [f.code for f in of_files(submission)] == ["GBI-F006"]


def test_an_unknown_profile_and_another_table(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as raised:
        gbi.read(SAMPLE / BUDGET, profile="maroc-repartitions")
    assert (raised.value.code, raised.value.expected) == ("GBI-E065", "maroc-repartition")
    with pytest.raises(GbiError) as raised:
        gbi.read(SAMPLE / BUDGET, table="marking")
    assert raised.value.code == "GBI-E030"
    assert len(gbi.read(SAMPLE / BUDGET, table="budget", profile="maroc-repartition")) == 234


def test_limits_are_told_with_what_was_met(tmp_path: Path) -> None:
    for limits in (Limits(archive=10), Limits(entries=1), Limits(expanded=10), Limits(cells=10),
                   Limits(merged=1)):  # fmt: skip
        with pytest.raises(GbiError) as raised:
            scan(SAMPLE / CHAINS, limits)
        assert raised.value.code == "GBI-E063"
        assert raised.value.expected
        assert raised.value.got
    scan(SAMPLE / CHAINS)


def test_an_unknown_key_of_a_profile_is_refused_with_its_line(tmp_path: Path) -> None:
    text = resource_path("schemas", "profiles", "maroc-ecoles.yaml").read_text(encoding="utf-8")
    path = tmp_path / "p.yaml"
    path.write_text(text.replace("decimals: series", "decimal: series"), encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines.index("decimal: series") + 1
    with pytest.raises(GbiError) as raised:
        load_profile(path)
    assert raised.value.code == "GBI-E003"
    assert str(raised.value.where).startswith(f"p.yaml:{line}")
    broken = text.replace("{header: indicateur,", "{pattern: '[', example: a,")
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(GbiError) as raised:
        load_profile(path)
    assert raised.value.code == "GBI-E003"


def test_several_files_and_folders_are_one_submission(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    shutil.copy(SAMPLE / MARKING, tmp_path / "x")
    submission = read_submission([SAMPLE / BUDGET, tmp_path / "x"])
    assert set(submission.datasets) == {"budget", "marking"}
    assert {Path(f.name).name for f in submission.files} == {BUDGET, MARKING}


def test_a_formula_without_its_result_is_one_finding(tmp_path: Path) -> None:
    """The value is missing, not a text; the neighbours are read as before."""

    def change(book: openpyxl.Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet["B6"] = sheet["B7"] = "=1+1"

    found = changed(tmp_path, BUDGET, change)
    assert [(f.code, f.a1) for f in found] == [("GBI-F011", "B6:B7")]
    frame = read_submission(tmp_path)["budget"].frame
    assert frame["OBS_VALUE"].isna().sum() == 2 + 6  # the six that the annex doesn't split


def test_a_profile_of_another_shape_is_refused_and_microdata_have_none(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as raised:
        gbi.read(SAMPLE / BUDGET, profile="maroc-statistiques")
    assert (raised.value.code, raised.value.exit_code) == ("GBI-E071", 2)
    assert "maroc-statistiques" in str(raised.value.got)
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["id", "sexe", "poids"], [1, "F", 2.5], [2, "M", 1]):
        book.active.append(row)
    book.save(tmp_path / "enquete.xlsx")
    data = gbi.read(tmp_path / "enquete.xlsx", table="survey")
    assert data.frame.to_dict("list") == {
        "id": [1.0, 2.0], "sexe": ["F", "M"], "poids": [2.5, 1.0],
    }  # fmt: skip
    assert data.origin(1).a1 == "A3"
