"""Seconds from the start of the process until the window can be seen and used.

``QT_QPA_PLATFORM=offscreen python benchmarks/desktop_start.py [RUNS]``, or under Xvfb without the variable. Each run is
a fresh process: Python's start, the imports, the window, and its first painting.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHILD = """
import resource, sys, time
from PySide6.QtCore import QTimer
from medimg.desktop import app
from medimg.desktop.window import Window
with app.forgetful():
    program = app.application()
    window = Window()
    window.show()
    window.start.grab()
    def seen():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(time.time(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, flush=True)
        program.quit()
    QTimer.singleShot(0, seen)
    program.exec()
    window.stop()
"""


def once() -> tuple[float, float, int]:
    """Wall seconds, processor seconds, and MiB of memory until the window is there."""
    start = time.time()
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    at, processor, memory = done.stdout.split()
    return float(at) - start, float(processor), int(memory)


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows = [once() for _ in range(runs)]
    print(f"load: {os.getloadavg()[0]:.1f}, runs: {runs}")
    print("| | median | worst |\n| --- | --- | --- |")
    for name, column in (("seconds", 0), ("processor seconds", 1), ("MiB", 2)):
        values = [row[column] for row in rows]
        print(f"| {name} | {statistics.median(values):.2f} | {max(values):.2f} |")


if __name__ == "__main__":
    main()
