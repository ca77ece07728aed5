"""The audit's readers of coded pictures, beside the writer's: they agree, and stay inside their memory."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import hiding_kit as kit
import jpeg_kit as jpegs
import pytest
from PIL import Image

from medimg import audit, formats
from medimg.audit import scans
from medimg.errors import Malformed, MedimgError
from medimg.types import Limits

TESTS = Path(__file__).parent.parent
TAILS = TESTS.parent / "medimg" / "formats" / "webp" / "_tails.c"
WAYS: list[dict[str, object]] = [
    {}, {"optimize": True}, {"progressive": True}, {"restart_marker_blocks": 1},
    {"progressive": True, "restart_marker_blocks": 5}, {"subsampling": "4:4:4"},
    {"subsampling": "4:2:0", "quality": 30},
]  # fmt: skip


def webp(seed: int, **options: object) -> bytes:
    out = io.BytesIO()
    jpegs.picture(75, 60, seed=seed).save(out, "WEBP", **options)
    return out.getvalue()[20:]


def spoilt(data: bytes, start: int, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(start, len(out))
        match rng.randrange(3):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at:at] = rng.randbytes(rng.randrange(1, 4))
            case _:
                del out[at : at + rng.randrange(1, 4)]
    return bytes(out)


def copied(data: bytes) -> bytes | None:
    """The writer's copy, which the judge passes; None where it refuses the file."""
    try:
        copy = formats.open_photo(data, Limits()).write()
    except MedimgError:
        return None
    assert audit.walk(copy.data, copy.format) == []
    return copy.data


def judge_of_jpeg(data: bytes) -> bool | None:
    try:
        return audit.walk(data, "jpeg") == []
    except Malformed:
        return None


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_two_readers_of_a_jpeg_agree(way: dict[str, object]) -> None:
    """On files as they are, and on 300 that were changed behind their first scan header.

    There the writer passes over what stands between segments; the audit follows no such file.
    """
    rng = random.Random(str(way))
    data = jpegs.saved(jpegs.picture(83, 61, seed=3), **way)
    data = data[:2] + data[20:]
    assert copied(data) == data
    assert judge_of_jpeg(data) is True
    start = data.index(b"\xff\xda") + 14
    seen = []
    for _ in range(300):
        wrong = spoilt(data[:-2], start, rng) + data[-2:]
        copy, by_judge = copied(wrong), judge_of_jpeg(wrong)
        if copy is None:
            continue
        assert by_judge in (copy == wrong, None)
        assert by_judge is not None or "progressive" in way
        seen.append(by_judge)
    assert {True, False} <= set(seen)


def test_two_readers_of_a_lossy_webp_agree() -> None:
    rng, told = random.Random(5), []
    for quality in (5, 50, 95):
        image = webp(quality, quality=quality)
        assert not scans.vp8_ends_late(image)
        assert copied(kit.riff(b"VP8 ", image)) == kit.riff(b"VP8 ", image)
        for _ in range(200):
            wrong = spoilt(image, 10, rng)
            copy = copied(kit.riff(b"VP8 ", wrong))
            if copy is not None:
                told.append(scans.vp8_ends_late(wrong))
                assert told[-1] == (copy != kit.riff(b"VP8 ", wrong))
    assert True in told


CHILD = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
from medimg import audit
from medimg.audit import scans
from medimg.errors import MedimgError
from medimg.formats.webp import _chunks, _pixels
scans.LIBRARY, _pixels.LIBRARY = folder / "scan", folder / "tails"
done = 0
for path in sorted(folder.glob("*.jpg")):
    try:
        audit.walk(path.read_bytes(), "jpeg")
        done += 1
    except MedimgError:
        pass
for path in sorted(folder.glob("*.vp8")):
    for read in (scans.vp8_ends_late, lambda data: _pixels.bare(_chunks._lossy(data, None))):
        try:
            read(path.read_bytes())
            done += 1
        except MedimgError:
            pass
print("done", done)
"""


def test_the_readers_stay_inside_their_memory(tmp_path: Path) -> None:
    """Mutants through builds that stop at the first read or write outside an array or undefined step."""
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("gcc is not installed")
    guard = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    if not Path(guard.stdout.strip()).is_absolute():
        pytest.skip("gcc has no address sanitizer here")
    flags = "-std=c99 -g -O1 -fPIC -shared -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
    for name, source in (("scan", scans.LIBRARY.with_suffix(".c")), ("tails", TAILS)):
        command = [compiler, *flags.split(), "-o", str(tmp_path / f"{name}.so"), str(source)]
        subprocess.run(command, check=True)
    rng = random.Random(7)
    for n, way in enumerate(WAYS):
        data = jpegs.saved(jpegs.picture(83, 61), **way)
        for k in range(60):
            (tmp_path / f"{n}-{k}.jpg").write_bytes(spoilt(data, 20, rng) if k else data)
    images = [webp(1), webp(2, quality=5), kit.flat_vp8(300, 200, 8, [b"words"] * 9), kit.flat_vp8(9, 9, 1, [b"", b""])]
    for n, image in enumerate(images):
        for k in range(80):
            (tmp_path / f"{n}-{k}.vp8").write_bytes(spoilt(image, 0, rng) if k else image)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), "LD_PRELOAD": guard.stdout.strip(),
             "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[1]) > 300
    with Image.open(io.BytesIO(kit.riff(b"VP8 ", images[2]))) as picture:
        assert picture.size == (300, 200)
