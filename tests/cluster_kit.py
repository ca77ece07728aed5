"""Nodes of a cluster as processes of their own, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
"""Where the detectors of these tests lie."""


class Node:
    """A scheduler or a worker; ``address`` is what it said when it was ready."""

    def __init__(self, *arguments: str, path: Path = HERE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "medimg.cli.main", "cluster", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(path), str(HERE.parent)))},
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("Ready: tls://"), said
        self.address = said.split()[1]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Once it has been stopped, nothing."""
        self.process.send_signal(number)
        self.process.wait(120)
        assert self.process.stdout is not None
        self.process.stdout.close()
