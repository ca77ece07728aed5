"""Photos of one folder that are two versions of one, to go by their names: an edited one and its original.

Phones keep the picture as it was taken beside the cropped one. Whoever crops a face away and exports both has copies of
both. Names are looked at in memory alone; what is told are safe ids.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence

Version = tuple[str, ...]

# How editors name what they save beside an original: Apple (IMG_E1234), Google Photos (-edited, ~2, -EFFECTS), Samsung
# (_edited, ~2), Huawei (_edit_123), Windows ( - Copy, (2)), Pixel's second pictures (.ORIGINAL, .COVER).
_WORDS = (
    "edited|edit|cropped|crop|uncropped|original|orig|copy|effects|enhanced|annotated|marked|markup|rotated|collage"
    "|bearbeitet|zugeschnitten|kopie|modifié|modifie|recadré|copie|editado|editada|recortado|copia|modificato"
    "|bewerkt|redigerad|redigeret|redigert|muokattu|edytowane"
)
_APPLE = re.compile(r"(img_)[eo](\d{4,})")
_BEHIND = re.compile(
    rf"[ _.-]+(?:{_WORDS})(?:[ _-]?\d+)?|~\d{{1,3}}|\.(?:cover|portrait|night|mp)(?:-\d+)?|-\d+\.cover"
)
_BEFORE = re.compile(rf"(?:{_WORDS})(?: of| von| de)?[ _-]+")
_NUMBER = re.compile(r"[ _-]*\(\d{1,2}\)")
_TAIL = re.compile(rf"(?:{_BEHIND.pattern}|{_NUMBER.pattern})$")


def of(items: Iterable[tuple[int, bytes, str]]) -> list[Version]:
    """Safe ids that belong together, each set and the sets themselves in order.

    Args:
        items: Root, path and safe id of every photo.
    """
    found: dict[tuple[int, bytes, str], list[tuple[str, bool, str]]] = {}
    for root, path, safe_id in items:
        folder, name = os.path.split(path)
        stem = unicodedata.normalize("NFC", os.path.splitext(name)[0].decode("utf-8", "replace")).casefold()  # noqa: PTH122
        base, sure = _base(stem)
        found.setdefault((root, folder, base), []).append((stem, sure, safe_id))
    return sorted(ids for (_, _, base), members in found.items() if len(ids := _together(base, members)) > 1)


def _base(stem: str) -> tuple[str, bool]:
    """The name without what editors add, and whether more than a number in brackets was taken off.

    A number alone says little: programs also number a series so.
    """
    apple = _APPLE.fullmatch(stem)
    base, sure = ("".join(apple.groups()), True) if apple else (stem, False)
    while (tail := _TAIL.search(base)) and tail.start():
        sure = sure or not _NUMBER.fullmatch(tail.group())
        base = base[: tail.start()]
    head = _BEFORE.match(base)
    if head and head.end() < len(base):
        base, sure = base[head.end() :], True
    return base, sure


def _together(base: str, members: Sequence[tuple[str, bool, str]]) -> Version:
    whole = any(stem == base for stem, _, _ in members)
    return tuple(sorted(safe_id for stem, sure, safe_id in members if whole or sure or stem == base))
