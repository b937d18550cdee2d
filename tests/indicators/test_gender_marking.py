"""Marks of programmes: the share, the printed grid, the lower of both, and what stays unknown."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gbi
from gbi.dataset import Submission
from gbi.errors import GbiError
from gbi.indicators import gender_marking
from gbi.resources import resource_path
from gbi.results import Result

# The tables of the Rapport Genre (morocco.md §5.2 and §5.3), O = Y.
PROGRAMME_GRID = {"YYYY": "G+", "NYYY": "G2", "YYNN": "G1", "NNNN": "G0"}
PROJECT_ANSWERS = {"1": "YYYY", "2": "NYYY", "3": "NNYY", "4": "NNNN"}
PERCENT = {"1": 100, "2": 70, "3": 30, "4": 0, "5": 0}


@lru_cache(maxsize=1)
def sample() -> Submission:
    return gbi.read_submission(resource_path("samples", "maroc-plf2025"))


def line(level: str, project: str | None, answers: str | None, **columns: Any) -> dict[str, Any]:
    given = answers or [None] * 4
    return {
        "MARK_LEVEL": level, "PROGRAMME": "P", "PROJECT": project, "MARK": None, "OBS_VALUE": None,
        "CREDIT_TYPE": "CP", "UNIT_MEASURE": "MAD", "UNIT_MULT": 6,
        **{f"CRITERION_{i}": answer for i, answer in enumerate(given, 1)}, **columns,
    }  # fmt: skip


def programme(answers: str | None = "NYYY", **columns: Any) -> dict[str, Any]:
    return line("PROGRAMME", None, answers, **columns)


def project(name: str, credits: float | None, mark: str, **columns: Any) -> dict[str, Any]:
    answers = PROJECT_ANSWERS.get(mark)
    return line("PROJECT", name, answers, OBS_VALUE=credits, MARK=mark, **columns)


def marked(*lines: dict[str, Any], **options: Any) -> Result:
    frame = pd.DataFrame(lines)
    return gender_marking(frame.astype({"OBS_VALUE": "Float64"}), **options)


def head(result: Result) -> pd.Series:
    programmes = result.frame[result.frame["LEVEL"] == "PROGRAMME"]
    assert len(programmes) == 1
    return programmes.iloc[0]


def of_share(thousandths: float, **options: Any) -> pd.Series:
    """A programme of 1 000 whose share is known from the one project that counts fully."""
    rest = 1000.0 - thousandths
    lines = (programme(), project("a", thousandths, "1"), project("b", rest, "4"))
    return head(marked(*lines, **options))


def codes(result: Result) -> list[str]:
    return [note.code for note in result.notes]


def sample_programme(name: str) -> pd.Series:
    frame = gender_marking(sample()["marking"]).frame
    return frame[(frame["LEVEL"] == "PROGRAMME") & (frame["PROGRAMME"] == name)].iloc[0]


def test_the_youth_programme_is_g2_by_share_grid_and_statement() -> None:
    row = sample_programme("Jeunesse, enfance et femmes")
    assert row["SHARE"] == pytest.approx(0.80977, abs=5e-6)
    exact = (Fraction(7, 10) * Fraction("766.29") + Fraction("442.2")) / Fraction("1208.49")
    assert row["SHARE"] == float(exact)
    assert row["WEIGHTED_AMOUNT"] == pytest.approx(978.603, rel=1e-12)
    assert row["OBS_VALUE"] == 1208.49
    assert row[["SHARE_MARK", "GRID_MARK", "FINAL_MARK"]].tolist() == ["G2", "G2", "G2"]
    assert row[["SHARE_MARK_STATED", "FINAL_STATED_INPUTS", "FINAL_MARK_STATED"]].eq("G2").all()
    assert row["OBS_STATUS"] == "A"
    assert pd.isna(row["REASON"])


def test_the_steering_programme_has_bounds_but_no_mark_of_its_own() -> None:
    row = sample_programme("Pilotage et gouvernance")
    assert row[["SHARE", "SHARE_MARK", "GRID_MARK", "FINAL_MARK", "OBS_VALUE"]].isna().all()
    assert (row["OBS_STATUS"], row["REASON"], row["REASON_GRID"]) == ("O", "GBI-N040", "GBI-N041")
    assert (row["SHARE_LOW"], row["SHARE_LOW_REACHED"]) == (0.0, False)
    assert (row["SHARE_HIGH"], row["SHARE_HIGH_REACHED"]) == (0.7, True)


def test_the_stated_share_and_grid_of_the_steering_programme_give_g1() -> None:
    row = sample_programme("Pilotage et gouvernance")
    assert (row["SHARE_STATED"], row["SHARE_MARK_STATED"]) == (0.51, "G2")
    assert row["GRID_MARK_STATED"] == "G1"
    assert row["FINAL_STATED_INPUTS"] == "G1"
    assert row["FINAL_MARK_STATED"] == "G1"


def test_the_sample_amounts_are_those_printed_to_the_centime() -> None:
    result = gender_marking(sample()["marking"])
    projects = result.frame[result.frame["LEVEL"] == "PROJECT"].set_index("PROJECT")
    both = projects[["WEIGHTED_AMOUNT", "AMOUNT_STATED"]].dropna()
    assert len(both) == 4
    assert both["WEIGHTED_AMOUNT"].round(2).tolist() == both["AMOUNT_STATED"].tolist()
    dark = projects.loc["Soutien des missions"]
    assert dark[["OBS_VALUE", "WEIGHTED_AMOUNT"]].isna().all()
    assert (dark["OBS_STATUS"], dark["REASON"]) == ("O", "GBI-N043")
    assert result.meta["final_marks"] == 1
    assert (result.meta["programmes"], result.meta["projects"]) == (2, 5)
    assert {"GBI-N040", "GBI-N041", "GBI-N048", "GBI-N049"} == set(codes(result))


@pytest.mark.parametrize("mark", PERCENT)
def test_a_project_weighs_what_its_mark_says(mark: str) -> None:
    result = marked(programme(), project("a", 200.0, mark))
    row = result.frame[result.frame["LEVEL"] == "PROJECT"].iloc[0]
    assert (row["MARK"], row["WEIGHT"]) == (mark, PERCENT[mark] / 100)
    assert row["WEIGHTED_AMOUNT"] == 2.0 * PERCENT[mark]
    assert head(result)["SHARE"] == PERCENT[mark] / 100


def test_projects_that_were_not_evaluated_are_shown_with_their_bounds() -> None:
    result = marked(programme(), project("a", 60.0, "1"), project("b", 40.0, "5"))
    row = head(result)
    assert (row["SHARE"], row["SHARE_NOT_EVALUATED"]) == (0.6, 0.4)
    assert (row["SHARE_LOW"], row["SHARE_HIGH"]) == (0.6, 1.0)
    assert row["SHARE_MARK"] == "G2"
    assert "GBI-N047" in codes(result)


@pytest.mark.parametrize(
    ("thousandths", "mark"),
    [(0, "G0"), (199.99, "G0"), (200, "G1"), (499.99, "G1"), (499.999999, "G1"), (500, "G2"),
     (849.99, "G2"), (850, "G2"), (850.000001, "G+"), (1000, "G+")],
)  # fmt: skip
def test_the_unrounded_share_decides(thousandths: float, mark: str) -> None:
    row = of_share(thousandths)
    assert row["SHARE"] == pytest.approx(thousandths / 1000, abs=1e-15)
    assert row["SHARE_MARK"] == mark


@pytest.mark.parametrize(
    ("thousandths", "between"),
    [(190, None), (195, ("G0", "G1")), (200, None), (495, ("G1", "G2")), (500, None),
     (845, ("G2", "G+")), (850, ("G2", "G+")), (851, None)],
)  # fmt: skip
def test_a_share_between_two_printed_classes_names_both(
    thousandths: float, between: tuple[str, str] | None
) -> None:
    rest = 1000.0 - thousandths
    result = marked(programme(), project("a", thousandths, "1"), project("b", rest, "4"))
    found = [(n.params["low"], n.params["high"]) for n in result.notes if n.code == "GBI-N042"]
    assert found == ([] if between is None else [between])


def test_other_thresholds_give_other_marks_and_are_recorded() -> None:
    assert of_share(495)["SHARE_MARK"] == "G1"
    chosen = [0.1, 0.4, 0.9]
    assert of_share(495, thresholds=chosen)["SHARE_MARK"] == "G2"
    assert of_share(900, thresholds=chosen)["SHARE_MARK"] == "G2"
    assert of_share(900.001, thresholds=chosen)["SHARE_MARK"] == "G+"
    lines = (programme(), project("a", 1.0, "1"))
    assert marked(*lines).meta["thresholds"] == [0.2, 0.5, 0.85]
    other = marked(*lines, thresholds=chosen)
    assert other.meta["thresholds"] == chosen
    assert other.provenance.fingerprint != marked(*lines).provenance.fingerprint


@pytest.mark.parametrize("wrong", [[0.5, 0.2, 0.85], [0.2, 0.5], [0.2, 0.5, 1.0], [20, 50, 85]])
def test_thresholds_that_do_not_rise_are_refused(wrong: list[float]) -> None:
    with pytest.raises(GbiError) as refused:
        of_share(500, thresholds=wrong)
    assert refused.value.code == "GBI-E071"


@pytest.mark.parametrize("answers", ["".join(a) for a in product("YN", repeat=4)])
def test_every_combination_gives_the_printed_mark_or_none(answers: str) -> None:
    row = head(marked(programme(answers), project("a", 1.0, "1")))
    printed = PROGRAMME_GRID.get(answers)
    found = None if pd.isna(row["GRID_MARK"]) else row["GRID_MARK"]
    assert found == printed
    assert row["SHARE_MARK"] == "G+"
    if printed is None:
        assert pd.isna(row["FINAL_MARK"])
        assert (row["OBS_STATUS"], row["REASON_GRID"]) == ("O", "GBI-N041")
    else:
        assert row["FINAL_MARK"] == printed


def test_missing_answers_are_not_an_unprinted_combination() -> None:
    row = head(marked(programme(None), project("a", 1.0, "1")))
    assert row[["GRID_MARK", "FINAL_MARK"]].isna().all()
    assert row["REASON_GRID"] == "GBI-N057"


@pytest.mark.parametrize("answers", PROGRAMME_GRID)
@pytest.mark.parametrize(
    ("thousandths", "mark"), [(100, "G0"), (300, "G1"), (600, "G2"), (900, "G+")]
)
def test_the_final_mark_is_the_lower_one(answers: str, thousandths: float, mark: str) -> None:
    rest = 1000.0 - thousandths
    result = marked(programme(answers), project("a", thousandths, "1"), project("b", rest, "4"))
    order = ["G0", "G1", "G2", "G+"]
    lower = min(order.index(mark), order.index(PROGRAMME_GRID[answers]))
    assert head(result)["FINAL_MARK"] == order[lower]


def test_commitment_credits_never_enter_the_share() -> None:
    lines = (programme(), project("a", 30.0, "1"), project("b", 70.0, "4"))
    later = project("a", 9000.0, "1", CREDIT_TYPE="CE")
    with_later = marked(*lines, later)
    assert head(with_later)["SHARE"] == 0.3 == head(marked(*lines))["SHARE"]
    assert head(with_later)["OBS_VALUE"] == 100.0
    row = with_later.frame[with_later.frame["OBS_VALUE"] == 9000.0].iloc[0]
    assert pd.isna(row["WEIGHTED_AMOUNT"])
    assert row["REASON"] == "GBI-N032"
    alone = head(marked(programme(), later))
    assert pd.isna(alone["SHARE"])
    assert alone["REASON"] == "GBI-N045"


def test_credits_of_the_programme_without_a_project_have_no_weight() -> None:
    assert head(marked(programme(OBS_VALUE=200.0), project("a", 50.0, "1")))["SHARE"] == 0.25
    more = head(marked(programme(OBS_VALUE=40.0), project("a", 50.0, "1")))
    assert pd.isna(more["SHARE"])
    assert more["REASON"] == "GBI-N056"


def test_what_gives_no_share_says_why() -> None:
    nothing = head(marked(programme(), project("a", 0.0, "1")))
    assert (pd.isna(nothing["SHARE"]), nothing["REASON"]) == (True, "GBI-N046")
    units = head(marked(programme(), project("a", 1.0, "1"), project("b", 1.0, "1", UNIT_MULT=3)))
    assert (pd.isna(units["SHARE"]), units["REASON"]) == (True, "GBI-N052")
    assert pd.isna(units["OBS_VALUE"])
    alien = head(marked(programme(), project("a", 30.0, "1"), project("b", 70.0, "9")))
    assert (pd.isna(alien["SHARE"]), alien["REASON"]) == (True, "GBI-N044")
    assert (alien["SHARE_LOW"], alien["SHARE_HIGH"]) == (0.3, 1.0)


def test_faulty_tables_are_refused() -> None:
    frame = pd.DataFrame([programme(), project("a", 1.0, "1")])
    wrong = {
        "GBI-E070": frame.drop(columns="CRITERION_4"),
        "GBI-E072": pd.concat([frame, frame.tail(1)]),
        "GBI-E073": frame.assign(OBS_VALUE="vingt"),
        "GBI-E071": frame.assign(SCALE="OECD"),
        "GBI-E030": sample()["budget"],
    }
    for code, data in wrong.items():
        with pytest.raises(GbiError) as refused:
            gender_marking(data)
        assert refused.value.code == code


PROJECTS = st.lists(
    st.tuples(st.integers(1, 10**6), st.sampled_from("1234"), st.booleans()),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(PROJECTS, st.randoms(use_true_random=False))
def test_hidden_credits_leave_bounds_around_the_true_share(
    projects: list[tuple[int, str, bool]], random: Any
) -> None:
    total = sum(c for c, _, _ in projects)
    true = Fraction(sum(c * PERCENT[m] for c, m, _ in projects), 100 * total)
    full = [project(str(i), float(c), m) for i, (c, m, _) in enumerate(projects)]
    assert head(marked(programme(), *full))["SHARE"] == float(true)
    seen = [{**p, "OBS_VALUE": None} if h else p for p, (*_, h) in zip(full, projects, strict=True)]
    random.shuffle(seen)
    row = head(marked(programme(), *seen))
    if any(h for *_, h in projects):
        assert pd.isna(row["SHARE"])
        assert row["REASON"] == "GBI-N040"
        assert 0 <= row["SHARE_LOW"] <= float(true) <= row["SHARE_HIGH"] <= 1
    else:
        assert row["SHARE"] == float(true)


def test_only_the_payment_credits_of_the_programme_count() -> None:
    projects = (project("a", 50.0, "1"), project("b", 50.0, "4"))
    later = programme(OBS_VALUE=1000.0, CREDIT_TYPE="CE")
    assert head(marked(later, *projects))["SHARE"] == 0.5
    now = programme(OBS_VALUE=100.0)
    for order in ((now, later), (later, now)):
        assert head(marked(*order, *projects))["SHARE"] == 0.5


def test_a_programme_in_another_unit_than_its_projects_has_no_share() -> None:
    result = marked(programme(OBS_VALUE=100_000.0, UNIT_MULT=3), project("a", 100.0, "1"))
    assert pd.isna(head(result)["SHARE"])
    assert head(result)["REASON"] == "GBI-N052"


def test_a_project_twice_is_refused_also_where_one_row_leaves_the_credits_unnamed() -> None:
    lines = (project("a", 50.0, "1", CREDIT_TYPE=None), project("a", 50.0, "1"))
    with pytest.raises(GbiError) as caught:
        marked(programme(), *lines)
    assert caught.value.code == "GBI-E072"
