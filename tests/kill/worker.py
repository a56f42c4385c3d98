"""One life of the sessions and the queue of tests/kill; see run.py for what is asked of it."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial

import barograph

plan = json.loads(sys.argv[1])
folder, life = plan["folder"], plan["life"]
APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY
FILES = {name: os.open(os.path.join(folder, name), APPEND) for name in ("effects", "acks")}


def reached(point: str) -> None:
    if point == plan["die_at"]:
        os.kill(os.getpid(), signal.SIGKILL)


def note(file: str, subject: str, text: str) -> None:
    os.write(FILES[file], f"{life} {subject} {text}\n".encode())
    reached(f"{subject} {text.split()[0]} {file} written")
    os.fsync(FILES[file])


def found(subject: str, step: int) -> int | None:
    """The life in which a step had its effect."""
    with open(os.path.join(folder, "effects")) as file:
        lives = [int(line.split()[0]) for line in file if line.split()[1:] == [subject, str(step)]]
    return lives[0] if lives else None


def work(subject: str, step: int) -> dict[str, int]:
    reached(f"{subject} {step} begun")
    note("effects", subject, f"{step}")
    reached(f"{subject} {step} worked")
    if plan["ack_early"]:
        note("acks", subject, f"{step} {life}")
    return {"step": step, "life": life}


def once(s: barograph.Session, subject: str, step: int) -> dict[str, int]:
    while True:
        start = s.begin("once", key=f"once-{step}", args={"step": step}, policy="once")
        if start.result is not None:
            recorded: dict[str, int] = start.result
            return recorded
        assert start.token is not None
        if start.state == barograph.StepState.RUN:
            value = work(subject, step)
        else:
            reached(f"{subject} {step} unknown")
            before = found(subject, step)
            if before is None:
                s.finish(start.token, failure=RuntimeError("it did not happen"))
                reached(f"{subject} {step} refused")
                continue
            value = {"step": step, "life": before}
        s.finish(start.token, value)
        return value


def session(ws: barograph.Workspace, subject: str) -> None:
    s = ws.session(subject, resume=True)
    lives = []
    for step in range(plan["steps"]):
        reached(f"{subject} {step} before")
        if step % 4 == 3:
            result = once(s, subject, step)
        else:
            result = s.step(f"step-{step % 3}", partial(work, subject, step), args={"step": step})
        reached(f"{subject} {step} finished")
        assert result["step"] == step, result
        lives.append(result["life"])
        note("acks", subject, f"{step} {lives[-1]}")
        reached(f"{subject} {step} acked")
    reached(f"{subject} end before")
    s.complete({"lives": lives})
    reached(f"{subject} end finished")
    note("acks", subject, "end -")
    s.close()


def produce(ws: barograph.Workspace) -> None:
    for batch in plan["batches"]:
        names = [f"{batch}-{at}" for at in range(plan["batch_size"])]
        # The first of each batch soon runs out of attempts.
        tasks = [
            barograph.NewTask(name, key=name, payload=name, max_attempts=1000 if at else 2)
            for at, name in enumerate(names)
        ]
        reached(f"{batch} - before")
        ids = ws.queue.enqueue("q", tasks).ids
        reached(f"{batch} - finished")
        note("acks", batch, ",".join(ids))


def consume(ws: barograph.Workspace) -> None:
    taken = 0
    with ws.worker("q") as worker:
        while tasks := worker.next(4, 50).tasks:
            done, failed = [], []
            for task in tasks:
                assert task.payload == task.name
                taken += 1
                reached(f"task {taken} begun")
                note("effects", task.name, f"{task.attempt}")
                reached(f"task {taken} worked")
                # The second of each batch fails at first.
                if task.name.endswith("-1") and task.attempt == 1:
                    failed.append(task)
                else:
                    done.append(task)
            refused = worker.complete([barograph.TaskResult(task.id, task.attempt) for task in done]).refused
            for task in done:
                reached("task finished")
                if task.id not in refused:
                    note("acks", task.name, f"{task.attempt}")
            worker.fail([barograph.TaskFailure(task.id, barograph.Failure("not yet")) for task in failed])


with barograph.open(folder, store=os.path.join(folder, "store.db")) as ws:
    print("open", flush=True)
    sys.stdin.readline()
    produce(ws)
    broken: list[BaseException] = []

    def run(work: Callable[[barograph.Workspace], None]) -> None:
        try:
            work(ws)
        except BaseException as error:
            broken.append(error)

    works = [*(partial(session, subject=subject) for subject in plan["sessions"]), consume]
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
