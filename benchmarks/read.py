"""How fast workbooks are read, against pandas and bare calamine, on the same files in one run.

Every reader works in its own process, so that its peak memory is its own. Their values are
compared cell by cell before a ratio is printed; ratios are of processor time, which other work on
the machine disturbs least.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

Rows = Sequence[Sequence[Any]]
Reader = Callable[[Path], list[Rows]]
RUNS = 3
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def gbi_reader(path: Path) -> list[Rows]:
    from gbi.ingest.workbook import open_workbook

    return [grid.rows for grid in open_workbook(path, path.name).grids]


def calamine_reader(path: Path) -> list[Rows]:
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_path(path)
    return [book.get_sheet_by_name(s).to_python(skip_empty_area=False) for s in book.sheet_names]


def pandas_reader(engine: str) -> Reader:
    def read(path: Path) -> list[Rows]:
        import pandas as pd

        sheets = pd.read_excel(path, sheet_name=None, header=None, engine=engine,
                               keep_default_na=False)  # fmt: skip
        return [list(frame.itertuples(index=False)) for frame in sheets.values()]

    return read


READERS: dict[str, Reader] = {
    "pandas+openpyxl": pandas_reader("openpyxl"),
    "pandas+calamine": pandas_reader("calamine"),
    "calamine alone": calamine_reader,
    "gbi": gbi_reader,
}


def plain(value: Any) -> Any:
    """Return a value as all readers give it: whole floats as integers, no blank but None."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, float | int):
        return repr(float(value))
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value.isoformat()}T00:00:00" if isinstance(value, date) else str(value)


def digest(sheets: list[Rows]) -> str:
    """Return a hash over every filled cell with its address."""
    out = hashlib.sha256()
    for number, rows in enumerate(sheets):
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if (shown := plain(value)) is not None:
                    out.update(f"{number}\x1f{i}\x1f{j}\x1f{shown}\x1e".encode())
    return out.hexdigest()


def peak() -> float:
    """Return this process's peak memory in MiB; not a number where the system doesn't tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    line = next(x for x in status.read_text("utf-8").splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def work(reader: str, folder: Path, runs: int) -> dict[str, Any]:
    """Read every workbook of a folder, ``runs`` times; the libraries are loaded beforehand."""
    read, paths = READERS[reader], sorted(folder.glob("*.xlsx"))
    read(folder / "warm" / "warm.xlsx")
    before, times, busy = peak(), [], []
    for _ in range(runs):
        start, work_start = time.perf_counter(), time.process_time()
        for path in paths:
            read(path)
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - work_start)
    after = peak()
    sheets = [sheet for path in paths for sheet in read(path)]
    return {
        "time": min(times),
        "cpu": min(busy),
        "before": before,
        "peak": after,
        "digest": digest(sheets),
    }


def measured(reader: str, folder: Path, runs: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--reader", reader, "--folder", str(folder),
               "--runs", str(runs)]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def write(path: Path, rows: int, columns: int) -> None:
    """Write a sheet as Excel does (texts shared), half of its columns texts as ministries' are."""
    import openpyxl

    strings: dict[str, int] = {}

    def cell(row: int, column: int) -> str:
        at = f'<c r="{openpyxl.utils.get_column_letter(column + 1)}{row}"'
        if row > 1 and column % 2 == 0:
            return f'{at} s="0"><v>{(row * 31 + column) / 8 + 0.1}</v></c>'
        text = f"Programme {(row * 7 + column) % 9973} – région {column}" if row > 1 else "colonne"
        return f'{at} s="0" t="s"><v>{strings.setdefault(text, len(strings))}</v></c>'

    data = "".join(
        f'<row r="{i}" spans="1:{columns}">{"".join(cell(i, j) for j in range(columns))}</row>'
        for i in range(1, rows + 2)
    )
    made = BytesIO()
    openpyxl.Workbook().save(made)
    root = f'<?xml version="1.0" encoding="UTF-8"?><{{0}} xmlns="{MAIN}">{{1}}</{{0}}>'.format
    changed = {
        "xl/worksheets/sheet1.xml": root("worksheet", f"<sheetData>{data}</sheetData>"),
        "xl/sharedStrings.xml": root("sst", "".join(f"<si><t>{t}</t></si>" for t in strings)),
    }
    with zipfile.ZipFile(made) as empty:
        parts = {name: empty.read(name).decode() for name in empty.namelist()} | changed
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "</Types>",
        '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def compare(title: str, folder: Path, runs: int) -> None:
    results = {name: measured(name, folder, runs) for name in READERS}
    if len({r["digest"] for r in results.values()}) != 1:
        raise SystemExit(
            f"{title}: the readers differ: { {n: r['digest'][:8] for n, r in results.items()} }"
        )
    base = results["pandas+openpyxl"]["cpu"]
    print(f"{title} (all values equal)")
    for name, result in results.items():
        print(f"  {name:<16} {result['time']:7.3f} s, processor {result['cpu']:7.3f} s"
              f"   ratio {result['cpu'] / base:5.3f}"
              f"   peak {result['peak']:4.0f} MiB (loaded {result['before']:.0f})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", choices=list(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=RUNS, help="the best of so many runs counts")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--files", type=int, default=400)
    given = parser.parse_args()
    if given.reader:
        print(json.dumps(work(given.reader, given.folder, given.runs)))
        return
    with tempfile.TemporaryDirectory() as root:
        large, small = Path(root) / "large", Path(root) / "small"
        write(large / "a.xlsx", given.rows, 20)
        for number in range(given.files):
            write(small / f"{number:03}.xlsx", 30, 10)
        for folder in (large, small):
            write(folder / "warm" / "warm.xlsx", 3, 3)
        compare(f"one workbook, {given.rows} rows × 20 columns", large, given.runs)
        compare(f"{given.files} workbooks, 30 rows × 10 columns", small, given.runs)


if __name__ == "__main__":
    main()
