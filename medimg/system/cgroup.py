"""What a container or a service may use of this computer: the limits of its control groups, versions 1 and 2."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

OWN = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")


def processors(own: Path = OWN, mounted: Path = MOUNTED) -> int:
    """Processors' worth of time this process may use, rounded up; 0 where nothing limits it."""
    shares = [quota / period for quota, period in _quotas(own, mounted) if quota > 0 and period > 0]
    return math.ceil(min(shares, default=0.0))


def memory(own: Path = OWN, mounted: Path = MOUNTED) -> int:
    """Bytes of memory this process may use; 0 where nothing limits it."""
    said = [
        int(text)
        for folder, second in _folders(own, mounted, "memory")
        if (text := _text(folder / ("memory.max" if second else "memory.limit_in_bytes"))).isdigit()
    ]
    return min(said, default=0)  # version 1 says a number near 2**63 for no limit; the computer's memory is less


def _quotas(own: Path, mounted: Path) -> Iterator[tuple[int, int]]:
    for folder, second in _folders(own, mounted, "cpu"):
        names = ("cpu.max",) if second else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        words = " ".join(_text(folder / name) for name in names).split()
        if len(words) == 2 and all(word.isdigit() for word in words):  # "max", or -1: no limit
            yield int(words[0]), int(words[1])


def _folders(own: Path, mounted: Path, controller: str) -> Iterator[tuple[Path, bool]]:
    """The group of this process and those above it, and whether they are of version 2.

    In a container a path may be that of the host, which is not there; the mounted root is the container's own then.
    """
    for line in _text(own).splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        for root in (mounted / controller,) if names else (mounted, mounted / "unified"):
            folder = root / path.lstrip("/")
            for above in (folder, *folder.parents):
                if above.is_relative_to(root):
                    yield above, not names


def _text(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return path.read_text("ascii").strip()
    return ""
