"""A second reader whose answer is lost, cut or another's did not run, and the photo is held."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks import reader_proof
from medimg.api import Scrubber, load_detectors
from medimg.detect.text import tesseract
from medimg.errors import CheckNotRun, MissingPart
from medimg.policy import Policy
from medimg.system import host, programs

REAL = Path("/usr/bin/tesseract")
needs_tesseract = pytest.mark.skipif(not REAL.exists(), reason="Tesseract is not installed")

START = """#!/bin/sh
case "$*" in
*--list-langs*) echo eng; exit 0;;
*tessedit_create_hocr=1*) echo "<meta name='ocr-system' content='tesseract 5.3.0' />"; exit 0;;
esac
for part in "$@"; do case "$part" in */tess_*) out="$part.tsv";; esac; done
head="level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
size=$(head -c 40 "$(head -n 1 "$1")" | head -n 1 | cut -d' ' -f2,3 | tr ' ' '\t')
page="1\t1\t0\t0\t0\t0\t0\t0\t$size\t-1\t"
"""
"""A stand-in for Tesseract: its answers to questions about itself, and pieces of a table."""

GARBAGE = {
    "no answer at all": "exit 0",
    "an empty file": ': > "$out"',
    "the header alone": 'printf "$head\\n" > "$out"',
    "header and page": 'printf "$head\\n$page\\n" > "$out"',
    "a word of its own": 'printf "$head\\n$page\\n5\t1\t1\t1\t1\t1\t5\t5\t50\t20\t90\tgarden\\n" > "$out"',
    "other columns": 'printf "a\tb\\n1\t2\\n" > "$out"',
    "bytes that are no text": 'head -c 3000 /dev/urandom > "$out"',
    "exit status 1": f'{REAL} "$@"; exit 1',
    "killed": "kill -9 $$",
    "a fault of memory": "kill -11 $$",
    "it hangs": "exec sleep 100",
    "what it started hangs": "sleep 100 & exit 0",
}
SPOILT = {
    "cut in the middle of a row": "s.write(t[: len(t) // 2 - 3])",
    "without its last bytes": "s.write(t[:-4])",
    "without its last newline": "s.write(t[:-1])",
    "without the second half of its rows": 'r = t.split("\\n"); s.write("\\n".join(r[: len(r) // 2]) + "\\n")',
    "without any word": 's.write("".join(r + "\\n" for r in t.split("\\n")[:-1] if r[:2] != "5\\t"))',
    "without the page": 's.write("".join(r + "\\n" for r in t.split("\\n")[:-1] if r[:2] != "1\\t"))',
    "a column left out": 's.write("".join("\\t".join(r.split("\\t")[:-2]) + "\\n" for r in t.split("\\n")[:-1]))',
    "confidence that is no number": 's.write(re.sub(r"(?m)\\t[0-9.]+(\\t\\w+)$", r"\\tnan\\1", t))',
    "confidence without end": 's.write(re.sub(r"(?m)\\t[0-9.]+(\\t\\w+)$", r"\\tinf\\1", t))',
    "a page of another size": 's.write(re.sub(r"(?m)^(1\\t1\\t0.*?)(\\d+)(\\t-1\\t)$", r"\\g<1>77\\3", t))',
    "boxes outside the page": 's.write(re.sub(r"(?m)^(5(?:\\t\\d+){5}\\t)\\d+", r"\\g<1>99999", t))',
}


def labelled(words: str = "Foam dressing", high: int = 180) -> bytes:
    picture = Image.new("RGB", (480, high), (203, 168, 149))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((30, 50, 450, 130), (251, 250, 246))
    draw.text((52, 66), words, (15, 15, 15), font=ImageFont.load_default(38))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=93)
    return out.getvalue()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a stand-in for Tesseract is put; it is the only one that is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(host, "program_folders", lambda: (str(folder),))
    monkeypatch.setattr(tesseract, "SECONDS", 5.0)
    monkeypatch.setattr(tesseract, "START", 20.0, raising=False)
    return folder / "tesseract"


def put(where: Path, script: str) -> None:
    where.write_text(script)
    where.chmod(0o755)


def held(policy: Policy) -> None:
    result = Scrubber(policy, detectors=load_detectors(policy)).scrub(labelled())
    text = [c.state for c in result.report.checks if c.name == "text"]
    assert (result.data, result.report.state, result.report.error_code) == (None, "held", "M-HOLD-NOTRUN"), text


LONG = {"an empty file", "header and page", "bytes that are no text", "a fault of memory"}
LONG |= {
    "without its last newline",
    "without the second half of its rows",
    "confidence without end",
    "a column left out",
}
"""The second kind of what stands beside it; each takes a second."""


def quick(kinds: dict[str, str]) -> list[Any]:
    return [pytest.param(kind, marks=pytest.mark.long) if kind in LONG else kind for kind in kinds]


@pytest.mark.parametrize("garbage", quick(GARBAGE))
def test_garbage_holds_the_photo(stand_in: Path, policy: Policy, garbage: str) -> None:
    put(stand_in, START + GARBAGE[garbage] + "\n")
    held(policy)


@needs_tesseract
@pytest.mark.parametrize("spoilt", quick(SPOILT))
def test_a_spoilt_answer_of_the_real_reader_holds_the_photo(stand_in: Path, policy: Policy, spoilt: str) -> None:
    script = f"import re, sys; t = open(sys.argv[1]).read(); s = open(sys.argv[1], 'w'); {SPOILT[spoilt]}"
    stand_in.with_name("spoil.py").write_text(script)
    spoil = f'"{sys.executable}" -I -S "{stand_in.with_name("spoil.py")}" "$out"'
    put(stand_in, START + f'{REAL} "$@" || exit 1\n{spoil}\n')
    held(policy)


@needs_tesseract
def test_the_answer_for_another_picture_holds_the_photo(stand_in: Path, policy: Policy, tmp_path: Path) -> None:
    kept = tmp_path / "kept.tsv"
    put(stand_in, START + f'{REAL} "$@" && cp "$out" {kept}\n')
    reader = tesseract.Reader()
    other = np.full((300, 900), 255, np.uint8)
    other[40:60, 40:60] = 30
    reader.read(other, layout=11)
    put(stand_in, START + f'sed "2s/\t[0-9]*\t[0-9]*\t-1/\t$size\t-1/" {kept} > "$out"\n')
    held(policy)


@needs_tesseract
def test_words_that_are_not_read_once_are_drawn_anew(stand_in: Path, tmp_path: Path) -> None:
    count = tmp_path / "asked"
    spoil = stand_in.with_name("spoil.py")
    spoil.write_text(
        f"import re, sys; t = open(sys.argv[1]).read(); s = open(sys.argv[1], 'w'); {SPOILT['without any word']}"
    )
    put(
        stand_in,
        START + f'{REAL} "$@" || exit 1\necho >> {count}\n'
        f'[ $(wc -l < {count}) -gt 1 ] || "{sys.executable}" -I -S "{spoil}" "$out"\n',
    )
    sheet = Image.new("L", (900, 240), 255)
    ImageDraw.Draw(sheet).text((60, 100), "Okonkwo", 0, font=ImageFont.load_default(40))
    (word,) = tesseract.Reader().read(np.asarray(sheet), layout=11)
    assert count.read_text() == "\n\n"
    assert word.text == "Okonkwo"
    assert abs(word.x0 - 60) < 6
    assert 100 <= word.y0 < word.y1 < 150


@needs_tesseract
def test_a_tall_sheet_is_read_in_pieces() -> None:
    sheet = Image.new("L", (900, 3000), 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(40)
    for k, name in enumerate(("Okonkwo", "Thornbury", "Macaraeg", "Waqa", "Siddiqui")):
        draw.text((60, 100 + 650 * k), name, 0, font=font)
    grey = np.asarray(sheet)
    assert len(tesseract._pieces(grey)) == 3
    words = tesseract.Reader().read(grey, layout=11)
    assert [w.text for w in words] == ["Okonkwo", "Thornbury", "Macaraeg", "Waqa", "Siddiqui"]
    assert all(100 + 650 * k <= w.y0 < w.y1 < 165 + 650 * k for k, w in enumerate(words))
    assert len({w.line for w in words}) == 5


def test_pieces_are_cut_where_it_is_white_and_hold_every_row() -> None:
    rng = np.random.default_rng(2)
    for height in (1, 300, 1200, 1201, 5000):
        grey = np.full((height, 50), 255, np.uint8)
        for top in range(20, height, 84):
            grey[top : top + 60] = rng.integers(0, 200, (len(grey[top : top + 60]), 50))
        pieces = tesseract._pieces(grey)
        assert pieces[0][0] == 0
        assert pieces[-1][1] == height
        assert all(a[1] == b[0] and (grey[b[0]] == 255).all() for a, b in pairwise(pieces))
        assert all(bottom - top <= tesseract.TALLEST for top, bottom in pieces)
    dark = np.zeros((5000, 50), np.uint8)
    assert tesseract._pieces(dark) == [(0, 5000)]


@pytest.mark.parametrize(("scale", "frame"), tesseract.LAYOUTS)
def test_words_stand_where_they_stood_before_another_layout(scale: float, frame: int) -> None:
    grey = np.full((300, 600), 255, np.uint8)
    grey[100:140, 50:250] = 0
    laid = tesseract._laid(grey, scale, frame)
    rows, columns = np.flatnonzero(laid.min(axis=1) < 128), np.flatnonzero(laid.min(axis=0) < 128)
    word = tesseract.Word("x", 1.0, int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1, (1, 1, 1))
    back = tesseract._back(word, scale, frame)
    assert np.allclose(back[2:6], (50, 100, 250, 140), atol=2)


@needs_tesseract
def test_the_real_reader_passes_and_its_words_stay_where_they_are(policy: Policy) -> None:
    result = Scrubber(policy).scrub(labelled())
    assert result.data is not None
    assert "tesseract" in next(c.engine for c in result.report.checks if c.name == "text")
    assert [f.category for f in result.findings if f.kind == "text"] == ["harmless"]
    sheet = Image.new("L", (900, 240), 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(40)
    draw.text((60, 100), "Okonkwo", 0, font=font)
    (word,) = tesseract.Reader().read(np.asarray(sheet, np.uint8), layout=11)
    assert word.text == "Okonkwo"
    assert np.allclose((word.x0, word.y0, word.x1, word.y1), draw.textbbox((60, 100), "Okonkwo", font), atol=3)


@needs_tesseract
@pytest.mark.long
def test_the_words_come_back_from_sheets_of_every_tone() -> None:
    """Dark, pale, inverted and noisy sheets, narrow and wide, with and without writing."""
    reader, random = tesseract.Reader(), np.random.default_rng(5)
    for ground, ink in ((255, 0), (255, 205), (0, 255), (30, 60), (128, 20), (250, 244), (90, 255)):
        wide, high = int(random.integers(30, 1500)), int(random.integers(40, 400))
        sheet = Image.new("L", (wide, high), ground)
        ImageDraw.Draw(sheet).text((8, 4), "Ward 7", ink, font=ImageFont.load_default(28))
        noise = random.normal(0, 6, (high, wide))
        reader.read(np.clip(np.asarray(sheet) + noise, 0, 255).astype(np.uint8), layout=11)


@needs_tesseract
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_holds_the_photo(policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    read = tesseract.Reader.read

    def noted(self: tesseract.Reader, grey: np.ndarray, *, layout: int = 6) -> list[tesseract.Word]:
        margin, strip = getattr(tesseract, "MARGIN", 0), getattr(tesseract, "STRIP", 0)
        framed = (grey.shape[0] + 2 * (margin + strip)) * (grey.shape[1] + 2 * margin)
        sizes.append((framed + 24 + 4095) // 4096 * 4)
        return read(self, grey, layout=layout)

    monkeypatch.setattr(tesseract.Reader, "read", noted)
    scrubber = Scrubber(policy)
    assert scrubber.scrub(labelled()).data is not None
    room = sizes[0]
    for size in (room, 168):
        place = tmp_path / f"disk{size}"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(place)], check=False)
        if mounted.returncode:
            pytest.skip("a small disk cannot be mounted here")
        try:
            monkeypatch.setenv("MEDIMG_SCRATCH", str(place))
            result = scrubber.scrub(labelled())
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
        assert (result.data, result.report.error_code) == (None, "M-HOLD-NOTRUN"), size


@needs_tesseract
def test_the_host_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library changes neither the environment nor the temporary folder nor pytesseract of the program it is in."""
    import tempfile

    import pytesseract

    monkeypatch.setenv("TESSDATA_PREFIX", "/nowhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", ":")
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "of the host")
    before = (dict(os.environ), tempfile.gettempdir(), Path.cwd())
    tesseract.Reader().read(np.full((100, 300), 255, np.uint8), layout=11)
    assert (dict(os.environ), tempfile.gettempdir(), Path.cwd()) == before
    assert pytesseract.pytesseract.tesseract_cmd == "of the host"


def test_nothing_is_left_running(stand_in: Path, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    put(stand_in, START + f"sleep 300 & echo $! > {note}; echo $$ >> {note}; exit 0\n")
    with pytest.raises(CheckNotRun):
        tesseract.Reader().read(np.full((100, 300), 255, np.uint8))
    pids = [int(pid) for pid in note.read_text().split()]
    assert len(pids) == 2
    end = time.monotonic() + 20
    while any(running(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(running(pid) for pid in pids)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_fault_of_the_disk_is_not_a_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_SCRATCH", str(tmp_path / "gone"))
    with pytest.raises(CheckNotRun, match="temporary files"):
        programs.run([str(programs.find("sh")), "-c", "true"], timeout=20)
    monkeypatch.delenv("MEDIMG_SCRATCH")
    with pytest.raises(MissingPart, match="not installed"):
        programs.run([str(tmp_path / "tesseract")], timeout=20)


def test_the_benchmark_of_this_passes_over_a_picture_that_is_cut_short(tmp_path: Path) -> None:
    whole = labelled(high=480)
    for name, data in (("a.jpg", whole), ("b.jpg", whole[: len(whole) // 2]), ("c.jpg", whole[:3])):
        (tmp_path / name).write_bytes(data)
    assert [Path(name).name for name, _ in reader_proof.pictures([tmp_path], 0, 0, 1)] == ["a.jpg"]
