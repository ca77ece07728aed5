"""What a screen that measures shows of the body: its values, their names in other languages too, and its traces.

The text check keeps what it is sure of (:mod:`medimg.detect.text.monitors`). On a screen that bears the name of what is
measured and a value of it, more can be told: there a few capitals are no initials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from medimg.detect.objects import devices, scales
from medimg.detect.objects.grounds import Points, share_in
from medimg.detect.objects.judge import Find
from medimg.vocabulary import IDENTIFYING, Category

_NAMES = """
abp af apvcmv ar art asb avf avl avr b bipap bolus bpm br c cmh2o co2 cpap cstat cvp debit dia dl dose dosis ecg
ekg etco2 expminvol f fc feco2 fico2 fio2 flow flujo fluss fp fq fr ftotal h hf hr i ibp ic icp ie ii iii kg kpa
kvo l map max mean med mg mgdl min ml mlh mlhr mm mmhg mmol mmoll mms monitor moy mv mve nbp ni nibd nibp nibt
o2 pa pad pam pani pap pas paw pc pcv peep perf pi pic pinsp pip plet pleth plethy pmax pmean pni ppeak pplat pr
prvc ps pso2 pspitze psv pul puls pulse pvc pvi rate resp rpm rr rsb s sao2 simv sp02 spo2 spoz st sys t ta temp
temperatur temperature ti tmp tv v vc vcv ve vi vm vmand vol volume volumen vspont vt vtb vtbi vte vti x x1 x2
zvd mi ti tis tib tic tid dr gn frq freq dyn pwr prf wf thi har zoom depth gain tds eh ce adult adulte adulto ped neo
"""
NAMES = frozenset(_NAMES.split())
"""What monitors, oximeters, ventilators, pumps, scanners and scopes call what they measure, their settings and units,
in English, French, German, Spanish, Italian, Swedish and Dutch; in small letters and figures."""
CUFF = {"SYS", "DIA"}
"""What stands on a meter of blood pressure, whose figures of seven strokes are seldom read (``10m`` is taken for an
age); on a diary of it a name or a day stands as well."""
READING = re.compile(r"(?:HR|PR|RR|(?:NI|A|I)?BP|Sp[O0]2|etCO2|Temp)[ :]*\d|\b\d{2,3} ?(?:bpm|mmHg)\b")
"""A value with its name or unit, in one line."""
READINGS = 2
"""So many of them, or names with their values, on a dark ground are a monitor's; a chart has them on paper. So are a
name and so many values."""
DARK = 90.0
"""Most brightness of such a ground, CIELAB as 8 bits."""
LEAST_NAMES, LARGER = 3, 1.3
"""So many different names and two values are a screen's on any ground, where the largest value is so many times as
high as a name usually is; on a chart they are of one size."""
CLEAR = re.compile(
    r"mmol ?/ ?[lL]|mg ?/ ?d[lL]|mm ?Hg|cm ?H2O|bpm|%? ?Sp[O0]2 ?%?|NIBP|m[lL] ?/ ?hr?|\u00b0 ?C|VTBI|SYS|DIA",
    re.IGNORECASE,
)
"""A unit or name that stands on nothing but what measures, where nobody is named beside it."""
VALUES = re.compile(r"\W*(?:1:\d(?:\.\d)?|\d{1,3}(?:[.,]\d{1,2})?)(?:(?:[\s/]+\(?|\()\d{1,3}(?:[.,]\d{1,2})?\)?)?\W*")
"""One value, or two beside each other; three may be a date, and a time is written with two figures before the colon."""
TIME = re.compile(r"\W*(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?h)?\W*")
"""The time of a day, or how long something takes; no day, and nobody's."""
PROBE = re.compile(r"[CLPSE][A-Z]?\d{1,2}-\d{1,2}[a-z]?")
"""The head of a scanner, by its shape and its frequencies."""
LEAST_LETTERS, WAVE, OF_A_VALUE = 1, 3, 3
"""Fewest letters of a curve that was read, most different ones (a curve repeats itself), and most figures with them."""
SPARSE = 1.3
"""Most letters of such, for each time it is as long as high, where none stands there three times over: as in
:mod:`medimg.detect.text.monitors`."""
ON_A_CURVE = 0.8
"""Least share of a find that lies in curves for it to be a part of them."""
TALL = 1.8
"""Its least height, in that of the names of what is measured."""


def shows_readings(finds: Sequence[Find], light: float) -> bool:
    """Whether finds that share a ground are the readings of a monitor, a ventilator or a pump.

    Args:
        finds: They.
        light: The usual brightness of what is beneath them, CIELAB as 8 bits.
    """
    identified = {f.category for f in finds} & IDENTIFYING
    cuff = {word for f in finds for word in re.findall("[A-Z]+", f.text)} >= CUFF
    if cuff and identified <= {Category.AGE}:
        return True
    if light < DARK and sum(bool(READING.search(f.text)) for f in finds) >= READINGS:
        return True
    names = [f for f in finds if _named(f.text)]
    values = [f.high for f in finds if _valued(f)]
    if light < DARK and _set(names) >= READINGS:
        return True
    if light < DARK and len(values) >= READINGS and (names or _traces(finds)):
        return True
    clear = [f.high for f in finds if CLEAR.fullmatch(f.text.strip())]
    if clear and values and not identified:
        return max(values) >= LARGER * float(np.median(clear))
    if len(values) < READINGS or len({f.text.casefold() for f in names}) < LEAST_NAMES:
        return False
    return max(values) >= LARGER * float(np.median([f.high for f in names]))


def measuring(finds: Sequence[Find]) -> float:
    """The usual height of the names of what is measured on a screen, or half that of its values where only traces tell.

    0 where there is no value, or nothing beside it.

    Args:
        finds: What was found on the screen.
    """
    names = [f for f in finds if f.category != Category.UNREAD and _named(f.text)]
    values = [f for f in finds if f.category != Category.UNREAD and _valued(f)]
    if (values and (names or _traces(finds))) or _set(names) >= READINGS:
        return float(np.median([f.high for f in names])) if names else float(np.median([f.high for f in values])) / 2
    return 0.0


def said(find: Find) -> bool:
    """Whether a find is a value or a name of what is measured, by what was read."""
    return find.category != Category.UNREAD and (_valued(find) or _named(find.text))


def measured(find: Find) -> bool:
    """Whether a find on such a screen was read as a value or a name of what is measured."""
    read = find.category == Category.UNKNOWN and not find.code
    shown = (VALUES, TIME, PROBE)
    return read and (any(p.fullmatch(find.text) for p in shown) or _named(find.text) or devices.named(find.text))


def traced(find: Find, high: float, curves: Sequence[Points] = ()) -> bool:
    """Whether a find on such a screen is a curve that was read as a few letters.

    Args:
        find: It.
        high: As :func:`measuring` says.
        curves: Where curves are for certain: a part of one that was found again needs to be no longer than it is high.
    """
    if find.code or find.category not in (Category.UNKNOWN, Category.UNREAD):
        return False
    letters = [c for c in find.text.casefold() if c.isalpha()]
    long = float(max(np.hypot(*(find.quad[1] - find.quad[0])), np.hypot(*(find.quad[2] - find.quad[1]))))
    repeats = bool(scales.THRICE.search(find.text))
    figures = sum(c.isdigit() for c in find.text)  # a value that a curve runs into is read with it
    few = LEAST_LETTERS <= len(set(letters)) <= WAVE and figures <= OF_A_VALUE * repeats
    sparse = repeats or len(letters) <= SPARSE * long / max(find.high, 1.0)
    again = sum(share_in(find.quad, curve) for curve in curves) >= ON_A_CURVE
    return few and (sparse or again) and find.high >= TALL * high


def curve(text: str) -> bool:
    """Whether a reading is one of a curve: few letters, one of them three times over, as in no word."""
    return scales.THRICE.search(text) is not None and len({c for c in text.casefold() if c.isalpha()}) <= WAVE


def _set(names: Sequence[Find]) -> int:
    """How many names stand with their value, as the settings of a scanner do."""
    return sum(any(map(str.isdigit, f.text)) for f in names)


def _traces(finds: Sequence[Find]) -> bool:
    """Whether one of them is a curve for certain: a letter three times over, as in no word."""
    return any(f.category == Category.UNKNOWN and scales.THRICE.search(f.text) for f in finds)


def _valued(find: Find) -> bool:
    """Whether a find is a value, perhaps with its unit."""
    return bool(VALUES.fullmatch(find.text)) or (find.category == Category.UNIT and any(map(str.isdigit, find.text)))


def _named(text: str) -> bool:
    """Whether every word is a name or a unit of what is measured, perhaps two run together, or a small number."""
    words = re.findall(r"[^\W_]+", text.casefold().replace("|", "l"))
    named = any(_name(word) and len(word) > 1 for word in words)
    return named and all(_name(word) or re.fullmatch(r"\d{1,3}", word) for word in words)


def _name(word: str) -> bool:
    return word in NAMES or any(word[:k] in NAMES and word[k:] in NAMES for k in range(2, len(word)))
