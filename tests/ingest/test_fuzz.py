"""Five thousand damaged files: no traceback, no crash, no hang."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import xlwt

from gbi.resources import resource_path

FUZZING = Path(__file__).with_name("fuzzing.py")
SAMPLE = resource_path("samples", "maroc-plf2025")
# The isolated formats start a process per file: fewer of those.
DIRECT, ISOLATED = 4_600, 400
WORKERS = 2
REAL = ("mar_hcp_chomage_trimestriel_xlsx/*.xlsx", "ind_cbga_gender_budget_2017/*.xlsx",
        "undp_gii_inputs/gii_historical.csv", "eurostat_paygap_csv/*",
        "mar_rgph_regions_2014/*Oriental(Rural).xls", "mar_regions_reference/*.csv",
        "sdmx_estat_demography/demography-xs.xml", "mex_sniiv_subsidios/*.json")  # fmt: skip


def made(folder: Path) -> dict[str, list[Path]]:
    """Write small files of the formats that the sample lacks."""
    frame = pd.DataFrame({"a": [1.5, 2.0], "region": ["Fès", "Oriental"]})
    frame.to_parquet(folder / "f.parquet")
    frame.to_feather(folder / "f.feather")
    frame.to_stata(folder / "f.dta", write_index=False)
    book = xlwt.Workbook()
    sheet = book.add_sheet("Feuil1")
    for row in range(30):
        for column in range(6):
            sheet.write(row, column, row * column if row % 2 else f"texte {row}")
    book.save(str(folder / "f.xls"))
    direct = [folder / name for name in ("f.parquet", "f.feather", "f.dta")]
    return {"direct": direct, "isolated": [folder / "f.xls"]}


def run(first: int, count: int, paths: list[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, str(FUZZING), str(first), str(count), *map(str, paths)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


@pytest.mark.slow
def test_five_thousand_mutations(tmp_path: Path, shared_dir: Path) -> None:
    sources = made(tmp_path)
    real = [p for pattern in REAL for p in sorted((shared_dir / "data" / "real").glob(pattern))]
    assert len(real) >= len(REAL)
    small = [p for p in real if p.stat().st_size < 100_000]
    sources["direct"] += [*sorted(SAMPLE.glob("*.xlsx")), *sorted(SAMPLE.glob("*.csv")), *small]
    assert len(sources["direct"]) > 15
    plan = [(i * DIRECT // WORKERS, DIRECT // WORKERS, "direct") for i in range(WORKERS)]
    plan += [(DIRECT, ISOLATED, "isolated")]
    assert sum(count for _, count, _ in plan) == 5_000
    running = [run(first, count, sources[kind]) for first, count, kind in plan]
    for process, (_, count, _) in zip(running, plan, strict=True):
        out, err = process.communicate(timeout=1_500)
        last = out.rstrip().splitlines()[-1:] or ["nothing"]
        assert process.returncode == 0, f"after {last}: {err[-2_000:]}"
        told = re.fullmatch(r"read (\d+), refused (\d+)", last[0])
        assert told is not None
        assert int(told[1]) + int(told[2]) == count
