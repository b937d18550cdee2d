"""Put a set of files into a folder: all of them, or none.

Everything is written to a temporary folder beside the target first. Files of others in the target
are left alone; files that gbi wrote there before are replaced or, where they have no successor,
taken away. If a step fails (on Windows: a workbook that is open in Excel) every file returns to
where it was.
"""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.errors import GbiError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What gbi writes; only such names are ever taken away.
_OURS = re.compile(
    r"(?:bundle\.json|report\.html|validation\.json|findings\.xlsx|status\.json"
    r"|figures/[a-z0-9_]+\.(?:svg|png))"
)


def place(out: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder, all or nothing.

    Parameters
    ----------
    out
        The folder; made where it does not exist.
    files
        Name relative to the folder, with forward slashes → content.

    Raises
    ------
    GbiError
        ``GBI-E084`` if ``out`` is a file, ``GBI-E085`` if a file can't be written or replaced.
    """
    if out.exists() and not out.is_dir():
        raise GbiError("GBI-E084", where=str(out))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = out.parent / f".{out.name}.{secrets.token_hex(4)}.tmp"
        _write_all(work / "new", files)
    except OSError as error:
        raise GbiError("GBI-E085", where=str(out), got=_reason(error)) from None
    try:
        if out.exists():
            _swap(out, work, sorted(files))
        else:
            (work / "new").replace(out)
    except OSError as error:
        place_at = getattr(error, "filename", None) or str(out)
        raise GbiError("GBI-E085", where=str(place_at), got=_reason(error)) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return out


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


def _ours(out: Path) -> list[str]:
    """Return the files of earlier runs in a folder, by their names, when a bundle lies there."""
    if not (out / "bundle.json").is_file():
        return []
    found = [p for p in (*out.glob("*.*"), *(out / "figures").glob("*.*")) if p.is_file()]
    names = (p.relative_to(out).as_posix() for p in found)
    return sorted(n for n in names if _OURS.fullmatch(n))


def _swap(out: Path, work: Path, new: list[str]) -> None:
    """Move old files aside and new ones in; undo everything if one move fails."""
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        moved.append((source, target))

    try:
        for name in sorted({*_ours(out), *(n for n in new if (out / n).exists())}):
            move(out / name, work / "old" / name)
        for name in new:
            move(work / "new" / name, out / name)
    except OSError:
        for source, target in reversed(moved):
            target.replace(source)
        raise
