"""Look up what release/lock.txt names among known vulnerabilities, or say that it was not done.

    python release/scan.py OUT [--program pip-audit]

``pip-audit`` asks OSV. Where that answers for every package, ``OUT/vulnerabilities.json`` holds the answer, and a
known vulnerability ends this with 1. Otherwise ``OUT/NOT-SCANNED.txt`` says why, and the release goes on with it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().with_name("lock.txt")


def asked(program: str) -> tuple[list[dict[str, Any]], str]:
    """Each package with its vulnerabilities; or none, and why not."""
    found = shutil.which(program)
    if found is None:
        return [], "pip-audit is not installed"
    command = [found, "-s", "osv", "--require-hashes", "--disable-pip", "-r", str(LOCK), "-f", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return [], "the advisory service did not answer"
    unknown = [p["name"] for p in packages if "vulns" not in p]
    if unknown or not packages:
        return [], f"the advisory service knows nothing of {', '.join(unknown) or 'any package'}"
    return packages, ""


def main() -> None:
    """Ask, write and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--program", default=str(Path(sys.executable).with_name("pip-audit")))
    given = parser.parse_args()
    packages, why = asked(given.program)
    if why:
        said = f"Known vulnerabilities: not scanned ({why})."
        (given.out / "NOT-SCANNED.txt").write_text(said + "\n")
        print(said)
        return
    (given.out / "vulnerabilities.json").write_text(json.dumps(packages, indent=1) + "\n")
    known = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p["vulns"]]
    print(f"Known vulnerabilities in {len(packages)} packages: {len(known)}", *known, sep="\n")
    sys.exit(1 if known else 0)


if __name__ == "__main__":
    main()
