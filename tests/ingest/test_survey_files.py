"""Stata and SPSS files: labels for codes, missing values empty, dates, damage refused."""

from __future__ import annotations

import struct
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.ingest.safety import Limits
from gbi.ingest.survey import open_dta, open_sav, read_sav

pyreadstat = pytest.importorskip("pyreadstat")

PEOPLE = pd.DataFrame(
    {
        "Sexe": [1.0, 2.0, 9.0, np.nan],
        "région": ["Drâa", "", "الشرق", "Fès"],
        "WAGE": [1234.5, 0.0, -1.0, 99.0],
    }
)


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    path = tmp_path / "enquete.sav"
    pyreadstat.write_sav(
        PEOPLE, str(path), column_labels=["Sexe de la personne", "", "Salaire"],
        variable_value_labels={"Sexe": {1: "Homme", 2: "Femme", 9: "Refus"}},
        missing_ranges={"Sexe": [9], "WAGE": [{"lo": -9, "hi": -1}]},
    )  # fmt: skip
    return path


def test_labels_stand_in_the_place_of_codes_and_missing_values_are_empty(sav: Path) -> None:
    opened = read_sav(sav, "enquete.sav")
    (grid,) = opened.grids
    assert grid.rows == [
        ["Sexe", "région", "WAGE"],
        ["Homme", "Drâa", 1234.5],
        ["Femme", "", 0.0],
        ["", "الشرق", ""],
        ["", "Fès", 99.0],
    ]
    assert (grid.file, grid.sheet) == ("enquete.sav", "")
    assert opened.details["missing"] == "2"
    assert opened.details["label:Sexe"] == "Sexe de la personne"
    assert "label:région" not in opened.details
    assert opened.details["encoding"] == "UTF-8"


def test_compressed_spss_files_are_read_too(tmp_path: Path, sav: Path) -> None:
    path = tmp_path / "enquete.zsav"
    pyreadstat.write_sav(PEOPLE, str(path), compress=True)
    assert read_sav(path, path.name).grids[0].rows[1] == [1.0, "Drâa", 1234.5]


def test_spss_dates_are_dates_and_durations_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "dates.sav"
    day = (date(2024, 3, 8) - date(1582, 10, 14)).days * 86_400.0
    frame = pd.DataFrame(
        {"d": [day, 1e13], "t": [day + 3661, np.nan], "h": [108_000.0, 5.0], "m": [day, day]}
    )
    formats = {"d": "DATE11", "t": "DATETIME20", "h": "TIME8", "m": "MOYR8"}
    pyreadstat.write_sav(frame, str(path), variable_format=formats)
    assert read_sav(path, "x").grids[0].rows[1:] == [
        [date(2024, 3, 8), datetime(2024, 3, 8, 1, 1, 1), 108_000.0, date(2024, 3, 8)],
        [1e13, "", 5.0, date(2024, 3, 8)],  # after the year 9999: the number
    ]


def test_codes_stay_where_two_of_them_share_a_label(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [1, 2]})
    shared = {"a": {1: "Autre", 2: "Autre"}, "b": {1: "Oui", 2: "Non"}}
    expected = [[1, "Oui"], [2, "Non"]]
    pyreadstat.write_sav(frame, str(tmp_path / "x.sav"), variable_value_labels=shared)
    assert read_sav(tmp_path / "x.sav", "x").grids[0].rows[1:] == expected
    pyreadstat.write_dta(frame, str(tmp_path / "x.dta"), variable_value_labels=shared)
    assert open_dta(tmp_path / "x.dta", "x").grids[0].rows[1:] == expected


def test_text_codes_have_labels_and_missing_values_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"s": ["F", "M", "NR"]})
    pyreadstat.write_sav(
        frame, str(tmp_path / "x.sav"), variable_value_labels={"s": {"F": "Femme", "M": ""}},
        missing_ranges={"s": ["NR"]},
    )  # fmt: skip
    opened = read_sav(tmp_path / "x.sav", "x")
    assert opened.grids[0].rows[1:] == [["Femme"], ["M"], [""]]
    assert opened.details["missing"] == "1"


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_every_version_of_stata_files(tmp_path: Path, version: int) -> None:
    frame = pd.DataFrame(
        {
            "Sexe": [1, 2, 3],
            "wage": np.array([0.1, 1e6, np.nan], dtype="float32"),
            "n": pd.Series([32_000, None, 5], dtype="float64"),
            "region": ["Fès", "", "Drâa"],
            "day": pd.to_datetime(["2024-03-08", None, "1950-01-01"]),
            "at": pd.to_datetime(["2024-03-08 10:30", None, "1950-01-01 00:00"]),
        }
    )
    path = tmp_path / "enquete.dta"
    frame.to_stata(
        path, write_index=False, version=version, convert_dates={"day": "td", "at": "tc"},
        variable_labels={"Sexe": "Sexe de la personne"},
        value_labels={"Sexe": {1: "Homme", 2: "Femme"}},
    )  # fmt: skip
    opened = open_dta(path, "enquete.dta")
    assert opened.grids[0].rows == [
        ["Sexe", "wage", "n", "region", "day", "at"],
        ["Homme", 0.1, 32_000.0, "Fès", date(2024, 3, 8), datetime(2024, 3, 8, 10, 30)],
        ["Femme", 1e6, "", "", "", ""],
        [3, "", 5.0, "Drâa", date(1950, 1, 1), datetime(1950, 1, 1)],
    ]
    assert opened.details == {"label:Sexe": "Sexe de la personne", "missing": "0"}
    assert opened.flags == ()


def test_extended_missing_values_of_stata_are_counted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, np.nan], "b": [1, 2, 3, 4]})
    path = tmp_path / "x.dta"
    frame.to_stata(path, write_index=False, version=118, byteorder="<")
    dot_a = bytes.fromhex("000000000008e07f")  # .a, where the third record holds 3.0
    path.write_bytes(path.read_bytes().replace(struct.pack("<d", 3.0), dot_a, 1))
    opened = open_dta(path, "x.dta")
    assert [row[0] for row in opened.grids[0].rows[1:]] == [1.0, 2.0, "", ""]
    assert opened.details["missing"] == "1"


def test_long_strings_of_stata(tmp_path: Path) -> None:
    text = "é" * 3000
    frame = pd.DataFrame({"s": [text, "", text]})
    frame.to_stata(tmp_path / "x.dta", write_index=False, version=118, convert_strl=["s"])
    rows = open_dta(tmp_path / "x.dta", "x").grids[0].rows
    assert rows == [["s"], [text], [""], [text]]


def test_a_stata_file_that_is_not_utf8_where_it_should_be_is_flagged(tmp_path: Path) -> None:
    path = tmp_path / "x.dta"
    pd.DataFrame({"s": ["Fez~", "b"]}).to_stata(path, write_index=False, version=118)
    path.write_bytes(path.read_bytes().replace(b"Fez~", b"F\xe8s~", 1))
    opened = open_dta(path, "x.dta")
    assert opened.grids[0].rows[1] == ["Fès~"]
    assert [(f.kind, f.detail) for f in opened.flags] == [("encoding", "latin-1")]


def test_files_without_records(tmp_path: Path) -> None:
    empty = pd.DataFrame({"a": pd.Series([], dtype="float64")})
    empty.to_stata(tmp_path / "x.dta", write_index=False)
    assert open_dta(tmp_path / "x.dta", "x").grids[0].rows == [["a"]]
    pyreadstat.write_sav(empty, str(tmp_path / "x.sav"))
    assert read_sav(tmp_path / "x.sav", "x").grids[0].rows == [["a"]]


def test_more_cells_than_the_limit_are_refused_before_they_are_read(
    tmp_path: Path, sav: Path
) -> None:
    PEOPLE.rename(columns={"région": "region"}).to_stata(
        tmp_path / "x.dta", write_index=False, version=118
    )
    for limits in (Limits(cells=11), Limits(expanded=100)):
        for opener, path in ((open_dta, tmp_path / "x.dta"), (read_sav, sav)):
            with pytest.raises(GbiError) as caught:
                opener(path, "x", limits)
            assert (caught.value.code, caught.value.exit_code) == ("GBI-E063", 3)
    assert len(read_sav(sav, "x", Limits(cells=12)).grids[0].rows) == 5
    assert len(open_dta(tmp_path / "x.dta", "x", Limits(cells=12)).grids[0].rows) == 5


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_and_never_break_the_program(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "x.dta"
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 5), "s": ["long"] * 10, "f": [0.5] * 10})
    frame.to_stata(path, write_index=False, version=data.draw(st.sampled_from([114, 117, 118])))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    for _ in range(data.draw(st.integers(0, 4)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    outcome = "read"
    try:
        open_dta(path, "x.dta")
    except GbiError as error:
        outcome = error.code
    assert outcome in ("read", "GBI-E061", "GBI-E063")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_spss_file_is_refused(sav: Path, share: float) -> None:
    content = sav.read_bytes()
    sav.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(GbiError) as caught:
        read_sav(sav, "enquete.sav")
    assert (caught.value.code, caught.value.where) == ("GBI-E061", "enquete.sav")


def test_the_process_of_its_own_gives_the_same(sav: Path) -> None:
    assert open_sav(sav, "enquete.sav") == read_sav(sav, "enquete.sav")
    sav.write_bytes(sav.read_bytes()[:300])
    with pytest.raises(GbiError) as caught:
        open_sav(sav, "enquete.sav")
    assert caught.value.code == "GBI-E061"
