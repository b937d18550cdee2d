"""Real files of beneficiaries, payments and single persons: read by a profile, or refused with a way.

The figures are those that the publishers state, or sums taken from the raw file by pandas.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

import gbi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.dataset import Dataset

PROFILES = Path(__file__).parent / "profiles"

SOURCES = {
    "graduates": ("tun_diplomes_2022/fact_diplomes.xls", "tun_diplomes"),
    "housing": ("mex_sniiv_subsidios/demandaSubsidios.json", "mex_sniiv"),
    "treasury": ("fdp_albania_treasury/data/treasury.csv", "fdp_albania"),
    "expenses": ("fdp_australia_budget/201505181230budget1516.csv", "fdp_australia"),
    "call-backs": ("qss_programme_evaluation/resume.csv", "qss_resume"),
    "councils": ("qss_programme_evaluation/women.csv", "qss_women"),
    "precincts": ("qss_programme_evaluation/progresa.csv", "qss_progresa"),
}


class Total(NamedTuple):
    """A figure that must come out: of which source, what it is, how much, and by which rows."""

    source: str
    what: str
    value: float
    how: dict[str, str]


# The sum of OBS_VALUE over the rows with these codes.
TOTALS = [
    Total("graduates", "all, the column of totals", 55670, {"SEX": "_T"}),
    Total("graduates", "women", 38948, {"SEX": "F"}),
    Total("graduates", "men", 16722, {"SEX": "M"}),
    Total("housing", "actions for men", 26407, {"INDICATOR": "Acciones", "SEX": "M"}),
    Total("housing", "actions for women", 53267, {"INDICATOR": "Acciones", "SEX": "F"}),
    Total("housing", "actions", 79674, {"INDICATOR": "Acciones"}),
    Total("housing", "pesos for men", 1632195944, {"INDICATOR": "Monto", "SEX": "M"}),
    Total("housing", "pesos for women", 2970262780, {"INDICATOR": "Monto", "SEX": "F"}),
    Total("housing", "pesos", 4602458724, {"INDICATOR": "Monto"}),
    Total("treasury", "paid in December 2014, lek", 33299653, {"TIME_PERIOD": "2014"}),
    Total("expenses", "2014-15, thousands of dollars", 450521878.687746,
          {"TIME_PERIOD": "2014-A1", "UNIT_MULT": "3"}),
    Total("expenses", "2015-16", 451289929.780131, {"TIME_PERIOD": "2015-A1"}),
    Total("expenses", "2018-19", 511524122.373805, {"TIME_PERIOD": "2018-A1"}),
]  # fmt: skip


@functools.cache
def dataset(folder: Path, source: str) -> Dataset:
    file, profile = SOURCES[source]
    return gbi.read(folder / "data" / "real" / file, profile=PROFILES / f"{profile}.yaml")


def rows_of(data: Dataset, how: dict[str, str]) -> pd.DataFrame:
    frame = data.frame
    for column, code in how.items():
        frame = frame[frame[column].astype("str") == code]
    return frame


@pytest.mark.parametrize("total", TOTALS, ids=lambda t: f"{t.source}: {t.what}")
def test_a_known_figure_comes_out(shared_dir: Path, total: Total) -> None:
    rows = rows_of(dataset(shared_dir, total.source), total.how)
    assert rows["OBS_VALUE"].sum() == pytest.approx(total.value, rel=1e-12, abs=0)


# --- a star schema: facts with codes, four tables beside them ---


def test_the_total_of_each_row_is_men_and_women(shared_dir: Path) -> None:
    frame = dataset(shared_dir, "graduates").frame
    men, women, both = (
        frame.loc[frame["SEX"] == sex, "OBS_VALUE"].to_numpy() for sex in ("M", "F", "_T")
    )
    assert len(both) == 2083
    assert np.array_equal(men + women, both)


def test_codes_are_looked_up_in_the_files_beside(shared_dir: Path) -> None:
    """Numbers there, texts here: "3" is 3. Labels are French or Arabic, as the profile takes them."""
    data = dataset(shared_dir, "graduates")
    row = data.frame.iloc[0]
    assert row["PROGRAMME"] == "DIRECTION GENERALE DES ETUDES TECHNOLOGIQUES"
    assert row["PROJECT"] == "المعهد العالي للدراسات التكنولوجية بالشرقية"
    assert row["SERVICE"] == "Diplôme National en Licence"
    assert row["SUB_INDICATOR"] == "أعمال تجارية وإدارة – إدارة الأعمال – تصرف"
    tables = {"uni_code.xls", "etablissment_code.xls", "domaines_code.xls", "diplomes_code.xls"}
    assert {source.name for source in data.provenance.sources} == {"fact_diplomes.xls", *tables}


def test_a_missing_code_is_a_finding(shared_dir: Path) -> None:
    """40 rows without an establishment, 9 without a diploma, 2 without a field: each at its cell."""
    findings = [f for f in dataset(shared_dir, "graduates").findings if f.code == "GBI-C001"]
    fields = Counter(f.field for f in findings)
    assert fields == {"etablissement_code": 40, "diplome_code": 9, "domain_code": 2}
    assert {f.found for f in findings} == {None}
    frame = dataset(shared_dir, "graduates").frame
    assert frame.loc[frame["PROJECT"].isna(), "SEX"].value_counts().to_dict() == dict.fromkeys(
        ("M", "F", "_T"), 40
    )


def test_most_graduates_are_women_in_every_university_but_two(shared_dir: Path) -> None:
    """The rate of feminisation that the tables are joined for, against pandas' own join."""
    folder = shared_dir / "data" / "real" / "tun_diplomes_2022"
    facts = pd.read_excel(folder / "fact_diplomes.xls")
    names = pd.read_excel(folder / "uni_code.xls").set_index("code")["university_fr"]
    sums = facts.groupby(facts["universite_code"].map(names).str.strip())[
        ["diplomes_F", "diplomes_total"]
    ].sum()
    frame = dataset(shared_dir, "graduates").frame
    wide = frame.pivot_table(index="PROGRAMME", columns="SEX", values="OBS_VALUE", aggfunc="sum")
    expected = (sums["diplomes_F"] / sums["diplomes_total"]).to_dict()
    assert (wide["F"] / wide["_T"]).to_dict() == pytest.approx(expected)


def test_a_whole_folder_reads_its_facts_with_the_tables(shared_dir: Path, tmp_path: Path) -> None:
    """Code tables aren't data of their own: used by the facts, they are companions."""
    folder = tmp_path / "tunisia"
    shutil.copytree(shared_dir / "data" / "real" / "tun_diplomes_2022", folder)
    own = gbi.ingest.profile.load_profile(PROFILES / "tun_diplomes.yaml")
    submission = gbi.read_submission(folder, profile=[own])
    status = {f.name: f.status for f in submission.files}
    assert status.pop("fact_diplomes.xls") == "read"
    assert set(status.values()) == {"ignored"}


# --- beneficiaries as records ---


def test_women_have_the_larger_part_of_the_housing_subsidies(shared_dir: Path) -> None:
    frame = rows_of(dataset(shared_dir, "housing"), {"INDICATOR": "Monto"})
    amounts = frame.groupby("SEX")["OBS_VALUE"].sum()
    assert round(100 * amounts["F"] / amounts.sum(), 1) == 64.5


def test_a_year_that_is_none_is_a_finding_in_each_record(shared_dir: Path) -> None:
    findings = dataset(shared_dir, "housing").findings
    assert len(findings) == 322
    assert {(f.code, f.field, f.found) for f in findings} == {("GBI-C001", "TIME_PERIOD", "0")}


def test_the_same_records_inside_a_program_are_refused(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / "mex_sniiv_subsidios" / "demandaSubsidios.tsx"
    assert "xlsx" in _refusal(path, "GBI-E066")


# --- payments and budgets ---


def test_each_payment_keeps_its_receipt(shared_dir: Path) -> None:
    frame = dataset(shared_dir, "treasury").frame
    assert len(frame) == frame["BUDGET_LINE"].nunique() == 40
    assert frame["BUDGET_LINE"].iloc[0] == "42710050012014"
    assert frame["COMMENT"].str.startswith("Min.Bujqesise").any()


def test_expenses_of_financial_years(shared_dir: Path) -> None:
    """"nfp" is not for publication, a dash is nil, a negative amount stays negative."""
    path = shared_dir / "data" / "real" / SOURCES["expenses"][0]
    years = ["2014-15", "2015-16", "2016-17", "2017-18", "2018-19"]
    raw = pd.read_csv(path, dtype="str", keep_default_na=False)[years].map(str.strip)
    cells = raw.to_numpy().ravel()
    numbers = pd.to_numeric(pd.Series(cells).str.replace(",", ""), errors="coerce")
    frame = dataset(shared_dir, "expenses").frame
    status = frame["OBS_STATUS"].value_counts().to_dict()
    assert status["Q"] == (cells == "nfp").sum()
    assert status["O"] == (cells == "").sum()
    assert (frame["OBS_VALUE"] < 0).sum() == (numbers < 0).sum() > 0
    assert frame["OBS_VALUE"].sum() == pytest.approx(numbers.sum(), rel=1e-12)
    assert frame["BUDGET_LINE"].str.len().max() > 500
    assert not dataset(shared_dir, "expenses").findings


# --- single persons ---


def test_call_backs_by_sex_and_race(shared_dir: Path) -> None:
    """Bertrand and Mullainathan's figures, as Imai's book gives them."""
    data = dataset(shared_dir, "call-backs")
    assert (data.table, len(data), data.roles["sex"]) == ("survey", 4870, "sex")
    rates = data.frame.groupby(["race", "sex"])["call"].mean().round(4).to_dict()
    assert rates == {
        ("black", "female"): 0.0663, ("black", "male"): 0.0583,
        ("white", "female"): 0.0989, ("white", "male"): 0.0887,
    }  # fmt: skip


def test_reserved_councils_build_more_drinking_water(shared_dir: Path) -> None:
    """Chattopadhyay and Duflo's difference in means."""
    frame = dataset(shared_dir, "councils").frame
    means = frame.groupby("reserved")[["water", "irrigation"]].mean()
    assert means.loc[1, "water"] - means.loc[0, "water"] == pytest.approx(9.2524, abs=5e-5)
    gap = means.loc[1, "irrigation"] - means.loc[0, "irrigation"]
    assert gap == pytest.approx(-0.369, abs=5e-4)


def test_what_r_writes_for_a_missing_value_is_one(shared_dir: Path) -> None:
    raw = pd.read_csv(shared_dir / "data" / "real" / SOURCES["precincts"][0])
    frame = dataset(shared_dir, "precincts").frame
    pd.testing.assert_frame_equal(frame, raw.astype("float64"))


# --- formats that no adapter opens ---


def _refusal(path: Path, code: str) -> str:
    with pytest.raises(gbi.GbiError) as refused:
        gbi.read(path)
    assert (refused.value.code, refused.value.exit_code) == (code, 3)
    return str(refused.value)


R_FILES = [
    "ses_eusilc_synthetic/eusilc.RData",
    "ses_eusilc_synthetic/ses.RData",
    "mex_enigh_2016/mex_inc_2016.rda",
    "mex_enigh_2016/mex_inc_2008.rda",
    "who_healthequal_samples/IndividualSample.rda",
    "who_healthequal_samples/OrderedSample.rda",
    "who_healthequal_samples/OrderedSampleMultipleind.rda",
    "who_healthequal_samples/NonorderedSample.rda",
    "who_healthequal_samples/NonorderedSampleMultipleind.rda",
    "blinder_oaxaca_chicago/chicago.rda",
]


@pytest.mark.parametrize("file", R_FILES)
def test_files_of_r_are_refused_with_a_way_out(shared_dir: Path, file: str) -> None:
    said = _refusal(shared_dir / "data" / "real" / file, "GBI-E066")
    assert Path(file).suffix in said
    assert "Enregistrer les données au format .xlsx ou CSV UTF-8" in said


@pytest.mark.parametrize(
    ("lang", "way"), [("en", "Save the data as .xlsx or UTF-8 CSV"), ("ar", ".xlsx")]
)
def test_the_way_out_is_said_in_each_language(
    shared_dir: Path, monkeypatch: pytest.MonkeyPatch, lang: str, way: str
) -> None:
    monkeypatch.setenv("GBI_LANG", lang)
    assert way in _refusal(shared_dir / "data" / "real" / R_FILES[-1], "GBI-E066")
