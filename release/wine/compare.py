"""Compare two runs of the same photos: what became of each, what was decided, and the bytes of its copy.

python compare.py OUT OTHER        two output folders with one run each, both made with --keep-key
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path, PureWindowsPath
from typing import Any

Decision = tuple[tuple[str, ...], list[float]]
Photo = tuple[str, list[Decision], str]
NEAR = 0.05
"""Pixels by which the corners of a place may differ: two C libraries round the last digits differently."""


def decided(report: dict[str, Any]) -> list[Decision]:
    """What was done with each finding: kind, category, where in the file, action and reason; and the corners."""
    found = []
    for action in (report.get("plan") or {}).get("actions", []):
        finding = action["finding"]
        words = tuple(str(finding[n]) for n in ("kind", "category", "where"))
        corners = [c for point in (finding["region"] or {}).get("polygon", []) for c in point]
        found.append(((*words, action["do"], action["why"]), corners))
    return sorted(found, key=lambda d: (d[0], [round(c) for c in d[1]]))


def agree(one: list[Decision], other: list[Decision]) -> bool:
    """Whether the same was decided about the same places."""
    return [d[0] for d in one] == [d[0] for d in other] and all(
        len(a) == len(b) and all(abs(x - y) <= NEAR for x, y in zip(a, b, strict=True))
        for (_, a), (_, b) in zip(one, other, strict=True)
    )


def photos(out: Path) -> dict[str, Photo]:
    """Name of the original -> state, decisions, digest of the copy."""
    (run,) = out.glob("medimg-*")
    private = run / "PRIVATE-patient-record"
    reports = {r["safe_id"]: r for r in json.loads((private / "reports.json").read_text("utf-8"))}
    found = {}
    with (private / "key.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            copy = run / "unreviewed" / row["copy"] if row["copy"] else None
            digest = hashlib.sha256(copy.read_bytes()).hexdigest() if copy is not None and copy.is_file() else ""
            name = PureWindowsPath(row["original"]).as_posix()
            found[name] = (row["state"], decided(reports[row["id"]]), digest)
    return found


def main() -> None:
    """Print one line, and every difference."""
    one, other = photos(Path(sys.argv[1])), photos(Path(sys.argv[2]))
    shared = sorted(one.keys() & other.keys())
    same = {n: (one[n][0] == other[n][0], agree(one[n][1], other[n][1]), one[n][2] == other[n][2]) for n in shared}
    states, plans, copies = (sum(s[k] for s in same.values()) for k in range(3))
    print(
        f"{len(one)} and {len(other)} photos; alike: {states} states, {plans} decisions, {copies} copies byte for byte"
    )
    for name in sorted(one.keys() ^ other.keys()):
        print(f"  {name}: in one run only")
    for name, alike in same.items():
        if not all(alike):
            print(
                f"  {name}: {', '.join(w for w, a in zip(('state', 'decisions', 'copy'), alike, strict=True) if not a)}"
            )
    sys.exit(one.keys() != other.keys() or not all(map(all, same.values())))


if __name__ == "__main__":
    main()
