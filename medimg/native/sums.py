"""Whether networks in whole numbers of eight bits say on this processor what they are meant to say.

x86 processors without the instructions VNNI add two products at a time in 16 bits and stop at 32,767; onnxruntime lets
them. The processor is asked to add, rather than for its name.
"""

from __future__ import annotations

import functools
import platform

import numpy as np

from medimg.native.onnxruntime import onnxruntime

X86 = frozenset(("x86_64", "AMD64"))
_PRODUCT = (
    b'\x08\x08B\x02\x10\r:A\n\x18\n\x01a\n\x01b\x12\x01y"\rMatMulInteger\x12\x04sumsZ\t\n\x01a\x12\x04\n\x02\x08\x02'
    b"Z\t\n\x01b\x12\x04\n\x02\x08\x03b\t\n\x01y\x12\x04\n\x02\x08\x06"
)
"""An ONNX file: y = a b, of bytes without (a) and with a sign (b), in 32 bits."""
_SIDES = (16, 64, 16)
"""Rows, products to a sum, columns: enough for the way that large products are made."""


@functools.cache
def exact() -> bool:
    """Whether sums of the largest products come out right; False on processors other than x86, not tried."""
    if platform.machine() not in X86:
        return False
    session = onnxruntime.InferenceSession(_PRODUCT, providers=["CPUExecutionProvider"])
    rows, length, columns = _SIDES
    given = {"a": np.full((rows, length), 255, np.uint8), "b": np.full((length, columns), 127, np.int8)}
    (said,) = session.run(None, given)
    return said.shape == (rows, columns) and bool((said == 255 * 127 * length).all())
