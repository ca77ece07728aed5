"""The HTTP worker: what it answers, whom it refuses, and that nothing of a photo stays behind."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import resource
import select
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import trustme
from click.testing import CliRunner
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from serve_kit import MARK, TOKEN, accepts, ask, photo, serving, started

from medimg.cli.main import cli
from medimg.errors import UsageError
from medimg.serve import listen, who
from medimg.types import Report, from_json


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("serve")
    with started(folder):
        yield folder / "s"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server on loopback that may have 1,024 files open, as is usual."""
    note = tmp_path / "port"
    with started(tmp_path, lambda: note.exists() and accepts(int(note.read_text() or 0)), note=note):
        yield int(note.read_text())


def test_a_photo_comes_back_as_a_copy_with_its_report(server: Path) -> None:
    data = photo()
    answer = ask(server, "POST", "/v1/scrub", content=data)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    got = answer.json()
    report = from_json(json.dumps(got["report"]).encode(), Report)
    assert (report.state, report.counts("metadata")) == ("unreviewed", {"owner": 1})
    copy = base64.b64decode(got["copy"]["data"])
    assert (got["copy"]["media_type"], got["copy"]["suffix"]) == ("image/png", ".png")
    assert MARK.encode() not in copy
    assert MARK not in answer.text
    before, after = (np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (data, copy))
    assert np.array_equal(before, after)


def test_known_values_go_with_a_photo_as_json(server: Path) -> None:
    body = {"photo": base64.b64encode(photo()).decode(), "known": {"names": ["Margaret Whitcombe"]}}
    answer = ask(server, "POST", "/v1/scrub", json=body)
    assert answer.status_code == 200
    assert "Whitcombe" not in answer.text


def test_a_request_that_says_a_thing_twice_is_refused(server: Path) -> None:
    """The known values that stand first would not be looked for."""
    values = f'"known": {{"names": ["{MARK}"]}}, "known": {{}}'
    body = f'{{"photo": "{base64.b64encode(photo()).decode()}", {values}}}'
    answer = ask(server, "POST", "/v1/scrub", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "M-USE")
    assert MARK not in answer.text


def test_a_form_takes_a_photo_and_known_values_and_writes_no_file(server: Path) -> None:
    words = {"names": ["Margaret Whitcombe", ""], "numbers": ["1961"]}
    answer = ask(server, "POST", "/v1/scrub", data=words, files={"photo": (f"{MARK}.png", photo(), "image/png")})
    assert answer.status_code == 200, answer.text
    assert MARK.encode() not in base64.b64decode(answer.json()["copy"]["data"])
    assert MARK not in answer.text
    for wrong in (
        {"files": {"photo": ("a.png", b"", "image/png")}},
        {"files": [("photo", ("a.png", photo(), "image/png"))] * 2},
        {"files": {"photo": ("a.png", photo(), "image/png")}, "data": {"surname": MARK}},
        {"files": {"photo": ("a.png", photo(), "image/png")}, "data": {"names": [MARK] * 1001}},
        {"files": {"photo": ("a.png", photo(), "image/png")}, "data": {"names": [MARK * 1000] * 3}},
        {"files": {"names": ("a.png", photo(), "image/png")}},
        {"content": b"--x\r\n" + MARK.encode(), "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": photo(), "headers": {"content-type": "multipart/form-data"}},
    ):
        refused = ask(server, "POST", "/v1/scrub", **wrong)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["code"]) == (400, "M-USE")
        assert MARK not in refused.text
    large = ask(server, "POST", "/v1/scrub", files={"photo": ("a.png", bytes(200_001), "image/png")})
    assert large.status_code == 413


def test_the_picture_itself_is_answered_to_who_accepts_pictures_alone(server: Path) -> None:
    accepted = {"image/*": True, "image/png, image/jpeg": True, "image/*, application/json": False}
    for accept, is_picture in accepted.items():
        answer = ask(server, "POST", "/v1/scrub", content=photo(), headers={"accept": accept})
        assert answer.status_code == 200
        assert (answer.headers["content-type"] == "image/png") is is_picture
        if is_picture:
            assert json.loads(answer.headers["medimg-report"])["state"] == "unreviewed"
            assert Image.open(io.BytesIO(answer.content)).size == (80, 60)
            assert MARK.encode() not in answer.content
    refused = ask(server, "POST", "/v1/scrub", content=b"\1\2", headers={"accept": "image/*"})
    assert refused.json()["report"]["error_code"] == "M-IN-NOTPIC"


def test_a_problem_is_of_the_published_form(server: Path) -> None:
    answer = ask(server, "GET", "/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    got = answer.json()
    assert (got["type"], got["title"], got["status"], got["code"]) == ("about:blank", "Not Found", 404, "M-HTTP-ROUTE")


def test_a_supervisor_needs_no_token_for_one_word_and_counts_hold_no_value(server: Path) -> None:
    assert [ask(server, "GET", path, token=None).text for path in ("/healthz", "/readyz")] == ["ok", "ready"]
    assert ask(server, "GET", "/metrics", token=None).status_code == 401

    def counts() -> dict[str, float]:
        answer = ask(server, "GET", "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert MARK not in answer.text
        families = text_string_to_metric_families(answer.text)
        return {"/".join((s.name, *s.labels.values())): s.value for f in families for s in f.samples}

    before = counts()
    ask(server, "POST", "/v1/scrub", content=photo())
    ask(server, "POST", "/v1/scrub", content=b"")
    for one in (photo(1), photo(2)):
        ask(server, "POST", "/v1/scrub", content=one, headers={"idempotency-key": "counted"})
    after = counts()
    for name, more in (("unreviewed", 2), ("M-USE", 1), ("M-HTTP-KEY", 1), ("ended", 0)):
        assert after.get(f"medimg_photos_total/{name}", 0) == before.get(f"medimg_photos_total/{name}", 0) + more
    assert after["medimg_photo_seconds_count"] == before["medimg_photo_seconds_count"] + 4
    assert after["medimg_photos_taken"] == 0


def test_inspect_gives_a_plan_and_no_value(server: Path) -> None:
    answer = ask(server, "POST", "/v1/inspect", content=photo())
    assert answer.status_code == 200
    assert [a["do"] for a in answer.json()["actions"]] == ["drop"]
    assert MARK not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "M-USE"),
        (b"\1\2" + MARK.encode(), 422, "M-IN-NOTPIC"),
        (photo()[:300], 422, "M-IN-BAD"),
        (bytes(200_001), 413, "M-IN-LARGE"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_in_words(server: Path, body: bytes, status: int, code: str) -> None:
    for path in ("/v1/scrub", "/v1/inspect"):
        answer = ask(server, "POST", path, content=body)
        assert answer.status_code == status, path
        got = answer.json()
        assert got.get("code") == code or got["report"]["error_code"] == code
        assert got.get("copy") is None
        assert MARK not in answer.text


def test_a_photo_that_kills_or_holds_up_its_worker_costs_itself_alone(server: Path) -> None:
    from tests import batch_fakes

    for how, code in ((batch_fakes.CRASHES, "M-HOLD-CRASH"), (batch_fakes.HANGS, "M-HOLD-TIME")):
        answer = ask(server, "POST", "/v1/scrub", content=photo(first=how))
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert ask(server, "POST", "/v1/scrub", content=photo()).status_code == 200


def test_what_is_no_http_is_answered_and_has_no_line_printed_for_it(server: Path) -> None:
    """Nobody needs a token to send it, as often as they like."""
    upgrade = f"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: Upgrade, close\r\n"
    for sent, status in (
        (f"{MARK}\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        (upgrade + "Upgrade: websocket\r\n\r\n", "200"),
    ):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(server))
            line.sendall(sent.encode())
            answer = line.recv(1 << 16).decode()
        assert answer.startswith(f"HTTP/1.1 {status}")
        assert MARK not in answer
    assert (server.parent / "said").read_bytes() == b""


def test_a_sender_who_lies_about_the_length_is_stopped(server: Path) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(10_000)

    assert ask(server, "POST", "/v1/scrub", content=endless()).status_code == 413
    assert ask(server, "POST", "/v1/scrub", content=photo()).status_code == 200


@pytest.mark.parametrize("token", [None, "x", TOKEN[:-1], TOKEN + "0", "\u00e9"])
@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/v1/scrub"])
def test_nothing_is_served_without_the_token(server: Path, path: str, token: str | None) -> None:
    answer = ask(server, "POST" if path.startswith("/v1") else "GET", path, token=token, content=photo())
    assert answer.status_code == 401
    assert answer.json()["code"] == "M-HTTP-TOKEN"


@pytest.mark.parametrize("path", ["/health/", "/nothing", "/v1/scrub/", "/"])
def test_nothing_is_said_of_what_is_there_without_the_token(server: Path, path: str) -> None:
    answer = ask(server, "GET", path, token=None, headers={"host": "evil.example"})
    assert answer.status_code == 401
    assert "evil" not in str(answer.headers) + answer.text
    known = ask(server, "GET", path, headers={"host": "evil.example"})
    assert known.status_code == 404
    assert "evil" not in str(known.headers) + known.text


def test_silent_connections_without_a_token_shut_nobody_out(port: int) -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (files, most))
        silent = []
        for _ in range(1010):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            with contextlib.suppress(OSError):  # the server may have closed it already
                one.sendall(b"GET / HTTP/1.1\r\nX: ")
            silent.append(one)
        for _ in range(3):
            with httpx.Client(timeout=600) as client:
                headers = {"authorization": f"Bearer {TOKEN}"}
                assert client.get(f"http://127.0.0.1:{port}/health", headers=headers).status_code == 200
        # All of them are closed in the end, also those that go on saying a letter now and then.
        end = time.monotonic() + 100
        while silent:
            assert time.monotonic() < end, f"{len(silent)} silent connections are still open"
            silent = [one for one in silent if not closed(one)]
            time.sleep(0.2)


def test_whoever_asks_without_end_and_takes_no_answer_shuts_nobody_out(port: int) -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (files, most))
        for _ in range(300):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            one.setblocking(False)
            with contextlib.suppress(OSError):  # as much as goes
                one.sendall(b"GET /v1/scrub HTTP/1.1\r\nHost: x\r\n\r\n" * 8000)
        with httpx.Client(timeout=600) as client:
            headers = {"authorization": f"Bearer {TOKEN}"}
            assert client.get(f"http://127.0.0.1:{port}/health", headers=headers).status_code == 200


def test_a_request_behind_another_is_to_be_sent_again(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        said = b""
        while block := line.recv(65536):
            said += block
    assert said.count(b"HTTP/1.1 200") == 1


def test_a_request_that_says_its_length_twice_is_refused_and_what_follows_is_no_request(server: Path) -> None:
    """A proxy that reads the length and a server that reads the chunks would take it for different requests."""
    head = f"POST /v1/scrub HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    twice = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    hidden = f"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(server))
        line.sendall((head + twice + hidden).encode())
        said = b""
        while block := line.recv(65536):
            said += block
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


def closed(one: socket.socket) -> bool:
    """Whether the other side has closed a connection on which another letter is sent."""
    one.setblocking(False)
    try:
        one.send(b"x")
        return one.recv(100) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_place_is_given_before_the_photo_is_taken(server: Path) -> None:
    """One worker, and four may wait: the sixth is told to come again before it has sent a byte of its photo."""
    head = f"POST /v1/scrub HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        answers = []
        for _ in range(8):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(server))
            one.sendall(head.encode())
            answers.append(one)
        ready, _, _ = select.select(answers, [], [], 30)
        end = time.monotonic() + 30
        while len(ready) < 3 and time.monotonic() < end:
            ready, _, _ = select.select(answers, [], [], 1)
            time.sleep(0.1)
        assert [one.recv(12) for one in ready] == [b"HTTP/1.1 503"] * 3
    end = time.monotonic() + 100
    while ask(server, "POST", "/v1/scrub", content=photo()).status_code == 503:  # until those are known to be gone
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_socket_is_for_its_owner_alone(server: Path) -> None:
    assert stat.S_IMODE(server.stat().st_mode) == 0o600
    with pytest.raises(UsageError):
        listen.unix(server)


def test_too_many_at_once_are_told_to_come_again(server: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from tests import batch_fakes

    def hangs(_: int) -> int:
        return ask(server, "POST", "/v1/scrub", content=photo(first=batch_fakes.HANGS)).status_code

    with ThreadPoolExecutor(9) as threads:
        found = sorted(threads.map(hangs, range(9)))
    assert set(found) == {422, 503}
    assert ask(server, "POST", "/v1/scrub", content=photo()).status_code == 200


def test_the_description_names_the_media_types_of_copies(server: Path) -> None:
    made = ask(server, "GET", "/openapi.json").json()["components"]["schemas"]["MadeCopy"]["properties"]
    types = dict(zip(made["suffix"]["enum"], made["media_type"]["enum"], strict=True))
    assert types[".jpg"] == "image/jpeg"
    assert types[".dcm"] == "application/dicom"
    assert ".gif" not in types  # what comes as GIF goes as PNG


# -- where it may listen ----------------------------------------------------------------------------------------------


def test_it_listens_off_this_computer_behind_tls_only() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.org"):
        with pytest.raises(UsageError, match="TLS"):
            listen.tcp(host, 0, secured=False)
    for host in ("127.0.0.1", "localhost"):
        listen.tcp(host, 0, secured=False).close()
    listen.tcp("0.0.0.0", 0, secured=True).close()


def test_with_a_client_ca_only_senders_with_a_certificate_are_heard(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key")
    made.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    options = ("--certificate", "certificate", "--key", "key", "--client-ca", "ca", "--token-file", "token")

    def sent(certificate: trustme.LeafCert | None) -> int:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        with httpx.Client(verify=context, timeout=600) as client:
            where, headers = f"https://127.0.0.1:{port}/v1/scrub", {"authorization": f"Bearer {TOKEN}"}
            return client.post(where, content=photo(), headers=headers).status_code

    with serving(tmp_path, "serve", "--metadata-only", "--workers", "1", *options) as port:
        assert sent(authority.issue_cert("ward.example")) == 200
        for wrong in (None, other.issue_cert("ward.example")):
            with pytest.raises(httpx.TransportError):
                sent(wrong)


def test_a_port_in_use_is_said_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot be used"):
            listen.tcp("127.0.0.1", taken.getsockname()[1], secured=False)


@pytest.mark.parametrize(
    ("content", "mode"),
    [("short", 0o600), (TOKEN, 0o644), (f"{TOKEN[:20]} {TOKEN}", 0o600), ("", 0o600), ("\u00e9" * 40, 0o600)],
)
def test_a_token_that_others_may_read_or_guess_is_refused(tmp_path: Path, content: str, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UsageError):
        who.token(path)
    path.chmod(0o600)
    path.write_text(TOKEN + "\n")
    assert who.token(path) == TOKEN.encode()


def test_a_socket_left_by_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listen.unix(path).close()
    assert path.exists()
    listen.unix(path).close()
    path.unlink()
    path.write_text("not a socket")
    with pytest.raises(UsageError):
        listen.unix(path)
    assert path.read_text() == "not a socket"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--socket", "s", "--port", "8000"],
        ["--port", "8000", "--certificate", "c"],
        ["--port", "8000", "--client-ca", "c"],
        ["--port", "8000", "--host", "0.0.0.0"],
    ],
)
def test_the_command_refuses_what_it_must_not_do(tmp_path: Path, options: list[str]) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    done = CliRunner().invoke(cli, ["serve", "--token-file", str(token), *options], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
