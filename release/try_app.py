"""Try the packed program: it says its parts are there, covers a drawn photo in its workers, and opens its window.

    python release/try_app.py build/app/medimg

Prints size and times. Exit code 1 with a sentence when something is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SETTLE = 60
"""Seconds the window may take on a busy machine."""


def draw(path: Path) -> None:
    """A photo with a wristband, a place where it was taken, and a ruler."""
    image = Image.new("RGB", (1200, 900), (214, 170, 146))
    pen = ImageDraw.Draw(image)
    pen.ellipse((520, 420, 700, 540), fill=(150, 60, 52))
    pen.rectangle((80, 80, 700, 170), fill=(245, 245, 240))
    pen.text((100, 95), "MRN 4471902 DOB 03/11/1961", fill=(15, 15, 15), font=ImageFont.load_default(40))
    exif = Image.Exif()
    exif[0x010F] = "Camera maker"
    exif.get_ifd(0x8825)[1] = "S"
    image.save(path, "JPEG", quality=92, exif=exif)


def run(command: list[str], codes: set[int], env: dict[str, str]) -> str:
    """The output of a program that must end with one of these codes."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False)
    print(
        f"{' '.join([Path(command[0]).name, command[1]])}: {time.perf_counter() - began:.1f} s, code {done.returncode}"
    )
    if done.returncode not in codes:
        fail(f"it ended with code {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def fail(words: str) -> None:
    """End with a sentence."""
    print(words, file=sys.stderr)
    sys.exit(1)


def window(program: Path, arguments: list[str], env: dict[str, str]) -> None:
    """Start the window, see that it is there and stays, and end it."""
    began = time.perf_counter()
    with subprocess.Popen([program, *arguments], env=env, stderr=subprocess.PIPE) as child:
        try:
            while not shown(child.pid, env):
                if child.poll() is not None:
                    fail(f"the window ended at once: {child.stderr.read().decode() if child.stderr else ''}")
                if time.perf_counter() - began > SETTLE:
                    fail("the window did not come")
                time.sleep(0.05)
            wall, own = time.perf_counter() - began, processor(child.pid)
            print(f"window there after {wall:.1f} s, {own:.1f} s of processor time")
            time.sleep(2)
            if child.poll() is not None:
                fail("the window did not stay")
            if "cv2" in loaded(child.pid):
                fail("the process of the window has loaded OpenCV")
        finally:
            child.terminate()
            child.wait(20)


def processor(pid: int) -> float:
    """Processor seconds of a process, where the system says so."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def loaded(pid: int) -> str:
    """The libraries a process has mapped."""
    return Path(f"/proc/{pid}/maps").read_text() if Path(f"/proc/{pid}/maps").exists() else ""


def shown(pid: int, env: dict[str, str]) -> bool:
    """Whether the window is on the screen; without a screen, whether its libraries are in and it waits for events."""
    if env.get("QT_QPA_PLATFORM") != "offscreen":
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "^medimg$"], capture_output=True, env=env, check=False
        )
        return found.returncode == 0
    waits = Path(f"/proc/{pid}/wchan").exists() and "poll" in Path(f"/proc/{pid}/wchan").read_text()
    return waits and "libqoffscreen" in loaded(pid)


def main() -> None:
    """Try everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    print(f"{folder.name}: {size / 1e6:.0f} MB, {sum(p.is_file() for p in folder.rglob('*'))} files")
    with tempfile.TemporaryDirectory() as place:
        env = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": place,
            "QT_QPA_PLATFORM": "xcb" if os.environ.get("DISPLAY") else "offscreen",
            "DISPLAY": os.environ.get("DISPLAY", ""),
            "XAUTHORITY": os.environ.get("XAUTHORITY", ""),
        }
        photos, out = Path(place, "photos"), Path(place, "out")
        photos.mkdir()
        draw(photos / "one.jpg")
        draw(photos / "two.jpg")
        command = str(folder / "medimg")
        run([command, "--version"], {0}, env)
        run([command, "doctor"], {0}, env)
        run([command, "clean", str(photos), "-o", str(out), "--where", "AU"], {10, 11}, env)
        (made,) = out.glob("medimg-*")
        copies = sorted(made.glob("unreviewed/*.jpg"))
        if len(copies) != 2 or any(Image.open(c).getexif() for c in copies):
            fail("the photos were not covered, or their hidden information is still there")
        reports = json.loads((made / "PRIVATE-patient-record" / "reports.json").read_text())
        covered = [
            a for r in reports for a in r["plan"]["actions"] if a["do"] == "cover" and a["finding"]["kind"] == "text"
        ]
        if len(covered) < 2:
            fail("the writing was not found")
        if Image.open(copies[0]).convert("L").getpixel((150, 120)) > 40:
            fail("the writing was not covered")
        run([command, "desktop", "--install"], {0}, env)
        entry = Path(place, ".local", "share", "applications", "medimg.desktop")
        if f'Exec="{folder / "medimg-desktop"}" %F' not in entry.read_text():
            fail("the entry in the menu does not start the packed window")
        run([command, "desktop", "--uninstall"], {0}, env)
        if entry.exists():
            fail("the entry in the menu was not taken away")
        window(folder / "medimg-desktop", [], env)
        window(folder / "medimg-desktop", [str(made)], env)
        files = [p for p in Path(place).rglob("*") if p.is_file() and not {photos, out} & set(p.parents)]
        left = {str(p.relative_to(place)) for p in files}
        if left - {".local/share/medimg/site-key"}:
            fail("it left files in the home folder: a library in it does more than it should")
    print("The packed program does what it should.")


if __name__ == "__main__":
    main()
