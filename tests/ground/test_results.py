from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from gbi.provenance import Provenance
from gbi.results import Result, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def result() -> Result:
    frame = pd.DataFrame({"SEX": ["F", "M"], "OBS_VALUE": [0.1 + 0.2, float("nan")]})
    return Result("shares", frame, provenance=Provenance(version="1", ruleset="2"))


def test_json_is_the_same_on_every_run_and_has_no_noise(tmp_path: Path) -> None:
    text = result().to_json()
    assert text == result().to_json()
    payload = json.loads(str(text))
    assert payload["schema"] == "gbi-result/1"
    assert payload["rows"] == [{"OBS_VALUE": 0.3, "SEX": "F"}, {"OBS_VALUE": None, "SEX": "M"}]
    path = result().to_json(tmp_path / "deep" / "r.json")
    assert path.read_text(encoding="utf-8") == text  # type: ignore[union-attr]


def test_to_frame_hands_out_a_copy() -> None:
    one = result()
    handed = one.to_frame()
    handed.loc[0, "OBS_VALUE"] = 9.0
    assert one.frame.loc[0, "OBS_VALUE"] == pytest.approx(0.3)


def test_repr_has_neither_address_nor_clock() -> None:
    assert repr(result()) == repr(result())
    assert "0x" not in repr(result())


def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "r.json"
    target.write_text("before", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, "after")
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
    assert target.read_text(encoding="utf-8") == "before"
