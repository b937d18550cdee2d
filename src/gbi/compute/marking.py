"""Gender marking: marks of the grids, weights, bands of the share, the lower of two marks.

The grids and bands are data (``data/schemas/marking/``). A combination of answers that the source
does not print has no mark: it is reported, never forced to the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gbi.errors import GbiError
from gbi.resources import read_document, resource_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Answers = tuple[str, str, str, str]
_HUNDRED = 100.0


@dataclass(frozen=True, slots=True)
class Band:
    """A class of the share: fractions ``low`` ≤ share < ``high`` (≤ where ``high_included``)."""

    mark: str
    low: float
    high: float
    high_included: bool

    def holds(self, share: float) -> bool:
        """Say whether an unrounded share lies in the band."""
        return self.low <= share < self.high or (self.high_included and share == self.high)


@dataclass(frozen=True, slots=True)
class PrintedGap:
    """A hole between two printed classes: ``low`` < share < ``high``, with both possible marks."""

    low: float
    high: float
    high_included: bool
    marks: tuple[str, str]

    def holds(self, share: float) -> bool:
        """Say whether an unrounded share lies in the hole."""
        return self.low < share < self.high or (self.high_included and share == self.high)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a share can be where credits or marks are unknown; an open end is not reached."""

    low: float
    high: float
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True)
class Scale:
    """A marking method: its grids, weights and bands.

    Attributes
    ----------
    name
        ``CE-BSG``.
    order
        The marks from the lowest to the highest.
    programme_grid, project_grid
        Printed combination of answers (``Y``/``N``) → mark.
    weights
        Project mark → weight, a fraction.
    not_evaluated
        The project mark that says "not evaluated".
    bands
        The classes of the share, without holes.
    printed_gaps
        The holes between the classes as printed.
    """

    name: str
    order: tuple[str, ...]
    programme_grid: Mapping[Answers, str]
    project_grid: Mapping[Answers, str]
    weights: Mapping[str, float]
    not_evaluated: str
    bands: tuple[Band, ...]
    printed_gaps: tuple[PrintedGap, ...]

    def band_mark(self, share: float | None) -> str | None:
        """Return the mark of an unrounded share; None where it is unknown or outside 0 to 1."""
        if share is None or share != share:
            return None
        return next((b.mark for b in self.bands if b.holds(share)), None)

    def printed_gap(self, share: float | None) -> PrintedGap | None:
        """Return the hole between two printed classes that a share lies in, or None."""
        if share is None or share != share:
            return None
        return next((g for g in self.printed_gaps if g.holds(share)), None)

    def programme_mark(self, answers: Sequence[str | None]) -> str | None:
        """Return the grid mark of a programme, None if the combination is not printed."""
        return _marked(self.programme_grid, answers)

    def project_mark(self, answers: Sequence[str | None]) -> str | None:
        """Return the grid mark of a project, None if the combination is not printed."""
        return _marked(self.project_grid, answers)

    def weight(self, mark: str | None) -> float | None:
        """Return the weight of a project mark as a fraction, None if there is no such mark."""
        return None if mark is None else self.weights.get(mark)

    def lowest(self, *marks: str | None) -> str | None:
        """Return the lowest mark; None if one of them is missing or of another scale."""
        if not marks or any(m not in self.order for m in marks):
            return None
        return min((str(m) for m in marks), key=self.order.index)

    def with_thresholds(self, thresholds: Sequence[float]) -> Scale:
        """Return the scale with other lower bounds of the bands above the first, as fractions.

        What belongs to which side of an edge stays as in the scale's file; the holes of the
        printed classes are the file's and don't hold for other bounds.

        Raises
        ------
        GbiError
            ``GBI-E071`` if there are not as many as bands less one, or if they don't rise
            between 0 and 1.
        """
        edges = [0.0, *(float(t) for t in thresholds), 1.0]
        rising = all(a < b for a, b in pairwise(edges))
        if len(edges) != len(self.bands) + 1 or not rising:
            raise GbiError("GBI-E071", where="thresholds", got=str(list(thresholds)))
        if edges == [self.bands[0].low, *(b.high for b in self.bands)]:
            return self
        bands = tuple(
            replace(band, low=low, high=high)
            for band, (low, high) in zip(self.bands, pairwise(edges), strict=True)
        )
        return replace(self, bands=bands, printed_gaps=())


def _marked(grid: Mapping[Answers, str], answers: Sequence[str | None]) -> str | None:
    return grid.get(tuple(answers))  # type: ignore[arg-type]


def _grid(document: Mapping[str, Any]) -> Mapping[Answers, str]:
    return MappingProxyType({tuple(e["answers"]): str(e["mark"]) for e in document["grid"]})


@lru_cache(maxsize=8)
def scale(name: str = "CE-BSG") -> Scale:
    """Return a marking method by its name.

    Raises
    ------
    GbiError
        ``GBI-E071`` if there is none of this name.
    """
    folder = resource_path("schemas", "marking")
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    if name.lower() not in known:
        expected = ", ".join(k.upper() for k in known)
        raise GbiError("GBI-E071", where="SCALE", expected=expected, got=name)
    document = read_document(folder / f"{name.lower()}.yaml", "marking")
    project = document["project"]

    def gap(entry: Mapping[str, Any]) -> PrintedGap:
        first, second = entry["marks"]
        low, high = entry["from"] / _HUNDRED, entry["to"] / _HUNDRED
        return PrintedGap(low, high, entry["to_included"], (first, second))

    return Scale(
        name=str(document["id"]),
        order=tuple(document["order"]),
        programme_grid=_grid(document["programme"]),
        project_grid=_grid(project),
        weights=MappingProxyType({k: v / _HUNDRED for k, v in project["weights"].items()}),
        not_evaluated=str(project["not_evaluated"]),
        bands=tuple(
            Band(b["mark"], b["from"] / _HUNDRED, b["to"] / _HUNDRED, b["to_included"])
            for b in document["bands"]
        ),
        printed_gaps=tuple(gap(entry) for entry in document["printed_gaps"]),
    )


def weighted_share(credits: Sequence[float], weights: Sequence[float]) -> float | None:
    """Return Σ(weight · credits) / Σ credits, unrounded; None where the credits sum to 0.

    Parameters
    ----------
    credits
        Payment credits of the projects of one programme, in one unit.
    weights
        The projects' weights, fractions.

    Notes
    -----
    The sums are those of the decimal numbers as written, rounded once at the end: neither the
    order of the projects nor binary noise decides on which side of an edge a share lies.
    """
    amounts = [_exact(c) for c in credits]
    total = sum(amounts)
    if total <= 0:
        return None
    return float(sum(a * _exact(w) for a, w in zip(amounts, weights, strict=True)) / total)


def weighted_amount(credits: float, weight: float) -> float:
    """Return weight · credits, rounded once: 70 % of 16.14 is 11.298.

    Parameters
    ----------
    credits
        Payment credits.
    weight
        A fraction.
    """
    return float(_exact(credits) * _exact(weight))


def _exact(value: float) -> Fraction:
    """Return the decimal number that a float is written as: 0.7 is 7/10, so edges are met."""
    return Fraction(repr(float(value)))


def share_bounds(
    credits: Sequence[float | None],
    weights: Sequence[float | None],
    *,
    lightest: float = 0.0,
    heaviest: float = 1.0,
) -> Bounds | None:
    """Return what the share of a programme can be where credits or weights are unknown.

    Parameters
    ----------
    credits
        Payment credits per project, not negative; None where unknown.
    weights
        Weights per project; None where unknown.
    lightest, heaviest
        What an unknown weight can be.

    Returns
    -------
    Bounds or None
        Unknown credits can be any positive amount. They pull the share towards the project's
        own weight without ever reaching it, as long as there are known credits: that end is open.
        None where there are no projects, or the known credits sum to 0 and nothing is unknown.
    """
    known = [(c, w) for c, w in zip(credits, weights, strict=True) if c is not None]
    unknown = [w for c, w in zip(credits, weights, strict=True) if c is None]
    amounts = [c for c, _ in known]
    ends: list[tuple[float, bool]] = []
    for side, choose in ((lightest, min), (heaviest, max)):
        share = weighted_share(amounts, [side if w is None else w for _, w in known])
        pulls = [side if w is None else w for w in unknown]
        if share is None and not pulls:
            return None
        if not pulls:
            ends.append((float(share or 0.0), True))
        elif share is None:
            # Only unknown credits: any mixture of their weights; one of several alone is not
            # reached, but a single project, or several of one weight, is its weight.
            ends.append((choose(pulls), len(set(unknown)) == 1))
        else:
            far = choose(pulls)
            beyond = far < share if choose is min else far > share
            # The known share itself is reached as the unknown credits go to nothing.
            ends.append((far, False) if beyond else (share, True))
    (low, low_in), (high, high_in) = ends
    return Bounds(low, high, low_in, high_in)
