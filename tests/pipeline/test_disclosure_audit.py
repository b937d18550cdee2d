"""An audit of a whole run: what can be solved for the hidden cells from everything it wrote."""

from __future__ import annotations

import json
import zipfile
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from gbi import pipeline
from gbi.compute.small_cells import SmallCells
from gbi.dataset import Dataset, Submission
from gbi.provenance import Provenance

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MIN_N = 5
Cell = tuple[str, str, str, str]  # indicator, region, sex, kind of value
BASE = {
    "DEPARTMENT": "SANTE", "PROGRAMME": "P", "OBJECTIVE": "O", "AGE": "_T", "URBANISATION": "_T",
    "OBS_STATUS": "A", "UNIT_MULT": 0, "DECIMALS": 0, "MEASURE_KIND": "COUNT",
    "COUNTED": "PERSONS", "UNIT_MEASURE": "NUMBER", "DIRECTION": "UP",
}  # fmt: skip
PERIOD = {"REALISED": "2023", "TARGET": "2024"}
# Per indicator, women and men per region. Figures that no other place has can be searched for.
NATIONAL = {"a": [(3, 71837)], "b": [(64119, 2)], "c": [(51283, 62911)]}
REGIONAL = {"d": [(3, 71837), (52817, 61573), (43391, 4)], "c": [(51283, 62911)] * 3}


def counted(figures: dict[str, list[tuple[int, int]]], add: int) -> dict[Cell, float]:
    out: dict[Cell, float] = {}
    for name, regions in figures.items():
        for kind, more in (("REALISED", 0), ("TARGET", add)):
            many = [np.array(r) + (np.array(r) > 10) * more for r in regions]
            named = [f"MA-{i:02d}" for i in range(1, len(many) + 1)] if len(many) > 1 else []
            for area, (f, m) in [*zip(named, many, strict=False), ("MA", np.sum(many, axis=0))]:
                for sex, value in (("F", f), ("M", m), ("_T", f + m)):
                    out[name, area, sex, kind] = float(value)
    return out


def made(cells: dict[Cell, float], folder: Path) -> Submission:
    rows = [
        {**BASE, "INDICATOR": n, "REF_AREA": a, "SEX": s, "VALUE_KIND": k,
         "TIME_PERIOD": PERIOD[k], "OBS_VALUE": v}
        for (n, a, s, k), v in cells.items()
    ]  # fmt: skip
    share = {
        **rows[0], "MEASURE_KIND": "SHARE", "UNIT_MEASURE": "PT", "DECIMALS": 4, "SEX": "F",
        "SUB_INDICATOR": "Part des femmes",
        "OBS_VALUE": round(100 * rows[0]["OBS_VALUE"] / rows[2]["OBS_VALUE"], 4),
    }  # fmt: skip
    datasets = {}
    for table, mine in (
        ("performance", [*rows, share]),
        ("beneficiaries", [{**r, "SERVICE": "S"} for r in rows if r["VALUE_KIND"] == "REALISED"]),
    ):
        frame = pd.DataFrame(mine)
        places = pd.DataFrame({"_FILE": f"{table}.csv", "_SHEET": "", "_RAW": ""}, frame.index)
        places["_RAW"] = frame["OBS_VALUE"].map("{:.0f}".format)
        places["OBS_VALUE"] = [f"H{i + 2}" for i in range(len(frame))]
        printed = Dataset(frame.iloc[[2]].reset_index(drop=True), table)
        datasets[table] = Dataset(
            frame, table, provenance=Provenance.in_memory(frame), origins=places, totals=printed
        )
    merged = Provenance.merge(*(d.provenance for d in datasets.values()))
    return Submission(datasets, (), (), merged, folder)


def equations(bundle: dict[str, Any], cells: list[Cell]) -> tuple[list[Any], list[Any]]:
    """Return what the bundle's figures say of the cells, as rows and right-hand sides."""
    at = {c: i for i, c in enumerate(cells)}
    left: list[np.ndarray] = []
    right: list[float] = []

    def say(terms: dict[Cell, float], value: float | None) -> None:
        if value is not None and all(c in at for c in terms):
            row = np.zeros(len(cells))
            for c, k in terms.items():
                row[at[c]] += k
            left.append(row)
            right.append(value)

    for table in bundle["tables"]:
        for line in table["rows"]:
            shown = {n: c["raw"] if isinstance(c, dict) else c for n, c in line.items()}
            name, area = shown.get("INDICATOR"), shown.get("REF_AREA") or "MA"
            if table["kind"] == "gap":
                f, m = ((name, area, s, shown["VALUE_KIND"]) for s in "FM")
                say({f: 1}, shown["VALUE_F"])
                say({m: 1}, shown["VALUE_M"])
                say({f: 1, m: -1}, shown["GAP_ABS"])
                say({f: 1, m: -(shown["PARITY"] or 0)}, None if shown["PARITY"] is None else 0.0)
            if table["kind"] == "achievement" and not shown.get("SUB_INDICATOR"):
                sex = shown["SEX"]
                was, aim = ((name, area, sex, k) for k in ("REALISED", "TARGET"))
                say({was: 1}, shown["VALUE_REALISED"])
                say({aim: 1}, shown["VALUE_TARGET"])
                say({aim: 1, was: -1}, shown["DIFFERENCE"])
                ratio = shown["RATIO"]
                say({was: 1, aim: -(ratio or 0)}, None if ratio is None else 0.0)
    for name, area, kind in product({c[0] for c in cells}, {c[1] for c in cells}, PERIOD):
        say({(name, area, "_T", kind): 1, (name, area, "F", kind): -1,
             (name, area, "M", kind): -1}, 0.0)  # fmt: skip
    regions = sorted({c[1] for c in cells} - {"MA"})
    for name, sex, kind in product({c[0] for c in cells}, ("F", "M", "_T"), PERIOD):
        if regions:
            say({(name, "MA", sex, kind): 1, **{(name, r, sex, kind): -1 for r in regions}}, 0.0)
    return left, right


def near(left: list[Any], right: list[Any]) -> dict[str, Any]:
    """Return the equations as a programme takes them; ratios are written to twelve digits."""
    a, b = np.array(left), np.array(right)
    return {"A_ub": np.vstack([a, -a]), "b_ub": np.concatenate([b, -b]) + 1e-5}


def texts(folder: Path) -> dict[str, str]:
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".png"):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                for part in archive.namelist():
                    out[f"{path.name}/{part}"] = archive.read(part).decode("utf-8", "replace")
        else:
            out[path.name] = path.read_text(encoding="utf-8")
    return out


@pytest.mark.parametrize("figures", [NATIONAL, REGIONAL], ids=["national", "regional"])
def test_nothing_that_a_run_writes_gives_a_hidden_cell_away(
    figures: dict[str, list[tuple[int, int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = counted(figures, add=1013)
    # A finding about a small cell must not tell it either: one total does not add up.
    submission = made(cells, tmp_path)
    monkeypatch.setattr(pipeline, "read_submission", lambda *a, **k: submission)
    pipeline.run(tmp_path, tmp_path / "out", lang="fr")
    bundle = json.loads((tmp_path / "out" / "bundle.json").read_text(encoding="utf-8"))
    assert any(n["code"] == "GBI-N091" for n in bundle["notes"])
    masks = SmallCells(MIN_N).masks(submission.datasets)
    frame = submission["performance"].frame
    hidden = [
        (r.INDICATOR, r.REF_AREA, r.SEX, r.VALUE_KIND)
        for r in frame[masks["performance"]].itertuples()
        if r.MEASURE_KIND == "COUNT"
    ]
    assert {c for c, v in cells.items() if 0 < v < MIN_N} < set(hidden) < set(cells)
    names = list(cells)
    left, right = equations(bundle, names)
    assert len(left) > len(names) / 2
    for cell in hidden:
        goal = np.zeros(len(names))
        goal[names.index(cell)] = 1
        ends = []
        for sign in (1, -1):
            found = linprog(sign * goal, **near(left, right), bounds=(0, None))
            assert found.status in (0, 3, 4), found.message
            ends.append(sign * found.fun if found.status == 0 else -sign * np.inf)
        assert ends[1] - ends[0] >= MIN_N - 1e-4, (cell, ends)
    kept = {v for c, v in cells.items() if c not in hidden}
    shares = frame.loc[masks["performance"] & (frame["MEASURE_KIND"] == "SHARE"), "OBS_VALUE"]
    # Large hidden figures stand nowhere, as they are or as the languages write them.
    wanted = {cells[c] for c in hidden if cells[c] > 10_000} - kept
    assert wanted
    for name, content in texts(tmp_path / "out").items():
        bare = content.replace("\u202f", "").replace("\u00a0", "").replace(",", "")
        for value in wanted:
            assert f"{value:.0f}" not in bare, (name, value)
        for value in shares:
            assert f"{value:.4f}" not in content, (name, value)


def test_without_protection_the_audit_would_find_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = counted(NATIONAL, add=1013)
    monkeypatch.setattr(pipeline, "read_submission", lambda *a, **k: made(cells, tmp_path))
    pipeline.run(tmp_path, tmp_path / "out", lang="fr", suppress=None)
    bundle = json.loads((tmp_path / "out" / "bundle.json").read_text(encoding="utf-8"))
    left, right = equations(bundle, list(cells))
    goal = np.zeros(len(cells))
    goal[list(cells).index(("a", "MA", "F", "REALISED"))] = 1
    found = linprog(-goal, **near(left, right), bounds=(0, None))
    assert -found.fun == pytest.approx(3, abs=0.01)
