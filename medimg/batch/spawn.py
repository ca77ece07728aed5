"""The context "spawn" of multiprocessing, whose children start as :mod:`medimg._children` says."""

from __future__ import annotations

import sys
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from medimg._children import environment


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's name
        with environment():
            return SpawnProcess._Popen(process_obj)


class Spawn(SpawnContext):
    """The context "spawn" of multiprocessing, whose children start in :func:`environment`."""

    Process = _Process


def context() -> Spawn:
    """A context for a pool; the resource tracker that its locks and children share is running."""
    with environment():
        if sys.platform != "win32":
            resource_tracker.ensure_running()
    return Spawn()


__all__ = ["Spawn", "context"]
