"""A scheduler that starts and ends its workers by itself: processes of their own, over TLS, on this computer."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import batch_fakes as fakes
import pytest
from batch_kit import by_name, listing
from cluster_kit import HERE, Node

import medimg
from medimg.cluster import certificates
from medimg.cluster.engine import Cluster
from medimg.cluster.nodes import Identity
from medimg.engine.loop import Progress
from medimg.policy import Policy

POLICY = Policy()
LONG = 120.0


Start = Callable[..., Node]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Starts schedulers; what is still there when a test ends is stopped."""
    folder = tmp_path / "certificates"
    certificates.make(folder, ["scheduler", "worker", "client"])
    own = ("--certificates", str(folder / "scheduler"), "--worker-certificates", str(folder / "worker"), "--port", "0")
    with contextlib.ExitStack() as stops:

        def start(*more: str) -> Node:
            node = Node("scheduler", *own, *more)
            stops.callback(node.stop)
            return node

        yield start


def workers(scheduler: Node) -> list[int]:
    """The processes that it has started."""
    pid = scheduler.process.pid
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.long
def test_workers_come_with_photos_and_go_without_and_a_killed_one_loses_nothing(tmp_path: Path, started: Start) -> None:
    scheduler = started("--adapt", "2", "--idle", "2")
    for n in range(
        200
    ):  # 40 seconds' work for one: a second comes and is killed, and a third comes, while some is left
        fakes.photo(tmp_path / f"in/{n:03d}.png", fakes.RAISES if n == 7 else fakes.TAKES_TIME, seed=n)
    before = listing(tmp_path / "in")
    assert workers(scheduler) == []
    seen: list[list[int]] = [[]]
    killed: list[int] = []  # and the one beside it
    settled: list[str] = []

    def look(event: Progress) -> None:
        now = workers(scheduler)
        if now != seen[-1]:
            seen.append(now)
        if event.report is not None:
            settled.append(event.report.safe_id)
        if len(now) == 2 and not killed:
            killed.extend(now)
            os.kill(killed[0], signal.SIGKILL)

    engine = Cluster(scheduler.address, Identity(tmp_path / "certificates/client"), chunk=2)
    outcome = medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, engine=engine, progress=look, keep_key=True
    )
    assert outcome.photos == {"unreviewed": 199, "held": 1}
    assert by_name(outcome.folder)["007.png"].error_code == "M-HOLD-NOTRUN"
    assert len(settled) == len(set(settled)) == 200
    assert len(list((outcome.folder / "unreviewed").iterdir())) == 199
    assert listing(tmp_path / "in") == before
    assert killed
    assert max(len(now) for now in seen) == 2  # it grew, and no further than it may
    # Another has taken the killed one's place; at the last event of a slow computer they may all have gone already.
    assert {pid for now in seen for pid in now} - set(killed), seen
    until(lambda: workers(scheduler) == [])
    # Nothing waits and nobody is there: the next batch has one started again.
    one = tmp_path / "in/000.png"
    again = medimg.scrub_folder([one], tmp_path / "other", policy=POLICY, make=fakes.make, engine=engine)
    assert again.photos == {"unreviewed": 1}
    last = workers(scheduler)
    assert last
    scheduler.stop()
    assert scheduler.process.returncode == 0
    assert not any(alive(pid) for pid in last)


@pytest.mark.long  # a worker waits a minute for a scheduler that is gone
def test_workers_of_a_killed_scheduler_end(started: Start) -> None:
    scheduler = started("--adapt", "1", "--least", "1")
    until(lambda: len(workers(scheduler)) == 1)
    (pid,) = workers(scheduler)
    scheduler.stop(signal.SIGKILL)
    until(lambda: not alive(pid))


def test_a_command_in_front_starts_the_workers_and_is_told_to_end(tmp_path: Path, started: Start) -> None:
    launch = tmp_path / "launch in a job"
    launch.write_text(f"#!/bin/sh\necho began >>'{tmp_path}/said'\n\"$@\" &\ntrap 'kill $!' TERM\nwait $!\n"
                      f"wait $!\necho ended >>'{tmp_path}/said'\n")  # fmt: skip
    launch.chmod(0o700)
    scheduler = started("--adapt", "1", "--threads", "2", "--start-with", f"{shlex.quote(str(launch))} nice")
    fakes.photo(tmp_path / "in/1.png")
    engine = Cluster(scheduler.address, Identity(tmp_path / "certificates/client"))
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, engine=engine)
    assert outcome.photos == {"unreviewed": 1}
    scheduler.stop()
    until(lambda: (tmp_path / "said").read_text().split() == ["began", "ended"])


@pytest.mark.parametrize("command", ["false", "no-such-program"])
def test_workers_that_never_come_end_the_scheduler_and_it_says_so(started: Start, command: str) -> None:
    scheduler = started("--adapt", "2", "--least", "1", "--start-with", command)
    assert scheduler.process.wait(LONG) == 3


def test_adapting_needs_what_its_workers_need(tmp_path: Path) -> None:
    certificates.make(tmp_path, ["scheduler"])
    command = [sys.executable, "-m", "medimg", "cluster", "scheduler", "--certificates", str(tmp_path / "scheduler")]
    for more in (
        ["--adapt", "2"],
        ["--adapt", "2", "--worker-certificates", str(tmp_path / "nothing")],
        ["--adapt", "2", "--worker-certificates", str(tmp_path / "scheduler"), "--start-with", "srun 'x"],
    ):
        done = subprocess.run([*command, *more], capture_output=True, text=True, cwd=HERE.parent, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--adapt" in done.stderr or "certificates" in done.stderr or "--start-with" in done.stderr
