"""The printed annexes that no sample holds: their layout rebuilt, with the published totals."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

import gbi

Rows = list[list[object]]
HEALTH, JUSTICE = "MINISTERE DE LA SANTE ET DE LA PROTECTION SOCIALE", "MINISTERE DE LA JUSTICE"


def workbook(path: Path, rows: Rows, merged: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    book.save(path)
    return path


def segma(path: Path, total: str = "2 016 497 000") -> Path:
    """Two lines that add up to the published total of the SEGMA of 2025."""
    return workbook(
        path,
        [
            ["Annexe : Répartition des crédits des SEGMA - PLF 2025 (en dirhams)"],
            ["Ordonnateur", "SEGMA", "Exploitation", "Investissement", None, "Total"],
            [None, None, None, "CP", "CE", None],
            [HEALTH, "CHU Ibn Sina", "1 000 000 000", "500 000 000", "100 000 000",
             "1 500 000 000"],
            [None, "CHU Ibn Rochd", "400 000 000", "16 497 000", "-", "416 497 000"],
            [JUSTICE, "Centre de publication", "100 000 000", "-", "-", "100 000 000"],
            ["TOTAL", None, "1 500 000 000", "516 497 000", "100 000 000", total],
        ],
        ("A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:F3"),
    )  # fmt: skip


def test_segma(tmp_path: Path) -> None:
    data = gbi.read(segma(tmp_path / "segma.xlsx"))
    frame = data.frame
    assert data.findings == ()
    assert set(frame["BUDGET_COMPONENT"]) == {"SEGMA"}
    assert set(frame["TIME_PERIOD"]) == {"2025"}
    whole = frame[frame["ECON_NATURE"] == "_T"]
    assert whole["OBS_VALUE"].sum() == 2_016_497_000
    assert list(whole["BUDGET_LINE"]) == ["CHU Ibn Sina", "CHU Ibn Rochd", "Centre de publication"]
    assert whole["MINISTRY"].nunique() == 2
    ce = frame[frame["CREDIT_TYPE"] == "CE"]
    assert ce["OBS_VALUE"].sum() == 100_000_000
    assert data.totals is not None
    assert data.origin(3).a1 == "F4"


def test_a_printed_total_that_is_not_the_sum(tmp_path: Path) -> None:
    data = gbi.read(segma(tmp_path / "segma.xlsx", total="2 016 497 001"))
    (found,) = data.findings
    assert (found.code, found.a1, found.found, found.expected, found.difference) == (
        "GBI-A030", "F7", 2_016_497_001.0, 2_016_497_000.0, 1.0,
    )  # fmt: skip
    assert [c.a1 for c in found.cells] == ["F7", "F4", "F5", "F6"]


def test_cst(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "cst.xlsx",
        [
            ["Plafonds des charges des comptes d'affectation spéciale (en dirhams)"],
            ["Ordonnateur", "Intitulé", "LF 2024", "PLF 2025"],
            ["MINISTERE DE L'ECONOMIE ET DES FINANCES",
             "Fonds d'appui à la protection sociale et à la cohésion sociale",
             "30 000 000 000", "36 072 236 000"],
            ["MINISTERE DE L'INTERIEUR", "Fonds de soutien à l'INDH", "-", "2 600 000 000"],
            [None, "Autres comptes", "1 000", "112 284 566 000"],
            ["TOTAL", None, "30 000 001 000", "150 956 802 000"],
        ],
    )  # fmt: skip
    data = gbi.read(path)
    assert data.findings == ()
    bill = data.frame[data.frame["BUDGET_STAGE"] == "BILL"]
    assert bill["OBS_VALUE"].sum() == 150_956_802_000
    assert set(data.frame["BUDGET_STAGE"]) == {"BILL", "VOTED"}
    assert list(bill["MINISTRY"])[1] == list(bill["MINISTRY"])[2]


REGIONS = ["Tanger-Tétouan-Al Hoceima", "L'Oriental", "Fès-Meknès", "Rabat-Salé-Kénitra",
           "Béni Mellal-Khénifra", "Casablanca-Settat", "Marrakech-Safi", "Drâa-Tafilalet",
           "Souss-Massa", "Guelmim-Oued Noun", "Laâyoune-Sakia El Hamra",
           "Dakhla-Oued Ed-Dahab"]  # fmt: skip


def test_regional_investment(tmp_path: Path) -> None:
    rows: Rows = [
        ["Répartition régionale de l'investissement - PLF 2025 (MDH)"],
        ["Région", "CP", "CE", "Part (%)"],
        *([region, f"{i},5", str(i), "8"] for i, region in enumerate(REGIONS, 1)),
        ["Services communs", "100", "-", "9"],
        ["Total", "184", "78", "100"],
    ]
    data = gbi.read(workbook(tmp_path / "regions.xlsx", rows))
    assert [f.code for f in data.findings if f.code != "GBI-P009"] == []
    assert len(set(data.frame["REF_AREA"])) == 13
    assert "MA-00" in set(data.frame["REF_AREA"])
    payments = data.frame[data.frame["CREDIT_TYPE"] == "CP"]
    assert payments["OBS_VALUE"].sum() == 184
    assert set(data.frame["UNIT_MULT"]) == {6}


def test_three_year_programming(tmp_path: Path) -> None:
    rows: Rows = [
        [f"Programmation budgétaire triennale 2025-2027 - {JUSTICE} (MDH)"],
        ["Programme", "Nature de dépense", "LF 2024", "PLF 2025", "Prévisions 2026",
         "Prévisions 2027"],
        ["Soutien et pilotage", "Personnel", "10,5", "11", "12", "13"],
        [None, "Investissement CP", "1", "2", "3", "4"],
        [None, "Investissement CE", "5", "6", "7", "8"],
        ["Renforcement des droits", "MDD", "1", "1", "1", "1"],
    ]  # fmt: skip
    data = gbi.read(workbook(tmp_path / "pbt.xlsx", rows))
    assert data.findings == ()
    frame = data.frame.set_index(["PROGRAMME", "ECON_NATURE", "CREDIT_TYPE", "TIME_PERIOD"])
    assert frame.loc[("Soutien et pilotage", "INVESTMENT", "CE", "2027"), "OBS_VALUE"] == 8
    stages = data.frame.drop_duplicates("TIME_PERIOD").set_index("TIME_PERIOD")["BUDGET_STAGE"]
    assert stages.to_dict() == {
        "2024": "VOTED", "2025": "BILL", "2026": "PROGRAMMED", "2027": "PROGRAMMED",
    }  # fmt: skip
    assert data.frame["MINISTRY"].nunique() == 1


@pytest.mark.parametrize("name", ["segma", "cst"])
def test_a_new_export_is_one_profile_that_extends_another(tmp_path: Path, name: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        f"name: own-{name}\nextends: maroc-{name}\nversion: '1.0'\n"
        "constants: {BUDGET_STAGE: VOTED}\n",
        encoding="utf-8",
    )
    assert gbi.ingest.load_profile(own).constants["BUDGET_COMPONENT"] == name.upper()
    if name == "segma":
        data = gbi.read(segma(tmp_path / "segma.xlsx"), profile=own)
        assert set(data.frame["BUDGET_STAGE"]) == {"VOTED"}
