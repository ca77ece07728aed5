"""Elements of a DICOM copy, one at a time: each may hold what its form allows, and the pixel data what they say."""

from __future__ import annotations

import contextlib
import struct

import dicom_kit
import numpy as np
import pytest

from medimg import audit, formats
from medimg.errors import Malformed
from medimg.types import Limits

Element = tuple[int, bytes, bytes]
"""Tag, value representation, value."""
LENGTHY = (b"OB", b"OW", b"SQ")
PIXELS = 0x7FE00010


def copy_of(data: bytes) -> bytes:
    return formats.open_photo(data, Limits()).write().data


def elements(data: bytes) -> list[Element]:
    """Everything behind the preamble up to the pixel data."""
    at = 132
    out: list[Element] = []
    while True:
        group, number, kind, length = struct.unpack_from("<HH2sH", data, at)
        tag, at = group << 16 | number, at + 8
        if kind in LENGTHY:
            (length,) = struct.unpack_from("<I", data, at)
            at += 4
        if length == 0xFFFFFFFF:
            return [*out, (tag, kind, data[at:])]
        out.append((tag, kind, data[at : at + length]))
        at += length
        if tag == PIXELS:
            return out


def element(tag: int, kind: bytes, value: bytes, *, reserved: int = 0) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, kind)
    if kind in LENGTHY:
        coded = tag == PIXELS and value[:4] == b"\xfe\xff\0\xe0"  # PS3.5, A.4: of a length that is not said
        return head + struct.pack("<HI", reserved, 0xFFFFFFFF if coded else len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def joined(found: list[Element], behind: bytes = b"") -> bytes:
    """A file of elements; the length of the file header is set."""
    meta = b"".join(element(*e) for e in found if e[0] >> 16 == 2 and e[0] != 0x00020000)
    rest = b"".join(element(*e) for e in found if e[0] >> 16 != 2)
    return bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", len(meta))) + meta + rest + behind


COPY = elements(copy_of(dicom_kit.saved(dicom_kit.dataset())))
DEEP = elements(copy_of(dicom_kit.saved(dicom_kit.dataset(
    dicom_kit.picture(1, 12), stored=12, of=dicom_kit.CAPTURE))))  # fmt: skip
JPEG = elements(copy_of(dicom_kit.photograph()))


def with_element(tag: int, kind: bytes, value: bytes, of: list[Element] = COPY) -> list[Element]:
    return sorted([*(e for e in of if e[0] != tag), (tag, kind, value)])


def without(tag: int, of: list[Element] = COPY) -> list[Element]:
    return [e for e in of if e[0] != tag]


def strays(found: list[Element], behind: bytes = b"") -> list[str]:
    return audit.walk(joined(found, behind), "dicom")


def damaged(data: bytes) -> bool:
    with pytest.raises(Malformed):
        audit.walk(data, "dicom")
    return True


def test_a_copy_has_nothing_besides() -> None:
    assert strays(COPY) == strays(DEEP) == strays(JPEG) == []


ALLOWED: list[Element] = [
    (0x00080008, b"CS", b"DERIVED\\SECONDARY "), (0x00080020, b"DA", b""), (0x00080030, b"TM", b""),
    (0x00080050, b"SH", b""), (0x00080060, b"CS", b"US"), (0x00080064, b"CS", b"WSD "), (0x00080070, b"LO", b""),
    (0x00080090, b"PN", b""), (0x00100010, b"PN", b""), (0x00100020, b"LO", b""), (0x00100030, b"DA", b""),
    (0x00100040, b"CS", b""), (0x00120062, b"CS", b"YES "), (0x00120063, b"LO", b"medimg"),
    (0x00180015, b"CS", b"HAND"), (0x0020000D, b"UI", b"2.25.7\0"[:6]), (0x0020000E, b"UI", b"2.25.12\0"),
    (0x00200010, b"SH", b""), (0x00200011, b"IS", b"2 "), (0x00200013, b"IS", b"1234"),
    (0x00200020, b"CS", b"L\\F "), (0x00200060, b"CS", b"L "), (0x00200062, b"CS", b"B "),
    (0x00280004, b"CS", b"RGB "), (0x00280008, b"IS", b"1 "), (0x00280034, b"IS", b"1\\1 "),
    (0x00280303, b"CS", b"REMOVED "), (0x00281050, b"DS", b"300 "), (0x00281051, b"DS", b"64.5"),
    (0x00281052, b"DS", b"0 "), (0x00281053, b"DS", b"1 "), (0x00281054, b"LO", b"US"), (0x00282110, b"CS", b"01"),
    (0x00282112, b"DS", b"12.5"), (0x00282114, b"CS", b"ISO_10918_1 "), (0x00400555, b"SQ", b""),
    (0x20500020, b"CS", b"IDENTITY"),
]  # fmt: skip


@pytest.mark.parametrize("one", ALLOWED, ids=lambda e: f"{e[0]:08X}")
def test_an_element_has_its_form_and_stands_once(one: Element) -> None:
    tag, kind, value = one
    name = f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
    assert strays(with_element(*one)) == []
    for wrong in (b"BANKS^M ", value + b"Banks "[: 6 - len(value) % 2]):
        assert strays(with_element(tag, kind, wrong)) == [name]
    assert strays(with_element(tag, b"UT" if kind == b"SQ" else b"UN", value)) == [name]
    assert strays(sorted([*with_element(*one), one])) == ["order"]
    for near in (tag - 1, tag + 1):
        if near not in {e[0] for e in (*ALLOWED, *COPY)} and near not in (0x00280301, 0x00280302):
            assert strays(with_element(near, kind, value)) == ["element"]


@pytest.mark.parametrize(
    ("tag", "good", "wrong"),
    [
        (0x00080060, [b"XC", b"ECG ", b"IVOCT "], [b"QQ", b"BANKS "]),
        (0x00080064, [b"DI", b"SYN ", b"DV"], [b"QQ", b"DOE "]),
        (0x00180015, [b"HAND", b"WHOLEBODY ", b"EYE "], [b"DOE ", b"BANK"]),
    ],
)  # fmt: skip
def test_a_word_is_one_of_the_standard(tag: int, good: list[bytes], wrong: list[bytes]) -> None:
    """PS3.3, C.7.3.1.1.1 and C.8.6.1; PS3.16, Annex L."""
    for value in good:
        assert strays(with_element(tag, b"CS", value)) == []
    for value in wrong:
        assert strays(with_element(tag, b"CS", value)) == [f"{tag >> 16:04X},{tag & 0xFFFF:04X}"]


def test_elements_stand_in_their_order() -> None:
    names = [e[0] for e in COPY]
    a, b = names.index(0x00080020), names.index(0x00080030)
    turned = list(COPY)
    turned[a], turned[b] = COPY[b], COPY[a]
    assert strays(turned) == ["order"]
    assert "order" in strays([*COPY[:-1], (0x00080001, b"CS", b"YES "), COPY[-1]])


@pytest.mark.parametrize("tag", [e[0] for e in COPY if e[0] >> 16 == 2])
def test_the_file_header_has_all_it_has_to_have_and_no_more(tag: int) -> None:
    if tag == 0x00020000:
        return
    assert "file meta" in strays(without(tag))
    value = next(e[2] for e in COPY if e[0] == tag)
    assert "element" in strays(with_element(tag, b"UN", value))
    assert "element" in strays(with_element(0x00020016, b"AE", b"BANKS "))
    assert strays([*COPY[:1], (0x00020001, b"OB", b"\0\2"), *COPY[2:]]) == ["element"]


def test_the_file_header_names_the_picture_that_follows() -> None:
    for tag in (0x00080016, 0x00080018, 0x00020002, 0x00020003):
        value = b"2.25.7" if tag & 0xFF in (0x18, 3) else b"1.2.840.10008.5.1.4.1.1.77.1.2"
        assert strays(with_element(tag, b"UI", value)) == ["file meta/names"]


def test_a_file_begins_with_an_empty_preamble_and_the_length_of_its_header() -> None:
    whole = joined(COPY)
    assert (
        audit.walk(b"\1" + whole[1:], "dicom") == audit.walk(whole[:127] + b"\1" + whole[128:], "dicom") == ["preamble"]
    )
    assert damaged(whole[:128] + b"DICN" + whole[132:])
    for wrong in (whole[:136] + b"US" + whole[138:], whole[:132] + b"\2\0\1\0" + whole[136:]):
        assert damaged(wrong)
    length = int.from_bytes(whole[140:144], "little")
    for more in (-2, 8, 1000):
        data = whole[:140] + (length + more).to_bytes(4, "little") + whole[144:]
        assert "file meta" in audit.walk(data, "dicom")


def test_a_value_is_of_an_even_length_and_all_there() -> None:
    assert damaged(joined(with_element(0x00080060, b"CS", b"XCA")))
    codes = next(e for e in COPY if e[0] == 0x00120064)
    bare = joined(without(0x00120064))
    at = bare.index(struct.pack("<HH", 0x0018, 0x0015))
    assert audit.walk(bare[:at] + element(*codes) + bare[at:], "dicom") == []
    assert damaged(bare[:at] + element(*codes, reserved=1) + bare[at:])
    assert damaged(bare[:at] + element(*codes)[:-2])


# -- how it was made --------------------------------------------------------------------------------------------------

BASIC = (b"113100", b"Basic Application Confidentiality Profile ")
TEXT, FACES = (b"113101", b"Clean Pixel Data Option "), (b"113102", b"Clean Recognizable Visual Features Option ")


def item(code: bytes, meaning: bytes, scheme: bytes = b"DCM ", *, tag: int = 0xE000) -> bytes:
    body = element(0x00080100, b"SH", code) + element(0x00080102, b"SH", scheme) + element(0x00080104, b"LO", meaning)
    return struct.pack("<HHI", 0xFFFE, tag, len(body)) + body


def method(*items: bytes, flags: tuple[int, ...] = ()) -> list[str]:
    found = with_element(0x00120064, b"SQ", b"".join(items), [e for e in COPY if e[0] not in (0x00280301, 0x00280302)])
    return strays(sorted([*found, *((tag, b"CS", b"NO") for tag in flags)]))


def test_a_flag_stands_there_exactly_when_its_option_was_carried_out() -> None:
    basic, text, faces = item(*BASIC), item(*TEXT), item(*FACES)
    assert method(basic) == method(basic, text, flags=(0x00280301,)) == method(basic, faces, flags=(0x00280302,)) == []
    assert method(basic, text, faces, flags=(0x00280301, 0x00280302)) == []
    assert method(basic, text) == method(basic, flags=(0x00280301,)) == ["method/text"]
    assert method(basic, faces) == method(basic, flags=(0x00280302,)) == ["method/faces"]
    assert method(basic, text, flags=(0x00280302,)) == ["method/text", "method/faces"]


@pytest.mark.parametrize(
    "wrong",
    [
        item(BASIC[0], TEXT[1]), item(TEXT[0], BASIC[1]), item(*BASIC, b"99MB"), item(b"113107", b"Banks "),
        item(*BASIC, tag=0xE00D), item(*BASIC) + b"Banks ", item(*BASIC).replace(b"\0\1SH", b"\0\1LO"),
        item(*BASIC).replace(b"\2\1SH", b"\2\1LO"), item(*BASIC).replace(b"\4\1LO", b"\4\1SH"),
        item(*BASIC).replace(b"\x08\0\4\1", b"\x08\0\5\1"), item(*BASIC).replace(b"\x08\0\0\1", b"\x08\0\1\1"),
        item(*BASIC).replace(b"\x08\0\2\1", b"\x08\0\3\1"),
    ],
)  # fmt: skip
def test_the_method_is_named_by_codes_of_the_standard_alone(wrong: bytes) -> None:
    """PS3.16, CID 7050."""
    found = with_element(0x00120064, b"SQ", wrong)
    try:
        said = strays(found)
    except Malformed:
        return
    assert "0012,0064" in said


@pytest.mark.parametrize("tag", [0x00120062, 0x00120063, 0x00120064, 0x00280303])
def test_a_copy_says_that_and_how_it_was_made(tag: int) -> None:
    assert "method" in strays(without(tag))


# -- pixel data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", [0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101, 0x00280102])
@pytest.mark.parametrize("of", [COPY, DEEP, JPEG], ids=["8 bits", "12 bits", "JPEG"])
def test_pixel_data_are_of_the_size_that_the_header_says(tag: int, of: list[Element]) -> None:
    assert "pixel data" in strays(without(tag, of))
    value = int.from_bytes(next(e[2] for e in of if e[0] == tag), "little")
    for wrong in (0, value - 1, value + 1, value + 256):
        assert strays(with_element(tag, b"US", struct.pack("<H", wrong), of)) != [], wrong


def test_samples_are_bytes_or_words_and_all_there() -> None:
    for of, kind, other in ((COPY, b"OB", b"OW"), (DEEP, b"OW", b"OB")):
        value = of[-1][2]
        assert of[-1][1] == kind
        assert strays(with_element(PIXELS, other, value, of)) == ["pixel data"]
        for wrong in (value + b"\0\0", value[:-2], b""):
            assert strays(with_element(PIXELS, kind, wrong, of)) == ["pixel data"]
        assert strays(of, b"\0\0") == strays(of, b"Banks") == ["after the pixel data"]


def test_a_byte_that_makes_the_length_even_is_zero() -> None:
    odd = with_element(0x00280010, b"US", b"\3\0", with_element(0x00280011, b"US", b"\3\0"))
    for last, found in ((b"\0", []), (b"\1", ["pixel data"])):
        assert strays(with_element(PIXELS, b"OB", b"\7" * 27 + last, odd)) == found
    for wrong in (b"\7" * 28 + b"\0\0", b"\7" * 26):
        assert strays(with_element(PIXELS, b"OB", wrong, odd)) == ["pixel data"]


@pytest.mark.parametrize(("of", "stored"), [(DEEP, 12), (DEEP, 9), (COPY, 7), (COPY, 1)])
def test_no_bit_stands_above_those_that_are_stored(of: list[Element], stored: int) -> None:
    said = with_element(0x00280101, b"US", bytes((stored, 0)), of)
    said = with_element(0x00280102, b"US", bytes((stored - 1, 0)), said)
    kind = of[-1][1]
    words = np.zeros(len(of[-1][2]) // (2 if kind == b"OW" else 1), "<u2" if kind == b"OW" else "u1")
    assert strays(with_element(PIXELS, kind, words.tobytes(), said)) == []
    words[:] = (1 << stored) - 1
    assert strays(with_element(PIXELS, kind, words.tobytes(), said)) == []
    for at in (0, len(words) - 1):
        words[:] = 0
        words[at] = 1 << stored
        assert strays(with_element(PIXELS, kind, words.tobytes(), said)) == ["pixel data/bits"]


def test_a_coded_picture_is_one_frame_of_the_size_that_the_header_says() -> None:
    """PS3.5, A.4: an empty table of offsets, one fragment, an end."""
    value = JPEG[-1][2]
    length = int.from_bytes(value[12:16], "little")
    frame, end = value[16 : 16 + length], value[16 + length :]

    def judged(jpeg: bytes, *, table: bytes = b"", tail: bytes = end) -> list[str]:
        body = struct.pack("<HHI", 0xFFFE, 0xE000, len(table)) + table
        body += struct.pack("<HHI", 0xFFFE, 0xE000, len(jpeg)) + jpeg
        return strays([*JPEG[:-1], (PIXELS, b"OB", body + tail)])

    def changed(jpeg: bytes) -> list[str]:
        return judged(jpeg + b"\0" * (len(jpeg) % 2))

    bare = frame.removesuffix(b"\0")
    colours = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\1"
    assert judged(frame) == changed(bare) == changed(bare[:2] + colours + bare[2:]) == []
    for tail in (b"", end + b"\0\0", end[:-1] + b"\1", end[:2] + b"\xde\xe0" + end[4:]):
        assert judged(frame, tail=tail) == ["after the pixel data"]
    assert judged(frame, table=bytes(4)) == ["pixel data"]
    turn = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    assert changed(bare[:2] + turn + bare[2:]) == ["pixel data/JPEG"]  # no viewer of such files turns it
    assert changed(bare[:2] + b"\xff\xfe\0\x08Banks!" + bare[2:]) == ["pixel data/COM"]
    at = bare.index(b"\xff\xc0")
    for k in (6, 8):
        with contextlib.suppress(Malformed):  # where there are fewer blocks than that
            assert changed(bare[: at + k] + bytes((bare[at + k] ^ 1,)) + bare[at + k + 1 :]) == ["pixel data/JPEG"]
    assert changed(bare[: at + 1] + b"\xc1" + bare[at + 2 :]) == []
