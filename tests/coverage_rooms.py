"""Coverage by room from combined data, held against pyproject.toml: ``python tests/coverage_rooms.py``.

Exit code 2 when a room has fallen below its share (``tool.medimg.coverage`` in pyproject.toml).
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parent.parent


def rooms() -> dict[str, tuple[int, int]]:
    """Room -> how many statements it has, and how many of them ran."""
    measured = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    measured.load()
    there, ran = Counter[str](), Counter[str]()
    for path in (ROOT / "medimg").rglob("*.py"):
        _, statements, _, missing, _ = measured.analysis2(str(path))
        room = path.relative_to(ROOT / "medimg").parts[0]
        there[room.removesuffix(".py")] += len(statements)
        ran[room.removesuffix(".py")] += len(statements) - len(missing)
    return {room: (there[room], ran[room]) for room in sorted(there) if there[room]}


def main() -> int:
    """Print the table; the exit code."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["medimg"]["coverage"]
    low = 0
    print("| Room | Statements | Ran | At least |\n|---|---:|---:|---:|")
    for room, (there, ran) in rooms().items():
        share, least = 100 * ran / there, wanted.get(room, 0)
        low += share < least
        print(f"| {room} | {there:,} | {share:.1f} % | {f'{least} %' if least else ''} |")
    print(f"{low} below" if low else "none below")
    return 2 if low else 0


if __name__ == "__main__":
    sys.exit(main())
