"""What the tests of the window share: run folders, keys, and a walk through everything a screen reader is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget
from sheets_kit import none_true, run_folder

from medimg.acts import answering
from medimg.consent.answers import CLOSING
from medimg.consent.context import SharingContext
from medimg.consent.site import Contacts, SiteProfile
from medimg.report import build
from medimg.run.opened import open_run
from medimg.run.state import save, with_recipients

SITE = SiteProfile(
    schema="medimg.site/1",
    organisation="Example Hospital",
    policy_text="Clinical images: policy CP-12.",
    contacts=Contacts(privacy_officer="extension 100", hospital_management="extension 101"),
    answers={"closed-group": {"pol.employer": "yes"}},
)

_MADE: dict[object, dict[Path, bytes]] = {}


def make_run(
    out: Path, groups: dict[str, int] | None = None, *, said: bool = True, site: SiteProfile | None = SITE
) -> Path:
    """A run folder; with ``said`` every condition is said to be false."""
    groups = groups or {"P01": 2, "P02": 1}
    wanted = (tuple(groups.items()), said, site is None)
    if wanted not in _MADE:
        context = SharingContext(jurisdictions=("AU",), conditions=none_true() if said else {})
        run_folder(out, groups, context=context, site=site)
        _MADE[wanted] = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    for name in ("share", "unreviewed", "hold", "PRIVATE-patient-record"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for path, data in _MADE[wanted].items():
        (out / path).write_bytes(data)
    return out


def answer_all(run: Path, groups: list[str] | None = None) -> None:
    """Close everything that waits for a person, as the command line does."""
    for _ in range(4):
        opened = open_run(run)
        results = build.results(opened.state, opened.reports)
        state = opened.state
        for group in groups or list(results):
            if not state.recipients.get(group):
                state = with_recipients(state, group, "the hand group")
            for s in results[group].standings:
                if s.state in ("open", "failed") and s.question.item.evidence != "auto":
                    closing = CLOSING[s.question.item.pass_]
                    choice = next(c for c in ("yes", "no", "written-consent", *sorted(closing)) if c in closing)
                    state = answering.answered_by(state, s.question.id, s.subjects, choice, role="registrar")
        if state is opened.state:
            return
        save(opened.folder, state)


CONTROLS = {
    QAccessible.Role.Button,
    QAccessible.Role.CheckBox,
    QAccessible.Role.RadioButton,
    QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.List,
    QAccessible.Role.ListItem,
    QAccessible.Role.ProgressBar,
    QAccessible.Role.Slider,
    QAccessible.Role.SpinBox,
    QAccessible.Role.Table,
    QAccessible.Role.Tree,
}


def walk(widget: QWidget) -> Iterator[QAccessibleInterface]:
    """Every node a screen reader finds under a widget."""
    todo = [QAccessible.queryAccessibleInterface(widget)]
    while todo:
        node = todo.pop()
        if node is None or not node.isValid():
            continue
        yield node
        todo += [node.child(n) for n in range(node.childCount())]


def nameless(widget: QWidget) -> list[str]:
    """The controls a screen reader would announce without a name."""
    return [
        f"{node.role().name} {type(node.object()).__name__}"
        for node in walk(widget)
        if node.role() in CONTROLS
        and not node.state().invisible
        and not node.text(QAccessible.Text.Name).strip()
        and not _inner(node)
    ]


def _inner(node: QAccessibleInterface) -> bool:
    """Parts that Qt makes for itself inside a named control, such as the list of a closed combo box."""
    parent = node.parent()
    while parent is not None and parent.isValid():
        if parent.role() in (QAccessible.Role.ComboBox, QAccessible.Role.ScrollBar):
            return True
        parent = parent.parent()
    return node.role() == QAccessible.Role.Button and node.parent().role() == QAccessible.Role.ScrollBar
