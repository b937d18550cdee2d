"""Real budgets and performance files of eight countries: their known figures, traps and faults."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Finding

PROFILES = Path(__file__).parent / "profiles"
CARMEN, CAMEROON = "arg_carmen_ppg_2024_2025", "cmr_delegations_bip_2011"
CANADA, STAFF = "can_infobase_women_tagged_programs", "can_infobase_headcount_sex"
INDIA, IATI = "ind_cbga_gender_budget_2017", "iati_iadb_argentina_results"
EXECUTION = "Estado-de-Ejecucion-de-Gastos-con-Perspectiva-de-Genero"

# name: (file, profile); without a profile the file is known by its headers
SOURCES = {
    "france": ("fra_plf2025_depenses/state_depenses_dest_nature_2025.json", None),
    "canada-staff": (
        "can_infobase_headcount_sex/org_employee_gender.csv",
        "can_infobase_headcount",
    ),
    "canada": (f"{CANADA}/program_spending.csv", "can_infobase_spending"),
    "canada-estimates": (f"{CANADA}/org_vote_stat_estimates.csv", "can_infobase_estimates"),
    "india": (f"{INDIA}/Women_UB 2017-18 (Autosaved).xlsx", "ind_cbga_workbook"),
    "india-shares": (f"{INDIA}/Women_UB 2017-18 (Autosaved).xlsx", "ind_cbga_shares"),
    "india-women": (f"{INDIA}/women.csv", "ind_cbga_csv"),
    "india-children": (f"{INDIA}/children.csv", "ind_cbga_csv"),
    "india-disabilities": (f"{INDIA}/persons_with_disabilities.csv", "ind_cbga_csv"),
    "mexico": ("mex_cuenta_publica_2014/2014.xls", "mex_cuenta_publica_xls"),
    "mexico-text": ("mex_cuenta_publica_2014/2014.csv", "mex_cuenta_publica_csv"),
    "iati": (f"{IATI}/indicator_periods.csv", "iati_periods"),
    "iati-baselines": (f"{IATI}/indicators.csv", "iati_baselines"),
    "iati-budgets": (f"{IATI}/budgets.csv", "iati_budgets"),
    "cameroon": (
        "cmr_delegations_bip_2011/DELEGATIONS_AUTOMATIQUES_BIP2011.xls",
        "cmr_delegations",
    ),
    "carmen-2024-Q1": (f"{CARMEN}/pdf_69_{EXECUTION}-Marzo_10.pdf", "arg_carmen_ppg"),
    "carmen-2024-S1": (f"{CARMEN}/pdf_58_{EXECUTION}-Junio.pdf", "arg_carmen_ppg"),
    "carmen-2024": (f"{CARMEN}/{EXECUTION}-4to-Trimestre_26.pdf", "arg_carmen_ppg"),
    "carmen-2025-Q1": (f"{CARMEN}/{EXECUTION}-Marzo_11.pdf", "arg_carmen_ppg"),
    "carmen-2025-S1": (f"{CARMEN}/{EXECUTION}-Junio_6.pdf", "arg_carmen_ppg"),
}


class Total(NamedTuple):
    """A known figure: where, what, how much, and the rows whose values make it.

    ``printed`` says that it stands in the file as a total, beside the rows.
    """

    source: str
    what: str
    value: float
    how: Mapping[str, str]
    printed: bool = False


BILL_CP = {"BUDGET_STAGE": "BILL", "CREDIT_TYPE": "CP"}
BILL_AE = {"BUDGET_STAGE": "BILL", "CREDIT_TYPE": "AE"}
GENERAL = {"BUDGET_COMPONENT": "BG"}
BE_2017 = {"TIME_PERIOD": "2017-A1", "BUDGET_STAGE": "VOTED"}
VOTED = {"ECON_NATURE": "_T", "BUDGET_STAGE": "VOTED"}
PAID = {"ECON_NATURE": "_T", "BUDGET_STAGE": "PAID"}
DEPUTIES = {"MINISTRY": "Poder Legislativo – H. Cámara de Diputados"}
APPROVED, ACCRUED = {"BUDGET_STAGE": "VOTED"}, {"BUDGET_STAGE": "VERIFIED"}
OVERALL = {"PROGRAMME": "_T"}

TOTALS = [
    Total("france", "general budget, CP", 593_670_651_747, BILL_CP | GENERAL),
    Total("france", "general budget, AE", 618_306_450_885, BILL_AE | GENERAL),
    Total("france", "all budgets, CP", 822_723_844_439, BILL_CP),
    Total("france", "all budgets, AE", 847_259_295_628, BILL_AE),
    Total("france", "programme 137 (equality), CP", 85_116_767, BILL_CP | {"PROGRAMME": "137"}),
    Total("france", "programme 137 (equality), AE", 85_116_767, BILL_AE | {"PROGRAMME": "137"}),
    Total("france", "mission Enseignement scolaire, CP", 88_731_633_939,
          BILL_CP | {"COMMENT": "Enseignement scolaire"}),
    Total("france", "mission Remboursements et dégrèvements, CP", 147_140_795_835,
          BILL_CP | {"COMMENT": "Remboursements et dégrèvements"}),
    Total("france", "general budget, amounts to be received, CP", 6_152_390_667,
          GENERAL | {"BUDGET_STAGE": "SUPPORT_FUNDS", "CREDIT_TYPE": "CP"}),
    Total("canada-staff", "men, 2025", 155_361, {"TIME_PERIOD": "2025", "SEX": "M"}),
    Total("canada-staff", "women, 2025", 202_510, {"TIME_PERIOD": "2025", "SEX": "F"}),
    Total("canada-staff", "sex unknown, 2025", 70, {"TIME_PERIOD": "2025", "SEX": "_U"}),
    Total("canada-staff", "everybody, 2025", 357_957, {"TIME_PERIOD": "2025"}, printed=True),
    Total("canada-staff", "men, 2010", 126_723, {"TIME_PERIOD": "2010", "SEX": "M"}),
    Total("canada-staff", "women, 2010", 156_146, {"TIME_PERIOD": "2010", "SEX": "F"}),
    Total("canada-staff", "everybody, 2010", 282_971, {"TIME_PERIOD": "2010"}, printed=True),
    Total("canada", "spent in the last year", 474_431_419_394.65,
          {"TIME_PERIOD": "2024-A1", "BUDGET_STAGE": "PAID"}),
    Total("canada", "planned for the last year", 432_682_032_948.32,
          {"TIME_PERIOD": "2024-A1", "BUDGET_STAGE": "PROGRAMMED"}),
    Total("canada", "planned for the year to come", 485_869_804_556.99, {"TIME_PERIOD": "2026-A1"}),
    Total("canada-estimates", "main estimates 2021-22", 342_186_642_016,
          {"TIME_PERIOD": "2021-A1", "BUDGET_STAGE": "VOTED"}),
    Total("canada-estimates", "main estimates 2025-26", 486_891_515_146,
          {"TIME_PERIOD": "2025-A1", "BUDGET_STAGE": "VOTED"}),
    Total("india", "ministry of women 2017-18, BE", 22_094.7, BE_2017, printed=True),
    Total("india", "gender budget, part A 2017-18, BE", 30_390.8,
          BE_2017 | {"MINISTRY": "Gender Budget Statement"}),
    Total("india-shares", "part A as a share of the budget, 2017-18", 1.5,
          {"TIME_PERIOD": "2017-A1",
           "INDICATOR": "Part A of the Gender Budget Statement as a proportion of Union Budget"}),
    Total("india-women", "ministry of women 2017-18, BE", 22_094.7, BE_2017, printed=True),
    Total("india-children", "children 2017-18, BE", 71_305.3, BE_2017, printed=True),
    Total("india-disabilities", "two departments 2017-18, BE", 855 + 466, BE_2017, printed=True),
    Total("mexico", "Cámara de Diputados, approved", 6_795_524_255, VOTED | DEPUTIES, printed=True),
    Total("mexico", "Cámara de Diputados, its programmes", 6_795_524_255, VOTED | DEPUTIES),
    Total("mexico", "all ramos, approved", 3_334_258_785_230, VOTED, printed=True),
    Total("mexico", "all ramos, executed", 3_424_773_731_345.11, PAID, printed=True),
    Total("mexico", "all programmes, approved", 3_334_258_785_230, VOTED),
    Total("mexico", "P010 (equality) in three ramos, approved", 665_202_119,
          VOTED | {"PROGRAMME": "P010"}),
    Total("mexico-text", "all ramos, approved", 3_334_258_785_230, VOTED, printed=True),
    Total("mexico-text", "all ramos, executed", 3_424_773_731_345.11, PAID, printed=True),
    Total("mexico-text", "all programmes, approved", 3_334_258_785_230, VOTED),
    Total("iati", "sum of targets, but one unreadable", 1_749_560_120.21,
          {"VALUE_KIND": "TARGET"}),
    Total("iati", "sum of actuals, but one unreadable", 2_081_595_742.82,
          {"VALUE_KIND": "REALISED"}),
    Total("iati-budgets", "budgets, USD", 5_747_532_859.89, {"UNIT_MEASURE": "USD"}),
    Total("iati-budgets", "budgets of 2026, USD", 896_401_029, {"TIME_PERIOD": "2026"}),
    Total("cameroon", "credits, thousand FCFA", 42_717_219, {"UNIT_MEASURE": "XAF"}),
    Total("carmen-2024", "approved, lines", 723_540_607.64, APPROVED),
    Total("carmen-2024", "approved, printed", 723_540_607.64, APPROVED | OVERALL, printed=True),
    Total("carmen-2024", "accrued, lines", 870_930_216.51, ACCRUED),
    Total("carmen-2024", "accrued, printed", 870_930_216.51, ACCRUED | OVERALL, printed=True),
    Total("carmen-2025-S1", "approved, lines", 1_390_715_178.86, APPROVED),
    Total("carmen-2025-S1", "approved, printed", 1_390_715_178.86, APPROVED | OVERALL,
          printed=True),
    Total("carmen-2025-S1", "accrued, lines", 644_912_281.25, ACCRUED),
]  # fmt: skip


@pytest.fixture(scope="module")
def read(shared_dir: Path) -> Callable[[str], Dataset]:
    """Read a source once."""

    @lru_cache
    def of(source: str) -> Dataset:
        file, profile = SOURCES[source]
        chosen = None if profile is None else PROFILES / f"{profile}.yaml"
        return gbi.read(shared_dir / "data" / "real" / file, profile=chosen)

    return of


def where(frame: pd.DataFrame, how: Mapping[str, str]) -> pd.DataFrame:
    for column, code in how.items():
        frame = frame[frame[column] == code]
    return frame


def added(rows: pd.DataFrame) -> float:
    return math.fsum(rows["OBS_VALUE"].dropna())


def codes(data: Dataset) -> Counter[str]:
    return Counter(f.code for f in data.findings)


def of_code(data: Dataset, code: str) -> list[Finding]:
    return [f for f in data.findings if f.code == code]


@pytest.mark.parametrize("total", TOTALS, ids=lambda t: f"{t.source}: {t.what}")
def test_known_figures(read: Callable[[str], Dataset], total: Total) -> None:
    data = read(total.source)
    if total.printed:
        assert data.totals is not None
        data = data.totals
    rows = where(data.frame, total.how)
    assert len(rows)
    assert added(rows) == pytest.approx(total.value, rel=0, abs=0.005)


# What becomes of every file

NO_FIGURES = [
    *(f"{CANADA}/{name}.csv" for name in ("program_fr", "program_tags", "tags_to_programs")),
    *(f"{IATI}/{name}.csv" for name in ("activities", "results", "sectors")),
]


def test_every_file_is_read_or_said_to_hold_no_figures(shared_dir: Path) -> None:
    known = {*(file for file, _ in SOURCES.values()), *NO_FIGURES}
    root = shared_dir / "data" / "real"
    folders = {file.partition("/")[0] for file in known}
    there = {p.relative_to(root).as_posix() for f in folders for p in (root / f).iterdir()}
    assert known == there


@pytest.mark.parametrize("file", NO_FIGURES)
def test_code_tables_are_not_taken_for_data(shared_dir: Path, file: str) -> None:
    with pytest.raises(GbiError) as caught:
        gbi.read(shared_dir / "data" / "real" / file)
    assert caught.value.code == "GBI-E067"


# France


def test_rows_that_come_twice_are_told_and_kept(read: Callable[[str], Dataset]) -> None:
    data = read("france")
    assert codes(data) == {"GBI-F026": 17}
    assert len(data) == 4 * 2415
    assert (of_code(data, "GBI-F026")[0].a1, of_code(data, "GBI-F026")[0].found) == (
        "A1536",
        "A1492",
    )


def test_refunds_are_told_apart(read: Callable[[str], Dataset]) -> None:
    rows = where(read("france").frame, BILL_CP | GENERAL)
    assert added(rows[rows["COMMENT"] != "Remboursements et dégrèvements"]) == 446_529_855_912


def test_codes_stay_texts_and_levels_without_a_code_are_left_out(
    read: Callable[[str], Dataset],
) -> None:
    frame = read("france").frame
    assert {"06", "06 – 04"} <= set(frame["PROJECT"])
    assert {"137", "212"} <= set(frame["PROGRAMME"])
    assert set(frame["TIME_PERIOD"]) == {"2025"}


def test_a_finance_bill_is_known_by_its_headers(tmp_path: Path) -> None:
    record = {
        "type_mission": "BG", "mission": "Santé", "code_mission": "SA", "programme": 204,
        "libelle_programme": "Prévention", "action": "01", "libelle_action": "Pilotage",
        "sous_action": None, "libelle_sousaction": None, "categorie": 31, "code_titre": "3",
        "ae_plf": 12, "cp_plf": 11, "ae_prev_fdc_adp": 0, "cp_prev_fdc_adp": 1,
        "ministere": "Santé et accès aux soins",
    }  # fmt: skip
    path = tmp_path / "plf26-depenses-2026-selon-destination.json"
    path.write_text(json.dumps([record]), encoding="utf-8")
    data = gbi.read(path)
    assert not data.findings
    columns = ["TIME_PERIOD", "BUDGET_STAGE", "CREDIT_TYPE", "ECON_NATURE", "PROJECT", "OBS_VALUE"]
    assert data.frame[columns].to_numpy().tolist() == [
        ["2026", "BILL", "AE", "GOODS", "01", 12], ["2026", "BILL", "CP", "GOODS", "01", 11],
        ["2026", "SUPPORT_FUNDS", "AE", "GOODS", "01", 0],
        ["2026", "SUPPORT_FUNDS", "CP", "GOODS", "01", 1],
    ]  # fmt: skip


# Canada


def test_employees_too_few_to_be_shown_are_suppressed(read: Callable[[str], Dataset]) -> None:
    data = read("canada-staff")
    assert data.totals is not None
    assert (len(data), len(data.totals)) == (3223, 1476)
    for part, hidden in ((data, 142), (data.totals, 19)):
        missing = part.frame[part.frame["OBS_VALUE"].isna()]
        assert (len(missing), set(missing["OBS_STATUS"])) == (hidden, {"Q"})


def test_a_department_keeps_its_name_in_its_total(read: Callable[[str], Dataset]) -> None:
    data = read("canada-staff")
    assert data.totals is not None
    assert set(data.totals.frame["DEPARTMENT"]) == set(data.frame["DEPARTMENT"])
    assert not data.findings  # suppressed parts are no fault of the total


def test_a_total_of_employees_that_is_no_sum_is_found(shared_dir: Path, tmp_path: Path) -> None:
    file, profile = SOURCES["canada-staff"]
    head = (shared_dir / "data" / "real" / file).read_text(encoding="utf-8-sig").splitlines()[:4]
    assert head[3] == "2010,Agriculture and Agri-Food Canada Total,Total,6938"
    path = tmp_path / "staff.csv"
    path.write_text("\n".join([*head[:3], head[3].replace("6938", "6939")]), encoding="utf-8")
    (found,) = gbi.read(path, profile=PROFILES / f"{profile}.yaml").findings
    assert (found.code, found.a1, found.found, found.expected) == ("GBI-A030", "D4", 6939, 6938)


def test_the_share_of_women(read: Callable[[str], Dataset]) -> None:
    frame = where(read("canada-staff").frame, {"TIME_PERIOD": "2025"})
    women, men = (added(where(frame, {"SEX": sex})) for sex in "FM")
    assert round(100 * women / (women + men), 1) == 56.6


def test_programmes_tagged_for_women_are_counted_once(
    read: Callable[[str], Dataset], shared_dir: Path
) -> None:
    folder = shared_dir / "data" / "real" / CANADA
    tags = gbi.read(folder / "tags_to_programs.csv", table="survey").frame
    tagged = tags.loc[tags["tag_id"] == "TGT005", "program_id"]
    assert (len(tags), len(tagged), tagged.nunique()) == (5520, 25, 25)
    frame = read("canada").frame
    spent = where(frame, {"TIME_PERIOD": "2024-A1", "BUDGET_STAGE": "PAID"})
    program = spent["MINISTRY"] + "-" + spent["PROGRAMME"]
    assert set(tagged) <= set(program)
    assert added(spent[program.isin(tagged)]) == pytest.approx(8_576_799_535.07, abs=0.005)
    without = spent[program.isin(tagged) & spent["OBS_VALUE"].isna()]
    assert "BXRO4" in set(without["PROGRAMME"])  # written with the letter O: nothing was spent


@pytest.mark.parametrize(
    ("file", "rows"), [("program_fr", 1486), ("program_tags", 127), ("tags_to_programs", 5520)]
)
def test_line_breaks_inside_quotes_begin_no_row(shared_dir: Path, file: str, rows: int) -> None:
    path = shared_dir / "data" / "real" / CANADA / f"{file}.csv"
    assert len(gbi.read(path, table="survey")) == rows


# India


def test_shares_among_amounts_are_left_out_and_counted(read: Callable[[str], Dataset]) -> None:
    for source, dropped in (("india", 1), ("india-women", 1), ("india-children", 2)):
        data = read(source)
        assert f'"rows_filtered_out":"{dropped}"' in data.provenance.steps[0].parameters
        assert set(data.frame["UNIT_MULT"]) == {7}


def test_the_workbook_says_what_the_text_file_says(read: Callable[[str], Dataset]) -> None:
    columns = ["TIME_PERIOD", "BUDGET_STAGE", "OBS_VALUE"]
    sheet = where(read("india").frame, {"MINISTRY": "Women and Child Development"})
    text = read("india-women").frame
    assert len(sheet) == len(text) == 9 * 7
    pd.testing.assert_frame_equal(
        sheet[columns].reset_index(drop=True), text[columns].reset_index(drop=True)
    )


def test_an_amount_ten_times_too_large_stays_as_it_is_written(
    read: Callable[[str], Dataset],
) -> None:
    data = read("india-children")
    (row,) = data.frame.index[data.frame["OBS_VALUE"] == 159_741]
    assert (data.raw(row), data.origin(row).a1) == ("159741", "C8")
    assert data.totals is not None
    whole = where(data.totals.frame, {"TIME_PERIOD": "2012-A1"})
    assert data.frame["OBS_VALUE"][row] > added(whole)  # a part above its total
    core = where(read("india-women").frame, {"TIME_PERIOD": "2012-A1"})["OBS_VALUE"].max()
    assert core == 15_767.5


def test_validation_finds_the_amount_ten_times_too_large(read: Callable[[str], Dataset]) -> None:
    found = gbi.validate(read("india-children"), only=["A", "T"]).findings
    assert [(f.code, f.a1, f.found) for f in found] == [("GBI-A023", "C8", 159_741)]


def test_a_scheme_that_did_not_exist_has_no_amount(read: Callable[[str], Dataset]) -> None:
    frame = read("india").frame
    missing = frame[frame["OBS_VALUE"].isna()]
    assert set(missing["OBS_STATUS"]) == {"M"}
    assert Counter(missing["PROGRAMME"]) == {"BetiBachaoBetiPadhao #": 2, "Other Schemes**": 4}


# Mexico


def test_levels_by_position_are_those_of_the_text_file(read: Callable[[str], Dataset]) -> None:
    columns = ["MINISTRY", "PROGRAMME", "BUDGET_STAGE", "ECON_NATURE", "OBS_VALUE"]
    for part in ("frame", "totals"):
        sheet, text = (
            data.frame if part == "frame" else data.totals.frame  # type: ignore[union-attr]
            for data in (read("mexico"), read("mexico-text"))
        )
        assert len(sheet) == len(text)
        kept = [
            f[columns].assign(OBS_VALUE=f["OBS_VALUE"].fillna(-1).round(2)) for f in (sheet, text)
        ]
        one, other = (Counter(f.itertuples(index=False, name=None)) for f in kept)
        assert one == other


def test_programmes_under_another_ramo_break_its_total(read: Callable[[str], Dataset]) -> None:
    """The military programmes stand above their ramo's name, and so do the naval ones."""
    found = of_code(read("mexico"), "GBI-A030")
    assert len(found) == 4 * 3 * 4  # ramos, natures without an empty part, stages
    cells = {"P1253", "P1750", "P3080", "P3409"}
    assert {f.a1: f.difference for f in found if f.a1 in cells} == {
        "P1253": -55_569_050_926, "P1750": 55_569_050_926,
        "P3080": -22_494_629_642, "P3409": 22_494_629_642,
    }  # fmt: skip
    assert {f.key["MINISTRY"].rpartition(" – ")[2] for f in found} == {
        "Hacienda y Crédito Público", "Defensa Nacional", "Salud", "Marina",
    }  # fmt: skip


def test_programmes_for_women_are_found_by_their_names(read: Callable[[str], Dataset]) -> None:
    frame = where(read("mexico").frame, VOTED)
    women = frame[frame["PROGRAMME_LABEL"].str.contains("mujer|género", case=False, na=False)]
    assert {"P010", "E015", "S016"} <= set(women["PROGRAMME"])
    assert "Aprobado" not in set(frame["PROGRAMME_LABEL"])


def test_percentages_are_no_stage(read: Callable[[str], Dataset]) -> None:
    data = read("mexico")
    assert codes(data) == {"GBI-A030": 48, "GBI-F016": 3, "GBI-F022": 1}  # no row comes twice
    assert set(data.frame["BUDGET_STAGE"]) == {"VOTED", "RECTIFIED", "VERIFIED", "PAID"}
    assert data.totals is not None
    assert (len(data), len(data.totals)) == (4 * 3432, 4 * 176)


# IATI


def test_titles_and_units_come_from_the_tables_beside(read: Callable[[str], Dataset]) -> None:
    data = read("iati")
    assert {Path(s.name).name for s in data.provenance.sources} == {
        "indicator_periods.csv", "indicators.csv", "activities.csv",
    }  # fmt: skip
    targets = where(data.frame, {"VALUE_KIND": "TARGET"})
    assert Counter(targets["UNIT_MEASURE"]) == {"NUMBER": 5079, "PT": 228}
    mention = targets["INDICATOR"].str.contains("mujer|género", case=False)
    assert mention.sum() == 148


def test_a_number_without_its_decimals_is_told(read: Callable[[str], Dataset]) -> None:
    found = of_code(read("iati"), "GBI-T001")
    assert [(f.a1, f.found) for f in found] == [("F290", "527000000."), ("H290", "527000000.")]


def test_targets_that_were_reached(read: Callable[[str], Dataset]) -> None:
    frame = read("iati").frame
    key = ["PROGRAMME", "OBJECTIVE", "INDICATOR", "TIME_PERIOD"]
    target, actual = (
        where(frame, {"VALUE_KIND": kind}).set_index(key)["OBS_VALUE"]
        for kind in ("TARGET", "REALISED")
    )
    assert target.index.equals(actual.index)
    assert len(target) == 5307
    assert (actual >= target).sum() == 2069


def test_no_baseline_is_given(read: Callable[[str], Dataset]) -> None:
    frame = read("iati-baselines").frame
    assert len(frame) == 5307
    assert set(frame["OBS_STATUS"]) == {"O"}
    assert set(frame["VALUE_KIND"]) == {"BASELINE"}


# Cameroon


def test_credits_by_region_in_thousands(read: Callable[[str], Dataset]) -> None:
    data = read("cameroon")
    assert codes(data) == {"GBI-F022": 1}  # an old format
    assert Counter(data.frame["REF_AREA"]) == {"CM-NW": 498, "CM-AD": 396}
    assert set(data.frame["UNIT_MULT"]) == {3}
    lines = data.frame["BUDGET_LINE"]
    repeated = [f for f in gbi.validate(data).findings if f.code == "GBI-S004"]
    assert (data.frame["PROJECT"].isna().sum(), len(repeated)) == (70, 8)  # projects without number
    assert lines[~lines.str.fullmatch(r"\d{12,13}")].tolist() == ["255516122270E"]  # kept as it is


# Argentina


@pytest.mark.parametrize(
    ("source", "period", "lines", "weighted"),
    [("carmen-2024-Q1", "2024-Q1", 30, None), ("carmen-2024-S1", "2024-S1", 31, None),
     ("carmen-2024", "2024", 31, 535_305_754.88), ("carmen-2025-Q1", "2025-Q1", 16, None),
     ("carmen-2025-S1", "2025-S1", 16, 1_244_577_977.71)],
)  # fmt: skip
def test_lines_are_weighted_by_their_share(
    read: Callable[[str], Dataset], source: str, period: str, lines: int, weighted: float | None
) -> None:
    data = read(source)
    approved = where(data.frame, APPROVED)
    assert len(approved) == lines
    assert set(data.frame["TIME_PERIOD"]) == {period}
    assert codes(data) == {"GBI-F027": 1}  # every total is the sum of its lines
    share = pd.to_numeric(approved["COMMENT"]) / 100
    assert share.between(0.2, 1).all()  # each line has one
    if weighted is not None:
        assert math.fsum(approved["OBS_VALUE"] * share) == pytest.approx(weighted, abs=0.01)


def test_printed_totals_are_apart_from_the_lines(read: Callable[[str], Dataset]) -> None:
    data = read("carmen-2024")
    assert data.totals is not None
    assert Counter(where(data.totals.frame, APPROVED)["PROGRAMME"]) == {"SUBTOTAL": 12, "_T": 1}
    stages = where(data.totals.frame, OVERALL).set_index("BUDGET_STAGE")["OBS_VALUE"]
    assert stages["VOTED"] + stages["TRANSFERRED"] == pytest.approx(stages["RECTIFIED"], abs=0.02)


def test_a_name_on_two_lines_is_one(read: Callable[[str], Dataset]) -> None:
    (row,) = where(read("carmen-2024").frame, {"BUDGET_LINE": "24.53.01"} | ACCRUED).to_dict(
        "records"
    )
    assert row["BUDGET_LINE_LABEL"].endswith("Instituciones Educativas (PEED)")
    assert (row["COMMENT"], row["OBS_VALUE"]) == ("50", 2_644_813.22)


def test_a_cut_that_is_negative_is_read(read: Callable[[str], Dataset]) -> None:
    frame = where(read("carmen-2024").frame, {"BUDGET_LINE": "20.02.00"})
    assert added(where(frame, {"BUDGET_STAGE": "TRANSFERRED"})) == -69_022_685.21
