"""How the window looks: light and dark, and larger. Every signal is said in words or by form as well as by colour.

Widgets say what they are by the property ``kind``: ``title``, ``heading``, ``beside`` (tools), ``quiet``, ``alert``,
``good``, ``card``, ``primary``, ``danger``, ``drop``. Contrasts are at least 4.5 to 1 for text and 3 to 1 for borders
of controls (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from typing import Literal

import msgspec
from PySide6.QtCore import QObject, QPointF, Qt, QTemporaryDir
from PySide6.QtGui import QColor, QFont, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QApplication

Scheme = Literal["system", "light", "dark"]
POINTS = 11.5
"""Size of the text as shipped."""
SCALES = (1.0, 1.25, 1.5, 2.0)


class Colours(msgspec.Struct, frozen=True):
    """The colours of one scheme, as ``#RRGGBB``."""

    window: str
    base: str
    raised: str
    text: str
    quiet: str
    border: str
    accent: str
    on_accent: str
    alert: str
    alert_ground: str
    good: str


LIGHT = Colours(
    window="#f5f6f7",
    base="#ffffff",
    raised="#e9ecef",
    text="#1b1f23",
    quiet="#4b535b",
    border="#7a838c",
    accent="#0a5a8c",
    on_accent="#ffffff",
    alert="#8f2d00",
    alert_ground="#fff1e6",
    good="#1c6032",
)
DARK = Colours(
    window="#1d2125",
    base="#15181b",
    raised="#2b3137",
    text="#f1f3f5",
    quiet="#b9c1c9",
    border="#87919b",
    accent="#7cc4f5",
    on_accent="#0d1b26",
    alert="#ffb98a",
    alert_ground="#3a2618",
    good="#8fdca8",
)

_STYLE = """
QWidget {{ font-size: {points:.1f}pt; }}
QLabel {{ background: transparent; }}
QLabel[kind="title"] {{ font-size: {title:.1f}pt; font-weight: 600; }}
QLabel[kind="heading"] {{ font-size: {heading:.1f}pt; font-weight: 600; }}
QLabel[kind="beside"] {{ font-size: {heading:.1f}pt; font-weight: 600; min-height: {target}px; padding: 0px {pad}px; }}
QLabel[kind="quiet"] {{ color: {c.quiet}; }}
QLabel[kind="good"] {{ color: {c.good}; font-weight: 600; }}
QLabel[kind="alert"], QFrame[kind="alert"] {{
  color: {c.alert}; background: {c.alert_ground}; border: 2px solid {c.alert}; border-radius: 4px; padding: {pad}px; }}
QFrame[kind="alert"] QLabel {{ color: {c.alert}; }}
QFrame[kind="card"] {{ background: {c.base}; border: 1px solid {c.border}; border-radius: 6px; }}
QFrame[kind="drop"] {{ background: {c.base}; border: 3px dashed {c.border}; border-radius: 10px; }}
QFrame[kind="drop"][over="true"] {{ border: 4px solid {c.accent}; background: {c.raised}; }}
QPushButton {{
  background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; border-radius: 5px;
  padding: {pad}px {wide}px; min-height: {line}px; }}
QPushButton:hover {{ border: 2px solid {c.accent}; padding: {tight}px {wider}px; }}
QPushButton:focus {{ border: 3px solid {c.accent}; padding: {tighter}px {widest}px; }}
QPushButton:pressed, QPushButton:checked {{ background: {c.accent}; color: {c.on_accent}; }}
QPushButton:checked:focus {{ border: 3px double {c.on_accent}; }}
QPushButton:disabled {{ color: {c.quiet}; border: 1px dashed {c.border}; background: {c.window}; }}
QPushButton[kind="primary"] {{ background: {c.accent}; color: {c.on_accent}; font-weight: 600; }}
QPushButton[kind="primary"]:focus {{ border: 3px double {c.on_accent}; }}
QPushButton[kind="primary"]:disabled {{ color: {c.quiet}; background: {c.window}; }}
QPushButton[icon-only="true"] {{ padding: 0px; min-height: 0px; }}
QPushButton[icon-only="true"]:hover, QPushButton[icon-only="true"]:focus {{ padding: 0px; }}
QPushButton::menu-indicator {{ image: none; width: 0px; }}
QMenu {{ background: {c.base}; color: {c.text}; border: 1px solid {c.border}; }}
QMenu::item {{ padding: {pad}px {wide}px; min-height: {line}px; }}
QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QMenu::item:disabled {{ color: {c.quiet}; }}
QSlider {{ min-height: {target}px; }}
QPushButton[kind="danger"] {{ color: {c.alert}; border: 2px solid {c.alert}; font-weight: 600; }}
QLineEdit, QPlainTextEdit {{
  background: {c.base}; color: {c.text}; border: 1px solid {c.border}; border-radius: 4px;
  padding: {tight}px {pad}px; min-height: {line}px; }}
QComboBox {{ min-height: {line}px; background: {c.base}; color: {c.text}; border: 1px solid {c.border};
  border-radius: 4px; padding: {tight}px {pad}px; }}
QComboBox:focus {{ border: 3px solid {c.accent}; padding: {tighter}px {tight}px; }}
QComboBox:disabled {{ color: {c.quiet}; background: {c.window}; }}
QComboBox::drop-down {{ border: none; width: {target}px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: {mark}px; height: {mark}px; }}
QComboBox QAbstractItemView::item {{ min-height: {target}px; }}
QLineEdit:focus, QPlainTextEdit:focus, QListView:focus, QScrollArea:focus, QGraphicsView:focus {{
  border: 3px solid {c.accent}; }}
QListView, QScrollArea, QGraphicsView {{ border: 1px solid {c.border}; border-radius: 4px; background: {c.base}; }}
QScrollArea[kind="plain"] {{ border: none; background: transparent; }}
QScrollArea[kind="plain"] > QWidget#qt_scrollarea_viewport, QWidget[kind="plain"] {{ background: transparent; }}
QListView::item {{ padding: {tight}px; min-height: {line}px; }}
QListView::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QListView::indicator, QCheckBox::indicator {{ width: {mark}px; height: {mark}px; border: 2px solid {c.text};
  border-radius: 3px; background: {c.base}; }}
QListView::indicator:checked, QCheckBox::indicator:checked {{ image: url("{tick}"); }}
QListView::indicator:indeterminate {{ image: url("{doubt}"); }}
QRadioButton::indicator {{ width: {mark}px; height: {mark}px; }}
QCheckBox, QRadioButton {{ min-height: {touch}px; spacing: {pad}px; }}
QProgressBar {{ border: 1px solid {c.border}; border-radius: 5px; background: {c.base}; color: {c.text};
  min-height: {line}px; text-align: center; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 4px; }}
QToolTip {{ background: {c.base}; color: {c.text}; border: 1px solid {c.border}; }}
"""


def colours(app: QApplication, scheme: Scheme = "system") -> Colours:
    """The colours of a scheme; for ``system`` those that fit the computer's setting."""
    if scheme == "system":
        dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if scheme == "dark" else LIGHT


def apply(app: QApplication, scheme: Scheme = "system", scale: float = 1.0) -> None:
    """Give the whole program its looks.

    Args:
        app: The program.
        scheme: Which colours.
        scale: Size of text and targets, 1 as shipped, 2 twice as large; on top of what the system scales.
    """
    c = colours(app, scheme)
    app.setStyle("Fusion")
    app.setPalette(_palette(c))
    font = QFont(app.font())
    font.setPointSizeF(POINTS * scale)
    app.setFont(font)
    pad = round(7 * scale)
    app.setStyleSheet(
        _STYLE.format(
            c=c,
            points=POINTS * scale,
            title=POINTS * scale * 1.55,
            heading=POINTS * scale * 1.18,
            pad=pad,
            tight=pad - 1,
            tighter=pad - 2,
            wide=pad * 2,
            wider=pad * 2 - 1,
            widest=pad * 2 - 2,
            line=round(22 * scale),
            mark=round(18 * scale),
            target=round(34 * scale),
            touch=round(28 * scale),
            tick=_mark(app, c, "✓", scale),
            doubt=_mark(app, c, "?", scale),
            arrow=_mark(app, c, _DOWN, scale),
        )
    )
    app.setProperty("medimg-scheme", scheme)
    app.setProperty("medimg-scale", scale)


_DOWN = "v"
"""Stands for the arrow of a choice: two lines, so that no font has to have it."""


def _mark(app: QApplication, c: Colours, sign: str, scale: float) -> str:
    """A sign, as a file: style sheets take pictures from files alone. They go away with the program."""
    place = app.findChild(_Marks)
    if place is None:
        place = _Marks(app)
    path = f"{place.folder.path()}/{ord(sign)}-{c.text[1:]}-{round(scale * 100)}.png"
    side = round(36 * scale)
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    if sign == _DOWN:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(c.text), side / 10))
        painter.drawPolyline([QPointF(side * x, side * y) for x, y in ((0.25, 0.4), (0.5, 0.65), (0.75, 0.4))])
    else:
        painter.setPen(QColor(c.text))
        font = QFont(app.font())
        font.setBold(True)
        font.setPixelSize(round(side * 0.9))
        painter.setFont(font)
        painter.drawText(made.rect(), Qt.AlignmentFlag.AlignCenter, sign)
    painter.end()
    made.save(path)
    return path


class _Marks(QObject):
    """A folder that goes away with the program."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.folder = QTemporaryDir()


def scale() -> float:
    """The size of text and targets now, 1 as shipped."""
    app = QApplication.instance()
    return float(app.property("medimg-scale") or 1.0) if app is not None else 1.0


def _palette(c: Colours) -> QPalette:
    role = QPalette.ColorRole
    out = QPalette()
    for name, colour in (
        (role.Window, c.window),
        (role.WindowText, c.text),
        (role.Base, c.base),
        (role.AlternateBase, c.raised),
        (role.Text, c.text),
        (role.Button, c.raised),
        (role.ButtonText, c.text),
        (role.ToolTipBase, c.base),
        (role.ToolTipText, c.text),
        (role.PlaceholderText, c.quiet),
        (role.Highlight, c.accent),
        (role.HighlightedText, c.on_accent),
        (role.Link, c.accent),
        (role.Mid, c.border),
    ):
        out.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        out.setColor(QPalette.ColorGroup.Disabled, name, QColor(c.quiet))
    return out
