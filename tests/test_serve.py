"""The HTTP worker: what it answers, whom it refuses, and that nothing of a photo stays behind."""

from __future__ import annotations

import base64
import io
import json
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from medimg.cli.main import cli
from medimg.errors import UsageError
from medimg.serve import listen
from medimg.types import Report, from_json

TOKEN = "0123456789abcdef" * 3
MARK = "Margaret-Whitcombe-1961"
NOT_HERE = [ignored_auth, positive_data_acceptance]
"""The test puts the token in itself, and no schema can say that bytes are a picture."""


def photo(seed: int = 1, *, first: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(50, 250, (60, 80, 3), dtype=np.uint8)
    pixels[0, 0] = first
    exif = Image.Exif()
    exif[315] = MARK
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", exif=exif)
    return out.getvalue()


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests import batch_fakes
from medimg.batch.worker import Setup
from medimg.policy import Policy
from medimg.serve import app, listen
from medimg.serve.slots import Slots
from medimg.types import Limits

if __name__ == "__main__":
    policy = Policy(limits=Limits(bytes=200_000, seconds=2.0))
    slots = Slots(Setup(policy=policy, make=batch_fakes.make, memory=4 << 30), 1)
    listening = listen.unix(Path(sys.argv[2]))
    listen.serve(app.build(slots, sys.argv[3].encode()), listening)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("serve")
    program, path = folder / "server.py", folder / "s"
    program.write_text(PROGRAM)
    root = str(Path(__file__).resolve().parent.parent)
    out = (folder / "said").open("wb")
    running = subprocess.Popen([sys.executable, str(program), root, str(path), TOKEN], stdout=out, stderr=out)
    try:
        until = time.monotonic() + 120
        while not listening(path):
            assert running.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield path
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
        out.close()
    assert (folder / "said").read_bytes() == b""


def listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0


def ask(path: Path, method: str, where: str, *, token: str | None = TOKEN, **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}".encode()} if token is not None else {}
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, base_url="http://medimg", timeout=120) as client:
        return client.request(method, where, headers={**more.pop("headers", {}), **headers}, **more)


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


def test_it_answers_as_it_describes_itself(server: Path) -> None:
    document = ask(server, "GET", "/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def sends(case: Any) -> None:
            kwargs = case.as_transport_kwargs(base_url="http://medimg")
            more = {k: v for k, v in kwargs.items() if k in ("content", "data", "json", "files", "params")}
            kind = {k: v for k, v in (kwargs.get("headers") or {}).items() if k.lower() == "content-type"}
            if isinstance(more.get("data"), bytes | str):
                more["content"] = more.pop("data")
            answer = ask(server, kwargs["method"], kwargs["url"].removeprefix("http://medimg"), headers=kind, **more)
            assert answer.status_code != 500
            case.validate_response(schemathesis.Response.from_httpx(answer, verify=True), excluded_checks=NOT_HERE)

        sends()


# -- where it may listen ----------------------------------------------------------------------------------------------


def test_it_listens_off_this_computer_behind_tls_only() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.org"):
        with pytest.raises(UsageError, match="TLS"):
            listen.tcp(host, 0, secured=False)
    for host in ("127.0.0.1", "localhost"):
        listen.tcp(host, 0, secured=False).close()
    listen.tcp("0.0.0.0", 0, secured=True).close()


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
        listen.token(path)
    path.chmod(0o600)
    path.write_text(TOKEN + "\n")
    assert listen.token(path) == TOKEN.encode()


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
        ["--port", "8000", "--host", "0.0.0.0"],
    ],
)
def test_the_command_refuses_what_it_must_not_do(tmp_path: Path, options: list[str]) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    done = CliRunner().invoke(cli, ["serve", "--token-file", str(token), *options], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
