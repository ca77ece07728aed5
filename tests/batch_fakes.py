"""Detectors for engine tests: the first pixel of a photo says what its text check does. Importable by workers."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medimg.errors import MissingPart
from medimg.system import programs
from medimg.types import Finding
from medimg.vocabulary import Kind

WELL, RAISES, CRASHES, HANGS, EATS, IS_KILLED, HANGS_WITH_PROGRAM, QUITS, IS_KILLED_WITH_PROGRAM, FILLS = range(10)
TAKES_TIME = 10

PROGRAM = ("/bin/sleep", "9173")


class Fake:
    version = "fake 1"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, frame: Any, known: Any = None) -> list[Any]:
        if self.name == "text":
            _behave(int(frame.rgb[0, 0, 0]))
        return []

    def recheck(self, frame: Any, covers: Sequence[Any], known: Any = None) -> tuple[list[Any], str]:
        return [], "fake 1"


def _may_write(size: int) -> None:
    """Bound the files this process writes, as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _behave(how: int) -> None:
    _may_write(resource.RLIM_INFINITY)
    match how:
        case 1:
            raise ValueError("MARKER-IN-AN-EXCEPTION")
        case 2:
            os._exit(139)
        case 3:
            threading.Event().wait()
        case 4:
            np.ones(1 << 37, np.uint8)
        case 5:
            os.kill(os.getpid(), signal.SIGKILL)
        case 6:
            programs.Program(PROGRAM, Path("/"), 100)
            threading.Event().wait()
        case 7:
            os._exit(0)
        case 8:
            programs.Program(PROGRAM, Path("/"), 100)
            os.kill(os.getpid(), signal.SIGKILL)
        case 9:
            _may_write(0)
        case 10:
            time.sleep(0.2)


def make(policy: Any) -> list[Fake]:
    return [Fake("text"), Fake("codes"), Fake("faces")]


STARTS = 6.0


def slow_to_start(policy: Any) -> list[Fake]:
    """As where networks have to be read: the first photo of each worker waits for it."""
    time.sleep(STARTS)
    return make(policy)


def folders_synced(job: Any, staging: str) -> int:
    """How many folders are synchronised with the disk while a cluster's worker makes one copy; in a child process."""
    from medimg.cluster import task
    from medimg.system import files

    synced: list[Path] = []
    files.sync_folder = synced.append
    task.in_child(job, staging)
    return len(synced)


class Numpy(Fake):
    """Another package's detector, which gives its places as OpenCV does."""

    def find(self, frame: Any, known: Any = None) -> list[Any]:
        x, y, w, h = np.array([8, 8, 8, 4], np.int32)
        place = frame.region(((x, y), (x + w, y), (x + w, y + h), (x, y + h)))
        return [
            Finding(
                kind=Kind.TEXT,
                category="name",
                detector="numpy 1",
                score=np.float32(0.5),
                count=np.int64(1),
                region=place,
                inner=tuple(map(tuple, np.array(place.polygon, np.float32))),
                tight=np.bool_(False),
            )
        ]


def make_of_numpy(policy: Any) -> list[Fake]:
    return [Numpy("text"), Fake("codes"), Fake("faces")]


def make_newer(policy: Any) -> list[Fake]:
    tools = make(policy)
    for tool in tools:
        tool.version = "fake 2"
    return tools


def make_nothing(policy: Any) -> list[Fake]:
    raise MissingPart("the model of the text check is not there.")


def make_broken(policy: Any) -> list[Fake]:
    raise RuntimeError("MARKER-IN-AN-EXCEPTION")


def make_nothing_found(policy: Any) -> list[Fake]:
    """A machine on which nothing goes wrong any more."""
    tools = make(policy)
    for tool in tools:
        tool.find = lambda frame, known=None: []  # type: ignore[method-assign]
    return tools


def make_dying(policy: Any) -> list[Fake]:
    os._exit(1)


def photo(path: Path, how: int = WELL, seed: int = 0) -> Path:
    """A small PNG whose text check behaves as told."""
    pixels = np.random.default_rng(seed).integers(100, 255, (24, 32, 3), dtype=np.uint8)
    pixels[0, 0] = how
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
