"""JSON: flat records and JSON-stat become tables, every number exact, all else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbi.errors import GbiError
from gbi.ingest.grid import Grid
from gbi.ingest.records import open_records
from gbi.ingest.safety import LIMITS, Limits


def grid(tmp_path: Path, content: object, limits: Limits = LIMITS) -> Grid:
    """Return the grid of a text, of bytes, or of what is written as JSON."""
    path = tmp_path / "a.json"
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    (found,) = open_records(path, "a.json", limits).grids
    return found


def refused(tmp_path: Path, content: object, limits: Limits = LIMITS) -> GbiError:
    with pytest.raises(GbiError) as raised:
        grid(tmp_path, content, limits)
    assert raised.value.exit_code == 3
    return raised.value


# --- records ---


def test_the_header_is_the_union_of_the_keys(tmp_path: Path) -> None:
    records = [{"a": 1, "b": None}, {"b": "é", "c": True}, {}]
    found = grid(tmp_path, records)
    assert found.rows == [["a", "b", "c"], [1, "", ""], ["", "é", True], ["", "", ""]]
    assert (found.sheet, found.cell(2, 1).a1) == ("", "B3")


@pytest.mark.parametrize(
    "document",
    [
        {"source": "HCP", "total": 1, "résultats": [{"a": 1}], "liens": ["x"], "notes": []},
        {"résultats": [{"a": 1}], "about": {"a": 2}},
        [{"a": 1}],
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_the_one_list_of_records_is_found(tmp_path: Path, document: object, encoding: str) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert grid(tmp_path, text.encode(encoding)).rows == [["a"], [1]]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9007199254740993", 9007199254740993),
        ("-" + "9" * 60, -int("9" * 60)),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("0.1000000000000000000", 0.1),
        ("9007199254740993.25", "9007199254740993.25"),
        ("9007199254740993.0", 9007199254740993),
        ("true", True),
        ('"1,234"', "1,234"),
        ('"١٢٣"', "١٢٣"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_no_digit_is_lost(tmp_path: Path, written: str, read: object) -> None:
    value = grid(tmp_path, f'[{{"a": {written}}}]').rows[1][0]
    assert (value, type(value)) == (read, type(read))


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(records=st.lists(st.dictionaries(st.sampled_from("abcd"), SCALAR), max_size=6))
def test_what_was_written_is_read_back_by_address(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    found = grid(tmp_path, records)
    keys = found.rows[0] if found.rows else []
    assert sorted(keys) == sorted({k for r in records for k in r})
    for row, record in enumerate(records, 1):
        for column, key in enumerate(keys):
            value = record.get(key)
            cell = found.value(row, column)
            # a whole number in scientific notation is read as the integer that it writes
            cell = float(cell) if isinstance(value, float) else cell
            assert cell == ("" if value is None else value)


@pytest.mark.parametrize(
    ("content", "code", "where", "got"),
    [
        ([{"a": 1, "b": {"c": 1}}], "GBI-E066", "a.json", "b: dict (1)"),
        ([{"a": 1}, {"a": [1]}], "GBI-E066", "a.json", "a: list (2)"),
        ({"x": [{"a": 1}], "y": [{"a": 1}]}, "GBI-E066", "a.json", "dict: 2 × list"),
        ({"a": 1}, "GBI-E066", "a.json", "dict: 0 × list"),
        ([[1, 2]], "GBI-E066", "a.json", "list: 0 × list"),
        ("3", "GBI-E066", "a.json", "int: 0 × list"),
        ('[\n{"a": 1,}]', "GBI-E061", "a.json:2", None),
        ('[{"a": 1}', "GBI-E061", "a.json:1", None),
        ("", "GBI-E061", "a.json:1", None),
        ('{"a": 1}\n{"a": 2}', "GBI-E061", "a.json:2", None),
        ('[{"a": 1, "b": 2, "b": 2}]', "GBI-E061", "a.json", "b"),
        ('[{"a": NaN}]', "GBI-E061", "a.json", "NaN"),
        ('[{"a": -Infinity}]', "GBI-E061", "a.json", "-Infinity"),
        ('[{"a": 1e999}]', "GBI-E061", "a.json", "1e999"),
        (b'[\n{"a": "\xe9t\xe9"}]', "GBI-E064", "a.json:2", "0xe9"),
        ('[{"a": "\\ud800"}]', "GBI-E064", "a.json", "'\\ud800'"),
        ("[" * 100_000 + "]" * 100_000, "GBI-E063", "a.json", "RecursionError"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "GBI-E063", "a.json", "RecursionError"),
        ('[{"a": ' + "9" * 5_000 + "}]", "GBI-E063", "a.json", None),
    ],
)  # fmt: skip
def test_all_else_is_refused(
    tmp_path: Path, content: object, code: str, where: str, got: str | None
) -> None:
    error = refused(tmp_path, content)
    assert (error.code, error.where) == (code, where)
    assert got is None or error.got == got


def test_limits(tmp_path: Path) -> None:
    records = [{"a": 1, "b": 2}] * 5
    assert len(grid(tmp_path, records, Limits(cells=10)).rows) == 6
    for limits in (Limits(cells=9), Limits(archive=20)):
        assert refused(tmp_path, records, limits).code == "GBI-E063"


def test_a_list_without_records_is_empty(tmp_path: Path) -> None:
    assert grid(tmp_path, []).rows == []


# --- JSON-stat ---


def cube(**changes: object) -> dict[str, Any]:
    return {
        "version": "2.0",
        "class": "dataset",
        "id": ["SEX", "YEAR"],
        "size": [2, 2],
        "dimension": {
            "SEX": {
                "category": {"index": {"M": 1, "F": 0}, "label": {"M": "Hommes", "F": "Femmes"}}
            },
            "YEAR": {"category": {"index": ["2024", "2025"]}},
        },
        "value": [1, 2.5, None, 9007199254740993],
        **changes,
    }  # fmt: skip


ROWS = [
    ["SEX", "SEX_label", "YEAR", "YEAR_label", "value"],
    ["F", "Femmes", "2024", "2024", 1],
    ["F", "Femmes", "2025", "2025", 2.5],
    ["M", "Hommes", "2024", "2024", ""],
    ["M", "Hommes", "2025", "2025", 9007199254740993],
]


def one(**category: object) -> dict[str, Any]:
    dimension = {**cube()["dimension"], "SEX": {"category": category}}
    return cube(size=[1, 2], value=[1, 2], dimension=dimension)


def first_version() -> dict[str, Any]:
    dimension = {**cube()["dimension"], "id": ["SEX", "YEAR"], "size": [2, 2]}
    return {"emploi": {"dimension": dimension, "value": cube()["value"]}}


@pytest.mark.parametrize(
    "document",
    [cube(), first_version(), cube(value={"0": 1, "1": 2.5, "3": 9007199254740993}),
     {k: v for k, v in cube().items() if k != "class"}],
)  # fmt: skip
def test_a_cube_becomes_rows(tmp_path: Path, document: object) -> None:
    pytest.importorskip("pyjstat")
    assert grid(tmp_path, document).rows == ROWS


@pytest.mark.parametrize(
    ("status", "column"),
    [(["a", None, "m", "p"], ["a", "", "m", "p"]), ({"2": "m"}, ["", "", "m", ""]),
     ("p", ["p"] * 4)],
)  # fmt: skip
def test_status_stands_beside_the_value(tmp_path: Path, status: object, column: list[str]) -> None:
    found = grid(tmp_path, cube(status=status))
    assert [r[:-1] for r in found.rows] == ROWS
    assert [r[-1] for r in found.rows] == ["status", *column]


def test_a_single_category_needs_no_index_and_a_category_no_label(tmp_path: Path) -> None:
    assert grid(tmp_path, one(label={"F": "Femmes"})).rows[1][:2] == ["F", "Femmes"]
    assert grid(tmp_path, one(index=["F"])).rows[1][:2] == ["F", "F"]
    document = cube()
    del document["dimension"]["SEX"]["category"]["label"]["M"]
    assert [r[1] for r in grid(tmp_path, document).rows[1:]] == ["Femmes", "Femmes", "M", "M"]


@pytest.mark.parametrize(
    "document",
    [
        cube(value=[1, 2, 3]),
        cube(value={"4": 1}),
        cube(value={"-1": 1}),
        cube(value={"x": 1}),
        cube(value=[1, 2, 3, [4]]),
        cube(status=["a"]),
        cube(size=[2, 3]),
        cube(size=[2]),
        cube(size=[-2, -2]),
        cube(size=["x", 2]),
        cube(id=["SEX", "REGION"]),
        cube(dimension=[]),
        cube(dimension={"SEX": {"category": []}, "YEAR": {}}),
        one(index=["F", "F"]),
        one(index={"F": 0, "M": 1}),
        one(label={"F": "Femmes", "M": "Hommes"}),
        one(),
    ],
    ids=range(17),
)
def test_a_cube_that_contradicts_itself_is_damaged(tmp_path: Path, document: object) -> None:
    error = refused(tmp_path, document)
    assert (error.code, error.expected) == ("GBI-E061", "JSON-stat")


@pytest.mark.parametrize(
    "document",
    [
        {"class": "collection", "link": {"item": [{"class": "dataset", "href": "http://x"}]}},
        {"class": "dimension", "category": {}},
        {**first_version(), "b": first_version()["emploi"]},
    ],
)
def test_what_is_not_one_dataset_is_refused(tmp_path: Path, document: object) -> None:
    assert refused(tmp_path, document).code == "GBI-E066"


def test_a_cube_is_weighed_before_it_is_laid_out(tmp_path: Path) -> None:
    error = refused(tmp_path, cube(size=[10**9, 10**9], value={}))
    assert (error.code, error.got) == ("GBI-E063", f"{10**18} × 6")


# --- real files ---


def test_real_files(shared_dir: Path) -> None:
    real = shared_dir / "data" / "real"

    def read(slug: str, file: str) -> list[dict[str, Any]]:
        (found,) = open_records(real / slug / file, file).grids
        return [dict(zip(found.rows[0], r, strict=True)) for r in found.rows[1:]]

    france = read("fra_plf2025_depenses", "state_depenses_dest_nature_2025.json")
    assert len(france) == 2415
    assert sum(r["cp_plf"] for r in france if r["programme"] == 137) == 85_116_767
    assert sum(r["cp_plf"] for r in france if r["type_mission"] == "BG") == 593_670_651_747
    mexico = read("mex_sniiv_subsidios", "demandaSubsidios.json")
    women = [r for r in mexico if r["genero"] == "Mujer"]
    assert (len(mexico), sum(r["acciones"] for r in women)) == (322, 53_267)
    assert sum(r["monto"] for r in women) == 2_970_262_780
    workbooks = read("mar_datagov_catalogue", "finances_meta.json")
    assert (len(workbooks), set(workbooks[0])) == (
        25, {"url", "format", "description", "ckan_package", "fichier"},
    )  # fmt: skip
