"""A small submission in memory: two budget lines, three pairs, two marked programmes, a series."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from gbi.dataset import Dataset, Submission, SubmittedFile
from gbi.indicators import achievement, budget_structure, gap, gender_marking
from gbi.provenance import Provenance, Source
from gbi.report import ReportBundle
from gbi.validation import ValidationReport, validate
from gbi.validation.report import EngineError, NotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gbi.results import Result

SERIES = ["DEPARTMENT", "PROGRAMME", "OBJECTIVE", "INDICATOR", "PAIR_ID", "VALUE_KIND"]
HOSTILE = "Programme <script>alert(1)</script> & co"


def dataset(table: str, name: str, sheet: str, rows: Sequence[dict[str, Any]]) -> Dataset:
    """Return a Dataset as reading makes it: every value with the cell that it comes from."""
    frame = pd.DataFrame(rows)
    frame["OBS_VALUE"] = frame["OBS_VALUE"].astype("float64")
    origins = pd.DataFrame(
        {
            "_FILE": name,
            "_SHEET": sheet,
            "_RAW": frame["OBS_VALUE"].astype(str),
            "OBS_VALUE": [f"E{i + 4}" for i in range(len(frame))],
        }
    )
    source = Source(name, hashlib.sha256(name.encode()).hexdigest(), 1000 + len(rows))
    return Dataset(frame, table, provenance=Provenance((source,)), origins=origins)


def budget() -> Dataset:
    base = {
        "TIME_PERIOD": "2025", "REF_AREA": "MA", "BUDGET_COMPONENT": "BG",
        "CHAPTER_KIND": "ORDINARY", "BUDGET_STAGE": "BILL", "UNIT_MEASURE": "MAD",
        "UNIT_MULT": 0, "DECIMALS": 0,
    }  # fmt: skip
    lines = (
        ("JUSTICE", 3_431_531_000, 352_788_000, 420_550_000, 220_000_000),
        ("COUR_ROYALE", 621_186_000, 1_542_183_000, 131_608_000, None),
    )
    rows = []
    for code, staff, goods, invested, later in lines:
        values = {
            ("PERSONNEL", "CP"): staff,
            ("GOODS", "CP"): goods,
            ("OPERATING", "CP"): staff + goods,
            ("INVESTMENT", "CP"): invested,
            ("INVESTMENT", "CE"): later,
            ("_T", "CP"): staff + goods + invested,
        }
        for (nature, credit), value in values.items():
            status = "A" if value is not None else "O"
            rows.append(
                {**base, "MINISTRY": code, "MINISTRY_LABEL": code, "ECON_NATURE": nature,
                 "CREDIT_TYPE": credit, "OBS_VALUE": value, "OBS_STATUS": status}
            )  # fmt: skip
    return dataset("budget", "budget.xlsx", "Annexe 1", rows)


def performance() -> Dataset:
    base = {
        "DEPARTMENT": "JUSTICE", "DEPARTMENT_LABEL": "Ministère de la Justice",
        "PROGRAMME": HOSTILE, "OBJECTIVE": "Renforcer l'égalité", "REF_AREA": "MA", "AGE": "_T",
        "URBANISATION": "_T", "DISABILITY_STATUS": "_T", "INCOME_WEALTH_QUANTILE": "_T",
        "POPULATION_GROUP": "_T", "EDUCATION_LEV": "_T", "ACTIVITY": "_T", "ADMIN_LEVEL": "_T",
        "UNIT_MULT": 0, "DECIMALS": 0, "SCOPE": "STAFF", "COUNTED": "PERSONS", "SOURCE": "RBG 2025",
    }  # fmt: skip
    indicators: tuple[tuple[str, str, str, str | None, tuple[Any, ...], tuple[Any, ...]], ...] = (
        ("Taux d'accès à la formation", "PT", "RATE", "UP", (57, 65), (55, 66)),
        ("Fonctionnaires formés", "NUMBER", "COUNT", "UP", (123, 266), (150, 300)),
        ("Taux d'abandon", "PT", "RATE", None, (12, None), (13, 9)),
    )
    rows = []
    for n, (name, unit, kind, direction, realised, target) in enumerate(indicators, start=1):
        for value_kind, period, values in (
            ("REALISED", "2023", realised),
            ("TARGET", "2024", target),
        ):
            for sex, value in zip(("F", "M"), values, strict=True):
                rows.append(
                    {**base, "INDICATOR": name, "SUB_INDICATOR": f"{name} ({sex})", "SEX": sex,
                     "TIME_PERIOD": period, "VALUE_KIND": value_kind, "OBS_VALUE": value,
                     "UNIT_MEASURE": unit, "MEASURE_KIND": kind, "DIRECTION": direction,
                     "PAIR_ID": f"P{n}", "OBS_STATUS": "A" if value is not None else "O"}
                )  # fmt: skip
    return dataset("performance", "chaines.xlsx", "T16 Justice", rows)


def marking() -> Dataset:
    base = {
        "TIME_PERIOD": "2024", "REF_AREA": "MA", "DEPARTMENT": "JEUNESSE",
        "DEPARTMENT_LABEL": "Département de la Jeunesse", "SCALE": "CE-BSG", "CREDIT_TYPE": "CP",
        "UNIT_MEASURE": "MAD", "UNIT_MULT": 6, "DECIMALS": 2,
    }  # fmt: skip
    grid = (
        ("PROGRAMME", "Pilotage", None, "YNNY", "G1", None, 0.51, "G1"),
        ("PROJECT", "Pilotage", "Modernisation", "NYYY", "2", 321.33, None, None),
        ("PROJECT", "Pilotage", "Soutien des missions", "NNNN", "4", None, None, None),
        ("PROGRAMME", "Jeunesse", None, "NYYY", "G2", None, 0.81, "G2"),
        ("PROJECT", "Jeunesse", "Centres de jeunes", "NYYY", "2", 766.29, None, None),
        ("PROJECT", "Jeunesse", "Affaires féminines", "YYYY", "1", 442.2, None, None),
    )
    rows = [
        {**base, "MARK_LEVEL": level, "PROGRAMME": programme, "PROJECT": project, "MARK": mark,
         **{f"CRITERION_{i}": a for i, a in enumerate(answers, start=1)}, "OBS_VALUE": value,
         "OBS_STATUS": "A" if value is not None else "O", "SHARE_STATED": share,
         "FINAL_MARK": final, "AMOUNT_STATED": None}
        for level, programme, project, answers, mark, value, share, final in grid
    ]  # fmt: skip
    return dataset("marking", "marquage.xlsx", "Projets", rows)


def statistics() -> Dataset:
    base = {
        "REF_AREA": "MA", "AGE": "_T", "URBANISATION": "_T", "DISABILITY_STATUS": "_T",
        "INCOME_WEALTH_QUANTILE": "_T", "POPULATION_GROUP": "_T", "EDUCATION_LEV": "_T",
        "ACTIVITY": "_T", "ADMIN_LEVEL": "_T", "OBS_STATUS": "A", "SOURCE": "HCP",
        "MEASURE_KIND": "COUNT", "COUNTED": "PERSONS", "UNIT_MEASURE": "NUMBER", "UNIT_MULT": 3,
        "DECIMALS": 0,
    }  # fmt: skip
    # The two parts add to 852: the total of 876 is a finding, in eight years.
    values = {"F": 432, "M": 420, "_T": 876}
    rows = [
        {**base, "INDICATOR": "Effectif des élèves", "TIME_PERIOD": str(year), "SEX": sex,
         "OBS_VALUE": value + (year - 2015 if sex == "F" else 0)}
        for year in range(2015, 2023)
        for sex, value in values.items()
    ]  # fmt: skip
    return dataset("statistics", "statistiques.csv", "", rows)


@lru_cache(maxsize=1)
def submission() -> Submission:
    parts = {d.table: d for d in (budget(), performance(), marking(), statistics())}
    files = [
        SubmittedFile(s.name, s.sha256, s.size, "read", "profil", table, len(data))
        for table, data in parts.items()
        for s in data.provenance.sources
    ]
    files.append(SubmittedFile("note.pdf", "d" * 64, 12, "unknown"))
    provenance = Provenance.merge(*(d.provenance for d in parts.values()))
    return Submission(parts, tuple(files), (), provenance, Path())


def measures() -> list[tuple[str, Result, str | None]]:
    """Return the results of the standard analysis, with the charts that go with them."""
    data = submission()
    national = gap(data["statistics"], by=["INDICATOR", "URBANISATION", "SOURCE", "TIME_PERIOD"])
    by = [*SERIES[:4], "SUB_INDICATOR"]
    structure = budget_structure(data["budget"], by=["MINISTRY"])
    return [
        ("budget_structure", structure, "credits_by_ministry"),
        ("gaps", gap(data["performance"], by=[*SERIES, "TIME_PERIOD"]), "gaps"),
        ("achievement", achievement(data["performance"], by=by), "targets"),
        ("marking", gender_marking(data["marking"]), None),
        ("national_gaps", national, "national_gaps"),
    ]  # fmt: skip


@lru_cache(maxsize=1)
def validated() -> Any:
    return validate(submission())


def make_bundle(lang: str) -> ReportBundle:
    """Return a bundle that is not written yet."""
    bundle = ReportBundle(lang=lang).set_submission(submission()).set_validation(validated())
    for name, result, figure in measures():
        bundle.add(name, result, figure=figure)
    return bundle


@pytest.fixture
def new_bundle() -> Callable[[str], ReportBundle]:
    """Make a bundle in a language."""
    return make_bundle


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    """The results by name."""
    return {name: result for name, result, _ in measures()}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportBundle]:
    """A written bundle a language."""
    folder = tmp_path_factory.mktemp("written")
    out = {}
    for lang in ("fr", "ar", "en"):
        bundle = make_bundle(lang)
        bundle.write(folder / lang)
        out[lang] = bundle
    return out


@pytest.fixture(scope="session")
def pages(written: dict[str, ReportBundle]) -> dict[str, str]:
    """The pages by language."""
    return {
        lang: ((bundle.folder or Path()) / "report.html").read_text(encoding="utf-8")
        for lang, bundle in written.items()
    }


def beneficiaries() -> Dataset:
    """Return counts of persons whose sum fails, with small ones in it and in the row above."""
    base = {
        "DEPARTMENT": "JEUNESSE", "DEPARTMENT_LABEL": "Département de la Jeunesse",
        "TIME_PERIOD": "2024", "VALUE_KIND": "REALISED", "AGE": "_T", "URBANISATION": "_T",
        "DISABILITY_STATUS": "_T", "INCOME_WEALTH_QUANTILE": "_T", "POPULATION_GROUP": "_T",
        "EDUCATION_LEV": "_T", "ACTIVITY": "_T", "ADMIN_LEVEL": "_T", "UNIT_MEASURE": "PS",
        "UNIT_MULT": 0, "DECIMALS": 0, "OBS_STATUS": "A", "MEASURE_KIND": "COUNT",
        "COUNTED": "PERSONS", "SOURCE": "Registre",
    }  # fmt: skip
    rows = [
        {**base, "INDICATOR": name, "REF_AREA": area, "SEX": sex, "OBS_VALUE": value}
        for name, area, values in (
            ("Jeunes formés", "MA-01", (2, 5113, 5115)),
            ("Jeunes insérés", "MA-02", (3, 4177, 4199)),
            (HOSTILE, "MA-03", (7001, 7006, 7999)),
        )
        for sex, value in zip(("F", "M", "_T"), values, strict=True)
    ]  # fmt: skip
    data = dataset("beneficiaries", "bénéficiaires: 2024.xlsx", "Suivi", rows)
    origins = data.origins.assign(  # type: ignore[union-attr]
        _RAW=[f"{v:.0f} lu" for v in data.frame["OBS_VALUE"]],
        INDICATOR=[f"A{i + 4}" for i in range(len(rows))],
        REF_AREA=[f"B{i + 4}" for i in range(len(rows))],
        SEX=[f"C{i + 4}" for i in range(len(rows))],
    )
    return dataclasses.replace(data, origins=origins)


# Small counts, and figures that would give one away.
SECRET = ("5113", "4177", "4199", "3 lu", "2 lu")
JUSTIFIED = "Chiffre confirmé par le service <b>producteur</b>."


@lru_cache(maxsize=1)
def faulty() -> ValidationReport:
    """Return a report with blocking and waived findings, small cells, and rules that failed."""
    data = {d.table: d for d in (statistics(), performance(), beneficiaries())}
    files = [
        SubmittedFile(s.name, s.sha256, s.size, "read", "profil", table, len(d))
        for table, d in data.items()
        for s in d.provenance.sources
    ]
    merged = Provenance.merge(*(d.provenance for d in data.values()))
    filing = Submission(data, tuple(files), (), merged, Path("filing"))
    first = validate(filing)
    sums = [f for f in first.findings if f.code == "GBI-A003" and f.severity == "warning"]
    lifted = [{"id": f.id, "justification": JUSTIFIED, "by": "Chef de service"} for f in sums[:2]]
    report = dataclasses.replace(
        validate(filing, waivers=lifted, previous=first),
        not_run=(NotRun("GBI-P009", "statistics", "missing_column", ("SEX",)),),
        engine_errors=(EngineError("GBI-A007", "performance", "ZeroDivisionError"),),
    )
    # The second group of beneficiaries holds a small count, whoever says so.
    report.__dict__["findings"] = tuple(
        dataclasses.replace(f, mask="‹ 5").masked()
        if f.code == "GBI-A003" and f.a1 == "E9" and f.sheet == "Suivi"
        else f
        for f in report.findings
    )
    return report


@lru_cache(maxsize=1)
def cut_short() -> ValidationReport:
    """Return a report that stores two findings of a rule and table, and counts more."""
    return validate({"statistics": statistics(), "performance": performance()}, most=2)


@pytest.fixture(scope="session")
def truncated() -> ValidationReport:
    """The report of :func:`cut_short`."""
    return cut_short()


@pytest.fixture(scope="session")
def report() -> ValidationReport:
    """The report of :func:`faulty`."""
    return faulty()


@pytest.fixture(scope="session")
def secret() -> tuple[str, ...]:
    """Figures of :func:`faulty` that no output may show."""
    return SECRET


@pytest.fixture(scope="session")
def hostile() -> str:
    """The name of an indicator that is HTML."""
    return HOSTILE


@pytest.fixture(scope="session")
def justified() -> str:
    """The text of the waivers."""
    return JUSTIFIED
