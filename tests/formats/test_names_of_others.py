"""Four letters that somebody chose for a chunk, a box or an application could be a surname: nothing says them."""

from __future__ import annotations

import io
import struct
import zlib

import heif_kit
import pytest
from heif_kit import box
from PIL import Image

import medimg
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.types import to_json


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 32), (200, 150, 130)).save(file, form)
    return file.getvalue()


def png(name: bytes, *, checked: bool = True) -> bytes:
    data = encoded("PNG")
    crc = zlib.crc32(name + b"KHAN") if checked else 0
    return data[:33] + struct.pack(">I4s4sI", 4, name, b"KHAN", crc) + data[33:]


def webp(name: bytes) -> bytes:
    body = encoded("WEBP")[8:] + name + struct.pack("<I", 4) + b"KHAN"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heic(item: bytes = b"hvc1", more: bytes = b"", found: bytes = b"", put: bytes = b"") -> bytes:
    own = [box(b"hvcC", heif_kit.HVCC), heif_kit.ispe(64, 64), box(b"KHAN", b"KHAN"), box(b"uuid", b"KHAN" * 4)]
    items = [(b"hvc1", heif_kit.SMOOTH, own), (item, b"KHAN", [])]
    return heif_kit.heif(b"heic", items).replace(found, put, 1 if found else 0) + more


def jpeg(marker: int) -> bytes:
    data = encoded("JPEG")
    return data[:2] + struct.pack(">BBH", 0xFF, marker, 11) + b"KHAN\0KHAN" + data[2:]


FILES = {
    **{f"png {n}": png(n.encode()) for n in ("kHAN", "khAN", "khAn", "KHAN")},
    "png, damaged": png(b"khAn", checked=False),
    "webp": webp(b"KHAN"),
    "heic, item and property": heic(b"KHAN"),
    "heic, behind": heic(more=box(b"KHAN", b"KHAN")),
    "heic, in meta": heic(found=box(b"hdlr"), put=box(b"KHAN")),
    "heic, brand": heic(found=b"mif1", put=b"KHAN"),
    "jp2": encoded("JPEG2000") + box(b"KHAN", b"KHAN"),
    "gif": encoded("GIF")[:-1] + b"\x21\xff\x0bKHANKHAN1.0\x04KHAN\0;",
    "bmp": encoded("BMP") + b"KHAN",
    **{f"jpeg {marker:X}": jpeg(marker) for marker in (*range(0xE0, 0xF0), 0xFE)},
    "mp4": box(b"ftyp", b"KHAN", bytes(4), b"KHAN") + box(b"moov", b"KHAN"),
    "riff": b"RIFF" + struct.pack("<I", 12) + b"KHAN" * 3,
}


@pytest.mark.parametrize("name", FILES)
def test_no_report_and_no_message_says_a_name_that_somebody_else_chose(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tool = medimg.Scrubber(Policy(scope="metadata-only"))
    said = [to_json(tool.scrub(FILES[name]).report).decode()]
    for look in (tool.inspect, tool.verify):
        try:
            made = look(FILES[name])
            said.append(to_json(made).decode())
        except MedimgError as error:
            said.append(f"{error!r} {error} {error.todo} {error.fault}")
    everything = " ".join([*said, *capfd.readouterr()]).lower()
    assert not any(four in everything for four in ("khan", "4b48414e"))


def test_names_of_the_standard_are_still_said() -> None:
    found = medimg.Scrubber(Policy(scope="metadata-only")).inspect(png(b"tIME"))
    assert [a.finding.where for a in found.actions] == ["tIME"]
