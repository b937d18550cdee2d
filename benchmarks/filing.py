"""How fast small workbooks are read and validated, against pandas, openpyxl and pandera.

Each workbook is a filed table of thirty rows and twenty columns. Both sides check types, code
lists, required cells and the key, and must name the same cells; ratios are of processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import pandas as pd

TABLE = "statistics"
ROWS = 30


CODED = ("SEX", "AGE", "URBANISATION", "EDUCATION_LEV", "ACTIVITY", "ADMIN_LEVEL")


def write_books(folder: Path, number: int, every: int) -> None:
    """Write the workbooks, in the layout of gbi's own columns; one in ``every`` has faults."""
    import gbi

    rng = np.random.default_rng(7)
    for book in range(number):
        frame = pd.DataFrame(
            {
                "INDICATOR": [f"Indicateur {i}" for i in range(ROWS)],
                "TIME_PERIOD": "2024",
                "REF_AREA": "MA",
                **dict.fromkeys((*CODED, "DISABILITY_STATUS", "POPULATION_GROUP"), "_T"),
                "INCOME_WEALTH_QUANTILE": "_T",
                "OBS_VALUE": rng.integers(10, 99, ROWS).astype(float),
                "UNIT_MEASURE": "NUMBER",
                "UNIT_MULT": pd.Series(0, index=range(ROWS), dtype="Int64"),
                "OBS_STATUS": "A",
                "MEASURE_KIND": "COUNT",
                "COUNTED": "STRUCTURES",
                "SOURCE": "HCP",
            }
        )
        if book % every == 0:
            for column in CODED:
                frame.loc[rng.choice(ROWS, 3, replace=False), column] = "QQQ"
        gbi.write(gbi.Dataset(frame, TABLE), folder / f"{book:03}.xlsx")


def by_gbi(folder: Path) -> list[list[object]]:
    import gbi

    found: list[list[object]] = []
    for path in sorted(folder.glob("*.xlsx")):
        report = gbi.validate(gbi.read(path), only=["C", "S", "T"])
        pairs = [(f.field, int(f.a1.lstrip(ascii_uppercase)) - 2) for f in report.findings]
        found += [[path.name, column, row] for column, row in sorted(pairs)]
    return found


def by_pandera(folder: Path) -> list[list[object]]:
    import pandera.pandas as pa

    import gbi

    schema = gbi.schema(TABLE)
    contract = schema.to_pandera()
    types = {"string": "str", "number": "float64", "integer": "Int64"}
    dtypes = {f.name: types[f.type] for f in schema.fields if f.type in types}
    found: list[list[object]] = []
    for path in sorted(folder.glob("*.xlsx")):
        frame = pd.read_excel(path, engine="openpyxl", dtype=dtypes)
        try:
            contract.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases
            pairs = zip(cases["column"], cases["index"].astype(int).tolist(), strict=True)
            found += [[path.name, column, row] for column, row in sorted(pairs)]
    return found


TOOLS = {"gbi": by_gbi, "pandas+openpyxl+pandera": by_pandera}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=int, default=400)
    parser.add_argument("--tool", choices=TOOLS)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    if args.tool:
        warm = Path(tempfile.mkdtemp())
        (warm / "000.xlsx").write_bytes((args.folder / "000.xlsx").read_bytes())
        TOOLS[args.tool](warm)
        start = time.process_time()
        found = TOOLS[args.tool](args.folder)
        print(json.dumps({"seconds": time.process_time() - start, "found": found}))
        return
    for every in (10, 1):
        compare(args.books, every)


def compare(books: int, every: int) -> None:
    """Measure both sides on the same workbooks and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        write_books(Path(name), books, every)
        told = {}
        for tool in TOOLS:
            command = [sys.executable, __file__, "--tool", tool, "--folder", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            told[tool] = json.loads(done.stdout.splitlines()[-1])
    mine, theirs = (told[tool] for tool in TOOLS)
    if mine["found"] != theirs["found"]:
        raise SystemExit(f"{len(mine['found'])} rows against {len(theirs['found'])}")
    for tool, one in told.items():
        print(
            f"{books} workbooks, one in {every} with faults  {len(one['found']):>5} breaches  "
            f"{tool:<24}{one['seconds']:7.2f} s  ratio {one['seconds'] / theirs['seconds']:5.2f}"
        )


if __name__ == "__main__":
    main()
