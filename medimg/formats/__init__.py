"""Containers: a folder each, and its name in :data:`FORMATS`, which is the one registration.

To add a format, make a folder here. Its ``__init__.py`` is the door: cheap to import (no numpy, no Pillow, no cv2 at
the top), and it has

``NAME``
    its name, the same as its folder.
``MEDIA_TYPES``
    suffix -> IANA media type, one for each coding that the container may hold; with the dot, in small letters. The
    suffix of every copy is there. What a file is, its content alone decides.
``WRITES``
    names of the formats that its copies may be of, mostly its own.
``sniff(head: bytes) -> bool``
    whether content that starts with ``head`` (up to 4096 bytes) is of this format.
``open(data: bytes, limits: Limits) -> Opened``
    parse strictly; raises :class:`~medimg.errors.Malformed`, :class:`~medimg.errors.TooLarge` or
    :class:`~medimg.errors.Unsupported`.

Then put its name into :data:`FORMATS`. Where it writes copies of its own, :mod:`medimg.audit` needs a reader of them,
which shares no code with what stands here. Media types, *Open with* and the description of the HTTP worker follow.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import msgspec

from medimg.errors import NotAPicture, Unsupported
from medimg.types import Box, Copy, Cover, Finding, KnownValues, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD = 4096

FORMATS: tuple[str, ...] = ("jpeg", "png", "heif", "dicom", "tiff", "webp", "raster")
"""Names of the folders, asked in this order."""


class Opened(Protocol):
    """A parsed photo of one format. Decoding is lazy; nothing is written to ``data``."""

    name: str
    data: bytes
    width: int
    """Stored pixels across."""
    height: int
    """Stored pixels down."""
    orientation: int
    """EXIF orientation 1 to 8 that a viewer applies to the stored pixels."""
    frames: int

    def metadata(self) -> list[Finding]:
        """Everything in the container that is not the picture: kind, category, count, path; never values.

        A container that holds only allow-listed structure gives an empty list, and what :meth:`write`
        returned must give one.
        """
        ...

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Decoded samples in stored orientation, native depth: uint8 or uint16, (H, W) or (H, W, C).

        Colours under alpha 0 are given as 0: they cannot be seen and no copy keeps them.
        """
        ...

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """What can be seen of a frame, for detectors: one or more uint8 RGB arrays (H, W, 3), stored orientation.

        More than one where one rendering would hide something (alpha, 16 bit, four inks, a steep profile).
        """
        ...

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The copy: allow-listed structure, cleaned profile, covers filled; pixels elsewhere untouched.

        Args:
            covers: What is filled, in the coordinates of the whole picture; all of one colour.
            keep_profile: Whether the cleaned colour profile stays.
            crop: The box that is kept; a JPEG keeps the whole blocks inside it. None keeps all.

        Raises:
            UsageError: The crop lies outside the picture.
            CheckNotRun: It cannot be written without a loss the policy does not allow.
        """
        ...


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy may say of itself, for formats that have fields for it.

    A copy is released only when every check that ran passed, so a writer may state beforehand what they look for.

    Attributes:
        key: For new identifiers in place of the old ones: the same key gives the same new ones; empty for a random key.
        text: Text and codes are looked for in the copy, and no person has kept any.
        faces: Faces are looked for in the copy, and none was kept or left for a person to look at.
    """

    key: bytes
    text: bool = False
    faces: bool = False


@runtime_checkable
class Declaring(Protocol):
    """An opened photo of a format that names a patient in its header and says in it what was done (DICOM)."""

    def values(self) -> KnownValues:
        """Names, numbers and dates of the header, to be looked for in the picture; in memory only."""
        ...

    def state(self, statement: Statement) -> None:
        """What :meth:`Opened.write` may say of the copy from now on."""
        ...


@runtime_checkable
class InBlocks(Protocol):
    """An opened photo of a format in whose copies covers grow to whole blocks of pixels (JPEG)."""

    block: tuple[int, int]
    """Width and height of a block."""


@runtime_checkable
class Forgetful(Protocol):
    """An opened photo of a format that is decoded fast enough to be decoded twice (JPEG)."""

    def forget(self) -> None:
        """Give up the decoded samples; whoever asks for them again gets them decoded anew."""
        ...


class Format(Protocol):
    """What the door of a format looks like; the module says more."""

    NAME: str
    MEDIA_TYPES: dict[str, str]
    WRITES: tuple[str, ...]

    def sniff(self, head: bytes) -> bool:
        """Whether the content is of this format."""
        ...

    def open(self, data: bytes, limits: Limits) -> Opened:
        """Parse strictly."""
        ...


def load(name: str) -> Format:
    """The door of a format."""
    return cast(Format, importlib.import_module(f"medimg.formats.{name}"))


@cache
def media_types(names: tuple[str, ...] = FORMATS) -> dict[str, str]:
    """Suffix -> IANA media type, of formats.

    A format's name would not do: HEIC and AVIF share a container, and so do a JPEG 2000 file and its bare codestream.
    """
    return {suffix: kind for name in names for suffix, kind in load(name).MEDIA_TYPES.items()}


def written() -> tuple[str, ...]:
    """Names of the formats that copies may be of."""
    return tuple(dict.fromkeys(w for name in FORMATS for w in load(name).WRITES))


def sniff(head: bytes) -> str:
    """The format's name, from content alone; empty when none is recognised."""
    for name in FORMATS:
        if load(name).sniff(head):
            return name
    return ""


def open_photo(data: bytes, limits: Limits) -> Opened:
    """Parse a photo of any known format.

    Raises:
        NotAPicture: The content is not a picture.
        Unsupported: A recognised kind that is not handled; the message names the kind.
        Malformed: It is damaged.
        TooLarge: It is over a limit.
    """
    name = sniff(data[:HEAD])
    if name:
        opened = load(name).open(data, limits)
        return opened if not limits.max_side else importlib.import_module("medimg.formats.smaller").of(opened, limits)
    from medimg.formats import refused

    found = refused.recognise(data)
    if found:
        raise Unsupported(f"this is {found.name}, which is not cleaned.", todo=found.advice)
    raise NotAPicture("the content is not a picture.")
