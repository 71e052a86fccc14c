"""Pip's settings on this machine, as far as they hold in a container: which index, and how.

``python pip_settings.py FOLDER`` writes ``pip.conf`` and, where pip trusts authorities of its
own, ``ca.crt`` there: the two secrets of the Dockerfile.  They never become part of an image.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

KEPT = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout")
CERT = "cert = /run/secrets/ca.crt"


def settings() -> dict[str, str]:
    """All settings by name without their section; the environment's win."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pairs = [line.split("=", 1) for line in listed.splitlines() if "=" in line]
    pairs.sort(key=lambda pair: pair[0].startswith(":env:"))
    return {name.rpartition(".")[2]: str(ast.literal_eval(text)) for name, text in pairs}


def reachable(text: str) -> str:
    """A setting without the folders of this machine."""
    return " ".join(word for word in text.split() if not word.startswith(("file:", "/")))


def write(folder: Path) -> None:
    """Both files; the second only where there is such a setting."""
    found = settings()
    kept = {name: reachable(found.get(name, "")) for name in KEPT}
    lines = [f"{name} = {text}" for name, text in kept.items() if text]
    if Path(found.get("cert", "")).is_file():
        shutil.copyfile(found["cert"], folder / "ca.crt")
        lines.append(CERT)
    (folder / "pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
