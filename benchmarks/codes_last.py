"""Fits the last sum of ``medimg/detect/codes/likeness.json``, and counts codes kept and photographs with a false one.

    python -m benchmarks.codes_last FREE [FREE...] [--seeds FIRST END] [--held FIRST END]

Every ``FREE`` is a folder of photographs without a code; every second one of the first is taught (its terms have to
allow that: ``benchmarks/objects_sources.toml``), all others judge. The codes are those of drawn scenes, of which
``--held`` judge. The layer of :mod:`benchmarks.codes_fit` was taught few codes that are blurred, small or slanted; what
it says is weighed here against how sure the network of marks is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import scenes
from medimg.detect import Frame
from medimg.detect.codes import detector, likeness
from medimg.detect.objects import marks
from medimg.native.opencv import cv2

USED = ("mean", "best", "text", "card", "filled", "squares", "coarser", "finer", "matrix", "two tones", "contrast")
"""Features that count beside the layer's score."""
RIDGE, PHOTOGRAPHS = 0.3, 3.0
"""Inverse strength of regularisation; and how much a place of a photograph counts."""
LEAST = 0.5
"""From where a place is a code: chosen where the taught half of photographs had no false one."""


class Seen(NamedTuple):
    """A place that the network takes for a code: middle, look, features."""

    middle: tuple[float, float]
    look: int
    features: list[float]

    def row(self) -> list[float]:
        of = dict(zip(likeness.NAMES, self.features, strict=True))
        return [likeness.weights().layer(self.features), *(of[name] for name in USED), self.look]


def places(frame: Frame) -> Iterator[Seen]:
    looks = marks.views(frame)
    for look, view in enumerate(looks):
        likely = np.maximum(view.marks[marks.BAR], view.marks[marks.MATRIX])
        for place in marks.places(view, likely, detector.SQUARES_COARSE if look else detector.SQUARES):
            if place.score >= detector.SURE:
                x, y = place.corners.mean(axis=0)
                yield Seen((float(x), float(y)), look, likeness.features(frame, place, looks, look))


def of_scenes(seeds: range) -> list[tuple[list[Seen], list[Any]]]:
    drawn = ((scenes.scene(seed, 3)) for seed in seeds)
    return [(list(places(Frame(s.rgb))), [i for i in s.items if i.kind == "code" and i.tier != "lost"]) for s in drawn]


def of_photographs(folder: Path) -> list[list[Seen]]:
    return [list(places(Frame(np.asarray(Image.open(p).convert("RGB"))))) for p in sorted(folder.iterdir())]


def on(seen: Seen, item: Any) -> bool:
    return cv2.pointPolygonTest(np.asarray(item.polygon, np.float32), seen.middle, False) >= 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("free", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, nargs=2, default=(700, 775))
    parser.add_argument("--held", type=int, nargs=2, default=(600, 640))
    given = parser.parse_args()
    taught, held = (of_scenes(range(*seeds)) for seeds in (given.seeds, given.held))
    first, *others = (of_photographs(folder) for folder in given.free)
    there = [s for some, items in taught for s in some if any(on(s, i) for i in items)]
    none = [s for some, items in taught for s in some if not any(on(s, i) for i in items)]
    free = [s for photo in first[::2] for s in photo]
    rows = [s.row() for s in (*there, *none, *free)]
    weight = [1.0] * (len(there) + len(none)) + [PHOTOGRAPHS] * len(free)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=RIDGE, max_iter=2000))
    model.fit(
        rows, [1] * len(there) + [0] * (len(none) + len(free)), logisticregression__sample_weight=np.asarray(weight)
    )
    scale, last = model[0], model[-1]
    raw = last.coef_[0] / scale.scale_
    by_name = dict(zip(("own", *USED, "look"), raw.round(4).tolist(), strict=True))
    made = msgspec.structs.replace(
        likeness.weights(),
        own=by_name["own"],
        beside=tuple(by_name.get(name, 0.0) for name in likeness.NAMES),
        look=by_name["look"],
        offset=round(float(last.intercept_[0] - (raw * scale.mean_).sum()), 4),
        least=LEAST,
    )
    judge(made, held, [first[1::2], *others])
    print(msgspec.json.encode(made).decode())


def judge(made: likeness.Weights, held: Sequence[Any], photographs: Sequence[Sequence[Sequence[Seen]]]) -> None:
    for name, weights in (("shipped", likeness.weights()), ("fitted", made)):

        def kept(seen: Seen, known: likeness.Weights = weights) -> bool:
            return known.score(seen.features, seen.look) >= known.least

        codes = [any(on(s, item) and kept(s) for s in some) for some, items in held for item in items]
        false = [sum(any(map(kept, photo)) for photo in folder) for folder in photographs]
        print(
            name,
            f"codes {sum(codes)} of {len(codes)};",
            *(f"{n} of {len(f)}" for n, f in zip(false, photographs, strict=True)),
        )


if __name__ == "__main__":
    main()
