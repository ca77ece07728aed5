"""Names for files that are recognised by their content and not cleaned, so that a refusal says what the file is.

Formats that are cleaned are asked first (:func:`medimg.formats.open_photo`); what stands here of them answers for
an installation that lacks their reader, or for damage to the part that their own sniffing needs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from medimg.errors import SAVE_AS_PNG

Kind = Literal[
    "empty", "cut", "picture", "raw", "video", "audio", "document", "archive", "sidecar", "cloud", "link", "program",
    "text",
]  # fmt: skip

ADVICE: dict[Kind, str] = {
    "empty": "Copy the photo from the device again.",
    "cut": "It is only the beginning of a photo: copy it from the device again.",
    "picture": SAVE_AS_PNG,
    "raw": "Open it in a photo program and save it as PNG. Or take the JPEG that the camera made beside it.",
    "video": "Save the pictures you need from it as JPEG or PNG first. Do not share the video itself.",
    "audio": "Leave it out: it is no photo.",
    "document": "Save the pictures you need from it as JPEG or PNG first.",
    "archive": "Unpack it, then clean the photos in it.",
    "sidecar": "Leave it out: it describes the photo beside it, and is not needed to view it.",
    "cloud": "The photo itself is not on this computer: download it, then clean it.",
    "link": "It only points to something elsewhere: name the photo itself.",
    "program": "Leave it out: it is no photo.",
    "text": "Leave it out: it is no photo.",
}


class Recognised(NamedTuple):
    """What a file is: its kind, and a noun phrase (``a PDF document``)."""

    kind: Kind
    name: str

    @property
    def advice(self) -> str:
        """What the person can do next."""
        return ADVICE[self.kind]


# (offset, bytes, kind, name), first match wins. Sources: the formats' own specifications; file(1) magic database.
SIGNATURES: tuple[tuple[int, bytes, Kind, str], ...] = (
    (0, b"%PDF-", "document", "a PDF document"),
    (0, b"%!PS", "document", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "document", "a PostScript file"),
    (0, b"{\\rtf", "document", "an RTF document"),
    (0, b"AT&TFORM", "document", "a DjVu document"),
    (0, b"FUJIFILMCCD-RAW", "raw", "a Fujifilm raw photo (RAF)"),
    (0, b"IIRO", "raw", "an Olympus raw photo (ORF)"),
    (0, b"IIRS", "raw", "an Olympus raw photo (ORF)"),
    (0, b"MMOR", "raw", "an Olympus raw photo (ORF)"),
    (0, b"IIU\0", "raw", "a Panasonic raw photo (RW2)"),
    (0, b"FOVb", "raw", "a Sigma raw photo (X3F)"),
    (0, b"\0MRM", "raw", "a Minolta raw photo (MRW)"),
    (6, b"HEAPCCDR", "raw", "a Canon raw photo (CRW)"),
    (0, b"\xff\x0a", "picture", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "picture", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "picture", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "picture", "a JPEG 2000 picture"),
    (0, b"8BPS", "picture", "a Photoshop file"),
    (0, b"gimp xcf", "picture", "a GIMP file"),
    (0, b"\0\0\1\0", "picture", "an icon"),
    (0, b"\0\0\2\0", "picture", "a mouse pointer"),
    (0, b"\x8aMNG\r\n", "video", "an MNG animation"),
    (0, b"\x8bJNG\r\n", "picture", "a JNG picture"),
    (0, b"\x76\x2f\x31\x01", "picture", "an OpenEXR picture"),
    (0, b"#?RADIANCE", "picture", "a Radiance HDR picture"),
    (0, b"BPG\xfb", "picture", "a BPG picture"),
    (0, b"qoif", "picture", "a QOI picture"),
    (0, b"DDS ", "picture", "a DDS texture"),
    (0, b"SIMPLE  =", "picture", "a FITS picture"),
    (0, b"\xd7\xcd\xc6\x9a", "picture", "a Windows metafile"),
    (40, b" EMF", "picture", "a Windows metafile"),
    (128, b"DICM", "picture", "a DICOM file"),
    (0, b"DICM", "picture", "a DICOM file without its beginning"),
    (0, b"\x08\0\x16\0UI", "picture", "a DICOM file without its beginning"),
    (0, b"\x08\0\x05\0CS", "picture", "a DICOM file without its beginning"),
    (0, b"\x08\0\x08\0CS", "picture", "a DICOM file without its beginning"),
    (0, b"\x08\0\0\0UL\4\0", "picture", "a DICOM file without its beginning"),
    (0, b"\x08\0\0\0\4\0\0\0", "picture", "a DICOM file without its beginning"),
    (0, b"\0\x08\0\x05CS", "picture", "a DICOM file without its beginning"),
    (0, b"\x1aE\xdf\xa3", "video", "a Matroska or WebM video"),
    (0, b"\0\0\1\xba", "video", "an MPEG video"),
    (0, b"\0\0\1\xb3", "video", "an MPEG video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video", "a Windows Media file"),
    (0, b"FLV\1", "video", "a Flash video"),
    (0, b"ID3", "audio", "a sound recording"),
    (0, b"fLaC", "audio", "a sound recording"),
    (0, b"OggS", "audio", "a sound recording or video (Ogg)"),
    (0, b"#!AMR", "audio", "a sound recording"),
    (0, b"\x1f\x8b", "archive", "a gzip archive"),
    (0, b"BZh", "archive", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "archive", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "archive", "a Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "archive", "a RAR archive"),
    (257, b"ustar", "archive", "a tar archive"),
    (0, b"MZ", "program", "a Windows program"),
    (0, b"\x7fELF", "program", "a program"),
    (0, b"\xcf\xfa\xed\xfe", "program", "a macOS program"),
    (0, b"\xca\xfe\xba\xbe", "program", "a program"),
    (0, b"#!", "program", "a script"),
    (0, b"SQLite format 3\0", "program", "a database"),
    (0, b"\0\5\x16\x07", "sidecar", "a macOS metadata file (AppleDouble)"),
    (0, b"\0\0\0\1Bud1", "sidecar", "a macOS folder settings file"),
    (0, b"L\0\0\0\1\x14\2\0", "link", "a Windows shortcut"),
    (0, b"book\0\0\0\0mark\0\0\0\0", "link", "a macOS alias"),
    (0, b"[InternetShortcut]", "link", "an internet shortcut"),
    (0, b"[Desktop Entry]", "link", "a desktop shortcut"),
    (0, b"version https://git-lfs", "cloud", "a pointer to a photo that is not on this computer"),
    (0, b"bplist00", "sidecar", "a property list"),
)
STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF89a", "GIF"), (b"GIF87a", "GIF"),
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"BM", "BMP"), (b"RIFF", "WebP"),
)  # fmt: skip
"""How pictures begin that are cleaned when they are whole."""
PLACEHOLDER = b"NSURLNameKey"
"""What iCloud leaves in the place of a file that it moved off the computer (a property list, ``.NAME.icloud``)."""

BRANDS: tuple[tuple[bytes, Kind, str], ...] = (
    (b"crx ", "raw", "a Canon raw photo (CR3)"),
    (b"jxl ", "picture", "a JPEG XL picture"),
    (b"jp2 ", "picture", "a JPEG 2000 picture"),
    (b"mif3", "picture", "a HEIF picture with a short header"),
    (b"avif", "picture", "an AVIF picture"),
    (b"avis", "picture", "an AVIF picture"),
    (b"heic", "picture", "a HEIC picture"),
    (b"heix", "picture", "a HEIC picture"),
    (b"hevc", "picture", "a HEIC picture"),
    (b"mif1", "picture", "a HEIF picture"),
    (b"msf1", "picture", "a HEIF picture"),
    (b"M4A ", "audio", "a sound recording"),
)
"""Brands of ``ftyp`` that are no video (ISO/IEC 14496-12, 4.3; the MP4 registration authority's list)."""

ZIPPED: tuple[tuple[bytes, Kind, str], ...] = (
    (b"word/document", "document", "a Word document"),
    (b"xl/workbook", "document", "an Excel workbook"),
    (b"ppt/presentation", "document", "a PowerPoint presentation"),
    (b"application/vnd.oasis.opendocument", "document", "an OpenDocument file"),
    (b"application/epub+zip", "document", "an e-book"),
    (b"Index/Document.iwa", "document", "an iWork document"),
)
COMPOUND: tuple[tuple[str, Kind, str], ...] = (
    ("WordDocument", "document", "a Word document"),
    ("Workbook", "document", "an Excel workbook"),
    ("PowerPoint Document", "document", "a PowerPoint presentation"),
    ("__substg1.0_", "document", "an Outlook message"),
    ("Catalog", "sidecar", "a Windows thumbnail cache"),
)
LIVE_PHOTO = (b"com.apple.quicktime.content.identifier", b"com.apple.quicktime.still-image-time")
TEXT_HEAD = 4096
ICLOUD_HEAD = 4096
"""Where iCloud Drive's placeholder (``.NAME.icloud``, a property list) names what it stands for."""


def recognise(data: bytes) -> Recognised | None:
    """What a file is, from its content alone; None when it is not known."""
    if not data:
        return Recognised("empty", "an empty file")
    if data.startswith(b"bplist00") and b"NSURLFileResourceType" in data[:ICLOUD_HEAD]:
        return Recognised("cloud", "the place of a photo that is in iCloud and not on this computer")
    for offset, signature, kind, name in SIGNATURES:
        if data.startswith(signature, offset):
            return Recognised(kind, name)
    for look in (_beginning, _property_list, _riff, _boxes, _transport_stream, _zip, _compound, _tiff, _netpbm, _text):
        found = look(data)
        if found:
            return found
    return None if data.strip(b"\0") else Recognised("empty", "a file of zero bytes only")


def _beginning(data: bytes) -> Recognised | None:
    """A file that ends before its first bytes say whether the picture is there: the rest of a broken transfer."""
    for start, name in STARTS:
        if 1 < len(data) <= max(len(start), 4) and start.startswith(data[: len(start)]):
            return Recognised("cut", f"the beginning of a {name} picture")
    return Recognised("cut", "a damaged JPEG picture") if data[:2] == b"\xff\xd8" else None


def _property_list(data: bytes) -> Recognised | None:
    if not data.startswith(b"bplist00"):
        return None
    if PLACEHOLDER in data:
        return Recognised("cloud", "the placeholder of a file in iCloud")
    return Recognised("sidecar", "a property list")


def _riff(data: bytes) -> Recognised | None:
    if data[:4] not in (b"RIFF", b"RIFX"):
        return None
    match data[8:12]:
        case b"AVI ":
            return Recognised("video", "an AVI video")
        case b"WAVE":
            return Recognised("audio", "a sound recording")
        case b"WEBP":
            return Recognised("picture", "a damaged WebP picture")
    return None


def _boxes(data: bytes) -> Recognised | None:
    """ISO base media and QuickTime files."""
    if data[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"pnot", b"skip"):
        return None
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = [data[8:12], *(data[k : k + 4] for k in range(16, end - 3, 4))]
        for brand, kind, name in BRANDS:
            if brand in brands:
                return Recognised(kind, name)
    if any(mark in data for mark in LIVE_PHOTO):
        return Recognised("video", "a video, perhaps that of a Live Photo")
    quicktime = data[4:8] != b"ftyp" or data[8:12] == b"qt  "
    return Recognised("video", "a QuickTime video" if quicktime else "an MP4 video")


def _transport_stream(data: bytes) -> Recognised | None:
    """MPEG transport streams: a sync byte every 188 bytes, or 192 on camcorders (ISO/IEC 13818-1, 2.4.3.2)."""
    for start, step in ((0, 188), (4, 192)):
        if len(data) > start + 4 * step and all(data[start + k * step] == 0x47 for k in range(5)):
            return Recognised("video", "an MPEG video")
    return None


def _zip(data: bytes) -> Recognised | None:
    if data[:4] not in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return None
    for mark, kind, name in ZIPPED:
        if mark in data:
            return Recognised(kind, name)
    return Recognised("archive", "a ZIP archive")


def _compound(data: bytes) -> Recognised | None:
    """Compound files (MS-CFB): what they are stands in the names of their streams."""
    if not data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return None
    for mark, kind, name in COMPOUND:
        if mark.encode("utf-16-le") in data:
            return Recognised(kind, name)
    return Recognised("document", "an old Office document")


MAKERS = (("NIKON", "Nikon", "NEF"), ("SONY", "Sony", "ARW"), ("CANON", "Canon", "CR2"), ("PENTAX", "Pentax", "PEF"),
          ("RICOH", "Pentax", "PEF"), ("SAMSUNG", "Samsung", "SRW"), ("HASSELBLAD", "Hasselblad", "3FR"),
          ("LEICA", "Leica", "RWL"), ("KODAK", "Kodak", "DCR"), ("PHASE ONE", "Phase One", "IIQ"),
          ("OLYMPUS", "Olympus", "ORF"), ("EASTMAN", "Kodak", "DCR"))  # fmt: skip
SENSOR = {262: (32803, 34892), 259: (32767, 34713, 65000, 65535)}
"""PhotometricInterpretation of raw sensor data (DNG 1.7; TIFF/EP); Compression of Sony, Nikon, Kodak and Pentax."""


def _tiff(data: bytes) -> Recognised | None:
    """Camera raw in a TIFF container is told by its sensor data; a developed photo of the same camera is not raw."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return Recognised("picture", "a TIFF picture") if data[:4] in (b"II+\0", b"MM\0+") else None
    if data[8:10] == b"CR":
        return Recognised("raw", "a Canon raw photo (CR2)")
    maker, raw = "", False
    for tag, short, length, value in _fields(data, order):
        if tag == 50706:
            return Recognised("raw", "a raw photo (DNG)")
        if tag == 271 and length < 64:
            maker = data[value : value + length].decode("latin-1").upper() if length > 4 else ""
        raw |= short in SENSOR.get(tag, ())
    if not raw:
        return Recognised("picture", "a TIFF picture")
    names = [f"a {name} raw photo ({suffix})" for start, name, suffix in MAKERS if maker.startswith(start)]
    return Recognised("raw", next(iter(names), "a camera raw photo"))


def _fields(data: bytes, order: str) -> Iterator[tuple[int, int, int, int]]:
    """Tag, first value, length and value or place of every field, in up to 32 directories."""
    queue = [int.from_bytes(data[4:8], "little" if order == "<" else "big")]
    seen: set[int] = set()
    while queue and len(seen) < 32:
        at = queue.pop(0)
        if at in seen or not 8 <= at <= len(data) - 2:
            continue
        seen.add(at)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        for k in range(min(count, 512, (len(data) - at - 2) // 12)):
            tag, kind, length, value = struct.unpack_from(f"{order}HHII", data, at + 2 + 12 * k)
            yield tag, struct.unpack_from(f"{order}H", data, at + 10 + 12 * k)[0] if kind == 3 else value, length, value
            if tag == 330:
                queue += _below(data, order, length, value)
        after = at + 2 + 12 * count
        if after + 4 <= len(data):
            queue += struct.unpack_from(f"{order}I", data, after)


def _below(data: bytes, order: str, length: int, value: int) -> tuple[int, ...]:
    """Where the directories below this one stand."""
    if length == 1:
        return (value,)
    fits = length <= 16 and value + 4 * length <= len(data)
    return struct.unpack_from(f"{order}{length}I", data, value) if fits else ()


def _netpbm(data: bytes) -> Recognised | None:
    plain = data[:1] == b"P" and data[1:2] in b"1234567fF" and data[2:3] in (b"\n", b"\r", b" ", b"\t")
    return Recognised("picture", "a Netpbm picture") if plain and len(data) > 2 else None


def _text(data: bytes) -> Recognised | None:
    """Text, and what is written in it."""
    text = _decoded(data)
    if text is None:
        return None
    start = text.lstrip().lower()
    return next((said for fits, said in WRITTEN if fits(start)), Recognised("text", "a text file"))


def _decoded(data: bytes) -> str | None:
    """The beginning of a text; None when it is none."""
    head = data[:TEXT_HEAD]
    for mark, coding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if head.startswith(mark):
            return head[len(mark) :].decode(coding, "ignore")
    if any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head):
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or len(data) <= len(head):  # only our own cut may part a letter
            return None
        return head[: error.start].decode("utf-8")


def _begins(*marks: str) -> Callable[[str], bool]:
    return lambda text: text.startswith(marks)


def _holds(*marks: str, within: int | None = None) -> Callable[[str], bool]:
    return lambda text: any(mark in text[:within] for mark in marks)


def _plist(*marks: str) -> Callable[[str], bool]:
    return lambda text: "<plist" in text and any(mark in text for mark in marks)


WRITTEN: tuple[tuple[Callable[[str], bool], Recognised], ...] = (
    (_begins("[internetshortcut]", "[desktop entry]"), Recognised("link", "a shortcut")),
    (_plist(PLACEHOLDER.decode().lower()), Recognised("cloud", "the placeholder of a file in iCloud")),
    (_holds("<x:xmpmeta", "<?xpacket", "adobe:ns:meta"), Recognised("sidecar", "an XMP sidecar of a photo")),
    (
        _plist("adjustmentformatidentifier", "adjustmentbaseversion"),
        Recognised("sidecar", "an AAE sidecar of a photo"),
    ),
    (_holds("<svg"), Recognised("picture", "an SVG drawing")),
    (_begins("<!doctype html"), Recognised("document", "an HTML page")),
    (_holds("<html", within=1024), Recognised("document", "an HTML page")),
    (_begins("<?xml"), Recognised("text", "an XML file")),
    (_begins("received:", "return-path:", "mime-version:"), Recognised("document", "an e-mail message")),
    (_holds("\nmime-version:"), Recognised("document", "an e-mail message")),
)
"""What is written in a text, in lower case and without white space before it; the first that fits counts."""
