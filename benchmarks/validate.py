"""How fast rows are validated, against pandera, frictionless and DuckDB, on the same rows.

25 rules of seven kinds on a wide table, without faults and with each rule broken by one row in a
hundred. Every tool names all the rows that break each rule; these are compared before a ratio is
printed. Each tool works in its own process, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RUNS = 3
NUMBERS = [f"n{i}" for i in range(8)]
WORDS = [f"s{i}" for i in range(5)]
LEVELS = ["F", "M", "_O", "_U", "_T"]
Broken = dict[str, "np.ndarray[Any, Any]"]

# code → operator and what it is about; every tool below reads this one list.
RULES: list[tuple[str, str, dict[str, Any]]] = [
    ("BEN-R010", "consistent_with", {"where": {"s3": ["F"]}, "forbid": {"s4": ["M"]}}),
    ("BEN-S010", "unique_key", {"key": ["id"]}),
]
for i, c in enumerate(NUMBERS):
    RULES.append((f"BEN-P{i:03}", "range", {"column": c, "min": 0, "max": 1000}))
for i, c in enumerate(WORDS):
    RULES.append((f"BEN-C{i:03}", "one_of", {"columns": [c], "values": LEVELS}))
for i, c in enumerate([*NUMBERS[:3], *WORDS[:2]]):
    RULES.append((f"BEN-S{i:03}", "required", {"columns": [c]}))
for i in range(3):
    RULES.append((f"BEN-T{i:03}", "integer", {"column": f"k{i}"}))
for i in range(2):
    bounds = {"column": f"v{i}", "low": f"low{i}", "high": f"high{i}"}
    RULES.append((f"BEN-R{i:03}", "within_columns", bounds))


WIDE = [(f"BEN-P{i:03}", "range", {"column": f"w{i}", "min": 0, "max": 1000}) for i in range(60)]


def wide_rows(n: int, bad: float) -> pd.DataFrame:
    """Return sixty columns of numbers, of which this share is out of bounds."""
    rng = np.random.default_rng(20261125)
    values = rng.uniform(0, 1000, (n, len(WIDE)))
    values[rng.random(values.shape) < bad] = 5000.0
    return pd.DataFrame(values, columns=[params["column"] for _, _, params in WIDE])


def rows(n: int, bad: float) -> pd.DataFrame:
    """Return a table in which each rule is broken by about this share of the rows."""
    rng = np.random.default_rng(20261125)
    frame = pd.DataFrame({"id": np.arange(n).astype(str)})
    for c in NUMBERS:
        frame[c] = rng.uniform(0, 1000, n)
    for c in WORDS:
        frame[c] = rng.choice(LEVELS, n)
    for c in ("k0", "k1", "k2"):
        frame[c] = rng.integers(0, 500, n).astype(float)
    for i in range(2):
        frame[f"low{i}"] = rng.uniform(0, 400, n)
        frame[f"high{i}"] = frame[f"low{i}"] + 200
        frame[f"v{i}"] = frame[f"low{i}"] + rng.uniform(1, 199, n)
    frame["s4"] = frame["s4"].where((frame["s3"] != "F") | (frame["s4"] != "M"), "_T")
    for _, operator, params in RULES:
        at = np.flatnonzero(rng.random(n) < bad)
        match operator:
            case "range":
                frame.loc[at, params["column"]] = 5000.0
            case "one_of":
                frame.loc[at, params["columns"][0]] = "femme"
            case "required":
                frame.loc[at, params["columns"][0]] = None
            case "integer":
                frame.loc[at, params["column"]] += 0.5
            case "within_columns":
                frame.loc[at, params["column"]] = frame.loc[at, params["high"]] + 50
            case "consistent_with":
                frame.loc[at, ["s3", "s4"]] = ["F", "M"]
            case "unique_key":
                frame.loc[at, "id"] = frame.loc[0, "id"] if len(at) else None
    return frame


def by_gbi(path: Path) -> tuple[Callable[[], Any], Callable[[Any], Broken]]:
    import yaml

    import gbi
    from gbi.dataset import Dataset
    from gbi.provenance import Provenance

    folder = Path(tempfile.mkdtemp())
    for code, operator, params in RULES:
        example = {"table": "survey", "rows": [{"id": "1"}]}
        words = {"title": code, "seen": "{found}", "expected": "{expected}", "fix": "{cell}"}
        rule = {
            "code": code, "slug": code.lower().replace("-", "_"), "since": "0.1.0",
            "operator": operator, "params": params, "scope": "cell", "tables": ["survey"],
            "needs": [], "missing": "skip_if_any", "tolerance": None,
            "severity": [{"from": "2025-01-01", "level": "warning"}], "waivable": True,
            "sensitive": False, "references": [], "reviewed": False,
            "why": dict.fromkeys(("fr", "ar", "en"), code),
            "messages": dict.fromkeys(("fr", "ar", "en"), words),
            "examples": {"fail": [example], "pass": [example]},
        }  # fmt: skip
        (folder / f"{code}.yaml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    # As gbi.read gives it: the file was hashed when it was read.
    frame = pd.read_parquet(path)
    data = {"survey": Dataset(frame, "survey", provenance=Provenance.of_file(path))}
    codes = [code for code, *_ in RULES]
    gbi.validate({"survey": frame.head(10)}, rules=folder, only=codes)

    def found(positions: pd.DataFrame) -> Broken:
        parts = positions.groupby("CODE", observed=True)["ROW"]
        return {str(code): np.sort(rows.to_numpy()) for code, rows in parts}

    def run() -> pd.DataFrame:
        report = gbi.validate(data, rules=folder, only=codes)
        assert not report.engine_errors, report.engine_errors
        return report.positions()

    return run, found


def by_pandera(path: Path) -> tuple[Callable[[], Any], Callable[[Any], Broken]]:
    import pandera.pandas as pa

    frame = pd.read_parquet(path)
    columns: dict[str, list[Any]] = {str(c): [] for c in frame.columns}
    wide: list[Any] = []
    for code, operator, p in RULES:
        match operator:
            case "range":
                columns[p["column"]].append(pa.Check.in_range(p["min"], p["max"], error=code))
            case "one_of":
                columns[p["columns"][0]].append(pa.Check.isin(p["values"], error=code))
            case "required":
                check = pa.Check(lambda s: s.notna(), name=code, ignore_na=False)
                columns[p["columns"][0]].append(check)
            case "integer":
                columns[p["column"]].append(pa.Check(lambda s: s % 1 == 0, name=code))
            case "within_columns":
                wide.append(pa.Check(_between(p), name=code, ignore_na=False))
            case "consistent_with":
                wide.append(pa.Check(_consistent, name=code, ignore_na=False))
            case "unique_key":
                duplicated = pa.Check(lambda s: ~s.duplicated(keep=False), name=code)
                columns["id"].append(duplicated)
    schema = pa.DataFrameSchema(
        {c: pa.Column(checks=checks, nullable=True) for c, checks in columns.items()}, checks=wide
    )

    def run() -> Any:
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            return errors.failure_cases
        return pd.DataFrame({"check": [], "index": []})

    def found(cases: Any) -> Broken:
        parts = cases.groupby("check")["index"]
        return {str(c): np.unique(rows.to_numpy(dtype=np.int64)) for c, rows in parts}

    return run, found


def _between(p: dict[str, Any]) -> Callable[[pd.DataFrame], Any]:
    return lambda d: (d[p["column"]] >= d[p["low"]]) & (d[p["column"]] <= d[p["high"]])


def _consistent(d: pd.DataFrame) -> Any:
    return ~((d["s3"] == "F") & (d["s4"] == "M"))


def by_duckdb(path: Path) -> tuple[Callable[[], Any], Callable[[Any], Broken]]:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t AS SELECT *, row_number() OVER () - 1 AS r FROM '{path}'")
    conditions = {}
    for code, operator, p in RULES:
        match operator:
            case "range":
                conditions[code] = f"{p['column']} < {p['min']} OR {p['column']} > {p['max']}"
            case "one_of":
                listed = ", ".join(f"'{v}'" for v in p["values"])
                conditions[code] = f"{p['columns'][0]} NOT IN ({listed})"
            case "required":
                conditions[code] = f"{p['columns'][0]} IS NULL"
            case "integer":
                conditions[code] = f"{p['column']} % 1 <> 0"
            case "within_columns":
                conditions[code] = f"{p['column']} < {p['low']} OR {p['column']} > {p['high']}"
            case "consistent_with":
                conditions[code] = "s3 = 'F' AND s4 = 'M'"
            case "unique_key":
                conditions[code] = "id IN (SELECT id FROM t GROUP BY id HAVING count(*) > 1)"

    def run() -> Broken:
        return {
            code: connection.execute(f"SELECT r FROM t WHERE {c}").fetchnumpy()["r"]
            for code, c in conditions.items()
        }

    def found(result: Broken) -> Broken:
        return {code: np.sort(np.asarray(rows)) for code, rows in result.items() if len(rows)}

    return run, found


def by_frictionless(path: Path) -> tuple[Callable[[], Any], Callable[[Any], Broken]]:
    from frictionless import Checklist, Resource, Schema, checks, formats, validate  # noqa: F401

    frame = pd.read_parquet(path)
    fields: list[dict[str, Any]] = []
    for c in frame.columns:
        kind = "string" if c in (*WORDS, "id") else "number"
        fields.append({"name": c, "type": kind, "constraints": {}})
    named = {f["name"]: f["constraints"] for f in fields}
    codes: dict[tuple[str, str], str] = {}
    conditions = []
    for code, operator, p in RULES:
        match operator:
            case "range":
                named[p["column"]] |= {"minimum": p["min"], "maximum": p["max"]}
                codes[p["column"], "minimum"] = codes[p["column"], "maximum"] = code
            case "one_of":
                named[p["columns"][0]]["enum"] = p["values"]
                codes[p["columns"][0], "enum"] = code
            case "required":
                named[p["columns"][0]]["required"] = True
                codes[p["columns"][0], "required"] = code
            case "integer":
                conditions.append((code, f"{p['column']} % 1 == 0"))
            case "within_columns":
                conditions.append((code, f"{p['low']} <= {p['column']} <= {p['high']}"))
            case "consistent_with":
                conditions.append((code, "not (s3 == 'F' and s4 == 'M')"))
    by_formula = {formula: code for code, formula in conditions}
    lists = [
        list(frame.columns),
        *frame.astype(object).where(frame.notna(), None).to_numpy().tolist(),
    ]
    resource = Resource(data=lists, schema=Schema.from_descriptor({"fields": fields}))
    checklist = Checklist(checks=[checks.row_constraint(formula=f) for _, f in conditions])

    def run() -> Any:
        return resource.validate(checklist, limit_errors=10**9)

    def found(report: Any) -> Broken:
        out: dict[str, set[int]] = {}
        for error in report.tasks[0].errors:
            if error.type == "row-constraint":
                formula = error.note.split('"')[1] if '"' in error.note else error.note
                code = by_formula[formula]
            else:
                kind = error.note.split('"')[1]
                code = codes[error.field_name, kind]
            out.setdefault(code, set()).add(error.row_number - 2)
        return {code: np.array(sorted(rows)) for code, rows in out.items()}

    return run, found


TOOLS = {"gbi": by_gbi, "pandera": by_pandera, "duckdb": by_duckdb, "frictionless": by_frictionless}


def work(tool: str, path: Path, out: Path, runs: int) -> None:
    """Run one tool in this process and write its time, memory and answer."""
    import resource as limits

    run, found = TOOLS[tool](path)
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        result = run()
        seconds.append(time.process_time() - start)
    broken = found(result)
    np.savez(out, **broken)
    peak = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak": peak}))


def measure(
    tools: list[str], n: int, bad: float, folder: Path, runs: int, wide: bool = False
) -> None:
    """Measure the tools on one table, compare their answers, print ratios to pandera."""
    path = folder / f"{n}-{bad}-{wide}.parquet"
    (wide_rows if wide else rows)(n, bad).to_parquet(path)
    told: dict[str, dict[str, float]] = {}
    answers: dict[str, dict[str, Any]] = {}
    for tool in tools:
        out = folder / f"{tool}.npz"
        command = [sys.executable, __file__, "--tool", tool, "--path", str(path), "--out", str(out)]
        command += ["--runs", str(1 if tool == "frictionless" else runs)]
        command += ["--wide"] if wide else []
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told[tool] = json.loads(done.stdout.splitlines()[-1])
        answers[tool] = dict(np.load(out))
    for tool in tools[1:]:
        for code, *_ in WIDE if wide else RULES:
            if tool == "frictionless" and code == "BEN-S010":
                continue  # it stops at the first row with a key, not at every one
            mine, theirs = (answers[t].get(code, np.zeros(0)) for t in (tools[0], tool))
            if not np.array_equal(mine, theirs):
                raise SystemExit(f"{tool} {code}: {len(mine)} rows against {len(theirs)}")
    count = sum(map(len, answers[tools[0]].values()))
    for tool in tools:
        seconds, peak = told[tool]["seconds"], told[tool]["peak"]
        ratio = seconds / told["pandera"]["seconds"]
        print(
            f"{n:>9,} rows  {bad:>5.1%} bad  {count:>9,} breaches  {tool:<13}"
            f"{seconds:8.3f} s  ratio to pandera {ratio:6.2f}  peak {peak:6.0f} MiB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--tool", choices=TOOLS)
    parser.add_argument("--path", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--wide", action="store_true")
    args = parser.parse_args()
    if args.tool:
        if args.wide:
            RULES[:] = WIDE
        work(args.tool, args.path, args.out, args.runs)
        return
    try:
        import frictionless  # noqa: F401

        slow = ["frictionless"]
    except ImportError:
        slow = []
    with tempfile.TemporaryDirectory() as folder:
        for n in args.rows:
            for bad in (0.0, 0.01):
                tools = ["gbi", "pandera", "duckdb", *(slow if n <= 100_000 else [])]
                measure(tools, n, bad, Path(folder), args.runs)
        print("sixty columns, sixty rules")
        measure(["gbi", "pandera", "duckdb"], 100_000, 0.135, Path(folder), args.runs, wide=True)


if __name__ == "__main__":
    main()
