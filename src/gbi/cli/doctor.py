"""``gbi doctor``: whether everything that gbi needs is here."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from typing import NamedTuple

from gbi.cli.console import columns, say
from gbi.errors import GbiError
from gbi.language import resolve_language, text
from gbi.provenance import gbi_version
from gbi.resources import resource_path

_REFERENCE = ("tables", "rules", "codelists", "profiles", "labels", "contract")
_ARABIC_FONT = "DejaVuSans.ttf"  # comes with matplotlib and has the Arabic letters


class Check(NamedTuple):
    """One thing that was looked at; ``ok`` is None where it is optional and absent."""

    name: str
    ok: bool | None
    value: str


def examine() -> int:
    """Look at the installation and say what was found.

    Returns
    -------
    int
        0 if nothing that gbi needs is missing, else 1.
    """
    checks = [*_programs(), *_libraries(), *_extras(), *_data(), *_letters()]
    mark = {True: "ok", False: text("cli.doctor.missing"), None: "–"}
    say("\n".join(columns([(mark[c.ok], c.name, c.value) for c in checks], indent="")))
    well = all(c.ok is not False for c in checks)
    say(f"\n{text('cli.doctor.well' if well else 'cli.doctor.ill')}")
    return 0 if well else 1


def _programs() -> list[Check]:
    system = f"{platform.system()} {platform.machine()}"
    return [
        Check("gbi", True, gbi_version()),
        Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} ({system})"),
    ]


def _requirements() -> list[tuple[str, str]]:
    """Return what the package declares: distribution and extra (empty for the core)."""
    found = []
    for line in metadata.requires("gbi") or []:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if name:
            found.append((name[0], extra[1] if extra else ""))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _libraries() -> list[Check]:
    core = [(name, _version(name)) for name, extra in _requirements() if not extra]
    return [Check(name, version is not None, version or "") for name, version in core]


def _extras() -> list[Check]:
    checks = []
    for name, extra in _requirements():
        if extra:
            version = _version(name)
            there = True if version else None
            said = version or text("cli.doctor.extra", extra=extra)
            checks.append(Check(f"{name} [{extra}]", there, said))
    return checks


def _data() -> list[Check]:
    checks = []
    for parts in (*(("schemas", name) for name in _REFERENCE), ("samples", "maroc-plf2025")):
        name = "/".join(("data", *parts))
        try:
            count = sum(1 for p in resource_path(*parts).rglob("*") if p.is_file())
        except GbiError:
            count = 0
        checks.append(Check(name, count > 0, text("cli.doctor.files", n=count)))
    return checks


def _letters() -> list[Check]:
    fonts = [p for p in metadata.files("matplotlib") or [] if p.name == _ARABIC_FONT]
    encoding = sys.stdout.encoding or "?"
    speaks = encoding.lower().replace("-", "") in ("utf8", "cp65001")
    remark = encoding if speaks else text("cli.doctor.encoding", encoding=encoding)
    return [
        Check(text("cli.doctor.font"), bool(fonts), _ARABIC_FONT),
        Check(text("cli.doctor.console"), True if speaks else None, remark),
        Check(text("cli.doctor.language"), True, resolve_language()),
    ]
