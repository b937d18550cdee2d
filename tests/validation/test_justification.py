"""The round trip: an officer answers in the copy, and the answers are read as waivers."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from gbi import read_submission, validate
from gbi.errors import GbiError
from gbi.findings import Finding
from gbi.ingest.returned import answer_columns, without_answers
from gbi.ingest.workbook import open_workbook
from gbi.resources import resource_path
from gbi.validation import ValidationReport
from gbi.validation.annotation import annotate
from gbi.validation.findings_sheet import HEADING
from gbi.validation.justification import read_justifications

NAME = "repartition_ministeres_plf2025.xlsx"
WHY = "Chiffre confirmé par la note du 3 mars 2025"


@pytest.fixture(scope="module")
def checked() -> ValidationReport:
    return validate(read_submission(resource_path("samples", "maroc-plf2025")))


def explained(report: ValidationReport) -> tuple[str, list[Finding]]:
    """Return the workbook with the most findings that can be explained, and these."""
    open_ones: dict[str, list[Finding]] = {}
    for finding in report.unmasked():
        if finding.severity != "blocking" and finding.code[4] not in "FSW":
            waivable = bool(report.document(finding.code)["waivable"])
            if finding.file.endswith(".xlsx") and waivable:
                open_ones.setdefault(finding.file, []).append(finding)
    return max(open_ones.items(), key=lambda item: len(item[1]))


def answered(copy: Path, answers: dict[str, tuple[object, object]]) -> None:
    """Fill the columns in as an officer does."""
    book = openpyxl.load_workbook(copy)
    sheet = book.worksheets[0]
    heads = [c.value for c in sheet[HEADING]]
    columns = [heads.index(h) + 1 for h in ("Identifiant", "Justification", "Nom et fonction")]
    for row in range(HEADING + 1, sheet.max_row + 1):
        given = answers.get(str(sheet.cell(row, columns[0]).value))
        if given is not None:
            sheet.cell(row, columns[1]).value, sheet.cell(row, columns[2]).value = given
    book.save(copy)


def annotated(report: ValidationReport, name: str, folder: Path, lang: str = "fr") -> Path:
    path = annotate(report, resource_path("samples", "maroc-plf2025", name), folder, lang=lang).path
    assert path is not None
    return path


def test_answers_become_waivers(checked: ValidationReport, tmp_path: Path) -> None:
    name, found = explained(checked)
    copy = annotated(checked, name, tmp_path)
    first, second = found[0], found[-1]
    assert first.id != second.id
    answered(copy, {first.id: (f"  {WHY}\n", "A. Benali, DAF"), second.id: ("court", None)})
    given = read_justifications(copy)
    given.sort(key=lambda w: str(w["by"]))
    assert [(w["id"], w["justification"], w["by"]) for w in given] == [
        (second.id, "court", ""), (first.id, WHY, "A. Benali, DAF"),
    ]  # fmt: skip
    assert all(w["file"] == copy.name and w["sheet"] == "GBI – Constats" for w in given)
    assert {w["a1"][0] for w in given} == {"K"}
    again = validate(read_submission(resource_path("samples", "maroc-plf2025")), waivers=given)
    waived = {f.id for f in again.unmasked() if f.status == "waived"}
    assert waived == {first.id}


def test_an_untouched_copy_holds_no_answer(checked: ValidationReport, tmp_path: Path) -> None:
    for lang in ("fr", "ar", "en"):
        assert read_justifications(annotated(checked, NAME, tmp_path, lang)) == []


def test_columns_in_any_order_with_ones_own(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["remarque"])
    sheet.append(["Name and function", "Evidence", "IDENTIFIER ", "Valid until", "Justification"])
    sheet.append(["A. B.", "note.pdf", "0123456789AB", date(2025, 12, 31), WHY])
    sheet.append(["", "", "0123456789ac", "31/12/2025", WHY])
    sheet.append(["", "", "0123456789ad", "", ""])
    book.save(path := tmp_path / "r.xlsx")
    full, partial = read_justifications(path)
    assert full == {"id": "0123456789ab", "justification": WHY, "by": "A. B.",
                    "evidence": "note.pdf", "expires": "2025-12-31", "file": "r.xlsx",
                    "sheet": "Sheet", "a1": "E3"}  # fmt: skip
    assert (partial["by"], partial["expires"]) == ("", "2025-12-31")


def test_the_findings_workbook_is_read_too(checked: ValidationReport, tmp_path: Path) -> None:
    from gbi.report.workbook import findings_workbook

    path = tmp_path / "constats.xlsx"
    path.write_bytes(findings_workbook(checked, lang="ar"))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = [c.value for c in sheet[1]]
    sheet.cell(2, heads.index("التبرير") + 1).value = WHY
    book.save(path)
    (waiver,) = read_justifications(path)
    assert waiver["justification"] == WHY
    assert waiver["id"] == sheet.cell(2, heads.index("المعرف") + 1).value


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(path := tmp_path / "x.xlsx")
    for source, code in ((path, "GBI-E091"), (tmp_path / "absent.xlsx", "GBI-E060")):
        with pytest.raises(GbiError) as caught:
            read_justifications(source)
        assert caught.value.code == code


def test_the_sheet_of_findings_is_no_figure(checked: ValidationReport, tmp_path: Path) -> None:
    opened = open_workbook(annotated(checked, NAME, tmp_path), NAME)
    left = without_answers(opened)
    assert len(left.grids) == len(opened.grids) - 1
    assert [answer_columns(g) for g in left.grids] == [None] * len(left.grids)
    original = open_workbook(resource_path("samples", "maroc-plf2025", NAME), NAME)
    assert [(g.sheet, g.rows) for g in left.grids] == [(g.sheet, g.rows) for g in original.grids]
    assert without_answers(left) is left


@pytest.mark.system
@pytest.mark.slow
def test_the_copies_open_in_libreoffice(checked: ValidationReport, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    folder = resource_path("samples", "maroc-plf2025")
    copies = [annotated(checked, p.name, tmp_path, "ar") for p in sorted(folder.glob("*.xlsx"))]
    for kind in ("pdf", "xlsx:Calc MS Excel 2007 XML"):
        subprocess.run(
            [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
             "--convert-to", kind, "--outdir", str(tmp_path / "out"), *map(str, copies)],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
    for copy in copies:
        assert (tmp_path / "out" / f"{copy.stem}.pdf").stat().st_size > 1000
        saved = tmp_path / "out" / copy.name
        before = {g.sheet: g for g in open_workbook(copy, copy.name).grids}
        after = {g.sheet: g for g in open_workbook(saved, saved.name).grids}
        assert list(before) == list(after)
        assert read_justifications(saved) == []
