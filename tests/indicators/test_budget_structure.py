"""What the budget is made of: exact sums, shares of the line and of all, credits of later years."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbi
from gbi.dataset import Submission
from gbi.errors import GbiError
from gbi.indicators import budget_structure
from gbi.resources import resource_path
from gbi.results import Result

TOTAL = 449_497_505_000
# The column totals that the annex prints.
PRINTED = {
    "PERSONNEL": 180_270_681_000,
    "GOODS": 80_220_124_000,
    "OPERATING": 320_971_147_000,
    "INVESTMENT": 128_526_358_000,
    "_T": TOTAL,
}
COMMITMENTS = 71_011_879_000
FIGURES = ["MINISTRY", "ECON_NATURE", "CREDIT_TYPE", "OBS_VALUE", "SHARE_OF_LINE",
           "SHARE_OF_TOTAL", "UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS", "REASON"]  # fmt: skip


@lru_cache(maxsize=1)
def sample() -> Submission:
    return gbi.read_submission(resource_path("samples", "maroc-plf2025"))


@lru_cache(maxsize=1)
def by_ministry() -> Result:
    return budget_structure(sample()["budget"])


def credits(*rows: tuple[str, str, float | None], **columns: Any) -> pd.DataFrame:
    """Payment credits, a row per (ministry, nature, amount)."""
    ministry, nature, amounts = zip(*rows, strict=True)
    frame = pd.DataFrame({"MINISTRY": ministry, "ECON_NATURE": nature, "CREDIT_TYPE": "CP"})
    return frame.assign(OBS_VALUE=pd.array(amounts, dtype="Float64"), **columns)


def cell(result: Result, ministry: str, nature: str, credit: str = "CP") -> pd.Series:
    frame = result.frame
    mine = (frame["MINISTRY"] == ministry) & (frame["ECON_NATURE"] == nature)
    found = frame[mine & (frame["CREDIT_TYPE"] == credit)]
    assert len(found) == 1
    return found.iloc[0]


def test_39_lines_add_up_to_the_printed_total() -> None:
    meta = by_ministry().meta
    assert (meta["lines"], meta["total"]) == (39, TOTAL)
    assert (meta["unit"], meta["multiplier"]) == ("MAD", 0)
    payment = by_ministry().frame.query("CREDIT_TYPE == 'CP'")
    found = {
        n: sum(int(v) for v in g.dropna()) for n, g in payment.groupby("ECON_NATURE").OBS_VALUE
    }
    assert found == PRINTED


def test_every_line_and_nature_keeps_its_amount_and_cell() -> None:
    data = sample()["budget"]
    assert len(by_ministry().frame) == len(data.frame) == 234
    keys = ["MINISTRY", "ECON_NATURE", "CREDIT_TYPE"]
    found = by_ministry().frame.set_index(keys)
    given = data.frame.set_index(keys)["OBS_VALUE"].astype(float)
    pd.testing.assert_series_equal(
        found["OBS_VALUE"].sort_index(),
        given.sort_index(),
        check_exact=True,
        check_index_type=False,
    )
    first = data.frame.iloc[0]
    origin = found.loc[tuple(first[k] for k in keys), "ORIGIN"]
    assert origin == str(data.origin(0))
    assert set(found["MINISTRY_LABEL"]) == set(data.frame["MINISTRY_LABEL"])


def test_commitments_stand_outside_every_total_and_share() -> None:
    later = by_ministry().frame.query("CREDIT_TYPE == 'CE'")
    assert len(later) == 39
    assert later["OBS_VALUE"].sum() == COMMITMENTS
    assert later[["SHARE_OF_LINE", "SHARE_OF_TOTAL"]].isna().all(axis=None)
    assert set(later["REASON"]) == {"GBI-N032"}
    assert "GBI-N032" in [n.code for n in by_ministry().notes]
    data = sample()["budget"]
    paid = data.select(data.frame["CREDIT_TYPE"] == "CP")
    assert budget_structure(paid).meta["total"] == TOTAL
    only_later = budget_structure(data.select(data.frame["CREDIT_TYPE"] == "CE"))
    assert only_later.meta["total"] is None


def test_the_shares_sum_to_one() -> None:
    payment = by_ministry().frame.query("CREDIT_TYPE == 'CP'")
    table = payment.pivot_table(
        index="MINISTRY", columns="ECON_NATURE", values="SHARE_OF_LINE", dropna=False
    )
    assert (table["_T"] == 1.0).all()
    whole = table["OPERATING"] + table["INVESTMENT"]
    assert whole.tolist() == pytest.approx([1.0] * 39, abs=1e-12)
    split = table.dropna()
    assert len(split) == 36
    halves = split["PERSONNEL"] + split["GOODS"]
    assert halves.tolist() == pytest.approx(split["OPERATING"].tolist(), abs=1e-12)
    of_total = payment[payment["ECON_NATURE"] == "_T"]["SHARE_OF_TOTAL"]
    assert of_total.sum() == pytest.approx(1.0, abs=1e-12)
    palace = cell(by_ministry(), "ROI", "_T")
    assert palace["SHARE_OF_TOTAL"] == 543_456_000 / TOTAL


def test_credits_counted_elsewhere_are_missing_and_not_zero() -> None:
    elsewhere = by_ministry().frame.query("OBS_STATUS == 'K'")
    assert set(elsewhere["MINISTRY"]) == {
        "CHARGES_COMMUNES",
        "DEPENSES_IMPREVUES",
        "REMBOURSEMENTS",
    }
    assert sorted(elsewhere["ECON_NATURE"]) == ["GOODS"] * 3 + ["PERSONNEL"] * 3
    assert elsewhere[["OBS_VALUE", "SHARE_OF_LINE", "SHARE_OF_TOTAL"]].isna().all(axis=None)
    assert set(elsewhere["REASON"]) == {"GBI-N030"}
    for ministry in set(elsewhere["MINISTRY"]):
        assert cell(by_ministry(), ministry, "OPERATING")["OBS_VALUE"] > 0
    notes = {n.code: dict(n.params) for n in by_ministry().notes}
    assert notes["GBI-N033"] == {"lines": 3}
    nil = by_ministry().frame.query("OBS_VALUE == 0")
    assert len(nil) == 15
    assert set(nil["OBS_STATUS"]) == {"A"}


def test_by_nature_alone_the_columns_of_the_annex_come_out() -> None:
    result = budget_structure(sample()["budget"], by=["BUDGET_COMPONENT"])
    found = result.frame.query("CREDIT_TYPE == 'CP'").set_index("ECON_NATURE")
    assert result.meta["lines"] == 1
    assert result.meta["total"] == TOTAL
    assert found["OBS_VALUE"].astype("int64").to_dict() == PRINTED
    for nature, amount in PRINTED.items():
        assert found.loc[nature, "SHARE_OF_TOTAL"] == amount / TOTAL
    # Three lines count these two natures elsewhere, and the sum says so.
    partial = found[found["OBS_STATUS"] == "K"]
    assert dict(zip(partial.index, partial["REASON"], strict=True)) == {
        "GOODS": "GBI-N030",
        "PERSONNEL": "GBI-N030",
    }
    assert found["ORIGIN"].isna().all()
    kinds = budget_structure(sample()["budget"], by=["CHAPTER_KIND"])
    assert (kinds.meta["lines"], kinds.meta["total"]) == (2, TOTAL)


def test_the_result_is_the_same_twice_and_of_any_row_order() -> None:
    data = sample()["budget"]
    assert budget_structure(data).to_json() == by_ministry().to_json()
    turned = budget_structure(data.frame.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(turned.frame[FIGURES], by_ministry().frame[FIGURES])
    assert turned.meta == by_ministry().meta
    assert [s.name for s in turned.provenance.sources] == ["in memory, unverified"]


def test_without_a_printed_total_the_natures_make_it_once() -> None:
    rows = [("A", "PERSONNEL", 60.0), ("A", "GOODS", 20.0), ("A", "OPERATING", 80.0),
            ("A", "INVESTMENT", 20.0), ("B", "PERSONNEL", 30.0), ("B", "GOODS", 70.0)]  # fmt: skip
    result = budget_structure(credits(*rows))
    assert result.meta["total"] == 200.0
    assert cell(result, "A", "PERSONNEL")["SHARE_OF_LINE"] == 0.6
    assert cell(result, "A", "OPERATING")["SHARE_OF_LINE"] == 0.8
    assert cell(result, "B", "GOODS")["SHARE_OF_LINE"] == 0.7
    assert cell(result, "B", "GOODS")["SHARE_OF_TOTAL"] == 0.35


def test_large_and_small_amounts_are_summed_exactly() -> None:
    huge = [("A", "GOODS", 1e16), *[("A", "GOODS", 1.0)] * 2]
    assert budget_structure(credits(*huge)).meta["total"] == 1e16 + 2
    lines = [("A", "GOODS", 1e16), ("B", "GOODS", 1.0), ("C", "GOODS", 1.0)]
    assert budget_structure(credits(*lines)).meta["total"] == 1e16 + 2
    cents = budget_structure(credits(*[("A", "GOODS", 0.1)] * 10, DECIMALS=1))
    assert cents.meta["total"] == 1.0
    assert cell(cents, "A", "GOODS")["OBS_VALUE"] == 1.0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABC"),
            st.sampled_from(["GOODS", "INVESTMENT", "DEBT"]),
            st.one_of(st.integers(0, 10**15), st.integers(0, 999)).map(lambda c: c / 100),
        ),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_sums_are_exact_whatever_the_order(rows: list[tuple[str, str, float]], random: Any) -> None:
    one = budget_structure(credits(*rows, DECIMALS=2))
    shuffled = list(rows)
    random.shuffle(shuffled)
    other = budget_structure(credits(*shuffled, DECIMALS=2))
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    assert one.meta == other.meta
    for ministry, nature in {(m, n) for m, n, _ in rows}:
        cents = sum(round(100 * Fraction(a)) for m, n, a in rows if (m, n) == (ministry, nature))
        assert cell(one, ministry, nature)["OBS_VALUE"] == float(Fraction(cents, 100))


def test_a_missing_amount_makes_its_sum_and_totals_missing() -> None:
    rows = [("A", "GOODS", 5.0), ("A", "GOODS", None), ("A", "INVESTMENT", 3.0),
            ("B", "GOODS", 4.0)]  # fmt: skip
    result = budget_structure(credits(*rows))
    gone = cell(result, "A", "GOODS")
    assert gone[["OBS_VALUE", "SHARE_OF_LINE", "SHARE_OF_TOTAL"]].isna().all()
    assert (gone["OBS_STATUS"], gone["REASON"]) == ("O", "GBI-N031")
    assert result.meta["total"] is None
    assert cell(result, "A", "INVESTMENT")["REASON"] == "GBI-N035"
    known = cell(result, "B", "GOODS")
    assert known["SHARE_OF_LINE"] == 1.0
    assert pd.isna(known["SHARE_OF_TOTAL"])


def test_a_line_of_nothing_has_no_shares() -> None:
    result = budget_structure(credits(("A", "GOODS", 0.0), ("B", "GOODS", 4.0)))
    row = cell(result, "A", "GOODS")
    assert (row["OBS_VALUE"], row["SHARE_OF_TOTAL"], row["REASON"]) == (0.0, 0.0, "GBI-N034")
    assert pd.isna(row["SHARE_OF_LINE"])


@pytest.mark.parametrize("column", [{"UNIT_MEASURE": ["MAD", "EUR"]}, {"UNIT_MULT": [0, 3]}])
def test_two_units_have_no_sum(column: dict[str, list[Any]]) -> None:
    inside = budget_structure(credits(("A", "GOODS", 1.0), ("A", "GOODS", 2.0), **column))
    row = cell(inside, "A", "GOODS")
    assert pd.isna(row["OBS_VALUE"])
    assert (row["OBS_STATUS"], row["REASON"]) == ("O", "GBI-N052")
    between = budget_structure(credits(("A", "GOODS", 1.0), ("B", "GOODS", 2.0), **column))
    assert between.meta["total"] is None
    assert cell(between, "A", "GOODS")["SHARE_OF_LINE"] == 1.0
    assert between.frame["SHARE_OF_TOTAL"].isna().all()


@pytest.mark.parametrize("column", ["TIME_PERIOD", "BUDGET_STAGE"])
def test_two_years_or_stages_are_never_added(column: str) -> None:
    rows = [("A", "GOODS", 1.0), ("A", "GOODS", 3.0), ("B", "GOODS", 3.0)]
    result = budget_structure(credits(*rows, **{column: ["x", "y", "y"]}))
    assert result.frame["OBS_VALUE"].tolist() == [1.0, 3.0, 3.0]
    assert result.frame["SHARE_OF_TOTAL"].tolist() == [1.0, 0.5, 0.5]
    assert result.meta["total"] is None
    assert result.meta["lines"] == 3


@pytest.mark.parametrize(
    "columns",
    [{"CHAPTER_KIND": ["_T", "ORDINARY"]}, {"PROGRAMME": ["_T", "Santé"]}, {"SEX": ["_T", "F"]},
     {"REF_AREA": ["MA", "MA-01"]}],
)  # fmt: skip
def test_a_total_is_never_added_to_its_parts(columns: dict[str, list[str]]) -> None:
    frame = credits(("A", "GOODS", 9.0), ("A", "GOODS", 4.0), **columns)
    with pytest.raises(GbiError) as refused:
        budget_structure(frame)
    (name,) = columns
    assert (refused.value.code, refused.value.where) == ("GBI-E040", name)
    assert budget_structure(frame.tail(1)).meta["total"] == 4.0


def test_ministries_and_their_total_are_not_added_when_both_are_removed() -> None:
    frame = credits(("A", "GOODS", 4.0), ("_T", "GOODS", 4.0), CHAPTER_KIND="ORDINARY")
    with pytest.raises(GbiError) as refused:
        budget_structure(frame, by=["CHAPTER_KIND"])
    assert (refused.value.code, refused.value.where) == ("GBI-E040", "MINISTRY")


def test_faulty_calls_are_refused() -> None:
    frame = credits(("A", "GOODS", 4.0))
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("GBI-E070", frame.drop(columns="CREDIT_TYPE"), {}),
        ("GBI-E070", frame, {"by": ["PROGRAMME"]}),
        ("GBI-E071", frame, {"by": "MINISTRY"}),
        ("GBI-E073", frame.assign(OBS_VALUE="4 MDH"), {}),
        ("GBI-E030", sample()["performance"], {}),
    ]
    for code, data, options in cases:
        with pytest.raises(GbiError) as refused:
            budget_structure(data, **options)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("column", "codes"), [("MINISTRY", ["HCP", "_T"]), ("AGE", ["Y15T24", "_T"])]
)
def test_a_printed_total_among_the_lines_is_refused(column: str, codes: list[str]) -> None:
    line = {"MINISTRY": "HCP", "ECON_NATURE": "_T", "CREDIT_TYPE": "CP", "OBS_VALUE": 14.0,
            "UNIT_MEASURE": "MAD", "UNIT_MULT": 0}  # fmt: skip
    frame = pd.DataFrame([{**line, column: code} for code in codes])
    with pytest.raises(GbiError) as caught:
        budget_structure(frame, by=["MINISTRY"])
    assert caught.value.code == "GBI-E040"
