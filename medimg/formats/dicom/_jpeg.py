"""JPEG and JPEG 2000 pictures as DICOM has them: no orientation, no profile, colours by the header's name."""

from __future__ import annotations

from medimg.formats.jpeg._findings import ADOBE, JFIF
from medimg.formats.jpeg.photo import APP0, APP14, JpegPhoto

SEQUENTIAL = (0xC0, 0xC1)
"""Frame headers of baseline and extended sequential JPEG, the processes that the two transfer syntaxes are for."""


def is_rgb(photo: JpegPhoto) -> bool:
    """Whether decoders take three components for RGB (libjpeg, jdapimin.c, default_decompress_parms)."""
    if photo._payloads(APP0, JFIF):
        return False
    adobe = _adobe(photo)
    return adobe[-1][11] == 0 if adobe else bytes(c.id for c in photo.frame.components) == b"RGB"


def says_colours(photo: JpegPhoto) -> bool:
    """Whether the picture itself says what its components are, so that no decoder asks the DICOM header."""
    return bool(photo._payloads(APP0, JFIF) or _adobe(photo))


def _adobe(photo: JpegPhoto) -> list[bytes]:
    return [p for p in photo._payloads(APP14, ADOBE) if len(p) >= 12]


def irreversible(codestream: bytes) -> bool:
    """Whether a JPEG 2000 codestream was made with the wavelet that loses (ITU-T T.800, A.6.1: transformation 0)."""
    at = codestream.find(b"\xff\x52", 2)
    return 0 <= at < len(codestream) - 13 and codestream[at + 13] == 0
