"""TIFF, HEIF and JPEG 2000 files with one thing hidden in one place each; see :mod:`medimg.selftest.hiding`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from PIL import TiffImagePlugin

from medimg.formats import tiff
from medimg.formats.shared.bmff import box, full_box
from medimg.formats.tiff._file import build
from medimg.selftest import hiding as h
from medimg.selftest.hiding import (
    C2PA_UUID,
    GPS_XMP,
    JUMBF,
    MARK,
    XMP,
    Case,
    blocks,
    iim,
    irb,
    mp4,
    picture,
    profile,
    saved,
)
from medimg.types import Limits


def tiffs() -> Iterator[Case]:
    """TIFF: fields, directories, pages, gaps."""
    for name, options in (
        ("strips", {}),
        ("deflate", {"compression": "tiff_adobe_deflate"}),
        ("LZW", {"compression": "tiff_lzw"}),
    ):
        plain = saved(picture(), "TIFF", **options)
        tags: dict[str, dict[int, object]] = {
            "description, artist, times": {270: MARK.decode(), 315: MARK.decode(), 306: "2024:03:01 10:00:00"},
        }
        if name == "strips":
            tags |= {
                "XMP": {700: GPS_XMP},
                "IPTC": {33723: iim((80, MARK))},
                "image resources": {34377: irb(0x0404, iim((80, MARK)))[18:]},
                "private field": {65001: MARK},
                "content credential (C2PA)": {52545: JUMBF},
            }
        for place, fields in tags.items():
            info = dict(fields)
            yield Case(f"TIFF, {name}", place, saved(picture(), "TIFF", tiffinfo=_directory(info), **options), plain)
        yield Case(f"TIFF, {name}", "bytes of no field", plain + MARK, plain)
    for name, packing, code in (("LZW", "tiff_lzw", 5), ("PackBits", "packbits", 32773)):
        packed = _only_strip(saved(picture(), "TIFF", compression=packing))
        yield Case(f"TIFF, {name}", "behind the picture in a strip", _made(packed + MARK, code), _made(packed, code))
    plain = saved(picture(), "TIFF")
    pages = [picture(90)]
    yield Case("TIFF, strips", "further pages", saved(picture(), "TIFF", save_all=True, append_images=pages), plain)
    for place, tag, entry in (
        ("second picture in a SubIFD", 330, struct.pack("<HHI", 270, 2, len(MARK))),
        ("EXIF directory", 34665, struct.pack("<HHI", 0xA431, 2, len(MARK))),
        ("GPS directory", 34853, struct.pack("<HHI", 27, 7, len(MARK))),
    ):
        yield Case("TIFF, strips", place, sub_directory(plain, tag, entry), plain)
    yield Case(
        "TIFF, BigTIFF", "description", saved(picture(), "TIFF", big_tiff=True, description=MARK.decode()), plain
    )


def jp2s() -> Iterator[Case]:
    """JPEG 2000: boxes, and segments of the codestream."""
    plain = saved(picture(), "JPEG2000", irreversible=False)
    for place, extra in {
        "XMP (uuid box)": box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), GPS_XMP),
        "XML box": box(b"xml ", XMP),
        "EXIF with GPS (uuid box)": box(b"uuid", b"JpgTiffExif->JP2", blocks()["EXIF GPS directory"]),
        "IPTC (uuid box)": box(b"uuid", bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"), iim((80, MARK))),
        "GeoTIFF (uuid box)": box(b"uuid", bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03"), MARK),
        "content credential": box(b"jumb", MARK),
        "rights": box(b"jp2i", MARK),
        "unknown box": box(b"prvt", MARK),
    }.items():
        yield Case("JPEG 2000", place, plain + extra, plain)
    start = plain.index(b"jp2c") - 4
    stream = plain[start + 8 :]
    yield Case("JPEG 2000", "bytes behind the codestream", plain[:start] + box(b"jp2c", stream, MARK), plain)
    comment = b"\xff\x64" + struct.pack(">HH", 4 + len(MARK), 1) + MARK
    tile = stream.index(b"\xff\x90")
    yield Case("JPEG 2000", "comment", plain[:start] + box(b"jp2c", stream[:tile], comment, stream[tile:]), plain)
    length = int.from_bytes(stream[tile + 6 : tile + 10]) + len(comment)
    head = stream[tile : tile + 6] + length.to_bytes(4) + stream[tile + 10 : tile + 12] + comment
    hidden = box(b"jp2c", stream[:tile], head, stream[tile + 12 :])
    yield Case("JPEG 2000", "comment in a tile", plain[:start] + hidden, plain)
    yield Case("JPEG 2000", "resolution", _in_header(plain, box(b"res ", box(b"resc", bytes(10)))), plain)
    named, bare = (b"\2\0\0" + profile(text) for text in (MARK.decode(), ""))
    at = plain.index(b"colr") - 4
    colour = plain[at : at + 15]
    loaded, clean = (_in_header(plain.replace(colour, b""), box(b"colr", raw)) for raw in (named, bare))
    yield Case("JPEG 2000", "colour profile: text, date, ids", loaded, clean)
    codestream = saved(picture(), "JPEG2000", irreversible=False, no_jp2=True)
    tile = codestream.index(b"\xff\x90")
    loaded = codestream[:tile] + comment + codestream[tile:]
    yield Case("JPEG 2000, codestream", "comment", loaded, codestream)
    yield Case("JPEG 2000, codestream", "bytes after the end", codestream + MARK, codestream)


def _only_strip(data: bytes) -> bytes:
    (at, size), *_ = tiff.open(data, Limits()).chunks
    return data[at : at + size]


def _made(packed: bytes, code: int) -> bytes:
    """A TIFF of one packed strip."""
    width, height = picture().size
    numbers = {256: width, 257: height, 259: code, 262: 2, 277: 3, 278: height}
    fields = {tag: (4, struct.pack("<I", value)) for tag, value in numbers.items()}
    fields[258] = (3, struct.pack("<3H", 8, 8, 8))
    return bytes(build("<", fields, [packed], offsets=273, counts=279))


def _in_header(plain: bytes, extra: bytes) -> bytes:
    """A box more in the header of a JP2 file."""
    at = plain.index(b"jp2h") - 4
    inner = plain.index(b"ihdr") - 4
    end = plain.index(b"jp2c") - 4
    return plain[:at] + box(b"jp2h", plain[inner:end], extra) + plain[end:]


def _directory(fields: dict[int, object]) -> object:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in fields.items():
        info[tag] = value
        info.tagtype[tag] = 7 if isinstance(value, bytes) else 2
    return info


def sub_directory(plain: bytes, tag: int, entry: bytes) -> bytes:
    """The same file, its directory moved to the end, with a field that points at a directory of one entry of text."""
    (at,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, at)
    entries = [plain[at + 2 + 12 * k : at + 14 + 12 * k] for k in range(count)]
    end = len(plain) + len(plain) % 2
    second = struct.pack("<H", 1) + entry + struct.pack("<II", end + 18, 0) + MARK + bytes(len(MARK) % 2)
    entries.append(struct.pack("<HHII", tag, 4, 1, end))
    entries.sort(key=lambda e: struct.unpack_from("<H", e)[0])
    start = end + len(second)
    table = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return plain[:4] + struct.pack("<I", start) + plain[8:].ljust(end - 8, b"\0") + second + table


class Part(NamedTuple):
    """An item of a HEIF file besides the picture: type, payload, what stands in its table entry, reference to it."""

    type: bytes
    payload: bytes
    entry: bytes = b"\0"
    reference: bytes = b"cdsc"
    aux: bytes = b""


def heif(
    parts: tuple[Part, ...] = (),
    *,
    handler: bytes = b"\0",
    more: tuple[bytes, ...] = (),
    tail: bytes = b"",
    hevc: tuple[bytes, bytes] | None = None,
) -> bytes:
    """An AVIF file of the picture with further items, properties and boxes, laid out as phones do.

    ``hevc``: a configuration record and coded data to have in place of the picture.
    """
    source = saved(picture(), "AVIF", quality=90)
    coded = source[source.index(b"mdat") + 4 :]
    av1c = source[source.index(b"av1C") - 4 :]
    av1c = av1c[: int.from_bytes(av1c[:4], "big")]
    if hevc:
        av1c, coded = box(b"hvcC", hevc[0]), hevc[1]
    kind, brands = (b"hvc1", b"heicmif1miaf") if hevc else (b"av01", b"avifmif1miaf")
    size = full_box(b"ispe", 0, struct.pack(">II", 64, 48))
    depth = full_box(b"pixi", 0, b"\3\x08\x08\x08")
    auxes = [full_box(b"auxC", 0, p.aux + b"\0") for p in parts if p.aux]
    properties = [size, av1c, depth, *more, *auxes]
    payloads = [coded, *(p.payload for p in parts)]
    infos = [full_box(b"infe", 2, struct.pack(">HH4s", 1, 0, kind), b"\0")]
    shaping = [n | 0x80 * (prop[4:8] in (b"clap", b"irot", b"imir")) for n, prop in enumerate(more, 4)]
    links = [struct.pack(">HB", 1, 3 + len(more)) + bytes([1, 0x82, 3, *shaping])]
    aux_at = 4 + len(more)
    references = []
    for number, part in enumerate(parts, 2):
        infos.append(full_box(b"infe", 2, struct.pack(">HH4s", number, 0, part.type), part.entry))
        references.append(box(part.reference, struct.pack(">HHH", number, 1, 1)))
        if part.type == b"av01":
            extra = [aux_at] if part.aux else []
            aux_at += bool(part.aux)
            links.append(struct.pack(">HB", number, 3 + len(extra)) + bytes([1, 0x82, 3, *extra]))

    def meta(start: int) -> bytes:
        places = b""
        for number, payload in enumerate(payloads, 1):
            places += struct.pack(">HHHII", number, 0, 1, start, len(payload))
            start += len(payload)
        return full_box(
            b"meta", 0,
            full_box(b"hdlr", 0, bytes(4), b"pict", bytes(12), handler),
            full_box(b"pitm", 0, struct.pack(">H", 1)),
            full_box(b"iinf", 0, struct.pack(">H", len(infos)), *infos),
            *([full_box(b"iref", 0, *references)] if references else []),
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", 0, struct.pack(">I", len(links)), *links)),
            full_box(b"iloc", 0, b"\x44\0", struct.pack(">H", len(payloads)), places),
        )  # fmt: skip

    ftyp = box(b"ftyp", brands[:4], bytes(4), brands)
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", *payloads) + tail


def heifs() -> Iterator[Case]:
    """HEIF (coded as AVIF): items, properties, boxes."""
    plain = heif()
    second = saved(picture(40), "AVIF", quality=90)
    coded = second[second.index(b"mdat") + 4 :]
    block = blocks()
    depth, gain = b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", b"urn:com:apple:photo:2020:aux:hdrgainmap"
    for place, data in {
        "Exif item with GPS": heif((Part(b"Exif", bytes(4) + block["EXIF GPS directory"]),)),
        "Exif item with maker note": heif((Part(b"Exif", bytes(4) + block["EXIF maker note"]),)),
        "XMP item": heif((Part(b"mime", GPS_XMP, b"\0application/rdf+xml\0"),)),
        "content credential item": heif((Part(b"mime", JUMBF, b"\0application/c2pa\0"),)),
        "item of an unknown type": heif((Part(b"priv", MARK),)),
        "item name": heif((Part(b"Exif", bytes(4) + block["EXIF UserComment"], MARK + b"\0"),)),
        "thumbnail": heif((Part(b"av01", coded, reference=b"thmb"),)),
        "depth map": heif((Part(b"av01", coded, reference=b"auxl", aux=depth),)),
        "gain map": heif((Part(b"av01", coded, reference=b"auxl", aux=gain),)),
        "handler name": heif(handler=MARK + b"\0"),
        "description property": heif(more=(full_box(b"udes", 0, b"en\0" + MARK + b"\0\0\0"),)),
        "content credential (uuid box)": heif(tail=box(b"uuid", C2PA_UUID, JUMBF)),
        "XMP (uuid box)": heif(tail=box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP)),
        "motion photo video (mpvd box)": heif(tail=box(b"mpvd", mp4())),
        "free box with content": heif(tail=box(b"free", MARK)),
        "bytes of no item": heif(tail=box(b"mdat", MARK)),
    }.items():
        yield Case("HEIF", place, data, plain)


def all_cases() -> Iterator[Case]:
    """Every file, format by format."""
    for make in (h.jpegs, h.pngs, heifs, tiffs, h.webps, h.gifs, h.bmps, jp2s, h.profiles):
        yield from make()
