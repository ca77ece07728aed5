"""What hatchling runs when a wheel is built or medimg is installed from its folder, editable or not.

Two steps, each a file beside this one: :mod:`kernel` compiles the JPEG kernel (optional), :mod:`models` packs the
network weights (needed). Both write into the package folder; neither result is kept in the repository.
"""

from __future__ import annotations

import importlib.util
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
            libraries = kernel.build(root)
            if libraries:
                build_data["pure_python"] = False
                build_data["tag"] = kernel.platform_tag()
            else:
                self.app.display_info("No C compiler: medimg will use its Python engine for JPEG covers.")
            made += libraries
        models = _beside("models")
        if models is not None:
            made += models.pack(root)
        # .gitignore names them, so hatchling would leave them out.
        build_data["artifacts"] += ["/" + path.relative_to(root).as_posix() for path in made]


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
