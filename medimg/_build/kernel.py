"""Compiles medimg's C files when medimg is built, where there is a C compiler: the JPEG kernel, the audit's search.

The area filter of the pictures' pyramid is the third. They are plain shared libraries without any Python symbol, so one
file serves every Python version of a platform. Without a compiler, or with ``MEDIMG_NO_KERNEL`` set, nothing is made
and medimg uses Python and cv2, which give the same more slowly.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess  # noqa: TID251 - build time only; medimg is not importable here
import sys
import sysconfig
import tempfile
from pathlib import Path

OFF_VARIABLE = "MEDIMG_NO_KERNEL"
SOURCES = (Path("medimg/formats/jpeg/_splice.c"), Path("medimg/audit/_scan.c"), Path("medimg/detect/_area.c"))
FLAGS = ["-std=c99", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra"]


def compilers() -> list[list[str]]:
    """Compiler commands to try, in order: ``CC``, the one Python was built with, the system's."""
    wanted = [os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"]
    out: list[list[str]] = []
    for line in wanted:
        words = shlex.split(line) if isinstance(line, str) else []
        if words and shutil.which(words[0]) and words not in out:
            out.append(words)
    return out


def target(root: Path, source: Path) -> Path:
    """Where a library goes."""
    return (root / source).with_suffix(".dylib" if sys.platform == "darwin" else ".so")


def build(root: Path) -> list[Path]:
    """Compile the C files.

    Args:
        root: The project's folder, with ``medimg/`` in it.

    Returns:
        The libraries that could be made; those of an earlier build that could not are removed.
    """
    wanted = sys.platform != "win32" and not os.environ.get(OFF_VARIABLE)
    made = []
    for source in SOURCES:
        library = target(root, source)
        if wanted and (root / source).is_file() and _compiled(root / source, library):
            made.append(library)
        else:
            library.unlink(missing_ok=True)
    return made


def _compiled(source: Path, library: Path) -> bool:
    for command in compilers():
        with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as scratch:
            made = Path(scratch) / library.name
            line = [*command, *FLAGS, "-o", str(made), str(source)]
            done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
            if done.returncode == 0 and made.is_file():
                made.replace(library)  # a process that has the old one loaded keeps it
                return True
    return False


def platform_tag() -> str:
    """Wheel tag of a build with the kernel: any Python 3, no ABI, this platform."""
    return "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
