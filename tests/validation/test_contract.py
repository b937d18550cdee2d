"""The rules in pandera's form and in the engine's name the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gbi.schemas import schema
from gbi.validation import validate
from gbi.validation.catalogue import catalogue
from gbi.validation.contract import COMPILED, broken_rows, compiled, pandera_rules
from gbi.validation.examples import dataset_of

TABLES = ("budget", "performance", "catalogue", "beneficiaries", "population", "marking", "staff",
          "statistics", "survey")  # fmt: skip


def pairs_of_engine(frame: pd.DataFrame, table: str, codes: list[str]) -> set[tuple[str, int]]:
    report = validate({table: frame}, only=codes)
    assert not report.engine_errors
    positions = report.positions()
    return set(zip(positions["CODE"].astype(str), positions["ROW"].tolist(), strict=True))


def pairs_of_pandera(frame: pd.DataFrame, table: str, codes: list[str]) -> set[tuple[str, int]]:
    found = broken_rows(frame, table, codes)
    return set(zip(found["CODE"], found["ROW"], strict=True))


def corpus() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (rule.code, kind, example)
        for rule in catalogue()
        for kind in ("fail", "pass")
        for example in rule.document["examples"].get(kind, [])
        if "types" not in example
    ]


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_on_the_examples_of_all_rules(table: str) -> None:
    codes = [rule.code for rule in compiled(table)]
    for code, kind, example in corpus():
        if example["table"] != table:
            continue
        frame = dataset_of(example).frame
        theirs = pairs_of_pandera(frame, table, codes)
        assert theirs == pairs_of_engine(frame, table, codes), (code, kind)


def spoilt(table: str, seed: int) -> pd.DataFrame:
    """Return rows of random codes and numbers, many of them wrong, empty or there twice."""
    rng = np.random.default_rng(seed)
    n = 120
    columns: dict[str, Any] = {}
    for field in schema(table).fields:
        if field.type in ("number", "integer"):
            values = rng.choice([-3.0, 0.0, 0.5, 12.0, 31.0, 99.99, 100.0, 100.0 + 1e-12, 140.0], n)
            if field.type == "integer":
                values = rng.choice([0.0, 3.0], n)
            column = pd.Series(values).where(rng.random(n) > 0.2)
            columns[field.name] = column.astype("Int64" if field.type == "integer" else "float64")
        else:
            words = [*list(field.codes or ("2024", "2025", "texte"))[:4], "QQQ"]
            column = pd.Series(rng.choice(words, n), dtype="str")
            columns[field.name] = column.where(rng.random(n) > 0.15)
    frame = pd.DataFrame(columns)
    if "MEASURE_KIND" in frame:
        frame["MEASURE_KIND"] = rng.choice(["SHARE", "RATE", "COUNT"], n)
    if "UNIT_MEASURE" in frame:
        frame["UNIT_MEASURE"] = rng.choice(["PT", "PM", "NUMBER", "PS", "MAD"], n)
    if "MARK" in frame:
        frame["MARK"] = rng.choice(["G+", "G2", "1", "5", "9"], n)
    frame = pd.concat([frame, frame.iloc[rng.choice(n, 10)]], ignore_index=True)
    gone = [c for c in frame.columns if c not in schema(table).required and rng.random() < 0.2]
    return frame.drop(columns=gone)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_random_rows(table: str, seed: int) -> None:
    frame = spoilt(table, seed)
    codes = [rule.code for rule in compiled(table)]
    theirs = pairs_of_pandera(frame, table, codes)
    assert theirs == pairs_of_engine(frame, table, codes)
    assert theirs


def test_the_schema_is_pandera_s_own_and_its_checks_are_named_by_code() -> None:
    rules = pandera_rules("performance")
    assert type(rules).__module__.startswith("pandera")
    assert {c.name for c in rules.checks} == {r.code for r in compiled("performance")}
    assert {r.operator for t in TABLES for r in compiled(t)} == set(COMPILED)
