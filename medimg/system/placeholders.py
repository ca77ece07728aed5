"""Files whose content lies with a cloud service: known by an attribute, before anything of them is opened.

Opening such a file makes the service fetch it, without a word. That is a photograph of a patient on its way through a
network, so medimg sets it aside and says so; the person decides.
"""

from __future__ import annotations

from medimg.words import mark

RECALL_ON_OPEN, RECALL_ON_DATA_ACCESS, OFFLINE = 0x40000, 0x400000, 0x1000
"""Windows file attributes (winnt.h, FILE_ATTRIBUTE_...)."""
SF_DATALESS = 0x40000000
"""Flag of a file on macOS (sys/stat.h)."""
WORDS = mark("it lies in a cloud folder and is not on this computer; make it available offline first")
"""Why such a file is not cleaned."""


def recalled(attributes: int) -> bool:
    """Whether these attributes of Windows say that reading fetches the file."""
    return bool(attributes & (RECALL_ON_OPEN | RECALL_ON_DATA_ACCESS | OFFLINE))


def dataless(flags: int) -> bool:
    """Whether these flags of macOS say that reading fetches the file."""
    return bool(flags & SF_DATALESS)
