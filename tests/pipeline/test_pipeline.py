"""The one way through: order, rounds, and what a fault at each stage leaves behind."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medimg import pipeline
from medimg.errors import OutputError
from medimg.policy import FaceRules, Policy, TextRules, VerifyRules
from medimg.types import Copy, Finding, KnownValues, Polygon, Region, to_json

WIDTH, HEIGHT = 64, 48


def photo(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(60, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def box(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def text(polygon: Polygon, category: str = "name", kind: str = "text") -> Finding:
    return Finding(kind=kind, category=category, detector="fake", region=Region(polygon))  # type: ignore[arg-type]


class Scripted:
    """A detector that finds what it was told, and in each second look the next of ``later``."""

    version = "fake 1"

    def __init__(self, name: str, first: Sequence[Finding] = (), later: Sequence[Any] = ()) -> None:
        self.name, self.first, self.later = name, list(first), list(later)
        self.looks: list[Sequence[Polygon]] = []

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return self.first

    def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
        self.looks.append(covers)
        found = self.later.pop(0) if self.later else []
        if isinstance(found, BaseException):
            raise found
        return found, "second engine"


def detectors(first: Sequence[Finding] = (), later: Sequence[Any] = ()) -> list[Scripted]:
    return [Scripted("text", first, later), Scripted("codes"), Scripted("faces")]


class Spy(pipeline.MemorySink):
    """A sink that remembers what was asked of it."""

    def __init__(self, *, wrong: bool = False, full: bool = False) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.copies: list[Copy] = []
        self._wrong, self._full = wrong, full

    def stage(self, copy: Copy) -> bytes:
        self.asked.append("stage")
        self.copies.append(copy)
        if self._full:
            raise OutputError("the output could not be written.")
        back = super().stage(copy)
        return back[:-1] + b"\0" if self._wrong else back

    def release(self) -> str:
        self.asked.append("release")
        return super().release()

    def discard(self) -> None:
        self.asked.append("discard")
        super().discard()


def test_a_copy_is_released_only_after_every_check_passed() -> None:
    sink = Spy()
    tools = detectors([text(box(10, 10, 30, 20))])
    report = pipeline.scrub(photo(), sink, tools, Policy())
    assert (report.state, sink.asked) == ("unreviewed", ["stage", "release"])
    assert [c.name for c in report.checks] == ["structure", "metadata", "pixels", "text", "codes", "faces"]
    assert {c.state for c in report.checks} == {"passed"}
    assert report.copy is not None
    assert report.copy.covered
    assert len(tools[0].looks) == 1
    assert set(report.seconds) >= {"open", "decode", "text", "codes", "faces", "write", "verify"}
    assert report.engines == {"text": "fake 1", "codes": "fake 1", "faces": "fake 1"}


def test_what_the_second_look_finds_is_covered_too_and_looked_at_again() -> None:
    sink = Spy()
    tools = detectors([text(box(2, 2, 12, 8))], [[text(box(30, 30, 40, 36))], []])
    report = pipeline.scrub(photo(), sink, tools, Policy())
    assert (report.state, sink.asked) == ("unreviewed", ["stage", "discard", "stage", "release"])
    assert report.plan is not None
    assert [a.why for a in report.plan.actions] == ["identifying", "found by the second look"]
    assert [a.finding.id for a in report.plan.actions] == ["f1", "f2"]
    assert len(tools[0].looks[1]) == 2


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_after_so_many_rounds_the_photo_is_held(rounds: int) -> None:
    sink = Spy()
    later = [[text(box(4 * n, 4 * n, 4 * n + 3, 4 * n + 3))] for n in range(10)]
    report = pipeline.scrub(photo(), sink, detectors([], later), Policy(verify=VerifyRules(rounds=rounds)))
    assert (report.state, report.error_code, report.exit_code) == ("held", "M-HOLD-FAIL", 20)
    assert sink.asked.count("stage") == rounds + 1
    assert "release" not in sink.asked
    assert sink.asked[-1] == "discard"
    assert sink.data == b""


def test_a_disk_that_gives_other_bytes_is_noticed() -> None:
    sink = Spy(wrong=True)
    report = pipeline.scrub(photo(), sink, detectors(), Policy())
    assert (report.state, report.checks[0].name, report.checks[0].state) == ("held", "readback", "failed")
    assert "release" not in sink.asked


def test_an_output_that_cannot_be_written_is_no_fault_of_the_photo() -> None:
    report = pipeline.scrub(photo(), Spy(full=True), detectors(), Policy())
    assert (report.state, report.error_code, report.exit_code) == ("failed", "M-OUT", 30)


@pytest.mark.parametrize("fault", [ValueError("MARKER"), RuntimeError("MARKER"), OSError("MARKER"), AssertionError()])
def test_a_second_look_that_raises_holds_the_photo(fault: Exception) -> None:
    sink = Spy()
    report = pipeline.scrub(photo(), sink, detectors([], [fault]), Policy())
    assert (report.state, report.error_code) == ("held", "M-HOLD-NOTRUN")
    assert "MARKER" not in report.reason
    assert sink.asked[-1] == "discard"


def test_memory_that_runs_out_is_named() -> None:
    report = pipeline.scrub(photo(), Spy(), detectors([], [MemoryError()]), Policy())
    assert (report.state, report.error_code) == ("held", "M-HOLD-MEMORY")


def test_ctrl_c_leaves_nothing_staged_and_is_passed_on() -> None:
    sink = Spy()
    with pytest.raises(KeyboardInterrupt):
        pipeline.scrub(photo(), sink, detectors([], [KeyboardInterrupt()]), Policy())
    assert sink.asked == ["stage", "discard"]


def test_a_face_that_fills_the_picture_waits_for_a_person() -> None:
    sink = Spy()
    tools = detectors([text(box(2, 2, 60, 40), "face", "face")])
    report = pipeline.scrub(photo(), sink, tools, Policy(faces=FaceRules(hold_share=0.35)))
    assert (report.state, report.error_code, sink.asked) == ("held", "M-HOLD", ["discard"])
    assert report.plan is not None
    assert [a.do for a in report.plan.actions] == ["hold"]


def test_harmless_text_stays_pixel_for_pixel() -> None:
    sink = Spy()
    tools = detectors([text(box(10, 10, 30, 20), "ruler")], [[text(box(10, 10, 30, 20), "ruler")]])
    report = pipeline.scrub(photo(), sink, tools, Policy(text=TextRules(keep=("ruler",))))
    assert report.state == "unreviewed"
    assert report.copy is not None
    assert report.copy.covered == ()
    with Image.open(io.BytesIO(sink.data)) as made, Image.open(io.BytesIO(photo())) as original:
        assert made.tobytes() == original.tobytes()


def test_only_what_is_under_the_cover_changes() -> None:
    sink = Spy()
    report = pipeline.scrub(photo(), sink, detectors([text(box(20, 16, 40, 24))]), Policy())
    assert report.copy is not None
    with Image.open(io.BytesIO(sink.data)) as made, Image.open(io.BytesIO(photo())) as original:
        a, b = np.asarray(made.convert("RGB")), np.asarray(original)
    changed = (a != b).any(axis=2)
    assert changed[16:24, 20:40].all()
    assert (a[16:24, 20:40] == 0).all()
    ys, xs = np.nonzero(changed)
    assert ys.min() >= 14
    assert ys.max() <= 26
    assert xs.min() >= 18
    assert xs.max() <= 42


def test_the_plan_of_a_person_is_applied_and_its_kept_places_stay() -> None:
    tools = detectors([text(box(10, 10, 30, 20))], [[text(box(10, 10, 30, 20))]])
    _, plan = pipeline.inspect(photo(), tools, Policy())
    import msgspec

    kept = msgspec.structs.replace(
        plan, actions=tuple(msgspec.structs.replace(a, do="keep", by="person", why="shown") for a in plan.actions)
    )
    sink = Spy()
    report = pipeline.scrub(photo(), sink, tools, Policy(), plan=kept)
    assert report.state == "unreviewed"
    assert report.copy is not None
    assert report.copy.covered == ()


def test_the_same_photo_gives_the_same_bytes() -> None:
    one, two = Spy(), Spy()
    for sink in (one, two):
        pipeline.scrub(photo(), sink, detectors([text(box(3, 3, 9, 9))]), Policy())
    assert one.data == two.data != b""


@pytest.mark.parametrize("do", ["Cover", "covr", None, True])
def test_a_plan_that_says_to_do_what_is_no_action_is_refused(do: object) -> None:
    import msgspec

    plan = pipeline.inspect(photo(), detectors([text(box(10, 10, 30, 20))]), Policy())[1]
    wrong = msgspec.structs.replace(plan, actions=tuple(msgspec.structs.replace(a, do=do) for a in plan.actions))
    sink = Spy()
    assert pipeline.scrub(photo(), sink, detectors(), Policy(), plan=wrong).error_code == "M-USE"
    assert "release" not in sink.asked


def test_a_plan_does_not_spare_the_checks_of_the_copy() -> None:
    sink = Spy()
    ready = pipeline.inspect(photo(), detectors(), Policy())[1]
    report = pipeline.scrub(photo(), sink, [], Policy(), plan=ready)
    assert (report.state, report.error_code) == ("held", "M-HOLD-NOTRUN")
    assert "release" not in sink.asked


# -- what the file itself says of people -------------------------------------------------------------------------------


class Asked(Scripted):
    """Remembers what was known when it was asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.known: list[Any] = []

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        self.known.append(known)
        return []

    def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
        self.known.append(known)
        return [], "second engine"


def exported(**texts: str) -> bytes:
    tags = {"caption": 270, "owner": 315, "device": 271}
    exif = Image.Exif()
    for kind, text in texts.items():
        exif[tags[kind]] = text
    out = io.BytesIO()
    with Image.open(io.BytesIO(photo())) as picture:
        picture.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def test_names_and_numbers_of_the_metadata_are_looked_for_in_the_picture_and_in_the_copy() -> None:
    asked = [Asked("text"), Asked("codes"), Asked("faces")]
    data = exported(
        caption="Mrs O'Shaughnessy, left heel wound, MRN 0048213", owner="Dr Siosaia Vainikolo", device="Canon"
    )
    mine = KnownValues(names=("Ngata",))
    sink = pipeline.MemorySink()
    report = pipeline.scrub(data, sink, asked, Policy(), known=mine)
    assert report.state == "unreviewed", report.reason
    for one in asked:
        assert len(one.known) == 2
        for known in one.known:
            assert {"Ngata", "O'Shaughnessy", "Siosaia", "Vainikolo"} <= set(known.names)
            assert not {"left", "heel", "wound", "Canon"} & set(known.names)
            assert known.numbers == ("0048213",)
    assert not any(w in str(to_json(report)) for w in ("Shaughnessy", "Vainikolo", "0048213", "Ngata"))
    plan = pipeline.inspect(data, asked, Policy())[1]
    asked[0].known.clear()
    assert pipeline.scrub(data, pipeline.MemorySink(), asked, Policy(), plan=plan).state == "unreviewed"
    assert "Vainikolo" in asked[0].known[0].names


@pytest.mark.parametrize("kind", ["text", "code", "face"])
def test_a_cover_over_most_of_the_picture_waits_for_a_person_whoever_finds_it(kind: str) -> None:
    most = Finding(
        kind=kind,
        category="x",
        detector="fake",
        region=Region(box(0, 0, WIDTH, HEIGHT * 0.5)),  # type: ignore[arg-type]
    )
    for tools in (detectors([most]), detectors([], [[most]])):
        sink = pipeline.MemorySink()
        report = pipeline.scrub(photo(), sink, tools, Policy())
        assert (report.state, sink.data) == ("held", b"")
        assert "most of the picture" in report.reason
    assert report.plan is not None
    assert [a.do for a in report.plan.actions] == ["hold"]


@pytest.mark.parametrize(
    ("size", "least"), [((4000, 3000), 20), ((6000, 4000), 30), ((8064, 6048), 41), ((12000, 9000), 60)]
)
def test_print_that_is_not_looked_for_grows_with_the_photo(size: tuple[int, int], least: int) -> None:
    from medimg.detect.text import letters

    assert letters.least_height(*size) == letters.least_height(*size[::-1]) == least
    assert 0.7 * least < letters.least_height(*size, closer=True) < least


def test_the_report_says_which_height_of_print_was_not_looked_for() -> None:
    report = pipeline.scrub(photo(), Spy(), detectors([]), Policy())
    said = json.loads(to_json(report))
    assert said.get("least_letters", 0) >= 4
    unchecked = pipeline.scrub(photo(), Spy(), [], Policy(scope="metadata-only"))
    assert json.loads(to_json(unchecked)).get("least_letters") == 0


def test_a_kept_line_with_a_word_that_can_be_a_name_is_marked() -> None:
    report = pipeline.scrub(photo(), Spy(), detectors([text(box(10, 10, 30, 20), "possible-name")]), Policy())
    assert report.plan is not None
    of_lines = [a for a in report.plan.actions if a.finding.kind == "text"]
    assert [(a.do, a.why) for a in of_lines] == [("keep", "may be a name: look here")]
