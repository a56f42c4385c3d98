"""The `barograph` command: the same program in every package."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from . import _barograph


def main() -> NoReturn:
    """Runs the command with the arguments of this process and exits with its status."""
    # The command handles Ctrl-C itself; Python would only note it down.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.exit(_barograph.command(["barograph", *sys.argv[1:]]))
