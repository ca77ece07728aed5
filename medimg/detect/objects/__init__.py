"""What lies where in a picture: wristbands, labels, screens, rulers, skin, wounds, codes, print.

One small network (``benchmarks/objects_train.py``, ``docs/objects-model.md``) looks once at the whole picture and
labels every square of four pixels twice: what the place *lies on* (:data:`GROUNDS`), and what is *marked* on it
(:data:`MARKS`). :func:`find` makes regions with straight edges of both. It states facts; what follows from them is not
decided here, and nothing in the program calls it yet.
"""

from __future__ import annotations

from typing import cast

from medimg.detect import Frame
from medimg.detect.objects._network import GROUNDS, MARKS, Maps, maps, network
from medimg.detect.objects._regions import CARRIERS, MEASURES, Region, regions

__all__ = ["CARRIERS", "GROUNDS", "MARKS", "MEASURES", "Maps", "Region", "find", "maps", "version"]


def find(frame: Frame) -> list[Region]:
    """Regions of a frame: carriers and measures first, then skin and wounds, then marks; the largest of each first.

    Made once for a frame, whoever asks.

    Raises:
        MissingPart: The weights are not there or were changed.
        CheckNotRun: The network gave something that is no answer.
    """
    return cast("list[Region]", frame.once("objects", lambda: regions(maps(frame))))


def version() -> str:
    """Name and digest of the network, for the report.

    Raises:
        MissingPart: The weights are not there or were changed.
    """
    return network().version
