"""A picture as a VL Photographic Image (PS3.3, A.32.4), with the fewest modules that it may have.

The picture of a baseline JPEG is put in as it is, bit for bit. What DICOM has no coding for here, or what a viewer
would have to turn, is put in as plain samples.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from medimg.errors import UsageError
from medimg.formats import Opened, Statement, jpeg
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._header import Facts, fields, short
from medimg.formats.dicom._jpeg import SEQUENTIAL, is_rgb
from medimg.formats.dicom._write import Field, file, new_uid, plain
from medimg.formats.dicom.patient import Patient
from medimg.formats.shared import icc
from medimg.vocabulary import FormatName

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_DATE = re.compile(r"\d{8}")
_LONGEST = {"id": 64, "name": 64 * 3, "accession": 16}
"""Characters (PS3.5, 6.2)."""


def photograph(opened: Opened, patient: Patient, statement: Statement, number: int) -> bytes:
    """The picture of a copy as a DICOM file.

    Args:
        opened: A copy that medimg wrote.
        patient: What the host system knows.
        statement: What was checked in the copy, and the key for new identifiers.
        number: Instance Number in the series.

    Raises:
        UsageError: A photograph of that kind cannot hold its samples.
    """
    digest = hashlib.sha256(opened.data).hexdigest()
    facts, pixels, syntax = _coded(opened) or _plain(opened)
    facts = msgspec.structs.replace(
        facts,
        instance=new_uid(statement.key, f"instance {digest} {number}"),
        study=patient.study or new_uid(statement.key, "study"),
        series=patient.series or new_uid(statement.key, "series"),
        image_type=("DERIVED", "PRIMARY"),
        instance_number=str(number),
        patient=patient,
        removed=not names(patient),
    )
    header = fields(facts, statement)
    if any(not f.value.isascii() for f in header if f.vr in ("PN", "LO", "SH")):
        header.append(Field(t.CHARACTER_SET, "CS", b"ISO_IR 192"))
    return file(syntax, facts.object_class, facts.instance, header, pixels)


def names(patient: Patient) -> bool:
    """Whether anything in it tells who the patient is."""
    return bool(patient.name or patient.id or patient.birth_date or patient.accession)


def _coded(opened: Opened) -> tuple[Facts, list[bytes], str] | None:
    """The picture of a JPEG as it is; None when DICOM or its viewers could not show it so."""
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
            ratio=short(opened.width * opened.height * count / len(bare)),
            method="ISO_10918_1",
        ),
        [bare],
        t.JPEG if opened.frame.sof == SEQUENTIAL[0] else t.JPEG_EXTENDED,
    )


def _plain(opened: Opened) -> tuple[Facts, Field, str]:
    samples = upright(opened)
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
    return facts, plain(samples.tobytes(), 8), t.EXPLICIT


def _facts(opened: Opened, width: int, height: int, count: int) -> Facts:
    return Facts(
        object_class=t.PHOTOGRAPH,
        rows=height,
        columns=width,
        samples=count,
        photometric="MONOCHROME2" if count == 1 else "RGB",
        profile=_profile(opened.data) if count == 3 else b"",
    )


def upright(opened: Opened) -> NDArray[Any]:
    """The samples as a viewer shows them: DICOM has no orientation."""
    import numpy as np

    turned = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a),
    }
    samples = opened.samples()
    turn = turned.get(opened.orientation)
    return np.ascontiguousarray(turn(samples) if turn else samples)


def _profile(data: bytes) -> bytes:
    """The colour profile of a copy, already rebuilt from its colours alone."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size was held against the limit
        with Image.open(io.BytesIO(data), formats=("AVIF", "JPEG", "PNG", "TIFF", "WEBP")) as picture:
            return icc.clean(picture.info.get("icc_profile") or b"") or b""


def checked(patient: Patient) -> None:
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
