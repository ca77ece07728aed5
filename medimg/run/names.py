"""Names that medimg gives: of runs, patients, photos and copies.

They become parts of the names of files and are printed, so a record that was edited by hand may hold no others.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

PATTERN = r"\A([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z"
"""``P01-001.jpg`` and the like, or nothing; 64 letters, as no name of ours is half as long."""

Name = Annotated[str, msgspec.Meta(pattern=PATTERN)]
"""Such a name; anything else makes the record unreadable."""

_given = re.compile(PATTERN)


def is_given(text: str) -> bool:
    """Whether a text is such a name, and not empty."""
    return bool(text and _given.match(text))
