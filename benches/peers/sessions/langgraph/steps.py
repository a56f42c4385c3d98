"""LangGraph's SQLite checkpointer, a contestant of `../run.py`: `steps.py FOLDER`.

A step is one node of a graph that goes round, its checkpoint written before the next one begins
(`durability="sync"`).
"""

import pathlib
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from contestant import block, serve, timed  # noqa: E402

FOLDER = pathlib.Path(sys.argv[1])


class State(TypedDict):
    left: int


def noop(state):
    return {"left": state["left"] - 1}


def last(state):
    block()
    return {}


def graph(saver, at_end):
    builder = StateGraph(State)
    builder.add_node("noop", noop)
    builder.add_node("last", last)
    builder.add_edge(START, "noop")
    builder.add_conditional_edges("noop", lambda state: "noop" if state["left"] > 0 else at_end)
    return builder.compile(checkpointer=saver)


made = 0


def main():
    saver = SqliteSaver(sqlite3.connect(FOLDER / "langgraph.db", check_same_thread=False))
    around, to_last = graph(saver, END), graph(saver, "last")

    def run(built, thread, state, count):
        config = {"configurable": {"thread_id": thread}, "recursion_limit": count + 10}
        built.invoke(state, config, durability="sync")

    def steps(count):
        global made
        made += 1
        run(around, f"t{made}", {"left": count}, count)

    def many(sessions, count):
        with ThreadPoolExecutor(sessions) as pool:
            list(pool.map(steps, [count] * sessions))

    def reach(count):
        known = saver.get_tuple({"configurable": {"thread_id": "reach"}})
        run(to_last, "reach", None if known else {"left": count}, count)

    serve({
        "steps": lambda count: timed(steps, count),
        "many": lambda sessions, count: timed(many, sessions, count),
        "reach": reach,
    })
    saver.conn.close()


main()
