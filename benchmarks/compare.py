"""medimg beside other tools, on the same drawn pictures: the tables of docs/comparison.md.

Run from the project's root::

    python -m benchmarks.compare                                 # everything; the environments go to build/compare
    python -m benchmarks.compare --scenes 2 --tools medimg,deface
    python -m benchmarks.compare --photos FOLDER --sets photographs
    python -m benchmarks.compare --sheet build/compare/sheets    # contact sheets of what each tool handed out

Copies and times are kept below ``--envs`` and used again; ``--fresh`` throws them away. The scenes are those of
``benchmarks/scenes.py`` from seed 10200 on, never used for tuning; drawn labels, codes, heads and hiding places are
those of ``medimg selftest``. Everything is judged by :mod:`benchmarks._judging`, nothing by what a tool says.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import _judging as judging
from benchmarks import _peers as peers
from benchmarks import scenes
from benchmarks.text import with_room
from fixtures.make import FACE_IN_PHOTO, face_photo
from medimg.detect.text import ocr, tesseract
from medimg.detect.text.known import skeleton
from medimg.errors import CheckNotRun
from medimg.native.opencv import cv2
from medimg.redact.cover import mask
from medimg.selftest import hiding, hiding_tables, pictures
from medimg.types import Polygon

FIRST = 10_200
IDENTIFYING = ("text", "code", "face")
ROOM = 97
"""Pixels: covers may reach 48 beyond what identifies (a label, hair, a margin) before they count as too much."""
ATTACKED = 4
"""Texts a scene that both engines try to read again."""
SUFFIX = {"HEIF": ".avif", "JPEG 2000": ".jp2", "JPEG 2000, codestream": ".j2k"}


class Thing(NamedTuple):
    """Something in a picture: what it is (text, code, face, harmless, keep), its sort, its text, where, how high."""

    kind: str
    sort: str
    text: str
    polygon: Polygon
    height: float
    over: tuple[Polygon, ...] = ()


class Photo(NamedTuple):
    """A picture as a file, and what is in it."""

    name: str
    data: bytes
    things: tuple[Thing, ...] = ()
    plain: bytes = b""


# -- pictures ---------------------------------------------------------------------------------------------------------


def ward_scenes(count: int, megapixels: float) -> Iterator[Photo]:
    for seed in range(FIRST, FIRST + count):
        made = scenes.scene(seed, megapixels)
        names = tuple(with_room(i) for i in made.items if i.identifying)
        things = []
        for index, item in enumerate(made.items):
            over = tuple(made.on_top(index))
            if item.kind in ("ruler", "colour-card"):
                things.append(Thing("keep", item.kind, "", item.polygon, item.height, over + names))
            elif item.tier != "lost" and item.kind in ("text", "code"):
                kind = item.kind if item.identifying else "harmless"
                sort = item.tier if kind != "harmless" else item.cls
                high = item.height if item.kind == "text" else item.height * 4
                things.append(Thing(kind, sort, item.text, item.polygon, high, over))
        yield Photo(f"scene-{seed}.jpg", hiding.saved(Image.fromarray(made.rgb), "JPEG", quality=92), tuple(things))


def _inset(polygon: Polygon, margin: float) -> Polygon:
    """The print on a strip of paper, without the paper's margin."""
    p = np.asarray(polygon)
    across, down = ((v / np.hypot(*v)) * margin for v in (p[1] - p[0], p[3] - p[0]))
    inner = (p[0] + across + down, p[1] - across + down, p[2] - across - down, p[3] + across - down)
    return tuple((float(x), float(y)) for x, y in inner)


def drawn() -> Iterator[Photo]:
    """Labels, codes, wounds and rulers of the self-test, a few of each."""
    for case in (*pictures.texts((18, 44), (0, 30)), *pictures.codes((4,)), *pictures.wounds(2)):
        things = []
        for mark in case.marks:
            kind = "keep" if mark.kind == "keep" else mark.kind
            sort = mark.sorts.get("letters") or mark.sorts.get("code") or mark.sorts["thing"]
            high = float(mark.sorts["letters"].split()[0]) if mark.kind == "text" else 16.0
            where = _inset(mark.polygon, max(4, high // 3)) if mark.kind == "text" else mark.polygon
            things.append(Thing(kind, sort, "", where, high))
        yield Photo(case.name, case.data, tuple(things))


def heads() -> Iterator[Photo]:
    """Drawn heads of the self-test and, where matplotlib is installed, a portrait in the public domain."""
    for case in list(pictures.faces((0, 90))):
        marks = [m for m in case.marks if m.sorts["skin"] in ("I", "VI")]
        if marks:
            things = [
                Thing("face", f"drawn, {m.sorts['mask']}", "", m.polygon, float(m.sorts["head"].split()[0]))
                for m in marks
            ]
            yield Photo(case.name, case.data, tuple(things))
    photo = face_photo()
    for size in (727, 180) if photo else ():
        assert photo is not None
        ground = Image.fromarray(pictures.ground(7))
        share = size / photo.height
        ground.paste(photo.resize((round(photo.width * share), size)), (300, 150))
        where = tuple((300 + x * share, 150 + y * share) for x, y in FACE_IN_PHOTO)
        thing = Thing("face", "portrait", "", where, 270 * share)
        yield Photo(f"portrait-{size}.jpg", hiding.saved(ground, "JPEG", quality=92), (thing,))


def photographs(folder: Path) -> Iterator[Photo]:
    """Photographs of the reader's own, with a ``labels.csv`` as ``medimg selftest --own`` takes it."""
    labels: dict[str, list[Thing]] = defaultdict(list)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            things = labels[row["file"]]
            if row["must"]:
                x0, y0, x1, y1 = (float(row[k]) for k in ("x0", "y0", "x1", "y1"))
                kind = "keep" if row["must"] == "stay" else row["kind"] or "text"
                where = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
                things.append(Thing(kind, "photograph", "", where, y1 - y0))
    for name, things in labels.items():
        yield Photo(name, (folder / name).read_bytes(), tuple(things))


def hidden() -> Iterator[Photo]:
    """One mark in one place of a container each; places whose content is no text that can be searched are left out."""
    for number, case in enumerate(hiding_tables.all_cases()):
        if judging.holds(case.data, hiding.MARK):
            kind = SUFFIX.get(case.format) or "." + case.format.split(",")[0].split()[0].lower().replace("jpeg", "jpg")
            family = case.format.split(",")[0]
            yield Photo(f"hidden-{number:03}{kind}", case.data, (Thing("hidden", family, "", (), 0),), case.plain)


# -- judging ----------------------------------------------------------------------------------------------------------


def again(copy: np.ndarray, thing: Thing, reader: tesseract.Reader) -> bool:  # type: ignore[type-arg]
    """Whether PP-OCR or Tesseract still reads half of a text's letters; the place is given away to them."""
    points = np.asarray(thing.polygon, np.float32)
    cut = ocr.crop(copy, points.mean(axis=0) + (points - points.mean(axis=0)) * 1.1)
    if cut.size == 0:
        return False
    said = [r.text for r in ocr.models().read([cut, np.ascontiguousarray(cut[::-1, ::-1])]) if r.score > 0.3]
    line = Image.fromarray(cut).convert("L")
    line = line.resize((max(1, line.width * 48 // line.height), 48))
    with suppress(CheckNotRun):  # its test words were not read: PP-OCR's answer counts alone
        said.append(" ".join(w.text for w in reader.read(np.pad(np.asarray(line, np.uint8), 16, mode="edge"))))
    wanted = skeleton(thing.text)
    for text in said:
        blocks = SequenceMatcher(None, wanted, skeleton(text), autojunk=False).get_matching_blocks()
        if wanted and sum(b.size for b in blocks if b.size > 1) >= len(wanted) / 2:
            return True
    return False


class Counts:
    """Right and all, by row."""

    def __init__(self) -> None:
        self.rows: dict[str, list[float]] = defaultdict(list)

    def add(self, row: str, value: float) -> None:
        self.rows[row].append(value)

    def cell(self, row: str) -> str:
        values = self.rows.get(row)
        return f"{sum(values):.0f} of {len(values)}" if values else "-"

    def mean(self, row: str) -> str:
        values = self.rows.get(row)
        return f"{100 * sum(values) / len(values):.1f} %" if values else "-"


def judge(tool: peers.Tool, sets: dict[str, list[Photo]], envs: Path, reader: tesseract.Reader) -> Counts:
    """Every copy that the tool handed out, against its original."""
    out = Counts()
    for name in (n for n in sets if n in tool.sets):
        copies = {p.stem: p for p in (envs / "copies" / tool.name / name).iterdir()}
        for photo in sets[name]:
            path = copies.get(Path(photo.name).stem)
            out.add(f"{name}: handed out", path is not None)
            if path is None:
                continue
            if name == "hidden":
                _judge_hidden(out, photo, path.read_bytes())
            else:
                _judge_seen(out, name, photo, judging.opened(path.read_bytes()), reader)
    return out


def _judge_hidden(out: Counts, photo: Photo, copy: bytes) -> None:
    left = judging.holds(copy, hiding.MARK)
    out.add(f"hidden: {photo.things[0].sort}", left)
    out.add("hidden: all", left)
    try:
        out.add("hidden: same pixels", bool(np.array_equal(judging.opened(photo.plain), judging.opened(copy))))
    except OSError:
        out.add("hidden: same pixels", False)


def _judge_seen(out: Counts, name: str, photo: Photo, copy: judging.Pixels, reader: tesseract.Reader) -> None:
    original = judging.opened(photo.data)
    height, width = original.shape[:2]
    changed = judging.changed_outside(original, copy)
    if changed is not None:
        out.add(f"{name}: changed outside", changed)
    attacked, leaks = 0, 0
    names = [t for t in photo.things if t.kind in IDENTIFYING]
    wanted = cv2.dilate(mask([t.polygon for t in names], width, height).astype(np.uint8), np.ones((ROOM,) * 2)) > 0
    lost = judging.over_cover(original, copy, wanted)
    if lost is not None:
        out.add(f"{name}: over-cover", lost)
    for thing in photo.things:
        over = mask(thing.over, width, height) if thing.over else None
        if thing.kind == "keep":
            inside = mask([thing.polygon], width, height)
            inside = inside & ~over if over is not None else inside
            out.add(f"{name}: {thing.sort} touched", judging.touched(original, copy, inside))
            continue
        polygon = judging.round_face(thing.polygon) if thing.kind == "face" else thing.polygon
        share = judging.share_gone(original, copy, polygon, thing.height / (5 if thing.kind == "face" else 1), over)
        if share is None:
            continue
        if thing.kind == "harmless":
            out.add(f"{name}: harmless lost", share >= judging.LOST)
            continue
        leaks += share < judging.GONE
        for row in ("all", thing.sort):
            out.add(f"{name}: {thing.kind} {row}", share >= judging.GONE)
        if thing.kind == "text" and thing.text and attacked < ATTACKED:
            attacked += 1
            out.add(f"{name}: still read", again(copy, thing, reader))
    if names:
        out.add(f"{name}: nothing left", not leaks)


# -- tables -----------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """Everything that the tables are made of; ``times`` are processor seconds a picture by tool and set."""

    tools: list[peers.Tool]
    told: dict[str, Counts]
    times: dict[tuple[str, str], float]
    missing: dict[str, str]


TABLES: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "scenes": ("Text and codes in drawn ward scenes", (
        ("handed out", "scenes: handed out", "cell"), ("text covered", "scenes: text all", "cell"),
        ("easy", "scenes: text easy", "cell"), ("medium", "scenes: text medium", "cell"),
        ("hard", "scenes: text hard", "cell"), ("still read", "scenes: still read", "cell"),
        ("codes covered", "scenes: code all", "cell"), ("harmless text lost", "scenes: harmless lost", "cell"),
        ("rulers touched", "scenes: ruler touched", "cell"),
        ("colour cards touched", "scenes: colour-card touched", "cell"),
        ("nothing left", "scenes: nothing left", "cell"), ("over-cover", "scenes: over-cover", "mean"),
        ("pixels changed elsewhere", "scenes: changed outside", "mean"), ("processor s a photo", "scenes", "time"))),
    "drawn": ("Labels, codes, wounds and rulers of the self-test", (
        ("handed out", "drawn: handed out", "cell"), ("text, 18 px", "drawn: text 18 px", "cell"),
        ("text, 44 px", "drawn: text 44 px", "cell"), ("codes", "drawn: code all", "cell"),
        ("wounds touched", "drawn: wound touched", "cell"), ("rulers touched", "drawn: ruler touched", "cell"),
        ("nothing left", "drawn: nothing left", "cell"), ("over-cover", "drawn: over-cover", "mean"),
        ("pixels changed elsewhere", "drawn: changed outside", "mean"), ("processor s a photo", "drawn", "time"))),
    "faces": ("Faces", (
        ("handed out", "faces: handed out", "cell"), ("drawn, bare", "faces: face drawn, bare", "cell"),
        ("drawn, masked", "faces: face drawn, masked", "cell"), ("portrait", "faces: face portrait", "cell"),
        ("nothing left", "faces: nothing left", "cell"), ("over-cover", "faces: over-cover", "mean"),
        ("pixels changed elsewhere", "faces: changed outside", "mean"), ("processor s a photo", "faces", "time"))),
    "photographs": ("Photographs", (
        ("handed out", "photographs: handed out", "cell"), ("faces", "photographs: face all", "cell"),
        ("text", "photographs: text all", "cell"), ("nothing left", "photographs: nothing left", "cell"),
        ("over-cover", "photographs: over-cover", "mean"),
        ("pixels changed elsewhere", "photographs: changed outside", "mean"),
        ("processor s a photo", "photographs", "time"))),
    "hidden": ("Marks left in files", (
        ("copies", "hidden: handed out", "cell"), ("still there, all", "hidden: all", "cell"),
        *((f, f"hidden: {f}", "cell") for f in ("JPEG", "PNG", "HEIF", "TIFF", "WebP", "GIF", "BMP", "JPEG 2000")),
        ("pixels exactly kept", "hidden: same pixels", "cell"), ("processor s a file", "hidden", "time"))),
}  # fmt: skip


def table(name: str, outcome: Outcome) -> None:
    """A table of one set of pictures, in Markdown."""
    title, columns = TABLES[name]
    print(f"\n## {title}\n\n| tool | {' | '.join(c[0] for c in columns)} |")
    print("| --- |" + " ---: |" * len(columns))
    for tool in (t for t in outcome.tools if name in t.sets):
        if tool.name in outcome.missing:
            print(f"| {tool.name} | could not be run here: {outcome.missing[tool.name]} |{' |' * (len(columns) - 1)}")
            continue
        counts, used = outcome.told[tool.name], outcome.times[tool.name, name]
        cells = [f"{used:.3f}" if how == "time" else getattr(counts, how)(row) for _, row, how in columns]
        print(f"| {tool.name} | {' | '.join(cells)} |")


def sheets(folder: Path, tool: peers.Tool, sets: dict[str, list[Photo]], envs: Path) -> None:
    """The first copies of each set with the ground truth outlined, to be looked at."""
    colours = {"text": "red", "code": "magenta", "face": "orange", "harmless": "lime", "keep": "cyan"}
    folder.mkdir(parents=True, exist_ok=True)
    seen = [(n, p) for n in sets if n in tool.sets and n != "hidden" for p in sets[n][:3]]
    for name, photo in seen:
        for copy in (envs / "copies" / tool.name / name).glob(f"{Path(photo.name).stem}.*"):
            picture = Image.fromarray(judging.opened(copy.read_bytes()))
            draw = ImageDraw.Draw(picture)
            for thing in photo.things:
                polygon = judging.round_face(thing.polygon) if thing.kind == "face" else thing.polygon
                draw.polygon(polygon, outline=colours[thing.kind], width=max(2, picture.width // 600))
            picture.thumbnail((1400, 1400))
            picture.save(folder / f"{copy.stem}-{tool.name.replace(' ', '-')}.png")


def made(tool: peers.Tool, name: str, photos: list[Photo], envs: Path) -> float:
    """Run a tool on a set unless its copies are there; processor seconds a picture."""
    copies = envs / "copies" / tool.name / name
    note = envs / "copies" / tool.name / f"{name}.json"
    wanted = sorted(p.name for p in photos)
    known = json.loads(note.read_text()) if note.is_file() else {}
    if known.get("pictures") != wanted:
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(parents=True)
        used = peers.seconds_of(lambda: tool.call(envs, envs / "pictures" / name, copies))
        known = {"pictures": wanted, "seconds": used / len(photos)}
        note.write_text(json.dumps(known))
    return float(known["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", type=Path, default=Path("build/compare"))
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=3)
    parser.add_argument("--tools", default="", help="names, separated by commas")
    parser.add_argument("--sets", default=",".join(peers.EVERY))
    parser.add_argument("--photos", type=Path, help="photographs with labels.csv, for the set photographs")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    envs = given.envs.absolute()
    if given.fresh:
        shutil.rmtree(envs / "copies", ignore_errors=True)
    tools = [t for t in peers.TOOLS if not given.tools or t.name in given.tools.split(",")]
    makers = {"scenes": lambda: ward_scenes(given.scenes, given.megapixels), "drawn": drawn, "faces": heads,
              "hidden": hidden}  # fmt: skip
    if given.photos:
        makers["photographs"] = lambda: photographs(given.photos)
    sets = {name: list(makers[name]()) for name in given.sets.split(",") if name in makers}
    for name, photos in sets.items():
        shutil.rmtree(envs / "pictures" / name, ignore_errors=True)
        (envs / "pictures" / name).mkdir(parents=True)
        for photo in photos:
            (envs / "pictures" / name / photo.name).write_bytes(photo.data)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"load average {os.getloadavg()[0]:.0f}", flush=True)  # fmt: skip
    outcome = Outcome(tools, {}, {}, {})
    for tool in tools:
        try:
            print(f"{tool.name} {tool.version(envs)}: {tool.meant}; {tool.settings}", flush=True)
            for name in (n for n in sets if n in tool.sets):
                outcome.times[tool.name, name] = made(tool, name, sets[name], envs)
        except peers.NotHere as why:
            outcome.missing[tool.name] = str(why)
    reader = tesseract.Reader()
    for tool in (t for t in tools if t.name not in outcome.missing):
        outcome.told[tool.name] = judge(tool, sets, envs, reader)
        if given.sheet:
            sheets(given.sheet, tool, sets, envs)
    for name in sets:
        table(name, outcome)


if __name__ == "__main__":
    main()
