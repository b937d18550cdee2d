"""Processes that check submissions one after the other; one that a file kills is replaced.

Each is a fresh Python process, whatever the system: nothing is forked, and the user's script is
not imported again. Question and answer are JSON and an archive of bytes.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gbi.batch.cache import packed, unpacked
from gbi.batch.checking import ENTRY, check, open_file, stopped
from gbi.batch.tasks import Task
from gbi.errors import GbiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gbi.batch.checking import Parts

# -I: neither the environment nor the current folder may change what the child imports.
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from gbi.batch.workers import serve; serve()"
)
# The processes share the cores already: more threads in each only wait for one another.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_DONE = b"done\n"


class Worker:
    """A process that answers one question at a time.

    Parameters
    ----------
    folder
        Where it may leave its answer.
    """

    def __init__(self, folder: Path) -> None:
        self._answer = folder / "answer.zip"
        search = json.dumps([os.path.abspath(p) for p in sys.path])  # noqa: PTH100
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD, search],
            cwd=folder,  # what a crash leaves behind is removed with the folder
            env={**os.environ, **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def ask(self, question: dict[str, Any]) -> Parts | None:
        """Return the answer to a question; None if the process ended over it."""
        self._answer.unlink(missing_ok=True)
        line = json.dumps({**question, "answer": str(self._answer)})
        talk, listen = self._process.stdin, self._process.stdout
        assert talk is not None and listen is not None  # noqa: PT018
        try:
            talk.write(line.encode() + b"\n")
            talk.flush()
            if listen.readline() != _DONE:
                return None
        except (OSError, ValueError):  # it ended, or was ended
            return None
        return unpacked(self._answer)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # a question that nobody reads any more
                    continue


class Workers:
    """Processes to hand tasks to.

    Parameters
    ----------
    jobs
        How many at most; each starts when there is first something for it to do.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        self._all: list[Worker] = []
        self._ended = False
        self._made = tempfile.TemporaryDirectory(prefix="gbi-", ignore_cleanup_errors=True)

    def __enter__(self) -> Workers:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        self._ended = True
        for worker in self._all:
            worker.end()
        self._made.cleanup()

    def run(self, tasks: Sequence[Task], done: Callable[[int, Parts], None]) -> None:
        """Check submissions.

        Parameters
        ----------
        tasks
            The submissions.
        done
            Called in this thread with the position of each task that is finished, and its parts,
            in the order in which they finish.
        """
        with ThreadPoolExecutor(self._jobs) as pool:
            waiting = {pool.submit(self._settled, task): n for n, task in enumerate(tasks)}
            try:
                for future in as_completed(waiting):
                    done(waiting[future], future.result())
            except BaseException:
                self._ended = True
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in self._all:
                    worker.end()
                raise

    def _settled(self, task: Task) -> Parts:
        """Check a submission; where its process ends, find the file over which it does."""
        parts = self._check(task)
        if parts is not None:
            return parts
        killers = tuple(p.name for p in self._suspects(task) if not self._survives(task, p))
        # without any, the process was ended from outside, or by all files together: once more
        parts = self._check(replace(task, without=killers))
        return parts or stopped(task, GbiError("GBI-E140", exit_code=4))

    def _check(self, task: Task) -> Parts | None:
        parts = self._ask({"check": task.to_dict()})
        return parts if parts and ENTRY in parts else None

    def _suspects(self, task: Task) -> Iterable[Path]:
        for path in map(Path, task.paths):
            yield from sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]

    def _survives(self, task: Task, path: Path) -> bool:
        asked = task.asked
        question = [asked.reader, str(path), list(asked.profile), dict(asked.limits)]
        return self._ask({"open": question}) is not None

    def _ask(self, question: dict[str, Any]) -> Parts | None:
        if self._ended:
            return None
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker(Path(tempfile.mkdtemp(dir=self._made.name)))
            self._all.append(worker)
        answer = worker.ask(question)
        if answer is None:
            worker.end()
            self._all.remove(worker)
        else:
            self._idle.put(worker)
        return answer


def serve() -> None:
    """Answer questions until there are no more: what a worker does."""
    talk = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # a library that prints answers nothing
    _serve(sys.stdin.buffer, talk)


def _serve(listen: IO[bytes], talk: IO[bytes]) -> None:
    for line in listen:
        question = json.loads(line)
        if "check" in question:
            parts = check(Task.from_dict(question["check"]))
        else:
            reader, path, profile, limits = question["open"]
            open_file(reader, path, tuple(profile), limits)
            parts = {}
        Path(question["answer"]).write_bytes(packed(parts))
        talk.write(_DONE)
        talk.flush()
