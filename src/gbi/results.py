"""Results: what every measure returns.

A result is a table with notes and provenance. It knows nothing of matplotlib or HTML: its
rendering methods look up :mod:`gbi.report.rendering` when they are called, the one place where a
lower floor reaches upward.
"""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gbi.language import texts
from gbi.provenance import Provenance, canonical, canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

RESULT_SCHEMA = "gbi-result/1"


def rendering() -> Any:
    """Return the module that renders results (resolved by name, see the module's docstring)."""
    return importlib.import_module("gbi.report.rendering")


def write_atomically(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all: to a temporary name beside it, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as tmp:
        tmp.write(data)
    temporary = Path(tmp.name)
    try:
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return path


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that belongs to a result, by code; its words are in ``labels/notes.yaml``."""

    code: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def texts(self) -> dict[str, str]:
        """Return the note in all languages."""
        return texts(f"notes.{self.code}", **dict(self.params))

    def to_dict(self) -> dict[str, Any]:
        """Return code, parameters and texts as plain values."""
        return {"code": self.code, "params": canonical(dict(self.params)), "text": self.texts()}


@dataclass(frozen=True, eq=False)
class Result:
    """A table of figures with what a reader must know about them.

    Attributes
    ----------
    kind
        What it is: ``gap``, ``shares``, ``achievement``, ``budget_structure``, ``gender_marking``.
    frame
        The figures, long, unrounded; a row that could not be computed has ``OBS_STATUS`` and
        ``REASON``.
    notes
        Remarks, by code.
    provenance
        Sources and steps.
    meta
        What the table as a whole needs to be read: reference, unit, denominator, perimeter.
    """

    kind: str
    frame: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    meta: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a new data frame."""
        return self.frame.copy()

    def summary(self, *, lang: str | None = None) -> str:
        """Return a short text: the table, its notes and its fingerprint; the same on every run."""
        rendered: str = rendering().summary(self, lang=lang)
        return rendered

    def plot(self, *, ax: Any = None, lang: str | None = None, **style: Any) -> Any:
        """Draw the result and return the matplotlib Axes; nothing is shown or saved."""
        return rendering().plot(self, ax=ax, lang=lang, **style)

    def to_dict(self) -> dict[str, Any]:
        """Return the ``gbi-result/1`` payload."""
        return {
            "schema": RESULT_SCHEMA,
            "kind": self.kind,
            "columns": [str(c) for c in self.frame.columns],
            "rows": canonical(self.frame),
            "meta": canonical(dict(self.meta)),
            "notes": [note.to_dict() for note in self.notes],
            "provenance": self.provenance.to_dict(),
        }

    def to_json(self, path: str | Path | None = None) -> str | Path:
        """Return the payload as JSON text, or write it whole to ``path`` and return the path."""
        content = canonical_json(self.to_dict(), indent=1) + "\n"
        return content if path is None else write_atomically(Path(path), content)

    def _repr_html_(self) -> str:
        rendered: str = rendering().repr_html(self)
        return rendered

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} '{self.kind}': {len(self.frame)} rows, "
            f"{len(self.notes)} notes, {self.provenance.fingerprint}>"
        )
