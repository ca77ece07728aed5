"""The entry in the menu of a photo or a folder in the Finder: a quick action of one user. Never tried on a Mac.

It is a folder with two property lists: what the menu offers it for (Services Implementation Guide, "Services
Properties"), and what Automator runs, a line of the shell.
"""

from __future__ import annotations

import plistlib
import shlex
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OFFERED_FOR = ("public.image", "public.folder", "org.nema.dicom")
"""Uniform type identifiers: pictures of every kind, folders, DICOM files."""
_SPACE = uuid.UUID("c1b3f1f0-3f0e-4d6c-9d55-2b8e6c1f7a10")
_NOTHING = "com.apple.Automator.nothing"
_FILES = "com.apple.Automator.fileSystemObject"


def quick_action(program: Sequence[str], library: Path, *, name: str, mark: str) -> dict[Path, bytes]:
    """The files of the action.

    Args:
        program: The program and its first arguments, before the paths of photos.
        library: The user's ``Library`` folder.
        name: What the menu says.
        mark: What tells later that these files are ours.
    """
    contents = library / "Services" / f"{name}.workflow" / "Contents"
    info = {
        "CFBundleIdentifier": "org.medimg.quick-action",
        "CFBundleName": name,
        "CFBundleGetInfoString": mark,
        "CFBundlePackageType": "BNDL",
        "CFBundleShortVersionString": "1.0",
        "NSServices": [
            {
                "NSMenuItem": {"default": name},
                "NSMessage": "runWorkflowAsService",
                "NSRequiredContext": {"NSApplicationIdentifier": "com.apple.finder"},
                "NSSendFileTypes": list(OFFERED_FOR),
            }
        ],
    }
    line = f'# {mark}\n{shlex.join(program)} "$@" >/dev/null 2>&1 &\n'
    return {contents / "Info.plist": plistlib.dumps(info), contents / "document.wflow": plistlib.dumps(_runs(line))}


def _runs(line: str) -> dict[str, Any]:
    """What Automator keeps of a workflow that gives the chosen files to a line of the shell, as arguments."""
    action = {
        "AMAccepts": {"Container": "List", "Optional": True, "Types": ["com.apple.cocoa.string"]},
        "AMActionVersion": "2.0.3",
        "AMApplication": ["Automator"],
        "AMProvides": {"Container": "List", "Types": ["com.apple.cocoa.string"]},
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": line,
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,  # as arguments
            "shell": "/bin/sh",
            "source": "",
        },
        "BundleIdentifier": "com.apple.RunShellScript",
        "CFBundleVersion": "2.0.3",
        "Class Name": "RunShellScriptAction",
        **{key: str(uuid.uuid5(_SPACE, key)).upper() for key in ("InputUUID", "OutputUUID", "UUID")},
    }
    return {
        "AMApplicationBuild": "521",
        "AMApplicationVersion": "2.10",
        "AMDocumentVersion": "2",
        "actions": [{"action": action, "isViewVisible": 1}],
        "connectors": {},
        "workflowMetaData": {
            "inputTypeIdentifier": _FILES,
            "outputTypeIdentifier": _NOTHING,
            "presentationMode": 15,
            "processesInput": 0,
            "serviceApplicationBundleID": "com.apple.finder",
            "serviceInputTypeIdentifier": _FILES,
            "serviceOutputTypeIdentifier": _NOTHING,
            "serviceProcessesInput": 0,
            "useAutomaticInputType": 0,
            "workflowTypeIdentifier": "com.apple.Automator.servicesMenu",
        },
    }
