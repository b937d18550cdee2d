"""A register in Parquet, in batches and pieces: the same breaches as the table in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.validation import ValidationReport, streaming, validate

pytestmark = pytest.mark.slow  # many runs of whole submissions

AGES = ("Y_LT15", "Y15T24", "Y_GE25")


def register(rows: int = 1200) -> pd.DataFrame:
    """Return counts of users by department, sex and age with totals, and faults of all kinds."""
    rng = np.random.default_rng(4)
    records = []
    for group in range(rows // 12):
        base = {
            "DEPARTMENT": ("D-SAN", "D-EDU", "D-JUS")[group % 3],
            "PROGRAMME": f"P{group % 7}",
            "SERVICE": f"S{group}",
            "INDICATOR": "Usagers",
            "TIME_PERIOD": str(2020 + group % 4),
        }
        cells = {(s, a): int(rng.integers(5, 900)) for s in "FM" for a in AGES}
        for sex in ("F", "M", "_T"):
            for age in (*AGES, "_T"):
                value = sum(
                    v for (s, a), v in cells.items() if sex in (s, "_T") and age in (a, "_T")
                )
                records.append({**base, "SEX": sex, "AGE": age, "OBS_VALUE": float(value)})
    frame = pd.DataFrame(records)
    for column, code in {
        "REF_AREA": "MA",
        "VALUE_KIND": "REALISED",
        "UNIT_MEASURE": "NUMBER",
        "OBS_STATUS": "A",
        "MEASURE_KIND": "COUNT",
        "COUNTED": "PERSONS",
    }.items():
        frame[column] = code
    frame["UNIT_MULT"] = pd.Series(0, index=frame.index, dtype="Int64")
    n = len(frame)
    frame.loc[rng.choice(n, 12, replace=False), "OBS_VALUE"] += 1000.0  # sums
    frame.loc[rng.choice(n, 9, replace=False), "OBS_VALUE"] = -4.0  # below zero
    frame.loc[rng.choice(n, 9, replace=False), "OBS_VALUE"] += 0.5  # no whole number
    frame.loc[rng.choice(n, 7, replace=False), "SEX"] = "femme"  # no code
    frame.loc[rng.choice(n, 7, replace=False), "OBS_VALUE"] = np.nan  # without a reason
    twice = frame.iloc[rng.choice(n, 8, replace=False)]
    return pd.concat([frame, twice], ignore_index=True)


def pairs(report: ValidationReport, codes: set[str]) -> set[tuple[str, int]]:
    positions = report.positions()
    mine = positions[positions["CODE"].isin(codes)]
    return set(zip(mine["CODE"].astype(str), mine["ROW"].tolist(), strict=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    out = tmp_path / "register.parquet"
    register().to_parquet(out, row_group_size=500)
    return out


@pytest.mark.parametrize(("batch", "piece"), [(170, 300)])
def test_the_same_rows_break_the_same_rules_as_in_memory(
    path: Path, batch: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH", batch)
    monkeypatch.setattr(streaming, "PIECE", piece)
    whole = validate({"beneficiaries": pd.read_parquet(path)})
    pieces = validate({"beneficiaries": path})
    assert not whole.engine_errors
    assert not pieces.engine_errors
    skipped = {n.code for n in pieces.not_run}
    ran = {r.code for r in pieces.rules if r.status in ("passed", "failed")} - skipped
    expected = pairs(whole, ran)
    assert pairs(pieces, ran) == expected
    assert {"GBI-A003", "GBI-A007", "GBI-C010", "GBI-P007", "GBI-P008", "GBI-S001",
            "GBI-S004"} <= {code for code, _ in expected}  # fmt: skip
    counts = {r.code: r.findings for r in whole.rules if r.code in ran}
    assert {r.code: r.findings for r in pieces.rules if r.code in ran} == counts
    ids = [f.id for f in pieces.findings]
    assert len(ids) == len(set(ids))


def test_a_finding_names_the_cell_as_a_sheet_would(path: Path) -> None:
    frame = pd.read_parquet(path)
    report = validate({"beneficiaries": path}, only=["P007"])
    assert report.unmasked()
    for finding in report.unmasked():
        assert finding.file == "register.parquet"
        assert finding.a1[0] == "HGFEDCBA"[7 - list(frame.columns).index("OBS_VALUE")]
        assert frame["OBS_VALUE"].iloc[int(finding.a1[1:]) - 2] == finding.found


def test_all_are_counted_and_the_first_are_stored(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH", 200)
    whole = validate({"beneficiaries": path}, only=["P007"])
    few = validate({"beneficiaries": path}, only=["P007"], most=3)
    assert few.truncation == {"stored": 3, "counted": len(whole.findings)}
    assert [f.a1 for f in few.unmasked()] == [f.a1 for f in whole.unmasked()[:3]]
    assert few.counts == whole.counts
    assert len(few.positions()) == len(whole.positions())


def test_what_needs_the_whole_table_is_said_not_to_have_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PIECE", 300)
    monkeypatch.setattr(streaming, "_MOST_IN_A_PIECE", 310)
    report = validate({"beneficiaries": path})
    reasons = {n.reason for n in report.not_run}
    assert reasons == {"too_large"}
    assert report.verdict in ("rejected", "incomplete")


def test_a_column_of_another_type_is_one_finding_and_the_rest_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "register.parquet"
    register(240).assign(OBS_VALUE="12 usagers").to_parquet(out)
    report = validate({"beneficiaries": out})
    assert [f.field for f in report.findings if f.code == "GBI-T020"] == ["OBS_VALUE"]
    assert {n.reason for n in report.not_run if n.code == "GBI-P007"} == {"wrong_type"}
    assert not report.engine_errors


def test_no_such_file_and_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as missing:
        validate({"beneficiaries": tmp_path / "no.parquet"})
    assert (missing.value.code, missing.value.exit_code) == ("GBI-E060", 2)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(GbiError) as damaged:
        validate({"beneficiaries": broken})
    assert (damaged.value.code, damaged.value.exit_code) == ("GBI-E061", 3)


def test_a_dataset_and_its_plain_frame_give_the_same(path: Path) -> None:
    frame = pd.read_parquet(path)
    a = validate({"beneficiaries": frame}, only=["P", "A003"])
    b = validate({"beneficiaries": Dataset(frame, "beneficiaries")}, only=["P", "A003"])
    assert a.findings
    assert [f.id for f in a.findings] == [f.id for f in b.findings]
