"""What a person chooses beside the photos: for whom, in which country, how large, and what to look for."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import DEFAULT_AUDIENCE
from medimg.consent.site import SiteProfile
from medimg.desktop.pages._known import KnownBox
from medimg.desktop.widgets import choice_row, label
from medimg.run import remembered
from medimg.run.request import CHAT

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
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
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
        rows.addLayout(choice_row(self.tr("For &whom?"), self.audience))
        rows.addLayout(choice_row(self.tr("Coun&try"), self.country))
        self.alone = QCheckBox(self.tr("Each photo shows a &different patient"))
        self.alone.setObjectName("alone")
        self.alone.setAccessibleName(self.tr("Each photo shows a different patient"))
        self.alone.setAccessibleDescription(self.tr("Otherwise all photos of a folder count as one patient."))
        self.one = label(self.tr("Otherwise all photos of a folder count as one patient."), kind="quiet", name="one")
        rows.addWidget(self.alone)
        rows.addWidget(self.one)
        rows.addLayout(choice_row(self.tr("&Size of the copies"), self._sizes()))
        rows.addLayout(choice_row(self.tr("&Look for"), self._known()))
        rows.addLayout(choice_row(self.tr("&Faces in all"), self._people()))
        if site is not None and site.audiences:
            rows.addWidget(label(self.tr("The choices are set by your organisation."), kind="quiet"))

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
