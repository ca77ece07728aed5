"""What the page and its server tell each other."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.acts import Screen
from medimg.engine import deciding
from medimg.vocabulary import Choice


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One photo, as the page shows it.

    Attributes:
        photo: What was found and decided.
        before: Whether the photo itself is at hand.
        made: Another word for each copy that is made of it.
        width: Of the stored photo, in pixels.
        height: Likewise.
    """

    photo: deciding.Photo
    before: bool
    made: str
    width: int
    height: int


class Grouping(msgspec.Struct, frozen=True, kw_only=True):
    """Patients that are suggested, which a person has to agree to.

    Attributes:
        now: How many patients the photos count as without it.
        photos: For each that is suggested, the numbers under which its photos were dropped.
    """

    now: int
    photos: tuple[tuple[int, ...], ...]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One photo that was checked, while others still are; ``copy`` is whether it has one."""

    safe_id: str
    copy: bool


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """Where the person is. ``step`` is ``drop``, ``clean`` or ``look``; ``trouble`` is one sentence."""

    step: str
    dropped: int = 0
    settled: int = 0
    total: int = 0
    left: float | None = None
    done: tuple[Settled, ...] = ()
    grouping: Grouping | None = None
    trouble: str = ""
    run: str = ""
    photos: tuple[Seen, ...] = ()
    screen: Screen | None = None
    place: str = ""
    told: tuple[str, ...] = ()
    released: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a run: for whom and where, the copies, and what is known of the patients."""

    audience: str
    where: tuple[str, ...] = ()
    each: bool = False
    save_as: Literal["", "jpeg"] = ""
    max_side: int = 0
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person decides about one photo; ``choice`` is one of those of the area."""

    photo: str
    do: str
    area: int = 0
    why: deciding.Why = "shown"
    choice: Choice = Choice.COVER
    box: tuple[int, int, int, int] | None = None
