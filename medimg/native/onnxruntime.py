"""The only place that imports onnxruntime. Everything else says ``from medimg.native.onnxruntime import onnxruntime``.

Importing onnxruntime 1.30 and later on Linux starts its usage reports: a device id and a queue of events are written
under ``~/.cache/Microsoft/DeveloperTools/.onnxruntime``, and a collector on the internet is looked up some seconds
later. The one switch that comes early enough is the variable below, which counts while the library is loaded;
``disable_telemetry_events()`` comes too late. The variable is put back as soon as the library is loaded.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from medimg.system import children, host
from medimg.words import mark

VARIABLE = "ORT_DISABLE_TELEMETRY"
QUEUE = "Microsoft/DeveloperTools/.onnxruntime"
"""Where onnxruntime keeps its device id and its queue, under ``XDG_CACHE_HOME`` or ``~/.cache``."""

_earlier = sys.modules.get("onnxruntime") is not None
_before = os.environ.get(VARIABLE)
with children.without("ORT_", **{VARIABLE: "1"}):
    import onnxruntime


def queue_open() -> bool:
    """Whether this process holds the queue of usage reports open; False where the system does not say."""
    return any("/.onnxruntime/" in target for target in host.open_targets())


def _concern() -> str:
    if queue_open():
        return mark("its usage reports are on: another part of this program loaded it before medimg")
    if _earlier and _before != "1":
        return mark("loaded by another part of this program before medimg: its usage reports may be on")
    return ""


concern = _concern()
"""Why its usage reports are, or may be, on in this process; empty when they are known to be off."""


def left_behind() -> list[str]:
    """The folders of a device id and a queue that a program of this user has left, without the name of the home."""
    caches = {"~/.cache": Path("~/.cache")}
    if os.environ.get("XDG_CACHE_HOME"):
        caches["$XDG_CACHE_HOME"] = Path(os.environ["XDG_CACHE_HOME"])
    found = []
    for said, cache in caches.items():
        with contextlib.suppress(OSError, RuntimeError):
            if (cache.expanduser() / QUEUE).is_dir():
                found.append(f"{said}/{QUEUE}")
    return found


__all__ = ["QUEUE", "VARIABLE", "concern", "left_behind", "onnxruntime", "queue_open"]
