"""The file of waivers: YAML that an officer writes, checked before anything is lifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.resources import read_document
from gbi.validation.waivers import day_of

if TYPE_CHECKING:
    from pathlib import Path


def read_waivers(path: Path) -> list[dict[str, Any]]:
    """Read waivers from a YAML file.

    Parameters
    ----------
    path
        A file with one key, ``waivers``: a list of entries (see ``waivers.schema.json``).

    Returns
    -------
    list of dict
        The entries, each with the name of the file, so that a finding can point to it.

    Raises
    ------
    GbiError
        ``GBI-E060`` if there is no such file, ``GBI-E064`` if it is no UTF-8 text, ``GBI-E002`` or
        ``GBI-E003`` if it is no YAML or breaks the schema, ``GBI-E130`` for a day that is none.
    """
    if not path.is_file():
        raise GbiError("GBI-E060", where=str(path))
    try:
        document = read_document(path, "waivers", _ids_as_text)
    except UnicodeDecodeError:
        raise GbiError("GBI-E064", where=path.name, exit_code=3) from None
    entries = [{**entry, "file": path.name} for entry in document["waivers"]]
    for number, entry in enumerate(entries, start=1):
        for name in ("date", "expires"):
            day_of(entry.get(name), f"{path.name} › waivers {number} › {name}")
    return entries


def _ids_as_text(document: Any) -> Any:
    """Return the document with ids as text: YAML reads one of digits alone as a number."""
    entries = document.get("waivers") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and type(entry.get("id")) is int:
            entry["id"] = str(entry["id"])
    return document
