"""Which directory of a TIFF is the picture: thumbnails, smaller copies and masks stand among its pages and SubIFDs.

TIFF 6.0, section 8 (NewSubfileType, SubfileType); Adobe PageMaker 6.0 TIFF technical notes, note 1 (SubIFDs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medimg.errors import Malformed, Unsupported
from medimg.formats.tiff._file import Ifd, Tiff, directory

SUB_IFDS = 330
NEW_KIND, OLD_KIND = 254, 255
REDUCED, PAGE, MASK = 1, 2, 4
"""Bits of NewSubfileType."""
OLD_REDUCED = 2
"""SubfileType of a smaller copy."""
MAX_SUBS = 64


def picture(tiff: Tiff, page: int | None = None) -> Ifd:
    """The directory of the picture.

    Of the directories that are no smaller copy and no mask, the one with the most pixels, the earlier where two are
    equal; of the pages of a document the first. A file of one directory is that picture, whatever it calls itself.

    Args:
        tiff: The file.
        page: Choose among this page and its SubIFDs alone.

    Raises:
        Unsupported: All that can be read calls itself a smaller copy of something else.
    """
    chain = tiff.pages if page is None else [tiff.pages[page]]
    every, unread = [], 0
    for one in chain:
        every.append(one)
        subs, damaged = _subs(tiff, one)
        every += subs
        unread += damaged
    if len(every) == 1 and not unread:
        return every[0]
    whole = [one for one in every if not _kind(tiff, one) & (REDUCED | MASK)]
    if not whole:
        if page is not None:
            return chain[0]
        raise Unsupported(
            "every picture in this TIFF that can be read is a thumbnail of another.",
        )
    if _kind(tiff, whole[0]) & PAGE and whole[0] in chain:
        return whole[0]
    return max(whole, key=lambda one: _pixels(tiff, one))  # the first of the largest


def others(tiff: Tiff, chosen: Ifd, page: int | None = None) -> tuple[int, int]:
    """How many pages besides the picture there are, and how many SubIFDs; of one page when one is named."""
    chain = tiff.pages if page is None else [tiff.pages[page]]
    pages = sum(one is not chosen for one in chain)
    named = sum(one.entries[SUB_IFDS].count for one in chain if SUB_IFDS in one.entries)
    return pages, max(named - (pages == len(chain)), 0)


def _subs(tiff: Tiff, page: Ifd) -> tuple[list[Ifd], int]:
    """The SubIFDs of a page that can be read, and how many cannot: they are left out anyway, unless one is needed."""
    found: list[Ifd] = []
    damaged = 0
    for offset in _offsets(tiff, page):
        seen: set[int] = set()
        while offset and offset not in seen and len(found) < MAX_SUBS:
            seen.add(offset)
            try:
                one, offset = directory(tiff, offset)
            except Malformed:
                damaged += 1
                break
            found.append(one)
    return found, damaged


def _offsets(tiff: Tiff, page: Ifd) -> Sequence[int]:
    try:
        return tiff.numbers(page, SUB_IFDS)[:MAX_SUBS]
    except Malformed:
        return ()


def _kind(tiff: Tiff, page: Ifd) -> int:
    """NewSubfileType, or what SubfileType says in its place."""
    for tag, old in ((NEW_KIND, False), (OLD_KIND, True)):
        value = next(_numbers(tiff, page, tag), None)
        if value is not None:
            return value if not old else REDUCED if value == OLD_REDUCED else 0
    return 0


def _pixels(tiff: Tiff, page: Ifd) -> int:
    return next(_numbers(tiff, page, 256), 0) * next(_numbers(tiff, page, 257), 0)


def _numbers(tiff: Tiff, page: Ifd, tag: int) -> Iterator[int]:
    try:
        yield from tiff.numbers(page, tag)
    except Malformed:
        return
