"""The second reader reads the size that HEVC and AV1 pictures state of themselves, whatever else their heads hold."""

from __future__ import annotations

import itertools
import struct

import pytest
from heif_kit import TILE, av1, box, grid, heif, ispe
from PIL import Image

from medimg import audit
from medimg.errors import Malformed


class Bits:
    """Bits, most significant first."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, width: int, value: int = 0) -> Bits:
        self.text += f"{value:0{width}b}" if width else ""
        return self

    def ue(self, value: int) -> Bits:
        """Exp-Golomb (ITU-T H.265, 9.2)."""
        code = f"{value + 1:b}"
        self.text += "0" * (len(code) - 1) + code
        return self

    def bytes(self) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8)


# -- HEVC -------------------------------------------------------------------------------------------------------------

Window = tuple[int, int, int, int]


def sps(
    width: int, height: int, *, chroma: int = 1, window: Window | None = None, layers: tuple[tuple[int, int], ...] = ()
) -> bytes:
    """A sequence parameter set up to its size (ITU-T H.265, 7.3.2.2); ``layers``: profile and level there or not."""
    bits = Bits().put(4).put(3, len(layers)).put(1).put(96)
    if layers:
        bits.put(16, sum(p << 15 - 2 * k | q << 14 - 2 * k for k, (p, q) in enumerate(layers)))
        for there, level in layers:
            bits.put(88 * there).put(8 * level)
    bits.ue(0).ue(chroma)
    if chroma == 3:
        bits.put(1)
    bits.ue(width).ue(height).put(1, window is not None)
    for cut in window or ():
        bits.ue(cut)
    return b"\x42\1" + escaped(bits.ue(0).bytes())


def escaped(raw: bytes) -> bytes:
    """With a 3 between two zeros and what would look like a start code (7.4.2)."""
    out = bytearray()
    for byte in raw:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


SLICE = b"\x26\1\x80"
"""The first slice of a picture that stands alone."""


def heic(*units: bytes, size: tuple[int, int] = (64, 48), sets: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    record = bytes(21) + bytes((3, len(sets)))
    for kind, unit in sets:
        record += struct.pack(">BHH", kind, 1, len(unit)) + unit
    payload = b"".join(struct.pack(">I", len(u)) + u for u in units)
    return heif(b"heic", [(b"hvc1", payload, [box(b"hvcC", record), ispe(*size)])])


def strays(data: bytes) -> list[str]:
    return audit.walk(data, "heif")


@pytest.mark.parametrize("chroma", range(4))
@pytest.mark.parametrize("layers", [(), ((0, 0),), ((1, 0), (0, 1)), ((1, 1), (1, 1), (0, 0))])
def test_the_size_of_an_hevc_picture_is_read_behind_its_profile(
    chroma: int, layers: tuple[tuple[int, int], ...]
) -> None:
    def judged(parameters: bytes) -> list[str]:
        return strays(heic(SLICE, sets=((33, parameters),)))

    assert judged(sps(64, 48, chroma=chroma, layers=layers)) == []
    for width, height in ((65, 48), (64, 47), (48, 64)):
        assert judged(sps(width, height, chroma=chroma, layers=layers)) == ["mdat/size of a picture"]
    across, down = 2 if chroma in (1, 2) else 1, 2 if chroma == 1 else 1
    cut: Window = (1, 2, 3, 4)
    whole = 64 + 3 * across, 48 + 7 * down
    assert judged(sps(*whole, chroma=chroma, layers=layers, window=cut)) == []
    assert judged(sps(64, 48, chroma=chroma, layers=layers, window=cut)) == ["mdat/size of a picture"]


@pytest.mark.parametrize(
    ("window", "cut", "good"),
    [
        ((0, 15, 0, 0), (15, 0), True),
        ((8, 8, 0, 0), (16, 0), False),
        ((0, 0, 7, 8), (0, 15), True),
        ((0, 0, 16, 0), (0, 16), False),
    ],
)
def test_what_a_window_cuts_off_is_narrow(window: Window, cut: tuple[int, int], good: bool) -> None:
    parameters = sps(64 + cut[0], 48 + cut[1], chroma=3, window=window)
    assert (strays(heic(SLICE, sets=((33, parameters),))) == []) == good


def test_parameter_sets_stand_alike_wherever_they_stand() -> None:
    good, other = sps(64, 48), sps(64, 48, chroma=0)
    assert strays(heic(good, SLICE)) == []
    assert strays(heic(good, SLICE, sets=((33, good),))) == []
    assert strays(heic(other, SLICE, sets=((33, good),))) == ["mdat/size of a picture"]
    assert strays(heic(SLICE)) == ["mdat/size of a picture"]
    for kind in (32, 33, 34, 0x80 | 33):
        assert strays(heic(SLICE, sets=((33, good), (kind, good)))) == []
    for kind in (31, 35, 39):
        assert strays(heic(SLICE, sets=((33, good), (kind, good)))) == ["meta/iprp/hvcC"]


@pytest.mark.parametrize("kind", range(64))
def test_an_hevc_item_holds_slices_and_parameter_sets(kind: int) -> None:
    good = sps(64, 48)
    unit = bytes((kind << 1, 1, 0))  # no first slice
    expected = [] if kind in (*range(16, 22), 32, 34) else ["mdat/supplemental unit"]
    if kind == 33:
        expected = ["mdat/size of a picture"]
    assert strays(heic(SLICE, unit, sets=((33, good),))) == expected
    for layered in (bytes((kind << 1 | 1, 1, 0)), bytes((kind << 1, 9, 0))):
        assert "mdat/supplemental unit" in strays(heic(SLICE, layered, sets=((33, good),)))


def test_an_hevc_item_holds_one_picture() -> None:
    good = ((33, sps(64, 48)),)
    assert strays(heic(SLICE, SLICE, sets=good)) == ["mdat/further picture"]
    assert strays(heic(SLICE[:2] + b"\0", sets=good)) == ["mdat/further picture"]
    with pytest.raises(Malformed):
        strays(heic(SLICE, b"\x26\1", sets=good))  # shorter than its head


# -- AV1 --------------------------------------------------------------------------------------------------------------


def sequence(
    width: int, height: int, *, reduced: bool = False, timing: str = "", delay: int = 0, shown: bool = False,
    points: tuple[tuple[int, bool, bool], ...] = ((8, False, False),),
) -> bytes:  # fmt: skip
    """A sequence header up to its size (AV1, 5.5.1); of each operating point its level, and what it says besides."""
    bits = Bits().put(3).put(1, 1).put(1, reduced)
    if reduced:
        bits.put(5, 8)
    else:
        bits.put(1, bool(timing))
        if timing:
            bits.put(32, 1).put(32, 25).put(1, timing == "equal")
            if timing == "equal":
                bits.ue(6)
            bits.put(1, delay > 0)
            if delay:
                bits.put(5, delay - 1).put(32, 1).put(5, 3).put(5, 3)
        bits.put(1, shown).put(5, len(points) - 1)
        for level, model, display in points:
            bits.put(12).put(5, level)
            if level > 7:
                bits.put(1, 1)
            if delay:
                bits.put(1, model)
                if model:
                    bits.put(delay, 1).put(delay, 1).put(1)
            if shown:
                bits.put(1, display)
                if display:
                    bits.put(4, 9)
    across, down = (width - 1).bit_length(), (height - 1).bit_length() + 1
    return bits.put(4, across - 1).put(4, down - 1).put(across, width - 1).put(down, height - 1).bytes()


def unit(kind: int, content: bytes = b"\x80", *, sized: bool = True, extension: bool = False) -> bytes:
    head = bytes((kind << 3 | extension << 2 | sized << 1,)) + b"\0" * extension
    return head + (length(len(content)) if sized else b"") + content


def length(value: int, least: int = 1) -> bytes:
    out = []
    while value > 127 or len(out) < least - 1:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def avif(*units: bytes, size: tuple[int, int] = (300, 200)) -> bytes:
    return heif(b"avif", [(b"av01", b"".join(units), [box(b"av1C", b"\x81\0\0\0"), ispe(*size)])])


POINTS = (((8, False, False),), ((7, True, True), (5, False, True)), ((12, True, False), (7, False, False)))


@pytest.mark.parametrize("reduced", [True, False])
@pytest.mark.parametrize("timing", ["", "plain", "equal"])
def test_the_size_of_an_av1_picture_is_read_behind_its_operating_points(reduced: bool, timing: str) -> None:
    for delay, shown, points in itertools.product((0, 1, 10) if timing else (0,), (False, True), POINTS):
        more = {"reduced": reduced, "timing": timing, "delay": delay, "shown": shown, "points": points}
        for width, height in ((300, 200), (301, 200), (300, 199)):
            found = strays(avif(unit(1, sequence(width, height, **more)), unit(6)))  # type: ignore[arg-type]
            assert found == ([] if (width, height) == (300, 200) else ["mdat/size of a picture"]), more


HEAD = unit(1, sequence(300, 200))


@pytest.mark.parametrize(
    ("units", "found"),
    [
        ((HEAD, unit(6)), []),
        ((HEAD, unit(3), unit(4), unit(4)), []),
        ((HEAD, unit(6, extension=True)), []),
        ((HEAD, unit(6, sized=False)), []),
        ((HEAD, unit(6, bytes(200))), []),
        ((HEAD, unit(6), unit(6)), ["mdat/further picture"]),
        ((HEAD, unit(3)), ["mdat/further picture"]),
        ((HEAD, unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(4), unit(6)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(6), unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(3), unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(4), unit(3)), ["mdat/further picture"]),
        ((HEAD, unit(6), unit(4)), ["mdat/further picture"]),
        ((HEAD, HEAD, unit(6)), ["mdat/further picture"]),
        ((unit(6),), ["mdat/further picture", "mdat/size of a picture"]),
        ((HEAD, unit(6), unit(5)), ["mdat/metadata unit", "mdat/further picture"]),
        ((HEAD, unit(6), unit(2)), ["mdat/metadata unit", "mdat/further picture"]),
    ],
)
def test_an_av1_item_holds_one_picture(units: tuple[bytes, ...], found: list[str]) -> None:
    assert strays(avif(*units)) == found


@pytest.mark.parametrize("least", range(1, 11))
def test_a_length_has_at_most_eight_bytes(least: int) -> None:
    data = avif(HEAD, b"\x32" + length(3, least) + b"abc")
    if least <= 8:
        assert strays(data) == []
    else:
        with pytest.raises(Malformed):
            strays(data)
    with pytest.raises(Malformed):
        strays(avif(HEAD, b"\x32" + length(4, min(least, 8)) + b"abc"))


def test_the_decoders_configuration_holds_sequence_headers_alone() -> None:
    def configured(config: bytes) -> list[str]:
        item = (b"av01", HEAD + unit(6), [box(b"av1C", config), ispe(300, 200)])
        return strays(heif(b"avif", [item]))

    assert configured(b"\x81\0\0\0" + HEAD) == []
    for wrong in (b"\x01\0\0\0" + HEAD, b"\x81\0\0\0" + unit(5), b"\x81\0\0\0" + HEAD + unit(6)):
        assert configured(wrong) == ["meta/iprp/av1C"]


# -- grids ------------------------------------------------------------------------------------------------------------


def noisy(side: int) -> Image.Image:
    return Image.effect_noise((side, side), 80).convert("RGB")


def test_what_lies_64_pixels_past_a_canvas_is_the_encoders() -> None:
    picture = noisy(256)
    for width, height, found in ((192, 256, []), (256, 192, []), (191, 256, 1), (256, 191, 1)):
        expected = ["mdat/grid/picture past the canvas"] if found else []
        assert strays(grid(picture, width, height)) == expected


def test_a_grid_has_the_tiles_and_the_sizes_that_it_says() -> None:
    payload, config = av1(Image.new("RGB", (TILE, TILE), (90, 80, 70)))

    def tiled(rows: int, columns: int, canvas: tuple[int, int], *, said: tuple[int, int] | None = None) -> list[str]:
        head = struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, *canvas)
        items = [(b"grid", head, [ispe(*(said or canvas))])]
        items += [(b"av01", payload, [config, ispe(TILE, TILE)])] * 2
        return strays(heif(b"avif", items, [2, 3]))

    assert tiled(1, 2, (128, 64)) == tiled(2, 1, (64, 128)) == tiled(1, 2, (65, 1)) == []
    assert tiled(1, 1, (64, 64)) == tiled(2, 2, (128, 128)) == ["mdat/grid/tiles"]
    assert tiled(1, 2, (128, 64), said=(128, 63)) == ["mdat/grid/sizes"]
    for canvas in ((129, 64), (128, 65), (64, 64)):
        assert tiled(1, 2, canvas) == ["mdat/grid/tiles past the canvas"]
