"""Fits the weights of ``medimg/detect/faces/score.py`` on the *tune* half of labelled pictures, and prints them.

    python benchmarks/faces_fit.py FOLDER [FOLDER...] [--every 4] [--dark]

Folders are as for ``benchmarks/faces.py``. Of the kinds *general* and *masked*, which are easy, one picture in so many
is taken; with ``--dark`` a fourth of all are looked at a second time, darker. Of a picture with a face the group that
the views say most of is the example of a face; of a picture without, every group is a counter-example. ``tiny``
pictures are left out: a face of a few pixels is found by the largest view alone. Needs scipy (with scikit-image in the
``dev`` extra).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from faces import Pixels, pictures
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy.optimize import minimize

from medimg.detect import Frame
from medimg.detect.faces.centerface import CenterFace
from medimg.detect.faces.groups import VIEWS, groups
from medimg.detect.faces.yunet import YuNet

KIND_WEIGHT = {"closeup": 3.0, "crop": 1.5, "general": 1.0, "masked": 1.0}
RIDGE = 0.03
Table = NDArray[np.float64]


def rows_of(rgb: Pixels, centerface: CenterFace, yunet: YuNet) -> Table:
    """Features of every group of a picture, one a row."""
    return np.array([g.features() for g in groups(Frame(rgb), centerface, yunet)]).reshape(-1, VIEWS + 4)


def fitted(rows: Table, face: Table, weight: Table) -> Table:
    """Bias and one weight a feature, by ridge logistic regression on standardised features."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scaled = np.c_[np.ones(len(rows)), (rows - mean) / spread]
    sign = 2 * face - 1

    def loss(b: Table) -> tuple[float, Table]:
        z = sign * (scaled @ b)
        ridge = RIDGE * np.r_[0.0, b[1:]]
        gradient = scaled.T @ (-weight * sign / (1 + np.exp(z))) + ridge
        return float(np.sum(weight * np.logaddexp(0, -z)) + b @ ridge / 2), gradient

    best = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    return np.r_[best[0] - np.sum(best[1:] * mean / spread), best[1:] / spread]


def main() -> None:
    """Run the networks, fit, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=4, metavar="N")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    centerface, yunet = CenterFace(), YuNet()
    tables: list[tuple[str, Table]] = []
    for number, picture in enumerate(pictures(options.folders, "tune")):
        left_out = picture.kind in ("general", "masked") and number % options.every
        if "tiny" not in picture.tags and picture.kind != "bystander" and not left_out:
            rgb = np.asarray(ImageOps.exif_transpose(Image.open(picture.path)).convert("RGB"))
            tables.append((picture.kind, rows_of(rgb, centerface, yunet)))
            if options.dark and len(tables) % 4 == 0:
                tables.append((picture.kind, rows_of((rgb * 0.4).astype(np.uint8), centerface, yunet)))
    rows, face, weight = [], [], []
    for kind, table in tables:
        if kind == "noface":
            rows += list(table)
            face += [0.0] * len(table)
            weight += [1.0] * len(table)
        elif len(table):
            rows.append(table[table[:, :VIEWS].sum(axis=1).argmax()])
            face.append(1.0)
            weight.append(KIND_WEIGHT[kind])
    is_face, weights = np.array(face), np.array(weight)
    for value in (0.0, 1.0):
        weights[is_face == value] /= 2 * weights[is_face == value].sum()
    found = fitted(np.array(rows), is_face, weights)
    print(f"BIAS = {found[0]:.2f}\nWEIGHTS = (" + ", ".join(f"{w:.2f}" for w in found[1:]) + ")")
    best = {
        kind: np.array(
            [float((1 / (1 + np.exp(-(found[0] + t @ found[1:])))).max(initial=0)) for k, t in tables if k == kind]
        )
        for kind in ("noface", *KIND_WEIGHT)
    }
    for share in (0.5, 1, 2, 5, 10, 12, 15):
        least = float(np.quantile(best["noface"], 1 - share / 100))
        recall = ", ".join(f"{k} {100 * float((best[k] > least).mean()):.1f}" for k in KIND_WEIGHT)
        print(f"{share:4} % of pictures without a face score over {least:.3f}; of the others: {recall}")


if __name__ == "__main__":
    main()
