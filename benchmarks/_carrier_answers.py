"""Scenes with a truth, and what the checks find in them: kept in a folder, since finding takes the most time."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import carrier_scenes, scenes
from benchmarks.carrier_scenes import SLIPS, Made, Mark, Thing
from medimg.detect import Frame, make
from medimg.policy import Policy
from medimg.types import Finding, Region, Secret

KINDS = ("tune", "check", "ward", "photo-tune", "photo-check")
"""Scenes by the second maker, those that judge, those of :mod:`benchmarks.scenes`, photographs with nothing laid on."""
SORTS = {
    **dict.fromkeys((*SLIPS, "sticker"), "slip"),
    **dict.fromkeys(("sheet", "whiteboard", "door sign", "chart"), "sheet"),
    **dict.fromkeys(("screen", "monitor"), "screen"),
    "packet": "packet",
    **dict.fromkeys(("ruler", "colour-card", "colour card"), "measure"),
}
"""What each drawn thing is to :mod:`medimg.detect.objects.judge`."""


@dataclass
class Answer:
    """A scene, what is in it, what the checks found, and the processor time that took."""

    name: str
    made: Made
    found: list[Finding]
    seconds: float


def answers(folder: Path, photos: Path, fonts: Path, kind: str, count: int) -> Iterator[Answer]:
    """The first scenes of a kind; what is not in the folder is found and put there."""
    import time

    policy = Policy()
    checks = []
    for seed in range(count):
        path = folder / f"{kind}-{seed}.pickle"
        if not path.exists():
            checks = checks or [make(name, policy) for name in ("codes", "text")]
            made = scene(kind, seed, photos, fonts)
            frame, start = Frame(made.rgb), time.process_time()
            found = [f for check in checks for f in check.find(frame)]
            raw = [(f.kind, f.category, f.score, f.region, f.secret.reveal(), f.tight) for f in found]
            path.write_bytes(pickle.dumps((made, raw, time.process_time() - start)))
        made, raw, seconds = pickle.loads(path.read_bytes())  # our own file
        yield Answer(path.stem, made, [_finding(*row) for row in raw], seconds)


def _finding(kind: str, category: str, score: float, region: Region | None, text: str, tight: bool) -> Finding:
    return Finding(
        kind=kind,  # type: ignore[arg-type]
        category=category,
        detector="cached",
        score=score,
        region=region,
        secret=Secret(text),
        tight=tight,
    )


def scene(kind: str, seed: int, photos: Path, fonts: Path) -> Made:
    """One scene."""
    if kind == "ward":
        return _ward(scenes.scene(seed, 2))
    check = kind.endswith("check")
    if kind.startswith("photo"):
        rgb, source = carrier_scenes.photograph(np.random.default_rng((seed, 5, int(check))), photos, check)
        return Made(rgb, [], source)
    return carrier_scenes.scene(seed, photos, fonts, check)


def _ward(drawn: scenes.Scene) -> Made:
    """A scene of :mod:`benchmarks.scenes` in the terms of the second maker; what nobody could read is left out."""
    things = []
    laid = [(before, polygon) for before, polygon in drawn.over if len(polygon) == 4 and before < len(drawn.items)]
    for k, (before, polygon) in enumerate(laid):
        sort = drawn.items[before].carrier
        end = laid[k + 1][0] if k + 1 < len(laid) else len(drawn.items)
        items = [i for i in drawn.items[before:end] if i.carrier == sort and i.tier != "lost"]
        marks = [_mark(item) for item in items]
        things.append(Thing(sort, np.asarray(polygon, np.float32), marks))
    loose = [_mark(i) for i in drawn.items if i.carrier in ("skin", "pen on skin") and i.tier != "lost"]
    return Made(drawn.rgb, [*things, Thing("", np.zeros((0, 2), np.float32), loose)], "ward")


def _mark(item: scenes.Item) -> Mark:
    body = item.kind in ("ruler", "colour-card", "lesion")
    polygon = np.asarray(item.polygon, np.float32)
    return Mark("body" if body else item.kind, item.identifying, item.kind if body else item.text, polygon)
