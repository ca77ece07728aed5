"""Trains the network that labels what things lie on and what is marked on them (``build/objects.onnx``).

    python -m benchmarks.objects_pictures PICTURES 0 1500 --photos PHOTOS --fonts /usr/share/fonts
    python -m benchmarks._mark_pictures DRAWN 0 300 --photos PHOTOS/clothing
    python -m benchmarks.objects_train OUT.onnx PICTURES --drawn DRAWN --marks marks.onnx --minutes 60

Needs torch and onnx, which medimg itself does not. Files that are written while it runs are taken in. It stops after
``--minutes``, falls to a small step before, and writes ``OUT.pt`` and ``OUT.onnx`` every few minutes; ``--from OUT.pt``
goes on. The trunk is the older network (``--marks``) and stays as it is; where it is not known whether a photograph
bears print, it says what it sees.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from benchmarks import objects_data as data
from benchmarks._object_net import RIM, STRIDE, Objects, export, from_marks
from benchmarks._object_sheets import GROUNDS, MARKS, NO_CODES, NO_MEASURE, NO_WORDS, OPEN, SHOP, UNKNOWN
from medimg.native.opencv import cv2

SIDE = 320
ZOOM = (0.4, 0.85)
LEAST_MODULE = 0.8
FAMILIES = ((1, 8), (8, 10))
"""Places in GROUNDS of the carriers, and of the measures."""
CROPS = 2
"""Crops of a picture that is opened, since opening it takes longest."""
SHARES = {"pictures": 0.85, "drawn": 0.15}
WEIGHT = {"background": 0.5, "skin": 0.5, "wound": 1.0, "dressing": 1.0, "wristband": 2.0, "ruler": 2.0, "picture": 0.7}
"""Weight of a place's loss by its ground; 1.3 where it is not named."""

Bytes = NDArray[np.uint8]
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def allowed() -> torch.Tensor:
    """Which grounds a value of the map allows, (256, 14)."""
    out = torch.zeros(256, len(GROUNDS))
    out[: len(GROUNDS)] = torch.eye(len(GROUNDS))
    for name in ("background", "skin", "wound", "dressing", "picture"):
        out[OPEN, GROUNDS.index(name)] = 1
        out[SHOP, GROUNDS.index(name)] = 1
    for name in ("label", "badge", "paper", "packet"):
        out[SHOP, GROUNDS.index(name)] = 1
    out[UNKNOWN] = 1
    out[NO_MEASURE] = 1
    out[NO_MEASURE, [GROUNDS.index("ruler"), GROUNDS.index("colour card")]] = 0
    return out


class Pictures:
    """Random crops of the training pictures."""

    def __init__(self, folders: dict[str, Path | None], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.folders = {sort: folder for sort, folder in folders.items() if folder}
        self.held: dict[str, list[Path]] = {}
        self.more()

    def more(self) -> None:
        """Take in what was written meanwhile."""
        self.held = {sort: sorted(folder.glob("*.npz")) for sort, folder in self.folders.items()}
        self.held = {sort: paths for sort, paths in self.held.items() if paths}

    def batch(self, n: int) -> Batch:
        """Pictures (N, 3, S, S), ground (N, S / 4, S / 4), marks (N, 8, S / 4, S / 4) and where things meet."""
        crops = [crop for _ in range(-(-n // CROPS)) for crop in self.some()][:n]
        a, b, c, e = (torch.stack(part) for part in zip(*crops, strict=True))
        return a, b, c, e

    def some(self) -> list[Batch]:
        """Crops of one picture."""
        rng = self.rng
        sorts = list(self.held)
        shares = np.asarray([SHARES[s] for s in sorts])
        sort = str(rng.choice(sorts, p=shares / shares.sum()))
        path = self.held[sort][int(rng.integers(len(self.held[sort])))]
        rgb, over, module = drawn(path) if sort == "drawn" else (*data.read(path), None)
        return [self.one(rgb, over, module) for _ in range(CROPS)]

    def one(self, rgb: Bytes, over: Bytes, module: Bytes | None) -> Batch:
        """One crop."""
        rng = self.rng
        low = max(ZOOM[0], 0.95 * SIDE / max(rgb.shape[:2]))
        zoom = float(np.exp(rng.uniform(np.log(low), np.log(max(ZOOM[1], low)))))
        angle = float(rng.normal(0, 6)) if rng.random() < 0.3 else 0.0
        size = SIDE / zoom
        height, width = rgb.shape[:2]
        cx, cy = (float(rng.uniform(min(size, v) / 2, v - min(size, v) / 2)) for v in (width, height))
        turn = cv2.getRotationMatrix2D((cx, cy), angle, zoom)
        turn[:, 2] += SIDE / 2 - np.asarray((cx, cy))
        if zoom < 0.75:
            soft = max(0.0, 0.45 / zoom - 0.4)
            rgb = cv2.GaussianBlur(rgb, (0, 0), soft) if soft > 0.05 else rgb
        x = cv2.warpAffine(rgb, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        shown = cv2.warpAffine(
            over, turn, (SIDE, SIDE), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT,
            borderValue=(UNKNOWN, (1 << NO_CODES) | (1 << NO_WORDS), 0),
        )  # fmt: skip
        if module is not None:
            fine = cv2.warpAffine(module, turn, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
            tiny = (fine > 0) & (fine * (zoom / 8) < LEAST_MODULE)
            shown[..., 1][tiny] |= np.uint8(1 << NO_CODES)
        return self.changed(np.asarray(x, np.uint8), np.asarray(shown, np.uint8))

    def changed(self, rgb: Bytes, over: Bytes) -> Batch:
        """Turned, tinted, roughened, and made tensors."""
        rng = self.rng
        turns, flip = int(rng.integers(4)) if rng.random() < 0.5 else 0, rng.random() < 0.5
        rgb, over = np.rot90(rgb, turns), np.rot90(over, turns)
        if flip:
            rgb, over = rgb[:, ::-1], over[:, ::-1]
        x = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float()
        if rng.random() < 0.6:
            x = (x - 128) * float(rng.uniform(0.6, 1.3)) + 128 + float(rng.uniform(-40, 40))
            x = x * torch.tensor(rng.uniform(0.88, 1.12, (3, 1, 1)), dtype=torch.float32)
        if rng.random() < 0.04:
            x = 255 - x
        if rng.random() < 0.08:
            x = x.mean(0, keepdim=True).repeat(3, 1, 1)
        if rng.random() < 0.2:
            x = x + float(rng.uniform(0, 10)) * torch.randn(1, *x.shape[1:])
        over = np.ascontiguousarray(over)
        ground = torch.from_numpy(over[2::STRIDE, 2::STRIDE, 0].astype(np.int64))
        bits = np.stack([(over[..., 1] >> k) & 1 for k in range(8)]).astype(np.float32)
        share = functional.avg_pool2d(torch.from_numpy(bits)[None], STRIDE)[0]
        return x.clamp(0, 255), ground, share, torch.from_numpy(meeting(over[..., 2]))


def meeting(thing: Bytes) -> NDArray[np.float32]:
    """Where two things touch, (S / 4, S / 4)."""
    a = thing[1::2, 1::2].astype(np.int16)
    edge = np.zeros(a.shape, np.uint8)
    for p, q, at in (
        (a[1:], a[:-1], (slice(1, None), slice(None))),
        (a[:, 1:], a[:, :-1], (slice(None), slice(1, None))),
    ):
        edge[at] |= ((p != q) & (p > 0) & (q > 0)).astype(np.uint8)
    wide = cv2.dilate(edge, np.ones((3, 3), np.uint8))
    return (wide.reshape(wide.shape[0] // 2, 2, wide.shape[1] // 2, 2).max((1, 3)) > 0).astype(np.float32)


def drawn(path: Path) -> tuple[Bytes, Bytes, Bytes]:
    """A file of ``_mark_pictures``: of its ground rulers and colour cards are known, of its marks all but the hand."""
    held: dict[str, Any] = dict(np.load(path))
    marks = held["marks"]
    over = np.zeros((*marks.shape, 3), np.uint8)
    over[..., 0] = NO_MEASURE
    over[..., 0][(marks >> 2) & 1 > 0] = GROUNDS.index("ruler")
    over[..., 0][(marks >> 3) & 1 > 0] = GROUNDS.index("colour card")
    over[..., 0][marks >> 7 > 0] = UNKNOWN
    over[..., 1] = marks & 3
    over[..., 1] |= ((marks >> 4) & 1) << NO_WORDS
    over[..., 1] |= (marks >> 7) * np.uint8((1 << NO_CODES) | (1 << NO_WORDS))
    return held["rgb"], over, held["module"]


def loss_of(
    z: torch.Tensor, batch: Batch, older: torch.Tensor, table: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Of the ground: cross entropy over what is allowed, overlap, and the family; of the rest: focal."""
    _, ground, share, meets = batch
    logs = functional.log_softmax(z[:, : len(GROUNDS)], 1)
    may = table[ground].permute(0, 3, 1, 2)
    each = -torch.logsumexp(logs.masked_fill(may == 0, -1e4), 1)
    sure = (may.sum(1) < len(GROUNDS)).float()
    heavy = weight[ground.clamp(max=len(GROUNDS))] * sure
    one = (each * heavy).sum() / heavy.sum().clamp(min=1)
    p = logs.exp()
    y = may * (ground < len(GROUNDS))[:, None]
    # A class is known to be there, or known not to be.
    known = p * torch.maximum(y, 1 - may)
    dice = 1 - (2 * (p * y).sum((0, 2, 3)) + 30) / (known.sum((0, 2, 3)) + y.sum((0, 2, 3)) + 30)
    out = 4 * one + dice[1:].mean() + 3 * _families(p, may, sure)
    rim = functional.binary_cross_entropy_with_logits(z[:, RIM], meets, reduction="none")
    out = out + (rim * (1 + 6 * meets) * sure).mean()
    return out + _marks_loss(z[:, RIM + 1 :], share, older)


def _families(p: torch.Tensor, may: torch.Tensor, sure: torch.Tensor) -> torch.Tensor:
    """Whether a place is a carrier, a measure, or neither, as many squares of each kind counting as of the others."""
    out = torch.zeros(())
    for first, last in FAMILIES:
        inside, outside = (
            (may[:, first:last].sum(1) > 0) & (may.sum(1) == 1),
            (may[:, first:last].sum(1) == 0) & (sure > 0),
        )
        likely = p[:, first:last].sum(1).clamp(1e-5, 1 - 1e-5)
        for where, value in ((inside, likely), (outside, 1 - likely)):
            if where.any():
                out = out - (value[where].log() * (1.1 - value[where].detach())).mean()
    return out


def _marks_loss(z: torch.Tensor, share: torch.Tensor, older: torch.Tensor) -> torch.Tensor:
    """Of print, handwriting and ticks."""
    y = share[:, 2 : len(MARKS)]
    codes, words = (share[:, k : k + 1] < 0.1 for k in (NO_CODES, NO_WORDS))
    known = torch.cat((words, words, codes), 1).float()
    unsure = 1 - 0.8 * ((y > 0.15) & (y < 0.6)).float()
    y = (y > 0.4).float()
    each = functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    p = torch.sigmoid(z)
    w = known * unsure
    focal = ((1 - torch.where(y > 0, p, 1 - p)) * each * w).sum((0, 2, 3)) / w.sum((0, 2, 3)).clamp(min=1)
    dice = 1 - (2 * (p * y * w).sum((0, 2, 3)) + 50) / ((p * w).sum((0, 2, 3)) + (y * w).sum((0, 2, 3)) + 50)
    # Where nobody knows, what the trunk sees; its print may be printed or written.
    seen = (1 - (1 - p[:, 0]) * (1 - p[:, 1])).clamp(1e-4, 1 - 1e-4)
    told = functional.binary_cross_entropy(seen, older[:, 4], reduction="none") * (1 - known[:, 0])
    return (6 * focal + 0.3 * dice).sum() * 0.5 + told.mean()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--drawn", type=Path)
    parser.add_argument("--marks", type=Path, default=Path("medimg/models/marks.onnx"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--rate", type=float, default=3e-3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    net = Objects()
    if given.start:
        net.load_state_dict(torch.load(given.start))
    else:
        from_marks(net, given.marks)
    print(sum(p.numel() for p in net.parameters()), "weights", flush=True)
    net = net.to(memory_format=torch.channels_last)
    net.trunk.requires_grad_(False)
    folders = {"pictures": given.pictures, "drawn": given.drawn}
    pictures = Pictures(folders, int(time.time()))
    optimiser = torch.optim.AdamW(net.branch.parameters(), lr=given.rate, weight_decay=1e-3)
    table = allowed()
    weight = torch.full((len(GROUNDS) + 1,), 1.3)
    for name, value in WEIGHT.items():
        weight[GROUNDS.index(name)] = value
    weight[len(GROUNDS)] = 0.5
    began, step, mean, saved = time.time(), 0, 0.0, time.time()

    def ahead() -> tuple[Batch, list[torch.Tensor], torch.Tensor]:
        batch = pictures.batch(given.batch)
        with torch.no_grad():
            seen, older = net.trunk(batch[0].contiguous(memory_format=torch.channels_last))
        return batch, seen, torch.sigmoid(older)

    pool = ThreadPoolExecutor(1)
    coming = pool.submit(ahead)
    while (gone := (time.time() - began) / 60 / given.minutes) < 1:
        rate = given.rate * min(1, (step + 1) / 60) * (0.5 * (1 + np.cos(np.pi * gone)) + 0.01)
        for group in optimiser.param_groups:
            group["lr"] = rate
        (batch, seen, older), coming = coming.result(), pool.submit(ahead)
        loss = loss_of(net.branch(seen), batch, older, table, weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.branch.parameters(), 2.0)
        optimiser.step()
        now = float(loss.detach())
        mean = 0.98 * mean + 0.02 * now if step else now
        step += 1
        if step % 20 == 0:
            pictures.more()
            sizes = {k: len(v) for k, v in pictures.held.items()}
            print(f"{step} {time.time() - began:.0f}s loss {mean:.4f} rate {rate:.5f} {sizes}", flush=True)
        if time.time() - saved > 240:
            saved = time.time()
            torch.save(net.state_dict(), given.out.with_suffix(".pt"))
            export(net, given.out)
    torch.save(net.state_dict(), given.out.with_suffix(".pt"))
    export(net, given.out)


if __name__ == "__main__":
    main()
