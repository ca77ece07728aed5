"""Orthanc as the archive: behind the DICOM node by C-STORE and by STOW-RS, and as the one who sends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dicom_kit as kit
import httpx
import pydicom
import pytest
from serve_kit import TOKEN
from share_kit import mounted
from test_dicom_node import _numbered, _photo, _send, _storescu, node
from test_dicomweb import worker

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ORTHANC = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (ORTHANC and PLUGIN.exists() and shutil.which("storescu")),
        reason="Orthanc with orthanc-dicomweb, or DCMTK, is not installed",
    ),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Orthanc:
    """One archive on ports of its own; ``more`` goes into its configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.dicom, self.port = folder / "orthanc", _free(), _free()
        self.folder.mkdir()

    @contextlib.contextmanager
    def running(self, **more: Any) -> Iterator[None]:
        configuration = {
            "StorageDirectory": str(self.folder),
            "IndexDirectory": str(self.folder),
            "DicomPort": self.dicom,
            "HttpPort": self.port,
            "RemoteAccessAllowed": False,
            "Plugins": [str(PLUGIN)],
            **more,
        }
        (self.folder / "orthanc.json").write_text(json.dumps(configuration))
        with (self.folder / "said").open("wb") as said:
            process = subprocess.Popen([str(ORTHANC), str(self.folder / "orthanc.json")], stdout=said, stderr=said)
        try:
            until = time.monotonic() + 100
            while not self._answers():
                assert process.poll() is None, (self.folder / "said").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.ask("GET", "/system").status_code == 200
        return False

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=100, **more)

    def address(self, way: str) -> str:
        """Where a node sends its copies."""
        return f"ORTHANC@127.0.0.1:{self.dicom}" if way == "C-STORE" else f"http://127.0.0.1:{self.port}/dicom-web"

    def held(self) -> list[bytes]:
        """Every object in it, as it gives them back."""
        return [self.ask("GET", f"/instances/{one}/file").content for one in self.ask("GET", "/instances").json()]


@pytest.fixture
def orthanc(tmp_path: Path) -> Orthanc:
    return Orthanc(tmp_path)


def _covered(data: bytes) -> bool:
    instance = pydicom.dcmread(io.BytesIO(data))
    return instance.PatientIdentityRemoved == "YES" and kit.MARK.encode() not in data


@pytest.mark.parametrize("way", ["C-STORE", "STOW-RS"])
def test_an_archive_behind_the_node_holds_covered_copies_once(tmp_path: Path, orthanc: Orthanc, way: str) -> None:
    photos = [_photo(tmp_path, n) for n in range(4)]
    with node(tmp_path, "--send-to", orthanc.address(way)) as port:
        assert _send(port, _numbered(0)) == 0xC001  # it is not up yet, and nothing is acknowledged
        for _ in range(2):  # it goes down in between, and what is sent again is there once
            with orthanc.running():
                assert _storescu(port, *photos) == 0
                held = orthanc.held()
        assert _send(port, _numbered(0)) == 0xC001
    assert len(held) == 4
    assert all(map(_covered, held))


@pytest.mark.parametrize("way", ["C-STORE", "STOW-RS"])
def test_what_the_archive_has_no_room_for_is_not_acknowledged(tmp_path: Path, orthanc: Orthanc, way: str) -> None:
    with (
        mounted(tmp_path) as share,
        orthanc.running(StorageDirectory=str(share.mount)),
        node(tmp_path, "--send-to", orthanc.address(way)) as port,
    ):
        share.tell(fail={"write": ["ENOSPC", "", 0]})
        assert _send(port, _numbered(0)) == 0xC001
        share.tell()
        assert _send(port, _numbered(0)) == 0
        assert len(orthanc.held()) == 1


def test_an_archive_sends_and_covered_copies_lie_there(tmp_path: Path, orthanc: Orthanc) -> None:
    (tmp_path / "out").mkdir()
    with node(tmp_path, "-o", "out", "--peer", "ORTHANC") as port:
        peers = {"medimg": ["MEDIMG", "127.0.0.1", port]}
        with orthanc.running(DicomModalities=peers, DicomAet="ORTHANC"):
            for n in range(3):
                orthanc.ask("POST", "/instances", content=_numbered(n)).raise_for_status()
            sent = orthanc.ask("POST", "/modalities/medimg/store", json=orthanc.ask("GET", "/instances").json())
            assert (sent.status_code, sent.json()["FailedInstancesCount"]) == (200, 0)
    copies = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(copies) == 3
    assert all(map(_covered, copies))


def test_an_archive_sends_by_stow(tmp_path: Path, orthanc: Orthanc) -> None:
    with worker(tmp_path) as port:
        server = {"Url": f"http://127.0.0.1:{port}/dicom-web/", "HttpHeaders": {"Authorization": f"Bearer {TOKEN}"}}
        with orthanc.running(DicomWeb={"Enable": True, "Servers": {"medimg": server}}):
            for n in range(3):
                orthanc.ask("POST", "/instances", content=_numbered(n)).raise_for_status()
            named = {"Resources": orthanc.ask("GET", "/instances").json(), "Synchronous": True}
            orthanc.ask("POST", "/dicom-web/servers/medimg/stow", json=named).raise_for_status()
    copies = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(copies) == 3
    assert all(map(_covered, copies))
