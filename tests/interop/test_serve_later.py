"""The HTTP worker: the same request again, photos that are answered later, kills, full disks, a generated client."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib
import io
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import batch_fakes
import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from serve_kit import MARK, TOKEN, Pool, ask, listening, of, photo, process, started, until_done, wait_for

from medimg.api import Scrubbed
from medimg.errors import Crashed, MissingPart, OutputError, UsageError
from medimg.run.journal import MAX_DEATHS
from medimg.serve import jobs as module
from medimg.serve import once
from medimg.serve.jobs import Answered, Jobs
from medimg.serve.metrics import Metrics
from medimg.system import files
from medimg.types import NOTHING_KNOWN, KnownValues, Report

NOT_HERE = [ignored_auth, positive_data_acceptance]
"""The test puts the token in itself, and no schema can say that bytes are a picture."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("serve")
    with started(folder, jobs=folder / "jobs"):
        yield folder / "s"


def keyed(server: Path, key: str, data: bytes, where: str = "/v1/scrub", **more: Any) -> httpx.Response:
    return ask(server, "POST", where, content=data, headers={"idempotency-key": key, **more})


def answered(server: Path, job: str, accept: str = "*/*") -> httpx.Response:
    """The answer of a job, once it is there."""
    until = time.monotonic() + 100
    while (answer := ask(server, "GET", f"/v1/jobs/{job}", headers={"accept": accept})).status_code == 202:
        assert time.monotonic() < until
        assert answer.json() == {"id": job, "state": "waiting"}
        time.sleep(0.05)
    return answer


# -- the same request again -------------------------------------------------------------------------------------------


def test_the_same_key_and_photo_are_done_once_and_answered_alike(server: Path) -> None:
    first = keyed(server, "one", photo())
    again = keyed(server, '"one"', photo())  # quoted, as the draft standard writes it
    assert first.status_code == 200
    assert first.content == again.content  # to the microsecond: nothing ran a second time
    picture = keyed(server, "one", photo(), accept="image/*")  # the answer, as this sender would like it
    assert picture.content == base64.b64decode(first.json()["copy"]["data"])
    assert ask(server, "POST", "/v1/scrub", content=photo()).content != first.content
    held = [keyed(server, "held", b"\1\2").content for _ in range(2)]
    assert held[0] == held[1]


def test_a_form_sent_again_has_another_boundary_and_is_the_same(server: Path) -> None:
    def sent(name: str) -> httpx.Response:
        form = {"files": {"photo": ("a.png", photo(), "image/png")}, "data": {"names": [name]}}
        return ask(server, "POST", "/v1/scrub", headers={"idempotency-key": "form"}, **form)  # type: ignore[arg-type]

    assert sent(MARK).content == sent(MARK).content
    other = sent("Somebody Else")
    assert (other.status_code, other.json()["code"]) == (422, "M-HTTP-KEY")


def test_a_key_that_was_used_for_another_photo_is_refused(server: Path) -> None:
    assert keyed(server, "mine", photo(1)).status_code == 200
    refused = keyed(server, "mine", photo(2))
    assert (refused.status_code, refused.json()["code"]) == (422, "M-HTTP-KEY")
    for bad in ("", "x" * 256, '""'):
        answer = keyed(server, bad, photo())
        assert (answer.status_code, answer.json()["code"]) == (400, "M-USE")


def test_who_sends_again_before_the_answer_waits_for_it(server: Path) -> None:
    """A photo that holds its worker for the ten seconds it may take: three senders wait ten seconds, not thirty."""
    start = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        slow = photo(first=batch_fakes.HANGS)
        answers = list(threads.map(lambda _: keyed(server, "slow", slow), range(3)))
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(422, "M-HOLD-TIME")] * 3
    assert keyed(server, "slow", slow).json() == answers[0].json()  # and it is not tried again
    assert time.monotonic() - start < 25


def test_answers_under_keys_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "MOST", 100_000)
    monkeypatch.setattr(once, "MINUTES", 0.2 / 60)
    ran: list[str] = []

    async def all_of_it() -> None:
        kept = once.Once()

        async def ask(key: str, size: int = 40_000) -> Scrubbed:
            async def job() -> Scrubbed:
                ran.append(key)
                return Scrubbed(report=Report(safe_id="P01-001", state="unreviewed"), data=bytes(size))

            return await kept.answer(key, key.encode(), NOTHING_KNOWN, job)

        for key in ("a", "b", "c", "b", "c", "a"):  # two of that size are held, and the older goes first
            await ask(key)
        assert ran == ["a", "b", "c", "a"]
        await ask("too-large", 200_000)
        await ask("too-large", 200_000)
        assert ran[-2:] == ["too-large", "too-large"]
        await ask("d")
        await asyncio.sleep(0.4)
        assert not kept._entries

    asyncio.run(all_of_it())


def test_what_the_photo_is_not_the_reason_for_is_tried_again() -> None:
    ran: list[type[Exception]] = []

    async def all_of_it() -> None:
        kept = once.Once()
        for error in (MissingPart, MissingPart, Crashed, Crashed):

            async def job(error: type[MissingPart | Crashed] = error) -> Scrubbed:
                ran.append(error)
                raise error("it ended.")

            with pytest.raises(error):
                await kept.answer("key", b"photo", NOTHING_KNOWN, job)

    asyncio.run(all_of_it())
    assert ran == [MissingPart, MissingPart, Crashed]


# -- photos that are answered later -----------------------------------------------------------------------------------


def test_a_job_is_answered_as_the_photo_would_have_been(server: Path) -> None:
    taken = keyed(server, "job", photo(7), "/v1/jobs")
    job = taken.json()["id"]
    assert (taken.status_code, taken.headers["location"]) == (202, f"/v1/jobs/{job}")
    answer = answered(server, job)
    assert (answer.status_code, answer.json()["report"]["state"]) == (200, "unreviewed")
    copy = base64.b64decode(answer.json()["copy"]["data"])
    assert ask(server, "GET", f"/v1/jobs/{job}", headers={"accept": "image/*"}).content == copy
    assert MARK.encode() not in copy
    assert keyed(server, "job", photo(7), "/v1/jobs").json() == {"id": job, "state": "done"}
    assert keyed(server, "job", photo(8), "/v1/jobs").status_code == 422
    for body, status, code in ((b"\1\2", 422, "M-IN-NOTPIC"), (photo(first=batch_fakes.CRASHES), 422, "M-HOLD-CRASH")):
        held = answered(server, ask(server, "POST", "/v1/jobs", content=body).json()["id"])
        assert (held.status_code, held.json().get("code") or held.json()["report"]["error_code"]) == (status, code)


def test_a_job_lies_in_a_private_folder_and_its_photo_goes_with_the_answer(server: Path) -> None:
    folder = server.parent / "jobs"
    body = {"photo": base64.b64encode(photo()).decode(), "known": {"names": [MARK]}}
    job = ask(server, "POST", "/v1/jobs", json=body).json()["id"]
    assert answered(server, job).status_code == 200
    while (folder / job / "sent").exists():
        time.sleep(0.01)
    found = {p.name: p for p in (folder / job).iterdir()}
    assert set(found) == {"body", "begun", "answer", "copy"}
    assert not any(MARK.encode() in p.read_bytes() for p in found.values())
    assert {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in folder.rglob("*")} == {0}
    assert {"id": job, "state": "done"} in ask(server, "GET", "/v1/jobs").json()["jobs"]
    assert ask(server, "DELETE", f"/v1/jobs/{job}").status_code == 204
    assert not (folder / job).exists()
    for method in ("GET", "DELETE"):
        for name in (job, "../" + job, "key", "%2e%2e", "." * 32):
            assert ask(server, method, f"/v1/jobs/{name}").status_code == 404
    ask(server, "POST", "/v1/jobs", content=photo(3))
    until = time.monotonic() + 60
    while any(j["state"] == "waiting" for j in ask(server, "GET", "/v1/jobs").json()["jobs"]):
        assert time.monotonic() < until
    assert ask(server, "DELETE", "/v1/jobs").json()["removed"] >= 1
    assert {p.name for p in folder.iterdir()} == {".lock", "key"}


def test_without_the_option_there_are_no_jobs_and_one_server_has_a_folder(tmp_path: Path, server: Path) -> None:
    with started(tmp_path):
        assert ask(tmp_path / "s", "POST", "/v1/jobs", content=photo()).status_code == 404
        assert "/v1/jobs" not in ask(tmp_path / "s", "GET", "/openapi.json").json()["paths"]
        assert ask(tmp_path / "s", "POST", "/v1/scrub", content=photo()).status_code == 200
    assert {p.name for p in tmp_path.iterdir()} <= {"server.py", "said", "s"}
    second = process(tmp_path, jobs=server.parent / "jobs")
    assert second.wait(100) is not None
    assert not listening(tmp_path / "s")
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(UsageError, match="others may read"):
        Jobs(tmp_path / "open", 1.0, Pool(), Metrics(lambda: 0))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets of a server that was killed
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    draw = random.Random(7)
    taken: dict[str, int] = {}
    seeds = iter(range(10_000))

    def sends(killed: threading.Event) -> None:
        while not killed.is_set():
            seed = next(seeds)
            with contextlib.suppress(httpx.TransportError):
                answer = ask(tmp_path / "s", "POST", "/v1/jobs", content=photo(seed))
                if answer.status_code == 202:
                    taken[answer.json()["id"]] = seed

    for _ in range(MAX_DEATHS - 1):  # the photo in whose company it dies once more would be held
        running = process(tmp_path, jobs=tmp_path / "jobs")
        wait_for(running, tmp_path, lambda: listening(tmp_path / "s"))
        before, killed = len(taken), threading.Event()
        threads = [threading.Thread(target=sends, args=(killed,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_for(running, tmp_path, lambda before=before: len(taken) >= before + 3)  # type: ignore[misc]
        time.sleep(draw.uniform(0.0, 0.5))
        running.send_signal(signal.SIGKILL)
        killed.set()
        running.wait(60)
        for thread in threads:
            thread.join()
    with started(tmp_path, jobs=tmp_path / "jobs"):
        for job, seed in taken.items():
            answer = answered(tmp_path / "s", job, "image/*")
            assert answer.status_code == 200
            before, after = (
                np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (photo(seed), answer.content)
            )
            assert np.array_equal(before, after)
    assert len(taken) >= 9
    assert not list((tmp_path / "jobs").glob("*/sent"))
    assert not list((tmp_path / "jobs").glob(".*-*"))


KILLED = """
import asyncio, os, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]

from serve_kit import NOTHING_KNOWN, Pool, of, until_done

async def all_of_it(folder, left):
    def count(event, arguments):
        nonlocal left
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.scandir"):
            if str(folder) in str(arguments[0]):
                left -= 1
                if left == 0:
                    os._exit(9)

    jobs = of(folder, Pool())
    sys.addaudithook(count)
    async with jobs.running():
        job = await jobs.take("key", b"photo", NOTHING_KNOWN)
        print(job.id, flush=True)
        await until_done(jobs, job.id)
        print("done", flush=True)
        await jobs.remove(job.id)
        print("removed", flush=True)

for at in range(1, 1000):  # a process for each, and the modules loaded once
    child = os.fork()
    if not child:
        os.dup2(os.open(f"{sys.argv[1]}/said-{at}", os.O_CREAT | os.O_WRONLY, 0o600), 1)
        asyncio.run(all_of_it(Path(sys.argv[1], str(at)), at))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
    if code != 9:
        break
"""


def test_a_kill_before_any_of_its_writes_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(KILLED)
    tests = Path(__file__).resolve().parents[1]
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path), str(tests), str(tests.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    codes = done.stdout.split()
    assert codes == ["9"] * (len(codes) - 1) + ["0"], done.stderr
    assert len(codes) > 20
    for at in range(1, len(codes) + 1):
        said = (tmp_path / f"said-{at}").read_text().split()
        asyncio.run(goes_on(tmp_path / str(at), said))
    assert said[1:] == ["done", "removed"]


async def goes_on(folder: Path, said: list[str]) -> None:
    """The next start: what was acknowledged is answered, and nothing is left of what was not."""
    jobs = of(folder, Pool())
    async with jobs.running():
        if said[1:] in ([], ["done"]) and said and (said[1:] == [] or (folder / said[0]).exists()):
            await until_done(jobs, said[0])
        for path in (p for p in folder.iterdir() if len(p.name) == 32):
            await until_done(jobs, path.name)
        while list(folder.glob("*/sent")):
            await asyncio.sleep(0.01)
        assert not [*folder.glob(".*-*"), *folder.glob("*/.*-*")]


# -- in this process, with a stand-in for the workers -----------------------------------------------------------------


@pytest.mark.parametrize("writes", range(5))
def test_a_full_disk_is_said_or_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """The key, the digest and the photo: not taken. The answer and the end of the photo: done another time."""
    monkeypatch.setattr(module, "AGAIN", 0.05)
    real, count = files.write_private, 0

    def full(path: Path, data: bytes, **more: Any) -> None:
        nonlocal count
        count += 1
        if count == writes:
            raise OutputError("the output could not be written.")
        real(path, data, **more)

    monkeypatch.setattr(files, "write_private", full)

    async def all_of_it() -> None:
        for _ in range(3):
            with contextlib.suppress(OutputError):
                jobs = of(tmp_path / "jobs", Pool())
                async with jobs.running():
                    job = await jobs.take("key", b"photo", NOTHING_KNOWN)
                    await until_done(jobs, job.id)
                    return
        raise AssertionError("never taken")

    asyncio.run(all_of_it())
    assert {p.name for p in (tmp_path / "jobs").iterdir() if p.name.startswith(".")} <= set()


def test_a_missing_part_is_waited_for_and_a_photo_that_ends_the_server_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)

    async def waits() -> None:
        jobs = of(tmp_path / "a", Pool(*[MissingPart("a model is gone.")] * 9))
        async with jobs.running():
            job = await jobs.take("", b"photo", NOTHING_KNOWN)
            assert isinstance(await until_done(jobs, job.id), Scrubbed)

    asyncio.run(waits())

    async def dies() -> None:
        jobs = of(tmp_path / "b", Pool())
        async with jobs.running():
            pass
        folder = tmp_path / "b" / ("0" * 32)
        folder.mkdir(mode=0o700)
        (folder / "sent").write_bytes(b"\xff")
        (folder / "begun").write_bytes(b"++++")  # four servers ended beside it
        damaged = tmp_path / "b" / ("1" * 32)
        damaged.mkdir(mode=0o700)
        (damaged / "sent").write_bytes(b"\xff")
        async with (again := of(tmp_path / "b", Pool())).running():
            held = [await until_done(again, n * 32) for n in "01"]
        assert [h.code for h in held if isinstance(h, Answered)] == ["M-HOLD-CRASH", "M-IN-READ"]

    asyncio.run(dies())


class Slow(Pool):
    """Two workers that take their time."""

    size = 2

    async def do(self, job: object, data: bytes, known: KnownValues) -> Scrubbed:
        await asyncio.sleep(0.1)
        return await super().do(job, data, known)


@pytest.mark.parametrize("busy", [1, 2])
def test_a_job_that_was_removed_and_sent_again_is_done_once_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: int
) -> None:
    """The same key is the same job: it stands in the queue twice, and both may be taken at once, or one by one."""
    monkeypatch.setattr(module, "AGAIN", 0.02)
    monkeypatch.setattr(Slow, "size", busy)

    async def all_of_it() -> None:
        jobs = of(tmp_path, Slow())
        async with jobs.running():
            before = len(asyncio.all_tasks())
            first = [await jobs.take("", bytes([n]), NOTHING_KNOWN) for n in range(busy)]
            again = [await jobs.take("key", b"photo", NOTHING_KNOWN)]
            await jobs.remove(again[0].id)
            again.append(await jobs.take("key", b"photo", NOTHING_KNOWN))
            assert again[0] == again[1]
            for job in (*first, again[0]):
                await until_done(jobs, job.id)
            await asyncio.sleep(0.2)
            stood = (tmp_path / again[0].id).stat().st_mtime_ns
            begun = (tmp_path / again[0].id / "begun").exists()
            await asyncio.sleep(0.2)
            assert (tmp_path / again[0].id).stat().st_mtime_ns == stood  # or its time would never be over
            assert (tmp_path / again[0].id / "begun").exists() == begun
            assert len(asyncio.all_tasks()) == before

    tmp_path.chmod(0o700)
    asyncio.run(all_of_it())


def test_answers_end_when_their_time_is_over_and_what_waits_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.02)

    async def all_of_it() -> None:
        jobs = of(tmp_path, Pool())
        async with jobs.running():
            old = (await jobs.take("", b"photo", NOTHING_KNOWN)).id
            await until_done(jobs, old)
            while (tmp_path / old / "sent").exists():
                await asyncio.sleep(0.01)
            os.utime(tmp_path / old, (0, 0))
            young = (await jobs.take("", b"another", NOTHING_KNOWN)).id
            await until_done(jobs, young)
            waits = tmp_path / ("a" * 32)
            waits.mkdir(mode=0o700)
            os.utime(waits, (0, 0))
            async with asyncio.timeout(20):
                while (tmp_path / old).exists():
                    await asyncio.sleep(0.01)
            assert waits.exists()
            assert jobs.answer(young) is not None

    tmp_path.chmod(0o700)
    asyncio.run(all_of_it())


# -- as it describes itself -------------------------------------------------------------------------------------------


def test_it_answers_as_it_describes_itself(server: Path) -> None:
    document = ask(server, "GET", "/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=12, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def sends(case: Any) -> None:
            kwargs = case.as_transport_kwargs(base_url="http://medimg")
            more = {k: v for k, v in kwargs.items() if k in ("content", "data", "json", "files", "params")}
            sent = ("content-type", "idempotency-key")
            kind = {k: v for k, v in (kwargs.get("headers") or {}).items() if k.lower() in sent}
            if isinstance(more.get("data"), bytes | str):
                more["content"] = more.pop("data")
            answer = ask(server, kwargs["method"], kwargs["url"].removeprefix("http://medimg"), headers=kind, **more)
            assert answer.status_code != 500
            case.validate_response(schemathesis.Response.from_httpx(answer, verify=True), excluded_checks=NOT_HERE)

        sends()


@pytest.mark.long
def test_a_client_that_was_generated_from_the_description_works(server: Path, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_bytes(ask(server, "GET", "/openapi.json").content)
    command = ["openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "made", "--meta", "none"]
    maker = Path(sys.executable).parent / command[0]
    done = subprocess.run([maker, *command[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
    assert "Unsupported" not in done.stdout + done.stderr
    sys.path.insert(0, str(tmp_path))
    try:
        made = importlib.import_module("made")
        api = {n: importlib.import_module(f"made.api.default.{n}") for n in ("scrub", "take", "answer", "remove")}
        models, types = importlib.import_module("made.models"), importlib.import_module("made.types")
        client = made.AuthenticatedClient(base_url="http://medimg", token=TOKEN)
        carried = {"Authorization": f"Bearer {TOKEN}"}
        line = httpx.HTTPTransport(uds=str(server))
        client.set_httpx_client(httpx.Client(transport=line, base_url="http://medimg", headers=carried, timeout=600))
        raw = types.File(payload=io.BytesIO(photo()))
        answer = api["scrub"].sync(client=client, body=raw, idempotency_key="generated")
        assert (answer.report.state, answer.copy.media_type) == ("unreviewed", "image/png")
        known = models.KnownValues(names=[MARK])
        sent = models.Sent(photo=base64.b64encode(photo()).decode(), known=known)
        assert api["scrub"].sync(client=client, body=sent).report.state == "unreviewed"
        held = api["scrub"].sync(client=client, body=types.File(payload=io.BytesIO(b"\1\2")))
        assert (held.report.error_code, held.copy) == ("M-IN-NOTPIC", None)
        assert api["scrub"].sync(client=client, body=types.File(payload=io.BytesIO(b""))).code == "M-USE"
        job = api["take"].sync(client=client, body=types.File(payload=io.BytesIO(photo(4))))
        answered(server, job.id)
        assert api["answer"].sync(job.id, client=client).report.state == "unreviewed"
        assert api["remove"].sync_detailed(job.id, client=client).status_code == 204
        assert api["answer"].sync(job.id, client=client).code == "M-HTTP-ROUTE"
        client.get_httpx_client().close()
    finally:
        sys.path.remove(str(tmp_path))
        for name in [n for n in sys.modules if n.split(".")[0] == "made"]:
            del sys.modules[name]
