"""Every command of medimg, started as a person would in the folder of the photos; for what it does besides."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dicom_kit
import httpx
from PIL import Image, ImageDraw, ImageFont

PATIENCE = 300.0
TOKEN = "0123456789abcdef" * 3
HEADER = {"authorization": f"Bearer {TOKEN}"}
SCRIPT = """
import sys
import medimg
if __name__ == "__main__":
    assert medimg.Scrubber().scrub("a.png").data
    medimg.scrub_folder(["a.png"], sys.argv[1])
"""


class Place:
    """A folder of photos that is the current one, a home of its own, and how medimg is started there.

    Args:
        root: An empty folder.
        start: The program and its first arguments.
        prefix: A program that starts it, such as strace.
        more: Variables besides ``PATH``, ``HOME`` and those of the desktop standard.
    """

    def __init__(
        self, root: Path, start: Sequence[str] = (), prefix: Sequence[str] = (), more: dict[str, str] | None = None
    ) -> None:
        self.root, self.photos, self.home = root, root / "photos", root / "home"
        self.start = [*prefix, *(start or [str(Path(sys.executable).with_name("medimg"))])]
        self.prefix = list(prefix)
        self.temporary = root / "tmp"
        for folder in (self.photos, self.home, self.temporary):
            folder.mkdir()
        draw(self.photos / "a.png", "Name: John Doe")
        xdg = {f"XDG_{k}_HOME": str(self.home / v) for k, v in XDG.items()}
        runtime = root / "runtime"
        runtime.mkdir(mode=0o700)
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "offscreen",
            **xdg,
            **(more or {}),
        }

    def run(self, *arguments: str, codes: Sequence[int] = (0, 10, 11, 20), program: Sequence[str] = ()) -> str:
        """A command to its end; what it said."""
        done = subprocess.run(
            [*(program or self.start), *arguments],
            cwd=self.photos, env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode in codes, f"{arguments[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that goes on until it is told to stop; strace hands the signal on to what it started."""
        said = (self.root / "said").open("ab")
        with said, subprocess.Popen(
            [*self.start, *arguments], cwd=self.photos, env=self.env, stdout=said, stderr=said, process_group=0
        ) as child:  # fmt: skip
            try:
                yield child
            finally:
                os.killpg(child.pid, signal.SIGTERM)
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)

    def made(self) -> Path:
        """The run folder that ``clean`` made."""
        return next((self.root / "out").glob("medimg-*"))


XDG = {"CACHE": ".cache", "CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state"}


def draw(path: Path, words: str) -> None:
    """A photo with a line of text."""
    image = Image.new("RGB", (420, 200), (205, 160, 140))
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 40, 380, 120), fill=(250, 250, 250))
    pen.text((40, 60), words, fill=0, font=ImageFont.load_default(36))
    image.save(path)


def until(what: Callable[[], object], child: subprocess.Popen[bytes]) -> None:
    """Wait for an event, as long as the command runs."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert child.poll() is None, "the command ended too early"
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def clean(place: Place) -> None:
    """The whole way, and then what works on a run: an edited plan applied, and the state asked for."""
    place.run("clean", "a.png", "-o", "../out", "--where", "AU", "--workers", "1")
    path = place.made() / "PRIVATE-patient-record" / "decisions.json"
    content = json.loads(path.read_bytes())
    (plan,) = content["plans"].values()
    plan["crop"] = {"x0": 0, "y0": 0, "x1": 400, "y1": 180}
    path.write_text(json.dumps(content))
    place.run("apply", str(place.made()), "a.png", "--workers", "1")
    place.run("status", str(place.made()))


def look(place: Place) -> None:
    """The commands that write nothing."""
    place.run("inspect", "a.png", "--workers", "1")
    place.run("verify", "a.png", "--workers", "1")


def watch(place: Place) -> None:
    """Until the first copy is there."""
    arguments = ("watch", ".", "-o", "../watched", "--rest", "0.1", "--every", "0.2", "--workers", "1")
    with place.running(*arguments) as child:
        until(lambda: list((place.root / "watched").glob("medimg-*/run.json")), child)


def serve(place: Place, rest: float = 0.0) -> None:
    """A photo and a DICOM photograph over a socket file, and ``rest`` seconds of waiting for the next."""
    (place.root / "token").write_text(TOKEN)
    (place.root / "token").chmod(0o600)
    path = str(place.root / "s")
    with (
        place.running("serve", "--socket", path, "--token-file", str(place.root / "token"), "--workers", "1") as child,
        httpx.Client(
            transport=httpx.HTTPTransport(uds=path, verify=False), base_url="http://x", timeout=PATIENCE
        ) as client,
    ):
        until(lambda: listening(path), child)
        assert client.get("/health", headers=HEADER).status_code == 200  # once the checks are loaded
        answer = client.post("/v1/scrub", content=(place.photos / "a.png").read_bytes(), headers=HEADER)
        assert answer.status_code == 200, answer.json().get("report", {}).get("reason")
        answer = client.post("/v1/scrub", content=dicom_kit.photograph(), headers=HEADER)
        assert answer.status_code == 200, answer.json().get("report", {}).get("reason")
        time.sleep(rest)


def listening(path: str) -> bool:
    """Whether a socket file takes connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        return not probe.connect_ex(path)


def cluster(place: Place) -> None:
    """A scheduler and a worker on this computer, and a run on them."""
    folder = place.root / "certificates"
    place.run("cluster", "certificates", str(folder), "scheduler", "worker", "client")
    said = place.root / "said"
    with place.running("cluster", "scheduler", "--certificates", str(folder / "scheduler"), "--port", "0") as child:
        until(lambda: b"Ready" in said.read_bytes(), child)
        address = said.read_text().split("Ready: ")[1].split()[0]
        mine = ("--certificates", str(folder / "worker"), "--host", "127.0.0.1", "--threads", "1")
        with place.running("cluster", "worker", address, *mine) as child:
            until(lambda: said.read_bytes().count(b"Ready") == 2, child)
            way = ("--cluster", address, "--certificates", str(folder / "client"))
            place.run("clean", "a.png", "-o", "../far", "--where", "AU", *way)


def desktop(place: Place, rest: float = 5.0) -> None:
    """The window on a run, until it has a worker for its pictures, and ``rest`` seconds more."""
    if not (place.root / "out").exists():
        place.run("clean", "a.png", "-o", "../out", "--where", "AU", "--workers", "1")
    with place.running("desktop", str(place.made()), "--photos", ".") as child:
        until(lambda: workers(child.pid), child)
        time.sleep(rest)


def workers(group: int) -> list[int]:
    """Processes of multiprocessing under a process group's leader."""
    parents, spawned = {}, set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if b"--multiprocessing-fork" in (entry / "cmdline").read_bytes():
                spawned.add(int(entry.name))
        except (OSError, ValueError):
            continue

    def below(pid: int) -> bool:
        while pid in parents and pid != group:
            pid = parents[pid]
        return pid == group

    return [pid for pid in spawned if below(pid)]


def selftest(place: Place) -> None:
    """Its quickest part."""
    place.run("selftest", "--quick", "--only", "hidden", "--metadata-only", "--workers", "1")


def doctor(place: Place) -> None:
    """What it loads."""
    place.run("doctor")


def library(place: Place) -> None:
    """A program of the user's own, in the folder of the photos, that lies elsewhere."""
    (place.root / "program.py").write_text(SCRIPT)
    place.run(str(place.root / "lib"), program=[*place.prefix, sys.executable, str(place.root / "program.py")])


ACTS = (clean, look, watch, serve, cluster, desktop, selftest, doctor, library)
