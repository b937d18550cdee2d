"""Every real file without a word about it: which packaged profile claims it, or why none does.

A wrong claim is worse than none: a layout that looks alike would be read into wrong columns.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import gbi
from gbi.ingest.profile import profiles

UNKNOWN = "GBI-E067"  # a table, but none that a packaged profile knows
NO_TABLE = "GBI-E066"  # a format that isn't read, or a document without a table
DAMAGED = "GBI-E061"

# File pattern → the profile that claims it, or the error. Each file follows exactly one.
OUTCOMES = {
    "morocco/README.md": NO_TABLE,
    "morocco/catalogue_indicateurs_plf2025.csv": "maroc-catalogue",
    "morocco/chaines_resultats_plf2025.xlsx": "maroc-chaines",
    "morocco/chaines_resultats_plf2025_transcription.csv": UNKNOWN,
    "morocco/departements_ordonnateurs.csv": UNKNOWN,  # a reference: known, but no data by itself
    "morocco/ecoles_regions_2024.csv": "maroc-ecoles",
    "morocco/marquage_jeunesse_lf2024.xlsx": "maroc-marquage",
    "morocco/repartition_ministeres_plf2025.xlsx": "maroc-repartition",
    "morocco/repartition_ministeres_plf2025_transcription.csv": UNKNOWN,
    "morocco/sensibilite_genre_2022_2024_tableau22.csv": UNKNOWN,
    "morocco/statistiques_nationales_rbg2025.csv": "maroc-statistiques",
    "real/arg_carmen_ppg_2024_2025/*.pdf": UNKNOWN,
    "real/blinder_oaxaca_chicago/*.rda": NO_TABLE,
    "real/can_infobase_*/*.csv": UNKNOWN,
    "real/cmr_delegations_bip_2011/*.xls": UNKNOWN,
    "real/eige_gei_2005_2012/*.xlsx": UNKNOWN,
    "real/est_population_sex/*.csv": UNKNOWN,
    "real/eurostat_paygap_csv/paygap.csv": UNKNOWN,
    "real/eurostat_paygap_csv/paygap.xml": NO_TABLE,  # two positions for each value
    "real/fdp_albania_treasury/datapackage.json": UNKNOWN,
    "real/fdp_albania_treasury/data/*.csv": UNKNOWN,
    "real/fdp_australia_budget/datapackage.json": DAMAGED,  # its file isn't where it says
    "real/fdp_australia_budget/*.csv": UNKNOWN,
    "real/fra_plf2025_depenses/*.json": "france-plf",
    "real/iati_iadb_argentina_results/*.csv": UNKNOWN,
    "real/ilo_informal_sex_csv/*.csv": "ilostat",
    "real/ind_cbga_gender_budget_2017/*": UNKNOWN,
    "real/mar_datagov_catalogue/*.json": UNKNOWN,
    "real/mar_hcp_chomage_trimestriel_xlsx/*.xlsx": UNKNOWN,
    "real/mar_mpi_provinces_2014/*.xlsx": UNKNOWN,
    "real/mar_regions_reference/*.csv": UNKNOWN,
    "real/mar_rgph_regions_2014/*.xls": "hcp-rgph-2014",
    "real/mar_rgph_regions_2024/*.csv": "hcp-rgph-2024",
    "real/mex_cuenta_publica_2014/*": UNKNOWN,
    "real/mex_enigh_2016/*.rda": NO_TABLE,
    "real/mex_sniiv_subsidios/*.json": UNKNOWN,
    "real/mex_sniiv_subsidios/*.tsx": NO_TABLE,
    "real/oecd_gender_wage_gap/*.csv": UNKNOWN,
    "real/qss_programme_evaluation/*.csv": UNKNOWN,
    "real/sdmx_estat_demography/demography-structure.xml": NO_TABLE,  # a structure without data
    "real/sdmx_estat_demography/demography-xs.xml": UNKNOWN,
    "real/ses_eusilc_synthetic/*.RData": NO_TABLE,
    "real/tun_diplomes_2022/*.xls": UNKNOWN,
    "real/uk_ons_sdg/*.csv": UNKNOWN,
    "real/undp_gii_inputs/*.csv": UNKNOWN,
    "real/undp_hdr2122_timeseries/*.csv": UNKNOWN,
    "real/unsd_sdg5_2024/*.xlsx": "unsd-sdg",
    "real/unwomen_poverty_sex/*.csv": UNKNOWN,
    "real/wb_labour_participation_wide/*.csv": "worldbank-wide",
    "real/who_healthequal_samples/*.rda": NO_TABLE,
}


def _files(shared_dir: Path) -> list[Path]:
    folders = (shared_dir / "data" / "morocco", shared_dir / "data" / "real")
    about = {"README.md", "MANIFEST.tsv"}
    found = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    return sorted(p for p in found if p.parent != folders[1] or p.name not in about)


def outcome(path: Path) -> str:
    """Return the name of the profile that claims a file, or the code of the error."""
    try:
        data = gbi.read(path)
    except gbi.GbiError as error:
        return error.code
    step = next(s for s in data.provenance.steps if s.function == "read")
    return str(json.loads(step.parameters)["profile"])


@pytest.mark.slow
def test_every_file_has_the_outcome_that_is_expected(shared_dir: Path) -> None:
    """Nothing but a GbiError comes out, and no profile claims a file of another layout."""
    wrong, met = {}, set()
    for path in _files(shared_dir):
        name = path.relative_to(shared_dir / "data").as_posix()
        patterns = [p for p in OUTCOMES if fnmatchcase(name, p)]
        assert len(patterns) == 1, (name, patterns)
        met |= set(patterns)
        got = outcome(path)
        if got != OUTCOMES[patterns[0]]:
            wrong[name] = got
    assert wrong == {}
    assert met == set(OUTCOMES)


# --- layouts of which no real file is at hand: made from the format's definition ---

LFSI = r"""freq,indic_em,sex,age,unit,geo\TIME_PERIOD	2021 	2022 	2023 
A,EMP_LFS,F,Y15-64,PC_POP,BE	61.4 	62.8 b	62.9 
A,EMP_LFS,F,Y15-64,PC_POP,EL	48.2 be	: c	: 
A,EMP_LFS,M,Y15-64,PC_POP,EU27_2020	73.1 	74.7 	75.1 
A,EMP_LFS,T,Y15-64,THS_PER,TN	: z	3501.5 p	4
"""  # noqa: W291
OTHER_ORDER = r"""unit,geo\TIME_PERIOD	2023-Q1 
PC,MA	12.9 e
"""  # noqa: W291
GHO = """\
IndicatorCode,Indicator,ValueType,ParentLocationCode,ParentLocation,Location type,\
SpatialDimValueCode,Location,Period type,Period,IsLatestYear,Dim1 type,Dim1,Dim1ValueCode,\
Dim2 type,Dim2,Dim2ValueCode,Dim3 type,Dim3,Dim3ValueCode,DataSourceDimValueCode,DataSource,\
FactValueNumericPrefix,FactValueNumeric,FactValueUoM,FactValueNumericLowPrefix,\
FactValueNumericLow,FactValueNumericHighPrefix,FactValueNumericHigh,Value,\
FactValueTranslationID,FactComments,Language,DateModified
W_1,Life expectancy at birth (years),numeric,EMR,Eastern Mediterranean,Country,MAR,Morocco,Year,\
2021,true,Sex,Female,SEX_FMLE,,,,,,,,,,73.3,,,72.9,,73.8,73.3 [72.9-73.8],,,EN,2024-08-02
W_1,Life expectancy at birth (years),numeric,EMR,Eastern Mediterranean,Country,MAR,Morocco,Year,\
2021,true,Sex,Both sexes,SEX_BTSX,,,,,,,,,,72,,,,,,72,,,EN,2024-08-02
W_1,Life expectancy at birth (years),numeric,,,Region,EMR,Eastern Mediterranean,Year,\
2021,true,Sex,Female,SEX_FMLE,,,,,,,,,,70,,,,,,70,,,EN,2024-08-02
W_2,Current tobacco smoking (%),numeric,EMR,Eastern Mediterranean,Country,MAR,Morocco,Year,\
2021,true,Sex,Male,SEX_MLE,Age Group,15+  years,Y15P,Severity,Daily,D,,,,,,,,,,No data,,,EN,2024
"""
SDMX_1 = """\
DATAFLOW,INDICATOR,REF_AREA,SEX,AGE,UNIT_MEASURE,UNIT_MULT,OBS_STATUS,TIME_PERIOD,OBS_VALUE
GBI:DF_STATISTICS(1.0),Taux d'activité,MA-01,F,Y15T24,PT,0,E,2024-Q3,19.8
GBI:DF_STATISTICS(1.0),Population,MA,_T,_T,PS,3,,2024,37000
"""
SDMX_2 = """\
STRUCTURE,STRUCTURE_ID,ACTION,INDICATOR: Indicateur,REF_AREA: Territoire,SEX: Sexe,\
UNIT_MEASURE: Unité,TIME_PERIOD: Période,OBS_VALUE: Valeur
dataflow,GBI:DF_STATISTICS(1.0.0),I,Taux d'activité,MA-01: Tanger,F: Femmes,PT: %,2024,19.8
"""
ILO_CODES = """\
ref_area,source,indicator,sex,classif1,time,obs_value,obs_status,note_source
MAR,BA:2294,EMP_DWAP_SEX_AGE_RT,SEX_F,AGE_YTHADULT_YGE15,2023,19.0,,R1:3513
MAR,BA:2294,EMP_TEMP_SEX_AGE_NB,SEX_T,AGE_YTHADULT_Y15-24,2023,1200.5,U,R1:3513
"""

ILO_BOTH = """\
ref_area,ref_area.label,source,source.label,indicator,indicator.label,sex,sex.label,time,obs_value,\
obs_status,obs_status.label
MAR,Morocco,BA:2294,LFS,EMP_DWAP_SEX_RT,Employment-to-population ratio by sex (%),SEX_F,\
Sex: Female,2023,19.0,B,Break in series
"""

WORLD_BANK = """\
"Data Source","World Development Indicators",

"Last Updated Date","2025-10-07",

"Country Name","Country Code","Indicator Name","Indicator Code","2022","2023",
"Morocco","MAR","Life expectancy at birth, female (years)","SP.DYN.LE00.FE.IN","77.1","",
"Kosovo","XKX","Adolescent fertility rate (births per 1,000 women)","SP.ADO.TFRT","10.5","",
"Arab World","ARB","Life expectancy at birth, female (years)","SP.DYN.LE00.FE.IN","73.1","",
"Morocco","MAR","GDP per capita (current US$)","NY.GDP.PCAP.CD","3441.9","",
"""

# Name of the file, its content, the profile that claims it, and what it says: columns and rows.
MADE = [
    ("estat_lfsi_emp_a.tsv", LFSI, "eurostat-tsv",
     ("INDICATOR", "REF_AREA", "SEX", "AGE", "TIME_PERIOD", "UNIT_MEASURE", "UNIT_MULT",
      "OBS_STATUS", "OBS_VALUE"),
     [("lfsi_emp_a – EMP_LFS", "BE", "F", "Y15T64", "2021", "PT", 0, "A", 61.4),
      ("lfsi_emp_a – EMP_LFS", "BE", "F", "Y15T64", "2022", "PT", 0, "B", 62.8),
      ("lfsi_emp_a – EMP_LFS", "BE", "F", "Y15T64", "2023", "PT", 0, "A", 62.9),
      ("lfsi_emp_a – EMP_LFS", "GR", "F", "Y15T64", "2021", "PT", 0, "B", 48.2),
      ("lfsi_emp_a – EMP_LFS", "GR", "F", "Y15T64", "2022", "PT", 0, "Q", None),
      ("lfsi_emp_a – EMP_LFS", "GR", "F", "Y15T64", "2023", "PT", 0, "O", None),
      ("lfsi_emp_a – EMP_LFS", "TN", "_T", "Y15T64", "2021", "PS", 3, "M", None),
      ("lfsi_emp_a – EMP_LFS", "TN", "_T", "Y15T64", "2022", "PS", 3, "P", 3501.5),
      ("lfsi_emp_a – EMP_LFS", "TN", "_T", "Y15T64", "2023", "PS", 3, "A", 4.0)]),
    ("une_rt_q.tsv", OTHER_ORDER, "eurostat-tsv",
     ("INDICATOR", "REF_AREA", "SEX", "TIME_PERIOD", "OBS_STATUS", "OBS_VALUE"),
     [("une_rt_q", "MA", "_T", "2023-Q1", "E", 12.9)]),
    ("data.csv", GHO, "who-gho",
     ("INDICATOR", "REF_AREA", "SEX", "AGE", "UNIT_MEASURE", "OBS_STATUS", "CI_LOWER", "OBS_VALUE"),
     [("Life expectancy at birth (years)", "MA", "F", "_T", "YR", "A", 72.9, 73.3),
      ("Life expectancy at birth (years)", "MA", "_T", "_T", "YR", "A", None, 72.0),
      ("Current tobacco smoking (%) – Daily", "MA", "M", "Y_GE15", "PT", "O", None, None)]),
    ("version_1.csv", SDMX_1, "sdmx-csv",
     ("INDICATOR", "REF_AREA", "SEX", "AGE", "TIME_PERIOD", "UNIT_MEASURE", "UNIT_MULT",
      "OBS_STATUS", "OBS_VALUE"),
     [("Taux d'activité", "MA-01", "F", "Y15T24", "2024-Q3", "PT", 0, "E", 19.8),
      ("Population", "MA", "_T", "_T", "2024", "PS", 3, "A", 37000.0)]),
    ("version_2.csv", SDMX_2, "sdmx-csv",
     ("INDICATOR", "REF_AREA", "SEX", "AGE", "TIME_PERIOD", "UNIT_MEASURE", "OBS_VALUE"),
     [("Taux d'activité", "MA-01", "F", "_T", "2024", "PT", 19.8)]),
    ("EMP_codes.csv", ILO_CODES, "ilostat",
     ("INDICATOR", "REF_AREA", "SEX", "AGE", "UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS",
      "OBS_VALUE"),
     [("EMP_DWAP_SEX_AGE_RT", "MA", "F", "Y_GE15", "PT", 0, "A", 19.0),
      ("EMP_TEMP_SEX_AGE_NB", "MA", "_T", "Y15T24", "NUMBER", 3, "U", 1200.5)]),
    ("API_indicators.csv", WORLD_BANK, "worldbank-wide",
     ("INDICATOR", "REF_AREA", "SEX", "TIME_PERIOD", "UNIT_MEASURE", "OBS_STATUS", "OBS_VALUE"),
     [("Life expectancy at birth, female (years)", "MA", "F", "2022", "YR", "A", 77.1),
      ("Life expectancy at birth, female (years)", "MA", "F", "2023", "YR", "O", None),
      ("Adolescent fertility rate (births per 1,000 women)", "XK", "_T", "2022", "PM", "A", 10.5),
      ("Adolescent fertility rate (births per 1,000 women)", "XK", "_T", "2023", "PM", "O", None),
      ("GDP per capita (current US$)", "MA", "_T", "2022", None, "A", 3441.9),
      ("GDP per capita (current US$)", "MA", "_T", "2023", None, "O", None)]),
    ("EMP_both.csv", ILO_BOTH, "ilostat",
     ("INDICATOR", "REF_AREA", "SEX", "TIME_PERIOD", "UNIT_MEASURE", "OBS_STATUS", "OBS_VALUE"),
     [("EMP_DWAP_SEX_RT", "MA", "F", "2023", "PT", "B", 19.0)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "profile", "columns", "rows"), MADE, ids=[m[0] for m in MADE]
)
def test_a_file_of_a_known_format_is_claimed_and_read(
    tmp_path: Path, name: str, content: str, profile: str, columns: tuple[str, ...],
    rows: list[tuple[object, ...]],
) -> None:  # fmt: skip
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert outcome(path) == profile
    data = gbi.read(path)
    frame = data.frame[list(columns)].astype(object)
    assert list(frame.where(frame.notna(), None).itertuples(index=False, name=None)) == rows
    assert not data.findings


# Layouts beside those of the packaged profiles, each with a difference that matters.
LOOK_ALIKES = {
    "DataBank of the World Bank: other headers, years in brackets": """\
Country Name,Country Code,Series Name,Series Code,2022 [YR2022],2023 [YR2023]
Morocco,MAR,"Labor force participation rate, female",SL.TLF.CACT.FE.ZS,19.8,19.0
""",
    "Eurostat's SDMX-CSV: its own concepts": """\
DATAFLOW,LAST UPDATE,freq,unit,sex,age,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG
ESTAT:LFSI_EMP_A(1.0),11/09/24 23:00:00,A,PC_POP,F,Y15-64,BE,2023,62.9,
""",
    "records of the interface of WHO": """\
Id,IndicatorCode,SpatialDimType,SpatialDim,TimeDim,Dim1Type,Dim1,Value,NumericValue,Low,High
1,WHOSIS_000001,COUNTRY,MAR,2021,SEX,SEX_FMLE,73.3,73.3,72.9,73.8
""",
}


@pytest.mark.parametrize("content", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_a_layout_that_only_looks_alike_is_not_claimed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content, encoding="utf-8")
    assert outcome(path) == UNKNOWN


def test_sdmx_csv_with_another_concept_for_the_indicator_is_not_read(tmp_path: Path) -> None:
    """What a value is about must be known: the missing column is named, with what stands there."""
    path = tmp_path / "oecd.csv"
    path.write_text(SDMX_1.replace("INDICATOR", "MEASURE"), encoding="utf-8")
    data = gbi.read(path)
    assert len(data) == 0
    assert [(f.code, f.field, f.found) for f in data.findings] == [
        ("GBI-S011", "INDICATOR", "MEASURE")
    ]


INTERNATIONAL = (
    "eurostat-tsv", "ilostat", "sdmx-csv", "unsd-sdg", "who-gho", "worldbank-wide"
)  # fmt: skip


@pytest.mark.parametrize("name", INTERNATIONAL)
def test_a_packaged_profile_is_named_in_three_languages_and_not_yet_reviewed(name: str) -> None:
    (labels,) = (p.document["labels"] for p in profiles() if p.name == name)
    assert all(labels[lang] for lang in ("fr", "ar", "en"))
    assert labels["reviewed"] is False
