"""Data Packages: each table a sheet, nothing from outside the package, the descriptor checked."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gbi.errors import GbiError
from gbi.ingest.datapackage import open_datapackage
from gbi.ingest.grid import Opened
from gbi.ingest.safety import Limits

TEXT = "code;libellé\n1;Santé\n2;Écoles\n"
FIELDS = {"fields": [{"name": "code"}, {"name": "libellé"}]}


def package(folder: Path, *resources: dict[str, Any], **files: str | bytes) -> Path:
    """Write a package; the key of a file has ``__`` for the dot."""
    for key, content in files.items():
        file = folder / key.replace("__", ".")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / "datapackage.json"
    document = {"name": "test", "resources": list(resources)}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def opened(path: Path, limits: Limits | None = None) -> Opened:
    return open_datapackage(path, "datapackage.json", limits or Limits())


def refused(path: Path, limits: Limits | None = None) -> GbiError:
    with pytest.raises(GbiError) as caught:
        opened(path, limits)
    assert caught.value.exit_code == 3
    return caught.value


def test_each_table_is_a_sheet_at_its_own_file(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "b.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    path = package(
        folder,
        {"name": "budget", "path": "a.csv", "schema": FIELDS},
        {"name": "results", "path": ["data/b.csv"]},
        {"name": "readme", "path": "README.html"},
        {"name": "inline", "data": [["a", "b"], [1, None], [2.5, "x"]]},
        {"name": "objects", "type": "table", "data": [{"a": 1}, {"b": [2], "a": True}]},
        a__csv=TEXT, README__html="<p>text</p>",
    )  # fmt: skip
    content = opened(path)
    assert [(g.file, g.sheet) for g in content.grids] == [
        ("a.csv", "budget"), ("data/b.csv", "results"),
        ("datapackage.json", "inline"), ("datapackage.json", "objects"),
    ]  # fmt: skip
    rows = [[list(r) for r in g.rows] for g in content.grids]
    assert rows == [
        [["code", "libellé"], ["1", "Santé"], ["2", "Écoles"]],
        [["x", "y"], ["1", "2"]],
        [["a", "b"], [1, ""], [2.5, "x"]],
        [["a", "b"], [1, ""], [True, "[2]"]],
    ]
    assert content.details["skipped:readme"] == "README.html"
    assert content.details["delimiter:budget"] == ";"
    assert content.details["sha256:budget"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert "schema:budget" not in content.details


@pytest.mark.parametrize(
    "path",
    [
        "../private.csv", "data/../../private.csv", "/etc/passwd", "C:/private.csv",
        "..\\private.csv", "https://example.org/a.csv", "file:///etc/passwd", "link.csv",
        "datapackage.json", "sub/../a.csv",
    ],
)  # fmt: skip
def test_a_path_out_of_the_package_is_refused(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (tmp_path / "private.csv").write_text("a\nsecret\n", encoding="utf-8")
    if path == "link.csv":
        try:
            (folder / path).symlink_to(tmp_path / "private.csv")
        except OSError:
            pytest.skip("no symbolic links here")
    error = refused(package(folder, {"name": "a", "path": path}, a__csv=TEXT))
    assert (error.code, error.expected) == ("GBI-E063", "a path inside the package")
    assert error.got == path


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    error = refused(package(tmp_path, {"name": "a", "path": "b.csv"}))
    assert (error.code, error.expected, error.where) == (
        "GBI-E061", "b.csv", "datapackage.json: a",
    )  # fmt: skip


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_size_and_hash_are_checked(tmp_path: Path, algorithm: str) -> None:
    digest = hashlib.new(algorithm, TEXT.encode()).hexdigest()
    declared = digest if algorithm == "md5" else f"{algorithm.upper()}:{digest}"
    good = {"name": "a", "path": "a.csv", "bytes": len(TEXT.encode()), "hash": declared}
    assert opened(package(tmp_path, good, a__csv=TEXT)).grids[0].rows
    error = refused(package(tmp_path, good, a__csv=TEXT.replace("1", "3")))
    assert (error.code, error.expected) == ("GBI-E061", f"{algorithm}:{digest}")
    error = refused(package(tmp_path, good, a__csv=TEXT + "x"))
    assert (error.code, error.expected, error.got) == ("GBI-E061", "33 B", "34 B")
    error = refused(package(tmp_path, {**good, "hash": "crc32:00000000"}, a__csv=TEXT))
    assert (error.code, error.expected) == ("GBI-E066", "hash")


def test_dialect_and_encoding_are_those_of_the_descriptor(tmp_path: Path) -> None:
    content = "a|b;c\n1|Béni;Mellal\n2|Fès;x\n".encode("latin-1")
    resource = {"name": "a", "path": "a.csv", "encoding": "ISO-8859-1",
                "dialect": {"delimiter": "|", "quoteChar": '"', "header": True}}  # fmt: skip
    grid = opened(package(tmp_path, resource, a__csv=content)).grids[0]
    assert grid.rows == [["a", "b;c"], ["1", "Béni;Mellal"], ["2", "Fès;x"]]
    resource["encoding"] = "utf-8"
    assert refused(package(tmp_path, resource, a__csv=content)).code == "GBI-E064"


def test_what_the_formats_adapter_saw_is_kept(tmp_path: Path) -> None:
    resource = {"name": "a", "path": "a.csv", "encoding": "UTF-8", "dialect": {"delimiter": ";"}}
    content = opened(package(tmp_path, resource, a__csv="a;b\n1,25;x\n2.25;y\n"))
    assert [f.kind for f in content.grids[0].flags] == ["mixed_decimals"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"dialect": {"quoteChar": "'"}}, "dialect.quoteChar"),
        ({"dialect": {"commentChar": "#"}}, "dialect.commentChar"),
        ({"dialect": {"headerRows": [1, 2]}}, "dialect.headerRows"),
        ({"dialect": {"delimiter": "::"}}, "dialect.delimiter"),
        ({"dialect": {"unheardOf": 1}}, "dialect.unheardOf"),
        ({"dialect": "x.json"}, "dialect"),
        ({"dialect": {"sheet": "Feuil2"}}, "dialect.sheet"),
        ({"dialect": {"header": False}}, "schema.fields"),
        ({"encoding": "rot13"}, "encoding"),
        ({"encoding": "no-such"}, "encoding"),
        ({"path": ["a.csv", "a.csv"]}, "path"),
        ({"path": None}, "path"),
        ({"name": ""}, "resources[0].name"),
    ],
)
def test_a_key_that_is_not_understood_is_named(
    tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    error = refused(package(tmp_path, {"name": "a", "path": "a.csv"} | change, a__csv=TEXT))
    assert (error.code, error.expected) == ("GBI-E066", key)


def test_a_file_without_header_has_the_schemas(tmp_path: Path) -> None:
    resource = {"name": "a", "path": "a.csv", "dialect": {"header": False}, "schema": FIELDS}
    content = opened(package(tmp_path, resource, a__csv="1;x\n2;y\n"))
    assert content.grids[0].rows == [["code", "libellé"], ["1", "x"], ["2", "y"]]
    assert content.details["header:a"] == "schema"


def test_a_header_that_is_not_the_schemas_is_told(tmp_path: Path) -> None:
    def told(*names: str) -> str | None:
        schema = {"fields": [{"name": n} for n in names]}
        path = package(tmp_path, {"name": "a", "path": "a.csv", "schema": schema}, a__csv=TEXT)
        return opened(path).details.get("schema:a")

    assert told("code", "libellé") is None
    assert told("code", "label") == "differs: missing label; not in the schema libellé"
    assert told("libellé", "code") == "differs: another order"


def test_a_sheet_of_a_workbook(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "b.xlsx") as writer:
        for sheet in ("Un", "Deux"):
            pd.DataFrame({"a": [sheet]}).to_excel(writer, sheet_name=sheet, index=False)
    resource = {"name": "b", "path": "b.xlsx"}
    for dialect in ({"sheetName": "Deux"}, {"sheetNumber": 2}, {"sheet": 2}):
        grids = opened(package(tmp_path, {**resource, "dialect": dialect})).grids
        assert [list(r) for r in grids[0].rows] == [["a"], ["Deux"]]
        assert grids[0].sheet == "b"
    assert refused(package(tmp_path, resource)).expected == "dialect.sheet"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "GBI-E061"), ("{", "GBI-E061"), ("[" * 200_000, "GBI-E061"), ("[]", "GBI-E066"),
        ("{}", "GBI-E066"), ('{"resources": []}', "GBI-E066"), ('{"resources": {}}', "GBI-E066"),
        ('{"resources": ["a"]}', "GBI-E066"), ('{"resources": [{"name": "a"}]}', "GBI-E066"),
        ('{"resources": [{"name": "a", "data": []}, {"name": "a", "data": []}]}', "GBI-E066"),
        ('{"resources": [{"name": "a", "data": {"a": 1}}]}', "GBI-E066"),
        ('{"resources": [{"name": "a", "data": [1, []]}]}', "GBI-E066"),
        ('{"resources": [{"name": "a", "path": "x\\u0000.csv"}]}', "GBI-E063"),
    ],
)  # fmt: skip
def test_what_is_no_package_is_refused(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "datapackage.json"
    path.write_text(content, encoding="utf-8")
    assert refused(path).code == code


def test_a_table_that_no_adapter_opens_is_not_passed_over(tmp_path: Path) -> None:
    resource = {"name": "a", "path": "a.gpkg", "schema": FIELDS}
    assert refused(package(tmp_path, resource, a__gpkg="x")).code == "GBI-E066"
    del resource["schema"]
    assert opened(package(tmp_path, resource)).details == {"skipped:a": "a.gpkg"}
    assert refused(package(tmp_path, {**resource, "type": "table"})).code == "GBI-E066"
    named = {"name": "a", "path": "a.dat", "format": "csv"}
    assert opened(package(tmp_path, named, a__dat=TEXT)).grids[0].rows[0] == ["code", "libellé"]


def test_limits_hold_for_the_package_as_a_whole(tmp_path: Path) -> None:
    resources = [{"name": f"a{n}", "path": "a.csv"} for n in range(4)]
    path = package(tmp_path, *resources, a__csv=TEXT)
    assert len(opened(path, Limits(cells=24)).grids) == 4
    assert refused(path, Limits(cells=23)).code == "GBI-E063"
    assert refused(path, Limits(entries=3)).expected == "≤ 3 resources"
    assert refused(path, Limits(archive=10)).code == "GBI-E063"


def test_the_albanian_treasurys_package(shared_dir: Path) -> None:
    path = shared_dir / "data" / "real" / "fdp_albania_treasury" / "datapackage.json"
    content = opened(path)
    (grid,) = content.grids
    assert (grid.file, grid.sheet) == ("data/treasury.csv", "treasury")
    assert "schema:treasury" not in content.details
    expected = pd.read_csv(path.parent / "data" / "treasury.csv")
    assert len(grid.rows) == len(expected) + 1
    values = [int(row[3]) for row in grid.rows[1:]]
    assert sum(values) == expected["Value"].sum()


def test_the_australian_budgets_package(shared_dir: Path, tmp_path: Path) -> None:
    """As it was stored the file isn't where the descriptor says, nor of the size it says."""
    source = shared_dir / "data" / "real" / "fdp_australia_budget"
    error = refused(source / "datapackage.json")
    assert (error.code, error.expected) == ("GBI-E061", "data/201505181230budget1516.csv")
    (tmp_path / "data").mkdir()
    for name, place in (("datapackage.json", ""), ("201505181230budget1516.csv", "data")):
        shutil.copyfile(source / name, tmp_path / place / name)
    path = tmp_path / "datapackage.json"
    error = refused(path)
    assert (error.code, error.expected, error.got) == ("GBI-E061", "949719 B", "949585 B")
    document = json.loads(path.read_text(encoding="utf-8"))
    document["resources"][0]["bytes"] = 949585
    path.write_text(json.dumps(document), encoding="utf-8")
    content = opened(path)
    (grid,) = content.grids
    expected = pd.read_csv(tmp_path / "data" / "201505181230budget1516.csv", dtype=str)
    assert grid.rows[0] == expected.columns.tolist()
    assert len(grid.rows) == len(expected) + 1
    assert not any(key.startswith("schema") for key in content.details)
