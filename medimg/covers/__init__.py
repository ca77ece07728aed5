"""From what is decided to what is filled: polygons with their margins, how much they hide, their colour.

Pure arithmetic on records: no pixels, no imaging library, no file. How large a cover is is answered here and nowhere
else, and whether it would cut a line that stays. Two things follow later, where the pixels are: a JPEG's covers grow to
whole MCUs as they are written (:mod:`medimg.formats.jpeg`), and :mod:`medimg.redact` fills. This package lies below
:mod:`medimg.policy`, which asks how much of the picture the covers hide before it decides.
"""

from __future__ import annotations

from medimg.covers.colour import standing_out
from medimg.covers.lines import Block, Mended, uncut
from medimg.covers.shapes import Margins, almost_all_hidden, cover_polygon, covers, fills, hidden_share
from medimg.covers.union import hidden_area

__all__ = [
    "Block",
    "Margins",
    "Mended",
    "almost_all_hidden",
    "cover_polygon",
    "covers",
    "fills",
    "hidden_area",
    "hidden_share",
    "standing_out",
    "uncut",
]
