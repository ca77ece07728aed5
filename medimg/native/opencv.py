"""The only place that imports cv2. Everything else says ``from medimg.native.opencv import cv2``.

``import cv2`` (Linux wheels up to 5.0.0.93) writes three variables into ``os.environ``:
``QT_QPA_PLATFORM_PLUGIN_PATH`` and ``QT_QPA_FONTDIR``, which break a Qt host program, and
``LD_LIBRARY_PATH`` with an empty entry, which means *the current folder*: a library planted among the
photos would be loaded by every program started afterwards (opencv/opencv-python#1268). The three are put
back here; :mod:`medimg.system.programs` starts programs in a clean environment besides.

The library itself reads ``OPENCV_...`` while it is loaded: ``OPENCV_TRACE`` would have it write files into the current
folder, ``OPENCV_IO_MAX_IMAGE_PIXELS`` refuse pictures. It finds none of them; a host that sets them for pictures of its
own loads cv2 first.
"""

from __future__ import annotations

import os
from importlib.metadata import packages_distributions

from medimg.system import children

_KEYS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
_before = {key: os.environ.get(key) for key in _KEYS}

with children.without("OPENCV_"):
    import cv2

    cv2.getNumThreads()  # what runs loops is chosen, and loaded if it is a plugin, at the first use

for _key, _value in _before.items():
    if _value is None:
        os.environ.pop(_key, None)
    else:
        os.environ[_key] = _value

# A damaged picture becomes an error of ours; cv2 would print lines of its own besides.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def owners() -> list[str]:
    """Installed distributions that own the ``cv2`` folder; more than one is a broken installation."""
    return sorted(set(packages_distributions().get("cv2", [])))


__all__ = ["cv2", "owners"]
