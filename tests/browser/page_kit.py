"""A server of the page with detectors that find nothing, and photos for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import batch_fakes as fakes
import httpx
import numpy as np
import trustme
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

SERVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests import batch_fakes
from medimg.engine.batch import Hooks
from medimg.policy import Policy
from medimg.run.register import Register
from medimg.serve import listen
from medimg.serve.page.desk import Desk
from medimg.serve.page.routes import Door, build

if __name__ == "__main__":
    work = Path(sys.argv[2])
    listening = listen.tcp("127.0.0.1", 0, secured=False)
    tls = [Path(p) for p in sys.argv[3:]]
    door = Door(f"127.0.0.1:{listening.getsockname()[1]}", secured=bool(tls))
    desk = Desk(work / "out", Policy.load(), Register(work / "register"), Hooks(make=batch_fakes.make), 1)
    print(door.address, flush=True)
    listen.serve(build(desk, door, 6_000_000), listening, *tls)
"""


class Served(NamedTuple):
    """A server, its address with the key, and the folder it works in."""

    address: str
    work: Path

    @property
    def bare(self) -> str:
        """The address without the key."""
        return self.address.partition("#")[0]

    @property
    def key(self) -> str:
        """The key."""
        return self.address.partition("#")[2]

    def client(self, **headers: str) -> httpx.Client:
        """A program that says it comes from the page."""
        origin = self.bare.rpartition("/")[0].rpartition("/")[0]
        return httpx.Client(base_url=self.bare, headers={"origin": origin, **headers}, timeout=600)


def drawn(path: Path, seed: int, width: int, height: int) -> None:
    """A PNG of noise with which the fake checks have no trouble."""
    pixels = np.random.default_rng(seed).integers(100, 255, (height, width, 3), np.uint8)
    pixels[0, 0] = fakes.WELL
    Image.fromarray(pixels).save(path)


@contextlib.contextmanager
def serving(tmp_path: Path, *tls: Path) -> Iterator[Served]:
    """A server; with ``tls``, a certificate and its key, one as for a phone."""
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    own = {f"MEDIMG_{name}": str(tmp_path / name.lower()) for name in ("CARDS", "WINDOW")}
    env = {**os.environ, **own, "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(
        [sys.executable, str(program), str(ROOT), str(tmp_path), *map(str, tls)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    assert running.stdout is not None
    try:
        address = running.stdout.readline().strip()
        assert address, running.stderr and running.stderr.read()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(address, verify=not tls)
                break
            time.sleep(0.1)
        yield Served(address, tmp_path)
    finally:
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=600)
    assert running.returncode == 0, said
    assert said == ("", "")  # nothing is logged


def certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """A certificate of this computer and its key, as files."""
    leaf = authority.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return chain, key
