"""Sessions that wait, are submitted, claimed, signalled and taken back: blocking and asyncio."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import barograph
from barograph import aio

DAY = timedelta(days=1)
NOW = timedelta(0)


@pytest.fixture
def ws() -> Iterator[barograph.Workspace]:
    with barograph.open(in_memory=True) as ws:
        yield ws


@pytest.mark.parametrize("value", [None, True, 7, "yes", {"by": ["ada"]}, b"\0\xff"], ids=str)
def test_values_come_back_as_they_were_passed(ws: barograph.Workspace, value: Any) -> None:
    ws.session.submit("s", value, labels={"kind": "release"})
    assert ws.session.get("s").input == value
    checkpoints: list[barograph.Checkpoint] = []
    for s in ws.session.claimed(idle_ms=0):
        assert (s.id, s.input, s.labels) == ("s", value, {"kind": "release"})
        ws.session.signal("s", "approved", value)
        answer = s.wait_signal("approved", timeout=DAY)
        assert (answer.value, answer.timed_out) == (value, False)
        checkpoints.append(s.checkpoint("halfway", value))
        s.append("message", [value, value])
        s.complete(value)
    assert [entry.value for entry in ws.session.entries("s").entries] == [value, value]
    assert ws.session.checkpoints("s", states=True).checkpoints[0].state == value
    assert ws.session.get("s").output == value
    assert ws.session.restore("s", checkpoints[0].id).state == value


def test_bytes_keep_their_media_type(ws: barograph.Workspace) -> None:
    picture = barograph.Payload(bytes=b"\x89PNG", media_type="image/png")
    ws.session.submit("s", picture)
    assert ws.session.get("s").input == picture
    assert ws.session.get("s").input.value == b"\x89PNG"


def test_a_session_is_opened_with_what_it_belongs_to(ws: barograph.Workspace) -> None:
    with ws.session("parent", input={"n": 1}, labels={"team": "core"}, deadline=DAY):
        with ws.session("child", parent="parent"):
            pass
    summary = ws.session.get("parent")
    assert (summary.input, summary.labels) == ({"n": 1}, {"team": "core"})
    assert summary.deadline is not None
    assert ws.session.get("child").parent == "parent"


def test_a_wait_that_time_ends_has_no_value(ws: barograph.Workspace) -> None:
    with ws.session("s") as s:
        answer = s.wait_signal("approved", timeout=timedelta(milliseconds=1))
        assert (answer.value, answer.timed_out) == (None, True)
        s.sleep(timedelta(milliseconds=1))
        s.sleep(duration=timedelta(milliseconds=1))
        s.sleep(duration_ms=1)


def test_a_call_that_waits_no_longer_is_a_timeout(ws: barograph.Workspace) -> None:
    with ws.session("s") as s:
        for wait in (lambda: s.wait_signal("approved", wait=NOW), lambda: s.sleep(DAY, wait_ms=0)):
            with pytest.raises(TimeoutError) as caught:
                wait()
            assert isinstance(caught.value, barograph.TimeoutError)
            assert (caught.value.code, caught.value.retryable) == ("session.waiting", True)


def test_a_session_that_waits_is_claimed_when_its_signal_is_there(ws: barograph.Workspace) -> None:
    ws.session.submit("s")
    seen: list[Any] = []
    for s in ws.session.claimed(idle_ms=0):
        try:
            seen.append(s.wait_signal("approved", wait=NOW).value)
        except barograph.TimeoutError as error:
            assert error.code == "session.waiting"
            seen.append("waits")
            continue
        s.complete()
    assert seen == ["waits"]
    ws.session.signal("s", "approved", {"by": "ada"})
    for s in ws.session.claimed(idle=NOW):
        seen.append(s.wait_signal("approved").value)
        s.complete()
    assert seen == ["waits", {"by": "ada"}]


def test_a_body_that_raises_releases_its_session(ws: barograph.Workspace) -> None:
    ws.session.submit("s", 7)
    runs: list[barograph.SessionRun] = []
    with pytest.raises(ZeroDivisionError):
        for s in ws.session.claimed(idle_ms=0):
            runs.append(s)
            s.step("divide", partial(operator.truediv, s.input, 0))
    for s in ws.session.claimed(idle_ms=0):
        assert s.step("divide", partial(operator.truediv, s.input, 7)) == 1.0
        s.complete()
    assert ws.session.get("s").status is barograph.SessionStatus.COMPLETED
    with pytest.raises(barograph.ClosedError):
        runs[0].begin("later")


def test_claimed_takes_only_what_carries_the_labels(ws: barograph.Workspace) -> None:
    ws.session.submit("a", labels={"kind": "build"})
    ws.session.submit("b", labels={"kind": "review"})
    seen = []
    for s in ws.session.claimed(labels={"kind": "review"}, idle_ms=0):
        seen.append(s.id)
        s.complete()
    assert seen == ["b"]


def test_claimed_waits_and_stops_when_told(ws: barograph.Workspace) -> None:
    stop = threading.Event()
    submit = threading.Timer(0.05, lambda: ws.session.submit("late"))
    submit.start()
    for s in ws.session.claimed(stop=stop):
        assert s.id == "late"
        s.complete()
        stop.set()
    submit.join()


def test_a_cancelled_session_is_no_cancelled_task(ws: barograph.Workspace) -> None:
    with ws.session("s") as s:
        ws.session.cancel("s", "not needed")
        with pytest.raises(barograph.CancelledError) as caught:
            s.begin("a")
    assert caught.value.code == "session.cancelled"
    assert not isinstance(caught.value, asyncio.CancelledError)


def test_a_patch_answers_yes_or_no(ws: barograph.Workspace) -> None:
    with ws.session("old") as s:
        s.step("build", lambda: 1)
        s.step("publish", lambda: 2)
    with ws.session("old", resume=True) as s:
        assert s.step("build", lambda: 1) == 1
        assert s.patch("v2") is False
        assert s.step("publish", lambda: 3) == 2
        assert s.patch("v3") is True
    with ws.session("old", resume=True) as s:
        s.step("build", lambda: 1)
        assert s.patch("v2") is False
        s.step("publish", lambda: 3)
        assert s.patch("v3") is True


@pytest.mark.parametrize(
    ("wait", "code", "words"),
    [
        (lambda s: s.sleep(), "args.invalid", "`duration` is missing"),
        (lambda s: s.sleep(5, duration=DAY), "args.invalid", "both `duration` and `duration_ms`"),
        (lambda s: s.sleep(duration=5), "args.type", "`duration` is of type int; pass a timedelta"),
        (lambda s: s.wait_signal("a", timeout=1.5), "args.type", "`timeout` is of type float"),
        (lambda s: s.wait_signal("a", timeout=-DAY), "args.", "timeout_ms"),
        (lambda s: s.wait_signal(""), "args.invalid", "name"),
        (lambda s: s.append("log", "text"), "args.type", "entries"),
        (lambda s: s.append("log", [1, {2}]), "args.type", "entries[1]"),
        (lambda s: s.checkpoint("c", float("nan")), "value.not_i_json", "state"),
    ],
)
def test_wrong_use_names_what_is_wrong(
    ws: barograph.Workspace, wait: Any, code: str, words: str
) -> None:
    with ws.session("s") as s, pytest.raises(barograph.InvalidInputError) as caught:
        wait(s)
    assert caught.value.code.startswith(code)
    assert words in caught.value.message
    assert caught.value.op.startswith("session.")


def test_the_same_with_asyncio() -> None:
    async def body(ws: aio.Workspace, seen: list[Any]) -> None:
        async for s in ws.session.claimed(labels={"kind": "a"}, idle=NOW):
            seen.append((s.id, s.input, s.labels))
            await ws.session.signal("s", "approved", True)
            answer = await s.wait_signal("approved", timeout=DAY)
            assert (answer.value, answer.timed_out) == (True, False)
            assert await s.patch("v2") is True
            with pytest.raises(TimeoutError):
                await s.wait_signal("never", wait=NOW)
            checkpoint = await s.checkpoint("half", {"n": 1})
            await s.complete()
            assert (await ws.session.restore("s", checkpoint.id)).state == {"n": 1}
            return

    async def main() -> None:
        async with aio.open(in_memory=True) as ws:
            await ws.session.submit("s", 7, labels={"kind": "a"}, delay=NOW)
            seen: list[Any] = []
            await body(ws, seen)
            assert seen == [("s", 7, {"kind": "a"})]
            await ws.session.submit("t", 8)
            with pytest.raises(ZeroDivisionError):
                async for s in ws.session.claimed():
                    assert s.id in ("s", "t")
                    raise ZeroDivisionError
            stop = asyncio.Event()
            async for s in ws.session.claimed(stop=stop):
                await s.complete()
                if s.id == "t":
                    stop.set()
            async with ws.session("w") as session:
                waiting = asyncio.ensure_future(session.wait_signal("go"))
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                await ws.session.signal("w", "go", 5)
                assert (await session.wait_signal("go")).value == 5

    asyncio.run(main())
