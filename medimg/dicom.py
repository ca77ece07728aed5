"""A copy as a DICOM object for an archive: VL Photographic Image (PS3.3, A.32.4), with the fewest modules it may have.

The picture of a baseline JPEG is put in as it is, bit for bit. What DICOM has no coding for here, or what a viewer
would have to turn, is put in as plain samples.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import warnings
from typing import Any

import msgspec

from medimg import formats, verify
from medimg.errors import CheckFailed, UsageError
from medimg.formats import Statement
from medimg.formats.dicom import _header
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._header import Facts, Patient
from medimg.formats.dicom._write import Field, encapsulated, encoded, file, new_uid
from medimg.formats.shared import icc
from medimg.policy import Policy
from medimg.vocabulary import PASSING, FormatName

_UID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_DATE = re.compile(r"\d{8}")
_LONGEST = {"id": 64, "name": 64 * 3, "accession": 16}
"""Characters (PS3.5, 6.2)."""
_NO_COPY = "this is no copy of medimg: there is more in it than a picture."


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
    settings = policy or Policy.load()
    who = patient or Patient()
    _checked(who)
    opened = formats.open_photo(copy, settings.limits)
    if any(c.state not in PASSING for c in verify.container(copy, opened.name, settings, opened)):
        raise UsageError(_NO_COPY, todo="Clean the photo first, and wrap the copy.")
    said = statement or Statement(key=key)
    said = msgspec.structs.replace(said, key=said.key or key or secrets.token_bytes(32))
    facts, pixels, syntax = _coded(opened) or _plain(opened)
    digest = hashlib.sha256(copy).hexdigest()
    removed = not (who.name or who.id or who.birth_date or who.accession)
    facts = msgspec.structs.replace(
        facts,
        instance=new_uid(said.key, f"instance {digest} {number}"),
        study=who.study or new_uid(said.key, "study"),
        series=who.series or new_uid(said.key, "series"),
        image_type=("DERIVED", "PRIMARY"),
        instance_number=str(number),
        patient=who,
        removed=removed,
    )
    fields = _header.fields(facts, said)
    if any(not f.value.isascii() for f in fields if f.vr in ("PN", "LO", "SH")):
        fields.append(Field(t.CHARACTER_SET, "CS", b"ISO_IR 192"))
    out = file(syntax, facts.object_class, facts.instance, fields, pixels)
    _shows_the_same(out, opened, settings)
    if removed and any(c.state not in PASSING for c in verify.container(out, FormatName.DICOM, settings)):
        raise CheckFailed("the DICOM file that was made holds more than the picture.")
    return out


def _coded(opened: formats.Opened) -> tuple[Facts, bytes, str] | None:
    """The picture of a JPEG as it is; None when DICOM or its viewers could not show it so."""
    from medimg.formats import jpeg
    from medimg.formats.dicom._jpeg import SEQUENTIAL, is_rgb

    if not isinstance(opened, jpeg.JpegPhoto) or opened.orientation != 1 or opened.frame.sof not in SEQUENTIAL:
        return None
    count = len(opened.frame.components)
    if count not in (1, 3) or (count == 3 and is_rgb(opened)):
        return None
    bare = opened.write(keep_profile=False).data
    facts = _facts(opened, opened.width, opened.height, count)
    return (
        msgspec.structs.replace(
            facts,
            photometric="YBR_FULL_422" if count == 3 else "MONOCHROME2",
            lossy=True,
            ratio=_header.short(opened.width * opened.height * count / len(bare)),
            method="ISO_10918_1",
        ),
        encapsulated([bare]),
        t.JPEG if opened.frame.sof == SEQUENTIAL[0] else t.JPEG_EXTENDED,
    )


def _plain(opened: formats.Opened) -> tuple[Facts, bytes, str]:
    samples = _upright(opened)
    if samples.dtype.itemsize != 1 or (samples.ndim == 3 and samples.shape[2] != 3):
        raise UsageError(
            "this copy has 16 bits a sample, alpha or inks, which a DICOM photograph cannot have.",
            todo="Give the archive the copy as it is.",
        )
    height, width = samples.shape[:2]
    facts = _facts(opened, width, height, 1 if samples.ndim == 2 else 3)
    if opened.name in (FormatName.JPEG, FormatName.HEIF):
        facts = msgspec.structs.replace(
            facts, lossy=True, method="ISO_10918_1" if opened.name == FormatName.JPEG else ""
        )
    return facts, encoded(Field(t.PIXELS, "OB", samples.tobytes())), t.EXPLICIT


def _facts(opened: formats.Opened, width: int, height: int, count: int) -> Facts:
    return Facts(
        object_class=t.PHOTOGRAPH,
        rows=height,
        columns=width,
        samples=count,
        photometric="MONOCHROME2" if count == 1 else "RGB",
        profile=_profile(opened.data) if count == 3 else b"",
    )


def _upright(opened: formats.Opened) -> Any:
    """The samples as a viewer shows them: DICOM has no orientation."""
    import numpy as np

    from medimg.detect import Frame

    samples = opened.samples()
    deep = samples if samples.ndim == 3 else samples[..., None]
    upright = Frame(deep, opened.orientation).rgb
    return upright if samples.ndim == 3 else np.ascontiguousarray(upright[..., 0])


def _profile(data: bytes) -> bytes:
    """The colour profile of a copy, already rebuilt from its colours alone."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size was held against the limit
        with Image.open(io.BytesIO(data)) as picture:
            return icc.clean(picture.info.get("icc_profile") or b"") or b""


def _shows_the_same(out: bytes, opened: formats.Opened, policy: Policy) -> None:
    import numpy as np

    again = formats.open_photo(out, policy.limits)
    if not np.array_equal(again.samples(), _upright(opened)):
        raise CheckFailed("the DICOM file that was made does not show the same picture.")


def _checked(patient: Patient) -> None:
    """Refuse what DICOM cannot hold; what was given is never quoted."""
    fields: dict[str, str] = msgspec.structs.asdict(patient)
    wrong = [name for name, value in fields.items() if any(ord(c) < 32 or c == "\\" for c in value)]
    wrong += [name for name, most in _LONGEST.items() if len(fields[name]) > most]
    wrong += ["birth_date"] * bool(patient.birth_date and not _DATE.fullmatch(patient.birth_date))
    wrong += ["sex"] * (patient.sex not in ("", "M", "F", "O"))
    for name in ("study", "series"):
        uid = fields[name]
        wrong += [name] * bool(uid and (len(uid) > 64 or not _UID.fullmatch(uid)))
    if wrong:
        raise UsageError(f"the patient's {wrong[0].replace('_', ' ')} does not have the form that DICOM wants.")


__all__ = ["Patient", "Statement", "wrap"]
