"""What a line of text is: harmless by the word list, identifying by a rule, or unknown.

Names cannot be recognised reliably, least of all those of small cultures; harmless words can. So a line may stay only
when *every* word of it is in ``lexicon/words.txt`` or is a size or unit of measure, and those that are names too stand
in a phrase (:mod:`medimg.detect.text._plain_words`). The rules of ``rules/identifiers.toml``, the check digits and the
list of names only say *what* a text was, and let one strong hit take its whole label with it.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from medimg.detect.objects import product, scales
from medimg.detect.text import _plain_words
from medimg.detect.text._plain_words import words_of
from medimg.detect.text.known import Known, folded
from medimg.detect.text.lexicon import data, lexicon, names
from medimg.vocabulary import KEEPABLE

KEPT: frozenset[str] = frozenset(KEEPABLE)
"""Categories of text that is known to be harmless; the policy says which of them stay. ``possible-name``: a phrase with
a word that can be a name in other company (Brown slough), so a person is asked to look there."""

LEAST_SCORE = 0.6
"""A line read with less is ``unread``, whatever it says: half-read words are no ground to keep anything."""

VITAL_SIGNS = frozenset(
    "hr rr bp nibp ibp abp cvp map spo2 sp02 spoz etco2 ecg ekg pulse resp temp pr bpm mmhg".split()  # noqa: SIM905
)
"""What stands beside the values of a bedside monitor."""

LONGEST = 300
"""Characters of a line that are looked at; a longer one is ``unknown`` beyond them. Bounds the work of patterns."""


_EXPIRY = f"(?i:{product.EXPIRY})"
_BATCH = r"(?:LOT|Lot|BATCH|Batch)(?: [Nn]o)?[.:]? ?(?=[A-Z]*\d)[A-Z\d]{3,10}"
_EXPIRY_PRINT = re.compile(rf"{_BATCH}[ ,;/]{{0,3}}{_EXPIRY}|{_EXPIRY}[ ,;/]{{0,3}}{_BATCH}|(?!Exp\b){_EXPIRY}")


_DATE_FIELD = re.compile(r"(?:Date|DATE|Datum|Data|Fecha) ?: ?[_.]*")
"""A field to be filled in; without its colon it may be a name (Date)."""
_TEMPERATURE = re.compile(r"(?:3[3-9]|4[0-2])[.,]\d ?[.\u00b0\u00ba'o]? ?[Cc]?")
"""Of a body: no day has so high a number. The ring of its unit is read as a full stop."""
_LENGTH = r"(?:\d{1,2} )?(?:[A-Za-z]{1,4}\d? ?)?\d{1,3}[.,]\d{1,2} ?(?:[cm]m[2\u00b2\u00b3]?|ml|mL)"
_CALIPER = re.compile(rf"{_LENGTH}(?:[ ,;]+{_LENGTH}){{0,3}}")
"""What was measured between marks on a scan: ``1 D 3.42 cm``, ``D1 38.2 mm D2 28.0 mm``."""
_DOSES = re.compile(
    r"\d{1,3} ?(?:tab(?:l|let\w*|s)?|comprim\w+|compresse|caps(?:ule\w*|ul\w+)?|gelules|kaps(?:eln?|ulki|ul)?|kapsl\w+"
    r"|amp(?:ou?l\w+|ullen)?|sachets?|sobres|bustine|st(?:uck|uks?|k)?|pcs|pieces|unidades|unites|uds|units|ks|szt\w*|adet)\.?"
)
"""How many tablets or pieces there are in a packet, of folded text."""
_STRENGTH = re.compile(
    r"\d{1,4}(?:[.,]\d+)? ?(?:mc?g|g|iu)? ?/ ?\d{0,4}(?:[.,]\d+)? ?(?:mc?g|mg|ml|g|kg|h)", re.IGNORECASE
)
"""How strong a medicine is."""
_OPENED = re.compile(
    r"(?:[01]?\d|2[0-4]):[0-5]\d(?: ?(?:h|Uhr))? ?(?:[-\u2013\u2014]|to|bis|a|\u00e0|do|tot|til|till) ?"
    r"(?:[01]?\d|2[0-4]):[0-5]\d(?: ?(?:h|Uhr))?"
)
"""From when to when something is open."""
_PRICE = re.compile(
    r"(?:\d{1,2} for )?[\u00a3\u20ac$] ?\d{1,4}(?:[.,]\d\d)?|\d{1,4}[.,]\d\d ?(?:\u20ac|kr|z\u0142|K\u010d)"
)
_DECIMAL = re.compile(r"(\d{1,3})[.,](\d{1,2})")


class Verdict(NamedTuple):
    """``strong``: sure enough to take the whole label with it."""

    category: str
    strong: bool = False


class Rule(NamedTuple):
    """One pattern of ``rules/identifiers.toml``."""

    category: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None
    but_not: re.Pattern[str] | None


def classify(text: str, score: float, known: Known | None = None) -> Verdict:
    """What a line is.

    Args:
        text: As read.
        score: The reader's certainty, 0 to 1.
        known: Values of the person, if the caller gave any.
    """
    line = " ".join(text.split())
    if known is not None and known.matches(line):
        return Verdict("known", strong=True)
    signs = [c for c in line if c.isalnum()]
    if score >= LEAST_SCORE and expiry_print(line):
        return Verdict("harmless")
    if not signs or score < LEAST_SCORE:
        found = identify(line) if score >= 0.4 else None
        return Verdict(found, strong=True) if found else Verdict("unread")
    found = identify(line)
    if found:
        return Verdict(found, strong=True)
    if len(line) > LONGEST:
        return Verdict("unknown")
    return _harmless(line) or _name_like(line) or Verdict("unknown")


def identify(line: str) -> str | None:
    """The category of the first rule that applies, or None."""
    line = line[:LONGEST]
    for variant in dict.fromkeys((line, _digits_mended(line))):
        for rule in _rules():
            found = rule.pattern.search(variant)
            if (
                found
                and (rule.check is None or rule.check(found.group()))
                and not (rule.but_not and rule.but_not.search(variant))
            ):
                return rule.category
    return None


def numeral(line: str) -> float | None:
    """The value of a scale's numeral (0 to 999, a multiple of 50 up to 5000, perhaps with a unit), or None."""
    plain = line.strip().lower()
    if len(plain) <= 3 and any(c.isdigit() for c in plain):
        plain = plain.translate(str.maketrans("oilsz", "01152"))
    found = re.fullmatch(
        r"[^\w]{0,2}(\d{1,3}(?:[.,]\d)?|[1-4]\d[05]0|5000)(?: ?(?:cm|mm|in|inch|ml|\"))?[^\w]{0,2}", plain
    )
    return float(found.group(1).replace(",", ".")) if found else None


def scale_text(line: str) -> bool:
    """Whether a line is nothing but numerals, units and marks of measure, as on a ruler."""
    words = words_of(line)
    return (
        bool(words)
        and not scales.DAY.search(line)
        and all(
            numeral(w) is not None or w in lexicon()["unit"] or re.fullmatch(r"\d{1,40}", w) or w in ("l", "i", "o")
            for w in words
        )
    )


def expiry_print(line: str) -> bool:
    """Whether a line is what a pack says of its batch and its last day, and nothing else: ``LOT 4821A EXP 2027-05``.

    A batch without a last day may be a record number, and a day without ``EXP`` the day of a visit. A last day alone
    is taken for print where it begins with a capital.
    """
    return line[:1].isupper() and _EXPIRY_PRINT.fullmatch(product.plain(line)) is not None


def comb(line: str) -> bool:
    """Whether a reading can be what a row of ticks is misread as: nothing but upright strokes."""
    letters = re.sub(r"[\W_]", "", line.lower())
    return len(letters) >= 4 and not set(letters) - set("mnuilthbdo1j0")


def safe(line: str) -> bool:
    """Whether a line is harmless by the word list, units and numbers included."""
    return _harmless(line) is not None


def harmless(line: str) -> str:
    """The category of a line that is :func:`safe`; empty for any other."""
    verdict = _harmless(line)
    return verdict.category if verdict else ""


def vital_sign(line: str) -> bool:
    """Whether a line names what a bedside monitor measures: ``HR``, ``SpO2 %``."""
    words = words_of(line)
    return bool(words) and any(w in VITAL_SIGNS for w in words) and all(_monitored(w) for w in words)


def vital_value(line: str) -> bool:
    """Whether a line can be a monitor's reading: a number below 1000, or a blood pressure."""
    pressure = re.fullmatch(r"(\d{2,3}) ?/ ?(\d{2,3})(?: ?\(\d{2,3}\))?", line.strip())
    if pressure:
        # A day and a month never get as high as a systolic pressure.
        return 60 <= int(pressure[1]) <= 260 and 30 <= int(pressure[2]) < int(pressure[1])
    return re.fullmatch(r"\d{1,3}(?:[.,]\d)?", line.strip()) is not None


def _measured(line: str) -> bool:
    """Whether a line is a temperature, distance or strength, or a decimal that can be no day and no month."""
    if _TEMPERATURE.fullmatch(line) or _CALIPER.fullmatch(line) or _STRENGTH.fullmatch(line):
        return True
    found = _DECIMAL.fullmatch(line)
    if not found:
        return False
    first, second = int(found[1]), int(found[2])
    day_and_month = min(first, second) <= 12 and max(first, second) <= 31
    return not day_and_month and not (first <= 12 and len(found[2]) == 2)


def _monitored(word: str) -> bool:
    return word in VITAL_SIGNS or word in lexicon()["unit"] or word == "%" or vital_value(word.rstrip("%"))


def _harmless(line: str) -> Verdict | None:
    if vital_sign(line):
        return Verdict("harmless")
    if ("/" in line and vital_value(line)) or _measured(line):
        return Verdict("unit")
    if any(p.fullmatch(line) for p in (_DATE_FIELD, _PRICE, _OPENED)) or _DOSES.fullmatch(folded(line)):
        return Verdict("harmless")
    bare = line.strip(" .:;,()[]*-_/|'\"")
    if bare.upper() in ("L", "R", "LT", "RT", "LEFT", "RIGHT", "LHS", "RHS", "L)", "R)"):
        return Verdict("laterality")
    judged = _plain_words.judged(line)
    return Verdict(judged) if judged else None


def _name_like(line: str) -> Verdict | None:
    words = [w for w in re.findall(r"[^\W\d_]+", line) if len(w) > 1]
    listed = names()
    known_names = sum(folded(w) in listed for w in words)
    if known_names and known_names * 2 >= len(words):
        return Verdict("name", strong=True)
    if re.fullmatch(r"[A-Z][A-Z'\u2019-]{2,}, ?[A-Z][a-z]+(?: [A-Z][a-z]*)*", line):
        return Verdict("name", strong=True)
    compact = re.sub(r"[^\w]", "", line)
    if sum(c.isdigit() for c in compact) >= 6 and re.fullmatch(r"[A-Za-z]{0,4}\d+[A-Za-z]?", compact):
        return Verdict("record-number", strong=True)
    return None


def _digits_mended(line: str) -> str:
    """Letters that look like digits, inside words that are mostly digits, as digits."""

    def mend(found: re.Match[str]) -> str:
        word = found.group()
        if sum(c.isdigit() for c in word) * 2 < len(word):
            return word
        return word.translate(str.maketrans("OoQDIl|SsBZz", "000011155822"))

    return re.sub(r"[\w|]{4,}", mend, line)


@functools.lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    def compiled(text: str | None) -> re.Pattern[str] | None:
        return re.compile(text, re.IGNORECASE) if text else None

    out = []
    for entry in tomllib.loads(data("rules/identifiers.toml"))["rule"]:
        pattern = compiled(entry["pattern"])
        assert pattern is not None  # noqa: S101 - our own data file
        check = CHECKS[entry["check"]] if "check" in entry else None
        out.append(Rule(entry["category"], pattern, check, compiled(entry.get("but_not"))))
    return tuple(out)


def _stdnum(module: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        import importlib

        return bool(importlib.import_module(f"stdnum.{module}").is_valid(re.sub(r"[ .]", "", text)))

    return check


def _nhi(text: str) -> bool:
    """Check character of the New Zealand National Health Index (HISO 10046:2025, both formats)."""
    code = re.sub(r"[ -]", "", text).upper()
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    total = sum((letters.index(c) + 1 if c.isalpha() else int(c)) * (7 - k) for k, c in enumerate(code[:6]))
    if code[5:].isdigit():
        rest = total % 11
        return rest != 0 and (11 - rest) % 10 == int(code[6])
    # The standard's examples were made with modulus 23 at first (ZBN77VL), with 24 later (ZZZ00AX).
    return code[6] in (letters[22 - total % 23], letters[23 - total % 24])


def _medicare(text: str) -> bool:
    """Check digit of an Australian Medicare card: weights 1 3 7 9 1 3 7 9, modulo 10 (METeOR 270101)."""
    d = [int(c) for c in text if c.isdigit()]
    weights: Iterable[int] = (1, 3, 7, 9, 1, 3, 7, 9)
    return len(d) >= 10 and sum(a * b for a, b in zip(d[:8], weights, strict=True)) % 10 == d[8]


CHECKS: dict[str, Callable[[Any], bool]] = {
    "nhs": _stdnum("gb.nhs"),
    "nhi": _nhi,
    "medicare": _medicare,
    "luhn": _stdnum("luhn"),
    "ssn": _stdnum("us.ssn"),
    "bc_phn": _stdnum("ca.bc_phn"),
    "sin": _stdnum("ca.sin"),
    "pps": _stdnum("ie.pps"),
    "aadhaar": _stdnum("in_.aadhaar"),
    "ric": _stdnum("cn.ric"),
    "nir": _stdnum("fr.nir"),
}
"""Check digit routines that a rule may name."""
