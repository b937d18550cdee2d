"""Proposals for sums that do not close: the spoilt cell is named, with its value and its slip."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset
from gbi.validation import ValidationReport
from gbi.validation.suggestions import Proposal, suggest
from gbi.validation.ties import Figures, groups

BASE = {
    "REF_AREA": "MA", "AGE": "_T", "DISABILITY_STATUS": "_T", "INCOME_WEALTH_QUANTILE": "_T",
    "POPULATION_GROUP": "_T", "EDUCATION_LEV": "_T", "ACTIVITY": "_T", "ADMIN_LEVEL": "_T",
    "OBS_STATUS": "A", "SOURCE": "HCP", "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS",
    "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 0, "DECIMALS": 0, "INDICATOR": "Effectif des élèves",
    "TIME_PERIOD": "2023",
}  # fmt: skip
# Women, men, total in towns, in the country, and together: every figure stands in two sums.
CROSSED = {
    ("F", "U"): 4321.0, ("M", "U"): 5210.0, ("_T", "U"): 9531.0,
    ("F", "R"): 2687.0, ("M", "R"): 3358.0, ("_T", "R"): 6045.0,
    ("F", "_T"): 7008.0, ("M", "_T"): 8568.0, ("_T", "_T"): 15576.0,
}  # fmt: skip


def table(figures: dict[tuple[str, str], float], *, placed: bool = True) -> Dataset:
    """Return figures by sex and place as a table whose cells are ``E2``, ``E3``, …"""
    rows = [
        {**BASE, "SEX": sex, "URBANISATION": place, "OBS_VALUE": value}
        for (sex, place), value in figures.items()
    ]
    frame = pd.DataFrame(rows)
    if not placed:
        return Dataset.of(frame, "statistics")
    places = {"_FILE": "effectifs.csv", "_SHEET": "", "_RAW": ""}
    cells = [f"E{n + 2}" for n in range(len(rows))]
    origins = pd.DataFrame({**places, "OBS_VALUE": cells}, index=frame.index)
    return Dataset(frame, "statistics", origins=origins)


def validated(figures: dict[tuple[str, str], float], *, placed: bool = True) -> ValidationReport:
    return gbi.validate({"statistics": table(figures, placed=placed)})


def proposed(figures: dict[tuple[str, str], float], *, placed: bool = True) -> tuple[Proposal, ...]:
    return suggest(validated(figures, placed=placed))


def test_sums_that_close_need_no_proposal() -> None:
    assert proposed(CROSSED) == ()


@pytest.mark.parametrize("at", CROSSED)
def test_the_one_spoilt_cell_is_named_with_the_value_it_needs(at: tuple[str, str]) -> None:
    (found,) = proposed({**CROSSED, at: CROSSED[at] + 37})
    (change,) = found.changes
    assert found.unique
    assert change.cell is not None
    assert change.cell.a1 == f"E{list(CROSSED).index(at) + 2}"
    assert (change.found, change.proposed) == (CROSSED[at] + 37, CROSSED[at])
    assert found.rows == (list(CROSSED).index(at),)


@pytest.mark.parametrize(
    ("spoilt", "kind"),
    [
        (4231.0, "transposition"), (43210.0, "decimal"), (4321_000.0, "thousandfold"),
        (432.0, "missing_digit"), (43821.0, "extra_digit"), (4921.0, "digit"), (4999.0, ""),
    ],
)  # fmt: skip
def test_a_simple_slip_has_a_name(spoilt: float, kind: str) -> None:
    (found,) = proposed({**CROSSED, ("F", "U"): spoilt})
    (change,) = found.changes
    assert (change.kind, change.proposed) == (kind, 4321.0)
    assert str(found) == f"E2: {spoilt:.12g} → 4321?"


def test_a_proposal_names_the_findings_that_it_would_close_and_its_line_stands_in_them() -> None:
    report = validated({**CROSSED, ("M", "R"): 3538.0})
    (found,) = suggest(report)
    sums = [f for f in report.unmasked() if f.code in ("GBI-A003", "GBI-A005")]
    assert len(sums) == 2
    assert set(found.findings) == {f.id for f in sums}
    assert {f.suggestion for f in sums} == {str(found)}


def test_the_proposal_mends_the_table_and_nothing_was_applied() -> None:
    figures = {**CROSSED, ("M", "R"): 3538.0}
    data = table(figures)
    before = data.frame.copy(deep=True)
    (found,) = suggest(gbi.validate({"statistics": data}))
    pd.testing.assert_frame_equal(data.frame, before)
    (change,) = found.changes
    assert change.proposed is not None
    mended = {**figures, list(figures)[change.row]: change.proposed}
    codes = {f.code for f in validated(mended).findings}
    assert not {"GBI-A003", "GBI-A005"} & codes


def test_where_two_cells_explain_a_sum_equally_well_neither_is_picked() -> None:
    alone = {k: v for k, v in CROSSED.items() if k[1] == "_T"}
    found = proposed({**alone, ("F", "_T"): 7045.0})
    assert len(found) > 1
    assert not any(p.unique for p in found)
    assert len({p.group for p in found}) == 1
    assert {p.rows for p in found} == {(0,), (1,), (2,)}
    assert all(f.suggestion is None for f in validated({**alone, ("F", "_T"): 7045.0}).unmasked()
               if f.code == "GBI-A003")  # fmt: skip


def test_two_spoilt_cells_are_named_together() -> None:
    found = proposed({**CROSSED, ("F", "U"): 4821.0, ("M", "R"): 3300.0})
    assert {frozenset(p.rows) for p in found} >= {frozenset({0, 4})}
    assert all(len(p.changes) == 2 for p in found)
    named = next(p for p in found if set(p.rows) == {0, 4})
    assert {c.row: c.proposed for c in named.changes} == {0: 4321.0, 4: 3358.0}


def test_data_in_memory_are_named_by_their_row() -> None:
    (found,) = proposed({**CROSSED, ("_T", "R"): 6405.0}, placed=False)
    assert found.cells == ()
    assert str(found) == "#6: 6405 → 6045?"
    assert found.findings


def test_a_proposal_is_plain_values_for_json() -> None:
    (found,) = proposed({**CROSSED, ("F", "U"): 4231.0})
    plain = found.to_dict()
    assert (plain["table"], plain["unique"]) == ("statistics", True)
    assert plain["changes"][0]["cell"]["a1"] == "E2"
    assert plain["changes"][0]["kind"] == "transposition"


def test_a_report_without_its_data_gives_no_proposal() -> None:
    report = validated({**CROSSED, ("F", "U"): 4231.0})
    assert suggest(dataclasses.replace(report, datasets={})) == ()


def test_broken_sums_hang_together_only_where_figures_meet() -> None:
    """Two years that are both wrong are two groups; their figures are not mixed."""
    first = table({**CROSSED, ("F", "U"): 4231.0}).frame
    second = table({**CROSSED, ("M", "R"): 3538.0}).frame.assign(TIME_PERIOD="2024")
    frame = pd.concat([first, second], ignore_index=True)
    found = suggest(gbi.validate({"statistics": frame}))
    assert [p.rows for p in found] == [(0,), (13,)]
    assert len({p.group for p in found}) == 2


def test_figures_are_numbered_through_rows_and_printed_totals() -> None:
    from gbi.validation.catalogue import catalogue
    from gbi.validation.suggestions import context_of
    from gbi.validation.sums import sums_of

    data = table({**CROSSED, ("F", "U"): 4231.0})
    rule = next(r for r in catalogue() if r.code == "GBI-A003").document
    ctx = context_of(data, rule["params"], rule["tolerance"])
    figures = Figures(ctx)
    ties = [figures.tie("GBI-A003", one) for one in sums_of(ctx)]
    assert [t.figures for t in ties if not t.one.closes] == [(2, 0, 1)]
    assert figures.rows == len(CROSSED)
    (group,) = groups(ties)
    assert group.free == {0, 1, 2}
    assert [t.parties for t in group.broken] == [("GBI-A003", (0, 1, 2), ())]


def test_solvers_are_loaded_only_once_something_is_to_be_solved() -> None:
    script = "import sys, gbi.validation; print(*(m for m in sys.modules if m == 'scipy.optimize'))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ended.stdout.strip() == b""
