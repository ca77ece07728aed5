"""The library's door."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

import medimg
from medimg import errors, formats
from medimg.policy import Policy
from medimg.types import Check, Finding, Limits, Plan, Region, Report, Secret

LIGHT = Policy(scope="metadata-only")


class Covering(fakes.Fake):
    """Finds the same text in every original, and nothing in a copy whose place is covered."""

    def find(self, frame: object, known: object = None) -> list[Finding]:
        if self.name != "text":
            return []
        region = Region(polygon=((4.0, 4.0), (12.0, 4.0), (12.0, 9.0), (4.0, 9.0)))
        return [
            Finding(kind="text", category="name", detector="fake 1", region=region, secret=Secret("MARKER"), where="")
        ]


def scrubber(kind: type[fakes.Fake] = fakes.Fake) -> medimg.Scrubber:
    return medimg.Scrubber(Policy(), detectors=[kind(n) for n in ("text", "codes", "faces")])


def test_every_public_name_imports_and_is_listed() -> None:
    assert len(set(medimg.__all__)) == len(medimg.__all__)
    for name in medimg.__all__:
        assert getattr(medimg, name) is not None
    assert set(medimg.__all__) <= set(dir(medimg))
    with pytest.raises(AttributeError):
        medimg.anonymise  # type: ignore[attr-defined]  # noqa: B018


def test_import_alone_loads_nothing_and_touches_no_global_state() -> None:
    code = (
        "import sys, os, logging, signal\n"
        "before = dict(os.environ), logging.root.handlers[:], signal.getsignal(signal.SIGTERM)\n"
        "loaded = set(sys.modules)\n"  # a child that is measured for coverage has loaded more
        "import medimg\n"
        "assert before == (dict(os.environ), logging.root.handlers, signal.getsignal(signal.SIGTERM))\n"
        "new = set(sys.modules) - loaded\n"
        "print([m for m in new if m.startswith('medimg')],"
        " [m for m in ('numpy', 'msgspec', 'click', 'multiprocessing') if m in new])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stdout.strip() == "['medimg'] []", done.stderr


def test_a_metadata_only_copy_needs_no_imaging_library(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    with Image.open(fakes.photo(tmp_path / "a.png")) as image:
        image.save(photo)
    code = (
        "import sys, medimg\n"
        "done = medimg.scrub(sys.argv[1], policy=medimg.Policy(scope='metadata-only'))\n"
        "assert done.report.state == 'unreviewed', done.report.reason\n"
        "print([m for m in ('PIL', 'cv2', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, photo], capture_output=True, text=True, timeout=600)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_path_bytes_and_a_file_give_the_same_copy(tmp_path: Path) -> None:
    path = fakes.photo(tmp_path / "a.png")
    data = path.read_bytes()
    tool = medimg.Scrubber(LIGHT)
    copies = [tool.scrub(s).data for s in (path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data))]
    assert len(set(copies)) == 1
    assert copies[0]
    with path.open("rb") as file:
        assert tool.scrub(file).data == copies[0]


def test_a_copy_knows_what_it_is(tmp_path: Path) -> None:
    done = medimg.scrub(fakes.photo(tmp_path / "a.png"), policy=LIGHT)
    assert (done.media_type, done.suffix, done.held) == ("image/png", ".png", False)
    assert done.report.copy is not None
    assert done.report.copy.bytes == len(done.data or b"")
    states = {c.name: c.state for c in done.report.checks}
    assert states["structure"] == states["metadata"] == "passed"
    assert {states[n] for n in ("text", "codes", "faces")} == {"not-asked"}


@pytest.mark.parametrize(
    ("save", "expected"),
    [
        ({"format": "AVIF"}, ("image/avif", ".avif")),
        ({"format": "JPEG2000"}, ("image/png", ".png")),
        ({"format": "TIFF"}, ("image/tiff", ".tif")),
        ({"format": "WEBP", "lossless": True}, ("image/webp", ".webp")),
    ],
)
def test_the_media_type_is_that_of_the_coding_and_not_of_the_container(
    save: dict[str, Any], expected: tuple[str, str]
) -> None:
    out = io.BytesIO()
    Image.fromarray(np.full((64, 80, 3), 120, np.uint8)).save(out, **save)
    done = medimg.scrub(out.getvalue(), policy=LIGHT)
    assert (done.media_type, done.suffix) == expected, done.report.reason


def test_what_is_found_is_covered_and_the_rest_is_the_originals(tmp_path: Path) -> None:
    path = fakes.photo(tmp_path / "a.png")
    tool = scrubber(Covering)
    plan = tool.inspect(path)
    assert [(a.finding.kind, a.do) for a in plan.actions if a.finding.kind == "text"] == [("text", "cover")]
    done = tool.scrub(path)
    assert done.data is not None, done.report.reason
    with Image.open(io.BytesIO(done.data)) as image, Image.open(path) as original:
        made, before = image.convert("RGB").load(), original.load()
        assert all(made[x, y] == (0, 0, 0) for x in range(4, 12) for y in range(4, 9))
        changed = [(x, y) for x in range(32) for y in range(24) if made[x, y] != before[x, y]]
    assert all(1 <= x <= 15 and 1 <= y <= 12 for x, y in changed)
    assert "MARKER" not in repr(done)
    assert b"MARKER" not in medimg_json(done.report)


def medimg_json(report: Report) -> bytes:
    from medimg.types import to_json

    return to_json(report)


def test_a_plan_goes_out_is_edited_and_comes_back(tmp_path: Path) -> None:
    import msgspec

    from medimg.types import from_json, to_json

    path = fakes.photo(tmp_path / "a.png")
    tool = scrubber(Covering)
    plan = from_json(to_json(tool.inspect(path)), Plan)
    kept = msgspec.structs.replace(
        plan,
        actions=tuple(
            msgspec.structs.replace(a, do="keep", by="person", why="a name we may show") if a.do == "cover" else a
            for a in plan.actions
        ),
    )
    done = tool.scrub(path, plan=kept)
    with Image.open(io.BytesIO(done.data or b"")) as image, Image.open(path) as original:
        assert image.tobytes() == original.tobytes()
    other = tool.scrub(path, plan=msgspec.structs.replace(kept, width=31))
    assert other.held
    assert other.report.error_code == "M-USE"


def test_a_file_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    path = fakes.photo(tmp_path / "a.png")
    before = path.read_bytes()
    done = medimg.scrub(path, to=tmp_path / "copy.jpg", policy=LIGHT)
    assert done.data == (tmp_path / "copy.png").read_bytes()
    again = medimg.scrub(path, to=tmp_path / "a.png", policy=LIGHT)
    assert again.held
    assert again.report.error_code == "M-OUT"
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "copy.png"]


def test_a_check_that_raises_holds_the_photo_and_quotes_nothing(tmp_path: Path) -> None:
    done = scrubber().scrub(fakes.photo(tmp_path / "a.png", fakes.RAISES), to=tmp_path / "copy")
    assert (done.report.state, done.report.exit_code, done.data) == ("held", 20, None)
    assert "MARKER" not in done.report.reason
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    with pytest.raises(errors.CheckNotRun):
        scrubber().inspect(tmp_path / "a.png")


def test_a_check_that_is_missing_holds_the_photo(tmp_path: Path) -> None:
    tool = medimg.Scrubber(Policy(), detectors=[fakes.Fake("text"), fakes.Fake("codes")])
    done = tool.scrub(fakes.photo(tmp_path / "a.png"))
    assert (done.report.state, done.report.error_code) == ("held", "M-HOLD-NOTRUN")


def test_bad_input_is_refused_by_its_kind(tmp_path: Path) -> None:
    tool = medimg.Scrubber(Policy(scope="metadata-only", limits=medimg.types.Limits(bytes=5000)))
    for source, code in (
        (b"", "M-IN-KIND"),
        (b"Mary Jones", "M-IN-KIND"),
        (b"\x01\x00\x02Mary", "M-IN-NOTPIC"),
        (b"%PDF-1.7 Mary", "M-IN-KIND"),
        (tmp_path / "Mary Jones.jpg", "M-IN-READ"),
        (io.BytesIO(bytes(6000)), "M-IN-LARGE"),
    ):
        done = tool.scrub(source)
        assert (done.report.state, done.report.error_code, done.data) == ("refused", code, None)
        assert "Mary" not in done.report.reason
        with pytest.raises(errors.InputError):
            tool.inspect(io.BytesIO(bytes(6000)) if isinstance(source, io.BytesIO) else source)
    with pytest.raises(errors.UsageError):
        tool.scrub(io.StringIO("text"))  # type: ignore[arg-type]


def test_verify_runs_every_check_and_says_what_did_not_run(tmp_path: Path) -> None:
    tool = scrubber(Covering)
    path = fakes.photo(tmp_path / "a.png")
    states = {c.name: c.state for c in tool.verify(path)}
    assert states == {
        "structure": "passed",
        "metadata": "passed",
        "text": "failed",
        "codes": "passed",
        "faces": "passed",
    }
    broken: tuple[Check, ...] = scrubber().verify(fakes.photo(tmp_path / "b.png", fakes.RAISES))
    assert {c.name: c.state for c in broken}["text"] == "not-run"


def test_the_file_name_is_a_finding_by_kind_alone(tmp_path: Path) -> None:
    plan = medimg.Scrubber(LIGHT).inspect(fakes.photo(tmp_path / "Mary Jones 1234567 2024-05-31.png"))
    named = [a.finding for a in plan.actions if a.finding.kind == "filename"]
    assert {f.category: f.count for f in named} == {"words": 2, "number": 1, "date": 1}
    assert "Mary" not in repr(plan)


def test_several_threads_share_one_scrubber(tmp_path: Path) -> None:
    tool = scrubber(Covering)
    path = fakes.photo(tmp_path / "a.png")
    copies: list[bytes | None] = []
    threads = [threading.Thread(target=lambda: copies.append(tool.scrub(path).data)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies) == 4
    assert len(set(copies)) == 1


def test_results_travel_between_processes_without_values(tmp_path: Path) -> None:
    done = scrubber(Covering).scrub(fakes.photo(tmp_path / "a.png"))
    back = pickle.loads(pickle.dumps(done.report))
    assert back.state == "unreviewed"
    assert b"MARKER" not in pickle.dumps(done.report)


def test_the_original_stays_as_it_was(tmp_path: Path) -> None:
    path = fakes.photo(tmp_path / "a.png")
    os.utime(path, ns=(5_000_000_003, 6_000_000_007))
    before, data = path.stat(), path.read_bytes()
    scrubber(Covering).scrub(path, to=tmp_path / "copy")
    after = path.stat()
    assert path.read_bytes() == data
    assert (after.st_mtime_ns, after.st_ino, after.st_size) == (before.st_mtime_ns, before.st_ino, before.st_size)


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (40, 60, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_an_array_is_a_photo(shape: tuple[int, ...], kind: type) -> None:
    samples = np.random.default_rng(1).integers(1, np.iinfo(kind).max, shape, dtype=kind)
    made = medimg.Scrubber(detectors=fakes.make(None)).scrub(samples)
    assert made.data is not None, made.report.reason
    assert np.array_equal(formats.open_photo(made.data, Limits()).samples(), samples)


@pytest.mark.parametrize(
    "wrong", [np.zeros(5), np.zeros((4, 4)), np.zeros((4, 4, 9), np.uint8), np.zeros((0, 4), np.uint8), 5]
)
def test_what_is_no_photo_at_all_is_wrong_use(wrong: object) -> None:
    with pytest.raises(errors.UsageError):
        medimg.Scrubber(LIGHT).scrub(wrong)  # type: ignore[arg-type]


def test_an_array_beyond_the_limit_is_refused() -> None:
    made = medimg.Scrubber(Policy(scope="metadata-only", limits=Limits(pixels=100))).scrub(np.zeros((20, 20), np.uint8))
    assert (made.data, made.report.error_code) == (None, "M-IN-LARGE")


def test_the_same_in_gives_the_same_out() -> None:
    data = np.random.default_rng(2).integers(0, 255, (30, 30, 3), dtype=np.uint8)
    one, two = (medimg.Scrubber(detectors=fakes.make(None), key=bytes(32)).scrub(data) for _ in range(2))
    assert one.data == two.data
    assert replace(one.report, seconds={}) == replace(two.report, seconds={})


def test_the_questions_of_a_sharing_come_blocking_first() -> None:
    asked = medimg.checklist(audience="closed-group", where=["AU"])
    assert [q.blocking for q in asked] == sorted((q.blocking for q in asked), reverse=True)
    assert {q.item.id for q in medimg.checklist(conditions={"child": "no"})} < {q.item.id for q in medimg.checklist()}
    with pytest.raises(errors.UsageError):
        medimg.checklist(audience="everybody")
