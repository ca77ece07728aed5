"""What a person chooses beside the photos: for whom, in which country, how large, and what to look for."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import DEFAULT_AUDIENCE
from medimg.consent.site import SiteProfile
from medimg.desktop.pages._known import KnownBox
from medimg.desktop.widgets import label, named
from medimg.run import remembered
from medimg.run.request import CHAT

_LETTERS = 100
"""Two choices stand side by side where this many letters fit."""
MOST_FACES = 50
"""The most that can be said; who shares more faces counts them copy by copy."""
_ORDER = (DEFAULT_AUDIENCE, "colleague-opinion", "teaching", "publication", "public")


class Choices(QWidget):
    """The choices of one run, as widgets.

    Args:
        site: The organisation's profile, which may take audiences away.
    """

    def __init__(self, site: SiteProfile | None) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        definition = ChecklistDefinition.load()
        self.audience = QComboBox()
        self.audience.setObjectName("audience")
        allowed = [a for a in _ORDER if site is None or not site.audiences or a in site.audiences]
        words = {
            "closed-group": self.tr("A closed group of professionals (members only)"),
            "colleague-opinion": self.tr("One or a few named colleagues, for advice"),
            "teaching": self.tr("Teaching"),
            "publication": self.tr("A journal, book or poster"),
            "public": self.tr("Everybody: web, social media, press"),
        }
        for key in [*allowed, *(a for a in definition.audiences if a not in _ORDER)]:
            self.audience.addItem(words.get(key, definition.audiences.get(key, key)), key)
        self.country = QComboBox()
        self.country.setObjectName("country")
        self.country.addItem(self.tr("Not sure: ask for all countries"), "")
        for key, name in definition.jurisdictions.items():
            self.country.addItem(name.partition(" (")[0], key)
        last = remembered.load()
        for box, key in ((self.audience, last.audience), (self.country, last.country)):
            if key and box.findData(key) >= 0:  # an organisation may have taken it away
                box.setCurrentIndex(box.findData(key))
        self._pairs: list[tuple[QLabel | None, QWidget]] = [
            (named(text, box), box)
            for text, box in (
                (self.tr("For &whom?"), self.audience),
                (self.tr("Coun&try"), self.country),
                (self.tr("&Size of the copies"), self._sizes()),
                (self.tr("&Faces in all"), self._people()),
                (self.tr("&Look for"), self._known()),
            )
        ]
        self._pairs.append((None, self._alone()))
        if site is not None and site.audiences:
            self._pairs.append((None, label(self.tr("The choices are set by your organisation."), kind="quiet")))
        self._lay(1)

    def _alone(self) -> QWidget:
        self.alone = QCheckBox(self.tr("Each photo shows a &different patient"))
        self.alone.setObjectName("alone")
        self.alone.setAccessibleName(self.tr("Each photo shows a different patient"))
        self.alone.setAccessibleDescription(self.tr("Otherwise all photos of a folder count as one patient."))
        self.one = label(self.tr("Otherwise all photos of a folder count as one patient."), kind="quiet", name="one")
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.alone)
        column.addWidget(self.one)
        return whole

    def _lay(self, beside: int) -> None:
        """Put the choices into their places, so many beside each other."""
        self._beside = beside
        for number, (name, box) in enumerate(self._pairs):
            row, column = number // beside, number % beside * 2
            if name is not None:
                self._grid.addWidget(name, row, column)
                self._grid.addWidget(box, row, column + 1)
            else:
                self._grid.addWidget(box, row, column, 1, 2)
        for column in range(4):
            self._grid.setColumnStretch(column, 1 if column % 2 and column < 2 * beside else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Two beside each other where there is room."""
        super().resizeEvent(event)
        beside = 2 if self.width() >= self.fontMetrics().averageCharWidth() * _LETTERS else 1
        if beside != self._beside:
            self._lay(beside)

    def _sizes(self) -> QComboBox:
        self.copies = QComboBox()
        self.copies.setObjectName("size")
        self.copies.addItem(self.tr("As the photos, exact"), ("", 0))
        self.copies.addItem(self.tr("As the photos; from iPhones as JPEG"), ("jpeg", 0))
        self.copies.addItem(self.tr("For a chat: JPEG, at most {} pixels").format(CHAT), ("jpeg", CHAT))
        return self.copies

    def _known(self) -> KnownBox:
        self.known = KnownBox()
        self.known.setAccessibleName(self.tr("Names, numbers and dates of the patient"))
        self.known.setPlaceholderText(self.tr("name, number, birth date: kept nowhere"))
        return self.known

    def _people(self) -> QComboBox:
        self.people = QComboBox()
        self.people.setObjectName("people")
        self.people.addItems([self.tr("not said"), *map(str, range(1, MOST_FACES + 1))])
        self.people.setAccessibleName(self.tr("How many faces show in all photos together"))
        return self.people

    def remember(self) -> tuple[str, str]:
        """The audience and the country, kept for the next time."""
        audience, country = self.audience.currentData(), self.country.currentData()
        remembered.save(remembered.Choices(audience=audience, country=country))
        return audience, country

    def forget(self) -> None:
        """What was typed of these patients goes."""
        self.known.clear()
        self.people.setCurrentIndex(0)
