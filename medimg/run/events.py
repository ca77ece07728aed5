"""What people did in a run, as it is written down: a release, a withdrawal, a page that was signed, an act."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from medimg.consent.cards import Card
from medimg.run.names import Name


def now() -> str:
    """UTC, to the microsecond, so that two events of one second keep their order."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Released(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group that was released: which copies, with which digests, when, by whom, and the register's receipt.

    ``revision`` is that of the state which says so first; times order nothing, because a clock can be set.
    """

    group: Name
    at: str
    copies: dict[Name, str]
    receipt: str = ""
    revision: int = 0
    role: str = ""


class Reopened(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group whose copies were taken back from the share folder; ``revision`` as in :class:`Released`."""

    group: Name
    at: str
    revision: int = 0


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A patient's withdrawal, as noted by a person."""

    group: Name
    at: str
    note: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent page that the patient signed, as a person noted it.

    Attributes:
        group: Whose.
        at: When it was noted.
        reference: Where the signed paper is, as typed; for the private part alone.
        file: Name of the scan in the private folder; empty for none.
        sha256: Of the scan.
        copies: Safe id -> SHA-256 of the copies it was signed for.
        role: Of the person who noted it.
    """

    group: Name
    at: str
    reference: str = ""
    file: Name = ""
    sha256: str = ""
    copies: dict[Name, str] = {}
    role: str = ""


class CardUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card that a person found right in this run, as it stood on their screen."""

    card: Card
    at: str


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act of a person: what stood on the screen, and what they said.

    Attributes:
        act: Id of the act, as ``look:P01-001``.
        at: UTC time.
        role: The role that was stated.
        said: What the person chose, in words.
        lines: Every sentence that stood there, in order.
        typed: What was typed, by field. Record part only.
    """

    act: str
    at: str
    role: str = ""
    said: str = ""
    lines: tuple[str, ...] = ()
    typed: dict[str, str] = {}
