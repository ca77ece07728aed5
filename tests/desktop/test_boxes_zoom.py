"""Areas that come and go at one size and another: the scene never asks for one that is gone, or the window dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import gc, os, random, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from medimg.desktop.box_items import BoxItem
from medimg.desktop.canvas import Canvas
from medimg.desktop.pictures import Drawn

app = QApplication([])
wide, high, seed = 900, 2200, int(sys.argv[2])
raw = Path(sys.argv[1])
raw.write_bytes(bytes([150]) * 3 * (wide * high + 225 * 550))
said = dict(file=str(raw), width=wide, height=high, far_width=225, far_height=550, orientation=1)
canvas = Canvas()
canvas.resize(500, 540)
canvas.show()
canvas.show_photo(Drawn(**said, **({"colour": (0, 0, 0)} if "colour" in Drawn.__struct_fields__ else {})))
draw = random.Random(seed)

def lines():
    for n in range(12):
        x, y = draw.randrange(wide // 2), draw.randrange(high - 80)
        across, down = draw.randrange(40, wide // 2), draw.randrange(20, 70)
        corners = ((x, y), (x + across, y), (x + across, y + down), (x, y + down))
        yield BoxItem(n, n + 1, corners, "cover" if n % 3 else "ask", faint=False, warns=n < 4)

for turn in range(120):
    canvas.fit() if turn % 2 else canvas.full_size()
    app.processEvents()
    canvas.show_boxes(list(lines()), None, turn % 12)
    gc.collect()
    app.processEvents()
print("alive", flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.long)])
def test_areas_that_go_while_the_size_changes_leave_the_window_alive(tmp_path: Path, seed: int) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MALLOC_PERTURB_": "165", "PYTHONMALLOC": "malloc"}
    command = [sys.executable, "-c", CHILD, str(tmp_path / "raw.bin"), str(seed)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
