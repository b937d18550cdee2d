"""Queries: read-only, one SELECT, exact values, no password anywhere, nothing created."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from gbi.errors import GbiError
from gbi.ingest import database
from gbi.ingest.database import database_source, open_database
from gbi.ingest.safety import Limits

TABLE = """
CREATE TABLE budget (ministry VARCHAR(20), year INTEGER, amount NUMERIC(18, 2), share REAL,
                     voted DATE, tagged BOOLEAN)
"""
LINES = (
    "('Santé', 2024, 723540607.64, 0.5, '2023-12-20', TRUE)",
    "('التعليم', 2024, 870930216.00, NULL, NULL, FALSE)",
    "(NULL, 2025, NULL, 0.25, '2024-12-19', NULL)",
)
FILL = f"INSERT INTO budget VALUES {', '.join(LINES)}"
ALL = "SELECT * FROM budget ORDER BY year, ministry"
EXPECTED = [
    ["ministry", "year", "amount", "share", "voted", "tagged"],
    ["Santé", 2024, 723540607.64, 0.5, date(2023, 12, 20), True],
    ["التعليم", 2024, 870930216, "", "", False],
    ["", 2025, "", 0.25, date(2024, 12, 19), ""],
]


@pytest.fixture
def duck(tmp_path: Path) -> str:
    with duckdb.connect(tmp_path / "budget.duckdb") as connection:
        connection.execute(TABLE)
        connection.execute(FILL)
    return f"duckdb:///{tmp_path / 'budget.duckdb'}"


@pytest.fixture
def lite(tmp_path: Path) -> str:
    connection = sqlite3.connect(tmp_path / "budget #1.db")
    connection.execute(TABLE)
    connection.execute(FILL)
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path / 'budget #1.db'}"


@pytest.fixture(params=["duck", "lite"])
def address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def refused(address: str, query: str, limits: Limits | None = None) -> GbiError:
    with pytest.raises(GbiError) as caught:
        open_database(address, query, limits or Limits())
    return caught.value


def test_a_result_is_a_grid_with_its_columns_names(duck: str) -> None:
    opened = open_database(duck, ALL)
    (grid,) = opened.grids
    assert [list(row) for row in grid.rows] == EXPECTED
    assert type(grid.value(2, 2)) is int  # exact decimals that are whole
    assert grid.cell(1, 2).a1 == "C2"
    assert (grid.file, grid.sheet) == ("duckdb:///budget.duckdb", "query")
    assert opened.details == {"query": ALL, "address": "duckdb:///budget.duckdb"}
    assert opened.flags == ()


def test_sqlite_gives_what_it_holds(lite: str) -> None:
    opened = open_database(lite, "SELECT ministry, amount FROM budget ORDER BY amount DESC;")
    assert [list(row) for row in opened.grids[0].rows] == [
        ["ministry", "amount"], ["التعليم", 870930216], ["Santé", 723540607.64], ["", ""],
    ]  # fmt: skip
    assert opened.grids[0].file == "sqlite:///budget #1.db"


def test_decimals_keep_every_digit(duck: str) -> None:
    query = """SELECT 1.10::DECIMAL(38, 2) a, 12345678901234567.89::DECIMAL(38, 2) b,
               100::DECIMAL(38, 2) c, TIMESTAMP '2024-03-08 10:30:00' d, 'nan'::DOUBLE e,
               INTERVAL 90 SECOND f, TIME '10:30' g, 170141183460469231731687303715884105727 h
               ORDER BY 1"""
    assert list(open_database(duck, query).grids[0].rows[1]) == [
        1.1, "12345678901234567.89", 100, datetime(2024, 3, 8, 10, 30), "", 90.0, "10:30:00",
        2**127 - 1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("SELECT ministry FROM budget", False),
        ("SELECT ministry FROM budget ORDER  BY\n1", True),
        ("SELECT ministry FROM budget -- ORDER BY 1", False),
        ("SELECT ministry FROM budget /* x */ order by 1 -- x", True),
        ("SELECT ministry, ' ORDER BY 1' AS q FROM budget", False),
        ('SELECT ministry AS "order by" FROM budget', False),
        ("SELECT * FROM (SELECT ministry FROM budget ORDER BY 1)", False),
        ("WITH b AS (SELECT ministry FROM budget) SELECT * FROM b ORDER BY 1", True),
        ("SELECT row_number() OVER (ORDER BY (year)) AS n FROM budget", False),
        ("SELECT ministry || ';' AS m FROM budget ORDER BY 1;", True),
    ],
)
def test_a_result_without_an_order_is_flagged(address: str, query: str, ordered: bool) -> None:
    flags = open_database(address, query).flags
    expected = [] if ordered else [("unordered", "", " ".join(query.split())[:80])]
    assert [(f.kind, f.area, f.detail) for f in flags] == expected


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM budget",
        "INSERT INTO budget SELECT * FROM budget",
        "WITH x AS (SELECT 1) DELETE FROM budget",
        "SELECT 1; DELETE FROM budget",
        "SELECT 1; SELECT 2",
        "ATTACH 'other.db' AS other",
        "PRAGMA user_version = 3",
        "COPY budget TO 'stolen.csv'",
        "CREATE TABLE x AS SELECT 1",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "",
        ";",
    ],
)
def test_only_one_select_is_run(
    address: str, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    error = refused(address, query)
    assert (error.code, error.exit_code) == ("GBI-E057", 3)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_databases_themselves_refuse_to_write(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without our look at the text, which a dialect we don't foresee may slip through."""
    monkeypatch.setattr(database, "_ONE", database.re.compile(".*", database.re.DOTALL))
    for query in ("DELETE FROM budget", "SELECT 1; DELETE FROM budget",
                  "WITH x AS (SELECT 1) DELETE FROM budget",
                  "ATTACH 'other.db' AS other", "CREATE TABLE x AS SELECT 1"):  # fmt: skip
        assert refused(address, query).code == "GBI-E057"
    if address.startswith("sqlite"):  # which would have been carried out, read-only as it is
        assert "not authorized" in str(refused(address, "ATTACH 'other.db' AS other").got)
    monkeypatch.undo()
    assert len(open_database(address, "SELECT * FROM budget").grids[0].rows) == 4


def test_a_duckdb_query_reads_no_other_file(duck: str, tmp_path: Path) -> None:
    other = tmp_path / "private.csv"
    other.write_text("name\nsecret\n", encoding="utf-8")
    frame = {"a": [1]}
    for source in (f"'{other}'", f"read_csv('{other}')", f"read_text('{other}')",
                   f"glob('{tmp_path}/*')", "frame", "'https://example.org/x.csv'"):  # fmt: skip
        error = refused(duck, f"SELECT * FROM {source}")
        assert error.code == "GBI-E057"
        assert "secret" not in str(error.to_dict())
    assert frame


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    for kind in ("duckdb", "sqlite"):
        error = refused(f"{kind}:///{tmp_path / 'absent.db'}", "SELECT 1 ORDER BY 1")
        assert (error.code, error.exit_code) == ("GBI-E060", 2)
        assert refused(f"{kind}:///", "SELECT 1").code == "GBI-E060"
        assert refused(f"{kind}:///{tmp_path}", "SELECT 1").code == "GBI-E060"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"no database " * 1000)
    for kind in ("duckdb", "sqlite"):
        assert refused(f"{kind}:///{path}", "SELECT * FROM t ORDER BY 1").code == "GBI-E061"


def test_two_columns_of_one_name_are_refused(address: str) -> None:
    error = refused(address, "SELECT year AS a, ministry AS b, year AS a FROM budget ORDER BY 1")
    assert (error.code, error.got) == ("GBI-E053", "a")


def test_a_result_beyond_the_limit_is_refused(address: str) -> None:
    query = "SELECT year, ministry FROM budget ORDER BY 1"
    assert len(open_database(address, query, Limits(cells=6)).grids[0].rows) == 4
    error = refused(address, query, Limits(cells=5))
    assert (error.code, error.expected, error.exit_code) == ("GBI-E063", "≤ 5 cells", 3)


def test_a_query_without_end_is_stopped(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_SECONDS", 0.5)
    query = """WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)
               SELECT sum(n) AS s FROM t WHERE n < 0"""
    if address.startswith("duckdb"):
        query = "SELECT sum(sqrt(a.range + b.range)) AS s FROM range(10000000) a, range(10000000) b"
    error = refused(address, query)
    assert (error.code, error.expected) == ("GBI-E063", "≤ 0.5 s")


def test_an_error_never_quotes_a_value_of_the_data(duck: str, lite: str) -> None:
    error = refused(duck, "SELECT CAST(ministry AS INTEGER) AS x FROM budget")
    assert (error.code, error.got) == ("GBI-E057", "ConversionException")
    error = refused(lite, "SELECT CAST(X'53616eff' AS TEXT) AS x")
    assert (error.code, error.got) == ("GBI-E057", "OperationalError")
    assert "nowhere" in str(refused(lite, "SELECT * FROM nowhere").got)
    assert "nowhere" in str(refused(duck, "SELECT * FROM nowhere").got)


def test_the_source_is_a_hash_of_the_figures(duck: str) -> None:
    source = database_source(open_database(duck, ALL))
    assert (source.name, source.verified) == ("duckdb:///budget.duckdb", False)
    assert source == database_source(open_database(duck, f"{ALL} -- again"))
    content = (
        '[["ministry","year","amount","share","voted","tagged"],'
        '["Santé",2024,"723540607.64","0.5","2023-12-20",true],'
        '["التعليم",2024,870930216,"","",false],'
        '["",2025,"","0.25","2024-12-19",""]]'
    ).encode()
    assert (source.sha256, source.size) == (hashlib.sha256(content).hexdigest(), len(content))
    cents = [
        database_source(open_database(duck, f"SELECT {n} AS n ORDER BY 1")).sha256
        for n in ("12345678901.11::DOUBLE", "12345678901.12::DOUBLE", "12345678901234.11::DOUBLE",
                  "12345678901234.12::DOUBLE", "'12345678901.11'")
    ]  # fmt: skip
    assert len({*cents[:4]}) == 4


@pytest.mark.parametrize(
    "address",
    [
        "mysql://u:TopSecret@host/db",
        "postgresql://u:TopSecret#x@host/db",
        "postgresql://u:Top@Secret@host/db",
        "postgresql://u:1?TopSecret@host/db",
        "postgresql://u:1/TopSecret@host/db",
        "postgresql://u:TopSecret@host:port/db",
        "TopSecret",
        "",
    ],
)
def test_an_address_that_is_not_understood_is_not_repeated(address: str) -> None:
    error = refused(address, "SELECT 1")
    assert (error.code, error.exit_code) == ("GBI-E071", 2)
    assert "Secret" not in str(error.to_dict())


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://someone:TopSecret@127.0.0.1:{port}/db",
        "postgres://someone:TopSecret@127.0.0.1:{port}/db",
        "postgresql+psycopg://someone:Top%53ecret@127.0.0.1:{port}/db",
        "postgresql://127.0.0.1:{port}/db?password=TopSecret&user=someone",
        "postgresql://127.0.0.1:{port}/db?nonsense=TopSecret",
        "postgresql://127.0.0.1:{port}/db?sslmode=TopSecret",
    ],
)
def test_no_connection_is_an_error_without_the_password(address: str) -> None:
    pytest.importorskip("psycopg")
    port = free_port()
    error = refused(address.format(port=port), "SELECT 1")
    assert (error.code, error.exit_code) == ("GBI-E057", 3)
    assert error.where == f"postgresql://127.0.0.1:{port}/db"
    told = [repr(error), str(error.to_dict()), *traceback.format_exception(error)]
    assert not any("TopSecret" in t or "Top%53" in t for t in told)
    if "nonsense" not in address and "sslmode" not in address:
        assert "onnection refused" in str(error.got)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A throw-away PostgreSQL on a free port of this machine; its address, with a password."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    pytest.importorskip("psycopg")
    programs, root = found[-1].parent, hasattr(os, "geteuid") and os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="gbi-pg-"))

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        if root:  # the server refuses to run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder)

    try:
        (folder / "word").write_text("Top:Secret", encoding="utf-8")
        if root:
            for path in (folder, folder / "word"):
                shutil.chown(path, "postgres", "postgres")
        data, port = str(folder / "data"), free_port()
        run("initdb", "-D", data, "-U", "keeper", f"--pwfile={folder / 'word'}",
            "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N")  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://keeper:Top%3ASecret@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def post(server: str) -> str:
    import psycopg

    with psycopg.connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS budget")
        connection.execute(TABLE)
        connection.execute(FILL.encode())
    return server


@pytest.mark.system
def test_postgresql_gives_exact_values(post: str) -> None:
    place = f"postgresql://{post.rpartition('@')[2]}"
    query = "SELECT * FROM budget WHERE ministry IS NULL OR ministry NOT LIKE '%:x%' ORDER BY 3"
    opened = open_database(post, query)
    assert [list(row) for row in opened.grids[0].rows] == EXPECTED
    assert (opened.grids[0].file, opened.grids[0].sheet) == (place, "query")
    assert opened.details == {"query": query, "address": place}
    assert database_source(opened).name == place
    for secret in ("Secret", "keeper"):
        assert secret not in repr(opened)


@pytest.mark.system
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM budget",
        "SELECT 1; COMMIT; DELETE FROM budget",
        "SELECT 1 AS a; DELETE FROM budget",
        "WITH x AS (DELETE FROM budget RETURNING *) SELECT * FROM x",
        "COPY budget TO PROGRAM 'cat'",
        "SET TRANSACTION READ WRITE",
        "SELECT * INTO other FROM budget",
        "SELECT nextval('counter')",
        "SELECT * FROM nowhere",
    ],
)
@pytest.mark.parametrize("looked_at", [True, False])
def test_postgresql_refuses_all_but_reading(
    post: str, query: str, looked_at: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with psycopg.connect(post) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS counter")
    if not looked_at:  # the server is the guard, our look at the text only a clearer error
        monkeypatch.setattr(database, "_ONE", database.re.compile(".*", database.re.DOTALL))
    error = refused(post, query)
    assert (error.code, error.exit_code) == ("GBI-E057", 3)
    assert len(open_database(post, "SELECT * FROM budget").grids[0].rows) == 4


@pytest.mark.system
def test_postgresql_errors_say_no_value_and_no_password(
    post: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused(post, "SELECT ministry::integer FROM budget")
    assert (error.code, error.got) == ("GBI-E057", "InvalidTextRepresentation")
    assert refused(post, "SELECT DATE '12345-06-07' AS d").got == "DataError"
    assert 'relation "nowhere" does not exist' in str(refused(post, "SELECT * FROM nowhere").got)
    wrong = post.replace("Top%3ASecret", "Other%3ASecret")
    error = refused(wrong, "SELECT 1")
    assert error.code == "GBI-E057"
    told = [repr(error), str(error.to_dict()), *traceback.format_exception(error)]
    assert not any("Secret" in t for t in told)
    assert refused(post, "SELECT 1 AS a, 2 AS a").code == "GBI-E053"
    many = "SELECT a FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b"
    assert refused(post, many, Limits(cells=1000)).got == "> 1000 × 1"
    monkeypatch.setattr(database, "_SECONDS", 1)
    error = refused(post, "SELECT pg_sleep(20)")
    assert (error.code, error.expected) == ("GBI-E063", "≤ 1 s")
