"""The context "spawn" of multiprocessing, whose children start as :mod:`medimg.system.children` says.

A child imports its parent's main module, where the functions of a host's script may stand. Of the command ``medimg``
that is the command line, which no worker needs: what it does is named by the module that has it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing import spawn as preparing
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from medimg.system.children import environment

COMMAND_LINE = "medimg.cli.main"
"""Whose ``main`` the main module of the command has, installed as a program or run by ``python -m``."""


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's name
        with environment(), _path_of_its_own():  # the first lets one thread in at a time
            return SpawnProcess._Popen(process_obj)


@contextlib.contextmanager
def _path_of_its_own() -> Iterator[None]:
    """A child takes over its parent's path, with the current folder written in for the "" of a notebook or a prompt."""

    def without(name: str) -> dict[str, Any]:
        prepared = {**real(name), "sys_path": [entry for entry in sys.path if entry]}
        if getattr(getattr(sys.modules["__main__"], "main", None), "__module__", "") == COMMAND_LINE:
            for main in ("init_main_from_name", "init_main_from_path"):
                prepared.pop(main, None)
        return prepared

    real = preparing.get_preparation_data
    preparing.get_preparation_data = without
    try:
        yield
    finally:
        preparing.get_preparation_data = real


class Spawn(SpawnContext):
    """The context "spawn" of multiprocessing, whose children start in :func:`environment`; ``started`` holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """A child that is not started yet."""
        child = _Process(*args, **kwargs)
        self.started.append(child)
        return child


def context() -> Spawn:
    """A context for a pool; the resource tracker that its locks and children share is running."""
    with environment():
        if sys.platform != "win32":
            resource_tracker.ensure_running()
    return Spawn()
