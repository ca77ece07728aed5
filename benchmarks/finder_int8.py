"""The text finder in whole numbers: how its values are rounded, and how its finds compare with those in floats.

    python -m benchmarks.finder_int8 ranges PHOTOS... --each 12 --scenes 14     # writes medimg/_build/int8_ranges.json
    python -m benchmarks.finder_int8 compare PHOTOS... --each 8 --scenes 6 --skip 520

The first looks at photographs (whole, in one of the ways in which the check looks at them) and at parts of drawn scenes
of 3 megapixels (in every way), and takes the widest range of each value between layers. After it the package is built
again, and the digest in ``models.toml`` set. The second wants other pictures, and a processor that adds whole numbers
exactly (``medimg.native.sums.exact``).
"""

from __future__ import annotations

import argparse
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import scenes
from medimg._build import int8
from medimg.detect import Frame, weights
from medimg.detect.text import ocr
from medimg.detect.text.letters import SIZES, SMALL
from medimg.detect.text.lines import area, shared
from medimg.detect.text.sizes import evened, sharpened
from medimg.native.onnxruntime import onnxruntime
from medimg.native.opencv import cv2
from medimg.native.threads import session_options

Pixels = NDArray[np.uint8]
RANGES = Path(int8.__file__).with_name("int8_ranges.json")
TAILS = (0.01, 99.99)
"""Percentiles of a picture that count as the ends of its range."""
FIRST = 5
"""Convolutions that stay in floats: of all groups of layers that were tried these first ones cost most when rounded (on
48 views of photographs the maps' overlap above 0.3 was 0.83 without them and 0.73 with), and take least time."""
MOST = 200_000
"""Values of a layer that these are taken of."""
PART = 608
"""Side of a part of a drawn scene, in pixels."""
SAME = 0.5
"""Share of a place that lies in a place of the other network, from which they are one."""


def ways(rgb: Pixels) -> list[Pixels]:
    """The picture as the check looks at it: large and sharpened, small, and as the copy is."""
    frame, longest = Frame(np.ascontiguousarray(rgb)), max(rgb.shape[:2])
    large, small = (frame.scaled(min(size, longest))[0] for size in SIZES)
    out = [sharpened(large), small, evened(frame.scaled(min(1200, longest))[0])]
    if longest < SMALL:
        out.append(np.asarray(cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8))
    return out


def photographs(folder: Path, count: int) -> Iterator[Pixels]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for k in np.random.default_rng(1).permutation(len(paths))[:count]:
        yield np.asarray(Image.open(paths[k]).convert("RGB"), np.uint8)


def drawn(seeds: range) -> Iterator[Pixels]:
    for seed in seeds:
        file = io.BytesIO()
        Image.fromarray(scenes.scene(seed, 3).rgb).save(file, "JPEG", quality=92)
        yield np.asarray(Image.open(file).convert("RGB"), np.uint8)


def part(view: Pixels, rng: np.random.Generator) -> Pixels:
    y, x = (int(rng.integers(max(side - PART, 0) + 1)) for side in view.shape[:2])
    return np.ascontiguousarray(view[y : y + PART, x : x + PART])


def values(graph: int8.Graph) -> list[str]:
    """What goes into and comes out of the convolutions that see places; not what weighs whole channels."""
    aside: set[str] = set()
    for node in graph.nodes:
        pooled = node.op in ("ReduceMean", "GlobalAveragePool")
        if pooled or (node.op in ("Conv", "Relu", "HardSigmoid") and node.inputs[0] in aside):
            aside.update(node.outputs)
    readers, out = graph.readers(), []
    for node in [n for n in graph.nodes if n.op == "Conv"][FIRST:]:
        if node.inputs[0] not in aside:
            after = readers[node.outputs[0]]
            relu = len(after) == 1 and after[0].op == "Relu"
            out += [node.inputs[0], (after[0] if relu else node).outputs[0]]
    return list(dict.fromkeys(out))


def ranges(pictures: list[Pixels]) -> dict[str, list[float]]:
    """Step and zero of every value."""
    graph = int8.Graph(weights.read("text_finder")[0])
    names = values(graph)
    shown = [n for n in names if n != "x"]
    session = onnxruntime.InferenceSession(
        graph.model(shown), session_options(arena=False), providers=["CPUExecutionProvider"]
    )
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for picture in pictures:
        data = ocr.prepared(picture)
        for name, value in zip(["x", *shown], [data, *session.run(shown, {"x": data})], strict=True):
            flat = value.ravel()[:: max(1, value.size // MOST)]
            a, b = np.percentile(flat, TAILS)
            low[name], high[name] = min(low[name], float(a)), max(high[name], float(b))
    out = {}
    for name in names:
        step = float(np.float32((high[name] - low[name]) / 255))
        out[name] = [step, max(0, min(255, round(-low[name] / step)))]
    return out


def compare(pictures: dict[str, list[Pixels]]) -> None:
    """How many places of either network the other one finds."""
    nets = [ocr.Models(finder=name) for name in ("text_finder", "text_finder_int8")]
    print("| pictures | places in floats | found in whole numbers | found there alone |\n| --- | ---: | ---: | ---: |")
    for name, some in pictures.items():
        count: dict[str, int] = defaultdict(int)
        for picture in some:
            floats, whole = (net.detect(picture, 0.3) for net in nets)
            count["floats"] += len(_sure(floats))
            count["both"] += _met(floats, whole)
            count["alone"] += len(_sure(whole)) - _met(whole, floats)
        print(f"| {name} | {count['floats']} | {count['both']} | {count['alone']} |", flush=True)


def _sure(places: list[ocr.Spot]) -> list[ocr.Spot]:
    return [p for p in places if p.score >= 0.5]


def _met(places: list[ocr.Spot], others: list[ocr.Spot]) -> int:
    return sum(any(shared(p.quad, o.quad) > SAME * area(p.quad) for o in others) for p in _sure(places))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("ranges", "compare"))
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--each", type=int, default=12, help="photographs of a folder")
    parser.add_argument("--scenes", type=int, default=14)
    parser.add_argument("--skip", type=int, default=0)
    given: Any = parser.parse_args()
    rng, seeds = np.random.default_rng(3), range(given.skip, given.skip + given.scenes)
    if given.command == "compare":
        sets = {f.name: [v for p in photographs(f, given.each) for v in ways(p)] for f in given.folders}
        return compare({**sets, "drawn scenes": [v for p in drawn(seeds) for v in ways(p)]})
    pictures = []
    for folder in given.folders:
        for rgb in photographs(folder, given.each):
            some = ways(rgb)
            pictures.append(some[int(rng.integers(len(some)))])
    pictures += [part(view, rng) for rgb in drawn(seeds) for view in ways(rgb)]
    found = ranges(pictures)
    lines = (f" {json.dumps(name)}: {json.dumps(pair)}" for name, pair in found.items())
    RANGES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(pictures)} pictures, {len(found)} values")
    return None


if __name__ == "__main__":
    main()
