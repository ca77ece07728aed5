"""What stands on a monitor, ventilator, pump or scanner as its name: its maker, its family and its model.

The names are common ones on wards, from general knowledge and no list; what is not among them is covered as before.
"""

from __future__ import annotations

import re

_FAMILIES = """
agilia alaris benevision beneview carescope connex corpuls epiq infusomat injectomat intellivue
lifepak logiq lumify mindray nellcor nihon kohden omron oxylog perfusor propaq resmed sonosite
sonoscape spacelabs umec volumat voluson covidien medtronic masimo terumo arcomed
"""
FAMILIES = frozenset(_FAMILIES.split())
"""Made-up words, nobody's name: a patient may be called Dräger, or Leoni Braun."""
_LIKE_NAMES = """
affiniti allyn apollo babylog baxter bbraun beurer braun canon cardiocap carina dash draeger drager dräger
drägerwerk edan esaote evita fresenius fujifilm getinge hamilton healthcare hitachi infinity kabi leoni maquet
medical philips primus radical samsung savina schiller servo siemens space stryker toshiba venue vivid welch
zoll
"""
LIKE_NAMES = frozenset(_LIKE_NAMES.split())
"""Makers and families that are people's names or plain words too: they count beside a model or one of the others."""
MODEL = re.compile(r"[a-z]{2,5}-?\d{1,4}[a-z]{0,2}|[a-z]\d{3,4}|compact|plus|pro|xl")
"""A model beside any of them: one letter and two figures may be somebody's sex and age."""
NUMBER = re.compile(r"[a-z]?\d{1,3}")
"""A model beside one of :data:`FAMILIES`."""


def named(text: str) -> bool:
    """Whether a line is nothing but the name of a device.

    Args:
        text: As read.
    """
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)?", text.casefold())
    family = any(word in FAMILIES for word in words)
    model = any(MODEL.fullmatch(word) for word in words)
    known = [word for word in words if word in FAMILIES or word in LIKE_NAMES]
    rest = [word for word in words if word not in known]
    models = all(MODEL.fullmatch(word) or (family and NUMBER.fullmatch(word)) for word in rest)
    return models and bool(known) and (family or model)
