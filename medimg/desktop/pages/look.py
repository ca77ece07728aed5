"""One photo: the picture with its covers, the list of areas, and what can be done about them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from medimg.covers import almost_all_hidden, cover_polygon, hidden_share
from medimg.desktop import edits, theme, wording
from medimg.desktop.box_items import BoxItem, Filled
from medimg.desktop.pages._covers_shown import CoverColour, filled_blocks
from medimg.desktop.pages._look_says import LookSays
from medimg.desktop.pictures import Drawn
from medimg.desktop.session import Session
from medimg.desktop.widgets import button, does_it
from medimg.errors import MedimgError
from medimg.run import choices
from medimg.types import Action, Box, Finding, Plan, Polygon
from medimg.vocabulary import Choice, Kind, Reason


class Look(LookSays):
    """Look at one photo and decide.

    Signals:
        overview: Back to all photos.
        next_photo: All of the photo was seen: on to the next.
        want_places: The person is asked where the originals are.
    """

    overview = Signal()
    next_photo = Signal()
    want_places = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loading = False
        self.colour = CoverColour(self.recolour)
        self._agreed: Plan | None = None
        self._connect()

    def _connect(self) -> None:
        for made, does in (
            (self.to_all, self.overview.emit),
            (self.full, self.canvas.full_size),
            (self.part, self.canvas.next_part),
            (self.whole, self.canvas.fit),
            (self.nearer, partial(self.canvas.zoom_by, 1.5)),
            (self.further, partial(self.canvas.zoom_by, 1 / 1.5)),
            (self.turn, self.canvas.turn),
            (self.cover, partial(self.decide, "cover")),
            (self.show_it, partial(self.decide, "keep")),
            (self.consented, partial(self.choose, Choice.CONSENT)),
            (self.no_writing, partial(self.choose, Choice.NO_WRITING)),
            (self.alone, partial(self.choose, Choice.FACE_ALONE)),
            (self.beside, partial(self.choose, Choice.BESIDE)),
            (self.by_line, self.line_by_line),
            (self.alike, self.cover_alike),
            (self.remove, self.remove_it),
            (self.unread, self.next_unread),
            (self.draw_box, partial(self._use, "box")),
            (self.draw_shape, partial(self._use, "shape")),
            (self.put_box, self.box_by_keyboard),
            (self.crop, partial(self._use, "crop")),
            (self.uncrop, partial(self.crop_to, None)),
            (self.undo, partial(self._step, back=True)),
            (self.redo, partial(self._step, back=False)),
            (self.done, self._done),
        ):
            does_it(made, does)
        self.harmless.toggled.connect(lambda _on: self.refresh())
        self.boxes.picked.connect(self.pick)
        self.boxes.toggled.connect(self.toggle)
        self.boxes.deleted.connect(self._delete)
        self.canvas.picked.connect(self.pick)
        self.canvas.toggled.connect(self.toggle)
        self.canvas.deleted.connect(self._delete)
        self.canvas.drawn.connect(self.add)
        self.canvas.shaped.connect(self.reshape)
        self.canvas.crop_drawn.connect(self.crop_to)
        self.canvas.seen_more.connect(self._say_seen)
        self.canvas.tool_changed.connect(lambda _tool: self._say())

    # -- the photo

    def open_photo(self, session: Session, safe_id: str) -> None:
        """Show a photo."""
        self.session, self.safe_id, self.index = session, safe_id, -1
        session.undo.show(safe_id)
        self.strip.at(safe_id)
        self.compare.setChecked(False)
        self.canvas.use("select")
        self.canvas.clear()
        plan = self.plan
        first = [*edits.open_questions(plan), *edits.unread(plan)] if plan else []
        visible = [n for _, n, _ in edits.areas(plan, session.policy, harmless=False)] if plan else []
        self.index = next((n for n in first if n in visible), visible[0] if visible else -1)
        self.load()
        self.refresh()
        self.boxes.setFocus(Qt.FocusReason.OtherFocusReason)

    def load(self) -> None:
        """Have the picture decoded."""
        if self.session is None:
            return
        self._loading, self._frames = True, 1
        self.colour.begin(self.safe_id)
        self._original = self.session.near(self.safe_id, partial(self._arrived, self.safe_id, self.plan))
        self.banner.put_away()
        if not self._original:
            self._say_not_at_hand(self.want_places.emit)

    def _arrived(self, safe_id: str, plan: Plan | None, drawn: Drawn | MedimgError) -> None:
        if isinstance(drawn, MedimgError):
            if safe_id == self.safe_id:
                self._loading = False
                self.banner.say(wording.fault(drawn))
            return
        if safe_id != self.safe_id:
            Path(drawn.file).unlink(missing_ok=True)
            return
        self._loading, self._frames = False, drawn.frames
        try:
            self.canvas.show_photo(drawn, self.session.seen.get(safe_id) if self.session else None)
        except (OSError, ValueError):  # the worker's folder is gone, or the disk was full
            self.banner.say(self.tr("The picture could not be shown. Go to another photo, then come back."))
            return
        if self.session is not None and self.canvas.seen is not None:
            self.session.seen[safe_id] = self.canvas.seen
        if self.session is not None and drawn.colour is not None and plan is not None:
            self.colour.known(self.session, plan, drawn.colour)
        self.refresh()

    def refresh(self) -> None:
        """Show the plan as it is now."""
        plan, session = self.plan, self.session
        if plan is None or session is None:
            self.boxes.fill([], self.index, middle=[], page=self._page())
            self.canvas.show_boxes([], None, self.index, self._filled())
            self._say()
            return
        if self.index >= len(plan.actions):
            self.index = -1
        areas = edits.areas(plan, session.policy, harmless=self.harmless.isChecked())
        middle = [n for _, n, a in areas if edits.in_the_middle(plan, a, session.policy)]
        self.boxes.fill(areas, self.index, middle=middle, page=self._page())
        if self._original and not self._loading:
            self.colour.want(session, plan)
        # A covered copy shows its covers itself.
        items = self._items(session, areas, middle) if self._original else []
        self.canvas.show_boxes(items, plan.crop, self.index, self._filled())
        self._say()

    # -- the colour of the covers

    def recolour(self) -> None:
        """Show the covers in the colour that is known by now."""
        self.canvas.recolour(self.colour.now(self.session))

    def _filled(self) -> Filled | None:
        """What a JPEG copy really has covered."""
        session = self.session
        blocks = filled_blocks(session, self.safe_id) if session is not None and self._original else None
        if blocks is None:
            return None
        return Filled([self.canvas.upright(p) for p in blocks], self.colour.now(session))

    def _items(self, session: Session, areas: list[tuple[int, int, Action]], middle: Collection[int]) -> list[BoxItem]:
        scale, colour = theme.scale(), self.colour.now(session)
        return [
            BoxItem(
                index,
                number,
                self.canvas.upright(cover_polygon(action.finding, session.policy)),
                action.do,
                faint=edits.harmless(action),
                scale=scale,
                colour=colour,
                warns=index in middle,
            )
            for number, index, action in areas
            if self._here(action)
        ]

    def _here(self, action: Action) -> bool:
        """Whether it lies in the picture that is shown; what is covered in an animation is covered in all of it."""
        region = action.finding.region
        return region is None or not region.frame or (not self._paged() and action.do == "cover")

    # -- what the person does

    def pick(self, index: int) -> None:
        """Choose an area."""
        self.index = index
        self.boxes.pick(index)
        for item in self.canvas.boxes:
            item.pick(item.index == index)
        self._say()

    def toggle(self, index: int) -> None:
        """Cover an area, or show it."""
        plan = self.plan
        if plan is not None:
            self.pick(index)
            self.decide("keep" if plan.actions[index].do == "cover" else "cover")

    def decide(self, do: str) -> None:
        """Cover or show the chosen area."""
        action = self._action()
        plan = self.plan
        if action is None or plan is None or self.session is None:
            return
        if do == "cover":
            after = edits.decided(plan, self.index, "cover", Reason.COVERED)
            words = self.tr("cover")
        else:
            why = Reason.NO_FACE if action.finding.kind == "face" else Reason.SHOWN
            after = edits.decided(plan, self.index, "keep", why)
            words = self.tr("show")
        self._edit(words, after)
        if do == "keep" and action.finding.kind == "face":
            self._offer(action.finding)

    def choose(self, choice: Choice) -> None:
        """Do one of the things that the chosen area offers."""
        plan, session = self.plan, self.session
        if plan is not None and session is not None:
            self._edit(wording.tr(choice.words), choices.taken(plan, self.index, choice, session.policy))

    def line_by_line(self) -> None:
        """From a thing that is covered whole to the covers of its lines, and back."""
        action, plan = self._action(), self.plan
        if action is None or plan is None or action.finding.kind != Kind.OBJECT:
            return
        after = (
            edits.decided(plan, self.index, "keep", Reason.LINE_BY_LINE)
            if action.do == "cover"
            else edits.decided(plan, self.index, "cover", Reason.WHOLE)
        )
        self._edit(self.tr("whole, or line by line"), after)

    def _others(self) -> dict[str, Plan]:
        """The plans of this patient's other photos."""
        session = self.session
        if session is None:
            return {}
        return {i: session.plans[i] for i in session.group(self.safe_id) if i != self.safe_id and i in session.plans}

    def _offer(self, face: Finding) -> None:
        """Ask once whether the same place is no face in the other photos either; nothing happens by itself."""
        plan = self.plan
        number = len(edits.no_face_there(plan, self._others(), face)) if plan is not None else 0
        if number:
            self._ask_there(number, partial(self._show_there, face))

    def _show_there(self, face: Finding) -> None:
        session, plan = self.session, self.plan
        if session is None or plan is None:
            return
        after = edits.no_face_there(plan, self._others(), face)
        self.banner.put_away()
        if after:
            session.edit(self.safe_id, self.tr("show at the same place"), after)

    def cover_alike(self) -> None:
        """Cover everything of this kind, in every photo of this patient."""
        action, session, plan = self._action(), self.session, self.plan
        if action is None or session is None or plan is None:
            return
        plans = {self.safe_id: plan, **self._others()}
        after = {i: edits.alike(p, action.finding, Reason.COVERED_ALIKE) for i, p in plans.items()}
        changed = {i: p for i, p in after.items() if p != plans[i]}
        if changed:
            session.edit(self.safe_id, self.tr("cover all like this"), changed)

    def add(self, polygon: Polygon) -> None:
        """Mark an area that no check found."""
        plan = self.plan
        if plan is not None:
            self._edit(self.tr("mark an area"), edits.drawn(plan, polygon, Reason.MARKED))
            self.pick(len(plan.actions))

    def box_by_keyboard(self) -> None:
        """Mark an area in the middle, to be moved with the arrow keys."""
        if self.canvas.photo is not None and self._original:
            self.add(self.canvas.centre_box())
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def reshape(self, index: int, polygon: Polygon, small: bool) -> None:
        """Move or size an area; small steps by key that follow each other are undone together."""
        plan = self.plan
        if plan is not None and self.session is not None:
            after = edits.reshaped(plan, index, polygon, self.session.policy, Reason.MOVED)
            self._edit(self.tr("move or size"), after, joins=f"{self.safe_id}/{index}" if small else "")

    def crop_to(self, box: Box | None) -> None:
        """Keep only a part of the photo, or all of it."""
        plan = self.plan
        if plan is not None:
            if box is not None:
                box = box.clipped(plan.width, plan.height)
            self._edit(self.tr("crop") if box else self.tr("do not crop"), edits.cropped(plan, box))

    def remove_it(self) -> None:
        """Take away an area that the person had marked."""
        self._delete(self.index)

    def _delete(self, index: int) -> None:
        plan = self.plan
        if plan is None or not 0 <= index < len(plan.actions):
            return
        if plan.actions[index].finding.kind == "drawn":
            self.index = -1
            self._edit(self.tr("take an area away"), edits.removed(plan, index))
        elif plan.actions[index].do == "cover":
            self.toggle(index)

    def next_unread(self) -> None:
        """On to the next region that looks like writing and that nobody could read."""
        plan = self.plan
        if plan is None:
            return
        left = [*edits.open_questions(plan), *edits.unread(plan)]
        left = sorted(n for n in left if plan.actions[n].finding.region is not None)
        if left:
            after = [n for n in left if n > self.index]
            self.pick(after[0] if after else left[0])
            item = next((b for b in self.canvas.boxes if b.index == self.index), None)
            if item is not None:
                self.canvas.ensureVisible(item.polygon().boundingRect())

    def _use(self, tool: str) -> None:
        if self._original:
            self.canvas.use("select" if self.canvas.tool == tool else tool)  # type: ignore[arg-type]
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _step(self, *, back: bool) -> None:
        if self.session is not None:
            stack = self.session.undo
            self._put_offer_away()
            stack.undo() if back else stack.redo()

    def _edit(self, words: str, after: Plan, joins: str = "") -> None:
        if self.session is not None:
            self._put_offer_away()
            self.session.edit(self.safe_id, words, {self.safe_id: after}, joins)

    def _put_offer_away(self) -> None:
        if self._original:  # else it says that the original is not at hand
            self.banner.put_away()

    # -- seen

    def _done(self) -> None:
        plan = self.plan
        if self.session is None or self._left():
            return
        if plan is not None and almost_all_hidden(plan, self.session.policy) and self._agreed != plan:
            self._ask_black(plan)
        else:
            self._looked()

    def _ask_black(self, plan: Plan) -> None:
        """Hardly anything is left to see: that may be a slip, so a person chooses."""

        def agree() -> None:
            self._agreed = plan
            self.banner.put_away()
            self._looked()

        self.banner.say(
            self.tr(
                "Covers hide nearly all of this picture ({} %): there may be nothing left to show. Show the face if the"
                " consent allows it, make a cover smaller, or crop."
            ).format(round(hidden_share(plan, self.session.policy) * 100) if self.session else 0),
            button(self.tr("Go back to the covers"), self.banner.put_away, name="change-covers"),
            button(self.tr("It is meant like this"), agree, name="keep-covered"),
        )

    def _looked(self) -> None:
        if self.session is not None:
            if self.session.report(self.safe_id).copy is not None or self.safe_id in self.session.waiting():
                self.session.look_done(self.safe_id)
            self.next_photo.emit()
