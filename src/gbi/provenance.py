"""Where a figure comes from: files by content, the steps taken, and one fingerprint over both.

The fingerprint covers the sources' SHA-256, the steps with their parameters, the gbi version and
the rule set. Library versions and the clock are recorded beside it, never inside: the same bytes
and the same steps give the same fingerprint on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gbi.errors import GbiError
from gbi.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SIGNIFICANT_DIGITS = 12
_LIBRARIES = (
    "pandas",
    "numpy",
    "pyarrow",
    "pandera",
    "scipy",
    "matplotlib",
    "openpyxl",
    "python-calamine",
)


def canonical(value: Any) -> Any:
    """Return a value as plain JSON types; floats are rounded to 12 significant digits.

    This is the one place where a number is rounded before it is shown: parallel sums differ in
    their last bits, and a bundle must be byte-identical when it is made again.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return canonical(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, pd.DataFrame):
        return [
            {str(c): canonical(v) for c, v in zip(value.columns, row, strict=True)}
            for row in value.itertuples(index=False, name=None)
        ]
    if hasattr(value, "to_dict") and not isinstance(value, pd.Series):
        return canonical(value.to_dict())
    if hasattr(value, "items"):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(canonical(v) for v in value)
    if hasattr(value, "__iter__"):
        return [canonical(v) for v in value]
    if pd.isna(value):
        return None
    return str(value)


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as deterministic JSON text (sorted keys, UTF-8 characters as they are)."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(
        canonical(value), ensure_ascii=False, sort_keys=True, indent=indent, separators=separators
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@lru_cache(maxsize=1)
def gbi_version() -> str:
    """Return the installed version of the package."""
    try:
        return metadata.version("gbi")
    except metadata.PackageNotFoundError:
        return "0+unknown"


@lru_cache(maxsize=1)
def ruleset_hash() -> str:
    """Return one SHA-256 over all packaged rule files (line ends normalised)."""
    root = resource_path("schemas", "rules")
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.yaml"), key=lambda p: p.relative_to(root).as_posix()):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _content(column: pd.Series[Any]) -> Iterator[bytes | memoryview]:
    """Yield what a column holds: its numbers, or which of its distinct values stands where."""
    import pyarrow as pa

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        yield np.ascontiguousarray(column.to_numpy()).data.cast("B")
        return
    texts = pa.array(column if _is_text(column) else column.astype("string"), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    packed = texts.cast(pa.large_string())
    if not len(packed):
        return
    if packed.null_count:  # without gaps the same texts are the same bytes, however stored
        yield np.asarray(packed.is_valid()).tobytes()
        packed = packed.fill_null("")
    _, offsets, content = packed.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[packed.offset : packed.offset + len(packed) + 1]
    yield np.ascontiguousarray(ends - ends[0]).data.cast("B")
    if content is not None:
        yield memoryview(content)[int(ends[0]) : int(ends[-1])]


def _is_text(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_string_dtype(column.dtype) and not pd.api.types.is_object_dtype(
        column.dtype
    )


@dataclass(frozen=True, order=True, slots=True)
class Source:
    """A file that was read: its name relative to the submission, SHA-256 and size in bytes."""

    name: str
    sha256: str
    size: int
    verified: bool = True

    @classmethod
    def of(cls, path: Path, *, root: Path | None = None) -> Source:
        """Describe a file on disk; its name is relative to ``root`` where it lies below it."""
        name = path.name
        if root is not None and path.resolve().is_relative_to(root.resolve()):
            name = path.resolve().relative_to(root.resolve()).as_posix()
        return cls(name, sha256_of(path), path.stat().st_size)

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """A function that was applied; its parameters are canonical JSON, so that they stay."""

    function: str
    parameters: str = "{}"

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return {"function": self.function, "parameters": json.loads(self.parameters)}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A source that is not what the provenance recorded; ``actual`` is None if it is missing."""

    name: str
    recorded: str
    actual: str | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Sources and steps behind a dataset or a result."""

    sources: tuple[Source, ...] = ()
    steps: tuple[Step, ...] = ()
    version: str = ""
    ruleset: str = ""

    def __post_init__(self) -> None:
        """Stamp the version and the rule set where they were not given."""
        if not self.version:
            object.__setattr__(self, "version", gbi_version())
        if not self.ruleset:
            object.__setattr__(self, "ruleset", ruleset_hash())

    @classmethod
    def of_files(cls, paths: Sequence[Path], *, root: Path | None = None) -> Provenance:
        """Start from files on disk."""
        return cls(tuple(sorted(Source.of(p, root=root) for p in paths)))

    @classmethod
    def in_memory(cls, frame: pd.DataFrame) -> Provenance:
        """Start from a frame that was handed over: hashed, but unverified."""
        digest = hashlib.sha256(",".join(map(str, frame.columns)).encode())
        for i in range(frame.shape[1]):
            for block in _content(frame.iloc[:, i]):
                digest.update(block)
        size = int(frame.memory_usage(deep=False).sum())
        return cls((Source("in memory, unverified", digest.hexdigest(), size, verified=False),))

    @classmethod
    def of_file(cls, path: Path) -> Provenance:
        """Start from a file that is read piece by piece: hashed here, as a whole.

        Raises
        ------
        GbiError
            ``GBI-E060`` if there is no such file.
        """
        if not path.is_file():
            raise GbiError("GBI-E060", where=str(path), exit_code=2)
        return cls((Source(path.name, sha256_of(path), path.stat().st_size),))

    @classmethod
    def merge(cls, *parts: Provenance) -> Provenance:
        """Join several provenances; equal sources and steps are kept once, in order."""
        sources = tuple(sorted({s for p in parts for s in p.sources}))
        steps = tuple(dict.fromkeys(s for p in parts for s in p.steps))
        return cls(sources, steps)

    def then(self, function: str, **parameters: Any) -> Provenance:
        """Return a provenance with one more step."""
        return replace(self, steps=(*self.steps, Step(function, canonical_json(parameters))))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits over sources, steps, version and rule set."""
        payload = {
            "sources": [[s.name, s.sha256] for s in sorted(self.sources)],
            "steps": [[s.function, s.parameters] for s in self.steps],
            "version": self.version,
            "ruleset": self.ruleset,
        }
        return hashlib.sha256(canonical_json(payload).encode()).hexdigest()[:16]

    @property
    def verified(self) -> bool:
        """Whether every source is a file whose bytes were hashed."""
        return bool(self.sources) and all(s.verified for s in self.sources)

    def verify(self, folder: Path | str) -> tuple[Mismatch, ...]:
        """Compare the recorded sources with the files of a folder; empty if all are the same.

        Raises
        ------
        GbiError
            ``GBI-E020`` if a source was in memory, so that nothing can be compared.
        """
        root = Path(folder)
        wrong = []
        for source in self.sources:
            if not source.verified:
                raise GbiError("GBI-E020", where=source.name)
            path = root / source.name
            actual = sha256_of(path) if path.is_file() else None
            if actual != source.sha256:
                wrong.append(Mismatch(source.name, source.sha256, actual))
        return tuple(wrong)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that the fingerprint covers, and the fingerprint."""
        return {
            "fingerprint": self.fingerprint,
            "version": self.version,
            "ruleset": self.ruleset,
            "sources": [s.to_dict() for s in self.sources],
            "steps": [s.to_dict() for s in self.steps],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Provenance:
        """Rebuild a provenance from :meth:`to_dict`; its fingerprint is computed anew."""
        return cls(
            tuple(Source(**s) for s in data["sources"]),
            tuple(Step(s["function"], canonical_json(s["parameters"])) for s in data["steps"]),
            data["version"],
            data["ruleset"],
        )


def environment() -> dict[str, str]:
    """Return what is recorded beside the fingerprint: interpreter, system and library versions."""
    versions = {"python": platform.python_version(), "system": platform.system()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
