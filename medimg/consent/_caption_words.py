"""Words that may point to one person, or that judge one: the lists of ``caption_words.toml``, as patterns."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from medimg.vocabulary import Category

_NUMBER = r"(?:a|an|one|two|three|four|five|six|seven|eight|nine|ten|few|couple of|\d{1,3})"

#: What has a form instead of a list. Handles and hashtags as the large networks write them; an e-mail address is none.
_FORMS: dict[Category, str] = {
    Category.LINK: r"https?://\S+|\bwww\.\S+",
    Category.HANDLE: r"(?<![\w.@])@\w[\w.]*\w",
    Category.HASHTAG: r"(?<![\w&#])#[^\W\d_]\w*",
    Category.RELATIVE_TIME: rf"\b{_NUMBER} (?:minute|hour|day|night|week)s? ago\b",
    Category.RARE_CASE: rf"\b(?:only|fewer than|less than) {_NUMBER} (?:known |reported |such )?(?:case|patient)s?\b"
    r"|\b(?:1|one) in \d[\d ,]*(?:000|\bthousand\b|\bmillion\b)",
    Category.SOMEBODY_CLOSE: r"\b\w+['\u2019]s (?:wife|husband|partner|son|daughter|mother|father|mum|dad|brother"
    r"|sister|baby|girlfriend|boyfriend|aunt|uncle|cousin|boss)\b",
    Category.OCCUPATION: r"\bretired (?!hurt)[a-z]+\b",
}
#: A place's name that is part of something else: a hospital (found as one), a scale, a stain, an eponym.
_NO_PLACE = (
    r"(?!-)(?!\s+(?:(?:[A-Z][a-z]+ )?(?:Hospital|Clinic|Infirmary|Health|Medical)|[Cc]oma|[Ss]tool|[Ss]cale|[Ss]core"
    r"|[Cc]lassification|[Cc]riteria|[Kk]nee|[Bb]lue|[Dd]isease|[Ss]yndrome|[Ss]taging|[Ss]ystem|[Gg]rade))"
)


@cache
def patterns() -> tuple[tuple[Category, re.Pattern[str]], ...]:
    """Each sort and what finds it, in the order in which they are looked for."""
    lists = tomllib.loads(resources.files("medimg.consent").joinpath("caption_words.toml").read_text("utf-8"))
    forms = [(kind, re.compile(form, re.IGNORECASE)) for kind, form in _FORMS.items()]
    return (*forms, *((Category(kind), _listed(**said)) for kind, said in lists.items()))


def _listed(words: list[str], *, cased: bool = False) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    flags = re.NOFLAG if cased else re.IGNORECASE
    words_of = "|".join(_word(w, cased=cased) for w in longest_first)
    return re.compile(rf"(?<![\w@#])(?:{words_of})s?(?!\w){_NO_PLACE if cased else ''}", flags)


def _word(words: str, *, cased: bool) -> str:
    """A phrase as a pattern; names begin with a capital, or are capitals throughout."""
    if not cased:
        return r"[\s-]+".join(map(_quoted, words.split()))
    forms = (" ".join(map(str.capitalize, words.split())), words.upper())
    return "|".join(r"[\s-]+".join(map(_quoted, form.split())) for form in forms)


def _quoted(word: str) -> str:
    """A word as it stands, with either apostrophe."""
    return re.escape(word).replace("'", "['\u2019]")
