"""The network of objects, in torch: what ``benchmarks.objects_train`` trains and exports.

Its trunk is the network of ``medimg.detect.objects.marks``, weights and all, held as it is: what that one says of
codes, rulers and print, this one says too. A branch of its own grows out of what the trunk sees on the way. The trunk's
batch normalisation is folded into its convolutions.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks._object_sheets import GROUNDS

STRIDE, MULTIPLE = 4, 64
RIM = len(GROUNDS)
OLDER = 5
OWN = len(GROUNDS) + 1 + 3
"""Maps of the branch: the grounds, where things meet, and the last three of MARKS."""
TRUNK = (16, 32, 48, 64, 96)


def conv(i: int, o: int, stride: int = 1, size: int = 3, norm: bool = True) -> nn.Sequential:
    """A convolution, normalised or not, and what is above zero of it."""
    middle = nn.BatchNorm2d(o) if norm else nn.Identity()
    return nn.Sequential(nn.Conv2d(i, o, size, stride, size // 2, bias=not norm), middle, nn.ReLU(inplace=True))


class Block(nn.Module):
    """A depthwise and two pointwise convolutions round a shortcut."""

    def __init__(self, wide: int, reach: int = 5, norm: bool = True) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(wide, wide, reach, padding=reach // 2, groups=wide, bias=not norm),
            nn.BatchNorm2d(wide) if norm else nn.Identity(),
            nn.Conv2d(wide, 2 * wide, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * wide, wide, 1, bias=not norm),
            # Without this the shortcut grows without bound, and 16 bits do not hold it.
            nn.BatchNorm2d(wide) if norm else nn.Identity(),
        )
        if isinstance(last := self.seen[5], nn.BatchNorm2d):
            nn.init.constant_(last.weight, 0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of the same shape."""
        return x + self.seen(x)


def _twice(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Trunk(nn.Module):
    """The older network, and what it sees on the way at a quarter, an eighth, a sixteenth and a thirty-second."""

    def __init__(self, widths: tuple[int, ...] = TRUNK) -> None:
        super().__init__()
        a, b, c, e, f = widths
        step, block = partial(conv, stride=2, norm=False), partial(Block, norm=False)
        self.stem = nn.Sequential(step(3, a), step(a, b), block(b), block(b))
        self.eighth = nn.Sequential(step(b, c), block(c), block(c), block(c))
        self.sixteenth = nn.Sequential(step(c, e), block(e), block(e), block(e))
        self.thirtysecond = nn.Sequential(step(e, f), block(f), block(f))
        self.side = nn.ModuleList([nn.Conv2d(w, b, 1) for w in (b, c, e, f)])
        self.join = nn.ModuleList([block(b), block(b), block(b)])
        self.last = nn.Conv2d(b, OLDER, 1)

    def forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """What it sees on the way, its last features first; and its logits."""
        x = (x - 128) / 64
        p4 = self.stem(x)
        p8 = self.eighth(p4)
        p16 = self.sixteenth(p8)
        p32 = self.thirtysecond(p16)
        y = self.side[3](p32)
        for k, p in ((2, p16), (1, p8), (0, p4)):
            y = self.join[k](_twice(y) + self.side[k](p))
        return [y, p4, p8, p16, p32], self.last(y)


class Branch(nn.Module):
    """What things lie on: from the trunk's features, deeper and broader, and back to a quarter."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 96, 128, 160)) -> None:
        super().__init__()
        a, b, c, e, f = widths
        _, q4, q8, q16, q32 = TRUNK
        self.take = nn.ModuleList(
            [conv(i, o, size=1) for i, o in zip((q4, q4, q8, q16, q32), (a, a, b, c, e), strict=True)]
        )
        self.down = nn.ModuleList([conv(b, c, 2), conv(c, e, 2), conv(e, f, 2)])
        self.way = nn.ModuleList(
            [Block(b, 3), nn.Sequential(*(Block(c) for _ in range(3))), nn.Sequential(*(Block(e) for _ in range(3))),
             nn.Sequential(*(Block(f) for _ in range(3)))]
        )  # fmt: skip
        self.up = nn.ModuleList([conv(i, o, size=1) for i, o in ((b, a), (c, b), (e, c), (f, e))])
        self.back = nn.ModuleList(
            [nn.Sequential(Block(a, 3), Block(a, 3)),
             nn.Sequential(Block(b, 3), Block(b, 3)),
             nn.Sequential(Block(c), Block(c)), Block(e)]
        )  # fmt: skip
        self.head = nn.Conv2d(a, OWN, 1)

    def forward(self, seen: list[torch.Tensor]) -> torch.Tensor:
        """Logits at a quarter."""
        y, p4, p8, p16, p32 = seen
        a8 = self.way[0](self.take[2](p8))
        a16 = self.way[1](self.down[0](a8) + self.take[3](p16))
        a32 = self.way[2](self.down[1](a16) + self.take[4](p32))
        z = self.way[3](self.down[2](a32))
        z = self.back[3](_twice(self.up[3](z)) + a32)
        z = self.back[2](_twice(self.up[2](z)) + a16)
        z = self.back[1](_twice(self.up[1](z)) + a8)
        z = self.back[0](_twice(self.up[0](z)) + self.take[0](y) + self.take[1](p4))
        return self.head(z)


class Objects(nn.Module):
    """(N, 3, H, W) from 0 to 255 to logits, (N, 18, H / 4, W / 4) and the older network's five.

    H and W are multiples of 64. The first 14 say what a place lies on (softmax); then, each by itself (sigmoid),
    whether two things meet there, whether it is printed, written by hand, ticks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.branch = Branch()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The maps."""
        seen, older = self.trunk(x)
        return self.branch(seen), older


def from_marks(net: Objects, path: Path) -> None:
    """Start from the weights of ``marks.onnx``."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    held = {t.name: numpy_helper.to_array(t).astype(np.float32) for t in graph.initializer}
    held |= {
        node.output[0]: held[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in held
    }
    parts = dict(net.named_modules())
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        part = parts[f"trunk.{_name(node.name)}"]
        assert isinstance(part, nn.Conv2d)
        assert part.bias is not None
        weight, bias = (torch.from_numpy(held[name].copy()) for name in node.input[1:])
        part.weight.data.copy_(weight)
        part.bias.data.copy_(bias)


def _name(node: str) -> str:
    """The part of the network that a node was exported from: ``/stem/stem.2/seen/seen.0/Conv`` is ``stem.2.seen.0``."""
    path = ""
    for piece in node.strip("/").split("/")[:-1]:
        if path and piece.startswith(f"{path}."):
            path = piece
        elif path and path.split(".")[-1] == piece.split(".")[0]:
            path += piece[len(piece.split(".")[0]) :]
        else:
            path = f"{path}.{piece}" if path else piece
    return path


def export(net: nn.Module, out: Path) -> None:
    """Write the network as ONNX, its weights in 16 bits, which a runtime widens when it loads them."""
    import onnx

    from benchmarks.marks_train import halved

    was = net.training
    net.eval()
    part = out.with_suffix(".part.onnx")
    torch.onnx.export(
        net, (torch.zeros(1, 3, 256, 256),), str(part), input_names=["picture"], output_names=["objects", "marks"],
        dynamo=False,
        dynamic_axes={name: {0: "n", 2: "h", 3: "w"} for name in ("picture", "objects", "marks")}, opset_version=17,
    )  # fmt: skip
    halved(part)
    onnx.checker.check_model(onnx.load(part))
    part.replace(out)
    net.train(was)
