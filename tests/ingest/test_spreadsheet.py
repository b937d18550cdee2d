"""Values and addresses of .xls, .xlsb and .ods; hostile ones are refused by a code, in bounds."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xlwt

from gbi.errors import GbiError
from gbi.ingest.biff import _sheet, xls_extents
from gbi.ingest.compound_file import stream_of
from gbi.ingest.extent import COPY
from gbi.ingest.formats import FORMATS
from gbi.ingest.grid import Flag, Opened, a1
from gbi.ingest.safety import LIMITS, Limits
from gbi.ingest.spreadsheet import open_ods, open_xls, open_xlsb

DAY, MOMENT = datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 13, 5)


def opened(path: Path, limits: Limits = LIMITS) -> Opened:
    by_suffix = {".xls": open_xls, ".xlsb": open_xlsb, ".ods": open_ods}
    return by_suffix[path.suffix](path, path.name, limits)


def code(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(GbiError) as raised:
        opened(path, limits)
    assert (raised.value.where, raised.value.exit_code) == (path.name, 3)
    return raised.value.code


def values(grid: Any) -> dict[str, Any]:
    return {
        a1(r, c): v for r, row in enumerate(grid.rows) for c, v in enumerate(row) if v != ""
    }  # fmt: skip


# --- .xls ---


def styled(number_format: str) -> xlwt.XFStyle:
    return xlwt.easyxf(num_format_str=number_format)


def save(book: xlwt.Workbook, path: Path) -> Path:
    book.save(str(path))
    return path


def written_xls(path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Dépenses")
    sheet.write(1, 1, "الوزارة")
    sheet.write(2, 2, 1.5)
    sheet.write(3, 0, True)
    sheet.write(4, 0, DAY, styled("DD/MM/YYYY"))
    sheet.write(4, 1, MOMENT, styled("DD/MM/YYYY HH:MM"))
    sheet.write(5, 0, 0.125, styled("0.0%"))
    sheet.row(6).set_cell_error(0, 0x17)
    sheet.row(7).set_cell_error(0, 0x17)
    sheet.row(8).set_cell_error(0, 0x2A)
    sheet.write_merge(9, 10, 0, 2, "Titre")
    sheet.write(11, 255, 7)
    book.add_sheet("Vide")
    hidden = book.add_sheet("Brouillon")
    hidden.write(0, 0, "x")
    hidden.visibility = 1
    return save(book, path)


def test_an_xls_keeps_values_types_and_addresses(tmp_path: Path) -> None:
    got = opened(written_xls(tmp_path / "a.xls"))
    sheet, empty, hidden = got.grids
    assert values(sheet) == {
        "B2": "الوزارة", "C3": 1.5, "A4": True, "A5": DAY, "B5": MOMENT, "A6": 0.125,
        "A7": "#REF!", "A8": "#REF!", "A9": "#N/A", "A10": "Titre", "IV12": 7,
    }  # fmt: skip
    assert type(sheet.rows[3][0]) is bool
    assert type(sheet.rows[4][0]) is datetime.date
    assert (sheet.file, sheet.sheet, empty.sheet, empty.rows) == ("a.xls", "Dépenses", "Vide", [])
    assert sheet.flags == (Flag("error", "A7:A8", "#REF!"), Flag("error", "A9", "#N/A"))
    assert hidden.flags == (Flag("hidden_sheet", "", "hidden"),)
    assert [sheet.value(r, c) for r in (9, 10) for c in (0, 1, 2)] == ["Titre"] * 6
    assert sheet.cell(10, 2).a1 == "A10"
    assert len(sheet.merged) == 5
    assert got.flags == (Flag("low_fidelity", "", "xls"),)


def test_an_xls_of_many_shared_texts_of_all_lengths(tmp_path: Path) -> None:
    # the table of texts runs over many records; a text may be cut, its letters one byte or two
    texts = [("é" if i % 3 else "ج") * (i % 700) + f"{i}" for i in range(3000)]
    book = xlwt.Workbook()
    sheet = book.add_sheet("s")
    for i, text in enumerate(texts):
        sheet.write(i, 0, text)
    path = save(book, tmp_path / "a.xls")
    assert [row[0] for row in opened(path).grids[0].rows] == texts

    (extent,) = xls_extents(path.read_bytes(), "n", LIMITS)
    assert extent.text == sum(len(t) + COPY for t in texts)
    assert (extent.rows, extent.columns, extent.cells) == (3000, 1, 3000)


def test_a_chart_in_a_sheet_does_not_hide_the_merged_areas_after_it(tmp_path: Path) -> None:
    bof, eof = struct.pack("<HH", 0x809, 16) + bytes(16), struct.pack("<HH", 0x0A, 0)
    value = struct.pack("<HHHHHd", 0x203, 14, 3, 2, 0, 1.5)
    area = struct.pack("<HHH4H", 0xE5, 10, 1, 9, 10, 0, 2)
    next_sheet = bof + struct.pack("<HHHHHd", 0x203, 14, 900, 2, 0, 1.5) + eof
    extent = _sheet(bof + value + bof + eof + area + eof + next_sheet, 0, [])
    assert (extent.rows, extent.columns, extent.merged) == (4, 3, [((9, 0), (10, 2))])


def patched(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert content.count(old) >= 1
    path.write_bytes(content.replace(old, new))
    return path


def obfuscated(path: Path) -> Path:
    """An .xls with a password: the record that says so, of the kind that parsers overlook."""
    written_xls(path)
    content = path.read_bytes()
    at = content.index(b"\x5c\x00\x70\x00")
    path.write_bytes(content[:at] + b"\x2f\x00\x70\x00\x00\x00" + content[at + 6 :])
    return path


def test_the_password_of_an_xls(tmp_path: Path) -> None:
    assert code(obfuscated(tmp_path / "a.xls")) == "GBI-E062"
    patched(tmp_path / "a.xls", b"\x2f\x00\x70\x00\x00\x00", b"\x2f\x00\x70\x00\x01\x00")
    assert code(tmp_path / "a.xls") == "GBI-E062"


def test_a_small_xls_in_the_mini_stream(tmp_path: Path) -> None:
    path = written_xls(tmp_path / "a.xls")
    stream = stream_of(path.read_bytes(), ("Workbook",), "n")
    path.write_bytes(compound_file("Workbook", stream[:3000]))
    assert stream_of(path.read_bytes(), ("Book", "Workbook"), "n") == stream[:3000]


def compound_file(title: str, stream: bytes) -> bytes:
    """An OLE file with one stream shorter than 4,096 bytes."""
    mini = -(-len(stream) // 64)
    sectors = -(-mini * 64 // 512)
    end, free = 0xFFFFFFFE, 0xFFFFFFFF

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", start, size)

    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack(
        "<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 2, 1, end, 0, 0
    )
    fat = [0xFFFFFFFD, end, end, *range(4, 3 + sectors), end]
    mini_fat = [*range(1, mini), end]

    def table(numbers: list[int]) -> bytes:
        return b"".join(struct.pack("<I", n) for n in numbers).ljust(512, b"\xff")

    directory = entry("Root Entry", 5, 1, 3, mini * 64) + entry(title, 2, free, 0, len(stream))
    return (
        head.ljust(512, b"\xff") + table(fat) + directory.ljust(512, b"\0") + table(mini_fat)
        + stream.ljust(sectors * 512, b"\0")
    )  # fmt: skip


# --- .xlsb: nothing writes it, so its records are made here ([MS-XLSB]) ---


def record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, rest = b"", len(data)
    while True:
        length += bytes([rest & 0x7F | (0x80 if rest > 127 else 0)])
        rest >>= 7
        if not rest:
            return head + length + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def row(number: int, *cells: bytes) -> bytes:
    return record(0, struct.pack("<II", number, 0) + bytes(17)) + b"".join(cells)


def cell(kind: int, column: int, data: bytes) -> bytes:
    return record(kind, struct.pack("<II", column, 0) + data)


def sheet_part(*rows: bytes, merged: Iterable[tuple[int, int, int, int]] = ()) -> bytes:
    areas = [record(176, struct.pack("<4I", *a)) for a in merged]
    return b"".join([
        record(129), record(148, bytes(16)), record(145), *rows, record(146),
        record(177, struct.pack("<I", len(areas))), *areas, record(178), record(130),
    ])  # fmt: skip


def xlsb(path: Path, sheets: dict[str, bytes], shared: list[str] = []) -> Path:  # noqa: B006
    bundle = [
        record(156, struct.pack("<II", 0, i) + wide(f"rId{i}") + wide(title))
        for i, title in enumerate(sheets, 1)
    ]
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}" Target="worksheets/sheet{i}.bin"/>'
        for i in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        book = [record(131), record(143), *bundle, record(144), record(157), record(132)]
        archive.writestr("xl/workbook.bin", b"".join(book))
        archive.writestr(
            "xl/_rels/workbook.bin.rels", f"<Relationships>{relations}</Relationships>"
        )
        texts = [record(19, b"\0" + wide(t)) for t in shared]
        size = struct.pack("<II", len(shared), len(shared))
        archive.writestr("xl/sharedStrings.bin", record(159, size) + b"".join(texts) + record(160))
        for i, part in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{i}.bin", part)
    return path


def number(column: int, value: float) -> bytes:
    return cell(5, column, struct.pack("<d", value))


def shared_text(column: int, index: int) -> bytes:
    return cell(7, column, struct.pack("<I", index))


def test_an_xlsb_keeps_values_types_and_addresses(tmp_path: Path) -> None:
    part = sheet_part(
        row(1, shared_text(1, 1), number(2, 1.5)),
        row(2, cell(6, 0, wide("en ligne")), cell(4, 1, b"\1")),
        row(4, cell(3, 0, b"\x17")),
        row(5, cell(11, 3, b"\x07" + bytes(10))),  # a formula's error: beyond all other cells
        row(FAR, cell(1, 16_383, b"")),  # an empty cell with a format doesn't count
        merged=[(1, 2, 1, 1)],
    )
    path = xlsb(tmp_path / "a.xlsb", {"Dépenses": part, "Vide": sheet_part()}, ["x", "الوزارة"])
    got = opened(path)
    sheet, empty = got.grids
    assert values(sheet) == {
        "B2": "الوزارة", "C2": 1.5, "A3": "en ligne", "B3": True, "A5": "#REF!", "D6": "#DIV/0!"
    }  # fmt: skip
    assert (sheet.sheet, empty.sheet, empty.rows) == ("Dépenses", "Vide", [])
    assert sheet.flags == (Flag("error", "A5", "#REF!"), Flag("error", "D6", "#DIV/0!"))
    assert sheet.merged == {(2, 1): (1, 1)}
    assert got.flags == (Flag("low_fidelity", "", "xlsb"),)


# --- .ods ---

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>{doctype}<office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
    "<office:body><office:spreadsheet>"
)
TAIL = "</office:spreadsheet></office:body></office:document-content>"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(path: Path, body: str, manifest: str = "", doctype: str = "", kind: str = ODS) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        archive.writestr("content.xml", HEAD.replace("{doctype}", doctype) + body + TAIL)
        archive.writestr(
            "META-INF/manifest.xml",
            f"<manifest:manifest xmlns:manifest='urn:m'>{manifest}</manifest:manifest>",
        )
    return path


def table(*rows: str, name: str = "T") -> str:
    return f'<table:table table:name="{name}">{"".join(rows)}</table:table>'


def ods_row(*cells: str, repeated: int = 1) -> str:
    times = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{times}>{''.join(cells)}</table:table-row>"


def text(shown: str, attributes: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="string" {attributes}><text:p>{shown}</text:p>'
        "</table:table-cell>"
    )


def gap(repeated: int) -> str:
    return f'<table:table-cell table:number-columns-repeated="{repeated}"/>'


def columns(repeated: int) -> str:
    return f'table:number-columns-repeated="{repeated}"'


def test_an_ods_keeps_values_types_and_addresses(tmp_path: Path) -> None:
    value = '<table:table-cell office:value-type="{}" office:{}="{}" {}/>'
    failed = 'calcext:value-type="error" office:string-value=""'
    body = table(
        ods_row(gap(3), repeated=2),
        ods_row(gap(1), text("الوزارة"), value.format("float", "value", "1.5", columns(2))),
        ods_row(value.format("date", "date-value", "2024-03-01", ""),
                value.format("date", "date-value", "2024-03-01T13:05:00", ""),
                value.format("boolean", "boolean-value", "true", "")),
        ods_row(value.format("percentage", "value", "0.125", ""), gap(16383)),
        ods_row(text("#REF!", failed), repeated=2),
        ods_row(text("#DIV/0!", 'table:formula="of:=1/0" office:string-value=""')),
        ods_row(text("Titre", 'table:number-columns-spanned="2" table:number-rows-spanned="2"'),
                "<table:covered-table-cell/>", text("#1")),
        ods_row('<table:covered-table-cell table:number-columns-repeated="2"/>'),
        ods_row(gap(16384), repeated=1048560),
    )  # fmt: skip
    got = opened(ods(tmp_path / "a.ods", body + table(ods_row(gap(5)), name="Vide")))
    sheet, empty = got.grids
    assert values(sheet) == {
        "B3": "الوزارة", "C3": 1.5, "D3": 1.5, "A4": DAY, "B4": MOMENT, "C4": True, "A5": 0.125,
        "A6": "#REF!", "A7": "#REF!", "A8": "#DIV/0!", "A9": "Titre", "C9": "#1",
    }  # fmt: skip
    assert type(sheet.rows[3][0]) is datetime.date
    assert sheet.merged == {(8, 1): (8, 0), (9, 0): (8, 0), (9, 1): (8, 0)}
    assert sheet.flags == (Flag("error", "A6:A7", "#REF!"), Flag("error", "A8", "#DIV/0!"))
    assert (empty.sheet, empty.rows) == ("Vide", [])
    assert got.flags == (Flag("low_fidelity", "", "ods"),)


@pytest.mark.system
def test_an_ods_by_libreoffice_holds_what_its_xls_held(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed")
    source = written_xls(tmp_path / "a.xls")
    subprocess.run(
        [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "ods", "--outdir", str(tmp_path), str(source)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    before, after = opened(source), opened(tmp_path / "a.ods")
    for old, new in zip(before.grids, after.grids, strict=True):
        assert (old.sheet, values(old), old.merged) == (new.sheet, values(new), new.merged)
        assert old.flags == new.flags


# --- real files ---


def column(rows: Any, title: str) -> list[Any]:
    at = next(i for i, v in enumerate(rows[0]) if str(v).startswith(title))
    return [r[at] for r in rows[1:] if r[at] != ""]


def test_the_graduates_of_tunisia(shared_dir: Path) -> None:
    rows = opened(shared_dir / "data/real/tun_diplomes_2022/fact_diplomes.xls").grids[0].rows
    assert len(rows) == 2084
    sums = {c: sum(column(rows, f"diplomes_{c}")) for c in ("M", "F", "total")}
    assert sums == {"M": 16722, "F": 38948, "total": 55670}


def test_the_delegations_of_cameroon(shared_dir: Path) -> None:
    folder = shared_dir / "data/real/cmr_delegations_bip_2011"
    sheet, *others = opened(folder / "DELEGATIONS_AUTOMATIQUES_BIP2011.xls").grids
    assert [g.rows for g in others] == [[], []]
    assert sum(column(sheet.rows, "MONTANT")) == 42_717_219
    regions = [str(v) for v in column(sheet.rows, "REGION")]
    assert [regions.count(r) for r in ("NORD-OUEST", "ADAMAOUA")] == [498, 396]


def test_the_budget_of_mexico_holds_the_figures_of_its_csv(shared_dir: Path) -> None:
    folder = shared_dir / "data/real/mex_cuenta_publica_2014"
    (sheet,) = opened(folder / "2014.xls").grids
    assert len(sheet.merged) == 196
    held = {v for r in sheet.rows for v in r if isinstance(v, int | float)}
    assert 6_795_524_255 in held
    with (folder / "2014.csv").open(encoding="utf-8-sig", newline="") as handle:
        stated = [float(r["GC_SERVICIOS_PERSONALES"] or 0) for r in csv.DictReader(handle)]
    missing = [v for v in stated if v and v not in held]
    assert len(stated) > 6000
    assert missing == []


# --- hostile ---

FAR = (1 << 20) - 1
TEXT = "x" * 32_767


def truncated_xls(path: Path) -> None:
    path.write_bytes(written_xls(path).read_bytes()[:3000])


def random_after_magic(path: Path) -> None:
    import random

    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + random.Random(5).randbytes(20_000))


def endless_chain(path: Path) -> None:
    content = bytearray(written_xls(path).read_bytes())
    content[68:72] = struct.pack("<I", 0)  # the table of tables goes on in a sector of texts
    path.write_bytes(content)


def another_ole_file(path: Path) -> None:
    path.write_bytes(compound_file("WordDocument", bytes(600)))


def far_cells_xls(path: Path) -> None:
    book = xlwt.Workbook()
    for i in range(20):
        book.add_sheet(f"s{i}").write(65_535, 255, 1)
    save(book, path)


def one_text_everywhere_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("s")
    for i in range(60_000):
        sheet.write(i, 0, TEXT)
    save(book, path)


def merged_xls(path: Path) -> None:
    book = xlwt.Workbook()
    book.add_sheet("s").write_merge(0, 1, 0, 1, "x")
    area = struct.pack("<HHH", 0xE5, 10, 1)
    patched(
        save(book, path),
        area + struct.pack("<4H", 0, 1, 0, 1),
        area + struct.pack("<4H", 0, 65_535, 0, 255),
    )


def claimed_size_xls(path: Path) -> None:
    """The record that claims a used range makes the parser abort its process."""
    written_xls(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x00\x02\x0e\x00") + 4
    content[at : at + 12] = struct.pack("<IIHH", 0, 0xFFFFFFF0, 0, 0xFFF0)
    path.write_bytes(content)


def far_cell_xlsb(path: Path) -> None:
    xlsb(path, {"s": sheet_part(row(0, number(0, 1)), row(FAR, number(16_383, 1)))})


def one_text_everywhere_xlsb(path: Path) -> None:
    rows = [row(i, *(shared_text(c, 0) for c in range(100))) for i in range(500)]
    xlsb(path, {"s": sheet_part(*rows)}, [TEXT])


def one_sheet_a_thousand_times(path: Path) -> None:
    part = sheet_part(row(0, number(0, 1)), row(999, number(99, 1)))
    xlsb(path, {f"s{i}": part for i in range(1000)})


def no_such_text(path: Path) -> None:
    xlsb(path, {"s": sheet_part(row(0, shared_text(0, 12)))})  # the parser panics


def long_record(path: Path) -> None:
    xlsb(path, {"s": sheet_part(b"\x3e\xff\xff\xff\x7f")})


def truncated_zip(path: Path) -> None:
    far_cell_xlsb(path)
    path.write_bytes(path.read_bytes()[:-40])


def other_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")


def password_container(path: Path) -> None:
    path.write_bytes(compound_file("EncryptedPackage", bytes(600)))


def repeated_cells(path: Path) -> None:
    ods(path, table(ods_row(text("x", columns(10_000)), repeated=1_000_000)))


def far_cell_ods(path: Path) -> None:
    ods(
        path, table(ods_row(gap(1)), ods_row(gap(5), repeated=FAR), ods_row(gap(16_383), text("x")))
    )


def empty_cells_written_out(path: Path) -> None:
    ods(path, table(ods_row(gap(2_000_000_000), gap(1))))


def repeated_blanks(path: Path) -> None:
    ods(path, table(ods_row(text('<text:s text:c="2000000000"/>'))))


def repeated_text(path: Path) -> None:
    ods(path, table(ods_row(text(TEXT, columns(1000)), repeated=1000)))


def repeated_errors(path: Path) -> None:
    error = text("#REF!", f'calcext:value-type="error" {columns(2_000_000_000)}')
    ods(path, table(ods_row(error, repeated=2_000_000_000)))


def table_in_a_cell(path: Path) -> None:
    inner = table(ods_row(text("y"), text("z", columns(2_000_000_000))), name="I")
    ods(path, table(ods_row(text(inner))))


def spanned_cells(path: Path) -> None:
    spans = 'table:number-columns-spanned="16384" table:number-rows-spanned="1048576"'
    ods(path, table(ods_row(text("x", spans))))


def negative_count(path: Path) -> None:
    ods(path, table(ods_row(text("x", 'table:number-columns-repeated="-1"'))))


def entities(path: Path) -> None:
    lol = '<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    ods(path, table(ods_row(text("&b;"))), doctype=f"<!DOCTYPE x [{lol}]>")


def deep(path: Path) -> None:
    ods(path, "<text:p>" * 100_000)


def bomb(path: Path) -> None:
    ods(path, " " * (8 << 20))


def lying_size(path: Path) -> None:
    ods(path, table(ods_row(text("x"))) + " " * (8 << 20))
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        told = struct.pack("<I", archive.getinfo("content.xml").file_size)
    path.write_bytes(content.replace(told, struct.pack("<I", 2000)))


def encrypted_ods(path: Path) -> None:
    entry = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    ods(path, table(), manifest=entry)


def text_document(path: Path) -> None:
    ods(path, "", kind="application/vnd.oasis.opendocument.text")


HOSTILE: list[tuple[str, Callable[[Path], object], str]] = [
    ("xls", truncated_xls, "GBI-E061"),
    ("xls", random_after_magic, "GBI-E061"),
    ("xls", endless_chain, "GBI-E061"),
    ("xls", another_ole_file, "GBI-E066"),
    ("xls", far_cells_xls, "GBI-E063"),
    ("xls", one_text_everywhere_xls, "GBI-E063"),
    ("xls", merged_xls, "GBI-E063"),
    ("xls", claimed_size_xls, "GBI-E061"),
    ("xlsb", far_cell_xlsb, "GBI-E063"),
    ("xlsb", one_text_everywhere_xlsb, "GBI-E063"),
    ("xlsb", one_sheet_a_thousand_times, "GBI-E063"),
    ("xlsb", no_such_text, "GBI-E061"),
    ("xlsb", long_record, "GBI-E063"),
    ("xlsb", truncated_zip, "GBI-E061"),
    ("xlsb", other_workbook, "GBI-E066"),
    ("xlsb", password_container, "GBI-E062"),
    ("ods", repeated_cells, "GBI-E063"),
    ("ods", far_cell_ods, "GBI-E063"),
    ("ods", empty_cells_written_out, "GBI-E063"),
    ("ods", repeated_blanks, "GBI-E063"),
    ("ods", repeated_text, "GBI-E063"),
    ("ods", repeated_errors, "GBI-E063"),
    ("ods", table_in_a_cell, "GBI-E063"),
    ("ods", spanned_cells, "GBI-E063"),
    ("ods", negative_count, "GBI-E061"),
    ("ods", entities, "GBI-E063"),
    ("ods", deep, "GBI-E063"),
    ("ods", bomb, "GBI-E063"),
    ("ods", lying_size, "GBI-E061"),
    ("ods", encrypted_ods, "GBI-E062"),
    ("ods", text_document, "GBI-E066"),
    ("ods", password_container, "GBI-E062"),
]

PROBE = """
import json, resource, sys, time
from pathlib import Path
from gbi.errors import GbiError
from gbi.ingest import spreadsheet
from gbi.ingest.safety import LIMITS
outcomes = []
for path in map(Path, sys.argv[1:]):
    begun = time.monotonic()
    try:
        getattr(spreadsheet, "open_" + path.suffix[1:])(path, path.name, LIMITS)
        code = "opened"
    except GbiError as error:
        code = error.code
    outcomes.append((code, time.monotonic() - begun))
status = Path("/proc/self/status").read_text(encoding="utf-8")
own = int(status.split("VmHWM:")[1].split()[0])  # getrusage would tell the peak of pytest
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([outcomes, (own + children) / 1024]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    """Open every hostile file in one process: codes and seconds by file, the peak of memory."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = [folder / f"{make.__name__}.{suffix}" for suffix, make, _ in HOSTILE]
    for path, (_, make, _) in zip(paths, HOSTILE, strict=True):
        make(path)
    command = [sys.executable, "-c", PROBE, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found, mebibytes = json.loads(done.stdout)
    return dict(zip((p.name for p in paths), found, strict=True)), mebibytes


measured = pytest.mark.skipif(sys.platform != "linux", reason="memory is told as Linux tells it")


@measured
@pytest.mark.parametrize(("suffix", "make", "expected"), HOSTILE)
def test_a_hostile_file_is_refused(
    outcomes: tuple[dict[str, Any], float],
    suffix: str,
    make: Callable[[Path], object],
    expected: str,
) -> None:
    got, seconds = outcomes[0][f"{make.__name__}.{suffix}"]
    assert got == expected
    assert seconds < 30


@measured
def test_no_hostile_file_takes_the_memory(outcomes: tuple[dict[str, Any], float]) -> None:
    assert 20 < outcomes[1] < 1000


def test_limits_are_those_given(tmp_path: Path) -> None:
    path = written_xls(tmp_path / "a.xls")
    assert code(path, replace(LIMITS, cells=100)) == "GBI-E063"
    assert code(path, replace(LIMITS, archive=100)) == "GBI-E063"
    assert code(path, replace(LIMITS, merged=3)) == "GBI-E063"
    path = ods(tmp_path / "a.ods", table(ods_row(text("x"), text("y"))))
    assert code(path, replace(LIMITS, cells=1)) == "GBI-E063"
    assert opened(path, replace(LIMITS, cells=2)).grids[0].rows == [["x", "y"]]


def test_the_registry_names_these_openers() -> None:
    by_name = {f.name: f.opener for f in FORMATS}
    assert [by_name[n] for n in ("xls", "xlsb", "ods")] == [
        "spreadsheet:open_xls", "spreadsheet:open_xlsb", "spreadsheet:open_ods"
    ]  # fmt: skip
