"""Writing that the inks of a CMYK picture, a colour profile, or a curve shows and the plain numbers do not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import tiff_kit
from PIL import Image, ImageCms, ImageDraw, ImageFont, TiffImagePlugin

from medimg import audit
from medimg.api import Scrubber
from medimg.formats import open_photo
from medimg.formats.shared import icc, managed, views
from medimg.native.opencv import cv2
from medimg.types import Limits

WIDTH, HEIGHT = 520, 260
SEEN = 4
"""Levels off its ground at which the text check sees writing."""


def letters() -> np.ndarray:
    picture = Image.new("L", (WIDTH, HEIGHT), 0)
    for k, line in enumerate(("Patient: Mary Hopkins", "MRN 60417735")):
        ImageDraw.Draw(picture).text((40, 50 + 90 * k), line, fill=255, font=ImageFont.load_default(38))
    return np.asarray(picture) > 127


INK = letters()


def on(ground: tuple[int, ...], ink: tuple[int, ...]) -> np.ndarray:
    out = np.empty((HEIGHT, WIDTH, len(ground)), np.uint8)
    out[...], out[INK] = ground, ink
    return out


def saved(kind: str, pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.frombytes(mode, (WIDTH, HEIGHT), pixels.tobytes()).save(out, kind, **options)
    return out.getvalue()


def contrast(view: np.ndarray) -> float:
    """Levels between the writing and its ground, in the channel where they are farthest apart."""
    return float(np.abs(np.median(view[INK], axis=0) - np.median(view[~INK], axis=0)).max())


def most(data: bytes) -> float:
    return max(contrast(view) for view in open_photo(data, Limits()).views())


INKS = {
    "one ink under black": ((0, 0, 0, 255), (255, 0, 0, 255)),
    "three inks under black": ((0, 0, 0, 255), (255, 255, 255, 255)),
    "black under three inks": ((255, 255, 255, 0), (255, 255, 255, 255)),
    "grey of one ink on grey of three": ((128, 128, 128, 0), (0, 0, 0, 128)),
}


@pytest.mark.parametrize("name", INKS)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_every_ink_is_looked_at(name: str, kind: str) -> None:
    pixels = on(*INKS[name])
    on_paper = Image.frombytes("CMYK", (WIDTH, HEIGHT), pixels.tobytes()).convert("RGB")
    assert contrast(np.asarray(on_paper)) < SEEN
    assert most(saved(kind, pixels, "CMYK", **({"quality": 95} if kind == "JPEG" else {}))) > 100


def test_a_picture_without_black_ink_is_looked_at_once() -> None:
    assert len(views.inks(on((20, 40, 60, 0), (200, 40, 60, 0)))) == 2


@pytest.mark.parametrize("kind", ["JPEG", pytest.param("TIFF", marks=pytest.mark.long)])
def test_writing_under_full_black_is_covered_in_every_ink(kind: str, scrubber: Scrubber) -> None:
    pixels = on(*INKS["one ink under black"])
    done = scrubber.scrub(saved(kind, pixels, "CMYK", **({"quality": 95} if kind == "JPEG" else {})))
    assert done.data is not None, done.report.reason
    inks = np.asarray(Image.open(io.BytesIO(done.data)))
    assert inks.shape == pixels.shape
    assert (inks[INK][:, 0] > 128).mean() < 0.02


SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
NO_BLUE = ((0.5, 0.3, 0.3), (0.46, 0.7, 0.52), (0.0001, 0.0, 0.0))


def light_of(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def curve(shown: Callable[[int], float]) -> bytes:
    """From each number the light that sRGB has for what is to be shown, 0 to 255."""
    levels = [round(65535 * light_of(min(shown(k), 255) / 255)) for k in range(256)]
    return b"curv" + bytes(4) + struct.pack(">I256H", 256, *levels)


def profile(trc: bytes, colours: tuple[tuple[float, ...], ...] = SRGB, grey: bool = False) -> bytes:
    def point(xyz: tuple[float, ...]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in xyz))

    tags = [(b"wtpt", point((0.9642, 1.0, 0.8249)))]
    tags += [(b"kTRC", trc)] if grey else [(sig, trc) for sig in (b"rTRC", b"gTRC", b"bTRC")]
    tags += [] if grey else [(sig, point(xyz)) for sig, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=True)]
    head = bytearray(128)
    head[8:10], head[12:24] = b"\2\x10", b"mntrGRAYXYZ " if grey else b"mntrRGB XYZ "
    head[36:40], head[68:80] = b"acsp", struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    index, body, at = b"", b"", 132 + 12 * len(tags)
    for sig, data in tags:
        index += struct.pack(">4sII", sig, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    out = bytes(head) + struct.pack(">I", len(tags)) + index + body
    clean = icc.clean(struct.pack(">I", len(out)) + out[4:])
    assert clean is not None
    return clean


STAIRS = curve(lambda k: k * 57 / 126 if k < 126 else 57 + 14 * min(k - 125, 10) + max(k - 135, 0) / 2)
"""No number is shown 24 levels from the next; three numbers are 42 levels apart in the middle."""
GAMMA = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233)
LINEAR = b"curv" + bytes(8)
SHOWN = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    "JPEG2000": {"no_jp2": False},
}


def described(kind: str, pixels: np.ndarray, data: bytes, **options: object) -> bytes:
    """A file with a colour profile; Pillow writes none into JPEG 2000."""
    if kind != "JPEG2000":
        return saved(kind, pixels, icc_profile=data, **options)
    plain = saved(kind, pixels, **options)
    header, colours = (plain.index(name) - 4 for name in (b"jp2h", b"colr"))
    sizes = [int.from_bytes(plain[at : at + 4]) for at in (header, colours)]
    box = struct.pack(">I", 11 + len(data)) + b"colr\2\0\0" + data
    longer = struct.pack(">I", sizes[0] - sizes[1] + len(box))
    return plain[:header] + longer + plain[header + 4 : colours] + box + plain[colours + sizes[1] :]


@pytest.mark.parametrize("kind", SHOWN)
def test_a_picture_is_looked_at_as_a_steep_profile_shows_it(kind: str) -> None:
    options = SHOWN[kind]
    pixels = on((127, 127, 127), (130, 130, 130))
    assert most(saved(kind, pixels, **options)) <= SEEN
    assert most(described(kind, pixels, profile(STAIRS), **options)) >= 28


def test_a_grey_picture_is_looked_at_as_its_profile_shows_it() -> None:
    pixels = on((127, 127, 127), (130, 130, 130))[..., :1]
    assert most(saved("PNG", pixels, "L", icc_profile=profile(STAIRS, grey=True))) >= 40


def test_noise_that_a_profile_takes_away_hides_nothing() -> None:
    pixels = on((120, 120, 0), (120, 134, 0))
    pixels[..., 2] = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH))
    looks = open_photo(saved("PNG", pixels, icc_profile=profile(GAMMA, NO_BLUE)), Limits()).views()
    assert any(view[INK].std(axis=0).max() < 2 and contrast(view) > 5 for view in looks)


def test_writing_that_a_profile_makes_much_of_is_covered(scrubber: Scrubber) -> None:
    pixels = on((127, 127, 127), (129, 129, 129))
    done = scrubber.scrub(saved("PNG", pixels, icc_profile=profile(STAIRS)))
    assert done.data is not None, done.report.reason
    copy = Image.open(io.BytesIO(done.data))
    kept = copy.info["icc_profile"]
    shown = ImageCms.profileToProfile(copy.convert("RGB"), io.BytesIO(kept), ImageCms.createProfile("sRGB"))
    assert shown is not None
    ground = np.median(np.asarray(shown)[~INK])
    assert (np.abs(np.asarray(shown)[INK].astype(int)[:, 0] - ground - 28) < 10).mean() < 0.02


def chunk(kind: bytes, body: bytes) -> Callable[[bytes], bytes]:
    def put(data: bytes) -> bytes:
        at = data.index(b"IDAT") - 4
        whole = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        return data[:at] + whole + data[at:]

    return put


@pytest.mark.parametrize(
    ("put", "least"),
    [
        (chunk(b"gAMA", struct.pack(">I", 100_000)), 15),
        (chunk(b"cICP", bytes((1, 8, 0, 1))), 15),
        (chunk(b"cICP", bytes((1, 9, 0, 1))), 10),
        (chunk(b"cICP", bytes((1, 10, 0, 1))), 10),
    ],
    ids=["gamma", "linear", "log 100", "log 316"],
)
def test_a_png_is_looked_at_as_its_curve_shows_it(put: Callable[[bytes], bytes], least: int) -> None:
    assert most(put(saved("PNG", on((0, 0, 0), (2, 2, 2))))) >= least


@pytest.mark.parametrize("gamma", [100_000, 45_455, 40_000])
def test_a_gamma_that_stands_beside_a_code_point_counts_for_nothing(gamma: int) -> None:
    data = chunk(b"gAMA", struct.pack(">I", gamma))(
        chunk(b"cICP", bytes((1, 13, 0, 1)))(saved("PNG", on((9,) * 3, (11,) * 3)))
    )
    assert len(open_photo(data, Limits()).views()) == 1


def test_a_jpeg_in_a_tiff_keeps_no_word_of_what_is_black_and_white() -> None:
    """Two of 255 levels would be all of them; libtiff passes it over, another viewer need not."""
    fields = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, values in ((529, (1, 8, 1)), (532, (1260, 1320, 1280, 2550, 1280, 2550))):
        fields[tag], fields.tagtype[tag] = tuple(TiffImagePlugin.IFDRational(v, 10) for v in values), 5
    grey = Image.fromarray(on((128,) * 3, (130,) * 3)).convert("YCbCr")
    out = io.BytesIO()
    grey.save(out, "TIFF", compression="jpeg", quality=100, tiffinfo=fields)
    photo = open_photo(out.getvalue(), Limits())
    copy = photo.write().data
    assert {f.where for f in photo.metadata()} == {"IFD0/532"}
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.tag_v2[262] == 6
        assert not {529, 532} & set(opened.tag_v2)
    assert audit.walk(copy, "tiff") == []


def mapped(paper: int, ink: int, unused: int) -> bytes:
    """A TIFF of two of 256 colours, one more in its map."""
    colours = [value for _ in range(3) for value in (paper, ink, unused, *[0] * 253)]
    shorts = {256: [WIDTH], 257: [HEIGHT], 258: [8], 259: [1], 262: [3], 277: [1], 278: [HEIGHT], 320: colours}
    fields = {tag: (3, struct.pack(f"<{len(values)}H", *values)) for tag, values in shorts.items()}
    return tiff_kit.build("<", fields, [INK.astype(np.uint8).tobytes()])


@pytest.mark.parametrize(
    ("data", "seen"), [(mapped(240, 10, 0), True), (mapped(240, 10, 60_000), False)], ids=["8 bits", "16 bits"]
)
def test_every_viewer_reads_a_colour_map_as_it_was_looked_at(data: bytes, seen: bool) -> None:
    """Colours below 256 are colours of 8 bits for libtiff, which OpenCV asks, and black for Pillow."""
    assert (most(data) > 200) == seen
    copy = open_photo(data, Limits()).write().data
    assert audit.walk(copy, "tiff") == []
    by_opencv = cv2.imdecode(np.frombuffer(copy, np.uint8), cv2.IMREAD_COLOR_RGB)
    by_pillow = np.asarray(Image.open(io.BytesIO(copy)).convert("RGB"))
    assert np.array_equal(by_opencv, by_pillow)
    assert (contrast(by_pillow) > 200) == seen


USUAL = {
    "sRGB": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "Adobe RGB": icc.adobe_rgb(),
    "gamma 1.8": profile(b"curv\0\0\0\0" + struct.pack(">IH", 1, round(1.8 * 256))),
    "gamma 2.4": profile(b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.4 * 256))),
    "ProPhoto": profile(
        b"curv\0\0\0\0" + struct.pack(">IH", 1, round(1.8 * 256)),
        ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)),
    ),
    "P3": profile(GAMMA, ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))),
    "grey": profile(GAMMA, grey=True),
}


@pytest.mark.parametrize("name", USUAL)
def test_a_profile_in_use_costs_no_look(name: str) -> None:
    clean = icc.clean(USUAL[name])
    assert clean is not None
    assert managed.plain(clean)
    mode = "L" if name == "grey" else "RGB"
    pixels = on((9,) * len(mode.replace("RGB", "   ")), (200,) * len(mode.replace("RGB", "   ")))
    assert len(open_photo(saved("PNG", pixels, mode, icc_profile=clean), Limits()).views()) == 1


@pytest.mark.parametrize("trc", [STAIRS, LINEAR], ids=["stairs", "linear"])
def test_a_curve_that_spreads_numbers_is_not_plain(trc: bytes) -> None:
    assert not managed.plain(profile(trc))
    assert not managed.plain(profile(trc, grey=True))
