"""Plausibility: what is told is improbable, and random data of every size are left in peace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gbi.validation import validate

ROW = {
    "DEPARTMENT": "SANTE",
    "INDICATOR": "Population",
    "TIME_PERIOD": "2024",
    "REF_AREA": "MA",
    "SEX": "_T",
    "OBS_STATUS": "A",
    "MEASURE_KIND": "COUNT",
    "COUNTED": "PERSONS",
    "UNIT_MEASURE": "PS",
    "UNIT_MULT": 0,
    "DECIMALS": 0,
}
LINE = {
    "REF_AREA": "MA",
    "MINISTRY": "SANTE",
    "TIME_PERIOD": "2025",
    "BUDGET_STAGE": "BILL",
    "ECON_NATURE": "GOODS",
    "CREDIT_TYPE": "CP",
    "UNIT_MEASURE": "MAD",
    "UNIT_MULT": 0,
}


def run(rows: list[dict[str, object]], code: str, table: str = "staff") -> list:
    base = LINE if table == "budget" else ROW
    frame = pd.DataFrame([{**base, **r} for r in rows])
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    report = validate({table: frame}, only=[code])
    assert not report.engine_errors
    return list(report.findings)


def series(values: np.ndarray) -> list[dict[str, object]]:
    return [{"GRADE": f"g{i}", "OBS_VALUE": v} for i, v in enumerate(values.tolist())]


def pairs(women: np.ndarray, men: np.ndarray) -> list[dict[str, object]]:
    return [
        {"GRADE": f"g{i}", "SEX": sex, "OBS_VALUE": v}
        for i, both in enumerate(zip(women.tolist(), men.tolist(), strict=True))
        for sex, v in zip("FM", both, strict=True)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_counted_numbers_are_not_round(seed: int) -> None:
    counts = np.random.default_rng(seed).integers(10, 5000, 400)
    assert run(series(counts), "P012") == []


def test_rounded_numbers_are_one_finding_per_department() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(10, 5000, 200)
    rows = [*series(np.round(counts / 5) * 5)]
    rows += [{**r, "DEPARTMENT": "JUSTICE"} for r in series(counts)]
    (one,) = run(rows, "P012")
    assert one.key["DEPARTMENT"] == "SANTE"
    assert one.found == 100.0


def test_few_or_repeated_round_numbers_say_nothing() -> None:
    assert run(series(np.arange(29) * 10 + 10), "P012") == []
    assert len(run(series(np.arange(30) * 10 + 10), "P012")) == 1
    assert run(series(np.tile([50, 100, 200], 40)), "P012") == []


@pytest.mark.parametrize(("round_ones", "others"), [(300, 700), (12, 18)])
def test_somewhat_more_round_numbers_than_expected_say_nothing(
    round_ones: int, others: int
) -> None:
    """30 % of a thousand are improbable but not many; 12 of 30 are many but not improbable."""
    odd = np.array([n for n in range(11, 10_000) if n % 5][:others])
    assert run(series(np.append(np.arange(round_ones) * 5 + 10, odd)), "P012") == []


def test_three_equal_pairs_among_many_small_ones_are_chance() -> None:
    women = np.arange(200) % 30 + 25
    men = women + np.where(np.arange(200) < 3, 0, 4)
    assert run(pairs(women, men), "P014") == []


@pytest.mark.parametrize("seed", range(20))
def test_real_ratios_and_chance_equalities_are_left_in_peace(seed: int) -> None:
    rng = np.random.default_rng(seed)
    women = rng.integers(200, 9000, 300)
    men = np.round(women * rng.normal(1.0, 0.1, 300))
    assert run(pairs(women, men), "P013") == []
    assert run(pairs(women, men), "P014") == []


@pytest.mark.parametrize("ratio", [0.82, 1.13, 2.4])
def test_a_split_by_a_key_is_found(ratio: float) -> None:
    women = np.array([1204, 1587, 2011, 3170, 4425])
    (one,) = run(pairs(women, np.round(women * ratio)), "P013")
    assert one.found == pytest.approx(ratio, rel=1e-3)
    men = np.round(women * ratio)
    men[2] += 60
    assert run(pairs(women, men), "P013") == []
    assert run(pairs(women[:3], np.round(women[:3] * ratio)), "P013") == []


def test_small_numbers_prove_no_key() -> None:
    women = np.array([21, 33, 42, 64])
    assert run(pairs(women, np.round(women * 1.1)), "P013") == []


@pytest.mark.parametrize(("equal", "hit"), [(2, 0), (3, 1), (4, 1)])
def test_halved_totals_are_found_from_three_on(equal: int, hit: int) -> None:
    women = np.array([240, 131, 157, 480, 391, 288])
    men = women + np.where(np.arange(6) < equal, 0, 17)
    assert len(run(pairs(women, men), "P014")) == hit
    assert run(pairs(np.minimum(women, 15), np.minimum(women, 15)), "P014") == []


@pytest.mark.parametrize(
    ("women", "men", "label", "hit"),
    [
        (2000, 1001, "Population", 0),
        (2100, 1000, "Population", 1),
        (1000, 2100, "السكان", 1),
        (600, 200, "Population", 0),  # fewer than 1,000
        (1000, 2100, "Population active", 0),
        (1000, 2100, "Enseignants", 0),
    ],
)
def test_a_population_has_women_and_men(women: int, men: int, label: str, hit: int) -> None:
    rows = [{"INDICATOR": label, "SEX": s, "OBS_VALUE": v} for s, v in (("F", women), ("M", men))]
    assert len(run(rows, "P015", "population")) == hit


def shares(values: list[float], **extra: object) -> list[dict[str, object]]:
    rate = {"MEASURE_KIND": "SHARE", "UNIT_MEASURE": "PT", "SEX": "F", **extra}
    return [{**rate, "DEPARTMENT": f"D{i}", "OBS_VALUE": v} for i, v in enumerate(values)]


def test_the_department_apart_is_found_and_a_few_peers_prove_nothing() -> None:
    usual = [41.2, 39.7, 43.1, 38.4, 42.5, 40.6, 37.9, 44.3]
    (one,) = run(shares([*usual, 4.1]), "P017")
    assert one.found == 4.1
    assert run(shares([*usual, 33.0]), "P017") == []
    assert run(shares([*usual[:6], 4.1]), "P017") == []
    assert run(shares([40.0] * 9), "P017") == []


@pytest.mark.parametrize(
    ("before", "after", "hit"),
    [(1e8, 1.01e9, 1), (1e8, 9.9e8, 0), (1.01e9, 1e8, 1), (1e5, 9e6, 0)],
)
@pytest.mark.parametrize(
    "step", [{"TIME_PERIOD": ("2024", "2025")}, {"BUDGET_STAGE": ("BILL", "VOTED")}]
)
def test_a_line_that_leaps(
    before: float, after: float, hit: int, step: dict[str, tuple[str, str]]
) -> None:
    ((column, (first, second)),) = step.items()
    rows = [{column: second, "OBS_VALUE": after}, {column: first, "OBS_VALUE": before}]
    found = run(rows, "P018", "budget")
    assert len(found) == hit
    if hit:
        assert (found[0].found, found[0].expected) == (after, before)


def test_a_line_is_told_once_and_its_payments_are_no_credits() -> None:
    rows = [{"TIME_PERIOD": str(y), "OBS_VALUE": v}
            for y, v in zip(range(2020, 2024), (1e7, 2e8, 1e7, 5e9), strict=True)]  # fmt: skip
    (one,) = run(rows, "P018", "budget")
    assert one.found == 5e9
    paid = [{"BUDGET_STAGE": "VOTED", "OBS_VALUE": 1e9}, {"BUDGET_STAGE": "PAID", "OBS_VALUE": 1e7}]
    assert run(paid, "P018", "budget") == []


@pytest.mark.parametrize(("value", "n", "hit"), [(0, None, 1), (100, None, 1), (99.9, None, 0),
                                                 (100, 12, 0)])  # fmt: skip
def test_a_share_of_nobody_or_of_all_needs_its_number(
    value: float, n: int | None, hit: int
) -> None:
    rows = shares([value], N_OBS=n)
    assert len(run(rows, "P019")) == hit
