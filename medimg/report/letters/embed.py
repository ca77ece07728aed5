"""Draws lines of any letters, and puts the shapes that were drawn into the document.

They are a font of PDF's type 3: an outline a shape, whichever kind of font file it comes from (ISO 32000-2, 9.6.4).
Each code stands for one shape of certain letters and says which (9.10.3), so that they can be searched and copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from medimg.report import letters
from medimg.report.letters import Piece, bidi, fonts
from medimg.report.letters.fonts import Cut, Shape

_CODES = 256
"""Of a font of type 3: a code is one byte."""
_LISTED = 100
"""Entries in one list of a map of codes (Adobe Technical Note 5014)."""
_TURNED = str.maketrans("()[]{}<>\u00ab\u00bb\u2039\u203a", ")(][}{><\u00bb\u00ab\u203a\u2039")
"""Signs that Helvetica has, as they look in a line from right to left."""


class Ink:
    """The shapes of one document. ``draw`` writes a line; what it used goes into the document when that is saved."""

    def __init__(self) -> None:
        self._used: dict[Cut, dict[tuple[str, tuple[tuple[int, int, int], ...]], tuple[int, Shape]]] = {}
        self._doc: Any = None

    def draw(self, canvas: Any, x: float, y: float, line: str, size: float, *, bold: bool, rtl: bool = False) -> None:
        """Write one line of words as :func:`medimg.report.letters.shown` gives them."""
        pieces = letters.pieces(line, bold=bold, rtl=rtl)
        if all(piece.cut is None and not piece.rtl for piece in pieces):
            canvas.setFont(letters.helvetica(bold=bold), size)
            canvas.drawString(x, y, line)
        else:
            canvas.addLiteral(self.operators(canvas, x, y, pieces, size, bold=bold))

    def field(self, canvas: Any, value: str, **how: Any) -> None:
        """A line to be filled in, with words that stand there already."""
        from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFObjectReference, PDFString

        form, rtl = canvas.acroForm, bidi.right_to_left(value)
        pieces = letters.pieces(value, rtl=rtl)
        if all(piece.cut is None for piece in pieces):
            form.textfield(value=value, **how)
            return
        form.textfield(value="", **how)
        known = canvas._doc.idToObject
        field = known[form.fields[-1].name].dict
        empty = known[field["AP"].dict["N"].name].content
        size, width, height = how["fontSize"], how["width"], how["height"]
        at = max(width - 2 - letters.width(value, size, rtl=rtl), 2) if rtl else 2
        drawn = self.operators(canvas, at, height - size - 1, pieces, size, bold=False)
        shape = form.makeStream(
            width, height, f"{empty}\n/Tx BMC q 1 1 {width - 2:.3f} {height - 2:.3f} re W n 0 g {drawn} Q EMC",
            Resources=PDFDictionary({"Font": PDFObjectReference("BasicFonts")}),
        )  # fmt: skip
        field["V"] = field["DV"] = PDFString(value)
        field["AP"] = PDFDictionary({"N": form.getRef(shape)})

    def operators(self, canvas: Any, x: float, y: float, pieces: Sequence[Piece], size: float, *, bold: bool) -> str:
        """The operators of PDF that write pieces from left to right."""
        if self._doc is None:
            self._doc = canvas._doc
            self._doc.delayedFonts.append(self)
        standard = letters.helvetica(bold=bold)
        out = ["q BT"]
        for piece in pieces:
            if piece.cut is None:
                text = piece.text[::-1].translate(_TURNED) if piece.rtl else piece.text
                name = self._doc.getInternalFontName(standard)
                out.append(f"{name} {size:g} Tf 1 0 0 1 {x:.3f} {y:.3f} Tm <{text.encode('cp1252').hex()}> Tj")
            else:
                out += self._shapes(piece, piece.cut, x, y, size)
            x += letters.width_of(piece, size, bold=bold)
        return " ".join([*out, "ET Q"])

    def _shapes(self, piece: Piece, cut: Cut, x: float, y: float, size: float) -> Iterator[str]:
        for shape in fonts.shaped(piece.text, cut, piece.rtl)[0]:
            used = self._used.setdefault(cut, {})
            number, _ = used.setdefault((shape.text, shape.parts), (len(used), shape))
            name = _name(list(self._used).index(cut), number // _CODES)
            at = x + shape.x * size
            yield f"/{name} {size:g} Tf 1 0 0 1 {at:.3f} {y:.3f} Tm <{number % _CODES:02x}> Tj"

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - asked by reportlab when it saves
        """Put the fonts into the document."""
        for nth, (cut, used) in enumerate(self._used.items()):
            shapes = [shape for _, shape in used.values()]
            for part, start in enumerate(range(0, len(shapes), _CODES)):
                name = _name(nth, part)
                font = _font(doc, cut, shapes[start : start + _CODES])
                doc.idToObject["BasicFonts"].dict[name] = doc.Reference(font, name)


def _name(cut: int, part: int) -> str:
    return f"L{cut}+{part}"


def _font(doc: Any, cut: Cut, shapes: Sequence[Shape]) -> Any:
    from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName

    units = cut.units
    outlines = [cut.outline(shape) for shape in shapes]
    lows, highs = ([f(o.box[k] for o in outlines) for k in ks] for f, ks in ((min, (0, 1)), (max, (2, 3))))
    names = [f"s{n}" for n in range(len(shapes))]
    drawn = [
        f"{round(s.width * units)} 0 {' '.join(f'{v:.6g}' for v in o.box)} d1\n{o.path}\nf"
        for s, o in zip(shapes, outlines, strict=True)
    ]
    return PDFDictionary(
        {
            "Type": PDFName("Font"),
            "Subtype": PDFName("Type3"),
            "FontBBox": PDFArray([*lows, *highs]),
            "FontMatrix": PDFArray([1 / units, 0, 0, 1 / units, 0, 0]),
            "CharProcs": PDFDictionary({n: doc.Reference(_stream(doc, d)) for n, d in zip(names, drawn, strict=True)}),
            "Encoding": PDFDictionary(
                {"Type": PDFName("Encoding"), "Differences": PDFArray([0, *(PDFName(name) for name in names)])}
            ),
            "FirstChar": 0,
            "LastChar": len(shapes) - 1,
            "Widths": PDFArray([round(shape.width * units) for shape in shapes]),
            "Resources": PDFDictionary({}),
            "ToUnicode": doc.Reference(_stream(doc, _map([shape.text for shape in shapes]))),
        }
    )


def _stream(doc: Any, words: str) -> Any:
    from reportlab.pdfbase.pdfdoc import PDFStream, PDFZCompress

    stream = PDFStream(content=words.encode("ascii"))
    if doc.compression:
        stream.filters = [PDFZCompress]
    return stream


def _map(texts: Sequence[str]) -> str:
    """Which letters each code stands for."""
    rows = [f"<{code:02x}> <{text.encode('utf-16-be').hex()}>" for code, text in enumerate(texts)]
    lists = [rows[start : start + _LISTED] for start in range(0, len(rows), _LISTED)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <00> <ff> endcodespacerange",
            *(line for some in lists for line in (f"{len(some)} beginbfchar", *some, "endbfchar")),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )
