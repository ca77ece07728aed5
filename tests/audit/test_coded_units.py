"""The second reader reads what the heads of HEVC and AV1 pictures say, and knows what no single picture needs."""

from __future__ import annotations

import struct

import hevc_kit
import pytest
from heif_kit import TILE, av1, box, grid, heif, ispe
from hevc_kit import Field
from PIL import Image

from medimg import audit
from medimg.errors import Malformed


class Bits:
    """Bits, most significant first."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, width: int, value: int = 0) -> Bits:
        self.text += f"{value:0{width}b}" if width else ""
        return self

    def ue(self, value: int) -> Bits:
        """Exp-Golomb (ITU-T H.265, 9.2)."""
        code = f"{value + 1:b}"
        self.text += "0" * (len(code) - 1) + code
        return self

    def bytes(self) -> bytes:
        return hevc_kit.ended(self.text)


# -- HEVC -------------------------------------------------------------------------------------------------------------

SLICE = b"\x26\1\xa0"
"""The first slice of a picture that stands alone, of parameter set 0."""


def heic(
    *units: bytes,
    size: tuple[int, int] = (64, 64),
    fields: list[Field] | None = None,
    pictures: tuple[list[Field], ...] = (hevc_kit.picture(),),
    layout: tuple[int, int, int] = (1, 0, 0),
) -> bytes:
    """One picture of these units, of a sequence and of pictures described by fields."""
    record = hevc_kit.record(
        hevc_kit.unit(32, hevc_kit.video()),
        hevc_kit.unit(33, hevc_kit.sequence(*size) if fields is None else fields),
        *(hevc_kit.unit(34, one) for one in pictures),
        layout=layout,
    )
    return configured(record, *units, size=size)


def configured(record: bytes, *units: bytes, size: tuple[int, int] = (64, 64)) -> bytes:
    payload = b"".join(struct.pack(">I", len(u)) + u for u in units or (SLICE,))
    return heif(b"heic", [(b"hvc1", payload, [box(b"hvcC", record), ispe(*size)])])


def strays(data: bytes) -> list[str]:
    return audit.walk(data, "heif")


def noticed(data: bytes) -> bool:
    """Whether a copy does not pass: something is named, or it cannot be followed to its end."""
    try:
        return strays(data) != []
    except Malformed:
        return True


@pytest.mark.parametrize("chroma", range(4))
def test_the_size_of_an_hevc_picture_is_read(chroma: int) -> None:
    layout = (chroma, 0, 0)
    fields = hevc_kit.sequence(64, 48, chroma=chroma)
    assert strays(heic(size=(64, 48), fields=fields, layout=layout)) == []
    for size in ((65, 48), (64, 47), (48, 64)):
        assert strays(heic(size=size, fields=fields, layout=layout)) == ["mdat/size of a picture"]
    across, down = 2 if chroma in (1, 2) else 1, 2 if chroma == 1 else 1
    whole = 64 + 3 * across, 48 + 7 * down
    cut = hevc_kit.sequence(*whole, chroma=chroma, cut=(1, 2, 3, 4))
    assert strays(heic(size=(64, 48), fields=cut, layout=layout)) == []
    cut = hevc_kit.sequence(64, 48, chroma=chroma, cut=(1, 2, 3, 4))
    assert strays(heic(size=(64, 48), fields=cut, layout=layout)) == ["mdat/size of a picture"]


@pytest.mark.parametrize(
    ("window", "cut", "good"),
    [
        ((0, 15, 0, 0), (15, 0), True),
        ((8, 8, 0, 0), (16, 0), False),
        ((0, 0, 7, 8), (0, 15), True),
        ((0, 0, 16, 0), (0, 16), False),
    ],
)
def test_what_a_window_cuts_off_is_narrow(window: tuple[int, ...], cut: tuple[int, int], good: bool) -> None:
    fields = hevc_kit.sequence(64 + cut[0], 48 + cut[1], chroma=3, cut=window)
    assert (strays(heic(size=(64, 48), fields=fields, layout=(3, 0, 0))) == []) == good


@pytest.mark.parametrize("kind", range(64))
def test_an_hevc_item_holds_slices_that_name_no_other_picture(kind: int) -> None:
    unit = bytes((kind << 1, 1, 0x20))  # no first slice
    alone = kind in (19, 20)
    assert strays(heic(SLICE, unit)) == ([] if alone else ["mdat/supplemental unit"])
    for layered in (bytes((kind << 1 | 1, 1, 0x20)), bytes((kind << 1, 9, 0x20)), bytes((kind << 1, 2, 0x20))):
        assert "mdat/supplemental unit" in strays(heic(SLICE, layered))


def test_an_hevc_item_holds_one_picture() -> None:
    assert strays(heic(SLICE, SLICE)) == ["mdat/further picture"]
    assert strays(heic(SLICE[:2] + b"\x20")) == ["mdat/further picture"]
    with pytest.raises(Malformed):
        strays(heic(SLICE, b"\x26\1"))  # shorter than its head


LISTS = [
    Field("written" if matrix < 3 else "of others", 1, 0) if not which else Field(f"like {min(matrix, 3)}", 0, 0)
    for size in range(4)
    for matrix in range(0, 6, 3 if size == 3 else 1)
    for which in range(2)
]
"""Lists of factors that are all as by default."""
WRITTEN = [Field("written", 1, 1), *(Field("step", 0, 0) for _ in range(16)), *LISTS[2:]]
"""The first of them written out: eight, everywhere."""
LARGEST, OFFSET, FILTER = (16, 17), (24, 25), (12, 13)
COUNTS = (
    *("order", "pictures held", "pictures late", "latency", "samples, side", "samples, sides"),
    *("skipped", "finer", "sao", "sao of colours"),
)
AT_MOST = {
    **dict.fromkeys(("depth", "depth of colours"), (8, 9)),
    **dict.fromkeys(COUNTS, LARGEST),
    "blocks": LARGEST,
    "factor": (128, 129),
    "blue": OFFSET, "red": OFFSET, "list": OFFSET, "beta": FILTER, "tc": FILTER,
    "columns": (19, 20), "rows": (21, 22), "side": (65535, 65536), "of a list": (5, 6),
    "like 0": (0, 1), "like 1": (1, 2), "like 2": (2, 3), "like 3": (0, 1),
    "primaries": (22, 23), "transfer": (18, 19), "matrix": (17, 18), "place": (5, 6),
}  # fmt: skip
"""Numbers that say something: the last that is good, and the first that could say anything."""
FREE = {
    *("tier", "profile", "compatible with", "scan", "constraints", "level"),  # in all three places alike
    *("planes apart", "filters", "samples, depths", "samples, filter", "prediction", "full range", "standard"),
    *("dependent slices", "output", "hidden signs", "constrained", "colours of slices"),
    *("lossless", "rows apart", "across tiles", "across slices", "of slices", "cross"),
}
"""Fields that a decoder needs, of which every value is one."""
SHAPES = {"cut", "factors", "lists", "samples", "shown", "signal", "colours", "place of colours", "extension", "skips",
          "tiles", "even", "filter", "off", "written", "listed", "factors of blocks"}  # fmt: skip
"""Fields that say which others follow: another value moves all of these."""
PLACES = {"format", "width", "height", "cut off"}
"""Fields that have to stand elsewhere too."""
STANDARD = [
    Field("skipped", 0, 0), Field("cross", 1, 0), Field("listed", 1, 1), Field("finer", 0, 0),
    Field("of a list", 0, 0), Field("list", 0, 0), Field("list", 0, 0), Field("sao", 0, 0),
    Field("sao of colours", 0, 0),
]  # fmt: skip
SEQUENCES = {
    "of x265": hevc_kit.sequence(),
    "no description": hevc_kit.sequence(shown=[]),
    "place of colours": hevc_kit.sequence(
        shown=[
            *hevc_kit.SHOWN[:9],
            Field("place of colours", 1, 1),
            Field("place", 0, 0),
            Field("place", 0, 0),
            *hevc_kit.SHOWN[10:],
        ]
    ),
    "all that is allowed": hevc_kit.sequence(factors=[], samples=True, standard=0),
    "lists by default": hevc_kit.sequence(factors=LISTS),
    "a list": hevc_kit.sequence(factors=WRITTEN),
}
WITH_SKIPS = [f._replace(value=1) if f.name == "skips" else f for f in hevc_kit.picture(standard=STANDARD)]
PICTURES = {
    "of x265": hevc_kit.picture(),
    "filtered": hevc_kit.picture(filtered=True),
    "tiles": hevc_kit.picture(tiles=(1, 1)),
    "uneven tiles": hevc_kit.picture(tiles=(1, 1, 0, 0)),
    "standard": WITH_SKIPS,
    "lists by default": hevc_kit.picture(factors=LISTS),
}


def changed(fields: list[Field], at: int, value: int) -> list[Field]:
    return [*fields[:at], fields[at]._replace(value=value), *fields[at + 1 :]]


def edges(field: Field) -> tuple[list[int], list[int]]:
    """Values of a field that a copy may have, and some that it may not."""
    if field.name in AT_MOST:
        good, wrong = AT_MOST[field.name]
        return [good], [wrong]
    top = (1 << field.bits) - 1 if field.bits else 40
    others = sorted({field.value ^ 1, top, 0, *((1 << k) ^ field.value for k in range(field.bits))} - {field.value})
    return (others, []) if field.name in FREE else ([], others)


def made_of(kind: str, fields: list[Field]) -> bytes:
    if kind == "picture":
        return heic(pictures=(fields,))
    layout = fields_of(fields, "format"), fields_of(fields, "depth"), fields_of(fields, "depth of colours")
    named = [next(f for f in fields if f.name == one.name) for one in hevc_kit.PROFILE]
    video = [next((f for f in fields if f.name == one.name), one) if one in CARRIED else one for one in VIDEO]
    record = hevc_kit.record(
        hevc_kit.unit(32, video),
        hevc_kit.unit(33, fields),
        hevc_kit.unit(34, hevc_kit.picture()),
        fields=named,
        layout=tuple(min(part, 7) for part in layout),  # type: ignore[arg-type]
    )
    return configured(record)


def fields_of(fields: list[Field], name: str) -> int:
    return next(f.value for f in fields if f.name == name)


VIDEO = hevc_kit.video()
CARRIED = [*hevc_kit.PROFILE, *hevc_kit.BUFFERS]
"""Fields of a sequence that its video parameter set repeats."""
CASES = [("sequence", name, fields) for name, fields in SEQUENCES.items()]
CASES += [("picture", name, fields) for name, fields in PICTURES.items()]


@pytest.mark.parametrize(("kind", "name", "fields"), CASES, ids=[f"{kind} {name}" for kind, name, _ in CASES])
def test_every_field_of_a_parameter_set_says_what_a_picture_needs(kind: str, name: str, fields: list[Field]) -> None:
    assert strays(made_of(kind, fields)) == []
    seen = set()
    for at, field in enumerate(fields):
        if field.name in SHAPES | PLACES | {"depth", "depth of colours", "step"}:
            continue
        good, wrong = edges(field)
        seen.add(field.name)
        for value in good:
            if (field.name, value) not in {("columns", 19), ("rows", 21), ("of a list", 5)}:  # which more would follow
                assert not noticed(made_of(kind, changed(fields, at, value))), (field, value)
        for value in wrong:
            assert noticed(made_of(kind, changed(fields, at, value))), (field, value)
    assert len(seen) > 20


def test_a_number_of_a_picture_is_the_one_that_its_slices_name() -> None:
    assert strays(heic(b"\x26\1\x90", pictures=(hevc_kit.picture(1),))) == []  # Exp-Golomb 010 behind two bits
    assert strays(heic(b"\x26\1\x90")) == strays(heic(pictures=(hevc_kit.picture(1),))) == ["meta/iprp/hvcC"]
    two = hevc_kit.picture(0), hevc_kit.picture(1)
    assert strays(heic(SLICE, b"\x26\1\x10", pictures=two)) == []
    assert strays(heic(pictures=two)) == ["meta/iprp/hvcC"]
    assert strays(heic(pictures=(two[0], two[0]))) == ["meta/iprp/hvcC"]


def test_lists_of_factors_are_alike_on_both_sides_and_other_pictures_have_none() -> None:
    def listed(steps: list[int], before: int = 0, large: tuple[int, ...] = ()) -> list[str]:
        """The first list of 4 x 4 or, with ``large``, that of 16 x 16, written as these steps."""
        size = 12 * bool(large) + before
        fields = [*LISTS[: 2 * size], Field("written", 1, 1), *(Field("step", 0, s) for s in (*large, *steps))]
        return strays(made_of("sequence", hevc_kit.sequence(factors=[*fields, *LISTS[2 * size + 2 :]])))

    wrong = ["meta/iprp/hvcC"]
    assert listed([0] * 16) == listed([0, 1] + [0] * 14) == []
    for at in range(1, 16):
        alike = at in (1, 3, 6, 10, 13, 15)  # where a diagonal begins, all that follow are raised
        assert listed([0] * at + [1] + [0] * (15 - at)) == ([] if alike else wrong), at
    assert listed([0] * 16, before=3) == wrong
    assert listed([0] * 64, large=(1,)) == []
    assert listed([0] * 64, large=(14,)) == []  # 8 - 7
    assert listed([0] * 64, large=(16,)) == wrong  # 8 - 8
    assert listed([0] * 64, large=(493,)) == []  # 8 + 247
    assert listed([0] * 64, large=(495,)) == wrong


@pytest.mark.parametrize("kind", ["video", "sequence", "picture"])
def test_nothing_follows_a_parameter_set(kind: str) -> None:
    def built(kinds: tuple[int, ...] = (32, 33, 34), **more: bytes) -> list[str]:
        units = {
            32: hevc_kit.unit(32, VIDEO, more.get("video", b"")),
            33: hevc_kit.unit(33, hevc_kit.sequence(), more.get("sequence", b"")),
            34: hevc_kit.unit(34, hevc_kit.picture(), more.get("picture", b"")),
            39: b"\x4e\1\5\1A\x80",
        }
        return strays(configured(hevc_kit.record(*(units[k] for k in kinds))))

    assert built() == []
    for tail in (b"Banks", b"\x80", b"\0"):
        assert built(**{kind: tail}) == ["meta/iprp/hvcC"]
    for kinds in ((32, 33, 33, 34), (32, 32, 33, 34), (32, 33, 34, 39), (33, 34), (32, 34, 33), (32, 33)):
        assert built(kinds) == ["meta/iprp/hvcC"]


def test_every_byte_of_a_configuration_is_what_its_sets_say() -> None:
    data = heic()
    at = data.index(b"hvcC") + 4
    size = int.from_bytes(data[at - 8 : at - 4]) - 8
    for k in range(size):
        for bit in range(8):
            spoilt = bytearray(data)
            spoilt[at + k] ^= 1 << bit
            assert k > 22 + 5 or noticed(bytes(spoilt)), (k, bit)  # of the sets themselves some bits are free: above


@pytest.mark.parametrize("kind", [33, 34])
def test_a_byte_against_start_codes_stands_where_it_has_to(kind: int) -> None:
    fields = {33: hevc_kit.sequence(), 34: hevc_kit.picture()}
    units = [hevc_kit.unit(32, VIDEO), *(hevc_kit.unit(k, f) for k, f in fields.items())]
    for needless in (b"\0\0\3\x90", b"\0\0\3\x80"):
        spoilt = [u.replace(b"\0\0" + needless[3:], needless) if u[0] >> 1 == kind else u for u in units]
        data = configured(hevc_kit.record(*spoilt))
        assert strays(data) == ([] if spoilt == units else ["meta/iprp/hvcC"])


# -- AV1 --------------------------------------------------------------------------------------------------------------


Values = dict[str, int]


def sequence(width: int = 300, height: int = 200, *, tail: bytes = b"", **said: int) -> bytes:
    """A sequence header (AV1, 5.5.1) whose fields are 0 but for those given; ``tail``: bytes behind its end."""
    bits, get = Bits(), said.get
    profile, reduced = get("profile", 0), get("reduced", 0)
    bits.put(3, profile).put(1, get("still", 1)).put(1, reduced)
    delay = get("delay", 0)
    if reduced:
        bits.put(5, get("level", 8))
    else:
        _times(bits, said)
        bits.put(1, get("display", 0)).put(5, get("points", 1) - 1)
        for _ in range(get("points", 1)):
            bits.put(12, get("layers", 0)).put(5, get("level", 8))
            if get("level", 8) > 7:
                bits.put(1, get("tier", 0))
            if delay:
                bits.put(1, 1).put(delay, 1).put(delay, 1).put(1)
            if get("display"):
                bits.put(1, 1).put(4, 9)
    across, down = (width - 1).bit_length(), (height - 1).bit_length() + 1
    bits.put(4, across - 1).put(4, down - 1).put(across, width - 1).put(down, height - 1)
    if not reduced:
        bits.put(1, get("numbered", 0))
        bits.put(7 * get("numbered", 0), 0b1010101 * get("numbered", 0))
    bits.put(3, get("blocks", 0))
    if not reduced:
        bits.put(4, get("tools", 0)).put(1, get("order", 0))
        if get("order"):
            bits.put(2, 3)
        bits.put(1, get("chosen", 0))
        if not get("chosen"):
            bits.put(1, get("content", 0))
        if get("chosen") or get("content"):
            bits.put(1, get("whole", 0))
            if not get("whole"):
                bits.put(1, 1)
        if get("order"):
            bits.put(3, 5)
    bits.put(3, get("filters", 0))
    _colours(bits, profile, said)
    return bits.put(1, get("grain", 0)).bytes() + tail


def _times(bits: Bits, said: Values) -> None:
    bits.put(1, "timing" in said)
    if "timing" in said:
        bits.put(32, 1).put(32, 25).put(1, said["timing"])
        if said["timing"]:
            bits.ue(6)
        bits.put(1, "delay" in said)
        if "delay" in said:
            bits.put(5, said["delay"] - 1).put(32, 1).put(5, 3).put(5, 3)


def _colours(bits: Bits, profile: int, said: Values) -> None:
    """5.5.2"""
    get = said.get
    bits.put(1, get("deep", 0))
    if profile == 2 and get("deep"):
        bits.put(1, get("deepest", 0))
    if profile != 1:
        bits.put(1, get("grey", 0))
    bits.put(1, get("named", 0))
    points = get("primaries", 1), get("transfer", 13), get("matrix", 6)
    if get("named"):
        for point in points:
            bits.put(8, point)
    if get("grey"):
        bits.put(1, get("full", 0))
        return
    if not (get("named") and points == (1, 13, 0)):
        bits.put(1, get("full", 0))
        across, down = (1, 1) if profile == 0 else (0, 0) if profile == 1 else (1, 0)
        if profile == 2 and get("deepest"):
            across, down = get("across", 1), get("down", 0)
            bits.put(1, across)
            if across:
                bits.put(1, down)
        if across and down:
            bits.put(2, get("place", 0))
    bits.put(1, get("apart", 0))


def unit(kind: int, content: bytes = b"\x80", *, sized: bool = True, extension: bool = False) -> bytes:
    head = bytes((kind << 3 | extension << 2 | sized << 1,)) + b"\0" * extension
    return head + (length(len(content)) if sized else b"") + content


def length(value: int, least: int = 1) -> bytes:
    out = []
    while value > 127 or len(out) < least - 1:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


SAID = b"\x81\x08\x0c\0"
"""The configuration of a header without anything particular: level 4.0, 8 bits, 4:2:0."""


def avif(*units: bytes, size: tuple[int, int] = (300, 200), said: bytes = SAID) -> bytes:
    return heif(b"avif", [(b"av01", b"".join(units), [box(b"av1C", said), ispe(*size)])])


HEADERS: list[tuple[Values, bytes]] = [
    ({}, b"\x08\x0c"),
    ({"still": 0}, b"\x08\x0c"),
    ({"reduced": 1}, b"\x08\x0c"),
    ({"reduced": 1, "level": 5}, b"\x05\x0c"),
    ({"level": 7, "numbered": 1, "blocks": 7, "filters": 7}, b"\x07\x0c"),
    ({"tier": 1, "tools": 15, "order": 1, "chosen": 1}, b"\x08\x8c"),
    ({"content": 1}, b"\x08\x0c"),
    ({"content": 1, "whole": 1, "order": 1}, b"\x08\x0c"),
    ({"deep": 1}, b"\x08\x4c"),
    ({"deep": 1, "grey": 1, "full": 1}, b"\x08\x5c"),
    ({"place": 2, "apart": 1, "full": 1}, b"\x08\x0e"),
    ({"named": 1, "primaries": 22, "transfer": 18, "matrix": 17}, b"\x08\x0c"),
    ({"profile": 1}, b"\x28\0"),
    ({"profile": 1, "named": 1, "matrix": 0}, b"\x28\0"),
    ({"profile": 2}, b"\x48\x08"),
    ({"profile": 2, "deep": 1}, b"\x48\x48"),
    ({"profile": 2, "deep": 1, "grey": 1}, b"\x48\x5c"),
    ({"profile": 2, "deep": 1, "deepest": 1, "grey": 1}, b"\x48\x7c"),
    ({"profile": 2, "deep": 1, "deepest": 1, "across": 0}, b"\x48\x60"),
    ({"profile": 2, "deep": 1, "deepest": 1, "down": 1, "place": 1}, b"\x48\x6d"),
]
"""Fields of a sequence header, and what a configuration says of each."""


@pytest.mark.parametrize(("fields", "said"), HEADERS)
def test_an_av1_picture_and_its_configuration_say_the_same(fields: Values, said: bytes) -> None:
    whole = b"\x81" + said + b"\0"

    def judged(width: int = 300, height: int = 200, *, said: bytes = whole, tail: bytes = b"") -> list[str]:
        return strays(avif(unit(1, sequence(width, height, tail=tail, **fields)), unit(6), said=said))

    assert judged() == []
    assert judged(301) == judged(300, 199) == ["mdat/size of a picture"]
    for at in range(4):
        for bit in range(8):
            other = bytearray(whole)
            other[at] ^= 1 << bit
            assert judged(said=bytes(other)) == ["meta/iprp/av1C"]
    assert judged(said=whole + unit(1, sequence(**fields))) == ["meta/iprp/av1C"]
    for tail in (b"\0", b"\x80", b"Banks"):
        assert judged(tail=tail) == ["mdat/sequence header"]


@pytest.mark.parametrize(
    "fields",
    [
        {"timing": 0}, {"timing": 1}, {"timing": 0, "delay": 10}, {"display": 1}, {"points": 2}, {"layers": 0x101},
        {"layers": 1}, {"grain": 1}, {"place": 3}, {"named": 1, "primaries": 23}, {"named": 1, "transfer": 19},
        {"named": 1, "matrix": 18}, {"profile": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_sequence_header_says_what_one_picture_needs(fields: Values) -> None:
    assert noticed(avif(unit(1, sequence(**fields)), unit(6)))


HEAD = unit(1, sequence(300, 200))


@pytest.mark.parametrize(
    ("units", "found"),
    [
        ((HEAD, unit(6)), []),
        ((HEAD, unit(3), unit(4), unit(4)), []),
        ((HEAD, unit(6, extension=True)), ["mdat/metadata unit", "mdat/further picture"]),
        ((HEAD, unit(6, sized=False)), ["mdat/metadata unit", "mdat/further picture"]),
        ((HEAD, b"\x33\1\x80"), ["mdat/metadata unit", "mdat/further picture"]),  # a reserved bit
        ((HEAD, unit(3, bytes(31) + b"\1"), unit(4)), []),
        ((HEAD, unit(3, bytes(32) + b"\1"), unit(4)), ["mdat/head of a picture"]),
        ((HEAD, unit(6, bytes(200))), []),
        ((HEAD, unit(6), unit(6)), ["mdat/further picture"]),
        ((HEAD, unit(3)), ["mdat/further picture"]),
        ((HEAD, unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(4), unit(6)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(6), unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(3), unit(3), unit(4)), ["mdat/further picture"]),
        ((HEAD, unit(4), unit(3)), ["mdat/further picture"]),
        ((HEAD, unit(6), unit(4)), ["mdat/further picture"]),
        ((HEAD, HEAD, unit(6)), ["mdat/further picture"]),
        ((unit(6),), ["mdat/further picture", "mdat/size of a picture"]),
        ((HEAD, unit(6), unit(5)), ["mdat/metadata unit", "mdat/further picture"]),
        ((HEAD, unit(6), unit(2)), ["mdat/metadata unit", "mdat/further picture"]),
    ],
)
def test_an_av1_item_holds_one_picture(units: tuple[bytes, ...], found: list[str]) -> None:
    assert strays(avif(*units)) == found


@pytest.mark.parametrize("least", range(1, 11))
def test_a_length_is_as_short_as_it_can_be_and_has_at_most_eight_bytes(least: int) -> None:
    data = avif(HEAD, b"\x32" + length(3, least) + b"abc")
    if least == 1:
        assert strays(data) == []
    elif least <= 8:
        assert strays(data) == ["mdat/metadata unit", "mdat/further picture"]
    else:
        with pytest.raises(Malformed):
            strays(data)
    with pytest.raises(Malformed):
        strays(avif(HEAD, b"\x32" + length(4, min(least, 8)) + b"abc"))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384])
def test_units_of_any_size_have_the_shortest_length(size: int) -> None:
    assert strays(avif(HEAD, unit(6, bytes(size)))) == []


def test_a_configuration_belongs_to_its_kind_of_picture() -> None:
    hevc = box(b"hvcC", hevc_kit.record())
    item = (b"av01", HEAD + unit(6), [box(b"av1C", SAID), ispe(300, 200)])
    assert strays(heif(b"avif", [item])) == []
    assert strays(heif(b"avif", [(*item[:2], [*item[2], hevc])])) == ["meta/iprp/ipma"]
    assert strays(heif(b"avif", [(*item[:2], item[2][1:])])) == ["meta/iprp/ipma"]


# -- grids ------------------------------------------------------------------------------------------------------------


def noisy(side: int) -> Image.Image:
    return Image.effect_noise((side, side), 80).convert("RGB")


def test_what_lies_64_pixels_past_a_canvas_is_the_encoders() -> None:
    picture = noisy(256)
    for width, height, found in ((192, 256, []), (256, 192, []), (191, 256, 1), (256, 191, 1)):
        expected = ["mdat/grid/picture past the canvas"] if found else []
        assert strays(grid(picture, width, height)) == expected


def test_a_grid_has_the_tiles_and_the_sizes_that_it_says() -> None:
    payload, config = av1(Image.new("RGB", (TILE, TILE), (90, 80, 70)))

    def tiled(rows: int, columns: int, canvas: tuple[int, int], *, said: tuple[int, int] | None = None) -> list[str]:
        head = struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, *canvas)
        items = [(b"grid", head, [ispe(*(said or canvas))])]
        items += [(b"av01", payload, [config, ispe(TILE, TILE)])] * 2
        return strays(heif(b"avif", items, [2, 3]))

    assert tiled(1, 2, (128, 64)) == tiled(2, 1, (64, 128)) == tiled(1, 2, (65, 1)) == []
    assert tiled(1, 1, (64, 64)) == tiled(2, 2, (128, 128)) == ["mdat/grid/tiles"]
    assert tiled(1, 2, (128, 64), said=(128, 63)) == ["mdat/grid/sizes"]
    for canvas in ((129, 64), (128, 65), (64, 64)):
        assert tiled(1, 2, canvas) == ["mdat/grid/tiles past the canvas"]
