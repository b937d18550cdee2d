"""What a submission is among the paths given, and what its content is by hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from gbi.errors import GbiError
from gbi.provenance import canonical_json, gbi_version, sha256_of
from gbi.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Place:
    """Where a submission lies: a folder, or files that are one submission together.

    Attributes
    ----------
    name
        What it is called in the batch, and its folder among the outputs; without a machine's path.
    paths
        Its folder, or its files.
    """

    name: str
    paths: tuple[Path, ...]

    @property
    def folder(self) -> Path | None:
        """The folder, if it is one."""
        return self.paths[0] if len(self.paths) == 1 and self.paths[0].is_dir() else None

    def files(self) -> list[Path]:
        """Return the files that are read, by name."""
        if self.folder is None:
            return list(self.paths)
        return sorted(p for p in self.folder.iterdir() if p.is_file() and is_visible(p))


def is_visible(path: Path) -> bool:
    """Say whether a file or folder is one of the sender's: not hidden, not a workbook's lock."""
    return not path.name.startswith((".", "~$"))


def submissions(paths: Sequence[str | Path], *, out: Path | None = None) -> list[Place]:
    """Return the submissions among the paths given, by name.

    Parameters
    ----------
    paths
        Files, which are one submission together, and folders. A folder that holds nothing but
        folders (a README aside) is a folder of submissions, one level deep.
    out
        Where the results are written: never a submission itself.

    Raises
    ------
    GbiError
        ``GBI-E060`` if there is no such path.
    """
    given = [Path(p) for p in paths]
    for path in given:
        if not path.exists():
            raise GbiError("GBI-E060", where=str(path), exit_code=2)
    files = tuple(dict.fromkeys(p for p in given if p.is_file()))
    folders = list({p.resolve(): p for p in given if p.is_dir()}.values())
    found: list[Place] = [Place(files[0].stem, files)] if files else []
    for folder in folders:
        inner = _inner(folder, out)
        prefix = f"{folder.resolve().name}/" if len(folders) + bool(files) > 1 else ""
        if inner:
            found += [Place(f"{prefix}{p.name}", (p,)) for p in inner]
        else:
            found.append(Place(folder.resolve().name or "submission", (folder,)))
    return _apart(sorted(found, key=lambda place: (place.name, place.paths)))


def _inner(folder: Path, out: Path | None) -> list[Path]:
    """Return the submissions in a folder that holds nothing else; none if it is one itself."""
    own = None if out is None else out.resolve()
    there = [p for p in sorted(folder.iterdir()) if is_visible(p)]
    if any(p.is_file() and not p.name.lower().startswith("readme") for p in there):
        return []
    return [p for p in there if p.is_dir() and p.resolve() != own]


def _apart(places: list[Place]) -> list[Place]:
    """Tell namesakes apart by a number: they share a folder of outputs otherwise."""
    times: Counter[str] = Counter()
    taken = {place.name.casefold() for place in places}
    out = []
    for place in places:
        folded = place.name.casefold()  # one folder on Windows
        times[folded] += 1
        name = place.name
        while times[folded] > 1 and (name := f"{place.name}-{times[folded]}").casefold() in taken:
            times[folded] += 1
        taken.add(name.casefold())
        out.append(Place(name, place.paths))
    return out


def content(paths: Iterable[Path], *, but: Path | None = None) -> list[tuple[str, str]]:
    """Return the files of folders, at any depth, and files, each with its SHA-256.

    Parameters
    ----------
    paths
        Folders and files.
    but
        A folder to leave out: where the results are written.
    """
    beside = None if but is None else but.resolve()
    found = []
    for path in paths:
        if path.is_file():
            found.append((path.name, sha256_of(path)))
            continue
        for inner in _files(path, beside):
            found.append((inner.relative_to(path).as_posix(), sha256_of(inner)))
    return sorted(found)


def _files(folder: Path, beside: Path | None) -> Iterator[Path]:
    for path in folder.iterdir():
        if not is_visible(path) or (beside is not None and path.resolve() == beside):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, beside)
        elif path.is_file():
            yield path


@lru_cache(maxsize=1)
def program() -> str:
    """Return one SHA-256 over the program: version, modules, reference data and libraries.

    The version alone stays the same while a checkout is worked on, and a library that is installed
    later opens files that were unreadable before.
    """
    digest = hashlib.sha256(gbi_version().encode())
    for root, pattern in ((Path(__file__).parents[1], "*.py"), (resource_path("schemas"), "*")):
        for path in sorted(p for p in root.rglob(pattern) if p.is_file()):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    installed = sorted(f"{d.name} {d.version}" for d in metadata.distributions())
    digest.update(canonical_json(installed).encode())
    return digest.hexdigest()
