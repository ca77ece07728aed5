"""Clean photos onto a disk that is full, make room, and go on. On Linux, as root; the program may be one under Wine.

python disk_full.py PLACE OUT PHOTOS UNBROKEN COMMAND...

PLACE is an empty folder, onto which small file systems in memory are mounted, OUT the same place as COMMAND names it;
UNBROKEN is the output folder of a run of the same photos that nothing disturbed. Prints a line for each size of disk:
what was said and with which exit code; ends with 1 and a sentence when something is half written or lost.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compare import photos

SIZES = ("16k", "1500k", "3m")
ROOM = "100m"


@contextmanager
def disk(place: Path, size: str) -> Iterator[None]:
    """A small file system."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def clean(command: list[str], given: list[str]) -> tuple[int, str]:
    """Exit code and last sentence."""
    done = subprocess.run([*command, "clean", *given], capture_output=True, text=True, timeout=600, check=False)
    said = [line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith(("Run ", "it "))]
    return done.returncode, said[-1] if said else ""


def digest(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tried(place: Path, out: str, folder: Path, unbroken: Path, command: list[str]) -> str:
    """Fill the disk that is mounted at ``place``, make room, go on; gives what was said."""
    given = [str(folder), "-o", f"{out}/out", "--keep-key", "--workers", "1", "--metadata-only"]
    code, said = clean(command, given)
    whole = {copy for _, _, copy in photos(unbroken).values() if copy}
    written = [p for p in place.glob("out/medimg-*/unreviewed/*") if p.is_file()]
    half = [p.name for p in written if digest(p) not in whole]
    if half or list(place.rglob("*.part")):
        sys.exit(f"half written: {half or 'a temporary file is left'}")
    subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(place)], check=True)
    if code not in (10, 11):
        again, _ = clean(command, [*given, "--resume"])
        if again not in (10, 11):
            sys.exit(f"it does not go on: {again}")
    if photos(place / "out") != photos(unbroken):
        sys.exit("what came of it in the end is not what a run without trouble gives")
    return f"code {code}, {len(written)} copies: {said}"


def main() -> None:
    """Every size."""
    place, out, folder, unbroken = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    before = {p: digest(p) for p in folder.rglob("*") if p.is_file()}
    for size in SIZES:
        with disk(place, size):
            print(f"{size}: {tried(place, out, folder, unbroken, sys.argv[5:])}", flush=True)
    if {p: digest(p) for p in folder.rglob("*") if p.is_file()} != before:
        sys.exit("an original was touched")


if __name__ == "__main__":
    main()
