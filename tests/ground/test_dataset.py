from __future__ import annotations

import pandas as pd
import pytest

from gbi.dataset import Dataset
from gbi.errors import GbiError
from gbi.findings import Cell, finding_id
from gbi.provenance import Provenance, Source


def dataset(sheet: str = "A") -> Dataset:
    frame = pd.DataFrame({"INDICATOR": ["x", "x"], "OBS_VALUE": [1.0, 2.0]})
    origins = pd.DataFrame(
        {
            "_FILE": ["f.xlsx"] * 2,
            "_SHEET": [sheet] * 2,
            "_RAW": ["1", "2,0"],
            "OBS_VALUE": ["E5", "E6"],
            "INDICATOR": ["C5", None],
        }
    )
    source = Source("f.xlsx", "0" * 64, 1)
    return Dataset(frame, "performance", provenance=Provenance((source,)), origins=origins)


def test_origin_names_the_cell_of_a_value_and_of_a_label() -> None:
    data = dataset()
    assert data.origin(1) == Cell("f.xlsx", "A", "E6")
    assert data.origin(0, "INDICATOR").a1 == "C5"
    assert data.origin(1, "INDICATOR").a1 == "E6"  # no cell of its own: the row's value
    assert data.raw(1) == "2,0"
    assert str(data.origin(0)) == "f.xlsx › A!E5"


def test_data_without_a_file_say_so() -> None:
    with pytest.raises(GbiError) as caught:
        Dataset.of(pd.DataFrame({"OBS_VALUE": [1.0]}), "budget").origin(0)
    assert caught.value.code == "GBI-E032"


def test_another_table_is_refused() -> None:
    with pytest.raises(GbiError) as caught:
        Dataset.of(dataset(), "budget")
    assert caught.value.code == "GBI-E030"
    with pytest.raises(GbiError):
        Dataset.of([1], "budget")  # type: ignore[arg-type]


def test_rows_keep_their_cells_through_selection_and_concatenation() -> None:
    both = Dataset.concat([dataset("A"), dataset("B")])
    assert both.origin(3) == Cell("f.xlsx", "B", "E6")
    odd = both.select(both.frame["OBS_VALUE"] == 2.0)
    assert [str(odd.origin(i)) for i in range(2)] == ["f.xlsx › A!E6", "f.xlsx › B!E6"]
    assert len(both.provenance.sources) == 1


def test_origins_of_another_length_are_refused() -> None:
    data = dataset()
    with pytest.raises(ValueError, match="length"):
        Dataset(data.frame.head(1), "performance", origins=data.origins)


def test_the_identity_of_a_finding_is_its_substance() -> None:
    same = finding_id("GBI-A003", {"INDICATOR": "x"}, "OBS_VALUE")
    assert same == finding_id("GBI-A003", {"INDICATOR": "x"}, "OBS_VALUE")
    assert same != finding_id("GBI-A003", {"INDICATOR": "y"}, "OBS_VALUE")
    assert same != finding_id("GBI-A003", {"INDICATOR": "x"}, "OBS_VALUE", 1)
    assert len(same) == 12
