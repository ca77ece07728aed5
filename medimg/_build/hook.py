"""What hatchling runs when a wheel is built or medimg is installed from its folder, editable or not.

Two steps, each a file beside this one: :mod:`kernel` compiles the C files, :mod:`models` packs the network weights.
Both write into the package folder; neither result is kept in the repository.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface[Any]):
    """Adds the made files to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Called by hatchling before it collects files."""
        root = Path(self.root)
        made = []
        kernel = _beside("kernel")
        if kernel is not None:
            made += self._libraries(kernel, root, build_data)
        models = _beside("models")
        if models is not None:
            made += models.pack(root)
        # .gitignore names them, so hatchling would leave them out.
        build_data["artifacts"] += ["/" + path.relative_to(root).as_posix() for path in made]

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Called by hatchling when the wheel is written."""
        if self._scratch is not None:
            self._scratch.cleanup()

    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def _libraries(self, kernel: ModuleType, root: Path, build_data: dict[str, Any]) -> list[Path]:
        """Compile for this platform beside the sources, or for the one asked for into a folder of its own."""
        platform = os.environ.get(kernel.TARGET_VARIABLE, "")
        if platform:
            self._scratch = tempfile.TemporaryDirectory(prefix="medimg-kernels-")
            libraries = kernel.cross_build(root, platform, Path(self._scratch.name))
            build_data["force_include"] |= {str(library): place for library, place in libraries.items()}
            build_data |= {"pure_python": False, "tag": kernel.platform_tag(platform)}
            return []
        made: list[Path] = kernel.build(root)
        build_data |= {"pure_python": False, "tag": kernel.platform_tag()}
        return made


def _beside(name: str) -> ModuleType | None:
    """The build step of that name; medimg itself cannot be imported while it is being built."""
    path = Path(__file__).with_name(f"{name}.py")
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"medimg_build_{name}", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
