"""What was made of a submission, kept by the hash of everything that it was made from."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.results import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "GBI_CACHE"
_KEPT = "validate"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # in an archive: the same parts give the same bytes


def default_folder() -> Path:
    """Return the user's cache folder for gbi: ``GBI_CACHE``, or the system's place for such."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gbi"


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Return parts as one archive; the same parts give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), parts[name], zipfile.ZIP_DEFLATED)
    return held.getvalue()


def unpacked(path: Path) -> dict[str, bytes] | None:
    """Return the parts of an archive; None if it isn't there or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # whatever a damaged archive raises: it is made again
        return None


@dataclass(frozen=True, slots=True)
class Cache:
    """Entries by key, a file each: written whole or not at all, never trusted if damaged.

    Attributes
    ----------
    folder
        Where; None keeps and finds nothing.
    """

    folder: Path | None

    def get(self, key: str) -> dict[str, bytes] | None:
        """Return the parts of an entry, or None."""
        return None if self.folder is None else unpacked(self._path(self.folder, key))

    def put(self, key: str, parts: Mapping[str, bytes]) -> None:
        """Keep an entry. A cache that can't be written to costs time and nothing else."""
        if self.folder is None:
            return
        try:
            # annotated copies hold what the sender wrote: nobody else's to read
            (self.folder / _KEPT).mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path(self.folder, key), packed(parts))
        except OSError:
            return

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / _KEPT / key[:2] / f"{key}.zip"
