"""Barograph in Python: `steps.py FOLDER`, started by run.py."""

import pathlib
import sys

import barograph

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from contestant import block, serve, timed  # noqa: E402

FOLDER = pathlib.Path(sys.argv[1])


def nothing():
    return None


def main():
    with (
        barograph.open(FOLDER, store=FOLDER / "barograph.db") as ws,
        ws.session("python", resume=True) as session,
    ):

        def steps(count, policy="retry"):
            for _ in range(count):
                session.step("noop", nothing, policy=policy)

        def reach(count):
            steps(count)
            # Never ends: the process is killed in its first step that is not recorded.
            session.step("last", block)

        serve(
            {
                "steps": lambda count: timed(steps, count),
                "reach": reach,
                "once": lambda count: timed(steps, count, "once"),
            }
        )


main()
