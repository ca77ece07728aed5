from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def _frozen() -> Iterator[None]:
    """What lives before a file's first test is not looked through after each: late in a run that is a second a test."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def collected(_frozen: None) -> Iterator[None]:
    """Sockets left to the garbage collector go at the end of the test that left them, and not in the next one."""
    yield
    gc.collect()
