"""What is in a run folder, for tests of batches."""

from __future__ import annotations

import csv
from pathlib import Path

from medimg.types import Report, from_json


def reports(folder: Path) -> dict[str, Report]:
    found = from_json((folder / "PRIVATE-patient-record/reports.json").read_bytes(), list[Report])
    return {r.safe_id: r for r in found}


def by_name(folder: Path) -> dict[str, Report]:
    """Original name -> report of every photo, through the key."""
    with (folder / "PRIVATE-patient-record/key.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["state"] != "set-aside"]
    assert {"original", "id", "copy", "state"} <= set(rows[0])
    byid = reports(folder)
    found = {row["original"]: byid[row["id"]] for row in rows}
    for row in rows:
        report = byid[row["id"]]
        assert (row["copy"], row["state"]) == (report.copy.name if report.copy else "", report.state)
    assert len(found) == len(rows) == len(byid)
    return found


def listing(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
