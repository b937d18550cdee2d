"""Write constraints.txt: the versions in this environment of all that gbi and its groups need.

Run it with the environment's own interpreter: ``.venv/bin/python .ci/pins.py``. Names and versions
only; where packages come from is the business of whoever installs them.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# What CI installs: pip install -c constraints.txt ... (written by .ci/pins.py).
# pyproject.toml holds the floors that a user's environment must respect.
"""


def wanted() -> list[Requirement]:
    """Return the direct requirements: the build, the core and every dependency group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [line for group in project["dependency-groups"].values() for line in group]
    direct = [line for line in groups if isinstance(line, str)]
    core = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    return [Requirement(line) for line in (*core, *direct)]


def closure(requirements: list[Requirement]) -> dict[str, str]:
    """Return every distribution that the requirements lead to, with its installed version."""
    found: dict[str, str] = {}
    waiting = [(r, extra) for r in requirements for extra in ("", *r.extras)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, e) for e in ("", *needed.extras)]
    return found


def main() -> None:
    """Write the file."""
    pins = [f"{name}=={version}" for name, version in sorted(closure(wanted()).items())]
    path = ROOT / "constraints.txt"
    path.write_text(HEAD + "\n".join(pins) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
