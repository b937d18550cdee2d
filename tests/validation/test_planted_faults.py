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

Frames = Mapping[str, pd.DataFrame]
SEED = 20250101
CODES = sorted(planting.PLANTERS)

# Rules that nothing is planted for here, each with the reason.
NOT_PLANTED = {
    "GBI-W": "about justifications and not about figures: tests/validation/test_waivers.py",
    "GBI-F": "about the file and not about figures: planted as bytes in tests/ingest/test_faults.py",
    "GBI-S01": "about sheets and headers, seen on reading: tests/ingest/test_faults.py",
    "GBI-S02": "about a form's headers and year, seen on reading: tests/ingest/test_template.py",
    "GBI-T00": "about single cells, seen on reading: planted as bytes below",
    "GBI-C00": "about labels, seen on reading: planted as bytes below",
    "GBI-P009": "about the spelling of a region, seen on reading: planted as bytes below",
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
            (f for _ in range(20) if (f := planting.plant(code, rng, now, before)) is not None), None
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


def test_300_faults_are_found() -> None:
    planted, missed = recall(SEED, 300, [made(1)])
    assert set(planted) == set(CODES)
    assert missed == {}
