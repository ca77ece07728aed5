from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], list[Path]]:
    """Real camera files that may stand beside the project: ``corpus("*.jpg")``; skips where there are none."""

    def find(pattern: str) -> list[Path]:
        found = sorted(CORPUS.glob(pattern)) if CORPUS.is_dir() else []
        if not found:
            pytest.skip("the corpus of real files is not beside the project")
        return found

    return find
