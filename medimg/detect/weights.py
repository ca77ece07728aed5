"""Opens the packed networks, after comparing their bytes with the pinned digests."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

from medimg.errors import MissingPart
from medimg.native.onnxruntime import onnxruntime
from medimg.native.threads import session_options


def manifest() -> dict[str, dict[str, Any]]:
    """What ``medimg/models/models.toml`` says: name -> file, digest, source, licence."""
    text = resources.files("medimg").joinpath("models/models.toml").read_text("utf-8")
    return tomllib.loads(text)


def read(name: str) -> tuple[bytes, str]:
    """The bytes of a network and their SHA-256.

    Raises:
        MissingPart: The file is not there, or a byte of it was changed.
    """
    model = manifest()[name]
    try:
        data = resources.files("medimg").joinpath("models", model["file"]).read_bytes()
    except OSError as error:
        raise MissingPart(f"the weights of {name} are not there.", todo="Install medimg again.") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != model["sha256"]:
        raise MissingPart(f"the weights of {name} were changed after they were packed.", todo="Install medimg again.")
    return data, digest


def session(name: str, *, most: int = 1, edit: Callable[[bytes], bytes] | None = None) -> tuple[Any, str]:
    """A network ready to run on the processor, and its SHA-256.

    Args:
        name: Its name in the manifest.
        most: Most threads. One by default: faces are looked for beside text, which takes longer, and most of the
            pictures are small.
        edit: What is done to the bytes after their digest was compared.

    Raises:
        MissingPart: As for :func:`read`.
    """
    data, digest = read(name)
    options = session_options(most=most)
    made = onnxruntime.InferenceSession(edit(data) if edit else data, options, providers=["CPUExecutionProvider"])
    # Its Python part keeps the bytes as long as it lives, to be made anew for another processor: 38 MiB for nothing.
    made._model_bytes = None
    return made, digest
