from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.provenance import Provenance, canonical, canonical_json

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_bytes(b"x\n1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.csv").write_bytes(b"y\n2\n")
    return tmp_path


def read(folder: Path) -> Provenance:
    files = [folder / "sub" / "b.csv", folder / "a.csv"]
    return Provenance.of_files(files, root=folder).then("gbi.read", by=["SEX"], table="budget")


def test_the_fingerprint_is_of_content_not_of_place_or_order(folder: Path, tmp_path: Path) -> None:
    import shutil

    elsewhere = tmp_path.parent / f"{tmp_path.name}-copy"
    shutil.copytree(folder, elsewhere)
    assert read(folder).fingerprint == read(elsewhere).fingerprint
    assert [s.name for s in read(folder).sources] == ["a.csv", "sub/b.csv"]


def test_the_fingerprint_is_stable_across_machines() -> None:
    known = Provenance((), (), "0.1.0", "0" * 64).then("gbi.gap", by=("SEX",), reference="M")
    # sha256sum of the payload written by hand; any other value breaks every filed bundle
    assert known.fingerprint == "27397882a176a892"


def test_one_byte_changes_the_fingerprint(folder: Path) -> None:
    before = read(folder)
    (folder / "a.csv").write_bytes(b"x\n2\n")
    assert read(folder).fingerprint != before.fingerprint
    (wrong,) = before.verify(folder)
    assert wrong.name == "a.csv"
    assert wrong.actual not in (None, wrong.recorded)
    (folder / "a.csv").unlink()
    assert before.verify(folder)[0].actual is None


def test_steps_parameters_version_and_rules_count(folder: Path) -> None:
    base = read(folder)
    others = [
        base.then("gbi.gap"),
        Provenance(base.sources, base.steps, "9", base.ruleset),
        Provenance(base.sources, base.steps, base.version, "9"),
        Provenance.of_files([folder / "a.csv"]).then("gbi.read", by=["AGE"], table="budget"),
    ]
    assert len({base.fingerprint, *(p.fingerprint for p in others)}) == 5


def test_round_trip(folder: Path) -> None:
    before = read(folder)
    assert Provenance.from_dict(before.to_dict()) == before
    assert before.verify(folder) == ()


def test_data_in_memory_are_hashed_but_unverified() -> None:
    frame = pd.DataFrame({"SEX": ["F", "M"], "OBS_VALUE": [1.0, 2.0]})
    data = Dataset.of(frame, "statistics")
    assert data.provenance.sources[0].name == "in memory, unverified"
    assert not data.provenance.verified
    with pytest.raises(GbiError) as caught:
        data.provenance.verify(".")
    assert caught.value.code == "GBI-E020"
    changed = Dataset.of(frame.assign(OBS_VALUE=[1.0, 2.5]), "statistics")
    assert changed.provenance.fingerprint != data.provenance.fingerprint


def test_canonical_json_has_no_float_noise_and_no_nan() -> None:
    assert canonical_json({"b": 0.1 + 0.2, "a": float("nan")}) == '{"a":null,"b":0.3}'
    assert canonical(np.float64(57.0)) == 57
    assert canonical(pd.Timestamp("2025-01-01")) == "2025-01-01T00:00:00"
    assert canonical(pd.NA) is None
    assert canonical((1, {"x": np.int64(3)})) == [1, {"x": 3}]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_canonical_json_is_a_fixed_point(values: list[float]) -> None:
    import json

    once = canonical_json(values)
    assert canonical_json(json.loads(once)) == once
