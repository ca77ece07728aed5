"""The records that travel one way through the pipeline.

``Photo -> Finding -> Plan -> Copy -> Report``. All are frozen. Coordinates are *stored* ones (the pixel grid of the
file, before any EXIF orientation), x to the right, y down, unless a name says ``upright``. A record written to disk
never holds a value from the photo: what was read is a :class:`Secret`, which neither prints nor pickles, in no JSON.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec.structs import astuple

from medimg.bounds import within
from medimg.geometry import Box as Box
from medimg.geometry import Point as Point
from medimg.geometry import Polygon as Polygon
from medimg.geometry import bounding_box as bounding_box
from medimg.vocabulary import CheckState, Kind, PhotoState
from medimg.words import mark

T = TypeVar("T")

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""
BLACK: Colour = (0, 0, 0)

Do = Literal["cover", "drop", "keep", "ask", "hold"]
By = Literal["rule", "person"]


class Secret:
    """A value from a photo. It never prints, never pickles and never reaches a file by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for matching in memory or for the owner's own terminal."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)" if self._value else "Secret()"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[()]]:
        return (Secret, ())


NO_SECRET = Secret()


class Region(msgspec.Struct, frozen=True):
    """A polygon in stored coordinates of one frame."""

    polygon: Annotated[Polygon, msgspec.Meta(min_length=1)]
    frame: int = 0

    @property
    def box(self) -> Box:
        """The smallest upright box of whole pixels around the polygon."""
        return bounding_box(self.polygon)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a check found.

    Attributes:
        kind: Which family of check found it.
        category: What it is, in a fixed word (``location``, ``record-number``, ``ruler`` ...).
        detector: Who found it, with its version.
        score: 0 to 1, the detector's own.
        count: How many of the same kind stand at the same place.
        where: Path in the container (``APP1/Exif/GPS``); never a value.
        region: Where in the picture, for findings that can be seen.
        secret: What was read; never leaves memory.
        id: Short handle inside one photo (``f3``), given by the pipeline.
        tight: Stands so close to something that stays that its cover gets no margin.
        on: What writing or a code lies on, with the thing's number in its picture (``slip 2``); of an ``object`` its
            own; ``bare`` for skin, cloth and the like; ``scale`` for what cannot be told from a ruler's
            ticks and numerals; empty when nobody said.
        inner: What a person may have covered in place of ``region``, as its polygon: of a head, the face from brow to
            chin. Empty where there is no such part.
    """

    kind: Kind
    category: str
    detector: str
    score: float = 1.0
    count: int = 1
    where: str = ""
    region: Region | None = None
    secret: Secret = msgspec.field(default_factory=Secret)  # a factory: a JSON Schema cannot show the value
    id: str = ""
    tight: bool = False
    on: str = ""
    inner: Polygon = ()

    def __repr__(self) -> str:
        place = self.where if self.region is None else ",".join(map(str, astuple(self.region.box)))
        return f"<Finding {self.id or '-'}: {self.category} ({self.kind}), {place}>"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about one finding, why, and who decided."""

    finding: Finding
    do: Do
    why: str
    by: By = "rule"

    def __repr__(self) -> str:
        return f"<Action {self.do} by {self.by}: {self.finding!r}>"  # a person's reason may name somebody


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One action per finding; a person may edit it and have it applied again.

    ``cover`` fills a region, ``drop`` leaves a piece of metadata out, ``keep`` leaves the finding in, ``ask`` puts a
    question to the person who looks at the copy, ``hold`` keeps the whole photo back until a person decides.

    ``width`` and ``height`` are the stored size of the photo it was made for; a plan is refused for another.
    ``crop`` keeps only that box, in the same stored coordinates; a JPEG keeps the whole blocks inside it. Findings
    outside it need nothing.
    """

    schema: Literal["medimg.plan/1"] = "medimg.plan/1"
    width: int
    height: int
    actions: tuple[Action, ...] = ()
    crop: Box | None = None

    def __repr__(self) -> str:
        done = Counter(action.do for action in self.actions)
        return f"<Plan {self.width} x {self.height}: {', '.join(f'{n} {do}' for do, n in done.items()) or 'nothing'}>"

    def doing(self, *what: Do) -> tuple[Action, ...]:
        """The actions of the named sorts whose finding the crop does not leave out."""
        return tuple(a for a in self.actions if a.do in what and self._in_crop(a.finding.region))

    def undecided(self) -> tuple[int, ...]:
        """Numbers, as on the record sheet, of the areas about which a person still has to decide."""
        waits = {id(a) for a in self.doing("ask", "hold")}
        areas = (a for a in self.actions if a.finding.region is not None)
        return tuple(n for n, a in enumerate(areas, 1) if id(a) in waits)

    def _in_crop(self, region: Region | None) -> bool:
        return self.crop is None or region is None or region.box.overlap(self.crop) > 0


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """A polygon to be filled with one solid colour, the same for all covers of a copy."""

    polygon: Polygon
    category: str
    frame: int = 0
    colour: Colour = BLACK


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a written copy and how they were made.

    Attributes:
        data: The whole file.
        format: Name of the format written (``jpeg``).
        suffix: File suffix with its dot.
        width: Stored pixels across.
        height: Stored pixels down.
        orientation: EXIF orientation 1 to 8 that the copy carries.
        lossless: True when everything outside ``covered`` is the original's, sample for sample.
        method: How it was written: ``segment-copy``, ``coefficients``, ``samples``, ``re-encoded``.
        covered: The polygons really filled, in stored coordinates, after growth to whole blocks (boxes then);
            all of one colour.
        fringe: Pixels round a box whose chroma may differ (JPEG chroma upsampling); 0 for exact formats.
        notes: Fixed phrases for the report (``frames-dropped``).
        cropped: The box of the original that the copy shows, in the original's stored coordinates; None for all of
            it. ``width``, ``height`` and ``covered`` are the copy's own.
    """

    data: bytes
    format: str
    suffix: str
    width: int
    height: int
    orientation: int = 1
    lossless: bool = True
    method: str = "segment-copy"
    covered: tuple[Polygon, ...] = ()
    fringe: int = 0
    notes: tuple[str, ...] = ()
    cropped: Box | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the written copy: whether it ran, with which engine, and what came of it."""

    name: str
    state: CheckState
    engine: str = ""
    found: int = 0
    detail: str = ""


class CopySummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a report may say of a copy: everything but its bytes."""

    name: str
    format: str
    bytes: int
    sha256: str
    width: int
    height: int
    lossless: bool
    method: str
    covered: tuple[Polygon, ...] = ()
    notes: tuple[str, ...] = ()
    cropped: Box | None = None


class Original(msgspec.Struct, frozen=True):
    """How the original of a photo is known again without its name: size, and a digest that is salted for each photo."""

    bytes: int
    salt: str
    digest: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one photo. Holds kinds, counts and places; never a value from the photo.

    ``state`` is ``unreviewed`` (a verified copy waits for a person), ``held`` (a check failed or did not
    run), ``refused`` (the input cannot be handled) or ``failed`` (the output could not be written).
    ``captured`` says how long before the run the photo was taken, as a wide bucket and never as a date; empty when
    that is not known. It belongs in the private part alone, as does ``original``.
    ``least_letters`` is the height in pixels below which a line of print was not looked for at the size of this photo;
    0 when text was not looked for.

    ``fault`` says where a fault nobody foresaw happened: its type and places in medimg's own modules, no value.
    """

    schema: Literal["medimg.report/1"] = "medimg.report/1"
    safe_id: str
    state: PhotoState
    format: str = ""
    width: int = 0
    height: int = 0
    plan: Plan | None = None
    checks: tuple[Check, ...] = ()
    copy: CopySummary | None = None
    error_code: str = ""
    exit_code: int = 0
    reason: str = ""
    fault: str = ""
    scope: Literal["full", "metadata-only"] = "full"
    policy_digest: str = ""
    engines: dict[str, str] = {}
    seconds: dict[str, float] = {}
    captured: Literal["", "days", "weeks", "months", "longer"] = ""
    least_letters: int = 0
    original: Original | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of the plan."""
        return tuple(a.finding for a in self.plan.actions) if self.plan else ()

    def __repr__(self) -> str:
        done = f"{self.format} {self.width} x {self.height}, {sum(f.count for f in self.findings)} found"
        return f"<Report {self.safe_id}: {self.state}, {self.error_code or done}>"

    def row(self) -> dict[str, str | int | float | bool]:
        """One flat row with the same columns for every photo: ``pandas.DataFrame(r.row() for r in reports)``."""
        of = {kind: sum(f.count for f in self.findings if f.kind == kind) for kind in Kind}
        return {
            "safe_id": self.safe_id,
            "state": str(self.state),
            "error_code": self.error_code,
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "covered": len(self.plan.doing("cover")) if self.plan else 0,
            "asked": len(self.plan.doing("ask")) if self.plan else 0,
            **{f"found_{kind.replace('-', '_')}": count for kind, count in of.items()},
            "checks_passed": bool(self.copy),
            "seconds": round(sum(self.seconds.values()), 3),
        }

    def counts(self, *kinds: Kind) -> dict[str, int]:
        """Category -> how many, of the named kinds (all when none is named)."""
        out: dict[str, int] = {}
        for f in self.findings:
            if not kinds or f.kind in kinds:
                name = str(f.category)  # plain text: an entry of the vocabulary prints as one
                out[name] = out.get(name, 0) + f.count
        return out


class KnownValues(msgspec.Struct, frozen=True, kw_only=True):
    """Values the caller knows belong to the person; searched for, kept in memory only."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    """Words of the photo's own file name and folders; looked for where they are no plain words."""

    def __repr__(self) -> str:
        return f"KnownValues({len(self.names)} names, {len(self.numbers)} numbers, {len(self.dates)} dates)"


NOTHING_KNOWN = KnownValues()


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds on one photo.

    Attributes:
        bytes: File size.
        pixels: Width times height of a frame.
        frames: Pages or frames.
        seconds: Wall time for one photo, in a batch.
        max_side: Pixels of the longest side to which a larger picture is brought before it is looked at; 0 for none.
    """

    bytes: int = 512 * 1024 * 1024
    pixels: int = 200_000_000
    frames: int = 500
    seconds: float = 300.0
    max_side: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that bound nothing, or more than a computer has.

        Raises:
            ValueError: One is outside what is allowed; its name is said.
        """
        within(self, "limits", bytes=(1, 10**12), pixels=(1, 10**12), frames=(1, 10**6), seconds=(0.001, 604_800))
        within(self, "limits", max_side=(0, 10**6))


def _no_secret(value: Any) -> Any:
    if isinstance(value, Secret):
        return None
    raise NotImplementedError(type(value).__name__)


def _decode_secret(kind: type, _value: Any) -> Any:
    if kind is Secret:
        return NO_SECRET
    raise NotImplementedError(kind.__name__)


def to_json(record: Any, *, indent: int = 2) -> bytes:
    """A record as JSON text, UTF-8, ending in a newline; secrets become null."""
    return msgspec.json.format(msgspec.json.encode(record, enc_hook=_no_secret), indent=indent) + b"\n"


def from_json(data: bytes | str, kind: type[T]) -> T:
    """Read a record written by :func:`to_json`.

    Raises:
        msgspec.DecodeError: The text does not fit the record (``ValidationError``), is no JSON, or goes too deep.
    """
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=_decode_secret)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(mark("this is no JSON in UTF-8, or it is nested too deeply")) from error
