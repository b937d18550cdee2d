"""The Excel forms: what is filled in comes back as it was, and nothing else does."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import gbi
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.ingest.frames import dataset_of
from gbi.ingest.parsing import parse
from gbi.ingest.template import (
    entries_only,
    template_changed,
    template_form,
    template_profile,
    write_template,
)
from gbi.ingest.template.cells import clean
from gbi.ingest.template.form import Form, forms, rules, unique
from gbi.ingest.workbook import open_workbook
from gbi.language import LANGUAGES, fold
from gbi.resources import contract
from gbi.schemas import Field, schema, tables
from gbi.schemas.structure import MISSING_ONLY
from gbi.vocabulary import label

# Microdata have no form: a survey's columns are roles of variables that each survey names itself.
TABLES = [t for t in tables() if t in forms()]
SPREAD = [t for t in TABLES if Form(t, 2026, "fr").members]
HEADER, FIRST = 6, 7
# Any letter, sign or space that a cell can hold; what a workbook can't hold is tested apart.
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"))
WORDS = st.one_of(
    st.text(LETTERS, max_size=24),
    st.sampled_from(["=1+1", "+cmd|x", "@SUM(A1)", "-", "0010", "1,234", "النساء القرويات",
                     "a\nb", "#total", "#N/A", "TRUE", "2026-03-01", "_x0041_", "'quoted"]),
).map(str.strip).filter(bool)  # fmt: skip

# A workbook takes a good part of a second: few examples, each of several rows, and no shrinking.
UNHURRIED = settings(
    max_examples=3, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@lru_cache(maxsize=32)
def blank_form(table: str, lang: str) -> bytes:
    with TemporaryDirectory() as folder:
        return write_template(table, Path(folder, "form.xlsx"), year=2026, lang=lang).read_bytes()


def machine_row(sheet: Any) -> dict[str, int]:
    """Return the column of each machine name."""
    return {sheet.cell(HEADER, c).value: c for c in range(1, sheet.max_column + 1)}


def type_in(sheet: Any, row: int, values: dict[str, Any]) -> None:
    """Fill in a row as somebody does: numbers as numbers, all else as text."""
    columns = machine_row(sheet)
    for name, value in values.items():
        cell = sheet.cell(row, columns[name])
        assert not cell.protection.locked, name
        cell.value = value
        if isinstance(value, str):
            cell.value = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", value)  # as Excel writes it
            cell.data_type = "s"


def read_back(content: bytes | Path) -> tuple[Any, pd.DataFrame]:
    with TemporaryDirectory() as folder:
        path = content if isinstance(content, Path) else Path(folder, "form.xlsx")
        if isinstance(content, bytes):
            path.write_bytes(content)
        opened = open_workbook(path, "form.xlsx")
    profile = template_profile(opened)
    assert profile is not None
    parsed = parse(opened.grids, profile)
    return parsed, dataset_of(parsed, profile, Dataset.of(pd.DataFrame(), "x").provenance).frame


def filled(table: str, lang: str, sheet: int, rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.load_workbook(BytesIO(blank_form(table, lang)))
    for number, row in enumerate(rows, start=FIRST):
        type_in(book.worksheets[sheet], number, row)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def shown(form: Form, column: str, code: Any) -> Any:
    """Return what stands in a cell for a code, or the value itself where there is no list."""
    of = form.schema.field(column)
    name = of.codelist or (f"ENUM_{column}" if of.codes else None)
    return dict(form.lists[name]).get(str(code), code) if name else code


def numbers(least: float, most: float) -> st.SearchStrategy[float]:
    """Return numbers of 15 digits, which is what a workbook keeps."""
    return st.floats(least, most).map(lambda n: float(f"{n:.15g}"))


def values_of(of: Field, form: Form) -> st.SearchStrategy[Any]:
    """Return a strategy of valid values of a column."""
    least, most = of.constraints.get("minimum"), of.constraints.get("maximum")
    if of.codes:
        codes = [c for c, _ in form.lists[of.codelist or f"ENUM_{of.name}"]]
        known = st.sampled_from([int(c) for c in codes] if of.type == "integer" else codes)
    elif "pattern" in of.constraints:
        known = st.from_regex(of.constraints["pattern"], fullmatch=True)
    elif of.type == "string":
        known = WORDS
    elif of.type == "integer":
        known = st.integers(least or 0, most or 10**12)
    else:
        known = numbers(-1e12 if least is None else least, most or 1e12)
    return known if of.required else st.none() | known


@st.composite
def records(draw: Callable[..., Any], table: str, form: Form) -> dict[str, Any]:
    """A valid row: a value with its decimals, or a status that says why there is none."""
    row = {f.name: draw(values_of(f, form)) for f in form.schema.fields}
    if "OBS_VALUE" in row and row["OBS_VALUE"] is None:
        row.update(OBS_STATUS=draw(st.sampled_from(MISSING_ONLY)), DECIMALS=None)
    elif "OBS_VALUE" in row:
        here = [s for s, _ in form.lists["CL_OBS_STATUS"] if s not in MISSING_ONLY]
        row["OBS_STATUS"] = draw(st.sampled_from(here))
        row["DECIMALS"] = draw(st.integers(0, 15))
    for name in row:
        base = name.removesuffix("_LABEL")
        if base != name and form.schema.field(base).codelist:
            row[name] = shown(form, base, row[base])  # the list's label, not one of the sender's
    return row


def understood(parsed: Any) -> bool:
    """Say whether nothing was found but rows that are there twice, and years of another start."""
    odd = [f for f in parsed.findings if f.code != "GBI-F026"]
    return all(f.field == "TIME_PERIOD" and str(f.found).endswith("-A1") for f in odd)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
@UNHURRIED
@given(data=st.data())
def test_rows_come_back_as_they_were_typed(table: str, lang: str, data: st.DataObject) -> None:
    form = Form(table, 2026, lang)
    rows = data.draw(st.lists(records(table, form), min_size=1, max_size=5))
    columns = {c.id for c in form.columns("long")}
    typed = [
        {k: shown(form, k, v) for k, v in row.items() if k in columns and v is not None}
        for row in rows
    ]
    parsed, frame = read_back(filled(table, lang, len(form.shapes) - 1, typed))
    expected = form.schema.conform(pd.DataFrame(rows, columns=form.schema.columns))
    assert_frame_equal(frame, expected, check_exact=True)
    assert understood(parsed), parsed.findings


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", SPREAD)
@UNHURRIED
@given(data=st.data())
def test_values_side_by_side_become_rows(table: str, lang: str, data: st.DataObject) -> None:
    form = Form(table, 2026, lang)
    row = data.draw(records(table, form))
    columns = form.columns("spread")
    about = {c.id: row[c.id] for c in columns if not c.set and row[c.id] is not None}
    cells = numbers(-1e9, 1e9) | st.sampled_from(form.lists["REASONS"]) | st.none()
    values = {c.id: data.draw(cells) for c in columns if c.is_value}
    typed = {k: shown(form, k, v) for k, v in about.items()}
    for name, value in values.items():
        if value is not None:
            typed[name] = value[1] if isinstance(value, tuple) else value
    parsed, frame = read_back(filled(table, lang, 0, [typed]))
    assert understood(parsed)
    if all(v is None for v in values.values()):
        assert len(frame) == 0
        return
    members = [c for c in columns if c.is_value]
    assert len(frame) == len(members)
    for (_, got), member in zip(frame.iterrows(), members, strict=True):
        value = values[member.id]
        assert {k: got[k] for k in member.set} == dict(member.set)
        if isinstance(value, float):
            assert got["OBS_VALUE"] == value
            assert got["OBS_STATUS"] == "A"
        else:
            assert math.isnan(got["OBS_VALUE"])
            assert got["OBS_STATUS"] == ("O" if value is None else value[0])
        for name, said in about.items():
            assert got[name] == said, name


def test_an_empty_cell_stands_for_what_its_heading_says(tmp_path: Path) -> None:
    content = filled("beneficiaries", "fr", 0, [{"INDICATOR": "Consultations", "OBS_VALUE+F": 3}])
    _, frame = read_back(content)
    blank = frame[["TIME_PERIOD", "REF_AREA", "AGE"]].to_dict("records")
    assert blank[0] == {"TIME_PERIOD": "2026", "REF_AREA": "MA", "AGE": "_T"}
    assert frame["UNIT_MULT"].tolist() == [0, 0]
    sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[0]
    headings = {k: sheet.cell(HEADER - 1, c).value for k, c in machine_row(sheet).items()}
    assert headings["TIME_PERIOD"] == "Période\n(vide\u00a0: 2026)"
    assert headings["AGE"].endswith("(vide\u00a0: Tous âges)")
    assert headings["DEPARTMENT"].endswith(" *")


def test_a_budget_without_its_multiplier_is_not_taken_for_dirhams() -> None:
    row = {"UNIT_MEASURE": "Dirham", "OBS_VALUE+GOODS": 12}
    _, frame = read_back(filled("budget", "fr", 0, [row]))
    assert frame["UNIT_MEASURE"].tolist() == ["MAD"] * 4
    assert frame["UNIT_MULT"].isna().all()


def test_a_word_where_the_multiplier_belongs_is_a_finding() -> None:
    parsed, frame = read_back(filled("budget", "fr", 1, [{"UNIT_MULT": "abc", "OBS_VALUE": 1}]))
    assert "GBI-T001" in {f.code for f in parsed.findings}
    assert frame["UNIT_MULT"].isna().all()


def test_a_typed_code_or_alias_is_understood_too() -> None:
    row = {"SEX": "F", "REF_AREA": "MA-04", "UNIT_MEASURE": "Personnes", "OBS_VALUE": 2}
    _, frame = read_back(filled("beneficiaries", "ar", 1, [row]))
    first = frame[["SEX", "REF_AREA", "UNIT_MEASURE"]].to_dict("records")[0]
    assert first == {"SEX": "F", "REF_AREA": "MA-04", "UNIT_MEASURE": "PS"}


LAST_YEAR = pd.DataFrame(
    [
        ("Consultations", "PS", "COUNT", "F", 120.0),
        ("Consultations", "PS", "COUNT", "M", 80.5),
        ("Consultations", "PS", "COUNT", "_T", 200.5),
        ("Couverture", "PT", "RATE", "F", 70.0),
        ("Couverture", "PT", "RATE", "M", 60.0),
        ("Couverture", "PT", "RATE", "_T", 65.0),
        ("=HYPERLINK(1)", "PS", "COUNT", "_T", 7.0),
        ("Visites", "PS", "COUNT", "F", np.nan),
    ],
    columns=["INDICATOR", "UNIT_MEASURE", "MEASURE_KIND", "SEX", "OBS_VALUE"],
)
LAST_YEAR = LAST_YEAR.assign(
    DEPARTMENT="SANTE", TIME_PERIOD="2025", VALUE_KIND="REALISED", COMMENT="à revoir"
)


@pytest.fixture
def prefilled(tmp_path: Path) -> Path:
    return write_template("beneficiaries", tmp_path / "f.xlsx", year=2026, prefill=LAST_YEAR)


def test_last_years_rows_wait_for_this_years_values(prefilled: Path) -> None:
    side_by_side, long = openpyxl.load_workbook(prefilled).worksheets[:2]
    at = machine_row(side_by_side)
    cell = side_by_side.cell
    assert cell(FIRST, at["INDICATOR"]).value == "Consultations"
    assert cell(FIRST, at["TIME_PERIOD"]).value == "2026"
    assert cell(FIRST, at["#LAST+F"]).value == 120
    assert cell(FIRST, at["#LAST+M"]).value == 80.5
    assert cell(FIRST, at["#LAST+F"]).protection.locked
    assert cell(FIRST, at["OBS_VALUE+F"]).value is None
    assert cell(FIRST, at["COMMENT"]).value is None
    assert cell(FIRST, at["AGE"]).value is None  # its heading says what an empty cell is
    assert [cell(FIRST + n, at["INDICATOR"]).value for n in (1, 2)] == ["Visites", None]
    at = machine_row(long)
    rows = [(long.cell(r, at["INDICATOR"]).value, long.cell(r, at["SEX"]).value,
             long.cell(r, at["#LAST"]).value) for r in range(FIRST, FIRST + 5)]  # fmt: skip
    # a rate's total is no sum, and a total alone has no parts: both keep a row of their own
    assert rows == [("Couverture", "Femmes", 70), ("Couverture", "Hommes", 60),
                    ("Couverture", "Total", 65), ("=HYPERLINK(1)", "Total", 7),
                    (None, None, None)]  # fmt: skip


def test_only_what_is_typed_is_read_from_a_prefilled_form(prefilled: Path) -> None:
    book = openpyxl.load_workbook(prefilled)
    type_in(book.worksheets[0], FIRST, {"OBS_VALUE+F": 130, "OBS_VALUE+M": 90})
    for row in range(FIRST, FIRST + 4):
        type_in(book.worksheets[1], row, {"OBS_VALUE": row})
    book.save(prefilled)
    parsed, frame = read_back(prefilled)
    assert parsed.findings == []
    assert frame["OBS_VALUE"].tolist() == [130, 90, *range(FIRST, FIRST + 4)]
    assert frame["TIME_PERIOD"].unique().tolist() == ["2026"]
    assert frame["INDICATOR"].tolist()[-1] == "=HYPERLINK(1)"
    assert frame["MEASURE_KIND"].tolist() == ["COUNT"] * 2 + ["RATE"] * 3 + ["COUNT"]


def test_text_from_data_is_never_a_formula(prefilled: Path) -> None:
    ours = re.compile(r"=IF\(AND\(")
    book = openpyxl.load_workbook(prefilled)
    cells = [c for sheet in book.worksheets for row in sheet for c in row]
    formulas = [c for c in cells if c.data_type == "f"]
    assert formulas
    assert all(ours.match(c.value) for c in formulas)
    (echoed,) = [c for c in cells if c.value == "=HYPERLINK(1)"]
    assert echoed.data_type == "s"
    assert echoed.quotePrefix


@pytest.mark.parametrize("word", ["a\x00b", "a\x0bb", "a\uffffb", "a\x1fb"])
def test_characters_that_a_workbook_cannot_hold_are_left_out(word: str, tmp_path: Path) -> None:
    data = LAST_YEAR.head(1).assign(INDICATOR=word)
    path = write_template("beneficiaries", tmp_path / "f.xlsx", year=2026, prefill=data)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert sheet.cell(FIRST, machine_row(sheet)["INDICATOR"]).value == "ab"
    assert clean(word + "\ud800\r\n") == "ab\n"
    assert clean("_x0041_ x_") == "_x005F_x0041_ x_"
    assert len(clean("x" * 40_000)) == 32_767


def test_periods_move_to_the_forms_year_but_baselines(tmp_path: Path) -> None:
    kinds = ["REALISED", "TARGET", "FORECAST", "BASELINE"]
    data = pd.DataFrame({"VALUE_KIND": kinds, "TIME_PERIOD": ["2023", "2025", "2026", "2015"]})
    data = data.assign(DEPARTMENT="SANTE", PROGRAMME="P", OBJECTIVE="O", INDICATOR="I",
                       UNIT_MEASURE="PT", OBS_VALUE=1.0)  # fmt: skip
    path = write_template("performance", tmp_path / "f.xlsx", year=2026, prefill=data)
    sheet = openpyxl.load_workbook(path).worksheets[1]
    at = machine_row(sheet)["TIME_PERIOD"]
    periods = [sheet.cell(r, at).value for r in range(FIRST, FIRST + 4)]
    assert periods == ["2024", "2026", "2027", "2015"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_list_longer_than_a_formula_may_be_is_offered_whole(lang: str) -> None:
    book = openpyxl.load_workbook(BytesIO(blank_form("budget", lang)))
    entries = Form("budget", 2026, lang).lists["CL_MINISTRY"]
    assert sum(len(words) for _, words in entries) > 255
    sheet = book.worksheets[0]
    letter = sheet.cell(1, machine_row(sheet)["MINISTRY"]).column_letter
    (rule,) = [v for v in sheet.data_validations.dataValidation
               if f"{letter}{FIRST}" in v.cells]  # fmt: skip
    assert (rule.type, rule.formula1) == ("list", "CL_MINISTRY")
    name, area = book.defined_names["CL_MINISTRY"].attr_text.split("!")
    assert [c.value for (c,) in book[name][area]] == [words for _, words in entries]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_every_label_of_a_list_stands_for_one_code(table: str, lang: str) -> None:
    for name, entries in Form(table, 2026, lang).lists.items():
        words = [fold(w) for _, w in entries]
        assert name == "REASONS" or len(set(words)) == len(words), name


def test_a_label_of_two_codes_bears_the_code() -> None:
    assert unique([("A", "Total"), ("B", "total"), ("C", "b"), ("D", "Autre")]) == [
        ("A", "Total [A]"), ("B", "total [B]"), ("C", "b [C]"), ("D", "Autre")
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_sheets_are_protected_without_a_password(table: str, lang: str) -> None:
    book = openpyxl.load_workbook(BytesIO(blank_form(table, lang)))
    form = Form(table, 2026, lang)
    assert [s.sheet_state for s in book.worksheets] == ["visible"] * len(form.shapes) + [
        "hidden", "hidden"
    ]  # fmt: skip
    for sheet in book.worksheets[: len(form.shapes)]:
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        assert sheet.cell(HEADER - 1, 2).protection.locked
        assert sheet.cell(HEADER - 1, 2).font.bold
        assert not sheet.cell(FIRST, 2).protection.locked
        assert sheet.row_dimensions[HEADER].hidden
        assert sheet.column_dimensions["A"].hidden
        assert sheet.sheet_view.rightToLeft is (lang == "ar")
        assert sheet.freeze_panes == f"C{FIRST}"
        assert sheet.print_title_rows


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_messages_fit_what_excel_allows(table: str, lang: str) -> None:
    for sheet in openpyxl.load_workbook(BytesIO(blank_form(table, lang))).worksheets:
        assert len(sheet.title) <= 31
        for rule in sheet.data_validations.dataValidation:
            assert len(rule.error) <= 225
            assert len(rule.errorTitle) <= 32
            assert len(rule.prompt or "") <= 255
            assert len(rule.formula1) <= 255


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_the_profile_of_a_form_follows_the_contract(table: str, lang: str, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(blank_form(table, lang))
    opened = open_workbook(path, path.name)
    profile = template_profile(opened)
    assert profile is not None
    assert profile.name == f"template-{table}"
    jsonschema.Draft202012Validator(contract("profile")).validate(dict(profile.document))
    form = template_form(opened)
    assert form is not None
    assert (form.table, form.year, form.lang) == (table, 2026, lang)
    assert not template_changed(opened)
    parsed = parse(opened.grids, profile)
    assert (parsed.rows.records, parsed.totals.records, parsed.findings) == ([], [], [])


def test_the_same_form_has_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        write_template("staff", tmp_path / f"{n}.xlsx", year=2026, lang="ar") for n in (1, 2)
    )
    assert first.read_bytes() == second.read_bytes()
    dates = {i.date_time for i in zipfile.ZipFile(first).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def edited(content: bytes, change: Callable[[Any], None]) -> Any:
    book = openpyxl.load_workbook(BytesIO(content))
    change(book)
    with TemporaryDirectory() as folder:
        path = Path(folder, "form.xlsx")
        book.save(path)
        return open_workbook(path, "form.xlsx")


def set_cell(sheet: int | str, address: str, value: Any) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[sheet if isinstance(sheet, str) else book.sheetnames[sheet]][address] = value

    return change


CHANGED = {
    "heading": set_cell(0, "B5", "Autre chose"),
    "machine name": set_cell(0, "C6", "SEX"),
    "code": set_cell("_lists", "A3", "X"),
    "label": set_cell("_lists", "B2", "X"),
    "year": set_cell("_meta", "B5", "2027"),
    "hash": set_cell("_meta", "B9", "0"),
    "column gone": lambda book: book.worksheets[0].delete_cols(3),
    "total gone": lambda book: book.worksheets[0].delete_rows(FIRST + 60),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=[*CHANGED])
def test_a_changed_form_is_seen(change: Callable[[Any], None]) -> None:
    opened = edited(blank_form("beneficiaries", "fr"), change)
    assert template_changed(opened)
    assert template_profile(opened) is not None


FILLED = {
    "text": set_cell(0, "B7", "Département de l'eau"),
    "number": set_cell(0, "L7", 12),
    "sheet renamed": lambda book: setattr(book.worksheets[0], "title", "Femmes et hommes"),
    "sheet moved": lambda book: book.move_sheet(book.sheetnames[1], -1),
    "rows inserted": lambda book: book.worksheets[0].insert_rows(FIRST + 1, 3),
}


@pytest.mark.parametrize("change", FILLED.values(), ids=[*FILLED])
def test_filling_in_a_form_does_not_change_it(change: Callable[[Any], None]) -> None:
    opened = edited(blank_form("beneficiaries", "fr"), change)
    assert not template_changed(opened)
    profile = template_profile(opened)
    assert profile is not None
    assert {f.code for f in parse(opened.grids, profile).findings} <= {"GBI-F013"}


def test_swapped_codes_in_the_lists_are_not_believed() -> None:
    def swap(book: Any) -> None:
        lists = book["_lists"]
        column = next(c for c in range(1, 99) if lists.cell(1, c).value == "CL_SEX")
        assert [lists.cell(r, column).value for r in (2, 3)] == ["F", "M"]
        lists.cell(2, column).value, lists.cell(3, column).value = "M", "F"
        type_in(book.worksheets[1], FIRST, {"SEX": "Femmes", "OBS_VALUE": 1})

    opened = edited(blank_form("beneficiaries", "fr"), swap)
    profile = template_profile(opened)
    assert profile is not None
    assert template_changed(opened)
    assert parse(opened.grids, profile).rows.records[0]["SEX"] == "F"


NO_FORM = {
    "format": set_cell("_meta", "B1", "other"),
    "microdata": set_cell("_meta", "B2", "survey"),
    "no table": set_cell("_meta", "B2", "none"),
    "no year": set_cell("_meta", "B5", "MMXX"),
    "no language": set_cell("_meta", "B6", "de"),
    "no sheet about it": lambda book: book.remove(book["_meta"]),
    "no sheets": lambda book: [s.delete_cols(1) for s in book.worksheets[:2]],
}


@pytest.mark.parametrize("change", NO_FORM.values(), ids=[*NO_FORM])
def test_what_is_no_form_has_no_profile(change: Callable[[Any], None]) -> None:
    assert template_profile(edited(blank_form("beneficiaries", "fr"), change)) is None


def test_a_form_without_its_lists_is_still_read() -> None:
    opened = edited(blank_form("beneficiaries", "fr"), lambda book: book.remove(book["_lists"]))
    assert template_changed(opened)
    assert template_profile(opened) is not None


def test_what_the_form_hides_and_computes_is_no_flag(prefilled: Path) -> None:
    opened = open_workbook(prefilled, "form.xlsx")
    assert [f for g in opened.grids for f in g.flags]
    assert [f for g in entries_only(opened).grids for f in g.flags] == []
    assert not template_changed(entries_only(opened))


def test_what_a_sender_hides_or_computes_stays_a_flag(prefilled: Path) -> None:
    book = openpyxl.load_workbook(prefilled)
    sheet = book.worksheets[0]
    sheet.row_dimensions[FIRST + 1].hidden = True
    sheet.column_dimensions["D"].hidden = True
    sheet.cell(FIRST, machine_row(sheet)["OBS_VALUE+F"]).value = "=1+1"
    book.worksheets[1].sheet_state = "hidden"
    book.save(prefilled)
    kept = [f.kind for g in entries_only(open_workbook(prefilled, "f")).grids for f in g.flags]
    assert sorted(kept) == [
        "formula_without_value", "hidden_column", "hidden_row", "hidden_sheet"
    ]  # fmt: skip


def test_a_row_with_nothing_left_but_last_year_is_empty(prefilled: Path) -> None:
    book = openpyxl.load_workbook(prefilled)
    for sheet in book.worksheets[:2]:
        read = [c for name, c in machine_row(sheet).items() if not name.startswith("#")]
        for row in range(FIRST, FIRST + 4):
            for column in read:
                sheet.cell(row, column).value = None
    book.save(prefilled)
    opened = open_workbook(prefilled, "form.xlsx")
    profile = template_profile(opened)
    assert profile is not None
    parsed = parse(entries_only(opened).grids, profile)
    assert (parsed.rows.records, parsed.findings) == ([], [])


@pytest.mark.parametrize(("table", "near"), [("survey", "beneficiaries"), ("staf", "staff")])
def test_a_table_without_a_form_is_refused(table: str, near: str, tmp_path: Path) -> None:
    with pytest.raises(GbiError) as caught:
        write_template(table, tmp_path / "f.xlsx", year=2026)
    assert caught.value.code == "GBI-E050"
    assert near in str(caught.value.expected)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(GbiError) as caught:
        write_template("staff", path, year=2026)
    assert (caught.value.code, caught.value.got) == ("GBI-E085", "No space left on device")
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["f.xlsx"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as caught:
        write_template("staff", tmp_path / "none" / "f.xlsx", year=2026)
    assert (caught.value.code, caught.value.exit_code) == ("GBI-E060", 2)


def test_the_data_of_the_forms_point_to_columns_and_codes() -> None:
    known = {f.name for t in tables() for f in schema(t).fields}
    assert {*rules()["answers"], *rules()["front"], *rules()["additive"]} <= known
    for table, chosen in rules()["tables"].items():
        members = rules()["spreads"][chosen["spread"]]
        assert {p for m in members for p in m.get("sum", ())} <= {m["id"] for m in members}
        for column, code in (pair for m in members for pair in m["set"].items()):
            assert code in schema(table).field(column).codes


# -- in an office program ----------------------------------------------------------------------

RED = (179, 38, 30)


@pytest.fixture
def office(tmp_path: Path) -> Callable[[Path, str], Path]:
    """Convert a file with LibreOffice, as a user who opens and saves it does."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")

    def convert(path: Path, to: str) -> Path:
        out = tmp_path / "converted"
        profile = f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"
        command = [program, profile, "--headless", "--convert-to", to, "--outdir", str(out)]
        subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=180)
        return out / f"{path.stem}.{to}"

    return convert


def typed_form(path: Path, lang: str, total: float | None) -> Path:
    """A form of beneficiaries with two rows and, perhaps, a total typed over its formula."""
    write_template("beneficiaries", path, year=2026, lang=lang, prefill=LAST_YEAR)
    book = openpyxl.load_workbook(path)
    type_in(book.worksheets[0], FIRST, {"OBS_VALUE+F": 130, "OBS_VALUE+M": 90.5})
    type_in(book.worksheets[0], FIRST + 1, {"OBS_VALUE+F": 10, "OBS_VALUE+M": 5})
    if total is not None:
        type_in(book.worksheets[0], FIRST + 1, {"#SUM+T": total})
    book.save(path)
    return path


@pytest.mark.system
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_an_office_program_adds_up_and_reading_ignores_it(
    lang: str, tmp_path: Path, office: Callable[[Path, str], Path]
) -> None:
    path = office(typed_form(tmp_path / "form.xlsx", lang, None), "xlsx")
    sheet = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    at = machine_row(sheet)
    last = next(r for r in range(FIRST, 999) if sheet.cell(r, 1).value == "#total")
    sums = [sheet.cell(r, at["#SUM+T"]).value for r in (FIRST, FIRST + 1, FIRST + 2)]
    assert sums[:2] == [220.5, 15]
    assert not sums[2]
    assert [sheet.cell(last, at[c]).value for c in ("OBS_VALUE+F", "OBS_VALUE+M", "#SUM+T")] == [
        140, 95.5, 235.5
    ]  # fmt: skip
    # rates and counts on one sheet are not added up
    other = openpyxl.load_workbook(path, data_only=True).worksheets[1]
    last = next(r for r in range(FIRST, 999) if other.cell(r, 1).value == "#total")
    assert not other.cell(last, machine_row(other)["#LAST"]).value
    opened = open_workbook(path, path.name)
    assert not template_changed(opened)
    parsed, frame = read_back(path)
    assert (len(frame), parsed.findings) == (8, [])
    side_by_side = frame[frame["INDICATOR"].isin(["Consultations", "Visites"])]
    assert side_by_side["OBS_VALUE"].tolist() == [130, 90.5, 10, 5]
    assert side_by_side["SEX"].tolist() == ["F", "M"] * 2


@pytest.mark.system
def test_an_office_program_does_not_add_rates_up(
    tmp_path: Path, office: Callable[[Path, str], Path]
) -> None:
    rates = LAST_YEAR[LAST_YEAR["MEASURE_KIND"] == "RATE"].assign(MEASURE_KIND=None)
    form = tmp_path / "form.xlsx"
    write_template("beneficiaries", form, year=2026, prefill=rates)
    book = openpyxl.load_workbook(form)
    both = {"UNIT_MEASURE": "%", "OBS_VALUE+F": 70, "OBS_VALUE+M": 60}
    type_in(book.worksheets[0], FIRST, both)
    book.save(form)
    sheet, long = openpyxl.load_workbook(office(form, "xlsx"), data_only=True).worksheets[:2]
    at = machine_row(sheet)
    last = next(r for r in range(FIRST, 999) if sheet.cell(r, 1).value == "#total")
    assert not any(sheet.cell(last, at[c]).value for c in ("OBS_VALUE+F", "#SUM+T"))
    assert not sheet.cell(FIRST, at["#SUM+T"]).value
    last = next(r for r in range(FIRST, 999) if long.cell(r, 1).value == "#total")
    assert not long.cell(last, machine_row(long)["#LAST"]).value


@pytest.mark.system
@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(("total", "red"), [(None, False), (15, False), (16, True)])
def test_a_total_that_is_no_sum_turns_red(
    lang: str, total: float | None, red: bool, tmp_path: Path,
    office: Callable[[Path, str], Path],
) -> None:  # fmt: skip
    from PIL import Image

    drawer = shutil.which("pdftoppm")
    if drawer is None:
        pytest.skip("pdftoppm is not installed")
    pdf = office(typed_form(tmp_path / "form.xlsx", lang, total), "pdf")
    subprocess.run([drawer, "-r", "50", "-png", str(pdf), str(tmp_path / "page")], check=True)
    found = False
    for page in tmp_path.glob("page*.png"):
        colors = Image.open(page).convert("RGB").getcolors(1 << 24) or []
        found = found or any(n > 50 and c == RED for n, c in colors)
    assert found is red


def test_a_territorial_authority_has_a_form_of_its_own(tmp_path: Path) -> None:
    """Two communes of one province: told apart by their names, and read without a profile."""
    path = write_template("territorial", tmp_path / "commune.xlsx", year=2026, lang="fr")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    ids = {sheet.cell(HEADER - 1 + i, c).value: c for i in (0, 1, 2)
           for c in range(1, sheet.max_column + 1)}  # fmt: skip
    assert {"AUTHORITY", "MINISTRY", "REF_AREA", "OBS_VALUE+GOODS"} <= set(ids)
    assert not {"BUDGET_COMPONENT", "CHAPTER_KIND"} & set(ids)
    first = next(r for r in range(1, 20) if sheet.cell(r, 2).protection.locked is False)
    for row, name in ((first, "Azemmour"), (first + 1, "Bir Jdid")):
        typed = {
            "REF_AREA": "Province d'El Jadida",
            "MINISTRY": "Commune",
            "AUTHORITY": name,
            "BUDGET_STAGE": label("CL_BUDGET_STAGE", "VOTED", "fr"),
            "UNIT_MEASURE": label("CL_UNIT_MEASURE", "MAD", "fr"),
            "UNIT_MULT": "unités",
            "OBS_VALUE+GOODS": 1_200_000,
        }
        for column, value in typed.items():
            sheet.cell(row, ids[column], value)
    book.save(path)
    data = gbi.read(path)
    goods = data.frame[data.frame["ECON_NATURE"] == "GOODS"]
    assert data.findings == ()
    assert list(goods["AUTHORITY"]) == ["Azemmour", "Bir Jdid"]
    assert set(goods["BUDGET_COMPONENT"]) == {"CT"}
    assert set(goods["REF_AREA"]) == {"MA-JDI"}
    assert set(goods["MINISTRY"]) == {"CT_COMMUNE"}
    assert goods["OBS_VALUE"].sum() == 2_400_000
