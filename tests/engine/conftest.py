from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that does not say how many workers it has gets one: starting a process costs more than these photos."""
    monkeypatch.setattr("medimg.engine.batch.suitable_workers", lambda: 1)
