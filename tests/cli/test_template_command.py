"""The command behind ``gbi template``: what it writes, says, and refuses."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import gbi
from gbi.cli.parsing import UsageError
from gbi.cli.template import template
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.ingest.template import template_form
from gbi.ingest.workbook import open_workbook
from gbi.language import language


def asked(out: Path, **words: str | None) -> Namespace:
    given = {"table": "staff", "year": "2026", "out": str(out), "prefill": None}
    return Namespace(**(given | words))


@pytest.mark.parametrize("lang", ["fr", "ar", "en"])
def test_a_form_is_written_in_the_language_asked_for(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "form.xlsx"
    with language(lang):
        assert template(asked(out)) == 0
    assert str(out) in capsys.readouterr().out
    form = template_form(open_workbook(out, out.name))
    assert form is not None
    assert (form.table, form.year, form.lang) == ("staff", 2026, lang)


def test_last_years_file_is_read_as_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"DEPARTMENT": "SANTE", "INDICATOR": "Effectif", "SEX": "_T", "TIME_PERIOD": "2025"}
    frame = pd.DataFrame([row | {"UNIT_MEASURE": "PS", "OBS_VALUE": 8.0}])
    read: list[tuple[str, str | None]] = []

    def reading(path: str, *, table: str | None = None) -> Dataset:
        read.append((path, table))
        return Dataset(frame, "staff")

    monkeypatch.setattr(gbi, "read", reading)
    template(asked(tmp_path / "form.xlsx", prefill="last.xlsx"))
    assert read == [("last.xlsx", "staff")]
    sheet = openpyxl.load_workbook(tmp_path / "form.xlsx").worksheets[1]
    cells = {c.value for c in sheet[7]}
    assert {"Effectif", "2026", 8} <= cells


@pytest.mark.parametrize("year", ["26", "abc", "3026", "٢٠٢٦", "2026.0", ""])
def test_a_year_that_is_none_is_a_slip(year: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choice"):
        template(asked(tmp_path / "form.xlsx", year=year))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_table_is_said_before_last_years_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as caught:
        template(asked(tmp_path / "form.xlsx", table="staf", prefill=str(tmp_path / "none.xlsx")))
    assert (caught.value.code, caught.value.expected) == ("GBI-E050", "staff")
    assert caught.value.exit_code == 2
