"""The window: drop photos, look at what was found, correct it, answer the questions, open the share folder.

It is thin. Copies are made by :mod:`medimg.batch`, decisions lie in the run folder as the command line reads them, and
what a run is stands nowhere but there. This process never decodes a photo: that is done in workers.
"""

import ctypes
import sys

SPARE = sys.maxsize >> 8
"""References to None that are put by; a call costs one or two."""


def _keep_none() -> None:
    """Put references to None by: PySide6 6.12 gives one away with many calls that return nothing.

    From Python 3.12 on None is not counted (PEP 683). Before, the program would end in the middle of the work, with
    "deallocating None", after some ten thousand calls: a few hundred drawings of a photo.
    """
    if sys.implementation.name == "cpython" and sys.version_info < (3, 12) and sys.getrefcount(None) < SPARE:
        ctypes.c_ssize_t.from_address(id(None)).value += SPARE


_keep_none()
