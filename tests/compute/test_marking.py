"""Marks: the printed grid and no other, edges of the bands, bounds of what is not known."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gbi.compute import scale, share_bounds, weighted_amount, weighted_share
from gbi.errors import GbiError
from gbi.resources import read_document, resource_path
from gbi.vocabulary import codes

CE_BSG = scale()


@pytest.mark.parametrize(
    ("share", "mark"),
    [(0, "G0"), (0.19999, "G0"), (0.2, "G1"), (0.49999, "G1"), (0.5, "G2"), (0.85, "G2"),
     (0.8500001, "G+"), (1, "G+"), (1.01, None), (-0.1, None), (None, None), (float("nan"), None)],
)  # fmt: skip
def test_bands_on_the_unrounded_share(share: float | None, mark: str | None) -> None:
    assert CE_BSG.band_mark(share) == mark


@pytest.mark.parametrize(
    ("share", "marks"),
    [(0.19, None), (0.195, ("G0", "G1")), (0.2, None), (0.495, ("G1", "G2")), (0.5, None),
     (0.84, None), (0.845, ("G2", "G+")), (0.85, ("G2", "G+")), (0.851, None), (None, None)],
)  # fmt: skip
def test_holes_between_the_printed_classes(
    share: float | None, marks: tuple[str, str] | None
) -> None:
    hole = CE_BSG.printed_gap(share)
    assert (hole and hole.marks) == marks


def test_only_printed_combinations_have_a_mark() -> None:
    combinations = list(product("YN", repeat=4))
    programme = {c: CE_BSG.programme_mark(c) for c in combinations}
    assert {c: m for c, m in programme.items() if m} == dict(CE_BSG.programme_grid)
    assert sum(m is not None for m in programme.values()) == 4
    assert CE_BSG.programme_mark(("Y", "N", "N", "Y")) is None
    assert CE_BSG.programme_mark((None, "Y", "Y", "Y")) is None
    marks = [CE_BSG.project_mark(c) for c in ("YYYY", "NYYY", "NNYY", "NNNN")]
    assert marks == ["1", "2", "3", "4"]


def test_weights_and_the_lower_mark() -> None:
    assert [CE_BSG.weight(m) for m in "12345"] == [1.0, 0.7, 0.3, 0.0, 0.0]
    assert CE_BSG.weight("6") is None
    assert CE_BSG.weight(None) is None
    assert CE_BSG.lowest("G2", "G+") == "G2"
    assert CE_BSG.lowest("G1", "G0") == "G0"
    assert CE_BSG.lowest("G1", None) is None
    assert CE_BSG.lowest("G1", "1") is None
    assert CE_BSG.lowest() is None


def test_other_thresholds() -> None:
    other = CE_BSG.with_thresholds([0.1, 0.3, 0.6])
    assert [other.band_mark(s) for s in (0.05, 0.1, 0.5, 0.6, 0.61)] == [
        "G0",
        "G1",
        "G2",
        "G2",
        "G+",
    ]
    assert other.printed_gap(0.495) is None
    assert CE_BSG.with_thresholds([0.2, 0.5, 0.85]) is CE_BSG
    for wrong in ([0.5, 0.2, 0.85], [0.2, 0.5], [0.2, 0.5, 1.0]):
        with pytest.raises(GbiError) as refused:
            CE_BSG.with_thresholds(wrong)
        assert refused.value.code == "GBI-E071"


def test_decimal_edges_are_met() -> None:
    assert weighted_share([50, 20], [0.7, 0.0]) == 0.5
    assert weighted_share([1 / 10] * 3, [0.7] * 3) == 0.7
    assert weighted_amount(16.14, 0.7) == 11.298
    assert weighted_share([], []) is None
    assert weighted_share([0.0], [1.0]) is None


@given(
    st.lists(st.tuples(st.floats(0.01, 1e6), st.sampled_from([0, 0.3, 0.7, 1])), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_projects_changes_no_bit(
    projects: list[tuple[float, float]], random: Random
) -> None:
    shuffled = list(projects)
    random.shuffle(shuffled)
    share = weighted_share(*zip(*projects, strict=True))
    assert share == weighted_share(*zip(*shuffled, strict=True))
    twice = [*projects, *projects]
    assert share == weighted_share(*zip(*twice, strict=True))


def test_bounds_and_their_ends() -> None:
    found = share_bounds([321.33, None, 16.14], [0.7, 0.0, 0.7])
    assert found is not None
    assert (found.low, found.low_included, found.high, found.high_included) == (0, False, 0.7, True)
    only = share_bounds([None], [0.7])
    assert only is not None
    assert (only.low, only.high, only.low_included, only.high_included) == (0.7, 0.7, True, True)
    two = share_bounds([None, None], [0.7, 0.0])
    assert two is not None
    assert (two.low, two.low_included, two.high, two.high_included) == (0, False, 0.7, False)
    unmarked = share_bounds([30, 10], [0.7, None])
    assert unmarked is not None
    assert (unmarked.low, unmarked.high) == (0.525, 0.775)
    assert unmarked.low_included
    assert unmarked.high_included
    assert share_bounds([], []) is None
    assert share_bounds([0.0], [0.7]) is None


@given(
    st.lists(st.tuples(st.floats(1, 1e3), st.sampled_from([0, 0.3, 0.7, 1]), st.booleans()),
             min_size=1, max_size=6)
)  # fmt: skip
def test_the_true_share_lies_within_the_bounds(projects: list[tuple[float, float, bool]]) -> None:
    credits, weights, hidden = (list(x) for x in zip(*projects, strict=True))
    share = weighted_share(credits, weights)
    found = share_bounds([None if h else c for c, h in zip(credits, hidden, strict=True)], weights)
    assert share is not None
    assert found is not None
    assert found.low - 1e-12 <= share <= found.high + 1e-12


def test_the_scale_speaks_the_codes_of_the_list() -> None:
    known = set(codes("CL_MARK"))
    assert set(CE_BSG.order) | set(CE_BSG.weights) == known
    assert CE_BSG.bands[0].low == 0
    assert CE_BSG.bands[-1].high == 1
    assert [b.mark for b in CE_BSG.bands] == list(CE_BSG.order)


def test_an_unknown_scale_or_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GbiError) as refused:
        scale("OECD")
    assert refused.value.code == "GBI-E071"
    source = resource_path("schemas", "marking", "ce-bsg.yaml")
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump({**document, "bandz": []}), encoding="utf-8")
    with pytest.raises(GbiError) as unknown:
        read_document(path, "marking")
    assert unknown.value.code == "GBI-E003"
    assert "bands" in (unknown.value.hint or "")
