"""What lies in the repository: no addresses, no machine's paths, one change log, small modules."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".xlsx", ".png", ".ods", ".parquet", ".zip"}
# Written so that this file does not find itself.
REGISTRY = re.compile(
    r"pyp[i]\.org|python[h]osted|index[-]url|find[-]links|anacond[a]\.(?:org|com)", re.IGNORECASE
)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
MACHINE = re.compile(r"(?:^|[\s\"'=(`])/(?:work|farm|root|tmp|home|opt|Users)/[\w.]")
WINDOWS = re.compile(r"\b[A-Z]:\\(?:Users|Documents)\\", re.IGNORECASE)


def tracked() -> list[Path]:
    """Return the files that a commit would hold."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = sorted(set(listed.stdout.decode("utf-8").split("\0")) - {""})
    return [ROOT / n for n in names if (ROOT / n).is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


@pytest.mark.parametrize("pattern", [REGISTRY, EMAIL, MACHINE, WINDOWS], ids=lambda p: p.pattern)
def test_no_address_and_no_path_of_a_machine(pattern: re.Pattern[str]) -> None:
    assert lines_with(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, "--extra-index" + "-url x"),
        (EMAIL, "write to someone" + "@example.org"),
        (MACHINE, 'open("' + "/" + 'home/me/x")'),
        (MACHINE, "see /" + "work/main"),
    ],
)
def test_the_patterns_find(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def test_the_change_log_has_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(project['version'])}\b", log, flags=re.MULTILINE)
    assert f"version: {project['version']}\n" in citation


def test_the_licence_is_whole() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def code_lines(source: str) -> int:
    """Return how many lines hold code: no blank lines, comments or docstrings."""
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
            continue
        text = body[0].value
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            silent |= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return sum(
        1
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in silent
    )


def test_a_module_is_one_idea() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): code_lines(path.read_text(encoding="utf-8"))
        for path in (ROOT / "src").rglob("*.py")
    }
    assert {name: n for name, n in sizes.items() if n > 500} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base2"}
    assert [p.name for p in (ROOT / "src").rglob("*.py") if p.stem in vague] == []
