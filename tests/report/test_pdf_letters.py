"""Letters of every script in the PDF sheets: in fonts of the machine, shaped, in their direction, to be copied."""

from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
from pathlib import Path

import matplotlib
import msgspec
import pypdf
import pytest
from sheets_kit import fonts_in, run_folder

from medimg import report as sheets
from medimg.report import consent_page as pages
from medimg.report import letters
from medimg.report.letters import bidi
from medimg.report.model import RecordSheet
from medimg.report.pdf import record_pdf
from medimg.run.opened import open_run
from medimg.run.state import with_recipients
from medimg.system import host
from medimg.types import from_json

PRIVATE = "PRIVATE-patient-record"
DEJAVU = Path(matplotlib.get_data_path(), "fonts", "ttf")
"""DejaVu Sans: Latin, Greek, Cyrillic, Arabic, Armenian, Georgian; no letters of India, no Thai, no Chinese."""
MANY = "\u0141ukasz Nguy\u1ec5n \u0391\u03b8\u03ae\u03bd\u03b1 \u0406\u0432\u0430\u043d \u0540\u0561\u0575"
ARABIC = "\u0645\u062d\u0645\u062f \u0628\u0646 \u0639\u0644\u064a"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    return folder


def one(folder: Path, to: Path) -> Path:
    """A folder with DejaVu Sans alone, and in bold."""
    to.mkdir()
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        shutil.copy(folder / name, to)
    return to


def record(folder: Path) -> RecordSheet:
    return from_json((folder / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)


def read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def copied(data: bytes, folder: Path) -> str:
    """What a reader that knows both directions copies."""
    path = folder / "copied.pdf"
    path.write_bytes(data)
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed")
    text = subprocess.run([program, path, "-"], capture_output=True, check=True).stdout.decode()
    return re.sub("[\u200e\u200f\u202a-\u202e]", "", text)


@pytest.mark.parametrize(
    "name",
    [
        "\u674e\u5c0f\u660e",
        "\u0645\u062d\u0645\u062f",
        "\u05e9\u05dc\u05d5\u05dd",
        "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
        "\u0905\u092e\u093f\u0924",
        "\u0406\u0432\u0430\u043d",
    ],
)
def test_letters_that_it_cannot_show_are_told_on_their_page_and_stand_in_the_other_sheet(
    out: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fonts_in(monkeypatch)
    opened = open_run(out)
    state = with_recipients(opened.state, "P01", f"{name}, hand group")
    sheets.refresh(state, opened.reports, out)
    told = "[?]: letters that this PDF cannot show. They stand in record-sheet.html."
    reader = read((out / PRIVATE / "record-sheet.pdf").read_bytes())
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    fields = reader.get_fields()
    assert fields is not None
    assert fields["P01.recipients"].value == "[?], hand group"
    assert told in pages[0]
    assert sum(told in page for page in pages) == 1  # on the others nothing is missing
    assert name in (out / PRIVATE / "record-sheet.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),  # in two letters or in one
        ("Ng\u0101ti x\u030c", "Ngati x"),
        ("\u200fDr \uff11\uff12", "Dr 12"),
        ("\u674e\u5c0f \u660e!", "[?] [?]!"),
    ],
)
def test_without_fonts_letters_lose_their_marks(typed: str, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_in(monkeypatch)
    assert letters.shown(typed) == plain


def test_letters_of_many_scripts_are_shown_and_can_be_copied(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fonts_in(monkeypatch, one(DEJAVU, tmp_path / "fonts"))
    sheet = record(out)
    group = msgspec.structs.replace(sheet.groups[0], stops=(MANY, ARABIC), recipients=f"{MANY}, {ARABIC}")
    data = record_pdf(msgspec.structs.replace(sheet, groups=(group,)))
    reader = read(data)
    fields = reader.get_fields()
    assert fields is not None
    assert fields["P01.recipients"].value == f"{MANY}, {ARABIC}"
    words = " ".join(page.extract_text() for page in reader.pages)
    assert MANY in words
    assert "[?]" not in words
    again = copied(data, tmp_path)
    assert again.count(ARABIC) == 2  # the line and the field
    assert again.count(MANY) == 2


def test_what_was_drawn_is_in_the_file(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_in(monkeypatch, one(DEJAVU, tmp_path / "fonts"))
    sheet = record(out)
    group = msgspec.structs.replace(sheet.groups[0], stops=(MANY,))
    first, second = (record_pdf(msgspec.structs.replace(sheet, groups=(group,))) for _ in range(2))
    assert first == second
    page = read(first).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    own = [font for font in fonts if font["/Subtype"] == "/Type3"]
    assert {font["/BaseFont"] for font in fonts if font not in own} <= {"/Helvetica", "/Helvetica-Bold"}
    assert own
    for font in own:
        drawn = [shape.get_object().get_data() for shape in font["/CharProcs"].values()]
        assert 0 < len(drawn) < 60  # a part, not a font of 5,000
        assert sum(b" l\n" in shape or b" c\n" in shape for shape in drawn) >= len(drawn) - 1  # one is the blank
        assert "/ToUnicode" in font


def test_the_page_for_the_patient_has_them_too(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_in(monkeypatch, one(DEJAVU, tmp_path / "fonts"))
    long = f"{ARABIC} " * 900  # more than a page
    sheet = msgspec.structs.replace(pages.of(open_run(out), "P01"), organisation=MANY, caption=long)
    data = pages.pdf(sheet)
    words = copied(data, tmp_path)
    assert MANY in words
    assert " ".join(words.split()).count(ARABIC) > 850  # a name may be parted by the end of a line
    assert "[?]" not in words


@pytest.mark.parametrize(
    "words",
    [
        "\u05e9\u05dc\u05d5\u05dd \u05dc\u05db\u05d5\u05dc\u05dd",
        "\u0905\u092e\u093f\u0924 \u0915\u094d\u0937\u0924\u094d\u0930\u093f\u092f",
        "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd \u0b95\u0bca\u0ba3\u0bcd\u0b9f\u0bc1",
        "\u09ac\u09be\u0982\u09b2\u09be \u0995\u09cd\u09b7",
        "\u0e19\u0e49\u0e33\u0e2b\u0e19\u0e31\u0e01",
        "\u674e\u5c0f\u660e\uff0c\u533b\u751f",
        "\u7530\u4e2d\u3055\u304f\u3089",
        "\uae40\ubbfc\uc218 \uc678\uacfc",
    ],
)
def test_with_a_font_of_this_machine(words: str, out: Path, tmp_path: Path) -> None:
    """Which scripts are tried follows from the fonts that are installed here."""
    if letters.shown(words) != words:
        pytest.skip("no font here has these letters")
    sheet = record(out)
    group = msgspec.structs.replace(sheet.groups[0], stops=(words,))
    assert words in copied(record_pdf(msgspec.structs.replace(sheet, groups=(group,))), tmp_path)


def test_arabic_is_joined_and_runs_from_the_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_in(monkeypatch, one(DEJAVU, tmp_path / "fonts"))
    name = "\u0645\u062d\u0645\u062f"
    (piece,) = letters.pieces(name, rtl=True)
    assert piece.cut is not None
    shapes, _ = piece.cut.shaped(name, rtl=True)
    assert "".join(shape.text for shape in shapes) == name[::-1]
    assert len({shape.parts[0][0] for shape in shapes if shape.text == "\u0645"}) == 2  # at its beginning, inside


def test_lines_end_where_the_script_lets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_in(monkeypatch, one(DEJAVU, tmp_path / "fonts"))
    wide = "\uff21\uff22\u3002"  # no letters of DejaVu: they become plain ones
    assert letters.shown(wide) == "AB[?]"
    for words in (MANY * 20, f"{ARABIC} " * 60, "\u0406" * 400):
        lines = letters.split(words, 9, 250)
        rtl = bidi.right_to_left(words)
        assert len(lines) > 1
        assert max(letters.width(line, 9, rtl=rtl) for line in lines) <= 250
        assert "".join("".join(lines).split()) == "".join(words.split())


def test_a_font_that_is_broken_or_may_not_be_embedded_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = (DEJAVU / "DejaVuSans.ttf").read_bytes()
    for name, data in {
        "noise.ttf": b"\x00\x01\x00\x00" + b"\xff" * 4000,
        "cut.ttf": sound[:9000],
        "empty.otf": b"",
        "no-outlines.ttf": emptied(sound, b"glyf"),
        "restricted.ttf": restricted(sound),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(data)
        fonts_in(monkeypatch, folder)
        assert letters.shown("\u0406\u0432\u0430\u043d") == "[?]", name
    fonts_in(monkeypatch, *(tmp_path / name for name in ("noise.ttf", "cut.ttf")), one(DEJAVU, tmp_path / "fonts"))
    assert letters.shown("\u0406\u0432\u0430\u043d") == "\u0406\u0432\u0430\u043d"


def test_a_font_among_photos_is_not_used(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one(DEJAVU, out / "share" / "fonts")
    monkeypatch.chdir(out / "share" / "fonts")
    monkeypatch.delenv("HOME", raising=False)
    assert all(Path(folder).is_absolute() for folder in host.font_folders())
    fonts_in(monkeypatch, *(Path(f) for f in host.font_folders() if not Path(f).is_dir()))
    assert letters.shown("\u0406") == "[?]"


def _table(data: bytes, tag: bytes) -> tuple[int, int]:
    """Where a table of a font file begins, and its length."""
    for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16):
        if data[at : at + 4] == tag:
            return struct.unpack_from(">II", data, at + 8)
    raise AssertionError(tag)


def emptied(data: bytes, tag: bytes) -> bytes:
    start, length = _table(data, tag)
    return data[:start] + bytes(length) + data[start + length :]


def restricted(data: bytes) -> bytes:
    """With fsType 2: restricted license embedding."""
    start, _ = _table(data, b"OS/2")
    return data[: start + 8] + struct.pack(">H", 2) + data[start + 10 :]


@pytest.mark.parametrize(
    ("line", "rtl", "seen"),
    [
        ("ab \u05d0\u05d1 cd", False, "ab \u05d1\u05d0 cd"),
        ("\u05d0\u05d1 ab 12, \u05d2", True, "\u05d2 ,ab 12 \u05d1\u05d0"),
        ("\u05d0 ab (cd)", True, "ab (cd) \u05d0"),
        ("\u05d0 (\u05d1) 3-4", True, "3-4 )\u05d1( \u05d0"),
        ("\u0627 12% \u0628", True, "\u0628 %12 \u0627"),
    ],
)
def test_the_order_of_both_directions(line: str, rtl: bool, seen: str) -> None:
    """As FriBidi orders them; brackets are turned when they are drawn."""
    runs = bidi.runs(line, rtl=rtl)
    assert "".join(text[::-1] if back else text for text, back in runs) == seen
