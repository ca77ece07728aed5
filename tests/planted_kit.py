"""Code, data and libraries to lie among the photos, that say it when they are run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

LIBRARIES = ("libgif.so.7", "libGL.so.1", "libz.so.1", "libtesseract.so.5", "libonnxruntime.so.1", "libstdc++.so.6")
NAMES = sorted({n for n in (*sys.stdlib_module_names, *packages_distributions()) if n.isidentifier()})
"""Every module that Python or an installed package could ask for; ``sitecustomize`` and ``usercustomize`` besides."""


def plant(folder: Path, proof: Path, leave: tuple[str, ...] = ()) -> None:
    """Fill a folder with code that says it ran."""
    code = f"import sys\nopen({str(proof)!r}, 'a').write(__name__ + '\\n')\n"
    for number, name in enumerate(n for n in (*NAMES, "sitecustomize", "usercustomize") if n not in leave):
        if number % 2:
            (folder / f"{name}.py").write_text(code)
        else:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(code)
    (folder / "tessdata").mkdir()
    (folder / "tessdata" / "eng.traineddata").write_bytes(b"no model")
    if not shutil.which("gcc"):
        return
    source = folder.parent / "planted.c"
    source.write_text(
        "#include <stdio.h>\n__attribute__((constructor)) static void f(void)"
        f'{{FILE*x=fopen("{proof}","a");if(x){{fputs("library\\n",x);fclose(x);}}}}\n'
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", LIBRARIES[0], source], cwd=folder, check=True)
    for name in LIBRARIES[1:]:
        shutil.copy(folder / LIBRARIES[0], folder / name)
