"""Scenes with a truth, and what the checks find in them: kept in a folder, since finding takes the most time.

What the networks said is kept beside it, so that what the checks make of that can be asked again in a fraction of the
time, after a change that leaves the networks alone (``again``).
"""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import carrier_scenes, scenes
from benchmarks.carrier_scenes import SLIPS, Made, Mark, Thing
from medimg.detect import Frame, make
from medimg.detect.answers import Answers
from medimg.policy import Policy
from medimg.types import Finding, Region, Secret

KINDS = ("tune", "check", "ward", "photo-tune", "photo-check")
"""Scenes by the second maker, those that judge, those of :mod:`benchmarks.scenes` at 3 megapixels, photographs with
nothing laid on them. Any other kind is a folder of photographs: as they are, evenly chosen."""
EVENLY = 80
"""How many photographs of a folder are chosen."""
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
    """A scene, what is in it, what the checks found, and the processor time that took.

    ``frame`` has what the networks said of it.
    """

    name: str
    made: Made
    found: list[Finding]
    seconds: float
    frame: Frame


def answers(
    folder: Path, photos: Path, fonts: Path, kind: str, seeds: Sequence[int], *, again: bool = False
) -> Iterator[Answer]:
    """Scenes of a kind; what is not in the folder is found and put there.

    Args:
        folder: Where answers are kept.
        photos: Folders of photographs, one a source.
        fonts: A folder of typefaces.
        kind: One of :data:`KINDS`, or the name of a source.
        seeds: Which scenes, or which photographs.
        again: Whether the checks are asked again, over what the networks said.
    """
    checks: list[Any] = []
    for seed in seeds:
        path = folder / f"{kind}-{seed}.pickle"
        kept = pickle.loads(path.read_bytes()) if path.exists() else None
        made = _with_pixels(kept[0]) if kept else scene(kind, seed, photos, fonts)
        frame, raw, seconds = Frame(made.rgb, answers=_answers(kept[3] if kept else {})), [], 0.0
        if kept and not again:
            raw, seconds = kept[1], kept[2]
        else:
            checks = checks or [make(name, Policy()) for name in ("codes", "text")]
            start = time.process_time()
            found = [f for check in checks for f in check.find(frame)]
            seconds = time.process_time() - start
            raw = [(f.kind, f.category, f.score, f.region, f.secret.reveal(), f.tight) for f in found]
        if not kept:
            kept = (_without_pixels(made), raw, seconds, frame.answers._said)
            path.write_bytes(pickle.dumps(kept))
        yield Answer(path.stem, made, [_finding(*row) for row in raw], seconds, frame)


def _answers(said: dict[Any, Any]) -> Answers:
    out = Answers()
    out._said.update(said)
    return out


def _jpeg(rgb: carrier_scenes.Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=92)
    return out.getvalue()


def _without_pixels(made: Made) -> tuple[bytes, list[Thing], str]:
    out = io.BytesIO()
    Image.fromarray(made.rgb).save(out, "WEBP", lossless=True, method=0)
    return out.getvalue(), made.things, made.source


def _with_pixels(kept: tuple[bytes, list[Thing], str]) -> Made:
    return Made(np.asarray(Image.open(io.BytesIO(kept[0])).convert("RGB"), np.uint8), kept[1], kept[2])


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
        return _ward(scenes.scene(seed, 3))
    check = kind.endswith("check")
    if kind.startswith("photo"):
        rgb, source = carrier_scenes.photograph(np.random.default_rng((seed, 5, int(check))), photos, check)
        return Made(rgb, [], source)
    if kind not in KINDS:
        paths = sorted(p for p in (photos / kind).rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
        path = paths[seed * max(len(paths) // EVENLY, 1)]
        return Made(np.asarray(Image.open(path).convert("RGB"), np.uint8), [], kind)
    return carrier_scenes.scene(seed, photos, fonts, check)


def _ward(drawn: scenes.Scene) -> Made:
    """A scene of :mod:`benchmarks.scenes` in the terms of the second maker; what nobody could read is left out."""
    things = []
    laid = [(before, polygon) for before, polygon in drawn.over if len(polygon) == 4 and before < len(drawn.items)]
    marked = [(k, i, _mark(drawn, k)) for k, i in enumerate(drawn.items) if i.tier != "lost"]
    for n, (before, polygon) in enumerate(laid):
        sort = drawn.items[before].carrier
        end = laid[n + 1][0] if n + 1 < len(laid) else len(drawn.items)
        marks = [mark for k, item, mark in marked if before <= k < end and item.carrier == sort]
        things.append(Thing(sort, np.asarray(polygon, np.float32), marks))
    loose = [mark for _, item, mark in marked if item.carrier in ("skin", "pen on skin")]
    rgb = np.asarray(Image.open(io.BytesIO(_jpeg(drawn.rgb))), np.uint8)
    return Made(rgb, [*things, Thing("", np.zeros((0, 2), np.float32), loose)], "ward")


def _mark(drawn: scenes.Scene, index: int) -> Mark:
    item = drawn.items[index]
    body = item.kind in ("ruler", "colour-card", "lesion")
    under = tuple(np.asarray(p, np.float32) for p in drawn.on_top(index))
    polygon = np.asarray(item.polygon, np.float32)
    return Mark("body" if body else item.kind, item.identifying, item.kind if body else item.text, polygon, under)
