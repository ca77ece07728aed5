"""In which order a network's operators run, which decides what of its working memory is needed at one time.

An ONNX file lists its operators so that each stands behind those it takes from. onnxruntime runs, of two that could
both be next, the one that is listed later, so moving one changes when it runs, and nothing that it computes.

ONNX is a protocol-buffer file. The fields needed here (onnx.proto3): ModelProto.graph = 7; GraphProto.node = 1;
NodeProto.output = 2. The records change places and nothing in them, so the file stays as long as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

GRAPH, NODE, OUTPUT = 7, 1, 2
VARINT, BYTES = 0, 2
"""Kinds of fields, the only two in these files."""


def behind(model: bytes, moved: Collection[str], last: str) -> bytes:
    """The same network with some operators listed behind another one.

    Args:
        model: An ONNX file.
        moved: Names of values: the operators that make them are moved, in the order they have.
        last: The value whose operator they are put behind; it stands behind all of them.

    Raises:
        ValueError: The file does not hold these operators in this order.
    """
    graphs = [(begin, end) for field, _, begin, end in _fields(model, 0, len(model)) if field == GRAPH]
    records = {
        model[begin:end].decode(): (start, stop)
        for graph in graphs
        for field, start, inner, stop in _fields(model, *graph)
        if field == NODE
        for part, _, begin, end in _fields(model, inner, stop)
        if part == OUTPUT
    }
    if not {*moved, last} <= records.keys():
        raise ValueError("the network has no operators of these names")
    places = sorted(records[name] for name in moved)
    first, after = places[0][0], records[last][1]
    if places[-1][1] > records[last][0]:
        raise ValueError("the operators stand behind that one already")
    between, at = [], first
    for start, stop in places:
        between.append(model[at:start])
        at = stop
    between.append(model[at:after])
    return b"".join((model[:first], *between, *(model[a:b] for a, b in places), model[after:]))


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number of each field, where its record begins, and where its content begins and ends."""
    while at < end:
        start = at
        key, at = _number(data, at)
        if key & 7 == VARINT:
            begin = at
            _, at = _number(data, at)
        elif key & 7 == BYTES:
            length, begin = _number(data, at)
            at = begin + length
        else:
            raise ValueError("the network holds a field of a kind that was not expected")
        yield key >> 3, start, begin, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
