"""What a person knows beforehand: names and numbers of the patient to look for, and how many faces there are."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLineEdit, QSpinBox, QVBoxLayout, QWidget

from medimg.desktop.widgets import choice_row
from medimg.types import NOTHING_KNOWN, KnownValues

_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\Z")


class KnownBox(QLineEdit):
    """One line, typed or scanned in: parts with commas between. They are kept in memory alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("known")
        self.setAccessibleName(_tr("Names, numbers and dates of the patient"))
        self.setPlaceholderText(_tr("name, number, birth date: kept nowhere"))

    def values(self) -> KnownValues:
        """What stands there: a part without a digit is a name."""
        parts = [p.strip() for p in re.split(r"[,;\n\t]", self.text()) if p.strip()]
        if not parts:
            return NOTHING_KNOWN
        dates = [p for p in parts if _DATE.match(p)]
        numbers = [p for p in parts if p not in dates and any(c.isdigit() for c in p)]
        names = [p for p in parts if p not in dates and p not in numbers]
        return KnownValues(names=tuple(names), numbers=tuple(numbers), dates=tuple(dates))


def known_rows(known: KnownBox, people: QSpinBox) -> QWidget:
    """Both, with their words."""
    panel = QWidget()
    rows = QVBoxLayout(panel)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.addLayout(choice_row(_tr("&Look for"), known))
    rows.addLayout(choice_row(_tr("&Faces in all"), people))
    return panel


def _tr(text: str) -> str:
    return QCoreApplication.translate("StartPage", text)


__all__ = ["KnownBox", "known_rows"]
