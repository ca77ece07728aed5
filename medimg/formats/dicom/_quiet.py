"""pydicom without its warnings, which quote what stands in the file, and without what it would load beside itself.

Where the package requests is installed, pydicom imports it for downloads of sample files that medimg never asks for,
and urllib3 opens a socket while it is imported. So requests is hidden while pydicom is first loaded. Every module here
that uses pydicom imports this one first.
"""

from __future__ import annotations

import contextvars
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def _load() -> None:
    """Load pydicom's module for sample files as where requests is not installed."""
    if "requests" in sys.modules or "pydicom.data.download" in sys.modules:
        return  # the program that uses medimg has loaded it: nothing is opened any more
    sys.modules["requests"] = None  # type: ignore[assignment] # importing it fails, as documented for None
    try:
        import pydicom.data.download  # noqa: F401
    finally:
        del sys.modules["requests"]


_load()
_QUIET = contextvars.ContextVar("medimg_dicom_quiet", default=False)


class _Unsaid(logging.Filter):
    """Drops what pydicom logs inside :func:`quiet`; what a host program does with pydicom is not touched."""

    def filter(self, _: logging.LogRecord) -> bool:
        return not _QUIET.get()


logging.getLogger("pydicom").addFilter(_Unsaid())


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that pydicom says inside is seen."""
    token = _QUIET.set(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _QUIET.reset(token)
