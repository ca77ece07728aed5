"""DICOM that lies: a clear refusal in bounded time and memory, or a copy that holds the picture and nothing else."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import dicom_kit as kit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medimg import audit, formats, verify
from medimg.errors import Malformed, MedimgError, NotAPicture, TooLarge, Unsupported
from medimg.formats import Statement
from medimg.pipeline import MemorySink, scrub
from medimg.policy import Policy
from medimg.types import Limits

LIMITS = Limits()
BARE = Policy(scope="metadata-only")
PLAIN = kit.saved(kit.dataset(named=False))
NAMED = kit.saved(kit.dataset())
JPEG = kit.photograph()
PIXELS = struct.pack("<HH2s", 0x7FE0, 0x10, b"OB")
UNDEFINED = 0xFFFFFFFF


def opened(data: bytes, limits: Limits = LIMITS) -> Any:
    return formats.open_photo(data, limits)


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    return head + (struct.pack("<HI", 0, size) if long else struct.pack("<H", size)) + value


def with_before_pixels(extra: bytes, data: bytes = PLAIN) -> bytes:
    at = data.rindex(PIXELS)
    return data[:at] + extra + data[at:]


def nested(depth: int, *, defined: bool) -> bytes:
    """Sequences inside each other."""
    inner = b""
    for _ in range(depth):
        if defined:
            item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
            inner = element(0x00409999 if inner else 0x0040A730, b"SQ", item)
        else:
            item = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + inner + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            inner = element(0x0040A730, b"SQ", item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), UNDEFINED)
    return inner


def number(data: bytes, tag: int, value: int) -> bytes:
    """The file with another US value."""
    head = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"US", 2)
    at = data.index(head) + len(head)
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]


CASES: dict[str, bytes] = {
    "nothing but the mark": bytes(128) + b"DICM",
    "zero bytes behind the mark": bytes(128) + b"DICM" + bytes(400),
    "a length of 4 GB": with_before_pixels(element(0x00400555, b"UN", b"", 0xFFFFFFF0)),
    "pixel data of 4 GB": PLAIN[: PLAIN.rindex(PIXELS)] + element(0x7FE00010, b"OW", b"\0\0", 0xFFFFFFFE),
    "pixel data that end early": PLAIN[:-100],
    "pixel data that go on": PLAIN + b"AB",
    "a ZIP behind the pixel data": PLAIN + b"PK\x03\x04" + bytes(40),
    "an element twice": with_before_pixels(element(0x00280010, b"US", b"\1\0")),
    "elements out of order": with_before_pixels(element(0x00100010, b"PN", b"A^B ")),
    "an unknown kind of element": with_before_pixels(element(0x00409999, b"ZZ", b"AB")),
    "sequences 1,000 deep": with_before_pixels(nested(1000, defined=False)),
    "sequences 1,000 deep, with lengths": with_before_pixels(nested(1000, defined=True)),
    "a sequence without an end": with_before_pixels(element(0x0040A730, b"SQ", b"", UNDEFINED)),
    "an item without an end": with_before_pixels(
        element(0x0040A730, b"SQ", struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED), UNDEFINED)
    ),
    "text without a length": with_before_pixels(element(0x00409999, b"UT", b"AB", UNDEFINED)),
    "an end mark without a beginning": with_before_pixels(struct.pack("<HHI", 0xFFFE, 0xE00D, 0)),
    "no rows": number(PLAIN, 0x00280010, 0),
    "more rows than pixels": number(PLAIN, 0x00280010, 65535),
    "four samples a pixel": number(PLAIN, 0x00280002, 4),
    "32 bits": number(PLAIN, 0x00280100, 32),
    "more bits than there are": number(PLAIN, 0x00280101, 12),
    "bits elsewhere": number(PLAIN, 0x00280102, 3),
    "signed": number(PLAIN, 0x00280103, 1),
    "colours in an unknown order": number(PLAIN, 0x00280006, 7),
    "a header longer than it says": PLAIN[:140] + struct.pack("<I", 4) + PLAIN[144:],
    "a coded picture of another size": number(JPEG, 0x00280011, 48),
    "a coded picture cut short": JPEG[: len(JPEG) // 2],
    "plain data called JPEG": PLAIN.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.4.50"[:20]),
    "JPEG called plain": JPEG.replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.1\0\0\0"),
}


@pytest.mark.parametrize("data", CASES.values(), ids=CASES.keys())
def test_it_is_refused_in_bounded_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        report = scrub(data, MemorySink(), [], BARE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.state == "refused", report.reason
    assert "DICOM" in report.reason
    assert peak < 20_000_000


def test_names_of_other_things_do_not_decide() -> None:
    assert opened(JPEG).name == "dicom"
    png = kit.io.BytesIO()
    kit.Image.fromarray(kit.picture()).save(png, "PNG")
    assert opened(png.getvalue()).name == "png"
    with pytest.raises(NotAPicture):
        opened(b"\1" * 128 + b"DICX" + bytes(300))


def test_a_file_that_is_a_tiff_as_well_gets_an_empty_preamble() -> None:
    both = b"II*\0" + struct.pack("<I", 0x100) + bytes(120) + NAMED[128:]
    copy = opened(both).write().data
    assert copy[:132] == bytes(128) + b"DICM"


def test_elements_behind_the_pixel_data_go() -> None:
    photo = opened(PLAIN + element(0x7FE10010, b"OB", b"MARK") + element(0xFFFCFFFC, b"OB", bytes(40)))
    assert "private-element" in {f.category for f in photo.metadata()}
    photo.state(Statement(key=b"k"))
    bare = opened(PLAIN)
    bare.state(Statement(key=b"k"))
    assert photo.write().data == bare.write().data


def test_limits_hold_before_anything_is_decoded() -> None:
    with pytest.raises(TooLarge):
        opened(JPEG, Limits(pixels=1000))
    with pytest.raises(TooLarge):
        opened(kit.saved(kit.dataset(kit.picture(1), of=kit.BYTES, frames=3)), Limits(frames=2))


def test_a_deflated_bomb_is_stopped() -> None:
    head = kit.saved(kit.dataset(named=False, syntax="1.2.840.10008.1.2.1.99"))
    start = 144 + int.from_bytes(head[140:144], "little")
    bomb = zlib.compressobj(9, wbits=-15)
    packed = bomb.compress(bytes(64 << 20)) + bomb.flush()
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="unpacks"):
            opened(head[:start] + packed, Limits(bytes=1 << 20))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(Malformed, match="deflated"):
        opened(head[:-40])
    with pytest.raises(Malformed, match="deflated"):
        opened(head + b"PK\x03\x04" + bytes(20))


@pytest.mark.long
def test_too_many_elements_are_stopped() -> None:
    many = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, 8) + element(0x00100010, b"PN", b"") for _ in range(100_001))
    with pytest.raises(TooLarge, match="too many"):
        opened(with_before_pixels(element(0x0040A730, b"SQ", many)))


def test_run_length_data_that_lie() -> None:
    from pydicom.uid import RLELossless

    data = kit.dataset(kit.picture(1))
    data.compress(RLELossless, generate_instance_uid=False)
    good = kit.saved(data)
    at = good.index(struct.pack("<II", 1, 64))
    for place, value in ((0, 2), (0, 16), (0, 0), (4, 65), (4, 1 << 30), (8, 70)):
        bad = good[: at + place] + struct.pack("<I", value) + good[at + place + 4 :]
        with pytest.raises(Malformed, match="run-length"):
            opened(bad).samples()


def test_no_message_quotes_the_file() -> None:
    for data in (*CASES.values(), kit.saved(kit.dataset(of="1.2.3.4711"))):
        report = scrub(data, MemorySink(), [], BARE)
        assert kit.MARK not in report.reason
        assert "4711" not in report.reason


# -- whatever comes ---------------------------------------------------------------------------------------------------


def judged(data: bytes) -> None:
    """Refused with an error of ours, or a copy that both readers pass."""
    try:
        photo = opened(data, Limits(bytes=1 << 20, pixels=1 << 16, frames=8))
        if photo.name != "dicom":
            return
        photo.state(Statement(key=b"k", text=True, faces=True))
        photo.metadata()
        photo.values()
        samples = photo.samples()
        copy = photo.write()
    except MedimgError:
        return
    again = opened(copy.data)
    assert audit.walk(copy.data, "dicom") == []
    assert again.metadata() == []
    assert np.array_equal(again.samples(), samples)


@pytest.mark.parametrize("data", [NAMED, JPEG, kit.jpeg2000(kit.picture())], ids=["plain", "JPEG", "JPEG 2000"])
def test_flipped_bytes(data: bytes) -> None:
    rng = random.Random(10)
    header = data.rindex(struct.pack("<HH", 0x7FE0, 0x10)) + 200
    for _ in range(200):
        bad = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(128, header)] = rng.choice((0, 1, 255, 254, rng.randrange(256)))
        judged(bytes(bad))


@pytest.mark.parametrize("data", [NAMED, JPEG], ids=["plain", "JPEG"])
def test_truncated_anywhere(data: bytes) -> None:
    for end in range(0, len(data), 37):
        with pytest.raises(MedimgError):
            opened(data[:end]).samples()


@settings(max_examples=60)
@given(
    elements=st.dictionaries(
        st.sampled_from(
            [0x00081030, 0x00091001, 0x00104000, 0x00280A02, 0x00284000, 0x00321060, 0x00400275, 0x60000022]
        ),
        st.tuples(st.sampled_from([b"LO", b"UN", b"OB", b"PN", b"UT"]), st.binary(max_size=40).map(lambda b: b * 2)),
    )
)
def test_whatever_is_put_in_goes_and_the_copy_is_that_of_the_file_without_it(
    elements: dict[int, tuple[bytes, bytes]],
) -> None:
    data = inserted(PLAIN, elements)
    photo, bare = opened(data), opened(PLAIN)
    for one in (photo, bare):
        one.state(Statement(key=b"k"))
    assert photo.write().data == bare.write().data
    more = sum(f.count for f in photo.metadata()) - sum(f.count for f in bare.metadata())
    assert more == sum(bool(value.strip(b" \0")) for _, value in elements.values())


def inserted(data: bytes, elements: dict[int, tuple[bytes, bytes]]) -> bytes:
    """The file with more elements, each where its number belongs."""
    start = 144 + int.from_bytes(data[140:144], "little")
    out, at = data[:start], start
    rest = sorted(elements.items())
    while at < len(data):
        group, low, vr = struct.unpack_from("<HH2s", data, at)
        while rest and rest[0][0] < (group << 16 | low):
            tag, (kind, value) = rest.pop(0)
            out += element(tag, kind, value)
        long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
        size = struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0] + (12 if long else 8)
        out += data[at : at + size]
        at += size
    return out


# -- the judge --------------------------------------------------------------------------------------------------------


def copy_of(data: bytes = JPEG, **said: bool) -> bytes:
    photo = opened(data)
    photo.state(Statement(key=b"k", **said))
    return bytes(photo.write().data)


def put(tag: int, vr: bytes, value: bytes) -> Callable[[bytes], bytes]:
    return lambda data: inserted_anywhere(data, element(tag, vr, value), tag)


def inserted_anywhere(data: bytes, raw: bytes, tag: int) -> bytes:
    at = 144 + int.from_bytes(data[140:144], "little")
    while struct.unpack_from("<HH", data, at) < (tag >> 16, tag & 0xFFFF):
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT")
        at += struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0] + (12 if long else 8)
    return data[:at] + raw + data[at:]


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def done(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return done


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "a preamble": lambda d: b"II*\0" + d[4:],
    "a name": swap(element(0x00100010, b"PN", b""), element(0x00100010, b"PN", b"DOE^J ")),
    "a date": swap(element(0x00080020, b"DA", b""), element(0x00080020, b"DA", b"20240531")),
    "an institution": put(0x00080080, b"LO", b"HOSPITAL"),
    "a private element": put(0x00091001, b"LO", b"HIDDEN"),
    "an overlay": put(0x60003000, b"OW", b"HIDDEN"),
    "an old identifier": swap(b"\x0d\0UI", b"\x0d\0LO"),
    "a word where none of that kind is": swap(b"HAND", b"H4ND"),
    "a name for a part of the body": swap(b"HAND", b"JANE"),
    "a name for a modality": swap(element(0x00080060, b"CS", b"XC"), element(0x00080060, b"CS", b"JO")),
    "a flag without its option": put(0x00280301, b"CS", b"NO"),
    "an option without its flag": swap(b"113100", b"113101"),
    "something behind the end": lambda d: d + b"PK",
    "a comment in the coded picture": lambda d: d.replace(b"\xff\xdb", b"\xff\xfe\0\6MARK\xff\xdb", 1),
    "another frame behind the first": lambda d: d[:-8] + struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"MARK" + d[-8:],
    "a length that reaches beyond": lambda d: d[:-20],
    "an address in the file header": lambda d: (
        d[:140] + struct.pack("<I", int.from_bytes(d[140:144], "little") + 16)
        + d[144 : 144 + int.from_bytes(d[140:144], "little")] + element(0x00020016, b"AE", b"STATION1")
        + d[144 + int.from_bytes(d[140:144], "little") :]
    ),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_the_independent_reader_sees_what_is_not_allowed(spoil: Callable[[bytes], bytes]) -> None:
    good = copy_of()
    assert audit.walk(good, "dicom") == []
    states = {c.name: c.state for c in verify.container(spoil(good), "dicom", BARE)}
    assert states["structure"] != "passed"


def test_every_option_passes_the_judge() -> None:
    for text in (False, True):
        for faces in (False, True):
            assert audit.walk(copy_of(text=text, faces=faces), "dicom") == []


def test_a_damaged_coded_picture_is_never_looked_at() -> None:
    at = JPEG.rindex(b"\xff\xda") + 60
    with pytest.raises(MedimgError):
        opened(JPEG[:at] + b"\xff\x00\xff\xd9" * 3 + JPEG[at + 12 :]).samples()


def test_jpeg_2000_of_another_kind_is_refused() -> None:
    good = kit.jpeg2000(kit.picture())
    at = good.index(b"\xff\x4f\xff\x51")
    bad = good[: at + 42] + b"\x87" + good[at + 43 :]  # signed samples
    with pytest.raises(Unsupported, match="JPEG 2000"):
        opened(bad).samples()
    with pytest.raises(Malformed, match="size"):
        opened(good[: at + 8] + struct.pack(">I", 4000) + good[at + 12 :]).samples()
