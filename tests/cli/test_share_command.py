"""``medimg share``: from photos to released copies, step by step, by what it leaves and where it goes on."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from medimg.run.register import Register

NAME = "ZZMARKERNAME"
BEGUN = ("Ward A", "registrar", "", "", "", "", "y")  # the workplace: its fields, then true
REST = (
    *("Hand group", "", "y"),  # where it goes
    "y",  # the look
    "0",  # none of the conditions
    "1",  # written consent
    *("Form A", "2026-11-20", "record", "y"),
    *("today", "", "y"),
    *("", "y"),  # no caption
    *("hand registrar", "", "y"),
    "y",  # release
)


class Place:
    """A folder of photos, and a home and a register of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.photos = root, root / "patient zebedee"
        self.photos.mkdir()
        self.home = root / "home"
        self.home.mkdir()
        self.register = root / "register"
        self.env = {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "DISPLAY": ""}
        for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "MEDIMG_DEFAULTS"):
            self.env.pop(name, None)

    def share(self, *more: str | Path, typed: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "medimg", "share", self.photos, "--where", "au", "--register", self.register]
        return subprocess.run(
            [*line, *more],
            input="".join(f"{t}\n" for t in typed),
            capture_output=True,
            text=True,
            env=self.env,
            timeout=600,
        )

    @property
    def runs(self) -> list[Path]:
        return sorted((self.root / "medimg-runs").iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def plain_photo(path: Path) -> None:
    """Skin and nothing else."""
    noise = np.random.default_rng(1).integers(150, 190, (300, 400, 3), np.uint8)
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(6)).save(path, quality=92)


def test_it_goes_from_a_photo_to_a_released_copy_and_on_where_it_was_left(place: Place) -> None:
    plain_photo(place.photos / f"{NAME}.jpg")
    first = place.share(typed=BEGUN)
    assert first.returncode == 11, first.stderr
    (run,) = place.runs
    assert not list((run / "share").iterdir())
    assert f"{run}/unreviewed/P01-001.jpg (not opened yet)" in first.stdout
    assert first.stdout.strip().endswith("Next: give the same command again; it goes on with what is open.")
    second = place.share(typed=REST)
    assert second.returncode == 0, second.stdout
    assert "My workplace" not in second.stdout  # answered in the first call
    assert [p.name for p in (run / "share").iterdir()] == ["P01-001.jpg"]
    assert place.runs == [run]
    assert second.stdout.strip().splitlines()[-1].startswith("Next: attach the files in ")
    assert [e.event for e in Register(place.register).entries()] == ["released"]
    third = place.share()
    assert third.returncode == 0
    assert place.runs == [run]
    for done in (first, second, third):
        assert NAME not in done.stdout + done.stderr
        assert "zebedee" not in done.stdout + done.stderr
    written = b"".join(p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != "journal.sqlite")
    assert NAME.encode() not in written


@pytest.mark.long
def test_new_photos_of_a_later_call_come_into_a_run_of_their_own_and_the_first_is_gone_on_with(place: Place) -> None:
    fakes.photo(place.photos / "a.png", seed=1)
    assert place.share("--metadata-only").returncode == 11
    fakes.photo(place.photos / "b.png", seed=2)
    done = place.share("--metadata-only")
    assert done.returncode == 11
    assert len(place.runs) == 2
    for run in place.runs:
        assert f"{run}/unreviewed/" in done.stdout
    assert sorted(len(list((r / "unreviewed").iterdir())) for r in place.runs) == [1, 1]


@pytest.mark.long
def test_it_says_which_photos_count_as_one_patient_and_how_to_part_them(place: Place) -> None:
    """Consent is asked for each patient: several that are taken for one would all go with one agreement."""
    for n in range(3):
        fakes.photo(place.photos / f"{n}.png", seed=n)
    one = place.share("--metadata-only", "--suggest-groups")
    assert "Nobody is there to confirm it: the patients stay as given." in one.stderr
    assert "One patient:   if they are several, give it again with --suggest-groups or --group-by." in one.stdout
    several = place.share("--metadata-only", "--group-by", "file")
    assert "3 patients:    P01: 1 photo, P02: 1 photo, P03: 1 photo" in several.stdout
    assert "One patient" not in several.stdout


def test_the_runs_lie_beside_the_photos_and_never_among_them(place: Place) -> None:
    fakes.photo(place.photos / "a.png", seed=1)
    before = sorted(place.photos.rglob("*"))
    place.share("--metadata-only")
    assert sorted(place.photos.rglob("*")) == before
    assert [r.parent for r in place.runs] == [place.root / "medimg-runs"]
    refused = place.share(place.root, "--metadata-only")  # the folder that would hold the runs is named as well
    assert refused.returncode == 2
    assert "output folder" in refused.stderr


def on_a_terminal(place: Place, *line: str | Path) -> str:
    """What a person sees who sits there; nothing is typed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "medimg", *line], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=place.env
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    process.wait(timeout=600)
    os.close(ours)
    return said.decode()


def test_a_photo_on_hold_has_its_own_name_on_the_terminal_alone_and_its_exact_command(place: Place) -> None:
    """A face that fills the frame would be covered whole: the photo waits for a person."""
    skimage = pytest.importorskip("skimage.data")
    Image.fromarray(skimage.astronaut()[0:260, 120:340]).resize((440, 520)).save(place.photos / f"{NAME}.jpg")
    line = ("clean", place.photos, "--where", "AU")
    said = on_a_terminal(place, *line)
    (run,) = place.runs
    assert list((run / "unreviewed").iterdir()) == []
    assert f"P01-001 ({NAME}.jpg): " in said
    assert f"medimg show {run} P01-001 PHOTOS --area " in said
    assert f"medimg crop {run} P01-001 PHOTOS --box X,Y,W,H" in said
    assert "--why not-a-face" in said
    assert "--why consent-allows" in said  # a face that is one: nobody is led to say that it is none
    gone_on = place.share()
    assert gone_on.returncode == 20
    held = f"Still held: P01-001. What decides it: medimg review {run}"
    assert held in gone_on.stdout
    assert held in on_a_terminal(place, "status", run)
    assert f"P01-001 ({NAME}.jpg)  held: " in on_a_terminal(place, "review", run, place.photos)
    piped = subprocess.run(
        [sys.executable, "-m", "medimg", *line, "--again"], capture_output=True, text=True, env=place.env, timeout=600
    )
    assert "P01-001: " in piped.stdout
    assert NAME not in piped.stdout + piped.stderr
    why = json.loads((run / "hold" / "why-held.json").read_bytes())
    assert NAME not in json.dumps(why)
    for path in run.rglob("*"):
        assert not path.is_file() or path.name.startswith("journal") or NAME.encode() not in path.read_bytes()


@pytest.mark.long
def test_the_copies_of_iphone_photos_are_said_to_be_large_and_a_side_makes_them_small(place: Place) -> None:
    """Covered, they become exact PNG; AVIF goes the way of HEIC here, and Pillow writes no HEIC."""
    image = Image.new("RGB", (800, 600), (205, 160, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 130, 700, 290), fill=(250, 250, 248))
    font = ImageFont.load_default(40)
    draw.text((130, 150), "Margaret Whitcombe", font=font, fill=(20, 20, 20))
    draw.text((130, 215), "MRN 4471234", font=font, fill=(20, 20, 20))
    image.save(place.photos / "a.avif", quality=90)
    line = [sys.executable, "-m", "medimg", "clean", place.photos, "--where", "AU"]
    large = subprocess.run(line, capture_output=True, text=True, env=place.env, timeout=600)
    (run,) = place.runs
    assert [p.suffix for p in (run / "unreviewed").iterdir()] == [".png"], large.stdout
    assert "1 copy of HEIC or AVIF photos saved as exact PNG, about ten times as large." in large.stdout
    assert "clean again with --as jpeg, or --max-side 2048" in large.stdout
    small = subprocess.run([*line, "--max-side", "640"], capture_output=True, text=True, env=place.env, timeout=600)
    (again,) = set(place.runs) - {run}
    (copy,) = (again / "unreviewed").iterdir()
    assert copy.suffix == ".jpg"
    with Image.open(copy) as made:
        assert made.size == (640, 480)
        assert made.convert("L").crop((120, 125, 390, 205)).getextrema()[1] < 120  # covered at the smaller size
    assert "exact PNG" not in small.stdout
