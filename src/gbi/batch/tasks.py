"""What is asked of a batch and of one submission in it, as plain values that can be sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

READER = "gbi.ingest:read_submission"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every submission of a batch.

    Attributes
    ----------
    formats, annotate, receipt
        The outputs wanted (see :data:`gbi.report.outputs.FORMATS`), annotated copies, a receipt.
    lang
        The language of what a person reads.
    as_of, only, exclude, rules
        As in :func:`gbi.validate`.
    profile, limits
        As in :func:`gbi.read_submission`; the limits by name.
    reader
        ``module:function`` in the place of :func:`gbi.read_submission`, with the same arguments.
    """

    formats: tuple[str, ...] = ()
    annotate: bool = False
    receipt: bool = False
    lang: str = "fr"
    as_of: str | None = None
    only: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    rules: str | None = None
    profile: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    reader: str = READER


@dataclass(frozen=True, slots=True)
class Task:
    """A submission and what is asked of it; as plain values it can be sent to a worker.

    Attributes
    ----------
    paths
        Its folder, or its files.
    asked
        What is wanted.
    waivers
        Its waivers.
    previous
        Last year's data, or an earlier report of it.
    without
        Files that make the reader stop: told as findings, never opened.
    """

    paths: tuple[str, ...]
    asked: Asked
    waivers: tuple[Mapping[str, Any], ...] = ()
    previous: str | None = None
    without: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Task:
        """Rebuild a task from :meth:`to_dict`, also after it was JSON."""
        asked: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data["asked"].items()
        }
        return cls(
            tuple(data["paths"]),
            Asked(**asked),
            tuple(data["waivers"]),
            data["previous"],
            tuple(data["without"]),
        )
