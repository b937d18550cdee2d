"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gbi.resources import resource_path

ROOT = Path(__file__).resolve().parents[1]


def _shared() -> Path | None:
    beside = Path(os.environ.get("GBI_SHARED", ROOT.parent / "shared"))
    return beside if (beside / "data" / "morocco").is_dir() else None


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference files beside the checkout."""
    path = _shared()
    if path is None:
        pytest.skip("the reference files (../shared, or GBI_SHARED) are not beside this checkout")
    return path


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The packaged Moroccan sample."""
    return resource_path("samples", "maroc-plf2025")


@pytest.fixture(autouse=True)
def _french(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is compared in French unless a test says otherwise, whatever the machine's locale."""
    monkeypatch.setenv("GBI_LANG", "fr")
