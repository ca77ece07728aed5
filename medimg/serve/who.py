"""Who may ask a server, told without a package of any: by an address of this computer, or by a token."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from medimg.errors import UsageError
from medimg.system import host as system

SHORTEST = 32
"""Characters of a token."""


def token(path: Path) -> bytes:
    """The token of a file that its owner alone may read.

    Raises:
        UsageError: It cannot be read, others may read it, or it is too short.
    """
    try:
        shown = system.others_may_read(path)
        found = path.read_bytes().strip()
    except OSError as error:
        raise UsageError("the token file could not be read.") from error
    if shown:
        raise UsageError("others may read the token file.", todo="chmod 600 it.")
    if len(found) < SHORTEST or not found.isascii() or any(c <= 32 for c in found):
        raise UsageError(
            f"the token is shorter than {SHORTEST} characters, or has blanks in it.",
            todo="Make one: openssl rand -hex 32 > FILE",
        )
    return found


def loopback(host: str) -> bool:
    """Whether an address is reached from this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
