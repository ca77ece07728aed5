"""What a cover and a crop are in each format: the colour, what stays exact, and what the judge makes of it."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

import medimg
from medimg import formats, pipeline
from medimg.covers import covers
from medimg.errors import UsageError
from medimg.policy import CoverRules, Policy, explain
from medimg.redact import colour
from medimg.redact.cover import mask, paint, sample_values
from medimg.report import Decisions
from medimg.types import Action, Box, Colour, Cover, Finding, Limits, Plan, Polygon, Region, from_json, to_json
from medimg.verify import compare
from medimg.vocabulary import CONTENT_CHECKS

WIDTH, HEIGHT = 93, 70
WHITE: Colour = (255, 255, 255)
TEAL: Colour = (0, 128, 128)
BOX = Box(20, 18, 61, 40)
SLANTED: Polygon = ((50.0, 45.0), (80.0, 52.0), (77.0, 63.0), (47.0, 56.0))
CROP = Box(13, 9, 75, 60)


def pixels(channels: int = 3, dtype: Any = np.uint8, seed: int = 1) -> NDArray[Any]:
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    full = int(np.iinfo(dtype).max)
    out = np.random.default_rng(seed).integers(full // 5, full * 4 // 5, shape).astype(dtype)
    if channels in (2, 4):
        out[..., -1] = full
        out[:5, :5, -1] = full // 2
    return out


def saved(array: NDArray[Any], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def smooth() -> NDArray[np.uint8]:
    small = Image.fromarray(np.random.default_rng(2).integers(40, 220, (9, 12, 3), dtype=np.uint8))
    return np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def palette(kind: str, colours: int) -> bytes:
    image = Image.fromarray(pixels()).quantize(colours)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def png16() -> bytes:
    from medimg.formats import png

    return png.encode(pixels(3, np.uint16))


def bits(depth: int) -> bytes:
    """A grey PNG of fewer than 8 bits."""
    values = np.random.default_rng(3).integers(0, 1 << depth, (HEIGHT, WIDTH), dtype=np.uint8)
    per = 8 // depth
    padded = np.zeros((HEIGHT, -(-WIDTH // per) * per), np.uint8)
    padded[:, :WIDTH] = values
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    rows = np.bitwise_or.reduce(padded.reshape(HEIGHT, -1, per) << shifts, axis=2).astype(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def cmyk(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(smooth()).convert("CMYK").save(out, kind, **options)
    return out.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "jpeg 4:2:0": lambda: saved(smooth(), "JPEG", quality=90, subsampling=2),
    "jpeg 4:2:2": lambda: saved(smooth(), "JPEG", quality=90, subsampling=1, restart_marker_blocks=3),
    "jpeg 4:4:4 progressive": lambda: saved(smooth(), "JPEG", quality=95, subsampling=0, progressive=True),
    "jpeg grey": lambda: saved(smooth()[..., 0], "JPEG"),
    "jpeg rgb": lambda: saved(smooth(), "JPEG", keep_rgb=True),
    "jpeg cmyk": lambda: cmyk("JPEG", quality=90),
    "png rgb": lambda: saved(pixels(), "PNG"),
    "png rgba": lambda: saved(pixels(4), "PNG"),
    "png grey": lambda: saved(pixels(1), "PNG"),
    "png grey alpha": lambda: saved(pixels(2), "PNG"),
    "png 16 bit": png16,
    "png 1 bit": lambda: bits(1),
    "png 4 bit": lambda: bits(4),
    "png palette": lambda: palette("PNG", 40),
    "png full palette": lambda: palette("PNG", 256),
    "webp": lambda: saved(pixels(), "WEBP", lossless=True),
    "webp lossy": lambda: saved(smooth(), "WEBP", quality=80),
    "webp alpha": lambda: saved(pixels(4), "WEBP", lossless=True, exact=True),
    "gif": lambda: palette("GIF", 64),
    "gif full palette": lambda: palette("GIF", 256),
    "bmp 24": lambda: saved(pixels(), "BMP"),
    "bmp 32": lambda: saved(pixels(4), "BMP"),
    "bmp 8": lambda: palette("BMP", 64),
    "bmp grey": lambda: saved(pixels(1), "BMP"),
    "tiff rgb": lambda: saved(pixels(), "TIFF", compression="tiff_lzw"),
    "tiff 16 bit": lambda: saved(pixels(1, np.uint16), "TIFF"),
    "tiff rgba": lambda: saved(pixels(4), "TIFF"),
    "tiff cmyk": lambda: cmyk("TIFF"),
    "avif": lambda: saved(smooth(), "AVIF", quality=90),
}


def opened(data: bytes) -> formats.Opened:
    return formats.open_photo(data, Limits())


def filled(colour: Colour, *polygons: Polygon) -> list[Cover]:
    return [Cover(polygon=p, category="name", colour=colour) for p in polygons]


def shown_inside(copy: Any) -> NDArray[np.uint8]:
    """Every colour that a viewer shows well inside the covers of a copy."""
    view = opened(copy.data).views()[0]
    hidden = mask(copy.covered, copy.width, copy.height).astype(np.uint8)
    inner = np.asarray(Image.fromarray(hidden * 255).filter(ImageFilter.MinFilter(3)))
    return np.unique(view[inner > 0].reshape(-1, 3), axis=0)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("wanted", [(0, 0, 0), WHITE, TEAL], ids=["black", "white", "teal"])
def test_a_cover_has_its_colour_and_all_else_is_the_originals(name: str, wanted: Colour) -> None:
    original = opened(FILES[name]())
    copy = original.write(filled(wanted, BOX.polygon, SLANTED))
    assert len(copy.covered) >= 2
    assert copy.lossless
    assert compare.pixels(original, opened(copy.data), copy).state == "passed"
    assert opened(copy.data).metadata() == []
    inside = shown_inside(copy)
    assert len(inside) == 1
    grey = name in ("jpeg grey", "png grey", "png grey alpha", "png 1 bit", "png 4 bit", "bmp grey", "tiff 16 bit")
    expected = np.array([round(sum(np.array(wanted) * (0.299, 0.587, 0.114)))] * 3 if grey else wanted)
    # A coefficient holds a colour to within half its step; few bits hold few greys.
    off = 128 if "1 bit" in name else 9 if "4 bit" in name else 12 if name.startswith("jpeg") else 1
    assert np.abs(inside[0].astype(int) - expected).max() <= off
    if wanted != TEAL and "jpeg" not in name and name != "avif":
        assert (inside[0] == wanted).all()


@pytest.mark.parametrize("name", FILES)
def test_a_crop_is_exact_and_leaves_nothing_outside(name: str) -> None:
    original = opened(FILES[name]())
    copy = original.write(filled(WHITE, BOX.polygon, SLANTED, Box(0, 0, 6, 6).polygon), crop=CROP)
    kept = copy.cropped
    assert kept is not None
    assert kept.overlap(CROP) == kept.area > 0
    assert copy.format == "jpeg" or kept == CROP
    assert (copy.width, copy.height) == (kept.width, kept.height)
    assert "cropped" in copy.notes
    written = opened(copy.data)
    assert (written.width, written.height) == (kept.width, kept.height)
    check = compare.pixels(original, written, copy, CROP)
    assert (check.state, check.detail) == ("passed", "equal outside the covers, flat inside")
    assert all((shown_inside(copy) >= 243).ravel())
    # The cover stands where it stood in the whole picture.
    middle = ((BOX.x0 + BOX.x1) // 2 - kept.x0, (BOX.y0 + BOX.y1) // 2 - kept.y0)
    assert mask(copy.covered, copy.width, copy.height)[middle[1], middle[0]]


@pytest.mark.parametrize("name", ["jpeg 4:2:0", "png rgb", "webp", "gif", "bmp 24", "tiff rgb", "avif"])
def test_a_crop_of_all_is_no_crop_and_one_beside_the_picture_is_refused(name: str) -> None:
    original = opened(FILES[name]())
    whole = original.write(crop=Box(-4, 0, WIDTH, HEIGHT + 9))
    assert whole.cropped is None
    assert whole.data == original.write().data
    for beside in (Box(WIDTH, 0, WIDTH + 9, 9), Box(9, 9, 9, 30), Box(30, 9, 20, 30)):
        with pytest.raises(UsageError):
            original.write(crop=beside)


@settings(max_examples=40)
@given(
    x=st.tuples(st.integers(0, WIDTH), st.integers(0, WIDTH)),
    y=st.tuples(st.integers(0, HEIGHT), st.integers(0, HEIGHT)),
    at=st.tuples(st.integers(0, WIDTH - 2), st.integers(0, HEIGHT - 2)),
    name=st.sampled_from(["png rgba", "png palette", "webp", "gif", "bmp 32", "tiff 16 bit"]),
)
def test_any_crop_with_any_cover(x: tuple[int, int], y: tuple[int, int], at: tuple[int, int], name: str) -> None:
    crop = Box(min(x), min(y), max(x), max(y))
    if crop.width < 1 or crop.height < 1:
        return
    original = opened(FILES[name]())
    cover = Box(at[0], at[1], at[0] + 15, at[1] + 11)
    copy = original.write(filled(TEAL, cover.polygon), crop=crop)
    expected = paint(original.samples(), filled(TEAL, cover.polygon))[crop.y0 : crop.y1, crop.x0 : crop.x1]
    got = opened(copy.data).samples()
    if got.shape != expected.shape:  # nothing that is not opaque was left
        assert (expected[..., -1] == 255).all()
        expected = expected[..., :-1]
    assert np.array_equal(got, expected)
    assert compare.pixels(original, opened(copy.data), copy, crop).state == "passed"


# -- the judge ------------------------------------------------------------------------------------------------------


def judged(change: Callable[[NDArray[np.uint8]], None], **fields: Any) -> str:
    """What the judge says of a copy in which something was changed after covering."""
    original = opened(FILES["png rgb"]())
    copy = original.write(filled(WHITE, BOX.polygon), crop=fields.pop("cut", None))
    samples = opened(copy.data).samples().copy()
    change(samples)
    copy = msgspec.structs.replace(copy, **fields)
    return compare.pixels(original, opened(saved(samples, "PNG")), copy, fields.get("asked")).detail


def test_one_changed_pixel_anywhere_is_seen() -> None:
    def put(x: int, y: int) -> Callable[[NDArray[np.uint8]], None]:
        def change(samples: NDArray[np.uint8]) -> None:
            samples[y, x, 1] ^= 1

        return change

    assert judged(lambda samples: None) == "equal outside the covers, flat inside"
    for x, y in ((0, 0), (WIDTH - 1, HEIGHT - 1), (5, 63), (5, 64), (BOX.x0 - 1, BOX.y0), (BOX.x1, BOX.y1 - 1)):
        assert judged(put(x, y)) == "pixels outside changed"
    for x, y in ((BOX.x0, BOX.y0), (BOX.x1 - 1, BOX.y1 - 1), (40, 30)):
        assert judged(put(x, y)) == "a cover is not flat"


def test_a_cover_in_two_colours_across_a_band_of_rows_is_seen() -> None:
    tall = Box(10, 3, 30, HEIGHT - 2)
    original = opened(FILES["png rgb"]())
    copy = original.write(filled(WHITE, tall.polygon))
    for row in (compare.BAND - 1, compare.BAND, compare.BAND + 1):
        samples = opened(copy.data).samples().copy()
        samples[row : tall.y1, tall.x0 : tall.x1] = 0
        check = compare.pixels(original, opened(saved(samples, "PNG")), copy)
        assert (check.detail, check.found) == ("a cover is not flat", tall.width)


def test_a_copy_that_shows_more_than_the_crop_fails() -> None:
    original = opened(FILES["png rgb"]())
    whole, part = original.write(), original.write(crop=CROP)
    smaller = msgspec.structs.replace(CROP, x1=CROP.x1 - 1)
    assert compare.pixels(original, opened(whole.data), whole, CROP).state == "failed"
    assert compare.pixels(original, opened(part.data), part, smaller).state == "failed"
    lying = msgspec.structs.replace(part, cropped=smaller)
    assert compare.pixels(original, opened(part.data), lying, smaller).state == "failed"
    assert compare.pixels(original, opened(part.data), part, CROP).state == "passed"


# -- the colour -----------------------------------------------------------------------------------------------------


def ground(level: int) -> NDArray[np.uint8]:
    return np.full((200, 300, 3), level, np.uint8)


def test_black_where_it_can_be_seen_else_what_can() -> None:
    label = filled((0, 0, 0), Box(40, 40, 120, 60).polygon)
    assert colour.visible({0: ground(120)}, label) == (0, 0, 0)
    assert colour.visible({0: ground(250)}, label) == (0, 0, 0)
    assert colour.visible({0: ground(12)}, label) == WHITE
    both = ground(12)
    both[:, 150:] = 245
    two = label + filled((0, 0, 0), Box(200, 40, 280, 60).polygon)
    grey, *_ = colour.visible({0: both}, two)
    assert abs(grey - 12) > 100
    assert abs(grey - 245) > 100
    # What the cover hides plays no part.
    hidden = ground(120)
    hidden[40:60, 40:120] = 0
    assert colour.visible({0: hidden}, label) == (0, 0, 0)
    assert colour.visible({0: ground(0)}, filled((0, 0, 0), Box(0, 0, 300, 200).polygon)) == (0, 0, 0)


def test_sample_values_of_a_colour() -> None:
    assert sample_values(TEAL, 3) == [0, 128, 128]
    assert sample_values(WHITE, 4, 65535) == [65535] * 4
    assert sample_values((0, 0, 0), 2) == [0, 255]
    assert sample_values((0, 0, 0), 4, inks=True) == [0, 0, 0, 255]
    assert sample_values(WHITE, 4, inks=True) == [0, 0, 0, 0]


def test_a_cover_is_never_the_colour_that_a_png_shows_as_transparent() -> None:
    for array, key in ((pixels(1), 255), (pixels(3), WHITE), (pixels(3), (0, 0, 0)), (pixels(1), 0)):
        original = opened(saved(array, "PNG", transparency=key))
        wanted = WHITE if key in (255, WHITE) else (0, 0, 0)
        copy = original.write(filled(wanted, BOX.polygon))
        shown = np.asarray(Image.open(io.BytesIO(copy.data)).convert("RGBA"))[BOX.y0 : BOX.y1, BOX.x0 : BOX.x1]
        assert (shown == [*(abs(c - 1) for c in wanted), 255]).all()
        assert compare.pixels(original, opened(copy.data), copy).state == "passed"


def test_the_policy_names_the_colour(tmp_path: Path) -> None:
    assert Policy.load().covers.rgb is None
    file = tmp_path / "p.toml"
    for said, meant in (("white", WHITE), ("black", (0, 0, 0)), ("#008080", TEAL), ("auto", None)):
        file.write_text(f'[covers]\ncolour = "{said}"\n')
        assert Policy.load(file).covers.rgb == meant
    for wrong in ("White", "#12345", "#1234567", "red", "", "black\\n"):
        file.write_text(f'[covers]\ncolour = "{wrong}"\n')
        with pytest.raises(UsageError, match=r"covers\.colour"):
            Policy.load(file)
    with pytest.raises(UsageError):
        _ = CoverRules(colour="red").rgb
    assert any("#008080" in line for line in explain(Policy(covers=CoverRules(colour="#008080"))))


# -- through the pipeline -------------------------------------------------------------------------------------------


class Blind:
    """A detector that finds what it was told in the original and in the copy."""

    version = "test 1"

    def __init__(self, name: str, later: Sequence[list[Finding]] = ()) -> None:
        self.name, self.later = name, list(later)
        self.sizes: list[tuple[int, int]] = []

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return []

    def recheck(self, frame: Any, covers: Any, known: Any = None) -> tuple[list[Finding], str]:
        self.sizes.append((frame.width, frame.height))
        return (self.later.pop(0) if self.later else []), "test 1 again"


def found(box: Box, kind: str = "text") -> Finding:
    return Finding(kind=kind, category="name", detector="test", region=Region(box.polygon))  # type: ignore[arg-type]


def run(data: bytes, plan: Plan, policy: Policy, later: Sequence[list[Finding]] = ()) -> tuple[Any, Any, Blind]:
    text = Blind("text", later)
    sink = pipeline.MemorySink()
    report = pipeline.scrub(data, sink, [text, Blind("codes"), Blind("faces")], policy, plan=plan)
    return report, sink, text


def test_an_edited_plan_with_a_crop_goes_through_json_and_back() -> None:
    scrubber = medimg.Scrubber(Policy(), detectors=[Blind("text"), Blind("codes"), Blind("faces")])
    data = FILES["jpeg 4:2:0"]()
    plan = scrubber.inspect(data)
    held = Action(finding=found(Box(0, 0, 8, 8), "face"), do="hold", why="a cover would hide most of the picture")
    plan = msgspec.structs.replace(plan, actions=(*plan.actions, held))
    assert scrubber.scrub(data, plan=plan).held
    edited = from_json(to_json(msgspec.structs.replace(plan, crop=Box(16, 16, 80, 64))), Plan)
    done = scrubber.scrub(data, plan=edited)
    assert done.data is not None
    assert done.report.copy is not None
    assert done.report.copy.cropped == Box(16, 16, 80, 64)
    assert Image.open(io.BytesIO(done.data)).size == (64, 48)
    assert from_json(to_json(done.report), medimg.Report).plan == edited


def test_the_example_in_the_library_page() -> None:
    page = (Path(__file__).parents[2] / "docs/library.md").read_text("utf-8")
    (code,) = re.findall(r"<!-- example: edited plan -->\n```python\n(.*?)```", page, re.DOTALL)
    drug = found(Box(100, 40, 140, 50))
    text, again = Blind("text"), Blind("text", [[drug]])
    text.find = lambda frame, known=None: [drug]  # type: ignore[method-assign]
    text.recheck = again.recheck  # type: ignore[method-assign]
    names: dict[str, Any] = {
        "medimg": medimg,
        "scrubber": medimg.Scrubber(Policy(), detectors=[text, Blind("codes"), Blind("faces")]),
        "photo": saved(np.tile(smooth(), (2, 2, 1)), "JPEG", subsampling=2),
    }
    exec(code, names)
    done = names["copy"]
    assert done.data is not None
    assert done.report.copy.cropped == Box(0, 0, 160, 96)
    view = opened(done.data).views()[0]
    assert view.shape == (96, 160, 3)
    assert (view[34:58, 50:80] == view[40, 60]).all()
    assert len(np.unique(view[40:50, 100:140])) > 20
    assert from_json(to_json(Decisions(run="R", plans={"P01-001": names["plan"]})), Decisions).plans["P01-001"]


def test_a_plan_of_an_earlier_version_has_no_crop() -> None:
    old = b'{"schema": "medimg.plan/1", "width": 3, "height": 4, "actions": []}'
    assert from_json(old, Plan) == Plan(width=3, height=4)


def test_the_second_look_sees_the_crop_and_what_it_finds_is_covered_in_place() -> None:
    late = found(Box(8, 8, 24, 16))  # in the coordinates of the crop
    plan = Plan(width=WIDTH, height=HEIGHT, crop=CROP)
    report, sink, text = run(FILES["png rgb"](), plan, Policy(covers=CoverRules(colour="white")), [[late]])
    assert report.state == "unreviewed"
    assert text.sizes == [(CROP.width, CROP.height)] * 2
    (action,) = report.plan.actions
    assert action.finding.region.box == Box(CROP.x0 + 8, CROP.y0 + 8, CROP.x0 + 24, CROP.y0 + 16)
    samples = np.asarray(Image.open(io.BytesIO(sink.data)))
    assert (samples[9:15, 9:23] == 255).all()
    assert not (samples[20:] == 255).all()


def test_what_a_person_kept_is_kept_in_a_crop_too() -> None:
    kept = found(Box(30, 20, 50, 30))
    plan = Plan(
        width=WIDTH,
        height=HEIGHT,
        crop=CROP,
        actions=(Action(finding=kept, do="keep", why="harmless", by="person"),),
    )
    again = found(Box(30 - CROP.x0, 20 - CROP.y0, 50 - CROP.x0, 30 - CROP.y0))
    report, _, _ = run(FILES["png rgb"](), plan, Policy(), [[again]])
    assert report.state == "unreviewed"
    assert len(report.plan.actions) == 1


def test_a_crop_beside_the_picture_holds_nothing_back_silently() -> None:
    plan = Plan(width=WIDTH, height=HEIGHT, crop=Box(500, 500, 600, 600))
    report, sink, _ = run(FILES["png rgb"](), plan, Policy())
    assert report.copy is None
    assert not sink.data
    assert report.error_code


def test_a_jpeg_crop_without_a_whole_block_is_held() -> None:
    plan = Plan(width=WIDTH, height=HEIGHT, crop=Box(3, 3, 12, 12))
    report, sink, _ = run(FILES["jpeg 4:2:0"](), plan, Policy())
    assert report.state == "held"
    assert not sink.data


def test_the_covers_of_a_dark_picture_are_white_and_all_of_one_colour() -> None:
    dark = (pixels() // 12).astype(np.uint8)
    actions = tuple(Action(finding=found(b), do="cover", why="x") for b in (BOX, Box(70, 50, 90, 60)))
    report, sink, _ = run(saved(dark, "PNG"), Plan(width=WIDTH, height=HEIGHT, actions=actions), Policy())
    assert report.state == "unreviewed"
    samples = np.asarray(Image.open(io.BytesIO(sink.data)))
    covered = mask(report.copy.covered, WIDTH, HEIGHT)
    assert (samples[covered] == 255).all()
    assert samples[~covered].max() < 40


def test_a_metadata_only_run_with_a_plan_compares_the_pixels() -> None:
    actions = (Action(finding=found(BOX), do="cover", why="x"),)
    plan = Plan(width=WIDTH, height=HEIGHT, actions=actions)
    report, _, _ = run(FILES["png rgb"](), plan, Policy(scope="metadata-only"))
    assert report.state == "unreviewed"
    assert {c.name: c.state for c in report.checks}["pixels"] == "passed"


# -- the shape ------------------------------------------------------------------------------------------------------


def test_the_margin_goes_by_kind_and_a_slanted_line_has_a_slanted_cover() -> None:
    policy = Policy()
    plan = Plan(
        width=400,
        height=400,
        actions=tuple(
            Action(finding=Finding(kind=kind, category="x", detector="t", region=Region(polygon)), do="cover", why="x")
            for kind, polygon in (
                ("text", ((100.0, 100.0), (300.0, 150.0), (290.0, 189.0), (90.0, 139.0))),
                ("text", Box(100, 100, 300, 140).polygon),
                ("code", Box(100, 100, 200, 200).polygon),
                ("face", Box(100, 100, 200, 200).polygon),
            )
        ),
    )
    slanted, line, code, face = covers(plan, policy)
    hidden = int(mask([slanted.polygon], 400, 400).sum())
    assert hidden < 0.75 * Region(slanted.polygon).box.area  # the corners of its upright box stay to be seen
    grown = [Region(c.polygon).box for c in (line, code, face)]
    assert grown[0] == Box(95, 95, 305, 145)
    assert grown[1] == Box(92, 92, 208, 208)
    assert grown[2] == Box(90, 90, 210, 210)


# -- HEIC and AVIF as JPEG ---------------------------------------------------------------------------------------------


def deep(alpha: bool = False) -> bytes:
    """An AVIF photo of wide gamut, named by a profile."""
    from PIL import ImageCms

    picture = Image.fromarray(smooth())
    if alpha:
        picture.putalpha(128)
    out = io.BytesIO()
    picture.save(
        out, "AVIF", quality=90, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    return out.getvalue()


def cleaned_as_jpeg(data: bytes, boxes: Sequence[Box]) -> tuple[Any, bytes]:
    plan = Plan(
        width=WIDTH,
        height=HEIGHT,
        actions=tuple(
            Action(
                finding=Finding(kind="text", category="name", detector="x", region=Region(b.polygon)),
                do="cover",
                why="x",
            )
            for b in boxes
        ),
    )
    sink = pipeline.MemorySink()
    nothing = [Quiet(name) for name in CONTENT_CHECKS]
    policy = Policy(covers=CoverRules(heif="jpeg"))
    return pipeline.scrub(data, sink, nothing, policy, plan=plan), sink.data


class Quiet:
    version = "fake 1"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return []

    def recheck(self, frame: Any, covers: Any, known: Any = None) -> tuple[list[Finding], str]:
        return [], "fake 1"


def test_a_covered_avif_becomes_a_jpeg_of_the_same_look_when_asked() -> None:
    report, data = cleaned_as_jpeg(deep(), [BOX])
    assert report.state == "unreviewed", report.reason
    assert report.copy is not None
    assert (report.copy.format, report.copy.method, report.copy.lossless) == ("jpeg", "re-encoded", False)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["icc_profile"]
        assert picture.getexif() == {}
        after = np.asarray(picture.convert("RGB")).astype(int)
    before = opened(deep()).samples().astype(int)
    hidden = mask(report.copy.covered, WIDTH, HEIGHT)
    assert (after[hidden] == after[hidden][0]).all()
    assert np.abs(before - after)[~hidden].mean() < 1.5
    (pixel_check,) = [c for c in report.checks if c.name == "pixels"]
    assert pixel_check.detail.startswith("saved again")


def test_an_avif_that_no_jpeg_can_show_or_that_needs_no_cover_stays_as_it_was() -> None:
    assert cleaned_as_jpeg(deep(alpha=True), [BOX])[0].copy.format == "png"
    assert cleaned_as_jpeg(deep(), [])[0].copy.format == "heif"


def test_a_copy_saved_again_that_looks_different_does_not_pass() -> None:
    original = opened(FILES["png rgb"]())
    shown = np.asarray(original.samples()).copy()
    shown[30:50, 60:80] = 90
    copy = msgspec.structs.replace(original.write(), lossless=False, method="re-encoded")
    altered = opened(saved(shown, "PNG"))
    assert compare.pixels(original, original, copy).state == "passed"
    assert compare.pixels(original, altered, copy).detail == "the picture outside the covers looks different"


# -- a line beside a cover ------------------------------------------------------------------------------------------


def line_and_name(kind: str, gap: int) -> tuple[bytes, Any, NDArray[Any]]:
    """A picture with a name and, ``gap`` pixels below it, a line that stays, cleaned; and where that line is."""
    rows = np.random.default_rng(3).integers(60, 200, (160, 320, 3)).astype(np.uint8)
    data = saved(rows, kind, **({"subsampling": 2, "quality": 95} if kind == "JPEG" else {}))
    name = found(Box(40, 30, 280, 62))
    beside = msgspec.structs.replace(found(Box(40, 62 + gap, 280, 90 + gap)), category="harmless")
    text = Blind("text")
    text.find = lambda frame, known=None: [name, beside]  # type: ignore[method-assign]
    with medimg.Scrubber(Policy(), detectors=[text, Blind("codes"), Blind("faces")]) as scrubber:
        done = scrubber.scrub(data)
    assert done.data is not None
    before, after = (opened(some).views()[0].astype(int) for some in (data, done.data))
    line = np.s_[62 + gap + 4 : 90 + gap - 4, 44:276]
    return data, done, np.asarray((after[line] == before[line]).all(axis=2))


@pytest.mark.parametrize("gap", range(0, 20, 3))
def test_no_line_beside_a_cover_is_cut_lengthwise_in_a_jpeg(gap: int) -> None:
    _, done, same = line_and_name("JPEG", gap)
    cut = same.mean(axis=1)
    kept = bool(same[5:].all())  # the fringe of the cover's last block may reach its first rows
    assert kept or not cut.any()
    assert len(done.report.plan.doing("cover")) == (1 if kept else 2)


@pytest.mark.parametrize("gap", range(0, 9, 2))
def test_beside_a_line_that_stays_a_cover_in_a_png_has_no_margin(gap: int) -> None:
    _, done, same = line_and_name("PNG", gap)
    assert same.all()
    assert len(done.report.plan.doing("cover")) == 1
