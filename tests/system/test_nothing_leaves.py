"""Nothing leaves the computer, nothing is left in the home folder but medimg's own files, and nothing planted is run.

Watched from outside, by the system calls of every process a command starts: what a library in C does, no patched
module of Python's sees. onnxruntime's usage reports write their queue when the library is loaded and look their
collector up some ten seconds later; both are seen here. Each command runs for all three, among code, data and
libraries that would run if anything in the folder of the photos were asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import commands_kit as kit
import pytest
from planted_kit import plant

CALLS = "openat,socket,connect,sendto,sendmsg,sendmmsg,bind,listen"
"""``openat`` for the file that names the resolvers: where /etc/hosts has the answer, a look-up makes no socket."""
LONG = 15.0
"""Seconds a command that waits is left waiting; the first look-up of onnxruntime 1.32 came after 9."""
WAIT = (kit.serve, kit.desktop)
TOGETHER: dict[str, Sequence[Callable[..., None]]] = {
    "clean": (kit.clean,),
    "look": (kit.look, kit.selftest, kit.doctor, kit.library),
    "wait": (kit.watch, kit.serve, kit.desktop),
    "cluster": (kit.cluster,),
}
"""Acts that go on beside each other in one folder."""
SLOW = ("look", "wait")
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text()
OWN = set(re.findall(r"`~/([^`]+)`", PAGE.partition("### What lies elsewhere")[2].partition("\n### ")[0]))
"""What docs/reference.md says medimg keeps under the home folder."""


def traced() -> bool:
    strace = shutil.which("strace")
    return bool(strace) and subprocess.run([strace, "-qq", "-o", "/dev/null", "/bin/true"], check=False).returncode == 0


def outside(trace: str, *, loopback: bool) -> list[str]:
    """Calls that are about something else than a socket file; with ``loopback``, than this computer."""
    found = []
    for line in trace.splitlines():
        if "/etc/resolv.conf" in line and not loopback:
            found.append(line)
        family = re.search(r"socket\(([A-Z0-9_]+)", line)
        if family and family[1] not in ("AF_UNIX", "AF_LOCAL") and not (loopback and family[1].startswith("AF_INET")):
            found.append(line)
        for address in re.findall(r'(?:inet_addr\(|sin6_addr.*?)"([^"]+)"', line):
            if not (loopback and address in ("127.0.0.1", "::1", "0.0.0.0")):
                found.append(line)
    return found


def made(trace: str) -> set[str]:
    """Files that were made, or would have been if they had not been there."""
    return set(re.findall(r'openat\([^,]+, "([^"]+)", [A-Z_|]*O_CREAT', trace))


def held(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_act_is_watched() -> None:
    assert {act for acts in TOGETHER.values() for act in acts} == set(kit.ACTS)


@pytest.mark.parametrize(
    "acts", [pytest.param(acts, id=name, marks=[pytest.mark.long] * (name in SLOW)) for name, acts in TOGETHER.items()]
)
def test_no_socket_no_file_in_the_home_and_nothing_among_the_photos_is_run(
    tmp_path: Path, acts: Sequence[Callable[..., None]]
) -> None:
    traces, proof = tmp_path / "traces", tmp_path / "proof"
    traces.mkdir()
    calls = ("strace", "-ff", "-qq", "--seccomp-bpf", "-A", "-e", f"trace={CALLS}", "-o", str(traces / "process"))
    place = kit.Place(tmp_path, prefix=calls if traced() else ())
    for name in (".profile", ".config/user-dirs.dirs", ".cache/fontconfig/CACHEDIR.TAG"):
        (place.home / name).parent.mkdir(parents=True, exist_ok=True)
        (place.home / name).write_text(name)
    before = held(place.home)
    plant(place.photos, proof)
    try:
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(act, place, *([LONG] if act in WAIT else [])) for act in acts]:
                done.result()
    finally:
        assert not proof.exists(), proof.read_text()
    after = held(place.home)
    assert {n: d for n, d in after.items() if n not in OWN} == before
    if not place.prefix:
        pytest.skip("the files were compared; no strace here that may trace: sockets were not looked at")
    seen = [path.read_text(errors="replace") for path in traces.iterdir()]
    assert any(seen), "strace saw nothing at all"
    assert not [line for trace in seen for line in outside(trace, loopback=kit.cluster in acts)]
    files = {path for trace in seen for path in made(trace) if path.startswith("/") and "__pycache__" not in path}
    assert not [path for path in files if not path.startswith((str(tmp_path), "/dev/", "/proc/"))]
    if not {kit.desktop, kit.selftest, kit.cluster} & set(acts):  # these say that they use it
        assert not [path for path in files if path.startswith(str(place.temporary))]
