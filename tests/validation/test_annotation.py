"""The annotated copy: only fills change, a sheet is added, every other byte is the sender's."""

from __future__ import annotations

import hashlib
import random
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Border, Font, PatternFill, Side

from gbi import read_submission, validate
from gbi.dataset import SubmittedFile
from gbi.errors import GbiError
from gbi.findings import Cell, Finding, Severity, make_finding
from gbi.ingest.grid import a1
from gbi.ingest.safety import scan
from gbi.ingest.workbook import open_workbook
from gbi.provenance import Provenance
from gbi.resources import resource_path
from gbi.validation import ValidationReport
from gbi.validation.annotation import Annotated, annotate
from gbi.validation.findings_sheet import COLUMNS, HEADING
from gbi.validation.waivers import Waiver

pytestmark = pytest.mark.slow

NAMED = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_LINKS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
BOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SAMPLES = sorted(resource_path("samples", "maroc-plf2025").glob("*.xlsx"))
Place = tuple[str, str, Severity]


@dataclass
class Report:
    """What an annotation asks of a report."""

    raw: tuple[Finding, ...]
    files: tuple[SubmittedFile, ...]
    waivers: tuple[Waiver, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    truncation: Mapping[str, int] = field(default_factory=lambda: {"stored": 1, "counted": 1})

    def unmasked(self) -> tuple[Finding, ...]:
        return self.raw


def finding(
    path: Path, sheet: str, *cells: str, level: Severity = "warning", n: int = 0, **more: Any
) -> Finding:
    return make_finding(
        "GBI-A003", severity=level, cells=[Cell(path.name, sheet, c) for c in cells],
        key={"INDICATOR": f"I{n}"}, field="OBS_VALUE", **{"found": 12.5, "expected": 13.0} | more,
    )  # fmt: skip


def report(path: Path, findings: Iterable[Finding], **more: Any) -> ValidationReport:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = SubmittedFile(path.name, sha256, path.stat().st_size, "read")
    return cast("ValidationReport", Report(tuple(findings), (file,), **more))


def marked(path: Path, *places: Place, lang: str = "fr") -> Annotated:
    found = [finding(path, s, a, level=v, n=n) for n, (s, a, v) in enumerate(places)]
    return annotate(report(path, found), path, lang=lang)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def workbook(path: Path | None) -> openpyxl.Workbook:
    assert path is not None
    return openpyxl.load_workbook(path)


def values(path: Path) -> dict[str, dict[str, object]]:
    """Return what every cell holds, formulas as written, and its number format."""
    return {
        sheet.title: {
            c.coordinate: (getattr(c.value, "text", c.value), c.number_format, c.font.b)
            for row in sheet.iter_rows() for c in row if c.value is not None
        }
        for sheet in workbook(path).worksheets
    }  # fmt: skip


def kept(before: Path, after: Annotated, *changed: str) -> None:
    """Check that everything but the named parts is as it was, byte by byte."""
    assert after.path is not None
    old, new = parts(before), parts(after.path)
    differing = {name for name in old if old[name] != new[name]}
    assert differing <= NAMED | set(changed)
    assert list(old) == [n for n in new if n in old] or set(old) <= set(new)
    cells = values(after.path)
    del cells[after.sheet]
    assert cells == values(before)
    scan(after.path)


def package(path: Path, sheets: Mapping[str, str], *, book: str = "", prefix: str = "",
            space: str = MAIN, links: str = LINKS, more: Mapping[str, str | bytes] | None = None,
            descriptor: bool = False) -> Path:  # fmt: skip
    """Write a workbook whose XML is given; ``~`` stands for the prefix of the main namespace."""
    colon = f"{prefix}:" if prefix else ""
    declared = f'xmlns{":" + prefix if prefix else ""}="{space}"'
    names = list(sheets)
    listed = "".join(
        f'<~sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, name in enumerate(names, 1)
    )
    book = book or "<~sheets>{sheets}</~sheets>"
    held: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        f'ContentType="{BOOK_TYPE}"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="b" Type="{links}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<~workbook {declared} xmlns:r="{links}">'
        + book.replace("{sheets}", listed) + "</~workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        'package/2006/relationships">'
        + "".join(f'<Relationship Id="s{n}" Type="{links}/worksheet" Target="worksheets/s{n}.xml"/>'
                  for n in range(1, len(names) + 1)) + "</Relationships>",
    }  # fmt: skip
    for n, inner in enumerate(sheets.values(), 1):
        held[f"xl/worksheets/s{n}.xml"] = f"<~worksheet {declared}>{inner}</~worksheet>"
    held |= more or {}
    out: BytesIO = _Unseekable() if descriptor else BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            text = content.replace("~", colon) if isinstance(content, str) else content
            archive.writestr(name, text)
    path.write_bytes(out.getvalue())
    return path


class _Unseekable(BytesIO):
    """Where sizes can't be written back, a zip holds them behind the data."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def sheet_xml(path: Path | None, part: str = "xl/worksheets/s1.xml") -> str:
    assert path is not None
    return parts(path)[part].decode()


@pytest.fixture
def filed(tmp_path: Path) -> Path:
    """A workbook with what ministries use: formats, merged cells, names, comments, formulas."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "L'état"
    for row in range(1, 9):
        sheet.append([f"ligne {row}", row / 8, row * 1000])
    sheet["B3"].number_format = "0.0%"
    sheet["C3"].font, sheet["C3"].border = Font(bold=True), Border(top=Side("thick"))
    sheet["A1"].font, sheet["A1"].fill = Font(color="FFFFFFFF"), PatternFill("solid", "FF003366")
    sheet["C9"] = "=SUM(C1:C8)"
    sheet["A4"].comment = Comment("à vérifier", "DAF")
    sheet.merge_cells("A11:C12")
    sheet["A11"] = "Note"
    sheet.print_title_rows = "1:1"
    other = book.create_sheet("Données")
    other["B2"] = "x"
    other.auto_filter.ref = "A1:B2"
    other.print_title_rows = "2:2"
    book.active = 1
    path = tmp_path / "envoi.xlsx"
    book.save(path)
    return path


def test_a_marked_cell_keeps_its_style_but_for_its_fill(filed: Path) -> None:
    out = marked(filed, ("L'état", "B3", "blocking"), ("L'état", "C3", "warning"))
    kept(filed, out, "xl/worksheets/sheet1.xml")
    assert (out.path, out.findings, out.marked) == (filed.with_name("envoi.annote.xlsx"), 2, 2)
    sheet = workbook(out.path)["L'état"]
    assert sheet["B3"].number_format == "0.0%"
    assert sheet["C3"].font.b
    assert sheet["C3"].border.top.style == "thick"
    fills = {c: (sheet[c].fill.patternType, sheet[c].fill.bgColor.rgb) for c in ("B3", "C3", "B4")}
    assert fills["B3"][0] == "lightTrellis"
    assert fills["C3"][0] == "lightUp"
    assert fills["B3"][1] != fills["C3"][1]
    assert fills["B4"][0] is None


def test_light_text_stays_readable(filed: Path) -> None:
    out = marked(filed, ("L'état", "A1", "warning"), ("L'état", "A2", "warning"))
    sheet = workbook(out.path)["L'état"]
    grounds = [int(sheet[c].fill.bgColor.rgb[2:4], 16) for c in ("A1", "A2")]
    assert grounds[0] < 0x80 < grounds[1]
    assert sheet["A1"].font.color.rgb == "FFFFFFFF"


def test_cells_that_are_not_written_are_created_in_their_place(filed: Path) -> None:
    places = ("E3", "A20", "B9", "AA1", "C20", "A15")
    out = marked(filed, *(("L'état", a, "info") for a in places))
    kept(filed, out, "xl/worksheets/sheet1.xml")
    sheet = workbook(out.path)["L'état"]
    assert {a for a in places if sheet[a].fill.patternType == "gray125"} == set(places)
    xml = sheet_xml(out.path, "xl/worksheets/sheet1.xml")
    rows = [int(n) for n in re.findall(r'<row r="(\d+)"', xml)]
    assert rows == sorted(set(rows))
    for row in re.findall(r"<row .*?</row>", xml):
        columns = [len(c) * 100 + ord(c[-1]) for c in re.findall(r'<c r="([A-Z]+)', row)]
        assert columns == sorted(set(columns))
    assert '<dimension ref="A1:AA20"' in xml


def test_a_mark_inside_a_merged_area_shows_on_its_first_cell(filed: Path) -> None:
    out = marked(filed, ("L'état", "B12", "warning"), ("L'état", "A11", "blocking"))
    assert out.marked == 1
    assert workbook(out.path)["L'état"]["A11"].fill.patternType == "lightTrellis"


def test_the_gravest_holds_and_parties_are_marked_faintly(filed: Path) -> None:
    found = [
        finding(filed, "L'état", "B2", "C2", level="blocking", n=1),
        finding(filed, "L'état", "C2", level="info", n=2),
        finding(filed, "L'état", "B5", level="blocking", n=3),
    ]
    out = annotate(report(filed, found), filed, lang="fr")
    sheet = workbook(out.path)["L'état"]
    strong, party, alone = (sheet[c].fill for c in ("B2", "C2", "B5"))
    assert strong.bgColor.rgb == alone.bgColor.rgb != party.bgColor.rgb
    assert party.patternType == "lightTrellis"


def test_an_area_is_marked_whole_unless_it_is_vast(filed: Path) -> None:
    assert marked(filed, ("L'état", "A1:C3", "info")).marked == 9
    assert marked(filed, ("L'état", "A1:C9000", "info")).marked == 1
    assert marked(filed, ("L'état", "A1:XFE9", "info")).marked == 0
    assert marked(filed, ("L'état", "C:C", "info")).marked == 0


def test_names_and_views_move_on_by_one_sheet(filed: Path) -> None:
    out = marked(filed, ("Données", "B2", "info"))
    kept(filed, out, "xl/worksheets/sheet2.xml")
    book = workbook(out.path)
    assert book.sheetnames == ["GBI – Constats", "L'état", "Données"]
    assert book.active is not None
    assert book.active.title == "Données"
    assert book["L'état"].print_title_rows == "$1:$1"
    assert book["Données"].print_title_rows == "$2:$2"
    assert book["GBI – Constats"].print_title_rows == f"${HEADING}:${HEADING}"
    assert 'fullCalcOnLoad="1"' in parts(cast("Path", out.path))["xl/workbook.xml"].decode()
    selected = [s.title for s in book.worksheets if s.sheet_view.tabSelected]
    assert "GBI – Constats" not in selected


def test_the_findings_sheet_lists_links_and_asks(filed: Path) -> None:
    found = [finding(filed, "L'état", "B2", "C2", level="blocking"),
             finding(filed, "", "", n=4, level="info")]  # fmt: skip
    out = annotate(report(filed, found), filed, lang="fr")
    sheet = workbook(out.path)[out.sheet]
    heads = [c.value for c in sheet[HEADING]]
    assert heads == ["Gravité", "Règle", "Cellule", "Constat", "Lu", "Valeur lue", "Attendu",
                     "À faire", "Ligne concernée", "Identifiant", "Justification",
                     "Nom et fonction"]  # fmt: skip
    row = dict(zip(heads, sheet[HEADING + 1], strict=True))
    assert row["Gravité"].value == "Bloquant"
    assert row["Règle"].value == "GBI-A003"
    assert row["Cellule"].value == "L'état!B2"
    assert row["Cellule"].hyperlink.location == "'L''état'!B2"
    assert row["Valeur lue"].value == 12.5
    assert row["Lu"].value == found[0].message["fr"]["seen"]
    assert row["Attendu"].value == found[0].message["fr"]["expected"]
    assert row["À faire"].value == found[0].message["fr"]["fix"]
    assert row["Identifiant"].value == found[0].id
    assert row["Justification"].value is None
    assert row["Nom et fonction"].value is None
    assert sheet.cell(HEADING + 2, 3).value == "tout le fichier"
    assert sheet.cell(HEADING + 2, 3).hyperlink is None
    assert sheet.freeze_panes == f"A{HEADING + 1}"
    assert sheet.auto_filter.ref == f"A{HEADING}:L{HEADING + 2}"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert any(Provenance().fingerprint in str(c.value) for r in sheet["A1:A4"] for c in r)
    assert not sheet.sheet_view.rightToLeft


def test_findings_of_another_file_are_not_listed(filed: Path) -> None:
    other = finding(Path("autre.xlsx"), "L'état", "B2")
    out = annotate(report(filed, [other]), filed, lang="en")
    assert (out.findings, out.marked) == (0, 0)
    assert "No finding about this workbook." in str(workbook(out.path)[out.sheet]["A2"].value)


@pytest.mark.parametrize(
    ("lang", "name"),
    [("fr", "GBI – Constats"), ("ar", "GBI – الملاحظات"), ("en", "GBI – Findings")],
)
def test_the_sheet_is_in_the_officers_language(filed: Path, lang: str, name: str) -> None:
    out = marked(filed, ("L'état", "B2", "warning"), lang=lang)
    sheet = workbook(out.path)[name]
    assert out.sheet == name
    assert bool(sheet.sheet_view.rightToLeft) == (lang == "ar")
    assert "\u2066" not in "".join(str(c.value) for c in sheet[HEADING + 1])


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    path = package(tmp_path / "a.xlsx", {"gbi – constats": "<~sheetData/>"})
    assert marked(path, ("gbi – constats", "A1", "info")).sheet == "GBI – Constats (2)"


def test_texts_of_others_stay_texts(filed: Path) -> None:
    hostile = finding(filed, "L'état", "B2", found='=HYPERLINK("x")\x07<b>&', suggestion="@SUM(A1)")
    sheet = workbook(annotate(report(filed, [hostile]), filed, lang="fr").path)["GBI – Constats"]
    cell = sheet.cell(HEADING + 1, [n for n, _, _ in COLUMNS].index("found") + 1)
    assert cell.value == '=HYPERLINK("x")<b>&'
    assert cell.data_type == "s"


def test_the_original_is_untouched_and_the_copy_the_same_each_time(filed: Path) -> None:
    before = filed.read_bytes()
    first = marked(filed, ("L'état", "B2", "warning")).path
    assert first is not None
    content = first.read_bytes()
    marked(filed, ("L'état", "B2", "warning"))
    assert filed.read_bytes() == before
    assert first.read_bytes() == content
    assert sorted(p.name for p in filed.parent.iterdir()) == ["envoi.annote.xlsx", "envoi.xlsx"]


def test_a_folder_may_be_the_target(filed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "retour"
    folder.mkdir()
    assert annotate(report(filed, []), filed, folder).path == folder / "envoi.annote.xlsx"


# --- workbooks of other programs ---

CELLS = (
    '<~sheetData><~row r="2"><~c r="B2"><~v>1</~v></~c><~c r="C2" t="inlineStr"><~is><~t>a</~t>'
    '</~is></~c></~row><~row r="4" spans="1:3" s="0"/></~sheetData>'
)


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize(("space", "links"), [(MAIN, LINKS), (STRICT, STRICT_LINKS)])
@pytest.mark.parametrize("descriptor", [False, True])
def test_prefixes_strict_files_and_no_styles(
    tmp_path: Path, prefix: str, space: str, links: str, descriptor: bool
) -> None:
    path = package(tmp_path / "a.xlsx", {"S": CELLS}, prefix=prefix, space=space, links=links,
                   descriptor=descriptor)  # fmt: skip
    out = marked(path, *(("S", a, "warning") for a in ("B2", "A2", "B4", "D9")))
    assert out.path is not None
    new = parts(out.path)
    root = ElementTree.fromstring(new["xl/worksheets/s1.xml"])
    styled = {c.get("r") for c in root.iter(f"{{{space}}}c") if c.get("s")}
    assert styled == {"B2", "A2", "B4", "D9"}
    assert [r.get("r") for r in root.iter(f"{{{space}}}row")] == ["2", "4", "9"]
    types = new["[Content_Types].xml"].decode()
    assert "/xl/styles.xml" in types
    assert "/xl/worksheets/sheet.xml" in types
    assert f"{links}/styles" in new["xl/_rels/workbook.xml.rels"].decode()
    assert new["xl/worksheets/sheet.xml"].decode().count(space) == 1
    row_4 = next(r for r in root.iter(f"{{{space}}}row") if r.get("r") == "4")
    assert row_4.get("spans") is None
    with zipfile.ZipFile(out.path) as archive:
        assert not any(entry.flag_bits & 0x8 for entry in archive.infolist())
    with zipfile.ZipFile(path) as archive:
        assert any(entry.flag_bits & 0x8 for entry in archive.infolist()) == descriptor
    grids = {g.sheet: g for g in open_workbook(out.path, "a.xlsx").grids}
    assert grids["S"].rows[1][1:3] == [1.0, "a"]
    if space == MAIN:
        assert workbook(out.path)["S"]["D9"].fill.patternType == "lightUp"


def test_rows_and_cells_without_addresses_are_counted(tmp_path: Path) -> None:
    content = (
        "<~sheetData><~row><~c><~v>1</~v></~c><~c><~v>2</~v></~c></~row><~row/>"
        '<~row r="5"><~c r="C5"><~v>3</~v></~c><~c><~v>4</~v></~c></~row><~row><~c/></~row>'
        "</~sheetData>"
    )
    path = package(tmp_path / "a.xlsx", {"S": content})
    places = ("B1", "C1", "A2", "D5", "A6", "A3")
    out = marked(path, *(("S", a, "warning") for a in places))
    root = ElementTree.fromstring(sheet_xml(out.path))
    rows = [[(c.get("r"), c.get("s") is not None) for c in r] for r in root.iter(f"{{{MAIN}}}row")]
    assert rows == [
        [(None, False), (None, True), ("C1", True)], [("A2", True)], [("A3", True)],
        [("C5", False), (None, True)], [(None, True)],
    ]  # fmt: skip


def test_what_only_looks_like_a_cell_is_left_alone(tmp_path: Path) -> None:
    content = (
        '<~sheetData><!-- <~row r="1"><~c r="A1"/></~row> --><~row r="1"><!-- <~c r="A1"/> -->'
        '<~c r="A1" t="inlineStr"><~is><~t><![CDATA[<~c r="B1"/></~row>]]></~t></~is></~c></~row>'
        "</~sheetData>"
    )
    path = package(tmp_path / "a.xlsx", {"S": content})
    out = marked(path, ("S", "A1", "warning"), ("S", "B1", "warning"))
    root = ElementTree.fromstring(sheet_xml(out.path))
    assert [c.get("r") for c in root.iter(f"{{{MAIN}}}c") if c.get("s")] == ["A1", "B1"]
    assert [t.text for t in root.iter(f"{{{MAIN}}}t")] == ['<c r="B1"/></row>']
    assert '<!-- <row r="1"><c r="A1"/></row> -->' in sheet_xml(out.path)


def test_marks_and_quotes_inside_attributes(tmp_path: Path) -> None:
    content = (
        "<~sheetData><~row r='1' x='a>b'><~c r='A1' s='0' t='n'><~v>1</~v></~c></~row></~sheetData>"
    )
    path = package(tmp_path / "a.xlsx", {"S": content})
    out = marked(path, ("S", "A1", "warning"), ("S", "B1", "warning"))
    root = ElementTree.fromstring(sheet_xml(out.path))
    assert [c.get("r") for c in root.iter(f"{{{MAIN}}}c") if c.get("s") != "0"] == ["A1", "B1"]


def test_a_sheet_in_another_encoding(tmp_path: Path) -> None:
    xml = f'<?xml version="1.0" encoding="UTF-16"?><worksheet xmlns="{MAIN}">' + (
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>été</t></is></c></row>'
        "</sheetData></worksheet>"
    )
    path = package(
        tmp_path / "a.xlsx", {"S": ""}, more={"xl/worksheets/s1.xml": xml.encode("utf-16")}
    )
    out = marked(path, ("S", "A1", "warning"))
    root = ElementTree.fromstring(sheet_xml(out.path))
    assert [t.text for t in root.iter(f"{{{MAIN}}}t")] == ["été"]
    assert [c.get("s") for c in root.iter(f"{{{MAIN}}}c")] != [None]


def test_an_empty_cell_takes_the_format_of_its_row_or_column(tmp_path: Path) -> None:
    content = (
        '<~cols><~col min="2" max="3" width="9" style="1"/></~cols><~sheetData>'
        '<~row r="1" s="2" customFormat="1"/><~row r="2" s="2"/></~sheetData>'
    )
    formats = (
        '<~xf numFmtId="0" fillId="0"/><~xf numFmtId="10"/>'
        '<~xf numFmtId="4"><~protection locked="0"/></~xf>'
    )
    styles = f'<~styleSheet xmlns="{MAIN}"><~cellXfs count="3">{formats}</~cellXfs></~styleSheet>'
    links = {
        "xl/styles.xml": styles,
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package'
        f'/2006/relationships"><Relationship Id="s1" Type="{LINKS}/worksheet" '
        'Target="worksheets/s1.xml"/>'
        f'<Relationship Id="s2" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
    }  # fmt: skip
    path = package(tmp_path / "a.xlsx", {"S": content}, more=links)
    out = marked(path, *(("S", a, "warning") for a in ("B1", "B2", "A2", "C7")))
    sheet = workbook(out.path)["S"]
    codes = {c: sheet[c].number_format for c in ("B1", "B2", "A2", "C7")}
    assert codes == {"B1": "#,##0.00", "B2": "0.00%", "A2": "General", "C7": "0.00%"}
    assert not sheet["B1"].protection.locked
    assert sheet["B2"].protection.locked
    assert {sheet[c].fill.patternType for c in codes} == {"lightUp"}


def test_parts_of_the_index_stand_in_the_order_of_the_schema(tmp_path: Path) -> None:
    book = (
        '<~bookViews><~workbookView firstSheet="1"/><~workbookView activeTab="1"/></~bookViews>'
        "<~sheets>{sheets}</~sheets><~externalReferences/><~definedNames>"
        '<~definedName name="n" localSheetId="1">T!$A$1</~definedName>'
        '<~definedName name="m">S!$A$1</~definedName></~definedNames><~pivotCaches/>'
    )
    path = package(tmp_path / "a.xlsx", {"S": CELLS, "T": CELLS}, book=book)
    out = marked(path, ("S", "A1", "info"))
    root = ElementTree.fromstring(parts(cast("Path", out.path))["xl/workbook.xml"])
    assert [e.tag.partition("}")[2] for e in root] == [
        "bookViews", "sheets", "externalReferences", "definedNames", "calcPr", "pivotCaches",
    ]  # fmt: skip
    views = [(v.get("activeTab"), v.get("firstSheet")) for v in root[0]]
    assert views == [("1", "0"), ("2", "0")]
    ids = [s.get("sheetId") for s in root[1]]
    assert ids == ["3", "1", "2"]
    names = {n.get("name"): (n.get("localSheetId"), n.text) for n in root[3]}
    assert names["n"] == ("2", "T!$A$1")
    assert names["m"] == (None, "S!$A$1")
    assert names["_xlnm.Print_Titles"] == ("0", f"'GBI – Constats'!${HEADING}:${HEADING}")


# --- rounds ---


def test_a_second_round_replaces_the_sheet_and_takes_marks_away(filed: Path) -> None:
    first = marked(filed, ("L'état", "B2", "blocking"), ("L'état", "B5", "warning")).path
    assert first is not None
    again = [finding(first, "L'état", "B5", level="info", n=1)]
    why = Waiver({"id": again[0].id, "justification": "Chiffre révisé en mars", "by": "A. B."},
                 "refused", None, (again[0].id,))  # fmt: skip
    second = annotate(report(first, again, waivers=(why,)), first, lang="fr")
    book = workbook(second.path)
    assert book.sheetnames == ["GBI – Constats", "L'état", "Données"]
    fills = {c: book["L'état"][c].fill.patternType for c in ("B2", "B5")}
    assert fills == {"B2": None, "B5": "gray125"}
    sheet = book["GBI – Constats"]
    assert sheet.max_row == HEADING + 1
    assert [c.value for c in sheet[HEADING + 1]][-2:] == ["Chiffre révisé en mars", "A. B."]
    assert book["Données"].print_title_rows == "$2:$2"
    assert book.active is not None
    assert book.active.title == "Données"
    kept_cells = values(cast("Path", second.path))
    del kept_cells["GBI – Constats"]
    assert kept_cells == values(filed)


# --- refusals and errors ---


@pytest.mark.parametrize(
    ("part", "name", "reason"),
    [
        ("_xmlsignatures/sig1.xml", "a.xlsx", "signed"),
        ("xl/vbaProject.bin", "a.xlsx", "macros"),
        ("xl/macrosheets/sheet1.xml", "a.xlsx", "macros"),
        ("xl/other.xml", "a.xlsm", "macros"),
    ],
)
def test_what_must_not_be_rewritten_is_refused(
    tmp_path: Path, part: str, name: str, reason: str
) -> None:
    path = package(tmp_path / name, {"S": CELLS}, more={part: "<a/>"})
    out = marked(path, ("S", "A1", "info"))
    assert (out.path, out.reason) == (None, reason)
    assert out.explanation("fr")
    assert not list(tmp_path.glob("*.annote.xlsx"))


def test_a_macro_workbook_by_its_type_is_refused(tmp_path: Path) -> None:
    types = (
        '<Types xmlns="t"><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'
    )
    path = package(tmp_path / "a.xlsx", {"S": CELLS}, more={"[Content_Types].xml": types})
    assert marked(path, ("S", "A1", "info")).reason == "macros"


def test_an_encrypted_or_another_file_is_refused(tmp_path: Path) -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1")
    (tmp_path / "a.xlsx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le"))
    (tmp_path / "b.xls").write_bytes(ole)
    assert annotate(report(tmp_path / "a.xlsx", []), tmp_path / "a.xlsx").reason == "encrypted"
    assert annotate(report(tmp_path / "b.xls", []), tmp_path / "b.xls").reason == "format"
    ods = package(tmp_path / "c.ods", {"S": CELLS})
    assert annotate(report(ods, []), ods).reason == "format"


def test_errors_say_what_is_wrong(filed: Path, tmp_path: Path) -> None:
    about = report(filed, [finding(filed, "L'état", "B2")])
    for source, target, code in (
        (tmp_path / "absent.xlsx", None, "GBI-E060"),
        (filed, filed, "GBI-E090"),
        (filed, tmp_path / "no" / "such" / "x.xlsx", None),
    ):
        if code is None:
            assert annotate(about, source, target).path == target
            continue
        with pytest.raises(GbiError) as caught:
            annotate(about, source, target)
        assert caught.value.code == code
    filed.write_bytes(filed.read_bytes() + b" ")
    with pytest.raises(GbiError) as caught:
        annotate(about, filed)
    assert caught.value.code == "GBI-E090"
    broken = package(tmp_path / "b.xlsx", {"S": CELLS}, more={"xl/workbook.xml": "<a><b></a>"})
    with pytest.raises(GbiError) as caught:
        annotate(report(broken, []), broken)
    assert caught.value.code == "GBI-E061"


# --- real workbooks ---


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_random_cells_of_the_samples(path: Path, tmp_path: Path) -> None:
    rng = random.Random(7)
    places: list[Place] = [
        (
            sheet.title,
            a1(rng.randrange(sheet.max_row + 6), rng.randrange(sheet.max_column + 3)),
            level,
        )
        for sheet in workbook(path).worksheets
        for level in ("blocking", "warning", "info")
        for _ in range(4)
    ]
    found = [finding(path, s, a, level=v, n=n) for n, (s, a, v) in enumerate(places)]
    out = annotate(report(path, found), path, tmp_path, lang="ar")
    kept(path, out, *(n for n in parts(path) if n.startswith("xl/worksheets/sheet")))
    book = workbook(out.path)
    shown = [c for s, a, _ in places if not isinstance(c := book[s][a], MergedCell)]
    assert len(shown) > len(places) / 2
    assert all(c.fill.patternType for c in shown)


def test_the_samples_own_findings(tmp_path: Path) -> None:
    folder = resource_path("samples", "maroc-plf2025")
    checked = validate(read_submission(folder))
    for path in SAMPLES:
        out = annotate(checked, path, tmp_path, lang="fr")
        mine = [f for f in checked.unmasked() if f.file == path.name]
        assert out.findings == len(mine)
        kept(path, out, *(n for n in parts(path) if n.startswith("xl/worksheets/sheet")))
        book = workbook(out.path)
        assert all(
            book[f.sheet][f.a1].fill.patternType for f in mine if f.sheet and ":" not in f.a1
        )
