"""What the window and the page remember between two days: for whom and in which country.

Never a folder: names of folders can be those of patients.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from medimg.errors import OutputError
from medimg.system import files
from medimg.types import from_json

_MOST = 4096


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of the first page."""

    audience: str = ""
    country: str = ""


def place() -> Path:
    """Where they lie; ``MEDIMG_WINDOW`` names another file."""
    named = os.environ.get("MEDIMG_WINDOW")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_config_path("medimg", appauthor=False) / "window.json"


def load() -> Choices:
    """The choices of last time; none where there are none, or where they cannot be read."""
    try:
        data = place().read_bytes()[:_MOST]
        return from_json(data, Choices)
    except (OSError, ValueError, msgspec.DecodeError):
        return Choices()


def save(choices: Choices) -> None:
    """Keep them; where that is not possible they are asked again."""
    path = place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write_private(path, msgspec.json.format(msgspec.json.encode(choices)))
    except (OSError, OutputError):
        return
