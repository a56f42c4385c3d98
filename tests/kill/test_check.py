"""The check of tests/kill must find every kind of broken promise, and pass what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable

import check
import pytest
from check import Event, Line, Logs, Shown


def logs() -> Logs:
    """Two lives: the first was killed after the work of step 1, and while it ran the second task."""
    effects = [Line(life, "s", str(step)) for life, step in [(1, 0), (1, 1), (2, 1), (2, 2), (2, 3)]]
    effects += [Line(1, "b-0", "1"), Line(1, "b-1", "1"), Line(2, "b-0", "2"), Line(2, "b-1", "2")]
    acks = [Line(1, "b", "7,8"), Line(1, "s", "0", "1"), Line(2, "b", "7,8"), Line(2, "s", "0", "1")]
    acks += [Line(2, "s", str(step), "2") for step in (1, 2, 3)]
    acks += [Line(2, "s", "end", "-"), Line(2, "b-1", "2")]
    steps = [Event(3, "step.finished", "s"), Event(4, "step.finished", "s"), Event(5, "step.finished", "s")]
    steps += [Event(6, "step.started", "s"), Event(9, "step.finished", "s"), Event(10, "session.completed", "s")]
    events = [Event(1, "session.created", "s"), Event(2, "task.enqueued", "8", count=2), *steps]
    events += [Event(11, "task.dead", "7", "b-0", 2), Event(12, "task.completed", "8", "b-1", 2)]
    shown = {"s": Shown("completed", [(0, 1), (1, 2), (2, 2), (3, 2)], [1, 2, 2, 2])}
    return Logs(["s"], 4, ["b"], 2, effects, acks, shown, events)


def test_what_is_allowed_passes() -> None:
    assert check.wrong(logs()) == []
    assert check.repeats(logs()) == 3


def run_again(it: Logs) -> None:
    it.effects.append(Line(3, "s", "3"))


def skipped(it: Logs) -> None:
    it.effects.remove(Line(2, "s", "2"))


def twice_in_a_life(it: Logs) -> None:
    it.effects.insert(1, Line(1, "s", "0"))


def earlier_step_again(it: Logs) -> None:
    it.effects.insert(2, Line(2, "s", "0"))


def other_answer(it: Logs) -> None:
    it.acks.append(Line(3, "s", "1", "1"))


def lost_result(it: Logs) -> None:
    it.shown["s"] = Shown("completed", [(0, 1), (1, 2), (3, 2)], [1, 2, 2, 2])


def wrong_output(it: Logs) -> None:
    it.shown["s"] = Shown("completed", it.shown["s"].results, [1, 1, 2, 2])


def left_open(it: Logs) -> None:
    it.shown["s"] = Shown("open", it.shown["s"].results, [])


def never_acknowledged(it: Logs) -> None:
    it.acks.remove(Line(2, "s", "2", "2"))


def end_not_acknowledged(it: Logs) -> None:
    it.acks.remove(Line(2, "s", "end", "-"))


def task_after_its_end(it: Logs) -> None:
    it.effects.append(Line(3, "b-1", "3"))


def task_twice_in_an_attempt(it: Logs) -> None:
    it.effects.append(Line(2, "b-1", "2"))


def task_never_ran(it: Logs) -> None:
    it.effects.remove(Line(2, "b-1", "2"))


def task_lost(it: Logs) -> None:
    it.events.pop()


def task_completed_twice(it: Logs) -> None:
    it.events.append(Event(13, "task.completed", "8", "b-1", 2))


def task_acknowledged_twice(it: Logs) -> None:
    it.acks.append(Line(3, "b-1", "2"))


def dead_too_early(it: Logs) -> None:
    it.events[-2] = Event(11, "task.dead", "7", "b-0", 1)


def wrong_one_is_dead(it: Logs) -> None:
    it.events[-1] = Event(12, "task.dead", "8", "b-1", 2)


def batch_enqueued_twice(it: Logs) -> None:
    it.acks.append(Line(3, "b", "20,21"))


def task_of_nobody(it: Logs) -> None:
    it.events.append(Event(13, "task.completed", "99", "x", 1))


def numbers_go_back(it: Logs) -> None:
    it.events[3], it.events[4] = it.events[4], it.events[3]


def event_missing(it: Logs) -> None:
    it.events.remove(Event(6, "step.started", "s"))


def event_doubled(it: Logs) -> None:
    it.events.append(Event(13, "step.finished", "s"))


@pytest.mark.parametrize(
    ("breaks", "wanted"),
    [
        (run_again, r"step 3 was acknowledged in life 2 and ran again in \[3\]"),
        (run_again, r"step 3 is `once` and had its effect in lives \[2, 3\]"),
        (skipped, r"step 2 never had its effect"),
        (twice_in_a_life, r"step 0 ran in life 1 after"),
        (earlier_step_again, r"step 0 ran in life 2 after"),
        (other_answer, r"step 1 was answered from life 2, later from 1"),
        (lost_result, r"the store has"),
        (wrong_output, r"the store has"),
        (left_open, r"it did not finish"),
        (never_acknowledged, r"step 2 was never acknowledged"),
        (end_not_acknowledged, r"its end was never acknowledged"),
        (task_after_its_end, r"it ended at attempt 2 and ran again"),
        (task_twice_in_an_attempt, r"its attempts ran in the order"),
        (task_never_ran, r"completed at attempt 2, which never ran"),
        (task_lost, r"it ended 0 times"),
        (task_completed_twice, r"it ended 2 times"),
        (task_acknowledged_twice, r"acknowledged as"),
        (dead_too_early, r"it is dead after 1 attempts"),
        (wrong_one_is_dead, r"b-1: it is dead after 2 attempts"),
        (batch_enqueued_twice, r"batch b was acknowledged with the ids"),
        (task_of_nobody, r"tasks ended that nobody had enqueued"),
        (numbers_go_back, r"the numbers of events do not grow"),
        (event_missing, r"s has the events"),
        (event_doubled, r"s has the events"),
    ],
)
def test_what_is_broken_is_found(breaks: Callable[[Logs], None], wanted: str) -> None:
    it = logs()
    breaks(it)
    said = check.wrong(it)
    assert any(re.search(wanted, text) for text in said), said
