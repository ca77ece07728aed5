"""How much more two threads of the library do than one, measured by turns in one process.

    nice -n 5 python benchmarks/threads.py --photos 4 --pairs 5

Each turn cleans the same photos with one thread, then with two (``Scrubber(threads=)``, each thread with models of its
own, and MEDIMG_THREADS=1). Where others use the computer the ratio says as much of them: the load stands beside each
pair, and how many processors each half had.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from run import draw

import medimg


def taken(scrubber: medimg.Scrubber, photos: list[Path]) -> tuple[float, float]:
    """Seconds by the clock, and of the processors."""
    start, used = time.perf_counter(), _used()
    made = list(scrubber.scrub_many(photos))
    assert len(made) == len(photos)
    return time.perf_counter() - start, _used() - used


def _used() -> float:
    return sum(os.times()[:4])  # with the second reader's processes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--megapixels", type=float, default=3)
    given = parser.parse_args()
    os.environ["MEDIMG_THREADS"] = "1"
    with TemporaryDirectory() as where:
        photos = [Path(where, f"{n}.jpg") for n in range(given.photos)]
        for n, path in enumerate(photos):
            draw(n, given.megapixels, path)
        with medimg.Scrubber(threads=1) as one, medimg.Scrubber(threads=2) as two:
            for scrubber in (one, two):
                list(scrubber.scrub_many(photos[:2]))  # the models are loaded
            for _ in range(given.pairs):
                (alone, own), (both, used) = taken(one, photos), taken(two, photos)
                print(
                    f"{alone / both:.2f} times: {alone / given.photos:.2f} and {both / given.photos:.2f} s a photo; "
                    f"processors busy with it {own / alone:.2f} and {used / both:.2f}; load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
