"""Fonts of this machine: which has given letters, the shapes of a piece of text in it, and the outlines of those.

Only here is ``uharfbuzz`` loaded. Font files are read, no code of theirs is run, and whichever cannot be read is passed
over. They are looked for where the system and the user keep them (:func:`medimg.system.host.font_folders`) and nowhere
else: never beside photos.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from medimg.system import host

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_REGULAR, _BOLD = 400, 700
"""Weights (OpenType, OS/2 usWeightClass)."""
_LIKE_HELVETICA = ("Arial", "Liberation Sans", "Noto Sans", "DejaVu Sans")
"""Families preferred beside it, first those with its widths; each is the plain one of a system."""
_THICKER = 1 / 24
"""Of an em: what FreeType adds to the strokes of a font that has no bold one (FT_GlyphSlot_Embolden)."""
_NOT_TO_EMBED = 0x0300 | 0x0002
"""Bits of OS/2 fsType: no subsetting, bitmaps only, restricted license."""


class Shape(NamedTuple):
    """How letters that are set together look (a letter with its marks, a ligature), and how far from the start.

    Attributes:
        text: The letters.
        parts: Number of each glyph, and how far it is set from the shape's own start, in units of the font.
        x: Ems from the start of the text.
        width: Ems.
    """

    text: str
    parts: tuple[tuple[int, int, int], ...]
    x: float
    width: float


class Outline(NamedTuple):
    """Operators of PDF that draw a shape, and the box around it, in units of its font."""

    path: str
    box: tuple[float, float, float, float]


class Font:
    """One face of a font file. Its letters are known at once, the rest is read when it is needed."""

    def __init__(self, face: Any, path: str) -> None:
        import uharfbuzz

        self.face, self.path, self.letters = face, path, face.unicodes
        self.style = uharfbuzz.Font(face)
        self.weight = self.style.get_style_value(uharfbuzz.StyleTag.WEIGHT)
        self.varies = any(axis.tag == "wght" for axis in face.axis_infos)
        # A file that draws the same shape for most of its letters tells none of them (macOS' LastResort).
        self.usable = (
            len(self.letters) < 2 * face.glyph_count
            and {"glyf", "CFF ", "CFF2"} & set(face.table_tags)
            # Shapes in colour: there may be no outline under them.
            and not (face.has_color_layers or face.has_color_paint or face.has_color_png or face.has_color_svg)
        )

    def rank(self, script: str, weight: int) -> tuple[Any, ...]:
        """Less is better for plain text: knows the script's rules, is upright, without serifs, near in weight."""
        import uharfbuzz

        tags = {uharfbuzz.ot_tag_to_script(tag) for tag in self.face.get_table_script_tags("GSUB")}
        os2, post = self._table("OS/2"), self._table("post")
        sans = os2[30:31] == b"\x08" or (os2[32:33] == b"\x02" and os2[33:34] >= b"\x0b")  # sFamilyClass; PANOSE
        italic = self.style.get_style_value(uharfbuzz.StyleTag.ITALIC)
        narrow = abs(100 - self.style.get_style_value(uharfbuzz.StyleTag.WIDTH))
        fixed = post[12:16] not in (b"", b"\0\0\0\0")  # isFixedPitch
        off = 0 if self.varies else abs(self.weight - weight)
        family = self.face.get_name(uharfbuzz.OTNameIdPredefined.FONT_FAMILY) or ""
        like = next((n for n, name in enumerate(_LIKE_HELVETICA) if family.startswith(name)), len(_LIKE_HELVETICA))
        few = len(self.letters)  # made for these letters rather than for all
        return (script not in tags, bool(italic), not sans, fixed, narrow, off, like, few, self.path, self.face.index)

    def draws(self, letters: frozenset[str]) -> bool:
        """Whether there is something to see for each of these letters: a broken file may name them only."""
        glyphs = (self.style.get_nominal_glyph(ord(letter)) for letter in letters if letter.isalnum())
        return all(glyph and (box := self.style.get_glyph_extents(glyph)) and box.width for glyph in glyphs)

    def embeddable(self) -> bool:
        """Whether the font's own licence bits let a part of it stand in a document."""
        kind = self._table("OS/2")[8:10]  # fsType
        return len(kind) == 2 and not struct.unpack(">H", kind)[0] & _NOT_TO_EMBED

    def _table(self, tag: str) -> bytes:
        return bytes(self.face.reference_table(tag).data or b"")


class Cut:
    """A font in one weight: shapes text, and gives the outlines of the shapes."""

    def __init__(self, font: Font, *, bold: bool) -> None:
        import uharfbuzz

        self._font = uharfbuzz.Font(font.face)
        self._letters = font.letters
        self.units: int = font.face.upem
        weight = _BOLD if bold else _REGULAR
        if font.varies:
            self._font.set_variations({"wght": weight})
        elif bold and font.weight < (_REGULAR + _BOLD) / 2:
            self._font.synthetic_bold = (_THICKER, _THICKER, True)

    def has(self, words: str) -> bool:
        """Whether it has all these letters."""
        return all(ord(letter) in self._letters for letter in words)

    def shaped(self, text: str, *, rtl: bool) -> tuple[tuple[Shape, ...], float]:
        """The shapes of a text from left to right, and how wide all of it is, in ems."""
        import uharfbuzz

        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.language = "und"  # not that of the process
        buffer.direction = "rtl" if rtl else "ltr"
        if rtl:  # a mark apart from its letter: readers turn such a line letter by letter
            buffer.cluster_level = uharfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
        uharfbuzz.shape(self._font, buffer)
        glyphs = list(zip(buffer.glyph_infos, buffer.glyph_positions, strict=True))
        starts = sorted({info.cluster for info, _ in glyphs})
        ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
        out, x = [], 0
        for start, together in groupby(glyphs, key=lambda one: one[0].cluster):
            parts, width = [], 0
            for info, place in together:
                parts.append((info.codepoint, width + place.x_offset, place.y_offset))
                width += place.x_advance
            out.append(Shape(text[start : ends[start]], tuple(parts), x / self.units, width / self.units))
            x += width
        return tuple(out), x / self.units

    def outline(self, shape: Shape) -> Outline:
        """How one shape is drawn."""
        pen = _Pen()
        for glyph, *pen.start in shape.parts:
            self._font.draw_glyph_with_pen(glyph, pen)
        return Outline("\n".join(pen.lines), pen.box())


class _Pen:
    """Takes an outline down in the operators of PDF, which knows no curves of the second degree."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.start = [0, 0]
        self._points: list[tuple[float, float]] = []
        self._last = (0.0, 0.0)

    def _draw(self, operator: str, *points: tuple[float, float]) -> None:
        moved = [(x + self.start[0], y + self.start[1]) for x, y in points]
        self._points += moved
        self._last = points[-1]
        self.lines.append(" ".join([*(f"{x:.6g} {y:.6g}" for x, y in moved), operator]))

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - names of a pen (fontTools)
        self._draw("m", point)

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self._draw("l", point)

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self._draw("c", *points)

    def qCurveTo(self, bend: tuple[float, float], end: tuple[float, float]) -> None:  # noqa: N802
        (x0, y0), (x1, y1), (x2, y2) = self._last, bend, end
        one = x0 + (x1 - x0) * 2 / 3, y0 + (y1 - y0) * 2 / 3
        self._draw("c", one, (x2 + (x1 - x2) * 2 / 3, y2 + (y1 - y2) * 2 / 3), end)

    def closePath(self) -> None:  # noqa: N802
        self.lines.append("h")

    def box(self) -> tuple[float, float, float, float]:
        """Around all that was drawn."""
        xs, ys = zip(*self._points, strict=True) if self._points else ((0.0,), (0.0,))
        return min(xs), min(ys), max(xs), max(ys)


@lru_cache(maxsize=4096)
def with_letters(letters: frozenset[str], *, bold: bool) -> Cut | None:
    """The font that suits plain text best and has all these letters; None if this machine has none."""
    wanted = set(map(ord, letters))
    found = (font for font in _fonts() if all(letter in font.letters for letter in wanted))
    script, weight = _script("".join(sorted(letters, reverse=True))), _BOLD if bold else _REGULAR  # ASCII last
    ranked = sorted((f for f in found if f.embeddable()), key=lambda font: font.rank(script, weight))
    best = next((font for font in ranked if font.draws(letters)), None)
    return None if best is None else _cut(best, bold=bold)


@lru_cache(maxsize=4096)
def shaped(text: str, cut: Cut, rtl: bool) -> tuple[tuple[Shape, ...], float]:
    """What :meth:`Cut.shaped` gives."""
    return cut.shaped(text, rtl=rtl)


@cache
def _cut(font: Font, *, bold: bool) -> Cut:
    return Cut(font, bold=bold)


def _script(letters: str) -> str:
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(letters)
    buffer.guess_segment_properties()
    return str(buffer.script)


@cache
def _fonts() -> tuple[Font, ...]:
    """Every font of this machine that text can be drawn with, in the order of their paths; none without the package."""
    if importlib.util.find_spec("uharfbuzz") is None:
        return ()
    return tuple(font for path in sorted(_files()) for font in _faces(path) if font.usable)


def _files() -> Iterator[str]:
    for top in host.font_folders():
        for folder, _, names in os.walk(top):
            yield from (os.path.join(folder, n) for n in names if n.lower().endswith(_SUFFIXES))  # noqa: PTH118


def _faces(path: str) -> list[Font]:
    import uharfbuzz

    if not Path(path).is_file():  # a pipe would be waited for
        return []
    try:
        blob = uharfbuzz.Blob.from_file_path(path)
        first = uharfbuzz.Face(blob)
        return [Font(uharfbuzz.Face(blob, n) if n else first, path) for n in range(first.count)]
    except (OSError, ValueError, uharfbuzz.HarfBuzzError):
        return []
