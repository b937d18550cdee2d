"""Two states compared: findings by their ids, cells by address or by key, nothing small shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset, Submission
from gbi.errors import GbiError
from gbi.provenance import Provenance
from gbi.validation import Comparison, compare, validate
from gbi.validation.changes import changed_cells
from gbi.validation.comparison import read_payload

HEAD = "INDICATOR,TIME_PERIOD,REF_AREA,SEX,OBS_VALUE"
COMMON = {
    "OBS_STATUS": "A", "SOURCE": "HCP", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
    "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 3, "DECIMALS": 0,
}  # fmt: skip
Row = tuple[str, str, float | None]


def dataset(
    rows: list[Row],
    table: str = "statistics",
    file: str = "f.xlsx",
    sheet: str = "A",
    mult: int = 3,
) -> Dataset:
    frame = pd.DataFrame(
        [
            {"INDICATOR": "Effectif", "TIME_PERIOD": y, "REF_AREA": "MA", "SEX": s, "OBS_VALUE": v,
             **COMMON, "UNIT_MULT": mult}
            for y, s, v in rows
        ]
    )  # fmt: skip
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    n = range(len(frame))
    origins = pd.DataFrame(
        {
            "_FILE": file,
            "_SHEET": sheet,
            "_RAW": ["abc" if v is None else str(v) for _, _, v in rows],
            "SEX": [f"D{i + 2}" for i in n],
            "OBS_VALUE": [f"E{i + 2}" for i in n],
        }
    )
    return Dataset(frame, table, origins=origins)


def submission(*data: Dataset) -> Submission:
    return Submission({d.table: d for d in data}, (), (), Provenance(), Path())


WRONG: list[Row] = [("2020", "F", 432), ("2020", "M", 420), ("2020", "_T", 876)]
RIGHT: list[Row] = [("2020", "F", 456), ("2020", "M", 420), ("2020", "_T", 876)]
BOTH: list[Row] = [*WRONG, ("2021", "F", 1), ("2021", "M", 2), ("2021", "_T", 9)]


def states(found: Comparison) -> tuple[int, int, int]:
    return len(found.fixed), len(found.new), len(found.persisting)


def test_fixed_new_and_persisting() -> None:
    assert states(compare(submission(dataset(WRONG)), submission(dataset(RIGHT)))) == (1, 0, 0)
    assert states(compare(submission(dataset(RIGHT)), submission(dataset(WRONG)))) == (0, 1, 0)
    both = compare(submission(dataset(WRONG)), submission(dataset(BOTH)))
    assert states(both) == (0, 1, 1)
    assert both.new[0].key["TIME_PERIOD"] == "2021"
    assert both.persisting[0].key["TIME_PERIOD"] == "2020"


def test_a_row_that_moved_is_the_same_finding() -> None:
    found = compare(submission(dataset(WRONG)), submission(dataset(BOTH[::-1])))
    assert states(found) == (0, 1, 1)
    assert found.persisting[0].a1 != validate(dataset(WRONG)).findings[0].a1


def test_reports_payloads_and_submissions_give_the_same(tmp_path: Path) -> None:
    sides = [submission(dataset(d)) for d in (WRONG, BOTH)]
    reports = [validate(s) for s in sides]
    payloads = [r.to_dict() for r in reports]
    paths = [r.to_json(tmp_path / f"{i}.json") for i, r in enumerate(reports)]
    expected = compare(*sides)
    for old, new in (reports, payloads, paths, (sides[0], payloads[1])):
        found = compare(old, new)
        assert states(found) == states(expected)
        assert [f.id for f in found.new] == [f.id for f in expected.new]
    assert (
        compare(*payloads).new[0].to_dict()
        == payloads[1]["findings"][
            [f["id"] for f in payloads[1]["findings"]].index(expected.new[0].id)
        ]
    )


def test_a_changed_cell_is_named_with_both_values() -> None:
    found = compare(submission(dataset(WRONG)), submission(dataset(RIGHT)))
    (change,) = found.cells_changed
    assert change.to_dict() == {
        "file": "f.xlsx", "sheet": "A", "a1": "E2", "before": "432", "after": "456",
    }  # fmt: skip
    assert found.remarks == ()


def test_a_cell_that_could_not_be_read_is_shown_as_written() -> None:
    rows: list[Row] = [("2020", "F", None), *WRONG[1:]]
    (change,) = compare(submission(dataset(rows)), submission(dataset(WRONG))).cells_changed
    assert (change.before, change.after) == ("abc", "432")


def test_an_added_row_does_not_change_all_those_below_it() -> None:
    longer: list[Row] = [("2019", "_T", 800), *WRONG]
    found, _ = changed_cells({"s": dataset(WRONG)}, {"s": dataset(longer)})
    assert {(c.a1, c.before) for c in found} == {("D2", None), ("E2", None)}
    gone, _ = changed_cells({"s": dataset(longer)}, {"s": dataset(WRONG)})
    assert {(c.a1, c.after) for c in gone} == {("D2", None), ("E2", None)}


def test_one_file_under_another_name_is_the_same_file() -> None:
    old, new = dataset(WRONG), dataset(RIGHT, file="f-v2.xlsx")
    found, remarks = changed_cells({"s": old}, {"s": new})
    assert [(c.file, c.a1) for c in found] == [("f-v2.xlsx", "E2")]
    assert remarks == []


def test_a_sheet_of_one_side_is_said_and_left_out() -> None:
    other = replace(dataset(WRONG, sheet="B"), table="population")
    old = {"statistics": dataset(WRONG), "population": other}
    found, remarks = changed_cells(old, {"statistics": dataset(RIGHT)})
    assert [c.sheet for c in found] == ["A"]
    assert remarks == ["sheets_differ"]


def test_small_counts_of_persons_are_withheld_and_what_would_give_them_away() -> None:
    old: list[Row] = [("2020", "F", 2), ("2020", "M", 420), ("2020", "_T", 422)]
    new: list[Row] = [("2020", "F", 3), ("2020", "M", 421), ("2020", "_T", 424)]
    sides = [{"beneficiaries": dataset(d, "beneficiaries", mult=0)} for d in (old, new)]
    found, _ = changed_cells(*sides)
    shown = {c.a1: (c.before, c.after) for c in found}
    assert shown["E2"] == ("…", "…")
    assert ("…", "…") in (shown["E3"], shown["E4"])
    printed = dataset(old[2:], "beneficiaries", mult=0, sheet="T")
    changed = dataset(new[2:], "beneficiaries", mult=0, sheet="T")
    with_totals = [
        {"beneficiaries": replace(s["beneficiaries"], totals=t)}
        for s, t in zip(sides, (printed, changed), strict=True)
    ]
    totals = [c for c in changed_cells(*with_totals)[0] if c.sheet == "T"]
    assert [(c.before, c.after) for c in totals] == [("…", "…")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_count_that_is_small_on_one_side_is_withheld_on_both(order: tuple[int, int]) -> None:
    rows: list[list[Row]] = [[("2020", "F", 2)], [("2020", "F", 60)]]
    sides = [{"beneficiaries": dataset(rows[i], "beneficiaries", mult=0)} for i in order]
    (change,) = changed_cells(*sides)[0]
    assert (change.before, change.after) == ("…", "…")


def test_individual_data_are_not_compared_cell_by_cell() -> None:
    old, new = dataset(WRONG, "survey"), dataset(RIGHT, "survey")
    assert changed_cells({"survey": old}, {"survey": new}) == ((), ["withheld", "no_data"])


def test_a_report_that_does_not_store_all_makes_the_comparison_partial() -> None:
    payload = validate(dataset(BOTH)).to_dict()
    cut = {**payload, "truncation": {"stored": 1, "counted": 2}}
    assert not compare(payload, payload).partial
    assert compare(cut, payload).partial
    assert compare(payload, cut).partial
    assert compare(payload, cut).to_dict()["partial"]
    assert validate(dataset(BOTH), most=1).truncation["counted"] == 2
    assert compare(validate(dataset(BOTH), most=1), payload).partial


def test_other_options_and_other_rules_are_said() -> None:
    data = dataset(WRONG)
    assert "options_differ" in compare(validate(data), validate(data, only=["A"])).remarks
    payload = validate(data).to_dict()
    other = {**payload, "report": {**payload["report"], "ruleset": "0" * 64}}
    assert "rules_differ" in compare(payload, other).remarks
    assert "rules_differ" not in compare(payload, payload).remarks


def test_the_summary_says_it_in_three_languages() -> None:
    found = compare(submission(dataset(WRONG)), submission(dataset(BOTH)))
    for lang, word in (("fr", "Constats nouveaux"), ("ar", "الملاحظات الجديدة"), ("en", "New")):
        lines = found.summary(lang=lang).splitlines()
        assert any(line.startswith(word) for line in lines)
        assert any("GBI-A003" in line and "f.xlsx › A!E" in line for line in lines)
    assert list(found.to_frame()["STATE"]) == ["new", "persisting"]
    empty = compare(submission(dataset(RIGHT)), submission(dataset(RIGHT)))
    assert list(empty.to_frame().columns) == list(found.to_frame().columns)
    assert empty.summary(lang="en").count("\n") == 4


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as refused:
        compare(3, validate(dataset(WRONG)))  # type: ignore[arg-type]
    assert refused.value.code == "GBI-E131"
    with pytest.raises(GbiError) as refused:
        compare({"findings": 3}, validate(dataset(WRONG)))
    assert refused.value.code == "GBI-E131"
    path = tmp_path / "validation.json"
    path.write_text(json.dumps({"report": {"schema": "gbi-validation/1"}}), encoding="utf-8")
    with pytest.raises(GbiError) as refused:
        read_payload(path)
    assert (refused.value.code, refused.value.exit_code) == ("GBI-E131", 3)
    path.write_text('{"a": 1}', encoding="utf-8")
    assert read_payload(path) is None


def test_a_report_of_a_later_version_with_further_keys_is_compared() -> None:
    payload = validate(dataset(WRONG)).to_dict()
    later = {
        **payload,
        "further": 1,
        "findings": [{**f, "new_key": 1} for f in payload["findings"]],
    }
    assert states(compare(later, payload)) == (0, 0, 1)


def test_the_public_name_is_this_function() -> None:
    assert gbi.compare is compare
