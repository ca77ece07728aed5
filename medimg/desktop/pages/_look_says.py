"""What the page for one photo says: of the area that is chosen, and of what is still to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton, QWidget

from medimg.desktop import edits, wording
from medimg.desktop.pages._look_parts import LookParts
from medimg.desktop.session import Session
from medimg.desktop.widgets import button, rename
from medimg.run import choices
from medimg.types import Action, Plan
from medimg.vocabulary import Choice, FormatName, Kind, Reason
from medimg.words import said

KEPT = "frames-kept"
"""The note of a copy that holds every frame, as :mod:`medimg.frames` writes it; that module decodes pictures."""


class LookSays(LookParts):
    """The words, and which buttons can be used; what they do stands in :mod:`medimg.desktop.pages.look`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.safe_id = ""
        self.index = -1
        self._original = False
        self._frames = 1

    @property
    def plan(self) -> Plan | None:
        """The plan of the photo as it is edited."""
        return self.session.plans.get(self.safe_id) if self.session else None

    def _action(self) -> Action | None:
        plan = self.plan
        return plan.actions[self.index] if plan is not None and 0 <= self.index < len(plan.actions) else None

    # -- further pages and frames

    def _paged(self) -> bool:
        """Whether the further frames of the file are pages, each a picture of its own."""
        return self.session is not None and self.session.report(self.safe_id).format == FormatName.TIFF

    def _page(self) -> str:
        return self.tr("page {}") if self._paged() else self.tr("frame {}")

    def _say_frames(self, plan: Plan | None) -> str:
        """What becomes of the pages or frames that are not shown; empty for a single picture."""
        if self.session is None:
            return ""
        made = self.session.report(self.safe_id).copy
        notes = made.notes if made else ()
        elsewhere = plan is not None and any(
            a.finding.region is not None and a.finding.region.frame for a in plan.actions
        )
        if KEPT in notes or elsewhere:
            return (
                self.tr(
                    "This file has further pages. They are in the copy, each checked and covered by itself, and are"
                    " not shown here: look at them in the copy before you share it."
                )
                if self._paged()
                else self.tr(
                    "This file has further frames. They are in the copy, with the same places covered, and are not"
                    " shown here: look at them in the copy before you share it."
                )
            )
        if "frames-dropped" in notes or self._frames > 1:
            return self.tr("This file has further pages or frames. They are left out of the copy.")
        return ""

    # -- what is left to do

    def _left(self) -> list[str]:
        """What keeps this photo from counting as looked at."""
        plan = self.plan
        if plan is None:
            return []
        left = []
        questions = edits.open_questions(plan)
        if questions:
            left.append(
                wording.counts(len(questions), self.tr("decide about {} thing"), self.tr("decide about {} things"))
            )
        seen = self.canvas.seen
        if seen is None and not self._noted():
            left.append(self.tr("wait until the photo is shown"))
        elif seen is not None and seen.left() and not self._noted():
            share = min(99, int(seen.share() * 100))
            left.append(self.tr("see all of it at full size ({} % seen; the key N shows the next part)").format(share))
        return left

    def _noted(self) -> bool:
        """Whether it was looked at, now or in earlier work, and nothing was changed since."""
        return self.session is not None and self.safe_id in self.session.looked

    # -- what it says and asks above the photo

    def _say_not_at_hand(self, find: Callable[[], object]) -> None:
        self.banner.say(
            self.tr(
                "The original of this photo is not at hand: its name is kept nowhere."
                " You see the covered copy. To change covers, show where the photos are."
            ),
            button(self.tr("Show me where the photos are…"), find, name="find-originals"),
        )

    def _ask_there(self, number: int, show: Callable[[], object]) -> None:
        asked = wording.counts(
            number,
            self.tr("{} other photo of this patient has a face marked at the same place. Is that no face either?"),
            self.tr("{} other photos of this patient have a face marked at the same place. Are those no faces either?"),
        )
        self.banner.say(
            asked,
            button(self.tr("No face there either: show"), show, name="show-there"),
            button(self.tr("Leave the others"), self.banner.put_away, name="leave-there"),
        )

    # -- what it says

    def _say(self) -> None:
        session = self.session
        if session is None:
            return
        plan, action = self.plan, self._action()
        place = session.order.index(self.safe_id) + 1
        self.title.setText(self.tr("Photo {} of {}: {}").format(place, len(session.order), self.safe_id))
        gone = plan.doing("drop") if plan else ()
        hidden = sum(a.finding.count for a in gone if a.finding.kind != Kind.FILENAME)  # that is of the copy's name
        self.hidden.setText(
            wording.counts(
                hidden,
                self.tr("{} hidden data item is removed."),
                self.tr("{} hidden data items are removed."),
            )
            if hidden
            else ""
        )
        self.hidden.setVisible(bool(hidden))
        self.frames.setText(self._say_frames(plan))
        self.frames.setVisible(bool(self.frames.text()))
        shown = wording.explained(action) if action else self.tr("Choose an area to see why it is marked.")
        if action is not None and plan is not None and edits.in_the_middle(plan, action, session.policy):
            shown += " " + self.tr(
                "This cover touches the middle of the picture. If it hides what the picture is for, crop instead."
            )
        self.detail.setText(shown)
        if plan is None:
            self.detail.setText(said(session.report(self.safe_id).reason))
        self._say_buttons(plan, action)
        self._say_state(plan)

    def _say_buttons(self, plan: Plan | None, action: Action | None) -> None:
        may = self._original and plan is not None
        face = action is not None and action.finding.kind == "face"
        rename(self.show_it, self.tr("Not a face: show it") if face else self.tr("Harmless: show it"))
        self.cover.setEnabled(may and action is not None and (action.do != "cover" or action in self._unread(plan)))
        rename(self.cover, self.tr("Keep it covered") if action and action.do == "cover" else self.tr("Cover it"))
        shown = action is not None and action.do == "keep"
        consented = shown and action is not None and action.why == Reason.FACE_SHOWN
        # Who took the one for the other can say so at once.
        self.show_it.setEnabled(may and action is not None and (not shown or consented))
        self._say_own(action, may=may)
        has = self._choices(plan, action) if may else ()
        for made, choice in ((self.alone, Choice.FACE_ALONE), (self.beside, Choice.BESIDE)):
            made.setVisible(choice in has)
            made.setEnabled(choice in has)
        self.consented.setEnabled(may and face and not consented)
        self.alike.setEnabled(may and action is not None and action.finding.kind != "drawn")
        self.last.offer(self.remove if action is not None and action.finding.kind == "drawn" else self.alike)
        waiting = len(edits.unread(plan)) if plan else 0
        self.unread.setEnabled(bool(waiting))
        rename(self.unread, self.tr("Next unread ({})").format(waiting))
        self.compare.setEnabled(may and self.canvas.photo is not None)
        for made in (self.draw_box, self.draw_shape, self.put_box, self.crop):
            made.setEnabled(may and self.canvas.photo is not None)
        for made, tool in ((self.draw_box, "box"), (self.draw_shape, "shape"), (self.crop, "crop")):
            made.setChecked(self.canvas.tool == tool)
        self.uncrop.setEnabled(plan is not None and plan.crop is not None)
        stack = self.session.undo if self.session else None
        self.undo.setEnabled(stack is not None and stack.canUndo())
        self.redo.setEnabled(stack is not None and stack.canRedo())
        self.undo.setAccessibleDescription(stack.undoText() if stack else "")
        self.redo.setAccessibleDescription(stack.redoText() if stack else "")

    def _say_own(self, action: Action | None, *, may: bool) -> None:
        """The button that only a face, writing, or a thing with writing on it has."""
        kind: str = action.finding.kind if action is not None else ""
        own: dict[str, QPushButton] = {
            Kind.FACE: self.consented,
            Kind.TEXT: self.no_writing,
            Kind.CODE: self.no_writing,
            Kind.OBJECT: self.by_line,
        }
        self.own.offer(own.get(kind))
        self.no_writing.setEnabled(may and action is not None and action.why != Reason.NO_WRITING)
        self.by_line.setEnabled(may and kind == Kind.OBJECT)
        whole = action is not None and action.do == "cover"
        rename(self.by_line, self.tr("Cover line by line") if whole else self.tr("Cover the whole of it"))

    def _choices(self, plan: Plan | None, action: Action | None) -> tuple[Choice, ...]:
        if self.session is None or plan is None or action is None:
            return ()
        return choices.of(plan, action, self.session.policy)

    def _unread(self, plan: Plan | None) -> list[Action]:
        return [plan.actions[n] for n in edits.unread(plan)] if plan else []

    def _say_seen(self) -> None:
        self._say_state(self.plan)

    def _say_state(self, plan: Plan | None) -> None:
        session = self.session
        if session is None:
            return
        left = self._left()
        waits = self.canvas.seen is not None and self.canvas.seen.left() > 0 and plan is not None
        self.part.setEnabled(waits)
        self.map.refresh()
        hints = {
            "box": self.tr("Draw: press, drag, let go. Esc stops."),
            "shape": self.tr("Click corner after corner. Enter closes the shape, Esc stops."),
            "crop": self.tr("Draw round what is to be kept. Esc stops."),
        }
        if self.canvas.tool in hints:
            words = hints[self.canvas.tool]
        elif plan is None:
            words = self.tr("This photo stays out: {}").format(said(session.report(self.safe_id).reason))
        elif self.safe_id in session.again:
            words = self.tr("While the copy was checked, more was found and covered. Please look again.")
        elif left:
            words = self.tr("Still to do: {}").format("; ".join(left))
        elif self.safe_id in session.waiting():
            words = self.tr("Your changes are saved. The copy is made again when you go on.")
        elif session.report(self.safe_id).copy is None:
            words = self.tr("Held: {}").format(said(session.report(self.safe_id).reason))
        elif session.opened.state.run.scope == "metadata-only":
            words = self.tr("The picture was not looked at by any check: only hidden information was taken out.")
        else:
            words = self.tr("You have looked at all of it.") if self.safe_id in session.looked else self.tr("Ready.")
        self.state.setText(words)
        self.done.setEnabled(not left)
