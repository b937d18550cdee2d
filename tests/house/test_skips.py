"""A test that needs the reference files may be skipped here, never where they are promised."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
TESTS = """
import pytest

def test_reads_the_reference_files(shared_dir):
    pass

@pytest.mark.shared
def test_marked():
    pytest.skip("not here")

def test_of_something_else():
    pytest.skip("another reason")
"""


@pytest.mark.parametrize(
    ("required", "code", "said"), [("", 0, "3 skipped"), ("1", 1, "1 failed, 1 skipped")]
)
def test_a_skip_is_a_failure_where_the_files_are_promised(
    tmp_path: Path, required: str, code: int, said: str
) -> None:
    place = tmp_path / "tests"
    place.mkdir()
    shutil.copy(CONFTEST, place / "conftest.py")
    (place / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = shared: x\n", encoding="utf-8")
    env = os.environ | {"GBI_SHARED": str(tmp_path / "absent"), "GBI_SHARED_REQUIRED": required}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(place)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=env,
        cwd=tmp_path,
    )
    assert done.returncode == code, done.stdout
    assert said in done.stdout
    assert ("though GBI_SHARED_REQUIRED=1" in done.stdout) == bool(required)
