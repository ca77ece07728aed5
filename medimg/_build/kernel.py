"""Compiles medimg's C files when medimg is built: readers of coded JPEG and WebP data, the area filter of the pyramid.

They are plain shared libraries without any Python symbol, so one file serves every Python version of a platform.
Without a compiler there is no build; the wheels bring them.

With ``MEDIMG_TARGET`` set to one of :data:`TARGETS`, a wheel for that platform is made on any other: by the compiler of
the package ``ziglang``, which carries the C library of every platform (``release/wheels.py``).
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

SOURCES = (
    Path("medimg/formats/jpeg/_splice.c"),
    Path("medimg/formats/webp/_tails.c"),
    Path("medimg/audit/_scan.c"),
    Path("medimg/detect/_area.c"),
)
FLAGS = ["-std=c99", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra"]
TARGET_VARIABLE = "MEDIMG_TARGET"
# The oldest systems of onnxruntime's and opencv's wheels are newer than these: glibc 2.17 is that of manylinux2014.
TARGETS = {
    "manylinux_2_17_x86_64": ("x86_64-linux-gnu.2.17", ".so"),
    "manylinux_2_17_aarch64": ("aarch64-linux-gnu.2.17", ".so"),
    "win_amd64": ("x86_64-windows-gnu", ".dll"),
    "macosx_11_0_arm64": ("aarch64-macos.11.0", ".dylib"),
    "macosx_11_0_x86_64": ("x86_64-macos.11.0", ".dylib"),
}
"""Platform of a wheel -> what Zig calls it, and the suffix of its libraries."""


class KernelError(RuntimeError):
    """The libraries could not be made; the build must stop."""


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
    return (root / source).with_suffix({"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so"))


def build(root: Path) -> list[Path]:
    """Compile the C files.

    Args:
        root: The project's folder, with ``medimg/`` in it.

    Returns:
        The libraries.

    Raises:
        KernelError: There is no C compiler, or it did not do it.
    """
    return [_compiled(root / source, target(root, source)) for source in SOURCES]


def _compiled(source: Path, library: Path) -> Path:
    said = "no C compiler was found"
    for command in compilers():
        with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as scratch:
            made = Path(scratch) / library.name
            line = [*command, *FLAGS, "-o", str(made), str(source)]
            done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
            if done.returncode == 0 and made.is_file():
                made.replace(library)  # a process that has the old one loaded keeps it
                return library
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    raise KernelError(
        f"{source.name} could not be compiled ({said}). On Debian: sudo apt-get install gcc libc6-dev. "
        "medimg's wheels need no compiler."
    )


def cross_build(root: Path, platform: str, folder: Path) -> dict[Path, str]:
    """Compile the C files for another platform.

    Args:
        root: The project's folder, with ``medimg/`` in it.
        platform: One of :data:`TARGETS`.
        folder: Where the libraries go; those of this computer, beside the sources, stay as they are.

    Returns:
        Library -> its place in the wheel.

    Raises:
        KernelError: There is no such platform, or the compiler is not there or did not do it.
    """
    if platform not in TARGETS:
        raise KernelError(f"{TARGET_VARIABLE} is none of: {', '.join(TARGETS)}.")
    triple, suffix = TARGETS[platform]
    made = {}
    for source in SOURCES:
        place = source.with_suffix(suffix)
        library = folder / place.name
        line = [sys.executable, "-m", "ziglang", "cc", "-target", triple, "-s", *FLAGS]
        done = subprocess.run(  # noqa: S603 - no shell
            [*line, "-o", str(library), str(root / source)], capture_output=True, text=True, check=False
        )
        if done.returncode or not library.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise KernelError(f"{source.name} could not be compiled for {platform} ({last}). It needs: ziglang")
        made[library] = place.as_posix()
    return made


def platform_tag(platform: str = "") -> str:
    """Wheel tag of a build with the kernel: any Python 3, no ABI, this platform or the one named."""
    return "py3-none-" + (platform or sysconfig.get_platform().replace("-", "_").replace(".", "_"))
