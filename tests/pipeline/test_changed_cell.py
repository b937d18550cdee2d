"""A change of one cell is seen, and its finding points at that very cell."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gbi.ingest import read_submission
from gbi.resources import resource_path
from gbi.validation import validate

SAMPLE = resource_path("samples", "maroc-plf2025")
WORKBOOKS = {
    "repartition_ministeres_plf2025.xlsx": ("B5:G43",),
    "chaines_resultats_plf2025.xlsx": ("E4:F200",),
    "marquage_jeunesse_lf2024.xlsx": ("H4:H8",),
}
# Texts that are no number in any convention that the profiles declare; an error has its own rule.
WRONG = st.sampled_from(["abc", "12 à 15", "environ 40 %", "#REF!", "1,2,3", "12O"])


@lru_cache(maxsize=1)
def value_cells() -> list[tuple[str, str, str]]:
    """Every cell of the sample workbooks that holds a value."""
    cells = []
    for name, ranges in WORKBOOKS.items():
        book = openpyxl.load_workbook(SAMPLE / name)
        sheets = [s for s in book.worksheets if s.title not in ("Sommaire", "Marquage programmes")]
        for sheet in sheets:
            for area in ranges:
                for row in sheet[area]:
                    for cell in row:
                        if cell.value is not None:
                            cells.append((name, sheet.title, cell.coordinate))
    return cells


@lru_cache(maxsize=1)
def fingerprint() -> str:
    return read_submission(SAMPLE).provenance.fingerprint


@pytest.mark.slow
@given(data=st.data(), wrong=WRONG)
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a smaller cell explains no more
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_finding_points_at_the_changed_cell(data: st.DataObject, wrong: str) -> None:
    name, sheet, a1 = data.draw(st.sampled_from(value_cells()))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "in"
        shutil.copytree(SAMPLE, copy)
        book = openpyxl.load_workbook(copy / name)
        book[sheet][a1] = wrong
        book.save(copy / name)
        submission = read_submission(copy)
        report = validate(submission)
        rule = "GBI-F010" if wrong.startswith("#") else "GBI-T001"
        found = [f for f in report.findings if f.code == rule and f.file == name]
        assert [(f.sheet, f.a1) for f in found] == [(sheet, a1)]
        at_cell = openpyxl.load_workbook(copy / name)[found[0].sheet][found[0].a1].value
        assert found[0].found == at_cell == wrong
        assert submission.provenance.fingerprint != fingerprint()
        assert report.exit_code() == 1


@pytest.mark.parametrize("column", ["B", "D", "E", "G"])
def test_an_amount_that_breaks_an_identity_is_among_the_cells(column: str, tmp_path: Path) -> None:
    name = "repartition_ministeres_plf2025.xlsx"
    shutil.copy(SAMPLE / name, tmp_path / name)
    book = openpyxl.load_workbook(tmp_path / name)
    book.active[f"{column}20"] = "1\u202f000\u202f000"
    book.save(tmp_path / name)
    report = validate(read_submission(tmp_path))
    arithmetic = [f for f in report.findings if f.code in ("GBI-A021", "GBI-A022")]
    assert arithmetic
    assert all(f.severity == "blocking" for f in arithmetic)
    assert any(c.a1 == f"{column}20" for f in arithmetic for c in f.cells)
