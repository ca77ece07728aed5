"""What lies in picture folders and is no photo that anybody means: passed over, counted, and named in words.

Thumbnails, deleted photos, earlier versions, unfinished transfers and settings that a camera roll, a NAS, a desktop
or a synchronising program keeps beside the photos. A deleted or uncropped photo is one its owner believes to be gone.
A file or folder that the user names is taken as it is: only what is found below it is asked about.

The names come from the programs' own documentation: Synology DSM, QNAP QTS, Android MediaStore, Picasa, digiKam,
Windows, macOS, freedesktop.org Trash 1.0, Samba's vfs_recycle, Syncthing, Resilio Sync, Nextcloud, Dropbox, Google
Drive, Lightroom, Canon cameras, ColorOS, Firefox, Chromium.
"""

from __future__ import annotations

import fnmatch
import re

from medimg.words import mark

_REASONS = {
    "system": mark("a file of the operating system"),
    "thumbnail": mark("a thumbnail that a program or a NAS has made"),
    "deleted": mark("a deleted photo"),
    "earlier": mark("an earlier version that a program has kept"),
    "unfinished": mark("a transfer that is not finished"),
}

_Table = tuple[tuple[str, re.Pattern[str]], ...]


def _table(**names: str) -> _Table:
    """Patterns with ``*`` and ``?``, one a line, for each of these reasons."""
    return tuple(
        (_REASONS[which], re.compile("|".join(fnmatch.translate(p.strip()) for p in patterns.strip().split("\n"))))
        for which, patterns in names.items()
    )


_FOLDERS = _table(
    deleted="""
        $recycle.bin
        recycler
        recycled
        #recycle
        @recycle
        .@recycle
        .recycle
        .recycle.bin
        .trash
        .trash-*
        .trashes
        .trashbin
        .trashcan
        .dtrash
        network trash folder
        files_trashbin
        .recyclebin
        .*recycler
        .mobilebackups.trash""",
    thumbnail="""
        @eadir
        .@__thumb
        @__thumb
        .thumbnails
        .thumbnail
        .thumbs
        .thumb
        .thumbcache
        .sh_thumbnails
        .xvpics
        .wdmc
        .twonkymedia
        .twonkymediaserver
        .tmb
        .gthumb
        albumthumbs
        *.lrdata""",
    earlier="""
        .picasaoriginals
        .stversions
        #snapshot
        @recently-snapshot
        .snapshot
        .snapshots
        ~snapshot
        .zfs
        files_versions
        .sync
        .dropbox.cache""",
    unfinished="""
        *.crdownload
        .synologyworkingdirectory
        .stfolder
        .tmp.drivedownload
        .tmp.driveupload
        .~tmp~""",
    system="""
        __macosx
        .appledouble
        .appledb
        .appledesktop
        .fseventsd
        .spotlight-v100
        .documentrevisions-v100
        .temporaryitems
        system volume information
        lost+found
        found.???
        $extend
        .android_secure
        .git""",
)

_FILES = _table(
    deleted="""
        .trashed-*
        $r??????.*
        $i??????.*""",
    unfinished="""
        .pending-*
        *.crdownload
        *.tmp
        *.part
        *.partial
        *.filepart
        *.download
        *.opdownload
        .goutputstream-*
        .fuse_hidden*
        .nfs????????????????*
        .smbdelete*""",
    thumbnail="""
        synophoto_thumb*
        synofile_thumb*
        *.thm
        *.ctg
        .thumbdata*
        thumbs.db*
        ehthumbs*.db*
        thumbcache_*.db""",
    earlier="""
        *.jpg_original
        *.jpeg_original
        *.png_original
        *.heic_original
        *.tif_original
        *.tiff_original
        *~""",
    system="""
        .ds_store
        ._*
        .localized
        digikam.db
        digikam4.db*
        .apdisk
        .volumeicon.icns
        icon[\x0d\uf00d]
        desktop.ini
        .picasa.ini
        picasa.ini
        .nomedia
        .directory
        .hidden
        ~$*
        .~lock.*
        .sync_*.db*
        .owncloudsync.log*
        .csync_journal.db*
        .stignore
        *:zone.identifier
        *\uf03azone.identifier
        *.zone.identifier
        *:encryptable
        *:smartscreen
        *:afp_*
        *:com.apple.*
        *:com.dropbox.*""",
)


def folder(name: bytes) -> str:
    """Why a folder of this name is passed over with all it holds; empty when it is not."""
    return _reason(_FOLDERS, name)


def file(name: bytes) -> str:
    """Why a file of this name is passed over; empty when it is not."""
    return _reason(_FILES, name)


def _reason(table: _Table, name: bytes) -> str:
    text = name.decode("utf-8", "surrogateescape").lower()
    return next((reason for reason, pattern in table if pattern.match(text)), "")
