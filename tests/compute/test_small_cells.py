"""Small cells: what is hidden, and that nothing shown gives it away."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gbi.compute.additive import additive, parts
from gbi.compute.person_tables import count_persons
from gbi.compute.sensitivity import is_small
from gbi.compute.small_cells import SmallCells
from gbi.dataset import Dataset
from gbi.errors import GbiError

pytestmark = pytest.mark.slow

SEXES = ("F", "M")
Figures = dict[tuple[str, str, str], float]


def published(
    atoms: np.ndarray, regions: list[str], ages: list[str], drop: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return region × sex × age with all margins, from counts of the innermost cells."""
    rows = []
    for r, s, a in product([*regions, "MA"], [*SEXES, "_T"], [*ages, "_T"]):
        i = slice(None) if r == "MA" else [regions.index(r)]
        j = slice(None) if s == "_T" else [SEXES.index(s)]
        k = slice(None) if a == "_T" else [ages.index(a)]
        value = float(atoms[i][:, j][:, :, k].sum())
        rows.append({"REF_AREA": r, "SEX": s, "AGE": a, "OBS_VALUE": value})
    frame = pd.DataFrame(rows)
    return frame[~frame["SEX"].isin(drop)].reset_index(drop=True)


def reader(frame: pd.DataFrame, regions: list[str], ages: list[str]) -> dict[int, list[float]]:
    """Return, from the published frame alone, between what each hidden cell lies.

    Written without any of the code under test: the innermost cells are the variables.
    """
    inner = list(product(regions, SEXES, ages))
    coefficients = np.array(
        [
            [
                float(row.REF_AREA in (r, "MA") and row.SEX in (s, "_T") and row.AGE in (a, "_T"))
                for r, s, a in inner
            ]
            for row in frame.itertuples()
        ]
    )
    shown = frame["OBS_VALUE"].notna().to_numpy()
    right = frame["OBS_VALUE"].to_numpy()[shown]
    out: dict[int, list[float]] = {}
    for i in np.flatnonzero(~shown):
        ends = []
        for sign in (1, -1):
            found = linprog(
                sign * coefficients[i],
                A_eq=coefficients[shown] if shown.any() else None,
                b_eq=right if shown.any() else None,
                bounds=(0, None),
            )
            assert found.status in (0, 3, 4), found.message
            ends.append(sign * found.fun if found.status == 0 else np.inf * -sign)
        out[int(i)] = [max(ends[0], 0.0), ends[1]]
    return out


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, list[str], list[str]]:
    regions = [f"MA-{i:02d}" for i in range(1, draw(st.integers(1, 4)) + 1)]
    ages = [f"Y{10 * i}T{10 * i + 9}" for i in range(draw(st.integers(1, 3)))]
    n = len(regions) * 2 * len(ages)
    counts = st.one_of(st.just(0), st.integers(1, 6), st.integers(5, 60), st.integers(100, 9999))
    values = draw(st.lists(counts, min_size=n, max_size=n))
    return np.array(values, dtype=float).reshape(len(regions), 2, len(ages)), regions, ages


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from([3, 5, 10]))
def test_no_hidden_cell_can_be_narrowed_down(table: Any, min_n: int) -> None:
    frame = published(*table)
    small = SmallCells(min_n)
    shown, report = small.suppress(frame)
    for i, (low, high) in reader(shown, *table[1:]).items():
        assert high - low >= min_n - 1e-4, (i, low, high)
        assert low - 1e-4 <= frame["OBS_VALUE"][i] <= high + 1e-4  # the truth is among them
    kept = shown["OBS_VALUE"].notna()
    assert (shown["OBS_VALUE"][kept] == frame["OBS_VALUE"][kept]).all()
    assert not ((shown["OBS_VALUE"] > 0) & (shown["OBS_VALUE"] < min_n)).any()
    assert report.suppressed == int((~kept).sum())
    assert (shown["OBS_STATUS"].eq("Q") == ~kept).all()


def test_the_audit_agrees_with_a_reader_s_programme() -> None:
    rng = np.random.default_rng(4)
    regions, ages = ["MA-01", "MA-02", "MA-03"], ["Y0T9", "Y10T19"]
    frame = published(rng.poisson(8, (3, 2, 2)).astype(float), regions, ages)
    hidden = rng.random(len(frame)) < 0.4
    shown = frame.assign(
        OBS_VALUE=frame["OBS_VALUE"].mask(hidden), OBS_STATUS=np.where(hidden, "Q", "A")
    )
    mine = SmallCells().audit(shown)
    theirs = reader(shown, regions, ages)
    assert list(mine["ROW"]) == list(theirs)
    low, high = np.array(list(theirs.values())).T
    assert np.allclose(mine["LOWER"], low, atol=1e-5)
    assert np.allclose(mine["UPPER"], high, atol=1e-5)
    assert (mine["SAFE"] == (mine["UPPER"] - mine["LOWER"] >= 5 - 1e-4)).all()
    assert not mine["SAFE"].all()


def test_hiding_the_small_cells_alone_is_not_safe_and_the_audit_says_so() -> None:
    table = pd.DataFrame({"SEX": ["F", "M", "_T"], "OBS_VALUE": [3.0, 90.0, 93.0]})
    careless = SmallCells(complementary=False)
    shown, report = careless.suppress(table)
    assert (report.primary, report.complementary) == (1, 0)
    found = careless.audit(shown).iloc[0]
    assert (found["LOWER"], found["UPPER"], bool(found["SAFE"])) == (3.0, 3.0, False)
    assert SmallCells().audit(SmallCells().suppress(table)[0])["SAFE"].all()


def test_zero_and_the_threshold_itself_are_shown() -> None:
    table = pd.DataFrame({"SEX": ["F", "M", "_T"], "OBS_VALUE": [0.0, 5.0, 5.0]})
    assert not SmallCells().mask(table).any()
    assert is_small(table.assign(OBS_VALUE=[0.0, 4.0, 1.0])).tolist() == [False, True, True]


def test_a_group_without_a_row_is_not_left_over_between_the_others() -> None:
    table = pd.DataFrame({"SEX": ["F", "_T"], "OBS_VALUE": [98.0, 100.0]})
    assert SmallCells().mask(table).sum() == 1
    assert not SmallCells().mask(table.assign(OBS_VALUE=[80.0, 100.0])).any()
    regions = [f"MA-{i:02d}" for i in range(1, 12)]  # the twelfth is left out
    values = [50.0] * 11
    frame = pd.DataFrame({"REF_AREA": [*regions, "MA"], "SEX": "F", "OBS_VALUE": [*values, 553.0]})
    assert SmallCells().mask(frame).any()
    whole = pd.DataFrame(
        {"REF_AREA": [*regions, "MA-12", "MA"], "SEX": "F", "OBS_VALUE": [*values, 50.0, 602.0]}
    )
    assert not SmallCells().mask(whole).any()  # two persons too many: an error, not a group


def test_a_single_person_protects_nobody() -> None:
    regions = ["MA-01", "MA-02", "MA-03"]
    frame = pd.DataFrame(
        {"REF_AREA": [*regions, "MA"], "SEX": "F", "OBS_VALUE": [1.0, 4.0, 90.0, 95.0]}
    )
    shown, _ = SmallCells(protection=3).suppress(frame)
    # 95 − 90 = 5 would tell the one person of the first region that the second has 4.
    assert shown["OBS_VALUE"].isna().sum() > 2


def test_overlapping_bands_and_provinces_are_sums_of_atoms() -> None:
    bands, _ = parts("AGE", ["Y15T24", "Y15T29", "Y_GE30", "_T"])
    assert bands["Y15T24"] < bands["Y15T29"]
    assert not bands["Y15T29"] & bands["Y_GE30"]
    frame = pd.DataFrame(
        {"AGE": ["Y15T24", "Y15T29", "_T"], "SEX": "F", "OBS_VALUE": [60.0, 62.0, 200.0]}
    )
    assert SmallCells().mask(frame)[:2].any()  # 62 − 60 are the two of 25 to 29
    poor, _ = parts("INCOME_WEALTH_QUANTILE", ["Q1", "Q2", "Q3", "B40", "_T"])
    assert poor["Q1"] < poor["B40"] < poor["_T"]


def test_many_breakdowns_fall_back_to_one_at_a_time() -> None:
    rng = np.random.default_rng(1)
    spread = {
        "REF_AREA": [f"MA-{i:02d}" for i in range(1, 13)],
        "AGE": [f"Y{10 * i}T{10 * i + 9}" for i in range(8)],
        "EDUCATION_LEV": ["NONE", "PRIMARY", "LOWER_SEC", "UPPER_SEC", "TERTIARY"],
        "ACTIVITY": ["A", "BTE", "F", "GTU"],
        "URBANISATION": ["U", "R"],
    }
    base = {d: "MA" if d == "REF_AREA" else "_T" for d in (*spread, "SEX")}
    rows = [{**base, "OBS_VALUE": 900.0}]
    for name, members in spread.items():
        values = rng.multinomial(900 - 3, np.ones(len(members)) / len(members)).astype(float)
        values[0] += 3
        rows += [{**base, name: m, "OBS_VALUE": v} for m, v in zip(members, values, strict=True)]
    rows += [{**base, "SEX": "F", "OBS_VALUE": 897.0}, {**base, "SEX": "M", "OBS_VALUE": 3.0}]
    frame = pd.DataFrame(rows)
    assert additive([tuple(r) for r in frame[list(base)].to_numpy()], list(base)).equal.shape[0]
    shown, report = SmallCells().suppress(frame)
    assert report.primary == 1
    assert shown["OBS_VALUE"].isna().sum() == 2
    assert SmallCells().audit(shown)["SAFE"].all()


def beneficiaries(**columns: Any) -> pd.DataFrame:
    base = {
        "DEPARTMENT": "MEN", "SERVICE": "Bourse", "INDICATOR": "Nombre de bénéficiaires",
        "TIME_PERIOD": "2024", "VALUE_KIND": "REALISED", "MEASURE_KIND": "COUNT",
        "COUNTED": "PERSONS", "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 0, "OBS_STATUS": "A",
    }  # fmt: skip
    return pd.DataFrame({**base, **columns})


def test_the_same_cell_is_hidden_in_every_file() -> None:
    here = beneficiaries(SEX=["F", "M", "_T"], OBS_VALUE=[3.0, 90.0, 93.0])
    there = beneficiaries(SEX=["M", "_T"], OBS_VALUE=[90.0, 93.0], OBJECTIVE="Objectif")
    there = there.drop(columns="SERVICE")
    tables = {"beneficiaries": here, "performance": there}
    masks = SmallCells().masks(tables)
    joined = {
        (s, n): bool(m) for n, t in tables.items() for s, m in zip(t["SEX"], masks[n], strict=True)
    }
    assert joined["M", "beneficiaries"] == joined["M", "performance"]
    assert joined["_T", "beneficiaries"] == joined["_T", "performance"]
    shown, _ = SmallCells().suppress_all(tables)
    assert SmallCells().audit(shown)["SAFE"].all()
    alone = there.iloc[[0]]
    masks = SmallCells().masks({"beneficiaries": here, "performance": alone})
    assert masks["beneficiaries"].sum() == 2
    assert masks["performance"][0] == masks["beneficiaries"][1]
    # Another figure under the same words is another table.
    other = there.assign(OBS_VALUE=[400.0, 700.0])
    assert not SmallCells().masks({**tables, "performance": other})["performance"].any()


def test_a_ratio_of_hidden_counts_is_hidden() -> None:
    counts = beneficiaries(SEX=["F", "M", "_T"], OBS_VALUE=[3.0, 90.0, 93.0])
    share = beneficiaries(SEX=["F"], OBS_VALUE=[3.2], MEASURE_KIND="SHARE", UNIT_MEASURE="PT")
    frame = pd.concat([counts, share], ignore_index=True)
    shown, report = SmallCells().suppress(frame)
    assert report.ratios == 1
    assert shown["OBS_VALUE"].isna().tolist() == [True, True, False, True]
    named = frame.assign(INDICATOR=[*frame["INDICATOR"][:3], "Part des femmes"])
    assert SmallCells().suppress(named)[1].ratios == 0
    told = SmallCells(ratios={"Part des  femmes": ["Nombre de bénéficiaires"]})
    assert told.suppress(named)[1].ratios == 1


def test_a_share_with_the_number_beside_it_gives_the_count_away() -> None:
    share = beneficiaries(
        SEX="F", OBS_VALUE=[3.0, 97.0, 40.0], MEASURE_KIND="SHARE", UNIT_MEASURE="PT", N_OBS=100,
        TIME_PERIOD=["2022", "2023", "2024"],
    )  # fmt: skip
    assert SmallCells().mask(share).tolist() == [True, True, False]


def test_labels_divide_where_they_add_up_and_separate_where_they_do_not() -> None:
    staff = beneficiaries(
        SEX="_T", OBS_VALUE=[3.0, 40.0, 43.0], GRADE=["Chef", "Agent", None], SERVICE=None
    )
    assert SmallCells().mask(staff).tolist() == [True, True, False]
    words = beneficiaries(
        SEX=["F", "M", "_T"], OBS_VALUE=[3.0, 40.0, 43.0],
        SUB_INDICATOR=["dont femmes", "dont hommes", None],
    )  # fmt: skip
    assert SmallCells().mask(words).tolist() == [True, True, False]
    apart = beneficiaries(SEX="_T", OBS_VALUE=[3.0, 40.0, 43.0], SERVICE=["a", "b", "c"])
    assert SmallCells().mask(apart).tolist() == [True, False, False]


def test_only_counts_of_persons_are_counted() -> None:
    frame = beneficiaries(
        SEX="_T", OBS_VALUE=3.0, COUNTED=["PERSONS", "STRUCTURES", None, "PERSONS", "PERSONS"],
        MEASURE_KIND=["COUNT", "COUNT", "COUNT", "RATE", "COUNT"],
        UNIT_MEASURE=["NUMBER", "NUMBER", "PS", "PT", "MAN_DAY"],
    )  # fmt: skip
    assert is_small(frame).tolist() == [True, False, True, False, False]
    thousands = frame.assign(UNIT_MULT=3)
    assert not is_small(thousands).any()
    assert is_small(thousands.assign(OBS_VALUE=0.003))[0]
    bare = frame[["SEX", "OBS_VALUE"]].assign(UNIT_MEASURE="NUMBER")
    assert not count_persons(bare).any()
    assert count_persons(bare, "staff").all()


def test_contributions_dominance_and_p_percent() -> None:
    """Figures after the Handbook on Statistical Disclosure Control, 2nd edition."""
    amount = beneficiaries(
        SEX="_T", OBS_VALUE=[100_000.0, 330.0], COUNTED="MONEY", UNIT_MEASURE="MAD",
        LARGEST_1=[50_000.0, 300.0], LARGEST_2=[49_000.0, 20.0], INDICATOR=["a", "b"],
    )  # fmt: skip
    assert not SmallCells(dominance=(1, 90)).primary(amount)[0]
    assert SmallCells(p_percent=10).primary(amount)[0]
    assert SmallCells(dominance=(1, 85)).primary(amount).tolist() == [False, True]
    excess = SmallCells(dominance=(1, 85)).excess(amount)
    assert excess[1] + 330 == pytest.approx(352.94, abs=0.005)
    regions = amount.iloc[[1]].drop(columns="INDICATOR").assign(INDICATOR="b")
    table = pd.concat([regions] * 4, ignore_index=True).assign(
        REF_AREA=["MA-01", "MA-02", "MA-03", "MA"], OBS_VALUE=[330.0, 500.0, 800.0, 1630.0],
        LARGEST_1=[300.0, 90.0, 90.0, 300.0], LARGEST_2=[20.0, 90.0, 90.0, 90.0],
    )  # fmt: skip
    small = SmallCells(dominance=(1, 85))
    shown, report = small.suppress(table)
    assert (report.primary, report.complementary) == (1, 1)
    assert shown["LARGEST_1"].isna().sum() == 2
    high = small.audit(shown).set_index("ROW")["UPPER"][0]
    assert high >= 352.94 - 0.01


def test_what_the_sender_hid_himself_is_protected_too() -> None:
    frame = beneficiaries(
        SEX=["F", "M", "_T"], OBS_VALUE=[np.nan, 90.0, 93.0], OBS_STATUS=["Q", "A", "A"]
    )
    assert not SmallCells().audit(frame)["SAFE"].any()
    shown, report = SmallCells().suppress(frame)
    assert (report.primary, report.complementary) == (0, 1)
    assert SmallCells().audit(shown)["SAFE"].all()


def test_a_hidden_row_keeps_nothing_that_tells() -> None:
    frame = beneficiaries(SEX=["F", "M"], OBS_VALUE=[3.0, 90.0], N_OBS=[3, 90], COMMENT="trois")
    places = pd.DataFrame({"_FILE": "f", "_SHEET": "s", "_RAW": ["3", "90"], "OBS_VALUE": "A1"})
    printed = Dataset(frame, "beneficiaries")
    data = Dataset(frame, "beneficiaries", origins=places, totals=printed)
    shown, _ = SmallCells().suppress(data)
    assert shown.frame.loc[0, ["OBS_VALUE", "N_OBS", "COMMENT"]].isna().all()
    assert shown.frame["N_OBS"][1] == 90
    assert shown.raw(0) is None
    assert shown.raw(1) == "90"
    assert shown.totals is None
    assert data.frame["OBS_VALUE"][0] == 3.0  # the sender's own stays
    assert shown.provenance.fingerprint != data.provenance.fingerprint


def test_quoted_statistics_are_published_already() -> None:
    frame = beneficiaries(SEX=["F", "M"], OBS_VALUE=[3.0, 90.0])
    assert not SmallCells().mask(Dataset(frame, "statistics")).any()
    assert SmallCells(tables=("statistics",)).mask(Dataset(frame, "statistics")).any()
    assert SmallCells().mask(Dataset(frame, "staff")).any()


def test_the_order_of_the_rows_has_no_effect() -> None:
    rng = np.random.default_rng(7)
    frame = published(rng.poisson(7, (3, 2, 2)).astype(float), ["MA-01", "MA-02", "MA-03"],
                      ["Y0T9", "Y10T19"])  # fmt: skip
    mask = SmallCells().mask(frame)
    order = rng.permutation(len(frame))
    again = SmallCells().mask(frame.iloc[order].reset_index(drop=True))
    assert (again == mask[order]).all()
    assert mask.any()


def test_data_that_do_not_add_up_are_still_protected() -> None:
    frame = pd.DataFrame({"SEX": ["F", "M", "_T"], "OBS_VALUE": [3.0, 90.0, 92.0]})
    shown, _ = SmallCells().suppress(frame)
    assert shown["OBS_VALUE"].isna().sum() >= 2


@pytest.mark.parametrize(
    "wrong", [{"min_n": 0}, {"protection": 0}, {"dominance": (1, 100)}, {"p_percent": -1}]
)
def test_a_threshold_that_protects_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(GbiError) as refused:
        SmallCells(**wrong)
    assert refused.value.code == "GBI-E071"


def test_nothing_to_hide() -> None:
    empty = pd.DataFrame({"SEX": [], "OBS_VALUE": []})
    assert SmallCells().suppress(empty)[1].suppressed == 0
    assert SmallCells().audit(empty).empty


@pytest.mark.slow
def test_the_result_is_not_far_from_the_cheapest() -> None:
    """Against every subset of a 3 × 3 table with margins."""
    worse = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        atoms = rng.poisson(15, (2, 2, 1)).astype(float)
        atoms[0, 0, 0] = 2
        frame = published(atoms, ["MA-01", "MA-02"], ["Y0T9"])
        frame = frame[frame["AGE"] == "_T"].reset_index(drop=True)
        best = None
        for bits in product([False, True], repeat=len(frame) - 1):
            hidden = np.array([True, *bits])
            if (~hidden & (frame["OBS_VALUE"] < 5)).any() or (best and hidden.sum() >= best):
                continue
            shown = frame.assign(OBS_VALUE=frame["OBS_VALUE"].mask(hidden))
            found = reader(shown, ["MA-01", "MA-02"], ["Y0T9"])
            if all(high - low >= 5 - 1e-6 for low, high in found.values()):
                best = int(hidden.sum())
        worse.append(SmallCells().mask(frame).sum() / best)
    assert max(worse) <= 1.5
