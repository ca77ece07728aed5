"""How high one line of print has to be to be found, by the size of the photo.

    python -m benchmarks.letters [--megapixels 3 12 24 48]

One line on a strip of paper, as on a wristband, on drawn skin; the height of its letters (line height, in pixels of the
photo) goes up until the line is found at the first look, in each of three places. The last column is that height in
pixels of the largest size looked at: ``medimg.detect.text.letters.LEAST`` lies at or above it.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from fixtures import _draw as d
from medimg.detect import Frame, Pixels
from medimg.detect.text import detector as text
from medimg.detect.text.letters import SIZES, least_height
from medimg.policy import Policy

PLACES = ((0.6, 0.9), (0.1, 0.12), (0.33, 0.55))
LINE = "QUILLFEATHER ZEDEKIAH  MRN 5550173"


def picture(width: int, height: int, size: int, place: tuple[float, float]) -> Pixels:
    """Skin with a strip of paper on it."""
    rng = np.random.default_rng(7)
    ground = np.full((height, width, 3), (205, 160, 135), np.float32) + rng.normal(0, 4, (height, width, 1))
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    draw = ImageDraw.Draw(image)
    font = d.pick_font(rng, "print", size)
    x, y = int(width * place[0]), int(height * place[1])
    box = draw.textbbox((x, y), LINE, font=font)
    pad = max(3, size // 4)
    draw.rectangle((box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad), fill=(245, 245, 240))
    draw.text((x, y), LINE, font=font, fill=(20, 20, 20))
    return np.asarray(image)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, nargs="+", default=[3, 12, 24, 48])
    detector = text.make(Policy())
    for megapixels in parser.parse_args().megapixels:
        height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
        width = round(height * 4 / 3)
        shrunk = max(1.0, width / max(SIZES))
        found = 0
        for size in range(max(4, math.floor(5 * shrunk)), math.ceil(12 * shrunk), max(1, round(shrunk / 2))):
            if all(_seen(detector, picture(width, height, size, place)) for place in PLACES):
                found = size
                break
        said = least_height(width, height)
        print(
            f"{megapixels:5} MP {width} x {height}: found from {found} px = {found / shrunk:.1f} looked at; said {said}"
        )


def _seen(detector: text.TextDetector, pixels: Pixels) -> bool:
    return any(f.kind == "text" and f.category not in ("ruler", "harmless") for f in detector.find(Frame(pixels)))


if __name__ == "__main__":
    main()
