"""DICOMweb STOW-RS in and out, with dicomweb-client and a stand-in archive; storage commitment; faults."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dicom_kit as kit
import httpx
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]
from requests.exceptions import HTTPError
from serve_kit import TOKEN, serving
from test_dicom_node import _numbered, _send, node

from medimg import dicom
from medimg.errors import UsageError
from medimg.fhir import sending
from medimg.serve.stow import Archive

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


@contextmanager
def worker(folder: Path, *options: str) -> Iterator[int]:
    """``medimg serve --stow`` as its users start it; metadata alone, so that it starts soon."""
    (folder / "out").mkdir(exist_ok=True)
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    command = ("serve", "--token-file", "token", "--stow", "out", "--metadata-only", "--workers", "1")
    with serving(folder, *command, *options, MEDIMG_SITE_KEY=str(folder / "key")) as port:
        yield port


def client(port: int) -> DICOMwebClient:
    session = create_session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    return DICOMwebClient(f"http://127.0.0.1:{port}/dicom-web", session=session)


def instance(data: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(data))


def post(port: int, body: bytes, kind: str = 'multipart/related; type="application/dicom"; boundary=x') -> Any:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": kind}
    where = f"http://127.0.0.1:{port}/dicom-web/studies"
    return httpx.post(where, content=body, headers=headers, timeout=600)


def parts(*data: bytes) -> bytes:
    return b"".join(b"--x\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % d for d in data) + b"--x--\r\n"


def test_a_client_stores_photographs_and_covered_copies_lie_there(tmp_path: Path) -> None:
    sent = [instance(_numbered(n)) for n in range(3)]
    with worker(tmp_path) as port:
        stored = client(port).store_instances(sent)
        assert [i.ReferencedSOPInstanceUID for i in stored.ReferencedSOPSequence] == [i.SOPInstanceUID for i in sent]
        copies = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
        assert len(copies) == 3
        for name, data in copies.items():
            assert name == f"{instance(data).SOPInstanceUID}.dcm"
            assert kit.MARK.encode() not in data
        client(port).store_instances(sent)
    with worker(tmp_path) as port:  # and after a restart: the same copies, and no more of them
        client(port).store_instances(sent)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == copies


def test_what_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    damaged = kit.dataset()
    damaged.Rows = 5000
    with worker(tmp_path) as port:
        some = post(port, parts(kit.saved(damaged), _numbered(1)))
        assert some.status_code == 202
        assert some.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC000]
        assert len(some.json()["00081199"]["Value"]) == 1
        none = post(port, parts(kit.saved(damaged), b"no file of the kind"))
        assert (none.status_code, len(none.json()["00081198"]["Value"])) == (409, 2)
        with pytest.raises(HTTPError):
            client(port).store_instances([damaged])
        for body, kind in (
            (b"", "multipart/related; boundary=x"),
            (parts(_numbered(2))[:-8], 'multipart/related; type="application/dicom"; boundary=x'),
            (parts(_numbered(2)), 'multipart/related; type="application/dicom"'),
            (parts(_numbered(2)), 'multipart/related; type="application/dicom+json"; boundary=x'),
            (parts(_numbered(2)), "multipart/related; boundary=" + 300 * "x"),
            (_numbered(2), "application/dicom"),
        ):
            assert post(port, body, kind).status_code == 400
        assert httpx.post(f"http://127.0.0.1:{port}/dicom-web/studies", content=b"x").status_code == 401
        assert len(list((tmp_path / "out").iterdir())) == 1
        (tmp_path / "out").rename(tmp_path / "away")
        assert post(port, parts(_numbered(3))).json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA700]
        (tmp_path / "away").rename(tmp_path / "out")


def test_the_answer_names_an_instance_without_unpacking_it() -> None:
    """Only a worker unpacks what was sent: a deflated data set of 64 kB can hold 64 MB, or 64 GB."""
    whole = _numbered(1)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join((deflate.compress(bytes(64 << 20)), deflate.flush()))
    tracemalloc.start()
    try:
        deflated = pydicom.dcmread(io.BytesIO(whole))
        deflated.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
        head = kit.saved(deflated)
        named = dicom.named(head[: 144 + int.from_bytes(head[140:144], "little")] + packed)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert named == (kit.PHOTOGRAPH, deflated.SOPInstanceUID) == dicom.named(whole)
    assert [dicom.named(other)[1] for other in (b"", whole[:140], whole[:200], b"no file of the kind" * 20)] == 4 * [""]


def test_a_line_that_is_cut_leaves_nothing_and_the_next_is_served(tmp_path: Path) -> None:
    body = parts(*(_numbered(n) for n in range(3)))
    with worker(tmp_path) as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = (
                f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: "
                f'multipart/related; type="application/dicom"; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n'
            )
            line.sendall(head.encode() + body[: len(body) // 2])
        assert post(port, parts(_numbered(7))).status_code == 200
        assert len(list((tmp_path / "out").iterdir())) == 1


# -- out --------------------------------------------------------------------------------------------------------------


class Studies(BaseHTTPRequestHandler):
    """An archive that answers as it is told to."""

    how = "stored"
    kept: list[bytes]
    asked: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append(f"{self.path} {self.headers.get('authorization', '')}")
        data = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        self.kept.append(data)
        if self.how == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        name = {"00081155": {"vr": "UI", "Value": [dicom.identifier(data) if self.how == "stored" else "1.2.3"]}}
        said = json.dumps({"00081199": {"vr": "SQ", "Value": [name]}}) if self.how != "500" else "no"
        self.send_response(500 if self.how == "500" else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def archive(how: str) -> Iterator[tuple[int, type[Studies]]]:
    handler = type("Told", (Studies,), {"how": how, "kept": [], "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], handler
    finally:
        server.shutdown()
        server.server_close()


def test_a_copy_is_acknowledged_once_the_archive_has_stored_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    with archive("stored") as (port, handler):
        more = ("--send-to", f"http://127.0.0.1:{port}/dicom-web", "--send-token-file", "token")
        with node(tmp_path, *more) as inward:
            assert _send(inward, _numbered(1)) == 0
            handler.how = "500"
            assert _send(inward, _numbered(2)) == 0xC001
            handler.how = "cut"
            assert _send(inward, _numbered(2)) == 0xC001
            handler.how = "another"
            assert _send(inward, _numbered(2)) == 0xC001
            handler.how = "stored"
            assert _send(inward, _numbered(2)) == 0
        assert handler.asked[0] == f"/dicom-web/studies Bearer {TOKEN}"
        assert not any(kit.MARK.encode() in data for data in handler.kept)
        assert handler.kept[1] == handler.kept[-1]  # sent again: the same copy, which an archive keeps once


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://host/x", "https://", "https://user:word@host/x", "https://:word@host/x", "http://host:99999/x"),
        *("http://host:0/x", "https://[::1/x", "https://a..b/x", f"https://{64 * 'a'}/x", "https://a\0b/x"),
        *("https://host/a b", "https://host/\xe4", "https://host/a\r\nX: y", "https://host/x?y", "https://host/x#y"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Archive.of(url, None)
    with pytest.raises(UsageError):
        sending.send({"type": "transaction", "entry": []}, url)


# -- storage commitment -----------------------------------------------------------------------------------------------


GOES = """
import os, sys
import pydicom
from pynetdicom import AE, build_role
from pynetdicom.sop_class import StorageCommitmentPushModel as MODEL

entity = AE("WARD")
entity.add_requested_context(MODEL)
link = entity.associate("127.0.0.1", int(sys.argv[1]), ae_title="MEDIMG", ext_neg=[build_role(MODEL, scu_role=True)])
status, _ = link.send_n_action(pydicom.dcmread(sys.argv[2], force=True), 1, MODEL, "1.2.840.10008.1.20.1.1")
os._exit(3 if status.Status == 0 else 1)
"""
"""Asks for commitment, and is gone before the report: in a process of its own, which answers nothing any more."""


# The peer's own thread may answer a report while its link is being let go. What medimg does is in another process.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_commitment_is_given_for_what_lies_in_the_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    reports: list[tuple[int, pydicom.Dataset]] = []
    told = threading.Event()

    def report(event: evt.Event) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        told.set()
        return 0x0000, None

    with node(tmp_path, "-o", "out") as port:
        assert _send(port, _numbered(1)) == 0
        for number, expected in (((1,), 1), ((1, 2), 2)):
            told.clear()
            entity = AE("WARD")
            entity.add_requested_context(StorageCommitmentPushModel)
            link = entity.associate(
                "127.0.0.1", port, ae_title="MEDIMG", evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)],
                ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True)],
            )  # fmt: skip
            assert link.is_established
            asked = pydicom.Dataset()
            asked.TransactionUID = "1.2.3.4"
            asked.ReferencedSOPSequence = []
            for n in number:
                one = pydicom.Dataset()
                one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = kit.PHOTOGRAPH, f"1.2.826.0.1.{n + 1}"
                asked.ReferencedSOPSequence.append(one)
            status, _ = link.send_n_action(asked, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1")
            assert status.Status == 0
            assert told.wait(60)
            with contextlib.suppress(Exception):
                link.release()
            kind, said = reports[-1]
            assert (kind, said.TransactionUID, len(said.ReferencedSOPSequence)) == (expected, "1.2.3.4", 1)
        assert [i.FailureReason for i in reports[-1][1].FailedSOPSequence] == [0x0112]
        deflated = AE("WARD")  # it would be unpacked without bounds
        deflated.add_requested_context(StorageCommitmentPushModel, pydicom.uid.DeflatedExplicitVRLittleEndian)
        assert not deflated.associate("127.0.0.1", port, ae_title="MEDIMG").is_established
        asked.save_as(tmp_path / "asked.dcm", implicit_vr=True, little_endian=True)
        went = [sys.executable, "-c", GOES, str(port), str(tmp_path / "asked.dcm")]
        assert subprocess.run(went, check=False, timeout=600).returncode == 3
        assert _send(port, _numbered(1)) == 0
    assert "Traceback" not in (tmp_path / "said").read_text()
