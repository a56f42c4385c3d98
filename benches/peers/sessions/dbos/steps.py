"""DBOS Transact, a contestant of `../run.py`: `steps.py FOLDER [POSTGRES-URL]`.

Without a URL its system database is a SQLite file. Steps of one workflow are timed inside it, without the
workflow's own start and end. The queue is asked for work every 10 ms instead of every second.
"""

import pathlib
import sys
import time

from dbos import DBOS, SetWorkflowID

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from contestant import block, serve, timed  # noqa: E402

FOLDER = pathlib.Path(sys.argv[1])
DATABASE = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{FOLDER}/dbos.db"


@DBOS.step()
def noop():
    return None


@DBOS.step()
def last():
    block()


@DBOS.workflow()
def steps(count):
    return timed(lambda: [noop() for _ in range(count)])


@DBOS.workflow()
def reach(count):
    for _ in range(count):
        noop()
    last()


@DBOS.workflow()
def task():
    return None


def many(sessions, count):
    runs = [DBOS.start_workflow(steps, count) for _ in range(sessions)]
    for run in runs:
        run.get_result(polling_interval_sec=0.01)


def queue(count, _):
    start = time.perf_counter()
    runs = [DBOS.enqueue_workflow("tasks", task) for _ in range(count)]
    for run in runs:
        run.get_result(polling_interval_sec=0.01)
    return {"seconds": time.perf_counter() - start}


def reached(count):
    # A run that was cut short is taken up by `launch`; a second start of its id would wait for it.
    if not started_before:
        with SetWorkflowID("reach"):
            DBOS.start_workflow(reach, count)
    while True:
        time.sleep(60)


started_before = any(FOLDER.glob("started"))
(FOLDER / "started").touch()
DBOS(config={"name": "bench", "system_database_url": DATABASE, "log_level": "ERROR", "application_version": "1"})
DBOS.launch()
DBOS.register_queue("tasks", polling_interval_sec=0.01)
serve(
    {
        "steps": lambda count: steps(count),
        "many": lambda sessions, count: timed(many, sessions, count),
        "queue": queue,
        "reach": reached,
    }
)
DBOS.destroy()
