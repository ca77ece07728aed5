"""The page for a run that is there already, and the photo itself beside its copy."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import batch_fakes as fakes
import httpx
import numpy as np
import pytest
from page_kit import drawn
from PIL import ExifTags, Image

from medimg.engine.batch import NO_HOOKS, Hooks, scrub_folder
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.serve import listen
from medimg.serve.page.desk import Desk
from medimg.serve.page.stand import Decision


def taken(path: Path, *, turned: int) -> np.ndarray:
    """A photo with a place and a camera in it, turned; its pixels as a viewer shows them."""
    pixels = np.full((240, 320, 3), 150, np.uint8)
    pixels[:, 160:] = (200, 40, 40)
    pixels[0, 0] = fakes.WELL
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    exif[ExifTags.Base.Model] = "ZZMARKERCAMERA"
    Image.fromarray(pixels).save(path, quality=95, exif=exif)
    return np.rot90(pixels, -1) if turned == 6 else pixels


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Two photos and the run of them."""
    (tmp_path / "photos").mkdir()
    taken(tmp_path / "photos" / "a.jpg", turned=6)
    drawn(tmp_path / "photos" / "b.png", 4, 300, 200)
    done = scrub_folder([tmp_path / "photos"], tmp_path / "out", make=fakes.make, workers=1)
    return done.folder


def desk_of(run: Path, *places: Path) -> Desk:
    register = Register(run.parent / "register")
    return Desk(run.parent, Policy.load(), register, Hooks(make=fakes.make), 1, run=run, places=places)


def test_before_is_the_photo_upright_and_nothing_else_of_it(made: Path, tmp_path: Path) -> None:
    desk = desk_of(made, tmp_path / "photos")
    try:
        (one,) = (p.photo.safe_id for p in desk.stand().photos if p.height == 240)
        data = desk.before(one)
        picture = Image.open(io.BytesIO(data))
        assert picture.format == "JPEG"
        assert picture.size == (240, 320)
        assert not picture.getexif()
        assert b"ZZMARKERCAMERA" not in data
        seen = np.asarray(picture).astype(int)
        assert abs(seen[40, 100] - (150, 150, 150)).max() < 12
        assert abs(seen[280, 100] - (200, 40, 40)).max() < 12
        with pytest.raises(UsageError):
            desk.before("P09-001")
    finally:
        desk.close()


def test_a_run_that_is_there_is_gone_on_with_and_its_photos_stay_where_they_are(made: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    there = {p.name: p.read_bytes() for p in photos.iterdir()}
    desk = desk_of(made, photos)
    try:
        stand = desk.stand()
        assert stand.step == "look"
        assert [p.before for p in stand.photos] == [True, True]
        first = stand.photos[0]
        desk.decide(Decision(photo=first.photo.safe_id, do="cover", box=(10, 10, 40, 30)))
        again = {p.photo.safe_id: p for p in desk.stand().photos}[first.photo.safe_id]
        assert again.made != first.made
        assert not again.photo.waits
        desk.again()
        assert desk.stand().step == "drop"
    finally:
        desk.close()
    assert {p.name: p.read_bytes() for p in photos.iterdir()} == there
    assert len(open_run(made).reports) == 2


def test_without_its_photos_a_run_is_looked_at_and_answered_without_before(made: Path) -> None:
    desk = desk_of(made)
    try:
        stand = desk.stand()
        assert [p.before for p in stand.photos] == [False, False]
        assert stand.screen is not None
        with pytest.raises(UsageError):
            desk.before(stand.photos[0].photo.safe_id)
    finally:
        desk.close()


def address(said: int) -> str:
    """The address that a command prints on its terminal."""
    text, end = b"", time.monotonic() + 300
    while not (found := re.search(rb"http://127\.0\.0\.1:\S+#\S+(?=\s)", text)):
        assert time.monotonic() < end, text
        text += os.read(said, 65536)
    return found[0].decode()


def test_whoever_opens_the_address_at_once_is_not_refused() -> None:
    """It is printed before the server has started; the connection waits for it."""
    with listen.tcp("127.0.0.1", 0, secured=False) as listening:
        socket.create_connection(listening.getsockname(), timeout=60).close()


@pytest.mark.parametrize("command", ["review", pytest.param("share", marks=pytest.mark.long)])
def test_a_terminal_without_a_window_shows_a_run_as_a_page_and_goes_on(
    made: Path, tmp_path: Path, command: str
) -> None:
    own = {f"MEDIMG_{name}": str(tmp_path / name.lower()) for name in ("CARDS", "WINDOW", "REGISTER")}
    line = {
        "review": ["review", str(made), str(tmp_path / "photos"), "--page"],
        "share": ["share", str(tmp_path / "photos"), "-o", str(tmp_path / "light"), "--metadata-only", "--no-window"],
    }[command]
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "medimg", *line],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **own, "TERM": "dumb"}, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        if command == "share":
            os.write(ours, b"p\n")  # waits in the terminal until it is asked for
        where, _, key = address(ours).partition("#")
        origin = where.rpartition("/")[0].rpartition("/")[0]
        with httpx.Client(base_url=where, headers={"origin": origin}, timeout=300) as client:
            assert client.post("open", content=f'"{key}"').is_success
            stand = client.get("stand").json()
            assert stand["step"] == "look"
            assert [p["before"] for p in stand["photos"]] == [True, True]
            first = stand["photos"][0]["photo"]["safe_id"]
            picture = client.get(f"before/{first}")
            assert picture.headers["content-type"] == "image/jpeg"
            assert picture.headers["cache-control"] == "no-store"
            assert httpx.get(f"{where}before/{first}").status_code == 401
        running.send_signal(signal.SIGINT)
        said, end = b"", time.monotonic() + 300
        wanted = b"My workplace" if command == "share" else b"Next: "
        while wanted not in said:
            assert time.monotonic() < end, said
            said += os.read(ours, 65536)
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def test_of_hooks_none_are_needed_to_show_a_run(made: Path) -> None:
    desk = Desk(made.parent, Policy.load(), Register(made.parent / "register"), NO_HOOKS, 1, run=made)
    try:
        assert desk.small(desk.stand().photos[0].photo.safe_id).startswith(b"\xff\xd8")
    finally:
        desk.close()
