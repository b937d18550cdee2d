"""How long the steps of the main job take on the packaged sample (best of several runs)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gbi
from gbi.pipeline import demo, sample_folder

RUNS = 5


def best(work: Callable[[], object]) -> float:
    """Return the shortest time in seconds; the first run, which loads libraries, is not counted."""
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    submission = gbi.read_submission(sample_folder())
    with tempfile.TemporaryDirectory() as out:
        steps = {
            "read": lambda: gbi.read_submission(sample_folder()),
            "validate": lambda: gbi.validate(submission),
            "whole job": lambda: demo(Path(out) / "demo", lang="fr"),
        }
        for name, work in steps.items():
            print(f"{name:<10} {best(work):7.3f} s")


if __name__ == "__main__":
    main()
