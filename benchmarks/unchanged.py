"""Whether two states of the code decide and write the same: for a change that must not be seen.

Run before and after, on the same files, and compare::

    python -m benchmarks.unchanged record before.json FOLDER... --scenes 200
    python -m benchmarks.unchanged record after.json FOLDER... --scenes 200
    python -m benchmarks.unchanged compare before.json after.json

Each photo is known by the digest of its bytes. Regions are compared in whole pixels. ``--scenes N`` adds drawn ward
scenes (tuning seeds from 0, 0.8 megapixels); ``--metadata-only`` leaves text, codes and faces out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import scenes
from medimg import Policy, Scrubber
from medimg.types import Action

KEY = b"\1" * 32
"""Fixed, so that new identifiers of DICOM copies are the same in both states."""


def photos(folders: list[Path], drawn: int) -> Iterator[bytes]:
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            yield path.read_bytes()
    for seed in range(drawn):
        file = io.BytesIO()
        Image.fromarray(scenes.scene(seed, 0.8).rgb).save(file, "JPEG", quality=92)
        yield file.getvalue()


def decision(action: Action) -> list[Any]:
    found = action.finding
    place = [list(map(round, point)) for point in found.region.polygon] if found.region else None
    return [found.kind, found.category, found.where, found.count, place, action.do, action.why]


def outcome(scrubber: Scrubber, data: bytes) -> dict[str, Any]:
    done = scrubber.scrub(data)
    report = done.report
    return {
        "state": report.state,
        "code": report.error_code,
        "reason": report.reason,
        "plan": [decision(a) for a in report.plan.actions] if report.plan else None,
        "checks": [[c.name, c.state] for c in report.checks],
        "copy": hashlib.sha256(done.data).hexdigest() if done.data else None,
    }


def record(out: Path, folders: list[Path], drawn: int, scope: str) -> None:
    policy = Policy(scope="metadata-only") if scope == "metadata-only" else Policy()
    scrubber = Scrubber(policy, key=KEY)
    table: dict[str, Any] = {}
    for data in photos(folders, drawn):
        table[hashlib.sha256(data).hexdigest()[:16]] = outcome(scrubber, data)
        print(len(table), end="\r", file=sys.stderr, flush=True)
    out.write_text(json.dumps(table, indent=1), encoding="utf-8")


def compare(before: Path, after: Path) -> int:
    old, new = (json.loads(p.read_text(encoding="utf-8")) for p in (before, after))
    differing = 0
    for name in sorted(old.keys() | new.keys()):
        a, b = old.get(name, {}), new.get(name, {})
        fields = [f for f in sorted(a.keys() | b.keys()) if a.get(f) != b.get(f)]
        if fields:
            differing += 1
            print(name, *(f"{f}: {str(a.get(f))[:200]} -> {str(b.get(f))[:200]}" for f in fields), sep="\n  ")
    print(f"{len(old)} photos before, {len(new)} after, {differing} differ")
    return min(differing, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record")
    one.add_argument("out", type=Path)
    one.add_argument("folders", type=Path, nargs="*")
    one.add_argument("--scenes", type=int, default=0)
    one.add_argument("--metadata-only", dest="scope", action="store_const", const="metadata-only", default="full")
    two = commands.add_parser("compare")
    two.add_argument("before", type=Path)
    two.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.command == "record":
        record(args.out, args.folders, args.scenes, args.scope)
    else:
        sys.exit(compare(args.before, args.after))


if __name__ == "__main__":
    main()
