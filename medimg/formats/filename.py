"""What a file's own name and folders may give away. Reported by kind; the copy gets a neutral name anyway.

A keep-list, not a block-list: words that cameras, phones and programs put into names are harmless, every other
word may be a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Secret
from medimg.vocabulary import Category, Kind

# What cameras (DCF file names, CIPA DC-009), phones and programs write themselves.
_HARMLESS = frozenset(
    re.findall(
        r"\w+",
        """burst camera capture copy cover crop cropped dcim dsc dscf dscn dsci edit edited enhanced frame gopr hdr heic
        image images img imgp jpeg jpg mvimg night original pano photo photos pic pict picture pictures png portrait pxl
        raw received scan scanned screenshot signal snap tif tiff webp whatsapp of the and""",
    )
)
# What people and computers call folders.
_FOLDERS = frozenset(
    re.findall(
        r"\w+",
        """album albums archive backup batch case cases clinical current data desktop disk document documents download
        downloads drive export exports file files folder home import inbox local media mobile monday tuesday wednesday
        thursday friday saturday sunday new old onedrive dropbox icloud google output project public research run sample
        series share shared storage study sync temp test tests tmp today training upload uploads user users volume work
        hospital clinic ward unit department january february march april june july august september october november
        december""",
    )
)
_LEAST_KNOWN = 3
_MONTHS = frozenset(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))
_WORD = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])[-_. ]?(?:0[1-9]|[12]\d|3[01])"  # 2024-05-31, 20240531
    r"|(?:0?[1-9]|[12]\d|3[01])[-_. ](?:0?[1-9]|1[0-2])[-_. ](?:19|20)?\d\d)(?!\d)"  # 31-5-24
)
_CAMERA_COUNTER = 5  # DCF counts to 9999; some cameras go to 99999
_TIME_OF_DAY = 6


def findings(name: str, folders: Iterable[str] = (), known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
    """What a file name and the names of its folders hold.

    Args:
        name: The file name, with or without its suffix.
        folders: Names of the folders it lies in.
        known: Values the caller knows.

    Returns:
        Findings of kind ``filename``: category ``known``, ``date``, ``number`` or ``words``, where ``file name`` or
        ``folder name``.
    """
    out = []
    for where, texts in (("file name", [PurePath(name).stem]), ("folder name", list(folders))):
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_kinds(text, known))
        out += [
            Finding(
                kind=Kind.FILENAME,
                category=category,
                detector="names 1",
                count=count,
                where=where,
                secret=Secret(" / ".join(texts)),
            )
            for category, count in sorted(counts.items())
        ]
    return out


def known(name: str, folders: Iterable[str] = (), given: KnownValues = NOTHING_KNOWN) -> KnownValues:
    """The known values, with the words of a file's name and folders that may be names.

    A photo in a folder with the patient's name shows that name on a label more often than any other. Words that cameras
    and programs write and months are left out; plain words that are nobody's name (``wounds``, ``left``) are left out
    by the check itself, which has the list of them.

    Args:
        name: The file name, with or without its suffix.
        folders: Names of the folders it lies in.
        given: Values the caller knows.
    """
    words = [w for text in (PurePath(name).stem, *folders) for w in _WORD.findall(unicodedata.normalize("NFC", text))]
    written = _HARMLESS | _FOLDERS | _MONTHS
    more = dict.fromkeys(w for w in words if len(w) >= _LEAST_KNOWN and w.casefold() not in written)
    return msgspec.structs.replace(given, named=tuple(more)) if more else given


def _kinds(text: str, known: KnownValues) -> Iterable[str]:
    plain = _squeezed(text)
    for value in (*known.names, *known.numbers, *known.dates):
        if len(_squeezed(value)) > 1 and _squeezed(value) in plain:
            yield Category.KNOWN
    rest, dates = _DATE.subn(" ", text)
    yield from ["date"] * dates
    for digits in _DIGITS.findall(rest):
        # A time of day stands beside a date in the names phones give: IMG_20240531_101500.
        if len(digits) > _CAMERA_COUNTER and not (dates and len(digits) in (_TIME_OF_DAY, _TIME_OF_DAY + 3)):
            yield Category.NUMBER
    for word in _WORD.findall(rest):
        if word.casefold() in _MONTHS:
            yield Category.DATE
        elif len(word) > 1 and word.casefold() not in _HARMLESS:
            yield Category.WORDS


def _squeezed(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
