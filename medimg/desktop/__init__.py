"""The window: drop photos, look at what was found, correct it, answer the questions, open the share folder.

It is thin. Copies are made by :mod:`medimg.engine`, decisions lie in the run folder as the command line reads them, and
what a run is stands nowhere but there. This process never decodes a photo: that is done in workers.
"""

import ctypes
import sys

SPARE = sys.maxsize >> 8
"""References that are put by; a call costs one or two."""
SINGLETONS = (None, True, False, NotImplemented, ...)
"""What C code built for Python 3.12 or newer returns without counting (``Py_RETURN_NONE`` and its like)."""


def _keep_singletons() -> None:
    """Put references to ``None``, ``True`` and their like by: PySide6 6.12 gives one away with many calls.

    From Python 3.12 on they are not counted (PEP 683). Before, the program would end in the middle of the work, with
    "deallocating None" or "deallocating True or False": after a few hundred drawings of a photo, or a few thousand
    signals.
    """
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 12):
        return
    for thing in SINGLETONS:
        if sys.getrefcount(thing) < SPARE:
            ctypes.c_ssize_t.from_address(id(thing)).value += SPARE


_keep_singletons()
