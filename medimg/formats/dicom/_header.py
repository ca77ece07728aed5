"""What the header of a DICOM copy says: an allow-list, each value of a fixed form, made anew.

PS3.15, Annex E: Basic Application Level Confidentiality Profile, with the options that were carried out. Attributes
that an object must have but may leave empty (type 2, PS3.5, 7.4.3) are empty. Dates are not moved but left out.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from typing import Any

import msgspec

from medimg.formats import Statement
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._read import Dicom, Element
from medimg.formats.dicom._write import Field, items, number, text
from medimg.formats.dicom.patient import Patient

BASIC, CLEAN_PIXELS, CLEAN_FEATURES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
    ("113102", "Clean Recognizable Visual Features Option"),
)
"""PS3.16, CID 7050."""
MODALITIES = frozenset(
    re.findall(
        "[A-Z]+",
        """AR AS BI BMD CD CP CR CS CT DD DG DM DS DX EC ECG EPS ES FA FS GM HC HD IO IVOCT IVUS KER LEN LP LS MA MG MR
        MS NM OAM OCT OP OPM OPT OPV OT PT PX RF RG SM SRF ST TG US VA VF XA XC""",
    )
)
"""PS3.3, C.7.3.1.1.1."""
CONVERSIONS = frozenset(("DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"))
"""PS3.3, C.8.6.1."""
BODY_PARTS = frozenset(
    re.findall(
        "[A-Z]+",
        """ABDOMEN ANKLE ANUS ARM AXILLA BACK BLADDER BREAST BUTTOCK CALF CHEEK CHEST CHIN CLAVICLE COLON CORNEA EAR
        ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FINGER FOOT FOREARM FOREHEAD GALLBLADDER GUM HAND HEAD HEEL HIP
        ILEUM JAW JOINT KNEE LARYNX LEG LIP LUNG MAXILLA MOUTH NECK NOSE PELVIS PENIS PERINEUM PHARYNX RECTUM
        RETINA SCALP SCROTUM SHOULDER SKIN SKULL SPINE STERNUM STOMACH THIGH THUMB TOE TONGUE TRUNK UMBILICUS
        URETHRA VAGINA VULVA WHOLEBODY WRIST""",
    )
)
"""Single words of PS3.16, Annex L, that a photograph may show."""
_NUMBER = re.compile(r"[+-]?\d{1,5}(\.\d{1,12})?")
_TURN = re.compile(r"[ALRPHF]{1,3}")
_FEW_DIGITS = re.compile(r"\d{1,4}")
_LOSSY = {"ISO_10918_1", "ISO_15444_1", "ISO_14495_1"}
_NOT_COMPARED = frozenset(
    (
        *(t.CHARACTER_SET, t.PHOTOMETRIC, t.FRAMES, t.FRAME_POINTER, t.PIXELS, t.CLASS_UID),
        *(tag for tag, vr in t.KEPT.items() if vr == "US"),
    )
)
"""What describes the samples or is read strictly elsewhere, and so cannot hold anything else."""
_OURS = {t.REMOVED: ("YES", "NO"), t.BURNED_IN: ("YES", "NO"), t.FEATURES: ("YES", "NO")}


@cache
def method() -> str:
    """De-identification Method: the program and its version."""
    try:
        return f"medimg {metadata.version('medimg')}"
    except metadata.PackageNotFoundError:
        return "medimg"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a copy's header may say of the picture."""

    object_class: str
    rows: int
    columns: int
    samples: int
    photometric: str
    allocated: int = 8
    stored: int = 8
    instance: str = ""
    study: str = ""
    series: str = ""
    image_type: tuple[str, str] = ("ORIGINAL", "PRIMARY")
    modality: str = "XC"
    conversion: str = "WSD"
    body_part: str = ""
    laterality: str = ""
    image_laterality: str = ""
    turn: str = ""
    series_number: str = ""
    instance_number: str = "1"
    aspect: str = ""
    window: tuple[str, str] | None = None
    lossy: bool = False
    ratio: str = ""
    method: str = ""
    profile: bytes = b""
    patient: Patient = Patient()
    removed: bool = True


def short(value: float) -> str:
    """A number with at most two decimals, always written the same way."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def read(dicom: Dicom) -> Facts:
    """The facts of a file, those not of a known form left out. UIDs are the old ones.

    Raises:
        Malformed: A number is damaged.
    """

    def one_of(tag: int, words: Any, default: str = "") -> str:
        value = dicom.text(tag)
        return value if value in words else default

    def match(tag: int, pattern: re.Pattern[str], count: int) -> str:
        parts = dicom.text(tag).split("\\")
        return "\\".join(parts) if len(parts) == count and all(pattern.fullmatch(p) for p in parts) else ""

    kinds = dicom.text(t.IMAGE_TYPE).split("\\")
    pixel, exam = [*kinds, "", ""][:2]

    def measure(tag: int) -> str:
        """A number of few digits: a long one would be a place to hide another."""
        value = match(tag, _NUMBER, 1)
        return short(float(value)) if value else ""

    window = measure(t.CENTRE), measure(t.WIDTH)
    plain = dicom.text(t.INTERCEPT) in ("", "0", "0.0") and dicom.text(t.SLOPE) in ("", "1", "1.0")
    return Facts(
        # What an ultrasound image must say of its device and its regions is not kept: the copy is a capture of it.
        object_class=t.SC if dicom.text(t.CLASS_UID) == t.ULTRASOUND else dicom.text(t.CLASS_UID),
        instance=dicom.text(t.INSTANCE_UID),
        study=dicom.text(t.STUDY_UID),
        series=dicom.text(t.SERIES_UID),
        rows=dicom.number(t.ROWS),
        columns=dicom.number(t.COLUMNS),
        samples=dicom.number(t.SAMPLES),
        photometric=dicom.text(t.PHOTOMETRIC),
        allocated=dicom.number(t.ALLOCATED),
        stored=dicom.number(t.STORED),
        image_type=(
            pixel if pixel in ("ORIGINAL", "DERIVED") else "ORIGINAL",
            exam if exam in ("PRIMARY", "SECONDARY") else "PRIMARY",
        ),
        modality=t.MODALITY_OF.get(dicom.text(t.CLASS_UID)) or one_of(t.MODALITY, MODALITIES, "OT"),
        conversion=one_of(t.CONVERSION, CONVERSIONS, "WSD"),
        body_part=one_of(t.BODY_PART, BODY_PARTS),
        laterality=one_of(t.LATERALITY, ("L", "R")),
        image_laterality=one_of(t.IMAGE_LATERALITY, ("L", "R", "U", "B")),
        turn=match(t.TURN, _TURN, 2),
        series_number=match(t.SERIES_NUMBER, _FEW_DIGITS, 1),
        instance_number=match(t.INSTANCE_NUMBER, _FEW_DIGITS, 1),
        aspect=match(t.ASPECT, _FEW_DIGITS, 2),
        window=window if all(window) and plain and dicom.number(t.SAMPLES) == 1 else None,
        lossy=dicom.text(t.LOSSY) == "01",
        ratio=measure(t.RATIO),
        method=one_of(t.LOSSY_METHOD, _LOSSY),
    )


def fields(facts: Facts, statement: Statement) -> list[Field]:
    """The header of a copy: everything but the pixel data, in no order."""
    who = facts.patient
    out = [
        text(t.IMAGE_TYPE, "\\".join(facts.image_type)), text(t.CLASS_UID, facts.object_class),
        text(t.INSTANCE_UID, facts.instance), text(0x00080020, ""), text(0x00080030, ""),
        text(0x00080050, who.accession), text(t.MODALITY, facts.modality), text(0x00080070, ""), text(0x00080090, ""),
        text(0x00100010, who.name), text(0x00100020, who.id), text(0x00100030, who.birth_date),
        text(0x00100040, who.sex), text(t.REMOVED, "YES" if facts.removed else "NO"),
        text(t.STUDY_UID, facts.study), text(t.SERIES_UID, facts.series), text(0x00200010, ""),
        text(t.SERIES_NUMBER, facts.series_number), text(t.INSTANCE_NUMBER, facts.instance_number),
        text(t.TURN, facts.turn), text(t.LATERALITY, facts.laterality),
        number(t.SAMPLES, facts.samples), text(t.PHOTOMETRIC, facts.photometric), number(t.ROWS, facts.rows),
        number(t.COLUMNS, facts.columns), number(t.ALLOCATED, facts.allocated), number(t.STORED, facts.stored),
        number(t.HIGH_BIT, facts.stored - 1), number(t.SIGNED, 0),
        text(t.LOSSY, "01" if facts.lossy else "00"),
    ]  # fmt: skip
    if facts.removed:
        codes = [BASIC, *([CLEAN_PIXELS] if statement.text else []), *([CLEAN_FEATURES] if statement.faces else [])]
        out += [text(t.METHOD, method()), Field(t.METHOD_CODES, "SQ", _codes(codes)), text(t.DATES_KEPT, "REMOVED")]
    out += [text(t.BURNED_IN, "NO")] if statement.text else []
    out += [text(t.FEATURES, "NO")] if statement.faces else []
    out += [text(t.BODY_PART, facts.body_part)] if facts.body_part else []
    out += [text(t.IMAGE_LATERALITY, facts.image_laterality)] if facts.image_laterality else []
    out += [number(t.PLANAR, 0)] if facts.samples > 1 else []
    out += [text(t.ASPECT, facts.aspect)] if facts.aspect else []
    out += [text(t.CENTRE, facts.window[0]), text(t.WIDTH, facts.window[1])] if facts.window else []
    out += [Field(t.PROFILE, "OB", facts.profile)] if facts.profile else []
    if facts.lossy:
        out += [text(tag, value) for tag, value in ((t.RATIO, facts.ratio), (t.LOSSY_METHOD, facts.method)) if value]
    return out + _of_the_class(facts)


def _of_the_class(facts: Facts) -> list[Field]:
    """What only some objects have (PS3.3, A.8 and A.32)."""
    if facts.object_class.startswith(t.VL):
        return [Field(t.CONTEXT, "SQ", b"")]
    out = [text(t.CONVERSION, facts.conversion)]
    if facts.object_class == t.SC:
        return out
    out.append(text(t.FRAMES, "1"))
    if facts.samples == 1:
        out += [text(t.SHAPE, "IDENTITY"), text(t.INTERCEPT, "0"), text(t.SLOPE, "1"), text(t.RESCALE_TYPE, "US")]
    return out


def _codes(codes: list[tuple[str, str]]) -> bytes:
    return items(
        [
            [
                Field(0x00080100, "SH", value.encode()),
                Field(0x00080102, "SH", b"DCM"),
                Field(0x00080104, "LO", meaning.encode()),
            ]
            for value, meaning in codes
        ]
    )


ALL_CODES = frozenset(
    _codes([BASIC, *pixels, *features]) for pixels in ([], [CLEAN_PIXELS]) for features in ([], [CLEAN_FEATURES])
)


def ours(dicom: Dicom) -> bool:
    """Whether the file says that it is a copy of this program."""
    return dicom.text(t.METHOD).split(" ")[0] == "medimg" and dicom.text(t.REMOVED) == "YES"


def says_more(dicom: Dicom, facts: Facts) -> list[Element]:
    """Every element with a value that a copy would not have."""
    plain = {f.tag: f.value.rstrip(b" \0") for f in fields(facts, Statement(key=b""))}
    copied = ours(dicom)
    out = []
    passed = False
    for element in dicom.every:
        passed = passed and element.depth > 0  # inside the codes of the method
        if passed or element.tag & 0xFFFF == 0:
            continue
        value = element.value.rstrip(b" \0")
        if element.depth == 0 and element.tag == t.METHOD_CODES and element.value in ALL_CODES:
            passed = True
            continue
        if element.depth == 0 and _is_plain(element.tag, value, plain, copied):
            continue
        if value or element.vr == "SQ":
            out.append(element)
    return out


def _is_plain(tag: int, value: bytes, plain: dict[int, bytes], copied: bool) -> bool:
    if tag in _NOT_COMPARED:
        return True
    if tag in (t.INSTANCE_UID, t.STUDY_UID, t.SERIES_UID):
        return copied and value.startswith(b"2.25.")
    if tag in _OURS:
        return value.decode("latin-1") in _OURS[tag]
    if tag == t.METHOD:
        return copied
    return plain.get(tag) == value
