"""Hostile files are refused before a parser sees them, in little memory and time."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import python_calamine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.ingest.archive import Archive
from gbi.ingest.grid import Opened
from gbi.ingest.safety import LIMITS, Limits, scan
from gbi.ingest.workbook import open_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
Parts = dict[str, bytes]


def parts(sheet: str = "", strings: str = "") -> Parts:
    """Return the parts of a small workbook, its sheet data and shared strings replaced."""
    made = BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = "texte"
    book.save(made)
    with zipfile.ZipFile(made) as archive:
        out = {name: archive.read(name) for name in archive.namelist()}
    if sheet:
        out[SHEET] = f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>'.encode()
    if strings:
        out[STRINGS] = f'<sst xmlns="{MAIN}">{strings}</sst>'.encode()
    return out


def write(path: Path, content: Parts) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def cells(markup: str) -> Callable[[Path], None]:
    return lambda path: write(path, parts(f"<sheetData>{markup}</sheetData>"))


def text(strings: str, markup: str = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
         ) -> Callable[[Path], None]:  # fmt: skip
    return lambda path: write(path, parts(f"<sheetData>{markup}</sheetData>", strings))


def part(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda path: write(path, {**parts(), name: data})


def entry(*names: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write(path, parts())
        with zipfile.ZipFile(path, "a") as archive:
            for name in names:
                info = zipfile.ZipInfo("x")
                info.filename = name  # as it is, not made harmless
                archive.writestr(info, b"x")

    return make


@pytest.mark.filterwarnings("ignore:Duplicate name")
def twice(path: Path) -> None:
    entry("xl/a.xml", "xl/a.xml")(path)


def gigabyte(path: Path) -> None:
    content = parts()
    del content[SHEET]
    write(path, content)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(SHEET, "w") as stream,
    ):
        stream.write(f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">'
                     '<c r="A1" t="inlineStr"><is><t>'.encode())  # fmt: skip
        for _ in range(1024):
            stream.write(b"a" * (1 << 20))
        stream.write(b"</t></is></c></row></sheetData></worksheet>")
    assert path.stat().st_size < 1.2 * (1 << 20)


def patched(path: Path, name: str, offset: int, data: bytes, *, local: int | None = None) -> None:
    """Overwrite bytes of an entry's record in the central directory (and in its local header)."""
    content = bytearray(path.read_bytes())
    at = content.rindex(name.encode()) - 46
    content[at + offset : at + offset + len(data)] = data
    if local is not None:
        begin = content.index(name.encode()) - 30
        content[begin + local : begin + local + len(data)] = data
    path.write_bytes(content)


def lying(path: Path) -> None:
    """A sheet of 64 MiB that claims to have 600 bytes, with the checksum of those."""
    content = parts()
    head = content[SHEET].replace(b"</sheetData>", b"")
    content[SHEET] = head + b"<row></row>" * 6_000_000
    write(path, content)
    said = content[SHEET][:600]
    patched(path, SHEET, 16, struct.pack("<L", zlib.crc32(said)))
    patched(path, SHEET, 24, struct.pack("<L", len(said)))


def larger(path: Path) -> None:
    """A sheet that claims to be larger than it is."""
    write(path, parts())
    patched(path, SHEET, 24, struct.pack("<L", 100_000))


def truncated(path: Path) -> None:
    write(path, parts())
    path.write_bytes(path.read_bytes()[:-40])


def hollow(path: Path) -> None:
    """Bytes lost in the middle of an entry."""
    content = parts()
    content[SHEET] += bytes(range(256)) * 64
    write(path, content)
    whole = bytearray(path.read_bytes())
    at = whole.index(SHEET.encode()) + 200
    whole[at : at + 40] = bytes(40)
    path.write_bytes(whole)


def two_directories(path: Path) -> None:
    """An honest workbook at the end, a hostile one before: readers may differ in which they see."""
    honest, hostile = BytesIO(), BytesIO()
    for made, markup in (
        (honest, "<row/>"),
        (hostile, '<row><c r="XFD1048576"><v>1</v></c></row>'),
    ):
        with zipfile.ZipFile(made, "w") as archive:
            for name, data in parts(f"<sheetData>{markup}</sheetData>").items():
                archive.writestr(name, data)
    path.write_bytes(hostile.getvalue() + honest.getvalue())


def locked(path: Path) -> None:
    write(path, parts())
    patched(path, SHEET, 8, b"\x01\x00", local=6)


def unknown_compression(path: Path) -> None:
    write(path, parts())
    patched(path, SHEET, 10, b"\x63\x00")


def ole(*words: str) -> Callable[[Path], None]:
    body = b"".join(w.encode("utf-16-le") for w in words)
    return lambda path: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + body)  # type: ignore[return-value]


def sheets(count: int, markup: str, *, same: bool = False) -> Callable[[Path], None]:
    """A workbook of many sheets, or of one sheet under many names."""

    def make(path: Path) -> None:
        content = parts(f"<sheetData>{markup}</sheetData>")
        relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        files = [SHEET if same else f"xl/worksheets/s{i}.xml" for i in range(count)]
        content |= dict.fromkeys(files, content[SHEET])
        listed = "".join(f'<sheet name="{i}" sheetId="{i + 1}" r:id="s{i}"/>' for i in range(count))
        content["xl/workbook.xml"] = (
            f'<workbook xmlns="{MAIN}" xmlns:r="{relation}"><sheets>{listed}</sheets></workbook>'
        ).encode()
        links = "".join(
            f'<Relationship Id="s{i}" Type="{relation}/worksheet" Target="/{file}"/>'
            for i, file in enumerate(files)
        )
        content["xl/_rels/workbook.xml.rels"] = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{links}</Relationships>"
        ).encode()
        write(path, content)

    return make


def other_suffix(path: Path) -> None:
    content = parts('<sheetData><row r="9"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    content["xl/worksheets/sheet1.png"] = content.pop(SHEET)
    links = "xl/_rels/workbook.xml.rels"
    content[links] = content[links].replace(b"sheet1.xml", b"sheet1.png")
    write(path, content)


def prefixed(path: Path) -> None:
    content = parts()
    content[SHEET] = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="XFD1048576"><x:v>1</x:v>'
        "</x:c></x:row></x:sheetData></x:worksheet>"
    ).encode()
    write(path, content)


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XXE = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
ROOT = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'
LONG = LIMITS.string + 1
RUNS = "<si>" + "<r><rPr><b/></rPr><t>dix lettre</t></r>" * 3_300 + "</si>"
REPEATED = "".join(
    f'<row r="{i}"><c r="A{i}" t="s"><v>0</v></c></row>' for i in range(1, 20_000)
)  # fmt: skip
NUMBERLESS = "<row>" + "<c><v>1</v></c>" * 20 + "</row>"

# file → how it is made, and the error; the limit that it breaks is named in ``expected``
HOSTILE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "far cell": (cells('<row r="1"><c r="A1"><v>1</v></c></row>'
                       '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "E063", "cells"),
    "far cell, prefix": (prefixed, "E063", "cells"),
    "far cell, quotes": (cells("<row r='1'><c r='XFD1048576'><v>1</v></c></row>"), "E063", "cells"),
    "far cell, order": (cells('<row><c s="0"\n r = "XFD1048576"><v>1</v></c></row>'),
                        "E063", "cells"),
    "far cell, small letters": (cells('<row><c r="xfd1048576"><v>1</v></c></row>'),
                                "E063", "cells"),
    "far cell, many letters": (cells('<row r="1"><c r="ZZZZZ1"><v>1</v></c></row>'),
                               "E063", "cells"),
    "far cell, no address": (cells('<row r="1048576">' + "<c><v>1</v></c>" * 9 + "</row>"),
                             "E063", "cells"),
    "far cell, row taken back": (
        cells('<row r="1048570"></row><row r="1"></row>' + NUMBERLESS), "E063", "cells"),
    "far cell, markup in an attribute": (
        cells('<row r="1"><c><v>1</v></c><c a="<row>"><v>1</v></c></row>'), "E061", ""),
    "far cell, other suffix": (other_suffix, "E063", "cells"),
    "no address": (cells('<row r="1"><c r="&#65;1"><v>1</v></c></row>'), "E061", ""),
    "far cell in each sheet": (sheets(9, '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
                               "E063", "cells"),
    "one part, many sheets": (sheets(900, "<row/>", same=True), "E061", ""),
    "50000 sheets": (sheets(50_000, "<row/>"), "E063", "entries"),
    "merge": (lambda p: write(p, parts(
        '<sheetData/><mergeCells><mergeCell ref="A1:XFD100000"/></mergeCells>')),
        "E063", "merged"),
    "gigabyte": (gigabyte, "E063", "B"),
    "long shared string": (text(f"<si><t>{'a' * LONG}</t></si>"), "E063", "characters"),
    "long string of runs": (text(RUNS), "E063", "characters"),
    "long string in the cell": (
        cells(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"b" * LONG}</t></is></c></row>'),
        "E063", "characters"),
    "long string marked raw": (
        text(f"<si><t><![CDATA[{'<a>' * (LONG // 3 + 1)}]]></t></si>"), "E063", "characters"),
    "repeated string": (text(f"<si><t>{'ab ' * 10_000}</t></si>", REPEATED), "E063", "text"),
    "billion laughs": (part(SHEET, (LAUGHS + ROOT).encode()), "E063", "document type"),
    "laughs in the strings": (part(STRINGS, LAUGHS.encode()), "E063", "document type"),
    "laughs in UTF-16": (part(SHEET, (LAUGHS + ROOT).encode("utf-16")), "E063", "document type"),
    "laughs in UTF-16, no mark": (part(SHEET, (LAUGHS + ROOT).encode("utf-16-be")),
                                  "E063", "document type"),
    "XXE": (part("xl/workbook.xml", XXE.encode()), "E063", "document type"),
    "XXE in the links": (part("xl/_rels/workbook.xml.rels", XXE.encode()),
                         "E063", "document type"),
    "XXE in the styles": (part("xl/styles.xml", XXE.encode()), "E063", "document type"),
    "parent": (entry("../evil.xml"), "E063", "entry names"),
    "parent, backslash": (entry("xl\\..\\..\\evil.xml"), "E063", "entry names"),
    "absolute": (entry("/etc/evil.xml"), "E063", "entry names"),
    "drive": (entry("C:evil.xml"), "E063", "entry names"),
    "twice": (twice, "E063", "each entry once"),
    "twice but for the case": (entry("xl/WORKBOOK.xml"), "E063", "each entry once"),
    "truncated": (truncated, "E061", ""),
    "hollow": (hollow, "E061", ""),
    "noise": (lambda p: p.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 9), "E061", ""),
    "lying": (lying, "E061", ""),
    "larger": (larger, "E061", ""),
    "compression": (unknown_compression, "E061", ""),
    "not well formed": (part("xl/workbook.xml", b"<workbook"), "E061", ""),
    "encrypted entry": (locked, "E062", ""),
    "encrypted": (ole("EncryptionInfo", "EncryptedPackage"), "E062", ""),
    "old workbook": (ole("Workbook"), "E066", ""),
    "document": (lambda p: write(p, {"[Content_Types].xml": b"<Types/>", "word/a.xml": b"<a/>"}),
                 "E066", ""),
}  # fmt: skip

CHILD = """
import json, sys, time
from pathlib import Path
from gbi.errors import GbiError
from gbi.ingest.workbook import open_workbook
for line in sys.stdin:
    path, start = Path(line.strip()), time.perf_counter()
    try:
        opened = open_workbook(path, path.name)
        out = {"code": "", "expected": "", "got": ""}
    except GbiError as error:
        out = {"code": error.code, "expected": error.expected, "got": error.got,
               "where": error.where, "exit": error.exit_code}
    out["time"] = time.perf_counter() - start
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    out["peak"] = sum(int(x.split()[1]) for x in lines if x.startswith("VmHWM"))
    print(json.dumps(out), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What one process met that opened all hostile files, one after the other."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for number, (make, _, _) in enumerate(HOSTILE.values()):
        paths.append(folder / f"{number}.xlsx")
        make(paths[-1])
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input="\n".join(map(str, paths)), capture_output=True,
        encoding="utf-8", timeout=300,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (len(lines), done.stderr[-2000:])
    assert done.stderr == ""
    return dict(zip(HOSTILE, map(json.loads, lines), strict=True))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused(kind: str, outcomes: dict[str, dict[str, object]]) -> None:
    met, (_, code, limit) = outcomes[kind], HOSTILE[kind]
    assert (met["code"], met["exit"]) == (f"GBI-{code}", 3), met
    assert limit in str(met["expected"] or ""), met
    assert str(met["where"]).endswith(".xlsx")
    assert float(str(met["time"])) < 10
    assert int(str(met["peak"])) < 600 * 1024  # kB; 0 where the system doesn't tell


def test_the_string_limit_holds_without_the_others(tmp_path: Path) -> None:
    gigabyte(tmp_path / "a.xlsx")
    with pytest.raises(GbiError) as raised:
        scan(tmp_path / "a.xlsx", Limits(ratio=10**6, expanded=1 << 31))
    assert (raised.value.code, raised.value.expected) == ("GBI-E063", "≤ 32767 characters")


LIST = f'<dataValidation sqref="A1"><formula1>"{"x" * 250}"</formula1></dataValidation>'

HONEST: dict[str, tuple[Callable[[Path], None], int]] = {
    "formatted far away": (cells('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="0"/></row>'
                                 '<row r="1048576" spans="1:2"><c r="XFD1048576" s="0"></c></row>'),
                           1),
    "row height at the end": (cells('<row r="1"><c r="A1"><v>1</v></c></row>'
                                    '<row r="1048576" ht="12"/>'), 1),
    "longest string": (text(f"<si><t>{'ع' * LIMITS.string}</t></si>"), 1),
    "longest string, escaped": (text(f"<si><t>{'&amp;' * LIMITS.string}</t></si>"), 1),
    "strings side by side": (text("<si><t>mille</t></si>" * 40_000), 1),
    "numbers that look like strings": (
        text(f"<si><t>{'long ' * 6_000}</t></si>", "".join(
            f'<row r="{i}"><c r="A{i}"><v>{i}.5</v></c></row>' for i in range(1, 6000))), 5999),
    "lists beside the cells": (
        lambda p: write(p, parts(
            '<sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1" s="0"/></row></sheetData>'
            f"<dataValidations>{LIST * 300}</dataValidations>")), 1),
    "no addresses": (cells(NUMBERLESS * 3), 3),
    "a second directory": (two_directories, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", HONEST)
def test_an_honest_file_is_not_refused(tmp_path: Path, kind: str) -> None:
    make, height = HONEST[kind]
    make(tmp_path / "a.xlsx")
    (grid,) = open_workbook(tmp_path / "a.xlsx", "a.xlsx").grids
    assert len(grid.rows) == height


@pytest.mark.parametrize("sheet", [1, 3])
def test_a_cell_across_the_end_of_a_block_is_seen(tmp_path: Path, sheet: int) -> None:
    """The far cell is found wherever a block of the scan ends."""
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'
    for shift in range(0, 60, 7):
        filler = "".join(row.format(i, "x" * 1000) for i in range(1, 1048 * sheet))
        far = '<row r="9999"><c r="XFD1048576"><v>1</v></c></row>'
        cells(row.format(1, "y" * shift) + filler + far)(tmp_path / "a.xlsx")
        with pytest.raises(GbiError) as raised:
            scan(tmp_path / "a.xlsx", Limits(ratio=10**6))
        assert raised.value.code == "GBI-E063"


def test_a_row_that_an_attribute_feigns_does_not_hide_the_real_one(tmp_path: Path) -> None:
    """Cells without addresses stand in the row before it, however far the feigned one is."""
    plain = '<c r="A1"><v>1</v></c>' * 60_000
    rows = f"<row r='1048570'><q a='<row r=\"1\">'/>{plain}{'<c><v>1</v></c>' * 9}</row>"
    cells(rows)(tmp_path / "a.xlsx")
    with pytest.raises(GbiError) as raised:
        scan(tmp_path / "a.xlsx", Limits(ratio=10**6))
    assert (raised.value.code, raised.value.expected) == ("GBI-E063", "≤ 5000000 cells")


PLACE = st.sampled_from(["", "", "A1", "B7", "C30", "AB3", "f4", "A{0}"])
CELL = st.builds(
    lambda place, form, body: form.format(f' r="{place}"' if place else "", body),
    PLACE,
    st.sampled_from(["<c{0}>{1}</c>", "<c s='0'{0}>{1}</c>", "<c{0} >{1}</c>", "<c{0}/>"]),
    st.sampled_from(["<v>1</v>", "<v>1</v>", "<f>A1</f><v>2</v>", "<is><t>x</t></is>", ""]),
)
NOISE = st.sampled_from([
    "<!-- <row> -->", "<!-- <row r='1'> -->", "<q a='<row r=\"1\">'/>", "<q a='<c>'/>",
    "<?x <row> ?>", "<!-- it's -->", "<q/>", "<row r='40'/>", "<row/>",
])  # fmt: skip
ROW = st.builds(
    lambda number, before, inside: f"{before}<row{number}>{''.join(inside)}</row>",
    st.sampled_from(["", "", " r='2'", " r='9'", ' r="25"', " ht='3' r='5'"]),
    st.one_of(st.just(""), st.just(""), NOISE),
    st.lists(st.one_of(CELL, CELL, CELL, CELL, NOISE), max_size=6),
)
PLAIN = {"parts": parts()}


@settings(max_examples=300, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(rows=st.lists(ROW, max_size=6), block=st.integers(40, 400))
def test_the_library_never_makes_a_grid_larger_than_was_counted(
    tmp_path: Path, rows: list[str], block: int
) -> None:
    """Wherever pieces end and whatever is feigned, one cell less than the grid is a refusal."""
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
    write(tmp_path / "a.xlsx", {**PLAIN["parts"], SHEET: sheet.encode()})
    try:
        book = python_calamine.CalamineWorkbook.from_path(tmp_path / "a.xlsx")
        grid = book.get_sheet_by_index(0)
    except python_calamine.CalamineError:
        return
    if (size := grid.total_height * grid.total_width) > 1:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gbi.ingest.archive._BLOCK", block)
            with pytest.raises(GbiError):
                scan(tmp_path / "a.xlsx", Limits(cells=size - 1))


def test_an_archive_with_a_second_directory_is_written_anew(tmp_path: Path) -> None:
    two_directories(tmp_path / "a.xlsx")
    assert not Archive((tmp_path / "a.xlsx").read_bytes(), "a.xlsx", LIMITS).unambiguous
    write(tmp_path / "a.xlsx", parts())
    assert Archive((tmp_path / "a.xlsx").read_bytes(), "a.xlsx", LIMITS).unambiguous


def test_merged_areas_are_counted_again_where_the_library_finds_them(tmp_path: Path) -> None:
    """Here they stand before the cells, where the scan doesn't look for any."""
    merges = '<mergeCells><mergeCell ref="A1:XFD100000"/></mergeCells>'
    markup = merges + "<cols> </cols>" * 200_000 + "<sheetData/>"
    write(tmp_path / "a.xlsx", parts(markup))
    with pytest.raises(GbiError) as raised:
        open_workbook(tmp_path / "a.xlsx", "a.xlsx", Limits(ratio=10**6))
    assert (raised.value.code, raised.value.got) == ("GBI-E063", "1638400000")


def test_macros_are_told_and_the_values_read(tmp_path: Path) -> None:
    part("xl/vbaProject.bin", b"\xd0\xcf")(tmp_path / "a.xlsm")
    opened: Opened = open_workbook(tmp_path / "a.xlsm", "a.xlsm")
    assert [(f.kind, f.area, f.detail) for f in opened.flags] == [
        ("active_content", "", "xl/vbaProject.bin")
    ]
    assert opened.grids[0].rows == [["texte"]]


def test_limits_from_settings() -> None:
    assert Limits.with_settings({}) == LIMITS
    assert Limits.with_settings({"archive": 10, "ratio": 3}) == Limits(archive=10, ratio=3)
    with pytest.raises(GbiError) as raised:
        Limits.with_settings({"archives": 10})
    assert (raised.value.code, raised.value.got) == ("GBI-E071", "archives")
    assert "archive, expanded, entries" in str(raised.value.expected)
    for value in (0, -1, True, "10", 1.5, None):
        with pytest.raises(GbiError) as raised:
            Limits.with_settings({"cells": value})
        assert (raised.value.code, raised.value.where) == ("GBI-E071", "limits.cells")


@pytest.mark.parametrize("name", ["archive", "entries", "expanded", "cells", "merged", "string"])
def test_each_limit_is_told_with_what_was_met(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.xlsx", parts(
        '<sheetData><row r="1"><c r="B1" t="str"><v>ab</v></c></row></sheetData>'
        '<mergeCells count="1"><mergeCell ref="B1:C1"/></mergeCells>'))  # fmt: skip
    scan(tmp_path / "a.xlsx")
    with pytest.raises(GbiError) as raised:
        scan(tmp_path / "a.xlsx", Limits.with_settings({name: 1}))
    assert raised.value.code == "GBI-E063"
    assert "1" in str(raised.value.expected)
    assert raised.value.got
