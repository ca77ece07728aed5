"""YAML read as plain text, lists and mappings: no tags, no implicit types, no aliases, no doubled keys.

Everything is a string, so that ``pass: no`` or the country ``NO`` never turns into a truth value. Anchors and
aliases are refused (a few hundred bytes of them can stand for gigabytes), as is a key given twice, where other
readers silently keep the last.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 20
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Plain = str | list[Any] | dict[str, Any]


class YamlRefused(ValueError):
    """The text is not the plain YAML that is read here; the message quotes nothing but line numbers."""


def read(data: bytes) -> Plain:
    """Read one YAML document of plain values.

    Raises:
        YamlRefused: Not YAML, too large, nested too deeply, with aliases, tags or a doubled key.
    """
    if len(data) > MAX_BYTES:
        raise YamlRefused("it is too large")
    try:
        text = data.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise YamlRefused(f"line {event.start_mark.line + 1}: aliases are not read here")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise YamlRefused(f"line {event.start_mark.line + 1}: tags are not read here")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise YamlRefused("it is nested too deeply")
        node = yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise YamlRefused("it is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise YamlRefused(f"line {line}: this is not valid YAML") from error
    except yaml.YAMLError as error:
        raise YamlRefused("this is not valid YAML") from error
    if node is None:
        raise YamlRefused("it is empty")
    return _plain(node)


def _plain(node: Any) -> Plain:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child) for child in node.value]
    out: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlRefused(f"line {line}: a key must be a word")
        if key.value in out:
            raise YamlRefused(f"line {key.start_mark.line + 1}: a key appears twice")
        out[str(key.value)] = _plain(value)
    return out
