"""Tables of web pages, also of those saved as ``.xls``: texts, addresses, spans, encodings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gbi.errors import GbiError
from gbi.ingest.formats import format_of
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.safety import LIMITS, Limits
from gbi.ingest.webpage import open_webpage


def opened(tmp_path: Path, page: str | bytes, limits: Limits = LIMITS) -> Opened:
    path = tmp_path / "page.html"
    path.write_bytes(page if isinstance(page, bytes) else page.encode("utf-8"))
    return open_webpage(path, "d/page.html", limits)


def refused(tmp_path: Path, page: str | bytes, limits: Limits = LIMITS) -> GbiError:
    with pytest.raises(GbiError) as raised:
        opened(tmp_path, page, limits)
    assert raised.value.exit_code == 3
    assert str(raised.value.where).startswith("d/page.html")
    return raised.value


def grid(tmp_path: Path, table: str) -> Grid:
    (only,) = opened(tmp_path, table).grids
    return only


def test_a_cell_keeps_the_text_that_a_reader_sees(tmp_path: Path) -> None:
    table = """<table><tr>
      <th> Crédits\n   de  paiement </th><td data-value="2486887">2 486&nbsp;887</td>
      <td>MONTANT<br>(en milliers)<p>note</p></td><td><b>a</b><i>b</i> &amp; &#233;</td>
      <td>x<script>hidden()</script><style>y</style><!-- z -->1</td><td></td><td>=1+1</td>
    </tr></table>"""
    assert grid(tmp_path, table).rows == [[
        "Crédits de paiement", "2 486\u00a0887", "MONTANT (en milliers) note", "ab & é", "x1", "",
        "=1+1",
    ]]  # fmt: skip


def test_spans_are_merged_areas(tmp_path: Path) -> None:
    table = """<table>
      <tr><th rowspan=2>Région<th colspan="2">Effectif<th rowspan=9>Total</tr>
      <tr><td>F<td>M</tr>
      <tr><td colspan=3>Oriental</tr>
      <tr><td>a<td>b<td>c</tr>
    </table>"""
    got = grid(tmp_path, table)
    assert got.rows == [
        ["Région", "Effectif", "", "Total"], ["", "F", "M", ""], ["Oriental", "", "", ""],
        ["a", "b", "c", ""],
    ]  # fmt: skip
    assert got.merged == {
        (1, 0): (0, 0), (0, 2): (0, 1), (1, 3): (0, 3), (2, 3): (0, 3), (3, 3): (0, 3),
        (2, 1): (2, 0), (2, 2): (2, 0),
    }  # fmt: skip
    assert got.value(3, 3) == "Total"
    assert got.cell(2, 2).a1 == "A3"


@pytest.mark.parametrize(
    ("written", "width"),
    [("0", 1), ("-3", 1), ("abc", 1), ("", 1), (" 2 ", 2), ("2.9", 2), ("99999999999", 1000)],
)
def test_a_span_is_read_as_browsers_do(tmp_path: Path, written: str, width: int) -> None:
    got = grid(tmp_path, f"<table><tr><td colspan='{written}'>a<td>b</table>")
    assert got.rows == [["a", *[""] * (width - 1), "b"]]


def test_a_rowspan_of_zero_goes_to_the_end(tmp_path: Path) -> None:
    got = grid(tmp_path, "<table><tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d</table>")
    assert got.rows == [["a", "b"], ["", "c"], ["", "d"]]
    assert got.merged == {(1, 0): (0, 0), (2, 0): (0, 0)}


def test_a_sheet_is_called_as_its_table(tmp_path: Path) -> None:
    page = """<title> Budget\n 2025 </title><table><caption>Tableau <b>1</b></caption><tr><td>a
      </table><table id=IRE><tr><td>b</table><table><tr><td>c</table><table id=IRE><tr><td>d</table>
      <table></table>"""
    got = opened(tmp_path, page)
    assert [(g.sheet, g.rows) for g in got.grids] == [
        ("Tableau 1", [["a"]]), ("IRE", [["b"]]), ("Table 3", [["c"]]), ("IRE (2)", [["d"]])
    ]  # fmt: skip
    assert got.details == {"encoding": "utf-8", "title": "Budget 2025"}
    assert {g.file for g in got.grids} == {"d/page.html"}


def test_a_table_that_lays_out_others_is_no_sheet(tmp_path: Path) -> None:
    frame = "<table id=frame><tr><td>menu<table id=in><tr><td>a<td>b</table></td></tr></table>"
    assert [g.sheet for g in opened(tmp_path, frame).grids] == ["in"]


def test_a_table_of_data_with_another_in_a_cell_is_one(tmp_path: Path) -> None:
    page = "<table id=out><tr><td>a<td>b <table id=in><tr><td>x</table> c</tr></table>"
    assert [(g.sheet, g.rows) for g in opened(tmp_path, page).grids] == [
        ("out", [["a", "b c"]]), ("in", [["x"]])
    ]  # fmt: skip


TABLE = "<table><tr><td>Région € الجهة</td></tr></table>"


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        (TABLE.encode("utf-8"), "utf-8"),
        (b"\xef\xbb\xbf" + TABLE.encode("utf-8"), "utf-8"),
        (b"\xff\xfe" + TABLE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16-be"),
        (b"<meta charset=windows-1256>" + TABLE.encode("cp1256"), "cp1256"),
        (b"<META http-equiv=x content='text/html; charset=windows-1256'>" + TABLE.encode("cp1256"),
         "cp1256"),
        (b"<?xml version='1.0' encoding='windows-1256'?>" + TABLE.encode("cp1256"), "cp1256"),
        (b"<meta charset='utf-16'>" + TABLE.encode("utf-8"), "utf-8"),
        # the mark wins over what the page says
        (b"\xef\xbb\xbf<meta charset=windows-1256>" + TABLE.encode("utf-8"), "utf-8"),
    ],
)  # fmt: skip
def test_the_encoding_is_marked_or_declared(tmp_path: Path, page: bytes, encoding: str) -> None:
    if encoding == "cp1256":
        page = page.replace("é".encode("cp1256"), b"e")
    got = opened(tmp_path, page)
    shown = got.grids[0].rows[0][0]
    assert shown.replace("e", "é", 1) == "Région € الجهة".replace("e", "é", 1)
    assert (got.details["encoding"], got.flags) == (encoding, ())


def test_latin_1_is_understood_as_browsers_do(tmp_path: Path) -> None:
    got = opened(tmp_path, b"<meta charset=iso-8859-1><table><tr><td>\x80 \xe9</table>")
    assert got.grids[0].rows == [["€ é"]]
    assert got.flags == ()


def test_an_encoding_that_nothing_says_is_flagged(tmp_path: Path) -> None:
    got = opened(tmp_path, "<table><tr><td>Région</table>".encode("cp1252"))
    assert got.grids[0].rows == [["Région"]]
    assert got.flags == (Flag("encoding", "", "cp1252"),)
    got = opened(tmp_path, "<table><tr><td>وزارة الصحة</table>".encode("cp1256"))
    assert got.grids[0].rows == [["وزارة الصحة"]]
    assert got.flags == (Flag("encoding", "", "cp1256"),)


@pytest.mark.parametrize(
    ("page", "where", "got"),
    [
        (b"<meta charset=utf-8>\n<table>\n<tr><td>R\xe9gion</table>", "d/page.html:3", "0xe9"),
        (b"<meta charset=utf-8><table><tr><td>a\x00b</table>", "d/page.html:1", "0x00"),
        (b"<meta charset=x-unknown><table><tr><td>a</table>", "d/page.html", "x-unknown"),
        (b"<meta charset=zlib><table><tr><td>a</table>", "d/page.html", "zlib"),
        (b"<meta charset=punycode><table><tr><td>a</table>", "d/page.html", "punycode"),
    ],
)
def test_bytes_that_cannot_be_read(tmp_path: Path, page: bytes, where: str, got: str) -> None:
    error = refused(tmp_path, page)
    assert (error.code, error.where, error.got) == ("GBI-E064", where, got)


@pytest.mark.parametrize(
    "page",
    ["", " ", "<p>no table", "<table></table>", "text", "<frameset><frame src='x'></frameset>"],
)
def test_a_page_without_a_table(tmp_path: Path, page: str) -> None:
    assert refused(tmp_path, page).code == "GBI-E066"


def test_a_page_that_ends_early_keeps_what_it_has(tmp_path: Path) -> None:
    assert grid(tmp_path, "<table><tr><td>a<td>b</tr><tr><td>c").rows == [["a", "b"], ["c"]]


# --- limits ---


@pytest.mark.parametrize(
    ("page", "limits"),
    [
        ("<table><tr><td>a<td>b<td>c</table>", replace(LIMITS, cells=2)),
        ("<table><tr><td colspan=9>a</table>", replace(LIMITS, merged=7)),
        ("<table><tr><td>a</table>", replace(LIMITS, archive=20)),
    ],
)
def test_a_page_beyond_a_limit(tmp_path: Path, page: str, limits: Limits) -> None:
    assert refused(tmp_path, page, limits).code == "GBI-E063"


def wide(_: int) -> bytes:
    return b"<table>" + b"<tr><td colspan=1000 rowspan=65534>" * 5000


def deep(_: int) -> bytes:
    return b"<div>" * 200_000 + b"<table><tr><td>x"


def nested(_: int) -> bytes:
    return b"<table><tr><td>" * 50_000 + b"x"


def attributes(_: int) -> bytes:
    names = b" ".join(b"a%d" % i for i in range(2_500_000))
    return b"<table><tr><td " + names + b">x</table>"


def entities(_: int) -> bytes:
    lol = '<!ENTITY a "lollollol">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return f"<!DOCTYPE html [{lol}]><table><tr><td>&i;</table>".encode()


HOSTILE: list[tuple[Callable[[int], bytes], str]] = [
    (wide, "GBI-E063"),
    (deep, "opened"),
    (nested, "opened"),
    (attributes, "opened"),
    (entities, "opened"),
]

PROBE = """
import json, sys, time
from pathlib import Path
from gbi.errors import GbiError
from gbi.ingest.webpage import open_webpage
path, begun = Path(sys.argv[1]), time.monotonic()
try:
    grids = open_webpage(path, path.name).grids
    code = "opened"
    assert sum(len(str(v)) for g in grids for r in g.rows for v in r) < 1000
except GbiError as error:
    code = error.code
status = Path("/proc/self/status").read_text(encoding="utf-8")
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps([code, time.monotonic() - begun, peak]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told as Linux tells it")
@pytest.mark.parametrize(("make", "expected"), HOSTILE)
def test_a_hostile_page_stays_within_bounds(
    tmp_path: Path, make: Callable[[int], bytes], expected: str
) -> None:
    path = tmp_path / "hostile.html"
    path.write_bytes(make(0))
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(path)], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    got, seconds, mebibytes = json.loads(done.stdout)
    assert got == expected
    assert seconds < 30
    assert mebibytes < 1000


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    outside = tmp_path / "outside.dtd"
    outside.write_text('<!ENTITY leak "secret">', encoding="utf-8")
    page = f"""<!DOCTYPE html SYSTEM "{outside.as_uri()}"><base href="http://a.example/">
      <link rel=stylesheet href=x.css><img src=x.png><iframe src=x></iframe>
      <table><tr><td>&leak;<img src=y.png></table>"""
    assert grid(tmp_path, page).rows == [["&leak;"]]


# --- real files ---


def test_the_regional_profiles_of_the_census(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "real" / "mar_rgph_regions_2014"
    paths = sorted(folder.glob("*.xls"))
    sums = [0, 0, 0]
    for path in paths:
        found = format_of(path)
        assert found is not None
        assert found.name == "html"
        got = found.open(path, path.name)
        (only,) = got.grids
        sections = path.read_text(encoding="utf-8-sig").count('colspan="4"')
        assert sections in (4, 5)
        assert (len(only.rows), {len(r) for r in only.rows}) == (33, {4})
        assert len(only.merged) == 3 * sections
        assert only.rows[0] == ["Indicateur", "Masculin", "Féminin", "Ensemble"]
        assert only.rows[1][0] == "Population municipale"
        assert only.value(2, 3) == "Répartition selon les grands groupes d'âges"
        assert (got.details, got.flags) == ({"encoding": "utf-8"}, ())
        sums = [s + int(v.replace(" ", "")) for s, v in zip(sums, only.rows[1][1:], strict=True)]
    assert len(paths) == 24
    assert sums == [16_747_522, 16_862_562, 33_610_084]
