"""Mutate files and read them: a dataset or a clear error, nothing else, and soon.

Run as a program by ``test_fuzz.py``, in a process of its own: a parser that aborts its process then
ends this one with a signal, and the test can tell after which mutation.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import gbi
from gbi.errors import GbiError

WORDS = (b"<", b"&#x0;", b"&lol;", b"<!DOCTYPE x>", b'"', b"'", b"\x00", b"\xff\xfe", b"1E400",
         b"NaN", b"-", b"\xd9\xa1\xd9\xa2", b"1,234", b"XFD1048576", b"A0", b";;;;",
         b"\r\n\r\n", b"=1+1", b"9" * 400, "\u202e".encode())  # fmt: skip
SLOWEST = 30.0


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a file's bytes with one to four changes; inside an archive, often of one entry."""
    if content.startswith(b"PK") and rng.random() < 0.8:
        return _inside(content, rng)
    return _changed(content, rng)


def _changed(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        size = len(data)
        at = rng.randrange(size + 1)
        match rng.randrange(6):
            case 0 if size:
                data[min(at, size - 1)] = rng.randrange(256)
            case 1:
                data[at:at] = rng.choice(WORDS)
            case 2:
                del data[at : at + rng.randint(1, 64)]
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 512)]
            case 4 if rng.random() < 0.3:
                del data[at:]
            case _:
                other = rng.randrange(size + 1)
                data[at : at + 8] = data[other : other + 8]
    return bytes(data)


def _inside(content: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as before, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # duplicate names are part of the game
            names = before.namelist()
            victim = rng.choice(names)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
                for name in names:
                    part = before.read(name)
                    fate = rng.random() if name == victim else 1.0
                    if fate < 0.05:
                        continue
                    if fate < 0.08:
                        after.writestr(name, part)
                    after.writestr(name, _changed(part, rng) if name == victim else part)
    except (zipfile.BadZipFile, ValueError):
        return _changed(content, rng)
    return out.getvalue()


def main(first: int, count: int, paths: list[str]) -> None:
    """Read ``count`` mutations from the seed ``first`` on; say the seed before each."""
    sources = [(Path(p).suffix, Path(p).read_bytes()) for p in paths]
    read = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            sys.stdout.write(f"\n{seed}")
            sys.stdout.flush()
            rng = random.Random(seed)
            suffix, content = sources[seed % len(sources)]
            path = Path(folder) / f"f{suffix}"
            path.write_bytes(mutated(content, rng))
            start = time.perf_counter()
            try:
                gbi.read(path)
                read += 1
            except GbiError as error:
                error.message("fr")
                refused += 1
            took = time.perf_counter() - start
            if took > SLOWEST:
                raise SystemExit(f"seed {seed} ({suffix}) took {took:.0f} s")
    sys.stdout.write(f"\nread {read}, refused {refused}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
