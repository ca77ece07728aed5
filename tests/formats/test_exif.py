"""EXIF, XMP, IPTC: everything is reported by kind, names are kept in memory for matching, and nothing hangs."""

from __future__ import annotations

import struct

import piexif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medimg.formats.shared import exif, iptc, xmp
from medimg.types import Finding, to_json

NAME = "Quentin Zobrist"


def counts(found: list[Finding]) -> dict[tuple[str, str], int]:
    return {(f.category, f.where): f.count for f in found}


def categories(found: list[Finding]) -> set[str]:
    return {f.category for f in found}


def field(order: str, tag: int, kind: int, many: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HHI", tag, kind, many) + value.ljust(4, b"\0")


def tiff(order: str, *fields: bytes, after: int = 0, tail: bytes = b"") -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(fields))
    return head + b"".join(fields) + struct.pack(f"{order}I", after) + tail


THUMBNAIL = b"\xff\xd8\xff\xdb\0\4ab\xff\xda\0\4cd\0\xff\xd9"
FULL = piexif.dump(
    {
        "0th": {0x010F: b"Make", 0x0110: b"Model", 0x013B: NAME.encode(), 0x8298: b"Practice of " + NAME.encode(),
                0x010E: b"left forearm", 0x0112: 6, 0x9C9B: "Zobrist".encode("utf-16-le")},
        "Exif": {0xA431: b"SN12345", 0xA430: b"Owner " + NAME.encode(), 0x9286: b"ASCII\0\0\0bed 12",
                 0x9003: b"2024:01:02 03:04:05",
                 0x927C: b"Maker\xff\xd8\xff\xe0preview\xff\xd9", 0xA420: b"f" * 32},
        "GPS": {1: b"S", 2: ((36, 1), (50, 1), (10, 1))},
        "1st": {0x0103: 6, 0x010F: b"Make"},
        "thumbnail": THUMBNAIL,
    }
)[6:]  # fmt: skip


def test_every_directory_is_read() -> None:
    found = exif.findings(FULL, "X")
    told = counts(found)
    assert told["device", "X/IFD0"] == 2
    assert told["owner", "X/IFD0"] == 2
    assert told["caption", "X/IFD0"] == 2
    assert told["device", "X/IFD1"] == 1
    for category in ("serial", "owner", "comment", "capture-time", "maker-note", "id"):
        assert told[category, "X/Exif"] == 1
    assert told["location", "X/GPS"] >= 2
    hidden = {(f.category, f.where) for f in found if f.kind == "hidden-image"}
    assert hidden == {("thumbnail", "X/IFD1"), ("preview", "X/Exif/MakerNote")}


def test_names_are_kept_in_memory_and_nowhere_else() -> None:
    found = exif.findings(FULL, "X")
    owner = next(f for f in found if f.category == "owner" and f.where == "X/IFD0")
    assert owner.secret.reveal().split("\n") == [NAME, f"Practice of {NAME}"]
    assert any("Zobrist" in f.secret.reveal() for f in found if f.category == "caption")
    for f in found:
        text = repr(f) + to_json(f).decode()
        assert "Zobrist" not in text
        assert "bed 12" not in text


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(order: str) -> None:
    block = tiff(order, field(order, 0x0112, 3, 1, struct.pack(f"{order}H", 8)), field(order, 0x010F, 2, 3, b"ab\0"))
    assert exif.orientation(block) == 8
    assert categories(exif.findings(block, "X")) == {"device"}


@pytest.mark.parametrize("value", [0, 9, 0xFFFF])
def test_an_orientation_out_of_range_is_none(value: int) -> None:
    assert exif.orientation(tiff(">", field(">", 0x0112, 3, 1, struct.pack(">H", value)))) == 1


@pytest.mark.parametrize(
    "block",
    [b"", b"II", b"Exif\0\0MM\0*", b"II*\0", b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff", b"nonsense" * 9,
     b"MM\0*\0\0\0\x08\xff\xff" + b"x" * 40],
)  # fmt: skip
def test_a_block_that_cannot_be_read_is_still_reported(block: bytes) -> None:
    assert len(exif.findings(block, "X")) >= 1
    assert exif.orientation(block) == 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_orientation_only_block(turn: int) -> None:
    block = exif.orientation_only(turn)
    assert len(block) == 26
    assert exif.orientation(block) == turn
    assert exif.is_orientation_only(block)
    assert exif.findings(block, "X") == []
    assert piexif.load(b"Exif\0\0" + block)["0th"] == {0x0112: turn}
    assert not exif.is_orientation_only(block + b"x")
    assert categories(exif.findings(block + b"hidden words", "X")) == {"unknown-block"}


def test_directories_that_point_at_themselves_and_claims_end() -> None:
    loop = tiff(">", *(field(">", t, 4, 1, struct.pack(">I", 8)) for t in (0x8769, 0x8825, 0xA005)), after=8)
    claim = tiff("<", *(field("<", 0x010E, 7, 0xFFFFFFF0, struct.pack("<I", 8)) for _ in range(50)))
    many = tiff(">", field(">", 0x014A, 4, 5000, struct.pack(">I", 26)), tail=struct.pack(">I", 8) * 5000)
    for block in (loop, claim, many):
        assert exif.findings(block, "X")
        assert exif.orientation(block) == 1


@settings(max_examples=300)
@given(st.data())
def test_mutants_are_always_reported(data: st.DataObject) -> None:
    mutant = bytearray(FULL)
    for _ in range(data.draw(st.integers(1, 6))):
        mutant[data.draw(st.integers(0, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    assert exif.findings(bytes(mutant), "X")
    assert 1 <= exif.orientation(bytes(mutant)) <= 8


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_readers_take_any_bytes(block: bytes) -> None:
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert exif.findings(head + block, "X")
    assert iptc.irb(block, "X")
    assert iptc.irb(b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block, "X")
    assert iptc.iim(block, "X")
    assert bool(xmp.findings(block, "X")) == bool(block)


# -- XMP --------------------------------------------------------------------------------------------------------------

PACKET = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description exif:GPSLatitude="36,50.1S"
 photoshop:Credit="{NAME}" aux:SerialNumber="123"><dc:creator><rdf:Seq>
 <rdf:li>Ada {NAME}</rdf:li></rdf:Seq></dc:creator>
 <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Bea {NAME}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
 <xmp:Thumbnails><xmpGImg:image>/9j/4AAQ</xmpGImg:image></xmp:Thumbnails><GDepth:Data>iVBOR</GDepth:Data>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_kinds_in_a_packet(encoding: str) -> None:
    found = xmp.findings(PACKET.encode(encoding), "X")
    assert {"xmp", "location", "owner", "person", "serial"} <= categories(found)
    assert {f.category for f in found if f.kind == "hidden-image"} == {"thumbnail", "depth-map"}
    owner = next(f for f in found if f.category == "owner")
    assert owner.secret.reveal().split("\n") == [NAME, f"Ada {NAME}", f"Bea {NAME}"]
    assert "Zobrist" not in repr(found)


def test_entities_and_floods_are_harmless() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><dc:title>&b;</dc:title>'
    assert "caption" in categories(xmp.findings(bomb, "X"))
    assert categories(xmp.findings(b"dc:creator>" * 100_000, "X")) == {"xmp", "owner"}
    assert "owner" in categories(xmp.findings(b"dc:creator=" + b" " * 900_000, "X"))


# -- Photoshop and IPTC -----------------------------------------------------------------------------------------------


def resource(number: int, body: bytes, name: bytes = b"\0\0") -> bytes:
    return b"8BIM" + struct.pack(">H", number) + name + struct.pack(">I", len(body)) + body + b"\0" * (len(body) & 1)


def dataset(number: int, text: bytes) -> bytes:
    return b"\x1c\x02" + bytes((number,)) + struct.pack(">H", len(text)) + text


def test_image_resources() -> None:
    record = (
        dataset(80, NAME.encode()) + dataset(90, b"Wellington") + dataset(120, b"lesion") + dataset(55, b"20240102")
    )
    block = resource(0x0404, record) + resource(0x040C, b"\1" * 40, b"\3abc") + resource(0x0422, FULL)
    block += resource(0x0424, PACKET.encode()) + resource(0x03E9, b"print") + resource(0x0421, b"odd")
    found = iptc.irb(block, "P")
    told = counts(found)
    assert {"owner", "location", "caption", "capture-time"} == {c for c, where in told if where == "P/IPTC"}
    assert ("thumbnail", "P") in told
    assert ("location", "P/Exif/GPS") in told
    assert ("person", "P/XMP") in told
    assert ("editor-setting", "P") in told
    assert ("software", "P") in told
    assert next(f for f in found if f.where == "P/IPTC" and f.category == "owner").secret.reveal() == NAME
    assert "Zobrist" not in repr(found)


def test_an_extended_dataset_is_followed() -> None:
    long = b"\x1c\x02\x78\x80\x04" + struct.pack(">I", 40_000) + b"w" * 40_000
    assert categories(iptc.iim(long + dataset(90, b"Wellington"), "P")) == {"caption", "location"}
