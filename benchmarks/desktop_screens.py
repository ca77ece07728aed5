"""Pictures of every page of the window, at 100 % and 200 %, light and dark.

    python benchmarks/desktop_screens.py [--out build/screens] [--docs]

Draws photos of people who do not exist (fixtures/make.py), makes a run of them with the real checks, and lets the real
window draw itself without a screen. ``--docs`` also puts the few that docs/desktop.md shows into docs/img/desktop/,
with fewer colours so that they stay small. Look at every picture after a change of the window: no test sees that a word
is cut off.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"100": ("1", 1100, 720), "200": ("2", 960, 540)}
"""Scale -> factor, and the window in points: at 200 % a screen of 1920 x 1080 has 960 x 540 of them."""
DOCS = (
    "start-100-light",
    "overview-100-light",
    "look-100-light",
    "acts-100-light",
    "checklist-100-light",
    "stopped-100-light",
    "release-100-light",
    "finish-100-light",
    "checklist-200-dark",
)
SITE = """\
schema = "medimg.site/1"
organisation = "Example Hospital"
policy_text = "Clinical images: policy CP-12."
[contacts]
privacy_officer = "extension 100"
hospital_management = "extension 101"
[answers.closed-group]
"pol.employer" = "yes"
"inc.plan" = "yes"
"""


def main() -> None:
    """Make the run, then let one process for each scale and scheme draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screens")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", default="", help="one of them, such as 100-light")
    parser.add_argument("--patience", type=float, default=1, help="how many times longer to wait, on a busy machine")
    parser.add_argument("--draw", nargs=3, metavar=("WORK", "SCALE", "SCHEME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if options.draw:
        Shots(Path(options.draw[0]), *options.draw[1:], out, options.patience).all()
        return
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        prepare(work)
        for scale, (factor, _, _) in SIZES.items():
            for scheme in ("light", "dark"):
                if options.only not in ("", f"{scale}-{scheme}"):
                    continue
                mine = work / f"{scale}-{scheme}"
                shutil.copytree(work / "made", mine)
                env = {
                    **os.environ,
                    "QT_QPA_PLATFORM": "offscreen",
                    "QT_SCALE_FACTOR": factor,
                    "MEDIMG_REGISTER": str(mine / "register.sqlite"),
                    "MEDIMG_SITE": str(work / "site.toml"),
                    "MEDIMG_CARDS": str(mine / "cards"),
                    "MEDIMG_WINDOW": str(mine / "window.json"),
                    "HOME": str(mine),  # the place for the copies is shown as ~/share-tonight on every machine
                }
                command = [sys.executable, __file__, "--out", str(out), "--patience", str(options.patience)]
                command += ["--draw", str(mine), scale, scheme]
                subprocess.run(command, env=env, check=True)
    if options.docs:
        for name in DOCS:
            shrink(out / f"{name}.png", ROOT / "docs" / "img" / "desktop" / f"{name}.png")


def prepare(work: Path) -> None:
    """Photos of two patients, and the run of them."""
    drawn = work / "drawn"
    subprocess.run(
        [sys.executable, str(ROOT / "fixtures" / "make.py"), str(drawn)], check=True, stdout=subprocess.DEVNULL
    )
    (work / "site.toml").write_text(SITE)
    photos = work / "made" / "photos"
    for name in ("IMG_20310217_094107.jpg", "DSC_0412.JPG", "bedside/ruler.png", "face/DSC_0413.jpg"):
        if (drawn / name).exists():
            patient = "two" if "/" in name else "one"
            (photos / patient).mkdir(parents=True, exist_ok=True)
            shutil.copy(drawn / name, photos / patient)
    env = {**os.environ, "MEDIMG_SITE": str(work / "site.toml")}
    command = [sys.executable, "-m", "medimg", "clean", str(photos), "-o", str(work / "made" / "out"), "--where", "AU"]
    done = subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (10, 11):
        sys.exit("the photos could not be cleaned")


class Shots:
    """One process: the window at one scale in one scheme."""

    def __init__(self, work: Path, scale: str, scheme: str, out: Path, patience: float) -> None:
        from medimg.consent.site import SiteProfile
        from medimg.desktop import theme
        from medimg.desktop.app import application
        from medimg.desktop.window import Window

        self.photos, (self.run,) = work / "photos", tuple((work / "out").glob("medimg-*"))
        self.tail, self.out, self.patience = f"{scale}-{scheme}", out, patience
        self.app = application()
        theme.apply(self.app, scheme)  # type: ignore[arg-type]
        self.window = Window(site=SiteProfile.installed())
        self.window.resize(*SIZES[scale][1:])
        self.window.show()

    def all(self) -> None:
        """Every page, as a person meets them."""
        try:
            self._all()
        finally:
            self.window.stop()

    def _all(self) -> None:
        window = self.window
        self.shot("start-empty")
        window.start.take([self.photos])
        (self.photos.parent / "share-tonight").mkdir()
        window.start.take_out(self.photos.parent / "share-tonight")
        self.until(lambda: window.start.seen is not None)
        self.wait(3)
        self.shot("start")
        self.progress()
        window.show_page(window.start)
        window.open_run(self.run, [self.photos])
        self.wait(4)
        self.shot("overview")
        session = window.review.session
        assert session is not None
        ids = session.order
        window.review.show_photo(ids[0])
        self.wait(4)
        self.shot("look")
        window.review.look.canvas.peek(True)
        self.shot("look-under")
        window.review.look.canvas.peek(False)
        window.review.look.part.click()
        self.wait(1)
        self.shot("look-part")
        window.review.look.whole.click()
        window.review.show_photo(ids[-1])
        self.wait(4)
        self.shot("look-other")
        window.questions()
        self.shot("acts")
        window.every_question()
        self.shot("checklist")
        self.checklist()
        window._finish()
        self.wait(3)
        self.shot("finish")

    def progress(self) -> None:
        """In the middle of the work."""
        from medimg.engine.loop import Progress
        from medimg.run.opened import open_run

        reports = open_run(self.run).reports
        self.window.progress.begin()
        self.window.show_page(self.window.progress)
        for number, report in enumerate(reports[:2], 1):
            counts = {"pending": len(reports) - number, "running": 0, "done": number, "failed": 0, "held": 0}
            now = Progress(event="photo", run="R7Q4", total=len(reports), counts=counts, seconds=1.0, report=report)  # type: ignore[arg-type]
            self.window.progress.tell(now)
        self.shot("progress")

    def checklist(self) -> None:
        """Answers, a stop, a release."""
        from medimg.run.opened import open_run

        page = self.window.checklist
        assert page.questions is not None
        opened = open_run(self.run)
        waiting = {r.safe_id for r in opened.reports if r.plan is not None and r.plan.undecided()}
        groups = opened.state.run.groups
        row, group = next((n, g) for n, g in enumerate(groups) if not waiting & set(groups[g]))
        page.parts.setCurrentRow(row)

        def choose(item: str, choice: str) -> None:
            card = next(c for c in page.view.cards if c.row.ask.item == item)
            card.answers.chosen.emit(choice)  # type: ignore[union-attr]

        for item in ("other_people", "child", "deceased"):
            choose(item, "no")
        choose("con.basis", "written-consent")
        choose("con.written", "yes")
        page.next_open()
        self.shot("checklist-consent")
        page.parts.setCurrentRow(page.parts.count() - 1)
        self.shot("checklist-shared")
        page.parts.setCurrentRow(row)
        choose("child", "yes")
        choose("intimate", "yes")
        self.shot("stopped")
        choose("child", "no")
        choose("intimate", "no")
        answer_everything(self.run, group)
        self.window.every_question()
        page.questions.role = "registrar"  # kept with the page, not with the run
        page.parts.setCurrentRow(row)
        self.shot("checklist-answered")
        page.release_button.click()
        self.shot("release")
        page.release_view.confirm_button.click()

    def shot(self, name: str) -> None:
        """Keep what is shown."""
        self.wait(0.4)
        if not self.window.grab().save(str(self.out / f"{name}-{self.tail}.png")):
            sys.exit("the picture could not be written")

    def wait(self, seconds: float) -> None:
        """Let the window work."""
        end = time.monotonic() + seconds * self.patience
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.01)

    def until(self, done: Callable[[], bool]) -> None:
        """Let the window work until something is so, a minute at most."""
        end = time.monotonic() + 60
        while not done() and time.monotonic() < end:
            self.wait(0.05)


def answer_everything(run: Path, group: str) -> None:
    """Close every question of a group and of the whole run, as the command line would."""
    from medimg.acts import answering
    from medimg.consent.answers import CLOSING
    from medimg.report import build
    from medimg.run.opened import open_run
    from medimg.run.state import save, with_recipients

    for _ in range(3):
        opened = open_run(run)
        state = opened.state
        for s in build.results(state, opened.reports)[group].standings:
            if s.state in ("open", "failed") and s.question.item.evidence != "auto":
                closing = CLOSING[s.question.item.pass_]
                choice = next(c for c in ("yes", "no", "written-consent", *sorted(closing)) if c in closing)
                state = answering.answered_by(state, s.question.id, s.subjects, choice)
        save(opened.folder, with_recipients(state, group, "the hand surgery group"))


def shrink(source: Path, target: Path) -> None:
    """A picture for the documentation: at most 1100 points wide, 256 colours."""
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(source).convert("RGB")
    if image.width > 1100:
        image = image.resize((1100, round(image.height * 1100 / image.width)), Image.Resampling.LANCZOS)
    # Median cut gives the colours to the large grey areas, and a wound in a small picture becomes brown.
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
