"""The fixed words of medimg, each in one place: what is found, by which kind of check, and what a person is told of it.

Every entry is the string that stands in the JSON files, so files of earlier versions still open. A new category is one
entry here and the detector that emits it: the sheets, the window, the evidence and the keep-list are made from this.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self

from medimg.words import Worded, mark, tr


class CheckName(Worded):
    """A check of the written copy.

    Attributes:
        words: What the sheets call it.
        content: Whether a detector of that name looks at the picture; a metadata-only run leaves it out.
    """

    content: bool

    def __new__(cls, value: str, words: str = "", content: bool = False) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.english, entry.content = words, content
        return entry

    READBACK = "readback", mark("The file on disk is what was written")
    STRUCTURE = "structure", mark("Nothing but the picture in the file (independent reader)")
    METADATA = "metadata", mark("Nothing but the picture in the file (second reader)")
    CODED_DATA = "coded-data", mark("Bytes inside the coded picture, behind its last symbol")
    PIXELS = "pixels", mark("Covers are solid; the rest is the original's")
    TEXT = "text", mark("Writing, looked for again"), True
    CODES = "codes", mark("Codes, looked for again"), True
    FACES = "faces", mark("Faces, looked for again"), True


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


class PhotoState(Worded):
    """What became of a photo; ``words`` is what the sheets say of it."""

    def __new__(cls, value: str, words: str = "") -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.english = words
        return entry

    UNREVIEWED = "unreviewed", mark("A covered copy passed the checks and waits for a person's look.")
    HELD = "held", mark("Held. No copy was made.")
    REFUSED = "refused", mark("This file could not be handled. It was not copied.")
    FAILED = "failed", mark("The copy could not be written.")


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
    NOT_THE_PICTURE = mark("not part of the picture")
    NEUTRAL_NAME = mark("the copy gets a neutral name")
    MARKED = mark("marked by a person")
    CODE = mark("codes are covered whether or not they can be read")
    DOCUMENT = mark("this looks like a document")
    IDENTIFYING = mark("identifying")
    UNREAD = mark("found but not readable")
    UNKNOWN = mark("read but not known to be harmless")
    HARMLESS = mark("known to be harmless")
    POSSIBLE_NAME = mark("may be a name: look here")
    WITH_ITS_THING = mark("something on it identifies or cannot be read: covered whole")
    NOTHING_ON_IT = mark("what is on it is decided line by line")
    PERHAPS_WRITING = mark("perhaps writing or a code: look")
    FACE = mark("a face identifies")
    POSSIBLE_FACE = mark("possible face: look")
    CLOSE_UP = mark("a face fills the picture: cover, crop, or show if the consent allows it")
    CLOSE_UP_COVERED = mark("a face fills the picture, and the policy covers it")
    OLD_DISGUISE = mark("a bar or mosaic on a face: it is not a disguise, look")
    MOST_OF_IT = mark("a cover would hide most of the picture: crop, cover or show")
    TOGETHER = mark("the covers together would hide most of the picture: crop, cover or show")
    NOWHERE = mark("what is to be covered has no place in the picture")
    CUT = mark("a cover beside it would cut through it")
    SECOND_LOOK = mark("found by the second look")

    # of a person
    COVERED = mark("a person covers it")
    COVERED_ALIKE = mark("a person covers all of this kind")
    MOVED = mark("moved or sized by a person")
    SHOWN = mark("a person shows it")
    NO_FACE = mark("not a face")
    NO_WRITING = mark("not writing")
    LINE_BY_LINE = mark("a person has it covered line by line")
    WHOLE = mark("a person has the whole of it covered")
    FACE_SHOWN = mark("a face, and the consent allows showing it")
    FACE_ALONE = mark("a person has the face alone covered, from brow to chin")


class Choice(Worded):
    """What a person can do about an area; :mod:`medimg.run.choices` says which of them an area has."""

    def __new__(cls, value: str, words: str) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.english = words
        return entry

    COVER = "cover", mark("Cover it")
    FACE_ALONE = "face-alone", mark("Cover the face alone, from brow to chin")
    BESIDE = "beside", mark("Crop to the largest part beside the face")
    NO_FACE = "not-a-face", mark("Not a face: show it")
    CONSENT = "consent-allows", mark("A face, and the consent allows it: show it")
    NO_WRITING = "not-writing", mark("Not writing: show it")
    SHOW = "shown", mark("Show it")


class StandingReason(StrEnum):
    """Why an item of the checklist stands as it does, where the sheets leave the words out."""

    ASKED = mark("asked for this audience")
    NOT_ANSWERED = mark("not answered yet")
    BY_PERSON = mark("answered by a person")
    BY_SITE = mark("set by your organisation")


_NAMES = (
    mark("readback"), mark("structure"), mark("metadata"), mark("coded data"), mark("pixels"), mark("text"),
    mark("codes"), mark("faces"), mark("passed"), mark("failed"), mark("not run"), mark("not asked"),
    mark("closed"), mark("not applicable"), mark("cropped"), mark("format changed"), mark("frames dropped"),
    mark("re-encoded"),
)  # fmt: skip
"""Fixed names that are shown as words, beside those of categories and conditions."""


def as_words(name: str) -> str:
    """A fixed name as words; for names that are no entry too, of files that a later version wrote."""
    return tr(name.replace("-", " ").replace("_", " "))


class Kind(Worded):
    """Which family of check found it; ``drawn`` is an area that a person marked, and no check found.

    Attributes:
        words: What the sheets call it.
        items: Items of the checklist that everything of this kind feeds.
    """

    items: tuple[str, ...]

    def __new__(cls, value: str, words: str, *items: str) -> Self:
        """An entry from what is written of it below."""
        entry = str.__new__(cls, value)
        entry._value_ = value
        entry.english, entry.items = words, items
        return entry

    METADATA = "metadata", mark("Hidden information"), "img.metadata"
    HIDDEN_IMAGE = "hidden-image", mark("Hidden pictures"), "img.hidden-images"
    TEXT = "text", mark("Writing in the picture"), "img.text"
    CODE = "code", mark("Barcodes and QR codes"), "img.codes"
    FACE = "face", mark("Faces"), "img.faces", "img.cover-method", "img.other-people"
    FILENAME = "filename", mark("File names"), "img.filename"
    DOCUMENT = "document", mark("Documents")
    OBJECT = "object", mark("Things with writing on them")
    DRAWN = "drawn", mark("Marked by a person")


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
    window: str
    items: tuple[str, ...]
    keepable: bool

    @property
    def words(self) -> str:
        """As the sheets print it."""
        return as_words(self)

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
        entry.kinds, entry.window = kinds, window
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

    ADDRESS = _Entry("address", (Kind.TEXT, Kind.METADATA), mark("writing: address"))
    AGE = _Entry("age", _TEXT, mark("writing: age"))
    DATE = _Entry("date", _TEXT_OR_FILENAME, mark("writing: date"))
    EMAIL = _Entry("email", _TEXT, mark("writing: e-mail address"), _STAFF)
    HOSPITAL = _Entry("hospital", _TEXT, mark("writing: hospital"), _STAFF)
    ID_NUMBER = _Entry("id-number", _TEXT, mark("writing: id number"), _STAFF)
    KNOWN = _Entry("known", _TEXT_OR_FILENAME, mark("writing: known of the patient"))
    NAME = _Entry("name", _TEXT, mark("writing: name"), _STAFF)
    PHONE = _Entry("phone", _TEXT, mark("writing: phone number"), _STAFF)
    RECORD_NUMBER = _Entry("record-number", (Kind.TEXT, Kind.METADATA), mark("writing: record number"))
    UNKNOWN = _Entry("unknown", _TEXT, mark("writing"), _STAFF)
    UNREAD = _Entry(
        "unread",
        _TEXT,
        mark("writing that could not be read"),
        ("img.text-unread", *_STAFF),
    )

    RULER = _Entry("ruler", _TEXT, mark("ruler"), keepable=True)
    COLOUR_CARD = _Entry("colour-card", _TEXT, mark("colour card"), keepable=True)
    UNIT = _Entry("unit", _TEXT, mark("writing: unit of measure"), keepable=True)
    HARMLESS = _Entry("harmless", _TEXT, mark("writing: harmless words"), keepable=True)
    POSSIBLE_NAME = _Entry("possible-name", _TEXT, mark("writing: may be a name"), keepable=True)
    LATERALITY = _Entry("laterality", _TEXT, mark("writing: left or right"), keepable=True)
    PRODUCT = _Entry("product", _TEXT, mark("writing: product"), keepable=True)

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

    BARCODE = _Entry("barcode", _CODE, mark("bar code"))
    TWO_D_CODE = _Entry("2d-code", _CODE, mark("2-D code"))
    FACE = _Entry("face", _FACE, mark("face"))
    OLD_DISGUISE = _Entry("old-disguise", _FACE, mark("bar or mosaic on a face"))
    POSSIBLE_FACE = _Entry("possible-face", _FACE, mark("possible face"))
    CONSENT_FORM = _Entry("consent-form", (Kind.DOCUMENT,), mark("consent form"))
    IDENTITY_DOCUMENT = _Entry("identity-document", (Kind.DOCUMENT,), mark("identity document"))
    SLIP = _Entry("slip", (Kind.OBJECT,), mark("wristband, label, badge or card"))
    SHEET = _Entry("sheet", (Kind.OBJECT,), mark("paper or board"))
    SCREEN = _Entry("screen", (Kind.OBJECT,), mark("screen"))
    PACKET = _Entry("packet", (Kind.OBJECT,), mark("packet of a product"))
    NUMBER = _Entry("number", _FILENAME)
    WORDS = _Entry("words", _FILENAME)
    AREA = _Entry("area", (Kind.DRAWN,), mark("area marked by you"))

    @classmethod
    def words_of(cls, name: str) -> str:
        """A category of a report as words."""
        try:
            return cls(name).words
        except ValueError:
            return as_words(name)


THINGS: tuple[Category, ...] = tuple(c for c in Category if Kind.OBJECT in c.kinds)
"""What may be covered as a whole, where the policy lists it."""
IDENTIFYING: frozenset[str] = frozenset((
    Category.NAME, Category.RECORD_NUMBER, Category.DATE, Category.ADDRESS, Category.AGE, Category.EMAIL,
    Category.HOSPITAL, Category.ID_NUMBER, Category.PHONE, Category.KNOWN,
))  # fmt: skip
"""Writing of which a rule or a list says that it is of a person."""
KEEPABLE: tuple[Category, ...] = tuple(c for c in Category if c.keepable)
"""Writing that may stay in the picture, where the policy lists it."""
