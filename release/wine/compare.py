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

Photo = tuple[str, str, str]


def decided(report: dict[str, Any]) -> str:
    """What was done with each finding: kind, category, action, reason and place."""
    actions = (report.get("plan") or {}).get("actions", [])
    found = ((a["finding"], a) for a in actions)
    rows = [(f["kind"], f["category"], f["where"], f["region"], a["do"], a["why"]) for f, a in found]
    return json.dumps(sorted(rows, key=str))


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
    states, plans, copies = (sum(one[n][k] == other[n][k] for n in one.keys() & other.keys()) for k in range(3))
    print(
        f"{len(one)} and {len(other)} photos; alike: {states} states, {plans} decisions, {copies} copies byte for byte"
    )
    for name in sorted(one.keys() ^ other.keys()):
        print(f"  {name}: in one run only")
    for name in sorted(one.keys() & other.keys()):
        differ = [w for w, a, b in zip(("state", "decisions", "copy"), one[name], other[name], strict=True) if a != b]
        if differ:
            print(f"  {name}: {', '.join(differ)}")
    sys.exit(one != other)


if __name__ == "__main__":
    main()
