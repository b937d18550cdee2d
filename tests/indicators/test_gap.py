"""Gaps: what makes a pair, sign and band, and the reason wherever there is no gap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbi
from gbi.dataset import Submission
from gbi.errors import GbiError
from gbi.indicators import gap
from gbi.resources import resource_path
from gbi.results import Result

CHAINS = ["DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR", "PAIR_ID", "VALUE_KIND",
          "TIME_PERIOD"]  # fmt: skip
MEASURES = ["VALUE_F", "VALUE_M", "GAP_ABS", "GAP_REL", "PARITY", "PARITY_BAND", "GAP_REF",
            "REFERENCE", "UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS", "REASON"]  # fmt: skip
NO_GAP = ["GAP_ABS", "GAP_REL", "PARITY", "PARITY_BAND"]


@lru_cache(maxsize=1)
def sample() -> Submission:
    return gbi.read_submission(resource_path("samples", "maroc-plf2025"))


@lru_cache(maxsize=1)
def chains() -> Result:
    return gap(sample()["performance"], by=CHAINS)


def values(*rows: tuple[str, float | None], **columns: Any) -> pd.DataFrame:
    """One group "a" with a row per (sex, value)."""
    sex, numbers = zip(*rows, strict=True)
    frame = pd.DataFrame({"G": "a", "SEX": sex, "OBS_VALUE": pd.array(numbers, dtype="Float64")})
    return frame.assign(**columns)


def only(frame: pd.DataFrame, **options: Any) -> pd.Series:
    found = gap(frame, by=["G"], **options).frame
    assert len(found) == 1
    return found.iloc[0]


def refused(data: Any, by: Sequence[str] = ("G",), **options: Any) -> GbiError:
    with pytest.raises(GbiError) as error:
        gap(data, by=by, **options)
    return error.value


def test_the_chains_have_32_pairs_and_two_values_each() -> None:
    result = chains()
    assert result.frame["PAIR_ID"].nunique() == 32
    assert len(result.frame) == 64
    counts = result.frame.groupby(["VALUE_KIND", "TIME_PERIOD"])["GAP_ABS"].count()
    assert counts.to_dict() == {("REALISED", "2023"): 27, ("TARGET", "2024"): 32}
    assert (result.meta["rows"], result.meta["gaps"]) == (64, 59)
    assert (result.meta["series"], result.meta["series_sex_known"]) == (172, 139)


def test_the_five_pairs_without_a_gap_say_why_and_are_not_zero() -> None:
    found = chains().frame
    empty = found[found["GAP_ABS"].isna()]
    assert set(empty["PAIR_ID"]) == {"P14", "P15", "P24", "P26", "P28"}
    assert set(zip(empty["OBS_STATUS"], empty["REASON"], strict=True)) == {("O", "GBI-N012")}
    assert empty[["VALUE_F", "VALUE_M", *NO_GAP]].isna().all(axis=None)
    assert found[found["GAP_ABS"].notna()]["REASON"].isna().all()
    notes = {n.code: dict(n.params) for n in chains().notes}
    assert notes["GBI-N006"] == {"count": 5, "rows": 64}
    assert notes["GBI-N003"] == {"known": 139, "series": 172}


def test_a_printed_pair_with_its_cells_and_labels() -> None:
    found = chains().frame.set_index(["PAIR_ID", "VALUE_KIND"])
    row = found.loc[("P01", "REALISED")]
    assert (row["VALUE_F"], row["VALUE_M"], row["GAP_ABS"]) == (57.0, 65.0, -8.0)
    assert (row["GAP_REL"], row["PARITY"], row["PARITY_BAND"]) == (-8 / 65, 57 / 65, "AGAINST_F")
    assert "femmes" in row["SUB_INDICATOR_F"]
    assert "hommes" in row["SUB_INDICATOR_M"]
    frame = sample()["performance"].frame
    mine = frame[(frame["PAIR_ID"] == "P01") & (frame["TIME_PERIOD"] == "2023")]
    for sex in "FM":
        (position,) = mine.index[mine["SEX"] == sex]
        assert row[f"ORIGIN_{sex}"] == str(sample()["performance"].origin(position))
    target = found.loc[("P01", "TARGET")]
    assert (target["GAP_ABS"], target["PARITY"], target["PARITY_BAND"]) == (0.0, 1.0, "PARITY")


def test_the_result_is_the_same_twice_and_of_any_row_order() -> None:
    data = sample()["performance"]
    again = gap(data, by=CHAINS)
    assert again.to_json() == chains().to_json()
    mask = np.random.default_rng(7).permutation(len(data.frame))
    shuffled = gap(data.frame.iloc[mask], by=CHAINS).frame
    ordered = gap(data.frame, by=CHAINS).frame
    pd.testing.assert_frame_equal(shuffled, ordered)
    pd.testing.assert_frame_equal(ordered[MEASURES], chains().frame[MEASURES])


def test_a_plain_frame_is_taken_but_unverified() -> None:
    frame = values(("F", 3.0), ("M", 4.0))
    result = gap(frame, by=["G"])
    assert [s.name for s in result.provenance.sources] == ["in memory, unverified"]
    assert not result.provenance.verified
    assert [s.function for s in result.provenance.steps] == ["gap"]
    assert result.frame[["ORIGIN_F", "ORIGIN_M"]].isna().all(axis=None)
    assert chains().provenance.verified
    assert "GAP_ABS" not in frame.columns


def test_the_sign_is_women_less_men_and_the_reference_turns_it() -> None:
    frame = values(("F", 60.0), ("M", 80.0))
    men, women = only(frame), only(frame, reference="F")
    assert (men["GAP_ABS"], men["GAP_REL"], men["PARITY"]) == (-20.0, -0.25, 0.75)
    assert (women["GAP_ABS"], women["GAP_REL"], women["PARITY"]) == (20.0, 20 / 60, 0.75)
    assert women["PARITY_BAND"] == men["PARITY_BAND"] == "AGAINST_F"
    result = gap(frame, by=["G"], reference="F")
    assert result.meta["reference"] == "F"
    assert result.notes[0].code == "GBI-N002"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_swapping_the_sexes_negates_the_gap_and_inverts_parity(f: int, m: int) -> None:
    one = only(values(("F", float(f)), ("M", float(m))))
    other = only(values(("M", float(f)), ("F", float(m))))
    assert one["GAP_ABS"] == -other["GAP_ABS"] == f - m
    assert one["PARITY"] * other["PARITY"] == pytest.approx(1.0, rel=1e-14)
    mirrored = {"AGAINST_F": "AGAINST_M", "AGAINST_M": "AGAINST_F"}
    if not 0.97 <= m / f <= 1 / 0.97 or f == m:
        assert other["PARITY_BAND"] == mirrored.get(one["PARITY_BAND"], "PARITY")


@pytest.mark.parametrize(
    ("women", "band"),
    [(96.999, "AGAINST_F"), (97.0, "PARITY"), (100.0, "PARITY"), (103.0, "PARITY"),
     (103.001, "AGAINST_M")],
)  # fmt: skip
def test_the_parity_band_holds_its_bounds(women: float, band: str) -> None:
    assert only(values(("F", women), ("M", 100.0)))["PARITY_BAND"] == band


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("F", 5.0), ("M", None)], "GBI-N011"),
        ([("F", None), ("M", 5.0)], "GBI-N010"),
        ([("F", None), ("M", None)], "GBI-N012"),
        ([("M", 5.0)], "GBI-N013"),
        ([("F", 5.0)], "GBI-N014"),
        ([("F", 5.0), ("_T", 12.0)], "GBI-N014"),
        ([("F", 5.0), ("_U", 12.0)], "GBI-N014"),
        ([("F", 5.0), ("_N", 12.0)], "GBI-N014"),
    ],
)
def test_without_one_sex_there_is_no_gap_but_a_reason(
    rows: list[tuple[str, float | None]], reason: str
) -> None:
    row = only(values(*rows))
    assert row[NO_GAP].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", reason)


def test_the_status_of_a_missing_side_is_kept() -> None:
    row = only(values(("F", 5.0), ("M", None), OBS_STATUS=["A", "Q"]))
    assert (row["OBS_STATUS"], row["REASON"]) == ("Q", "GBI-N011")
    row = only(values(("F", 5.0), ("M", 6.0), OBS_STATUS=["A", "E"]))
    assert (row["OBS_STATUS"], row["GAP_ABS"]) == ("E", -1.0)


def test_groups_of_totals_and_unknowns_alone_are_no_rows() -> None:
    result = gap(values(("_T", 5.0), ("_U", 1.0)), by=["G"])
    assert len(result.frame) == 0
    assert "GAP_ABS" in result.frame.columns


def test_a_reference_of_zero_leaves_the_absolute_gap() -> None:
    row = only(values(("F", 3.0), ("M", 0.0)))
    assert row["GAP_ABS"] == 3.0
    assert row[["GAP_REL", "PARITY", "PARITY_BAND"]].isna().all()
    assert row["REASON"] == "GBI-N016"
    both = only(values(("F", 0.0), ("M", 0.0)))
    assert both["GAP_ABS"] == 0.0
    assert pd.isna(both["PARITY"])


@pytest.mark.parametrize("column", [{"UNIT_MEASURE": ["PT", "NUMBER"]}, {"UNIT_MULT": [0, 3]}])
def test_values_in_two_units_have_no_gap(column: dict[str, list[Any]]) -> None:
    row = only(values(("F", 30.0), ("M", 70.0), **column))
    assert row[NO_GAP].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", "GBI-N015")
    assert pd.isna(row["UNIT_MULT"])


def test_counts_show_for_how_many_the_sex_is_known() -> None:
    rows = (("F", 30.0), ("M", 50.0), ("_U", 15.0), ("_N", 5.0))
    row = only(values(*rows, MEASURE_KIND="COUNT"))
    assert (row["GAP_ABS"], row["PARITY"], row["SEX_KNOWN"]) == (-20.0, 0.6, 0.8)
    assert only(values(*rows[:2], MEASURE_KIND="COUNT"))["SEX_KNOWN"] == 1.0
    assert pd.isna(only(values(*rows, MEASURE_KIND="RATE"))["SEX_KNOWN"])


@pytest.mark.parametrize(
    ("rows", "columns", "distance", "reference"),
    [
        ([("F", 30.0)], {"UNIT_MEASURE": "PT"}, -20.0, 50.0),
        ([("F", 0.75)], {"UNIT_MEASURE": "INDEX"}, 0.25, 0.5),
        ([("F", 300.0)], {"UNIT_MEASURE": "PM"}, -200.0, 500.0),
        ([("F", 30.0)], {"UNIT_MEASURE": "PT", "DIRECTION_REF": 40.0}, -10.0, 40.0),
        ([("F", 30.0), ("M", 70.0)], {"UNIT_MEASURE": "PT"}, -20.0, 50.0),
    ],
)
def test_a_share_of_women_has_a_distance_and_no_gap(
    rows: list[tuple[str, float]], columns: dict[str, Any], distance: float, reference: float
) -> None:
    row = only(values(*rows, MEASURE_KIND="SHARE", **columns))
    assert (row["GAP_REF"], row["REFERENCE"]) == (distance, reference)
    assert row[NO_GAP].isna().all()
    assert (row["OBS_STATUS"], row["REASON"]) == ("M", "GBI-N017")


def test_a_share_that_closes_over_something_else_or_is_paired_is_an_ordinary_value() -> None:
    rows = (("F", 30.0), ("M", 70.0))
    kind = {"MEASURE_KIND": "SHARE", "UNIT_MEASURE": "PT"}
    assert only(values(*rows, **kind, CLOSES_OVER="AGE"))["GAP_ABS"] == -40.0
    assert only(values(*rows, **kind, PAIR_ID="P1"))["GAP_ABS"] == -40.0
    assert pd.isna(only(values(*rows, **kind, CLOSES_OVER="SEX"))["GAP_ABS"])


def test_a_pair_ties_two_wordings_but_not_two_departments() -> None:
    frame = pd.DataFrame({
        "DEPARTMENT": ["X", "X", "Y", "Y"],
        "INDICATOR": ["filles", "garçons", "femmes", "hommes"],
        "PAIR_ID": ["P1"] * 4,
        "SEX": ["F", "M"] * 2,
        "OBS_VALUE": [10.0, 11.0, 20.0, 25.0],
    })  # fmt: skip
    for by in (["DEPARTMENT", "INDICATOR"], ["INDICATOR", "PAIR_ID"], ["INDICATOR"]):
        found = gap(frame, by=by).frame
        assert dict(zip(found["INDICATOR"], found["GAP_ABS"], strict=True)) == {
            "filles": -1.0,
            "femmes": -5.0,
        }
    untied = gap(frame.assign(PAIR_ID=None), by=["INDICATOR"]).frame
    assert len(untied) == 4
    assert untied["GAP_ABS"].isna().all()


def test_faulty_calls_are_refused() -> None:
    frame = values(("F", 1.0), ("M", 2.0))
    twice = refused(pd.concat([frame, frame.head(1)]))
    assert twice.code == "GBI-E072"
    assert "a › F × 2" in str(twice)
    for column in ("SEX", "OBS_VALUE", "G"):
        error = refused(frame.drop(columns=column))
        assert (error.code, error.expected) == ("GBI-E070", column)
    assert refused(frame, reference="_T").code == "GBI-E071"
    assert refused(frame, over="AGE").code == "GBI-E071"
    assert refused(frame, by="G").code == "GBI-E071"
    assert refused(frame.assign(OBS_VALUE="57 %")).code == "GBI-E073"
    assert refused([1, 2]).code == "GBI-E031"


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["F", "M"])),
        st.one_of(st.none(), st.integers(0, 1000).map(float)),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_totals_and_row_order_change_nothing(
    cells: dict[tuple[str, str], float | None], random: Any
) -> None:
    rows = [(group, sex, value) for (group, sex), value in cells.items()]
    totals = [(group, sex, 5000.0) for group in "abcd" for sex in ("_T", "_T")]
    mixed = [*rows, *totals]
    random.shuffle(mixed)
    names = ["G", "SEX", "OBS_VALUE"]
    plain = gap(pd.DataFrame(rows, columns=names).astype({"OBS_VALUE": "Float64"}), by=["G"]).frame
    other = gap(pd.DataFrame(mixed, columns=names).astype({"OBS_VALUE": "Float64"}), by=["G"]).frame
    pd.testing.assert_frame_equal(plain, other)
    pairs = {g for g in "abcd" if None not in (cells.get((g, "F")), cells.get((g, "M")))}
    assert set(plain.loc[plain["GAP_ABS"].notna(), "G"]) == pairs
    assert plain.loc[plain["GAP_ABS"].isna(), "REASON"].notna().all()


def test_a_gap_of_hidden_counts_is_hidden() -> None:
    from gbi.compute.small_cells import SmallCells

    frame = pd.DataFrame(
        {
            "TIME_PERIOD": ["2023"] * 4 + ["2024"] * 3,
            "SEX": ["F", "M", "_U", "_T", "F", "M", "_T"],
            "OBS_VALUE": [60.0, 90.0, 2.0, 152.0, 3.0, 90.0, 93.0],
            "MEASURE_KIND": "COUNT",
            "COUNTED": "PERSONS",
            "UNIT_MEASURE": "NUMBER",
        }
    )
    out = gap(frame, by=["TIME_PERIOD"], suppress=SmallCells()).frame.set_index("TIME_PERIOD")
    hidden = out.loc["2024"]
    assert hidden[["VALUE_F", "GAP_ABS", "GAP_REL", "PARITY"]].isna().all()
    assert hidden["OBS_STATUS"] == "Q"
    assert out["SEX_KNOWN"].isna().all()  # two of unknown sex would follow from it
    assert gap(frame, by=["TIME_PERIOD"]).frame["SEX_KNOWN"].notna().all()
