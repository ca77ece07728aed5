"""The user's own defaults: ``defaults.toml`` in the folder of settings, or the file that MEDIMG_DEFAULTS names.

It holds options by their long names, for every command that has them, and the ``language`` of what is read.
An option that is given takes precedence, and
what an organisation's profile does not allow stays refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medimg.errors import UsageError
from medimg.system import files

OPTIONS = {
    "audience": str,
    "where": list,
    "out": str,
    "role": str,
    "workers": int,
    "as": str,
    "max-side": int,
    "quiet": bool,
    "language": str,
}
"""What can be set, and how it is written. Nothing here makes a check weaker: a policy is named with the command."""
_PARAMETERS = {"as": "save_as", "max-side": "max_side"}


def path() -> Path:
    """Where the file lies."""
    named = os.environ.get("MEDIMG_DEFAULTS")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_config_path("medimg", appauthor=False) / "defaults.toml"


def read(commands: Iterable[str]) -> dict[str, Any]:
    """The defaults of every command, as click takes them; none when there is no file.

    Raises:
        UsageError: The file cannot be read, or sets something that it cannot set.
    """
    try:
        data = files.read_named(path())
    except FileNotFoundError:
        return {"language": None}
    except OSError as error:
        raise UsageError("the file of your defaults cannot be read.") from error
    from medimg import strict

    try:
        said = strict.from_toml(data, dict[str, Any])
    except ValueError as error:
        raise UsageError("the file of your defaults is not TOML.") from error
    if not all(k in OPTIONS and type(v) is OPTIONS[k] for k, v in said.items()):
        kinds = ", ".join(f"{name} ({kind.__name__})" for name, kind in OPTIONS.items())
        raise UsageError("the file of your defaults sets what it cannot set.", todo=f"It can set: {kinds}.")
    found = {_PARAMETERS.get(k, k): v for k, v in said.items() if k != "language"}
    return {**dict.fromkeys(commands, found), "language": said.get("language")}
