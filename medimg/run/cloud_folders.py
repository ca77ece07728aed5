"""Where a folder seems to lie. Only a warning comes of it, never a folder's name."""

from __future__ import annotations

from pathlib import Path

# Names that the clients of common services give to the folders they keep in step with a server.
_SYNCED = (
    "onedrive",
    "dropbox",
    "google drive",
    "googledrive",
    "my drive",
    "icloud",
    "mobile documents",
    "cloudstorage",
    "nextcloud",
    "owncloud",
    "box sync",
    "pcloud",
    "syncthing",
    "seafile",
)
_MARKS = (".dropbox", ".dropbox.cache", ".stfolder", ".sync_folder")
_REMOVABLE = ("/media", "/run/media", "/Volumes")


def synced(folder: Path) -> bool:
    """Whether a folder looks synchronised with a cloud service: by the names above it, or marks left in them."""
    path = folder.resolve()
    return any(
        p.name.casefold().startswith(_SYNCED) or any(_there(p / mark) for mark in _MARKS) for p in (path, *path.parents)
    )


def _there(path: Path) -> bool:
    """Whether something lies there; a share that has gone away has nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def removable(folder: Path) -> bool:
    """Whether a folder looks as if it lay on a removable drive."""
    path = folder.resolve()
    return any(path.is_relative_to(place) and path != Path(place) for place in _REMOVABLE)
