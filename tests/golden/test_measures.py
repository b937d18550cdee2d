"""The golden cases of the measures that the library has: published numbers come out."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest


def measures() -> dict[str, Callable[..., object]]:
    spec = importlib.util.spec_from_file_location(
        "golden_measures_map", Path(__file__).with_name("measures_map.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, Callable[..., object]] = module.MEASURES
    return found


def same(found: object, expected: object, tolerance: float) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            same(found[k], v, tolerance) for k, v in expected.items()
        )
    if expected is None:
        return isinstance(found, float) and math.isnan(found)
    if isinstance(expected, str):
        return found == expected
    return found == pytest.approx(expected, abs=tolerance + 1e-12)


def test_golden_measures(shared_dir: Path) -> None:
    known = measures()
    cases = json.loads((shared_dir / "golden" / "measures.json").read_text(encoding="utf-8"))
    mine = [c for c in cases if c["measure"] in known]
    wrong = []
    for case in mine:
        found = known[case["measure"]](**case["inputs"])
        if not same(found, case["expected"], case["tolerance"]):
            wrong.append((case["id"], found, case["expected"]))
    assert wrong == []
    assert {c["measure"] for c in mine} == set(known)
