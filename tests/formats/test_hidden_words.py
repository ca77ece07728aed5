"""Sixty characters in every place of a HEIC or AVIF that no picture needs: no copy has them, the judge sees them."""

from __future__ import annotations

import struct
from collections.abc import Callable

import hevc_kit
import numpy as np
import pytest
from heif_kit import HVCC, NAME, SMOOTH, TILE, X265, Item, av1, box, heif, ispe
from hevc_kit import Field
from PIL import Image

from medimg import audit
from medimg.api import Scrubber
from medimg.policy import Policy

SENTENCE = b"Mrs Marama Ngata, NHI ZAC5361, ward 4, seen on 4 Nov 1987 ok"
LIGHT = Scrubber(Policy(scope="metadata-only"))


def bits(data: bytes) -> str:
    return f"{int.from_bytes(b'x' + data):b}"[7:]


def holds(data: bytes, words: bytes = SENTENCE, of: int = 0) -> bool:
    """Whether a file has the words, or any piece of ``of`` bytes of them, from any bit on."""
    size = of or len(words)
    return any(bits(words[at : at + size]) in bits(data) for at in range(0, len(words), size))


def one(record: bytes, payload: bytes = SMOOTH, *more: bytes) -> bytes:
    return heif(b"heic", [(b"hvc1", payload, [box(b"hvcC", record), ispe(TILE, TILE), *more])])


def length(unit: bytes) -> bytes:
    return struct.pack(">I", len(unit)) + unit


SETS = {
    "video": hevc_kit.unit(32, hevc_kit.video()),
    "sequence": hevc_kit.unit(33, hevc_kit.sequence()),
    "picture": hevc_kit.unit(34, hevc_kit.picture()),
}


def sets(*more: bytes, **others: bytes) -> bytes:
    """The record of the parameter sets, some of them other ones, and of more units, each behind its kind's."""
    units = [*{**SETS, **others}.values(), *more]
    return hevc_kit.record(*sorted(units, key=lambda unit: unit[0] >> 1))


def flagged(fields: list[Field], name: str, *behind: Field) -> list[Field]:
    """Fields of which one is 1, and others stand behind it."""
    at = [field.name for field in fields].index(name)
    return [*fields[:at], fields[at]._replace(value=1), *behind, *fields[at + 1 :]]


def words_as_bits() -> list[Field]:
    return [Field("words", 8, byte) for byte in SENTENCE]


def words_as_list() -> list[Field]:
    """A list of factors of 8 x 8 that reads as the words: each number as its difference from the one before."""
    out, last = [Field("written", 1, 0), Field("like", 0, 0)] * 6 + [Field("written", 1, 1)], 8
    for byte in SENTENCE + b"    ":
        step, last = byte - last, byte
        out.append(Field("step", 0, 2 * step - 1 if step > 0 else -2 * step))
    rest = sum(6 if size < 3 else 2 for size in range(1, 4)) - 1
    return [Field("lists", 1, 1), *out, *[Field("written", 1, 0), Field("like", 0, 0)] * rest]


def head_of_slice() -> bytes:
    """The smooth picture with bytes in the head of its slice (ITU-T H.265, 7.3.6.1), twelve bits behind its start."""
    unit = SMOOTH[4:]
    plain = bits(unit[2:4])
    text = plain[:12] + hevc_kit.written([Field("bytes", 0, len(SENTENCE)), *words_as_bits()])
    head = hevc_kit.ended(text)
    body = unit[4:].replace(b"\0\0\3", b"\0\0")
    return length(unit[:2] + hevc_kit.escaped(head + body))


TICKS = Field("tick", 32, 1), Field("scale", 32, 25), Field("order", 1, 0), Field("buffers", 1, 0)
SHAPE = Field("extended", 8, 255), Field("width", 16, 0x4D72), Field("height", 16, 0x7320)
TIMED = flagged(flagged(hevc_kit.SHOWN, "timing", *TICKS), "shape of pixels", *SHAPE)


def set_to(fields: list[Field], name: str, value: int) -> list[Field]:
    return [field._replace(value=value) if field.name == name else field for field in fields]


def tiles(properties: Callable[[int], list[bytes]], records: Callable[[int], bytes] = lambda _: HVCC) -> bytes:
    """Fifteen tiles in a row, each with properties and a configuration of its own."""
    many = len(SENTENCE) // 4
    items: list[Item] = [
        (b"grid", struct.pack(">4B2H", 0, 0, 0, many - 1, many * TILE, TILE), [ispe(many * TILE, TILE)])
    ]
    items += [(b"hvc1", SMOOTH, [box(b"hvcC", records(n)), ispe(TILE, TILE), *properties(n)]) for n in range(many)]
    return heif(b"heic", items, list(range(2, many + 2)))


def piece(n: int) -> bytes:
    return SENTENCE[4 * n : 4 * n + 4]


def record_with(n: int) -> bytes:
    """Four bytes in the head of a record: least length of a segment, a rate of frames, and how fast they come."""
    return HVCC[:13] + piece(n)[:2] + HVCC[15:19] + piece(n)[2:] + HVCC[21:]


SEQUENCE, PICTURE, VIDEO = hevc_kit.sequence(), hevc_kit.picture(), hevc_kit.video()
EXTENDED = Field("which", 8, 1), *words_as_bits()


def shape(n: int) -> bytes:
    """The shape of a pixel, in two small numbers that are four bytes of the words."""
    return box(b"pasp", b"\0\0" + piece(n)[:2] + b"\0\0" + piece(n)[2:])


HEIC = {
    "behind the video set": one(sets(video=hevc_kit.unit(32, VIDEO, SENTENCE))),
    "behind the sequence set": one(sets(sequence=hevc_kit.unit(33, SEQUENCE, SENTENCE))),
    "behind the picture set": one(sets(picture=hevc_kit.unit(34, PICTURE, SENTENCE))),
    "a video set that is none": one(sets(b"\x40\1" + SENTENCE)),
    "a sequence that is not used": one(sets(hevc_kit.unit(33, set_to(SEQUENCE, "number", 5), SENTENCE))),
    "a picture that is not used": one(sets(hevc_kit.unit(34, hevc_kit.picture(7), SENTENCE))),
    "a set among the slices": one(HVCC, length(hevc_kit.unit(34, hevc_kit.picture(7), SENTENCE)) + SMOOTH),
    "supplemental information": one(sets(b"\x4e\1" + SENTENCE)),
    "units of another layer": one(HVCC, SMOOTH + length(b"\x28\x09" + SENTENCE)),
    "behind the lists": one(HVCC + SENTENCE),
    "extension of the video set": one(sets(video=hevc_kit.unit(32, flagged(VIDEO, "extension", *words_as_bits())))),
    "extension of the sequence": one(sets(sequence=hevc_kit.unit(33, flagged(SEQUENCE, "extension", *EXTENDED)))),
    "extension of the picture": one(sets(picture=hevc_kit.unit(34, flagged(PICTURE, "extension", *EXTENDED)))),
    "a list of factors": one(sets(sequence=hevc_kit.unit(33, flagged(SEQUENCE, "factors", *words_as_list())))),
    "the head of a slice": one(sets(picture=hevc_kit.unit(34, set_to(PICTURE, "heads of slices", 1))), head_of_slice()),
}
SPREAD = {
    "the heads of records": tiles(lambda _: [], record_with),
    "shapes of the pixels of tiles": tiles(lambda n: [shape(n)]),
    "colours of one picture": one(
        HVCC, SMOOTH, *(box(b"colr", b"nclx\0" + SENTENCE[k : k + 1] + b"\0\1\0\1\x80") for k in range(60))
    ),
    "pictures turned again and again": heif(
        b"heic",
        [
            *((b"iden", b"", [ispe(TILE, TILE), shape(n)]) for n in range(15)),
            (b"hvc1", SMOOTH, [box(b"hvcC", HVCC), ispe(TILE, TILE)]),
        ],
        {n: [n + 1] for n in range(1, 16)},
    ),
}
AS_PNG = {"extension of the sequence", "a list of factors", "the head of a slice"}
"""What cannot be left out without touching how the rest is read."""


def test_the_sentence_is_sixty_characters() -> None:
    assert len(SENTENCE) == 60
    assert holds(b"\1" + SENTENCE)
    assert holds(int.to_bytes(int.from_bytes(SENTENCE) << 3, 61))
    assert not holds(SENTENCE[:-1])


@pytest.mark.parametrize("name", HEIC)
def test_words_in_the_heads_of_a_heic_are_in_no_copy(name: str) -> None:
    pytest.importorskip("pi_heif")
    data = HEIC[name]
    assert holds(data) or name == "a list of factors"  # there they are differences
    done = LIGHT.scrub(data)
    if name == "extension of the picture":  # which libde265 does not read either
        assert done.data is None
        return
    assert done.report.copy is not None, done.report.reason
    assert not holds(done.data or b"")
    assert (done.data or b"")[:4] == b"\x89PNG" if name in AS_PNG else done.data == one(HVCC)
    assert {c.name: c.state for c in LIGHT.verify(data)}["structure"] == "failed"


@pytest.mark.parametrize("name", SPREAD)
def test_words_in_pieces_are_in_no_copy(name: str) -> None:
    pytest.importorskip("pi_heif")
    data = SPREAD[name]
    done = LIGHT.scrub(data)
    assert done.report.copy is not None, done.report.reason
    if name == "the heads of records":
        assert done.data == tiles(lambda _: [])
    else:
        assert (done.data or b"")[:4] == b"\x89PNG"
    assert audit.walk(data, "heif") != []


def test_what_a_player_of_videos_is_told_is_left_out() -> None:
    record = sets(sequence=hevc_kit.unit(33, hevc_kit.sequence(shown=TIMED)))
    assert holds(record, b"Mrs ")
    for data in (one(record), one(X265)):
        assert LIGHT.scrub(data).data == one(HVCC)


@pytest.mark.parametrize("payload", [SMOOTH, NAME])
def test_a_heic_shows_the_same_when_its_heads_are_written_again(payload: bytes) -> None:
    heic = pytest.importorskip("pi_heif")

    def pixels(data: bytes) -> np.ndarray:
        opened = heic.open_heif(data)
        return np.asarray(opened[0]).copy()

    copy = LIGHT.scrub(one(X265, payload)).data or b""
    assert np.array_equal(pixels(copy), pixels(one(X265, payload)))


# -- AVIF -------------------------------------------------------------------------------------------------------------

PAYLOAD, CONFIG = av1(Image.new("RGB", (128, 128), (200, 160, 140)))
FIRST = 2 + PAYLOAD[1]
"""Where the sequence header ends, which is the first unit."""


def unit(kind: int, content: bytes) -> bytes:
    return bytes((kind << 3 | 2, len(content))) + content


def avif(payload: bytes = PAYLOAD, *more: bytes, config: bytes = CONFIG[8:]) -> bytes:
    return heif(b"avif", [(b"av01", payload, [box(b"av1C", config), ispe(128, 128), *more])])


HEADER = PAYLOAD[2:FIRST]
AVIF = {
    "behind the sequence header": avif(unit(1, HEADER + SENTENCE) + PAYLOAD[FIRST:]),
    "behind that of the configuration": avif(config=CONFIG[8:] + unit(1, HEADER + SENTENCE)),
    "a header in the configuration": avif(config=CONFIG[8:] + unit(1, SENTENCE)),
    "padding in the configuration": avif(config=CONFIG[8:] + unit(15, SENTENCE)),
    "padding": avif(PAYLOAD + unit(15, SENTENCE)),
    "metadata": avif(PAYLOAD[:FIRST] + unit(5, b"\4\xb5" + SENTENCE) + PAYLOAD[FIRST:]),
    "a unit of a reserved kind": avif(PAYLOAD + unit(9, SENTENCE)),
}


@pytest.mark.parametrize("name", AVIF)
def test_words_in_the_heads_of_an_avif_are_in_no_copy(name: str) -> None:
    assert holds(AVIF[name])
    done = LIGHT.scrub(AVIF[name])
    assert done.data == LIGHT.scrub(avif()).data
    assert not holds(done.data or b"")
    assert audit.walk(AVIF[name], "heif") != []


def test_a_frame_header_with_much_behind_it_is_not_copied() -> None:
    frame = unit(3, b"\x10\0\0\0\x80" + SENTENCE) + unit(4, b"\0")
    data = avif(PAYLOAD[:FIRST] + frame)
    assert LIGHT.scrub(data).data is None  # it decodes to nothing; what does becomes a PNG
    assert "mdat/head of a picture" in audit.walk(data, "heif")


def test_a_picture_of_several_layers_is_not_copied_as_it_is() -> None:
    """Operating points have room for words: twelve bits and more each, thirty-two of them."""
    points = "".join(f"{byte:08b}" for byte in SENTENCE[:32])
    head = "000" + "1" + "0" + "0" + "0" + "01111"
    head += "".join(f"{points[k : k + 12]:0<12}" + "00000" for k in range(0, 16 * 12, 12))
    data = avif(unit(1, hevc_kit.ended(head + "0110" + "0110" + "1111111" * 2 + "0" * 40)) + PAYLOAD[FIRST:])
    done = LIGHT.scrub(data)
    assert done.data is None or done.data[:4] == b"\x89PNG"
    assert audit.walk(data, "heif") != []
