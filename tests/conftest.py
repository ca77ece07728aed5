from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.fixture(scope="session", autouse=True)
def _own_site_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key of digests is the tests' own, not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIMG_SITE_KEY", str(tmp_path_factory.mktemp("site") / "key"))
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
