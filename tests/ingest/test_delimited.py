"""Delimited text: encoding and delimiter are found, addresses are a spreadsheet's."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.ingest.delimited import open_delimited
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import Limits

FRENCH = "Ministère;Crédits\nÉducation nationale;12,5\nMain-d’œuvre;13\nFès-Meknès;7\n"
SPANISH = "Género;Año;Región\nMujer;2014;Nuevo León\nNiñas;2015;Michoacán\n"
ARABIC = "الوزارة;السنة\nوزارة الصحة;2024\nوزارة التربية الوطنية;2025\n"
BOTH = "Ministère;الوزارة\nSanté;وزارة الصحة\nIntérieur;الداخلية\n"


def opened(tmp_path: Path, content: str | bytes, limits: Limits | None = None) -> Opened:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return open_delimited(path, "a.csv", *([limits] if limits else []))


def grid(tmp_path: Path, content: str | bytes) -> Grid:
    (found,) = opened(tmp_path, content).grids
    return found


def refused(tmp_path: Path, content: str | bytes, limits: Limits | None = None) -> GbiError:
    with pytest.raises(GbiError) as raised:
        opened(tmp_path, content, limits)
    assert raised.value.exit_code == 3
    return raised.value


# --- encoding ---


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((FRENCH, e) for e in ("cp1252", "mac-roman")),
        *((FRENCH.replace("’", "'"), e) for e in ("cp1252", "iso8859-15", "mac-roman")),
        (FRENCH.replace("’", "'").replace("œ", "oe"), "cp850"),
        *((SPANISH, e) for e in ("cp1252", "cp850", "mac-roman")),
        *((text, "cp1256") for text in (ARABIC, BOTH)),
        ("Pays;Valeur\nCôte d'Ivoire;1\nMaroc;2\n" + "Mali;3\n" * 500, "cp1252"),
        ("Unité;Montant\nEUR;12 €\n", "cp1252"),
        ("Unité;Montant\nEUR;12 €\n", "iso8859-15"),
        ("Total;1\u00a0234\nFemmes;2\u00a0500\n", "cp1252"),
    ],
)
def test_a_code_page_is_found_and_flagged(tmp_path: Path, text: str, encoding: str) -> None:
    found = opened(tmp_path, text.encode(encoding))
    assert found.grids[0].rows == list(csv.reader(StringIO(text), delimiter=";"))
    assert [(f.kind, f.area, f.detail) for f in found.flags] == [("encoding", "", encoding)]
    assert found.details == {"encoding": encoding, "delimiter": ";"}


def test_where_two_code_pages_read_alike_the_usual_one_is_named(tmp_path: Path) -> None:
    assert opened(tmp_path, SPANISH.encode("iso8859-15")).details["encoding"] == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"),
     ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_unicode_is_read_without_a_flag(tmp_path: Path, encoding: str, named: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    found = opened(tmp_path, (mark + BOTH).encode(encoding))
    assert found.grids[0].rows[0] == ["Ministère", "الوزارة"]
    assert (found.flags, found.details["encoding"]) == ((), named)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("Santé;1\n".encode() + "Fès;2\n".encode("cp1252"), 2),
        ("Fès;2\r\n".encode("cp1252") + "Santé;1\r\n".encode(), 1),
        (b"a;b\n" + "Santé;".encode() + "Fès\n".encode("cp1252"), 2),
        (b"a;b\r1;2\r" + "الصحة;".encode() + "الصحة\r".encode("cp1256"), 3),
        (b"a;b\n1;\x002\n", 2),
        (b"a;b\n\xe9\x00;2\n", 2),
        (b"\xff\xfe" + "a;b\n1;2".encode("utf-16-le") + b"\x00", 2),
        (b"\xff\xfe" + "a;b\n\x00".encode("utf-16-le"), 2),
        ("a;b\nМинистерство;Здоровье и образование\n".encode("cp866"), 2),
        (b"a;b\n\x93\xff\x81\xfe\x9f\xd7\xf7\n", 2),
        (b"\xff\xfe\x00\x00" + "a;b".encode("utf-32-le"), 1),
    ],
)
def test_mixed_encodings_and_no_text_are_refused_with_the_line(
    tmp_path: Path, content: bytes, line: int
) -> None:
    error = refused(tmp_path, content)
    assert (error.code, error.where) == ("GBI-E064", f"a.csv:{line}")


# --- delimiter ---


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n1,6;2,6\n", ";"),
        ("1,5;2,5\n1,6;2,6\n", ";"),
        ("a|b\n1|2\n", "|"),
        ("a\n1\n", ","),
        ("", ","),
        # Eurostat: the first column is a key whose parts commas separate
        ("freq,sex,unit,geo\\TIME_PERIOD\t2020 \t2021 \nA,F,PC,MA\t1.5 \t: \n", "\t"),
        # SDMX-CSV
        ("DATAFLOW,FREQ,SEX,TIME_PERIOD,OBS_VALUE\nESTAT:D(1.0),A,F,2020,1.5\n", ","),
        ("STRUCTURE;STRUCTURE_ID;ACTION;SEX;OBS_VALUE\ndataflow;E:D(1.0);I;F;1,5\n", ";"),
        # World Bank: four lines before the table
        ('"Data Source","WDI",\n\n"Last Updated","2019",\n\n' + '"a; b","c",1,2,\n' * 6, ","),
        ("Tableau 1 : crédits, par région, 2025\n\n" + "a;b, c;d\n" * 9, ";"),
        ('a,b\n"x;y;z",1\n"u;v;w",2\n', ","),
    ],
)
def test_the_delimiter_is_the_one_that_agrees_with_itself(
    tmp_path: Path, text: str, delimiter: str
) -> None:
    assert opened(tmp_path, text).details["delimiter"] == delimiter


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "sep=|", "sep=#"])
def test_a_declared_delimiter_is_obeyed_and_keeps_its_line(tmp_path: Path, first: str) -> None:
    delimiter = first.strip('"')[-1]
    text = f"{first}\r\na,x,y{delimiter}b\r\n1,5,7{delimiter}2\r\n"
    assert grid(tmp_path, text).rows == [[], ["a,x,y", "b"], ["1,5,7", "2"]]


# --- rows ---


def test_rows_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    found = grid(tmp_path, 'a,b\n\n"x\r\ny",1\n"""q""",\n\n\nlast,2\n')
    assert found.rows == [["a", "b"], [], ["x\r\ny", "1"], ['"q"', ""], [], [], ["last", "2"]]
    assert found.cell(6, 1).a1 == "B7"


def test_what_reads_two_ways_stays_text(tmp_path: Path) -> None:
    rows = [["1,234", "١٢٣٤", "=1+1", " 5 ", "007", "1e5", "NA"]]
    text = ";".join(rows[0]) + "\n"
    assert grid(tmp_path, text).rows == rows


CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example(rows=[("a\n", "\x85", "\u2028")], delimiter=",", encoding="utf-8")
def test_what_was_written_is_read_back_by_address(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    out = StringIO(newline="")
    out.write(f"sep={delimiter}\r\n")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    found = grid(tmp_path, out.getvalue().encode(encoding))
    assert [tuple(r) for r in found.rows[1:]] == rows


@pytest.mark.parametrize(
    ("text", "line"),
    [('a,b\n1,2\n"3,4\n5,6\n', 3), ('a,b\n"x\ny",1\n"3,4\n5,"6"\n', 4), ('a\n"b"c\n', 2)],
)
def test_a_quote_that_does_not_close_is_named_with_its_line(
    tmp_path: Path, text: str, line: int
) -> None:
    error = refused(tmp_path, text)
    assert (error.code, error.where) == ("GBI-E061", f"a.csv:{line}")


# --- limits ---


@pytest.mark.parametrize(
    ("content", "limits", "where"),
    [
        (b"a,b\n1,2\n", Limits(expanded=7), "a.csv"),
        (b"a,b\n1,2\n3,4\n", Limits(cells=5), "a.csv:3"),
        (b"a\n" + b"\n" * 20, Limits(cells=10), "a.csv:11"),
        (b"a,b\n" + b"1," * (1 << 20), None, "a.csv:2"),
        (b"a,b\n1," + b"x" * 200_000, None, "a.csv:2"),
        (b'a,b\n"' + b"x\n" * 100_000 + b'",1\n', None, "a.csv:2"),
    ],
)
def test_limits(tmp_path: Path, content: bytes, limits: Limits | None, where: str) -> None:
    error = refused(tmp_path, content, limits)
    assert (error.code, error.where) == ("GBI-E063", where)
    assert error.expected
    assert error.got


def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_cut(tmp_path: Path) -> None:
    assert refused(tmp_path, b"1," * (50 << 20)).code == "GBI-E063"


# --- decimal signs ---


@pytest.mark.parametrize(
    ("column", "flag"),
    [
        (["1,5", "2,5", "3.5"], ("A4", "1,5 / 3.5")),
        (["1.5", "2,5", "2.7", "3,1", "4.4"], ("A3:A5", "1.5 / 2,5")),
        (["1 234,5", "0.125"], ("A3", "1 234,5 / 0.125")),
        (["12,5 %", "12.5%"], ("A3", "12,5 % / 12.5%")),
        (["1.234,5", "1,234.5"], ("A3", "1.234,5 / 1,234.5")),
        (["1,5", "1.234", "2.345"], None),
        (["1,234", "1.5", "12,345"], None),
        (["1,5", "2", "abc", "01.02.2024", "v. 1"], None),
    ],
)
def test_two_decimal_signs_in_a_column(
    tmp_path: Path, column: list[str], flag: tuple[str, str] | None
) -> None:
    found = grid(tmp_path, "v;w\n" + "".join(f"{value};1.5\n" for value in column))
    assert [(f.kind, f.area, f.detail) for f in found.flags] == (
        [("mixed_decimals", *flag)] if flag else []
    )


def test_quoted_decimal_commas_of_a_comma_separated_file_are_seen(tmp_path: Path) -> None:
    (flag,) = grid(tmp_path, 'v,w\n"1,5",x\n2.5,y\n').flags
    assert (flag.area, flag.detail) == ("A3", "1,5 / 2.5")


# --- real files ---


def test_real_files(shared_dir: Path) -> None:
    real = shared_dir / "data" / "real"

    def read(slug: str, file: str) -> Opened:
        return open_delimited(real / slug / file, file)

    gii = read("undp_gii_inputs", "gii_historical.csv")
    assert [f.detail for f in gii.flags] == ["cp1252"]
    assert gii.grids[0].rows[44][1] == "Côte d'Ivoire"
    bank = read("wb_labour_participation_wide", "flfp_ilo_mod_est.csv").grids[0]
    assert [len(r) for r in bank.rows[:6]] == [3, 0, 3, 0, 65, 65]
    assert bank.rows[4][:2] == ["Country Name", "Country Code"]
    gap = read("eurostat_paygap_csv", "paygap.csv").grids[0]
    assert (len(gap.rows), gap.rows[1][3:]) == (482, ["17", "e"])
    series = read("undp_hdr2122_timeseries",
                  "HDR21-22_Composite_indices_complete_time_series.csv").grids[0]  # fmt: skip
    assert (len(series.rows), series.width) == (196, 1009)
    estonia = read("est_population_sex",
                   "estonia_county_population_RV022_06062020230127558.csv").grids[0]  # fmt: skip
    assert estonia.rows[1][8] == "1570599"
