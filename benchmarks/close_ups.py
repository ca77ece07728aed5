"""One thing in a picture: cheap enough to draw hundreds of a kind that whole scenes hold too few of.

Run from the project's root; tuning seeds begin at 0, check seeds at 10,000::

    python -m benchmarks.close_ups rulers 40 --skip 10000     # rulers and colour cards hit, names on them covered
    python -m benchmarks.close_ups oddities 6 --skip 10000    # screens, mirrors, linen, scripts ...: covered, by kind
    python -m benchmarks.close_ups forms 20 --skip 10000      # signs written one to a box
    python -m benchmarks.close_ups cultures 12 --skip 10000   # names covered, by culture (12 names a picture)

``--sheet FOLDER`` saves every picture with a miss or a hit. What counts is as in :mod:`benchmarks.text`; for names
by culture the share that is covered is printed with its 95 % range (Wilson).
"""

from __future__ import annotations

import argparse
import io
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import _measures, _oddities, scenes
from benchmarks.text import BODIES, COVERED, HIT, LOST, save, with_room
from fixtures import _draw as d
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame, text
from medimg.policy import Policy
from medimg.redact.cover import mask

SIZE = (1280, 960)
ODD = {
    "screen": _oddities.screen,
    "mirror": _oddities.mirrored,
    "reversed digits": _oddities.reversed_digits,
    "linen": _oddities.linen,
    "lanyard": _oddities.lanyard,
    "crumpled": _oddities.crumpled,
}


def laid(seed: int, cards: list[d.Card], carrier: str, gloss: float = 0.0, stamp: bool = False) -> scenes.Scene:
    """Cards side by side on cloth or skin; a camera's date in the corner if asked for."""
    rng = np.random.default_rng((seed, 47, zlib.crc32(carrier.encode())))
    width, height = SIZE
    colour = d.DRAPES[int(rng.integers(len(d.DRAPES)))]
    picture = d.cloth(rng, height, width, colour, float(rng.uniform(2.5, 14)))
    if rng.random() < 0.6:
        start, end = (-80.0, float(rng.uniform(200, 700))), (width + 80.0, float(rng.uniform(200, 700)))
        d.limb(rng, picture, int(rng.integers(1, 11)), start, end, 300.0, 240.0)
    columns = 1 if len(cards) == 1 else 2
    rows = -(-len(cards) // columns)
    room = (width / columns, height / max(rows, 1))
    marks: list[d.Mark] = []
    for k, card in enumerate(cards):
        w, h = card.size
        straight = rng.random() < 0.6
        angle = float(rng.uniform(-12, 12) if straight or len(cards) > 1 else rng.uniform(-180, 180))
        c, s = abs(np.cos(np.radians(angle))), abs(np.sin(np.radians(angle)))
        fit = min(room[0] * 0.9 / (w * c + h * s), room[1] * 0.9 / (w * s + h * c))
        scale = fit * float(rng.uniform(0.5, 1.0)) if len(cards) == 1 else min(fit, float(rng.uniform(0.3, 0.6)))
        centre = ((k % columns + 0.5) * room[0], (k // columns + 0.5) * room[1])
        tilt = (float(rng.uniform(0, 0.2)), float(rng.uniform(0, 0.15))) if rng.random() < 0.5 else (0.0, 0.0)
        marks += d.place(picture, card, d.quad(centre, w * scale, h * scale, angle, tilt), gloss=gloss)
    d.light(rng, picture, float(rng.uniform(0.05, 0.4)))
    picture *= float(rng.uniform(0.75, 1.1))
    blur = float(rng.choice((0.5, 0.8, 1.2)))
    pixels = d.camera(rng, picture, blur, float(rng.uniform(1, 5)))
    if stamp:
        marks.append(_oddities.burned(rng, pixels))
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(rng.choice((92, 85, 70))), subsampling=2)
    items = [scenes.item(m, carrier, blur, width, height) for m in marks]
    return scenes.Scene(seed, np.asarray(Image.open(out)).copy(), items)


def drawn(what: str, count: int, first: int) -> Iterator[scenes.Scene]:
    """The pictures of a run, each with its kind as the carrier of its items."""
    for seed in range(first, first + count):
        if what == "rulers":
            for kind in (*_measures.RULERS, *_measures.CARDS):
                rng = np.random.default_rng((seed, 53, zlib.crc32(kind.encode())))
                if kind in _measures.RULERS:
                    card = _measures.ruler(rng, kind)
                    if rng.random() < 0.2 and kind != "L-shaped":
                        card = d.curved(card, float(rng.uniform(30, 90)))
                else:
                    card = _measures.colour_card(rng, kind)
                yield laid(seed, [card], kind)
        elif what == "forms":
            yield laid(seed, [_oddities.form(np.random.default_rng((seed, 73)))], "form")
        elif what == "oddities":
            for kind, make in ODD.items():
                yield laid(seed, [make(np.random.default_rng((seed, 59)))], kind)
            rng = np.random.default_rng((seed, 61))
            yield laid(seed, [_oddities.crumpled(rng)], "glare", gloss=float(rng.uniform(0.5, 0.9)))
            yield laid(seed, [], "camera date", stamp=True)
            for which in _oddities.SCRIPTS:
                card_or_none = _oddities.script(np.random.default_rng((seed, 67, zlib.crc32(which.encode()))), which)
                if card_or_none:
                    yield laid(seed, [card_or_none], f"script: {which}")
        else:
            for culture in _oddities.CULTURES:
                yield laid(seed, _oddities.tags(np.random.default_rng((seed, 71)), culture), culture)


def wilson(good: int, n: int) -> tuple[float, float]:
    """95 % range of a share."""
    z, p = 1.96, good / max(n, 1)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5 / (1 + z * z / n)
    return middle - half, middle + half


def run(what: str, count: int, first: int, sheet: Path | None) -> None:
    """Draw, find, count, print."""
    policy = Policy()
    detector = text.make(policy)
    good: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    harm: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for number, scene in enumerate(drawn(what, count, first)):
        height, width = scene.rgb.shape[:2]
        found = detector.find(Frame(scene.rgb))
        plan = decide([f for f in found if f.region], policy, width=width, height=height)
        hidden = mask([c.polygon for c in covers(plan, policy)], width, height)
        names = [with_room(i) for i in scene.items if i.identifying]
        marks: list[tuple[Any, float]] = []
        for item in scene.items:
            if item.kind == "code" or (item.kind == "text" and item.tier == "lost"):
                continue
            place = mask([item.polygon], width, height)
            if item.kind in BODIES:
                place &= ~mask(names, width, height)
            share = float(hidden[place].mean()) if place.any() else 0.0
            if item.identifying:
                bad = share < COVERED
                row = good[item.carrier]
            else:
                bad = share >= (HIT if item.kind in BODIES else LOST)
                row = harm[f"{item.carrier}: {item.kind if item.kind in BODIES else item.cls + ' text'}"]
            row[0] += 1
            row[1] += bad
            if bad:
                marks.append((item, share))
        if sheet and marks:
            save(sheet / f"{marks[0][0].carrier.replace(': ', '-')}-{scene.seed}-{number}.png", scene.rgb, found, marks)
    for title, table in (("to be covered", good), ("to be left", harm)):
        print(f"{title:34} {'n':>5} {'covered' if table is good else 'hit':>8}")
        for name, (n, bad) in sorted(table.items()):
            low, high = wilson(n - bad, n)
            print(
                f"{name:34} {n:5} "
                + (f"{1 - bad / n:8.3f}  {low:.3f} to {high:.3f}" if table is good else f"{bad / n:8.3f}")
            )
        total, bad = sum(v[0] for v in table.values()), sum(v[1] for v in table.values())
        print(f"{'all':34} {total:5} {(1 - bad / max(total, 1)) if table is good else bad / max(total, 1):8.3f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("rulers", "oddities", "cultures", "forms"))
    parser.add_argument("count", type=int)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    run(given.what, given.count, given.skip, given.sheet)


if __name__ == "__main__":
    main()
