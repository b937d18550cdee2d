"""Read PC-Axis files as a grid: two columns a variable, one row a cell of the cube."""

from __future__ import annotations

import contextlib
import io
import math
from itertools import product
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.ingest.delimited import CODE_PAGES, decode
from gbi.ingest.grid import Flag, Grid, Opened
from gbi.ingest.safety import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from gbi.ingest.safety import Limits


def open_pcaxis(path: Path, name: str, limits: Limits = LIMITS) -> Opened:
    """Read a PC-Axis file in its own language.

    A variable gives two columns: its name with the codes (the values where it has no codes) and
    ``<name>_label`` with the values. The last column, ``value``, keeps what stands in the file,
    also the signs of a missing value (``..``), without their quotes.

    Raises
    ------
    GbiError
        Exit code 3: ``GBI-E061`` (damaged, or other than one figure for each cell),
        ``GBI-E063`` (a limit), ``GBI-E064`` (encoding), ``GBI-E066`` (no PC-Axis).
    """
    # not pyaxis.pyaxis, which sets up the logging of the whole process when it is imported
    from pyaxis.data_processing import get_codes, get_dimensions
    from pyaxis.metadata_processing import (
        metadata_extract,
        metadata_split_to_dict,
        multilingual_parse,
    )

    size = path.stat().st_size
    if size > limits.archive:
        raise _refused("GBI-E063", name, f"≤ {limits.archive} B", f"{size} B")
    text, encoding = decode(path.read_bytes(), name)
    if "DATA=" not in text or "VALUES(" not in text:
        raise _refused("GBI-E066", name, "PC-Axis", None)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            elements, data = metadata_extract(text)
            about, _ = multilingual_parse(metadata_split_to_dict(elements), None)
        variables, labels = get_dimensions(about)
        codes = dict(zip(*get_codes(about), strict=True))
        figures = [figure.strip('"') for figure in data.split()]
        count = math.prod(map(len, labels))
        if len(figures) != count:
            raise _refused("GBI-E061", name, str(count), str(len(figures)))
        if count * (2 * len(variables) + 1) > limits.cells:
            met = f"{count} × {2 * len(variables) + 1}"
            raise _refused("GBI-E063", name, f"≤ {limits.cells} cells", met)
        categories = [
            list(zip(codes.get(variable, values), values, strict=True))
            for variable, values in zip(variables, labels, strict=True)
        ]
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise _refused("GBI-E061", name, "PC-Axis", str(error)) from None
    header = [title for v in variables for title in (v, f"{v}_label")]
    keys = ([text for category in key for text in category] for key in product(*categories))
    rows = [[*header, "value"], *([*k, f] for k, f in zip(keys, figures, strict=True))]
    flags = (Flag("encoding", "", encoding),) if encoding in CODE_PAGES else ()
    return Opened([Grid(name, "", rows)], flags, {"encoding": encoding})


def _refused(code: str, where: str, expected: str | None, got: str | None) -> GbiError:
    return GbiError(code, where=where, expected=expected, got=got, exit_code=3)
