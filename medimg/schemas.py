"""JSON Schemas of everything medimg writes for other programs, made from the records themselves.

    python -m medimg.schemas docs/schemas

A record's form has a name and a number (``medimg.plan/1``). Within a number, fields are added with a default and none
is taken away: a file of yesterday opens today.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from medimg.report.model import RecordSheet, ShareSheet
from medimg.run.decisions import Decisions
from medimg.run.summary import RunFile
from medimg.types import Finding, Plan, Report, Secret, to_json

RECORDS: dict[str, type] = {
    "plan": Plan,
    "finding": Finding,
    "report": Report,
    "decisions": Decisions,
    "share-sheet": ShareSheet,
    "record-sheet": RecordSheet,
    "run": RunFile,
}
"""Name of the schema -> record."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record."""
    return msgspec.json.schema(RECORDS[name], schema_hook=secret)


def secret(kind: type) -> dict[str, Any]:
    """What was read is never written: null."""
    if kind is Secret:
        return {"type": "null"}
    raise NotImplementedError(kind.__name__)


def write(folder: Path) -> None:
    """All schemas into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RECORDS:
        (folder / f"{name}.schema.json").write_bytes(to_json(schema(name)))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
