"""Files with one thing hidden in one place each, for the self-test and the table of docs/formats.md."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from medimg.formats.shared.bmff import box

MARK = b"PlantedZq7Value"
XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description dc:creator='" + MARK + b"'/></rdf:RDF></x:xmpmeta>"
)
GPS_XMP = XMP.replace(b"dc:creator", b"exif:GPSLatitude='36,50.9S' dc:creator")
JUMBF = struct.pack(">I4s", 40, b"jumb") + struct.pack(">I4s", 32, b"jumd") + b"c2pa\0\x11\0\x10" + MARK + b"\0"
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


class Case(NamedTuple):
    """A file with something hidden, the same file without it, and where it hides."""

    format: str
    place: str
    data: bytes
    plain: bytes


def picture(shift: int = 0) -> Image.Image:
    """A small colourful picture."""
    y, x = np.mgrid[0:48, 0:64]
    rgb = np.dstack((x * 4, y * 5, (x + y + shift) * 2)).astype(np.uint8)
    return Image.fromarray(rgb)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """An encoded picture."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# -- EXIF -------------------------------------------------------------------------------------------------------------


def exif(order: str, *fields: tuple[str, int, int, bytes], thumbnail: bytes = b"") -> bytes:
    """An EXIF block: (directory ``0``, ``exif`` or ``gps``, tag, type, value) and a thumbnail in a second directory."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    groups: dict[str, list[tuple[int, int, bytes]]] = {"0": [], "exif": [], "gps": []}
    for where, tag, kind, value in fields:
        groups[where].append((tag, kind, value))
    pointers = {"exif": 0x8769, "gps": 0x8825}
    used = [g for g in ("exif", "gps") if groups[g]]
    groups["0"] += [(pointers[g], 4, b"????") for g in used]
    if thumbnail:
        groups["1"] = [(0x0103, 3, struct.pack(f"{order}H", 6)), (0x0201, 4, b"????"), (0x0202, 4, b"????")]
        used.append("1")
    length = {
        g: 2 + 12 * len(f) + 4 + sum(len(v) + len(v) % 2 for _, _, v in f if len(v) > 4) for g, f in groups.items()
    }
    at, starts = 8, {}
    for group in ("0", *used):
        starts[group] = at
        at += length[group]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    known = {0x8769: starts.get("exif", 0), 0x8825: starts.get("gps", 0), 0x0201: at, 0x0202: len(thumbnail)}
    for group in ("0", *used):
        entries, values = b"", b""
        behind = starts[group] + 2 + 12 * len(groups[group]) + 4
        for tag, kind, raw in sorted(groups[group]):
            value = struct.pack(f"{order}I", known[tag]) if raw == b"????" else raw
            entries += struct.pack(f"{order}HHI", tag, kind, len(value) // sizes[kind])
            if len(value) > 4:
                entries += struct.pack(f"{order}I", behind + len(values))
                values += value + b"\0" * (len(value) % 2)
            else:
                entries += value.ljust(4, b"\0")
        following = starts["1"] if group == "0" and thumbnail else 0
        out += struct.pack(f"{order}H", len(groups[group])) + entries + struct.pack(f"{order}I", following) + values
    return out + thumbnail


def blocks() -> dict[str, bytes]:
    """EXIF blocks by what they hide."""
    degrees = {o: struct.pack(f"{o}6I", 36, 1, 50, 1, 54, 1) for o in "<>"}
    little = saved(picture().resize((32, 24)), "JPEG", comment=MARK)
    return {
        "EXIF, little endian: owner, device": exif("<", ("0", 0x010F, 2, MARK + b"\0"), ("0", 0x013B, 2, MARK + b"\0")),
        "EXIF, big endian: times, serial number": exif(
            ">", ("exif", 0x9003, 2, b"2024:03:01 10:00:00\0"), ("exif", 0xA431, 2, MARK + b"\0")
        ),
        "EXIF GPS directory": exif("<", ("gps", 1, 2, b"S\0"), ("gps", 2, 5, degrees["<"]), ("gps", 27, 7, MARK)),
        "EXIF UserComment": exif(">", ("exif", 0x9286, 7, b"ASCII\0\0\0" + MARK)),
        "EXIF maker note": exif("<", ("exif", 0x927C, 7, b"Apple iOS\0\0\1MM" + MARK * 4)),
        "EXIF thumbnail": exif("<", ("0", 0x010F, 2, b"Maker\0"), thumbnail=little),
    }


# -- JPEG -------------------------------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def irb(number: int, payload: bytes) -> bytes:
    """A Photoshop image resource in its segment."""
    resource = b"8BIM" + struct.pack(">HHI", number, 0, len(payload)) + payload + b"\0" * (len(payload) % 2)
    return segment(0xED, b"Photoshop 3.0\0" + resource)


def iim(*sets: tuple[int, bytes]) -> bytes:
    """IPTC data sets of record 2."""
    return b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in sets)


def mp4() -> bytes:
    """The boxes of a short video without pictures."""
    return (
        box(b"ftyp", b"mp42", bytes(4), b"isom")
        + box(b"moov", box(b"udta", box(b"\xa9xyz", MARK)))
        + box(b"mdat", MARK)
    )


def zipped() -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(MARK.decode(), MARK)
    return out.getvalue()


def jpegs() -> Iterator[Case]:
    """JPEG: segments, and bytes round the picture."""
    plain = saved(picture(), "JPEG", quality=90)
    second = saved(picture(40), "JPEG", comment=MARK)
    mpf = b"MPF\0MM\0*\0\0\0\x08" + struct.pack(">H", 2) + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    mpf += struct.pack(">HHII", 0xB001, 4, 1, 2) + bytes(4)
    inside: dict[str, bytes] = {place: segment(0xE1, b"Exif\0\0" + block) for place, block in blocks().items()}
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"0123456789ABCDEF" * 2 + struct.pack(">II", len(XMP), 0) + XMP
    inside |= {
        "XMP: GPS, creator": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + GPS_XMP),
        "extended XMP": segment(0xE1, extended),
        "IPTC in image resources": irb(0x0404, iim((80, MARK), (90, b"Auckland"), (92, MARK))),
        "thumbnail in image resources": irb(0x040C, struct.pack(">6I2H", 1, 32, 24, 96, 2304, 9, 24, 1) + second),
        "comment": segment(0xFE, MARK),
        "JFXX thumbnail": segment(0xE0, b"JFXX\0\x10" + second),
        "content credential (C2PA)": segment(0xEB, b"JP\0\1\0\0\0\1" + JUMBF),
        "FLIR thermal data": segment(0xE1, b"FLIR\0\1\0\0FFF\0" + MARK),
        "Ricoh": segment(0xE5, b"RMETA\0MM" + MARK),
        "Samsung": segment(0xE4, b"ssuniqueid\0" + MARK),
        "DJI": segment(0xE4, b"\xaa\x55\x12\x06" + MARK),
        "Apple depth and HDR": segment(0xEA, b"AROT\0\0" + MARK),
        "unknown application segment": segment(0xE9, MARK),
    }
    for place, block in inside.items():
        yield Case("JPEG", place, plain[:2] + block + plain[2:], plain)
    samsung = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data" + MARK
    sef = (
        samsung
        + b"SEFH"
        + struct.pack("<IIHHII", 106, 1, 0, 0x0A01, len(samsung), len(samsung))
        + struct.pack("<I", 24)
    )
    mpo = plain[:2] + segment(0xE2, mpf) + plain[2:]
    for place, data in {
        "second picture (MPF)": mpo + second,
        "trailer, Samsung": plain + sef + b"SEFT",
        "trailer, motion photo (MP4)": plain + mp4(),
        "trailer, ZIP": plain + zipped(),
        "trailer, rest of an earlier longer file": plain + second[len(second) // 2 :],
        "bytes before the start": b"\r\n" + plain,
    }.items():
        yield Case("JPEG", place, data, plain)


def profile(note: str) -> bytes:
    """A small RGB matrix profile (sRGB primaries, gamma 2.2) whose description and copyright carry ``note``."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    text = note.encode()
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78
    blocks = {
        b"desc": desc,
        b"cprt": b"text\0\0\0\0" + text + b"\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(0.4361, 0.2225, 0.0139),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(0.3851, 0.7169, 0.0971),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(0.1431, 0.0606, 0.7141),
        b"rTRC": b"curv\0\0\0\0\0\0\0\x01\x02\x33",
        b"gTRC": b"curv\0\0\0\0\0\0\0\x01\x02\x33",
        b"bTRC": b"curv\0\0\0\0\0\0\0\x01\x02\x33",
    }
    table, body, offset = b"", b"", 128 + 4 + 12 * len(blocks)
    for name, block in blocks.items():
        padded = block + b"\0" * (-len(block) % 4)
        table += name + struct.pack(">II", offset + len(body), len(block))
        body += padded
    size = offset + len(body)
    head = struct.pack(
        ">I4sI4s4s4s6H4s", size, b"FXTR", 0x02400000, b"mntr", b"RGB ", b"XYZ ", 2031, 2, 17, 9, 41, 7, b"acsp"
    )
    head += b"APPL" + b"\0" * 4 + b"FXCM" + b"MDL1" + b"\0" * 8 + b"\0" * 4 + fixed(0.9642, 1.0, 0.8249) + b"FXTR"
    return head.ljust(128, b"\0") + struct.pack(">I", len(blocks)) + table + body


def profiles() -> Iterator[Case]:
    """Text in a colour profile, in every container that carries one."""
    named, bare = profile(MARK.decode()), profile("")
    place = "colour profile: text, date, ids"
    options: dict[str, dict[str, object]] = {"JPEG": {}, "PNG": {}, "TIFF": {}, "WebP": {"lossless": True}, "AVIF": {}}
    for kind, extra in options.items():
        name = {"AVIF": "HEIF", "TIFF": "TIFF, strips", "WebP": "WebP, lossless"}.get(kind, kind)
        data = saved(picture(), kind.upper(), icc_profile=named, **extra)
        yield Case(name, place, data, saved(picture(), kind.upper(), icc_profile=bare, **extra))


# -- PNG, WebP, GIF, BMP ----------------------------------------------------------------------------------------------


def chunk(kind: bytes, payload: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def pngs() -> Iterator[Case]:
    """PNG: chunks, frames, and what is under alpha 0."""
    plain = saved(picture(), "PNG")
    for place, block in {
        "tEXt": chunk(b"tEXt", b"Author\0" + MARK),
        "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MARK)),
        "iTXt with XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + GPS_XMP),
        "eXIf with GPS": chunk(b"eXIf", blocks()["EXIF GPS directory"]),
        "tIME": chunk(b"tIME", struct.pack(">HBBBBB", 2024, 3, 1, 10, 0, 0)),
        "content credential (caBX)": chunk(b"caBX", JUMBF),
        "private chunk": chunk(b"prVt", MARK),
    }.items():
        yield Case("PNG", place, plain[:33] + block + plain[33:], plain)
    yield Case("PNG", "bytes after the end", plain + MARK, plain)
    yield Case("PNG", "bytes behind the picture data", _longer_idat(plain), plain)
    frames = [picture(90)]
    yield Case("PNG", "further frames (APNG)", saved(picture(), "PNG", save_all=True, append_images=frames), plain)
    rgba = picture().convert("RGBA")
    holes = np.asarray(rgba).copy()
    holes[:24, :, 3] = 0
    shown = holes.copy()
    shown[holes[..., 3] == 0] = 0
    yield Case(
        "PNG", "colours under alpha 0", saved(Image.fromarray(holes), "PNG"), saved(Image.fromarray(shown), "PNG")
    )
    mapped = picture().quantize(16)
    colours = (mapped.getpalette() or [])[:48]
    spare = mapped.copy()
    spare.putpalette(colours + list(MARK) + [0] * (-len(MARK) % 3))
    yield Case("PNG", "unused palette entries", saved(spare, "PNG", bits=8), saved(mapped, "PNG", bits=8))


def _longer_idat(plain: bytes) -> bytes:
    at = plain.index(b"IDAT") - 4
    size = int.from_bytes(plain[at : at + 4], "big")
    return plain[:at] + chunk(b"IDAT", plain[at + 8 : at + 8 + size] + MARK) + plain[at + 12 + size :]


def webps() -> Iterator[Case]:
    """WebP: chunks and frames."""
    block = blocks()["EXIF GPS directory"]
    for coding, options in (("lossy", {"quality": 80}), ("lossless", {"lossless": True})):
        plain = saved(picture(), "WEBP", **options)
        extra = {"EXIF": saved(picture(), "WEBP", exif=block, **options)}
        extra["XMP"] = saved(picture(), "WEBP", xmp=GPS_XMP, **options)
        extra["content credential (C2PA)"] = riff(plain, b"C2PA", JUMBF)
        extra["unknown chunk"] = riff(plain, b"priv", MARK)
        extra["bytes after the end"] = plain + MARK
        for place, data in extra.items():
            yield Case(f"WebP, {coding}", place, data, plain)
    moving = saved(picture(), "WEBP", lossless=True, save_all=True, append_images=[picture(90)], xmp=XMP)
    yield Case("WebP, animated", "further frames, XMP", moving, saved(picture(), "WEBP", lossless=True))


def riff(plain: bytes, kind: bytes, payload: bytes) -> bytes:
    """The same WebP file in extended form, with one chunk more."""
    body = plain[12:]
    if body[:4] != b"VP8X":
        body = b"VP8X" + struct.pack("<II", 10, 0) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little") + body
    body += kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gifs() -> Iterator[Case]:
    """GIF: extensions, frames, palette."""
    plain = saved(picture().quantize(200), "GIF")
    at = plain.index(b"\x2c", 13 + 3 * (2 << (plain[10] & 7)))
    extension = plain[:at]
    head = extension[: extension.rindex(b"\x21\xf9")] if b"\x21\xf9" in extension else extension
    rest = plain[len(head) :]
    sub = bytes([len(MARK)]) + MARK + b"\0"
    yield Case("GIF", "comment", head + b"\x21\xfe" + sub + rest, plain)
    yield Case("GIF", "application extension", head + b"\x21\xff\x0bXMP DataXMP" + sub + rest, plain)
    yield Case("GIF", "bytes after the end", plain + MARK, plain)
    moving = saved(picture(), "GIF", save_all=True, append_images=[picture(90)])
    yield Case("GIF", "further frames", moving, saved(picture(), "GIF"))


def bmps() -> Iterator[Case]:
    """BMP: gaps and padding."""
    image = picture().crop((0, 0, 63, 48))  # rows of 189 bytes, padded to 192
    plain = saved(image, "BMP")
    padded = bytearray(plain)
    for row in range(48):
        padded[54 + 192 * row + 189 : 54 + 192 * row + 192] = MARK[:3]
    yield Case("BMP", "row padding", bytes(padded), plain)
    yield Case("BMP", "bytes after the end", plain + MARK, plain)
    gap = plain[:10] + struct.pack("<I", 54 + len(MARK)) + plain[14:54] + MARK + plain[54:]
    yield Case("BMP", "gap before the pixels", gap, plain)
