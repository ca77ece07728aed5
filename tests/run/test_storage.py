"""Photos from a storage and released copies into one: moto's server stands in for S3, behind a line with faults."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import fsspec
import httpx
import pytest
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.release import release
from medimg.cli.reopen import reopen
from medimg.errors import Changed, OutputError, UsageError
from medimg.run import storage, upload
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.run.request import RunRequest

BOTH = {"P01": ["P01-001", "P01-002"], "P02": ["P02-001"]}


class Line(ThreadingHTTPServer):
    """A line to the storage; ``fault`` says what befalls a request: nothing, 500, 503, cut, slow."""

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.fault: Callable[[str, str], str] = lambda method, path: ""
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Carried)

    def handle_error(self, *_: Any) -> None:
        """A line that was cut says nothing."""


class _Carried(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Line

    def carried(self) -> None:
        fault = self.server.fault(self.command, self.path)
        self.server.asked.append((self.command, self.path))
        size = int(self.headers.get("content-length", 0))
        if fault == "cut-in":  # half of what is sent has arrived
            self.rfile.read(size // 2)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = self.rfile.read(size)
        if fault.isdigit():
            self._said(int(fault), [], b"<Error><Code>InternalError</Code></Error>")
            return
        if fault == "slow":
            time.sleep(2)
        line = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        line.request(self.command, self.path, body, dict(self.headers))
        answer = line.getresponse()
        data = answer.read()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("connection", "transfer-encoding", "date")]
        line.close()
        self._said(answer.status, kept, data, cut=fault == "cut")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = carried  # noqa: N815 - the names http.server wants

    def _said(self, status: int, headers: list[tuple[str, str]], data: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data[: len(data) // 2] if cut else data)
        if cut:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 200
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/").status_code == 200:
                    break
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
        yield port
    finally:
        running.terminate()
        running.wait(60)


@pytest.fixture
def line(moto: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Line]:
    served = Line(moto)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{served.server_address[1]}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MEDIMG_REGISTER": str(tmp_path / "register.sqlite"),
        "MEDIMG_SITE_KEY": str(tmp_path / "site-key"),
    }.items():
        monkeypatch.setenv(name, value)
    yield served
    served.shutdown()
    served.server_close()


def bucket(moto: int, name: str, objects: dict[str, bytes]) -> str:
    httpx.put(f"http://127.0.0.1:{moto}/{name}").raise_for_status()
    for key, data in objects.items():
        httpx.put(f"http://127.0.0.1:{moto}/{name}/{key}", content=data).raise_for_status()
    return f"s3://{name}"


def held(moto: int, name: str) -> dict[str, bytes]:
    """Every object of a bucket."""
    keys = re.findall("<Key>(.*?)</Key>", httpx.get(f"http://127.0.0.1:{moto}/{name}?list-type=2").text)
    return {key: httpx.get(f"http://127.0.0.1:{moto}/{name}/{key}").content for key in keys}


def medimg(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medimg", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=400, check=False)


def once_each(faults: str, methods: str, part: str) -> Callable[[str, str], str]:
    """Every object meets the faults in turn, once each, and then works."""
    met: dict[str, list[str]] = {}

    def fault(method: str, path: str) -> str:
        if method not in methods.split() or part not in path:
            return ""
        left = met.setdefault(path.partition("?")[0], faults.split())
        return left.pop(0) if left else ""

    return fault


# -- photos from a storage --------------------------------------------------------------------------------------------


def test_a_photo_that_is_overwritten_while_it_is_fetched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/overwritten/a", b"one")
    whole = type(memory).cat_file

    def overwritten(system: Any, path: str, **options: Any) -> bytes:
        data: bytes = whole(system, path, **options)
        time.sleep(0.01)
        system.pipe_file(path, b"two")
        return data

    assert storage.read(b"memory://overwritten/a", 3) == b"one"
    monkeypatch.setattr(type(memory), "cat_file", overwritten)
    with pytest.raises(Changed):
        storage.read(b"memory://overwritten/a", 3)
    memory.rm("/overwritten", recursive=True)


def test_photos_come_from_s3_over_a_line_with_faults(tmp_path: Path, moto: int, line: Line) -> None:
    photos = {f"in/{n % 2}/MARKER{n}.png": fakes.photo(tmp_path / "x.png", seed=n).read_bytes() for n in range(6)}
    url = bucket(moto, "photos", photos)
    line.fault = once_each("500 cut slow", "GET", "MARKER")
    done = medimg("clean", f"{url}/in", "-o", "out", "--metadata-only", "--json-lines", cwd=tmp_path)
    assert done.returncode == 11, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["photos"] == {"unreviewed": 6}
    assert "MARKER" not in done.stdout + done.stderr
    assert set(held(moto, "photos")) == set(photos)
    assert {method for method, _ in line.asked} <= {"GET", "HEAD"}  # nothing is written to where the photos are
    (run,) = (tmp_path / "out").iterdir()
    assert len(list((run / "unreviewed").iterdir())) == 6
    assert not any(b"MARKER" in p.read_bytes() for p in run.rglob("*") if p.is_file())


@pytest.mark.long
def test_what_the_line_keeps_back_is_said_and_tried_again_the_next_time(tmp_path: Path, moto: int, line: Line) -> None:
    photos = {f"in/{n}.png": fakes.photo(tmp_path / "x.png", seed=n).read_bytes() for n in range(3)}
    url = bucket(moto, "kept-back", photos)
    line.fault = lambda method, path: "cut" if method == "GET" and path.endswith("1.png") else ""
    clean = ("clean", f"{url}/in", "-o", "out", "--metadata-only", "--json-lines")
    said = [json.loads(row) for row in medimg(*clean, cwd=tmp_path).stdout.splitlines()]
    assert said[-1]["photos"] == {"unreviewed": 2, "refused": 1}
    line.fault = lambda method, path: ""
    said = [json.loads(row) for row in medimg(*clean, cwd=tmp_path).stdout.splitlines()]
    assert said[-1]["photos"] == {"unreviewed": 1}
    line.fault = lambda method, path: "503"
    assert medimg(*clean[:2], "-o", "other", "--metadata-only", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "other").exists() or not list((tmp_path / "other").iterdir())


# -- released copies into a storage -----------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, line: Line) -> Path:
    """Two patients, everything released."""
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    answered(folder, tmp_path, BOTH)
    assert call(release, folder, "--yes", "--to", "the hand group").exit_code == 0
    return folder


def test_released_copies_go_to_s3_whole_and_once_and_come_out_again(run: Path, moto: int, line: Line) -> None:
    url = bucket(moto, "copies", {"medimg-R7Q4/share/notes.txt": b"somebody else's"})
    line.fault = once_each("500 cut-in", "PUT", "P0")
    done = medimg("upload", str(run), f"{url}/ward", "--json", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    copies = {f"ward/medimg-R7Q4/share/{p.name}": p.read_bytes() for p in (run / "share").iterdir()}
    assert json.loads(done.stdout)["put"] == ["P01-001.jpg", "P01-002.jpg", "P02-001.jpg"]
    assert {k: v for k, v in held(moto, "copies").items() if k.startswith("ward/")} == copies
    writes = len([1 for method, _ in line.asked if method == "PUT"])
    again = medimg("upload", str(run), f"{url}/ward", cwd=run.parent)
    assert again.stdout == "0 copies uploaded, 3 there already, 0 taken out.\n"
    assert len([1 for method, _ in line.asked if method == "PUT"]) == writes
    assert call(reopen, run, "P01").exit_code == 11
    assert medimg("upload", str(run), f"{url}/ward", cwd=run.parent).returncode == 0
    left = {"medimg-R7Q4/share/notes.txt", "ward/medimg-R7Q4/share/P02-001.jpg"}
    assert set(held(moto, "copies")) == left


@pytest.mark.long  # two libraries try again for two minutes
def test_a_storage_that_takes_nothing_is_said_and_the_next_command_goes_on(run: Path, moto: int, line: Line) -> None:
    url = bucket(moto, "full", {})
    line.fault = lambda method, path: "cut-in" if method == "PUT" and "P01-002" in path else ""
    done = medimg("upload", str(run), url, cwd=run.parent)
    assert done.returncode == 30
    copies = {p.name: p.read_bytes() for p in (run / "share").iterdir()}
    assert all(copies[k.rpartition("/")[2]] == v for k, v in held(moto, "full").items())  # whole or not there
    assert len(held(moto, "full")) < 3
    line.fault = lambda method, path: ""
    assert medimg("upload", str(run), url, cwd=run.parent).returncode == 0
    assert len(held(moto, "full")) == 3


def test_a_kill_leaves_whole_objects_or_none(run: Path, moto: int, line: Line) -> None:
    url = bucket(moto, "killed", {})
    copies = {p.name: p.read_bytes() for p in (run / "share").iterdir()}
    draw = random.Random(5)
    for _ in range(4):
        line.fault = lambda method, path: "slow" if method == "PUT" else ""
        before = len(line.asked)
        command = [sys.executable, "-m", "medimg", "upload", str(run), url]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(line.asked) < before + 2 and running.poll() is None:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 3))
        running.send_signal(signal.SIGKILL)
        running.wait(60)
        assert all(copies[k.rpartition("/")[2]] == v for k, v in held(moto, "killed").items())
    line.fault = lambda method, path: ""
    assert medimg("upload", str(run), url, cwd=run.parent).returncode == 0
    assert {k.rpartition("/")[2]: v for k, v in held(moto, "killed").items()} == copies


def test_what_was_changed_in_share_is_not_uploaded(run: Path, moto: int, line: Line) -> None:
    url = bucket(moto, "changed", {})
    (run / "share/P01-001.jpg").write_bytes(b"another")
    done = medimg("upload", str(run), url, cwd=run.parent)
    assert done.returncode == 20
    assert held(moto, "changed") == {}


# -- other places -----------------------------------------------------------------------------------------------------


def test_a_file_url_is_a_path_of_this_computer(tmp_path: Path, run: Path) -> None:
    fakes.photo(tmp_path / "in here/a.png")
    place = (tmp_path / "in here").as_uri()
    done = medimg("clean", place, "-o", (tmp_path / "out").as_uri(), "--metadata-only", cwd=tmp_path)
    assert done.returncode == 11, done.stderr
    assert len(list((tmp_path / "out").glob("medimg-*/unreviewed/*"))) == 1
    assert medimg("clean", place, "-o", place, "--metadata-only", cwd=tmp_path).returncode == 2  # among the photos
    assert medimg("clean", "file://elsewhere/in", "-o", "out", cwd=tmp_path).returncode == 2
    assert medimg("upload", str(run), (tmp_path / "away").as_uri(), cwd=tmp_path).returncode == 0
    assert len(list((tmp_path / "away/medimg-R7Q4/share").iterdir())) == 3
    (unreleased,) = (tmp_path / "out").glob("medimg-*")
    done = medimg("upload", str(unreleased), (tmp_path / "none").as_uri(), cwd=tmp_path)
    assert (done.returncode, "Nothing of this run is released" in done.stdout) == (0, True)


def test_memory_takes_copies_and_gives_no_photos(tmp_path: Path, run: Path) -> None:
    done = upload.upload(open_run(run), Register(), "memory://ward")
    assert (len(done.put), done.removed) == (3, ())
    memory = fsspec.filesystem("memory")
    copies = {p.name: hashlib.sha256(p.read_bytes()).digest() for p in (run / "share").iterdir()}
    there = memory.ls("/ward/medimg-R7Q4/share", detail=False)
    assert {p.rpartition("/")[2]: hashlib.sha256(memory.cat_file(p)).digest() for p in there} == copies
    for wrong in (["memory://photos"], ["file://elsewhere/photos"]):
        with pytest.raises(UsageError):
            RunRequest(photos=wrong, out=tmp_path / "out").checked()
    fakes.photo(tmp_path / "in/a.png")
    with pytest.raises(UsageError, match="lies on this computer"):
        RunRequest(photos=[tmp_path / "in"], out="s3://bucket/out").checked()
    assert medimg("clean", "in", "-o", "s3://bucket/out", cwd=tmp_path).returncode == 2
    assert not list(tmp_path.glob("s3*"))


def test_an_object_that_arrives_otherwise_is_taken_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage.put
    monkeypatch.setattr(storage, "put", lambda url, data: real(url, data[:-1]))
    with pytest.raises(OutputError, match="not the one"):
        upload.upload(open_run(run), Register(), "memory://damaged")
    assert fsspec.filesystem("memory").find("/damaged") == []
    assert os.environ["AWS_ENDPOINT_URL"]
