"""What the tests of the MCP server share: the built command and the fixture repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))


@pytest.fixture(scope="session")
def barograph() -> str:
    """The path of the built command; built first unless that was done before."""
    if not os.environ.get("BAROGRAPH_BUILT"):
        subprocess.run(["cargo", "build", "--quiet", "-p", "barograph-cli"], cwd=TOP, check=True)
    return str(TARGET / "debug" / "barograph")


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """A fresh copy of the fixture repository `linear`."""
    script = TOP / "tests" / "fixtures" / "repositories.py"
    done = subprocess.run(
        [sys.executable, str(script), "--into", str(TARGET / "fixtures")], check=True, capture_output=True, text=True
    )
    top = tmp_path / "linear"
    shutil.copytree(Path(done.stdout.strip()) / "linear", top, symlinks=True)
    yield top
