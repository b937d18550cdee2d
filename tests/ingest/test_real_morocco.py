"""Real Moroccan files: every known figure comes out of the files as they were published."""

from __future__ import annotations

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
from gbi.vocabulary import codelist

PROFILES = Path(__file__).parent / "profiles"
POPULATION = "Population municipale"

# name: (folder, files, profile); without a profile the file is known by its headers
SOURCES = {
    "rgph-2014": ("mar_rgph_regions_2014", "*.xls", None),
    "rgph-2024": ("mar_rgph_regions_2024", "*.csv", None),
    "rgph-2024-population": ("mar_rgph_regions_2024/Global_Population", "*.csv", None),
    "chomage": ("mar_hcp_chomage_trimestriel_xlsx", "*.xlsx", "mar_hcp_chomage"),
    "chomage-all": ("mar_hcp_chomage_trimestriel_xlsx", "*.xlsx", "mar_hcp_chomage_all"),
    "chomage-totals": ("mar_hcp_chomage_trimestriel_xlsx", "*.xlsx", "mar_hcp_chomage_totals"),
    "provinces": ("mar_mpi_provinces_2014", "*.xlsx", "mar_mpi_provinces"),
    "regions": ("mar_regions_reference", "*.csv", "mar_regions_reference"),
}


class Total(NamedTuple):
    """A known figure: where, what, how much, and the rows whose values make it."""

    source: str
    what: str
    value: float
    how: Mapping[str, str]


TOTALS = [
    Total("rgph-2014", "population", 33_610_084, {"INDICATOR": POPULATION, "SEX": "_T"}),
    Total("rgph-2014", "population, men", 16_747_522, {"INDICATOR": POPULATION, "SEX": "M"}),
    Total("rgph-2014", "population, women", 16_862_562, {"INDICATOR": POPULATION, "SEX": "F"}),
    Total("rgph-2014", "Casablanca-Settat, rural", 1_804_298,
          {"INDICATOR": POPULATION, "SEX": "_T", "REF_AREA": "MA-06", "URBANISATION": "R"}),
    Total("rgph-2024-population", "population", 36_490_591, {"SEX": "_T", "URBANISATION": "_T"}),
    Total("rgph-2024-population", "women", 18_295_103, {"SEX": "F", "URBANISATION": "_T"}),
    Total("rgph-2024-population", "men", 18_195_488, {"SEX": "M", "URBANISATION": "_T"}),
    Total("rgph-2024-population", "urban", 22_921_202, {"SEX": "_T", "URBANISATION": "U"}),
    Total("rgph-2024-population", "rural", 13_569_389, {"SEX": "_T", "URBANISATION": "R"}),
    Total("chomage", "2025T3", 13.1, {"TIME_PERIOD": "2025-Q3", "SEX": "_T", "AGE": "_T",
          "URBANISATION": "_T", "INDICATOR": "Taux de chômage"}),
    Total("chomage", "2025T3, men", 10.6, {"TIME_PERIOD": "2025-Q3", "SEX": "M"}),
    Total("chomage", "2025T3, women", 21.6, {"TIME_PERIOD": "2025-Q3", "SEX": "F"}),
    Total("chomage", "2024T3", 13.6, {"TIME_PERIOD": "2024-Q3", "SEX": "_T", "AGE": "_T",
          "URBANISATION": "_T", "INDICATOR": "Taux de chômage"}),
    Total("chomage", "2024T3, women", 20.8, {"TIME_PERIOD": "2024-Q3", "SEX": "F"}),
    Total("provinces", "Al Hoceima, poverty", 2.2342601254081518,
          {"REF_AREA": "MA-HOC", "INDICATOR": "Taux de pauvreté"}),
    Total("provinces", "Azilal, poverty: the highest", 20.676972,
          {"REF_AREA": "MA-AZI", "INDICATOR": "Taux de pauvreté"}),
    Total("regions", "legal population 2024", 36_828_330, {"INDICATOR": "Population légale"}),
    Total("regions", "provinces", 75, {"INDICATOR": "Provinces et préfectures"}),
    Total("regions", "communes", 1_503, {"INDICATOR": "Communes"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def read(shared_dir: Path) -> Callable[[str], Dataset]:
    """Read a source once, all its files as one dataset."""

    @lru_cache
    def of(source: str) -> Dataset:
        folder, files, profile = SOURCES[source]
        paths = sorted((shared_dir / "data" / "real" / folder).glob(files))
        chosen = None if profile is None else PROFILES / f"{profile}.yaml"
        return Dataset.concat([gbi.read(path, profile=chosen) for path in paths])

    return of


def where(frame: pd.DataFrame, how: Mapping[str, str]) -> pd.DataFrame:
    for column, code in how.items():
        frame = frame[frame[column] == code]
    return frame


@pytest.mark.parametrize("total", TOTALS, ids=lambda t: f"{t.source}: {t.what}")
def test_known_figures(read: Callable[[str], Dataset], total: Total) -> None:
    rows = where(read(total.source).frame, total.how)
    assert len(rows)
    assert math.fsum(rows["OBS_VALUE"]) == pytest.approx(total.value, rel=0, abs=5e-7)


@pytest.mark.parametrize(
    ("source", "profile", "files", "rows"),
    [("rgph-2014", "hcp-rgph-2014", 24, 24 * 28 * 3),
     ("rgph-2024", "hcp-rgph-2024", 12, 12 * 90),
     ("rgph-2024-population", "hcp-rgph-2024", 12, 12 * 9)],
)  # fmt: skip
def test_the_census_is_known_by_its_headers_and_clean(
    read: Callable[[str], Dataset], source: str, profile: str, files: int, rows: int
) -> None:
    data = read(source)
    assert {f'"profile":"{profile}"' in s.parameters for s in data.provenance.steps} == {True}
    assert len(data.provenance.sources) == files
    assert (len(data), data.findings) == (rows, ())
    key = list(gbi.schema("statistics").key)
    assert not data.frame.duplicated([c for c in key if c in data.frame]).any()
    assert gbi.validate(data).findings == ()


def test_region_and_milieu_come_from_the_name_of_the_file(read: Callable[[str], Dataset]) -> None:
    frame = read("rgph-2014").frame
    assert set(zip(frame["REF_AREA"], frame["URBANISATION"], strict=True)) == {
        (f"MA-{region:02}", milieu) for region in range(1, 13) for milieu in "RU"
    }


def test_men_and_women_are_everybody(read: Callable[[str], Dataset]) -> None:
    frame = read("rgph-2024-population").frame
    women, men, all_ = (
        where(frame, {"SEX": sex}).set_index(["REF_AREA", "URBANISATION"])["OBS_VALUE"]
        for sex in ("F", "M", "_T")
    )
    assert len(all_) == 36
    assert (women + men).sort_index().equals(all_.sort_index())


def test_a_page_says_a_count_and_shares_in_one_column(read: Callable[[str], Dataset]) -> None:
    frame = read("rgph-2014").frame
    assert frame.groupby("INDICATOR")["UNIT_MEASURE"].nunique().eq(1).all()
    assert set(frame.loc[frame["UNIT_MEASURE"] == "PS", "INDICATOR"]) == {POPULATION}
    ages = frame[frame["CLOSES_OVER"] == "AGE"]
    shares = ages.groupby(["INDICATOR", "REF_AREA", "URBANISATION", "SEX"])["OBS_VALUE"]
    assert len(shares) == 2 * 24 * 3
    assert shares.sum().between(99.75, 100.25).all()  # 16 shares of one decimal


@pytest.mark.parametrize(("source", "gaps"), [("rgph-2014", 96), ("rgph-2024", 72)])
def test_births_per_woman_cannot_exist_for_men(
    read: Callable[[str], Dataset], source: str, gaps: int
) -> None:
    frame = read(source).frame
    missing = frame[frame["OBS_VALUE"].isna()]
    assert len(missing) == gaps
    assert set(missing["OBS_STATUS"]) == {"M"}
    assert "F" not in set(missing["SEX"])


def test_the_sheets_say_what_the_sheet_with_all_says(read: Callable[[str], Dataset]) -> None:
    columns = ["INDICATOR", "TIME_PERIOD", "SEX", "AGE", "URBANISATION", "OBS_VALUE"]
    one, other = (
        Counter(read(name).frame[columns].itertuples(index=False, name=None))
        for name in ("chomage", "chomage-all")
    )
    assert sum(one.values()) == sum(other.values()) == 79 * 12
    assert {(indicator, period) for indicator, period, *_ in one - other} == {
        ("Taux de chômage", period) for period in ("2011-Q3", "2013-Q2", "2013-Q4", "2014-Q1")
    }
    assert not read("chomage").findings


def test_the_total_is_not_the_same_on_every_sheet(read: Callable[[str], Dataset]) -> None:
    data = read("chomage-totals")
    printed = data.frame.groupby("TIME_PERIOD")["OBS_VALUE"].nunique()
    assert set(printed[printed > 1].index) == {
        "2011-Q3", "2012-Q2", "2013-Q2", "2013-Q4", "2014-Q1", "2015-Q1", "2015-Q2",
    }  # fmt: skip
    (found,) = (
        f for f in gbi.validate(data).findings
        if f.code == "GBI-S004" and f.key["TIME_PERIOD"] == "2011-Q3"
    )  # fmt: skip
    assert [(c.sheet, c.a1) for c in found.cells] == [
        ("selon le milieu", "D58"), ("selon le diplôme", "E58"), ("selon le sexe", "D58"),
        ("selon les tranches d'âge", "F58"), ("ALL", "M58"),
    ]  # fmt: skip
    row = data.frame["TIME_PERIOD"] == "2011-Q3"
    assert [round(v, 3) for v in data.frame.loc[row, "OBS_VALUE"]] == [
        9.093, 9.057, 9.064, 9.057, 9.057,
    ]  # fmt: skip


def test_quarters_are_periods(read: Callable[[str], Dataset]) -> None:
    periods = read("chomage").frame["TIME_PERIOD"]
    assert periods.min() == "2006-Q1"
    assert periods.max() == "2025-Q3"
    assert periods.nunique() == 79


def test_regions_are_known_by_their_arabic_names(read: Callable[[str], Dataset]) -> None:
    data = read("regions")
    assert not data.findings
    assert data.frame["REF_AREA"].unique().tolist() == [f"MA-{r:02}" for r in range(1, 13)]


def test_the_legal_population_is_above_the_municipal_one_everywhere(
    read: Callable[[str], Dataset],
) -> None:
    legal, municipal = (
        where(read(source).frame, how).set_index("REF_AREA")["OBS_VALUE"].sort_index()
        for source, how in (
            ("regions", {"INDICATOR": "Population légale"}),
            ("rgph-2024-population", {"SEX": "_T", "URBANISATION": "_T"}),
        )
    )
    assert legal.index.equals(municipal.index)  # by Arabic names here, by French ones there
    assert legal.ge(municipal).all()


def test_every_prefecture_and_province_is_known(read: Callable[[str], Dataset]) -> None:
    data = read("provinces")
    assert len(data) == 75 * 14
    assert data.findings == ()
    assert set(data.frame["REF_AREA"]) == set(codelist("CL_PROVINCE")["CODE"])
    assert data.frame["DECIMALS"].max() <= 15


@pytest.mark.parametrize(
    ("name", "entries", "formats"),
    [("finances_meta", 25, {"XLS", "XLSX"}), ("hcp_meta", 40, None), ("datagov_meta", 389, None)],
)
def test_a_catalogue_of_files_is_no_table_of_figures(
    shared_dir: Path, name: str, entries: int, formats: set[str] | None
) -> None:
    path = shared_dir / "data" / "real" / "mar_datagov_catalogue" / f"{name}.json"
    with pytest.raises(GbiError) as caught:
        gbi.read(path)
    assert caught.value.code == "GBI-E067"
    listed = gbi.read(path, table="survey").frame
    assert len(listed) == entries
    assert formats is None or set(listed["format"]) <= formats


def test_budgets_of_the_finance_ministry_are_listed_by_year(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / "mar_datagov_catalogue" / "finances_meta.json"
    files = gbi.read(path, table="survey").frame["fichier"]
    assert files.str.extract(r"^finances\\(\d{4}|undated)\\")[0].notna().all()


PAGE = """\ufeff<table border="1" id="IUE"><tbody>
<tr><th> Indicateur </th><th> Masculin </th><th> Féminin </th><th> Ensemble </th></tr>
<tr><td>Population municipale</td><td>1 100</td><td>1 200</td><td>2 300</td></tr>
<tr><td colspan="4">Fécondité</td></tr>
<tr><td>Indice synthétique de fécondité</td><td>/</td><td>2.2</td><td>/</td></tr>
</tbody></table>"""


def test_a_page_of_the_census_of_2014_is_known(tmp_path: Path) -> None:
    path = tmp_path / "Profil-Démographie-Région_Souss-Massa(Urbain).xls"
    path.write_text(PAGE, encoding="utf-8")
    data = gbi.read(path)
    assert not data.findings
    assert set(data.frame["REF_AREA"]) == {"MA-09"}
    values = data.frame[["INDICATOR", "SEX", "UNIT_MEASURE", "OBS_STATUS"]].to_numpy().tolist()
    fertility = "Indice synthétique de fécondité"
    assert values == [
        [POPULATION, "M", "PS", "A"], [POPULATION, "F", "PS", "A"], [POPULATION, "_T", "PS", "A"],
        [fertility, "M", "NUMBER", "M"], [fertility, "F", "NUMBER", "A"],
        [fertility, "_T", "NUMBER", "M"],
    ]  # fmt: skip


def test_a_page_that_does_not_name_its_region_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "effectifs.xls"
    path.write_text(PAGE, encoding="utf-8")
    with pytest.raises(GbiError) as caught:
        gbi.read(path)
    assert caught.value.code == "GBI-E067"


@pytest.mark.parametrize("header", ["Valeur de l'indicateur", "Valeurs de l'indicateur"])
def test_a_text_of_the_census_of_2024_is_known(tmp_path: Path, header: str) -> None:
    path = tmp_path / "region.csv"
    path.write_text(
        f"Zone,Milieu,Sexe,Titre de l'indicateur,{header}\n"
        "Fès-Meknès,Ensemble,Féminin,Part des marié.e.s parmi les 15 ans et plus (%),56.1\n",
        encoding="utf-8-sig",
    )
    data = gbi.read(path)
    assert not data.findings
    (row,) = data.frame.to_dict("records")
    assert (row["INDICATOR"], row["AGE"], row["SEX"]) == ("Part des marié.e.s", "Y_GE15", "F")
    assert (row["REF_AREA"], row["URBANISATION"], row["OBS_VALUE"]) == ("MA-03", "_T", 56.1)


def test_unemployment_by_sex_is_not_taken_for_a_census(shared_dir: Path) -> None:
    (path,) = (shared_dir / "data" / "real" / SOURCES["chomage"][0]).glob("*.xlsx")
    with pytest.raises(GbiError) as caught:
        gbi.read(path)
    assert caught.value.code == "GBI-E067"
