"""A photo of a consent form is held, and a person can end that: cover the form, show it, or crop it away."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont

import medimg
from medimg.run import plans
from medimg.types import Box, Plan, to_json
from medimg.vocabulary import Reason

LINES = (
    "CONSENT TO CLINICAL PHOTOGRAPHY",
    "I agree that photographs of me may be taken",
    "for my medical record and for teaching.",
    "I understand that I can withdraw my consent",
    "at any time without giving a reason.",
    "The pictures are kept for seven years.",
    "Name of patient: Rawiri Ngata",
    "Date of birth: 12/03/1956",
    "Signature of patient",
    "Signature of witness",
    "Name of witness: Mele Taufa",
    "Date: 3 March 2024",
)


@pytest.fixture(scope="module")
def scrubber() -> medimg.Scrubber:
    return medimg.Scrubber(medimg.Policy.load())


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A form on the left, skin on the right."""
    image = Image.new("RGB", (1280, 820), (205, 160, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 800, 820), fill=(250, 250, 248))
    font = ImageFont.load_default(30)
    for k, words in enumerate(LINES):
        draw.text((50, 40 + 64 * k), words, font=font, fill=(20, 20, 20))
    path = tmp_path_factory.mktemp("document") / "form.png"
    image.save(path)
    return path


@pytest.fixture(scope="module")
def plan(scrubber: medimg.Scrubber, photo: Path) -> Plan:
    found = scrubber.inspect(photo)
    assert [a.why for a in found.doing("hold") if a.finding.kind == "document"] == [Reason.DOCUMENT]
    return found


def place(plan: Plan) -> int:
    """Where the document is in the plan, as the window and the commands number it."""
    return next(p for _, p, a in plans.numbered(plan) if a.finding.kind == "document")


def test_it_is_held_and_covering_it_whole_ends_that(scrubber: medimg.Scrubber, photo: Path, plan: Plan) -> None:
    assert scrubber.scrub(photo).report.state == "held"
    made = scrubber.scrub(photo, plan=plans.decided(plan, place(plan), "cover", Reason.COVERED))
    assert made.report.state == "unreviewed", made.report.reason
    copy = made.image().convert("L")
    assert copy.crop((60, 45, 600, 740)).getextrema()[0] == copy.crop((60, 45, 600, 740)).getextrema()[1]


def test_cropping_it_away_ends_that_too(scrubber: medimg.Scrubber, photo: Path, plan: Plan) -> None:
    made = scrubber.scrub(photo, plan=msgspec.structs.replace(plan, crop=Box(860, 0, 1280, 820)))
    assert made.report.state == "unreviewed", made.report.reason
    assert made.image().size == (420, 820)


def test_shown_as_harmless_its_names_stay_covered(scrubber: medimg.Scrubber, photo: Path, plan: Plan) -> None:
    shown = plans.decided(plan, place(plan), "keep", Reason.SHOWN)
    assert b"Ngata" not in to_json(shown)
    left = list(shown.doing("hold"))
    for a in left:  # what the covers hide together is another reason to hold it
        shown = plans.decided(shown, shown.actions.index(a), "cover", Reason.COVERED)
    made = scrubber.scrub(photo, plan=shown)
    assert made.report.state == "unreviewed", made.report.reason
    again = scrubber.inspect(made.data)
    assert not [f for f in again.actions if f.finding.kind == "text" and f.finding.category == "name"]
