"""A dataset written out: nothing lost, nothing a formula, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

import gbi
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.ingest.formats import format_of
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.parsing import parse
from gbi.ingest.publication import guarded, unguarded
from gbi.ingest.reading import read_submission
from gbi.ingest.writing import own_profile, own_table, restored, write
from gbi.provenance import Provenance, Source
from gbi.resources import contract, resource_path
from gbi.schemas import schema, tables

TABLES = ("budget", "beneficiaries", "statistics")
SAMPLED = ("budget", "performance", "statistics", "marking", "catalogue")
DTYPES = {"string": "str", "number": "float64", "integer": "Int64"}
HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(1)", "'", "''", "'=1", "", " ", " =1+1", "\t=1", "\r=1", "\n=1",
    '=HYPERLINK("x","y")', "＝1+1", "النساء والرجال", "12\u00a0345,6", "a\r\nb", "a\rb", '"', ";",
    "_x000D_", "_x005F_", "\x01", "\x1f", "\x7f", "0012", "1e5", "TRUE", "NA", "nan", "null",
    "2025-01-01", "--09-01", "🙂", "\u200f", "\ufeff", "é\u0301",
)  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffe\uffff")
    return st.one_of(st.sampled_from(HOSTILE), st.text(letters, max_size=8))


CELLS: dict[str, st.SearchStrategy[Any]] = {
    "string": texts(),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**63), 2**63 - 1),
}


def column(values: list[Any], kind: str) -> pd.Series:
    if kind == "number":
        return pd.Series([float("nan") if v is None else v for v in values], dtype="float64")
    return pd.Series(values, dtype=DTYPES[kind])


@st.composite
def frames(draw: st.DrawFn, table: str) -> pd.DataFrame:
    """A frame of any content; a first column that is filled, as a row of a sheet must have one."""
    rows = draw(st.integers(0, 4))
    known = {}
    for field in schema(table).fields:
        cell = CELLS[field.type] if not known else st.none() | CELLS[field.type]
        values = draw(st.lists(cell, min_size=rows, max_size=rows))
        known[field.name] = column(values, field.type)
    return pd.DataFrame(known)


def read_csv(path: Path, table: str) -> pd.DataFrame:
    kinds = {f.name: DTYPES[f.type] for f in schema(table).fields}
    frame = pd.read_csv(
        path, dtype=kinds, keep_default_na=False, na_values=[""], encoding="utf-8-sig"
    )  # fmt: skip
    for field in schema(table).fields:
        if field.type == "string":
            frame[field.name] = frame[field.name].map(unguarded, na_action="ignore").astype("str")
    return frame


def read_by_hand(path: Path, table: str) -> pd.DataFrame:
    """Read with the standard library alone: the contract in its smallest form."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        header, *rows = list(csv.reader(handle, strict=True))
    make: dict[str, Callable[[str], Any]] = {"string": unguarded, "number": float, "integer": int}
    return pd.DataFrame({
        f.name: column([make[f.type](r[header.index(f.name)]) if r[header.index(f.name)] else None
                        for r in rows], f.type)
        for f in schema(table).fields
    })  # fmt: skip


def from_cells(rows: list[list[Any]], table: str) -> pd.DataFrame:
    """Return typed columns from a workbook's cells; long whole numbers are texts there."""
    header, *body = rows
    assert header == schema(table).columns

    def text(value: Any) -> str:
        assert isinstance(value, str)
        return value.removeprefix("'") if not value.strip("'") else value

    make = {"string": text, "number": float, "integer": int}
    return pd.DataFrame({
        f.name: column([None if r[c] in (None, "") else make[f.type](r[c]) for r in body], f.type)
        for c, f in enumerate(schema(table).fields)
    })  # fmt: skip


def read_openpyxl(path: Path, table: str) -> pd.DataFrame:
    book = openpyxl.load_workbook(path)
    rows = [
        [unescape(c.value) if isinstance(c.value, str) else c.value for c in row]
        for row in book[table].iter_rows()
    ]
    assert not any(c.data_type == "f" for row in book[table].iter_rows() for c in row)
    book.close()
    return from_cells(rows, table)


def read_calamine(path: Path, table: str) -> pd.DataFrame:
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_name(table)
    width = len(schema(table).columns)
    return from_cells([[*r, *[""] * (width - len(r))] for r in sheet.to_python()], table)


def read_parquet(path: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(path)


FILES: dict[str, tuple[str, Callable[[Path, str], pd.DataFrame]]] = {
    "csv by pandas": ("f.csv", read_csv),
    "csv by hand": ("f.csv", read_by_hand),
    "xlsx by openpyxl": ("f.xlsx", read_openpyxl),
    "xlsx by calamine": ("f.xlsx", read_calamine),
    "parquet": ("f.parquet", read_parquet),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("form", FILES)
def test_a_file_gives_back_the_same_frame(
    form: str, table: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, read = FILES[form]
    folder = tmp_path_factory.mktemp("files")

    @settings(max_examples=30, deadline=None)
    @given(frames(table))
    def same(frame: pd.DataFrame) -> None:
        path = write(Dataset(frame, table), folder / name, if_exists="replace")
        pd.testing.assert_frame_equal(read(Path(path), table), frame, check_exact=True)

    same()


def read_database(address: str, table: str) -> pd.DataFrame:
    kind, _, rest = address.partition(":///")
    path, _, name = rest.rpartition("#")
    query = f'SELECT * FROM "{name}"'
    if kind == "duckdb":
        with duckdb.connect(path) as connection:
            rows = connection.execute(query).fetchall()
    else:
        connection = sqlite3.connect(path)
        rows = connection.execute(query).fetchall()
        connection.close()
    return pd.DataFrame({
        f.name: column([r[c] for r in rows], f.type) for c, f in enumerate(schema(table).fields)
    })  # fmt: skip


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
@pytest.mark.parametrize("table", TABLES)
def test_a_database_gives_back_the_same_frame(
    kind: str, table: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    address = f"{kind}:///{(tmp_path_factory.mktemp('base') / 'f.db').as_posix()}#my table"

    @settings(max_examples=15, deadline=None)
    @given(frames(table))
    def same(frame: pd.DataFrame) -> None:
        assert write(Dataset(frame, table), address, if_exists="replace") == address
        pd.testing.assert_frame_equal(read_database(address, table), frame, check_exact=True)

    same()


@given(texts())
def test_the_mark_in_front_of_a_text_is_undone(text: str) -> None:
    marked = guarded(text)
    assert unguarded(marked) == text
    assert marked
    assert not marked[0].isspace()
    assert marked[0] not in "=+-@"


@pytest.mark.parametrize("table", [t for t in tables() if t != "survey"])
def test_every_table_is_known_again_by_its_header(table: str) -> None:
    assert own_table(Opened([Grid("f.csv", "", [schema(table).columns])])) == table


# --- the forms one by one ---


@pytest.fixture
def lines() -> Dataset:
    """Two lines of a budget, one without a value, with their source."""
    sha = "a" * 64
    frame = schema("budget").conform(pd.DataFrame({
        "TIME_PERIOD": ["2025", "2025"],
        "MINISTRY": ["SANTE", "JUSTICE"],
        "MINISTRY_LABEL": ["=HYPERLINK(\"http://x\",\"Santé\")", "وزارة العدل"],
        "CHAPTER_KIND": ["ORDINARY", "ORDINARY"],
        "BUDGET_STAGE": ["BILL", "BILL"],
        "ECON_NATURE": ["GOODS", "GOODS"],
        "CREDIT_TYPE": ["CP", "CP"],
        "OBS_VALUE": [0.1 + 0.2, float("nan")],
        "UNIT_MEASURE": ["MAD", "MAD"],
        "UNIT_MULT": [6, 6],
        "OBS_STATUS": ["A", "O"],
        "COMMENT": ["-1+1", None],
    }))  # fmt: skip
    provenance = Provenance((Source("budget.xlsx", sha, 10),)).then("read", profile="p")
    totals = Dataset(frame.iloc[[0]].reset_index(drop=True), "budget", provenance=provenance)
    return Dataset(frame, "budget", provenance=provenance, totals=totals)


def test_a_workbook_has_data_labels_and_provenance(lines: Dataset, tmp_path: Path) -> None:
    write(lines, tmp_path / "b.xlsx", lang="ar")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert book.sheetnames == ["budget", "totals", "labels", "provenance"]
    sheet = book["budget"]
    header = [c.value for c in sheet[1]]
    assert header == schema("budget").columns
    assert sheet.freeze_panes == "A2"
    value = sheet.cell(2, header.index("OBS_VALUE") + 1)
    assert (value.value, value.data_type) == (0.1 + 0.2, "n")
    hostile = sheet.cell(2, header.index("MINISTRY_LABEL") + 1)
    assert (hostile.data_type, hostile.quotePrefix) == ("s", True)
    assert sheet.cell(2, 1).data_type == "s"
    assert book["totals"].max_row == 2
    labels = {row[0].value: row[1].value for row in book["labels"].iter_rows(min_row=2)}
    assert labels == schema("budget").labels("ar")
    said = [[c.value for c in row if c.value is not None] for row in book["provenance"].iter_rows()]
    assert ["source", "budget.xlsx", "a" * 64, 10, True] in said
    assert ["fingerprint", lines.provenance.fingerprint] in said
    assert ["table", "budget"] in said
    book.close()


def test_a_text_file_is_safe_and_shows_arabic(lines: Dataset, tmp_path: Path) -> None:
    write(lines, tmp_path / "b.csv")
    content = (tmp_path / "b.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfTIME_PERIOD,")
    header, first, second = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    rows = [dict(zip(header, row, strict=True)) for row in (first, second)]
    assert rows[0]["OBS_VALUE"] == "0.30000000000000004"
    assert rows[0]["COMMENT"] == "'-1+1"
    assert rows[0]["MINISTRY_LABEL"].startswith("'=")
    assert (rows[1]["OBS_VALUE"], rows[1]["COMMENT"]) == ("", "")
    assert rows[1]["MINISTRY_LABEL"] == "وزارة العدل"


def test_a_negative_number_is_untouched(lines: Dataset, tmp_path: Path) -> None:
    data = Dataset(lines.frame.assign(OBS_VALUE=[-5.0, -1e-7]), "budget")
    write(data, tmp_path / "b.csv")
    values = pd.read_csv(tmp_path / "b.csv", dtype=str, encoding="utf-8-sig")["OBS_VALUE"]
    assert values.tolist() == ["-5", "-0.0000001"]


def test_parquet_says_what_it_is(lines: Dataset, tmp_path: Path) -> None:
    write(lines, tmp_path / "b.parquet")
    found = pq.read_schema(tmp_path / "b.parquet")
    about = json.loads(found.metadata[b"gbi"])
    assert (about["table"], about["version"]) == ("budget", "1.0")
    assert about["fingerprint"] == lines.provenance.fingerprint
    assert about["provenance"]["sources"][0]["sha256"] == "a" * 64
    assert found.names == schema("budget").columns  # no index among them
    assert str(found.field("UNIT_MULT").type) == "int64"
    assert str(found.field("OBS_VALUE").type) == "double"


def test_sdmx_csv(lines: Dataset, tmp_path: Path) -> None:
    write(lines, tmp_path / "b.sdmx.csv")
    text = (tmp_path / "b.sdmx.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0])[:4] == ["STRUCTURE", "STRUCTURE_ID", "ACTION", "TIME_PERIOD"]
    assert {(r["STRUCTURE"], r["STRUCTURE_ID"], r["ACTION"]) for r in rows} == {
        ("datastructure", "GBI:DSD_BUDGET(1.0)", "I")
    }
    order = list(rows[0])
    key = [order.index(c) for c in schema("budget").key]
    assert max(key) < order.index("OBS_VALUE") < order.index("OBS_STATUS")
    assert [r["OBS_VALUE"] for r in rows] == ["0.30000000000000004", "NaN"]
    assert {r["PROGRAMME"] for r in rows} == {"_T"}  # the whole of the ministry
    assert rows[0]["COMMENT"] == "'-1+1"


def test_sdmx_csv_keeps_what_the_schema_knows(tmp_path: Path) -> None:
    frame = schema("statistics").conform(pd.DataFrame({
        "INDICATOR": ["x"], "TIME_PERIOD": ["2014-A1"], "REPORTING_YEAR_START_DAY": ["--09-01"],
        "OBS_VALUE": [1.0], "UNIT_MEASURE": ["PT"],
    }))  # fmt: skip
    write(Dataset(frame, "statistics"), tmp_path / "s.sdmx.csv")
    write(Dataset(frame, "statistics"), tmp_path / "s.csv")
    exchange = pd.read_csv(tmp_path / "s.sdmx.csv", dtype=str)
    assert exchange["REPORTING_YEAR_START_DAY"].tolist() == ["--09-01"]
    sheet = pd.read_csv(tmp_path / "s.csv", dtype=str, encoding="utf-8-sig")
    assert sheet["REPORTING_YEAR_START_DAY"].tolist() == ["'--09-01"]


def test_what_is_no_observation_is_not_written_as_sdmx(tmp_path: Path) -> None:
    data = Dataset(pd.DataFrame({"INDICATOR": ["x"]}), "catalogue")
    assert refusal(data, tmp_path / "c.sdmx.csv") == "GBI-E089"


@pytest.mark.parametrize("place", ["p/", "p/datapackage.json"])
def test_a_data_package(lines: Dataset, tmp_path: Path, place: str) -> None:
    written = write(lines, f"{tmp_path}/{place}", lang="en", licence="ODbL-1.0")
    folder = tmp_path / "p"
    assert written == folder / "datapackage.json"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert (package["name"], package["title"]) == ("budget", "Budget credits")
    assert package["licenses"] == [{"name": "ODbL-1.0"}]
    assert package["sources"] == [{"title": "budget.xlsx"}]
    assert package["gbi"]["fingerprint"] == lines.provenance.fingerprint
    names = [r["name"] for r in package["resources"]]
    assert names == ["budget", "budget-parquet", "budget-totals", "budget-totals-parquet"]
    for resource in package["resources"]:
        content = (folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    described = package["resources"][0]["schema"]
    jsonschema.validate(described, contract("table"))
    text = (folder / "data.csv").read_text(encoding="utf-8")
    assert next(csv.reader(text.splitlines())) == [f["name"] for f in described["fields"]]
    assert described["primaryKey"] == list(schema("budget").key)


def test_a_package_states_no_licence_of_its_own(lines: Dataset, tmp_path: Path) -> None:
    write(lines, f"{tmp_path}/p/")
    package = json.loads((tmp_path / "p/datapackage.json").read_text(encoding="utf-8"))
    assert "licenses" not in package
    write(lines, f"{tmp_path}/q/", licence="https://example.org/licence")
    package = json.loads((tmp_path / "q/datapackage.json").read_text(encoding="utf-8"))
    assert package["licenses"] == [{"path": "https://example.org/licence"}]


def test_other_columns_and_microdata_keep_their_kind(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "poids": [1.5, 2.0], "sexe": ["F", "M"], "urbain": [True, False], "n": [1, 2**60],
        "jour": pd.to_datetime(["2025-01-01T00:00", "2025-06-30T12:00"]),
    })  # fmt: skip
    data = Dataset(frame, "survey", roles={"weight": "poids", "sex": "sexe"})
    write(data, tmp_path / "m.parquet")
    back = pd.read_parquet(tmp_path / "m.parquet")
    assert back.to_dict("list") == frame.to_dict("list")
    write(data, tmp_path / "m.csv")
    text = (tmp_path / "m.csv").read_text(encoding="utf-8-sig").splitlines()
    assert text[0] == "poids,sexe,urbain,n,jour"
    assert text[2] == f"2,M,false,{2**60},2025-06-30T12:00:00"
    write(data, tmp_path / "m.xlsx")
    book = openpyxl.load_workbook(tmp_path / "m.xlsx")
    assert [c.value for c in book["survey"][3]][2:4] == [False, str(2**60)]
    book.close()


# --- whole or not at all ---


def refusal(data: Any, place: Path | str, **options: Any) -> str:
    with pytest.raises(GbiError) as caught:
        write(data, place, **options)
    assert caught.value.exit_code == 2
    return caught.value.code


@pytest.mark.parametrize("name", ["b.csv", "b.xlsx", "b.parquet", "b.sdmx.csv", "b/"])
def test_what_is_there_stays_unless_said(lines: Dataset, tmp_path: Path, name: str) -> None:
    place = f"{tmp_path}/{name}"
    write(lines, place)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert refusal(lines, place) == "GBI-E087"
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    write(lines.select([True, False]), place, if_exists="replace")
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert set(after) <= set(before)  # no temporary file is left
    assert after != before


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_table_that_is_there_stays_unless_said(lines: Dataset, tmp_path: Path, kind: str) -> None:
    address = f'{kind}:///{(tmp_path / "b.db").as_posix()}#Crédits "2025"'
    assert write(lines, address) == address
    assert refusal(lines, address) == "GBI-E087"
    write(lines.select([True, False]), address, if_exists="replace")
    path, _, name = address.partition(":///")[2].rpartition("#")
    query = 'SELECT "OBS_VALUE" FROM "{}"'.format(name.replace('"', '""'))
    if kind == "duckdb":
        with duckdb.connect(path) as connection:
            assert connection.execute(query).fetchall() == [(0.1 + 0.2,)]
    else:
        connection = sqlite3.connect(path)
        assert connection.execute(query).fetchall() == [(0.1 + 0.2,)]
        connection.close()


def test_a_folder_that_is_no_package_is_never_replaced(lines: Dataset, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("mine", encoding="utf-8")
    assert refusal(lines, f"{tmp_path}/letters/", if_exists="replace") == "GBI-E087"
    (tmp_path / "letters" / "datapackage.json").write_text("{}", encoding="utf-8")
    assert refusal(lines, f"{tmp_path}/letters/", if_exists="replace") == "GBI-E087"
    assert (tmp_path / "letters" / "a.txt").read_text(encoding="utf-8") == "mine"
    (tmp_path / "empty").mkdir()
    assert write(lines, tmp_path / "empty") == tmp_path / "empty" / "datapackage.json"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (pd.Series(["x" * 32_768, "y"]), "b.xlsx"),
        (pd.Series(["\ufffe", "y"]), "b.xlsx"),
        (pd.Series(["x", "a\x00"]), "b.csv"),
        (pd.Series(["x", "a\x00"]), "b/"),
        (pd.Series(["x", "a\x00"]), "b.sdmx.csv"),
        (pd.Series(["x", "\ud800"], dtype=object), "b.csv"),
        (pd.Series(["x", "\ud800"], dtype=object), "b.xlsx"),
        (pd.Series(["x", "\ud800"], dtype=object), "b.parquet"),
        (pd.Series(["x", "\ud800"], dtype=object), "b/"),
        (pd.Series([{"a": 1}, "y"], dtype=object), "b.csv"),
        (pd.Series([1, 2**63], dtype=object), "b.csv"),
        (pd.to_datetime(pd.Series(["2025-01-01", "2025-01-02"]), utc=True), "b.xlsx"),
    ],
)
def test_a_value_that_a_form_cannot_hold(
    lines: Dataset, tmp_path: Path, value: pd.Series, name: str
) -> None:
    data = Dataset(lines.frame.assign(remarque=value), "budget")
    assert refusal(data, f"{tmp_path}/{name}") == "GBI-E052"
    assert list(tmp_path.iterdir()) == []


def test_an_infinite_number_is_not_put_into_a_workbook(lines: Dataset, tmp_path: Path) -> None:
    data = Dataset(lines.frame.assign(OBS_VALUE=[float("inf"), 1.0]), "budget")
    assert refusal(data, tmp_path / "b.xlsx") == "GBI-E052"
    assert list(tmp_path.iterdir()) == []
    write(data, tmp_path / "b.csv")
    values = pd.read_csv(tmp_path / "b.csv", encoding="utf-8-sig")["OBS_VALUE"]
    assert values.tolist() == [float("inf"), 1.0]


@pytest.mark.parametrize("name", ["b.csv", "b/"])
def test_nothing_is_left_when_the_disk_fails(
    lines: Dataset, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lines, f"{tmp_path}/{name}")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert refusal(lines, f"{tmp_path}/{name}", if_exists="replace") == "GBI-E088"
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_an_older_package_stays_when_the_new_one_cannot_take_its_place(
    lines: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lines, f"{tmp_path}/p/")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    real, calls = Path.replace, []

    def second_fails(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise PermissionError(13, "in use")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", second_fails)
    assert refusal(lines, f"{tmp_path}/p/", if_exists="replace") == "GBI-E088"
    assert len(calls) == 3
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_database_that_fails_keeps_what_it_had(lines: Dataset, tmp_path: Path) -> None:
    address = f"sqlite:///{(tmp_path / 'b.db').as_posix()}#credits"
    write(lines, address)
    wide = pd.DataFrame(1, index=range(2), columns=[f"c{i}" for i in range(2100)])
    many = pd.concat([lines.frame, wide], axis=1)  # more columns than SQLite takes
    assert refusal(Dataset(many, "budget"), address, if_exists="replace") == "GBI-E088"
    connection = sqlite3.connect(tmp_path / "b.db")
    assert connection.execute("SELECT count(*) FROM credits").fetchall() == [(2,)]
    connection.close()
    new = f"sqlite:///{(tmp_path / 'new.db').as_posix()}#credits"
    assert refusal(Dataset(many, "budget"), new) == "GBI-E088"
    assert [p.name for p in tmp_path.iterdir()] == ["b.db"]


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_that_is_no_database(lines: Dataset, tmp_path: Path, kind: str) -> None:
    (tmp_path / "b.db").write_bytes(b"not a database" * 100)
    assert refusal(lines, f"{kind}:///{(tmp_path / 'b.db').as_posix()}#t") == "GBI-E088"
    assert (tmp_path / "b.db").read_bytes() == b"not a database" * 100


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("b.docx", "GBI-E089"), ("b", "GBI-E089"), ("mysql://h/d#t", "GBI-E089"),
        ("duckdb://#t", "GBI-E089"), ("no/where/b.csv", "GBI-E060"),
        ("sqlite:///no/where/b.db#t", "GBI-E060"), ("no/where/p/", "GBI-E060"),
    ],
)  # fmt: skip
def test_a_place_that_is_none(
    lines: Dataset, tmp_path: Path, place: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(lines, place) == code
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(lines: Dataset, tmp_path: Path) -> None:
    assert refusal(lines.frame, tmp_path / "b.csv") == "GBI-E031"
    assert refusal(lines, tmp_path / "b.csv", if_exists="append") == "GBI-E071"
    (tmp_path / "f.csv").mkdir()
    assert refusal(lines, tmp_path / "f.csv", if_exists="replace") == "GBI-E087"


def test_a_password_is_never_shown(lines: Dataset) -> None:
    with pytest.raises(GbiError) as caught:
        write(lines, "postgresql://someone:s3cr3t@127.0.0.1:1/base?connect_timeout=2#t")
    assert caught.value.code == "GBI-E088"
    assert caught.value.where == "postgresql://127.0.0.1:1/base#t"
    assert "s3cr3t" not in repr(caught.value.to_dict())
    assert caught.value.__cause__ is None


# --- read back without a profile ---


def test_microdata_and_other_files_are_not_recognised() -> None:
    assert own_table(Opened([Grid("f.csv", "", [["a", "b"], ["1", "2"]])])) is None
    assert own_table(Opened([Grid("f.csv", "", [])])) is None
    twice = [*schema("budget").columns, "OBS_VALUE"]
    assert own_table(Opened([Grid("f.csv", "", [twice])])) is None


def test_a_header_with_fewer_columns_must_fit_one_table_alone() -> None:
    credits = ["TIME_PERIOD", "MINISTRY", "CHAPTER_KIND", "BUDGET_STAGE", "ECON_NATURE",
               "CREDIT_TYPE", "OBS_VALUE", "UNIT_MEASURE", "UNIT_MULT"]  # fmt: skip
    assert own_table(Opened([Grid("f.csv", "", [credits])])) == "budget"
    assert own_table(Opened([Grid("f.csv", "", [credits[1:]])])) is None
    assert own_table(Opened([Grid("f.csv", "", [[*credits, "remarque"]])])) is None
    either = ["INDICATOR", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE"]  # population, statistics
    assert own_table(Opened([Grid("f.csv", "", [either])])) is None
    more = [*schema("population").columns, "remarque"]
    assert own_table(Opened([Grid("f.csv", "", [more])])) == "population"


@pytest.fixture(scope="module")
def sample() -> dict[str, Dataset]:
    return dict(read_submission(resource_path("samples", "maroc-plf2025")).datasets)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        *((t, f"f.{s}") for t in SAMPLED for s in ("csv", "xlsx", "parquet")),
        *((t, "f.sdmx.csv") for t in SAMPLED[:3]),  # the tables of observations
    ],
)
def test_a_written_file_is_read_without_a_profile(
    sample: dict[str, Dataset], table: str, name: str, tmp_path: Path
) -> None:
    data = sample[table]
    path = Path(write(data, tmp_path / name))
    known = format_of(path)
    assert known is not None
    opened = known.open(path, name)
    assert own_table(opened) == table
    profile = own_profile(table, known.shape)
    parsed = parse(restored(opened, known.name).grids, profile)
    back = pd.DataFrame(parsed.rows.records)
    back = schema(table).conform(back)[list(data.frame.columns)]
    pd.testing.assert_frame_equal(back, data.frame, check_exact=True)
    assert {f.field for f in parsed.findings} <= {"TIME_PERIOD"}  # 2014-A1, a school year's code


@pytest.mark.parametrize("shape", ["table", "workbook"])
@pytest.mark.parametrize("table", [t for t in tables() if t != "survey"])
def test_an_own_profile_follows_the_contract(table: str, shape: Any) -> None:
    jsonschema.validate(dict(own_profile(table, shape).document), contract("profile"))


def test_marks_are_taken_off_where_the_form_has_them(lines: Dataset) -> None:
    opened = Opened([Grid("f", "", [["'=1", "'", "x", 1.0, ""]])])
    assert restored(opened, "csv").grids[0].rows == [["=1", "", "x", 1.0, ""]]
    assert restored(opened, "xlsx").grids[0].rows == [["'=1", "", "x", 1.0, ""]]
    assert restored(opened, "parquet") is opened


# --- in a spreadsheet program and a server ---


@pytest.mark.system
@pytest.mark.parametrize("name", ["h.csv", "h.xlsx"])
def test_a_spreadsheet_computes_nothing(tmp_path: Path, name: str) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    attacks = [t.replace("1", "7*191") for t in HOSTILE if "1" in t] + ["=7*191", "\t=7*191"]
    frame = pd.DataFrame({"COMMENT": attacks, "OBS_VALUE": range(len(attacks))})
    write(Dataset(frame, "budget"), tmp_path / name)
    out = tmp_path / "out"
    # token 44,34,76: comma, quote, UTF-8, and formulas evaluated as when a file is opened by hand
    how = ["--infilter=CSV:44,34,76,1,,0,false,true,false,true"] if name.endswith("csv") else []
    subprocess.run(
        [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", *how,
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76", "--outdir", str(out),
         str(tmp_path / name)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    (converted,) = out.glob("*.csv")
    with converted.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(attacks)
    shown = [row["COMMENT"] for row in rows]
    assert not [text for text in shown if text.lstrip("-+") in ("1337", "1338", "#NAME?", "8")]
    assert sum("7*191" in text for text in shown) == sum("7*191" in a for a in attacks)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Start a throw-away server on a free local port; gives its address."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    home = folder / "cluster"
    home.mkdir()
    folder.chmod(0o755)
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(home, "postgres")
        for parent in folder.parents:
            if parent.name.startswith("pytest-"):
                parent.chmod(0o755)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(tool: str, *options: str) -> None:
        command = [*as_user, str(found[-1] / tool), "-D", str(home / "data"), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120, cwd=home)

    run("initdb", "-U", "gbi", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    settings_ = f"-p {port} -h 127.0.0.1 -k {home} -F"
    run("pg_ctl", "-w", "-o", settings_, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql://gbi@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


@pytest.mark.system
def test_postgresql_gives_back_the_same_frame(lines: Dataset, tmp_path: Path) -> None:
    import sqlalchemy as sa

    with postgresql(tmp_path) as server:
        address = f'{server}#Crédits "2025"'
        shown = write(lines, address)
        assert "@" not in str(shown)
        assert refusal(lines, address) == "GBI-E087"
        hostile = lines.frame.iloc[[0] * len(HOSTILE)].assign(COMMENT=list(HOSTILE))
        blank = {c: None for c in schema("budget").columns if c not in hostile}
        frame = schema("budget").conform(hostile.assign(**blank))
        write(Dataset(frame, "budget"), address, if_exists="replace")
        broken = frame.assign(COMMENT="a\x00")
        assert refusal(Dataset(broken, "budget"), address, if_exists="replace") == "GBI-E088"
        url = sa.make_url(server).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql('SELECT * FROM "Crédits ""2025"""').fetchall()
        back = pd.DataFrame({
            f.name: column([r[c] for r in rows], f.type)
            for c, f in enumerate(schema("budget").fields)
        })  # fmt: skip
        pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_a_package_points_to_no_table_outside_it(tmp_path: Path) -> None:
    frame = pd.DataFrame({"INDICATOR": ["x"], "OBS_VALUE": [1.0]})
    write(Dataset(frame, "performance"), f"{tmp_path}/p/")
    package = json.loads((tmp_path / "p/datapackage.json").read_text(encoding="utf-8"))
    assert "foreignKeys" not in package["resources"][0]["schema"]


def test_an_empty_value_of_ones_own_file_needs_its_status(tmp_path: Path) -> None:
    """With a status it is missing for that reason; without one it is said, never explained."""
    frame = pd.DataFrame({
        "INDICATOR": ["a", "b", "c"], "TIME_PERIOD": ["2024"] * 3, "UNIT_MEASURE": ["PT"] * 3,
        "OBS_VALUE": [1.5, None, None], "OBS_STATUS": ["A", "Q", "A"],
    })  # fmt: skip
    path = tmp_path / "a.csv"
    write(Dataset(frame, "statistics"), path)
    data = gbi.read(path)
    assert data.table == "statistics"
    assert data.frame["OBS_STATUS"].tolist()[:2] == ["A", "Q"]
    assert [f.code for f in data.findings] == ["GBI-T001"]
    assert data.findings[0].a1 == data.origin(2).a1
