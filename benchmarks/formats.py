"""What is left of hidden things, format by format and place by place: the tables of ``docs/formats.md``.

    python benchmarks/formats.py [--folder FOLDER] [--write]

Every file is built (:mod:`medimg.selftest.hiding`), with one thing hidden in one place. ``left``
counts the places where the planted value is still found in the copy, what either reader of medimg finds in it, and the
groups that ExifTool (where installed) prints beyond structure. ``picture data`` compares coded bytes. ``same copy`` is
whether the copy equals, byte for byte, the copy of the file without the hidden thing. ``--folder`` adds tables of real
files; ``--write`` puts the sums by format into ``docs/formats.md``. The exit code is 1 when
something was missed or left.
"""

from __future__ import annotations

import argparse
import collections
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import msgspec  # noqa: E402
import numpy as np  # noqa: E402

from medimg import audit, formats  # noqa: E402
from medimg.errors import MedimgError  # noqa: E402
from medimg.pipeline import MemorySink, scrub  # noqa: E402
from medimg.policy import Policy  # noqa: E402
from medimg.selftest import hiding, hiding_tables  # noqa: E402
from medimg.types import Limits, Report  # noqa: E402

POLICY, LIMITS = Policy(scope="metadata-only"), Limits()
PAGE = ROOT / "docs" / "formats.md"
START, END = "<!-- tables start: benchmarks/formats.py -->", "<!-- tables end -->"
# Groups of ExifTool (-G1) that describe the container or the picture. IFD0 is judged tag by tag.
STRUCTURE = {
    "SourceFile", "ExifTool", "System", "File", "Composite", "JFIF", "Adobe", "PNG", "PNG-cICP", "RIFF", "GIF", "Meta",
    "QuickTime", "ICC_Profile", "ICC-header", "ICC-view", "ICC-meas",
}  # fmt: skip
LAYOUT = {
    "Orientation", "ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "PhotometricInterpretation",
    "FillOrder", "SamplesPerPixel", "RowsPerStrip", "StripOffsets", "StripByteCounts", "PlanarConfiguration",
    "Predictor", "ColorMap", "TileWidth", "TileLength", "TileOffsets", "TileByteCounts", "InkSet", "ExtraSamples",
    "SampleFormat", "JPEGTables", "YCbCrCoefficients", "YCbCrSubSampling", "YCbCrPositioning", "ReferenceBlackWhite",
    "SubfileType", "T4Options", "T6Options", "PreviewImage", "PreviewImageStart", "PreviewImageLength",
}  # fmt: skip
"""Layout fields of TIFF; ExifTool calls the strips of a JPEG-in-TIFF picture its preview."""
COMMON = 25
"""Reasons of refusals that so many files share are listed one by one."""
IDENTIFYING = 6
"""Values of so many characters are looked for in the copy."""


def cleaned(data: bytes) -> tuple[Report, bytes, str]:
    """One photo through the whole pipeline: report, copy, suffix."""
    sink = MemorySink()
    report = scrub(data, sink, [], POLICY)
    return report, sink.data, sink.suffix


def told(files: list[Path]) -> dict[str, dict[str, str]]:
    """What ExifTool reads, file by file; empty without it."""
    program = shutil.which("exiftool")
    if not program or not files:
        return {}
    command = [program, "-q", "-q", "-j", "-a", "-u", "-U", "-G1:4", "-ee", *map(str, files)]
    out = subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "replace")
    return {entry["SourceFile"]: entry for entry in msgspec.json.decode(out)}


def beyond_structure(tags: dict[str, str]) -> list[str]:
    """Tags that say more than what the picture is."""
    out = []
    for key in tags:
        group, name = key.split(":")[0], key.split(":")[-1]
        if group not in STRUCTURE and name not in {"IFD0": LAYOUT}.get(group, set()):
            out.append(key)
    return out


DECODED = ("gif", "bmp", "jp2")
"""Formats that become a PNG of their samples."""


def coded(data: bytes, name: str) -> bytes:
    """The coded picture of a plain file, by the shortest way there is for its format."""
    match name:
        case "jpeg":
            return data[data.index(b"\xff\xda") : data.rindex(b"\xff\xd9") + 2]
        case "png":
            return data[data.index(b"IDAT") + 4 : data.rindex(b"IEND") - 8]
        case "webp":
            at = data.index(b"VP8L") if b"VP8L" in data else data.index(b"VP8 ")
            return data[at : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")]
        case "heif":
            photo = formats.load("heif").open(data, LIMITS)
            tables = photo.tables  # type: ignore[attr-defined]
            return bytes(tables.payload(data, tables.items[tables.primary]).removeprefix(b"\x12\0"))
        case _:
            photo = formats.load("tiff").open(data, LIMITS)
            return b"".join(data[a : a + n] for a, n in photo.chunks)  # type: ignore[attr-defined]


def same_samples(one: bytes, two: bytes) -> bool:
    """Whether two files decode to the same samples."""
    first, second = formats.open_photo(one, LIMITS).samples(), formats.open_photo(two, LIMITS).samples()
    return first.dtype == second.dtype and np.array_equal(first, second)


def left_over(copy: bytes, tags: dict[str, str]) -> int:
    """How many signs of hidden things a copy still holds."""
    values = sum(copy.count(hiding.MARK.decode().encode(c)) for c in ("utf-8", "utf-16-le", "utf-16-be"))
    photo = formats.open_photo(copy, LIMITS)
    return values + len(photo.metadata()) + len(audit.walk(copy, photo.name)) + len(beyond_structure(tags))


def built() -> tuple[list[tuple[str, ...]], bool]:
    """The table of files made here, and whether every row is as it should be."""
    rows: list[tuple[str, ...]] = []
    good = True
    with tempfile.TemporaryDirectory() as folder:
        done = []
        for number, case in enumerate(hiding_tables.all_cases()):
            report, copy, suffix = cleaned(case.data)
            path = Path(folder) / f"{number}{suffix}"
            path.write_bytes(copy)
            done.append((case, report, copy, path))
        read = told([path for *_, path in done])
        for case, report, copy, path in done:
            found = ", ".join(sorted(report.counts("metadata", "hidden-image"))) or "-"
            if not copy:
                rows.append((case.format, case.place, found, "held or refused", "-", "-"))
                good = False
                continue
            left = left_over(copy, read.get(str(path), {}))
            name = formats.open_photo(case.plain, LIMITS).name
            identical = name not in DECODED and coded(case.plain, name) in copy
            samples = same_samples(case.data, copy)
            kept = "identical" if identical and samples else "samples equal" if samples else "CHANGED"
            twin = "yes" if cleaned(case.plain)[1] == copy else "no"
            rows.append((case.format, case.place, found, str(left) if left else "nothing", kept, twin))
            good &= found != "-" and not left and samples
    return rows, good


def by_format(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows of :func:`built`, one a format: places, what is left in all copies, what became of the picture data."""
    groups: dict[str, list[tuple[str, ...]]] = collections.defaultdict(list)
    for row in rows:
        groups[row[0].split(",")[0]].append(row)
    out = []
    for name, group in groups.items():
        left = sum(row[3] != "nothing" for row in group)
        kept = collections.Counter(row[4] for row in group)
        said = f"in {left} of {len(group)}" if left else "nothing"
        out.append((name, str(len(group)), said, ", ".join(f"{k}: {n}" for k, n in kept.items())))
    return out


def real(folder: Path) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], bool]:
    """Tables of a folder of real files: one row per format; one per reason of a refusal."""
    released: collections.Counter[str] = collections.Counter()
    found: dict[tuple[str, str], int] = collections.Counter()
    left: dict[str, int] = collections.Counter()
    exact: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    refused: collections.Counter[str] = collections.Counter()
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".md", ".json"))
    with tempfile.TemporaryDirectory() as scratch:
        copies: dict[Path, Path] = {}
        for number, path in enumerate(files):
            data = path.read_bytes()
            report, copy, suffix = cleaned(data)
            if not copy:
                refused[report.reason.split(". ")[0].rstrip(".")] += 1
                continue
            copies[path] = Path(scratch) / f"{number}{suffix}"
            copies[path].write_bytes(copy)
            released[report.format] += 1
            for category in report.counts("metadata", "hidden-image"):
                found[report.format, category] += 1
            try:
                equal = same_samples(data, copy)
            except MedimgError:
                exact[report.format]["not decoded here"] += 1
            else:
                way = (
                    "coded data identical" if report.copy and report.copy.method == "segment-copy" else "samples equal"
                )
                exact[report.format][way if equal else "CHANGED"] += 1
        before, after = told(list(copies)), told(list(copies.values()))
        for path, copied in copies.items():
            copy = copied.read_bytes()
            name = formats.open_photo(path.read_bytes(), LIMITS).name
            left[name] += left_over(copy, after.get(str(copied), {})) + values_left(before.get(str(path), {}), copy)
    kinds = collections.Counter(name for name, _ in found)
    rows = [
        (name, str(count), str(kinds[name]), "nothing" if not left[name] else f"{left[name]} signs",
         ", ".join(f"{k}: {n}" for k, n in sorted(exact[name].items())))
        for name, count in sorted(released.items())
    ]  # fmt: skip
    good = not any(left.values()) and not any(c["CHANGED"] for c in exact.values())
    common = [(reason, str(n)) for reason, n in refused.most_common() if n >= COMMON]
    rare = [n for n in refused.values() if n < COMMON]
    return rows, [*common, (f"{len(rare)} other reasons, fewer than {COMMON} files each", str(sum(rare)))], good


def values_left(tags: dict[str, str], copy: bytes) -> int:
    """Values of the original's tags beyond structure that stand in the copy."""
    hits = 0
    for key in beyond_structure(tags):
        for value in tags[key] if isinstance(tags[key], list) else [tags[key]]:
            text = str(value).strip()
            if len(text) >= IDENTIFYING and not text.startswith("(Binary data") and key.split(":")[-1] not in LAYOUT:
                hits += any(text.encode(c, "ignore") in copy for c in ("utf-8", "utf-16-le", "utf-16-be"))
    return hits


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Rows in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, help="real files to add a table of")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/formats.md")
    options = parser.parse_args()
    rows, good = built()
    exiftool = "ExifTool read every copy too." if shutil.which("exiftool") else "ExifTool was not installed."
    parts = [
        f"Made by `python benchmarks/formats.py{' --folder FOLDER' if options.folder else ''} --write`,"
        f" {platform.system()} {platform.machine()}, Python {platform.python_version()}. {exiftool}",
        f"### Files built by the command ({len(rows)})",
        table(("format", "places", "left in the copies", "picture data"), by_format(rows)),
    ]
    if options.folder:
        found, refused, well = real(options.folder)
        good &= well
        head = ("format", "copies", "kinds found", "left in the copies", "picture data")
        parts += ["### Real files", table(head, found)]
        parts += [table(("refused because", "files"), refused)]
    text = "\n\n".join(parts)
    print(text, end="\n\n")
    print(table(("format", "hidden in", "found as", "left", "picture data", "same copy as without it"), rows))
    if options.write:
        page = PAGE.read_text("utf-8")
        before, after = page.split(START)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{START}\n{text}\n{END}{after}", "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
