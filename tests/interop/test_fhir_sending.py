"""A bundle sent to a FHIR server that fails, loses answers and is slow: all of it arrives, and nothing twice."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from release_kit import call
from test_fhir import base, made, own_register, run  # noqa: F401 - fixtures

from medimg import fhir
from medimg.cli.fhir import fhir as command
from medimg.errors import OutputError, UsageError
from medimg.fhir import sending
from medimg.system import posting


class Server(ThreadingHTTPServer):
    """Stores transactions with conditional creates (FHIR, 3.2.0.7.1); meets each request with the next fault."""

    daemon_threads = True

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Asked)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/fhir"


class _Asked(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        self.server.asked.append(f"{self.path} {self.headers.get('authorization', '')}")
        if fault == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault == "deep":
            self._sent(200, b'{"entry":' + 200_000 * b"[")
            return
        if fault == "long":
            self._sent(200, bytes(2 << 20))
            return
        if fault.isdigit():
            self._said(int(fault), {"resourceType": "OperationOutcome"})
            return
        states = []
        for entry in body["entry"]:
            assert entry["request"]["method"] == "POST"
            condition = entry["request"]["ifNoneExist"]
            there = condition in self.server.stored
            self.server.stored.setdefault(condition, entry["resource"])
            (tag,) = entry["resource"]["meta"]["tag"]
            assert condition == f"_tag={tag['system']}|{tag['code']}"
            states.append({"response": {"status": "200 OK" if there else "201 Created"}})
        if fault == "lost":  # stored, and nobody hears of it
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": states}
        self._said(200, answer if fault != "half" else {**answer, "entry": states[1:]})

    def _said(self, status: int, answer: dict[str, Any]) -> None:
        self._sent(status, json.dumps(answer).encode())

    def _sent(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(sending, "PAUSES", (0.0,) * 4)
    served = Server()
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_all_of_it_arrives_once_whatever_befalls_the_line(run: Path, server: Server, version: Any) -> None:  # noqa: F811
    bundle = made(run, kind="transaction", version=version)
    fhir.check(bundle, version)
    server.faults = ["503", "cut", "lost", "429"]
    sending.send(bundle, server.url)
    assert len(server.asked) == 5
    assert [r["resourceType"] for r in server.stored.values()] == [
        e["resource"]["resourceType"] for e in bundle["entry"]
    ]
    (consent,) = [r for r in server.stored.values() if r["resourceType"] == "Consent"]
    consent["status"] = "active"  # a person accepts it
    sending.send(bundle, server.url)
    assert len(server.stored) == len(bundle["entry"])
    assert consent["status"] == "active"


def test_an_answer_that_is_none_is_a_failure_and_no_fault(
    run: Path,  # noqa: F811
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "MOST", 1 << 20)
    for fault in ("deep", "long"):
        server.faults = [fault]
        with pytest.raises(OutputError, match="all of it"):
            sending.send(made(run, kind="transaction"), server.url)


def test_what_another_try_does_not_help_is_said_at_once(run: Path, server: Server) -> None:  # noqa: F811
    bundle = made(run, kind="transaction")
    for faults, tries, words in ((["422"], 1, "422"), (["half"], 1, "all of it"), (["500"] * 9, 5, "500")):
        server.faults, server.asked = faults, []
        with pytest.raises(OutputError, match=words):
            sending.send(bundle, server.url)
        assert len(server.asked) == tries
    for url in ("http://fhir.example/fhir", "ftp://x", "https://", "https://u:p@host/fhir", "https://host:x/fhir"):
        with pytest.raises(UsageError):
            sending.send(bundle, url)
    with pytest.raises(UsageError, match="transaction"):
        sending.send(made(run), server.url)


def test_the_command_sends_with_a_token_that_nobody_else_may_read(run: Path, server: Server, tmp_path: Path) -> None:  # noqa: F811
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    done = call(command, run, "--send", server.url, "--token-file", str(token), "-o", str(tmp_path / "b.json"))
    assert done.exit_code == 0
    assert "written and stored by the server" in done.output
    assert server.asked == ["/fhir Bearer secret"]
    assert json.loads((tmp_path / "b.json").read_bytes())["type"] == "transaction"
    token.chmod(0o644)
    with pytest.raises(UsageError, match="others may read"):
        call(command, run, "--send", server.url, "--token-file", str(token))
    token.chmod(0o600)
    for bad in ("", "\n", "one\r\nX-More: 1", "two words"):
        token.write_text(bad, newline="")
        with pytest.raises(UsageError, match="holds no token"):
            call(command, run, "--send", server.url, "--token-file", str(token))
    with pytest.raises(UsageError, match="say where"):
        call(command, run)
