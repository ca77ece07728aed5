"""DICOM by number: tags, object classes, transfer syntaxes, and what PS3.15 says of an attribute.

Sources: PS3.3 and PS3.4 (objects), PS3.5 (encoding), PS3.6 (numbers), PS3.15 2024b, Table E.1-1
(``profile.txt``).
"""

from __future__ import annotations

from medimg.formats.dicom.profile import profile
from medimg.vocabulary import Category, Kind

CLASS_UID, INSTANCE_UID, STUDY_UID, SERIES_UID = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
CHARACTER_SET, IMAGE_TYPE, MODALITY, CONVERSION = 0x00080005, 0x00080008, 0x00080060, 0x00080064
REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
BODY_PART = 0x00180015
SERIES_NUMBER, INSTANCE_NUMBER, TURN, LATERALITY, IMAGE_LATERALITY = (
    0x00200011, 0x00200013, 0x00200020, 0x00200060, 0x00200062,
)  # fmt: skip
SAMPLES, PHOTOMETRIC, PLANAR, FRAMES, FRAME_POINTER = 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280009
ROWS, COLUMNS, ASPECT, ALLOCATED, STORED, HIGH_BIT, SIGNED = (
    0x00280010, 0x00280011, 0x00280034, 0x00280100, 0x00280101, 0x00280102, 0x00280103,
)  # fmt: skip
BURNED_IN, FEATURES, DATES_KEPT = 0x00280301, 0x00280302, 0x00280303
CENTRE, WIDTH, INTERCEPT, SLOPE, RESCALE_TYPE = 0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281054
PROFILE, LOSSY, RATIO, LOSSY_METHOD = 0x00282000, 0x00282110, 0x00282112, 0x00282114
CONTEXT, SHAPE, ICON, PIXELS = 0x00400555, 0x20500020, 0x00880200, 0x7FE00010
REGIONS, REGION_CORNERS = 0x00186011, (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)
META_CLASS, META_INSTANCE, SYNTAX = 0x00020002, 0x00020003, 0x00020010

IMPLICIT, EXPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
)  # fmt: skip
JPEG, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
J2K_LOSSLESS, J2K, RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5"
NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG)
CODED = (JPEG, JPEG_EXTENDED, J2K_LOSSLESS, J2K, RLE)

VL = "1.2.840.10008.5.1.4.1.1.77.1."
SC = "1.2.840.10008.5.1.4.1.1.7"
PHOTOGRAPH = VL + "4"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
MULTI_BYTE, MULTI_WORD, MULTI_COLOUR = SC + ".2", SC + ".3", SC + ".4"
CLASSES: dict[str, str] = {
    VL + "1": "VL Endoscopic Image",
    VL + "2": "VL Microscopic Image",
    PHOTOGRAPH: "VL Photographic Image",
    SC: "Secondary Capture Image",
    MULTI_BYTE: "Multi-frame Grayscale Byte Secondary Capture Image",
    MULTI_WORD: "Multi-frame Grayscale Word Secondary Capture Image",
    MULTI_COLOUR: "Multi-frame True Color Secondary Capture Image",
    ULTRASOUND: "Ultrasound Image",
}
"""What is cleaned."""
MODALITY_OF = {VL + "1": "ES", VL + "2": "GM", PHOTOGRAPH: "XC"}
"""Fixed by the object (PS3.3, A.32.1.3 to A.32.4.3)."""

_STORE = "1.2.840.10008.5.1.4.1.1."
OTHER_CLASSES: dict[str, str] = {
    "1.2.840.10008.1.3.10": "Media Storage Directory",
    _STORE + "1": "Computed Radiography Image", _STORE + "1.1": "Digital X-Ray Image",
    _STORE + "1.1.1": "Digital X-Ray Image", _STORE + "1.2": "Digital Mammography X-Ray Image",
    _STORE + "1.3": "Digital Intra-Oral X-Ray Image", _STORE + "2": "CT Image", _STORE + "2.1": "Enhanced CT Image",
    _STORE + "3.1": "Ultrasound Multi-frame Image", _STORE + "4": "MR Image", _STORE + "4.1": "Enhanced MR Image",
    _STORE + "7.1": "Multi-frame Single Bit Secondary Capture Image",
    _STORE + "11.1": "Grayscale Presentation State", _STORE + "12.1": "X-Ray Angiographic Image",
    _STORE + "12.2": "X-Ray Radiofluoroscopic Image", _STORE + "20": "Nuclear Medicine Image",
    _STORE + "66": "Raw Data", _STORE + "66.4": "Segmentation", _STORE + "88.11": "Basic Text SR",
    _STORE + "88.22": "Enhanced SR", _STORE + "88.33": "Comprehensive SR", _STORE + "104.1": "Encapsulated PDF",
    _STORE + "128": "Positron Emission Tomography Image", _STORE + "481.1": "RT Image", _STORE + "481.2": "RT Dose",
    _STORE + "481.3": "RT Structure Set", _STORE + "481.5": "RT Plan", VL + "1.1": "Video Endoscopic Image",
    VL + "2.1": "Video Microscopic Image", VL + "3": "VL Slide-Coordinates Microscopic Image",
    VL + "4.1": "Video Photographic Image", VL + "5.1": "Ophthalmic Photography 8 Bit Image",
    VL + "5.2": "Ophthalmic Photography 16 Bit Image", VL + "5.4": "Ophthalmic Tomography Image",
    VL + "6": "VL Whole Slide Microscopy Image", VL + "7": "Dermoscopic Photography Image",
}  # fmt: skip
"""What is refused by name; the rest is "of another kind"."""

SYNTAXES: dict[str, str] = {
    JPEG[:-2] + "55": "progressive JPEG", JPEG[:-2] + "57": "lossless JPEG", JPEG[:-2] + "70": "lossless JPEG",
    JPEG[:-2] + "80": "JPEG-LS", JPEG[:-2] + "81": "JPEG-LS", JPEG[:-2] + "92": "JPEG 2000 Part 2",
    JPEG[:-2] + "93": "JPEG 2000 Part 2", JPEG[:-2] + "94": "JPIP", JPEG[:-2] + "95": "JPIP",
    JPEG[:-2] + "100": "MPEG2 video", JPEG[:-2] + "101": "MPEG2 video", JPEG[:-2] + "102": "MPEG-4 video",
    JPEG[:-2] + "103": "MPEG-4 video", JPEG[:-2] + "104": "MPEG-4 video", JPEG[:-2] + "105": "MPEG-4 video",
    JPEG[:-2] + "106": "MPEG-4 video", JPEG[:-2] + "107": "HEVC video", JPEG[:-2] + "108": "HEVC video",
    JPEG[:-2] + "110": "JPEG XL", JPEG[:-2] + "111": "JPEG XL", JPEG[:-2] + "112": "JPEG XL",
    JPEG[:-2] + "201": "high-throughput JPEG 2000", JPEG[:-2] + "202": "high-throughput JPEG 2000",
    JPEG[:-2] + "203": "high-throughput JPEG 2000",
}  # fmt: skip
"""Codings without a decoder here (PS3.6, Table A-1)."""

KEPT: dict[int, str] = {
    IMAGE_TYPE: "CS", CLASS_UID: "UI", INSTANCE_UID: "UI", 0x00080020: "DA", 0x00080030: "TM", 0x00080050: "SH",
    MODALITY: "CS", CONVERSION: "CS", 0x00080070: "LO", 0x00080090: "PN", 0x00100010: "PN", 0x00100020: "LO",
    0x00100030: "DA", 0x00100040: "CS", REMOVED: "CS", METHOD: "LO", METHOD_CODES: "SQ", BODY_PART: "CS",
    STUDY_UID: "UI", SERIES_UID: "UI", 0x00200010: "SH", SERIES_NUMBER: "IS",
    INSTANCE_NUMBER: "IS", TURN: "CS", LATERALITY: "CS", IMAGE_LATERALITY: "CS", SAMPLES: "US", PHOTOMETRIC: "CS",
    PLANAR: "US", FRAMES: "IS", ROWS: "US", COLUMNS: "US", ASPECT: "IS", ALLOCATED: "US",
    STORED: "US", HIGH_BIT: "US", SIGNED: "US", BURNED_IN: "CS", FEATURES: "CS", DATES_KEPT: "CS", CENTRE: "DS",
    WIDTH: "DS", INTERCEPT: "DS", SLOPE: "DS", RESCALE_TYPE: "LO", PROFILE: "OB", LOSSY: "CS", RATIO: "DS",
    LOSSY_METHOD: "CS", CONTEXT: "SQ", SHAPE: "CS", PIXELS: "OW",
}  # fmt: skip
"""Every attribute a copy may have, and its value representation. Whatever is not here is not copied."""

_DATES = ("DA", "TM", "DT")
_BY_REPRESENTATION = {
    "PN": Category.PERSON,
    "UI": Category.ID,
    "AE": Category.DEVICE,
    "UN": Category.UNKNOWN_BLOCK,
    "SQ": Category.UNKNOWN_BLOCK,
}
_BY_TAG = {
    0x00100020: Category.RECORD_NUMBER, 0x00100021: Category.RECORD_NUMBER, 0x00101000: Category.RECORD_NUMBER,
    0x00080050: Category.RECORD_NUMBER, 0x00200010: Category.RECORD_NUMBER, 0x00100030: Category.BIRTH_DATE,
    0x00100032: Category.BIRTH_DATE, 0x00100040: Category.PATIENT_DETAILS, 0x00101010: Category.PATIENT_DETAILS,
    0x00101040: Category.ADDRESS, 0x00102154: Category.TELEPHONE, 0x00080080: Category.INSTITUTION,
    0x00080081: Category.INSTITUTION, 0x00081040: Category.INSTITUTION, 0x00080070: Category.DEVICE,
    0x00081090: Category.DEVICE, 0x00081010: Category.DEVICE, 0x00181000: Category.SERIAL,
    0x00181020: Category.SOFTWARE, 0x00204000: Category.COMMENT, 0x00104000: Category.COMMENT,
}  # fmt: skip


def category(tag: int, vr: str) -> tuple[Kind, str]:
    """What kind of thing an attribute is that no copy keeps."""
    group = tag >> 16
    if group & 1:
        return Kind.METADATA, Category.PRIVATE_ELEMENT
    if group & 0xFF00 == 0x6000:
        return Kind.HIDDEN_IMAGE, Category.OVERLAY
    if group & 0xFF00 == 0x5000:
        return Kind.HIDDEN_IMAGE, Category.CURVE
    if tag == ICON:
        return Kind.HIDDEN_IMAGE, Category.THUMBNAIL
    if tag in _BY_TAG:
        return Kind.METADATA, _BY_TAG[tag]
    if vr in _DATES:
        return Kind.METADATA, Category.CAPTURE_TIME
    if group in (0x0018, 0x0028) and tag not in profile():
        return Kind.METADATA, Category.CAMERA_SETTING
    return Kind.METADATA, _BY_REPRESENTATION.get(vr, Category.CAPTION if tag in profile() else Category.UNKNOWN_BLOCK)
