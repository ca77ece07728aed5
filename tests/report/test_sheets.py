"""The two sheets: what may be where, words for what was not checked, pictures of copies, and hostile texts."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import itertools
import json
import re
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageChops, ImageStat
from sheets_kit import MARKER, none_true, picture, report, run_folder

from medimg.acts.answering import from_setting
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.errors import UsageError
from medimg.report import Decisions, refresh, write_sheets
from medimg.report.model import RecordSheet, ShareSheet
from medimg.report.thumbs import thumbnail
from medimg.run.state import RunSummary, load, save
from medimg.types import Action, Finding, Report, from_json
from medimg.vocabulary import Reason

AT = "2026-11-21T12:00:00Z"
PRIVATE = "PRIVATE-patient-record"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1}, held=1)
    return folder


def share(out: Path) -> dict[str, object]:
    data: dict[str, object] = json.loads((out / "share-sheet.json").read_bytes())
    return data


def text_of(path: Path) -> str:
    """The words a page shows, without tags and style."""
    page = re.sub(r"<style>.*?</style>", " ", path.read_text("utf-8"), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_file_is_there_and_reads_back(out: Path) -> None:
    from_json((out / "share-sheet.json").read_bytes(), ShareSheet)
    from_json((out / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)
    plans = from_json((out / PRIVATE / "decisions.json").read_bytes(), Decisions).plans
    assert set(plans) == {"P01-001", "P01-002", "P01-003", "P02-001", "P02-002"}
    assert plans["P01-001"].doing("cover")
    notes = (out / PRIVATE / "paste-into-notes.txt").read_text().strip().split("\n\n")
    assert [len(n.splitlines()) for n in notes] == [7, 7]
    assert "P02" not in notes[0]


def test_the_share_sheet_has_no_boxes_reasons_or_record_only_questions(out: Path) -> None:
    data = (out / "share-sheet.json").read_text()
    for word in ('"box"', '"polygon"', '"score"', '"where"', "x 45", '"why"', '"note"', '"role"', '"at"'):
        assert word not in data, word
    record_only = [i for i in ChecklistDefinition.load().items if i.record == "record-only"]
    assert record_only
    page = (out / "share-sheet.html").read_text()
    for item in record_only:
        assert item.id not in data
        assert item.ask not in page
    assert "x 45" in (out / PRIVATE / "record-sheet.html").read_text()


def test_the_time_on_the_share_sheet_is_no_finer_than_a_month(out: Path) -> None:
    for name in ("share-sheet.json", "share-sheet.html"):
        text = (out / name).read_text()
        assert "2026-11" in text
        assert not re.search(r"2026-11-\d\d", text), name


def test_kinds_and_counts_are_of_the_shown_copies(out: Path) -> None:
    found = {(t["kind"], t["category"]): t for t in share(out)["found"]}
    assert found["Hidden information", "device"]["found"] == 12  # 3 copies, 4 each; the held photos do not count
    assert found["Faces", "face"]["covered"] == 3
    assert found["Writing in the picture", "ruler"]["kept"] == 3
    record = json.loads((out / PRIVATE / "record-sheet.json").read_bytes())
    held = {(t["kind"], t["category"]): t for t in record["found"]}["Faces", "face"]
    assert (held["found"], held["covered"], held["kept_back"]) == (5, 3, 2)


def test_a_held_photo_is_not_said_to_be_covered(out: Path) -> None:
    record = json.loads((out / PRIVATE / "record-sheet.json").read_bytes())
    photo = record["groups"][0]["photos"][2]
    assert photo["copy"] is None
    assert {d["do"] for d in photo["decisions"]} == {"to be covered", "to be taken out", "to be kept"}


@pytest.mark.parametrize(
    ("kind", "why", "said"),
    [
        ("face", Reason.NO_FACE, "1 face (false alarm)"),
        ("text", Reason.NO_WRITING, "1 piece of writing (false alarm)"),
        ("face", Reason.FACE_SHOWN, "1 face (kept)"),
    ],
)
def test_what_a_person_found_to_be_none_is_not_said_to_be_kept(
    tmp_path: Path, kind: str, why: Reason, said: str
) -> None:
    found = Finding(kind=kind, category="face" if kind == "face" else "unread", detector="a check", id="f1")
    run_folder(tmp_path, {"P01": 1}, actions=(Action(finding=found, do="keep", why=why, by="person"),))
    for page in ("share-sheet.html", f"{PRIVATE}/record-sheet.html", f"{PRIVATE}/paste-into-notes.txt"):
        assert f"Found: {said}." in (tmp_path / page).read_text()


def test_zero_faces_says_that_faces_can_be_missed(tmp_path: Path) -> None:
    run_folder(tmp_path, {"P01": 1}, actions=())
    page = text_of(tmp_path / "share-sheet.html")
    assert "Faces: the check found none; about 1 in 3 clinical close-ups is missed." in page
    assert "The checks found nothing. They can miss things." in page


def test_metadata_only_says_what_was_not_checked(tmp_path: Path) -> None:
    run_folder(tmp_path, {"P01": 1}, scope="metadata-only", actions=())
    for path in (tmp_path / "share-sheet.html", tmp_path / PRIVATE / "record-sheet.html"):
        page = text_of(path)
        assert "The pictures were NOT looked at" in page
        assert "have not been decoded: bytes hidden inside them would stay." in page
        assert "found none" not in page.replace("found none in the caption", "")
    assert "NOT looked at" in (tmp_path / PRIVATE / "paste-into-notes.txt").read_text()
    assert share(tmp_path)["zero_lines"] == []


def test_only_the_fixed_status_words(out: Path) -> None:
    words = ChecklistDefinition.load().status_words
    for path in (out / "share-sheet.html", out / PRIVATE / "record-sheet.html"):
        assert words.open in text_of(path)
        assert words.answered not in text_of(path)
    assert share(out)["status"] == words.open


def test_answers_show_as_yes_no_or_open(out: Path) -> None:
    state, reports = load(out), from_json((out / PRIVATE / "reports.json").read_bytes(), tuple[Report, ...])
    assert state is not None
    for setting in (
        "P01:con.basis=written-consent",
        "P01:con.written=yes",
        "P01:con.may-see=not-applicable",
        "P01:id.together=no",
        "P01-001:img.marks=yes",
        "P01:id.known=agreed",
    ):
        state = from_setting(state, setting, AT, role="registrar")
    refresh(save(out, state), reports, out)
    groups = share(out)["groups"]
    answers = {a["item"]: (a["answer"], a["state"]) for a in groups[0]["answers"]}  # type: ignore[index]
    assert answers["con.basis"] == ("answered", "closed")
    assert answers["con.written"] == ("yes", "closed")
    assert answers["con.may-see"] == ("n.a.", "not-applicable")
    assert answers["id.together"] == ("no", "failed")
    assert answers["img.marks"] == ("1 of 2 answered", "open")
    assert answers["id.known"] == ("yes", "closed")
    assert {a["item"]: a["answer"] for a in groups[1]["answers"]}["con.written"] == "open"  # type: ignore[index]
    assert "registrar" not in (out / "share-sheet.json").read_text()
    assert "registrar" in (out / PRIVATE / "record-sheet.html").read_text()


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", ["share-sheet.html", f"{PRIVATE}/record-sheet.html"])
def test_a_page_is_one_file_without_script_or_request(out: Path, name: str) -> None:
    page = _Page()
    text = (out / name).read_text("utf-8")
    page.feed(text)
    assert not [t for t, _ in page.tags if t in ("script", "iframe", "object", "embed", "form", "base")]
    for _tag, attrs in page.tags:
        assert not [k for k in attrs if k.startswith("on")]
        for key in ("src", "href", "action", "data", "srcset"):
            value = attrs.get(key)
            assert value is None or value.startswith(("data:", "#")), value
    assert "@import" not in text
    assert not re.search(r"url\((?!data:)", text)
    assert text.startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["share-sheet.html", f"{PRIVATE}/record-sheet.html"])
def test_a_page_can_be_read_by_ear(out: Path, name: str) -> None:
    """Language, title, one first heading, no skipped level, named pictures and tables, ids once, scopes on headers."""
    page = _Page()
    page.feed((out / name).read_text("utf-8"))
    tags = [t for t, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert "title" in tags
    levels = [int(t[1]) for t in tags if re.fullmatch(r"h[1-6]", t)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert all(a.get("alt") for t, a in page.tags if t == "img")
    assert all(a.get("role") == "img" and a.get("aria-label") for t, a in page.tags if t == "svg")
    assert tags.count("table") == tags.count("caption")
    assert all(a.get("scope") for t, a in page.tags if t == "th")
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a["aria-labelledby"] in ids for _, a in page.tags if "aria-labelledby" in a)
    assert tags.count("main") == 1
    assert "header" in tags
    assert "footer" in tags


def test_small_pictures_are_of_the_written_copies_and_outlines_are_in_the_record_alone(out: Path) -> None:
    page = (out / "share-sheet.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 3
    assert "<polygon" not in page
    record = (out / PRIVATE / "record-sheet.html").read_text()
    assert record.count("<polygon") == 3 * 3 * 2  # three places in each of three copies, drawn twice for contrast


def test_a_changed_copy_is_not_shown(out: Path) -> None:
    copy = out / "unreviewed" / "P01-001.jpg"
    copy.write_bytes(picture((1, 2, 3)))
    state, reports = load(out), from_json((out / PRIVATE / "reports.json").read_bytes(), tuple[Report, ...])
    assert state is not None
    refresh(state, reports, out)
    assert (out / "share-sheet.html").read_text().count("data:image/jpeg;base64,") == 2
    assert "was changed after it was checked" in (out / PRIVATE / "record-sheet.html").read_text()


def shown(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def test_a_small_picture_shows_the_whole_of_a_large_copy(tmp_path: Path) -> None:
    large = Image.open(io.BytesIO(picture((230, 190, 170)))).resize((4000, 3000))
    out = io.BytesIO()
    large.save(out, "JPEG", quality=90)
    (tmp_path / "c.jpg").write_bytes(out.getvalue())
    thumb = thumbnail(tmp_path / "c.jpg", hashlib.sha256(out.getvalue()).hexdigest())
    assert thumb is not None
    assert (thumb.width, thumb.height, thumb.stored_width, thumb.stored_height) == (320, 240, 4000, 3000)
    apart = ImageChops.difference(shown(thumb.uri), large.resize((320, 240), Image.Resampling.LANCZOS)).convert("L")
    assert ImageStat.Stat(apart).mean[0] < 2


def test_every_copy_has_its_own_small_picture(tmp_path: Path) -> None:
    run, reports = run_folder(tmp_path, {"P01": 8})
    for n, one in enumerate(reports):
        data = picture((30 * n, 255 - 30 * n, 100))
        (tmp_path / "unreviewed" / one.copy.name).write_bytes(data)
        reports[n] = msgspec.structs.replace(one, copy=report(one.safe_id, data).copy)
    write_sheets(run, reports, SharingContext(conditions=none_true()), tmp_path)
    page = (tmp_path / "share-sheet.html").read_text()
    found = re.findall(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", page)
    colours = [shown(uri).getpixel((300, 140)) for uri in found]
    assert len(colours) == 8
    for n, (red, green, _) in enumerate(colours):
        assert abs(red - 30 * n) < 6
        assert abs(green - 255 + 30 * n) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_outlines_follow_the_orientation(tmp_path: Path, orientation: int) -> None:
    """The black cover in the corner lies under the outline of its stored rectangle, however the copy is turned."""
    data = picture((230, 190, 170), orientation)
    path = tmp_path / "P01-001.jpg"
    path.write_bytes(data)
    one = report("P01-001", data)
    thumb = thumbnail(path, one.copy.sha256)
    assert thumb is not None
    assert (thumb.width, thumb.height) == ((320, 240) if orientation < 5 else (240, 320))
    small = Image.open(io.BytesIO(base64.b64decode(thumb.uri.partition(",")[2]))).convert("L")
    points = [
        tuple(map(float, p.split(","))) for p in thumb.outline(((465, 65), (595, 65), (595, 195), (465, 195))).split()
    ]
    x0, y0 = min(p[0] for p in points), min(p[1] for p in points)
    x1, y1 = max(p[0] for p in points), max(p[1] for p in points)
    assert small.crop((int(x0) + 2, int(y0) + 2, int(x1) - 2, int(y1) - 2)).getextrema()[1] < 40


def test_a_small_picture_carries_no_metadata(tmp_path: Path) -> None:
    data = picture((230, 190, 170), 6)
    (tmp_path / "c.jpg").write_bytes(data)
    thumb = thumbnail(tmp_path / "c.jpg", report("P01-001", data).copy.sha256)
    assert thumb is not None
    assert b"Exif" not in base64.b64decode(thumb.uri.partition(",")[2])


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
def test_what_is_no_picture_has_no_small_picture(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(data)
    assert thumbnail(tmp_path / "x.jpg", hashlib.sha256(data).hexdigest()) is None


def test_no_marker_in_any_sheet(tmp_path: Path) -> None:
    home = tmp_path / MARKER / "medimg-R7Q4"
    run_folder(home, {"P01": 1})
    for path in home.rglob("*"):
        if path.is_file():
            assert MARKER.encode() not in path.read_bytes(), path.name


def test_texts_that_look_like_markup_stay_texts(tmp_path: Path) -> None:
    run, reports = run_folder(tmp_path, {"P01": 1})
    evil = "<script>alert(1)</script>\"'&{{7*7}}"
    reports[0] = msgspec.structs.replace(
        reports[0], checks=(*reports[0].checks, msgspec.structs.replace(reports[0].checks[0], name=evil, engine=evil))
    )
    run = msgspec.structs.replace(run, engines={evil: evil}, policy_lines=(evil,))
    write_sheets(run, reports, SharingContext(jurisdictions=("AU",), conditions=none_true()), tmp_path)
    for path in (tmp_path / "share-sheet.html", tmp_path / PRIVATE / "record-sheet.html"):
        text = path.read_text()
        assert "<script" not in text
        assert "{{7*7}}" in text


def test_a_copy_name_with_a_path_in_it_reads_nothing_outside(tmp_path: Path) -> None:
    run, reports = run_folder(tmp_path / "run", {"P01": 1})
    outside = tmp_path / "outside.jpg"
    outside.write_bytes((tmp_path / "run" / "unreviewed" / "P01-001.jpg").read_bytes())
    named = msgspec.structs.replace(reports[0].copy, name="../../outside.jpg")
    reports[0] = msgspec.structs.replace(reports[0], copy=named)
    write_sheets(run, reports, SharingContext(conditions=none_true()), tmp_path / "run")
    assert "data:image/jpeg" not in (tmp_path / "run" / "share-sheet.html").read_text()


def test_a_run_without_photos_still_has_sheets(tmp_path: Path) -> None:
    (tmp_path / PRIVATE).mkdir()
    run = RunSummary(tag="R7Q4", version="0.1.0", policy_digest="0" * 16, groups={})
    assert write_sheets(run, [], SharingContext(), tmp_path) == {}
    assert "There are no pictures in this run." in text_of(tmp_path / "share-sheet.html")
    assert share(tmp_path)["overall"] == "open"


def test_an_unknown_audience_writes_nothing(tmp_path: Path) -> None:
    run = RunSummary(tag="R7Q4", version="0.1.0", policy_digest="0" * 16, groups={})
    with pytest.raises(UsageError):
        write_sheets(run, [], SharingContext(audience=MARKER), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_large_run_has_small_pages(tmp_path: Path) -> None:
    """Forty-five groups of seventy copies: pages show the first of them and say how many more there are."""
    (tmp_path / PRIVATE).mkdir()
    one = report("P01-001", picture((200, 160, 140)))
    groups = {f"P{g:02d}": tuple(f"P{g:02d}-{n:03d}" for n in range(1, 71)) for g in range(1, 46)}
    reports = [
        msgspec.structs.replace(one, safe_id=i, copy=msgspec.structs.replace(one.copy, name=f"{i}.jpg"))
        for ids in groups.values()
        for i in ids
    ]
    run = RunSummary(tag="R7Q4", version="0.1.0", policy_digest="0" * 16, groups=groups)
    write_sheets(run, reports, SharingContext(conditions=none_true()), tmp_path)
    page = text_of(tmp_path / "share-sheet.html")
    assert "5 more patients are listed in share-sheet.json." in page
    assert "10 more copies of this patient" in page
    assert len(share(tmp_path)["groups"]) == 45  # type: ignore[arg-type]


@pytest.mark.parametrize(("heights", "times"), [((30,), 1), ((30, 30, 30), 1), ((30, 0, 41), 2), ((0, 0), 0)])
def test_both_sheets_say_which_height_of_print_was_not_looked_for_once_where_it_is_one(
    tmp_path: Path, heights: tuple[int, ...], times: int
) -> None:
    run, reports = run_folder(tmp_path, {"P01": len(heights)})
    said = [msgspec.structs.replace(one, least_letters=h) for one, h in zip(reports, heights, strict=True)]
    write_sheets(run, said, SharingContext(jurisdictions=("AU",), conditions=none_true()), tmp_path)
    for page in (tmp_path / "share-sheet.html", tmp_path / PRIVATE / "record-sheet.html"):
        words = text_of(page)
        assert words.count("single lines lower than") == times
        assert all(f"single lines lower than {h} pixels" in words for h in heights if h)


def test_what_a_check_says_of_every_copy_stands_once_below_what_it_says_of_each(tmp_path: Path) -> None:
    run, (first, second) = run_folder(tmp_path, {"P01": 2})
    assert second.plan is not None
    fewer = msgspec.structs.replace(second.plan, actions=second.plan.actions[:4])
    reports = [first, msgspec.structs.replace(second, plan=fewer)]
    write_sheets(run, reports, SharingContext(jurisdictions=("AU",), conditions=none_true()), tmp_path)
    words = " ".join(text_of(tmp_path / PRIVATE / "record-sheet.html").split())
    of_all = "no check looks for people whose face is not seen: you look."
    assert words.count(of_all) == 1
    assert f"Each copy: {of_all}" in words
    for line in ("P01-001: The check found 1 face; covered.", "P01-002: The check found no face."):
        assert line in words
