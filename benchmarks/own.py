"""Score folders of labelled photographs, one for each sort of source, with the scorer of ``medimg selftest --own``.

    python -m benchmarks.own FOLDER [FOLDER...] [--policy FILE]

Each folder holds photographs and ``labels.csv`` or ``labels.json`` (:mod:`medimg.selftest.own`). Drawings,
composites and photographs belong in folders of their own: a figure over all of them says nothing. Prints a table for
each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from medimg.cli.selftest import lines
from medimg.policy import Policy
from medimg.selftest.run import run_own


def main() -> None:
    """The command."""
    parse = argparse.ArgumentParser()
    parse.add_argument("folders", nargs="+", type=Path)
    parse.add_argument("--policy", type=Path)
    wish = parse.parse_args()
    policy = Policy.load(wish.policy)
    for folder in wish.folders:
        print(f"## {folder.name}\n")
        print("\n".join(lines(run_own(folder, policy))), end="\n\n")


if __name__ == "__main__":
    main()
