#!/usr/bin/env python3
"""One language is killed in the middle of a step, another finishes: all four by all four.

    python tests/interop/run.py [LANGUAGE...]

Each worker program takes STORE SESSION STEPS STOP. It opens the store and the session, runs STEPS steps whose
work appends `<number> <language>` to the file `effects` beside the store, prints `waiting` and hangs inside
step number STOP (-1: none), runs one step more whose result is bytes, and completes the session with the sum of the
steps' numbers. It checks that each step's result is the same whether it was computed or read back.

The first worker is killed (SIGKILL) while it hangs; the second must go on at that very step. The SDKs must be
built.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from languages import ENVIRONMENT, LANGUAGES, worker

STEPS, STOP = 5, 2


def trial(first: str, second: str, commands: dict[str, list[str]]) -> tuple[str | None, float]:
    """What went wrong when `first` was killed and `second` finished, and how long the second took."""
    with tempfile.TemporaryDirectory(prefix="barograph-interop-") as folder:
        store = str(Path(folder) / "store.db")
        killed = subprocess.Popen([*commands[first], store, "s", str(STEPS), str(STOP)], text=True, env=ENVIRONMENT,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert killed.stdout is not None
        said = killed.stdout.readline()
        killed.kill()
        _, complaint = killed.communicate()
        if said != "waiting\n":
            return f"{first} did not reach step {STOP}: {said}{complaint}", 0.0
        started = time.monotonic()
        try:
            done = subprocess.run([*commands[second], store, "s", str(STEPS), "-1"], text=True, env=ENVIRONMENT,
                                  capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return f"{second} did not finish within 60 s", 60.0
        took = time.monotonic() - started
        if done.returncode != 0:
            return f"{second} ended with {done.returncode}: {done.stdout}{done.stderr}", took
        effects = (Path(folder) / "effects").read_text().splitlines()
        # Only the step in flight may have its effect twice.
        wanted = [f"{number} {first}" for number in range(STOP + 1)]
        wanted += [f"{number} {second}" for number in range(STOP, STEPS)]
        if effects != wanted:
            return f"effects are {effects} instead of {wanted}", took
        shown = show(store, Path(folder))
        if shown.get("status") != "completed" or shown.get("steps_done") != STEPS + 1:
            return f"the session is {shown}", took
        if shown.get("output", {}).get("json") != {"total": sum(range(STEPS))}:
            return f"the session's output is {shown.get('output')}", took
        return None, took


def show(store: str, folder: Path) -> dict:
    """The session as an uninvolved reader sees it: through the SDK for Python, in a process of its own."""
    text = ("import barograph, json, sys\n"
            "with barograph.open(sys.argv[1], store=sys.argv[2]) as ws:\n"
            "    s = ws.session.show('s').session\n"
            "    print(json.dumps({'status': str(s.status), 'steps_done': s.steps_done,\n"
            "                      'output': {'json': s.output}}))\n")
    done = subprocess.run([sys.executable, "-c", text, str(folder), store], text=True, env=ENVIRONMENT,
                          capture_output=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}


def main(languages: list[str]) -> int:
    commands = {language: worker(language, "interop") for language in languages}
    failed, slowest = 0, 0.0
    for first in languages:
        for second in languages:
            wrong, took = trial(first, second, commands)
            slowest = max(slowest, took)
            if wrong:
                failed += 1
                print(f"{first} killed, {second} finishes: {wrong}")
    print(f"interop: {len(languages) ** 2 - failed} passed, {failed} failed (slowest finish {slowest:.1f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or LANGUAGES))
