"""The policy: what is done about each finding. Pure functions over :mod:`medimg.types` records.

A policy is a TOML file (``medimg/policies/default.toml`` is the shipped one). Unknown settings are refused with
their path, so that a misspelt setting never means a silent default.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from medimg import geometry
from medimg.errors import UsageError
from medimg.types import BLACK, Action, Colour, Cover, Finding, Limits, Plan, Polygon
from medimg.vocabulary import Reason


class MetadataRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the container is kept."""

    keep_profile: bool = True
    keep_frames: bool = False


class TextRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``keep`` is a keep-list of categories: text of any other category is covered, unread text too."""

    keep: tuple[str, ...] = ("ruler", "colour-card", "unit", "harmless", "possible-name", "laterality")
    margin: float = 0.12


class CodeRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bar and 2-D codes are covered whether or not they decode."""

    margin: float = 0.08


class FaceRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faces are covered; a cover over more than ``hold_share`` of the frame waits for a person.

    ``small`` looks in a larger picture too, for bystanders in the background.
    """

    margin: float = 0.10
    hold_share: float = 0.35
    small: bool = False


class CoverRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How covers look, and what a covered photo becomes whose format cannot be written again.

    ``colour`` is ``auto`` (black; lighter where black could not be seen), ``black``, ``white`` or ``#RRGGBB``.
    ``heif`` is what a covered HEIC or AVIF photo becomes: ``png``, exact, or ``jpeg``, a half to a third of the size.
    """

    heif: Literal["png", "jpeg"] = "png"
    colour: Annotated[str, msgspec.Meta(pattern=r"\A(auto|black|white|#[0-9A-Fa-f]{6})\Z")] = "auto"

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


class EngineRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done where a host program loaded onnxruntime before medimg could switch its usage reports off.

    ``loaded_before``: ``note`` says so among the engines of the report, ``refuse`` loads no check.
    """

    loaded_before: Literal["note", "refuse"] = "note"


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a run. ``scope="metadata-only"`` leaves text, codes and faces unchecked, and says so."""

    schema: Literal["medimg.policy/1"] = "medimg.policy/1"
    metadata: MetadataRules = MetadataRules()
    text: TextRules = TextRules()
    codes: CodeRules = CodeRules()
    faces: FaceRules = FaceRules()
    covers: CoverRules = CoverRules()
    verify: VerifyRules = VerifyRules()
    engines: EngineRules = EngineRules()
    limits: Limits = Limits()
    scope: Literal["full", "metadata-only"] = "full"

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the settings in canonical form."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]

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
                raw = path.read_bytes()
            return msgspec.toml.decode(raw, type=cls)
        except OSError as error:
            raise UsageError("the policy file could not be read.") from error
        except msgspec.DecodeError as error:  # its text names the setting's path, never a value
            raise UsageError(f"the policy file is not valid: {error}.") from error


def decide(findings: Iterable[Finding], policy: Policy, *, width: int, height: int) -> Plan:
    """One action per finding. ``width`` and ``height`` are the stored size of the frame, in pixels."""
    return Plan(
        width=width,
        height=height,
        actions=tuple(_with_place(_decide_one(f, policy), policy, width, height) for f in findings),
    )


def _with_place(action: Action, policy: Policy, width: int, height: int) -> Action:
    """The action, or a hold where it says to cover nothing, or most of the picture."""
    if action.do == "cover" and not fills(action.finding, policy, width, height):
        return Action(finding=action.finding, do="hold", why=Reason.NOWHERE)
    return _not_most_of_it(action, policy, width * height)


def fills(finding: Finding, policy: Policy, width: int, height: int) -> bool:
    """Whether a cover over a finding fills a pixel of a picture of that size.

    Further pages may be of another size; for a finding on one of them it is enough that it has an area.
    """
    region = finding.region
    if region is None or len(region.polygon) < 3 or not all(math.isfinite(v) for p in region.polygon for v in p):
        return False
    if not geometry.area(region.polygon):
        return False
    return region.frame > 0 or geometry.area(geometry.inside(cover_polygon(finding, policy), width, height)) >= 1


def _not_most_of_it(action: Action, policy: Policy, frame_area: int) -> Action:
    """The action, or a hold where one cover of a rule would hide more of the picture than is painted unasked."""
    finding = action.finding
    if action.do != "cover" or finding.region is None or finding.kind == "drawn":
        return action
    if geometry.area(cover_polygon(finding, policy)) <= policy.faces.hold_share * frame_area:
        return action
    return Action(finding=finding, do="hold", why=Reason.MOST_OF_IT)


def _decide_one(finding: Finding, policy: Policy) -> Action:
    match finding.kind:
        case "metadata" | "hidden-image":
            return Action(finding=finding, do="drop", why=Reason.NOT_THE_PICTURE)
        case "filename":
            return Action(finding=finding, do="drop", why=Reason.NEUTRAL_NAME)
        case "drawn":
            return Action(finding=finding, do="cover", why=Reason.MARKED)
        case "code":
            return Action(finding=finding, do="cover", why=Reason.CODE)
        case "document":
            return Action(finding=finding, do="hold", why=Reason.DOCUMENT)
        case "face":
            return _decide_face(finding)
        case "text":
            if finding.category == "possible-name" and finding.category in policy.text.keep:
                return Action(finding=finding, do="keep", why=Reason.POSSIBLE_NAME)
            if finding.category in policy.text.keep:
                return Action(finding=finding, do="keep", why=Reason.HARMLESS)
            if finding.category == "unread":
                return Action(finding=finding, do="cover", why=Reason.UNREAD)
            if finding.category == "unknown":
                return Action(finding=finding, do="cover", why=Reason.UNKNOWN)
            return Action(finding=finding, do="cover", why=Reason.IDENTIFYING)


def _decide_face(finding: Finding) -> Action:
    if finding.category == "possible-face":
        return Action(finding=finding, do="ask", why=Reason.POSSIBLE_FACE)
    if finding.category == "old-disguise":
        return Action(finding=finding, do="ask", why=Reason.OLD_DISGUISE)
    return Action(finding=finding, do="cover", why=Reason.FACE)


def cover_polygon(finding: Finding, policy: Policy) -> Polygon:
    """The polygon to fill for a finding: its own, grown by the margin of its kind."""
    if finding.region is None:
        return ()
    polygon = finding.region.polygon
    if finding.kind == "drawn":
        return polygon  # what a person marked is filled as it was marked
    box = finding.region.box
    # The short side of a slanted line of text is its area over its longest side.
    longest = max(geometry.distance(a, b) for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))
    short = geometry.area(polygon) / longest if longest else 0.0
    match finding.kind:
        case "text":
            margin = max(2.0, policy.text.margin * short)
        case "code":
            margin = max(2.0, policy.codes.margin * short)
        case _:
            margin = max(2.0, policy.faces.margin * min(box.width, box.height))
    return geometry.grown(polygon, margin)


def covers(plan: Plan, policy: Policy, colour: Colour = BLACK) -> tuple[Cover, ...]:
    """What is to be filled, in the order of the plan and in the coordinates of the whole picture."""
    return tuple(
        Cover(
            polygon=cover_polygon(a.finding, policy),
            category=a.finding.category,
            frame=a.finding.region.frame,
            colour=colour,
        )
        for a in plan.doing("cover")
        if a.finding.region is not None
    )


_COLOURS = {"auto": "black, or lighter where black could not be seen"}


def explain(policy: Policy) -> list[str]:
    """What the policy does, one plain sentence each."""
    kept = ", ".join(policy.text.keep)
    out = [
        "Metadata: everything that is not the picture is left out of the copy; only the orientation"
        + (" and a rebuilt colour profile stay." if policy.metadata.keep_profile else " stays."),
        "Further pages and frames: "
        + ("kept, each checked as a picture of its own." if policy.metadata.keep_frames else "left out of the copy."),
    ]
    if policy.scope == "metadata-only":
        return [*out, "Text, codes and faces: not checked."]
    percent = round(policy.faces.hold_share * 100)
    return [
        *out,
        f"Text: covered, unless it is known to be harmless ({kept}). Text that cannot be read is covered.",
        "Bar and 2-D codes: covered, whether or not they can be read. Their content is not stored.",
        f"Faces: covered. When a cover would hide more than {percent} % of the picture, the photo is held"
        " until a person chooses.",
        *(["Small bystanders: looked for in a larger picture as well."] if policy.faces.small else []),
        "Possible faces and documents: a possible face, and a bar or mosaic that is on a face already, is shown to the"
        " person who looks; a photo that looks like a document is held.",
        f"Covers: one solid colour ({_COLOURS.get(policy.covers.colour, policy.covers.colour)}), the same for a whole"
        " picture, larger than what they hide. Nothing is blurred.",
        "Covered HEIC and AVIF photos: saved as "
        + ("JPEG of quality 98." if policy.covers.heif == "jpeg" else "PNG with exactly their pixels."),
        f"Written copies: opened again from disk and checked again. What the second look finds is covered too, up to"
        f" {policy.verify.rounds} times; after that the photo is held.",
        *(
            ["A program that loaded onnxruntime with its usage reports on: refused."]
            if policy.engines.loaded_before == "refuse"
            else []
        ),
        "Second text reader: "
        + ("needed." if policy.verify.second_reader == "required" else "used when it is installed."),
    ]
