"""Values stand where openpyxl, written independently, finds them."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from gbi.errors import GbiError
from gbi.ingest.grid import Grid
from gbi.ingest.workbook import open_workbook
from gbi.resources import resource_path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
Place = tuple[int, int]


def plain(value: Any) -> Any:
    """Return a value such that two readers' equal values are equal, their types included."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def filled(grid: Grid) -> dict[Place, Any]:
    return {
        (i, j): plain(value)
        for i, row in enumerate(grid.rows)
        for j, value in enumerate(row)
        if value != ""
    }


def decoded(value: Any) -> Any:
    """Return a text as the standard (22.9.2.19) reads it: openpyxl leaves ``_x000D_`` as it is."""
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), value)


def by_openpyxl(sheet: Any) -> dict[Place, Any]:
    return {
        (cell.row - 1, cell.column - 1): plain(decoded(cell.value))
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and cell.value != ""
    }


def compare(path: Path) -> int:
    """Compare all sheets of a workbook with what openpyxl reads; return how many there were."""
    grids = {g.sheet: g for g in open_workbook(path, path.name).grids}
    book = openpyxl.load_workbook(path, data_only=True)
    assert list(grids) == [s.title for s in book.worksheets]
    count = 0
    for sheet in book.worksheets:
        grid, expected = grids[sheet.title], by_openpyxl(sheet)
        assert filled(grid) == expected
        merged = {
            (row - 1, column - 1): (area.min_row - 1, area.min_col - 1)
            for area in sheet.merged_cells.ranges
            for row in range(area.min_row, area.max_row + 1)
            for column in range(area.min_col, area.max_col + 1)
            if (row, column) != (area.min_row, area.min_col)
        }
        assert dict(grid.merged) == merged
        errors = {c.coordinate for row in sheet.iter_rows() for c in row if c.data_type == "e"}
        assert expanded(grid, "error") == errors
        count += len(expected)
    book.close()
    return count


def expanded(grid: Grid, kind: str) -> set[str]:
    found = set()
    blank = openpyxl.Workbook().active
    for flag in grid.flags:
        if flag.kind == kind:
            first, _, last = flag.area.partition(":")
            found |= {c.coordinate for row in blank[f"{first}:{last or first}"] for c in row}
    return found


def written(path: Path, book: openpyxl.Workbook) -> Path:
    book.save(path)
    return path


def by_hand(path: Path, data: str, *, main: str = MAIN, **others: str) -> Path:
    """Write a workbook whose sheet (and other parts) are given as XML."""
    made = BytesIO()
    openpyxl.Workbook().save(made)
    with zipfile.ZipFile(made) as source:
        content = {name: source.read(name) for name in source.namelist()}
    content[SHEET] = f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>'.encode()
    content |= {f"xl/{part}.xml": markup.encode() for part, markup in others.items()}
    with zipfile.ZipFile(path, "w") as out:
        for name, data_of in content.items():
            out.writestr(name, data_of)
    return path


def rows_of(path: Path) -> list[list[Any]]:
    (grid,) = open_workbook(path, path.name).grids
    return [list(row) for row in grid.rows]


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_real_workbooks(shared_dir: Path) -> None:
    """Every cell of every real workbook: value, address, merged areas, errors."""
    paths = [p for p in sorted((shared_dir / "data").rglob("*.xls[xm]")) if p.is_file()]
    assert len(paths) >= 8
    assert sum(map(compare, paths)) > 60_000


@pytest.mark.parametrize(
    "path", sorted(resource_path("samples").rglob("*.xlsx")), ids=lambda p: p.stem
)
def test_the_sample(path: Path) -> None:
    assert compare(path) > 50


LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)
TEXTS = st.text(LETTERS, min_size=1, max_size=30).filter(lambda t: t[0] not in "=#")
VALUES = st.one_of(
    TEXTS,
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**14), 10**14),
    st.booleans(),
    st.datetimes(datetime(1905, 1, 1), datetime(2200, 1, 1)).map(
        lambda d: d.replace(microsecond=0)
    ),
    st.sampled_from(["#REF!", "#N/A", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!"]),
    st.sampled_from(["&amp;", "<v>1</v>", " bord ", "_x000D_", "a\nb", "é̀ ع", "0012", "1e5"]),
)
CELLS = st.dictionaries(st.tuples(st.integers(0, 40), st.integers(0, 30)), VALUES, max_size=25)
AREAS = st.lists(st.tuples(*[st.integers(1, 6)] * 4), max_size=1)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=CELLS, areas=AREAS, epoch=st.booleans())
def test_generated_workbooks(
    tmp_path: Path, cells: dict[Place, Any], areas: list[tuple[int, ...]], epoch: bool
) -> None:
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = CALENDAR_MAC_1904
    for (row, column), value in cells.items():
        book.active.cell(row + 1, column + 1).value = value
    for top, left, down, across in areas:
        book.active.merge_cells(start_row=top, start_column=left, end_row=top + down,
                                end_column=left + across)  # fmt: skip
    compare(written(tmp_path / "a.xlsx", book))


def test_kinds_of_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for value in (True, False, 0, -1.5, 1e300, "x", datetime(2025, 3, 1, 14, 30), date(2025, 3, 1),
                  time(14, 30), timedelta(hours=30), 12345678901):  # fmt: skip
        book.active.append([value])
    found = [row[0] for row in rows_of(written(tmp_path / "a.xlsx", book))]
    assert found == [True, False, 0, -1.5, 1e300, "x", datetime(2025, 3, 1, 14, 30),
                     date(2025, 3, 1), time(14, 30), timedelta(hours=30),
                     12345678901]  # fmt: skip
    assert [type(v) for v in found[:2]] == [bool, bool]
    assert type(found[7]) is date


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    wanted = [0.30000000000000004, 5e-324, 1.7976931348623157e308, -0.1, 123456789012345.67]
    data = "".join(f"<row><c><v>{v!r}</v></c></row>" for v in wanted)
    assert [row[0] for row in rows_of(by_hand(tmp_path / "a.xlsx", data))] == wanted


def test_the_date_system_of_1904(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active["A1"] = date(2025, 12, 31)
    path = written(tmp_path / "a.xlsx", book)
    with zipfile.ZipFile(path) as archive:
        days = (date(2025, 12, 31) - date(1904, 1, 1)).days
        assert f"<v>{days}</v>".encode() in archive.read(SHEET)
    assert rows_of(path) == [[date(2025, 12, 31)]]


def test_a_number_is_no_date_because_of_its_unit(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    formats = ['#,##0 "dh"', '0.0"m"', "[Red]0", "0\\d", '_-* #,##0 "MDH"_-', "General", "0.00E+00"]
    for code in formats:
        book.active.append([45000])
        book.active.cell(book.active.max_row, 1).number_format = code
    assert rows_of(written(tmp_path / "a.xlsx", book)) == [[45000]] * len(formats)


def test_texts_of_every_kind(tmp_path: Path) -> None:
    strings = (
        f'<sst xmlns="{MAIN}"><si><t>simple</t></si><si><r><t xml:space="preserve">en </t></r>'
        '<r><rPr><b/></rPr><t>gras</t></r></si><si><t xml:space="preserve"> bord </t></si>'
        "<si><t/></si></sst>"
    )
    shared = "".join(f'<c t="s"><v>{i}</v></c>' for i in range(4))
    data = (
        f'<row r="1">{shared}</row><row r="2"><c t="inlineStr"><is><t>dans</t></is></c>'
        '<c t="str"><f>A1</f><v>calculé &amp; lu</v></c><c t="inlineStr"><is><r><t>a</t></r>'
        "<r><t>b</t></r></is></c></row>"
    )
    path = by_hand(tmp_path / "a.xlsx", data, sharedStrings=strings)
    assert rows_of(path) == [["simple", "en gras", " bord ", ""],
                             ["dans", "calculé & lu", "ab", ""]]  # fmt: skip


def test_rich_text_written_by_openpyxl(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["B2"] = CellRichText("Part ", TextBlock(InlineFont(b=True), "des femmes"))
    assert rows_of(written(tmp_path / "a.xlsx", book)) == [["", ""], ["", "Part des femmes"]]


def test_addresses_left_out_and_prefixes(tmp_path: Path) -> None:
    data = "<row><c><v>1</v></c><c/><c><v>2</v></c></row><row/><row><c><v>3</v></c></row>"
    wanted = [[1, "", 2], ["", "", ""], [3, "", ""]]
    assert rows_of(by_hand(tmp_path / "a.xlsx", data)) == wanted
    compare(tmp_path / "a.xlsx")


def test_shared_formulas_have_their_values(tmp_path: Path) -> None:
    data = (
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">B1*2</f><v>4</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>6</v></c></row>'
        '<row r="3"><c r="A3"><f t="array" ref="A3:A4">B1:B2</f><v>7</v></c></row>'
    )
    assert rows_of(by_hand(tmp_path / "a.xlsx", data)) == [[4], [6], [7]]


@pytest.mark.parametrize("error", ["#ERROR!", "#GETTING_DATA", "#SPILL!", "Err:502", "#VALEUR!"])
def test_errors_that_the_library_does_not_know(tmp_path: Path, error: str) -> None:
    data = (
        f'<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="e"><v>{error}</v></c></row><row r="2">'
        f"<c r='A2' s='0' t='e' vm='1'><f>X(1)</f><v>{error}</v></c>"
        f'<c r="B2" t="e"><f t="shared" si="0"/><v>{error}</v></c>'
        f'<c r="C2" t="str"><v>{error}</v></c></row>'
    )
    path = by_hand(tmp_path / "a.xlsx", data)
    assert rows_of(path) == [[1, error, ""], [error, error, error]]
    (grid,) = open_workbook(path, "a.xlsx").grids
    assert expanded(grid, "error") == {"B1", "A2", "B2"}


def test_the_strict_namespace(tmp_path: Path) -> None:
    """Excel's "Strict Open XML Spreadsheet" has other namespaces everywhere."""
    loose = by_hand(tmp_path / "loose.xlsx", '<row r="2"><c r="B2" t="e"><v>#N/A</v></c></row>')
    with zipfile.ZipFile(loose) as source, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as out:
        for name in source.namelist():
            content = source.read(name).replace(MAIN.encode(), STRICT.encode())
            if not name.endswith("Types].xml"):
                content = content.replace(
                    OFFICE.encode(), b"http://purl.oclc.org/ooxml/officeDocument/relationships"
                )
            out.writestr(name, content)
    (grid,) = open_workbook(tmp_path / "a.xlsx", "a.xlsx").grids
    assert filled(grid) == {(1, 1): "#N/A"}
    assert [(f.kind, f.area) for f in grid.flags] == [("error", "B2")]


def test_a_chart_sheet_is_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.create_chartsheet("Graphique").add_chart(BarChart())
    book.create_sheet("Après")["B1"] = "#N/A"
    path = written(tmp_path / "a.xlsx", book)
    grids = open_workbook(path, path.name).grids
    assert [(g.sheet, filled(g)) for g in grids] == [("Sheet", {(0, 0): 1}),
                                                     ("Après", {(0, 1): "#N/A"})]  # fmt: skip


def test_a_sheet_without_cells(tmp_path: Path) -> None:
    assert rows_of(by_hand(tmp_path / "a.xlsx", "")) == []


def test_the_name_is_the_submissions(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "a.xlsx", '<row r="1"><c r="A1"><v>1</v></c></row>')
    (grid,) = open_workbook(path, "dossier/a.xlsx").grids
    assert (grid.file, str(grid.cell(0, 0).file)) == ("dossier/a.xlsx", "dossier/a.xlsx")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(GbiError) as raised:
        open_workbook(path, "dossier/a.xlsx")
    assert raised.value.where == "dossier/a.xlsx"


def test_what_the_library_refuses_is_a_damaged_file(tmp_path: Path) -> None:
    for data in ('<row r="1"><c r="A1" t="s"><v>99</v></c></row>', "<row><c></row>"):
        with pytest.raises(GbiError) as raised:
            open_workbook(by_hand(tmp_path / "a.xlsx", data), "a.xlsx")
        assert (raised.value.code, raised.value.exit_code) == ("GBI-E061", 3)


@pytest.mark.system
def test_a_workbook_saved_by_libreoffice(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office is not None, "LibreOffice is part of make test-all"
    book = openpyxl.Workbook()
    for value in (1.5, "texte", True, date(2025, 3, 1), "=1/0", "=B1*2", "=NA()", '=""'):
        book.active.append([None, value])
    book.active.merge_cells("A10:C11")
    book.active.row_dimensions[2].hidden = True
    written(tmp_path / "a.xlsx", book)
    out = tmp_path / "out"
    subprocess.run(
        [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "xlsx", "--outdir", str(out), str(tmp_path / "a.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    compare(out / "a.xlsx")
    (grid,) = open_workbook(out / "a.xlsx", "a.xlsx").grids
    assert [row[1] for row in grid.rows[:8]] == [1.5, "texte", True, date(2025, 3, 1), "#DIV/0!", 3,
                                                 "#N/A", ""]  # fmt: skip
    assert [(f.kind, f.area) for f in grid.flags] == [
        ("error", "B5"), ("error", "B7"), ("hidden_row", "A2:B2"),
    ]  # fmt: skip
