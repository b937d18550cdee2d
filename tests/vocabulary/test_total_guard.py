"""A sum never counts a total together with its members."""

from __future__ import annotations

import pandas as pd
import pytest

from gbi.errors import GbiError
from gbi.vocabulary import refuse_mixed_totals


def rows(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def refused(frame: pd.DataFrame, over: list[str]) -> GbiError:
    with pytest.raises(GbiError) as caught:
        refuse_mixed_totals(frame, over)
    assert caught.value.code == "GBI-E040"
    return caught.value


@pytest.mark.parametrize(
    ("dimension", "total", "members"),
    [
        ("SEX", "_T", ["F", "M"]),
        ("REF_AREA", "MA", ["MA-01", "MA-02"]),
        ("ECON_NATURE", "OPERATING", ["PERSONNEL", "GOODS"]),
        ("ECON_NATURE", "_T", ["OPERATING", "INVESTMENT"]),
        ("ECON_NATURE", "_T", ["PERSONNEL"]),
    ],
)
def test_a_total_and_a_member_are_refused_and_the_members_alone_are_not(
    dimension: str, total: str, members: list[str]
) -> None:
    refuse_mixed_totals(pd.DataFrame({dimension: members}), [dimension])
    refuse_mixed_totals(pd.DataFrame({dimension: [total]}), [dimension])
    error = refused(pd.DataFrame({dimension: [*members, total]}), [dimension])
    assert error.where == dimension
    assert error.got is not None
    over, member = error.got.split(" + ")
    assert over == total
    assert member in members


def test_siblings_and_levels_that_do_not_contain_each_other_may_be_summed() -> None:
    refuse_mixed_totals(rows(ECON_NATURE=["OPERATING", "INVESTMENT"]), ["ECON_NATURE"])
    refuse_mixed_totals(rows(ECON_NATURE=["PERSONNEL", "INVESTMENT"]), ["ECON_NATURE"])


def test_a_total_in_one_group_and_members_in_another_do_not_mix() -> None:
    frame = rows(
        DEPARTMENT=["JUSTICE", "JUSTICE", "DIDH"], SEX=["F", "M", "_T"], OBS_VALUE=[1.0, 2.0, 3.0]
    )
    refuse_mixed_totals(frame, ["SEX"])
    assert refused(frame, ["SEX", "DEPARTMENT"]).where == "SEX"
    frame.loc[1, "DEPARTMENT"] = "DIDH"
    assert refused(frame, ["SEX"]).where == "SEX"


def test_indicators_and_years_tell_groups_apart_though_they_have_no_list() -> None:
    for column in ("INDICATOR", "TIME_PERIOD", "PROGRAMME"):
        refuse_mixed_totals(rows(**{column: ["a", "b"], "SEX": ["F", "_T"]}), ["SEX"])


@pytest.mark.parametrize(
    ("attribute", "values"),
    [("OBS_STATUS", ["A", "E"]), ("DIRECTION", ["UP", None]), ("SCOPE", ["STAFF", None])],
)
def test_an_attribute_does_not_tell_groups_apart(attribute: str, values: list[object]) -> None:
    refused(rows(**{"SEX": ["F", "_T"], attribute: values}), ["SEX"])


@pytest.mark.parametrize("column", ["BUDGET_LINE", "GRADE", "SERVICE"])
def test_every_column_of_a_key_tells_groups_apart(column: str) -> None:
    refuse_mixed_totals(rows(**{column: ["a", "b"], "SEX": ["F", "_T"]}), ["SEX"])


def test_a_blank_group_is_a_group() -> None:
    refused(rows(SUB_INDICATOR=[None, None], SEX=["F", "_T"]), ["SEX"])


def test_a_dimension_without_a_list_has_a_total_too() -> None:
    error = refused(rows(PROGRAMME=["P1", "_T"]), ["PROGRAMME"])
    assert (error.where, error.got) == ("PROGRAMME", "_T + P1")


def test_blanks_and_absent_columns_are_no_members() -> None:
    refuse_mixed_totals(rows(SEX=["_T", None]), ["SEX", "AGE"])
    refuse_mixed_totals(rows(SEX=["F", "_T"]), ["AGE"])
    refuse_mixed_totals(rows(SEX=[]), ["SEX"])


def test_the_error_says_what_mixes_in_every_language() -> None:
    error = refused(rows(SEX=["F", "M", "_T"]), ["SEX"])
    for lang in ("fr", "ar", "en"):
        assert "SEX" in error.message(lang)
        assert "_T + F" in error.message(lang)
