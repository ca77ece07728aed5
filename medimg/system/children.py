"""How worker processes are started: no code and no library from the current folder, which may hold photos.

A process of multiprocessing's "spawn" is ``python -c ...``, which puts the current folder first on its path, and so is
the resource tracker beside it. An empty or relative entry of ``PYTHONPATH`` or ``LD_LIBRARY_PATH`` means the current
folder as well. Children get an environment without these; the variables of a host program are put back at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_LISTS = ("PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
"""Lists of folders that code is loaded from; the last two are macOS's."""
_FIXED = {"PYTHONSAFEPATH": "1", "ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Python's own switch for a path without the current folder (3.11); :data:`medimg.native.onnxruntime.VARIABLE`, for
a host's main module that imports onnxruntime: a child imports it before any of medimg; and one thread for numpy's
products, which are small here: its threads spin while they wait."""

_lock = threading.RLock()


def changes(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What a child's environment has otherwise than ``environment``; None where a variable is left out."""
    out: dict[str, str | None] = dict(_FIXED)
    for name in _LISTS:
        if name in environment:
            kept = [e for e in environment[name].split(os.pathsep) if Path(e).is_absolute()]
            out[name] = os.pathsep.join(kept) or None
    return out


@contextlib.contextmanager
def environment() -> Iterator[None]:
    """Start children inside, one thread at a time: nothing in the environment they inherit names the current folder."""
    with _lock:
        wanted = changes(os.environ)
        before = {name: os.environ.get(name) for name in wanted}
        _set(wanted)
        try:
            yield
        finally:
            _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def settle() -> None:
    """Do the same for this process and all it starts; for medimg's own programs, not for a host's."""
    named = os.environ.get("PYTHONPATH", "")
    relative = {os.path.abspath(e) for e in named.split(os.pathsep) if named and not os.path.isabs(e)}  # noqa: PTH100, PTH117 - "" is the current folder
    own = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [e for e in sys.path if e == own or (e and e not in relative)]
    _set(changes(os.environ))
