"""Trains the network that sees codes, rulers, colour cards and print (``medimg/detect/models/marks.onnx``).

    python -m benchmarks._mark_pictures DRAWN 0 1000 --photos PHOTOS     # and once more with 1000
    python benchmarks/marks_train.py OUT.onnx DRAWN [--real FOLDER] [--plain FOLDER] --minutes 60

Needs torch and onnx, which medimg itself does not. ``DRAWN`` holds what ``_mark_pictures`` wrote; ``--real`` the same
sort of files with photographs of codes (their text, rulers and cards do not count); ``--plain`` photographs without a
code, as ``.npz`` with ``rgb`` alone. The network sees a picture at a size where a module is 0.8 pixels and wider, and
gives for every square of four pixels how likely each of :data:`medimg.detect.objects.marks.CLASSES` is there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

CLASSES, SIDE, STRIDE, LEAST_MODULE = 5, 256, 4, 0.8
ZOOM = (0.4, 1.15)


def conv(i: int, o: int, k: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """A depthwise 5 x 5 and two pointwise convolutions round a shortcut."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(wide, wide, 5, padding=2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.Conv2d(wide, 2 * wide, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * wide, wide, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.seen(x)


class Marks(nn.Module):
    """A small pyramid: (N, 3, H, W) from 0 to 255 to (N, 5, H / 4, W / 4) logits; H and W multiples of 32."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64, 96)) -> None:
        super().__init__()
        a, b, c, e, f = widths
        self.stem = nn.Sequential(conv(3, a, 3, 2), conv(a, b, 3, 2), Block(b), Block(b))
        self.eighth = nn.Sequential(conv(b, c, 3, 2), Block(c), Block(c), Block(c))
        self.sixteenth = nn.Sequential(conv(c, e, 3, 2), Block(e), Block(e), Block(e))
        self.thirtysecond = nn.Sequential(conv(e, f, 3, 2), Block(f), Block(f))
        self.side = nn.ModuleList([nn.Conv2d(w, b, 1) for w in (b, c, e, f)])
        self.join = nn.ModuleList([Block(b), Block(b), Block(b)])
        self.last = nn.Conv2d(b, CLASSES, 1)
        nn.init.constant_(self.last.bias, -3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - 128) / 64
        p4 = self.stem(x)
        p8 = self.eighth(p4)
        p16 = self.sixteenth(p8)
        y = self.side[3](self.thirtysecond(p16))
        for k, p in ((2, p16), (1, p8), (0, p4)):
            y = self.join[k](functional.interpolate(y, scale_factor=2.0, mode="nearest") + self.side[k](p))
        return self.last(y)


class Pictures:
    """Random crops of the training pictures."""

    def __init__(self, folders: dict[str, Path | None], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.folders = {sort: folder for sort, folder in folders.items() if folder}
        self.sorts: dict[str, dict[Path, dict[str, Any]]] = {sort: {} for sort in self.folders}
        self.more()

    def more(self) -> None:
        """Take in what was drawn meanwhile."""
        for sort, folder in self.folders.items():
            known = self.sorts[sort]
            # The youngest may still be being written.
            for path in sorted(folder.glob("*.npz"), key=lambda p: p.stat().st_mtime):
                if path not in known and time.time() - path.stat().st_mtime > 5:
                    known[path] = dict(np.load(path))
        self.lists = {sort: list(known.values()) for sort, known in self.sorts.items()}

    def batch(self, n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        parts = [self.one() for _ in range(n)]
        x, y, w = (torch.stack(p) for p in zip(*parts, strict=True))
        return x, y, w

    def one(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = self.rng
        q = rng.random()
        sort = (
            "real" if q < 0.12 and "real" in self.lists else "plain" if q < 0.24 and "plain" in self.lists else "drawn"
        )
        made = self.lists[sort][int(rng.integers(len(self.lists[sort])))]
        rgb = made["rgb"]
        low = ZOOM[0] if sort == "drawn" else 0.2
        low = max(low, SIDE / max(rgb.shape[:2]))
        zoom = float(np.exp(rng.uniform(np.log(low), np.log(max(ZOOM[1], low)))))
        size = min(round(SIDE / zoom), *rgb.shape[:2])
        zoom = SIDE / size
        y0, x0 = int(rng.integers(rgb.shape[0] - size + 1)), int(rng.integers(rgb.shape[1] - size + 1))
        box = (slice(y0, y0 + size), slice(x0, x0 + size))
        x = torch.from_numpy(np.ascontiguousarray(rgb[box])).permute(2, 0, 1).float()[None]
        x = functional.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)[0]
        least = 0.62 if sort == "plain" else LEAST_MODULE
        if "marks" in made:
            marks, module = made["marks"][box].astype(np.uint8), made["module"][box]
            bits = np.stack([(marks >> k) & 1 for k in (0, 1, 2, 3, 4, 7)]).astype(np.float32)
            tiny = ((bits[0] + bits[1]) > 0) & (module * (zoom / 8) < least)
            bits[5] = np.maximum(bits[5], tiny)
            small = functional.interpolate(torch.from_numpy(bits)[None], (SIDE // STRIDE,) * 2, mode="area")[0]
        else:
            small = torch.zeros(6, SIDE // STRIDE, SIDE // STRIDE)
        y = small[:5]
        w = (small[5:6] < 0.1).float().repeat(5, 1, 1)
        if sort != "drawn":
            w[2:] = 0
        # Half covered squares may go either way.
        w = w * (1 - 0.8 * ((y > 0.15) & (y < 0.6)).float())
        y = (y > 0.4).float()
        return self.changed(x, y, w)

    def changed(
        self, x: torch.Tensor, y: torch.Tensor, w: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = self.rng
        turns = int(rng.integers(4))
        x, y, w = (torch.rot90(t, turns, (1, 2)) for t in (x, y, w))
        if rng.random() < 0.5:
            x, y, w = (t.flip(2) for t in (x, y, w))
        if rng.random() < 0.7:
            x = (x - 128) * float(rng.uniform(0.5, 1.3)) + 128 + float(rng.uniform(-50, 50))
            x = x * torch.tensor(rng.uniform(0.85, 1.15, (3, 1, 1)), dtype=torch.float32)
        if rng.random() < 0.06:
            x = 255 - x
        if rng.random() < 0.15:
            x = x.mean(0, keepdim=True).repeat(3, 1, 1)
        if rng.random() < 0.3:
            x = x + float(rng.uniform(0, 14)) * torch.randn(1, *x.shape[1:])
        if rng.random() < 0.2:
            soft = functional.avg_pool2d(x[None], 3, 1, 1)[0]
            a = float(rng.uniform(-0.8, 0.9))
            x = x * (1 - a) + soft * a
        return x.clamp(0, 255).contiguous(), y.contiguous(), w.contiguous()


def loss_of(z: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Cross entropy with the sure ones weighing less (focal, gamma 1), and the share of overlap (dice)."""
    each = functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    p = torch.sigmoid(z)
    focal = ((1 - torch.where(y > 0, p, 1 - p)) * each * w).sum((0, 2, 3)) / w.sum((0, 2, 3)).clamp(min=1)
    both = (p * y * w).sum((0, 2, 3))
    dice = 1 - (2 * both + 50) / ((p * w).sum((0, 2, 3)) + (y * w).sum((0, 2, 3)) + 50)
    weight = torch.tensor((1.0, 1.0, 0.8, 0.5, 0.4))
    return ((20 * focal + dice) * weight).sum()


def halved(out: Path) -> None:
    """Store the weights in 16 bits; they are widened again when the network is loaded."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(out)
    casts = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 16:
            model.graph.initializer.remove(tensor)
            model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + "_half"))
            casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    onnx.save(model, out)


def export(net: nn.Module, out: Path) -> None:
    net.eval()
    torch.onnx.export(
        net, (torch.zeros(1, 3, 256, 256),), str(out), input_names=["picture"], output_names=["marks"], dynamo=False,
        dynamic_axes={"picture": {0: "n", 2: "h", 3: "w"}, "marks": {0: "n", 2: "h", 3: "w"}}, opset_version=17,
    )  # fmt: skip
    halved(out)
    net.train()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--plain", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--rate", type=float, default=2e-3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = Marks()
    if given.start:
        net.load_state_dict(torch.load(given.start))
    net = net.to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in net.parameters()), "weights", flush=True)
    pictures = Pictures({"drawn": given.drawn, "real": given.real, "plain": given.plain}, int(time.time()))
    optimiser = torch.optim.AdamW(net.parameters(), lr=given.rate, weight_decay=1e-3)
    began, step, mean = time.time(), 0, 0.0
    while (gone := (time.time() - began) / 60 / given.minutes) < 1:
        rate = given.rate * min(1, (step + 1) / 100) * 0.5 * (1 + np.cos(np.pi * gone)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        x, y, w = pictures.batch(given.batch)
        loss = loss_of(net(x.contiguous(memory_format=torch.channels_last)), y, w)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        mean = 0.98 * mean + 0.02 * float(loss) if step else float(loss)
        step += 1
        if step % 100 == 0:
            sizes = {k: len(v) for k, v in pictures.lists.items()}
            print(f"{step} {time.time() - began:.0f}s loss {mean:.4f} rate {rate:.5f} {sizes}", flush=True)
            pictures.more()
        if step % 500 == 0:
            torch.save(net.state_dict(), given.out.with_suffix(".pt"))
            export(net, given.out)
    torch.save(net.state_dict(), given.out.with_suffix(".pt"))
    export(net, given.out)


if __name__ == "__main__":
    main()
