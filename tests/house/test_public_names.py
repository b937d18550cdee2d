"""The public names: few, documented, listed, and not replaced by a module of the same name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gbi

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("vocabulary", "schemas", "compute", "ingest", "indicators", "validation", "report")
# What `import gbi` must not cost: a user who reads one file needs no chart and no estimator.
HEAVY = ("matplotlib", "openpyxl", "pandera", "statsmodels", "jinja2", "pandas")


def all_modules() -> list[str]:
    found = [m.name for m in pkgutil.walk_packages(gbi.__path__, "gbi.")]
    return [name for name in found if not name.endswith("__main__")]


def package(name: str) -> ModuleType:
    return importlib.import_module(f"gbi.{name}")


def public() -> Iterator[tuple[str, object]]:
    for name in gbi.__all__:
        yield f"gbi.{name}", getattr(gbi, name)
    for part in PACKAGES:
        module = package(part)
        for name in module.__all__:
            yield f"gbi.{part}.{name}", getattr(module, name)


def sections(doc: str) -> dict[str, str]:
    """Return the numpydoc sections of a docstring by their titles."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", doc, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameters(value: object) -> list[str]:
    """Return the parameters that a caller gives, without ``self`` and private ones."""
    if inspect.isclass(value) and (
        hasattr(value, "__dataclass_fields__") or issubclass(value, tuple)
    ):
        return []  # the fields are documented as attributes
    try:
        given = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []
    return [p.name for p in given if not p.name.startswith("_") and p.name != "self"]


def faults(name: str, value: object) -> list[str]:
    """Return what the documentation of a public name lacks."""
    if not (inspect.isclass(value) or callable(value)):
        return []
    doc = inspect.getdoc(value) or ""
    summary = doc.partition("\n\n")[0]
    if not summary.rstrip().endswith((".", ":", "?")) or doc == object.__doc__:
        return [f"{name}: no summary"]
    known = sections(doc)
    missing = []
    # A function of one argument may name it in its summary; more need a section.
    wanted = parameters(value)
    described = re.findall(r"^(\S.*)$", known.get("Parameters", ""), flags=re.MULTILINE)
    written = {part.strip(" *:") for line in described for part in line.split(":")[0].split(",")}
    if len(wanted) > 1:
        missing += [f"{name}: parameter {p} not described" for p in wanted if p not in written]
    missing += [f"{name}: describes {p}, which it has not" for p in written - set(wanted) if wanted]
    if "Returns" not in known and "Yields" not in known and not inspect.isclass(value):
        said = re.match(r"(Return|Yield|Say|Use|Run|Write|Refuse|Read)", summary)
        missing += [] if said else [f"{name}: does not say what it returns"]
    return missing


def test_at_most_forty_public_names() -> None:
    assert len(gbi.__all__) <= 40
    assert list(gbi.__all__) == sorted(gbi.__all__)


def test_every_public_name_is_documented() -> None:
    missing = [fault for name, value in public() for fault in faults(name, value)]
    assert missing == []


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    missing = [name for name in gbi.__all__ if f"`gbi.{name}" not in page]
    missing += [
        f"{part}.{name}"
        for part in PACKAGES
        for name in package(part).__all__
        if name not in gbi.__all__ and f"`{name}`" not in page
    ]
    assert missing == []


def test_no_module_replaces_a_public_name() -> None:
    """Import every module, then resolve every name: importing ``gap.py`` would replace ``gap``."""
    for name in all_modules():
        importlib.import_module(name)
    replaced = [name for name, value in public() if isinstance(value, ModuleType)]
    assert replaced == []
    assert len(all_modules()) > 20


def test_importing_gbi_loads_nothing_heavy() -> None:
    code = f"import gbi, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert run.stdout.strip() == "[]"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from gbi.cli.main import main; main(['--help']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert run.stderr.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gaps'"):
        gbi.gaps  # noqa: B018


def test_the_check_sees_poor_documentation() -> None:
    def silent(a: int, b: int) -> int: ...

    def half(a: int, b: int) -> int:
        """Return the sum.

        Parameters
        ----------
        a
            One number.
        """

    def stale(a: int) -> int:
        """Return it.

        Parameters
        ----------
        a, c
            Numbers.
        """

    assert faults("silent", silent) == ["silent: no summary"]
    assert faults("half", half) == ["half: parameter b not described"]
    assert faults("stale", stale) == ["stale: describes c, which it has not"]
