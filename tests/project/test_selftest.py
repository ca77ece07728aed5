"""The self-test: what it finds, what it calls a miss, and that it says so."""

from __future__ import annotations

import io
import json
import re
import socket
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from PIL import Image, ImageDraw

from medimg.cli.main import cli
from medimg.cli.selftest import lines
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.selftest import judge, own, pictures, score
from medimg.selftest.pictures import Case, Mark
from medimg.selftest.run import run
from medimg.types import Box

PLACE = Box(20, 20, 80, 50)


def photo(filled: Box | None = None) -> bytes:
    pixels = np.random.default_rng(3).integers(60, 200, (90, 120, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    if filled is not None:
        ImageDraw.Draw(picture).rectangle((filled.x0, filled.y0, filled.x1 - 1, filled.y1 - 1), fill=(0, 0, 0))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def case(must: str = "go", gone: tuple[bytes, ...] = ()) -> Case:
    mark = Mark(kind="text" if must == "go" else "keep", must=must, polygon=PLACE.polygon, sorts={})  # type: ignore[arg-type]
    return Case(name="a.png", data=photo(), marks=(mark,), gone=gone)


@pytest.mark.parametrize(
    ("must", "filled", "right"),
    [
        ("go", PLACE, True),
        ("go", Box(20, 20, 70, 50), False),  # five sixths of it
        ("go", None, False),
        ("stay", None, True),
        ("stay", Box(70, 40, 110, 80), False),
        ("stay", Box(90, 60, 110, 80), True),
    ],
)
def test_pixels_decide_whether_a_mark_is_as_it_must_be(must: str, filled: Box | None, right: bool) -> None:
    assert [s.right for s in judge.look(case(must), photo(filled))] == [right]


def test_a_few_photos_may_be_held_for_their_covers_but_none_with_something_hidden() -> None:
    seen = [v for n in range(20) for v in judge.look(replace(case(), name=f"{n}.png"), photo(PLACE))]
    assert judge.outcome(seen, [], dict.fromkeys(["0.png", "1.png"], "held")).passed
    assert not judge.outcome(seen, [], dict.fromkeys(["0.png", "1.png", "2.png"], "held")).passed
    assert not judge.outcome(seen, [], {"hidden-001.jpg": "refused"}).passed


@pytest.mark.long  # every kind of photo
@pytest.mark.timeout(600)
def test_the_command_passes_here() -> None:
    done = CliRunner().invoke(cli, ["selftest", "--quick"])
    assert (done.exit_code, "Passed" in done.stdout) == (0, True), done.stdout


def test_a_blur_is_not_a_cover() -> None:
    with Image.open(io.BytesIO(photo())) as picture:
        part = picture.crop((20, 20, 80, 50)).resize((6, 3)).resize((60, 30))
        picture.paste(part, (20, 20))
        out = io.BytesIO()
        picture.save(out, "PNG")
    assert [s.right for s in judge.look(case(), out.getvalue())] == [False]


def test_a_planted_word_in_a_copy_or_a_sheet_fails(tmp_path: Path) -> None:
    seen = judge.look(case(gone=(b"Whitcombe",)), photo(PLACE) + b"Whitcombe")
    assert [s.right for s in seen] == [True, False]
    assert not judge.outcome(seen, [], {}).passed
    for folder in ("share", "PRIVATE-patient-record"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sheet.html").write_text("<p>Whitcombe</p>")
    assert judge.leaks(tmp_path, [b"Whitcombe"], "PRIVATE-patient-record") == ["share"]
    right = judge.look(case(), photo(PLACE))
    assert judge.outcome(right, [], {}).passed
    assert not judge.outcome(right, ["share"], {}).passed
    assert not judge.outcome(right, [], {"a.png": "held"}).passed


def test_too_many_misses_fail_and_every_miss_is_named() -> None:
    good, bad = judge.look(case(), photo(PLACE)), judge.look(case(), photo())
    assert judge.outcome(good * 9 + bad, [], {}).passed
    found = judge.outcome(good * 8 + bad * 2, [], {})
    assert not found.passed
    assert len(found.misses) == 2
    kept = judge.look(case("stay"), photo(PLACE))
    assert not judge.outcome(good * 99 + kept, [], {}).passed


@pytest.mark.parametrize("faces", [False, pytest.param(True, marks=pytest.mark.long)])  # a person's own photos: below
def test_hidden_things_and_drawn_faces_go_the_whole_way_without_a_network(
    monkeypatch: pytest.MonkeyPatch, faces: bool
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refused)
    hidden = run(Policy(scope="metadata-only"), only=("hidden",))
    assert hidden.passed, hidden.misses
    assert sum(line.of for line in hidden.lines if line.sort == "all") >= 100
    if faces:
        done = CliRunner().invoke(cli, ["selftest", "--only", "face", "--quick", "--json"], standalone_mode=False)
        assert done.exception is None, done.output
        table = json.loads(done.stdout[done.stdout.index("{") :])
        assert table["passed"], table["misses"]
        sorts = {"all", "skin VI", "turned 90°", "mask masked", "head 90 px"}
        assert {line["sort"] for line in table["lines"]} >= sorts


def lists(folder: Path, rows: str) -> Path:
    (folder / "labels.csv").write_text("file,must,kind,x0,y0,x1,y1\n" + rows, encoding="utf-8-sig")
    return folder


def test_a_sites_own_photos_are_scored_into_one_page(tmp_path: Path) -> None:
    label = next(pictures.texts((44,), (0,)))
    (x0, y0), _, (x1, y1), _ = label.marks[0].polygon
    (tmp_path / "Whitcombe band.png").write_bytes(label.data)
    (tmp_path / "heel.png").write_bytes(photo())
    box = f"{int(x0) + 9},{int(y0) + 9},{int(x1) - 9},{int(y1) - 9}"
    lists(tmp_path, f"Whitcombe band.png,go,text,{box}\nWhitcombe band.png,stay,,5,5,60,60\nheel.png,,,,,,\n")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    done = CliRunner().invoke(cli, ["selftest", "--own", str(tmp_path), "--json"], standalone_mode=False)
    assert done.exception is None, done.output
    page = json.loads(done.stdout[done.stdout.index("{") :])
    assert page["photos"] == 2
    rates = {line["what"].strip(): (line["count"], line["of"]) for line in page["rates"]}
    assert rates["covered, of what must go, in the copies"] == rates["text"] == (1, 1)
    assert rates["wrongly covered: touched, of what must stay"] == (0, 1)
    assert rates["photos without a copy: they wait for a person"] == (0, 2)
    assert 0 < page["hidden"] < 0.2
    assert "Whitcombe" not in done.output
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    shown = CliRunner().invoke(cli, ["selftest", "--own", str(tmp_path), "--quick"], standalone_mode=False)
    assert isinstance(shown.exception, click.UsageError)


def own_photo(folder: Path, *marks: Mark, gone: tuple[bytes, ...] = ()) -> own.Labelled:
    (folder / "a.png").write_bytes(photo())
    return own.Labelled(name="own-001.png", path=folder / "a.png", marks=marks, gone=gone)


GO = Mark(kind="face", must="go", polygon=PLACE.polygon, sorts={})
STAY = Mark(kind="keep", must="stay", polygon=Box(85, 55, 115, 85).polygon, sorts={})


@pytest.mark.parametrize(
    ("filled", "go", "stay", "elsewhere"),
    [
        (PLACE, True, True, 0),
        (Box(20, 20, 60, 50), False, True, 0),
        (Box(84, 54, 118, 88), False, False, 1),
        (Box(10, 70, 60, 88), False, True, 1),
        (None, False, True, 0),
    ],
)
def test_what_is_covered_left_and_wrongly_covered(
    tmp_path: Path, filled: Box | None, go: bool, stay: bool, elsewhere: int
) -> None:
    one = score.seen(own_photo(tmp_path, GO, STAY), None, photo(filled), Policy().limits)
    assert (one.copied, one.go, one.stay, one.elsewhere) == (True, (("face", go),), (stay,), elsewhere)
    assert one.hidden == pytest.approx(filled.area / (120 * 90) if filled else 0.0)


def test_a_turned_photo_is_judged_as_a_viewer_shows_it(tmp_path: Path) -> None:
    made = own_photo(tmp_path, GO)
    copies = []
    for filled in (None, Box(40, 20, 70, 80)):  # where the mark lies in the stored picture, which is turned left
        exif = Image.Exif()
        exif[0x0112] = 6
        with Image.open(io.BytesIO(photo(filled))) as picture:
            stored = picture.resize((90, 120), Image.Resampling.NEAREST) if filled is None else picture
            out = io.BytesIO()
            stored.save(out, "PNG", exif=exif)
        copies.append(out.getvalue())
    shown = score.upright(copies[1], Policy().limits)
    assert shown.shape == (120, 90, 3)
    black = np.argwhere(shown.max(axis=2) == 0)
    assert (black.min(axis=0).tolist(), black.max(axis=0).tolist()) == ([40, 10], [69, 69])
    # A copy of another size shows everything.
    assert score.seen(made, None, copies[1], Policy().limits).go == (("face", False),)


def test_a_photo_without_a_copy_counts_as_missed_in_a_line_of_its_own(tmp_path: Path) -> None:
    made = own_photo(tmp_path, GO, gone=(b"Whitcombe",))
    limits = Policy().limits
    page = score.page([score.seen(made, None, photo(PLACE), limits), score.seen(made, None, None, limits)])
    printed = list(lines(page))
    assert any(re.match(r"covered, of what must go, in the copies +1 of 1 +1\.000 +0\.\d+ 1\.000$", p) for p in printed)
    assert printed[-1] == "  own-001: no copy"
    rates = {line.what.strip(): (line.count, line.of) for line in page.rates}
    assert rates["covered, of what must go, in the copies"] == (1, 1)
    assert rates["the same, with photos that have no copy counted as missed"] == (1, 2)
    assert rates["photos without a copy: they wait for a person"] == (1, 2)
    assert page.odd == ("own-001: no copy",)
    assert not page.words
    leaky = score.page([score.seen(made, None, photo() + b"Whitcombe", limits)])
    assert leaky.words
    assert leaky.odd == ("own-001: left: face; a word that must be gone stands in the copy",)


def test_ranges_are_those_of_wilson() -> None:
    half = score.rate("", [True, False] * 5)
    assert (half.low, half.high) == (pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3))
    all_of_few = score.rate("", [True] * 50)
    assert (all_of_few.low, all_of_few.high) == (pytest.approx(0.9287, abs=1e-3), 1.0)
    assert score.rate("", []).of == 0


def test_both_lists_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(photo())
    from_csv = own.labelled(lists(tmp_path, "a.png,go,code,20,20,80,50\na.png,stay,,85,55,115,85\n"))
    (tmp_path / "labels.csv").unlink()
    entry = {"file": "a.png", "go": [{"kind": "code", "box": [20, 20, 80, 50]}], "stay": [[85, 55, 115, 85]]}
    (tmp_path / "labels.json").write_text(json.dumps([entry]))
    assert own.labelled(tmp_path) == from_csv
    assert [(m.kind, m.must) for m in from_csv[0].marks] == [("code", "go"), ("keep", "stay")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.json", ""), ("labels.json", "{}"), ("labels.json", "[]"), ("labels.json", '[{"fiel": "a"}]'),
        ("labels.json", '[{"file": "../x.png"}]'), ("labels.json", '[{"file": "no.png"}]'),
        ("labels.csv", "file,must\n../x.png,go\n"), ("labels.csv", "file,must\nno.png,\n"),
        ("labels.csv", "file,must,kind,x0,y0,x1,y1\na.png,og,,1,2,3,4\n"),
        ("labels.csv", "file,must,kind,x0,y0,x1,y1\na.png,go,,1,2,x,4\n"),
        ("labels.csv", "file,must,kind,x0,y0,x1,y1\na.png,go,,9,2,3,4\n"),
        ("labels.csv", "photo\na.png\n"), ("nothing.txt", ""),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_read_are_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "a.png").write_bytes(photo())
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError):
        own.labelled(tmp_path)
