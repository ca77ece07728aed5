"""medimg makes a clinical photograph safer to share.

It covers what identifies a person, leaves the medicine untouched, checks the written copy again, and reports what
was found and done. The public names are the ones below; everything loads on first use::

    import medimg

    copy = medimg.scrub("photo.jpg")            # one photo; the copy and its report in memory
    plan = medimg.inspect("photo.jpg")          # what is there; nothing is written
    with_models = medimg.Scrubber()             # keeps the models loaded for many photos
    run = medimg.scrub_folder(["photos"], "out")  # a batch, each photo in a worker process
"""

# `python -m medimg` has put the current folder first on the path, and photos of strangers may lie there. It goes before
# anything is imported that may lie there too, `__future__` and `typing` included.
import sys


def _started_here() -> bool:
    """Whether Python is at work on ``-m medimg`` (or a module of it) and looked into the current folder for it."""
    if sys.argv[:1] != ["-m"] or sys.flags.safe_path or not sys.path:
        return False
    name = sys.orig_argv[-len(sys.argv)].partition(".")[0]
    return name == __name__ or (name[:1] == "-" and name.endswith("m" + __name__))


if _started_here() and not __file__.startswith(sys.path[0] + "/medimg/"):
    del sys.path[0]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medimg import errors
    from medimg.api import Scrubbed, Scrubber, inspect, scrub
    from medimg.consent.questions import checklist
    from medimg.engine.batch import Hooks, Outcome, scrub_folder
    from medimg.errors import MedimgError
    from medimg.policy import Policy
    from medimg.run.known import known_values
    from medimg.run.request import RunRequest
    from medimg.types import Finding, KnownValues, Plan, Report

__version__ = "0.2.0"

_WHERE = {
    "Finding": "medimg.types",
    "Hooks": "medimg.engine.batch",
    "KnownValues": "medimg.types",
    "MedimgError": "medimg.errors",
    "Outcome": "medimg.engine.batch",
    "Plan": "medimg.types",
    "Policy": "medimg.policy",
    "Report": "medimg.types",
    "RunRequest": "medimg.run.request",
    "Scrubbed": "medimg.api",
    "Scrubber": "medimg.api",
    "checklist": "medimg.consent.questions",
    "errors": "medimg.errors",
    "inspect": "medimg.api",
    "known_values": "medimg.run.known",
    "scrub": "medimg.api",
    "scrub_folder": "medimg.engine.batch",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'medimg' has no attribute {name!r}")
    module = importlib.import_module(_WHERE[name])
    return module if name == "errors" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])


__all__ = [
    "Finding",
    "Hooks",
    "KnownValues",
    "MedimgError",
    "Outcome",
    "Plan",
    "Policy",
    "Report",
    "RunRequest",
    "Scrubbed",
    "Scrubber",
    "__version__",
    "checklist",
    "errors",
    "inspect",
    "known_values",
    "scrub",
    "scrub_folder",
]
