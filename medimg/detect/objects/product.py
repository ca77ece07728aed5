"""What a packet says of its product: which batch it is of, how long it keeps, how large and how sterile it is.

The words are those that stand on packets in English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish,
Norwegian, Danish, Finnish, Polish, Czech, Turkish and Indonesian, without accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from medimg.detect.objects import print_words
from medimg.detect.objects.judge import Find
from medimg.vocabulary import IDENTIFYING, Category

_LOT = r"LOT(?:[EO]|TO)?|BATCH|B\. ?NO|CHARGE(?:N-?B\w*)?|CH\.?-?B\.?|PARTIJ|SARZE|C\. ?S\.|PARTI ?NO|SERIA|BETS"
_REFERENCE = "REF|SN|MFG|GTIN"
_UNTIL_WHEN = (
    r"EXP(?:IRY|IRES|IRACE)?(?: DATE)?|USE BY|BEST BEFORE|(?:VERW(?:ENDBAR|\.)|HALTBAR) BIS|PEREMPTION"
    r"|(?:FECHA DE )?CADUCIDAD|VENCIMIENTO|VALIDADE|SCADENZA|HOUDBAAR TOT|TE GEBRUIKEN TOT|UTGANGSDATUM|ANVAND FORE"
    r"|BRUKES FOR|UTLOPSDATO|ANVENDES INDEN|KAYT\. ?VIIM\.?|TERMIN WAZNOSCI|WAZNY DO|POUZIT(?:ELNE)? DO"
    r"|SON KULLANMA(?: TARIHI)?|KEDALUWARSA"
)
_SHORT_FOR_IT = r"PER\.|CAD\.?|VENC\.?|VAL\.?|SCAD\.?|THT|UTG\.?|UTL\.?|UDL\.?|EXSP\.?|SKT|ED"
"""Too short, or too much like a name, to say so anywhere but on a packet."""
MONTH = r"20\d\d ?[-./] ?(?:0[1-9]|1[0-2])(?:[-./][0-3]\d)?|(?:[0-3]\d[-./])?(?:0[1-9]|1[0-2]) ?[-./ ] ?(?:20)?[2-4]\d"
"""A month, perhaps with its day, as packets write it."""
NAMED_MONTH = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[ -]?20\d\d"

_MONTH = rf"[.:]? ?(?:{MONTH}|{NAMED_MONTH})"
EXPIRY = rf"(?:{_UNTIL_WHEN}){_MONTH}"
"""Until when a product keeps, of :func:`plain` text in any letters."""
_EXPIRY = re.compile(rf"{EXPIRY}|(?:{_SHORT_FOR_IT}){_MONTH}", re.IGNORECASE)
_NUMBER = r"(?:\b|(?=\d))[\s.:#]*(?=[A-Z./ -]{0,6}\d)[A-Z\d./ -]{3,16}\s*$"
"""Of a batch; the reader leaves blanks out at times."""
_BATCH = re.compile(rf"\s*(?:{_LOT}|EXP){_NUMBER}", re.IGNORECASE)
_REF = re.compile(rf"\s*(?:{_REFERENCE}){_NUMBER}", re.IGNORECASE)
_IN_A_ROW = re.compile(
    rf"\b(?:{_LOT}|REF|EXP|SN)\b[\s.:#]*(?=[A-Z]{{0,3}}-?\d)[A-Z\d][A-Z\d.-]{{2,11}}\b|\b(?:{_UNTIL_WHEN}|{_SHORT_FOR_IT}){_MONTH}"
)
"""The same beside other print of a packet."""
_STARTS, _ENDS = r"(?<![^\W\d_])", r"(?![^\W\d_])"
"""No letter stands before a word or behind a unit: else a part of a name would count as one (80-214 Gda\u0144sk)."""
_OTHER = re.compile(
    r"(?<![\d-])\d{1,2}-0(?![\d-])"
    r"|(?<![\d.,])\d{1,3}(?:[ .,]\d{3})? ?(?:IE|IU|UI|ME|mmol|mOsm(?:ol)?|kcal|kJ)"
    r"(?: ?/ ?\d{0,4} ?(?:ml|l|g|kg))?(?!\w)"
    rf"|(?<!\d)\d{{1,2}} ?G(?: ?[x\u00d7] ?\d(?:[ /\d]*\d)?(?: ?\"|\u2033)?|{_ENDS})"
    rf"|{_STARTS}(?:USP|STERILE(?: ?(?:EO|R))?|single use(?: only)?|keep dry|do not re-?use|CE ?\d{{4}}){_ENDS}"
    r"|\d+(?:[.,]\d+)? ?(?:mm|cm|ml|mg|g)?(?: ?[x\u00d7] ?\d+(?:[.,]\d+)? ?(?:mm|cm)?)+"
    rf"|\d+(?:[.,]\d+)? ?(?:mm|cm|ml|mg|g|%){_ENDS}"
    r"|(?:sodium|potassium|calcium|magnesium) ?(?:chloride|(?:hydrogen ?|bi)carbonate|lactate|citrate|sul(?:ph|f)ate)"
    rf"|{_STARTS}(?:glucose|dextrose|saline|water for injections?|solution|tablets?|capsules?|for irrigation|oral use"
    rf"|sterile){_ENDS}"
    r"|\b(?:euro(?: ?cent)?|cents|pence|dollars?)\b"
    r"|(?<![\d./-])20\d\d ?[-./] ?(?:0[1-9]|1[0-2])(?![\d./-])",
    re.IGNORECASE,
)
"""Other print on packets, read in part at times; the month to which a product keeps may stand by itself there."""
_TRADE_MARK = re.compile(r"(?:[^\W\d_]{2,}[ -]?){1,2}(?:[\u00ae\u2122]|(?<=[A-Z])TM)(?: [\w+]{1,12}){0,2}")
_COMPANY = re.compile(
    r"(?:[^\W\d_][\w.'&-]*,? ){1,5}(?:GmbH|Inc|Ltd|LLC|Corp|S\.A\.|S\.L\.|S\.p\.A|S\.r\.l|A\.S|B\.V|N\.V|A/S|ApS|Oyj?"
    r"|PLC|Pty|Sp\. z o\.o|s\.r\.o|Ilac\w*|Pharma\w*|Healthcare|Medical)\.?"
    r"(?: (?:& )?Co\.?(?: KG)?| Ltd\.?| San\w*\.?| ve Tic\w*\.?)*"
)
"""A maker by the form of its company; people's names have none."""
_FIGURE, _COUNT, FIGURES = re.compile(r"\W*\d\W*"), re.compile(r"\W*\d{1,3}\W*"), 2
"""One figure by itself, how many of something there are, and so many of them as are no number with gaps."""
OF_A_PERSON = frozenset((Category.NAME, Category.DATE, Category.HOSPITAL, Category.AGE, Category.KNOWN))
"""What stands on no packet as its maker's address and the numbers of an article do."""
_GTIN = re.compile(r"(?!2)\d{12,14}")
"""A number of an article by its length, but for those of eight, which are as long as many a patient's; those that begin
with 2 are a house's own (GS1 General Specifications, 1.4)."""
LEAST_WORDS, LEAST_LETTERS = 3, 4
"""Words of a part of a sentence, and letters of all but one of them."""
LEAST_SENTENCE = 4
"""Such words of a sentence that stays wherever it stands."""
NAMED = 2
"""So many lines that say of which batch a product is, what or how large, one of them the batch or its last month, stand
on no label of a person; nor do so many of batch, month and number of an article in one line."""


def plain(text: str) -> str:
    """A line without accents."""
    return "".join(
        c for c in unicodedata.normalize("NFKD", text.replace("\u00d8", "O")) if not unicodedata.combining(c)
    )


def of_batch(text: str) -> bool:
    """Whether a line says nothing but which batch this is, or how long it keeps."""
    return bool(_BATCH.match(plain(text)) or _EXPIRY.fullmatch(plain(text).strip()))


def of_product(text: str) -> bool:
    """Whether a line says nothing but what product, of what size and batch, this is."""
    if of_batch(text) or _REF.match(plain(text)):
        return True
    said = _OTHER.search(text) or _IN_A_ROW.search(text)
    return bool(said) and sum(c.isalnum() for c in _rest(text)) <= 2


def _rest(text: str) -> str:
    """What a line says beside batches, months, sizes and doses."""
    return _OTHER.sub(" ", _IN_A_ROW.sub(" ", text))


def prose(text: str) -> bool:
    """Whether a line is part of a sentence: three words and more, all but the first in small letters, and no number.

    A name has capitals, unless everything is in small letters; hence the third word.
    """
    words = [word for word in re.split(r"[\W\d_]+", text) if word]
    small = [word for word in words if word.islower() and len(word) >= LEAST_LETTERS]
    return (
        len(words) >= LEAST_WORDS
        and len(small) >= LEAST_WORDS - 1
        and all(word.islower() for word in words[1:])
        and not re.search(r"\d[\d ./-]{3,}\d", text)
    )


def sentence(text: str, beside: Sequence[Find]) -> bool:
    """Whether a line is part of a sentence of plain words that are nobody's name, where nothing identifies."""
    words = [word for word in re.split(r"[\W\d_]+", text) if len(word) >= LEAST_LETTERS]
    return (
        len(words) >= LEAST_SENTENCE
        and prose(text)
        and print_words.plain(plain(text))
        and not any(map(identifies, beside))
    )


def trade_mark(text: str) -> bool:
    """Whether a line is a name with the sign of a trade mark, and two more words at most."""
    return _TRADE_MARK.fullmatch(text.strip()) is not None


def names_one(texts: Sequence[str]) -> bool:
    """Whether lines that share a ground name a product and its batch."""
    rows = [len({found[:3].upper() for found in _IN_A_ROW.findall(text)}) for text in texts]
    several = any(of_product(text) and row >= NAMED for text, row in zip(texts, rows, strict=True))
    return several or (any(map(of_batch, texts)) and sum(map(of_product, texts)) >= NAMED)


def identifies(find: Find) -> bool:
    """Whether a find says something of a person, by its category, and not of a product."""
    return find.category in IDENTIFYING and not of_product(find.text)


def names_a_person(finds: Sequence[Find]) -> bool:
    """Whether what shares a ground identifies in two ways, one of them no maker's: a chart or a prescription."""
    sorts = {f.category for f in finds if identifies(f)}
    return len(sorts) >= NAMED and bool(sorts & OF_A_PERSON)


def of_article(text: str) -> bool:
    """Whether a line is a number of an article that ends with the right check digit (GTIN-12, -13 and -14)."""
    said = text.replace(" ", "")
    right = sum(int(c) * (3 if n % 2 else 1) for n, c in enumerate(reversed(said)) if c.isdigit()) % 10 == 0
    return right and _like_an_article(text)


def _like_an_article(text: str) -> bool:
    said = text.replace(" ", "")
    return said.isascii() and _GTIN.fullmatch(said) is not None


def _numbers_an_article(find: Find) -> bool:
    """Whether a find may be the number of an article; what a rule took for somebody's own number is none."""
    return find.category == Category.RECORD_NUMBER and _like_an_article(find.text)


def numbers_it(text: str, category: str) -> bool:
    """Whether a line of that category on a packet says nothing but which product or batch it is."""
    return of_product(text) or (category in (Category.RECORD_NUMBER, Category.UNKNOWN) and of_article(text))


def bears_one(finds: Sequence[Find]) -> bool:
    """Whether finds that share a ground name a product and its batch, and nothing of a person."""
    texts = [f.text for f in finds if not f.code]
    person = any(identifies(f) and not _numbers_an_article(f) for f in finds)
    article = any(map(_numbers_an_article, finds)) and any(map(of_batch, texts))
    return not person and (article or names_one(texts))


def prints(text: str, beside: Sequence[Find], *, device: bool = False) -> bool:
    """Whether a line on a packet, a sign or a device is print of it that is no name.

    Args:
        text: What was read.
        beside: Everything that shares its ground.
        device: Whether that is a device which shows what it measures, or a ruler.
    """
    if trade_mark(text) or (prose(text) and bears_one(beside)):
        return True
    sure = device or any(_OTHER.search(f.text) or _IN_A_ROW.search(f.text) for f in beside if not f.code)
    said = plain(text)
    named = print_words.plain(_rest(said), sure=sure) or (sure and _COMPANY.fullmatch(said.strip()) is not None)
    lone = _COUNT if sure else _FIGURE
    figure = lone.fullmatch(text) and sum(bool(lone.fullmatch(f.text)) for f in beside) <= FIGURES
    return (named or bool(figure)) and (not any(map(identifies, beside)) or bears_one(beside))
