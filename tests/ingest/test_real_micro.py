"""Real files of beneficiaries, payments and single persons: read by a profile, or refused.

The figures are those that the publishers state, or sums taken from the raw file by pandas.
"""

from __future__ import annotations

import functools
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

import gbi

if TYPE_CHECKING:
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
    """Numbers there, texts here: "3" is 3. The profile takes French labels or Arabic ones."""
    data = dataset(shared_dir, "graduates")
    row = data.frame.iloc[0]
    assert row["PROGRAMME"] == "DIRECTION GENERALE DES ETUDES TECHNOLOGIQUES"
    assert row["PROJECT"] == "المعهد العالي للدراسات التكنولوجية بالشرقية"
    assert row["SERVICE"] == "Diplôme National en Licence"
    assert row["SUB_INDICATOR"] == "أعمال تجارية وإدارة – إدارة الأعمال – تصرف"
    tables = {"uni_code.xls", "etablissment_code.xls", "domaines_code.xls", "diplomes_code.xls"}
    assert {source.name for source in data.provenance.sources} == {"fact_diplomes.xls", *tables}


def test_a_missing_code_is_a_finding(shared_dir: Path) -> None:
    """40 rows without an establishment, 9 without a diploma, 2 without a field of study."""
    findings = [f for f in dataset(shared_dir, "graduates").findings if f.code == "GBI-C001"]
    fields = Counter(f.field for f in findings)
    assert fields == {"etablissement_code": 40, "diplome_code": 9, "domain_code": 2}
    assert {f.found for f in findings} == {None}
    frame = dataset(shared_dir, "graduates").frame
    assert frame.loc[frame["PROJECT"].isna(), "SEX"].value_counts().to_dict() == dict.fromkeys(
        ("M", "F", "_T"), 40
    )


def test_the_part_of_women_by_university(shared_dir: Path) -> None:
    """What the tables are joined for, against pandas' own join of them."""
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


def test_the_data_package_gives_the_same_payments(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / "fdp_albania_treasury" / "datapackage.json"
    package = gbi.read(path, profile=PROFILES / "fdp_albania_package.yaml")
    pd.testing.assert_frame_equal(package.frame, dataset(shared_dir, "treasury").frame)
    assert not package.findings


def test_a_data_package_that_describes_another_file_is_refused(shared_dir: Path) -> None:
    """It names data/….csv, which isn't there: the file lies beside it."""
    path = shared_dir / "data" / "real" / "fdp_australia_budget" / "datapackage.json"
    assert "data/201505181230budget1516.csv" in _refusal(path, "GBI-E061")


def _cells(shared_dir: Path) -> pd.Series:
    """Return the file's cells of the five years, row by row, without spaces around them."""
    path = shared_dir / "data" / "real" / SOURCES["expenses"][0]
    raw = pd.read_csv(path, dtype="str", keep_default_na=False).loc[:, "2014-15":"2018-19"]
    return pd.Series(raw.to_numpy().ravel()).str.strip()


def test_expenses_of_financial_years(shared_dir: Path) -> None:
    """ "nfp" is not for publication, a dash is nil, a negative amount stays negative."""
    cells, frame = _cells(shared_dir), dataset(shared_dir, "expenses").frame
    known = pd.to_numeric(cells.replace("-", "0").str.replace(",", ""), errors="coerce")
    assert np.array_equal(frame["OBS_VALUE"], known, equal_nan=True)
    assert (frame["OBS_VALUE"] < 0).sum() > 50
    expected = cells.map({"nfp": "Q", "": "O"}).fillna("A")
    assert frame["OBS_STATUS"].tolist() == expected.tolist()
    assert frame["COMMENT"].str.len().max() == 363


def test_a_number_with_two_readings_is_read_only_where_the_profile_says_how(
    shared_dir: Path, tmp_path: Path
) -> None:
    """Seven amounts are written 85,817 among plain ones; the profile names the comma."""
    cells = _cells(shared_dir)
    assert dataset(shared_dir, "expenses").findings == ()
    own = tmp_path / "undeclared.yaml"
    base = (PROFILES / "fdp_australia.yaml").as_posix()
    text = Path(base).read_text(encoding="utf-8")
    assert 'thousands: [","]' in text
    own.write_text(text.replace('thousands: [","]', "thousands: []"), encoding="utf-8")
    found = gbi.read(shared_dir / "data" / "real" / SOURCES["expenses"][0], profile=own).findings
    assert {f.code for f in found} == {"GBI-T004"}
    assert [f.found for f in found] == cells[cells.str.contains(",")].tolist()
    assert sum(int(str(f.expected).split(" / ")[0]) for f in found) == 342790


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


def test_microdata_are_numbers_where_the_profile_says_what_is_missing(shared_dir: Path) -> None:
    """R writes NA for what is missing; no value is recoded otherwise."""
    raw = pd.read_csv(shared_dir / "data" / "real" / SOURCES["precincts"][0])
    assert raw.isna().sum().sum() > 0
    frame = dataset(shared_dir, "precincts").frame
    pd.testing.assert_frame_equal(frame, raw.astype("float64"))


def test_microdata_keep_what_no_profile_declares(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / SOURCES["precincts"][0]
    raw, frame = pd.read_csv(path), gbi.read(path, table="survey").frame
    texts = [c for c in frame if frame[c].dtype == "str"]
    assert texts == [c for c in raw if raw[c].isna().any()]
    assert (frame[texts] == "NA").sum().sum() == raw.isna().sum().sum()


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
    ("lang", "way"), [("en", "Save the data as .xlsx or CSV UTF-8"), ("ar", ".xlsx")]
)
def test_the_way_out_is_said_in_each_language(
    shared_dir: Path, monkeypatch: pytest.MonkeyPatch, lang: str, way: str
) -> None:
    monkeypatch.setenv("GBI_LANG", lang)
    assert way in _refusal(shared_dir / "data" / "real" / R_FILES[-1], "GBI-E066")
