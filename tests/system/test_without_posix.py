"""medimg imports on a system that has nothing of POSIX: what needs it goes through ``medimg.system``."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import importlib, os, pkgutil, signal, socket, sys
import medimg.system, medimg.system.locks, medimg.system.stops, medimg.system.scratch
for package in ("numpy", "cv2", "onnxruntime", "PIL.Image", "asyncio", "multiprocessing.spawn", "pebble", "click"):
    importlib.import_module(package)  # other people's packages have Windows versions of their own
for package in ("distributed", "uvicorn", "starlette", "PySide6.QtWidgets", "pytest", "rapidocr", "reportlab.pdfgen"):
    try:
        importlib.import_module(package)
    except ImportError:
        pass
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
OS = "fork forkpty getegid getpgid getsid killpg mkfifo sched_getaffinity setpgid setsid O_CLOEXEC O_DIRECTORY "
OS += "O_NOATIME O_NOFOLLOW O_NONBLOCK"
for place, names in ((os, OS), (signal, "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGURG"), (socket, "AF_UNIX")):
    for name in names.split():
        if hasattr(place, name):
            delattr(place, name)
import medimg
count = 0
for module in pkgutil.walk_packages(medimg.__path__, "medimg."):
    name = module.name
    if name.startswith("medimg._build") or name in SKIP or name.endswith(("._splice", "._tails", "._scan", "._area")):
        continue  # the last three are plain libraries
    importlib.import_module(name)
    count += 1
print(count)
"""
SKIP = (
    "medimg.__main__",
    "medimg.system._darwin",
    "medimg.system._windows",
    "medimg.system._win32",
    "medimg.system._registry",
    "medimg.detect.text.reader_child",
)


@pytest.mark.skipif(sys.platform != "linux", reason="hides what Linux has")
def test_every_module_imports_without_posix() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD.replace("SKIP", repr(SKIP))],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 200
