"""How much of a table could be split by sex: hand-computed, and never a value divided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.ingest.enrichment import disaggregation_coverage
from gbi.ingest.reading import read_submission
from gbi.provenance import Provenance, Source


def credits(**columns: Any) -> pd.DataFrame:
    """Credits of one year, a row per programme and region."""
    rows = {
        "TIME_PERIOD": "2025", "PROGRAMME": ["p", "p", "q", "q"],
        "REF_AREA": ["MA-01", "MA-02", "MA-01", "MA-03"],
        "BUDGET_STAGE": "BILL", "CREDIT_TYPE": "CP",
        "OBS_VALUE": [100.0, 50.0, 30.0, 20.0], "UNIT_MEASURE": "MAD", "UNIT_MULT": 6,
    }  # fmt: skip
    return pd.DataFrame({**rows, **columns})


def persons(*rows: tuple[str, str, float | None], **columns: Any) -> pd.DataFrame:
    """Return persons by region and sex."""
    frame = pd.DataFrame(rows, columns=["REF_AREA", "SEX", "OBS_VALUE"])
    return frame.assign(**{"TIME_PERIOD": "2025", "UNIT_MEASURE": "PS", **columns})


REGISTER = persons(
    ("MA-01", "F", 40), ("MA-01", "M", 60), ("MA-02", "F", 10), ("MA-02", "M", 10),
    ("MA-02", "_U", 5), ("MA-04", "F", 7), ("MA-04", "M", 8),
)  # fmt: skip


def of(frame: pd.DataFrame, *place: str) -> dict[str, Any]:
    """Return the row of a group by its values in the first columns."""
    at = (frame.iloc[:, : len(place)] == list(place)).all(axis=1)
    (row,) = frame[at].to_dict("records")
    return row


def refusal(*arguments: Any, **options: Any) -> GbiError:
    with pytest.raises(GbiError) as caught:
        disaggregation_coverage(*arguments, **options)
    return caught.value


def test_by_hand() -> None:
    result = disaggregation_coverage(credits(), REGISTER, by=["REF_AREA"])
    frame = result.to_frame()
    assert list(frame["REF_AREA"]) == ["MA-01", "MA-02", "MA-03"]
    first = of(frame, "MA-01")
    assert first["OBS_VALUE"] == 130.0  # both programmes: the whole value, not a part of it
    assert (first["MEMBERS"], first["N_KNOWN"], first["N_UNKNOWN"]) == ("F M", 100.0, 0.0)
    assert (first["SHARE_KNOWN"], first["STATUS"]) == (1.0, "possible")
    assert pd.isna(first["REASON"])
    second = of(frame, "MA-02")
    assert (second["MEMBERS"], second["N_KNOWN"], second["N_UNKNOWN"]) == ("F M _U", 20.0, 5.0)
    assert (second["SHARE_KNOWN"], second["STATUS"]) == (0.8, "partial")
    assert second["REASON"] == "GBI-N062"
    third = of(frame, "MA-03")
    assert (third["STATUS"], third["REASON"]) == ("unmatched", "GBI-N064")
    assert pd.isna(third["MEMBERS"])
    assert pd.isna(third["SHARE_KNOWN"])
    meta = result.meta
    assert meta["coverage"] == 180 / 200
    assert meta["coverage_groups"] == 2 / 3
    assert meta["groups"] == {"possible": 1, "partial": 1, "unmatched": 1, "already": 0}
    assert meta["value"] == {"possible": 130.0, "partial": 50.0, "unmatched": 20.0, "already": 0.0}
    missed = [{"REF_AREA": "MA-04", "TIME_PERIOD": "2025", "N": 15.0}]
    assert meta["counts_without_data"] == missed
    assert sum(frame["OBS_VALUE"]) == credits()["OBS_VALUE"].sum()


def test_the_order_of_the_rows_does_not_matter() -> None:
    one = disaggregation_coverage(credits(), REGISTER, by=["REF_AREA"])
    other = disaggregation_coverage(
        credits().iloc[::-1].reset_index(drop=True), REGISTER.sample(frac=1, random_state=1),
        by=["REF_AREA"],
    )  # fmt: skip
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert one.meta == other.meta


@pytest.mark.parametrize(
    ("rows", "known", "unknown", "status", "reason"),
    [
        ([("F", 40)], 40, 0, "partial", "GBI-N061"),
        ([("F", 40), ("_T", 100)], 40, 60, "partial", "GBI-N061"),  # 60 of no known sex, not men
        ([("F", 40), ("M", None)], 40, 0, "partial", "GBI-N061"),
        ([("_U", 9)], 0, 9, "unmatched", "GBI-N066"),
        ([("_T", 9)], 0, 9, "unmatched", "GBI-N066"),
        ([("F", 0), ("M", 0)], 0, 0, "unmatched", "GBI-N066"),
        ([("F", 4), ("M", 6), ("_T", 10)], 10, 0, "possible", None),
        ([("F", 4), ("M", 6), ("_T", 12)], 10, 2, "partial", "GBI-N062"),
        ([("F", 4), ("M", 6), ("_N", 2), ("_T", 12)], 10, 2, "partial", "GBI-N062"),
        ([("F", 4), ("M", 6), ("_N", 2)], 10, 2, "partial", "GBI-N062"),
        ([("F", 4), ("M", 6), ("_T", 9)], 10, 0, "partial", "GBI-N063"),
        ([("F", 4), ("M", 6), ("_O", 1)], 11, 0, "possible", None),
        ([("F", None), ("M", None)], 0, 0, "unmatched", "GBI-N064"),
    ],
)
def test_what_the_counts_hold(
    rows: list[tuple[str, float | None]], known: float, unknown: float, status: str, reason: Any
) -> None:
    counts = persons(*(("MA-01", sex, n) for sex, n in rows))
    row = of(disaggregation_coverage(credits(), counts, by=["REF_AREA"]).to_frame(), "MA-01")
    assert (row["N_KNOWN"], row["N_UNKNOWN"], row["STATUS"]) == (known, unknown, status)
    assert row["REASON"] == reason or (reason is None and pd.isna(row["REASON"]))


def test_thousands_are_rounded_before_they_are_printed() -> None:
    rows = [("MA-01", "F", 4.0), ("MA-01", "M", 6.0), ("MA-01", "_T", 11.0)]
    counts = persons(*rows, UNIT_MULT=3)
    row = of(disaggregation_coverage(credits(), counts, by=["REF_AREA"]).to_frame(), "MA-01")
    assert (row["N_KNOWN"], row["N_UNKNOWN"], row["STATUS"]) == (10_000.0, 0.0, "possible")


def test_no_year_is_joined_with_another() -> None:
    older = REGISTER.assign(TIME_PERIOD="2014")
    result = disaggregation_coverage(credits(), older, by=["REF_AREA"])
    frame = result.to_frame()
    assert set(frame["STATUS"]) == {"unmatched"}
    assert of(frame, "MA-01")["REASON"] == "GBI-N065"  # counted in another year
    assert of(frame, "MA-03")["REASON"] == "GBI-N064"  # never counted
    assert result.meta["coverage"] == 0.0
    assert len(result.meta["counts_without_data"]) == 3
    undated = REGISTER.drop(columns="TIME_PERIOD")
    assert refusal(credits(), undated, by=["REF_AREA"]).code == "GBI-E070"


def test_several_years_have_no_sum() -> None:
    both = pd.concat([credits(), credits(TIME_PERIOD="2026")], ignore_index=True)
    result = disaggregation_coverage(both, REGISTER, by=["REF_AREA"])
    assert result.meta["coverage"] is None
    assert result.meta["value"] is None
    assert result.meta["coverage_groups"] == 2 / 6


def test_what_is_split_already_is_said() -> None:
    users = persons(("MA-01", "F", 3), ("MA-01", "M", 5), ("MA-01", "_T", 8), ("MA-02", "_T", 2))
    result = disaggregation_coverage(users, REGISTER, by=["REF_AREA"])
    frame = result.to_frame()
    first = of(frame, "MA-01")
    assert (first["OBS_VALUE"], first["STATUS"], first["REASON"]) == (8.0, "already", "GBI-N067")
    assert of(frame, "MA-02")["STATUS"] == "partial"
    assert result.meta["coverage"] == 2 / 10


def test_another_dimension() -> None:
    counts = persons(("MA-01", "U", 5), ("MA-01", "R", 5), ("MA-02", "U", 5))
    counts = counts.rename(columns={"SEX": "URBANISATION"})
    result = disaggregation_coverage(credits(), counts, by=["REF_AREA"], over="URBANISATION")
    assert list(result.to_frame()["STATUS"]) == ["possible", "partial", "unmatched"]


def test_counts_of_a_whole_beside_its_parts_are_refused() -> None:
    places = persons(("MA", "p", 9), ("MA-01", "p", 5)).rename(columns={"SEX": "PROGRAMME"})
    data = credits().drop(columns="REF_AREA")
    error = refusal(data, places, by=["PROGRAMME"], over="REF_AREA")
    assert (error.code, error.where) == ("GBI-E040", "REF_AREA")


def test_a_blank_programme_meets_a_blank_programme() -> None:
    data = credits(PROGRAMME=[None, "p", "q", "q"], REF_AREA="MA-01")
    counts = persons(
        ("MA-01", "F", 1), ("MA-01", "M", 1), PROGRAMME=pd.Series([None] * 2, dtype="str")
    )
    frame = disaggregation_coverage(data.iloc[[0]], counts, by=["PROGRAMME"]).to_frame()
    assert list(frame["STATUS"]) == ["possible"]


def test_two_rows_for_one_member_are_refused() -> None:
    twice = pd.concat([REGISTER, REGISTER.iloc[[0]]], ignore_index=True)
    error = refusal(credits(), twice, by=["REF_AREA"])
    assert (error.code, error.got) == ("GBI-E072", "[0, 7]")


def test_counts_of_two_kinds_are_refused() -> None:
    kinds = REGISTER.assign(INDICATOR=["inscrits", "élèves"] + ["inscrits"] * 5)
    error = refusal(credits(), kinds, by=["REF_AREA"])
    assert (error.code, error.where) == ("GBI-E072", "counts, INDICATOR")
    ages = REGISTER.assign(AGE=["_T", "Y15T24"] + ["_T"] * 5)
    assert refusal(credits(), ages, by=["REF_AREA"]).code == "GBI-E072"


@pytest.mark.parametrize(
    "columns",
    [
        {"UNIT_MEASURE": "PT"}, {"UNIT_MEASURE": "NUMBER"}, {"UNIT_MEASURE": "MAD"},
        {"UNIT_MEASURE": "NUMBER", "COUNTED": "STRUCTURES"}, {"COUNTED": "ACTIONS"},
        {"MEASURE_KIND": "RATE"}, {"UNIT_MEASURE": None},
        {"OBS_VALUE": [-1.0, 60.0, 10.0, 10.0, 5.0, 7.0, 8.0]},
    ],
)  # fmt: skip
def test_what_counts_no_persons_is_refused(columns: dict[str, Any]) -> None:
    assert refusal(credits(), REGISTER.assign(**columns), by=["REF_AREA"]).code == "GBI-E074"


def test_numbers_of_persons_are_counts() -> None:
    counts = REGISTER.assign(UNIT_MEASURE="NUMBER", COUNTED="PERSONS", MEASURE_KIND="COUNT")
    result = disaggregation_coverage(credits(), counts, by=["REF_AREA"])
    assert result.meta["coverage"] == 180 / 200


def test_totals_are_not_added_to_their_parts() -> None:
    regions = credits(REF_AREA=["MA", "MA-02", "MA", "MA-03"])
    error = refusal(regions, REGISTER, by=["REF_AREA"])
    assert (error.code, error.where) == ("GBI-E040", "REF_AREA")
    natures = credits(ECON_NATURE=["GOODS", "GOODS", "OPERATING", "GOODS"])
    assert refusal(natures, REGISTER, by=["REF_AREA"]).where == "ECON_NATURE"


@pytest.mark.parametrize("column", ["BUDGET_STAGE", "CREDIT_TYPE", "UNIT_MEASURE", "UNIT_MULT"])
def test_values_of_different_things_are_not_added(column: str) -> None:
    other = {"BUDGET_STAGE": "VOTED", "CREDIT_TYPE": "CE", "UNIT_MEASURE": "EUR", "UNIT_MULT": 3}
    data = credits()
    data[column] = [other[column], *data[column].tolist()[1:]]
    error = refusal(data, REGISTER, by=["REF_AREA"])
    assert (error.code, error.where) == ("GBI-E072", f"data, {column}")


def test_rates_have_no_total() -> None:
    rates = credits(UNIT_MEASURE="PT", UNIT_MULT=0)
    result = disaggregation_coverage(rates, REGISTER, by=["REF_AREA"])
    assert result.to_frame()["OBS_VALUE"].isna().all()
    assert (result.meta["coverage"], result.meta["coverage_groups"]) == (None, 2 / 3)
    assert result.meta["groups_without_value"] == 3


def test_a_missing_value_is_no_zero() -> None:
    data = credits(OBS_VALUE=[None, 50.0, 30.0, 20.0])
    result = disaggregation_coverage(data, REGISTER, by=["REF_AREA"])
    assert pd.isna(of(result.to_frame(), "MA-01")["OBS_VALUE"])
    assert result.meta["groups_without_value"] == 1
    assert result.meta["coverage"] == 50 / 70


def test_negative_credits_count_by_their_size() -> None:
    data = credits(OBS_VALUE=[-100.0, 50.0, 0.0, 50.0])
    result = disaggregation_coverage(data, REGISTER, by=["REF_AREA"])
    assert result.meta["coverage"] == 150 / 200


def test_nothing_at_all() -> None:
    result = disaggregation_coverage(credits().iloc[:0], REGISTER, by=["REF_AREA"])
    assert len(result.frame) == 0
    assert result.meta["coverage"] is None
    empty = disaggregation_coverage(credits(), REGISTER.iloc[:0], by=["REF_AREA"])
    assert set(empty.to_frame()["STATUS"]) == {"unmatched"}


def test_wrong_arguments() -> None:
    data = credits()
    assert refusal(data, REGISTER, by="REF_AREA").code == "GBI-E071"
    assert refusal(data, REGISTER, by=[]).code == "GBI-E071"
    assert refusal(data, REGISTER, by=["SEX"]).code == "GBI-E071"
    assert refusal(data, REGISTER, by=["PROGRAMME"]).code == "GBI-E070"
    assert refusal(data, REGISTER.drop(columns="SEX"), by=["REF_AREA"]).code == "GBI-E070"
    assert refusal(data, [1], by=["REF_AREA"]).code == "GBI-E031"
    words = data.assign(OBS_VALUE="beaucoup")
    assert refusal(words, REGISTER, by=["REF_AREA"]).code == "GBI-E073"
    nobody = REGISTER.assign(SEX=[None, *REGISTER["SEX"][1:]])
    assert refusal(data, nobody, by=["REF_AREA"]).code == "GBI-E052"


def test_the_sources_of_both_are_behind_the_result() -> None:
    def dataset(frame: pd.DataFrame, table: str, name: str) -> Dataset:
        return Dataset(frame, table, provenance=Provenance((Source(name, name * 64, 1),)))

    data, counts = dataset(credits(), "budget", "a"), dataset(REGISTER, "population", "b")
    result = disaggregation_coverage(data, counts, by=["REF_AREA"])
    assert [s.name for s in result.provenance.sources] == ["a", "b"]
    assert result.provenance.steps[-1].function == "disaggregation_coverage"
    pd.testing.assert_frame_equal(data.frame, credits())  # nothing is written into what was given


# --- the Moroccan files ---


@pytest.fixture(scope="module")
def morocco(shared_dir: Path) -> dict[str, Dataset]:
    return dict(read_submission(shared_dir / "data" / "morocco").datasets)


def chosen(data: Dataset, **wanted: str) -> Dataset:
    """Return the rows that have these codes."""
    return data.select((data.frame[list(wanted)] == pd.Series(wanted)).all(axis=1))


def population(morocco: dict[str, Dataset]) -> Dataset:
    """The population of 2024 by sex, in thousands: 18,758 women and 18,611 men."""
    return chosen(morocco["statistics"], INDICATOR="Population", TIME_PERIOD="2024")


def test_the_budget_of_2025_meets_no_population_of_2025(morocco: dict[str, Dataset]) -> None:
    lines = chosen(morocco["budget"], ECON_NATURE="_T", CREDIT_TYPE="CP")
    counts = population(morocco)
    result = disaggregation_coverage(lines, counts, by=["REF_AREA"])
    (row,) = result.to_frame().to_dict("records")
    assert (row["STATUS"], row["REASON"]) == ("unmatched", "GBI-N065")
    assert row["OBS_VALUE"] == lines.frame["OBS_VALUE"].sum() > 1e11
    assert result.meta["coverage"] == 0.0
    # Only who says that the year before will do gets an answer.
    said = counts.frame.assign(TIME_PERIOD="2025")
    (row,) = disaggregation_coverage(lines, said, by=["REF_AREA"]).to_frame().to_dict("records")
    assert (row["STATUS"], row["MEMBERS"]) == ("possible", "F M _T")
    assert row["N_KNOWN"] == (18_758 + 18_611) * 1000


def test_the_lines_of_a_budget_beside_their_totals_are_refused(morocco: dict[str, Dataset]) -> None:
    lines = chosen(morocco["budget"], CREDIT_TYPE="CP")
    error = refusal(lines, population(morocco), by=["REF_AREA"])
    assert (error.code, error.where) == ("GBI-E040", "ECON_NATURE")


def test_schools_by_region_meet_no_regional_population(morocco: dict[str, Dataset]) -> None:
    name = "Etablissements scolaires réalisés, rentrée 2024-2025"
    schools = chosen(morocco["statistics"], INDICATOR=name)
    result = disaggregation_coverage(schools, population(morocco), by=["REF_AREA"])
    assert result.meta["groups"]["unmatched"] == len(result.frame) == 12
    assert result.meta["coverage"] == 0.0
    (missed,) = result.meta["counts_without_data"]
    assert (missed["REF_AREA"], missed["N"]) == ("MA", 37_369_000.0)


def test_shares_of_women_are_no_counts(morocco: dict[str, Dataset]) -> None:
    shares = chosen(morocco["statistics"], MEASURE_KIND="SHARE")
    assert refusal(population(morocco), shares, by=["REF_AREA"]).code == "GBI-E074"


def test_women_alone_are_a_part_of_the_answer(morocco: dict[str, Dataset]) -> None:
    name = "Population active féminine 15+"
    active = chosen(morocco["statistics"], INDICATOR=name, URBANISATION="_T", TIME_PERIOD="2023")
    money = credits(TIME_PERIOD="2023", REF_AREA="MA")
    (row,) = disaggregation_coverage(money, active, by=["REF_AREA"]).to_frame().to_dict("records")
    assert (row["STATUS"], row["REASON"], row["MEMBERS"]) == ("partial", "GBI-N061", "F")
    assert (row["N_KNOWN"], row["N_UNKNOWN"]) == (2_684_000.0, 0.0)
