"""What a profile without settings allows, how deep YAML may go, and what conditions do to the questions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from medimg.consent import strict_yaml
from medimg.consent.questions import checklist
from medimg.consent.site import SiteProfile
from medimg.errors import UsageError


def test_an_empty_profile_allows_everything() -> None:
    profile = msgspec.convert({"schema": "medimg.site/1"}, SiteProfile)
    assert profile == SiteProfile(schema="medimg.site/1")
    assert profile.allow_key
    assert (profile.audiences, profile.output_places, profile.items, profile.cards) == ((), (), (), ())


def test_yaml_may_be_as_deep_and_as_long_as_the_limits_and_no_more() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    strict_yaml.read(nested(strict_yaml.MAX_DEPTH))
    with pytest.raises(strict_yaml.YamlRefused, match="nested"):
        strict_yaml.read(nested(strict_yaml.MAX_DEPTH + 1))
    with pytest.raises(strict_yaml.YamlRefused, match="too large"):
        strict_yaml.read(b"a: b #" + b" " * strict_yaml.MAX_BYTES)


def test_a_condition_that_is_said_to_be_false_takes_its_questions_away() -> None:
    every, fewer = (
        {q.id for q in checklist("colleague-opinion", ["AU"], conditions)} for conditions in (None, {"child": "no"})
    )
    assert fewer < every


CARD = """
schema = "medimg.site/1"
[[cards]]
kind = "channel"
reviewed = "2026-10-01"
fields = {{ name = "Trust group" }}
answers = {{ "{item}" = "{choice}" }}
"""


@pytest.mark.parametrize(
    ("item", "choice", "said"),
    [
        ("aud.meant", "yes", ""),
        ("no.such-item", "yes", "does not stand on it"),
        ("con.explicit", "yes", "does not stand on it"),
        ("aud.meant", "not-sure", "not possible"),
        ("aud.meant", "perhaps", "not possible"),
    ],
)
def test_a_card_answers_what_stands_on_it_and_no_more(tmp_path: Path, item: str, choice: str, said: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(CARD.format(item=item, choice=choice))
    if not said:
        assert SiteProfile.load(path).cards[0].answers == {item: choice}
        return
    with pytest.raises(UsageError, match=said):
        SiteProfile.load(path)
