"""What a profile without settings allows, how deep YAML may go, and what conditions do to the questions."""

from __future__ import annotations

import msgspec
import pytest

from medimg.consent import strict_yaml
from medimg.consent.checklist import checklist
from medimg.consent.site import SiteProfile


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
