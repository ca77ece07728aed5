"""The policy: the settings of a run, and what they mean in words. What follows from them: :mod:`medimg.decide`.

A policy is a TOML file (``medimg/policies/default.toml`` is the shipped one). Unknown settings are refused with
their path, so that a misspelt setting never means a silent default.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from medimg import strict
from medimg.bounds import within
from medimg.errors import UsageError
from medimg.system import files
from medimg.types import BLACK, Colour, Limits
from medimg.vocabulary import KEEPABLE, THINGS, Category
from medimg.words import mark

SHARE = (0.0, 1.0)
MARGIN = (0.0, 10.0)
"""Least and most growth of a cover: a negative one would show what it hides, and ten heights is more than any needs."""


class MetadataRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the container is kept."""

    keep_profile: bool = True
    keep_frames: bool = False


class TextRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``keep`` is a keep-list of categories: text of any other category is covered, unread text too."""

    keep: tuple[str, ...] = KEEPABLE
    margin: float = 0.12

    def __post_init__(self) -> None:
        """Refuse a list that would keep less, or more, than its author meant.

        Raises:
            ValueError: It names what no policy can keep, or the margin is none.
        """
        within(self, "text", margin=MARGIN)
        wrong = [name for name in self.keep if name not in KEEPABLE]
        if wrong:
            known = ", ".join(KEEPABLE)
            raise ValueError(mark(f"`text.keep` cannot keep `{wrong[0]}`: it can name {known}"))


class CodeRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bar and 2-D codes are covered whether or not they decode."""

    margin: float = 0.08

    def __post_init__(self) -> None:
        """Refuse what is no such number.

        Raises:
            ValueError: One is not; its name is said.
        """
        within(self, "codes", margin=MARGIN)


class ObjectRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows from what writing and codes lie on.

    A thing of a sort in ``whole`` is covered whole, with straight sides, where anything on it is to be covered. One
    larger than ``largest`` of the frame is held as a document where it bears a page of lines and identifies in two
    ways, and else left to its lines. Where a sort is not listed, and where a person shows the thing, its lines are
    decided one by one. ``ask`` asks about what nobody could read on bare skin or cloth, where it would else be covered.
    """

    whole: tuple[str, ...] = (Category.SLIP, Category.SHEET)
    largest: float = 0.33
    margin: float = 0.02
    ask: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no such number or thing: a misspelt thing would be left to its lines.

        Raises:
            ValueError: One is not; its name is said.
        """
        within(self, "objects", largest=SHARE, margin=MARGIN)
        if not set(self.whole) <= set(THINGS):
            raise ValueError(mark(f"`objects.whole` can name {', '.join(THINGS)}"))


class FaceRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faces are covered. ``small`` looks in a larger picture too, for bystanders in the background.

    ``close_up`` says what becomes of a face whose cover alone would hide more than ``covers.hold_share`` of the frame:
    the photo is held (``hold``), the same with the choices named that a person has (``ask``), or the face is covered
    like any other (``cover``). A place is a face from ``sure``, and asked about from ``possible``.

    ``hold_share`` is the former name of that of :class:`CoverRules`: it is read, and stands there afterwards.
    """

    margin: float = 0.10
    hold_share: float | msgspec.UnsetType = msgspec.UNSET
    small: bool = False
    close_up: Literal["hold", "cover", "ask"] = "hold"
    sure: float = 0.83
    possible: float = 0.46

    def __post_init__(self) -> None:
        """Refuse what is no such number.

        Raises:
            ValueError: One is not; its name is said.
        """
        within(self, "faces", margin=MARGIN, sure=SHARE, possible=SHARE)
        if self.hold_share is not msgspec.UNSET:
            within(self, "faces", hold_share=SHARE)


HOLD_SHARE = 0.35


class CoverRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How covers look, and what a covered photo becomes whose format cannot be written again.

    Where the covers of rules together would hide more than ``hold_share`` of the frame, the photo waits for a person.
    ``colour`` is ``auto`` (black; lighter where black could not be seen), ``black``, ``white`` or ``#RRGGBB``.
    ``heif`` is what a covered HEIC or AVIF photo becomes: ``png``, exact, or ``jpeg``, a half to a third of the size.
    """

    hold_share: float = HOLD_SHARE
    heif: Literal["png", "jpeg"] = "png"
    colour: Annotated[str, msgspec.Meta(pattern=r"\A(auto|black|white|#[0-9A-Fa-f]{6})\Z")] = "auto"

    def __post_init__(self) -> None:
        """Refuse what is no such number.

        Raises:
            ValueError: One is not; its name is said.
        """
        within(self, "covers", hold_share=SHARE)

    @property
    def rgb(self) -> Colour | None:
        """The colour; None when it is chosen by the picture.

        Raises:
            UsageError: There is no such colour.
        """
        named = {"auto": None, "black": BLACK, "white": (255, 255, 255)}
        if self.colour in named:
            return named[self.colour]
        if not re.fullmatch("#[0-9A-Fa-f]{6}", self.colour):
            raise UsageError("the policy names a cover colour that does not exist.")
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue


class VerifyRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the written copy is judged."""

    rounds: int = 2
    second_reader: Literal["when-present", "required"] = "when-present"

    def __post_init__(self) -> None:
        """Refuse what is no such number.

        Raises:
            ValueError: One is not; its name is said.
        """
        within(self, "verify", rounds=(0, 20))


class EngineRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done where a host program loaded onnxruntime before medimg could switch its usage reports off.

    ``loaded_before``: ``note`` says so among the engines of the report, ``refuse`` loads no check.
    """

    loaded_before: Literal["note", "refuse"] = "note"


class DetectorRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Detectors of other packages that look as well (:mod:`medimg.detect.plugins`); one that is missing holds."""

    also: tuple[str, ...] = ()


LEAST_SIDE = 640
"""The smallest longest side to which pictures may be brought: below it a wound is a few dozen pixels."""
MOST_SIDE = 1_000_000
"""More than any picture has."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a run. ``scope="metadata-only"`` leaves text, codes and faces unchecked, and says so."""

    schema: Literal["medimg.policy/1"] = "medimg.policy/1"
    metadata: MetadataRules = MetadataRules()
    text: TextRules = TextRules()
    codes: CodeRules = CodeRules()
    faces: FaceRules = FaceRules()
    objects: ObjectRules = ObjectRules()
    covers: CoverRules = CoverRules()
    verify: VerifyRules = VerifyRules()
    engines: EngineRules = EngineRules()
    detectors: DetectorRules = DetectorRules()
    limits: Limits = Limits()
    scope: Literal["full", "metadata-only"] = "full"

    def __post_init__(self) -> None:
        """Put a setting under its former name where it stands now.

        Raises:
            ValueError: It is set twice, to different values, a surer face is only asked about, or copies would be tiny.
        """
        if 0 < self.limits.max_side < LEAST_SIDE:
            raise ValueError(mark(f"`limits.max_side` is 0 or at least {LEAST_SIDE}"))
        if self.faces.possible > self.faces.sure:
            raise ValueError(mark("`faces.possible` may not be more than `faces.sure`"))
        former = self.faces.hold_share
        if isinstance(former, msgspec.UnsetType):
            return
        if self.covers.hold_share not in (HOLD_SHARE, former):
            raise ValueError(mark("`faces.hold_share` is the former name of `covers.hold_share`: set one of them"))
        force, replaced = msgspec.structs.force_setattr, msgspec.structs.replace
        force(self, "covers", replaced(self.covers, hold_share=former))
        force(self, "faces", replaced(self.faces, hold_share=msgspec.UNSET))

    def with_heif(self, becomes: Literal["png", "jpeg"]) -> Policy:
        """The same policy, saving covered HEIC and AVIF photos like that."""
        return msgspec.structs.replace(self, covers=msgspec.structs.replace(self.covers, heif=becomes))

    def with_side(self, side: int) -> Policy:
        """The same policy, with pictures brought to this longest side at most; 0 leaves them as they are.

        Raises:
            UsageError: There is no such side.
        """
        try:
            return msgspec.structs.replace(self, limits=msgspec.structs.replace(self.limits, max_side=side))
        except ValueError as error:
            raise UsageError(f"{error}.") from error

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the settings in canonical form."""
        said = msgspec.to_builtins(self)
        if not self.limits.max_side:  # the same digest as before there was such a setting
            del said["limits"]["max_side"]
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]

    @classmethod
    def load(cls, path: Path | None = None) -> Policy:
        """Read a policy; the shipped default when no path is given.

        Raises:
            UsageError: The file cannot be read, or a setting is unknown or of the wrong kind.
        """
        try:
            if path is None:
                raw = resources.files("medimg").joinpath("policies/default.toml").read_bytes()
            else:
                raw = files.read_named(path)
            return strict.from_toml(raw, cls)
        except OSError as error:
            raise UsageError("the policy file could not be read.", todo="Check the name of the file.") from error
        except msgspec.DecodeError as error:  # its text names the setting's path, never a value
            raise UsageError(f"the policy file is not valid: {error}.") from error


def _likelihoods(faces: FaceRules) -> list[str]:
    """The thresholds, where they are not the default's."""
    usual = FaceRules()
    if (faces.sure, faces.possible) == (usual.sure, usual.possible):
        return []
    return [
        mark(
            f"What counts as a face: covered from a likelihood of {faces.sure:g} ({usual.sure:g} is usual),"
            f" shown to the"
            f" person who looks from {faces.possible:g} ({usual.possible:g})."
        )
    ]


_CLOSE_UPS = {
    "hold": mark("A photo that a face fills is held."),
    "cover": mark("A face that fills the photo is covered like any other."),
    "ask": mark("A photo that a face fills is held, and the person who looks chooses: cover, crop, or show."),
}
_WHOLE = mark("slip or a sheet")
"""What is covered whole by the shipped policy, as a sentence says it."""
_COLOURS = {"auto": mark("black, or lighter where black could not be seen")}


def explain(policy: Policy) -> list[str]:
    """What the policy does, one plain sentence each."""
    kept = mark(f", unless it is known to be harmless ({', '.join(policy.text.keep)})") if policy.text.keep else ""
    out = [
        mark(
            "Metadata: everything that is not the picture is left out of the copy; only the orientation and a rebuilt"
            " colour profile stay."
        )
        if policy.metadata.keep_profile
        else mark("Metadata: everything that is not the picture is left out of the copy; only the orientation stays."),
        mark("Further pages and frames: kept, each checked as a picture of its own.")
        if policy.metadata.keep_frames
        else mark("Further pages and frames: left out of the copy."),
    ]
    if policy.scope == "metadata-only":
        return [*out, mark("Text, codes and faces: not checked.")]
    percent = round(policy.covers.hold_share * 100)
    return [
        *out,
        mark(f"Text: covered{kept}. Text that cannot be read is covered."),
        mark("Bar and 2-D codes: covered, whether or not they can be read. Their content is not stored."),
        *(
            [
                mark(
                    f"Things with writing on them: a {' or a '.join(policy.objects.whole)} is covered whole"
                    f" where anything"
                    " on it is; a person can go back to its lines."
                )
            ]
            if policy.objects.whole
            else []
        ),
        *(
            [mark("Perhaps writing on skin or cloth that cannot be read: the person who looks is asked.")]
            if policy.objects.ask
            else []
        ),
        *([mark(f"Also looked for by: {', '.join(policy.detectors.also)}.")] if policy.detectors.also else []),
        mark(f"Faces: covered. {_CLOSE_UPS[policy.faces.close_up]}"),
        *_likelihoods(policy.faces),
        *([mark("Small bystanders: looked for in a larger picture as well.")] if policy.faces.small else []),
        mark(
            "Possible faces and documents: a possible face, and a bar or mosaic that is on a face already, is"
            " shown to the"
            " person who looks; a photo that looks like a document is held."
        ),
        mark(
            f"Covers: one solid colour ({_COLOURS.get(policy.covers.colour, policy.covers.colour)}), the same"
            f" for a whole"
            f" picture, larger than what they hide. Nothing is blurred. When they would hide more than"
            f" {percent} % of the"
            " picture together, the photo is held until a person chooses."
        ),
        mark("Covered HEIC and AVIF photos: saved as JPEG of quality 98.")
        if policy.covers.heif == "jpeg"
        else mark("Covered HEIC and AVIF photos: saved as PNG with exactly their pixels."),
        mark(
            f"Written copies: opened again from disk and checked again. What the second look finds is covered"
            f" too, up to"
            f" {policy.verify.rounds} times; after that the photo is held."
        ),
        *(
            [mark("A program that loaded onnxruntime with its usage reports on: refused.")]
            if policy.engines.loaded_before == "refuse"
            else []
        ),
        mark("Second text reader: needed.")
        if policy.verify.second_reader == "required"
        else mark("Second text reader: used when it is installed."),
    ]
