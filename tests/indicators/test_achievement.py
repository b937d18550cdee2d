"""Targets against realised values: the counts of the catalogue, directions, which value is last."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbi
from gbi.dataset import Submission
from gbi.errors import GbiError
from gbi.indicators import achievement
from gbi.resources import resource_path
from gbi.results import Result

SERIES = ["DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR", "SUB_INDICATOR"]


@lru_cache(maxsize=1)
def sample() -> Submission:
    return gbi.read_submission(resource_path("samples", "maroc-plf2025"))


@lru_cache(maxsize=1)
def catalogue() -> Result:
    return achievement(sample()["performance"], by=SERIES)


def table(*rows: tuple[str, str, float | None], **columns: Any) -> pd.DataFrame:
    """One series "a" with a row per (kind, period, value)."""
    kinds, periods, numbers = zip(*rows, strict=True)
    frame = pd.DataFrame({"S": "a", "VALUE_KIND": kinds, "TIME_PERIOD": periods})
    return frame.assign(OBS_VALUE=pd.array(numbers, dtype="Float64"), **columns)


def measured(*rows: tuple[str, str, float | None], **columns: Any) -> pd.DataFrame:
    return achievement(table(*rows, **columns), by=["S"]).frame


def pair(realised: float | None, target: float | None, **columns: Any) -> pd.Series:
    found = measured(("REALISED", "2023", realised), ("TARGET", "2024", target), **columns)
    assert len(found) == 1
    return found.iloc[0]


def test_the_catalogue_has_172_series_and_says_what_is_missing() -> None:
    meta = catalogue().meta
    assert len(catalogue().frame) == meta["series"] == 172
    assert meta["without_realised"] == 34
    assert meta["without_target"] == 5
    assert meta["both"] == 133
    assert meta["equal"] == 22
    assert meta["without_direction"] == 16
    notes = {n.code: dict(n.params) for n in catalogue().notes}
    assert notes["GBI-N027"] == {"series": 172, "both": 133, "realised": 34, "target": 5}
    assert notes["GBI-N028"] == {"against": 37, "equal": 22}
    assert notes["GBI-N029"] == {"count": 16}


@pytest.mark.parametrize(
    ("direction", "wrong", "compared", "named"),
    [("UP", 36, 108, 139), ("DOWN", 1, 6, 14), ("NEAREST", 0, 3, 3)],
)
def test_targets_on_the_wrong_side_by_direction(
    direction: str, wrong: int, compared: int, named: int
) -> None:
    found = catalogue().frame
    mine = found[found["DIRECTION"] == direction]
    assert len(mine) == named
    assert mine["AGAINST"].count() == compared
    assert mine["AGAINST"].sum() == wrong
    if direction in ("UP", "DOWN"):
        both = mine.dropna(subset=["VALUE_REALISED", "VALUE_TARGET"])
        below = both["VALUE_TARGET"] < both["VALUE_REALISED"]
        above = both["VALUE_TARGET"] > both["VALUE_REALISED"]
        assert (below if direction == "UP" else above).sum() == wrong


def test_every_series_without_a_ratio_has_a_reason() -> None:
    found = catalogue().frame
    empty = found[found["RATIO"].isna()]
    assert empty["REASON"].value_counts().to_dict() == {
        "GBI-N020": 34,
        "GBI-N021": 5,
        "GBI-N025": 16,
        "GBI-N026": 3,
    }
    unknown = empty[empty["REASON"].isin(["GBI-N020", "GBI-N021"])]
    assert unknown[["DIFFERENCE", "AGAINST", "EQUAL"]].isna().all(axis=None)
    assert set(unknown["OBS_STATUS"]) == {"O"}
    assert found[found["RATIO"].notna()]["REASON"].isna().all()


def test_a_printed_series_with_its_cells() -> None:
    found = catalogue().frame
    row = found[(found["DEPARTMENT"] == "JUSTICE") & found["PAIR_ID"].eq("P02")
                & found["SEX"].eq("M")].iloc[0]  # fmt: skip
    assert (row["VALUE_REALISED"], row["PERIOD_REALISED"]) == (266.0, "2023")
    assert (row["VALUE_TARGET"], row["PERIOD_TARGET"]) == (75.0, "2024")
    assert row["RATIO"] == 266 / 75
    assert row["DIFFERENCE"] == -191.0
    assert row["AGAINST"]
    data = sample()["performance"]
    mine = data.frame[(data.frame["PAIR_ID"] == "P02") & (data.frame["SEX"] == "M")]
    at = {str(kind): int(i) for i, kind in mine["VALUE_KIND"].items()}
    assert row["ORIGIN_REALISED"] == str(data.origin(at["REALISED"]))
    assert row["ORIGIN_TARGET"] == str(data.origin(at["TARGET"]))


def test_the_result_is_the_same_twice_and_of_any_row_order() -> None:
    data = sample()["performance"]
    assert achievement(data, by=SERIES).to_json() == catalogue().to_json()
    turned = achievement(data.frame.iloc[::-1], by=SERIES)
    pd.testing.assert_frame_equal(turned.frame, achievement(data.frame, by=SERIES).frame)
    assert not turned.provenance.verified


@pytest.mark.parametrize(
    ("direction", "realised", "target", "ratio", "against"),
    [
        ("UP", 80.0, 100.0, 0.8, False),
        ("UP", 120.0, 100.0, 1.2, True),
        ("UP", 100.0, 100.0, 1.0, False),
        ("UP", 0.0, 50.0, 0.0, False),
        ("DOWN", 50.0, 40.0, 0.8, False),
        ("DOWN", 30.0, 40.0, 4 / 3, True),
        ("DOWN", 40.0, 0.0, 0.0, False),
    ],
)
def test_the_ratio_by_direction(
    direction: str, realised: float, target: float, ratio: float, against: bool
) -> None:
    row = pair(realised, target, DIRECTION=direction)
    assert (row["RATIO"], row["AGAINST"]) == (ratio, against)
    assert row["DIFFERENCE"] == target - realised
    assert row["EQUAL"] == (realised == target)
    assert pd.isna(row["DISTANCE"])


@pytest.mark.parametrize(
    ("direction", "realised", "target"), [("UP", 7.0, 0.0), ("DOWN", 0.0, 7.0)]
)
def test_a_denominator_of_zero_gives_no_ratio(
    direction: str, realised: float, target: float
) -> None:
    row = pair(realised, target, DIRECTION=direction)
    assert pd.isna(row["RATIO"])
    assert row["REASON"] == "GBI-N024"
    assert row["AGAINST"]


def test_without_a_direction_nothing_is_wrong() -> None:
    row = pair(50.0, 40.0)
    assert pd.isna(row["RATIO"])
    assert (row["DIFFERENCE"], row["AGAINST"], row["REASON"]) == (-10.0, False, "GBI-N025")


@pytest.mark.parametrize(
    ("realised", "target", "against"),
    [(45.0, 48.0, False), (45.0, 55.0, False), (45.0, 40.0, True), (45.0, 56.0, True)],
)
def test_nearest_is_measured_from_its_reference(
    realised: float, target: float, against: bool
) -> None:
    row = pair(realised, target, DIRECTION="NEAREST", DIRECTION_REF=50.0)
    assert row["DISTANCE"] == abs(realised - 50)
    assert row["DISTANCE_TARGET"] == abs(target - 50)
    assert row["AGAINST"] == against
    assert pd.isna(row["RATIO"])
    assert row["REASON"] == "GBI-N026"


def test_the_parity_indices_of_the_sample_are_near_one() -> None:
    found = catalogue().frame
    mine = found[found["DIRECTION"] == "NEAREST"]
    assert set(mine["DIRECTION_REF"]) == {1.0}
    assert sorted(mine["DISTANCE"].round(12)) == [0.0, 0.02, 0.05]
    assert mine["DISTANCE_TARGET"].tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("realised", "target", "reason"),
    [(None, 5.0, "GBI-N020"), (5.0, None, "GBI-N021"), (None, None, "GBI-N022")],
)
def test_a_missing_value_is_not_zero(
    realised: float | None, target: float | None, reason: str
) -> None:
    row = pair(realised, target, DIRECTION="UP")
    assert row[["DIFFERENCE", "RATIO", "AGAINST", "EQUAL"]].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", reason)


def test_series_with_one_kind_only_are_rows_too() -> None:
    bare = measured(("REALISED", "2023", 5.0), DIRECTION="UP")
    assert bare["REASON"].tolist() == ["GBI-N021"]
    assert bare["VALUE_REALISED"].tolist() == [5.0]
    aimed = measured(("TARGET", "2024", 5.0), DIRECTION="UP")
    assert aimed["REASON"].tolist() == ["GBI-N020"]
    assert aimed["PERIOD_REALISED"].isna().all()


@pytest.mark.parametrize(
    ("realised", "chosen"),
    [
        ({"2021": 1.0, "2022": 2.0, "2023": 3.0}, "2023"),
        ({"2021": 1.0, "2023": None}, "2021"),
        ({"2022": 1.0, "2024": 2.0}, "2024"),
        ({"2022": 1.0, "2025": 2.0}, "2022"),
        ({"2026": 1.0, "2025": 2.0}, "2025"),
    ],
)
def test_the_realised_value_is_the_last_known_one_up_to_the_target(
    realised: dict[str, float | None], chosen: str
) -> None:
    rows = [("REALISED", period, value) for period, value in realised.items()]
    (found,) = measured(*rows, ("TARGET", "2024", 9.0), DIRECTION="UP").to_dict("records")
    assert found["PERIOD_REALISED"] == chosen
    assert found["VALUE_REALISED"] == realised[chosen]


def test_each_target_has_its_row_and_progress_starts_at_the_baseline() -> None:
    rows = [("BASELINE", "2020", 50.0), ("REALISED", "2022", 70.0), ("REALISED", "2024", 45.0),
            ("TARGET", "2023", 90.0), ("TARGET", "2025", 90.0)]  # fmt: skip
    found = measured(*rows, DIRECTION="UP")
    assert found["PERIOD_TARGET"].tolist() == ["2023", "2025"]
    assert found["VALUE_REALISED"].tolist() == [70.0, 45.0]
    assert found["PROGRESS"].tolist() == [0.5, -0.125]
    falling = measured(("BASELINE", "2020", 50.0), ("REALISED", "2022", 40.0),
                       ("TARGET", "2023", 30.0), DIRECTION="DOWN")  # fmt: skip
    assert falling["PROGRESS"].tolist() == [0.5]
    assert "PROGRESS" not in catalogue().frame.columns


def test_two_units_are_not_compared() -> None:
    row = pair(5.0, 6.0, UNIT_MEASURE=["PT", "NUMBER"], DIRECTION="UP")
    assert row[["RATIO", "DIFFERENCE", "AGAINST", "UNIT_MEASURE"]].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", "GBI-N023")


def test_rows_that_differ_in_sex_are_two_series() -> None:
    rows = [("REALISED", "2023", 1.0), ("TARGET", "2024", 2.0)] * 2
    result = achievement(table(*rows, SEX=["F", "F", "M", "M"], DIRECTION="UP"), by=["S"])
    assert result.frame["SEX"].tolist() == ["F", "M"]
    assert result.meta["series"] == 2
    with pytest.raises(GbiError) as refused:
        achievement(table(*rows), by=["S"])
    assert refused.value.code == "GBI-E072"
    assert "a › REALISED › 2023 × 2" in str(refused.value)


def test_faulty_calls_are_refused() -> None:
    frame = table(("REALISED", "2023", 1.0), ("TARGET", "2024", 2.0))
    cases: list[tuple[str, Any, Any]] = [
        ("GBI-E070", frame.drop(columns="VALUE_KIND"), ["S"]),
        ("GBI-E070", frame, ["SERIES"]),
        ("GBI-E071", frame, "S"),
        ("GBI-E073", frame.assign(OBS_VALUE="deux"), ["S"]),
        ("GBI-E030", sample()["budget"], ["MINISTRY"]),
    ]
    for code, data, by in cases:
        with pytest.raises(GbiError) as refused:
            achievement(data, by=by)
        assert refused.value.code == code


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_target_is_wrong_in_at_most_one_direction(realised: int, target: int) -> None:
    up = pair(float(realised), float(target), DIRECTION="UP")
    down = pair(float(realised), float(target), DIRECTION="DOWN")
    assert up["RATIO"] * down["RATIO"] == pytest.approx(1.0, rel=1e-14)
    assert bool(up["AGAINST"]) + bool(down["AGAINST"]) + bool(up["EQUAL"]) == 1
    assert up["AGAINST"] == (up["RATIO"] > 1)
