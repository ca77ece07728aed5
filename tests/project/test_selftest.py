"""The self-test: what it finds, what it calls a miss, and that it says so."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from medimg.cli.main import cli
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.selftest import judge, own, pictures
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


def test_hidden_things_and_drawn_faces_go_the_whole_way_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refused)
    hidden = run(Policy(scope="metadata-only"), only=("hidden",))
    assert hidden.passed, hidden.misses
    assert sum(line.of for line in hidden.lines if line.sort == "all") >= 100
    done = CliRunner().invoke(cli, ["selftest", "--only", "face", "--quick", "--json"], standalone_mode=False)
    assert done.exception is None, done.output
    table = json.loads(done.stdout[done.stdout.index("{") :])
    assert table["passed"], table["misses"]
    assert {line["sort"] for line in table["lines"]} >= {"all", "skin VI", "turned 90°", "mask masked", "head 90 px"}


def test_a_sites_own_case_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "band.png").write_bytes(next(pictures.texts((44,), (0,))).data)
    mark = next(pictures.texts((44,), (0,))).marks[0]
    box = [
        int(v) for v in (mark.polygon[0][0] + 9, mark.polygon[0][1] + 9, mark.polygon[2][0] - 9, mark.polygon[2][1] - 9)
    ]
    (tmp_path / own.LIST).write_text(json.dumps([{"file": "band.png", "go": [box], "stay": [[5, 5, 60, 60]]}]))
    found = run(Policy(), only=("own",), own_cases=tmp_path)
    assert found.passed, found.misses
    assert {(line.kind, line.of) for line in found.lines if line.sort == "all"} == {("text", 1), ("keep", 1)}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["band.png", own.LIST]


@pytest.mark.parametrize("text", ["", "{}", '[{"file": "../x.png"}]', '[{"file": "no.png"}]', '[{"fiel": "a"}]'])
def test_own_cases_that_cannot_be_read_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / own.LIST).write_text(text)
    with pytest.raises(UsageError):
        own.cases(tmp_path)
