"""The only place that knows the operating system: locks, names that last, process trees, limits, private files.

``host`` is the module of the system that medimg runs on: :mod:`_linux`, :mod:`_darwin` or :mod:`_windows`. All three
define the same names with the same meaning (a test compares them), so nothing else asks which system it is.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from medimg.system import _windows as host
elif sys.platform == "darwin":
    from medimg.system import _darwin as host
else:
    from medimg.system import _linux as host

__all__ = ["host"]
