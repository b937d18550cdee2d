"""Parquet and Arrow: the values come back by address, and nothing is read that lies or explodes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from gbi.errors import GbiError
from gbi.ingest.columnar import open_arrow, open_parquet
from gbi.ingest.grid import Opened
from gbi.ingest.safety import LIMITS, Limits

Write = Callable[[pa.Table, Path], None]


def as_parquet(table: pa.Table, path: Path) -> None:
    parquet.write_table(table, path, row_group_size=3, store_schema=False)


def as_arrow(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as out:
        out.write_table(table, max_chunksize=3)


def as_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, table.schema) as out:
        out.write_table(table, max_chunksize=3)


def as_feather(table: pa.Table, path: Path) -> None:
    feather.write_feather(table, path, compression="zstd")


WRITERS = (as_parquet, as_arrow, as_stream, as_feather)


def opened(path: Path, limits: Limits = LIMITS) -> Opened:
    opener = open_parquet if path.suffix == ".parquet" else open_arrow
    return opener(path, path.name, limits)


def written(table: pa.Table, write: Write, folder: Path) -> Path:
    path = folder / ("a.parquet" if write is as_parquet else "a.arrow")
    write(table, path)
    return path


def refused(path: Path, limits: Limits = LIMITS) -> GbiError:
    with pytest.raises(GbiError) as raised:
        opened(path, limits)
    assert raised.value.exit_code == 3
    assert str(raised.value.where).startswith(path.name)
    return raised.value


CASABLANCA = dt.timezone(dt.timedelta(hours=1))
CASES: list[tuple[pa.DataType, list[Any], list[Any]]] = [
    (pa.int64(), [2**53 + 1, -(2**62), None], [2**53 + 1, -(2**62), ""]),
    (pa.uint64(), [2**64 - 1, None], [2**64 - 1, ""]),
    (pa.float64(), [1.5, float("nan"), float("inf")], [1.5, "nan", "inf"]),
    (pa.bool_(), [True, None], [True, ""]),
    (pa.string(), ["é", "", None, "١٢٣"], ["é", "", "", "١٢٣"]),
    (pa.binary(), ["Santé".encode()], ["Santé"]),
    (pa.null(), [None], [""]),
    (pa.date32(), [dt.date(2025, 1, 31)], [dt.date(2025, 1, 31)]),
    (pa.timestamp("ns"), [dt.datetime(2025, 1, 31, 12)], [dt.datetime(2025, 1, 31, 12)]),
    (pa.timestamp("us", "+01:00"), [dt.datetime(2025, 1, 31, 11, tzinfo=dt.UTC)],
     [dt.datetime(2025, 1, 31, 12, tzinfo=CASABLANCA)]),
    (pa.time64("us"), [dt.time(1, 2)], ["01:02:00"]),
    (pa.decimal128(38, 2), [Decimal("1.50"), Decimal("2.00"), Decimal("9007199254740993.00"),
                            Decimal("9007199254740993.25")],
     [1.5, 2, 9007199254740993, "9007199254740993.25"]),
    (pa.dictionary(pa.int32(), pa.string()), ["F", None, "M", "F"], ["F", "", "M", "F"]),
]  # fmt: skip


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(("kind", "values", "cells"), CASES, ids=lambda c: str(c)[:20])
def test_values_become_cells(
    tmp_path: Path, write: Write, kind: pa.DataType, values: list[Any], cells: list[Any]
) -> None:
    path = written(pa.table({"valeur": pa.array(values, kind)}), write, tmp_path)
    (grid,) = opened(path).grids
    assert (grid.sheet, grid.rows) == ("", [["valeur"], *([c] for c in cells)])
    assert [type(r[0]) for r in grid.rows[1:]] == [type(c) for c in cells]


ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=5),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.sampled_from(["F", "M", "_T"]),
)


@pytest.mark.parametrize("write", WRITERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(rows=st.lists(ROW, max_size=8))
def test_what_was_written_is_read_back_by_address(
    tmp_path: Path, write: Write, rows: list[tuple[Any, ...]]
) -> None:
    kinds = [pa.int64(), pa.string(), pa.float64(), pa.dictionary(pa.int8(), pa.string())]
    columns = [pa.array([r[i] for r in rows], kind) for i, kind in enumerate(kinds)]
    path = written(pa.table(columns, names=["n", "é", "x", "n"]), write, tmp_path)
    (grid,) = opened(path).grids
    assert grid.rows[0] == ["n", "é", "x", "n"]
    assert grid.rows[1:] == [["" if v is None else v for v in r] for r in rows]


def test_a_frame_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sexe": pd.Categorical(["F", None]), "année": [2024, 2025]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_feather(tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        (grid,) = opened(tmp_path / name).grids
        assert grid.rows == [["sexe", "année"], ["F", 2024], ["", 2025]]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1, 2]], pa.list_(pa.int64())),
        ([{"a": 1}], pa.struct([("a", pa.int64())])),
        ([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        ([b"\xff\xfe"], pa.binary()),
    ],
)
def test_a_column_that_holds_no_single_value_is_named(
    tmp_path: Path, write: Write, values: list[Any], kind: pa.DataType
) -> None:
    table = pa.table({"a": [1], "détail": pa.array(values, kind)})
    error = refused(written(table, write, tmp_path))
    assert error.code == "GBI-E066"
    assert str(error.got).startswith("détail: ")


@pytest.mark.parametrize("write", WRITERS)
def test_limits_hold(tmp_path: Path, write: Write) -> None:
    path = written(pa.table({"a": range(10), "b": range(10)}), write, tmp_path)
    assert len(opened(path, Limits(cells=20)).grids[0].rows) == 11
    for limits in (Limits(cells=19), Limits(expanded=100)):
        error = refused(path, limits)
        assert (error.code, bool(error.expected), bool(error.got)) == ("GBI-E063", True, True)


def test_the_footer_of_a_large_file_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": pa.array([0] * 6_000_000, pa.int8())}), path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(parquet, "ParquetFile", None)
    error = refused(path)
    assert (error.code, error.got) == ("GBI-E063", "6000000 × 1")


@pytest.mark.parametrize("write", WRITERS)
def test_a_long_text_repeated_is_kept_once(tmp_path: Path, write: Write) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int8()), ["x" * 100_000])
    column = [r[0] for r in opened(written(pa.table({"a": text}), write, tmp_path)).grids[0].rows]
    assert column[1] == "x" * 100_000
    assert len({id(value) for value in column}) == 2


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_damaged(tmp_path: Path, write: Write, share: float) -> None:
    table = pa.table({"a": range(200), "b": [f"texte {i}" for i in range(200)]})
    path = written(table, write, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: max(12, int(len(content) * share))])
    assert refused(path).code == "GBI-E061"


def test_a_footer_that_lies_about_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": range(77)}), path, compression="none",
                        write_statistics=False, store_schema=False)  # fmt: skip
    content = path.read_bytes()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]
    # Thrift: the mark of an i64 field, then 77 in zigzag
    told = bytes([0x16]) + (77 * 2 | 0x80).to_bytes(1, "little") + b"\x01"
    first = footer.index(told)
    for said in (70, 90):
        lie = bytes([0x16]) + ((said * 2) & 0x7F | 0x80).to_bytes(1, "little") + b"\x01"
        path.write_bytes(
            content[: -len(footer)] + footer[:first] + lie + footer[first + len(lie) :]
        )
        assert parquet.read_metadata(path).num_rows == said
        assert refused(path).code == "GBI-E061"


@pytest.mark.parametrize("write", WRITERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30,
          deadline=None)  # fmt: skip
@given(data=st.data())
def test_a_changed_byte_ends_in_a_grid_or_an_error_of_ours(
    tmp_path: Path, write: Write, data: st.DataObject
) -> None:
    table = pa.table({"a": range(9), "b": ["x", "y", None] * 3, "c": [0.5] * 9})
    path = written(table, write, tmp_path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    code = "GBI-E061"
    try:
        assert opened(path).grids
    except GbiError as error:
        code = error.code
    assert code in ("GBI-E061", "GBI-E063", "GBI-E066")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "GBI-E066"), (b"a,b\n1,2\n", "GBI-E066"), (b"FEA1" + bytes(40), "GBI-E066"),
     (b"PARE" + bytes(40), None)],
)  # fmt: skip
def test_another_kind_of_file(tmp_path: Path, content: bytes, code: str | None) -> None:
    for name in ("a.parquet", "a.feather"):
        (tmp_path / name).write_bytes(content)
        found = refused(tmp_path / name).code
        assert found == (code or ("GBI-E062" if name == "a.parquet" else "GBI-E066"))
