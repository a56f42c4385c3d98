"""Who takes part, how each is started, and how to talk to it."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
#: Where the READMEs of the rivals have them installed.
PEERS = TARGET / "peers"
#: A contestant that is silent for longer hangs.
PATIENCE_S = 120
RUST = str(TARGET / "release" / "sessions")


@dataclasses.dataclass(frozen=True, eq=False)
class Contestant:
    """One way to make a step durable."""

    name: str
    label: str
    command: tuple
    #: What it can be told.
    verbs: frozenset
    env: dict = dataclasses.field(default_factory=dict)
    #: Needs the URL of a database as its second argument.
    postgres: bool = False
    #: Steps in one turn; slow ones take fewer, so that turns last about as long.
    turn: int = 50
    #: Tasks in one turn of the queue.
    tasks: int = 5_000

    @property
    def ours(self):
        return self.name.startswith("barograph")

    def missing(self):
        """The file without which it cannot run, or None."""
        files = [part for part in self.command if part.startswith("/")]
        return next((file for file in files if not pathlib.Path(file).exists()), None)


def python(script):
    return (str(PEERS / "bin" / "python"), str(HERE / script))


def rust(name):
    return str(PEERS / "rust" / "release" / f"{name}-peer")


SDK = {"PYTHONPATH": str(ROOT / "python" / "src")}
STEPS = frozenset({"steps"})

ALL = [
    Contestant("raw", "raw SQLite, WAL, FULL", (RUST, "raw"), STEPS | {"many"}),
    Contestant(
        "barograph-rust", "Barograph, Rust", (RUST, "barograph"),
        STEPS | {"once", "many", "queue", "workers", "live", "recover"},
    ),
    Contestant(
        "barograph-python", "Barograph, Python", (sys.executable, str(HERE / "barograph/steps.py")),
        STEPS | {"once", "reach"}, SDK,
    ),
    Contestant("barograph-node", "Barograph, Node", ("node", str(HERE / "barograph/steps.mjs")), STEPS | {"once"}),
    Contestant("barograph-go", "Barograph, Go", (str(TARGET / "release/sessions-go"),), STEPS | {"once"}),
    Contestant("durare", "durare, as shipped (NORMAL)", (rust("durare"), "shipped"), STEPS | {"many"}),
    Contestant("durare-full", "durare, FULL", (rust("durare"), "full"), STEPS | {"many"}),
    Contestant("duroxide", "duroxide", (rust("duroxide"),), STEPS | {"many"}, {"RUST_LOG": "off"}, turn=5),
    Contestant("langgraph", "LangGraph, SqliteSaver", python("langgraph/steps.py"), STEPS | {"many", "reach"}, turn=10),
    Contestant("dbos", "DBOS, SQLite", python("dbos/steps.py"), STEPS | {"many", "queue", "reach"}, turn=5, tasks=100),
    Contestant(
        "dbos-postgres", "DBOS, PostgreSQL", python("dbos/steps.py"), STEPS | {"many", "queue", "reach"},
        postgres=True, turn=5, tasks=100,
    ),
    Contestant(
        "barograph-postgres", "Barograph, PostgreSQL", (RUST, "barograph"), STEPS | {"many", "queue", "workers"},
        postgres=True, turn=10,
    ),
    Contestant("awa", "awa, PostgreSQL", (rust("awa"),), frozenset({"queue"}), postgres=True, tasks=1_000),
]


class Running:
    """A contestant that waits for commands in a folder of its own."""

    def __init__(self, contestant, folder, url=None, under=()):
        folder.mkdir(parents=True, exist_ok=True)
        command = [*under, *contestant.command, str(folder)]
        if contestant.postgres:
            command.append(url)
        self.contestant, self.folder = contestant, folder
        self.log = open(folder / "log", "ab")
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env={**os.environ, **contestant.env}, text=True,
        )

    def hear(self):
        guard = threading.Timer(PATIENCE_S, self.child.kill)
        guard.start()
        # Some libraries log to standard output.
        line = next((line for line in self.child.stdout if line.startswith("{")), "")
        guard.cancel()
        if not line:
            self.stop()
            tail = (self.folder / "log").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.contestant.name} ended before it answered:\n{tail}")
        return json.loads(line)

    def tell(self, *words):
        self.child.stdin.write(" ".join(map(str, words)) + "\n")
        self.child.stdin.flush()

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self):
        """Lets it end by itself, as only then it closes its files."""
        self.child.stdin.close()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        self.log.close()

    def __enter__(self):
        self.hear()
        return self

    def __exit__(self, *_):
        self.stop()
