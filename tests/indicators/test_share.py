"""Shares of one group: women among those of known sex, and what is not in the denominator."""

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
from gbi.indicators import share
from gbi.resources import resource_path
from gbi.results import Result


@lru_cache(maxsize=1)
def sample() -> Submission:
    return gbi.read_submission(resource_path("samples", "maroc-plf2025"))


def counts(*rows: tuple[str, float | None], **columns: Any) -> pd.DataFrame:
    """One group "a" with a row per (sex, count)."""
    sex, numbers = zip(*rows, strict=True)
    frame = pd.DataFrame({"G": "a", "SEX": sex, "OBS_VALUE": pd.array(numbers, dtype="Float64")})
    return frame.assign(**columns)


def only(frame: pd.DataFrame, **options: Any) -> pd.Series:
    found = share(frame, by=["G"], **options).frame
    assert len(found) == 1
    return found.iloc[0]


def codes(result: Result) -> list[str]:
    return [note.code for note in result.notes]


def test_women_in_the_house_of_representatives() -> None:
    row = only(counts(("F", 96.0), ("M", 299.0)))
    assert (row["VALUE_MEMBER"], row["DENOMINATOR"]) == (96.0, 395.0)
    assert row["SHARE"] == 96 / 395
    assert round(100 * row["SHARE"], 1) == 24.3
    assert row["SHARE"] != pytest.approx(0.321, abs=1e-3)  # the ratio F / M that WEF prints
    assert only(counts(("F", 96.0), ("M", 299.0)), member="M")["SHARE"] == 299 / 395


def test_girls_among_pupils_of_the_sample() -> None:
    data = sample()["statistics"]
    pupils = data.select(data.frame["INDICATOR"].str.startswith("Effectif des élèves - primaire"))
    result = share(pupils, by=["INDICATOR", "TIME_PERIOD"])
    found = result.frame.set_index("TIME_PERIOD")
    assert len(found) == 10
    assert found.loc["2014-A1", "SHARE"] == 1915 / (1915 + 2125)
    assert found.loc["2023-A1", "SHARE"] == 2219 / (2219 + 2387)
    assert set(found["SEX_KNOWN"]) == {1.0}
    assert result.meta["shares"] == 10
    assert result.kind == "shares"
    assert result.to_json() == share(pupils, by=["INDICATOR", "TIME_PERIOD"]).to_json()


def test_a_total_beside_its_parts_changes_nothing() -> None:
    parts = counts(("F", 40.0), ("M", 60.0))
    beside = counts(("_T", 175.0), ("F", 40.0), ("M", 60.0), ("_Z", 9.0))
    pd.testing.assert_frame_equal(share(beside, by=["G"]).frame, share(parts, by=["G"]).frame)


def test_a_total_alone_gives_no_share() -> None:
    row = only(counts(("_T", 100.0)))
    assert pd.isna(row["SHARE"])
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", "GBI-N055")
    unlabelled = only(counts(("F", 100.0)).assign(SEX=None))
    assert unlabelled["REASON"] == "GBI-N055"


def test_unknown_sex_is_outside_the_denominator_and_shown() -> None:
    frame = counts(("F", 30.0), ("M", 50.0), ("_U", 15.0), ("_N", 5.0))
    row = only(frame)
    assert (row["SHARE"], row["DENOMINATOR"], row["VALUE_UNKNOWN"]) == (0.375, 80.0, 20.0)
    assert row["SEX_KNOWN"] == 0.8
    result = share(frame, by=["G"])
    assert result.meta["SEX_KNOWN"] == 0.8
    assert codes(result) == ["GBI-N053"]
    assert codes(share(frame.head(2), by=["G"])) == []


def test_the_coverage_of_the_whole_is_by_persons_not_by_groups() -> None:
    small = counts(("F", 4.0), ("M", 6.0), ("_U", 90.0))
    large = counts(("F", 400.0), ("M", 500.0)).assign(G="b")
    result = share(pd.concat([small, large]), by=["G"])
    assert result.frame["SEX_KNOWN"].tolist() == [0.1, 1.0]
    assert result.meta["SEX_KNOWN"] == 0.91


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("F", None), ("M", 5.0)], "GBI-N051"),
        ([("F", 5.0), ("M", None)], "GBI-N051"),
        ([("M", 5.0), ("_T", 9.0)], "GBI-N051"),
        ([("F", 5.0), ("_T", 9.0)], "GBI-N051"),
        ([("F", 5.0), ("_U", 9.0)], "GBI-N051"),
        ([("F", 5.0), ("F", 1.0), ("M", 5.0), ("M", None)], "GBI-N051"),
        ([("F", 0.0), ("M", 0.0)], "GBI-N050"),
        ([("_U", 9.0)], "GBI-N050"),
    ],
)
def test_an_incomplete_group_has_no_share_but_a_reason(
    rows: list[tuple[str, float | None]], reason: str
) -> None:
    row = only(counts(*rows))
    assert pd.isna(row["SHARE"])
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", reason)


def test_a_counted_zero_is_a_share_of_zero() -> None:
    row = only(counts(("F", 0.0), ("M", 12.0)))
    assert (row["SHARE"], row["OBS_STATUS"]) == (0.0, "A")
    assert pd.isna(row["REASON"])


def test_the_status_of_a_missing_value_is_kept() -> None:
    row = only(counts(("F", 5.0), ("M", None), OBS_STATUS=["A", "Q"]))
    assert (row["OBS_STATUS"], row["REASON"]) == ("Q", "GBI-N051")


@pytest.mark.parametrize("columns", [{"UNIT_MEASURE": ["PERSONS", "POSTS"]}, {"UNIT_MULT": [0, 3]}])
def test_counts_in_two_units_are_not_added(columns: dict[str, list[Any]]) -> None:
    row = only(counts(("F", 5.0), ("M", 5.0), **columns))
    assert row[["SHARE", "VALUE_MEMBER", "DENOMINATOR", "UNIT_MEASURE", "UNIT_MULT"]].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", "GBI-N052")


def test_rates_are_left_out_and_counted() -> None:
    frame = counts(("F", 4.0), ("M", 6.0), ("F", 70.0), MEASURE_KIND=["COUNT", "COUNT", "RATE"])
    result = share(frame, by=["G"])
    assert result.frame["SHARE"].tolist() == [0.4]
    assert result.meta["rows_left_out"] == 1
    assert {n.code: dict(n.params) for n in result.notes} == {"GBI-N054": {"count": 1}}


def test_a_sum_over_a_total_and_its_parts_is_refused() -> None:
    cells = (("F", 4.0), ("M", 6.0), ("F", 1.0), ("M", 2.0))
    for column in ({"AGE": ["_T", "_T", "Y15T24", "Y15T24"]},
                   {"REF_AREA": ["MA", "MA", "MA-01", "MA-01"]}):  # fmt: skip
        with pytest.raises(GbiError) as refused:
            share(counts(*cells, **column), by=["G"])
        assert refused.value.code == "GBI-E040"
        (name,) = column
        apart = share(counts(*cells, **column), by=["G", name]).frame
        assert sorted(apart["SHARE"]) == [1 / 3, 0.4]
    areas = counts(*cells, REF_AREA=["MA-02", "MA-02", "MA-01", "MA-01"])
    assert only(areas)["SHARE"] == 5 / 13


def test_another_dimension_and_its_totals() -> None:
    frame = pd.DataFrame({
        "G": ["a"] * 3,
        "URBANISATION": ["U", "R", "_T"],
        "OBS_VALUE": [30.0, 10.0, 40.0],
    })  # fmt: skip
    result = share(frame, by=["G"], over="URBANISATION", member="R")
    row = result.frame.iloc[0]
    assert (row["SHARE"], row["KNOWN"]) == (0.25, 1.0)
    assert "SEX_KNOWN" not in result.frame.columns
    assert (result.meta["over"], result.meta["member"]) == ("URBANISATION", "R")


def test_faulty_calls_are_refused() -> None:
    frame = counts(("F", 1.0), ("M", 2.0))
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("GBI-E070", frame.drop(columns="SEX"), {}),
        ("GBI-E070", frame.drop(columns="OBS_VALUE"), {}),
        ("GBI-E071", frame, {"member": "W"}),
        ("GBI-E071", frame, {"by": "G"}),
        ("GBI-E073", frame.assign(OBS_VALUE="12 femmes"), {}),
        ("GBI-E031", {"G": ["a"]}, {}),
    ]
    for code, data, options in cases:
        with pytest.raises(GbiError) as refused:
            share(data, **{"by": ["G"], **options})
        assert refused.value.code == code


def test_cents_add_up_exactly() -> None:
    frame = counts(*[("F", 0.1)] * 10, *[("M", 0.3)] * 10)
    row = only(frame)
    assert (row["VALUE_MEMBER"], row["DENOMINATOR"]) == (1.0, 4.0)
    huge = only(counts(("F", 1e16), *[("F", 1.0)] * 2, ("M", 1.0)))
    assert huge["VALUE_MEMBER"] == 1e16 + 2


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["F", "M", "_U"]), st.integers(0, 10**6).map(float)
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(PEOPLE, st.integers(2, 4), st.randoms(use_true_random=False))
def test_repeating_every_row_or_shuffling_them_keeps_the_shares(
    people: list[tuple[str, str, float]], times: int, random: Any
) -> None:
    names = ["G", "SEX", "OBS_VALUE"]
    once = share(pd.DataFrame(people, columns=names), by=["G"]).frame
    repeated = people * times
    random.shuffle(repeated)
    more = share(pd.DataFrame(repeated, columns=names), by=["G"]).frame
    same = ["G", "SHARE", "SEX_KNOWN", "OBS_STATUS", "REASON"]
    pd.testing.assert_frame_equal(once[same], more[same], check_exact=True)
    members = once["VALUE_MEMBER"] * times
    pd.testing.assert_series_equal(members, more["VALUE_MEMBER"], check_exact=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_shares_of_women_and_men_make_one(women: int, men: int, unknown: int) -> None:
    frame = counts(("F", float(women)), ("M", float(men)), ("_U", float(unknown)))
    f, m = only(frame, member="F")["SHARE"], only(frame, member="M")["SHARE"]
    if women + men == 0:
        assert pd.isna(f)
        assert pd.isna(m)
    else:
        assert f + m == pytest.approx(1.0, abs=1e-15)
        assert 0 <= f <= 1
        assert (f > m) == (women > men)


def test_the_unit_is_that_of_what_is_counted_wherever_a_printed_total_stands() -> None:
    people = [{"SEX": "F", "OBS_VALUE": 400.0, "UNIT_MULT": 0},
              {"SEX": "M", "OBS_VALUE": 600.0, "UNIT_MULT": 0}]  # fmt: skip
    printed = {"SEX": "_T", "OBS_VALUE": 1.0, "UNIT_MULT": 3}
    for order in ([printed, *people], [*people, printed]):
        frame = pd.DataFrame(order).assign(INDICATOR="a", UNIT_MEASURE="NUMBER")
        row = share(frame, by=["INDICATOR"]).frame.iloc[0]
        assert (row["SHARE"], row["UNIT_MULT"]) == (0.4, 0)


def test_coverage_counts_the_known_of_groups_that_give_no_share() -> None:
    rows = [("a", "F", 10.0), ("a", "M", 10.0), ("b", "F", 5.0), ("b", "_U", 20.0)]
    frame = pd.DataFrame(rows, columns=["INDICATOR", "SEX", "OBS_VALUE"])
    assert share(frame, by=["INDICATOR"]).meta["SEX_KNOWN"] == pytest.approx(25 / 45)


@pytest.mark.parametrize("column", ["ECON_NATURE", "CHAPTER_KIND"])
def test_a_total_of_a_budget_dimension_does_not_mix_with_its_members(column: str) -> None:
    member = {"ECON_NATURE": "GOODS", "CHAPTER_KIND": "COMMON"}[column]
    rows = [("F", 10.0, "_T"), ("M", 10.0, "_T"), ("F", 5.0, member), ("M", 9.0, member)]
    frame = pd.DataFrame(rows, columns=["SEX", "OBS_VALUE", column]).assign(MINISTRY="HCP")
    with pytest.raises(GbiError) as caught:
        share(frame, by=["MINISTRY"])
    assert caught.value.code == "GBI-E040"


def test_shares_are_made_of_sums_that_can_be_shown() -> None:
    from gbi.compute.small_cells import SmallCells

    frame = pd.DataFrame(
        {
            "REF_AREA": ["MA-01"] * 4 + ["MA-02"] * 4,
            "SEX": ["F", "M"] * 4,
            "AGE": ["Y0T4", "Y0T4", "Y5T9", "Y5T9"] * 2,
            "OBS_VALUE": [3.0, 40.0, 4.0, 50.0, 1.0, 40.0, 2.0, 50.0],
        }
    )
    out = share(frame, by=["REF_AREA"], suppress=SmallCells()).frame
    # Three and four women are seven, which can be shown; one and two are still three.
    assert out["VALUE_MEMBER"].fillna(-1).tolist() == [7.0, -1.0]
    assert out["SHARE"].isna().tolist() == [False, True]
    assert out["DENOMINATOR"].isna().tolist() == [False, True]
    assert out["OBS_STATUS"].tolist() == ["A", "Q"]
    assert share(frame, by=["REF_AREA"]).frame["SHARE"].notna().all()
