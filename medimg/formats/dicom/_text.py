"""Text of a DICOM header (PS3.3, C.12.1.1.2), for matching in memory."""

from __future__ import annotations

import datetime
import re

from medimg.formats.dicom._quiet import quiet  # isort: skip # before pydicom is loaded

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

from medimg.errors import MedimgError
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._read import Dicom, Element
from medimg.types import KnownValues

MOST_VALUES = 200
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)")
_TAKEN = ((0x00080022, 0x00080032), (0x00080023, 0x00080033), (0x00080021, 0x00080031), (0x00080020, 0x00080030))
"""Dates and times of acquisition, content, series and study; the first that is there counts."""
_LARGEST = 1 << 28


def decoded(raw: bytes, character_sets: str) -> str:
    """A value as text; bytes that do not fit are replaced."""
    with quiet():
        codings = convert_encodings(character_sets.split("\\"))
        return decode_bytes(raw, codings, TEXT_VR_DELIMS | PN_DELIMS).strip(" \0")


TEXT = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI", "UT"))
MOST_SHOWN = 200


def shown(dicom: Dicom, element: Element) -> str:
    """A value for the owner's own terminal; empty for what is no text."""
    if element.vr not in TEXT:
        return ""
    return decoded(element.value, dicom.text(t.CHARACTER_SET))[:MOST_SHOWN]


def values(dicom: Dicom) -> KnownValues:
    """Names, numbers and dates anywhere in a header, at most :data:`MOST_VALUES` of each."""
    names: dict[str, None] = {}
    numbers: dict[str, None] = {}
    dates: dict[str, None] = {}
    coding = dicom.text(t.CHARACTER_SET)
    for element in dicom.every:
        if element.vr == "PN":
            for part in re.split(r"[=\\]", decoded(element.value, coding)):
                names[" ".join(part.replace("^", " ").split())] = None
        elif element.vr == "DA":
            match = _DATE.fullmatch(dicom.text_of(element))
            if match:
                dates["-".join(match.groups())] = None
        elif element.vr in ("LO", "SH") and t.category(element.tag, element.vr)[1] == "record-number":
            numbers[decoded(element.value, coding)] = None
    return KnownValues(
        names=tuple(filter(None, names))[:MOST_VALUES],
        numbers=tuple(filter(None, numbers))[:MOST_VALUES],
        dates=tuple(dates)[:MOST_VALUES],
    )


def taken(data: bytes) -> datetime.datetime | None:
    """When a picture was taken, as its header says; None when it does not, or cannot be read."""
    try:
        dicom = Dicom(data, _LARGEST)
    except MedimgError:
        return None
    for date, time in _TAKEN:
        day, hour = _DATE.match(dicom.text(date)), _TIME.match(dicom.text(time))
        if day:
            try:
                clock = ":".join(hour.groups()) if hour else "00:00:00"
                return datetime.datetime.fromisoformat(f"{'-'.join(day.groups())}T{clock}")
            except ValueError:
                continue
    return None
