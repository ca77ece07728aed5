"""HEIC and AVIF files made for tests, byte by byte; shares nothing with medimg's writer."""

from __future__ import annotations

import base64
import io
import struct

import hevc_kit
from PIL import Image

TILE = 64

# Two pictures of 64 x 64 pixels, coded by x265 with the same parameter sets: a smooth one, and one with a name.
X265 = base64.b64decode(
    "AQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgIa"
    "DAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQA=="
)
"""Their configuration as the encoder wrote it, which says how many pictures a second has."""
HVCC = hevc_kit.record(
    hevc_kit.unit(hevc_kit.VPS, hevc_kit.video()),
    hevc_kit.unit(hevc_kit.SPS, hevc_kit.sequence()),
    hevc_kit.unit(hevc_kit.PPS, hevc_kit.picture()),
)
"""The same as a copy has it."""
SMOOTH = base64.b64decode("AAAANygBr1j5D6CvqLMelUEULL/bUXK8/jPZkIV+Q0xvUyjqIPfrJrcdnY+JOMeHFyqlZ6ZYnUwlZUA=")
NAME = base64.b64decode(
    "AAABLCgBr1ikQ1ZUUBxGixZB5FKjJb/d8/UQGo92HB/kie9xC0rBA8G4rcjwT0jeeIwNuYvaIrKWsKEdhgDYmRq2gjvC9XRE2piSPfzu09Va6s0+UIIT"
    "NPaRN/bg9Y5DeC/xqAn5PzxVj9JohrIU90rWxJhWAan8veImYqddizftQAky2QYLFtiAUwwmUDZoBg4eGYX6QAopFB32YkIomybcGFT52XCpoTrjmbSA"
    "9gZSHF+CY+Bjuzn/ctRbr0IKHP/+I4lcj7t73OhB8dCgJf5azyzNLbkvA7jFuuQybWgAAHy69ikYBSwppeavXjkgcCz7RYzRr1mgt0JokMGnR05+JjNU"
    "ZwFZsq58LluzncXRetIsU95wTDEwDP7JOYGCqTPPiy0zSB2pmhfJxiDewA=="
)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def ispe(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


Item = tuple[bytes, bytes, list[bytes]]


def heif(
    brand: bytes,
    items: list[Item],
    tiles: list[int] | dict[int, list[int]] | None = None,
    essential: tuple[bytes, ...] = (),
) -> bytes:
    """A file as medimg writes it: type, payload and property boxes of each item; the first may be made of others.

    ``tiles``: of what the first is made, or of each that is made of others.
    """
    derived = tiles if isinstance(tiles, dict) else {1: tiles} if tiles else {}
    references = [box(b"dimg", struct.pack(f">HH{len(of)}H", n, len(of), *of)) for n, of in derived.items()]
    properties = list(dict.fromkeys(p for _, _, own in items for p in own))
    essential = (b"hvcC", b"av1C", b"irot", b"imir", *essential)
    rows = []
    for number, (_, _, own) in enumerate(items, 1):
        marks = (properties.index(p) + 1 | (p[4:8] in essential) << 15 for p in own)
        rows.append(struct.pack(f">HB{len(own)}H", number, len(own), *marks))
    infos = [full(b"infe", struct.pack(">HH4s", n, 0, i[0]), b"\0", version=2) for n, i in enumerate(items, 1)]
    static = [
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iinf", struct.pack(">H", len(infos)), *infos),
        full(b"iref", *references) if references else b"",
        box(b"iprp", box(b"ipco", *properties), full(b"ipma", struct.pack(">I", len(rows)), *rows, flags=1)),
    ]
    ftyp = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    at = len(ftyp) + 12 + sum(map(len, static)) + 16 + 14 * len(items) + 8
    places = b""
    for number, (_, payload, _) in enumerate(items, 1):
        places += struct.pack(">HHHII", number, 0, 1, at, len(payload))
        at += len(payload)
    iloc = full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), places)
    return ftyp + full(b"meta", *static, iloc) + box(b"mdat", *(payload for _, payload, _ in items))


def av1(picture: Image.Image) -> tuple[bytes, bytes]:
    """Coded bytes of a picture without temporal delimiters, and its configuration box."""
    out = io.BytesIO()
    picture.save(out, "AVIF", quality=80, subsampling="4:2:0")
    file = out.getvalue()
    config = file.index(b"av1C") - 4
    media = file.rindex(b"mdat") + 4
    payload = file[media:]
    return payload[2:] if payload[:2] == b"\x12\0" else payload, file[
        config : config + int.from_bytes(file[config:][:4])
    ]


def grid(picture: Image.Image, width: int, height: int, brand: bytes = b"avif") -> bytes:
    """Square tiles of a picture under a canvas."""
    side = 128
    columns, rows = picture.width // side, picture.height // side
    items: list[Item] = [
        (b"grid", struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, width, height), [ispe(width, height)])
    ]
    for y in range(0, picture.height, side):
        for x in range(0, picture.width, side):
            payload, config = av1(picture.crop((x, y, x + side, y + side)))
            items.append((b"av01", payload, [config, ispe(side, side)]))
    return heif(brand, items, list(range(2, len(items) + 1)))


def grid_of_two() -> bytes:
    """Two tiles of 64 x 64 pixels side by side, under a canvas of their size."""
    items: list[Item] = [(b"grid", struct.pack(">4B2H", 0, 0, 0, 1, 2 * TILE, TILE), [ispe(2 * TILE, TILE)])]
    items += [(b"hvc1", SMOOTH, [box(b"hvcC", HVCC), ispe(TILE, TILE)])] * 2
    return heif(b"heic", items, [2, 3])
