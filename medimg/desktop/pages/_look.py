"""One photo: the picture with its covers, the list of areas, and what can be done about them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from medimg.desktop import edits, theme, wording
from medimg.desktop.box_items import BoxItem
from medimg.desktop.pages._look_parts import LookParts
from medimg.desktop.pictures import Drawn
from medimg.desktop.session import Session
from medimg.desktop.widgets import button, does_it, rename, restyle
from medimg.errors import MedimgError
from medimg.policy import cover_polygon
from medimg.types import Action, Box, Plan, Polygon


class Look(LookParts):
    """Look at one photo and decide.

    Signals:
        overview: Back to all photos.
        next_photo: The photo was looked at: on to the next.
        want_places: The person is asked where the originals are.
    """

    overview = Signal()
    next_photo = Signal()
    want_places = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.safe_id = ""
        self.index = -1
        self.full_seen = False
        self._original = False
        self._connect()

    def _connect(self) -> None:
        for made, does in (
            (self.to_all, self.overview.emit),
            (self.full, self.canvas.full_size),
            (self.fit, self.canvas.fit),
            (self.nearer, partial(self.canvas.zoom_by, 1.5)),
            (self.further, partial(self.canvas.zoom_by, 1 / 1.5)),
            (self.turn, self.canvas.turn),
            (self.cover, partial(self.decide, "cover")),
            (self.show_it, partial(self.decide, "keep")),
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
        self.harmless.toggled.connect(self._layer)
        self.boxes.picked.connect(self.pick)
        self.boxes.toggled.connect(self.toggle)
        self.boxes.deleted.connect(self._delete)
        self.canvas.picked.connect(self.pick)
        self.canvas.toggled.connect(self.toggle)
        self.canvas.deleted.connect(self._delete)
        self.canvas.drawn.connect(self.add)
        self.canvas.shaped.connect(self.reshape)
        self.canvas.crop_drawn.connect(self.crop_to)
        self.canvas.seen_full.connect(self._saw_full)
        self.canvas.tool_changed.connect(self._tool)

    def _layer(self, _on: bool) -> None:
        self.refresh()

    def _tool(self, _tool: str) -> None:
        self._say()

    # -- the photo

    @property
    def plan(self) -> Plan | None:
        """The plan of the photo as it is edited."""
        return self.session.plans.get(self.safe_id) if self.session else None

    def open_photo(self, session: Session, safe_id: str) -> None:
        """Show a photo."""
        self.session, self.safe_id, self.index, self.full_seen = session, safe_id, -1, False
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
        self._original = self.session.near(self.safe_id, partial(self._arrived, self.safe_id))
        self.banner.put_away()
        if not self._original:
            ask = button(self.tr("Show me where the photos are…"), self.want_places.emit, name="find-originals")
            self.banner.say(
                self.tr(
                    "The original of this photo is not at hand: its name is kept nowhere."
                    " You see the covered copy. To change covers, show where the photos are."
                ),
                ask,
            )

    def _arrived(self, safe_id: str, drawn: Drawn | MedimgError) -> None:
        if isinstance(drawn, MedimgError):
            if safe_id == self.safe_id:
                self.banner.say(wording.fault(drawn))
            return
        if safe_id != self.safe_id:
            Path(drawn.file).unlink(missing_ok=True)
            return
        self.canvas.show_photo(drawn)
        self.refresh()

    def refresh(self) -> None:
        """Show the plan as it is now."""
        plan = self.plan
        if plan is not None and self.index >= len(plan.actions):
            self.index = -1
        areas = (
            edits.areas(plan, self.session.policy, harmless=self.harmless.isChecked()) if plan and self.session else []
        )
        self.boxes.fill(areas, self.index)
        self.canvas.show_boxes(self._items(plan) if plan else [], plan.crop if plan else None, self.index)
        self._say()

    def _items(self, plan: Plan) -> list[BoxItem]:
        session = self.session
        if session is None or not self._original:
            return []  # a covered copy shows its covers itself
        scale = theme.scale()
        return [
            BoxItem(
                index,
                number,
                self.canvas.upright(cover_polygon(action.finding, session.policy)),
                action.do,
                faint=edits.harmless(action),
                scale=scale,
            )
            for number, index, action in edits.areas(plan, session.policy, harmless=self.harmless.isChecked())
        ]

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
            after = edits.decided(plan, self.index, "cover", "a person covers it")
            words = self.tr("cover")
        else:
            why = "not a face" if action.finding.kind == "face" else "a person shows it"
            after = edits.decided(plan, self.index, "keep", why)
            words = self.tr("show")
        self._edit(words, after)

    def cover_alike(self) -> None:
        """Cover everything of this kind, in every photo of this patient."""
        action = self._action()
        session = self.session
        if action is None or session is None:
            return
        plans = {i: session.plans[i] for i in session.group(self.safe_id) if i in session.plans}
        after = {i: edits.alike(p, action.finding, "a person covers all of this kind") for i, p in plans.items()}
        changed = {i: p for i, p in after.items() if p != plans[i]}
        if changed:
            session.edit(self.tr("cover all like this"), changed)

    def add(self, polygon: Polygon) -> None:
        """Mark an area that no check found."""
        plan = self.plan
        if plan is not None:
            self._edit(self.tr("mark an area"), edits.drawn(plan, polygon, "marked by a person"))
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
            after = edits.reshaped(plan, index, polygon, self.session.policy, "moved or sized by a person")
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
            stack.undo() if back else stack.redo()

    def _edit(self, words: str, after: Plan, joins: str = "") -> None:
        if self.session is not None:
            self.session.edit(words, {self.safe_id: after}, joins)

    def _action(self) -> Action | None:
        plan = self.plan
        return plan.actions[self.index] if plan is not None and 0 <= self.index < len(plan.actions) else None

    # -- looked at

    def _saw_full(self) -> None:
        self.full_seen = True
        self._say()

    def _done(self) -> None:
        if self.session is not None and not self._left():
            if self.session.report(self.safe_id).copy is not None or self.safe_id in self.session.waiting():
                self.session.look_done(self.safe_id)
            self.next_photo.emit()

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
        if not self.full_seen:
            left.append(self.tr("see it at full size"))
        return left

    # -- what it says

    def _say(self) -> None:
        session = self.session
        if session is None:
            return
        plan, action = self.plan, self._action()
        place = session.order.index(self.safe_id) + 1
        self.title.setText(self.tr("Photo {} of {}: {}").format(place, len(session.order), self.safe_id))
        hidden = sum(a.finding.count for a in plan.doing("drop")) if plan else 0
        self.hidden.setText(
            wording.counts(
                hidden,
                self.tr("{} piece of hidden information is taken out."),
                self.tr("{} pieces of hidden information are taken out."),
            )
            if hidden
            else ""
        )
        self.hidden.setVisible(bool(hidden))
        self.detail.setText(wording.explained(action) if action else self.tr("Choose an area to see why it is marked."))
        if plan is None:
            self.detail.setText(session.report(self.safe_id).reason)
        self._say_buttons(plan, action)
        self._say_state(plan)

    def _say_buttons(self, plan: Plan | None, action: Action | None) -> None:
        may = self._original and plan is not None
        face = action is not None and action.finding.kind == "face"
        rename(self.show_it, self.tr("Not a face: show it") if face else self.tr("Harmless: show it"))
        self.cover.setEnabled(may and action is not None and (action.do != "cover" or action in self._unread(plan)))
        rename(self.cover, self.tr("Keep it covered") if action and action.do == "cover" else self.tr("Cover it"))
        self.show_it.setEnabled(may and action is not None and action.do != "keep")
        self.alike.setEnabled(may and action is not None and action.finding.kind != "drawn")
        self.remove.setVisible(action is not None and action.finding.kind == "drawn")
        waiting = len(edits.unread(plan)) if plan else 0
        self.unread.setVisible(bool(waiting))
        rename(self.unread, self.tr("Next unread ({})").format(waiting))
        for made in (self.draw_box, self.draw_shape, self.put_box, self.crop):
            made.setEnabled(may and self.canvas.photo is not None)
        for made, tool in ((self.draw_box, "box"), (self.draw_shape, "shape"), (self.crop, "crop")):
            made.setChecked(self.canvas.tool == tool)
        self.uncrop.setVisible(plan is not None and plan.crop is not None)
        stack = self.session.undo if self.session else None
        self.undo.setEnabled(stack is not None and stack.canUndo())
        self.redo.setEnabled(stack is not None and stack.canRedo())
        self.undo.setAccessibleDescription(stack.undoText() if stack else "")
        self.redo.setAccessibleDescription(stack.redoText() if stack else "")

    def _unread(self, plan: Plan | None) -> list[Action]:
        return [plan.actions[n] for n in edits.unread(plan)] if plan else []

    def _say_state(self, plan: Plan | None) -> None:
        session = self.session
        if session is None:
            return
        left = self._left()
        wanted = "" if self.full_seen or plan is None else "primary"
        if self.full.property("kind") != wanted:
            self.full.setProperty("kind", wanted)
            restyle(self.full)
        hints = {
            "box": self.tr("Draw: press, drag, let go. Esc stops."),
            "shape": self.tr("Click corner after corner. Enter closes the shape, Esc stops."),
            "crop": self.tr("Draw round what is to be kept. Esc stops."),
        }
        if self.canvas.tool in hints:
            words = hints[self.canvas.tool]
        elif plan is None:
            words = self.tr("This photo stays out: {}").format(session.report(self.safe_id).reason)
        elif self.safe_id in session.again:
            words = self.tr("While the copy was checked, more was found and covered. Please look again.")
        elif left:
            words = self.tr("Still to do: {}").format("; ".join(left))
        elif self.safe_id in session.waiting():
            words = self.tr("Your changes are saved. The copy is made again when you go on.")
        elif session.report(self.safe_id).copy is None:
            words = self.tr("Kept back: {}").format(session.report(self.safe_id).reason)
        else:
            words = self.tr("Looked at.") if self.safe_id in session.looked else self.tr("Ready.")
        self.state.setText(words)
        self.done.setEnabled(not left)


__all__ = ["Look"]
