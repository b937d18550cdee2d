"""The floors of the house: a module imports only from below, and some things from nowhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "gbi"
# Lower first; those on one line don't import one another.
FLOORS = (
    ("dataset", "errors", "findings", "language", "provenance", "resources", "results"),
    ("schemas", "vocabulary"),
    ("compute",),
    ("ingest",),
    ("indicators", "impact", "validation"),
    ("report",),
    ("batch", "pipeline", "studies", "stable"),
    ("cli",),
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
# On these floors the parts know one another: what everybody speaks, and what ties things together.
FAMILIAR = {0, 1, 6}
# Library → who may import it (a part of the package, or one module of it).
BANNED = {
    "matplotlib": ("report",),
    "jinja2": ("report",),
    "openpyxl": ("report", "ingest.template", "ingest.publication"),
    "yaml": ("resources",),
    # "" is gbi/__init__.py, which loads lazily; an adapter of ingest is loaded by its name
    "importlib.import_module": (
        "results",
        "",
        "ingest.formats",
        "ingest.isolation",
        "batch.checking",
    ),
}

Import = tuple[str, int]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the dotted name below gbi: ``report.page``, ``errors``; empty for gbi itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def running(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes that run: all but what stands under ``if TYPE_CHECKING``."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if is_type_checking(node):
            waiting += node.orelse  # type: ignore[attr-defined]
        else:
            waiting += ast.iter_child_nodes(node)
    return found


def imports(source: str, module: str = "", *, package: bool = False) -> list[Import]:
    """Return what a module imports, in functions too, as dotted names with their lines."""
    found: list[Import] = []
    inside = ["gbi", *filter(None, module.split("."))]
    for node in running(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = inside[: len(inside) - node.level + package]
                base = ".".join([*up, *filter(None, [base])])
            found += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


def floor_faults(module: str, found: list[Import]) -> list[str]:
    part = module.split(".")[0]
    faults = []
    for name, line in found:
        if name != "gbi" and not name.startswith("gbi."):
            continue
        other = name.removeprefix("gbi").lstrip(".").split(".")[0]
        if other == part:
            continue
        if other not in FLOOR:  # the public names of gbi itself, which load every floor
            if part != "cli":
                faults.append(f"{module}:{line} imports {name}")
            continue
        here, there = FLOOR[part], FLOOR[other]
        if there > here or (there == here and here not in FAMILIAR):
            faults.append(f"{module}:{line} (floor {here}) imports {name} (floor {there})")
    return faults


def allowed(module: str, places: tuple[str, ...]) -> bool:
    return any(module == p or (p and module.startswith(f"{p}.")) for p in places)


def banned_faults(module: str, source: str, *, package: bool = False) -> list[str]:
    used = imports(source, module, package=package)
    modules_named = {name.split(".")[0] for name, _ in used}
    for node in running(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            whole = ast.unparse(node)
            if whole.split(".")[0] in modules_named:  # not a variable of the same name
                used.append((whole, node.lineno))
    return [
        f"{module}:{line} uses {name}"
        for name, line in used
        for library, places in BANNED.items()
        if (name == library or name.startswith(f"{library}.")) and not allowed(module, places)
    ]


def read(path: Path) -> tuple[str, str, bool]:
    return name_of(path), path.read_text(encoding="utf-8"), path.name == "__init__.py"


def test_every_part_has_a_floor() -> None:
    parts = {name_of(p).split(".")[0] for p in modules()} - {""}
    assert parts <= set(FLOOR)
    assert {"cli", "pipeline", "report", "validation", "schemas"} <= parts


def test_a_module_imports_only_from_below() -> None:
    faults = []
    for path in modules():
        name, source, package = read(path)
        if name:
            faults += floor_faults(name, imports(source, name, package=package))
    assert faults == []


def test_libraries_stay_where_they_belong() -> None:
    faults = []
    for path in modules():
        name, source, package = read(path)
        faults += banned_faults(name, source, package=package)
    assert faults == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("compute.parity", "from gbi.report import page"),
        ("validation.engine", "import gbi.indicators"),
        ("indicators.parity", "def f():\n    from gbi.impact import needs"),
        ("errors", "from gbi.schemas import schema"),
        ("report.page", "from gbi import run"),
        ("ingest.reading", "from .. import report"),
    ],
)
def test_the_check_sees_an_import_upwards_or_sideways(module: str, source: str) -> None:
    assert floor_faults(module, imports(source, module))


def test_the_check_lets_types_and_lower_floors_pass() -> None:
    source = "if TYPE_CHECKING:\n    from gbi.report import page\nfrom gbi.compute import parity"
    assert floor_faults("indicators.parity", imports(source, "indicators.parity")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import matplotlib.pyplot as plt",
        "from openpyxl import Workbook",
        "def f():\n    import yaml",
        "import importlib\nimportlib.import_module('gbi.report')",
    ],
)
def test_the_check_sees_what_is_banned(source: str) -> None:
    assert banned_faults("ingest.reading", source)
