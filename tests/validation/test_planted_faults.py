"""Planted faults: found where they were planted, rule by rule; nothing is blocked where none is."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.ingest import read_submission
from gbi.resources import resource_path
from gbi.validation import ValidationReport, rules, validate
from gbi.validation.catalogue import OUTSIDE, catalogue

pytestmark = pytest.mark.slow


def beside(name: str) -> ModuleType:
    """Return a module of this folder, which is no package."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


clean_figures = beside("clean_figures")
planting = beside("planting")
filled_forms = beside("filled_forms")

Frames = Mapping[str, pd.DataFrame]
SEED = 20250101
CODES = sorted(planting.PLANTERS)

# Rules that nothing is planted for here, each with the reason.
NOT_PLANTED = {
    "GBI-W": "about justifications, not figures: tests/validation/test_waivers.py",
    "GBI-F": "about the file, seen on reading: cell_faults here and tests/ingest",
    "GBI-S01": "about sheets and headers, seen on reading: tests/ingest",
    "GBI-S02": "about a form's headers and year, seen on reading: tests/ingest",
    "GBI-T00": "about single cells, seen on reading: cell_faults here and tests/ingest",
    "GBI-C00": "about labels, seen on reading: cell_faults here and tests/ingest",
    "GBI-P009": "about the spelling of a region, seen on reading: cell_faults here",
    "GBI-A030": "about printed totals, seen on reading: tests/ingest/test_subtotals.py",
}


@lru_cache(maxsize=64)
def places(table: str, rows: int) -> pd.DataFrame:
    """Return origins in which row n stands in A(n+1) of a sheet named like the table."""
    cells = [f"A{n + 1}" for n in range(rows)]
    return pd.DataFrame({"_FILE": "f", "_SHEET": table, "_RAW": "", "OBS_VALUE": cells})


def placed(frames: Frames) -> dict[str, Dataset]:
    return {t: Dataset(f, t, origins=places(t, len(f))) for t, f in frames.items()}


def looked_at(fault: Any, only: list[str] | None) -> ValidationReport:
    before = dict(fault.before) or None
    return validate(placed(fault.now), previous=before, only=only)


def is_found(fault: Any, report: ValidationReport, known: frozenset[Any] = frozenset()) -> bool:
    """Say whether a finding of the rule names a row that is at fault, and is not an old one."""
    findings = [f for f in report.unmasked() if f.code == fault.code]
    if not fault.rows:  # a column, or what is no longer there, has no row
        return bool(findings)
    cells = {(c.sheet, int(c.a1[1:]) - 1) for f in findings for c in f.cells if c.a1}
    return bool(cells & (fault.rows - known))


def recall(
    seed: int, wanted: int, bases: list[tuple[Frames, Frames]], codes: list[str] = CODES
) -> tuple[Counter[str], dict[str, list[Any]]]:
    """Plant faults in turn for every rule; return how many by rule, and those not found."""
    rng = np.random.default_rng(seed)
    planted: Counter[str] = Counter()
    missed: dict[str, list[Any]] = defaultdict(list)
    for n in range(wanted):
        code = codes[n % len(codes)]
        now, before = bases[int(rng.integers(len(bases)))]
        fault = next(
            (f for _ in range(20) if (f := planting.plant(code, rng, now, before)) is not None),
            None,
        )
        assert fault is not None, f"no place for a fault of {code}"
        planted[code] += 1
        report = looked_at(fault, [code])
        assert report.engine_errors == (), code
        if not is_found(fault, report):
            missed[code].append((sorted(fault.rows)[:4], report.rules[0]))
    return planted, dict(missed)


@lru_cache(maxsize=4)
def made(seed: int, departments: int = 2) -> tuple[Frames, Frames]:
    return (
        clean_figures.submission(seed, departments),
        clean_figures.submission(seed, departments, last=True),
    )


def test_every_rule_is_planted_or_has_a_reason() -> None:
    known = set(rules()["CODE"])
    assert set(CODES) <= known
    left = sorted(known - set(CODES))
    reasons = {code: [p for p in NOT_PLANTED if code.startswith(p)] for code in left}
    assert [c for c, found in reasons.items() if len(found) != 1] == []
    assert {p for found in reasons.values() for p in found} == set(NOT_PLANTED)
    within = {r.code for r in catalogue() if r.operator not in OUTSIDE}
    assert within == set(CODES)


@pytest.mark.parametrize(("seed", "departments"), [(1, 2), (2, 3), (3, 4)])
def test_clean_figures_have_no_finding_at_all(seed: int, departments: int) -> None:
    now, before = made(seed, departments)
    report = validate(placed(now), previous=dict(before))
    assert report.engine_errors == ()
    assert report.not_run == ()
    assert Counter(f.code for f in report.unmasked()) == {}
    assert {r.code for r in report.rules if r.code in CODES and r.status != "passed"} == set()


@pytest.mark.slow
def test_300_faults_are_found() -> None:
    planted, missed = recall(SEED, 300, [made(1, 1)])
    assert set(planted) == set(CODES)
    assert missed == {}


@pytest.mark.slow
def test_5000_faults_are_found_in_filled_forms_and_in_the_sample(
    tmp_path: Path, sample: Frames
) -> None:
    bases = [read_forms(tmp_path, 11, 1), made(12, 1), made(13, 2)]
    planted, missed = recall(SEED + 1, 4000, bases)
    again, more = recall_in_sample(SEED + 2, 900, sample)
    found, lost = cell_faults(tmp_path / "cells", 100)
    assert planted.total() + again.total() + found.total() == 5000
    assert missed == {}
    assert more == {}
    assert lost == {}


# --- the Moroccan sample ----------------------------------------------------------------------

# What can be planted into a row of the sample by itself, whatever its indicators are called.
IN_SAMPLE = ["GBI-" + c for c in (
    "A021", "A023", "C010", "C013", "G023", "G024", "G025", "G026", "G027", "G041", "G042", "G043",
    "G044", "G046", "P004", "P005", "P007", "P008", "R001", "R002", "R003", "R009", "S001", "S004",
    "T014", "T020",
)]  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> Frames:
    read = read_submission(resource_path("samples", "maroc-plf2025"))
    return {name: data.frame for name, data in read.datasets.items()}


def recall_in_sample(
    seed: int, wanted: int, sample: Frames
) -> tuple[Counter[str], dict[str, list[Any]]]:
    """Plant into the sample, beside the findings that it has itself."""
    rng = np.random.default_rng(seed)
    own = {f.id for f in validate(placed(sample)).unmasked()}
    planted: Counter[str] = Counter()
    missed: dict[str, list[Any]] = defaultdict(list)
    places_left = [c for c in IN_SAMPLE if planting.plant(c, rng, sample, {}) is not None]
    assert len(places_left) >= 20
    for n in range(wanted):
        code = places_left[n % len(places_left)]
        for _ in range(50):
            fault = planting.plant(code, rng, sample, {})
            if fault is None:
                continue
            report = looked_at(fault, [code])
            new = [f for f in report.unmasked() if f.id not in own]
            # where the sample already has such a finding, another place is drawn
            old = {(c.sheet, int(c.a1[1:]) - 1)
                   for f in report.unmasked() if f.id in own for c in f.cells}  # fmt: skip
            if new or not old & fault.rows:
                break
        else:
            raise AssertionError(f"no free place for a fault of {code}")
        planted[code] += 1
        if not new or not is_found(fault, report):
            missed[code].append(sorted(fault.rows)[:4])
    return planted, dict(missed)


def test_faults_in_the_sample_are_found(sample: Frames) -> None:
    _, missed = recall_in_sample(SEED, 60, sample)
    assert missed == {}


# --- forms ------------------------------------------------------------------------------------


def read_forms(
    folder: Path, seed: int, departments: int, lang: str = "fr"
) -> tuple[Frames, Frames]:
    """Type clean figures into forms and return what is read back, with last year's."""
    read = []
    for year, frames in zip((2025, 2024), made(seed, departments), strict=True):
        where = folder / f"{lang}{year}"
        filled_forms.fill(where, frames, year, lang)
        back = {name: d.frame for name, d in read_submission(where).datasets.items()}
        # microdata have no form
        read.append({"survey": frames["survey"], **back})
    return read[0], read[1]


def blocking(report: ValidationReport) -> list[tuple[str, str, str]]:
    return [(f.code, f.file, f.a1) for f in report.unmasked() if f.severity == "blocking"]


def test_a_filled_form_is_clean(tmp_path: Path) -> None:
    now, _ = made(4, 1)
    some = {name: now[name] for name in ("marking", "catalogue")}
    filled_forms.fill(tmp_path, some, 2025, "en")
    report = validate(read_submission(tmp_path))
    assert {n: len(f) for n, f in some.items()} == report.tables
    # two tables are not the whole of a submission, and that is said
    assert {f.code for f in report.unmasked()} <= {"GBI-F024"}


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "departments"), [("fr", 2), ("ar", 1), ("en", 3)])
def test_filled_forms_are_not_blocked(tmp_path: Path, lang: str, departments: int) -> None:
    now, before = made(20 + departments, departments)
    filled_forms.fill(tmp_path / "now", now, 2025, lang)
    filled_forms.fill(tmp_path / "before", before, 2024, lang)
    report = validate(
        read_submission(tmp_path / "now"), previous=read_submission(tmp_path / "before")
    )
    assert report.tables == {n: len(f) for n, f in now.items() if n != "survey"}
    assert report.engine_errors == ()
    assert blocking(report) == []
    # series of several years stand in the form of one year: said, and the only thing said
    assert {f.code for f in report.unmasked()} <= {"GBI-S021"}


def test_the_clean_tables_of_the_sample_are_not_blocked(sample_dir: Path, tmp_path: Path) -> None:
    """The budget annex, the marking of the Jeunesse and the schools by region."""
    for name in ("repartition_ministeres_plf2025.xlsx", "marquage_jeunesse_lf2024.xlsx",
                 "ecoles_regions_2024.csv"):  # fmt: skip
        target = tmp_path / Path(name).stem
        target.mkdir()
        (target / name).write_bytes((sample_dir / name).read_bytes())
        report = validate(read_submission(target))
        assert report.tables
        assert blocking(report) == []


def test_the_census_of_disability_is_not_blocked() -> None:
    """Three splits of one population, each closed: sex, area, age."""
    base = {"INDICATOR": "Population en situation de handicap", "REF_AREA": "MA",
            "TIME_PERIOD": "2014", "DISABILITY_STATUS": "PD", "UNIT_MEASURE": "PS", "UNIT_MULT": 0,
            "OBS_STATUS": "A", "DECIMALS": 0, "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
            "SOURCE": "Recensement 2014", "SEX": "_T", "AGE": "_T",
            "URBANISATION": "_T"}  # fmt: skip
    total = 1_703_424
    splits: list[dict[str, Any]] = [
        {"SEX": "F", "OBS_VALUE": 859_816}, {"SEX": "M", "OBS_VALUE": total - 859_816},
        {"URBANISATION": "U", "OBS_VALUE": 950_000},
        {"URBANISATION": "R", "OBS_VALUE": total - 950_000},
        {"AGE": "Y0T14", "OBS_VALUE": 180_119}, {"AGE": "Y15T59", "OBS_VALUE": 819_713},
        {"AGE": "Y_GE60", "OBS_VALUE": total - 180_119 - 819_713}, {"OBS_VALUE": total},
    ]  # fmt: skip
    frame = clean_figures.typed([{**base, **row} for row in splits], "statistics")
    assert Counter(f.code for f in validate(placed({"statistics": frame})).unmasked()) == {}


# --- single cells of a form, as bytes ---------------------------------------------------------

CELLS: list[tuple[str, str, list[Any]]] = [
    ("GBI-T001", "OBS_VALUE", ["environ 40", "quarante", "12 personnes"]),
    ("GBI-C001", "DEPARTMENT", ["Ministère de la mer", "Direction des forêts"]),
    ("GBI-C002", "REF_AREA", ["Atlantide", "Région du Nord-Ouest lointain"]),
    ("GBI-P009", "REF_AREA", ["Tanger-Tétouan-AI Hoceima"]),
    ("GBI-F010", "OBS_VALUE", ["#DIV/0!", "#REF!", "#N/A"]),
    ("GBI-F011", "OBS_VALUE", ["=1+41"]),
]


def cell_faults(folder: Path, wanted: int) -> tuple[Counter[str], dict[str, list[Any]]]:
    """Type wrong entries into the cells of a form, one a file; return those not found there."""
    rng = np.random.default_rng(SEED)
    now, _ = made(5, 1)
    rows = now["beneficiaries"].iloc[:40].reset_index(drop=True)
    filled_forms.fill(folder, {"beneficiaries": rows}, 2025)
    (form,) = folder.glob("*.xlsx")
    clean = form.read_bytes()
    planted: Counter[str] = Counter()
    missed: dict[str, list[Any]] = defaultdict(list)
    for n in range(wanted):
        code, column, entries = CELLS[n % len(CELLS)]
        entry = entries[int(rng.integers(len(entries)))]
        cell = filled_forms.retype(form, clean, int(rng.integers(len(rows))), column, entry)
        seen = [(f.code, f.a1) for f in validate(read_submission(folder)).unmasked()]
        planted[code] += 1
        if (code, cell) not in seen:
            missed[code].append((entry, cell, seen[:4]))
    return planted, dict(missed)


@pytest.mark.slow
def test_wrong_entries_of_a_form_are_found_in_their_cells(tmp_path: Path) -> None:
    _, missed = cell_faults(tmp_path / "cells", 2 * len(CELLS))
    assert missed == {}


def hidden_rows(sheet: Any) -> None:
    sheet.row_dimensions[9].hidden = True


def shown_in_thousands(sheet: Any) -> None:
    sheet.cell(9, 13).number_format = "#,##0,"


def another_header(sheet: Any) -> None:
    sheet.cell(6, 12).value = "UNITE"


def another_year(sheet: Any) -> None:
    for row in range(7, 17):
        sheet.cell(row, 8).value = "2019"


@pytest.mark.parametrize(
    ("code", "change"),
    [("GBI-F015", hidden_rows), ("GBI-F017", shown_in_thousands), ("GBI-S020", another_header),
     ("GBI-S021", another_year)],
)  # fmt: skip
def test_changes_of_a_form_itself_are_found(tmp_path: Path, code: str, change: Any) -> None:
    now, _ = made(5, 1)
    filled_forms.fill(tmp_path, {"beneficiaries": now["beneficiaries"].iloc[:10]}, 2023)
    (form,) = tmp_path.glob("*.xlsx")
    assert code not in {f.code for f in validate(read_submission(tmp_path)).unmasked()}
    filled_forms.alter(form, change)
    assert code in {f.code for f in validate(read_submission(tmp_path)).unmasked()}
