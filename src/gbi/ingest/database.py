"""Read what a query gives from a database, without being able to change anything there.

DuckDB, SQLite and PostgreSQL; the query is one ``SELECT``, and the database itself is asked to
refuse everything else.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gbi.errors import GbiError
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.safety import LIMITS
from gbi.provenance import Source, canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from gbi.ingest.safety import Limits

    _Run = Callable[[str], AbstractContextManager["_Result"]]

_SECONDS = 60
_ADDRESSES = "duckdb:///file.duckdb, sqlite:///file.db, postgresql://host/database"
_ONE = re.compile(r"\s*(?:select|with|_)\b[^;]*;?\s*", re.IGNORECASE)
_ONE_SELECT = "SELECT …, WITH … SELECT …"
# What isn't SQL of the query itself: literals, quoted names, comments.
_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/", re.DOTALL
)
# A password with one of / ? # @ in it must be percent-encoded: it could not be told apart.
_POSTGRESQL = re.compile(
    r"postgres(?:ql)?(?:\+psycopg)?://(?:[^/?#@:]*(?::(?P<password>[^/?#@]*))?@)?"
    r"(?P<place>(?:[\w.-]*|\[[\da-f:]+\])(?::\d+)?(?:/[\w.%-]*)?)(?:\?(?P<options>[^#@]*))?",
    re.IGNORECASE,
)
_ABOUT_THE_QUERY = ("BinderException", "CatalogException", "ParserException",
                    "PermissionException", "IOException")  # fmt: skip
_STATES = ("08", "0A", "25", "28", "3D", "42")
_INNERMOST = re.compile(r"\([^()]*\)")


def open_database(address: str, query: str, limits: Limits = LIMITS) -> Opened:
    """Run a query and read its result as one grid.

    Parameters
    ----------
    address
        ``duckdb:///file.duckdb``, ``sqlite:///file.db`` or ``postgresql://user@host/database``.
    query
        One ``SELECT`` (or ``WITH … SELECT``). Without an ``ORDER BY`` the result's cells have
        no address that stays: the result is flagged ``unordered``.
    limits
        What the result may be at most.

    Returns
    -------
    Opened
        One grid named after the database without credentials, its sheet ``query``, its first row
        the columns' names. Exact decimals are whole numbers or floats where these hold the same
        digits, else text.

    Raises
    ------
    GbiError
        Exit code 2: ``GBI-E060`` (no such file), ``GBI-E071`` (an address of another kind),
        ``GBI-E053`` (two columns of one name). Exit code 3: ``GBI-E057`` (the query could not be
        run), ``GBI-E061`` (the file is no database), ``GBI-E063`` (more than the limits),
        ``GBI-E069`` (the extra ``sql`` is missing).
    """
    kind = address.partition("://")[0].partition("+")[0].lower()
    if kind not in _DATABASES:
        raise GbiError("GBI-E071", where="address", expected=_ADDRESSES, got=kind[:20])
    name, run = _DATABASES[kind](address)
    skeleton = _skeleton(query)
    if not _ONE.fullmatch(skeleton):
        raise GbiError("GBI-E057", where=name, expected=_ONE_SELECT, got=_start(query), exit_code=3)
    try:
        with run(query) as result:
            rows = _rows(result, name, limits)
    except GbiError:
        raise
    except ModuleNotFoundError as error:
        raise GbiError("GBI-E069", where=name, expected="gbi[sql]", got=error.name, exit_code=3,
                       extra="gbi[sql]") from None  # fmt: skip
    except Exception as error:  # three databases' own hierarchies
        raise _refused(error, name, address) from None
    ordered = re.search(r"\border\s+by\b", skeleton, re.IGNORECASE)
    flags = () if ordered else (Flag("unordered", "", _start(query)),)
    return Opened([Grid(name, "query", rows)], flags, {"query": query, "address": name})


def database_source(opened: Opened) -> Source:
    """Return a query's result as a source of a provenance: its figures' SHA-256.

    It can't be verified later against a folder: the database may have moved on.
    """
    (grid,) = opened.grids
    # numbers by all their digits: canonical JSON rounds floats for figures that are shown
    cells = [[repr(v) if isinstance(v, float) else v for v in row] for row in grid.rows]
    content = canonical_json(cells).encode()
    return Source(grid.file, hashlib.sha256(content).hexdigest(), len(content), verified=False)


def _skeleton(query: str) -> str:
    """Return a query's own words: no literals, names in quotes, comments, nor what is in brackets.

    An ``ORDER BY`` that is left orders the result, a semicolon that is left ends a statement.
    """
    bare = _QUOTED.sub(lambda m: " " if m[0].startswith(("--", "/*")) else " _ ", query)
    while (inner := _INNERMOST.sub(" _ ", bare)) != bare:
        bare = inner
    return bare


def _start(query: str) -> str:
    return " ".join(query.split())[:80]


def _rows(result: _Result, name: str, limits: Limits) -> list[list[Any]]:
    header = result.header
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise GbiError("GBI-E053", where=name, got=", ".join(twice))
    most = limits.cells // len(header)
    records = result.fetchmany(most + 1)
    if len(records) > most:
        raise GbiError("GBI-E063", where=name, expected=f"≤ {limits.cells} cells",
                       got=f"> {most} × {len(header)}", exit_code=3)  # fmt: skip
    return [header, *([_plain(v) for v in record] for record in records)]


def _plain(value: Any) -> Any:
    """Return a value as a cell holds it."""
    if value is None or value != value:
        return ""
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        shortest = float(value)
        return shortest if Decimal(repr(shortest)) == value else str(value)
    if isinstance(value, str | bool | int | float | date):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@dataclass(frozen=True, slots=True)
class _Result:
    """What a query gives: its columns' names, and so many of its rows as are asked for."""

    header: list[str]
    fetchmany: Callable[[int], Sequence[Sequence[Any]]]

    @classmethod
    def of(cls, cursor: Any) -> _Result:
        return cls([str(column[0]) for column in cursor.description], cursor.fetchmany)


def _file_of(address: str) -> tuple[str, Path]:
    """Return the address as shown, without the folders of this machine, and the file."""
    scheme, _, rest = address.partition("://")
    path = Path(rest.removeprefix("/"))
    if not path.is_file():  # asked first: connecting would create it
        raise GbiError("GBI-E060", where=str(path))
    return f"{scheme.lower()}:///{path.name}", path


def _duckdb(address: str) -> tuple[str, _Run]:
    name, path = _file_of(address)

    @contextmanager
    def run(query: str) -> Iterator[_Result]:
        import duckdb

        settings = {
            "enable_external_access": "false",  # neither other files nor the network
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "lock_configuration": "true",
        }
        with (
            closing(duckdb.connect(path, read_only=True, config=dict(settings))) as connection,
            _interrupted(connection.interrupt),
        ):
            yield _Result.of(connection.execute(query))

    return name, run


def _sqlite(address: str) -> tuple[str, _Run]:
    name, path = _file_of(address)

    @contextmanager
    def run(query: str) -> Iterator[_Result]:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection,
            _interrupted(connection.interrupt),
        ):
            connection.set_authorizer(_reading)
            yield _Result.of(connection.execute(query))

    return name, run


def _reading(action: int, *_: object) -> int:
    """Let SQLite read and nothing else: to attach another file is no change either."""
    reads = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION,
             sqlite3.SQLITE_RECURSIVE)  # fmt: skip
    return sqlite3.SQLITE_OK if action in reads else sqlite3.SQLITE_DENY


@contextmanager
def _interrupted(interrupt: Callable[[], None]) -> Iterator[None]:
    timer = Timer(_SECONDS, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _postgresql(address: str) -> tuple[str, _Run]:
    parts = _POSTGRESQL.fullmatch(address)
    if parts is None:  # not repeated: a password may be anywhere in it
        raise GbiError("GBI-E071", where="address", expected=_ADDRESSES)
    name = f"postgresql://{parts['place']}"

    @contextmanager
    def run(query: str) -> Iterator[_Result]:
        import psycopg

        plain = re.sub(r"^[^:]*", "postgresql", address)
        with psycopg.connect(plain, connect_timeout=10) as connection:
            connection.read_only = True
            connection.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'".encode())
            # A cursor that the server keeps: it is declared for one SELECT, which the server
            # insists upon, and only as many rows come over as are asked for.
            with connection.cursor("gbi") as cursor:
                cursor.execute(query.encode())
                yield _Result.of(cursor)

    return name, run


def _refused(error: Exception, name: str, address: str) -> GbiError:
    """Return the error for what a database said, without the data's values and the password."""
    kind = type(error).__name__
    code = getattr(error, "sqlite_errorname", "")
    if kind in ("InterruptException", "QueryCanceled") or code == "SQLITE_INTERRUPT":
        limit = f"≤ {_SECONDS} s"
        return GbiError("GBI-E063", where=name, expected=limit, got=kind, exit_code=3)
    said = str(error).strip().partition("\n")[0]
    if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or "not a valid DuckDB" in said:
        return GbiError("GBI-E061", where=name, got=kind, exit_code=3)
    shown = _quotable(error) and not any(secret in said for secret in _secrets(address))
    return GbiError("GBI-E057", where=name, got=f"{kind}: {said}" if shown else kind, exit_code=3)


def _quotable(error: Any) -> bool:
    """Whether an error is about the query or the connection: any other may quote a value."""
    kind = type(error).__name__
    if hasattr(error, "sqlstate"):  # without a state: no connection, or a value at our end
        return (
            kind == "OperationalError" if error.sqlstate is None else error.sqlstate[:2] in _STATES
        )
    return hasattr(error, "sqlite_errorname") or kind in _ABOUT_THE_QUERY


def _secrets(address: str) -> list[str]:
    parts = _POSTGRESQL.fullmatch(address)
    if parts is None:
        return []
    values = [parts["password"], *re.findall(r"=([^&]*)", parts["options"] or "")]
    return [form for v in values if v for form in (v, unquote(v))]


_DATABASES: dict[str, Callable[[str], tuple[str, _Run]]] = {
    "duckdb": _duckdb,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
}
