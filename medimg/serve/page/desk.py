"""What stands behind the page: photos that were dropped, the run made of them, and where the person is in it.

The photos lie in a private folder in memory until the server ends or other photos are begun with; those of an earlier
run stay where they are. Copies and answers lie in the run folder, as after every run. One thing is done at a time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import msgspec

from medimg import faults
from medimg.acts import Input, withdrawing
from medimg.acts.sitting import Sitting
from medimg.engine import apply as applying
from medimg.engine import deciding
from medimg.engine.batch import Hooks
from medimg.engine.pool import MEMORY_FULL, Workers
from medimg.engine.worker import Setup
from medimg.errors import Interrupted, MedimgError, TooLarge, UsageError
from medimg.policy import Policy
from medimg.report import refresh
from medimg.run import originals, pictures, scan, share
from medimg.run import state as runs
from medimg.run.folder import RECORD_FOLDER, SHARE_FOLDER
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.serve.page import shown
from medimg.serve.page.cleaning import Cleaning
from medimg.serve.page.stand import Decision, Seen, Stand, Wanted
from medimg.system import files
from medimg.system.scratch import Scratch
from medimg.types import NOTHING_KNOWN, KnownValues
from medimg.words import said, tr

MOST, ROOM, NAME = 200, 2 << 30, 200
"""Photos and bytes that may be dropped, because they lie in memory; bytes of a photo's name (255 on most disks)."""


class Desk:
    """One person's work. Nothing here waits for another thread: who calls sees to that one call runs at a time.

    Args:
        out: Where run folders are made.
        policy: The settings.
        register: Where releases are noted.
        hooks: Who loads the detectors.
        workers: Processes.
        run: A run folder to go on with, in place of photos to be dropped.
        places: Files and folders where the photos of that run lie.
    """

    def __init__(
        self,
        out: Path,
        policy: Policy,
        register: Register,
        hooks: Hooks,
        workers: int | None,
        *,
        run: Path | None = None,
        places: Sequence[Path] = (),
    ) -> None:
        self._out, self._policy, self._register = out, policy, register
        self._hooks, self._workers = hooks, workers
        self._scratch = Scratch()
        self._drawing: Workers | None = None
        self._begin(run, places)

    def close(self) -> None:
        """Remove the dropped photos, and end what draws them."""
        if self._drawing is not None:
            self._drawing.__exit__(None)
        self._scratch.remove()

    def _begin(self, run: Path | None = None, places: Sequence[Path] = ()) -> None:
        self._photos = self._scratch.path / "photos"
        shutil.rmtree(self._photos, ignore_errors=True)
        self._photos.mkdir(mode=0o700)
        self._places = [self._photos, *places]
        self._names: list[str] = []
        self._bytes = 0
        self._cleaning, self._busy = self._new_cleaning(), False
        self._trouble = ""
        self._run = run
        self._found: dict[str, Path] | None = None
        self._sitting: Sitting | None = None
        self._known = NOTHING_KNOWN

    def _new_cleaning(self) -> Cleaning:
        return Cleaning(self._photos, self._out, self._policy, self._hooks, self._workers)

    def again(self) -> None:
        """Begin with other photos; the run that was made stays where it is."""
        self._begin()

    def stop(self) -> None:
        """End the cleaning that goes on, soon."""
        self._cleaning.stop()

    def add(self, name: str, data: bytes) -> int:
        """Take one photo; its own name is kept for as long as it is here, because names stand in names of files.

        Raises:
            UsageError: A run was made of the others already.
            TooLarge: There are too many.
        """
        if self._run is not None or self._busy:
            raise UsageError("these photos are being worked on.", todo="Begin again for others.")
        if len(self._names) >= MOST or self._bytes + len(data) > ROOM:
            raise TooLarge(f"the page takes {MOST} photos, and {ROOM >> 30} GiB of them.", todo="Use 'medimg share'.")
        plain = "".join(c for c in Path(name.replace("\\", "/")).name if c.isprintable())[-120:].lstrip(".") or "photo"
        while len(os.fsencode(plain)) > NAME:
            plain = plain[1:]
        while _one_file(plain) in map(_one_file, self._names):
            plain = f"_{plain}"
        path = self._photos / plain
        try:
            path.write_bytes(data)
        except OSError as error:
            raise UsageError("this photo could not be kept in memory.", todo="Drop fewer at a time.") from error
        path.chmod(0o600)
        self._names.append(plain)
        self._bytes += len(data)
        return len(self._names) - 1

    def starts(self) -> None:
        """Say that the photos are being checked from now on.

        Raises:
            UsageError: There are none, or they are worked on already.
        """
        if self._busy or self._run is not None or not self._names:
            raise UsageError("there are no photos to be checked, or they are being checked.")
        self._cleaning, self._busy, self._trouble = self._new_cleaning(), True, ""

    def clean(self, wanted: Wanted) -> None:
        """Make the run, after :meth:`starts`. What goes wrong is a sentence of :meth:`stand`.

        What is known of the patients stays in memory, for the copies that are made again.
        """
        self._known = KnownValues(names=wanted.names, numbers=wanted.numbers, dates=wanted.dates)
        try:
            self._run = self._cleaning.run(wanted, self._known)
        except Interrupted:
            self._trouble = tr("Stopped.")
        except MedimgError as error:
            self._trouble = f"{said(error.what)} {said(error.todo)}".strip()
        except Exception as error:  # noqa: BLE001 - said in words; the server goes on
            self._trouble = faults.unexpected("something went wrong in medimg itself", error).what
        finally:
            self._busy = False

    def group(self, *, use: bool) -> None:
        """Say whether the suggested patients are right.

        Raises:
            UsageError: Nobody asks.
        """
        self._cleaning.answer(use=use)

    def progress(self) -> Stand:
        """How far the cleaning is; may be asked while it goes on."""
        step = "clean" if self._busy else "drop" if self._run is None else "look"
        bare = Stand(step=step, dropped=len(self._names), trouble=self._trouble)
        return self._cleaning.told(bare, self._names) if self._busy else bare

    def stand(self) -> Stand:
        """Everything the page shows.

        Raises:
            MedimgError: The run folder cannot be read.
        """
        bare = self.progress()
        if self._busy or self._run is None:
            return bare
        opened = open_run(self._run)
        screen = self._sat(opened).screen()
        return msgspec.structs.replace(
            bare,
            run=scan.readable(os.fsencode(self._run)),
            photos=self._seen(opened),
            screen=screen,
            place=screen.place if screen else "",
            told=(*self._sat(opened).troubles,),
            released=tuple(sorted(_released(self._sat(opened).walk.state))),
        )

    def _seen(self, opened: OpenRun) -> tuple[Seen, ...]:
        by_id = {r.safe_id: r for r in opened.reports}
        found = self._at_hand(opened)
        return tuple(
            Seen(
                photo=p,
                before=p.safe_id in found,
                made=made.sha256[:16] if (made := by_id[p.safe_id].copy) else "",
                width=by_id[p.safe_id].width,
                height=by_id[p.safe_id].height,
            )
            for p in deciding.photos(opened)
        )

    def _at_hand(self, opened: OpenRun) -> dict[str, Path]:
        """Where the photos of the run are."""
        if self._found is None:
            self._found = originals.find(opened.reports, self._places)
        return self._found

    def _sat(self, opened: OpenRun) -> Sitting:
        if self._sitting is None:
            self._sitting = Sitting(opened, opened.groups(), self._register, pictures=True)
        return self._sitting

    def _opened(self) -> OpenRun:
        if self._run is None:
            raise UsageError("no photos were checked yet.")
        return open_run(self._run)

    def give(self, act: str, done: Input) -> None:
        """Take what a person did on the screen ``act``; on another one it is not taken.

        Raises:
            UsageError: Another screen is shown by now, or somebody else answered.
            OutputError: It could not be written.
        """
        sitting = self._sat(self._opened())
        shown = sitting.screen()
        if shown is None or shown.act != act:
            raise UsageError("another question is shown by now.", todo="Look again.")
        before = len(sitting.released)
        sitting.give(done)
        if len(sitting.released) > before:
            self._sheets(sitting)

    def decide(self, decision: Decision) -> None:
        """Cover, show or crop, and have the copy made again and checked again.

        Raises:
            MedimgError: It cannot be decided, or the copy could not be made.
        """
        run, photo = self._opened().folder, decision.photo
        match decision.do, decision.box:
            case "cover", None:
                deciding.cover_area(run, photo, decision.area)
            case "cover", (_, _, _, _) as box:
                deciding.cover_box(run, photo, box, self._places)
            case "choose", _:
                deciding.choose(run, photo, decision.area, decision.choice)
            case "show", _:
                deciding.show_area(run, photo, decision.area, decision.why)
            case "crop", box:
                deciding.crop(run, photo, box, self._places)
            case _:
                raise UsageError("this cannot be done with a photo.")
        self._sitting = None
        done = applying.apply(
            run,
            self._places,
            only={photo},
            policy=self._policy,
            known=self._known,
            workers=1,
            make=self._hooks.make,
        )
        for error in done.left.values():
            raise error

    def withdraw(self, group: str) -> tuple[list[str], list[str]]:
        """Note that a patient withdrew, and take the copies out of ``share/``; the note, and the letter.

        Raises:
            MedimgError: Nothing of this patient was released, or it could not be written.
        """
        opened = self._opened()
        if group not in {name.partition("-")[0] for name in _released(opened.state)}:
            raise UsageError("nothing of this patient was released.")
        self._sitting = None
        return withdrawing.withdraw(opened, group, self._register)

    def copy(self, safe_id: str) -> tuple[bytes, str]:
        """A copy as a browser can show it, and its media type.

        Raises:
            UsageError: There is none.
        """
        return shown.copy(self._opened(), safe_id)

    def before(self, safe_id: str) -> bytes:
        """The photo itself, drawn anew by a worker: the browser gets its pixels and nothing else of it.

        Raises:
            MedimgError: It is not at hand, or cannot be drawn.
        """
        path = self._at_hand(self._opened()).get(safe_id)
        if path is None:
            raise UsageError("this photo is not at hand.")
        if self._drawing is None:
            light = msgspec.structs.replace(self._policy, scope="metadata-only")
            self._drawing = Workers(Setup(policy=light, memory=MEMORY_FULL), 1)
        future = self._drawing.submit(
            pictures.before, os.fsencode(path), self._policy.limits, seconds=self._policy.limits.seconds
        )
        self._drawing.wait()
        return self._drawing.result(future)

    def small(self, safe_id: str) -> bytes:
        """A copy in small, as JPEG; may be asked while others are still checked.

        Raises:
            UsageError: There is none, or it cannot be shown.
        """
        return shown.small(shown.path_of(open_run(self._run), safe_id) if self._run else self._cleaning.made(safe_id))

    def squares(self, safe_id: str) -> str:
        """The squares of a copy in which less has to be seen, as :func:`medimg.serve.page.shown.squares` has them.

        Raises:
            UsageError: There is no such copy, or it cannot be drawn here.
        """
        return shown.squares(self.copy(safe_id)[0])

    def released(self, name: str) -> bytes:
        """A released copy, to be kept by the browser.

        Raises:
            UsageError: No copy of this name was released, or what lies there is not it.
        """
        opened = self._opened()
        wanted = share.in_force(opened.state).get(name) if name in _released(opened.state) else None
        if wanted is None:
            raise UsageError("no copy of this name was released.")
        data = shown.held(opened.folder / SHARE_FOLDER / name)
        if hashlib.sha256(data).hexdigest() != wanted:  # what is hashed is what goes out, wherever a link leads
            raise UsageError("this is not the copy that was released.", todo="Look at: medimg status RUN.")
        return data

    def _sheets(self, sitting: Sitting) -> None:
        refresh(sitting.walk.state, sitting.walk.reports, self._opened().folder)

    def record(self) -> bytes:
        """The record sheet, with what is answered by now.

        Raises:
            UsageError: There is none yet.
        """
        opened = self._opened()
        self._sheets(self._sat(opened))
        try:
            return files.read_own(opened.folder / RECORD_FOLDER / "record-sheet.html")
        except OSError as error:
            raise UsageError("there is no record sheet yet.") from error


def _one_file(name: str) -> str:
    """What is the same for two names that are one file on disks that tell neither capitals nor accents apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _released(state: runs.RunState) -> set[str]:
    groups = [g for g in state.run.groups if not state.is_withdrawn(g)]
    return {name for group in groups for name in state.released_names(group)}


__all__ = ["Decision", "Desk", "Seen", "Stand", "Wanted"]
