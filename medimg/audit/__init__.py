"""The judge of a written copy: walks the bytes again and names whatever stands outside the allow-list.

One file a format, the same name as in :mod:`medimg.formats`, sharing no code with it (import-linter keeps it
so): a mistake in the writer is not repeated here. An audit module has ``walk(data: bytes) -> list[str]``: the
container paths of everything that is not allow-listed structure, empty when there is nothing. It never quotes
content. It raises :class:`~medimg.errors.Malformed` when it cannot follow the file to its end.
"""

from __future__ import annotations

import importlib
import struct
import zlib

from medimg.errors import CheckNotRun, Malformed

AUDITS: tuple[str, ...] = ("jpeg", "png", "heif", "tiff", "webp", "dicom")


def walk(data: bytes, name: str) -> list[str]:
    """Paths outside the allow-list in a written copy of format ``name``.

    Raises:
        CheckNotRun: There is no audit for this format.
        Malformed: The copy could not be followed to its end.
    """
    if name not in AUDITS:
        raise CheckNotRun("there is no independent reader for this format.")
    try:
        strays: list[str] = importlib.import_module(f"medimg.audit.{name}").walk(data)
    except (struct.error, zlib.error, LookupError, ValueError, ArithmeticError) as error:
        raise Malformed("the copy could not be followed to its end.") from error
    return strays
