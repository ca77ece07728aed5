"""Whether the copies that wait for a person's look are the ones that were checked."""

from __future__ import annotations

from medimg.errors import CheckFailed
from medimg.run import share
from medimg.run.folder import SHARE_FOLDER, UNREVIEWED_FOLDER
from medimg.run.opened import OpenRun


def changed(opened: OpenRun) -> frozenset[str]:
    """Safe ids of the copies that do not lie in the run folder as they were checked.

    A copy that was released lies in ``share/``.
    """
    out = set()
    for report in opened.reports:
        if report.copy is None:
            continue
        places = [opened.folder / p / report.copy.name for p in (UNREVIEWED_FOLDER, SHARE_FOLDER)]
        try:
            found = [share.digest(p) for p in places if p.is_file() and not p.is_symlink()]
        except (OSError, CheckFailed):
            found = []
        if found != [report.copy.sha256]:
            out.add(report.safe_id)
    return frozenset(out)
