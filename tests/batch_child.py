"""A batch with fake detectors that says how far it is, to be killed: ``python batch_child.py IN OUT [light]``."""

from __future__ import annotations

import sys
from typing import Any

import batch_fakes

import medimg
from medimg.policy import Policy


def say(event: Any) -> None:
    print(event.event, event.settled, flush=True)


if __name__ == "__main__":
    policy = Policy(scope="metadata-only") if sys.argv[3:] else Policy()
    outcome = medimg.scrub_folder(
        [sys.argv[1]], sys.argv[2], policy=policy, make=batch_fakes.make, resume=True, workers=2, progress=say
    )
    print("outcome", outcome.folder.name, outcome.photos, flush=True)
