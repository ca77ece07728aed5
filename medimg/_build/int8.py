"""The text finder with whole numbers of eight bits in place of floats, for processors that add such products exactly.

Weights are rounded here, channel by channel; how the values between layers are rounded stands in ``int8_ranges.json``,
which ``benchmarks/finder_int8.py`` took from pictures. Layers without an entry there stay in floats. Only the standard
library is needed; the file made is the same everywhere and is compared with the digest in ``models.toml``.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .wire import field, fields

# Field numbers of onnx.proto3: ModelProto.ir_version = 1, .graph = 7, .opset_import = 8 (OperatorSetId.domain = 1,
# .version = 2); GraphProto.node = 1, .initializer = 5, .output = 12, .value_info = 13; NodeProto.input = 1, .output = 2,
# .op_type = 4, .attribute = 5, .domain = 7; AttributeProto.name = 1, .i = 3, .type = 20 (INT 2); TensorProto.dims = 1,
# .data_type = 2 (FLOAT 1, UINT8 2, INT8 3, INT32 6), .name = 8, .raw_data = 9; ValueInfoProto.name = 1.

OPERATORS, CONTRIBUTED = 13, "com.microsoft"
"""The version of ONNX's operators that is the first with weights rounded by channel, and where ``Gelu`` is defined."""
LARGEST = 127
Ranges = Mapping[str, Sequence[float]]
"""Of the values between layers: what one step is worth, and which of 0 to 255 stands for 0."""


@dataclass
class Node:
    """An operator."""

    op: str
    inputs: list[str]
    outputs: list[str]
    rest: bytes = b""

    def encoded(self) -> bytes:
        """As a field of a graph."""
        names = b"".join(field(1, i) for i in self.inputs) + b"".join(field(2, o) for o in self.outputs)
        return field(1, names + field(4, self.op) + self.rest)


@dataclass
class Tensor:
    """Weights."""

    shape: list[int]
    raw: bytes
    kind: int = 1

    def encoded(self, name: str) -> bytes:
        """As a field of a graph."""
        dims = b"".join(field(1, d) for d in self.shape)
        return field(5, dims + field(2, self.kind) + field(8, name) + field(9, self.raw))

    def floats(self) -> tuple[float, ...]:
        """The weights of a float tensor."""
        return struct.unpack(f"<{len(self.raw) // 4}f", self.raw)


class Graph:
    """A network, made plainer: no idle operators, what is added to a convolution is its own, ``Gelu`` is one operator.

    Args:
        model: The ONNX file.

    Raises:
        ValueError: It is not built as expected.
    """

    def __init__(self, model: bytes) -> None:
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self._ends = b""
        self._version = next(value for number, value in fields(model) if number == 1)
        graph = next(value for number, value in fields(model) if number == 7)
        if not isinstance(graph, bytes):
            raise ValueError("the weights hold no network")
        for number, value in fields(graph):
            if number == 1 and isinstance(value, bytes):
                self.nodes.append(_node(value))
            elif number == 5 and isinstance(value, bytes):
                name, tensor = _tensor(value)
                self.tensors[name] = tensor
            elif number != 13:
                self._ends += field(number, value)
        self._without_idle()
        self._with_own_bias()
        self._with_gelu()

    def model(self, shown: Collection[str] = ()) -> bytes:
        """The ONNX file; ``shown`` are values between layers that it gives as outputs too."""
        used = {i for node in self.nodes for i in node.inputs}
        graph = b"".join(node.encoded() for node in self.nodes) + self._ends
        graph += b"".join(tensor.encoded(name) for name, tensor in self.tensors.items() if name in used)
        graph += b"".join(field(12, field(1, name)) for name in shown)
        sets = field(8, field(1, "") + field(2, OPERATORS)) + field(8, field(1, CONTRIBUTED) + field(2, 1))
        return field(1, self._version) + sets + field(7, graph)

    def readers(self) -> dict[str, list[Node]]:
        """Which operators take each value."""
        out: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                out[name].append(node)
        return out

    def _without_idle(self) -> None:
        other: dict[str, str] = {}
        for node in self.nodes:
            node.inputs = [other.get(i, i) for i in node.inputs]
            if node.op == "Identity":
                other[node.outputs[0]] = node.inputs[0]
        self.nodes = [node for node in self.nodes if node.op != "Identity"]

    def _with_own_bias(self) -> None:
        readers, gone = self.readers(), []
        for node in self.nodes:
            after = readers[node.outputs[0]]
            if node.op != "Conv" or len(node.inputs) > 2 or len(after) != 1 or after[0].op != "Add":
                continue
            bias = next((i for i in after[0].inputs if i in self.tensors), "")
            channels = self.tensors[node.inputs[1]].shape[0]
            if bias and self.tensors[bias].shape in ([1, channels, 1, 1], [channels]):
                self.tensors[bias].shape = [channels]
                node.inputs, node.outputs = [*node.inputs, bias], after[0].outputs
                gone.append(after[0])
        self._drop(gone)

    def _with_gelu(self) -> None:
        """x / c, erf, + 1, * x, * 0.5 as one; constants are not looked at, for the digest of the file is known."""
        readers, makers, gone = self.readers(), {node.outputs[0]: node for node in self.nodes}, []
        for node in [n for n in self.nodes if n.op == "Erf"]:
            divided = makers[node.inputs[0]]
            chain = [divided, node]
            for op in ("Add", "Mul", "Mul"):
                (after,) = readers[chain[-1].outputs[0]]
                if after.op != op:
                    raise ValueError("an activation is not built as expected")
                chain.append(after)
            last = chain[-1]
            last.op, last.inputs, last.rest = "Gelu", [divided.inputs[0]], field(7, CONTRIBUTED)
            gone += chain[:-1]
        self._drop(gone)

    def _drop(self, gone: Collection[Node]) -> None:
        self.nodes = [node for node in self.nodes if not any(node is other for other in gone)]


def onnx(model: bytes, ranges: Ranges) -> bytes:
    """The network with rounded weights and values.

    Args:
        model: The ONNX file in floats.
        ranges: How the values between layers are rounded. A convolution is in whole numbers when what it takes and what
            it gives (after ``Relu``) are.

    Raises:
        ValueError: It is not built as expected.
    """
    graph = Graph(model)
    rounded = _Rounded(graph, ranges)
    if set(ranges) != rounded.met:
        raise ValueError("the network does not have every value that is to be rounded")
    return graph.model()


class _Rounded:
    """Puts into a graph where values become whole numbers and floats again; the runtime merges that with the layers."""

    def __init__(self, graph: Graph, ranges: Ranges) -> None:
        self.met: set[str] = set()
        self._tensors, self._ranges, self._readers = graph.tensors, ranges, graph.readers()
        self._out: list[Node] = []
        self._other: dict[str, str] = {}
        self._value("x")
        for node in graph.nodes:
            taken = node.inputs[0]
            node.inputs = [self._other.get(i, i) for i in node.inputs]
            if node.op == "Conv" and taken in ranges and self._given(node) in ranges:
                self._weights(node, ranges[taken][0])
            self._out.append(node)
            for name in node.outputs:
                self._value(name)
        graph.nodes = self._out

    def _given(self, node: Node) -> str:
        after = self._readers[node.outputs[0]]
        return (after[0] if len(after) == 1 and after[0].op == "Relu" else node).outputs[0]

    def _value(self, name: str) -> None:
        if name not in self._ranges:
            return
        self.met.add(name)
        scale, zero = self._ranges[name]
        step = [
            self._constant(f"{name}_step", [], struct.pack("<f", scale), 1),
            self._constant(f"{name}_zero", [], bytes([int(zero)]), 2),
        ]
        self._out.append(Node("QuantizeLinear", [name, *step], [f"{name}_whole"]))
        self._out.append(Node("DequantizeLinear", [f"{name}_whole", *step], [f"{name}_again"]))
        self._other[name] = f"{name}_again"

    def _weights(self, node: Node, scale: float) -> None:
        name = node.inputs[1]
        weights = self._tensors[name]
        channels, all_of_them = weights.shape[0], weights.floats()
        size = len(all_of_them) // channels
        rows = [all_of_them[k * size : (k + 1) * size] for k in range(channels)]
        steps = [_float(max(max(map(abs, row)), 1e-8) / LARGEST) for row in rows]
        whole = [max(-LARGEST, min(LARGEST, round(w / step))) for row, step in zip(rows, steps, strict=True) for w in row]
        packed = struct.pack(f"{len(whole)}b", *whole)
        node.inputs[1] = self._again(name, weights.shape, packed, 3, steps)
        if len(node.inputs) > 2:
            steps = [_float(_float(scale) * step) for step in steps]
            bias = self._tensors[node.inputs[2]].floats()
            most = 2**31 - 1
            sums = [max(-most, min(most, round(b / step))) for b, step in zip(bias, steps, strict=True)]
            node.inputs[2] = self._again(node.inputs[2], [channels], struct.pack(f"<{channels}i", *sums), 6, steps)

    def _again(self, name: str, shape: list[int], packed: bytes, kind: int, steps: Sequence[float]) -> str:
        """Weights that are whole numbers, made floats again, with a step for every channel."""
        channels = len(steps)
        given = [
            self._constant(f"{name}_whole", shape, packed, kind),
            self._constant(f"{name}_step", [channels], struct.pack(f"<{channels}f", *steps), 1),
            self._constant(f"{name}_zero", [channels], bytes(len(packed) // _count(shape) * channels), kind),
        ]
        axis = field(5, field(1, "axis") + field(3, 0) + field(20, 2))
        self._out.append(Node("DequantizeLinear", given, [f"{name}_again"], axis))
        return f"{name}_again"

    def _constant(self, name: str, shape: list[int], raw: bytes, kind: int) -> str:
        self._tensors[name] = Tensor(shape, raw, kind)
        return name


def _count(shape: Sequence[int]) -> int:
    out = 1
    for side in shape:
        out *= side
    return out


def _float(value: float) -> float:
    """The nearest 32-bit float."""
    out: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return out


def _node(data: bytes) -> Node:
    out = Node("", [], [])
    for number, value in fields(data):
        if isinstance(value, int):
            raise ValueError("an operator is not written as expected")
        if number == 1:
            out.inputs.append(value.decode())
        elif number == 2:
            out.outputs.append(value.decode())
        elif number == 4:
            out.op = value.decode()
        elif number == 5:
            out.rest += field(5, value)
    return out


def _tensor(data: bytes) -> tuple[str, Tensor]:
    out, name = Tensor([], b""), ""
    for number, value in fields(data):
        if number == 1:
            out.shape += [value] if isinstance(value, int) else _packed(value)
        elif number == 2 and isinstance(value, int):
            out.kind = value
        elif number == 8 and isinstance(value, bytes):
            name = value.decode()
        elif number == 9 and isinstance(value, bytes):
            out.raw = value
        else:
            raise ValueError("weights are not written as expected")
    return name, out


def _packed(data: bytes) -> list[int]:
    """Numbers written one after the other."""
    out, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value = shift = 0
    return out
