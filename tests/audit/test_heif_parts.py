"""Properties, derived pictures and grids of a HEIF or AVIF copy, each up to the edge of what it may be."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from heif_kit import HVCC, SMOOTH, TILE, Item, box, heif, ispe
from numpy.typing import NDArray
from PIL import Image, ImageCms

from medimg import audit
from medimg.errors import Malformed
from medimg.formats.shared import icc as writer

CODED = [box(b"hvcC", HVCC), ispe(TILE, TILE)]


def strays(*items: Item, of: list[int] | None = None) -> list[str]:
    return audit.walk(heif(b"heic", list(items), of), "heif")


def with_property(*more: bytes) -> list[str]:
    return strays((b"hvc1", SMOOTH, [*CODED, *more]))


# -- properties -------------------------------------------------------------------------------------------------------

PROFILE = writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) or b""


def points(*values: int, flag: int = 0x80) -> bytes:
    return b"nclx" + struct.pack(">3HB", *values, flag)


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        (b"pasp", [b"\0\0\0\1\0\0\0\1", b"\0\0\xff\xff\0\0\xff\xff"], [b"\0\1\0\1\0\0\0\1", b"\0\0\0\1\0\1\0\1",
                                                                        b"\1\0\0\1\0\0\0\1", b"\0\0\0\1\1\0\0\1"]),
        (b"irot", [bytes((k,)) for k in range(4)], [b"\4", b"\x08", b"\x80", b"\xff"]),
        (b"imir", [b"\0", b"\1"], [b"\2", b"\3", b"\x80"]),
        (b"colr", [points(22, 22, 22), points(1, 13, 6), points(0, 0, 0, flag=0), b"prof" + PROFILE],
         [points(23, 1, 1), points(1, 23, 1), points(1, 1, 23), points(256, 1, 1), points(1, 1, 1, flag=0x81),
          points(1, 1, 1, flag=0xC0), points(1, 1, 1) + b"\0", points(1, 1, 1)[:-1], b"rICC" + PROFILE,
          b"prof" + PROFILE + b"Bank", b"\0\0\0\0" + points(1, 1, 1)[4:]]),
        (b"pixi", [bytes(4) + b"\3\x08\x08\x08", bytes(4) + b"\1\x10", bytes(4) + b"\4\x08\x09\x0a\x10"],
         [bytes(4) + b"\3\x08\x08", bytes(4) + b"\3\x08\x08\x08\x08", bytes(4) + b"\1\x07", bytes(4) + b"\1\x11",
          bytes(4) + b"\5" + b"\x08" * 5, b"\0\0\0\1\1\x08", b"\1\0\0\0\1\x08"]),
    ],
)  # fmt: skip
def test_a_property_is_of_its_form_and_says_no_more(kind: bytes, good: list[bytes], wrong: list[bytes]) -> None:
    for body in good:
        assert with_property(box(kind, body)) == [], body
        if kind != b"colr":  # of which a profile may stand beside code points
            assert with_property(box(kind, body), box(kind, body[:-1] + bytes((body[-1] ^ 1,))))
    for body in wrong:
        assert with_property(box(kind, body)) == [f"meta/iprp/{kind.decode()}"], body


@pytest.mark.parametrize(
    ("kind", "length"),
    [(b"pasp", 8), (b"irot", 1), (b"imir", 1), (b"lsel", 2), (b"a1op", 1), (b"clli", 4), (b"udes", 0)],
)
def test_a_property_of_another_length_or_of_no_copy_is_named(kind: bytes, length: int) -> None:
    for size in {0, length - 1, length + 1, 2 * length + 1} - {-1}:
        assert with_property(box(kind, bytes(size))) == ["meta/iprp/unknown property"]
    if kind in (b"lsel", b"a1op", b"clli", b"udes"):
        assert with_property(box(kind, bytes(length))) == ["meta/iprp/unknown property"]


def test_a_size_has_no_version_and_no_flags() -> None:
    for at in range(4):
        said = bytearray(ispe(TILE, TILE))
        said[8 + at] = 1
        assert strays((b"hvc1", SMOOTH, [CODED[0], bytes(said)])) == ["meta/iprp/ispe"]
    for size in (11, 13):
        wrong = box(b"ispe", ispe(TILE, TILE)[8:].ljust(size, b"\0")[:size])
        assert strays((b"hvc1", SMOOTH, [CODED[0], wrong])) == ["meta/iprp/unknown property"]


def test_a_picture_has_one_set_of_code_points_and_tiles_are_described_alike() -> None:
    assert with_property(box(b"colr", points(1, 13, 6)), box(b"colr", points(9, 16, 9))) == ["meta/iprp/ipma"]
    tiles: list[Item] = [(b"hvc1", SMOOTH, [*CODED, *more]) for more in ((), (box(b"pixi", bytes(4) + b"\1\x08"),))]
    two: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 1, 2 * TILE, TILE), [ispe(2 * TILE, TILE)])
    assert strays(two, tiles[1], tiles[1], of=[2, 3]) == []
    assert strays(two, *tiles, of=[2, 3]) == ["meta/iprp/tiles that differ"]


@pytest.mark.parametrize("kind", [b"hvcC", b"irot", b"ispe"])
def test_what_a_reader_cannot_do_without_is_marked_so_and_nothing_else(kind: bytes) -> None:
    data = bytearray(heif(b"heic", [(b"hvc1", SMOOTH, [*CODED, box(b"irot", b"\1")])]))
    assert audit.walk(bytes(data), "heif") == []
    row = data.index(b"ipma") + 12 + 3 + 2 * (b"hvcC", b"ispe", b"irot").index(kind)
    data[row] ^= 0x80
    assert audit.walk(bytes(data), "heif") == ["meta/iprp/ipma"]


def test_a_turned_picture_is_turned_once() -> None:
    turned = [ispe(TILE, TILE), box(b"irot", b"\1")]
    items: list[Item] = [(b"iden", b"", turned), (b"iden", b"", [ispe(TILE, TILE)]), PICTURE]
    assert audit.walk(heif(b"heic", items[1:], {1: [2]}), "heif") == []
    assert audit.walk(heif(b"heic", items, {1: [2], 2: [3]}), "heif") == ["meta/iref/sources"]


def test_code_points_and_a_profile_stand_beside_each_other() -> None:
    assert with_property(box(b"colr", points(1, 13, 6)), box(b"colr", b"prof" + PROFILE)) == []


@pytest.mark.parametrize("prefix", [1, 2, 4])
def test_a_coded_unit_stands_behind_a_length_of_as_many_bytes_as_are_said(prefix: int) -> None:
    record = HVCC[:21] + bytes((HVCC[21] & 0xFC | prefix - 1,)) + HVCC[22:]
    unit = SMOOTH[4:]

    def judged(length: int, behind: bytes = b"") -> list[str]:
        own = [box(b"hvcC", record), ispe(TILE, TILE)]
        return strays((b"hvc1", length.to_bytes(prefix) + unit + behind, own))

    assert judged(len(unit)) == []
    for wrong in (len(unit) + 1, len(unit) - 1, 0):
        with pytest.raises(Malformed):
            judged(wrong)
    with pytest.raises(Malformed):
        judged(len(unit), b"\0")


# -- derived pictures -------------------------------------------------------------------------------------------------

PICTURE: Item = (b"hvc1", SMOOTH, CODED)


def test_a_picture_made_of_another_is_that_one_turned_and_nothing_else() -> None:
    """ISO/IEC 23008-12, 6.6.2.1: it has no content of its own, and the size of its source."""
    turned = [ispe(TILE, TILE), box(b"irot", b"\1")]
    assert strays((b"iden", b"", turned), PICTURE, of=[2]) == []
    assert strays((b"iden", b"Banks", turned), PICTURE, of=[2]) == ["mdat/derived picture"]
    for size in ((TILE, TILE - 1), (TILE + 1, TILE)):
        assert strays((b"iden", b"", [ispe(*size)]), PICTURE, of=[2]) == ["mdat/iden"]
    assert strays((b"iden", b"", [*turned[1:]]), PICTURE, of=[2]) == ["mdat/iden"]
    assert strays((b"iden", b"", turned), PICTURE, PICTURE, of=[2, 3]) == ["meta/iref/sources"]
    assert "meta/iref/sources" in strays((b"iden", b"", turned), PICTURE)
    assert strays(PICTURE, PICTURE, of=[2]) == ["meta/iref/sources"]


def test_every_picture_of_a_copy_is_shown() -> None:
    assert strays(PICTURE, PICTURE) == ["meta/iinf/picture that is not shown"]
    grid: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 0, TILE, TILE), [ispe(TILE, TILE)])
    assert strays(grid, PICTURE, PICTURE, of=[2]) == ["meta/iinf/picture that is not shown"]


@pytest.mark.parametrize("turn", [box(b"irot", b"\1"), box(b"imir", b"\1")])
def test_the_picture_is_turned_and_not_its_tiles(turn: bytes) -> None:
    grid: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 0, TILE, TILE), [ispe(TILE, TILE)])
    assert strays((*grid[:2], [*grid[2], turn]), PICTURE, of=[2]) == []
    assert strays(grid, (b"hvc1", SMOOTH, [*CODED, turn]), of=[2]) == ["meta/iprp/turned tile"]


def test_a_reference_names_pictures_that_are_there() -> None:
    grid: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 0, TILE, TILE), [ispe(TILE, TILE)])
    for wrong in (0, 3, 256):
        assert "meta/iref" in strays(grid, PICTURE, of=[wrong])


# -- grids ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("long", [False, True], ids=["16 bits", "32 bits"])
def test_a_grid_states_its_size_in_numbers_of_the_width_it_says(long: bool) -> None:
    """23008-12, 6.6.2.3."""
    size = struct.pack(">II" if long else ">HH", TILE, TILE)

    def judged(payload: bytes) -> list[str]:
        return strays((b"grid", payload, [ispe(TILE, TILE)]), PICTURE, of=[2])

    assert judged(bytes((0, long, 0, 0)) + size) == []
    for wrong in (
        bytes((0, not long, 0, 0)) + size,
        bytes((0, long, 0, 0)) + size + b"\0",
        bytes((0, long, 0, 0)) + size[1:],
    ):
        assert judged(wrong) == ["mdat/grid"]
    assert judged(bytes((0, long, 0, 1)) + size) == judged(bytes((0, long, 1, 0)) + size) == ["mdat/grid/tiles"]


def test_a_grid_is_made_of_coded_pictures() -> None:
    grid: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 0, TILE, TILE), [ispe(TILE, TILE)])
    assert "mdat/grid/tiles" in strays(grid, grid, of=[2])
    assert "mdat/grid/tiles" in strays(grid, (b"iden", b"", [ispe(TILE, TILE)]), of=[2])
    other: Item = (b"hvc1", SMOOTH, [CODED[0], ispe(TILE, TILE + 1)])
    two: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 1, 2 * TILE, TILE), [ispe(2 * TILE, TILE)])
    assert strays(two, PICTURE, other, of=[2, 3]) == ["meta/iprp/tiles that differ"]
    assert strays(two, other, other, of=[2, 3]) == ["mdat/size of a picture"] * 2


def test_a_grid_whose_tiles_reach_further_than_its_numbers_is_not_followed() -> None:
    wide: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 254, 65535, TILE), [ispe(65535, TILE)])
    tiles: list[Item] = [(b"hvc1", SMOOTH, [CODED[0], ispe(258, TILE)])] * 255  # 65,790 pixels across
    with pytest.raises(Malformed, match="wrong size"):
        strays(wide, *tiles, of=list(range(2, 257)))


SIDE, SHOWN = 128, 150


def coded(pixels: NDArray[np.uint8]) -> Item:
    out = io.BytesIO()
    Image.fromarray(np.dstack([pixels] * 3)).save(out, "AVIF", quality=100, subsampling="4:4:4")
    file = out.getvalue()
    config = file.index(b"av1C") - 4
    payload = file[file.rindex(b"mdat") + 4 :].removeprefix(b"\x12\0")
    return b"av01", payload, [file[config : config + int.from_bytes(file[config:][:4])], ispe(SIDE, SIDE)]


def past(
    pixels: NDArray[np.uint8], *, down: bool = False, long: bool = False, turns: tuple[bytes, ...] = ()
) -> list[str]:
    """Two tiles beside or below each other, of 256 pixels, of which 150 are shown."""
    pixels = pixels.T if down else pixels
    tiles = [pixels[:SIDE, :SIDE], pixels[SIDE:] if down else pixels[:, SIDE:]]
    size = (SIDE, SHOWN) if down else (SHOWN, SIDE)
    head = bytes((0, long, down, not down)) + struct.pack(">II" if long else ">HH", *size)
    grid: Item = (b"grid", head, [ispe(*size), *turns])
    return audit.walk(heif(b"avif", [grid, *map(coded, tiles)], [2, 3], (b"irot", b"imir")), "heif")


def halves(shown: tuple[int, int], beyond: tuple[int, int], begin: int = SHOWN) -> NDArray[np.uint8]:
    """Upper and lower half, of one grey each up to a column, and of another behind it."""
    pixels = np.empty((SIDE, 2 * SIDE), np.uint8)
    for half, inside, outside in zip((slice(0, 64), slice(64, SIDE)), shown, beyond, strict=True):
        pixels[half, :begin], pixels[half, begin:] = inside, outside
    return pixels


HIDES = ["mdat/grid/picture past the canvas"]


@pytest.mark.parametrize("down", [False, True], ids=["right", "below"])
@pytest.mark.parametrize(
    ("shown", "beyond", "found"),
    [
        ((90, 90), (140, 180), []), ((90, 90), (140, 181), HIDES),
        ((90, 180), (110, 200), []), ((90, 180), (111, 200), HIDES),
        ((90, 180), (70, 160), []), ((90, 180), (70, 159), HIDES),
    ],
)  # fmt: skip
def test_a_wide_strip_past_the_canvas_is_one_colour_or_the_edge_again_or_nearly_so(
    shown: tuple[int, int], beyond: tuple[int, int], found: list[str], down: bool
) -> None:
    assert past(halves(shown, beyond), down=down) == found


@pytest.mark.parametrize("down", [False, True], ids=["right", "below"])
def test_filling_may_begin_two_pixels_late(down: bool) -> None:
    for late, found in ((2, []), (3, HIDES)):
        pixels = halves((90, 90), (90, 90))
        pixels[20:40, SHOWN : SHOWN + late] = 250
        assert past(pixels, down=down) == found


@pytest.mark.parametrize("down", [False, True], ids=["right", "below"])
@pytest.mark.parametrize("long", [False, True], ids=["16 bits", "32 bits"])
@pytest.mark.parametrize(
    "turns", [(), (box(b"irot", b"\1"),), (box(b"imir", b"\0"),), (box(b"irot", b"\3"), box(b"imir", b"\1"))]
)
def test_what_lies_past_the_canvas_is_found_however_the_picture_is_turned(
    turns: tuple[bytes, ...], long: bool, down: bool
) -> None:
    clean = halves((90, 180), (90, 180))
    assert past(clean, down=down, long=long, turns=turns) == []
    hiding = clean.copy()
    hiding[30:50, 200:240] = 250
    assert past(hiding, down=down, long=long, turns=turns) == HIDES


def test_a_wide_strip_that_cannot_be_decoded_is_not_called_filled() -> None:
    grid: Item = (b"grid", struct.pack(">4B2H", 0, 0, 0, 1, SHOWN, SIDE), [ispe(SHOWN, SIDE)])
    kind, payload, own = coded(halves((90, 180), (90, 180))[:, :SIDE])
    broken: Item = (kind, payload[:20] + bytes(len(payload) - 20), own)
    with pytest.raises(Malformed, match="could not be decoded"):
        audit.walk(heif(b"avif", [grid, broken, broken], [2, 3]), "heif")
