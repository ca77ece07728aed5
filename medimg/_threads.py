"""How many threads one inference may use; the same number for every model."""

from __future__ import annotations

import os


def threads() -> int:
    """Intra-op threads of an inference session: ``MEDIMG_THREADS``, 1 to 64; 2 when unset or not a number."""
    try:
        return min(max(int(os.environ.get("MEDIMG_THREADS", "2")), 1), 64)
    except ValueError:
        return 2
