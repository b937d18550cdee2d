"""Every finding on a real workbook shows what stands in the cell that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gbi
from gbi.validation import validate

PROFILES = Path(__file__).parents[1] / "ingest" / "profiles"

# Workbook → its profile; None where a packaged one knows it.
BOOKS = [
    ("morocco/chaines_resultats_plf2025.xlsx", None),
    ("morocco/marquage_jeunesse_lf2024.xlsx", None),
    ("morocco/repartition_ministeres_plf2025.xlsx", None),
    ("real/eige_gei_2005_2012/gender-equality-index-2005-2010-2012.xlsx", "eige_gei"),
    ("real/ind_cbga_gender_budget_2017/Women_UB 2017-18 (Autosaved).xlsx", "ind_cbga_workbook"),
    ("real/ind_cbga_gender_budget_2017/Women_UB 2017-18 (Autosaved).xlsx", "ind_cbga_shares"),
    ("real/mar_hcp_chomage_trimestriel_xlsx/Taux de chomage au Maroc.xlsx", "mar_hcp_chomage"),
    ("real/mar_hcp_chomage_trimestriel_xlsx/Taux de chomage au Maroc.xlsx", "mar_hcp_chomage_all"),
    ("real/mar_mpi_provinces_2014/base_pauv_priv44.xlsx", "mar_mpi_provinces"),
    ("real/unsd_sdg5_2024/Goal5.xlsx", None),
]
# So many findings are compared at least, lest the test look at nothing.
LEAST = {
    "morocco/chaines_resultats_plf2025.xlsx": 30,
    "real/unsd_sdg5_2024/Goal5.xlsx": 300,
}
# What these rules have found is a number of rows.
COUNTING = {"GBI-S004"}


def number(shown: Any) -> float | None:
    """Return a cell's content as a number, whatever its spaces and decimal sign."""
    text = re.sub(r"[\s\u00a0\u202f%]", "", str(shown)).replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def plain(shown: Any) -> str:
    """Return the letters and digits of a text: EU-28 is the area EU28."""
    return re.sub(r"[^\w.,-]|(?<=[A-Z])-", "", str(shown))


def shows(cell: Any, found: object, scale: frozenset[float]) -> bool:
    """Say whether a cell holds what a finding says, in the unit of the layout."""
    if plain(cell) == plain(found):
        return True
    here, said = number(cell), number(found)
    if here is None or said is None:
        return False
    return any(abs(here * s - said) <= 1e-9 * max(1.0, abs(said)) for s in scale)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("name", "profile"), BOOKS)
def test_a_finding_shows_what_stands_in_its_cell(
    shared_dir: Path, name: str, profile: str | None
) -> None:
    least = LEAST.get(name, 0)
    path = shared_dir / "data" / name
    data = gbi.read(path, profile=None if profile is None else PROFILES / f"{profile}.yaml")
    report = validate(data)
    assert report.engine_errors == ()
    assert data.origins is not None
    book = openpyxl.load_workbook(path, data_only=True)
    scale = frozenset({1.0, 100.0, 0.01})
    cells = {str(c): set(data.origins[c].dropna()) for c in data.origins.columns}
    wrong, compared = [], 0
    for f in report.unmasked():
        if not re.fullmatch("[A-Z]+[0-9]+", f.a1):
            continue
        assert f.sheet in book.sheetnames
        # what the layout says (a unit, a place) has no cell; the row's value is then named
        own_cell = not f.field or f.a1 in cells.get(f.field, ())
        if f.found is None or not own_cell or f.code in COUNTING:
            continue
        compared += 1
        cell = book[f.sheet][f.a1].value
        if not shows(cell, f.found, scale):
            wrong.append((f.code, f.sheet, f.a1, cell, f.found, f.field))
    assert wrong == []
    assert compared >= least
