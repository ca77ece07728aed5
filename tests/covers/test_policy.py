"""The policy's own records: what they are without a file, and what they refuse."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from medimg.errors import UsageError
from medimg.policy import (
    CoverRules,
    DetectorRules,
    EngineRules,
    FaceRules,
    MetadataRules,
    ObjectRules,
    Policy,
    TextRules,
    VerifyRules,
    explain,
)
from medimg.types import Limits


def test_without_a_file_the_policy_is_the_shipped_one() -> None:
    assert Policy() == Policy.load()


@pytest.mark.parametrize(
    ("colour", "rgb"),
    [("auto", None), ("black", (0, 0, 0)), ("white", (255, 255, 255)), ("#0A1b2C", (10, 27, 44))],
)
def test_the_colour_of_covers(colour: str, rgb: tuple[int, int, int] | None) -> None:
    assert CoverRules(colour=colour).rgb == rgb


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#1234567", "#GG0000", "0A1B2C"])
def test_a_colour_that_does_not_exist_is_refused(colour: str) -> None:
    with pytest.raises(UsageError):
        _ = CoverRules(colour=colour).rgb


@pytest.mark.parametrize(("side", "good"), [(0, True), (1, False), (639, False), (640, True), (641, True)])
def test_copies_are_not_made_so_small_that_a_wound_is_a_few_dozen_pixels(side: int, good: bool) -> None:
    if good:
        assert Policy(limits=Limits(max_side=side)).limits.max_side == Policy().with_side(side).limits.max_side == side
    else:
        with pytest.raises(ValueError, match="at least 640"):
            Policy(limits=Limits(max_side=side))


def test_a_face_is_not_surer_to_be_asked_about_than_to_be_covered() -> None:
    assert Policy(faces=FaceRules(sure=0.6, possible=0.6)).faces.possible == 0.6
    with pytest.raises(ValueError, match=r"faces\.possible"):
        Policy(faces=FaceRules(sure=0.6, possible=0.61))


def test_the_share_under_its_former_name_is_moved_and_not_set_twice() -> None:
    moved = Policy(faces=FaceRules(hold_share=0.5))
    assert moved == Policy(covers=CoverRules(hold_share=0.5))
    assert Policy(faces=FaceRules(hold_share=0.5), covers=CoverRules(hold_share=0.5)) == moved
    assert Policy(faces=FaceRules(hold_share=0.35)) == Policy()
    with pytest.raises(ValueError, match="former name"):
        Policy(faces=FaceRules(hold_share=0.5), covers=CoverRules(hold_share=0.4))


def test_a_policy_is_known_by_a_digest_of_its_settings() -> None:
    """Of which the longest side is one only where it is set: reports from before there was one still agree."""
    said = msgspec.to_builtins(Policy())
    del said["limits"]["max_side"]
    whole = hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
    assert Policy().digest == whole[:16]
    digests = {Policy().digest, Policy().with_side(640).digest, Policy().with_side(641).digest,
               Policy().with_heif("jpeg").digest}  # fmt: skip
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("changed", "said", "usual"),
    [
        ({"text": TextRules(keep=())}, "Text: covered. Text", "unless it is known to be harmless ("),
        ({"metadata": MetadataRules(keep_profile=False)}, "only the orientation stays.", "profile stay."),
        ({"metadata": MetadataRules(keep_frames=True)}, "kept, each checked as a picture of its own.",
         "frames: left out of the copy."),
        ({"objects": ObjectRules(whole=())}, "", "a slip or a sheet is covered whole"),
        ({"objects": ObjectRules(ask=False)}, "", "Perhaps writing on skin or cloth"),
        ({"detectors": DetectorRules(also=("one", "two"))}, "Also looked for by: one, two.", ""),
        ({"faces": FaceRules(small=True)}, "Small bystanders: looked for", ""),
        ({"faces": FaceRules(sure=0.9)}, "covered from a likelihood of 0.9 (0.83 is usual)", ""),
        ({"faces": FaceRules(possible=0.4)}, "shown to the person who looks from 0.4 (0.46)", ""),
        ({"faces": FaceRules(close_up="cover")}, "covered like any other", "A photo that a face fills is held."),
        ({"covers": CoverRules(colour="#102030")}, "one solid colour (#102030)", "lighter where black"),
        ({"covers": CoverRules(hold_share=0.9)}, "more than 90 % of the picture", "more than 35 % of the picture"),
        ({"covers": CoverRules(heif="jpeg")}, "JPEG of quality 98.", "PNG with exactly their pixels."),
        ({"verify": VerifyRules(rounds=3)}, "up to 3 times", "up to 2 times"),
        ({"verify": VerifyRules(second_reader="required")}, "reader: needed.", "used when it is installed."),
        ({"engines": EngineRules(loaded_before="refuse")}, "usage reports on: refused.", ""),
    ],
)  # fmt: skip
def test_what_a_policy_does_otherwise_than_usual_is_said(changed: dict[str, Any], said: str, usual: str) -> None:
    plain, own = (" ".join(" ".join(explain(p)).split()) for p in (Policy(), Policy(**changed)))
    for words, here, there in ((said, own, plain), (usual, plain, own)):
        assert not words or (words in here and words not in there)
    unchecked = explain(Policy(scope="metadata-only", **changed))
    assert len(unchecked) == 3
    assert unchecked[-1] == "Text, codes and faces: not checked."


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Policy.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [('[text]\nkeep = ["ruler", "name"]', "`text.keep` cannot keep `name`"), ("[codes]\nmargn = 0.1", "margn"),
     ('[objects]\nwhole = ["slip", "sheets"]', "`objects.whole` can name slip, sheet, screen, packet"),
     ("[codes", "not valid"), ('scope = "some"', "scope"), ('schema = "medimg.policy/2"', "schema")],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        Policy.load(path)


NUMBERS = (
    "text.margin", "codes.margin", "faces.margin", "faces.sure", "faces.possible", "faces.hold_share", "objects.margin",
    "objects.largest", "covers.hold_share", "verify.rounds", "limits.bytes", "limits.pixels", "limits.frames",
    "limits.seconds", "limits.max_side",
)  # fmt: skip


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "-0.5", "1e300", "9223372036854775807", "9" * 40])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_negative_or_absurd_is_refused_by_its_name(tmp_path: Path, name: str, value: str) -> None:
    section, _, setting = name.partition(".")
    path = tmp_path / "policy.toml"
    path.write_text(f"[{section}]\n{setting} = {value}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=setting) as caught:
        Policy.load(path)
    assert value not in str(caught.value)
    with pytest.raises(ValueError, match=setting):
        type(getattr(Policy(), section))(**{setting: float(value)})


def test_every_number_of_a_policy_is_bounded() -> None:
    numbers = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Policy)
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct)
        for field in msgspec.structs.fields(section.type)
        if {int, float} & {field.type, *getattr(field.type, "__args__", ())}
    }
    assert numbers == set(NUMBERS)


def records(kind: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """The records a record is made of."""
    found = {kind}
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= records(field.type)
    return found


@pytest.mark.parametrize("kind", sorted(records(Policy), key=lambda k: k.__name__))
def test_a_setting_that_nobody_knows_is_refused_and_none_is_changed_later(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no_such_setting": 1}, kind)
    name = msgspec.structs.fields(kind)[0].name
    with pytest.raises(AttributeError):
        setattr(kind(), name, None)
    with pytest.raises(TypeError):
        kind(getattr(kind(), name))
