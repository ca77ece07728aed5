"""A JPEG copy spoilt one segment at a time: tables, frames, scans, and what may be said beside them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

import numpy as np
import pytest
from jpeg_kit import segment
from PIL import Image, ImageCms

from medimg import audit
from medimg.errors import Malformed

Segments = list[tuple[int, bytes]]
SOF, DHT, SOS, DQT, DRI, DAC = 0xC0, 0xC4, 0xDA, 0xDB, 0xDD, 0xCC


def parts() -> tuple[Segments, bytes]:
    """The segments of a small picture up to its first scan, and everything behind that scan's header."""
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (8, 8), np.uint8)).save(out, "JPEG")
    data, at = out.getvalue(), 20
    found: Segments = []
    while not found or found[-1][0] != SOS:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append((data[at + 1], data[at + 4 : end]))
        at = end
    return found, data[at:]


GREY, CODED = parts()


def joined(segments: Segments, coded: bytes = CODED) -> bytes:
    return b"\xff\xd8" + b"".join(segment(marker, payload) for marker, payload in segments) + coded


def changed(marker: int, change: Callable[[bytes], bytes], of: Segments = GREY) -> Segments:
    """The segments with the first of a kind changed."""
    at = next(k for k, (m, _) in enumerate(of) if m == marker)
    return [*of[:at], (marker, change(of[at][1])), *of[at + 1 :]]


def before(marker: int, *more: tuple[int, bytes]) -> Segments:
    at = next(k for k, (m, _) in enumerate(GREY) if m == marker)
    return [*GREY[:at], *more, *GREY[at:]]


def strays(segments: Segments, coded: bytes = CODED) -> list[str]:
    return audit.walk(joined(segments, coded), "jpeg")


def damaged(segments: Segments, coded: bytes = CODED) -> bool:
    with pytest.raises(Malformed):
        strays(segments, coded)
    return True


def test_a_small_picture_has_nothing_besides() -> None:
    assert strays(GREY) == []


# -- tables (ITU-T T.81, B.2.4) ---------------------------------------------------------------------------------------


def test_quantisation_is_of_one_of_two_widths_and_in_one_of_four_places() -> None:
    values = next(p for m, p in GREY if m == DQT)[1:]
    wide = bytes(b for v in values for b in (0, v))
    assert strays(changed(DQT, lambda _: b"\x10" + wide)) == []
    for place in range(4):
        assert strays(before(SOF, (DQT, bytes((place | 0x10,)) + wide))) == ["unused table"]
        both = changed(DQT, lambda old, k=place: old + bytes((k,)) + values)  # type: ignore[misc]
        assert strays(both) == ["unused table"]
    for head, body in ((0x04, values), (0x14, wide), (0x20, values), (0x20, wide)):
        assert damaged(before(SOF, (DQT, bytes((head,)) + body)))
    for short in (values[:-1], b""):
        assert damaged(before(SOF, (DQT, b"\0" + short)))
    for cut in (wide[:-1], values):
        assert damaged(before(SOF, (DQT, b"\x10" + cut)))
    assert damaged(before(SOF, (DQT, b"\0" + values + b"\1")))
    assert strays(before(SOF, (DQT, b""))) == ["empty table"]


def counts(*codes: tuple[int, int]) -> bytes:
    """How many codes there are of each length."""
    out = bytearray(16)
    for length, number in codes:
        out[length - 1] = number
    return bytes(out)


@pytest.mark.parametrize(
    ("codes", "symbols", "found"),
    [
        (counts((1, 1)), b"\0", []), (counts((1, 2)), b"\0\1", []), (counts((1, 3)), b"\0\1\2", ["table"]),
        (counts((1, 1), (2, 2)), b"\0\1\2", []), (counts((1, 1), (2, 3)), b"\0\1\2\3", ["table"]),
        (counts((2, 4)), b"\0\1\2\3", []), (counts((1, 2), (16, 1)), b"\0\1\2", ["table"]),
        (counts((16, 2)), b"\0\0", ["table"]), (counts((16, 2)), b"\0\1", []),
    ],
)  # fmt: skip
def test_codes_fit_into_a_tree_and_each_symbol_has_one(codes: bytes, symbols: bytes, found: list[str]) -> None:
    """Annex C: no more codes than there are bits for, and a symbol that stands there twice can say something."""
    table = b"\3" + codes + symbols
    assert strays(before(SOF, (DHT, table))) == [*found, "unused table"]
    assert damaged(before(SOF, (DHT, table[:-1])))
    assert damaged(before(SOF, (DHT, table + b"\3")))
    assert strays(before(SOF, (DHT, table + b"\2" + table[1:]))) == [*found, *found, "unused table", "unused table"]


def test_huffman_tables_may_share_a_segment() -> None:
    tables = b"".join(p for m, p in GREY if m == DHT)
    rest = [(m, p) for m, p in GREY if m != DHT]
    assert strays([rest[0], (DHT, tables), *rest[1:]]) == []
    assert strays(before(SOF, (DHT, b""))) == ["empty table"]


def test_a_table_that_is_said_again_before_it_is_used_could_say_anything() -> None:
    for marker in (DQT, DHT):
        table = next(p for m, p in GREY if m == marker)
        assert strays(before(SOS, (marker, table))) == ["unused table"]


def test_a_scan_needs_its_tables() -> None:
    kinds: list[tuple[int, Callable[[bytes], bool]]] = [
        (DQT, lambda _: True),
        (DHT, lambda p: p[0] < 16),
        (DHT, lambda p: p[0] >= 16),
    ]
    for marker, of in kinds:
        assert damaged([(m, p) for m, p in GREY if not (m == marker and of(p))])
    elsewhere = changed(SOS, lambda p: p[:2] + b"\x10" + p[3:])  # the codes of another place
    assert damaged(elsewhere)
    assert damaged(changed(SOS, lambda p: p[:2] + b"\x01" + p[3:]))
    assert damaged(changed(SOF, lambda p: p[:8] + b"\1"))


@pytest.mark.parametrize("marker", [0xC9, 0xCA])
def test_no_copy_is_coded_arithmetically(marker: int) -> None:
    """Few programs open such a picture, and no last symbol says where it ends."""
    assert damaged([(marker if m == SOF else m, p) for m, p in GREY])
    assert damaged(before(SOS, (DAC, b"\0\x10")))


def interval(*, restarts: int = 1) -> tuple[Segments, bytes]:
    """Four blocks, a restart marker behind every so many."""
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (8, 32), np.uint8)).save(
        out, "JPEG", restart_marker_blocks=restarts
    )
    data, at = out.getvalue(), 20
    found: Segments = []
    while not found or found[-1][0] != SOS:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append((data[at + 1], data[at + 4 : end]))
        at = end
    return found, data[at:]


def test_restarts_are_announced() -> None:
    assert strays(before(SOS, (DRI, b"\0\1"))) == []
    assert strays(before(SOS, (DRI, b"\0\1"), (DRI, b"\0\1"))) == ["unused table"]
    segments, coded = interval()
    assert strays(segments, coded) == []
    assert coded.count(b"\xff\xd0") == coded.count(b"\xff\xd2") == 1
    for announced in (b"\0\0", b"\0\2", b"\0\4"):
        assert damaged([(m, announced if m == DRI else p) for m, p in segments], coded)
    for a, b in ((b"\xd1", b"\xd2"), (b"\xd2", b"\xd3"), (b"\xd0", b"\xd1")):
        assert damaged(segments, coded.replace(b"\xff" + a, b"\xff" + b))


# -- coded data (F.1.2, G.1.2) ----------------------------------------------------------------------------------------


def test_nothing_stands_behind_the_last_symbol_of_an_interval() -> None:
    segments, coded = interval(restarts=2)
    at = coded.index(b"\xff\xd0")
    for behind in (b"\0", b"z", b"Banks", b"\xff\0"):
        assert strays(segments, coded[:-2] + behind + coded[-2:]) == ["SOS/more than the picture"]
        assert strays(segments, coded[:at] + behind + coded[at:]) == ["SOS/more than the picture"]


def test_a_byte_is_filled_up_with_ones() -> None:
    """F.1.2.3. One bit of filling more or less can be told from a symbol."""
    found = []
    for seed in range(40):
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)).save(out, "JPEG")
        data = out.getvalue()
        assert audit.walk(data[:2] + data[20:], "jpeg") == []
        wrong = bytearray(data)
        wrong[-3] ^= 1
        with contextlib.suppress(Malformed):
            found.append(audit.walk(bytes(wrong[:2] + wrong[20:]), "jpeg"))
    assert found.count(["SOS/more than the picture"]) > 20


# -- frames and scans (B.2.2, B.2.3) ----------------------------------------------------------------------------------


def test_a_frame_is_of_eight_bits_and_of_one_three_or_four_components() -> None:
    frame = next(p for m, p in GREY if m == SOF)
    for count, good in ((0, False), (1, True), (2, False), (3, True), (4, True), (5, False)):
        body = frame[:5] + bytes((count,)) + b"".join(bytes((1 + k, 0x11, 0)) for k in range(count))
        assert (strays(changed(SOF, lambda _, b=body: b)) == []) if good else damaged(changed(SOF, lambda _, b=body: b))  # type: ignore[misc]
    for depth in (7, 9, 12):
        assert damaged(changed(SOF, lambda p, d=depth: bytes((d,)) + p[1:]))  # type: ignore[misc]
    for longer in (frame + b"\0", frame[:-1], frame + b"\2\x11\0"):
        assert damaged(changed(SOF, lambda _, b=longer: b))  # type: ignore[misc]
    assert damaged(before(SOS, (SOF, frame)))
    assert damaged([(m, p) for m, p in GREY if m != SOF])
    assert strays([(0xC1 if m == SOF else m, p) for m, p in GREY]) == []  # sequential too, with longer tables
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xCB, 0xCD, 0xCE, 0xCF):  # other processes
        assert damaged([(marker if m == SOF else m, p) for m, p in GREY])


def test_a_scan_of_one_pass_says_so() -> None:
    for end in (b"\1\x3f\0", b"\0\x3e\0", b"\0\x3f\1", b"\0\x3f\x10"):
        assert strays(changed(SOS, lambda p, e=end: p[:-3] + e)) == ["SOS"]  # type: ignore[misc]
    for wrong in (
        b"\0\0\x3f\0",
        b"\2\1\0\0\x3f\0",
        b"\5" + b"\1\0" * 5 + b"\0\x3f\0",
        b"\1\2\0\0\x3f\0",
        b"\1\1\0\0\x3f\0\0",
    ):
        assert damaged(changed(SOS, lambda _, w=wrong: w))  # type: ignore[misc]


def passes() -> list[tuple[Segments, bytes]]:
    """The scans of a progressive picture of one component: what stands before each, and its coded data."""
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 24), np.uint8)).save(out, "JPEG", progressive=True)
    data, at = out.getvalue(), 20
    found: list[tuple[Segments, bytes]] = []
    segments: Segments = []
    while data[at : at + 2] != b"\xff\xd9":
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        segments.append((data[at + 1], data[at + 4 : end]))
        at = end
        if segments[-1][0] == SOS:
            at = next(k for k in range(at, len(data)) if data[k] == 0xFF and data[k + 1])
            found.append((segments, data[end:at]))
            segments = []
    return found


def test_a_pass_uses_the_tables_of_its_part() -> None:
    """G.1.1: first the means of the blocks, then the rest, then their lower bits."""
    scans = passes()
    bands = [tuple(segments[-1][1][-3:]) for segments, _ in scans]
    assert bands == [(0, 0, 1), (1, 5, 2), (6, 63, 2), (1, 63, 0x21), (0, 0, 0x10), (1, 63, 0x10)]

    def judged(change: Callable[[int, Segments], Segments] = lambda _, s: s) -> list[str]:
        return audit.walk(
            b"\xff\xd8" + b"".join(joined(change(k, s), c)[2:] for k, (s, c) in enumerate(scans)) + b"\xff\xd9", "jpeg"
        )

    assert judged() == []
    table = next(p for m, p in scans[0][0] if m == DHT)
    assert judged(lambda k, s: [(DHT, table)] * (k == 4) + s) == ["unused table"]
    for number in range(6):
        if not any(m == DHT for m, _ in scans[number][0]):
            continue
        with pytest.raises(Malformed):
            judged(lambda k, s, n=number: [(m, p) for m, p in s if m != DHT or k != n])  # type: ignore[misc]


@pytest.mark.parametrize("number", range(6))
def test_nothing_stands_behind_the_last_symbol_of_a_pass(number: int) -> None:
    scans = passes()
    for behind in (b"\0", b"Banks"):
        data = b"".join(
            joined(s, c + behind * (k == number))[2:] for k, (s, c) in enumerate(scans)
        )  # fmt: skip
        assert audit.walk(b"\xff\xd8" + data + b"\xff\xd9", "jpeg") == ["SOS/more than the picture"]


def test_coded_data_begin_behind_their_scan_and_end_before_a_marker() -> None:
    for coded in (b"\xff\xd9", CODED[:-2] + b"\xff\xff\xd9", CODED[:-2], CODED[:-1]):
        assert damaged(GREY, coded)
    for behind in (b"\0", b"Banks", b"\xff\xd9"):
        assert strays(GREY, CODED + behind) == ["after EOI"]
    assert damaged(GREY[:-1], b"\xff\xd9")


# -- what may be said besides -----------------------------------------------------------------------------------------

JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
ADOBE = b"Adobe\0\x64\0\0\0\0\1"


@pytest.mark.parametrize(
    ("marker", "good", "wrong"),
    [
        (0xE0, [JFIF, JFIF[:8] + b"\0\3\0\2\0\0", JFIF[:8] + b"\1\0\1\1\0\0"],
         [JFIF + b"\0", JFIF[:-1], JFIF[:6] + b"\2" + JFIF[7:], JFIF[:7] + b"\1" + JFIF[8:],
          JFIF[:8] + b"\0\2\0\2\0\0", JFIF[:8] + bytes(4) + b"\0\0", JFIF[:8] + b"\0\6\0\3\0\0", JFIF[:12] + b"\1\1abc",
          JFIF[:12] + b"\0\1", JFIF[:12] + b"\1\0"]),
        (0xEE, [ADOBE[:-1] + bytes((k,)) for k in range(3)],
         [ADOBE[:-1] + b"\3", ADOBE + b"\0", ADOBE[:7] + b"\1" + ADOBE[8:], ADOBE[:6] + b"\x65" + ADOBE[7:], b"Adobe"]),
    ],
)  # fmt: skip
def test_what_is_said_of_pixels_and_colours_is_said_once_and_first(
    marker: int, good: list[bytes], wrong: list[bytes]
) -> None:
    name = f"APP{marker - 0xE0}"
    for body in good:
        assert strays([(marker, body), *GREY]) == []
        assert strays([(marker, body), (marker, body), *GREY]) == [name]
        scans = changed(SOF, lambda p: p)
        assert strays(scans, CODED[:-2] + joined([(marker, body), GREY[-1]])[2:]) == [name]
    for body in wrong:
        assert strays([(marker, body), *GREY]) == [name]


def test_a_profile_stands_in_numbered_parts_before_the_picture() -> None:
    from medimg.formats.shared import icc as writer

    made = writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert made is not None

    def judged(*numbered: tuple[int, int, bytes]) -> list[str]:
        return strays([*((0xE2, b"ICC_PROFILE\0" + bytes((k, n)) + body) for k, n, body in numbered), *GREY])

    assert judged((1, 1, made)) == judged((1, 2, made[:99]), (2, 2, made[99:])) == []
    for wrong in (
        [(1, 2, made)], [(0, 1, made)], [(2, 1, made)], [(1, 2, made[:99]), (2, 3, made[99:])],
        [(2, 2, made[:99]), (1, 2, made[99:])], [(1, 1, made), (1, 1, made)], [(1, 1, made + b"Banks")],
    ):  # fmt: skip
        assert judged(*wrong) == ["APP2/ICC"]
    part = (0xE2, b"ICC_PROFILE\0\1\1" + made)
    assert strays(GREY, CODED[:-2] + joined([part, GREY[-1]])[2:]) == ["APP2"]
    assert strays([(0xE2, b"ICC_PROFILES\1\1" + made), *GREY]) == ["APP2"]
