"""Docstrings name other things as :class:`~medimg.types.Plan`; the documentation site shows that as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([\w.]+)(?:\(\))?`")


class Roles(griffe.Extension):
    """Rewrites the roles of every docstring before it is rendered."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """The name as code, short where it begins with a tilde."""
        if obj.docstring:
            obj.docstring.value = ROLE.sub(_shown, obj.docstring.value)


def _shown(match: re.Match[str]) -> str:
    short, path = match[1], match[2]
    shown = path.rsplit(".", 1)[-1] if short else path
    return f"`{shown}`"
