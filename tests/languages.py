"""Where the programs of tests/ in each language stand, and how they are built and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")).resolve()
LANGUAGES = ["rust", "python", "node", "go"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(
    filter(None, [str(TOP / "python" / "src"), os.environ.get("PYTHONPATH")]))}


def worker(language: str, topic: str) -> list[str]:
    """The command that starts a topic's worker in this language, built if it needs that.

    The SDKs must be built; with BAROGRAPH_BUILT set a program in Rust is taken as it stands in the target folder.
    """
    out = TARGET / f"{topic}-built"
    out.mkdir(parents=True, exist_ok=True)
    if language == "rust":
        if not os.environ.get("BAROGRAPH_BUILT"):
            subprocess.run(["cargo", "build", "--quiet", "-p", "barograph-tests"], cwd=TOP, check=True)
        return [str(TARGET / "debug" / f"{topic}-worker")]
    if language == "go":
        subprocess.run(["go", "build", "-o", str(out / "worker-go"), "."], cwd=HERE / topic / "worker-go", check=True)
        return [str(out / "worker-go")]
    if language == "node":
        # Resolution starts at the script's real place: it stands beside a link to the package.
        (out / "node_modules").mkdir(exist_ok=True)
        link = out / "node_modules" / "barograph"
        if not link.is_symlink():
            link.symlink_to(TOP / "node")
        shutil.copy(HERE / topic / "worker.mjs", out)
        if not (TOP / "node/dist").is_dir():
            subprocess.run(["npm", "run", "--silent", "build"], cwd=TOP / "node", check=True)
        return ["node", str(out / "worker.mjs")]
    return [sys.executable, str(HERE / topic / "worker.py")]
