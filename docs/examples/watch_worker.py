"""A worker that empties a queue folder: each job is a photo, done at least once, and done or held with its reason.

A job is claimed by renaming it, which one worker alone can do; what a killed worker had claimed is taken up again.
Originals are moved, never written.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import medimg
from medimg.types import to_json


def work(queue: Path, out: Path, scrubber: medimg.Scrubber, *, name: str = "worker-1") -> int:
    """Do what is in ``queue`` now; how many photos were done or held."""
    mine, done, back = queue / f".{name}", queue / ".done", queue / ".kept-back"
    for folder in (mine, done, back, out):
        folder.mkdir(parents=True, exist_ok=True)
    for left in mine.iterdir():  # claimed when this worker was killed
        left.rename(queue / left.name)
    count = 0
    for job in sorted(p for p in queue.iterdir() if p.is_file()):
        claimed = mine / job.name
        try:
            job.rename(claimed)
        except FileNotFoundError:  # another worker was faster
            continue
        copy = out / secrets.token_hex(8)  # a neutral name; the suffix follows the format
        made = scrubber.scrub(claimed, to=copy)
        copy.with_suffix(".json").write_bytes(to_json(made.report))
        claimed.rename((back if made.held else done) / job.name)
        count += 1
    return count


if __name__ == "__main__":
    print(work(Path(sys.argv[1]), Path(sys.argv[2]), medimg.Scrubber()), "photos")
