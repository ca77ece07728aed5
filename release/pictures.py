"""Draw the pictures of the documentation: the rooms as the layers in pyproject.toml, one photo's way, where data lie.

    python release/pictures.py docs/img
    python release/pictures.py docs/img --film build/screens

With ``--film`` also the README's film of the window, from what ``benchmarks/desktop_screens.py --only 100-light`` drew
of a real run.
"""

from __future__ import annotations

import argparse
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, GAP = 720, 30, 8
ROOMS = {
    "cli": "one file a command",
    "desktop": "the window",
    "cluster": "several computers",
    "serve": "HTTP",
    "fhir": "bundles",
    "engine": "worker processes",
    "acts": "what a person is asked, and answers",
    "report": "sheets",
    "run": "the run folder",
    "consent": "questions",
    "dicom": "copies as DICOM photographs",
    "api": "the library's public names",
    "source": "what a caller hands over, as a file",
    "pipeline": "the one way through",
    "frames": "several pictures in one file",
    "still": "one picture on its way",
    "verify": "the judge of the written copy",
    "formats": "read, write",
    "detect": "what is where",
    "audit": "second reader",
    "redact": "fill covers",
    "decide": "the only decider",
    "policy": "the settings",
    "covers": "what is filled",
    "native": "OpenCV, onnxruntime, C",
    "system": "the operating system",
    "faults": "a fault, without its words",
    "plain": "safe to print",
    "strict": "what others wrote, read strictly",
    "types": "the records",
    "vocabulary": "the fixed words",
    "errors": "the error tree",
    "words": "what people read, in their language",
}
WAY = [
    ("open", "formats", "strict parse; what the file says"),
    ("find", "detect", "text, codes, faces; what they lie on"),
    ("decide", "decide", "cover, drop, keep, ask or hold"),
    ("write", "formats, redact", "covers filled, structure rebuilt, staged on disk"),
    ("check", "verify, audit", "opened again: two readers, pixels, every detector"),
    ("name", "engine", "only now the copy has a name, in unreviewed/"),
    ("answer", "acts, consent", "a person looks, and answers"),
    ("release", "run", "moved to share/; written in the register"),
]
FLOW = [
    ("your photos", "read, never written", "originals: the hospital's own store"),
    ("a worker process", "memory; private scratch", "bytes, what was read: gone with the photo"),
    ("run folder, unreviewed/", "this computer, owner alone", "covered copies that passed; no name"),
    ("run folder, PRIVATE...", "this computer, owner alone", "answers, reports, decisions; key.csv if asked for"),
    ("register", "this computer, owner alone", "to whom, when, caption, role; hashes"),
    ("share/", "after a person's release", "released copies and nothing else"),
    ("out", "only where you told it to", "attach, upload, fhir --send, --send-to"),
]
"""Where data are on their way: the place, who reaches it, what is there."""
HELD = (1, 5)
"""The first and the last of these stages that can end with a held photo: their boxes."""


def layers() -> list[list[str]]:
    """The rooms of every layer, from the top: what may import is above what is imported."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (rows,) = [c["layers"] for c in contracts if c["type"] == "layers"]
    return [[room.strip().removeprefix("medimg.") for room in row.replace(":", "|").split("|")] for row in rows]


def rooms() -> str:
    """One row a layer; a room imports only from the rows below its own."""
    boxes = []
    for row, names in enumerate(layers()):
        wide = (WIDTH - GAP * (len(names) - 1)) / len(names)
        for column, name in enumerate(names):
            left, top = column * (wide + GAP), row * (HEIGHT + GAP)
            boxes.append(_box(left, top, wide, name, ROOMS[name]))
    return _page("The rooms: each imports only from the rows below it", len(layers()) * (HEIGHT + GAP), boxes)


def way() -> str:
    """One photo from the top to the bottom, and where it can be held."""
    boxes, step = [], HEIGHT + 20
    for row, (name, where, what) in enumerate(WAY):
        boxes.append(_box(0, row * step, WIDTH - 140, f"{name} ({where})", what))
        if row:
            boxes.append(_line(60, row * step - 20, 60, row * step))
    first, last = (n * step for n in HELD)
    middle = (first + last - step + HEIGHT) / 2
    boxes += [_line(WIDTH - 140, n * step + HEIGHT / 2, WIDTH - 90, middle) for n in range(*HELD)]
    boxes.append(_box(WIDTH - 90, middle - HEIGHT / 2, 90, "hold/", ""))
    return _page("One photo's way, from the top to the bottom", len(WAY) * step, boxes)


def flow() -> str:
    """Where data lie, from the photos to what leaves the computer."""
    boxes, step = [], HEIGHT + 20
    for row, (place, who, what) in enumerate(FLOW):
        boxes.append(_box(0, row * step, 190, place, ""))
        boxes += [_words(205, row * step, who), _words(400, row * step, what)]
        if row:
            boxes.append(_line(60, row * step - 20, 60, row * step))
    return _page("Where data lie, from the photos to what leaves the computer", len(FLOW) * step, boxes)


def _words(left: float, top: float, words: str) -> str:
    return f'<text x="{left:.0f}" y="{top + 20:.0f}">{escape(words)}</text>'


def _box(left: float, top: float, wide: float, name: str, what: str) -> str:
    words = f'<tspan font-weight="bold">{escape(name)}</tspan> {escape(what)}'
    return (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{wide:.0f}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{left + 8:.0f}" y="{top + 20:.0f}">{words}</text>'
    )


def _line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<path d="M{x0:.0f} {y0:.0f}L{x1:.0f} {y1:.0f}" stroke="#00695c" marker-end="url(#tip)"/>'


def _page(title: str, height: float, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {WIDTH + 8} {height + 8:.0f}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        "<style>rect{fill:#e0f2f1;stroke:#00695c}text{font:13px sans-serif;fill:#102420}</style>\n"
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#00695c"/></marker></defs>\n' + "\n".join(parts) + "\n</svg>\n"
    )


SCENES = (
    ("start", 3.0, "1. Drop the photos; say for whom and in which country"),
    ("progress", 1.5, "2. Every photo is looked at, covered, and its copy checked again"),
    ("overview", 2.0, "3. The copies wait for you"),
    ("look", 3.0, "4. Open each one at full size: here a portrait and a badge are covered"),
    ("look-under", 1.5, "   V shows what is under the covers"),
    ("acts", 3.0, "5. Answer what only you can know, one screen each"),
    ("release", 2.5, "6. Look at it once more, and release"),
    ("finish", 3.5, "7. Attach the share folder; file the record"),
)
"""Page of the window, seconds, what is said below it: twenty seconds together."""
FILM = (880, 576, 30)
"""Width and height of the window in the film, and of the line below, in pixels."""


def film(screens: Path, target: Path) -> None:
    """The way through the window as one GIF that any browser plays."""
    from PIL import Image, ImageDraw, ImageFont

    width, height, line = FILM
    frames = []
    for page, _, words in SCENES:
        frame = Image.new("RGB", (width, height + line), "#00695c")
        with Image.open(screens / f"{page}-100-light.png") as shown:
            frame.paste(shown.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (0, 0))
        ImageDraw.Draw(frame).text((12, height + 5), words, "white", ImageFont.load_default(17))
        # Octree keeps the few strong colours of small photos, which median cut gives to the large grey areas.
        frames.append(frame.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
    durations = [round(seconds * 1000) for _, seconds, _ in SCENES]
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)


PICTURES = {"rooms.svg": rooms, "one-photo.svg": way, "data-flow.svg": flow}


def main() -> None:
    """Write the pictures, and the film where there is something to make it of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--film", type=Path, metavar="SCREENS")
    given = parser.parse_args()
    for name, draw in PICTURES.items():
        (given.folder / name).write_text(draw(), "utf-8")
    if given.film:
        film(given.film, given.folder / "way.gif")


if __name__ == "__main__":
    main()
