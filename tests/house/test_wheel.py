"""The wheel: everything that gbi reads is inside, and it works far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def call(*words: str | Path, **kwargs: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(w) for w in words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        **kwargs,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without fetching anything."""
    out = tmp_path_factory.mktemp("wheel")
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    call(sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", out, ROOT)
    return next(out.glob("gbi-*.whl"))


def outside() -> dict[str, str]:
    """The environment of a user: nothing points at the checkout."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GBI_LANG")}


def test_every_reference_file_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    data = {
        f"gbi/{p.relative_to(ROOT).as_posix()}"
        for p in (ROOT / "data").rglob("*")
        if p.is_file() and p.parts[len(ROOT.parts) + 1] in ("schemas", "samples")
    }
    code = {
        p.relative_to(ROOT / "src").as_posix()
        for p in (ROOT / "src").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert data | code <= inside
    assert "gbi/py.typed" in inside
    assert not [n for n in inside if n.startswith(("tests/", "docs/", "data/"))]


@pytest.mark.slow
def test_it_runs_from_a_folder_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """Unpacked into a folder, with the libraries of this environment: quick."""
    place = tmp_path / "site"
    flags = ("--quiet", "--no-deps", "--disable-pip-version-check", "--target", place)
    call(sys.executable, "-m", "pip", "install", *flags, wheel)
    env = outside() | {"PYTHONPATH": str(place)}
    where = call(sys.executable, "-c", "import gbi; print(gbi.__file__)", env=env, cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(place)
    call(sys.executable, "-m", "gbi.cli", "demo", "--out", "demo", env=env, cwd=tmp_path)
    assert (tmp_path / "demo" / "report.html").is_file()
    assert (tmp_path / "demo" / "status.json").is_file()


@pytest.mark.slow
def test_it_installs_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """The declared requirements are enough: nothing comes from the test group."""
    venv.create(tmp_path / "env", with_pip=True)
    folder = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = folder / "python"
    flags = ("--quiet", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt")
    env = outside()
    call(python, "-m", "pip", "install", *flags, wheel, env=env, cwd=tmp_path)
    call(folder / "gbi", "doctor", env=env, cwd=tmp_path)
    call(folder / "gbi", "demo", "--lang", "ar", env=env, cwd=tmp_path)
    page = (tmp_path / "gbi-demo" / "report.html").read_text(encoding="utf-8")
    assert 'dir="rtl"' in page
