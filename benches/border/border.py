"""What a call costs from Python: `border.py REPOSITORY`, started by run.sh. Prints one JSON object."""

import gc
import json
import sys
import time

import barograph
from barograph import _barograph

# The lowest of rounds: other programs of a busy machine can only add.
ROUNDS, CALLS, TABLES = 100, 200, 15
STEP_ARGS = "x" * 1_000


def each_us(call, before=lambda: None, after=lambda: None):
    """The lowest of the rounds' mean time of one call, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        rounds.append((time.perf_counter() - start) * 1e6 / CALLS)
        after()
    return min(rounds)


def once_ms(call):
    """The lowest time of one call, in milliseconds, garbage of the last one collected before."""
    rounds = []
    for _ in range(TABLES):
        gc.collect()
        start = time.perf_counter()
        kept = call()
        rounds.append((time.perf_counter() - start) * 1e3)
        del kept
    return min(rounds)


def main():
    bare = each_us(_barograph.Token().cancel)
    with barograph.open(in_memory=True) as ws:
        info = each_us(ws.info)
        with ws.session("border") as session:
            for _ in range(CALLS):
                session.finish(session.begin("build", args=STEP_ARGS).token, "done")
        state = {}

        def resume():
            state["session"] = ws.session("border", resume=True)

        def begin():
            if state["session"].begin("build", args=STEP_ARGS).state != "done":
                raise SystemExit("a finished step was not answered as done")

        step = each_us(begin, resume, lambda: state["session"].close())
    with barograph.open(sys.argv[1], in_memory=True) as ws:
        rows = len(ws.git.features().rows)
        columns = once_ms(ws.git.features_columns)
        records = once_ms(ws.git.features)
    print(
        json.dumps(
            {
                "language": "Python", "rows": rows, "bare_us": bare, "info_us": info,
                "step_us": step, "columns_ms": columns, "records_ms": records,
            }
        )
    )


main()
