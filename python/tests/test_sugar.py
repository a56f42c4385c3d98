"""Steps as functions, handlers of tasks, events one by one: blocking and asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

import barograph
from barograph import NewTask, StepState, aio


@pytest.fixture
def ws() -> Iterator[barograph.Workspace]:
    with barograph.open(in_memory=True) as ws:
        yield ws


def test_a_step_runs_once(ws: barograph.Workspace) -> None:
    ran: list[str] = []

    def work(name: str, value: Any) -> Any:
        ran.append(name)
        return value

    for turn in range(2):
        with ws.session("s", resume=turn > 0) as s:
            assert s.step("json", lambda: work("json", {"a": (1, 2)})) == {"a": [1, 2]}
            assert s.step("bytes", lambda: work("bytes", b"\0\xff")) == b"\0\xff"
            assert s.step("none", lambda: work("none", None)) is None
            assert s.step("json", lambda: work("again", 2)) == 2
            assert s.step("key", lambda: work("key", 3), key="k", args={"n": 1}) == 3
    assert ran == ["json", "bytes", "none", "again", "key"]


def test_a_step_that_raises_runs_again(ws: barograph.Workspace) -> None:
    def fail() -> None:
        raise ValueError("not today")

    with ws.session("s") as s, pytest.raises(ValueError, match="not today"):
        s.step("a", fail)
    failure = ws.session.show("s").steps[0].failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("ValueError", "not today")
    with ws.session("s", resume=True) as s:
        assert s.step("a", lambda: 1) == 1


def test_a_result_that_json_cannot_hold_fails_the_step(ws: barograph.Workspace) -> None:
    with ws.session("s") as s, pytest.raises(TypeError):
        s.step("a", lambda: object())
    assert ws.session.show("s").steps[0].status is barograph.StepStatus.FAILED


def test_another_plan_is_refused(ws: barograph.Workspace) -> None:
    with ws.session("s") as s:
        s.step("a", lambda: 1, args=1)
    with ws.session("s", resume=True) as s, pytest.raises(barograph.ConflictError) as caught:
        s.step("a", lambda: 1, args=2)
    assert caught.value.code == "session.diverged"


def test_a_step_that_was_cut_short_is_for_the_host_to_decide(tmp_path: Any) -> None:
    store = tmp_path / "s.db"
    with barograph.open(tmp_path, store=store) as ws, ws.session("s") as s:
        with pytest.raises(KeyboardInterrupt):
            s.step("deploy", _interrupt, policy="once")
    with barograph.open(tmp_path, store=store) as ws, ws.session("s", resume=True) as s:
        with pytest.raises(barograph.ConflictError) as caught:
            s.step("deploy", lambda: 1, policy="once")
        assert caught.value.code == "session.unknown"
        assert "deploy" in caught.value.message
        s.finish(caught.value.context["token"], "it had happened")
    with barograph.open(tmp_path, store=store) as ws, ws.session("s", resume=True) as s:
        assert s.begin("deploy", policy="once").state is StepState.DONE


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_a_worker_runs_its_handlers(ws: barograph.Workspace) -> None:
    tasks = [NewTask("double", payload=n) for n in range(10)]
    tasks += [NewTask("bytes", payload=b"\1"), NewTask("raise", max_attempts=1)]
    tasks += [NewTask("nobody", max_attempts=1)]
    ws.queue.enqueue("q", tasks)
    seen: list[Any] = []
    with ws.worker("q") as worker:

        @worker.task("double")
        def double(payload: int) -> int:
            seen.append(payload)
            return payload * 2

        @worker.task("bytes")
        def blob(payload: bytes) -> bytes:
            seen.append(payload)
            return payload

        @worker.task("raise")
        def fail(payload: object) -> None:
            raise ValueError(payload)

        assert worker.run(max_tasks=3) == 3
        assert worker.run(idle_ms=0, batch=5) == 10
        assert double(4) == 8
    assert sorted(map(str, seen)) == sorted([*map(str, range(10)), "4", "b'\\x01'"])
    summary = ws.queue.show("q")
    assert (summary.done, summary.dead, summary.waiting, summary.running) == (11, 2, 0, 0)


def test_a_worker_stops_when_told(ws: barograph.Workspace) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with ws.worker("q") as worker:
        assert worker.run(stop=stop) == 0
        threading.Timer(0.1, worker.stop).start()
        assert worker.run() == 0


def test_events_one_by_one(ws: barograph.Workspace) -> None:
    with ws.session("s") as s:
        s.step("a", lambda: 1)
        s.complete(2)
    with ws.events(after=0) as events:
        seen = list(events)
    assert seen and [event.seq for event in seen] == sorted(event.seq for event in seen)
    assert events.cursor == seen[-1].seq
    with ws.events(after=events.cursor) as later:
        assert list(later) == []


def test_events_can_be_followed(ws: barograph.Workspace) -> None:
    with ws.events(follow=True) as events:
        threading.Timer(0.1, lambda: ws.session("late").close()).start()
        assert next(iter(events)).subject == "late"


def test_the_same_with_asyncio() -> None:
    async def later(value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def fail() -> None:
        raise ValueError("not today")

    async def main() -> None:
        async with aio.open(in_memory=True) as ws:
            async with ws.session("s") as s:
                assert await s.step("async", lambda: later({"a": 1})) == {"a": 1}
                assert await s.step("plain", lambda: b"\0") == b"\0"
                with pytest.raises(ValueError):
                    await s.step("bad", fail)
                many = [s.step("many", partial(later, n), key=str(n)) for n in range(20)]
                assert await asyncio.gather(*many) == list(range(20))
            async with ws.session("s", resume=True) as s:
                assert await s.step("async", lambda: later(2)) == {"a": 1}
            await ws.queue.enqueue("q", [NewTask("a", payload=n) for n in range(5)])
            async with ws.worker("q") as worker:
                seen: list[int] = []

                @worker.task("a")
                async def handle(payload: int) -> int:
                    seen.append(await later(payload))
                    return payload

                assert await worker.run(max_tasks=5, batch=5) == 5
                assert sorted(seen) == list(range(5))
                asyncio.get_running_loop().call_later(0.05, worker.stop)
                assert await worker.run() == 0
            async with ws.events() as events:
                assert [event.seq async for event in events]
            async with ws.events(follow=True) as events:
                wanted = [event async for event in _first(events, 3)]
                assert len(wanted) == 3

    asyncio.run(main())


async def _first(events: aio.EventStream, count: int) -> AsyncIterator[barograph.Event]:
    async for event in events:
        yield event
        count -= 1
        if count == 0:
            return
