"""Print for which systems and versions of Python every dependency has a wheel; the table of docs/install.md.

    python release/matrix.py [--extras pdf]

For a Python beside which ``uv`` is installed. Only the index is asked: nothing is installed, and nothing runs. A cell
says which onnxruntime fits, as that is what changes between systems, or which package has no wheel.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux x86_64 (glibc 2.28)": "x86_64-manylinux_2_28",
    "Linux aarch64 (glibc 2.28)": "aarch64-manylinux_2_28",
    "Windows x64": "x86_64-pc-windows-msvc",
    "macOS arm64 (14 or newer)": "aarch64-apple-darwin",
    "macOS x86_64 (14 or newer)": "x86_64-apple-darwin",
}
NO_WHEEL = re.compile(r"Because ([A-Za-z0-9_.-]+?)(?:\[.*?\])?[<>=!,\s].*?has no wheels", re.DOTALL)


def cell(python: str, platform: str, extras: list[str]) -> str:
    """What fits: the version of onnxruntime, or the package that has no wheel there."""
    line = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "-q", "pyproject.toml", "--no-header"]
    line += ["--no-annotate", "--only-binary", ":all:"]
    line += ["--python-version", python, "--python-platform", platform]
    for extra in extras:
        line += ["--extra", extra]
    done = subprocess.run(
        line, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    )
    if done.returncode:
        why = NO_WHEEL.search(done.stderr)
        return f"no wheel: {why[1]}" if why else "no: see the index"
    fits = re.search(r"^onnxruntime==(\S+)", done.stdout, re.MULTILINE)
    return f"yes ({fits[1]})" if fits else "yes"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", default=["pdf"])
    extras = parser.parse_args().extras
    print("| system | " + " | ".join(f"Python {p}" for p in PYTHONS) + " |")
    print("| --- |" + " --- |" * len(PYTHONS))
    for name, platform in SYSTEMS.items():
        print(f"| {name} | " + " | ".join(cell(p, platform, extras) for p in PYTHONS) + " |", flush=True)


if __name__ == "__main__":
    main()
