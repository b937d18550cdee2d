"""Fixtures that all tests share, and the promise that a reference is not skipped where it is."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from gbi.resources import resource_path

ROOT = Path(__file__).resolve().parents[1]
REQUIRED = "GBI_SHARED_REQUIRED"


def _shared() -> Path | None:
    beside = Path(os.environ.get("GBI_SHARED", ROOT.parent / "shared"))
    return beside if (beside / "data" / "morocco").is_dir() else None


def _needs_shared(item: pytest.Item) -> bool:
    return "shared_dir" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads the reference files, so that ``-m shared`` selects it."""
    for item in items:
        if _needs_shared(item):
            item.add_marker(pytest.mark.shared)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where the reference files are known to be there (in CI)."""
    report = yield
    wanted = os.environ.get(REQUIRED) == "1" and item.get_closest_marker("shared")
    if wanted and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though {REQUIRED}=1 says that the reference files are there"
    return report


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
