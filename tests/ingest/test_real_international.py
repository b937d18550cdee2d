"""Real files of the UN, the World Bank, the ILO, Eurostat, the OECD and statistical offices.

Each is read by a profile, its traps included, and the figures that it prints come out again: those
that the publishers quote, and sums that pandas takes from the raw file by another way.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

import gbi
from gbi.schemas.structure import MISSING_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable

    from gbi.dataset import Dataset

PROFILES = Path(__file__).parent / "profiles"

# Source → its file and the profile of one's own that reads it; None: a packaged profile knows it.
SOURCES: dict[str, tuple[str, str | None]] = {
    "hdr": ("undp_hdr2122_timeseries/HDR21-22_Composite_indices_complete_time_series.csv",
            "undp_hdr2122"),
    "gii": ("undp_gii_inputs/gii_historical.csv", "undp_gii_historical"),
    "seats": ("undp_gii_inputs/fem_parliament_seats.csv", "undp_parliament_seats"),
    "gdi": ("undp_gii_inputs/gender_development_index_obs.csv", "undp_gdi_observed"),
    "gii terms": ("undp_gii_inputs/gii_replication.csv", "undp_gii_replication"),
    "eige": ("eige_gei_2005_2012/gender-equality-index-2005-2010-2012.xlsx", "eige_gei"),
    "wb female": ("wb_labour_participation_wide/flfp_ilo_mod_est.csv", None),
    "wb male": ("wb_labour_participation_wide/mlfp_ilo_mod_est.csv", None),
    "wb mortality": ("wb_labour_participation_wide/mmr_wb.csv", None),
    "unsd": ("unsd_sdg5_2024/Goal5.xlsx", None),
    "ilo": ("ilo_informal_sex_csv/EMP_NIFL_SEX_RT_A-20240726T0000.csv", None),
    "pay gap": ("eurostat_paygap_csv/paygap.csv", "eurostat_paygap"),
    "demography": ("sdmx_estat_demography/demography-xs.xml", "sdmx_demography"),
    "poverty": ("unwomen_poverty_sex/unwomen_pardee_poverty.csv", "unwomen_poverty"),
    "laws": ("unwomen_poverty_sex/laws_marimekko.csv", "unwomen_laws"),
    "parliaments": ("unwomen_poverty_sex/parliament_participation_beeswarm.csv",
                    "unwomen_parliament"),
    "wage gap": ("oecd_gender_wage_gap/gender_wage_gap.csv", "oecd_wage_gap"),
    "carers": ("uk_ons_sdg/indicator_5-4-1.csv", "uk_ons_5_4_1"),
    "unemployment": ("uk_ons_sdg/indicator_8-5-2.csv", "uk_ons_8_5_2"),
    "low income": ("uk_ons_sdg/indicator_1-2-1.csv", "uk_ons_1_2_1"),
    "estonia": ("est_population_sex/estonia_county_population_RV022_06062020230127558.csv",
                "est_population"),
}  # fmt: skip


class Total(NamedTuple):
    """A figure that must come out: of which source, what it is, how much, and by which rows."""

    source: str
    what: str
    value: float
    how: dict[str, str]


PARTICIPATION = ("Labor force participation rate, {0} (% of {0} population ages 15-64) "
                 "(modeled ILO estimate)")  # fmt: skip
SEATS = "Number of seats held by women in national parliaments (number)"
ALL_SEATS = "Current number of seats in national parliaments (number)"
POOR = "Poverty headcount, $1.90 threshold"
GAP = "Gender pay gap in unadjusted form"
CARERS = "Proportion of population who are informal carers"
ADJUSTED = "Unemployment rate – Seasonally adjusted"
LOW_INCOME = "Proportion of population below the national poverty line"
EQUALITY = "GENDER EQUALITY INDEX"

# The sum of OBS_VALUE over the rows with these codes; most of them are one row.
TOTALS = [
    Total("hdr", "Morocco: HDI 2021 (HDR 2021-22)", 0.683,
          {"INDICATOR": "Human Development Index", "REF_AREA": "MA", "TIME_PERIOD": "2021",
           "SEX": "_T"}),
    Total("hdr", "Morocco: GDI 2021", 0.861,
          {"INDICATOR": "Gender Development Index", "REF_AREA": "MA", "TIME_PERIOD": "2021"}),
    Total("hdr", "Morocco: GII 2021", 0.425,
          {"INDICATOR": "Gender Inequality Index", "REF_AREA": "MA", "TIME_PERIOD": "2021"}),
    Total("hdr", "Morocco: women's life expectancy 2021", 76.3977,
          {"INDICATOR": "Life expectancy at birth", "REF_AREA": "MA", "TIME_PERIOD": "2021",
           "SEX": "F"}),
    Total("gii", "Morocco 2018", 0.492, {"REF_AREA": "MA", "TIME_PERIOD": "2018"}),
    Total("gii", "Côte d'Ivoire 2018: a name in Windows-1252", 0.657,
          {"REF_AREA": "CI", "TIME_PERIOD": "2018"}),
    Total("gii", "all countries and years", 684.878, {}),
    Total("seats", "Morocco 2018", 18.4, {"REF_AREA": "MA", "TIME_PERIOD": "2018"}),
    Total("seats", "figures for 1995 that are of 1997", 1670.0,
          {"COMMENT": "Data reported for 1997"}),
    Total("gdi", "Morocco 2017", 0.838, {"REF_AREA": "MA", "TIME_PERIOD": "2017"}),
    Total("gii terms", "Morocco 1995", 0.715898720,
          {"INDICATOR": "gii", "REF_AREA": "MA", "TIME_PERIOD": "1995"}),
    Total("eige", "European Union 2012", 52.9,
          {"INDICATOR": EQUALITY, "REF_AREA": "EU28", "TIME_PERIOD": "2012"}),
    Total("eige", "European Union 2010", 52.4,
          {"INDICATOR": EQUALITY, "REF_AREA": "EU28", "TIME_PERIOD": "2010"}),
    Total("eige", "European Union 2005", 51.3,
          {"INDICATOR": EQUALITY, "REF_AREA": "EU28", "TIME_PERIOD": "2005"}),
    Total("eige", "Women in full-time equivalent employment, EU 2012", 38.8,
          {"INDICATOR": "FTE employment", "REF_AREA": "EU28", "TIME_PERIOD": "2012", "SEX": "F"}),
    Total("wb female", "Morocco 2019", 23.09300041,
          {"INDICATOR": PARTICIPATION.format("female"), "REF_AREA": "MA", "TIME_PERIOD": "2019",
           "SEX": "F", "UNIT_MEASURE": "PT"}),
    Total("wb male", "Morocco 2019", 74.92199707,
          {"INDICATOR": PARTICIPATION.format("male"), "REF_AREA": "MA", "TIME_PERIOD": "2019",
           "SEX": "M", "UNIT_MEASURE": "PT"}),
    Total("wb mortality", "Morocco 2017", 70.0,
          {"REF_AREA": "MA", "TIME_PERIOD": "2017", "UNIT_MEASURE": "P100K_LB"}),
    Total("unsd", "Japan 2023: seats held by women", 46.0,
          {"INDICATOR": SEATS, "REF_AREA": "JP", "TIME_PERIOD": "2023", "SEX": "F"}),
    Total("unsd", "Japan 2023: all seats, Sex is BOTHSEX", 462.0,
          {"INDICATOR": ALL_SEATS, "REF_AREA": "JP", "TIME_PERIOD": "2023", "SEX": "_T"}),
    Total("unsd", "47 countries 2023: seats held by women", 2497.0,
          {"INDICATOR": SEATS, "TIME_PERIOD": "2023"}),
    Total("unsd", "47 countries 2023: all seats", 12340.0,
          {"INDICATOR": ALL_SEATS, "TIME_PERIOD": "2023"}),
    Total("ilo", "Sex: Total", 45315.161, {"SEX": "_T"}),
    Total("ilo", "Sex: Male", 44806.705, {"SEX": "M"}),
    Total("ilo", "Sex: Female", 45967.914, {"SEX": "F"}),
    Total("ilo", "Sex: Other, a fourth category", 537.485, {"SEX": "_O"}),
    Total("pay gap", "European Union of 27, 1994, estimated", 17.0,
          {"INDICATOR": GAP, "REF_AREA": "EU27_2007", "TIME_PERIOD": "1994", "OBS_STATUS": "E"}),
    Total("demography", "Live births, Belgium 2007", 124095.0,
          {"INDICATOR": "Live births", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "_T"}),
    Total("demography", "… boys", 63481.0,
          {"INDICATOR": "Live births", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "M"}),
    Total("demography", "… girls", 60614.0,
          {"INDICATOR": "Live births", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "F"}),
    Total("demography", "Deaths, Belgium 2007", 100658.0,
          {"INDICATOR": "Deaths", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "_T"}),
    Total("demography", "… men", 49804.0,
          {"INDICATOR": "Deaths", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "M"}),
    Total("demography", "… women", 50854.0,
          {"INDICATOR": "Deaths", "REF_AREA": "BE", "TIME_PERIOD": "2007", "SEX": "F"}),
    # the file's own row "World" says 388.1431 and 371.6937 (millions): 186 countries add up to it
    Total("poverty", "women below $1.90, 2022, millions, a forecast", 388.143139,
          {"INDICATOR": POOR, "TIME_PERIOD": "2022", "SEX": "F", "OBS_STATUS": "F"}),
    Total("poverty", "men below $1.90, 2022, millions", 371.693814,
          {"INDICATOR": POOR, "TIME_PERIOD": "2022", "SEX": "M", "UNIT_MULT": "6"}),
    Total("poverty", "poor women in Morocco, 2022, millions", 0.158806,
          {"INDICATOR": POOR, "TIME_PERIOD": "2022", "SEX": "F", "REF_AREA": "MA"}),
    Total("laws", "652 yes and 293 no (-1)", 359.0, {}),
    Total("parliaments", "Morocco 2021", 22.78481, {"REF_AREA": "MA", "TIME_PERIOD": "2021"}),
    Total("wage gap", "France 2018", 11.823802164,
          {"INDICATOR": "Gender wage gap – EMPLOYEE", "REF_AREA": "FR", "TIME_PERIOD": "2018"}),
    Total("wage gap", "all employees", 13813.672261, {"INDICATOR": "Gender wage gap – EMPLOYEE"}),
    Total("wage gap", "all self-employed", 13593.675856,
          {"INDICATOR": "Gender wage gap – SELFEMPLOYED"}),
    Total("carers", "everyone, 2004/05", 8.0,
          {"INDICATOR": CARERS, "TIME_PERIOD": "2004-A1", "SEX": "_T", "AGE": "_T",
           "REPORTING_YEAR_START_DAY": "--04-01"}),
    Total("carers", "women, 2021/22", 9.0,
          {"INDICATOR": CARERS, "TIME_PERIOD": "2021-A1", "SEX": "F", "AGE": "_T"}),
    Total("unemployment", "kingdom, 2019 Q4, seasonally adjusted", 3.8,
          {"INDICATOR": ADJUSTED, "REF_AREA": "GB", "TIME_PERIOD": "2019-Q4", "SEX": "_T",
           "AGE": "_T", "DISABILITY_STATUS": "_T"}),
    Total("unemployment", "women, East of England, 2000 Q1", 3.8,
          {"INDICATOR": ADJUSTED, "REF_AREA": "GB-E12000006", "TIME_PERIOD": "2000-Q1",
           "SEX": "F", "AGE": "_T"}),
    Total("low income", "2018", 18.9,
          {"INDICATOR": LOW_INCOME, "TIME_PERIOD": "2018", "SEX": "_T", "AGE": "_T"}),
    Total("estonia", "counties, 1990", 1570599.0, {"TIME_PERIOD": "1990"}),
    Total("estonia", "counties, 2017", 1315635.0, {"TIME_PERIOD": "2017"}),
]  # fmt: skip

# What reading has to say about each file; nothing about the others.
FINDINGS: dict[str, dict[str, int]] = {
    "gii": {"GBI-F020": 1},
    "seats": {"GBI-F020": 1},
}


@functools.cache
def dataset(folder: Path, source: str) -> Dataset:
    file, profile = SOURCES[source]
    own = None if profile is None else PROFILES / f"{profile}.yaml"
    return gbi.read(folder / "data" / "real" / file, profile=own)


def rows_of(data: Dataset, how: dict[str, str]) -> pd.DataFrame:
    frame = data.frame
    for column, code in how.items():
        frame = frame[frame[column].astype("str") == code]
    return frame


@pytest.mark.parametrize("total", TOTALS, ids=lambda t: f"{t.source}: {t.what}")
def test_a_known_figure_comes_out(shared_dir: Path, total: Total) -> None:
    rows = rows_of(dataset(shared_dir, total.source), total.how)
    assert len(rows), total.how
    assert rows["OBS_VALUE"].sum() == pytest.approx(total.value, rel=1e-8, abs=0)


@pytest.mark.parametrize("source", SOURCES)
def test_what_reading_says(shared_dir: Path, source: str) -> None:
    found = Counter(f.code for f in dataset(shared_dir, source).findings)
    assert dict(found) == FINDINGS.get(source, {})


# --- every number of a file arrives, and nothing else ---


def _long(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    return pd.concat([pd.to_numeric(frame[c], errors="coerce") for c in columns])


def _hdr(path: Path) -> pd.Series:
    raw = pd.read_csv(path, keep_default_na=False)
    ranks = {"hdi_rank_2021", "gdi_group_2021", "gii_rank_2021", "rankdiff_hdi_phdi_2021"}
    return _long(raw, [c for c in raw if c[-4:].isdigit() and c not in ranks])


def _undp_table(path: Path) -> pd.Series:
    raw = pd.read_csv(path, skiprows=1, encoding="cp1252", dtype="str")
    ranked = raw["HDI Rank (2018)"].fillna("").str.fullmatch(r"\d+|\.\.")
    return _long(raw[ranked], [c for c in raw if c.isdigit()])


def _terms(path: Path) -> pd.Series:
    raw = pd.read_csv(path, index_col=0)
    return _long(raw, [c for c in raw if c not in ("countrycode", "year", "scenario", "id")])


def _eige(path: Path) -> pd.Series:
    sheets = pd.read_excel(path, sheet_name=["2012", "2010", "2005"], engine="openpyxl")
    return pd.concat([_long(s, list(s.columns[1:])) for s in sheets.values()])


# Sums that the World Bank forms of countries; the Channel Islands are two territories.
_NO_COUNTRIES = """
ARB CEB CHI CSS EAP EAR EAS ECA ECS EMU EUU FCS HIC HPC IBD IBT IDA IDB IDX INX LAC LCN LDC LIC LMC
LMY LTE MEA MIC MNA NAC OED OSS PRE PSS PST SAS SSA SSF SST TEA TEC TLA TMN TSA TSS UMC WLD
"""


def _world_bank(path: Path) -> pd.Series:
    raw = pd.read_csv(path, skiprows=4, keep_default_na=False)
    raw = raw[~raw["Country Code"].isin(_NO_COUNTRIES.split())]
    return _long(raw, [c for c in raw if c.isdigit()])


def _unsd(path: Path) -> pd.Series:
    raw = pd.read_excel(path, engine="openpyxl", dtype="str", keep_default_na=False)
    group = raw["GeoAreaName"].str.contains("Asia")
    return _long(raw[~group], ["Value"])


def _sdmx(path: Path) -> pd.Series:
    observations = re.findall("<Obs [^>]*>", path.read_text(encoding="utf-8"))
    values = [re.search('OBS_VALUE="(.+?)"', o) for o in observations]
    return pd.Series([float(v[1]) if v else np.nan for v in values])


def _column(name: str, keep: Callable[[pd.DataFrame], pd.Series] | None = None) -> Callable:
    def read(path: Path) -> pd.Series:
        raw = pd.read_csv(path, keep_default_na=False, encoding="utf-8-sig")
        return _long(raw if keep is None else raw[keep(raw)], [name])

    return read


RAW: dict[str, Callable[[Path], pd.Series]] = {
    "hdr": _hdr, "gii": _undp_table, "seats": _undp_table, "gdi": _column("gdi"),
    "gii terms": _terms, "eige": _eige, "wb female": _world_bank, "wb male": _world_bank,
    "wb mortality": _world_bank, "demography": _sdmx, "unsd": _unsd, "ilo": _column("obs_value"),
    "pay gap": _column("Value", lambda raw: ~raw["GEO"].str.startswith("Euro area")),
    "poverty": _column("value", lambda raw: raw["iso_code"] != ""),
    "laws": _column("value"), "parliaments": _column("value"), "wage gap": _column("Value"),
    "carers": _column("Value"), "unemployment": _column("Value"), "low income": _column("Value"),
    "estonia": _column("Value", lambda raw: ~raw["County"].str.match(r"\.\.|Whole")),
}  # fmt: skip


@pytest.mark.parametrize("source", RAW)
def test_all_numbers_and_all_gaps_are_there(shared_dir: Path, source: str) -> None:
    """As pandas reads them: as many numbers, the same ones, and as many places without."""
    raw = RAW[source](shared_dir / "data" / "real" / SOURCES[source][0]).to_numpy()
    read = dataset(shared_dir, source).frame["OBS_VALUE"].to_numpy()
    assert len(read) == len(raw)
    assert np.array_equal(np.sort(read), np.sort(raw), equal_nan=True)


# --- indices computed again from their parts ---


def test_the_gender_inequality_index_follows_from_its_terms(shared_dir: Path) -> None:
    """1 - harm / gfm, but where the source puts 0.01 for less: 2,878 and 161 of 3,039 rows."""
    frame = dataset(shared_dir, "gii terms").frame
    wide = frame[frame["SEX"] == "_T"].pivot_table(
        index=["REF_AREA", "TIME_PERIOD"], columns="INDICATOR", values="OBS_VALUE"
    )
    computed = 1 - wide["harm"] / wide["gfm"]
    exact = np.isclose(computed, wide["gii"], rtol=0, atol=1e-14)
    assert (len(wide), exact.sum(), (wide.loc[~exact, "gii"] == 0.01).sum()) == (3039, 2878, 161)


def test_the_gender_equality_index_follows_from_its_domains(shared_dir: Path) -> None:
    """A weighted geometric mean of six domains; both are printed with one decimal."""
    weights = {"WORK": 0.19, "MONEY": 0.15, "KNOWLEDGE": 0.22, "TIME": 0.15, "POWER": 0.19,
               "HEALTH": 0.10}  # fmt: skip
    frame = dataset(shared_dir, "eige").frame
    wide = frame.pivot_table(
        index=["REF_AREA", "TIME_PERIOD"], columns="INDICATOR", values="OBS_VALUE"
    )
    computed = np.exp(sum(w * np.log(wide[d]) for d, w in weights.items()))
    assert len(wide) == 3 * 29
    assert (computed - wide[EQUALITY]).abs().max() < 0.24


def test_women_and_men_of_one_indicator_stand_side_by_side(shared_dir: Path) -> None:
    """The World Bank has an indicator for each sex; a profile over the packaged one joins them."""
    own = PROFILES / "wb_labour_participation.yaml"
    folder = shared_dir / "data" / "real" / "wb_labour_participation_wide"
    names = ("flfp_ilo_mod_est.csv", "mlfp_ilo_mod_est.csv")
    submission = gbi.read_submission([folder / name for name in names], profile=own)
    frame = submission.datasets["statistics"].frame
    morocco = frame[(frame["REF_AREA"] == "MA") & (frame["TIME_PERIOD"] == "2019")]
    assert morocco["INDICATOR"].unique().tolist() == ["Labor force participation rate"]
    rates = morocco.set_index("SEX")["OBS_VALUE"]
    assert rates["M"] - rates["F"] == pytest.approx(51.829, abs=5e-4)
    assert rates["F"] / rates["M"] == pytest.approx(0.308, abs=5e-4)


# --- traps ---


def _steps(data: Dataset) -> dict[str, str]:
    (step,) = (s for s in data.provenance.steps if s.function == "read")
    return dict(json.loads(step.parameters))


@pytest.mark.parametrize(
    ("source", "rows"),
    [("wb female", 48), ("unsd", 652), ("gii", 17), ("pay gap", 52), ("poverty", 2016),
     ("estonia", 44)],
)  # fmt: skip
def test_groups_of_countries_are_left_out_and_counted(
    shared_dir: Path, source: str, rows: int
) -> None:
    assert _steps(dataset(shared_dir, source))["rows_filtered_out"] == str(rows)


def test_footnotes_behind_a_year_become_comments(shared_dir: Path) -> None:
    """An unnamed column behind each year: " b" says that the figure for 1995 is one for 1997."""
    rows = rows_of(dataset(shared_dir, "seats"), {"REF_AREA": "MA"}).set_index("TIME_PERIOD")
    assert rows.loc["1995", "COMMENT"] == "Data reported for 1997"
    assert rows["COMMENT"].notna().sum() == 1
    assert dataset(shared_dir, "seats").frame["COMMENT"].notna().sum() == 171


def test_a_file_in_windows_1252_says_so(shared_dir: Path) -> None:
    data = dataset(shared_dir, "gii")
    assert _steps(data)["encoding"] == "cp1252"
    assert [f.found for f in data.findings] == ["cp1252"]


STATUSES = {
    "gii": {"A": 1780, "O": 488},
    "ilo": {"A": 3169, "B": 369, "U": 21},
    "pay gap": {"A": 300, "O": 65, "E": 38, "B": 13, "P": 13},
    "demography": {"A": 31, "P": 23, "M": 6},
    "wage gap": {"A": 1209, "B": 2},
    "carers": {"A": 755, "O": 64 + 15 + 138},
    "unemployment": {"A": 9200, "Q": 61},
    "unsd": {"A": 3887, "O": 22, "U": 16},
}


@pytest.mark.parametrize("source", STATUSES)
def test_flags_and_marks_become_statuses(shared_dir: Path, source: str) -> None:
    """``..``, ``:``, empty, "Break in series", "Missing value; suppressed": each has its code."""
    data = dataset(shared_dir, source).frame
    assert data["OBS_STATUS"].value_counts().to_dict() == STATUSES[source]
    gaps = set(data.loc[data["OBS_VALUE"].isna(), "OBS_STATUS"])
    assert gaps <= {"O", "Q", "M", "U"}


@pytest.mark.parametrize(
    ("source", "status", "rows"), [("carers", "O", 64), ("demography", "M", 1)]
)
def test_a_value_under_a_status_of_missing_stays_with_it(
    shared_dir: Path, source: str, status: str, rows: int
) -> None:
    """The sources contradict themselves: nothing is repaired, the table's structure forbids it."""
    data = dataset(shared_dir, source).frame
    both = data["OBS_VALUE"].notna() & (data["OBS_STATUS"] == status)
    assert both.sum() == rows
    assert status in MISSING_ONLY


def test_an_empty_cell_stands_for_all(shared_dir: Path) -> None:
    for source in ("carers", "unemployment", "low income", "unsd"):
        assert dataset(shared_dir, source).frame["SEX"].notna().all()
    sexes = dataset(shared_dir, "low income").frame["SEX"].value_counts().to_dict()
    assert sexes == {"_T": 98, "F": 98, "M": 98}


def test_two_series_of_one_file_stay_apart(shared_dir: Path) -> None:
    frame = dataset(shared_dir, "unemployment").frame
    assert frame["INDICATOR"].str.contains("Seasonally adjusted", regex=False).sum() == 6417
    key = ["INDICATOR", "REF_AREA", "SEX", "AGE", "DISABILITY_STATUS", "TIME_PERIOD"]
    assert not frame.duplicated(key).any()


def test_counties_add_up_to_the_whole_country(shared_dir: Path) -> None:
    """The file's own total is kept apart, 28 years, none of them a finding."""
    data = dataset(shared_dir, "estonia")
    assert data.totals is not None
    whole = data.totals.frame.set_index("TIME_PERIOD")["OBS_VALUE"]
    assert whole["1990"] == 1570599
    pd.testing.assert_series_equal(
        data.frame.groupby("TIME_PERIOD")["OBS_VALUE"].sum(), whole.sort_index()
    )


def test_a_county_that_is_wrong_is_found(shared_dir: Path, tmp_path: Path) -> None:
    file, profile = SOURCES["estonia"]
    raw = (shared_dir / "data" / "real" / file).read_text(encoding="utf-8-sig")
    first = '"37","Harju county","K","Males and females","999","Age groups total","1990","1990",'
    assert first + "607158" in raw
    path = tmp_path / "estonia.csv"
    path.write_text(raw.replace(first + "607158", first + "607159"), encoding="utf-8")
    (found,) = gbi.read(path, profile=PROFILES / f"{profile}.yaml").findings
    assert (found.code, found.found, found.expected) == ("GBI-A030", 1570599, 1570600)


@pytest.mark.parametrize(
    ("file", "got"),
    [("eurostat_paygap_csv/paygap.xml", "962 / 481"),
     ("sdmx_estat_demography/demography-structure.xml", "Structure")],
)  # fmt: skip
def test_xml_that_is_no_data_message_is_refused(shared_dir: Path, file: str, got: str) -> None:
    """A message with two positions for each value, and a structure without any data."""
    with pytest.raises(gbi.GbiError) as refused:
        gbi.read(shared_dir / "data" / "real" / file)
    assert refused.value.code == "GBI-E066"
    assert got in str(refused.value)
