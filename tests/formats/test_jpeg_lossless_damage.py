"""Damaged and hostile JPEGs, in a child process with little memory and little time."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import jpeg_kit as jpegs
import numpy as np
import pytest

from medimg.formats.jpeg import markers

CHILD = """
import resource, sys
from pathlib import Path
folder, library, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
import numpy, msgspec
from jpeg_kit import covered, cropped
from medimg.errors import MedimgError
from medimg.formats.jpeg import kernel
from jpeg_twin import Twin
from medimg.types import Box, Cover
if limit:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
engine = kernel.load(Path(library)) if library else Twin()
covers = [Cover(polygon=Box(20, 20, 60, 40).polygon, category="name")]
for path in sorted(folder.glob("*.jpg")):
    data = path.read_bytes()
    for name, run in (("cover", lambda: covered(data, covers, using=engine)),
                      ("crop", lambda: cropped(data, Box(16, 16, 70, 60), using=engine))):
        try:
            path.with_suffix("." + name).write_bytes(run().data)
        except MedimgError:
            pass
print("done", engine.name)
"""

TESTS = Path(__file__).parent.parent
KINDS = ((), ("-progressive",), ("-arithmetic",), ("-progressive", "-arithmetic"), ("-restart", "2B"))


def originals() -> list[bytes]:
    picture = jpegs.picture(97, 75)
    if jpegs.have("cjpeg"):
        made = [jpegs.compressed(picture, "-quality", "75", "-sample", s, *k) for s in ("2x2", "1x1") for k in KINDS]
        return [jpegs.plain(m) for m in made]
    return [jpegs.saved(picture, quality=75, subsampling=s, progressive=p) for s in (0, 2) for p in (False, True)]


def mutant(rng: random.Random, data: bytes) -> bytes:
    out, at = bytearray(data), rng.randrange(2, len(data))
    match rng.randrange(6):
        case 0:
            del out[at:]
        case 1:
            for _ in range(rng.randrange(1, 4)):
                out[rng.randrange(2, len(out))] = rng.randrange(256)
        case 2:
            out[rng.randrange(2, 600)] = rng.choice([0, 1, 127, 255])
        case 3:
            del out[at : at + rng.randrange(1, 30)]
        case 4:
            out[at:at] = rng.randbytes(rng.randrange(1, 9))
        case _:
            out[at] ^= 1 << rng.randrange(8)
    return bytes(out)


def mutants(folder: Path, count: int, seed: int) -> None:
    rng, sources = random.Random(seed), originals()
    for n in range(count):
        (folder / f"{n:04}.jpg").write_bytes(mutant(rng, rng.choice(sources)))


def child(folder: Path, library: str, limit: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), library, str(limit)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(TESTS), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def judge(folder: Path) -> tuple[int, int]:
    """Whatever was written shows what an independent decoder, without complaint, shows of the mutant."""
    written = refused = 0
    for path in sorted(folder.glob("*.jpg")):
        copy = path.with_suffix(".cover")
        if not copy.exists():
            refused += 1
            continue
        written += 1
        if jpegs.have("djpeg"):
            before, complaint = jpegs.djpeg(path.read_bytes())
            after, again = jpegs.djpeg(copy.read_bytes())
            assert (complaint, again) == ("", ""), path.name
            if before.shape == after.shape == (75, 97, 3):
                assert np.array_equal(before[66:], after[66:]), path.name
    return written, refused


def test_90_mutants_by_both_engines(tmp_path: Path) -> None:
    outputs = []
    for n, library in enumerate(("", str(markers.LIBRARY))):
        folder = tmp_path / str(n)
        folder.mkdir()
        mutants(folder, 90, 7)
        done = child(folder, library, 1 << 30)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("done"), done.stderr
        written, refused = judge(folder)
        assert refused > 42
        assert written > 3
        outputs.append({p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".jpg"})
    assert all(o == outputs[0] for o in outputs)


def test_claims_of_a_huge_picture_end_soon_and_write_nothing(tmp_path: Path) -> None:
    for n, data in enumerate(originals()):
        sof = next(at for m in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA) if (at := data.find(bytes((0xFF, m)))) > 0)
        for k, size in enumerate((b"\xff\xff\xff\xff", b"\x3f\xff\x3f\xff", b"\x00\x4b\xff\xff")):
            (tmp_path / f"{n}-{k}.jpg").write_bytes(data[: sof + 5] + size + data[sof + 9 :])
    done = child(tmp_path, str(markers.LIBRARY), 3 << 30)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("*.cover"))


def test_the_kernel_stays_inside_its_memory(tmp_path: Path) -> None:
    """400 mutants through a build that stops at the first read or write outside an array or undefined step."""
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("gcc is not installed")
    guard = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    if not Path(guard.stdout.strip()).is_absolute():
        pytest.skip("gcc has no address sanitizer here")
    source, library = markers.LIBRARY.with_suffix(".c"), tmp_path / "checked.so"
    flags = "-std=c99 -g -O1 -fPIC -shared -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
    subprocess.run([compiler, *flags.split(), "-o", str(library), str(source)], check=True)
    mutants(tmp_path, 400, 11)
    for n, data in enumerate(originals()):
        (tmp_path / f"whole{n}.jpg").write_bytes(data)
    done = child(
        tmp_path, str(library), 0, LD_PRELOAD=guard.stdout.strip(), ASAN_OPTIONS="detect_leaks=0", PYTHONMALLOC="malloc"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("done kernel")
    assert all((tmp_path / f"whole{n}.cover").exists() for n in range(len(originals())))
