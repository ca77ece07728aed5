"""``python -m medimg`` is the command ``medimg``."""

from __future__ import annotations

from medimg.cli.main import main

if __name__ == "__main__":
    main()
