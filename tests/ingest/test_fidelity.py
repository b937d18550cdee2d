"""What a workbook says beside its values becomes a flag, at its cell."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbi.ingest.fidelity import is_scaled
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.workbook import open_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
Told = list[tuple[str, str, str]]
Change = Callable[[openpyxl.Workbook], None]


def parts(change: Change | None = None) -> dict[str, bytes]:
    made, book = BytesIO(), openpyxl.Workbook()
    book.active["A1"] = 1
    if change is not None:
        change(book)
    book.save(made)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def opened(path: Path, content: dict[str, bytes]) -> Opened:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return open_workbook(path, path.name)


def sheet(path: Path, data: str, before: str = "") -> Grid:
    """Return a sheet written by hand."""
    markup = f'<worksheet xmlns="{MAIN}">{before}<sheetData>{data}</sheetData></worksheet>'
    return opened(path, {**parts(), SHEET: markup.encode()}).grids[0]


def told(grid: Grid | Opened) -> Told:
    return [(f.kind, f.area, f.detail) for f in grid.flags]


def built(path: Path, change: Change) -> Opened:
    return opened(path, parts(change))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xlsx"


def test_a_plain_sheet_has_no_flag(path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["B2"] = 'texte t="e" <f>=[1]A!B1</f> hidden="1"'
        book.active["B3"] = 2.5

    done = built(path, change)
    assert told(done) == told(done.grids[0]) == []


def test_errors_are_values_and_flags(path: Path) -> None:
    error = '<c r="{0}" t="e"><v>{1}</v></c>'.format
    rows = "".join(
        f'<row r="{i}"><c r="A{i}"><v>{i}</v></c>{error(f"H{i}", "#REF!")}</row>'
        for i in range(2, 6)
    )
    rows += "<row r='6'><c t='e' s='0' r='H6'><f>1/0</f><v>#DIV/0!</v></c></row>"
    rows += f'<row r="8">{error("H8", "#REF!")}</row>'
    grid = sheet(path, rows)
    assert told(grid) == [("error", "H2:H5", "#REF!"), ("error", "H6", "#DIV/0!"),
                          ("error", "H8", "#REF!")]  # fmt: skip
    assert [grid.value(r, 7) for r in range(1, 8)] == [*["#REF!"] * 4, "#DIV/0!", "", "#REF!"]


@pytest.mark.parametrize("address", ["A1", "Z99", "AA10", "AZ1000", "AAA5", "ABC123"])
def test_addresses_of_every_length(path: Path, address: str) -> None:
    cell = f'<c r="{address}" t="e"><v>#N/A</v></c>'
    assert told(sheet(path, f"<row>{cell}</row>")) == [("error", address, "#N/A")]
    assert told(sheet(path, f"<row r='7'>{cell}</row>")) == [("error", address, "#N/A")]


def test_errors_in_cells_without_addresses(path: Path) -> None:
    grid = sheet(path, '<row><c><v>1</v></c></row><row/><row><c/><c t="e"><v>#N/A</v></c></row>')
    assert told(grid) == [("error", "B3", "#N/A")]
    assert grid.value(2, 1) == "#N/A"


def test_errors_under_a_prefix(path: Path) -> None:
    markup = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="2"><x:c r="B2" t="e"><x:v>#NAME?'
        "</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    grid = opened(path, {**parts(), SHEET: markup.encode()}).grids[0]
    assert told(grid) == [("error", "B2", "#NAME?")]


def test_formulas_without_a_value(path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for row in (2, 3, 4, 6):
            book.active[f"B{row}"] = f'=A{row}&"&"'

    assert told(built(path, change).grids[0]) == [
        ("formula_without_value", "B2:B4", '=A2&"&"'), ("formula_without_value", "B6", '=A6&"&"'),
    ]  # fmt: skip


def test_what_counts_as_a_value_of_a_formula(path: Path) -> None:
    cells = [
        '<c r="A1"><f>B1</f></c>', '<c r="A2"><f>B1</f><v/></c>', '<c r="A3"><f>B1</f><v></v></c>',
        '<c r="A5"><f t="shared" si="0"/></c>', '<c r="A6"><f t="shared" si="0"/><v/></c>',
        '<c r="A8"><f>B1</f><v>0</v></c>', '<c r="A9" t="str"><f>B1</f><v></v></c>',
        '<c r="A10" t="str"><f>B1</f></c>', '<c r="A11"><f t="shared" si="0"/><v>1</v></c>',
        '<c r="A12" t="b"><f ca="1">B1</f><v>0</v></c>', "<c r='A13'><f >B1</f > <v /></c>",
    ]  # fmt: skip
    grid = sheet(path, "".join(f"<row>{c}</row>" for c in cells))
    assert [(k, a) for k, a, _ in told(grid)] == [
        ("formula_without_value", a) for a in ("A1:A3", "A5:A6", "A10", "A13")
    ]


def linked(data: str) -> dict[str, bytes]:
    """Return a workbook whose formulas know two other workbooks and a data exchange."""
    out = parts()
    out[SHEET] = f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>'.encode()
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    out[book] = out[book].replace(
        b"</sheets>",
        f'</sheets><externalReferences xmlns:q="{OFFICE}"><externalReference q:id="x2"/>'
        '<externalReference q:id="x1"/><externalReference q:id="x3"/>'
        "</externalReferences>".encode(),
    )
    for n in (1, 2, 3):
        name = f"xl/externalLinks/externalLink{n}.xml"
        inside = "ddeLink" if n == 3 else "externalBook"
        out[name] = f'<externalLink xmlns="{MAIN}"><{inside}/></externalLink>'.encode()
        relation = f'<Relationship Id="x{n}" Type="{OFFICE}/externalLink" Target='
        out[links] = out[links].replace(
            b"</Relationships>",
            f'{relation}"externalLinks/externalLink{n}.xml"/></Relationships>'.encode(),
        )
        if n < 3:
            out[name.replace("Links/", "Links/_rels/") + ".rels"] = (
                f'<Relationships xmlns="{LINKS}">{relation}"file:///C:\\Users\\x\\Base%20{n}.xlsx"'
                ' TargetMode="External"/></Relationships>'
            ).encode()
    return out


def formulas(*texts: str) -> str:
    return "".join(
        f'<row r="{i}"><c r="C{i}">{f if f.startswith("<") else f"<f>{f}</f>"}<v>5</v></c></row>'
        for i, f in enumerate(texts, 1)
    )


def test_formulas_to_other_workbooks_name_them(path: Path) -> None:
    done = opened(path, linked(formulas(
        "[1]Feuil1!A1", "'[1]Mes d''onnées'!A1+1", "SUM([2]Feuil1!A1:B2)", "[2]!Total",
        "Tableau1[Montant]*2", "Tableau1[[#This Row],[a]]+Feuil2!A1", "Tableau1[a]+'Ma feuille'!A1",
        "&quot;[1]A!B1&quot;", "A1", "'C:\\d\\[Autre.xlsx]F'!A1", "[9]F!A1",
    )))  # fmt: skip
    assert told(done.grids[0]) == [
        ("external_formula", "C1:C2", "Base 2.xlsx"), ("external_formula", "C3:C4", "Base 1.xlsx"),
        ("external_formula", "C10", "Autre.xlsx"), ("external_formula", "C11", "9"),
    ]  # fmt: skip
    assert told(done) == [
        ("active_content", "", "xl/externalLinks/externalLink1.xml"),
        ("active_content", "", "xl/externalLinks/externalLink2.xml"),
        ("active_content", "", "xl/externalLinks/externalLink3.xml ddeLink"),
    ]


def test_shared_formulas_to_another_workbook(path: Path) -> None:
    first = '<f t="shared" ref="C1:C3" si="4">[2]F!A1</f>'
    rest = '<f t="shared" si="4"/>'
    grid = opened(path, linked(formulas(first, rest, rest, '<f t="shared" si="5"/>'))).grids[0]
    assert told(grid) == [("external_formula", "C1:C3", "Base 1.xlsx")]


def test_an_address_that_is_there_twice(path: Path) -> None:
    cell = '<c r="{0}"><v>{1}</v></c>'.format
    rows = [cell("A1", 1) + cell("B1", 2) + cell("A1", 3), cell("A2", 1), cell("A2", 1)]
    grid = sheet(path, "".join(f"<row>{r}</row>" for r in rows))
    assert told(grid) == [("duplicate_cell", "A1:A2", "")]


def test_cells_out_of_order_are_no_duplicates(path: Path) -> None:
    grid = sheet(path, '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>'
                       '<row r="1"><c r="A1"><v>3</v></c></row>')  # fmt: skip
    assert told(grid) == []
    assert [list(r) for r in grid.rows] == [[3, ""], [2, 1]]


def test_hidden_rows_and_columns_that_hold_data(path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        active = book.active
        for row in range(1, 9):
            active.append([row, None, "x", "y", "z"])
        for row in (2, 3, 6, 20):
            active.row_dimensions[row].hidden = True
        for column in "BCDZ":
            active.column_dimensions[column].hidden = True

    grid = built(path, change).grids[0]
    assert told(grid) == [("hidden_row", "A2:E3", ""), ("hidden_row", "A6:E6", ""),
                          ("hidden_column", "C1:D9", "")]  # fmt: skip


def test_hidden_said_in_words_and_without_row_numbers(path: Path) -> None:
    grid = sheet(path, "<row><c><v>1</v></c></row><row hidden='true'><c><v>2</v></c></row>"
                       '<row hidden="0"><c><v>3</v></c></row><row hidden="false"/>',
                 '<cols><col min="2" max="16384" hidden="true"/></cols>')  # fmt: skip
    assert told(grid) == [("hidden_row", "A2", "")]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_that_hold_data(path: Path, state: str) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for name in ("Cachée", "Vide"):
            book.create_sheet(name).sheet_state = state
        book["Cachée"]["A1"] = "x"

    done = built(path, change)
    assert {g.sheet: told(g) for g in done.grids} == {
        "Sheet": [], "Cachée": [("hidden_sheet", "", state)], "Vide": [],
    }  # fmt: skip


def test_formats_that_show_thousands(path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for row in range(2, 6):
            book.active[f"B{row}"], book.active[f"C{row}"] = 1_250_000, "texte"
            for cell in (f"B{row}", f"C{row}", f"D{row}"):
                book.active[cell].number_format = '#,##0,\\ "kDH"'
        book.active["B4"].number_format = "#,##0"
        book.active["A2"], book.active["A3"] = 0.5, 3e9
        book.active["A2"].number_format, book.active["A3"].number_format = "0.0,%", "0.0,,"

    assert told(built(path, change).grids[0]) == [
        ("scaled_format", "A2", "0.0,%"), ("scaled_format", "B2:B3", '#,##0,\\ "kDH"'),
        ("scaled_format", "A3", "0.0,,"), ("scaled_format", "B5", '#,##0,\\ "kDH"'),
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "scaled"), [
    ("#,##0", False), ("#,##0,", True), ("#,##0,,", True), ("0,", True), ("0.0,", True),
    ("#,##0.00,;[Red]-#,##0.00,", True), ("#,##0;-#,##0,", True), ("0,.0", True), ("0,%", True),
    ('#,##0"a,"', False), ('#,##0" ,"', False), ('#,##0, "M€"', True), ("#,##0\\,", False),
    ("#, ##0", False), ("# ##0,00", False), ("dd, mmmm", False), ("General", False), ("@", False),
    ("[$-409]d, mmm", False), ("_-* #,##0_-;-* #,##0_-;_-* \"-\"??_-;_-@_-", False),
    ("_-* #,##0,_-", True), ("0_,", False), ("[>=1000]#,##0,;0", True), ("", False),
])  # fmt: skip
def test_number_formats(code: str, scaled: bool) -> None:
    assert is_scaled(code) is scaled


def test_active_content_is_told(path: Path) -> None:
    names = ["xl/vbaProject.bin", "xl/embeddings/oleObject1.bin", "xl/connections.xml",
             "xl/macrosheets/sheet1.xml", "xl/activeX/activeX1.bin"]  # fmt: skip
    others = ["customXml/item1.xml", "xl/media/image1.png", "xl/externalLinks/_rels/a.xml.rels"]
    done = opened(path, {**parts(), **dict.fromkeys([*names, *others], b"<a/>")})
    assert told(done) == [("active_content", "", n) for n in names]


def test_flags_survive_the_ends_of_blocks(path: Path) -> None:
    """Over several blocks of the scan one area stays one flag, at its address."""
    rows = [
        f'<row r="{i}"><c r="A{i}" t="inlineStr"><is><t>{"é" * (i % 97)}{i}</t></is></c>'
        f'<c r="B{i}" t="e"><v>#N/A</v></c><c r="C{i}"><f>[1]F!A{i}</f><v>1</v></c>'
        f'<c r="D{i}"><f>A{i}</f></c></row>'
        for i in range(1, 30_001)
    ]  # fmt: skip
    grid = sheet(path, "".join(rows))
    assert told(grid) == [
        ("error", "B1:B30000", "#N/A"), ("external_formula", "C1:C30000", "1"),
        ("formula_without_value", "D1:D30000", "=A1"),
    ]  # fmt: skip
    assert all(row[1] == "#N/A" for row in grid.rows)


def test_very_many_areas_become_few(path: Path) -> None:
    """The list of flags stays short, and no error is lost from the values."""
    rows = "".join(f'<row r="{i}"><c r="A{i}" t="e"><v>#N/A</v></c></row>'
                   for i in range(1, 40_001, 2))  # fmt: skip
    grid = sheet(path, rows)
    assert len(grid.flags) == 10_001
    assert grid.flags[-1] == Flag("error", "A20001:A39999", "#N/A")
    assert sum(row[0] == "#N/A" for row in grid.rows) == 20_000


Place = tuple[int, int]
PLACES = st.tuples(st.integers(1, 60), st.integers(1, 30))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(PLACES, st.sampled_from(["error", "formula", "scaled", "text"]), min_size=1))
def test_every_cell_is_flagged_for_what_it_is(path: Path, cells: dict[Place, str]) -> None:
    """The areas cover exactly the cells of their kind."""

    def change(book: openpyxl.Workbook) -> None:
        active = book.active
        active["A1"] = None
        for (row, column), kind in cells.items():
            cell = active.cell(row, column)
            cell.value = {"error": "#REF!", "formula": "=1+1", "scaled": 5, "text": "#,##0,"}[kind]
            cell.number_format = "0," if kind == "scaled" else "General"

    names = {"error": "error", "formula_without_value": "formula", "scaled_format": "scaled"}
    found: dict[Place, str] = {}
    for kind, area, _ in told(built(path, change).grids[0]):
        for row in openpyxl.Workbook().active[area if ":" in area else f"{area}:{area}"]:
            for cell in row:
                assert (cell.row, cell.column) not in found
                found[cell.row, cell.column] = names[kind]
    assert found == {place: kind for place, kind in cells.items() if kind != "text"}
