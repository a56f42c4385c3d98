#!/usr/bin/env python3
"""Kills real processes at every step boundary and at random times, and checks that nothing was lost or repeated.

    python tests/kill/run.py [LANGUAGE...] [--kills N] [--seed S] [--mixed]

A worker program of each language is one life: it opens the store, waits for a line, puts batches of tasks into a
queue, runs its sessions and takes tasks, all at once. Each step and each task appends a line to a synced file
`effects` while it runs, and one to a synced file `acks` once the call that recorded it has returned (check.py has the
lines). Every fourth step is of policy `once`; one that was cut short is settled by looking into `effects`. Two lanes
of such lives share a store: when a life is killed (SIGKILL), the next one of its lane goes on with the same sessions.
A lane that comes to its end begins new sessions, until the kills are done. The first lane dies by itself at every
boundary in turn, the other one is killed at random times; then both are. With --mixed each life is in another
language.

Before that a worker that acknowledges too early shows that the check can fail; after it sixteen processes, which
nobody kills, share one store. Where something is wrong, the seed and the folder with store and logs are printed. The
SDKs must be built.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from languages import ENVIRONMENT, LANGUAGES, TOP, worker

sys.path.insert(0, str(TOP / "python" / "src"))

import barograph
import check

STEPS, BATCH = 8, 5
#: A store sees this many kills, then everything comes to its end and is checked.
KILLS_PER_STORE = 50
#: No life takes a hundredth of this; longer is a hang.
PATIENCE = 120

#: Lives that follow each other: where each of them dies. R is a step of policy `retry`, O one of `once`.
BOUNDARIES = [
    ["R before"],
    ["R begun"],
    ["R effects written"],
    ["R worked"],
    ["R finished"],
    ["R acks written"],
    ["R acked"],
    ["O before"],
    ["O begun", "O unknown", "O refused"],
    ["O effects written", "O unknown"],
    ["O worked", "O unknown"],
    ["O finished"],
    ["O acks written"],
    ["O acked"],
    ["end before"],
    ["end finished"],
    ["B - before"],
    ["B - finished"],
    ["task 2 begun"],
    ["task 2 worked"],
    ["task finished"],
]


class Hang(Exception):
    """A life did not end."""


@dataclass
class Lane:
    """Lives that follow each other on the same sessions."""

    name: str
    rng: random.Random
    #: Where its lives die by themselves, until there are no more.
    boundaries: list[list[str]] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    #: The boundary that is being gone through, and its session and step.
    going: list[str] = field(default_factory=list)
    at: tuple[str, int] = ("", 0)


class Store:
    """One store, the lives on it, and what they had to do."""

    def __init__(self, commands: list[list[str]], seed: str, sizes: tuple[int, int, int] = (3, STEPS, 2),
                 span: float = 0.2) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="barograph-kill-"))
        self.commands = commands
        self.seed = seed
        #: How many sessions of how many steps a lane goes through at once, beside how many batches.
        self.sizes = sizes
        self.logs = check.Logs([], sizes[1], [], BATCH, [], [])
        self.lock = threading.Lock()
        self.lives: Iterator[int] = itertools.count(1)
        self.kills = self.boundary_kills = 0
        #: How long a life that nobody kills takes, roughly: random kills fall into this time.
        self.span = span
        self.complaints: list[str] = []
        #: Where lives that have opened the store wait for each other.
        self.gate: threading.Barrier | None = None

    def begin(self, lane: Lane, wave: int) -> None:
        """Gives a lane new sessions and batches."""
        sessions, _, batches = self.sizes
        lane.sessions = [f"s-{wave}-{lane.name}-{at}" for at in range(sessions)]
        lane.batches = [f"t-{wave}-{lane.name}-{at}" for at in range(batches)]
        with self.lock:
            self.logs.sessions += lane.sessions
            self.logs.batches += lane.batches

    def live(self, lane: Lane, die_at: str = "", kill: bool = False, early: bool = False) -> bool:
        """One life; whether it was killed. With `kill` it is killed at a random time."""
        plan = {
            "folder": str(self.folder), "life": next(self.lives), "sessions": lane.sessions, "steps": self.sizes[1],
            "batches": lane.batches, "batch_size": BATCH, "die_at": die_at, "ack_early": early,
        }
        command = lane.rng.choice(self.commands)
        life = subprocess.Popen([*command, json.dumps(plan)], text=True, env=ENVIRONMENT, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert life.stdin is not None and life.stdout is not None
        try:
            if self.gate is not None:
                life.stdout.readline()
                self.gate.wait(PATIENCE)
            life.stdin.write("\n")
            life.stdin.flush()
            if kill:
                # One in eight may be killed while it starts and opens the store.
                if lane.rng.random() > 1 / 8:
                    life.stdout.readline()
                try:
                    life.wait(self.span * lane.rng.random())
                    self.span *= 0.9
                except subprocess.TimeoutExpired:
                    life.kill()
                    self.span *= 1.01
            _, complaint = life.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Hang(f"life {plan['life']} of {command} did not end within {PATIENCE} s") from None
        finally:
            life.kill()
        if life.returncode not in (0, -9):
            raise AssertionError(f"life {plan['life']} of {command} ended with {life.returncode}:\n{complaint}")
        return life.returncode == -9

    def boundary(self, lane: Lane) -> str:
        """The point at which the lane's next life dies; empty where its sessions have no such step any more."""
        point = lane.going[0]
        kind, _, rest = point.partition(" ")
        if kind == "task":
            return point
        if kind == "B":
            return f"{lane.batches[0]} {rest}"
        done = {(line.subject, line.item) for line in check.lines(self.folder / "acks")} if self.acks() else set()
        if kind == "end":
            return next((f"{s} {point}" for s in lane.sessions if (s, "end") not in done), "")
        if rest not in ("unknown", "refused"):
            left = [(s, step) for s in lane.sessions for step in range(self.sizes[1])
                    if check.is_once(step) == (kind == "O") and (s, str(step)) not in done]
            if not left:
                return ""
            lane.at = lane.rng.choice(left)
        return f"{lane.at[0]} {lane.at[1]} {rest}"

    def acks(self) -> bool:
        return (self.folder / "acks").exists()

    def run(self, lane: Lane, kills: int) -> None:
        """Lives of this lane until the store has seen enough kills and the lane's sessions are done."""
        try:
            for wave in itertools.count():
                self.begin(lane, wave)
                while True:
                    die_at = ""
                    if not lane.going and lane.boundaries:
                        lane.going = lane.boundaries.pop(0).copy()
                    if lane.going:
                        die_at = self.boundary(lane)
                    enough = self.kills >= kills and not lane.going
                    if not self.live(lane, die_at, kill=not die_at and not enough and not lane.going):
                        break
                    with self.lock:
                        self.kills += 1
                        self.boundary_kills += bool(die_at)
                    if die_at:
                        lane.going.pop(0)
                if self.complaints or (self.kills >= kills and not lane.going and not lane.boundaries):
                    return
        except Exception as error:
            self.complaints.append(str(error) or repr(error))

    def together(self, lanes: list[Lane], kills: int) -> None:
        threads = [threading.Thread(target=self.run, args=(lane, kills)) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def read(self) -> None:
        """Fills `logs` with what the workers logged and what the store says to an uninvolved reader."""
        logs = self.logs
        logs.effects, logs.acks = check.lines(self.folder / "effects"), check.lines(self.folder / "acks")
        with barograph.open(self.folder, store=self.folder / "store.db") as ws:
            for name in logs.sessions:
                shown = ws.session.show(name)
                results = [(step.position, step.result["life"]) for step in shown.steps if step.result]
                output = shown.session.output["lives"] if shown.session.output else []
                logs.shown[name] = check.Shown(str(shown.session.status), results, output)
            with ws.events.open() as stream:
                logs.events = [as_event(event) for event in stream]

    def wrong(self) -> list[str]:
        """Every broken promise; the folder goes where there is none."""
        if not self.complaints:
            self.read()
            self.complaints += check.wrong(self.logs)
        if self.complaints:
            self.complaints.append(f"seed {self.seed}, everything is in {self.folder}")
        else:
            shutil.rmtree(self.folder)
        return self.complaints


def as_event(event: barograph.Event) -> check.Event:
    data = event.data
    name, attempt, count = data.get("name"), data.get("attempt"), data.get("count", 0)
    return check.Event(event.seq, event.kind, event.subject, name, attempt, count)


def canary(command: list[str], seed: str) -> list[str]:
    """A worker that acknowledges a step before it is recorded, and dies in between, must be found out."""
    store = Store([command], seed, sizes=(1, STEPS, 0))
    lane = Lane("0", random.Random(seed))
    store.begin(lane, 0)
    died = store.live(lane, die_at=f"{lane.sessions[0]} 2 acks written", early=True)
    ended = not store.live(lane)
    said = store.wrong()
    if died and ended and any("acknowledged in life 1 and ran again in [2]" in text for text in said):
        shutil.rmtree(store.folder)
        return []
    return [f"the check did not find a step that was acknowledged too early: {said}"]


def killed(commands: list[list[str]], kills: int, seed: str) -> tuple[list[str], str]:
    """What went wrong within so many kills, and what was done."""
    done = boundary = effects = acks = repeats = tasks = 0
    span = 0.2
    for number in itertools.count():
        if done >= kills:
            break
        store = Store(commands, f"{seed}/{number}", span=span)
        rngs = [random.Random(f"{store.seed}/{lane}") for lane in range(2)]
        boundaries = rngs[0].sample(BOUNDARIES, len(BOUNDARIES))
        lanes = [Lane("0", rngs[0], boundaries), Lane("1", rngs[1])]
        store.together(lanes, min(KILLS_PER_STORE, kills - done))
        said = store.wrong()
        if said:
            return said, ""
        done, span = done + store.kills, store.span
        boundary += store.boundary_kills
        effects += len(store.logs.effects)
        acks += len(store.logs.acks)
        repeats += check.repeats(store.logs)
        tasks += len(store.logs.batches) * BATCH
    return [], (f"{done} kills ({boundary} at boundaries), {effects} effects, {tasks} tasks, {acks} acknowledgements, "
                f"0 lost, 0 run again, {repeats} repeats of what was in flight")


def crowd(commands: list[list[str]], seed: str, processes: int = 16) -> tuple[list[str], str]:
    """Many processes on one store, all at once; a reader that follows must see what one sees at the end."""
    store = Store(commands, seed, sizes=(4, 3 * STEPS, 10))
    store.gate = threading.Barrier(processes)
    lanes = [Lane(str(at), random.Random(f"{seed}/{at}")) for at in range(processes)]
    seen: list[int] = []
    over = threading.Event()

    def follow() -> None:
        try:
            with barograph.open(store.folder, store=store.folder / "store.db") as ws:
                stream = ws.events.open(follow=True)
                ending = False
                while not ending:
                    # Looked at before the page, so that the last page was read after all was written.
                    ending = over.is_set()
                    while events := stream.next(1000, 50).events:
                        seen.extend(event.seq for event in events if event.seq)
        except Exception as error:
            store.complaints.append(f"who followed: {error}")

    reader = threading.Thread(target=follow)
    reader.start()
    store.together(lanes, 0)
    over.set()
    reader.join()
    said = store.wrong()
    numbers = [event.seq for event in store.logs.events]
    if not said and seen != numbers:
        said = [f"who followed saw {len(seen)} events, there are {len(numbers)}: {set(seen) ^ set(numbers)}"]
    return said, f"{processes} processes, {len(numbers)} events, {len(store.logs.effects)} effects"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", default=LANGUAGES, metavar="LANGUAGE")
    parser.add_argument("--kills", type=int, default=KILLS_PER_STORE, help="for each language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mixed", action="store_true", help="each life in another language")
    asked = parser.parse_args()
    commands = {language: worker(language, "kill") for language in asked.languages}
    passed = failed = 0

    def told(name: str, said: list[str], done: str) -> None:
        nonlocal passed, failed
        failed, passed = failed + bool(said), passed + (not said)
        print(f"{name}: {done or 'failed'} ({time.monotonic() - started:.1f} s)", *said, sep="\n  ", flush=True)

    for language, command in commands.items():
        started = time.monotonic()
        told(f"{language} canary", canary(command, f"{asked.seed}/canary"), "found out")
    groups = {language: [command] for language, command in commands.items()}
    if asked.mixed:
        groups = {"mixed": list(commands.values())}
    for name, group in groups.items() if asked.kills else ():
        started = time.monotonic()
        told(name, *killed(group, asked.kills, f"{asked.seed}/{name}"))
    started = time.monotonic()
    told("crowd", *crowd(list(commands.values()), f"{asked.seed}/crowd"))
    print(f"kill: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
