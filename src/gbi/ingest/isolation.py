"""Open a file in a process of its own: a parser that aborts, panics or hangs ends it alone.

Parsers in C and Rust end the process on what they don't foresee, and no exception tells of it.
There is no ceiling on memory that works on every system: what an adapter scans before it parses
(sizes, used ranges, repeated cells) is the guard, and the time limit stands behind it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gbi.errors import GbiError

if TYPE_CHECKING:
    from gbi.ingest.grid import Opened
    from gbi.ingest.safety import Limits

SECONDS = 30.0
_QUESTION, _ANSWER = "question.pickle", "answer.pickle"
# -I: neither the environment nor the user's folder may change what the child imports; it gets
# the parent's path instead. The user's own script is not imported: it needs no __main__ guard.
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from gbi.ingest.isolation import answer; answer(sys.argv[2])"
)
# All that an answer may be made of: a child that a file has taken over can say nothing else.
_PLAIN = {
    ("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"),
    ("datetime", "timedelta"), ("datetime", "timezone"), ("decimal", "Decimal"),
    ("gbi.errors", "GbiError"), ("builtins", "ModuleNotFoundError"),
    ("gbi.ingest.grid", "Opened"), ("gbi.ingest.grid", "Grid"), ("gbi.ingest.grid", "Flag"),
}  # fmt: skip


def run_isolated(
    opener: str, path: Path, name: str, limits: Limits, *, seconds: float = SECONDS
) -> Opened:
    """Run an opener in a fresh Python process and return what it opened.

    Parameters
    ----------
    opener
        ``module:function``, called as ``function(path, name, limits)``; a module without a dot
        is one of :mod:`gbi.ingest`, as in the registry of formats.
    path, name
        The file, and its name inside its submission.
    limits
        What the file may be at most.
    seconds
        How long the process may take.

    Raises
    ------
    GbiError
        What the opener raised; ``GBI-E063`` if it took too long or all memory; ``GBI-E061`` if
        its process ended without an answer; exit code 3.
    ModuleNotFoundError
        If the opener lacks a library (the registry of formats makes ``GBI-E069`` of it).
    """
    with tempfile.TemporaryDirectory(prefix="gbi-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        question = pickle.dumps((opener, path.resolve(), name, limits))
        (folder / _QUESTION).write_bytes(question)
        search = json.dumps([os.path.abspath(p) for p in sys.path])  # noqa: PTH100
        try:
            code = subprocess.run(
                [sys.executable, "-I", "-c", _CHILD, search, made],
                cwd=folder,  # what a crash leaves behind is removed with the folder
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise GbiError("GBI-E063", where=name, expected=f"≤ {seconds:g} s",
                           got=f"> {seconds:g} s", exit_code=3) from None  # fmt: skip
        except OSError as error:
            raise _damaged(name, f"no process: {error.strerror}") from None
        if code:
            raise _damaged(name, f"the reader's process ended with code {code}")
        reply: Opened | Exception = _reply(folder / _ANSWER, name)
    if isinstance(reply, Exception):
        raise reply
    return reply


def answer(folder: str) -> None:
    """Answer the question in a folder: what the child does."""
    gc.disable()  # millions of cells, no cycles
    opener, path, name, limits = pickle.loads(Path(folder, _QUESTION).read_bytes())
    reply = _open(opener, path, name, limits)
    with Path(folder, _ANSWER).open("wb") as handle:
        pickle.dump(reply, handle, pickle.HIGHEST_PROTOCOL)


def _open(opener: str, path: Path, name: str, limits: Limits) -> Opened | Exception:
    module, _, function = opener.partition(":")
    try:
        module = module if "." in module else f"gbi.ingest.{module}"
        found: Any = getattr(importlib.import_module(module), function)
        opened: Opened = found(path, name, limits)
    except (GbiError, ModuleNotFoundError) as error:
        return error
    except MemoryError:
        return GbiError("GBI-E063", where=name, expected="memory", got="MemoryError", exit_code=3)
    except BaseException as error:  # a panic of Rust is no Exception
        return _damaged(name, type(error).__name__)
    return opened


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PLAIN:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _reply(path: Path, name: str) -> Any:
    collecting = gc.isenabled()
    gc.disable()
    try:
        with path.open("rb") as handle:
            return _load(handle)
    except Exception as error:
        raise _damaged(name, type(error).__name__) from None
    finally:
        if collecting:
            gc.enable()


def _load(handle: IO[bytes]) -> Any:
    return _PlainUnpickler(handle).load()


def _damaged(name: str, got: str) -> GbiError:
    return GbiError("GBI-E061", where=name, got=got, exit_code=3)
