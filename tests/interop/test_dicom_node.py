"""The DICOM node before real peers: DCMTK's storescu and echoscu, and pynetdicom; and what goes wrong on a network."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dicom_kit as kit
import numpy as np
import pydicom
import pytest
import trustme
from click.testing import CliRunner
from pynetdicom import AE, build_context, evt
from serve_kit import serving, start
from share_kit import mounted

from medimg import dicom
from medimg.cli.main import cli
from medimg.errors import UsageError

pytestmark = [
    pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed"),
    # pynetdicom leaves the socket of a peer that was turned away to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


@contextmanager
def node(folder: Path, *options: str, workers: int = 1) -> Iterator[int]:
    """``medimg dicom-node`` as its users start it; metadata alone and one worker, so that it starts soon."""
    command = ("dicom-node", "--peer", "WARD", "--metadata-only", "--workers", str(workers))
    with serving(folder, *command, *options) as port:
        yield port


def _numbered(number: int, **changes: Any) -> bytes:
    """A photograph with an identifier and a picture of its own."""
    instance = pydicom.dcmread(io.BytesIO(kit.photograph(**{"pixels": kit.picture(seed=number), **changes})))
    instance.SOPInstanceUID = instance.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number + 1}"
    return kit.saved(instance)


def _photo(folder: Path, number: int) -> Path:
    path = folder / f"{number}.dcm"
    path.write_bytes(_numbered(number))
    return path


def _storescu(port: int, *files: Path, title: str = "WARD", called: str = "MEDIMG") -> int:
    command = ["storescu", "-xy", "-aet", title, "-aec", called, "127.0.0.1", str(port), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False).returncode


@contextmanager
def _archive(status: int = 0x0000) -> Iterator[tuple[int, list[bytes]]]:
    """Another node, which keeps what it is sent and answers with a status."""
    kept: list[bytes] = []
    entity = AE("ARCHIVE")
    for kind, syntaxes in dicom.storage().items():
        entity.add_supported_context(kind, syntaxes)

    def store(event: evt.Event) -> int:
        kept.append(event.encoded_dataset())
        return status

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    assert server is not None
    try:
        yield server.server_address[1], kept
    finally:
        server.shutdown()


def _send(port: int, data: bytes, **more: Any) -> int:
    """One object by pynetdicom; the status, or -1 where there was none."""
    instance = pydicom.dcmread(io.BytesIO(data))
    entity = AE("WARD")
    link = entity.associate(
        "127.0.0.1",
        port,
        contexts=[build_context(instance.SOPClassUID, instance.file_meta.TransferSyntaxUID)],
        ae_title="MEDIMG",
        **more,
    )
    if not link.is_established:
        return -1
    try:
        return int(link.send_c_store(instance).get("Status", -1))
    finally:
        link.release()


def test_a_ward_sends_photographs_and_finds_covered_copies(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    photos = [_photo(tmp_path, n) for n in range(4)]
    with node(tmp_path, "-o", "out") as port:
        echo = ["echoscu", "-aet", "WARD", "-aec", "MEDIMG", "127.0.0.1", str(port)]
        assert subprocess.run(echo, timeout=600, check=False).returncode == 0
        assert _storescu(port, *photos) == 0
        copies = sorted((tmp_path / "out").iterdir())
        assert len(copies) == 4
        assert _storescu(port, *photos) == 0  # sent again: the same copies, and no more of them
        assert sorted((tmp_path / "out").iterdir()) == copies
    for path in copies:
        copy = pydicom.dcmread(path)
        assert path.name == f"{copy.SOPInstanceUID}.dcm"
        assert (copy.PatientIdentityRemoved, str(copy.PatientName)) == ("YES", "")
        assert kit.MARK.encode() not in path.read_bytes()
    assert not list((tmp_path / "out").glob(".*"))


def test_who_is_not_named_is_not_heard(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    photo = _photo(tmp_path, 1)
    with node(tmp_path, "-o", "out") as port:
        assert _storescu(port, photo, title="STRANGER") != 0
        assert _storescu(port, photo, called="OTHER") != 0
        assert not list((tmp_path / "out").iterdir())
        assert _storescu(port, photo) == 0


def test_what_cannot_be_cleaned_is_not_acknowledged_and_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    damaged = kit.dataset()
    damaged.Rows = 5000
    with node(tmp_path, "-o", "out") as port:
        assert _send(port, kit.saved(damaged)) == 0xC000
        assert not list((tmp_path / "out").iterdir())
        assert _send(port, _numbered(1)) == 0
        other = pydicom.dcmread(io.BytesIO(_numbered(2)))
        other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.2"
        before = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
        assert _send(port, kit.saved(other)) == 0xA700  # another picture under the same identifier replaces none
        assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == before


def test_a_folder_that_takes_nothing_is_said_and_the_sender_keeps_its_photo(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with node(tmp_path, "-o", "out") as port:
        out.rmdir()
        assert _send(port, _numbered(1)) == 0xA700
        out.mkdir()
        assert _send(port, _numbered(1)) == 0
    assert len(list(out.iterdir())) == 1


def test_what_was_acknowledged_outlives_a_share_whose_server_is_gone(tmp_path: Path) -> None:
    with mounted(tmp_path) as share:
        out = share.mount / "out"
        out.mkdir()
        with node(tmp_path, "-o", str(out)) as port:
            for call, error in (("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "ESTALE")):
                share.tell(fail={call: [error, ".part", 0]}, keeps=60)
                assert _send(port, _numbered(1)) == 0xA700
            assert not list(out.iterdir())
            share.tell(keeps=60)
            assert [_send(port, _numbered(n)) for n in range(3)] == [0, 0, 0]
            copies = {path.name: path.read_bytes() for path in out.iterdir()}
            share.cut()
        assert {path.name: path.read_bytes() for path in (share.disk / "out").iterdir()} == copies
        assert len(copies) == 3


def test_a_copy_is_acknowledged_once_the_next_node_has_acknowledged_it(tmp_path: Path) -> None:
    for status, expected in ((0x0000, 0), (0xA700, 0xC001)):
        with _archive(status) as (archive, kept), node(tmp_path, "--send-to", f"ARCHIVE@127.0.0.1:{archive}") as port:
            assert _send(port, _numbered(1)) == expected
        assert len(kept) == 1
        assert kit.MARK.encode() not in kept[0]
    with node(tmp_path, "--send-to", f"ARCHIVE@127.0.0.1:{archive}") as port:
        assert _send(port, _numbered(1)) == 0xC001  # nobody is there any more


def test_a_connection_cut_in_a_photo_leaves_nothing_and_the_next_is_served(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with node(tmp_path, "-o", "out") as port:
        entity = AE("WARD")
        sent = pydicom.dcmread(_photo(tmp_path, 1))
        link = entity.associate(
            "127.0.0.1", port, contexts=[build_context(sent.SOPClassUID, sent.file_meta.TransferSyntaxUID)],
            ae_title="MEDIMG", evt_handlers=[(evt.EVT_PDU_SENT, lambda event: _cut(event))],
        )  # fmt: skip
        assert link.is_established
        assert link.send_c_store(sent).get("Status", -1) != 0
        assert _send(port, _numbered(5)) == 0
        assert len(list((tmp_path / "out").iterdir())) == 1


def _cut(event: evt.Event) -> None:
    """Close the line once the command has gone, before its data set has."""
    if type(event.pdu).__name__ == "P_DATA_TF":
        event.assoc.dul.socket.close()


def test_more_than_a_photo_may_have_ends_the_association(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    policy = tmp_path / "small.toml"
    policy.write_text("[limits]\nbytes = 20000\n")
    large = kit.photograph(pixels=np.random.default_rng(1).integers(0, 255, (1200, 1200, 3), dtype=np.uint8))
    with node(tmp_path, "-o", "out", "--policy", str(policy)) as port:
        assert _send(port, large) in (-1, 0xA700)
        assert _send(port, _numbered(1)) in (0, 0xA700)
        assert _send(port, large) in (-1, 0xA700)
    assert all(path.stat().st_size < 40_000 for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize("number", [30, pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_what_was_acknowledged_outlives_a_kill_and_in_the_end_all_are_there(tmp_path: Path, number: int) -> None:
    out = tmp_path / "out"
    out.mkdir()
    photos = [_photo(tmp_path, n) for n in range(number)]
    running, port = start(tmp_path, "dicom-node", "--peer", "WARD", "--metadata-only", "--workers", "2", "-o", "out")
    try:
        senders = _three(port, photos, tmp_path)
        until = time.monotonic() + 1200
        while len(list(out.glob("*.dcm"))) < number // 3:
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        running.kill()
        running.wait(100)
    assert all(one.wait(600) for one in senders)  # who is cut off knows it
    acknowledged = sum(_acknowledged(tmp_path))
    kept = {path.name: path.read_bytes() for path in out.glob("*.dcm")}
    assert 0 < acknowledged <= len(kept) < number
    (out / ".medimg-0123456789abcdef.part").write_bytes(b"half")  # as a kill may leave it
    with node(tmp_path, "-o", "out", workers=2) as port:
        assert [one.wait(1200) for one in _three(port, photos, tmp_path)] == [0, 0, 0]
    assert sum(_acknowledged(tmp_path)) == number
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name in kept} == kept
    assert len(list(out.iterdir())) == number


def _three(port: int, photos: list[Path], folder: Path) -> list[subprocess.Popen[bytes]]:
    """Three senders at once, each with a third of the photos; what each is told goes to a file."""
    command = ["storescu", "-v", "-xy", "-aet", "WARD", "-aec", "MEDIMG", "127.0.0.1", str(port)]
    senders = []
    for n in range(3):
        with (folder / f"told-{n}").open("wb") as told:
            senders.append(subprocess.Popen([*command, *map(str, photos[n::3])], stdout=told, stderr=told))
    return senders


def _acknowledged(folder: Path) -> list[int]:
    return [(folder / f"told-{n}").read_text().count("Received Store Response (Success)") for n in range(3)]


def test_tls_takes_signed_peers_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    authority, other = trustme.CA(), trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key")
    made.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    options = ["-o", "out", "--certificate", "certificate", "--key", "key", "--client-ca", "ca"]

    def shown(certificate: trustme.LeafCert | None) -> tuple[ssl.SSLContext, str]:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        return context, "127.0.0.1"

    with node(tmp_path, *options) as port:
        assert _send(port, _numbered(1), tls_args=shown(authority.issue_cert("ward.example"))) == 0
        for wrong in (None, other.issue_cert("ward.example")):
            assert _send(port, _numbered(1), tls_args=shown(wrong)) == -1
        assert _send(port, _numbered(1)) == -1


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def _asking(context: int = 1) -> bytes:
    """A request for an association (PS3.8, 9.3.2), byte by byte."""
    syntaxes = _item(0x30, kit.PHOTOGRAPH.encode()) + _item(0x40, b"1.2.840.10008.1.2.1")
    wanted = _item(0x10, b"1.2.840.10008.3.1.1.1") + _item(0x20, bytes([context, 0, 0, 0]) + syntaxes)
    names = b"MEDIMG".ljust(16) + b"WARD".ljust(16)
    body = struct.pack(">HH", 1, 0) + names + bytes(32) + wanted + _item(0x50, _item(0x51, struct.pack(">I", 16384)))
    return struct.pack(">BBI", 1, 0, len(body)) + body


ENDLESS = struct.pack(">BBI", 1, 0, 0xFFFFFFFF)
NO_ASSOCIATION = {"nothing": b"", "half of a request": _asking()[:40], "four gigabytes": ENDLESS + bytes(1 << 20)}


@pytest.mark.parametrize(
    "secured", [pytest.param(False, id="plain"), pytest.param(True, id="TLS", marks=pytest.mark.long)]
)
def test_connections_that_ask_for_no_association_keep_nobody_out(tmp_path: Path, secured: bool) -> None:
    (tmp_path / "out").mkdir()
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key")
    made.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    options = ("--certificate", "certificate", "--key", "key") if secured else ()
    more = {"tls_args": (context, "127.0.0.1")} if secured else {}
    with node(tmp_path, "-o", "out", *options) as port, contextlib.ExitStack() as stack:
        for number, said in enumerate(NO_ASSOCIATION.values()):
            for _ in range(8):
                line = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
                with contextlib.suppress(OSError):  # it is closed as soon as the length is read
                    line.sendall(said)
            assert _send(port, _numbered(number), **more) == 0
        held = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
        assert _closed(held, 40.0)


def _closed(line: socket.socket, seconds: float) -> bool:
    line.settimeout(seconds)
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_associations_that_say_nothing_give_way_and_nothing_of_them_is_printed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with node(tmp_path, "-o", "out") as port, contextlib.ExitStack() as stack:
        for _ in range(2):  # two for each worker are as many as there may be
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            line.sendall(_asking())
            assert line.recv(1) == b"\2"  # accepted
        assert _send(port, _numbered(1)) == -1
        time.sleep(11)
        assert _send(port, _numbered(1)) == 0
        wrong = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
        wrong.sendall(_asking(context=2))  # PS3.8, 9.3.2.2: it is odd
        assert _closed(wrong, 40.0)
    assert "Traceback" not in (tmp_path / "said").read_text()


def test_the_node_asks_for_no_package_of_the_http_worker() -> None:
    """Each has an extra of its own."""
    program = """
import sys
sys.modules |= dict.fromkeys(("uvicorn", "starlette", "python_multipart", "prometheus_client"))
from medimg.cli.main import main
sys.argv = ["medimg", "dicom-node", "--port", "11112", "--peer", "WARD"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, "name a folder" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-o", "nowhere"],
        ["-o", ".", "--host", "0.0.0.0"],
        ["--send-to", "ARCHIVE"],
        ["--send-to", "ARCHIVE@host:99999"],
        ["--send-to", "ARCHIVE@192.0.2.1:11112"],
        ["-o", ".", "--certificate", "c"],
        ["-o", ".", "--client-ca", "c"],
        ["-o", ".", "--aet", "\x1b[2J"],
        ["-o", ".", "--aet", "seventeen letters"],
        ["-o", ".", "--peer", "a\\b"],
        ["-o", ".", "--send-to", "\u202e@127.0.0.1:104"],
        ["-o", ".", "--send-to", "ARCHIVE@127.0.0.1:" + "9" * 5000],
        ["-o", ".", "--certificate", "c", "--key", "k"],
    ],
)
def test_the_command_refuses_what_it_must_not_do(options: list[str]) -> None:
    done = CliRunner().invoke(cli, ["dicom-node", "--port", "11112", "--peer", "WARD", *options], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
