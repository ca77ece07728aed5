"""What a person knows of the patients beforehand, to be looked for."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QLineEdit

from medimg.types import NOTHING_KNOWN, KnownValues

_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\Z")


class KnownBox(QLineEdit):
    """One line, typed or scanned in: parts with commas between. They are kept in memory alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("known")

    def values(self) -> KnownValues:
        """What stands there: a part without a digit is a name."""
        parts = [p.strip() for p in re.split(r"[,;\n\t]", self.text()) if p.strip()]
        if not parts:
            return NOTHING_KNOWN
        dates = [p for p in parts if _DATE.match(p)]
        numbers = [p for p in parts if p not in dates and any(c.isdigit() for c in p)]
        names = [p for p in parts if p not in dates and p not in numbers]
        return KnownValues(names=tuple(names), numbers=tuple(numbers), dates=tuple(dates))
