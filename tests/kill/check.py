"""What must hold after all kills: logs that the workers synced, against what the store says.

A line of `effects` is `<life> <subject> <step or attempt>`, written by a step or task while it ran. A line of `acks`
was written once the call that recorded it had returned: `<life> <session> <step> <life of the result>`,
`<life> <session> end -`, `<life> <task> <attempt>` or `<life> <batch> <ids>`. The lives of one session never
overlap, and their numbers grow; what one session or task wrote stands in the order in which it happened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

#: How often the first task of a batch is tried; every other one is tried for ever.
FIRST_ATTEMPTS = 2


@dataclass(frozen=True)
class Line:
    life: int
    subject: str
    item: str
    more: str = ""


@dataclass(frozen=True)
class Event:
    seq: int
    kind: str
    subject: str
    name: str | None = None
    attempt: int | None = None
    count: int = 0


@dataclass(frozen=True)
class Shown:
    """A session as the store shows it: the lives of its steps' results, in the order of their positions."""

    status: str
    results: list[tuple[int, int]]
    output: list[int]


@dataclass
class Logs:
    """Everything that is checked; `sessions` and `batches` are what had to be done."""

    sessions: list[str]
    steps: int
    batches: list[str]
    batch_size: int
    effects: list[Line]
    acks: list[Line]
    shown: dict[str, Shown] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def lines(path: Path) -> list[Line]:
    found = []
    for text in path.read_text().splitlines():
        life, subject, item, *more = text.split(" ")
        found.append(Line(int(life), subject, item, *more))
    return found


def is_once(step: int) -> bool:
    return step % 4 == 3


def repeats(logs: Logs) -> int:
    """How many effects of steps and tasks happened beyond the first."""
    # The item of a task's line is its attempt, so that its lines differ where they mean the same effect.
    sessions = set(logs.sessions)
    first = {(line.subject, line.item if line.subject in sessions else "") for line in logs.effects}
    return len(logs.effects) - len(first)


def wrong(logs: Logs) -> list[str]:
    """Every promise that was broken, in words; none if all is well."""
    by_subject: dict[str, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
    for line in logs.effects:
        by_subject[line.subject][0].append(line)
    for line in logs.acks:
        by_subject[line.subject][1].append(line)
    said = []
    for session in logs.sessions:
        effects, acks = by_subject[session]
        said += [f"{session}: {text}" for text in session_wrong(logs, session, effects, acks)]
    said += tasks_wrong(logs, by_subject)
    said += events_wrong(logs)
    return said


def session_wrong(logs: Logs, session: str, effects: list[Line], acks: list[Line]) -> list[str]:
    said = []
    before: Line | None = None
    for line in effects:
        step = int(line.item)
        if before is None:
            follows = step == 0
        elif line.life == before.life:
            follows = step == int(before.item) + 1
        else:
            # Only what was in flight when the life before ended may have its effect again.
            follows = step - int(before.item) == 1 or (line.item == before.item and not is_once(step))
        if not follows:
            said.append(f"step {step} ran in life {line.life} after {before}")
        before = line
    ran = defaultdict(list)
    for line in effects:
        ran[int(line.item)].append(line.life)
    acknowledged: dict[int, Line] = {}
    for line in acks:
        if line.item == "end":
            continue
        first = acknowledged.setdefault(int(line.item), line)
        if first.more != line.more:
            said.append(f"step {line.item} was answered from life {first.more}, later from {line.more}")
    for step in range(logs.steps):
        if step not in ran:
            said.append(f"step {step} never had its effect")
        if is_once(step) and len(ran[step]) > 1:
            said.append(f"step {step} is `once` and had its effect in lives {ran[step]}")
        if step not in acknowledged:
            said.append(f"step {step} was never acknowledged")
            continue
        late = [life for life in ran[step] if life > acknowledged[step].life]
        if late:
            said.append(f"step {step} was acknowledged in life {acknowledged[step].life} and ran again in {late}")
        if int(acknowledged[step].more) not in ran[step]:
            said.append(f"step {step} has a result from life {acknowledged[step].more}, where it did not run")
    if not any(line.item == "end" for line in acks):
        said.append("its end was never acknowledged")
    shown = logs.shown.get(session)
    lives = [int(acknowledged[step].more) for step in sorted(acknowledged)]
    if shown is None or shown.status != "completed":
        said.append(f"it did not finish: {shown}")
    elif shown.results != list(enumerate(lives)) or shown.output != lives:
        said.append(f"acknowledged results are of the lives {lives}, the store has {shown}")
    return said


def tasks_wrong(logs: Logs, by_subject: dict[str, tuple[list[Line], list[Line]]]) -> list[str]:
    said = []
    ends: dict[str, list[Event]] = defaultdict(list)
    for event in logs.events:
        if event.kind in ("task.completed", "task.dead"):
            ends[event.subject].append(event)
    known = set()
    for batch in logs.batches:
        answers = {line.item for line in by_subject[batch][1]}
        if len(answers) != 1:
            said.append(f"batch {batch} was acknowledged with the ids {sorted(answers)}")
            continue
        ids = answers.pop().split(",")
        known.update(ids)
        if len(ids) != logs.batch_size:
            said.append(f"batch {batch} has the tasks {ids}")
        for at, task in enumerate(ids):
            name = f"{batch}-{at}"
            effects, acks = by_subject[name]
            said += [f"{name}: {text}" for text in task_wrong(name, at, effects, acks, ends.pop(task, []))]
    if ends:
        said.append(f"tasks ended that nobody had enqueued: {sorted(ends)}")
    enqueued = sum(event.count for event in logs.events if event.kind == "task.enqueued")
    if enqueued != len(known):
        said.append(f"{enqueued} tasks were enqueued, {len(known)} were asked for")
    return said


def task_wrong(name: str, at: int, effects: list[Line], acks: list[Line], ends: list[Event]) -> list[str]:
    said = []
    attempts = [int(line.item) for line in effects]
    if attempts != sorted(set(attempts)):
        said.append(f"its attempts ran in the order {attempts}")
    if len(ends) != 1:
        return [*said, f"it ended {len(ends)} times: {ends}"]
    end = ends[0]
    if end.name != name:
        said.append(f"its end has the name {end.name}")
    last = end.attempt or 0
    if any(attempt > last for attempt in attempts):
        said.append(f"it ended at attempt {last} and ran again: {attempts}")
    if end.kind == "task.dead":
        if at != 0 or last != FIRST_ATTEMPTS:
            said.append(f"it is dead after {last} attempts")
        if acks:
            said.append(f"it is dead and was acknowledged as completed: {acks}")
        return said
    if last not in attempts:
        said.append(f"it was completed at attempt {last}, which never ran: {attempts}")
    if [line.item for line in acks] not in ([], [str(last)]):
        said.append(f"it was completed at attempt {last} and acknowledged as {acks}")
    return said


def events_wrong(logs: Logs) -> list[str]:
    said = []
    seqs = [event.seq for event in logs.events]
    if seqs != sorted(set(seqs)):
        said.append("the numbers of events do not grow")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for event in logs.events:
        if event.kind.startswith(("session.", "step.")):
            counts[event.subject][event.kind] += 1
    once = sum(is_once(step) for step in range(logs.steps))
    for session in logs.sessions:
        count = counts.pop(session, Counter())
        # A try of a `once` step that never had its effect is recorded as failed, and begun again.
        tried = once + count["step.failed"]
        wanted = {"session.created": 1, "step.finished": logs.steps, "session.completed": 1}
        has = {kind: count[kind] for kind in wanted}
        if has != wanted or count["step.started"] != tried:
            said.append(f"{session} has the events {dict(count)}")
    if counts:
        said.append(f"sessions that nobody opened have events: {sorted(counts)}")
    return said
