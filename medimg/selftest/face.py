"""The drawn head of the pictures that the test draws; the face check proves itself with the same one."""

from __future__ import annotations

from medimg.detect.drawn_head import HEAD, HEIGHT, TONES, WIDTH, draw

__all__ = ["HEAD", "HEIGHT", "TONES", "WIDTH", "draw"]
