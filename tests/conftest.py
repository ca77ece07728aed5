from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from medimg import words

if TYPE_CHECKING:
    from fixtures.make import Manifest
    from medimg.api import Scrubber

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"

# No stopwatch in a test: on a busy machine an example may take long.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

DEAR = ("desktop", "system", "engine", "browser", "interop", "run")
"""Rooms whose files each take long: they begin, so that two processes end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dear rooms first; everything else stays in its order."""
    items.sort(key=lambda item: item.path.parent.name not in DEAR)


@pytest.fixture(scope="session", autouse=True)
def _own_site_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key of digests is the tests' own, not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIMG_SITE_KEY", str(tmp_path_factory.mktemp("site") / "key"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _english() -> Iterator[None]:
    """The commands that tests start speak English, whatever this computer's user does."""
    with pytest.MonkeyPatch.context() as patch:
        if words.usual() != words.ENGLISH:
            patch.setenv("LC_ALL", "C.UTF-8")
        yield


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], list[Path]]:
    """Real camera files that may stand beside the project: ``corpus("*.jpg")``; skips where there are none."""

    def find(pattern: str) -> list[Path]:
        found = sorted(CORPUS.glob(pattern)) if CORPUS.is_dir() else []
        if not found:
            pytest.skip("the corpus of real files is not beside the project")
        return found

    return find


@pytest.fixture(scope="session")
def scrubber() -> Scrubber:
    """The real checks under the policy of a user who has none, loaded once; for tests that change nothing about it."""
    from medimg.api import Scrubber
    from medimg.policy import Policy

    return Scrubber(Policy.load())


@pytest.fixture(scope="session")
def fixture_photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The folder of fixtures/make.py and what is in it, drawn once for all processes of pytest-xdist, and only read."""
    import fcntl

    import msgspec

    from fixtures.make import Manifest, make

    own = tmp_path_factory.getbasetemp()
    out = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "fixture-photos"
    told = out.with_name(f"{out.name}-manifest.json")
    with out.with_name(f"{out.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():  # it is written last
            make(out)
    return out, msgspec.json.decode(told.read_bytes(), type=Manifest)
