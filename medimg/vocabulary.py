"""The fixed words of medimg, each in one place: what is found, by which kind of check, and what a person is told of it.

Every entry is the string that stands in the JSON files, so files of earlier versions still open. A new category is one
entry here and the detector that emits it: the sheets, the window, the evidence and the keep-list are made from this.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: N802, ARG001 - Qt's name: its tool looks for the calls
    """The text as it is, marked for translators (``make strings``); the window looks it up when it shows it."""
    return text


class CheckName(StrEnum):
    """A check of the written copy.

    Attributes:
        words: What the sheets call it.
        content: Whether a detector of that name looks at the picture; a metadata-only run leaves it out.
    """

    words: str
    content: bool

    def __new__(cls, value: str, words: str = "", content: bool = False) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.words, entry.content = words, content
        return entry

    READBACK = "readback", "The file on disk is what was written"
    STRUCTURE = "structure", "Nothing but the picture in the file (independent reader)"
    METADATA = "metadata", "Nothing but the picture in the file (second reader)"
    CODED_DATA = "coded-data", "Bytes inside the coded picture, behind its last symbol"
    PIXELS = "pixels", "Covers are solid; the rest is the original's"
    TEXT = "text", "Writing, looked for again", True
    CODES = "codes", "Codes, looked for again", True
    FACES = "faces", "Faces, looked for again", True


CONTENT_CHECKS: tuple[CheckName, ...] = tuple(c for c in CheckName if c.content)
"""What looks at the picture."""


class CheckState(StrEnum):
    """What came of a check. One that did not run holds the photo; one that was not asked for is named."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not-run"
    NOT_ASKED = "not-asked"


PASSING = (CheckState.PASSED, CheckState.NOT_ASKED)
"""With these alone a copy is released."""


class PhotoState(StrEnum):
    """What became of a photo; ``words`` is what the sheets say of it."""

    words: str

    def __new__(cls, value: str, words: str = "") -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.words = words
        return entry

    UNREVIEWED = "unreviewed", "A covered copy passed the checks and waits for a person's look."
    HELD = "held", "Held. No copy was made."
    REFUSED = "refused", "This file could not be handled. It was not copied."
    FAILED = "failed", "The copy could not be written."


class FormatName(StrEnum):
    """The format of a file, as reports name it. What medimg can do with one is said in its room under ``formats``."""

    JPEG = "jpeg"
    PNG = "png"
    HEIF = "heif"
    DICOM = "dicom"
    TIFF = "tiff"
    WEBP = "webp"
    GIF = "gif"
    BMP = "bmp"
    JP2 = "jp2"


class Reason(StrEnum):
    """Why something is done about a finding, in the words that people read; a plan holds them as they are here.

    Another program may give a reason of its own in a plan, so the record takes any text.
    """

    # of a rule
    NOT_THE_PICTURE = QT_TRANSLATE_NOOP("wording", "not part of the picture")
    NEUTRAL_NAME = QT_TRANSLATE_NOOP("wording", "the copy gets a neutral name")
    MARKED = QT_TRANSLATE_NOOP("wording", "marked by a person")
    CODE = QT_TRANSLATE_NOOP("wording", "codes are covered whether or not they can be read")
    DOCUMENT = QT_TRANSLATE_NOOP("wording", "this looks like a document")
    IDENTIFYING = QT_TRANSLATE_NOOP("wording", "identifying")
    UNREAD = QT_TRANSLATE_NOOP("wording", "found but not readable")
    UNKNOWN = QT_TRANSLATE_NOOP("wording", "read but not known to be harmless")
    HARMLESS = QT_TRANSLATE_NOOP("wording", "known to be harmless")
    POSSIBLE_NAME = QT_TRANSLATE_NOOP("wording", "may be a name: look here")
    WITH_ITS_THING = QT_TRANSLATE_NOOP("wording", "something on it identifies or cannot be read: covered whole")
    NOTHING_ON_IT = QT_TRANSLATE_NOOP("wording", "what is on it is decided line by line")
    PERHAPS_WRITING = QT_TRANSLATE_NOOP("wording", "perhaps writing or a code: look")
    FACE = QT_TRANSLATE_NOOP("wording", "a face identifies")
    POSSIBLE_FACE = QT_TRANSLATE_NOOP("wording", "possible face: look")
    CLOSE_UP = QT_TRANSLATE_NOOP("wording", "a face fills the picture: cover, crop, or show if the consent allows it")
    CLOSE_UP_COVERED = QT_TRANSLATE_NOOP("wording", "a face fills the picture, and the policy covers it")
    OLD_DISGUISE = QT_TRANSLATE_NOOP("wording", "a bar or mosaic on a face: it is not a disguise, look")
    MOST_OF_IT = QT_TRANSLATE_NOOP("wording", "a cover would hide most of the picture: crop, cover or show")
    TOGETHER = QT_TRANSLATE_NOOP("wording", "the covers together would hide most of the picture: crop, cover or show")
    NOWHERE = QT_TRANSLATE_NOOP("wording", "what is to be covered has no place in the picture")
    CUT = QT_TRANSLATE_NOOP("wording", "a cover beside it would cut through it")
    SECOND_LOOK = QT_TRANSLATE_NOOP("wording", "found by the second look")

    # of a person
    COVERED = QT_TRANSLATE_NOOP("wording", "a person covers it")
    COVERED_ALIKE = QT_TRANSLATE_NOOP("wording", "a person covers all of this kind")
    MOVED = QT_TRANSLATE_NOOP("wording", "moved or sized by a person")
    SHOWN = QT_TRANSLATE_NOOP("wording", "a person shows it")
    NO_FACE = QT_TRANSLATE_NOOP("wording", "not a face")
    NO_WRITING = QT_TRANSLATE_NOOP("wording", "not writing")
    LINE_BY_LINE = QT_TRANSLATE_NOOP("wording", "a person has it covered line by line")
    WHOLE = QT_TRANSLATE_NOOP("wording", "a person has the whole of it covered")
    FACE_SHOWN = QT_TRANSLATE_NOOP("wording", "a face, and the consent allows showing it")
    FACE_ALONE = QT_TRANSLATE_NOOP("wording", "a person has the face alone covered, from brow to chin")


class Choice(StrEnum):
    """What a person can do about an area; :mod:`medimg.run.choices` says which of them an area has.

    Attributes:
        words: What a button for it says.
    """

    words: str

    def __new__(cls, value: str, words: str) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.words = words
        return entry

    COVER = "cover", QT_TRANSLATE_NOOP("wording", "Cover it")
    FACE_ALONE = "face-alone", QT_TRANSLATE_NOOP("wording", "Cover the face alone, from brow to chin")
    BESIDE = "beside", QT_TRANSLATE_NOOP("wording", "Crop to the largest part beside the face")
    NO_FACE = "not-a-face", QT_TRANSLATE_NOOP("wording", "Not a face: show it")
    CONSENT = "consent-allows", QT_TRANSLATE_NOOP("wording", "A face, and the consent allows it: show it")
    NO_WRITING = "not-writing", QT_TRANSLATE_NOOP("wording", "Not writing: show it")
    SHOW = "shown", QT_TRANSLATE_NOOP("wording", "Show it")


class StandingReason(StrEnum):
    """Why an item of the checklist stands as it does, where the sheets leave the words out."""

    ASKED = "asked for this audience"
    NOT_ANSWERED = "not answered yet"
    BY_PERSON = "answered by a person"


def as_words(name: str) -> str:
    """A fixed name as words; for names that are no entry too, of files that a later version wrote."""
    return name.replace("-", " ").replace("_", " ")


class Kind(StrEnum):
    """Which family of check found it; ``drawn`` is an area that a person marked, and no check found.

    Attributes:
        words: What the sheets call it.
        items: Items of the checklist that everything of this kind feeds.
    """

    words: str
    items: tuple[str, ...]

    def __new__(cls, value: str, words: str, *items: str) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.words, entry.items = words, items
        return entry

    METADATA = "metadata", "Hidden information", "img.metadata"
    HIDDEN_IMAGE = "hidden-image", "Hidden pictures", "img.hidden-images"
    TEXT = "text", "Writing in the picture", "img.text"
    CODE = "code", "Barcodes and QR codes", "img.codes"
    FACE = "face", "Faces", "img.faces", "img.cover-method", "img.other-people"
    FILENAME = "filename", "File names", "img.filename"
    DOCUMENT = "document", "Documents"
    OBJECT = "object", "Things with writing on them"
    DRAWN = "drawn", "Marked by a person"


class _Entry(NamedTuple):
    """What is written down of a category; see :class:`Category`."""

    value: str
    kinds: tuple[Kind, ...]
    window: str = ""
    items: tuple[str, ...] = ()
    keepable: bool = False


_META, _HIDDEN = (Kind.METADATA,), (Kind.HIDDEN_IMAGE,)
_EITHER = (Kind.METADATA, Kind.HIDDEN_IMAGE)
_TEXT, _CODE, _FACE, _FILENAME = (Kind.TEXT,), (Kind.CODE,), (Kind.FACE,), (Kind.FILENAME,)
_TEXT_OR_FILENAME = (Kind.TEXT, Kind.FILENAME)
_STAFF = ("img.workplace",)
"""What a badge, a door or a letterhead may show; whose name it is, no check can tell."""


class Category(StrEnum):
    """What a finding is.

    Attributes:
        kinds: Kinds of finding that have it, first the one that the window's words are for; none for what only a
            caption is searched for.
        words: As the sheets print it.
        window: As the window names it; empty for what is not shown there.
        items: Items of the checklist that it feeds where it is of its first kind, beside those of the kind.
        keepable: Whether the keep-list of a policy may leave it in the picture. Only writing has such a list.
    """

    kinds: tuple[Kind, ...]
    words: str
    window: str
    items: tuple[str, ...]
    keepable: bool

    def __new__(
        cls,
        value: str,
        kinds: tuple[Kind, ...] = (),
        window: str = "",
        items: tuple[str, ...] = (),
        keepable: bool = False,
    ) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.kinds, entry.words, entry.window = kinds, as_words(value), window
        entry.items, entry.keepable = items, keepable
        return entry

    # -- what a file says beside its picture

    ANIMATION_LOOP = _Entry("animation-loop", _META)
    ATTACHED_ARCHIVE = _Entry("attached-archive", _META)
    ATTACHED_DOCUMENT = _Entry("attached-document", _META)
    BACKGROUND_COLOUR = _Entry("background-colour", _META)
    BIRTH_DATE = _Entry("birth-date", _META)
    BYTES_BEFORE_START = _Entry("bytes-before-start", _META)
    BYTES_BETWEEN_SEGMENTS = _Entry("bytes-between-segments", _META)
    CALIBRATION = _Entry("calibration", _META)
    CAMERA_SETTING = _Entry("camera-setting", _META)
    CAPTION = _Entry("caption", _META)
    CAPTURE_TIME = _Entry("capture-time", _META)
    COLOUR_PROFILE_TEXT = _Entry("colour-profile-text", _META)
    COMMENT = _Entry("comment", _META)
    CONTENT_CREDENTIAL = _Entry("content-credential", _META)
    DEVICE = _Entry("device", _META)
    DISPLAY_HINT = _Entry("display-hint", _META)
    EDITOR_SETTING = _Entry("editor-setting", _META)
    GAIN_MAP = _Entry("gain-map", _EITHER)
    HISTOGRAM = _Entry("histogram", _META)
    ID = _Entry("id", _META)
    INSTITUTION = _Entry("institution", _META)
    IPTC = _Entry("iptc", _META)
    LOCATION = _Entry("location", _META, items=("img.location",))
    MAKER_NOTE = _Entry("maker-note", _META)
    MOTION_VIDEO = _Entry("motion-video", _EITHER)
    NO_END_MARK = _Entry("no-end-mark", _META)
    OWNER = _Entry("owner", _META)
    PADDING_BITS = _Entry("padding-bits", _META)
    PATIENT_DETAILS = _Entry("patient-details", _META)
    PERSON = _Entry("person", _META)
    PRIVATE_ELEMENT = _Entry("private-element", _META)
    RESOLUTION = _Entry("resolution", _META)
    SCANNER_PLACEMENT = _Entry("scanner-placement", _META)
    SERIAL = _Entry("serial", _META)
    SOFTWARE = _Entry("software", _META)
    SOUND = _Entry("sound", _META)
    STEREO = _Entry("stereo", _META)
    TELEPHONE = _Entry("telephone", _META)
    TRAILING_BYTES = _Entry("trailing-bytes", _META)
    UNKNOWN_BLOCK = _Entry("unknown-block", _META)
    UNUSED_PALETTE = _Entry("unused-palette", _META)
    UNUSED_TABLE = _Entry("unused-table", _META)
    XMP = _Entry("xmp", _META)

    # -- pictures that no viewer shows

    CURVE = _Entry("curve", _HIDDEN)
    DEPTH_MAP = _Entry("depth-map", _HIDDEN)
    EARLIER_VERSION = _Entry("earlier-version", _HIDDEN)
    EXTRA_FRAMES = _Entry("extra-frames", _HIDDEN)
    HIDDEN_PIXELS = _Entry("hidden-pixels", _HIDDEN)
    OVERLAY = _Entry("overlay", _HIDDEN)
    PREVIEW = _Entry("preview", _HIDDEN)
    SECOND_IMAGE = _Entry("second-image", _HIDDEN)
    THERMAL_IMAGE = _Entry("thermal-image", _HIDDEN)
    THUMBNAIL = _Entry("thumbnail", _HIDDEN)

    # -- writing

    ADDRESS = _Entry("address", (Kind.TEXT, Kind.METADATA), QT_TRANSLATE_NOOP("wording", "writing: address"))
    AGE = _Entry("age", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: age"))
    DATE = _Entry("date", _TEXT_OR_FILENAME, QT_TRANSLATE_NOOP("wording", "writing: date"))
    EMAIL = _Entry("email", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: e-mail address"), _STAFF)
    HOSPITAL = _Entry("hospital", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: hospital"), _STAFF)
    ID_NUMBER = _Entry("id-number", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: id number"), _STAFF)
    KNOWN = _Entry("known", _TEXT_OR_FILENAME, QT_TRANSLATE_NOOP("wording", "writing: known of the patient"))
    NAME = _Entry("name", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: name"), _STAFF)
    PHONE = _Entry("phone", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: phone number"), _STAFF)
    RECORD_NUMBER = _Entry(
        "record-number", (Kind.TEXT, Kind.METADATA), QT_TRANSLATE_NOOP("wording", "writing: record number")
    )
    UNKNOWN = _Entry("unknown", _TEXT, QT_TRANSLATE_NOOP("wording", "writing"), _STAFF)
    UNREAD = _Entry(
        "unread",
        _TEXT,
        QT_TRANSLATE_NOOP("wording", "writing that could not be read"),
        ("img.text-unread", *_STAFF),
    )

    RULER = _Entry("ruler", _TEXT, QT_TRANSLATE_NOOP("wording", "ruler"), keepable=True)
    COLOUR_CARD = _Entry("colour-card", _TEXT, QT_TRANSLATE_NOOP("wording", "colour card"), keepable=True)
    UNIT = _Entry("unit", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: unit of measure"), keepable=True)
    HARMLESS = _Entry("harmless", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: harmless words"), keepable=True)
    POSSIBLE_NAME = _Entry(
        "possible-name", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: may be a name"), keepable=True
    )
    LATERALITY = _Entry("laterality", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: left or right"), keepable=True)
    PRODUCT = _Entry("product", _TEXT, QT_TRANSLATE_NOOP("wording", "writing: product"), keepable=True)

    # -- writing in a caption beside the picture

    AGE_OVER_89 = _Entry("age-over-89", ())
    EXACT_AGE = _Entry("exact-age", ())
    HANDLE = _Entry("handle", ())
    HASHTAG = _Entry("hashtag", ())
    IN_THE_NEWS = _Entry("in-the-news", ())
    INITIALS = _Entry("initials", ())
    JUDGING_WORD = _Entry("judging-word", ())
    LINK = _Entry("link", ())
    OCCUPATION = _Entry("occupation", ())
    PLACE_NAME = _Entry("place-name", ())
    RARE_CASE = _Entry("rare-case", ())
    RELATIVE_TIME = _Entry("relative-time", ())
    SOMEBODY_CLOSE = _Entry("somebody-close", ())
    TITLE_AND_NAME = _Entry("title-and-name", ())

    # -- codes, faces, documents, file names, and what a person marks

    BARCODE = _Entry("barcode", _CODE, QT_TRANSLATE_NOOP("wording", "bar code"))
    TWO_D_CODE = _Entry("2d-code", _CODE, QT_TRANSLATE_NOOP("wording", "2-D code"))
    FACE = _Entry("face", _FACE, QT_TRANSLATE_NOOP("wording", "face"))
    OLD_DISGUISE = _Entry("old-disguise", _FACE, QT_TRANSLATE_NOOP("wording", "bar or mosaic on a face"))
    POSSIBLE_FACE = _Entry("possible-face", _FACE, QT_TRANSLATE_NOOP("wording", "possible face"))
    CONSENT_FORM = _Entry("consent-form", (Kind.DOCUMENT,), QT_TRANSLATE_NOOP("wording", "consent form"))
    IDENTITY_DOCUMENT = _Entry("identity-document", (Kind.DOCUMENT,), QT_TRANSLATE_NOOP("wording", "identity document"))
    SLIP = _Entry("slip", (Kind.OBJECT,), QT_TRANSLATE_NOOP("wording", "wristband, label, badge or card"))
    SHEET = _Entry("sheet", (Kind.OBJECT,), QT_TRANSLATE_NOOP("wording", "paper or board"))
    SCREEN = _Entry("screen", (Kind.OBJECT,), QT_TRANSLATE_NOOP("wording", "screen"))
    PACKET = _Entry("packet", (Kind.OBJECT,), QT_TRANSLATE_NOOP("wording", "packet of a product"))
    NUMBER = _Entry("number", _FILENAME)
    WORDS = _Entry("words", _FILENAME)
    AREA = _Entry("area", (Kind.DRAWN,), QT_TRANSLATE_NOOP("wording", "area marked by you"))

    @classmethod
    def words_of(cls, name: str) -> str:
        """A category of a report as words."""
        try:
            return cls(name).words
        except ValueError:
            return as_words(name)


KEEPABLE: tuple[Category, ...] = tuple(c for c in Category if c.keepable)
"""Writing that may stay in the picture, where the policy lists it."""
