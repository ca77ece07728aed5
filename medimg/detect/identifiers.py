"""What a line of text is: harmless by the word list, identifying by a rule, or unknown.

Names cannot be recognised reliably, least of all those of small cultures; harmless words can. So a line may stay only
when *every* word of it is in ``lexicon/words.txt`` (its rule stands at its top) or is a size or unit of measure. The
rules of ``rules/identifiers.toml``, the check digits and the list of names only say *what* a text was, and let one
strong hit take its whole label with it.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any, NamedTuple

from medimg.detect._known import Known, folded

KEPT = frozenset({"ruler", "colour-card", "unit", "harmless", "laterality"})
"""Categories of text that may stay; the policy holds the same list."""

LEAST_SCORE = 0.6
"""A line read with less is ``unread``, whatever it says: half-read words are no ground to keep anything."""

VITAL_SIGNS = frozenset(
    "hr rr bp nibp ibp abp cvp map spo2 sp02 spoz etco2 ecg ekg pulse resp temp pr bpm mmhg".split()  # noqa: SIM905
)
"""What stands beside the values of a bedside monitor."""

LEAST_BESIDE = 5
"""Letters of a plain word beside a number of three figures and more: a ward and bed by hand can read ``1623 red``."""
PAIR, LONG_PART = 13, 10
"""Letters of two plain words run together, and of one of them when the other is short."""
LONGEST = 300
"""Characters of a line that are looked at; a longer one is ``unknown`` beyond them. Bounds the work of patterns."""


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
    """The value of a ruler's numeral (0 to 999, perhaps with a unit), or None."""
    plain = line.strip().lower()
    if len(plain) <= 3 and any(c.isdigit() for c in plain):
        plain = plain.translate(str.maketrans("oilsz", "01152"))
    found = re.fullmatch(r"[^\w]{0,2}(\d{1,3}(?:[.,]\d)?)(?: ?(?:cm|mm|in|inch|\"))?[^\w]{0,2}", plain)
    return float(found.group(1).replace(",", ".")) if found else None


def scale_text(line: str) -> bool:
    """Whether a line is nothing but numerals, units and marks of measure, as on a ruler."""
    words = _words(line)
    return bool(words) and all(
        numeral(w) is not None or w in _lexicon()["unit"] or re.fullmatch(r"\d{1,40}", w) or w in ("l", "i", "o")
        for w in words
    )


def comb(line: str) -> bool:
    """Whether a reading can be what a row of ticks is misread as: nothing but upright strokes."""
    letters = re.sub(r"[\W_]", "", line.lower())
    return len(letters) >= 4 and not set(letters) - set("mnuilthbdo1j0")


def safe(line: str) -> bool:
    """Whether a line is harmless by the word list, units and numbers included."""
    return _harmless(line) is not None


def heading(line: str) -> str:
    """The heading of a field that a line is (``Patient:``, ``HR``), folded; empty if it is none."""
    words = _words(line)
    return " ".join(words) if words and all(w in _lexicon()["heading"] or w in VITAL_SIGNS for w in words) else ""


def longest_word(line: str) -> int:
    """Letters of the longest word."""
    return max((len(w) for w in re.findall(r"[^\W\d_]+", line)), default=0)


def vital_sign(line: str) -> bool:
    """Whether a line names what a bedside monitor measures: ``HR``, ``SpO2 %``."""
    words = _words(line)
    return bool(words) and any(w in VITAL_SIGNS for w in words) and all(_monitored(w) for w in words)


def vital_value(line: str) -> bool:
    """Whether a line can be a monitor's reading: a number below 1000, or a blood pressure."""
    pressure = re.fullmatch(r"(\d{2,3}) ?/ ?(\d{2,3})(?: ?\(\d{2,3}\))?", line.strip())
    if pressure:
        # A day and a month never get as high as a systolic pressure.
        return 60 <= int(pressure[1]) <= 260 and 30 <= int(pressure[2]) < int(pressure[1])
    return re.fullmatch(r"\d{1,3}(?:[.,]\d)?", line.strip()) is not None


def _monitored(word: str) -> bool:
    return word in VITAL_SIGNS or word in _lexicon()["unit"] or word == "%" or vital_value(word.rstrip("%"))


def _harmless(line: str) -> Verdict | None:
    if vital_sign(line):
        return Verdict("harmless")
    if "/" in line and vital_value(line):
        return Verdict("unit")
    bare = line.strip(" .:;,()[]*-_/|'\"")
    if bare.upper() in ("L", "R", "LT", "RT", "LEFT", "RIGHT", "LHS", "RHS", "L)", "R)"):
        return Verdict("laterality")
    words = _words(line)
    if not words or _dated(line):
        return None
    lexicon = _lexicon()
    if re.sub(r"[\W_]", "", folded(line)) in lexicon["phrase"]:
        return Verdict("harmless")
    anchors = names = roles = units = digits = 0
    previous_number = False
    for word in (w.removesuffix("'s") for w in words):
        number = re.fullmatch(r"[<>~±+-]?\d{1,4}(?:[.,]\d{1,3})?%?", word)
        if number:
            digits += sum(c.isdigit() for c in word)
            units += word.endswith("%")
            previous_number = True
            continue
        sized = re.fullmatch(r"\d{1,4}(?:[.,]\d{1,3})?([a-zµ°]{1,5})", word)
        size = re.fullmatch(r"\d{1,3}(?:[.,]\d)?(?:x\d{1,3}(?:[.,]\d)?){1,2}([a-z]{0,2})", word)
        if _is_unit(size, sized) or (word in lexicon["unit"] and (len(word) > 1 or previous_number or len(words) > 1)):
            units += 1
        elif word in lexicon["plain"]:
            anchors += len(word) > 2
        elif word in lexicon["role"]:
            roles += 1
        elif word in lexicon["name"] or (word in ("l", "r") and len(words) > 1):
            names += 1
        elif _compound(word) or _nearly(word):
            anchors += 1
        else:
            return None
        previous_number = False
    counted = units or any(len(w) >= LEAST_BESIDE for w in words if w in lexicon["plain"])
    if digits > 6 or (digits > 2 and not counted) or (roles and names):
        return None
    if anchors or (roles and not digits):
        return Verdict("harmless")
    if units and not names and not roles and (digits or units >= len(words) - 1) and re.search(r"\d|cm|mm|inch", line):
        return Verdict("unit")
    return None


def _is_unit(size: re.Match[str] | None, sized: re.Match[str] | None) -> bool:
    units = _lexicon()["unit"]
    return bool((size and (not size.group(1) or size.group(1) in units)) or (sized and sized.group(1) in units))


def _dated(line: str) -> bool:
    """Whether a line holds a year, or figures on both sides of a stroke: a date, however badly it was read."""
    return bool(re.search(r"(?<!\d)(?:19|20)\d{2}(?!\d)|\d\w{0,4} ?[/\\|] ?\w{0,2}\d", line))


def _name_like(line: str) -> Verdict | None:
    words = [w for w in re.findall(r"[^\W\d_]+", line) if len(w) > 1]
    names = _names()
    known_names = sum(folded_word(w) in names for w in words)
    if known_names and known_names * 2 >= len(words):
        return Verdict("name", strong=True)
    if re.fullmatch(r"[A-Z][A-Z'\u2019-]{2,}, ?[A-Z][a-z]+(?: [A-Z][a-z]*)*", line):
        return Verdict("name", strong=True)
    compact = re.sub(r"[^\w]", "", line)
    if sum(c.isdigit() for c in compact) >= 6 and re.fullmatch(r"[A-Za-z]{0,4}\d+[A-Za-z]?", compact):
        return Verdict("record-number", strong=True)
    return None


def folded_word(word: str) -> str:
    """Lower case without accents."""
    return folded(word)


def _words(line: str) -> list[str]:
    plain = folded(line).replace("\u00d7", "x").replace("µ", "u").replace("μ", "u").replace("℃", "c").replace("°", "")
    joined = re.sub(r"(?<=\d) ?x ?(?=\d)", "x", plain)
    return [w.strip(".'") for w in re.findall(r"[<>~±]?[\w.,']*\w%?", joined) if w.strip(".'")]


@functools.lru_cache(maxsize=4096)
def _compound(word: str) -> bool:
    """Whether a word is plain words run together, as the reader writes them when a gap is narrow.

    Names are made of short words too (Longbottom, Freshwater, Weatherspoon): at least three words of three letters and
    more, or two of thirteen letters together, of which the shorter has five and more or the longer ten and more. Each
    of them stands under [plain]. None of 88,799 surnames of the United States' census of 1990 is made so.
    """
    if not 10 <= len(word) <= 60:
        return False
    plain = _lexicon()["plain"]
    most: list[int] = [0] + [-1] * len(word)
    shortest: list[int] = [99] + [0] * len(word)
    for end in range(3, len(word) + 1):
        for start in range(max(0, end - 16), end - 2):
            if most[start] >= 0 and word[start:end] in plain and most[start] + 1 > most[end]:
                most[end] = most[start] + 1
                shortest[end] = min(shortest[start], end - start)
    pair = most[-1] == 2 and len(word) >= PAIR and (shortest[-1] >= 5 or len(word) - shortest[-1] >= LONG_PART)
    return most[-1] >= 3 or pair


@functools.lru_cache(maxsize=4096)
def _nearly(word: str) -> bool:
    """Whether a word is a long plain word with one letter misread, lost or added.

    Of 94,293 surnames and given names of the United States' census of 1990 one is so near to one: Netherland, which
    stands in the list of names.
    """
    if not (LONG_PART - 1 <= len(word) <= 40 and word.isalpha()) or word in _names():
        return False
    return any(
        max(len(word), len(plain)) - len(shorter) <= 1
        for shorter in _shortened(word)
        for plain in _long_words().get(shorter, ())
        if len(plain) != len(word) or sum(a != b for a, b in zip(plain, word, strict=True)) <= 1
    )


def _shortened(word: str) -> set[str]:
    return {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}


@functools.lru_cache(maxsize=1)
def _long_words() -> dict[str, list[str]]:
    """The long plain words by what is left of them without one letter."""
    out: dict[str, list[str]] = {}
    for plain in _lexicon()["plain"]:
        for shorter in _shortened(plain) if len(plain) >= LONG_PART else ():
            out.setdefault(shorter, []).append(plain)
    return out


def _digits_mended(line: str) -> str:
    """Letters that look like digits, inside words that are mostly digits, as digits."""

    def mend(found: re.Match[str]) -> str:
        word = found.group()
        if sum(c.isdigit() for c in word) * 2 < len(word):
            return word
        return word.translate(str.maketrans("OoQDIl|SsBZz", "000011155822"))

    return re.sub(r"[\w|]{4,}", mend, line)


@functools.lru_cache(maxsize=1)
def _lexicon() -> dict[str, frozenset[str]]:
    out: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in _data("lexicon/words.txt").splitlines():
        if line.startswith("["):
            section = out.setdefault(line.strip("[] "), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(words) for name, words in out.items()}


@functools.lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    lines = (line for line in _data("lexicon/names.txt").splitlines() if not line.startswith("#"))
    lexicon = _lexicon()
    return frozenset(w for line in lines for w in line.split()) - lexicon["name"] - lexicon["plain"]


@functools.lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    def compiled(text: str | None) -> re.Pattern[str] | None:
        return re.compile(text, re.IGNORECASE) if text else None

    out = []
    for entry in tomllib.loads(_data("rules/identifiers.toml"))["rule"]:
        pattern = compiled(entry["pattern"])
        assert pattern is not None  # noqa: S101 - our own data file
        check = CHECKS[entry["check"]] if "check" in entry else None
        out.append(Rule(entry["category"], pattern, check, compiled(entry.get("but_not"))))
    return tuple(out)


def _data(name: str) -> str:
    return resources.files("medimg.detect").joinpath(name).read_text("utf-8")


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
