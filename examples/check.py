#!/usr/bin/env python3
"""Builds and runs every example in every language and compares what they print, byte for byte.

    python examples/check.py [LANGUAGE...]

The SDKs must be built (`python/dev.sh`, `npm run native` and `npm run build` in node/, `go/dev.sh`). With BAROGRAPH_BUILT
set the programs in Rust are taken as they stand in the target folder.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
HERE = TOP / "examples"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")).resolve()
OUT = TARGET / "examples-built"
NAMES = sorted(entry.name for entry in HERE.iterdir() if (entry / "main.py").is_file())

#: The runs of an example in one folder, by the words behind the folder; one without words is the rule.
RUNS = {"02-session": [["crash"], []], "04-approval": [[], ["approve", "ada"], [], []]}

#: What those print together: every step ran once, whatever ended between two runs.
PRINTED = {
    "02-session": """\
building
(killed)
publishing 3 files
completed, 2 steps
""",
    "04-approval": """\
submitted
building v7
waiting for approval
sent
approved by ada
publishing app-v7.tar
completed, 3 steps
""",
}


def run(command: list[str | Path], **more) -> subprocess.CompletedProcess[str]:
    """Runs a command that must succeed."""
    done = subprocess.run(command, text=True, capture_output=True, timeout=600, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def rust(name: str) -> list[str | Path]:
    """The compiled program."""
    if not os.environ.get("BAROGRAPH_BUILT"):
        run(["cargo", "build", "--quiet", "-p", "barograph-examples"], cwd=TOP)
    return [TARGET / "debug" / f"example-{name}"]


def python(name: str) -> list[str | Path]:
    """The script, under the interpreter that runs this."""
    return [sys.executable, HERE / name / "main.py"]


def node(name: str) -> list[str | Path]:
    """The script that the TypeScript compiler writes, beside a link to the package."""
    out = OUT / "node"
    (out / "node_modules").mkdir(parents=True, exist_ok=True)
    link = out / "node_modules" / "barograph"
    if not link.is_symlink():
        link.symlink_to(TOP / "node")
    shutil.copy(HERE / "package.json", out)
    if not (TOP / "node/dist").is_dir():
        run(["npm", "run", "--silent", "build"], cwd=TOP / "node")
    run([TOP / "node/node_modules/.bin/tsc", "-p", HERE / "tsconfig.json", "--outDir", out])
    return ["node", out / name / "main.js"]


def go(name: str) -> list[str | Path]:
    """The compiled program."""
    (OUT / "go").mkdir(parents=True, exist_ok=True)
    run(["go", "build", "-o", OUT / "go" / name, f"./{name}"], cwd=HERE)
    return [OUT / "go" / name]


LANGUAGES = {"rust": rust, "python": python, "node": node, "go": go}


def environment() -> dict[str, str]:
    """The SDK for Python is used from its sources unless it is installed."""
    path = os.pathsep.join(filter(None, [str(TOP / "python" / "src"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def output(commands: list[list[str | Path]], name: str, fixtures: Path) -> str:
    """What the runs of one example print, in a fresh copy of the bundled repository; the commands take turns."""
    printed = ""
    with tempfile.TemporaryDirectory(prefix="barograph-example-") as folder:
        place = Path(folder) / "demo"
        shutil.copytree(fixtures / "demo", place, symlinks=True)
        for words, command in zip(RUNS.get(name, [[]]), itertools.cycle(commands)):
            if words != ["crash"]:
                printed += run([*command, place, *words], env=environment()).stdout
                continue
            killed = subprocess.run([*command, place, *words], text=True, capture_output=True, timeout=60, env=environment())
            if killed.returncode not in (-signal.SIGKILL, -signal.SIGABRT):
                sys.exit(f"{command[-1]}: should have been killed, ended with {killed.returncode}\n{killed.stderr}")
            printed += killed.stdout + "(killed)\n"
    return printed


def main(languages: list[str]) -> int:
    built = run([sys.executable, TOP / "tests/fixtures/repositories.py", "--into", TARGET / "fixtures"])
    fixtures = Path(built.stdout.strip())
    failed = 0
    for name in NAMES:
        commands = {language: LANGUAGES[language](name) for language in languages}
        printed = {language: output([command], name, fixtures) for language, command in commands.items()}
        if name in RUNS and len(languages) > 1:
            printed["each run in another language"] = output([*commands.values()], name, fixtures)
        first = printed[languages[0]]
        print(f"--- {name}\n{first}", end="")
        if first != PRINTED.get(name, first):
            print(f"{name}: a step was lost or run again")
            failed += 1
        for language, text in printed.items():
            if text != first:
                print(f"{name}: {language} prints something else than {languages[0]}:\n{text}", end="")
                failed += 1
    print(f"examples: {len(NAMES)} in {len(languages)} languages, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(LANGUAGES)))
