"""A copy as a DICOM object for an archive: what is wrapped is a copy of medimg, and what was made is read again."""

from __future__ import annotations

import re
import secrets

import msgspec

from medimg import formats, verify
from medimg.errors import CheckFailed, MedimgError, UsageError
from medimg.formats import Statement
from medimg.formats.dicom import _quiet
from medimg.formats.dicom.patient import Patient
from medimg.pipeline import statement
from medimg.policy import Policy
from medimg.vocabulary import PASSING, FormatName
from medimg.words import mark

_UID = re.compile(r"[0-9.]{1,64}")
"""PS3.5, 9.1."""
_NO_COPY = mark("this is no copy of medimg: there is more in it than a picture.")


def storage() -> dict[str, list[str]]:
    """Unique identifiers of the storage classes that are cleaned, each with the transfer syntaxes that are read."""
    from medimg.formats.dicom import _tags

    return {kind: [*_tags.NATIVE, *_tags.CODED] for kind in _tags.CLASSES}


def renamed(key: bytes, uid: str) -> str:
    """The identifier that a copy has in the place of one of its original, under a key."""
    from medimg.formats.dicom import _write

    return _write.new_uid(key, uid)


def named(data: bytes) -> tuple[str, str]:
    """SOP Class and SOP Instance UID of a file as it was sent, by its file meta group; empty where that says none.

    A sender's file is unpacked by a worker alone, which has bounds: nothing behind that group is looked at here.
    """
    from medimg.formats.dicom import _read

    try:
        meta, _ = _read.meta(data)
    except MedimgError:  # a damaged file has no name
        return "", ""
    class_uid, uid = (meta.get(tag, b"").rstrip(b"\0 ").decode("latin-1") for tag in (0x00020002, 0x00020003))
    return (class_uid if _UID.fullmatch(class_uid) else ""), (uid if _UID.fullmatch(uid) else "")


def identifier(copy: bytes) -> str:
    """SOP Instance UID of a DICOM copy."""
    import io

    with _quiet.quiet():
        import pydicom

        meta = pydicom.dcmread(io.BytesIO(copy), stop_before_pixels=True).file_meta
    return str(meta.MediaStorageSOPInstanceUID)


def wrap(
    copy: bytes,
    *,
    patient: Patient | None = None,
    statement: Statement | None = None,
    key: bytes = b"",
    number: int = 1,
    policy: Policy | None = None,
) -> bytes:
    """A covered copy as a VL Photographic Image.

    Args:
        copy: The bytes of a copy that medimg wrote, 8 bits, grey or colour. Nothing but the picture may be in it.
        patient: What the host system knows; every field of the patient is empty without it.
        statement: What was checked in the copy, and the key for new identifiers; nothing is said without it
            (:func:`medimg.pipeline.statement`).
        key: For new identifiers, when no statement is given: the same key, copy and number give the same file.
        number: Instance Number in the series.
        policy: Limits.

    Returns:
        The DICOM file.

    Raises:
        UsageError: It is no copy of medimg, or cannot be a photograph of that kind; or a field of the patient does not
            have the form DICOM wants.
        InputError: It is no picture.
        CheckFailed: The file, read again, does not show the picture.
    """
    import numpy as np

    from medimg.formats.dicom import wrap as made

    settings = policy or Policy.load()
    who = patient or Patient()
    made.checked(who)
    opened = formats.open_photo(copy, settings.limits)
    if not _passes(copy, opened.name, settings, opened):
        raise UsageError(_NO_COPY, todo="Clean the photo first, and wrap the copy.")
    said = statement or Statement(key=key)
    said = msgspec.structs.replace(said, key=said.key or key or secrets.token_bytes(32))
    out = made.photograph(opened, who, said, number)
    if not np.array_equal(formats.open_photo(out, settings.limits).samples(), made.upright(opened)):
        raise CheckFailed("the DICOM file that was made does not show the same picture.")
    if not made.names(who) and not _passes(out, FormatName.DICOM, settings):
        raise CheckFailed("the DICOM file that was made holds more than the picture.")
    return out


def _passes(data: bytes, name: str, policy: Policy, opened: formats.Opened | None = None) -> bool:
    """Whether a file holds nothing but its picture."""
    return all(c.state in PASSING for c in verify.container(data, name, policy, opened))


__all__ = ["Patient", "Statement", "identifier", "named", "renamed", "statement", "storage", "wrap"]
