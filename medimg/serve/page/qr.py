"""The address of the page as a QR code, for a phone's camera, in the letters of a terminal."""

from __future__ import annotations

_BLACK_ON_WHITE = "\x1b[30;47m{}\x1b[0m"
"""Said outright: a dark terminal would turn the code inside out, which not every camera reads."""


def lines(address: str) -> list[str]:
    """The code, two rows of its squares to a line."""
    import numpy as np
    import zxingcpp

    code = zxingcpp.create_barcode(address, zxingcpp.BarcodeFormat.QRCode)
    dark = np.array(zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=True)) < 128
    if len(dark) % 2:
        dark = np.vstack([dark, np.zeros_like(dark[:1])])
    letters = {(False, False): " ", (True, False): "\u2580", (False, True): "\u2584", (True, True): "\u2588"}
    rows = zip(dark[::2], dark[1::2], strict=True)
    return [
        _BLACK_ON_WHITE.format("".join(letters[bool(a), bool(b)] for a, b in zip(top, low, strict=True)))
        for top, low in rows
    ]


__all__ = ["lines"]
