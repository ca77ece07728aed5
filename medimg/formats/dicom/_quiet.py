"""pydicom without its warnings: they quote what stands in the file, in ``warnings`` and in its log."""

from __future__ import annotations

import contextvars
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
