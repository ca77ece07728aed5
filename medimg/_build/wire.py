"""Reading and writing ONNX files field by field, with the standard library alone.

ONNX is a protocol-buffer file; the field numbers that the recipes beside this file use are those of onnx.proto3.
"""

from __future__ import annotations

from collections.abc import Iterator


def varint(value: int) -> bytes:
    """A number, 0 or more."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | str | bytes) -> bytes:
    """A field with a number, a text or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message, in their order.

    Raises:
        ValueError: One is of a kind that the networks do not use.
    """
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            length = number()
            at += length
            yield key >> 3, data[at - length : at]
        else:
            raise ValueError("the weights hold a field of a kind that was not expected")
