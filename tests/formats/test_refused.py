"""Files that are recognised and not cleaned are named, whatever they are called."""

from __future__ import annotations

import io
import struct
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import formats, scrub
from medimg.errors import InputError, NotAPicture, Unsupported
from medimg.formats import refused
from medimg.policy import Policy
from medimg.types import Limits

METADATA_ONLY = msgspec.structs.replace(Policy.load(), scope="metadata-only")


def named(data: bytes) -> str:
    found = refused.recognise(data)
    return found.name if found else ""


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def tiff(*entries: tuple[int, int, int, int], more: bytes = b"", order: str = "<") -> bytes:
    """One directory at 8; ``more`` follows it."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    table = b"".join(
        struct.pack(
            f"{order}HHIHH" if kind == 3 else f"{order}HHII", tag, kind, count, *((value, 0) if kind == 3 else (value,))
        )
        for tag, kind, count, value in entries
    )
    return head + struct.pack(f"{order}IH", 8, len(entries)) + table + bytes(4) + more


def compound(name: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + name.encode("utf-16-le")


NIKON = b"NIKON CORPORATION\0"
CASES = [
    (b"", "empty", "an empty file"),
    (bytes(4096), "empty", "a file of zero bytes only"),
    (b"%PDF-1.7\n", "document", "a PDF document"),
    (b"%!PS-Adobe-3.0 EPSF-3.0", "document", "a PostScript file"),
    (zipped("[Content_Types].xml", "word/document.xml"), "document", "a Word document"),
    (zipped("xl/workbook.xml"), "document", "an Excel workbook"),
    (zipped("ppt/presentation.xml"), "document", "a PowerPoint presentation"),
    (zipped("photo.jpg"), "archive", "a ZIP archive"),
    (compound("WordDocument"), "document", "a Word document"),
    (compound("__substg1.0_0037001F"), "document", "an Outlook message"),
    (compound("other"), "document", "an old Office document"),
    (b"{\\rtf1 hello}", "document", "an RTF document"),
    (b"<!DOCTYPE html><html></html>", "document", "an HTML page"),
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "picture", "an SVG drawing"),
    (b'<?xml version="1.0"?><ClinicalDocument/>', "text", "an XML file"),
    (b"Jane Doe, MRN 123\n", "text", "a text file"),
    ("\ufeffJane".encode("utf-16"), "text", "a text file"),
    ('<?xpacket begin="\ufeff"?><x:xmpmeta/>'.encode(), "sidecar", "an XMP sidecar of a photo"),
    (
        b'<?xml version="1.0"?><plist version="1.0"><dict><key>adjustmentFormatIdentifier</key></dict></plist>',
        "sidecar",
        "an AAE sidecar of a photo",
    ),
    (b"\0\5\x16\x07\0\2\0\0", "sidecar", "a macOS metadata file (AppleDouble)"),
    (box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov"), "video", "a QuickTime video"),
    (box(b"wide") + box(b"mdat"), "video", "a QuickTime video"),
    (box(b"ftyp", b"isom\0\0\2\0mp42"), "video", "an MP4 video"),
    (
        box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", b"com.apple.quicktime.content.identifier"),
        "video",
        "a video, perhaps that of a Live Photo",
    ),
    (b"RIFF\0\0\0\0AVI LIST", "video", "an AVI video"),
    (b"\x1aE\xdf\xa3", "video", "a Matroska or WebM video"),
    (b"\0\0\1\xba", "video", "an MPEG video"),
    (b"\x47" + bytes(187) + (b"\x47" + bytes(187)) * 6, "video", "an MPEG video"),
    (b"ID3\4", "audio", "a sound recording"),
    (box(b"ftyp", b"crx \0\0\0\1crx isom"), "raw", "a Canon raw photo (CR3)"),
    (b"II*\0\x10\0\0\0CR\2\0", "raw", "a Canon raw photo (CR2)"),
    (b"IIU\0\x18\0\0\0", "raw", "a Panasonic raw photo (RW2)"),
    (b"IIRO\x08\0\0\0", "raw", "an Olympus raw photo (ORF)"),
    (b"FUJIFILMCCD-RAW 0201", "raw", "a Fujifilm raw photo (RAF)"),
    (tiff((50706, 1, 4, 0x00000401)), "raw", "a raw photo (DNG)"),
    (tiff((271, 2, len(NIKON), 38), (262, 3, 1, 32803), more=NIKON), "raw", "a Nikon raw photo (NEF)"),
    (tiff((271, 2, 5, 38), (259, 3, 1, 32767), more=b"SONY\0"), "raw", "a Sony raw photo (ARW)"),
    (tiff((262, 3, 1, 32803), order=">"), "raw", "a camera raw photo"),
    (tiff((271, 2, len(NIKON), 38), (262, 3, 1, 2), more=NIKON), "picture", "a TIFF picture"),
    (b"\xff\x0a\xfa\x1f", "picture", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "picture", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "picture", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51\0\x29", "picture", "a JPEG 2000 picture"),
    (b"8BPS\0\1", "picture", "a Photoshop file"),
    (b"\0\0\1\0\1\0", "picture", "an icon"),
    (box(b"ftyp", b"heic\0\0\0\0mif1heic"), "picture", "a HEIC picture"),
    (box(b"ftyp", b"avif\0\0\0\0mif1"), "picture", "an AVIF picture"),
    (bytes(128) + b"DICM", "picture", "a DICOM file"),
    (b"\x08\0\5\0CS\x0a\0ISO_IR 100", "picture", "a DICOM file without its beginning"),
    (b"P6\n10 10\n255\n", "picture", "a Netpbm picture"),
    (b"\x1f\x8b\x08", "archive", "a gzip archive"),
    (b"MZ\x90\0", "program", "a Windows program"),
    (b"\x7fELF", "program", "a program"),
    (b"SQLite format 3\0", "program", "a database"),
]


@pytest.mark.parametrize(("data", "kind", "name"), CASES, ids=[f"{n}-{i}" for i, (_, _, n) in enumerate(CASES)])
def test_each_kind_is_named(data: bytes, kind: str, name: str) -> None:
    found = refused.recognise(data)
    assert found == (kind, name)
    assert found.advice.endswith(".")
    assert named(data) == name


def test_a_nikon_preview_directory_leads_to_the_sensor_data() -> None:
    first = tiff((271, 2, len(NIKON), 60), (330, 4, 1, 80), (262, 3, 1, 2)).ljust(60, b"\0") + NIKON
    second = struct.pack("<HHHIHH", 1, 262, 3, 1, 32803, 0) + bytes(4)
    assert named(first.ljust(80, b"\0") + second) == "a Nikon raw photo (NEF)"


def test_a_directory_that_leads_to_itself_ends() -> None:
    loop = bytearray(tiff((262, 3, 1, 2), (330, 4, 1, 8)))
    loop[-4:] = struct.pack("<I", 8)
    assert named(bytes(loop)) == "a TIFF picture"


@pytest.mark.parametrize("data", [c[0] for c in CASES if c[1] in ("document", "video", "archive", "program", "text")])
def test_opening_one_says_what_it_is_and_quotes_nothing(data: bytes) -> None:
    with pytest.raises(Unsupported) as caught:
        formats.open_photo(data, Limits())
    assert named(data) in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_what_is_not_known_is_not_a_picture() -> None:
    with pytest.raises(NotAPicture):
        formats.open_photo(b"\x13\x37\xfe\xed" * 40, Limits())
    assert refused.recognise(b"\x13\x37\xfe\xed" * 40) is None


@settings(max_examples=400)
@given(
    st.sampled_from(
        [b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"\0\0\0\x20ftyp", b"PK\x03\x04", b"RIFF", b"P6", b"\xff\xfe"]
    ),
    st.binary(max_size=300),
)
def test_any_bytes_get_an_answer(start: bytes, rest: bytes) -> None:
    found = refused.recognise(start + rest)
    assert found is None or (found.kind in refused.ADVICE and found.name)


def test_a_renamed_document_in_a_folder_of_photos_is_refused() -> None:
    with pytest.raises(InputError):
        formats.open_photo(zipped("word/document.xml"), Limits())


ADVICE = [
    (b"bplist00\xd2\1\2\3\4_\x10\x13NSURLFileResourceTypeYNSURLNameKey" + bytes(32), "download"),
    (b'<?xml version="1.0"?><plist><dict><key>NSURLNameKey</key></dict></plist>', "download"),
    (b"L\0\0\0\1\x14\2\0" + bytes(68), "name the photo itself"),
    (b"book\0\0\0\0mark\0\0\0\0" + bytes(40), "name the photo itself"),
    (b"[InternetShortcut]\r\nURL=file:///photo.jpg\r\n", "name the photo itself"),
    (b"[Desktop Entry]\nType=Link\n", "name the photo itself"),
    (b"\xff\xd8", "copy it from the device again"),
    (b"\xff\xd8\0\0", "copy it from the device again"),
    (b"\x89PNG\r\n", "copy it from the device again"),
    (b"GIF8", "copy it from the device again"),
    (b"II*", "copy it from the device again"),
    (b"RIFF", "copy it from the device again"),
    (tiff((50706, 1, 4, 0x401)), "save it as PNG"),
    (b"8BPS\0\1" + bytes(40), "save it as PNG"),
    (b"DICM" + bytes(40), "save it as PNG"),
]


@pytest.mark.parametrize(("data", "advice"), ADVICE, ids=[repr(a[:8]) for a, _ in ADVICE])
def test_the_advice_helps(data: bytes, advice: str) -> None:
    report = scrub(data, policy=METADATA_ONLY).report
    assert report.state == "refused"
    assert advice in report.reason
    assert "text file" not in report.reason
    assert "describes the photo beside it" not in report.reason


def test_a_damaged_photo_is_not_to_be_exported_again() -> None:
    """The device would give the same file."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (180, 120, 100)).save(out, "JPEG")
    report = scrub(out.getvalue()[:-60], policy=METADATA_ONLY).report
    assert report.state == "refused"
    assert "save it as PNG" in report.reason
