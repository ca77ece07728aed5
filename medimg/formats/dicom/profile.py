"""What PS3.15 says of each attribute: the Basic Application Level Confidentiality Profile, 2024b (``profile.txt``)."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def profile() -> dict[int, tuple[str, str]]:
    """Tag -> action of the Basic Profile and value representation (PS3.15, Table E.1-1)."""
    out: dict[int, tuple[str, str]] = {}
    for line in resources.files("medimg.formats.dicom").joinpath("profile.txt").read_text("ascii").splitlines():
        if not line.startswith("#"):
            action, representation, *tags = line.split()
            out.update((int(tag, 16), (action, representation)) for tag in tags)
    return out
