"""Read SDMX-ML data messages as a grid: one row an observation, one column a component."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from gbi.errors import GbiError
from gbi.ingest.grid import Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gbi.ingest.safety import Limits

_TIME, _VALUE = "TIME_PERIOD", "OBS_VALUE"
_KIND = "SDMX-ML 2.1, 3.0 data"
_MESSAGES = (
    "GenericData",
    "GenericTimeSeriesData",
    "StructureSpecificData",
    "StructureSpecificTimeSeriesData",
)
# The library makes objects of every observation, and tries every group on each of them: beyond
# this a message takes gigabytes, or minutes.
_OBSERVATIONS, _TRIALS = 300_000, 20_000_000


def open_sdmx(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a generic or structure-specific data message of SDMX-ML 2.1 or 3.0.

    The structure definition isn't needed and never looked for: the message names its components.
    Without it, attributes that stand on a series are columns among the dimensions. Codes and
    values stay the texts of the file; an observation without a value has an empty cell.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (no well-formed XML), ``GBI-E063`` (a limit, or a document type
        declaration), ``GBI-E066`` (another XML file, or a message that the library can't read).
    """
    import sdmx
    import sdmx.reader.xml.v30  # fails to import once a 2.1 message with a namespace was read

    size = path.stat().st_size
    if size > limits.expanded:
        raise _refused("GBI-E063", name, f"≤ {limits.expanded} B", f"{size} B")
    content = path.read_bytes()
    _look_at_root(content, name)
    _weigh(content, name)
    try:
        with _silence():
            message: Any = sdmx.read_sdmx(io.BytesIO(content), format="XML")
    except Exception as error:  # whatever the message lacks, its parts raise something else
        cause = error.__cause__ or error
        if isinstance(cause, SyntaxError):
            raise _refused("GBI-E061", name, None, cause.msg) from None
        raise _refused("GBI-E066", name, _KIND, str(cause) or type(cause).__name__) from None
    records = [_record(o, data) for data in message.data for o in data.obs]
    columns = _columns(records)
    if len(records) * len(columns) > limits.cells:
        met = f"{len(records)} × {len(columns)}"
        raise _refused("GBI-E063", name, f"≤ {limits.cells} cells", met)
    rows = [columns, *([r.get(c, "") for c in columns] for r in records)]
    return Opened([Grid(name, "", rows)])


def _refused(code: str, name: str, expected: str | None, got: str | None) -> GbiError:
    return GbiError(code, where=name, expected=expected, got=got, exit_code=3)


# --- before the library reads ---


class _RootError(Exception):
    """The root element, at which the first look ends."""


def _look_at_root(content: bytes, name: str) -> None:
    """Refuse document type declarations, in any encoding, and what is no data message."""

    def declared(*_: object) -> None:
        raise _refused("GBI-E063", name, "no document type declaration", "DOCTYPE")

    def root(tag: str, _: object) -> None:
        raise _RootError(tag)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = declared, root
    try:
        parser.Parse(content, True)
    except _RootError as found:
        space, _, tag = str(found).rpartition(" ")
        if tag not in _MESSAGES or not re.search(r"sdmx.*/v(2_1|3_0)/", space):
            got = f"{tag} ({space})" if space else tag
            raise _refused("GBI-E066", name, _KIND, got) from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _refused("GBI-E061", name, None, str(error)) from None


def _weigh(content: bytes, name: str) -> None:
    plain = content.replace(b"\x00", b"")  # so that UTF-16 is counted too
    observations, groups, dimensions = (
        len(re.findall(rb"<(?:[\w.-]+:)?%b[\s/>]" % tag, plain))
        for tag in (b"Obs", b"Group", b"ObsDimension")
    )
    if observations > _OBSERVATIONS:
        limit = f"≤ {_OBSERVATIONS} observations"
        raise _refused("GBI-E063", name, limit, str(observations))
    if observations * groups > _TRIALS:
        limit = f"≤ {_TRIALS} observations × groups"
        raise _refused("GBI-E063", name, limit, f"{observations} × {groups}")
    if dimensions > observations:  # the library would keep the last and say nothing
        met = f"{dimensions} / {observations}"
        raise _refused("GBI-E066", name, "one ObsDimension in each Obs", met)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what the library prints, logs and warns of from the user's terminal."""
    logger = logging.getLogger("sdmx")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


# --- observations ---


def _record(observation: Any, data: Any) -> dict[str, str]:
    """Return an observation's components; an attribute given nearer to it counts."""
    attributes = {**getattr(data, "attrib", {}), **observation.attrib,
                  **observation.attached_attribute}  # fmt: skip
    components = {**observation.key.values, **attributes}
    record = {str(k): str(v.value) for k, v in components.items()}
    value = observation.value
    return {**record, _VALUE: "" if value is None else str(value)}


def _columns(records: list[dict[str, str]]) -> list[str]:
    """Return every component once, in the message's order; time and value come last."""
    found = dict.fromkeys(c for r in records for c in r)
    last = [_TIME] * (_TIME in found) + [_VALUE]
    return [*(c for c in found if c not in last), *last]
