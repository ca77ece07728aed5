"""Old eye bars and mosaics, small bystanders, and odd pictures: all on drawn heads."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import medimg
from medimg import formats, frames
from medimg.api import Scrubber
from medimg.consent.evidence import evidence
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect import drawn_head as face
from medimg.detect.faces import detector as faces
from medimg.detect.faces import disguise as _disguise
from medimg.formats import sequence
from medimg.native.opencv import cv2
from medimg.policy import FaceRules, MetadataRules, Policy, explain
from medimg.types import NOTHING_KNOWN, Box, Check, CopySummary, Finding, Limits, Polygon, Region, Report

Pixels = NDArray[np.uint8]
SIZE = (480, 640)
EYES = (320, 187)
"""Between the eyes of :func:`portrait`, x and y."""
BROAD = 172
"""Its head across."""


def on(background: Pixels, height: int, x: int, y: int, tone: str = "III") -> Pixels:
    """A head of so many pixels, the drawing's top left corner at x, y."""
    out = background.copy()
    part = np.asarray(face.draw(height * face.HEIGHT // (face.HEAD[3] - face.HEAD[1]), tone))
    out[y : y + part.shape[0], x : x + part.shape[1]] = part
    return out


def portrait(tone: str = "III") -> Pixels:
    wall = np.random.default_rng(2).integers(110, 150, (*SIZE, 3), dtype=np.uint8)
    return on(wall, 279, 176, 20, tone)


def jpeg(rgb: Pixels, quality: int = 85) -> Pixels:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out).convert("RGB"))


def bar(rgb: Pixels, grey: int, slant: float = 0.0, *, round_: bool = False) -> Pixels:
    out = rgb.copy()
    if round_:
        cv2.ellipse(out, (EYES, (1.1 * BROAD, 50), slant), (grey,) * 3, -1)
    else:
        cv2.fillPoly(out, [np.round(cv2.boxPoints((EYES, (BROAD, 40), slant))).astype(np.int32)], (grey,) * 3)
    return out


def mosaic(rgb: Pixels, block: int) -> Pixels:
    out, (y, x), (high, wide) = rgb.copy(), (90, 230), (208 // block * block, 176 // block * block)
    part = out[y : y + high, x : x + wide]
    small = cv2.resize(part, (wide // block, high // block), interpolation=cv2.INTER_AREA)
    part[:] = np.repeat(np.repeat(small, block, axis=0), block, axis=1)
    return out


OLD: dict[str, Callable[[Pixels], Pixels]] = {
    "black": lambda a: bar(a, 0),
    "white": lambda a: bar(a, 255),
    "grey": lambda a: bar(a, 90),
    "slanted": lambda a: bar(a, 0, 15),
    "round": lambda a: bar(a, 0, round_=True),
    "mosaic of 12": lambda a: mosaic(a, 12),
    "mosaic of 22": lambda a: mosaic(a, 22),
}


@pytest.fixture(scope="module")
def detector() -> faces.Faces:
    return faces.make(Policy())


def of(found: Sequence[Finding], category: str) -> list[Box]:
    return [f.region.box for f in found if f.category == category and f.region]


def holds(box: Box, x: float, y: float) -> bool:
    return box.x0 <= x < box.x1 and box.y0 <= y < box.y1


def quick(kinds: Iterable[Any], *first: Any) -> list[Any]:
    """All of them: ``first`` in every run, their likes in the long one."""
    return [kind if kind in first else pytest.param(kind, marks=pytest.mark.long) for kind in kinds]


@pytest.mark.parametrize("kind", quick(OLD, "black", "grey", "slanted", "mosaic of 22"))
def test_an_old_bar_or_mosaic_asks_whatever_else_is_found(kind: str, detector: faces.Faces) -> None:
    found = detector.find(Frame(jpeg(OLD[kind](portrait()))))
    (box,) = of(found, "old-disguise")
    for x, y in (EYES, (320, 110), (320, 290), (250, 200), (390, 200)):  # hair, chin, cheeks
        assert holds(box, x, y)
    plan = decide(found, Policy(), width=640, height=480)
    (asked,) = [a for a in plan.doing("ask") if a.finding.category == "old-disguise"]
    assert "not a disguise" in asked.why
    assert not any(a.finding.category == "old-disguise" for a in plan.doing("cover", "keep"))


@pytest.mark.parametrize("turn", quick((1, 2), 1))
@pytest.mark.parametrize("kind", ["black", "mosaic of 22"])
def test_turned(kind: str, turn: int, detector: faces.Faces) -> None:
    x, y = EYES
    size = SIZE
    for _ in range(turn):
        x, y, size = y, size[1] - 1 - x, (size[1], size[0])
    picture = np.ascontiguousarray(np.rot90(OLD[kind](portrait("V")), turn))
    (box,) = of(detector.find(Frame(picture)), "old-disguise")
    assert holds(box, x, y)


def test_a_bar_on_a_close_up_that_no_network_sees() -> None:
    skin = np.full((*SIZE, 3), (205, 160, 135), np.uint8)
    cv2.rectangle(skin, (60, 200), (580, 270), (0, 0, 0), -1)
    (found,) = _disguise.disguises(Frame(jpeg(skin)), [])
    assert found.head == Box(0, 0, 640, 480)


@pytest.mark.parametrize(("round_it", "score", "found"), [
    ((120, 125, 130), 0.2, 0),  # a skirting board on a wall, beside a foot that is a little like a face
    ((120, 125, 130), 0.5, 1),  # the networks alone ask about the face
    ((205, 160, 135), 0.2, 1),
    ((120, 120, 120), 0.2, 1),  # no colours to tell by
])  # fmt: skip
def test_where_hardly_a_face_is_seen_a_bar_is_one_among_skin_alone(
    round_it: tuple[int, int, int], score: float, found: int
) -> None:
    picture = np.full((*SIZE, 3), round_it, np.uint8)
    if round_it == (120, 125, 130):
        picture[330:] = (60, 120, 190)  # else hardly any colour is in it
    cv2.rectangle(picture, (240, 170), (400, 205), (20, 20, 20), -1)
    place = _disguise.Place((220, 100, 420, 360), Box(160, 0, 480, 450), 0, score)
    assert len(_disguise.disguises(Frame(jpeg(picture)), [place])) == found


def test_a_face_without_a_bar_is_not_asked_about(detector: faces.Faces) -> None:
    for tone in ("I", "V"):
        assert of(detector.find(Frame(jpeg(portrait(tone)))), "old-disguise") == []


def test_covers_of_our_own_are_not_asked_about(detector: faces.Faces) -> None:
    whole = portrait()
    (head,) = of(detector.find(Frame(whole)), "face")
    whole[head.y0 : head.y1, head.x0 : head.x1] = 0
    whole[430:460, 40:200] = 0  # a line of text
    assert detector.find(Frame(jpeg(whole))) == []
    skin = np.full((*SIZE, 3), (205, 160, 135), np.uint8)
    skin[400:430, 300:520] = 0
    skin[60:90, 40:200] = 255
    assert of(detector.find(Frame(jpeg(skin))), "old-disguise") == []


def lined(grey: int = 0, *, noise: bool = False) -> bytes:
    """Skin and a long line of covered text on it, as a PNG; with noise the bar is of more than one grey."""
    skin = (np.array((205, 160, 135)) + np.random.default_rng(3).integers(-4, 5, (*SIZE, 1))).astype(np.uint8)
    skin[330:400, 60:580] = (grey,) * 3
    if noise:
        skin[340:390:3, 70:570:5] += 1
    out = io.BytesIO()
    Image.fromarray(skin).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("grey", quick((0, 90, 255), 0))
def test_a_cover_on_plain_skin_is_none_that_is_left_to_cover(grey: int, scrubber: Scrubber) -> None:
    (faces_,) = [c for c in scrubber.verify(lined(grey)) if c.name == "faces"]
    assert (faces_.state, faces_.found) == ("passed", 0)
    assert "1 taken for a cover" in faces_.detail
    asked = [a.finding.category for a in scrubber.inspect(lined(grey)).doing("ask")]
    assert asked == ["old-disguise"]  # in a photo it is asked about as before


def test_a_bar_that_is_no_cover_of_ours_is_left(scrubber: Scrubber) -> None:
    (faces_,) = [c for c in scrubber.verify(lined(noise=True)) if c.name == "faces"]
    assert (faces_.state, faces_.found, faces_.detail) == ("failed", 1, "")


@pytest.mark.parametrize("kind", quick(("black", "grey", "slanted"), "grey"))
def test_a_flat_bar_on_a_face_is_left_whatever_its_colour(kind: str, scrubber: Scrubber) -> None:
    out = io.BytesIO()
    Image.fromarray(OLD[kind](portrait())).save(out, "PNG")
    (faces_,) = [c for c in scrubber.verify(out.getvalue()) if c.name == "faces"]
    assert faces_.state == "failed"
    assert faces_.found >= 1


def codes() -> Pixels:
    """Squares of black and white on a grid, as in a 2-D code."""
    bits = np.random.default_rng(4).integers(0, 2, (25, 25), dtype=np.uint8)
    out = np.full((*SIZE, 3), 200, np.uint8)
    out[100:400, 150:450] = np.repeat(np.repeat(bits, 12, 0), 12, 1)[..., None] * 255
    return out


def ruled() -> Pixels:
    """A ruler, and tape beside it."""
    out = np.full((*SIZE, 3), (40, 90, 60), np.uint8)
    cv2.rectangle(out, (40, 200), (600, 270), (250, 250, 245), -1)
    for n in range(0, 540, 6):
        cv2.line(out, (50 + n, 200), (50 + n, 225 if n % 60 == 0 else 212), (0, 0, 0), 1)
    cv2.rectangle(out, (100, 350), (300, 390), (240, 240, 235), -1)
    return out


def letterbox() -> Pixels:
    out = portrait()
    out[:60] = out[-60:] = 0
    return out


def blocks() -> Pixels:
    """A smooth wall, saved so small that its JPEG blocks show."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    return jpeg(np.stack([60 + x / 5, 90 + y / 6, 150 - x / 8], axis=2).astype(np.uint8), 3)


@pytest.mark.parametrize("scene", [codes, ruled, letterbox, blocks])
def test_what_is_no_disguise(scene: Callable[[], Pixels], detector: faces.Faces) -> None:
    assert of(detector.find(Frame(scene())), "old-disguise") == []


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (63, 64), (2, 50_000)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    for found in _disguise.disguises(Frame(noise), []):
        assert found.head.clipped(size[1], size[0]) == found.head


def test_small_bystanders_are_found_by_choice(detector: faces.Faces) -> None:
    room = cv2.resize(np.random.default_rng(3).integers(60, 180, (24, 32, 3), dtype=np.uint8), (1280, 960))
    people = [(200, 300), (500, 500), (900, 200)]
    for (x, y), tone in zip(people, ("I", "III", "V"), strict=True):
        room = on(np.asarray(room, np.uint8), 48, x, y, tone)
    middles = [(x + 24, y + 30) for x, y in people]
    small = faces.make(Policy(faces=FaceRules(small=True)))

    def seen(by: faces.Faces) -> int:
        boxes = of(by.find(Frame(np.asarray(room, np.uint8))), "face")
        return sum(any(holds(b, *m) for b in boxes) for m in middles)

    assert seen(small) == 3
    assert seen(detector) < 3
    left, _engine = small.recheck(Frame(np.asarray(room, np.uint8)), [])
    assert len(left) == 3


def test_the_choice_stands_in_the_policy_and_on_the_command_line(tmp_path: Path) -> None:
    clean = importlib.import_module("medimg.cli.clean").clean
    inspect = importlib.import_module("medimg.cli.inspect").inspect
    common = importlib.import_module("medimg.cli.common")
    for command in (clean, inspect):
        assert "--small-faces" in CliRunner().invoke(command, ["--help"]).output
    assert common.read_policy(None, False, True).faces.small
    assert not common.read_policy(None, False).faces.small
    own = tmp_path / "own.toml"
    own.write_text('schema = "medimg.policy/1"\n[faces]\nsmall = true\n')
    assert common.read_policy(own, False).faces.small
    assert any("bystanders" in line for line in explain(Policy.load(own)))
    assert not any("bystanders" in line for line in explain(Policy.load()))


def encoded(mode: str) -> bytes:
    whole, out = Image.fromarray(portrait()), io.BytesIO()
    if mode == "CMYK":
        whole.convert("CMYK").save(out, "JPEG", quality=95)
    elif mode == "16 bit":
        Image.fromarray(np.asarray(whole.convert("L")).astype(np.uint16) * 257).save(out, "PNG")
    elif mode == "alpha":  # the alpha hides the face from whoever looks at the colours over white
        whole.putalpha(Image.fromarray(np.full(SIZE, 12, np.uint8)))
        whole.save(out, "PNG")
    else:
        whole.convert(mode).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("mode", quick(("L", "P", "CMYK", "16 bit", "alpha"), "CMYK", "16 bit", "alpha"))
def test_a_face_is_found_in_every_kind_of_samples(mode: str, detector: faces.Faces) -> None:
    views = formats.open_photo(encoded(mode), Limits()).views()
    assert any(of(detector.find(Frame(view)), "face") for view in views)


class Blind:
    """Finds nothing: the text and code checks are not what is tried here."""

    version = "blind"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return []

    def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
        return [], self.version


@pytest.mark.parametrize("kind", quick(("GIF", "PNG", "WEBP", "TIFF"), "GIF", "TIFF"))
def test_a_face_in_a_later_frame_is_found(kind: str, detector: faces.Faces) -> None:
    wall = Image.fromarray(np.random.default_rng(2).integers(110, 150, (*SIZE, 3), dtype=np.uint8))
    shown, out = Image.fromarray(portrait()), io.BytesIO()
    more: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    wall.save(out, kind, save_all=True, append_images=[shown], **more)
    opened = formats.open_photo(out.getvalue(), Limits())
    policy = Policy(metadata=MetadataRules(keep_frames=True))
    series = sequence.split(opened, policy.limits, keep_profile=True)
    found = frames.look(series, [Blind("text"), Blind("codes"), detector], policy, NOTHING_KNOWN)
    assert {f.region.frame for f in found if f.category == "face" and f.region} == {1}


def test_a_face_in_a_panorama_of_100_megapixels(detector: faces.Faces) -> None:
    panorama = np.zeros((5000, 20_000, 3), np.uint8)
    panorama[:] = (120, 130, 125)
    panorama = on(panorama, 1200, 15_000, 1500)
    assert any(holds(b, 15_620, 2300) for b in of(detector.find(Frame(panorama)), "face"))


def test_no_source_names_what_could_recognise() -> None:
    wanted = re.compile(r"embedding|facerecogniz|face_recognition|insightface|arcface|deepface|sface", re.IGNORECASE)
    root = Path(medimg.__file__).parent
    named = {p.name for p in root.rglob("*.py") for line in p.read_text("utf-8").splitlines() if wanted.search(line)}
    assert named == {"detector.py"}  # which says that none is computed
    lock = root.parent / "release" / "lock.txt"
    if lock.exists():
        assert not re.search(r"^(face|insightface|deepface|dlib|arcface|mtcnn)\S*==", lock.read_text(), re.MULTILINE)


def test_the_sheet_says_that_a_bar_is_no_disguise() -> None:
    place = Region(Box(0, 0, 9, 9).polygon)
    face_, old_ = (Finding(kind="face", category=c, detector="t", region=place) for c in ("face", "old-disguise"))
    for found, count in (((face_, old_), 1), ((old_,), 1), ((face_, face_, old_), 2)):
        plan = decide(found, Policy(), width=100, height=100)
        copy = CopySummary(
            name="P01-001.png", format="png", bytes=1, sha256="", width=100, height=100, lossless=True, method="samples"
        )
        checks = (Check(name="faces", state="passed"),)
        report = Report(safe_id="P01-001", state="unreviewed", plan=plan, copy=copy, checks=checks)
        (said,) = [e for e in evidence(report) if e.item == "img.faces"]
        assert said.found == count
        assert said.words.endswith("; 1 has a bar or mosaic, which is no disguise: look")


def test_a_tiled_wall_is_no_mosaic(detector: faces.Faces) -> None:
    tones = ((196, 202, 224), (140, 160, 188))
    rng = np.random.default_rng(5)
    which, noise = rng.integers(0, 2, (20, 27, 1)), rng.integers(-14, 15, (20, 27, 1))
    tiles = which * np.subtract(tones[1], tones[0]) + tones[0] + noise
    wall = np.repeat(np.repeat(np.clip(tiles, 0, 255).astype(np.uint8), 24, axis=0), 24, axis=1)
    wall = np.ascontiguousarray(wall[:480, :640])
    assert _disguise.mosaics(Frame(wall))
    assert of(detector.find(Frame(wall)), "old-disguise") == []


def test_the_corner_of_a_board_on_a_plain_wall_is_no_mosaic() -> None:
    """One edge each way lies on any grid."""
    wall = np.tile(np.linspace(120, 180, 640, dtype=np.float32), (480, 1))
    wall[200:, 300:] += np.linspace(30, 60, 340, dtype=np.float32)
    assert _disguise.mosaics(Frame(np.repeat(wall.astype(np.uint8)[..., None], 3, axis=2))) == []
