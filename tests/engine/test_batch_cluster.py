"""A scheduler and two workers on loopback over TLS, as docs/batch.md brings them up; a worker is killed midway."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import fsspec
import msgspec
import pytest
from batch_kit import by_name, listing
from cluster_kit import HERE, Node
from pebble import ProcessPool

import medimg
from medimg.cluster import certificates, messages, task
from medimg.cluster.engine import Cluster, ClusterPool
from medimg.cluster.nodes import Identity
from medimg.engine import worker
from medimg.engine.loop import Progress
from medimg.engine.pool import Workers
from medimg.errors import (
    Changed,
    Interrupted,
    MissingPart,
    NotAPicture,
    OutputError,
    TooLarge,
    Unreadable,
    UsageError,
)
from medimg.policy import Policy
from medimg.run import storage
from medimg.types import KnownValues, Limits, from_json, to_json

POLICY = Policy(limits=Limits(seconds=200.0))
LIGHT = Policy(scope="metadata-only")


class Running:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        certificates.make(folder, ["scheduler", "worker", "client"])
        self.identity = Identity(folder / "client")
        self.scheduler = Node("scheduler", "--certificates", str(folder / "scheduler"), "--port", "0")
        self.workers: list[Node] = []
        self.address = self.scheduler.address

    def worker(self, threads: int = 1, path: Path = HERE) -> Node:
        identity = str(self.folder / "worker")
        more = ["--certificates", identity, "--host", "127.0.0.1", "--threads", str(threads)]
        self.workers.append(Node("worker", self.address, *more, path=path))
        return self.workers[-1]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One scheduler for all of these tests, and two workers."""
    cluster = Running(tmp_path_factory.mktemp("cluster"))
    cluster.worker()
    cluster.worker()
    yield cluster
    for node in (*cluster.workers, cluster.scheduler):
        if node.process.poll() is None:
            node.stop()


def run(tmp_path: Path, running: Running, photos: Sequence[Any] = (), **more: Any) -> Any:
    staging, chunk, out = more.pop("staging", ""), more.pop("chunk", 4), more.pop("out", tmp_path / "out")
    given = {"policy": POLICY, "make": fakes.make, **more}
    engine = Cluster(running.address, running.identity, staging=staging, chunk=chunk)
    return medimg.scrub_folder(photos or [tmp_path / "in"], out, engine=engine, **given)


def wakes(pid: int) -> int:
    """How often a process has gone to sleep so far, to be woken again."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary"))


def test_nodes_at_rest_leave_the_computer_to_others(running: Running) -> None:
    nodes = [running.scheduler, *running.workers]
    before, start = [wakes(n.process.pid) for n in nodes], time.monotonic()
    time.sleep(4)
    took = time.monotonic() - start
    often = [(wakes(n.process.pid) - b) / took for n, b in zip(nodes, before, strict=True)]
    assert max(often) < 25, often  # 4 to 12; with the clocks that Dask has by itself 46 to 60


def test_a_copy_in_a_staging_place_waits_for_no_disk_but_its_own_bytes(tmp_path: Path) -> None:
    job = worker.Job(os.fsencode(fakes.photo(tmp_path / "1.png")), "P01-001")
    (tmp_path / "staging").mkdir()
    with Workers(worker.Setup(policy=LIGHT, make=fakes.make), 1) as pool:
        future = pool.submit(fakes.folders_synced, job, str(tmp_path / "staging"), seconds=100.0)
        pool.wait()
        assert pool.result(future) == 0
    assert [p.name for p in (tmp_path / "staging").iterdir()] == ["P01-001.png"]


@pytest.mark.parametrize("policy", [LIGHT, POLICY], ids=["metadata alone", "every check"])
def test_a_worker_is_replaced_after_as_many_photos_as_on_one_computer(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[int] = []

    class Recorded(ProcessPool):
        def __init__(self, **how: Any) -> None:
            jobs.append(how["max_tasks"])
            super().__init__(**how)

    monkeypatch.setattr("medimg.engine.pool.ProcessPool", Recorded)
    monkeypatch.setattr(task, "_here", lambda: ("tls://127.0.0.1:1", 1))
    with Workers(worker.Setup(policy=policy, make=fakes.make), 1) as local:
        engines, photos = local.warm(), jobs[0] * local.chunk
    setting = messages.Setting(
        version=medimg.__version__,
        policy=policy,
        policy_digest=policy.digest,
        engines=engines,
        make="batch_fakes:make",
        known=KnownValues(),
    )
    assert from_json(task.look(to_json(messages.Sight(setting=setting))), messages.Reach).refused == ""
    assert jobs[1:] == [photos]  # one photo a job there
    task.look(to_json(messages.Sight(setting=msgspec.structs.replace(setting, version="0"))))  # ends that worker


def test_the_bad_ones_alone_are_held_and_a_killed_worker_loses_nothing(tmp_path: Path, running: Running) -> None:
    bad = {7: (fakes.RAISES, "M-HOLD-NOTRUN"), 19: (fakes.CRASHES, "M-HOLD-CRASH"), 31: (fakes.EATS, "M-HOLD-MEMORY")}
    for n in range(60):
        fakes.photo(tmp_path / f"in/{n:02d}.png", bad.get(n, (fakes.WELL, ""))[0], seed=n)
    before = listing(tmp_path / "in")
    settled: list[str] = []

    def kill(event: Progress) -> None:
        if event.report is not None:
            settled.append(event.report.safe_id)
        if len(settled) == 12:
            running.workers[0].stop(signal.SIGKILL)

    outcome = run(tmp_path, running, progress=kill, keep_key=True, known=KnownValues(names=("Mary Jones",)))
    assert running.workers[0].process.poll() == -signal.SIGKILL
    assert outcome.photos == {"unreviewed": 57, "held": 3}
    assert len(settled) == len(set(settled)) == 60
    found = by_name(outcome.folder)
    assert {n: found[f"{n:02d}.png"].error_code for n in bad} == {n: code for n, (_, code) in bad.items()}
    assert len(list((outcome.folder / "unreviewed").iterdir())) == 57
    assert not (outcome.folder / ".staging").exists()
    assert not list(outcome.folder.rglob("*journal*"))
    assert listing(tmp_path / "in") == before
    # The same photos on this computer give the same bytes.
    here = medimg.scrub_folder([tmp_path / "in"], tmp_path / "here", policy=LIGHT, keep_key=True)
    there = by_name(outcome.folder)
    for name, report in by_name(here.folder).items():
        if there[name].copy:
            assert report.copy is not None
            data = [
                (f.folder / "unreviewed" / r.copy.name).read_bytes()
                for f, r in ((here, report), (outcome, there[name]))
            ]  # type: ignore[union-attr]
            assert data[0] == data[1]
    running.worker()


@pytest.mark.long
def test_a_stopped_batch_goes_on_with_or_without_the_cluster(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers are elsewhere
    for n in range(30):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)

    def stop(event: Progress) -> None:
        if event.settled == 8:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run(tmp_path, running, progress=stop, out="out")
    (folder,) = (tmp_path / "out").iterdir()
    assert not (folder / ".staging").exists()
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, resume=True)
    assert (outcome.folder, outcome.photos) == (folder, {"unreviewed": 30})
    # What the local run and the cluster have done counts for either.
    fakes.photo(tmp_path / "in/new.png", seed=77)
    assert run(tmp_path, running).photos == {"unreviewed": 1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket of distributed, refused
def test_a_scheduler_that_is_gone_ends_the_batch_and_loses_nothing(tmp_path: Path) -> None:
    own = Running(tmp_path / "certificates")
    own.worker()
    for n in range(30):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)

    def kill(event: Progress) -> None:
        if event.settled == 5 and own.scheduler.process.poll() is None:
            own.scheduler.stop(signal.SIGKILL)

    with pytest.raises(Interrupted) as caught:
        run(tmp_path, own, progress=kill, chunk=1)
    assert "scheduler is gone" in str(caught.value)
    own.workers[0].stop()
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, resume=True)
    assert outcome.photos == {"unreviewed": 30}
    assert len(list((outcome.folder / "unreviewed").iterdir())) == 30
    gc.collect()  # what distributed leaves of a lost connection goes here, and not in the middle of another test


def test_a_worker_that_ends_while_it_is_asked_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    from medimg.cluster import engine

    own = Running(tmp_path / "certificates")
    deaf, ready = own.worker(), own.worker()
    fakes.photo(tmp_path / "in/1.png")
    deaf.process.send_signal(signal.SIGSTOP)  # it is there, and never answers
    real = distributed.Client.submit

    def asked(self: Any, *args: Any, **more: Any) -> Any:
        future = real(self, *args, **more)
        if more.get("workers") == [deaf.address]:
            deaf.process.kill()
        return future

    monkeypatch.setattr(distributed.Client, "submit", asked)
    monkeypatch.setattr(engine, "_START", 60.0)
    try:
        photos = run(tmp_path, own).photos
    except MissingPart as error:
        photos = {str(error): 1}
    finally:
        for node in (ready, own.scheduler):
            node.stop()
    assert photos == {"unreviewed": 1}
    assert deaf.process.wait(200) == -signal.SIGKILL
    for stream in (deaf.process.stdout, deaf.process.stderr):
        if stream is not None:
            stream.close()


def test_who_has_no_certificate_of_this_authority_is_refused(tmp_path: Path, running: Running) -> None:
    fakes.photo(tmp_path / "in/1.png")
    certificates.make(tmp_path / "other", ["client"])
    stranger = Cluster(running.address, Identity(tmp_path / "other/client"))
    with pytest.raises(MissingPart) as caught:
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT, engine=stranger)
    assert "does not take this certificate" in str(caught.value)
    assert not (tmp_path / "out").exists()
    # A client that speaks Dask without any certificate.
    plain = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from distributed import Client; Client(sys.argv[1], timeout=4); print('CONNECTED')",
            running.address.replace("tls://", "tcp://"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert plain.returncode != 0
    assert "CONNECTED" not in plain.stdout
    with pytest.raises(UsageError):
        Cluster("tcp://127.0.0.1:8786", running.identity)


def test_workers_of_another_kind_take_no_part(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.photo(tmp_path / "in/1.png")
    (tmp_path / "only_here.py").write_text(
        "from batch_fakes import make_newer as make\nmake.__module__ = 'only_here'\nmake.__qualname__ = 'make'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here  # type: ignore[import-not-found]

    with pytest.raises(MissingPart) as caught:
        run(tmp_path, running, make=only_here.make)
    assert "2 of 2 workers cannot take part: the detectors asked for are not installed" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_worker_of_another_kind_that_comes_later_is_sent_away(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)
    monkeypatch.setattr(ClusterPool, "check", lambda self, paths=(): self._resize())  # as if it had come after that
    alien = running.worker(path=tmp_path)  # the detectors of these tests are not there
    outcome = run(tmp_path, running, chunk=1)
    assert outcome.photos == {"unreviewed": 20}
    assert alien.process.wait(120) == 0
    alien.stop()


def test_a_setting_that_does_not_fit_is_refused_before_the_first_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    good = messages.Setting(
        version=medimg.__version__,
        policy=LIGHT,
        policy_digest=LIGHT.digest,
        engines={},
        make="medimg.api:load_detectors",
        known=KnownValues(),
    )
    chunk = messages.Chunk(setting=good, jobs=(worker.Job(b"/MARKER", "P01-001"),), staging="/nowhere", seconds=5)
    address = "tls://127.0.0.1:1"
    monkeypatch.setattr(task, "_here", lambda: (address, 1))

    def why(data: bytes) -> str:
        done = from_json(task.clean(data), messages.Done)
        assert done.refused
        assert (done.reports, "MARKER" in repr(done)) == ((), False)
        return done.refused

    def changed(**what: Any) -> bytes:
        return to_json(msgspec.structs.replace(chunk, setting=msgspec.structs.replace(good, **what)))

    assert why(changed(version="0.0.1")) == "another version of medimg"
    assert why(changed(policy_digest="0" * 16)) == "another understanding of the policy"
    assert why(changed(make="os:no_such_function")) == "the detectors asked for are not installed"
    assert why(changed(engines={"text": "newer"})) == "other models or programs"
    assert "fault" in why(b'{"MARKER": 1}')
    assert "fault" in why(b"\x80\x04MARKER.")
    address = "tcp://127.0.0.1:1"
    assert why(to_json(chunk)) == "the worker's connection is not encrypted"


def test_photos_by_url_and_copies_by_way_of_a_storage(tmp_path: Path, running: Running) -> None:
    files = tmp_path / "far"
    for n in range(9):
        fakes.photo(files / f"in/{n % 3}/MARKER {n}.png", seed=n)
    (files / "in/0/.DS_Store").write_bytes(b"x")
    (files / "in/notes.txt").write_text("no picture")
    outcome = run(tmp_path, running, [f"local://{files}/in"], staging=f"local://{files}/staging", policy=LIGHT)
    assert outcome.photos == {"unreviewed": 9, "refused": 1}
    assert outcome.set_aside == {"a file of the operating system": 1}
    assert len(list((outcome.folder / "unreviewed").iterdir())) == 9
    assert [p for p in (files / "staging").rglob("*") if p.is_file()] == []
    assert run(tmp_path, running, [f"local://{files}/in"], policy=LIGHT).photos == {}


def test_listing_and_reading_by_url(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    photo = fakes.photo(tmp_path / "1.png").read_bytes()
    memory.pipe_file("/box/in/a/1.png", photo)
    memory.pipe_file("/box/in/2.png", photo)
    found = storage.listing(b"memory://box/in")
    assert {f: [n for n, _ in names] for f, names in found.items()} == {b"": [b"2.png"], b"a": [b"1.png"]}
    info = found[b"a"][0][1]
    at = (info.st_size, info.st_mtime_ns)
    assert storage.read(b"memory://box/in/a/1.png", 10_000, at) == photo
    memory.pipe_file("/box/in/a/1.png", photo + b"x")
    for limit, expected, error in ((10_000, at, Changed), (10, None, TooLarge)):
        with pytest.raises(error):
            storage.read(b"memory://box/in/a/1.png", limit, expected)
    with pytest.raises(Unreadable):
        storage.read(b"memory://box/in/MARKER.png", 10)
    storage.put("memory://box/out/t/P01-001.png", photo)
    assert storage.get("memory://box/out/t/P01-001.png") == photo
    storage.remove("memory://box/out/t")
    with pytest.raises(OutputError):
        storage.get("memory://box/out/t/P01-001.png")
    with pytest.raises(UsageError):
        storage.listing(b"memory://box/in/2.png")
    with pytest.raises((UsageError, MissingPart)):
        storage.listing(b"nosuchthing://box")
    with pytest.raises(NotAPicture):
        medimg.scrub_folder([f"local://{tmp_path}/nothing"], tmp_path / "out", policy=LIGHT)
    assert not storage.is_url("/a/b://c")
    assert not storage.is_url("C://x")


def test_certificates_are_private_and_made_once(tmp_path: Path) -> None:
    first = certificates.make(tmp_path / "c", ["node-1", "127.0.0.1"])
    ca = (tmp_path / "c/ca.pem").read_bytes()
    certificates.make(tmp_path / "c", ["later"])
    assert (tmp_path / "c/ca.pem").read_bytes() == ca == (tmp_path / "c/later/ca.pem").read_bytes()
    for path in (tmp_path / "c").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    for name in ("node-1", "../x", "", "a b", "a/b"):
        with pytest.raises(UsageError):
            certificates.make(tmp_path / "c", [name])
    assert [p.name for p in first] == ["node-1", "127.0.0.1"]
    with pytest.raises(UsageError):
        Identity(tmp_path / "c")
    with contextlib.suppress(FileNotFoundError):
        (first[0] / "key.pem").unlink()
    with pytest.raises(UsageError):
        Identity(first[0])
