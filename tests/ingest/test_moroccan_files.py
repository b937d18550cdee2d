"""The Moroccan files: every figure that their documentation names comes out of the workbooks."""

from __future__ import annotations

import csv
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest

import gbi
from gbi.dataset import Dataset, Submission
from gbi.findings import Cell, Finding
from gbi.ingest import profiles, read_submission
from gbi.resources import resource_path

SAMPLE = resource_path("samples", "maroc-plf2025")
SUMS = {
    ("PERSONNEL", "CP"): 180_270_681_000,
    ("GOODS", "CP"): 80_220_124_000,
    ("OPERATING", "CP"): 320_971_147_000,
    ("INVESTMENT", "CP"): 128_526_358_000,
    ("INVESTMENT", "CE"): 71_011_879_000,
    ("_T", "CP"): 449_497_505_000,
}


def of_files(submission: Submission) -> list[Finding]:
    """Return the findings about files, without the tables that a test's folder lacks."""
    return [f for f in submission.findings if f.code != "GBI-F024"]


@lru_cache(maxsize=1)
def sample() -> Submission:
    return read_submission(SAMPLE)


@pytest.fixture
def budget() -> Dataset:
    return sample()["budget"]


def test_every_file_is_listed_with_what_became_of_it() -> None:
    assert {(f.name, f.profile, f.rows) for f in sample().files} == {
        ("catalogue_indicateurs_plf2025.csv", "maroc-catalogue", 172),
        ("chaines_resultats_plf2025.xlsx", "maroc-chaines", 344),
        ("departements_ordonnateurs.csv", "maroc-departements", 25),
        ("ecoles_regions_2024.csv", "maroc-ecoles", 36),
        ("marquage_jeunesse_lf2024.xlsx", "maroc-marquage", 7),
        ("repartition_ministeres_plf2025.xlsx", "maroc-repartition", 234),
        ("statistiques_nationales_rbg2025.csv", "maroc-statistiques", 569),
    }
    assert {f.status for f in sample().files} == {"read"}


@pytest.mark.parametrize(("nature", "credit"), SUMS)
def test_the_columns_of_the_budget_add_up_to_the_dirham(
    budget: Dataset, nature: str, credit: str
) -> None:
    frame = budget.frame
    mine = frame[(frame["ECON_NATURE"] == nature) & (frame["CREDIT_TYPE"] == credit)]
    assert len(mine) == 39
    assert mine["OBS_VALUE"].sum() == SUMS[nature, credit]
    assert budget.totals is not None
    printed = budget.totals.frame
    row = printed[(printed["ECON_NATURE"] == nature) & (printed["CREDIT_TYPE"] == credit)]
    assert row["OBS_VALUE"].tolist() == [SUMS[nature, credit]]


def test_a_dash_is_nil_but_where_credits_are_counted_elsewhere(budget: Dataset) -> None:
    frame = budget.frame
    assert (frame["OBS_VALUE"] == 0).sum() == 15
    elsewhere = frame[frame["OBS_STATUS"] == "K"]
    assert len(elsewhere) == 6
    assert elsewhere["OBS_VALUE"].isna().all()
    assert set(elsewhere["CHAPTER_KIND"]) == {"COMMON"}
    assert set(elsewhere["ECON_NATURE"]) == {"PERSONNEL", "GOODS"}


def test_budget_rows_say_what_they_are_about(budget: Dataset) -> None:
    for column, codes in {
        "TIME_PERIOD": {"2025"}, "REF_AREA": {"MA"}, "BUDGET_STAGE": {"BILL"},
        "UNIT_MEASURE": {"MAD"}, "UNIT_MULT": {0}, "BUDGET_COMPONENT": {"BG"},
    }.items():  # fmt: skip
        assert set(budget.frame[column]) == codes
    file = "repartition_ministeres_plf2025.xlsx"
    assert budget.origin(7) == Cell(file, "Annexe 1", "C6")
    assert budget.raw(7) == "1\u202f542\u202f183\u202f000"
    assert budget.origin(7, "MINISTRY") == Cell(file, "Annexe 1", "A6")
    assert budget.origin(7, "TIME_PERIOD") == Cell(file, "Annexe 1", "A1")


def test_the_chains_are_those_of_the_transcription(shared_dir: Path) -> None:
    path = shared_dir / "data" / "morocco" / "chaines_resultats_plf2025_transcription.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        told = [r for r in csv.DictReader(handle) if r["value"] not in ("", "-")]
    frame = sample()["performance"].frame
    mine = frame[frame["OBS_VALUE"].notna()]
    label = mine["SUB_INDICATOR"].fillna(mine["INDICATOR"])
    found = Counter(
        zip(mine["PROGRAMME"], mine["OBJECTIVE"], label, mine["VALUE_KIND"].str.lower(),
            mine["TIME_PERIOD"], mine["OBS_VALUE"], strict=True)
    )  # fmt: skip
    assert found == Counter(
        (r["programme"], r["objective"], r["indicator"], r["kind"], r["year"], float(r["value"]))
        for r in told
    )
    assert len(told) == 305


def test_series_values_and_gaps_in_the_chains() -> None:
    frame = sample()["performance"].frame
    assert len(frame) == 2 * 172
    missing = frame[frame["OBS_VALUE"].isna()]
    assert missing["VALUE_KIND"].value_counts().to_dict() == {"REALISED": 34, "TARGET": 5}
    assert set(missing["OBS_STATUS"]) == {"O"}
    realised = frame[frame["VALUE_KIND"] == "REALISED"]
    assert realised["DIRECTION"].isna().sum() == 16
    assert realised["PAIR_ID"].dropna().nunique() == 32
    assert realised["DEPARTMENT"].nunique() == 25


def test_sex_unit_and_direction_come_from_the_catalogue_alone(tmp_path: Path) -> None:
    catalogue = "catalogue_indicateurs_plf2025.csv"
    chains = "chaines_resultats_plf2025.xlsx"
    text = (SAMPLE / catalogue).read_text(encoding="utf-8")
    (tmp_path / chains).write_bytes((SAMPLE / chains).read_bytes())
    swapped = text.replace("sexe=F", "sexe=?").replace("sexe=M", "sexe=F").replace("=?", "=M")
    (tmp_path / catalogue).write_text(swapped, encoding="utf-8")
    before, after = sample()["performance"].frame, read_submission(tmp_path)["performance"].frame
    swap = {"F": "M", "M": "F", "_T": "_T"}
    assert after["SEX"].tolist() == before["SEX"].map(swap).tolist()


def test_without_a_catalogue_the_sex_is_unknown_and_one_finding_says_so() -> None:
    data = gbi.read(SAMPLE / "chaines_resultats_plf2025.xlsx")
    assert set(data.frame["SEX"]) == {"_U"}
    assert "DIRECTION" not in data.frame
    assert [f.code for f in data.findings] == ["GBI-S014"]
    assert [step.function for step in data.provenance.steps] == ["read"]


def test_a_series_outside_the_catalogue_and_a_row_without_series(tmp_path: Path) -> None:
    chains = "chaines_resultats_plf2025.xlsx"
    lines = (SAMPLE / "catalogue_indicateurs_plf2025.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / chains).write_bytes((SAMPLE / chains).read_bytes())
    lines[2] = lines[2].replace("fonctionnaires femmes", "fonctionnaires fames")
    (tmp_path / "c.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_submission(tmp_path)["performance"].findings
    assert [(f.code, f.sheet, f.a1) for f in found] == [
        ("GBI-S012", "T16 Justice", "D4"), ("GBI-S013", "", "E3"),
    ]  # fmt: skip
    assert found[0].suggestion is not None
    assert "fames" in found[0].suggestion


def test_a_percent_sign_against_the_catalogue_is_found(tmp_path: Path) -> None:
    chains = "chaines_resultats_plf2025.xlsx"
    lines = (SAMPLE / "catalogue_indicateurs_plf2025.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / chains).write_bytes((SAMPLE / chains).read_bytes())
    lines[2] = lines[2].replace(",%,", ",nombre,")
    (tmp_path / "c.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_submission(tmp_path)["performance"].findings
    assert [(f.code, f.a1, f.found) for f in found] == [
        ("GBI-T003", "E4", "57 %"), ("GBI-T003", "F4", "55 %"),
    ]  # fmt: skip


def test_the_marking_of_projects_and_programmes() -> None:
    frame = sample()["marking"].frame
    projects = frame[frame["MARK_LEVEL"] == "PROJECT"]
    assert projects["MARK"].tolist() == ["2", "4", "2", "2", "1"]
    credits = projects["OBS_VALUE"].tolist()
    assert credits[:1] + credits[2:] == [321.33, 16.14, 766.29, 442.2]
    assert pd.isna(credits[1])
    assert projects["OBS_STATUS"].tolist() == ["A", "O", "A", "A", "A"]
    assert projects["AMOUNT_STATED"].tolist() == [224.93, 0.0, 11.3, 536.4, 442.2]
    programmes = frame[frame["MARK_LEVEL"] == "PROGRAMME"]
    assert programmes["SHARE_STATED"].tolist() == [0.51, 0.81]
    answers = programmes[[f"CRITERION_{i}" for i in range(1, 5)]].agg("".join, axis=1)
    assert answers.tolist() == ["YNNY", "NYYY"]
    assert set(frame["DEPARTMENT"]) == {"JEUNESSE"}
    assert set(frame["UNIT_MULT"]) == {6}


def test_school_years_units_and_sources_of_the_statistics() -> None:
    frame = sample()["statistics"].frame
    school = frame[frame["TIME_PERIOD"].str.endswith("-A1")]
    assert set(school["REPORTING_YEAR_START_DAY"]) == {"--09-01"}
    assert set(school["SOURCE"]) == {"MESRSI", "DENP"}
    population = frame[frame["INDICATOR"] == "Population"]
    assert set(population["UNIT_MULT"]) == {3}
    assert set(population["DECIMALS"]) == {0}
    illiteracy = frame[frame["INDICATOR"] == "Taux d'analphabétisme 15+"]
    census = illiteracy[illiteracy["SOURCE"] == "RGPH"]
    assert set(census["TIME_PERIOD"]) == {"1994", "2004", "2014"}
    assert set(illiteracy["SOURCE"]) == {"RGPH", "HCP"}


def test_regions_are_known_by_every_spelling_and_a_misspelling_is_said() -> None:
    data = sample()["statistics"]
    regions = data.frame[data.frame["REF_AREA"] != "MA"]
    assert regions["REF_AREA"].nunique() == 12
    assert data.totals is not None
    assert data.totals.frame["OBS_VALUE"].tolist() == [189, 31, 242]
    sums = regions.groupby("INDICATOR", sort=False)["OBS_VALUE"].sum().tolist()
    assert sums == [189, 31, 242]
    spelt = [f for f in data.findings if f.code == "GBI-P009"]
    assert [f.a1 for f in spelt] == ["B2", "B15", "B28"]


def test_every_table_is_what_its_schema_says() -> None:
    for name, data in sample().datasets.items():
        gbi.schema(name).to_pandera().validate(data.frame, lazy=True)


def test_every_value_has_its_cell() -> None:
    for data in sample().datasets.values():
        if "OBS_VALUE" not in data.frame:
            continue
        numbers = data.frame["OBS_VALUE"].notna()
        cells = [data.origin(row) for row in range(len(data)) if numbers.iloc[row]]
        assert all(c.a1 for c in cells)
        assert len(set(cells)) == len(cells)


def test_a_copy_of_a_file_is_not_counted_twice(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).write_bytes((SAMPLE / "repartition_ministeres_plf2025.xlsx").read_bytes())
    submission = read_submission(tmp_path)
    assert submission["budget"].frame["OBS_VALUE"].sum() == sum(SUMS.values())
    assert [(f.code, f.file) for f in of_files(submission)] == [("GBI-F007", "b.xlsx")]
    assert all("a.xlsx" in m["expected"] for m in of_files(submission)[0].message.values())


def test_transcriptions_beside_the_workbooks_are_listed_and_not_summed(shared_dir: Path) -> None:
    submission = read_submission(shared_dir / "data" / "morocco")
    assert submission["budget"].frame["OBS_VALUE"].sum() == sum(SUMS.values())
    assert len(submission["performance"]) == 344
    unknown = {f.name for f in submission.files if f.status == "unknown"}
    assert unknown == {
        "chaines_resultats_plf2025_transcription.csv",
        "repartition_ministeres_plf2025_transcription.csv",
        "sensibilite_genre_2022_2024_tableau22.csv",
    }
    assert {f.file for f in submission.findings if f.code == "GBI-F006"} == unknown


def test_the_sample_is_what_the_reference_holds(shared_dir: Path) -> None:
    for path in SAMPLE.iterdir():
        if path.suffix in (".xlsx", ".csv"):
            reference = shared_dir / "data" / "morocco" / path.name
            assert path.read_bytes() == reference.read_bytes(), path.name


def test_a_department_under_another_ministry_is_found(tmp_path: Path) -> None:
    name = "departements_ordonnateurs.csv"
    text = (SAMPLE / name).read_text(encoding="utf-8")
    budget = "repartition_ministeres_plf2025.xlsx"
    (tmp_path / budget).write_bytes((SAMPLE / budget).read_bytes())
    wrong = text.replace("MINISTERE DE LA JUSTICE", "COUR ROYALE")
    (tmp_path / name).write_text(wrong, encoding="utf-8")
    found = of_files(read_submission(tmp_path))
    assert [(f.code, f.a1, f.found) for f in found] == [("GBI-C001", "C3", "COUR ROYALE")]


def test_the_profiles_fill_columns_that_their_tables_have() -> None:
    for profile in profiles():
        columns = {c for t in profile.tables for c in gbi.schema(t).columns}
        for section in profile.sections:
            named = {e["column"] for e in section.columns if "column" in e}
            named |= {c for e in section.observations for c in e.get("set", {})}
            named |= set(section.constants) | set(profile.constants)
            named |= set(profile.tokens.values())
            assert named <= columns, profile.name


def test_the_profiles_set_codes_that_their_lists_have() -> None:
    for profile in profiles():
        fields = {f.name: f for t in profile.tables for f in gbi.schema(t).fields}
        document = profile.document
        sheets = document.get("sheets", [])
        entries = [e for s in sheets for e in (*s["columns"], *s.get("values", []))]
        said = [part.get(k, {}) for part in (document, *sheets, *entries)
                for k in ("constants", "set")]  # fmt: skip
        said += [d["set"] for d in document.get("derive", [])]
        said += list(document.get("series", {}).values())
        said += [{t["column"]: t["code"]} for t in document.get("totals", [])]
        for column, known in document.get("maps", {}).items():
            said += [v if isinstance(v, dict) else {column: v} for v in known.values()]
        for column, code in ((c, v) for one in said for c, v in one.items() if v is not None):
            assert not fields[column].codes or code in fields[column].codes, (profile.name, column)


def test_chains_beside_results_that_tell_their_sex(tmp_path: Path) -> None:
    """A file with a column of sexes doesn't keep the catalogue from the chains beside it."""
    for name in ("chaines_resultats_plf2025.xlsx", "catalogue_indicateurs_plf2025.csv"):
        (tmp_path / name).write_bytes((SAMPLE / name).read_bytes())
    whole = sample()["performance"].frame
    own = whole.head(2).assign(INDICATOR="Autre indicateur", SEX="F")
    gbi.write(Dataset(own, "performance"), tmp_path / "autres.csv")
    frame = read_submission(tmp_path)["performance"].frame
    assert len(frame) == len(whole) + 2
    assert Counter(frame["SEX"]) == Counter(whole["SEX"]) + Counter({"F": 2})
