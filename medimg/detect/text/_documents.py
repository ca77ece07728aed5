"""Pictures of paper: a consent form or an identity document among the photos is held as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from medimg.detect.text.labels import Line
from medimg.detect.text.lines import Quad, around, axis
from medimg.native.opencv import cv2
from medimg.vocabulary import Category

FORM_LINES = 10
"""Least number of lines of a form."""
FORM_SHARE, SIGNS = 0.30, 3
"""Least share of the frame that a form's lines span, and fewest signs of one."""
LESS_SHARE, MORE_SIGNS = 0.15, 5
"""The same for one beside a patient: more signs tell it in less of the frame."""
CARD_SHARE = 0.12

_FORM = re.compile(
    r"\bconsent\b|\bauthori[sz]ation\b|\bi (?:hereby |)(?:agree|consent|understand|authori[sz]e|give)\b|\bsignature\b"
    r"|\bsigned\b|\bwitness\b|photograph|withdraw|\brelease of\b|\bguardian\b|\bdeclaration\b|\bpublication\b"
    r"|\bconfidential|\bparticipant\b|\bterms\b|\bprivacy\b",
    re.IGNORECASE,
)
_CARD = re.compile(
    r"\bpassport\b|driv(?:er'?s|ing) ?licen[cs]e|identity card|\bnational id|carte (?:d'|nationale)|personalausweis"
    r"|residence permit|health (?:insurance )?card|\bmedicare\b|nationality|date of (?:birth|issue|expiry)"
    r"|place of birth|\bsurname\b|given names?|card number|\bexpires?\b|issuing authority",
    re.IGNORECASE,
)
_OF_PRODUCTS = re.compile(r"expir|medicare", re.IGNORECASE)
"""Of these signs, what pharmacies' labels and packets say too: by themselves they tell of no document."""
_MACHINE_READABLE = re.compile(
    r"^[PIACV][A-Z<][A-Z]{3}(?=[A-Z]*<)[A-Z<]{10,}|<<[A-Z<]{6,}|[A-Z0-9]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}"
)
"""Lines of ICAO 9303 travel documents."""


def found(lines: Sequence[Line], width: int, height: int) -> tuple[str, Quad] | None:
    """``consent-form`` or ``identity-document`` and where its lines are; None where there is neither."""
    read = [line for line in lines if line.certainty >= 0.6 and len(line.text) >= 3]
    kind = _kind(read, width, height) if len(read) >= 4 else ""
    return (kind, around([line.spot.quad for line in read], axis(read[0].spot.quad))) if kind else None


def _kind(read: Sequence[Line], width: int, height: int) -> str:
    corners = np.concatenate([line.spot.quad for line in read]).astype(np.float32)
    share = float(cv2.contourArea(cv2.convexHull(corners))) / (width * height)
    if share >= LESS_SHARE and len(read) >= FORM_LINES:
        signs = {m.group().lower() for line in read for m in _FORM.finditer(line.text)}
        if len(signs) >= (SIGNS if share >= FORM_SHARE else MORE_SIGNS):
            return Category.CONSENT_FORM
    if share >= CARD_SHARE:
        if any(_MACHINE_READABLE.search(line.text.replace(" ", "")) for line in read):
            return Category.IDENTITY_DOCUMENT
        signs = {m.group().lower() for line in read for m in [_CARD.search(line.text)] if m}
        personal = any(not _OF_PRODUCTS.search(sign) for sign in signs)
        if len(signs) >= 3 and personal and len(read) <= 40:
            return Category.IDENTITY_DOCUMENT
    return ""
