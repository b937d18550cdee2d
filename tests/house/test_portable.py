"""Ministries run Windows: nothing that only POSIX has, no text in the machine's own encoding."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "gbi"
POSIX_MODULES = {"resource", "fcntl", "pwd", "grp", "termios", "pty"}
POSIX_CALLS = {"os.fork", "os.forkpty", "os.setrlimit", "os.killpg", "os.getuid",
               "signal.alarm", "signal.setitimer", "signal.SIGALRM", "signal.SIGKILL"}  # fmt: skip
# Opens a file → which positional argument is its mode, and what the mode is without one.
OPENERS = {"open": (1, "r"), "io.open": (1, "r"), "fdopen": (1, "r"), "os.fdopen": (1, "r"),
           "gzip.open": (1, "rb"), "bz2.open": (1, "rb"), "lzma.open": (1, "rb"),
           "NamedTemporaryFile": (0, "w+b"), "TemporaryFile": (0, "w+b"),
           "SpooledTemporaryFile": (1, "w+b")}  # fmt: skip
TEXT_METHODS = {"read_text": 0, "write_text": 1}  # → where the encoding stands without its name
RUNNERS = {"run", "Popen", "check_output", "check_call", "call"}


def origins(tree: ast.AST) -> dict[str, str]:
    """Return name → what it stands for: ``import os as o`` gives ``o`` → ``os``."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def dotted(node: ast.AST, known: dict[str, str]) -> str:
    """Return ``os.fork`` for what the code calls by any name; empty for the result of a call."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        left = dotted(node.value, known)
        return f"{left}.{node.attr}" if left else ""
    return ""


def posix_faults(source: str) -> list[str]:
    tree = ast.parse(source)
    known = origins(tree)
    modules = [name for name in known.values() if name.split(".")[0] in POSIX_MODULES]
    imported = [name for name in known.values() if name in POSIX_CALLS]
    used = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and (name := dotted(node, known)) in POSIX_CALLS
    ]
    return modules + imported + used


def mode_of(call: ast.Call, place: int, default: str) -> str | None:
    """Return the mode; None if it is not written down or is no mode."""
    given = next((k.value for k in call.keywords if k.arg == "mode"), None)
    if given is None and len(call.args) > place:
        given = call.args[place]
    if given is None:
        return default
    known = isinstance(given, ast.Constant) and isinstance(given.value, str)
    return str(given.value) if known and set(given.value) <= set("rwaxbt+U") else None


def encoding_faults(source: str) -> list[str]:
    tree = ast.parse(source)
    known = origins(tree)
    return [
        f"{node.lineno}: {ast.unparse(node)[:70]}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and is_unencoded(node, known)
    ]


def is_unencoded(call: ast.Call, known: dict[str, str]) -> bool:
    named = {k.arg for k in call.keywords}
    if "encoding" in named or None in named:
        return False
    name, method = dotted(call.func, known), getattr(call.func, "attr", "")
    last = name.rpartition(".")[2] or method
    if name in OPENERS or (last in OPENERS and last != "open"):
        place, default = OPENERS.get(name, OPENERS.get(last, (1, "r")))
        mode = mode_of(call, place, default)
        return mode is not None and ("t" in mode or "b" not in mode)
    if method == "open" and name.partition(".")[0] not in known.values():
        mode = mode_of(call, 0, "r")  # of a path; an archive's open() names an entry
        return mode is not None and "b" not in mode
    if method in TEXT_METHODS:
        return len(call.args) <= TEXT_METHODS[method]
    if last == "TextIOWrapper":
        return len(call.args) < 2
    text = any(k.arg in ("text", "universal_newlines") and getattr(k.value, "value", True)
               for k in call.keywords)  # fmt: skip
    return last in RUNNERS and text


def test_no_module_needs_posix() -> None:
    sources = {p: p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.py")}
    assert len(sources) > 50
    assert {str(p): f for p, s in sources.items() if (f := posix_faults(s))} == {}


def test_no_text_is_read_or_written_without_an_encoding() -> None:
    sources = {p: p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.py")}
    assert {str(p): f for p, s in sources.items() if (f := encoding_faults(s))} == {}


@pytest.mark.parametrize("source", [
    "import resource", "import resource as r", "from resource import setrlimit",
    "def f():\n    import fcntl", "import os\nos.fork()", "import os as system\nsystem.fork()",
    "from os import fork", "from os import fork as f\nf()", "import signal\nsignal.alarm(3)",
    "from signal import alarm", "import signal\nx = signal.SIGALRM",
])  # fmt: skip
def test_the_check_sees_posix(source: str) -> None:
    assert posix_faults(source)


@pytest.mark.parametrize("source", [
    "import os\nos.replace(a, b)", "from gbi import resources\nresources.fork()",
    "fork = 1\nself.alarm(fork)", "import signal\nsignal.SIGTERM", "import gbi.resource",
])  # fmt: skip
def test_the_check_lets_what_is_portable_pass(source: str) -> None:
    assert posix_faults(source) == []


@pytest.mark.parametrize("source", [
    "open(path)", "open(path, 'w')", "open(path, mode='a')", "path.open()", "path.open('w')",
    "Path('a').open(mode='rt')", "a.b().open()", "path.read_text()", "path.write_text(x)",
    "Path(a).read_text(errors='strict')", "import io\nio.open(path)",
    "import gzip\ngzip.open(p, 'rt')",
    "from tempfile import NamedTemporaryFile\nNamedTemporaryFile('w')",
    "import tempfile\ntempfile.NamedTemporaryFile(mode='w+')", "import os\nos.fdopen(f, 'w')",
    "import io\nio.TextIOWrapper(raw)", "import subprocess\nsubprocess.run(x, text=True)",
])  # fmt: skip
def test_the_check_sees_text_without_an_encoding(source: str) -> None:
    assert encoding_faults(source)


@pytest.mark.parametrize("source", [
    "open(path, encoding='utf-8')", "open(path, 'rb')", "open(path, mode='wb')", "path.open('rb')",
    "path.open('w', encoding='utf-8')", "path.read_text('utf-8')", "path.write_text(x, 'utf-8')",
    "path.read_bytes()", "import gzip\ngzip.open(p)", "archive.open('sheet1.xml')",
    "archive.open(entry)", "import webbrowser\nwebbrowser.open(url)", "open(path, **options)",
    "import tempfile\ntempfile.NamedTemporaryFile()", "io.TextIOWrapper(raw, 'utf-8')",
    "import subprocess\nsubprocess.run(x, capture_output=True)",
    "import subprocess\nsubprocess.run(x, text=True, encoding='utf-8')",
])  # fmt: skip
def test_the_check_lets_bytes_and_named_encodings_pass(source: str) -> None:
    assert encoding_faults(source) == []
