"""Whether two states of the code decide and write the same: for a change that must not be seen.

Run before and after, on the same files, and compare::

    python -m benchmarks.unchanged record before.json FOLDER... --scenes 200
    python -m benchmarks.unchanged record after.json FOLDER... --scenes 200
    python -m benchmarks.unchanged compare before.json after.json

Each photo is known by the digest of its bytes. Regions are compared in whole pixels. ``--scenes N`` adds drawn ward
scenes (tuning seeds from 0, 0.8 megapixels, or ``--skip FIRST --megapixels SIZE``); ``--metadata-only`` leaves text,
codes and faces out. Where decisions do differ, the last lines say whether they got worse: of the scenes, whose content
is known, what is covered, lost and hit in both states, counted as in :mod:`benchmarks.text`; and the processor time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import resource
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import scenes
from benchmarks.text import BODIES, COVERED, HIT, LOST, with_room
from medimg import Policy, Scrubber
from medimg.covers import covers
from medimg.redact.cover import mask
from medimg.types import Action, Plan

KEY = b"\1" * 32
"""Fixed, so that new identifiers of DICOM copies are the same in both states."""


def photos(folders: list[Path], drawn: range, megapixels: float) -> Iterator[tuple[bytes, scenes.Scene | None]]:
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            yield path.read_bytes(), None
    for seed in drawn:
        file = io.BytesIO()
        scene = scenes.scene(seed, megapixels)
        Image.fromarray(scene.rgb).save(file, "JPEG", quality=92)
        yield file.getvalue(), scene


def shares(scene: scenes.Scene, plan: Plan, policy: Policy) -> list[list[Any]]:
    """Of everything in a scene that can be seen: what it is, whether it identifies, how much of it is covered."""
    height, width = scene.rgb.shape[:2]
    hidden = mask([c.polygon for c in covers(plan, policy)], width, height)
    names = mask([with_room(i) for i in scene.items if i.identifying], width, height)
    out: list[list[Any]] = []
    for index, item in enumerate(scene.items):
        place = mask([item.polygon], width, height)
        shown = place & ~mask(scene.on_top(index), width, height)
        if item.tier == "lost" or shown.sum() < 0.3 * place.sum():
            continue
        shown &= ~names if item.kind in BODIES else True
        share = float(hidden[shown].mean()) if shown.any() else 0.0
        out.append([item.kind, item.identifying, round(share, 2), item.text])
    return out


def decision(action: Action) -> list[Any]:
    found = action.finding
    place = [list(map(round, point)) for point in found.region.polygon] if found.region else None
    return [found.kind, found.category, found.where, found.count, place, action.do, action.why]


def processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def outcome(scrubber: Scrubber, data: bytes, scene: scenes.Scene | None, policy: Policy) -> dict[str, Any]:
    began = processor()
    done = scrubber.scrub(data)
    report = done.report
    return {
        "seconds": round(processor() - began, 2),
        "shares": shares(scene, report.plan, policy) if scene and report.plan else [],
        "state": report.state,
        "code": report.error_code,
        "reason": report.reason,
        "plan": [decision(a) for a in report.plan.actions] if report.plan else None,
        "checks": [[c.name, c.state] for c in report.checks],
        "copy": hashlib.sha256(done.data).hexdigest() if done.data else None,
    }


def record(out: Path, given: Iterator[tuple[bytes, scenes.Scene | None]], policy: Policy) -> None:
    scrubber = Scrubber(policy, key=KEY)
    table: dict[str, Any] = {}
    for data, scene in given:
        table[hashlib.sha256(data).hexdigest()[:16]] = outcome(scrubber, data, scene, policy)
        out.write_text(json.dumps(table, indent=1), encoding="utf-8")
        print(len(table), end="\r", file=sys.stderr, flush=True)


def counted(table: dict[str, Any]) -> dict[str, list[int]]:
    """How many of what is known to be there are covered, lost or hit."""
    out: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for kind, identifying, share, _ in (item for one in table.values() for item in one["shares"]):
        name, least = f"harmless {kind} lost", LOST
        if identifying:
            name, least = f"{kind} covered", COVERED
        elif kind in BODIES:
            name, least = f"{kind} hit", HIT
        out[name][0] += share >= least
        out[name][1] += 1
    for name in ("held", "failed", "refused"):
        out[name] = [sum(one["state"] == name for one in table.values()), len(table)]
    return out


def compare(before: Path, after: Path) -> int:
    old, new = (json.loads(p.read_text(encoding="utf-8")) for p in (before, after))
    some = sorted(old.keys() & new.keys())
    differing = 0
    for name in some:
        a, b = old[name], new[name]
        fields = [f for f in sorted(a.keys() | b.keys()) if f not in ("seconds", "shares") and a.get(f) != b.get(f)]
        if fields:
            differing += 1
            print(name, *(f"{f}: {str(a.get(f))[:200]} -> {str(b.get(f))[:200]}" for f in fields), sep="\n  ")
            for one, two in zip(a["shares"], b["shares"], strict=False):
                if one != two:
                    print("  ", one, "->", two[2])
    print(f"{len(old)} photos before, {len(new)} after, of {len(some)} in both {differing} differ")
    old, new = ({name: table[name] for name in some} for table in (old, new))
    before_after = counted(old), counted(new)
    for name in sorted(before_after[0]):
        print(f"{name:24}", *(f"{one[name][0]:4} of {one[name][1]}" for one in before_after))
    print("processor seconds       ", *(f"{sum(one['seconds'] for one in t.values()):.1f}" for t in (old, new)))
    return min(differing, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record")
    one.add_argument("out", type=Path)
    one.add_argument("folders", type=Path, nargs="*")
    one.add_argument("--scenes", type=int, default=0)
    one.add_argument("--skip", type=int, default=0)
    one.add_argument("--megapixels", type=float, default=0.8)
    one.add_argument("--metadata-only", dest="scope", action="store_const", const="metadata-only", default="full")
    two = commands.add_parser("compare")
    two.add_argument("before", type=Path)
    two.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.command == "record":
        policy = Policy(scope=args.scope)
        record(args.out, photos(args.folders, range(args.skip, args.skip + args.scenes), args.megapixels), policy)
    else:
        sys.exit(compare(args.before, args.after))


if __name__ == "__main__":
    main()
