"""Pictures and pixels in coded data that no viewer shows: the copy is without them, and both readers find them."""

from __future__ import annotations

import io
import struct
import zlib

import msgspec
import numpy as np
import pytest
from heif_kit import HVCC, NAME, SMOOTH, TILE, Item, av1, box, grid, heif, ispe
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from medimg import audit
from medimg.api import Scrubber
from medimg.errors import CheckNotRun
from medimg.policy import Policy

LIGHT = Scrubber(msgspec.structs.replace(Policy.load(), scope="metadata-only"))


def smooth(width: int = TILE, height: int = TILE) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.dstack((200 - y // 3, 150 + x // 8, 140 + y // 8)).astype(np.uint8))


def with_name(picture: Image.Image, at: tuple[int, int]) -> Image.Image:
    named = picture.copy()
    x, y = at
    ImageDraw.Draw(named).rectangle((x, y, x + 50, y + 16), fill=(250, 250, 245))
    ImageDraw.Draw(named).text((x + 3, y + 3), "M BANKS", fill=(10, 10, 10))
    return named


# -- HEIC and AVIF ----------------------------------------------------------------------------------------------------


def heic_grid(tiles: list[bytes], columns: int, width: int, height: int) -> bytes:
    rows = len(tiles) // columns
    items: list[Item] = [
        (b"grid", struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, width, height), [ispe(width, height)])
    ]
    items += [(b"hvc1", tile, [box(b"hvcC", HVCC), ispe(TILE, TILE)]) for tile in tiles]
    return heif(b"heic", items, list(range(2, len(items) + 1)))


@pytest.mark.parametrize(
    ("kind", "says"),
    [(b"mdcv", b"Quillfeather 5550173 1961"[:24]), (b"pasp", b"Quillfea"), (b"pixi", b"\0\0\0\0\x03Cyn")],
)
def test_a_property_that_could_say_anything_is_left_out(kind: bytes, says: bytes) -> None:
    payload, config = av1(smooth(128, 128))
    data = heif(b"avif", [(b"av01", payload, [config, ispe(128, 128), box(kind, says)])])
    copy = Scrubber(Policy(scope="metadata-only")).scrub(data).data
    assert copy
    assert says not in copy
    assert audit.walk(copy, "heif") == []
    assert audit.walk(data, "heif") != []


def filled(width: int, height: int) -> Image.Image:
    """A picture of 256 x 256 whose part past an edge repeats it, as encoders fill tiles."""
    pixels = np.asarray(smooth(256, 256))[:height, :width]
    return Image.fromarray(np.pad(pixels, ((0, 256 - height), (0, 256 - width), (0, 0)), "edge"))


def painted(width: int, height: int, colour: tuple[int, int, int]) -> Image.Image:
    pixels = np.array(smooth(256, 256))
    pixels[height:], pixels[:, width:] = colour, colour
    return Image.fromarray(pixels)


CLEAN = {
    "no strip": grid(smooth(256, 256), 256, 256),
    "the edge again": grid(filled(224, 208), 224, 208),
    "one colour": grid(painted(200, 192, (0, 135, 0)), 200, 192),
    "one HEVC picture": heif(b"heic", [(b"hvc1", SMOOTH, [box(b"hvcC", HVCC), ispe(TILE, TILE)])]),
    "HEVC tiles": heic_grid([SMOOTH] * 4, 2, 128, 128),
}
HIDING = {
    "right": grid(with_name(smooth(256, 256), (202, 100)), 200, 256),
    "below": grid(with_name(smooth(256, 256), (60, 232)), 256, 230),
    "in the corner": grid(with_name(filled(200, 230), (202, 234)), 200, 230),
    "spare tiles": grid(with_name(smooth(256, 256), (150, 150)), 128, 128),
    "HEVC, right": heic_grid([SMOOTH, NAME], 2, 74, 64),
    "HEVC, spare tile": heic_grid([SMOOTH, NAME], 2, 64, 64),
    "HEVC, two pictures": heif(b"heic", [(b"hvc1", SMOOTH + NAME, [box(b"hvcC", HVCC), ispe(TILE, TILE)])]),
}


def structure(data: bytes, scrubber: Scrubber = LIGHT) -> dict[str, str]:
    return {c.name: c.state for c in scrubber.verify(data) if c.name in ("structure", "metadata")}


def pixels(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("name", CLEAN)
def test_a_picture_that_hides_nothing_is_copied_as_it_is_coded(name: str) -> None:
    if "HEVC" in name:
        pytest.importorskip("pi_heif")
    done = LIGHT.scrub(CLEAN[name])
    assert done.report.copy is not None, done.report.reason
    assert done.report.copy.method == "segment-copy"
    assert not done.report.counts("hidden-image")
    assert set(structure(done.data or b"").values()) == {"passed"}


@pytest.mark.parametrize("name", HIDING)
def test_a_picture_that_hides_another_becomes_a_png_of_what_is_shown(name: str) -> None:
    if "HEVC" in name:
        pytest.importorskip("pi_heif")
    done = LIGHT.scrub(HIDING[name])
    assert done.report.copy is not None, done.report.reason
    assert done.report.copy.method == "samples"
    assert (done.data or b"")[:4] == b"\x89PNG"
    assert sum(done.report.counts("hidden-image").values()) == 1
    if "HEVC" not in name and name != "spare tiles":  # Pillow does not open spare tiles
        assert np.array_equal(pixels(done.data or b""), pixels(HIDING[name]))
    shown = Image.open(io.BytesIO(done.data or b"")).size
    assert shown == {"right": (200, 256), "below": (256, 230), "in the corner": (200, 230),
                     "spare tiles": (128, 128), "HEVC, right": (74, 64)}.get(name, (64, 64))  # fmt: skip


@pytest.mark.parametrize("name", HIDING)
def test_a_copy_that_hides_a_picture_does_not_pass(name: str) -> None:
    states = structure(HIDING[name])
    assert states["metadata"] == "failed"
    if name not in ("below", "in the corner", "right", "HEVC, right"):  # strips of 64 pixels are the first reader's
        assert states["structure"] == "failed"


def test_the_second_reader_looks_at_what_lies_more_than_64_pixels_past_the_canvas() -> None:
    assert structure(grid(with_name(smooth(256, 256), (202, 100)), 150, 256))["structure"] == "failed"
    assert structure(grid(filled(150, 180), 150, 180)) == {"structure": "passed", "metadata": "passed"}


def test_two_frames_in_an_avif_item() -> None:
    first, config = av1(smooth(128, 128))
    second, _ = av1(with_name(smooth(128, 128), (20, 40)))
    data = heif(b"avif", [(b"av01", first + b"\x12\0" + second, [config, ispe(128, 128)])])
    assert structure(data)["structure"] == "failed"
    done = LIGHT.scrub(data)
    assert (done.report.state, done.data) == ("refused", None)  # one decoder shows the first, another the second
    alike = heif(b"avif", [(b"av01", first + b"\x12\0" + first, [config, ispe(128, 128)])])
    assert structure(alike)["structure"] == "failed"
    assert (LIGHT.scrub(alike).data or b"")[:4] == b"\x89PNG"


def test_a_coded_picture_larger_than_its_item_says() -> None:
    payload, config = av1(with_name(smooth(128, 128), (70, 100)))
    data = heif(b"avif", [(b"av01", payload, [config, ispe(128, 96)])])
    assert structure(data) == {"structure": "failed", "metadata": "failed"}
    assert (LIGHT.scrub(data).data or b"")[:4] == b"\x89PNG"


@pytest.mark.parametrize("keep", [20, 40, 60])
def test_a_clean_aperture_of_any_size_is_followed(keep: int) -> None:
    pytest.importorskip("pi_heif")
    clap = box(b"clap", struct.pack(">IIIIiIiI", keep, 1, keep, 1, 0, 1, 0, 1))
    own = [box(b"hvcC", HVCC), ispe(TILE, TILE)]
    whole = LIGHT.scrub(heif(b"heic", [(b"hvc1", SMOOTH + NAME, own)]))
    done = LIGHT.scrub(
        heif(b"heic", [(b"hvc1", SMOOTH, [*own, clap, box(b"irot", b"\1")])], essential=(b"clap", b"irot"))
    )
    assert done.report.copy is not None, done.report.reason
    edge = (TILE - keep) // 2
    expected = np.rot90(pixels(whole.data or b"")[edge : edge + keep, edge : edge + keep])
    assert np.array_equal(pixels(done.data or b""), expected)


# -- TIFF -------------------------------------------------------------------------------------------------------------


def tiff(
    numbers: dict[int, int],
    chunks: list[bytes],
    *,
    tiled: bool,
    channels: int = 3,
    order: str = "<",
    palette: tuple[int, ...] = (),
) -> bytes:
    """A file as medimg writes it, of 8-bit samples."""
    place, size = (324, 325) if tiled else (273, 279)
    fields = {tag: struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in numbers.items()}
    fields[254] = struct.pack(f"{order}HHII", 254, 4, 1, 0)
    lists = {
        258: (3, struct.pack(f"{order}{channels}H", *[8] * channels)),
        size: (4, struct.pack(f"{order}{len(chunks)}I", *map(len, chunks))),
        place: (4, bytes(4 * len(chunks))),
    }
    if palette:
        lists[320] = (3, struct.pack(f"{order}{len(palette)}H", *palette))
    at = 8 + 2 + 12 * (len(fields) + len(lists)) + 4
    more = b""
    spots = {}
    for tag in sorted(lists):
        kind, raw = lists[tag]
        count = len(raw) // (2 if kind == 3 else 4)
        if len(raw) > 4:
            fields[tag] = struct.pack(f"{order}HHII", tag, kind, count, at + len(more))
            spots[tag] = len(more)
            more += raw + bytes(len(raw) % 2)
        else:
            fields[tag] = struct.pack(f"{order}HHI", tag, kind, count) + raw.ljust(4, b"\0")
    starts, body = [], b""
    for chunk in chunks:
        starts.append(at + len(more) + len(body))
        body += chunk + bytes(len(chunk) % 2)
    packed = struct.pack(f"{order}{len(starts)}I", *starts)
    if place in spots:
        more = more[: spots[place]] + packed + more[spots[place] + len(packed) :]
    else:
        fields[place] = struct.pack(f"{order}HHI", place, 4, 1) + packed
    table = struct.pack(f"{order}H", len(fields)) + b"".join(fields[t] for t in sorted(fields)) + bytes(4)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8) + table + more + body


def lzw(raw: bytes) -> bytes:
    out = io.BytesIO()
    Image.frombytes("L", (len(raw), 1), raw).save(out, "TIFF", compression="tiff_lzw")
    with Image.open(io.BytesIO(out.getvalue())) as picture:
        tags = picture.tag_v2  # type: ignore[attr-defined]
        return out.getvalue()[tags[273][0] :][: tags[279][0]]


def packbits(raw: bytes) -> bytes:
    return b"".join(bytes([len(raw[k : k + 128]) - 1]) + raw[k : k + 128] for k in range(0, len(raw), 128))


def jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    data = out.getvalue()
    return data[:2] + data[20:]  # without JFIF


PACKINGS = {"none": (1, bytes), "deflate": (8, zlib.compress), "lzw": (5, lzw), "packbits": (32773, packbits)}


def tiled(picture: Image.Image, width: int, height: int, packing: str) -> bytes:
    code, packed = PACKINGS.get(packing, (7, bytes))
    chunks = []
    for y in range(0, picture.height, 64):
        for x in range(0, picture.width, 64):
            part = picture.crop((x, y, x + 64, y + 64))
            chunks.append(jpeg(part) if packing == "jpeg" else packed(part.tobytes()))
    photometric = 6 if packing == "jpeg" else 2
    numbers = {256: width, 257: height, 259: code, 262: photometric, 277: 3, 284: 1, 322: 64, 323: 64}
    return tiff(numbers, chunks, tiled=True)


def of_tiles(width: int, height: int) -> Image.Image:
    shown = np.asarray(smooth(128, 128))[:height, :width]
    return Image.fromarray(np.pad(shown, ((0, 128 - height), (0, 128 - width), (0, 0)), "edge"))


@pytest.mark.parametrize("packing", [*PACKINGS, "jpeg"])
def test_tiles_over_the_edge_of_a_tiff(packing: str) -> None:
    plain, loaded = of_tiles(74, 110), with_name(of_tiles(74, 110), (76, 60))
    clean, hiding = (tiled(picture, 74, 110, packing) for picture in (plain, loaded))
    done = LIGHT.scrub(clean)
    assert done.report.copy is not None, done.report.reason
    assert done.report.copy.method == ("segment-copy" if packing in ("none", "jpeg") else "samples")
    assert np.array_equal(pixels(done.data or b""), pixels(clean))
    assert structure(done.data or b"") == {"structure": "passed", "metadata": "passed"}
    assert structure(hiding) == {"structure": "failed", "metadata": "failed"}
    done = LIGHT.scrub(hiding)
    assert done.report.copy is not None, done.report.reason
    assert done.report.counts("hidden-image") == {"hidden-pixels": 1}
    assert structure(done.data or b"") == {"structure": "passed", "metadata": "passed"}
    assert np.array_equal(pixels(done.data or b""), pixels(hiding))
    with Image.open(io.BytesIO(done.data or b"")) as copy:
        assert 322 not in copy.tag_v2  # type: ignore[attr-defined]


def coded(picture: Image.Image, packing: str, *, order: str, predictor: bool = False) -> bytes:
    """Tiles of 64 pixels; 74 x 110 are shown. One channel is numbers of colours, three stand apart."""
    code, packed = PACKINGS[packing]
    apart = picture.mode == "RGB"
    chunks = []
    for channel in picture.split():
        pixels = np.asarray(channel)
        for y in (0, 64):
            for x in (0, 64):
                part = pixels[y : y + 64, x : x + 64]
                chunks.append(packed((np.diff(part, prepend=np.uint8(0)) if predictor else part).tobytes()))
    bands = len(picture.getbands())
    numbers = {256: 74, 257: 110, 259: code, 262: 2 if apart else 3, 277: bands, 284: 1 + apart, 322: 64, 323: 64}
    greys = () if apart else tuple(257 * k for k in range(256)) * 3
    if predictor:
        numbers[317] = 2
    return tiff(numbers, chunks, tiled=True, channels=bands, order=order, palette=greys)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("predictor", [False, True], ids=["plain", "differences"])
@pytest.mark.parametrize("kind", ["numbered colours", "channels apart"])
def test_the_second_reader_sees_past_the_edge_in_every_layout(kind: str, predictor: bool, order: str) -> None:
    plain, loaded = of_tiles(74, 110), with_name(of_tiles(74, 110), (76, 60))
    if kind == "numbered colours":
        plain, loaded = plain.convert("L"), loaded.convert("L")
    else:  # the name is in the last channel alone
        loaded = Image.merge("RGB", (*plain.split()[:2], loaded.split()[2]))
    clean, hiding = (coded(p, "deflate", order=order, predictor=predictor) for p in (plain, loaded))
    assert audit.walk(clean, "tiff") == []
    assert set(audit.walk(hiding, "tiff")) == {"strips/past the edge"}


def edged(shown: tuple[int, int], beyond: tuple[int, int], *, down: bool = False) -> Image.Image:
    """Upper and lower half of what is shown, and of what lies past its edge at 72 pixels, each of one grey."""
    pixels = np.empty((128, 128), np.uint8)
    for half, inside, outside in zip((slice(0, 56), slice(56, 128)), shown, beyond, strict=True):
        pixels[half, :72], pixels[half, 72:] = inside, outside
    return Image.fromarray(np.dstack([pixels.T if down else pixels] * 3))


@pytest.mark.parametrize("down", [False, True], ids=["right", "below"])
@pytest.mark.parametrize(
    ("packing", "shown", "beyond", "filling"),
    [
        ("none", (90, 90), (40, 40), True),
        ("none", (90, 90), (40, 41), False),
        ("none", (90, 180), (90, 180), True),
        ("none", (90, 180), (91, 180), False),
        ("jpeg", (90, 90), (140, 172), True),
        ("jpeg", (90, 90), (140, 173), False),
        ("jpeg", (90, 180), (106, 196), True),
        ("jpeg", (90, 180), (107, 196), False),
    ],
)
def test_filling_is_one_colour_or_the_edge_again_and_in_a_jpeg_nearly_so(
    packing: str, shown: tuple[int, int], beyond: tuple[int, int], filling: bool, down: bool
) -> None:
    width, height = (128, 72) if down else (72, 128)
    found = audit.walk(tiled(edged(shown, beyond, down=down), width, height, packing), "tiff")
    assert set(found) == (set() if filling else {"strips/past the edge"})


def strip(picture: Image.Image, height: int, behind: bytes = b"") -> bytes:
    numbers = {256: picture.width, 257: height, 259: 7, 262: 6, 277: 3, 278: height, 284: 1}
    return tiff(numbers, [jpeg(picture)[:-2] + behind + b"\xff\xd9"], tiled=False)


@pytest.mark.parametrize(
    "data",
    [strip(with_name(smooth(96, 96), (20, 76)), 72), strip(smooth(96, 96), 96, b"Amelia Thornbury 1958-02-03")],
    ids=["more rows than are shown", "bytes behind the last block"],
)
def test_a_jpeg_strip_that_holds_more_than_its_rows(data: bytes) -> None:
    assert structure(data) == {"structure": "failed", "metadata": "failed"}
    done = LIGHT.scrub(data)
    assert done.report.copy is not None, done.report.reason
    assert b"Thornbury" not in (done.data or b"")
    assert structure(done.data or b"") == {"structure": "passed", "metadata": "passed"}
    assert np.array_equal(pixels(done.data or b""), pixels(data))


def test_a_jpeg_strip_that_holds_its_rows_alone_stays() -> None:
    done = LIGHT.scrub(strip(smooth(96, 96), 96))
    assert done.report.copy is not None, done.report.reason
    assert done.report.copy.method == "segment-copy"
    assert jpeg(smooth(96, 96)) in (done.data or b"")


@pytest.mark.parametrize("packing", ["none", "deflate"])
def test_the_second_reader_counts_what_a_strip_gives(packing: str) -> None:
    code, packed = PACKINGS[packing]
    numbers = {256: 64, 257: 48, 259: code, 262: 2, 277: 3, 278: 48, 284: 1}
    for rows, state in ((48, "passed"), (64, "failed")):
        data = tiff(numbers, [packed(smooth(64, rows).tobytes())], tiled=False)
        assert structure(data)["structure"] == state


def test_a_tile_over_the_edge_that_cannot_be_decoded_is_not_called_filled() -> None:
    """No decoder at hand shows colours of four bits."""
    numbers = {256: 74, 257: 110, 259: 1, 262: 2, 277: 3, 284: 1, 322: 64, 323: 64}
    whole = tiff(numbers, [bytes(64 * 64 * 3 // 2)] * 4, tiled=True)
    bits = struct.pack("<3H", 8, 8, 8)
    assert whole.count(bits) == 1
    with pytest.raises(CheckNotRun):
        audit.walk(whole.replace(bits, struct.pack("<3H", 4, 4, 4)), "tiff")
