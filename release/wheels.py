"""Make the wheels of every platform and the source archive on this computer, and look into each of them.

    python release/wheels.py [--out build/wheels] [--only win_amd64 ...]

For a Python that has ``build``, ``hatchling``, ``pip`` and ``ziglang`` (``make wheels`` sees to that). A wheel holds
the three C files compiled for its platform, by Zig's compiler, and the network weights. What is checked here: the tag
in the wheel's name and inside, that each library is of that platform and processor, exports its function and asks for
no newer glibc than the tag says, that no library of another platform came along, and the digests of the weights. The
wheel of this computer is then installed and used by ``release/check_wheel.py``; that of Windows under Wine by
``make test-windows``; the others are built and have never run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medimg._build.kernel import SOURCES, TARGETS  # noqa: E402

ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}
"""``e_machine`` (System V ABI)."""
MACHO_MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
"""``cputype`` (mach/machine.h)."""
PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}
"""``Machine`` (Microsoft, PE Format)."""
SYMBOLS = {
    "_splice": b"medimg_scan",
    "_tails": b"medimg_vp8_bare",
    "_scan": b"medimg_audit_vp8",
    "_area": b"medimg_shrink",
}
BARRED = re.compile(r"\.(pdb|lib|part)$|__pycache__|^tests/|^benchmarks/")


def machine(library: bytes) -> tuple[str, str]:
    """System and processor of a shared library, by its header.

    Raises:
        ValueError: It is of no kind that is known here.
    """
    if library[:4] == b"\x7fELF":
        return "linux", ELF_MACHINES[struct.unpack_from("<H", library, 18)[0]]
    if library[:4] == b"\xcf\xfa\xed\xfe":
        return "macos", MACHO_MACHINES[struct.unpack_from("<I", library, 4)[0]]
    if library[:2] == b"MZ":
        at = struct.unpack_from("<I", library, 0x3C)[0]
        if library[at : at + 4] == b"PE\0\0":
            return "windows", PE_MACHINES[struct.unpack_from("<H", library, at + 4)[0]]
    raise ValueError("no shared library of a known kind")


def newest_glibc(library: bytes) -> tuple[int, int]:
    """The newest version of glibc whose names a Linux library asks for; (0, 0) for none."""
    asked = re.findall(rb"GLIBC_(\d+)\.(\d+)", library)
    return max(((int(a), int(b)) for a, b in asked), default=(0, 0))


def build(kind: str, out: Path, platform: str = "", source: Path = ROOT) -> Path:
    """Run the build; gives the one file it made."""
    with tempfile.TemporaryDirectory(dir=out) as fresh:
        done = subprocess.run(
            [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", fresh, str(source)],
            env={**os.environ, "MEDIMG_TARGET": platform},
            capture_output=True,
            text=True,
        )
        made = [p for p in Path(fresh).iterdir() if p.suffix in (".whl", ".gz")]
        if done.returncode or len(made) != 1:
            sys.exit(f"the {kind} {platform} was not built:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return made[0].replace(out / made[0].name)


def faults(wheel: Path, platform: str) -> list[str]:
    """What is not as it should be with a wheel for a platform; nothing when all is."""
    triple, suffix = TARGETS[platform]
    processor, system = triple.split("-")[0], triple.split("-")[1].partition(".")[0]
    found = []
    if not wheel.name.endswith(f"-py3-none-{platform}.whl"):
        found.append("the tag in its name is another one")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = (n for n in names if n.endswith(".dist-info/WHEEL"))
        lines = archive.read(about).decode().splitlines()
        if f"Tag: py3-none-{platform}" not in lines or "Root-Is-Purelib: false" not in lines:
            found.append("the tag inside is another one")
        wanted = {s.with_suffix(suffix).as_posix() for s in SOURCES}
        there = {n for n in names if n.endswith((".so", ".dll", ".dylib"))}
        if there != wanted:
            found.append(f"its libraries are {sorted(there)}")
        for name in sorted(there & wanted):
            found += [f"{name}: {f}" for f in library_faults(archive.read(name), Path(name).stem, system, processor)]
        found += [f"{n} does not belong in it" for n in names if BARRED.search(n)]
        models = tomllib.loads(archive.read("medimg/models/models.toml").decode())
        for model in models.values():
            name = f"medimg/models/{model['file']}"
            if name not in names or hashlib.sha256(archive.read(name)).hexdigest() != model["sha256"]:
                found.append(f"{name} is missing or another one")
    return found


def library_faults(data: bytes, stem: str, system: str, processor: str) -> list[str]:
    """What is not as it should be with one library."""
    found = []
    if machine(data) != (system, processor):
        found.append(f"it is for {'/'.join(machine(data))}")
    if SYMBOLS[stem] not in data:
        found.append("it does not export its function")
    if system == "linux" and newest_glibc(data) > (2, 17):
        found.append("it needs a newer glibc than its tag says")
    if b"/home/" in data or bytes(ROOT) in data:
        found.append("it holds a path of the computer that built it")
    return found


def offline_fault(archive: Path) -> str:
    """Why the source archive does not build without a network when the weights are given; empty when it does."""
    models = tomllib.loads((ROOT / "medimg" / "models" / "models.toml").read_text("utf-8"))
    fetched = (model["file"] for model in models.values() if "requirement" in model)  # the others come along
    weights = [ROOT / "medimg" / "models" / name for name in fetched]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run(["tar", "-xzf", str(archive), "-C", folder], check=True)
        (source,) = place.iterdir()
        for weight in weights:
            (source / "medimg" / "models" / weight.name).write_bytes(weight.read_bytes())
        line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(source)]
        # A network namespace of its own has no interface that is up; where it is not permitted, a proxy that is none.
        alone = subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0
        dead = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        done = subprocess.run(
            [*(["unshare", "-rn"] if alone else []), *line],
            env={**os.environ, **dead, "PIP_NO_INDEX": "1"},
            capture_output=True,
            text=True,
        )
        made = list(place.glob("*.whl"))
        if done.returncode or len(made) != 1:
            return f"{done.stdout[-800:]}{done.stderr[-800:]}"
    print(f"  built from it without a network ({'in a namespace of its own' if alone else 'by settings'})")
    return ""


def main() -> None:
    """Make and check them, and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "wheels")
    parser.add_argument("--only", nargs="*", choices=sorted(TARGETS), default=list(TARGETS))
    parser.add_argument("--no-sdist", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    bad = 0
    for platform in given.only:
        wheel = build("wheel", given.out, platform)
        wrong = faults(wheel, platform)
        bad += len(wrong)
        print(f"{wheel.name}  {wheel.stat().st_size / 1e6:.2f} MB  {'; '.join(wrong) or 'as it should be'}", flush=True)
    if not given.no_sdist:
        archive = build("sdist", given.out)
        print(f"{archive.name}  {archive.stat().st_size / 1e6:.2f} MB", flush=True)
        wrong_with = offline_fault(archive)
        bad += bool(wrong_with)
        print(wrong_with)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
