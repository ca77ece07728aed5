"""Numbers of settings: from where to where they go."""

from __future__ import annotations

import msgspec

from medimg.words import mark


def within(rules: msgspec.Struct, section: str, **allowed: tuple[float, float]) -> None:
    """Refuse settings that are no number from the first to the second bound: below, above, or not a number at all.

    Raises:
        ValueError: One is; its name and what is allowed are said, never the value.
    """
    for name, (least, most) in allowed.items():
        value = getattr(rules, name)
        if not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(mark(f"`{section}.{name}` is a number from {least:,} to {most:,}"))
