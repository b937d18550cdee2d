"""PDF tables: rows and columns as they are seen, Arabic as it is read, nothing guessed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from gbi.errors import GbiError
from gbi.ingest import pdf
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.pdf import open_pdf, read_pdf
from gbi.ingest.safety import Limits

pytest.importorskip("pdfplumber")

Table = Sequence[Sequence[str]]
BUDGET: Table = [
    ["Ministère de la Santé", "723 540 607,64", "-12 000,00", "87,5 %"],
    ["Éducation nationale", "0,00", "1 650 084,30", "100 %"],
    ["Total", "723 540 607,64", "1 638 084,30", ""],
]


def write(path: Path, *pages: Table, title: str = "", size: float = 8) -> Path:
    """Draw tables, the first column from the left, the others to the right; no rules."""
    from matplotlib.backends.backend_pdf import PdfPages

    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(path) as document:
        for table in pages:
            figure = Figure(figsize=(8.27, 11.69))
            if title:
                figure.text(0.05, 0.95, title, fontsize=size * 1.5)
            for number, row in enumerate(table):
                for column, text in enumerate(row):
                    figure.text(
                        0.05 if column == 0 else 0.3 + 0.16 * column, 0.9 - 0.02 * number, text,
                        fontsize=size, ha="left" if column == 0 else "right",
                    )  # fmt: skip
            document.savefig(figure)
    return path


def raw(path: Path, content: bytes, filters: bytes = b"", pages: int = 1) -> Path:
    """Write a PDF by hand: one content stream for all its pages."""
    kids = b" ".join(b"%d 0 R" % (5 + n) for n in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d %s>>stream\n%s\nendstream" % (len(content), filters, content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 3 0 R"
          b"/Resources<</Font<</F 4 0 R>>>>>>"] * pages,
    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n" % (count, table)
    end = out.index(b"xref\n0 ")
    path.write_bytes(out + b"<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, end))
    return path


def texts(grid: Grid) -> list[list[str]]:
    return [list(row) for row in grid.rows]


def refused(path: Path, limits: Limits | None = None) -> GbiError:
    with pytest.raises(GbiError) as caught:
        read_pdf(path, path.name, limits or Limits())
    assert caught.value.exit_code == 3
    return caught.value


def test_a_table_is_read_as_it_is_seen(tmp_path: Path) -> None:
    title = "Budget des ministères par programme et par trimestre"
    path = write(tmp_path / "b.pdf", BUDGET, BUDGET[:2], title=title)
    opened = read_pdf(path, "b.pdf")
    first, second = opened.grids
    assert texts(first) == [[title, "", "", ""], *BUDGET]
    assert texts(second)[1:] == BUDGET[:2]
    assert [(g.file, g.sheet) for g in opened.grids] == [("b.pdf", "Page 1"), ("b.pdf", "Page 2")]
    assert first.cell(1, 1).a1 == "B2"
    assert opened.details == {"layout": "lines and gaps; columns: 4, 4"}
    assert [(f.kind, f.detail) for f in opened.flags] == [("rebuilt", "pdf")]


def test_the_process_of_its_own_gives_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "b.pdf", BUDGET)
    assert open_pdf(path, "b.pdf") == read_pdf(path, "b.pdf")


def test_an_empty_cell_and_a_long_label_do_not_move_the_others(tmp_path: Path) -> None:
    table = [
        ["Programme", "Crédits", "Taux", "Part"],
        ["Santé", "1 234,00", "", "3 %"],
        ["Un intitulé qui court", "", "12,5", "4 %"],
        ["Santé", "15,00", "7", ""],
    ]
    assert texts(read_pdf(write(tmp_path / "b.pdf", table), "b").grids[0]) == table


def test_running_text_above_a_small_table_does_not_hide_its_columns(tmp_path: Path) -> None:
    prose = [[f"Une phrase qui court sur toute la largeur de la page, numéro {n}, et au delà ;" * 2]
             for n in range(20)]  # fmt: skip
    grid = read_pdf(write(tmp_path / "b.pdf", [*prose, *BUDGET], size=7), "b").grids[0]
    assert texts(grid)[-3:] == BUDGET


def test_arabic_is_read_from_right_to_left(tmp_path: Path) -> None:
    table = [
        ["وزارة الصحة والحماية الاجتماعية", "1 234,50", "2024"],
        ["ميزانية 2024 (بملايين الدراهم)", "15,00", "2025"],
        ["برنامج Tamkine Plus للنساء", "15,00", "2025"],
    ]
    assert texts(read_pdf(write(tmp_path / "b.pdf", table), "b").grids[0]) == table


def test_a_page_without_text_is_said_and_a_scan_refused(tmp_path: Path) -> None:
    opened = read_pdf(write(tmp_path / "b.pdf", BUDGET, []), "b")
    assert [g.empty for g in opened.grids] == [False, True]
    assert opened.flags[0].detail == "pdf; no text layer: Page 2"
    error = refused(write(tmp_path / "scan.pdf", []))
    assert (error.code, error.got) == ("GBI-E066", "no text layer")


def test_other_kinds_and_damage_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    for content in (b"", b"hello", b"PK\x03\x04"):
        path.write_bytes(content)
        assert refused(path).code == "GBI-E066"
    whole = write(tmp_path / "b.pdf", BUDGET).read_bytes()
    for content in (b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256)) * 40, whole[:300]):
        path.write_bytes(content)
        assert refused(path).code in ("GBI-E061", "GBI-E066")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_never_breaks_the_program(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "x.pdf"
    path = raw(path, b"BT /F 9 Tf 50 700 Td (Sante) Tj 200 0 Td (1 234) Tj ET")
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 5)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    outcome = "read"
    try:
        read_pdf(path, "x.pdf")
    except GbiError as error:
        outcome = error.code
    assert outcome in ("read", "GBI-E061", "GBI-E062", "GBI-E063", "GBI-E066")


def test_a_password_is_told(tmp_path: Path) -> None:
    path = raw(tmp_path / "x.pdf", b"BT /F 9 Tf (a) Tj ET")
    locked = b"/Encrypt<</Filter/Standard/V 1/R 2/O(%s)/U(%s)/P -4>>/ID[(a)(b)]" % (
        b"o" * 32, b"u" * 32,
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"/Root 1 0 R", b"/Root 1 0 R" + locked))
    assert refused(path).code == "GBI-E062"


def lzw_bomb(codes: int) -> bytes:
    """Return codes of nine to twelve bits, each for a byte more than the one before."""
    bits, width, entry = format(256, "09b") + format(97, "09b"), 9, 258
    for _ in range(codes):
        bits += format(entry, f"0{width}b")
        entry += 1
        width = 9 + (entry >= 511) + (entry >= 1023) + (entry >= 2047)
        if entry == 4090:
            break
    bits += format(4000, "012b") * max(codes - 4000, 0)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize("kind", ["flate", "flate twice", "run length", "lzw"])
def test_what_expands_beyond_the_limit_is_stopped(tmp_path: Path, kind: str) -> None:
    once = zlib.compress(b" " * 30_000_000, 9)
    content, filters = {
        "flate": (once, b"/Filter/FlateDecode"),
        "flate twice": (zlib.compress(once, 9), b"/Filter[/FlateDecode/FlateDecode]"),
        "run length": (b"\x81 " * 400_000, b"/Filter/RunLengthDecode"),
        "lzw": (lzw_bomb(12_000), b"/Filter/LZWDecode"),
    }[kind]
    assert len(content) < 1_000_000
    error = refused(raw(tmp_path / "x.pdf", content, filters), Limits(expanded=80_000_000))
    assert (error.code, error.expected) == ("GBI-E063", "≤ 20000000 B expanded")


def test_streams_within_the_limit_are_read_whatever_their_filter(tmp_path: Path) -> None:
    drawn = b"BT /F 9 Tf 50 700 Td (Sante) Tj 200 0 Td (1234) Tj ET "
    runs = bytes([len(drawn) - 1]) + drawn + b"\x80"
    bits = "".join(format(code, "09b") for code in (256, *drawn, 257))
    codes = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    for content, filters in (
        (drawn, b""),
        (zlib.compress(drawn), b"/Filter/FlateDecode"),
        (zlib.compress(drawn)[:-6], b"/Filter/FlateDecode"),
        (runs, b"/Filter/RunLengthDecode"),
        (codes, b"/Filter/LZWDecode"),
    ):
        path = raw(tmp_path / "x.pdf", content, filters)
        assert texts(read_pdf(path, "x").grids[0]) == [["Sante", "1234"]]


def test_pages_and_what_is_drawn_on_one_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = b"BT /F 9 Tf 50 700 Td (Sante) Tj 200 0 Td (1234) Tj ET 0 0 5 5 re f "
    path = raw(tmp_path / "x.pdf", drawn, pages=3)
    monkeypatch.setattr(pdf, "_OBJECTS", 9)  # letters of a page; the counter starts anew on each
    assert len(read_pdf(path, "x").grids) == 3
    monkeypatch.setattr(pdf, "_OBJECTS", 8)
    assert refused(path).expected == "≤ 8 objects on a page"
    for repeated, most in ((b"q ", 8), (b"[", 80), (b"0 0 5 5 re f ", 8)):
        error = refused(raw(tmp_path / "y.pdf", repeated * (most + 1)))
        assert error.expected == f"≤ {most} objects on a page"
    monkeypatch.setattr(pdf, "_PAGES", 2)
    assert (refused(path).expected, refused(path).got) == ("≤ 2 pages", "3")
    assert refused(path, Limits(archive=100)).expected == "≤ 100 B"


def test_the_parser_is_left_as_it_was(tmp_path: Path) -> None:
    from pdfminer import converter, pdftypes

    before = (pdftypes.zlib, vars(pdftypes)["rldecode"], converter.PDFLayoutAnalyzer.render_char)
    refused(raw(tmp_path / "x.pdf", zlib.compress(b" " * 10**6), b"/Filter/FlateDecode"),
            Limits(expanded=1000))  # fmt: skip
    assert before == (
        pdftypes.zlib, vars(pdftypes)["rldecode"], converter.PDFLayoutAnalyzer.render_char,
    )  # fmt: skip


def spanish(text: str) -> int:
    """Return hundredths of an amount like 74.448.777,40."""
    assert re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d\d", text)
    return int(text.replace(".", "").replace(",", ""))


def lines_of(opened: Opened) -> list[list[str]]:
    """Return the programmes' lines: three-part codes that end a branch."""
    rows = [row for grid in opened.grids for row in texts(grid)]
    return [r for r in rows if re.match(r"\d\d\.(?!00)\d\d\.\d\d - ", r[0])]


@pytest.mark.parametrize(
    ("file", "lines", "approved", "accrued"),
    [
        ("Estado*4to-Trimestre_26.pdf", 31, 72354060764, 87093021651),
        ("pdf_58_*Junio.pdf", 31, 72354060764, None),
        ("pdf_69_*Marzo_10.pdf", 30, 72354060764, None),
        ("Estado*Junio_6.pdf", 16, None, None),
        ("Estado*Marzo_11.pdf", 16, None, None),
    ],
)
def test_the_municipality_of_carmen_de_areco(
    shared_dir: Path, file: str, lines: int, approved: int | None, accrued: int | None
) -> None:
    folder = shared_dir / "data" / "real" / "arg_carmen_ppg_2024_2025"
    (path,) = folder.glob(file)
    opened = read_pdf(path, path.name)
    found = lines_of(opened)
    assert len(found) == lines
    sums = [sum(spanish(row[n]) for row in found) for n in range(1, 11)]
    if approved is not None:
        assert sums[0] == approved
    if accrued is not None:
        assert sums[5] == accrued
    rows = [row for grid in opened.grids for row in texts(grid)]
    (total,) = [row for row in rows if row[0] == "TOTALES GENERALES"]
    assert [spanish(cell) for cell in total[1:]] == sums
    head = next(n for n, row in enumerate(rows) if "Preventivo" in row)
    assert rows[head + 2][1:3] == ["Aprobado", "ciones"]
